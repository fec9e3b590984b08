/* One pass over the slopes for their norm, which also finds what is not finite, and one that does all the rest: reads
 * value, slope and two moments and writes three of them, 28 bytes a number (36 with averages). It is memory that bounds
 * it.
 *
 * Numbers go in runs: of a fixed length, or a touched row. A work item is one run or some rows; sums of the items are
 * added in order. */
#include "train/optimizer.h"

#include <math.h>
#include <stdlib.h>

#include "train/loops.h"

enum { RUN = 16384, LINE = 16 };

struct wl_optimizer {
    const wl_parameters *parameters;
    wl_optimizer_options options;
    uint64_t steps;
    wl_adam_moments moments[WL_MOST_PARAMETERS];
    double *squares; /* for each item of the parameter that has the most */
};

/* What a step is, for the numbers of one parameter. */
typedef struct move {
    const wl_parameter *parameter;
    const wl_loops *loops;
    wl_adam_moments moments;
    double *squares;
    wl_adam_move rule;
    float average; /* how far averages go to the values: 1 at the first step */
} move;

/* ---- runs -------------------------------------------------------------------------------------------------------- */

typedef struct range {
    size_t first, count;
} range;

static size_t size_of(const wl_parameter *parameter)
{
    return parameter->rows * parameter->columns;
}

static size_t runs_of(const wl_parameter *parameter)
{
    return parameter->sparse ? parameter->touched_count : (size_of(parameter) + RUN - 1) / RUN;
}

static range numbers_of(const wl_parameter *parameter, size_t run)
{
    if (parameter->sparse) return (range){parameter->touched[run] * parameter->columns, parameter->columns};
    size_t left = size_of(parameter) - run * RUN;
    return (range){run * RUN, left < RUN ? left : RUN};
}

static size_t runs_per_item(const wl_parameter *parameter)
{
    return parameter->sparse && parameter->columns < RUN ? RUN / parameter->columns : 1;
}

static size_t items_of(const wl_parameter *parameter)
{
    size_t runs = runs_per_item(parameter);
    return (runs_of(parameter) + runs - 1) / runs;
}

static range runs_at(const wl_parameter *parameter, size_t item)
{
    size_t runs = runs_per_item(parameter), left = runs_of(parameter) - item * runs;
    return (range){item * runs, left < runs ? left : runs};
}

/* ---- making one -------------------------------------------------------------------------------------------------- */

static wl_status check(const wl_optimizer_options *options, wl_error *error)
{
    if (!(options->rate >= 0 && options->epsilon >= 0 && options->decay >= 0 && options->clip >= 0) ||
        !(options->beta1 >= 0 && options->beta1 < 1 && options->beta2 >= 0 && options->beta2 < 1) ||
        !(options->average >= 0 && options->average < 1))
        return wl_fail(
            error, WL_ERROR_ARGUMENT,
            "rate %g, betas %g and %g, epsilon %g, decay %g, clip %g, average %g: expected none below 0, and "
            "betas and average below 1",
            options->rate, options->beta1, options->beta2, options->epsilon, options->decay, options->clip,
            options->average);
    return WL_OK;
}

wl_optimizer *wl_optimizer_create(const wl_parameters *parameters, const wl_optimizer_options *options, wl_error *error)
{
    if (check(options, error)) return NULL;
    wl_optimizer *optimizer = wl_allocate(1, sizeof *optimizer, error);
    if (!optimizer) return NULL;
    optimizer->parameters = parameters;
    optimizer->options = *options;
    size_t most = 0;
    for (size_t i = 0; i < parameters->count; i++) {
        const wl_parameter *parameter = &parameters->items[i];
        size_t size = size_of(parameter) * sizeof(float), runs = size_of(parameter) / RUN + 1;
        if (parameter->sparse) runs = parameter->rows / runs_per_item(parameter) + 1;
        if (runs > most) most = runs;
        wl_adam_moments *moments = &optimizer->moments[i];
        moments->first = wl_pages_allocate(size, error);
        moments->second = moments->first ? wl_pages_allocate(size, error) : NULL;
        if (moments->second && options->average > 0) moments->average = wl_pages_allocate(size, error);
        if (!moments->second || (options->average > 0 && !moments->average)) {
            wl_optimizer_free(optimizer);
            return NULL;
        }
    }
    optimizer->squares = wl_allocate(most, sizeof *optimizer->squares, error);
    if (optimizer->squares) return optimizer;
    wl_optimizer_free(optimizer);
    return NULL;
}

void wl_optimizer_free(wl_optimizer *optimizer)
{
    if (!optimizer) return;
    for (size_t i = 0; i < optimizer->parameters->count; i++) {
        size_t size = size_of(&optimizer->parameters->items[i]) * sizeof(float);
        wl_pages_free(optimizer->moments[i].first, size);
        wl_pages_free(optimizer->moments[i].second, size);
        wl_pages_free(optimizer->moments[i].average, size);
    }
    free(optimizer->squares);
    free(optimizer);
}

/* ---- a step ------------------------------------------------------------------------------------------------------ */

static void square_item(void *user, uint32_t worker, size_t item)
{
    (void)worker;
    const move *this = user;
    range runs = runs_at(this->parameter, item);
    double sum = 0;
    for (size_t run = runs.first; run < runs.first + runs.count; run++) {
        range numbers = numbers_of(this->parameter, run);
        sum += this->loops->sum_squares(this->parameter->slopes + numbers.first, numbers.count);
    }
    this->squares[item] = sum;
}

static void average_numbers(float share, const float *restrict values, float *restrict averages, size_t count)
{
    for (size_t i = 0; i < count; i++) averages[i] += share * (values[i] - averages[i]);
}

/* Touched rows lie apart, so that the processor does not see the next one coming. */
static void fetch_ahead(const move *this, range at)
{
    for (size_t i = at.first; i < at.first + at.count; i += LINE) {
        __builtin_prefetch(this->parameter->slopes + i);
        __builtin_prefetch(this->parameter->values + i, 1);
        __builtin_prefetch(this->moments.first + i, 1);
        __builtin_prefetch(this->moments.second + i, 1);
    }
}

static void move_item(void *user, uint32_t worker, size_t item)
{
    (void)worker;
    const move *this = user;
    const wl_parameter *parameter = this->parameter;
    range runs = runs_at(parameter, item);
    for (size_t run = runs.first; run < runs.first + runs.count; run++) {
        range at = numbers_of(parameter, run);
        if (run + 1 < runs.first + runs.count) fetch_ahead(this, numbers_of(parameter, run + 1));
        this->loops->move(&this->rule, parameter->slopes + at.first, parameter->values + at.first,
                          this->moments.first + at.first, this->moments.second + at.first, at.count);
        if (this->moments.average && !parameter->sparse)
            average_numbers(this->average, parameter->values + at.first, this->moments.average + at.first, at.count);
    }
}

/* Rows that were not touched have averages that move all the same. */
static void average_item(void *user, uint32_t worker, size_t item)
{
    (void)worker;
    const move *this = user;
    size_t first = item * RUN, left = size_of(this->parameter) - first;
    average_numbers(this->average, this->parameter->values + first, this->moments.average + first,
                    left < RUN ? left : RUN);
}

/* The norm of all slopes; fails where one is not finite: the sum cannot overflow. */
static wl_status find_norm(wl_optimizer *optimizer, wl_pool *pool, double *norm, wl_error *error)
{
    double all = 0;
    for (size_t i = 0; i < optimizer->parameters->count; i++) {
        const wl_parameter *parameter = &optimizer->parameters->items[i];
        move square = {.parameter = parameter, .loops = wl_loops_best(), .squares = optimizer->squares};
        wl_pool_run(pool, items_of(parameter), square_item, &square);
        double sum = 0;
        for (size_t item = 0; item < items_of(parameter); item++) sum += optimizer->squares[item];
        if (!isfinite(sum))
            return wl_fail(error, WL_ERROR_FORMAT, "slopes of %s are not finite in step %llu", parameter->name,
                           (unsigned long long)optimizer->steps + 1);
        all += sum;
    }
    *norm = sqrt(all);
    return WL_OK;
}

/* torch.optim.AdamW and SparseAdam differ in where the second moment's correction goes: below epsilon, or beside the
 * rate. */
static move move_of(const wl_optimizer *optimizer, size_t number, double norm)
{
    const wl_optimizer_options *options = &optimizer->options;
    const wl_parameter *parameter = &optimizer->parameters->items[number];
    double rate = wl_schedule_rate(options, optimizer->steps), step = (double)optimizer->steps + 1;
    double correction1 = 1 - pow(options->beta1, step), correction2 = sqrt(1 - pow(options->beta2, step));
    double clip = options->clip > 0 ? options->clip / (norm + 1e-6) : 1;
    return (move){
        .parameter = parameter,
        .loops = wl_loops_best(),
        .moments = optimizer->moments[number],
        .rule = {.clip = clip < 1 ? (float)clip : 1,
                 .keep = parameter->kept ? 1 : (float)(1 - rate * options->decay),
                 .rise1 = (float)(1 - options->beta1),
                 .keep2 = (float)options->beta2,
                 .rise2 = (float)(1 - options->beta2),
                 .size = (float)(parameter->sparse ? rate * correction2 / correction1 : rate / correction1),
                 .correction = parameter->sparse ? 1 : (float)correction2,
                 .epsilon = (float)options->epsilon},
        .average = optimizer->steps ? (float)(1 - options->average) : 1,
    };
}

wl_status wl_optimizer_step(wl_optimizer *optimizer, wl_pool *pool, double *norm, wl_error *error)
{
    if (find_norm(optimizer, pool, norm, error)) return error->code;
    for (size_t i = 0; i < optimizer->parameters->count; i++) {
        const wl_parameter *parameter = &optimizer->parameters->items[i];
        move this = move_of(optimizer, i, *norm);
        wl_pool_run(pool, items_of(parameter), move_item, &this);
        if (this.moments.average && parameter->sparse)
            wl_pool_run(pool, (size_of(parameter) + RUN - 1) / RUN, average_item, &this);
    }
    optimizer->steps++;
    return WL_OK;
}

/* ---- what a checkpoint holds ------------------------------------------------------------------------------------- */

uint64_t wl_optimizer_steps(const wl_optimizer *optimizer)
{
    return optimizer->steps;
}

void wl_optimizer_set_steps(wl_optimizer *optimizer, uint64_t steps)
{
    optimizer->steps = steps;
}

wl_adam_moments wl_optimizer_moments(wl_optimizer *optimizer, size_t parameter)
{
    return optimizer->moments[parameter];
}

void wl_optimizer_swap_averages(wl_optimizer *optimizer)
{
    if (optimizer->steps == 0) return;
    for (size_t i = 0; i < optimizer->parameters->count; i++) {
        const wl_parameter *parameter = &optimizer->parameters->items[i];
        float *average = optimizer->moments[i].average;
        for (size_t j = 0; average && j < size_of(parameter); j++) {
            float value = parameter->values[j];
            parameter->values[j] = average[j];
            average[j] = value;
        }
    }
}
