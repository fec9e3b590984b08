#include "hub/download.h"

#include <curl/curl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

typedef struct transfer {
    wl_landing *landing;
    const wl_pull_options *options;
    wl_error *error;
    wl_status status; /* of our own callbacks; WL_OK while they are content */
} transfer;

static size_t receive(char *data, size_t one, size_t size, void *user)
{
    (void)one; /* always 1, says libcurl */
    transfer *this = user;
    this->status = wl_landing_write(this->landing, data, size, this->error);
    return this->status ? size + 1 : size; /* another number than size ends the transfer */
}

static int watch(void *user, curl_off_t total, curl_off_t done, curl_off_t up_total, curl_off_t up)
{
    (void)up_total;
    (void)up;
    transfer *this = user;
    const wl_pull_options *options = this->options;
    const char *name = this->landing->expected->name;
    if (!options->progress || options->progress(options->user, name, (uint64_t)done, (uint64_t)total)) return 0;
    this->status = wl_fail(this->error, WL_ERROR_CANCELLED, "cancelled while %s was fetched", name);
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

static bool configure(CURL *curl, const char *url, const char *token, transfer *this, char *reason)
{
    bool good = true;
    /* Fails only out of memory, or where libcurl was built without a part that we cannot do without. */
#define SET(option, value) good = curl_easy_setopt(curl, option, value) == CURLE_OK && good
    SET(CURLOPT_URL, url);
    SET(CURLOPT_ERRORBUFFER, reason);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_FAILONERROR, 1L);
    SET(CURLOPT_FOLLOWLOCATION, 1L);
    SET(CURLOPT_MAXREDIRS, 10L);
    /* An encrypted request is not answered in the clear. */
    bool tls = !strncmp(url, "https:", 6);
#if LIBCURL_VERSION_NUM >= 0x075500
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_REDIR_PROTOCOLS_STR, tls ? "https" : "http,https");
#else
    SET(CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
    SET(CURLOPT_REDIR_PROTOCOLS, (long)(tls ? CURLPROTO_HTTPS : CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    SET(CURLOPT_CONNECTTIMEOUT, 10L);
    SET(CURLOPT_LOW_SPEED_LIMIT, 1024L);
    SET(CURLOPT_LOW_SPEED_TIME, 30L);
    SET(CURLOPT_USERAGENT, "wordllama");
    if (token) {
        /* As credentials, not as a header of our own: libcurl drops them at a redirect to another host or port. */
        SET(CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
        SET(CURLOPT_XOAUTH2_BEARER, token);
        SET(CURLOPT_UNRESTRICTED_AUTH, 0L);
    }
    SET(CURLOPT_WRITEFUNCTION, receive);
    SET(CURLOPT_WRITEDATA, this);
    SET(CURLOPT_NOPROGRESS, 0L);
    SET(CURLOPT_XFERINFOFUNCTION, watch);
    SET(CURLOPT_XFERINFODATA, this);
#undef SET
    return good;
}

wl_status wl_download(const char *url, const char *token, wl_landing *landing, const wl_pull_options *options,
                      wl_error *error)
{
    pthread_once(&once, initialize);
    CURL *curl = global == CURLE_OK ? curl_easy_init() : NULL;
    if (!curl) return wl_fail(error, WL_ERROR_IO, "libcurl does not start");
    transfer this = {.landing = landing, .options = options, .error = error};
    char reason[CURL_ERROR_SIZE] = "";
    wl_status status = WL_OK;
    if (!configure(curl, url, token, &this, reason))
        status = wl_fail(error, WL_ERROR_UNSUPPORTED, "this libcurl (%s) lacks an option needed", curl_version());
    else {
        CURLcode code = perform(curl);
        long answer = 0;
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer);
        if (this.status)
            status = this.status;
        else if (code == CURLE_HTTP_RETURNED_ERROR)
            status = wl_fail(error, answer == 404 ? WL_ERROR_NOT_FOUND : WL_ERROR_IO, "HTTP %ld for %s", answer, url);
        else if (code != CURLE_OK)
            status = wl_fail(error, WL_ERROR_IO, "%s", *reason ? reason : curl_easy_strerror(code));
    }
    curl_easy_cleanup(curl);
    return status;
}
