#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "commands.h"
#include "interruption.h"
#include "io.h"
#include "models.h"
#include "plot.h"
#include "train/config.h"

#include "wordllama_train.h"

typedef struct training {
    bool terminal, shown;
    double printed; /* seconds */
} training;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* "1:05:09" */
static void format_time(char out[32], double seconds)
{
    unsigned long all = seconds > 0 && seconds < 1e9 ? (unsigned long)seconds : 0;
    if (all >= 3600)
        snprintf(out, 32, "%lu:%02lu:%02lu", all / 3600, all / 60 % 60, all % 60);
    else
        snprintf(out, 32, "%lu:%02lu", all / 60, all % 60);
}

static bool show_step(void *user, const wl_train_state *state)
{
    training *this = user;
    double time = now();
    if (this->terminal && isfinite(state->loss) && time - this->printed >= 0.2) {
        char left[32];
        format_time(left, state->left);
        fprintf(stderr, "\r\033[Kstep %" PRIu64 " of %" PRIu64 ", loss %.4f, rate %.2g, %.0f texts/s, %s left",
                state->step, state->steps, state->loss, state->rate, state->texts_per_second, left);
        if (isfinite(state->score)) fprintf(stderr, ", best %.2f", 100 * state->score);
        fflush(stderr);
        this->printed = time;
        this->shown = true;
    }
    return !interrupted();
}

static void end_line(training *this)
{
    if (this->shown) fprintf(stderr, "\r\033[K");
    this->shown = false;
}

static void say(void *user, const char *text)
{
    end_line(user);
    fprintf(stderr, "wordllama: %s\n", text);
}

/* The flags that were given. */
static size_t list_settings(const cli_settings *settings, const char *codebook, wl_train_setting *list)
{
    size_t count = 0;
    for (size_t i = 0; i < WL_TRAIN_FIELDS; i++) {
        const char *value = i == WL_TRAIN_codebook ? codebook : settings->fields[i];
        if (value) list[count++] = (wl_train_setting){wl_train_fields[i].name, value};
    }
    return count;
}

static wl_status print_result(const wl_trained *trained, wl_error *error)
{
    wl_buffer out = {0};
    char seconds[32];
    format_time(seconds, trained->seconds);
    wl_status status =
        append_format(&out, error, "%s: %" PRIu64 " steps in %s", trained->model, trained->steps, seconds);
    if (!status && isfinite(trained->loss)) status = append_format(&out, error, ", loss %.4f", trained->loss);
    if (!status && isfinite(trained->score))
        status =
            append_format(&out, error, ", score %.2f, after step %" PRIu64, 100 * trained->score, trained->best_step);
    if (!status) status = append_format(&out, error, "\n");
    if (!status) status = print_all(&out, error);
    wl_buffer_free(&out);
    return status;
}

wl_status cmd_train(const cli_settings *settings, wl_error *error)
{
    wl_train_setting list[WL_TRAIN_FIELDS];
    /* A codebook may be named as a model is. */
    const char *named = settings->fields[WL_TRAIN_codebook];
    char *codebook = named ? find_model(named, error) : NULL;
    if (named && !codebook) return error->code;
    training of = {.terminal = isatty(STDERR_FILENO)};
    wl_train_options options = {
        .size = sizeof options,
        .settings = list,
        .setting_count = list_settings(settings, codebook, list),
        .resume = settings->resume,
        .progress = show_step,
        .message = say,
        .user = &of,
    };
    wl_trained trained;
    interruption_begin();
    wl_status status = wl_train(settings->operand_count ? settings->operands[0] : NULL, &options, &trained, error);
    end_line(&of);
    if (status == WL_ERROR_CANCELLED)
        fprintf(stderr, "wordllama: interrupted; the same command with --resume goes on\n");
    if (!status) status = print_result(&trained, error);
    if (!status && settings->plot) status = plot_curves(settings->plot, trained.log, error);
    free(codebook);
    interruption_end();
    return status;
}
