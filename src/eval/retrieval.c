/* What a search found. Documents of one score share places: each of the places from above + 1 on holds any of them with
 * the same chance, so it has the mean of their gains (McSherry and Najork 2008). O(n log n) in the wanted documents. */
#include <math.h>
#include <stdlib.h>

#include "eval/metrics.h"

enum { NDCG_PLACES = 10, RECALL_PLACES = 100 };

static int by_grade(const void *a, const void *b)
{
    const wl_wanted *x = a, *y = b;
    return (x->grade < y->grade) - (x->grade > y->grade);
}

static int by_place(const void *a, const void *b)
{
    const wl_wanted *x = a, *y = b;
    if (x->above != y->above) return x->above < y->above ? -1 : 1;
    return by_grade(a, b);
}

/* The sum of the discounts of the places after `above` ones, count of them. */
static double discounts(size_t above, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count && above + i < NDCG_PLACES; i++) sum += 1 / log2((double)(above + i + 2));
    return sum;
}

/* Gains are those of the largest grade at most: their scale does not matter, and no sum of them is too large. */
static void scale_grades(wl_wanted *wanted, size_t count)
{
    double most = 0;
    for (size_t i = 0; i < count; i++) most = fmax(most, wanted[i].grade);
    for (size_t i = 0; i < count; i++) wanted[i].grade /= most;
}

/* The gain that the best order would have. */
static double ideal_gain(wl_wanted *wanted, size_t count)
{
    double gain = 0;
    qsort(wanted, count, sizeof *wanted, by_grade);
    for (size_t i = 0; i < count && i < NDCG_PLACES; i++) gain += wanted[i].grade * discounts(i, 1);
    return gain;
}

wl_retrieved wl_score_retrieval(wl_wanted *wanted, size_t count)
{
    scale_grades(wanted, count);
    double ideal = ideal_gain(wanted, count), gain = 0, within = 0, precision = 0;
    qsort(wanted, count, sizeof *wanted, by_place);
    for (size_t begin = 0, end; begin < count && wanted[begin].above != SIZE_MAX; begin = end) {
        size_t above = wanted[begin].above, tied = wanted[begin].tied + 1;
        double grades = 0;
        for (end = begin; end < count && wanted[end].above == above; end++) grades += wanted[end].grade;
        double found = (double)(end - begin), all = (double)tied;
        gain += grades / all * discounts(above, tied);
        if (above < RECALL_PLACES) within += found * fmin((double)(RECALL_PLACES - above) / all, 1);
        precision += found * (double)end / (double)(above + tied);
    }
    return (wl_retrieved){gain / ideal, within / (double)count, precision / (double)count};
}
