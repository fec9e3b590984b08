/* The metrics: against SciPy and scikit-learn (tests/golden/metrics.txt, by tools/golden_metrics.py), against plain
 * definitions on small cases, and items that count several times against items that are there several times. */
#include <math.h>

#include "base/random.h"
#include "eval/metrics.h"
#include "fault.h"
#include "test.h"

#define GOLDEN WL_TEST_DATA "/golden/metrics.txt"

enum { MOST = 5000 }; /* items of a case */

static bool is_near(double a, double b)
{
    return fabs(a - b) <= 1e-12;
}

static bool same_bits(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

static double spearman(const double *a, const double *b, size_t count, const uint32_t *counts)
{
    static double ranks[2 * MOST];
    wl_ranking x, y;
    wl_error error;
    CHECK(!wl_ranking_create(&x, a, count, &error));
    CHECK(!wl_ranking_create(&y, b, count, &error));
    double score = wl_spearman(&x, &y, counts, ranks);
    wl_ranking_free(&x);
    wl_ranking_free(&y);
    return score;
}

static double average_precision(const double *scores, const bool *labels, size_t count, const uint32_t *counts)
{
    wl_ranking ranking;
    wl_error error;
    CHECK(!wl_ranking_create(&ranking, scores, count, &error));
    double score = wl_average_precision(&ranking, labels, counts);
    wl_ranking_free(&ranking);
    return score;
}

static double v_measure(const uint32_t *labels, uint32_t classes, const uint32_t *found, uint32_t clusters,
                        size_t count, const uint32_t *counts)
{
    double *table = malloc(((size_t)classes * clusters + classes + clusters) * sizeof *table);
    if (!table) abort();
    double score = wl_v_measure(labels, classes, found, clusters, count, counts, table);
    free(table);
    return score;
}

/* The documents by their scores, as wl_score_retrieval has them. Returns how many are wanted. */
static size_t find_wanted(const double *scores, const double *grades, size_t count, wl_wanted *wanted)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        if (!(grades[i] > 0)) continue;
        wl_wanted *one = &wanted[found++];
        *one = (wl_wanted){.grade = grades[i]};
        for (size_t j = 0; j < count; j++) {
            one->above += scores[j] > scores[i];
            one->tied += j != i && scores[j] == scores[i];
        }
    }
    return found;
}

/* ---- golden data ------------------------------------------------------------------------------------------------- */

/* The generator of tools/golden_metrics.py. */
static uint32_t draw_state = 1;

static void draw(double *out, size_t count, uint32_t levels)
{
    for (size_t i = 0; i < count; i++) {
        draw_state = draw_state * 1664525u + 1013904223u;
        out[i] = (double)((draw_state >> 8) % levels);
    }
}

static double golden_score(const char *metric, size_t count, uint32_t p, uint32_t q)
{
    static double a[MOST], b[MOST];
    static bool relevant[MOST];
    static uint32_t labels[MOST], found[MOST];
    static wl_wanted wanted[MOST];
    draw(a, count, p);
    if (strcmp(metric, "spearman") == 0) {
        draw(b, count, p);
        for (size_t i = 0; i < count; i++) b[i] += a[i] / 2;
        return spearman(a, b, count, NULL);
    }
    if (strcmp(metric, "precision") == 0) {
        draw(b, count, 3);
        for (size_t i = 0; i < count; i++) relevant[i] = b[i] == 0 || i == 0;
        return average_precision(a, relevant, count, NULL);
    }
    draw(b, count, q);
    if (strcmp(metric, "ndcg") == 0) {
        b[count - 1] = 1;
        return wl_score_retrieval(wanted, find_wanted(a, b, count, wanted)).ndcg;
    }
    for (size_t i = 0; i < count; i++) {
        labels[i] = (uint32_t)a[i];
        found[i] = (labels[i] + (i % 3 == 0 ? (uint32_t)b[i] : 0)) % q;
    }
    return v_measure(labels, p, found, q, count, NULL);
}

static void test_golden(void)
{
    FILE *file = fopen(GOLDEN, "r");
    CHECK(file);
    if (!file) return;
    char line[256], metric[16];
    size_t lines = 0;
    while (fgets(line, sizeof line, file)) {
        size_t count;
        uint32_t p, q = 0;
        double expected;
        if (*line == '#') continue;
        if (sscanf(line, "%15s %zu %u %lf", metric, &count, &p, &expected) != 4) abort();
        const char *last = strrchr(line, ' ');
        if ((*metric == 'v' || *metric == 'n') && sscanf(line, "%*s %*u %*u %u", &q) != 1) abort();
        expected = strtod(last, NULL);
        double score = golden_score(metric, count, p, q);
        CHECK_THAT(is_near(score, expected), "%.17g for %s", score, line);
        lines++;
    }
    fclose(file);
    CHECK_THAT(lines == 16 + 7 + 21, "%zu lines", lines);
}

/* ---- counts ------------------------------------------------------------------------------------------------------ */

typedef struct items {
    double a[MOST], b[MOST];
    bool relevant[MOST];
    uint32_t labels[MOST], found[MOST];
    size_t count;
} items;

enum { CLASSES = 5, CLUSTERS = 7, METRICS = 4 };

static void score_all(const items *all, const uint32_t *counts, double scores[METRICS])
{
    scores[0] = spearman(all->a, all->b, all->count, counts);
    scores[1] = average_precision(all->a, all->relevant, all->count, counts);
    scores[2] = v_measure(all->labels, CLASSES, all->found, CLUSTERS, all->count, counts);
    scores[3] = wl_weighted_mean(all->b, counts, all->count);
}

static void make_items(items *all, size_t count, size_t levels, wl_random *random)
{
    all->count = count;
    for (size_t i = 0; i < count; i++) {
        all->a[i] = (double)wl_random_below(random, levels) / 7;
        all->b[i] = (all->a[i] + (double)wl_random_below(random, levels)) / 3;
        all->relevant[i] = wl_random_below(random, levels) == 0 || i == 0;
        all->labels[i] = (uint32_t)wl_random_below(random, CLASSES);
        all->found[i] = wl_random_below(random, 2) ? all->labels[i]
                                                   : CLASSES + (uint32_t)wl_random_below(random, CLUSTERS - CLASSES);
    }
}

static void repeat_items(const items *from, const uint32_t *counts, items *to)
{
    to->count = 0;
    for (size_t i = 0; i < from->count; i++)
        for (uint32_t j = 0; j < counts[i]; j++) {
            size_t at = to->count++;
            to->a[at] = from->a[i], to->b[at] = from->b[i];
            to->relevant[at] = from->relevant[i];
            to->labels[at] = from->labels[i], to->found[at] = from->found[i];
        }
}

static void test_counts(void)
{
    static items all, repeated;
    static uint32_t counts[MOST];
    wl_random random = wl_random_seed(7, 1);
    for (size_t round = 0; round < 300; round++) {
        double plain[METRICS], counted[METRICS];
        make_items(&all, 4 + wl_random_below(&random, 300), 2 + wl_random_below(&random, 60), &random);
        score_all(&all, NULL, plain);
        for (uint32_t every = 1; every <= 3; every++) {
            for (size_t i = 0; i < all.count; i++) counts[i] = every;
            score_all(&all, counts, counted);
            for (size_t i = 0; i < METRICS; i++)
                CHECK_THAT(
                    every == 1 ? same_bits(counted[i], plain[i]) : is_near(counted[i], plain[i]) || isnan(plain[i]),
                    "metric %zu, all counted %u times: %.17g, once %.17g", i, (unsigned)every, counted[i], plain[i]);
        }
        for (size_t i = 0; i < all.count; i++) counts[i] = (uint32_t)wl_random_below(&random, 4);
        counts[0] = 3;
        repeat_items(&all, counts, &repeated);
        score_all(&all, counts, counted);
        score_all(&repeated, NULL, plain);
        for (size_t i = 0; i < METRICS; i++)
            CHECK_THAT(is_near(counted[i], plain[i]) || (isnan(counted[i]) && isnan(plain[i])),
                       "metric %zu, round %zu: counted %.17g, repeated %.17g", i, round, counted[i], plain[i]);
    }
}

/* ---- plain definitions ------------------------------------------------------------------------------------------- */

static double rank_of(const double *numbers, size_t count, size_t at)
{
    double below = 0, tied = 0;
    for (size_t i = 0; i < count; i++) below += numbers[i] < numbers[at], tied += numbers[i] == numbers[at];
    return below + (tied + 1) / 2;
}

static double plain_spearman(const double *a, const double *b, size_t count)
{
    double mean = (double)(count + 1) / 2, xx = 0, yy = 0, xy = 0;
    for (size_t i = 0; i < count; i++) {
        double x = rank_of(a, count, i) - mean, y = rank_of(b, count, i) - mean;
        xx += x * x, yy += y * y, xy += x * y;
    }
    return xy / (sqrt(xx) * sqrt(yy));
}

/* For each relevant item, the precision of all that are scored no lower. */
static double plain_precision(const double *scores, const bool *relevant, size_t count)
{
    double sum = 0, all = 0;
    for (size_t i = 0; i < count; i++) {
        double taken = 0, found = 0;
        if (!relevant[i]) continue;
        for (size_t j = 0; j < count; j++)
            if (scores[j] >= scores[i]) taken++, found += relevant[j];
        sum += found / taken;
        all++;
    }
    return sum / all;
}

static void test_plain(void)
{
    static items all;
    wl_random random = wl_random_seed(7, 2);
    for (size_t round = 0; round < 100; round++) {
        make_items(&all, 20 + wl_random_below(&random, 200), 2 + wl_random_below(&random, 90), &random);
        double score = spearman(all.a, all.b, all.count, NULL), plain = plain_spearman(all.a, all.b, all.count);
        CHECK_THAT(is_near(score, plain), "Spearman %.17g, expected %.17g", score, plain);
        score = average_precision(all.a, all.relevant, all.count, NULL);
        plain = plain_precision(all.a, all.relevant, all.count);
        CHECK_THAT(is_near(score, plain), "average precision %.17g, expected %.17g", score, plain);
    }
}

static void test_edges(void)
{
    static const double up[] = {1, 2, 3, 4}, down[] = {4, 3, 2, 1}, same[] = {5, 5, 5, 5}, zeros[] = {0.0, -0.0, 1, 1};
    static const bool none[4], second[] = {false, true, false, false};
    static const uint32_t zero[] = {0, 0, 0, 0}, one_class[] = {0, 0, 0, 0}, pairs[] = {0, 0, 1, 1},
                          crossed[] = {0, 1, 0, 1}, swapped[] = {1, 1, 0, 0}, only_last[] = {0, 0, 0, 2};
    CHECK(spearman(up, up, 4, NULL) == 1);
    CHECK(spearman(up, down, 4, NULL) == -1);
    CHECK(isnan(spearman(up, same, 4, NULL)));
    CHECK(isnan(spearman(same, up, 4, NULL)));
    CHECK(isnan(spearman(up, down, 4, zero)));
    CHECK(isnan(spearman(up, down, 4, only_last)));
    CHECK(isnan(spearman(up, down, 0, NULL)));
    CHECK(is_near(spearman(zeros, up, 4, NULL), 2 / sqrt(5))); /* 0 and -0 are equal */
    CHECK(isnan(average_precision(up, none, 4, NULL)));
    CHECK(isnan(average_precision(up, second, 4, only_last)));
    CHECK(average_precision(down, second, 4, NULL) == 0.5);
    CHECK(average_precision(same, second, 4, NULL) == 0.25);
    CHECK(average_precision(down, second, 4, (const uint32_t[]){0, 1, 1, 1}) == 1);
    CHECK(v_measure(pairs, 2, pairs, 2, 4, NULL) == 1);
    CHECK(v_measure(pairs, 2, swapped, 2, 4, NULL) == 1);
    CHECK(v_measure(pairs, 2, crossed, 2, 4, NULL) == 0);
    CHECK(v_measure(pairs, 2, one_class, 2, 4, NULL) == 0);
    CHECK(v_measure(one_class, 1, crossed, 2, 4, NULL) == 0);
    CHECK(v_measure(one_class, 2, one_class, 2, 4, NULL) == 1);
    CHECK(v_measure(pairs, 2, crossed, 2, 4, only_last) == 1);
    CHECK(isnan(v_measure(pairs, 2, pairs, 2, 4, zero)));
    CHECK(isnan(wl_weighted_mean(up, zero, 4)));
    CHECK(isnan(wl_weighted_mean(up, NULL, 0)));
    CHECK(wl_weighted_mean(up, only_last, 4) == 4);
    CHECK(wl_weighted_mean(up, NULL, 4) == 2.5);
}

static void test_ranking(void)
{
    static const double numbers[] = {3, -1, 3, 0.0, -0.0, 3, -7};
    static const uint32_t order[] = {6, 1, 3, 4, 0, 2, 5};
    static const bool tied[] = {false, false, false, true, false, true, true};
    wl_ranking ranking;
    wl_error error;
    CHECK(!wl_ranking_create(&ranking, numbers, 7, &error));
    CHECK(memcmp(ranking.order, order, sizeof order) == 0);
    CHECK(memcmp(ranking.tied, tied, sizeof tied) == 0);
    wl_ranking_free(&ranking);
    size_t nth = 1;
    for (; fault_available(); nth++) {
        error.code = WL_OK;
        fault_begin(nth);
        wl_status status = wl_ranking_create(&ranking, numbers, 7, &error);
        bool failed = fault_end();
        CHECK(status == (failed ? WL_ERROR_MEMORY : WL_OK) && error.code == status);
        wl_ranking_free(&ranking);
        if (!failed) break;
    }
    CHECK_THAT(nth == 4 || !fault_available(), "%zu allocations", nth - 1);
    if (!fault_available()) SKIP("failing allocations: linked without --wrap");
}

/* ---- searches ---------------------------------------------------------------------------------------------------- */

enum { DOCUMENTS = 6 };

/* Means over all orders in which no document stands before one of a higher score, behind `above` others. */
typedef struct orders {
    const double *scores, *grades;
    size_t count, above;
    size_t order[DOCUMENTS];
    bool used[DOCUMENTS];
    double gain, within; /* sums */
    size_t seen;
} orders;

static void try_orders(orders *this, size_t at)
{
    if (at == this->count) {
        for (size_t i = 0; i < this->count; i++) {
            size_t place = this->above + i + 1;
            double grade = this->grades[this->order[i]];
            if (place <= 10) this->gain += grade / log2((double)place + 1);
            this->within += grade > 0 && place <= 100;
        }
        this->seen++;
        return;
    }
    for (size_t i = 0; i < this->count; i++) {
        if (this->used[i] || (at && this->scores[i] > this->scores[this->order[at - 1]])) continue;
        this->used[i] = true;
        this->order[at] = i;
        try_orders(this, at + 1);
        this->used[i] = false;
    }
}

/* Of the documents, and of `missing` more that are wanted with grade 1 and not in the corpus. */
static wl_retrieved plain_retrieval(orders *this, size_t missing)
{
    double sorted[2 * DOCUMENTS], ideal = 0, wanted = 0, precision = 0;
    for (size_t i = 0; i < this->count + missing; i++) {
        double grade = i < this->count ? this->grades[i] : 1;
        size_t at = i;
        for (; at && sorted[at - 1] < grade; at--) sorted[at] = sorted[at - 1];
        sorted[at] = grade;
        wanted += grade > 0;
    }
    for (size_t i = 0; i < this->count + missing && i < 10; i++) ideal += sorted[i] / log2((double)i + 2);
    for (size_t i = 0; i < this->count; i++) {
        double taken = (double)this->above, found = 0;
        for (size_t j = 0; j < this->count; j++)
            if (this->scores[j] >= this->scores[i]) taken++, found += this->grades[j] > 0;
        if (this->grades[i] > 0) precision += found / taken;
    }
    try_orders(this, 0);
    double seen = (double)this->seen;
    return (wl_retrieved){this->gain / seen / ideal, this->within / seen / wanted, precision / wanted};
}

static void shuffle(wl_wanted *wanted, size_t count, wl_random *random)
{
    for (size_t i = count; i > 1; i--) {
        size_t other = wl_random_below(random, i);
        wl_wanted swap = wanted[i - 1];
        wanted[i - 1] = wanted[other], wanted[other] = swap;
    }
}

static void test_searches(void)
{
    static const size_t before[] = {0, 1, 4, 6, 8, 9, 10, 94, 95, 97, 98, 99, 100, 5000};
    wl_random random = wl_random_seed(7, 3);
    size_t between = 0; /* cases in which a tie reaches over an edge */
    for (size_t round = 0; round < 4000; round++) {
        double scores[DOCUMENTS], grades[DOCUMENTS];
        wl_wanted wanted[2 * DOCUMENTS];
        size_t documents = 1 + wl_random_below(&random, DOCUMENTS), missing = wl_random_below(&random, 3);
        orders all = {.scores = scores, .grades = grades, .count = documents, .above = before[round % 14]};
        for (size_t i = 0; i < documents; i++) {
            scores[i] = (double)wl_random_below(&random, 3);
            grades[i] = i ? (double)wl_random_below(&random, 4) : 2;
        }
        size_t count = find_wanted(scores, grades, documents, wanted);
        for (size_t i = 0; i < count; i++) {
            size_t above = wanted[i].above += all.above, end = above + wanted[i].tied + 1;
            between += (above < 10 && end > 10) || (above < 100 && end > 100);
        }
        for (size_t i = 0; i < missing; i++) wanted[count++] = (wl_wanted){1, SIZE_MAX, 0};
        wl_retrieved plain = plain_retrieval(&all, missing), found = wl_score_retrieval(wanted, count);
        CHECK_THAT(is_near(found.ndcg, plain.ndcg), "nDCG %.17g, expected %.17g", found.ndcg, plain.ndcg);
        CHECK_THAT(is_near(found.recall, plain.recall), "recall %.17g, expected %.17g", found.recall, plain.recall);
        CHECK_THAT(is_near(found.average_precision, plain.average_precision), "AP %.17g, expected %.17g",
                   found.average_precision, plain.average_precision);
        shuffle(wanted, count, &random);
        wl_retrieved again = wl_score_retrieval(wanted, count);
        CHECK(memcmp(&again, &found, sizeof found) == 0);
    }
    CHECK_THAT(between > 500, "%zu ties over an edge", between);
}

static void test_search_edges(void)
{
    wl_wanted lost[] = {{1, SIZE_MAX, 0}, {3, SIZE_MAX, 0}}, first[] = {{0.5, 0, 0}}, tied[] = {{1, 0, 3999}};
    wl_retrieved found = wl_score_retrieval(lost, 2);
    CHECK(found.ndcg == 0 && found.recall == 0 && found.average_precision == 0);
    found = wl_score_retrieval(first, 1);
    CHECK(found.ndcg == 1 && found.recall == 1 && found.average_precision == 1);
    found = wl_score_retrieval(tied, 1); /* all documents are alike */
    CHECK(is_near(found.recall, 100.0 / 4000) && is_near(found.average_precision, 1.0 / 4000));
    wl_wanted many[150];
    for (size_t i = 0; i < 150; i++) many[i] = (wl_wanted){1, i, 0};
    found = wl_score_retrieval(many, 150);
    CHECK(found.ndcg == 1 && is_near(found.recall, 100.0 / 150) && is_near(found.average_precision, 1));
}

int main(void)
{
    test_golden();
    test_counts();
    test_plain();
    test_edges();
    test_ranking();
    test_searches();
    test_search_edges();
    return test_end();
}
