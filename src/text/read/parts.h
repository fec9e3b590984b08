/* Between the files that read tokenizer.json. */
#ifndef WL_TEXT_PARTS_H
#define WL_TEXT_PARTS_H

#include "format/json.h"
#include "text/tokenizer.h"
#include "text/unicode/utf8.h"

#define WL_PART_NAME     64
#define WL_PADDING_LIMIT (1u << 20) /* tokens: more is a damaged file */

/* The member "type" of the object that comes next, which is not consumed; empty where there is none. */
void wl_part_type(wl_json *json, char type[WL_PART_NAME]);
/* Fails where a member was not present. */
void wl_part_require(wl_json *json, const char *part, const char *member, bool present);
/* Fails where a member of the list stands a second time: the oracle takes the last, which is no way to read a file.
 * *seen: a bit for each. */
void wl_part_once(wl_json *json, wl_text key, const char *const *members, size_t count, uint32_t *seen);
/* A copy of the string that comes next, NUL-terminated; NULL on failure. */
char *wl_part_string(wl_json *json, size_t *size);
/* A new zeroed element at the end of an array of count elements of size bytes; NULL on failure. */
void *wl_part_append(wl_json *json, void **array, size_t *count, size_t size);

/* A kind of part, by its name in the file. */
typedef struct wl_part {
    const char *name; /* NULL ends a list of parts */
    void (*read)(wl_json *json, wl_tokenizer *tokenizer);
    const char *list; /* of a Sequence, which has no reader: the member that holds its parts */
} wl_part;

/* Reads the part that comes next, or the parts of a Sequence in turn; null is no part. what: for the message. */
void wl_part_read(wl_json *json, wl_tokenizer *tokenizer, const char *what, const wl_part *parts);

/* The readers of the members of tokenizer.json, each in the file of its name (..._json.c). */
void wl_normalizer_read(wl_json *json, wl_tokenizer *tokenizer);
void wl_pretokenizer_read(wl_json *json, wl_tokenizer *tokenizer);
void wl_postprocessor_read(wl_json *json, wl_tokenizer *tokenizer);
void wl_decoder_read(wl_json *json, wl_tokenizer *tokenizer);
void wl_model_read(wl_json *json, wl_tokenizer *tokenizer);

/* Reads the member "merges" of BPE, whose vocabulary and prefix are known. (merges_json.c) */
void wl_merges_read(wl_json *json, wl_bpe *bpe);

#endif
