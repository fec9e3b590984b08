/* The decoders of tokenizer.json: pieces to pieces, one after the other; joined, the last ones are the text. */
#ifndef WL_TEXT_DECODE_H
#define WL_TEXT_DECODE_H

#include "text/pattern/pattern.h"

typedef enum wl_decoder_kind {
    WL_DECODE_BYTE_LEVEL, /* the byte alphabet back to bytes, all pieces as one */
    WL_DECODE_WORDPIECE,  /* a space before each word, none before what has the prefix */
    WL_DECODE_METASPACE,  /* marks to spaces; in the first piece to nothing */
    WL_DECODE_BPE,        /* the suffix of a word's end to a space */
    WL_DECODE_CTC,        /* repeated pieces once, padding to nothing, delimiters to spaces */
    WL_DECODE_FUSE,
    WL_DECODE_STRIP,
    WL_DECODE_BYTE_FALLBACK, /* <0x61> to bytes */
    WL_DECODE_REPLACE,
} wl_decoder_kind;

typedef struct wl_decoder {
    wl_decoder_kind kind;
    char *pattern, *content; /* owned; what is looked for (prefix, mark, suffix, padding, ...), what replaces it */
    size_t pattern_size, content_size;
    wl_pattern search;  /* Replace */
    bool cleanup;       /* WordPiece, CTC */
    bool keep_first;    /* Metaspace: the first piece's marks are spaces too */
    size_t start, stop; /* Strip: at most so many characters at either end */
} wl_decoder;

/* Pieces one behind the other, each with its end. */
typedef struct wl_decoded {
    wl_buffer bytes;
    size_t *ends;
    size_t count, capacity;
} wl_decoded;

/* Reused from call to call; zero-initialized is empty. */
typedef struct wl_decode_scratch {
    wl_decoded pieces, spare;
    wl_buffer temporary[2];
} wl_decode_scratch;

void wl_decoder_free(wl_decoder *decoder);
void wl_decode_scratch_free(wl_decode_scratch *scratch);

/* Empties the pieces. */
void wl_decoded_clear(wl_decoded *pieces);
/* Ends a piece at the end of the bytes. */
wl_status wl_decoded_end(wl_decoded *pieces, wl_error *error);

/* Runs the decoders over scratch->pieces in place. Linear in their bytes. */
wl_status wl_decoders_run(const wl_decoder *decoders, size_t count, wl_decode_scratch *scratch, wl_error *error);

#endif
