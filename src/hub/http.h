/* HTTP by libcurl: one request at a time, redirects followed by hand, and the question whether to ask again. */
#ifndef WL_HUB_HTTP_H
#define WL_HUB_HTTP_H

#include "base/status.h"
#include "wordllama_train.h"

typedef struct wl_http {
    void *curl;                /* libcurl's handle: its connections stay open from one request to the next */
    const char *endpoint;      /* of the hub; borrowed */
    const char *token;         /* NULL: none; sent to the endpoint's origin (scheme, host and port) alone; borrowed */
    long answer_seconds;       /* for a question without a body, and to be connected */
    long stall_seconds;        /* a body that stands still for that long is given up */
    uint32_t tries;            /* how often to ask in all; tries that brought something forward do not count */
    uint32_t pause;            /* milliseconds before the second try; doubled from try to try, up to 8 s */
    uint32_t longest_wait;     /* seconds that the other side may ask to wait; more is given up at once */
    wl_pull_progress progress; /* NULL: none */
    wl_pull_message message;   /* NULL: none */
    void *user;
    const char *file;     /* what the progress callback is told, set by who asks: the name, */
    uint64_t done, total; /* bytes that were there before this request, bytes in all or 0 */
} wl_http;

/* Headers that are kept. Those of the hub (X-...) are taken from the endpoint's origin alone and stay when it
 * redirects; the others are of the last answer. */
typedef enum wl_header {
    WL_X_REPO_COMMIT,
    WL_X_LINKED_ETAG,
    WL_X_LINKED_SIZE,
    WL_X_ERROR_CODE,
    WL_X_ERROR_MESSAGE,
    WL_ETAG,
    WL_CONTENT_LENGTH,
    WL_CONTENT_RANGE,
    WL_CONTENT_ENCODING,
    WL_HEADERS
} wl_header;

enum { WL_HEADER_TEXT = 256 };

typedef struct wl_answer {
    long code;                                /* 0: none came */
    bool hub;                                 /* it came from the endpoint's origin */
    bool transient;                           /* it failed in a way that may pass */
    bool unreached;                           /* no connection came about: that passes more rarely */
    uint32_t wait;                            /* seconds to wait that the other side asks for; 0: none */
    char headers[WL_HEADERS][WL_HEADER_TEXT]; /* without white space around them; empty: absent; cut where too long */
} wl_answer;

typedef struct wl_request {
    const char *url;
    bool head;   /* HEAD: a redirect to another origin is the answer; else GET: all redirects are followed */
    bool ranged; /* GET: only the bytes [first, last]; last UINT64_MAX: to the end */
    uint64_t first, last;
    /* Called once before the body of a 200 or 206; NULL: nothing to check. A failure ends the request. */
    wl_status (*begin)(void *user, const wl_answer *answer, wl_error *error);
    /* The body of a 200 or 206 as it comes; NULL: there must be none. */
    wl_status (*take)(void *user, const void *data, size_t size, wl_error *error);
    void *user;
} wl_request;

/* The members are set by the caller, curl is NULL before the first request. */
void wl_http_close(wl_http *http);

/* One try. WL_OK: a 200 or 206 came whole, or for HEAD a redirect that leads elsewhere. Failures of begin and take are
 * returned as they are; WL_ERROR_CANCELLED as the progress callback wishes; all others are WL_ERROR_IO, with the other
 * side's code in answer. http and https alone, never from https to http, certificates verified. */
wl_status wl_http_send(wl_http *http, const wl_request *request, wl_answer *answer, wl_error *error);

/* Whether to try once more after a failure that *error holds: waits as long as there is to be waited. *tried: tries so
 * far without progress, 0 before the first failure. False: no more, and *error is final (it may be another now). */
bool wl_http_again(wl_http *http, const wl_answer *answer, uint32_t *tried, wl_error *error);

/* Reads "bytes FIRST-LAST/TOTAL"; *total UINT64_MAX for a total of "*". */
bool wl_content_range(const char *text, uint64_t *first, uint64_t *last, uint64_t *total);
/* Reads a number of bytes, digits alone. */
bool wl_byte_count(const char *text, uint64_t *bytes);

#endif
