/* One blob from the hub into the cache.
 *
 * The bytes go to NAME.incomplete, hashed as they come; where a fetch was cut they are still there, are hashed again
 * and the rest is asked for. The blob's name says what the hash must be: only when it is that, and the bytes are on the
 * disk, is the file renamed to NAME. So a blob is right whatever the network, the hub or a killed process do; the lock
 * keeps two from writing to one file. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "hub/repository.h"

typedef struct partial {
    wl_hub *hub;
    wl_hub_entry *entry;
    char *path;
    int descriptor;
    wl_digest digest; /* of the bytes so far */
    uint64_t size;    /* their number */
    bool pieced;      /* they are not of one answer */
    bool again;       /* the last answer was of no use, but another may be */
} partial;

/* Forgets the bytes. The hash begins with the size, which may not be known before the first answer. */
static wl_status restart(partial *this, wl_error *error)
{
    this->size = 0;
    this->pieced = false;
    wl_digest_drop(&this->digest);
    if (ftruncate(this->descriptor, 0) != 0) return wl_fail_errno(error, this->path, "write", errno);
    if (this->entry->size == UINT64_MAX) return WL_OK;
    return wl_digest_begin_named(&this->digest, this->entry->name, this->entry->size, error);
}

/* Hashes what an earlier fetch left. */
static wl_status inherit(partial *this, uint64_t left, wl_error *error)
{
    char piece[1 << 15];
    wl_status status = wl_digest_begin_named(&this->digest, this->entry->name, this->entry->size, error);
    while (!status && this->size < left) {
        ssize_t got = pread(this->descriptor, piece, sizeof piece, (off_t)this->size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) status = wl_fail_errno(error, this->path, "read", errno);
        if (got <= 0) break;
        status = wl_digest_add(&this->digest, piece, (size_t)got, error);
        this->size += (uint64_t)got;
    }
    this->pieced = this->size > 0;
    return status;
}

static wl_status open_partial(partial *this, bool shared, wl_error *error)
{
    const wl_hub_entry *entry = this->entry;
    char name[WL_DIGEST_TEXT + 64];
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    /* Without a lock others may write to the file of the usual name: one of our own, which nobody takes over. */
    snprintf(name, sizeof name, "%s.%ld.%09ld", entry->name, (long)getpid(), now.tv_nsec);
    this->path = wl_layout_incomplete(&this->hub->layout, shared ? entry->name : name, error);
    if (!this->path) return WL_ERROR_MEMORY;
    this->descriptor = open(this->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | (shared ? 0 : O_EXCL), 0666);
    struct stat info;
    if (this->descriptor < 0 || fstat(this->descriptor, &info) != 0)
        return wl_fail_errno(error, this->path, "open", errno);
    uint64_t left = (uint64_t)info.st_size;
    bool usable = !this->hub->force && left && entry->size != UINT64_MAX && left <= entry->size;
    return usable ? inherit(this, left, error) : restart(this, error);
}

static wl_status refuse(partial *this, const char *what, wl_error *error)
{
    this->again = true;
    wl_status status = restart(this, error);
    return status ? status : wl_fail(error, WL_ERROR_IO, "%s", what);
}

/* Before the body: is it the part that was asked for? Whether it is of the file that was asked for, the hash tells. */
static wl_status begin(void *user, const wl_answer *answer, wl_error *error)
{
    partial *this = user;
    const char *coding = answer->headers[WL_CONTENT_ENCODING];
    uint64_t first, last, total;
    if (*coding && strcmp(coding, "identity") != 0)
        return wl_fail(error, WL_ERROR_UNSUPPORTED, "the hub sends the file as %.40s, asked was for it as it is",
                       coding);
    if (answer->code == 206) {
        bool asked = this->size > 0;
        if (!asked || !wl_content_range(answer->headers[WL_CONTENT_RANGE], &first, &last, &total) ||
            first != this->size || (total != UINT64_MAX && total != this->entry->size))
            return refuse(this, "the hub sends another part of the file than was asked for", error);
        return WL_OK;
    }
    if (this->entry->size == UINT64_MAX && !wl_byte_count(answer->headers[WL_CONTENT_LENGTH], &this->entry->size))
        return wl_fail(error, WL_ERROR_UNSUPPORTED, "the hub does not say how large the file is");
    this->hub->http.done = 0;
    this->hub->http.total = this->entry->size;
    return this->size || !this->digest.context ? restart(this, error) : WL_OK;
}

static wl_status take(void *user, const void *data, size_t size, wl_error *error)
{
    partial *this = user;
    if (size > this->entry->size - this->size) return refuse(this, "the hub sends more than the file has", error);
    for (size_t done = 0; done < size;) {
        ssize_t got = pwrite(this->descriptor, (const char *)data + done, size - done, (off_t)(this->size + done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return wl_fail_errno(error, this->path, "write", errno);
        done += (size_t)got;
    }
    this->size += size;
    return wl_digest_add(&this->digest, data, size, error);
}

/* Until all bytes are there, in as many requests as it takes. */
static wl_status receive(partial *this, const char *url, wl_error *error)
{
    wl_http *http = &this->hub->http;
    uint64_t best = this->size;
    uint32_t tried = 0;
    while (this->size != this->entry->size) {
        uint64_t before = this->size;
        wl_request request = {
            .url = url,
            .ranged = before > 0,
            .first = before,
            .last = UINT64_MAX,
            .begin = begin,
            .take = take,
            .user = this,
        };
        wl_answer answer;
        http->done = before;
        http->total = this->entry->size == UINT64_MAX ? 0 : this->entry->size;
        this->again = false;
        wl_status status = wl_http_send(http, &request, &answer, error);
        if (!status && this->size != this->entry->size) {
            status = wl_fail(error, WL_ERROR_IO, "the hub sent %" PRIu64 " of %" PRIu64 " bytes", this->size,
                             this->entry->size);
            this->again = true;
        } else if (status && answer.code == 416) /* no such range: the bytes here are not of this file */
            status = refuse(this, "the hub has no more of the file than is here", error);
        else if (status)
            status = wl_hub_refusal(this->hub, http->file, &answer, error);
        this->pieced |= before && this->size > before;
        if (this->size > best) {
            best = this->size;
            tried = 0;
        }
        answer.transient |= this->again;
        if (status && !wl_http_again(http, &answer, &tried, error)) return error->code;
    }
    return WL_OK;
}

/* The name that the bytes deserve; *right: it is the blob's. */
static wl_status check(partial *this, bool *right, wl_error *error)
{
    char found[WL_DIGEST_TEXT];
    wl_status status = wl_digest_end(&this->digest, found, error);
    *right = !status && !strcmp(found, this->entry->name);
    if (status || *right) return status;
    wl_fail_at(error, WL_ERROR_FORMAT, this->hub->http.file, WL_NO_POSITION, 0,
               "the file offered (%" PRIu64 " bytes) has the hash %s, expected %s", this->size, found,
               this->entry->name);
    return WL_OK;
}

static wl_status keep(partial *this, wl_error *error)
{
    char *blob = wl_layout_blob(&this->hub->layout, this->entry->name, error);
    if (!blob) return WL_ERROR_MEMORY;
    bool good = fsync(this->descriptor) == 0 && rename(this->path, blob) == 0;
    wl_status status = good ? WL_OK : wl_fail_errno(error, blob, "write", errno);
    free(blob);
    return status;
}

/* shared: under the lock, so that the incomplete file may be taken over and left. */
static wl_status fetch_blob(wl_hub *hub, const char *url, wl_hub_entry *entry, bool shared, wl_error *error)
{
    partial this = {.hub = hub, .entry = entry, .descriptor = -1};
    wl_status status = open_partial(&this, shared, error);
    bool right = false;
    uint32_t restarts = 0;
    while (!status && !right) {
        status = receive(&this, url, error);
        if (!status) status = check(&this, &right, error);
        if (status || right) break;
        /* One answer that is wrong is what the hub has; of pieces, one may be wrong: anew from the beginning. */
        bool once_more = this.pieced && ++restarts < hub->http.tries;
        wl_error mismatch = *error;
        status = restart(&this, error);
        if (!status && !once_more) {
            *error = mismatch;
            status = mismatch.code;
        }
    }
    if (!status) status = keep(&this, error);
    /* What was received stays for the next time, but for what is of no use to it. */
    if (status && this.path && this.descriptor >= 0 && (!shared || this.size == 0)) unlink(this.path);
    if (this.descriptor >= 0) close(this.descriptor);
    wl_digest_drop(&this.digest);
    free(this.path);
    return status;
}

/* A blob that is there counts, unless the hub says that it has another size. */
static wl_status is_there(const wl_hub *hub, const wl_hub_entry *entry, bool *there, wl_error *error)
{
    struct stat info;
    char *blob = wl_layout_blob(&hub->layout, entry->name, error);
    if (!blob) return WL_ERROR_MEMORY;
    *there = stat(blob, &info) == 0 && S_ISREG(info.st_mode) &&
             (entry->size == UINT64_MAX || (uint64_t)info.st_size == entry->size);
    free(blob);
    return WL_OK;
}

wl_status wl_hub_download(wl_hub *hub, const char *file, wl_hub_entry *entry, wl_error *error)
{
    wl_status status = wl_digest_check_name(entry->name, error);
    char *url = status ? NULL : wl_hub_address(hub, "/", "/resolve/", file, error);
    if (!url) return error->code;
    int lock = -1;
    bool there = false;
    hub->http.file = file;
    hub->http.done = 0;
    hub->http.total = entry->size == UINT64_MAX ? 0 : entry->size;
    status = wl_layout_make(&hub->layout, hub->commit, file, error);
    if (!status) status = wl_layout_write_ref(&hub->layout, hub->revision, hub->commit, error);
    if (!status) status = wl_layout_lock(&hub->layout, entry->name, &hub->http, &lock, error);
    if (!status && !hub->force) status = is_there(hub, entry, &there, error);
    if (!status && !there) status = fetch_blob(hub, url, entry, lock >= 0, error);
    if (!status) status = wl_layout_point(&hub->layout, hub->commit, file, entry->name, error);
    if (lock >= 0) close(lock);
    free(url);
    return status;
}
