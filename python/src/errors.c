#include "errors.h"

#include <errno.h>
#include <stdarg.h>

static PyObject *error_type; /* WordLlamaError; of the process, as the modules are */

int add_error_type(PyObject *module)
{
    static const char help[] =
        "A file is damaged, of an unknown kind, or does not belong to another one.\n\n"
        "Attributes: code (str, such as 'WL_ERROR_FORMAT'), file (str), byte (int: offset, or None), line (int, from "
        "1, or None).";
    if (!error_type) {
        /* The other module has made it if that is loaded: there is one class. */
        PyObject *modules = PyImport_GetModuleDict();
        PyObject *core = modules ? PyDict_GetItemString(modules, "word_llama._core") : NULL;
        if (core && core != module) error_type = PyObject_GetAttrString(core, "WordLlamaError");
        if (!error_type) {
            PyErr_Clear();
            error_type = PyErr_NewExceptionWithDoc("word_llama.WordLlamaError", help, NULL, NULL);
        }
        if (!error_type) return -1;
    }
    return PyModule_AddObjectRef(module, "WordLlamaError", error_type);
}

static int set(PyObject *object, const char *name, PyObject *value)
{
    int status = value ? PyObject_SetAttrString(object, name, value) : -1;
    Py_XDECREF(value);
    return status;
}

static PyObject *number(uint64_t value, bool known)
{
    return known ? PyLong_FromUnsignedLongLong(value) : Py_NewRef(Py_None);
}

static void raise_own(const wl_error *error, PyObject *text)
{
    PyObject *object = PyObject_CallFunctionObjArgs(error_type, text, NULL);
    if (object && set(object, "code", PyUnicode_FromString(wl_status_name(error->code))) == 0 &&
        set(object, "file", PyUnicode_DecodeFSDefault(error->file)) == 0 &&
        set(object, "byte", number(error->byte, error->byte != WL_NO_POSITION)) == 0 &&
        set(object, "line", number(error->line, error->line != 0)) == 0)
        PyErr_SetObject(error_type, object);
    Py_XDECREF(object);
}

/* As Python's own have them, with a file where one is concerned; errno is that of the class, not the system's. */
static void raise_system(PyObject *type, int reason, const wl_error *error, PyObject *text)
{
    if (!error->file[0]) {
        PyErr_SetObject(type, text);
        return;
    }
    PyObject *object = PyObject_CallFunction(type, "iNN", reason, PyUnicode_DecodeFSDefault(error->message),
                                             PyUnicode_DecodeFSDefault(error->file));
    if (object) PyErr_SetObject(type, object);
    Py_XDECREF(object);
}

void *raise(const wl_error *error)
{
    if (PyErr_Occurred()) return NULL;
    char message[2000];
    wl_error_format(error, message, sizeof message);
    PyObject *text = PyUnicode_DecodeFSDefault(message);
    if (!text) return NULL;
    switch (error->code) {
    case WL_ERROR_ARGUMENT:
    case WL_ERROR_LIMIT:
        PyErr_SetObject(PyExc_ValueError, text);
        break;
    case WL_ERROR_MEMORY:
        PyErr_SetObject(PyExc_MemoryError, text);
        break;
    case WL_ERROR_NOT_FOUND:
        raise_system(PyExc_FileNotFoundError, ENOENT, error, text);
        break;
    case WL_ERROR_IO:
        raise_system(PyExc_OSError, EIO, error, text);
        break;
    case WL_ERROR_CANCELLED:
        PyErr_SetObject(PyExc_KeyboardInterrupt, text);
        break;
    default:
        raise_own(error, text);
    }
    Py_DECREF(text);
    return NULL;
}

static bool ask(PyObject *progress, const char *format, va_list values)
{
    bool result = !PyErr_Occurred() && PyErr_CheckSignals() == 0;
    if (!result || !progress) return result;
    PyObject *arguments = Py_VaBuildValue(format, values);
    PyObject *answer = arguments ? PyObject_CallObject(progress, arguments) : NULL;
    if (answer == Py_False) PyErr_SetString(PyExc_KeyboardInterrupt, "the progress callback asked to stop");
    result = answer && answer != Py_False;
    Py_XDECREF(answer);
    Py_XDECREF(arguments);
    return result;
}

bool go_on_held(PyObject *progress, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    bool result = ask(progress, format, values);
    va_end(values);
    return result;
}

bool go_on(PyObject *progress, const char *format, ...)
{
    va_list values;
    PyGILState_STATE state = PyGILState_Ensure();
    va_start(values, format);
    bool result = ask(progress, format, values);
    va_end(values);
    PyGILState_Release(state);
    return result;
}
