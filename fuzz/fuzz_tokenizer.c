/* Any bytes as tokenizer.json: what is accepted must encode, the same with spans and without, and decode. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "texts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char sample[] = " Hello the<s>cat  <L> hi na\xC3\xAFve <no>\t[CLS] \xE2\x96\x81th"
                             "e\xCC\x81  I'LL 1234,x camelCase\r\n\n\t{}; \xF0\x9F\x91\xA8\xE2\x80\x8D\xE6\xBC\xA2\xFF "
                             "##ing aaaaaaaaaaaaaaaaaaaa!";

static void decode(const wl_tokenizer *tokenizer, wl_context *context, const uint32_t *ids, size_t count)
{
    static char out[1 << 14];
    size_t size = 0;
    wl_error error;
    wl_status status = wl_decode(tokenizer, context, ids, count, NULL, out, sizeof out, &size, &error);
    if (!status && size > sizeof out) abort();
    if (status && (error.code != status || !error.message[0])) abort();
}

static void encode(const wl_tokenizer *tokenizer, bool all)
{
    enum { CAPACITY = 512 };
    static wl_context *context;
    uint32_t ids[CAPACITY], again[CAPACITY];
    wl_span spans[CAPACITY];
    size_t count = 0, same_count = 0;
    wl_error error;
    const wl_text text = {sample, sizeof sample - 1};
    const wl_context_options one = {.size = sizeof one, .threads = 1, .cache_megabyte = 1};
    const wl_encode_options options = {
        .size = sizeof options, .special_tokens = all, .truncation = all, .padding = all, .unit = WL_CHARACTERS};
    if (!context) context = wl_context_create(&one, NULL);
    if (!context) abort();
    wl_status status = wl_encode(tokenizer, context, text, &options, ids, NULL, CAPACITY, &count, &error);
    wl_status same = wl_encode(tokenizer, context, text, &options, again, spans, CAPACITY, &same_count, &error);
    if (status != same) abort();
    if (status && status != WL_ERROR_LIMIT) return;
    if (count != same_count || (status == WL_OK) != (count <= CAPACITY)) abort();
    size_t written = count < CAPACITY ? count : CAPACITY;
    for (size_t i = 0; i < written; i++)
        if (ids[i] != again[i] || spans[i].begin > spans[i].end || spans[i].end > text.size) abort();
    decode(tokenizer, context, ids, written);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* libFuzzer's own buffer is followed by others; this one ends at a red zone. */
    char *json = malloc(size ? size : 1);
    wl_error error;
    if (!json) return 0;
    if (size) memcpy(json, data, size);
    wl_tokenizer *tokenizer = wl_tokenizer_parse(json, size, "fuzz", &error);
    free(json);
    if (!tokenizer) {
        if (error.code == WL_OK || !error.message[0]) abort();
        return 0;
    }
    encode(tokenizer, false);
    encode(tokenizer, true);
    for (uint32_t id = 0; id < 64; id++) {
        wl_text piece = wl_tokenizer_piece(tokenizer, id);
        volatile char last = piece.size ? piece.data[piece.size - 1] : 0;
        (void)last;
    }
    wl_tokenizer_close(tokenizer);
    return 0;
}
