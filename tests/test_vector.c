/* The room vector/: every set of kernels against plain C, plain C against double precision, lengths against NumPy. */
#include <float.h>
#include <math.h>

#include "format/half.h"
#include "test.h"
#include "vector/kernels.h"
#include "vector/ops.h"

/* xorshift64*, fixed seed: the same numbers in every run. */
static uint64_t random_state = 0x9E3779B97F4A7C15;

static uint64_t random_next(void)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * UINT64_C(0x2545F4914F6CDD1D);
}

/* Uniform in [-1, 1). */
static float random_float(void)
{
    return (float)(random_next() >> 40) / 8388608.0f - 1;
}

static const wl_dtype types[] = {WL_F32, WL_F16, WL_BF16, WL_I8};

/* ---- tables ------------------------------------------------------------------------------------------------------ */

enum { ROWS = 50, MOST_COUNT = 40, MOST_DIM = 1000 };

/* A table whose end is the end of its allocation: a sanitizer sees a read behind the last row. */
struct table {
    char *memory, *data;
    size_t stride;
};

static void put_element(char *at, wl_dtype type)
{
    float value = random_float() * ldexpf(1, (int)(random_next() % 12) - 6);
    uint16_t half;
    signed char byte;
    switch (type) {
    case WL_F32:
        memcpy(at, &value, 4);
        break;
    case WL_F16:
        half = wl_f32_to_f16(random_next() % 16 ? value : value * 1e-6f); /* subnormal ones too */
        memcpy(at, &half, 2);
        break;
    case WL_BF16:
        half = wl_f32_to_bf16(value);
        memcpy(at, &half, 2);
        break;
    default:
        byte = (signed char)((int)(random_next() % 256) - 128);
        memcpy(at, &byte, 1);
    }
}

static struct table make_table(wl_dtype type, size_t dim, size_t shift, size_t gap)
{
    size_t element = wl_dtype_size(type);
    struct table table = {.stride = dim * element + gap};
    table.memory = malloc(shift + (ROWS - 1) * table.stride + dim * element);
    if (!table.memory) abort();
    table.data = table.memory + shift;
    for (size_t row = 0; row < ROWS; row++) {
        char *at = table.data + row * table.stride;
        for (size_t j = 0; j < dim; j++) put_element(at + j * element, type);
        if (row + 1 < ROWS) memset(at + dim * element, 0x7F, gap); /* must not be read as numbers */
    }
    return table;
}

static double element_of(const struct table *table, wl_dtype type, size_t row, size_t column)
{
    const char *at = table->data + row * table->stride + column * wl_dtype_size(type);
    float value;
    uint16_t half;
    switch (type) {
    case WL_F32:
        return memcpy(&value, at, 4), (double)value;
    case WL_F16:
        return memcpy(&half, at, 2), (double)wl_f16_to_f32(half);
    case WL_BF16:
        return memcpy(&half, at, 2), (double)wl_bf16_to_f32(half);
    default:
        return (double)(signed char)*at;
    }
}

/* ---- kernels ----------------------------------------------------------------------------------------------------- */

/* Error of a sum of n products in order, each product and each sum rounded once: |error| <= (n + 1) u S / (1 - (n + 1)
 * u), u = 2^-24, S the sum of the absolute products (Higham, Accuracy and Stability, 3.1). */
static bool within_bound(const struct table *table, wl_dtype type, const uint32_t *rows, const float *weights,
                         size_t count, size_t dim, const float *sum)
{
    const double u = ldexp(1, -24), n = (double)count + 1;
    for (size_t j = 0; j < dim; j++) {
        double exact = 0, magnitude = 0;
        for (size_t i = 0; i < count; i++) {
            double product = element_of(table, type, rows[i], j) * (weights ? (double)weights[i] : 1);
            exact += product;
            magnitude += fabs(product);
        }
        double bound = n * u / (1 - n * u) * magnitude + (double)FLT_MIN;
        if (!(fabs((double)sum[j] - exact) <= bound)) return false;
    }
    return true;
}

static void check_table(const wl_kernels *const *sets, size_t set_count, wl_dtype type, size_t dim)
{
    static const size_t counts[] = {0, 1, 2, 7, MOST_COUNT};
    static float expected[MOST_DIM + 1], got[MOST_DIM + 1];
    size_t shift = random_next() % 5, gap = random_next() % 4;
    struct table table = make_table(type, dim, shift, gap);
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
        for (int weighted = 0; weighted < 2; weighted++) {
            uint32_t rows[MOST_COUNT];
            float weights[MOST_COUNT];
            size_t count = counts[c];
            for (size_t i = 0; i < count; i++) {
                rows[i] = i == 0 ? ROWS - 1 : (uint32_t)(random_next() % ROWS);
                weights[i] = random_float() * 3;
            }
            const float *with = weighted ? weights : NULL;
            wl_sum_kernel_of(&wl_kernels_generic, type)(table.data, table.stride, rows, with, count, dim, expected);
            CHECK_THAT(within_bound(&table, type, rows, with, count, dim, expected), "%s dim %zu count %zu",
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

static void test_kernels(void)
{
    static const size_t wide[] = {128, 255, 256, 257, 300, 512, MOST_DIM};
    const wl_kernels *sets[3] = {&wl_kernels_generic};
    size_t count = 1;
#if defined(__x86_64__)
    unsetenv("WORDLLAMA_CPU");
    wl_cpu cpu = wl_cpu_detect();
    if (cpu >= WL_CPU_AVX2)
        sets[count++] = &wl_kernels_avx2;
    else
        SKIP("kernels avx2: this processor lacks them");
    if (cpu >= WL_CPU_AVX512)
        sets[count++] = &wl_kernels_avx512;
    else
        SKIP("kernels avx512: this processor lacks them (test_vector_avx512 emulates them)");
#endif
    for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
        for (size_t dim = 1; dim <= 70; dim++) check_table(sets, count, types[t], dim);
        for (size_t w = 0; w < sizeof wide / sizeof *wide; w++) check_table(sets, count, types[t], wide[w]);
    }
    CHECK(!wl_sum_kernel_of(&wl_kernels_generic, WL_F64));
    CHECK(!wl_sum_kernel_of(&wl_kernels_generic, WL_I32));
}

static void test_choice(void)
{
    const wl_kernels *best = wl_kernels_best();
    CHECK(best == wl_kernels_best());
    CHECK(strcmp(wl_cpu_name(), best->name) == 0);
    CHECK(best->sum_f32 && best->sum_f16 && best->sum_bf16 && best->sum_i8);
}

/* ---- one vector -------------------------------------------------------------------------------------------------- */

/* tests/golden/model_norms.txt: the generator is that of tools/golden_models.py. */
static void test_norm(void)
{
    FILE *file = fopen(WL_TEST_DATA "/golden/model_norms.txt", "r");
    CHECK(file);
    if (!file) return;
    char line[256];
    uint32_t state = 1;
    size_t lines = 0;
    static float vector[MOST_DIM];
    while (fgets(line, sizeof line, file)) {
        if (line[0] == '#') continue;
        char *at = line;
        size_t dim = strtoul(at, &at, 10);
        CHECK(dim == ++lines && dim <= MOST_DIM);
        for (int row = 0; row < 3; row++) {
            for (size_t j = 0; j < dim; j++) {
                state = state * 1664525u + 1013904223u;
                vector[j] = (float)(state >> 8) / 8388608.0f - 1;
            }
            uint32_t expected = (uint32_t)strtoul(at, &at, 16), got;
            float norm = wl_norm(vector, dim);
            memcpy(&got, &norm, 4);
            CHECK_THAT(got == expected, "dim %zu row %d: %08x, expected %08x", dim, row, got, expected);
        }
    }
    CHECK(lines == 300);
    fclose(file);
    CHECK(wl_norm(vector, 0) == 0);
    CHECK(wl_norm((float[]){3, 4}, 2) == 5);
    memset(vector, 0, sizeof vector);
    CHECK(wl_norm(vector, MOST_DIM) == 0);
}

static void test_binarize(void)
{
    float vector[70] = {0};
    uint8_t bits[10];
    for (size_t dim = 0; dim <= 70; dim++) {
        for (size_t j = 0; j < dim; j++) vector[j] = random_float();
        memset(bits, 0xA5, sizeof bits);
        wl_binarize(vector, dim, bits);
        size_t bytes = (dim + 7) / 8, wrong = 0;
        for (size_t j = 0; j < 8 * bytes; j++) {
            bool expected = j < dim && vector[j] > 0;
            wrong += ((bits[j / 8] >> (7 - j % 8)) & 1) != expected;
        }
        CHECK_THAT(wrong == 0, "dim %zu", dim);
        if (bytes < sizeof bits) CHECK(bits[bytes] == 0xA5);
    }
    /* Zero of either sign and NaN are not above zero; the smallest number is. */
    wl_binarize((float[]){0.0f, -0.0f, NAN, FLT_TRUE_MIN, -1, 1, INFINITY, -INFINITY, 1}, 9, bits);
    CHECK(bits[0] == 0x16 && bits[1] == 0x80);
}

static void test_cosine(void)
{
    float a[300], b[300], scaled[300], zero[300] = {0};
    for (size_t dim = 1; dim <= 300; dim += 23) {
        double ab = 0, aa = 0, bb = 0;
        for (size_t j = 0; j < dim; j++) {
            a[j] = random_float();
            b[j] = random_float();
            scaled[j] = -4 * a[j];
            ab += (double)a[j] * (double)b[j];
            aa += (double)a[j] * (double)a[j];
            bb += (double)b[j] * (double)b[j];
        }
        CHECK(fabs((double)wl_cosine(a, b, dim) - ab / sqrt(aa) / sqrt(bb)) < 1e-7);
        CHECK(wl_cosine(a, b, dim) == wl_cosine(b, a, dim));
        CHECK(wl_cosine(a, a, dim) == 1);
        CHECK(wl_cosine(a, scaled, dim) == -1);
        CHECK(wl_cosine(a, zero, dim) == 0 && wl_cosine(zero, b, dim) == 0 && wl_cosine(zero, zero, dim) == 0);
    }
    CHECK(wl_cosine(a, b, 0) == 0);
    /* Squares that F32 could not hold. */
    CHECK(wl_cosine((float[]){1e30f, 0}, (float[]){1e30f, 1e30f}, 2) == (float)sqrt(0.5));
    CHECK(wl_cosine((float[]){1e-30f, 0}, (float[]){1e-30f, 1e-30f}, 2) == (float)sqrt(0.5));
}

static void test_hamming(void)
{
    uint8_t a[41], b[41];
    for (size_t size = 0; size <= 40; size++) {
        uint64_t expected = 0;
        for (size_t i = 0; i < sizeof a; i++) {
            a[i] = (uint8_t)random_next();
            b[i] = (uint8_t)random_next();
        }
        for (size_t i = 0; i < 8 * size; i++) expected += ((a[i / 8 + 1] ^ b[i / 8]) >> i % 8) & 1;
        CHECK_THAT(wl_hamming(a + 1, b, size) == expected, "size %zu", size); /* unaligned too */
        CHECK(wl_hamming(a, a, size) == 0);
        for (size_t i = 0; i < size; i++) b[i] = (uint8_t)~a[i];
        CHECK(wl_hamming(a, b, size) == 8 * size);
    }
}

int main(void)
{
    test_kernels();
    test_choice();
    test_norm();
    test_binarize();
    test_cosine();
    test_hamming();
    return test_end();
}
