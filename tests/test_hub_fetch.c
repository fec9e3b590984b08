/* Files, listings and models of a repository at the hub, against a server on this machine (tests/hub_server.py): the
 * protocol, the cache, locks, memory, and the Python package that shares the cache. */
#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>

#include "fault.h"
#include "hub/repository.h"
#include "hub_stage.h"

/* ---- files of a repository --------------------------------------------------------------------------------------- */

static const char commit[] = "4be77cc820210a0a264cb7d40f848fc826b86f02";

static void test_fetch(void)
{
    wl_error error = {.message = ""};
    char path[512], other[512];
    wl_hub_options options = options_of("ok.1");
    CHECK_THAT(wl_hub_fetch("owner/stand-in", "words.json", &options, path, sizeof path, &error) == WL_OK, "%s",
               error.message);
    CHECK(holds_text(path, words));
    CHECK_THAT(wl_hub_fetch("owner/stand-in", "weights.bin", &options, path, sizeof path, &error) == WL_OK, "%s",
               error.message);
    size_t size = 0;
    char *data = hub_read(path, &size);
    CHECK(data && size == WEIGHTS && !memcmp(data, weights, WEIGHTS));
    free(data);
    CHECK(wl_hub_fetch("owner/stand-in", "empty.txt", &options, path, sizeof path, &error) == WL_OK);
    CHECK(holds_text(path, ""));
    CHECK(wl_hub_fetch("owner/stand-in", "deep/er/note.txt", &options, path, sizeof path, &error) == WL_OK);
    CHECK_THAT(hub_ends_with(path, "/deep/er/note.txt") && holds_text(path, "deep\n"), "%s", path);
    check_stand_in();
    /* A question a file, and its bytes; for what lies elsewhere the hub says where. */
    CHECK_THAT(requests("ok.1") == 8, "%d", requests("ok.1"));

    /* A branch may move: it is asked for again, but nothing is fetched. A commit does not. */
    CHECK(wl_hub_fetch("owner/stand-in", "weights.bin", &options, other, sizeof other, &error) == WL_OK);
    CHECK(requests("ok.1") == 9);
    options.revision = commit;
    CHECK_THAT(wl_hub_fetch("owner/stand-in", "weights.bin", &options, path, sizeof path, &error) == WL_OK, "%s",
               error.message);
    CHECK(!strcmp(path, other) && requests("ok.1") == 9);
    CHECK(wl_hub_fetch("owner/stand-in", "weights.bin", &options, path, 10, &error) == WL_ERROR_LIMIT);

    /* Another name for the same commit: the blob is there, a ref is new. */
    options.revision = "refs/pr/1";
    CHECK(wl_hub_fetch("owner/stand-in", "weights.bin", &options, path, sizeof path, &error) == WL_OK);
    CHECK(!strcmp(path, other) && is_in_cache("refs/refs/pr/1") && requests("ok.1") == 10);

    /* One that moved, but not to the same file: the folder of another commit, the blob of the first. */
    options.revision = NULL;
    snprintf(path, sizeof path, "%s/models--owner--stand-in/snapshots/%s/weights.bin", hub_cache, commit);
    CHECK(unlink(path) == 0);
    CHECK(wl_hub_fetch("owner/stand-in", "weights.bin", &options, path, sizeof path, &error) == WL_OK);
    CHECK(requests("ok.1") == 11 && access(path, R_OK) == 0);

    /* Anew by force, or where the blob has not the size that it should have. */
    struct stat before, after;
    CHECK(stat(path, &before) == 0);
    options.force = true;
    CHECK(wl_hub_fetch("owner/stand-in", "weights.bin", &options, path, sizeof path, &error) == WL_OK);
    CHECK(stat(path, &after) == 0 && before.st_ino != after.st_ino);
    options.force = false;
    CHECK(truncate(path, 5) == 0);
    snprintf(other, sizeof other, "%s/models--owner--stand-in/snapshots/%s/weights.bin", hub_cache, commit);
    CHECK(unlink(other) == 0);
    CHECK(wl_hub_fetch("owner/stand-in", "weights.bin", &options, path, sizeof path, &error) == WL_OK);
    check_stand_in();
    CHECK(access(path, R_OK) == 0 && stat(path, &after) == 0 && after.st_size == WEIGHTS);
    snprintf(path, sizeof path, "%s/CACHEDIR.TAG", hub_cache);
    CHECK(access(path, R_OK) == 0);
    forget_hub();
}

/* What is there is found without a hub, and what is not is said so. */
static void test_offline(void)
{
    wl_error error;
    char path[512];
    wl_hub_options online = options_of("ok.2"), options = {.size = sizeof options, .offline = true};
    CHECK(wl_hub_fetch("owner/stand-in", "words.json", &options, path, sizeof path, &error) == WL_ERROR_IO);
    CHECK_THAT(strstr(error.message, "main of owner/stand-in is not in"), "%s", error.message);
    CHECK(wl_hub_fetch("owner/stand-in", "words.json", &online, path, sizeof path, &error) == WL_OK);
    CHECK(wl_hub_fetch("owner/stand-in", "words.json", &options, path, sizeof path, &error) == WL_OK);
    CHECK(wl_hub_fetch("owner/stand-in", "weights.bin", &options, path, sizeof path, &error) == WL_ERROR_NOT_FOUND);
    setenv("HF_HUB_OFFLINE", "1", 1);
    CHECK(wl_hub_fetch("owner/stand-in", "words.json", &online, path, sizeof path, &error) == WL_OK);
    CHECK(wl_hub_fetch("owner/stand-in", "weights.bin", &online, path, sizeof path, &error) == WL_ERROR_NOT_FOUND);
    unsetenv("HF_HUB_OFFLINE");

    /* A hub that fails: the cache, with a word about it; at once, however patient. */
    static const char *const failing[] = {"error", "forbidden", "portal", "later"};
    for (size_t i = 0; i < sizeof failing / sizeof *failing; i++) {
        wl_hub_options how = options_of(failing[i]);
        CHECK_THAT(wl_hub_fetch("owner/stand-in", "words.json", &how, path, sizeof path, &error) == WL_OK, "%s: %s",
                   failing[i], error.message);
        CHECK_THAT(strstr(notes, "taking what is in the cache"), "%s", notes);
    }
    options = (wl_hub_options){.size = sizeof options, .endpoint = "http://127.0.0.1:1", .message = note};
    CHECK(wl_hub_fetch("owner/stand-in", "words.json", &options, path, sizeof path, &error) == WL_OK);
    forget_hub();
}

static void test_missing_file(void)
{
    wl_error error;
    char path[512];
    wl_hub_options options = options_of("ok.3");
    wl_hub *hub = wl_hub_open("owner/stand-in", &options, &error);
    char *found = NULL;
    CHECK(hub && wl_hub_file(hub, "a/gone.bin", &found, &error) == WL_ERROR_NOT_FOUND && !found);
    CHECK_THAT(strstr(error.message, "no file a/gone.bin"), "%s", error.message);
    CHECK_THAT(hub && !strcmp(wl_hub_commit(hub), commit), "%s", wl_hub_commit(hub));
    CHECK(requests("ok.3") == 1 && is_in_cache("refs/main"));
    snprintf(path, sizeof path, ".no_exist/%s/a/gone.bin", commit);
    CHECK(is_in_cache(path));
    snprintf(path, sizeof path, "snapshots/%s", commit); /* no ref without its folder */
    CHECK(is_in_cache(path));
    /* Known: not asked again. */
    CHECK(wl_hub_file(hub, "a/gone.bin", &found, &error) == WL_ERROR_NOT_FOUND && requests("ok.3") == 1);
    wl_hub_close(hub);
    options.offline = true;
    CHECK(wl_hub_fetch("owner/stand-in", "a/gone.bin", &options, path, sizeof path, &error) == WL_ERROR_NOT_FOUND);
    CHECK_THAT(strstr(error.message, "has no file"), "%s", error.message);
    CHECK(hub_faults(hub_cache, "models--owner--stand-in") == 0);
    forget_hub();
}

/* What the hub refuses, in words that say what to do. Only a missing file is WL_ERROR_NOT_FOUND. */
static void test_refusals(void)
{
    static const struct {
        const char *behaviour, *repository, *revision, *token;
        wl_status status;
        const char *words[2];
    } cases[] = {
        {"ok", "owner/gated", NULL, NULL, WL_ERROR_IO, {"agree to the licence at http", "then log in"}},
        {"ok", "owner/gated", NULL, "other", WL_ERROR_IO, {"your token does not open it", "owner/gated"}},
        {"ok", "owner/gated", NULL, "test-token", WL_OK, {"", ""}},
        {"ok", "owner/absent", NULL, NULL, WL_ERROR_IO, {"no repository owner/absent", "log in"}},
        {"ok", "owner/absent", NULL, "other", WL_ERROR_IO, {"no repository owner/absent", "your token"}},
        {"ok", "owner/stand-in", "nosuch", NULL, WL_ERROR_IO, {"no revision nosuch", ""}},
        {"token", "owner/stand-in", NULL, "other", WL_ERROR_IO, {"HTTP 401", "log in again"}},
        {"token", "owner/stand-in", NULL, NULL, WL_ERROR_IO, {"or a private one", ""}},
        {"token", "owner/stand-in", NULL, "test-token", WL_OK, {"", ""}},
        {"forbidden", "owner/stand-in", NULL, NULL, WL_ERROR_IO, {"HTTP 403", "not for you"}},
        {"missing", "owner/stand-in", NULL, NULL, WL_ERROR_NOT_FOUND, {"HTTP 404", ""}},
        {"portal", "owner/stand-in", NULL, NULL, WL_ERROR_IO, {"firewall", "X-Repo-Commit"}},
        {"loop", "owner/stand-in", NULL, NULL, WL_ERROR_IO, {"redirects", ""}},
        {"file", "owner/stand-in", NULL, NULL, WL_ERROR_IO, {"protocol not permitted", "file:///"}},
        {"later", "owner/stand-in", NULL, NULL, WL_ERROR_IO, {"HTTP 429", "1000 s"}},
        {"ok", "owner/renamed", NULL, "test-token", WL_OK, {"", ""}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        wl_error error = {.message = ""};
        char path[512];
        wl_hub_options options = options_of(cases[i].behaviour);
        options.revision = cases[i].revision;
        if (cases[i].token) setenv("HF_TOKEN", cases[i].token, 1);
        wl_status status = wl_hub_fetch(cases[i].repository, "weights.bin", &options, path, sizeof path, &error);
        CHECK_THAT(status == cases[i].status, "%zu: %s", i, error.message);
        for (size_t j = 0; j < 2; j++)
            CHECK_THAT(strstr(error.message, cases[i].words[j]), "%zu: %s", i, error.message);
        CHECK_THAT(!strstr(error.message, "test-token"), "%s", error.message);
        unsetenv("HF_TOKEN");
        forget_hub();
    }
    wl_hub_options options = {.size = sizeof options, .endpoint = "http://127.0.0.1:1"};
    wl_error error;
    wl_hub *hub = wl_hub_open("owner/stand-in", &options, &error);
    char *path = NULL;
    if (hub) hub->http.pause = 1;
    CHECK(hub && wl_hub_file(hub, "words.json", &path, &error) == WL_ERROR_IO && strstr(error.message, "127.0.0.1"));
    wl_hub_close(hub);
}

/* By libcurl's variables: the hub's host is known to the proxy alone. */
static void test_proxy(void)
{
    wl_error error = {.message = ""};
    char path[512];
    wl_hub_options options = {.size = sizeof options, .endpoint = "http://hub.invalid/ok"};
    setenv("http_proxy", hub_base, 1);
    setenv("no_proxy", "127.0.0.1", 1);
    CHECK_THAT(wl_hub_fetch("owner/stand-in", "weights.bin", &options, path, sizeof path, &error) == WL_OK, "%s",
               error.message);
    unsetenv("http_proxy");
    unsetenv("no_proxy");
    check_stand_in();
    forget_hub();
}

static void test_list(void)
{
    wl_error error;
    char **names = NULL;
    size_t count = 0;
    wl_hub_options options = options_of("ok");
    wl_hub *hub = wl_hub_open("owner/stand-in", &options, &error);
    CHECK_THAT(hub && wl_hub_list(hub, &names, &count, &error) == WL_OK, "%s", error.message);
    CHECK(count == 4 && !strcmp(wl_hub_commit(hub), commit));
    for (size_t i = 0; i < count; i++) free(names[i]);
    free(names);
    char *path = NULL;
    CHECK(wl_hub_file(hub, "deep/er/note.txt", &path, &error) == WL_OK);
    free(path);
    CHECK(wl_hub_file(hub, "words.json", &path, &error) == WL_OK);
    free(path);
    wl_hub_close(hub);

    /* Without the hub: what is cached. */
    static const char *const behaviours[] = {"error", "ok"};
    for (int i = 0; i < 2; i++) {
        options = options_of(behaviours[i]);
        options.offline = i == 1;
        hub = wl_hub_open("owner/stand-in", &options, &error);
        CHECK_THAT(hub && wl_hub_list(hub, &names, &count, &error) == WL_OK, "%s", error.message);
        CHECK(count == 2 && !strcmp(names[0], "deep/er/note.txt") && !strcmp(names[1], "words.json"));
        CHECK(hub && !strcmp(wl_hub_commit(hub), commit));
        for (size_t j = 0; j < count; j++) free(names[j]);
        free(names);
        wl_hub_close(hub);
    }
    static const char *const absent[] = {"owner/absent", "owner/gated"};
    for (int i = 0; i < 2; i++) {
        options = options_of("ok");
        hub = wl_hub_open(absent[i], &options, &error);
        CHECK(hub && wl_hub_list(hub, &names, &count, &error) == WL_ERROR_IO && !names && count == 0);
        wl_hub_close(hub);
    }
    forget_hub();
}

/* ---- reading by ranges ------------------------------------------------------------------------------------------- */

static void check_read(wl_reader *reader, uint64_t at, size_t size)
{
    wl_error error = {.message = ""};
    char *out = malloc(size + 1);
    CHECK_THAT(out && wl_reader_read(reader, at, out, size, &error) == WL_OK && !memcmp(out, weights + at, size),
               "%zu bytes at %llu: %s", size, (unsigned long long)at, error.message);
    free(out);
}

static void test_ranges(void)
{
    static const char *const behaviours[] = {"ok", "same", "cut.5", "reset.6", "busy.7"};
    wl_error error = {.message = ""};
    wl_reader reader;
    char byte;
    for (size_t i = 0; i < sizeof behaviours / sizeof *behaviours; i++) {
        wl_hub_options options = options_of(behaviours[i]);
        wl_hub *hub = wl_hub_open("owner/large", &options, &error);
        if (!hub) continue;
        hub->http.pause = 1;
        CHECK_THAT(wl_hub_reader(hub, "weights.bin", &reader, &error) == WL_OK, "%s: %s", behaviours[i], error.message);
        CHECK(reader.size == sizeof weights && !strcmp(reader.name, "owner/large/weights.bin"));
        check_read(&reader, 0, 8);
        check_read(&reader, 100000, 1000);
        check_read(&reader, 1, 1000000);
        check_read(&reader, sizeof weights - 5, 5);
        check_read(&reader, sizeof weights, 0);
        CHECK(wl_reader_read(&reader, sizeof weights, &byte, 1, &error) == WL_ERROR_FORMAT);
        wl_reader_close(&reader);
        CHECK(wl_hub_reader(hub, "gone.bin", &reader, &error) == WL_ERROR_NOT_FOUND);
        /* What is small comes whole, and stays. */
        CHECK(wl_hub_reader(hub, "words.json", &reader, &error) == WL_OK && reader.descriptor >= 0);
        wl_reader_close(&reader);
        wl_hub_close(hub);
    }
    /* Nothing of the large file was kept. */
    CHECK(hub_faults(hub_cache, "models--owner--large") == 0 && hub_incomplete(hub_cache, "models--owner--large") == 0);

    /* From the cache where it lies there. */
    char path[512];
    wl_hub_options options = options_of("ok");
    CHECK(wl_hub_fetch("owner/large", "weights.bin", &options, path, sizeof path, &error) == WL_OK);
    options.offline = true;
    wl_hub *hub = wl_hub_open("owner/large", &options, &error);
    CHECK(hub && wl_hub_reader(hub, "weights.bin", &reader, &error) == WL_OK && reader.descriptor >= 0);
    check_read(&reader, 1234567, 89);
    wl_reader_close(&reader);
    wl_hub_close(hub);
    forget_hub();

    static const struct {
        const char *behaviour, *words;
        wl_status status;
    } refused[] = {
        {"norange.1", "does not give parts", WL_ERROR_UNSUPPORTED},
        {"packed", "does not give parts", WL_ERROR_UNSUPPORTED},
        {"moving", "changed at the hub", WL_ERROR_IO},
        {"changed.1", "changed at the hub", WL_ERROR_IO},
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        options = options_of(refused[i].behaviour);
        hub = wl_hub_open("owner/large", &options, &error);
        if (hub) hub->http.pause = 1;
        char out[1000];
        wl_status status = hub ? wl_hub_reader(hub, "weights.bin", &reader, &error) : error.code;
        for (uint64_t at = 5; !status && at < sizeof weights; at += 1000000)
            status = wl_reader_read(&reader, at, out, sizeof out, &error);
        CHECK_THAT(status == refused[i].status && strstr(error.message, refused[i].words), "%s: %s",
                   refused[i].behaviour, error.message);
        wl_reader_close(&reader);
        wl_hub_close(hub);
    }
    forget_hub();
}

/* ---- models ------------------------------------------------------------------------------------------------------ */

static bool same_file(const char *folder, const char *name, const char *golden)
{
    char path[1024];
    size_t sizes[2] = {0, 1};
    snprintf(path, sizeof path, "%s/%s", folder, name);
    char *got = hub_read(path, &sizes[0]);
    snprintf(path, sizeof path, "%s/golden/models/%s/%s", WL_TEST_DATA, golden, name);
    char *expected = hub_read(path, &sizes[1]);
    bool same = got && expected && sizes[0] == sizes[1] && !memcmp(got, expected, sizes[0]);
    free(got);
    free(expected);
    return same;
}

static void test_models(void)
{
    static const struct {
        const char *name, *files[5];
    } layouts[] = {
        {"wordllama-bf16", {"model.safetensors", "tokenizer.json"}},
        {"model2vec-f16-unit", {"model.safetensors", "tokenizer.json", "config.json"}},
        {"model2vec-nested",
         {"0_StaticEmbedding/model.safetensors", "0_StaticEmbedding/tokenizer.json",
          "config_sentence_transformers.json"}},
        {"model2vec-sentence-transformers",
         {"model.safetensors", "tokenizer.json", "config_sentence_transformers.json"}},
    };
    wl_error error = {.message = ""};
    char repository[64], folder[512], again[512];
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
        wl_hub_options options = options_of("ok");
        snprintf(repository, sizeof repository, "golden/%s", layouts[i].name);
        CHECK_THAT(wl_hub_fetch_model(repository, &options, folder, sizeof folder, &error) == WL_OK, "%s: %s",
                   repository, error.message);
        for (size_t j = 0; j < 5 && layouts[i].files[j]; j++)
            CHECK_THAT(same_file(folder, layouts[i].files[j], layouts[i].name), "%s", layouts[i].files[j]);
        /* The same without the hub, and with one that fails. */
        options.offline = true;
        CHECK(wl_hub_fetch_model(repository, &options, again, sizeof again, &error) == WL_OK && !strcmp(folder, again));
        options = options_of("error");
        CHECK_THAT(wl_hub_fetch_model(repository, &options, again, sizeof again, &error) == WL_OK &&
                       !strcmp(folder, again),
                   "%s", error.message);
    }
    /* WordLlama's first repositories: 256 dimensions, under the usual names, in WordLlama's cache. */
    wl_hub_options options = options_of("ok");
    CHECK(wl_hub_fetch_model("golden/wordllama-bf16", &options, folder, 10, &error) == WL_ERROR_LIMIT);
    setenv("WORDLLAMA_CACHE", root, 1);
    CHECK_THAT(wl_hub_fetch_model("golden/several", &options, folder, sizeof folder, &error) == WL_OK, "%s",
               error.message);
    snprintf(again, sizeof again, "%s/models/golden--several", root);
    CHECK_THAT(!strcmp(folder, again), "%s", folder);
    CHECK(same_file(folder, "model.safetensors", "wordllama-f32") &&
          same_file(folder, "tokenizer.json", "wordllama-f32"));
    CHECK(wl_hub_fetch_model("golden/several", &options, folder, sizeof folder, &error) == WL_OK);
    unsetenv("WORDLLAMA_CACHE");

    /* No model. */
    CHECK(wl_hub_fetch_model("owner/stand-in", &options, folder, sizeof folder, &error) == WL_ERROR_UNSUPPORTED);
    CHECK_THAT(strstr(error.message, "expected model.safetensors and tokenizer.json"), "%s", error.message);
    CHECK(wl_hub_fetch_model("owner/language", &options, folder, sizeof folder, &error) == WL_ERROR_UNSUPPORTED);
    CHECK_THAT(strstr(error.message, "wordllama extract"), "%s", error.message);
    CHECK(wl_hub_fetch_model("owner/absent", &options, folder, sizeof folder, &error) == WL_ERROR_IO);
    options.offline = true;
    CHECK(wl_hub_fetch_model("owner/absent", &options, folder, sizeof folder, &error) == WL_ERROR_IO);

    /* Half of one in the cache, and a hub that is busy: it is waited for. */
    forget_hub();
    options = options_of("ok");
    CHECK(wl_hub_fetch("golden/wordllama-f32", "tokenizer.json", &options, folder, sizeof folder, &error) == WL_OK);
    options = options_of("shy");
    CHECK_THAT(wl_hub_fetch_model("golden/wordllama-f32", &options, folder, sizeof folder, &error) == WL_OK, "%s",
               error.message);
    forget_hub();
}

/* ---- locks, cancelling, memory ----------------------------------------------------------------------------------- */

/* Asked for the tenth time. */
static bool stop_later(void *user, const char *file, uint64_t done, uint64_t total)
{
    (void)file;
    (void)done;
    (void)total;
    return ++*(int *)user < 10;
}

/* When the wait for the lock was noted. */
static bool stop_when_told(void *user, const char *file, uint64_t done, uint64_t total)
{
    (void)user;
    (void)file;
    (void)done;
    (void)total;
    return !strstr(notes, "waiting for another program");
}

static void test_cancel(void)
{
    wl_error error;
    const char *file = "";
    char path[512];
    wl_hub_options options = options_of("slow");
    options.progress = stop_soon;
    options.user = &file;
    CHECK(wl_hub_fetch("owner/stand-in", "weights.bin", &options, path, sizeof path, &error) == WL_ERROR_CANCELLED);
    CHECK_THAT(!strcmp(file, "weights.bin"), "%s", file);
    /* What came is kept for the next time, which goes on from there. */
    CHECK(hub_faults(hub_cache, "models--owner--stand-in") == 0);
    CHECK(hub_incomplete(hub_cache, "models--owner--stand-in") == 1);
    options = options_of("ok.4");
    CHECK(wl_hub_fetch("owner/stand-in", "weights.bin", &options, path, sizeof path, &error) == WL_OK);
    CHECK_THAT(asked_for("ok.4", "ranges") == 2, "%d",
               asked_for("ok.4", "ranges")); /* of the hub, and where it leads */
    check_stand_in();

    /* While there is a pause. */
    int asked = 0;
    options = (wl_hub_options){
        .size = sizeof options, .endpoint = "http://127.0.0.1:1", .progress = stop_later, .user = &asked};
    CHECK(wl_hub_fetch("owner/stand-in", "words.json", &options, path, sizeof path, &error) == WL_ERROR_CANCELLED);
    forget_hub();
}

static void *fetch_slowly(void *user)
{
    wl_error error;
    char path[512];
    return wl_hub_fetch("owner/stand-in", "weights.bin", user, path, sizeof path, &error) == WL_OK ? user : NULL;
}

/* Threads are kept apart as processes are: one fetches, the others find what it fetched. */
static void test_threads(void)
{
    enum { THREADS = 4 };
    wl_hub_options options = options_of("slow.3");
    options.message = NULL;
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) CHECK(pthread_create(&threads[i], NULL, fetch_slowly, &options) == 0);
    for (int i = 0; i < THREADS; i++) {
        void *result = NULL;
        CHECK(pthread_join(threads[i], &result) == 0 && result);
    }
    CHECK_THAT(requests("slow.3") == THREADS + 2, "%d", requests("slow.3"));
    check_stand_in();
    forget_hub();
}

/* As the package filelock does it: whoever has the file locked is the one who fetches. */
static void test_lock(void)
{
    wl_error error;
    char path[512], lock_path[512];
    wl_hub_options options = options_of("ok");
    snprintf(lock_path, sizeof lock_path, "%s/.locks/models--owner--stand-in", hub_cache);
    CHECK(wl_make_directories(lock_path, &error) == WL_OK);
    snprintf(lock_path, sizeof lock_path, "%s/.locks/models--owner--stand-in/%s.lock", hub_cache, weights_hash);
    int lock = open(lock_path, O_RDWR | O_CREAT, 0664);
    CHECK(lock >= 0 && flock(lock, LOCK_EX) == 0);
    options.progress = stop_when_told;
    CHECK(wl_hub_fetch("owner/stand-in", "weights.bin", &options, path, sizeof path, &error) == WL_ERROR_CANCELLED);
    CHECK_THAT(strstr(error.message, "another program"), "%s", error.message);
    /* A lock that was removed and made anew by others is not the one that was held. */
    CHECK(unlink(lock_path) == 0);
    options = options_of("ok");
    CHECK(wl_hub_fetch("owner/stand-in", "weights.bin", &options, path, sizeof path, &error) == WL_OK);
    CHECK(access(lock_path, R_OK) == 0);
    close(lock);
    check_stand_in();
    forget_hub();
}

/* Whatever allocation fails: the error says so, and the next fetch is right. */
static void test_memory(void)
{
    if (!fault_available()) {
        SKIP("failing allocations: linked without them");
        return;
    }
    size_t nth = 0, refused = 0;
    for (bool failed = true; failed; nth++) {
        wl_error error = {.message = ""};
        char folder[512];
        wl_hub_options options = options_of("ok");
        fault_begin(nth + 1);
        wl_status status = wl_hub_fetch_model("golden/model2vec-nested", &options, folder, sizeof folder, &error);
        failed = fault_end();
        /* That the cache cannot be looked up, or a note made in it, is no failure. */
        CHECK_THAT(status == WL_OK || (failed && status == WL_ERROR_MEMORY), "allocation %zu: %s", nth, error.message);
        refused += status == WL_ERROR_MEMORY;
        CHECK(hub_faults(hub_cache, "models--golden--model2vec-nested") == 0);
        if (nth % 3) forget_hub();
    }
    CHECK_THAT(nth > 50 && refused > nth / 2, "%zu of %zu", refused, nth);
    forget_hub();
}

/* ---- the package huggingface_hub --------------------------------------------------------------------------------- */

/* What one of the two has fetched the other finds, offline. */
static void test_peer(void)
{
    static const char *const names[] = {"weights.bin", "words.json", "deep/er/note.txt", "empty.txt"};
    enum { NAMES = sizeof names / sizeof *names };
    wl_error error;
    char ours[512], theirs[512];
    wl_hub_options options = options_of("ok.9");
    setenv("HF_ENDPOINT", options.endpoint, 1);
    options = (wl_hub_options){.size = sizeof options};
    if (hub_peer(theirs, sizeof theirs, "file", "owner/stand-in", names[0], NULL) < 0) {
        unsetenv("HF_ENDPOINT");
        return;
    }
    for (int i = 0; i < NAMES; i++)
        CHECK(hub_peer(theirs, sizeof theirs, "file", "owner/stand-in", names[i], NULL) == 0);
    CHECK(hub_faults(hub_cache, "models--owner--stand-in") == 0);
    int asked = requests("ok.9");
    CHECK_THAT(asked > NAMES, "%d", asked);
    options.offline = true;
    for (int i = 0; i < NAMES; i++) {
        CHECK(hub_peer(theirs, sizeof theirs, "file", "owner/stand-in", names[i], NULL) == 0);
        CHECK_THAT(wl_hub_fetch("owner/stand-in", names[i], &options, ours, sizeof ours, &error) == WL_OK, "%s",
                   error.message);
        CHECK_THAT(!strcmp(ours, theirs), "%s, %s", ours, theirs);
    }
    /* Online both ask whether the branch moved, and fetch nothing. */
    options.offline = false;
    asked = requests("ok.9");
    for (int i = 0; i < NAMES; i++)
        CHECK(wl_hub_fetch("owner/stand-in", names[i], &options, ours, sizeof ours, &error) == WL_OK);
    CHECK_THAT(requests("ok.9") == asked + NAMES, "%d after %d", requests("ok.9"), asked);
    forget_hub();

    for (int i = 0; i < NAMES; i++)
        CHECK(wl_hub_fetch("owner/stand-in", names[i], &options, ours, sizeof ours, &error) == WL_OK);
    CHECK(wl_hub_fetch("owner/stand-in", "gone.bin", &options, ours, sizeof ours, &error) == WL_ERROR_NOT_FOUND);
    options.revision = "refs/pr/1";
    CHECK(wl_hub_fetch("owner/stand-in", "words.json", &options, ours, sizeof ours, &error) == WL_OK);
    options.revision = NULL;
    setenv("HF_HUB_OFFLINE", "1", 1);
    asked = requests("ok.9");
    for (int i = 0; i < NAMES; i++) {
        CHECK(hub_peer(theirs, sizeof theirs, "file", "owner/stand-in", names[i], NULL) == 0);
        CHECK(wl_hub_fetch("owner/stand-in", names[i], &options, ours, sizeof ours, &error) == WL_OK);
        CHECK_THAT(!strcmp(ours, theirs), "%s, %s", ours, theirs);
    }
    CHECK(hub_peer(NULL, 0, "missing", "owner/stand-in", "gone.bin", NULL) == 0);
    CHECK(hub_peer(NULL, 0, "missing", "owner/stand-in", "words.json", NULL) == 1);
    CHECK(hub_peer(theirs, sizeof theirs, "file", "owner/stand-in", "words.json", "refs/pr/1") == 0);
    CHECK(hub_peer(NULL, 0, "check", "0", NULL, NULL) == 0);
    CHECK(requests("ok.9") == asked);
    unsetenv("HF_HUB_OFFLINE");
    unsetenv("HF_ENDPOINT");
    forget_hub();
}

int main(void)
{
    if (!stage_begin()) return EXIT_FAILURE;
    stage_move_in();
    int input = -1;
    pid_t server = hub_start_server(&input);
    if (server) {
        test_fetch();
        test_offline();
        test_missing_file();
        test_refusals();
        test_proxy();
        test_list();
        test_ranges();
        test_models();
        test_cancel();
        test_lock();
        test_threads();
        test_memory();
        test_peer();
        hub_stop_server(server, input);
    } else
        SKIP("the hub: hub_server.py does not run (python3 missing?)");
    stage_end();
    return test_end();
}
