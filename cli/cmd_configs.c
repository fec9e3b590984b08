#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "io.h"

#include "wordllama_train.h"

static wl_status append_text_member(wl_buffer *out, const char *name, const char *value, wl_error *error)
{
    if (!value) return WL_OK;
    wl_status status = append_format(out, error, ",\n    \"%s\": ", name);
    return status ? status : append_json(out, (wl_text){value, strlen(value)}, error);
}

/* As it would stand in a file of its own. */
static wl_status append_config(wl_buffer *out, const wl_codebook_config *config, wl_error *error)
{
    wl_status status = append_format(out, error, "{\n    \"model\": ");
    if (!status) status = append_json(out, (wl_text){config->model, strlen(config->model)}, error);
    if (!status)
        status = append_format(out, error, ",\n    \"dim\": %" PRIu64 ",\n    \"vocabulary\": %" PRIu64, config->dim,
                               config->vocabulary);
    if (!status) status = append_text_member(out, "pad_token", config->pad_token, error);
    if (!status) status = append_text_member(out, "tensor", config->tensor, error);
    if (!status && config->padded) status = append_format(out, error, ",\n    \"padded\": true");
    if (!status && config->composed) status = append_format(out, error, ",\n    \"composed\": true");
    if (!status) status = append_text_member(out, "note", config->note, error);
    return status ? status : append_format(out, error, "\n}\n");
}

static wl_status append_row(wl_buffer *out, const wl_codebook_config *config, wl_error *error)
{
    return append_format(out, error, "%-18s %7" PRIu64 " x %-6" PRIu64 " %s%s%s%s\n", config->name, config->vocabulary,
                         config->dim, config->model, config->note ? " (" : "", config->note ? config->note : "",
                         config->note ? ")" : "");
}

/* One config, as a line of the list or whole. */
static wl_status append_named(wl_buffer *out, const char *name, bool row, wl_error *error)
{
    wl_codebook_config config;
    wl_status status = wl_codebook_config_read(name, &config, error);
    if (!status) status = row ? append_row(out, &config, error) : append_config(out, &config, error);
    wl_codebook_config_free(&config);
    return status;
}

static int compare_names(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_config(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return entry->d_name[0] != '.' && length > 5 && strcmp(entry->d_name + length - 5, ".json") == 0;
}

/* The user's own, from the folder that the library looks into. */
static wl_status append_own(wl_buffer *out, wl_error *error)
{
    const char *folder = getenv("WORDLLAMA_CONFIGS");
    struct dirent **entries;
    if (!folder || !*folder) return WL_OK;
    int count = scandir(folder, &entries, is_config, compare_names);
    if (count < 0) return wl_fail_errno(error, folder, "open", errno);
    wl_status status = WL_OK;
    for (int i = 0; i < count; i++) {
        char *path = status ? NULL : wl_path_join(folder, entries[i]->d_name, error);
        if (!status) status = path ? append_named(out, path, true, error) : WL_ERROR_MEMORY;
        if (status == WL_ERROR_FORMAT) { /* one that is broken does not hide the others */
            fprintf(stderr, "wordllama: warning: %s:%" PRIu64 ": %s\n", path, error->line, error->message);
            status = WL_OK;
        }
        free(path);
        free(entries[i]);
    }
    free(entries);
    return status;
}

wl_status cmd_configs(const cli_settings *settings, wl_error *error)
{
    const char *const *names = settings->operands;
    bool all = settings->operand_count == 0;
    size_t count = all ? wl_codebook_configs(&names) : settings->operand_count;
    wl_buffer out = {0};
    wl_status status = WL_OK;
    for (size_t i = 0; i < count && !status; i++) status = append_named(&out, names[i], all, error);
    if (!status && all) status = append_own(&out, error);
    if (!status) status = print_all(&out, error);
    wl_buffer_free(&out);
    return status;
}
