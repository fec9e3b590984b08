/* Our side of `make bench-tokenizers`: tokenizes the texts of a JSONL file, held in memory, again and again.
 *
 *     bench_tokenize [--rounds R] [--threads N] [--seconds S] [--cold] TOKENIZER TEXTS
 *
 * Prints one line a round, as every peer does: seconds, processor seconds (of all threads), texts, bytes and tokens,
 * separated by tabs. The first round is cold: nothing but the tokenizer was made before. With --cold each round is, in
 * a fresh context; without it the others are warm. Rounds end early after S seconds, once there are two. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

#include "format/json.h"
#include "wordllama.h"

enum { THREADS = 64, BATCH = 16 };

typedef struct bench_corpus {
    wl_buffer bytes; /* of all texts, one behind the other */
    wl_text *texts;
    size_t count, capacity;
} bench_corpus;

typedef struct bench_worker {
    const wl_tokenizer *tokenizer;
    const bench_corpus *corpus;
    atomic_size_t *next; /* text that nobody has taken */
    wl_context *context;
    uint32_t *ids;
    size_t capacity, tokens;
} bench_worker;

static void fail(const wl_error *error)
{
    char message[1600];
    wl_error_format(error, message, sizeof message);
    fprintf(stderr, "bench_tokenize: %s\n", message);
    exit(1);
}

static void usage(void)
{
    fputs("usage: bench_tokenize [--rounds R] [--threads N] [--seconds S] [--cold] TOKENIZER TEXTS\n", stderr);
    exit(2);
}

static double seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* ---- texts ------------------------------------------------------------------------------------------------------- */

static wl_buffer read_file(const char *path)
{
    wl_error error;
    wl_buffer file = {0};
    char block[1 << 16];
    int size = 0;
    gzFile stream = gzopen(path, "rb"); /* reads what is not compressed too */
    while (stream && (size = gzread(stream, block, sizeof block)) > 0)
        if (wl_buffer_append(&file, block, (size_t)size, &error)) fail(&error);
    if (!stream || size < 0) {
        fprintf(stderr, "bench_tokenize: cannot read %s\n", path);
        exit(1);
    }
    gzclose(stream);
    return file;
}

static void add_text(bench_corpus *corpus, wl_text text)
{
    wl_error error;
    void *texts = corpus->texts;
    if (wl_reserve(&texts, &corpus->capacity, corpus->count + 1, sizeof text, &error) ||
        wl_buffer_append(&corpus->bytes, text.data, text.size, &error))
        fail(&error);
    corpus->texts = texts;
    corpus->texts[corpus->count++] = (wl_text){NULL, text.size}; /* data is known when bytes has ceased to move */
}

static bench_corpus read_corpus(const char *path)
{
    wl_error error;
    wl_json json;
    wl_text key;
    wl_buffer file = read_file(path), scratch = {0};
    bench_corpus corpus = {0};
    for (size_t at = 0, end; at < file.size; at = end + 1) {
        const char *line = memchr(file.data + at, '\n', file.size - at);
        end = line ? (size_t)(line - file.data) : file.size;
        wl_json_open(&json, file.data + at, end - at, path, &scratch, &error);
        wl_json_begin_object(&json);
        while (wl_json_member(&json, &key)) {
            if (wl_text_is(key, "text"))
                add_text(&corpus, wl_json_string(&json));
            else
                wl_json_skip(&json);
        }
        if (wl_json_close(&json)) fail(&error);
    }
    const char *data = corpus.bytes.data;
    for (size_t i = 0; i < corpus.count; data += corpus.texts[i++].size) corpus.texts[i].data = data;
    wl_buffer_free(&scratch);
    wl_buffer_free(&file);
    return corpus;
}

/* ---- rounds ------------------------------------------------------------------------------------------------------ */

/* Takes a few texts at a time until none is left. */
static void *work(void *user)
{
    bench_worker *worker = user;
    wl_error error;
    worker->tokens = 0;
    for (;;) {
        size_t first = atomic_fetch_add(worker->next, BATCH);
        if (first >= worker->corpus->count) return NULL;
        size_t last = first + BATCH < worker->corpus->count ? first + BATCH : worker->corpus->count;
        for (size_t i = first, count; i < last; i++, worker->tokens += count) {
            wl_status status = wl_encode(worker->tokenizer, worker->context, worker->corpus->texts[i], NULL,
                                         worker->ids, NULL, worker->capacity, &count, &error);
            if (status) fail(&error);
        }
    }
}

static size_t run_round(bench_worker *workers, size_t threads)
{
    pthread_t others[THREADS];
    atomic_store(workers[0].next, 0);
    for (size_t i = 1; i < threads; i++)
        if (pthread_create(&others[i], NULL, work, &workers[i])) exit(1);
    work(&workers[0]);
    size_t tokens = workers[0].tokens;
    for (size_t i = 1; i < threads; i++) {
        pthread_join(others[i], NULL);
        tokens += workers[i].tokens;
    }
    return tokens;
}

static void fresh_contexts(bench_worker *workers, size_t threads)
{
    const wl_context_options options = {.size = sizeof options, .threads = 1};
    wl_error error;
    for (size_t i = 0; i < threads; i++) {
        wl_context_free(workers[i].context);
        workers[i].context = wl_context_create(&options, &error);
        if (!workers[i].context) fail(&error);
    }
}

int main(int count, char **arguments)
{
    const char *paths[2] = {NULL, NULL};
    size_t threads = 1, path_count = 0;
    long rounds = 5;
    double limit = 1e9;
    bool cold = false;
    for (int i = 1; i < count; i++) {
        const char *flag = arguments[i], *value = i + 1 < count ? arguments[i + 1] : NULL;
        if (!strcmp(flag, "--cold"))
            cold = true;
        else if (*flag != '-' && path_count < 2)
            paths[path_count++] = flag;
        else if (!value)
            usage();
        else if (!strcmp(flag, "--rounds"))
            rounds = strtol(value, NULL, 10), i++;
        else if (!strcmp(flag, "--threads"))
            threads = strtoul(value, NULL, 10), i++;
        else if (!strcmp(flag, "--seconds"))
            limit = strtod(value, NULL), i++;
        else
            usage();
    }
    if (path_count < 2 || threads < 1 || threads > THREADS) usage();

    wl_error error;
    bench_corpus corpus = read_corpus(paths[1]);
    wl_tokenizer *tokenizer = wl_tokenizer_open(paths[0], &error);
    if (!tokenizer) fail(&error);
    atomic_size_t next = 0;
    bench_worker workers[THREADS] = {0};
    size_t longest = 0;
    for (size_t i = 0; i < corpus.count; i++)
        if (corpus.texts[i].size > longest) longest = corpus.texts[i].size;
    for (size_t i = 0; i < threads; i++) {
        /* Some characters give more tokens than bytes when they are normalized, but no text does on the whole. */
        size_t capacity = 2 * longest + 16;
        uint32_t *ids = wl_allocate(capacity, sizeof *ids, &error);
        if (!ids) fail(&error);
        memset(ids, 0, capacity * sizeof *ids); /* memory that is not there yet is no part of a cold round */
        workers[i] = (bench_worker){tokenizer, &corpus, &next, NULL, ids, capacity, 0};
    }
    double begun = seconds(CLOCK_MONOTONIC);
    for (long round = 0; round < rounds; round++) {
        if (round == 0 || cold) fresh_contexts(workers, threads);
        double start = seconds(CLOCK_MONOTONIC), worked = seconds(CLOCK_PROCESS_CPUTIME_ID);
        size_t tokens = run_round(workers, threads);
        worked = seconds(CLOCK_PROCESS_CPUTIME_ID) - worked;
        double taken = seconds(CLOCK_MONOTONIC) - start;
        printf("%.6f\t%.6f\t%zu\t%zu\t%zu\n", taken, worked, corpus.count, corpus.bytes.size, tokens);
        if (round > 0 && seconds(CLOCK_MONOTONIC) - begun > limit) break;
    }
    for (size_t i = 0; i < threads; i++) {
        wl_context_free(workers[i].context);
        free(workers[i].ids);
    }
    wl_tokenizer_close(tokenizer);
    free(corpus.texts);
    wl_buffer_free(&corpus.bytes);
    return 0;
}
