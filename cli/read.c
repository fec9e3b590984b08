#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "format/json.h"
#include "text/unicode/utf8.h"

enum { BLOCK = 1 << 18 };

static const char *const standard_input[] = {"-"};

wl_status reader_open(cli_reader *reader, const cli_settings *settings, size_t first, wl_error *error)
{
    *reader = (cli_reader){.paths = settings->inputs, .path_count = settings->input_count};
    reader->arguments = settings->operands + first;
    reader->argument_count = settings->operand_count > first ? settings->operand_count - first : 0;
    /* The usual word for standard input. */
    if (reader->argument_count == 1 && strcmp(reader->arguments[0], "-") == 0) reader->argument_count = 0;
    if (settings->field && !settings->jsonl)
        return wl_fail(error, WL_ERROR_ARGUMENT, "--field has a meaning with --jsonl only");
    if (reader->argument_count && (settings->input_count || settings->jsonl))
        return wl_fail(error, WL_ERROR_ARGUMENT, "texts are given as arguments, so %s has no meaning",
                       settings->jsonl ? "--jsonl" : "--input");
    if (!reader->path_count) {
        reader->paths = standard_input;
        reader->path_count = 1;
    }
    if (settings->jsonl) reader->field = settings->field ? settings->field : "text";
    return WL_OK;
}

/* zlib passes what is not gzip through as it is. */
static wl_status open_file(cli_reader *reader, wl_error *error)
{
    const char *path = reader->paths[reader->next++];
    bool standard = strcmp(path, "-") == 0;
    if (standard && isatty(STDIN_FILENO) && isatty(STDERR_FILENO))
        fprintf(stderr, "wordllama: reading texts from the terminal, one a line; Ctrl-D ends them\n");
    reader->name = standard ? "standard input" : path;
    reader->line = 0;
    reader->ended = false;
    int descriptor = standard ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return wl_fail_errno(error, reader->name, "open", errno);
    struct stat info;
    wl_status status = WL_OK;
    if (fstat(descriptor, &info) != 0)
        status = wl_fail_errno(error, reader->name, "read", errno);
    else if (S_ISDIR(info.st_mode))
        status = wl_fail_at(error, WL_ERROR_IO, reader->name, WL_NO_POSITION, 0, "is a directory, expected a file");
    else if (!(reader->file = gzdopen(descriptor, "rb")))
        status = wl_fail_memory(error, BLOCK);
    if (status)
        close(descriptor);
    else
        gzbuffer(reader->file, BLOCK);
    return status;
}

/* Appends to the block; sets ended at the end of the file, which for gzip must come after a whole stream. */
static wl_status fill(cli_reader *reader, wl_error *error)
{
    wl_buffer *block = &reader->block;
    if (reader->begin) {
        block->size -= reader->begin;
        memmove(block->data, block->data + reader->begin, block->size);
        reader->begin = 0;
    }
    if (wl_buffer_reserve(block, BLOCK, error)) return error->code;
    size_t room = block->capacity - block->size;
    int got = gzread(reader->file, block->data + block->size, room < 1 << 30 ? (unsigned)room : 1u << 30);
    if (got > 0) return block->size += (size_t)got, WL_OK;
    int code;
    const char *message = gzerror(reader->file, &code);
    if (code == Z_ERRNO) return wl_fail_errno(error, reader->name, "read", errno);
    if (code == Z_BUF_ERROR)
        return wl_fail_at(error, WL_ERROR_FORMAT, reader->name, WL_NO_POSITION, 0,
                          "the gzip stream ends too early: the file is truncated");
    if (got < 0 || (code != Z_OK && code != Z_STREAM_END)) {
        const char *reason = strstr(message, ": "); /* in front of it zlib names the descriptor */
        return wl_fail_at(error, WL_ERROR_FORMAT, reader->name, WL_NO_POSITION, 0, "cannot unpack gzip: %s",
                          reason ? reason + 2 : message);
    }
    reader->ended = true;
    return WL_OK;
}

/* The next line of the open file; 0 at its end. */
static int next_line(cli_reader *reader, wl_text *line, wl_error *error)
{
    wl_buffer *block = &reader->block;
    size_t seen = 0; /* bytes of the line that hold no '\n' */
    for (;;) {
        size_t left = block->size - reader->begin;
        const char *start = block->data + reader->begin;
        const char *end = left > seen ? memchr(start + seen, '\n', left - seen) : NULL;
        if (end || reader->ended) {
            if (!end && !left) return 0;
            size_t size = end ? (size_t)(end - start) : left;
            reader->begin += size + (end ? 1 : 0);
            /* A byte order mark belongs to the file, not to its first text. */
            bool marked = reader->line++ == 0 && size >= 3 && memcmp(start, "\xEF\xBB\xBF", 3) == 0;
            if (end && size && start[size - 1] == '\r') size--;
            *line = marked ? (wl_text){start + 3, size - 3} : (wl_text){start, size};
            return 1;
        }
        seen = left;
        if (fill(reader, error)) return -1;
    }
}

/* Replaces *text, a line of JSON, by the string of its member reader->field; of several, the last one counts. */
static wl_status take_field(cli_reader *reader, wl_text *text, wl_error *error)
{
    wl_json json, found = {0};
    bool has = false;
    wl_text key;
    if (wl_utf8_valid(text->data, text->size) != text->size) {
        reader->repaired.size = 0;
        if (wl_utf8_repair(text->data, text->size, &reader->repaired, &reader->replaced, error)) return error->code;
        *text = (wl_text){reader->repaired.data, reader->repaired.size};
    }
    wl_json_open(&json, text->data, text->size, reader->name, &reader->scratch, error);
    if (wl_json_peek(&json) != WL_JSON_OBJECT && !wl_json_failed(&json))
        wl_json_fail(&json, WL_ERROR_FORMAT, "expected a JSON object with the member \"%.200s\"", reader->field);
    wl_json_begin_object(&json);
    while (wl_json_member(&json, &key)) {
        if (wl_text_is(key, reader->field)) {
            /* Read it later: the strings in between share the scratch buffer. */
            found = json;
            has = true;
        }
        wl_json_skip(&json);
    }
    wl_status status = wl_json_close(&json);
    if (!status && !has) status = wl_fail(error, WL_ERROR_FORMAT, "the object has no member \"%.200s\"", reader->field);
    if (!status && wl_json_peek(&found) != WL_JSON_STRING)
        status = wl_fail(error, WL_ERROR_FORMAT, "the member \"%.200s\" is not a string", reader->field);
    if (!status) {
        *text = wl_json_string(&found);
        if (wl_json_failed(&found)) status = error->code;
    }
    if (status) {
        /* The cursor saw one line only; the place is that line in the file. */
        snprintf(error->file, sizeof error->file, "%s", reader->name);
        error->line = reader->line;
        error->byte = WL_NO_POSITION;
    }
    return status;
}

static bool is_blank(wl_text line)
{
    size_t at = 0;
    while (at < line.size && (line.data[at] == ' ' || line.data[at] == '\t' || line.data[at] == '\r')) at++;
    return at == line.size;
}

int reader_next(void *user, wl_text *text, wl_error *error)
{
    cli_reader *reader = user;
    if (reader->argument_count) {
        if (reader->next == reader->argument_count) return 0;
        const char *argument = reader->arguments[reader->next++];
        *text = (wl_text){argument, strlen(argument)};
        return 1;
    }
    for (;;) {
        if (!reader->file) {
            if (reader->next == reader->path_count) return 0;
            if (open_file(reader, error)) return -1;
        }
        int got = next_line(reader, text, error);
        if (got > 0 && reader->field && is_blank(*text)) continue;
        if (got > 0 && reader->field && take_field(reader, text, error)) return -1;
        if (got) return got;
        gzclose(reader->file);
        reader->file = NULL;
    }
}

void reader_close(cli_reader *reader)
{
    if (reader->file) gzclose(reader->file);
    wl_buffer_free(&reader->block);
    wl_buffer_free(&reader->scratch);
    wl_buffer_free(&reader->repaired);
    *reader = (cli_reader){0};
}
