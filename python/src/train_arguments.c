/* Arguments and callbacks of the module _train. */
#include "train.h"

#include <string.h>

/* ---- texts ------------------------------------------------------------------------------------------------------- */

void release_text(text_argument *argument)
{
    Py_CLEAR(argument->owner);
    argument->text = NULL;
}

void release_each(text_argument *const *arguments)
{
    for (; *arguments; arguments++) release_text(*arguments);
}

int take_text(PyObject *object, void *target)
{
    text_argument *argument = target;
    release_text(argument);
    if (!object) return 1; /* the parser gives back what it had taken */
    if (!PyUnicode_FSConverter(object, &argument->owner)) return 0;
    argument->text = PyBytes_AsString(argument->owner);
    return Py_CLEANUP_SUPPORTED;
}

int take_optional_text(PyObject *object, void *target)
{
    return object == Py_None ? 1 : take_text(object, target);
}

void release_texts(texts_argument *argument)
{
    PyMem_Free(argument->items);
    Py_CLEAR(argument->owner);
    *argument = (texts_argument){0};
}

/* Puts the bytes in the place of each element, and where they lie into items. */
static bool convert_texts(texts_argument *argument)
{
    for (size_t i = 0; i < argument->count; i++) {
        PyObject *bytes = NULL;
        if (!PyUnicode_FSConverter(PyList_GetItem(argument->owner, (Py_ssize_t)i), &bytes)) return false;
        argument->items[i] = PyBytes_AsString(bytes);
        if (PyList_SetItem(argument->owner, (Py_ssize_t)i, bytes)) return false;
    }
    return true;
}

int take_texts(PyObject *object, void *target)
{
    texts_argument *argument = target;
    release_texts(argument);
    if (!object || object == Py_None) return 1;
    if (PyUnicode_Check(object) || PyBytes_Check(object)) {
        PyErr_SetString(PyExc_TypeError, "expected a sequence of str, not one of them");
        return 0;
    }
    argument->owner = PySequence_List(object);
    if (!argument->owner) return 0;
    argument->count = (size_t)PyList_Size(argument->owner);
    argument->items = PyMem_Calloc(argument->count + 1, sizeof *argument->items);
    if (!argument->items) PyErr_NoMemory();
    if (argument->items && convert_texts(argument)) return Py_CLEANUP_SUPPORTED;
    release_texts(argument);
    return 0;
}

/* ---- numbers and words ------------------------------------------------------------------------------------------- */

static int take_number(PyObject *object, uint64_t most, uint64_t *out)
{
    PyObject *whole = PyNumber_Index(object); /* of numpy's numbers, too */
    if (!whole) return 0;
    unsigned long long number = PyLong_AsUnsignedLongLong(whole);
    bool fits = !PyErr_Occurred() && number <= most;
    if (!fits) {
        PyErr_Clear();
        PyErr_Format(PyExc_ValueError, "%S is not a number from 0 to %llu", whole, (unsigned long long)most);
    }
    Py_DECREF(whole);
    *out = number;
    return fits;
}

int take_count(PyObject *object, void *target)
{
    uint64_t number;
    if (!take_number(object, UINT32_MAX, &number)) return 0;
    *(uint32_t *)target = (uint32_t)number;
    return 1;
}

int take_large_count(PyObject *object, void *target)
{
    return take_number(object, UINT64_MAX, target);
}

int take_callable(PyObject *object, void *target)
{
    if (object != Py_None && !PyCallable_Check(object)) {
        PyErr_SetString(PyExc_TypeError, "expected a callable or None");
        return 0;
    }
    *(PyObject **)target = object == Py_None ? NULL : object;
    return 1;
}

int find_word(const char *word, const char *const *words, const char *what)
{
    char known[200] = "";
    for (int i = 0; words[i]; i++) {
        if (strcmp(word, words[i]) == 0) return i;
        size_t used = strlen(known);
        PyOS_snprintf(known + used, sizeof known - used, "%s'%s'", i ? ", " : "", words[i]);
    }
    PyErr_Format(PyExc_ValueError, "%s is '%.100s', expected one of %s", what, word, known);
    return -1;
}

static int take_word(PyObject *object, const char *const *words, const char *what)
{
    text_argument argument = {0};
    if (!take_text(object, &argument)) return -1;
    int place = argument.text ? find_word(argument.text, words, what) : -1;
    release_text(&argument);
    return place;
}

int take_stored_as(PyObject *object, void *target)
{
    static const char *const words[] = {"f16", "bf16", "f32", NULL};
    int place = take_word(object, words, "stored_as");
    if (place >= 0) *(wl_stored_as *)target = (wl_stored_as)place;
    return place >= 0;
}

int take_weighting(PyObject *object, void *target)
{
    static const char *const words[] = {"sif", "zipf", "none", NULL};
    int place = take_word(object, words, "weighting");
    if (place >= 0) *(wl_weighting *)target = (wl_weighting)place;
    return place >= 0;
}

/* ---- callbacks --------------------------------------------------------------------------------------------------- */

bool show_bytes(void *user, const char *file, uint64_t done, uint64_t total)
{
    const hooks *this = user;
    if (!this->progress) return go_on(NULL, NULL);
    PyGILState_STATE state = PyGILState_Ensure();
    bool result = !PyErr_Occurred(); /* decoding must not run over one */
    PyObject *name = result ? PyUnicode_DecodeFSDefault(file ? file : "") : NULL;
    if (result)
        result = name && go_on(this->progress, "(OKK)", name, (unsigned long long)done, (unsigned long long)total);
    Py_XDECREF(name);
    PyGILState_Release(state);
    return result;
}

void tell(void *user, const char *text)
{
    const hooks *this = user;
    if (!this->message) return;
    PyGILState_STATE state = PyGILState_Ensure();
    if (!PyErr_Occurred()) {
        /* For people: what cannot be shown must not break printing, as escaped names would. */
        PyObject *line = PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
        PyObject *answer = line ? PyObject_CallFunctionObjArgs(this->message, line, NULL) : NULL;
        Py_XDECREF(answer);
        Py_XDECREF(line);
    }
    PyGILState_Release(state);
}

/* ---- results ----------------------------------------------------------------------------------------------------- */

bool has_failed(wl_status status)
{
    return status != WL_OK || PyErr_Occurred();
}

PyObject *path_value(const char *path)
{
    return PyUnicode_DecodeFSDefault(path);
}
