/* Configs of codebooks: JSON, one a model. */
#ifndef WL_EXTRACT_CONFIG_H
#define WL_EXTRACT_CONFIG_H

#include "wordllama_train.h"

typedef struct wl_config_text {
    const char *name, *json;
} wl_config_text;

/* Those that the library brings, sorted; ends with one without a name. Made of the folder configs/ when the library is
 * built. */
extern const wl_config_text wl_config_texts[];
extern const char *const wl_config_names[];

#endif
