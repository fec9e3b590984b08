#include "text/models/prefixes.h"

#include <stdlib.h>
#include <string.h>

/* Merge sort by bytes: qsort has no argument for the vocabulary. */
static int compare(const wl_vocabulary *vocabulary, uint32_t a, uint32_t b)
{
    wl_text x = wl_vocabulary_at(vocabulary, a), y = wl_vocabulary_at(vocabulary, b);
    int sign = memcmp(x.data, y.data, x.size < y.size ? x.size : y.size);
    return sign ? sign : (x.size > y.size) - (x.size < y.size);
}

static void sort(const wl_vocabulary *vocabulary, uint32_t *order, uint32_t *spare, size_t count)
{
    for (size_t width = 1; width < count; width *= 2) {
        for (size_t begin = 0; begin < count; begin += 2 * width) {
            size_t middle = begin + width < count ? begin + width : count;
            size_t end = begin + 2 * width < count ? begin + 2 * width : count;
            size_t a = begin, b = middle;
            for (size_t i = begin; i < end; i++)
                spare[i] =
                    b == end || (a < middle && compare(vocabulary, order[a], order[b]) <= 0) ? order[a++] : order[b++];
        }
        memcpy(order, spare, count * sizeof *order);
    }
}

wl_status wl_prefixes_build(wl_prefixes *prefixes, const wl_vocabulary *vocabulary, wl_error *error)
{
    prefixes->vocabulary = vocabulary;
    prefixes->order = wl_allocate(vocabulary->count, sizeof *prefixes->order, error);
    uint32_t *spare = wl_allocate(vocabulary->count, sizeof *spare, error);
    if (!prefixes->order || !spare) {
        free(spare);
        return error->code;
    }
    for (size_t i = 0; i < vocabulary->count; i++) prefixes->order[i] = (uint32_t)i;
    sort(vocabulary, prefixes->order, spare, vocabulary->count);
    free(spare);
    uint32_t at = 0;
    while (at < vocabulary->count && wl_vocabulary_at(vocabulary, prefixes->order[at]).size == 0) at++;
    for (unsigned byte = 0; byte < 256; byte++) {
        prefixes->first[byte] = at;
        while (at < vocabulary->count &&
               (unsigned char)wl_vocabulary_at(vocabulary, prefixes->order[at]).data[0] == byte)
            at++;
    }
    prefixes->first[256] = at;
    return WL_OK;
}

void wl_prefixes_free(wl_prefixes *prefixes)
{
    free(prefixes->order);
    *prefixes = (wl_prefixes){0};
}

/* First place in [low, high) whose piece has a byte >= limit at depth; pieces that end there count as smaller. */
static uint32_t bound(const wl_prefixes *prefixes, uint32_t low, uint32_t high, size_t depth, unsigned limit)
{
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        wl_text piece = wl_vocabulary_at(prefixes->vocabulary, prefixes->order[middle]);
        if (piece.size > depth && (unsigned char)piece.data[depth] >= limit)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

bool wl_prefixes_step(const wl_prefixes *prefixes, wl_prefix_cursor *cursor, unsigned char byte)
{
    if (cursor->depth == 0) {
        cursor->low = prefixes->first[byte];
        cursor->high = prefixes->first[byte + 1];
    } else {
        cursor->low = bound(prefixes, cursor->low, cursor->high, cursor->depth, byte);
        cursor->high = bound(prefixes, cursor->low, cursor->high, cursor->depth, byte + 1u);
    }
    cursor->depth++;
    return cursor->low < cursor->high;
}

uint32_t wl_prefixes_piece(const wl_prefixes *prefixes, const wl_prefix_cursor *cursor)
{
    uint32_t index = prefixes->order[cursor->low];
    return wl_vocabulary_at(prefixes->vocabulary, index).size == cursor->depth ? index : WL_NO_ID;
}

uint32_t wl_prefixes_longest(const wl_prefixes *prefixes, const char *text, size_t size)
{
    wl_prefix_cursor cursor = {0};
    uint32_t longest = WL_NO_ID;
    for (size_t i = 0; i < size && wl_prefixes_step(prefixes, &cursor, (unsigned char)text[i]); i++) {
        uint32_t piece = wl_prefixes_piece(prefixes, &cursor);
        if (piece != WL_NO_ID) longest = piece;
    }
    return longest;
}
