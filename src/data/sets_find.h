/* What paths hold: the files and folders that sets are read from. */
#ifndef WL_DATA_SETS_FIND_H
#define WL_DATA_SETS_FIND_H

#include "data/sets.h"

/* A folder name and what the sets in it ask. */
typedef struct wl_group {
    const char *name;
    wl_task task;
} wl_group;

enum { WL_GROUPS = 8 };
/* In the order of the groups of a wl_sets. */
extern const wl_group wl_groups[WL_GROUPS];

typedef struct wl_set_source {
    const wl_group *group;
    char *name; /* owned; that of the set, or what it begins with: "sts12" */
    char *path; /* owned; a file of records, or for RETRIEVAL a folder */
    char *test; /* owned; CLASSIFICATION: the file that is scored; NULL: none */
} wl_set_source;

/* Zero-initialized is empty. */
typedef struct wl_set_sources {
    wl_set_source *items;
    size_t count, capacity;
} wl_set_sources;

/* The sources of all paths, each file once; of no more than the first record of a file anything is read.
 * options: for messages.
 * WL_ERROR_NOT_FOUND: a path is missing or holds none. Free with wl_set_sources_free, also after a failure. */
wl_status wl_set_sources_find(const char *const *paths, size_t count, const wl_sets_options *options,
                              wl_set_sources *sources, wl_error *error);
void wl_set_sources_free(wl_set_sources *sources);

/* The names in a folder, sorted, but for those that begin with a dot. Zero-initialized is empty. */
typedef struct wl_folder {
    char **names;
    size_t count, capacity;
} wl_folder;

/* Free with wl_folder_free, also after a failure. */
wl_status wl_folder_list(wl_folder *folder, const char *path, wl_error *error);
void wl_folder_free(wl_folder *folder);

#endif
