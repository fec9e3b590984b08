/* A child process, without a shell. */
#ifndef WL_HUB_PROCESS_H
#define WL_HUB_PROCESS_H

#include "wordllama_train.h"

/* Runs arguments[0], looked for in PATH, with standard input and output at /dev/null and standard error in the file
 * log, and waits. *code: the exit status, 128 + number after a signal, 127 where there is no such program. label: what
 * the progress callback is told; false from there ends the child and gives WL_ERROR_CANCELLED. */
wl_status wl_run(const char *const *arguments, const char *log, const char *label, const wl_pull_options *options,
                 int *code, wl_error *error);

/* The line of the log that says most: the last one that begins with "ERROR", else the last one; "" for an empty log.
 * Cut at size, control characters made '?'. */
void wl_log_verdict(const char *log, char *line, size_t size);

#endif
