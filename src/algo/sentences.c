#include "algo/sentences.h"

#include <stdlib.h>
#include <string.h>

#include "text/unicode/unicode.h"
#include "text/unicode/utf8.h"

/* ---- characters -------------------------------------------------------------------------------------------------- */

/* What ends a sentence for the package wordllama 0.4: first and last of each range. Some are letters that look as if
 * they came in by mistake; they count all the same. */
static const uint16_t stops[][2] = {
    {0x0021, 0x0021}, {0x002E, 0x002E}, {0x003F, 0x003F}, {0x0589, 0x0589}, {0x061F, 0x061F}, {0x06D4, 0x06D4},
    {0x0700, 0x0702}, {0x07F9, 0x07F9}, {0x0964, 0x0965}, {0x0A56, 0x0A57}, {0x1047, 0x1048}, {0x104A, 0x104B},
    {0x10BE, 0x10C1}, {0x1141, 0x1143}, {0x11C5, 0x11C6}, {0x11CD, 0x11CD}, {0x11DE, 0x11DF}, {0x1238, 0x1239},
    {0x123B, 0x123C}, {0x12A9, 0x12A9}, {0x1362, 0x1362}, {0x1367, 0x1368}, {0x144B, 0x144C}, {0x15C2, 0x15C3},
    {0x15C9, 0x15D7}, {0x166E, 0x166E}, {0x1735, 0x1736}, {0x173C, 0x173E}, {0x1803, 0x1803}, {0x1809, 0x1809},
    {0x1944, 0x1945}, {0x1A42, 0x1A43}, {0x1AA8, 0x1AAB}, {0x1B5A, 0x1B5B}, {0x1B5E, 0x1B5F}, {0x1C3B, 0x1C3C},
    {0x1C41, 0x1C42}, {0x1C7E, 0x1C7F}, {0x203C, 0x203D}, {0x2047, 0x2049}, {0x2E2E, 0x2E2E}, {0x2E3C, 0x2E3C},
    {0x3002, 0x3002}, {0x6A6E, 0x6A6F}, {0x6AF5, 0x6AF5}, {0x6B37, 0x6B38}, {0x6B44, 0x6B44}, {0x9041, 0x9042},
    {0xA4FF, 0xA4FF}, {0xA60E, 0xA60F}, {0xA6DD, 0xA6DE}, {0xA6F3, 0xA6F3}, {0xA6F7, 0xA6F7}, {0xA876, 0xA877},
    {0xA8CE, 0xA8CF}, {0xA92F, 0xA92F}, {0xA9C8, 0xA9C9}, {0xAA5D, 0xAA5F}, {0xAAF0, 0xAAF1}, {0xABEB, 0xABEB},
    {0xBC9F, 0xBC9F}, {0xFE52, 0xFE52}, {0xFE56, 0xFE57}, {0xFF01, 0xFF01}, {0xFF0E, 0xFF0E}, {0xFF1F, 0xFF1F},
    {0xFF61, 0xFF61},
};

bool wl_ends_sentence(uint32_t point)
{
    if (point < 0x80) return point == '.' || point == '!' || point == '?';
    size_t low = 0, high = sizeof stops / sizeof *stops;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (point < stops[middle][0])
            high = middle;
        else if (point > stops[middle][1])
            low = middle + 1;
        else
            return true;
    }
    return false;
}

bool wl_is_blank(uint32_t point)
{
    if (point < 0x80) return point == ' ' || (point >= '\t' && point <= '\r') || (point >= 0x1C && point <= 0x1F);
    return wl_unicode_class(point) & WL_UNICODE_SPACE;
}

bool wl_is_upper(uint32_t point)
{
    if (point < 0x80) return point >= 'A' && point <= 'Z';
    /* Roman numerals, and letters in circles and boxes: Other_Uppercase. */
    if ((point >= 0x2160 && point <= 0x216F) || (point >= 0x24B6 && point <= 0x24CF) ||
        (point >= 0x1F130 && point <= 0x1F149) || (point >= 0x1F150 && point <= 0x1F169) ||
        (point >= 0x1F170 && point <= 0x1F189))
        return true;
    if (wl_unicode_category(point) != WL_CATEGORY_LU) return false;
    /* The table is Unicode 16; these capitals are younger than the oracle's 14. */
    return point != 0x1C89 && point != 0xA7CB && point != 0xA7CC && point != 0xA7DA && point != 0xA7DC &&
           !(point >= 0x10D50 && point <= 0x10D65);
}

size_t wl_line_end(wl_text text, size_t at)
{
    const unsigned char *s = (const unsigned char *)text.data + at;
    size_t left = text.size - at;
    if (s[0] < 0x1F) {
        if (s[0] == '\r' && left > 1 && s[1] == '\n') return 2;
        return (s[0] >= '\n' && s[0] <= '\r') || s[0] >= 0x1C;
    }
    if (s[0] == 0xC2) return s[1] == 0x85 ? 2 : 0;                                   /* U+0085 */
    if (s[0] == 0xE2) return s[1] == 0x80 && (s[2] == 0xA8 || s[2] == 0xA9) ? 3 : 0; /* U+2028, U+2029 */
    return 0;
}

static bool all_blank(const char *text, size_t begin, size_t end)
{
    for (size_t length; begin < end; begin += length)
        if (!wl_is_blank(wl_utf8_decode(text + begin, &length))) return false;
    return true;
}

/* ---- pieces ------------------------------------------------------------------------------------------------------ */

static wl_status add_piece(wl_passages *pieces, wl_passage piece, wl_error *error)
{
    if (pieces->count == pieces->capacity) {
        void *items = pieces->items;
        if (wl_reserve(&items, &pieces->capacity, pieces->count + 1, sizeof piece, error)) return error->code;
        pieces->items = items;
    }
    pieces->items[pieces->count++] = piece;
    return WL_OK;
}

/* The piece [begin, end) of a text that is not copied. */
static wl_passage span_of(const char *text, size_t begin, size_t end)
{
    return (wl_passage){begin, end, begin, end, wl_utf8_count(text + begin, end - begin)};
}

static void join(wl_passage *piece, const wl_passage *next, size_t separator)
{
    piece->end = next->end;
    piece->to = next->to;
    piece->size += separator + next->size;
}

/* Pieces from first on get their sizes in tokens where that is asked for. */
static wl_status measure(const wl_cut *cut, const char *text, wl_passages *pieces, size_t first, wl_error *error)
{
    if (!cut->measure || first == pieces->count) return WL_OK;
    return cut->measure(cut->user, text, pieces->items + first, pieces->count - first, error);
}

size_t wl_coalesce(wl_passage *pieces, size_t count, size_t most, size_t separator)
{
    bool changed = true;
    for (int pass = 0; changed && pass < 100; pass++) {
        size_t kept = 0;
        changed = false;
        for (size_t i = 0; i < count; i++) {
            wl_passage piece = pieces[i];
            if (i + 1 < count && piece.size + pieces[i + 1].size + separator <= most) {
                join(&piece, &pieces[++i], separator);
                changed = true;
            }
            pieces[kept++] = piece;
        }
        count = kept;
    }
    return count;
}

size_t wl_merge_small(wl_passage *pieces, size_t count, size_t least, size_t most, size_t separator)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        wl_passage *last = kept ? &pieces[kept - 1] : NULL, piece = pieces[i];
        if (!last || piece.size >= least || (last->size <= most && last->size + piece.size + separator > most))
            pieces[kept++] = piece;
        else if (last->begin == last->end) /* the oracle drops an empty piece, and the separator with it */
            *last = piece;
        else
            join(last, &piece, separator);
    }
    return kept;
}

/* ---- lines ------------------------------------------------------------------------------------------------------- */

/* The end of the line that begins at `at`, and the length of what ends it, 0 at the end of the text. */
static size_t find_line(wl_text text, size_t at, size_t *length)
{
    for (; at < text.size; at++) {
        unsigned char byte = (unsigned char)text.data[at];
        if (byte >= 0x1F && byte != 0xC2 && byte != 0xE2) continue;
        *length = wl_line_end(text, at);
        if (*length) return at;
    }
    *length = 0;
    return text.size;
}

/* The lines of a text, with what ends them or, where there is a copy, without it and one line feed between them. */
static wl_status add_lines(wl_text text, char *copy, wl_passages *lines, wl_error *error)
{
    size_t written = 0, length;
    for (size_t at = 0, end; at < text.size; at = end + length) {
        end = find_line(text, at, &length);
        wl_passage line = span_of(text.data, at, copy ? end : end + length);
        if (copy) {
            if (at) copy[written++] = '\n';
            memcpy(copy + written, text.data + at, end - at);
            line.begin = written;
            line.end = written += end - at;
        }
        if (add_piece(lines, line, error)) return error->code;
    }
    return WL_OK;
}

/* ---- sentences, white space normalized --------------------------------------------------------------------------- */

/* A place in the copy, the same place in the text, and characters since the start. */
struct place {
    size_t at, from, characters;
};

/* A sentence being read: from its first to behind its last character that is not blank. */
struct sentence {
    bool any;
    struct place begin, end;
};

/* Moves a sentence to where the last one ended, a space between them. Nothing unread is overwritten: between two
 * sentences lies the blank that told them apart. */
static wl_status add_sentence(const struct sentence *sentence, char *copy, size_t *written, bool first,
                              wl_passages *pieces, wl_error *error)
{
    const struct place *begin = &sentence->begin, *end = sentence->any ? &sentence->end : begin;
    if (!first) copy[(*written)++] = ' ';
    size_t size = end->at - begin->at;
    memmove(copy + *written, copy + begin->at, size);
    wl_passage piece = {*written, *written + size, begin->from, end->from, end->characters - begin->characters};
    *written += size;
    return add_piece(pieces, piece, error);
}

/* The sentences of a line of the copy, stripped. A sentence ends at the first space or line feed behind a stop, if a
 * capital or a line feed follows; otherwise the stop is forgotten. */
static wl_status add_sentences(wl_text text, const wl_passage *line, char *copy, wl_passages *pieces, wl_error *error)
{
    struct place place = {line->begin, line->from, 0};
    struct sentence sentence = {.begin = place};
    size_t written = line->begin, first = pieces->count, length;
    bool stopped = false, stops_at_all = false;
    while (place.at < line->end) {
        uint32_t point = wl_utf8_decode(copy + place.at, &length);
        bool ends = false, blank = wl_is_blank(point);
        if (!blank && !sentence.any) {
            sentence.begin = place;
            sentence.any = true;
        }
        if (wl_ends_sentence(point)) {
            stopped = stops_at_all = true;
        } else if (stopped && (point == ' ' || point == '\n')) {
            size_t unused;
            ends = place.at + 1 < line->end &&
                   (copy[place.at + 1] == '\n' || wl_is_upper(wl_utf8_decode(copy + place.at + 1, &unused)));
            stopped = false;
        }
        place.at += length;
        place.from += point == '\n' ? wl_line_end(text, place.from) : length;
        place.characters++;
        if (!blank) sentence.end = place;
        if (!ends) continue;
        if (add_sentence(&sentence, copy, &written, pieces->count == first, pieces, error)) return error->code;
        sentence = (struct sentence){.begin = place};
    }
    /* A line without any stop is not even stripped. */
    if (!stops_at_all) return add_piece(pieces, *line, error);
    return add_sentence(&sentence, copy, &written, pieces->count == first, pieces, error);
}

/* Leaves out blank pieces and closes the gaps. */
static void close_gaps(char *copy, wl_passages *pieces)
{
    size_t kept = 0, written = 0;
    for (size_t i = 0; i < pieces->count; i++) {
        wl_passage piece = pieces->items[i];
        if (all_blank(copy, piece.begin, piece.end)) continue;
        if (kept) copy[written++] = '\n';
        size_t size = piece.end - piece.begin;
        memmove(copy + written, copy + piece.begin, size);
        piece.begin = written;
        piece.end = written += size;
        pieces->items[kept++] = piece;
    }
    pieces->count = kept;
}

static wl_status cut_long_lines(wl_text text, const wl_cut *cut, char *copy, const wl_passages *lines,
                                wl_passages *pieces, wl_error *error)
{
    for (size_t i = 0; i < lines->count; i++) {
        const wl_passage *line = &lines->items[i];
        if (line->size <= cut->target) {
            if (add_piece(pieces, *line, error)) return error->code;
            continue;
        }
        size_t first = pieces->count;
        if (add_sentences(text, line, copy, pieces, error) || measure(cut, copy, pieces, first, error))
            return error->code;
        size_t count = wl_coalesce(pieces->items + first, pieces->count - first, cut->target, 1);
        pieces->count = first + wl_merge_small(pieces->items + first, count, cut->cleanup, SIZE_MAX, 1);
    }
    return WL_OK;
}

wl_status wl_cut_lines(wl_text text, const wl_cut *cut, char *copy, wl_passages *pieces, wl_error *error)
{
    wl_passages lines = {0};
    if (text.size == 0) return WL_OK;
    wl_status status = add_lines(text, copy, &lines, error);
    if (!status) status = measure(cut, copy, &lines, 0, error);
    if (!status) {
        lines.count = wl_coalesce(lines.items, lines.count, cut->intermediate, 1);
        lines.count = wl_merge_small(lines.items, lines.count, cut->cleanup, SIZE_MAX, 1);
        status = cut_long_lines(text, cut, copy, &lines, pieces, error);
    }
    if (!status) close_gaps(copy, pieces);
    free(lines.items);
    return status;
}

/* ---- spans ------------------------------------------------------------------------------------------------------- */

/* Stops that need no white space behind them. */
static bool is_full_stop(uint32_t point)
{
    return point == 0x3002 || point == 0xFF01 || point == 0xFF1F || point == 0xFF61;
}

/* What goes with a full stop before it: closing brackets and quotes, more stops, white space. */
static bool goes_with_stop(uint32_t point)
{
    uint8_t category = wl_unicode_category(point);
    return category == WL_CATEGORY_PE || category == WL_CATEGORY_PF || wl_ends_sentence(point) || wl_is_blank(point);
}

/* Cuts [begin, end) into sentences: behind white space that follows a stop, where a capital or a line end comes next,
 * and behind full stops of Chinese and Japanese, which no white space follows. */
static wl_status add_spans(wl_text text, size_t begin, size_t end, wl_passages *pieces, wl_error *error)
{
    bool stopped = false, full = false;
    size_t length, unused;
    for (size_t at = begin; at < end; at += length) {
        uint32_t point = wl_utf8_decode(text.data + at, &length);
        size_t line_end = wl_line_end(text, at), next = at + (line_end ? line_end : length);
        length = next - at;
        if (next == end) break;
        uint32_t after = wl_utf8_decode(text.data + next, &unused);
        bool ends = false;
        if (wl_ends_sentence(point)) {
            stopped = true;
        } else if (stopped && (point == ' ' || line_end)) {
            ends = wl_line_end(text, next) || wl_is_upper(after);
            stopped = false;
        }
        full = is_full_stop(point) || (full && goes_with_stop(point));
        if (!ends && !(full && !goes_with_stop(after))) continue;
        if (add_piece(pieces, span_of(text.data, begin, next), error)) return error->code;
        begin = next;
        stopped = full = false;
    }
    return begin < end ? add_piece(pieces, span_of(text.data, begin, end), error) : WL_OK;
}

/* Where to cut text that begins at begin, so that at most `most` characters come before: the end of it if they are all,
 * else behind the last white space, else behind the last grapheme cluster, else behind the last character. */
static size_t find_cut(wl_text text, size_t begin, size_t end, size_t most)
{
    size_t limit = begin, length, blank = 0, cluster = 0;
    for (size_t left = most; left && limit < end; left--) limit += wl_utf8_length((unsigned char)text.data[limit]);
    if (limit == end) return end;
    /* One character beyond the limit tells whether a cluster ends there; a cluster of any length is not read on. */
    size_t seen = limit + wl_utf8_length((unsigned char)text.data[limit]);
    for (size_t at = begin; at < limit;) {
        bool is_blank = wl_is_blank(wl_utf8_decode(text.data + at, &length));
        at = wl_grapheme_end(text.data, seen, at);
        if (at > limit) break;
        cluster = at;
        if (is_blank) blank = at;
    }
    return blank ? blank : cluster ? cluster : limit;
}

/* Cuts pieces above the target. Characters: once. Tokens, whose places are not known: into pieces of so many characters
 * as would hold the target if tokens were spread evenly, but a quarter less than the whole at least, and what is still
 * above it once more; a few rounds do. */
static wl_status cut_spans(wl_text text, const wl_cut *cut, wl_passages *pieces, wl_error *error)
{
    for (bool again = true; again;) {
        wl_passages shorter = {0};
        wl_status status = WL_OK;
        again = false;
        for (size_t i = 0; i < pieces->count && !status; i++) {
            const wl_passage *piece = &pieces->items[i];
            size_t first = shorter.count, most = cut->target;
            size_t characters = cut->measure ? wl_utf8_count(text.data + piece->begin, piece->end - piece->begin) : 0;
            if (piece->size <= cut->target || (cut->measure && characters < 2)) {
                status = add_piece(&shorter, *piece, error);
                continue;
            }
            if (cut->measure) {
                double even = (double)characters * (double)cut->target / (double)piece->size;
                most = even < (double)characters * 0.75 ? (size_t)even : characters - characters / 4 - 1;
                if (most == 0) most = 1;
                again = true;
            }
            for (size_t at = piece->begin, end; at < piece->end && !status; at = end) {
                end = find_cut(text, at, piece->end, most);
                status = add_piece(&shorter, span_of(text.data, at, end), error);
            }
            if (!status) status = measure(cut, text.data, &shorter, first, error);
        }
        free(pieces->items);
        *pieces = shorter;
        if (status) return status;
    }
    return WL_OK;
}

/* A blank piece says nothing: it joins the one before or else the one behind it, if there is room. */
static size_t join_blanks(const char *text, wl_passage *pieces, size_t count, size_t most)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        wl_passage piece = pieces[i];
        if (all_blank(text, piece.begin, piece.end)) {
            if (kept && pieces[kept - 1].size + piece.size <= most) {
                join(&pieces[kept - 1], &piece, 0);
                continue;
            }
            if (i + 1 < count && piece.size + pieces[i + 1].size <= most) join(&piece, &pieces[++i], 0);
        }
        pieces[kept++] = piece;
    }
    return kept;
}

static wl_status cut_long_spans(wl_text text, const wl_cut *cut, const wl_passages *lines, wl_passages *pieces,
                                wl_error *error)
{
    wl_passages sentences = {0};
    wl_status status = WL_OK;
    for (size_t i = 0; i < lines->count && !status; i++) {
        const wl_passage *line = &lines->items[i];
        if (line->size <= cut->target) {
            status = add_piece(pieces, *line, error);
            continue;
        }
        sentences.count = 0;
        status = add_spans(text, line->begin, line->end, &sentences, error);
        if (!status) status = measure(cut, text.data, &sentences, 0, error);
        if (!status) status = cut_spans(text, cut, &sentences, error);
        if (status) break;
        sentences.count = wl_coalesce(sentences.items, sentences.count, cut->target, 0);
        sentences.count = wl_merge_small(sentences.items, sentences.count, cut->cleanup, cut->target, 0);
        for (size_t j = 0; j < sentences.count && !status; j++) status = add_piece(pieces, sentences.items[j], error);
    }
    free(sentences.items);
    return status;
}

wl_status wl_cut_spans(wl_text text, const wl_cut *cut, wl_passages *pieces, wl_error *error)
{
    wl_passages lines = {0};
    if (text.size == 0) return WL_OK;
    wl_status status = add_lines(text, NULL, &lines, error);
    if (!status) status = measure(cut, text.data, &lines, 0, error);
    if (!status) {
        lines.count = wl_coalesce(lines.items, lines.count, cut->intermediate, 0);
        lines.count = wl_merge_small(lines.items, lines.count, cut->cleanup, cut->target, 0);
        status = cut_long_spans(text, cut, &lines, pieces, error);
    }
    if (!status) pieces->count = join_blanks(text.data, pieces->items, pieces->count, cut->target);
    free(lines.items);
    return status;
}
