/* Plain C. Works in blocks of columns so that the partial sums stay in the first-level cache. */
#include <string.h>

#include "format/half.h"
#include "vector/kernels.h"

#define BLOCK 64

typedef void convert(const char *row, size_t count, float *out);

static void convert_f32(const char *row, size_t count, float *out)
{
    memcpy(out, row, count * sizeof *out);
}

static void convert_f16(const char *row, size_t count, float *out)
{
    for (size_t i = 0; i < count; i++) {
        uint16_t half;
        memcpy(&half, row + 2 * i, 2);
        out[i] = wl_f16_to_f32(half);
    }
}

static void convert_bf16(const char *row, size_t count, float *out)
{
    for (size_t i = 0; i < count; i++) {
        uint16_t half;
        memcpy(&half, row + 2 * i, 2);
        out[i] = wl_bf16_to_f32(half);
    }
}

static void convert_i8(const char *row, size_t count, float *out)
{
    for (size_t i = 0; i < count; i++) out[i] = (float)(signed char)row[i];
}

static void sum(convert *to_float, size_t element, const char *table, size_t stride, const uint32_t *rows,
                const float *weights, size_t count, size_t dim, float *out)
{
    for (size_t column = 0; column < dim; column += BLOCK) {
        size_t width = dim - column < BLOCK ? dim - column : BLOCK;
        float partial[BLOCK] = {0}, values[BLOCK];
        for (size_t i = 0; i < count; i++) {
            to_float(table + rows[i] * stride + column * element, width, values);
            float weight = weights ? weights[i] : 1;
            for (size_t j = 0; j < width; j++) partial[j] += weight * values[j];
        }
        memcpy(out + column, partial, width * sizeof *out);
    }
}

static void sum_f32(const char *table, size_t stride, const uint32_t *rows, const float *weights, size_t count,
                    size_t dim, float *out)
{
    sum(convert_f32, 4, table, stride, rows, weights, count, dim, out);
}

static void sum_f16(const char *table, size_t stride, const uint32_t *rows, const float *weights, size_t count,
                    size_t dim, float *out)
{
    sum(convert_f16, 2, table, stride, rows, weights, count, dim, out);
}

static void sum_bf16(const char *table, size_t stride, const uint32_t *rows, const float *weights, size_t count,
                     size_t dim, float *out)
{
    sum(convert_bf16, 2, table, stride, rows, weights, count, dim, out);
}

static void sum_i8(const char *table, size_t stride, const uint32_t *rows, const float *weights, size_t count,
                   size_t dim, float *out)
{
    sum(convert_i8, 1, table, stride, rows, weights, count, dim, out);
}

const wl_kernels wl_kernels_generic = {"generic", sum_f32, sum_f16, sum_bf16, sum_i8};
