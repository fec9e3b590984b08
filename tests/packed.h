/* What the test and the fuzz target of the packed form share: a packed file in memory, its checksum made right after
 * damage, and a tokenizer put to use. Include texts.h first. */
#ifndef WL_PACKED_TESTS_H
#define WL_PACKED_TESTS_H

#include "base/checksum.h"
#include "text/packed.h"

/* Takes over data, which malloc gave. Free with packed_close, also after a failure. */
static inline wl_tokenizer *packed_open(wl_safetensors *file, char *data, size_t size, wl_error *error)
{
    *file = (wl_safetensors){.mapping = {.data = data, .size = size, .mapped = false}};
    file->path = wl_copy_text("packed", 6, error);
    if (!file->path || wl_safetensors_parse(file, error)) return NULL;
    if (!wl_packed_is(file)) {
        wl_fail(error, WL_ERROR_FORMAT, "not packed");
        return NULL;
    }
    return wl_packed_check(file, error) ? NULL : wl_tokenizer_open_packed(file, error);
}

static inline void packed_close(wl_safetensors *file, wl_tokenizer *tokenizer)
{
    wl_tokenizer_close(tokenizer);
    wl_safetensors_close(file);
}

/* Makes the checksum fit what the file holds, where there is one. */
static inline void packed_mend(char *data, size_t size)
{
    wl_error error;
    wl_safetensors file = {.mapping = {.data = data, .size = size, .mapped = false}};
    const wl_tensor *checksum = NULL;
    file.path = wl_copy_text("mend", 4, &error);
    if (file.path && !wl_safetensors_parse(&file, &error)) checksum = wl_safetensors_find(&file, WL_PACKED_CHECKSUM);
    if (checksum && checksum->bytes == 8) {
        uint64_t sum = wl_checksum(0, data, (size_t)file.tensors[0].offset);
        for (size_t i = 0; i < file.count; i++)
            if (wl_packed_covers(file.tensors[i].name))
                sum = wl_checksum(sum, file.tensors[i].data, file.tensors[i].bytes);
        memcpy(data + checksum->offset, &sum, sizeof sum);
    }
    file.mapping = (wl_mapping){0}; /* the caller's */
    wl_safetensors_close(&file);
}

/* Encodes and decodes; nothing is expected of the result. */
static inline void packed_use(const wl_tokenizer *tokenizer, wl_context *context)
{
    static const char sample[] =
        " Hello the<s>cat  <L> hi na\xC3\xAFve <no>\t[CLS] \xE2\x96\x81the\xCC\x81  I'LL 1234,x camelCase\r\n\n\t{}; "
        "\xF0\x9F\x91\xA8\xE2\x80\x8D\xE6\xBC\xA2\xE6\xBC\xA2\xE5\xAD\x97\xFF ##ing aaaaaaaaaaaaaaaaaaaa!";
    static uint32_t ids[1024];
    static wl_span spans[1024];
    static char out[1 << 14];
    size_t count = 0, size = 0;
    wl_error error;
    wl_text text = {sample, sizeof sample - 1};
    wl_encode_options options = {.size = sizeof options, .special_tokens = true};
    wl_status status = wl_encode(tokenizer, context, text, NULL, ids, NULL, 1024, &count, &error);
    if (!status) status = wl_encode(tokenizer, context, text, &options, ids, spans, 1024, &count, &error);
    if (!status) wl_decode(tokenizer, context, ids, count, NULL, out, sizeof out, &size, &error);
    for (uint32_t id = 0; id < 64; id++) {
        wl_text piece = wl_tokenizer_piece(tokenizer, id);
        uint32_t same;
        if (piece.size) wl_tokenizer_id(tokenizer, piece, &same);
    }
}

#endif
