#include "train/projector.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "train/projector_parts.h"

enum { INPUTS_BYTES = 224 << 20, TILE = 128, SLOPE_ROWS = 256, ROWS = 1024 };

static const wl_projector_functions *const kinds[] = {
    [WL_PROJECT_LINEAR] = &wl_projector_linear,
    [WL_PROJECT_MLP] = &wl_projector_mlp,
    [WL_PROJECT_TABLE] = &wl_projector_table,
    [WL_PROJECT_ROTATION] = &wl_projector_rotating,
};

/* ---- what the kinds share ---------------------------------------------------------------------------------------- */

wl_status wl_scratch_need(wl_scratch *scratch, size_t rows, size_t columns, wl_error *error)
{
    if (columns && rows > SIZE_MAX / sizeof(float) / columns) return wl_fail_memory(error, SIZE_MAX);
    if (scratch->data && rows * columns <= scratch->capacity) return WL_OK;
    wl_pages_free(scratch->data, scratch->capacity * sizeof(float));
    *scratch = (wl_scratch){wl_pages_allocate(rows * columns * sizeof(float), error), rows * columns};
    if (scratch->data) return WL_OK;
    scratch->capacity = 0;
    return WL_ERROR_MEMORY;
}

static void free_scratch(wl_scratch *scratch)
{
    wl_pages_free(scratch->data, scratch->capacity * sizeof(float));
}

size_t wl_projector_block(const wl_projector *projector)
{
    size_t rows = INPUTS_BYTES / sizeof(float) / projector->table.dim;
    return rows < TILE ? TILE : rows / TILE * TILE;
}

size_t wl_projector_slope_block(const wl_projector *projector)
{
    size_t rows = wl_projector_block(projector) / 8;
    return rows < SLOPE_ROWS ? rows : SLOPE_ROWS;
}

wl_bags wl_projector_part(const wl_bags *bags, size_t first, size_t most)
{
    size_t left = bags->count - first;
    return (wl_bags){bags->ids, bags->starts + first, left < most ? left : most};
}

void wl_projector_hold(wl_projector *projector, wl_pool *pool, const wl_bags *part, size_t first)
{
    if (projector->held == first) return;
    const float *weights = projector->token_weights ? projector->weights.data : NULL;
    wl_bags_pool(pool, &projector->table, part, weights, projector->inputs.data);
    projector->held = first;
}

wl_parameter *wl_projector_add(wl_projector *projector, const char *name, size_t rows, size_t columns, wl_error *error)
{
    if (columns && rows > SIZE_MAX / sizeof(float) / columns) return wl_fail_memory(error, SIZE_MAX), NULL;
    wl_parameter *made = &projector->parameters.items[projector->parameters.count++];
    size_t size = rows * columns * sizeof(float);
    *made = (wl_parameter){.name = name, .rows = rows, .columns = columns};
    made->values = wl_pages_allocate(size, error);
    made->slopes = made->values ? wl_pages_allocate(size, error) : NULL;
    return made->slopes ? made : NULL;
}

/* Uniform between -1 / sqrt(inputs) and that. Each parameter has a stream of its own. */
static void start(const wl_projector *projector, wl_parameter *parameter, size_t inputs)
{
    wl_random random = wl_random_seed(projector->options.seed, (uint64_t)(parameter - projector->parameters.items));
    double bound = 1 / sqrt((double)inputs);
    for (size_t i = 0; i < parameter->rows * parameter->columns; i++)
        parameter->values[i] = (float)((2 * wl_random_unit(&random) - 1) * bound);
}

wl_status wl_projector_add_affine(wl_projector *projector, wl_affine *affine, const char *weight, const char *bias,
                                  size_t outputs, size_t inputs, wl_error *error)
{
    affine->weight = wl_projector_add(projector, weight, outputs, inputs, error);
    if (!affine->weight) return WL_ERROR_MEMORY;
    start(projector, affine->weight, inputs);
    if (!projector->options.bias) return WL_OK;
    affine->bias = wl_projector_add(projector, bias, 1, outputs, error);
    if (!affine->bias) return WL_ERROR_MEMORY;
    start(projector, affine->bias, inputs);
    return WL_OK;
}

void wl_projector_clear_all(wl_projector *projector)
{
    for (size_t i = 0; i < projector->parameters.count; i++) {
        wl_parameter *parameter = &projector->parameters.items[i];
        memset(parameter->slopes, 0, parameter->rows * parameter->columns * sizeof *parameter->slopes);
    }
}

/* ---- making one -------------------------------------------------------------------------------------------------- */

static wl_status check(const wl_bag_table *table, const wl_projector_options *options, wl_error *error)
{
    const uint32_t most = INT32_MAX; /* the sizes that products take */
    if (table->dtype != WL_F32 && table->dtype != WL_F16 && table->dtype != WL_BF16)
        return wl_fail(error, WL_ERROR_UNSUPPORTED, "the codebook is of %s, expected F32, F16 or BF16",
                       wl_dtype_name(table->dtype));
    if (table->rows == 0 || table->rows > UINT32_MAX || table->dim == 0 || table->dim > most)
        return wl_fail(error, WL_ERROR_ARGUMENT, "the codebook has %zu rows of %zu numbers", table->rows, table->dim);
    if (options->dim == 0 || options->dim > most || options->hidden > most)
        return wl_fail(error, WL_ERROR_ARGUMENT, "dim is %u and hidden %u, expected 1 to %u", options->dim,
                       options->hidden, most);
    if (options->kind == WL_PROJECT_TABLE && options->dim > table->dim)
        return wl_fail(error, WL_ERROR_ARGUMENT, "dim is %u, more than the table's %zu", options->dim, table->dim);
    if (options->kind == WL_PROJECT_ROTATION && options->dim != table->dim)
        return wl_fail(error, WL_ERROR_ARGUMENT, "dim is %u, and a rotation has the table's %zu", options->dim,
                       table->dim);
    return WL_OK;
}

/* What w begins with. */
static wl_status add_token_weights(wl_projector *projector, const float *starts, wl_error *error)
{
    wl_projector_kind kind = projector->options.kind;
    if (!projector->options.token_weights || kind == WL_PROJECT_TABLE || kind == WL_PROJECT_ROTATION) return WL_OK;
    projector->token_weights = wl_projector_add(projector, "token_weights", projector->table.rows, 1, error);
    if (!projector->token_weights) return WL_ERROR_MEMORY;
    for (size_t i = 0; i < projector->table.rows; i++) projector->token_weights->values[i] = starts ? starts[i] : 1;
    return WL_OK;
}

wl_projector *wl_projector_create(const wl_bag_table *table, const wl_projector_options *options, const float *starts,
                                  wl_error *error)
{
    if (check(table, options, error)) return NULL;
    wl_projector *projector = wl_allocate(1, sizeof *projector, error);
    if (!projector) return NULL;
    projector->functions = kinds[options->kind];
    projector->options = *options;
    if (projector->options.hidden == 0) projector->options.hidden = options->dim;
    projector->table = *table;
    projector->held = NOTHING_HELD;
    if (projector->functions->create(projector, error) || add_token_weights(projector, starts, error)) {
        wl_projector_free(projector);
        return NULL;
    }
    return projector;
}

void wl_projector_free(wl_projector *projector)
{
    if (!projector) return;
    for (size_t i = 0; i < projector->parameters.count; i++) {
        wl_parameter *parameter = &projector->parameters.items[i];
        size_t size = parameter->rows * parameter->columns * sizeof(float);
        wl_pages_free(parameter->values, size);
        wl_pages_free(parameter->slopes, size);
        free(parameter->touched);
    }
    free_scratch(&projector->weights);
    free_scratch(&projector->inputs);
    free_scratch(&projector->input_slopes);
    free_scratch(&projector->units);
    free_scratch(&projector->means);
    free_scratch(&projector->mean_slopes);
    free_scratch(&projector->rotation);
    free_scratch(&projector->rotation_slopes);
    wl_token_index_free(&projector->index);
    free(projector->touched);
    free(projector->singles);
    free(projector);
}

/* ---- using it ---------------------------------------------------------------------------------------------------- */

wl_parameters *wl_projector_parameters(wl_projector *projector)
{
    return &projector->parameters;
}

void wl_projector_clear(wl_projector *projector)
{
    projector->functions->clear(projector);
}

size_t wl_projector_dim(const wl_projector *projector)
{
    return projector->options.dim;
}

wl_status wl_projector_forward(wl_projector *projector, wl_pool *pool, const wl_bags *bags, float *out, wl_error *error)
{
    if (bags->count > INT32_MAX)
        return wl_fail(error, WL_ERROR_ARGUMENT, "%zu texts at once, expected fewer than 2^31", bags->count);
    projector->held = NOTHING_HELD;
    return projector->functions->forward(projector, pool, bags, out, error);
}

wl_status wl_projector_backward(wl_projector *projector, wl_pool *pool, const wl_bags *bags, const float *slopes,
                                wl_error *error)
{
    return projector->functions->backward(projector, pool, bags, slopes, error);
}

wl_status wl_projector_rows(wl_projector *projector, wl_pool *pool, size_t first, size_t count, float *out,
                            wl_error *error)
{
    size_t rows = projector->table.rows;
    if (first > rows || count > rows - first)
        return wl_fail(error, WL_ERROR_ARGUMENT, "%zu rows from row %zu on, of %zu", count, first, rows);
    uint32_t ids[ROWS];
    uint64_t starts[ROWS + 1] = {0};
    for (size_t done = 0; done < count; done += ROWS) {
        wl_bags bags = {ids, starts, count - done < ROWS ? count - done : ROWS};
        for (size_t i = 0; i < bags.count; i++) {
            ids[i] = (uint32_t)(first + done + i);
            starts[i + 1] = i + 1;
        }
        if (wl_projector_forward(projector, pool, &bags, out + done * projector->options.dim, error))
            return error->code;
    }
    return WL_OK;
}
