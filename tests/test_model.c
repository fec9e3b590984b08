/* The room model/: tiny models against what the packages wordllama and model2vec give (tools/golden_models.py), every
 * way to embed against the plain one, bad models, failing memory. */
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fault.h"
#include "format/json.h"
#include "model/model.h"
#include "model/paths.h"
#include "test.h"
#include "vector/ops.h"

#define MODELS WL_TEST_DATA "/golden/models/"

enum { MOST_TEXTS = 32, MOST_DIM = 64 };

static wl_context *make_context(uint32_t threads)
{
    wl_error error;
    wl_context_options options = {sizeof options, threads, 1};
    wl_context *context = wl_context_create(&options, &error);
    if (!context) abort();
    return context;
}

static wl_model *open_model(const char *name)
{
    char path[1024];
    wl_error error;
    snprintf(path, sizeof path, MODELS "%s", name);
    wl_model *model = wl_model_open(path, NULL, &error);
    CHECK_THAT(model, "%s: %s: %s", name, error.file, error.message);
    return model;
}

/* ---- expected.jsonl ---------------------------------------------------------------------------------------------- */

static struct {
    wl_text texts[MOST_TEXTS];
    size_t count;
} golden;

struct expected {
    char model[64];
    bool normalize;
    float raw[MOST_TEXTS][MOST_DIM], unit[MOST_TEXTS][MOST_DIM];
    size_t dim;
};

static void read_rows(wl_json *json, float (*rows)[MOST_DIM], size_t *dim)
{
    size_t count = 0;
    for (wl_json_begin_array(json); wl_json_element(json); count++) {
        wl_text hex = wl_json_string(json);
        if (count >= MOST_TEXTS || hex.size > 8 * MOST_DIM) abort();
        *dim = hex.size / 8;
        for (size_t j = 0; j < *dim; j++) {
            char digits[9] = "";
            memcpy(digits, hex.data + 8 * j, 8);
            uint32_t bits = (uint32_t)strtoul(digits, NULL, 16);
            memcpy(&rows[count][j], &bits, 4);
        }
    }
    CHECK(count == golden.count);
}

static void read_texts(wl_json *json)
{
    for (wl_json_begin_array(json); wl_json_element(json); golden.count++) {
        wl_text text = wl_json_string(json);
        wl_error error;
        if (golden.count >= MOST_TEXTS) abort();
        golden.texts[golden.count] = (wl_text){wl_copy_text(text.data, text.size, &error), text.size};
    }
}

static void check_model(const struct expected *expected);

static void test_golden(void)
{
    wl_mapping mapping;
    wl_error error = {0};
    wl_buffer scratch = {0};
    size_t models = 0;
    CHECK(wl_mapping_open(&mapping, MODELS "expected.jsonl", &error) == WL_OK);
    if (error.code) return;
    static struct expected expected;
    for (const char *at = mapping.data, *end = at + mapping.size; at < end;) {
        const char *line = memchr(at, '\n', (size_t)(end - at));
        if (!line) line = end;
        wl_json json;
        wl_text key;
        bool model = false;
        memset(&expected, 0, sizeof expected);
        wl_json_open(&json, at, (size_t)(line - at), "expected.jsonl", &scratch, &error);
        wl_json_begin_object(&json);
        while (wl_json_member(&json, &key)) {
            if (wl_text_is(key, "texts"))
                read_texts(&json);
            else if (wl_text_is(key, "model")) {
                wl_text name = wl_json_string(&json);
                snprintf(expected.model, sizeof expected.model, "%.*s", (int)name.size, name.data);
                model = true;
            } else if (wl_text_is(key, "normalize"))
                expected.normalize = wl_json_boolean(&json);
            else if (wl_text_is(key, "raw"))
                read_rows(&json, expected.raw, &expected.dim);
            else if (wl_text_is(key, "unit"))
                read_rows(&json, expected.unit, &expected.dim);
            else
                wl_json_skip(&json);
        }
        CHECK_THAT(wl_json_close(&json) == WL_OK, "%s", error.message);
        if (model) check_model(&expected);
        models += model;
        at = line + 1;
    }
    CHECK(models == 20 && golden.count == 13);
    wl_buffer_free(&scratch);
    wl_mapping_close(&mapping);
}

/* Bit for bit, but that a zero may have either sign. */
static bool same(const float *a, const float *b, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (memcmp(&a[i], &b[i], sizeof *a) != 0 && !(a[i] == 0 && b[i] == 0)) return false;
    return true;
}

static void check_options(const wl_model *model, wl_context *context, const struct expected *expected)
{
    static float out[MOST_TEXTS * MOST_DIM];
    static uint8_t bits[MOST_TEXTS * MOST_DIM];
    wl_error error;
    size_t count = golden.count;
    const char *name = expected->model;
    for (int toggle = WL_DEFAULT; toggle <= WL_OFF; toggle++)
        for (uint32_t dim = 0; dim <= expected->dim; dim++) {
            wl_embed_options options = {.size = sizeof options, .normalize = (wl_toggle)toggle, .dim = dim};
            bool unit = toggle == WL_ON || (toggle == WL_DEFAULT && expected->normalize);
            size_t kept = dim ? dim : expected->dim;
            CHECK(wl_embed_row_size(model, &options) == 4 * kept);
            memset(out, 0xFF, sizeof out);
            wl_status status = wl_embed(model, context, golden.texts, count, &options, out, count * kept * 4, &error);
            CHECK_THAT(status == WL_OK, "%s: %s", name, error.message);
            for (size_t i = 0; i < count && !status; i++) {
                const float *row = out + i * kept;
                float wanted[MOST_DIM];
                /* The packages give whole vectors: a shorter one is cut from the mean and then made a unit. */
                memcpy(wanted, unit && kept == expected->dim ? expected->unit[i] : expected->raw[i], sizeof wanted);
                if (unit && kept < expected->dim) wl_make_unit(model, wanted, kept);
                CHECK_THAT(same(row, wanted, kept), "%s text %zu dim %zu toggle %d", name, i, kept, toggle);
                for (size_t j = 0; j < kept; j++) CHECK(!isnan(row[j]));
                if (golden.texts[i].size == 0)
                    for (size_t j = 0; j < kept; j++) CHECK(row[j] == 0);
            }
            options.binary = true;
            size_t bytes = (kept + 7) / 8;
            CHECK(wl_embed_row_size(model, &options) == bytes);
            memset(bits, 0xFF, sizeof bits);
            CHECK(wl_embed(model, context, golden.texts, count, &options, bits, count * bytes, &error) == WL_OK);
            size_t wrong = 0;
            for (size_t i = 0; i < count; i++)
                for (size_t j = 0; j < 8 * bytes; j++) {
                    bool bit = j < kept && expected->raw[i][j] > 0; /* the first dimension in the highest bit */
                    wrong += ((bits[i * bytes + j / 8] >> (7 - j % 8)) & 1) != bit;
                }
            CHECK_THAT(wrong == 0, "%s dim %zu: %zu wrong bits", name, kept, wrong);
            CHECK(bits[count * bytes] == 0xFF);
        }
}

/* From the ids of wl_encode to the same vectors: without the model's own cut of characters. */
static void check_ids(const wl_model *model, wl_context *context)
{
    static uint32_t ids[16384];
    size_t starts[MOST_TEXTS + 1] = {0}, dim = wl_model_describe(model).dim;
    static float by_text[MOST_TEXTS * MOST_DIM], by_ids[MOST_TEXTS * MOST_DIM];
    wl_error error;
    wl_text texts[MOST_TEXTS];
    size_t count = 0;
    for (size_t i = 0; i < golden.count; i++) {
        size_t most = wl_model_describe(model).max_characters, got;
        if (most && golden.texts[i].size > most) continue;
        texts[count] = golden.texts[i];
        CHECK(wl_encode(wl_model_tokenizer(model), context, golden.texts[i], NULL, ids + starts[count], NULL,
                        16384 - starts[count], &got, &error) == WL_OK);
        starts[count + 1] = starts[count] + got;
        count++;
    }
    CHECK(count >= 5);
    CHECK(wl_embed(model, context, texts, count, NULL, by_text, sizeof by_text, &error) == WL_OK);
    CHECK(wl_embed_ids(model, context, ids, starts, count, NULL, by_ids, sizeof by_ids, &error) == WL_OK);
    CHECK(memcmp(by_text, by_ids, count * dim * 4) == 0);
}

/* The rows of a text's tokens average to its vector, but for roundings. */
static void check_tokens(const wl_model *model, wl_context *context, const struct expected *expected)
{
    static float rows[4000 * MOST_DIM], unit[4000 * MOST_DIM];
    static uint8_t bits[4000 * MOST_DIM / 8];
    wl_error error;
    wl_embed_options normalized = {.size = sizeof normalized, .normalize = WL_ON};
    wl_embed_options binary = {.size = sizeof binary, .binary = true};
    size_t dim = expected->dim;
    for (size_t i = 0; i < golden.count; i++) {
        size_t count = 0, other = 1;
        wl_text text = golden.texts[i];
        CHECK(wl_embed_tokens(model, context, text, NULL, rows, 4000, &count, &error) == WL_OK);
        for (size_t j = 0; j < dim; j++) {
            double sum = 0, magnitude = 0;
            for (size_t t = 0; t < count; t++) {
                sum += (double)rows[t * dim + j];
                magnitude += fabs((double)rows[t * dim + j]);
            }
            double mean = count ? sum / (double)count : 0, most = count ? magnitude / (double)count : 0;
            CHECK_THAT(fabs(mean - (double)expected->raw[i][j]) <= most * 1e-3 + 1e-6, "%s text %zu column %zu",
                       expected->model, i, j);
        }
        CHECK(wl_embed_tokens(model, context, text, &normalized, unit, 4000, &other, &error) == WL_OK);
        CHECK(other == count);
        for (size_t t = 0; t < count; t++) CHECK(fabsf(wl_norm(unit + t * dim, dim) - 1) < 2e-3f);
        CHECK(wl_embed_tokens(model, context, text, &binary, bits, 4000, &other, &error) == WL_OK);
        for (size_t t = 0; t < count; t++) {
            uint8_t wanted[MOST_DIM / 8];
            wl_binarize(rows + t * dim, dim, wanted);
            CHECK(memcmp(wanted, bits + t * ((dim + 7) / 8), (dim + 7) / 8) == 0);
        }
        if (count == 0) continue;
        memset(unit, 0xFF, sizeof unit);
        CHECK(wl_embed_tokens(model, context, text, NULL, unit, count - 1, &other, &error) == WL_ERROR_LIMIT);
        CHECK(other == count && memcmp(unit, rows, (count - 1) * dim * 4) == 0 && isnan(unit[(count - 1) * dim]));
        CHECK(wl_embed_tokens(model, context, text, NULL, NULL, 0, &other, &error) == WL_ERROR_LIMIT);
        CHECK(other == count);
    }
}

static void check_model(const struct expected *expected)
{
    static const uint32_t threads[] = {1, 2, 5};
    wl_model *model = open_model(expected->model);
    if (!model) return;
    wl_model_info info = wl_model_describe(model);
    CHECK(info.dim == expected->dim && info.normalize == expected->normalize && info.vocabulary == 30);
    CHECK(info.policy == (strncmp(expected->model, "wordllama", 9) ? WL_POLICY_MODEL2VEC : WL_POLICY_WORDLLAMA));
    CHECK(info.weighted == (strstr(expected->model, "weights") != NULL));
    CHECK(info.mapped == (strstr(expected->model, "mapping") != NULL));
    for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
        wl_context *context = make_context(threads[t]);
        check_options(model, context, expected);
        check_ids(model, context);
        check_tokens(model, context, expected);
        wl_context_free(context);
    }
    wl_model_close(model);
}

static void test_describe(void)
{
    wl_model *model = open_model("wordllama-f16");
    wl_model_info info = wl_model_describe(model);
    CHECK(info.rows == 30 && info.dim == 16 && strcmp(info.dtype, "F16") == 0 && info.bytes > 30 * 16 * 2);
    CHECK(!info.normalize && !info.weighted && !info.mapped && !info.max_tokens && !info.max_characters);
    CHECK(wl_model_tokenizer(model) && strcmp(wl_tokenizer_kind(wl_model_tokenizer(model)), "WordPiece") == 0);
    wl_model_close(model);
    model = open_model("model2vec-f16");
    info = wl_model_describe(model);
    CHECK(info.max_tokens == 6 && info.max_characters == 18); /* the median piece has 3 characters */
    wl_model_close(model);
    model = open_model("model2vec-f32");
    CHECK(wl_model_describe(model).max_tokens == 512 && wl_model_describe(model).max_characters == 512 * 3);
    wl_model_close(model);
    model = open_model("model2vec-i8");
    CHECK(wl_model_describe(model).max_tokens == 0 && wl_model_describe(model).max_characters == 0);
    wl_model_close(model);
    model = open_model("model2vec-nested");
    CHECK(wl_model_describe(model).max_tokens == 9);
    wl_model_close(model);
    wl_model_close(NULL);
}

static void test_counts(void)
{
    wl_model *model = open_model("model2vec-f16");
    wl_context *context = make_context(3);
    wl_error error;
    float out[4 * 17];
    wl_text texts[] = {{"the car", 7}, {NULL, 0}, {"we went to the pawn shop, the shop", 34}, {"a b", 3}};
    CHECK(wl_context_threads(context) == 3);
    CHECK(wl_embed(model, context, texts, 4, NULL, out, sizeof out, &error) == WL_OK);
    wl_counts counts = wl_context_counts(context);
    CHECK(counts.texts == 4 && counts.truncated == 1 && counts.replaced == 0);
    CHECK(counts.tokens == 2 + 0 + 4 + 2); /* "we went to the paw": the last is unknown and dropped */
    wl_model_options options = {.size = sizeof options, .whole_texts = true};
    wl_model *whole = wl_model_open(MODELS "model2vec-f16", &options, &error);
    CHECK(whole && !wl_model_describe(whole).max_tokens && !wl_model_describe(whole).max_characters);
    CHECK(whole && wl_embed(whole, context, texts, 4, NULL, out, sizeof out, &error) == WL_OK);
    CHECK(wl_context_counts(context).truncated == 1 && wl_context_counts(context).tokens > 2 * counts.tokens);
    wl_model_close(whole);
    wl_text broken = {"the \xFF\xC3 car", 10};
    CHECK(wl_embed(model, context, &broken, 1, NULL, out, sizeof out, &error) == WL_OK);
    CHECK(wl_context_counts(context).replaced == 2);
    wl_context_free(context);
    wl_model_close(model);
}

/* ---- arguments --------------------------------------------------------------------------------------------------- */

static void test_arguments(void)
{
    wl_model *model = open_model("wordllama-f32");
    wl_context *context = make_context(2);
    wl_error error;
    float out[2 * 13 + 1];
    size_t rows;
    wl_text texts[] = {{"the car", 7}, {"a shop", 6}};
    wl_embed_options wrong = {.size = sizeof wrong + 1}, wide = {.size = sizeof wide, .dim = 14};
    const wl_embed_options *bad[] = {&wrong, &wide};
    for (int i = 0; i < 2; i++) {
        CHECK(wl_embed_row_size(model, bad[i]) == 0);
        CHECK(wl_embed(model, context, texts, 2, bad[i], out, sizeof out, &error) == WL_ERROR_ARGUMENT);
        CHECK(wl_embed_tokens(model, context, texts[0], bad[i], out, 2, &rows, &error) == WL_ERROR_ARGUMENT);
        CHECK(wl_embed_ids(model, context, &(uint32_t){1}, (size_t[]){0, 1}, 1, bad[i], out, sizeof out, &error) ==
              WL_ERROR_ARGUMENT);
        CHECK(wl_embed_stream(model, context, (wl_source){0}, (wl_sink){0}, bad[i], &error) == WL_ERROR_ARGUMENT);
    }
    CHECK(wl_embed_row_size(NULL, NULL) == 0);
    CHECK(wl_embed(NULL, context, texts, 2, NULL, out, sizeof out, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_embed(model, NULL, texts, 2, NULL, out, sizeof out, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_embed(model, context, NULL, 2, NULL, out, sizeof out, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_embed(model, context, NULL, 0, NULL, NULL, 0, &error) == WL_OK);
    CHECK(wl_embed(model, context, &(wl_text){NULL, 3}, 1, NULL, out, sizeof out, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_embed(model, context, texts, 2, NULL, out, 2 * 13 * 4 - 1, &error) == WL_ERROR_LIMIT);
    CHECK(wl_embed(model, context, texts, 2, NULL, NULL, sizeof out, &error) == WL_ERROR_LIMIT);
    CHECK(wl_embed(model, context, texts, SIZE_MAX, NULL, out, sizeof out, &error) == WL_ERROR_LIMIT);
    out[26] = 12345;
    CHECK(wl_embed(model, context, texts, 2, NULL, out, 2 * 13 * 4, NULL) == WL_OK && out[26] == 12345);
    CHECK(wl_embed(model, context, texts, 2, NULL, out, 1, NULL) == WL_ERROR_LIMIT); /* without an error to fill */
    CHECK(wl_embed_tokens(model, context, texts[0], NULL, NULL, 2, &rows, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_embed_tokens(model, context, texts[0], NULL, out, 2, NULL, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_embed_tokens(model, context, (wl_text){NULL, 1}, NULL, out, 2, &rows, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_embed_stream(model, context, (wl_source){0}, (wl_sink){0}, NULL, &error) == WL_ERROR_ARGUMENT);

    CHECK(wl_embed_ids(model, context, NULL, NULL, 0, NULL, NULL, 0, &error) == WL_OK);
    CHECK(wl_embed_ids(model, context, NULL, NULL, 1, NULL, out, sizeof out, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_embed_ids(model, context, NULL, (size_t[]){0, 1}, 1, NULL, out, sizeof out, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_embed_ids(model, context, NULL, (size_t[]){5, 5}, 1, NULL, out, sizeof out, &error) == WL_OK);
    for (size_t j = 0; j < 13; j++) CHECK(out[j] == 0);
    CHECK(wl_embed_ids(model, context, (uint32_t[]){1, 2}, (size_t[]){0, 2, 1}, 2, NULL, out, sizeof out, &error) ==
          WL_ERROR_ARGUMENT);
    CHECK(wl_embed_ids(model, context, (uint32_t[]){1, 2}, (size_t[]){0, 1, 2}, 2, NULL, out, 100, &error) ==
          WL_ERROR_LIMIT);
    wl_context_free(context);
    wl_model_close(model);

    wl_context_options size = {.size = 1};
    CHECK(!wl_context_create(&size, &error) && error.code == WL_ERROR_ARGUMENT);
    wl_model_options model_size = {.size = 1};
    CHECK(!wl_model_open(MODELS "wordllama-f32", &model_size, &error) && error.code == WL_ERROR_ARGUMENT);
}

/* Ids beyond the table: WordLlama takes its last row, Model2Vec has no answer. */
static void test_beyond(void)
{
    wl_model *model = open_model("wordllama-f32-short");
    wl_context *context = make_context(1);
    wl_error error;
    CHECK(wl_model_describe(model).rows == 27);
    float out[5][8];
    const uint32_t ids[] = {26, 27, 29, 5000, UINT32_MAX};
    CHECK(wl_embed_ids(model, context, ids, (size_t[]){0, 1, 2, 3, 4, 5}, 5, NULL, out, sizeof out, &error) == WL_OK);
    for (int i = 1; i < 5; i++) CHECK(memcmp(out[0], out[i], sizeof out[0]) == 0);
    wl_model_close(model);

    static const char *const names[] = {"model2vec-f32", "model2vec-f32-mapping-i64", "model2vec-f32-weights-f64"};
    for (int i = 0; i < 3; i++) {
        float wide[20 * 2];
        model = open_model(names[i]);
        CHECK(wl_embed_ids(model, context, (uint32_t[]){29, 30}, (size_t[]){0, 1}, 1, NULL, wide, sizeof wide,
                           &error) == WL_OK);
        CHECK(wl_embed_ids(model, context, (uint32_t[]){29, 30}, (size_t[]){0, 2}, 1, NULL, wide, sizeof wide,
                           &error) == WL_ERROR_ARGUMENT);
        CHECK(strstr(error.message, "30"));
        wl_model_close(model);
    }
    wl_context_free(context);
}

/* An option struct of an earlier version ends before the members that came later. */
static void test_short_options(void)
{
    wl_model *model = open_model("wordllama-f32");
    wl_embed_options options = {.size = offsetof(wl_embed_options, dim), .binary = true, .dim = 5};
    CHECK(wl_embed_row_size(model, &options) == 2); /* 13 bits: dim is not looked at */
    options.size = sizeof options;
    CHECK(wl_embed_row_size(model, &options) == 1);
    options.size = 1;
    CHECK(wl_embed_row_size(model, &options) == 0);
    wl_model_close(model);
}

/* Integers are averaged in F64 by Model2Vec: the mean of many equal rows is the row, also where F32 sums would not be
 * exact. */
static void test_long_sum(void)
{
    enum { COUNT = 400000 };
    wl_model *model = open_model("model2vec-i8");
    wl_context *context = make_context(1);
    wl_error error;
    uint32_t *ids = malloc(COUNT * sizeof *ids);
    if (!ids) abort();
    wl_embed_options raw = {.size = sizeof raw, .normalize = WL_OFF};
    float one[19], mean[19];
    for (uint32_t id = 4; id < 10; id++) {
        for (size_t i = 0; i < COUNT; i++) ids[i] = id;
        CHECK(wl_embed_ids(model, context, ids, (size_t[]){0, 1}, 1, &raw, one, sizeof one, &error) == WL_OK);
        CHECK(wl_embed_ids(model, context, ids, (size_t[]){0, COUNT}, 1, &raw, mean, sizeof mean, &error) == WL_OK);
        CHECK(memcmp(one, mean, sizeof one) == 0);
    }
    free(ids);
    wl_context_free(context);
    wl_model_close(model);
}

/* ---- streams ----------------------------------------------------------------------------------------------------- */

struct stream {
    const wl_text *texts;
    size_t count, read, written, fail_read, fail_write; /* fail at the n-th text, SIZE_MAX never */
    const char *rows;                                   /* expected */
    size_t row_size, wrong, most;                       /* most: bytes of text in one write */
    char *last;                                         /* what next gave: freed at the next call */
};

static int next_text(void *user, wl_text *text, wl_error *error)
{
    struct stream *stream = user;
    free(stream->last);
    stream->last = NULL;
    if (stream->read == stream->fail_read) {
        error->code = WL_ERROR_IO;
        snprintf(error->message, sizeof error->message, "the source broke");
        return -1;
    }
    if (stream->read == stream->count) return 0;
    const wl_text *from = &stream->texts[stream->read++];
    stream->last = wl_copy_text(from->data, from->size, error);
    if (!stream->last) return -1;
    *text = (wl_text){stream->last, from->size};
    return 1;
}

static wl_status write_rows(void *user, const wl_text *texts, const void *rows, size_t count, size_t row_size,
                            wl_error *error)
{
    struct stream *stream = user;
    size_t bytes = 0;
    if (stream->written + count > stream->fail_write) {
        error->code = WL_ERROR_LIMIT;
        snprintf(error->message, sizeof error->message, "the sink is full");
        return WL_ERROR_LIMIT;
    }
    for (size_t i = 0; i < count; i++) {
        const wl_text *from = &stream->texts[stream->written + i];
        bytes += texts[i].size;
        stream->wrong += texts[i].size != from->size || memcmp(texts[i].data, from->size ? from->data : "", from->size);
    }
    stream->wrong += row_size != stream->row_size || count == 0;
    stream->wrong += memcmp(rows, stream->rows + stream->written * row_size, count * row_size) != 0;
    stream->written += count;
    if (bytes > stream->most) stream->most = bytes;
    return WL_OK;
}

static size_t progress_calls, progress_stop;
static uint64_t progress_texts, progress_bytes;

static bool on_progress(void *user, uint64_t texts, uint64_t bytes)
{
    CHECK(user == &progress_calls && texts >= progress_texts && bytes >= progress_bytes);
    progress_texts = texts;
    progress_bytes = bytes;
    return ++progress_calls != progress_stop;
}

static wl_embed_options with_progress(size_t stop)
{
    progress_calls = 0;
    progress_stop = stop;
    progress_texts = progress_bytes = 0;
    return (wl_embed_options){.size = sizeof(wl_embed_options), .progress = on_progress, .user = &progress_calls};
}

static void test_streams(void)
{
    enum { MOST = 40000, LONG = 3 << 20 };
    static const size_t counts[] = {0, 1, 2, 4095, 4096, 4097, 8192, 8193};
    wl_model *model = open_model("wordllama-f16");
    wl_error error;
    char *words = malloc(LONG);
    wl_text *texts = malloc(MOST * sizeof *texts);
    size_t row_size = 16 * 4;
    char *rows = malloc(MOST * row_size), *direct = malloc(MOST * row_size);
    if (!words || !texts || !rows || !direct) abort();
    for (size_t i = 0; i < LONG; i++) words[i] = "the car we went to, "[i % 20];
    for (size_t i = 0; i < MOST; i++) texts[i] = (wl_text){words + i % 20, i * 7919 % 60};
    for (uint32_t threads = 1; threads <= 3; threads += 2) {
        wl_context *context = make_context(threads);
        CHECK(wl_embed(model, context, texts, MOST, NULL, rows, MOST * row_size, &error) == WL_OK);
        struct stream base = {texts, 0, 0, 0, SIZE_MAX, SIZE_MAX, rows, row_size, 0, 0, NULL}, stream;
        for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
            stream = base;
            stream.count = counts[c];
            wl_source source = {next_text, &stream};
            wl_sink sink = {write_rows, &stream};
            CHECK(wl_embed_stream(model, context, source, sink, NULL, &error) == WL_OK);
            CHECK_THAT(stream.written == counts[c] && stream.wrong == 0, "%zu texts: %zu wrong", counts[c],
                       stream.wrong);

            /* The source fails behind the last text, or at the first; the sink at the last. */
            for (int where = 0; where < 2; where++) {
                stream = base;
                stream.count = counts[c];
                stream.fail_read = where ? counts[c] : 0;
                CHECK(wl_embed_stream(model, context, source, sink, NULL, &error) == WL_ERROR_IO);
                CHECK(strcmp(error.message, "the source broke") == 0 && stream.wrong == 0);
                free(stream.last);
            }
            if (counts[c] == 0) continue;
            stream = base;
            stream.count = counts[c];
            stream.fail_write = counts[c] - 1;
            CHECK(wl_embed_stream(model, context, source, sink, NULL, &error) == WL_ERROR_LIMIT);
            CHECK(strcmp(error.message, "the sink is full") == 0);
            free(stream.last);
        }

        /* A batch is about 1 MB of text, or one longer text. */
        wl_text few[] = {{words, 10}, {words, LONG}, {NULL, 0}, {words, 1 << 20}, {words, (1 << 20) - 1}, {words, 2}};
        CHECK(wl_embed(model, context, few, 6, NULL, direct, MOST * row_size, &error) == WL_OK);
        stream = base;
        stream.texts = few;
        stream.count = 6;
        stream.rows = direct;
        CHECK(wl_embed_stream(model, context, (wl_source){next_text, &stream}, (wl_sink){write_rows, &stream}, NULL,
                              &error) == WL_OK);
        CHECK(stream.written == 6 && stream.wrong == 0);
        CHECK(stream.most <= LONG + (1 << 20));

        /* Progress, to the end and cancelled; of a stream and of one call. */
        for (size_t stop = 0; stop <= 2; stop++) {
            wl_embed_options options = with_progress(stop);
            stream = base;
            stream.count = MOST;
            wl_status status = wl_embed_stream(model, context, (wl_source){next_text, &stream},
                                               (wl_sink){write_rows, &stream}, &options, &error);
            CHECK(status == (stop ? WL_ERROR_CANCELLED : WL_OK) && stream.wrong == 0);
            CHECK(stop ? progress_calls == stop : progress_calls >= MOST / 4096);
            CHECK(stop || (progress_texts == MOST && stream.written == MOST));
            free(stream.last);
            options = with_progress(stop);
            memset(direct, 0xFF, MOST * row_size);
            status = wl_embed(model, context, texts, MOST, &options, direct, MOST * row_size, &error);
            CHECK(status == (stop ? WL_ERROR_CANCELLED : WL_OK));
            CHECK(stop ? progress_calls == stop : progress_calls >= 2);
            CHECK(stop || (progress_texts == MOST && memcmp(rows, direct, MOST * row_size) == 0));
        }
        wl_context_free(context);
    }
    free(words);
    free(texts);
    free(rows);
    free(direct);
    wl_model_close(model);
}

/* ---- bad models -------------------------------------------------------------------------------------------------- */

static char folder[] = "/tmp/wordllama-test-XXXXXX";

static const char *in_folder(const char *name)
{
    static char path[4][sizeof folder + 64];
    static unsigned next;
    char *out = path[next++ % 4];
    snprintf(out, sizeof path[0], "%s/%s", folder, name);
    return out;
}

static void write_file(const char *name, const void *data, size_t size)
{
    FILE *file = fopen(in_folder(name), "wb");
    if (!file || fwrite(data, 1, size, file) != size || fclose(file) != 0) abort();
}

static void copy_file(const char *from, const char *name)
{
    wl_mapping mapping;
    wl_error error;
    if (wl_mapping_open(&mapping, from, &error)) abort();
    write_file(name, mapping.data, mapping.size);
    wl_mapping_close(&mapping);
}

/* A safetensors file from a header and so many bytes of data, all one value. */
static void write_model(const char *header, size_t bytes, int value)
{
    char data[8192] = {0};
    size_t size = strlen(header);
    for (int i = 0; i < 8; i++) data[i] = (char)(size >> 8 * i & 255);
    memcpy(data + 8, header, size);
    memset(data + 8 + size, value, bytes);
    write_file("model.safetensors", data, 8 + size + bytes);
}

/* Opening the folder gives this code and a message that holds this. */
static void refuses(const wl_model_options *options, wl_status code, const char *message, int line)
{
    wl_error error = {0};
    wl_model *model = wl_model_open(folder, options, &error);
    CHECK_THAT(!model && error.code == code && strstr(error.message, message) && error.file[0],
               "line %d: %s (%s: %s), expected '%s'", line, wl_status_name(error.code), error.file, error.message,
               message);
    wl_model_close(model);
}

#define REFUSES(options, code, message) refuses(options, code, message, __LINE__)

#define TENSOR(name, dtype, shape, begin, end)                                                                         \
    "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":[" #begin "," #end "]}"

static void test_tokenizer_path(void)
{
    static const struct {
        const char *weights, *own, *shared;
    } cases[] = {
        {"x.safetensors", "x.tokenizer.json", "tokenizer.json"},
        {"a/b.c/x.y.safetensors", "a/b.c/x.y.tokenizer.json", "a/b.c/tokenizer.json"},
        {"/x", "/x.tokenizer.json", "/tokenizer.json"},
        {"a/.safetensors", "a/.safetensors.tokenizer.json", "a/tokenizer.json"},
    };
    wl_error error;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *own = wl_tokenizer_path(cases[i].weights, true, &error);
        char *shared = wl_tokenizer_path(cases[i].weights, false, &error);
        CHECK_THAT(own && strcmp(own, cases[i].own) == 0, "%s: %s", cases[i].weights, own);
        CHECK_THAT(shared && strcmp(shared, cases[i].shared) == 0, "%s: %s", cases[i].weights, shared);
        free(own);
        free(shared);
    }
}

static void test_bad_models(void)
{
    wl_error error;
    wl_model_options any = {.size = sizeof any, .any_vocabulary = true};
    CHECK(!wl_model_open(in_folder("none"), NULL, &error) && error.code == WL_ERROR_NOT_FOUND);
    REFUSES(NULL, WL_ERROR_NOT_FOUND, "without model.safetensors");
    write_model("{" TENSOR("embedding.weight", "F32", "[30,2]", 0, 240) "}", 240, 0);
    REFUSES(NULL, WL_ERROR_NOT_FOUND, "tokenizer");
    CHECK(strstr(wl_model_open(folder, NULL, &error) ? "" : error.file, "tokenizer.json"));
    wl_model_options elsewhere = {.size = sizeof elsewhere, .tokenizer = in_folder("other.json")};
    REFUSES(&elsewhere, WL_ERROR_NOT_FOUND, "open");
    elsewhere.tokenizer = MODELS "wordllama-f32/tokenizer.json";
    wl_model *model = wl_model_open(folder, &elsewhere, &error);
    CHECK(model);
    wl_model_close(model);
    model = wl_model_open(in_folder("model.safetensors"), &elsewhere, &error);
    CHECK(model);
    wl_model_close(model);

    copy_file(MODELS "wordllama-f32/tokenizer.json", "tokenizer.json");
    model = wl_model_open(in_folder("model.safetensors"), NULL, &error); /* a file, its tokenizer beside it */
    CHECK(model && wl_model_describe(model).policy == WL_POLICY_WORDLLAMA);
    wl_model_close(model);
    write_file("model.tokenizer.json", "{", 1); /* its own comes first, but not for the folder */
    CHECK(!wl_model_open(in_folder("model.safetensors"), NULL, &error) && error.code == WL_ERROR_FORMAT);
    CHECK_THAT(strstr(error.file, "/model.tokenizer.json") != NULL, "%s", error.file);
    model = wl_model_open(folder, NULL, &error);
    CHECK(model);
    wl_model_close(model);
    unlink(in_folder("tokenizer.json"));
    copy_file(MODELS "wordllama-f32/tokenizer.json", "model.tokenizer.json");
    model = wl_model_open(in_folder("model.safetensors"), NULL, &error);
    CHECK(model);
    wl_model_close(model);
    REFUSES(NULL, WL_ERROR_NOT_FOUND, "no tokenizer beside");
    unlink(in_folder("model.tokenizer.json"));
    CHECK(!wl_model_open(in_folder("model.safetensors"), NULL, &error) && error.code == WL_ERROR_NOT_FOUND);
    CHECK_THAT(strstr(error.message, "of the file's own name") != NULL, "%s", error.message);
    copy_file(MODELS "wordllama-f32/tokenizer.json", "tokenizer.json");

    write_model("{" TENSOR("other", "F32", "[30,2]", 0, 240) "}", 240, 0);
    REFUSES(NULL, WL_ERROR_FORMAT, "embedding.weight");
    write_model("{}", 0, 0);
    REFUSES(NULL, WL_ERROR_FORMAT, "embedding.weight");
    write_model("{" TENSOR("embedding.weight", "F32", "[60]", 0, 240) "}", 240, 0);
    REFUSES(NULL, WL_ERROR_FORMAT, "rank 1");
    write_model("{" TENSOR("embeddings", "F32", "[30,1,2]", 0, 240) "}", 240, 0);
    REFUSES(NULL, WL_ERROR_FORMAT, "rank 3");
    write_model("{" TENSOR("embeddings", "I32", "[30,2]", 0, 240) "}", 240, 0);
    REFUSES(NULL, WL_ERROR_FORMAT, "I32");
    write_model("{" TENSOR("embeddings", "U8", "[30,8]", 0, 240) "}", 240, 0);
    REFUSES(NULL, WL_ERROR_FORMAT, "U8");
    write_model("{" TENSOR("embeddings", "F32", "[0,2]", 0, 0) "}", 0, 0);
    REFUSES(&any, WL_ERROR_FORMAT, "rows and columns");
    write_model("{" TENSOR("embeddings", "F32", "[30,0]", 0, 0) "}", 0, 0);
    REFUSES(&any, WL_ERROR_FORMAT, "rows and columns");
    write_model("{" TENSOR("embeddings", "F32", "[30,2]", 0, 239) "}", 239, 0);
    REFUSES(NULL, WL_ERROR_FORMAT, "");
    write_model("{" TENSOR("embeddings", "F32", "[30,2]", 0, 240) "}", 239, 0);
    REFUSES(NULL, WL_ERROR_FORMAT, "");
    write_model("{" TENSOR("embeddings", "F32", "[30,2]", 0, 240) "}", 241, 0);
    REFUSES(NULL, WL_ERROR_FORMAT, "");

    /* Tables for another vocabulary. */
    write_model("{" TENSOR("embeddings", "F32", "[29,2]", 0, 232) "}", 232, 0);
    REFUSES(NULL, WL_ERROR_MISMATCH, "another vocabulary");
    model = wl_model_open(folder, &any, &error);
    CHECK(model);
    wl_model_close(model);
    write_model("{" TENSOR("embeddings", "F32", "[31,2]", 0, 248) "}", 248, 0);
    REFUSES(NULL, WL_ERROR_MISMATCH, "another vocabulary");
    write_model("{" TENSOR("embedding.weight", "I8", "[1100,2]", 0, 2200) "}", 2200, 0);
    REFUSES(NULL, WL_ERROR_MISMATCH, "another vocabulary");

    /* Mapping and weights. */
    write_model("{" TENSOR("embeddings", "F32", "[3,2]", 0, 24) "," TENSOR("mapping", "I32", "[30]", 24, 144) "}", 144,
                0);
    model = wl_model_open(folder, NULL, &error);
    CHECK(model && wl_model_describe(model).mapped);
    wl_model_close(model);
    write_model("{" TENSOR("embeddings", "F32", "[3,2]", 0, 24) "," TENSOR("mapping", "I32", "[30]", 24, 144) "}", 144,
                1);
    REFUSES(NULL, WL_ERROR_FORMAT, "mapping entry 0 is 16843009");
    write_model("{" TENSOR("embeddings", "F32", "[3,2]", 0, 24) "," TENSOR("mapping", "I32", "[30]", 24, 144) "}", 144,
                -1);
    REFUSES(NULL, WL_ERROR_FORMAT, "mapping entry 0 is -1");
    write_model("{" TENSOR("embeddings", "F32", "[3,2]", 0, 24) "," TENSOR("mapping", "I64", "[30]", 24, 264) "}", 264,
                -1);
    REFUSES(NULL, WL_ERROR_FORMAT, "mapping entry 0 is -1");
    write_model("{" TENSOR("embeddings", "F32", "[3,2]", 0, 24) "," TENSOR("mapping", "I32", "[29]", 24, 140) "}", 140,
                0);
    REFUSES(NULL, WL_ERROR_MISMATCH, "another vocabulary");
    write_model("{" TENSOR("embeddings", "F32", "[3,2]", 0, 24) "," TENSOR("mapping", "F32", "[30]", 24, 144) "}", 144,
                0);
    REFUSES(NULL, WL_ERROR_FORMAT, "'mapping' has type F32");
    write_model("{" TENSOR("embeddings", "F32", "[3,2]", 0, 24) "," TENSOR("mapping", "I32", "[15,2]", 24, 144) "}",
                144, 0);
    REFUSES(NULL, WL_ERROR_FORMAT, "rank 2");
    write_model("{" TENSOR("embeddings", "F32", "[3,2]", 0, 24) "," TENSOR("mapping", "I32", "[0]", 24, 24) "}", 24, 0);
    REFUSES(&any, WL_ERROR_FORMAT, "mapping");
    write_model("{" TENSOR("embeddings", "F32", "[30,2]", 0, 240) "," TENSOR("weights", "F64", "[29]", 240, 472) "}",
                472, 0);
    REFUSES(NULL, WL_ERROR_MISMATCH, "29 weights");
    write_model("{" TENSOR("embeddings", "F32", "[30,2]", 0, 240) "," TENSOR("weights", "I32", "[30]", 240, 360) "}",
                360, 0);
    REFUSES(NULL, WL_ERROR_FORMAT, "'weights' has type I32");

    /* Damaged config.json, then tokenizer.json. */
    copy_file(MODELS "model2vec-f32/model.safetensors", "model.safetensors");
    static const char *const configs[] = {"", "{", "[]", "{\"max_length\": -1}", "{\"max_length\": \"x\"}"};
    for (size_t i = 0; i < sizeof configs / sizeof *configs; i++) {
        write_file("config.json", configs[i], strlen(configs[i]));
        REFUSES(NULL, WL_ERROR_FORMAT, "");
    }
    unlink(in_folder("config.json"));
    write_file("tokenizer.json", "{\"model\": {\"type\": \"Wo", 22);
    REFUSES(NULL, WL_ERROR_FORMAT, "");
    copy_file(MODELS "model2vec-f32/tokenizer.json", "tokenizer.json");

    /* A file cut anywhere is refused. */
    wl_mapping whole;
    CHECK(wl_mapping_open(&whole, MODELS "model2vec-f32-weights-f64/model.safetensors", &error) == WL_OK);
    for (size_t size = 0; size < whole.size; size += 1 + size / 16) {
        write_file("model.safetensors", whole.data, size);
        REFUSES(NULL, WL_ERROR_FORMAT, "");
    }
    wl_mapping_close(&whole);
    unlink(in_folder("model.safetensors"));
    unlink(in_folder("tokenizer.json"));
}

/* The policy that a caller asks for beats what the files look like. */
static void test_policy(void)
{
    wl_error error;
    wl_model_options options = {.size = sizeof options, .policy = WL_POLICY_MODEL2VEC};
    wl_model *model = wl_model_open(MODELS "wordllama-f32", &options, &error);
    CHECK(model && wl_model_describe(model).policy == WL_POLICY_MODEL2VEC &&
          wl_model_describe(model).max_tokens == 512);
    wl_model_close(model);
    options.policy = WL_POLICY_WORDLLAMA;
    model = wl_model_open(MODELS "model2vec-f16", &options, &error);
    CHECK(model && wl_model_describe(model).policy == WL_POLICY_WORDLLAMA && wl_model_describe(model).max_tokens == 0);
    wl_model_close(model);
}

/* ---- failing memory ---------------------------------------------------------------------------------------------- */

static wl_status open_and_embed(const char *path, float *out, size_t size, wl_error *error)
{
    wl_context_options single = {sizeof single, 1, 1};
    wl_embed_options binary = {.size = sizeof binary, .binary = true};
    uint8_t bits[MOST_DIM];
    size_t rows;
    static float token_rows[64 * MOST_DIM];
    wl_text texts[] = {golden.texts[3], {"caf\xC3\xA9 \xFF zz" /* to be repaired */, 10}};
    wl_model *model = wl_model_open(path, NULL, error);
    wl_context *context = model ? wl_context_create(&single, error) : NULL;
    wl_status status = context ? WL_OK : error->code;
    if (!status) status = wl_embed(model, context, texts, 2, NULL, out, size, error);
    if (!status) status = wl_embed(model, context, texts, 1, &binary, bits, sizeof bits, error);
    if (!status) status = wl_embed_tokens(model, context, texts[0], NULL, token_rows, 64, &rows, error);
    struct stream stream = {texts, 2, 0,   0, SIZE_MAX, SIZE_MAX, (const char *)out, model ? 4 * model->dim : 0,
                            0,     0, NULL};
    if (!status)
        status = wl_embed_stream(model, context, (wl_source){next_text, &stream}, (wl_sink){write_rows, &stream}, NULL,
                                 error);
    CHECK(stream.wrong == 0);
    free(stream.last);
    wl_context_free(context);
    wl_model_close(model);
    return status;
}

static void test_faults(void)
{
    static const char *const names[] = {"wordllama-f16",    "model2vec-i8-weights-f32-mapping-i32",
                                        "model2vec-nested", "model2vec-f16-weights-f64-mapping-i64",
                                        "model2vec-f64",    "model2vec-sentence-transformers"};
    if (!fault_available()) {
        SKIP("failing allocations: linked without --wrap");
        return;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[1024];
        float expected[2 * MOST_DIM] = {0}, out[2 * MOST_DIM];
        wl_error error = {0};
        snprintf(path, sizeof path, MODELS "%s", names[i]);
        CHECK(open_and_embed(path, expected, sizeof expected, &error) == WL_OK);
        size_t nth = 1;
        for (;; nth++) {
            memset(out, 0, sizeof out);
            error.code = WL_OK;
            fault_begin(nth);
            wl_status status = open_and_embed(path, out, sizeof out, &error);
            if (!fault_end()) {
                CHECK(status == WL_OK);
                break;
            }
            /* What an allocation serves may be done without: then nothing else changes. */
            CHECK_THAT(status == WL_ERROR_MEMORY || status == WL_OK, "%s: allocation %zu: %s", names[i], nth,
                       error.message);
            if (status == WL_OK) CHECK(memcmp(out, expected, sizeof out) == 0);
            CHECK(status == error.code || status == WL_OK);
        }
        CHECK_THAT(nth > 40, "%zu allocations", nth);
        printf("%s: %zu allocations made to fail\n", names[i], nth - 1);
    }
}

/* ---- what comes with the library --------------------------------------------------------------------------------- */

static void test_included(void)
{
    char path[4096], little[8] = "kept";
    wl_error error = {0};
    wl_status status = wl_included_model(NULL, path, sizeof path, &error);
    CHECK_THAT(!status, "%s", error.message);
    if (status) return;
    wl_model *model = wl_model_open(NULL, NULL, &error), *same = wl_model_open(path, NULL, &error);
    CHECK_THAT(model && same, "%s", error.message);
    if (model && same) {
        wl_model_info info = wl_model_describe(model), other = wl_model_describe(same);
        CHECK(info.dim == 256 && other.dim == 256 && info.rows == other.rows);
    }
    wl_model_close(model);
    wl_model_close(same);
    CHECK_THAT(!wl_included_model("wordllama_64_binary", path, sizeof path, &error), "%s", error.message);
    model = wl_model_open(path, NULL, &error);
    CHECK_THAT(model && wl_model_describe(model).dim == 64, "%s", error.message);
    wl_model_close(model);
    CHECK(wl_included_model(NULL, little, sizeof little, &error) == WL_ERROR_LIMIT && strcmp(little, "kept") == 0);
    CHECK(wl_included_model(NULL, little, sizeof little, NULL) == WL_ERROR_LIMIT);
    static const char *const strangers[] = {"", "nothing", "../models/model", "model/"};
    for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++)
        CHECK(wl_included_model(strangers[i], path, sizeof path, &error) == WL_ERROR_NOT_FOUND);
    for (size_t nth = 1;; nth++) {
        fault_begin(nth);
        status = wl_included_model(NULL, path, sizeof path, &error);
        if (!fault_end()) break;
        CHECK(status == WL_ERROR_MEMORY || status == WL_OK);
    }
    CHECK(status == WL_OK);
}

int main(void)
{
    if (!mkdtemp(folder)) return EXIT_FAILURE;
    test_golden();
    test_describe();
    test_counts();
    test_arguments();
    test_beyond();
    test_short_options();
    test_long_sum();
    test_streams();
    test_tokenizer_path();
    test_bad_models();
    test_policy();
    test_faults();
    test_included();
    for (size_t i = 0; i < golden.count; i++) free((void *)(uintptr_t)golden.texts[i].data);
    CHECK(rmdir(folder) == 0);
    return test_end();
}
