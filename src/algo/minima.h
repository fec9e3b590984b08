/* Where a text's meaning changes: the similarity of pieces with those around them, smoothed, and its minima. Arithmetic
 * is F32 in the order in which the package wordllama 0.4 does it on a machine with AVX-512 (NumPy 2.4 with OpenBLAS
 * 0.3.31): the same bits on every machine, since ties are common where lines repeat. */
#ifndef WL_ALGO_MINIMA_H
#define WL_ALGO_MINIMA_H

#include "base/memory.h"

/* Takes unit vectors one behind the other and gives, for each, the mean similarity of all pairs in the window around
 * it. Memory: window rows and window squared numbers, whatever the number of vectors. */
typedef struct wl_windowed {
    size_t dim, half; /* half: rows on either side */
    size_t kept;      /* rows that are kept: the window, or all if they are fewer */
    size_t count;     /* rows so far */
    size_t given;     /* averages given so far */
    float *rows;      /* (kept, dim): row i is at i % kept */
    float *products;  /* (kept, kept): at (k % kept, d) the product of rows k - d and k */
    float *out;       /* an average for each row */
} wl_windowed;

/* window: odd, at least 3. count: of the rows that will come, out holds as many. Free with wl_windowed_free, also after
 * a failure. */
wl_status wl_windowed_begin(wl_windowed *windowed, size_t window, size_t dim, size_t count, float *out,
                            wl_error *error);
void wl_windowed_add(wl_windowed *windowed, const float *rows, size_t count);
/* After the last row. */
void wl_windowed_end(wl_windowed *windowed);
void wl_windowed_free(wl_windowed *windowed);

/* Coefficients of the Savitzky-Golay filter: the slope and the bend of the polynomial of that order that fits window
 * values best, at the one in the middle. window: odd, at least 3; order: below it, at least 1. */
wl_status wl_savitzky_golay(size_t window, size_t order, float *slope, float *bend, wl_error *error);

/* Indices of the minima of values[0..count): where the smoothed slope turns from falling to rising and the curve bends
 * upwards (order 1 knows no bend: the slope decides). places holds count indices; *found of them are filled, ascending.
 */
wl_status wl_local_minima(const float *values, size_t count, size_t window, size_t order, size_t *places, size_t *found,
                          wl_error *error);

/* numpy.quantile of count > 0 values; NaN where one is. Linear. */
float wl_quantile(const float *values, size_t count, double part);

#endif
