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
}

/* "Removed" and so on, by their places in wl_split_behavior. */
static wl_split_behavior read_behavior(wl_json *json)
{
    static const char *const names[] = {"Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"};
    wl_text name = wl_json_string(json);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (wl_text_is(name, names[i])) return (wl_split_behavior)i;
    if (!wl_json_failed(json))
        wl_json_fail(json, WL_ERROR_FORMAT,
                     "a split behavior is not Removed, Isolated, MergedWithPrevious, "
                     "MergedWithNext or Contiguous");
    return WL_SPLIT_REMOVED;
}

static void open_pattern(wl_json *json, wl_pretokenizer *step, wl_text text, bool regex)
{
    wl_error error = {0};
    wl_pattern_free(&step->pattern);
    wl_status status = wl_pattern_open(&step->pattern, text, regex, &error);
    if (status) wl_json_fail(json, status, "%s", error.message);
}

/* {"String": "..."} or {"Regex": "..."}. */
static void read_pattern(wl_json *json, wl_pretokenizer *step)
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
        if (!wl_json_failed(json)) open_pattern(json, step, text, regex);
    }
}

static void read_split(wl_json *json, wl_tokenizer *tokenizer)
{
    wl_pretokenizer *step = add_pretokenizer(json, tokenizer, WL_PRETOKENIZE_SPLIT);
    bool behavior = false, invert = false;
    wl_text key;
    wl_json_begin_object(json);
    while (step && wl_json_member(json, &key)) {
        if (wl_text_is(key, "pattern"))
            read_pattern(json, step);
        else if (wl_text_is(key, "behavior"))
            step->behavior = read_behavior(json), behavior = true;
        else if (wl_text_is(key, "invert"))
            step->invert = wl_json_boolean(json), invert = true;
        else
            wl_json_skip(json);
    }
    wl_part_require(json, "Split", "pattern", step && step->pattern.text);
    wl_part_require(json, "Split", "behavior", behavior);
    wl_part_require(json, "Split", "invert", invert);
}

/* Up to three steps: the space in front, the words of GPT-2, the bytes. */
static void read_byte_level(wl_json *json, wl_tokenizer *tokenizer)
{
    static const char words[] = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
    bool prefix = false, regex = true, has_prefix = false, has_trim = false;
    wl_text key;
    wl_json_begin_object(json);
    while (wl_json_member(json, &key)) {
        if (wl_text_is(key, "add_prefix_space"))
            prefix = wl_json_boolean(json), has_prefix = true;
        else if (wl_text_is(key, "trim_offsets")) /* nothing to a pre-tokenizer */
            wl_json_boolean(json), has_trim = true;
        else if (wl_text_is(key, "use_regex"))
            regex = wl_json_boolean(json);
        else
            wl_json_skip(json);
    }
    wl_part_require(json, "ByteLevel", "add_prefix_space", has_prefix);
    wl_part_require(json, "ByteLevel", "trim_offsets", has_trim);
    if (!wl_json_failed(json) && prefix) add_pretokenizer(json, tokenizer, WL_PRETOKENIZE_PREFIX_SPACE);
    wl_pretokenizer *split =
        !wl_json_failed(json) && regex ? add_pretokenizer(json, tokenizer, WL_PRETOKENIZE_SPLIT) : NULL;
    if (split) {
        split->behavior = WL_SPLIT_ISOLATED;
        open_pattern(json, split, (wl_text){words, sizeof words - 1}, true);
    }
    if (!wl_json_failed(json)) add_pretokenizer(json, tokenizer, WL_PRETOKENIZE_BYTES);
}

static void read_whitespace(wl_json *json, wl_tokenizer *tokenizer)
{
    add_pretokenizer(json, tokenizer, WL_PRETOKENIZE_WHITESPACE);
    wl_json_skip(json);
}

static void read_whitespace_split(wl_json *json, wl_tokenizer *tokenizer)
{
    add_pretokenizer(json, tokenizer, WL_PRETOKENIZE_SPACES);
    wl_json_skip(json);
}

static void read_scripts(wl_json *json, wl_tokenizer *tokenizer)
{
    add_pretokenizer(json, tokenizer, WL_PRETOKENIZE_SCRIPTS);
    wl_json_skip(json);
}

static void read_punctuation(wl_json *json, wl_tokenizer *tokenizer)
{
    wl_pretokenizer *step = add_pretokenizer(json, tokenizer, WL_PRETOKENIZE_PUNCTUATION);
    wl_text key;
    if (step) step->behavior = WL_SPLIT_ISOLATED; /* files before behaviors lack the member */
    wl_json_begin_object(json);
    while (step && wl_json_member(json, &key)) {
        if (wl_text_is(key, "behavior"))
            step->behavior = read_behavior(json);
        else
            wl_json_skip(json);
    }
}

static void read_digits(wl_json *json, wl_tokenizer *tokenizer)
{
    wl_pretokenizer *step = add_pretokenizer(json, tokenizer, WL_PRETOKENIZE_DIGITS);
    bool present = false;
    wl_text key;
    wl_json_begin_object(json);
    while (step && wl_json_member(json, &key)) {
        if (wl_text_is(key, "individual_digits")) {
            step->behavior = wl_json_boolean(json) ? WL_SPLIT_ISOLATED : WL_SPLIT_CONTIGUOUS;
            present = true;
        } else
            wl_json_skip(json);
    }
    wl_part_require(json, "Digits", "individual_digits", present);
}

static void read_delimiter(wl_json *json, wl_tokenizer *tokenizer)
{
    wl_pretokenizer *step = add_pretokenizer(json, tokenizer, WL_PRETOKENIZE_DELIMITER);
    bool present = false;
    wl_text key;
    wl_json_begin_object(json);
    while (step && wl_json_member(json, &key)) {
        if (wl_text_is(key, "delimiter")) {
            wl_text text = wl_json_string(json);
            size_t length = 0;
            if (text.size) step->delimiter = wl_utf8_decode(text.data, &length);
            present = true;
            if (!wl_json_failed(json) && (!length || length != text.size))
                wl_json_fail(json, WL_ERROR_FORMAT, "CharDelimiterSplit's delimiter is not one character");
        } else
            wl_json_skip(json);
    }
    wl_part_require(json, "CharDelimiterSplit", "delimiter", present);
}

static void read_fixed_length(wl_json *json, wl_tokenizer *tokenizer)
{
    wl_pretokenizer *step = add_pretokenizer(json, tokenizer, WL_PRETOKENIZE_LENGTH);
    wl_text key;
    if (step) step->length = 5;
    wl_json_begin_object(json);
    while (step && wl_json_member(json, &key)) {
        if (wl_text_is(key, "length")) {
            step->length = (size_t)wl_json_unsigned(json, SIZE_MAX);
            if (!wl_json_failed(json) && !step->length)
                wl_json_fail(json, WL_ERROR_FORMAT, "FixedLength's length is 0");
        } else
            wl_json_skip(json);
    }
}

static const wl_part pretokenizers[] = {
    {"BertPreTokenizer", read_bert_pretokenizer, NULL},
    {"ByteLevel", read_byte_level, NULL},
    {"CharDelimiterSplit", read_delimiter, NULL},
    {"Digits", read_digits, NULL},
    {"FixedLength", read_fixed_length, NULL},
    {"Metaspace", read_metaspace, NULL},
    {"Punctuation", read_punctuation, NULL},
    {"Sequence", NULL, "pretokenizers"},
    {"Split", read_split, NULL},
    {"UnicodeScripts", read_scripts, NULL},
    {"Whitespace", read_whitespace, NULL},
    {"WhitespaceSplit", read_whitespace_split, NULL},
    {NULL, NULL, NULL},
};

void wl_pretokenizer_read(wl_json *json, wl_tokenizer *tokenizer)
{
    wl_part_read(json, tokenizer, "pre-tokenizer", pretokenizers);
}
