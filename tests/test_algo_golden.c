/* Similarities and duplicates against those of the package wordllama (tests/golden/toolkit.txt, by
 * tools/golden_toolkit.py). */
#include <math.h>

#include "test.h"
#include "vectors.h"
#include "wordllama.h"

static wl_context *context;

/* The rows of a line, of its element, in new memory. */
static wl_vectors take_rows(const char *element, size_t count, size_t dim, uint32_t seed)
{
    float *rows = make_rows(count, dim, seed);
    wl_vectors vectors = {rows, count, dim, WL_ELEMENT_F32};
    if (strcmp(element, "BITS") != 0) return vectors;
    uint8_t *bits = malloc(count * ((dim + 7) / 8));
    if (!bits) abort();
    CHECK(wl_vectors_binarize(&vectors, bits, NULL) == WL_OK);
    free(rows);
    return (wl_vectors){bits, count, dim, WL_ELEMENT_BITS};
}

static void check_similarity(const wl_vectors *rows, char *answer)
{
    float *out = malloc(rows->count * rows->count * sizeof *out);
    if (!out) abort();
    CHECK(wl_similarity(rows, rows, WL_COSINE, context, out, NULL) == WL_OK);
    double worst = 0;
    for (size_t i = 0; i < rows->count * rows->count; i++)
        worst = fmax(worst, fabs(strtod(answer, &answer) - (double)out[i]));
    CHECK_THAT(worst < 1e-6, "differs by %g", worst);
    free(out);
}

static void check_duplicates(const wl_vectors *rows, char *answer)
{
    wl_match *repeats = malloc(rows->count * sizeof *repeats);
    if (!repeats) abort();
    wl_deduplicate_options options = {.size = sizeof options, .has_threshold = true};
    options.threshold = strtod(answer, &answer);
    size_t dropped, wrong = 0;
    CHECK(wl_deduplicate(rows, &options, context, repeats, &dropped, NULL) == WL_OK);
    for (size_t i = 0; i < rows->count; i++) {
        if (repeats[i].index == WL_NONE) continue;
        char *end;
        wrong += strtoul(answer, &end, 10) != i || end == answer;
        answer = end;
    }
    CHECK_THAT(wrong == 0 && *answer == '\n', "%zu of %zu duplicates differ, threshold %g", wrong, dropped,
               options.threshold);
    free(repeats);
}

int main(void)
{
    static char line[1 << 20];
    FILE *file = fopen(WL_TEST_DATA "/golden/toolkit.txt", "r");
    CHECK(file);
    context = wl_context_create(NULL, NULL);
    size_t lines = 0;
    while (file && fgets(line, sizeof line, file)) {
        char kind[16], element[8];
        unsigned count, dim, seed;
        int used;
        if (sscanf(line, "%15s %7s %u %u %u %n", kind, element, &count, &dim, &seed, &used) != 5) continue;
        wl_vectors rows = take_rows(element, count, dim, seed);
        if (strcmp(kind, "similarity") == 0)
            check_similarity(&rows, line + used);
        else
            check_duplicates(&rows, line + used);
        free((void *)(uintptr_t)rows.data);
        lines++;
    }
    CHECK(lines > 20);
    if (file) fclose(file);
    wl_context_free(context);
    return test_end();
}
