/* What processors with AVX-512 VNNI and VPOPCNTDQ do faster: bytes at four times the rate of floats, and counting bits
 * 64 bytes at a time. Products of BF16 (vdpbf16ps: twice the rate of floats on Zen 4) and of FP16 are left alone: every
 * processor that has them has VNNI, whose bytes are twice as fast again. */
#include <immintrin.h>
#include <string.h>

#include "vector/screen_avx512.h"

static inline __attribute__((always_inline)) __m512i screen_step(enum screen_kind kind, __m512i sums, __m512i rows,
                                                                 __m512i group)
{
    if (kind == SCREEN_BYTES) return _mm512_dpbusd_epi32(sums, rows, group);
    return _mm512_add_epi32(sums, _mm512_popcnt_epi32(_mm512_xor_si512(rows, group)));
}

size_t wl_screen_bytes_vnni(const wl_panel *panel, size_t begin, size_t end, const wl_tile *tile, wl_hit *hits)
{
    return screen(SCREEN_BYTES, panel, begin, end, tile, hits);
}

size_t wl_screen_bits_vpopcntdq(const wl_panel *panel, size_t begin, size_t end, const wl_tile *tile, wl_hit *hits)
{
    return screen(SCREEN_BITS, panel, begin, end, tile, hits);
}

uint64_t wl_hamming_vpopcntdq(const uint8_t *a, const uint8_t *b, size_t size)
{
    __m512i sums = _mm512_setzero_si512();
    for (size_t at = 0; at < size; at += 64) {
        __mmask64 bytes = size - at < 64 ? (UINT64_C(1) << (size - at)) - 1 : UINT64_MAX;
        __m512i x = _mm512_maskz_loadu_epi8(bytes, a + at), y = _mm512_maskz_loadu_epi8(bytes, b + at);
        sums = _mm512_add_epi64(sums, _mm512_popcnt_epi64(_mm512_xor_si512(x, y)));
    }
    return (uint64_t)_mm512_reduce_add_epi64(sums);
}
