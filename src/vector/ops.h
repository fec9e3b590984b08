/* Operations on one finished vector. */
#ifndef WL_VECTOR_OPS_H
#define WL_VECTOR_OPS_H

#include <stddef.h>
#include <stdint.h>

/* Euclidean length in F32 with NumPy's order of summation, so that unit vectors have the reference's bits. */
float wl_norm(const float *vector, size_t dim);

/* Packs value > 0 into (dim + 7) / 8 bytes, the first dimension into the most significant bit, unused bits 0. */
void wl_binarize(const float *vector, size_t dim, uint8_t *bits);

#endif
