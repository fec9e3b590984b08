#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* A terminal has one line for it. */
static bool shown;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

void progress_begin(cli_progress *progress, bool data_on_stdout)
{
    *progress = (cli_progress){.wanted = isatty(STDERR_FILENO) && !(data_on_stdout && isatty(STDOUT_FILENO))};
    progress_stage(progress, "texts", 0);
}

void progress_stage(cli_progress *progress, const char *what, uint64_t total)
{
    progress->what = what;
    progress->total = total;
    if (progress->wanted) progress->started = progress->printed = now();
}

bool progress_tell(void *user, uint64_t done, uint64_t bytes)
{
    cli_progress *progress = user;
    if (!progress->wanted) return true;
    double time = now(), seconds = time - progress->started, megabytes = (double)bytes / 1e6;
    if (seconds < 1 || time - progress->printed < 0.2) return true;
    progress->printed = time;
    shown = true;
    fprintf(stderr, "\r\033[K%" PRIu64, done);
    if (progress->total) fprintf(stderr, " of %" PRIu64, progress->total);
    fprintf(stderr, " %s", progress->what);
    if (bytes) fprintf(stderr, ", %.1f MB, %.1f MB/s", megabytes, megabytes / seconds);
    fflush(stderr);
    return true;
}

void progress_end(void)
{
    if (shown) fprintf(stderr, "\r\033[K");
    shown = false;
}
