#include "text/pattern/runs.h"

#include <stdlib.h>

#include "text/pattern/words.h"

static bool in_ranges(const wl_runs_range *ranges, size_t count, uint32_t point)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (point > ranges[middle].last)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && point >= ranges[low].first;
}

bool wl_runs_in(const wl_runs *runs, const wl_runs_class *class, uint32_t point)
{
    uint8_t traits = wl_unicode_traits(point);
    uint32_t category = 1u << (traits & WL_TRAIT_CATEGORY);
    bool in = class->categories & category;
    if (!in && (class->word || class->not_word)) {
        /* Oniguruma's own table for Latin-1 serves \w alone. */
        bool latin = point >= 0xB2 && point <= 0xBE && category & 1u << WL_CATEGORY_NO;
        bool word = latin ? !class->bracket : traits & WL_TRAIT_PATTERN_WORD;
        in = word ? class->word : class->not_word;
    }
    if (!in && (class->space || class->not_space)) {
        bool space = category & WL_CATEGORIES_SEPARATORS || (point >= '\t' && point <= '\r') || point == 0x85;
        in = space ? class->space : class->not_space;
    }
    if (!in && class->han) in = wl_words_is_han(point);
    if (!in && class->count) in = in_ranges(runs->ranges + class->begin_range, class->count, point);
    return in != class->negated;
}

static inline bool class_at(const wl_runs *runs, const wl_runs_class *class, const char *text, size_t *length)
{
    unsigned char first = (unsigned char)*text;
    if (first < 0x80) return *length = 1, class->ascii[first >> 5] >> (first & 31) & 1;
    return wl_runs_in(runs, class, wl_utf8_decode(text, length));
}

/* The end of an alternative's match at `at`, its first class left out or not; `at` where it does not match. */
static size_t match(const wl_runs *runs, const wl_runs_alternative *alternative, const char *text, size_t size,
                    size_t at, bool without_first)
{
    size_t end = at, length;
    const wl_runs_item *items = runs->items + alternative->begin;
    for (size_t i = without_first; i < alternative->count; i++) {
        uint32_t count = 0;
        size_t anchored = at;
        bool last = i + 1 == alternative->count;
        while (count < items[i].most && end < size) {
            if (!class_at(runs, &items[i].class, text + end, &length)) break;
            end += length;
            if (++count >= items[i].least && end < size && text[end] == '\n') anchored = end;
        }
        if (count < items[i].least) return at;
        if (last && alternative->line_end && end < size) end = anchored;
    }
    return end;
}

bool wl_runs_find(const wl_runs *runs, const char *text, size_t size, size_t at, size_t *begin, size_t *end)
{
    for (; at < size; at += wl_utf8_length((unsigned char)text[at])) {
        if (!runs->first[(unsigned char)text[at]]) continue;
        for (size_t i = 0; i < runs->alternative_count; i++) {
            const wl_runs_alternative *alternative = &runs->alternatives[i];
            size_t found = match(runs, alternative, text, size, at, false);
            /* An optional first class that took something may have taken what the second needs. */
            if (found == at && alternative->count > 1 && !runs->items[alternative->begin].least)
                found = match(runs, alternative, text, size, at, true);
            if (found > at) {
                *begin = at;
                *end = found;
                return true;
            }
        }
        /* Where "\s+$" does not match it does not match further on in the same run either. */
        if (runs->alternative_count == 1 && runs->alternatives[0].line_end) {
            size_t length;
            while (at < size && class_at(runs, &runs->items[0].class, text + at, &length)) at += length;
            if (at == size) return false;
        }
    }
    return false;
}

void wl_runs_free(wl_runs *runs)
{
    free(runs->ranges);
    free(runs->items);
    free(runs->alternatives);
    *runs = (wl_runs){0};
}
