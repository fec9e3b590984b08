#include <string.h>

#include "commands.h"
#include "io.h"
#include "transfer.h"

#include "wordllama_train.h"

/* A model of the table: into WordLlama's own cache. */
static wl_status pull_known(const char *name, const cli_settings *settings, cli_transfer *transfer, char *path,
                            size_t size, wl_error *error)
{
    wl_pull_options options = {
        .size = sizeof options,
        .force = settings->force,
        .progress = transfer_show,
        .message = transfer_tell,
        .user = transfer,
    };
    if (settings->revision)
        return wl_fail(error, WL_ERROR_ARGUMENT,
                       "--revision is for a repository of the hub, OWNER/NAME, not for '%.100s'", name);
    wl_status status = wl_pull(name, &options, error);
    return status ? status : wl_pull_directory(name, NULL, path, size, error);
}

/* A repository: into the hub's cache. */
static wl_status pull_repository(const char *name, const cli_settings *settings, cli_transfer *transfer, char *path,
                                 size_t size, wl_error *error)
{
    wl_hub_options options = {
        .size = sizeof options,
        .revision = settings->revision,
        .force = settings->force,
        .progress = transfer_show,
        .message = transfer_tell,
        .user = transfer,
    };
    return wl_hub_fetch_model(name, &options, path, size, error);
}

wl_status cmd_pull(const cli_settings *settings, wl_error *error)
{
    const char *name = settings->operand_count ? settings->operands[0] : OFFICIAL_MODEL;
    cli_transfer transfer;
    transfer_begin(&transfer);
    char path[4096];
    wl_status status = strchr(name, '/') ? pull_repository(name, settings, &transfer, path, sizeof path, error)
                                         : pull_known(name, settings, &transfer, path, sizeof path, error);
    transfer_end(&transfer);
    wl_buffer out = {0};
    if (!status) status = append_format(&out, error, "%s\n", path);
    if (!status) status = print_all(&out, error);
    wl_buffer_free(&out);
    return status;
}
