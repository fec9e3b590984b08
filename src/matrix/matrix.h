/* Dense linear algebra: products by BLAS, decompositions by LAPACK, both from OpenBLAS.
 *
 * A product is cut into tiles whose size follows from its shape alone; the pool's threads take tiles, and BLAS computes
 * each on the thread that took it. So the same machine and build give the same bits for any number of threads; another
 * processor may get other kernels of OpenBLAS, and so other last bits.
 *
 * OpenBLAS's own threads would nest in ours. Their number is a setting of the whole process: each call here sets it to
 * one and sets it back at the end, once the last of the calls that overlap is done. What else the process computes with
 * the same OpenBLAS meanwhile runs on one thread, and is right all the same.
 *
 * Matrices are row-major; a stride is in elements, from one row to the next. Sizes and strides are below 2^31. */
#ifndef WL_MATRIX_MATRIX_H
#define WL_MATRIX_MATRIX_H

#include "base/parallel.h"

/* One side of a product: the matrix as it lies, or transposed. */
typedef struct wl_side {
    const float *data;
    size_t stride;
    bool transposed;
} wl_side;

/* c = alpha * op(a) * op(b) + beta * c, where op(a) is (m, k), op(b) is (k, n), c is (m, n) and overlaps neither. With
 * beta 0 what c held does not count, be it NaN. Cost: 2 m n k operations. */
void wl_multiply(wl_pool *pool, size_t m, size_t n, size_t k, float alpha, wl_side a, wl_side b, float beta, float *c,
                 size_t c_stride);

/* gram += rows^T * rows in F64, of count rows of dim floats, in the upper triangle of gram, (dim, dim), alone. wide:
 * scratch for (count, dim) doubles. Cost: count * dim^2 operations. */
void wl_gram_add(wl_pool *pool, const float *rows, size_t count, size_t dim, double *wide, double *gram);

/* The eigenvectors of a symmetric matrix, (n, n), of which the upper triangle is read, by divide and conquer (dsyevd).
 * They replace it as rows of length 1, those of the largest eigenvalues first; values: (n). Memory: 2 n^2 doubles.
 * Cost: about 9 n^3 operations on one thread. WL_ERROR_ARGUMENT: the matrix is not finite. */
wl_status wl_eigen(double *matrix, size_t n, double *values, wl_error *error);

/* Columns of length 1, at right angles to each other, that span what the columns given span, which they replace:
 * (rows, count) floats, count at most rows, by Householder reflections in F64 (dgelqf, dorglq). What columns that
 * depend on each other leave open is filled up. Memory: the matrix as doubles. Cost: 4 rows count^2 on one thread. */
wl_status wl_orthonormalize(float *columns, size_t rows, size_t count, wl_error *error);

#endif
