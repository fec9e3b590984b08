#include "train/token_weights.h"

#include <math.h>

enum { TOKENS = 1024 }; /* of a work item */

typedef struct weight_work {
    const float *w;
    const uint32_t *ids;
    size_t begin, end;
    float *out;
} weight_work;

/* P(normal number < w). erfc keeps the digits of small ones, where 1 + erf would lose them. */
static double below(double w)
{
    const double root_half = 0.70710678118654752440;
    return 0.5 * erfc(-w * root_half);
}

static void weigh(void *user, uint32_t worker, size_t item)
{
    (void)worker;
    const weight_work *this = user;
    for (size_t t = this->begin + item * TOKENS; t < this->end && t < this->begin + (item + 1) * TOKENS; t++) {
        double w = (double)this->w[this->ids[t]];
        this->out[t] = (float)(w * below(w));
    }
}

static void differentiate(void *user, uint32_t worker, size_t item)
{
    (void)worker;
    const weight_work *this = user;
    const double density = 0.39894228040143267794; /* of a normal number, at 0 */
    for (size_t t = this->begin + item * TOKENS; t < this->end && t < this->begin + (item + 1) * TOKENS; t++) {
        double w = (double)this->w[this->ids[t]];
        this->out[t] *= (float)(below(w) + w * density * exp(-0.5 * w * w));
    }
}

void wl_token_weights_forward(const wl_parameter *parameter, wl_pool *pool, const uint32_t *ids, size_t begin,
                              size_t end, float *weights)
{
    weight_work work = {parameter->values, ids, begin, end, weights};
    wl_pool_run(pool, (end - begin + TOKENS - 1) / TOKENS, weigh, &work);
}

void wl_token_weights_backward(const wl_parameter *parameter, wl_pool *pool, const uint32_t *ids, size_t begin,
                               size_t end, float *slopes)
{
    weight_work work = {parameter->values, ids, begin, end, slopes};
    wl_pool_run(pool, (end - begin + TOKENS - 1) / TOKENS, differentiate, &work);
    for (size_t t = begin; t < end; t++) parameter->slopes[ids[t]] += slopes[t];
}
