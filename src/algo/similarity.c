/* Similarities of all pairs of two sets of rows, or of rows at the same place. */
#include <math.h>
#include <stdlib.h>

#include "text/context.h"
#include "vector/vectors.h"

/* Rows of b that stay in the first-level cache while rows of a pass by. */
enum { NEAR_ROWS = 16, FAR_ROWS = 256, PAIR_ROWS = 1024 };

struct matrix {
    wl_comparison comparison;
    const wl_vectors *a, *b;
    double *a_squares, *b_squares;
    float *out;
};

static void compare_block(void *user, uint32_t worker, size_t item)
{
    (void)worker;
    const struct matrix *matrix = user;
    size_t blocks = (matrix->b->count + NEAR_ROWS - 1) / NEAR_ROWS;
    size_t a = item / blocks * FAR_ROWS, a_end = a + FAR_ROWS < matrix->a->count ? a + FAR_ROWS : matrix->a->count;
    size_t b = item % blocks * NEAR_ROWS, b_end = b + NEAR_ROWS < matrix->b->count ? b + NEAR_ROWS : matrix->b->count;
    for (size_t i = a; i < a_end; i++)
        for (size_t j = b; j < b_end; j++)
            matrix->out[i * matrix->b->count + j] =
                (float)wl_row_score_with(&matrix->comparison, wl_row(matrix->a, i), matrix->a_squares[i],
                                         wl_row(matrix->b, j), matrix->b_squares[j]);
}

static void compare_pairs(void *user, uint32_t worker, size_t item)
{
    (void)worker;
    const struct matrix *matrix = user;
    size_t begin = item * PAIR_ROWS, end = matrix->a->count;
    if (end - begin > PAIR_ROWS) end = begin + PAIR_ROWS;
    for (size_t i = begin; i < end; i++) {
        const void *row = wl_row(matrix->a, i);
        double square = wl_row_square(&matrix->comparison, row);
        matrix->out[i] = (float)wl_row_score(&matrix->comparison, row, square, wl_row(matrix->b, i));
    }
}

static wl_status check(struct matrix *matrix, wl_measure measure, const wl_context *context, wl_error *error)
{
    if (wl_vectors_check(matrix->a, "rows of a", error) || wl_vectors_check(matrix->b, "rows of b", error) ||
        wl_vectors_check_alike(matrix->a, matrix->b, error) ||
        wl_comparison_open(&matrix->comparison, matrix->a, measure, error))
        return error->code;
    if (!context) return wl_fail(error, WL_ERROR_ARGUMENT, "no context given");
    if (matrix->a->count && matrix->b->count && !matrix->out)
        return wl_fail(error, WL_ERROR_ARGUMENT, "no room for the similarities given");
    return WL_OK;
}

static double *squares_of(const wl_comparison *comparison, const wl_vectors *vectors, wl_error *error)
{
    double *squares = wl_allocate(vectors->count, sizeof *squares, error);
    for (size_t i = 0; squares && i < vectors->count; i++) {
        squares[i] = wl_row_square(comparison, wl_row(vectors, i));
        if (!isfinite(squares[i])) {
            wl_fail_not_finite(error, i);
            free(squares);
            return NULL;
        }
    }
    return squares;
}

wl_status wl_similarity(const wl_vectors *a, const wl_vectors *b, wl_measure measure, wl_context *context, float *out,
                        wl_error *error)
{
    wl_error unused;
    if (!error) error = &unused;
    struct matrix matrix = {.a = a, .b = b, .out = out};
    if (check(&matrix, measure, context, error)) return error->code;
    matrix.a_squares = squares_of(&matrix.comparison, a, error);
    matrix.b_squares = matrix.a_squares ? squares_of(&matrix.comparison, b, error) : NULL;
    wl_status status = matrix.b_squares ? WL_OK : error->code;
    if (!status)
        status =
            wl_context_run(context, ((a->count + FAR_ROWS - 1) / FAR_ROWS) * ((b->count + NEAR_ROWS - 1) / NEAR_ROWS),
                           compare_block, &matrix, error);
    free(matrix.a_squares);
    free(matrix.b_squares);
    return status;
}

wl_status wl_similarity_pairs(const wl_vectors *a, const wl_vectors *b, wl_measure measure, wl_context *context,
                              float *out, wl_error *error)
{
    wl_error unused;
    if (!error) error = &unused;
    struct matrix matrix = {.a = a, .b = b, .out = out};
    if (check(&matrix, measure, context, error)) return error->code;
    if (a->count != b->count) return wl_fail(error, WL_ERROR_MISMATCH, "pairs of %zu and %zu rows", a->count, b->count);
    if (wl_context_run(context, (a->count + PAIR_ROWS - 1) / PAIR_ROWS, compare_pairs, &matrix, error))
        return error->code;
    for (size_t i = 0; i < a->count; i++)
        if (!isfinite(out[i])) return wl_fail_not_finite(error, i);
    return WL_OK;
}
