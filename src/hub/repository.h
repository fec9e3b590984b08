/* What wl_hub is made of, and what its files share: where a file is, and what the hub's refusals mean. */
#ifndef WL_HUB_REPOSITORY_H
#define WL_HUB_REPOSITORY_H

#include "hub/digest.h"
#include "hub/environment.h"
#include "hub/http.h"
#include "hub/hub.h"
#include "hub/layout.h"

struct wl_hub {
    char *repository, *revision;
    char commit[WL_COMMIT_TEXT]; /* empty: not known yet */
    bool offline, force;
    bool stale; /* the last listing is that of the cache, because the hub could not be asked */
    wl_hub_environment environment;
    wl_layout layout;
    wl_http http;
};

/* A file as the hub describes it. */
typedef struct wl_hub_entry {
    char name[WL_DIGEST_TEXT]; /* of the blob: SHA-256 or git's SHA-1 */
    uint64_t size;             /* UINT64_MAX: the hub does not say */
} wl_hub_entry;

/* Where a file is: *path, to be freed, in the cache; or NULL, when *entry says what the hub has. With the file's
 * existence hub->commit is known. Failures as for wl_hub_file. A hub that cannot be asked, or refuses, is no failure
 * where the cache has the file. */
wl_status wl_hub_find(wl_hub *hub, const char *file, wl_hub_entry *entry, char **path, wl_error *error);

/* Fetches a blob into the cache under its lock, where it is not yet, and lets the file's pointer lead to it. */
wl_status wl_hub_download(wl_hub *hub, const char *file, wl_hub_entry *entry, wl_error *error);

/* Describes what the hub has, by a HEAD: fills *entry. One try. */
wl_status wl_hub_ask(wl_hub *hub, const char *file, wl_hub_entry *entry, wl_answer *answer, wl_error *error);

/* An address at the commit, or where none is known at the revision: ENDPOINT, before, OWNER/NAME, between, the commit,
 * and the file where it is not NULL; to be freed. A file's is that between "/" and "/resolve/". */
char *wl_hub_address(const wl_hub *hub, const char *before, const char *between, const char *file, wl_error *error);

/* The files of the repository, as wl_hub_list gives them; *list is empty before, and after a failure. patient: asks
 * again and again, and does not fall back to the cache. */
wl_status wl_hub_names(wl_hub *hub, bool patient, wl_names *list, wl_error *error);

/* Refines the error of a request about a file (NULL: about the repository) by what the answer says; returns its code,
 * WL_ERROR_NOT_FOUND where the repository is there and the file is not. */
wl_status wl_hub_refusal(const wl_hub *hub, const char *file, const wl_answer *answer, wl_error *error);

/* WL_ERROR_IO: the revision is not in the cache, and nobody is to be asked. */
wl_status wl_hub_absent(const wl_hub *hub, wl_error *error);

/* Whether what is cached may stand in where the hub failed so. */
bool wl_hub_may_use_cache(const wl_answer *answer, wl_status status);

/* The cached commit of the revision to hub->commit; false where there is none. */
bool wl_hub_cached_commit(wl_hub *hub);

/* Without the marks of a weak or quoted ETag: W/"abc" is abc. Cut at size. */
void wl_plain_etag(const char *header, char *name, size_t size);

/* Fewer and shorter tries, for who has another way than the hub. */
void wl_hub_hurry(wl_hub *hub);

#endif
