/* ROTATION: y = Q p, where p is the mean of a text's rows and Q is orthogonal: cosines over all dimensions stay what
 * they are, and what the leading dimensions hold is learned. Q is what W's QR decomposition leaves of W, with signs so
 * that it is W where that is orthogonal already; it begins with the identity. A slope G of Q moves W along
 * Q (Q^T G - G^T Q) / 2, the part of G that leads to other rotations (Edelman, Arias and Smith, SIAM J. Matrix Anal.
 * Appl. 1998, section 2.2).
 *
 * Cost: the gather and a product of 2 * texts * dim^2 operations forward, another backward; 8 dim^3 a call. */
#include <string.h>

#include "matrix/matrix.h"
#include "train/projector_parts.h"

static wl_status create(wl_projector *projector, wl_error *error)
{
    size_t dim = projector->options.dim;
    wl_parameter *weight = projector->output.weight = wl_projector_add(projector, "rotation.weight", dim, dim, error);
    if (!weight || wl_scratch_need(&projector->rotation, dim, dim, error) ||
        wl_scratch_need(&projector->rotation_slopes, 2 * dim, dim, error))
        return WL_ERROR_MEMORY;
    for (size_t i = 0; i < dim; i++) weight->values[i * dim + i] = 1;
    return WL_OK;
}

/* Q, whose columns point to where W's do. */
static wl_status rotate(wl_projector *projector, wl_error *error)
{
    const float *weight = projector->output.weight->values;
    float *rotation = projector->rotation.data;
    size_t dim = projector->options.dim;
    memcpy(rotation, weight, dim * dim * sizeof *rotation);
    if (wl_orthonormalize(rotation, dim, dim, error)) return error->code;
    for (size_t j = 0; j < dim; j++) {
        double along = 0;
        for (size_t i = 0; i < dim; i++) along += (double)rotation[i * dim + j] * (double)weight[i * dim + j];
        for (size_t i = 0; i < dim && along < 0; i++) rotation[i * dim + j] = -rotation[i * dim + j];
    }
    return WL_OK;
}

static wl_status forward(wl_projector *projector, wl_pool *pool, const wl_bags *bags, float *out, wl_error *error)
{
    size_t dim = projector->options.dim, block = wl_projector_block(projector);
    if (wl_scratch_need(&projector->inputs, bags->count < block ? bags->count : block, dim, error) ||
        rotate(projector, error))
        return error->code;
    for (size_t first = 0; first < bags->count; first += block) {
        wl_bags part = wl_projector_part(bags, first, block);
        wl_projector_hold(projector, pool, &part, first);
        wl_multiply(pool, part.count, dim, dim, 1, (wl_side){projector->inputs.data, dim, false},
                    (wl_side){projector->rotation.data, dim, true}, 0, out + first * dim, dim);
    }
    return WL_OK;
}

static wl_status backward(wl_projector *projector, wl_pool *pool, const wl_bags *bags, const float *slopes,
                          wl_error *error)
{
    (void)error;
    size_t dim = projector->options.dim, block = wl_projector_block(projector);
    float *rotation = projector->rotation.data, *sum = projector->rotation_slopes.data, *turn = sum + dim * dim;
    for (size_t first = 0; first < bags->count; first += block) {
        wl_bags part = wl_projector_part(bags, first, block);
        wl_projector_hold(projector, pool, &part, first);
        wl_multiply(pool, dim, dim, part.count, 1, (wl_side){slopes + first * dim, dim, true},
                    (wl_side){projector->inputs.data, dim, false}, first ? 1 : 0, sum, dim);
    }
    wl_multiply(pool, dim, dim, dim, 0.5F, (wl_side){rotation, dim, true}, (wl_side){sum, dim, false}, 0, turn, dim);
    for (size_t i = 0; i < dim; i++)
        for (size_t j = 0; j <= i; j++) {
            float part = turn[i * dim + j] - turn[j * dim + i];
            turn[i * dim + j] = part;
            turn[j * dim + i] = -part;
        }
    wl_multiply(pool, dim, dim, dim, 1, (wl_side){rotation, dim, false}, (wl_side){turn, dim, false}, 1,
                projector->output.weight->slopes, dim);
    return WL_OK;
}

wl_status wl_projector_rotation(wl_projector *projector, float *out, wl_error *error)
{
    if (projector->options.kind != WL_PROJECT_ROTATION)
        return wl_fail(error, WL_ERROR_ARGUMENT, "the projector is no rotation");
    if (rotate(projector, error)) return error->code;
    memcpy(out, projector->rotation.data, projector->options.dim * projector->options.dim * sizeof *out);
    return WL_OK;
}

const wl_projector_functions wl_projector_rotating = {create, forward, backward, wl_projector_clear_all};
