#include "hub/layout.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "hub/cache.h"
#include "hub/digest.h"
#include "hub/say.h"

enum { DEEPEST = 32 /* folders below a snapshot */ };

/* Parts joined by slashes; NULL out of memory. */
static char *join(const char *const *parts, size_t count, wl_error *error)
{
    wl_buffer path = {0};
    wl_status status = WL_OK;
    for (size_t i = 0; !status && i < count; i++) {
        if (i) status = wl_buffer_append(&path, "/", 1, error);
        if (!status) status = wl_buffer_append(&path, parts[i], strlen(parts[i]), error);
    }
    if (!status) status = wl_buffer_append(&path, "", 1, error);
    if (!status) return path.data;
    wl_buffer_free(&path);
    return NULL;
}

#define JOIN(error, ...)                                                                                               \
    join((const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *), error)

wl_status wl_layout_open(wl_layout *layout, const char *cache, const char *repository, wl_error *error)
{
    *layout = (wl_layout){0};
    const char *slash = strchr(repository, '/');
    wl_buffer name = {0};
    wl_status status = wl_buffer_append(&name, "models--", 8, error);
    if (!status) status = wl_buffer_append(&name, repository, (size_t)(slash - repository), error);
    if (!status) status = wl_buffer_append(&name, "--", 2, error);
    if (!status) status = wl_buffer_append(&name, slash + 1, strlen(slash), error);
    if (!status) {
        layout->cache = wl_copy_text(cache, strlen(cache), error);
        layout->repository = JOIN(error, cache, name.data);
        layout->locks = JOIN(error, cache, ".locks", name.data);
        if (!layout->cache || !layout->repository || !layout->locks) status = WL_ERROR_MEMORY;
    }
    wl_buffer_free(&name);
    return status;
}

void wl_layout_close(wl_layout *layout)
{
    free(layout->cache);
    free(layout->repository);
    free(layout->locks);
    *layout = (wl_layout){0};
}

char *wl_layout_snapshot(const wl_layout *layout, const char *commit, wl_error *error)
{
    return JOIN(error, layout->repository, "snapshots", commit);
}

char *wl_layout_pointer(const wl_layout *layout, const char *commit, const char *file, wl_error *error)
{
    return JOIN(error, layout->repository, "snapshots", commit, file);
}

char *wl_layout_blob(const wl_layout *layout, const char *name, wl_error *error)
{
    return JOIN(error, layout->repository, "blobs", name);
}

char *wl_layout_incomplete(const wl_layout *layout, const char *name, wl_error *error)
{
    char *blob = wl_layout_blob(layout, name, error);
    wl_buffer path = {0};
    wl_status status = blob ? wl_buffer_append(&path, blob, strlen(blob), error) : WL_ERROR_MEMORY;
    if (!status) status = wl_buffer_append(&path, ".incomplete", sizeof ".incomplete", error);
    free(blob);
    if (!status) return path.data;
    wl_buffer_free(&path);
    return NULL;
}

bool wl_layout_read_ref(const wl_layout *layout, const char *revision, char commit[WL_COMMIT_TEXT])
{
    wl_error unused;
    char text[WL_COMMIT_TEXT + 1] = ""; /* room to see that a ref is too long */
    char *path = JOIN(&unused, layout->repository, "refs", revision);
    FILE *file = path ? fopen(path, "rb") : NULL;
    size_t size = file ? fread(text, 1, sizeof text - 1, file) : 0;
    if (file) fclose(file);
    free(path);
    if (size && text[size - 1] == '\n') text[size - 1] = 0;
    bool good = wl_is_hexadecimal(text, WL_COMMIT_DIGITS);
    if (good) memcpy(commit, text, WL_COMMIT_TEXT);
    return good;
}

static wl_status make_parent(const char *path, wl_error *error)
{
    char *folder = wl_copy_text(path, (size_t)(strrchr(path, '/') - path), error);
    wl_status status = folder ? wl_make_directories(folder, error) : WL_ERROR_MEMORY;
    free(folder);
    return status;
}

/* A small file that is there whole or not at all. It is written in blobs, where programs that tidy up look for what was
 * left unfinished: beside a ref it would count as one. */
static wl_status write_small(const wl_layout *layout, const char *path, const char *text, wl_error *error)
{
    char name[80];
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(name, sizeof name, "ref.%ld.%lld%09ld", (long)getpid(), (long long)now.tv_sec, now.tv_nsec);
    char *temporary = wl_layout_incomplete(layout, name, error);
    wl_status status = temporary ? make_parent(temporary, error) : WL_ERROR_MEMORY;
    if (!status) status = make_parent(path, error);
    if (!status) {
        int descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        size_t size = strlen(text);
        bool good = descriptor >= 0 && write(descriptor, text, size) == (ssize_t)size && fsync(descriptor) == 0 &&
                    rename(temporary, path) == 0;
        if (!good) status = wl_fail_errno(error, path, "write", errno);
        if (descriptor >= 0) close(descriptor);
        if (!good && descriptor >= 0) unlink(temporary);
    }
    free(temporary);
    return status;
}

wl_status wl_layout_write_ref(const wl_layout *layout, const char *revision, const char *commit, wl_error *error)
{
    char known[WL_COMMIT_TEXT];
    char *snapshot = wl_layout_snapshot(layout, commit, error);
    wl_status status = snapshot ? wl_make_directories(snapshot, error) : WL_ERROR_MEMORY;
    free(snapshot);
    bool needed =
        strcmp(revision, commit) != 0 && !(wl_layout_read_ref(layout, revision, known) && !strcmp(known, commit));
    if (status || !needed) return status;
    char *path = JOIN(error, layout->repository, "refs", revision);
    status = path ? write_small(layout, path, commit, error) : WL_ERROR_MEMORY;
    free(path);
    return status;
}

bool wl_layout_lacks(const wl_layout *layout, const char *commit, const char *file)
{
    wl_error unused;
    char *path = JOIN(&unused, layout->repository, ".no_exist", commit, file);
    bool lacks = path && wl_path_exists(path) && !wl_path_is_directory(path);
    free(path);
    return lacks;
}

void wl_layout_note_lack(const wl_layout *layout, const char *commit, const char *file)
{
    wl_error unused;
    char *path = JOIN(&unused, layout->repository, ".no_exist", commit, file);
    if (path && make_parent(path, &unused) == WL_OK) {
        int descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
        if (descriptor >= 0) close(descriptor);
    }
    free(path);
}

/* https://bford.info/cachedir/ */
static void tag_cache(const wl_layout *layout)
{
    static const char tag[] = "Signature: 8a477f597d28d172789f06886806bc55\n"
                              "# Files of the Hugging Face hub; they can be fetched again.\n";
    wl_error unused;
    char *path = JOIN(&unused, layout->cache, "CACHEDIR.TAG");
    int descriptor = path ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666) : -1;
    if (descriptor >= 0) {
        if (write(descriptor, tag, sizeof tag - 1) < 0) unlink(path);
        close(descriptor);
    }
    free(path);
}

wl_status wl_layout_make(const wl_layout *layout, const char *commit, const char *file, wl_error *error)
{
    char *pointer = wl_layout_pointer(layout, commit, file, error);
    char *blob = wl_layout_blob(layout, commit, error); /* any name: its folder is wanted */
    wl_status status = pointer && blob ? make_parent(pointer, error) : WL_ERROR_MEMORY;
    if (!status) status = make_parent(blob, error);
    if (!status) status = wl_make_directories(layout->locks, error);
    if (!status) tag_cache(layout);
    free(pointer);
    free(blob);
    return status;
}

wl_status wl_layout_point(const wl_layout *layout, const char *commit, const char *file, const char *name,
                          wl_error *error)
{
    char *pointer = wl_layout_pointer(layout, commit, file, error);
    char *blob = wl_layout_blob(layout, name, error);
    wl_buffer target = {0};
    wl_status status = pointer && blob ? WL_OK : WL_ERROR_MEMORY;
    /* Up out of the file's folders and COMMIT and snapshots. */
    for (const char *at = file; !status && at; at = strchr(at, '/') ? strchr(at, '/') + 1 : NULL)
        status = wl_buffer_append(&target, "../", 3, error);
    if (!status) status = wl_buffer_append(&target, "../blobs/", 9, error);
    if (!status) status = wl_buffer_append(&target, name, strlen(name) + 1, error);
    if (!status) {
        char there[sizeof "../" * DEEPEST + 256];
        ssize_t length = readlink(pointer, there, sizeof there);
        bool right = length > 0 && (size_t)length + 1 == target.size && !memcmp(there, target.data, (size_t)length);
        bool made = right;
        if (!right) {
            unlink(pointer);
            made = symlink(target.data, pointer) == 0 || errno == EEXIST; /* somebody else was as fast */
        }
        if (!made && (errno == EPERM || errno == ENOSYS || errno == EOPNOTSUPP)) made = rename(blob, pointer) == 0;
        if (!made) status = wl_fail_errno(error, pointer, "link", errno);
    }
    wl_buffer_free(&target);
    free(pointer);
    free(blob);
    return status;
}

/* 1: held, 0: somebody else has it, -1: never. */
static int try_lock(int descriptor)
{
    while (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) return 0;
        if (errno != EINTR) return -1;
    }
    return 1;
}

wl_status wl_layout_lock(const wl_layout *layout, const char *name, wl_http *http, int *descriptor, wl_error *error)
{
    enum { STEP_MS = 50, TELL_MS = 1000 };
    *descriptor = -1;
    wl_buffer path = {0};
    wl_status status = wl_buffer_append(&path, layout->locks, strlen(layout->locks), error);
    if (!status) status = wl_buffer_append(&path, "/", 1, error);
    if (!status) status = wl_buffer_append(&path, name, strlen(name), error);
    if (!status) status = wl_buffer_append(&path, ".lock", sizeof ".lock", error);
    for (uint64_t waited = 0; !status && *descriptor < 0; waited += STEP_MS) {
        /* Group-writable where the umask allows it, as the package has it: users may share a cache. */
        int lock = open(path.data, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0664);
        if (lock < 0) {
            status = wl_fail_errno(error, path.data, "open", errno);
            break;
        }
        struct stat info;
        int held = try_lock(lock);
        if (held > 0 && (fstat(lock, &info) != 0 || info.st_nlink == 0)) held = 0; /* removed meanwhile */
        if (held > 0)
            *descriptor = lock;
        else
            close(lock);
        if (held) break;
        if (waited == TELL_MS)
            wl_say(http->message, http->user, "%s: waiting for another program that fetches it", http->file);
        if (http->progress && !http->progress(http->user, http->file, 0, http->total))
            status = wl_fail(error, WL_ERROR_CANCELLED, "cancelled while another program fetched %s", http->file);
        nanosleep(&(struct timespec){.tv_nsec = STEP_MS * 1000000L}, NULL);
    }
    wl_buffer_free(&path);
    return status;
}

wl_status wl_names_add(wl_names *list, const char *name, size_t size, wl_error *error)
{
    void *names = list->names;
    wl_status status = wl_reserve(&names, &list->capacity, list->count + 1, sizeof *list->names, error);
    list->names = names;
    if (status) return status;
    list->names[list->count] = wl_copy_text(name, size, error);
    if (!list->names[list->count]) return WL_ERROR_MEMORY;
    list->count++;
    return WL_OK;
}

void wl_names_free(wl_names *list)
{
    for (size_t i = 0; i < list->count; i++) free(list->names[i]);
    free(list->names);
    *list = (wl_names){0};
}

/* root: length of the snapshot's path, with a slash. Files whose blob is gone are not there. */
static wl_status walk(wl_names *list, const char *folder, size_t root, int depth, wl_error *error)
{
    DIR *directory = opendir(folder);
    if (!directory) return errno == ENOENT ? WL_OK : wl_fail_errno(error, folder, "open", errno);
    wl_status status = WL_OK;
    for (struct dirent *entry; !status && (entry = readdir(directory));) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        char *path = wl_path_join(folder, entry->d_name, error);
        struct stat info;
        if (!path)
            status = WL_ERROR_MEMORY;
        else if (stat(path, &info) == 0 && S_ISREG(info.st_mode))
            status = wl_names_add(list, path + root, strlen(path + root), error);
        else if (lstat(path, &info) == 0 && S_ISDIR(info.st_mode) && depth < DEEPEST)
            status = walk(list, path, root, depth + 1, error);
        free(path);
    }
    closedir(directory);
    return status;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

wl_status wl_layout_list(const wl_layout *layout, const char *commit, wl_names *list, wl_error *error)
{
    char *snapshot = wl_layout_snapshot(layout, commit, error);
    wl_status status = snapshot ? walk(list, snapshot, strlen(snapshot) + 1, 0, error) : WL_ERROR_MEMORY;
    free(snapshot);
    if (list->count > 1) qsort(list->names, list->count, sizeof *list->names, compare_names);
    return status;
}
