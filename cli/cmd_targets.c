#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "codebooks.h"
#include "commands.h"
#include "interruption.h"
#include "io.h"
#include "targets.h"
#include "train/targets.h"

#include "wordllama_train.h"

/* "FILE" or "FILE:WEIGHT", where the whole is no file; the path is owned by the caller. */
static wl_status read_teacher(const char *operand, wl_teacher *teacher, char **path, wl_error *error)
{
    const char *colon = strrchr(operand, ':');
    char *end = NULL;
    double weight = colon && colon > operand ? strtod(colon + 1, &end) : 1;
    bool weighted = colon && colon > operand && !wl_path_exists(operand) && end > colon + 1 && !*end;
    *path = wl_copy_text(operand, weighted ? (size_t)(colon - operand) : strlen(operand), error);
    if (!*path) return WL_ERROR_MEMORY;
    if (weighted && !(weight > 0 && isfinite(weight)))
        return wl_fail(error, WL_ERROR_ARGUMENT, "the weight of %.200s is '%.40s', expected a number above 0", *path,
                       colon + 1);
    *teacher = (wl_teacher){.path = *path, .weight = weighted ? weight : 1};
    return WL_OK;
}

static wl_status print_result(const char *path, wl_error *error)
{
    wl_targets *made = wl_targets_open(path, NULL, error);
    if (!made) return error->code;
    wl_buffer out = {0};
    wl_status status = append_format(&out, error, "%s: %zu x %zu\n", path, wl_targets_rows(made), wl_targets_dim(made));
    if (!status) status = print_all(&out, error);
    wl_buffer_free(&out);
    wl_targets_close(made);
    return status;
}

static wl_status make(const cli_settings *settings, const wl_teacher *teachers, char *const *paths, wl_error *error)
{
    wl_targets_options options = {
        .size = sizeof options,
        .dim = settings->dim,
        .whitening = isnan(settings->whitening) ? 0 : settings->whitening,
        .centre = settings->dim > 0,
        .rotation = settings->rotation,
        .threads = settings->threads,
    };
    const char *out = settings->output;
    if (check_not_read(out, (const char *const *)paths, settings->operand_count, error) ||
        check_not_read(out, &settings->rotation, 1, error))
        return error->code;
    interruption_begin();
    wl_status status = wl_make_targets(teachers, settings->operand_count, out, &options, error);
    interruption_end();
    return status ? status : print_result(out, error);
}

wl_status cmd_targets(const cli_settings *settings, wl_error *error)
{
    if (!find_target(settings, "targets", settings->operand_count, error)) return error->code;
    if (!isnan(settings->whitening) && !settings->dim)
        return wl_fail(error, WL_ERROR_ARGUMENT, "--whitening needs --dim: it scales principal components");
    size_t count = settings->operand_count;
    wl_teacher *teachers = wl_allocate(count, sizeof *teachers, error);
    char **paths = teachers ? wl_allocate(count, sizeof(char *), error) : NULL;
    wl_status status = paths ? WL_OK : WL_ERROR_MEMORY;
    for (size_t i = 0; i < count && !status; i++)
        status = read_teacher(settings->operands[i], &teachers[i], &paths[i], error);
    if (!status) status = make(settings, teachers, paths, error);
    for (size_t i = 0; paths && i < count; i++) free(paths[i]);
    free(paths);
    free(teachers);
    return status;
}
