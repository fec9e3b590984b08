/* Reading the member "normalizer" of tokenizer.json. */
#include "text/packed.h"
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

/* What opening a part's member came to, with the place in the file. */
static void check_open(wl_json *json, wl_status status, const wl_error *error)
{
    if (status) wl_json_fail(json, status, "%s", error->message);
}

/* {"String": "..."} or {"Regex": "..."}. */
static bool read_pattern(wl_json *json, wl_normalizer *step)
{
    bool read = false;
    wl_text key;
    wl_json_begin_object(json);
    while (wl_json_member(json, &key)) {
        bool regex = wl_text_is(key, "Regex");
        if (read || (!regex && !wl_text_is(key, "String"))) {
            wl_json_fail(json, read ? WL_ERROR_FORMAT : WL_ERROR_UNSUPPORTED,
                         "pattern '%.*s' is not known, expected one String or Regex",
                         (int)(key.size < 64 ? key.size : 64), key.data);
            return false;
        }
        wl_text text = wl_json_string(json);
        if (wl_json_failed(json)) return false;
        if (text.size == 0) {
            wl_json_fail(json, WL_ERROR_UNSUPPORTED, "normalizer 'Replace' with an empty pattern is not supported");
            return false;
        }
        wl_error error;
        check_open(json, wl_pattern_open(&step->pattern, text, regex, &error), &error);
        read = true;
    }
    return read;
}

static void read_replace(wl_json *json, wl_tokenizer *tokenizer)
{
    static const char *const members[] = {"pattern", "content"};
    wl_normalizer *step = add_normalizer(json, tokenizer, WL_NORMALIZE_REPLACE);
    uint32_t seen = 0;
    bool pattern = false;
    wl_text key;
    wl_json_begin_object(json);
    while (step && wl_json_member(json, &key)) {
        wl_part_once(json, key, members, 2, &seen);
        if (wl_text_is(key, "pattern"))
            pattern = read_pattern(json, step);
        else if (wl_text_is(key, "content") && !step->content)
            step->content = wl_part_string(json, &step->content_size);
        else
            wl_json_skip(json);
    }
    wl_part_require(json, "Replace", "pattern", pattern);
    wl_part_require(json, "Replace", "content", step && step->content);
}

static void read_precompiled(wl_json *json, wl_tokenizer *tokenizer)
{
    static const char *const members[] = {"precompiled_charsmap"};
    wl_normalizer *step = add_normalizer(json, tokenizer, WL_NORMALIZE_PRECOMPILED);
    uint32_t seen = 0;
    wl_text key;
    wl_json_begin_object(json);
    while (step && wl_json_member(json, &key)) {
        wl_part_once(json, key, members, 1, &seen);
        if (!wl_text_is(key, members[0])) {
            wl_json_skip(json);
            continue;
        }
        wl_text base64 = wl_json_string(json);
        wl_error error;
        if (wl_json_failed(json)) return;
        wl_status status = tokenizer->packed ? wl_packed_charsmap(tokenizer->packed, &step->charsmap, &error)
                                             : wl_charsmap_open(&step->charsmap, base64, &error);
        check_open(json, status, &error);
    }
    wl_part_require(json, "Precompiled", members[0], seen);
}

/* Those without members of their own. */
static void read_plain(wl_json *json, wl_tokenizer *tokenizer, wl_normalizer_kind kind)
{
    add_normalizer(json, tokenizer, kind);
    wl_json_skip(json);
}

static void read_nfc(wl_json *json, wl_tokenizer *tokenizer)
{
    read_plain(json, tokenizer, WL_NORMALIZE_NFC);
}

static void read_nfd(wl_json *json, wl_tokenizer *tokenizer)
{
    read_plain(json, tokenizer, WL_NORMALIZE_NFD);
}

static void read_nfkc(wl_json *json, wl_tokenizer *tokenizer)
{
    read_plain(json, tokenizer, WL_NORMALIZE_NFKC);
}

static void read_nfkd(wl_json *json, wl_tokenizer *tokenizer)
{
    read_plain(json, tokenizer, WL_NORMALIZE_NFKD);
}

static void read_lowercase(wl_json *json, wl_tokenizer *tokenizer)
{
    read_plain(json, tokenizer, WL_NORMALIZE_LOWERCASE);
}

static void read_strip_accents(wl_json *json, wl_tokenizer *tokenizer)
{
    read_plain(json, tokenizer, WL_NORMALIZE_STRIP_ACCENTS);
}

static void read_nmt(wl_json *json, wl_tokenizer *tokenizer)
{
    read_plain(json, tokenizer, WL_NORMALIZE_NMT);
}

static void read_byte_level(wl_json *json, wl_tokenizer *tokenizer)
{
    read_plain(json, tokenizer, WL_NORMALIZE_BYTE_LEVEL);
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
    {"Prepend", read_prepend, NULL},
    {"Replace", read_replace, NULL},
    {"Strip", read_strip, NULL},
    {"BertNormalizer", read_bert_normalizer, NULL},
    {"Bert", read_bert_normalizer, NULL}, /* the oracle reads both */
    {"NFC", read_nfc, NULL},
    {"NFD", read_nfd, NULL},
    {"NFKC", read_nfkc, NULL},
    {"NFKD", read_nfkd, NULL},
    {"Lowercase", read_lowercase, NULL},
    {"StripAccents", read_strip_accents, NULL},
    {"Nmt", read_nmt, NULL},
    {"Precompiled", read_precompiled, NULL},
    {"ByteLevel", read_byte_level, NULL},
    {"Sequence", NULL, "normalizers"},
    {NULL, NULL, NULL},
};

void wl_normalizer_read(wl_json *json, wl_tokenizer *tokenizer)
{
    wl_part_read(json, tokenizer, "normalizer", normalizers);
}
