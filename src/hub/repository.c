/* Opening a repository, its addresses, and the words for what the hub refuses. */
#include "hub/repository.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NAME_LIMIT = 96,      /* of owner and of name, as the hub has it */
    REVISION_LIMIT = 255, /* bytes */
};

static bool letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* One half of "owner/name". */
static bool good_word(const char *word, size_t size)
{
    bool good = size > 0 && size <= NAME_LIMIT && letter(word[0]) && letter(word[size - 1]);
    for (size_t i = 0; good && i < size; i++) {
        bool twice = i && word[i] == word[i - 1];
        good = letter(word[i]) || (!twice && (word[i] == '-' || word[i] == '.'));
    }
    return good;
}

static bool is_name(const char *name)
{
    const char *slash = strchr(name, '/');
    size_t size = strlen(name);
    bool git = size > 4 && !strcmp(name + size - 4, ".git");
    return slash && !git && good_word(name, (size_t)(slash - name)) && good_word(slash + 1, strlen(slash + 1));
}

/* A revision becomes a path below refs, and part of an address. */
static bool good_revision(const char *revision)
{
    size_t size = strlen(revision);
    bool good = size > 0 && size <= REVISION_LIMIT && revision[0] != '/' && revision[size - 1] != '/' &&
                !strstr(revision, "..") && !strstr(revision, "//") && !strstr(revision, "/.") && revision[0] != '.';
    for (size_t i = 0; good && i < size; i++) good = (unsigned char)revision[i] > 32 && revision[i] != 127;
    return good;
}

static wl_status set_up(wl_hub *hub, const char *repository, const wl_hub_options *options, wl_error *error)
{
    const char *revision = options->revision ? options->revision : "main";
    if (!is_name(repository))
        return wl_fail(error, WL_ERROR_ARGUMENT,
                       "\"%.200s\" is no name at the hub: expected OWNER/NAME of letters, digits, '-', '_' and '.'",
                       repository);
    if (!good_revision(revision))
        return wl_fail(error, WL_ERROR_ARGUMENT, "\"%.200s\" is no revision: expected a branch, a tag or a commit",
                       revision);
    hub->repository = wl_copy_text(repository, strlen(repository), error);
    hub->revision = wl_copy_text(revision, strlen(revision), error);
    if (!hub->repository || !hub->revision) return WL_ERROR_MEMORY;
    if (wl_is_hexadecimal(revision, WL_COMMIT_DIGITS)) memcpy(hub->commit, revision, WL_COMMIT_TEXT);
    wl_status status = wl_hub_environment_read(&hub->environment, options->cache, options->endpoint, error);
    if (!status) status = wl_layout_open(&hub->layout, hub->environment.cache, repository, error);
    hub->offline = options->offline || hub->environment.offline;
    hub->force = options->force && !hub->offline;
    hub->http = (wl_http){
        .endpoint = hub->environment.endpoint,
        .token = hub->environment.token,
        .answer_seconds = hub->environment.answer_seconds,
        .stall_seconds = hub->environment.stall_seconds,
        .tries = 5,
        .pause = 1000,
        .longest_wait = 300, /* the hub counts requests in windows of five minutes */
        .progress = options->progress,
        .message = options->message,
        .user = options->user,
        .file = hub->repository,
    };
    return status;
}

wl_hub *wl_hub_open(const char *repository, const wl_hub_options *options, wl_error *error)
{
    wl_hub_options chosen;
    if (wl_read_options(&chosen, sizeof chosen, options, "wl_hub_options", error)) return NULL;
    wl_hub *hub = wl_allocate(1, sizeof *hub, error);
    if (!hub || set_up(hub, repository, &chosen, error) == WL_OK) return hub;
    wl_hub_close(hub);
    return NULL;
}

void wl_hub_hurry(wl_hub *hub)
{
    hub->http.tries = 2;
    hub->http.pause = 300;
    hub->http.longest_wait = 2;
}

void wl_hub_close(wl_hub *hub)
{
    if (!hub) return;
    wl_http_close(&hub->http);
    wl_layout_close(&hub->layout);
    wl_hub_environment_free(&hub->environment);
    free(hub->repository);
    free(hub->revision);
    free(hub);
}

const char *wl_hub_commit(const wl_hub *hub)
{
    return hub->commit;
}

bool wl_hub_cached_commit(wl_hub *hub)
{
    return *hub->commit || wl_layout_read_ref(&hub->layout, hub->revision, hub->commit);
}

void wl_plain_etag(const char *header, char *name, size_t size)
{
    if (!strncmp(header, "W/", 2)) header += 2;
    header += strspn(header, "\"");
    size_t length = strcspn(header, "\"");
    if (length >= size) length = size - 1;
    memcpy(name, header, length);
    name[length] = 0;
}

/* ---- addresses --------------------------------------------------------------------------------------------------- */

/* Percent-encoded but for what RFC 3986 calls unreserved, and what `also` names. */
static wl_status append_quoted(wl_buffer *out, const char *text, const char *also, wl_error *error)
{
    wl_status status = WL_OK;
    for (; !status && *text; text++) {
        char quoted[4];
        unsigned char c = (unsigned char)*text;
        bool plain = letter(*text) || strchr("-.~", *text) || strchr(also, *text);
        int length = plain ? snprintf(quoted, sizeof quoted, "%c", c) : snprintf(quoted, sizeof quoted, "%%%02X", c);
        status = wl_buffer_append(out, quoted, (size_t)length, error);
    }
    return status;
}

char *wl_hub_address(const wl_hub *hub, const char *before, const char *between, const char *file, wl_error *error)
{
    const char *revision = *hub->commit ? hub->commit : hub->revision;
    const char *const plain[] = {hub->environment.endpoint, before, hub->repository, between};
    wl_buffer out = {0};
    wl_status status = WL_OK;
    for (size_t i = 0; !status && i < sizeof plain / sizeof *plain; i++)
        status = wl_buffer_append(&out, plain[i], strlen(plain[i]), error);
    if (!status) status = append_quoted(&out, revision, "", error);
    if (!status && file) status = wl_buffer_append(&out, "/", 1, error);
    if (!status && file) status = append_quoted(&out, file, "/", error);
    if (!status) status = wl_buffer_append(&out, "", 1, error);
    if (!status) return out.data;
    wl_buffer_free(&out);
    return NULL;
}

/* ---- refusals ---------------------------------------------------------------------------------------------------- */

static wl_status refuse_gated(const wl_hub *hub, wl_error *error)
{
    const char *endpoint = hub->environment.endpoint, *name = hub->repository;
    if (hub->environment.token)
        return wl_fail(
            error, WL_ERROR_IO,
            "%.200s is gated and your token does not open it: agree to the licence at %.120s/%.200s with the "
            "account that the token is of",
            name, endpoint, name);
    return wl_fail(
        error, WL_ERROR_IO,
        "%.200s is gated: agree to the licence at %.120s/%.200s, then log in ('hf auth login', or a token in "
        "HF_TOKEN)",
        name, endpoint, name);
}

static wl_status refuse_repository(const wl_hub *hub, wl_error *error)
{
    return wl_fail(error, WL_ERROR_IO, "no repository %.200s at %.120s, or a private one%s", hub->repository,
                   hub->environment.endpoint,
                   hub->environment.token ? " that your token does not open"
                                          : ": for that log in ('hf auth login', or a token in HF_TOKEN)");
}

wl_status wl_hub_refusal(const wl_hub *hub, const char *file, const wl_answer *answer, wl_error *error)
{
    const char *code = answer->headers[WL_X_ERROR_CODE], *said = answer->headers[WL_X_ERROR_MESSAGE];
    const char *revision = *hub->commit ? hub->commit : hub->revision;
    if (error->code != WL_ERROR_IO || answer->code < 400) return error->code;
    if (!strcmp(code, "EntryNotFound") || (answer->code == 404 && !*code && file))
        return wl_fail(error, WL_ERROR_NOT_FOUND, "%.200s has no file %.100s at revision %.80s (HTTP %ld)",
                       hub->repository, file ? file : "", revision, answer->code);
    if (!strcmp(code, "RevisionNotFound"))
        return wl_fail(error, WL_ERROR_IO, "%.200s has no revision %.200s", hub->repository, revision);
    if (!strcmp(code, "GatedRepo")) return refuse_gated(hub, error);
    if (answer->code == 401 && hub->environment.token && !strncmp(said, "Invalid credentials", 19))
        return wl_fail(error, WL_ERROR_IO,
                       "HTTP 401: %.120s does not know the token of HF_TOKEN or of the last login; log in again ('hf "
                       "auth login')",
                       hub->environment.endpoint);
    if (!strcmp(code, "RepoNotFound") || answer->code == 401 || (answer->code == 404 && !file))
        return refuse_repository(hub, error);
    if (*said) {
        wl_error plain = *error;
        return wl_fail(error, WL_ERROR_IO, "%.300s: %.200s", plain.message, said);
    }
    return error->code;
}

wl_status wl_hub_absent(const wl_hub *hub, wl_error *error)
{
    return wl_fail(error, WL_ERROR_IO, "revision %.80s of %.200s is not in %.200s, and the hub is not to be asked",
                   hub->revision, hub->repository, hub->environment.cache);
}

bool wl_hub_may_use_cache(const wl_answer *answer, wl_status status)
{
    return status == WL_ERROR_IO && strcmp(answer->headers[WL_X_ERROR_CODE], "RevisionNotFound") != 0;
}
