/* Reading an expression of the family in words.h: the texts of its alternatives, as they stand in the tokenizer.json of
 * real models and of tiktoken's ports, each with what it means. Possessive and greedy forms that come to the same have
 * the same entry's meaning; \p{N}{1,3}+ is no possessive form in Oniguruma's syntax but a repetition: any count. */
#include <string.h>

#include "text/pattern/words.h"

/* Parts of an expression, in the order that the scanner tries them. */
enum { CONTRACTIONS, MARK_WORDS, HAN, WORDS, NUMBERS, SYMBOLS, TO_END, LINES, SPACES };

#define OTHER  (~(WL_WORDS_LETTERS | WL_WORDS_NUMBERS | WL_WORDS_SPACES))
#define PREFIX (~(WL_WORDS_LETTERS | WL_WORDS_NUMBERS | WL_WORDS_LINE))
#define UPPER                                                                                                          \
    (1u << WL_CATEGORY_LU | 1u << WL_CATEGORY_LT | 1u << WL_CATEGORY_LM | 1u << WL_CATEGORY_LO | WL_WORDS_MARKS)
#define LOWER (1u << WL_CATEGORY_LL | 1u << WL_CATEGORY_LM | 1u << WL_CATEGORY_LO | WL_WORDS_MARKS)

#define P            "[^\\r\\n\\p{L}\\p{N}]?"
#define U            "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}"
#define L            "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}"
#define HANS         "&&[^\\p{Han}]"
#define ANY          "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define EACH         "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])"
#define PAIR(suffix) P U "]*" L "]+" suffix "|" P U "]+" L "]*" suffix

static const struct alternative {
    const char *text;
    int part;
    wl_words_rules rules;
} alternatives[] = {
    {"'s|'t|'re|'ve|'m|'ll|'d", CONTRACTIONS, {.contractions = WL_CONTRACTIONS_LOWER}},
    {"(?:'s|'t|'re|'ve|'m|'ll|'d)", CONTRACTIONS, {.contractions = WL_CONTRACTIONS_LOWER}},
    {"'(?:[sdmt]|ll|ve|re)", CONTRACTIONS, {.contractions = WL_CONTRACTIONS_LOWER}},
    {ANY, CONTRACTIONS, {.contractions = WL_CONTRACTIONS_ANY_CASE}},
    {"'(?i:[sdmt]|ll|ve|re)", CONTRACTIONS, {.contractions = WL_CONTRACTIONS_ANY_CASE}},
    {EACH, CONTRACTIONS, {.contractions = WL_CONTRACTIONS_ASCII}},
    {"[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+", MARK_WORDS, {.mark_words = true}},
    {"[\\p{Han}]+", HAN, {.han = true}},
    {"\\p{Han}+", HAN, {.han = true}},

    {" ?\\p{L}+", WORDS, {.space_prefix = true, .letters = WL_WORDS_LETTERS}},
    {" ?\\p{L}++", WORDS, {.space_prefix = true, .letters = WL_WORDS_LETTERS}},
    {" ?[\\p{L}\\p{M}]+", WORDS, {.space_prefix = true, .letters = WL_WORDS_LETTERS | WL_WORDS_MARKS}},
    {"\\p{L}+", WORDS, {.letters = WL_WORDS_LETTERS}},
    {"[\\p{L}]+", WORDS, {.letters = WL_WORDS_LETTERS}},
    {P "\\p{L}+", WORDS, {.prefix = PREFIX, .letters = WL_WORDS_LETTERS}},
    {P "+\\p{L}+", WORDS, {.prefix = PREFIX, .letters = WL_WORDS_LETTERS}},
    {P "+\\p{L}++", WORDS, {.prefix = PREFIX, .letters = WL_WORDS_LETTERS}},
    {P "[\\p{L}\\p{M}]+", WORDS, {.prefix = PREFIX, .letters = WL_WORDS_LETTERS | WL_WORDS_MARKS}},
    {"[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+",
     WORDS,
     {.prefix = ~(WL_WORDS_LETTERS | WL_WORDS_SIGNS | WL_WORDS_LINE), .letters = WL_WORDS_LETTERS | WL_WORDS_MARKS}},
    {PAIR(""), WORDS, {.prefix = PREFIX, .upper = UPPER, .lower = LOWER}},
    {PAIR(ANY "?"), WORDS, {.prefix = PREFIX, .upper = UPPER, .lower = LOWER, .suffixes = WL_CONTRACTIONS_ANY_CASE}},
    {PAIR(EACH "?"), WORDS, {.prefix = PREFIX, .upper = UPPER, .lower = LOWER, .suffixes = WL_CONTRACTIONS_ASCII}},
    {P U HANS "]*" L HANS "]+" ANY "?|" P U HANS "]+" L HANS "]*" ANY "?",
     WORDS,
     {.prefix = PREFIX, .upper = UPPER, .lower = LOWER, .suffixes = WL_CONTRACTIONS_ANY_CASE}},

    {"\\p{N}", NUMBERS, {.digits = 1, .numbers = WL_WORDS_NUMBERS}},
    {"[\\p{N}]", NUMBERS, {.digits = 1, .numbers = WL_WORDS_NUMBERS}},
    {"\\p{N}{1}", NUMBERS, {.digits = 1, .numbers = WL_WORDS_NUMBERS}},
    {"\\p{N}{1,2}", NUMBERS, {.digits = 2, .numbers = WL_WORDS_NUMBERS}},
    {"\\p{N}{1,3}", NUMBERS, {.digits = 3, .numbers = WL_WORDS_NUMBERS}},
    {"\\p{N}{1,3}+", NUMBERS, {.numbers = WL_WORDS_NUMBERS}},
    {"\\p{N}+", NUMBERS, {.numbers = WL_WORDS_NUMBERS}},
    {" ?\\p{N}+", NUMBERS, {.number_space = true, .numbers = WL_WORDS_NUMBERS}},
    {" ?\\p{N}++", NUMBERS, {.number_space = true, .numbers = WL_WORDS_NUMBERS}},
    {" ?\\p{N}", NUMBERS, {.number_space = true, .digits = 1, .numbers = WL_WORDS_NUMBERS}},
    {" ?\\p{N}{1,3}", NUMBERS, {.number_space = true, .digits = 3, .numbers = WL_WORDS_NUMBERS}},

    {"[^\\s\\p{L}\\p{N}]+", SYMBOLS, {.symbols = OTHER}},
    {" ?[^\\s\\p{L}\\p{N}]+", SYMBOLS, {.symbol_space = true, .symbols = OTHER}},
    {" ?[^\\s\\p{L}\\p{N}]++", SYMBOLS, {.symbol_space = true, .symbols = OTHER}},
    {" ?[^\\s\\p{L}\\p{N}\\r\\n]+", SYMBOLS, {.symbol_space = true, .symbols = OTHER}},
    {" ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*", SYMBOLS, {.symbol_space = true, .symbols = OTHER, .symbol_lines = true}},
    {" ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*", SYMBOLS, {.symbol_space = true, .symbols = OTHER, .symbol_lines = true}},
    {" ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*+", SYMBOLS, {.symbol_space = true, .symbols = OTHER, .symbol_lines = true}},
    {" ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*",
     SYMBOLS,
     {.symbol_space = true, .symbols = OTHER & ~WL_WORDS_MARKS, .symbol_lines = true}},
    {" ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*",
     SYMBOLS,
     {.symbol_space = true, .symbols = OTHER, .symbol_lines = true, .symbol_slashes = true}},
    {" ?[^\\s\\p{L}\\p{N}]++[\\r\\n/]*",
     SYMBOLS,
     {.symbol_space = true, .symbols = OTHER, .symbol_lines = true, .symbol_slashes = true}},
    {" ?[\\p{P}\\p{S}]+[\\r\\n]*", SYMBOLS, {.symbol_space = true, .symbols = WL_WORDS_SIGNS, .symbol_lines = true}},
    {" ?[\\p{P}\\p{S}]+", SYMBOLS, {.symbol_space = true, .symbols = WL_WORDS_SIGNS}},

    {"\\s++$", TO_END, {.spaces_to_end = true}},
    {"\\s*[\\r\\n]+", LINES, {.lines = true}},
    {"\\s*[\\r\\n]", LINES, {.lines = true}},
    {"\\s+(?!\\S)|\\s+", SPACES, {.spaces = true}},
    {"\\s+(?!\\S)|\\s", SPACES, {.spaces = true}},
};

/* Every member of a set of rules that an alternative does not speak of is 0. */
static void merge(wl_words_rules *rules, const wl_words_rules *more)
{
    unsigned char *to = (unsigned char *)rules;
    const unsigned char *from = (const unsigned char *)more;
    for (size_t i = 0; i < sizeof *rules; i++) to[i] |= from[i];
}

/* The alternative that stands at the head of the expression, or NULL. */
static const struct alternative *find(const char *expression, size_t size, size_t *length)
{
    for (size_t i = 0; i < sizeof alternatives / sizeof *alternatives; i++) {
        *length = strlen(alternatives[i].text);
        if (*length <= size && memcmp(expression, alternatives[i].text, *length) == 0 &&
            (*length == size || expression[*length] == '|'))
            return &alternatives[i];
    }
    return NULL;
}

bool wl_words_read(const char *expression, size_t size, wl_words_rules *rules)
{
    int part = -1;
    memset(rules, 0, sizeof *rules);
    for (size_t at = 0, length; at <= size; at += length + 1) {
        const struct alternative *found = find(expression + at, size - at, &length);
        if (!found || found->part <= part) return false;
        part = found->part;
        merge(rules, &found->rules);
    }
    uint32_t all = rules->letters | rules->upper | rules->lower | rules->numbers | rules->symbols;
    if (rules->spaces) all |= WL_WORDS_SPACES;
    rules->covers = (all | 1u << WL_CATEGORY_CS) == UINT32_MAX;
    /* A single class is no list of alternatives: runs.h has those. */
    if ((rules->lines || rules->spaces_to_end) && !rules->spaces) return false; /* looking for them is not linear */
    return rules->symbols && (rules->letters || rules->upper);
}
