/* Sets and evaluations made by hand. Include in one file of a program. */
#ifndef WL_TEST_EVALUATIONS_H
#define WL_TEST_EVALUATIONS_H

#include "base/random.h"
#include "eval/evaluation.h"
#include "test.h"

typedef struct made_set {
    wl_task task;
    const char *group, *name;
    size_t items;
    uint32_t label_count; /* CLUSTERING */
} made_set;

static void *made(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size);
    if (!memory) abort();
    return memory;
}

static char *made_text(const char *text)
{
    char *copy = made(strlen(text) + 1, 1);
    memcpy(copy, text, strlen(text));
    return copy;
}

/* Sets without texts, with what scores and clusters are compared with. Free with wl_sets_close. */
static wl_sets *make_sets(const made_set *from, size_t count, wl_random *random)
{
    wl_sets *sets = made(1, sizeof *sets);
    sets->sets = made(count, sizeof *sets->sets);
    sets->count = sets->capacity = count;
    for (size_t i = 0; i < count; i++) {
        wl_set *set = &sets->sets[i];
        *set = (wl_set){.task = from[i].task, .items = from[i].items, .label_count = from[i].label_count};
        set->group = made_text(from[i].group);
        set->name = made_text(from[i].name);
        set->numbers = made(set->items, sizeof *set->numbers);
        set->labels = made(set->items, sizeof *set->labels);
        for (size_t j = 0; j < set->items; j++) {
            set->numbers[j] = (double)wl_random_below(random, set->task == WL_TASK_PAIR ? 2 : 6);
            if (set->label_count) set->labels[j] = (uint32_t)wl_random_below(random, set->label_count);
        }
    }
    return sets;
}

/* Right in about the given part of the items, or at least not by chance alone. */
static void make_outcome(const wl_set *set, double skill, wl_outcome *outcome, wl_random *random)
{
    wl_error error;
    double *numbers = made(set->items, sizeof *numbers);
    bool cosines = set->task == WL_TASK_SIMILARITY || set->task == WL_TASK_PAIR;
    outcome->found = made(WL_CLUSTER_SEEDS * set->items, sizeof *outcome->found);
    for (size_t i = 0; i < set->items; i++)
        numbers[i] =
            cosines ? skill * set->numbers[i] + (double)wl_random_below(random, 8) : wl_random_unit(random) < skill;
    for (size_t i = 0; i < WL_CLUSTER_SEEDS * set->items && set->label_count; i++)
        outcome->found[i] = wl_random_unit(random) < skill ? set->labels[i % set->items]
                                                           : (uint32_t)wl_random_below(random, set->label_count);
    if (!cosines)
        outcome->values = numbers;
    else if (wl_ranking_create(&outcome->cosines, numbers, set->items, &error))
        abort();
    if (cosines) free(numbers);
}

/* One outcome a set, or with several variants a set's outcomes side by side. Free with wl_evaluation_free. */
static wl_evaluation *make_evaluation(const wl_sets *sets, const wl_variant *variants, size_t count, double skill,
                                      wl_random *random)
{
    wl_error error;
    wl_evaluation *evaluation = made(1, sizeof *evaluation);
    *evaluation = (wl_evaluation){.sets = sets, .variant_count = count};
    evaluation->variants = made(count, sizeof *variants);
    memcpy(evaluation->variants, variants, count * sizeof *variants);
    evaluation->truths = made(sets->count, sizeof *evaluation->truths);
    evaluation->outcomes = made(sets->count * count, sizeof *evaluation->outcomes);
    double *scratch = made(wl_outcome_scratch(evaluation), sizeof *scratch);
    for (size_t i = 0; i < sets->count; i++) {
        const wl_set *set = &sets->sets[i];
        wl_truth *truth = &evaluation->truths[i];
        if (wl_ranking_create(&truth->scores, set->numbers, set->items, &error)) abort();
        truth->together = made(set->items, sizeof *truth->together);
        for (size_t j = 0; j < set->items; j++) truth->together[j] = set->numbers[j] > 0;
        for (size_t j = 0; j < count; j++) {
            wl_outcome *outcome = &evaluation->outcomes[i * count + j];
            make_outcome(set, skill, outcome, random);
            outcome->score.score = wl_outcome_score(evaluation, i, outcome, NULL, scratch);
        }
    }
    free(scratch);
    return evaluation;
}

#endif
