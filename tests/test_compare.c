/* Comparing evaluations: against a plain bootstrap of the same draws, against a standard error that is known, and with
 * itself. */
#include <math.h>

#include "base/hash.h"
#include "evaluations.h"
#include "fault.h"

enum { ITEMS = 40, SAMPLES = 150, SEED = 11 };

/* All tasks; a group of two, one that does not count for the mean of the groups, and scores that some samples lack. */
static const made_set all_tasks[] = {
    {WL_TASK_SIMILARITY, "sts", "first", ITEMS, 0},
    {WL_TASK_SIMILARITY, "sts", "second", ITEMS - 9, 0},
    {WL_TASK_SIMILARITY, "sts-multilingual", "other", ITEMS, 0},
    {WL_TASK_SIMILARITY, "wordsim", "tiny", 5, 0},
    {WL_TASK_CLASSIFICATION, "classification", "texts", ITEMS, 0},
    {WL_TASK_CLUSTERING, "clustering", "topics", ITEMS, 3},
    {WL_TASK_PAIR, "pair", "few", 5, 0},
    {WL_TASK_PAIR, "pair", "pairs", ITEMS, 0},
    {WL_TASK_RETRIEVAL, "retrieval", "search", ITEMS, 0},
    {WL_TASK_TRIPLET, "triplet", "triplets", ITEMS, 0},
};

enum { SETS = sizeof all_tasks / sizeof *all_tasks, GROUPS = 8, COUNT = SETS + GROUPS + 1 };

static const wl_variant usual = {64, false};

static wl_context *make_context(uint32_t threads)
{
    wl_context_options options = {.size = sizeof options, .threads = threads};
    wl_context *context = wl_context_create(&options, NULL);
    if (!context) abort();
    return context;
}

static void compare(const wl_evaluation *a, const wl_evaluation *b, uint32_t threads, wl_difference *out)
{
    wl_error error = {0};
    wl_context *context = make_context(threads);
    wl_compare_options options = {.size = sizeof options, .samples = SAMPLES, .seed = SEED};
    CHECK_THAT(!wl_compare(a, 0, b, 0, context, &options, out, &error), "%s", error.message);
    wl_context_free(context);
}

static bool is_near(double a, double b)
{
    return fabs(a - b) <= 1e-12 || (isnan(a) && isnan(b));
}

/* ---- a plain bootstrap ------------------------------------------------------------------------------------------- */

/* Numbers in the order of a ranking's. */
static void take_levels(const wl_ranking *ranking, double *levels)
{
    double level = 0;
    for (size_t i = 0; i < ranking->count; i++) levels[ranking->order[i]] = level += !ranking->tied[i];
}

static double rank_of(const double *numbers, const size_t *items, size_t count, size_t item)
{
    double below = 0, tied = 0;
    for (size_t i = 0; i < count; i++) {
        below += numbers[items[i]] < numbers[item];
        tied += numbers[items[i]] == numbers[item];
    }
    return below + (tied + 1) / 2;
}

static double plain_spearman(const double *a, const double *b, const size_t *items, size_t count)
{
    double mean = (double)(count + 1) / 2, xx = 0, yy = 0, xy = 0;
    for (size_t i = 0; i < count; i++) {
        double x = rank_of(a, items, count, items[i]) - mean, y = rank_of(b, items, count, items[i]) - mean;
        xx += x * x, yy += y * y, xy += x * y;
    }
    return xy / sqrt(xx * yy);
}

static double plain_precision(const double *scores, const bool *relevant, const size_t *items, size_t count)
{
    double sum = 0, all = 0;
    for (size_t i = 0; i < count; i++) {
        double taken = 0, found = 0;
        if (!relevant[items[i]]) continue;
        for (size_t j = 0; j < count; j++)
            if (scores[items[j]] >= scores[items[i]]) taken++, found += relevant[items[j]];
        sum += found / taken;
        all++;
    }
    return sum / all;
}

static double plain_v_measure(const wl_set *set, const uint32_t *found, const size_t *items)
{
    uint32_t labels[ITEMS], clusters[ITEMS];
    double table[64];
    for (size_t i = 0; i < set->items; i++) labels[i] = set->labels[items[i]], clusters[i] = found[items[i]];
    return wl_v_measure(labels, set->label_count, clusters, set->label_count, set->items, NULL, table);
}

/* Of the items drawn, one as often as it was. */
static double plain_score(const wl_evaluation *evaluation, size_t number, const size_t *items)
{
    const wl_set *set = &evaluation->sets->sets[number];
    const wl_outcome *outcome = &evaluation->outcomes[number];
    double levels[ITEMS], sum = 0;
    switch (set->task) {
    case WL_TASK_SIMILARITY:
        take_levels(&outcome->cosines, levels);
        return plain_spearman(levels, set->numbers, items, set->items);
    case WL_TASK_PAIR:
        take_levels(&outcome->cosines, levels);
        return plain_precision(levels, evaluation->truths[number].together, items, set->items);
    case WL_TASK_CLUSTERING:
        for (size_t i = 0; i < WL_CLUSTER_SEEDS; i++)
            sum += plain_v_measure(set, outcome->found + i * set->items, items);
        return sum / WL_CLUSTER_SEEDS;
    default:
        for (size_t i = 0; i < set->items; i++) sum += outcome->values[items[i]];
        return sum / (double)set->items;
    }
}

/* What take_sample of compare.c draws. */
static void draw(const wl_set *set, size_t sample, size_t *items)
{
    uint64_t group = wl_hash_bytes(set->group, strlen(set->group)), name = wl_hash_bytes(set->name, strlen(set->name));
    wl_random random = wl_random_seed(SEED, wl_hash_pair(wl_hash_pair(group, name), sample));
    for (size_t i = 0; i < set->items; i++) items[i] = wl_random_below(&random, set->items);
}

/* The sets' scores in scores[0..SETS); behind them the means of all_tasks. */
static void plain_means(double *scores)
{
    static const size_t begins[] = {0, 2, 3, 4, 5, 6, 8, 9, 10};
    double total = 0;
    for (size_t i = 0; i < GROUPS; i++) {
        double sum = 0;
        for (size_t j = begins[i]; j < begins[i + 1]; j++) sum += scores[j];
        scores[SETS + i] = sum / (double)(begins[i + 1] - begins[i]);
        if (i != 1) total += scores[SETS + i];
    }
    scores[SETS + GROUPS] = total / (GROUPS - 1);
}

/* The number that is at this place, counted from 0 and with a fraction, among the numbers in order. */
static double plain_percentile(const double *numbers, size_t count, double place)
{
    double at = NAN, after = NAN;
    for (size_t i = 0; i < count; i++) {
        double less = 0, same = 0;
        for (size_t j = 0; j < count; j++) less += numbers[j] < numbers[i], same += numbers[j] == numbers[i];
        if (less <= floor(place) && floor(place) < less + same) at = numbers[i];
        if (less <= floor(place) + 1 && floor(place) + 1 < less + same) after = numbers[i];
    }
    return isnan(after) ? at : at + (after - at) * (place - floor(place));
}

static size_t plain_compare(const wl_evaluation *a, const wl_evaluation *b, wl_difference *out)
{
    static double samples[COUNT][SAMPLES];
    size_t known[COUNT] = {0}, least = SAMPLES, items[ITEMS];
    for (size_t sample = 0; sample < SAMPLES; sample++) {
        double x[COUNT], y[COUNT];
        for (size_t i = 0; i < SETS; i++) {
            draw(&a->sets->sets[i], sample, items);
            x[i] = plain_score(a, i, items), y[i] = plain_score(b, i, items);
        }
        plain_means(x), plain_means(y);
        for (size_t i = 0; i < COUNT; i++)
            if (!isnan(y[i] - x[i])) samples[i][known[i]++] = y[i] - x[i];
    }
    for (size_t i = 0; i < COUNT; i++) {
        double last = (double)known[i] - 1;
        out[i].low = plain_percentile(samples[i], known[i], 0.025 * last);
        out[i].high = plain_percentile(samples[i], known[i], 0.975 * last);
        if (known[i] < least) least = known[i];
    }
    return least;
}

static void test_plain(void)
{
    wl_random random = wl_random_seed(SEED, 1);
    wl_sets *sets = make_sets(all_tasks, SETS, &random);
    wl_evaluation *a = make_evaluation(sets, &usual, 1, 0.4, &random);
    wl_evaluation *b = make_evaluation(sets, &usual, 1, 0.6, &random);
    wl_difference got[COUNT], plain[COUNT], again[COUNT];
    CHECK(wl_compare_count(sets) == COUNT);
    compare(a, b, 1, got);
    size_t least = plain_compare(a, b, plain);
    CHECK_THAT(least < SAMPLES && least > SAMPLES / 4, "%zu samples have scores", least);
    for (size_t i = 0; i < COUNT; i++) {
        CHECK_THAT(is_near(got[i].low, plain[i].low) && is_near(got[i].high, plain[i].high),
                   "%zu: [%.17g, %.17g], expected [%.17g, %.17g]", i, got[i].low, got[i].high, plain[i].low,
                   plain[i].high);
        CHECK(got[i].low < got[i].high);
        CHECK(i >= SETS || (got[i].a == a->outcomes[i].score.score && got[i].b == b->outcomes[i].score.score));
    }
    CHECK(got[SETS].a == wl_evaluation_mean(a, "sts", 0) && got[SETS].b == wl_evaluation_mean(b, "sts", 0));
    CHECK(got[SETS + 5].b == wl_evaluation_mean(b, "pair", 0));
    CHECK(got[COUNT - 1].a == wl_evaluation_mean(a, NULL, 0) && got[COUNT - 1].b == wl_evaluation_mean(b, NULL, 0));
    CHECK(isnan(wl_evaluation_mean(a, "none", 0)) && isnan(wl_evaluation_mean(a, NULL, 1)));
    for (uint32_t threads = 2; threads <= 3; threads++) {
        compare(a, b, threads, again);
        CHECK_THAT(memcmp(again, got, sizeof got) == 0, "%u threads", (unsigned)threads);
    }
    compare(a, a, 2, again);
    for (size_t i = 0; i < COUNT; i++) CHECK(again[i].b - again[i].a == 0 && again[i].low == 0 && again[i].high == 0);
    wl_evaluation_free(a);
    wl_evaluation_free(b);
    wl_sets_close(sets);
}

/* ---- what is known ----------------------------------------------------------------------------------------------- */

/* Differences of 0, 1 and -1: the mean's standard error is known, and the interval is 1.96 of it to each side. */
static void test_standard_error(void)
{
    enum { MANY = 2000 };
    static const made_set one[] = {{WL_TASK_TRIPLET, "triplet", "many", MANY, 0}};
    wl_random random = wl_random_seed(SEED, 2);
    wl_sets *sets = make_sets(one, 1, &random);
    wl_evaluation *a = make_evaluation(sets, &usual, 1, 0.5, &random);
    wl_evaluation *b = make_evaluation(sets, &usual, 1, 0.7, &random);
    wl_difference out[3];
    wl_context *context = make_context(2);
    CHECK(wl_compare_count(sets) == 3);
    CHECK(!wl_compare(a, 0, b, 0, context, NULL, out, NULL)); /* 1000 samples */
    double sum = 0, squares = 0;
    for (size_t i = 0; i < MANY; i++) {
        double difference = b->outcomes->values[i] - a->outcomes->values[i];
        sum += difference, squares += difference * difference;
    }
    double mean = sum / MANY, wide = 2 * 1.96 * sqrt((squares / MANY - mean * mean) / MANY);
    CHECK_THAT(fabs((out->high - out->low) / wide - 1) < 0.15, "width %g, expected %g", out->high - out->low, wide);
    CHECK_THAT(fabs((out->high + out->low) / 2 - mean) < 0.1 * wide, "middle of [%g, %g], expected %g", out->low,
               out->high, mean);
    CHECK(is_near(out->b - out->a, mean));
    for (size_t i = 1; i < 3; i++) CHECK(memcmp(&out[i], out, sizeof *out) == 0); /* the means are of one */
    /* Other random numbers, other samples; as many are 1000. */
    wl_difference other[3];
    wl_compare_options options = {.size = sizeof options, .samples = 1000};
    CHECK(!wl_compare(a, 0, b, 0, context, &options, other, NULL) && memcmp(other, out, sizeof out) == 0);
    options.seed = 1;
    CHECK(!wl_compare(a, 0, b, 0, context, &options, other, NULL) && memcmp(other, out, sizeof out) != 0);
    wl_context_free(context);
    wl_evaluation_free(a);
    wl_evaluation_free(b);
    wl_sets_close(sets);
}

/* A set's interval does not depend on which others are there. */
static void test_alone(void)
{
    wl_random random = wl_random_seed(SEED, 3);
    wl_sets *sets = make_sets(all_tasks + 2, 1, &random), *two = make_sets(all_tasks + 1, 2, &random);
    wl_difference out[3], with[5];
    for (size_t i = 0; i < sets->sets->items; i++) two->sets[1].numbers[i] = sets->sets->numbers[i];
    random = wl_random_seed(SEED, 4);
    wl_evaluation *a = make_evaluation(sets, &usual, 1, 0.5, &random),
                  *b = make_evaluation(sets, &usual, 1, 0, &random);
    wl_evaluation *c = make_evaluation(two, &usual, 1, 0.5, &random), *d = make_evaluation(two, &usual, 1, 0, &random);
    wl_outcome swap = c->outcomes[1];
    c->outcomes[1] = a->outcomes[0], a->outcomes[0] = swap;
    swap = d->outcomes[1];
    d->outcomes[1] = b->outcomes[0], b->outcomes[0] = swap;
    compare(c, d, 1, with);
    swap = c->outcomes[1];
    c->outcomes[1] = a->outcomes[0], a->outcomes[0] = swap;
    swap = d->outcomes[1];
    d->outcomes[1] = b->outcomes[0], b->outcomes[0] = swap;
    compare(a, b, 1, out);
    CHECK(memcmp(&out[0], &with[1], sizeof *out) == 0);
    /* sts-multilingual counts where there is nothing else. */
    CHECK(out[2].a == out[1].a && with[4].a == with[2].a && with[4].low == with[2].low && with[4].a != with[3].a);
    CHECK(wl_evaluation_mean(a, NULL, 0) == out[1].a && wl_evaluation_mean(c, NULL, 0) == with[2].a);
    wl_evaluation_free(a);
    wl_evaluation_free(b);
    wl_evaluation_free(c);
    wl_evaluation_free(d);
    wl_sets_close(sets);
    wl_sets_close(two);
}

/* A model to which all is alike has no score and no interval; the other groups keep theirs. */
static void test_no_order(void)
{
    wl_random random = wl_random_seed(SEED, 5);
    wl_sets *sets = make_sets(all_tasks, SETS, &random);
    wl_evaluation *a = make_evaluation(sets, &usual, 1, 0.4, &random);
    wl_evaluation *b = make_evaluation(sets, &usual, 1, 0.6, &random);
    wl_difference out[COUNT];
    for (size_t i = 1; i < b->outcomes->cosines.count; i++) b->outcomes->cosines.tied[i] = true;
    b->outcomes->score.score = NAN;
    compare(a, b, 2, out);
    for (size_t i = 0; i < COUNT; i++) {
        bool lacks = i == 0 || i == SETS || i == COUNT - 1;
        CHECK(isnan(out[i].b) == lacks && isnan(out[i].low) == lacks && isnan(out[i].high) == lacks &&
              !isnan(out[i].a));
    }
    wl_evaluation_free(a);
    wl_evaluation_free(b);
    wl_sets_close(sets);
}

/* Room for ranks, and for the table of classes and clusters: the most that any set needs. */
static void test_scratch(void)
{
    static const struct {
        size_t first, count, scratch;
    } cases[] = {{0, 1, 2 * ITEMS}, {5, 1, 3 * 3 + 2 * 3}, {6, 4, 0}, {0, SETS, 2 * ITEMS}, {3, 3, 3 * 3 + 2 * 3}};
    wl_random random = wl_random_seed(SEED, 7);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        wl_sets *sets = make_sets(all_tasks + cases[i].first, cases[i].count, &random);
        wl_evaluation evaluation = {.sets = sets};
        CHECK(wl_outcome_scratch(&evaluation) == cases[i].scratch);
        wl_sets_close(sets);
    }
}

/* ---- failures ---------------------------------------------------------------------------------------------------- */

static void test_refused(void)
{
    wl_random random = wl_random_seed(SEED, 6);
    wl_sets *sets = make_sets(all_tasks, SETS, &random), *others = make_sets(all_tasks, SETS, &random);
    wl_evaluation *a = make_evaluation(sets, &usual, 1, 0.4, &random);
    wl_evaluation *b = make_evaluation(others, &usual, 1, 0.4, &random);
    wl_difference out[COUNT];
    wl_context *context = make_context(1);
    wl_error error;
    wl_compare_options options = {.size = sizeof options + 8};
    CHECK(wl_compare(a, 0, b, 0, context, NULL, out, &error) == WL_ERROR_ARGUMENT &&
          strstr(error.message, "same sets"));
    CHECK(wl_compare(a, 0, a, 1, context, NULL, out, &error) == WL_ERROR_ARGUMENT &&
          strstr(error.message, "variant 1"));
    CHECK(wl_compare(a, 1, a, 0, context, NULL, out, NULL) == WL_ERROR_ARGUMENT);
    CHECK(wl_compare(NULL, 0, a, 0, context, NULL, out, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_compare(a, 0, NULL, 0, context, NULL, out, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_compare(a, 0, a, 0, NULL, NULL, out, &error) == WL_ERROR_ARGUMENT && strstr(error.message, "context"));
    CHECK(wl_compare(a, 0, a, 0, context, NULL, NULL, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_compare(a, 0, a, 0, context, &options, out, &error) == WL_ERROR_ARGUMENT);
    size_t nth = 1;
    for (; fault_available(); nth++) {
        error.code = WL_OK;
        options = (wl_compare_options){.size = sizeof options, .samples = 2};
        fault_begin(nth);
        wl_status status = wl_compare(a, 0, a, 0, context, &options, out, &error);
        bool failed = fault_end();
        CHECK(status == (failed ? WL_ERROR_MEMORY : WL_OK) && error.code == status);
        if (!failed) break;
    }
    CHECK_THAT(nth == 6 || !fault_available(), "%zu allocations", nth - 1);
    if (!fault_available()) SKIP("failing allocations: linked without --wrap");
    wl_context_free(context);
    wl_evaluation_free(a);
    wl_evaluation_free(b);
    wl_sets_close(sets);
    wl_sets_close(others);
}

int main(void)
{
    test_plain();
    test_standard_error();
    test_alone();
    test_no_order();
    test_scratch();
    test_refused();
    return test_end();
}
