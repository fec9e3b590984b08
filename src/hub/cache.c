#include "hub/cache.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "wordllama_train.h"

const char *wl_environment(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

char *wl_cache_path(const char *cache, wl_error *error)
{
    if (!cache) cache = wl_environment("WORDLLAMA_CACHE");
    if (cache) return wl_copy_text(cache, strlen(cache), error);
    const char *parent = wl_environment("XDG_CACHE_HOME");
    if (parent && *parent == '/') return wl_path_join(parent, "wordllama", error);
    parent = wl_environment("HOME");
    if (parent) return wl_path_join(parent, ".cache/wordllama", error);
    wl_fail(error, WL_ERROR_NOT_FOUND, "no cache directory: none of WORDLLAMA_CACHE, XDG_CACHE_HOME and HOME is set");
    return NULL;
}

char *wl_pull_path(const char *cache, const char *name, wl_error *error)
{
    char *root = wl_cache_path(cache, error);
    char *models = root ? wl_path_join(root, "models", error) : NULL;
    char *path = models ? wl_path_join(models, name, error) : NULL;
    free(models);
    free(root);
    return path;
}

wl_status wl_deliver_path(char *path, char *buffer, size_t size, wl_error *error)
{
    if (!path) return error->code;
    size_t need = strlen(path) + 1;
    wl_status status = WL_OK;
    if (need > size)
        status = wl_fail(error, WL_ERROR_LIMIT, "the path needs %zu bytes, the buffer has %zu", need, size);
    else
        memcpy(buffer, path, need);
    free(path);
    return status;
}

wl_status wl_cache_directory(char *buffer, size_t size, wl_error *error)
{
    wl_error unused;
    if (!error) error = &unused;
    if (!buffer) return wl_fail(error, WL_ERROR_ARGUMENT, "the buffer is NULL");
    return wl_deliver_path(wl_cache_path(NULL, error), buffer, size, error);
}

wl_status wl_pull_directory(const char *name, const char *cache, char *buffer, size_t size, wl_error *error)
{
    wl_error unused;
    if (!error) error = &unused;
    if (!name || !buffer) return wl_fail(error, WL_ERROR_ARGUMENT, "the %s is NULL", name ? "buffer" : "name");
    /* The name becomes a folder: it must not lead out of the cache. */
    if (!*name || *name == '.' || strchr(name, '/'))
        return wl_fail(error, WL_ERROR_ARGUMENT, "\"%s\" is not the name of a model", name);
    return wl_deliver_path(wl_pull_path(cache, name, error), buffer, size, error);
}

wl_status wl_make_directories(const char *path, wl_error *error)
{
    char *part = wl_copy_text(path, strlen(path), error);
    if (!part) return error->code;
    wl_status status = WL_OK;
    for (char *end = part; !status && *end;) {
        end += strspn(end, "/");
        end += strcspn(end, "/");
        char kept = *end;
        *end = 0;
        /* What exists may refuse mkdir with another reason than EEXIST (a read-only file system): look first. */
        if (!wl_path_is_directory(part) && mkdir(part, 0777) != 0) {
            int reason = errno;
            if (!wl_path_is_directory(part)) status = wl_fail_errno(error, part, "make the directory", reason);
        }
        *end = kept;
    }
    free(part);
    return status;
}

char *wl_temporary_directory(const char *parent, wl_error *error)
{
    char *path = wl_path_join(parent, "pull.XXXXXX", error);
    if (path && !mkdtemp(path)) {
        wl_fail_errno(error, path, "make the directory", errno);
        free(path);
        path = NULL;
    }
    return path;
}

void wl_remove_tree(const char *path)
{
    struct stat info;
    if (lstat(path, &info) != 0) return;
    if (!S_ISDIR(info.st_mode)) {
        unlink(path);
        return;
    }
    DIR *directory = opendir(path);
    if (directory) {
        for (struct dirent *entry; (entry = readdir(directory));) {
            if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
            wl_error unused;
            char *child = wl_path_join(path, entry->d_name, &unused);
            if (child) wl_remove_tree(child);
            free(child);
        }
        closedir(directory);
    }
    rmdir(path);
}
