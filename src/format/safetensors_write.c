#include "format/safetensors_write.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define ALIGNMENT 64

static wl_status append(wl_buffer *out, wl_error *error, const char *format, ...) WL_PRINTF(3, 4);

/* printf-style, at most 100 bytes. */
static wl_status append(wl_buffer *out, wl_error *error, const char *format, ...)
{
    char text[101];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return wl_buffer_append(out, text, (size_t)length, error);
}

static wl_status append_string(wl_buffer *out, const char *text, wl_error *error)
{
    wl_status status = wl_buffer_append(out, "\"", 1, error);
    for (; *text && !status; text++) {
        bool plain = (unsigned char)*text >= 0x20 && *text != '"' && *text != '\\';
        status = plain ? wl_buffer_append(out, text, 1, error) : append(out, error, "\\u%04x", (unsigned char)*text);
    }
    return status ? status : wl_buffer_append(out, "\"", 1, error);
}

static wl_status append_tensor(wl_buffer *out, const wl_tensor *tensor, wl_error *error)
{
    if (append_string(out, tensor->name, error) ||
        append(out, error, ":{\"dtype\":\"%s\",\"shape\":[", wl_dtype_name(tensor->dtype)))
        return error->code;
    for (uint32_t i = 0; i < tensor->rank; i++)
        if (append(out, error, "%s%" PRIu64, i ? "," : "", tensor->shape[i])) return error->code;
    return append(out, error, "],\"data_offsets\":[%" PRIu64 ",%" PRIu64 "]}", tensor->offset,
                  tensor->offset + tensor->bytes);
}

/* How much a tensor is in the way of the alignment of those behind it. */
static size_t grade(const wl_tensor *tensor)
{
    return tensor->bytes % ALIGNMENT == 0 ? ALIGNMENT : wl_dtype_size(tensor->dtype);
}

wl_status wl_safetensors_header(wl_tensor *tensors, size_t count, const char *const *metadata, size_t pairs,
                                wl_buffer *header, wl_error *error)
{
    for (size_t i = 1; i < count; i++) { /* by insertion: they are few, and equals keep their order */
        wl_tensor moved = tensors[i];
        size_t to = i;
        for (; to && grade(&tensors[to - 1]) < grade(&moved); to--) tensors[to] = tensors[to - 1];
        tensors[to] = moved;
    }
    size_t begin = header->size;
    uint64_t length = 0, at = 0;
    if (wl_buffer_append(header, &length, sizeof length, error) ||
        append(header, error, pairs ? "{\"__metadata__\":{" : "{"))
        return error->code;
    for (size_t i = 0; i < pairs; i++)
        if ((i && append(header, error, ",")) || append_string(header, metadata[2 * i], error) ||
            append(header, error, ":") || append_string(header, metadata[2 * i + 1], error))
            return error->code;
    if (pairs && append(header, error, "}%s", count ? "," : "")) return error->code;
    for (size_t i = 0; i < count; i++) {
        tensors[i].offset = at;
        at += tensors[i].bytes;
        if ((i && append(header, error, ",")) || append_tensor(header, &tensors[i], error)) return error->code;
    }
    if (append(header, error, "}")) return error->code;
    while ((header->size - begin) % ALIGNMENT)
        if (append(header, error, " ")) return error->code;
    length = header->size - begin - sizeof length;
    for (size_t i = 0; i < sizeof length; i++) header->data[begin + i] = (char)(length >> (8 * i) & 0xFF);
    return WL_OK;
}

wl_status wl_safetensors_write(const char *path, const wl_buffer *header, const wl_tensor *tensors, size_t count,
                               wl_error *error)
{
    wl_replacement file;
    if (wl_replacement_open(&file, path, error)) return error->code;
    bool written = fwrite(header->data, 1, header->size, file.stream) == header->size;
    for (size_t i = 0; i < count && written; i++)
        written = !tensors[i].bytes || fwrite(tensors[i].data, 1, tensors[i].bytes, file.stream) == tensors[i].bytes;
    if (written) return wl_replacement_commit(&file, error);
    wl_fail_errno(error, path, "write", errno);
    wl_replacement_abandon(&file);
    return error->code;
}
