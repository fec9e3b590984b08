/* What the files of the instruction sets have in common: from their dots, products and squared_distance, which are
 * inlined where the loader and the size of an element are constants, the functions of each type of number. */
#ifndef WL_VECTOR_PAIRS_H
#define WL_VECTOR_PAIRS_H

#include "vector/kernels.h"

#define WL_DEFINE_PAIR(name, loader, element)                                                                          \
    static double dot_##name(const void *a, const void *b, size_t dim)                                                 \
    {                                                                                                                  \
        return products(loader, element, false, a, b, dim).ab;                                                         \
    }                                                                                                                  \
    static wl_products products_##name(const void *a, const void *b, size_t dim)                                       \
    {                                                                                                                  \
        return products(loader, element, true, a, b, dim);                                                             \
    }                                                                                                                  \
    static double squared_distance_##name(const void *a, const void *b, size_t dim)                                    \
    {                                                                                                                  \
        return squared_distance(loader, element, a, b, dim);                                                           \
    }

#define WL_DEFINE_DOTS(name, loader, element)                                                                          \
    static void dots_##name(const char *table, size_t stride, const uint32_t *rows, size_t count, const float *vector, \
                            size_t dim, float *out)                                                                    \
    {                                                                                                                  \
        dots(loader, element, table, stride, rows, count, vector, dim, out);                                           \
    }

/* Of wl_kernels, what every set has under the same names. */
#define WL_SUMS_AND_PAIRS                                                                                              \
    .sum_f32 = sum_f32, .sum_f16 = sum_f16, .sum_bf16 = sum_bf16, .sum_i8 = sum_i8, .dots_f32 = dots_f32,              \
    .dots_f16 = dots_f16, .dots_bf16 = dots_bf16, .dots_i8 = dots_i8,                                                  \
    .pairs = {{dot_f32, products_f32, squared_distance_f32},                                                           \
              {dot_f16, products_f16, squared_distance_f16},                                                           \
              {dot_bf16, products_bf16, squared_distance_bf16},                                                        \
              {dot_i8, products_i8, squared_distance_i8}}

#endif
