/* The normalizer Precompiled: sentencepiece's table of replacements. */
#ifndef WL_TEXT_CHARSMAP_H
#define WL_TEXT_CHARSMAP_H

#include "text/normalize/string.h"

typedef struct wl_charsmap {
    uint32_t *units; /* of the double array; owned */
    size_t count;
    char *texts; /* what is put in place, each with a NUL behind it; owned */
    size_t size;
    bool lent;            /* units and texts belong to somebody else */
    bool plain[256];      /* an ASCII byte that stays as it is, whatever ASCII byte follows */
    bool begins[16 * 64]; /* some key may begin with these two bytes of a character of three: E0 80, E0 81, ... */
} wl_charsmap;

/* From the base64 text of tokenizer.json. Free with wl_charsmap_free, also after a failure. */
wl_status wl_charsmap_open(wl_charsmap *map, wl_text base64, wl_error *error);
/* Takes the units and texts that map holds already, from a file: texts with a NUL behind its size bytes. */
wl_status wl_charsmap_lend(wl_charsmap *map, wl_error *error);
void wl_charsmap_free(wl_charsmap *map);

/* The text with all replacements made, appended to out, which may grow to limit bytes. */
wl_status wl_charsmap_apply(const wl_charsmap *map, const wl_string *in, wl_string *out, size_t limit, wl_error *error);
/* The end of the ASCII and Chinese text from `at` on that is plain to see to stay as it is, whatever follows. */
size_t wl_charsmap_plain_end(const wl_charsmap *map, const char *text, size_t size, size_t at);

#endif
