/* Our side of `make bench-embed`: embeds the texts of a JSONL file, held in memory, again and again.
 *
 *     bench_embed [--model DIR] [--rounds R] [--threads N] [--cold] [--tokenize | --pool] [--vectors FILE] TEXTS
 *
 * TEXTS may be compressed with gzip. Prints one line a round, as every peer does: seconds, processor seconds (of all
 * threads), texts, bytes, tokens and seconds to open the model, separated by tabs. One round that is not printed goes
 * first, so the rounds are warm, word cache included; --cold gives each round a fresh context. --tokenize and --pool do
 * one half of the work each. --vectors writes the rows as raw floats. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

#include "format/json.h"
#include "wordllama.h"

typedef struct bench_corpus {
    wl_buffer bytes; /* of all texts, one behind the other */
    wl_text *texts;
    size_t count, capacity;
} bench_corpus;

typedef struct bench_work {
    wl_model *model;
    const bench_corpus *corpus;
    uint32_t *ids; /* of all texts; a token is one byte at least, a prefix may come before each text */
    size_t *starts, ids_capacity;
    float *out;
    size_t out_size;
} bench_work;

typedef void (*round_function)(const bench_work *work, wl_context *context);

static void fail(const wl_error *error)
{
    char message[1600];
    wl_error_format(error, message, sizeof message);
    fprintf(stderr, "bench_embed: %s\n", message);
    exit(1);
}

static void usage(void)
{
    fputs("usage: bench_embed [--model DIR] [--rounds R] [--threads N] [--cold] [--tokenize | --pool] [--vectors FILE] "
          "TEXTS\n",
          stderr);
    exit(2);
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
    int size;
    gzFile stream = gzopen(path, "rb"); /* reads what is not compressed too */
    while (stream && (size = gzread(stream, block, sizeof block)) > 0)
        if (wl_buffer_append(&file, block, (size_t)size, &error)) fail(&error);
    if (!stream || size < 0) {
        fprintf(stderr, "bench_embed: cannot read %s\n", path);
        exit(1);
    }
    gzclose(stream);
    return file;
}

static void add_text(bench_corpus *corpus, wl_text text)
{
    wl_error error;
    if (wl_reserve((void **)&corpus->texts, &corpus->capacity, corpus->count + 1, sizeof text, &error) ||
        wl_buffer_append(&corpus->bytes, text.data, text.size, &error))
        fail(&error);
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

static void embed_round(const bench_work *work, wl_context *context)
{
    wl_error error;
    if (wl_embed(work->model, context, work->corpus->texts, work->corpus->count, NULL, work->out, work->out_size,
                 &error))
        fail(&error);
}

static void tokenize_round(const bench_work *work, wl_context *context)
{
    wl_error error;
    const wl_tokenizer *tokenizer = wl_model_tokenizer(work->model);
    size_t used = 0, count;
    for (size_t i = 0; i < work->corpus->count; i++, used += count) {
        work->starts[i] = used;
        if (wl_encode(tokenizer, context, work->corpus->texts[i], NULL, work->ids + used, NULL,
                      work->ids_capacity - used, &count, &error))
            fail(&error);
    }
    work->starts[work->corpus->count] = used;
}

static void pool_round(const bench_work *work, wl_context *context)
{
    wl_error error;
    if (wl_embed_ids(work->model, context, work->ids, work->starts, work->corpus->count, NULL, work->out,
                     work->out_size, &error))
        fail(&error);
}

static wl_context *make_context(uint32_t threads)
{
    wl_error error;
    wl_context_options options = {.size = sizeof options, .threads = threads};
    wl_context *context = wl_context_create(&options, &error);
    if (!context) fail(&error);
    return context;
}

static void write_vectors(const bench_work *work, const char *path)
{
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(work->out, 1, work->out_size, file) != work->out_size || fclose(file)) {
        perror(path);
        exit(1);
    }
}

int main(int count, char **arguments)
{
    const char *model = "build/cache/models/l2_supercat_256", *texts = NULL, *vectors = NULL;
    uint32_t threads = 1;
    long rounds = 5;
    bool cold = false;
    round_function run = embed_round;
    for (int i = 1; i < count; i++) {
        const char *flag = arguments[i], *value = i + 1 < count ? arguments[i + 1] : NULL;
        if (!strcmp(flag, "--cold"))
            cold = true;
        else if (!strcmp(flag, "--tokenize"))
            run = tokenize_round;
        else if (!strcmp(flag, "--pool"))
            run = pool_round;
        else if (*flag != '-' && !texts)
            texts = flag;
        else if (!value)
            usage();
        else if (!strcmp(flag, "--model"))
            model = value, i++;
        else if (!strcmp(flag, "--vectors"))
            vectors = value, i++;
        else if (!strcmp(flag, "--rounds"))
            rounds = strtol(value, NULL, 10), i++;
        else if (!strcmp(flag, "--threads"))
            threads = (uint32_t)strtoul(value, NULL, 10), i++;
        else
            usage();
    }
    if (!texts) usage();

    wl_error error;
    bench_corpus corpus = read_corpus(texts);
    double start = seconds(CLOCK_MONOTONIC);
    bench_work work = {.model = wl_model_open(model, NULL, &error), .corpus = &corpus};
    double opened = seconds(CLOCK_MONOTONIC) - start;
    if (!work.model) fail(&error);
    if (run != tokenize_round) {
        work.out_size = corpus.count * wl_embed_row_size(work.model, NULL);
        work.out = allocate(work.out_size, 1);
    }
    wl_context *context = make_context(threads);
    if (run != embed_round) { /* only here: an array of all ids is no part of embedding's memory */
        work.ids_capacity = corpus.bytes.size + corpus.count + 1;
        work.ids = allocate(work.ids_capacity, sizeof *work.ids);
        work.starts = allocate(corpus.count + 1, sizeof *work.starts);
        tokenize_round(&work, context);
    }
    run(&work, context);
    if (vectors && work.out) write_vectors(&work, vectors);
    wl_counts before = wl_context_counts(context);
    for (long round = 0; round < rounds; round++) {
        if (cold) {
            wl_context_free(context);
            context = make_context(threads);
            before = (wl_counts){0};
        }
        start = seconds(CLOCK_MONOTONIC);
        double worked = seconds(CLOCK_PROCESS_CPUTIME_ID);
        run(&work, context);
        worked = seconds(CLOCK_PROCESS_CPUTIME_ID) - worked;
        double taken = seconds(CLOCK_MONOTONIC) - start;
        wl_counts after = wl_context_counts(context);
        printf("%.6f\t%.6f\t%zu\t%zu\t%llu\t%.6f\n", taken, worked, corpus.count, corpus.bytes.size,
               (unsigned long long)(after.tokens - before.tokens), opened);
        before = after;
    }
    wl_context_free(context);
    wl_model_close(work.model);
    free(work.starts);
    free(work.ids);
    free(work.out);
    free(corpus.texts);
    wl_buffer_free(&corpus.bytes);
    return 0;
}
