#include "codebooks.h"

#include <stdio.h>

#include "io.h"

bool show_rows(void *user, const char *file, uint64_t done, uint64_t total)
{
    (void)file;
    cli_progress *progress = user;
    if (progress->total != total) progress_stage(progress, "rows", total);
    return progress_tell(progress, done, 0);
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
