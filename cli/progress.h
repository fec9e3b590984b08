/* A line on standard error that tells how far a long job is, on a terminal only. */
#ifndef WL_CLI_PROGRESS_H
#define WL_CLI_PROGRESS_H

#include "wordllama.h"

typedef struct cli_progress {
    bool wanted;
    const char *what;        /* is counted; for messages */
    uint64_t total;          /* 0: not known */
    double started, printed; /* seconds */
} cli_progress;

/* data_on_stdout: on a terminal the data itself shows that the job goes on. */
void progress_begin(cli_progress *progress, bool data_on_stdout);
/* From here on something else is counted; at first it is texts, of an unknown number. */
void progress_stage(cli_progress *progress, const char *what, uint64_t total);
/* A wl_progress; user is the progress. */
bool progress_tell(void *user, uint64_t done, uint64_t bytes);
/* Erases the line, if there is one. */
void progress_end(void);

#endif
