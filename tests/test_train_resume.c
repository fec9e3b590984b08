/* Training runs that are repeated, on any number of threads, cancelled at each step, killed at random, out of disk:
 * resumed, they give the models of a run that nothing stopped, byte for byte. */
#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "train.h"

enum { KILLS = 20, MOST_MICROSECONDS = 200000 };

static const char *const models[] = {"model_12.safetensors", "model_6.safetensors", "model/model.safetensors"};

enum { MODELS = sizeof models / sizeof *models };

/* What is changed of make_run, two texts a setting, ended by NULL. */
typedef struct variant {
    const char *name, *changes[12];
} variant;

static const variant variants[] = {
    {"plain", {NULL}},
    {"average", {"average", "0.8", NULL}},
    {"accumulate", {"accumulate", "3", "unique_texts", "false", NULL}},
    {"table", {"kind", "table", "norm_power", "-0.3", "mix", "7", NULL}},
    {"mlp", {"kind", "mlp", "hidden", "10", "average", "0.5", NULL}},
    {"scale", {"losses", "[{\"kind\": \"symmetric\", \"learn_scale\": true}]", NULL}},
    {"signs", {"binarizer", "tanh", NULL}},
    {"best",
     {"evaluation", "$sets", "evaluation_only", "", "evaluate_every", "4", "average", "0.7", "learning_rate", "0.03",
      NULL}},
    {"last", {"evaluation", "$sets", "evaluation_only", "", "evaluate_every", "5", "keep_best", "false", NULL}},
    {"turns", {"data", "$triplets.safetensors:2,$pairs.safetensors", "sampling", "round_robin", NULL}},
    {"raw", {"data", "$triplets.jsonl", "bias", "false", "token_weights", "false", NULL}},
};

enum { VARIANTS = sizeof variants / sizeof *variants };

static wl_error error;

/* The run of a variant into root/output. */
static run_settings settings_of(const variant *of, const char *output)
{
    run_settings settings = make_run(output, "triplets.safetensors");
    for (size_t i = 0; of->changes[i]; i += 2) set(&settings, of->changes[i], of->changes[i + 1]);
    return settings;
}

static wl_status train(const run_settings *settings, bool resume, wl_train_progress progress, void *user)
{
    wl_train_options options = options_of(settings);
    options.resume = resume;
    options.progress = progress;
    options.user = user;
    error = (wl_error){0};
    return wl_train(NULL, &options, NULL, &error);
}

static const char *in_output(const char *output, const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", output, name);
    return in_root(path);
}

/* The name of a model there: signs have another one. */
static const char *model_at(const char *output, const char *name)
{
    const char *path = in_output(output, name);
    if (wl_path_exists(path)) return path;
    char binary[64];
    const char *dot = strchr(name, '.');
    snprintf(binary, sizeof binary, "%.*s_binary%s", (int)(dot - name), name, dot);
    return in_output(output, binary);
}

static void check_same(const char *a, const char *b, const char *what)
{
    for (size_t i = 0; i < MODELS; i++)
        CHECK_THAT(same_files(model_at(a, models[i]), model_at(b, models[i])), "%s: %s", what, models[i]);
}

/* Nothing but a whole model has the name of one. */
static void check_models(const char *whole, const char *output)
{
    for (size_t i = 0; i < MODELS; i++)
        CHECK(!wl_path_exists(model_at(output, models[i])) ||
              same_files(model_at(whole, models[i]), model_at(output, models[i])));
}

static bool has_models(const char *output)
{
    return wl_path_exists(model_at(output, models[0]));
}

/* The log has each step once, in order, and no score twice. */
static void check_log(const char *output, unsigned long steps)
{
    FILE *file = fopen(in_output(output, "log.jsonl"), "r");
    char line[1000];
    unsigned long last = 0, scored = 0, step;
    bool any_score = false;
    CHECK(file != NULL);
    while (file && fgets(line, sizeof line, file)) {
        CHECK_THAT(strncmp(line, "{\"step\": ", 9) == 0 && strchr(line, '\n'), "%s", line);
        step = strtoul(line + 9, NULL, 10);
        if (strstr(line, "\"score\"")) {
            CHECK_THAT(step == last && (!any_score || step > scored), "score of %lu after %lu", step, scored);
            any_score = true;
            scored = step;
        } else {
            CHECK_THAT(step == last + 1, "step %lu after %lu", step, last);
            last = step;
        }
    }
    CHECK_THAT(last == steps, "%lu steps of %lu", last, steps);
    if (file) fclose(file);
}

static void remove_output(const char *output)
{
    wl_remove_tree(in_root(output));
}

/* ---- undisturbed ------------------------------------------------------------------------------------------------- */

/* root/whole-NAME stays. */
static const char *whole_of(const variant *of)
{
    static char name[64];
    snprintf(name, sizeof name, "whole-%s", of->name);
    return name;
}

static void test_repeated(const variant *of)
{
    static const char *const threads[] = {"1", "2", "3"};
    char what[64];
    run_settings settings = settings_of(of, whole_of(of));
    wl_status status = train(&settings, false, NULL, NULL);
    CHECK_THAT(!status, "%s: %s", of->name, error.message);
    check_log(whole_of(of), 12);
    for (size_t i = 0; i < 3; i++) {
        settings = settings_of(of, "again");
        set(&settings, "threads", threads[i]);
        CHECK(!train(&settings, false, NULL, NULL));
        snprintf(what, sizeof what, "%s, %s threads", of->name, threads[i]);
        check_same(whole_of(of), "again", what);
        remove_output("again");
    }
}

/* ---- cancelled --------------------------------------------------------------------------------------------------- */

static bool count_down(void *user, const wl_train_state *state)
{
    size_t *left = user;
    if (!state->steps) return true; /* raw data are being prepared: there is nothing to go on from yet */
    return --*left > 0;
}

/* Each call ends at its nth report; one in a few gets further, since an evaluation begins anew. */
static void test_cancelled(const variant *of)
{
    static const char *const threads[] = {"1", "2"};
    for (size_t nth = 1; nth <= 5; nth += 2) {
        run_settings settings = settings_of(of, "cancelled");
        size_t left, calls = 0;
        wl_status status;
        do {
            left = nth + calls % 8;
            set(&settings, "threads", threads[calls % 2]);
            status = train(&settings, true, count_down, &left);
            CHECK_THAT(!status || status == WL_ERROR_CANCELLED, "%s: %s", of->name, error.message);
            CHECK(has_models("cancelled") == !status &&
                  wl_path_exists(in_output("cancelled", "checkpoint.safetensors")));
        } while (status == WL_ERROR_CANCELLED && ++calls < 100);
        CHECK_THAT(calls > 1 && !status, "%s: %zu calls", of->name, calls);
        check_same(whole_of(of), "cancelled", of->name);
        check_log("cancelled", 12);
        /* It is finished: it is saved once more. */
        unlink(model_at("cancelled", models[0]));
        wl_trained trained;
        wl_train_options options = options_of(&settings);
        options.resume = true;
        CHECK(!wl_train(NULL, &options, &trained, &error) && trained.steps == 12);
        check_same(whole_of(of), "cancelled", of->name);
        check_log("cancelled", 12);
        remove_output("cancelled");
    }
}

/* ---- killed ------------------------------------------------------------------------------------------------------ */

static void sleep_microseconds(size_t microseconds)
{
    nanosleep(&(struct timespec){.tv_sec = (time_t)(microseconds / 1000000),
                                 .tv_nsec = (long)(microseconds % 1000000) * 1000},
              NULL);
}

/* How a child ended that trains; 0 to 255: by itself, with that status. limit: of the size of files; 0: none. */
static int run_child(const run_settings *settings, size_t microseconds, rlim_t limit)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        signal(SIGXFSZ, SIG_IGN);
        if (limit) setrlimit(RLIMIT_FSIZE, &(struct rlimit){limit, limit});
        _exit((int)train(settings, true, NULL, NULL));
    }
    if (microseconds) {
        sleep_microseconds(microseconds);
        kill(child, SIGKILL);
    }
    int state = 0;
    waitpid(child, &state, 0);
    return WIFEXITED(state) ? WEXITSTATUS(state) : -1;
}

/* What a killed call left of a checkpoint is gone once another has begun. */
static void check_no_temporary(const char *output)
{
    DIR *all = opendir(in_root(output));
    CHECK(all != NULL);
    for (struct dirent *entry; all && (entry = readdir(all));)
        CHECK_THAT(!strstr(entry->d_name, "checkpoint.safetensors.wordllama-") &&
                       !strstr(entry->d_name, "best.safetensors.wordllama-"),
                   "%s", entry->d_name);
    if (all) closedir(all);
}

static size_t microseconds_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (size_t)time.tv_sec * 1000000 + (size_t)time.tv_nsec / 1000;
}

/* A run with checkpoints all the time, killed at any moment of it. */
static void test_killed(const variant *of)
{
    wl_random random = wl_random_seed(77, 1);
    run_settings settings = settings_of(of, "killed-whole");
    set(&settings, "steps", "240");
    set(&settings, "checkpoint_every", "3");
    size_t begin = microseconds_now(), killed = 0;
    CHECK(run_child(&settings, 0, 0) == WL_OK);
    size_t whole = microseconds_now() - begin;
    if (whole > MOST_MICROSECONDS) whole = MOST_MICROSECONDS;
    set(&settings, "output", "$killed");
    while (killed < KILLS) {
        int end;
        CHECK(mkdir(in_root("killed"), 0777) == 0);
        FILE *own = fopen(in_output("killed", "checkpoint.safetensors.sha256"), "w");
        if (own) fclose(own);
        do {
            end = run_child(&settings, 1 + wl_random_below(&random, whole), 0);
            CHECK_THAT(end == WL_OK || end == -1, "ended with %d", end);
            check_models("killed-whole", "killed");
            killed += end < 0;
        } while (end < 0 && killed < 2 * KILLS);
        if (end < 0) CHECK(run_child(&settings, 0, 0) == WL_OK);
        check_no_temporary("killed");
        CHECK(wl_path_exists(in_output("killed", "checkpoint.safetensors.sha256"))); /* is the user's own */
        check_same("killed-whole", "killed", of->name);
        check_log("killed", 240);
        remove_output("killed");
    }
    printf("%s: %zu calls killed\n", of->name, killed);
    remove_output("killed-whole");
}

/* A disk that is full, here a limit of the size of files, at many places: before and after there is a checkpoint. */
static void test_full(void)
{
    run_settings settings = settings_of(&variants[0], "full");
    size_t left = 6, failed = 0;
    set(&settings, "checkpoint_every", "3");
    CHECK(train(&settings, true, count_down, &left) == WL_ERROR_CANCELLED);
    for (rlim_t limit = 64; limit < 100000; limit += limit / 4) {
        int end = run_child(&settings, 0, limit);
        CHECK_THAT(end == WL_OK || end == WL_ERROR_IO, "limit %d: ended with %d", (int)limit, end);
        failed += end != WL_OK;
        if (end != WL_OK) check_models(whole_of(&variants[0]), "full");
        CHECK(wl_path_exists(in_output("full", "checkpoint.safetensors")));
        if (end == WL_OK) break;
        if (limit > 1000) continue; /* what is there now may be saved where the limit allows */
        CHECK(!has_models("full"));
    }
    CHECK_THAT(failed > 10, "%zu failed", failed);
    CHECK(!train(&settings, true, NULL, NULL));
    check_same(whole_of(&variants[0]), "full", "full");
    check_log("full", 12);
    remove_output("full");
}

/* ---- what may be resumed ----------------------------------------------------------------------------------------- */

/* Leaves the checkpoint of a step. */
static void stop_early(const run_settings *settings)
{
    size_t left = 5;
    CHECK(train(settings, false, count_down, &left) == WL_ERROR_CANCELLED);
}

static void expect_mismatch(const run_settings *settings, const char *field)
{
    wl_status status = train(settings, true, NULL, NULL);
    CHECK_THAT(status == WL_ERROR_MISMATCH && strstr(error.message, field), "%s: %s %s", field, wl_status_name(status),
               error.message);
    CHECK(!has_models("other"));
}

static void test_mismatch(void)
{
    static const char *const changes[][2] = {
        {"learning_rate", "0.02"},  {"seed", "1"},     {"steps", "13"},           {"losses", "symmetric"},
        {"matryoshka", "12,5"},     {"clip", "0"},     {"batch_size", "15"},      {"max_tokens", "3"},
        {"schedule", "cosine"},     {"hidden", "13"},  {"average", "0.5"},        {"binarizer", "ste"},
        {"token_weights", "false"}, {"kind", "table"}, {"unique_texts", "false"},
    };
    run_settings usual = settings_of(&variants[0], "other");
    stop_early(&usual);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        run_settings settings = usual;
        set(&settings, changes[i][0], changes[i][1]);
        expect_mismatch(&settings, changes[i][0]);
    }
    /* Files of the same names and sizes that hold something else. */
    CHECK(rename(in_root("triplets.safetensors"), in_root("kept")) == 0);
    put_records("others.jsonl", 200, 3, false, 9);
    prepare_records("others.jsonl", "triplets.safetensors");
    expect_mismatch(&usual, "data 0");
    CHECK(rename(in_root("kept"), in_root("triplets.safetensors")) == 0);
    CHECK(rename(in_root("codebook.safetensors"), in_root("kept")) == 0);
    put_codebook("codebook.safetensors", 4);
    expect_mismatch(&usual, "codebook");
    CHECK(rename(in_root("kept"), in_root("codebook.safetensors")) == 0);
    /* What does not matter may change, and after all that it still goes on. */
    set(&usual, "threads", "2");
    set(&usual, "checkpoint_every", "1");
    set(&usual, "log", "$other/another.log");
    CHECK_THAT(!train(&usual, true, NULL, NULL), "%s", error.message);
    check_same(whole_of(&variants[0]), "other", "after mismatches");
    remove_output("other");
}

/* What was prepared for another run is not taken for this one, whatever lies in the folder. */
/* A run over a finished one, killed before its first checkpoint: nothing of the old one is taken for its own. */
static void test_begun_anew(void)
{
    const variant *of = &variants[0];
    run_settings settings = settings_of(of, "anew");
    size_t left = 2;
    CHECK(!train(&settings, false, NULL, NULL));
    CHECK(train(&settings, false, count_down, &left) == WL_ERROR_CANCELLED);
    CHECK(unlink(in_output("anew", "checkpoint.safetensors")) == 0);
    CHECK(!train(&settings, true, NULL, NULL));
    check_same(whole_of(of), "anew", "after a finished run");
    remove_output("anew");
}

static void test_raw(void)
{
    const variant *of = &variants[VARIANTS - 1];
    run_settings settings = settings_of(of, "raw");
    size_t left = 1;
    set(&settings, "data", "$pairs.jsonl");
    CHECK(train(&settings, false, count_down, &left) == WL_ERROR_CANCELLED);
    CHECK(unlink(in_output("raw", "checkpoint.safetensors")) == 0);
    settings = settings_of(of, "raw");
    CHECK(!train(&settings, true, NULL, NULL));
    check_same(whole_of(of), "raw", "after another run");
    remove_output("raw");
}

/* Cuts a file. */
static void cut(const char *path, size_t size)
{
    CHECK(truncate(path, (off_t)size) == 0);
}

static void test_damaged(void)
{
    run_settings settings = settings_of(&variants[0], "damaged");
    char path[256];
    snprintf(path, sizeof path, "%s", in_output("damaged", "checkpoint.safetensors"));
    static const size_t sizes[] = {0, 7, 8, 500, 3000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        stop_early(&settings);
        cut(path, sizes[i]);
        wl_status status = train(&settings, true, NULL, NULL);
        CHECK_THAT(status == WL_ERROR_FORMAT && strstr(error.file, "checkpoint"), "%zu bytes: %s %s", sizes[i],
                   wl_status_name(status), error.message);
        CHECK(!has_models("damaged"));
    }
    put_text("damaged/checkpoint.safetensors", "{\"what\": \"is this?\"}");
    CHECK(train(&settings, true, NULL, NULL) == WL_ERROR_FORMAT);
    /* A file of the format, but no checkpoint. */
    CHECK(unlink(path) == 0 && link(in_output(whole_of(&variants[0]), models[0]), path) == 0);
    wl_status status = train(&settings, true, NULL, NULL);
    CHECK_THAT((status == WL_ERROR_FORMAT || status == WL_ERROR_UNSUPPORTED) && !has_models("damaged"), "%s %s",
               wl_status_name(status), error.message);
    CHECK(unlink(path) == 0);
    /* Without resume it does not matter. */
    put_text("damaged/checkpoint.safetensors", "?");
    CHECK(!train(&settings, false, NULL, NULL));
    check_same(whole_of(&variants[0]), "damaged", "anew");
    remove_output("damaged");
}

int main(void)
{
    if (!put_inputs()) return EXIT_FAILURE;
    for (size_t i = 0; i < VARIANTS; i++) {
        test_repeated(&variants[i]);
        test_cancelled(&variants[i]);
    }
    test_killed(&variants[0]);
    test_killed(&variants[7]);
    test_full();
    test_mismatch();
    test_raw();
    test_begun_anew();
    test_damaged();
    remove_root();
    return test_end();
}
