/* The room vector/: every set of kernels against plain C, plain C against long double, lengths against NumPy, the
 * public calls on vectors. Screens have their own test, test_screen. */
#include "kernels.h"
#include "vector/ops.h"
#include "vector/vectors.h"

/* ---- kernels ----------------------------------------------------------------------------------------------------- */

/* Those that this processor has, plain C first. */
static const wl_kernels *sets[5] = {&wl_kernels_generic};
static size_t set_count = 1;

static void add_set(const char *name, wl_cpu least, const wl_kernels *kernels)
{
    if (kernels && wl_cpu_detect() >= least)
        sets[set_count++] = kernels;
    else
        SKIP("kernels %s: this processor lacks them", name);
}

static void find_sets(void)
{
    wl_kernels_best(); /* chooses by the environment, before it is changed */
    unsetenv("WORDLLAMA_CPU");
#if WL_X86_KERNELS
    add_set("avx2", WL_CPU_AVX2, &wl_kernels_avx2);
    add_set("avx512", WL_CPU_AVX512, &wl_kernels_avx512);
    add_set("avx512vnni", WL_CPU_AVX512VNNI, &wl_kernels_avx512vnni);
#else
    add_set("avx2, avx512, avx512vnni", WL_CPU_AVX2, NULL);
#endif
#if WL_ARM_KERNELS
    add_set("neon", WL_CPU_NEON, &wl_kernels_neon);
#else
    add_set("neon", WL_CPU_NEON, NULL);
#endif
}

static void test_choice(void)
{
    const wl_kernels *best = wl_kernels_best();
    CHECK(best == wl_kernels_best());
    CHECK(strcmp(wl_cpu_name(), best->name) == 0);
    CHECK(best->sum_f32 && best->sum_f16 && best->sum_bf16 && best->sum_i8);
    CHECK(best->dots_f32 && best->dots_f16 && best->dots_bf16 && best->dots_i8);
    CHECK(best->squares && best->halves && best->binarize && best->rough && best->hamming && best->screen_floats &&
          best->screen_bits);
    for (int element = 0; element < WL_NUMBERS; element++)
        CHECK(best->pairs[element].dot && best->pairs[element].products && best->pairs[element].squared_distance);
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

/* Every length, and bits of all kinds: subnormal, halfway between two, overflowing, infinite, NaN. */
static void test_halves(void)
{
    enum { COUNT = 4099 };
    static float in[COUNT];
    static uint16_t out[COUNT + 1];
    for (size_t i = 0; i < COUNT; i++) {
        uint32_t bits = (uint32_t)random_next();
        if (i % 4 == 1) bits = (bits & 0x8FFFF000) | 0x38000000; /* around the smallest normal number, often halfway */
        if (i % 4 == 2) bits = (bits & 0x807FFFFF) | (uint32_t)(0x67 + i % 0x50) << 23;
        in[i] = wl_float_of(bits);
    }
    for (size_t set = 0; set < set_count; set++)
        for (size_t size = 0; size <= COUNT; size = size < 40 ? size + 1 : size == COUNT ? COUNT + 1 : COUNT) {
            size_t wrong = 0, begin = size < COUNT ? size : 0;
            out[size] = 0x5A5A;
            sets[set]->halves(in + begin, size, out);
            for (size_t i = 0; i < size; i++) wrong += out[i] != wl_f32_to_f16(in[begin + i]);
            CHECK_THAT(wrong == 0 && out[size] == 0x5A5A, "%s, %zu numbers", sets[set]->name, size);
        }
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

/* ---- rows of any element ----------------------------------------------------------------------------------------- */

static void test_sizes(void)
{
    CHECK(wl_vector_size(WL_ELEMENT_F32, 7) == 28 && wl_vector_size(WL_ELEMENT_F16, 7) == 14);
    CHECK(wl_vector_size(WL_ELEMENT_BF16, 7) == 14 && wl_vector_size(WL_ELEMENT_I8, 7) == 7);
    CHECK(wl_vector_size(WL_ELEMENT_BITS, 0) == 0 && wl_vector_size(WL_ELEMENT_BITS, 1) == 1);
    CHECK(wl_vector_size(WL_ELEMENT_BITS, 8) == 1 && wl_vector_size(WL_ELEMENT_BITS, 9) == 2);
    CHECK(wl_vector_size(WL_ELEMENT_BITS, SIZE_MAX) == SIZE_MAX / 8 + 1);
    CHECK(wl_vector_size((wl_element)5, 7) == 0);
}

/* The three public measures of two rows against long double. */
static void check_measures(wl_element element, size_t dim)
{
    wl_vectors rows = random_rows(element, 2, dim, ORDINARY);
    const void *a = wl_row(&rows, 0), *b = wl_row(&rows, 1);
    long double ab = 0, aa = 0, bb = 0, distance = 0, magnitude = 0;
    for (size_t i = 0; i < dim; i++) {
        long double x = (long double)element_of(&rows, 0, i), y = (long double)element_of(&rows, 1, i);
        ab += x * y;
        aa += x * x;
        bb += y * y;
        distance += (x - y) * (x - y);
        magnitude += fabsl(x * y);
    }
    long double tolerance = ((long double)dim / 16 + 6) * 0x1p-53L;
    CHECK(fabsl((long double)wl_vector_dot(element, a, b, dim) - ab) <= tolerance * magnitude);
    CHECK(fabsl((long double)wl_vector_squared_distance(element, a, b, dim) - distance) <= tolerance * distance);
    long double cosine = aa > 0 && bb > 0 ? ab / sqrtl(aa) / sqrtl(bb) : 0;
    CHECK_THAT(fabsl((long double)wl_vector_cosine(element, a, b, dim) - cosine) <= 3 * tolerance, "element %d dim %zu",
               (int)element, dim);
    if (element == WL_ELEMENT_BITS) /* whole numbers, and one division */
        CHECK((long double)wl_vector_dot(element, a, b, dim) == ab &&
              (long double)wl_vector_squared_distance(element, a, b, dim) == distance);
    free_rows(rows);
}

static void test_measures(void)
{
    for (int e = 0; e < ELEMENTS; e++) {
        for (size_t i = 0; i < DIMS; i++) check_measures(elements[e], dim_at(i));
        CHECK(wl_vector_dot(elements[e], "", "", 0) == 0 && wl_vector_squared_distance(elements[e], "", "", 0) == 0);
        CHECK(wl_vector_cosine(elements[e], "", "", 0) == 0);
    }
    wl_element unknown = (wl_element)5;
    CHECK(isnan(wl_vector_dot(unknown, "", "", 1)) && isnan(wl_vector_squared_distance(unknown, "", "", 1)));
    CHECK(isnan(wl_vector_cosine(unknown, "", "", 1)));
    float x[] = {1, 2, 3}, y[] = {4, -5, 6};
    CHECK(wl_vector_dot(WL_ELEMENT_F32, x, y, 3) == 12 && wl_vector_squared_distance(WL_ELEMENT_F32, x, y, 3) == 67);
    uint8_t p[] = {0xA5, 0x80}, q[] = {0xA1, 0x00}; /* nine bits, of which two differ */
    CHECK(wl_vector_dot(WL_ELEMENT_BITS, p, q, 9) == 5 && wl_vector_squared_distance(WL_ELEMENT_BITS, p, q, 9) == 8);
    CHECK(wl_vector_cosine(WL_ELEMENT_BITS, p, q, 9) == 1 - 4.0 / 9);
    CHECK(wl_hamming(p, q, 2) == 2);
}

static void check_rows(wl_element element, size_t dim)
{
    enum { COUNT = 5 };
    wl_vectors rows = random_rows(element, COUNT, dim, ORDINARY);
    if (element != WL_ELEMENT_BITS) memset((void *)(uintptr_t)wl_row(&rows, 2), 0, wl_vector_size(element, dim));
    size_t bits_size = wl_vector_size(WL_ELEMENT_BITS, dim);
    float *values = allocate(dim * sizeof *values), *unit = allocate(COUNT * dim * sizeof *unit);
    uint8_t *bits = allocate(COUNT * bits_size), *expected = allocate(bits_size);
    wl_error error;
    CHECK(wl_vectors_normalize(&rows, unit, &error) == WL_OK && wl_vectors_binarize(&rows, bits, &error) == WL_OK);
    for (size_t row = 0; row < COUNT; row++) {
        wl_row_floats(&rows, row, values);
        size_t wrong = 0;
        for (size_t i = 0; i < dim; i++) wrong += !(values[i] == element_of(&rows, row, i));
        float length = wl_norm(values, dim);
        for (size_t i = 0; i < dim; i++) wrong += !(unit[row * dim + i] == (length > 0 ? values[i] / length : 0));
        wl_binarize(values, dim, expected);
        CHECK_THAT(wrong == 0 && memcmp(expected, bits + row * bits_size, bits_size) == 0, "element %d dim %zu row %zu",
                   (int)element, dim, row);
    }
    if (element == WL_ELEMENT_BITS) CHECK(memcmp(bits, rows.data, COUNT * bits_size) == 0);
    if (element == WL_ELEMENT_F32) { /* in place */
        CHECK(wl_vectors_normalize(&rows, (float *)(uintptr_t)rows.data, NULL) == WL_OK);
        CHECK(memcmp(rows.data, unit, COUNT * dim * sizeof *unit) == 0);
    }
    free(values);
    free(unit);
    free(bits);
    free(expected);
    free_rows(rows);
}

/* Rows whose squares single precision cannot hold have a direction all the same. */
static void test_unit_of_extremes(void)
{
    static const float scales[] = {1e-44f, 1e-38f, 1e-30f, 1e-22f, 1e-18f, 1e18f, 1e25f, 1e38f};
    for (size_t s = 0; s < sizeof scales / sizeof *scales; s++) {
        float row[] = {3 * scales[s], 0, -2 * scales[s], 1 * scales[s]}, unit[4];
        wl_vectors rows = {row, 1, 4, WL_ELEMENT_F32};
        CHECK(wl_vectors_normalize(&rows, unit, NULL) == WL_OK);
        CHECK_THAT(fabs(wl_vector_dot(WL_ELEMENT_F32, unit, unit, 4) - 1) < 1e-6 &&
                       wl_vector_cosine(WL_ELEMENT_F32, unit, row, 4) > 1 - 1e-6,
                   "scale %g: %g %g %g %g", (double)scales[s], (double)unit[0], (double)unit[1], (double)unit[2],
                   (double)unit[3]);
    }
}

static void test_rows(void)
{
    static const size_t more[] = {504, 511, 512, 513, 520, 1024, 1031};
    for (int e = 0; e < ELEMENTS; e++) {
        for (size_t i = 0; i < DIMS; i++) check_rows(elements[e], dim_at(i));
        for (size_t i = 0; i < sizeof more / sizeof *more; i++) check_rows(elements[e], more[i]);
    }
    test_unit_of_extremes();
}

static wl_status check_code(wl_vectors vectors)
{
    float out[4];
    uint8_t bits[4];
    wl_error error;
    wl_status status = wl_vectors_normalize(&vectors, out, &error);
    CHECK(status == error.code || status == WL_OK);
    CHECK(wl_vectors_binarize(&vectors, bits, NULL) == status);
    return status;
}

static void test_refusals(void)
{
    float values[5] = {1, 2, 3, 4, 5};
    CHECK(check_code((wl_vectors){values, 1, 4, WL_ELEMENT_F32}) == WL_OK);
    CHECK(check_code((wl_vectors){NULL, 0, 4, WL_ELEMENT_F32}) == WL_OK);
    CHECK(check_code((wl_vectors){values, 1, 0, WL_ELEMENT_F32}) == WL_ERROR_ARGUMENT);
    CHECK(check_code((wl_vectors){values, 1, 4, (wl_element)5}) == WL_ERROR_ARGUMENT);
    CHECK(check_code((wl_vectors){NULL, 1, 4, WL_ELEMENT_F32}) == WL_ERROR_ARGUMENT);
    CHECK(check_code((wl_vectors){(char *)values + 1, 1, 4, WL_ELEMENT_F32}) == WL_ERROR_ARGUMENT);
    CHECK(check_code((wl_vectors){(char *)values + 1, 1, 4, WL_ELEMENT_F16}) == WL_ERROR_ARGUMENT);
    CHECK(check_code((wl_vectors){(char *)values + 1, 1, 4, WL_ELEMENT_I8}) == WL_OK);
    CHECK(check_code((wl_vectors){values, SIZE_MAX / 2, 4, WL_ELEMENT_F32}) == WL_ERROR_LIMIT);
    CHECK(check_code((wl_vectors){values, UINT32_MAX, 1, WL_ELEMENT_I8}) == WL_ERROR_LIMIT);
    CHECK(check_code((wl_vectors){values, 1, (size_t)1 << 32, WL_ELEMENT_I8}) == WL_ERROR_ARGUMENT);
    wl_vectors good = {values, 1, 4, WL_ELEMENT_F32}, wide = {values, 1, 5, WL_ELEMENT_F32};
    CHECK(wl_vectors_normalize(NULL, values, NULL) == WL_ERROR_ARGUMENT);
    CHECK(wl_vectors_normalize(&good, NULL, NULL) == WL_ERROR_ARGUMENT);
    CHECK(wl_vectors_binarize(&good, NULL, NULL) == WL_ERROR_ARGUMENT);
    wl_error error;
    wl_comparison comparison;
    wl_vectors bytes = {values, 1, 4, WL_ELEMENT_I8}, bits = {values, 1, 4, WL_ELEMENT_BITS};
    CHECK(wl_vectors_check_alike(&good, &good, &error) == WL_OK);
    CHECK(wl_vectors_check_alike(&good, &wide, &error) == WL_ERROR_MISMATCH);
    CHECK(wl_vectors_check_alike(&good, &bytes, &error) == WL_ERROR_MISMATCH);
    CHECK(wl_comparison_open(&comparison, &good, WL_HAMMING, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_comparison_open(&comparison, &bits, WL_HAMMING, &error) == WL_OK);
    CHECK(wl_comparison_open(&comparison, &bits, (wl_measure)7, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_fail_not_finite(&error, 17) == WL_ERROR_ARGUMENT && strstr(error.message, "17"));
}

/* ---- comparing two rows ------------------------------------------------------------------------------------------ */

static void check_comparison(const wl_vectors *rows, wl_measure measure)
{
    wl_comparison comparison;
    wl_error error;
    CHECK(wl_comparison_open(&comparison, rows, measure, &error) == WL_OK);
    const void *a = wl_row(rows, 0), *b = wl_row(rows, 1);
    double aa = wl_row_square(&comparison, a), bb = wl_row_square(&comparison, b);
    double score = wl_row_score(&comparison, a, aa, b);
    CHECK(same_bits(wl_row_score_with(&comparison, a, aa, b, bb), score));
    CHECK(same_bits(aa, wl_vector_dot(rows->element, a, a, rows->dim)));
    CHECK(fabs(wl_measure_to_cosine(measure, score) - wl_vector_cosine(rows->element, a, b, rows->dim)) < 1e-15);
    if (measure == WL_COSINE) CHECK(same_bits(score, wl_vector_cosine(rows->element, a, b, rows->dim)));
}

/* Whatever may reach the threshold must not be left out by the first look, and what is well below it is. */
static void check_first_look(const wl_vectors *rows, bool ordinary)
{
    const void *a = wl_row(rows, 0), *b = wl_row(rows, 1);
    for (size_t s = 0; s < set_count; s++) {
        wl_comparison comparison = {sets[s], rows->element, rows->dim, WL_COSINE};
        double aa = wl_row_square(&comparison, a), bb = wl_row_square(&comparison, b);
        double score = wl_row_score(&comparison, a, aa, b);
        double thresholds[] = {score, nextafter(score, -2), score - 1e-6, score - 0.1, -1, -100, -INFINITY};
        for (size_t t = 0; t < sizeof thresholds / sizeof *thresholds; t++)
            CHECK_THAT(wl_row_may_reach(&comparison, a, aa, b, thresholds[t]),
                       "%s element %d dim %zu score %.17g threshold %.17g", sets[s]->name, (int)rows->element,
                       rows->dim, score, thresholds[t]);
        if (rows->element != WL_ELEMENT_F32) continue;
        if (ordinary) CHECK(!wl_row_may_reach(&comparison, a, aa, b, score + 1e-3));
        double dot = sets[s]->pairs[WL_ELEMENT_F32].dot(a, b, rows->dim), length = sqrt(aa * bb);
        double bound = wl_rough_bound(sets[s], a, b, rows->dim, length);
        CHECK_THAT(bound >= dot, "%s dim %zu: %g for %g", sets[s]->name, rows->dim, bound, dot);
        if (ordinary) CHECK(bound <= dot + 1e-3 * length);
    }
}

static void test_comparisons(void)
{
    for (int e = 0; e < ELEMENTS; e++)
        for (size_t i = 0; i < DIMS; i++)
            for (int flavour = 0; flavour < FLAVOURS; flavour++) {
                wl_vectors rows = random_rows(elements[e], 2, dim_at(i), (enum flavour)flavour);
                check_comparison(&rows, WL_COSINE);
                if (elements[e] == WL_ELEMENT_BITS) check_comparison(&rows, WL_HAMMING);
                check_first_look(&rows, flavour == ORDINARY);
                free_rows(rows);
            }
    /* Products that cancel: the score is far below the lengths. */
    for (size_t dim = 2; dim <= 256; dim += 2) {
        wl_vectors rows = random_rows(WL_ELEMENT_F32, 2, dim, ORDINARY);
        float *values = (float *)(uintptr_t)rows.data;
        for (size_t i = 0; i < dim; i++) {
            values[i] = i % 2 ? -values[i - 1] : values[i];
            values[dim + i] = i % 2 ? values[dim + i - 1] * 0.9999f : values[dim + i];
        }
        check_first_look(&rows, true);
        free_rows(rows);
    }
    /* A sum that overflows on the way to a finite one. */
    float large[] = {-3e38f, -3e38f, 3e38f, 3e38f, 3e38f, 3e38f, 1, 1, 1, 1, 1, 1};
    check_first_look(&(wl_vectors){large, 2, 6, WL_ELEMENT_F32}, false);
}

/* Numbers that are not finite give what they give: nothing breaks. */
static void test_not_finite(void)
{
    static const float odd[] = {NAN, INFINITY, -INFINITY, FLT_MAX, 0};
    for (size_t dim = 1; dim <= 70; dim++) {
        float *values = allocate(2 * dim * sizeof *values), *unit = allocate(2 * dim * sizeof *unit);
        uint8_t *bits = allocate(2 * wl_vector_size(WL_ELEMENT_BITS, dim));
        for (size_t i = 0; i < 2 * dim; i++) values[i] = random_below(3) ? random_float() : odd[random_below(5)];
        values[random_below(2 * dim)] = odd[random_below(3)];
        wl_vectors rows = {values, 2, dim, WL_ELEMENT_F32};
        for (size_t s = 0; s < set_count; s++) {
            wl_comparison comparison = {sets[s], WL_ELEMENT_F32, dim, WL_COSINE};
            wl_row_may_reach(&comparison, values, 1, values + dim, 0.5);
            wl_row_may_reach(&comparison, values, (double)NAN, values + dim, 0.5);
            wl_rough_bound(sets[s], values, values + dim, dim, (double)NAN);
            wl_rough_bound(sets[s], values, values + dim, dim, 1);
            wl_products both = sets[s]->pairs[WL_ELEMENT_F32].products(values, values + dim, dim);
            CHECK(!isfinite(both.bb) || !isfinite(sets[s]->pairs[WL_ELEMENT_F32].dot(values, values, dim)));
        }
        wl_vector_squared_distance(WL_ELEMENT_F32, values, values + dim, dim);
        wl_vector_cosine(WL_ELEMENT_F32, values, values + dim, dim);
        CHECK(wl_vectors_normalize(&rows, unit, NULL) == WL_OK && wl_vectors_binarize(&rows, bits, NULL) == WL_OK);
        free(values);
        free(unit);
        free(bits);
    }
}

int main(void)
{
    find_sets();
    check_sets(sets, set_count);
    test_choice();
    test_norm();
    test_halves();
    test_binarize();
    test_cosine();
    test_sizes();
    test_measures();
    test_rows();
    test_refusals();
    test_comparisons();
    test_not_finite();
    return test_end();
}
