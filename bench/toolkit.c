/* Our side of `make bench-toolkit`: one job, with everything it needs in memory, again and again.
 *
 *     bench_toolkit VERB [--model DIR] [--texts FILE] [--count N] [--query TEXT] [--rows FILE] [--queries FILE]
 *                   [--asked N] [--threads T] [--rounds R] [--seconds S] [--seed N] [--iterations N] [--cold]
 *                   [--results FILE]
 *
 *     dedup    embeds the first N lines of --texts, at unit length, and drops those that repeat an earlier one
 *     rank     orders the first N lines of --texts by their similarity to --query
 *     split    splits the whole of --texts
 *     top-k    finds the 10 rows most similar to each of the first --asked rows of --queries (raw floats, 256 a row)
 *     hamming  the same for raw bits, 256 a row
 *     cluster  k-means: the first N of --rows, 256 clusters, --iterations (25)
 *     vectors  no job: writes the lines of --texts at unit length to --results, as raw floats
 *     bits     the same as raw bits
 *     read     no job: sums 512 MB of floats, as fast as memory gives them
 *     multiply no job: multiplies and adds floats in registers
 *
 * Prints one line a round, separated by tabs: seconds, a number of the result (lines dropped, texts ranked, chunks,
 * mean score, inertia; GB/s and GFLOP/s of the last two) and the library's instruction set. The model is open, the
 * context is made; memory for results is taken within the round. The first round is cold: nothing ran in the process
 * before. With --cold each round has a fresh context, without it the others find the words of the first. Rounds end
 * early after S seconds. --results writes what the first round found: for dedup row, first earlier row and score, for
 * rank and the searches row and score, a line each; for split the chunks, NUL and line break behind each; for cluster
 * the centroids as raw floats. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "wordllama.h"

enum { DIM = 256, TOP = 10, CLUSTERS = 256, ITERATIONS = 25, THREADS = 64 };

typedef struct bench_file {
    char *data;
    size_t size;
} bench_file;

typedef struct bench_work {
    const char *folder, *texts_path, *query, *rows_path, *queries_path, *results_path;
    size_t count, asked;
    uint32_t threads;
    uint64_t seed;
    uint32_t iterations;
    wl_model *model;
    wl_context *context;
    bench_file text, rows, queries;
    wl_text *texts;
    FILE *results; /* NULL: not wanted, or written already */
} bench_work;

typedef struct bench_verb {
    const char *name;
    void (*prepare)(bench_work *work);
    double (*round)(bench_work *work, double *taken); /* adds to *taken the seconds of what is timed; a number of it */
} bench_verb;

/* ---- small things ------------------------------------------------------------------------------------------------ */

static _Noreturn void stop(const char *what)
{
    fprintf(stderr, "bench_toolkit: %s\n", what);
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
    void *memory = malloc(count * size + 1);
    if (!memory) stop("out of memory");
    return memory;
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* The first most bytes of a file. */
static bench_file read_file(const char *path, size_t most)
{
    bench_file file = {0};
    FILE *stream = path ? fopen(path, "rb") : NULL;
    if (!stream || fseek(stream, 0, SEEK_END)) stop(path ? path : "a file is missing");
    size_t size = (size_t)ftell(stream);
    file.size = size < most ? size : most;
    file.data = allocate(file.size, 1);
    rewind(stream);
    if (fread(file.data, 1, file.size, stream) != file.size) stop(path);
    fclose(stream);
    return file;
}

static void open_model(bench_work *work)
{
    wl_error error;
    work->model = wl_model_open(work->folder, NULL, &error);
    if (!work->model) fail(&error);
}

static void read_text(bench_work *work)
{
    open_model(work);
    work->text = read_file(work->texts_path, SIZE_MAX);
}

static void read_texts(bench_work *work)
{
    read_text(work);
    work->texts = allocate(work->count, sizeof *work->texts);
    size_t found = 0;
    const char *end = work->text.data + work->text.size;
    for (const char *line = work->text.data; line < end && found < work->count; found++) {
        const char *stop_at = memchr(line, '\n', (size_t)(end - line));
        if (!stop_at) stop_at = end;
        work->texts[found] = (wl_text){line, (size_t)(stop_at - line)};
        line = stop_at + 1;
    }
    if (found < work->count) stop("there are fewer texts than --count");
}

static wl_vectors vectors_of(bench_file file, wl_element element)
{
    return (wl_vectors){file.data, file.size / wl_vector_size(element, DIM), DIM, element};
}

static void write_matches(bench_work *work, const wl_match *matches, size_t count)
{
    if (!work->results) return;
    for (size_t i = 0; i < count; i++)
        fprintf(work->results, "%zu\t%.9g\n", matches[i].index, (double)matches[i].score);
}

/* ---- texts ------------------------------------------------------------------------------------------------------- */

static void *embed(bench_work *work, bool binary, size_t *size)
{
    wl_error error;
    wl_embed_options options = {.size = sizeof options, .normalize = WL_ON, .binary = binary};
    *size = work->count * wl_embed_row_size(work->model, &options);
    void *rows = allocate(*size, 1);
    if (wl_embed(work->model, work->context, work->texts, work->count, &options, rows, *size, &error)) fail(&error);
    return rows;
}

static double write_rows(bench_work *work, bool binary, double *taken)
{
    size_t size;
    double start = now();
    void *rows = embed(work, binary, &size);
    *taken += now() - start;
    if (work->results && fwrite(rows, 1, size, work->results) != size) stop("cannot write the rows");
    free(rows);
    return (double)work->count;
}

static double vectors_round(bench_work *work, double *taken)
{
    return write_rows(work, false, taken);
}

static double bits_round(bench_work *work, double *taken)
{
    return write_rows(work, true, taken);
}

static double dedup_round(bench_work *work, double *taken)
{
    wl_error error;
    size_t dropped, size;
    double start = now();
    void *rows = embed(work, false, &size);
    wl_vectors vectors = {rows, work->count, DIM, WL_ELEMENT_F32};
    wl_match *repeats = allocate(work->count, sizeof *repeats);
    if (wl_deduplicate(&vectors, NULL, work->context, repeats, &dropped, &error)) fail(&error);
    *taken += now() - start;
    for (size_t i = 0; work->results && i < work->count; i++)
        if (repeats[i].index != WL_NONE)
            fprintf(work->results, "%zu\t%zu\t%.9g\n", i, repeats[i].index, (double)repeats[i].score);
    free(repeats);
    free(rows);
    return (double)dropped;
}

static double rank_round(bench_work *work, double *taken)
{
    wl_error error;
    size_t kept;
    double start = now();
    wl_match *matches = allocate(work->count, sizeof *matches);
    wl_text query = {work->query, strlen(work->query)};
    if (wl_rank(work->model, work->context, query, work->texts, work->count, NULL, matches, &kept, &error))
        fail(&error);
    *taken += now() - start;
    write_matches(work, matches, kept);
    free(matches);
    return (double)kept;
}

static double split_round(bench_work *work, double *taken)
{
    wl_error error;
    double start = now();
    wl_text text = {work->text.data, work->text.size};
    wl_chunks *chunks = wl_split(work->model, work->context, text, NULL, &error);
    if (!chunks) fail(&error);
    *taken += now() - start;
    size_t count = wl_chunks_count(chunks);
    for (size_t i = 0; work->results && i < count; i++) {
        wl_text chunk = wl_chunks_at(chunks, i).text;
        fwrite(chunk.data, 1, chunk.size, work->results);
        fwrite("\0\n", 1, 2, work->results);
    }
    wl_chunks_free(chunks);
    return (double)count;
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

static void read_rows(bench_work *work)
{
    work->rows = read_file(work->rows_path, work->count * wl_vector_size(WL_ELEMENT_F32, DIM));
}

static void read_search(bench_work *work)
{
    read_rows(work);
    work->queries = read_file(work->queries_path, work->asked * wl_vector_size(WL_ELEMENT_F32, DIM));
}

static void read_bit_search(bench_work *work)
{
    size_t size = wl_vector_size(WL_ELEMENT_BITS, DIM);
    work->rows = read_file(work->rows_path, work->count * size);
    work->queries = read_file(work->queries_path, work->asked * size);
}

static double search(bench_work *work, wl_element element, wl_measure measure, double *taken)
{
    wl_error error;
    wl_vectors rows = vectors_of(work->rows, element), queries = vectors_of(work->queries, element);
    size_t found = queries.count * TOP;
    double start = now(), sum = 0;
    wl_match *matches = allocate(found, sizeof *matches);
    if (wl_top_k(&queries, &rows, TOP, measure, work->context, matches, &error)) fail(&error);
    *taken += now() - start;
    for (size_t i = 0; i < found; i++) sum += (double)matches[i].score;
    write_matches(work, matches, found);
    free(matches);
    return sum / (double)found;
}

static double top_k_round(bench_work *work, double *taken)
{
    return search(work, WL_ELEMENT_F32, WL_COSINE, taken);
}

static double hamming_round(bench_work *work, double *taken)
{
    return search(work, WL_ELEMENT_BITS, WL_HAMMING, taken);
}

static double cluster_round(bench_work *work, double *taken)
{
    wl_error error;
    wl_clustering result;
    wl_vectors rows = vectors_of(work->rows, WL_ELEMENT_F32);
    wl_cluster_options options = {.size = sizeof options,
                                  .clusters = CLUSTERS,
                                  .starts = 1,
                                  .most_iterations = work->iterations,
                                  .has_tolerance = true,
                                  .seed = work->seed};
    double start = now();
    uint32_t *labels = allocate(rows.count, sizeof *labels);
    float *centroids = allocate((size_t)CLUSTERS * DIM, sizeof *centroids);
    if (wl_cluster(&rows, &options, work->context, labels, centroids, &result, &error)) fail(&error);
    *taken += now() - start;
    if (result.iterations < work->iterations)
        fprintf(stderr, "bench_toolkit: k-means ended after %u iterations\n", (unsigned)result.iterations);
    if (work->results) fwrite(centroids, sizeof *centroids, (size_t)CLUSTERS * DIM, work->results);
    free(centroids);
    free(labels);
    return result.inertia;
}

/* ---- the machine ------------------------------------------------------------------------------------------------- */

#define READ_BYTES ((size_t)512 << 20)
#define AHEAD      2048 /* bytes: how early memory is asked for */
#define FUSED      ((size_t)20 << 20)

typedef float bench_lane __attribute__((vector_size(16)));

typedef struct bench_worker {
    const char *data; /* a part of what is read */
    size_t size;
    float sum; /* kept, or the compiler would leave out the work */
    double operations;
} bench_worker;

/* Sums floats, in 16 sums: additions never wait for each other, so memory is what it waits for. */
static void *read_memory(void *user)
{
    enum { SUMS = 16 };
    bench_worker *worker = user;
    bench_lane sums[SUMS] = {{0}};
    for (size_t at = 0; at < worker->size; at += sizeof sums) {
        const bench_lane *lanes = (const bench_lane *)(const void *)(worker->data + at);
        for (size_t i = 0; i < sizeof sums; i += 64) __builtin_prefetch(worker->data + at + AHEAD + i);
        for (int i = 0; i < SUMS; i++) sums[i] += lanes[i];
    }
    for (int i = 0; i < SUMS; i++) worker->sum += sums[i][0] + sums[i][1] + sums[i][2] + sums[i][3];
    return NULL;
}

/* Ten chains of multiply-add in registers of BYTES bytes, as wide as the processor has them: what it could do if it
 * never waited for memory. CMakeLists.txt lets the compiler fuse them in this file. */
#define MULTIPLY(NAME, TARGET, BYTES)                                                                                  \
    TARGET static float NAME(float factor, float term, double *operations)                                             \
    {                                                                                                                  \
        enum { CHAINS = 10 };                                                                                          \
        typedef float lanes __attribute__((vector_size(BYTES)));                                                       \
        lanes chains[CHAINS], total = {0};                                                                             \
        for (int i = 0; i < CHAINS; i++) chains[i] = total + (float)i;                                                 \
        for (size_t step = 0; step < FUSED; step++)                                                                    \
            for (int i = 0; i < CHAINS; i++) chains[i] = chains[i] * factor + term;                                    \
        for (int i = 0; i < CHAINS; i++) total += chains[i];                                                           \
        *operations = 2.0 * CHAINS * (BYTES / sizeof(float)) * FUSED;                                                  \
        return total[0] + total[1] + total[2] + total[3];                                                              \
    }

MULTIPLY(multiply_any, , 16)
#if defined(__x86_64__)
MULTIPLY(multiply_avx2, __attribute__((target("avx2,fma"))), 32)
MULTIPLY(multiply_avx512, __attribute__((target("avx512f"))), 64)
#endif

static void *multiply(void *user)
{
    bench_worker *worker = user;
    volatile float factor = 0.5f, term = 1;
    float (*run)(float, float, double *) = multiply_any;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f"))
        run = multiply_avx512;
    else if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        run = multiply_avx2;
#endif
    worker->sum += run(factor, term, &worker->operations);
    return NULL;
}

static double on_threads(bench_work *work, void *(*function)(void *), bench_worker *workers)
{
    pthread_t threads[THREADS];
    double start = now();
    for (uint32_t i = 1; i < work->threads; i++)
        if (pthread_create(&threads[i], NULL, function, &workers[i])) stop("no thread");
    function(&workers[0]);
    for (uint32_t i = 1; i < work->threads; i++) pthread_join(threads[i], NULL);
    return now() - start;
}

static void take_memory(bench_work *work)
{
    work->rows.data = allocate(READ_BYTES + AHEAD + 4096, 1);
    work->rows.size = READ_BYTES;
    memset(work->rows.data, 0, READ_BYTES);
}

static double read_round(bench_work *work, double *taken)
{
    bench_worker workers[THREADS] = {0};
    size_t part = READ_BYTES / work->threads / 4096 * 4096;
    for (uint32_t i = 0; i < work->threads; i++)
        workers[i] = (bench_worker){.data = work->rows.data + i * part, .size = part};
    *taken += on_threads(work, read_memory, workers);
    return 1e-9 * (double)(part * work->threads) / *taken;
}

static double multiply_round(bench_work *work, double *taken)
{
    bench_worker workers[THREADS] = {0};
    double operations = 0;
    *taken += on_threads(work, multiply, workers);
    for (uint32_t i = 0; i < work->threads; i++) operations += workers[i].operations;
    return 1e-9 * operations / *taken;
}

/* ---- the program ------------------------------------------------------------------------------------------------- */

static const bench_verb verbs[] = {
    {"dedup", read_texts, dedup_round},     {"rank", read_texts, rank_round},
    {"split", read_text, split_round},      {"top-k", read_search, top_k_round},
    {"cluster", read_rows, cluster_round},  {"hamming", read_bit_search, hamming_round},
    {"vectors", read_texts, vectors_round}, {"bits", read_texts, bits_round},
    {"read", take_memory, read_round},      {"multiply", NULL, multiply_round},
};

static const bench_verb *find_verb(const char *name)
{
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (!strcmp(verbs[i].name, name)) return &verbs[i];
    stop("no such verb; bench/toolkit.c names them");
}

static void make_context(bench_work *work)
{
    wl_error error;
    wl_context_options options = {.size = sizeof options, .threads = work->threads};
    wl_context_free(work->context);
    work->context = wl_context_create(&options, &error);
    if (!work->context) fail(&error);
}

int main(int count, char **arguments)
{
    bench_work work = {
        .folder = "build/cache/models/l2_supercat_256", .query = "", .threads = 1, .seed = 1, .iterations = ITERATIONS};
    const char *results = NULL;
    unsigned long long rounds = 5, seconds = 60;
    bool cold = false;
    if (count < 2) stop("which verb? bench/toolkit.c names them");
    const bench_verb *verb = find_verb(arguments[1]);
    for (int i = 2; i < count; i++) {
        const char *flag = arguments[i], *value = i + 1 < count ? arguments[i + 1] : "";
        unsigned long long number = strtoull(value, NULL, 10);
        if (!strcmp(flag, "--cold")) {
            cold = true;
            continue;
        }
        if (!strcmp(flag, "--model"))
            work.folder = value;
        else if (!strcmp(flag, "--texts"))
            work.texts_path = value;
        else if (!strcmp(flag, "--query"))
            work.query = value;
        else if (!strcmp(flag, "--rows"))
            work.rows_path = value;
        else if (!strcmp(flag, "--queries"))
            work.queries_path = value;
        else if (!strcmp(flag, "--results"))
            results = value;
        else if (!strcmp(flag, "--count"))
            work.count = number;
        else if (!strcmp(flag, "--asked"))
            work.asked = number;
        else if (!strcmp(flag, "--threads"))
            work.threads = (uint32_t)number;
        else if (!strcmp(flag, "--rounds"))
            rounds = number;
        else if (!strcmp(flag, "--seconds"))
            seconds = number;
        else if (!strcmp(flag, "--seed"))
            work.seed = number;
        else if (!strcmp(flag, "--iterations"))
            work.iterations = (uint32_t)number;
        else
            stop("unknown option; bench/toolkit.c names them");
        i++;
    }
    if (work.threads == 0 || work.threads > THREADS) stop("--threads is from 1 to 64");

    if (verb->prepare) verb->prepare(&work);
    make_context(&work);
    if (results && !(work.results = fopen(results, "wb"))) stop(results);
    double begun = now();
    for (unsigned long long round = 0; round < rounds && now() - begun < (double)seconds; round++) {
        double taken = 0;
        if (cold) make_context(&work);
        double number = verb->round(&work, &taken);
        printf("%.6f\t%.9g\t%s\n", taken, number, wl_cpu_name());
        if (work.results && fclose(work.results)) stop(results);
        work.results = NULL;
    }
    wl_context_free(work.context);
    wl_model_close(work.model);
    free(work.texts);
    free(work.text.data);
    free(work.rows.data);
    free(work.queries.data);
    return 0;
}
