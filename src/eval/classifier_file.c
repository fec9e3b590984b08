/* Classifiers on disk: a safetensors file with weight (classes, dim), bias (classes) and probe (dim), all F32, and in
 * its metadata the form, its version and the labels, a JSON array. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eval/classifier.h"
#include "format/json.h"
#include "format/json_write.h"
#include "format/safetensors_write.h"

#define FORMAT  "wordllama classifier"
#define VERSION "1"

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static wl_status write_labels(const wl_classifier *this, wl_buffer *out, wl_error *error)
{
    wl_json_writer json = {out, error, WL_OK};
    for (uint32_t i = 0; i < this->logistic.classes; i++) {
        wl_json_write(&json, i ? ", " : "[");
        wl_json_write_string(&json, this->labels[i]);
    }
    wl_json_write(&json, "]");
    return json.status ? json.status : wl_buffer_append(out, "", 1, error);
}

static wl_tensor tensor_of(char *name, const float *data, uint64_t rows, uint64_t columns)
{
    wl_tensor tensor = {.name = name, .dtype = WL_F32, .rank = columns ? 2 : 1, .shape = {rows, columns ? columns : 1}};
    tensor.count = rows * tensor.shape[1];
    tensor.data = (const char *)data;
    tensor.bytes = (size_t)tensor.count * sizeof *data;
    return tensor;
}

wl_status wl_classifier_save(const wl_classifier *classifier, const char *path, wl_error *error)
{
    wl_error unused;
    if (!error) error = &unused;
    if (!classifier || !path)
        return wl_fail(error, WL_ERROR_ARGUMENT, "wl_classifier_save: no classifier or no path given");
    const wl_logistic *logistic = &classifier->logistic;
    char weight[] = "weight", bias[] = "bias", probe[] = "probe", dim[24];
    wl_tensor tensors[] = {
        tensor_of(weight, logistic->weights, logistic->classes, logistic->dim),
        tensor_of(bias, logistic->intercepts, logistic->classes, 0),
        tensor_of(probe, classifier->probe, logistic->dim, 0),
    };
    enum { TENSORS = sizeof tensors / sizeof *tensors };
    snprintf(dim, sizeof dim, "%zu", logistic->dim);
    wl_buffer labels = {0}, header = {0};
    wl_status status = write_labels(classifier, &labels, error);
    const char *metadata[] = {"format",    FORMAT, "version", VERSION,     "labels",
                              labels.data, "dim",  dim,       "normalize", "true"};
    if (!status)
        status =
            wl_safetensors_header(tensors, TENSORS, metadata, sizeof metadata / sizeof *metadata / 2, &header, error);
    if (!status) status = wl_safetensors_write(path, &header, tensors, TENSORS, error);
    wl_buffer_free(&labels);
    wl_buffer_free(&header);
    return status;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static wl_status check_format(const wl_safetensors *file, wl_error *error)
{
    const char *format = wl_safetensors_metadata(file, "format"), *version = wl_safetensors_metadata(file, "version");
    if (!format || strcmp(format, FORMAT) != 0)
        return wl_fail_at(error, WL_ERROR_FORMAT, file->path, WL_NO_POSITION, 0,
                          "is no classifier: its metadata do not say the format \"" FORMAT "\"");
    if (!version || strcmp(version, VERSION) != 0)
        return wl_fail_at(error, WL_ERROR_UNSUPPORTED, file->path, WL_NO_POSITION, 0,
                          "is a classifier of version %.20s, expected " VERSION, version ? version : "(none)");
    return WL_OK;
}

/* A tensor of finite numbers with that rank, and that shape unless it is 0. NULL on failure. */
static const wl_tensor *find_tensor(const wl_safetensors *file, const char *name, uint32_t rank, uint64_t size,
                                    wl_error *error)
{
    const wl_tensor *tensor = wl_safetensors_find(file, name);
    if (!tensor) {
        wl_fail_at(error, WL_ERROR_FORMAT, file->path, WL_NO_POSITION, 0, "has no tensor \"%s\"", name);
        return NULL;
    }
    if (tensor->dtype != WL_F32 || tensor->rank != rank || (size && tensor->shape[0] != size)) {
        wl_fail_at(error, WL_ERROR_FORMAT, file->path, tensor->offset, 0,
                   "tensor \"%s\" is %s of rank %" PRIu32 " and size %" PRIu64 ", expected F32 of rank %" PRIu32
                   " and size %" PRIu64,
                   name, wl_dtype_name(tensor->dtype), tensor->rank, tensor->shape[0], rank,
                   size ? size : tensor->shape[0]);
        return NULL;
    }
    for (size_t i = 0; i < tensor->count; i++) {
        float value;
        memcpy(&value, tensor->data + i * sizeof value, sizeof value);
        if (isfinite(value)) continue;
        wl_fail_at(error, WL_ERROR_FORMAT, file->path, tensor->offset + i * sizeof value, 0,
                   "tensor \"%s\" holds %g, expected finite numbers", name, (double)value);
        return NULL;
    }
    return tensor;
}

/* labels: as many as there are elements, at most `most`; their bytes lie one behind the other. Returns the number of
 * elements. */
static uint64_t read_array(wl_json *json, wl_text *labels, uint64_t most, wl_buffer *bytes)
{
    uint64_t count = 0;
    wl_json_begin_array(json);
    for (; wl_json_element(json); count++) {
        wl_text label = wl_json_string(json);
        if (count < most) labels[count].size = label.size;
        if (wl_buffer_append(bytes, label.data, label.size, json->error)) json->failed = true;
    }
    return count;
}

static wl_status read_labels(const wl_safetensors *file, wl_text *labels, uint64_t classes, wl_buffer *bytes,
                             wl_error *error)
{
    const char *text = wl_safetensors_metadata(file, "labels");
    if (!text) return wl_fail_at(error, WL_ERROR_FORMAT, file->path, WL_NO_POSITION, 0, "its metadata have no labels");
    wl_buffer scratch = {0};
    wl_json json;
    wl_json_open(&json, text, strlen(text), file->path, &scratch, error);
    uint64_t count = read_array(&json, labels, classes, bytes);
    wl_status status = wl_json_close(&json);
    wl_buffer_free(&scratch);
    if (status) { /* where it is in the labels says nothing of the file */
        error->byte = WL_NO_POSITION;
        error->line = 0;
        return status;
    }
    if (count != classes)
        return wl_fail_at(error, WL_ERROR_FORMAT, file->path, WL_NO_POSITION, 0,
                          "has %" PRIu64 " labels, expected %" PRIu64 ", one for each row of the tensor \"weight\"",
                          count, classes);
    size_t at = 0;
    for (uint64_t i = 0; i < classes; i++) {
        labels[i].data = bytes->data + at;
        at += labels[i].size;
        if (i && wl_label_compare(labels[i - 1], labels[i]) >= 0)
            return wl_fail_at(error, WL_ERROR_FORMAT, file->path, WL_NO_POSITION, 0,
                              "label %" PRIu64 ", \"%.*s\", expected all to differ and to be sorted by their bytes", i,
                              wl_label_shown(labels[i]), labels[i].data);
    }
    return WL_OK;
}

static wl_classifier *read_classifier(const wl_safetensors *file, wl_error *error)
{
    if (check_format(file, error)) return NULL;
    const wl_tensor *weight = find_tensor(file, "weight", 2, 0, error);
    if (!weight) return NULL;
    uint64_t classes = weight->shape[0], dim = weight->shape[1];
    if (classes < 2 || classes >= UINT32_MAX || !dim || dim > UINT32_MAX) {
        wl_fail_at(error, WL_ERROR_FORMAT, file->path, weight->offset, 0,
                   "tensor \"weight\" is %" PRIu64 " x %" PRIu64 ", expected two classes and one dimension at least",
                   classes, dim);
        return NULL;
    }
    const wl_tensor *bias = find_tensor(file, "bias", 1, classes, error);
    const wl_tensor *probe = bias ? find_tensor(file, "probe", 1, dim, error) : NULL;
    if (!probe) return NULL;
    wl_buffer bytes = {0};
    wl_text *labels = wl_allocate((size_t)classes, sizeof *labels, error);
    wl_classifier *made = NULL;
    if (labels && read_labels(file, labels, classes, &bytes, error) == WL_OK)
        made = wl_classifier_create(labels, (uint32_t)classes, (size_t)dim, error);
    if (made) {
        memcpy(made->logistic.weights, weight->data, weight->bytes);
        memcpy(made->logistic.intercepts, bias->data, bias->bytes);
        memcpy(made->probe, probe->data, probe->bytes);
    }
    free(labels);
    wl_buffer_free(&bytes);
    return made;
}

wl_classifier *wl_classifier_open(const char *path, wl_error *error)
{
    wl_error unused;
    if (!error) error = &unused;
    if (!path) {
        wl_fail(error, WL_ERROR_ARGUMENT, "wl_classifier_open: no path given");
        return NULL;
    }
    wl_safetensors file;
    wl_classifier *made = wl_safetensors_open(&file, path, error) == WL_OK ? read_classifier(&file, error) : NULL;
    wl_safetensors_close(&file);
    return made;
}
