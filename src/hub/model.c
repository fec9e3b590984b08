#define _XOPEN_SOURCE 700 /* realpath */
/* The files of a model at the hub: which of them are needed, whatever its layout. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "format/json.h"
#include "hub/cache.h"
#include "hub/repository.h"

enum { HEADER_LIMIT = 16 << 20 /* bytes of a safetensors header; a model's has a few hundred */ };

/* Where weights and tokenizer lie in one folder and have the names that wl_model_open knows: WordLlama's own output and
 * Model2Vec's; StaticEmbedding's. */
static const struct layout {
    const char *weights, *tokenizer;
} layouts[] = {
    {"model.safetensors", "tokenizer.json"},
    {"0_StaticEmbedding/model.safetensors", "0_StaticEmbedding/tokenizer.json"},
};

/* Beside them, where they are there: wl_model_open reads the first two, other programs the third. */
static const char *const extras[] = {"config.json", "config_sentence_transformers.json", "modules.json"};

static bool has(const wl_names *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (!strcmp(list->names[i], name)) return true;
    return false;
}

/* The first WordLlama repositories hold one model in several sizes: X_256.safetensors ... with
 * X_tokenizer_config.json. */
typedef struct sizes {
    const char *weights; /* in the list; NULL: none */
    char tokenizer[256];
} sizes;

/* The dimension in "X_256.safetensors"; 0 for another name. *stem: length of X. */
static unsigned long dimension(const char *name, size_t *stem)
{
    static const char suffix[] = ".safetensors";
    size_t size = strlen(name);
    if (strchr(name, '/') || size < sizeof suffix || strcmp(name + size - (sizeof suffix - 1), suffix) != 0) return 0;
    size_t end = size - (sizeof suffix - 1), begin = end;
    while (begin > 0 && name[begin - 1] >= '0' && name[begin - 1] <= '9') begin--;
    if (begin < 2 || name[begin - 1] != '_' || end - begin == 0 || end - begin > 6) return 0;
    *stem = begin - 1;
    return strtoul(name + begin, NULL, 10);
}

/* 256 dimensions, WordLlama's usual number, or else the most. */
static sizes find_sizes(const wl_names *list)
{
    enum { USUAL = 256 };
    sizes found = {0};
    unsigned long best = 0;
    for (size_t i = 0; i < list->count; i++) {
        size_t stem = 0;
        unsigned long dim = dimension(list->names[i], &stem);
        if (!dim || best == USUAL || (dim != USUAL && dim <= best)) continue;
        char tokenizer[sizeof found.tokenizer];
        int length = snprintf(tokenizer, sizeof tokenizer, "%.*s_tokenizer_config.json", (int)stem, list->names[i]);
        bool own = length > 0 && (size_t)length < sizeof tokenizer && has(list, tokenizer);
        if (!own && !has(list, "tokenizer.json")) continue;
        best = dim;
        found.weights = list->names[i];
        snprintf(found.tokenizer, sizeof found.tokenizer, "%s", own ? tokenizer : "tokenizer.json");
    }
    return found;
}

static wl_status fail_no_model(const wl_hub *hub, const char *reason, wl_error *error)
{
    return wl_fail(error, WL_ERROR_UNSUPPORTED,
                   "%.150s at the hub holds no WordLlama, Model2Vec or StaticEmbedding model: %s ('wordllama extract' "
                   "takes the table out of a language model)",
                   hub->repository, reason);
}

/* A language model has a model.safetensors too, of gigabytes: its header is looked at first. */
static wl_status check_weights(wl_hub *hub, const char *weights, wl_error *error)
{
    wl_reader reader;
    wl_status status = wl_hub_reader(hub, weights, &reader, error);
    if (status) return status;
    unsigned char prefix[8] = {0};
    wl_buffer header = {0}, scratch = {0};
    uint64_t length = 0;
    status = wl_reader_read(&reader, 0, prefix, sizeof prefix, error);
    for (int i = 7; i >= 0; i--) length = length << 8 | prefix[i];
    if (!status && length > HEADER_LIMIT)
        status = wl_fail_at(error, WL_ERROR_FORMAT, reader.name, 0, 0, "is no safetensors file of a model");
    if (!status) status = wl_buffer_reserve(&header, (size_t)length, error);
    if (!status) status = wl_reader_read(&reader, sizeof prefix, header.data, (size_t)length, error);
    bool found = false;
    if (!status) {
        wl_json json;
        wl_text key;
        wl_json_open(&json, header.data, (size_t)length, reader.name, &scratch, error);
        wl_json_begin_object(&json);
        while (wl_json_member(&json, &key)) {
            found |= wl_text_is(key, "embedding.weight") || wl_text_is(key, "embeddings");
            wl_json_skip(&json);
        }
        status = wl_json_close(&json);
    }
    if (!status && !found)
        status = fail_no_model(hub, "its weights have no tensor 'embedding.weight' or 'embeddings'", error);
    wl_buffer_free(&header);
    wl_buffer_free(&scratch);
    wl_reader_close(&reader);
    return status;
}

/* One file into the cache; its path is not wanted. */
static wl_status fetch(wl_hub *hub, const char *file, wl_error *error)
{
    char *path;
    wl_status status = wl_hub_file(hub, file, &path, error);
    free(path);
    return status;
}

/* *folder: the snapshot. */
static wl_status fetch_layout(wl_hub *hub, const struct layout *layout, const wl_names *list, char **folder,
                              wl_error *error)
{
    wl_status status = check_weights(hub, layout->weights, error);
    if (!status) status = fetch(hub, layout->tokenizer, error);
    for (size_t i = 0; !status && i < sizeof extras / sizeof *extras; i++)
        if (has(list, extras[i])) status = fetch(hub, extras[i], error);
    if (!status) status = fetch(hub, layout->weights, error);
    if (!status) *folder = wl_layout_snapshot(&hub->layout, hub->commit, error);
    return *folder || status ? status : WL_ERROR_MEMORY;
}

/* A link of that name in the folder to a file of the hub's cache. */
static wl_status link_file(wl_hub *hub, const char *file, const char *folder, const char *name, wl_error *error)
{
    char *target, *path = wl_path_join(folder, name, error);
    wl_status status = path ? wl_hub_file(hub, file, &target, error) : WL_ERROR_MEMORY;
    if (status) {
        free(path);
        return status;
    }
    char *whole = realpath(target, NULL);
    unlink(path);
    if (!whole || symlink(whole, path) != 0) status = wl_fail_errno(error, path, "link", errno);
    free(whole);
    free(target);
    free(path);
    return status;
}

/* Under the names that wl_model_open knows, in a folder of WordLlama's own cache: the hub's holds the hub's names. */
static wl_status fetch_sizes(wl_hub *hub, const sizes *found, char **folder, wl_error *error)
{
    char name[256];
    const char *slash = strchr(hub->repository, '/');
    snprintf(name, sizeof name, "%.*s--%s", (int)(slash - hub->repository), hub->repository, slash + 1);
    wl_status status = check_weights(hub, found->weights, error);
    if (status) return status;
    *folder = wl_pull_path(NULL, name, error);
    if (!*folder) return error->code;
    status = wl_make_directories(*folder, error);
    if (!status) status = link_file(hub, found->tokenizer, *folder, "tokenizer.json", error);
    if (!status) status = link_file(hub, found->weights, *folder, "model.safetensors", error);
    if (!status) return WL_OK;
    free(*folder);
    *folder = NULL;
    return status;
}

/* *found: false, where the list has no model. */
static wl_status fetch_listed(wl_hub *hub, const wl_names *list, bool *found, char **folder, wl_error *error)
{
    *found = true;
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++)
        if (has(list, layouts[i].weights) && has(list, layouts[i].tokenizer))
            return fetch_layout(hub, &layouts[i], list, folder, error);
    sizes several = find_sizes(list);
    if (several.weights) return fetch_sizes(hub, &several, folder, error);
    *found = false;
    return WL_OK;
}

static wl_status fetch_model(wl_hub *hub, char **folder, wl_error *error)
{
    bool found = false;
    wl_names list = {0};
    wl_status status = wl_hub_names(hub, false, &list, error);
    if (!status) status = fetch_listed(hub, &list, &found, folder, error);
    wl_names_free(&list);
    if (status || found) return status;
    /* What is cached is not all of a repository: the hub must be asked. */
    if (hub->stale) {
        status = wl_hub_names(hub, true, &list, error);
        if (!status) status = fetch_listed(hub, &list, &found, folder, error);
        wl_names_free(&list);
        if (status || found) return status;
    }
    return fail_no_model(hub,
                         hub->offline ? "in the cache, and the hub is not to be asked"
                                      : "expected model.safetensors and tokenizer.json",
                         error);
}

wl_status wl_hub_fetch_model(const char *repository, const wl_hub_options *options, char *buffer, size_t size,
                             wl_error *error)
{
    wl_error unused;
    if (!error) error = &unused;
    if (!repository || !buffer)
        return wl_fail(error, WL_ERROR_ARGUMENT, "the %s is NULL", repository ? "buffer" : "repository");
    wl_hub *hub = wl_hub_open(repository, options, error);
    if (!hub) return error->code;
    char *folder = NULL;
    wl_status status = fetch_model(hub, &folder, error);
    wl_hub_close(hub);
    return status ? status : wl_deliver_path(folder, buffer, size, error);
}
