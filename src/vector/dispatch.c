#include <stdatomic.h>

#include "vector/kernels.h"

static const wl_kernels *kernels_of(wl_cpu cpu)
{
    switch (cpu) {
#if WL_X86_KERNELS
    case WL_CPU_AVX512VNNI:
        return &wl_kernels_avx512vnni;
    case WL_CPU_AVX512:
        return &wl_kernels_avx512;
    case WL_CPU_AVX2:
        return &wl_kernels_avx2;
#elif WL_ARM_KERNELS
    case WL_CPU_NEON:
        return &wl_kernels_neon;
#endif
    default:
        return &wl_kernels_generic;
    }
}

const wl_kernels *wl_kernels_best(void)
{
    /* With the count of opened tokenizers, the only global state of the library. Two threads may both find it empty:
     * they store the same pointer. */
    static _Atomic(const wl_kernels *) chosen;
    const wl_kernels *kernels = atomic_load_explicit(&chosen, memory_order_acquire);
    if (kernels) return kernels;
    kernels = kernels_of(wl_cpu_detect());
    atomic_store_explicit(&chosen, kernels, memory_order_release);
    return kernels;
}

wl_sum_kernel *wl_sum_kernel_of(const wl_kernels *kernels, wl_dtype dtype)
{
    switch (dtype) {
    case WL_F32:
        return kernels->sum_f32;
    case WL_F16:
        return kernels->sum_f16;
    case WL_BF16:
        return kernels->sum_bf16;
    case WL_I8:
        return kernels->sum_i8;
    default:
        return NULL;
    }
}

wl_dots_kernel *wl_dots_kernel_of(const wl_kernels *kernels, wl_dtype dtype)
{
    switch (dtype) {
    case WL_F32:
        return kernels->dots_f32;
    case WL_F16:
        return kernels->dots_f16;
    case WL_BF16:
        return kernels->dots_bf16;
    case WL_I8:
        return kernels->dots_i8;
    default:
        return NULL;
    }
}

const char *wl_cpu_name(void)
{
    return wl_kernels_best()->name;
}
