#include "texts.h"

#include <stdlib.h>

void texts_clear(texts *these)
{
    for (size_t i = 0; i < these->count; i++) Py_XDECREF(these->owners[i]);
    these->count = 0;
}

void texts_free(texts *these)
{
    texts_clear(these);
    free(these->items);
    free(these->owners);
    *these = (texts){0};
}

static int reserve(texts *these)
{
    if (these->count < these->capacity) return 0;
    size_t capacity = these->capacity ? 2 * these->capacity : 64;
    wl_text *items = realloc(these->items, capacity * sizeof *items);
    if (items) these->items = items;
    PyObject **owners = items ? realloc(these->owners, capacity * sizeof(PyObject *)) : NULL;
    if (owners) these->owners = owners;
    if (!owners) {
        PyErr_NoMemory();
        return -1;
    }
    these->capacity = capacity;
    return 0;
}

static void append(texts *these, wl_text text, PyObject *owner)
{
    these->items[these->count] = text;
    these->owners[these->count++] = owner;
}

static int fail_type(PyObject *object, Py_ssize_t place)
{
    PyObject *name = PyType_GetName(Py_TYPE(object));
    if (name && place < 0) PyErr_Format(PyExc_TypeError, "text is %U, expected str", name);
    if (name && place >= 0) PyErr_Format(PyExc_TypeError, "texts[%zd] is %U, expected str", place, name);
    Py_XDECREF(name);
    return -1;
}

/* The limited API does not tell it, but the method does, without looking at the text; -1 with an exception set. */
static int is_ascii(PyObject *object)
{
    static PyObject *method; /* of the process */
    if (!method) method = PyObject_GetAttrString((PyObject *)&PyUnicode_Type, "isascii");
    PyObject *answer = method ? PyObject_CallFunctionObjArgs(method, object, NULL) : NULL;
    if (!answer) return -1;
    int result = answer == Py_True;
    Py_DECREF(answer);
    return result;
}

/* UTF-8 that is gone with the batch. A str with lone surrogates has none: its bytes are ill-formed, and replaced as
 * such. */
static int add_encoded(texts *these, PyObject *object)
{
    PyObject *bytes = PyUnicode_AsUTF8String(object);
    if (!bytes && PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
        PyErr_Clear();
        bytes = PyUnicode_AsEncodedString(object, "utf-8", "surrogatepass");
    }
    char *data;
    Py_ssize_t size;
    if (!bytes || PyBytes_AsStringAndSize(bytes, &data, &size) != 0) return -1;
    append(these, (wl_text){data, (size_t)size}, bytes);
    return 0;
}

int texts_add(texts *these, PyObject *object, Py_ssize_t place)
{
    if (!PyUnicode_Check(object)) return fail_type(object, place);
    if (reserve(these)) return -1;
    int ascii = is_ascii(object);
    if (ascii <= 0) return ascii ? -1 : add_encoded(these, object);
    /* Its own bytes. Of others this would be a copy that the str keeps as long as it lives. */
    Py_ssize_t size;
    const char *data = PyUnicode_AsUTF8AndSize(object, &size);
    if (!data) return -1;
    append(these, (wl_text){data, (size_t)size}, Py_NewRef(object));
    return 0;
}

int text_source_open(text_source *source, PyObject *object)
{
    *source = (text_source){.is_list = PyList_Check(object), .is_tuple = PyTuple_Check(object)};
    if (source->is_list || source->is_tuple) {
        source->object = Py_NewRef(object);
        return 0;
    }
    bool is_other = PyUnicode_Check(object) || PyBytes_Check(object) || PyByteArray_Check(object);
    if (!is_other && arrow_offers(object)) {
        source->is_arrow = arrow_open(&source->arrow, object) == 0;
        if (source->is_arrow) return 0;
        /* A pandas column offers it, and then may lack what it takes: it is iterated. */
        if (!PyErr_ExceptionMatches(PyExc_ImportError)) return -1;
        PyErr_Clear();
    }
    /* A table is iterated by the names of its columns. */
    is_other |= PyObject_HasAttrString(object, "columns");
    bool is_iterable = !is_other && PyObject_HasAttrString(object, "__iter__");
    source->object = is_other ? NULL : PyObject_GetIter(object);
    if (source->object) return 0;
    if (PyErr_Occurred() && (is_iterable || !PyErr_ExceptionMatches(PyExc_TypeError))) return -1;
    PyErr_Clear();
    PyObject *name = PyType_GetName(Py_TYPE(object));
    if (name) PyErr_Format(PyExc_TypeError, "texts are %U, expected an iterable of str", name);
    Py_XDECREF(name);
    return -1;
}

Py_ssize_t text_source_count(const text_source *source)
{
    if (source->is_list) return PyList_Size(source->object);
    if (source->is_tuple) return PyTuple_Size(source->object);
    return source->is_arrow ? (Py_ssize_t)arrow_count(&source->arrow) : -1;
}

/* The next object, a new reference; NULL at the end, or with an exception set. */
static PyObject *next_object(text_source *source)
{
    if (!source->is_list && !source->is_tuple) return PyIter_Next(source->object);
    if (source->at >= text_source_count(source)) return NULL;
    return Py_XNewRef(source->is_list ? PyList_GetItem(source->object, source->at)
                                      : PyTuple_GetItem(source->object, source->at));
}

static int fill_arrow(text_source *source, texts *these, size_t most, size_t most_bytes)
{
    size_t bytes = 0;
    while (these->count < most && bytes <= most_bytes) {
        wl_text text;
        /* Texts of two arrays of a stream are never in one batch: the first is gone with the second. */
        int status = arrow_next(&source->arrow, these->count == 0, &text);
        if (status < 0 || (status && reserve(these))) return -1;
        if (!status) break;
        append(these, text, NULL);
        bytes += text.size;
    }
    return 0;
}

int text_source_fill(text_source *source, texts *these, size_t most, size_t most_bytes)
{
    texts_clear(these);
    if (source->is_arrow) return fill_arrow(source, these, most, most_bytes);
    for (size_t bytes = 0; these->count < most && bytes <= most_bytes;) {
        PyObject *object = next_object(source);
        if (!object) return PyErr_Occurred() ? -1 : 0;
        int status = texts_add(these, object, source->at++);
        Py_DECREF(object);
        if (status) return -1;
        bytes += these->items[these->count - 1].size;
    }
    return 0;
}

void text_source_close(text_source *source)
{
    if (source->is_arrow) arrow_close(&source->arrow);
    Py_CLEAR(source->object);
}

/* A chunked array is a stream whose parts do not outlive each other: such become strings first. */
static PyObject *as_list(PyObject *object)
{
    PyObject *list = PyObject_CallMethod(object, "to_pylist", NULL);
    if (list) return list;
    PyErr_Clear();
    return PyObject_CallMethod(object, "to_list", NULL);
}

int texts_all(texts *these, text_source *source, PyObject *object)
{
    *these = (texts){0};
    if (text_source_open(source, object)) return -1;
    if (source->is_arrow && text_source_count(source) < 0) {
        PyObject *list = as_list(object);
        text_source_close(source);
        int status = list ? text_source_open(source, list) : -1;
        Py_XDECREF(list);
        if (status) return -1;
    }
    if (text_source_fill(source, these, SIZE_MAX, SIZE_MAX) == 0) return 0;
    texts_free(these);
    text_source_close(source);
    return -1;
}
