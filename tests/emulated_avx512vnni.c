/* The kernels of AVX-512 VNNI and VPOPCNTDQ, emulated, for test_vector_avx512: a file of their own because both sets
 * define the step of a screen. */
#include "emulate_avx512.h"

#define wl_screen_bytes_vnni     emulated_screen_bytes
#define wl_screen_bits_vpopcntdq emulated_screen_bits
#define wl_hamming_vpopcntdq     emulated_hamming
#include "vector/kernels_avx512vnni.c"
