#include "read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/csv.h"
#include "text/unicode/utf8.h"

enum { BLOCK = 1 << 18 };

static const char *const standard_input[] = {"-"};

/* ---- what the flags say ------------------------------------------------------------------------------------------ */

static wl_status read_column_number(cli_reader *reader, wl_error *error)
{
    size_t digits = strspn(reader->field, "0123456789");
    unsigned long number = strtoul(reader->field, NULL, 10);
    if (!digits || reader->field[digits] || number == 0 || digits > 9)
        return wl_fail(error, WL_ERROR_ARGUMENT,
                       "--field is '%s', but with --no-header it is the number of a column, from 1", reader->field);
    reader->column = number - 1;
    return WL_OK;
}

/* One ASCII character that neither a quote nor a line's end is. */
static wl_status read_delimiter(cli_reader *reader, const char *value, wl_error *error)
{
    reader->delimiter = ',';
    if (!value) return WL_OK;
    reader->delimiter = strcmp(value, "tab") == 0 ? '\t' : *value;
    bool one = strcmp(value, "tab") == 0 || (*value && !value[1]);
    if (!one || strchr("\"\r\n", reader->delimiter) || (unsigned char)reader->delimiter >= 0x80)
        return wl_fail(error, WL_ERROR_ARGUMENT, "--delimiter is '%.100s', expected one ASCII character or 'tab'",
                       value);
    return WL_OK;
}

static wl_status choose_shape(cli_reader *reader, const cli_settings *settings, reader_shape usual, wl_error *error)
{
    if (settings->jsonl && settings->csv)
        return wl_fail(error, WL_ERROR_ARGUMENT, "--jsonl and --csv contradict each other");
    if (settings->field && !settings->jsonl && !settings->csv)
        return wl_fail(error, WL_ERROR_ARGUMENT, "--field has a meaning with --jsonl or --csv only");
    if (settings->no_header && !settings->csv)
        return wl_fail(error, WL_ERROR_ARGUMENT, "--no-header has a meaning with --csv only");
    if (settings->delimiter && !settings->csv)
        return wl_fail(error, WL_ERROR_ARGUMENT, "--delimiter has a meaning with --csv only");
    if (read_delimiter(reader, settings->delimiter, error)) return error->code;
    reader->as_objects = settings->json && (settings->jsonl || settings->csv);
    reader->shape = settings->jsonl ? SHAPE_JSONL : settings->csv ? SHAPE_CSV : usual;
    reader->without_header = settings->no_header;
    reader->field = settings->field ? settings->field : settings->no_header ? "1" : "text";
    if (!reader->path_count) {
        reader->paths = standard_input;
        reader->path_count = 1;
    }
    return settings->no_header ? read_column_number(reader, error) : WL_OK;
}

static bool is_file(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

/* The first argument that is taken as a text and looks as if a file was meant. */
static const char *find_file_among_texts(const cli_reader *reader)
{
    for (size_t i = 0; i < reader->argument_count; i++)
        if (is_file(reader->arguments[i])) return reader->arguments[i];
    return NULL;
}

static wl_status check_arguments(const cli_reader *reader, const cli_settings *settings, wl_error *error)
{
    const char *file = find_file_among_texts(reader);
    if (file && (settings->inputs.count || settings->jsonl || settings->csv))
        return wl_fail(error, WL_ERROR_ARGUMENT,
                       "'%.200s' stands there as a text; --input is to be repeated for each file: --input %.200s", file,
                       file);
    const char *useless = settings->inputs.count ? "--input"
                          : settings->jsonl      ? "--jsonl"
                          : settings->csv        ? "--csv"
                                                 : NULL;
    if (useless)
        return wl_fail(error, WL_ERROR_ARGUMENT, "texts are given as arguments, so %s has no meaning", useless);
    if (file) fprintf(stderr, "wordllama: warning: '%s' is taken as a text; --input %s reads the file\n", file, file);
    return WL_OK;
}

wl_status reader_open(cli_reader *reader, const cli_settings *settings, size_t first, wl_error *error)
{
    *reader = (cli_reader){.paths = settings->inputs.names, .path_count = settings->inputs.count};
    reader->arguments = settings->operands + first;
    reader->argument_count = settings->operand_count > first ? settings->operand_count - first : 0;
    /* The usual word for standard input. */
    if (reader->argument_count == 1 && strcmp(reader->arguments[0], "-") == 0) reader->argument_count = 0;
    if (choose_shape(reader, settings, SHAPE_LINES, error)) return error->code;
    return reader->argument_count ? check_arguments(reader, settings, error) : WL_OK;
}

wl_status reader_open_files(cli_reader *reader, const cli_settings *settings, wl_error *error)
{
    *reader = (cli_reader){.paths = settings->operands, .path_count = settings->operand_count};
    return choose_shape(reader, settings, SHAPE_WHOLE, error);
}

wl_status reader_open_list(cli_reader *reader, const cli_settings *settings, const cli_list *files, wl_error *error)
{
    *reader = (cli_reader){.paths = files->names, .path_count = files->count};
    return choose_shape(reader, settings, SHAPE_LINES, error);
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

/* Whether a name ends like "texts.csv" or "TEXTS.CSV.GZ". */
static bool has_ending(const char *name, const char *ending)
{
    size_t length = strlen(name), size = strlen(ending);
    if (length > 3 && strcasecmp(name + length - 3, ".gz") == 0) length -= 3;
    return length > size && strncasecmp(name + length - size, ending, size) == 0;
}

static void tell_what_is_read(const cli_reader *reader, const char *path)
{
    static const struct {
        const char *ending, *flag;
    } kinds[] = {{".csv", "--csv"}, {".tsv", "--csv --delimiter tab"}, {".jsonl", "--jsonl"}, {".ndjson", "--jsonl"}};
    if (strcmp(path, "-") == 0 && isatty(STDIN_FILENO) && isatty(STDERR_FILENO))
        fprintf(stderr, "wordllama: reading %s from the terminal; Ctrl-D ends %s\n",
                reader->shape == SHAPE_WHOLE ? "a text" : "texts, one a line,",
                reader->shape == SHAPE_WHOLE ? "it" : "them");
    if (reader->shape != SHAPE_LINES || reader->takes_any_line) return;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (has_ending(path, kinds[i].ending))
            fprintf(stderr, "wordllama: warning: %s is read line by line; %s reads its fields\n", path, kinds[i].flag);
}

/* Appends to the block; sets *ended at the end of the file. */
static wl_status fill(cli_reader *reader, bool *ended, wl_error *error)
{
    wl_buffer *block = &reader->block;
    if (reader->begin) {
        block->size -= reader->begin;
        memmove(block->data, block->data + reader->begin, block->size);
        reader->begin = 0;
    }
    if (wl_buffer_reserve(block, BLOCK, error)) return error->code;
    size_t got;
    if (wl_bytes_read(&reader->bytes, block->data + block->size, block->capacity - block->size, &got, error))
        return error->code;
    block->size += got;
    *ended = got == 0;
    return WL_OK;
}

/* A byte order mark belongs to the file, not to its first text. */
static wl_status pass_mark(cli_reader *reader, wl_error *error)
{
    static const char mark[3] = "\xEF\xBB\xBF";
    wl_buffer *block = &reader->block;
    bool ended = false;
    do
        if (fill(reader, &ended, error)) return error->code;
    while (!ended && block->size < sizeof mark && memcmp(block->data, mark, block->size) == 0);
    if (block->size >= sizeof mark && memcmp(block->data, mark, sizeof mark) == 0) reader->begin = sizeof mark;
    return WL_OK;
}

static wl_status fail_record(const cli_reader *reader, const char *message, wl_error *error)
{
    return wl_fail_at(error, WL_ERROR_FORMAT, reader->bytes.name, WL_NO_POSITION, reader->line, "%s", message);
}

/* Offset of the '\n' that ends a record, or size where it is not in data. */
static size_t find_end(const cli_reader *reader, wl_csv_scan *scan, const char *data, size_t size)
{
    if (reader->shape == SHAPE_WHOLE || !size) return size;
    if (reader->shape == SHAPE_CSV) return wl_csv_find_end(scan, data, size);
    const char *end = memchr(data, '\n', size);
    return end ? (size_t)(end - data) : size;
}

/* The next record of the open file, without '\n'; 0 at its end. */
static int next_record(cli_reader *reader, wl_text *record, wl_error *error)
{
    size_t seen = 0; /* bytes of the record that do not end it */
    bool ended = false;
    wl_csv_scan scan = {.delimiter = reader->delimiter};
    reader->line = reader->lines + 1;
    for (;;) {
        size_t left = reader->block.size - reader->begin;
        const char *start = reader->block.data + reader->begin;
        size_t size = seen + find_end(reader, &scan, start + seen, left - seen);
        if (scan.place == WL_CSV_WRONG)
            return fail_record(reader, "in CSV the delimiter or the line's end must follow a closing quote", error), -1;
        bool found = size < left;
        if (!found && !ended) {
            seen = left;
            if (fill(reader, &ended, error)) return -1;
            continue;
        }
        if (!found && !left && (reader->shape != SHAPE_WHOLE || reader->lines)) return 0;
        if (!found && scan.place == WL_CSV_QUOTED)
            return fail_record(reader, "a field of CSV in quotes that are never closed", error), -1;
        reader->begin += size + (found ? 1 : 0);
        reader->lines += scan.breaks + 1;
        *record = (wl_text){start, size};
        return 1;
    }
}

static wl_status open_next(cli_reader *reader, wl_error *error)
{
    const char *path = reader->paths[reader->next++];
    tell_what_is_read(reader, path);
    reader->lines = 0;
    reader->block.size = reader->begin = 0;
    if (wl_bytes_open(&reader->bytes, path, error) || pass_mark(reader, error)) return error->code;
    if (reader->shape != SHAPE_CSV || reader->without_header) return WL_OK;
    wl_text header;
    int got = next_record(reader, &header, error);
    return got < 0 ? error->code : got > 0 ? take_header(reader, header, error) : WL_OK;
}

wl_status reader_take_header(cli_reader *reader, wl_buffer *out, wl_error *error)
{
    bool has_header = reader->shape == SHAPE_CSV && !reader->without_header && !reader->argument_count;
    reader->one_header = true;
    if (!has_header) return WL_OK;
    if (open_next(reader, error)) return error->code;
    if (!reader->lines) return WL_OK; /* an empty file */
    wl_status status = wl_buffer_append(out, reader->header.data, reader->header.size, error);
    return status ? status : wl_buffer_append(out, "\n", 1, error);
}

/* ---- texts ------------------------------------------------------------------------------------------------------- */

static bool is_blank(wl_text line)
{
    size_t at = 0;
    while (at < line.size && (line.data[at] == ' ' || line.data[at] == '\t' || line.data[at] == '\r')) at++;
    return at == line.size;
}

/* An empty line between JSON objects or CSV records. Blanks alone are a CSV record. */
static bool is_passed_over(const cli_reader *reader, wl_text record)
{
    if (reader->shape == SHAPE_JSONL) return is_blank(record);
    return reader->shape == SHAPE_CSV && (!record.size || (record.size == 1 && *record.data == '\r'));
}

static wl_status take_text(cli_reader *reader, wl_text *text, wl_error *error)
{
    bool ended_by_break = text->data + text->size < reader->block.data + reader->begin;
    if (reader->shape == SHAPE_JSONL) return take_member(reader, text, error);
    if (reader->shape == SHAPE_CSV) return take_column(reader, text, error);
    if (reader->shape == SHAPE_LINES && ended_by_break && text->size && text->data[text->size - 1] == '\r')
        text->size--;
    return WL_OK;
}

int reader_next(void *user, wl_text *text, wl_error *error)
{
    cli_reader *reader = user;
    if (reader->argument_count) {
        if (reader->next == reader->argument_count) return 0;
        const char *argument = reader->arguments[reader->next++];
        *text = reader->record = (wl_text){argument, strlen(argument)};
        return 1;
    }
    for (;;) {
        if (!reader->bytes.open) {
            if (reader->next == reader->path_count) return 0;
            if (open_next(reader, error)) return -1;
        }
        int got = next_record(reader, text, error);
        if (got > 0 && is_passed_over(reader, *text)) continue;
        if (got > 0) reader->record = *text;
        if (got > 0 && take_text(reader, text, error)) return -1;
        if (got > 0 && reader->as_objects && take_object(reader, &reader->record, error)) return -1;
        if (got) return got;
        wl_bytes_close(&reader->bytes);
    }
}

bool reader_ready(const cli_reader *reader)
{
    if (reader->argument_count || !reader->bytes.open) return true;
    size_t left = reader->block.size - reader->begin;
    return (left && memchr(reader->block.data + reader->begin, '\n', left)) || wl_bytes_ready(&reader->bytes);
}

void reader_close(cli_reader *reader)
{
    wl_bytes_close(&reader->bytes);
    wl_buffer_free(&reader->block);
    wl_buffer_free(&reader->header);
    wl_buffer_free(&reader->scratch);
    wl_buffer_free(&reader->repaired);
    wl_buffer_free(&reader->object);
    wl_buffer_free(&reader->names);
    wl_buffer_free(&reader->first_names);
    *reader = (cli_reader){0};
}

wl_status argument_text(const char *argument, wl_buffer *room, uint64_t *replaced, wl_text *text, wl_error *error)
{
    room->size = 0;
    if (wl_utf8_repair(argument, strlen(argument), room, replaced, error)) return error->code;
    *text = (wl_text){room->size ? room->data : "", room->size};
    return WL_OK;
}
