/* One function a verb, each in its own file. They write data to standard output, print nothing on failure, and leave
 * the message to main. */
#ifndef WL_CLI_COMMANDS_H
#define WL_CLI_COMMANDS_H

#include "args.h"

wl_status cmd_embed(const cli_settings *settings, wl_error *error);
wl_status cmd_similarity(const cli_settings *settings, wl_error *error);
wl_status cmd_explain(const cli_settings *settings, wl_error *error);
wl_status cmd_rank(const cli_settings *settings, wl_error *error);
wl_status cmd_topk(const cli_settings *settings, wl_error *error);
wl_status cmd_filter(const cli_settings *settings, wl_error *error);
wl_status cmd_dedup(const cli_settings *settings, wl_error *error);
wl_status cmd_cluster(const cli_settings *settings, wl_error *error);
wl_status cmd_split(const cli_settings *settings, wl_error *error);
wl_status cmd_tokenize(const cli_settings *settings, wl_error *error);
wl_status cmd_detokenize(const cli_settings *settings, wl_error *error);
wl_status cmd_convert(const cli_settings *settings, wl_error *error);
wl_status cmd_info(const cli_settings *settings, wl_error *error);

/* Of the command wordllama-train; in wordllama they hand over to it. */
wl_status cmd_pull(const cli_settings *settings, wl_error *error);
wl_status cmd_extract(const cli_settings *settings, wl_error *error);
wl_status cmd_configs(const cli_settings *settings, wl_error *error);
wl_status cmd_concat(const cli_settings *settings, wl_error *error);
wl_status cmd_codebook(const cli_settings *settings, wl_error *error);
wl_status cmd_reduce(const cli_settings *settings, wl_error *error);
wl_status cmd_eval(const cli_settings *settings, wl_error *error);
wl_status cmd_classify(const cli_settings *settings, wl_error *error);
wl_status cmd_prepare(const cli_settings *settings, wl_error *error);
wl_status cmd_vocab(const cli_settings *settings, wl_error *error);
wl_status cmd_targets(const cli_settings *settings, wl_error *error);
wl_status cmd_average(const cli_settings *settings, wl_error *error);
wl_status cmd_train(const cli_settings *settings, wl_error *error);

/* Before all else in main: may start the program again, with what the libraries that it loads need in the
 * environment. */
void begin_process(char **arguments);

#endif
