#include "train/affine.h"

#include <string.h>

#include "matrix/matrix.h"

enum { ROWS = 64, COLUMNS = 64 }; /* of a work item: to fill, to sum */

typedef struct bias_work {
    const wl_parameter *bias;
    const uint64_t *starts;
    size_t count;
    float *y;
    const float *y_slopes;
} bias_work;

static bool counts(const bias_work *work, size_t row)
{
    return !work->starts || work->starts[row] < work->starts[row + 1];
}

static void fill_rows(void *user, uint32_t worker, size_t item)
{
    (void)worker;
    const bias_work *this = user;
    size_t outputs = this->bias->columns;
    for (size_t row = item * ROWS; row < this->count && row < (item + 1) * ROWS; row++) {
        float *y = this->y + row * outputs;
        if (counts(this, row))
            memcpy(y, this->bias->values, outputs * sizeof *y);
        else
            memset(y, 0, outputs * sizeof *y);
    }
}

static void sum_columns(void *user, uint32_t worker, size_t item)
{
    (void)worker;
    const bias_work *this = user;
    size_t outputs = this->bias->columns, first = item * COLUMNS;
    size_t width = outputs - first < COLUMNS ? outputs - first : COLUMNS;
    double sums[COLUMNS] = {0};
    for (size_t row = 0; row < this->count; row++) {
        if (!counts(this, row)) continue;
        const float *slopes = this->y_slopes + row * outputs + first;
        for (size_t j = 0; j < width; j++) sums[j] += (double)slopes[j];
    }
    for (size_t j = 0; j < width; j++) this->bias->slopes[first + j] += (float)sums[j];
}

void wl_affine_forward(const wl_affine *affine, wl_pool *pool, const float *x, size_t count, const uint64_t *starts,
                       float *y)
{
    size_t outputs = affine->weight->rows, inputs = affine->weight->columns;
    bias_work work = {.bias = affine->bias, .starts = starts, .count = count, .y = y};
    if (affine->bias) wl_pool_run(pool, (count + ROWS - 1) / ROWS, fill_rows, &work);
    wl_multiply(pool, count, outputs, inputs, 1, (wl_side){x, inputs, false},
                (wl_side){affine->weight->values, inputs, true}, affine->bias ? 1 : 0, y, outputs);
}

void wl_affine_backward(const wl_affine *affine, wl_pool *pool, const float *x, const float *y_slopes, size_t count,
                        const uint64_t *starts)
{
    size_t outputs = affine->weight->rows, inputs = affine->weight->columns;
    bias_work work = {.bias = affine->bias, .starts = starts, .count = count, .y_slopes = y_slopes};
    if (affine->bias) wl_pool_run(pool, (outputs + COLUMNS - 1) / COLUMNS, sum_columns, &work);
    wl_multiply(pool, outputs, inputs, count, 1, (wl_side){y_slopes, outputs, true}, (wl_side){x, inputs, false}, 1,
                affine->weight->slopes, inputs);
}

void wl_affine_inputs(const wl_affine *affine, wl_pool *pool, const float *y_slopes, size_t count, float *x_slopes)
{
    size_t outputs = affine->weight->rows, inputs = affine->weight->columns;
    wl_multiply(pool, count, inputs, outputs, 1, (wl_side){y_slopes, outputs, false},
                (wl_side){affine->weight->values, inputs, false}, 0, x_slopes, inputs);
}
