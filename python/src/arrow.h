/* Texts out of Arrow arrays, by the Arrow C data interface: nothing is copied. */
#ifndef WORD_LLAMA_ARROW_H
#define WORD_LLAMA_ARROW_H

#include "errors.h"

#include "data/arrow.h"

/* How an array's strings lie: offsets of 32 or 64 bits, or views. */
typedef enum arrow_layout { ARROW_OFFSETS, ARROW_LARGE_OFFSETS, ARROW_VIEWS } arrow_layout;

/* An array, or a stream of arrays (a chunked array), one at a time. */
typedef struct arrow_texts {
    PyObject *capsules[2];           /* of the array: schema and array; of the stream: itself; they own */
    struct ArrowArrayStream *stream; /* NULL: a single array */
    struct ArrowArray *array;        /* in use, NULL: none */
    struct ArrowArray own;           /* of a stream: what it gave last */
    arrow_layout layout;
    int64_t at;    /* of the array */
    uint64_t done; /* texts of earlier arrays */
} arrow_texts;

/* Whether an object says that it gives Arrow data: __arrow_c_stream__ or __arrow_c_array__. */
bool arrow_offers(PyObject *object);
/* 0, or -1 with an exception set: TypeError for an array of anything but strings. */
int arrow_open(arrow_texts *texts, PyObject *object);
/* Texts of an array alone: how many; of a stream: -1. */
int64_t arrow_count(const arrow_texts *texts);
/* The next text: 1, 0 at the end, -1 with an exception set: TypeError names the place of a null. With may_load the next
 * array of a stream is asked for where one ends, which ends the life of the texts before; without, 0 comes there. */
int arrow_next(arrow_texts *texts, bool may_load, wl_text *text);
void arrow_close(arrow_texts *texts);

#endif
