/* The pre-tokenizers of tokenizer.json: they cut normalized text into pieces that the model sees one by one. */
#ifndef WL_TEXT_PRETOKENIZE_H
#define WL_TEXT_PRETOKENIZE_H

#include "text/normalize/string.h"

typedef enum wl_pretokenizer_kind {
    WL_PRETOKENIZE_BERT,      /* white space dropped, punctuation apart */
    WL_PRETOKENIZE_METASPACE, /* spaces become a mark, one is put in front, cut before each mark */
} wl_pretokenizer_kind;

typedef enum wl_prepend_scheme { WL_PREPEND_ALWAYS, WL_PREPEND_FIRST, WL_PREPEND_NEVER } wl_prepend_scheme;

typedef struct wl_pretokenizer {
    wl_pretokenizer_kind kind;
    char mark[4]; /* Metaspace's replacement, UTF-8 */
    size_t mark_size;
    wl_prepend_scheme scheme;
    bool split;
} wl_pretokenizer;

/* Pieces of a string: byte ranges, ascending, never empty. */
typedef struct wl_pieces {
    struct {
        size_t begin, end;
    } * ranges;
    size_t count, capacity;
} wl_pieces;

typedef struct wl_pretokenize_scratch {
    wl_pieces spare;
    wl_string string;
} wl_pretokenize_scratch;

wl_status wl_pieces_add(wl_pieces *pieces, size_t begin, size_t end, wl_error *error);
void wl_pretokenize_scratch_free(wl_pretokenize_scratch *scratch);

/* Cuts *string, which may be rewritten, into *pieces (cleared first). The scheme FIRST needs an aligned string. */
wl_status wl_pretokenize(const wl_pretokenizer *steps, size_t count, wl_string *string, wl_pieces *pieces,
                         wl_pretokenize_scratch *scratch, wl_error *error);

#endif
