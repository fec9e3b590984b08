/* The inner loops, one set for each instruction set, chosen once.
 *
 * Lanes are dimensions: every lane adds its own column in token order, so all sets give the same bits. Products of the
 * weights are rounded before they are added (no fused multiply-add), as NumPy, the reference, does it. */
#ifndef WL_VECTOR_KERNELS_H
#define WL_VECTOR_KERNELS_H

#include "base/cpu.h"
#include "format/safetensors.h"

/* sum[0..dim) = sum over i < count, in order, of weights[i] * row rows[i] of the table, in F32. The rows have stride
 * bytes; they may be unaligned. weights NULL: all 1. The caller has checked every row. */
typedef void wl_sum_kernel(const char *table, size_t stride, const uint32_t *rows, const float *weights, size_t count,
                           size_t dim, float *sum);

typedef struct wl_kernels {
    const char *name;
    wl_sum_kernel *sum_f32, *sum_f16, *sum_bf16, *sum_i8;
} wl_kernels;

extern const wl_kernels wl_kernels_generic; /* plain C, the oracle of the others */
/* Left out with -DWL_PLAIN_KERNELS, for a build without flags for each file. */
#if defined(__x86_64__) && !defined(WL_PLAIN_KERNELS)
#define WL_X86_KERNELS 1
extern const wl_kernels wl_kernels_avx2, wl_kernels_avx512;
#endif

/* The best set for this machine and WORDLLAMA_CPU; any thread, any time. */
const wl_kernels *wl_kernels_best(void);
/* The kernel of a table's type: F32, F16, BF16 or I8; NULL for another. */
wl_sum_kernel *wl_sum_kernel_of(const wl_kernels *kernels, wl_dtype dtype);

#endif
