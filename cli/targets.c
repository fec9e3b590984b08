#include "targets.h"

#include <sys/stat.h>

#include "base/file.h"
#include "io.h"

wl_status check_not_read(const char *path, const char *const *read, size_t count, wl_error *error)
{
    for (size_t i = 0; i < count; i++) {
        if (!read[i]) continue;
        if (wl_same_file(path, read[i]))
            return wl_fail_at(error, WL_ERROR_ARGUMENT, path, WL_NO_POSITION, 0,
                              "is a file that is read; write to another");
        if (wl_path_exists(path) && wl_path_is_directory(read[i]) && wl_path_lies_in(path, read[i]))
            return wl_fail_at(error, WL_ERROR_ARGUMENT, path, WL_NO_POSITION, 0,
                              "lies in a folder that is read; write to another");
    }
    return WL_OK;
}

/* What is a regular file, or will be one. A device or pipe is written to as it is. */
static wl_status check_writable(const char *path, wl_error *error)
{
    struct stat info;
    wl_replacement file;
    if (wl_path_is_directory(path))
        return wl_fail_at(error, WL_ERROR_ARGUMENT, path, WL_NO_POSITION, 0, "is a folder, expected a file to write");
    if (stat(path, &info) == 0 && !S_ISREG(info.st_mode)) return WL_OK;
    if (wl_replacement_open(&file, path, error)) return error->code;
    wl_replacement_abandon(&file);
    return WL_OK;
}

wl_status check_targets(const cli_settings *settings, const char *const *targets, size_t count, wl_error *error)
{
    const char *const named[] = {settings->model, settings->tokenizer};
    for (size_t i = 0; i < count; i++) {
        const char *target = targets[i];
        if (!target || is_standard_output(target)) continue;
        for (size_t j = 0; j < i; j++)
            if (targets[j] && wl_same_target(target, targets[j]))
                return wl_fail_at(error, WL_ERROR_ARGUMENT, target, WL_NO_POSITION, 0, "would be written twice");
        if (check_not_read(target, settings->operands, settings->operand_count, error) ||
            check_not_read(target, settings->inputs.names, settings->inputs.count, error) ||
            check_not_read(target, settings->evaluation.names, settings->evaluation.count, error) ||
            check_not_read(target, named, sizeof named / sizeof *named, error) || check_writable(target, error))
            return error->code;
    }
    return WL_OK;
}
