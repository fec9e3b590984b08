/* Files to write, looked at before any work is done. */
#ifndef WL_CLI_TARGETS_H
#define WL_CLI_TARGETS_H

#include "args.h"

/* WL_ERROR_ARGUMENT where writing to path would destroy what is read: one of count paths (NULL: none), or a file that
 * is there in one of them that is a folder. */
wl_status check_not_read(const char *path, const char *const *read, size_t count, wl_error *error);

/* Of targets NULL is none, and standard output is fine. No two may be one file, none may destroy an operand, or what
 * --input, --evaluation, --model or --tokenizer names, and each can be written: that is known at once, not after the
 * work. */
wl_status check_targets(const cli_settings *settings, const char *const *targets, size_t count, wl_error *error);

#endif
