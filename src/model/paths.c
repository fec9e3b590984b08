#include "model/paths.h"

#include <stdlib.h>
#include <string.h>

/* The folder of a file, "." where the path has none. */
static char *folder_of(const char *path, wl_error *error)
{
    const char *slash = strrchr(path, '/');
    if (!slash) return wl_copy_text(".", 1, error);
    return wl_copy_text(path, slash == path ? 1 : (size_t)(slash - path), error);
}

wl_status wl_model_find_weights(wl_model_paths *paths, const char *path, wl_error *error)
{
    bool directory = paths->directory = wl_path_is_directory(path);
    paths->folder = directory ? wl_copy_text(path, strlen(path), error) : folder_of(path, error);
    if (!paths->folder) return error->code;
    char *nested = wl_path_join(paths->folder, "0_StaticEmbedding", error);
    if (!nested) return error->code;
    paths->weights =
        directory ? wl_path_join(paths->folder, "model.safetensors", error) : wl_copy_text(path, strlen(path), error);
    if (directory && paths->weights && !wl_path_exists(paths->weights) && wl_path_is_directory(nested)) {
        free(paths->weights);
        paths->weights = wl_path_join(nested, "model.safetensors", error);
    }
    free(nested);
    if (!paths->weights) return error->code;
    if (!wl_path_exists(paths->weights))
        return wl_fail_at(error, WL_ERROR_NOT_FOUND, path, WL_NO_POSITION, 0, "%s",
                          directory ? "is a directory without model.safetensors, expected model.safetensors and "
                                      "tokenizer.json"
                                    : "no such model file or folder");
    return WL_OK;
}

wl_status wl_model_find_tokenizer(wl_model_paths *paths, const char *given, wl_error *error)
{
    if (given) {
        paths->tokenizer = wl_copy_text(given, strlen(given), error);
        return paths->tokenizer ? WL_OK : WL_ERROR_MEMORY;
    }
    for (int own = !paths->directory; own >= 0; own--) {
        free(paths->tokenizer);
        paths->tokenizer = wl_tokenizer_path(paths->weights, own, error);
        if (!paths->tokenizer) return WL_ERROR_MEMORY;
        if (wl_path_exists(paths->tokenizer)) return WL_OK;
    }
    return wl_fail_at(error, WL_ERROR_NOT_FOUND, paths->tokenizer, WL_NO_POSITION, 0,
                      "no tokenizer beside the weights%s, and none was given",
                      paths->directory ? "" : ", neither this nor one of the file's own name");
}

void wl_model_paths_free(wl_model_paths *paths)
{
    free(paths->folder);
    free(paths->weights);
    free(paths->tokenizer);
    *paths = (wl_model_paths){0};
}

char *wl_tokenizer_path(const char *weights, bool own, wl_error *error)
{
    static const char ending[] = ".safetensors", shared[] = "tokenizer.json";
    const char *slash = strrchr(weights, '/');
    size_t folder = slash ? (size_t)(slash - weights) + 1 : 0, length = strlen(weights);
    size_t cut = sizeof ending - 1;
    if (length - folder > cut && strcmp(weights + length - cut, ending) == 0) length -= cut;
    size_t kept = own ? length : folder;
    char *path = wl_allocate(kept + 1 + sizeof shared, 1, error);
    if (!path) return NULL;
    memcpy(path, weights, kept);
    if (own) path[kept++] = '.';
    memcpy(path + kept, shared, sizeof shared);
    return path;
}
