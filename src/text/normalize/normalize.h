/* The normalizers of tokenizer.json, one after the other, with the oracle's alignment of each new byte. */
#ifndef WL_TEXT_NORMALIZE_H
#define WL_TEXT_NORMALIZE_H

#include "text/normalize/string.h"

typedef enum wl_normalizer_kind {
    WL_NORMALIZE_PREPEND,        /* text in front of what is not empty */
    WL_NORMALIZE_REPLACE,        /* each occurrence of pattern by content */
    WL_NORMALIZE_REPLACE_SPACES, /* the same for the pattern \s+ */
    WL_NORMALIZE_STRIP,
    WL_NORMALIZE_BERT,
} wl_normalizer_kind;

typedef struct wl_normalizer {
    wl_normalizer_kind kind;
    char *pattern, *content; /* owned; content is also what Prepend prepends */
    size_t pattern_size, content_size;
    bool left, right;                                         /* Strip */
    bool clean_text, chinese_chars, strip_accents, lowercase; /* BERT */
} wl_normalizer;

/* One pending character of the canonical ordering. */
typedef struct wl_pending {
    uint32_t point;
    uint8_t combining;
    bool extra; /* not the first of its decomposition */
} wl_pending;

/* Reused from text to text; zero-initialized is empty. */
typedef struct wl_normalize_scratch {
    wl_string spare;
    wl_pending *pending, *sorted;
    size_t pending_count, pending_capacity, sorted_capacity;
    wl_span *sources; /* of the pending characters */
    size_t source_begin, source_count, source_capacity;
} wl_normalize_scratch;

void wl_normalize_scratch_free(wl_normalize_scratch *scratch);

/* Runs the steps over *string in place. */
wl_status wl_normalize(const wl_normalizer *steps, size_t count, wl_string *string, wl_normalize_scratch *scratch,
                       wl_error *error);
/* BertNormalizer: from in, appended to out. (bert.c) */
wl_status wl_normalize_bert(const wl_normalizer *step, const wl_string *in, wl_string *out,
                            wl_normalize_scratch *scratch, wl_error *error);
void wl_normalizer_free(wl_normalizer *step);

#endif
