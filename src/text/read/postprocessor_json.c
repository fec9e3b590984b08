/* Reading the member "post_processor" of tokenizer.json.
 *
 * What the post-processors do to one text is known without it, so that the template is all that is left of them: the
 * text, with special tokens in front and behind. It starts as the text alone, and each post-processor in turn works on
 * what those before left. A TemplateProcessing leaves parts, one for each piece of its own, which one behind it sees as
 * several texts; the others keep them. */
#include <stdlib.h>
#include <string.h>

#include "text/read/parts.h"

static void add_template(wl_json *json, wl_tokenizer *tokenizer, bool text, uint32_t *ids, size_t count)
{
    void *array = tokenizer->template;
    wl_template_piece *piece = wl_part_append(json, &array, &tokenizer->template_count, sizeof *piece);
    tokenizer->template = array;
    if (piece)
        *piece = (wl_template_piece){text, false, ids, count};
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

static void add_joined(wl_json *json, wl_tokenizer *tokenizer, uint32_t id)
{
    add_special(json, tokenizer, id);
    if (!wl_json_failed(json) && tokenizer->template) tokenizer->template[tokenizer->template_count - 1].joined = true;
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

/* ---- BertProcessing and RobertaProcessing ---- */

static size_t count_parts(const wl_tokenizer *tokenizer)
{
    size_t count = 0;
    for (size_t i = 0; i < tokenizer->template_count; i++) count += !tokenizer->template[i].joined;
    return count;
}

/* Puts cls in front and sep behind each part: what was one part stays one. Roberta has sep in front of later parts
 * too. */
static void wrap(wl_json *json, wl_tokenizer *tokenizer, uint32_t cls, uint32_t sep, bool roberta)
{
    size_t count = tokenizer->template_count;
    wl_template_piece *pieces = tokenizer->template;
    tokenizer->template = NULL;
    tokenizer->template_count = 0;
    add_special(json, tokenizer, cls);
    for (size_t i = 0; i < count; i++) {
        bool first = i == 0, begins = !pieces[i].joined;
        if (!first && begins) add_joined(json, tokenizer, sep);
        if (!first && begins && roberta) add_special(json, tokenizer, sep);
        add_template(json, tokenizer, pieces[i].text, pieces[i].ids, pieces[i].count);
        if (tokenizer->template_count)
            tokenizer->template[tokenizer->template_count - 1].joined = first || !begins || roberta;
    }
    add_joined(json, tokenizer, sep);
    free(pieces);
    tokenizer->special_count += 2;
}

static void add_trim(wl_json *json, wl_tokenizer *tokenizer, bool prefix)
{
    void *array = tokenizer->trims;
    wl_trim *trim = wl_part_append(json, &array, &tokenizer->trim_count, sizeof *trim);
    tokenizer->trims = array;
    if (!trim) return;
    trim->prefix = prefix;
    for (size_t i = 0; i < tokenizer->template_count; i++)
        if (tokenizer->template[i].text) trim->in_front = !tokenizer->template[i].joined;
}

/* The oracle tells the two by their members alone: Roberta's has two more, which make it trim. */
static void read_wrapping(wl_json *json, wl_tokenizer *tokenizer)
{
    uint32_t cls = 0, sep = 0;
    bool has_cls = false, has_sep = false, has_trim = false, has_prefix = false, trims = false, prefix = false;
    wl_text key;
    wl_json_begin_object(json);
    while (wl_json_member(json, &key)) {
        if (wl_text_is(key, "cls"))
            cls = read_pair(json), has_cls = true;
        else if (wl_text_is(key, "sep"))
            sep = read_pair(json), has_sep = true;
        else if (wl_text_is(key, "trim_offsets"))
            trims = wl_json_boolean(json), has_trim = true;
        else if (wl_text_is(key, "add_prefix_space"))
            prefix = wl_json_boolean(json), has_prefix = true;
        else
            wl_json_skip(json);
    }
    wl_part_require(json, "the post-processor", "cls", has_cls);
    wl_part_require(json, "the post-processor", "sep", has_sep);
    if (wl_json_failed(json)) return;
    bool roberta = has_trim && has_prefix;
    if (trims && roberta) add_trim(json, tokenizer, prefix);
    wrap(json, tokenizer, cls, sep, roberta);
}

/* ---- ByteLevel ---- */

static void read_byte_level(wl_json *json, wl_tokenizer *tokenizer)
{
    bool has_trim = false, has_prefix = false, trims = false, prefix = false;
    wl_text key;
    wl_json_begin_object(json);
    while (wl_json_member(json, &key)) {
        if (wl_text_is(key, "trim_offsets"))
            trims = wl_json_boolean(json), has_trim = true;
        else if (wl_text_is(key, "add_prefix_space"))
            prefix = wl_json_boolean(json), has_prefix = true;
        else
            wl_json_skip(json);
    }
    wl_part_require(json, "ByteLevel", "trim_offsets", has_trim);
    wl_part_require(json, "ByteLevel", "add_prefix_space", has_prefix);
    if (!wl_json_failed(json) && trims) add_trim(json, tokenizer, prefix);
}

/* ---- TemplateProcessing ---- */

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

/* Appends what the text was before this post-processor. */
static void copy_template(wl_json *json, const wl_template_piece *pieces, size_t count, wl_tokenizer *tokenizer)
{
    for (size_t i = 0; i < count && !wl_json_failed(json); i++) {
        uint32_t *ids = NULL;
        if (pieces[i].ids) ids = wl_allocate(pieces[i].count, sizeof *ids, json->error);
        if (pieces[i].ids && !ids) {
            json->failed = true;
            return;
        }
        if (ids) memcpy(ids, pieces[i].ids, pieces[i].count * sizeof *ids);
        add_template(json, tokenizer, pieces[i].text, ids, pieces[i].count);
        if (!wl_json_failed(json) && tokenizer->template)
            tokenizer->template[tokenizer->template_count - 1].joined = pieces[i].joined;
    }
}

/* {"SpecialToken": {"id": "[CLS]", "type_id": 0}} or {"Sequence": {"id": "A", "type_id": 0}} */
static void read_template_piece(wl_json *json, const wl_json *specials, const wl_template_piece *inner,
                                size_t inner_count, wl_tokenizer *tokenizer)
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
                copy_template(json, inner, inner_count, tokenizer);
            else
                wl_json_fail(json, WL_ERROR_FORMAT, "the template for one text has the sequence '%s', expected A",
                             name);
        } else if (!wl_json_failed(json)) {
            size_t count = 0;
            uint32_t *ids = specials->text ? find_special(*specials, (wl_text){name, size}, &count, json) : NULL;
            if (ids)
                add_template(json, tokenizer, false, ids, count), tokenizer->special_count += count;
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
    if (!wl_json_failed(json) && count_parts(tokenizer) != 1)
        wl_json_fail(json, WL_ERROR_UNSUPPORTED, "a TemplateProcessing behind another that gives several parts");
    if (wl_json_failed(json)) return;
    wl_template_piece *inner = tokenizer->template;
    size_t inner_count = tokenizer->template_count;
    tokenizer->template = NULL;
    tokenizer->template_count = 0;
    wl_json_begin_array(&single);
    while (wl_json_element(&single)) read_template_piece(&single, &specials, inner, inner_count, tokenizer);
    if (wl_json_failed(&single)) json->failed = true;
    for (size_t i = 0; i < inner_count; i++) free(inner[i].ids);
    free(inner);
}

static const wl_part postprocessors[] = {
    {"TemplateProcessing", read_template, NULL},
    {"BertProcessing", read_wrapping, NULL},
    {"RobertaProcessing", read_wrapping, NULL},
    {"ByteLevel", read_byte_level, NULL},
    {"Sequence", NULL, "processors"},
    {NULL, NULL, NULL},
};

void wl_postprocessor_read(wl_json *json, wl_tokenizer *tokenizer)
{
    add_template(json, tokenizer, true, NULL, 0);
    wl_part_read(json, tokenizer, "post-processor", postprocessors);
}
