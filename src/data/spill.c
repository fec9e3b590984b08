#define _DEFAULT_SOURCE /* flock */
#include "data/spill.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

static const char lock_name[] = "lock";

/* ---- the folder -------------------------------------------------------------------------------------------------- */

static bool is_itself(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* A file that a call leaves: nobody else's is removed. */
static bool is_own(const char *name)
{
    static const char *const names[] = {"ids", "lengths", "digests", "records", "lines", "regions", "state.json"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0) return true;
    return strncmp(name, "state.json.", sizeof "state.json." - 1) == 0; /* while it is replaced */
}

/* Whether the folder is new, or that of an earlier call: with a lock, and nothing that is none of ours. */
static wl_status check_folder(const char *path, wl_error *error)
{
    bool empty = true, locked = false, foreign = false;
    DIR *directory = opendir(path);
    if (!directory) return wl_fail_errno(error, path, "open", errno);
    for (struct dirent *entry; (entry = readdir(directory));) {
        if (is_itself(entry->d_name)) continue;
        empty = false;
        if (strcmp(entry->d_name, lock_name) == 0)
            locked = true;
        else
            foreign |= !is_own(entry->d_name);
    }
    closedir(directory);
    if (empty || (locked && !foreign)) return WL_OK;
    return wl_fail_at(error, WL_ERROR_IO, path, WL_NO_POSITION, 0,
                      "is wanted for unfinished work, but holds something else");
}

static wl_status take_lock(wl_spill_folder *folder, wl_error *error)
{
    char *path = wl_path_join(folder->path, lock_name, error);
    if (!path) return WL_ERROR_MEMORY;
    folder->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    wl_status status = folder->lock < 0 ? wl_fail_errno(error, path, "write", errno) : WL_OK;
    while (!status && flock(folder->lock, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EINTR) continue;
        if (errno == EWOULDBLOCK)
            status = wl_fail_at(error, WL_ERROR_IO, folder->path, WL_NO_POSITION, 0, "another call is at work on it");
        else
            status = wl_fail_errno(error, path, "lock", errno);
    }
    /* Who ended just now removed the file that was opened: the lock is of nothing. */
    struct stat open_file, named;
    if (!status &&
        (fstat(folder->lock, &open_file) != 0 || stat(path, &named) != 0 || open_file.st_ino != named.st_ino))
        status = wl_fail_at(error, WL_ERROR_IO, folder->path, WL_NO_POSITION, 0, "another call has just ended on it");
    free(path);
    return status;
}

wl_status wl_spill_folder_open(wl_spill_folder *folder, const char *path, wl_error *error)
{
    static const char suffix[] = ".part";
    *folder = (wl_spill_folder){.lock = -1};
    size_t length = strlen(path);
    folder->path = wl_allocate(length + sizeof suffix, 1, error);
    if (!folder->path) return WL_ERROR_MEMORY;
    memcpy(folder->path, path, length);
    memcpy(folder->path + length, suffix, sizeof suffix);
    if (mkdir(folder->path, 0777) != 0 && errno != EEXIST)
        return wl_fail_errno(error, folder->path, "make the directory", errno);
    if (check_folder(folder->path, error)) return error->code;
    return take_lock(folder, error);
}

wl_status wl_spill_folder_clear(const wl_spill_folder *folder, wl_error *error)
{
    DIR *directory = opendir(folder->path);
    if (!directory) return wl_fail_errno(error, folder->path, "open", errno);
    wl_status status = WL_OK;
    for (struct dirent *entry; !status && (entry = readdir(directory));) {
        if (!is_own(entry->d_name)) continue;
        char *path = wl_path_join(folder->path, entry->d_name, error);
        if (!path)
            status = WL_ERROR_MEMORY;
        else if (unlink(path) != 0)
            status = wl_fail_errno(error, path, "remove", errno);
        free(path);
    }
    closedir(directory);
    return status;
}

wl_status wl_spill_folder_remove(wl_spill_folder *folder, wl_error *error)
{
    if (wl_spill_folder_clear(folder, error)) return error->code;
    char *path = wl_path_join(folder->path, lock_name, error);
    wl_status status = path ? WL_OK : WL_ERROR_MEMORY;
    if (path && (unlink(path) != 0 || rmdir(folder->path) != 0))
        status = wl_fail_errno(error, folder->path, "remove", errno);
    free(path);
    return status;
}

void wl_spill_folder_close(wl_spill_folder *folder)
{
    if (folder->lock >= 0) close(folder->lock);
    free(folder->path);
    *folder = (wl_spill_folder){.lock = -1};
}

/* ---- a file ------------------------------------------------------------------------------------------------------ */

wl_status wl_spill_open(wl_spill *spill, const char *folder, const char *name, uint64_t size, wl_error *error)
{
    *spill = (wl_spill){.size = size};
    spill->path = wl_path_join(folder, name, error);
    if (!spill->path) return WL_ERROR_MEMORY;
    int descriptor = open(spill->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor < 0) return wl_fail_errno(error, spill->path, "write", errno);
    spill->stream = fdopen(descriptor, "r+b");
    if (!spill->stream) {
        wl_fail_errno(error, spill->path, "write", errno);
        close(descriptor);
        return error->code;
    }
    struct stat info;
    if (fstat(descriptor, &info) != 0) return wl_fail_errno(error, spill->path, "read", errno);
    if ((uint64_t)info.st_size < size)
        return wl_fail_at(error, WL_ERROR_FORMAT, spill->path, WL_NO_POSITION, 0,
                          "has %" PRIu64 " bytes, expected %" PRIu64, (uint64_t)info.st_size, size);
    if (ftruncate(descriptor, (off_t)size) != 0 || fseeko(spill->stream, 0, SEEK_END) != 0)
        return wl_fail_errno(error, spill->path, "write", errno);
    return WL_OK;
}

wl_status wl_spill_write(wl_spill *spill, const void *data, size_t size, wl_error *error)
{
    if (size && fwrite(data, 1, size, spill->stream) != size) return wl_fail_errno(error, spill->path, "write", errno);
    spill->size += size;
    return WL_OK;
}

wl_status wl_spill_sync(wl_spill *spill, wl_error *error)
{
    if (fflush(spill->stream) == 0 && fsync(fileno(spill->stream)) == 0) return WL_OK;
    return wl_fail_errno(error, spill->path, "write", errno);
}

wl_status wl_spill_rewind(wl_spill *spill, wl_error *error)
{
    if (fflush(spill->stream) != 0) return wl_fail_errno(error, spill->path, "write", errno);
    if (fseeko(spill->stream, 0, SEEK_SET) != 0) return wl_fail_errno(error, spill->path, "read", errno);
    return WL_OK;
}

wl_status wl_spill_read(wl_spill *spill, void *out, size_t size, wl_error *error)
{
    if (!size || fread(out, 1, size, spill->stream) == size) return WL_OK;
    if (ferror(spill->stream)) return wl_fail_errno(error, spill->path, "read", errno);
    return wl_fail_at(error, WL_ERROR_FORMAT, spill->path, WL_NO_POSITION, 0, "ends too early");
}

void wl_spill_close(wl_spill *spill)
{
    if (spill->stream) fclose(spill->stream);
    free(spill->path);
    *spill = (wl_spill){0};
}
