#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "io.h"
#include "transfer.h"

#include "wordllama_train.h"

wl_status cmd_extract(const cli_settings *settings, wl_error *error)
{
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
    wl_status status = wl_extract(settings->operands[0], settings->operands[1], &options, &out, error);
    transfer_end(&transfer);
    if (status) return status;
    wl_buffer line = {0};
    status = append_format(&line, error, "%s: %" PRIu64 " x %" PRIu64 " of %s (%s)", settings->operands[1], out.rows,
                           out.dim, out.tensor, out.stored);
    if (!status && *out.tokenizer) status = append_format(&line, error, ", %s", out.tokenizer);
    if (!status) status = append_format(&line, error, "\n");
    if (!status) status = print_all(&line, error);
    wl_buffer_free(&line);
    return status;
}
