#include "arrow.h"

#include <string.h>

bool arrow_offers(PyObject *object)
{
    return PyObject_HasAttrString(object, "__arrow_c_stream__") || PyObject_HasAttrString(object, "__arrow_c_array__");
}

static int set_layout(arrow_texts *texts, const struct ArrowSchema *schema)
{
    static const char *const formats[] = {"u", "U", "vu"}; /* by arrow_layout */
    for (size_t i = 0; i < sizeof formats / sizeof *formats && !schema->dictionary; i++)
        if (strcmp(schema->format, formats[i]) == 0) {
            texts->layout = (arrow_layout)i;
            return 0;
        }
    PyErr_Format(PyExc_TypeError, "texts are an Arrow array of format '%s'%s, expected strings (cast it to string)",
                 schema->format, schema->dictionary ? " with a dictionary" : "");
    return -1;
}

/* Another reader took what the capsules held. */
static int fail_consumed(void)
{
    PyErr_SetString(PyExc_ValueError, "the Arrow data were consumed already");
    return -1;
}

static int open_stream(arrow_texts *texts, PyObject *object)
{
    texts->capsules[0] = PyObject_CallMethod(object, "__arrow_c_stream__", NULL);
    texts->stream = texts->capsules[0] ? PyCapsule_GetPointer(texts->capsules[0], "arrow_array_stream") : NULL;
    if (!texts->stream) return -1;
    if (!texts->stream->release) return fail_consumed();
    struct ArrowSchema schema = {0};
    if (texts->stream->get_schema(texts->stream, &schema) != 0) {
        PyErr_SetString(PyExc_ValueError, "an Arrow stream has no schema");
        return -1;
    }
    int status = set_layout(texts, &schema);
    if (schema.release) schema.release(&schema);
    return status;
}

static int open_array(arrow_texts *texts, PyObject *object)
{
    PyObject *pair = PyObject_CallMethod(object, "__arrow_c_array__", NULL);
    if (!pair) return -1;
    texts->capsules[0] = PySequence_GetItem(pair, 0);
    texts->capsules[1] = texts->capsules[0] ? PySequence_GetItem(pair, 1) : NULL;
    Py_DECREF(pair);
    const struct ArrowSchema *schema =
        texts->capsules[0] ? PyCapsule_GetPointer(texts->capsules[0], "arrow_schema") : NULL;
    texts->array = texts->capsules[1] && schema ? PyCapsule_GetPointer(texts->capsules[1], "arrow_array") : NULL;
    if (!texts->array) return -1;
    return schema->release && texts->array->release ? set_layout(texts, schema) : fail_consumed();
}

int arrow_open(arrow_texts *texts, PyObject *object)
{
    *texts = (arrow_texts){0};
    /* An array offers both where it can also be a stream of one; alone its length is known. */
    int status =
        PyObject_HasAttrString(object, "__arrow_c_array__") ? open_array(texts, object) : open_stream(texts, object);
    if (status) arrow_close(texts);
    return status;
}

int64_t arrow_count(const arrow_texts *texts)
{
    return texts->stream ? -1 : texts->array->length;
}

static bool is_null(const struct ArrowArray *array, int64_t place)
{
    const uint8_t *valid = array->buffers[0];
    return array->null_count != 0 && valid && !(valid[place / 8] >> place % 8 & 1);
}

/* A view holds up to 12 bytes itself; else the number of a buffer and where in it the bytes are. */
static wl_text view_at(const struct ArrowArray *array, int64_t place)
{
    const char *view = (const char *)array->buffers[1] + 16 * place;
    int32_t fields[4];
    memcpy(fields, view, sizeof fields);
    if (fields[0] <= 12) return (wl_text){view + 4, (size_t)fields[0]};
    return (wl_text){(const char *)array->buffers[2 + fields[2]] + fields[3], (size_t)fields[0]};
}

static wl_text text_at(const arrow_texts *texts, int64_t place)
{
    const struct ArrowArray *array = texts->array;
    int64_t begin, end;
    if (texts->layout == ARROW_VIEWS) return view_at(array, place);
    if (texts->layout == ARROW_OFFSETS) {
        const int32_t *offsets = array->buffers[1];
        begin = offsets[place];
        end = offsets[place + 1];
    } else {
        const int64_t *offsets = array->buffers[1];
        begin = offsets[place];
        end = offsets[place + 1];
    }
    return (wl_text){end > begin ? (const char *)array->buffers[2] + begin : NULL, (size_t)(end - begin)};
}

static void release_own(arrow_texts *texts)
{
    if (texts->own.release) texts->own.release(&texts->own);
    texts->own = (struct ArrowArray){0};
}

/* The next array of the stream: 1, 0 at the end, -1. */
static int load(arrow_texts *texts)
{
    if (texts->array) texts->done += (uint64_t)texts->array->length;
    release_own(texts);
    texts->array = NULL;
    texts->at = 0;
    if (texts->stream->get_next(texts->stream, &texts->own) != 0) {
        const char *reason = texts->stream->get_last_error(texts->stream);
        PyErr_Format(PyExc_ValueError, "an Arrow stream failed: %s", reason ? reason : "for an unknown reason");
        return -1;
    }
    if (!texts->own.release) return 0;
    texts->array = &texts->own;
    return 1;
}

int arrow_next(arrow_texts *texts, bool may_load, wl_text *text)
{
    while (!texts->array || texts->at == texts->array->length) {
        if (!texts->stream || !may_load) return 0;
        int status = load(texts);
        if (status <= 0) return status;
    }
    int64_t place = texts->array->offset + texts->at;
    if (is_null(texts->array, place)) {
        PyErr_Format(PyExc_TypeError, "texts[%llu] is null, expected str",
                     (unsigned long long)texts->done + (unsigned long long)texts->at);
        return -1;
    }
    *text = text_at(texts, place);
    texts->at++;
    return 1;
}

void arrow_close(arrow_texts *texts)
{
    release_own(texts);
    Py_CLEAR(texts->capsules[0]); /* their destructors release what they own */
    Py_CLEAR(texts->capsules[1]);
    texts->array = NULL;
    texts->stream = NULL;
}
