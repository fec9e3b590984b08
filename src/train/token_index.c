#include "train/token_index.h"

#include <stdlib.h>

#include "base/memory.h"
#include "vector/kernels.h"

enum { WORD = 64 };

static void free_arrays(wl_token_index *index)
{
    free(index->tokens);
    free(index->starts);
    free(index->texts);
    free(index->shares);
    free(index->places);
    index->tokens = index->texts = index->places = NULL;
    index->starts = NULL;
    index->shares = NULL;
    index->capacity = index->count = 0;
}

wl_status wl_token_index_create(wl_token_index *index, size_t rows, wl_error *error)
{
    *index = (wl_token_index){.rows = rows};
    index->counts = wl_allocate(rows, sizeof *index->counts, error);
    index->marks = index->counts ? wl_allocate(rows / WORD + 1, sizeof *index->marks, error) : NULL;
    return index->marks ? WL_OK : WL_ERROR_MEMORY;
}

void wl_token_index_free(wl_token_index *index)
{
    free_arrays(index);
    free(index->counts);
    free(index->marks);
    *index = (wl_token_index){0};
}

/* Room for so many ids; what was there is lost. */
static wl_status reserve(wl_token_index *index, size_t ids, wl_error *error)
{
    if (ids < index->capacity) return WL_OK;
    free_arrays(index);
    size_t capacity = ids + ids / 4 + 1;
    index->tokens = wl_allocate(capacity, sizeof *index->tokens, error);
    index->starts = index->tokens ? wl_allocate(capacity, sizeof *index->starts, error) : NULL;
    index->texts = index->starts ? wl_allocate(capacity, sizeof *index->texts, error) : NULL;
    index->shares = index->texts ? wl_allocate(capacity, sizeof *index->shares, error) : NULL;
    index->places = index->shares ? wl_allocate(capacity, sizeof *index->places, error) : NULL;
    if (!index->places) return WL_ERROR_MEMORY;
    index->capacity = capacity;
    return WL_OK;
}

wl_status wl_token_index_build(wl_token_index *index, const wl_bags *bags, wl_error *error)
{
    size_t begin = bags->starts[0], end = bags->starts[bags->count];
    if (reserve(index, end, error)) return error->code;
    for (size_t t = begin; t < end; t++) {
        uint32_t id = bags->ids[t];
        uint64_t mark = UINT64_C(1) << id % WORD;
        if (!(index->marks[id / WORD] & mark)) index->counts[id] = 0;
        index->marks[id / WORD] |= mark;
        index->counts[id]++;
    }
    /* starts[i + 1] is where the next occurrence of token i goes: in the end, where they end. */
    uint64_t sum = 0;
    index->count = 0;
    index->starts[0] = 0;
    for (size_t word = 0; word <= index->rows / WORD; word++) {
        for (uint64_t bits = index->marks[word]; bits; bits &= bits - 1) {
            uint32_t token = (uint32_t)(word * WORD) + (uint32_t)__builtin_ctzll(bits);
            uint32_t occurrences = index->counts[token];
            index->counts[token] = (uint32_t)index->count;
            index->tokens[index->count++] = token;
            index->starts[index->count] = sum;
            sum += occurrences;
        }
        index->marks[word] = 0;
    }
    for (size_t i = 0; i < bags->count; i++) {
        float share = 1 / (float)(bags->starts[i + 1] - bags->starts[i]);
        for (size_t t = bags->starts[i]; t < bags->starts[i + 1]; t++) {
            uint32_t place = index->counts[bags->ids[t]];
            uint64_t at = index->starts[place + 1]++;
            index->places[t] = place;
            index->texts[at] = (uint32_t)i;
            index->shares[at] = share;
        }
    }
    return WL_OK;
}

void wl_token_index_sum(const wl_token_index *index, size_t i, const float *slopes, size_t dim, size_t column,
                        size_t width, float *sum)
{
    uint64_t begin = index->starts[i], count = index->starts[i + 1] - begin;
    wl_kernels_best()->sum_f32((const char *)(slopes + column), dim * sizeof *slopes, index->texts + begin,
                               index->shares + begin, count, width, sum);
}
