/* Small files in a folder that goes when the test ends. Include in one file of a program, which defines
 * _XOPEN_SOURCE 700 for nftw. */
#ifndef WL_TEST_FILES_H
#define WL_TEST_FILES_H

#include <ftw.h>
#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "test.h"

static char files_root[PATH_MAX];

static inline bool files_begin(void)
{
    const char *parent = getenv("TMPDIR");
    snprintf(files_root, sizeof files_root, "%.1000s/wl_test_XXXXXX", parent && *parent ? parent : "/tmp");
    if (mkdtemp(files_root)) return true;
    perror(files_root);
    return false;
}

static inline int files_remove(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info;
    (void)kind;
    (void)place;
    return remove(path);
}

static inline void files_end(void)
{
    nftw(files_root, files_remove, 16, FTW_DEPTH | FTW_PHYS);
}

/* ROOT/name; one of the last 8 such paths. */
static inline const char *files_path(const char *name)
{
    static char paths[8][PATH_MAX];
    static size_t next;
    char *path = paths[next++ % 8];
    snprintf(path, PATH_MAX, "%.1100s%s%.1000s", files_root, *name ? "/" : "", name);
    return path;
}

/* Makes the file and its folders; packed where the name ends in ".gz". Returns its path. */
static inline const char *files_write(const char *name, const char *data, size_t size)
{
    const char *path = files_path(name);
    char folder[PATH_MAX];
    for (const char *at = path + strlen(files_root) + 1; (at = strchr(at, '/')); at++) {
        snprintf(folder, sizeof folder, "%.*s", (int)(at - path), path);
        mkdir(folder, 0700);
    }
    size_t length = strlen(path);
    bool packed = length > 3 && strcmp(path + length - 3, ".gz") == 0;
    gzFile file = gzopen(path, packed ? "wb" : "wbT"); /* T: as it is */
    CHECK_THAT(file && (size == 0 || gzwrite(file, data, (unsigned)size) == (int)size), "%s", path);
    if (file) CHECK(gzclose(file) == Z_OK);
    return path;
}

static inline const char *files_put(const char *name, const char *text)
{
    return files_write(name, text, strlen(text));
}

#endif
