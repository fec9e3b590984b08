/* Extended grapheme clusters (UAX 29, rules GB3 to GB999, Unicode 17 as the oracle's unicode-segmentation has it),
 * front to back. What the rules look back at lies in the cluster at hand, so a few states stand for it. Linear. */
#include "text/unicode/unicode.h"
#include "text/unicode/utf8.h"

/* What a cluster ends with, as far as the rules ask. */
struct ending {
    uint8_t property;     /* of its last character */
    uint8_t pictograph;   /* 1: pictograph, extenders; 2: and a joiner (GB11) */
    uint8_t conjunct;     /* 1: consonant, extenders; 2: a linker among them (GB9c) */
    bool regional;        /* an odd number of regional indicators (GB12, GB13) */
    bool carriage_return; /* (GB3) */
};

static bool is_extend(uint8_t property)
{
    return property >= WL_GRAPHEME_EXTEND && property <= WL_GRAPHEME_CONJUNCT;
}

static bool breaks(const struct ending *before, uint32_t point, uint8_t after)
{
    uint8_t last = before->property;
    if (last == WL_GRAPHEME_CONTROL) return !before->carriage_return || point != '\n';
    if (after == WL_GRAPHEME_CONTROL) return true;
    if (is_extend(after) || after == WL_GRAPHEME_JOINER || after == WL_GRAPHEME_SPACING) return false;
    if (last == WL_GRAPHEME_PREPEND) return false;
    switch (after) {
    case WL_GRAPHEME_LEADING:
    case WL_GRAPHEME_SYLLABLE:
    case WL_GRAPHEME_SYLLABLE_CLOSED:
        return last != WL_GRAPHEME_LEADING;
    case WL_GRAPHEME_VOWEL:
        return last != WL_GRAPHEME_LEADING && last != WL_GRAPHEME_VOWEL && last != WL_GRAPHEME_SYLLABLE;
    case WL_GRAPHEME_TRAILING:
        return last < WL_GRAPHEME_VOWEL || last > WL_GRAPHEME_SYLLABLE_CLOSED;
    case WL_GRAPHEME_CONSONANT:
        return before->conjunct != 2;
    case WL_GRAPHEME_PICTOGRAPH:
        return before->pictograph != 2;
    case WL_GRAPHEME_REGIONAL:
        return !before->regional;
    default:
        return true;
    }
}

static void extend(struct ending *ending, uint32_t point, uint8_t property)
{
    bool conjunct = property == WL_GRAPHEME_CONJUNCT || property == WL_GRAPHEME_JOINER;
    if (property == WL_GRAPHEME_CONSONANT)
        ending->conjunct = 1;
    else if (property == WL_GRAPHEME_LINKER)
        ending->conjunct = ending->conjunct ? 2 : 0;
    else if (!conjunct)
        ending->conjunct = 0;
    if (property == WL_GRAPHEME_PICTOGRAPH)
        ending->pictograph = 1;
    else if (property == WL_GRAPHEME_JOINER)
        ending->pictograph = ending->pictograph == 1 ? 2 : 0;
    else if (!is_extend(property) || ending->pictograph == 2)
        ending->pictograph = 0;
    ending->regional = property == WL_GRAPHEME_REGIONAL && !ending->regional;
    ending->carriage_return = point == '\r';
    ending->property = property;
}

size_t wl_grapheme_end(const char *text, size_t size, size_t at)
{
    struct ending ending = {0};
    size_t length;
    uint32_t point = wl_utf8_decode(text + at, &length);
    uint8_t property = wl_unicode_grapheme(point);
    at += length;
    if (at == size) return at;
    extend(&ending, point, property);
    while (at < size) {
        point = wl_utf8_decode(text + at, &length);
        property = wl_unicode_grapheme(point);
        /* Most characters are of no property and follow one of none. */
        if ((property | ending.property) == WL_GRAPHEME_ANY || breaks(&ending, point, property)) break;
        extend(&ending, point, property);
        at += length;
    }
    return at;
}
