#include "train/word_counts.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

enum { FIRST_SLOTS = 1 << 12, MOST_WORDS = INT32_MAX };

wl_text wl_word_counts_text(const wl_word_counts *counts, size_t number)
{
    const wl_word *word = &counts->words[number];
    return (wl_text){counts->bytes.data + word->begin, word->size};
}

/* Where a word is, or the free slot where it would be. */
static size_t slot_of(const wl_word_counts *counts, wl_text word)
{
    size_t slot = (size_t)wl_hash_range(wl_hash_bytes(word.data, word.size), counts->slot_count);
    for (; counts->slots[slot]; slot = slot + 1 == counts->slot_count ? 0 : slot + 1) {
        wl_text there = wl_word_counts_text(counts, counts->slots[slot] - 1);
        if (there.size == word.size && wl_bytes_equal(there.data, word.data, word.size)) break;
    }
    return slot;
}

static wl_status grow(wl_word_counts *counts, wl_error *error)
{
    size_t slot_count = counts->slot_count ? 2 * counts->slot_count : FIRST_SLOTS;
    uint32_t *slots = wl_allocate(slot_count, sizeof *slots, error);
    if (!slots) return WL_ERROR_MEMORY;
    free(counts->slots);
    counts->slots = slots;
    counts->slot_count = slot_count;
    for (size_t i = 0; i < counts->count; i++) slots[slot_of(counts, wl_word_counts_text(counts, i))] = (uint32_t)i + 1;
    return WL_OK;
}

uint32_t wl_word_counts_find(const wl_word_counts *counts, wl_text word)
{
    return counts->slot_count ? counts->slots[slot_of(counts, word)] - 1 : UINT32_MAX;
}

wl_status wl_word_counts_add(wl_word_counts *counts, wl_text word, uint64_t times, uint32_t *number, wl_error *error)
{
    if (2 * counts->count >= counts->slot_count && grow(counts, error)) return error->code;
    size_t slot = slot_of(counts, word);
    if (!counts->slots[slot]) {
        void *words = counts->words;
        if (counts->count == MOST_WORDS) return wl_fail(error, WL_ERROR_LIMIT, "more than 2^31 different words");
        if (wl_reserve(&words, &counts->capacity, counts->count + 1, sizeof *counts->words, error)) return error->code;
        counts->words = words;
        if (wl_buffer_append(&counts->bytes, word.data, word.size, error)) return error->code;
        counts->words[counts->count] = (wl_word){counts->bytes.size - word.size, word.size, 0};
        counts->slots[slot] = (uint32_t)++counts->count;
    }
    *number = counts->slots[slot] - 1;
    counts->words[*number].count += times;
    return WL_OK;
}

void wl_word_counts_free(wl_word_counts *counts)
{
    wl_buffer_free(&counts->bytes);
    free(counts->words);
    free(counts->slots);
    *counts = (wl_word_counts){0};
}

/* ---- order ------------------------------------------------------------------------------------------------------- */

typedef struct ranked {
    wl_text text;
    uint64_t count;
    uint32_t number;
} ranked;

static int compare(const void *left, const void *right)
{
    const ranked *a = left, *b = right;
    if (a->count != b->count) return a->count > b->count ? -1 : 1;
    size_t shorter = a->text.size < b->text.size ? a->text.size : b->text.size;
    int order = shorter ? memcmp(a->text.data, b->text.data, shorter) : 0;
    return order ? order : (a->text.size > b->text.size) - (a->text.size < b->text.size);
}

uint32_t *wl_word_counts_sort(const wl_word_counts *counts, wl_error *error)
{
    ranked *all = wl_allocate(counts->count, sizeof *all, error);
    uint32_t *order = all ? wl_allocate(counts->count, sizeof *order, error) : NULL;
    for (size_t i = 0; i < counts->count && order; i++)
        all[i] = (ranked){wl_word_counts_text(counts, i), counts->words[i].count, (uint32_t)i};
    if (order && counts->count) qsort(all, counts->count, sizeof *all, compare);
    for (size_t i = 0; i < counts->count && order; i++) order[i] = all[i].number;
    free(all);
    return order;
}
