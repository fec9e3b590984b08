#include "base/nearest.h"

#include <stdint.h>
#include <string.h>

/* Number of letters to insert, delete, change or swap with their neighbour (optimal string alignment). */
static size_t edit_distance(const char *a, size_t a_size, const char *b, size_t b_size)
{
    enum { LONGEST = 32 };
    size_t rows[3][LONGEST + 1];
    if (a_size > LONGEST || b_size > LONGEST) return SIZE_MAX;
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b_size; j++) above[j] = j;
    for (size_t i = 1; i <= a_size; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            size_t best = above[j - 1] + (a[i - 1] != b[j - 1]);
            if (above[j] + 1 < best) best = above[j] + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            row[j] = best;
        }
        size_t *oldest = before;
        before = above, above = row, row = oldest;
    }
    return above[b_size];
}

bool wl_is_nearer(const char *word, size_t size, const char *name, size_t *best)
{
    size_t distance = edit_distance(word, size, name, strlen(name));
    if (size >= 2 && strncmp(name, word, size) == 0) distance = 1;
    if (distance > 2 || distance * 2 >= strlen(name) || distance >= *best) return false;
    *best = distance;
    return true;
}
