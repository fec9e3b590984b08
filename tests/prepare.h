/* Preparing texts in tests: a tokenizer whose ids are the bytes of a text, so that what was written can be read. */
#ifndef WL_TEST_PREPARE_H
#define WL_TEST_PREPARE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/random.h"
#include "data/prepare.h"
#include "format/safetensors.h"
#include "hub/cache.h"
#include "test.h"

static char prepare_root[] = "/tmp/wl_test_prepare.XXXXXX";

/* root/name, in one of many buffers that take turns. */
static inline const char *in_root(const char *name)
{
    static char paths[64][256];
    static int turn;
    char *path = paths[turn++ % 64];
    snprintf(path, sizeof paths[0], "%s/%s", prepare_root, name);
    return path;
}

static inline const char *put_text(const char *name, const char *text)
{
    const char *path = in_root(name);
    FILE *file = fopen(path, "wb");
    CHECK(file && fwrite(text, 1, strlen(text), file) == strlen(text));
    if (file) CHECK(fclose(file) == 0);
    return path;
}

/* The character that byte-level BPE writes for a byte: itself where it can be seen, else one from U+0100 on. */
static inline size_t put_byte(unsigned byte, unsigned *unseen, char *out)
{
    bool seen = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    unsigned point = seen ? byte : 256 + (*unseen)++;
    if (point == '"' || point == '\\') return (size_t)sprintf(out, "\\%c", (int)point);
    if (point < 0x80) return (size_t)sprintf(out, "%c", (int)point);
    return (size_t)sprintf(out, "%c%c", (int)(0xC0 | point >> 6), (int)(0x80 | (point & 0x3F)));
}

/* Byte-level BPE without merges: the id of a byte is its value. '~' has no token, and texts of it alone have none. */
static inline const char *put_bytes_tokenizer(const char *name)
{
    static char text[8192];
    unsigned unseen = 0;
    size_t size = (size_t)sprintf(
        text, "{\"version\":\"1.0\",\"added_tokens\":[],\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":"
              "false,\"trim_offsets\":true,\"use_regex\":true},\"model\":{\"type\":\"BPE\",\"dropout\":null,"
              "\"unk_token\":null,\"continuing_subword_prefix\":null,\"end_of_word_suffix\":null,\"fuse_unk\":false,"
              "\"byte_fallback\":false,\"merges\":[],\"vocab\":{");
    for (unsigned byte = 0; byte < 256; byte++) {
        char character[8];
        size_t length = put_byte(byte, &unseen, character);
        if (byte == '~') continue;
        size += (size_t)sprintf(text + size, "%s\"%.*s\":%u", byte ? "," : "", (int)length, character, byte);
    }
    sprintf(text + size, "}}}\n");
    return put_text(name, text);
}

static inline bool same_files(const char *a, const char *b)
{
    wl_mapping x, y;
    wl_error error;
    if (wl_mapping_open(&x, a, &error)) return false;
    bool same = wl_mapping_open(&y, b, &error) == WL_OK;
    if (same) {
        same = x.size == y.size && memcmp(x.data, y.data, x.size) == 0;
        wl_mapping_close(&y);
    }
    wl_mapping_close(&x);
    return same;
}

/* What a file of root holds, to be freed. */
static inline char *read_text(const char *name)
{
    wl_mapping mapping;
    wl_error error;
    if (wl_mapping_open(&mapping, in_root(name), &error)) return NULL;
    char *text = wl_copy_text(mapping.data, mapping.size, &error);
    wl_mapping_close(&mapping);
    return text;
}

/* A result that was opened. */
typedef struct prepared_file {
    wl_safetensors file;
    const uint32_t *ids;
    const uint64_t *starts, *records;
    const float *scores; /* NULL: none */
    size_t texts, count; /* count: of records */
} prepared_file;

/* Checks that the tensors belong together. */
static inline bool open_prepared(prepared_file *this, const char *path)
{
    wl_error error = {0};
    *this = (prepared_file){0};
    wl_status status = wl_safetensors_open(&this->file, path, &error);
    CHECK_THAT(!status, "%s: %s", path, error.message);
    if (status) return false;
    const wl_tensor *ids = wl_safetensors_find(&this->file, "ids"),
                    *starts = wl_safetensors_find(&this->file, "starts"),
                    *records = wl_safetensors_find(&this->file, "records"),
                    *scores = wl_safetensors_find(&this->file, "scores");
    CHECK(ids && ids->dtype == WL_U32 && ids->rank == 1 && starts && starts->dtype == WL_U64 && starts->rank == 1 &&
          records && records->dtype == WL_U64 && records->rank == 1 && starts->count && records->count);
    if (!ids || !starts || !records || !starts->count || !records->count) return false;
    this->ids = (const uint32_t *)(const void *)ids->data;
    this->starts = (const uint64_t *)(const void *)starts->data;
    this->records = (const uint64_t *)(const void *)records->data;
    this->texts = (size_t)starts->count - 1;
    this->count = (size_t)records->count - 1;
    CHECK(!this->starts[0] && this->starts[this->texts] == ids->count);
    CHECK(!this->records[0] && this->records[this->count] == this->texts);
    for (size_t i = 0; i < this->texts; i++) CHECK(this->starts[i] < this->starts[i + 1]);
    for (size_t i = 0; i < this->count; i++) CHECK(this->records[i] < this->records[i + 1]);
    CHECK(!scores || (scores->dtype == WL_F32 && scores->count == this->count));
    if (scores) this->scores = (const float *)(const void *)scores->data;
    return true;
}

/* Text i of a result by the tokenizer of bytes, in one of some buffers that take turns. */
static inline const char *prepared_text(const prepared_file *this, size_t i)
{
    static char texts[8][1024];
    static int turn;
    char *text = texts[turn++ % 8];
    size_t size = 0;
    for (uint64_t at = this->starts[i]; at < this->starts[i + 1] && size + 1 < sizeof texts[0]; at++)
        text[size++] = (char)this->ids[at];
    text[size] = 0;
    return text;
}

/* The next line of *at, moving behind it; false at the end. */
static inline bool next_line(const char **at, wl_text *line)
{
    const char *end = strchr(*at, '\n');
    if (!end) return false;
    *line = (wl_text){*at, (size_t)(end - *at)};
    *at = end + 1;
    return true;
}

static inline bool line_has(wl_text line, const char *part)
{
    size_t size = strlen(part);
    for (size_t i = 0; i + size <= line.size; i++)
        if (memcmp(line.data + i, part, size) == 0) return true;
    return false;
}

#endif
