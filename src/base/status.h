/* Filling a wl_error. Every internal function that can fail takes a wl_error * (never NULL inside the library: the
 * public entry points put one on the stack where the caller gave none) and returns the code it set. */
#ifndef WL_BASE_STATUS_H
#define WL_BASE_STATUS_H

#include "wordllama.h"

#if defined(__GNUC__)
#define WL_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define WL_PRINTF(text, first)
#endif

/* Sets code and message, without file or position; returns code. */
wl_status wl_fail(wl_error *error, wl_status code, const char *format, ...) WL_PRINTF(3, 4);

/* The same with a place: file (may be NULL), byte (WL_NO_POSITION for none), line (0 for none). */
wl_status wl_fail_at(wl_error *error, wl_status code, const char *file, uint64_t byte, uint64_t line,
                     const char *format, ...) WL_PRINTF(6, 7);

/* WL_ERROR_MEMORY, saying how much was asked for. */
wl_status wl_fail_memory(wl_error *error, size_t bytes);

/* WL_ERROR_IO or WL_ERROR_NOT_FOUND with the text of an errno value: "cannot open: No such file or directory". */
wl_status wl_fail_errno(wl_error *error, const char *file, const char *action, int number);

#endif
