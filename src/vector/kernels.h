/* The inner loops, one set for each instruction set, chosen once.
 *
 * Four families, each with its own promise:
 * - Sums of table rows. Lanes are dimensions: every lane adds its own column in token order, so all sets give the same
 *   bits. Products of the weights are rounded before they are added (no fused multiply-add), as NumPy, the reference,
 *   does it.
 * - Dot products of table rows and one vector of floats, in F32: sixty-four sums take every sixty-fourth element each
 * and are folded by halves, products rounded first as above. The same bits in all sets.
 * - Dot products of two vectors. Elements are widened to F64, where their products are exact; sixteen sums take every
 *   sixteenth element each and are folded by halves. The same bits in all sets.
 * - Screens: many queries against many rows at the speed of the hardware, in whatever arithmetic is fastest. They
 *   only leave pairs out; what they cannot leave out is decided by a dot product. So their bits may differ. */
#ifndef WL_VECTOR_KERNELS_H
#define WL_VECTOR_KERNELS_H

#include "base/cpu.h"
#include "format/safetensors.h"

/* sum[0..dim) = sum over i < count, in order, of weights[i] * row rows[i] of the table, in F32. The rows have stride
 * bytes; they may be unaligned. weights NULL: all 1. The caller has checked every row. */
typedef void wl_sum_kernel(const char *table, size_t stride, const uint32_t *rows, const float *weights, size_t count,
                           size_t dim, float *sum);

/* dots[i] = row rows[i] of the table times vector, (dim), for i < count. The table as above. */
typedef void wl_dots_kernel(const char *table, size_t stride, const uint32_t *rows, size_t count, const float *vector,
                            size_t dim, float *dots);

enum { WL_DOTS_LANES = 64 };

/* What dot kernels find of two vectors. */
typedef struct wl_products {
    double ab, bb;
} wl_products;

/* Of vectors of dim elements of one kind, unaligned allowed. */
typedef struct wl_pair_kernels {
    double (*dot)(const void *a, const void *b, size_t dim);
    wl_products (*products)(const void *a, const void *b, size_t dim); /* both in one pass over b */
    double (*squared_distance)(const void *a, const void *b, size_t dim);
} wl_pair_kernels;

/* The same of floats in single precision, in any order of summation: a first look, of which wl_rough_bound tells what
 * it proves. */
typedef struct wl_rough {
    float ab, bb;
} wl_rough;

typedef wl_rough wl_rough_kernel(const float *a, const float *b, size_t dim);

enum { WL_PANEL_LANES = 16, WL_TILE_QUERIES = 8, WL_NUMBERS = 4 /* wl_element before BITS */ };

/* Rows laid out for a screen: blocks of 16 rows; in a block, for each group of 4 bytes of a row, the groups of the 16
 * rows side by side. A group is one float, four bytes (value + 128), or 32 bits. */
typedef struct wl_panel {
    const void *groups; /* (blocks, depth, 16) groups, aligned to 64 bytes */
    const float *rest;  /* (blocks, 16): a last product that is added to the score; NULL: none */
    size_t depth;
} wl_panel;

/* Eight queries against a panel. Fewer: the others have an infinite threshold. */
typedef struct wl_tile {
    const void *groups; /* (8, depth) groups: floats, signed bytes, or the complement of 32 bits */
    float rest[WL_TILE_QUERIES];
    float threshold[WL_TILE_QUERIES];
    int32_t whole[WL_TILE_QUERIES]; /* the same for whole numbers: n > threshold where n > whole */
    int32_t start[WL_TILE_QUERIES]; /* bytes: what undoes the 128 in the panel, -128 times the query's sum */
} wl_tile;

/* A pair that a screen does not leave out. */
typedef struct wl_hit {
    uint32_t query, row; /* of the tile; of the panel */
} wl_hit;

/* All pairs of the tile with the panel's blocks [begin, end) whose score is above the query's threshold, into hits
 * (room for all), the rows of each query ascending; returns their number. The score is the dot product of the groups,
 * for bits the number of equal ones, plus rest * rest. Floats: the error is below (depth + 2) * 2^-24 of the lengths'
 * product. Bytes: exact up to the rounding of the score to F32; depth is at most 2^14. */
typedef size_t wl_screen_kernel(const wl_panel *panel, size_t begin, size_t end, const wl_tile *tile, wl_hit *hits);

/* The sum of the squares of 8 to 128 floats in NumPy's order: eight strided sums, added in pairs, then what is left. */
typedef float wl_squares_kernel(const float *values, size_t count);
/* Floats rounded to binary16, as wl_f32_to_f16 does it: count numbers, unaligned allowed, in and out apart. */
typedef void wl_halves_kernel(const float *in, size_t count, uint16_t *out);
/* wl_binarize of ops.h. */
typedef void wl_binarize_kernel(const float *vector, size_t dim, uint8_t *bits);

/* See dot_blas.h. */
typedef float wl_dot_blas_kernel(const float *a, const float *b, size_t dim);

typedef struct wl_kernels {
    const char *name;
    wl_sum_kernel *sum_f32, *sum_f16, *sum_bf16, *sum_i8;
    wl_dots_kernel *dots_f32, *dots_f16, *dots_bf16, *dots_i8;
    wl_squares_kernel *squares;
    wl_halves_kernel *halves;
    wl_binarize_kernel *binarize;
    wl_pair_kernels pairs[WL_NUMBERS]; /* by wl_element */
    wl_dot_blas_kernel *dot_blas;
    wl_rough_kernel *rough;
    uint64_t (*hamming)(const uint8_t *a, const uint8_t *b, size_t size);
    wl_screen_kernel *screen_floats, *screen_bits;
    wl_screen_kernel *screen_bytes; /* NULL where floats are as fast */
} wl_kernels;

extern const wl_kernels wl_kernels_generic; /* plain C, the oracle of the others */
/* Left out with -DWL_PLAIN_KERNELS, for a build without flags for each file. */
#if defined(__x86_64__) && !defined(WL_PLAIN_KERNELS)
#define WL_X86_KERNELS 1
extern const wl_kernels wl_kernels_avx2, wl_kernels_avx512, wl_kernels_avx512vnni;
/* What the sets share, in the file of the least instructions that they need. */
uint64_t wl_hamming_popcnt(const uint8_t *a, const uint8_t *b, size_t size);
uint64_t wl_hamming_vpopcntdq(const uint8_t *a, const uint8_t *b, size_t size);
wl_squares_kernel wl_squares_avx2;
wl_halves_kernel wl_halves_f16c;
wl_binarize_kernel wl_binarize_avx2;
wl_dot_blas_kernel wl_dot_blas_fma;
wl_screen_kernel wl_screen_bits_avx2, wl_screen_bits_vpopcntdq, wl_screen_bytes_vnni;
#elif defined(__AARCH64EL__) && !defined(WL_PLAIN_KERNELS)
#define WL_ARM_KERNELS 1
extern const wl_kernels wl_kernels_neon;
#endif

/* The best set for this machine and WORDLLAMA_CPU; any thread, any time. */
const wl_kernels *wl_kernels_best(void);
/* The kernel of a table's type: F32, F16, BF16 or I8; NULL for another. */
wl_sum_kernel *wl_sum_kernel_of(const wl_kernels *kernels, wl_dtype dtype);
wl_dots_kernel *wl_dots_kernel_of(const wl_kernels *kernels, wl_dtype dtype);

#endif
