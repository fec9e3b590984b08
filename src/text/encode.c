/* wl_encode and wl_encode_batch: what comes after the model. Truncation, then the post-processor's template, then
 * padding: the oracle's order. */
#include <string.h>

#include "text/context.h"
#include "text/unicode/utf8.h"

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

/* ---- one text ---- */

/* What to make of a text's own tokens, which are in the worker's scratch memory. */
struct range {
    size_t begin, end; /* those that are kept */
    size_t total;      /* tokens with the special ones, without padding */
};

static const wl_template_piece alone = {true, false, NULL, 0};

static size_t template_of(const wl_tokenizer *tokenizer, const wl_template_piece **pieces)
{
    *pieces = tokenizer->template_count ? tokenizer->template : &alone;
    return tokenizer->template_count ? tokenizer->template_count : 1;
}

/* Tokenizes, truncates, and brings the ranges to the unit asked for. */
static wl_status tokenize(const wl_tokenizer *tokenizer, wl_worker *worker, wl_text text,
                          const wl_encode_options *options, bool spans, struct range *range, wl_error *error)
{
    wl_text_scratch *scratch = &worker->text;
    uint64_t replaced = scratch->replaced;
    if (wl_tokenize(tokenizer, text, spans, scratch, error)) return error->code;
    if (scratch->replaced != replaced) text = (wl_text){scratch->repaired.data, scratch->repaired.size};

    const wl_tokens *tokens = &scratch->tokens;
    const wl_truncation *truncation = &tokenizer->truncation;
    size_t begin = 0, end = tokens->count, special = options->special_tokens ? tokenizer->special_count : 0;
    if (options->truncation && truncation->declared) {
        if (truncation->only_second && end + special > truncation->max_length)
            return wl_fail_at(error, WL_ERROR_UNSUPPORTED, tokenizer->name, WL_NO_POSITION, 0,
                              "the declared truncation cuts the second of two texts only");
        if (truncate(truncation->max_length, special, truncation->left, &begin, &end, error)) return error->code;
    }
    if (options->max_tokens && truncate(options->max_tokens, special, false, &begin, &end, error)) return error->code;
    if (end - begin < tokens->count) worker->counts.truncated++;

    struct walker walker = {text, 0, 0};
    if (spans && options->unit == WL_CHARACTERS)
        for (size_t i = 0; i < tokens->count; i++) {
            tokens->spans[i].begin = walk(&walker, tokens->spans[i].begin);
            tokens->spans[i].end = walk(&walker, tokens->spans[i].end);
        }
    if (spans && tokenizer->trim_count) wl_trim_spans(tokenizer, begin, end, options->special_tokens, scratch);

    *range = (struct range){begin, end, 0};
    const wl_template_piece *pieces;
    size_t count = template_of(tokenizer, &pieces);
    for (size_t i = 0; i < count; i++)
        range->total += pieces[i].text ? end - begin : options->special_tokens ? pieces[i].count : 0;
    worker->counts.texts++;
    worker->counts.tokens += range->total;
    return WL_OK;
}

/* Writes to a buffer what fits, counts all. */
struct writer {
    uint32_t *ids;
    wl_span *spans; /* may be NULL */
    size_t capacity, count;
};

static void put(struct writer *writer, const uint32_t *ids, const wl_span *spans, size_t count)
{
    size_t room = writer->capacity > writer->count ? writer->capacity - writer->count : 0;
    size_t size = count < room ? count : room;
    if (size) memcpy(writer->ids + writer->count, ids, size * sizeof *ids);
    if (size && writer->spans && spans)
        memcpy(writer->spans + writer->count, spans, size * sizeof *spans);
    else if (size && writer->spans)
        memset(writer->spans + writer->count, 0, size * sizeof *spans);
    writer->count += count;
}

static void put_padding(struct writer *writer, const wl_padding *padding, size_t count)
{
    for (size_t i = 0; i < count; i++) put(writer, &padding->id, NULL, 1);
}

static void put_range(struct writer *writer, const wl_tokenizer *tokenizer, const wl_tokens *tokens,
                      const struct range *range, bool special)
{
    const wl_template_piece *pieces;
    size_t count = template_of(tokenizer, &pieces), size = range->end - range->begin;
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].text && size) /* without tokens there may be no array */
            put(writer, tokens->ids + range->begin, tokens->spanned ? tokens->spans + range->begin : NULL, size);
        else if (!pieces[i].text && special)
            put(writer, pieces[i].ids, NULL, pieces[i].count);
    }
}

/* The length that texts are padded to, the longest of which has longest tokens; 0: none. */
static size_t padded_length(const wl_padding *padding, const wl_encode_options *options, size_t longest)
{
    if (!options->padding || !padding->declared) return 0;
    size_t length = padding->fixed ? padding->length : longest;
    if (padding->multiple && length % padding->multiple) length += padding->multiple - length % padding->multiple;
    return length;
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
    struct range range = {0};
    if (tokenize(tokenizer, worker, text, &chosen, spans != NULL, &range, error)) return error->code;

    const wl_padding *padding = &tokenizer->padding;
    size_t length = padded_length(padding, &chosen, range.total);
    size_t pads = length > range.total ? length - range.total : 0;
    struct writer writer = {ids, spans, capacity, 0};
    if (padding->left) put_padding(&writer, padding, pads);
    put_range(&writer, tokenizer, &worker->text.tokens, &range, chosen.special_tokens);
    if (!padding->left) put_padding(&writer, padding, pads);
    worker->counts.tokens += pads;
    *count = writer.count;
    if (writer.count > capacity)
        return wl_fail(error, WL_ERROR_LIMIT, "the text has %zu tokens, the buffer holds %zu", writer.count, capacity);
    return WL_OK;
}

/* ---- a batch ---- */

struct batch {
    const wl_tokenizer *tokenizer;
    wl_context *context;
    const wl_text *texts;
    size_t count, group; /* texts; texts an item of work */
    wl_encode_options options;
    bool spans;
    size_t *starts; /* [i + 1]: the tokens of text i, until all are known */
};

static void encode_group(void *user, uint32_t index, size_t item)
{
    const struct batch *batch = user;
    wl_worker *worker = &batch->context->workers[index];
    wl_tokens *all = &worker->batch;
    size_t begin = item * batch->group;
    size_t end = batch->count - begin < batch->group ? batch->count : begin + batch->group;
    batch->context->groups[item] = (wl_batch_group){index, all->count};
    for (size_t i = begin; i < end; i++) {
        struct range range = {0};
        wl_error error;
        if (tokenize(batch->tokenizer, worker, batch->texts[i], &batch->options, batch->spans, &range, &error) ||
            wl_tokens_reserve(all, range.total, &error)) {
            wl_worker_fail(worker, i, &error);
            return;
        }
        struct writer writer = {all->ids, batch->spans ? all->spans : NULL, all->count + range.total, all->count};
        put_range(&writer, batch->tokenizer, &worker->text.tokens, &range, batch->options.special_tokens);
        all->count = writer.count;
        batch->starts[i + 1] = range.total;
    }
}

/* Copies the tokens of all texts to their places in the caller's buffers and turns counts into starts. */
static void gather(const struct batch *batch, struct writer *writer)
{
    const wl_padding *padding = &batch->tokenizer->padding;
    size_t longest = 0;
    for (size_t i = 0; i < batch->count; i++)
        if (batch->starts[i + 1] > longest) longest = batch->starts[i + 1];
    size_t length = padded_length(padding, &batch->options, longest), at = 0;
    const wl_tokens *all = NULL;
    batch->starts[0] = 0;
    for (size_t i = 0; i < batch->count; i++) {
        if (i % batch->group == 0) {
            const wl_batch_group *group = &batch->context->groups[i / batch->group];
            all = &batch->context->workers[group->worker].batch;
            at = group->begin;
        }
        size_t count = batch->starts[i + 1], pads = length > count ? length - count : 0;
        if (padding->left) put_padding(writer, padding, pads);
        if (count) put(writer, all->ids + at, batch->spans ? all->spans + at : NULL, count);
        if (!padding->left) put_padding(writer, padding, pads);
        at += count;
        batch->context->workers[0].counts.tokens += pads;
        batch->starts[i + 1] = writer->count;
    }
}

wl_status wl_encode_batch(const wl_tokenizer *tokenizer, wl_context *context, const wl_text *texts, size_t count,
                          const wl_encode_options *options, uint32_t *ids, wl_span *spans, size_t capacity,
                          size_t *starts, wl_error *error)
{
    wl_error unused;
    if (!error) error = &unused;
    struct batch batch = {.tokenizer = tokenizer, .context = context, .texts = texts, .count = count};
    if (wl_read_options(&batch.options, sizeof batch.options, options, "wl_encode_options", error)) return error->code;
    if (!tokenizer || !context || !starts || (count && !texts) || (capacity && !ids))
        return wl_fail(error, WL_ERROR_ARGUMENT, "wl_encode_batch: an argument is NULL");
    for (size_t i = 0; i < count; i++)
        if (texts[i].size && !texts[i].data)
            return wl_fail(error, WL_ERROR_ARGUMENT, "wl_encode_batch: text %zu is NULL", i);
    batch.spans = spans != NULL;
    batch.starts = starts;
    uint32_t threads = wl_context_threads(context);
    batch.group = count / ((size_t)threads * 16) + 1;
    if (batch.group > 64) batch.group = 64;
    size_t groups = (count + batch.group - 1) / batch.group;
    void *memory = context->groups;
    wl_status status = wl_reserve(&memory, &context->group_capacity, groups, sizeof *context->groups, error);
    context->groups = memory;
    for (uint32_t i = 0; i < threads; i++) {
        context->workers[i].batch.count = 0;
        context->workers[i].batch.spanned = batch.spans;
    }
    if (!status) status = wl_context_run(context, groups, encode_group, &batch, error);
    if (status) return status;
    struct writer writer = {ids, spans, capacity, 0};
    gather(&batch, &writer);
    if (writer.count > capacity)
        return wl_fail(error, WL_ERROR_LIMIT, "the texts have %zu tokens, the buffer holds %zu", writer.count,
                       capacity);
    return WL_OK;
}
