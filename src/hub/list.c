/* The files of a repository: from the hub's API, or from what is cached. */
#include <stdlib.h>
#include <string.h>

#include "format/json.h"
#include "hub/repository.h"
#include "hub/say.h"

enum { LISTING_LIMIT = 64 << 20 /* bytes of the hub's answer */ };

static wl_status take(void *user, const void *data, size_t size, wl_error *error)
{
    wl_buffer *text = user;
    if (size > LISTING_LIMIT - text->size)
        return wl_fail(error, WL_ERROR_LIMIT, "the hub's listing is larger than %d bytes", LISTING_LIMIT);
    return wl_buffer_append(text, data, size, error);
}

/* [{"rfilename": "a"}, ...] */
static void read_siblings(wl_json *json, wl_names *list)
{
    wl_text key;
    wl_json_begin_array(json);
    while (wl_json_element(json)) {
        wl_json_begin_object(json);
        while (wl_json_member(json, &key)) {
            if (!wl_text_is(key, "rfilename")) {
                wl_json_skip(json);
                continue;
            }
            wl_text name = wl_json_string(json);
            if (!wl_json_failed(json) && wl_names_add(list, name.data, name.size, json->error)) json->failed = true;
        }
    }
}

/* {"sha": "COMMIT", "siblings": [...], ...} */
static wl_status read_listing(wl_hub *hub, wl_text text, wl_names *list, wl_error *error)
{
    wl_buffer scratch = {0};
    wl_json json;
    wl_text key;
    char commit[WL_COMMIT_TEXT] = "";
    wl_json_open(&json, text.data ? text.data : "", text.size, "the hub's listing", &scratch, error);
    wl_json_begin_object(&json);
    while (wl_json_member(&json, &key)) {
        if (wl_text_is(key, "sha") && wl_json_peek(&json) == WL_JSON_STRING) {
            wl_text sha = wl_json_string(&json);
            if (sha.size == WL_COMMIT_DIGITS) memcpy(commit, sha.data, sha.size);
        } else if (wl_text_is(key, "siblings") && wl_json_peek(&json) == WL_JSON_ARRAY)
            read_siblings(&json, list);
        else
            wl_json_skip(&json);
    }
    wl_status status = wl_json_close(&json);
    wl_buffer_free(&scratch);
    if (status) return status;
    if (!wl_is_hexadecimal(commit, WL_COMMIT_DIGITS))
        return wl_fail(error, WL_ERROR_FORMAT, "the hub's listing of %.200s names no commit", hub->repository);
    memcpy(hub->commit, commit, sizeof commit);
    return WL_OK;
}

/* once: without further tries, because there is something to fall back to. *usable: which the failure permits. */
static wl_status ask(wl_hub *hub, bool once, wl_names *list, bool *usable, wl_error *error)
{
    char *url = wl_hub_address(hub, "/api/models/", "/revision/", NULL, error);
    *usable = false;
    if (!url) return WL_ERROR_MEMORY;
    wl_buffer text = {0};
    wl_request request = {.url = url, .take = take, .user = &text};
    wl_answer answer;
    uint32_t tried = 0;
    hub->http.file = hub->repository;
    hub->http.done = hub->http.total = 0;
    do {
        text.size = 0;
        if (wl_http_send(&hub->http, &request, &answer, error) == WL_OK) {
            wl_status status = read_listing(hub, (wl_text){text.data, text.size}, list, error);
            wl_buffer_free(&text);
            free(url);
            return status;
        }
        wl_hub_refusal(hub, NULL, &answer, error);
    } while (!once && wl_http_again(&hub->http, &answer, &tried, error));
    *usable = wl_hub_may_use_cache(&answer, error->code);
    wl_buffer_free(&text);
    free(url);
    return error->code;
}

wl_status wl_hub_names(wl_hub *hub, bool patient, wl_names *list, wl_error *error)
{
    wl_status status = WL_OK;
    wl_names cached = {0};
    char commit[WL_COMMIT_TEXT];
    memcpy(commit, hub->commit, sizeof commit);
    bool known = *commit || wl_layout_read_ref(&hub->layout, hub->revision, commit);
    if (known) status = wl_layout_list(&hub->layout, commit, &cached, error);
    hub->stale = false;
    if (!status && !hub->offline) {
        bool usable;
        status = ask(hub, cached.count && !patient, list, &usable, error);
        hub->stale = status && usable && cached.count && !patient;
        if (hub->stale) {
            wl_say(hub->http.message, hub->http.user, "%.300s; taking what is in the cache", error->message);
            wl_names_free(list);
            status = WL_OK;
        }
    } else if (!status && !known)
        status = wl_hub_absent(hub, error);
    if (!status && (hub->offline || hub->stale)) {
        memcpy(hub->commit, commit, sizeof commit);
        *list = cached;
        return WL_OK;
    }
    wl_names_free(&cached);
    if (status) wl_names_free(list);
    return status;
}

wl_status wl_hub_list(wl_hub *hub, char ***names, size_t *count, wl_error *error)
{
    wl_names list = {0};
    wl_status status = wl_hub_names(hub, false, &list, error);
    *names = list.names;
    *count = list.count;
    return status;
}
