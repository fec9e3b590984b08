/* Real tokenizers on real and random texts against digests of the oracle's answers (tools/golden_ids.py), and against
 * the vectors of other projects. Needs the shared data. */
#include "test.h"

#include "text/tokenizer.h"
#include "texts.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WL_SLOW 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define WL_SLOW 1
#endif
#endif
#ifndef WL_SLOW
#define WL_SLOW 0
#endif

#define PIECES WL_TEST_DATA "/golden/ids_pieces.json"

/* A line of golden/ids.txt. */
struct golden {
    char tokenizer[64], file[64];
    size_t texts, ids;
    unsigned long long digest;
    size_t head, head_ids;
    unsigned long long head_digest, special_digest, offset_digest;
};

static wl_context *context;
static size_t texts_checked, ids_checked, spans_checked;

static wl_tokenizer *open_tokenizer(const char *name)
{
    static const char *const patterns[] = {"%s/tokenizers/%s.json.gz", "%s/models/%s/tokenizer.json",
                                           "%s/models/model2vec-fixtures/test-model-%s/tokenizer.json"};
    char path[1024];
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        wl_error error;
        wl_buffer file = {0};
        snprintf(path, sizeof path, patterns[i], WL_SHARED_DATA, name);
        if (!texts_file(path, &file)) continue;
        wl_tokenizer *tokenizer = wl_tokenizer_parse(file.data, file.size, path, &error);
        wl_buffer_free(&file);
        CHECK_THAT(tokenizer, "%s: line %llu: %s", path, (unsigned long long)error.line, error.message);
        return tokenizer;
    }
    return NULL;
}

/* ---- where the texts come from ---- */

/* As EVAL and FIELDS of tools/golden_ids.py. */
static const char *const eval_files[] = {
    "classification/amazon-counterfactual-en-test",
    "classification/amazon-counterfactual-en-train",
    "classification/banking77-test",
    "classification/banking77-train",
    "classification/emotion-test",
    "classification/emotion-train",
    "clustering/biomedical",
    "clustering/stackoverflow",
    "pair/twitter-url",
    "retrieval/scifact/corpus",
    "retrieval/scifact/queries",
    "sts/sts12",
    "sts/sts14",
    "sts/sts16",
    "sts/stsb-dev",
    "sts/stsb-test",
    "sts/stsb-train",
    "triplet/snli-test",
    "wordsim/simlex999",
    "wordsim/ws353",
};
static const char *const fields[] = {"text", "text1", "text2", "title", "anchor", "positive", "negative"};
enum { EVAL_FILES = sizeof eval_files / sizeof *eval_files, FIELDS = sizeof fields / sizeof *fields };

/* Texts one behind the other, each before its end. */
struct source {
    wl_buffer texts;
    size_t *ends, count, capacity, at;
};

static bool source_add(struct source *source, wl_text text)
{
    void *ends = source->ends;
    bool grown = !wl_reserve(&ends, &source->capacity, source->count + 1, sizeof *source->ends, NULL) &&
                 !wl_buffer_append(&source->texts, text.data, text.size, NULL);
    source->ends = ends;
    if (grown) source->ends[source->count++] = source->texts.size;
    return grown;
}

/* The texts of a JSONL file. */
static bool source_read(struct source *source, const char *folder, const char *name)
{
    char path[1024];
    wl_buffer file = {0}, scratch = {0};
    wl_text line, key;
    size_t at = 0;
    snprintf(path, sizeof path, "%s/%s/%s.jsonl.gz", WL_SHARED_DATA, folder, name);
    bool good = texts_file(path, &file);
    while (good && texts_line(&file, &at, &line)) {
        wl_json json;
        wl_error error;
        wl_json_open(&json, line.data, line.size, "line", &scratch, &error);
        wl_json_begin_object(&json);
        while (wl_json_member(&json, &key)) {
            size_t field = 0;
            while (field < FIELDS && !wl_text_is(key, fields[field])) field++;
            if (field == FIELDS)
                wl_json_skip(&json);
            else
                good = source_add(source, wl_json_string(&json)) && good;
        }
        good = !wl_json_close(&json) && good;
    }
    wl_buffer_free(&file);
    wl_buffer_free(&scratch);
    return good;
}

static bool source_random(struct source *source, size_t count)
{
    texts_random random;
    wl_buffer text = {0};
    bool good = texts_random_open(&random, PIECES);
    for (; good && count > 0; count--) good = source_add(source, texts_random_next(&random, &text));
    texts_random_close(&random);
    wl_buffer_free(&text);
    return good;
}

static bool source_open(struct source *source, const struct golden *golden)
{
    *source = (struct source){0};
    if (!strcmp(golden->file, "random")) return source_random(source, golden->texts);
    if (strcmp(golden->file, "eval") != 0) return source_read(source, "speed", golden->file);
    for (size_t i = 0; i < EVAL_FILES; i++)
        if (!source_read(source, "eval", eval_files[i])) return false;
    return true;
}

static void source_close(struct source *source)
{
    wl_buffer_free(&source->texts);
    free(source->ends);
}

static bool source_next(struct source *source, wl_text *text)
{
    if (source->at == source->count) return false;
    size_t begin = source->at ? source->ends[source->at - 1] : 0;
    *text = (wl_text){source->texts.data ? source->texts.data + begin : "", source->ends[source->at++] - begin};
    return true;
}

/* ---- digests ---- */

enum { SOURCES = 8 };
struct named_source {
    char name[64];
    bool opened;
    struct source source;
};

/* Opened once for all tokenizers; NULL where it is absent. */
static struct source *source_of(struct named_source *sources, const struct golden *golden)
{
    size_t i = 0;
    while (i < SOURCES && sources[i].name[0] && strcmp(sources[i].name, golden->file) != 0) i++;
    if (i == SOURCES) return NULL;
    struct named_source *named = &sources[i];
    if (!named->name[0]) {
        snprintf(named->name, sizeof named->name, "%s", golden->file);
        named->opened = source_open(&named->source, golden);
        if (!named->opened) SKIP("%s: the texts are not in %s", golden->file, WL_SHARED_DATA);
    }
    named->source.at = 0;
    return named->opened ? &named->source : NULL;
}

static void check_plain(const wl_tokenizer *tokenizer, struct source *source, const struct golden *golden)
{
    const char *name = golden->tokenizer, *file = golden->file;
    texts_encoded encoded = {0};
    uint64_t digest = texts_digest_start;
    size_t ids = 0, count = 0, last = golden->texts;
    /* The general way is slow: its head is enough for a test that runs often. */
    if (WL_SLOW || tokenizer->scanner == WL_SCAN_GENERAL) last = golden->head;
    wl_text text;
    wl_error error;
    for (; count < last && source_next(source, &text); count++) {
        wl_status status = texts_encode(tokenizer, context, text, NULL, false, &encoded, &error);
        CHECK_THAT(!status, "%s %s text %zu: %s", name, file, count, error.message);
        if (status) break;
        texts_digest(&digest, (uint32_t)encoded.count);
        for (size_t i = 0; i < encoded.count; i++) texts_digest(&digest, encoded.ids[i]);
        ids += encoded.count;
        if (count + 1 != golden->head) continue;
        CHECK_THAT(ids == golden->head_ids && digest == golden->head_digest,
                   "%s %s, first %zu texts: %zu ids %016llx, golden %zu ids %016llx", name, file, golden->head, ids,
                   (unsigned long long)digest, golden->head_ids, golden->head_digest);
    }
    CHECK_THAT(count == last, "%s %s: %zu texts, golden %zu", name, file, count, last);
    if (last == golden->texts)
        CHECK_THAT(ids == golden->ids && digest == golden->digest, "%s %s: %zu ids %016llx, golden %zu ids %016llx",
                   name, file, ids, (unsigned long long)digest, golden->ids, golden->digest);
    texts_checked += count;
    ids_checked += ids;
    texts_encoded_free(&encoded);
}

static void check_spans(const wl_tokenizer *tokenizer, struct source *source, const struct golden *golden)
{
    const wl_encode_options options = {.size = sizeof options, .special_tokens = true, .unit = WL_CHARACTERS};
    texts_encoded encoded = {0};
    uint64_t special = texts_digest_start, offsets = texts_digest_start;
    wl_text text;
    wl_error error;
    source->at = 0;
    for (size_t count = 0; count < golden->head && source_next(source, &text); count++) {
        wl_status status = texts_encode(tokenizer, context, text, &options, true, &encoded, &error);
        CHECK_THAT(!status, "%s %s text %zu: %s", golden->tokenizer, golden->file, count, error.message);
        if (status) break;
        texts_digest(&special, (uint32_t)encoded.count);
        texts_digest(&offsets, (uint32_t)encoded.count);
        for (size_t i = 0; i < encoded.count; i++) {
            texts_digest(&special, encoded.ids[i]);
            texts_digest(&offsets, encoded.spans[i].begin);
            texts_digest(&offsets, encoded.spans[i].end);
        }
        spans_checked += encoded.count;
    }
    CHECK_THAT(special == golden->special_digest, "%s %s with special tokens: %016llx, golden %016llx",
               golden->tokenizer, golden->file, (unsigned long long)special, golden->special_digest);
    CHECK_THAT(offsets == golden->offset_digest, "%s %s offsets: %016llx, golden %016llx", golden->tokenizer,
               golden->file, (unsigned long long)offsets, golden->offset_digest);
    texts_encoded_free(&encoded);
}

static void check_digests(void)
{
    const char *path = WL_TEST_DATA "/golden/ids.txt";
    char line[512], open[64] = "";
    static struct named_source sources[SOURCES];
    size_t lines = 0;
    wl_tokenizer *tokenizer = NULL;
    FILE *file = fopen(path, "r");
    CHECK_THAT(file, "%s", path);
    while (file && fgets(line, sizeof line, file)) {
        struct golden golden;
        if (line[0] == '#') continue;
        int values = sscanf(line, "%63s %63s %zu %zu %llx %zu %zu %llx %llx %llx", golden.tokenizer, golden.file,
                            &golden.texts, &golden.ids, &golden.digest, &golden.head, &golden.head_ids,
                            &golden.head_digest, &golden.special_digest, &golden.offset_digest);
        CHECK_THAT(values == 10, "%s: %s", path, line);
        if (values != 10) break;
        if (strcmp(open, golden.tokenizer) != 0) {
            wl_tokenizer_close(tokenizer);
            tokenizer = open_tokenizer(golden.tokenizer);
            snprintf(open, sizeof open, "%s", golden.tokenizer);
            if (!tokenizer) SKIP("%s is not checked", golden.tokenizer);
        }
        if (!tokenizer) continue;
        struct source *source = source_of(sources, &golden);
        if (source) {
            check_plain(tokenizer, source, &golden);
            check_spans(tokenizer, source, &golden);
            lines++;
        }
    }
    if (file) fclose(file);
    wl_tokenizer_close(tokenizer);
    for (size_t i = 0; i < SOURCES; i++) source_close(&sources[i].source);
    printf("digests: %zu files of texts, %zu texts, %zu ids; %zu ids with special tokens and offsets%s\n", lines,
           texts_checked, ids_checked, spans_checked,
           WL_SLOW ? " (sanitized build: the head of each file)" : " (without a scanner: the head of each file)");
}

/* ---- vectors of other projects ---- */

/* Lines of vectors.jsonl.gz whose ids are not the oracle's (another library drops spaces beside special tokens, or
 * misses one, or numbers them otherwise), with the ids of tokenizers 0.23.3. */
static const struct {
    size_t number, count;
    uint32_t ids[7];
} not_the_oracle[] = {
    {286, 3, {15339, 100256, 14957}},
    {469, 3, {1, 29871, 13}},
    {470, 2, {259, 1}},
    {471, 3, {2, 1243, 2}},
    {472, 7, {259, 2, 29871, 1243, 29871, 2, 259}},
    {474, 7, {18637, 29871, 2, 869, 920, 526, 366}},
    {1495, 1, {100256}},
    {1496, 3, {15145, 100256, 10924}},
    {1497, 4, {64, 100256, 100260, 65}},
};
enum { NOT_THE_ORACLE = sizeof not_the_oracle / sizeof *not_the_oracle };

static void check_vector(const wl_tokenizer *tokenizer, const char *name, const wl_json *line, size_t number)
{
    wl_encode_options options = {.size = sizeof options};
    wl_json json = *line, ids = {0};
    wl_text key;
    wl_buffer text = {0};
    texts_encoded encoded = {0};
    wl_error error;
    wl_json_begin_object(&json);
    while (wl_json_member(&json, &key)) {
        if (wl_text_is(key, "text")) {
            texts_add(&text, wl_json_string(&json));
        } else if (wl_text_is(key, "add_special_tokens")) {
            options.special_tokens = wl_json_boolean(&json);
        } else {
            if (wl_text_is(key, "ids")) ids = json;
            wl_json_skip(&json);
        }
    }
    wl_status status =
        texts_encode(tokenizer, context, (wl_text){text.data, text.size}, &options, false, &encoded, &error);
    CHECK_THAT(!status && !wl_json_failed(&json), "%s vector %zu: %s", name, number, error.message);
    size_t count = 0;
    bool same = ids.text != NULL;
    wl_json_begin_array(&ids);
    for (; ids.text && wl_json_element(&ids); count++) {
        uint64_t id = wl_json_unsigned(&ids, UINT32_MAX);
        same = same && count < encoded.count && encoded.ids[count] == id;
    }
    for (size_t i = 0; i < NOT_THE_ORACLE; i++) {
        if (not_the_oracle[i].number != number) continue;
        CHECK_THAT(!same, "%s vector %zu is the oracle's now", name, number);
        count = not_the_oracle[i].count;
        same = encoded.count == count && memcmp(encoded.ids, not_the_oracle[i].ids, count * sizeof(uint32_t)) == 0;
    }
    CHECK_THAT(same && count == encoded.count, "%s vector %zu: %zu ids, expected %zu: %.*s", name, number,
               encoded.count, count, (int)text.size, text.data ? text.data : "");
    texts_encoded_free(&encoded);
    wl_buffer_free(&text);
}

static void check_vectors(void)
{
    static const char *const names[] = {"l2_supercat",
                                        "mistral-v1",
                                        "llama3",
                                        "gpt2",
                                        "roberta-base",
                                        "cl100k_base",
                                        "qwen2.5",
                                        "bert-base-uncased",
                                        "bert-base-multilingual-cased",
                                        "all-MiniLM-L6-v2",
                                        "t5-small",
                                        "camembert",
                                        "xlm-roberta-base",
                                        "deberta-v3",
                                        "albert-base-v2"};
    enum { NAMES = sizeof names / sizeof *names };
    wl_tokenizer *tokenizers[NAMES] = {0};
    bool tried[NAMES] = {0};
    wl_buffer file = {0}, scratch = {0};
    size_t at = 0, number = 0, checked = 0;
    wl_text line, key;
    if (!texts_file(WL_SHARED_DATA "/tokenizers/vectors.jsonl.gz", &file)) {
        SKIP("vectors of other projects: not in %s", WL_SHARED_DATA);
        return;
    }
    for (; texts_line(&file, &at, &line); number++) {
        wl_error error;
        wl_json json;
        size_t which = 0;
        wl_json_open(&json, line.data, line.size, "vectors", &scratch, &error);
        wl_json look = json;
        wl_json_begin_object(&look);
        while (wl_json_member(&look, &key)) {
            if (!wl_text_is(key, "tokenizer")) {
                wl_json_skip(&look);
                continue;
            }
            wl_text name = wl_json_string(&look);
            while (which < NAMES && !wl_text_is(name, names[which])) which++;
            break;
        }
        if (which == NAMES) continue;
        if (!tried[which]) tokenizers[which] = open_tokenizer(names[which]);
        tried[which] = true;
        if (!tokenizers[which]) continue;
        check_vector(tokenizers[which], names[which], &json, number + 1);
        checked++;
    }
    for (size_t i = 0; i < NAMES; i++) wl_tokenizer_close(tokenizers[i]);
    wl_buffer_free(&scratch);
    wl_buffer_free(&file);
    printf("vectors of other projects: %zu of %zu, the rest is of other tokenizers; %d of them by the oracle's ids\n",
           checked, number, NOT_THE_ORACLE);
}

int main(void)
{
    const wl_context_options options = {.size = sizeof options, .threads = 1};
    context = wl_context_create(&options, NULL);
    CHECK(context);
    if (!context) return test_end();
    check_digests();
    check_vectors();
    wl_context_free(context);
    return test_end();
}
