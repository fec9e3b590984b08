/* Different words, and how often each occurs. */
#ifndef WL_TRAIN_WORD_COUNTS_H
#define WL_TRAIN_WORD_COUNTS_H

#include "base/memory.h"

typedef struct wl_word {
    size_t begin, size; /* in bytes */
    uint64_t count;
} wl_word;

/* Zeroed it is empty. Open addressing over the words in the order in which they came, at most half full. */
typedef struct wl_word_counts {
    wl_buffer bytes; /* the words, one behind the other */
    wl_word *words;  /* (count) */
    size_t count, capacity;
    uint32_t *slots; /* (slot_count): number of a word and 1; 0: free */
    size_t slot_count;
} wl_word_counts;

/* Adds times occurrences of a word. *number: its place, whether new or not. WL_ERROR_LIMIT: 2^31 words. */
wl_status wl_word_counts_add(wl_word_counts *counts, wl_text word, uint64_t times, uint32_t *number, wl_error *error);
/* Its place, or UINT32_MAX. */
uint32_t wl_word_counts_find(const wl_word_counts *counts, wl_text word);
/* Valid until the next word is added. */
wl_text wl_word_counts_text(const wl_word_counts *counts, size_t number);
void wl_word_counts_free(wl_word_counts *counts);

/* All places, the most frequent word first, words of one count in the order of their bytes; owned by the caller, NULL
 * out of memory. */
uint32_t *wl_word_counts_sort(const wl_word_counts *counts, wl_error *error);

#endif
