#define _GNU_SOURCE /* memrchr */
#include "sibling.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io.h"

#define SECOND "wordllama-train"

enum { MOST_OUTPUT = 1 << 16 };

/* In the folder of this program, else in PATH; returns where that fails. */
static void execute(char *const *arguments)
{
    char path[4096];
    restore_signal_handlers();
    ssize_t length = readlink("/proc/self/exe", path, sizeof path);
    char *slash = length > 0 && (size_t)length < sizeof path ? memrchr(path, '/', (size_t)length) : NULL;
    if (slash && (size_t)(slash + 1 - path) + sizeof SECOND <= sizeof path) {
        memcpy(slash + 1, SECOND, sizeof SECOND);
        execv(path, arguments);
    }
    execvp(SECOND, arguments);
}

static wl_status fail_execution(int reason, wl_error *error)
{
    if (reason == ENOENT)
        return wl_fail(error, WL_ERROR_UNSUPPORTED, "this needs %s, which is not installed beside wordllama", SECOND);
    return wl_fail(error, WL_ERROR_IO, "cannot run %s: %s", SECOND, strerror(reason));
}

wl_status sibling_become(char *const *arguments, wl_error *error)
{
    execute(arguments);
    return fail_execution(errno, error);
}

/* The child's half: what it prints goes into output, and why it cannot run into trouble, which a run closes. */
static void run_child(char *const *arguments, int output, int trouble)
{
    int nothing = open("/dev/null", O_RDONLY);
    if (nothing >= 0 && dup2(nothing, STDIN_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0) execute(arguments);
    int reason = errno;
    ssize_t written = write(trouble, &reason, sizeof reason);
    _exit(written == (ssize_t)sizeof reason ? 127 : 126);
}

/* Until the other end is closed. */
static wl_status read_all(int descriptor, wl_buffer *output, wl_error *error)
{
    for (;;) {
        char piece[4096];
        ssize_t got = read(descriptor, piece, sizeof piece);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return wl_fail_errno(error, SECOND, "read", errno);
        if (got == 0) return WL_OK;
        if (output->size + (size_t)got <= MOST_OUTPUT && wl_buffer_append(output, piece, (size_t)got, error))
            return error->code;
    }
}

wl_status sibling_run(char *const *arguments, wl_buffer *output, int *code, wl_error *error)
{
    int out[2], trouble[2], state = 0, reason = 0;
    if (pipe2(out, O_CLOEXEC) != 0) return wl_fail_errno(error, NULL, "make a pipe", errno);
    if (pipe2(trouble, O_CLOEXEC) != 0) {
        int number = errno;
        close(out[0]);
        close(out[1]);
        return wl_fail_errno(error, NULL, "make a pipe", number);
    }
    pid_t child = fork();
    if (child == 0) run_child(arguments, out[1], trouble[1]);
    int failed = child < 0 ? errno : 0;
    close(out[1]);
    close(trouble[1]);
    wl_status status = failed ? wl_fail_errno(error, NULL, "start a process", failed) : WL_OK;
    if (!status && read(trouble[0], &reason, sizeof reason) == (ssize_t)sizeof reason)
        status = fail_execution(reason, error);
    if (!status) status = read_all(out[0], output, error);
    close(out[0]);
    close(trouble[0]);
    while (child > 0 && waitpid(child, &state, 0) < 0 && errno == EINTR) continue;
    *code = WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
    return status;
}
