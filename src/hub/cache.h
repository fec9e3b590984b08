/* Folders: where the cache is, making paths, temporary folders. */
#ifndef WL_HUB_CACHE_H
#define WL_HUB_CACHE_H

#include "base/status.h"

/* The value of an environment variable; NULL when it is unset or empty. */
const char *wl_environment(const char *name);

/* cache, or the default directory for NULL, as a fresh string to be freed; NULL on failure. */
char *wl_cache_path(const char *cache, wl_error *error);

/* CACHE/models/NAME, likewise. */
char *wl_pull_path(const char *cache, const char *name, wl_error *error);

/* A path into a caller's buffer, with its NUL; frees it. path NULL: *error says why, and its code is returned.
 * WL_ERROR_LIMIT where the buffer is too small. */
wl_status wl_deliver_path(char *path, char *buffer, size_t size, wl_error *error);

/* mkdir -p. */
wl_status wl_make_directories(const char *path, wl_error *error);

/* A fresh private folder in an existing one; its path is to be freed. NULL on failure. */
char *wl_temporary_directory(const char *parent, wl_error *error);

/* rm -r, following no link; what cannot be removed stays. */
void wl_remove_tree(const char *path);

#endif
