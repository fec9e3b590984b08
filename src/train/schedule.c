#include <math.h>

#include "train/optimizer.h"

double wl_schedule_rate(const wl_optimizer_options *options, uint64_t step)
{
    const double pi = 3.14159265358979323846;
    if (step < options->warm_up) return options->rate * ((double)step / (double)options->warm_up);
    if (options->schedule == WL_SCHEDULE_CONSTANT) return options->rate;
    uint64_t falling = options->steps > options->warm_up ? options->steps - options->warm_up : 1;
    uint64_t left = options->steps > step ? options->steps - step : 0;
    if (options->schedule == WL_SCHEDULE_LINEAR) return options->rate * ((double)left / (double)falling);
    /* The cosine itself would rise again behind the last step. */
    double done = left ? (double)(step - options->warm_up) / (double)falling : 1;
    return options->rate * (0.5 * (1 + cos(pi * done)));
}
