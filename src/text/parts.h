/* Between the two files that read tokenizer.json. */
#ifndef WL_TEXT_PARTS_H
#define WL_TEXT_PARTS_H

#include "format/json.h"
#include "text/tokenizer.h"
#include "text/utf8.h"

#define WL_PART_NAME     64
#define WL_PADDING_LIMIT (1u << 20) /* tokens: more is a damaged file */

/* The member "type" of the object that comes next, which is not consumed; empty where there is none. */
void wl_part_type(wl_json *json, char type[WL_PART_NAME]);
/* Fails where a member was not present. */
void wl_part_require(wl_json *json, const char *part, const char *member, bool present);
/* Fails where a member of the list stands a second time: the oracle takes the last, which is no way to read a file.
 * *seen: a bit for each. */
void wl_part_once(wl_json *json, wl_text key, const char *const *members, size_t count, uint32_t *seen);
/* Reads the member "model": vocabulary and model of the tokenizer. (model_json.c) */
void wl_model_read(wl_json *json, wl_tokenizer *tokenizer);

#endif
