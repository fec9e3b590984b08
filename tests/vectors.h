/* Rows for the tests of the room algo: the same numbers here and in tools/golden_toolkit.py. Rows come in groups that
 * are near each other; some are copies, some are zero. */
#ifndef WL_TESTS_VECTORS_H
#define WL_TESTS_VECTORS_H

#include <stdint.h>
#include <stdlib.h>

static uint32_t vectors_state;

/* Uniform in [-1, 1), 24 bits. */
static float vectors_number(void)
{
    vectors_state = vectors_state * 1664525u + 1013904223u;
    return (float)(vectors_state >> 8) / 8388608.0f - 1;
}

/* (count, dim) floats: of each four rows the first is new; the others are the first of a group before, or of this one,
 * plus noise of 0, 1/8, 1/4, 1/2. Every 37th row is zero. */
static float *make_rows(size_t count, size_t dim, uint32_t seed)
{
    float *rows = malloc(count * dim * sizeof *rows + 1);
    if (!rows) abort();
    vectors_state = seed;
    for (size_t i = 0; i < count; i++) {
        size_t group = i / 4,
               from = i % 4 == 0 ? i : 4 * ((size_t)((vectors_number() + 1) * 0.5f * (float)(group + 1)) % (group + 1));
        float noise = (float[]){0, 0.125f, 0.25f, 0.5f}[(size_t)((vectors_number() + 1) * 2)];
        for (size_t j = 0; j < dim; j++) {
            float number = vectors_number();
            rows[i * dim + j] = i % 37 == 36 ? 0 : from == i ? number : rows[from * dim + j] + noise * number;
        }
    }
    return rows;
}

#endif
