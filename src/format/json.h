/* A bounded JSON cursor (RFC 8259): pull parsing in one pass over text that stays where it is. Nothing is built.
 *
 * Errors are sticky: after the first one every call returns a neutral value (false, 0, an empty text) and consumes
 * nothing, so a reader is written without checks and asks wl_json_failed once. Each error holds name, byte and line.
 * Nesting of WL_JSON_DEPTH levels or more is an error (WL_ERROR_LIMIT), so hostile nesting costs nothing.
 *
 *     wl_text key;
 *     wl_json_begin_object(&json);
 *     while (wl_json_member(&json, &key)) {
 *         if (wl_text_is(key, "dim")) dim = wl_json_unsigned(&json, 1 << 20);
 *         else wl_json_skip(&json);
 *     }
 *
 * A member's or element's value must be consumed (read or skipped) before the next call of wl_json_member or
 * wl_json_element. The struct may be copied to read a value twice (both copies share the scratch buffer). */
#ifndef WL_FORMAT_JSON_H
#define WL_FORMAT_JSON_H

#include "base/memory.h"

#define WL_JSON_DEPTH 128 /* as serde_json, the oracle's parser, has it */

typedef enum wl_json_kind {
    WL_JSON_NONE, /* after an error */
    WL_JSON_NULL,
    WL_JSON_BOOLEAN,
    WL_JSON_NUMBER,
    WL_JSON_STRING,
    WL_JSON_ARRAY,
    WL_JSON_OBJECT,
} wl_json_kind;

typedef struct wl_json {
    const char *text;
    size_t size, at;
    const char *name;   /* of the file, for errors; borrowed */
    wl_buffer *scratch; /* for strings with escapes; borrowed, owned by whoever made the cursor */
    wl_error *error;    /* borrowed */
    uint32_t depth;
    bool failed;
    bool first; /* no member or element of the innermost container was read yet */
} wl_json;

/* A UTF-8 byte order mark in front is an error, as it is for the oracle. */
void wl_json_open(wl_json *json, const char *text, size_t size, const char *name, wl_buffer *scratch, wl_error *error);
/* Requires that only white space is left, then returns the final status. */
wl_status wl_json_close(wl_json *json);

bool wl_json_failed(const wl_json *json);
/* Fails at the cursor's position (byte and line). Returns code. */
wl_status wl_json_fail(wl_json *json, wl_status code, const char *format, ...) WL_PRINTF(3, 4);

/* The kind of the next value; consumes nothing but white space. */
wl_json_kind wl_json_peek(wl_json *json);

void wl_json_begin_object(wl_json *json);
void wl_json_begin_array(wl_json *json);
/* Moves to the next member and reads its key; false at the end of the object, which it then has left, or on error.
 * The key is valid until the next string is read. */
bool wl_json_member(wl_json *json, wl_text *key);
/* Moves to the next element; false at the end of the array, which it then has left, or on error. */
bool wl_json_element(wl_json *json);

/* The decoded string: a slice of the source where it has no escapes, else in scratch, valid until the next string is
 * read. Checked: escapes, paired surrogates, control characters, well-formed UTF-8. */
wl_text wl_json_string(wl_json *json);
/* The number as it stands in the file. */
wl_text wl_json_number(wl_json *json);
/* A number without sign, fraction or exponent, at most max. */
uint64_t wl_json_unsigned(wl_json *json, uint64_t max);
bool wl_json_boolean(wl_json *json);
/* Consumes a null if that is what comes next; says whether it was. */
bool wl_json_null(wl_json *json);
/* Consumes any value, checking its syntax. Decodes nothing: a key or string read before stays valid. */
void wl_json_skip(wl_json *json);

bool wl_text_is(wl_text text, const char *literal);

#endif
