/* Which instruction sets the processor and the operating system allow. */
#ifndef WL_BASE_CPU_H
#define WL_BASE_CPU_H

/* Ascending: each holds the ones before it. */
typedef enum wl_cpu {
    WL_CPU_GENERIC, /* the compiler's baseline: x86-64 v1, or any other processor */
    WL_CPU_AVX2,    /* AVX2, F16C, FMA, BMI2 */
    WL_CPU_AVX512,  /* the above and AVX-512 F, BW, DQ, VL */
} wl_cpu;

/* What the machine has, lowered by WORDLLAMA_CPU=generic|avx2|avx512. Detects anew at each call: callers keep it. */
wl_cpu wl_cpu_detect(void);

#endif
