/* The loops over numbers in which training spends its time between products: plain C (loops_body.h), compiled once for
 * each instruction set, so that a compiler's vectors are as wide as the processor's. Sums go by fixed lanes and no
 * product is fused with a sum: all sets give the same bits. */
#ifndef WL_TRAIN_LOOPS_H
#define WL_TRAIN_LOOPS_H

#include <stddef.h>
#include <stdint.h>

/* Some pairs of an anchor at one level of the contrastive loss. Sums take at most this many numbers. */
enum { WL_LOOP_RUN = 512 };

typedef struct wl_pair_run {
    size_t count;
    const float *inverses, *penalties; /* (count): 1 / norm of the candidates; 0 or -infinity */
    float inverse, scale;              /* 1 / norm of the anchor; of the cosines */
} wl_pair_run;

/* What a step of AdamW is, for the numbers of one parameter. */
typedef struct wl_adam_move {
    float clip, keep;                /* slopes and values are multiplied by */
    float rise1, keep2, rise2;       /* 1 - beta1; beta2, 1 - beta2 */
    float size, correction, epsilon; /* value -= size * first / (sqrt(second) / correction + epsilon) */
} wl_adam_move;

typedef struct wl_loops {
    /* Adds the products of a slice, (count), to those of the slices before; finds the logits of what they are then,
     * and returns the largest. */
    float (*find_logits)(const wl_pair_run *run, const float *slice, float *products, float *logits);
    /* numbers[i] = factor * exp(numbers[i] - highest), none above; returns the sum. */
    double (*exponentials)(float *numbers, size_t count, float highest, float factor);
    /* Slopes by logit become the coefficients of the other vector, and slopes times cosine, which are added to terms;
     * returns the sum of these. */
    double (*find_coefficients)(const wl_pair_run *run, const float *products, const float *slopes, float *coefficients,
                                float *terms);
    void (*add)(float *to, const float *from, size_t count);
    /* -infinity where a text is either of the two. */
    void (*mask)(const uint64_t *texts, uint64_t a, uint64_t b, float *penalties, size_t count);
    double (*sum_squares)(const float *numbers, size_t count);
    void (*move)(const wl_adam_move *move, const float *slopes, float *values, float *first, float *second,
                 size_t count);
} wl_loops;

extern const wl_loops wl_loops_generic;
#if defined(__x86_64__)
extern const wl_loops wl_loops_avx2, wl_loops_avx512;
#endif

/* The best set for this machine and WORDLLAMA_CPU; any thread, any time. */
const wl_loops *wl_loops_best(void);

#endif
