/* The command wordllama-train, which lies beside this one and links the second library. */
#ifndef WL_CLI_SIBLING_H
#define WL_CLI_SIBLING_H

#include "base/memory.h"

/* Becomes it. arguments: as for main, NULL at the end. Returns only where that fails. */
wl_status sibling_become(char *const *arguments, wl_error *error);

/* Runs it, with nothing on its standard input, and waits: what it prints on standard output, at most 64 KB, to *output;
 * its messages go where ours go. *code: its exit status, 128 + number after a signal. */
wl_status sibling_run(char *const *arguments, wl_buffer *output, int *code, wl_error *error);

#endif
