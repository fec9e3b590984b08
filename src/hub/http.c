#include "hub/http.h"

#include <ctype.h>
#include <curl/curl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/memory.h"
#include "hub/say.h"

enum {
    REDIRECTS = 20,
    UNREACHED_TRIES = 3, /* who has no network is told soon */
    LONGEST_PAUSE_MS = 8000,
    ERROR_BODY = 1 << 16, /* bytes of an answer that is of no use */
};

typedef struct transfer {
    wl_http *http;
    const wl_request *request;
    wl_answer *answer;
    wl_error *error;
    CURL *curl;
    wl_status status; /* of our own callbacks; WL_OK while they are content */
    bool headed;      /* the headers of the answer came to their end */
    bool begun;
    size_t useless; /* bytes that nobody takes */
} transfer;

static const char *const header_names[WL_HEADERS] = {
    [WL_X_REPO_COMMIT] = "x-repo-commit",       [WL_X_LINKED_ETAG] = "x-linked-etag",
    [WL_X_LINKED_SIZE] = "x-linked-size",       [WL_X_ERROR_CODE] = "x-error-code",
    [WL_X_ERROR_MESSAGE] = "x-error-message",   [WL_ETAG] = "etag",
    [WL_CONTENT_LENGTH] = "content-length",     [WL_CONTENT_RANGE] = "content-range",
    [WL_CONTENT_ENCODING] = "content-encoding",
};

static bool of_hub(size_t header)
{
    return header <= WL_X_ERROR_MESSAGE;
}

static size_t take_header(char *data, size_t one, size_t size, void *user)
{
    (void)one; /* always 1, says libcurl */
    transfer *this = user;
    wl_answer *answer = this->answer;
    if (size <= 2) this->headed = true;               /* an empty line */
    if (size > 5 && !strncasecmp(data, "HTTP/", 5)) { /* another answer begins */
        for (size_t i = 0; i < WL_HEADERS; i++)
            if (!of_hub(i) || answer->hub) answer->headers[i][0] = 0;
        return size;
    }
    const char *colon = memchr(data, ':', size);
    size_t length = colon ? (size_t)(colon - data) : 0;
    for (size_t i = 0; length && i < WL_HEADERS; i++) {
        if (strlen(header_names[i]) != length || strncasecmp(data, header_names[i], length) != 0) continue;
        if (of_hub(i) && !answer->hub) continue;
        const char *value = colon + 1, *end = data + size;
        while (value < end && isspace((unsigned char)*value)) value++;
        while (end > value && isspace((unsigned char)end[-1])) end--;
        snprintf(answer->headers[i], WL_HEADER_TEXT, "%.*s", (int)(end - value), value);
    }
    return size;
}

/* Only what was asked for goes on; the page that comes with an error does not. */
static bool useful(transfer *this)
{
    curl_easy_getinfo(this->curl, CURLINFO_RESPONSE_CODE, &this->answer->code);
    return this->answer->code == 200 || this->answer->code == 206;
}

static wl_status begin(transfer *this)
{
    const wl_request *request = this->request;
    if (this->begun) return WL_OK;
    this->begun = true;
    return request->begin ? request->begin(request->user, this->answer, this->error) : WL_OK;
}

static size_t take_body(char *data, size_t one, size_t size, void *user)
{
    (void)one;
    transfer *this = user;
    const wl_request *request = this->request;
    if (!useful(this) || !request->take) {
        this->useless += size;
        return this->useless > ERROR_BODY ? size + 1 : size; /* another number than size ends the transfer */
    }
    this->status = begin(this);
    if (!this->status) this->status = request->take(request->user, data, size, this->error);
    return this->status ? size + 1 : size;
}

static bool go_on(wl_http *http, uint64_t done, uint64_t total, wl_error *error)
{
    if (!http->progress || http->progress(http->user, http->file, done, total)) return true;
    wl_fail(error, WL_ERROR_CANCELLED, "cancelled while %s was fetched", http->file);
    return false;
}

static int watch(void *user, curl_off_t total, curl_off_t done, curl_off_t up_total, curl_off_t up)
{
    (void)total;
    (void)up_total;
    (void)up;
    transfer *this = user;
    uint64_t here = this->answer->code == 206 || this->answer->code == 200 ? (uint64_t)done : 0;
    if (go_on(this->http, this->http->done + here, this->http->total, this->error)) return 0;
    this->status = WL_ERROR_CANCELLED;
    return 1;
}

/* curl_global_init is not safe to run twice at once before libcurl 7.84. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static CURLcode global;

static void initialize(void)
{
    global = curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* TLS writes to a socket that the other side closed raise SIGPIPE. libcurl would ignore the signal for the whole
 * process meanwhile; blocking it in this thread and eating it touches nobody else. */
static CURLcode perform(CURL *curl)
{
    sigset_t pipe, before, pending;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigpending(&pending);
    bool ours = !sigismember(&pending, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, &before);
    CURLcode code = curl_easy_perform(curl);
    sigpending(&pending);
    int number;
    if (ours && sigismember(&pending, SIGPIPE)) sigwait(&pipe, &number);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}

/* Whether two addresses have scheme, host and port in common. */
static bool same_origin(const char *a, const char *b)
{
    static const CURLUPart parts[] = {CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT};
    CURLU *urls[2] = {curl_url(), curl_url()};
    bool same = urls[0] && urls[1] && !curl_url_set(urls[0], CURLUPART_URL, a, 0) &&
                !curl_url_set(urls[1], CURLUPART_URL, b, 0);
    for (size_t i = 0; same && i < sizeof parts / sizeof *parts; i++) {
        char *texts[2] = {NULL, NULL};
        for (int j = 0; j < 2; j++) curl_url_get(urls[j], parts[i], &texts[j], CURLU_DEFAULT_PORT);
        same = texts[0] && texts[1] && !strcasecmp(texts[0], texts[1]);
        curl_free(texts[0]);
        curl_free(texts[1]);
    }
    curl_url_cleanup(urls[0]);
    curl_url_cleanup(urls[1]);
    return same;
}

static bool configure(transfer *this, const char *url, struct curl_slist *headers, char *reason)
{
    const wl_http *http = this->http;
    const wl_request *request = this->request;
    CURL *curl = this->curl;
    bool good = true;
    char range[64];
    curl_easy_reset(curl); /* forgets all but the connections */
    /* Fails only out of memory, or where libcurl was built without a part that we cannot do without. */
#define SET(option, value) good = curl_easy_setopt(curl, option, value) == CURLE_OK && good
    SET(CURLOPT_URL, url);
    SET(CURLOPT_ERRORBUFFER, reason);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_FOLLOWLOCATION, 0L);
#if LIBCURL_VERSION_NUM >= 0x075500
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
#else
    SET(CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    SET(CURLOPT_CONNECTTIMEOUT, http->answer_seconds);
    SET(CURLOPT_LOW_SPEED_LIMIT, 1L);
    SET(CURLOPT_LOW_SPEED_TIME, http->stall_seconds);
    SET(CURLOPT_USERAGENT, "wordllama");
    SET(CURLOPT_HTTPHEADER, headers);
    if (request->head) {
        SET(CURLOPT_NOBODY, 1L);
        SET(CURLOPT_TIMEOUT, http->answer_seconds);
    }
    if (request->ranged) {
        if (request->last == UINT64_MAX)
            snprintf(range, sizeof range, "%" PRIu64 "-", request->first);
        else
            snprintf(range, sizeof range, "%" PRIu64 "-%" PRIu64, request->first, request->last);
        SET(CURLOPT_RANGE, range); /* copied */
    }
    if (http->token && this->answer->hub) {
        SET(CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
        SET(CURLOPT_XOAUTH2_BEARER, http->token);
    }
    SET(CURLOPT_HEADERFUNCTION, take_header);
    SET(CURLOPT_HEADERDATA, this);
    SET(CURLOPT_WRITEFUNCTION, take_body);
    SET(CURLOPT_WRITEDATA, this);
    SET(CURLOPT_NOPROGRESS, 0L);
    SET(CURLOPT_XFERINFOFUNCTION, watch);
    SET(CURLOPT_XFERINFODATA, this);
#undef SET
    return good;
}

static bool may_pass(CURLcode code, long answer)
{
    static const long answers[] = {408, 429, 500, 502, 503, 504};
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        if (answer == answers[i]) return true;
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PARTIAL_FILE:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL: /* no HTTP comes back: the address was looked at before */
        return true;
    default:
        return false;
    }
}

/* One address, without redirects. *next: where it redirects to, to be freed; else NULL. */
static wl_status visit(transfer *this, const char *url, char **next)
{
    wl_answer *answer = this->answer;
    wl_error *error = this->error;
    char reason[CURL_ERROR_SIZE] = "";
    answer->code = 0;
    this->headed = this->begun = false;
    answer->hub = same_origin(this->http->endpoint, url);
    /* What the hub says of a size is that of the file as it is, not packed for the way. */
    struct curl_slist *headers = curl_slist_append(NULL, "Accept-Encoding: identity");
    if (!headers) return wl_fail_memory(error, sizeof *headers);
    wl_status status = WL_OK;
    if (!configure(this, url, headers, reason))
        status = wl_fail(error, WL_ERROR_UNSUPPORTED, "this libcurl (%s) lacks an option needed", curl_version());
    else {
        CURLcode code = perform(this->curl);
        curl_off_t wait = 0;
        char *target = NULL;
        bool good = useful(this);
        curl_easy_getinfo(this->curl, CURLINFO_RETRY_AFTER, &wait);
        curl_easy_getinfo(this->curl, CURLINFO_REDIRECT_URL, &target);
        answer->wait = wait > UINT32_MAX ? UINT32_MAX : (uint32_t)wait;
        answer->transient = !this->status && may_pass(code, answer->code);
        answer->unreached = code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_CONNECT;
        bool told = answer->code && !good; /* an error page may be cut short by us */
        if (this->status)
            status = this->status;
        else if (code != CURLE_OK && !told)
            status = wl_fail(error, WL_ERROR_IO, "%.200s: %s", url, *reason ? reason : curl_easy_strerror(code));
        else if (!this->headed) {
            answer->transient = true;
            status = wl_fail(error, WL_ERROR_IO, "the connection ended in the headers of the answer");
        } else if (answer->code / 100 == 3 && target) {
            *next = wl_copy_text(target, strlen(target), error);
            status = *next ? WL_OK : WL_ERROR_MEMORY;
        } else if (!good)
            status = wl_fail(error, WL_ERROR_IO, "HTTP %ld for %s", answer->code, url);
        else
            status = begin(this);
    }
    curl_slist_free_all(headers);
    return status;
}

/* http and https alone, and what began encrypted does not go on in the clear. */
static bool permitted(const char *url, const char *next)
{
    return !strncasecmp(next, "https://", 8) ||
           (!strncasecmp(next, "http://", 7) && strncasecmp(url, "https://", 8) != 0);
}

wl_status wl_http_send(wl_http *http, const wl_request *request, wl_answer *answer, wl_error *error)
{
    *answer = (wl_answer){0};
    pthread_once(&once, initialize);
    if (!http->curl && global == CURLE_OK) http->curl = curl_easy_init();
    if (!http->curl) return wl_fail(error, WL_ERROR_IO, "libcurl does not start");
    transfer this = {.http = http, .request = request, .answer = answer, .error = error, .curl = http->curl};
    char *url = wl_copy_text(request->url, strlen(request->url), error);
    if (!url) return WL_ERROR_MEMORY;
    wl_status status = WL_OK;
    for (int hops = 0;; hops++) {
        char *next = NULL;
        status = visit(&this, url, &next);
        if (!status && next && !permitted(url, next))
            status = wl_fail(error, WL_ERROR_IO, "%.200s redirects to %.200s, a protocol not permitted", url, next);
        else if (!status && next && hops == REDIRECTS)
            status = wl_fail(error, WL_ERROR_IO, "more than %d redirects from %s", REDIRECTS, request->url);
        if (status || !next || (request->head && !same_origin(http->endpoint, next))) {
            free(next);
            break;
        }
        free(url);
        url = next;
    }
    free(url);
    return status;
}

void wl_http_close(wl_http *http)
{
    curl_easy_cleanup(http->curl);
    http->curl = NULL;
}

/* Sleeps, looking up now and then whether it is to be given up. */
static bool wait_for(wl_http *http, uint64_t milliseconds, wl_error *error)
{
    enum { STEP = 50 };
    for (uint64_t left = milliseconds; left;) {
        uint64_t step = left < STEP ? left : STEP;
        nanosleep(&(struct timespec){.tv_nsec = (long)step * 1000000L}, NULL);
        left -= step;
        if (!go_on(http, http->done, http->total, error)) return false;
    }
    return true;
}

/* Pauses grow by two, so that a hub that is down is left alone, and are stretched by up to a half at random, so that
 * those who were turned away together do not come back together. */
bool wl_http_again(wl_http *http, const wl_answer *answer, uint32_t *tried, wl_error *error)
{
    uint32_t tries = answer->unreached && http->tries > UNREACHED_TRIES ? UNREACHED_TRIES : http->tries;
    if (!answer->transient || ++*tried >= tries) return false;
    if (answer->wait > http->longest_wait) {
        wl_error refusal = *error;
        wl_fail(error, refusal.code, "%.400s: to be asked again in %" PRIu32 " s", refusal.message, answer->wait);
        return false;
    }
    uint64_t pause = http->pause;
    for (uint32_t i = 1; i < *tried && pause < LONGEST_PAUSE_MS; i++) pause *= 2;
    if (pause > LONGEST_PAUSE_MS) pause = LONGEST_PAUSE_MS;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    pause += (uint64_t)now.tv_nsec / 1000 % (pause / 2 + 1);
    if (answer->wait) pause = (uint64_t)answer->wait * 1000;
    if (pause >= 1000)
        wl_say(http->message, http->user, "%s: %.300s; trying again in %" PRIu64 " s", http->file, error->message,
               (pause + 500) / 1000);
    return wait_for(http, pause, error);
}

bool wl_byte_count(const char *text, uint64_t *bytes)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 18 || text[digits]) return false;
    *bytes = strtoull(text, NULL, 10);
    return true;
}

bool wl_content_range(const char *text, uint64_t *first, uint64_t *last, uint64_t *total)
{
    char from[20], to[20], of[20];
    int end = 0;
    if (sscanf(text, "bytes %19[0-9]-%19[0-9]/%19[0-9*]%n", from, to, of, &end) != 3 || text[end]) return false;
    if (!strcmp(of, "*"))
        *total = UINT64_MAX;
    else if (!wl_byte_count(of, total))
        return false;
    return wl_byte_count(from, first) && wl_byte_count(to, last) && *first <= *last && *last < *total;
}
