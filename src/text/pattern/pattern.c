#define _GNU_SOURCE /* memmem */
#include "text/pattern/pattern.h"

#include <stdlib.h>
#include <string.h>

#include "text/pattern/digits.h"
#include "text/pattern/perl.h"

/* The expression with line ends written as escapes: files hold both. NULL out of memory. */
static char *escape_lines(const char *expression, size_t size, wl_error *error)
{
    char *out = wl_allocate(2 * size + 1, 1, error);
    if (!out) return NULL;
    for (size_t i = 0, at = 0; i < size; i++) {
        char c = expression[i];
        if (c == '\r' || c == '\n') out[at++] = '\\';
        out[at++] = c == '\r' ? 'r' : c == '\n' ? 'n' : c;
    }
    return out;
}

static wl_status open_expression(wl_pattern *pattern, wl_error *error)
{
    char *expression = escape_lines(pattern->text, pattern->size, error);
    pattern->words = wl_allocate(1, sizeof *pattern->words, error);
    pattern->runs = wl_allocate(1, sizeof *pattern->runs, error);
    bool known = false;
    if (!expression || !pattern->words || !pattern->runs) {
        free(expression);
        return error->code;
    }
    wl_status status = WL_OK;
    if (wl_words_read(expression, strlen(expression), pattern->words)) {
        pattern->kind = WL_PATTERN_WORDS;
        known = true;
    } else {
        free(pattern->words);
        pattern->words = NULL;
        status = wl_runs_read(pattern->runs, pattern->text, pattern->size, &known, error);
        pattern->kind = WL_PATTERN_RUNS;
    }
    if (!status && !known && (pattern->scan = wl_digits_scan(expression)) != NULL) {
        pattern->kind = WL_PATTERN_DIGITS;
        known = true;
    }
    free(expression);
    if (status || known) return status;
    pattern->kind = WL_PATTERN_PERL;
    return wl_perl_open(&pattern->perl, pattern->text, pattern->size, error);
}

wl_status wl_pattern_open(wl_pattern *pattern, wl_text text, bool regex, wl_error *error)
{
    *pattern = (wl_pattern){.size = text.size};
    pattern->text = wl_copy_text(text.data, text.size, error);
    if (!pattern->text) return error->code;
    return regex ? open_expression(pattern, error) : WL_OK;
}

void wl_pattern_free(wl_pattern *pattern)
{
    free(pattern->text);
    free(pattern->words);
    if (pattern->runs) wl_runs_free(pattern->runs);
    free(pattern->runs);
    wl_perl_free(pattern->perl);
    *pattern = (wl_pattern){0};
}

/* The empty string matches everywhere, as an empty expression does. */
static bool find_string(const wl_pattern *pattern, const char *text, size_t size, size_t at, size_t *begin, size_t *end)
{
    *begin = *end = at;
    if (!pattern->size) return true;
    const char *found = at < size ? memmem(text + at, size - at, pattern->text, pattern->size) : NULL;
    if (!found) return false;
    *begin = (size_t)(found - text);
    *end = *begin + pattern->size;
    return true;
}

static bool find_words(const wl_words_rules *words, const char *text, size_t size, size_t at, size_t *begin,
                       size_t *end)
{
    for (; at < size; at += wl_utf8_length((unsigned char)text[at])) {
        *end = wl_words_next(words, text, size, *begin = at);
        if (*end > at) return true;
    }
    return false;
}

/* One search, which may find an empty match right behind another. */
static wl_status search(const wl_pattern *pattern, const char *text, size_t size, size_t at, bool follows, bool *found,
                        size_t *begin, size_t *end, wl_error *error)
{
    switch (pattern->kind) {
    case WL_PATTERN_STRING:
        *found = find_string(pattern, text, size, at, begin, end);
        return WL_OK;
    case WL_PATTERN_WORDS:
        *found = find_words(pattern->words, text, size, at, begin, end);
        return WL_OK;
    case WL_PATTERN_RUNS:
        *found = wl_runs_find(pattern->runs, text, size, at, begin, end);
        return WL_OK;
    case WL_PATTERN_DIGITS:
        *found = pattern->scan(text, size, at, follows, begin, end);
        return WL_OK;
    case WL_PATTERN_PERL:
        break;
    }
    return wl_perl_find(pattern->perl, pattern->text, text, size, at, found, begin, end, error);
}

wl_status wl_pattern_find(const wl_pattern *pattern, const char *text, size_t size, size_t at, bool *found,
                          size_t *begin, size_t *end, wl_error *error)
{
    bool before = *found;
    if (search(pattern, text, size, at, before, found, begin, end, error)) return error->code;
    /* An empty match right behind another: the search goes on one character further. */
    if (!*found || !before || *end != *begin || *end != at) return WL_OK;
    *found = at < size;
    if (!*found) return WL_OK;
    return search(pattern, text, size, at + wl_utf8_length((unsigned char)text[at]), false, found, begin, end, error);
}
