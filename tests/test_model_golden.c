/* Real models over real texts against digests of what the packages wordllama and model2vec give
 * (tests/golden/model_digests.txt, by tools/golden_models.py), bit for bit, and the golden similarities. The kernels
 * are chosen once a process: ctest runs this program once for each value of WORDLLAMA_CPU. */
#include <math.h>
#include <zlib.h>

#include "format/json.h"
#include "test.h"
#include "wordllama.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

enum { PREFIX = 500 }; /* texts that a run under sanitizers uses */

#define FNV_BASIS UINT64_C(0xCBF29CE484222325)

static uint64_t fnv(uint64_t digest, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < size; i++) digest = (digest ^ bytes[i]) * UINT64_C(0x100000001B3);
    return digest;
}

/* ---- texts ------------------------------------------------------------------------------------------------------- */

struct corpus {
    char name[64];
    wl_buffer bytes;
    wl_text *texts;
    size_t count;
};

static bool file_exists(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file) fclose(file);
    return file != NULL;
}

static void read_whole(const char *path, wl_buffer *out)
{
    gzFile file = gzopen(path, "rb");
    wl_error error;
    if (!file) abort();
    for (int got = 1; got > 0; out->size += (size_t)got) {
        if (wl_buffer_reserve(out, 1 << 20, &error)) abort();
        got = gzread(file, out->data + out->size, 1 << 20);
        if (got < 0) abort();
    }
    gzclose(file);
}

/* The member "text" of every line; false where the file is absent. */
static bool read_corpus(struct corpus *corpus, const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, WL_SHARED_DATA "/speed/%s.jsonl.gz", name);
    if (!file_exists(path)) return false;
    wl_error error;
    wl_buffer file = {0}, scratch = {0};
    size_t *ends = NULL, capacity = 0;
    read_whole(path, &file);
    memset(corpus, 0, sizeof *corpus);
    snprintf(corpus->name, sizeof corpus->name, "%s", name);
    for (size_t at = 0; at < file.size && !(SANITIZED && corpus->count == PREFIX);) {
        const char *line = file.data + at, *end = memchr(line, '\n', file.size - at);
        size_t size = end ? (size_t)(end - line) : file.size - at;
        wl_json json;
        wl_text key;
        wl_json_open(&json, line, size, path, &scratch, &error);
        wl_json_begin_object(&json);
        while (wl_json_member(&json, &key)) {
            if (!wl_text_is(key, "text")) {
                wl_json_skip(&json);
                continue;
            }
            wl_text text = wl_json_string(&json);
            void *memory = ends;
            if (wl_reserve(&memory, &capacity, corpus->count + 1, sizeof *ends, &error)) abort();
            ends = memory;
            if (wl_buffer_append(&corpus->bytes, text.data, text.size, &error)) abort();
            ends[corpus->count++] = corpus->bytes.size;
        }
        CHECK_THAT(wl_json_close(&json) == WL_OK, "%s: %s", path, error.message);
        at += size + 1;
    }
    corpus->texts = wl_allocate(corpus->count, sizeof *corpus->texts, &error);
    if (!corpus->texts) abort();
    for (size_t i = 0, begin = 0; i < corpus->count; begin = ends[i++])
        corpus->texts[i] = (wl_text){corpus->bytes.data + begin, ends[i] - begin};
    free(ends);
    wl_buffer_free(&scratch);
    wl_buffer_free(&file);
    return true;
}

/* ---- digests ----------------------------------------------------------------------------------------------------- */

static wl_model *open_model(const char *name)
{
    static const char *const folders[] = {WL_TEST_MODELS, WL_SHARED_DATA "/models/model2vec-fixtures",
                                          WL_SHARED_DATA "/models"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        char path[1024], weights[1100];
        wl_error error;
        snprintf(path, sizeof path, "%s/%s", folders[i], name);
        snprintf(weights, sizeof weights, "%s/model.safetensors", path);
        if (!file_exists(weights)) continue;
        wl_model *model = wl_model_open(path, NULL, &error);
        CHECK_THAT(model, "%s: %s", error.file, error.message);
        return model;
    }
    return NULL;
}

static uint64_t digest_of(const wl_model *model, const struct corpus *corpus, size_t count, const char *mode,
                          uint32_t threads)
{
    wl_error error;
    wl_context_options threaded = {.size = sizeof threaded, .threads = threads};
    wl_embed_options options = {.size = sizeof options, .binary = strcmp(mode, "binary") == 0};
    if (strcmp(mode, "norm") == 0) options.normalize = WL_ON;
    size_t row_size = wl_embed_row_size(model, &options);
    char *rows = wl_allocate(count, row_size, &error);
    wl_context *context = wl_context_create(&threaded, &error);
    if (!rows || !context) abort();
    wl_status status = wl_embed(model, context, corpus->texts, count, &options, rows, count * row_size, &error);
    CHECK_THAT(status == WL_OK, "%s", error.message);
    uint64_t digest = FNV_BASIS;
    for (size_t i = 0; i < count; i++) {
        uint64_t row = fnv(FNV_BASIS, rows + i * row_size, row_size);
        unsigned char bytes[8];
        for (int b = 0; b < 8; b++) bytes[b] = (unsigned char)(row >> 8 * b & 255);
        digest = fnv(digest, bytes, 8);
    }
    wl_context_free(context);
    free(rows);
    return digest;
}

static void test_digests(struct corpus *corpora, size_t corpus_count)
{
    FILE *file = fopen(WL_TEST_DATA "/golden/model_digests.txt", "r");
    CHECK(file);
    if (!file) return;
    char line[256], opened[64] = "";
    wl_model *model = NULL;
    size_t compared = 0;
    while (fgets(line, sizeof line, file)) {
        char *save, *part[5] = {0};
        if (line[0] == '#') continue;
        for (int i = 0; i < 5; i++) part[i] = strtok_r(i ? NULL : line, " \n", &save);
        CHECK(part[4]);
        if (!part[4]) continue;
        size_t count = strtoul(part[3], NULL, 10);
        uint64_t expected = strtoull(part[4], NULL, 16);
        const struct corpus *corpus = NULL;
        for (size_t i = 0; i < corpus_count; i++)
            if (strcmp(corpora[i].name, part[2]) == 0) corpus = &corpora[i];
        if (!corpus || (SANITIZED && count > PREFIX)) continue; /* said in main */
        CHECK(count <= corpus->count && (count == PREFIX || count == corpus->count));
        if (strcmp(opened, part[0]) != 0) {
            wl_model_close(model);
            model = open_model(part[0]);
            snprintf(opened, sizeof opened, "%s", part[0]);
            if (!model) SKIP("digests of %s: no such model here", part[0]);
        }
        if (!model || count > corpus->count) continue;
        for (uint32_t threads = 1; threads <= 2; threads++) {
            uint64_t got = digest_of(model, corpus, count, part[1], threads);
            CHECK_THAT(got == expected, "%s %s of %zu texts of %s with %u threads on %s: %016llx, expected %016llx",
                       part[0], part[1], count, part[2], threads, wl_cpu_name(), (unsigned long long)got,
                       (unsigned long long)expected);
            compared++;
        }
    }
    printf("%zu digests compared on %s\n", compared, wl_cpu_name());
    wl_model_close(model);
    fclose(file);
}

/* ---- similarities ------------------------------------------------------------------------------------------------ */

static void test_similarities(void)
{
    static const char *const texts[] = {
        "Machine learning methods",        "Foundations of neural science",     "Introduction to neural networks",
        "Cooking delicious pasta at home", "Introduction to philosophy: logic", "I went to the car",
        "I went to the pawn shop"};
    static const struct {
        int a, b;
        double similarity;
    } golden[] = {{0, 1, 0.211497}, {0, 2, 0.341415}, {0, 3, 0.004540}, {0, 4, 0.106747}, {5, 6, 0.061902}};
    enum { COUNT = sizeof texts / sizeof *texts };
    wl_model *model = open_model("l2_supercat_256");
    if (!model) {
        SKIP("similarities: no model l2_supercat_256 here");
        return;
    }
    wl_error error;
    wl_context *context = wl_context_create(NULL, &error);
    wl_text given[COUNT];
    static float vectors[COUNT][256];
    for (size_t i = 0; i < COUNT; i++) given[i] = (wl_text){texts[i], strlen(texts[i])};
    CHECK(wl_model_describe(model).dim == 256);
    CHECK(wl_embed(model, context, given, COUNT, NULL, vectors, sizeof vectors, &error) == WL_OK);
    for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
        double got = (double)wl_cosine(vectors[golden[i].a], vectors[golden[i].b], 256);
        CHECK_THAT(fabs(got - golden[i].similarity) < 1e-6, "'%s' and '%s': %f, expected %f", texts[golden[i].a],
                   texts[golden[i].b], got, golden[i].similarity);
    }
    wl_context_free(context);
    wl_model_close(model);
}

int main(void)
{
    static const char *const names[] = {"ag_news", "newsgroups", "zhwiki"};
    static struct corpus corpora[3];
    size_t count = 0;
    const char *wanted = getenv("WORDLLAMA_CPU");
    if (wanted && wanted[0] && strcmp(wanted, wl_cpu_name()) != 0) {
        SKIP("kernels %s: this processor lacks them, %s is tested by itself", wanted, wl_cpu_name());
        return test_end();
    }
    if (SANITIZED) SKIP("digests of all texts: under sanitizers only the first %d of each file", PREFIX);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (read_corpus(&corpora[count], names[i]))
            count++;
        else
            SKIP("digests over %s: no such file in the shared data", names[i]);
    }
    test_digests(corpora, count);
    test_similarities();
    for (size_t i = 0; i < count; i++) {
        wl_buffer_free(&corpora[i].bytes);
        free(corpora[i].texts);
    }
    return test_end();
}
