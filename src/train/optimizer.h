/* AdamW (Loshchilov and Hutter 2019) as torch.optim.AdamW does it, with schedules, clipping and averaging. For sparse
 * parameters only the touched rows move (torch.optim.SparseAdam's rule; decay on the touched rows). */
#ifndef WL_TRAIN_OPTIMIZER_H
#define WL_TRAIN_OPTIMIZER_H

#include "base/parallel.h"
#include "train/parameters.h"

typedef enum wl_schedule { WL_SCHEDULE_LINEAR, WL_SCHEDULE_COSINE, WL_SCHEDULE_CONSTANT } wl_schedule;

typedef struct wl_optimizer_options {
    double rate, beta1, beta2, epsilon, decay;
    double clip;    /* largest norm of all slopes together; 0: none */
    double average; /* decay of the exponential moving average of the values; 0: none. Begins with the first step's. */
    wl_schedule schedule;
    uint64_t warm_up, steps; /* of the schedule: rises from 0 over warm_up steps, then falls to 0 at steps */
} wl_optimizer_options;

typedef struct wl_optimizer wl_optimizer;

/* Keeps moments (and averages) for the parameters, which stay with the caller, as does the list of them. NULL on
 * failure; WL_ERROR_ARGUMENT: a rate, beta or decay that cannot be. */
wl_optimizer *wl_optimizer_create(const wl_parameters *parameters, const wl_optimizer_options *options,
                                  wl_error *error);
void wl_optimizer_free(wl_optimizer *optimizer);
/* The rate of a step, from 0: what transformers' get_linear_schedule_with_warmup and its cosine give. */
double wl_schedule_rate(const wl_optimizer_options *options, uint64_t step);
/* Moves the values by their slopes, which stay as they are. *norm: of all slopes before clipping. WL_ERROR_FORMAT,
 * naming the parameter: a slope is not finite; nothing has moved then. Same bits for any number of threads. */
wl_status wl_optimizer_step(wl_optimizer *optimizer, wl_pool *pool, double *norm, wl_error *error);
uint64_t wl_optimizer_steps(const wl_optimizer *optimizer);
/* Exchanges the values and their averages (to evaluate or save these); again: back. Nothing without averaging, or
 * before the first step. */
void wl_optimizer_swap_averages(wl_optimizer *optimizer);
/* What a checkpoint holds: per parameter its first and second moments and average (NULL: none), (rows, columns) each,
 * which may be read and written; and the number of steps. */
typedef struct wl_adam_moments {
    float *first, *second, *average;
} wl_adam_moments;
wl_adam_moments wl_optimizer_moments(wl_optimizer *optimizer, size_t parameter);
void wl_optimizer_set_steps(wl_optimizer *optimizer, uint64_t steps);

#endif
