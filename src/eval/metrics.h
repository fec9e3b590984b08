/* How good a ranking, a classification, a clustering is. Each metric takes how often every item counts, which is what
 * resampling needs: counts NULL is once each. What can be sorted beforehand is sorted once. All in F64, in the order of
 * the items: the same bits always. Scores are finite. */
#ifndef WL_EVAL_METRICS_H
#define WL_EVAL_METRICS_H

#include "base/memory.h"

/* Numbers sorted, with ties known. */
typedef struct wl_ranking {
    uint32_t *order; /* (count): items by ascending number, ties by item */
    bool *tied;      /* (count): equal to the one before it in order */
    size_t count;    /* below 2^32 */
} wl_ranking;

/* O(n log n). Free with wl_ranking_free, also after a failure. */
wl_status wl_ranking_create(wl_ranking *ranking, const double *numbers, size_t count, wl_error *error);
void wl_ranking_free(wl_ranking *ranking);

/* Spearman's rank correlation: Pearson's of the ranks, equal numbers having the mean of their ranks. NaN where one side
 * is all ties. ranks: scratch for 2 * count numbers. O(n). */
double wl_spearman(const wl_ranking *a, const wl_ranking *b, const uint32_t *counts, double *ranks);

/* Average precision: the sum over thresholds, the highest first, of (gain in recall) * precision; equal scores are one
 * threshold (scikit-learn's definition). labels: (count), relevant where true. NaN where none is relevant. O(n). */
double wl_average_precision(const wl_ranking *scores, const bool *labels, const uint32_t *counts);

/* V-measure: the harmonic mean of homogeneity and completeness (Rosenberg and Hirschberg 2007), beta 1. labels: below
 * classes; found: below clusters. table: scratch for classes * clusters + classes + clusters numbers. NaN where nothing
 * counts. O(n + classes * clusters). */
double wl_v_measure(const uint32_t *labels, uint32_t classes, const uint32_t *found, uint32_t clusters, size_t count,
                    const uint32_t *counts, double *table);

/* Mean of count numbers; NaN where nothing counts. */
double wl_weighted_mean(const double *numbers, const uint32_t *counts, size_t count);

/* What one query's search found. */
typedef struct wl_retrieved {
    double ndcg;              /* at 10: gains are grades, discounts 1 / log2(1 + place) */
    double recall;            /* at 100 */
    double average_precision; /* over all documents */
} wl_retrieved;

/* A document that a query wants and where it stands. */
typedef struct wl_wanted {
    double grade; /* above 0 */
    size_t above; /* documents of a higher score; SIZE_MAX: it is not in the corpus and never found */
    size_t tied;  /* other documents of the same score */
} wl_wanted;

/* wanted: all that the query wants, at least one, in any order. Documents of one score have no order of their own:
 * metrics are the mean over all orders of equal scores for ndcg and recall (McSherry and Najork 2008, Computing
 * information retrieval performance measures efficiently in the presence of tied scores); average precision takes equal
 * scores as one threshold. Sorts wanted. */
wl_retrieved wl_score_retrieval(wl_wanted *wanted, size_t count);

#endif
