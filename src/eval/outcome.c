/* From outcomes to scores, and to means of scores. */
#include <math.h>
#include <string.h>

#include "eval/evaluation.h"

/* ---- one set ----------------------------------------------------------------------------------------------------- */

static size_t scratch_of(const wl_set *set)
{
    size_t labels = set->label_count;
    switch (set->task) {
    case WL_TASK_SIMILARITY:
        return 2 * set->items;
    case WL_TASK_CLUSTERING:
        return labels * labels + 2 * labels;
    default:
        return 0;
    }
}

size_t wl_outcome_scratch(const wl_evaluation *evaluation)
{
    const wl_sets *sets = evaluation->sets;
    size_t most = 0;
    for (size_t i = 0; i < sets->count; i++) {
        size_t need = scratch_of(&sets->sets[i]);
        if (need > most) most = need;
    }
    return most;
}

static double score_clusters(const wl_set *set, const uint32_t *found, const uint32_t *counts, double *scratch)
{
    double sum = 0;
    for (size_t i = 0; i < WL_CLUSTER_SEEDS; i++)
        sum += wl_v_measure(set->labels, set->label_count, found + i * set->items, set->label_count, set->items, counts,
                            scratch);
    return sum / WL_CLUSTER_SEEDS;
}

double wl_outcome_score(const wl_evaluation *evaluation, size_t set, const wl_outcome *outcome, const uint32_t *counts,
                        double *scratch)
{
    const wl_set *of = &evaluation->sets->sets[set];
    const wl_truth *truth = &evaluation->truths[set];
    switch (of->task) {
    case WL_TASK_SIMILARITY:
        return wl_spearman(&truth->scores, &outcome->cosines, counts, scratch);
    case WL_TASK_PAIR:
        return wl_average_precision(&outcome->cosines, truth->together, counts);
    case WL_TASK_CLUSTERING:
        return score_clusters(of, outcome->found, counts, scratch);
    case WL_TASK_CLASSIFICATION:
    case WL_TASK_RETRIEVAL:
    case WL_TASK_TRIPLET:
        break;
    }
    return wl_weighted_mean(outcome->values, counts, of->items);
}

/* ---- groups ------------------------------------------------------------------------------------------------------ */

bool wl_next_group(const wl_sets *sets, wl_group_range *group)
{
    size_t begin = group->end, end = begin;
    if (begin == sets->count) return false;
    const char *name = sets->sets[begin].group;
    do end++;
    while (end < sets->count && strcmp(sets->sets[end].group, name) == 0);
    bool only = begin == 0 && end == sets->count;
    *group = (wl_group_range){name, begin, end, only || strcmp(name, "sts-multilingual") != 0};
    return true;
}

/* ---- evaluations ------------------------------------------------------------------------------------------------- */

size_t wl_evaluation_variants(const wl_evaluation *evaluation)
{
    return evaluation->variant_count;
}

wl_variant wl_evaluation_variant(const wl_evaluation *evaluation, size_t variant)
{
    return variant < evaluation->variant_count ? evaluation->variants[variant] : (wl_variant){0};
}

wl_set_score wl_evaluation_score(const wl_evaluation *evaluation, size_t set, size_t variant)
{
    if (set >= evaluation->sets->count || variant >= evaluation->variant_count) return (wl_set_score){NAN, NAN, NAN};
    return evaluation->outcomes[set * evaluation->variant_count + variant].score;
}

double wl_evaluation_mean(const wl_evaluation *evaluation, const char *group, size_t variant)
{
    wl_group_range at = {0};
    double total = 0, groups = 0;
    while (wl_next_group(evaluation->sets, &at)) {
        double sum = 0;
        if (group ? strcmp(at.name, group) != 0 : !at.counts) continue;
        for (size_t i = at.begin; i < at.end; i++) sum += wl_evaluation_score(evaluation, i, variant).score;
        total += sum / (double)(at.end - at.begin);
        groups++;
    }
    return groups > 0 ? total / groups : NAN;
}
