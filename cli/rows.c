#include "rows.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format/npy.h"

static size_t row_bytes(const row_writer *writer)
{
    return writer->binary ? writer->columns : writer->columns * sizeof(float);
}

/* ---- text and JSON ----------------------------------------------------------------------------------------------- */

/* The numbers of a row with separator between them. JSON knows no NaN and no infinity: those are null there. */
static wl_status append_row(row_writer *writer, const void *row, const char *separator, wl_error *error)
{
    wl_buffer *buffer = &writer->buffer;
    if (wl_buffer_reserve(buffer, writer->columns * (NUMBER_SIZE + 2), error)) return error->code;
    char *at = buffer->data + buffer->size;
    for (size_t i = 0; i < writer->columns; i++) {
        for (const char *c = separator; i && *c; c++) *at++ = *c;
        float value = writer->binary ? (float)((const unsigned char *)row)[i] : ((const float *)row)[i];
        if (writer->format == FORMAT_JSONL && !isfinite(value)) {
            for (const char *c = "null"; *c; c++) *at++ = *c;
        } else {
            at += format_float(at, value);
        }
    }
    buffer->size = (size_t)(at - buffer->data);
    return WL_OK;
}

static wl_status write_text(row_writer *writer, wl_text text, const void *row, size_t count, wl_error *error)
{
    (void)text;
    for (size_t i = 0; i < count; i++) {
        if (append_row(writer, (const char *)row + i * row_bytes(writer), " ", error) ||
            wl_buffer_append(&writer->buffer, "\n", 1, error) ||
            output_drain(writer->output, &writer->buffer, false, error))
            return error->code;
    }
    return WL_OK;
}

static wl_status write_jsonl(row_writer *writer, wl_text text, const void *row, size_t count, wl_error *error)
{
    wl_buffer *buffer = &writer->buffer;
    if (append_format(buffer, error, "{\"text\": ") || append_json(buffer, text, error) ||
        append_format(buffer, error, writer->token_rows ? ", \"embeddings\": [" : ", \"embedding\": "))
        return error->code;
    for (size_t i = 0; i < count; i++) {
        if (append_format(buffer, error, i ? ", [" : "[") ||
            append_row(writer, (const char *)row + i * row_bytes(writer), ", ", error) ||
            append_format(buffer, error, "]") || output_drain(writer->output, buffer, false, error))
            return error->code;
    }
    return append_format(buffer, error, writer->token_rows ? "]}\n" : "}\n");
}

/* ---- NumPy ------------------------------------------------------------------------------------------------------- */

static wl_status write_header(row_writer *writer, wl_error *error)
{
    char header[WL_NPY_HEADER];
    wl_npy_header(header, writer->binary ? "|u1" : "<f4", writer->rows, writer->columns);
    return output_write(writer->output, header, sizeof header, error);
}

/* A header can be corrected later in a regular file that is not opened for appending. */
static bool can_rewrite(FILE *stream)
{
    struct stat info;
    int flags = fcntl(fileno(stream), F_GETFL);
    return fstat(fileno(stream), &info) == 0 && S_ISREG(info.st_mode) && flags != -1 && !(flags & O_APPEND);
}

static wl_status begin_npy(row_writer *writer, wl_error *error)
{
    FILE *stream = writer->output->stream;
    if (can_rewrite(stream) && (writer->start = ftello(stream)) >= 0) return write_header(writer, error);
    writer->spool = tmpfile();
    return writer->spool ? WL_OK : wl_fail_errno(error, "temporary file", "write", errno);
}

static wl_status write_npy(row_writer *writer, wl_text text, const void *row, size_t count, wl_error *error)
{
    (void)text;
    size_t size = count * row_bytes(writer);
    if (!writer->spool) return output_write(writer->output, row, size, error);
    if (size && fwrite(row, 1, size, writer->spool) != size)
        return wl_fail_errno(error, "temporary file", "write", errno);
    return WL_OK;
}

static wl_status copy_spool(row_writer *writer, wl_error *error)
{
    char block[1 << 15];
    if (fflush(writer->spool)) return wl_fail_errno(error, "temporary file", "write", errno);
    rewind(writer->spool);
    for (size_t got; (got = fread(block, 1, sizeof block, writer->spool)) > 0;)
        if (output_write(writer->output, block, got, error)) return error->code;
    return ferror(writer->spool) ? wl_fail_errno(error, "temporary file", "read", errno) : WL_OK;
}

static wl_status end_npy(row_writer *writer, wl_error *error)
{
    if (writer->spool) return write_header(writer, error) ? error->code : copy_spool(writer, error);
    FILE *stream = writer->output->stream;
    if (fseeko(stream, writer->start, SEEK_SET)) return wl_fail_errno(error, writer->output->name, "write", errno);
    if (write_header(writer, error)) return error->code;
    /* What runs after us on the same descriptor goes on behind the array. */
    return fseeko(stream, 0, SEEK_END) ? wl_fail_errno(error, writer->output->name, "write", errno) : WL_OK;
}

/* ---- any --------------------------------------------------------------------------------------------------------- */

static const struct {
    wl_status (*begin)(row_writer *, wl_error *);
    wl_status (*write)(row_writer *, wl_text, const void *, size_t, wl_error *);
    wl_status (*end)(row_writer *, wl_error *);
} formats[] = {
    [FORMAT_TEXT] = {NULL, write_text, NULL},
    [FORMAT_JSONL] = {NULL, write_jsonl, NULL},
    [FORMAT_NPY] = {begin_npy, write_npy, end_npy},
};

wl_status rows_begin(row_writer *writer, wl_error *error)
{
    return formats[writer->format].begin ? formats[writer->format].begin(writer, error) : WL_OK;
}

wl_status rows_write(row_writer *writer, wl_text text, const void *rows, size_t count, wl_error *error)
{
    writer->rows += count;
    if (formats[writer->format].write(writer, text, rows, count, error)) return error->code;
    return output_drain(writer->output, &writer->buffer, false, error);
}

wl_status rows_flush(row_writer *writer, wl_error *error)
{
    if (output_drain(writer->output, &writer->buffer, true, error)) return error->code;
    return output_flush(writer->output, error);
}

wl_status rows_end(row_writer *writer, wl_error *error)
{
    if (output_drain(writer->output, &writer->buffer, true, error)) return error->code;
    return formats[writer->format].end ? formats[writer->format].end(writer, error) : WL_OK;
}

void rows_free(row_writer *writer)
{
    wl_buffer_free(&writer->buffer);
    if (writer->spool) fclose(writer->spool);
    writer->spool = NULL;
}
