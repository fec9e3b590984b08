/* Comparing by the bootstrap (Efron and Tibshirani 1993, chapter 13: percentile intervals): a sample says how often
 * each item of a set counts, and both models are scored with the same counts. Means over sets are taken within a
 * sample, so that their intervals hold what the sets' chances do to them together. Cost: samples * items, a few
 * nanoseconds each. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/random.h"
#include "eval/evaluation.h"
#include "text/context.h"

enum { SAMPLES = 1000 }; /* where none are asked for */
static const double LOW = 0.025, HIGH = 0.975;

typedef struct side {
    const wl_evaluation *evaluation;
    size_t variant;
} side;

/* Memory of one thread. */
typedef struct resampler {
    uint32_t *counts; /* (items of the largest set) */
    double *scratch;
    double *scores[2]; /* (count) of each side */
} resampler;

typedef struct comparison {
    side sides[2];
    const wl_sets *sets;
    wl_compare_options options;
    size_t count; /* wl_compare_count */
    resampler *resamplers;
    double *differences; /* (count, samples) */
} comparison;

size_t wl_compare_count(const wl_sets *sets)
{
    size_t count = sets->count + 1;
    wl_group_range group = {0};
    while (wl_next_group(sets, &group)) count++;
    return count;
}

/* Behind the sets' scores the means of the groups, then the mean of those. */
static void append_means(const wl_sets *sets, double *scores)
{
    double *mean = scores + sets->count, total = 0, groups = 0;
    wl_group_range group = {0};
    for (; wl_next_group(sets, &group); mean++) {
        *mean = wl_weighted_mean(scores + group.begin, NULL, group.end - group.begin);
        if (!group.counts) continue;
        total += *mean;
        groups++;
    }
    *mean = total / groups;
}

/* ---- samples ----------------------------------------------------------------------------------------------------- */

/* As many items as there are, with replacement. What is drawn depends on seed, set and sample alone. */
static void draw(uint64_t seed, const wl_set *set, size_t sample, uint32_t *counts)
{
    uint64_t name = wl_hash_bytes(set->name, strlen(set->name)), group = wl_hash_bytes(set->group, strlen(set->group));
    wl_random random = wl_random_seed(seed, wl_hash_pair(wl_hash_pair(group, name), sample));
    memset(counts, 0, set->items * sizeof *counts);
    for (size_t i = 0; i < set->items; i++) counts[wl_random_below(&random, set->items)]++;
}

static const wl_outcome *outcome_of(const side *of, size_t set)
{
    return &of->evaluation->outcomes[set * of->evaluation->variant_count + of->variant];
}

static void take_sample(void *user, uint32_t worker, size_t sample)
{
    const comparison *this = user;
    const resampler *own = &this->resamplers[worker];
    for (size_t i = 0; i < this->sets->count; i++) {
        draw(this->options.seed, &this->sets->sets[i], sample, own->counts);
        for (size_t j = 0; j < 2; j++)
            own->scores[j][i] = wl_outcome_score(this->sides[j].evaluation, i, outcome_of(&this->sides[j], i),
                                                 own->counts, own->scratch);
    }
    for (size_t j = 0; j < 2; j++) append_means(this->sets, own->scores[j]);
    for (size_t i = 0; i < this->count; i++)
        this->differences[i * this->options.samples + sample] = own->scores[1][i] - own->scores[0][i];
}

/* ---- intervals --------------------------------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Between the two nearest numbers, as far as the part lies between them. */
static double percentile(const double *sorted, size_t count, double part)
{
    double place = part * (double)(count - 1), below = floor(place);
    size_t at = (size_t)below, next = at + 1 < count ? at + 1 : at;
    return sorted[at] + (place - below) * (sorted[next] - sorted[at]);
}

/* Samples that have no score, all of whose cosines are equal, say nothing and are left out. */
static void find_interval(double *differences, size_t count, wl_difference *out)
{
    size_t known = 0;
    for (size_t i = 0; i < count; i++)
        if (!isnan(differences[i])) differences[known++] = differences[i];
    qsort(differences, known, sizeof *differences, ascending);
    out->low = known ? percentile(differences, known, LOW) : NAN;
    out->high = known ? percentile(differences, known, HIGH) : NAN;
}

static void fill(const comparison *this, wl_difference *out)
{
    double *const *scores = this->resamplers->scores;
    for (size_t j = 0; j < 2; j++) {
        for (size_t i = 0; i < this->sets->count; i++) scores[j][i] = outcome_of(&this->sides[j], i)->score.score;
        append_means(this->sets, scores[j]);
    }
    for (size_t i = 0; i < this->count; i++) {
        out[i] = (wl_difference){.a = scores[0][i], .b = scores[1][i]};
        find_interval(this->differences + i * this->options.samples, this->options.samples, &out[i]);
    }
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static wl_status allocate(comparison *this, size_t threads, wl_error *error)
{
    size_t most = 0, scratch = wl_outcome_scratch(this->sides[0].evaluation);
    for (size_t i = 0; i < this->sets->count; i++)
        if (this->sets->sets[i].items > most) most = this->sets->sets[i].items;
    this->differences = wl_allocate(this->count, this->options.samples * sizeof *this->differences, error);
    this->resamplers = this->differences ? wl_allocate(threads, sizeof *this->resamplers, error) : NULL;
    if (!this->resamplers) return WL_ERROR_MEMORY;
    for (size_t i = 0; i < threads; i++) {
        resampler *own = &this->resamplers[i];
        own->counts = wl_allocate(most, sizeof *own->counts, error);
        own->scratch = own->counts ? wl_allocate(scratch, sizeof *own->scratch, error) : NULL;
        own->scores[0] = own->scratch ? wl_allocate(this->count, 2 * sizeof *own->scores[0], error) : NULL;
        if (!own->scores[0]) return WL_ERROR_MEMORY;
        own->scores[1] = own->scores[0] + this->count;
    }
    return WL_OK;
}

static void release(comparison *this, size_t threads)
{
    for (size_t i = 0; this->resamplers && i < threads; i++) {
        free(this->resamplers[i].counts);
        free(this->resamplers[i].scratch);
        free(this->resamplers[i].scores[0]);
    }
    free(this->resamplers);
    free(this->differences);
}

static wl_status check_side(const side *of, wl_error *error)
{
    if (!of->evaluation) return wl_fail(error, WL_ERROR_ARGUMENT, "an evaluation is NULL");
    if (of->variant < of->evaluation->variant_count) return WL_OK;
    return wl_fail(error, WL_ERROR_ARGUMENT, "variant %zu is asked for, but the evaluation has %zu", of->variant,
                   of->evaluation->variant_count);
}

wl_status wl_compare(const wl_evaluation *a, size_t a_variant, const wl_evaluation *b, size_t b_variant,
                     wl_context *context, const wl_compare_options *options, wl_difference *differences,
                     wl_error *error)
{
    wl_error local;
    if (!error) error = &local;
    comparison this = {.sides = {{a, a_variant}, {b, b_variant}}};
    if (wl_read_options(&this.options, sizeof this.options, options, "wl_compare_options", error) ||
        check_side(&this.sides[0], error) || check_side(&this.sides[1], error))
        return error->code;
    if (!context || !differences)
        return wl_fail(error, WL_ERROR_ARGUMENT, "no %s given", context ? "differences" : "context");
    if (a->sets != b->sets) return wl_fail(error, WL_ERROR_ARGUMENT, "the evaluations are not of the same sets");
    if (!this.options.samples) this.options.samples = SAMPLES;
    this.sets = a->sets;
    this.count = wl_compare_count(this.sets);
    size_t threads = wl_context_threads(context);
    wl_status status = allocate(&this, threads, error);
    if (!status) {
        wl_pool_run(context->pool, this.options.samples, take_sample, &this);
        fill(&this, differences);
    }
    release(&this, threads);
    return status;
}
