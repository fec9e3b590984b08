/* BertNormalizer in one pass: clean, space around Chinese characters, decompose (NFD), drop marks, lower case.
 *
 * The stages are the oracle's, in its order. Only NFD looks at more than one character: it collects a starter and the
 * marks behind it, orders the marks by combining class (Unicode, section 3.11, D109; stable), and hands them on. The
 * oracle gives the reordered characters the places of the original ones in their original order: `sources` is that
 * queue, and a character that a decomposition added stays where the one before it was.
 * Cost: linear; a run of n marks is sorted by counting, in O(n). */
#include "text/normalize/ascii.h"
#include "text/normalize/normalize.h"
#include "text/unicode/unicode.h"
#include "text/unicode/utf8.h"

struct pass {
    const wl_normalizer *step;
    wl_string *out;
    wl_normalize_scratch *scratch;
    wl_error *error;
    wl_span last; /* place of the last original character handed on */
};

static wl_status lower(struct pass *pass, uint32_t point, wl_span span)
{
    if (!pass->step->lowercase) return wl_string_add_point(pass->out, point, span, pass->error);
    uint32_t points[3];
    size_t count = wl_unicode_lower(point, points);
    for (size_t i = 0; i < count; i++)
        if (wl_string_add_point(pass->out, points[i], span, pass->error)) return pass->error->code;
    return WL_OK;
}

static wl_status flush(struct pass *pass)
{
    wl_normalize_scratch *scratch = pass->scratch;
    if (wl_form_order(&scratch->form, pass->error)) return pass->error->code;
    for (size_t i = 0; i < scratch->form.pending_count; i++) {
        const wl_pending *item = &scratch->form.pending[i];
        if (!item->extra) pass->last = scratch->sources[scratch->source_begin++];
        if (wl_unicode_class(item->point) & WL_UNICODE_MARK) continue;
        if (lower(pass, item->point, pass->last)) return pass->error->code;
    }
    scratch->form.pending_count = 0;
    if (scratch->source_begin == scratch->source_count) scratch->source_begin = scratch->source_count = 0;
    return WL_OK;
}

static wl_status decompose(struct pass *pass, uint32_t point, wl_span span)
{
    if (!pass->step->strip_accents) return lower(pass, point, span);
    wl_normalize_scratch *scratch = pass->scratch;
    void *sources = scratch->sources;
    wl_status status =
        wl_reserve(&sources, &scratch->source_capacity, scratch->source_count + 1, sizeof span, pass->error);
    scratch->sources = sources;
    if (status) return status;
    scratch->sources[scratch->source_count++] = span;
    uint32_t points[4];
    size_t count = wl_unicode_decompose(point, points);
    for (size_t i = 0; i < count; i++) {
        uint8_t combining = wl_unicode_combining(points[i]);
        if (combining == 0 && flush(pass)) return pass->error->code;
        if (wl_form_add(&scratch->form, points[i], combining, i > 0, pass->error)) return pass->error->code;
    }
    return WL_OK;
}

wl_status wl_normalize_bert(const wl_normalizer *step, const wl_string *in, wl_string *out,
                            wl_normalize_scratch *scratch, wl_error *error)
{
    struct pass pass = {step, out, scratch, error, {0, 0}};
    scratch->form.pending_count = scratch->source_begin = scratch->source_count = 0;
    size_t length;
    for (size_t at = 0; at < in->text.size; at += length) {
        /* Of printable ASCII only the last one can have marks behind it; the others have no steps but lower case. */
        size_t end = wl_printable_end(in->text.data, in->text.size, at);
        if (end > at + 1) {
            if (flush(&pass)) return error->code;
            size_t to = out->text.size;
            if (wl_string_add_slice(out, in, at, end - 1, error)) return error->code;
            if (step->lowercase) wl_ascii_lower(out->text.data + to, end - 1 - at);
            at = end - 1;
        }
        uint32_t point = wl_utf8_decode(in->text.data + at, &length);
        wl_span span = wl_string_span(in, at);
        uint8_t class = wl_unicode_class(point);
        if (step->clean_text && class & WL_UNICODE_BERT_REMOVED) continue;
        if (step->clean_text && class & WL_UNICODE_BERT_SPACE) point = ' ';
        bool apart = step->chinese_chars && class & WL_UNICODE_BERT_CHINESE;
        if (apart && decompose(&pass, ' ', span)) return error->code;
        if (decompose(&pass, point, span)) return error->code;
        if (apart && decompose(&pass, ' ', span)) return error->code;
    }
    return flush(&pass);
}
