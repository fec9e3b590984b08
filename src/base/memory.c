#define _DEFAULT_SOURCE /* MAP_ANONYMOUS, madvise */
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void *wl_allocate(size_t count, size_t size, wl_error *error)
{
    void *memory = calloc(count ? count : 1, size ? size : 1);
    if (!memory) wl_fail_memory(error, size && count > SIZE_MAX / size ? SIZE_MAX : count * size);
    return memory;
}

wl_status wl_reserve(void **array, size_t *capacity, size_t need, size_t size, wl_error *error)
{
    if (need <= *capacity && *array) return WL_OK;
    size_t grown = *capacity + *capacity / 2;
    if (grown < need) grown = need;
    if (grown < 16) grown = 16;
    if (grown > SIZE_MAX / size) return wl_fail_memory(error, SIZE_MAX);
    void *memory = realloc(*array, grown * size);
    if (!memory) return wl_fail_memory(error, grown * size);
    *array = memory;
    *capacity = grown;
    return WL_OK;
}

wl_status wl_buffer_reserve(wl_buffer *buffer, size_t extra, wl_error *error)
{
    if (extra > SIZE_MAX - buffer->size) return wl_fail_memory(error, SIZE_MAX);
    void *data = buffer->data;
    wl_status status = wl_reserve(&data, &buffer->capacity, buffer->size + extra, 1, error);
    buffer->data = data;
    return status;
}

wl_status wl_buffer_append(wl_buffer *buffer, const void *data, size_t size, wl_error *error)
{
    if (wl_buffer_reserve(buffer, size, error)) return error->code;
    if (size) memcpy(buffer->data + buffer->size, data, size);
    buffer->size += size;
    return WL_OK;
}

void wl_buffer_free(wl_buffer *buffer)
{
    free(buffer->data);
    *buffer = (wl_buffer){0};
}

wl_status wl_read_options(void *options, size_t size, const void *given, const char *name, wl_error *error)
{
    memset(options, 0, size);
    size_t given_size = size;
    if (given) memcpy(&given_size, given, sizeof given_size);
    if (given_size < sizeof given_size || given_size > size)
        return wl_fail(error, WL_ERROR_ARGUMENT, "%s.size is %zu, expected at most %zu", name, given_size, size);
    if (given) memcpy(options, given, given_size);
    return WL_OK;
}

char *wl_copy_text(const char *data, size_t size, wl_error *error)
{
    char *copy = malloc(size + 1);
    if (!copy) {
        wl_fail_memory(error, size + 1);
        return NULL;
    }
    if (size) memcpy(copy, data, size);
    copy[size] = 0;
    return copy;
}

#define LARGE_PAGE ((size_t)2 << 20)

static size_t whole_pages(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (size + page - 1) / page * page;
}

void *wl_pages_allocate(size_t size, wl_error *error)
{
    if (size < LARGE_PAGE) return wl_allocate(size, 1, error);
    if (size > SIZE_MAX / 2) return wl_fail_memory(error, size), NULL;
    size = whole_pages(size);
    /* Room to start at a large page; what is not needed of it goes back. */
    void *mapped = mmap(NULL, size + LARGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) return wl_fail_memory(error, size), NULL;
    uintptr_t begin = (uintptr_t)mapped, aligned = (begin + LARGE_PAGE - 1) & ~(uintptr_t)(LARGE_PAGE - 1);
    if (aligned > begin) munmap(mapped, aligned - begin);
    if (aligned < begin + LARGE_PAGE) munmap((char *)aligned + size, begin + LARGE_PAGE - aligned);
#ifdef MADV_HUGEPAGE
    madvise((void *)aligned, size, MADV_HUGEPAGE);
#endif
    return (void *)aligned;
}

void wl_pages_free(void *pages, size_t size)
{
    if (size < LARGE_PAGE)
        free(pages);
    else if (pages)
        munmap(pages, whole_pages(size));
}
