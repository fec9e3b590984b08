/* What the readers of the parts of tokenizer.json share. As the oracle's deserializers have it: members in any order,
 * unknown members ignored, missing ones an error. A part that is not known is refused by its name. */
#include <stdlib.h>
#include <string.h>

#include "text/read/parts.h"

char *wl_part_string(wl_json *json, size_t *size)
{
    wl_text text = wl_json_string(json);
    if (wl_json_failed(json)) return NULL;
    char *copy = wl_copy_text(text.data, text.size, json->error);
    if (!copy) json->failed = true;
    if (size) *size = text.size;
    return copy;
}

void wl_part_type(wl_json *json, char type[WL_PART_NAME])
{
    type[0] = 0;
    wl_json look = *json;
    wl_text key;
    wl_json_begin_object(&look);
    while (wl_json_member(&look, &key)) {
        if (!wl_text_is(key, "type")) {
            wl_json_skip(&look);
            continue;
        }
        wl_text name = wl_json_string(&look);
        size_t size = name.size < WL_PART_NAME - 1 ? name.size : WL_PART_NAME - 1;
        if (size) memcpy(type, name.data, size);
        type[size] = 0;
        break;
    }
    if (wl_json_failed(&look)) json->failed = true;
}

void wl_part_require(wl_json *json, const char *part, const char *member, bool present)
{
    if (!present && !wl_json_failed(json))
        wl_json_fail(json, WL_ERROR_FORMAT, "%s lacks the member '%s'", part, member);
}

void wl_part_once(wl_json *json, wl_text key, const char *const *members, size_t count, uint32_t *seen)
{
    for (size_t i = 0; i < count; i++) {
        if (!wl_text_is(key, members[i])) continue;
        if (*seen >> i & 1 && !wl_json_failed(json))
            wl_json_fail(json, WL_ERROR_FORMAT, "the member '%s' stands twice", members[i]);
        *seen |= 1u << i;
    }
}

void *wl_part_append(wl_json *json, void **array, size_t *count, size_t size)
{
    /* Lists of parts are short: growing by one keeps them exact. */
    void *grown = realloc(*array, (*count + 1) * size);
    if (!grown) {
        wl_fail_memory(json->error, (*count + 1) * size);
        json->failed = true;
        return NULL;
    }
    *array = grown;
    void *item = (char *)grown + (*count)++ * size;
    memset(item, 0, size);
    return item;
}

void wl_part_read(wl_json *json, wl_tokenizer *tokenizer, const char *what, const wl_part *parts)
{
    if (wl_json_null(json) || wl_json_failed(json)) return;
    char type[WL_PART_NAME];
    wl_part_type(json, type);
    if (wl_json_failed(json)) return;
    const wl_part *found = parts;
    while (found->name && strcmp(found->name, type) != 0) found++;
    if (!found->name) {
        wl_json_fail(json, WL_ERROR_UNSUPPORTED, "%s '%s' is not supported yet", what, type);
    } else if (found->read) {
        found->read(json, tokenizer);
    } else {
        bool present = false;
        wl_text key;
        wl_json_begin_object(json);
        while (wl_json_member(json, &key)) {
            if (!wl_text_is(key, found->list)) {
                wl_json_skip(json);
                continue;
            }
            present = true;
            wl_json_begin_array(json);
            while (wl_json_element(json)) wl_part_read(json, tokenizer, what, parts);
        }
        wl_part_require(json, "Sequence", found->list, present);
    }
}
