/* LINEAR: y = W p + b, where p is the weighted mean of a text's rows. The mean and the linear map commute, so this is
 * what projecting every token and then pooling would give, at one product a text.
 *
 * Cost of forward and backward: the gather, once more for the slopes of token weights, and three products of
 * 2 * texts * dim * inputs operations (two without token weights). Memory: the pooled texts, in blocks. */
#include "train/projector_parts.h"
#include "train/token_weights.h"

static wl_status create(wl_projector *projector, wl_error *error)
{
    return wl_projector_add_affine(projector, &projector->output, "projection.weight", "projection.bias",
                                   projector->options.dim, projector->table.dim, error);
}

static wl_status forward(wl_projector *projector, wl_pool *pool, const wl_bags *bags, float *out, wl_error *error)
{
    size_t block = wl_projector_block(projector), begin = bags->starts[0], end = bags->starts[bags->count];
    if (wl_scratch_need(&projector->inputs, bags->count < block ? bags->count : block, projector->table.dim, error) ||
        wl_scratch_need(&projector->weights, projector->token_weights ? end : 0, 1, error))
        return error->code;
    if (projector->token_weights)
        wl_token_weights_forward(projector->token_weights, pool, bags->ids, begin, end, projector->weights.data);
    for (size_t first = 0; first < bags->count; first += block) {
        wl_bags part = wl_projector_part(bags, first, block);
        wl_projector_hold(projector, pool, &part, first);
        wl_affine_forward(&projector->output, pool, projector->inputs.data, part.count, part.starts,
                          out + first * projector->options.dim);
    }
    return WL_OK;
}

static wl_status backward(wl_projector *projector, wl_pool *pool, const wl_bags *bags, const float *slopes,
                          wl_error *error)
{
    size_t dim = projector->options.dim, block = wl_projector_block(projector);
    for (size_t first = 0; first < bags->count; first += block) {
        wl_bags part = wl_projector_part(bags, first, block);
        wl_projector_hold(projector, pool, &part, first);
        wl_affine_backward(&projector->output, pool, projector->inputs.data, slopes + first * dim, part.count,
                           part.starts);
    }
    if (!projector->token_weights) return WL_OK;
    /* No block is pooled any more: the weights make room for their slopes. */
    block = wl_projector_slope_block(projector);
    if (wl_scratch_need(&projector->input_slopes, bags->count < block ? bags->count : block, projector->table.dim,
                        error))
        return error->code;
    for (size_t first = 0; first < bags->count; first += block) {
        wl_bags part = wl_projector_part(bags, first, block);
        wl_affine_inputs(&projector->output, pool, slopes + first * dim, part.count, projector->input_slopes.data);
        wl_bags_weight_slopes(pool, &projector->table, &part, projector->input_slopes.data, projector->weights.data);
    }
    wl_token_weights_backward(projector->token_weights, pool, bags->ids, bags->starts[0], bags->starts[bags->count],
                              projector->weights.data);
    return WL_OK;
}

const wl_projector_functions wl_projector_linear = {create, forward, backward, wl_projector_clear_all};
