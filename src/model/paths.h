/* Where the files of a model are. */
#ifndef WL_MODEL_PATHS_H
#define WL_MODEL_PATHS_H

#include "base/file.h"

/* Owned strings; zero-initialized is empty, free with wl_model_paths_free, also after a failure. */
typedef struct wl_model_paths {
    char *folder; /* where the configs lie */
    char *weights, *tokenizer;
    bool directory; /* a folder was named, not a file */
} wl_model_paths;

/* The weights of a folder as WordLlama, Model2Vec and sentence-transformers lay it out, or of a file. */
wl_status wl_model_find_weights(wl_model_paths *paths, const char *path, wl_error *error);
/* The tokenizer that was given, else the one beside the weights: of a file that was named, its own
 * STEM.tokenizer.json where there is one. WL_ERROR_NOT_FOUND where there is none. */
wl_status wl_model_find_tokenizer(wl_model_paths *paths, const char *given, wl_error *error);
void wl_model_paths_free(wl_model_paths *paths);

/* Where the tokenizer of a weights file may lie, there or not: its own, STEM.tokenizer.json, where STEM is the file's
 * name without .safetensors; else tokenizer.json in its folder, which other files may share. To be freed by the caller;
 * NULL out of memory. */
char *wl_tokenizer_path(const char *weights, bool own, wl_error *error);

#endif
