/* What an evaluation keeps: scores, and of every scored item what resampling needs. */
#ifndef WL_EVAL_EVALUATION_H
#define WL_EVAL_EVALUATION_H

#include "data/sets.h"
#include "eval/metrics.h"

enum { WL_FOLDS = 5 };         /* of the cross-validation of a classification without test texts */
enum { WL_CLUSTER_SEEDS = 3 }; /* V-measure is the mean of so many runs of k-means */

/* Of one set in one variant; by task, the others NULL. items: those of the set. */
typedef struct wl_outcome {
    wl_set_score score;
    wl_ranking cosines; /* SIMILARITY, PAIR: (items) */
    double *values;     /* CLASSIFICATION, TRIPLET: (items), 1 where right, else 0; RETRIEVAL: nDCG of each query */
    uint32_t *found;    /* CLUSTERING: (WL_CLUSTER_SEEDS, items), the cluster of each text */
} wl_outcome;

/* What a set's answers are compared with, the same for all models. */
typedef struct wl_truth {
    wl_ranking scores; /* SIMILARITY: (items) */
    bool *together;    /* PAIR: (items) */
} wl_truth;

struct wl_evaluation {
    const wl_sets *sets;
    wl_variant *variants;
    size_t variant_count;
    wl_truth *truths;     /* (sets) */
    wl_outcome *outcomes; /* (sets, variants) */
};

/* Room that scoring one set needs, in numbers: the most over all sets. */
size_t wl_outcome_scratch(const wl_evaluation *evaluation);
/* The score of an outcome of a set where items count so often; counts NULL: once each. */
double wl_outcome_score(const wl_evaluation *evaluation, size_t set, const wl_outcome *outcome, const uint32_t *counts,
                        double *scratch);

/* The sets of a group, which follow each other. */
typedef struct wl_group_range {
    const char *name;
    size_t begin, end;
    bool counts; /* in the mean of the groups */
} wl_group_range;

/* Moves to the next group, from a zeroed one to the first; false behind the last. */
bool wl_next_group(const wl_sets *sets, wl_group_range *group);

#endif
