/* L-BFGS (Liu and Nocedal, Math. Programming 45, 1989) as Nocedal and Wright have it (Numerical Optimization, 2nd
 * edition, 2006): algorithm 7.5, with the two-loop recursion 7.4 for the direction and the line search 3.5 and 3.6 for
 * the strong Wolfe conditions.
 *
 * Values that come from single precision have errors, larger than what a step gains near the minimum. So values are
 * compared up to their noise, as if they were lower by it (Xie, Byrd and Nocedal, SIAM J. Optim. 30, 2020), and where
 * they cannot tell, the slopes decide, which stay exact for longer. */
#include "eval/lbfgs.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MEMORY = 10, MOST_EVALUATIONS = 30 };

static const double sufficient = 1e-4, curvature = 0.9; /* c1 and c2 of the Wolfe conditions */

typedef struct search {
    const wl_lbfgs_options *options;
    size_t size;
    double *x, *gradient;      /* of the last evaluation */
    double *from, *before;     /* x and gradient where the step begins */
    double *direction;         /* of the step */
    double *steps, *changes;   /* (MEMORY, size), of x and of the gradient: s and y */
    double products[MEMORY];   /* s.y */
    size_t pair_count, newest; /* how many are kept; where the last of them is */
} search;

/* A point on the line. */
typedef struct point {
    double step, value, slope;
} point;

static double dot(const double *a, const double *b, size_t size)
{
    double sum = 0;
    for (size_t i = 0; i < size; i++) sum += a[i] * b[i];
    return sum;
}

static void add(double *to, double factor, const double *a, size_t size)
{
    for (size_t i = 0; i < size; i++) to[i] += factor * a[i];
}

static double largest(const double *numbers, size_t size)
{
    double most = 0;
    for (size_t i = 0; i < size; i++) most = fmax(most, fabs(numbers[i]));
    return most;
}

/* ---- the line search --------------------------------------------------------------------------------------------- */

static point evaluate(search *this, double step)
{
    memcpy(this->x, this->from, this->size * sizeof *this->x);
    add(this->x, step, this->direction, this->size);
    double value = this->options->function(this->options->user, this->x, this->gradient);
    return (point){step, value, dot(this->gradient, this->direction, this->size)};
}

/* A step between two points: the minimum of the cubic through their values and slopes (3.59), or the middle where that
 * is near an end or there is none. */
static double interpolate(point a, point b)
{
    double width = b.step - a.step, middle = a.step + 0.5 * width;
    double d1 = a.slope + b.slope - 3 * (b.value - a.value) / width;
    double square = d1 * d1 - a.slope * b.slope;
    if (!(square >= 0)) return middle;
    double d2 = copysign(sqrt(square), width);
    double part = 1 - (b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2);
    return part > 0.1 && part < 0.9 ? a.step + part * width : middle;
}

/* Goes along the direction until the strong Wolfe conditions hold at x; false: nowhere. low is the lowest point so far,
 * high the other end of the interval in which the step lies, infinitely far at first. */
static bool search_line(search *this, point start, double step, double noise, point *found)
{
    point low = start, high = {INFINITY, INFINITY, INFINITY};
    for (int i = 0; i < MOST_EVALUATIONS; i++) {
        point here = evaluate(this, step);
        bool falls = here.value <= start.value + sufficient * step * start.slope + noise;
        if (!falls || here.value > low.value + noise)
            high = here;
        else if (fabs(here.slope) <= -curvature * start.slope) {
            *found = here;
            return true;
        } else {
            if (here.slope * (high.step - low.step) >= 0) high = low;
            low = here;
        }
        step = isinf(high.step) ? 4 * step : interpolate(low, high);
    }
    return false;
}

/* ---- directions -------------------------------------------------------------------------------------------------- */

/* Of the kept pairs, the one that came `age` before the newest. */
static size_t place_of(const search *this, size_t age)
{
    return (this->newest + MEMORY - age) % MEMORY;
}

/* direction = - H gradient, H being the inverse of the second derivatives as the kept pairs tell it (7.4), from a
 * multiple of the identity (7.20). */
static void choose_direction(search *this)
{
    size_t size = this->size;
    double factors[MEMORY], *direction = this->direction;
    for (size_t i = 0; i < size; i++) direction[i] = -this->gradient[i];
    for (size_t age = 0; age < this->pair_count; age++) {
        size_t at = place_of(this, age);
        factors[at] = dot(this->steps + at * size, direction, size) / this->products[at];
        add(direction, -factors[at], this->changes + at * size, size);
    }
    if (this->pair_count) {
        const double *change = this->changes + this->newest * size;
        double scale = this->products[this->newest] / dot(change, change, size);
        for (size_t i = 0; i < size; i++) direction[i] *= scale;
    }
    for (size_t age = this->pair_count; age-- > 0;) {
        size_t at = place_of(this, age);
        double factor = dot(this->changes + at * size, direction, size) / this->products[at];
        add(direction, factors[at] - factor, this->steps + at * size, size);
    }
}

/* Keeps what the step to x tells, unless the gradient did not change along it by more than rounding. */
static void remember(search *this)
{
    size_t at = (this->newest + 1) % MEMORY, size = this->size;
    double *step = this->steps + at * size, *change = this->changes + at * size;
    for (size_t i = 0; i < size; i++) {
        step[i] = this->x[i] - this->from[i];
        change[i] = this->gradient[i] - this->before[i];
    }
    double product = dot(step, change, size);
    if (this->pair_count == MEMORY) this->pair_count--; /* the oldest made room */
    if (!(product > DBL_EPSILON * dot(change, change, size))) return;
    this->products[at] = product;
    this->newest = at;
    this->pair_count++;
}

/* ---- iterations -------------------------------------------------------------------------------------------------- */

/* One step. False: no lower value was found, and x and gradient are as before. */
static bool advance(search *this, double *value)
{
    size_t size = this->size;
    double noise = this->options->noise * fmax(fabs(*value), 1);
    memcpy(this->from, this->x, size * sizeof *this->x);
    memcpy(this->before, this->gradient, size * sizeof *this->gradient);
    for (;;) {
        choose_direction(this);
        point start = {0, *value, dot(this->gradient, this->direction, size)}, found;
        double step = this->pair_count ? 1 : fmin(1, 1 / sqrt(-start.slope));
        if (start.slope < 0 && search_line(this, start, step, noise, &found)) {
            *value = found.value;
            return true;
        }
        memcpy(this->x, this->from, size * sizeof *this->x);
        memcpy(this->gradient, this->before, size * sizeof *this->gradient);
        if (!this->pair_count) return false;
        this->pair_count = 0; /* once more along the gradient itself */
    }
}

static bool is_flat(const search *this)
{
    return largest(this->gradient, this->size) <= this->options->tolerance;
}

/* Whether a step gained next to nothing. */
static bool is_vain(const search *this, double before, double after)
{
    double scale = fmax(fmax(fabs(before), fabs(after)), 1);
    return this->options->noise == 0 && before - after <= this->options->reduction * scale;
}

static wl_status iterate(search *this, wl_lbfgs_result *result, wl_error *error)
{
    const wl_lbfgs_options *options = this->options;
    *result = (wl_lbfgs_result){.value = options->function(options->user, this->x, this->gradient)};
    if (!isfinite(result->value) || !isfinite(dot(this->gradient, this->gradient, this->size)))
        return wl_fail(error, WL_ERROR_ARGUMENT, "the function to minimize is not finite where it begins");
    result->converged = is_flat(this);
    while (!result->converged && result->iterations < options->most_iterations) {
        double before = result->value;
        if (!advance(this, &result->value)) {
            result->converged = true;
            break;
        }
        remember(this);
        result->iterations++;
        result->converged = is_flat(this) || is_vain(this, before, result->value);
        if (options->progress && !options->progress(options->progress_user, result->iterations, 0))
            return wl_fail(error, WL_ERROR_CANCELLED, "cancelled");
    }
    return WL_OK;
}

wl_status wl_lbfgs(const wl_lbfgs_options *options, double *x, size_t size, wl_lbfgs_result *result, wl_error *error)
{
    double *numbers = wl_allocate(size, (4 + 2 * MEMORY) * sizeof *numbers, error);
    if (!numbers) return error->code;
    search this = {
        .options = options,
        .size = size,
        .x = x,
        .gradient = numbers,
        .from = numbers + size,
        .before = numbers + 2 * size,
        .direction = numbers + 3 * size,
        .steps = numbers + 4 * size,
        .changes = numbers + (4 + MEMORY) * size,
    };
    wl_status status = iterate(&this, result, error);
    free(numbers);
    return status;
}
