/* A line on standard error that tells how much of a file has come, on a terminal only, and the notes in between. */
#ifndef WL_CLI_TRANSFER_H
#define WL_CLI_TRANSFER_H

#include <stdbool.h>
#include <stdint.h>

typedef struct cli_transfer {
    bool terminal, shown;
    double begun, printed; /* seconds */
    uint64_t begun_at;     /* bytes that were there at the beginning */
    char file[160];        /* the one that is shown */
} cli_transfer;

void transfer_begin(cli_transfer *transfer);
/* A wl_pull_progress, which ends the work where an interruption came, and a wl_pull_message; user is the transfer. */
bool transfer_show(void *user, const char *file, uint64_t done, uint64_t total);
void transfer_tell(void *user, const char *text);
/* Erases the line, if there is one. */
void transfer_end(cli_transfer *transfer);

#endif
