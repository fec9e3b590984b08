/* The dot product that NumPy gives on a machine with AVX-512: the order of OpenBLAS 0.3.31's kernel there, in F32,
 * every product added with one rounding. Splitting compares lines with it, where ties are common and the last bit
 * decides, so it is the same on every machine. Each instruction set has its own way to multiply and add at once. */
#ifndef WL_VECTOR_DOT_BLAS_H
#define WL_VECTOR_DOT_BLAS_H

#include "vector/kernels.h"

typedef float multiply_add_floats(float a, float b, float c);

/* 4 registers of 16 lanes, folded to 8 lanes, which take 32 more elements where there are, and then to one; what is
 * left goes into an F64. Inlined where multiply_add is a constant. */
static inline __attribute__((always_inline)) float dot_blas_with(multiply_add_floats *multiply_add, const float *a,
                                                                 const float *b, size_t dim)
{
    float wide[64] = {0}, lanes[32];
    size_t at = 0, whole = dim & ~(size_t)31;
    for (; whole - at >= 64; at += 64)
        for (size_t i = 0; i < 64; i++) wide[i] = multiply_add(a[at + i], b[at + i], wide[i]);
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < 8; j++) lanes[8 * i + j] = wide[16 * i + j] + wide[16 * i + 8 + j];
    for (; at < whole; at += 32)
        for (size_t i = 0; i < 32; i++) lanes[i] = multiply_add(a[at + i], b[at + i], lanes[i]);
    for (size_t i = 0; i < 8; i++) lanes[i] = lanes[i] + lanes[i + 8] + lanes[i + 16] + lanes[i + 24];
    for (size_t i = 0; i < 4; i++) lanes[i] += lanes[i + 4];
    float sum = (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
    double rest = 0;
    for (; at < dim; at++) rest += (double)(a[at] * b[at]);
    return (float)(rest + (double)sum);
}

#endif
