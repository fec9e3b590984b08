#include "eval/metrics.h"

#include <math.h>
#include <stdlib.h>

/* ---- rankings ---------------------------------------------------------------------------------------------------- */

typedef struct entry {
    double number;
    uint32_t item;
} entry;

static int by_number(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    if (x->number != y->number) return x->number < y->number ? -1 : 1;
    return (x->item > y->item) - (x->item < y->item);
}

wl_status wl_ranking_create(wl_ranking *ranking, const double *numbers, size_t count, wl_error *error)
{
    *ranking = (wl_ranking){.count = count};
    entry *entries = wl_allocate(count, sizeof *entries, error);
    ranking->order = entries ? wl_allocate(count, sizeof *ranking->order, error) : NULL;
    ranking->tied = ranking->order ? wl_allocate(count, sizeof *ranking->tied, error) : NULL;
    if (ranking->tied) {
        for (size_t i = 0; i < count; i++) entries[i] = (entry){numbers[i], (uint32_t)i};
        qsort(entries, count, sizeof *entries, by_number);
        for (size_t i = 0; i < count; i++) {
            ranking->order[i] = entries[i].item;
            ranking->tied[i] = i && entries[i].number == entries[i - 1].number;
        }
    }
    free(entries);
    return ranking->tied ? WL_OK : WL_ERROR_MEMORY;
}

void wl_ranking_free(wl_ranking *ranking)
{
    free(ranking->order);
    free(ranking->tied);
    *ranking = (wl_ranking){0};
}

static uint32_t times(const uint32_t *counts, size_t item)
{
    return counts ? counts[item] : 1;
}

/* ---- correlation ------------------------------------------------------------------------------------------------- */

static double total_of(const uint32_t *counts, size_t count)
{
    double total = 0;
    for (size_t i = 0; i < count; i++) total += times(counts, i);
    return total;
}

/* Twice each item's rank less twice the mean of all ranks: whole numbers, so that sums of a few hundred thousand items
 * are exact. Equal numbers that count for t in all, behind s others, have the mean rank s + (t + 1) / 2. */
static void take_ranks(const wl_ranking *ranking, const uint32_t *counts, double total, double *ranks)
{
    double before = 0;
    for (size_t begin = 0, end; begin < ranking->count; begin = end) {
        double tied = 0;
        end = begin;
        do tied += times(counts, ranking->order[end++]);
        while (end < ranking->count && ranking->tied[end]);
        for (size_t i = begin; i < end; i++) ranks[ranking->order[i]] = 2 * before + tied - total;
        before += tied;
    }
}

double wl_spearman(const wl_ranking *a, const wl_ranking *b, const uint32_t *counts, double *ranks)
{
    size_t count = a->count;
    double *x = ranks, *y = ranks + count, total = total_of(counts, count), xx = 0, yy = 0, xy = 0;
    take_ranks(a, counts, total, x);
    take_ranks(b, counts, total, y);
    for (size_t i = 0; i < count; i++) {
        double weight = times(counts, i);
        xx += weight * x[i] * x[i];
        yy += weight * y[i] * y[i];
        xy += weight * x[i] * y[i];
    }
    return xx > 0 && yy > 0 ? xy / sqrt(xx * yy) : NAN;
}

/* ---- average precision ------------------------------------------------------------------------------------------- */

double wl_average_precision(const wl_ranking *scores, const bool *labels, const uint32_t *counts)
{
    double taken = 0, found = 0, sum = 0;
    for (size_t end = scores->count, begin; end; end = begin) {
        double gained = 0;
        begin = end;
        do {
            uint32_t item = scores->order[--begin], weight = times(counts, item);
            taken += weight;
            gained += labels[item] ? weight : 0;
        } while (scores->tied[begin]);
        found += gained;
        if (gained > 0) sum += gained * (found / taken);
    }
    return found > 0 ? sum / found : NAN;
}

/* ---- clusters ---------------------------------------------------------------------------------------------------- */

static double entropy_of(const double *sizes, uint32_t count, double total)
{
    double entropy = 0;
    for (uint32_t i = 0; i < count; i++)
        if (sizes[i] > 0) entropy += sizes[i] / total * log(total / sizes[i]);
    return entropy;
}

/* Homogeneity is the mutual information over the entropy of the classes, completeness the same over that of the
 * clusters: their harmonic mean is 2 I / (H(classes) + H(clusters)), also where one of the entropies is 0. Where both
 * are, all is one class and one cluster, which is perfect. */
double wl_v_measure(const uint32_t *labels, uint32_t classes, const uint32_t *found, uint32_t clusters, size_t count,
                    const uint32_t *counts, double *table)
{
    size_t cells = (size_t)classes * clusters;
    double *class_sizes = table + cells, *cluster_sizes = class_sizes + classes, total = 0, information = 0;
    for (size_t i = 0; i < cells + classes + clusters; i++) table[i] = 0;
    for (size_t i = 0; i < count; i++) {
        double weight = times(counts, i);
        table[(size_t)labels[i] * clusters + found[i]] += weight;
        class_sizes[labels[i]] += weight;
        cluster_sizes[found[i]] += weight;
        total += weight;
    }
    if (!(total > 0)) return NAN;
    for (size_t i = 0; i < cells; i++) {
        double expected = class_sizes[i / clusters] * cluster_sizes[i % clusters]; /* times the total */
        if (table[i] > 0) information += table[i] / total * log(table[i] * total / expected);
    }
    double entropies = entropy_of(class_sizes, classes, total) + entropy_of(cluster_sizes, clusters, total);
    /* Rounding must not leave the range. */
    return entropies > 0 ? fmin(fmax(2 * information / entropies, 0), 1) : 1;
}

/* ---- means ------------------------------------------------------------------------------------------------------- */

double wl_weighted_mean(const double *numbers, const uint32_t *counts, size_t count)
{
    double sum = 0, total = total_of(counts, count);
    for (size_t i = 0; i < count; i++) sum += times(counts, i) * numbers[i];
    return total > 0 ? sum / total : NAN;
}
