/* wl_encode: what comes after the model. Truncation, then the post-processor's template, then padding: the oracle's
 * order. */
#include "text/context.h"
#include "text/unicode/utf8.h"

/* Writes to the caller's buffers what fits, counts all. */
struct writer {
    uint32_t *ids;
    wl_span *spans;
    size_t capacity, count;
};

static void put(struct writer *writer, uint32_t id, wl_span span)
{
    if (writer->count < writer->capacity) {
        writer->ids[writer->count] = id;
        if (writer->spans) writer->spans[writer->count] = span;
    }
    writer->count++;
}

/* Turns a byte position into a count of characters, walking on from the last one: positions come nearly in order. */
struct walker {
    wl_text text;
    size_t byte, characters;
};

static uint32_t walk(struct walker *walker, size_t byte)
{
    const char *data = walker->text.data;
    for (; walker->byte < byte; walker->byte++)
        if (((unsigned char)data[walker->byte] & 0xC0) != 0x80) walker->characters++;
    for (; walker->byte > byte; walker->byte--)
        if (((unsigned char)data[walker->byte - 1] & 0xC0) != 0x80) walker->characters--;
    return (uint32_t)walker->characters;
}

/* Keeps the range [*begin, *end) of the text's own tokens that a limit of length tokens leaves. */
static wl_status truncate(size_t length, size_t special, bool left, size_t *begin, size_t *end, wl_error *error)
{
    if (special > length)
        return wl_fail(error, WL_ERROR_ARGUMENT, "a limit of %zu tokens leaves no room for %zu special ones", length,
                       special);
    size_t keep = length - special;
    if (*end - *begin <= keep) return WL_OK;
    if (left)
        *begin = *end - keep;
    else
        *end = *begin + keep;
    return WL_OK;
}

wl_status wl_encode(const wl_tokenizer *tokenizer, wl_context *context, wl_text text, const wl_encode_options *options,
                    uint32_t *ids, wl_span *spans, size_t capacity, size_t *count, wl_error *error)
{
    wl_error unused;
    if (!error) error = &unused;
    wl_encode_options chosen;
    if (wl_read_options(&chosen, sizeof chosen, options, "wl_encode_options", error)) return error->code;
    if (!tokenizer || !context || !count || (capacity && !ids) || (text.size && !text.data))
        return wl_fail(error, WL_ERROR_ARGUMENT, "wl_encode: an argument is NULL");
    wl_worker *worker = &context->workers[0];
    wl_text_scratch *scratch = &worker->text;
    uint64_t replaced = scratch->replaced;
    if (wl_tokenize(tokenizer, text, spans != NULL, scratch, error)) return error->code;
    if (scratch->replaced != replaced) text = (wl_text){scratch->repaired.data, scratch->repaired.size};

    const wl_tokens *tokens = &scratch->tokens;
    const wl_truncation *truncation = &tokenizer->truncation;
    size_t begin = 0, end = tokens->count, special = chosen.special_tokens ? tokenizer->special_count : 0;
    if (chosen.truncation && truncation->declared) {
        if (truncation->only_second && end + special > truncation->max_length)
            return wl_fail_at(error, WL_ERROR_UNSUPPORTED, tokenizer->name, WL_NO_POSITION, 0,
                              "the declared truncation cuts the second of two texts only");
        if (truncate(truncation->max_length, special, truncation->left, &begin, &end, error)) return error->code;
    }
    if (chosen.max_tokens && truncate(chosen.max_tokens, special, false, &begin, &end, error)) return error->code;
    if (end - begin < tokens->count) worker->counts.truncated++;

    struct walker walker = {text, 0, 0};
    if (spans && chosen.unit == WL_CHARACTERS)
        for (size_t i = 0; i < tokens->count; i++) {
            tokens->spans[i].begin = walk(&walker, tokens->spans[i].begin);
            tokens->spans[i].end = walk(&walker, tokens->spans[i].end);
        }

    if (spans && tokenizer->trim_count) wl_trim_spans(tokenizer, begin, end, scratch);

    const wl_padding *padding = &tokenizer->padding;
    static const wl_template_piece alone = {true, false, NULL, 0};
    const wl_template_piece *template = tokenizer->template_count ? tokenizer->template : &alone;
    size_t pieces = tokenizer->template_count ? tokenizer->template_count : 1, total = 0, pads = 0;
    for (size_t i = 0; i < pieces; i++)
        total += template[i].text ? end - begin : chosen.special_tokens ? template[i].count : 0;
    if (chosen.padding && padding->declared) {
        size_t length = padding->fixed ? padding->length : total;
        if (padding->multiple && length % padding->multiple) length += padding->multiple - length % padding->multiple;
        pads = length > total ? length - total : 0;
    }

    struct writer writer = {ids, spans, capacity, 0};
    const wl_span nowhere = {0, 0};
    for (size_t i = 0; padding->left && i < pads; i++) put(&writer, padding->id, nowhere);
    for (size_t i = 0; i < pieces; i++) {
        if (template[i].text)
            for (size_t t = begin; t < end; t++) put(&writer, tokens->ids[t], spans ? tokens->spans[t] : nowhere);
        else if (chosen.special_tokens)
            for (size_t t = 0; t < template[i].count; t++) put(&writer, template[i].ids[t], nowhere);
    }
    for (size_t i = 0; !padding->left && i < pads; i++) put(&writer, padding->id, nowhere);
    worker->counts.texts++;
    worker->counts.tokens += writer.count;
    *count = writer.count;
    if (writer.count > capacity)
        return wl_fail(error, WL_ERROR_LIMIT, "the text has %zu tokens, the buffer holds %zu", writer.count, capacity);
    return WL_OK;
}
