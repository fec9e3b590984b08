/* Any bytes as JSON lines, CSV, TSV and lines. What is read is well formed and in order; written as CSV with all fields
 * in quotes it reads back the same. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/fold.h"
#include "data/records.h"
#include "text/unicode/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A file under the names of all forms. */
enum { NAMES = 4 };
static const char *const endings[NAMES] = {"jsonl", "csv", "tsv", "txt"};
static char names[NAMES][64];
static int file = -1;

static void remove_files(void)
{
    for (size_t i = 0; i < NAMES; i++) unlink(names[i]);
}

static void make_files(void)
{
    for (size_t i = 0; i < NAMES; i++)
        snprintf(names[i], sizeof names[i], "/tmp/wl_fuzz_%ld.%s", (long)getpid(), endings[i]);
    file = open(names[0], O_CREAT | O_EXCL | O_RDWR, 0600);
    if (file < 0) abort();
    atexit(remove_files);
    for (size_t i = 1; i < NAMES; i++)
        if (link(names[0], names[i]) != 0) abort();
}

static void put(const void *data, size_t size)
{
    if (ftruncate(file, 0) != 0 || pwrite(file, data, size, 0) != (ssize_t)size) abort();
}

static void append(wl_buffer *out, const char *data, size_t size)
{
    wl_error error;
    if (wl_buffer_append(out, data, size, &error)) abort();
}

static void append_quoted(wl_buffer *out, wl_text text, const char *before)
{
    append(out, before, strlen(before));
    for (size_t i = 0; i < text.size; i++)
        append(out, text.data[i] == '"' ? "\"\"" : &text.data[i], text.data[i] == '"' ? 2 : 1);
    append(out, "\"", 1);
}

static void check_fold(wl_text text)
{
    wl_buffer once = {0}, twice = {0};
    wl_error error;
    if (wl_fold_case(text, &once, &error) || wl_fold_case((wl_text){once.data, once.size}, &twice, &error)) abort();
    if (once.size != twice.size || memcmp(once.data, twice.data, once.size) != 0) abort();
    if (wl_utf8_valid(once.data, once.size) != once.size) abort();
    wl_buffer_free(&once);
    wl_buffer_free(&twice);
}

static void check_record(const wl_records *records, uint64_t before)
{
    if (records->line <= before || records->lines < records->line) abort();
    for (size_t i = 0; i < records->field_count; i++) {
        const wl_field *field = &records->fields[i];
        if (field->kind == WL_JSON_NONE || field->kind == WL_JSON_NULL) abort();
        if (wl_utf8_valid(field->name.data, field->name.size) != field->name.size) abort();
        if (wl_utf8_valid(field->text.data, field->text.size) != field->text.size) abort();
        for (size_t j = 0; j < i && i < 20; j++) {
            wl_text other = records->fields[j].name;
            if (other.size == field->name.size && memcmp(other.data, field->name.data, other.size) == 0) abort();
        }
        check_fold(field->text);
    }
}

/* Reads what is in the file, and writes it as CSV where it is a table. */
static void read_file(const char *name, wl_buffer *out)
{
    wl_records records;
    wl_error error;
    out->size = 0;
    uint64_t line = 0;
    int got = wl_records_open(&records, name, &error) ? -1 : 1;
    while (got > 0 && (got = wl_records_next(&records, &error)) > 0) {
        check_record(&records, line);
        line = records.line;
        for (size_t i = 0; i < records.field_count && records.record == 1; i++)
            append_quoted(out, records.fields[i].name, i ? ",\"" : "\"");
        append(out, "\n", 1);
        for (size_t i = 0; i < records.field_count; i++) append_quoted(out, records.fields[i].text, i ? ",\"" : "\"");
    }
    if (got < 0 && (error.code == WL_OK || !error.message[0])) abort();
    if (got < 0 && error.code == WL_ERROR_FORMAT && records.lines && error.line > records.lines + 1) abort();
    wl_records_close(&records);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wl_buffer first = {0}, second = {0};
    if (file < 0) make_files();
    for (size_t i = 0; i < NAMES; i++) {
        put(data, size);
        read_file(names[i], &first);
        if (i == 0) continue; /* objects have fields of their own each */
        put(first.data, first.size);
        read_file(names[1], &second);
        if (first.size != second.size || (first.size && memcmp(first.data, second.data, first.size) != 0)) abort();
    }
    wl_buffer_free(&first);
    wl_buffer_free(&second);
    return 0;
}
