/* Signs and their slopes against torch's derivatives, and the exponential that they and the losses use. */
#include <math.h>

#include "base/random.h"
#include "test.h"
#include "train/binarizer.h"
#include "train/exponential.h"

static void check_all(wl_binarizer kind, const char *name, FILE *file)
{
    char found_name[32];
    size_t count;
    if (fscanf(file, "%31s %zu", found_name, &count) != 2) exit(EXIT_FAILURE);
    CHECK_THAT(!strcmp(found_name, name), "%s where %s was expected", found_name, name);
    float *values = malloc(count * sizeof *values), *signs = malloc(count * sizeof *signs);
    float *slopes = malloc(count * sizeof *slopes), *found = malloc(count * sizeof *found);
    for (size_t i = 0; i < count; i++) {
        if (fscanf(file, "%f %f %f", &values[i], &signs[i], &slopes[i]) != 3) exit(EXIT_FAILURE);
        found[i] = -3;
    }
    wl_binarize_backward(kind, values, count, found);
    for (size_t i = 0; i < count; i++)
        CHECK_THAT(fabsf(found[i] + 3 * slopes[i]) <= 1e-6f * slopes[i] + 1e-12f, "%s: %.9g: %.9g, expected %.9g", name,
                   (double)values[i], (double)found[i], -3 * (double)slopes[i]);
    wl_binarize_forward(kind, values, count, found);
    for (size_t i = 0; i < count; i++)
        CHECK_THAT(found[i] == signs[i], "%s: %.9g: %g", name, (double)values[i], (double)found[i]);
    free(values);
    free(signs);
    free(slopes);
    free(found);
}

static void test_golden(void)
{
    FILE *file = fopen(WL_TEST_DATA "/golden/contrast_binarizers.txt", "r");
    if (!file) exit(EXIT_FAILURE);
    check_all(WL_BINARIZE_STE, "ste", file);
    check_all(WL_BINARIZE_TANH, "tanh", file);
    check_all(WL_BINARIZE_RESTE, "reste", file);
    check_all(WL_BINARIZE_STOCHASTIC, "stochastic", file);
    fclose(file);
}

static void test_others(void)
{
    float values[3] = {-2, 0.25f, 0}, out[3], slopes[3] = {1, 2, 3};
    wl_binarize_forward(WL_BINARIZE_NONE, values, 3, out);
    wl_binarize_backward(WL_BINARIZE_NONE, values, 3, slopes);
    CHECK(!memcmp(out, values, sizeof out));
    CHECK(slopes[0] == 1 && slopes[1] == 2 && slopes[2] == 3);
    for (int kind = WL_BINARIZE_NONE; kind <= WL_BINARIZE_STOCHASTIC; kind++) {
        float bad = NAN;
        wl_binarize_forward((wl_binarizer)kind, &bad, 1, out);
        CHECK(isnan(out[0]));
    }
}

static void test_exponential(void)
{
    wl_random random = wl_random_seed(1, 0);
    double worst = 0;
    for (int i = 0; i < 200000; i++) {
        float x = (float)(-87.5 * wl_random_unit(&random));
        if (i % 2) x *= 1e-2f;
        worst = fmax(worst, fabs((double)wl_exponential(x) / exp((double)x) - 1));
    }
    CHECK_THAT(worst < 2e-7, "%g", worst);
    CHECK(wl_exponential(0) == 1 && wl_exponential(-0.0f) == 1);
    CHECK(wl_exponential(-87) > 0 && wl_exponential(-88) == 0 && wl_exponential(-1e30f) == 0);
    CHECK(wl_exponential(-INFINITY) == 0 && isnan(wl_exponential(NAN)));
}

int main(void)
{
    test_golden();
    test_others();
    test_exponential();
    return test_end();
}
