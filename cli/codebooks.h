/* What the verbs that work with codebooks have in common. */
#ifndef WL_CLI_CODEBOOKS_H
#define WL_CLI_CODEBOOKS_H

#include "args.h"
#include "progress.h"

/* A wl_pull_progress that counts rows and ends where an interruption came, and a wl_pull_message; user is a
 * cli_progress. */
bool show_rows(void *user, const char *file, uint64_t done, uint64_t total);
void tell_rows(void *user, const char *text);

/* The OUT of a verb: --output, else the operand behind the first `sources`, but not both. What they mean where it is a
 * file; NULL and an error where there is none. */
const char *find_target(const cli_settings *settings, const char *verb, size_t sources, wl_error *error);

/* The file that OUT means: model.safetensors in it, where it is a folder or ends in a slash. */
typedef struct cli_target {
    char *path;
    size_t kept; /* bytes of it that name a folder that was there before */
} cli_target;

/* Makes the folders that are missing. Free with target_close, also after a failure. */
wl_status target_open(cli_target *target, const char *out, wl_error *error);
/* failed: removes the folders that were made. */
void target_close(cli_target *target, bool failed);

#endif
