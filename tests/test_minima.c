/* What splitting is made of, against the oracle (tests/golden/split_numbers.txt, by tools/golden_split.py): classes of
 * characters, dot products, similarity in a window, filters, minima, quantiles. */
#include <math.h>

#include "algo/minima.h"
#include "algo/sentences.h"
#include "test.h"
#include "text/unicode/utf8.h"
#include "texts.h"
#include "vector/kernels.h"

#define GOLDEN WL_TEST_DATA "/golden/"

/* ---- split_numbers.txt ------------------------------------------------------------------------------------------- */

/* The generator of tools/golden_split.py. */
static uint32_t number_state = 1;

static float *numbers(size_t count)
{
    float *out = malloc(count * sizeof *out);
    if (!out) abort();
    for (size_t i = 0; i < count; i++) {
        number_state = number_state * 1664525u + 1013904223u;
        out[i] = (float)((double)(number_state >> 8) / 8388608.0 - 1);
    }
    return out;
}

static uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static bool is_line_end(uint32_t point)
{
    char bytes[8] = {0};
    return wl_line_end((wl_text){bytes, wl_utf8_encode(point, bytes)}, 0);
}

static void check_class(const char *name, uint64_t expected)
{
    static const struct {
        const char *name;
        bool (*holds)(uint32_t point);
    } classes[] = {{"blank", wl_is_blank}, {"upper", wl_is_upper}, {"stop", wl_ends_sentence}, {"line", is_line_end}};
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        if (strcmp(classes[i].name, name) != 0) continue;
        uint64_t digest = texts_digest_start;
        for (uint32_t point = 0; point < 0x110000; point++) {
            if (point >= 0xD800 && point < 0xE000) continue;
            unsigned char byte = classes[i].holds(point);
            digest = texts_digest_bytes(digest, &byte, 1);
        }
        CHECK_THAT(digest == expected, "class %s", name);
        return;
    }
    CHECK_THAT(false, "class %s", name);
}

static void check_windowed(size_t count, size_t dim, size_t window, uint64_t expected)
{
    wl_error error;
    float *rows = numbers(count * dim), *out = malloc(count * sizeof *out);
    if (!out) abort();
    for (size_t slice = 1; slice <= count; slice += slice) {
        wl_windowed windowed;
        CHECK(wl_windowed_begin(&windowed, window, dim, count, out, &error) == WL_OK);
        for (size_t i = 0; i < count; i += slice)
            wl_windowed_add(&windowed, rows + i * dim, count - i < slice ? count - i : slice);
        wl_windowed_end(&windowed);
        wl_windowed_free(&windowed);
        uint64_t digest = texts_digest_bytes(texts_digest_start, out, count * sizeof *out);
        CHECK_THAT(digest == expected, "%zu rows of %zu, window %zu", count, dim, window);
    }
    free(rows);
    free(out);
}

static void check_minima(size_t count, size_t window, size_t order, size_t expected_count, uint64_t expected,
                         uint32_t quantile)
{
    wl_error error;
    float *values = numbers(count);
    size_t *places = malloc(count * sizeof *places), found = 0;
    if (!places) abort();
    CHECK(wl_local_minima(values, count, window, order, places, &found, &error) == WL_OK);
    uint64_t digest = texts_digest_start;
    for (size_t i = 0; i < found; i++) digest = texts_digest_bytes(digest, &(uint32_t){(uint32_t)places[i]}, 4);
    CHECK_THAT(found == expected_count && digest == expected, "%zu values, window %zu, order %zu: %zu minima", count,
               window, order, found);
    CHECK_THAT(bits_of(wl_quantile(values, count, 0.4)) == quantile, "quantile of %zu", count);
    free(values);
    free(places);
}

/* Bit for bit where the coefficients are known, else to F32's precision. */
static void check_filter(size_t window, size_t order, char *rest)
{
    float ours[2][64];
    wl_error error;
    char *save;
    CHECK(window <= 64 && wl_savitzky_golay(window, order, ours[0], ours[1], &error) == WL_OK);
    for (size_t i = 0; i < 2 * window; i++) {
        const char *word = strtok_r(i ? NULL : rest, " \n", &save);
        CHECK(word);
        if (!word) return;
        uint32_t bits = (uint32_t)strtoul(word, NULL, 16);
        float expected, got = ours[i / window][i % window];
        memcpy(&expected, &bits, 4);
        if (i == window / 2) expected = got; /* 0 but for noise that no sum is small enough to show */
        CHECK_THAT(window <= 11 ? got == expected : fabsf(got - expected) < 1e-6F, "window %zu, order %zu: %g, %g",
                   window, order, (double)got, (double)expected);
    }
}

static void test_numbers(void)
{
    char line[4096], kind[16], name[16];
    size_t a, b, c, d, lines = 0;
    unsigned long long digest;
    unsigned bits;
    int used = 0;
    FILE *file = fopen(GOLDEN "split_numbers.txt", "r");
    CHECK(file);
    if (!file) return;
    for (; fgets(line, sizeof line, file); lines++) {
        if (sscanf(line, "%15s", kind) != 1 || line[0] == '#') continue;
        if (sscanf(line, "class %15s %llx", name, &digest) == 2) {
            check_class(name, digest);
        } else if (sscanf(line, "dot %zu %x", &a, &bits) == 2) {
            float *left = numbers(a), *right = numbers(a);
            CHECK_THAT(bits_of(wl_kernels_best()->dot_blas(left, right, a)) == bits, "dot of %zu", a);
            free(left);
            free(right);
        } else if (sscanf(line, "windowed %zu %zu %zu %llx", &a, &b, &c, &digest) == 4) {
            check_windowed(a, b, c, digest);
        } else if (sscanf(line, "minima %zu %zu %zu %zu %llx %x", &a, &b, &c, &d, &digest, &bits) == 6) {
            check_minima(a, b, c, d, digest, bits);
        } else if (sscanf(line, "filter %zu %zu%n", &a, &b, &used) == 2) {
            check_filter(a, b, line + used);
        } else {
            CHECK_THAT(false, "%s", line);
        }
    }
    CHECK(lines > 200);
    fclose(file);
}

/* Filters that the oracle has no numbers for, or only noise. */
static void test_filters(void)
{
    wl_error error;
    static float slope[1001], bend[1001];
    /* A polynomial of the filter's order has the slope and the bend that it has. */
    for (size_t window = 3; window <= 41; window += 2)
        for (size_t order = 1; order < window && order < 10; order++) {
            double slopes = 0, bends = 0;
            CHECK(wl_savitzky_golay(window, order, slope, bend, &error) == WL_OK);
            for (size_t i = 0; i < window; i++) {
                double x = (double)i - (double)(window / 2), y = 3 - 2 * x + (order > 1 ? x * x : 0);
                slopes += (double)slope[i] * y;
                bends += (double)bend[i] * y;
            }
            CHECK_THAT(fabs(slopes + 2) < 1e-4 && fabs(bends - (order > 1 ? 2 : 0)) < 1e-3,
                       "window %zu, order %zu: %g %g", window, order, slopes, bends);
        }
    for (size_t order = 1; order < 1001; order += 111)
        CHECK(wl_savitzky_golay(1001, order, slope, bend, &error) == WL_OK);
    /* Order 1: the slope alone. */
    const float valley[] = {3, 2, 1, 2, 3, 3, 3};
    size_t places[7], found;
    CHECK(wl_local_minima(valley, 7, 3, 1, places, &found, &error) == WL_OK && found == 0); /* it is 0 at the bottom */
    const float flat[] = {3, 2, 1, 1.5F, 3, 3, 3};
    CHECK(wl_local_minima(flat, 7, 3, 1, places, &found, &error) == WL_OK && found == 1 && places[0] == 2);
    CHECK(wl_quantile(flat, 7, 0) == 1 && wl_quantile(flat, 7, 1) == 3);
    CHECK(isnan(wl_quantile((const float[]){1, NAN, 2}, 3, 0.4)));
    CHECK(wl_quantile((const float[]){-1, -0.0F, -3}, 3, 0.5) == -1);
}

int main(void)
{
    test_numbers();
    test_filters();
    return test_end();
}
