#include "vector/vectors.h"

#include <math.h>
#include <string.h>

#include "format/half.h"
#include "vector/ops.h"

size_t wl_vector_size(wl_element element, size_t dim)
{
    switch (element) {
    case WL_ELEMENT_F32:
        return dim * 4;
    case WL_ELEMENT_F16:
    case WL_ELEMENT_BF16:
        return dim * 2;
    case WL_ELEMENT_I8:
        return dim;
    case WL_ELEMENT_BITS:
        return dim / 8 + (dim % 8 != 0);
    }
    return 0;
}

wl_status wl_vectors_check(const wl_vectors *vectors, const char *name, wl_error *error)
{
    if (!vectors) return wl_fail(error, WL_ERROR_ARGUMENT, "no %s given", name);
    if (vectors->dim == 0 || vectors->dim > UINT32_MAX)
        return wl_fail(error, WL_ERROR_ARGUMENT, "%s have %zu dimensions, expected 1 to %u", name, vectors->dim,
                       UINT32_MAX);
    size_t size = wl_vector_size(vectors->element, vectors->dim), bytes;
    if (!size) return wl_fail(error, WL_ERROR_ARGUMENT, "%s have an unknown element, %d", name, (int)vectors->element);
    if (vectors->element == WL_ELEMENT_BITS && vectors->dim > 1u << 30)
        return wl_fail(error, WL_ERROR_LIMIT, "%s have %zu dimensions, of bits at most 2^30", name, vectors->dim);
    if (vectors->count >= UINT32_MAX || __builtin_mul_overflow(size, vectors->count, &bytes))
        return wl_fail(error, WL_ERROR_LIMIT, "%zu %s are too many", vectors->count, name);
    if ((uintptr_t)vectors->data % wl_vector_size(vectors->element, 1))
        return wl_fail(error, WL_ERROR_ARGUMENT, "%s are not aligned to an element", name);
    if (vectors->count && !vectors->data) return wl_fail(error, WL_ERROR_ARGUMENT, "%s have no data", name);
    return WL_OK;
}

wl_status wl_vectors_check_alike(const wl_vectors *a, const wl_vectors *b, wl_error *error)
{
    if (a->element != b->element) return wl_fail(error, WL_ERROR_MISMATCH, "the two sides have different elements");
    if (a->dim != b->dim)
        return wl_fail(error, WL_ERROR_MISMATCH, "the two sides have %zu and %zu dimensions", a->dim, b->dim);
    return WL_OK;
}

void wl_row_floats(const wl_vectors *vectors, size_t index, float *out)
{
    const unsigned char *row = wl_row(vectors, index);
    uint16_t half;
    switch (vectors->element) {
    case WL_ELEMENT_F32:
        memcpy(out, row, vectors->dim * sizeof *out);
        break;
    case WL_ELEMENT_F16:
        for (size_t i = 0; i < vectors->dim; i++) memcpy(&half, row + 2 * i, 2), out[i] = wl_f16_to_f32(half);
        break;
    case WL_ELEMENT_BF16:
        for (size_t i = 0; i < vectors->dim; i++) memcpy(&half, row + 2 * i, 2), out[i] = wl_bf16_to_f32(half);
        break;
    case WL_ELEMENT_I8:
        for (size_t i = 0; i < vectors->dim; i++) out[i] = (float)(signed char)row[i];
        break;
    case WL_ELEMENT_BITS:
        for (size_t i = 0; i < vectors->dim; i++) out[i] = row[i / 8] >> (7 - i % 8) & 1 ? 1 : -1;
        break;
    }
}

wl_status wl_fail_not_finite(wl_error *error, size_t row)
{
    return wl_fail(error, WL_ERROR_ARGUMENT, "row %zu holds a number that is not finite", row);
}

/* ---- comparing two rows ---- */

wl_status wl_comparison_open(wl_comparison *comparison, const wl_vectors *vectors, wl_measure measure, wl_error *error)
{
    *comparison = (wl_comparison){wl_kernels_best(), vectors->element, vectors->dim, measure};
    if (measure != WL_COSINE && measure != WL_HAMMING)
        return wl_fail(error, WL_ERROR_ARGUMENT, "unknown measure, %d", (int)measure);
    if (measure == WL_HAMMING && vectors->element != WL_ELEMENT_BITS)
        return wl_fail(error, WL_ERROR_ARGUMENT, "the Hamming similarity is for bits alone");
    return WL_OK;
}

static double count_differing(const wl_comparison *comparison, const void *a, const void *b)
{
    return (double)comparison->kernels->hamming(a, b, wl_vector_size(WL_ELEMENT_BITS, comparison->dim));
}

/* A zero vector has no direction: 0. (Its product with what is not finite is NaN, which stays visible.) */
static double cosine(double ab, double aa, double bb)
{
    return (aa == 0 || bb == 0) && ab == 0 ? 0 : ab / sqrt(aa * bb);
}

double wl_row_square(const wl_comparison *comparison, const void *row)
{
    if (comparison->element == WL_ELEMENT_BITS) return (double)comparison->dim;
    return comparison->kernels->pairs[comparison->element].dot(row, row, comparison->dim);
}

static double score_bits(const wl_comparison *comparison, const void *a, const void *b)
{
    double part = count_differing(comparison, a, b) / (double)comparison->dim;
    return comparison->measure == WL_HAMMING ? 1 - part : 1 - 2 * part;
}

double wl_row_score(const wl_comparison *comparison, const void *a, double a_square, const void *b)
{
    if (comparison->element == WL_ELEMENT_BITS) return score_bits(comparison, a, b);
    wl_products found = comparison->kernels->pairs[comparison->element].products(a, b, comparison->dim);
    return cosine(found.ab, a_square, found.bb);
}

double wl_row_score_with(const wl_comparison *comparison, const void *a, double a_square, const void *b,
                         double b_square)
{
    if (comparison->element == WL_ELEMENT_BITS) return score_bits(comparison, a, b);
    return cosine(comparison->kernels->pairs[comparison->element].dot(a, b, comparison->dim), a_square, b_square);
}

/* A sum of n products in single precision, in any order, is within n * 2^-24 / (1 - n * 2^-24) of the sum of their
 * magnitudes (Higham, Accuracy and Stability, 3.1), which the lengths bound; twice that leaves room. Products near the
 * smallest number lose more: those are not looked at, nor is what overflowed. */
static const double SMALLEST = 1e-28, LARGEST = 1e37;

bool wl_row_may_reach(const wl_comparison *comparison, const void *a, double a_square, const void *b, double threshold)
{
    if (comparison->element != WL_ELEMENT_F32) return true;
    wl_rough found = comparison->kernels->rough(a, b, comparison->dim);
    double bb = (double)found.bb, error = (double)comparison->dim * 0x1p-22;
    if (!(bb > SMALLEST) || !(a_square > SMALLEST) || !(bb < LARGEST) || !(a_square < LARGEST)) return true;
    return !((double)found.ab < (threshold - error) * sqrt(a_square * bb));
}

double wl_rough_bound(const wl_kernels *kernels, const float *a, const float *b, size_t dim, double length)
{
    double ab = (double)kernels->rough(a, b, dim).ab;
    if (!(length > SMALLEST) || !isfinite(ab)) return INFINITY;
    return ab + (double)dim * 0x1p-23 * length;
}

double wl_measure_to_cosine(wl_measure measure, double score)
{
    return measure == WL_HAMMING ? 2 * score - 1 : score;
}

/* ---- the public calls ---- */

double wl_vector_dot(wl_element element, const void *a, const void *b, size_t dim)
{
    wl_comparison comparison = {wl_kernels_best(), element, dim, WL_COSINE};
    if (element == WL_ELEMENT_BITS) return (double)dim - 2 * count_differing(&comparison, a, b);
    return wl_vector_size(element, 1) ? comparison.kernels->pairs[element].dot(a, b, dim) : (double)NAN;
}

double wl_vector_squared_distance(wl_element element, const void *a, const void *b, size_t dim)
{
    wl_comparison comparison = {wl_kernels_best(), element, dim, WL_COSINE};
    if (element == WL_ELEMENT_BITS) return 4 * count_differing(&comparison, a, b);
    return wl_vector_size(element, 1) ? comparison.kernels->pairs[element].squared_distance(a, b, dim) : (double)NAN;
}

double wl_vector_cosine(wl_element element, const void *a, const void *b, size_t dim)
{
    if (!wl_vector_size(element, 1)) return (double)NAN;
    wl_comparison comparison = {wl_kernels_best(), element, dim, WL_COSINE};
    return dim ? wl_row_score(&comparison, a, wl_row_square(&comparison, a), b) : 0;
}

float wl_cosine(const float *a, const float *b, size_t dim)
{
    return (float)wl_vector_cosine(WL_ELEMENT_F32, a, b, dim);
}

uint64_t wl_hamming(const uint8_t *a, const uint8_t *b, size_t size)
{
    return wl_kernels_best()->hamming(a, b, size);
}

/* In single precision, as the reference does it, but for lengths whose squares that cannot hold. */
static void make_unit(float *row, size_t dim)
{
    float length = wl_norm(row, dim);
    if (length > 1e-15f && length < INFINITY) {
        for (size_t i = 0; i < dim; i++) row[i] /= length;
        return;
    }
    double square = wl_kernels_best()->pairs[WL_ELEMENT_F32].dot(row, row, dim);
    for (size_t i = 0; i < dim && square != 0; i++) row[i] = (float)((double)row[i] / sqrt(square));
}

wl_status wl_vectors_normalize(const wl_vectors *vectors, float *out, wl_error *error)
{
    wl_error unused;
    if (!error) error = &unused;
    if (wl_vectors_check(vectors, "vectors", error)) return error->code;
    if (vectors->count && !out) return wl_fail(error, WL_ERROR_ARGUMENT, "no room for the vectors given");
    for (size_t row = 0; row < vectors->count; row++) {
        float *to = out + row * vectors->dim;
        if (wl_row(vectors, row) != (void *)to) wl_row_floats(vectors, row, to);
        make_unit(to, vectors->dim);
    }
    return WL_OK;
}

wl_status wl_vectors_binarize(const wl_vectors *vectors, uint8_t *out, wl_error *error)
{
    wl_error unused;
    if (!error) error = &unused;
    if (wl_vectors_check(vectors, "vectors", error)) return error->code;
    if (vectors->count && !out) return wl_fail(error, WL_ERROR_ARGUMENT, "no room for the bits given");
    size_t size = wl_vector_size(WL_ELEMENT_BITS, vectors->dim);
    enum { BLOCK = 512 }; /* a whole number of bytes of bits and of every element */
    float values[BLOCK];
    for (size_t row = 0; row < vectors->count; row++)
        for (size_t at = 0; at < vectors->dim; at += BLOCK) {
            wl_vectors part = {(const char *)wl_row(vectors, row) + wl_vector_size(vectors->element, at), 1,
                               vectors->dim - at < BLOCK ? vectors->dim - at : BLOCK, vectors->element};
            wl_row_floats(&part, 0, values);
            wl_binarize(values, part.dim, out + row * size + at / 8);
        }
    return WL_OK;
}
