#include "bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/memory.h"

enum { RAW = 1 << 16 };

/* Reads more raw bytes behind what is left of them. */
static wl_status read_raw(cli_bytes *bytes, wl_error *error)
{
    size_t left = bytes->raw_end - bytes->raw_begin;
    memmove(bytes->raw, bytes->raw + bytes->raw_begin, left);
    bytes->raw_begin = 0;
    bytes->raw_end = left;
    ssize_t got;
    do got = read(bytes->descriptor, bytes->raw + left, RAW - left);
    while (got < 0 && errno == EINTR);
    if (got < 0) return wl_fail_errno(error, bytes->name, "read", errno);
    bytes->raw_end += (size_t)got;
    bytes->ended = got == 0;
    return WL_OK;
}

/* Whether a gzip member begins here: waits for a second byte only where the first one is that of gzip. */
static wl_status look_for_gzip(cli_bytes *bytes, bool *found, wl_error *error)
{
    static const unsigned char magic[2] = {0x1F, 0x8B};
    size_t left;
    while ((left = bytes->raw_end - bytes->raw_begin) < 2 && !bytes->ended &&
           (left == 0 || bytes->raw[bytes->raw_begin] == magic[0]))
        if (read_raw(bytes, error)) return error->code;
    *found = left >= 2 && memcmp(bytes->raw + bytes->raw_begin, magic, 2) == 0;
    return WL_OK;
}

wl_status bytes_open(cli_bytes *bytes, const char *path, wl_error *error)
{
    bool standard = strcmp(path, "-") == 0;
    *bytes = (cli_bytes){.name = standard ? "standard input" : path};
    bytes->descriptor = standard ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    if (bytes->descriptor < 0) return wl_fail_errno(error, bytes->name, "open", errno);
    bytes->open = true;
    struct stat info;
    if (fstat(bytes->descriptor, &info) != 0) return wl_fail_errno(error, bytes->name, "read", errno);
    if (S_ISDIR(info.st_mode))
        return wl_fail_at(error, WL_ERROR_IO, bytes->name, WL_NO_POSITION, 0, "is a directory, expected a file");
    bytes->raw = wl_allocate(1, RAW, error);
    if (!bytes->raw || look_for_gzip(bytes, &bytes->packed, error)) return error->code;
    if (!bytes->packed) return WL_OK;
    z_stream *inflater = bytes->inflater = wl_allocate(1, sizeof *inflater, error);
    if (!inflater) return error->code;
    /* 16: a gzip member and nothing else. */
    if (inflateInit2(inflater, 15 + 16) != Z_OK) {
        free(inflater);
        bytes->inflater = NULL;
        return wl_fail_memory(error, RAW);
    }
    return WL_OK;
}

static wl_status fail_gzip(const cli_bytes *bytes, const char *reason, wl_error *error)
{
    return wl_fail_at(error, WL_ERROR_FORMAT, bytes->name, WL_NO_POSITION, 0, "cannot unpack gzip: %s",
                      reason ? reason : "damaged");
}

static wl_status read_packed(cli_bytes *bytes, void *out, size_t room, size_t *got, wl_error *error)
{
    z_stream *inflater = bytes->inflater;
    *got = 0;
    inflater->next_out = out;
    inflater->avail_out = room < UINT32_MAX ? (uInt)room : UINT32_MAX;
    uInt wanted = inflater->avail_out;
    while (inflater->avail_out == wanted) {
        bool another = true;
        if (bytes->between && look_for_gzip(bytes, &another, error)) return error->code;
        if (!another) return WL_OK; /* what stands behind the last member counts for nothing, as with gzip */
        bytes->between = false;
        if (bytes->raw_begin == bytes->raw_end && !bytes->ended && read_raw(bytes, error)) return error->code;
        if (bytes->raw_begin == bytes->raw_end)
            return wl_fail_at(error, WL_ERROR_FORMAT, bytes->name, WL_NO_POSITION, 0,
                              "the gzip stream ends too early: the file is truncated");
        inflater->next_in = bytes->raw + bytes->raw_begin;
        inflater->avail_in = (uInt)(bytes->raw_end - bytes->raw_begin);
        int code = inflate(inflater, Z_NO_FLUSH);
        bytes->raw_begin = bytes->raw_end - inflater->avail_in;
        if (code == Z_MEM_ERROR) return wl_fail_memory(error, RAW);
        if (code != Z_OK && code != Z_STREAM_END) return fail_gzip(bytes, inflater->msg, error);
        bytes->between = code == Z_STREAM_END;
        /* Keeps next_out and avail_out. */
        if (bytes->between && inflateReset(inflater) != Z_OK) return fail_gzip(bytes, inflater->msg, error);
    }
    *got = wanted - inflater->avail_out;
    return WL_OK;
}

wl_status bytes_read(cli_bytes *bytes, void *out, size_t room, size_t *got, wl_error *error)
{
    if (bytes->packed) return read_packed(bytes, out, room, got, error);
    size_t left = bytes->raw_end - bytes->raw_begin;
    if (left) {
        *got = left < room ? left : room;
        memcpy(out, bytes->raw + bytes->raw_begin, *got);
        bytes->raw_begin += *got;
        return WL_OK;
    }
    *got = 0;
    if (bytes->ended) return WL_OK;
    ssize_t size;
    do size = read(bytes->descriptor, out, room);
    while (size < 0 && errno == EINTR);
    if (size < 0) return wl_fail_errno(error, bytes->name, "read", errno);
    bytes->ended = size == 0;
    *got = (size_t)size;
    return WL_OK;
}

bool bytes_ready(const cli_bytes *bytes)
{
    struct pollfd descriptor = {.fd = bytes->descriptor, .events = POLLIN};
    return bytes->ended || bytes->raw_begin < bytes->raw_end || poll(&descriptor, 1, 0) != 0;
}

void bytes_close(cli_bytes *bytes)
{
    if (bytes->inflater) inflateEnd(bytes->inflater);
    if (bytes->open) close(bytes->descriptor);
    free(bytes->inflater);
    free(bytes->raw);
    *bytes = (cli_bytes){0};
}
