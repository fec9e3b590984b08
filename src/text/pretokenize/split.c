/* Split, and what becomes of the delimiters of any step. */
#include "text/pretokenize/cut.h"

/* Whether a part joins the one before it. */
static bool joins(wl_split_behavior behavior, bool before, bool now)
{
    switch (behavior) {
    case WL_SPLIT_MERGED_WITH_PREVIOUS:
        return now && !before;
    case WL_SPLIT_MERGED_WITH_NEXT:
        return before && !now;
    case WL_SPLIT_CONTIGUOUS:
        return before == now;
    case WL_SPLIT_REMOVED:
    case WL_SPLIT_ISOLATED:
        break;
    }
    return false;
}

wl_status wl_cutter_add(wl_cutter *cutter, size_t begin, size_t end, bool delimiter, wl_error *error)
{
    if (cutter->behavior <= WL_SPLIT_ISOLATED)
        return delimiter && cutter->behavior == WL_SPLIT_REMOVED ? WL_OK
                                                                 : wl_pieces_add(cutter->pieces, begin, end, error);
    if (cutter->pending && joins(cutter->behavior, cutter->delimiter, delimiter))
        begin = cutter->begin;
    else if (wl_cutter_end(cutter, error))
        return error->code;
    cutter->pending = true;
    cutter->delimiter = delimiter;
    cutter->begin = begin;
    cutter->end = end;
    return WL_OK;
}

wl_status wl_cutter_end(wl_cutter *cutter, wl_error *error)
{
    return cutter->pending ? wl_pieces_add(cutter->pieces, cutter->begin, cutter->end, error) : WL_OK;
}

wl_status wl_cut_pattern(const wl_pretokenizer *step, const char *text, size_t begin, size_t end, wl_pieces *pieces,
                         wl_error *error)
{
    wl_cutter cutter = {.behavior = step->behavior, .pieces = pieces};
    const wl_words_rules *words = step->pattern.words;
    size_t size = end - begin, at = 0, first, last;
    text += begin;
    /* The usual way: no gaps, each match a piece. */
    if (words && words->covers && step->behavior == WL_SPLIT_ISOLATED) {
        for (; at < size; at = last) {
            last = wl_words_next(words, text, size, at);
            if (wl_pieces_add(pieces, begin + at, begin + last, error)) return error->code;
        }
        return WL_OK;
    }
    for (bool found = false;; at = last) {
        if (wl_pattern_find(&step->pattern, text, size, at, &found, &first, &last, error)) return error->code;
        if (!found) break;
        if (first > at && wl_cutter_add(&cutter, begin + at, begin + first, step->invert, error)) return error->code;
        if (wl_cutter_add(&cutter, begin + first, begin + last, !step->invert, error)) return error->code;
    }
    if (at < size && wl_cutter_add(&cutter, begin + at, end, step->invert, error)) return error->code;
    return wl_cutter_end(&cutter, error);
}
