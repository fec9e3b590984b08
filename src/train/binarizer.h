/* Signs in place of numbers, and slopes that go through them: the straight-through estimators of the reference. */
#ifndef WL_TRAIN_BINARIZER_H
#define WL_TRAIN_BINARIZER_H

#include <stddef.h>

typedef enum wl_binarizer {
    WL_BINARIZE_NONE,       /* the numbers themselves, the slopes as they are */
    WL_BINARIZE_STE,        /* slope passes where |x| <= 1 */
    WL_BINARIZE_TANH,       /* times 1 - tanh(x)^2 */
    WL_BINARIZE_RESTE,      /* ReSTE (Wu et al. 2023): o = 1, t = 1.5: passes where |x| <= 1.5 */
    WL_BINARIZE_STOCHASTIC, /* another name of STE: the reference draws nothing */
} wl_binarizer;

/* out[i] = sign of values[i]: 1, -1, or 0 for 0 as the reference has it. NaN stays NaN. */
void wl_binarize_forward(wl_binarizer kind, const float *values, size_t count, float *out);
/* slopes[i] of out become those of values. */
void wl_binarize_backward(wl_binarizer kind, const float *values, size_t count, float *slopes);

#endif
