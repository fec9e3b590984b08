#include "codebooks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hub/cache.h"
#include "interruption.h"
#include "io.h"

bool show_rows(void *user, const char *file, uint64_t done, uint64_t total)
{
    (void)file;
    cli_progress *progress = user;
    if (progress->total != total) progress_stage(progress, "rows", total);
    return progress_tell(progress, done, 0) && !interrupted();
}

void tell_rows(void *user, const char *text)
{
    (void)user;
    progress_end();
    fprintf(stderr, "wordllama: %s\n", text);
}

const char *find_target(const cli_settings *settings, const char *verb, size_t sources, wl_error *error)
{
    bool operand = settings->operand_count > sources;
    const char *path = settings->output ? settings->output : operand ? settings->operands[sources] : NULL;
    if (!path)
        wl_fail(error, WL_ERROR_ARGUMENT, "%s needs -o OUT, the file to write", verb);
    else if (settings->output && operand)
        wl_fail(error, WL_ERROR_ARGUMENT, "%s has two files to write, %.200s and -o %.200s", verb,
                settings->operands[sources], settings->output);
    else if (is_standard_output(path))
        wl_fail(error, WL_ERROR_ARGUMENT, "%s writes a file, not to standard output", verb);
    else
        return path;
    return NULL;
}

wl_status target_open(cli_target *target, const char *out, wl_error *error)
{
    size_t size = strlen(out);
    bool folder = wl_path_is_directory(out) || (size && out[size - 1] == '/');
    *target = (cli_target){0};
    target->path = folder ? wl_path_join(out, "model.safetensors", error) : wl_copy_text(out, size, error);
    if (!target->path) return WL_ERROR_MEMORY;
    char *slash = strrchr(target->path, '/');
    if (!slash || slash == target->path) return WL_OK;
    /* The longest part that is there. */
    for (char *end = slash; end && end != target->path;) {
        *end = 0;
        bool there = wl_path_is_directory(target->path);
        size_t length = strlen(target->path);
        char *before = there ? NULL : strrchr(target->path, '/');
        *end = '/';
        if (there) target->kept = length;
        end = before;
    }
    *slash = 0;
    wl_status status = wl_make_directories(target->path, error);
    *slash = '/';
    return status;
}

void target_close(cli_target *target, bool failed)
{
    for (char *slash; failed && target->path && (slash = strrchr(target->path, '/')) && slash != target->path;) {
        *slash = 0;
        if (strlen(target->path) <= target->kept || rmdir(target->path) != 0) break;
    }
    free(target->path);
    *target = (cli_target){0};
}
