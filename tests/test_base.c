/* The room base/: errors, memory, files, threads, the processor. */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/cpu.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "base/reader.h"
#include "test.h"

/* ---- errors ------------------------------------------------------------------------------------------------------ */

static bool formats_as(const wl_error *error, const char *expected)
{
    char text[2048];
    size_t length = strlen(expected);
    if (wl_error_format(error, NULL, 0) != length) return false;
    if (wl_error_format(error, text, sizeof text) != length || strcmp(text, expected) != 0) return false;
    for (size_t size = 1; size <= length + 2; size++) {
        memset(text, 'x', sizeof text);
        size_t kept = size - 1 < length ? size - 1 : length;
        if (wl_error_format(error, text, size) != length) return false;
        if (memcmp(text, expected, kept) != 0 || text[kept] != 0 || text[size] != 'x') return false;
    }
    return true;
}

static void test_status(void)
{
    wl_error error;
    CHECK(wl_fail(&error, WL_ERROR_LIMIT, "%d of %s", 3, "them") == WL_ERROR_LIMIT);
    CHECK(error.code == WL_ERROR_LIMIT && error.byte == WL_NO_POSITION && error.line == 0 && error.file[0] == 0);
    CHECK(formats_as(&error, "3 of them"));

    CHECK(wl_fail_at(&error, WL_ERROR_FORMAT, "a.json", 17, 4, "bad") == WL_ERROR_FORMAT);
    CHECK(error.byte == 17 && error.line == 4);
    CHECK(formats_as(&error, "a.json:4: byte 17: bad"));
    wl_fail_at(&error, WL_ERROR_FORMAT, "a.bin", 0, 0, "bad");
    CHECK(formats_as(&error, "a.bin: byte 0: bad"));
    wl_fail_at(&error, WL_ERROR_FORMAT, "a.bin", UINT64_MAX - 1, 0, "bad");
    CHECK(formats_as(&error, "a.bin: byte 18446744073709551614: bad"));
    wl_fail_at(&error, WL_ERROR_FORMAT, "a.bin", WL_NO_POSITION, 0, "bad");
    CHECK(formats_as(&error, "a.bin: bad"));
    wl_fail_at(&error, WL_ERROR_FORMAT, NULL, 5, 6, "bad");
    CHECK(formats_as(&error, "bad"));
    wl_fail_at(&error, WL_ERROR_FORMAT, "%s%n", WL_NO_POSITION, 0, "%s", "100%d");
    CHECK(formats_as(&error, "%s%n: 100%d"));

    CHECK(wl_fail_memory(&error, 42) == WL_ERROR_MEMORY && strstr(error.message, "42"));
    CHECK(wl_fail_errno(&error, "f", "open", ENOENT) == WL_ERROR_NOT_FOUND && strcmp(error.file, "f") == 0);
    CHECK(strncmp(error.message, "cannot open: ", 13) == 0 && error.message[13]);
    CHECK(wl_fail_errno(&error, "f", "open", ENOTDIR) == WL_ERROR_NOT_FOUND);
    CHECK(wl_fail_errno(&error, NULL, "write", ENOSPC) == WL_ERROR_IO && error.file[0] == 0);
    CHECK(wl_fail_errno(&error, NULL, "map", ENOMEM) == WL_ERROR_MEMORY);
    CHECK(wl_fail_errno(&error, NULL, "map", 99999) == WL_ERROR_IO && error.message[0]);
}

static void test_long_errors(void)
{
    static char file[4000], message[4000];
    memset(file, 'f', sizeof file - 1);
    memset(message, 'm', sizeof message - 1);
    wl_error error;
    wl_fail_at(&error, WL_ERROR_IO, file, 1, 0, "%s", message);
    CHECK(strlen(error.file) == sizeof error.file - 1 && strlen(error.message) == sizeof error.message - 1);
    CHECK(strspn(error.file, "f") == sizeof error.file - 1 && strspn(error.message, "m") == sizeof error.message - 1);
    CHECK(wl_error_format(&error, file, sizeof file) == 1023 + 511 + strlen(": byte 1: "));
    CHECK(strlen(file) == 1023 + 511 + strlen(": byte 1: "));
    memcpy(message + sizeof error.message - 3, "\xE4\xBD\xA0", 3); /* a character that does not fit */
    wl_fail(&error, WL_ERROR_IO, "%s", message);
    CHECK(strlen(error.message) == sizeof error.message - 3 && strspn(error.message, "m") == strlen(error.message));
}

static void test_names(void)
{
    CHECK(strcmp(wl_status_name(WL_OK), "WL_OK") == 0);
    CHECK(strcmp(wl_status_name(WL_ERROR_ARGUMENT), "WL_ERROR_ARGUMENT") == 0);
    CHECK(strcmp(wl_status_name(WL_ERROR_CANCELLED), "WL_ERROR_CANCELLED") == 0);
    for (int i = WL_OK; i <= WL_ERROR_CANCELLED; i++) {
        CHECK(strncmp(wl_status_name((wl_status)i), "WL_", 3) == 0);
        for (int j = WL_OK; j < i; j++) CHECK(strcmp(wl_status_name((wl_status)i), wl_status_name((wl_status)j)) != 0);
    }
    CHECK(strcmp(wl_status_name((wl_status)(WL_ERROR_CANCELLED + 1)), "unknown") == 0);
    char version[64];
    snprintf(version, sizeof version, "%d.%d.%d", WL_VERSION_MAJOR, WL_VERSION_MINOR, WL_VERSION_PATCH);
    CHECK(strcmp(wl_version(), version) == 0);
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

/* Under a sanitizer's allocator a request that cannot be met may end the program. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static void test_memory(void)
{
    wl_error error = {0};
    unsigned char *zeroed = wl_allocate(1000, 3, &error);
    CHECK(zeroed);
    for (size_t i = 0; zeroed && i < 3000; i++) CHECK(zeroed[i] == 0);
    free(zeroed);
    void *none = wl_allocate(0, 8, &error);
    CHECK(none);
    free(none);
    if (SANITIZED)
        SKIP("allocations that cannot be met: a sanitizer's allocator ends the program");
    else {
        volatile size_t huge = SIZE_MAX / 2 + 1; /* hides the size from compilers that know it cannot be met */
        CHECK(!wl_allocate(huge, 4, &error) && error.code == WL_ERROR_MEMORY);
        error.code = WL_OK;
        CHECK(!wl_allocate(huge, 1, &error) && error.code == WL_ERROR_MEMORY);
        void *kept = NULL;
        size_t capacity = 0;
        CHECK(wl_reserve(&kept, &capacity, huge, 1, &error) == WL_ERROR_MEMORY && !kept && capacity == 0);
    }

    void *array = NULL;
    size_t capacity = 0, moves = 0;
    for (size_t need = 1; need <= 100000; need++) {
        size_t before = capacity;
        CHECK(wl_reserve(&array, &capacity, need, sizeof(uint32_t), &error) == WL_OK);
        uint32_t *numbers = array;
        moves += capacity != before;
        if (capacity < need || !numbers) break;
        CHECK(capacity == before || capacity >= before + before / 2);
        numbers[need - 1] = (uint32_t)need;
    }
    size_t wrong = 0;
    for (size_t i = 0; i < 100000; i++) wrong += ((uint32_t *)array)[i] != i + 1;
    CHECK(wrong == 0);
    CHECK_THAT(moves < 30, "%zu moves", moves);
    void *before = array;
    size_t capacity_before = capacity;
    CHECK(wl_reserve(&array, &capacity, SIZE_MAX, sizeof(uint32_t), &error) == WL_ERROR_MEMORY);
    CHECK(wl_reserve(&array, &capacity, SIZE_MAX / 4 + 1, sizeof(uint32_t), &error) == WL_ERROR_MEMORY);
    CHECK(array == before && capacity == capacity_before);
    free(array);

    array = NULL;
    capacity = 0;
    CHECK(wl_reserve(&array, &capacity, 0, 8, &error) == WL_OK && array); /* a valid pointer also for nothing */
    free(array);
}

static void test_buffer(void)
{
    wl_error error = {0};
    wl_buffer buffer = {0};
    for (int i = 0; i < 1000; i++) CHECK(wl_buffer_append(&buffer, "abc", 3, &error) == WL_OK);
    CHECK(wl_buffer_append(&buffer, NULL, 0, &error) == WL_OK);
    CHECK(buffer.size == 3000 && buffer.capacity >= 3000);
    for (size_t i = 0; i < buffer.size; i++) CHECK(buffer.data[i] == "abc"[i % 3]);
    CHECK(wl_buffer_reserve(&buffer, SIZE_MAX, &error) == WL_ERROR_MEMORY && buffer.size == 3000);
    CHECK(buffer.data && memcmp(buffer.data, "abcabc", 6) == 0);
    wl_buffer_free(&buffer);
    CHECK(!buffer.data && buffer.size == 0 && buffer.capacity == 0);
    wl_buffer_free(&buffer);
    char *copy = wl_copy_text("a\0b", 3, &error);
    CHECK(copy && memcmp(copy, "a\0b", 4) == 0);
    free(copy);
    copy = wl_copy_text(NULL, 0, &error);
    CHECK(copy && copy[0] == 0);
    free(copy);
}

static void test_hash(void)
{
    char data[64] = "one hash for byte strings";
    for (size_t size = 0; size < sizeof data; size++) {
        uint64_t hash = wl_hash_bytes(data, size);
        char copy[65];
        memcpy(copy + 1, data, sizeof data);
        CHECK(wl_hash_bytes(copy + 1, size) == hash); /* wherever the bytes lie */
        if (size) {
            copy[size] ^= 1;
            CHECK(wl_hash_bytes(copy + 1, size) != hash);
            CHECK(wl_hash_bytes(data, size - 1) != hash);
        }
    }
    CHECK(wl_hash_integer(1) != wl_hash_integer(2) && wl_hash_pair(1, 2) != wl_hash_pair(2, 1));
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

static char folder[] = "/tmp/wordllama-test-XXXXXX";

static const char *in_folder(const char *name)
{
    static char path[4][sizeof folder + 64];
    static unsigned next;
    char *out = path[next++ % 4];
    snprintf(out, sizeof path[0], "%s/%s", folder, name);
    return out;
}

static void write_file(const char *path, const char *content)
{
    FILE *file = fopen(path, "wb");
    CHECK(file);
    if (!file) return;
    fputs(content, file);
    fclose(file);
}

static bool holds(const char *path, const char *content)
{
    wl_mapping mapping;
    wl_error error;
    if (wl_mapping_open(&mapping, path, &error)) return false;
    bool same = mapping.size == strlen(content) && memcmp(mapping.data, content, mapping.size) == 0;
    wl_mapping_close(&mapping);
    return same;
}

/* Nothing but the named files is in the folder: removing it, once they are gone, succeeds. */
static bool only(const char *name, const char *content)
{
    char path[sizeof folder + 64];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    unlink(path);
    bool empty = rmdir(folder) == 0;
    if (empty) mkdir(folder, 0700);
    write_file(path, content);
    return empty;
}

static void *feed(void *descriptor)
{
    int to = *(int *)descriptor;
    char block[1000];
    memset(block, 'p', sizeof block);
    for (int i = 0; i < 300; i++)
        if (write(to, block, sizeof block) != (ssize_t)sizeof block) break;
    close(to);
    return NULL;
}

static void *feed_fifo(void *path)
{
    FILE *file = fopen(path, "wb");
    if (file) {
        fputs("through a pipe", file);
        fclose(file);
    }
    return NULL;
}

static void test_mapping(void)
{
    wl_mapping mapping;
    wl_error error = {0};
    CHECK(wl_mapping_open(&mapping, in_folder("missing"), &error) == WL_ERROR_NOT_FOUND);
    CHECK(strcmp(error.file, in_folder("missing")) == 0 && error.byte == WL_NO_POSITION);
    wl_mapping_close(&mapping); /* after a failure too */
    CHECK(wl_mapping_open(&mapping, in_folder("missing/file"), &error) == WL_ERROR_NOT_FOUND);
    CHECK(wl_mapping_open(&mapping, folder, &error) == WL_ERROR_IO && strstr(error.message, "directory"));
    CHECK(!mapping.data);

    write_file(in_folder("a"), "content");
    CHECK(wl_mapping_open(&mapping, in_folder("a"), &error) == WL_OK);
    CHECK(mapping.mapped && mapping.size == 7 && memcmp(mapping.data, "content", 7) == 0);
    wl_mapping_close(&mapping);
    CHECK(!mapping.data && mapping.size == 0);
    wl_mapping_close(&mapping);

    write_file(in_folder("empty"), "");
    CHECK(wl_mapping_open(&mapping, in_folder("empty"), &error) == WL_OK);
    CHECK(mapping.data && mapping.size == 0);
    wl_mapping_close(&mapping);
    unlink(in_folder("empty"));

    const char *fifo = in_folder("fifo");
    CHECK(mkfifo(fifo, 0600) == 0);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, feed_fifo, (void *)(uintptr_t)fifo) == 0);
    CHECK(wl_mapping_open(&mapping, fifo, &error) == WL_OK);
    CHECK(!mapping.mapped && mapping.size == 14 && memcmp(mapping.data, "through a pipe", 14) == 0);
    pthread_join(thread, NULL);
    wl_mapping_close(&mapping);
    unlink(in_folder("fifo"));

    int ends[2];
    CHECK(pipe(ends) == 0);
    char path[64];
    snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    CHECK(pthread_create(&thread, NULL, feed, &ends[1]) == 0);
    CHECK(wl_mapping_open(&mapping, path, &error) == WL_OK); /* larger than any pipe */
    CHECK(mapping.size == 300000 && strspn(mapping.data, "p") >= 299999);
    pthread_join(thread, NULL);
    close(ends[0]);
    wl_mapping_close(&mapping);

    if (geteuid() == 0)
        SKIP("a file without permission: root may read it");
    else {
        chmod(in_folder("a"), 0);
        CHECK(wl_mapping_open(&mapping, in_folder("a"), &error) == WL_ERROR_IO);
    }
    unlink(in_folder("a"));
}

/* Serves bytes that are no file, counts its calls, and fails when it is told to. */
typedef struct far_bytes {
    uint64_t calls, bytes;
    bool fails;
} far_bytes;

static wl_status fetch_far(wl_reader *reader, uint64_t at, void *out, size_t size, wl_error *error)
{
    far_bytes *far = reader->state;
    far->calls++;
    far->bytes += size;
    if (far->fails) return wl_fail(error, WL_ERROR_IO, "the way is cut");
    for (size_t i = 0; i < size; i++) ((unsigned char *)out)[i] = (unsigned char)((at + i) * 7 >> 3);
    return WL_OK;
}

static void test_reader(void)
{
    wl_error error;
    wl_reader reader;
    enum { SIZE = 3 << 20 };
    far_bytes far = {0};
    reader = (wl_reader){.size = SIZE, .fetch = fetch_far, .state = &far, .descriptor = -1};
    reader.name = wl_copy_text("far", 3, &error);
    unsigned char *out = malloc(SIZE);
    uint64_t places[] = {0, 5, 100000, 262140, 1 << 20, SIZE - 9, 3, 2 << 20};
    size_t sizes[] = {8, 0, 300, 9, 600000, 9, 100, SIZE / 3};
    for (size_t i = 0; out && i < sizeof places / sizeof *places; i++) {
        CHECK(wl_reader_read(&reader, places[i], out, sizes[i], &error) == WL_OK);
        size_t wrong = 0;
        for (size_t j = 0; j < sizes[i]; j++) wrong += out[j] != (unsigned char)((places[i] + j) * 7 >> 3);
        CHECK(!wrong);
    }
    CHECK(reader.fetched == far.bytes);
    /* Number by number out of the window: one fetch for a quarter of a megabyte. */
    far.calls = 0;
    for (uint64_t at = 1000000; at < 1250000; at += 8) CHECK(wl_reader_read(&reader, at, out, 8, &error) == WL_OK);
    CHECK(far.calls == 1);
    CHECK(wl_reader_read(&reader, SIZE - 3, out, 4, &error) == WL_ERROR_FORMAT && error.byte == SIZE);
    CHECK(wl_reader_read(&reader, UINT64_MAX, out, 4, &error) == WL_ERROR_FORMAT);
    CHECK(wl_reader_read(&reader, SIZE, out, 0, &error) == WL_OK);
    /* After a failure nothing of the window is believed. */
    far.fails = true;
    CHECK(wl_reader_read(&reader, 7, out, 4, &error) == WL_ERROR_IO);
    far.fails = false;
    CHECK(wl_reader_read(&reader, 1000000, out, 4, &error) == WL_OK && out[3] == (unsigned char)(1000003u * 7 >> 3));
    wl_reader_close(&reader);
    wl_reader_close(&reader);
    free(out);

    CHECK(wl_reader_open(&reader, in_folder("missing"), &error) == WL_ERROR_NOT_FOUND);
    CHECK(wl_reader_open(&reader, folder, &error) == WL_ERROR_IO && strstr(error.message, "regular"));
    CHECK(wl_reader_open(&reader, __FILE__, &error) == WL_OK && reader.size > 1000);
    char begin[3];
    CHECK(wl_reader_read(&reader, 0, begin, 2, &error) == WL_OK && memcmp(begin, "/*", 2) == 0);
    wl_reader_close(&reader);
}

static void test_paths(void)
{
    static const struct {
        const char *folder, *name, *joined;
    } joins[] = {{"a", "b", "a/b"}, {"a/", "b", "a/b"}, {"", "b", "b"}, {"/", "b", "/b"}, {"a", "", "a/"}};
    wl_error error;
    for (size_t i = 0; i < sizeof joins / sizeof *joins; i++) {
        char *path = wl_path_join(joins[i].folder, joins[i].name, &error);
        CHECK_THAT(path && strcmp(path, joins[i].joined) == 0, "%s", joins[i].joined);
        free(path);
    }
    write_file(in_folder("a"), "x");
    CHECK(wl_path_exists(folder) && wl_path_exists(in_folder("a")) && !wl_path_exists(in_folder("b")));
    CHECK(wl_path_is_directory(folder) && !wl_path_is_directory(in_folder("a")) &&
          !wl_path_is_directory(in_folder("b")));
    unlink(in_folder("a"));
}

static void test_replacement(void)
{
    wl_replacement file;
    wl_error error = {0};
    CHECK(wl_replacement_open(&file, "/dev/null", &error) == WL_ERROR_IO && strstr(error.message, "regular"));
    CHECK(wl_replacement_open(&file, in_folder("new"), &error) == WL_OK);
    fputs("first", file.stream);
    CHECK(!wl_path_exists(in_folder("new"))); /* only when it is complete */
    CHECK(wl_replacement_commit(&file, &error) == WL_OK);
    CHECK(holds(in_folder("new"), "first"));
    wl_replacement_abandon(&file); /* harmless */
    CHECK(holds(in_folder("new"), "first"));
    struct stat info;
    mode_t mask = umask(0);
    umask(mask);
    CHECK(stat(in_folder("new"), &info) == 0 && (info.st_mode & 0777) == (0666 & ~mask));

    CHECK(wl_replacement_open(&file, in_folder("new"), &error) == WL_OK);
    fputs("second", file.stream);
    fflush(file.stream);
    CHECK(holds(in_folder("new"), "first"));
    wl_replacement_abandon(&file);
    CHECK(only("new", "first"));

    CHECK(wl_replacement_open(&file, in_folder("new"), &error) == WL_OK);
    fputs("..cond", file.stream);
    rewind(file.stream); /* may be sought */
    fputs("se", file.stream);
    CHECK(wl_replacement_commit(&file, &error) == WL_OK);
    CHECK(holds(in_folder("new"), "second") && only("new", "second"));

    CHECK(wl_replacement_open(&file, folder, &error) == WL_ERROR_IO && strstr(error.message, "directory"));
    wl_replacement_abandon(&file);
    CHECK(wl_replacement_open(&file, in_folder("none/file"), &error) == WL_ERROR_NOT_FOUND);
    CHECK(strcmp(error.file, in_folder("none/file")) == 0);
    wl_replacement_abandon(&file);

    /* The target becomes a directory meanwhile: rename fails, the directory stays. */
    CHECK(wl_replacement_open(&file, in_folder("new2"), &error) == WL_OK);
    mkdir(in_folder("new2"), 0700);
    CHECK(wl_replacement_commit(&file, &error) == WL_ERROR_IO);
    CHECK(wl_path_is_directory(in_folder("new2")));
    rmdir(in_folder("new2"));
    CHECK(only("new", "second"));

    if (geteuid() == 0)
        SKIP("a folder without permission: root may write there");
    else {
        chmod(folder, 0500);
        CHECK(wl_replacement_open(&file, in_folder("new"), &error) == WL_ERROR_IO);
        chmod(folder, 0700);
    }
    CHECK(holds(in_folder("new"), "second"));
}

/* A limit on the size of files stands for a full disk: write fails with EFBIG as it would with ENOSPC. */
static void test_full_disk(void)
{
    struct rlimit before, small;
    if (getrlimit(RLIMIT_FSIZE, &before) != 0) {
        SKIP("a full disk: no limit on file sizes here");
        return;
    }
    write_file(in_folder("new"), "precious");
    fflush(stdout); /* which may be a file itself */
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    small = before;
    small.rlim_cur = 100000;
    setrlimit(RLIMIT_FSIZE, &small);
    for (size_t size = 99999; size <= 300000; size += 1) {
        wl_replacement file;
        wl_error error = {0};
        wl_status status = wl_replacement_open(&file, in_folder("new"), &error);
        if (!status) {
            for (size_t i = 0; i < size; i++) fputc('x', file.stream);
            status = wl_replacement_commit(&file, &error);
        }
        setrlimit(RLIMIT_FSIZE, &before);
        if (size <= 100000) {
            CHECK_THAT(status == WL_OK, "size %zu", size);
            CHECK(only("new", "precious"));
        } else {
            CHECK_THAT(status == WL_ERROR_IO && strcmp(error.file, in_folder("new")) == 0, "size %zu", size);
            CHECK_THAT(strstr(error.message, strerror(EFBIG)), "%s", error.message);
            CHECK(holds(in_folder("new"), "precious") && only("new", "precious"));
        }
        setrlimit(RLIMIT_FSIZE, &small);
        if (size == 100001) size = 104500;
        if (size > 104501) size = 300000;
    }
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, handler);
}

/* ---- threads ----------------------------------------------------------------------------------------------------- */

enum { MOST_ITEMS = 5000, MOST_THREADS = 8 };

struct tally {
    uint32_t threads;
    atomic_uint items[MOST_ITEMS];
    atomic_uint inside[MOST_THREADS]; /* calls under way with that worker: never two */
    atomic_uint wrong;
    size_t scratch[MOST_THREADS]; /* by worker, without a lock: a thread sanitizer sees two at once */
};

static void count_item(void *user, uint32_t worker, size_t item)
{
    struct tally *tally = user;
    if (worker >= tally->threads || item >= MOST_ITEMS) {
        atomic_fetch_add(&tally->wrong, 1);
        return;
    }
    if (atomic_fetch_add(&tally->inside[worker], 1) != 0) atomic_fetch_add(&tally->wrong, 1);
    atomic_fetch_add(&tally->items[item], 1);
    tally->scratch[worker]++;
    atomic_fetch_sub(&tally->inside[worker], 1);
}

static void test_pool(void)
{
    static const size_t counts[] = {0, 1, 2, 3, 7, 8, 9, 100, MOST_ITEMS, 1, 0, 50};
    static struct tally tally;
    wl_error error;
    for (uint32_t threads = 1; threads <= MOST_THREADS; threads++) {
        wl_pool *pool = wl_pool_create(threads, &error);
        CHECK(pool && wl_pool_threads(pool) == threads);
        if (!pool) continue;
        for (int round = 0; round < 20; round++)
            for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
                memset(&tally, 0, sizeof tally);
                tally.threads = threads;
                wl_pool_run(pool, counts[c], count_item, &tally);
                size_t bad = atomic_load(&tally.wrong), total = 0;
                for (size_t i = 0; i < MOST_ITEMS; i++) bad += atomic_load(&tally.items[i]) != (i < counts[c]);
                for (size_t i = 0; i < threads; i++) total += tally.scratch[i];
                CHECK_THAT(bad == 0 && total == counts[c], "threads %u items %zu: %zu wrong", threads, counts[c], bad);
            }
        wl_pool_free(pool);
    }
    /* Never used, and none at all. */
    wl_pool_free(wl_pool_create(4, &error));
    wl_pool_free(NULL);
    CHECK(wl_processors() >= 1);
}

/* ---- the processor ----------------------------------------------------------------------------------------------- */

static void test_cpu(void)
{
    static const struct {
        const char *name;
        wl_cpu cpu;
    } names[] = {{"generic", WL_CPU_GENERIC},
                 {"avx2", WL_CPU_AVX2},
                 {"avx512", WL_CPU_AVX512},
                 {"avx512vnni", WL_CPU_AVX512VNNI},
                 {"neon", WL_CPU_NEON}};
    char *before = getenv("WORDLLAMA_CPU"), kept[32] = "";
    if (before) snprintf(kept, sizeof kept, "%s", before);
    unsetenv("WORDLLAMA_CPU");
    wl_cpu best = wl_cpu_detect();
    CHECK(best <= WL_CPU_NEON);
    printf("this processor: %s\n", names[best].name);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        /* A set of another architecture is an unknown name. */
        bool known = names[i].cpu == WL_CPU_GENERIC || (best == WL_CPU_NEON) == (names[i].cpu == WL_CPU_NEON);
        setenv("WORDLLAMA_CPU", names[i].name, 1);
        CHECK(wl_cpu_detect() == (known && names[i].cpu < best ? names[i].cpu : best));
    }
    static const char *const unknown[] = {"", "AVX2", "avx", "sse2", "generic "};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        setenv("WORDLLAMA_CPU", unknown[i], 1);
        CHECK_THAT(wl_cpu_detect() == best, "'%s'", unknown[i]);
    }
#if defined(__x86_64__) && defined(__GNUC__)
    __builtin_cpu_init();
    CHECK(best == WL_CPU_GENERIC || __builtin_cpu_supports("avx2"));
    CHECK(best < WL_CPU_AVX512 || __builtin_cpu_supports("avx512bw"));
    CHECK(best < WL_CPU_AVX512VNNI || __builtin_cpu_supports("avx512vpopcntdq"));
#endif
    if (before)
        setenv("WORDLLAMA_CPU", kept, 1);
    else
        unsetenv("WORDLLAMA_CPU");
}

static void test_targets(void)
{
    write_file(in_folder("one"), "1");
    write_file(in_folder("two"), "1");
    CHECK(wl_same_target(in_folder("one"), in_folder("./one")) && !wl_same_target(in_folder("one"), in_folder("two")));
    CHECK(wl_same_target(in_folder("new"), in_folder("./new")) &&
          !wl_same_target(in_folder("new"), in_folder("newer")));
    CHECK(!wl_same_target(in_folder("one"), in_folder("new")));
    CHECK(!wl_same_target("/dev/null", "/dev/null") && !wl_same_target("/no/where", "/no/where"));
    CHECK(wl_path_lies_in(in_folder("one"), folder) && wl_path_lies_in(in_folder("new"), folder));
    CHECK(wl_path_lies_in(in_folder("one"), "/tmp/.") && wl_path_lies_in("/tmp", "/"));
    CHECK(!wl_path_lies_in(in_folder("one"), in_folder("two")) && !wl_path_lies_in(folder, folder));
    CHECK(wl_path_lies_in("some", ".") && !wl_path_lies_in("some", folder));
    CHECK(unlink(in_folder("one")) == 0 && unlink(in_folder("two")) == 0);
}

int main(void)
{
    if (!mkdtemp(folder)) return EXIT_FAILURE;
    test_status();
    test_long_errors();
    test_names();
    test_memory();
    test_buffer();
    test_hash();
    test_mapping();
    test_reader();
    test_paths();
    test_targets();
    test_replacement();
    test_full_disk();
    test_pool();
    test_cpu();
    unlink(in_folder("new"));
    CHECK(rmdir(folder) == 0);
    return test_end();
}
