/* Ids to text. */
#include "text/context.h"

wl_status wl_decode(const wl_tokenizer *tokenizer, wl_context *context, const uint32_t *ids, size_t count,
                    const wl_decode_options *options, char *out, size_t capacity, size_t *size, wl_error *error)
{
    (void)tokenizer, (void)context, (void)ids, (void)count, (void)options, (void)out, (void)capacity;
    if (size) *size = 0;
    return wl_fail(error, WL_ERROR_UNSUPPORTED, "decoding is not supported yet");
}
