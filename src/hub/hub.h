/* Fetching a model, whichever: what wl_pull does once the name is known. */
#ifndef WL_HUB_HUB_H
#define WL_HUB_HUB_H

#include "base/status.h"
#include "wordllama_train.h"

/* As wl_pull, for an entry that need not be in the table of known models. The entry is borrowed for the call. */
wl_status wl_pull_model(const wl_known_model *model, const wl_pull_options *options, wl_error *error);

#endif
