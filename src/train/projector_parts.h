/* Inside of a projector: what its kinds share. */
#ifndef WL_TRAIN_PROJECTOR_PARTS_H
#define WL_TRAIN_PROJECTOR_PARTS_H

#include "train/affine.h"
#include "train/projector.h"
#include "train/token_index.h"

/* Numbers that are written before they are read; zero-initialized is empty. */
typedef struct wl_scratch {
    float *data;
    size_t capacity;
} wl_scratch;

/* Room for (rows, columns); on growth what it held is lost. */
wl_status wl_scratch_need(wl_scratch *scratch, size_t rows, size_t columns, wl_error *error);

typedef struct wl_projector_functions {
    wl_status (*create)(wl_projector *projector, wl_error *error); /* the parameters and what else the kind has */
    wl_status (*forward)(wl_projector *projector, wl_pool *pool, const wl_bags *bags, float *out, wl_error *error);
    wl_status (*backward)(wl_projector *projector, wl_pool *pool, const wl_bags *bags, const float *slopes,
                          wl_error *error);
    void (*clear)(wl_projector *projector);
} wl_projector_functions;

extern const wl_projector_functions wl_projector_linear, wl_projector_mlp, wl_projector_table, wl_projector_rotating;

struct wl_projector {
    const wl_projector_functions *functions;
    wl_projector_options options;
    wl_bag_table table;
    wl_parameters parameters;
    wl_affine hidden;              /* MLP */
    wl_affine output;              /* LINEAR, MLP; ROTATION: W */
    wl_parameter *token_weights;   /* NULL: not learned */
    wl_parameter *rows;            /* TABLE */
    wl_token_index index;          /* MLP, TABLE */
    uint64_t *touched;             /* TABLE: a bit for each row */
    wl_scratch weights;            /* gelu(w) for each id; in backward its slopes */
    wl_scratch inputs;             /* (block, table.dim): mean or single rows of the table, weighted */
    size_t held;                   /* the block that inputs hold: number of its first row, or NOTHING_HELD */
    wl_scratch input_slopes;       /* some rows of them */
    wl_scratch units;              /* MLP: (different tokens, hidden), the hidden layer; in backward its slopes */
    wl_scratch means, mean_slopes; /* MLP: (texts, hidden), of units */
    wl_scratch rotation;           /* ROTATION: (dim, dim), Q */
    wl_scratch rotation_slopes;    /* (2, dim, dim) */
    uint64_t *singles;             /* MLP: 0, 1, 2 ...: starts of texts of one token each */
};

#define NOTHING_HELD SIZE_MAX

/* Rows of inputs that are held at a time, what memory allows, a multiple of products' tiles; and rows of their slopes.
 */
size_t wl_projector_block(const wl_projector *projector);
size_t wl_projector_slope_block(const wl_projector *projector);

/* Texts [first, ...) of bags, at most `most`. */
wl_bags wl_projector_part(const wl_bags *bags, size_t first, size_t most);
/* Pools part, which begins with text `first`, into inputs, unless it is what they hold. */
void wl_projector_hold(wl_projector *projector, wl_pool *pool, const wl_bags *part, size_t first);

/* Another parameter, zeros; NULL out of memory. */
wl_parameter *wl_projector_add(wl_projector *projector, const char *name, size_t rows, size_t columns, wl_error *error);
/* Two parameters, the bias only if the options have one, as torch.nn.Linear starts. */
wl_status wl_projector_add_affine(wl_projector *projector, wl_affine *affine, const char *weight, const char *bias,
                                  size_t outputs, size_t inputs, wl_error *error);
/* All slopes to zero. */
void wl_projector_clear_all(wl_projector *projector);

#endif
