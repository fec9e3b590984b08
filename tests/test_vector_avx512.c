/* The AVX-512 kernels, emulated by SIMDe, against plain C, by the checks of test_vector: for machines without AVX-512.
 */
#if !defined(__x86_64__) || !defined(WL_HAVE_SIMDE)
#include "test.h"

int main(void)
{
    SKIP("emulated avx512 kernels: no SIMDe (simde/x86/avx512.h), or not an x86-64 machine");
    return test_end();
}
#else

#include "emulate_avx512.h"

#define wl_kernels_avx512        emulated_avx512
#define wl_kernels_avx512vnni    emulated_avx512vnni
#define wl_screen_bytes_vnni     emulated_screen_bytes
#define wl_screen_bits_vpopcntdq emulated_screen_bits
#define wl_hamming_vpopcntdq     emulated_hamming
#include "vector/kernels_avx512.c"

#include "kernels.h"

int main(void)
{
    /* What they have from AVX2 may be more than this processor has. */
    wl_kernels avx512 = emulated_avx512, avx512vnni = emulated_avx512vnni;
    avx512.squares = avx512vnni.squares = wl_kernels_generic.squares;
    avx512.binarize = avx512vnni.binarize = wl_kernels_generic.binarize;
    avx512.hamming = wl_kernels_generic.hamming;
    avx512.screen_bits = wl_kernels_generic.screen_bits;
    const wl_kernels *const sets[3] = {&wl_kernels_generic, &avx512, &avx512vnni};
    check_sets(sets, 3);
    return test_end();
}
#endif
