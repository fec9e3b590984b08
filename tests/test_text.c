/* The tokenizer: tiny tokenizers against the oracle's answers (tools/golden_ids.py), what must hold for any text, what
 * is refused, and every allocation failing once. */
#include "test.h"

#include <time.h>

#include "fault.h"
#include "text/context.h"
#include "text/unicode/utf8.h"
#include "texts.h"

#define FOLDER WL_TEST_DATA "/golden/tokenizers/"

static const char *const names[] = {"llama",        "llama_general", "llama_cross",  "bpe_fuse",   "bpe_apart",
                                    "bpe_pending",  "bpe_dropped",   "bert_uncased", "bert_cased", "bert_general",
                                    "bert_accents", "bert_lower",    "spaced",       "unigram",    "unigram_first"};
enum { NAMES = sizeof names / sizeof *names };
static wl_tokenizer *tokenizers[NAMES];
static wl_context *context;

static wl_context *new_context(size_t cache_bytes)
{
    const wl_context_options options = {.size = sizeof options, .threads = 1};
    wl_context *made = wl_context_create(&options, NULL);
    if (!made) abort();
    if (cache_bytes) made->workers[0].text.cache_bytes = cache_bytes;
    return made;
}

static const wl_tokenizer *by_name(wl_text name)
{
    for (size_t i = 0; i < NAMES; i++)
        if (wl_text_is(name, names[i])) return tokenizers[i];
    return NULL;
}

static void open_all(void)
{
    char path[1024];
    for (size_t i = 0; i < NAMES; i++) {
        wl_error error = {0};
        snprintf(path, sizeof path, FOLDER "%s.json", names[i]);
        tokenizers[i] = wl_tokenizer_open(path, &error);
        CHECK_THAT(tokenizers[i], "%s: line %llu: %s", path, (unsigned long long)error.line, error.message);
        if (!tokenizers[i]) exit(test_end());
    }
    /* Each way through the code is taken by some file. */
    static const struct {
        const char *name;
        wl_scanner scanner;
    } ways[] = {{"llama", WL_SCAN_MARK},      {"llama_general", WL_SCAN_GENERAL}, {"llama_cross", WL_SCAN_GENERAL},
                {"bpe_fuse", WL_SCAN_MARK},   {"bpe_pending", WL_SCAN_MARK},      {"bert_uncased", WL_SCAN_BERT},
                {"bert_cased", WL_SCAN_BERT}, {"bert_general", WL_SCAN_SPACES},   {"bert_accents", WL_SCAN_BERT},
                {"bert_lower", WL_SCAN_BERT}, {"spaced", WL_SCAN_GENERAL},        {"unigram", WL_SCAN_GENERAL}};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        CHECK_THAT(by_name((wl_text){ways[i].name, strlen(ways[i].name)})->scanner == ways[i].scanner, "%s",
                   ways[i].name);
}

/* ---- the oracle's answers ---- */

/* One line of expected.jsonl. */
struct expected {
    const wl_tokenizer *tokenizer;
    wl_encode_options options;
    wl_buffer text;
    wl_json ids, offsets; /* at the arrays */
};

static void check_expected_line(struct expected *line, size_t number)
{
    texts_encoded plain = {0}, spanned = {0};
    wl_error error = {0};
    wl_text text = {line->text.data, line->text.size};
    line->options.unit = WL_CHARACTERS;
    wl_status status = texts_encode(line->tokenizer, context, text, &line->options, false, &plain, &error);
    wl_status same = texts_encode(line->tokenizer, context, text, &line->options, true, &spanned, &error);
    CHECK_THAT(status == same, "line %zu: %s", number, error.message);
    CHECK_THAT(!status, "line %zu: %s", number, error.message);
    CHECK_THAT(texts_same_ids(&plain, &spanned), "line %zu: ids differ when spans are asked for", number);
    size_t count = 0, places = 0;
    bool right = true, placed = true;
    wl_json_begin_array(&line->ids);
    for (; wl_json_element(&line->ids); count++) {
        uint64_t id = wl_json_unsigned(&line->ids, UINT32_MAX);
        right = right && count < plain.count && plain.ids[count] == id;
    }
    wl_json_begin_array(&line->offsets);
    for (; wl_json_element(&line->offsets); places++) {
        uint64_t place = wl_json_unsigned(&line->offsets, UINT32_MAX);
        wl_span span = places / 2 < spanned.count ? spanned.spans[places / 2] : (wl_span){UINT32_MAX, UINT32_MAX};
        placed = placed && place == (places % 2 ? span.end : span.begin);
    }
    CHECK_THAT(right && count == plain.count, "expected.jsonl line %zu: %zu ids, golden %zu", number, plain.count,
               count);
    CHECK_THAT(placed && places == 2 * count, "expected.jsonl line %zu: offsets differ", number);
    texts_encoded_free(&plain);
    texts_encoded_free(&spanned);
}

static void check_expected(void)
{
    wl_buffer file = {0}, scratch = {0};
    struct expected line = {0};
    size_t at = 0, number = 0, checked = 0;
    wl_text text, key;
    CHECK_THAT(texts_file(FOLDER "expected.jsonl", &file), FOLDER "expected.jsonl");
    while (texts_line(&file, &at, &text)) {
        wl_json json;
        wl_error error;
        line = (struct expected){.options = {.size = sizeof line.options}, .text = line.text};
        line.text.size = 0;
        wl_json_open(&json, text.data, text.size, "expected.jsonl", &scratch, &error);
        wl_json_begin_object(&json);
        number++;
        while (wl_json_member(&json, &key)) {
            if (wl_text_is(key, "file")) {
                line.tokenizer = by_name(wl_json_string(&json));
            } else if (wl_text_is(key, "text")) {
                texts_add(&line.text, wl_json_string(&json));
            } else if (wl_text_is(key, "special")) {
                line.options.special_tokens = wl_json_boolean(&json);
            } else if (wl_text_is(key, "truncate")) {
                line.options.truncation = wl_json_boolean(&json);
            } else if (wl_text_is(key, "pad")) {
                line.options.padding = wl_json_boolean(&json);
            } else {
                if (wl_text_is(key, "ids")) line.ids = json;
                if (wl_text_is(key, "offsets")) line.offsets = json;
                wl_json_skip(&json);
            }
        }
        CHECK_THAT(!wl_json_close(&json), "expected.jsonl line %zu: %s", number, error.message);
        if (number == 1) continue; /* says where the file comes from */
        CHECK_THAT(line.tokenizer && line.ids.text, "expected.jsonl line %zu", number);
        if (!line.tokenizer || !line.ids.text) continue;
        check_expected_line(&line, number);
        checked++;
    }
    CHECK(checked > 900);
    printf("expected: %zu encodings by %d tokenizers\n", checked, NAMES);
    wl_buffer_free(&line.text);
    wl_buffer_free(&scratch);
    wl_buffer_free(&file);
}

/* ---- what holds for any text ---- */

/* Every buffer that is too small gets the beginning and the right count. */
static void check_capacity(const wl_tokenizer *tokenizer, wl_text text, const texts_encoded *whole)
{
    uint32_t ids[64];
    wl_span spans[64];
    size_t tries[] = {0, 1, whole->count / 2, whole->count ? whole->count - 1 : 0, whole->count};
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
        size_t capacity = tries[i] < 63 ? tries[i] : 63, count = SIZE_MAX;
        wl_error error;
        memset(ids, 0xAB, sizeof ids);
        wl_status status =
            wl_encode(tokenizer, context, text, NULL, ids, i % 2 ? spans : NULL, capacity, &count, &error);
        CHECK(count == whole->count);
        CHECK(status == (capacity < whole->count ? WL_ERROR_LIMIT : WL_OK));
        size_t written = capacity < whole->count ? capacity : whole->count;
        CHECK(!written || memcmp(ids, whole->ids, written * sizeof *ids) == 0);
        CHECK(ids[written] == 0xABABABAB);
    }
}

static bool is_identity(const wl_tokenizer *tokenizer)
{
    return !tokenizer->normalizer_count && !tokenizer->pretokenizer_count;
}

/* Spans lie in the text and begin in order; between them nothing of the text is read twice. */
static void check_spans(const wl_tokenizer *tokenizer, const char *name, wl_text text, const texts_encoded *encoded)
{
    bool inside = true, ascending = true;
    for (size_t i = 0; i < encoded->count; i++) {
        wl_span span = encoded->spans[i];
        inside = inside && span.begin <= span.end && span.end <= text.size;
        if (i) ascending = ascending && encoded->spans[i - 1].begin <= span.begin;
    }
    CHECK_THAT(inside, "%s: a span lies outside of a text of %zu bytes", name, text.size);
    if (is_identity(tokenizer)) CHECK_THAT(ascending, "%s: spans do not ascend", name);
}

static void check_random(void)
{
    enum { TEXTS = 3000 };
    texts_random random;
    wl_buffer buffer = {0};
    wl_context *tiny = new_context(64), *large = new_context(8u << 20);
    texts_encoded general = {0}, plain = {0}, again = {0};
    size_t checked = 0;
    wl_error error;
    for (size_t i = 0; i < NAMES; i++) {
        CHECK(texts_random_open(&random, WL_TEST_DATA "/golden/ids_pieces.json"));
        for (size_t n = 0; n < TEXTS; n++, checked++) {
            wl_text text = texts_random_next(&random, &buffer);
            CHECK(!texts_encode(tokenizers[i], context, text, NULL, true, &general, &error));
            check_spans(tokenizers[i], names[i], text, &general);
            wl_context *both[] = {tiny, large, tiny, large};
            for (size_t k = 0; k < 4; k++) {
                CHECK(!texts_encode(tokenizers[i], both[k], text, NULL, false, k ? &again : &plain, &error));
                CHECK_THAT(texts_same_ids(&general, k ? &again : &plain), "%s text %zu, try %zu", names[i], n, k);
            }
            if (n % 10 == 0) check_capacity(tokenizers[i], text, &general);
        }
        texts_random_close(&random);
    }
    printf("random: %zu texts, the general way and the scanner, tiny and large cache\n", checked);
    texts_encoded_free(&general);
    texts_encoded_free(&plain);
    texts_encoded_free(&again);
    wl_buffer_free(&buffer);
    wl_context_free(tiny);
    wl_context_free(large);
}

/* One context for many tokenizers, in turns: the word cache must not confuse them. */
static void check_turns(void)
{
    static const char text[] = "the cat hello hi the cat hello hi";
    texts_encoded first[NAMES] = {0}, again = {0};
    wl_error error;
    for (size_t turn = 0; turn < 3; turn++)
        for (size_t i = 0; i < NAMES; i++) {
            texts_encoded *out = turn ? &again : &first[i];
            CHECK(!texts_encode(tokenizers[i], context, (wl_text){text, sizeof text - 1}, NULL, false, out, &error));
            CHECK_THAT(texts_same_ids(&first[i], out), "%s turn %zu", names[i], turn);
        }
    for (size_t i = 0; i < NAMES; i++) texts_encoded_free(&first[i]);
    texts_encoded_free(&again);
}

static void check_ill_formed(void)
{
    enum { TEXTS = 300 };
    texts_random random;
    wl_buffer buffer = {0}, repaired = {0};
    texts_encoded broken = {0}, whole = {0};
    size_t subparts = 0;
    wl_error error;
    CHECK(texts_random_open(&random, WL_TEST_DATA "/golden/ids_pieces.json"));
    for (size_t n = 0; n < TEXTS; n++) {
        wl_text text = texts_random_next(&random, &buffer);
        for (size_t k = 0; k < 1 + text.size / 8 && text.size; k++)
            buffer.data[texts_below(&random, text.size)] = (char)texts_below(&random, 256);
        uint64_t replaced = 0;
        repaired.size = 0;
        CHECK(!wl_utf8_repair(text.data, text.size, &repaired, &replaced, &error));
        CHECK(wl_utf8_valid(repaired.data, repaired.size) == repaired.size);
        wl_text fixed = {repaired.data, repaired.size};
        for (size_t i = 0; i < NAMES; i++)
            for (int spans = 0; spans < 2; spans++) {
                uint64_t before = wl_context_counts(context).replaced;
                CHECK(!texts_encode(tokenizers[i], context, text, NULL, spans, &broken, &error));
                uint64_t counted = wl_context_counts(context).replaced - before;
                /* A buffer that was too small counts once more. */
                CHECK_THAT(replaced ? counted >= replaced && counted % replaced == 0 : counted == 0,
                           "%s text %zu: %llu replaced, expected %llu", names[i], n, (unsigned long long)counted,
                           (unsigned long long)replaced);
                CHECK(!texts_encode(tokenizers[i], context, fixed, NULL, spans, &whole, &error));
                CHECK_THAT(texts_same_ids(&broken, &whole), "%s text %zu", names[i], n);
                CHECK(!spans || !whole.count ||
                      memcmp(broken.spans, whole.spans, whole.count * sizeof *whole.spans) == 0);
            }
        subparts += replaced;
    }
    CHECK(subparts > 1000);
    printf("ill-formed: %d texts with %zu subparts replaced\n", TEXTS, subparts);
    texts_random_close(&random);
    texts_encoded_free(&broken);
    texts_encoded_free(&whole);
    wl_buffer_free(&buffer);
    wl_buffer_free(&repaired);
}

/* 100,000 of a character each: with anything quadratic this would take minutes. */
static void check_long(void)
{
    static const char *const units[] = {"a",     "\xC3\xA9", "\xCC\x81",     "\xE0\xBD\xB3", " ",
                                        "hello", "!",        "\x01",         "\xE6\xBC\xA2", "\xF0\x9F\x91\xA8",
                                        "<L>",   "a ",       "\xE2\x96\x81", "\t<R> ",       "<"};
    enum { UNITS = sizeof units / sizeof *units, TIMES = 100000 };
    wl_buffer text = {0};
    texts_encoded plain = {0}, spanned = {0};
    wl_error error;
    double longest = 0;
    for (size_t u = 0; u < UNITS; u++) {
        text.size = 0;
        for (size_t k = 0; k < TIMES; k++) texts_add(&text, (wl_text){units[u], strlen(units[u])});
        for (size_t i = 0; i < NAMES; i++) {
            clock_t start = clock();
            wl_text whole = {text.data, text.size};
            CHECK(!texts_encode(tokenizers[i], context, whole, NULL, false, &plain, &error));
            CHECK(!texts_encode(tokenizers[i], context, whole, NULL, true, &spanned, &error));
            CHECK_THAT(texts_same_ids(&plain, &spanned), "%s, long run %zu", names[i], u);
            double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
            CHECK_THAT(seconds < 20, "%s, long run %zu: %.1f s", names[i], u, seconds);
            if (seconds > longest) longest = seconds;
        }
    }
    printf("long: runs of %d units, the slowest took %.2f s of processor time\n", TIMES, longest);
    texts_encoded_free(&plain);
    texts_encoded_free(&spanned);
    wl_buffer_free(&text);
}

/* ---- the small calls ---- */

static void check_pieces(void)
{
    for (size_t i = 0; i < NAMES; i++) {
        const wl_tokenizer *tokenizer = tokenizers[i];
        size_t vocabulary = wl_tokenizer_vocabulary(tokenizer, false), all = wl_tokenizer_vocabulary(tokenizer, true);
        CHECK(vocabulary > 40 && all >= vocabulary);
        for (uint32_t id = 0; id < all; id++) {
            wl_text piece = wl_tokenizer_piece(tokenizer, id);
            uint32_t found = UINT32_MAX;
            CHECK_THAT(piece.data && wl_tokenizer_id(tokenizer, piece, &found) && found == id, "%s id %u", names[i],
                       id);
        }
        uint32_t none;
        CHECK(!wl_tokenizer_piece(tokenizer, (uint32_t)all).data && !wl_tokenizer_piece(tokenizer, UINT32_MAX).data);
        CHECK(!wl_tokenizer_id(tokenizer, (wl_text){"no such piece", 13}, &none));
    }
    CHECK(!strcmp(wl_tokenizer_kind(tokenizers[0]), "BPE") && !strcmp(wl_tokenizer_kind(tokenizers[7]), "WordPiece"));
    CHECK(!strcmp(wl_tokenizer_kind(tokenizers[13]), "Unigram"));
}

/* A batch is its texts one by one, whatever the number of threads and whether or not there are spans. */
static void check_batches(void)
{
    enum { TEXTS = 300, TOKENS = 1 << 16 };
    static uint32_t ids[TOKENS], one[TOKENS];
    static wl_span spans[TOKENS], place[TOKENS];
    static const char words[] = "hello the cat na\xC3\xAFve <L> sat\xFF down  and again unknown Y\xC3\xA9s";
    wl_text texts[TEXTS];
    size_t starts[TEXTS + 1];
    for (size_t i = 0; i < TEXTS; i++) texts[i] = (wl_text){words + i % 7, i * 13 % (sizeof words - 7)};
    for (size_t t = 0; t < NAMES; t++) {
        for (uint32_t threads = 1; threads < 5; threads += 3) {
            wl_context_options options = {.size = sizeof options, .threads = threads};
            wl_encode_options encode = {.size = sizeof encode, .special_tokens = threads > 1};
            wl_context *fresh = wl_context_create(&options, NULL);
            wl_error error;
            wl_status status =
                wl_encode_batch(tokenizers[t], fresh, texts, TEXTS, &encode, ids, spans, TOKENS, starts, &error);
            CHECK_THAT(!status, "%s: %s", names[t], error.message);
            bool same = starts[0] == 0;
            for (size_t i = 0; i < TEXTS && !status; i++) {
                size_t count = 0;
                same = same && !wl_encode(tokenizers[t], context, texts[i], &encode, one, place, TOKENS, &count, NULL);
                same = same && count == starts[i + 1] - starts[i] &&
                       memcmp(one, ids + starts[i], count * sizeof *one) == 0 &&
                       memcmp(place, spans + starts[i], count * sizeof *place) == 0;
            }
            CHECK_THAT(same, "%s: a batch with %u threads", names[t], (unsigned)threads);
            size_t all = starts[TEXTS];
            memcpy(one, ids, all * sizeof *one);
            CHECK(!wl_encode_batch(tokenizers[t], fresh, texts, TEXTS, &encode, ids, NULL, all, starts, &error));
            CHECK(starts[TEXTS] == all && memcmp(one, ids, all * sizeof *one) == 0);
            status = wl_encode_batch(tokenizers[t], fresh, texts, TEXTS, &encode, ids, NULL, all - 1, starts, &error);
            CHECK(status == WL_ERROR_LIMIT && starts[TEXTS] == all);
            CHECK(!wl_encode_batch(tokenizers[t], fresh, NULL, 0, &encode, NULL, NULL, 0, starts, &error) &&
                  !starts[0]);
            wl_context_free(fresh);
        }
    }
}

static void check_arguments(void)
{
    wl_error error;
    uint32_t ids[8];
    size_t count;
    const wl_text text = {"hello the cat", 13};
    const wl_encode_options wrong = {.size = 1};
    CHECK(wl_encode(NULL, context, text, NULL, ids, NULL, 8, &count, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_encode(tokenizers[0], NULL, text, NULL, ids, NULL, 8, &count, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_encode(tokenizers[0], context, text, NULL, NULL, NULL, 8, &count, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_encode(tokenizers[0], context, text, NULL, ids, NULL, 8, NULL, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_encode(tokenizers[0], context, text, &wrong, ids, NULL, 8, &count, NULL) == WL_ERROR_ARGUMENT);
    CHECK(wl_encode(tokenizers[0], context, (wl_text){NULL, 1}, NULL, ids, NULL, 8, &count, &error) ==
          WL_ERROR_ARGUMENT);
    CHECK(!wl_encode(tokenizers[0], context, (wl_text){NULL, 0}, NULL, NULL, NULL, 0, &count, NULL) && count == 0);
    for (size_t limit = 1; limit < 5; limit++) {
        wl_encode_options options = {.size = sizeof options, .special_tokens = true, .max_tokens = limit};
        uint64_t truncated = wl_context_counts(context).truncated;
        wl_status status = wl_encode(tokenizers[7], context, text, &options, ids, NULL, 8, &count, &error);
        CHECK(limit < 2 ? status == WL_ERROR_ARGUMENT : !status && count == limit);
        CHECK(wl_context_counts(context).truncated == truncated + (limit >= 2));
        CHECK(limit < 2 || (ids[0] == 2 && ids[limit - 1] == 3));
    }
    CHECK(!wl_tokenizer_parse(NULL, 0, NULL, &error) && error.code == WL_ERROR_ARGUMENT);
    CHECK(!wl_tokenizer_parse("[PAD]\nthe\n", 10, "vocab.txt", &error) && error.code == WL_ERROR_FORMAT &&
          strstr(error.message, "is not a tokenizer.json"));
    CHECK(!wl_tokenizer_open(NULL, NULL));
    CHECK(!wl_tokenizer_open(FOLDER "absent.json", &error) && error.code == WL_ERROR_NOT_FOUND &&
          strstr(error.file, "absent.json"));
    wl_tokenizer_close(NULL);
}

/* ---- what is refused ---- */

#define BPE(more)          "{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1,\"ab\":2},\"merges\":[[\"a\",\"b\"]]" more "}"
#define MERGES(list)       "{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1,\"ab\":2},\"merges\":" list "}"
#define REPLACE_MORE(more) "{\"type\":\"Replace\",\"pattern\":{\"String\":\"a\"},\"content\":\"b\"" more "}"
#define VOCABULARY(map)    "{\"type\":\"BPE\",\"vocab\":" map ",\"merges\":[]}"
#define WORDPIECE(more)    "{\"type\":\"WordPiece\",\"vocab\":{\"a\":0,\"[UNK]\":1}" more "}"
#define UNIGRAM(more)      "{\"type\":\"Unigram\"" more "}"
#define ADDED(more)                                                                                                    \
    "[{\"id\":0,\"content\":\"x\",\"single_word\":false,\"lstrip\":false,\"rstrip\":false,\"normalized\":false" more   \
    "}]"
#define METASPACE(more) "{\"type\":\"Metaspace\"" more "}"
#define TEMPLATE(list)  "{\"type\":\"TemplateProcessing\",\"single\":" list ",\"pair\":[],\"special_tokens\":{}}"

/* A file that is right but for one member. message: what the error's message holds; NULL: the file is right. */
static const struct {
    const char *member, *value;
    wl_status status;
    const char *message;
} files[] = {
    {"model", BPE(""), WL_OK, NULL},
    {"model", BPE(",\"unk_token\":null,\"dropout\":0.0,\"continuing_subword_prefix\":\"\",\"more\":[1,{}]"), WL_OK,
     NULL},
    {"model", MERGES("[\"#version: 0.2\",\"a b\"]"), WL_OK, NULL},
    {"model", VOCABULARY("{}"), WL_OK, NULL},
    {"added_tokens", ADDED(",\"special\":true"), WL_OK, NULL},
    {"added_tokens", "[]", WL_OK, NULL},
    /* not known */
    {"version", "\"2.0\"", WL_ERROR_UNSUPPORTED, "2.0"},
    {"model", "{\"type\":\"WordLevel\",\"vocab\":{},\"unk_token\":\"a\"}", WL_OK, ""},
    {"model", "{\"vocab\":{}}", WL_ERROR_FORMAT, "WordLevel"},
    {"model", "{\"type\":\"Nonsense\"}", WL_ERROR_UNSUPPORTED, "Nonsense"},
    {"model", BPE(",\"ignore_merges\":true"), WL_OK, ""},
    {"model", BPE(",\"continuing_subword_prefix\":\"##\""), WL_ERROR_FORMAT, "shorter than the prefix"},
    {"model", BPE(",\"end_of_word_suffix\":\"</w>\""), WL_OK, ""},
    {"model", BPE(",\"dropout\":0.1"), WL_ERROR_UNSUPPORTED, "dropout"},
    {"normalizer", "{\"type\":\"NFC\"}", WL_OK, NULL},
    {"normalizer", "{\"type\":\"Uppercase\"}", WL_ERROR_UNSUPPORTED, "'Uppercase'"},
    {"normalizer", "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFD\"}]}", WL_OK, NULL},
    {"normalizer", "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFE\"}]}", WL_ERROR_UNSUPPORTED, "'NFE'"},
    {"normalizer", "{\"type\":\"Precompiled\"}", WL_ERROR_FORMAT, "lacks"},
    {"normalizer", "{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"\"}", WL_ERROR_FORMAT, "0 bytes"},
    {"normalizer", "{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"AAAAAA==\"}", WL_OK, NULL},
    {"normalizer", "{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"AAAA?A==\"}", WL_ERROR_FORMAT, "base64"},
    {"normalizer", "{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"AAAAAAA\"}", WL_OK, NULL},
    {"normalizer", "{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"BAAAAA==\"}", WL_ERROR_FORMAT,
     "its table alone"},
    {"normalizer", "{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"AAAAAP8=\"}", WL_ERROR_FORMAT, "UTF-8"},
    {"normalizer",
     "{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"AAAAAA==\",\"precompiled_charsmap\":\"AAAAAA==\"}",
     WL_ERROR_FORMAT, "twice"},
    {"normalizer", "{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"(?<n>a)\"},\"content\":\"\"}", WL_ERROR_UNSUPPORTED,
     "(?<n>a)"},
    {"normalizer", "{\"type\":\"Replace\",\"pattern\":{\"Glob\":\"*\"},\"content\":\"\"}", WL_ERROR_UNSUPPORTED,
     "Glob"},
    {"normalizer", "{\"type\":\"Replace\",\"pattern\":{\"String\":\"\"},\"content\":\"\"}", WL_ERROR_UNSUPPORTED,
     "empty pattern"},
    {"pre_tokenizer", "{\"type\":\"ByteLevel\"}", WL_ERROR_FORMAT, "'add_prefix_space'"},
    {"pre_tokenizer", "{\"type\":\"ByteLevel\",\"add_prefix_space\":true}", WL_ERROR_FORMAT, "'trim_offsets'"},
    {"pre_tokenizer", "{\"type\":\"Delimiter\",\"delimiter\":\"a\"}", WL_ERROR_UNSUPPORTED, "'Delimiter'"},
    {"pre_tokenizer", "{\"type\":\"Split\"}", WL_ERROR_FORMAT, "'pattern'"},
    {"pre_tokenizer", "{\"type\":\"Split\",\"pattern\":{\"Glob\":\"*\"}}", WL_ERROR_UNSUPPORTED, "Glob"},
    {"pre_tokenizer", "{\"type\":\"Split\",\"pattern\":{\"String\":\"a\"},\"behavior\":\"Isolated\"}", WL_ERROR_FORMAT,
     "'invert'"},
    {"pre_tokenizer", "{\"type\":\"Split\",\"pattern\":{\"String\":\"a\"},\"behavior\":\"isolated\"}", WL_ERROR_FORMAT,
     "behavior"},
    {"pre_tokenizer",
     "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"(?<n>a)\"},\"behavior\":\"Isolated\",\"invert\":false}",
     WL_ERROR_UNSUPPORTED, "(?<n>a)"},
    {"pre_tokenizer", "{\"type\":\"Punctuation\",\"behavior\":\"None\"}", WL_ERROR_FORMAT, "behavior"},
    {"pre_tokenizer", "{\"type\":\"Digits\"}", WL_ERROR_FORMAT, "'individual_digits'"},
    {"pre_tokenizer", "{\"type\":\"CharDelimiterSplit\"}", WL_ERROR_FORMAT, "'delimiter'"},
    {"pre_tokenizer", "{\"type\":\"CharDelimiterSplit\",\"delimiter\":\"ab\"}", WL_ERROR_FORMAT, "one character"},
    {"pre_tokenizer", "{\"type\":\"FixedLength\",\"length\":0}", WL_ERROR_FORMAT, "length is 0"},
    {"pre_tokenizer", "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\"}]}", WL_ERROR_FORMAT, "'pattern'"},
    {"post_processor", "{\"type\":\"RobertaProcessing\"}", WL_ERROR_FORMAT, "cls"},
    {"post_processor", "{\"type\":\"ByteLevel\"}", WL_ERROR_FORMAT, "trim_offsets"},
    {"decoder", "{\"type\":\"Other\"}", WL_ERROR_UNSUPPORTED, "'Other'"},
    {"decoder", "{\"type\":\"WordPiece\"}", WL_ERROR_FORMAT, "prefix"},
    {"decoder", "{\"type\":\"Strip\",\"content\":\"ab\",\"start\":1,\"stop\":0}", WL_ERROR_FORMAT, "content"},
    {"post_processor", "{\"type\":\"Sequence\",\"processors\":[]}", WL_OK, ""},
    {"post_processor", TEMPLATE("[{\"Other\":{\"id\":\"A\"}}]"), WL_ERROR_UNSUPPORTED, "Other"},
    /* damaged */
    {"model", "null", WL_ERROR_FORMAT, ""},
    {"model", "[]", WL_ERROR_FORMAT, ""},
    {"model", "{\"type\":3}", WL_ERROR_FORMAT, ""},
    {"model", "{\"type\":\"BPE\",\"merges\":[]}", WL_ERROR_FORMAT, "'vocab'"},
    {"model", "{\"type\":\"BPE\",\"vocab\":{}}", WL_ERROR_FORMAT, "'merges'"},
    {"model", MERGES("[[\"a\",\"c\"]]"), WL_ERROR_FORMAT, "'c'"},
    {"model", MERGES("[[\"c\",\"a\"]]"), WL_ERROR_FORMAT, "'c'"},
    {"model", MERGES("[[\"b\",\"a\"]]"), WL_ERROR_FORMAT, "'ba'"},
    {"model", MERGES("[[\"a\"]]"), WL_ERROR_FORMAT, "two parts"},
    {"model", MERGES("[[\"\",\"\"]]"), WL_ERROR_FORMAT, "''"},
    {"model", MERGES("[\" \"]"), WL_ERROR_FORMAT, "''"},
    {"model", "{\"type\":\"BPE\",\"vocab\":{},\"merges\":[[\"\",\"\"]]}", WL_ERROR_FORMAT, "''"},
    {"model", "{\"type\":\"BPE\",\"vocab\":{\"\":7},\"merges\":[[\"\",\"\"]]}", WL_OK, ""},
    {"model", MERGES("[[\"a\",\"b\",\"a\"]]"), WL_ERROR_FORMAT, "two parts"},
    {"model", MERGES("[\"ab\"]"), WL_ERROR_FORMAT, "two parts"},
    {"model", MERGES("[\"a b a\"]"), WL_ERROR_FORMAT, "two parts"},
    {"model", MERGES("[7]"), WL_ERROR_FORMAT, ""},
    {"model", MERGES("{}"), WL_ERROR_FORMAT, ""},
    {"model", VOCABULARY("[]"), WL_ERROR_FORMAT, ""},
    {"model", VOCABULARY("{\"a\":-1}"), WL_ERROR_FORMAT, ""},
    {"model", VOCABULARY("{\"a\":1.5}"), WL_ERROR_FORMAT, ""},
    {"model", VOCABULARY("{\"a\":\"1\"}"), WL_ERROR_FORMAT, ""},
    {"model", VOCABULARY("{\"a\":4294967296}"), WL_ERROR_FORMAT, ""},
    {"model", VOCABULARY("{\"a\":99999999999999999999999}"), WL_ERROR_FORMAT, ""},
    {"model", BPE(",\"byte_fallback\":1"), WL_ERROR_FORMAT, ""},
    {"model", BPE(",\"unk_token\":0"), WL_ERROR_FORMAT, ""},
    {"model", WORDPIECE(""), WL_ERROR_FORMAT, "'unk_token'"},
    {"model", WORDPIECE(",\"unk_token\":\"[UNK]\""), WL_ERROR_FORMAT, "'continuing_subword_prefix'"},
    {"model", WORDPIECE(",\"unk_token\":\"[UNK]\",\"continuing_subword_prefix\":\"##\""), WL_ERROR_FORMAT,
     "'max_input_chars_per_word'"},
    {"model", UNIGRAM(""), WL_ERROR_FORMAT, "'vocab'"},
    {"model", UNIGRAM(",\"vocab\":[[\"a\"]]"), WL_ERROR_FORMAT, "parts"},
    {"model", UNIGRAM(",\"vocab\":[[\"a\",\"b\"]]"), WL_ERROR_FORMAT, ""},
    {"model", UNIGRAM(",\"vocab\":[[\"a\",0]],\"unk_id\":1"), WL_ERROR_FORMAT, "unk_id"},
    {"model", UNIGRAM(",\"vocab\":{\"a\":0}"), WL_ERROR_FORMAT, ""},
    {"normalizer", "3", WL_ERROR_FORMAT, ""},
    {"normalizer", "{\"type\":\"Prepend\"}", WL_ERROR_FORMAT, "'prepend'"},
    {"normalizer", "{\"type\":\"Replace\",\"content\":\"\"}", WL_ERROR_FORMAT, "'pattern'"},
    {"normalizer", "{\"type\":\"Replace\",\"pattern\":{\"String\":\"a\"}}", WL_ERROR_FORMAT, "'content'"},
    {"normalizer", REPLACE_MORE(",\"content\":\"c\""), WL_ERROR_FORMAT, "'content' stands twice"},
    {"normalizer", REPLACE_MORE(",\"pattern\":{\"String\":\"b\"}"), WL_ERROR_FORMAT, "'pattern' stands twice"},
    {"normalizer", REPLACE_MORE(",\"pattern\":{\"Regex\":\"\\\\s+\"}"), WL_ERROR_FORMAT, "'pattern' stands twice"},
    {"normalizer", "{\"type\":\"Strip\",\"strip_left\":true}", WL_ERROR_FORMAT, "'strip_right'"},
    {"normalizer", "{\"type\":\"BertNormalizer\",\"clean_text\":true,\"lowercase\":true}", WL_ERROR_FORMAT,
     "'handle_chinese_chars'"},
    {"normalizer", "{\"type\":\"Sequence\"}", WL_ERROR_FORMAT, "'normalizers'"},
    {"pre_tokenizer", METASPACE(""), WL_ERROR_FORMAT, "'replacement'"},
    {"pre_tokenizer", METASPACE(",\"replacement\":\"ab\""), WL_ERROR_FORMAT, "one character"},
    {"pre_tokenizer", METASPACE(",\"replacement\":\"_\",\"prepend_scheme\":\"last\""), WL_ERROR_FORMAT,
     "prepend_scheme"},
    {"pre_tokenizer", METASPACE(",\"replacement\":\"_\",\"add_prefix_space\":false"), WL_ERROR_FORMAT,
     "add_prefix_space"},
    {"pre_tokenizer", "{\"type\":\"Sequence\"}", WL_ERROR_FORMAT, "'pretokenizers'"},
    {"post_processor", "{\"type\":\"BertProcessing\",\"sep\":[\"a\",0]}", WL_ERROR_FORMAT, "'cls'"},
    {"post_processor", "{\"type\":\"BertProcessing\",\"sep\":[\"a\"],\"cls\":[\"a\",0]}", WL_ERROR_FORMAT, ""},
    {"post_processor", "{\"type\":\"TemplateProcessing\",\"special_tokens\":{}}", WL_ERROR_FORMAT, "'single'"},
    {"post_processor", TEMPLATE("[{\"Sequence\":{\"id\":\"B\"}}]"), WL_ERROR_FORMAT, "'B'"},
    {"post_processor", TEMPLATE("[{\"SpecialToken\":{\"id\":\"<s>\"}}]"), WL_ERROR_FORMAT, "'<s>'"},
    {"truncation", "{\"strategy\":\"LongestFirst\"}", WL_ERROR_FORMAT, "'max_length'"},
    {"truncation", "{\"max_length\":-1}", WL_ERROR_FORMAT, ""},
    {"padding", "{\"strategy\":{\"Fixed\":99999999999}}", WL_ERROR_FORMAT, ""},
    {"added_tokens", "[{\"content\":\"x\"}]", WL_ERROR_FORMAT, "'single_word'"},
    {"added_tokens", ADDED(""), WL_ERROR_FORMAT, "'special'"},
    {"added_tokens", ADDED(",\"special\":3"), WL_ERROR_FORMAT, ""},
    {"added_tokens", "[[]]", WL_ERROR_FORMAT, ""},
};

static void build(wl_buffer *out, const char *member, const char *value)
{
    static const char *const members[] = {"version",       "truncation",     "padding", "added_tokens", "normalizer",
                                          "pre_tokenizer", "post_processor", "decoder", "model"};
    static const char *const values[] = {"\"1.0\"", "null", "null", "[]", "null", "null", "null", "null", BPE("")};
    char line[128];
    out->size = 0;
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        snprintf(line, sizeof line, "%s\"%s\":", i ? ",\n" : "{", members[i]);
        texts_add(out, (wl_text){line, strlen(line)});
        const char *text = strcmp(members[i], member) == 0 ? value : values[i];
        texts_add(out, (wl_text){text, strlen(text)});
    }
    texts_add(out, (wl_text){"}", 1});
}

static void check_refused(void)
{
    enum { FILES = sizeof files / sizeof *files };
    wl_buffer json = {0};
    for (size_t i = 0; i < FILES; i++) {
        wl_error error = {0};
        build(&json, files[i].member, files[i].value);
        wl_tokenizer *tokenizer = wl_tokenizer_parse(json.data, json.size, "a/tokenizer.json", &error);
        CHECK_THAT((tokenizer != NULL) == (files[i].status == WL_OK), "%s: %s: %s", files[i].member, files[i].value,
                   error.message);
        if (!tokenizer && files[i].message) {
            CHECK_THAT(error.code == files[i].status, "%s: %s: %s", files[i].value, wl_status_name(error.code),
                       error.message);
            CHECK_THAT(strstr(error.message, files[i].message) && error.message[0], "%s: %s", files[i].value,
                       error.message);
            CHECK_THAT(error.line > 0 && error.line <= 9, "%s: line %llu", files[i].value,
                       (unsigned long long)error.line);
            CHECK(!strcmp(error.file, "a/tokenizer.json"));
        }
        wl_tokenizer_close(tokenizer);
    }
    printf("refused: %d files\n", FILES);
    wl_buffer_free(&json);
}

#define BARE_WORDPIECE                                                                                                 \
    "{\"type\":\"WordPiece\",\"vocab\":{\"a\":0},\"unk_token\":\"[UNK]\",\"continuing_subword_prefix\":\"##\","        \
    "\"max_input_chars_per_word\":9}"

/* A text with unknown characters for a model whose unknown token is not in the vocabulary: refused, as by the oracle.
 */
static void check_no_unknown(void)
{
    static const char *const models[] = {
        "{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[],\"unk_token\":\"<unk>\"}",
        BARE_WORDPIECE,
        "{\"type\":\"Unigram\",\"vocab\":[[\"a\",-1]]}",
    };
    wl_buffer json = {0};
    for (size_t i = 0; i < 3; i++) {
        uint32_t ids[4];
        size_t count;
        wl_error error = {0};
        build(&json, "model", models[i]);
        wl_tokenizer *tokenizer = wl_tokenizer_parse(json.data, json.size, NULL, &error);
        CHECK_THAT(tokenizer, "%s: %s", models[i], error.message);
        if (!tokenizer) continue;
        CHECK(!wl_encode(tokenizer, context, (wl_text){"a", 1}, NULL, ids, NULL, 4, &count, &error) && count == 1);
        CHECK_THAT(wl_encode(tokenizer, context, (wl_text){"b", 1}, NULL, ids, NULL, 4, &count, &error) &&
                       error.message[0],
                   "%s", models[i]);
        wl_tokenizer_close(tokenizer);
    }
    wl_buffer_free(&json);
}

/* Every beginning of a file is damaged, and nothing worse. */
static void check_cut_files(void)
{
    wl_buffer file = {0};
    size_t cuts = 0;
    CHECK(texts_file(FOLDER "bert_uncased.json", &file));
    while (file.size && file.data[file.size - 1] == '\n') file.size--;
    for (size_t size = 0; size < file.size; size++, cuts++) {
        char *copy = malloc(size ? size : 1);
        wl_error error = {0};
        if (!copy) abort();
        if (size) memcpy(copy, file.data, size);
        wl_tokenizer *tokenizer = wl_tokenizer_parse(copy, size, NULL, &error);
        CHECK_THAT(!tokenizer && error.code == WL_ERROR_FORMAT && error.line == 1, "the first %zu bytes: %s", size,
                   error.message);
        wl_tokenizer_close(tokenizer);
        free(copy);
    }
    CHECK(cuts > 1000);
    wl_buffer_free(&file);
}

static void check_bomb(void)
{
    static const char *const members[] = {"model", "normalizer", "pre_tokenizer", "unknown"};
    static const char *const levels[] = {"{\"type\":\"Sequence\",\"normalizers\":[", "[",
                                         "{\"a\":", "{\"type\":\"Sequence\",\"pretokenizers\":["};
    wl_buffer json = {0};
    for (size_t m = 0; m < 4; m++)
        for (size_t l = 0; l < 4; l++) {
            char begin[64];
            wl_error error = {0};
            snprintf(begin, sizeof begin, "{\"version\":\"1.0\",\"%s\":", members[m]);
            json.size = 0;
            texts_add(&json, (wl_text){begin, strlen(begin)});
            for (size_t i = 0; i < 100000; i++) texts_add(&json, (wl_text){levels[l], strlen(levels[l])});
            CHECK(!wl_tokenizer_parse(json.data, json.size, NULL, &error));
            CHECK_THAT(error.code == WL_ERROR_LIMIT || error.code == WL_ERROR_FORMAT ||
                           error.code == WL_ERROR_UNSUPPORTED,
                       "%s of %s: %s", members[m], levels[l], error.message);
        }
    wl_buffer_free(&json);
}

/* Ids that no table could hold are refused or harmless. */
static void check_huge_ids(void)
{
    static const char *const ids[] = {"16777214", "16777215", "16777216", "4294967294", "4294967295"};
    wl_buffer json = {0};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        char model[256];
        uint32_t got[4];
        size_t count;
        wl_error error = {0};
        snprintf(model, sizeof model, "{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":%s},\"merges\":[]}", ids[i]);
        build(&json, "model", model);
        wl_tokenizer *tokenizer = wl_tokenizer_parse(json.data, json.size, NULL, &error);
        CHECK_THAT(tokenizer ? strtoul(ids[i], NULL, 10) < WL_ID_LIMIT
                             : error.code == WL_ERROR_LIMIT || error.code == WL_ERROR_FORMAT,
                   "id %s: %s", ids[i], error.message);
        if (!tokenizer) continue;
        CHECK(!wl_encode(tokenizer, context, (wl_text){"ab", 2}, NULL, got, NULL, 4, &count, &error));
        CHECK(count == 2 && got[0] == 0 && got[1] == strtoul(ids[i], NULL, 10));
        wl_tokenizer_close(tokenizer);
    }
    wl_buffer_free(&json);
}

/* ---- every allocation fails once ---- */

static void check_faults(void)
{
    static const char text[] =
        "hello the<L>cat  hi na\xC3\xAFve Y\xC3\xA9s \xF0\x9F\x91\xA8\xFF unknownwordsaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    size_t failures = 0;
    if (!fault_available()) {
        SKIP("failing allocations: not linked with --wrap");
        return;
    }
    for (size_t i = 0; i < NAMES; i++) {
        char path[1024];
        wl_buffer file = {0};
        wl_error error;
        snprintf(path, sizeof path, FOLDER "%s.json", names[i]);
        CHECK(texts_file(path, &file));
        for (size_t nth = 1;; nth++) {
            fault_begin(nth);
            wl_tokenizer *tokenizer = wl_tokenizer_parse(file.data, file.size, path, &error);
            bool failed = fault_end();
            CHECK_THAT(failed ? !tokenizer && error.code == WL_ERROR_MEMORY : tokenizer != NULL, "%s allocation %zu",
                       path, nth);
            wl_tokenizer_close(tokenizer);
            if (!failed) break;
            failures++;
        }
        wl_buffer_free(&file);
        for (int spans = 0; spans < 2; spans++)
            for (size_t nth = 1;; nth++) {
                uint32_t ids[256], right[256];
                wl_span places[256];
                size_t count = 0, whole = 0;
                wl_context *fresh = new_context(1 << 12);
                fault_begin(nth);
                wl_status status = wl_encode(tokenizers[i], fresh, (wl_text){text, sizeof text - 1}, NULL, ids,
                                             spans ? places : NULL, 256, &count, &error);
                bool failed = fault_end(), nth_failed = failed;
                CHECK_THAT(status == (failed ? WL_ERROR_MEMORY : WL_OK), "%s allocation %zu", names[i], nth);
                /* The context is as good as before. */
                CHECK(!wl_encode(tokenizers[i], fresh, (wl_text){text, sizeof text - 1}, NULL, ids, NULL, 256, &count,
                                 &error));
                for (size_t part = 1, size; part < 50; part++) {
                    char out[1024];
                    fault_begin(part);
                    status = wl_decode(tokenizers[i], fresh, ids, count, NULL, out, sizeof out, &size, &error);
                    failed = fault_end();
                    CHECK_THAT(status == (failed ? WL_ERROR_MEMORY : WL_OK), "%s: decoding", names[i]);
                    wl_text pair[2] = {{text, sizeof text - 1}, {text, 5}};
                    size_t starts[3];
                    fault_begin(part);
                    status = wl_encode_batch(tokenizers[i], fresh, pair, 2, NULL, right, spans ? places : NULL, 256,
                                             starts, &error);
                    CHECK_THAT(status == (fault_end() ? WL_ERROR_MEMORY : WL_OK), "%s: a batch", names[i]);
                    if (!failed && !status) break;
                }
                CHECK(!wl_encode(tokenizers[i], context, (wl_text){text, sizeof text - 1}, NULL, right, NULL, 256,
                                 &whole, &error));
                failed = nth_failed;
                CHECK_THAT(count == whole && memcmp(ids, right, count * sizeof *ids) == 0, "%s after allocation %zu",
                           names[i], nth);
                wl_context_free(fresh);
                if (!failed) break;
                failures++;
            }
    }
    CHECK(failures > 500);
    printf("failing allocations: %zu\n", failures);
}

/* Found by review; ids of the oracle 0.23.3. */
static void test_odd_vocabularies(void)
{
    static const struct {
        const char *what, *json, *text;
        uint32_t ids[8];
        size_t count;
    } cases[] = {
        {"a mark of two characters",
         "{\"normalizer\": {\"type\": \"Sequence\", \"normalizers\": [{\"type\": \"Prepend\", \"prepend\": \"__\"}, "
         "{\"type\": \"Replace\", \"pattern\": {\"String\": \" \"}, \"content\": \"__\"}]}, \"model\": {\"type\": "
         "\"BPE\", \"vocab\": {\"_\": 0, \"x\": 1, \"y\": 2, \"x_\": 3, \"__\": 4}, \"merges\": [[\"x\", \"_\"]]}}",
         "x y",
         {0, 0, 3, 0, 2},
         5},
        {"two pieces with one id",
         "{\"normalizer\": {\"type\": \"Sequence\", \"normalizers\": [{\"type\": \"Prepend\", \"prepend\": "
         "\"\\u2581\"}, {\"type\": \"Replace\", \"pattern\": {\"String\": \" \"}, \"content\": \"\\u2581\"}]}, "
         "\"model\": {\"type\": \"BPE\", \"vocab\": {\"\\u2581\": 0, \"x\": 1, \"z\": 0, \"xz\": 3, \"y\": 4}, "
         "\"merges\": [[\"x\", \"z\"]]}}",
         "x y",
         {0, 3, 4},
         3},
        {"a list with one piece twice",
         "{\"added_tokens\": [{\"content\": \"<new>\", \"single_word\": false, \"lstrip\": false, \"rstrip\": false, "
         "\"normalized\": false, \"special\": false}], \"model\": {\"type\": \"Unigram\", \"unk_id\": 0, \"vocab\": "
         "[[\"<unk>\", 0], [\"a\", -1], [\"a\", -2], [\"b\", -1]]}}",
         "a<new>b",
         {2, 4, 3},
         3},
    };
    wl_error error;
    wl_context *own = wl_context_create(NULL, &error);
    for (size_t i = 0; own && i < sizeof cases / sizeof *cases; i++) {
        wl_tokenizer *tokenizer = wl_tokenizer_parse(cases[i].json, strlen(cases[i].json), "odd", &error);
        CHECK_THAT(tokenizer, "%s: %s", cases[i].what, error.message);
        if (!tokenizer) continue;
        uint32_t ids[8];
        size_t count = 0;
        wl_text text = {cases[i].text, strlen(cases[i].text)};
        CHECK(wl_encode(tokenizer, own, text, NULL, ids, NULL, 8, &count, &error) == WL_OK);
        CHECK_THAT(count == cases[i].count && memcmp(ids, cases[i].ids, count * sizeof *ids) == 0, "%s", cases[i].what);
        wl_tokenizer_close(tokenizer);
    }
    wl_context_free(own);
    static const char twice[] = "{\"normalizer\": null, \"normalizer\": null, \"model\": null}";
    CHECK(!wl_tokenizer_parse(twice, sizeof twice - 1, "twice", &error) && error.code == WL_ERROR_FORMAT);
    CHECK_THAT(strstr(error.message, "twice"), "%s", error.message);
}

int main(void)
{
    context = new_context(0);
    open_all();
    check_expected();
    check_random();
    check_turns();
    check_ill_formed();
    check_long();
    check_pieces();
    check_batches();
    check_arguments();
    check_refused();
    check_no_unknown();
    check_cut_files();
    check_bomb();
    check_huge_ids();
    check_faults();
    for (size_t i = 0; i < NAMES; i++) wl_tokenizer_close(tokenizers[i]);
    wl_context_free(context);
    test_odd_vocabularies();
    return test_end();
}
