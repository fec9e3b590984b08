/* Any bytes as a text, the first of them chooses a tiny tokenizer of tests/golden/tokenizers: ids with and without
 * spans, with a cache that holds two words and with a large one, must be the same, and spans lie in the text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/context.h"
#include "texts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = {"llama",        "llama_general", "llama_cross",  "bpe_fuse",   "bpe_apart",
                                    "bpe_pending",  "bpe_dropped",   "bert_uncased", "bert_cased", "bert_general",
                                    "bert_accents", "bert_lower",    "spaced",       "unigram",    "unigram_first"};
enum { NAMES = sizeof names / sizeof *names };
static wl_tokenizer *tokenizers[NAMES];
static wl_context *contexts[2];

static void open_all(void)
{
    const wl_context_options one = {.size = sizeof one, .threads = 1, .cache_megabyte = 1};
    for (size_t i = 0; i < 2; i++)
        if (!(contexts[i] = wl_context_create(&one, NULL))) abort();
    contexts[0]->workers[0].text.cache_bytes = 64;
    for (size_t i = 0; i < NAMES; i++) {
        char path[1024];
        wl_error error;
        snprintf(path, sizeof path, WL_TEST_DATA "/golden/tokenizers/%s.json", names[i]);
        if (!(tokenizers[i] = wl_tokenizer_open(path, &error))) {
            fprintf(stderr, "%s: %s\n", path, error.message);
            abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static texts_encoded general, plain;
    wl_error error;
    if (!tokenizers[0]) open_all();
    if (size == 0) return 0;
    const wl_tokenizer *tokenizer = tokenizers[data[0] % NAMES];
    const wl_encode_options options = {
        .size = sizeof options, .special_tokens = data[0] & 64, .truncation = data[0] & 128, .padding = data[0] & 128};
    size--;
    char *copy = malloc(size ? size : 1); /* ends at a red zone */
    if (!copy) return 0;
    if (size) memcpy(copy, data + 1, size);
    const wl_text text = {copy, size};
    wl_status status = texts_encode(tokenizer, contexts[1], text, &options, true, &general, &error);
    for (size_t i = 0; i < 2; i++) {
        if (texts_encode(tokenizer, contexts[i], text, &options, false, &plain, &error) != status) abort();
        if (!status && !texts_same_ids(&general, &plain)) abort();
    }
    /* Repaired, a text has at most three bytes for one. */
    for (size_t i = 0; !status && i < general.count; i++)
        if (general.spans[i].begin > general.spans[i].end || general.spans[i].end > 3 * size) abort();
    free(copy);
    return 0;
}
