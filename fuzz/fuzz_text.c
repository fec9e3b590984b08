/* Any bytes as a text for a small tokenizer: those of tests/golden/tokenizers, fuzz/tokenizers, and of each file of
 * tests/golden/parts the first. The ids with spans (the general way) and without (the scanners), with a cache that
 * holds two words and with a large one, must be the same, spans lie in the text, and ids can be decoded.
 *
 * Bytes 0 and 1 choose the tokenizer, byte 2 the options, the rest is the text. A packed form is to join them: open
 * each tokenizer a second time from its packed bytes, and compare. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/context.h"
#include "texts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TOKENIZERS = 1024, PARTS = 24, NAMES = 256 };
static wl_tokenizer *tokenizers[TOKENIZERS];
static size_t tokenizer_count, refused;
static wl_context *contexts[2];

static void add(const char *json, size_t size, const char *name)
{
    wl_error error;
    wl_tokenizer *tokenizer = wl_tokenizer_parse(json, size, name, &error);
    if (tokenizer && tokenizer_count == TOKENIZERS) abort();
    if (tokenizer)
        tokenizers[tokenizer_count++] = tokenizer;
    else if (error.code == WL_ERROR_UNSUPPORTED)
        refused++;
    else if (!strstr(name, "/parts/")) { /* parts hold what must be refused */
        fprintf(stderr, "%s: %s\n", name, error.message);
        abort();
    }
}

/* A line of a file of parts: the member "tokenizer". */
static void add_part(wl_text line, const char *name)
{
    wl_error error;
    wl_json json;
    wl_text key;
    wl_buffer scratch = {0};
    wl_json_open(&json, line.data, line.size, name, &scratch, &error);
    wl_json_begin_object(&json);
    while (wl_json_member(&json, &key)) {
        wl_json_peek(&json);
        const char *begin = line.data + json.at;
        wl_json_skip(&json);
        if (wl_text_is(key, "tokenizer")) add(begin, (size_t)(line.data + json.at - begin), name);
    }
    wl_buffer_free(&scratch);
}

static void add_file(const char *path, bool lines)
{
    wl_buffer file = {0};
    wl_text line;
    size_t at = 0;
    if (!texts_file(path, &file)) abort();
    if (!lines) add(file.data, file.size, path);
    for (size_t i = 0; lines && i < PARTS && texts_line(&file, &at, &line); i++) add_part(line, path);
    wl_buffer_free(&file);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* In the order of their names, so that an input means the same everywhere. */
static void add_folder(const char *folder, const char *end)
{
    char *names[NAMES], path[1024];
    size_t count = 0;
    DIR *entries = opendir(folder);
    if (!entries) abort();
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        size_t length = strlen(entry->d_name);
        if (length <= strlen(end) || strcmp(entry->d_name + length - strlen(end), end) != 0 || count == NAMES) continue;
        if (!(names[count++] = wl_copy_text(entry->d_name, length, NULL))) abort();
    }
    closedir(entries);
    qsort(names, count, sizeof *names, by_name);
    for (size_t i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        add_file(path, strcmp(end, ".jsonl") == 0);
        free(names[i]);
    }
}

static void open_all(void)
{
    const wl_context_options one = {.size = sizeof one, .threads = 1, .cache_megabyte = 1};
    for (size_t i = 0; i < 2; i++)
        if (!(contexts[i] = wl_context_create(&one, NULL))) abort();
    contexts[0]->workers[0].text.cache_bytes = 64;
    contexts[1]->workers[0].text.cache_bytes = 1 << 14; /* it is wiped at each change of the tokenizer */
    add_folder(WL_TEST_DATA "/golden/tokenizers", ".json");
    add_folder(WL_FUZZ_DATA "/tokenizers", ".json");
    add_folder(WL_TEST_DATA "/golden/parts", ".jsonl");
    fprintf(stderr, "fuzz_text: %zu tokenizers, %zu not supported\n", tokenizer_count, refused);
}

/* Asked for its size, a text has the same bytes as when there is room at once. */
static void decode(const wl_tokenizer *tokenizer, const texts_encoded *encoded, bool special)
{
    const wl_decode_options options = {.size = sizeof options, .special_tokens = special};
    size_t needed = 0, size = 0;
    wl_error error;
    wl_status status =
        wl_decode(tokenizer, contexts[1], encoded->ids, encoded->count, &options, NULL, 0, &needed, &error);
    if (status && status != WL_ERROR_LIMIT) return;
    char *out = malloc(needed ? needed : 1);
    if (!out) abort();
    status = wl_decode(tokenizer, contexts[1], encoded->ids, encoded->count, &options, out, needed, &size, &error);
    if (status || size != needed) abort();
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static texts_encoded general, plain;
    wl_error error;
    if (!tokenizer_count) open_all();
    if (size < 3) return 0;
    const wl_tokenizer *tokenizer = tokenizers[(data[0] + 256U * data[1]) % tokenizer_count];
    const wl_encode_options options = {.size = sizeof options,
                                       .special_tokens = data[2] & 1,
                                       .truncation = data[2] & 2,
                                       .padding = data[2] & 4,
                                       .unit = data[2] & 8 ? WL_CHARACTERS : WL_BYTES};
    const bool decoded = data[2] & 16, special = data[2] & 32;
    data += 3, size -= 3;
    char *copy = malloc(size ? size : 1); /* ends at a red zone */
    if (!copy) return 0;
    if (size) memcpy(copy, data, size);
    const wl_text text = {copy, size};
    wl_status status = texts_encode(tokenizer, contexts[1], text, &options, true, &general, &error);
    for (size_t i = 0; i < 2; i++) {
        if (texts_encode(tokenizer, contexts[i], text, &options, false, &plain, &error) != status) abort();
        if (!status && !texts_same_ids(&general, &plain)) abort();
    }
    /* Repaired, a text has at most three bytes for one. */
    for (size_t i = 0; !status && i < general.count; i++)
        if (general.spans[i].begin > general.spans[i].end || general.spans[i].end > 3 * size) abort();
    if (!status && decoded) decode(tokenizer, &general, special);
    free(copy);
    return 0;
}
