#include "hub/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "base/file.h"

extern char **environ;

enum { POLL_MS = 50, GRACE_MS = 5000 };

/* The child starts with the signals of a fresh process, whatever this thread blocks or the program ignores: it must be
 * possible to end it. Its stderr goes to a file that it opens itself: no descriptor that another thread could leak. */
static int start(const char *const *arguments, const char *log, pid_t *child)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none, usual;
    sigemptyset(&none);
    sigemptyset(&usual);
    sigaddset(&usual, SIGINT);
    sigaddset(&usual, SIGTERM);
    sigaddset(&usual, SIGPIPE);
    int failed = posix_spawn_file_actions_init(&files);
    if (failed) return failed;
    failed = posix_spawnattr_init(&attributes);
    if (!failed) {
        failed = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
        if (!failed) failed = posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
        if (!failed) failed = posix_spawn_file_actions_addopen(&files, 2, log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        if (!failed) failed = posix_spawnattr_setsigmask(&attributes, &none);
        if (!failed) failed = posix_spawnattr_setsigdefault(&attributes, &usual);
        if (!failed) failed = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        /* The cast drops const: argv is const by nature, the type of execve is older than that word. */
        if (!failed) failed = posix_spawnp(child, arguments[0], &files, &attributes, (char *const *)arguments, environ);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&files);
    return failed;
}

/* True when the child is gone. ECHILD: the host program reaps children itself; what the child left behind is checked
 * by its hash anyway, so an unknown exit status counts as success. */
static bool reaped(pid_t child, int *code)
{
    int state;
    pid_t got = waitpid(child, &state, WNOHANG);
    if (got == 0 || (got < 0 && errno == EINTR)) return false;
    *code = got < 0 ? 0 : WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
    return true;
}

static void pause_briefly(void)
{
    nanosleep(&(struct timespec){.tv_nsec = POLL_MS * 1000000L}, NULL);
}

wl_status wl_run(const char *const *arguments, const char *log, const char *label, const wl_pull_options *options,
                 int *code, wl_error *error)
{
    pid_t child;
    int failed = start(arguments, log, &child);
    if (failed == ENOENT) {
        *code = 127; /* what a shell, and a libc whose spawn notices too late, would say */
        return WL_OK;
    }
    if (failed) return wl_fail_errno(error, arguments[0], "run", failed);
    while (!reaped(child, code)) {
        if (options->progress && !options->progress(options->user, label, 0, 0)) {
            /* Asked to stop first: pip then removes its own temporary files. */
            kill(child, SIGINT);
            for (int waited = 0; !reaped(child, code); waited += POLL_MS) {
                if (waited == GRACE_MS) kill(child, SIGKILL);
                pause_briefly();
            }
            return wl_fail(error, WL_ERROR_CANCELLED, "cancelled while %s ran for %s", arguments[0], label);
        }
        pause_briefly();
    }
    return WL_OK;
}

void wl_log_verdict(const char *log, char *line, size_t size)
{
    line[0] = 0;
    wl_error unused;
    wl_mapping mapping;
    if (wl_mapping_open(&mapping, log, &unused)) return;
    bool grave = false;
    for (size_t begin = 0; begin < mapping.size;) {
        const char *text = mapping.data + begin, *end = memchr(text, '\n', mapping.size - begin);
        size_t length = end ? (size_t)(end - text) : mapping.size - begin;
        bool error = length >= 5 && !memcmp(text, "ERROR", 5);
        if (length && (error || !grave)) {
            size_t kept = length < size ? length : size - 1;
            for (size_t i = 0; i < kept; i++) line[i] = (unsigned char)text[i] < 32 || text[i] == 127 ? '?' : text[i];
            line[kept] = 0;
            grave = error;
        }
        begin += length + 1;
    }
    wl_mapping_close(&mapping);
}
