/* Models out of a run: the finished rows of the whole vocabulary, computed once, a block at a time, and written for
 * every dimension. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "extract/codebook_write.h"
#include "hub/cache.h"
#include "train/run.h"

enum { BLOCK = 4096, MOST_FILES = WL_MOST_VARIANTS };

/* A model being written: the first dim columns. */
typedef struct model_file {
    char *path;
    uint32_t dim;
    wl_codebook_writer writer;
} model_file;

typedef struct saving {
    wl_run *run;
    model_file files[MOST_FILES];
    size_t count;
    float *rows, *cut; /* (BLOCK, dim) */
} saving;

static wl_status add_file(saving *this, char *path, uint32_t dim)
{
    wl_run *run = this->run;
    if (!path) return WL_ERROR_MEMORY;
    model_file *file = &this->files[this->count++];
    *file = (model_file){.path = path, .dim = dim};
    char dims[16], vocabulary[24];
    snprintf(dims, sizeof dims, "%" PRIu32, dim);
    snprintf(vocabulary, sizeof vocabulary, "%zu", run->table.rows);
    static const char *const binarizers[] = {"none", "ste", "tanh", "reste", "stochastic"};
    const char *const metadata[] = {"source",    wl_codebook_name(run->codebook),   "dims",       dims,
                                    "binarizer", binarizers[run->config.binarizer], "vocabulary", vocabulary};
    return wl_codebook_writer_open(&file->writer, path, run->table.rows, dim, WL_STORE_F16, metadata,
                                   sizeof metadata / sizeof *metadata / 2, run->error);
}

/* OUTPUT/NAME_DIM.safetensors ..., and the folder for other programs with all dimensions. */
static wl_status open_files(saving *this, const char *folder_file)
{
    wl_run *run = this->run;
    const wl_train_counts *dims = &run->config.matryoshka;
    const char *binary = run->config.binarizer != WL_BINARIZE_NONE ? "_binary" : "";
    for (size_t i = 0; i < dims->count && i + 1 < MOST_FILES; i++) {
        char *path = wl_run_path(run, "%.200s_%" PRIu32 "%s.safetensors", run->config.name, dims->items[i], binary);
        if (add_file(this, path, dims->items[i])) return run->error->code;
    }
    char *path = wl_copy_text(folder_file, strlen(folder_file), run->error);
    return add_file(this, path, (uint32_t)wl_projector_dim(run->projector));
}

static wl_status write_block(saving *this, size_t count)
{
    size_t dim = wl_projector_dim(this->run->projector);
    for (size_t i = 0; i < this->count; i++) {
        model_file *file = &this->files[i];
        for (size_t row = 0; row < count; row++)
            memcpy(this->cut + row * file->dim, this->rows + row * dim, file->dim * sizeof *this->cut);
        if (wl_codebook_writer_rows(&file->writer, this->cut, count, this->run->error)) return this->run->error->code;
    }
    return WL_OK;
}

static wl_status write_rows(saving *this)
{
    wl_run *run = this->run;
    size_t dim = wl_projector_dim(run->projector);
    this->rows = wl_allocate(BLOCK, dim * sizeof *this->rows, run->error);
    this->cut = this->rows ? wl_allocate(BLOCK, dim * sizeof *this->cut, run->error) : NULL;
    if (!this->cut) return WL_ERROR_MEMORY;
    for (size_t at = 0; at < run->table.rows; at += BLOCK) {
        size_t count = run->table.rows - at < BLOCK ? run->table.rows - at : BLOCK;
        if (wl_projector_rows(run->projector, run->context->pool, at, count, this->rows, run->error) ||
            write_block(this, count))
            return run->error->code;
    }
    return WL_OK;
}

/* All files get their names when the last of them is whole. */
static wl_status commit(saving *this)
{
    wl_run *run = this->run;
    char written[WL_TOKENIZER_PATH];
    for (size_t i = 0; i < this->count; i++) {
        if (wl_codebook_writer_commit(&this->files[i].writer, run->error) ||
            wl_codebook_copy_tokenizer(run->codebook, this->files[i].path, written, run->error))
            return run->error->code;
    }
    return WL_OK;
}

/* ---- other files ------------------------------------------------------------------------------------------------- */

static wl_status put_file(const wl_run *run, const char *path, const char *data, size_t size)
{
    wl_replacement file;
    if (wl_replacement_open(&file, path, run->error)) return run->error->code;
    if (fwrite(data, 1, size, file.stream) == size) return wl_replacement_commit(&file, run->error);
    wl_status status = wl_fail_errno(run->error, path, "write", errno);
    wl_replacement_abandon(&file);
    return status;
}

static wl_status put_text(const wl_run *run, const char *folder, const char *name, const char *text)
{
    char *path = wl_path_join(folder, name, run->error);
    wl_status status = path ? put_file(run, path, text, strlen(text)) : WL_ERROR_MEMORY;
    free(path);
    return status;
}

/* What sentence-transformers loads as a StaticEmbedding, and Model2Vec as one of those. */
static wl_status describe_folder(const wl_run *run, const char *folder)
{
    static const char modules[] = "[{\"idx\": 0, \"name\": \"0\", \"path\": \"0_StaticEmbedding\", "
                                  "\"type\": \"sentence_transformers.models.StaticEmbedding\"}]\n";
    static const char config[] =
        "{\"similarity_fn_name\": \"cosine\", \"prompts\": {}, \"default_prompt_name\": null}\n";
    if (put_text(run, folder, "modules.json", modules)) return run->error->code;
    return put_text(run, folder, "config_sentence_transformers.json", config);
}

static wl_status put_card(const wl_run *run, const wl_evaluation *evaluation, const char *folder)
{
    wl_buffer card = {0};
    wl_status status = wl_model_card(run, evaluation, &card, run->error);
    char *paths[] = {status ? NULL : wl_run_path(run, "README.md"),
                     status ? NULL : wl_path_join(folder, "README.md", run->error)};
    for (size_t i = 0; i < 2 && !status; i++)
        status = paths[i] ? put_file(run, paths[i], card.data, card.size) : WL_ERROR_MEMORY;
    free(paths[0]);
    free(paths[1]);
    wl_buffer_free(&card);
    return status;
}

wl_status wl_run_save(wl_run *run, const wl_evaluation *evaluation)
{
    saving this = {.run = run};
    char *folder = wl_run_path(run, "%.200s", run->config.name);
    char *inner = folder ? wl_path_join(folder, "0_StaticEmbedding", run->error) : NULL;
    char *file = inner ? wl_path_join(inner, "model.safetensors", run->error) : NULL;
    wl_status status = file ? wl_make_directories(inner, run->error) : WL_ERROR_MEMORY;
    if (!status) status = open_files(&this, file);
    if (!status) status = write_rows(&this);
    if (!status) status = commit(&this);
    if (!status) status = describe_folder(run, folder);
    if (!status) status = put_card(run, evaluation, folder);
    for (size_t i = 0; i < this.count; i++) {
        wl_codebook_writer_abandon(&this.files[i].writer);
        free(this.files[i].path);
    }
    free(this.rows);
    free(this.cut);
    free(folder);
    free(inner);
    free(file);
    return status;
}
