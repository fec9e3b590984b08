#include "transfer.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "interruption.h"

#define EVERY 0.2 /* seconds between two lines */

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

void transfer_begin(cli_transfer *transfer)
{
    *transfer = (cli_transfer){.terminal = isatty(STDERR_FILENO)};
}

void transfer_end(cli_transfer *transfer)
{
    if (transfer->shown) fprintf(stderr, "\r\033[K");
    transfer->shown = false;
}

/* Names of tensors and files come from others: nothing of them moves the terminal's cursor. */
static void put_clean(const char *text, size_t most)
{
    for (size_t i = 0; i < most && text[i]; i++) fputc((unsigned char)text[i] < 0x20 ? '?' : text[i], stderr);
}

void transfer_tell(void *user, const char *text)
{
    transfer_end(user);
    fprintf(stderr, "wordllama: ");
    put_clean(text, strlen(text));
    fputc('\n', stderr);
}

bool transfer_show(void *user, const char *file, uint64_t done, uint64_t total)
{
    enum { WIDTH = 24 };
    cli_transfer *transfer = user;
    double time = now();
    if (!transfer->terminal || time - transfer->printed < EVERY) return !interrupted();
    if (strncmp(transfer->file, file, sizeof transfer->file - 1) != 0) {
        snprintf(transfer->file, sizeof transfer->file, "%s", file);
        transfer->begun = time;
        transfer->begun_at = done;
    }
    transfer->printed = time;
    transfer->shown = true;
    fprintf(stderr, "\r\033[K");
    put_clean(transfer->file, 60);
    if (total) {
        int full = (int)((double)done / (double)total * WIDTH);
        fprintf(stderr, " [%.*s%*s] %3.0f %%", full < WIDTH ? full : WIDTH, "########################",
                WIDTH - (full < WIDTH ? full : WIDTH), "", 100.0 * (double)done / (double)total);
    }
    if (done || total) fprintf(stderr, "  %.1f", (double)done / 1e6);
    if (total) fprintf(stderr, " of %.1f", (double)total / 1e6);
    if (done || total) fprintf(stderr, " MB");
    double seconds = time - transfer->begun;
    if (seconds > 1 && done > transfer->begun_at)
        fprintf(stderr, ", %.1f MB/s", (double)(done - transfer->begun_at) / 1e6 / seconds);
    fflush(stderr);
    return !interrupted();
}
