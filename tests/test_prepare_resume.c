/* Preparing texts interrupted: cancelled at each report, killed at random, out of disk. Resumed, it gives the bytes of
 * a call that nothing stopped. */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "prepare.h"

enum { RECORDS = 3000, KILLS = 40 };

/* Small batches, and the state after each. */
static const wl_prepare_pace pace = {4096, 0};

static wl_tokenizer *tokenizer;
static char inputs[3][256], held[256];
static const char *const paths[] = {inputs[0], inputs[1], inputs[2]};

/* The files of a call: root/NAME, root/NAME.kept and root/NAME.removed. */
typedef struct target_files {
    char files[3][256];
} target_files;

static target_files make_target(const char *name)
{
    target_files target;
    snprintf(target.files[0], sizeof target.files[0], "%s/%s", prepare_root, name);
    snprintf(target.files[1], sizeof target.files[1], "%s/%s.kept", prepare_root, name);
    snprintf(target.files[2], sizeof target.files[2], "%s/%s.removed", prepare_root, name);
    return target;
}

static wl_prepare_options options_for(const target_files *target)
{
    static const char *const evaluation[] = {held};
    return (wl_prepare_options){
        .size = sizeof(wl_prepare_options),
        .evaluation = evaluation,
        .evaluation_count = 1,
        .kept = target->files[1],
        .removed = target->files[2],
        .threads = 1,
    };
}

static wl_status prepare(const target_files *target, const wl_prepare_options *options, wl_prepared *prepared,
                         wl_error *error)
{
    *error = (wl_error){0};
    return wl_prepare_at(&pace, paths, 3, tokenizer, target->files[0], options, prepared, error);
}

static bool has_part(const target_files *target)
{
    char folder[300];
    snprintf(folder, sizeof folder, "%s.part", target->files[0]);
    return wl_path_exists(folder);
}

static void remove_target(const target_files *target)
{
    for (size_t i = 0; i < 3; i++) unlink(target->files[i]);
    CHECK(!has_part(target));
}

static void check_same(const target_files *a, const target_files *b, const char *what)
{
    for (size_t i = 0; i < 3; i++) CHECK_THAT(same_files(a->files[i], b->files[i]), "%s, %s", what, b->files[i]);
    CHECK(!has_part(b));
}

/* ---- inputs ------------------------------------------------------------------------------------------------------ */

/* Pairs and triplets, with repeats within and across the files, evaluation texts, and empty ones. */
static void put_inputs(void)
{
    wl_random random = wl_random_seed(5, 5);
    for (size_t i = 0; i < 3; i++) {
        snprintf(inputs[i], sizeof inputs[i], "%s/%zu.jsonl", prepare_root, i);
        FILE *file = fopen(inputs[i], "wb");
        CHECK(file != NULL);
        for (size_t j = 0; file && j < RECORDS / 3; j++) {
            unsigned a = (unsigned)wl_random_below(&random, 1500), b = (unsigned)wl_random_below(&random, 2);
            fprintf(file, "{\"anchor\": \"%s text  number %u\", \"positive\": \"%s\"", b ? "a" : "A", a,
                    wl_random_below(&random, 20) ? "another" : " ");
            if (a % 2) fprintf(file, ", \"negative\": \"not number %u\"", a);
            if (a % 3 == 0) fprintf(file, ", \"score\": %u", a);
            fprintf(file, "}\n");
        }
        if (file) CHECK(fclose(file) == 0);
    }
    snprintf(held, sizeof held, "%s/held.jsonl", prepare_root);
    FILE *file = fopen(held, "wb");
    for (unsigned i = 0; file && i < 100; i++)
        fprintf(file, "{\"score\": %u, \"text1\": \"a text number %u\", \"text2\": \"%u\"}\n", i, i * 7, i);
    if (file) CHECK(fclose(file) == 0);
}

/* ---- cancelled --------------------------------------------------------------------------------------------------- */

static bool count_down(void *user, uint64_t records, uint64_t bytes)
{
    size_t *left = user;
    (void)records, (void)bytes;
    return --*left > 0;
}

/* Each call ends at its nth report; the state that the one before left is taken up. */
static void test_cancelled(const target_files *whole, const wl_prepared *expected)
{
    target_files target = make_target("cancelled");
    for (size_t nth = 1; nth <= 3; nth++) {
        wl_prepare_options options = options_for(&target);
        size_t left, calls = 0;
        wl_error error;
        wl_prepared found;
        wl_status status;
        options.resume = true;
        options.progress = count_down;
        options.user = &left;
        do {
            left = nth + calls / 8; /* from the first report on to one in the last step */
            options.threads = 1 + (uint32_t)(calls % 2);
            status = prepare(&target, &options, &found, &error);
            CHECK_THAT(!status || status == WL_ERROR_CANCELLED, "%s", error.message);
            CHECK(has_part(&target) == (status != WL_OK) && wl_path_exists(target.files[0]) == !status);
        } while (status == WL_ERROR_CANCELLED && ++calls < 1000);
        CHECK_THAT(calls > 20 && !status, "%zu calls", calls);
        CHECK(!status && memcmp(expected, &found, sizeof found) == 0);
        check_same(whole, &target, "cancelled");
        remove_target(&target);
    }
}

/* ---- killed ------------------------------------------------------------------------------------------------------ */

static void sleep_microseconds(size_t microseconds)
{
    nanosleep(&(struct timespec){.tv_sec = (time_t)(microseconds / 1000000),
                                 .tv_nsec = (long)(microseconds % 1000000) * 1000},
              NULL);
}

/* How a child ended that prepares; 0 to 255: by itself, with that status. limit: of the size of files; 0: none. */
static int run_child(const target_files *target, const wl_prepare_options *options, size_t microseconds, rlim_t limit)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        wl_error error;
        signal(SIGXFSZ, SIG_IGN);
        if (limit) setrlimit(RLIMIT_FSIZE, &(struct rlimit){limit, limit});
        _exit((int)prepare(target, options, NULL, &error));
    }
    if (microseconds) {
        sleep_microseconds(microseconds);
        kill(child, SIGKILL);
    }
    int state = 0;
    waitpid(child, &state, 0);
    return WIFEXITED(state) ? WEXITSTATUS(state) : -1;
}

static void test_killed(const target_files *whole)
{
    wl_random random = wl_random_seed(77, 1);
    size_t killed = 0;
    for (int round = 0; round < 5; round++) {
        target_files target = make_target("killed");
        wl_prepare_options options = options_for(&target);
        options.resume = true;
        int end = -1;
        for (int i = 0; i < KILLS && end != WL_OK; i++) {
            end = run_child(&target, &options, 500 + wl_random_below(&random, 15000), 0);
            CHECK_THAT(end == WL_OK || end == -1, "ended with %d", end);
            /* Nothing but a whole file has the name. */
            if (wl_path_exists(target.files[0])) CHECK(same_files(whole->files[0], target.files[0]));
            killed += end < 0;
        }
        if (end != WL_OK) CHECK(run_child(&target, &options, 0, 0) == WL_OK);
        check_same(whole, &target, "killed");
        remove_target(&target);
    }
    CHECK_THAT(killed >= 5, "%zu killed", killed);
    printf("%zu calls killed\n", killed);
}

/* A disk that is full, here a limit of the size of files, at many places. */
static void test_full(const target_files *whole)
{
    target_files target = make_target("full");
    wl_prepare_options options = options_for(&target);
    size_t failed = 0;
    for (rlim_t limit = 64; limit < 4000000; limit += limit / 3) {
        options.resume = limit % 2;
        int end = run_child(&target, &options, 0, limit);
        CHECK_THAT(end == WL_OK || end == WL_ERROR_IO, "limit %d: ended with %d", (int)limit, end);
        CHECK((end == WL_OK) == wl_path_exists(target.files[0]));
        if (end == WL_OK) remove_target(&target);
        failed += end != WL_OK;
    }
    CHECK_THAT(failed > 10, "%zu failed", failed);
    wl_error error;
    options.resume = true;
    CHECK(run_child(&target, &options, 0, 3000) == WL_ERROR_IO);
    CHECK(has_part(&target) && !prepare(&target, &options, NULL, &error));
    check_same(whole, &target, "full");
    remove_target(&target);
}

/* ---- what may be resumed ----------------------------------------------------------------------------------------- */

/* Leaves unfinished work. */
static void stop_early(const target_files *target)
{
    wl_prepare_options options = options_for(target);
    size_t left = 5;
    wl_error error;
    options.progress = count_down, options.user = &left;
    CHECK(prepare(target, &options, NULL, &error) == WL_ERROR_CANCELLED && has_part(target));
}

static void expect_mismatch(const target_files *target, const wl_prepare_options *options)
{
    wl_error error;
    wl_status status = prepare(target, options, NULL, &error);
    CHECK_THAT(status == WL_ERROR_MISMATCH, "%s: %s", wl_status_name(status), error.message);
    CHECK(has_part(target) && !wl_path_exists(target->files[0]));
}

static void test_mismatch(const target_files *whole)
{
    target_files target = make_target("other");
    stop_early(&target);
    wl_prepare_options usual = options_for(&target);
    usual.resume = true;
    wl_prepare_options options = usual;
    options.least_tokens = 2;
    expect_mismatch(&target, &options);
    options = usual, options.most_tokens = 100;
    expect_mismatch(&target, &options);
    options = usual, options.sentences = 1;
    expect_mismatch(&target, &options);
    options = usual, options.keep_duplicates = true;
    expect_mismatch(&target, &options);
    options = usual, options.kept = NULL;
    expect_mismatch(&target, &options);
    options = usual, options.evaluation_count = 0;
    expect_mismatch(&target, &options);
    /* Inputs that were changed since. */
    struct stat info;
    CHECK(stat(inputs[2], &info) == 0);
    CHECK(utimensat(AT_FDCWD, inputs[2], (struct timespec[]){{.tv_sec = 1}, {.tv_sec = 1}}, 0) == 0);
    expect_mismatch(&target, &usual);
    CHECK(utimensat(AT_FDCWD, inputs[2], (struct timespec[]){info.st_atim, info.st_mtim}, 0) == 0);
    /* And after all that it still goes on. */
    wl_error error;
    CHECK(!prepare(&target, &usual, NULL, &error));
    check_same(whole, &target, "after mismatches");
    remove_target(&target);
    /* Without resume work begins anew, whatever lies there; with it and nothing there, too. */
    stop_early(&target);
    usual.resume = false;
    CHECK(!prepare(&target, &usual, NULL, &error));
    check_same(whole, &target, "anew");
    usual.resume = true;
    CHECK(!prepare(&target, &usual, NULL, &error));
    check_same(whole, &target, "nothing to resume");
    remove_target(&target);
}

/* A state and spills that are damaged are refused, and no result is made of them. */
static void test_damaged(void)
{
    static const struct {
        const char *file, *text;
        wl_status status;
    } cases[] = {
        {"state.json", "{", WL_ERROR_FORMAT},
        {"state.json", "{}", WL_ERROR_FORMAT},
        {"state.json", "{\"format\": \"wordllama prepare\", \"sizes\": [1, 2]}", WL_ERROR_FORMAT},
        {"state.json", "{\"format\": \"wordllama prepare\", \"sizes\": [1, 2, 3, 4, 5, 6]}", WL_ERROR_FORMAT},
        {"state.json", "{\"format\": \"wordllama prepare\"}", WL_ERROR_MISMATCH},
        {"ids", "", WL_ERROR_FORMAT},
        {"lines", "", WL_ERROR_FORMAT},
    };
    target_files target = make_target("damaged");
    wl_prepare_options options = options_for(&target);
    wl_error error;
    options.resume = true;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char name[64];
        stop_early(&target);
        snprintf(name, sizeof name, "damaged.part/%s", cases[i].file);
        put_text(name, cases[i].text);
        wl_status status = prepare(&target, &options, NULL, &error);
        CHECK_THAT(status == cases[i].status, "%s: %s %s", cases[i].text, wl_status_name(status), error.message);
        CHECK(!wl_path_exists(target.files[0]));
    }
    options.resume = false;
    CHECK(!prepare(&target, &options, NULL, &error));
    remove_target(&target);
}

/* What is read once only can be prepared, but not resumed. */
static void test_pipe(void)
{
    target_files target = make_target("pipe");
    wl_prepare_options options = options_for(&target);
    wl_error error;
    const char *path = in_root("fifo");
    CHECK(mkfifo(path, 0666) == 0);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        FILE *file = fopen(path, "wb");
        if (file) fprintf(file, "{\"anchor\": \"a\"}\n"), fclose(file);
        _exit(0);
    }
    wl_prepared found;
    CHECK(!wl_prepare(&path, 1, tokenizer, target.files[0], &options, &found, &error) && found.kept == 1);
    waitpid(child, NULL, 0);
    options.resume = true;
    CHECK(wl_prepare(&path, 1, tokenizer, target.files[0], &options, NULL, &error) == WL_ERROR_ARGUMENT);
    remove_target(&target);
}

int main(void)
{
    wl_error error = {0};
    if (!mkdtemp(prepare_root)) return EXIT_FAILURE;
    tokenizer = wl_tokenizer_open(put_bytes_tokenizer("tokenizer.json"), &error);
    put_inputs();
    target_files whole = make_target("whole");
    wl_prepare_options options = options_for(&whole);
    wl_prepared found = {0};
    wl_status status =
        tokenizer ? wl_prepare(paths, 3, tokenizer, whole.files[0], &options, &found, &error) : error.code;
    CHECK_THAT(!status, "%s", error.message);
    if (!status) {
        CHECK(found.records == RECORDS && found.removed[WL_REMOVED_DUPLICATE] > 100 &&
              found.removed[WL_REMOVED_EVALUATION] > 100 && found.removed[WL_REMOVED_EMPTY] > 100);
        test_cancelled(&whole, &found);
        test_killed(&whole);
        test_full(&whole);
        test_mismatch(&whole);
        test_damaged();
        test_pipe();
    }
    wl_tokenizer_close(tokenizer);
    wl_remove_tree(prepare_root);
    return test_end();
}
