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
#include "train/config_value.h"

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

/* ---- settings ---------------------------------------------------------------------------------------------------- */

/* The flags that were given. */
typedef struct setting_list {
    wl_train_setting items[WL_TRAIN_FIELDS];
    char *owned[WL_TRAIN_FIELDS]; /* values that were made of others */
    size_t count;
} setting_list;

static void free_settings(setting_list *list)
{
    for (size_t i = 0; i < list->count; i++) free(list->owned[i]);
}

/* A list that was given more than once, as one. */
static char *join(const wl_train_field *field, const cli_list *values, wl_error *error)
{
    wl_buffer out = {0};
    for (size_t i = 0; i < values->count; i++) {
        const char *value = values->names[i];
        wl_status status = WL_OK;
        if (*value == '[')
            status =
                wl_fail(error, WL_ERROR_ARGUMENT,
                        "flag '--%s' is there more than once, with a value in JSON: put all into one", field->flag);
        if (!status && i) status = wl_buffer_append(&out, ",", 1, error);
        if (!status) status = wl_buffer_append(&out, value, strlen(value) + (i + 1 == values->count), error);
        if (!status) continue;
        wl_buffer_free(&out);
        return NULL;
    }
    return out.data;
}

/* A codebook may be named as a model is. Of what is no list the last value counts. */
static wl_status list_settings(const cli_settings *settings, setting_list *list, wl_error *error)
{
    for (size_t i = 0; i < WL_TRAIN_FIELDS; i++) {
        const wl_train_field *field = &wl_train_fields[i];
        const cli_list *values = &settings->fields[i];
        if (!values->count) continue;
        const char *value = values->names[values->count - 1];
        char *made = NULL;
        bool is_joined = values->count > 1 && wl_field_is_list(field->kind);
        if (is_joined) made = join(field, values, error);
        if (i == WL_TRAIN_codebook) made = find_model(value, error);
        if (!made && (is_joined || i == WL_TRAIN_codebook)) return error->code;
        list->owned[list->count] = made;
        list->items[list->count++] = (wl_train_setting){field->name, made ? made : value};
    }
    if (list->count || settings->operand_count) return WL_OK;
    return wl_fail(error, WL_ERROR_ARGUMENT,
                   "'train' needs a CONFIG, or --codebook, --data and --output (see 'wordllama train --help')");
}

static wl_status set_all(wl_train_config *config, const char *path, const setting_list *list, wl_error *error)
{
    wl_status status = wl_train_config_default(config, error);
    if (!status && path) status = wl_train_config_read(config, path, error);
    for (size_t i = 0; i < list->count && !status; i++)
        status = wl_train_config_set(config, list->items[i].name, list->items[i].value, error);
    return status;
}

/* Hours of work are not written over by a command that is typed again. */
static wl_status check_output(const cli_settings *settings, const char *path, const setting_list *list, wl_error *error)
{
    if (settings->resume && settings->force)
        return wl_fail(error, WL_ERROR_ARGUMENT, "--resume and --force contradict each other");
    wl_train_config config = {0};
    wl_status status = set_all(&config, path, list, error);
    if (!status && config.output && !settings->resume && !settings->force) {
        char *checkpoint = wl_path_join(config.output, "checkpoint.safetensors", error);
        if (!checkpoint)
            status = WL_ERROR_MEMORY;
        else if (wl_path_exists(checkpoint))
            status = wl_fail(error, WL_ERROR_ARGUMENT,
                             "%.300s holds a run: --resume goes on with it, --force begins anew and writes over it",
                             config.output);
        free(checkpoint);
    }
    wl_train_config_free(&config);
    return status;
}

/* ---- the verb ---------------------------------------------------------------------------------------------------- */

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
    const char *path = settings->operand_count ? settings->operands[0] : NULL;
    setting_list list = {0};
    if (list_settings(settings, &list, error) || check_output(settings, path, &list, error)) {
        free_settings(&list);
        return error->code;
    }
    training of = {.terminal = isatty(STDERR_FILENO)};
    wl_train_options options = {
        .size = sizeof options,
        .settings = list.items,
        .setting_count = list.count,
        .resume = settings->resume,
        .progress = show_step,
        .message = say,
        .user = &of,
    };
    wl_trained trained;
    interruption_begin();
    wl_status status = wl_train(path, &options, &trained, error);
    end_line(&of);
    if (status == WL_ERROR_CANCELLED)
        fprintf(stderr, "wordllama: interrupted; the same command with --resume goes on\n");
    if (!status) status = print_result(&trained, error);
    if (!status && settings->plot) status = plot_curves(settings->plot, trained.log, error);
    free_settings(&list);
    interruption_end();
    return status;
}
