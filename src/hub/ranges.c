/* Reading a file at the hub by ranges: each fetch is a request for the bytes wanted, at the commit that is known. A
 * small file comes whole into the cache: one read would fetch all of it anyway, and it is verified so. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "hub/repository.h"

enum { SMALL = 1 << 18 /* bytes: what a reader's window would fetch of it anyway */ };

typedef struct remote {
    wl_hub *hub; /* borrowed */
    char *file, *url;
    wl_hub_entry entry;
    char seen[WL_DIGEST_TEXT]; /* ETag of the server that gives the bytes, which may not be the hub; empty: none yet */
} remote;

typedef struct range {
    remote *source;
    char *out;
    uint64_t at; /* of the next byte */
    size_t left;
} range;

static wl_status fail_changed(const remote *source, wl_error *error)
{
    return wl_fail_at(error, WL_ERROR_IO, source->file, WL_NO_POSITION, 0, "changed at the hub while it was read");
}

/* Is it the part that was asked for, of the same file as before? No hash of a whole file guards the bytes here. */
static wl_status begin(void *user, const wl_answer *answer, wl_error *error)
{
    range *this = user;
    remote *source = this->source;
    const char *coding = answer->headers[WL_CONTENT_ENCODING], *linked = answer->headers[WL_X_LINKED_ETAG];
    const char *etag = answer->headers[WL_ETAG];
    uint64_t first, last, total;
    if (answer->code != 206 || (*coding && strcmp(coding, "identity") != 0))
        return wl_fail_at(error, WL_ERROR_UNSUPPORTED, source->file, WL_NO_POSITION, 0,
                          "the hub does not give parts of the file as they are (HTTP %ld%s%.40s)", answer->code,
                          *coding ? ", " : "", coding);
    if (!wl_content_range(answer->headers[WL_CONTENT_RANGE], &first, &last, &total) || first != this->at ||
        last - first >= this->left)
        return wl_fail_at(error, WL_ERROR_IO, source->file, this->at, 0,
                          "the hub sends another part than was asked for: \"%.80s\"",
                          answer->headers[WL_CONTENT_RANGE]);
    char name[WL_DIGEST_TEXT], given[WL_DIGEST_TEXT];
    wl_plain_etag(linked, name, sizeof name);
    wl_plain_etag(etag, given, sizeof given);
    if ((*name && strcmp(name, source->entry.name) != 0) || (total != UINT64_MAX && total != source->entry.size) ||
        (*source->seen && *given && strcmp(source->seen, given) != 0))
        return fail_changed(source, error);
    if (*given) memcpy(source->seen, given, sizeof given);
    return WL_OK;
}

static wl_status take(void *user, const void *data, size_t size, wl_error *error)
{
    range *this = user;
    if (size > this->left)
        return wl_fail_at(error, WL_ERROR_IO, this->source->file, this->at, 0, "the hub sends more than was asked for");
    memcpy(this->out, data, size);
    this->out += size;
    this->at += size;
    this->left -= size;
    return WL_OK;
}

static wl_status fetch(wl_reader *reader, uint64_t at, void *out, size_t size, wl_error *error)
{
    remote *source = reader->state;
    wl_http *http = &source->hub->http;
    range wanted = {.source = source, .out = out, .at = at, .left = size};
    uint32_t tried = 0;
    while (wanted.left) {
        uint64_t before = wanted.at;
        wl_request request = {
            .url = source->url,
            .ranged = true,
            .first = wanted.at,
            .last = wanted.at + wanted.left - 1,
            .begin = begin,
            .take = take,
            .user = &wanted,
        };
        wl_answer answer;
        http->file = source->file;
        http->done = before;
        http->total = source->entry.size;
        wl_status status = wl_http_send(http, &request, &answer, error);
        if (status)
            status = wl_hub_refusal(source->hub, source->file, &answer, error);
        else if (wanted.left) { /* a part is an answer, too, but it must be one */
            answer.transient = true;
            status =
                wl_fail_at(error, WL_ERROR_IO, reader->name, wanted.at, 0, "the hub sends less than was asked for");
        }
        if (wanted.at > before) tried = 0;
        if (status && !wl_http_again(http, &answer, &tried, error)) return error->code;
    }
    return WL_OK;
}

static void release(wl_reader *reader)
{
    remote *source = reader->state;
    if (!source) return;
    free(source->file);
    free(source->url);
    free(source);
}

static wl_status open_remote(wl_hub *hub, const char *file, const wl_hub_entry *entry, wl_reader *reader,
                             wl_error *error)
{
    remote *source = wl_allocate(1, sizeof *source, error);
    if (!source) return WL_ERROR_MEMORY;
    *source = (remote){.hub = hub, .entry = *entry};
    *reader = (wl_reader){.size = entry->size, .fetch = fetch, .release = release, .state = source, .descriptor = -1};
    reader->name = wl_path_join(hub->repository, file, error);
    source->file = wl_copy_text(file, strlen(file), error);
    source->url = wl_hub_address(hub, "/", "/resolve/", file, error);
    return reader->name && source->file && source->url ? WL_OK : WL_ERROR_MEMORY;
}

wl_status wl_hub_reader(wl_hub *hub, const char *file, wl_reader *reader, wl_error *error)
{
    *reader = (wl_reader){.descriptor = -1};
    wl_hub_entry entry;
    char *path;
    wl_status status = wl_hub_find(hub, file, &entry, &path, error);
    if (status) return status;
    if (!path && entry.size <= SMALL) {
        status = wl_hub_download(hub, file, &entry, error);
        path = status ? NULL : wl_layout_pointer(&hub->layout, hub->commit, file, error);
        if (!path) return error->code;
    }
    if (path)
        status = wl_reader_open(reader, path, error);
    else if (entry.size == UINT64_MAX)
        status = wl_fail_at(error, WL_ERROR_UNSUPPORTED, file, WL_NO_POSITION, 0,
                            "the hub does not say how large the file is");
    else
        status = open_remote(hub, file, &entry, reader, error);
    free(path);
    if (status) wl_reader_close(reader);
    return status;
}
