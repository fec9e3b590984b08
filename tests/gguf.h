/* GGUF files made in memory, byte by byte, and read from there. Include test.h first. */
#ifndef WL_GGUF_H
#define WL_GGUF_H

#include <inttypes.h>

#include "extract/gguf.h"

static inline void put_bytes(wl_buffer *file, const void *data, size_t size)
{
    if (wl_buffer_append(file, data, size, NULL)) exit(EXIT_FAILURE);
}

static inline void put_number(wl_buffer *file, uint64_t value, size_t size)
{
    unsigned char bytes[8];
    for (size_t i = 0; i < 8; i++) bytes[i] = (unsigned char)(value >> 8 * i);
    put_bytes(file, bytes, size);
}

static inline void put_string(wl_buffer *file, const char *text)
{
    put_number(file, strlen(text), 8);
    put_bytes(file, text, strlen(text));
}

static inline void put_header(wl_buffer *file, uint64_t version, uint64_t tensors, uint64_t keys)
{
    file->size = 0;
    put_bytes(file, "GGUF", 4);
    put_number(file, version, 4);
    put_number(file, tensors, 8);
    put_number(file, keys, 8);
}

static inline void put_key(wl_buffer *file, const char *key, wl_gguf_type type)
{
    put_string(file, key);
    put_number(file, type, 4);
}

static inline void put_array(wl_buffer *file, const char *key, wl_gguf_type type, uint64_t count)
{
    put_key(file, key, WL_GGUF_ARRAY);
    put_number(file, type, 4);
    put_number(file, count, 8);
}

static inline void put_text(wl_buffer *file, const char *key, const char *value)
{
    put_key(file, key, WL_GGUF_STRING);
    put_string(file, value);
}

static inline void put_strings(wl_buffer *file, const char *key, const char *const *values, size_t count)
{
    put_array(file, key, WL_GGUF_STRING, count);
    for (size_t i = 0; i < count; i++) put_string(file, values[i]);
}

/* An entry of the list of tensors; dims innermost first, as the file has them. */
static inline void put_tensor(wl_buffer *file, const char *name, uint32_t rank, const uint64_t *dims, uint32_t type,
                              uint64_t offset)
{
    put_string(file, name);
    put_number(file, rank, 4);
    for (uint32_t i = 0; i < rank; i++) put_number(file, dims[i], 8);
    put_number(file, type, 4);
    put_number(file, offset, 8);
}

/* Zeros up to a multiple of alignment, then size more. */
static inline void put_data(wl_buffer *file, size_t alignment, size_t size)
{
    while (file->size % alignment) put_bytes(file, "", 1);
    while (size--) put_bytes(file, "", 1);
}

static inline wl_status gguf_fetch(wl_reader *reader, uint64_t at, void *out, size_t size, wl_error *error)
{
    (void)error;
    CHECK(at <= reader->size && size <= reader->size - at);
    if (size) memcpy(out, (const char *)reader->state + at, size);
    return WL_OK;
}

/* data outlives the reader. */
static inline wl_reader gguf_reader(const void *data, size_t size)
{
    wl_reader reader = {.size = size, .fetch = gguf_fetch, .descriptor = -1};
    reader.state = (void *)(uintptr_t)data;
    reader.name = wl_copy_text("memory", 6, NULL);
    if (!reader.name) exit(EXIT_FAILURE);
    return reader;
}

#endif
