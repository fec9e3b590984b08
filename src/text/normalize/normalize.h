/* The normalizers of tokenizer.json, one after the other, with the oracle's alignment of each new byte. */
#ifndef WL_TEXT_NORMALIZE_H
#define WL_TEXT_NORMALIZE_H

#include "text/normalize/charsmap.h"
#include "text/normalize/forms.h"
#include "text/normalize/string.h"
#include "text/pattern/pattern.h"

typedef enum wl_normalizer_kind {
    WL_NORMALIZE_PREPEND, /* text in front of what is not empty */
    WL_NORMALIZE_REPLACE, /* each match of pattern by content */
    WL_NORMALIZE_STRIP,
    WL_NORMALIZE_BERT,
    WL_NORMALIZE_NFC,
    WL_NORMALIZE_NFD,
    WL_NORMALIZE_NFKC,
    WL_NORMALIZE_NFKD,
    WL_NORMALIZE_LOWERCASE,
    WL_NORMALIZE_STRIP_ACCENTS,
    WL_NORMALIZE_NMT,
    WL_NORMALIZE_PRECOMPILED, /* by charsmap */
    WL_NORMALIZE_BYTE_LEVEL,  /* each byte by its character of the byte alphabet */
} wl_normalizer_kind;

typedef struct wl_normalizer {
    wl_normalizer_kind kind;
    wl_pattern pattern;
    char *content; /* owned; also what Prepend prepends */
    size_t content_size;
    wl_charsmap charsmap;
    bool left, right;                                         /* Strip */
    bool clean_text, chinese_chars, strip_accents, lowercase; /* BERT */
} wl_normalizer;

/* Reused from text to text; zero-initialized is empty. */
typedef struct wl_normalize_scratch {
    wl_string spare;
    wl_form_scratch form;
    wl_span *sources; /* BERT: of the pending characters */
    size_t source_begin, source_count, source_capacity;
    size_t limit; /* bytes that a text may grow to */
} wl_normalize_scratch;

void wl_normalize_scratch_free(wl_normalize_scratch *scratch);

/* Runs the steps over *string in place. A text that grows to over WL_GROWTH_LIMIT times its size and WL_GROWTH_FREE
 * bytes is WL_ERROR_LIMIT: no normalizer of a real tokenizer comes near (one character becomes 18 at most), but a file
 * may hold any number of replacements by any text. */
enum { WL_GROWTH_LIMIT = 64, WL_GROWTH_FREE = 1 << 16 };
wl_status wl_normalize(const wl_normalizer *steps, size_t count, wl_string *string, wl_normalize_scratch *scratch,
                       wl_error *error);
/* Whether it is plain to see, at the speed of reading, that the steps leave this well-formed text as it is; false
 * says nothing. */
bool wl_normalize_is_identity(const wl_normalizer *steps, size_t count, const char *text, size_t size);

/* Single steps: from in, appended to out. */
wl_status wl_normalize_bert(const wl_normalizer *step, const wl_string *in, wl_string *out,
                            wl_normalize_scratch *scratch, wl_error *error);
wl_status wl_normalize_lowercase(const wl_string *in, wl_string *out, wl_error *error);
wl_status wl_normalize_strip_accents(const wl_string *in, wl_string *out, wl_error *error);
wl_status wl_normalize_nmt(const wl_string *in, wl_string *out, wl_error *error);
wl_status wl_normalize_byte_level(const wl_string *in, wl_string *out, wl_error *error);
void wl_normalizer_free(wl_normalizer *step);

#endif
