#include "models.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "sibling.h"

/* The folders that may hold a cache, in the order in which the variables count. The same rules as those of
 * wl_cache_directory and wl_hub_cache_directory, which are in the other library. */
typedef struct place {
    const char *variable, *below;
    bool absolute; /* a relative value is ignored, as the XDG specification asks */
} place;

static const place own_caches[] = {
    {"WORDLLAMA_CACHE", "models", false},
    {"XDG_CACHE_HOME", "wordllama/models", true},
    {"HOME", ".cache/wordllama/models", false},
    {0},
};

static const place hub_caches[] = {
    {"HF_HUB_CACHE", "", false},
    {"HUGGINGFACE_HUB_CACHE", "", false},
    {"HF_HOME", "hub", false},
    {"XDG_CACHE_HOME", "huggingface/hub", false},
    {"HOME", ".cache/huggingface/hub", false},
    {0},
};

/* What of that name is in the cache, there or not; to be freed. NULL on failure, without any variable too. */
static char *cached_path(const place *places, const char *name, wl_error *error)
{
    for (; places->variable; places++) {
        const char *value = getenv(places->variable);
        if (!value || !*value || (places->absolute && *value != '/')) continue;
        char *folder = wl_path_join(value, places->below, error);
        char *path = folder ? wl_path_join(folder, name, error) : NULL;
        free(folder);
        return path;
    }
    wl_fail(error, WL_ERROR_NOT_FOUND, "no place for models: none of WORDLLAMA_CACHE, XDG_CACHE_HOME and HOME is set");
    return NULL;
}

/* ---- models of the hub ------------------------------------------------------------------------------------------- */

/* OWNER/NAME, unless it ends as a file does. */
static bool is_hub_name(const char *name)
{
    static const char *const files[] = {".safetensors", ".json", ".gguf", ".bin", ".pt", ".pth"};
    const char *slash = strchr(name, '/');
    size_t size = strlen(name);
    if (!slash || slash == name || !slash[1] || strchr(slash + 1, '/') || *name == '.' || slash[1] == '.') return false;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        size_t length = strlen(files[i]);
        if (size > length && strcmp(name + size - length, files[i]) == 0) return false;
    }
    return name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./")] == 0;
}

static bool has_file(const char *folder, const char *file)
{
    wl_error unused;
    char *path = wl_path_join(folder, file, &unused);
    bool has = path && wl_path_exists(path);
    free(path);
    return has;
}

/* A snapshot may hold other files of a repository alone. */
static bool holds_model(const char *folder)
{
    return (has_file(folder, "model.safetensors") && has_file(folder, "tokenizer.json")) ||
           (has_file(folder, "0_StaticEmbedding/model.safetensors") &&
            has_file(folder, "0_StaticEmbedding/tokenizer.json"));
}

/* The folder below a repository's that its branch main stands for; to be freed. NULL where there is none. */
static char *main_snapshot(const char *repository)
{
    enum { COMMIT = 40 };
    wl_error unused;
    char snapshot[sizeof "snapshots/" + COMMIT] = "snapshots/", *commit = snapshot + strlen(snapshot);
    char *ref = wl_path_join(repository, "refs/main", &unused);
    FILE *file = ref ? fopen(ref, "rb") : NULL;
    bool good = file && fread(commit, 1, COMMIT, file) == COMMIT && strspn(commit, "0123456789abcdef") == COMMIT;
    if (file) fclose(file);
    free(ref);
    return good ? wl_path_join(repository, snapshot, &unused) : NULL;
}

/* Where the model was put when it was fetched; to be freed. NULL where it was not. */
static char *cached_hub_model(const char *name)
{
    wl_error unused;
    wl_buffer folder = {0};
    const char *slash = strchr(name, '/');
    char *paths[2] = {NULL, NULL};
    if (!wl_buffer_append(&folder, "models--", 8, &unused) &&
        !wl_buffer_append(&folder, name, (size_t)(slash - name), &unused) &&
        !wl_buffer_append(&folder, "--", 2, &unused) && !wl_buffer_append(&folder, slash + 1, strlen(slash), &unused)) {
        char *repository = cached_path(hub_caches, folder.data, &unused);
        if (repository) paths[0] = main_snapshot(repository);
        free(repository);
        /* Under usual names, where the repository has others. */
        paths[1] = cached_path(own_caches, folder.data + strlen("models--"), &unused);
    }
    wl_buffer_free(&folder);
    for (int i = 0; i < 2; i++) {
        if (paths[i] && holds_model(paths[i])) {
            free(paths[1 - i]);
            return paths[i];
        }
    }
    free(paths[0]);
    free(paths[1]);
    return NULL;
}

/* Fetches by the other command, which prints the model's folder. */
static char *fetched_hub_model(const char *name, wl_error *error)
{
    char program[] = "wordllama", verb[] = "pull", end[] = "--";
    char *copy = wl_copy_text(name, strlen(name), error);
    if (!copy) return NULL;
    char *arguments[] = {program, verb, end, copy, NULL};
    wl_buffer output = {0};
    int code = 0;
    wl_status status = sibling_run(arguments, &output, &code, error);
    free(copy);
    if (!status && (code || !output.size || output.data[output.size - 1] != '\n'))
        status = wl_fail(
            error, WL_ERROR_NOT_FOUND,
            "'%.200s' is no file or folder here, and no model could be fetched from the hub under that name", name);
    if (status) {
        wl_buffer_free(&output);
        return NULL;
    }
    output.data[output.size - 1] = 0;
    return output.data;
}

/* What comes with wordllama under that name; to be freed. NULL where nothing does. */
static char *included_model(const char *name, wl_error *error)
{
    char path[4096];
    bool any = strcmp(name, DEFAULT_MODEL) == 0;
    if (wl_included_model(any ? NULL : name, path, sizeof path, error)) return NULL;
    return wl_copy_text(path, strlen(path), error);
}

static wl_status fail_unknown(const char *name, const char *path, wl_error *error)
{
    return wl_fail(error, WL_ERROR_NOT_FOUND,
                   "model '%.100s' is neither ./%.100s nor %.200s; 'wordllama pull %s' fetches %s", name, name, path,
                   OFFICIAL_MODEL, strcmp(name, OFFICIAL_MODEL) == 0 ? "it" : "the official one");
}

char *find_model(const char *name, wl_error *error)
{
    if (!name) return included_model(DEFAULT_MODEL, error);
    if (!*name) return wl_fail(error, WL_ERROR_ARGUMENT, "the model's name is empty"), NULL;
    if (wl_path_exists(name)) return wl_copy_text(name, strlen(name), error);
    if (is_hub_name(name)) {
        char *cached = cached_hub_model(name);
        return cached ? cached : fetched_hub_model(name, error);
    }
    if (strchr(name, '/')) return wl_copy_text(name, strlen(name), error); /* opening it says what is missing */
    char *included = included_model(name, error);
    if (included || strcmp(name, DEFAULT_MODEL) == 0) return included;
    char *path = cached_path(own_caches, name, error);
    if (path && !wl_path_exists(path)) {
        fail_unknown(name, path, error);
        free(path);
        path = NULL;
    }
    return path;
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

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
