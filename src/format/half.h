/* Half-precision numbers: IEEE 754 binary16 and bfloat16, in plain C, exact. */
#ifndef WL_FORMAT_HALF_H
#define WL_FORMAT_HALF_H

#include <stdint.h>

/* A signalling NaN comes out quiet, as from the processors' own conversion. */
float wl_f16_to_f32(uint16_t half);
/* Round to nearest, ties to even; overflow gives infinity, NaN stays NaN. */
uint16_t wl_f32_to_f16(float value);
float wl_bf16_to_f32(uint16_t half);
uint16_t wl_f32_to_bf16(float value);

#endif
