/* Small codebooks for tests: tables by formula, tokenizers in a few lines. */
#ifndef WL_TEST_CODEBOOKS_H
#define WL_TEST_CODEBOOKS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "extract/codebook_write.h"
#include "format/half.h"
#include "format/safetensors.h"
#include "hub/cache.h"
#include "test.h"
#include "wordllama_train.h"

static char codebook_root[] = "/tmp/wl_test_codebook.XXXXXX";

/* root/name, in one of many buffers that take turns. */
static inline const char *in_root(const char *name)
{
    static char paths[64][256];
    static int turn;
    char *path = paths[turn++ % 64];
    snprintf(path, sizeof paths[0], "%s/%s", codebook_root, name);
    return path;
}

static inline void put_text(const char *name, const char *text)
{
    FILE *file = fopen(in_root(name), "wb");
    CHECK(file && fwrite(text, 1, strlen(text), file) == strlen(text));
    if (file) CHECK(fclose(file) == 0);
}

/* The golden table: numbers that F16 holds. */
static inline float codebook_number(size_t i, size_t j, size_t dim)
{
    int base = (int)((i * 37 + j * 91 + i * j * 13 + i * i * 7) % 101) - 50;
    return (float)(base * (int)(dim - j) + 40 * (int)(j + 1)) / 1024;
}

/* Random numbers of variance about 1, the same in every run. */
static inline float *random_rows(size_t count, uint64_t seed)
{
    float *rows = malloc(count * sizeof *rows);
    for (size_t i = 0; rows && i < count; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        rows[i] = ((float)(seed >> 40) / 8388608 - 1) * 1.75f;
    }
    return rows;
}

/* Writes a table to root/name. */
static inline void put_table(const char *name, const float *rows, size_t count, size_t dim, wl_stored_as stored_as)
{
    wl_codebook_writer writer;
    wl_error error = {0};
    wl_status status = wl_codebook_writer_open(&writer, in_root(name), count, dim, stored_as, NULL, 0, &error);
    if (!status) status = wl_codebook_writer_rows(&writer, rows, count, &error);
    if (!status) status = wl_codebook_writer_commit(&writer, &error);
    CHECK_THAT(!status, "%s: %s", name, error.message);
    wl_codebook_writer_abandon(&writer);
}

/* A tokenizer whose pieces are words "t0", "t1" ... of the model, and after them added ones "a0", "a1" ... */
static inline void put_words(const char *name, size_t words, size_t added)
{
    FILE *file = fopen(in_root(name), "wb");
    CHECK(file != NULL);
    if (!file) return;
    fprintf(file, "{\"version\":\"1.0\",\"added_tokens\":[");
    for (size_t i = 0; i < added; i++)
        fprintf(file,
                "%s{\"id\":%zu,\"content\":\"a%zu\",\"special\":true,\"single_word\":false,\"lstrip\":false,\"rstrip\":"
                "false,\"normalized\":false}",
                i ? "," : "", words + i, i);
    fprintf(file, "],\"pre_tokenizer\":{\"type\":\"Whitespace\"},\"model\":{\"type\":\"WordLevel\",\"vocab\":{");
    for (size_t i = 0; i < words; i++) fprintf(file, "%s\"t%zu\":%zu", i ? "," : "", i, i);
    fprintf(file, "},\"unk_token\":\"t0\"}}\n");
    CHECK(fclose(file) == 0);
}

/* The floats of a codebook that was written; *rows and *dim are its shape; NULL where it cannot be opened. */
static inline float *read_table(const char *path, size_t *rows, size_t *dim)
{
    wl_error error;
    wl_safetensors file;
    if (wl_safetensors_open(&file, path, &error)) return NULL;
    const wl_tensor *table = wl_safetensors_find(&file, "embedding.weight");
    float *out = table && table->rank == 2 ? malloc((size_t)table->count * sizeof *out) : NULL;
    for (size_t i = 0; out && i < table->count; i++) {
        uint16_t half;
        if (table->dtype == WL_F32)
            memcpy(&out[i], table->data + 4 * i, 4);
        else {
            memcpy(&half, table->data + 2 * i, 2);
            out[i] = table->dtype == WL_F16 ? wl_f16_to_f32(half) : wl_bf16_to_f32(half);
        }
    }
    if (out) {
        *rows = (size_t)table->shape[0];
        *dim = (size_t)table->shape[1];
    }
    wl_safetensors_close(&file);
    return out;
}

/* At the end: nothing is left of a write but what has its name. */
static inline void remove_root(void)
{
    char command[300];
    snprintf(command, sizeof command, "ls -R %s | grep -q '\\.[A-Za-z0-9]\\{6\\}$'", codebook_root);
    CHECK(system(command) != 0);
    wl_remove_tree(codebook_root);
}

/* Whether two files hold the same bytes. */
static inline bool same_files(const char *a, const char *b)
{
    wl_mapping x, y;
    wl_error error;
    if (wl_mapping_open(&x, a, &error)) return false;
    bool same = wl_mapping_open(&y, b, &error) == WL_OK;
    if (same) same = x.size == y.size && memcmp(x.data, y.data, x.size) == 0;
    if (same) wl_mapping_close(&y);
    wl_mapping_close(&x);
    return same;
}

#endif
