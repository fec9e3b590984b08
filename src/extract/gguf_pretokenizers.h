/* How byte-level BPE cuts text, by the names of the key tokenizer.ggml.pre. */
#ifndef WL_EXTRACT_GGUF_PRETOKENIZERS_H
#define WL_EXTRACT_GGUF_PRETOKENIZERS_H

#include "format/json_write.h"

typedef enum wl_gguf_step_kind {
    WL_GGUF_STEP_NONE,
    WL_GGUF_STEP_SPLIT,       /* by a regular expression, isolated */
    WL_GGUF_STEP_DIGITS,      /* each digit apart */
    WL_GGUF_STEP_NUMBERS,     /* runs of digits apart */
    WL_GGUF_STEP_PUNCTUATION, /* each mark apart */
    WL_GGUF_STEP_MARKS,       /* runs of punctuation apart */
    WL_GGUF_STEP_WORDS,       /* GPT-2's expression, and bytes to characters */
    WL_GGUF_STEP_BYTES,       /* bytes to characters alone */
} wl_gguf_step_kind;

enum { WL_GGUF_STEPS = 7, WL_GGUF_NAMES = 12 };

typedef struct wl_gguf_step {
    wl_gguf_step_kind kind;
    const char *expression; /* of SPLIT */
} wl_gguf_step;

typedef struct wl_gguf_pretokenizer {
    const char *names[WL_GGUF_NAMES]; /* NULL-terminated */
    bool nfc;                         /* the text becomes NFC first */
    bool ignore_merges;               /* a word that is a piece is taken whole */
    bool begin;                       /* a text begins with a special token, unless the file says otherwise */
    bool pairs;                       /* two texts are parted as RoBERTa does it */
    wl_gguf_step steps[WL_GGUF_STEPS];
} wl_gguf_pretokenizer;

/* NULL for a name that is not known. */
const wl_gguf_pretokenizer *wl_gguf_pretokenizer_find(wl_text name);
/* The value of "pre_tokenizer" in a tokenizer.json. */
void wl_gguf_pretokenizer_write(const wl_gguf_pretokenizer *pretokenizer, wl_json_writer *json);

#endif
