/* Reading tokenizer.json: truncation, padding, added tokens, and in which order the parts are read. */
#include <stdlib.h>
#include <string.h>

#include "text/read/parts.h"

/* ---- truncation and padding ---- */

static void read_truncation(wl_json *json, wl_truncation *truncation)
{
    bool length = false;
    wl_text key;
    if (wl_json_null(json)) return;
    wl_json_begin_object(json);
    while (wl_json_member(json, &key)) {
        if (wl_text_is(key, "max_length")) {
            truncation->max_length = (size_t)wl_json_unsigned(json, SIZE_MAX / 2);
            length = true;
        } else if (wl_text_is(key, "direction"))
            truncation->left = wl_text_is(wl_json_string(json), "Left");
        else if (wl_text_is(key, "strategy")) {
            wl_text strategy = wl_json_string(json);
            truncation->only_first = wl_text_is(strategy, "OnlyFirst");
            truncation->only_second = wl_text_is(strategy, "OnlySecond");
        } else
            wl_json_skip(json); /* stride only shapes what overflows */
    }
    wl_part_require(json, "truncation", "max_length", length);
    truncation->declared = true;
}

static void read_padding(wl_json *json, wl_padding *padding)
{
    wl_text key;
    if (wl_json_null(json)) return;
    wl_json_begin_object(json);
    while (wl_json_member(json, &key)) {
        if (wl_text_is(key, "strategy") && wl_json_peek(json) == WL_JSON_OBJECT) {
            wl_json_begin_object(json);
            padding->fixed = true;
            while (wl_json_member(json, &key)) padding->length = (size_t)wl_json_unsigned(json, WL_PADDING_LIMIT);
        } else if (wl_text_is(key, "direction"))
            padding->left = wl_text_is(wl_json_string(json), "Left");
        else if (wl_text_is(key, "pad_to_multiple_of") && wl_json_peek(json) == WL_JSON_NUMBER)
            padding->multiple = (size_t)wl_json_unsigned(json, WL_PADDING_LIMIT);
        else if (wl_text_is(key, "pad_id"))
            padding->id = (uint32_t)wl_json_unsigned(json, UINT32_MAX);
        else
            wl_json_skip(json);
    }
    padding->declared = true;
}

/* ---- added tokens ---- */

static void read_added_token(wl_json *json, wl_added_token *token)
{
    const struct {
        const char *name;
        bool *value;
    } flags[] = {
        {"single_word", &token->single_word}, {"lstrip", &token->left_strip}, {"rstrip", &token->right_strip},
        {"normalized", &token->normalized},   {"special", &token->special},
    };
    enum { FLAGS = sizeof flags / sizeof *flags };
    bool seen[FLAGS] = {false};
    wl_text key;
    wl_json_begin_object(json);
    while (wl_json_member(json, &key)) {
        size_t flag = 0;
        while (flag < FLAGS && !wl_text_is(key, flags[flag].name)) flag++;
        if (flag < FLAGS)
            *flags[flag].value = wl_json_boolean(json), seen[flag] = true;
        else if (wl_text_is(key, "content") && !token->content)
            token->content = wl_part_string(json, &token->size);
        else
            wl_json_skip(json); /* the oracle does not trust the id either */
    }
    wl_part_require(json, "an added token", "content", token->content);
    for (size_t i = 0; i < FLAGS; i++) wl_part_require(json, "an added token", flags[i].name, seen[i]);
}

/* An added token has the id of the vocabulary's piece of that name, else the next free one: the oracle's way, whatever
 * id the file gives. */
static void read_added_tokens(wl_json *json, wl_tokenizer *tokenizer)
{
    wl_added_tokens *added = &tokenizer->added;
    bool listed = tokenizer->kind == WL_MODEL_UNIGRAM;
    uint32_t next = (uint32_t)(listed ? tokenizer->model_size : tokenizer->vocabulary.count);
    wl_json_begin_array(json);
    while (wl_json_element(json)) {
        wl_added_token token = {0};
        read_added_token(json, &token);
        if (wl_json_failed(json) || token.size == 0) {
            free(token.content);
            continue;
        }
        wl_text content = {token.content, token.size};
        const wl_added_token *known = wl_added_find(added, content);
        token.id = known ? known->id : wl_vocabulary_find(&tokenizer->vocabulary, content.data, content.size);
        if (token.id == WL_NO_ID) {
            token.id = next++;
            tokenizer->added_only++;
        }
        if (token.id >= WL_ID_LIMIT) {
            free(token.content);
            wl_json_fail(json, WL_ERROR_LIMIT, "too many added tokens");
        } else if (wl_added_add(added, token, json->error))
            json->failed = true;
    }
}

/* ---- the file ---- */

static const char *const members[] = {"version",       "truncation",     "padding", "added_tokens", "normalizer",
                                      "pre_tokenizer", "post_processor", "decoder", "model"};

wl_status wl_tokenizer_read(wl_tokenizer *tokenizer, const char *text, size_t size, wl_error *error)
{
    wl_buffer scratch = {0};
    wl_json json, added = {0};
    bool model = false;
    wl_text key;
    wl_json_open(&json, text, size, tokenizer->name, &scratch, error);
    wl_json_begin_object(&json);
    uint32_t seen = 0;
    while (wl_json_member(&json, &key)) {
        wl_part_once(&json, key, members, sizeof members / sizeof *members, &seen);
        if (wl_text_is(key, "version")) {
            wl_text version = wl_json_string(&json);
            if (!wl_json_failed(&json) && !wl_text_is(version, "1.0"))
                wl_json_fail(&json, WL_ERROR_UNSUPPORTED, "tokenizer version '%.*s' is not known, expected 1.0",
                             (int)(version.size < 64 ? version.size : 64), version.data);
        } else if (wl_text_is(key, "truncation"))
            read_truncation(&json, &tokenizer->truncation);
        else if (wl_text_is(key, "padding"))
            read_padding(&json, &tokenizer->padding);
        else if (wl_text_is(key, "normalizer"))
            wl_normalizer_read(&json, tokenizer);
        else if (wl_text_is(key, "pre_tokenizer"))
            wl_pretokenizer_read(&json, tokenizer);
        else if (wl_text_is(key, "post_processor"))
            wl_postprocessor_read(&json, tokenizer);
        else if (wl_text_is(key, "decoder"))
            wl_decoder_read(&json, tokenizer);
        else if (wl_text_is(key, "model") && !model)
            wl_model_read(&json, tokenizer), model = true;
        else {
            /* Ids of added tokens depend on the model, so they are read last. */
            if (wl_text_is(key, "added_tokens") && wl_json_peek(&json) == WL_JSON_ARRAY) added = json;
            wl_json_skip(&json);
        }
    }
    wl_part_require(&json, "a tokenizer", "model", model);
    wl_status status = wl_json_close(&json);
    if (!status && added.text) {
        read_added_tokens(&added, tokenizer);
        status = wl_json_failed(&added) ? error->code : WL_OK;
    }
    wl_buffer_free(&scratch);
    return status;
}
