#include "vector/screen.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { MOST_BYTES = 1 << 16 }; /* dimensions whose products of bytes an int32 holds */

wl_screen wl_screen_make(const wl_vectors *vectors, size_t taken, bool unit)
{
    const wl_kernels *kernels = wl_kernels_best();
    wl_screen screen = {.dim = vectors->dim, .taken = vectors->dim, .unit = unit};
    if (vectors->element == WL_ELEMENT_BITS) {
        screen.kind = WL_SCREEN_BITS;
        screen.kernel = kernels->screen_bits;
        screen.depth = (screen.dim + 31) / 32;
        screen.unit = true;
        return screen;
    }
    if (taken && taken < screen.dim) screen.taken = taken;
    bool bytes = kernels->screen_bytes && screen.taken <= MOST_BYTES;
    screen.kind = bytes ? WL_SCREEN_BYTES : WL_SCREEN_FLOATS;
    screen.kernel = bytes ? kernels->screen_bytes : kernels->screen_floats;
    screen.depth = bytes ? (screen.taken + 3) / 4 : screen.taken;
    return screen;
}

/* ---- one vector ---- */

/* Rounding in single precision on the way is covered by this part of every length. */
static const double MARGIN = 2e-6;
/* More than what squares too small for single precision can add up to. */
static const double TINY = 1e-16;

/* Longer vectors, whose products single precision does not hold, count as infinitely long and as nothing to multiply:
 * all their pairs are left in. (Unit vectors are never so long.) */
static const double LONGEST = 1e18;

enum { LANES = 16 }; /* of loops that a compiler turns into vector instructions */

/* Bits as groups, complemented for queries. */
static void pack_bits(const wl_screen *screen, const unsigned char *row, bool complement, uint32_t *groups,
                      size_t stride)
{
    size_t size = wl_vector_size(WL_ELEMENT_BITS, screen->dim);
    for (size_t group = 0; group < screen->depth; group++) {
        uint32_t bits = 0;
        if (size - 4 * group >= 4)
            memcpy(&bits, row + 4 * group, 4);
        else
            memcpy(&bits, row + 4 * group, size - 4 * group);
        groups[group * stride] = complement ? ~bits : bits;
    }
}

/* The squared length of row index, its values as floats in values, scaled to unit length where the screen wants it. */
static double take_values(const wl_screen *screen, const wl_vectors *vectors, size_t index, float *values)
{
    const void *row = wl_row(vectors, index);
    double square = wl_kernels_best()->pairs[vectors->element].dot(row, row, vectors->dim);
    wl_row_floats(vectors, index, values);
    if (screen->unit && square > 0) {
        double inverse = 1 / sqrt(square);
        if (inverse < 1e30 && inverse > 1e-30) {
            float factor = (float)inverse;
            for (size_t i = 0; i < screen->dim; i++) values[i] *= factor;
        } else
            for (size_t i = 0; i < screen->dim; i++) values[i] = (float)(values[i] * inverse);
    }
    return square;
}

/* The largest magnitude; NaN counts as more than infinity. The bits of floats without their sign are in the order of
 * their values, and whole numbers are compared without a jump. */
static float largest(const float *values, size_t count)
{
    int32_t most = 0, bits;
    for (size_t i = 0; i < count; i++) {
        memcpy(&bits, &values[i], sizeof bits);
        bits &= INT32_MAX;
        most = bits > most ? bits : most;
    }
    float magnitude;
    memcpy(&magnitude, &most, sizeof magnitude);
    return magnitude;
}

static double length_of(const float *values, size_t count)
{
    double sum = 0;
    for (size_t at = 0; at < count; at += 256) {
        float lanes[LANES] = {0};
        size_t end = count - at < 256 ? count : at + 256, i = at;
        for (; i + LANES <= end; i += LANES)
            for (size_t j = 0; j < LANES; j++) lanes[j] += values[i + j] * values[i + j];
        for (; i < end; i++) lanes[0] += values[i] * values[i];
        for (size_t j = 0; j < LANES; j++) sum += (double)lanes[j];
    }
    return sqrt(sum) * (1 + MARGIN) + TINY;
}

static double rest_of(const wl_screen *screen, const float *values)
{
    if (screen->taken == screen->dim) return 0;
    return length_of(values + screen->taken, screen->dim - screen->taken) * (1 + MARGIN);
}

/* To the nearest integer, ties to even, for |value| < 2^22: the sum's last bits are the integer. Loops over it become
 * vector instructions, those over lrintf do not. */
static inline int32_t nearest(float value)
{
    float shifted = value + 0x1.8p23f;
    int32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    return bits - 0x4B400000;
}

/* LANES values; adds the squares of what is lost. Bytes may alias anything, so they are stored last, from a copy. */
static inline void quantize_lanes(const float *restrict values, float factor, float inverse, float step,
                                  signed char *restrict integers, float *restrict squares)
{
    int32_t rounded[LANES];
    for (size_t j = 0; j < LANES; j++) {
        rounded[j] = nearest(values[j] * inverse);
        float lost = values[j] * factor - (float)rounded[j] * step;
        squares[j] += lost * lost;
    }
    for (size_t j = 0; j < LANES; j++) integers[j] = (signed char)rounded[j];
}

/* values * factor to integers of [-127, 127] times scale, which is that of the largest; returns the length of what that
 * loses. */
static double quantize(const float *values, size_t count, float factor, double scale, signed char *integers)
{
    float inverse = scale > 0 ? (float)(1 / scale) * factor : 0, step = (float)scale, squares[LANES] = {0};
    size_t at = 0;
    for (; at + LANES <= count; at += LANES) quantize_lanes(values + at, factor, inverse, step, integers + at, squares);
    if (at < count) {
        float last[LANES] = {0};
        signed char rounded[LANES];
        memcpy(last, values + at, (count - at) * sizeof *last);
        quantize_lanes(last, factor, inverse, step, rounded, squares);
        memcpy(integers + at, rounded, count - at);
    }
    double sum = 0;
    for (size_t j = 0; j < LANES; j++) sum += (double)squares[j];
    /* Each of the sums is as many additions long as it has values. */
    return sqrt(sum) * (1 + MARGIN + (double)count * 0x1p-28) + TINY;
}

/* The scale of a largest value; 0 where it is too small to divide by, so that all of it is error. */
static double scale_of(float most)
{
    return most > 1e-30f ? (double)most / 127 : 0;
}

/* ---- rows ---- */

wl_status wl_screen_rows_create(const wl_screen *screen, wl_screen_rows *rows, wl_error *error)
{
    *rows = (wl_screen_rows){0};
    size_t groups = WL_BLOCK_ROWS * screen->depth;
    rows->groups = wl_allocate(groups * 4 + 64, 1, error);
    rows->rest = wl_allocate(WL_BLOCK_ROWS, sizeof *rows->rest, error);
    rows->values = wl_allocate(screen->dim + screen->taken, sizeof *rows->values, error);
    if (!rows->groups || !rows->rest || !rows->values) {
        wl_screen_rows_free(rows);
        return error->code;
    }
    rows->panel.groups = (const void *)(((uintptr_t)rows->groups + 63) & ~(uintptr_t)63);
    rows->panel.depth = screen->depth;
    return WL_OK;
}

void wl_screen_rows_free(wl_screen_rows *rows)
{
    free(rows->groups);
    free(rows->rest);
    free(rows->values);
    *rows = (wl_screen_rows){0};
}

/* Where the groups of a row lie in a panel, one every WL_PANEL_LANES. */
static uint32_t *groups_of(const wl_screen *screen, wl_screen_rows *rows, size_t row)
{
    size_t block = row / WL_PANEL_LANES, lane = row % WL_PANEL_LANES;
    return (uint32_t *)(uintptr_t)rows->panel.groups + block * screen->depth * WL_PANEL_LANES + lane;
}

static void load_floats(const wl_screen *screen, const float *values, float factor, uint32_t *groups)
{
    for (size_t i = 0; i < screen->taken; i++) {
        float value = values[i] * factor;
        memcpy(groups + i * WL_PANEL_LANES, &value, 4);
    }
}

/* Returns the length of what rounding loses. */
static double load_bytes(const wl_screen *screen, const float *values, float factor, double scale,
                         signed char *integers, uint32_t *groups)
{
    double error = quantize(values, screen->taken, factor, scale, integers);
    memset(integers + screen->taken, 0, 4 * screen->depth - screen->taken);
    for (size_t group = 0; group < screen->depth; group++) {
        uint32_t four;
        memcpy(&four, integers + 4 * group, 4);
        groups[group * WL_PANEL_LANES] = four ^ 0x80808080u; /* plus 128 */
    }
    return error;
}

/* The values of a row, read where they lie if they can be, and what to multiply them with. *bad: not finite. */
static const float *row_values(const wl_screen *screen, const wl_vectors *vectors, size_t index, float *copy,
                               float *factor, bool *bad)
{
    *factor = 1;
    *bad = false;
    if (vectors->element == WL_ELEMENT_F32) {
        const float *values = wl_row(vectors, index);
        if (!screen->unit) return values;
        /* The length in single precision is near enough: the slack of a threshold allows for it. */
        double square = (double)wl_kernels_best()->rough(values, values, screen->dim).bb;
        if (square > 1e-20 && square < 1e30) {
            *factor = (float)(1 / sqrt(square));
            return values;
        }
    }
    *bad = !isfinite(take_values(screen, vectors, index, copy));
    return copy;
}

static void load_numbers(const wl_screen *screen, wl_screen_rows *rows, const wl_vectors *vectors, size_t first,
                         size_t *bad)
{
    float most = 0, factor;
    bool failed;
    signed char *integers = (signed char *)(rows->values + screen->dim);
    for (size_t i = 0; i < rows->count && screen->kind == WL_SCREEN_BYTES; i++) {
        const float *values = row_values(screen, vectors, first + i, rows->values, &factor, &failed);
        float here = largest(values, screen->taken) * factor;
        most = here > most ? here : most;
    }
    rows->scale = screen->kind == WL_SCREEN_BYTES ? scale_of(most) : 1;
    for (size_t i = 0; i < rows->count; i++) {
        const float *values = row_values(screen, vectors, first + i, rows->values, &factor, &failed);
        if (failed) {
            *bad = first + i;
            return;
        }
        /* A part of a unit vector is no longer than it. */
        double length = screen->unit ? 1 + (double)screen->dim * 0x1p-23 : length_of(values, screen->taken);
        double rest = rest_of(screen, values) * (double)factor, error = 0;
        if (!(length < LONGEST && rest < LONGEST)) {
            memset(rows->values, 0, screen->taken * sizeof *rows->values);
            values = rows->values;
            length = INFINITY;
            rest = 0;
        }
        if (screen->taken < screen->dim) rows->rest[i] = (float)rest;
        if (screen->kind == WL_SCREEN_BYTES)
            error = load_bytes(screen, values, factor, rows->scale, integers, groups_of(screen, rows, i));
        else
            load_floats(screen, values, factor, groups_of(screen, rows, i));
        rows->error = error > rows->error ? error : rows->error;
        rows->length = length > rows->length ? length : rows->length;
    }
}

void wl_screen_rows_load(const wl_screen *screen, wl_screen_rows *rows, const wl_vectors *vectors, size_t first,
                         size_t count, const float *biases, size_t *bad)
{
    *bad = WL_NONE;
    rows->count = count;
    rows->scale = 1;
    rows->length = rows->error = rows->bias = 0;
    /* Lanes behind the last row keep what was there: their hits are left out. */
    rows->panel.rest = biases || screen->taken < screen->dim ? rows->rest : NULL;
    if (screen->kind == WL_SCREEN_BITS) {
        for (size_t i = 0; i < count; i++)
            pack_bits(screen, wl_row(vectors, first + i), false, groups_of(screen, rows, i), WL_PANEL_LANES);
        return;
    }
    load_numbers(screen, rows, vectors, first, bad);
    rows->bias = biases ? (double)largest(biases, count) : 0;
    for (size_t i = 0; biases && i < count; i++) rows->rest[i] = fmaxf(-1e37f, fminf(1e37f, biases[i]));
}

/* ---- queries ---- */

/* A kernel may compare whole numbers: the largest that is not above the threshold. */
static void set_threshold(wl_tile *tile, size_t place, float threshold)
{
    const float limit = 0x1p30f; /* no sum comes near it */
    tile->threshold[place] = threshold;
    tile->whole[place] = threshold >= limit ? INT32_MAX : threshold <= -limit ? INT32_MIN : (int32_t)floorf(threshold);
}

size_t wl_screen_tile_size(const wl_screen *screen)
{
    return WL_TILE_QUERIES * screen->depth * 4;
}

void wl_screen_tile_clear(const wl_screen *screen, wl_screen_tile *tile, void *groups)
{
    *tile = (wl_screen_tile){.tile = {.groups = groups}};
    memset(groups, 0, wl_screen_tile_size(screen));
    for (size_t place = 0; place < WL_TILE_QUERIES; place++) set_threshold(&tile->tile, place, INFINITY);
}

double wl_screen_tile_load(const wl_screen *screen, wl_screen_tile *tile, size_t place, const wl_vectors *vectors,
                           size_t index, float *values)
{
    uint32_t *groups = (uint32_t *)(uintptr_t)tile->tile.groups + place * screen->depth;
    tile->used[place] = true;
    if (screen->kind == WL_SCREEN_BITS) {
        pack_bits(screen, wl_row(vectors, index), true, groups, 1);
        return (double)screen->dim;
    }
    double square = take_values(screen, vectors, index, values);
    tile->length[place] = length_of(values, screen->taken);
    tile->rest[place] = rest_of(screen, values);
    if (!(tile->length[place] < LONGEST && tile->rest[place] < LONGEST)) {
        memset(values, 0, screen->taken * sizeof *values);
        tile->length[place] = INFINITY;
    }
    if (screen->kind == WL_SCREEN_FLOATS) {
        memcpy(groups, values, 4 * screen->taken);
        tile->scale[place] = 1;
        tile->error[place] = 0;
        return square;
    }
    tile->scale[place] = scale_of(largest(values, screen->taken));
    signed char *integers = (signed char *)groups;
    tile->error[place] = quantize(values, screen->taken, 1, tile->scale[place], integers);
    memset(integers + screen->taken, 0, 4 * screen->depth - screen->taken);
    int32_t sum = 0;
    for (size_t i = 0; i < screen->taken; i++) sum += integers[i];
    tile->tile.start[place] = -128 * sum;
    return square;
}

void wl_screen_tile_fill(const wl_screen *screen, wl_screen_tile *tile, void *groups, const wl_vectors *vectors,
                         size_t first, float *values, double *squares)
{
    wl_screen_tile_clear(screen, tile, groups);
    for (size_t place = 0; place < WL_TILE_QUERIES && first + place < vectors->count; place++) {
        double square = wl_screen_tile_load(screen, tile, place, vectors, first + place, values);
        if (squares) squares[place] = square;
    }
}

void wl_screen_tile_aim(const wl_screen *screen, wl_screen_tile *tile, size_t place, const wl_screen_rows *rows,
                        double threshold)
{
    if (!tile->used[place] || threshold == INFINITY) {
        set_threshold(&tile->tile, place, INFINITY);
        return;
    }
    if (screen->kind == WL_SCREEN_BITS) {
        /* Equal bits of all groups, those behind dim among them; 1 - 2d / dim >= threshold. Below it by less than a
         * bit, and by what single precision loses of a large number. */
        double padded = 32 * (double)screen->depth;
        double least = padded * (1 - 0x1p-22) - (1 - threshold) * (double)screen->dim / 2;
        set_threshold(&tile->tile, place, (float)least);
        return;
    }
    /* |r| <= |x| + |e|; the last part is the kernel's own rounding, and that of the values. */
    double length = tile->length[place] + tile->error[place], error = tile->error[place];
    double slack = length * rows->error + error * (rows->length + rows->error);
    slack += ((double)screen->dim * 0x1p-23 + 4 * MARGIN) *
             (length * (rows->length + rows->error) + fabs(threshold) + rows->bias + tile->rest[place]);
    double scale = tile->scale[place] * rows->scale, rest = screen->taken < screen->dim ? tile->rest[place] : 1;
    double least = (threshold - slack) / scale;
    if (!(scale > 1e-36) || !(fabs(least) < 1e37) || !(rest * (1 + rows->bias) < 1e37 * scale)) {
        /* Nothing to multiply, or quotients that single precision does not hold: no unit row can reach the threshold,
         * or every row may. */
        double most = (length + slack) * (rows->length + rows->error) + tile->rest[place] + rows->bias;
        set_threshold(&tile->tile, place, screen->unit && most < threshold ? INFINITY : -INFINITY);
        tile->tile.rest[place] = 0;
        return;
    }
    set_threshold(&tile->tile, place, (float)least);
    tile->tile.rest[place] = (float)(rest / scale);
}

size_t wl_screen_run(const wl_screen *screen, const wl_screen_rows *rows, size_t begin, size_t end,
                     const wl_screen_tile *tile, wl_hit *hits)
{
    size_t last = (end + WL_PANEL_LANES - 1) / WL_PANEL_LANES;
    size_t count = screen->kernel(&rows->panel, begin / WL_PANEL_LANES, last, &tile->tile, hits), kept = 0;
    if (end % WL_PANEL_LANES == 0) return count;
    for (size_t i = 0; i < count; i++)
        if (hits[i].row < end) hits[kept++] = hits[i];
    return kept;
}
