/* The models that come with the library: where they are. */
#define _GNU_SOURCE /* dladdr */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/paths.h"

#ifndef WL_MODELS_INSTALLED
#define WL_MODELS_INSTALLED ""
#endif

/* The file that this code was loaded from: the shared library, an extension module, or the program that it is linked
 * into, of which the loader knows no more than what it was called as. To be freed; NULL where nobody tells. */
static char *own_file(void)
{
    static const char here;
    Dl_info info;
    if (dladdr(&here, &info) && info.dli_fname && *info.dli_fname == '/') return realpath(info.dli_fname, NULL);
    return realpath("/proc/self/exe", NULL);
}

/* Whether the model lies in a folder: its path then, to be freed. */
static char *look_in(const char *folder, const char *file, wl_error *error)
{
    char *path = wl_path_join(folder, file, error);
    if (path && wl_path_exists(path)) return path;
    free(path);
    return NULL;
}

/* Beside the code, as a build, a wheel and an installation lay it out: all of them can be moved. */
static char *look_beside(const char *file, wl_error *error)
{
    static const char *const folders[] = {"models", "../models", "../share/wordllama/models"};
    char *code = own_file(), *slash = code ? strrchr(code, '/') : NULL, *path = NULL;
    if (slash) slash[slash == code] = 0;
    for (size_t i = 0; slash && i < sizeof folders / sizeof *folders && !path; i++) {
        char *folder = wl_path_join(code, folders[i], error);
        if (folder) path = look_in(folder, file, error);
        free(folder);
    }
    free(code);
    return path;
}

wl_status wl_included_model(const char *name, char *buffer, size_t size, wl_error *error)
{
    static const char fallback[] = WL_MODELS_INSTALLED;
    wl_error unused;
    char file[128] = "model.safetensors";
    if (!error) error = &unused;
    error->code = WL_OK;
    if (name &&
        (!*name || strchr(name, '/') || (size_t)snprintf(file, sizeof file, "%s.safetensors", name) >= sizeof file))
        return wl_fail(error, WL_ERROR_NOT_FOUND, "no model of the name '%.100s' comes with wordllama", name);
    char *path = look_beside(file, error);
    if (!path && *fallback) path = look_in(fallback, file, error);
    if (!path && error->code) return error->code;
    if (!path)
        return wl_fail(error, WL_ERROR_NOT_FOUND,
                       "%s, which comes with wordllama, is neither in models/ nor in ../share/wordllama/models beside "
                       "the program or library%s%s",
                       file, *fallback ? ", nor in " : "", fallback);
    size_t length = name ? strlen(path) : (size_t)(strrchr(path, '/') - path);
    wl_status status = WL_OK;
    if (length < size) {
        memcpy(buffer, path, length);
        buffer[length] = 0;
    } else {
        status =
            wl_fail(error, WL_ERROR_LIMIT, "wl_included_model: room for %zu bytes, %zu are needed", size, length + 1);
    }
    free(path);
    return status;
}
