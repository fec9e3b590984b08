/* The cache folder as the Python package huggingface_hub lays it out, for one repository:
 *
 *     CACHE/models--OWNER--NAME/refs/REVISION            the commit that a branch or tag stands for
 *     CACHE/models--OWNER--NAME/blobs/NAME               a file's bytes, under the name that the hub has for them
 *     CACHE/models--OWNER--NAME/blobs/NAME.incomplete    the beginning of one
 *     CACHE/models--OWNER--NAME/snapshots/COMMIT/FILE    a relative link to the blob
 *     CACHE/models--OWNER--NAME/.no_exist/COMMIT/FILE    empty: that commit has no such file
 *     CACHE/.locks/models--OWNER--NAME/NAME.lock         held (flock) while the blob is fetched
 *
 * Whatever is written appears under its name when it is whole; what a killed process leaves ends in ".incomplete". */
#ifndef WL_HUB_LAYOUT_H
#define WL_HUB_LAYOUT_H

#include "hub/http.h"

enum { WL_COMMIT_DIGITS = 40, WL_COMMIT_TEXT = WL_COMMIT_DIGITS + 1 };

typedef struct wl_layout {
    char *cache, *repository, *locks; /* folders; need not exist */
} wl_layout;

/* cache: the hub's folder; repository: "owner/name", checked. Free with wl_layout_close, after a failure too. */
wl_status wl_layout_open(wl_layout *layout, const char *cache, const char *repository, wl_error *error);
void wl_layout_close(wl_layout *layout);

/* Paths, to be freed; NULL out of memory. */
char *wl_layout_snapshot(const wl_layout *layout, const char *commit, wl_error *error);
char *wl_layout_pointer(const wl_layout *layout, const char *commit, const char *file, wl_error *error);
char *wl_layout_blob(const wl_layout *layout, const char *name, wl_error *error);
char *wl_layout_incomplete(const wl_layout *layout, const char *name, wl_error *error);

/* The commit that a revision stands for in the cache; false where that is not known. */
bool wl_layout_read_ref(const wl_layout *layout, const char *revision, char commit[WL_COMMIT_TEXT]);
/* Notes it, and makes the commit's folder. */
wl_status wl_layout_write_ref(const wl_layout *layout, const char *revision, const char *commit, wl_error *error);

/* Whether a commit is known to lack a file; noting it. That it cannot be noted is no failure. */
bool wl_layout_lacks(const wl_layout *layout, const char *commit, const char *file);
void wl_layout_note_lack(const wl_layout *layout, const char *commit, const char *file);

/* Makes the folders for a blob and its pointer, and tags the cache as one that backups may leave out. */
wl_status wl_layout_make(const wl_layout *layout, const char *commit, const char *file, wl_error *error);

/* Lets the pointer lead to the blob, which is there. Where the file system has no links the blob itself moves. */
wl_status wl_layout_point(const wl_layout *layout, const char *commit, const char *file, const char *name,
                          wl_error *error);

/* The lock of a blob, waiting for it as long as need be: held by one process, and one thread in it, at a time.
 * *descriptor: to be closed; -1 on a file system without locks, where the holder may have company. http: whom to ask
 * whether to go on, and to tell about the wait. */
wl_status wl_layout_lock(const wl_layout *layout, const char *name, wl_http *http, int *descriptor, wl_error *error);

/* Names of files. Zero-initialized is empty. */
typedef struct wl_names {
    char **names; /* each to be freed, and the array */
    size_t count, capacity;
} wl_names;

wl_status wl_names_add(wl_names *list, const char *name, size_t size, wl_error *error);
void wl_names_free(wl_names *list);

/* The files of a snapshot, sorted; none where the folder is not there. */
wl_status wl_layout_list(const wl_layout *layout, const char *commit, wl_names *list, wl_error *error);

#endif
