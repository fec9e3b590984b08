#include "base/status.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const names[] = {
    [WL_OK] = "WL_OK",
    [WL_ERROR_ARGUMENT] = "WL_ERROR_ARGUMENT",
    [WL_ERROR_MEMORY] = "WL_ERROR_MEMORY",
    [WL_ERROR_IO] = "WL_ERROR_IO",
    [WL_ERROR_NOT_FOUND] = "WL_ERROR_NOT_FOUND",
    [WL_ERROR_FORMAT] = "WL_ERROR_FORMAT",
    [WL_ERROR_UNSUPPORTED] = "WL_ERROR_UNSUPPORTED",
    [WL_ERROR_MISMATCH] = "WL_ERROR_MISMATCH",
    [WL_ERROR_LIMIT] = "WL_ERROR_LIMIT",
    [WL_ERROR_CANCELLED] = "WL_ERROR_CANCELLED",
};

const char *wl_status_name(wl_status code)
{
    size_t i = (size_t)code;
    return i < sizeof names / sizeof *names ? names[i] : "unknown";
}

static void fill(wl_error *error, wl_status code, const char *file, uint64_t byte, uint64_t line, const char *format,
                 va_list arguments)
{
    error->code = code;
    error->byte = byte;
    error->line = line;
    snprintf(error->file, sizeof error->file, "%s", file ? file : "");
    char *message = error->message;
    int size = vsnprintf(message, sizeof error->message, format, arguments);
    if (size < (int)sizeof error->message) return;
    /* What is too long ends with a whole character. */
    size = (int)sizeof error->message - 1;
    while (size > 0 && ((unsigned char)message[size - 1] & 0xC0) == 0x80) size--;
    if (size > 0 && (unsigned char)message[size - 1] >= 0xC0) size--;
    message[size] = '\0';
}

wl_status wl_fail(wl_error *error, wl_status code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fill(error, code, NULL, WL_NO_POSITION, 0, format, arguments);
    va_end(arguments);
    return code;
}

wl_status wl_fail_at(wl_error *error, wl_status code, const char *file, uint64_t byte, uint64_t line,
                     const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fill(error, code, file, byte, line, format, arguments);
    va_end(arguments);
    return code;
}

wl_status wl_fail_memory(wl_error *error, size_t bytes)
{
    return wl_fail(error, WL_ERROR_MEMORY, "out of memory (%zu bytes asked for)", bytes);
}

wl_status wl_fail_errno(wl_error *error, const char *file, const char *action, int number)
{
    wl_status code = number == ENOENT || number == ENOTDIR ? WL_ERROR_NOT_FOUND
                     : number == ENOMEM                    ? WL_ERROR_MEMORY
                                                           : WL_ERROR_IO;
    char reason[256];
    /* strerror_r comes in two shapes (XSI, GNU); strerror is safe enough only in one thread, so neither is portable:
     * %m would be GNU too. The XSI shape is chosen by the feature macros of the build (_POSIX_C_SOURCE, no _GNU_SOURCE
     * for this file). */
    if (strerror_r(number, reason, sizeof reason) != 0) snprintf(reason, sizeof reason, "error %d", number);
    return wl_fail_at(error, code, file, WL_NO_POSITION, 0, "cannot %s: %s", action, reason);
}

size_t wl_error_format(const wl_error *error, char *buffer, size_t size)
{
    int length;
    if (error->file[0] && error->line && error->byte != WL_NO_POSITION)
        length = snprintf(buffer, size, "%s:%" PRIu64 ": byte %" PRIu64 ": %s", error->file, error->line, error->byte,
                          error->message);
    else if (error->file[0] && error->line)
        length = snprintf(buffer, size, "%s:%" PRIu64 ": %s", error->file, error->line, error->message);
    else if (error->file[0] && error->byte != WL_NO_POSITION)
        length = snprintf(buffer, size, "%s: byte %" PRIu64 ": %s", error->file, error->byte, error->message);
    else if (error->file[0])
        length = snprintf(buffer, size, "%s: %s", error->file, error->message);
    else
        length = snprintf(buffer, size, "%s", error->message);
    return length < 0 ? 0 : (size_t)length;
}

#define TEXT(x)                      #x
#define VERSION(major, minor, patch) TEXT(major) "." TEXT(minor) "." TEXT(patch)

const char *wl_version(void)
{
    return VERSION(WL_VERSION_MAJOR, WL_VERSION_MINOR, WL_VERSION_PATCH);
}
