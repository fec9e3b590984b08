/* Reading the member "normalizer" of tokenizer.json. */
#include <stdlib.h>
#include <string.h>

#include "text/read/parts.h"

static wl_normalizer *add_normalizer(wl_json *json, wl_tokenizer *tokenizer, wl_normalizer_kind kind)
{
    void *array = tokenizer->normalizers;
    wl_normalizer *step = wl_part_append(json, &array, &tokenizer->normalizer_count, sizeof *step);
    tokenizer->normalizers = array;
    if (step) step->kind = kind;
    return step;
}

static void read_prepend(wl_json *json, wl_tokenizer *tokenizer)
{
    wl_normalizer *step = add_normalizer(json, tokenizer, WL_NORMALIZE_PREPEND);
    wl_text key;
    wl_json_begin_object(json);
    while (step && wl_json_member(json, &key)) {
        if (wl_text_is(key, "prepend") && !step->content)
            step->content = wl_part_string(json, &step->content_size);
        else
            wl_json_skip(json);
    }
    wl_part_require(json, "Prepend", "prepend", step && step->content);
}

/* {"String": "..."} or {"Regex": "..."}. Of regular expressions only \s+ is known. */
static void read_pattern(wl_json *json, wl_normalizer *step)
{
    wl_text key;
    wl_json_begin_object(json);
    while (wl_json_member(json, &key)) {
        bool regex = wl_text_is(key, "Regex");
        if (!regex && !wl_text_is(key, "String")) {
            wl_json_fail(json, WL_ERROR_UNSUPPORTED, "pattern '%.*s' is not known, expected String or Regex",
                         (int)(key.size < 64 ? key.size : 64), key.data);
            return;
        }
        free(step->pattern);
        step->pattern = wl_part_string(json, &step->pattern_size);
        if (!step->pattern) return;
        if (regex && strcmp(step->pattern, "\\s+") == 0)
            step->kind = WL_NORMALIZE_REPLACE_SPACES;
        else if (regex)
            wl_json_fail(json, WL_ERROR_UNSUPPORTED,
                         "normalizer 'Replace' with the regular expression '%s' is not "
                         "supported yet",
                         step->pattern);
        else if (step->pattern_size == 0)
            wl_json_fail(json, WL_ERROR_UNSUPPORTED, "normalizer 'Replace' with an empty pattern is not supported");
    }
}

static void read_replace(wl_json *json, wl_tokenizer *tokenizer)
{
    wl_normalizer *step = add_normalizer(json, tokenizer, WL_NORMALIZE_REPLACE);
    wl_text key;
    wl_json_begin_object(json);
    while (step && wl_json_member(json, &key)) {
        if (wl_text_is(key, "pattern"))
            read_pattern(json, step);
        else if (wl_text_is(key, "content") && !step->content)
            step->content = wl_part_string(json, &step->content_size);
        else
            wl_json_skip(json);
    }
    wl_part_require(json, "Replace", "pattern", step && step->pattern);
    wl_part_require(json, "Replace", "content", step && step->content);
}

static void read_strip(wl_json *json, wl_tokenizer *tokenizer)
{
    wl_normalizer *step = add_normalizer(json, tokenizer, WL_NORMALIZE_STRIP);
    bool left = false, right = false;
    wl_text key;
    wl_json_begin_object(json);
    while (step && wl_json_member(json, &key)) {
        if (wl_text_is(key, "strip_left"))
            step->left = wl_json_boolean(json), left = true;
        else if (wl_text_is(key, "strip_right"))
            step->right = wl_json_boolean(json), right = true;
        else
            wl_json_skip(json);
    }
    wl_part_require(json, "Strip", "strip_left", left);
    wl_part_require(json, "Strip", "strip_right", right);
}

static void read_bert_normalizer(wl_json *json, wl_tokenizer *tokenizer)
{
    wl_normalizer *step = add_normalizer(json, tokenizer, WL_NORMALIZE_BERT);
    bool accents = false; /* given: null follows lowercase */
    bool clean = false, chinese = false, lower = false;
    wl_text key;
    wl_json_begin_object(json);
    while (step && wl_json_member(json, &key)) {
        if (wl_text_is(key, "clean_text"))
            step->clean_text = wl_json_boolean(json), clean = true;
        else if (wl_text_is(key, "handle_chinese_chars"))
            step->chinese_chars = wl_json_boolean(json), chinese = true;
        else if (wl_text_is(key, "lowercase"))
            step->lowercase = wl_json_boolean(json), lower = true;
        else if (wl_text_is(key, "strip_accents") && !wl_json_null(json))
            step->strip_accents = wl_json_boolean(json), accents = true;
        else if (!wl_text_is(key, "strip_accents"))
            wl_json_skip(json);
    }
    if (step && !accents) step->strip_accents = step->lowercase;
    wl_part_require(json, "BertNormalizer", "clean_text", clean);
    wl_part_require(json, "BertNormalizer", "handle_chinese_chars", chinese);
    wl_part_require(json, "BertNormalizer", "lowercase", lower);
}

static const wl_part normalizers[] = {
    {"Prepend", read_prepend, NULL},   {"Replace", read_replace, NULL},
    {"Strip", read_strip, NULL},       {"BertNormalizer", read_bert_normalizer, NULL},
    {"Sequence", NULL, "normalizers"}, {NULL, NULL, NULL},
};

void wl_normalizer_read(wl_json *json, wl_tokenizer *tokenizer)
{
    wl_part_read(json, tokenizer, "normalizer", normalizers);
}
