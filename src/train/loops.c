#include "train/loops.h"

#include <stdatomic.h>

#include "base/cpu.h"

static const wl_loops *loops_of(wl_cpu cpu)
{
    switch (cpu) {
#if defined(__x86_64__)
    case WL_CPU_AVX512VNNI:
    case WL_CPU_AVX512:
        return &wl_loops_avx512;
    case WL_CPU_AVX2:
        return &wl_loops_avx2;
#endif
    default: /* with NEON, too, which is the compiler's baseline where it is there */
        return &wl_loops_generic;
    }
}

const wl_loops *wl_loops_best(void)
{
    static _Atomic(const wl_loops *) chosen; /* two threads may both find it empty: they store the same pointer */
    const wl_loops *loops = atomic_load_explicit(&chosen, memory_order_acquire);
    if (loops) return loops;
    loops = loops_of(wl_cpu_detect());
    atomic_store_explicit(&chosen, loops, memory_order_release);
    return loops;
}
