#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static wl_status read_all(wl_mapping *mapping, int descriptor, const char *path, wl_error *error)
{
    wl_buffer buffer = {0};
    for (;;) {
        if (wl_buffer_reserve(&buffer, 1 << 16, error)) break;
        ssize_t got = read(descriptor, buffer.data + buffer.size, buffer.capacity - buffer.size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            wl_fail_errno(error, path, "read", errno);
            break;
        }
        if (got == 0) {
            *mapping = (wl_mapping){.data = buffer.data, .size = buffer.size, .mapped = false};
            return WL_OK;
        }
        buffer.size += (size_t)got;
    }
    wl_buffer_free(&buffer);
    return error->code;
}

wl_status wl_mapping_open(wl_mapping *mapping, const char *path, wl_error *error)
{
    *mapping = (wl_mapping){0};
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return wl_fail_errno(error, path, "open", errno);
    struct stat info;
    wl_status status = WL_OK;
    if (fstat(descriptor, &info) != 0)
        status = wl_fail_errno(error, path, "read", errno);
    else if (S_ISDIR(info.st_mode))
        status = wl_fail_at(error, WL_ERROR_IO, path, WL_NO_POSITION, 0, "is a directory, expected a file");
    else if (!S_ISREG(info.st_mode) || info.st_size == 0)
        status = read_all(mapping, descriptor, path, error);
    else if ((uint64_t)info.st_size > SIZE_MAX / 2)
        status = wl_fail_at(error, WL_ERROR_LIMIT, path, WL_NO_POSITION, 0, "is larger than the address space");
    else {
        void *data = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
        if (data == MAP_FAILED)
            status = wl_fail_errno(error, path, "map", errno);
        else
            *mapping = (wl_mapping){.data = data, .size = (size_t)info.st_size, .mapped = true};
    }
    close(descriptor);
    return status;
}

void wl_mapping_close(wl_mapping *mapping)
{
    /* The casts drop const: the memory is ours, only its users must not write. */
    if (mapping->mapped)
        munmap((void *)(uintptr_t)mapping->data, mapping->size);
    else
        free((void *)(uintptr_t)mapping->data);
    *mapping = (wl_mapping){0};
}

/* Of a temporary file: a name that nobody gives to a file of theirs; mkstemp puts letters and digits for the X. */
static const char suffix[] = ".wordllama-XXXXXX";

enum { RANDOM = 6 };

wl_status wl_replacement_open(wl_replacement *file, const char *path, wl_error *error)
{
    *file = (wl_replacement){0};
    if (wl_path_is_directory(path))
        return wl_fail_at(error, WL_ERROR_IO, path, WL_NO_POSITION, 0, "is a directory, expected a file to write");
    struct stat old;
    bool there = stat(path, &old) == 0;
    if (there && !S_ISREG(old.st_mode)) /* /dev/null must stay what it is */
        return wl_fail_at(error, WL_ERROR_IO, path, WL_NO_POSITION, 0,
                          "is no regular file, and only those are replaced");
    size_t length = strlen(path);
    file->path = wl_copy_text(path, length, error);
    file->temporary = wl_allocate(length + sizeof suffix, 1, error);
    if (!file->path || !file->temporary) goto fail;
    memcpy(file->temporary, path, length);
    memcpy(file->temporary + length, suffix, sizeof suffix);
    int descriptor = mkstemp(file->temporary);
    if (descriptor < 0) {
        wl_fail_errno(error, path, "write", errno);
        free(file->temporary);
        file->temporary = NULL;
        goto fail;
    }
    /* mkstemp makes the file private; a result file has the usual permissions. */
    mode_t mask = umask(0);
    umask(mask);
    /* A file that is there keeps its permissions. */
    mode_t mode = there ? old.st_mode & 07777 : 0666 & ~mask;
    if (fchmod(descriptor, mode) != 0 || !(file->stream = fdopen(descriptor, "w+b"))) {
        wl_fail_errno(error, path, "write", errno);
        close(descriptor);
        goto fail;
    }
    return WL_OK;
fail:
    wl_replacement_abandon(file);
    return error->code;
}

wl_status wl_replacement_commit(wl_replacement *file, wl_error *error)
{
    FILE *stream = file->stream;
    bool written = fflush(stream) == 0 && !ferror(stream) && fsync(fileno(stream)) == 0;
    int reason = errno;
    file->stream = NULL;
    if (fclose(stream) != 0 && written) {
        written = false;
        reason = errno;
    }
    if (written && rename(file->temporary, file->path) != 0) {
        written = false;
        reason = errno;
    }
    wl_status status = written ? WL_OK : wl_fail_errno(error, file->path, "write", reason);
    if (written) {
        free(file->temporary);
        file->temporary = NULL;
    }
    wl_replacement_abandon(file);
    return status;
}

void wl_replacement_abandon(wl_replacement *file)
{
    if (file->stream) fclose(file->stream);
    if (file->temporary) unlink(file->temporary);
    free(file->temporary);
    free(file->path);
    *file = (wl_replacement){0};
}

wl_status wl_replacement_sweep(const char *path, wl_error *error)
{
    char *folder = wl_copy_text(path, strlen(path), error);
    if (!folder) return WL_ERROR_MEMORY;
    char *slash = strrchr(folder, '/');
    const char *name = slash ? path + (slash + 1 - folder) : path;
    if (slash) slash[1] = '\0';
    DIR *all = opendir(slash ? folder : ".");
    size_t length = strlen(name);
    for (struct dirent *entry; all && (entry = readdir(all));) {
        const char *end = entry->d_name + length, *random = end + sizeof suffix - 1 - RANDOM;
        if (strncmp(entry->d_name, name, length) != 0 || strlen(end) != sizeof suffix - 1 ||
            strncmp(end, suffix, sizeof suffix - 1 - RANDOM) != 0)
            continue;
        if (strspn(random, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") == RANDOM)
            unlinkat(dirfd(all), entry->d_name, 0);
    }
    if (all) closedir(all);
    free(folder);
    return WL_OK;
}

char *wl_path_join(const char *directory, const char *name, wl_error *error)
{
    size_t length = strlen(directory), extra = strlen(name);
    bool slash = length && directory[length - 1] != '/';
    char *path = wl_allocate(length + extra + 2, 1, error);
    if (!path) return NULL;
    memcpy(path, directory, length);
    if (slash) path[length] = '/';
    memcpy(path + length + slash, name, extra);
    return path;
}

bool wl_path_is_directory(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

bool wl_path_exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0;
}

bool wl_same_file(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* The part of a path behind its last '/'. */
static const char *last_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool stat_folder(const char *path, struct stat *info)
{
    char folder[4096];
    size_t length = (size_t)(last_name(path) - path);
    if (length >= sizeof folder - 1) return false;
    memcpy(folder, path, length);
    memcpy(folder + length, ".", 2);
    return stat(folder, info) == 0;
}

bool wl_same_target(const char *a, const char *b)
{
    struct stat x, y;
    bool has_x = stat(a, &x) == 0, has_y = stat(b, &y) == 0;
    if (has_x != has_y || (has_x && !S_ISREG(x.st_mode))) return false;
    if (!has_x && (strcmp(last_name(a), last_name(b)) != 0 || !stat_folder(a, &x) || !stat_folder(b, &y))) return false;
    return x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

bool wl_path_lies_in(const char *path, const char *folder)
{
    char part[4096];
    size_t length = strlen(path);
    if (length >= sizeof part) return false;
    memcpy(part, path, length + 1);
    for (char *slash; (slash = strrchr(part, '/'));) {
        bool root = slash == part;
        slash[root] = '\0';
        if (wl_same_file(part, folder)) return true;
        if (root) return false;
    }
    return wl_same_file(".", folder);
}
