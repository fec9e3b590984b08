/* Patterns: what is known and what is refused, the scanners against PCRE2, linear time, failing allocations. The
 * expressions are those of golden/parts/pretokenizers_*.jsonl, whose answers are the oracle's (test_parts). */
#include "test.h"

#include <time.h>

#include "fault.h"
#include "format/json.h"
#include "text/pattern/pattern.h"
#include "text/pattern/perl.h"
#include "texts.h"

static uint32_t state = 1;

static uint32_t chance(uint32_t below)
{
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state % below;
}

static bool open_pattern(wl_pattern *pattern, const char *expression, bool regex, wl_error *error)
{
    return !wl_pattern_open(pattern, (wl_text){expression, strlen(expression)}, regex, error);
}

/* All matches as "begin-end begin-end". */
static const char *matches(const wl_pattern *pattern, const char *text)
{
    static char out[1024];
    size_t length = 0, begin, end;
    bool found = false;
    wl_error error;
    out[0] = 0;
    for (size_t at = 0; length < sizeof out - 64; at = end) {
        if (wl_pattern_find(pattern, text, strlen(text), at, &found, &begin, &end, &error)) return "failed";
        if (!found) break;
        length += (size_t)sprintf(out + length, "%s%zu-%zu", length ? " " : "", begin, end);
    }
    return out;
}

static const struct {
    const char *expression;
    bool regex;
    const char *text, *matches;
} cases[] = {
    {"ab", false, "abxabab", "0-2 3-5 5-7"},
    {"", false, "a\xC3\xA9", "0-0 1-1 3-3"},
    {"", false, "", "0-0"},
    {".", false, "a.b", "1-2"},
    {".", true, "a\nb", "0-1 2-3"},
    {" {2,}", true, "a b  c   ", "3-5 6-9"},
    {"[0-9][0-9][0-9]", true, "12345678", "0-3 3-6"},
    {"\\d{3}", true, "12 1234", "3-6"},
    {"\\s+$", true, " a  \n b ", "2-4 7-8"}, /* $ stands before the line end too */
    {"-?[0-9]+", true, "a-1--23-", "1-3 4-7"},
    {"ab|a", true, "aabxab", "0-1 1-3 4-6"},
    {"a?a{2}", true, "aaaaa", "0-3 3-5"}, /* the optional one is given back */
    {"(?=(\\d{3})+(?!\\d))", true, "1234567 12", "1-1 4-4"},
    {"\\d{1,3}(?=(?:\\d{3})*\\b)", true, "1234567 12a 9", "0-1 1-4 4-7 12-13"},
    {"\\w", true, "\xC2\xB2", "0-2"}, /* superscript two: of \w, but not within brackets */
    {"[\\w]", true, "\xC2\xB2", ""},
};

static void check_cases(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        wl_pattern pattern;
        wl_error error = {0};
        bool open = open_pattern(&pattern, cases[i].expression, cases[i].regex, &error);
        CHECK_THAT(open && pattern.kind != WL_PATTERN_PERL, "%s: %s", cases[i].expression, error.message);
        const char *found = open ? matches(&pattern, cases[i].text) : "";
        CHECK_THAT(strcmp(found, cases[i].matches) == 0, "%s in \"%s\": %s, expected %s", cases[i].expression,
                   cases[i].text, found, cases[i].matches);
        wl_pattern_free(&pattern);
    }
}

/* What no scanner runs: through PCRE2, or refused by name. */
static void check_others(void)
{
    static const struct {
        const char *expression;
        bool translates;
    } others[] = {
        {"(?<=a)b+", true},         {"(?i)x|y", true}, {"(?m:.)+", true},   {"\\bx", true}, {"[[a-z]&&[^b]]", false},
        {"a{2}+b", false},          {"x(?i)y", false}, {"\\Ga", false},     {"(", false},   {"(?:[\\W]a*)", false},
        {"\\p{Nothing}+x*", false}, {"(?~a)", false},  {"(?<n>a)b", false}, {"a\\", false}, {"\\1", false},
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        wl_pattern pattern;
        wl_error error = {0};
        bool open = open_pattern(&pattern, others[i].expression, true, &error);
#ifdef WL_HAVE_PCRE2
        CHECK_THAT(open == others[i].translates, "%s: %s", others[i].expression, error.message);
#else
        CHECK_THAT(!open, "%s", others[i].expression);
#endif
        if (!open)
            CHECK_THAT(error.code == WL_ERROR_UNSUPPORTED && strstr(error.message, others[i].expression), "%s: %s",
                       others[i].expression, error.message);
        wl_pattern_free(&pattern);
    }
}

#ifdef WL_HAVE_PCRE2
static void check_limit(void)
{
    static char text[100001];
    wl_pattern pattern;
    wl_error error = {0};
    memset(text, 'a', sizeof text - 1);
    size_t begin, end;
    bool found = false;
    CHECK(open_pattern(&pattern, "(?:a+)+(?:a+)+[bc]", true, &error));
    CHECK(wl_pattern_find(&pattern, text, sizeof text - 1, 0, &found, &begin, &end, &error) == WL_ERROR_LIMIT);
    wl_pattern_free(&pattern);
}
#endif

/* Characters that no version of Unicode since 9.0 sees otherwise. */
static const char *const atoms[] = {
    "a",
    "b",
    "Z",
    "S",
    "s",
    "t",
    "ll",
    "re",
    "'s",
    "'LL",
    "'",
    " ",
    " ",
    "  ",
    "\n",
    "\r",
    "\r\n",
    "\t",
    "\xC2\x85",
    "\xC2\xA0",
    "\xE3\x80\x80",
    "\xE2\x80\xA8",
    "0",
    "1",
    "12",
    "345",
    "\xD9\xA3",
    "\xC2\xBD",
    "\xE2\x85\xA7",
    ".",
    ",",
    "!",
    "/",
    "-",
    "_",
    "$",
    "+",
    "^",
    "\\",
    "\xE2\x80\xA6",
    "\xE3\x80\x82",
    "\xE2\x82\xAC",
    "\xC3\xA9",
    "\xC3\x89",
    "\xC5\xBF",
    "\xCA\xB0",
    "\xC2\xAA",
    "\xC7\x85",
    "\xD0\xB6",
    "\xD0\xAF",
    "\xCC\x81",
    "\xE2\x83\x9D",
    "\xD7\x90",
    "\xE4\xB8\xAD",
    "\xE9\xBE\xA5",
    "\xE3\x81\xAE",
    "\xEA\xB0\x80",
    "\xE3\x80\x85",
    "\xF0\x9F\x98\x80",
    "\xE2\x80\x8D",
    "\xE1\xA0\x8E",
    "\xEE\x80\x80",
    "\x7F",
    "\xC2\xAD",
    "\xE2\x92\xB6",
};

/* Every expression with a scanner, on random texts, against PCRE2 where that can say the same. */
static void check_against_perl(const char *expression)
{
    wl_pattern pattern;
    wl_pattern other = {.kind = WL_PATTERN_PERL};
    wl_error error = {0};
    bool open = open_pattern(&pattern, expression, true, &error);
    CHECK_THAT(open, "%s: %s", expression, error.message);
    other.text = (char *)expression;
    if (open && !wl_perl_open(&other.perl, expression, strlen(expression), &error)) {
        char text[256], first[1024];
        size_t wrong = 0;
        for (int round = 0; round < 2000; round++) {
            text[0] = 0;
            for (uint32_t i = chance(14) + 1; i; i--) {
                const char *atom = atoms[chance(sizeof atoms / sizeof *atoms)];
                size_t length = strlen(text);
                snprintf(text + length, sizeof text - length, "%s", atom);
            }
            snprintf(first, sizeof first, "%s", matches(&pattern, text));
            if (strcmp(first, matches(&other, text)) != 0 && !wrong++)
                printf("%s in \"%s\": %s, PCRE2 %s\n", expression, text, first, matches(&other, text));
        }
        CHECK_THAT(wrong == 0, "%s: %zu of 2000 texts", expression, wrong);
    } else
        SKIP("%s against PCRE2: %s", expression, error.message);
    wl_perl_free(other.perl);
    wl_pattern_free(&pattern);
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* 200,000 times the same few characters. */
static void check_linear(const char *expression)
{
    static const char *const units[] = {" ",        "a",  "A",   "1", "\n", " \n", "'", ".", "\xE4\xB8\xAD",
                                        "\xCC\x81", "aA", "\r a"};
    static char text[200000 * 3 + 1];
    wl_pattern pattern;
    wl_error error = {0};
    double start = seconds();
    if (!open_pattern(&pattern, expression, true, &error)) return;
    for (size_t i = 0; i < 2 * sizeof units / sizeof *units; i++) {
        size_t length = strlen(units[i / 2]), size = 0, begin, end;
        while (size < 200000) memcpy(text + size, units[i / 2], length), size += length;
        if (i % 2) text[size++] = 'x'; /* so that the end does not help */
        bool found = false;
        for (size_t at = 0; !wl_pattern_find(&pattern, text, size, at, &found, &begin, &end, &error) && found;)
            at = end;
    }
    CHECK_THAT(seconds() - start < 5, "%s: %.1f s", expression, seconds() - start);
    wl_pattern_free(&pattern);
}

static void check_memory(const char *expression)
{
    for (size_t nth = 1; fault_available(); nth++) {
        wl_pattern pattern;
        wl_error error = {0};
        fault_begin(nth);
        bool open = open_pattern(&pattern, expression, true, &error);
        bool failed = fault_end();
        wl_pattern_free(&pattern);
        if (!failed) break;
        CHECK_THAT(!open && error.code == WL_ERROR_MEMORY, "%s: %s", expression, error.message);
    }
}

/* The value of the first member "Regex" of a line of a golden file, NUL-terminated. */
static bool read_expression(const char *line, size_t size, wl_buffer *out)
{
    static const char member[] = "\"Regex\":";
    wl_buffer scratch = {0};
    wl_error error;
    const char *found = NULL;
    for (size_t i = 0; i + sizeof member < size && !found; i++)
        if (!memcmp(line + i, member, sizeof member - 1)) found = line + i + sizeof member - 1;
    if (!found) return false;
    wl_json json;
    wl_json_open(&json, found, size - (size_t)(found - line), "golden", &scratch, &error);
    wl_text text = wl_json_string(&json);
    out->size = 0;
    bool read = !wl_json_failed(&json) && !wl_buffer_append(out, text.data, text.size, &error) &&
                !wl_buffer_append(out, "", 1, &error);
    wl_buffer_free(&scratch);
    return read;
}

static void check_golden(const char *path)
{
    wl_buffer file = {0}, expression = {0};
    bool read = texts_file(path, &file);
    CHECK_THAT(read, "%s cannot be read", path);
    for (size_t at = 0; read && at < file.size;) {
        const char *line = file.data + at, *end = memchr(line, '\n', file.size - at);
        size_t size = end ? (size_t)(end - line) : file.size - at;
        if (read_expression(line, size, &expression)) {
            check_against_perl(expression.data);
            check_linear(expression.data);
            check_memory(expression.data);
        }
        at += size + 1;
    }
    wl_buffer_free(&file);
    wl_buffer_free(&expression);
}

int main(void)
{
    check_cases();
    check_others();
#ifdef WL_HAVE_PCRE2
    check_limit();
#endif
    check_golden(WL_TEST_DATA "/golden/parts/pretokenizers_words.jsonl");
    check_golden(WL_TEST_DATA "/golden/parts/pretokenizers_runs.jsonl");
    return test_end();
}
