#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "format/json.h"
#include "io.h"
#include "read.h"
#include "tokens.h"

typedef struct cli_decoding {
    const wl_tokenizer *tokenizer;
    wl_context *context;
    uint32_t *ids;
    size_t count, capacity;
    wl_buffer text, line, scratch;
    uint64_t number; /* of the line; 0: the arguments */
    const char *name;
} cli_decoding;

static void add_id(cli_decoding *decoding, wl_json *json)
{
    uint32_t id = (uint32_t)wl_json_unsigned(json, UINT32_MAX);
    void *ids = decoding->ids;
    if (wl_json_failed(json)) return;
    if (wl_reserve(&ids, &decoding->capacity, decoding->count + 1, sizeof *decoding->ids, json->error))
        json->failed = true;
    decoding->ids = ids;
    if (!json->failed) decoding->ids[decoding->count++] = id;
}

/* [1, 2, 3], or the numbers alone with spaces or commas between them, or an object with the member "ids". */
static wl_status read_ids(cli_decoding *decoding, wl_text line, wl_error *error)
{
    wl_json json;
    size_t at = 0;
    decoding->count = 0;
    while (at < line.size && strchr(" \t", line.data[at]) && line.data[at]) at++;
    bool bare = at == line.size || (line.data[at] >= '0' && line.data[at] <= '9');
    if (bare) {
        /* Made an array, so that there is one way to read. */
        wl_buffer *array = &decoding->line;
        array->size = 0;
        if (wl_buffer_append(array, "[", 1, error)) return error->code;
        for (bool number = false; at < line.size;) {
            size_t size = 0;
            while (at + size < line.size && !memchr(" \t,", line.data[at + size], 3)) size++;
            if (size && number && wl_buffer_append(array, ",", 1, error)) return error->code;
            if (wl_buffer_append(array, line.data + at, size, error)) return error->code;
            number |= size > 0;
            at += size + 1;
        }
        if (wl_buffer_append(array, "]", 1, error)) return error->code;
        line = (wl_text){array->data, array->size};
    }
    wl_json_open(&json, line.data, line.size, decoding->name, &decoding->scratch, error);
    if (wl_json_peek(&json) == WL_JSON_OBJECT) {
        bool found = false;
        wl_text key;
        wl_json_begin_object(&json);
        while (wl_json_member(&json, &key)) {
            if (!wl_text_is(key, "ids") || found) {
                wl_json_skip(&json);
                continue;
            }
            found = true;
            wl_json_begin_array(&json);
            while (wl_json_element(&json)) add_id(decoding, &json);
        }
        if (!found && !wl_json_failed(&json)) wl_json_fail(&json, WL_ERROR_FORMAT, "the object has no member \"ids\"");
    } else {
        wl_json_begin_array(&json);
        while (wl_json_element(&json)) add_id(decoding, &json);
    }
    if (!wl_json_close(&json)) return WL_OK;
    /* The cursor saw one line only; the place is that line in the file. */
    snprintf(error->file, sizeof error->file, "%s", decoding->name);
    error->line = decoding->number;
    error->byte = WL_NO_POSITION;
    return error->code;
}

static wl_status decode(cli_decoding *decoding, const cli_settings *settings, wl_buffer *out, wl_error *error)
{
    wl_decode_options options = {.size = sizeof options, .special_tokens = settings->special};
    wl_buffer *text = &decoding->text;
    size_t room = decoding->count * 8 + 64;
    wl_status status;
    do {
        text->size = 0;
        if (wl_buffer_reserve(text, room, error)) return error->code;
        status = wl_decode(decoding->tokenizer, decoding->context, decoding->ids, decoding->count, &options, text->data,
                           text->capacity, &room, error);
    } while (status == WL_ERROR_LIMIT && room > text->capacity);
    if (status) return status;
    wl_text decoded = {text->data, room};
    status =
        settings->json ? append_json(out, decoded, error) : wl_buffer_append(out, decoded.data, decoded.size, error);
    return status ? status : wl_buffer_append(out, "\n", 1, error);
}

/* The arguments are the ids of one text. */
static wl_status join_arguments(const cli_settings *settings, wl_buffer *line, wl_error *error)
{
    for (size_t i = 0; i < settings->operand_count; i++)
        if (wl_buffer_append(line, settings->operands[i], strlen(settings->operands[i]), error) ||
            wl_buffer_append(line, " ", 1, error))
            return error->code;
    return WL_OK;
}

static wl_status detokenize(cli_decoding *decoding, cli_reader *reader, cli_output *output,
                            const cli_settings *settings, wl_error *error)
{
    wl_buffer out = {0}, arguments = {0};
    wl_text line;
    int got;
    wl_status status = WL_OK;
    if (reader->argument_count) {
        decoding->name = "arguments";
        status = join_arguments(settings, &arguments, error);
        if (!status) status = read_ids(decoding, (wl_text){arguments.data, arguments.size}, error);
        if (!status) status = decode(decoding, settings, &out, error);
    } else {
        while (!status && (got = reader_next(reader, &line, error)) != 0) {
            decoding->name = reader->bytes.name;
            decoding->number = reader->line;
            status = got < 0 ? error->code : read_ids(decoding, line, error);
            if (!status) status = decode(decoding, settings, &out, error);
            if (!status) status = output_drain(output, &out, false, error);
        }
    }
    wl_error other; /* the first one counts */
    if (!status) status = output_drain(output, &out, true, error);
    if (status && !output->replaces) (void)output_drain(output, &out, true, &other);
    wl_buffer_free(&out);
    wl_buffer_free(&arguments);
    return status;
}

wl_status cmd_detokenize(const cli_settings *settings, wl_error *error)
{
    cli_reader reader;
    cli_output output = {0};
    cli_tokenizer opened = {0};
    cli_decoding decoding = {0};
    wl_context_options options = {.size = sizeof options, .threads = 1, .cache_megabyte = 1};
    wl_status status = reader_open(&reader, settings, 0, error);
    reader.takes_any_line = true;
    if (!status) status = tokenizer_open(&opened, settings, error);
    decoding.tokenizer = opened.tokenizer;
    if (!status && !(decoding.context = wl_context_create(&options, error))) status = error->code;
    if (!status) status = output_open(&output, settings->output, error);
    if (!status) status = detokenize(&decoding, &reader, &output, settings, error);
    if (!status) status = output_close(&output, error);
    output_abandon(&output);
    reader_close(&reader);
    wl_context_free(decoding.context);
    tokenizer_close(&opened);
    free(decoding.ids);
    wl_buffer_free(&decoding.text);
    wl_buffer_free(&decoding.line);
    wl_buffer_free(&decoding.scratch);
    return status;
}
