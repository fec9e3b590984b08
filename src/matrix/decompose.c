/* LAPACK is Fortran: every argument is a pointer, matrices are column-major, and the length of each text follows behind
 * the others. A row-major (n, m) matrix is a column-major (m, n) one, so that rows here are columns there. */
#include <cblas.h>
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "matrix/blas.h"
#include "matrix/matrix.h"

extern void dsyevd_(const char *job, const char *triangle, const blasint *n, double *a, const blasint *stride,
                    double *values, double *work, const blasint *work_size, blasint *whole, const blasint *whole_size,
                    blasint *info, size_t job_length, size_t triangle_length);
extern void dgelqf_(const blasint *m, const blasint *n, double *a, const blasint *stride, double *factors, double *work,
                    const blasint *work_size, blasint *info);
extern void dorglq_(const blasint *m, const blasint *n, const blasint *reflections, double *a, const blasint *stride,
                    const double *factors, double *work, const blasint *work_size, blasint *info);

static bool all_finite(const double *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!isfinite(values[i])) return false;
    return true;
}

static void swap_rows(double *a, double *b, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        double kept = a[i];
        a[i] = b[i];
        b[i] = kept;
    }
}

wl_status wl_eigen(double *matrix, size_t n, double *values, wl_error *error)
{
    /* What is upper in rows is lower in columns. */
    for (size_t i = 0; i < n; i++)
        if (!all_finite(matrix + i * n + i, n - i))
            return wl_fail(error, WL_ERROR_ARGUMENT, "a matrix without eigenvalues: it holds a NaN or an infinity");
    blasint order = (blasint)n, ask = -1, info = 0, whole_size = 0;
    double size = 0;
    dsyevd_("V", "L", &order, matrix, &order, values, &size, &ask, &whole_size, &ask, &info, 1, 1);
    blasint work_size = (blasint)size;
    double *work = wl_allocate((size_t)work_size, sizeof *work, error);
    blasint *whole = work ? wl_allocate((size_t)whole_size, sizeof *whole, error) : NULL;
    wl_status status = whole ? WL_OK : WL_ERROR_MEMORY;
    if (!status) {
        wl_blas_begin();
        dsyevd_("V", "L", &order, matrix, &order, values, work, &work_size, whole, &whole_size, &info, 1, 1);
        wl_blas_end();
        if (info) status = wl_fail(error, WL_ERROR_ARGUMENT, "the eigenvalues of a matrix did not converge");
    }
    free(work);
    free(whole);
    if (status) return status;
    for (size_t i = 0, j = n; i + 1 < j; i++) { /* from ascending to descending */
        j--;
        swap_rows(matrix + i * n, matrix + j * n, n);
        swap_rows(values + i, values + j, 1);
    }
    return WL_OK;
}

wl_status wl_orthonormalize(float *columns, size_t rows, size_t count, wl_error *error)
{
    /* The transposed matrix is (count, rows) for LAPACK: its LQ decomposition is our QR. */
    blasint m = (blasint)count, n = (blasint)rows, ask = -1, info = 0;
    double size[2] = {0};
    dgelqf_(&m, &n, NULL, &m, NULL, &size[0], &ask, &info);
    dorglq_(&m, &n, &m, NULL, &m, NULL, &size[1], &ask, &info);
    blasint work_size = (blasint)(size[0] > size[1] ? size[0] : size[1]);
    double *wide = wl_allocate(rows * count, sizeof *wide, error);
    double *factors = wide ? wl_allocate(count, sizeof *factors, error) : NULL;
    double *work = factors ? wl_allocate((size_t)work_size, sizeof *work, error) : NULL;
    if (work) {
        for (size_t i = 0; i < rows * count; i++) wide[i] = (double)columns[i];
        wl_blas_begin();
        dgelqf_(&m, &n, wide, &m, factors, work, &work_size, &info);
        dorglq_(&m, &n, &m, wide, &m, factors, work, &work_size, &info);
        wl_blas_end();
        for (size_t i = 0; i < rows * count; i++) columns[i] = (float)wide[i];
    }
    wl_status status = work ? WL_OK : WL_ERROR_MEMORY;
    free(wide);
    free(factors);
    free(work);
    return status;
}
