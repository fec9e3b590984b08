/* The parts of the verb classify. */
#ifndef WL_CLI_CLASSIFY_H
#define WL_CLI_CLASSIFY_H

#include "io.h"

#include "wordllama_train.h"

/* How well a classifier does, for people or with json as an object on one line. */
typedef struct cli_assessment {
    const wl_classifier *classifier;
    const wl_classified *scores;
    size_t texts;
    uint32_t folds;     /* of the cross-validation that the scores are from; 0: they are not from one */
    const char *output; /* where the classifier was written; NULL: it was not */
    bool json;
} cli_assessment;

wl_status append_assessment(wl_buffer *out, const cli_assessment *assessment, wl_error *error);

/* Labels for texts. */
wl_status classify_predict(const cli_settings *settings, wl_error *error);

#endif
