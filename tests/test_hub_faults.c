/* 200 seeded faults: networks that cut, servers that lie, processes that are killed or run into each other. After each
 * the cache holds no wrong file, and a clean fetch gives the right one. tests/hub_server.py says what each name means.
 */
#include <time.h>

#include "base/random.h"
#include "hub.h"
#include "hub/repository.h"

enum { FAULTS = 200, WORKERS = 4 };

static char root[] = "/tmp/wl_test_hub_faults.XXXXXX", cache[64];

/* What a fault comes to: OK where patience helps. */
static const struct behaviour {
    const char *name;
    wl_status status;
    bool open; /* depends on which part of the file it meets: any status is fine */
} behaviours[] = {
    {.name = "cut"},
    {.name = "reset"},
    {.name = "wrong", .status = WL_ERROR_FORMAT},
    {.name = "wrongcut"},
    {.name = "length"},
    {.name = "lying"},
    {.name = "norange"},
    {.name = "nothing"},
    {.name = "busy"},
    {.name = "down"},
    {.name = "silent"},
    {.name = "garbage"},
    {.name = "unsized"},
    {.name = "packed", .status = WL_ERROR_UNSUPPORTED},
    {.name = "changed", .open = true},
    {.name = "error", .status = WL_ERROR_IO},
    {.name = "unauthorized", .status = WL_ERROR_IO},
    {.name = "forbidden", .status = WL_ERROR_IO},
    {.name = "missing", .status = WL_ERROR_NOT_FOUND},
    {.name = "portal", .status = WL_ERROR_IO},
    {.name = "loop", .status = WL_ERROR_IO},
    {.name = "later", .status = WL_ERROR_IO},
    {.name = "slow"},
};

/* One file of owner/random-SEED from a server of that behaviour. */
static wl_status fetch(const char *behaviour, unsigned seed, const char *file, char **path, wl_error *error)
{
    char endpoint[128], repository[64];
    snprintf(endpoint, sizeof endpoint, "%s/%s.%u", hub_base, behaviour, seed);
    snprintf(repository, sizeof repository, "owner/random-%u", seed);
    wl_hub_options options = {.size = sizeof options, .cache = cache, .endpoint = endpoint};
    *path = NULL;
    wl_hub *hub = wl_hub_open(repository, &options, error);
    if (!hub) return error->code;
    hub->http.pause = 1; /* a millisecond: the server counts tries, not time */
    wl_status status = wl_hub_file(hub, file, path, error);
    wl_hub_close(hub);
    return status;
}

static wl_status try_fetch(const char *behaviour, unsigned seed, const char *file, wl_error *error)
{
    char *path;
    wl_status status = fetch(behaviour, seed, file, &path, error);
    free(path);
    return status;
}

static void check_cache(unsigned seed, const char *behaviour)
{
    char folder[64];
    snprintf(folder, sizeof folder, "models--owner--random-%u", seed);
    CHECK_THAT(hub_faults(cache, folder) == 0, "seed %u, %s", seed, behaviour);
}

static pid_t start_child(unsigned seed, const char *behaviour, const char *file)
{
    fflush(stdout);
    pid_t child = fork();
    if (child) return child;
    wl_error error;
    _exit(try_fetch(behaviour, seed, file, &error));
}

static int end_of(pid_t child)
{
    int state = 0;
    waitpid(child, &state, 0);
    return WIFEXITED(state) ? WEXITSTATUS(state) : -1;
}

static void sleep_milliseconds(size_t milliseconds)
{
    nanosleep(
        &(struct timespec){.tv_sec = (time_t)(milliseconds / 1000), .tv_nsec = (long)(milliseconds % 1000) * 1000000L},
        NULL);
}

/* Killed in the middle, and again: what is left is taken up. */
static void kill_in_the_middle(unsigned seed, const char *file, wl_random *random)
{
    for (int i = 0; i < 3; i++) {
        pid_t child = start_child(seed, "slow", file);
        sleep_milliseconds(wl_random_below(random, 120));
        kill(child, SIGKILL);
        end_of(child);
        check_cache(seed, "kill");
    }
}

/* Two at once, one of which may be killed while it holds the lock. */
static void race(unsigned seed, const char *file, wl_random *random)
{
    pid_t first = start_child(seed, "slow", file);
    if (wl_random_below(random, 2)) sleep_milliseconds(wl_random_below(random, 50));
    pid_t second = start_child(seed, wl_random_below(random, 2) ? "cut" : "slow", file);
    bool killed = wl_random_below(random, 3) == 0;
    if (killed) {
        sleep_milliseconds(wl_random_below(random, 50));
        kill(first, SIGKILL);
    }
    int one = end_of(first), other = end_of(second);
    CHECK_THAT((killed || one == WL_OK) && other == WL_OK, "seed %u: %d and %d", seed, one, other);
    check_cache(seed, "race");
}

/* A fault, and after it a fetch from a server without faults. */
static void run_fault(unsigned seed)
{
    static const char *const files[] = {"weights.bin", "weights.bin", "words.json", "sub/folder/note.txt"};
    wl_random random = wl_random_seed(seed, 1);
    const char *file = files[wl_random_below(&random, sizeof files / sizeof *files)];
    size_t kinds = sizeof behaviours / sizeof *behaviours, kind = seed % (kinds + 6);
    wl_error error = {.message = ""};
    if (kind >= kinds + 3)
        race(seed, file, &random);
    else if (kind >= kinds)
        kill_in_the_middle(seed, file, &random);
    else {
        const struct behaviour *this = &behaviours[kind];
        wl_status status = try_fetch(this->name, seed, file, &error);
        CHECK_THAT(this->open || status == this->status, "seed %u, %s, %s: %s: %s", seed, this->name, file,
                   wl_status_name(status), status ? error.message : "");
        check_cache(seed, this->name);
        if (kind % 2) { /* another fault on top of what the first one left */
            const char *again = behaviours[wl_random_below(&random, kinds)].name;
            try_fetch(again, seed, file, &error);
            check_cache(seed, again);
        }
    }
    char *path;
    wl_status status = fetch("ok", seed, file, &path, &error);
    CHECK_THAT(status == WL_OK && path && access(path, R_OK) == 0, "seed %u, clean: %s", seed, error.message);
    free(path);
    check_cache(seed, "clean");
}

/* Each worker takes every fourth seed; returns how many failed. */
static int run_worker(unsigned worker)
{
    for (unsigned seed = worker; seed < FAULTS; seed += WORKERS) run_fault(seed);
    return test_failures < 100 ? test_failures : 100;
}

/* The connection stays open and nothing comes. */
static void test_stall(void)
{
    setenv("HF_HUB_DOWNLOAD_TIMEOUT", "1", 1);
    wl_error error = {.message = ""};
    CHECK_THAT(try_fetch("stall", FAULTS, "weights.bin", &error) == WL_OK, "%s", error.message);
    check_cache(FAULTS, "stall");
    unsetenv("HF_HUB_DOWNLOAD_TIMEOUT");
}

/* The package finds every file in the cache, right, and nothing else. */
static void test_peer(void)
{
    char count[16];
    snprintf(count, sizeof count, "%d", FAULTS);
    setenv("HF_HUB_CACHE", cache, 1);
    setenv("HF_HUB_OFFLINE", "1", 1);
    int status = hub_peer(NULL, 0, "check", count, NULL, NULL);
    CHECK_THAT(status <= 0, "hub_peer.py ended with %d", status);
}

int main(void)
{
    if (!mkdtemp(root)) return EXIT_FAILURE;
    snprintf(cache, sizeof cache, "%s/hub", root);
    hub_clear_environment();
    setenv("HOME", root, 1);
    int input = -1;
    pid_t server = hub_start_server(&input), workers[WORKERS];
    if (server) {
        for (unsigned i = 0; i < WORKERS; i++) {
            workers[i] = fork();
            if (workers[i] == 0) _exit(run_worker(i));
        }
        test_stall();
        for (unsigned i = 0; i < WORKERS; i++) {
            int failures = end_of(workers[i]);
            CHECK_THAT(failures == 0, "worker %u: %d failures", i, failures);
        }
        test_peer();
        hub_stop_server(server, input);
    } else
        SKIP("faults of the hub: hub_server.py does not run (python3 missing?)");
    wl_remove_tree(root);
    return test_end();
}
