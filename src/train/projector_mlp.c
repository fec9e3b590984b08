/* MLP: y = V m + c, where m is the mean over a text's tokens of h = relu(W g E + b). The outer map commutes with the
 * mean; the hidden layer is computed once for each different token of the batch.
 *
 * Cost: three products of 2 * tokens * hidden * inputs operations (two without token weights), over the different
 * tokens, and three of 2 * texts * dim * hidden. Memory: the hidden layer and its mean; rows of the table in blocks. */
#include "train/projector_parts.h"
#include "train/token_weights.h"

enum { COLUMNS = 256 };

static wl_status create(wl_projector *projector, wl_error *error)
{
    size_t block = wl_projector_block(projector);
    if (block > projector->table.rows) block = projector->table.rows;
    if (wl_projector_add_affine(projector, &projector->hidden, "hidden.weight", "hidden.bias",
                                projector->options.hidden, projector->table.dim, error) ||
        wl_projector_add_affine(projector, &projector->output, "projection.weight", "projection.bias",
                                projector->options.dim, projector->options.hidden, error) ||
        wl_token_index_create(&projector->index, projector->table.rows, error))
        return error->code;
    projector->singles = wl_allocate(block + 1, sizeof *projector->singles, error);
    if (!projector->singles) return WL_ERROR_MEMORY;
    for (size_t i = 0; i <= block; i++) projector->singles[i] = i;
    return WL_OK;
}

/* Different tokens [first, ...) as texts of one token each, at most `most`. */
static wl_bags tokens_of(const wl_projector *projector, size_t first, size_t most)
{
    size_t left = projector->index.count - first;
    return (wl_bags){projector->index.tokens + first, projector->singles, left < most ? left : most};
}

/* Their weighted rows are in projector->inputs afterwards. */
static void hold(wl_projector *projector, wl_pool *pool, const wl_bags *tokens, size_t first)
{
    if (projector->held == first) return;
    const float *weights = projector->token_weights ? projector->weights.data + first : NULL;
    wl_bags_pool(pool, &projector->table, tokens, weights, projector->inputs.data);
    projector->held = first;
}

static wl_bag_table units_of(const wl_projector *projector)
{
    return (wl_bag_table){projector->units.data, WL_F32, projector->index.count, projector->options.hidden};
}

static void rectify(void *user, uint32_t worker, size_t item)
{
    (void)worker;
    wl_projector *this = user;
    size_t hidden = this->options.hidden;
    float *units = this->units.data + item * hidden;
    for (size_t j = 0; j < hidden; j++) units[j] = units[j] < 0 ? 0 : units[j]; /* NaN stays */
}

static wl_status forward(wl_projector *projector, wl_pool *pool, const wl_bags *bags, float *out, wl_error *error)
{
    wl_token_index *index = &projector->index;
    size_t hidden = projector->options.hidden, block = wl_projector_block(projector);
    if (wl_token_index_build(index, bags, error) ||
        wl_scratch_need(&projector->inputs, index->count < block ? index->count : block, projector->table.dim, error) ||
        wl_scratch_need(&projector->units, index->count, hidden, error) ||
        wl_scratch_need(&projector->means, bags->count, hidden, error) ||
        wl_scratch_need(&projector->weights, projector->token_weights ? index->count : 0, 1, error))
        return error->code;
    if (projector->token_weights)
        wl_token_weights_forward(projector->token_weights, pool, index->tokens, 0, index->count,
                                 projector->weights.data);
    for (size_t first = 0; first < index->count; first += block) {
        wl_bags tokens = tokens_of(projector, first, block);
        hold(projector, pool, &tokens, first);
        wl_affine_forward(&projector->hidden, pool, projector->inputs.data, tokens.count, NULL,
                          projector->units.data + first * hidden);
    }
    wl_pool_run(pool, index->count, rectify, projector);
    wl_bag_table units = units_of(projector);
    wl_bags places = {index->places, bags->starts, bags->count};
    wl_bags_pool(pool, &units, &places, NULL, projector->means.data);
    wl_affine_forward(&projector->output, pool, projector->means.data, bags->count, bags->starts, out);
    return WL_OK;
}

/* The slopes of one token's units take their place: 0 where a unit is 0. */
static void unit_slopes(void *user, uint32_t worker, size_t item)
{
    (void)worker;
    wl_projector *this = user;
    size_t hidden = this->options.hidden;
    float *units = this->units.data + item * hidden, sum[COLUMNS];
    for (size_t column = 0; column < hidden; column += COLUMNS) {
        size_t width = hidden - column < COLUMNS ? hidden - column : COLUMNS;
        wl_token_index_sum(&this->index, item, this->mean_slopes.data, hidden, column, width, sum);
        for (size_t j = 0; j < width; j++) units[column + j] = units[column + j] > 0 ? sum[j] : 0;
    }
}

static wl_status backward(wl_projector *projector, wl_pool *pool, const wl_bags *bags, const float *slopes,
                          wl_error *error)
{
    wl_token_index *index = &projector->index;
    size_t hidden = projector->options.hidden, block = wl_projector_block(projector);
    if (wl_scratch_need(&projector->mean_slopes, bags->count, hidden, error)) return error->code;
    wl_affine_backward(&projector->output, pool, projector->means.data, slopes, bags->count, bags->starts);
    wl_affine_inputs(&projector->output, pool, slopes, bags->count, projector->mean_slopes.data);
    wl_pool_run(pool, index->count, unit_slopes, projector);
    for (size_t first = 0; first < index->count; first += block) {
        wl_bags tokens = tokens_of(projector, first, block);
        hold(projector, pool, &tokens, first);
        wl_affine_backward(&projector->hidden, pool, projector->inputs.data, projector->units.data + first * hidden,
                           tokens.count, NULL);
    }
    if (!projector->token_weights) return WL_OK;
    /* No block is gathered any more: the weights make room for their slopes. */
    block = wl_projector_slope_block(projector);
    if (wl_scratch_need(&projector->input_slopes, index->count < block ? index->count : block, projector->table.dim,
                        error))
        return error->code;
    for (size_t first = 0; first < index->count; first += block) {
        wl_bags tokens = tokens_of(projector, first, block);
        wl_affine_inputs(&projector->hidden, pool, projector->units.data + first * hidden, tokens.count,
                         projector->input_slopes.data);
        wl_bags_weight_slopes(pool, &projector->table, &tokens, projector->input_slopes.data,
                              projector->weights.data + first);
    }
    wl_token_weights_backward(projector->token_weights, pool, index->tokens, 0, index->count, projector->weights.data);
    return WL_OK;
}

const wl_projector_functions wl_projector_mlp = {create, forward, backward, wl_projector_clear_all};
