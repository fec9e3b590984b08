/* A training run: everything that is open while it goes on. Its parts:
 *   open     from the configuration to data, codebook, projector, optimizer (run_open.c)
 *   loss     a batch: forward, the losses' mix, backward (run_loss.c)
 *   score    the model as it is on evaluation sets (run_score.c)
 *   run      steps, log, checkpoints (run.c)
 *   save     models, their card (run_save.c, model_card.c) */
#ifndef WL_TRAIN_RUN_H
#define WL_TRAIN_RUN_H

#include "extract/codebook.h"
#include "text/context.h"
#include "train/binarizer.h"
#include "train/checkpoint.h"
#include "train/config.h"
#include "train/dataset.h"
#include "train/losses.h"
#include "train/projector.h"
#include "train/targets.h"

enum { WL_MOST_LOSSES = 16, WL_MOST_VARIANTS = 2 * WL_MOST_DIMS };

/* A loss that is learned with: its scale. */
typedef struct wl_learned_scale {
    float value, slope; /* log of the scale, so that it stays above 0 */
    char name[32];
    bool used;
} wl_learned_scale;

typedef struct wl_run {
    wl_train_config config;
    wl_train_options options;
    wl_codebook *codebook;
    wl_bag_table table;
    float *rows;         /* (rows, dim): the table, where it cannot be used as it lies in the file; NULL: it can */
    wl_context *context; /* its pool is that of all work */
    wl_projector *projector;
    wl_parameters parameters; /* the projector's and the scales */
    wl_optimizer_options schedule;
    wl_optimizer *optimizer;
    wl_dataset *dataset;
    wl_targets **targets; /* (data): NULL: none */
    wl_sets *sets;        /* NULL: none to score on */
    uint64_t steps;       /* of the whole run */
    wl_buffer arguments;  /* what the result follows from, a line for each field: see wl_checkpoint_read */
    char *checkpoint_path, *best_path;
    wl_learned_scale scales[WL_MOST_LOSSES];
    /* Of a batch, (texts, dim): vectors, their signs, slopes; targets of the texts, and those as unit vectors. */
    float *vectors, *signs, *slopes, *wanted, *directions;
    size_t vector_capacity, sign_capacity, slope_capacity, wanted_capacity, direction_capacity;
    double losses[WL_MOST_LOSSES]; /* of the last batch, without weights; NAN: it had nothing for the loss */
    wl_checkpoint state;
    FILE *log;
    double loss;          /* of the last step; NaN: none yet */
    double started, told; /* seconds */
    uint64_t texts;       /* since it started */
    wl_error *error;
} wl_run;

/* All but options and error zero before. Free with wl_run_close, also after a failure. */
wl_status wl_run_open(wl_run *run, const char *config_path);
void wl_run_close(wl_run *run);

/* Adds a batch's slopes, times share, to the parameters' slopes. *loss: the weighted sum of the losses. A loss that is
 * not finite is WL_ERROR_FORMAT, with the step and the records. */
wl_status wl_run_loss(wl_run *run, const wl_train_batch *batch, double share, double *loss);

/* The ways in which the model is to be used: each Matryoshka dimension, and its signs where those are trained. */
size_t wl_run_variants(const wl_run *run, wl_variant variants[WL_MOST_VARIANTS]);
/* Scores the values as they are; *mean: over the variants that are trained for, the mean of the groups. *evaluation
 * belongs to the caller. */
wl_status wl_run_score(wl_run *run, wl_evaluation **evaluation, double *mean);

/* Rows of the models: one for each id of the tokenizer. */
size_t wl_run_rows(const wl_run *run);
enum { WL_MODEL_NAME = 256 };
/* What a model's file is called: NAME_DIM.safetensors, or NAME_DIM_binary.safetensors where signs are trained. */
void wl_run_model_name(const wl_run *run, uint32_t dim, char name[WL_MODEL_NAME]);
/* Writes the models and the card from the values as they are. evaluation: NULL: none. After a failure the files that
 * were there are as they were, unless it was giving the names that failed. */
wl_status wl_run_save(wl_run *run, const wl_evaluation *evaluation);
/* Appends the card. */
wl_status wl_model_card(const wl_run *run, const wl_evaluation *evaluation, wl_buffer *out, wl_error *error);

/* OUTPUT/name, to be freed; NULL out of memory. */
char *wl_run_path(const wl_run *run, const char *format, ...) WL_PRINTF(2, 3);

#endif
