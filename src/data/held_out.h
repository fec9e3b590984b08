/* The texts of evaluation sets, which no training text may be: as digests, and as vectors for what is similar. */
#ifndef WL_DATA_HELD_OUT_H
#define WL_DATA_HELD_OUT_H

#include "data/digests.h"
#include "wordllama_train.h"

typedef struct wl_held_out {
    char **names; /* (count) of the files, "sts/stsb-test": see wl_visit_texts */
    size_t count;
    wl_digests digests; /* of texts with their case folded; the value is the first file that has it */
    float *vectors;     /* (rows, dim), unit; NULL: none asked for */
    uint32_t *owners;   /* (rows): the file of each */
    size_t rows, dim;
} wl_held_out;

/* Reads all texts of the sets that the options name. With near_model also their vectors. No set named: nothing is held
 * out. Free with wl_held_out_close, also after a failure. */
wl_status wl_held_out_open(wl_held_out *held, const wl_prepare_options *options, wl_context *context, wl_error *error);
void wl_held_out_close(wl_held_out *held);
/* Of all that is held out: other texts, sets or vectors give another. */
wl_text_digest wl_held_out_digest(const wl_held_out *held);

/* The unit vectors of texts, (count, the model's dim), to be freed; NULL on failure. */
float *wl_near_vectors(const wl_model *model, wl_context *context, const wl_text *texts, size_t count, wl_error *error);

#endif
