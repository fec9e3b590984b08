#include "text/pattern/digits.h"

#include <string.h>

static bool digit_at(const char *text, size_t at, size_t *length)
{
    return wl_words_set(text + at, length) & 1u << WL_CATEGORY_ND;
}

/* Every number is looked at to its end once: from within it, behind a match, the next match is known.
 *
 * The next run of digits at or after `at`; its count, 0 where there is none. */
static size_t next_run(const char *text, size_t size, size_t at, size_t *begin, size_t *end)
{
    size_t length, count = 0;
    while (at < size && !digit_at(text, at, &length)) at += length;
    *begin = at;
    for (; at < size && digit_at(text, at, &length); at += length) count++;
    *end = at;
    return count;
}

static size_t skip_characters(const char *text, size_t at, size_t count)
{
    for (; count; count--) at += wl_utf8_length((unsigned char)text[at]);
    return at;
}

/* The place behind three digits at `at`, `at` where there are fewer. */
static size_t skip_three(const char *text, size_t size, size_t at)
{
    size_t end = at, length, count = 0;
    for (; count < 3 && end < size && digit_at(text, end, &length); end += length) count++;
    return count == 3 ? end : at;
}

/* \d{1,3}(?=(?:\d{3})*\b): a run that no other word character follows, one to three digits first, then threes. */
static bool scan_groups(const char *text, size_t size, size_t at, bool follows, size_t *begin, size_t *end)
{
    size_t run, count, length;
    if (follows && (*end = skip_three(text, size, at)) > at) return *begin = at, true;
    while ((count = next_run(text, size, at, begin, &run)) != 0) {
        if (run == size || !(wl_unicode_traits(wl_utf8_decode(text + run, &length)) & WL_TRAIT_PATTERN_WORD)) {
            *end = skip_characters(text, *begin, (count - 1) % 3 + 1);
            return true;
        }
        at = run;
    }
    return false;
}

/* (?=(\d{3})+(?!\d)): the empty places in front of each three digits, counted from the run's end. */
static bool scan_places(const char *text, size_t size, size_t at, bool follows, size_t *begin, size_t *end)
{
    size_t run, count;
    if (follows) {
        at = skip_three(text, size, at);
        if (skip_three(text, size, at) > at) return *begin = *end = at, true;
    }
    while ((count = next_run(text, size, at, begin, &run)) != 0) {
        if (count >= 3) {
            *begin = *end = skip_characters(text, *begin, count % 3);
            return true;
        }
        at = run;
    }
    return false;
}

static const struct {
    const char *expression;
    wl_pattern_scan scan;
} scanners[] = {
    {"\\d{1,3}(?=(?:\\d{3})*\\b)", scan_groups},
    {"(?=(\\d{3})+(?!\\d))", scan_places},
    {"(?=(?:\\d{3})+(?!\\d))", scan_places},
};

wl_pattern_scan wl_digits_scan(const char *expression)
{
    for (size_t i = 0; i < sizeof scanners / sizeof *scanners; i++)
        if (strcmp(expression, scanners[i].expression) == 0) return scanners[i].scan;
    return NULL;
}
