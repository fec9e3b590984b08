#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "format/npy.h"
#include "io.h"
#include "models.h"
#include "read.h"
#include "tokens.h"

enum { BATCH_BYTES = 1 << 20, BATCH_TEXTS = 1 << 16 };

typedef struct cli_slice {
    size_t begin, size;
} cli_slice;

/* Texts read together, copied one behind the other, and their tokens. */
typedef struct cli_batch {
    const wl_tokenizer *tokenizer;
    wl_context *context;
    wl_buffer bytes;
    cli_slice *slices;
    wl_text *texts;
    size_t *starts;
    uint32_t *ids;
    wl_span *spans;
    size_t count, slice_capacity, text_capacity, start_capacity;
    size_t id_capacity, span_capacity;
    uint64_t tokens; /* of the batches before */
} cli_batch;

static void batch_free(cli_batch *batch)
{
    wl_buffer_free(&batch->bytes);
    free(batch->slices);
    free(batch->texts);
    free(batch->starts);
    free(batch->ids);
    free(batch->spans);
}

/* Reads texts until there are most of them, or bytes enough; on failure the batch holds those before it. */
static wl_status batch_read(cli_batch *batch, cli_reader *reader, size_t most, wl_error *error)
{
    wl_status read = WL_OK;
    batch->count = batch->bytes.size = 0;
    while (batch->count < most && batch->bytes.size < BATCH_BYTES) {
        wl_text text;
        int got = reader_next(reader, &text, error);
        if (got < 0) read = error->code;
        if (got <= 0) break;
        void *slices = batch->slices;
        wl_status status = wl_reserve(&slices, &batch->slice_capacity, batch->count + 1, sizeof(cli_slice), error);
        batch->slices = slices;
        if (!status) status = wl_buffer_append(&batch->bytes, text.data, text.size, error);
        if (status) return batch->count = 0, status;
        batch->slices[batch->count++] = (cli_slice){batch->bytes.size - text.size, text.size};
    }
    void *texts = batch->texts, *starts = batch->starts;
    wl_error other;
    wl_status status = wl_reserve(&texts, &batch->text_capacity, batch->count, sizeof(wl_text), &other);
    batch->texts = texts;
    if (!status) status = wl_reserve(&starts, &batch->start_capacity, batch->count + 1, sizeof(size_t), &other);
    batch->starts = starts;
    if (status) return batch->count = 0, *error = other, status;
    for (size_t i = 0; i < batch->count; i++) {
        const cli_slice *slice = &batch->slices[i];
        batch->texts[i] = (wl_text){slice->size ? batch->bytes.data + slice->begin : "", slice->size};
    }
    return read;
}

static wl_status batch_encode(cli_batch *batch, const cli_settings *settings, wl_error *error)
{
    wl_encode_options options = {
        .size = sizeof options,
        .special_tokens = settings->special,
        .truncation = settings->truncate,
        .padding = settings->pad,
        .unit = WL_CHARACTERS,
    };
    /* Texts have rarely more tokens than bytes, so that they are seldom encoded twice. */
    size_t room = batch->bytes.size + 4 * batch->count;
    for (;;) {
        void *ids = batch->ids, *spans = batch->spans;
        wl_status status = WL_OK;
        if (settings->offsets) status = wl_reserve(&spans, &batch->span_capacity, room, sizeof(wl_span), error);
        batch->spans = spans;
        if (!status) status = wl_reserve(&ids, &batch->id_capacity, room, sizeof(uint32_t), error);
        batch->ids = ids;
        if (status) return status;
        size_t capacity =
            settings->offsets && batch->span_capacity < batch->id_capacity ? batch->span_capacity : batch->id_capacity;
        batch->starts[batch->count] = 0;
        status = wl_encode_batch(batch->tokenizer, batch->context, batch->texts, batch->count, &options, batch->ids,
                                 settings->offsets ? batch->spans : NULL, capacity, batch->starts, error);
        if (status != WL_ERROR_LIMIT || batch->starts[batch->count] <= capacity) return status;
        room = batch->starts[batch->count];
    }
}

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

static wl_status append_id(const cli_batch *batch, size_t i, wl_buffer *out, wl_error *error)
{
    return append_unsigned(out, batch->ids[i], error);
}

static wl_status append_piece(const cli_batch *batch, size_t i, wl_buffer *out, wl_error *error)
{
    wl_text piece = wl_tokenizer_piece(batch->tokenizer, batch->ids[i]);
    return piece.data ? append_json(out, piece, error) : wl_buffer_append(out, "null", 4, error);
}

static wl_status append_span(const cli_batch *batch, size_t i, wl_buffer *out, wl_error *error)
{
    if (wl_buffer_append(out, "[", 1, error) || append_unsigned(out, batch->spans[i].begin, error) ||
        wl_buffer_append(out, ", ", 2, error) || append_unsigned(out, batch->spans[i].end, error))
        return error->code;
    return wl_buffer_append(out, "]", 1, error);
}

/* What can be printed of the tokens. */
static const struct {
    const char *name;
    size_t wanted; /* offset of its switch in settings */
    wl_status (*append)(const cli_batch *, size_t, wl_buffer *, wl_error *);
} columns[] = {
    {"ids", offsetof(cli_settings, ids), append_id},
    {"pieces", offsetof(cli_settings, pieces), append_piece},
    {"offsets", offsetof(cli_settings, offsets), append_span},
};

enum { COLUMNS = sizeof columns / sizeof *columns };

static wl_status append_column(const cli_batch *batch, size_t text, size_t column, wl_buffer *out, wl_error *error)
{
    if (wl_buffer_append(out, "[", 1, error)) return error->code;
    for (size_t i = batch->starts[text]; i < batch->starts[text + 1]; i++) {
        if (i > batch->starts[text] && wl_buffer_append(out, ", ", 2, error)) return error->code;
        if (columns[column].append(batch, i, out, error)) return error->code;
    }
    return wl_buffer_append(out, "]", 1, error);
}

/* One column is a bare array; more are the members of an object. */
static wl_status append_tokens(const cli_batch *batch, size_t text, const cli_settings *settings, wl_buffer *out,
                               wl_error *error)
{
    if (settings->count) {
        size_t count = batch->starts[text + 1] - batch->starts[text];
        return append_unsigned(out, count, error) ? error->code : wl_buffer_append(out, "\n", 1, error);
    }
    bool object = settings->ids + settings->pieces + settings->offsets > 1;
    const char *before = "{";
    for (size_t i = 0; i < COLUMNS; i++) {
        if (!*(const uint32_t *)((const char *)settings + columns[i].wanted)) continue;
        if (object && append_format(out, error, "%s\"%s\": ", before, columns[i].name)) return error->code;
        if (append_column(batch, text, i, out, error)) return error->code;
        before = ", ";
    }
    return object ? wl_buffer_append(out, "}\n", 2, error) : wl_buffer_append(out, "\n", 1, error);
}

static wl_status write_json(const cli_batch *batch, cli_output *outputs, wl_buffer *out, const cli_settings *settings,
                            wl_error *error)
{
    for (size_t i = 0; i < batch->count; i++)
        if (append_tokens(batch, i, settings, out, error) || output_drain(outputs, out, false, error))
            return error->code;
    return WL_OK;
}

/* ---- NumPy ------------------------------------------------------------------------------------------------------- */

/* PREFIX.ids.npy: the ids of all texts, one text behind the other. PREFIX.starts.npy: where each text starts, and at
 * last the number of all ids. */
static const struct {
    const char *suffix, *type;
} arrays[2] = {{".ids.npy", "<u4"}, {".starts.npy", "<u8"}};

/* The header, which is written once more at the end. */
static wl_status write_header(cli_output *output, size_t array, uint64_t count, wl_error *error)
{
    char header[WL_NPY_HEADER];
    wl_npy_header(header, arrays[array].type, count, 0);
    if (fseeko(output->stream, 0, SEEK_SET)) return wl_fail_errno(error, output->name, "write", errno);
    return output_write(output, header, sizeof header, error);
}

static wl_status open_arrays(cli_output outputs[2], char *paths[2], const char *prefix, wl_error *error)
{
    for (size_t i = 0; i < 2; i++) {
        wl_buffer path = {0};
        wl_status status = wl_buffer_append(&path, prefix, strlen(prefix), error);
        if (!status) status = wl_buffer_append(&path, arrays[i].suffix, strlen(arrays[i].suffix) + 1, error);
        paths[i] = path.data;
        if (!status) status = output_open(&outputs[i], paths[i], error);
        if (!status && !outputs[i].replaces)
            status = wl_fail_at(error, WL_ERROR_ARGUMENT, paths[i], WL_NO_POSITION, 0, "is not a regular file");
        if (!status) status = write_header(&outputs[i], i, 0, error);
        if (status) return status;
    }
    uint64_t first = 0;
    return output_write(&outputs[1], &first, sizeof first, error);
}

static wl_status write_arrays(cli_batch *batch, cli_output outputs[2], wl_error *error)
{
    size_t count = batch->starts[batch->count];
    if (output_write(&outputs[0], batch->ids, count * sizeof *batch->ids, error)) return error->code;
    for (size_t i = 1; i <= batch->count; i++) {
        uint64_t end = batch->tokens + batch->starts[i];
        if (output_write(&outputs[1], &end, sizeof end, error)) return error->code;
    }
    batch->tokens += count;
    return WL_OK;
}

/* ---- the verb ---------------------------------------------------------------------------------------------------- */

static wl_status take_batch(cli_batch *batch, cli_output outputs[2], wl_buffer *out, const cli_settings *settings,
                            wl_error *error)
{
    if (batch_encode(batch, settings, error)) return error->code;
    return settings->npy ? write_arrays(batch, outputs, error) : write_json(batch, outputs, out, settings, error);
}

static wl_status tokenize(cli_batch *batch, cli_reader *reader, cli_output outputs[2], const cli_settings *settings,
                          wl_error *error)
{
    wl_buffer out = {0};
    wl_error other; /* the first one counts */
    uint64_t texts = 0;
    wl_status status = WL_OK;
    /* Padding is that of a text alone: how texts fall into batches must not show. */
    size_t most = settings->pad ? 1 : BATCH_TEXTS;
    for (;;) {
        status = batch_read(batch, reader, most, error);
        texts += batch->count;
        if (batch->count && take_batch(batch, outputs, &out, settings, &other) && !status) {
            *error = other;
            status = other.code;
        }
        if (status || !batch->count) break;
    }
    if (!status && settings->npy) {
        status = write_header(&outputs[0], 0, batch->tokens, error);
        if (!status) status = write_header(&outputs[1], 1, texts + 1, error);
    }
    if (!status && !settings->npy) status = output_drain(outputs, &out, true, error);
    if (status && !settings->npy && !outputs->replaces) (void)output_drain(outputs, &out, true, &other);
    wl_buffer_free(&out);
    return status;
}

static wl_status check_settings(const cli_settings *settings, wl_error *error)
{
    uint32_t shown = settings->ids + settings->pieces + settings->offsets;
    if (settings->count && (shown || settings->npy))
        return wl_fail(error, WL_ERROR_ARGUMENT,
                       "--count prints numbers alone: not with --ids, --pieces, --offsets, --npy");
    if (settings->npy && (settings->pieces || settings->offsets || settings->output))
        return wl_fail(error, WL_ERROR_ARGUMENT,
                       "--npy writes ids to files of its own: not with --pieces, --offsets, --output");
    if (settings->npy && !*settings->npy) return wl_fail(error, WL_ERROR_ARGUMENT, "--npy is empty, expected a path");
    return WL_OK;
}

wl_status cmd_tokenize(const cli_settings *settings, wl_error *error)
{
    cli_reader reader;
    cli_output outputs[2] = {{0}};
    char *paths[2] = {NULL, NULL};
    cli_settings shown = *settings;
    cli_tokenizer opened = {0};
    cli_batch batch = {0};
    if (!shown.pieces && !shown.offsets && !shown.count) shown.ids = 1;
    wl_status status = reader_open(&reader, settings, 0, error);
    if (!status) status = check_settings(settings, error);
    if (!status) status = tokenizer_open(&opened, settings, error);
    batch.tokenizer = opened.tokenizer;
    wl_context_options options = {.size = sizeof options, .threads = reader.argument_count ? 1 : settings->threads};
    if (!status && !(batch.context = wl_context_create(&options, error))) status = error->code;
    if (!status && settings->npy) status = open_arrays(outputs, paths, settings->npy, error);
    if (!status && !settings->npy) status = output_open(&outputs[0], settings->output, error);
    if (!status) status = tokenize(&batch, &reader, outputs, &shown, error);
    if (!status) status = output_close(&outputs[0], error);
    if (!status && settings->npy) status = output_close(&outputs[1], error);
    if (!status) report_replaced(batch.context, reader.replaced);
    for (size_t i = 0; i < 2; i++) output_abandon(&outputs[i]), free(paths[i]);
    reader_close(&reader);
    wl_context_free(batch.context);
    tokenizer_close(&opened);
    batch_free(&batch);
    return status;
}
