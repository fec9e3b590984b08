/* The arrays of fold_tables.c, read only by fold.c. A point below WL_FOLD_END has the value
 *
 *     values[pages[point >> 6] << 6 | (point & 63)]
 *
 * which is 0 where it folds to itself, else offset << 2 | (count - 1) of its points in the pool. */
#ifndef WL_DATA_FOLD_TABLES_H
#define WL_DATA_FOLD_TABLES_H

#include <stdint.h>

enum {
    WL_FOLD_END = 0x1E940, /* from here on all points fold to themselves */
    WL_FOLD_GROWTH = 3,    /* no character becomes longer than so many times its bytes */
};

extern const uint8_t wl_fold_pages[WL_FOLD_END >> 6];
extern const uint16_t wl_fold_values[];
extern const uint32_t wl_fold_pool[];

#endif
