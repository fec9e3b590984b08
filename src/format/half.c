#include "format/half.h"

void wl_f32_to_f16_array(const float *in, size_t count, uint16_t *out)
{
    for (size_t i = 0; i < count; i++) out[i] = wl_f32_to_f16(in[i]);
}

void wl_f32_to_bf16_array(const float *in, size_t count, uint16_t *out)
{
    for (size_t i = 0; i < count; i++) out[i] = wl_f32_to_bf16(in[i]);
}
