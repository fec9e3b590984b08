/* A set in one variant: from the vectors of its texts to an outcome. */
#ifndef WL_EVAL_TASKS_H
#define WL_EVAL_TASKS_H

#include "eval/evaluation.h"
#include "text/context.h"

/* The texts of a set as a variant sees them. */
typedef struct wl_view {
    const wl_set *set;
    wl_vectors rows; /* (texts, dim): floats cut to the variant's dimensions, or BITS */
    float *unit;     /* (texts, dim): the same at unit length, signs being +-1; where the task needs it, else NULL */
} wl_view;

/* Whether a task takes unit rows. */
bool wl_task_needs_unit(wl_task task);

typedef struct wl_task_run {
    wl_context *context;
    uint32_t seed;        /* of clustering */
    wl_progress progress; /* NULL: none; called for its answer alone */
    void *user;
    uint64_t done; /* what progress is told */
} wl_task_run;

/* Fills what resampling needs, and the recall and map of RETRIEVAL; the rest of the score stays. The outcome, zeroed
 * before, belongs to the caller, after a failure too. */
wl_status wl_task_score(const wl_view *view, const wl_task_run *run, wl_outcome *outcome, wl_error *error);

#endif
