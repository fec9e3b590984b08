/* Any bytes as a GGUF file: what is accepted must have tensors that lie in it and can be decoded, and a tokenizer that
 * is made of it must open and encode. */
#include <stdlib.h>
#include <string.h>

#include "extract/gguf_tokenizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition) abort();
}

static wl_status fetch(wl_reader *reader, uint64_t at, void *out, size_t size, wl_error *error)
{
    (void)error;
    require(at <= reader->size && size <= reader->size - at);
    if (size) memcpy(out, (const char *)reader->state + at, size);
    return WL_OK;
}

static void decode(const wl_stored *tensor, const char *data, size_t size)
{
    require(tensor->type[0] && tensor->rank <= 4 && tensor->offset <= size);
    if (!tensor->encoding) return;
    require(tensor->bytes <= size - tensor->offset && tensor->bytes % tensor->encoding->bytes == 0);
    size_t blocks = (size_t)(tensor->bytes / tensor->encoding->bytes);
    float *numbers = malloc(blocks * tensor->encoding->elements * sizeof *numbers + 1);
    require(numbers);
    tensor->encoding->decode((const unsigned char *)data + tensor->offset, blocks, numbers);
    free(numbers);
}

static void encode(const wl_buffer *json)
{
    static const char sample[] = " Hello the<s>cat  12 na\xC3\xAFve\n\n ab<|end|>\xE6\xBC\xA2\t[CLS]\xE2\x96\x81 a";
    static wl_context *context;
    const wl_context_options one = {.size = sizeof one, .threads = 1, .cache_megabyte = 1};
    const wl_encode_options options = {.size = sizeof options, .special_tokens = true};
    uint32_t ids[512];
    size_t count = 0;
    wl_error error;
    if (!context) context = wl_context_create(&one, NULL);
    wl_tokenizer *tokenizer = wl_tokenizer_parse(json->data, json->size, "fuzz", &error);
    require(context && tokenizer);
    wl_status status =
        wl_encode(tokenizer, context, (wl_text){sample, sizeof sample - 1}, &options, ids, NULL, 512, &count, &error);
    require(!status || error.message[0]);
    wl_tokenizer_close(tokenizer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wl_error error;
    wl_gguf gguf;
    wl_tensors tensors = {0};
    wl_buffer json = {0};
    char *copy = malloc(size ? size : 1);
    require(copy);
    if (size) memcpy(copy, data, size);
    wl_reader reader = {.size = size, .fetch = fetch, .state = copy, .descriptor = -1};
    reader.name = wl_copy_text("fuzz", 4, &error);
    wl_status status = wl_gguf_open(&gguf, &reader, &tensors, &error);
    require(!status || (error.code == status && error.message[0]));
    for (size_t i = 0; i < tensors.count && !status; i++) decode(&tensors.items[i], copy, size);
    if (!status && wl_gguf_has_tokenizer(&gguf)) {
        status = wl_gguf_tokenizer(&gguf, &json, &error);
        require(!status || (error.code == status && error.message[0]));
        if (!status) encode(&json);
    }
    wl_buffer_free(&json);
    wl_gguf_close(&gguf);
    wl_tensors_free(&tensors);
    wl_reader_close(&reader);
    free(copy);
    return 0;
}
