#include "text/scan/word_starts.h"

#include <string.h>

#include "text/scan/blocks.h"

/* Bytes that may follow a place and still decide whether a word starts there: a contraction's. */
#define LOOK_AHEAD 3

static uint64_t mask(bool value)
{
    return value ? UINT64_MAX : 0;
}

bool wl_start_rules_read(const wl_words_rules *rules, wl_start_rules *masks)
{
    if (!rules->covers || !rules->spaces || rules->mark_words || rules->han) return false;
    uint32_t letters = rules->letters | rules->upper | rules->lower;
    bool any = true, none = true;
    for (unsigned byte = 0; byte < 128; byte++) {
        uint32_t set = wl_words_ascii[byte];
        bool letter = (byte | 0x20) - 'a' < 26, digit = byte - (unsigned)'0' < 10, space = set & WL_WORDS_SPACES;
        if (letter != !!(set & letters) || digit != !!(set & rules->numbers)) return false;
        if ((!letter && !digit && !space) != !!(set & rules->symbols)) return false;
        bool prefix = !letter && !digit && byte != '\n' && byte != '\r';
        if (prefix != !!(set & rules->prefix)) any = false;
        if (set & rules->prefix) none = false;
    }
    if ((!any && !none) || (rules->digits > 1 && rules->digits != 3)) return false;
    if (rules->contractions && rules->suffixes) return false;
    bool in_cases = rules->upper != 0;
    uint8_t kind = rules->contractions ? rules->contractions : rules->suffixes;
    *masks = (wl_start_rules){
        .space_prefix = mask(rules->space_prefix),
        .any_prefix = mask(any && !none),
        .cases = mask(in_cases),
        .number_space = mask(rules->number_space),
        .symbol_space = mask(rules->symbol_space),
        .symbol_lines = mask(rules->symbol_lines || rules->symbol_slashes),
        .symbol_slashes = mask(rules->symbol_slashes),
        .lines = mask(rules->lines),
        .digits = rules->digits,
        .contractions = rules->contractions,
        .suffixes = rules->suffixes,
        .upper = kind > WL_CONTRACTIONS_LOWER,
        .spaces_to_end = rules->spaces_to_end,
    };
    return true;
}

/* Length of the contraction that text starts with, its apostrophe included; 0: none. Known to be followed by a letter;
 * size: bytes that may be read. */
static size_t contraction(const char *text, size_t size, bool upper)
{
    char first = text[1], second = size > 2 ? text[2] : 0;
    if (upper) first |= 0x20, second |= 0x20;
    switch (first) {
    case 's':
    case 't':
    case 'm':
    case 'd':
        return 2;
    case 'r':
    case 'v':
        return second == 'e' ? 3 : 0;
    case 'l':
        return second == 'l' ? 3 : 0;
    default:
        return 0;
    }
}

static uint64_t bit(size_t index)
{
    return index < 64 ? UINT64_C(1) << index : 0;
}

/* A contraction is a word of its own, or the end of the word before it, and another word starts behind it. */
static uint64_t with_contractions(const wl_start_rules *rules, const char *text, const wl_block_classes *classes,
                                  uint64_t starts)
{
    uint64_t places = classes->quotes & classes->letters >> 1;
    places &= rules->suffixes ? classes->letters << 1 : starts;
    size_t done = 0; /* end of the last contraction */
    for (; places; places &= places - 1) {
        size_t at = wl_block_first(places), length = contraction(text + at, 64 - at, rules->upper);
        if (!length || (rules->suffixes && at == done && done)) continue;
        if (rules->suffixes) starts &= ~bit(at);
        starts &= ~(bit(at + 1) | (length == 3 ? bit(at + 2) : 0));
        done = at + length;
        starts |= bit(done);
    }
    return starts;
}

/* White space behind a line end, of those runs that hold no other line end: the last line end closes a word. A run is
 * added to its first bit: the carry tells what follows it. */
static uint64_t after_lines(uint64_t blank, uint64_t lines, uint64_t beyond, bool end, uint64_t top)
{
    uint64_t first = blank & lines << 1;
    if (!first) return 0;
    /* A run that may go on behind what is in sight decides nothing. */
    uint64_t not_decided = lines | beyond | (end ? 0 : top << 1);
    bool open = !end && blank & top;
    if (!((blank + first) & ~blank & not_decided) && !open) return first;
    uint64_t starts = 0;
    for (; first; first &= first - 1) {
        uint64_t start = first & -first, behind = (blank + start) & ~blank;
        if (behind ? !(behind & not_decided) : end) starts |= start;
    }
    return starts;
}

/* Bits of the places where a word starts in text[0..64), of which count bytes belong to the text and the rest may hold
 * anything; a word starts at the first. end: the text ends behind them. *known: only starts below it are found: less
 * than count where the bytes to come, or one that is not ASCII, may still decide. */
static uint64_t find_starts(const wl_start_rules *rules, const char *text, size_t count, bool end, size_t *known)
{
    wl_block_classes classes;
    wl_block_classify(text, &classes);
    uint64_t valid = UINT64_MAX >> (64 - count), top = UINT64_C(1) << (count - 1);
    classes.letters &= valid;
    classes.digits &= valid;
    classes.lines &= valid;
    uint64_t letters = classes.letters, digits = classes.digits, beyond = classes.beyond & valid;
    uint64_t white = (classes.space | classes.controls) & valid;
    uint64_t symbols = valid & ~(letters | digits | white | beyond);

    if (rules->spaces_to_end && white & top) end = false; /* the end is the exact scanner's */
    size_t limit = beyond ? wl_block_first(beyond) : count;
    if (beyond || !end) limit = limit > LOOK_AHEAD ? limit - LOOK_AHEAD : 0;
    *known = limit;

    /* Line ends, and slashes behind them, that belong to the symbols before: a run is added to the bit where it starts
     * to belong, which clears it from there on. */
    uint64_t tail = classes.lines | (symbols & classes.slashes & rules->symbol_slashes);
    uint64_t from = classes.lines & symbols << 1 & rules->symbol_lines;
    uint64_t taken = (tail & ~(tail + from)) | from;
    white &= ~taken;
    symbols &= ~taken;

    uint64_t lines = classes.lines & white & rules->lines, blank = white & ~lines;
    uint64_t space = classes.space & white;
    uint64_t followed = white >> 1 | (end ? top : 0);
    uint64_t starts = white & ~(white << 1);
    starts |= blank & ~followed; /* the last of a run stands alone or goes with what follows */
    starts |= after_lines(blank, lines, beyond, end, top);
    starts |= symbols & ~(symbols << 1) & ~((space & rules->symbol_space) << 1);
    starts |= 1;

    uint64_t prefix =
        (space & rules->space_prefix) | (((white & ~classes.lines) | (symbols & starts)) & rules->any_prefix);
    uint64_t word = letters & ~(letters << 1) & ~(prefix << 1);
    word |= classes.upper & (letters & ~classes.upper) << 1 & rules->cases;
    starts |= word;

    if (digits) {
        uint64_t number = digits & ~(digits << 1);
        if (rules->digits == 1) number = digits;
        if (rules->digits == 3)
            for (uint64_t next = number; next;) {
                next = next << 3 & digits & digits << 1 & digits << 2;
                number |= next;
            }
        starts |= number & ~((space & rules->number_space) << 1);
    }
    if (rules->contractions || rules->suffixes) {
        classes.quotes &= symbols;
        starts = with_contractions(rules, text, &classes, starts);
    }
    return starts & (limit < 64 ? bit(limit) - 1 : UINT64_MAX);
}

/* A character that is not ASCII is so near that a block would find no word. */
static bool is_beyond(const char *text)
{
    uint32_t bytes;
    memcpy(&bytes, text, sizeof bytes);
    return bytes & 0x80808080u;
}

size_t wl_word_ends(const wl_words_rules *rules, const wl_start_rules *masks, const char *text, size_t size, size_t at,
                    uint64_t *ends)
{
    size_t count = size - at < WL_BLOCK ? size - at : WL_BLOCK, known = 0;
    uint64_t starts = 0;
    if (masks && count == WL_BLOCK && !is_beyond(text + at)) {
        starts = find_starts(masks, text + at, count, count == size - at, &known);
    } else if (masks && count < WL_BLOCK) {
        char last[WL_BLOCK] = {0};
        memcpy(last, text + at, count);
        starts = find_starts(masks, last, count, true, &known);
    }
    *ends = starts & ~UINT64_C(1);
    if (known == size - at) return size;
    return *ends ? 0 : wl_words_next(rules, text, size, at); /* no end in sight */
}
