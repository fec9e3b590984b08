/* Files: read by mapping, written by atomic replacement. */
#ifndef WL_BASE_FILE_H
#define WL_BASE_FILE_H

#include <stdio.h>

#include "base/memory.h"

/* A whole file in memory, read-only. Mapped; what cannot be mapped (a pipe, /dev/stdin) is read into memory. */
typedef struct wl_mapping {
    const char *data; /* never NULL after a successful open, also for an empty file */
    size_t size;
    bool mapped;
} wl_mapping;

/* A directory, a missing file and a file larger than the address space are errors that say so. */
wl_status wl_mapping_open(wl_mapping *mapping, const char *path, wl_error *error);
void wl_mapping_close(wl_mapping *mapping);

/* A file being written under a temporary name in the target's folder; it takes the target's name only when it is
 * complete and on the disk. */
typedef struct wl_replacement {
    FILE *stream; /* write here; may be sought */
    char *path, *temporary;
} wl_replacement;

wl_status wl_replacement_open(wl_replacement *file, const char *path, wl_error *error);
/* fsync, close, rename. On failure the temporary file is removed and an existing target is untouched. */
wl_status wl_replacement_commit(wl_replacement *file, wl_error *error);
/* Removes the temporary file. Harmless after a commit or a failed open. */
void wl_replacement_abandon(wl_replacement *file);
/* Removes the temporary files that writers of a path left when they were killed, where it may. Only for who alone
 * writes it. */
wl_status wl_replacement_sweep(const char *path, wl_error *error);

/* directory/name, to be freed by the caller; NULL out of memory. */
char *wl_path_join(const char *directory, const char *name, wl_error *error);
bool wl_path_is_directory(const char *path);
bool wl_path_exists(const char *path);
/* Whether both paths lead to one file that is there. */
bool wl_same_file(const char *a, const char *b);
/* Whether writing to both would write one file, there or not yet; devices and pipes are never one. */
bool wl_same_target(const char *a, const char *b);
/* Whether a folder on the way to path, which need not exist, is the given one. */
bool wl_path_lies_in(const char *path, const char *folder);

#endif
