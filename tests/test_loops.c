/* The loops of training: every instruction set gives the bits of the plain one. */
#include <math.h>
#include <stdbool.h>

#include "base/random.h"
#include "test.h"
#include "train/loops.h"

enum { MOST = WL_LOOP_RUN };

/* Everything that a loop reads or writes, and what it returned. */
typedef struct state {
    float slice[MOST], products[MOST], logits[MOST], inverses[MOST], penalties[MOST], terms[MOST], coefficients[MOST];
    float values[MOST], first[MOST], second[MOST];
    double returned[4];
} state;

static void fill(wl_random *random, float *numbers, size_t count, double low, double high)
{
    for (size_t i = 0; i < count; i++) numbers[i] = (float)(low + (high - low) * wl_random_unit(random));
}

static void fill_all(uint64_t seed, state *of)
{
    wl_random random = wl_random_seed(seed, 0);
    memset(of, 0, sizeof *of);
    fill(&random, of->slice, MOST, -1, 1);
    fill(&random, of->products, MOST, -1, 1);
    fill(&random, of->inverses, MOST, 0, 2);
    fill(&random, of->terms, MOST, -1, 1);
    fill(&random, of->values, MOST, -1, 1);
    fill(&random, of->first, MOST, -1, 1);
    fill(&random, of->second, MOST, 0, 1);
    for (size_t i = 3; i < MOST; i += 7) of->penalties[i] = -INFINITY;
}

static void run_all(const wl_loops *loops, size_t count, state *of)
{
    uint64_t texts[MOST];
    for (size_t i = 0; i < MOST; i++) texts[i] = (i % 11) << 40 | i % 3;
    wl_pair_run run = {count, of->inverses, of->penalties, 0.7f, 20};
    wl_adam_move rule = {0.5f, 0.99f, 0.1f, 0.999f, 0.001f, 0.01f, 0.3f, 1e-8f};
    loops->mask(texts, texts[1], texts[5], of->penalties, count);
    float largest = loops->find_logits(&run, of->slice, of->products, of->logits);
    of->returned[0] = (double)largest;
    of->returned[1] = loops->exponentials(of->logits, count, largest, 0.25f);
    of->returned[2] = loops->find_coefficients(&run, of->products, of->logits, of->coefficients, of->terms);
    loops->add(of->terms, of->slice, count);
    of->returned[3] = loops->sum_squares(of->slice, count);
    loops->move(&rule, of->slice, of->values, of->first, of->second, count);
}

static bool have_same_bits(const void *a, const void *b, size_t size)
{
    return memcmp(a, b, size) == 0;
}

static void test_sets(void)
{
    static const size_t counts[] = {0, 1, 7, 15, 16, 17, 33, 64, 255, 511, MOST};
    static state plain, other;
    const wl_loops *best = wl_loops_best();
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        fill_all(i, &plain);
        fill_all(i, &other);
        run_all(&wl_loops_generic, counts[i], &plain);
        run_all(best, counts[i], &other);
        CHECK_THAT(have_same_bits(&plain, &other, sizeof plain), "%zu numbers", counts[i]);
        CHECK(counts[i] == 0 || (isfinite(plain.returned[0]) && plain.returned[1] >= 0.25));
    }
}

/* Not a number stays one, wherever it comes in; a run that is all masked has a largest logit of minus infinity. */
static void test_not_finite(void)
{
    static state of;
    for (size_t at = 0; at < MOST; at += 41) {
        fill_all(at, &of);
        of.slice[at] = NAN;
        run_all(wl_loops_best(), MOST, &of);
        CHECK(isnan(of.returned[1]) && isnan(of.returned[2]) && isnan(of.returned[3]) && isnan(of.values[at]));
    }
    fill_all(0, &of);
    for (size_t i = 0; i < MOST; i++) of.penalties[i] = -INFINITY;
    wl_pair_run run = {MOST, of.inverses, of.penalties, 1, 20};
    CHECK(wl_loops_best()->find_logits(&run, of.slice, of.products, of.logits) == -INFINITY);
}

int main(void)
{
    test_sets();
    test_not_finite();
    return test_end();
}
