#include "data/bytes.h"

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
static wl_status read_raw(wl_bytes *bytes, wl_error *error)
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

/* What is known by its first bytes; a '?' among them is any byte. Only gzip is unpacked. */
typedef struct byte_form {
    const char *name, *begin, *remedy;
} byte_form;

static const byte_form gzip = {"gzip", "\x1F\x8B", NULL};
static const byte_form refused[] = {
    {"packed with xz",
     "\xFD"
     "7zXZ",
     "unpack it: xz -dc"},
    {"packed with bzip2", "BZh?1AY&SY", "unpack it: bzip2 -dc"},
    {"packed with zstd", "\x28\xB5\x2F\xFD", "unpack it: zstd -dc"},
    {"packed with zip", "PK\x03\x04", "unpack it: unzip -p"},
    {"UTF-16", "\xFF\xFE", "convert it: iconv -f UTF-16 -t UTF-8"},
    {"UTF-16", "\xFE\xFF", "convert it: iconv -f UTF-16 -t UTF-8"},
};

/* Whether the next bytes are those of a form. Waits for more only as long as what is there may become them. */
static wl_status look_for(wl_bytes *bytes, const byte_form *form, bool *found, wl_error *error)
{
    for (size_t i = 0; form->begin[i]; i++) {
        while (bytes->raw_end - bytes->raw_begin <= i && !bytes->ended)
            if (read_raw(bytes, error)) return error->code;
        *found = bytes->raw_end - bytes->raw_begin > i &&
                 (form->begin[i] == '?' || (char)bytes->raw[bytes->raw_begin + i] == form->begin[i]);
        if (!*found) break;
    }
    return WL_OK;
}

static wl_status refuse_forms(wl_bytes *bytes, wl_error *error)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        bool found;
        if (look_for(bytes, &refused[i], &found, error)) return error->code;
        if (found)
            return wl_fail_at(error, WL_ERROR_FORMAT, bytes->name, WL_NO_POSITION, 0,
                              "is %s, expected UTF-8 text, which may be packed with gzip (%s)", refused[i].name,
                              refused[i].remedy);
    }
    return WL_OK;
}

wl_status wl_bytes_open(wl_bytes *bytes, const char *path, wl_error *error)
{
    bool standard = strcmp(path, "-") == 0;
    *bytes = (wl_bytes){.name = standard ? "standard input" : path};
    bytes->descriptor = standard ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    if (bytes->descriptor < 0) return wl_fail_errno(error, bytes->name, "open", errno);
    bytes->open = true;
    struct stat info;
    if (fstat(bytes->descriptor, &info) != 0) return wl_fail_errno(error, bytes->name, "read", errno);
    if (S_ISDIR(info.st_mode))
        return wl_fail_at(error, WL_ERROR_IO, bytes->name, WL_NO_POSITION, 0, "is a directory, expected a file");
    bytes->raw = wl_allocate(1, RAW, error);
    if (!bytes->raw || look_for(bytes, &gzip, &bytes->packed, error)) return error->code;
    if (!bytes->packed) return refuse_forms(bytes, error);
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

static wl_status fail_gzip(const wl_bytes *bytes, const char *reason, wl_error *error)
{
    return wl_fail_at(error, WL_ERROR_FORMAT, bytes->name, WL_NO_POSITION, 0, "cannot unpack gzip: %s",
                      reason ? reason : "damaged");
}

static wl_status read_packed(wl_bytes *bytes, void *out, size_t room, size_t *got, wl_error *error)
{
    z_stream *inflater = bytes->inflater;
    *got = 0;
    if (bytes->damaged) return fail_gzip(bytes, inflater->msg, error);
    inflater->next_out = out;
    inflater->avail_out = room < UINT32_MAX ? (uInt)room : UINT32_MAX;
    uInt wanted = inflater->avail_out;
    while (inflater->avail_out == wanted) {
        bool another = true;
        if (bytes->between && look_for(bytes, &gzip, &another, error)) return error->code;
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
        bytes->damaged = code != Z_OK && code != Z_STREAM_END;
        /* What was unpacked before the damage is given first. */
        if (bytes->damaged && inflater->avail_out < wanted) break;
        if (bytes->damaged) return fail_gzip(bytes, inflater->msg, error);
        bytes->between = code == Z_STREAM_END;
        /* Keeps next_out and avail_out. */
        if (bytes->between && inflateReset(inflater) != Z_OK) return fail_gzip(bytes, inflater->msg, error);
    }
    *got = wanted - inflater->avail_out;
    return WL_OK;
}

wl_status wl_bytes_read(wl_bytes *bytes, void *out, size_t room, size_t *got, wl_error *error)
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

bool wl_bytes_ready(const wl_bytes *bytes)
{
    struct pollfd descriptor = {.fd = bytes->descriptor, .events = POLLIN};
    return bytes->ended || bytes->raw_begin < bytes->raw_end || poll(&descriptor, 1, 0) != 0;
}

void wl_bytes_close(wl_bytes *bytes)
{
    if (bytes->inflater) inflateEnd(bytes->inflater);
    if (bytes->open) close(bytes->descriptor);
    free(bytes->inflater);
    free(bytes->raw);
    *bytes = (wl_bytes){0};
}
