#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "codebooks.h"
#include "commands.h"
#include "interruption.h"
#include "io.h"
#include "transfer.h"

#include "wordllama_train.h"

/* SOURCE, or the folder of a model that was pulled by that name; path: room for that. */
static const char *find_source(const char *source, char *path, size_t size)
{
    wl_error unused;
    wl_codebook_config config = {0};
    bool known = strchr(source, '/') || wl_path_exists(source);
    if (!known) {
        known = wl_codebook_config_read(source, &config, &unused) == WL_OK;
        wl_codebook_config_free(&config);
    }
    if (!known && wl_pull_directory(source, NULL, path, size, &unused) == WL_OK && wl_path_exists(path)) return path;
    return source;
}

wl_status cmd_extract(const cli_settings *settings, wl_error *error)
{
    char pulled[4096];
    const char *out_name = find_target(settings, "extract", 1, error);
    cli_target target;
    if (!out_name) return error->code;
    if (target_open(&target, out_name, error)) {
        target_close(&target, true);
        return error->code;
    }
    cli_transfer transfer;
    transfer_begin(&transfer);
    wl_hub_options hub = {
        .size = sizeof hub,
        .revision = settings->revision,
        .progress = transfer_show,
        .message = transfer_tell,
        .user = &transfer,
    };
    wl_extract_options options = {
        .size = sizeof options,
        .config = settings->config,
        .file = settings->file,
        .tensor = settings->tensor,
        .tokenizer = settings->tokenizer,
        .stored_as = (wl_stored_as)settings->dtype,
        .output_embeddings = settings->output_embeddings,
        .allow_padding = settings->allow_padding,
        .hub = &hub,
        .progress = transfer_show,
        .message = transfer_tell,
        .user = &transfer,
    };
    wl_extracted out;
    interruption_begin();
    wl_status status =
        wl_extract(find_source(settings->operands[0], pulled, sizeof pulled), target.path, &options, &out, error);
    transfer_end(&transfer);
    wl_buffer line = {0};
    if (!status)
        status = append_format(&line, error, "%s: %" PRIu64 " x %" PRIu64 " of %s (%s)", target.path, out.rows, out.dim,
                               out.tensor, out.stored);
    if (!status && *out.tokenizer) status = append_format(&line, error, ", %s", out.tokenizer);
    for (size_t i = 0; i < line.size; i++) /* names of tensors may hold anything */
        if ((unsigned char)line.data[i] < 0x20) line.data[i] = '?';
    if (!status) status = append_format(&line, error, "\n");
    if (!status) status = print_all(&line, error);
    wl_buffer_free(&line);
    target_close(&target, status != WL_OK);
    interruption_end();
    return status;
}
