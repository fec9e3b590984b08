/* Splitting: pieces against the oracle without a model (characters and numbers: test_minima); chunks against those of
 * the package wordllama (tools/golden_split.py), with a tiny model and, where it was fetched, the default one;
 * properties of spans for any bytes; bad arguments; failing memory. */
#include "algo/sentences.h"
#include "fault.h"
#include "test.h"
#include "text/unicode/utf8.h"
#include "texts.h"

#define GOLDEN WL_TEST_DATA "/golden/"
#define TINY   GOLDEN "models/wordllama-f32"

static uint64_t hexadecimal(wl_text text)
{
    char digits[17] = "";
    memcpy(digits, text.data, text.size < 16 ? text.size : 16);
    return strtoull(digits, NULL, 16);
}

static wl_context *make_context(uint32_t threads)
{
    wl_error error;
    wl_context_options options = {sizeof options, threads, 1};
    wl_context *context = wl_context_create(&options, &error);
    if (!context) abort();
    return context;
}

static wl_model *open_tiny(void)
{
    wl_error error;
    wl_model *model = wl_model_open(TINY, NULL, &error);
    if (!model) {
        printf("%s\n", error.message);
        abort();
    }
    return model;
}

static bool read_file(const char *name, wl_buffer *out)
{
    char path[1024];
    snprintf(path, sizeof path, GOLDEN "%s", name);
    bool read = texts_file(path, out);
    CHECK_THAT(read, "%s", path);
    return read;
}

/* ---- split_pieces.jsonl ------------------------------------------------------------------------------------------ */

static void check_pieces(wl_text text, const wl_cut *cut, size_t expected_count, uint64_t expected)
{
    wl_error error;
    wl_passages pieces = {0};
    char *copy = malloc(text.size + 1);
    if (!copy) abort();
    CHECK(wl_cut_lines(text, cut, copy, &pieces, &error) == WL_OK);
    uint64_t digest = texts_digest_start;
    for (size_t i = 0; i < pieces.count; i++) {
        const wl_passage *piece = &pieces.items[i];
        digest =
            texts_digest_bytes(texts_digest_bytes(digest, copy + piece->begin, piece->end - piece->begin), "\xff", 1);
        CHECK(piece->begin == (i ? piece[-1].end + 1 : 0) && piece->end <= text.size);
        CHECK(piece->from <= piece->to && piece->to <= text.size && (i == 0 || piece[-1].to <= piece->from));
        CHECK(piece->size == wl_utf8_count(copy + piece->begin, piece->end - piece->begin));
    }
    CHECK_THAT(pieces.count == expected_count && digest == expected, "%zu pieces of '%.*s', expected %zu", pieces.count,
               (int)text.size, text.data, expected_count);
    free(copy);
    free(pieces.items);
}

static void test_pieces(void)
{
    wl_buffer file = {0}, scratch = {0};
    wl_text line, key;
    size_t at = 0, lines = 0;
    if (!read_file("split_pieces.jsonl", &file)) return;
    for (; texts_line(&file, &at, &line); lines++) {
        wl_json json;
        wl_error error;
        char *text = NULL;
        size_t size = 0, sizes[3] = {0}, count = 0, members = 0;
        uint64_t digest = 0;
        wl_json_open(&json, line.data, line.size, "split_pieces.jsonl", &scratch, &error);
        wl_json_begin_object(&json);
        for (; wl_json_member(&json, &key); members++) {
            if (wl_text_is(key, "text")) {
                wl_text value = wl_json_string(&json);
                text = wl_copy_text(value.data, value.size, &error);
                size = value.size;
            } else if (wl_text_is(key, "sizes")) {
                wl_json_begin_array(&json);
                for (size_t i = 0; wl_json_element(&json); i++) sizes[i % 3] = wl_json_unsigned(&json, 10000);
            } else if (wl_text_is(key, "pieces")) {
                count = wl_json_unsigned(&json, 10000);
            } else if (wl_text_is(key, "digest")) {
                digest = hexadecimal(wl_json_string(&json));
            } else {
                wl_json_skip(&json);
            }
        }
        CHECK_THAT(wl_json_close(&json) == WL_OK && members == 4, "%s", error.message);
        const wl_cut cut = {sizes[0], sizes[1], sizes[2], NULL, NULL};
        if (text) check_pieces((wl_text){text, size}, &cut, count, digest);
        free(text);
    }
    CHECK(lines == 300);
    wl_buffer_free(&file);
    wl_buffer_free(&scratch);
}

/* ---- split_texts.jsonl, split_chunks.jsonl ----------------------------------------------------------------------- */

enum { MOST_TEXTS = 64, MOST_CHUNKS = 1024 };

static struct {
    char name[32];
    char *data;
    size_t size;
} golden[MOST_TEXTS];
static size_t golden_count;

static wl_text golden_text(wl_text name)
{
    for (size_t i = 0; i < golden_count; i++)
        if (wl_text_is(name, golden[i].name)) return (wl_text){golden[i].data, golden[i].size};
    CHECK_THAT(false, "no text %.*s", (int)name.size, name.data);
    return (wl_text){0};
}

static void read_texts(void)
{
    wl_buffer file = {0}, scratch = {0};
    wl_text line, key;
    size_t at = 0;
    if (!read_file("split_texts.jsonl", &file)) return;
    while (texts_line(&file, &at, &line) && golden_count < MOST_TEXTS) {
        wl_json json;
        wl_error error;
        wl_json_open(&json, line.data, line.size, "split_texts.jsonl", &scratch, &error);
        wl_json_begin_object(&json);
        while (wl_json_member(&json, &key)) {
            wl_text value = wl_json_string(&json);
            if (wl_text_is(key, "name")) {
                snprintf(golden[golden_count].name, sizeof golden->name, "%.*s", (int)value.size, value.data);
            } else {
                golden[golden_count].data = wl_copy_text(value.data, value.size, &error);
                golden[golden_count].size = value.size;
            }
        }
        CHECK_THAT(wl_json_close(&json) == WL_OK, "%s", error.message);
        golden_count++;
    }
    CHECK(golden_count > 20);
    wl_buffer_free(&file);
    wl_buffer_free(&scratch);
}

struct expected {
    char model[32], name[32];
    wl_text text;
    wl_split_options options;
    size_t places[MOST_CHUNKS], place_count, sizes[MOST_CHUNKS], count, whole_count;
    uint64_t digests[MOST_CHUNKS], wholes[MOST_CHUNKS], similarity;
};

static void read_chunks(wl_json *json, struct expected *expected)
{
    for (wl_json_begin_array(json); wl_json_element(json); expected->count++) {
        size_t i = expected->count % MOST_CHUNKS;
        wl_json_begin_array(json);
        for (int part = 0; wl_json_element(json); part++) {
            if (part)
                expected->digests[i] = hexadecimal(wl_json_string(json));
            else
                expected->sizes[i] = wl_json_unsigned(json, UINT32_MAX);
        }
    }
}

static void read_expected(wl_json *json, wl_text key, struct expected *expected)
{
    const struct {
        const char *name;
        uint32_t *value;
    } sizes[] = {
        {"target", &expected->options.target_size},         {"intermediate", &expected->options.intermediate_size},
        {"cleanup", &expected->options.cleanup_size},       {"window", &expected->options.window},
        {"smoothing", &expected->options.smoothing_window}, {"order", &expected->options.polynomial_order}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (wl_text_is(key, sizes[i].name)) {
            *sizes[i].value = (uint32_t)wl_json_unsigned(json, UINT32_MAX);
            return;
        }
    if (wl_text_is(key, "chunks")) {
        read_chunks(json, expected);
    } else if (wl_text_is(key, "texts")) {
        for (wl_json_begin_array(json); wl_json_element(json); expected->whole_count++) {
            wl_text text = wl_json_string(json);
            expected->wholes[expected->whole_count % MOST_CHUNKS] =
                texts_digest_bytes(texts_digest_start, text.data, text.size);
        }
    } else if (wl_text_is(key, "places")) {
        for (wl_json_begin_array(json); wl_json_element(json);)
            expected->places[expected->place_count++ % MOST_CHUNKS] = wl_json_unsigned(json, UINT32_MAX);
    } else if (wl_text_is(key, "similarity")) {
        expected->similarity = hexadecimal(wl_json_string(json));
    } else if (wl_text_is(key, "model") || wl_text_is(key, "text")) {
        char *name = wl_text_is(key, "model") ? expected->model : expected->name;
        wl_text value = wl_json_string(json);
        snprintf(name, sizeof expected->name, "%.*s", (int)value.size, value.data);
    } else {
        wl_json_skip(json);
    }
}

/* The characters of a text that are not blank, which splitting never changes. */
static uint64_t solid_digest(const char *data, size_t size)
{
    uint64_t digest = texts_digest_start;
    for (size_t at = 0, length; at < size; at += length)
        if (!wl_is_blank(wl_utf8_decode(data + at, &length))) digest = texts_digest_bytes(digest, data + at, length);
    return digest;
}

/* Each chunk comes from its part of the text, and nothing but white space lies between the parts. */
static void check_source(const wl_chunks *chunks, wl_text text, const char *name)
{
    size_t end = 0;
    for (size_t i = 0; i < wl_chunks_count(chunks); i++) {
        wl_chunk chunk = wl_chunks_at(chunks, i);
        bool inside = chunk.begin >= end && chunk.begin <= chunk.end && chunk.end <= text.size;
        CHECK_THAT(inside, "%s: chunk %zu is [%zu, %zu)", name, i, chunk.begin, chunk.end);
        if (!inside) return;
        CHECK_THAT(solid_digest(text.data + chunk.begin, chunk.end - chunk.begin) ==
                       solid_digest(chunk.text.data, chunk.text.size),
                   "%s: chunk %zu is not from its part", name, i);
        CHECK(solid_digest(text.data + end, chunk.begin - end) == texts_digest_start);
        end = chunk.end;
    }
    CHECK(solid_digest(text.data + end, text.size - end) == texts_digest_start);
}

static void check_chunks(const struct expected *expected, const wl_model *model, wl_context *context)
{
    wl_error error;
    wl_chunks *chunks = wl_split(model, context, expected->text, &expected->options, &error);
    CHECK_THAT(chunks, "%s", error.message);
    if (!chunks) return;
    size_t count = wl_chunks_count(chunks), wrong = count == expected->count ? 0 : 1;
    for (size_t i = 0; i < count && i < expected->count; i++) {
        wl_text text = wl_chunks_at(chunks, i).text;
        uint64_t digest = texts_digest_bytes(texts_digest_start, text.data, text.size);
        wrong += text.size != expected->sizes[i] || digest != expected->digests[i];
        wrong += expected->whole_count && digest != expected->wholes[i];
    }
    CHECK_THAT(wrong == 0, "%s of %s, target %u: %zu chunks, expected %zu", expected->name, expected->model,
               expected->options.target_size, count, expected->count);
    wl_minima minima = wl_chunks_minima(chunks);
    CHECK(minima.count == expected->place_count);
    for (size_t i = 0; i < minima.count && i < expected->place_count; i++)
        CHECK(minima.places[i] == expected->places[i]);
    CHECK(texts_digest_bytes(texts_digest_start, minima.similarity, minima.pieces * sizeof *minima.similarity) ==
          expected->similarity);
    check_source(chunks, expected->text, expected->name);
    wl_chunks_free(chunks);
}

static void test_chunks(void)
{
    wl_buffer file = {0}, scratch = {0};
    wl_text line, key;
    size_t at = 0, compared = 0;
    static struct expected expected;
    if (!read_file("split_chunks.jsonl", &file)) return;
    wl_error error;
    wl_model *tiny = open_tiny(), *real = wl_model_open(WL_TEST_MODELS "/l2_supercat_256", NULL, &error);
    if (!real) SKIP("chunks of l2_supercat_256: %s", error.message);
    wl_context *contexts[] = {make_context(1), make_context(2)};
    while (texts_line(&file, &at, &line)) {
        wl_json json;
        memset(&expected, 0, sizeof expected);
        expected.options.size = sizeof expected.options;
        wl_json_open(&json, line.data, line.size, "split_chunks.jsonl", &scratch, &error);
        wl_json_begin_object(&json);
        while (wl_json_member(&json, &key)) read_expected(&json, key, &expected);
        CHECK_THAT(wl_json_close(&json) == WL_OK && expected.count <= MOST_CHUNKS, "%s", error.message);
        expected.text = golden_text((wl_text){expected.name, strlen(expected.name)});
        const wl_model *model = strcmp(expected.model, "wordllama-f32") == 0 ? tiny : real;
        if (!model) continue;
        for (int i = 0; i < 2; i++) check_chunks(&expected, model, contexts[i]);
        compared++;
    }
    printf("%zu splits compared\n", compared);
    CHECK(compared >= 12);
    for (int i = 0; i < 2; i++) wl_context_free(contexts[i]);
    wl_model_close(tiny);
    wl_model_close(real);
    wl_buffer_free(&file);
    wl_buffer_free(&scratch);
}

/* ---- spans ------------------------------------------------------------------------------------------------------- */

static size_t characters_of(wl_text text)
{
    wl_buffer repaired = {0};
    uint64_t replaced = 0;
    if (wl_utf8_repair(text.data, text.size, &repaired, &replaced, NULL)) abort();
    size_t count = wl_utf8_count(repaired.data, repaired.size);
    wl_buffer_free(&repaired);
    return count;
}

static void check_spans(const wl_model *model, wl_context *context, wl_text text, const wl_split_options *options)
{
    wl_error error;
    wl_chunks *chunks = wl_split(model, context, text, options, &error);
    CHECK_THAT(chunks, "%s", error.message);
    if (!chunks) return;
    size_t at = 0, count = wl_chunks_count(chunks);
    CHECK((count == 0) == (text.size == 0));
    for (size_t i = 0; i < count; i++) {
        wl_chunk chunk = wl_chunks_at(chunks, i);
        bool follows = chunk.begin == at && chunk.end > at && chunk.end <= text.size;
        CHECK_THAT(follows, "chunk %zu is [%zu, %zu), expected it to begin at %zu", i, chunk.begin, chunk.end, at);
        if (!follows) break;
        CHECK(chunk.text.size == chunk.end - at && memcmp(chunk.text.data, text.data + at, chunk.text.size) == 0);
        /* In tokens a few more are allowed where pieces meet, and a single character has as many as it has. */
        if (!options->tokens) CHECK(characters_of(chunk.text) <= options->target_size);
        at = chunk.end;
    }
    CHECK(at == text.size);
    wl_chunks_free(chunks);
}

/* Bytes of several kinds: characters that matter, words, random bytes that are mostly ill-formed. */
static size_t random_bytes(texts_random *random, char *out, size_t most)
{
    static const char *const pieces[] = {"a",
                                         "word ",
                                         "The car. ",
                                         "We went! ",
                                         "to the shop",
                                         "\n",
                                         "\r\n",
                                         "\n\n",
                                         " ",
                                         "\t",
                                         "\x1c",
                                         "\xC2\x85",
                                         "\xE2\x80\xA8",
                                         "\xE3\x80\x82",
                                         "\xE3\x80\x8D",
                                         "e\xCC\x81",
                                         "\xCC\x81",
                                         "\xEF\xBC\x81",
                                         "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA7",
                                         "\xE4\xB8\xAD",
                                         ". ",
                                         "?",
                                         "\xE4\xB8",
                                         "\xF0\x9F",
                                         "\x80",
                                         "\xFF"};
    size_t size = 0, kind = texts_below(random, 4), limit = texts_below(random, most);
    while (size + 16 < limit) {
        if (kind == 0 || texts_below(random, 50) == 0) {
            out[size++] = (char)texts_below(random, 256);
            continue;
        }
        size_t count = sizeof pieces / sizeof *pieces - (kind == 1 ? 0 : 4);
        const char *piece = pieces[texts_below(random, kind == 2 ? 12 : count)];
        for (size_t times = texts_below(random, 40) ? 1 : texts_below(random, 300); times && size + 16 < limit;
             times--) {
            memcpy(out + size, piece, strlen(piece));
            size += strlen(piece);
        }
    }
    return size;
}

static void test_spans(void)
{
    enum { MOST = 6000, ROUNDS = 1500 };
    wl_model *model = open_tiny();
    wl_context *context = make_context(1);
    texts_random random = {.state = 7};
    char *bytes = malloc(MOST);
    if (!bytes) abort();
    for (int i = 0; i < ROUNDS; i++) {
        size_t size = random_bytes(&random, bytes, MOST);
        uint32_t cleanup = 1 + (uint32_t)texts_below(&random, 20);
        uint32_t intermediate = cleanup + 1 + (uint32_t)texts_below(&random, 60);
        uint32_t target = intermediate + 1 + (uint32_t)texts_below(&random, 200);
        wl_split_options options = {.size = sizeof options,
                                    .spans = true,
                                    .tokens = i % 4 == 3,
                                    .target_size = target,
                                    .intermediate_size = intermediate,
                                    .cleanup_size = cleanup,
                                    .window = 3 + 2 * (uint32_t)texts_below(&random, 4),
                                    .smoothing_window = 3 + 2 * (uint32_t)texts_below(&random, 8)};
        char *copy = wl_copy_text(bytes, size, NULL);
        check_spans(model, context, (wl_text){copy, size}, &options);
        free(copy);
    }
    for (size_t i = 0; i < golden_count; i++)
        for (int tokens = 0; tokens < 2; tokens++) {
            wl_split_options options = {.size = sizeof options, .spans = true, .tokens = tokens, .target_size = 120};
            check_spans(model, context, (wl_text){golden[i].data, golden[i].size}, &options);
        }
    free(bytes);
    wl_context_free(context);
    wl_model_close(model);
}

/* Where long lines are cut. */
static void check_cuts(const char *text, size_t target, const char *const *expected)
{
    wl_error error;
    wl_passages pieces = {0};
    const wl_cut cut = {target, 2, 1, NULL, NULL};
    CHECK(wl_cut_spans((wl_text){text, strlen(text)}, &cut, &pieces, &error) == WL_OK);
    for (size_t i = 0; i < pieces.count; i++) {
        const wl_passage *piece = &pieces.items[i];
        int size = (int)(piece->end - piece->begin);
        CHECK_THAT(expected[i] && strlen(expected[i]) == (size_t)size &&
                       memcmp(text + piece->begin, expected[i], (size_t)size) == 0,
                   "piece %zu is '%.*s', expected '%s'", i, size, text + piece->begin, expected[i] ? expected[i] : "");
        if (!expected[i]) break;
    }
    CHECK(!expected[pieces.count]);
    free(pieces.items);
}

static void test_cuts(void)
{
    check_cuts("abcdefghij", 4, (const char *[]){"abcd", "efgh", "ij", NULL});
    check_cuts("abc def ghi", 5, (const char *[]){"abc ", "def ", "ghi", NULL});
    check_cuts("He went. She came. I", 12, (const char *[]){"He went. ", "She came. I", NULL});
    check_cuts("He went. she came.", 12, (const char *[]){"He went. ", "she came.", NULL}); /* at white space */
    check_cuts("\xE4\xB8\xAD\xE3\x80\x82\xE4\xB8\xAD\xE3\x80\x82\xE3\x80\x8D\xE4\xB8\xAD", 4,
               (const char *[]){"\xE4\xB8\xAD\xE3\x80\x82", "\xE4\xB8\xAD\xE3\x80\x82\xE3\x80\x8D\xE4\xB8\xAD", NULL});
    check_cuts("abe\xCC\x81"
               "d",
               3,
               (const char *[]){"ab",
                                "e\xCC\x81"
                                "d",
                                NULL}); /* not before its accent */
    check_cuts("e\xCC\x81\xCC\x81\xCC\x81\xCC\x81", 3, (const char *[]){"e\xCC\x81\xCC\x81", "\xCC\x81\xCC\x81", NULL});
    check_cuts("ab\r\ncd", 3, (const char *[]){"ab", "\r\n", "cd", NULL});
}

/* ---- tokens ------------------------------------------------------------------------------------------------------ */

/* Sizes in tokens: words of one token each, so that all can be told. */
static void test_tokens(void)
{
    wl_model *model = open_tiny();
    wl_context *context = make_context(2);
    wl_error error;
    char text[4000] = "";
    for (int i = 0; i < 500; i++) strcat(text, i % 100 == 99 ? "car\n" : "car ");
    for (int spans = 0; spans < 2; spans++) {
        wl_split_options options = {.size = sizeof options,
                                    .spans = spans,
                                    .tokens = true,
                                    .target_size = 250,
                                    .intermediate_size = 20,
                                    .cleanup_size = 5};
        wl_chunks *chunks = wl_split(model, context, (wl_text){text, strlen(text)}, &options, &error);
        CHECK(chunks && wl_chunks_count(chunks) == 3); /* 2 lines of 100 tokens, 2, 1 */
        if (chunks) CHECK(wl_chunks_at(chunks, 0).text.size == (spans ? 800 : 799));
        wl_chunks_free(chunks);
        options.target_size = 30; /* within lines, which have no end of a sentence */
        chunks = wl_split(model, context, (wl_text){text, strlen(text)}, &options, &error);
        CHECK(chunks && (spans ? wl_chunks_count(chunks) >= 17 : wl_chunks_count(chunks) == 5));
        for (size_t i = 0; chunks && spans && i < wl_chunks_count(chunks); i++) {
            size_t count;
            wl_encode(wl_model_tokenizer(model), context, wl_chunks_at(chunks, i).text, NULL, NULL, NULL, 0, &count,
                      &error);
            CHECK_THAT(count <= 30, "%zu tokens", count);
        }
        wl_chunks_free(chunks);
    }
    wl_context_free(context);
    wl_model_close(model);
}

/* ---- special texts ----------------------------------------------------------------------------------------------- */

static size_t count_chunks(const wl_model *model, wl_context *context, wl_text text, const wl_split_options *options)
{
    wl_error error;
    wl_chunks *chunks = wl_split(model, context, text, options, &error);
    CHECK_THAT(chunks, "%s", error.message);
    size_t count = chunks ? wl_chunks_count(chunks) : SIZE_MAX;
    wl_chunks_free(chunks);
    return count;
}

static void test_special(void)
{
    wl_model *model = open_tiny();
    wl_context *context = make_context(1);
    wl_error error;
    const wl_split_options spans = {.size = sizeof spans, .spans = true};
    CHECK(count_chunks(model, context, (wl_text){NULL, 0}, NULL) == 0);
    CHECK(count_chunks(model, context, (wl_text){NULL, 0}, &spans) == 0);
    CHECK(count_chunks(model, context, (wl_text){" \n\t\n", 4}, NULL) == 0);
    CHECK(count_chunks(model, context, (wl_text){" \n\t\n", 4}, &spans) == 1);

    /* Ill-formed bytes are U+FFFD; places are those of the bytes. */
    const char broken[] = "\xFF\xE4\xB8 car\n\n\xF0\x9F\x91the\x80\n";
    wl_chunks *chunks = wl_split(model, context, (wl_text){broken, sizeof broken - 1}, NULL, &error);
    CHECK(chunks && wl_chunks_count(chunks) == 1);
    if (chunks) {
        wl_chunk chunk = wl_chunks_at(chunks, 0), none = wl_chunks_at(chunks, 1);
        const char repaired[] = "\xEF\xBF\xBD\xEF\xBF\xBD car\n\n\xEF\xBF\xBDthe\xEF\xBF\xBD";
        CHECK(chunk.begin == 0 && chunk.end == sizeof broken - 2);
        CHECK(chunk.text.size == sizeof repaired - 1 && memcmp(chunk.text.data, repaired, chunk.text.size) == 0);
        CHECK(!none.begin && !none.end && !none.text.data && !none.text.size);
    }
    CHECK(wl_context_counts(context).replaced == 4);
    wl_chunks_free(chunks);
    wl_chunks_free(NULL);

    /* Lines without tokens, for which the package divides by zero: they are unlike all others. */
    char text[4096] = "";
    for (int i = 0; i < 20; i++) {
        for (int j = 0; j < 24; j++) strcat(text, i % 6 >= 4 ? "\x01\x02" : "car ");
        strcat(text, "\n");
    }
    chunks = wl_split(model, context, (wl_text){text, strlen(text)}, NULL, &error);
    CHECK(chunks && wl_chunks_count(chunks) >= 2);
    if (chunks) {
        wl_minima minima = wl_chunks_minima(chunks);
        CHECK(minima.pieces >= 15 && minima.count >= 1);
        for (size_t i = 0; i < minima.pieces; i++) CHECK(minima.similarity[i] >= 0 && minima.similarity[i] < 1.01F);
    }
    wl_chunks_free(chunks);
    wl_context_free(context);
    wl_model_close(model);
}

/* A megabyte of what could be slow if anything were not linear. */
static void test_long(void)
{
    enum { SIZE = 1 << 20 };
    static const char *const patterns[] = {"\n",  " ",        "a",    "a\n",          ".\n",
                                           "A. ", "\xCC\x81", "\x80", "\xE3\x80\x82", "\r"};
    wl_model *model = open_tiny();
    wl_context *context = make_context(2);
    char *bytes = malloc(SIZE);
    if (!bytes) abort();
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        size_t length = strlen(patterns[i]), size = SIZE / length * length;
        for (size_t at = 0; at < size; at += length) memcpy(bytes + at, patterns[i], length);
        for (int mode = 0; mode < 4; mode++) {
            wl_split_options options = {.size = sizeof options, .spans = mode & 1, .tokens = mode & 2};
            size_t count = count_chunks(model, context, (wl_text){bytes, size}, &options);
            CHECK_THAT(!options.spans || options.tokens || count >= size / length / 1536, "pattern %zu: %zu chunks", i,
                       count);
        }
    }
    free(bytes);
    wl_context_free(context);
    wl_model_close(model);
}

/* ---- bad arguments, failing memory ------------------------------------------------------------------------------- */

static void test_arguments(void)
{
    static const struct {
        wl_split_options options;
        const char *message;
    } bad[] = {
        {{.size = sizeof(wl_split_options) + 1}, "wl_split_options.size is"},
        {{.size = sizeof(wl_split_options), .target_size = 96},
         "target_size is 96, expected more than intermediate_size, 96"},
        {{.size = sizeof(wl_split_options), .intermediate_size = 24},
         "intermediate_size is 24, expected more than cleanup_size, 24"},
        {{.size = sizeof(wl_split_options), .window = 4}, "window is 4, expected an odd number"},
        {{.size = sizeof(wl_split_options), .window = 1}, "window is 1, expected an odd number"},
        {{.size = sizeof(wl_split_options), .smoothing_window = 6}, "smoothing_window is 6, expected an odd number"},
        {{.size = sizeof(wl_split_options), .smoothing_window = 1}, "smoothing_window is 1, expected an odd number"},
        {{.size = sizeof(wl_split_options), .polynomial_order = 3},
         "polynomial_order is 3, expected less than smoothing_window, 3"},
    };
    wl_model *model = open_tiny();
    wl_context *context = make_context(1);
    wl_error error;
    const wl_text text = {"the car\nthe shop\n", 17};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK(!wl_split(model, context, text, &bad[i].options, &error) && error.code == WL_ERROR_ARGUMENT);
        CHECK_THAT(strstr(error.message, bad[i].message), "%s", error.message);
        CHECK(!wl_split(model, context, text, &bad[i].options, NULL));
    }
    CHECK(!wl_split(NULL, context, text, NULL, &error) && error.code == WL_ERROR_ARGUMENT);
    CHECK(!wl_split(model, NULL, text, NULL, &error) && error.code == WL_ERROR_ARGUMENT);
    CHECK(!wl_split(model, context, (wl_text){NULL, 1}, NULL, &error) && error.code == WL_ERROR_ARGUMENT);
    /* The largest values are allowed; a window wider than the text is as wide as it. */
    wl_split_options wide = {.size = sizeof wide, .target_size = UINT32_MAX, .window = UINT32_MAX};
    CHECK(count_chunks(model, context, text, &wide) == 1);
    wl_context_free(context);
    wl_model_close(model);
}

static void test_faults(void)
{
    if (!fault_available()) {
        SKIP("failing memory: the linker does not wrap malloc");
        return;
    }
    wl_model *model = open_tiny();
    char text[3000] = "\xFF";
    for (int i = 0; i < 200; i++) strcat(text, i % 40 == 39 ? "car\n" : "We went. ");
    for (int mode = 0; mode < 4; mode++) {
        wl_split_options options = {.size = sizeof options,
                                    .spans = mode & 1,
                                    .tokens = mode & 2,
                                    .target_size = 60,
                                    .intermediate_size = 20,
                                    .cleanup_size = 5,
                                    .smoothing_window = 13};
        for (size_t nth = 1;; nth++) {
            wl_error error = {0};
            wl_context *context = make_context(1); /* anew, or its scratch memory would be there already */
            fault_begin(nth);
            wl_chunks *chunks = wl_split(model, context, (wl_text){text, strlen(text)}, &options, &error);
            bool failed = fault_end();
            CHECK(failed ? !chunks && error.code == WL_ERROR_MEMORY : chunks != NULL);
            wl_chunks_free(chunks);
            wl_context_free(context);
            if (failed) continue;
            CHECK_THAT(nth > 15, "%zu allocations", nth);
            break;
        }
    }
    wl_model_close(model);
}

int main(void)
{
    read_texts();
    test_pieces();
    test_chunks();
    test_cuts();
    test_spans();
    test_tokens();
    test_special();
    test_long();
    test_arguments();
    test_faults();
    for (size_t i = 0; i < golden_count; i++) free(golden[i].data);
    return test_end();
}
