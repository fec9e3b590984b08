/* A batch: from token ids to slopes. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/run.h"

/* ---- what a loss looks at ---------------------------------------------------------------------------------------- */

/* The vectors of a batch as its losses see them. */
typedef struct view {
    wl_run *run;
    const wl_train_batch *batch;
    size_t dim, texts;
    const float *vectors;    /* (texts, dim) */
    bool signs;              /* they are the signs of the numbers */
    const float *targets;    /* (texts, target_dim); NULL: none */
    const float *directions; /* the same as unit vectors; NULL: they mask nothing */
    size_t target_dim;
    double share;
} view;

static const float *side(const view *this, size_t number)
{
    return this->vectors + number * this->batch->records * this->dim;
}

static float *side_slopes(const view *this, size_t number)
{
    return this->run->slopes + number * this->batch->records * this->dim;
}

/* The dims of a loss: its own with weight 1, or those of the run. */
typedef struct nest_room {
    uint32_t dims[WL_MOST_VARIANTS];
    float weights[WL_MOST_VARIANTS];
} nest_room;

static wl_nest nest_of(const wl_run *run, const wl_train_loss *loss, nest_room *room)
{
    const wl_train_config *config = &run->config;
    const wl_train_counts *dims = loss->dims.count ? &loss->dims : &config->matryoshka;
    size_t count = dims->count < WL_MOST_VARIANTS ? dims->count : WL_MOST_VARIANTS;
    for (size_t i = 0; i < count; i++) {
        room->dims[i] = dims->items[i];
        room->weights[i] = loss->dims.count ? 1 : (float)config->matryoshka_weights.items[i];
    }
    return (wl_nest){room->dims, room->weights, count};
}

/* ---- losses ------------------------------------------------------------------------------------------------------ */

static wl_status add_contrast(const view *this, size_t number, const wl_train_loss *loss, const wl_nest *nest,
                              double *value)
{
    wl_run *run = this->run;
    const wl_train_batch *batch = this->batch;
    const wl_train_config *config = &run->config;
    wl_learned_scale *learned = &run->scales[number];
    size_t records = batch->records;
    double scale = learned->used ? exp((double)learned->value) : loss->scale, slope = 0;
    wl_contrast contrast = {
        .anchors = side(this, 0),
        .candidates = side(this, 1),
        .count = records,
        .candidate_count = this->texts - records,
        .dim = this->dim,
        .anchor_texts = config->mask_same_text ? batch->texts : NULL,
        .candidate_texts = config->mask_same_text ? batch->texts + records : NULL,
        .margin = (float)config->mask_margin,
        .symmetric = loss->kind == WL_LOSS_SYMMETRIC,
        .scale = (float)scale,
    };
    if (this->directions) {
        contrast.anchor_targets = this->directions;
        contrast.candidate_targets = this->directions + records * this->target_dim;
        contrast.target_dim = this->target_dim;
    }
    float weight = (float)(loss->weight * this->share);
    wl_status status = wl_contrast_loss(run->context->pool, &contrast, nest, weight, side_slopes(this, 0),
                                        side_slopes(this, 1), learned->used ? &slope : NULL, value, run->error);
    learned->slope += (float)(slope * scale); /* by the log */
    return status;
}

static wl_status add_scored(const view *this, size_t number, const wl_train_loss *loss, const wl_nest *nest,
                            double *value)
{
    (void)number;
    wl_run *run = this->run;
    wl_scored_kind kind = loss->kind == WL_LOSS_COSENT  ? WL_SCORED_COSENT
                          : loss->kind == WL_LOSS_ANGLE ? WL_SCORED_ANGLE
                                                        : WL_SCORED_COSINE;
    return wl_scored_loss(run->context->pool, kind, side(this, 0), side(this, 1), this->batch->scores,
                          this->batch->records, this->dim, nest, (float)loss->scale,
                          (float)(loss->weight * this->share), side_slopes(this, 0), side_slopes(this, 1), value,
                          run->error);
}

static wl_status add_triplet(const view *this, size_t number, const wl_train_loss *loss, const wl_nest *nest,
                             double *value)
{
    (void)number;
    wl_run *run = this->run;
    return wl_triplet_loss(run->context->pool, side(this, 0), side(this, 1), side(this, 2), this->signs,
                           this->batch->records, this->dim, nest, (float)(1 / loss->scale),
                           (float)(loss->weight * this->share), side_slopes(this, 0), side_slopes(this, 1),
                           side_slopes(this, 2), value, run->error);
}

static wl_status add_distillation(const view *this, size_t number, const wl_train_loss *loss, const wl_nest *nest,
                                  double *value)
{
    (void)number;
    wl_run *run = this->run;
    wl_distill_kind kind = (wl_distill_kind)(WL_DISTILL_COSINE + (loss->kind - WL_LOSS_DISTILL_COSINE));
    return wl_distill_loss(run->context->pool, kind, this->vectors, this->signs, this->targets, this->texts, this->dim,
                           this->target_dim, nest, (float)(1 / loss->scale), (float)(loss->weight * this->share),
                           run->slopes, value, run->error);
}

static wl_status (*const adders[WL_LOSS_KINDS])(const view *, size_t, const wl_train_loss *, const wl_nest *,
                                                double *) = {
    [WL_LOSS_CONTRAST] = add_contrast,
    [WL_LOSS_SYMMETRIC] = add_contrast,
    [WL_LOSS_COSENT] = add_scored,
    [WL_LOSS_ANGLE] = add_scored,
    [WL_LOSS_COSINE] = add_scored,
    [WL_LOSS_TRIPLET] = add_triplet,
    [WL_LOSS_DISTILL_COSINE] = add_distillation,
    [WL_LOSS_DISTILL_SQUARED] = add_distillation,
    [WL_LOSS_DISTILL_SIMILARITIES] = add_distillation,
    [WL_LOSS_DISTILL_DISTRIBUTIONS] = add_distillation,
};

/* Whether the batch's source has what the loss takes; other sources feed it. */
static bool is_fed(const view *this, const wl_train_loss *loss)
{
    const wl_train_loss_traits *traits = &wl_train_loss_table[loss->kind];
    return this->batch->sides >= traits->sides && (!traits->scores || this->batch->scores) &&
           (!traits->targets || this->targets);
}

static wl_status fail_not_finite(const view *this, size_t number)
{
    const wl_run *run = this->run;
    const uint64_t *numbers = this->batch->numbers;
    return wl_fail(run->error, WL_ERROR_FORMAT,
                   "step %" PRIu64 ": the loss %s is not finite, for %zu records of %.100s, the first of them number "
                   "%" PRIu64 " and %" PRIu64,
                   run->state.step + 1, wl_train_loss_table[run->config.losses.items[number].kind].name,
                   this->batch->records, run->config.data.items[this->batch->source].path, numbers[0],
                   numbers[this->batch->records > 1]);
}

/* Those that look at signs, or those that look at the numbers. */
static wl_status add_losses(const view *this, double *sum)
{
    wl_run *run = this->run;
    bool binarized = run->config.binarizer != WL_BINARIZE_NONE;
    for (size_t i = 0; i < run->config.losses.count; i++) {
        const wl_train_loss *loss = &run->config.losses.items[i];
        nest_room room;
        wl_nest nest = nest_of(run, loss, &room);
        if ((binarized && !loss->dense) != this->signs || !is_fed(this, loss)) continue;
        if (adders[loss->kind](this, i, loss, &nest, &run->losses[i])) return run->error->code;
        if (!isfinite(run->losses[i])) return fail_not_finite(this, i);
        *sum += loss->weight * run->losses[i];
    }
    return WL_OK;
}

static wl_status check_fed(const view *this)
{
    const wl_run *run = this->run;
    for (size_t i = 0; i < run->config.losses.count; i++)
        if (is_fed(this, &run->config.losses.items[i])) return WL_OK;
    return wl_fail_at(run->error, WL_ERROR_ARGUMENT, run->config.data.items[this->batch->source].path, WL_NO_POSITION,
                      0, "holds records that none of the losses takes: they have %zu sides, %s scores and %s targets",
                      this->batch->sides, this->batch->scores ? "with" : "no", this->targets ? "with" : "no");
}

/* ---- the batch --------------------------------------------------------------------------------------------------- */

static wl_status reserve(float **array, size_t *capacity, size_t rows, size_t dim, wl_error *error)
{
    void *memory = *array;
    if (rows > SIZE_MAX / sizeof(float) / dim) return wl_fail_memory(error, SIZE_MAX);
    wl_status status = wl_reserve(&memory, capacity, rows * dim, sizeof(float), error);
    *array = memory;
    return status;
}

/* What the teacher says of similarities is a cosine. */
static wl_status find_directions(wl_run *run, view *this)
{
    if (reserve(&run->directions, &run->direction_capacity, this->texts, this->target_dim, run->error))
        return run->error->code;
    for (size_t i = 0; i < this->texts; i++) {
        const float *target = this->targets + i * this->target_dim;
        float *direction = run->directions + i * this->target_dim;
        double square = 0;
        for (size_t j = 0; j < this->target_dim; j++) square += (double)target[j] * (double)target[j];
        double length = sqrt(square);
        for (size_t j = 0; j < this->target_dim; j++) direction[j] = length > 0 ? (float)(target[j] / length) : 0;
    }
    this->directions = run->directions;
    return WL_OK;
}

static wl_status read_targets(wl_run *run, view *this)
{
    const wl_targets *targets = run->targets[this->batch->source];
    if (!targets) return WL_OK;
    this->target_dim = wl_targets_dim(targets);
    if (reserve(&run->wanted, &run->wanted_capacity, this->texts, this->target_dim, run->error))
        return run->error->code;
    wl_targets_read(targets, this->batch->rows, this->texts, run->wanted);
    this->targets = run->wanted;
    return run->config.mask_by_teacher ? find_directions(run, this) : WL_OK;
}

wl_status wl_run_loss(wl_run *run, const wl_train_batch *batch, double share, double *loss)
{
    wl_pool *pool = run->context->pool;
    wl_binarizer binarizer = (wl_binarizer)run->config.binarizer;
    wl_bags bags = {batch->ids, batch->starts, batch->records * batch->sides};
    size_t dim = wl_projector_dim(run->projector), count = bags.count * dim;
    view this = {.run = run, .batch = batch, .dim = dim, .texts = bags.count, .share = share};
    if (reserve(&run->vectors, &run->vector_capacity, bags.count, dim, run->error) ||
        reserve(&run->slopes, &run->slope_capacity, bags.count, dim, run->error) || read_targets(run, &this) ||
        wl_projector_forward(run->projector, pool, &bags, run->vectors, run->error))
        return run->error->code;
    memset(run->slopes, 0, count * sizeof *run->slopes);
    for (size_t i = 0; i < run->config.losses.count; i++) run->losses[i] = NAN;
    *loss = 0;
    if (check_fed(&this)) return run->error->code;
    /* Signs first: their slopes go through the binarizer, those of the numbers do not. */
    if (binarizer != WL_BINARIZE_NONE) {
        if (reserve(&run->signs, &run->sign_capacity, bags.count, dim, run->error)) return run->error->code;
        wl_binarize_forward(binarizer, run->vectors, count, run->signs);
        this.vectors = run->signs;
        this.signs = true;
        if (add_losses(&this, loss)) return run->error->code;
        wl_binarize_backward(binarizer, run->vectors, count, run->slopes);
    }
    this.vectors = run->vectors;
    this.signs = false;
    if (add_losses(&this, loss)) return run->error->code;
    run->texts += bags.count;
    return wl_projector_backward(run->projector, pool, &bags, run->slopes, run->error);
}
