/* A repository at the hub, at one revision: its files into the cache, or read where they are. */
#ifndef WL_HUB_HUB_H
#define WL_HUB_HUB_H

#include "base/reader.h"
#include "wordllama_train.h"

/* As wl_pull, for an entry that need not be in the table of known models. The entry is borrowed for the call. */
wl_status wl_pull_model(const wl_known_model *model, const wl_pull_options *options, wl_error *error);

typedef struct wl_hub wl_hub;

/* repository: "owner/name", checked; options as for wl_hub_fetch (NULL: defaults). Strings are copied, and the
 * environment is read; the callbacks are called until the close. Asks nobody yet. One call at a time. NULL on failure.
 */
wl_hub *wl_hub_open(const char *repository, const wl_hub_options *options, wl_error *error);
void wl_hub_close(wl_hub *hub);

/* The commit that the revision stands for; empty until the first answer of the hub or of the cache. */
const char *wl_hub_commit(const wl_hub *hub);

/* One file into the cache; *path, to be freed, is its place there. WL_ERROR_NOT_FOUND where the repository is there and
 * lacks the file, which is remembered (asking again costs nothing), or, offline, where the cache lacks it; WL_ERROR_IO
 * where the repository or the revision is missing, private or gated, and where the hub cannot be asked. All files come
 * from one commit: the first answer settles what a branch stands for. */
wl_status wl_hub_file(wl_hub *hub, const char *file, char **path, wl_error *error);

/* A file to be read by ranges without fetching it whole; from the cache where it lies there, and through the cache
 * where it is at most 256 KB. The reader asks for each range anew, with retries, and notices when the file
 * changes meanwhile (another ETag or size: WL_ERROR_IO); WL_ERROR_UNSUPPORTED from a server that gives no ranges. The
 * hub outlives the reader. Failures as for wl_hub_file. */
wl_status wl_hub_reader(wl_hub *hub, const char *file, wl_reader *reader, wl_error *error);

/* The names of all files, as the hub's API lists them, or those of the cached snapshot offline and where the hub cannot
 * be asked; (count) strings, to be freed with the array. On failure *names is NULL and *count 0. */
wl_status wl_hub_list(wl_hub *hub, char ***names, size_t *count, wl_error *error);

#endif
