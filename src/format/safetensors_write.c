#include "format/safetensors_write.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "format/json_write.h"

#define ALIGNMENT 64

static void write_text(wl_json_writer *json, const char *text)
{
    wl_json_write_string(json, (wl_text){text, strlen(text)});
}

static void write_tensor(wl_json_writer *json, const wl_tensor *tensor)
{
    write_text(json, tensor->name);
    wl_json_write(json, ":{\"dtype\":\"%s\",\"shape\":[", wl_dtype_name(tensor->dtype));
    for (uint32_t i = 0; i < tensor->rank; i++) wl_json_write(json, "%s%" PRIu64, i ? "," : "", tensor->shape[i]);
    wl_json_write(json, "],\"data_offsets\":[%" PRIu64 ",%" PRIu64 "]}", tensor->offset,
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
    wl_json_writer json = {header, error, wl_buffer_append(header, &length, sizeof length, error)};
    wl_json_write(&json, pairs ? "{\"__metadata__\":{" : "{");
    for (size_t i = 0; i < pairs; i++) {
        if (i) wl_json_write(&json, ",");
        write_text(&json, metadata[2 * i]);
        wl_json_write(&json, ":");
        write_text(&json, metadata[2 * i + 1]);
    }
    if (pairs) wl_json_write(&json, "}%s", count ? "," : "");
    for (size_t i = 0; i < count; i++) {
        tensors[i].offset = at;
        at += tensors[i].bytes;
        if (i) wl_json_write(&json, ",");
        write_tensor(&json, &tensors[i]);
    }
    wl_json_write(&json, "}");
    while (!json.status && (header->size - begin) % ALIGNMENT) wl_json_write(&json, " ");
    if (json.status) return json.status;
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
