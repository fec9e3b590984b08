/* Unicode normalization forms (UAX 15) as the oracle's unicode-normalization-alignments has them: Unicode 9. */
#ifndef WL_TEXT_FORMS_H
#define WL_TEXT_FORMS_H

#include "text/normalize/string.h"

/* One pending character of the canonical ordering. */
typedef struct wl_pending {
    uint32_t point;
    uint8_t combining;
    bool extra; /* not the first of its decomposition */
} wl_pending;

/* A character behind a starter that it does not compose with, and its change (transform.h). */
typedef struct wl_held {
    uint32_t point;
    int32_t change;
} wl_held;

/* Reused from text to text; zero-initialized is empty. */
typedef struct wl_form_scratch {
    wl_pending *pending, *sorted;
    size_t pending_count, pending_capacity, sorted_capacity;
    wl_held *held;
    size_t held_count, held_capacity;
} wl_form_scratch;

void wl_form_scratch_free(wl_form_scratch *scratch);

/* Adds a character to those that wait for the next starter. */
wl_status wl_form_add(wl_form_scratch *scratch, uint32_t point, uint8_t combining, bool extra, wl_error *error);
/* Orders the waiting ones by combining class (Unicode, section 3.11, D109; stable). */
wl_status wl_form_order(wl_form_scratch *scratch, wl_error *error);

/* The text in a form, one of WL_FORM_NFC and so on, appended to out. */
wl_status wl_form_apply(uint8_t form, const wl_string *in, wl_string *out, wl_form_scratch *scratch, wl_error *error);
/* The end of the characters from `at` on that are in the form by themselves. */
size_t wl_form_stable_end(uint8_t form, const char *text, size_t size, size_t at);

#endif
