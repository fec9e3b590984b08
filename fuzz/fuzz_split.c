/* Any bytes as a text to be cut, and as numbers to find minima of; what of splitting needs no model. Pieces must lie in
 * order, those of spans cover the text and hold at most the target, and the quantile must be that of sorted values.
 *
 * Bytes 0 to 2 choose the sizes, byte 3 the filter and whether sizes are counted in bytes, which stand for tokens; the
 * rest is the text. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "algo/minima.h"
#include "algo/sentences.h"
#include "text/unicode/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds) abort();
}

static wl_status count_bytes(void *user, const char *text, wl_passage *pieces, size_t count, wl_error *error)
{
    (void)user;
    (void)text;
    (void)error;
    for (size_t i = 0; i < count; i++) pieces[i].size = pieces[i].end - pieces[i].begin;
    return WL_OK;
}

static void cut_lines(wl_text text, const wl_cut *cut)
{
    wl_error error;
    wl_passages pieces = {0};
    char *copy = malloc(text.size ? text.size : 1); /* ends at a red zone */
    require(copy && wl_cut_lines(text, cut, copy, &pieces, &error) == WL_OK);
    for (size_t i = 0; i < pieces.count; i++) {
        const wl_passage *piece = &pieces.items[i];
        size_t length = piece->end - piece->begin;
        require(piece->begin == (i ? piece[-1].end + 1 : 0) && length && piece->end <= text.size);
        require(piece->from <= piece->to && piece->to <= text.size && (i == 0 || piece[-1].to <= piece->from));
        require(wl_utf8_valid(copy + piece->begin, length) == length);
        require(cut->measure || piece->size == wl_utf8_count(copy + piece->begin, length));
    }
    free(copy);
    free(pieces.items);
}

static void cut_spans(wl_text text, const wl_cut *cut)
{
    wl_error error;
    wl_passages pieces = {0};
    size_t at = 0;
    require(wl_cut_spans(text, cut, &pieces, &error) == WL_OK);
    for (size_t i = 0; i < pieces.count; i++) {
        const wl_passage *piece = &pieces.items[i];
        size_t length = piece->end - piece->begin, characters = wl_utf8_count(text.data + piece->begin, length);
        require(piece->begin == at && length && wl_utf8_valid(text.data + at, length) == length);
        require(piece->size == (cut->measure ? length : characters));
        require(piece->size <= cut->target || (cut->measure && characters == 1));
        at = piece->end;
    }
    require(at == text.size);
    free(pieces.items);
}

static int by_value(const void *a, const void *b)
{
    float left = *(const float *)a, right = *(const float *)b;
    return (left > right) - (left < right);
}

static void find_minima(const uint8_t *data, size_t size, size_t window, size_t order)
{
    wl_error error;
    size_t count = size / sizeof(float), found;
    float *values = malloc(count * sizeof *values + 1);
    size_t *places = malloc(count * sizeof *places + 1);
    require(values && places);
    bool ordered = true;
    if (count) memcpy(values, data, count * sizeof *values);
    for (size_t i = 0; i < count; i++) ordered = ordered && isfinite(values[i]) && fabsf(values[i]) < 1e30F;
    require(wl_local_minima(values, count, window, order, places, &found, &error) == WL_OK);
    for (size_t i = 0; i < found; i++) require(places[i] < count && (i == 0 || places[i - 1] < places[i]));
    if (count) {
        float low = wl_quantile(values, count, 0.4);
        qsort(values, count, sizeof *values, by_value);
        size_t rank = (size_t)(0.4 * (double)(count - 1));
        if (ordered) require(low >= values[rank] && low <= values[rank + 1 < count ? rank + 1 : rank]);
    }
    free(values);
    free(places);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 4) return 0;
    size_t cleanup = 1 + data[0] % 32, intermediate = cleanup + 1 + data[1] % 64, target = intermediate + 1 + data[2];
    const wl_cut cut = {target, intermediate, cleanup, data[3] & 1 ? count_bytes : NULL, NULL};
    size_t window = 3 + (data[3] >> 1 & 15) * 2, order = 1 + (data[3] >> 5) % (window - 1);
    data += 4, size -= 4;
    wl_error error;
    wl_buffer repaired = {0};
    uint64_t replaced = 0;
    require(wl_utf8_repair((const char *)data, size, &repaired, &replaced, &error) == WL_OK);
    char *copy = malloc(repaired.size ? repaired.size : 1);
    require(copy);
    if (repaired.size) memcpy(copy, repaired.data, repaired.size);
    cut_lines((wl_text){copy, repaired.size}, &cut);
    cut_spans((wl_text){copy, repaired.size}, &cut);
    find_minima(data, size, window, order);
    free(copy);
    wl_buffer_free(&repaired);
    return 0;
}
