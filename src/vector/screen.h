/* Screening: leaving out the pairs of queries and rows that cannot score above a threshold, without computing their
 * score exactly.
 *
 * A row y is stored as scale * integers (or as floats) over its first `taken` dimensions, y = r + e, with the length of
 * what that loses: e, the rounding, and the rest, the dimensions behind. For a query x stored in the same way, by
 * Cauchy and Schwarz
 *
 *     x.y <= scale_x * scale_y * (integers' product) + |r_x| |e_y| + |e_x| (|r_y| + |e_y|) + |rest_x| |rest_y|
 *
 * The first term is the kernel's sum and the last one product more; the others, taken over a block of rows, move the
 * threshold. So a pair that the kernel leaves out is proven to be below it, and what it does not leave out is few and
 * is computed. (The idea of a filter with a bound is that of the VA-file, Weber, Schek, Blott 1998.)
 *
 * Cost: dim multiplications a pair, in bytes where the processor has VNNI, else in floats; bits are counted exactly. */
#ifndef WL_VECTOR_SCREEN_H
#define WL_VECTOR_SCREEN_H

#include "vector/vectors.h"

/* The most rows that share a block: as bytes of 256 dimensions they fill a fifth of a second-level cache of 1 MB. A
 * multiple of the 48 rows that the widest kernel takes at once. */
enum { WL_BLOCK_ROWS = 768 };

typedef struct wl_screen {
    wl_screen_kernel *kernel;
    enum { WL_SCREEN_FLOATS, WL_SCREEN_BYTES, WL_SCREEN_BITS } kind;
    size_t dim, taken; /* dimensions; those that the kernel multiplies */
    size_t depth;      /* groups of 4 bytes */
    bool unit;         /* rows and queries are scaled to unit length: products are cosines. Always so for bits. */
} wl_screen;

/* taken: 0 or dim for all; ignored for bits. */
wl_screen wl_screen_make(const wl_vectors *vectors, size_t taken, bool unit);

/* Up to WL_BLOCK_ROWS rows. */
typedef struct wl_screen_rows {
    wl_panel panel;
    size_t count;  /* rows */
    double scale;  /* a value is scale * integer */
    double length; /* at least that of any row, over the dimensions taken */
    double error;  /* the largest |e| */
    double bias;   /* the largest |bias| */
    void *groups;
    float *rest, *values; /* rest of each row; scratch for one row */
} wl_screen_rows;

/* Room for blocks of rows; free with wl_screen_rows_free, also after a failure. */
wl_status wl_screen_rows_create(const wl_screen *screen, wl_screen_rows *rows, wl_error *error);
void wl_screen_rows_free(wl_screen_rows *rows);
/* Takes rows [first, first + count) of vectors. biases: NULL, or (count) numbers that are added to the products; only
 * where all dimensions are taken. With unit length *bad is the first row that is not finite, else WL_NONE; without it
 * rows must be finite. */
void wl_screen_rows_load(const wl_screen *screen, wl_screen_rows *rows, const wl_vectors *vectors, size_t first,
                         size_t count, const float *biases, size_t *bad);

/* Eight queries. */
typedef struct wl_screen_tile {
    wl_tile tile;
    bool used[WL_TILE_QUERIES];
    double scale[WL_TILE_QUERIES], length[WL_TILE_QUERIES], error[WL_TILE_QUERIES], rest[WL_TILE_QUERIES];
} wl_screen_tile;

/* Bytes of the groups of one tile. */
size_t wl_screen_tile_size(const wl_screen *screen);
/* An empty tile over groups (wl_screen_tile_size bytes, kept). */
void wl_screen_tile_clear(const wl_screen *screen, wl_screen_tile *tile, void *groups);
/* Puts a query into the tile's place. values: scratch, (dim). Returns its squared length, of the row itself. */
double wl_screen_tile_load(const wl_screen *screen, wl_screen_tile *tile, size_t place, const wl_vectors *vectors,
                           size_t index, float *values);
/* An empty tile that takes rows first and following, as far as there are, into its places in order. squares: NULL, or
 * their squared lengths. */
void wl_screen_tile_fill(const wl_screen *screen, wl_screen_tile *tile, void *groups, const wl_vectors *vectors,
                         size_t first, float *values, double *squares);
/* Aims the query of a place at the rows: with it the kernel gives every row whose product (plus bias) is threshold or
 * more. INFINITY: none. */
void wl_screen_tile_aim(const wl_screen *screen, wl_screen_tile *tile, size_t place, const wl_screen_rows *rows,
                        double threshold);

/* The screen over rows [begin, end) of a block; begin is a multiple of WL_PANEL_LANES. hits: room for WL_TILE_QUERIES
 * times (end - begin), rounded up to WL_PANEL_LANES. Rows behind the block's end are never among them. */
size_t wl_screen_run(const wl_screen *screen, const wl_screen_rows *rows, size_t begin, size_t end,
                     const wl_screen_tile *tile, wl_hit *hits);

#endif
