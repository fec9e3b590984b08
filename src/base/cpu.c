#include "base/cpu.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>

/* Feature bits say what the processor can do; XCR0 says which registers the operating system saves. Both are needed:
 * compilers' own test of F16C is missing in some, so the bits are read here. (Intel SDM, vol. 1, 14.3 and 15.2.) */
static wl_cpu machine(void)
{
    enum { OSXSAVE = 1 << 27, FMA = 1 << 12, F16C = 1 << 29, POPCNT = 1 << 23 };
    enum { BMI2 = 1 << 8, AVX2 = 1 << 5, F = 1 << 16, DQ = 1 << 17, BW = 1 << 30 };
    enum { VNNI = 1 << 11, VPOPCNTDQ = 1 << 14 };
    const uint32_t VL = 1u << 31, YMM = 0x6, ZMM = 0xE6;
    uint32_t a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d)) return WL_CPU_GENERIC;
    const uint32_t needed = OSXSAVE | FMA | F16C | POPCNT;
    if ((c & needed) != needed) return WL_CPU_GENERIC;
    uint32_t saved, high;
    __asm__ volatile("xgetbv" : "=a"(saved), "=d"(high) : "c"(0));
    if ((saved & YMM) != YMM || !__get_cpuid_count(7, 0, &a, &b, &c, &d)) return WL_CPU_GENERIC;
    const uint32_t avx2 = AVX2 | BMI2, avx512 = (uint32_t)(F | DQ | BW) | VL;
    if ((b & avx2) != avx2) return WL_CPU_GENERIC;
    if ((b & avx512) != avx512 || (saved & ZMM) != ZMM) return WL_CPU_AVX2;
    const uint32_t more = VNNI | VPOPCNTDQ;
    return (c & more) == more ? WL_CPU_AVX512VNNI : WL_CPU_AVX512;
}
#else
static wl_cpu machine(void)
{
#if defined(__AARCH64EL__)
    return WL_CPU_NEON;
#else
    return WL_CPU_GENERIC;
#endif
}
#endif

wl_cpu wl_cpu_detect(void)
{
    static const struct {
        const char *name;
        wl_cpu cpu;
    } names[] = {
        {"generic", WL_CPU_GENERIC},
#if defined(__x86_64__)
        {"avx2", WL_CPU_AVX2},
        {"avx512", WL_CPU_AVX512},
        {"avx512vnni", WL_CPU_AVX512VNNI},
#elif defined(__AARCH64EL__)
        {"neon", WL_CPU_NEON},
#endif
    };
    wl_cpu best = machine();
    const char *wanted = getenv("WORDLLAMA_CPU");
    for (size_t i = 0; wanted && i < sizeof names / sizeof *names; i++)
        if (strcmp(wanted, names[i].name) == 0 && names[i].cpu < best) return names[i].cpu;
    return best;
}
