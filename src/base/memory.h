/* Allocation with overflow checks, and the growable array that the rest is built of. */
#ifndef WL_BASE_MEMORY_H
#define WL_BASE_MEMORY_H

#include "base/status.h"

/* count * size bytes, zeroed; NULL on overflow or out of memory, with *error filled. count 0 gives a valid pointer. */
void *wl_allocate(size_t count, size_t size, wl_error *error);

/* size bytes for a large table that is read at random: zeroed, and on large pages where it is large enough
 * and the system has them, or most reads would also wait for the page table. Free with wl_pages_free and the same size.
 */
void *wl_pages_allocate(size_t size, wl_error *error);
void wl_pages_free(void *pages, size_t size);

/* Makes *array hold at least need elements of size bytes, keeping its contents, growing by half at least. On failure
 * *array and *capacity stay as they were. */
wl_status wl_reserve(void **array, size_t *capacity, size_t need, size_t size, wl_error *error);

/* A growable byte string. Zero-initialized is empty; free with wl_buffer_free. */
typedef struct wl_buffer {
    char *data;
    size_t size, capacity;
} wl_buffer;

wl_status wl_buffer_reserve(wl_buffer *buffer, size_t extra, wl_error *error);
wl_status wl_buffer_append(wl_buffer *buffer, const void *data, size_t size, wl_error *error);
void wl_buffer_free(wl_buffer *buffer);

/* Copies a caller's options struct, whose first member is its size, over the zeroed defaults in *options (size bytes).
 * given NULL: defaults. A shorter struct is from an older header and leaves the later members at their defaults; a
 * longer one asks for what this library does not know: WL_ERROR_ARGUMENT. */
wl_status wl_read_options(void *options, size_t size, const void *given, const char *name, wl_error *error);

/* A copy with a NUL behind it. */
char *wl_copy_text(const char *data, size_t size, wl_error *error);

#endif
