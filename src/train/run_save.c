/* Models out of a run: the finished rows of the whole vocabulary, computed once, a block at a time, and written for
 * every dimension. All files are written whole under temporary names before the first of them gets its own. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "extract/codebook_write.h"
#include "format/safetensors_write.h"
#include "hub/cache.h"
#include "train/model_write.h"
#include "train/run.h"

enum { BLOCK = 4096, MOST_TEXTS = 8 };

typedef struct saving {
    wl_run *run;
    char *folder;            /* OUTPUT/NAME, for other programs */
    wl_model_writer *models; /* (count): of each Matryoshka dimension, then the folder's */
    size_t count;
    wl_replacement texts[MOST_TEXTS]; /* all other files */
    size_t text_count;
} saving;

/* Rows that are padding are left out; tokens that have none get the last one, which is what readers take for them. */
size_t wl_run_rows(const wl_run *run)
{
    return wl_tokenizer_ids(run->codebook->tokenizer);
}

void wl_run_model_name(const wl_run *run, uint32_t dim, char name[WL_MODEL_NAME])
{
    snprintf(name, WL_MODEL_NAME, "%.200s_%" PRIu32 "%s.safetensors", run->config.name, dim,
             run->config.binarizer != WL_BINARIZE_NONE ? "_binary" : "");
}

/* ---- tables ------------------------------------------------------------------------------------------------------ */

/* What WordLlama's own reader takes: as the texts were trained, unknown tokens count and texts are never cut, also
 * where there are weights, which would make it take the file for one of Model2Vec's. */
static wl_status open_model(saving *this, wl_model_writer *model, uint32_t dim)
{
    wl_run *run = this->run;
    char name[WL_MODEL_NAME], dims[16], vocabulary[24];
    snprintf(dims, sizeof dims, "%" PRIu32, dim);
    snprintf(vocabulary, sizeof vocabulary, "%zu", wl_run_rows(run));
    static const char *const binarizers[] = {"none", "ste", "tanh", "reste", "stochastic"};
    const char *const metadata[] = {"source",
                                    wl_codebook_name(run->codebook),
                                    "dims",
                                    dims,
                                    "binarizer",
                                    binarizers[run->config.binarizer],
                                    "vocabulary",
                                    vocabulary,
                                    "wordllama.policy",
                                    "wordllama"};
    const wl_model_shape shape = {"embedding.weight", wl_run_rows(run), dim, (wl_save_as)run->config.save_as};
    wl_run_model_name(run, dim, name);
    char *path = wl_path_join(run->config.output, name, run->error);
    wl_status status =
        path ? wl_model_writer_open(model, path, &shape, metadata, sizeof metadata / sizeof *metadata / 2, run->error)
             : WL_ERROR_MEMORY;
    free(path);
    return status;
}

/* Model2Vec's names, which sentence-transformers knows too: it takes I8 in no other form. */
static wl_status open_folder_model(saving *this, wl_model_writer *model)
{
    wl_run *run = this->run;
    const wl_model_shape shape = {"embeddings", wl_run_rows(run), (uint32_t)wl_projector_dim(run->projector),
                                  (wl_save_as)run->config.save_as};
    char *path = wl_path_join(this->folder, "model.safetensors", run->error);
    wl_status status = path ? wl_model_writer_open(model, path, &shape, NULL, 0, run->error) : WL_ERROR_MEMORY;
    free(path);
    return status;
}

static wl_status open_models(saving *this)
{
    const wl_train_counts *dims = &this->run->config.matryoshka;
    this->models = wl_allocate(dims->count + 1, sizeof *this->models, this->run->error);
    if (!this->models) return WL_ERROR_MEMORY;
    this->count = dims->count + 1;
    for (size_t i = 0; i < dims->count; i++)
        if (open_model(this, &this->models[i], dims->items[i])) return this->run->error->code;
    return open_folder_model(this, &this->models[dims->count]);
}

static wl_status append(saving *this, const float *rows, size_t count)
{
    size_t dim = wl_projector_dim(this->run->projector);
    for (size_t i = 0; i < this->count; i++)
        if (wl_model_writer_rows(&this->models[i], rows, dim, count, this->run->error)) return this->run->error->code;
    return WL_OK;
}

static wl_status append_all(saving *this, float *rows)
{
    wl_run *run = this->run;
    size_t wanted = wl_run_rows(run), have = wanted < run->table.rows ? wanted : run->table.rows, count = 0;
    for (size_t at = 0; at < have; at += count) {
        count = have - at < BLOCK ? have - at : BLOCK;
        if (wl_projector_rows(run->projector, run->context->pool, at, count, rows, run->error) ||
            append(this, rows, count))
            return run->error->code;
    }
    const float *last = rows + (count - 1) * wl_projector_dim(run->projector);
    for (size_t at = have; at < wanted; at++)
        if (append(this, last, 1)) return run->error->code;
    return WL_OK;
}

static wl_status write_rows(saving *this)
{
    float *rows = wl_allocate(BLOCK, wl_projector_dim(this->run->projector) * sizeof *rows, this->run->error);
    wl_status status = rows ? append_all(this, rows) : WL_ERROR_MEMORY;
    free(rows);
    for (size_t i = 0; i < this->count && !status; i++)
        status = wl_model_writer_finish(&this->models[i], this->run->error);
    return status;
}

/* ---- other files ------------------------------------------------------------------------------------------------- */

static wl_status write_text(saving *this, const char *folder, const char *name, const char *data, size_t size)
{
    wl_error *error = this->run->error;
    char *path = wl_path_join(folder, name, error);
    wl_replacement *file = &this->texts[this->text_count];
    wl_status status = path ? wl_replacement_open(file, path, error) : WL_ERROR_MEMORY;
    if (!status) {
        this->text_count++;
        if (fwrite(data, 1, size, file->stream) != size || fflush(file->stream) != 0)
            status = wl_fail_errno(error, path, "write", errno);
    }
    free(path);
    return status;
}

/* For other programs the tokenizer has this name and no other, whatever lies there. */
static wl_status write_tokenizer(saving *this)
{
    wl_mapping mapping;
    wl_error *error = this->run->error;
    if (wl_mapping_open(&mapping, this->run->codebook->tokenizer_path, error)) return error->code;
    wl_status status = write_text(this, this->folder, "tokenizer.json", mapping.data, mapping.size);
    wl_mapping_close(&mapping);
    return status;
}

/* What makes the folder one of Model2Vec's (config.json) and of sentence-transformers' (modules.json). */
static wl_status describe_folder(saving *this)
{
    static const char modules[] = "[{\"idx\": 0, \"name\": \"0\", \"path\": \".\", "
                                  "\"type\": \"sentence_transformers.models.StaticEmbedding\"}]\n";
    char config[256];
    int size =
        snprintf(config, sizeof config,
                 "{\"model_type\": \"model2vec\", \"architectures\": [\"StaticModel\"], \"hidden_dim\": %zu, "
                 "\"normalize\": false, \"max_length\": null, \"embedding_dtype\": \"%s\"}\n",
                 wl_projector_dim(this->run->projector), this->run->config.save_as == WL_SAVE_I8 ? "int8" : "float16");
    if (write_text(this, this->folder, "modules.json", modules, sizeof modules - 1)) return this->run->error->code;
    return write_text(this, this->folder, "config.json", config, (size_t)size);
}

static wl_status write_card(saving *this, const wl_evaluation *evaluation)
{
    static const char name[] = "README.md";
    wl_run *run = this->run;
    wl_buffer card = {0};
    wl_status status = wl_model_card(run, evaluation, &card, run->error);
    if (!status) status = write_text(this, run->config.output, name, card.data, card.size);
    if (!status) status = write_text(this, this->folder, name, card.data, card.size);
    wl_buffer_free(&card);
    return status;
}

/* What was learned, for the targets of a training that goes on in the new basis. */
static wl_status write_rotation(saving *this)
{
    wl_run *run = this->run;
    size_t dim = wl_projector_dim(run->projector), size = dim * dim * sizeof(float);
    float *rotation = wl_allocate(dim * dim, sizeof *rotation, run->error);
    char tensor_name[] = "rotation", name[WL_MODEL_NAME];
    wl_tensor tensor = {.name = tensor_name, .dtype = WL_F32, .rank = 2, .shape = {dim, dim}, .count = dim * dim};
    tensor.bytes = size;
    wl_buffer file = {0};
    wl_status status = rotation ? wl_projector_rotation(run->projector, rotation, run->error) : WL_ERROR_MEMORY;
    if (!status) status = wl_safetensors_header(&tensor, 1, NULL, 0, &file, run->error);
    if (!status) status = wl_buffer_append(&file, rotation, size, run->error);
    snprintf(name, sizeof name, "%.200s_rotation.safetensors", run->config.name);
    if (!status) status = write_text(this, run->config.output, name, file.data, file.size);
    wl_buffer_free(&file);
    free(rotation);
    return status;
}

/* ---- the end ----------------------------------------------------------------------------------------------------- */

/* Names are given when nothing is left to write. A tokenizer comes before the models that need it. */
static wl_status commit(saving *this)
{
    wl_error *error = this->run->error;
    for (size_t i = 0; i + 1 < this->count; i++) {
        char written[WL_TOKENIZER_PATH];
        if (wl_codebook_copy_tokenizer(this->run->codebook, this->models[i].file.path, written, error))
            return error->code;
    }
    for (size_t i = 0; i < this->text_count; i++)
        if (wl_replacement_commit(&this->texts[i], error)) return error->code;
    for (size_t i = 0; i < this->count; i++)
        if (wl_model_writer_commit(&this->models[i], error)) return error->code;
    return WL_OK;
}

wl_status wl_run_save(wl_run *run, const wl_evaluation *evaluation)
{
    saving this = {.run = run, .folder = wl_run_path(run, "%.200s", run->config.name)};
    wl_status status = this.folder ? wl_make_directories(this.folder, run->error) : WL_ERROR_MEMORY;
    if (!status) status = open_models(&this);
    if (!status) status = write_rows(&this);
    if (!status) status = write_tokenizer(&this);
    if (!status) status = describe_folder(&this);
    if (!status) status = write_card(&this, evaluation);
    if (!status && run->config.kind == WL_PROJECT_ROTATION) status = write_rotation(&this);
    if (!status) status = commit(&this);
    for (size_t i = 0; i < this.count; i++) wl_model_writer_abandon(&this.models[i]);
    for (size_t i = 0; i < this.text_count; i++) wl_replacement_abandon(&this.texts[i]);
    free(this.models);
    free(this.folder);
    return status;
}
