/* Expressions that are alternatives of character classes in a row: "\s+", "[0-9][0-9][0-9]", " ?[^\s|.,]+",
 * "[\r\n]", "\w+|[^\w\s]+". Within an alternative every class but the first and the last stands a fixed number of
 * times; the first may be optional and the last repeated, so greedy matching needs no backtracking but to leave the
 * first out. Cost: the size of the expression for each character. */
#ifndef WL_TEXT_PATTERN_RUNS_H
#define WL_TEXT_PATTERN_RUNS_H

#include "base/memory.h"

typedef struct wl_runs_range {
    uint32_t first, last;
} wl_runs_range;

typedef struct wl_runs_class {
    uint32_t ascii[4];         /* a bit for each ASCII character: all is said there */
    uint32_t categories;       /* a bit for each general category */
    bool space, not_space;     /* \s, \S */
    bool word, not_word;       /* \w, \W */
    bool bracket;              /* \w is narrower within brackets: Latin-1's 6 digits and fractions are not in it */
    bool han;                  /* \p{Han} */
    bool negated;              /* all of the above and the ranges */
    size_t begin_range, count; /* of wl_runs.ranges, ascending and apart */
} wl_runs_class;

typedef struct wl_runs_item {
    wl_runs_class class;
    uint32_t least, most; /* most UINT32_MAX: any number */
} wl_runs_item;

typedef struct wl_runs_alternative {
    size_t begin, count; /* of wl_runs.items */
    bool line_end;       /* $ behind it: the end of the text, or a \n */
} wl_runs_alternative;

typedef struct wl_runs {
    wl_runs_range *ranges;
    wl_runs_item *items;
    wl_runs_alternative *alternatives;
    size_t range_count, range_capacity, item_count, item_capacity, alternative_count, alternative_capacity;
    bool first[256]; /* whether a match may begin with this byte */
} wl_runs;

/* Reads an expression; *known false where it is not of this kind. Free with wl_runs_free, also after a failure. */
wl_status wl_runs_read(wl_runs *runs, const char *expression, size_t size, bool *known, wl_error *error);
void wl_runs_free(wl_runs *runs);

/* The next match at or after `at`, never empty; false where there is none. */
bool wl_runs_find(const wl_runs *runs, const char *text, size_t size, size_t at, size_t *begin, size_t *end);

/* Whether a character is in a class, without looking at ascii. */
bool wl_runs_in(const wl_runs *runs, const wl_runs_class *class, uint32_t point);

#endif
