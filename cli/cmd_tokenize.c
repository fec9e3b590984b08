#include <inttypes.h>
#include <stdlib.h>

#include "commands.h"
#include "io.h"
#include "models.h"

typedef struct cli_encoding {
    const wl_tokenizer *tokenizer;
    uint32_t *ids;
    wl_span *spans;
    size_t count, capacity;
} cli_encoding;

static wl_status encode(cli_encoding *encoding, wl_context *context, wl_text text, const cli_settings *settings,
                        wl_error *error)
{
    wl_encode_options options = {
        .size = sizeof options,
        .special_tokens = settings->special,
        .truncation = settings->truncate,
        .padding = settings->pad,
        .unit = WL_CHARACTERS,
    };
    /* A text has rarely more tokens than bytes, so that it is seldom encoded twice. */
    size_t room = text.size < 1 << 20 ? text.size + 16 : 1 << 20;
    for (;;) {
        void *ids = encoding->ids, *spans = encoding->spans;
        size_t spans_capacity = encoding->capacity;
        wl_status status = WL_OK;
        if (settings->offsets) status = wl_reserve(&spans, &spans_capacity, room, sizeof *encoding->spans, error);
        encoding->spans = spans;
        if (!status) status = wl_reserve(&ids, &encoding->capacity, room, sizeof *encoding->ids, error);
        encoding->ids = ids;
        if (!status)
            status = wl_encode(encoding->tokenizer, context, text, &options, encoding->ids,
                               settings->offsets ? encoding->spans : NULL, encoding->capacity, &encoding->count, error);
        if (status != WL_ERROR_LIMIT || encoding->count <= encoding->capacity) return status;
        room = encoding->count;
    }
}

static wl_status append_id(const cli_encoding *encoding, size_t i, wl_buffer *out, wl_error *error)
{
    return append_format(out, error, "%" PRIu32, encoding->ids[i]);
}

static wl_status append_piece(const cli_encoding *encoding, size_t i, wl_buffer *out, wl_error *error)
{
    wl_text piece = wl_tokenizer_piece(encoding->tokenizer, encoding->ids[i]);
    return piece.data ? append_json(out, piece, error) : append_format(out, error, "null");
}

static wl_status append_span(const cli_encoding *encoding, size_t i, wl_buffer *out, wl_error *error)
{
    return append_format(out, error, "[%" PRIu32 ", %" PRIu32 "]", encoding->spans[i].begin, encoding->spans[i].end);
}

/* What can be printed of the tokens. */
static const struct {
    const char *name;
    size_t wanted; /* offset of its switch in settings */
    wl_status (*append)(const cli_encoding *, size_t, wl_buffer *, wl_error *);
} columns[] = {
    {"ids", offsetof(cli_settings, ids), append_id},
    {"pieces", offsetof(cli_settings, pieces), append_piece},
    {"offsets", offsetof(cli_settings, offsets), append_span},
};

enum { COLUMNS = sizeof columns / sizeof *columns };

static wl_status append_column(const cli_encoding *encoding, size_t column, wl_buffer *out, wl_error *error)
{
    if (wl_buffer_append(out, "[", 1, error)) return error->code;
    for (size_t i = 0; i < encoding->count; i++) {
        if (i && wl_buffer_append(out, ", ", 2, error)) return error->code;
        if (columns[column].append(encoding, i, out, error)) return error->code;
    }
    return wl_buffer_append(out, "]", 1, error);
}

/* One column is a bare array; more are the members of an object. */
static wl_status append_tokens(const cli_encoding *encoding, const cli_settings *settings, wl_buffer *out,
                               wl_error *error)
{
    bool object = settings->ids + settings->pieces + settings->offsets > 1;
    const char *before = "{";
    for (size_t i = 0; i < COLUMNS; i++) {
        if (!*(const uint32_t *)((const char *)settings + columns[i].wanted)) continue;
        if (object && append_format(out, error, "%s\"%s\": ", before, columns[i].name)) return error->code;
        if (append_column(encoding, i, out, error)) return error->code;
        before = ", ";
    }
    return append_format(out, error, object ? "}\n" : "\n");
}

static wl_status tokenize(cli_encoding *encoding, wl_context *context, cli_reader *reader, cli_output *output,
                          const cli_settings *settings, wl_error *error)
{
    cli_settings shown = *settings;
    if (!shown.pieces && !shown.offsets) shown.ids = 1;
    wl_buffer out = {0};
    wl_text text;
    int got;
    wl_status status = WL_OK;
    while (!status && (got = reader_next(reader, &text, error)) != 0) {
        status = got < 0 ? error->code : encode(encoding, context, text, &shown, error);
        if (!status) status = append_tokens(encoding, &shown, &out, error);
        if (!status) status = output_drain(output, &out, false, error);
    }
    if (!status) status = output_drain(output, &out, true, error);
    wl_buffer_free(&out);
    return status;
}

wl_status cmd_tokenize(const cli_settings *settings, wl_error *error)
{
    cli_reader reader;
    cli_output output = {0};
    cli_encoding encoding = {0};
    wl_tokenizer *own = NULL;
    wl_model *model = NULL;
    wl_context *context = NULL;
    char *path = NULL;
    wl_status status = reader_open(&reader, settings, 0, error);
    if (!status && settings->tokenizer) {
        encoding.tokenizer = own = wl_tokenizer_open(settings->tokenizer, error);
    } else if (!status) {
        model = open_model(settings->model, settings, true, &path, error);
        if (model) encoding.tokenizer = wl_model_tokenizer(model);
    }
    wl_context_options options = {.size = sizeof options, .threads = 1};
    if (!status && encoding.tokenizer) context = wl_context_create(&options, error);
    if (!status && !context) status = error->code;
    if (!status) status = output_open(&output, settings->output, error);
    if (!status) status = tokenize(&encoding, context, &reader, &output, settings, error);
    if (!status) status = output_close(&output, error);
    if (!status) report_replaced(context, reader.replaced);
    output_abandon(&output);
    reader_close(&reader);
    wl_context_free(context);
    wl_tokenizer_close(own);
    wl_model_close(model);
    free(encoding.ids);
    free(encoding.spans);
    free(path);
    return status;
}
