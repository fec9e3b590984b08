/* Texts scored against a query: rank, topk, filter and key are one job with other ends. Texts are embedded and scored
 * in slices, so that no more vectors than those of a slice are held. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "algo/select.h"
#include "text/context.h"
#include "vector/vectors.h"

enum { SLICE = 1024 }; /* texts embedded before they are scored: their vectors stay in the cache near the core */

struct wl_key {
    const wl_model *model;
    wl_embed_options embed;
    wl_comparison comparison;
    size_t row_size;
    double square; /* of the query's row */
    void *query;
};

static wl_status read_options(wl_rank_options *chosen, const wl_rank_options *options, wl_error *error)
{
    if (wl_read_options(chosen, sizeof *chosen, options, "wl_rank_options", error)) return error->code;
    if (chosen->above && isnan(chosen->threshold))
        return wl_fail(error, WL_ERROR_ARGUMENT, "the threshold is not a number");
    return WL_OK;
}

static wl_status open_key(wl_key *key, const wl_model *model, wl_context *context, wl_text query,
                          const wl_rank_options *options, wl_error *error)
{
    *key = (wl_key){
        .model = model,
        .embed = {.size = sizeof key->embed, .binary = options->binary, .dim = options->dim, .normalize = WL_OFF}};
    if (!model || !context) return wl_fail(error, WL_ERROR_ARGUMENT, "no %s given", model ? "context" : "model");
    size_t dim = wl_model_describe(model).dim;
    wl_vectors rows = {NULL, 0, options->dim ? options->dim : dim, options->binary ? WL_ELEMENT_BITS : WL_ELEMENT_F32};
    if (wl_comparison_open(&key->comparison, &rows, options->measure, error)) return error->code;
    key->row_size = wl_vector_size(rows.element, rows.dim);
    key->query = wl_allocate(key->row_size, 1, error);
    if (!key->query || wl_embed(model, context, &query, 1, &key->embed, key->query, key->row_size, error))
        return error->code;
    key->square = wl_row_square(&key->comparison, key->query);
    return WL_OK;
}

wl_key *wl_key_create(const wl_model *model, wl_context *context, wl_text query, const wl_rank_options *options,
                      wl_error *error)
{
    wl_error unused;
    if (!error) error = &unused;
    wl_rank_options chosen;
    wl_key *key = read_options(&chosen, options, error) ? NULL : wl_allocate(1, sizeof *key, error);
    if (!key) return NULL;
    if (open_key(key, model, context, query, &chosen, error)) {
        wl_key_free(key);
        return NULL;
    }
    return key;
}

void wl_key_free(wl_key *key)
{
    if (!key) return;
    free(key->query);
    free(key);
}

wl_status wl_key_score(const wl_key *key, wl_context *context, wl_text text, float *score, wl_error *error)
{
    wl_error unused;
    if (!error) error = &unused;
    if (!key || !score) return wl_fail(error, WL_ERROR_ARGUMENT, "no %s given", key ? "score" : "key");
    void *row = wl_allocate(key->row_size, 1, error);
    if (!row) return error->code;
    wl_status status = wl_embed(key->model, context, &text, 1, &key->embed, row, key->row_size, error);
    if (!status) *score = (float)wl_row_score(&key->comparison, key->query, key->square, row);
    free(row);
    return status;
}

static wl_status score_texts(const wl_key *key, wl_context *context, const wl_text *texts, size_t count,
                             const wl_rank_options *options, wl_selection *kept, wl_error *error)
{
    size_t most = count < SLICE ? count : SLICE;
    char *rows = wl_allocate(most, key->row_size, error);
    wl_status status = rows ? WL_OK : WL_ERROR_MEMORY;
    for (size_t first = 0; first < count && !status; first += most) {
        size_t here = count - first < most ? count - first : most;
        status = wl_embed(key->model, context, texts + first, here, &key->embed, rows, here * key->row_size, error);
        for (size_t i = 0; i < here && !status; i++) {
            double score = wl_row_score(&key->comparison, key->query, key->square, rows + i * key->row_size);
            if (options->above && !((float)score > (float)options->threshold)) continue;
            wl_select(kept, (wl_match){first + i, (float)score});
        }
    }
    free(rows);
    return status;
}

static int by_index(const void *a, const void *b)
{
    const wl_match *x = a, *y = b;
    return (x->index > y->index) - (x->index < y->index);
}

wl_status wl_rank(const wl_model *model, wl_context *context, wl_text query, const wl_text *texts, size_t count,
                  const wl_rank_options *options, wl_match *out, size_t *kept, wl_error *error)
{
    wl_error unused;
    if (!error) error = &unused;
    wl_rank_options chosen;
    if (read_options(&chosen, options, error)) return error->code;
    if ((count && (!texts || !out)) || !kept)
        return wl_fail(error, WL_ERROR_ARGUMENT, "no %s given", !kept ? "kept" : texts ? "room for matches" : "texts");
    wl_key key;
    wl_selection selection = {out, 0, chosen.top && chosen.top < count ? chosen.top : count};
    wl_status status = open_key(&key, model, context, query, &chosen, error);
    if (!status) status = score_texts(&key, context, texts, count, &chosen, &selection, error);
    free(key.query);
    if (status) return status;
    *kept = selection.count;
    if (chosen.keep_order)
        qsort(out, selection.count, sizeof *out, by_index);
    else
        wl_sort_matches(out, selection.count);
    return WL_OK;
}
