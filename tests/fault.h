/* An allocator that fails on demand. Link with -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc; without them the test
 * still links and fault_available() is false. Include in one file of a program.
 *
 *     for (size_t nth = 1;; nth++) {
 *         fault_begin(nth);
 *         status = wl_something(..., &error);
 *         if (!fault_end()) break;   the n-th allocation never came: everything was tried, status must be WL_OK
 *         CHECK(status == WL_ERROR_MEMORY);
 *     }
 *
 * Allocations made inside libc are not counted. Not for more than one thread. */
#ifndef WL_FAULT_H
#define WL_FAULT_H

#include <stdbool.h>
#include <stddef.h>

void *__real_malloc(size_t size) __attribute__((weak));
void *__real_calloc(size_t count, size_t size) __attribute__((weak));
void *__real_realloc(void *memory, size_t size) __attribute__((weak));
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

static size_t fault_countdown; /* 0: no failure to come */
static bool fault_failed;

static inline bool fault_available(void)
{
    return __real_malloc && __real_calloc && __real_realloc;
}

/* The nth allocation from here on fails, once; nth 0: none. */
static inline void fault_begin(size_t nth)
{
    fault_countdown = nth;
    fault_failed = false;
}

/* Back to normal; says whether an allocation was made to fail. */
static inline bool fault_end(void)
{
    fault_countdown = 0;
    return fault_failed;
}

static inline bool fault_now(void)
{
    if (fault_countdown == 0 || --fault_countdown) return false;
    fault_failed = true;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return fault_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fault_now() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return fault_now() ? NULL : __real_realloc(memory, size);
}

#endif
