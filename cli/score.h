/* Texts scored against a query in batches, as they are read. */
#ifndef WL_CLI_SCORE_H
#define WL_CLI_SCORE_H

#include "models.h"
#include "texts.h"

/* What becomes of a batch: matches[0..count) in the order of the input; their indices are numbers of texts. */
typedef struct score_sink {
    wl_status (*take)(void *user, const cli_texts *texts, const wl_match *matches, size_t count, wl_error *error);
    void *user;
} score_sink;

/* The options of wl_rank that the flags ask for. */
wl_rank_options rank_options(const cli_settings *settings);

/* Scores all that the reader gives. A batch ends where it is large, or where the reader would have to wait for its
 * input: what is there is answered. options->top is the number of a batch's best to take; keep_order is set. */
wl_status score_texts(const cli_session *session, cli_reader *reader, const char *query, const wl_rank_options *options,
                      score_sink sink, cli_progress *progress, wl_error *error);

#endif
