/* From token ids to one vector: which rows, their mean, unit length. */
#include <string.h>

#include "format/half.h"
#include "model/model.h"
#include "vector/ops.h"

wl_status wl_model_rows(const wl_model *model, wl_worker *worker, const uint32_t *ids, size_t id_count, size_t *count,
                        wl_error *error)
{
    void *rows = worker->rows, *weights = worker->weights;
    wl_status status = wl_reserve(&rows, &worker->row_capacity, id_count, sizeof *worker->rows, error);
    worker->rows = rows;
    if (!status && model->weights)
        status = wl_reserve(&weights, &worker->weight_capacity, id_count, sizeof *worker->weights, error);
    worker->weights = weights;
    if (status) return status;
    if (model->max_tokens && id_count > model->max_tokens) {
        id_count = model->max_tokens;
        worker->counts.truncated++;
    }
    size_t limit = model->mapping ? model->mapped : model->rows, kept = 0;
    for (size_t i = 0; i < id_count; i++) {
        uint32_t id = ids[i];
        if (id == model->dropped && id != WL_NO_ID) continue;
        if (id >= limit) {
            if (model->policy == WL_POLICY_MODEL2VEC)
                return wl_fail(error, WL_ERROR_ARGUMENT, "token id %u has no row, expected less than %zu", id, limit);
            id = (uint32_t)limit - 1;
        }
        if (model->weights) worker->weights[kept] = id < model->weighted ? model->weights[id] : 1;
        worker->rows[kept++] = model->wide_weights || !model->mapping ? id : model->mapping[id];
    }
    *count = kept;
    return WL_OK;
}

/* One element as a double: exact for every type. */
static double element(const wl_tensor *table, size_t index)
{
    const char *at = table->data + index * wl_dtype_size(table->dtype);
    double wide;
    float single;
    uint16_t half;
    switch (table->dtype) {
    case WL_F64:
        return memcpy(&wide, at, 8), wide;
    case WL_F32:
        return memcpy(&single, at, 4), (double)single;
    case WL_F16:
        return memcpy(&half, at, 2), (double)wl_f16_to_f32(half);
    case WL_BF16:
        return memcpy(&half, at, 2), (double)wl_bf16_to_f32(half);
    default:
        return (double)(signed char)*at;
    }
}

/* To F32, but what is lost stays visible in the last bit (round to odd), so that rounding on to F16 gives what rounding
 * at once would have given. */
static float narrow_to_odd(double value)
{
    float narrow = (float)value;
    if ((double)narrow == value || value != value) return narrow;
    uint32_t bits;
    memcpy(&bits, &narrow, sizeof bits);
    double magnitude = value < 0 ? -value : value, rounded = narrow < 0 ? -(double)narrow : (double)narrow;
    if (rounded > magnitude) bits--;
    bits |= 1;
    memcpy(&narrow, &bits, sizeof bits);
    return narrow;
}

static bool keeps_half(const wl_model *model)
{
    return model->policy == WL_POLICY_MODEL2VEC && model->table->dtype == WL_F16;
}

/* F64 weights, or an F64 table: NumPy, and so the reference, then works in F64. These models are few and small, so this
 * is plain C. WordLlama's package makes F32 of an F64 table before it sums. */
static void mean_wide(const wl_model *model, const wl_worker *worker, size_t count, size_t dim, float *out)
{
    bool single = model->policy == WL_POLICY_WORDLLAMA && !model->wide_weights;
    for (size_t column = 0; column < dim; column++) {
        double sum = 0;
        float single_sum = 0;
        for (size_t i = 0; i < count; i++) {
            uint32_t id = worker->rows[i];
            size_t row = model->wide_weights && model->mapping ? model->mapping[id] : id;
            double value = element(model->table, row * model->dim + column);
            if (model->wide_weights) value *= id < model->weighted ? model->wide_weights[id] : 1;
            if (model->weights) value *= (double)worker->weights[i];
            sum += value;
            single_sum += (float)value;
        }
        double mean = sum / (double)count;
        out[column] = single ? single_sum / (float)count : keeps_half(model) ? narrow_to_odd(mean) : (float)mean;
    }
}

static void round_to_half(float *vector, size_t dim)
{
    for (size_t i = 0; i < dim; i++) vector[i] = wl_f16_to_f32(wl_f32_to_f16(vector[i]));
}

void wl_pool_rows(const wl_model *model, const wl_worker *worker, size_t count, size_t dim, float *out)
{
    if (count == 0) {
        memset(out, 0, dim * sizeof *out);
        return;
    }
    wl_sum_kernel *sum = wl_sum_kernel_of(wl_kernels_best(), model->table->dtype);
    /* NumPy's mean of integers is taken in F64; F32 is as exact until a sum may pass 2^24. */
    bool long_integers = model->policy == WL_POLICY_MODEL2VEC && model->table->dtype == WL_I8 && !model->weights &&
                         count > (1u << 24) / 128;
    if (!sum || model->wide_weights || long_integers) {
        mean_wide(model, worker, count, dim, out);
    } else {
        size_t stride = model->dim * wl_dtype_size(model->table->dtype);
        sum(model->table->data, stride, worker->rows, model->weights ? worker->weights : NULL, count, dim, out);
        for (size_t i = 0; i < dim; i++) out[i] /= (float)count;
    }
    if (keeps_half(model)) round_to_half(out, dim);
}

void wl_make_unit(const wl_model *model, float *vector, size_t dim)
{
    float norm = wl_norm(vector, dim);
    if (norm == 0) return;
    for (size_t i = 0; i < dim; i++) vector[i] /= norm;
    if (keeps_half(model)) round_to_half(vector, dim);
}
