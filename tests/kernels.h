/* The promises of vector/kernels.h, checked for sets of kernels: for those of this processor (test_vector) and for
 * those that are emulated (test_vector_avx512). The first set of a list is always plain C. */
#ifndef WL_TESTS_KERNELS_H
#define WL_TESTS_KERNELS_H

#include <float.h>
#include <math.h>
#include <stdbool.h>

#include "format/half.h"
#include "test.h"
#include "vector/kernels.h"

/* xorshift64*, fixed seed: the same numbers in every run. */
static uint64_t random_state = 0x9E3779B97F4A7C15;

static inline uint64_t random_next(void)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * UINT64_C(0x2545F4914F6CDD1D);
}

static inline size_t random_below(size_t end)
{
    return (size_t)(random_next() >> 33) % end;
}

/* Uniform in [-1, 1). */
static inline float random_float(void)
{
    return (float)(random_next() >> 40) / 8388608.0f - 1;
}

static inline void *allocate(size_t size)
{
    void *memory = malloc(size ? size : 1);
    if (!memory) abort();
    return memory;
}

/* ---- elements ---------------------------------------------------------------------------------------------------- */

static inline void put_element(char *at, wl_element element, float value)
{
    uint16_t half;
    signed char byte;
    switch (element) {
    case WL_ELEMENT_F32:
        memcpy(at, &value, 4);
        break;
    case WL_ELEMENT_F16:
        half = wl_f32_to_f16(value);
        memcpy(at, &half, 2);
        break;
    case WL_ELEMENT_BF16:
        half = wl_f32_to_bf16(value);
        memcpy(at, &half, 2);
        break;
    default:
        byte = (signed char)fmaxf(-128, fminf(127, rintf(value)));
        memcpy(at, &byte, 1);
    }
}

static inline float element_at(const char *at, wl_element element)
{
    float value;
    uint16_t half;
    switch (element) {
    case WL_ELEMENT_F32:
        return memcpy(&value, at, 4), value;
    case WL_ELEMENT_F16:
        return memcpy(&half, at, 2), wl_f16_to_f32(half);
    case WL_ELEMENT_BF16:
        return memcpy(&half, at, 2), wl_bf16_to_f32(half);
    default:
        return (float)(signed char)*at;
    }
}

static const wl_dtype element_types[WL_NUMBERS] = {WL_F32, WL_F16, WL_BF16, WL_I8};

/* ORDINARY: some of a few magnitudes, F16 that are subnormal among them. ANY: any finite number there is. LARGEST and
 * SMALLEST: the magnitudes at the ends. */
enum flavour { ORDINARY, ANY, LARGEST, SMALLEST, FLAVOURS };

static inline float random_element(wl_element element, enum flavour flavour)
{
    static const float largest[] = {FLT_MAX, 65504, 0x1.FEp127f, 127},
                       smallest[] = {FLT_TRUE_MIN, 0x1p-24f, 0x1p-133f, 1};
    float sign = random_next() >> 63 ? 1 : -1;
    if (flavour == LARGEST) return sign * largest[element];
    if (flavour == SMALLEST) return sign * smallest[element];
    if (element == WL_ELEMENT_I8) return (float)random_below(256) - 128;
    if (flavour == ORDINARY) {
        float value = random_float() * ldexpf(1, (int)random_below(12) - 6);
        return random_below(16) ? value : value * 1e-6f;
    }
    for (;;) {
        uint32_t bits = (uint32_t)(random_next() >> 32);
        float value = element_at((const char *)&bits, element);
        if (isfinite(value)) return value;
    }
}

/* ---- rows of any element ----------------------------------------------------------------------------------------- */

static const wl_element elements[] = {WL_ELEMENT_F32, WL_ELEMENT_F16, WL_ELEMENT_BF16, WL_ELEMENT_I8, WL_ELEMENT_BITS};
enum { ELEMENTS = sizeof elements / sizeof *elements };

/* count random rows that end where their allocation ends; free data. Unused bits are 0. */
static inline wl_vectors random_rows(wl_element element, size_t count, size_t dim, enum flavour flavour)
{
    size_t size = wl_vector_size(element, dim);
    char *data = allocate(count * size);
    wl_vectors rows = {data, count, dim, element};
    for (size_t row = 0; row < count; row++, data += size) {
        if (element == WL_ELEMENT_BITS) {
            for (size_t i = 0; i < size; i++) data[i] = (char)(random_next() >> 40);
            if (dim % 8) data[size - 1] &= (char)(0xFF00 >> dim % 8);
        } else
            for (size_t i = 0; i < dim; i++)
                put_element(data + i * wl_vector_size(element, 1), element, random_element(element, flavour));
    }
    return rows;
}

static inline void free_rows(wl_vectors rows)
{
    free((void *)(uintptr_t)rows.data);
}

/* The element of a row, without the room's own functions. */
static inline float element_of(const wl_vectors *rows, size_t row, size_t i)
{
    const char *at = (const char *)rows->data + row * wl_vector_size(rows->element, rows->dim);
    if (rows->element == WL_ELEMENT_BITS) return (unsigned char)at[i / 8] >> (7 - i % 8) & 1 ? 1 : -1;
    return element_at(at + i * wl_vector_size(rows->element, 1), rows->element);
}

/* ---- sums of rows ------------------------------------------------------------------------------------------------ */

enum { ROWS = 50, MOST_COUNT = 40, MOST_DIM = 1000 };

/* A table whose end is the end of its allocation: a sanitizer sees a read behind the last row. */
struct table {
    char *memory, *data;
    size_t stride, size; /* bytes; of an element */
    wl_element element;
};

static inline struct table make_table(wl_element element, size_t dim, size_t shift, size_t gap)
{
    size_t size = wl_vector_size(element, 1);
    struct table table = {.stride = dim * size + gap, .size = size, .element = element};
    table.memory = allocate(shift + (ROWS - 1) * table.stride + dim * size);
    table.data = table.memory + shift;
    for (size_t row = 0; row < ROWS; row++) {
        char *at = table.data + row * table.stride;
        for (size_t j = 0; j < dim; j++) put_element(at + j * size, element, random_element(element, ORDINARY));
        if (row + 1 < ROWS) memset(at + dim * size, 0x7F, gap); /* must not be read as numbers */
    }
    return table;
}

/* Error of a sum of n products in order, each product and each sum rounded once: |error| <= (n + 1) u S / (1 - (n + 1)
 * u), u = 2^-24, S the sum of the absolute products (Higham, Accuracy and Stability, 3.1). */
static inline bool sums_within_bound(const struct table *table, const uint32_t *rows, const float *weights,
                                     size_t count, size_t dim, const float *sum)
{
    const double u = ldexp(1, -24), n = (double)count + 1;
    for (size_t j = 0; j < dim; j++) {
        double exact = 0, magnitude = 0;
        for (size_t i = 0; i < count; i++) {
            double value = (double)element_at(table->data + rows[i] * table->stride + j * table->size, table->element);
            double product = value * (weights ? (double)weights[i] : 1);
            exact += product;
            magnitude += fabs(product);
        }
        double bound = n * u / (1 - n * u) * magnitude + (double)FLT_MIN;
        if (!(fabs((double)sum[j] - exact) <= bound)) return false;
    }
    return true;
}

static inline void check_sums_of(const wl_kernels *const *sets, size_t set_count, wl_element element, size_t dim)
{
    static const size_t counts[] = {0, 1, 2, 7, MOST_COUNT};
    static float expected[MOST_DIM + 1], got[MOST_DIM + 1];
    wl_dtype type = element_types[element];
    size_t shift = random_below(5), gap = random_below(4);
    struct table table = make_table(element, dim, shift, gap);
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
        for (int weighted = 0; weighted < 2; weighted++) {
            uint32_t rows[MOST_COUNT];
            float weights[MOST_COUNT];
            size_t count = counts[c];
            for (size_t i = 0; i < count; i++) {
                rows[i] = i == 0 ? ROWS - 1 : (uint32_t)random_below(ROWS);
                weights[i] = random_float() * 3;
            }
            const float *with = weighted ? weights : NULL;
            wl_sum_kernel_of(sets[0], type)(table.data, table.stride, rows, with, count, dim, expected);
            CHECK_THAT(sums_within_bound(&table, rows, with, count, dim, expected), "%s dim %zu count %zu",
                       wl_dtype_name(type), dim, count);
            for (size_t s = 0; s < set_count; s++) {
                for (size_t j = 0; j <= dim; j++) got[j] = 12345;
                wl_sum_kernel_of(sets[s], type)(table.data, table.stride, rows, with, count, dim, got);
                CHECK_THAT(memcmp(expected, got, dim * sizeof *got) == 0,
                           "%s %s dim %zu count %zu weighted %d shift %zu", sets[s]->name, wl_dtype_name(type), dim,
                           count, weighted, shift);
                CHECK_THAT(got[dim] == 12345, "%s writes behind dim %zu", sets[s]->name, dim);
            }
        }
    free(table.memory);
}

/* Within n = dim / 64 + 7 roundings of each product (Higham, as above). */
static inline bool dots_within_bound(const struct table *table, const uint32_t *rows, size_t count, const float *vector,
                                     size_t dim, const float *dots)
{
    const double u = ldexp(1, -24), n = (double)dim / WL_DOTS_LANES + 8;
    for (size_t i = 0; i < count; i++) {
        double exact = 0, magnitude = 0;
        for (size_t j = 0; j < dim; j++) {
            double product =
                (double)vector[j] *
                (double)element_at(table->data + rows[i] * table->stride + j * table->size, table->element);
            exact += product;
            magnitude += fabs(product);
        }
        if (!(fabs((double)dots[i] - exact) <= n * u / (1 - n * u) * magnitude + (double)FLT_MIN)) return false;
    }
    return true;
}

static inline void check_dots_of(const wl_kernels *const *sets, size_t set_count, wl_element element, size_t dim)
{
    wl_dtype type = element_types[element];
    struct table table = make_table(element, dim, random_below(5), random_below(4));
    float *vector = allocate(dim * sizeof *vector), expected[MOST_COUNT], got[MOST_COUNT + 1];
    uint32_t rows[MOST_COUNT];
    for (size_t j = 0; j < dim; j++) vector[j] = random_element(WL_ELEMENT_F32, ORDINARY);
    for (size_t i = 0; i < MOST_COUNT; i++) rows[i] = i == 0 ? ROWS - 1 : (uint32_t)random_below(ROWS);
    wl_dots_kernel_of(sets[0], type)(table.data, table.stride, rows, MOST_COUNT, vector, dim, expected);
    CHECK_THAT(dots_within_bound(&table, rows, MOST_COUNT, vector, dim, expected), "%s dim %zu", wl_dtype_name(type),
               dim);
    for (size_t s = 0; s < set_count; s++)
        for (size_t count = 0; count <= MOST_COUNT; count += 8) {
            got[count] = 12345;
            wl_dots_kernel_of(sets[s], type)(table.data, table.stride, rows, count, vector, dim, got);
            CHECK_THAT(memcmp(expected, got, count * sizeof *got) == 0 && got[count] == 12345,
                       "%s %s dim %zu count %zu", sets[s]->name, wl_dtype_name(type), dim, count);
        }
    free(vector);
    free(table.memory);
}

/* What every family is tried at: all small dims, and some around the widths of registers. */
static const size_t wide_dims[] = {128, 255, 256, 257, 300, 512, MOST_DIM};
enum { SMALL_DIMS = 70, DIMS = SMALL_DIMS + sizeof wide_dims / sizeof *wide_dims };

static inline size_t dim_at(size_t i)
{
    return i < SMALL_DIMS ? i + 1 : wide_dims[i - SMALL_DIMS];
}

/* ---- pairs ------------------------------------------------------------------------------------------------------- */

/* A vector whose end is the end of its allocation and which may be unaligned. */
struct vector {
    char *memory, *data;
};

static inline struct vector make_vector(wl_element element, size_t dim, enum flavour flavour)
{
    size_t size = wl_vector_size(element, 1), shift = random_below(5);
    struct vector vector = {allocate(shift + dim * size), NULL};
    vector.data = vector.memory + shift;
    for (size_t j = 0; j < dim; j++) put_element(vector.data + j * size, element, random_element(element, flavour));
    return vector;
}

/* A sum and that of its terms' magnitudes. */
struct reference {
    long double sum, magnitude;
};

static inline struct reference refer(wl_element element, const char *a, const char *b, size_t dim, bool distance)
{
    struct reference reference = {0, 0};
    size_t size = wl_vector_size(element, 1);
    for (size_t j = 0; j < dim; j++) {
        long double x = (long double)element_at(a + j * size, element),
                    y = (long double)element_at(b + j * size, element);
        long double term = distance ? (x - y) * (x - y) : x * y;
        reference.sum += term;
        reference.magnitude += fabsl(term);
    }
    return reference;
}

/* Within the error that wordllama.h states, and that of the reference itself. */
static inline bool within_bound(double got, struct reference reference, size_t dim)
{
    long double bound = ((long double)dim / 16 + 5) * 0x1p-53L + ((long double)dim + 2) * LDBL_EPSILON;
    return fabsl((long double)got - reference.sum) <= bound * reference.magnitude;
}

static inline bool same_bits(double a, double b)
{
    uint64_t x, y;
    memcpy(&x, &a, sizeof x);
    memcpy(&y, &b, sizeof y);
    return x == y;
}

static inline void check_pair(const wl_kernels *const *sets, size_t set_count, wl_element element, size_t dim,
                              enum flavour flavour)
{
    struct vector first = make_vector(element, dim, flavour), second = make_vector(element, dim, flavour);
    const char *a = first.data, *b = second.data;
    const wl_pair_kernels *plain = &sets[0]->pairs[element];
    double ab = plain->dot(a, b, dim), bb = plain->dot(b, b, dim), distance = plain->squared_distance(a, b, dim);
    CHECK_THAT(within_bound(ab, refer(element, a, b, dim, false), dim) &&
                   within_bound(bb, refer(element, b, b, dim, false), dim) &&
                   within_bound(distance, refer(element, a, b, dim, true), dim),
               "element %d dim %zu flavour %d: %g %g %g", (int)element, dim, (int)flavour, ab, bb, distance);
    CHECK(same_bits(plain->dot(b, a, dim), ab) && plain->squared_distance(a, a, dim) == 0);
    for (size_t s = 0; s < set_count; s++) {
        const wl_pair_kernels *pairs = &sets[s]->pairs[element];
        wl_products both = pairs->products(a, b, dim);
        CHECK_THAT(same_bits(pairs->dot(a, b, dim), ab) && same_bits(both.ab, ab) && same_bits(both.bb, bb) &&
                       same_bits(pairs->squared_distance(a, b, dim), distance),
                   "%s element %d dim %zu flavour %d", sets[s]->name, (int)element, dim, (int)flavour);
    }
    free(first.memory);
    free(second.memory);
}

/* ---- one vector -------------------------------------------------------------------------------------------------- */

static inline void check_squares_of(const wl_kernels *const *sets, size_t set_count, size_t count)
{
    float *values = allocate(count * sizeof *values);
    for (size_t i = 0; i < count; i++) values[i] = random_element(WL_ELEMENT_F32, ORDINARY);
    float expected = sets[0]->squares(values, count);
    for (size_t s = 0; s < set_count; s++)
        CHECK_THAT(same_bits((double)sets[s]->squares(values, count), (double)expected), "%s count %zu", sets[s]->name,
                   count);
    free(values);
}

static inline void check_binarize_of(const wl_kernels *const *sets, size_t set_count, size_t dim)
{
    static const float odd[] = {0.0f, -0.0f, NAN, FLT_TRUE_MIN, -FLT_TRUE_MIN, INFINITY, -INFINITY};
    size_t size = wl_vector_size(WL_ELEMENT_BITS, dim);
    float *values = allocate(dim * sizeof *values);
    uint8_t *bits = allocate(size), *expected = allocate(size);
    memset(expected, 0, size);
    for (size_t i = 0; i < dim; i++) {
        values[i] = random_below(4) ? random_float() : odd[random_below(7)];
        if (values[i] > 0) expected[i / 8] |= (uint8_t)(128 >> i % 8);
    }
    for (size_t s = 0; s < set_count; s++) {
        memset(bits, 0xA5, size);
        sets[s]->binarize(values, dim, bits);
        CHECK_THAT(memcmp(bits, expected, size) == 0, "%s dim %zu", sets[s]->name, dim);
    }
    free(values);
    free(bits);
    free(expected);
}

/* ---- the first look ---------------------------------------------------------------------------------------------- */

/* In any order of summation: n products and n - 1 sums, so n u / (1 - n u), and what products lose below the smallest
 * normal number. */
static inline bool rough_within(float got, struct reference reference, size_t dim)
{
    long double n = (long double)dim, u = 0x1p-24L;
    return fabsl((long double)got - reference.sum) <= n * u / (1 - n * u) * reference.magnitude + n * 0x1p-149L;
}

static inline void check_rough_of(const wl_kernels *const *sets, size_t set_count, size_t dim, float scale)
{
    float *a = allocate(dim * sizeof *a), *b = allocate(dim * sizeof *b);
    for (size_t j = 0; j < dim; j++) {
        a[j] = random_element(WL_ELEMENT_F32, ORDINARY) * scale;
        b[j] = random_element(WL_ELEMENT_F32, ORDINARY) * scale;
    }
    struct reference ab = refer(WL_ELEMENT_F32, (const char *)a, (const char *)b, dim, false),
                     bb = refer(WL_ELEMENT_F32, (const char *)b, (const char *)b, dim, false);
    for (size_t s = 0; s < set_count; s++) {
        wl_rough got = sets[s]->rough(a, b, dim);
        CHECK_THAT(rough_within(got.ab, ab, dim) && rough_within(got.bb, bb, dim), "%s dim %zu scale %g: %g %g",
                   sets[s]->name, dim, (double)scale, (double)got.ab, (double)got.bb);
    }
    free(a);
    free(b);
}

/* ---- bits -------------------------------------------------------------------------------------------------------- */

static inline void check_hamming_of(const wl_kernels *const *sets, size_t set_count, size_t size)
{
    size_t shift = random_below(3);
    uint8_t *a = allocate(size + shift), *b = allocate(size);
    for (size_t i = 0; i < size + shift; i++) a[i] = (uint8_t)(random_next() >> 40);
    for (size_t i = 0; i < size; i++) b[i] = (uint8_t)(random_next() >> 40);
    uint64_t expected = 0;
    for (size_t i = 0; i < 8 * size; i++) expected += ((a[i / 8 + shift] ^ b[i / 8]) >> i % 8) & 1;
    for (size_t s = 0; s < set_count; s++) {
        CHECK_THAT(sets[s]->hamming(a + shift, b, size) == expected, "%s size %zu", sets[s]->name, size);
        CHECK(sets[s]->hamming(b, b, size) == 0);
    }
    for (size_t i = 0; i < size; i++) b[i] = (uint8_t)~a[i + shift];
    for (size_t s = 0; s < set_count; s++) CHECK(sets[s]->hamming(a + shift, b, size) == 8 * size);
    free(a);
    free(b);
}

/* ---- screens ----------------------------------------------------------------------------------------------------- */

enum screen_groups { GROUPS_FLOATS, GROUPS_BITS, GROUPS_BYTES, GROUPS_KINDS };
enum { SCREEN_PANELS = 7, SCREEN_ROWS = SCREEN_PANELS * WL_PANEL_LANES };

/* A panel and a tile of random groups, with each pair's score and how far from it a kernel may be. */
struct screening {
    enum screen_groups kind;
    uint32_t *rows, *queries; /* groups */
    float *rest;
    wl_panel panel;
    wl_tile tile;
    double scores[WL_TILE_QUERIES][SCREEN_ROWS], errors[WL_TILE_QUERIES][SCREEN_ROWS];
};

static inline uint32_t random_group(enum screen_groups kind)
{
    float value = random_float() * (random_below(8) ? 1 : 100);
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return kind == GROUPS_FLOATS ? bits : (uint32_t)(random_next() >> 32);
}

/* What a group of a query and one of a row add to their score; squares: to those of their lengths. */
static inline double group_product(enum screen_groups kind, uint32_t query, uint32_t row)
{
    float x, y;
    memcpy(&x, &query, sizeof x);
    memcpy(&y, &row, sizeof y);
    if (kind == GROUPS_FLOATS) return (double)x * (double)y;
    if (kind == GROUPS_BITS) return __builtin_popcount(query ^ row);
    int sum = 0;
    for (int j = 0; j < 4; j++) sum += (signed char)(query >> 8 * j) * ((int)(row >> 8 * j & 255) - 128);
    return sum;
}

static inline void score_pair(struct screening *screening, size_t query, size_t row)
{
    size_t depth = screening->panel.depth;
    const uint32_t *x = screening->queries + query * depth,
                   *y = screening->rows + row / WL_PANEL_LANES * depth * WL_PANEL_LANES + row % WL_PANEL_LANES;
    bool floats = screening->kind == GROUPS_FLOATS;
    double sum = 0, squares[2] = {0, 0}, rest = 0;
    for (size_t i = 0; i < depth; i++) {
        uint32_t group = y[i * WL_PANEL_LANES];
        sum += group_product(screening->kind, x[i], group);
        squares[0] += floats ? group_product(GROUPS_FLOATS, x[i], x[i]) : 0;
        squares[1] += floats ? group_product(GROUPS_FLOATS, group, group) : 0;
    }
    if (screening->panel.rest) rest = (double)screening->tile.rest[query] * (double)screening->rest[row];
    screening->scores[query][row] = sum + rest;
    double lengths = sqrt(squares[0]) * sqrt(squares[1]) + fabs(rest);
    screening->errors[query][row] = floats           ? ((double)depth + 2) * 0x1p-24 * lengths
                                    : fabs(rest) > 0 ? (fabs(sum) + 2 * fabs(rest)) * 0x1p-24
                                                     : 0;
}

static inline struct screening *make_screening(enum screen_groups kind, size_t depth, bool rest)
{
    struct screening *screening = allocate(sizeof *screening);
    *screening = (struct screening){.kind = kind, .panel = {.depth = depth}};
    size_t groups = SCREEN_ROWS * depth;
    screening->rows = aligned_alloc(64, groups * 4);
    if (!screening->rows) abort();
    screening->queries = allocate(WL_TILE_QUERIES * depth * 4);
    screening->rest = allocate(SCREEN_ROWS * sizeof *screening->rest);
    for (size_t i = 0; i < groups; i++) screening->rows[i] = random_group(kind);
    for (size_t i = 0; i < WL_TILE_QUERIES * depth; i++) screening->queries[i] = random_group(kind);
    for (size_t i = 0; i < depth && kind != GROUPS_FLOATS; i++) { /* the largest sums there are */
        screening->rows[i * WL_PANEL_LANES] = 0;
        screening->rows[i * WL_PANEL_LANES + 1] = UINT32_MAX;
        screening->queries[i] = kind == GROUPS_BITS ? UINT32_MAX : 0x7F7F7F7F;
        screening->queries[depth + i] = kind == GROUPS_BITS ? 0 : 0x81818181;
    }
    for (size_t i = 0; i < SCREEN_ROWS; i++) screening->rest[i] = random_float() * 10;
    screening->panel.groups = screening->rows;
    screening->panel.rest = rest ? screening->rest : NULL;
    screening->tile.groups = screening->queries;
    for (size_t query = 0; query < WL_TILE_QUERIES; query++) {
        screening->tile.rest[query] = random_float() * 10;
        for (size_t i = 0; kind == GROUPS_BYTES && i < depth; i++)
            screening->tile.start[query] -=
                128 * (int32_t)group_product(kind, screening->queries[query * depth + i], 0x81818181);
        for (size_t row = 0; row < SCREEN_ROWS; row++) score_pair(screening, query, row);
    }
    return screening;
}

static inline void free_screening(struct screening *screening)
{
    free(screening->rows);
    free(screening->queries);
    free(screening->rest);
    free(screening);
}

/* No pair above its threshold by more than the error is missing, none below by more than it is there, and the rows of
 * each query ascend. */
static inline bool hits_hold(const struct screening *screening, size_t begin, size_t end, const wl_hit *hits,
                             size_t count)
{
    bool found[WL_TILE_QUERIES][SCREEN_ROWS] = {{false}};
    size_t next[WL_TILE_QUERIES] = {0};
    for (size_t i = 0; i < count; i++) {
        size_t query = hits[i].query, row = hits[i].row;
        if (query >= WL_TILE_QUERIES || row < begin * WL_PANEL_LANES || row >= end * WL_PANEL_LANES) return false;
        if (row < next[query]) return false;
        next[query] = row + 1;
        found[query][row] = true;
    }
    for (size_t query = 0; query < WL_TILE_QUERIES; query++)
        for (size_t row = begin * WL_PANEL_LANES; row < end * WL_PANEL_LANES; row++) {
            double over = screening->scores[query][row] - (double)screening->tile.threshold[query];
            double error = screening->errors[query][row];
            if (found[query][row] ? over < -error || (error == 0 && over == 0) : over > error) return false;
        }
    return true;
}

static inline void check_screening(const wl_kernels *set, wl_screen_kernel *kernel, struct screening *screening)
{
    for (size_t query = 0; query < WL_TILE_QUERIES; query++) {
        double score = screening->scores[query][random_below(SCREEN_ROWS)];
        screening->tile.threshold[query] = (float)(random_below(2) ? score : score - screening->errors[query][0] / 2);
    }
    /* One that takes all, one that takes none. */
    screening->tile.threshold[random_below(WL_TILE_QUERIES)] = -INFINITY;
    screening->tile.threshold[random_below(WL_TILE_QUERIES)] = INFINITY;
    for (size_t query = 0; query < WL_TILE_QUERIES; query++) {
        float threshold = screening->tile.threshold[query];
        bool finite = isfinite(threshold);
        screening->tile.whole[query] = finite ? (int32_t)floorf(threshold) : threshold > 0 ? INT32_MAX : INT32_MIN;
    }
    for (size_t begin = 0; begin < SCREEN_PANELS; begin++)
        for (size_t end = begin; end <= SCREEN_PANELS; end++) {
            wl_hit *hits = allocate(WL_TILE_QUERIES * (end - begin) * WL_PANEL_LANES * sizeof *hits);
            size_t count = kernel(&screening->panel, begin, end, &screening->tile, hits);
            CHECK_THAT(hits_hold(screening, begin, end, hits, count), "%s kind %d depth %zu rest %d panels %zu to %zu",
                       set->name, (int)screening->kind, screening->panel.depth, screening->panel.rest != NULL, begin,
                       end);
            free(hits);
        }
}

static inline wl_screen_kernel *screen_of(const wl_kernels *set, enum screen_groups kind)
{
    return kind == GROUPS_FLOATS ? set->screen_floats : kind == GROUPS_BITS ? set->screen_bits : set->screen_bytes;
}

static inline void check_screens(const wl_kernels *const *sets, size_t set_count, size_t depth)
{
    for (int kind = 0; kind < GROUPS_KINDS; kind++)
        for (int rest = 0; rest < 2; rest++) {
            struct screening *screening = make_screening((enum screen_groups)kind, depth, rest);
            for (size_t s = 0; s < set_count; s++) {
                wl_screen_kernel *kernel = screen_of(sets[s], (enum screen_groups)kind);
                CHECK(kernel || kind == GROUPS_BYTES);
                if (kernel) check_screening(sets[s], kernel, screening);
            }
            free_screening(screening);
        }
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

static inline void check_sets(const wl_kernels *const *sets, size_t set_count)
{
    for (size_t i = 0; i < DIMS; i++) {
        for (int element = 0; element < WL_NUMBERS; element++) {
            check_sums_of(sets, set_count, (wl_element)element, dim_at(i));
            check_dots_of(sets, set_count, (wl_element)element, dim_at(i));
            for (int flavour = 0; flavour < FLAVOURS; flavour++)
                for (int round = 0; round < 4; round++)
                    check_pair(sets, set_count, (wl_element)element, dim_at(i), (enum flavour)flavour);
        }
        check_rough_of(sets, set_count, dim_at(i), 1);
        check_rough_of(sets, set_count, dim_at(i), 1e-20f);
        check_rough_of(sets, set_count, dim_at(i), 1e15f);
        if (i < SMALL_DIMS || dim_at(i) == 256) check_screens(sets, set_count, dim_at(i));
    }
    for (size_t count = 8; count <= 128; count++) check_squares_of(sets, set_count, count);
    for (size_t dim = 0; dim <= 300; dim++) check_binarize_of(sets, set_count, dim);
    for (size_t size = 0; size <= 200; size++) check_hamming_of(sets, set_count, size);
    for (size_t size = 480; size <= 1100; size += 31) check_hamming_of(sets, set_count, size);
    CHECK(!wl_sum_kernel_of(sets[0], WL_F64) && !wl_sum_kernel_of(sets[0], WL_I32));
    CHECK(!wl_dots_kernel_of(sets[0], WL_F64) && !wl_dots_kernel_of(sets[0], WL_I32));
}

#endif
