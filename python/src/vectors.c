/* Functions of vectors that a caller holds: anything with the buffer protocol. */
#include "model.h"

#include <stdlib.h>
#include <string.h>

/* Rows in a buffer, and what they were made of where they had to be converted. */
typedef struct rows {
    Py_buffer buffer;
    wl_vectors vectors;
    float *converted; /* doubles as floats */
} rows;

static void rows_free(rows *these)
{
    PyBuffer_Release(&these->buffer);
    free(these->converted);
}

/* The letter of a format of one number in the machine's order, "=f", "<f" or "f"; 0 for others. */
static char letter_of(const char *format)
{
    if (!format) return 'B';
    if (*format == '@' || *format == '=' || *format == '<') format++;
    return format[0] && !format[1] ? format[0] : 0;
}

static bool convert(rows *these, size_t numbers)
{
    these->converted = malloc(numbers ? numbers * sizeof(float) : 1);
    if (!these->converted) {
        PyErr_NoMemory();
        return false;
    }
    const double *from = these->buffer.buf;
    for (size_t i = 0; i < numbers; i++) these->converted[i] = (float)from[i];
    these->vectors.data = these->converted;
    return true;
}

/* (n, d) or (d,): floats of 16, 32 or 64 bits, or packed bits as bytes or as 64-bit integers. */
static bool rows_open(rows *these, PyObject *object, const char *name)
{
    *these = (rows){0};
    if (PyObject_GetBuffer(object, &these->buffer, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT) != 0) return false;
    const Py_buffer *buffer = &these->buffer;
    char letter = letter_of(buffer->format);
    if (buffer->ndim < 1 || buffer->ndim > 2 || !letter || !strchr("fdeBQL", letter)) {
        PyErr_Format(PyExc_TypeError, "%s has %d dimensions and format '%s', expected 1 or 2 of f, d, e, B or Q", name,
                     buffer->ndim, buffer->format ? buffer->format : "B");
        rows_free(these);
        return false;
    }
    bool bits = letter == 'B' || letter == 'Q' || letter == 'L';
    size_t width = (size_t)buffer->shape[buffer->ndim - 1];
    these->vectors = (wl_vectors){
        .data = buffer->buf,
        .count = buffer->ndim == 2 ? (size_t)buffer->shape[0] : 1,
        .dim = bits ? 8 * width * (size_t)buffer->itemsize : width,
        .element = bits            ? WL_ELEMENT_BITS
                   : letter == 'e' ? WL_ELEMENT_F16
                                   : WL_ELEMENT_F32,
    };
    if (letter == 'd' && !convert(these, these->vectors.count * width)) {
        rows_free(these);
        return false;
    }
    return true;
}

static bool fit(const rows *a, const rows *b)
{
    if (a->vectors.element == b->vectors.element && a->vectors.dim == b->vectors.dim && a->vectors.dim) return true;
    static const char *const kinds[] = {"float32", "float16", "bfloat16", "int8", "bits"};
    PyErr_Format(PyExc_ValueError, "vectors of %zu %s and %zu %s cannot be compared", a->vectors.dim,
                 kinds[a->vectors.element], b->vectors.dim, kinds[b->vectors.element]);
    return false;
}

/* similarity(a, b, hamming, threads): float32 (n of a, n of b) as bytearray, and both numbers. */
static PyObject *similarity(PyObject *module, PyObject *arguments)
{
    (void)module;
    PyObject *first, *second, *out = NULL, *result = NULL;
    int hamming;
    unsigned threads;
    rows a, b;
    if (!PyArg_ParseTuple(arguments, "OOpI", &first, &second, &hamming, &threads) || !rows_open(&a, first, "a"))
        return NULL;
    if (!rows_open(&b, second, "b")) {
        rows_free(&a);
        return NULL;
    }
    wl_error error;
    wl_context_options options = {.size = sizeof options, .threads = threads};
    wl_context *context = NULL;
    if (!fit(&a, &b)) goto end;
    context = wl_context_create(&options, &error);
    if (!context) {
        raise(&error);
        goto end;
    }
    out = new_bytes(a.vectors.count, b.vectors.count * sizeof(float));
    if (!out) goto end;
    float *scores = (float *)(void *)PyByteArray_AsString(out);
    wl_status status;
    Py_BEGIN_ALLOW_THREADS;
    status = wl_similarity(&a.vectors, &b.vectors, hamming ? WL_HAMMING : WL_COSINE, context, scores, &error);
    Py_END_ALLOW_THREADS;
    result =
        status ? raise(&error) : Py_BuildValue("(Onn)", out, (Py_ssize_t)a.vectors.count, (Py_ssize_t)b.vectors.count);
end:
    Py_XDECREF(out);
    wl_context_free(context);
    rows_free(&a);
    rows_free(&b);
    return result;
}

/* binarize(vectors): bits, packed, the first in the most significant place of its byte, as bytearray. */
static PyObject *binarize(PyObject *module, PyObject *object)
{
    (void)module;
    rows these;
    if (!rows_open(&these, object, "vectors")) return NULL;
    wl_error error;
    PyObject *out = new_bytes(these.vectors.count, wl_vector_size(WL_ELEMENT_BITS, these.vectors.dim));
    if (out && wl_vectors_binarize(&these.vectors, (uint8_t *)PyByteArray_AsString(out), &error)) {
        raise(&error);
        Py_CLEAR(out);
    }
    rows_free(&these);
    return out;
}

static PyObject *cpu_name(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    return PyUnicode_FromString(wl_cpu_name());
}

PyMethodDef vector_functions[] = {
    {"similarity", similarity, METH_VARARGS, NULL},
    {"binarize", binarize, METH_O, NULL},
    {"cpu_name", cpu_name, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};
