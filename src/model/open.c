/* Opening a model: finding its files, checking that they belong together. */
#include <stdlib.h>
#include <string.h>

#include "format/half.h"
#include "format/json.h"
#include "model/model.h"
#include "model/paths.h"
#include "text/packed.h"

#define MODEL2VEC_MAX_LENGTH 512 /* its default, in tokens */
/* Rows that may be missing for added tokens (they are clamped), or be there as padding for the hardware. */
#define SPARE_ROWS 1024

struct paths {
    wl_model_paths files;
    char *config;
    bool sentence_transformers; /* there is a config_sentence_transformers.json */
};

static void free_paths(struct paths *paths)
{
    wl_model_paths_free(&paths->files);
    free(paths->config);
}

/* Model2Vec keeps its config in config.json beside a table `embeddings`, sentence-transformers in a file of its own
 * beside `embedding.weight`; a folder may hold both. No config is no failure: paths->config stays NULL. */
static wl_status find_config(struct paths *paths, bool own_table, wl_error *error)
{
    static const char *const names[] = {"config_sentence_transformers.json", "config.json"};
    for (size_t i = 0; i < 2; i++) {
        size_t name = own_table ? 1 - i : i;
        char *path = wl_path_join(paths->files.folder, names[name], error);
        if (!path) return error->code;
        bool exists = wl_path_exists(path);
        paths->sentence_transformers |= exists && name == 0;
        if (exists && !paths->config)
            paths->config = path;
        else
            free(path);
    }
    return WL_OK;
}

/* "normalize" and "max_length" of config.json. */
static wl_status read_config(wl_model *model, wl_text text, const char *name, wl_error *error)
{
    wl_buffer scratch = {0};
    wl_json json;
    wl_text key;
    wl_json_open(&json, text.data, text.size, name, &scratch, error);
    wl_json_begin_object(&json);
    while (wl_json_member(&json, &key)) {
        if (wl_text_is(key, "normalize") && wl_json_peek(&json) == WL_JSON_BOOLEAN)
            model->normalize = wl_json_boolean(&json);
        else if (wl_text_is(key, "max_length") && model->policy == WL_POLICY_MODEL2VEC) {
            bool unlimited = wl_json_null(&json);
            model->max_tokens = unlimited ? 0 : (size_t)wl_json_unsigned(&json, UINT32_MAX);
            if (!unlimited && !wl_json_failed(&json) && !model->max_tokens)
                wl_json_fail(&json, WL_ERROR_FORMAT, "max_length is 0, expected at least 1, or null for no limit");
        } else
            wl_json_skip(&json);
    }
    wl_status status = wl_json_close(&json);
    wl_buffer_free(&scratch);
    return status;
}

static wl_status read_config_file(wl_model *model, const char *path, wl_error *error)
{
    wl_mapping mapping;
    if (wl_mapping_open(&mapping, path, error)) return error->code;
    wl_status status = read_config(model, (wl_text){mapping.data, mapping.size}, path, error);
    wl_mapping_close(&mapping);
    return status;
}

static wl_status fail_tensor(const wl_model *model, const wl_tensor *tensor, wl_status code, const char *expected,
                             wl_error *error)
{
    return wl_fail_at(error, code, model->file.path, tensor->offset, 0,
                      "tensor '%s' has type %s and rank %u, expected %s", tensor->name, wl_dtype_name(tensor->dtype),
                      tensor->rank, expected);
}

static wl_status read_mapping(wl_model *model, const wl_tensor *tensor, wl_error *error)
{
    if (tensor->rank != 1 || tensor->count == 0 || (tensor->dtype != WL_I32 && tensor->dtype != WL_I64))
        return fail_tensor(model, tensor, WL_ERROR_FORMAT, "a list of I32 or I64", error);
    model->mapped = (size_t)tensor->count;
    model->mapping = wl_allocate(model->mapped, sizeof *model->mapping, error);
    if (!model->mapping) return error->code;
    for (size_t i = 0; i < model->mapped; i++) {
        int64_t row = 0;
        int32_t narrow = 0;
        if (tensor->dtype == WL_I64)
            memcpy(&row, tensor->data + 8 * i, 8);
        else
            memcpy(&narrow, tensor->data + 4 * i, 4), row = narrow;
        if (row < 0 || (uint64_t)row >= model->rows)
            return wl_fail_at(error, WL_ERROR_FORMAT, model->file.path, tensor->offset, 0,
                              "mapping entry %zu is %lld, expected a row below %zu", i, (long long)row, model->rows);
        model->mapping[i] = (uint32_t)row;
    }
    return WL_OK;
}

static wl_status read_weights(wl_model *model, const wl_tensor *tensor, wl_error *error)
{
    if (tensor->rank != 1 || (tensor->dtype != WL_F64 && tensor->dtype != WL_F32 && tensor->dtype != WL_F16))
        return fail_tensor(model, tensor, WL_ERROR_FORMAT, "a list of F64, F32 or F16", error);
    model->weighted = (size_t)tensor->count;
    bool wide = tensor->dtype == WL_F64;
    void *values = wl_allocate(model->weighted, wide ? sizeof(double) : sizeof(float), error);
    if (!values) return error->code;
    if (wide)
        model->wide_weights = values;
    else
        model->weights = values;
    if (tensor->dtype != WL_F16) {
        if (tensor->bytes) memcpy(values, tensor->data, tensor->bytes);
        return WL_OK;
    }
    for (size_t i = 0; i < model->weighted; i++) {
        uint16_t half;
        memcpy(&half, tensor->data + 2 * i, 2);
        model->weights[i] = wl_f16_to_f32(half);
    }
    return WL_OK;
}

static wl_status find_table(wl_model *model, wl_error *error)
{
    model->table = wl_safetensors_find(&model->file, "embedding.weight");
    if (!model->table) model->table = wl_safetensors_find(&model->file, "embeddings");
    if (!model->table)
        return wl_fail_at(
            error, WL_ERROR_FORMAT, model->file.path, WL_NO_POSITION, 0,
            "has no tensor 'embedding.weight' (WordLlama) or 'embeddings' (Model2Vec); 'wordllama extract' takes "
            "the table out of a language model");
    const wl_tensor *table = model->table;
    bool known = table->dtype == WL_F64 || wl_sum_kernel_of(&wl_kernels_generic, table->dtype);
    if (table->rank != 2 || !known || table->count == 0 || table->shape[0] > WL_ID_LIMIT ||
        table->shape[1] > UINT32_MAX / 8)
        return fail_tensor(model, table, WL_ERROR_FORMAT, "a matrix of F64, F32, F16, BF16 or I8 with rows and columns",
                           error);
    model->rows = (size_t)table->shape[0];
    model->dim = (size_t)table->shape[1];
    return WL_OK;
}

/* Model2Vec cuts a text to max_length times the median length of a piece, in characters. */
static wl_status limit_characters(wl_model *model, wl_error *error)
{
    size_t median;
    if (wl_tokenizer_median(model->tokenizer, &median, error)) return error->code;
    model->max_characters = model->max_tokens * median;
    return WL_OK;
}

/* A tokenizer for another vocabulary gives vectors that mean nothing, so it is refused as far as sizes can tell. */
static wl_status check_vocabulary(const wl_model *model, wl_error *error)
{
    size_t vocabulary = wl_tokenizer_vocabulary(model->tokenizer, true);
    bool model2vec = model->policy == WL_POLICY_MODEL2VEC;
    size_t rows = model->mapping ? model->mapped : model->rows;
    size_t highest = wl_tokenizer_ids(model->tokenizer);
    bool fits = model2vec ? (model->mapping ? highest <= rows : vocabulary == rows)
                          : vocabulary <= rows + SPARE_ROWS && rows <= vocabulary + SPARE_ROWS;
    if (!fits)
        return wl_fail_at(error, WL_ERROR_MISMATCH, model->tokenizer->name, WL_NO_POSITION, 0,
                          "is for another vocabulary: it has %zu pieces, the table in %s has %zu rows", vocabulary,
                          model->file.path, rows);
    if (model->weighted && model->weighted < (model2vec && !model->mapping ? rows : highest))
        return wl_fail_at(error, WL_ERROR_MISMATCH, model->file.path, WL_NO_POSITION, 0,
                          "has %zu weights for %zu tokens", model->weighted, highest);
    return WL_OK;
}

/* What auto stands for where the file does not say so. */
static wl_policy guess_policy(const wl_model *model, const struct paths *paths)
{
    bool model2vec = strcmp(model->table->name, "embeddings") == 0 || paths->sentence_transformers ||
                     wl_safetensors_find(&model->file, "mapping") || wl_safetensors_find(&model->file, "weights");
    return model2vec ? WL_POLICY_MODEL2VEC : WL_POLICY_WORDLLAMA;
}

/* The policy, which the file's metadata may tell, and what the config says to it: that of a packed file, else the one
 * beside the weights. */
static wl_status configure(wl_model *model, struct paths *paths, wl_policy policy, wl_error *error)
{
    wl_text config = {NULL, 0};
    const char *said = wl_safetensors_metadata(&model->file, "wordllama.policy");
    if (model->packed) {
        if (wl_packed_text(&model->file, "wordllama.config", &config, error)) return error->code;
    } else if (find_config(paths, strcmp(model->table->name, "embeddings") == 0, error))
        return error->code;
    if (model->packed || said)
        model->policy = said && strcmp(said, "model2vec") == 0 ? WL_POLICY_MODEL2VEC : WL_POLICY_WORDLLAMA;
    else
        model->policy = guess_policy(model, paths);
    if (policy != WL_POLICY_AUTO) model->policy = policy;
    if (model->policy == WL_POLICY_MODEL2VEC) model->max_tokens = MODEL2VEC_MAX_LENGTH;
    if (config.data) return read_config(model, config, model->file.path, error);
    return paths->config ? read_config_file(model, paths->config, error) : WL_OK;
}

wl_model *wl_model_open(const char *path, const wl_model_options *options, wl_error *error)
{
    wl_error unused;
    if (!error) error = &unused;
    wl_model_options chosen;
    if (wl_read_options(&chosen, sizeof chosen, options, "wl_model_options", error)) return NULL;
    char included[4096];
    if (!path && wl_included_model(NULL, included, sizeof included, error)) return NULL;
    if (!path) path = included;
    struct paths paths = {0};
    wl_model *model = wl_allocate(1, sizeof *model, error);
    if (!model) return NULL;
    wl_model_paths *files = &paths.files;
    if (wl_model_find_weights(files, path, error) || wl_safetensors_open(&model->file, files->weights, error))
        goto fail;
    model->packed = wl_packed_is(&model->file);
    if (model->packed && wl_packed_check(&model->file, error)) goto fail;
    if (find_table(model, error)) goto fail;
    if ((!model->packed || chosen.tokenizer) && wl_model_find_tokenizer(files, chosen.tokenizer, error)) goto fail;
    if (configure(model, &paths, chosen.policy, error)) goto fail;
    if (chosen.whole_texts) model->max_tokens = 0;

    const wl_tensor *mapping = wl_safetensors_find(&model->file, "mapping");
    const wl_tensor *weights = wl_safetensors_find(&model->file, "weights");
    if (mapping && read_mapping(model, mapping, error)) goto fail;
    if (weights && read_weights(model, weights, error)) goto fail;
    model->tokenizer =
        files->tokenizer ? wl_tokenizer_open(files->tokenizer, error) : wl_tokenizer_open_packed(&model->file, error);
    if (!model->tokenizer || (!chosen.any_vocabulary && check_vocabulary(model, error))) goto fail;
    model->dropped = model->policy == WL_POLICY_MODEL2VEC ? wl_tokenizer_unknown(model->tokenizer) : WL_NO_ID;
    if (model->max_tokens && limit_characters(model, error)) goto fail;
    free_paths(&paths);
    return model;
fail:
    free_paths(&paths);
    wl_model_close(model);
    return NULL;
}

void wl_model_close(wl_model *model)
{
    if (!model) return;
    wl_tokenizer_close(model->tokenizer);
    wl_safetensors_close(&model->file);
    free(model->mapping);
    free(model->weights);
    free(model->wide_weights);
    free(model);
}

wl_model_info wl_model_describe(const wl_model *model)
{
    return (wl_model_info){
        .rows = model->rows,
        .dim = model->dim,
        .vocabulary = wl_tokenizer_vocabulary(model->tokenizer, true),
        .bytes = model->file.mapping.size,
        .dtype = wl_dtype_name(model->table->dtype),
        .policy = model->policy,
        .normalize = model->normalize,
        .weighted = model->weights || model->wide_weights,
        .mapped = model->mapping != NULL,
        .packed = model->packed,
        .max_tokens = model->max_tokens,
        .max_characters = model->max_characters,
    };
}

const wl_tokenizer *wl_model_tokenizer(const wl_model *model)
{
    return model->tokenizer;
}
