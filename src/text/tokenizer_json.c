/* Reading tokenizer.json, as the oracle's deserializers read it: members in any order, unknown members ignored, missing
 * ones an error. A part that is not known is refused by its name. */
#include <stdlib.h>
#include <string.h>

#include "format/json.h"
#include "text/parts.h"

/* ---- small readers ---- */

static char *copy_string(wl_json *json, size_t *size)
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

static void *append(wl_json *json, void **array, size_t *count, size_t size)
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

/* ---- normalizers ---- */

static wl_normalizer *add_normalizer(wl_json *json, wl_tokenizer *tokenizer, wl_normalizer_kind kind)
{
    void *array = tokenizer->normalizers;
    wl_normalizer *step = append(json, &array, &tokenizer->normalizer_count, sizeof *step);
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
            step->content = copy_string(json, &step->content_size);
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
        step->pattern = copy_string(json, &step->pattern_size);
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
            step->content = copy_string(json, &step->content_size);
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

/* ---- pre-tokenizers ---- */

static wl_pretokenizer *add_pretokenizer(wl_json *json, wl_tokenizer *tokenizer, wl_pretokenizer_kind kind)
{
    void *array = tokenizer->pretokenizers;
    wl_pretokenizer *step = append(json, &array, &tokenizer->pretokenizer_count, sizeof *step);
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

/* ---- post-processors ---- */

static void add_template(wl_json *json, wl_tokenizer *tokenizer, bool text, uint32_t *ids, size_t count)
{
    void *array = tokenizer->template;
    wl_template_piece *piece = append(json, &array, &tokenizer->template_count, sizeof *piece);
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
                uint32_t *id = append(&map, &array, count, sizeof *id);
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
                name = copy_string(json, &size);
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

/* ---- the tables of parts ---- */

typedef struct part {
    const char *name;
    void (*read)(wl_json *json, wl_tokenizer *tokenizer);
    const char *list; /* of a Sequence: the member that holds its parts */
} part;

static const part normalizers[] = {
    {"Prepend", read_prepend, NULL},   {"Replace", read_replace, NULL},
    {"Strip", read_strip, NULL},       {"BertNormalizer", read_bert_normalizer, NULL},
    {"Sequence", NULL, "normalizers"}, {NULL, NULL, NULL},
};

static const part pretokenizers[] = {
    {"BertPreTokenizer", read_bert_pretokenizer, NULL},
    {"Metaspace", read_metaspace, NULL},
    {"Sequence", NULL, "pretokenizers"},
    {NULL, NULL, NULL},
};

static const part postprocessors[] = {
    {"TemplateProcessing", read_template, NULL},
    {"BertProcessing", read_bert_processing, NULL},
    {NULL, NULL, NULL},
};

static void read_part(wl_json *json, wl_tokenizer *tokenizer, const char *what, const part *parts)
{
    if (wl_json_null(json) || wl_json_failed(json)) return;
    char type[WL_PART_NAME];
    wl_part_type(json, type);
    if (wl_json_failed(json)) return;
    const part *found = parts;
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
            while (wl_json_element(json)) read_part(json, tokenizer, what, parts);
        }
        wl_part_require(json, "Sequence", found->list, present);
    }
}

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
            token->content = copy_string(json, &token->size);
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

static const char *const members[] = {"version",    "truncation",    "padding",        "added_tokens",
                                      "normalizer", "pre_tokenizer", "post_processor", "model"};

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
            read_part(&json, tokenizer, "normalizer", normalizers);
        else if (wl_text_is(key, "pre_tokenizer"))
            read_part(&json, tokenizer, "pre-tokenizer", pretokenizers);
        else if (wl_text_is(key, "post_processor"))
            read_part(&json, tokenizer, "post-processor", postprocessors);
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
