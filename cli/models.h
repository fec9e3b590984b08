/* From --model to an open model with a context: what every verb that makes vectors starts with. */
#ifndef WL_CLI_MODELS_H
#define WL_CLI_MODELS_H

#include "args.h"
#include "progress.h"

typedef struct cli_session {
    char *path; /* of the model's folder or file */
    wl_model *model;
    wl_context *context;
    wl_model_info info;
    wl_embed_options options;
    uint32_t dim;    /* of the output */
    size_t row_size; /* bytes */
} cli_session;

/* The path of a model: name itself where it exists; for OWNER/NAME, a model at the hub, its folder in the cache, where
 * wordllama-train fetches it to if it is not there; for any other name with a '/' the name; else what comes with
 * wordllama under the name, else models/NAME in the cache. NULL name: the default model, as "default". To be freed;
 * NULL on failure, with the places where it was looked for. */
char *find_model(const char *name, wl_error *error);

/* Opens the model alone; name as for find_model. *path is to be freed, also on failure. */
wl_model *open_model(const char *name, const cli_settings *settings, bool any_vocabulary, char **path, wl_error *error);

/* Opens the model of the settings and a context with that many threads. Free with session_close, also on failure. */
wl_status session_open(cli_session *session, const cli_settings *settings, uint32_t threads, wl_error *error);
void session_close(cli_session *session);

/* At the end of a run that went well: says on standard error how much ill-formed UTF-8 was replaced, in the context
 * (NULL: none) and before that in the reader. */
void report_replaced(const wl_context *context, uint64_t in_reader);

wl_measure measure_of(const cli_settings *settings);
/* That of --threshold, or the usual one, which is on the scale of cosines, on the scale of the measure. */
double threshold_of(const cli_settings *settings, double usual);
/* Rows of a session as the toolkit takes them. */
wl_vectors session_vectors(const cli_session *session, const void *rows, size_t count);
/* The rows of texts, to be freed; NULL on failure. progress may be NULL. */
void *session_embed(cli_session *session, const wl_text *texts, size_t count, cli_progress *progress, wl_error *error);

#endif
