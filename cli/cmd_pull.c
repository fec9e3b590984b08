#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "commands.h"
#include "io.h"

#include "wordllama_train.h"

/* The line on the terminal: cleared before anything else is said. */
typedef struct cli_display {
    bool terminal, shown;
    time_t printed;
} cli_display;

static void clear(cli_display *display)
{
    if (display->shown) fprintf(stderr, "\r\033[K");
    display->shown = false;
}

static void tell(void *user, const char *text)
{
    clear(user);
    fprintf(stderr, "wordllama: %s\n", text);
}

static bool show(void *user, const char *file, uint64_t done, uint64_t total)
{
    cli_display *display = user;
    time_t now = time(NULL);
    if (!display->terminal || now == display->printed) return true;
    display->printed = now;
    display->shown = true;
    fprintf(stderr, "\r\033[K%s", file);
    if (done || total) fprintf(stderr, ": %.1f", (double)done / 1e6);
    if (total) fprintf(stderr, " of %.1f", (double)total / 1e6);
    if (done || total) fprintf(stderr, " MB");
    fflush(stderr);
    return true;
}

wl_status cmd_pull(const cli_settings *settings, wl_error *error)
{
    const char *name = settings->operand_count ? settings->operands[0] : DEFAULT_MODEL;
    cli_display display = {.terminal = isatty(STDERR_FILENO)};
    wl_pull_options options = {
        .size = sizeof options,
        .force = settings->force,
        .progress = show,
        .message = tell,
        .user = &display,
    };
    wl_status status = wl_pull(name, &options, error);
    clear(&display);
    char path[4096];
    wl_buffer out = {0};
    if (!status) status = wl_pull_directory(name, NULL, path, sizeof path, error);
    if (!status) status = append_format(&out, error, "%s\n", path);
    if (!status) status = print_all(&out, error);
    wl_buffer_free(&out);
    return status;
}
