#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "models.h"

/* Whether a path is that of a tokenizer by itself. */
static bool is_tokenizer(const char *path)
{
    static const char ending[] = ".json";
    size_t size = strlen(path);
    return size >= sizeof ending - 1 && strcmp(path + size - (sizeof ending - 1), ending) == 0;
}

wl_status cmd_convert(const cli_settings *settings, wl_error *error)
{
    size_t last = settings->operand_count - 1;
    const char *out = settings->operands[last];
    char *path = find_model(last ? settings->operands[0] : settings->model, error);
    if (!path) return error->code;
    wl_model_options options = {
        .size = sizeof options,
        .tokenizer = settings->tokenizer,
        .policy = (wl_policy)settings->policy,
    };
    wl_status status =
        is_tokenizer(path) ? wl_tokenizer_pack(path, out, error) : wl_model_pack(path, &options, out, error);
    free(path);
    return status;
}
