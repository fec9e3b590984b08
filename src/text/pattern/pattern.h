/* What Split and Replace search for: a string, or a regular expression in Oniguruma's syntax.
 *
 * The regular expressions of real tokenizers are run by scanners made for them: the word expressions of words.h, the
 * sequences of character classes of runs.h, and two of digits (digits.h). Any other goes through PCRE2 where the
 * library was built with it (perl.h), else it is refused by name. */
#ifndef WL_TEXT_PATTERN_H
#define WL_TEXT_PATTERN_H

#include "base/memory.h"
#include "text/pattern/runs.h"
#include "text/pattern/words.h"

typedef enum wl_pattern_kind {
    WL_PATTERN_STRING,
    WL_PATTERN_WORDS,
    WL_PATTERN_RUNS,
    WL_PATTERN_DIGITS, /* one of the expressions of digits.h */
    WL_PATTERN_PERL,
} wl_pattern_kind;

/* The next match at or after `at`; false where there is none. follows: `at` is the end of the match before. */
typedef bool (*wl_pattern_scan)(const char *text, size_t size, size_t at, bool follows, size_t *begin, size_t *end);

typedef struct wl_pattern {
    wl_pattern_kind kind;
    char *text; /* the string, or the source of the expression; NUL-terminated; owned */
    size_t size;
    wl_words_rules *words; /* of kind WORDS, else NULL; owned */
    wl_runs *runs;         /* of kind RUNS; owned */
    wl_pattern_scan scan;  /* of kind DIGITS */
    void *perl;            /* of kind PERL; owned */
} wl_pattern;

/* Takes a copy of the text. regex: an expression. One that is not known is WL_ERROR_UNSUPPORTED without PCRE2. Free
 * with wl_pattern_free, also after a failure. */
wl_status wl_pattern_open(wl_pattern *pattern, wl_text text, bool regex, wl_error *error);
void wl_pattern_free(wl_pattern *pattern);

/* The next match, as the oracle's find_iter gives it. `at` is 0 and *found false at first; then `at` is the end of the
 * match before, and *found is left as it was. text[0, size) is well-formed and all that the expression may look at. A
 * match may be empty where an expression can match nothing (few can), but not right behind another match. Any number of
 * threads may share a pattern.
 *
 *     bool found = false;
 *     for (size_t at = 0, begin, end;; at = end) {
 *         if (wl_pattern_find(pattern, text, size, at, &found, &begin, &end, error)) return error->code;
 *         if (!found) break;
 *         ...
 *     }
 */
wl_status wl_pattern_find(const wl_pattern *pattern, const char *text, size_t size, size_t at, bool *found,
                          size_t *begin, size_t *end, wl_error *error);

#endif
