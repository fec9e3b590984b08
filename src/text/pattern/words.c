#include "text/pattern/words.h"

#define AS_IS(name) name = 1u << WL_CATEGORY_##name
enum {
    AS_IS(LU),
    AS_IS(LL),
    AS_IS(ND),
    AS_IS(PC),
    AS_IS(PD),
    AS_IS(PS),
    AS_IS(PE),
    AS_IS(PO),
    AS_IS(SM),
    AS_IS(SC),
    AS_IS(SK),
    AS_IS(CC),
};
#define SP WL_WORDS_BLANK
#define NL WL_WORDS_LINE

const uint32_t wl_words_ascii[128] = {
    CC, CC, CC, CC, CC, CC, CC, CC, CC, SP, NL, SP, SP, NL, CC, CC, /* 00 */
    CC, CC, CC, CC, CC, CC, CC, CC, CC, CC, CC, CC, CC, CC, CC, CC, /* 10 */
    SP, PO, PO, PO, SC, PO, PO, PO, PS, PE, PO, SM, PO, PD, PO, PO, /* 20 */
    ND, ND, ND, ND, ND, ND, ND, ND, ND, ND, PO, PO, SM, SM, SM, PO, /* 30 */
    PO, LU, LU, LU, LU, LU, LU, LU, LU, LU, LU, LU, LU, LU, LU, LU, /* 40 */
    LU, LU, LU, LU, LU, LU, LU, LU, LU, LU, LU, PS, PO, PE, SK, PC, /* 50 */
    SK, LL, LL, LL, LL, LL, LL, LL, LL, LL, LL, LL, LL, LL, LL, LL, /* 60 */
    LL, LL, LL, LL, LL, LL, LL, LL, LL, LL, LL, PS, SM, PE, SM, CC, /* 70 */
};

uint32_t wl_words_set_beyond(uint32_t point)
{
    uint32_t set = 1u << wl_unicode_category(point);
    return set & WL_CATEGORIES_SEPARATORS || point == 0x85 ? WL_WORDS_BLANK : set;
}

static const struct {
    uint32_t first, last;
} han[] = {
    {0x2E80, 0x2E99},   {0x2E9B, 0x2EF3},   {0x2F00, 0x2FD5},   {0x3005, 0x3005},   {0x3007, 0x3007},
    {0x3021, 0x3029},   {0x3038, 0x303B},   {0x3400, 0x4DBF},   {0x4E00, 0x9FFF},   {0xF900, 0xFA6D},
    {0xFA70, 0xFAD9},   {0x16FE2, 0x16FE3}, {0x16FF0, 0x16FF1}, {0x20000, 0x2A6DF}, {0x2A700, 0x2B739},
    {0x2B740, 0x2B81D}, {0x2B820, 0x2CEA1}, {0x2CEB0, 0x2EBE0}, {0x2EBF0, 0x2EE5D}, {0x2F800, 0x2FA1D},
    {0x30000, 0x3134A}, {0x31350, 0x323AF},
};

bool wl_words_is_han(uint32_t point)
{
    for (size_t i = 0; i < sizeof han / sizeof *han && point >= han[i].first; i++)
        if (point <= han[i].last) return true;
    return false;
}

/* The end of the run of characters of the sets. */
static size_t run_end(const char *text, size_t size, size_t at, uint32_t sets)
{
    size_t length;
    while (at < size && wl_words_set(text + at, &length) & sets) at += length;
    return at;
}

/* The end of the contraction whose apostrophe is at `at`; `at` where there is none. */
static size_t contraction_end(unsigned kind, const char *text, size_t size, size_t at)
{
    unsigned char letters[2] = {0, 0};
    if (!kind || text[at] != '\'') return at;
    for (size_t i = 0; i < 2 && at + 1 + i < size; i++) {
        letters[i] = (unsigned char)text[at + 1 + i];
        if (kind != WL_CONTRACTIONS_LOWER && letters[i] >= 'A' && letters[i] <= 'Z') letters[i] |= 0x20;
    }
    switch (letters[0]) {
    case 's':
    case 't':
    case 'm':
    case 'd':
        return at + 2;
    case 'r':
    case 'v':
        return letters[1] == 'e' ? at + 3 : at;
    case 'l':
        return letters[1] == 'l' ? at + 3 : at;
    case 0xC5: /* U+017F */
        return kind == WL_CONTRACTIONS_ANY_CASE && letters[1] == 0xBF ? at + 3 : at;
    default:
        return at;
    }
}

/* upper*lower+ where all is false, else upper+lower*, at `at`; `at` where it does not match. A character may be in both
 * sets. upper* takes all it can; where no lower character follows it gives characters back until one of them is lower,
 * and lower+ cannot reach beyond that one. */
static size_t cased_end(const wl_words_rules *rules, const char *text, size_t size, size_t at, bool all)
{
    size_t end = at, both = at, length;
    while (end < size) {
        uint32_t set = wl_words_set(text + end, &length);
        if (!(set & rules->upper)) break;
        if (rules->han && wl_words_is_han(wl_utf8_decode(text + end, &length))) break;
        end += length;
        if (set & rules->lower) both = end;
    }
    if (all && end == at) return at;
    size_t lower = end;
    while (lower < size) {
        uint32_t set = wl_words_set(text + lower, &length);
        if (!(set & rules->lower)) break;
        if (rules->han && wl_words_is_han(wl_utf8_decode(text + lower, &length))) break;
        lower += length;
    }
    return lower > end || all ? lower : both;
}

/* The word whose first character has this set and length. */
static size_t word_end(const wl_words_rules *rules, const char *text, size_t size, size_t at, uint32_t first,
                       size_t length)
{
    bool prefix = first & rules->prefix || (rules->space_prefix && text[at] == ' ');
    size_t begin = at + length, end;
    if (rules->letters) {
        if (prefix && begin < size && (end = run_end(text, size, begin, rules->letters)) > begin) return end;
        return first & rules->letters ? run_end(text, size, begin, rules->letters) : at;
    }
    if (!(rules->upper | rules->lower)) return at;
    /* The prefix may itself be a letter (a mark): both ways are tried for one alternative before the next. */
    bool letter = first & (rules->upper | rules->lower);
    for (int all = 0; all < 2; all++) {
        if (prefix && (end = cased_end(rules, text, size, begin, all)) > begin) return end;
        if (letter && (end = cased_end(rules, text, size, at, all)) > at) return end;
    }
    return at;
}

static size_t number_end(const wl_words_rules *rules, const char *text, size_t size, size_t at)
{
    size_t end = at, length;
    if (!rules->digits) return run_end(text, size, at, rules->numbers);
    for (unsigned i = 0; i < rules->digits && end < size && wl_words_set(text + end, &length) & rules->numbers; i++)
        end += length;
    return end;
}

/* \s*[\r\n]+ takes white space up to the last line end of the run; \s+(?!\S) gives back one character where something
 * follows the run. */
static size_t spaces_end(const wl_words_rules *rules, const char *text, size_t size, size_t at)
{
    size_t end = at, line = at, last = at, length;
    for (; end < size; end += length) {
        uint32_t set = wl_words_set(text + end, &length);
        if (!(set & WL_WORDS_SPACES)) break;
        last = end;
        if (set & WL_WORDS_LINE) line = end + length;
    }
    if (rules->spaces_to_end && end == size) return end;
    if (rules->lines && line > at) return line;
    return end == size || last == at ? end : last;
}

size_t wl_words_next(const wl_words_rules *rules, const char *text, size_t size, size_t at)
{
    size_t length, end = contraction_end(rules->contractions, text, size, at);
    if (end > at) return end;
    uint32_t first = wl_words_set(text + at, &length);
    if (rules->mark_words && length == 1 && first & WL_WORDS_SIGNS) {
        end = at + 1;
        while (end < size && (unsigned char)text[end] < 0x80 &&
               wl_words_ascii[(unsigned char)text[end]] & WL_WORDS_LETTERS)
            end++;
        if (end > at + 1) return end;
    }
    if (rules->han) {
        size_t next;
        for (end = at; end < size && wl_words_is_han(wl_utf8_decode(text + end, &next));) end += next;
        if (end > at) return end;
    }
    end = word_end(rules, text, size, at, first, length);
    if (end > at) return rules->suffixes && end < size ? contraction_end(rules->suffixes, text, size, end) : end;

    bool space = text[at] == ' ';
    if (first & rules->numbers) return number_end(rules, text, size, at);
    if (space && rules->number_space && (end = number_end(rules, text, size, at + 1)) > at + 1) return end;
    size_t begin = at + (space && rules->symbol_space);
    end = run_end(text, size, begin, rules->symbols);
    if (end > begin) {
        while (rules->symbol_lines && end < size &&
               (text[end] == '\r' || text[end] == '\n' || (rules->symbol_slashes && text[end] == '/')))
            end++;
        return end;
    }
    return rules->spaces && first & WL_WORDS_SPACES ? spaces_end(rules, text, size, at) : at;
}
