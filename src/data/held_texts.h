/* Every text that stands in folders and files of evaluation sets, whatever a set is scored by: all parts of all files,
 * queries that nobody judged, samples, what lies loose beside the sets. */
#ifndef WL_DATA_HELD_TEXTS_H
#define WL_DATA_HELD_TEXTS_H

#include "base/memory.h"

/* Who gets the texts; file: the part of its path below the folder that was given, without its ending, or its own name,
 * such as "sts/stsb-test"; valid during the call, and the same pointer for all texts of a file that follow each other.
 */
typedef struct wl_text_visitor {
    wl_status (*visit)(void *user, const char *file, wl_text text, wl_error *error);
    void *user;
} wl_text_visitor;

/* Folders are walked in the order of their names, all files of records in them are read (wl_records), and of each
 * record the fields that hold texts; a title also together with its text, as retrieval embeds them. A file of a folder
 * may hold none. WL_ERROR_NOT_FOUND: a path is missing, or no text stands in it. WL_ERROR_FORMAT: with file and line.
 */
wl_status wl_visit_texts(const char *const *paths, size_t count, wl_text_visitor visitor, wl_error *error);

#endif
