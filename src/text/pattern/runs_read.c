/* Reading an expression of the kind of runs.h. What is not exactly understood makes it one of another kind. */
#include <stdlib.h>
#include <string.h>

#include "text/pattern/runs.h"
#include "text/pattern/words.h"

enum { COUNT_LIMIT = 1000 };

typedef struct wl_reader {
    wl_runs *runs;
    const char *text;
    size_t size, at;
    bool unknown; /* of another kind, or failed: nothing more is read */
    wl_error *error;
    wl_status status;
} wl_reader;

static void give_up(wl_reader *reader)
{
    reader->unknown = true;
}

static bool next_is(const wl_reader *reader, const char *text)
{
    size_t size = strlen(text);
    return !reader->unknown && reader->size - reader->at >= size && !memcmp(reader->text + reader->at, text, size);
}

static bool take(wl_reader *reader, const char *text)
{
    bool is = next_is(reader, text);
    if (is) reader->at += strlen(text);
    return is;
}

static uint32_t take_point(wl_reader *reader)
{
    if (reader->unknown || reader->at == reader->size) return give_up(reader), 0;
    size_t length;
    uint32_t point = wl_utf8_decode(reader->text + reader->at, &length);
    reader->at += length;
    return point;
}

/* A number of digits hexadecimal digits, 0: up to a closing brace. */
static uint32_t take_hexadecimal(wl_reader *reader, size_t digits)
{
    uint32_t value = 0;
    for (size_t i = 0; digits ? i < digits : !next_is(reader, "}"); i++) {
        uint32_t c = take_point(reader);
        uint32_t digit = c >= '0' && c <= '9'                     ? c - '0'
                         : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                                  : 16;
        if (digit == 16 || value > 0x10FFFF >> 4) return give_up(reader), 0;
        value = value << 4 | digit;
    }
    if (!digits) take(reader, "}");
    return value;
}

#define ONE(name, category)                                                                                            \
    {                                                                                                                  \
        name, 1u << WL_CATEGORY_##category, false, false, false                                                        \
    }
/* Properties by the names that tokenizers use. */
static const struct property {
    const char *name;
    uint32_t categories;
    bool space, word, han;
} properties[] = {
    ONE("Lu", LU),
    ONE("Ll", LL),
    ONE("Lt", LT),
    ONE("Lm", LM),
    ONE("Lo", LO),
    ONE("Mn", MN),
    ONE("Mc", MC),
    ONE("Me", ME),
    ONE("Nd", ND),
    ONE("Nl", NL),
    ONE("No", NO),
    ONE("Pc", PC),
    ONE("Pd", PD),
    ONE("Ps", PS),
    ONE("Pe", PE),
    ONE("Pi", PI),
    ONE("Pf", PF),
    ONE("Po", PO),
    ONE("Sm", SM),
    ONE("Sc", SC),
    ONE("Sk", SK),
    ONE("So", SO),
    ONE("Zs", ZS),
    ONE("Zl", ZL),
    ONE("Zp", ZP),
    ONE("Cc", CC),
    ONE("Cf", CF),
    ONE("Co", CO),
    ONE("Cn", CN),
    ONE("Digit", ND),
    {"L", WL_CATEGORIES_LETTERS, false, false, false},
    {"M", WL_CATEGORIES_MARKS, false, false, false},
    {"N", WL_CATEGORIES_NUMBERS, false, false, false},
    {"P", WL_CATEGORIES_PUNCTUATION, false, false, false},
    {"S", WL_CATEGORIES_SYMBOLS, false, false, false},
    {"Z", WL_CATEGORIES_SEPARATORS, false, false, false},
    {"C", WL_CATEGORIES_OTHER, false, false, false},
    {"Punct", WL_CATEGORIES_PUNCTUATION, false, false, false},
    {"Space", 0, true, false, false},
    {"Word", 0, false, true, false},
    {"Han", 0, false, false, true},
};

/* Adds a property, or all that lacks it. */
static void add_property(wl_reader *reader, wl_runs_class *class, const struct property *property, bool negated)
{
    if (property->han && negated) give_up(reader);
    if (property->categories) class->categories |= negated ? ~property->categories : property->categories;
    class->space |= property->space && !negated;
    class->not_space |= property->space && negated;
    class->word |= property->word && !negated;
    class->not_word |= property->word && negated;
    class->han |= property->han;
}

/* The name up to a closing mark. */
static void take_property(wl_reader *reader, wl_runs_class *class, const char *close, bool negated)
{
    if (take(reader, "^")) negated = !negated;
    for (size_t i = 0; i < sizeof properties / sizeof *properties; i++) {
        size_t before = reader->at;
        if (!take(reader, properties[i].name)) continue;
        if (take(reader, close)) {
            add_property(reader, class, &properties[i], negated);
            return;
        }
        reader->at = before;
    }
    give_up(reader);
}

static void add_range(wl_reader *reader, wl_runs_class *class, uint32_t first, uint32_t last)
{
    if (first > last) give_up(reader);
    if (reader->unknown) return;
    void *ranges = reader->runs->ranges;
    reader->status = wl_reserve(&ranges, &reader->runs->range_capacity, reader->runs->range_count + 1,
                                sizeof(wl_runs_range), reader->error);
    reader->runs->ranges = ranges;
    if (reader->status) {
        give_up(reader);
        return;
    }
    reader->runs->ranges[reader->runs->range_count++] = (wl_runs_range){first, last};
    class->count++;
}

/* What stands behind a backslash: a class, added, or a character (*single). */
static uint32_t take_escape(wl_reader *reader, wl_runs_class *class, bool *single)
{
    static const struct property digit = {"", 1u << WL_CATEGORY_ND, false, false, false},
                                 space = {"", 0, true, false, false}, word = {"", 0, false, true, false};
    uint32_t c = take_point(reader);
    *single = false;
    switch (c) {
    case 's':
    case 'S':
        return add_property(reader, class, &space, c == 'S'), 0;
    case 'd':
    case 'D':
        return add_property(reader, class, &digit, c == 'D'), 0;
    case 'w':
    case 'W':
        return add_property(reader, class, &word, c == 'W'), 0;
    case 'p':
    case 'P':
        if (!take(reader, "{")) give_up(reader);
        return take_property(reader, class, "}", c == 'P'), 0;
    default:
        break;
    }
    *single = true;
    switch (c) {
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case 'f':
        return '\f';
    case 'v':
        return '\v';
    case 'u':
        return take_hexadecimal(reader, 4);
    case 'x':
        if (take(reader, "{")) return take_hexadecimal(reader, 0);
        c = take_hexadecimal(reader, 2);
        if (c >= 0x80) give_up(reader); /* a byte */
        return c;
    default:
        if (c >= 0x80 || wl_unicode_traits(c) & WL_TRAIT_PATTERN_WORD) give_up(reader);
        return c;
    }
}

/* The members of a bracket, behind it and its ^, up to the closing one. A bracket within adds its own. */
static void take_members(wl_reader *reader, wl_runs_class *class, unsigned depth)
{
    if (next_is(reader, "]") || depth > 4) give_up(reader);
    bool head = true;
    while (!reader->unknown && !take(reader, "]")) {
        bool single = true, dash = next_is(reader, "-");
        uint32_t first = 0;
        if (next_is(reader, "&&"))
            give_up(reader);
        else if (take(reader, "[:punct:]")) { /* more than \\p{Punct} */
            class->categories |= WL_CATEGORIES_PUNCTUATION | WL_CATEGORIES_SYMBOLS;
            single = false;
        } else if (take(reader, "[:space:]")) {
            class->space = true;
            single = false;
        } else if (take(reader, "[")) {
            if (next_is(reader, "^") || next_is(reader, ":")) give_up(reader);
            take_members(reader, class, depth + 1);
            single = false;
        } else if (take(reader, "\\"))
            first = take_escape(reader, class, &single);
        else
            first = take_point(reader);
        if (dash && !head && !next_is(reader, "]")) give_up(reader); /* neither a range nor at an end */
        head = false;
        uint32_t last = first;
        if (next_is(reader, "-") && !next_is(reader, "-]")) {
            take(reader, "-");
            bool end = true;
            last = take(reader, "\\") ? take_escape(reader, class, &end) : take_point(reader);
            if (!single || !end || last == '[') give_up(reader);
        }
        if (single) add_range(reader, class, first, last);
    }
}

static int compare_ranges(const void *a, const void *b)
{
    const wl_runs_range *x = a, *y = b;
    return (x->first > y->first) - (x->first < y->first);
}

/* Sorts and joins the ranges, which are the last of all, and says ASCII by bits. */
static void finish_class(wl_reader *reader, wl_runs_class *class)
{
    if (reader->unknown) return;
    wl_runs_range *ranges = class->count ? reader->runs->ranges + class->begin_range : NULL;
    size_t kept = 0;
    if (class->count) qsort(ranges, class->count, sizeof *ranges, compare_ranges);
    for (size_t i = 0; i < class->count; i++) {
        if (kept && ranges[i].first <= ranges[kept - 1].last) {
            if (ranges[i].last > ranges[kept - 1].last) ranges[kept - 1].last = ranges[i].last;
        } else
            ranges[kept++] = ranges[i];
    }
    class->count = kept;
    reader->runs->range_count = class->begin_range + kept;
    for (uint32_t point = 0; point < 0x80; point++)
        class->ascii[point >> 5] |= (uint32_t)wl_runs_in(reader->runs, class, point) << (point & 31);
}

static uint32_t take_count(wl_reader *reader)
{
    uint32_t value = 0;
    size_t begin = reader->at;
    while (reader->at < reader->size && reader->text[reader->at] >= '0' && reader->text[reader->at] <= '9' &&
           value <= COUNT_LIMIT)
        value = value * 10 + (uint32_t)(reader->text[reader->at++] - '0');
    if (reader->at == begin || value > COUNT_LIMIT) give_up(reader);
    return value;
}

/* How often an item stands. *possessive: its characters are not given back. */
static void take_quantifier(wl_reader *reader, wl_runs_item *item, bool *possessive)
{
    bool braces = false;
    item->least = item->most = 1;
    if (take(reader, "?"))
        item->least = 0;
    else if (take(reader, "+"))
        item->most = UINT32_MAX;
    else if (take(reader, "*"))
        item->least = 0, item->most = UINT32_MAX;
    else if (take(reader, "{")) {
        braces = true;
        item->least = item->most = take_count(reader);
        if (take(reader, ",")) item->most = next_is(reader, "}") ? UINT32_MAX : take_count(reader);
        if (!take(reader, "}") || item->most < item->least || !item->most) give_up(reader);
    } else
        return;
    *possessive = take(reader, "+");
    if (next_is(reader, "?") || next_is(reader, "+") || next_is(reader, "*") || next_is(reader, "{")) give_up(reader);
    if (*possessive && braces) give_up(reader); /* {n}+ repeats in Oniguruma */
}

static void take_item(wl_reader *reader, wl_runs_alternative *alternative, bool *possessive)
{
    wl_runs_item item = {.class = {.begin_range = reader->runs->range_count}};
    bool single = false;
    uint32_t point = 0;
    if (take(reader, "[")) {
        bool negated = take(reader, "^");
        take_members(reader, &item.class, 0);
        item.class.negated = negated;
        item.class.bracket = true;
    } else if (take(reader, "\\"))
        point = take_escape(reader, &item.class, &single);
    else if (take(reader, ".")) {
        item.class.negated = true;
        add_range(reader, &item.class, '\n', '\n');
    } else {
        single = true;
        point = take_point(reader);
        if (point < 0x80 && point && strchr("()^*+?{$]", (int)point)) give_up(reader);
    }
    if (single) add_range(reader, &item.class, point, point);
    finish_class(reader, &item.class);
    take_quantifier(reader, &item, possessive);
    if (reader->unknown) return;
    void *items = reader->runs->items;
    reader->status =
        wl_reserve(&items, &reader->runs->item_capacity, reader->runs->item_count + 1, sizeof item, reader->error);
    reader->runs->items = items;
    if (reader->status) {
        give_up(reader);
        return;
    }
    reader->runs->items[reader->runs->item_count++] = item;
    alternative->count++;
}

/* Whether greedy matching that only leaves out the first class is all there is to it. */
static bool simple(const wl_runs *runs, const wl_runs_alternative *alternative)
{
    if (!alternative->count) return false;
    const wl_runs_item *items = runs->items + alternative->begin;
    size_t count = alternative->count, least = 0;
    for (size_t i = 0; i < count; i++) {
        bool optional = items[i].least == 0 && items[i].most == 1;
        least += items[i].least;
        if (i + 1 < count && items[i].least != items[i].most && !(i == 0 && optional)) return false;
    }
    return least && !(alternative->line_end && count > 1);
}

static void take_alternative(wl_reader *reader)
{
    wl_runs *runs = reader->runs;
    wl_runs_alternative alternative = {.begin = runs->item_count};
    bool possessive = false;
    while (!reader->unknown && reader->at < reader->size && !next_is(reader, "|")) {
        if (alternative.line_end || (possessive && alternative.count == 1 && runs->items[alternative.begin].most == 1))
            give_up(reader);
        if (take(reader, "$"))
            alternative.line_end = true;
        else
            take_item(reader, &alternative, &possessive);
    }
    if (reader->unknown) return;
    if (!simple(runs, &alternative) || (alternative.line_end && possessive)) {
        give_up(reader);
        return;
    }
    void *alternatives = runs->alternatives;
    reader->status = wl_reserve(&alternatives, &runs->alternative_capacity, runs->alternative_count + 1,
                                sizeof alternative, reader->error);
    runs->alternatives = alternatives;
    if (reader->status)
        give_up(reader);
    else
        runs->alternatives[runs->alternative_count++] = alternative;
}

/* The bytes that may begin a match: those of the first class, and of the second where the first is optional. */
static void fill_first(wl_runs *runs)
{
    for (size_t byte = 0x80; byte < 0x100; byte++) runs->first[byte] = true;
    for (size_t a = 0; a < runs->alternative_count; a++) {
        const wl_runs_item *items = runs->items + runs->alternatives[a].begin;
        size_t starts = items[0].least ? 1 : 2;
        for (size_t i = 0; i < starts; i++)
            for (size_t byte = 0; byte < 0x80; byte++)
                runs->first[byte] |= items[i].class.ascii[byte >> 5] >> (byte & 31) & 1;
    }
}

wl_status wl_runs_read(wl_runs *runs, const char *expression, size_t size, bool *known, wl_error *error)
{
    /* A group around all changes nothing. */
    if (size > 2 && expression[0] == '(' && expression[1] != '?' &&
        memchr(expression, ')', size) == expression + size - 1)
        expression++, size -= 2;
    wl_reader reader = {.runs = runs, .text = expression, .size = size, .error = error};
    do take_alternative(&reader);
    while (!reader.unknown && take(&reader, "|"));
    *known = !reader.unknown && reader.at == size;
    /* One that has a $ needs the others not to look on. */
    for (size_t i = 0; i < runs->alternative_count; i++)
        if (runs->alternatives[i].line_end && runs->alternative_count > 1) *known = false;
    if (*known) fill_first(runs);
    return reader.status;
}
