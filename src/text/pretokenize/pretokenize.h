/* The pre-tokenizers of tokenizer.json: they cut normalized text into pieces that the model sees one by one. */
#ifndef WL_TEXT_PRETOKENIZE_H
#define WL_TEXT_PRETOKENIZE_H

#include "text/normalize/string.h"
#include "text/pattern/pattern.h"

typedef enum wl_pretokenizer_kind {
    WL_PRETOKENIZE_BERT,         /* white space dropped, punctuation apart */
    WL_PRETOKENIZE_METASPACE,    /* spaces become a mark, one is put in front, cut before each mark */
    WL_PRETOKENIZE_SPLIT,        /* by a pattern */
    WL_PRETOKENIZE_WHITESPACE,   /* words and what is neither word nor white space */
    WL_PRETOKENIZE_SPACES,       /* white space dropped (WhitespaceSplit) */
    WL_PRETOKENIZE_PUNCTUATION,  /* by punctuation */
    WL_PRETOKENIZE_DIGITS,       /* by numeric characters */
    WL_PRETOKENIZE_DELIMITER,    /* one character dropped */
    WL_PRETOKENIZE_LENGTH,       /* so many characters each */
    WL_PRETOKENIZE_SCRIPTS,      /* where the script changes */
    WL_PRETOKENIZE_PREFIX_SPACE, /* a space in front of a piece that has none: ByteLevel's add_prefix_space */
    WL_PRETOKENIZE_BYTES,        /* each byte becomes its character of byte_alphabet.h: ByteLevel's last step */
} wl_pretokenizer_kind;

typedef enum wl_prepend_scheme { WL_PREPEND_ALWAYS, WL_PREPEND_FIRST, WL_PREPEND_NEVER } wl_prepend_scheme;

/* What becomes of a delimiter. */
typedef enum wl_split_behavior {
    WL_SPLIT_REMOVED,
    WL_SPLIT_ISOLATED,
    WL_SPLIT_MERGED_WITH_PREVIOUS,
    WL_SPLIT_MERGED_WITH_NEXT,
    WL_SPLIT_CONTIGUOUS, /* isolated, neighbours together */
} wl_split_behavior;

typedef struct wl_pretokenizer {
    wl_pretokenizer_kind kind;
    char mark[4]; /* Metaspace's replacement, UTF-8 */
    size_t mark_size;
    wl_prepend_scheme scheme;
    bool split;
    wl_split_behavior behavior; /* SPLIT, PUNCTUATION, DIGITS */
    bool invert;                /* SPLIT: the pattern is of what is no delimiter */
    wl_pattern pattern;         /* SPLIT; owned */
    uint32_t delimiter;         /* DELIMITER */
    size_t length;              /* LENGTH; not 0 */
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

/* Cuts *string, which may be rewritten, into *pieces (cleared first). The scheme FIRST needs an aligned string, but for
 * the first step where nothing is normalized. */
wl_status wl_pretokenize(const wl_pretokenizer *steps, size_t count, wl_string *string, wl_pieces *pieces,
                         wl_pretokenize_scratch *scratch, wl_error *error);
void wl_pretokenizer_free(wl_pretokenizer *step);

#endif
