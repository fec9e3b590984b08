/* Files that hold what is too much for memory until it is wanted, in a folder of their own beside the result. */
#ifndef WL_DATA_SPILL_H
#define WL_DATA_SPILL_H

#include <stdio.h>

#include "base/memory.h"

/* ---- the folder -------------------------------------------------------------------------------------------------- */

/* PATH.part: what a call needs to go on after an interruption. A file "lock" in it says that it is one of these, and is
 * held (flock) by the call at work, so that its end frees it however it comes. */
typedef struct wl_spill_folder {
    char *path;
    int lock; /* -1: not held */
} wl_spill_folder;

/* Makes the folder, or takes the one that an earlier call left. WL_ERROR_IO: another call is at work on it, or it is
 * none of these folders, which then stays as it is. Free with wl_spill_folder_close, also after a failure. */
wl_status wl_spill_folder_open(wl_spill_folder *folder, const char *path, wl_error *error);
/* Removes all files in it but the lock. */
wl_status wl_spill_folder_clear(const wl_spill_folder *folder, wl_error *error);
/* Removes the folder. */
wl_status wl_spill_folder_remove(wl_spill_folder *folder, wl_error *error);
void wl_spill_folder_close(wl_spill_folder *folder);

/* ---- a file ------------------------------------------------------------------------------------------------------ */

typedef struct wl_spill {
    FILE *stream;
    char *path;
    uint64_t size; /* bytes written */
} wl_spill;

/* The first `size` bytes of the file stay (0: it is made anew), what follows is cut off, and writing goes on there.
 * WL_ERROR_FORMAT: the file is shorter. Close with wl_spill_close, also after a failure. */
wl_status wl_spill_open(wl_spill *spill, const char *folder, const char *name, uint64_t size, wl_error *error);
wl_status wl_spill_write(wl_spill *spill, const void *data, size_t size, wl_error *error);
/* What was written is on the disk. */
wl_status wl_spill_sync(wl_spill *spill, wl_error *error);
/* Reading begins at the first byte; writing is over. */
wl_status wl_spill_rewind(wl_spill *spill, wl_error *error);
/* Exactly size bytes. */
wl_status wl_spill_read(wl_spill *spill, void *out, size_t size, wl_error *error);
/* The file stays. */
void wl_spill_close(wl_spill *spill);

#endif
