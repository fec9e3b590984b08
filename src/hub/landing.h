/* A file on its way into the cache: hashed while it is written, named only when it is the file that was meant. */
#ifndef WL_HUB_LANDING_H
#define WL_HUB_LANDING_H

#include "base/file.h"
#include "hub/digest.h"
#include "wordllama_train.h"

typedef struct wl_landing {
    const wl_known_file *expected;
    wl_replacement file;
    wl_digest digest;
    uint64_t size; /* bytes written so far */
} wl_landing;

/* path: the final name. The structs behind expected outlive the landing. */
wl_status wl_landing_open(wl_landing *landing, const char *path, const wl_known_file *expected, wl_error *error);
/* More than expected->bytes (4 GB where that is 0) is WL_ERROR_FORMAT. */
wl_status wl_landing_write(wl_landing *landing, const void *data, size_t size, wl_error *error);
/* Compares the hash, syncs, renames. On failure the target is as it was before. */
wl_status wl_landing_finish(wl_landing *landing, wl_error *error);
/* Removes the temporary file. Harmless after a finish or a failed open. */
void wl_landing_abandon(wl_landing *landing);

/* Lands a file of this machine: opens, copies, finishes. */
wl_status wl_landing_copy(const char *source, const char *path, const wl_known_file *expected, wl_error *error);

#endif
