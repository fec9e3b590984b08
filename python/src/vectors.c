/* Functions of vectors that a caller holds: anything with the buffer protocol. */
#include "model.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK_SCORES = 1 << 23 };

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

/* Some rows of a at a time, between which Ctrl-C is heard. 0, or -1 with an exception set. */
static int compare(const wl_vectors *a, const wl_vectors *b, wl_measure measure, wl_context *context, char *out)
{
    size_t size = wl_vector_size(a->element, a->dim), width = b->count ? b->count : 1;
    size_t most = BLOCK_SCORES / width ? BLOCK_SCORES / width : 1;
    for (size_t begin = 0; begin < a->count; begin += most) {
        wl_vectors part = *a;
        part.data = (const char *)a->data + begin * size;
        part.count = a->count - begin < most ? a->count - begin : most;
        float *scores = (float *)(void *)(out + begin * b->count * sizeof(float));
        wl_error error;
        wl_status status;
        Py_BEGIN_ALLOW_THREADS;
        status = wl_similarity(&part, b, measure, context, scores, &error);
        Py_END_ALLOW_THREADS;
        if (status) raise(&error);
        if (status || !go_on_held(NULL, "")) return -1;
    }
    return 0;
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
    if (compare(&a.vectors, &b.vectors, hamming ? WL_HAMMING : WL_COSINE, context, PyByteArray_AsString(out)) == 0)
        result = Py_BuildValue("(Onn)", out, (Py_ssize_t)a.vectors.count, (Py_ssize_t)b.vectors.count);
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

static PyObject *included_model(PyObject *module, PyObject *arguments)
{
    (void)module;
    const char *name;
    char path[4096];
    wl_error error;
    if (!PyArg_ParseTuple(arguments, "z:included_model", &name)) return NULL;
    if (wl_included_model(name, path, sizeof path, &error)) return raise(&error);
    return PyUnicode_DecodeFSDefault(path);
}

PyMethodDef vector_functions[] = {
    {"similarity", similarity, METH_VARARGS, NULL},
    {"binarize", binarize, METH_O, NULL},
    {"cpu_name", cpu_name, METH_NOARGS,
     "The instruction set that is used: 'generic', 'avx2', 'avx512', 'avx512vnni' or 'neon'."},
    {"included_model", included_model, METH_VARARGS,
     "Where a model lies that comes with the package; None: the default."},
    {NULL, NULL, 0, NULL},
};
