/* Texts out of Python objects: a str that is ASCII is borrowed where it lies, another one's UTF-8 lives as long as the
 * batch. All of it needs the GIL. */
#ifndef WORD_LLAMA_TEXTS_H
#define WORD_LLAMA_TEXTS_H

#include "arrow.h"

/* Some texts, and the objects that keep them. */
typedef struct texts {
    wl_text *items;
    PyObject **owners; /* of each; NULL: an Arrow array keeps it */
    size_t count, capacity;
} texts;

void texts_clear(texts *these);
void texts_free(texts *these);

/* Appends one str. The limits of what C takes are those of memory; lone surrogates count as ill-formed UTF-8. 0, or -1
 * with TypeError, which names the place, where it is no str. */
int texts_add(texts *these, PyObject *object, Py_ssize_t place);

/* Where texts come from: a list or tuple, which may change meanwhile, any other iterable, or Arrow data. */
typedef struct text_source {
    PyObject *object; /* list, tuple or iterator */
    bool is_list, is_tuple, is_arrow;
    Py_ssize_t at;
    arrow_texts arrow;
} text_source;

/* 0, or -1 with TypeError for what is no iterable of str: a str itself, bytes, None, a number. */
int text_source_open(text_source *source, PyObject *object);
/* How many there are, or -1 where that is not known. */
Py_ssize_t text_source_count(const text_source *source);
/* Replaces these by the next texts, up to most and about most_bytes: count 0 at the end. 0, or -1 with an exception. */
int text_source_fill(text_source *source, texts *these, size_t most, size_t most_bytes);
void text_source_close(text_source *source);

/* All texts of an object, with the source, which must stay open as long as they are used. */
int texts_all(texts *these, text_source *source, PyObject *object);

#endif
