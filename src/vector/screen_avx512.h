/* The screen of AVX-512, for the two files that differ in the instructions of a step. Eight queries times three blocks
 * of 16 rows: 24 registers of sums, three of rows, one query's group spread over all lanes. A row is loaded once for
 * eight queries, so the multipliers are what limits it. */
#ifndef WL_VECTOR_SCREEN_AVX512_H
#define WL_VECTOR_SCREEN_AVX512_H

#include "vector/kernels.h"

enum screen_kind { SCREEN_FLOATS, SCREEN_BYTES, SCREEN_BITS };
enum { SCREEN_BLOCKS = 3 };

/* sums + rows * group, defined by the file that includes this one. Registers hold floats as their bits. */
static inline __attribute__((always_inline)) __m512i screen_step(enum screen_kind kind, __m512i sums, __m512i rows,
                                                                 __m512i group);

/* The sums of eight queries and BLOCKS blocks. Loops over registers are unrolled whole, or the compiler would keep the
 * registers in memory; what is indexed by a variable afterwards is their copy. */
static inline __attribute__((always_inline)) void screen_sums(enum screen_kind kind, size_t blocks,
                                                              const wl_panel *panel, size_t block, const wl_tile *tile,
                                                              __m512i *out)
{
    size_t depth = panel->depth;
    const int32_t *queries = tile->groups;
    const int32_t *rows = (const int32_t *)panel->groups + block * depth * WL_PANEL_LANES;
    __m512i sums[WL_TILE_QUERIES][SCREEN_BLOCKS], row[SCREEN_BLOCKS];
#pragma GCC unroll 8
    for (size_t q = 0; q < WL_TILE_QUERIES; q++)
#pragma GCC unroll 3
        for (size_t b = 0; b < blocks; b++)
            sums[q][b] = kind == SCREEN_BYTES ? _mm512_set1_epi32(tile->start[q]) : _mm512_setzero_si512();
    for (size_t group = 0; group < depth; group++) {
#pragma GCC unroll 3
        for (size_t b = 0; b < blocks; b++) row[b] = _mm512_load_si512(rows + (b * depth + group) * WL_PANEL_LANES);
#pragma GCC unroll 8
        for (size_t q = 0; q < WL_TILE_QUERIES; q++) {
            __m512i query = _mm512_set1_epi32(queries[q * depth + group]);
#pragma GCC unroll 3
            for (size_t b = 0; b < blocks; b++) sums[q][b] = screen_step(kind, sums[q][b], row[b], query);
        }
    }
#pragma GCC unroll 8
    for (size_t q = 0; q < WL_TILE_QUERIES; q++)
#pragma GCC unroll 3
        for (size_t b = 0; b < blocks; b++) out[q * blocks + b] = sums[q][b];
}

/* The lanes of a query's sums that are above its threshold. Without a rest whole numbers are compared as such. */
static inline __attribute__((always_inline)) unsigned screen_above(enum screen_kind kind, const wl_tile *tile, size_t q,
                                                                   __m512i sums, const float *rest, __m512i whole)
{
    __m512 threshold = _mm512_set1_ps(tile->threshold[q]);
    if (kind != SCREEN_FLOATS && !rest) return _mm512_cmpgt_epi32_mask(sums, whole);
    __m512 score = kind == SCREEN_FLOATS ? _mm512_castsi512_ps(sums) : _mm512_cvtepi32_ps(sums);
    if (rest) score = _mm512_fmadd_ps(_mm512_set1_ps(tile->rest[q]), _mm512_loadu_ps(rest), score);
    return _mm512_cmp_ps_mask(score, threshold, _CMP_GT_OQ);
}

static inline __attribute__((always_inline)) size_t screen_blocks(enum screen_kind kind, size_t blocks,
                                                                  const wl_panel *panel, size_t block,
                                                                  const wl_tile *tile, wl_hit *hits)
{
    __m512i sums[WL_TILE_QUERIES * SCREEN_BLOCKS];
    size_t count = 0;
    screen_sums(kind, blocks, panel, block, tile, sums);
    const float *rest = panel->rest ? panel->rest + block * WL_PANEL_LANES : NULL;
    for (size_t q = 0; q < WL_TILE_QUERIES; q++) {
        __m512i whole = _mm512_set1_epi32(tile->whole[q]);
        uint64_t above = 0;
#pragma GCC unroll 3
        for (size_t b = 0; b < blocks; b++)
            above |= (uint64_t)screen_above(kind, tile, q, sums[q * blocks + b],
                                            rest ? rest + b * WL_PANEL_LANES : NULL, whole)
                     << b * WL_PANEL_LANES;
        uint32_t first = (uint32_t)(block * WL_PANEL_LANES);
        for (; above; above &= above - 1)
            hits[count++] = (wl_hit){(uint32_t)q, first + (uint32_t)__builtin_ctzll(above)};
    }
    return count;
}

static inline __attribute__((always_inline)) size_t screen(enum screen_kind kind, const wl_panel *panel, size_t begin,
                                                           size_t end, const wl_tile *tile, wl_hit *hits)
{
    size_t count = 0;
    for (; begin + SCREEN_BLOCKS <= end; begin += SCREEN_BLOCKS)
        count += screen_blocks(kind, SCREEN_BLOCKS, panel, begin, tile, hits + count);
    for (; begin < end; begin++) count += screen_blocks(kind, 1, panel, begin, tile, hits + count);
    return count;
}

#endif
