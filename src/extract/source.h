/* Where a model's files are: a folder here, or a repository at the hub. */
#ifndef WL_EXTRACT_SOURCE_H
#define WL_EXTRACT_SOURCE_H

#include "base/reader.h"
#include "hub/hub.h"

typedef struct wl_source_files {
    char *folder; /* here; NULL: at the hub */
    char *file;   /* the one that was named, relative to folder; NULL: none */
    wl_hub *hub;
    char *hub_name, *revision; /* what the hub's strings are borrowed from */
    wl_hub_options hub_options;
} wl_source_files;

/* source: a folder, a file, "owner/name" or "owner/name@revision"; what exists here is meant here. hub: NULL: the
 * defaults. */
wl_status wl_source_open(wl_source_files *files, const char *source, const wl_hub_options *hub, wl_error *error);
void wl_source_close(wl_source_files *files);

/* What a file of the source is called in messages: its path, or "owner/name/file"; to be freed. */
char *wl_source_path(const wl_source_files *files, const char *file, wl_error *error);

/* WL_ERROR_FORMAT for a name that leads out of the folder it is relative to. */
wl_status wl_source_check_name(const char *file, wl_error *error);

/* A file to be read in parts; WL_ERROR_NOT_FOUND where there is none of that name. A name that leads out of the folder
 * is WL_ERROR_FORMAT. The files outlive the reader. */
wl_status wl_source_reader(wl_source_files *files, const char *file, wl_reader *reader, wl_error *error);

/* A whole file that is small, such as an index or a tokenizer; more than most bytes is WL_ERROR_LIMIT. */
wl_status wl_source_text(wl_source_files *files, const char *file, size_t most, wl_buffer *text, wl_error *error);

/* The names of all files in the folder itself, sorted; (count) strings, to be freed with the array by
 * wl_source_names_free. */
wl_status wl_source_names(wl_source_files *files, char ***names, size_t *count, wl_error *error);
void wl_source_names_free(char **names, size_t count);

/* Whether path is a regular file of the source that a reader reads: writing to it would destroy the source. */
bool wl_source_is_file(const wl_reader *reader, const char *path);

#endif
