/* Our side of `make bench-train`: steps of training on what train_peer.py drew.
 *
 *     bench_train_step FOLDER [--kind linear|table] [--steps N] [--threads T] [--records N] [--dims D,...]
 *                      [--targets D] [--rate R]
 *     bench_train_step --peak [--threads T]
 *
 * Prints one line a step, separated by tabs: seconds, processor seconds (of all threads, which other work on the
 * machine disturbs less), the loss, then the seconds of its parts: forward, losses, backward, optimizer; and in the end
 * a line with the peaks of the anonymous memory and of all of it, the mapped codebook included, in MB. Records: of a
 * batch, 256; the file has so many texts of each side. --dims: Matryoshka dimensions, 1024 to 64. --targets: cosine
 * distillation to random targets of so many dimensions in place of the contrastive loss.
 *
 * --peak prints what the machine multiplies at most, in GFLOP/s, and the name of OpenBLAS's kernels: products of
 * matrices of 2048 x 2048, one of its own for each thread. */
#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/random.h"
#include "matrix/matrix.h"
#include "train/losses.h"
#include "train/optimizer.h"
#include "train/projector.h"
#include "wordllama_train.h"

enum { MOST_DIMS = 16, PEAK_SIZE = 2048, PEAK_ROUNDS = 10, SCALE = 20 };

typedef struct bench_settings {
    const char *folder;
    wl_projector_kind kind;
    size_t steps, records, target_dim;
    uint32_t threads;
    double rate;
    bool peak;
    uint32_t dims[MOST_DIMS];
    size_t dim_count;
} bench_settings;

typedef struct bench_work {
    bench_settings settings;
    wl_pool *pool;
    wl_safetensors codebook, batches;
    wl_projector *projector;
    wl_optimizer *optimizer;
    size_t texts, tokens, batch_count; /* of a batch; of a text; in the file */
    const uint32_t *ids;               /* (batch_count, texts, tokens) */
    uint64_t *starts, *hashes;         /* (texts + 1), (texts) */
    float *vectors, *slopes, *targets; /* (texts, dim), (texts, dim), (texts, target_dim) */
    size_t anonymous, all;             /* peaks, KB */
} bench_work;

/* ---- small things ------------------------------------------------------------------------------------------------ */

static _Noreturn void stop(const char *what)
{
    fprintf(stderr, "bench_train_step: %s\n", what);
    exit(1);
}

static _Noreturn void fail(const wl_error *error)
{
    char message[1600];
    wl_error_format(error, message, sizeof message);
    stop(message);
}

static void *allocate(size_t count, size_t size)
{
    wl_error error;
    void *memory = wl_allocate(count, size, &error);
    if (!memory) fail(&error);
    return memory;
}

static double seconds(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static double now(void)
{
    return seconds(CLOCK_MONOTONIC);
}

static float *random_numbers(uint64_t stream, size_t count)
{
    wl_random random = wl_random_seed(8, stream);
    float *numbers = allocate(count, sizeof *numbers);
    for (size_t i = 0; i < count; i++) numbers[i] = (float)(2 * wl_random_unit(&random) - 1);
    return numbers;
}

/* ---- arguments --------------------------------------------------------------------------------------------------- */

static void read_dims(bench_settings *settings, const char *text)
{
    for (char *end; *text && settings->dim_count < MOST_DIMS; text = *end == ',' ? end + 1 : end) {
        settings->dims[settings->dim_count++] = (uint32_t)strtoul(text, &end, 10);
        if (end == text) stop("--dims: expected numbers with commas between");
    }
}

static bench_settings read_arguments(int count, char **arguments)
{
    bench_settings settings = {.steps = 10, .records = 256, .threads = wl_processors(), .rate = 3e-4};
    for (int i = 1; i < count; i++) {
        const char *flag = arguments[i], *value = i + 1 < count ? arguments[i + 1] : "";
        if (strncmp(flag, "--", 2) != 0)
            settings.folder = flag;
        else if (strcmp(flag, "--peak") == 0)
            settings.peak = true;
        else {
            i++;
            if (strcmp(flag, "--kind") == 0)
                settings.kind = strcmp(value, "table") == 0 ? WL_PROJECT_TABLE : WL_PROJECT_LINEAR;
            else if (strcmp(flag, "--steps") == 0)
                settings.steps = strtoul(value, NULL, 10);
            else if (strcmp(flag, "--threads") == 0)
                settings.threads = (uint32_t)strtoul(value, NULL, 10);
            else if (strcmp(flag, "--records") == 0)
                settings.records = strtoul(value, NULL, 10);
            else if (strcmp(flag, "--targets") == 0)
                settings.target_dim = strtoul(value, NULL, 10);
            else if (strcmp(flag, "--rate") == 0)
                settings.rate = strtod(value, NULL);
            else if (strcmp(flag, "--dims") == 0)
                read_dims(&settings, value);
            else
                stop("an unknown flag: see the head of bench/train_step.c");
        }
    }
    if (!settings.threads || (!settings.peak && !settings.folder)) stop("see the head of bench/train_step.c");
    return settings;
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

static void open_file(const bench_work *work, wl_safetensors *file, const char *name)
{
    wl_error error;
    char *path = wl_path_join(work->settings.folder, name, &error);
    if (!path || wl_safetensors_open(file, path, &error)) fail(&error);
    free(path);
}

static const wl_tensor *find(const wl_safetensors *file, const char *name, wl_dtype dtype)
{
    const wl_tensor *tensor = wl_safetensors_find(file, name);
    if (!tensor || tensor->dtype != dtype) stop(name);
    return tensor;
}

/* Both sides begin with the same numbers; a table begins with the codebook. */
static void copy_start(const bench_work *work)
{
    const wl_parameters *parameters = wl_projector_parameters(work->projector);
    for (size_t i = 0; i < parameters->count && work->settings.kind == WL_PROJECT_LINEAR; i++) {
        const wl_parameter *parameter = &parameters->items[i];
        const wl_tensor *start = find(&work->batches, parameter->name, WL_F32);
        if (start->count != parameter->rows * parameter->columns) stop(parameter->name);
        memcpy(parameter->values, start->data, start->bytes);
    }
}

static uint32_t dim_of(const bench_work *work)
{
    const wl_safetensors *file = work->settings.kind == WL_PROJECT_TABLE ? &work->codebook : &work->batches;
    const wl_tensor *found = work->settings.kind == WL_PROJECT_TABLE ? find(file, "embedding.weight", WL_F16)
                                                                     : find(file, "projection.weight", WL_F32);
    return (uint32_t)found->shape[work->settings.kind == WL_PROJECT_TABLE];
}

static void choose_dims(bench_settings *settings, uint32_t dim)
{
    static const uint32_t usual[] = {1024, 512, 256, 128, 64};
    for (size_t i = 0; i < sizeof usual / sizeof *usual && !settings->dim_count; i++)
        for (size_t j = i; j < sizeof usual / sizeof *usual && usual[i] <= dim; j++)
            settings->dims[settings->dim_count++] = usual[j];
    if (!settings->dim_count) settings->dims[settings->dim_count++] = dim;
}

static void open_all(bench_work *work)
{
    wl_error error;
    bench_settings *settings = &work->settings;
    open_file(work, &work->codebook, "codebook.safetensors");
    open_file(work, &work->batches, "batches.safetensors");
    const wl_tensor *rows = find(&work->codebook, "embedding.weight", WL_F16),
                    *ids = find(&work->batches, "ids", WL_U32);
    wl_bag_table table = {rows->data, WL_F16, rows->shape[0], rows->shape[1]};
    uint32_t dim = dim_of(work);
    wl_projector_options options = {.kind = settings->kind, .dim = dim, .bias = true, .token_weights = true};
    wl_optimizer_options rule = {.rate = settings->rate,
                                 .beta1 = 0.9,
                                 .beta2 = 0.999,
                                 .epsilon = 1e-8,
                                 .clip = 1,
                                 .schedule = WL_SCHEDULE_CONSTANT,
                                 .steps = settings->steps};
    work->projector = wl_projector_create(&table, &options, NULL, &error);
    if (!work->projector) fail(&error);
    work->optimizer = wl_optimizer_create(wl_projector_parameters(work->projector), &rule, &error);
    if (!work->optimizer) fail(&error);
    copy_start(work);
    choose_dims(settings, dim);
    work->ids = (const uint32_t *)(const void *)ids->data;
    work->batch_count = ids->shape[0];
    work->texts = ids->shape[1];
    work->tokens = ids->shape[2];
    if (work->texts < 2 * settings->records) stop("--records: more than the file's batches have");
    work->starts = allocate(work->texts + 1, sizeof *work->starts);
    work->hashes = allocate(work->texts, sizeof *work->hashes);
    for (size_t i = 0; i < work->texts; i++) {
        work->hashes[i] = i;
        work->starts[i + 1] = (i + 1) * work->tokens;
    }
    work->vectors = allocate(work->texts, dim * sizeof(float));
    work->slopes = allocate(work->texts, dim * sizeof(float));
    if (settings->target_dim) work->targets = random_numbers(1, work->texts * settings->target_dim);
}

static void close_all(bench_work *work)
{
    free(work->starts);
    free(work->hashes);
    free(work->vectors);
    free(work->slopes);
    free(work->targets);
    wl_optimizer_free(work->optimizer);
    wl_projector_free(work->projector);
    wl_safetensors_close(&work->batches);
    wl_safetensors_close(&work->codebook);
}

/* ---- steps ------------------------------------------------------------------------------------------------------- */

static void look_at_memory(bench_work *work)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[200];
    while (file && fgets(line, sizeof line, file)) {
        size_t found = strcspn(line, "0123456789"), number = strtoul(line + found, NULL, 10);
        if (strncmp(line, "RssAnon:", 8) == 0 && number > work->anonymous) work->anonymous = number;
        if (strncmp(line, "VmHWM:", 6) == 0) work->all = number;
    }
    if (file) fclose(file);
}

static double find_loss(const bench_work *work, size_t dim)
{
    const bench_settings *settings = &work->settings;
    size_t records = settings->records;
    float ones[MOST_DIMS];
    for (size_t i = 0; i < settings->dim_count; i++) ones[i] = 1;
    wl_nest nest = {settings->dims, ones, settings->dim_count};
    wl_error error;
    double loss;
    wl_status status;
    if (work->targets)
        status = wl_distill_loss(work->pool, WL_DISTILL_COSINE, work->vectors, false, work->targets, work->texts, dim,
                                 settings->target_dim, &nest, 1, 1, work->slopes, &loss, &error);
    else {
        wl_contrast contrast = {.anchors = work->vectors,
                                .candidates = work->vectors + records * dim,
                                .count = records,
                                .candidate_count = work->texts - records,
                                .dim = dim,
                                .anchor_texts = work->hashes,
                                .candidate_texts = work->hashes + records,
                                .scale = SCALE};
        status = wl_contrast_loss(work->pool, &contrast, &nest, 1, work->slopes, work->slopes + records * dim, NULL,
                                  &loss, &error);
    }
    if (status) fail(&error);
    return loss;
}

static void take_step(bench_work *work, size_t step)
{
    size_t dim = wl_projector_dim(work->projector);
    wl_bags bags = {work->ids + step % work->batch_count * work->texts * work->tokens, work->starts, work->texts};
    wl_error error;
    double norm, times[5] = {now()}, processor = seconds(CLOCK_PROCESS_CPUTIME_ID);
    wl_projector_clear(work->projector);
    if (wl_projector_forward(work->projector, work->pool, &bags, work->vectors, &error)) fail(&error);
    times[1] = now();
    memset(work->slopes, 0, work->texts * dim * sizeof *work->slopes);
    double loss = find_loss(work, dim);
    times[2] = now();
    if (wl_projector_backward(work->projector, work->pool, &bags, work->slopes, &error)) fail(&error);
    times[3] = now();
    if (wl_optimizer_step(work->optimizer, work->pool, &norm, &error)) fail(&error);
    times[4] = now();
    printf("%.4f\t%.4f\t%.6f", times[4] - times[0], seconds(CLOCK_PROCESS_CPUTIME_ID) - processor, loss);
    for (int i = 0; i < 4; i++) printf("\t%.4f", times[i + 1] - times[i]);
    printf("\n");
    fflush(stdout);
    look_at_memory(work);
}

/* ---- the machine's limit ----------------------------------------------------------------------------------------- */

typedef struct peak {
    float *a, *b, *c; /* (threads, PEAK_SIZE, PEAK_SIZE), but for b, which all share */
} peak;

static void multiply(void *user, uint32_t worker, size_t item)
{
    (void)worker;
    const peak *this = user;
    size_t first = item * PEAK_SIZE * PEAK_SIZE;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, PEAK_SIZE, PEAK_SIZE, PEAK_SIZE, 1, this->a + first,
                PEAK_SIZE, this->b, PEAK_SIZE, 0, this->c + first, PEAK_SIZE);
}

static void find_peak(const bench_work *work)
{
    size_t threads = work->settings.threads, size = (size_t)PEAK_SIZE * PEAK_SIZE;
    peak of = {random_numbers(2, threads * size), random_numbers(3, size), allocate(threads * size, sizeof(float))};
    double best = INFINITY;
    openblas_set_num_threads(1);
    for (int i = 0; i < PEAK_ROUNDS; i++) {
        double begun = now();
        wl_pool_run(work->pool, threads, multiply, &of);
        best = fmin(best, now() - begun);
    }
    printf("%.0f\t%s\n", 2e-9 * PEAK_SIZE * (double)(threads * size) / best, openblas_get_corename());
    free(of.a);
    free(of.b);
    free(of.c);
}

int main(int count, char **arguments)
{
    /* As the command does. */
    const char *kernels = wl_blas_advice();
    if (kernels && setenv("OPENBLAS_CORETYPE", kernels, 1) == 0) execv(arguments[0], arguments);
    bench_work work = {.settings = read_arguments(count, arguments)};
    wl_error error;
    work.pool = wl_pool_create(work.settings.threads, &error);
    if (!work.pool) fail(&error);
    if (work.settings.peak)
        find_peak(&work);
    else {
        open_all(&work);
        for (size_t step = 0; step < work.settings.steps; step++) take_step(&work, step);
        printf("peak\t%zu\t%zu\n", work.anonymous >> 10, work.all >> 10);
        close_all(&work);
    }
    wl_pool_free(work.pool);
}
