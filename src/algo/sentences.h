/* A text cut into the pieces that are to be compared: lines joined while they are short, long ones cut at sentences.
 * No model is needed. Texts are well-formed UTF-8. Everything is linear: joining works on ranges and their sizes. */
#ifndef WL_ALGO_SENTENCES_H
#define WL_ALGO_SENTENCES_H

#include "base/memory.h"

typedef struct wl_passage {
    size_t begin, end; /* bytes of the text that the piece is part of: the cut text, or its copy (wl_cut_lines) */
    size_t from, to;   /* bytes of the text that was cut, where the piece comes from */
    size_t size;       /* in characters or tokens */
} wl_passage;

/* Zero-initialized is empty; items is freed with free. */
typedef struct wl_passages {
    wl_passage *items;
    size_t count, capacity;
} wl_passages;

/* How pieces are cut. measure gives the sizes of new pieces of the text at `text`; NULL: characters. */
typedef struct wl_cut {
    size_t target;       /* pieces above it are cut */
    size_t intermediate; /* lines are joined up to it */
    size_t cleanup;      /* smaller pieces join the one before */
    wl_status (*measure)(void *user, const char *text, wl_passage *pieces, size_t count, wl_error *error);
    void *user;
} wl_cut;

/* The pieces of the package wordllama 0.4: line ends become line feeds, the white space between sentences of a long
 * line becomes a space, blank pieces go. Writes them into copy[0..text.size), one behind the other with one byte, a
 * line feed, between them. */
wl_status wl_cut_lines(wl_text text, const wl_cut *cut, char *copy, wl_passages *pieces, wl_error *error);

/* Pieces that cover the text: nothing is dropped or changed. None is above the target, unless it is a single character
 * of more tokens: what holds no end of a sentence is cut at white space, or between grapheme clusters, or in them. */
wl_status wl_cut_spans(wl_text text, const wl_cut *cut, wl_passages *pieces, wl_error *error);

/* Joins neighbours two by two, in at most 100 passes, while both together and a separator are at most `most`. Returns
 * how many pieces are left. */
size_t wl_coalesce(wl_passage *pieces, size_t count, size_t most, size_t separator);

/* Joins each piece smaller than least to the one before, unless that makes one that is at most `most` too large. */
size_t wl_merge_small(wl_passage *pieces, size_t count, size_t least, size_t most, size_t separator);

/* What the oracle's Python (3.11, Unicode 14) says of a character: str.isspace, str.isupper; and whether it ends a
 * sentence for the package wordllama. */
bool wl_is_blank(uint32_t point);
bool wl_is_upper(uint32_t point);
bool wl_ends_sentence(uint32_t point);

/* Length of the line end at data[at] as str.splitlines has them, 0 where there is none. */
size_t wl_line_end(wl_text text, size_t at);

#endif
