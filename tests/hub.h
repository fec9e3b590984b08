/* What the tests of the hub share: the server that plays it, and the check that a cache is as it should be. */
#ifndef WL_TESTS_HUB_H
#define WL_TESTS_HUB_H

#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub/cache.h"
#include "hub/digest.h"
#include "hub/hub.h"
#include "test.h"

static char hub_base[64]; /* "http://127.0.0.1:PORT" */

static inline const char *hub_script(const char *name)
{
    static char path[1024];
    snprintf(path, sizeof path, "%s/%s", WL_TEST_DATA, name);
    return path;
}

/* So that neither the caches nor the token of whoever runs the tests are touched. */
static inline void hub_clear_environment(void)
{
    static const char *const names[] = {"WORDLLAMA_CACHE",
                                        "XDG_CACHE_HOME",
                                        "HF_ENDPOINT",
                                        "HF_TOKEN",
                                        "HUGGING_FACE_HUB_TOKEN",
                                        "HF_TOKEN_PATH",
                                        "HF_HOME",
                                        "HF_HUB_CACHE",
                                        "HUGGINGFACE_HUB_CACHE",
                                        "HF_HUB_OFFLINE",
                                        "TRANSFORMERS_OFFLINE",
                                        "HF_HUB_ETAG_TIMEOUT",
                                        "HF_HUB_DOWNLOAD_TIMEOUT",
                                        "HF_HUB_DISABLE_IMPLICIT_TOKEN",
                                        "http_proxy",
                                        "all_proxy",
                                        "ALL_PROXY"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) unsetenv(names[i]);
}

/* Returns its process, 0 where there is no python3; *input keeps it alive. */
static inline pid_t hub_start_server(int *input)
{
    int in[2], out[2];
    if (pipe(in) != 0 || pipe(out) != 0) return 0;
    pid_t server = fork();
    if (server == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        close(in[1]);
        close(out[0]);
        execlp("python3", "python3", hub_script("hub_server.py"), (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    *input = in[1];
    FILE *stream = fdopen(out[0], "r");
    int port = 0;
    bool known = server > 0 && stream && fscanf(stream, "%d", &port) == 1;
    if (stream) fclose(stream);
    snprintf(hub_base, sizeof hub_base, "http://127.0.0.1:%d", port);
    if (known) return server;
    if (server > 0) waitpid(server, NULL, 0);
    return 0;
}

static inline void hub_stop_server(pid_t server, int input)
{
    kill(server, SIGTERM);
    close(input);
    waitpid(server, NULL, 0);
}

/* The whole of a file, to be freed; NULL where it cannot be read. */
static inline char *hub_read(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (!file) return NULL;
    fseek(file, 0, SEEK_END);
    long end = ftell(file);
    rewind(file);
    char *data = malloc((size_t)end + 1);
    *size = data ? fread(data, 1, (size_t)end, file) : 0;
    if (data) data[*size] = 0;
    fclose(file);
    return data;
}

/* Runs hub_peer.py with the Python that has huggingface_hub; output: what it printed, without the line break; NULL: not
 * wanted. Returns its exit status, -1 where there is no such Python. */
static inline int hub_peer(char *output, size_t size, const char *verb, const char *a, const char *b, const char *c)
{
    const char *python = getenv("WL_TEST_PYTHON");
    if (!python) python = WL_TEST_PYTHON;
    if (access(python, X_OK) != 0) {
        SKIP("huggingface_hub: %s is not there", python);
        return -1;
    }
    int out[2], state = 0;
    if (pipe(out) != 0) return -1;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        dup2(out[1], 1);
        close(out[0]);
        execl(python, python, "-B", hub_script("hub_peer.py"), verb, a, b, c, (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    FILE *stream = fdopen(out[0], "r");
    char line[2048] = "";
    if (stream && fgets(line, sizeof line, stream)) line[strcspn(line, "\n")] = 0;
    if (stream) fclose(stream);
    if (output) snprintf(output, size, "%s", line);
    waitpid(child, &state, 0);
    return WIFEXITED(state) ? WEXITSTATUS(state) : 128;
}

/* ---- is a cache as it should be? --------------------------------------------------------------------------------- */

static inline bool hub_ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), length = strlen(end);
    return size >= length && !strcmp(text + size - length, end);
}

/* A blob's content has the hash that its name says. */
static inline bool hub_blob_is_right(const char *path, const char *name)
{
    size_t size;
    char *data = hub_read(path, &size), found[WL_DIGEST_TEXT] = "";
    wl_error error;
    wl_digest digest;
    bool right = data && wl_digest_begin_named(&digest, name, size, &error) == WL_OK &&
                 wl_digest_add(&digest, data, size, &error) == WL_OK &&
                 wl_digest_end(&digest, found, &error) == WL_OK && !strcmp(found, name);
    free(data);
    return right;
}

static inline bool hub_ref_is_right(const char *path)
{
    size_t size;
    char *data = hub_read(path, &size);
    bool right = data && wl_is_hexadecimal(data, 40);
    free(data);
    return right;
}

/* A relative link into this repository's blobs, which is there. */
static inline bool hub_pointer_is_right(const char *path)
{
    char target[512];
    ssize_t length = readlink(path, target, sizeof target - 1);
    if (length < 0) return false;
    target[length] = 0;
    return !strncmp(target, "../", 3) && strstr(target, "../blobs/") && access(path, R_OK) == 0;
}

/* What a path below CACHE/models--X may be. Returns what is wrong with it; NULL: nothing. */
static inline const char *hub_fault_of(const char *path, const char *below)
{
    const char *name = strrchr(path, '/') + 1;
    if (!strncmp(below, "blobs/", 6))
        return hub_ends_with(name, ".incomplete") || hub_blob_is_right(path, name) ? NULL : "a wrong blob";
    if (!strncmp(below, "snapshots/", 10)) return hub_pointer_is_right(path) ? NULL : "a wrong pointer";
    if (!strncmp(below, "refs/", 5)) return hub_ref_is_right(path) ? NULL : "a wrong ref";
    return !strncmp(below, ".no_exist/", 10) ? NULL : "a file in a wrong place";
}

/* Faults below a folder, printed; prefix: length of the repository's path with a slash. */
static inline int hub_faults_below(const char *folder, size_t prefix)
{
    int faults = 0;
    DIR *directory = opendir(folder);
    if (!directory) return 0;
    for (struct dirent *entry; (entry = readdir(directory));) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        char path[2048];
        struct stat info;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (lstat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
            faults += hub_faults_below(path, prefix);
            continue;
        }
        const char *fault = hub_fault_of(path, path + prefix);
        if (fault) printf("%s: %s\n", path, fault);
        faults += fault != NULL;
    }
    closedir(directory);
    return faults;
}

/* Of one repository, by its folder's name. */
static inline int hub_faults(const char *cache, const char *folder)
{
    char path[2048];
    snprintf(path, sizeof path, "%s/%s", cache, folder);
    return hub_faults_below(path, strlen(path) + 1);
}

/* Files in the blobs of a repository that are not whole. */
static inline int hub_incomplete(const char *cache, const char *folder)
{
    char path[2048];
    int count = 0;
    snprintf(path, sizeof path, "%s/%s/blobs", cache, folder);
    DIR *directory = opendir(path);
    if (!directory) return 0;
    for (struct dirent *entry; (entry = readdir(directory));) count += hub_ends_with(entry->d_name, ".incomplete");
    closedir(directory);
    return count;
}

#endif
