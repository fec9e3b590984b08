/* What the tests of extraction share: folders of their own, models made on the spot, codebooks read back. */
#ifndef WL_TESTS_EXTRACTION_H
#define WL_TESTS_EXTRACTION_H

#include <dirent.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "format/half.h"
#include "format/safetensors_write.h"
#include "hub/cache.h"
#include "test.h"
#include "wordllama_train.h"

static char root[] = "/tmp/wl_test_extract.XXXXXX";
static char notes[4096];

static inline void note(void *user, const char *text)
{
    (void)user;
    size_t used = strlen(notes);
    snprintf(notes + used, sizeof notes - used, "%s\n", text);
}

/* root/name, in one of many buffers that take turns. */
static inline const char *in_root(const char *name)
{
    static char paths[128][256];
    static int turn;
    char *path = paths[turn++ % 128];
    snprintf(path, sizeof paths[0], "%s/%s", root, name);
    return path;
}

static inline void put(const char *name, const void *data, size_t size)
{
    FILE *file = fopen(in_root(name), "wb");
    CHECK(file && fwrite(data, 1, size, file) == size);
    if (file) CHECK(fclose(file) == 0);
}

static inline void put_text(const char *name, const char *text)
{
    put(name, text, strlen(text));
}

static inline void make_folder(const char *name)
{
    CHECK(mkdir(in_root(name), 0755) == 0);
}

typedef struct made {
    const char *name;
    wl_dtype dtype;
    uint64_t rows, columns; /* columns 0: a list */
    const void *data;
} made;

static inline void put_tensors(const char *name, const made *tensors, size_t count)
{
    wl_tensor list[8] = {0};
    wl_buffer header = {0};
    wl_error error;
    for (size_t i = 0; i < count; i++) {
        char *copy = wl_copy_text(tensors[i].name, strlen(tensors[i].name), &error);
        list[i] = (wl_tensor){.name = copy, .dtype = tensors[i].dtype, .rank = tensors[i].columns ? 2 : 1};
        list[i].shape[0] = tensors[i].rows;
        list[i].shape[1] = tensors[i].columns ? tensors[i].columns : 1;
        list[i].count = list[i].shape[0] * list[i].shape[1];
        list[i].bytes = (size_t)list[i].count * wl_dtype_size(list[i].dtype);
        list[i].data = tensors[i].data;
    }
    CHECK(wl_safetensors_header(list, count, NULL, 0, &header, &error) == WL_OK);
    CHECK(wl_safetensors_write(in_root(name), &header, list, count, &error) == WL_OK);
    for (size_t i = 0; i < count; i++) free(list[i].name);
    wl_buffer_free(&header);
}

enum { ROWS = 6, DIM = 4 };

static float table[ROWS * DIM], other[ROWS * DIM];

static inline void fill_tables(void)
{
    for (int i = 0; i < ROWS * DIM; i++) {
        table[i] = (float)(i - 11) * 0.37f;
        other[i] = (float)i * 0.01f;
    }
}

static const char words[] = "{\"version\":\"1.0\",\"model\":{\"type\":\"WordLevel\",\"unk_token\":\"a\",\"vocab\":"
                            "{\"a\":0,\"b\":1,\"c\":2,\"d\":3,\"e\":4,\"f\":5}}}";

static inline wl_status extract(const char *source, const char *out, wl_extract_options *options, wl_error *error)
{
    wl_extracted extracted;
    notes[0] = 0;
    options->size = sizeof *options;
    options->message = note;
    return wl_extract(source, out, options, &extracted, error);
}

/* The table of a codebook as floats; the caller frees it. */
static inline float *read_codebook(const char *path, uint64_t rows, uint64_t dim, wl_dtype dtype)
{
    wl_safetensors file;
    wl_error error;
    float *out = NULL;
    wl_status status = wl_safetensors_open(&file, path, &error);
    CHECK_THAT(status == WL_OK, "%s", error.message);
    if (status) return NULL;
    const wl_tensor *tensor = wl_safetensors_find(&file, "embedding.weight");
    CHECK(tensor && tensor->rank == 2 && tensor->shape[0] == rows && tensor->shape[1] == dim && tensor->dtype == dtype);
    if (tensor && tensor->count == rows * dim && tensor->dtype == dtype && (out = calloc(tensor->count, sizeof *out)))
        for (uint64_t i = 0; i < tensor->count; i++) {
            uint16_t half = 0;
            if (dtype == WL_F32) memcpy(&out[i], tensor->data + 4 * i, 4);
            if (dtype != WL_F32) memcpy(&half, tensor->data + 2 * i, 2);
            if (dtype == WL_F16) out[i] = wl_f16_to_f32(half);
            if (dtype == WL_BF16) out[i] = wl_bf16_to_f32(half);
        }
    wl_safetensors_close(&file);
    return out;
}

static inline bool holds_table(const char *path, const float *expected)
{
    float *found = read_codebook(path, ROWS, DIM, WL_F32);
    bool same = found && memcmp(found, expected, sizeof table) == 0;
    free(found);
    return same;
}

static inline int entries(const char *folder)
{
    int count = 0;
    DIR *directory = opendir(in_root(folder));
    if (!directory) return -1;
    for (struct dirent *entry; (entry = readdir(directory));) count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

static const made plain[] = {{"model.embed_tokens.weight", WL_F32, ROWS, DIM, table},
                             {"lm_head.weight", WL_F32, ROWS, DIM, other}};

/* Makes root, with a folder out and a model in the folder plain. */
static inline bool stage_begin(void)
{
    if (!mkdtemp(root)) return false;
    unsetenv("WORDLLAMA_CONFIGS");
    fill_tables();
    make_folder("out");
    make_folder("plain");
    put_tensors("plain/model.safetensors", plain, 2);
    put_text("plain/tokenizer.json", words);
    return true;
}

static inline void stage_end(void)
{
    wl_remove_tree(root);
}

#endif
