/* What the verbs that turn texts into tokens and back share. */
#ifndef WL_CLI_TOKENS_H
#define WL_CLI_TOKENS_H

#include "args.h"

/* The tokenizer of --tokenizer, which may be packed with gzip, or of the model. */
typedef struct cli_tokenizer {
    const wl_tokenizer *tokenizer;
    wl_tokenizer *own;
    wl_model *model;
    char *path;
} cli_tokenizer;

/* Free with tokenizer_close, also after a failure. */
wl_status tokenizer_open(cli_tokenizer *opened, const cli_settings *settings, wl_error *error);
void tokenizer_close(cli_tokenizer *opened);

#endif
