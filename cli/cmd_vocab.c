#include <inttypes.h>
#include <stdio.h>

#include "commands.h"
#include "interruption.h"
#include "io.h"
#include "progress.h"
#include "targets.h"

#include "wordllama_train.h"

/* The records read, and whether to go on. */
static bool show_records(void *user, uint64_t records, uint64_t bytes)
{
    return progress_tell(user, records, bytes) && !interrupted();
}

static wl_status print_result(const wl_vocabulary_learned *result, bool json, wl_error *error)
{
    wl_buffer out = {0};
    const char *format = json ? "{\"texts\": %" PRIu64 ", \"words\": %" PRIu64 ", \"different\": %" PRIu64
                                ", \"entries\": %" PRIu64 ", \"pieces\": %" PRIu64 ", \"covered\": %.6f}\n"
                              : "texts            %10" PRIu64 "\nwords            %10" PRIu64
                                "\ndifferent words  %10" PRIu64 "\nentries          %10" PRIu64
                                "\nof them pieces   %10" PRIu64 "\nwords covered    %10.4f\n";
    wl_status status = append_format(&out, error, format, result->texts, result->words, result->different,
                                     result->entries, result->pieces, result->covered);
    if (!status) status = print_all(&out, error);
    wl_buffer_free(&out);
    return status;
}

wl_status cmd_vocab(const cli_settings *settings, wl_error *error)
{
    if (!settings->output) return wl_fail(error, WL_ERROR_ARGUMENT, "vocab needs -o OUT, the file to write");
    if (is_standard_output(settings->output))
        return wl_fail(error, WL_ERROR_ARGUMENT, "vocab writes a file, not to standard output");
    if (check_not_read(settings->output, settings->operands, settings->operand_count, error)) return error->code;
    cli_progress progress;
    wl_vocabulary_options options = {
        .size = sizeof options,
        .entries = settings->entries,
        .pieces = settings->word_pieces,
        .alphabet = settings->alphabet,
        .least_count = settings->least_count,
        .cased = settings->cased,
        .progress = show_records,
        .user = &progress,
    };
    wl_vocabulary_learned result;
    progress_begin(&progress, false);
    progress_stage(&progress, "records", 0);
    interruption_begin();
    wl_status status =
        wl_learn_vocabulary(settings->operands, settings->operand_count, settings->output, &options, &result, error);
    interruption_end();
    progress_end();
    return status ? status : print_result(&result, settings->json, error);
}
