/* Reading the member "post_processor" of tokenizer.json. */
#include <stdlib.h>
#include <string.h>

#include "text/read/parts.h"

static void add_template(wl_json *json, wl_tokenizer *tokenizer, bool text, uint32_t *ids, size_t count)
{
    void *array = tokenizer->template;
    wl_template_piece *piece = wl_part_append(json, &array, &tokenizer->template_count, sizeof *piece);
    tokenizer->template = array;
    if (piece)
        *piece = (wl_template_piece){text, ids, count};
    else
        free(ids);
}

static void add_special(wl_json *json, wl_tokenizer *tokenizer, uint32_t id)
{
    uint32_t *ids = wl_allocate(1, sizeof *ids, json->error);
    if (!ids) {
        json->failed = true;
        return;
    }
    *ids = id;
    add_template(json, tokenizer, false, ids, 1);
}

/* ["[SEP]", 102] */
static uint32_t read_pair(wl_json *json)
{
    uint32_t id = 0;
    size_t count = 0;
    wl_json_begin_array(json);
    for (; wl_json_element(json); count++) {
        if (count == 1)
            id = (uint32_t)wl_json_unsigned(json, UINT32_MAX);
        else
            wl_json_skip(json);
    }
    if (!wl_json_failed(json) && count != 2) wl_json_fail(json, WL_ERROR_FORMAT, "expected a token and its id");
    return id;
}

static void read_bert_processing(wl_json *json, wl_tokenizer *tokenizer)
{
    uint32_t first = 0, last = 0;
    bool has_first = false, has_last = false;
    wl_text key;
    wl_json_begin_object(json);
    while (wl_json_member(json, &key)) {
        if (wl_text_is(key, "cls"))
            first = read_pair(json), has_first = true;
        else if (wl_text_is(key, "sep"))
            last = read_pair(json), has_last = true;
        else
            wl_json_skip(json);
    }
    wl_part_require(json, "BertProcessing", "cls", has_first);
    wl_part_require(json, "BertProcessing", "sep", has_last);
    if (wl_json_failed(json)) return;
    add_special(json, tokenizer, first);
    add_template(json, tokenizer, true, NULL, 0);
    add_special(json, tokenizer, last);
}

/* The ids of one special token: {"id": "[CLS]", "ids": [101], "tokens": ["[CLS]"]}, found by its name in the map that
 * the cursor stands at. */
static uint32_t *find_special(wl_json map, wl_text name, size_t *count, wl_json *json)
{
    uint32_t *ids = NULL;
    wl_text key;
    *count = 0;
    wl_json_begin_object(&map);
    while (wl_json_member(&map, &key)) {
        if (key.size != name.size || memcmp(key.data, name.data, name.size) != 0) {
            wl_json_skip(&map);
            continue;
        }
        wl_json_begin_object(&map);
        while (wl_json_member(&map, &key)) {
            if (!wl_text_is(key, "ids") || ids) {
                wl_json_skip(&map);
                continue;
            }
            wl_json_begin_array(&map);
            while (wl_json_element(&map)) {
                void *array = ids;
                uint32_t *id = wl_part_append(&map, &array, count, sizeof *id);
                ids = array;
                if (id) *id = (uint32_t)wl_json_unsigned(&map, UINT32_MAX);
            }
        }
    }
    if (wl_json_failed(&map)) json->failed = true;
    return ids;
}

/* {"SpecialToken": {"id": "[CLS]", "type_id": 0}} or {"Sequence": {"id": "A", "type_id": 0}} */
static void read_template_piece(wl_json *json, const wl_json *specials, wl_tokenizer *tokenizer)
{
    wl_text key;
    wl_json_begin_object(json);
    while (wl_json_member(json, &key)) {
        bool text = wl_text_is(key, "Sequence");
        if (!text && !wl_text_is(key, "SpecialToken")) {
            wl_json_fail(json, WL_ERROR_UNSUPPORTED, "template piece '%.*s' is not known",
                         (int)(key.size < 64 ? key.size : 64), key.data);
            return;
        }
        char *name = NULL;
        size_t size = 0;
        wl_json_begin_object(json);
        while (wl_json_member(json, &key)) {
            if (wl_text_is(key, "id") && !name)
                name = wl_part_string(json, &size);
            else
                wl_json_skip(json);
        }
        wl_part_require(json, "a template piece", "id", name);
        if (!name) return;
        if (!wl_json_failed(json) && text) {
            if (strcmp(name, "A") == 0)
                add_template(json, tokenizer, true, NULL, 0);
            else
                wl_json_fail(json, WL_ERROR_FORMAT, "the template for one text has the sequence '%s', expected A",
                             name);
        } else if (!wl_json_failed(json)) {
            size_t count = 0;
            uint32_t *ids = specials->text ? find_special(*specials, (wl_text){name, size}, &count, json) : NULL;
            if (ids)
                add_template(json, tokenizer, false, ids, count);
            else if (!wl_json_failed(json))
                wl_json_fail(json, WL_ERROR_FORMAT, "the template's special token '%s' has no ids", name);
        }
        free(name);
    }
}

static void read_template(wl_json *json, wl_tokenizer *tokenizer)
{
    wl_json single = {0}, specials = {0}; /* the order of the members is not fixed, so they are read afterwards */
    wl_text key;
    wl_json_begin_object(json);
    while (wl_json_member(json, &key)) {
        if (wl_text_is(key, "single")) single = *json;
        if (wl_text_is(key, "special_tokens")) specials = *json;
        wl_json_skip(json);
    }
    wl_part_require(json, "TemplateProcessing", "single", single.text);
    wl_part_require(json, "TemplateProcessing", "special_tokens", specials.text);
    if (wl_json_failed(json)) return;
    wl_json_begin_array(&single);
    while (wl_json_element(&single)) read_template_piece(&single, &specials, tokenizer);
    if (wl_json_failed(&single)) json->failed = true;
}

static const wl_part postprocessors[] = {
    {"TemplateProcessing", read_template, NULL},
    {"BertProcessing", read_bert_processing, NULL},
    {NULL, NULL, NULL},
};

void wl_postprocessor_read(wl_json *json, wl_tokenizer *tokenizer)
{
    wl_part_read(json, tokenizer, "post-processor", postprocessors);
}
