/* Small training runs in tests: words about topics, so that there is something to learn. Include in one file of a
 * program; brings codebooks.h. */
#ifndef WL_TEST_TRAIN_H
#define WL_TEST_TRAIN_H

#include "base/random.h"
#include "codebooks.h"

enum { WORDS = 200, COLUMNS = 24, TOPICS = 10 };

/* Settings of a run, with their texts. */
typedef struct run_settings {
    struct {
        char name[32], value[600];
    } items[40];
    size_t count;
} run_settings;

/* A $ in the value stands for the root's path and a slash. */
static inline void set(run_settings *settings, const char *name, const char *value)
{
    size_t i = 0, size = 0;
    while (i < settings->count && strcmp(settings->items[i].name, name) != 0) i++;
    if (i == sizeof settings->items / sizeof *settings->items) exit(EXIT_FAILURE);
    if (i == settings->count) settings->count++;
    snprintf(settings->items[i].name, sizeof settings->items[i].name, "%s", name);
    char *out = settings->items[i].value;
    const size_t room = sizeof settings->items[i].value;
    for (; *value && size + sizeof codebook_root + 1 < room; value++)
        size += (size_t)(*value == '$' ? snprintf(out + size, room - size, "%s/", codebook_root)
                                       : snprintf(out + size, room - size, "%c", *value));
    out[size] = '\0';
}

/* A run into root/output over the data in root that takes some milliseconds. */
static inline run_settings make_run(const char *output, const char *data)
{
    run_settings settings = {.count = 0};
    set(&settings, "output", in_root(output));
    set(&settings, "codebook", "$codebook.safetensors");
    set(&settings, "data", in_root(data));
    set(&settings, "dim", "12");
    set(&settings, "matryoshka", "12,6");
    set(&settings, "batch_size", "16");
    set(&settings, "steps", "12");
    set(&settings, "learning_rate", "0.01");
    set(&settings, "threads", "1");
    return settings;
}

/* Those of the last call only. */
static inline wl_train_options options_of(const run_settings *settings)
{
    static wl_train_setting list[sizeof settings->items / sizeof *settings->items];
    for (size_t i = 0; i < settings->count; i++)
        list[i] = (wl_train_setting){settings->items[i].name, settings->items[i].value};
    return (wl_train_options){.size = sizeof(wl_train_options), .settings = list, .setting_count = settings->count};
}

/* ---- inputs ------------------------------------------------------------------------------------------------------ */

/* Three to six words, most of them of the topic. */
static inline void put_topic(FILE *file, wl_random *random, size_t topic)
{
    for (size_t i = 3 + wl_random_below(random, 4); i--;) {
        size_t any = wl_random_below(random, WORDS), own = any - any % TOPICS + topic;
        fprintf(file, "t%zu%s", wl_random_below(random, 4) ? own : any, i ? " " : "");
    }
}

/* Records as JSON lines: anchor, positive, negative as far as sides says; score: how many of the topics are one. */
static inline void put_records(const char *name, size_t count, size_t sides, bool scored, uint64_t seed)
{
    static const char *const fields[] = {"anchor", "positive", "negative"};
    wl_random random = wl_random_seed(seed, 1);
    FILE *file = fopen(in_root(name), "wb");
    CHECK(file != NULL);
    for (size_t i = 0; file && i < count; i++) {
        size_t topic = wl_random_below(&random, TOPICS), other = (topic + 1 + wl_random_below(&random, 9)) % TOPICS;
        bool same = !scored || wl_random_below(&random, 2);
        for (size_t side = 0; side < sides; side++) {
            fprintf(file, "%s\"%s\": \"", side ? ", " : "{", fields[side]);
            put_topic(file, &random, side == 2 || (side == 1 && !same) ? other : topic);
            fputc('"', file);
        }
        if (scored) fprintf(file, ", \"score\": %d", same);
        fprintf(file, "}\n");
    }
    if (file) CHECK(fclose(file) == 0);
}

/* Pairs to score models on. */
static inline void put_evaluation(const char *name, size_t count, uint64_t seed)
{
    wl_random random = wl_random_seed(seed, 2);
    FILE *file = fopen(in_root(name), "wb");
    CHECK(file != NULL);
    for (size_t i = 0; file && i < count; i++) {
        size_t topic = wl_random_below(&random, TOPICS), other = wl_random_below(&random, 2) ? topic : (topic + 3) % 10;
        fprintf(file, "{\"score\": %d, \"text1\": \"", topic == other);
        put_topic(file, &random, topic);
        fprintf(file, "\", \"text2\": \"");
        put_topic(file, &random, other);
        fprintf(file, "\"}\n");
    }
    if (file) CHECK(fclose(file) == 0);
}

/* What wl_prepare makes of root/name: root/to. */
static inline void prepare_records(const char *name, const char *to)
{
    wl_error error = {0};
    const char *path = in_root(name);
    wl_prepare_options options = {.size = sizeof options, .threads = 1};
    wl_tokenizer *tokenizer = wl_tokenizer_open(in_root("tokenizer.json"), &error);
    wl_status status = tokenizer ? wl_prepare(&path, 1, tokenizer, in_root(to), &options, NULL, &error) : error.code;
    CHECK_THAT(!status, "%s", error.message);
    wl_tokenizer_close(tokenizer);
}

/* What words of a topic have in common is a third of them, to be found among the rest. */
static inline void put_codebook(const char *name, uint64_t seed)
{
    float *rows = random_rows(WORDS * COLUMNS, seed), *topics = random_rows(TOPICS * COLUMNS, seed + 1);
    CHECK(rows && topics);
    for (size_t i = 0; rows && topics && i < WORDS * COLUMNS; i++)
        rows[i] += 0.5F * topics[i / COLUMNS % TOPICS * COLUMNS + i % COLUMNS];
    if (rows && topics) put_table(name, rows, WORDS, COLUMNS, WL_STORE_F16);
    free(rows);
    free(topics);
}

/* Codebook, tokenizer, triplets and pairs, raw and prepared; sets to score on. */
static inline bool put_inputs(void)
{
    /* In memory where that can be had: a run waits for the disk a dozen times. */
    if (access("/dev/shm", W_OK) == 0) strcpy(codebook_root, "/dev/shm/wl_train.XXXXXX");
    if (!mkdtemp(codebook_root)) return false;
    put_codebook("codebook.safetensors", 3);
    put_words("tokenizer.json", WORDS, 0);
    put_records("triplets.jsonl", 200, 3, false, 1);
    put_records("pairs.jsonl", 120, 2, false, 2);
    put_records("scored.jsonl", 150, 2, true, 3);
    prepare_records("triplets.jsonl", "triplets.safetensors");
    prepare_records("pairs.jsonl", "pairs.safetensors");
    prepare_records("scored.jsonl", "scored.safetensors");
    CHECK(mkdir(in_root("sets"), 0700) == 0 && mkdir(in_root("sets/sts"), 0700) == 0);
    put_evaluation("sets/sts/toy-dev.jsonl", 80, 4);
    return true;
}

#endif
