#include "train/prepared.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* ---- metadata ---------------------------------------------------------------------------------------------------- */

static wl_status check_metadata(const wl_safetensors *file, wl_text_digest tokenizer, wl_error *error)
{
    const char *format = wl_safetensors_metadata(file, "format"), *version = wl_safetensors_metadata(file, "version"),
               *made_with = wl_safetensors_metadata(file, "tokenizer");
    char digest[WL_DIGEST_DIGITS];
    wl_digest_print(tokenizer, digest);
    if (!format || strcmp(format, "wordllama texts") != 0)
        return wl_fail_at(error, WL_ERROR_FORMAT, file->path, WL_NO_POSITION, 0,
                          "holds no prepared texts: the metadata's format is %s%.40s%s, expected 'wordllama texts'",
                          format ? "'" : "", format ? format : "missing", format ? "'" : "");
    if (!version || strcmp(version, "1") != 0)
        return wl_fail_at(error, WL_ERROR_UNSUPPORTED, file->path, WL_NO_POSITION, 0,
                          "the prepared texts are of version %.40s, expected 1", version ? version : "(missing)");
    if (!made_with || strcmp(made_with, digest) != 0)
        return wl_fail_at(error, WL_ERROR_MISMATCH, file->path, WL_NO_POSITION, 0,
                          "was prepared with another tokenizer (digest %.40s, expected %s): prepare the texts anew",
                          made_with ? made_with : "missing", digest);
    return WL_OK;
}

/* ---- tensors ----------------------------------------------------------------------------------------------------- */

enum { IDS, STARTS, RECORDS, SCORES, TENSORS };

static const struct {
    const char *name;
    wl_dtype dtype;
    bool optional;
} columns[TENSORS] = {
    [IDS] = {"ids", WL_U32, false},
    [STARTS] = {"starts", WL_U64, false},
    [RECORDS] = {"records", WL_U64, false},
    [SCORES] = {"scores", WL_F32, true},
};

static wl_status find(const wl_safetensors *file, int column, const wl_tensor **found, wl_error *error)
{
    const char *name = columns[column].name;
    const wl_tensor *tensor = *found = wl_safetensors_find(file, name);
    if (!tensor && columns[column].optional) return WL_OK;
    if (!tensor)
        return wl_fail_at(error, WL_ERROR_FORMAT, file->path, WL_NO_POSITION, 0, "the tensor '%s' is missing", name);
    size_t size = wl_dtype_size(columns[column].dtype);
    if (tensor->dtype != columns[column].dtype || tensor->rank != 1)
        return wl_fail_at(error, WL_ERROR_FORMAT, file->path, tensor->offset, 0,
                          "the tensor '%s' is %s of %" PRIu32 " dimensions, expected %s of 1", name,
                          wl_dtype_name(tensor->dtype), tensor->rank, wl_dtype_name(columns[column].dtype));
    if ((uintptr_t)tensor->data % size)
        return wl_fail_at(error, WL_ERROR_FORMAT, file->path, tensor->offset, 0,
                          "the tensor '%s' begins at no multiple of %zu bytes", name, size);
    return WL_OK;
}

/* From 0, each larger than the one before, to end; *fewest, *most: the steps. */
static wl_status check_ascending(const wl_safetensors *file, const wl_tensor *tensor, uint64_t end, uint64_t *fewest,
                                 uint64_t *most, wl_error *error)
{
    const uint64_t *values = (const uint64_t *)(const void *)tensor->data;
    *fewest = UINT64_MAX;
    *most = 0;
    if (!tensor->count || values[0] != 0)
        return wl_fail_at(error, WL_ERROR_FORMAT, file->path, tensor->offset, 0,
                          "the tensor '%s' does not begin with 0", tensor->name);
    for (uint64_t i = 1; i < tensor->count; i++) {
        if (values[i] <= values[i - 1] || values[i] > end)
            return wl_fail_at(error, WL_ERROR_FORMAT, file->path, tensor->offset + i * sizeof *values, 0,
                              "the tensor '%s' has %" PRIu64 " behind %" PRIu64 ", expected more, and at most %" PRIu64,
                              tensor->name, values[i], values[i - 1], end);
        uint64_t step = values[i] - values[i - 1];
        if (step < *fewest) *fewest = step;
        if (step > *most) *most = step;
    }
    if (values[tensor->count - 1] != end)
        return wl_fail_at(error, WL_ERROR_FORMAT, file->path, tensor->offset + tensor->bytes - sizeof *values, 0,
                          "the tensor '%s' ends with %" PRIu64 ", expected %" PRIu64, tensor->name,
                          values[tensor->count - 1], end);
    return WL_OK;
}

static wl_status check_ids(const wl_safetensors *file, const wl_tensor *tensor, size_t id_count, wl_error *error)
{
    const uint32_t *ids = (const uint32_t *)(const void *)tensor->data;
    for (uint64_t i = 0; i < tensor->count; i++)
        if (ids[i] >= id_count)
            return wl_fail_at(error, WL_ERROR_FORMAT, file->path, tensor->offset + i * sizeof *ids, 0,
                              "the id %" PRIu32 " is none of the tokenizer, which has %zu", ids[i], id_count);
    return WL_OK;
}

static wl_status check_scores(wl_prepared_texts *texts, const wl_tensor *tensor, wl_error *error)
{
    if (tensor->count != texts->count)
        return wl_fail_at(error, WL_ERROR_FORMAT, texts->file.path, tensor->offset, 0,
                          "there are %" PRIu64 " scores for %" PRIu64 " records", tensor->count, texts->count);
    texts->scores = (const float *)(const void *)tensor->data;
    for (uint64_t i = 0; i < tensor->count; i++) {
        if (isinf(texts->scores[i]))
            return wl_fail_at(error, WL_ERROR_FORMAT, texts->file.path, tensor->offset + i * sizeof *texts->scores, 0,
                              "the score of record %" PRIu64 " is infinite", i);
        if (!isnan(texts->scores[i])) texts->scored++;
    }
    return WL_OK;
}

static wl_status check_tensors(wl_prepared_texts *texts, size_t id_count, wl_error *error)
{
    const wl_safetensors *file = &texts->file;
    const wl_tensor *tensors[TENSORS];
    for (int i = 0; i < TENSORS; i++)
        if (find(file, i, &tensors[i], error)) return error->code;
    const wl_tensor *ids = tensors[IDS], *starts = tensors[STARTS], *records = tensors[RECORDS];
    uint64_t fewest, most;
    if (check_ascending(file, starts, ids->count, &fewest, &most, error) ||
        check_ascending(file, records, starts->count - 1, &texts->fewest_sides, &texts->most_sides, error) ||
        check_ids(file, ids, id_count, error))
        return error->code;
    texts->ids = (const uint32_t *)(const void *)ids->data;
    texts->starts = (const uint64_t *)(const void *)starts->data;
    texts->records = (const uint64_t *)(const void *)records->data;
    texts->texts = starts->count - 1;
    texts->count = records->count - 1;
    return tensors[SCORES] ? check_scores(texts, tensors[SCORES], error) : WL_OK;
}

wl_status wl_prepared_open(wl_prepared_texts *texts, const char *path, wl_text_digest tokenizer, size_t id_count,
                           wl_error *error)
{
    *texts = (wl_prepared_texts){0};
    wl_status status = wl_safetensors_open(&texts->file, path, error);
    if (!status) status = check_metadata(&texts->file, tokenizer, error);
    return status ? status : check_tensors(texts, id_count, error);
}

void wl_prepared_close(wl_prepared_texts *texts)
{
    wl_safetensors_close(&texts->file);
    *texts = (wl_prepared_texts){0};
}
