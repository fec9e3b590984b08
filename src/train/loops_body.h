/* The loops of one instruction set: what includes this defines WL_LOOPS, the name of the table, and is compiled with
 * the set's flags. */
#include <math.h>

#include "train/exponential.h"
#include "train/loops.h"

enum { LANES = 16, WIDE_LANES = 8 };

static float find_logits(const wl_pair_run *run, const float *restrict slice, float *restrict products,
                         float *restrict logits)
{
    const float *restrict inverses = run->inverses, *restrict penalties = run->penalties;
    float inverse = run->inverse, scale = run->scale, lanes[LANES], largest = -INFINITY;
    for (size_t lane = 0; lane < LANES; lane++) lanes[lane] = -INFINITY;
    for (size_t j = 0; j < run->count; j++) {
        products[j] += slice[j];
        logits[j] = scale * (products[j] * (inverse * inverses[j])) + penalties[j];
    }
    size_t whole = run->count - run->count % LANES;
    for (size_t j = 0; j < whole; j += LANES)
        for (size_t lane = 0; lane < LANES; lane++) {
            float number = logits[j + lane], before = lanes[lane];
            lanes[lane] = number > before ? number : before;
        }
    for (size_t lane = 0; lane < LANES; lane++) largest = lanes[lane] > largest ? lanes[lane] : largest;
    for (size_t j = whole; j < run->count; j++) largest = logits[j] > largest ? logits[j] : largest;
    return largest;
}

/* A lane adds up to 32 numbers in F32. */
static double sum_of(const float *numbers, size_t count)
{
    float lanes[LANES] = {0};
    double sum = 0;
    size_t whole = count - count % LANES;
    for (size_t j = 0; j < whole; j += LANES)
        for (size_t lane = 0; lane < LANES; lane++) lanes[lane] += numbers[j + lane];
    for (size_t lane = 0; lane < LANES; lane++) sum += (double)lanes[lane];
    for (size_t j = whole; j < count; j++) sum += (double)numbers[j];
    return sum;
}

static double exponentials(float *numbers, size_t count, float highest, float factor)
{
    for (size_t j = 0; j < count; j++) numbers[j] = factor * wl_exponential(numbers[j] - highest);
    return sum_of(numbers, count);
}

static double find_coefficients(const wl_pair_run *run, const float *restrict products, const float *restrict slopes,
                                float *restrict coefficients, float *restrict terms)
{
    const float *restrict inverses = run->inverses;
    float inverse = run->inverse, scale = run->scale, own[WL_LOOP_RUN];
    for (size_t j = 0; j < run->count; j++) {
        float both = inverse * inverses[j];
        coefficients[j] = slopes[j] * (scale * both);
        own[j] = slopes[j] * (products[j] * both);
        terms[j] += own[j];
    }
    return sum_of(own, run->count);
}

static void add(float *restrict to, const float *restrict from, size_t count)
{
    for (size_t j = 0; j < count; j++) to[j] += from[j];
}

static void mask(const uint64_t *restrict texts, uint64_t a, uint64_t b, float *restrict penalties, size_t count)
{
    for (size_t j = 0; j < count; j++) {
        float penalty = penalties[j];
        penalties[j] = (texts[j] == a) | (texts[j] == b) ? -INFINITY : penalty;
    }
}

static double sum_squares(const float *numbers, size_t count)
{
    double lanes[WIDE_LANES] = {0};
    size_t i = 0;
    for (; i + WIDE_LANES <= count; i += WIDE_LANES)
        for (size_t j = 0; j < WIDE_LANES; j++) lanes[j] += (double)numbers[i + j] * (double)numbers[i + j];
    for (; i < count; i++) lanes[0] += (double)numbers[i] * (double)numbers[i];
    for (size_t j = 1; j < WIDE_LANES; j++) lanes[0] += lanes[j];
    return lanes[0];
}

/* In torch's order (torch.optim.adamw, one tensor at a time): decay, moments, then the corrected step. Scalars are
 * rounded to F32 where torch does it. */
static void move(const wl_adam_move *rule, const float *restrict slopes, float *restrict values, float *restrict first,
                 float *restrict second, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        float slope = slopes[i] * rule->clip;
        float value = values[i] * rule->keep;
        first[i] += rule->rise1 * (slope - first[i]);
        second[i] = second[i] * rule->keep2 + rule->rise2 * slope * slope;
        float spread = sqrtf(second[i]) / rule->correction + rule->epsilon;
        values[i] = value - rule->size * first[i] / spread;
    }
}

const wl_loops WL_LOOPS = {find_logits, exponentials, find_coefficients, add, mask, sum_squares, move};
