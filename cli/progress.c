#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

void progress_begin(cli_progress *progress, bool data_on_stdout)
{
    *progress = (cli_progress){0};
    progress->wanted = isatty(STDERR_FILENO) && !(data_on_stdout && isatty(STDOUT_FILENO));
    if (progress->wanted) progress->started = progress->printed = now();
}

bool progress_tell(void *user, uint64_t texts, uint64_t bytes)
{
    cli_progress *progress = user;
    if (!progress->wanted) return true;
    double time = now(), seconds = time - progress->started, megabytes = (double)bytes / 1e6;
    if (seconds < 1 || time - progress->printed < 0.2) return true;
    progress->printed = time;
    progress->shown = true;
    fprintf(stderr, "\r\033[K%" PRIu64 " texts, %.1f MB, %.1f MB/s", texts, megabytes, megabytes / seconds);
    fflush(stderr);
    return true;
}

void progress_end(cli_progress *progress)
{
    if (progress->shown) fprintf(stderr, "\r\033[K");
    progress->shown = false;
}
