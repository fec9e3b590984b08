/* One file of a repository: in the cache, or fetched into it. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "hub/cache.h"
#include "hub/repository.h"
#include "hub/say.h"

enum { FILE_LIMIT = 1024 /* bytes of a file's name */, DEPTH_LIMIT = 30 /* its folders */ };

/* A name becomes a path below a snapshot: it must not lead out of it. */
static wl_status check_name(const char *file, wl_error *error)
{
    size_t size = strlen(file), depth = 0;
    bool good = size > 0 && size <= FILE_LIMIT;
    for (const char *part = file; good;) {
        size_t length = strcspn(part, "/");
        good =
            length > 0 && strncmp(part, ".", length) != 0 && strncmp(part, "..", length) != 0 && depth++ <= DEPTH_LIMIT;
        if (!part[length]) break;
        part += length + 1;
    }
    for (const char *c = file; good && *c; c++) good = (unsigned char)*c >= 32 && *c != 127 && *c != '\\';
    return good ? WL_OK : wl_fail(error, WL_ERROR_ARGUMENT, "\"%.200s\" is no name of a file in a repository", file);
}

/* *path: to be freed; NULL where that commit's file is not in the cache. */
static wl_status look_up(const wl_hub *hub, const char *commit, const char *file, char **path, wl_error *error)
{
    *path = wl_layout_pointer(&hub->layout, commit, file, error);
    if (!*path) return WL_ERROR_MEMORY;
    if (wl_path_exists(*path) && !wl_path_is_directory(*path)) return WL_OK;
    free(*path);
    *path = NULL;
    return WL_OK;
}

static wl_status fail_missing(const wl_hub *hub, const char *file, wl_error *error)
{
    return wl_fail(error, WL_ERROR_NOT_FOUND, "%.200s has no file %.100s at commit %s", hub->repository, file,
                   hub->commit);
}

/* The answer without a network: the cache or nothing. */
static wl_status find_offline(wl_hub *hub, const char *file, char **path, wl_error *error)
{
    if (!wl_hub_cached_commit(hub)) return wl_hub_absent(hub, error);
    wl_status status = look_up(hub, hub->commit, file, path, error);
    if (status || *path) return status;
    if (wl_layout_lacks(&hub->layout, hub->commit, file)) return fail_missing(hub, file, error);
    return wl_fail(error, WL_ERROR_NOT_FOUND, "%.100s of %.200s is not in %.200s, and the hub is not to be asked", file,
                   hub->repository, hub->environment.cache);
}

/* That the hub lacks a file is worth remembering, with the commit that lacks it. */
static void note_lack(wl_hub *hub, const char *file, const char *commit)
{
    wl_error unused;
    if (!wl_is_hexadecimal(commit, WL_COMMIT_DIGITS)) return;
    wl_layout_note_lack(&hub->layout, commit, file);
    wl_layout_write_ref(&hub->layout, hub->revision, commit, &unused);
    memcpy(hub->commit, commit, WL_COMMIT_TEXT);
}

wl_status wl_hub_ask(wl_hub *hub, const char *file, wl_hub_entry *entry, wl_answer *answer, wl_error *error)
{
    *answer = (wl_answer){0};
    char *url = wl_hub_address(hub, "/", "/resolve/", file, error);
    if (!url) return WL_ERROR_MEMORY;
    wl_request request = {.url = url, .head = true};
    hub->http.file = file;
    hub->http.done = hub->http.total = 0;
    wl_status status = wl_http_send(&hub->http, &request, answer, error);
    free(url);
    const char *commit = answer->headers[WL_X_REPO_COMMIT], *etag = answer->headers[WL_X_LINKED_ETAG];
    const char *size = answer->headers[WL_X_LINKED_SIZE];
    if (status) {
        status = wl_hub_refusal(hub, file, answer, error);
        if (status == WL_ERROR_NOT_FOUND) note_lack(hub, file, commit);
        return status;
    }
    if (!wl_is_hexadecimal(commit, WL_COMMIT_DIGITS))
        return wl_fail(error, WL_ERROR_IO,
                       "%.200s does not answer as the hub does (no X-Repo-Commit): is it one, or a firewall's page?",
                       hub->environment.endpoint);
    if (*hub->commit && strcmp(hub->commit, commit) != 0)
        return wl_fail(error, WL_ERROR_IO, "the hub answers for commit %s of %.200s, asked was for %s", commit,
                       hub->repository, hub->commit);
    wl_plain_etag(*etag ? etag : answer->headers[WL_ETAG], entry->name, sizeof entry->name);
    /* The length of a redirect's answer is not the file's. */
    if (!*size && answer->code == 200) size = answer->headers[WL_CONTENT_LENGTH];
    if (!wl_byte_count(size, &entry->size)) entry->size = UINT64_MAX;
    memcpy(hub->commit, commit, WL_COMMIT_TEXT);
    return WL_OK;
}

wl_status wl_hub_find(wl_hub *hub, const char *file, wl_hub_entry *entry, char **path, wl_error *error)
{
    *path = NULL;
    wl_status status = check_name(file, error);
    if (status) return status;
    if (hub->offline) return find_offline(hub, file, path, error);
    /* What is known of a commit never changes. */
    if (*hub->commit && !hub->force) {
        status = look_up(hub, hub->commit, file, path, error);
        if (status || *path) return status;
        if (wl_layout_lacks(&hub->layout, hub->commit, file)) return fail_missing(hub, file, error);
    }
    wl_answer answer;
    uint32_t tried = 0;
    while ((status = wl_hub_ask(hub, file, entry, &answer, error))) {
        char commit[WL_COMMIT_TEXT];
        if (!hub->force && wl_hub_may_use_cache(&answer, status) && !*hub->commit &&
            wl_layout_read_ref(&hub->layout, hub->revision, commit)) {
            wl_error failure = *error;
            status = look_up(hub, commit, file, path, error);
            if (status) return status;
            if (*path) {
                memcpy(hub->commit, commit, sizeof commit);
                wl_say(hub->http.message, hub->http.user, "%.300s; taking what is in the cache", failure.message);
                return WL_OK;
            }
        }
        if (!wl_http_again(&hub->http, &answer, &tried, error)) return error->code;
    }
    if (hub->force) return WL_OK;
    status = look_up(hub, hub->commit, file, path, error);
    wl_error unused;
    if (*path) wl_layout_write_ref(&hub->layout, hub->revision, hub->commit, &unused); /* a cache may be read-only */
    return status;
}

wl_status wl_hub_file(wl_hub *hub, const char *file, char **path, wl_error *error)
{
    wl_hub_entry entry;
    wl_status status = wl_hub_find(hub, file, &entry, path, error);
    if (status || *path) return status;
    status = wl_hub_download(hub, file, &entry, error);
    if (!status) *path = wl_layout_pointer(&hub->layout, hub->commit, file, error);
    return *path || status ? status : WL_ERROR_MEMORY;
}

wl_status wl_hub_fetch(const char *repository, const char *file, const wl_hub_options *options, char *buffer,
                       size_t size, wl_error *error)
{
    wl_error unused;
    if (!error) error = &unused;
    if (!repository || !file || !buffer)
        return wl_fail(error, WL_ERROR_ARGUMENT, "the %s is NULL",
                       !repository ? "repository"
                       : !file     ? "name of the file"
                                   : "buffer");
    wl_hub *hub = wl_hub_open(repository, options, error);
    if (!hub) return error->code;
    char *path = NULL;
    wl_status status = wl_hub_file(hub, file, &path, error);
    wl_hub_close(hub);
    return status ? status : wl_deliver_path(path, buffer, size, error);
}
