/* Reading the member "decoder" of tokenizer.json. */
#include <stdlib.h>
#include <string.h>

#include "text/read/parts.h"

static wl_decoder *add_decoder(wl_json *json, wl_tokenizer *tokenizer, wl_decoder_kind kind)
{
    void *array = tokenizer->decoders;
    wl_decoder *step = wl_part_append(json, &array, &tokenizer->decoder_count, sizeof *step);
    tokenizer->decoders = array;
    if (step) step->kind = kind;
    return step;
}

/* A member of a decoder and where its value goes; exactly one place is set. */
typedef struct member {
    const char *name;
    char **text;
    size_t *size; /* of text */
    bool *truth;
    size_t *number;
    bool character; /* text is one character */
    bool seen;
} member;

static void read_value(wl_json *json, const char *part, const member *to)
{
    if (to->truth) {
        *to->truth = wl_json_boolean(json);
    } else if (to->number) {
        *to->number = (size_t)wl_json_unsigned(json, SIZE_MAX);
    } else {
        free(*to->text);
        *to->text = wl_part_string(json, to->size);
        if (*to->text && to->character && (!*to->size || wl_utf8_length((unsigned char)**to->text) != *to->size))
            wl_json_fail(json, WL_ERROR_FORMAT, "%s's '%s' is not one character", part, to->name);
    }
}

/* All of the members are required. */
static void read_members(wl_json *json, const char *part, member *members, size_t count)
{
    wl_text key;
    wl_json_begin_object(json);
    while (wl_json_member(json, &key)) {
        size_t i = 0;
        while (i < count && !wl_text_is(key, members[i].name)) i++;
        if (i < count)
            read_value(json, part, &members[i]), members[i].seen = true;
        else
            wl_json_skip(json);
    }
    for (size_t i = 0; i < count; i++) wl_part_require(json, part, members[i].name, members[i].seen);
}

static void read_byte_level(wl_json *json, wl_tokenizer *tokenizer)
{
    bool prefix, trim; /* matter to the other uses of this part */
    if (!add_decoder(json, tokenizer, WL_DECODE_BYTE_LEVEL)) return;
    member members[] = {{"add_prefix_space", .truth = &prefix}, {"trim_offsets", .truth = &trim}};
    read_members(json, "ByteLevel", members, 2);
}

static void read_wordpiece(wl_json *json, wl_tokenizer *tokenizer)
{
    wl_decoder *step = add_decoder(json, tokenizer, WL_DECODE_WORDPIECE);
    if (!step) return;
    member members[] = {{"prefix", .text = &step->pattern, .size = &step->pattern_size},
                        {"cleanup", .truth = &step->cleanup}};
    read_members(json, "WordPiece", members, 2);
}

static void read_bpe(wl_json *json, wl_tokenizer *tokenizer)
{
    wl_decoder *step = add_decoder(json, tokenizer, WL_DECODE_BPE);
    if (!step) return;
    member members[] = {{"suffix", .text = &step->pattern, .size = &step->pattern_size}};
    read_members(json, "BPEDecoder", members, 1);
}

static void read_ctc(wl_json *json, wl_tokenizer *tokenizer)
{
    wl_decoder *step = add_decoder(json, tokenizer, WL_DECODE_CTC);
    if (!step) return;
    member members[] = {
        {"pad_token", .text = &step->pattern, .size = &step->pattern_size},
        {"word_delimiter_token", .text = &step->content, .size = &step->content_size},
        {"cleanup", .truth = &step->cleanup},
    };
    read_members(json, "CTC", members, 3);
}

static void read_fuse(wl_json *json, wl_tokenizer *tokenizer)
{
    add_decoder(json, tokenizer, WL_DECODE_FUSE);
    wl_json_skip(json);
}

static void read_strip(wl_json *json, wl_tokenizer *tokenizer)
{
    wl_decoder *step = add_decoder(json, tokenizer, WL_DECODE_STRIP);
    if (!step) return;
    member members[] = {
        {"content", .text = &step->pattern, .size = &step->pattern_size, .character = true},
        {"start", .number = &step->start},
        {"stop", .number = &step->stop},
    };
    read_members(json, "Strip", members, 3);
}

static void read_byte_fallback(wl_json *json, wl_tokenizer *tokenizer)
{
    add_decoder(json, tokenizer, WL_DECODE_BYTE_FALLBACK);
    wl_json_skip(json);
}

/* As the pre-tokenizer of that name is read: scheme always where none is given. */
static void read_metaspace(wl_json *json, wl_tokenizer *tokenizer)
{
    wl_decoder *step = add_decoder(json, tokenizer, WL_DECODE_METASPACE);
    bool prefix_off = false;
    wl_text key;
    if (!step) return;
    member replacement = {"replacement", .text = &step->pattern, .size = &step->pattern_size, .character = true};
    wl_json_begin_object(json);
    while (wl_json_member(json, &key)) {
        if (wl_text_is(key, "replacement")) {
            read_value(json, "Metaspace", &replacement);
        } else if (wl_text_is(key, "prepend_scheme")) {
            wl_text scheme = wl_json_string(json);
            step->keep_first = wl_text_is(scheme, "never");
            if (!wl_json_failed(json) && !step->keep_first && !wl_text_is(scheme, "always") &&
                !wl_text_is(scheme, "first"))
                wl_json_fail(json, WL_ERROR_FORMAT, "Metaspace's prepend_scheme is not always, first or never");
        } else if (wl_text_is(key, "add_prefix_space") && !wl_json_null(json))
            prefix_off = !wl_json_boolean(json);
        else if (!wl_text_is(key, "add_prefix_space"))
            wl_json_skip(json);
    }
    wl_part_require(json, "Metaspace", "replacement", step->pattern);
    if (!wl_json_failed(json) && prefix_off && !step->keep_first)
        wl_json_fail(json, WL_ERROR_FORMAT, "Metaspace's add_prefix_space does not match its prepend_scheme");
}

/* {"String": "..."} or {"Regex": "..."} */
static void read_pattern(wl_json *json, wl_decoder *step)
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
        wl_text text = wl_json_string(json);
        if (wl_json_failed(json)) return;
        wl_pattern_free(&step->search);
        if (wl_pattern_open(&step->search, text, regex, json->error)) {
            wl_error cause = *json->error;
            wl_json_fail(json, cause.code, "decoder 'Replace': %s", cause.message);
        }
    }
}

static void read_replace(wl_json *json, wl_tokenizer *tokenizer)
{
    wl_decoder *step = add_decoder(json, tokenizer, WL_DECODE_REPLACE);
    wl_text key;
    if (!step) return;
    wl_json_begin_object(json);
    while (wl_json_member(json, &key)) {
        if (wl_text_is(key, "pattern"))
            read_pattern(json, step);
        else if (wl_text_is(key, "content") && !step->content)
            step->content = wl_part_string(json, &step->content_size);
        else
            wl_json_skip(json);
    }
    wl_part_require(json, "Replace", "pattern", step->search.text);
    wl_part_require(json, "Replace", "content", step->content);
}

static const wl_part decoders[] = {
    {"ByteLevel", read_byte_level, NULL},
    {"WordPiece", read_wordpiece, NULL},
    {"Metaspace", read_metaspace, NULL},
    {"BPEDecoder", read_bpe, NULL},
    {"CTC", read_ctc, NULL},
    {"Fuse", read_fuse, NULL},
    {"Strip", read_strip, NULL},
    {"ByteFallback", read_byte_fallback, NULL},
    {"Replace", read_replace, NULL},
    {"Sequence", NULL, "decoders"},
    {NULL, NULL, NULL},
};

void wl_decoder_read(wl_json *json, wl_tokenizer *tokenizer)
{
    tokenizer->decodes = wl_json_peek(json) != WL_JSON_NULL;
    wl_part_read(json, tokenizer, "decoder", decoders);
}
