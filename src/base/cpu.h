/* Which instruction sets the processor and the operating system allow. */
#ifndef WL_BASE_CPU_H
#define WL_BASE_CPU_H

/* Ascending: each holds the ones before it that its architecture has. */
typedef enum wl_cpu {
    WL_CPU_GENERIC,    /* the compiler's baseline: x86-64 v1, or any other processor */
    WL_CPU_AVX2,       /* AVX2, F16C, FMA, BMI2, POPCNT */
    WL_CPU_AVX512,     /* the above and AVX-512 F, BW, DQ, VL */
    WL_CPU_AVX512VNNI, /* the above and AVX-512 VNNI, VPOPCNTDQ: Ice Lake, Zen 4 and later */
    WL_CPU_NEON,       /* AArch64: always there */
} wl_cpu;

/* What the machine has, lowered by WORDLLAMA_CPU=generic|avx2|avx512|avx512vnni, or generic|neon. Detects anew at each
 * call: callers keep it. */
wl_cpu wl_cpu_detect(void);

#endif
