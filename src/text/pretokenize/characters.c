/* The pre-tokenizers that look at one character at a time. */
#include "text/pretokenize/cut.h"
#include "text/unicode/unicode.h"
#include "text/unicode/utf8.h"

static wl_status cut_bert(const char *text, size_t begin, size_t end, wl_pieces *pieces, wl_error *error)
{
    size_t word = begin, length;
    for (size_t at = begin; at < end; at += length) {
        uint8_t class = wl_unicode_class(wl_utf8_decode(text + at, &length));
        if (!(class & (WL_UNICODE_SPACE | WL_UNICODE_BERT_PUNCTUATION))) continue;
        if (wl_pieces_add(pieces, word, at, error)) return error->code;
        if (!(class & WL_UNICODE_SPACE) && wl_pieces_add(pieces, at, at + length, error)) return error->code;
        word = at + length;
    }
    return wl_pieces_add(pieces, word, end, error);
}

/* Runs of \w and of what is neither \w nor \s, by the regex crate's tables; white space is dropped. */
static wl_status cut_whitespace(const char *text, size_t begin, size_t end, wl_pieces *pieces, wl_error *error)
{
    size_t run = begin, length;
    uint8_t last = WL_UNICODE_SPACE;
    for (size_t at = begin; at < end; at += length) {
        uint8_t class = wl_unicode_class(wl_utf8_decode(text + at, &length)) & (WL_UNICODE_SPACE | WL_UNICODE_WORD);
        if (class == last) continue;
        if (last != WL_UNICODE_SPACE && wl_pieces_add(pieces, run, at, error)) return error->code;
        run = at;
        last = class;
    }
    return last == WL_UNICODE_SPACE ? WL_OK : wl_pieces_add(pieces, run, end, error);
}

static wl_status cut_length(const wl_pretokenizer *step, const char *text, size_t begin, size_t end, wl_pieces *pieces,
                            wl_error *error)
{
    while (begin < end) {
        size_t at = begin;
        for (size_t i = 0; i < step->length && at < end; i++) at += wl_utf8_length((unsigned char)text[at]);
        if (wl_pieces_add(pieces, begin, at, error)) return error->code;
        begin = at;
    }
    return WL_OK;
}

/* What stands before the first character with a script of its own is dropped, as the oracle does. */
static wl_status cut_scripts(const char *text, size_t begin, size_t end, wl_pieces *pieces, wl_error *error)
{
    size_t run = end, length;
    uint8_t last = WL_SCRIPT_ANY;
    for (size_t at = begin; at < end; at += length) {
        uint8_t script = wl_unicode_script(wl_utf8_decode(text + at, &length));
        if (script == WL_SCRIPT_ANY || script == last) continue;
        if (last != WL_SCRIPT_ANY && wl_pieces_add(pieces, run, at, error)) return error->code;
        run = at;
        last = script;
    }
    return wl_pieces_add(pieces, run, end, error);
}

static bool is_delimiter(const wl_pretokenizer *step, uint32_t point)
{
    switch (step->kind) {
    case WL_PRETOKENIZE_SPACES:
        return wl_unicode_class(point) & WL_UNICODE_SPACE;
    case WL_PRETOKENIZE_PUNCTUATION:
        return wl_unicode_class(point) & WL_UNICODE_BERT_PUNCTUATION;
    case WL_PRETOKENIZE_DIGITS:
        return wl_unicode_traits(point) & WL_TRAIT_NUMERIC;
    default:
        return point == step->delimiter;
    }
}

static wl_status cut_delimiters(const wl_pretokenizer *step, const char *text, size_t begin, size_t end,
                                wl_pieces *pieces, wl_error *error)
{
    bool spaces = step->kind == WL_PRETOKENIZE_SPACES, removes = spaces || step->kind == WL_PRETOKENIZE_DELIMITER;
    wl_cutter cutter = {.behavior = removes ? WL_SPLIT_REMOVED : step->behavior, .pieces = pieces};
    size_t rest = begin, length;
    for (size_t at = begin; at < end; at += length) {
        unsigned char first = (unsigned char)text[at];
        /* U+4000 to U+9FFF and most of ASCII, without a look at the tables. */
        if (spaces && (first - 0xE4u < 6 || first - 0x21u < 0x5F)) {
            length = first < 0x80 ? 1 : 3;
            continue;
        }
        if (!is_delimiter(step, wl_utf8_decode(text + at, &length))) continue;
        if (rest < at && wl_cutter_add(&cutter, rest, at, false, error)) return error->code;
        if (wl_cutter_add(&cutter, at, at + length, true, error)) return error->code;
        rest = at + length;
    }
    if (rest < end && wl_cutter_add(&cutter, rest, end, false, error)) return error->code;
    return wl_cutter_end(&cutter, error);
}

wl_status wl_cut_characters(const wl_pretokenizer *step, const char *text, size_t begin, size_t end, wl_pieces *pieces,
                            wl_error *error)
{
    switch (step->kind) {
    case WL_PRETOKENIZE_BERT:
        return cut_bert(text, begin, end, pieces, error);
    case WL_PRETOKENIZE_WHITESPACE:
        return cut_whitespace(text, begin, end, pieces, error);
    case WL_PRETOKENIZE_LENGTH:
        return cut_length(step, text, begin, end, pieces, error);
    case WL_PRETOKENIZE_SCRIPTS:
        return cut_scripts(text, begin, end, pieces, error);
    default:
        return cut_delimiters(step, text, begin, end, pieces, error);
    }
}
