#define _GNU_SOURCE /* memrchr */
/* Verbs that need the second library live in the command wordllama-train, which has all verbs and links libcurl and the
 * like. This one hands over to it, so that loading those libraries costs nothing where they are not needed. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"

#define SECOND "wordllama-train"

wl_status cmd_pull(const cli_settings *settings, wl_error *error)
{
    char path[4096];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path);
    char *slash = length > 0 && (size_t)length < sizeof path ? memrchr(path, '/', (size_t)length) : NULL;
    if (slash && (size_t)(slash + 1 - path) + sizeof SECOND <= sizeof path) {
        memcpy(slash + 1, SECOND, sizeof SECOND);
        execv(path, settings->arguments);
    }
    execvp(SECOND, settings->arguments);
    if (errno == ENOENT)
        return wl_fail(error, WL_ERROR_UNSUPPORTED, "this verb needs %s, which is not installed beside wordllama",
                       SECOND);
    return wl_fail(error, WL_ERROR_IO, "cannot run %s: %s", SECOND, strerror(errno));
}
