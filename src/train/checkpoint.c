#include "train/checkpoint.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/safetensors_write.h"

enum { KINDS = 4, NAME = 64, MOST_TENSORS = WL_MOST_PARAMETERS * KINDS };

static const char *const endings[KINDS] = {"", ".first", ".second", ".average"};

/* The arrays of a parameter, in the order of the endings; NULL: it has none. */
static void find_arrays(const wl_parameters *parameters, wl_optimizer *optimizer, size_t number, float *arrays[KINDS])
{
    wl_adam_moments state = {0};
    if (optimizer) state = wl_optimizer_moments(optimizer, number);
    arrays[0] = parameters->items[number].values;
    arrays[1] = state.first;
    arrays[2] = state.second;
    arrays[3] = state.average;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static size_t list_tensors(const wl_parameters *parameters, wl_optimizer *optimizer, wl_tensor *tensors,
                           char names[][NAME])
{
    size_t count = 0;
    for (size_t i = 0; i < parameters->count; i++) {
        const wl_parameter *parameter = &parameters->items[i];
        float *arrays[KINDS];
        find_arrays(parameters, optimizer, i, arrays);
        for (size_t k = 0; k < KINDS; k++) {
            if (!arrays[k]) continue;
            snprintf(names[count], NAME, "%s%s", parameter->name, endings[k]);
            tensors[count] = (wl_tensor){
                .name = names[count],
                .dtype = WL_F32,
                .rank = 2,
                .shape = {parameter->rows, parameter->columns, 1, 1, 1, 1, 1, 1},
                .count = (uint64_t)parameter->rows * parameter->columns,
                .data = (const char *)arrays[k],
                .bytes = parameter->rows * parameter->columns * sizeof(float),
            };
            count++;
        }
    }
    return count;
}

wl_status wl_checkpoint_write(const char *path, const wl_parameters *parameters, wl_optimizer *optimizer,
                              const wl_checkpoint *checkpoint, const char *arguments, wl_error *error)
{
    wl_tensor tensors[MOST_TENSORS];
    char names[MOST_TENSORS][NAME], state[200], steps[24];
    size_t count = list_tensors(parameters, optimizer, tensors, names);
    /* %a: the same bits when read. */
    snprintf(state, sizeof state, "%" PRIu64 " %" PRIu64 " %a %" PRIu64 " %" PRIu64, checkpoint->step,
             checkpoint->batches, checkpoint->best, checkpoint->best_step, checkpoint->scored);
    snprintf(steps, sizeof steps, "%" PRIu64, optimizer ? wl_optimizer_steps(optimizer) : 0);
    const char *const metadata[] = {"format", "wordllama checkpoint", "version", "1",         "state",
                                    state,    "optimizer.steps",      steps,     "arguments", arguments};
    wl_buffer header = {0};
    wl_status status =
        wl_safetensors_header(tensors, count, metadata, sizeof metadata / sizeof *metadata / 2, &header, error);
    if (!status) status = wl_safetensors_write(path, &header, tensors, count, error);
    wl_buffer_free(&header);
    return status;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static wl_status fail(const wl_safetensors *file, const char *what, wl_error *error)
{
    return wl_fail_at(error, WL_ERROR_FORMAT, file->path, WL_NO_POSITION, 0, "is no checkpoint: %s", what);
}

/* Lines of "name: value"; the first that differs. */
static wl_status check_arguments(const wl_safetensors *file, const char *arguments, wl_error *error)
{
    const char *before = wl_safetensors_metadata(file, "arguments");
    if (!before) return fail(file, "its arguments are missing", error);
    for (const char *a = before, *b = arguments; *a || *b;) {
        size_t size_a = strcspn(a, "\n"), size_b = strcspn(b, "\n");
        if (size_a != size_b || memcmp(a, b, size_a) != 0)
            return wl_fail_at(error, WL_ERROR_MISMATCH, file->path, WL_NO_POSITION, 0,
                              "is of a run with other arguments: '%.*s' there, '%.*s' here",
                              (int)(size_a < 150 ? size_a : 150), a, (int)(size_b < 150 ? size_b : 150), b);
        a += size_a + (a[size_a] == '\n');
        b += size_b + (b[size_b] == '\n');
    }
    return WL_OK;
}

static wl_status check_tensors(const wl_safetensors *file, const wl_tensor *tensors, size_t count, wl_error *error)
{
    if (file->count != count) return fail(file, "it has another number of tensors", error);
    for (size_t i = 0; i < count; i++) {
        const wl_tensor *found = wl_safetensors_find(file, tensors[i].name);
        if (!found || found->dtype != WL_F32 || found->rank != 2 || found->shape[0] != tensors[i].shape[0] ||
            found->shape[1] != tensors[i].shape[1])
            return wl_fail_at(error, WL_ERROR_MISMATCH, file->path, WL_NO_POSITION, 0,
                              "has no tensor '%s' of %" PRIu64 " x %" PRIu64, tensors[i].name, tensors[i].shape[0],
                              tensors[i].shape[1]);
    }
    return WL_OK;
}

/* Moves behind a whole number; false: there is none. */
static bool take_count(const char **text, uint64_t *count)
{
    char *end;
    *count = strtoull(*text, &end, 10);
    bool taken = end != *text;
    *text = end;
    return taken;
}

static bool take_number(const char **text, double *number)
{
    char *end;
    *number = strtod(*text, &end);
    bool taken = end != *text;
    *text = end;
    return taken;
}

static wl_status read_state(const wl_safetensors *file, wl_checkpoint *checkpoint, uint64_t *steps, wl_error *error)
{
    const char *state = wl_safetensors_metadata(file, "state");
    const char *counted = wl_safetensors_metadata(file, "optimizer.steps");
    const char *version = wl_safetensors_metadata(file, "version");
    if (!version || strcmp(version, "1") != 0)
        return wl_fail_at(error, WL_ERROR_UNSUPPORTED, file->path, WL_NO_POSITION, 0, "is of version %.20s, expected 1",
                          version ? version : "none");
    if (!state || !counted || !take_count(&state, &checkpoint->step) || !take_count(&state, &checkpoint->batches) ||
        !take_number(&state, &checkpoint->best) || !take_count(&state, &checkpoint->best_step) ||
        !take_count(&state, &checkpoint->scored) || !take_count(&counted, steps))
        return fail(file, "its state is damaged", error);
    return WL_OK;
}

wl_status wl_checkpoint_read(const char *path, const wl_parameters *parameters, wl_optimizer *optimizer,
                             wl_checkpoint *checkpoint, const char *arguments, wl_error *error)
{
    wl_tensor tensors[MOST_TENSORS];
    char names[MOST_TENSORS][NAME];
    wl_safetensors file = {0};
    uint64_t steps = 0;
    if (wl_safetensors_open(&file, path, error)) return error->code;
    size_t count = list_tensors(parameters, optimizer, tensors, names);
    wl_checkpoint found = {0};
    wl_status status = read_state(&file, &found, &steps, error);
    if (!status) status = check_arguments(&file, arguments, error);
    if (!status) status = check_tensors(&file, tensors, count, error);
    for (size_t i = 0; i < count && !status; i++)
        memcpy((char *)(uintptr_t)tensors[i].data, wl_safetensors_find(&file, tensors[i].name)->data, tensors[i].bytes);
    if (!status && optimizer) wl_optimizer_set_steps(optimizer, steps);
    if (!status) *checkpoint = found;
    wl_safetensors_close(&file);
    return status;
}
