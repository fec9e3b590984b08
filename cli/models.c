#include "models.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

/* The folders that may hold the cache, in the order in which the variables count. The same rule as
 * wl_cache_directory's, which is in the other library. */
static const struct {
    const char *variable, *below;
    bool absolute; /* a relative value is ignored, as the XDG specification asks */
} caches[] = {
    {"WORDLLAMA_CACHE", "models", false},
    {"XDG_CACHE_HOME", "wordllama/models", true},
    {"HOME", ".cache/wordllama/models", false},
};

static char *cached_model(const char *name, wl_error *error)
{
    for (size_t i = 0; i < sizeof caches / sizeof *caches; i++) {
        const char *value = getenv(caches[i].variable);
        if (!value || !*value || (caches[i].absolute && *value != '/')) continue;
        char *folder = wl_path_join(value, caches[i].below, error);
        char *path = folder ? wl_path_join(folder, name, error) : NULL;
        free(folder);
        return path;
    }
    wl_fail(error, WL_ERROR_NOT_FOUND, "no place for models: none of WORDLLAMA_CACHE, XDG_CACHE_HOME and HOME is set");
    return NULL;
}

char *find_model(const char *name, wl_error *error)
{
    if (!name) name = DEFAULT_MODEL;
    if (!*name) return wl_fail(error, WL_ERROR_ARGUMENT, "the model's name is empty"), NULL;
    if (strchr(name, '/') || wl_path_exists(name)) return wl_copy_text(name, strlen(name), error);
    char *path = cached_model(name, error);
    if (path && !wl_path_exists(path)) {
        wl_fail(error, WL_ERROR_NOT_FOUND,
                "model '%.100s' is neither ./%.100s nor %.200s; 'wordllama pull %s' fetches %s", name, name, path,
                DEFAULT_MODEL, strcmp(name, DEFAULT_MODEL) == 0 ? "it" : "the default model");
        free(path);
        path = NULL;
    }
    return path;
}

wl_model *open_model(const char *name, const cli_settings *settings, bool any_vocabulary, char **path, wl_error *error)
{
    *path = find_model(name, error);
    if (!*path) return NULL;
    wl_model_options options = {
        .size = sizeof options,
        .tokenizer = settings->tokenizer,
        .policy = (wl_policy)settings->policy,
        .any_vocabulary = any_vocabulary,
    };
    return wl_model_open(*path, &options, error);
}

wl_status session_open(cli_session *session, const cli_settings *settings, uint32_t threads, wl_error *error)
{
    *session = (cli_session){0};
    session->model = open_model(settings->model, settings, false, &session->path, error);
    if (!session->model) return error->code;
    wl_context_options context = {.size = sizeof context, .threads = threads, .cache_megabyte = 8};
    session->context = wl_context_create(&context, error);
    if (!session->context) return error->code;
    session->info = wl_model_describe(session->model);
    session->options = (wl_embed_options){
        .size = sizeof session->options,
        .normalize = (wl_toggle)settings->normalize,
        .binary = settings->binary || settings->hamming,
        .dim = settings->dim,
    };
    if (settings->dim > session->info.dim)
        return wl_fail(error, WL_ERROR_ARGUMENT, "--dim is %" PRIu32 ", but the model has %zu dimensions",
                       settings->dim, session->info.dim);
    session->dim = settings->dim ? settings->dim : (uint32_t)session->info.dim;
    session->row_size = wl_embed_row_size(session->model, &session->options);
    if (!session->row_size) return wl_fail(error, WL_ERROR_ARGUMENT, "the flags do not fit the model");
    return WL_OK;
}

void session_close(cli_session *session)
{
    wl_context_free(session->context);
    wl_model_close(session->model);
    free(session->path);
    *session = (cli_session){0};
}

void report_replaced(const wl_context *context, uint64_t in_reader)
{
    uint64_t replaced = (context ? wl_context_counts(context).replaced : 0) + in_reader;
    if (replaced)
        fprintf(stderr, "wordllama: warning: %" PRIu64 " invalid UTF-8 sequence%s replaced by U+FFFD\n", replaced,
                replaced == 1 ? "" : "s");
}

wl_measure measure_of(const cli_settings *settings)
{
    return settings->hamming ? WL_HAMMING : WL_COSINE;
}

double threshold_of(const cli_settings *settings, double usual)
{
    if (!isnan(settings->threshold)) return settings->threshold;
    /* Of D bits d differ: the cosine of signs is 1 - 2d/D, and this scale is 1 - d/D. */
    return settings->hamming ? (1 + usual) / 2 : usual;
}

wl_vectors session_vectors(const cli_session *session, const void *rows, size_t count)
{
    return (wl_vectors){rows, count, session->dim, session->options.binary ? WL_ELEMENT_BITS : WL_ELEMENT_F32};
}

void *session_embed(cli_session *session, const wl_text *texts, size_t count, cli_progress *progress, wl_error *error)
{
    char *rows = wl_allocate(count, session->row_size, error);
    if (!rows) return NULL;
    wl_embed_options options = session->options;
    options.progress = progress ? progress_tell : NULL;
    options.user = progress;
    if (!wl_embed(session->model, session->context, texts, count, &options, rows, count * session->row_size, error))
        return rows;
    free(rows);
    return NULL;
}
