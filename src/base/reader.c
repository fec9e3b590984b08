#include "base/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Far away each fetch costs a round trip, here a system call; a reader of headers asks for a few bytes at a time. */
enum { WINDOW = 1 << 18 };

static wl_status fetch_file(wl_reader *reader, uint64_t at, void *out, size_t size, wl_error *error)
{
    while (size) {
        ssize_t got = pread(reader->descriptor, out, size, (off_t)at);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return wl_fail_errno(error, reader->name, "read", errno);
        if (got == 0)
            return wl_fail_at(error, WL_ERROR_IO, reader->name, at, 0, "the file was cut while it was being read");
        at += (uint64_t)got;
        out = (char *)out + got;
        size -= (size_t)got;
    }
    return WL_OK;
}

wl_status wl_reader_open(wl_reader *reader, const char *path, wl_error *error)
{
    *reader = (wl_reader){.fetch = fetch_file, .descriptor = -1};
    reader->name = wl_copy_text(path, strlen(path), error);
    if (!reader->name) return WL_ERROR_MEMORY;
    struct stat info;
    wl_status status = WL_OK;
    /* Without waiting for whoever writes into a pipe, which is refused below. */
    reader->descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (reader->descriptor < 0 || fstat(reader->descriptor, &info) != 0)
        status = wl_fail_errno(error, path, "open", errno);
    else if (!S_ISREG(info.st_mode))
        status = wl_fail_at(error, WL_ERROR_IO, path, WL_NO_POSITION, 0, "is no regular file");
    else
        reader->size = (uint64_t)info.st_size;
    if (status) wl_reader_close(reader);
    return status;
}

wl_status wl_reader_read(wl_reader *reader, uint64_t at, void *out, size_t size, wl_error *error)
{
    if (at > reader->size || size > reader->size - at)
        return wl_fail_at(error, WL_ERROR_FORMAT, reader->name, reader->size, 0,
                          "the file ends at byte %" PRIu64 ", expected %zu bytes at byte %" PRIu64, reader->size, size,
                          at);
    if (size >= WINDOW) {
        reader->fetched += size;
        return reader->fetch(reader, at, out, size, error);
    }
    bool inside = at >= reader->window_at && at - reader->window_at <= reader->window_size &&
                  size <= reader->window_size - (size_t)(at - reader->window_at);
    if (!inside) {
        if (!reader->window) reader->window = wl_allocate(WINDOW, 1, error);
        if (!reader->window) return WL_ERROR_MEMORY;
        uint64_t left = reader->size - at;
        reader->window_size = 0; /* until the fetch succeeds */
        size_t wanted = left < WINDOW ? (size_t)left : WINDOW;
        if (reader->fetch(reader, at, reader->window, wanted, error)) return error->code;
        reader->window_at = at;
        reader->window_size = wanted;
        reader->fetched += wanted;
    }
    if (size) memcpy(out, reader->window + (at - reader->window_at), size);
    return WL_OK;
}

void wl_reader_close(wl_reader *reader)
{
    if (reader->release) reader->release(reader);
    if (reader->name && reader->descriptor >= 0) close(reader->descriptor);
    free(reader->name);
    free(reader->window);
    *reader = (wl_reader){.descriptor = -1};
}
