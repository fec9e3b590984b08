/* The minimum of a smooth function of many numbers by L-BFGS. */
#ifndef WL_EVAL_LBFGS_H
#define WL_EVAL_LBFGS_H

#include "base/memory.h"

typedef struct wl_lbfgs_options {
    /* The value at x, (size), whose gradient goes to gradient, (size). A value that is not finite is too high. */
    double (*function)(void *user, const double *x, double *gradient);
    void *user;       /* handed to function */
    double tolerance; /* the end: the gradient's largest element is at most this */
    double reduction; /* or a step lowers the value by at most this part of it, or of 1 where it is below; not looked at
                       * with noise, of which such a step would say nothing */
    double noise;     /* rounding error of values, as a part of the same; 0: they are good to the last bits */
    uint32_t most_iterations;
    wl_progress progress; /* NULL: none; told iterations, and 0 */
    void *progress_user;
} wl_lbfgs_options;

typedef struct wl_lbfgs_result {
    double value;
    uint32_t iterations;
    bool converged; /* also where no lower value is found: what is left is rounding */
} wl_lbfgs_result;

/* x: (size), where to begin, then the minimum. WL_ERROR_ARGUMENT where the function is not finite at the beginning.
 * Memory: 24 * size doubles. Cost of an iteration: about 40 * size multiplications, and mostly one evaluation. */
wl_status wl_lbfgs(const wl_lbfgs_options *options, double *x, size_t size, wl_lbfgs_result *result, wl_error *error);

#endif
