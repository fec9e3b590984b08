/* What Split and Replace search for: a string, or a regular expression.
 *
 * The regular expressions of real tokenizers are known by their text and run by hand-made scanners; any other goes
 * through PCRE2 where the library was built with it, else it is refused by name. */
#ifndef WL_TEXT_PATTERN_H
#define WL_TEXT_PATTERN_H

#include "base/memory.h"

/* The next match of a known expression at or after `at`; false where there is none. text is well-formed. Matches are
 * never empty. */
typedef bool (*wl_pattern_scan)(const char *text, size_t size, size_t at, size_t *begin, size_t *end);

typedef struct wl_pattern {
    char *text; /* the string, or the source of the expression; NUL-terminated; owned */
    size_t size;
    wl_pattern_scan scan; /* of a known expression, else NULL */
    void *compiled;       /* by PCRE2, else NULL; owned */
} wl_pattern;

/* Takes a copy of the text. regex: an expression, in Oniguruma's (Ruby's) syntax as the oracle has it. An expression
 * that is not known is WL_ERROR_UNSUPPORTED without PCRE2. Free with wl_pattern_free, also after a failure. */
wl_status wl_pattern_open(wl_pattern *pattern, wl_text text, bool regex, wl_error *error);
void wl_pattern_free(wl_pattern *pattern);

/* The next match from at on, as the oracle's find_iter gives it: *found says whether there is one. An empty string
 * never matches. Any number of threads may share a pattern. */
wl_status wl_pattern_find(const wl_pattern *pattern, const char *text, size_t size, size_t at, bool *found,
                          size_t *begin, size_t *end, wl_error *error);

#endif
