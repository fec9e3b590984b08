/* Reading the member "pre_tokenizer" of tokenizer.json. */
#include <stdlib.h>
#include <string.h>

#include "text/read/parts.h"

static wl_pretokenizer *add_pretokenizer(wl_json *json, wl_tokenizer *tokenizer, wl_pretokenizer_kind kind)
{
    void *array = tokenizer->pretokenizers;
    wl_pretokenizer *step = wl_part_append(json, &array, &tokenizer->pretokenizer_count, sizeof *step);
    tokenizer->pretokenizers = array;
    if (step) step->kind = kind;
    return step;
}

static void read_bert_pretokenizer(wl_json *json, wl_tokenizer *tokenizer)
{
    add_pretokenizer(json, tokenizer, WL_PRETOKENIZE_BERT);
    wl_json_skip(json);
}

static void read_metaspace(wl_json *json, wl_tokenizer *tokenizer)
{
    wl_pretokenizer *step = add_pretokenizer(json, tokenizer, WL_PRETOKENIZE_METASPACE);
    bool prefix_off = false;
    wl_text key;
    if (step) step->split = true;
    wl_json_begin_object(json);
    while (step && wl_json_member(json, &key)) {
        if (wl_text_is(key, "replacement")) {
            wl_text mark = wl_json_string(json);
            bool one = mark.size && mark.size <= sizeof step->mark && mark.data[0] != ' ' &&
                       wl_utf8_length((unsigned char)mark.data[0]) == mark.size;
            if (!wl_json_failed(json) && !one)
                wl_json_fail(json, WL_ERROR_FORMAT, "Metaspace's replacement is not one character other than a space");
            if (one) memcpy(step->mark, mark.data, step->mark_size = mark.size);
        } else if (wl_text_is(key, "prepend_scheme")) {
            wl_text scheme = wl_json_string(json);
            if (wl_text_is(scheme, "always"))
                step->scheme = WL_PREPEND_ALWAYS;
            else if (wl_text_is(scheme, "first"))
                step->scheme = WL_PREPEND_FIRST;
            else if (wl_text_is(scheme, "never"))
                step->scheme = WL_PREPEND_NEVER;
            else if (!wl_json_failed(json))
                wl_json_fail(json, WL_ERROR_FORMAT, "Metaspace's prepend_scheme is not always, first or never");
        } else if (wl_text_is(key, "add_prefix_space") && !wl_json_null(json))
            prefix_off = !wl_json_boolean(json);
        else if (wl_text_is(key, "split") && !wl_json_null(json))
            step->split = wl_json_boolean(json);
        else if (!wl_text_is(key, "add_prefix_space") && !wl_text_is(key, "split"))
            wl_json_skip(json);
    }
    if (!step || wl_json_failed(json)) return;
    wl_part_require(json, "Metaspace", "replacement", step->mark_size > 0);
    if (prefix_off && step->scheme != WL_PREPEND_NEVER)
        wl_json_fail(json, WL_ERROR_FORMAT, "Metaspace's add_prefix_space does not match its prepend_scheme");
    tokenizer->aligned |= step->scheme == WL_PREPEND_FIRST;
}

static const wl_part pretokenizers[] = {
    {"BertPreTokenizer", read_bert_pretokenizer, NULL},
    {"Metaspace", read_metaspace, NULL},
    {"Sequence", NULL, "pretokenizers"},
    {NULL, NULL, NULL},
};

void wl_pretokenizer_read(wl_json *json, wl_tokenizer *tokenizer)
{
    wl_part_read(json, tokenizer, "pre-tokenizer", pretokenizers);
}
