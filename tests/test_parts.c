/* Small tokenizers, each made to show one part of tokenizer.json, against the oracle's answers: every line of every
 * golden/parts/NAME.jsonl is
 *
 *     {"tokenizer": {tokenizer.json}, "cases": [{"text": "...", "ids": [...], "offsets": [[begin, end], ...],
 *                                                "special_ids": [...], "decoded": "...", "error": true}, ...]}
 *
 * ids and offsets (in characters) are without special tokens, special_ids with them, decoded is the text of special_ids
 * less special tokens. Members of a case other than text may be missing; error: the oracle fails. The files are made by
 * tools/golden_NAME.py. Usage: test_parts [NAME...] */
#include "test.h"

#include <dirent.h>

#include "format/json.h"
#include "texts.h"
#include "wordllama.h"

enum { LIMIT = 1 << 16 };

static wl_context *context;
static uint32_t ids[LIMIT];
static wl_span spans[LIMIT];
static size_t cases;

static void check_ids(wl_json *json, const char *what, const wl_text text, size_t count)
{
    size_t i = 0;
    bool same = true;
    wl_json_begin_array(json);
    for (; wl_json_element(json); i++) {
        uint32_t id = (uint32_t)wl_json_unsigned(json, UINT32_MAX);
        same = same && i < count && ids[i] == id;
    }
    CHECK_THAT(same && i == count, "%s of \"%.*s\": %zu, expected %zu", what, (int)text.size, text.data, count, i);
}

static void check_spans(wl_json *json, const wl_text text, size_t count)
{
    size_t i = 0, wrong = SIZE_MAX;
    wl_json_begin_array(json);
    for (; wl_json_element(json); i++) {
        uint32_t range[2] = {0, 0};
        wl_json_begin_array(json);
        for (size_t j = 0; wl_json_element(json); j++) range[j & 1] = (uint32_t)wl_json_unsigned(json, UINT32_MAX);
        bool same = i < count && spans[i].begin == range[0] && spans[i].end == range[1];
        if (!same && wrong == SIZE_MAX) wrong = i;
    }
    CHECK_THAT(wrong == SIZE_MAX && i == count, "offsets of \"%.*s\": first difference at %zu of %zu", (int)text.size,
               text.data, wrong, i);
}

static void check_decoded(const wl_tokenizer *tokenizer, wl_text text, wl_text expected, size_t count)
{
    static char out[1 << 20];
    size_t size = 0;
    wl_error error;
    wl_status status = wl_decode(tokenizer, context, ids, count, NULL, out, sizeof out, &size, &error);
    CHECK_THAT(!status, "decoding \"%.*s\": %s", (int)text.size, text.data, error.message);
    if (status) return;
    CHECK_THAT(size == expected.size && memcmp(out, expected.data, size) == 0,
               "decoded \"%.*s\": \"%.*s\", expected \"%.*s\"", (int)text.size, text.data, (int)size, out,
               (int)expected.size, expected.data);
}

static void check_case(const wl_tokenizer *tokenizer, wl_json *json)
{
    wl_text key, text = {0}, decoded = {0};
    wl_json members[3] = {{0}};
    static const char *const names[3] = {"ids", "offsets", "special_ids"};
    bool fails = false, has_decoded = false;
    wl_buffer copies[2] = {{0}};
    wl_error error;
    wl_json_begin_object(json);
    while (wl_json_member(json, &key)) {
        bool is_text = wl_text_is(key, "text"), is_decoded = wl_text_is(key, "decoded");
        if (is_text || is_decoded) {
            wl_text value = wl_json_string(json);
            wl_buffer_append(&copies[is_decoded], value.data, value.size, &error);
            has_decoded |= is_decoded;
            continue;
        }
        for (size_t i = 0; i < 3; i++)
            if (wl_text_is(key, names[i])) members[i] = *json;
        if (wl_text_is(key, "error")) fails = true;
        wl_json_skip(json);
    }
    text = (wl_text){copies[0].data, copies[0].size};
    decoded = (wl_text){copies[1].data, copies[1].size};
    cases++;
    wl_encode_options options = {.size = sizeof options, .unit = WL_CHARACTERS};
    size_t count = 0;
    /* Twice without spans: the second time the word cache knows the words. */
    for (int round = 0; round < 2; round++) {
        wl_status status = wl_encode(tokenizer, context, text, &options, ids, NULL, LIMIT, &count, &error);
        CHECK_THAT(!status != fails, "\"%.*s\": %s", (int)text.size, text.data, status ? error.message : "no error");
        if (status) goto done;
        wl_json copy = members[0];
        if (copy.text) check_ids(&copy, round ? "cached ids" : "ids", text, count);
    }
    if (wl_encode(tokenizer, context, text, &options, ids, spans, LIMIT, &count, &error)) {
        CHECK_THAT(false, "\"%.*s\" with spans: %s", (int)text.size, text.data, error.message);
        goto done;
    }
    if (members[0].text) check_ids(&members[0], "spanned ids", text, count);
    if (members[1].text) check_spans(&members[1], text, count);
    options.special_tokens = true;
    if (wl_encode(tokenizer, context, text, &options, ids, NULL, LIMIT, &count, &error)) {
        CHECK_THAT(false, "\"%.*s\" with special tokens: %s", (int)text.size, text.data, error.message);
        goto done;
    }
    if (members[2].text) check_ids(&members[2], "special ids", text, count);
    if (has_decoded) check_decoded(tokenizer, text, decoded, count);
done:
    wl_buffer_free(&copies[0]);
    wl_buffer_free(&copies[1]);
}

static void check_line(const char *name, size_t number, const char *line, size_t size)
{
    wl_buffer scratch = {0};
    wl_error error = {0};
    wl_json json, cases_at = {0};
    wl_text key, document = {0};
    wl_json_open(&json, line, size, name, &scratch, &error);
    wl_json_begin_object(&json);
    while (wl_json_member(&json, &key)) {
        bool is_tokenizer = wl_text_is(key, "tokenizer");
        if (wl_text_is(key, "cases")) cases_at = json;
        wl_json_peek(&json);
        size_t begin = json.at;
        wl_json_skip(&json);
        if (is_tokenizer) document = (wl_text){line + begin, json.at - begin};
    }
    CHECK_THAT(!wl_json_failed(&json) && document.data && cases_at.text, "%s:%zu is not a test", name, number);
    char label[256];
    snprintf(label, sizeof label, "%s:%zu", name, number);
    wl_tokenizer *tokenizer = document.data ? wl_tokenizer_parse(document.data, document.size, label, &error) : NULL;
    CHECK_THAT(tokenizer, "%s: %s", label, error.message);
    int failures = test_failures;
    if (tokenizer) {
        wl_json_begin_array(&cases_at);
        while (wl_json_element(&cases_at)) check_case(tokenizer, &cases_at);
        CHECK_THAT(!wl_json_failed(&cases_at), "%s: %s", label, error.message);
    }
    if (test_failures > failures) printf("the last failures are of %s\n", label);
    wl_tokenizer_close(tokenizer);
    wl_buffer_free(&scratch);
}

static void check_file(const char *name)
{
    char path[1024];
    wl_buffer file = {0};
    snprintf(path, sizeof path, "%s/golden/parts/%s", WL_TEST_DATA, name);
    bool read = texts_file(path, &file);
    CHECK_THAT(read, "%s cannot be read", path);
    size_t number = 0;
    for (size_t at = 0; read && at < file.size;) {
        const char *line = file.data + at, *end = memchr(line, '\n', file.size - at);
        size_t size = end ? (size_t)(end - line) : file.size - at;
        if (size) check_line(name, ++number, line, size);
        at += size + 1;
    }
    wl_buffer_free(&file);
}

int main(int count, char **names)
{
    wl_context_options options = {.size = sizeof options, .threads = 1, .cache_megabyte = 1};
    context = wl_context_create(&options, NULL);
    for (int i = 1; i < count; i++) {
        char name[256];
        snprintf(name, sizeof name, "%s.jsonl", names[i]);
        check_file(name);
    }
    DIR *folder = count > 1 ? NULL : opendir(WL_TEST_DATA "/golden/parts");
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        if (strstr(entry->d_name, ".jsonl")) check_file(entry->d_name);
    if (folder) closedir(folder);
    CHECK_THAT(cases > 0, "no golden case was found");
    printf("%zu cases\n", cases);
    wl_context_free(context);
    return test_end();
}
