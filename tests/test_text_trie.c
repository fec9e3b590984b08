/* The trie and the matcher against the plainest way of doing the same, the added tokens' index, and what must stay
 * linear. */
#include "test.h"

#include <time.h>

#include "fault.h"
#include "text/context.h"
#include "texts.h"

enum { KEYS = 300, LONGEST = 160 };

struct key {
    char bytes[LONGEST];
    size_t size;
};

/* Few letters, so that keys share beginnings; now and then any byte, and a long run. */
static void random_key(texts_random *random, size_t letters, struct key *key)
{
    size_t limits[] = {2, 4, 8, texts_below(random, 8) == 0 ? LONGEST : 12};
    key->size = texts_below(random, limits[texts_below(random, 4)]);
    bool run = texts_below(random, 3) == 0;
    for (size_t i = 0; i < key->size; i++) {
        size_t any = texts_below(random, 20) == 0 ? texts_below(random, 256) : 'a' + texts_below(random, letters);
        key->bytes[i] = run && i + 1 < key->size ? 'a' : (char)any;
    }
}

/* The last of equal keys, or none. */
static uint32_t plain_find(const struct key *keys, size_t count, const char *bytes, size_t size)
{
    uint32_t found = WL_NO_ID;
    for (size_t i = 0; i < count; i++)
        if (keys[i].size == size && memcmp(keys[i].bytes, bytes, size) == 0) found = (uint32_t)i;
    return found;
}

/* Every node leads on by just the bytes that some key has there. */
static void check_trie_of(const struct key *keys, size_t count)
{
    wl_trie trie;
    wl_trie_key given[KEYS];
    wl_error error;
    for (size_t i = 0; i < count; i++) given[i] = (wl_trie_key){keys[i].bytes, (uint32_t)keys[i].size, (uint32_t)i};
    CHECK(!wl_trie_build(&trie, given, count, &error));
    bool right = wl_trie_value(&trie, 0) == plain_find(keys, count, "", 0);
    for (size_t i = 0; i < count; i++) {
        uint32_t node = 0;
        for (size_t depth = 0; depth <= keys[i].size; depth++) {
            right = right && wl_trie_value(&trie, node) == plain_find(keys, count, keys[i].bytes, depth);
            bool goes_on[256] = {false};
            for (size_t j = 0; j < count; j++)
                if (keys[j].size > depth && memcmp(keys[j].bytes, keys[i].bytes, depth) == 0)
                    goes_on[(unsigned char)keys[j].bytes[depth]] = true;
            for (unsigned byte = 0; byte < 256; byte++) {
                uint32_t child = node;
                right = right && wl_trie_step(&trie, &child, (unsigned char)byte) == goes_on[byte];
            }
            if (depth < keys[i].size) right = right && wl_trie_step(&trie, &node, (unsigned char)keys[i].bytes[depth]);
        }
    }
    CHECK(right);
    wl_trie_free(&trie);
}

static void check_trie(void)
{
    texts_random random = {.state = 7};
    static struct key keys[KEYS];
    for (size_t round = 0; round < 60; round++) {
        size_t letters = 1 + texts_below(&random, 26), count = texts_below(&random, KEYS);
        for (size_t i = 0; i < count; i++) random_key(&random, letters, &keys[i]);
        check_trie_of(keys, count);
    }
    for (size_t i = 0; i < 256; i++) keys[i] = (struct key){{(char)i, (char)i}, 1 + i % 2};
    check_trie_of(keys, 256);
    check_trie_of(keys, 0);
    wl_trie trie;
    wl_trie_key large = {"a", 1, WL_TRIE_VALUES};
    wl_error error;
    CHECK(wl_trie_build(&trie, &large, 1, &error) == WL_ERROR_LIMIT);
    wl_trie_free(&trie);
}

static void check_matcher(void)
{
    enum { TEXT = 20000 };
    texts_random random = {.state = 11};
    static struct key keys[KEYS];
    static char text[TEXT];
    size_t matches = 0, windows = 0;
    wl_matcher_scratch scratch = {0};
    wl_error error;
    for (size_t round = 0; round < 400; round++) {
        wl_matcher matcher = {0};
        size_t letters = 1 + texts_below(&random, 5), count = texts_below(&random, 12),
               size = texts_below(&random, TEXT);
        for (size_t i = 0; i < count; i++) {
            do random_key(&random, letters, &keys[i]);
            while (keys[i].size == 0);
            CHECK(!wl_matcher_add(&matcher, (wl_text){keys[i].bytes, keys[i].size}, (uint32_t)i, &error));
        }
        CHECK(!wl_matcher_finish(&matcher, &error));
        for (size_t at = 0; at < size;) {
            struct key key;
            random_key(&random, letters, &key);
            if (count && texts_below(&random, 2)) {
                key = keys[texts_below(&random, count)];
                key.size -= texts_below(&random, 4) == 0;
            }
            for (size_t i = 0; i < key.size && at < size; i++) text[at++] = key.bytes[i];
            if (at < size && texts_below(&random, 9) == 0) text[at++] = '.';
        }
        bool right = true;
        wl_matcher_begin(&scratch);
        for (size_t at = 0, expected = 0; right;) {
            const wl_match_pattern *match;
            CHECK(!wl_matcher_next(&matcher, text, size, &scratch, &at, &match, &error));
            uint32_t best = WL_NO_ID;
            for (; expected < size && best == WL_NO_ID; expected++)
                for (size_t i = 0; i < count; i++)
                    if (keys[i].size <= size - expected && memcmp(keys[i].bytes, text + expected, keys[i].size) == 0 &&
                        (best == WL_NO_ID || keys[i].size >= keys[best].size))
                        best = (uint32_t)i;
            right = best == WL_NO_ID ? !match : match && match->value == best && at == expected - 1;
            if (!match || !right) break;
            matches++;
            expected = at += match->size;
        }
        CHECK_THAT(right, "round %zu", round);
        windows += scratch.end > 0;
        wl_matcher_free(&matcher);
    }
    CHECK_THAT(matches > 10000 && windows > 20, "%zu matches, %zu texts with a window", matches, windows);
    wl_matcher_scratch_free(&scratch);
}

/* ---- added tokens ---- */

#define ADDED(content, flags) "{\"content\": \"" content "\", " flags ", \"special\": false}"
#define PLAIN                 "\"single_word\": false, \"lstrip\": false, \"rstrip\": false, \"normalized\": false"
#define STRIPS                "\"single_word\": false, \"lstrip\": true, \"rstrip\": true, \"normalized\": false"

static wl_tokenizer *open_added(const char *model, const wl_buffer *added)
{
    wl_buffer json = {0};
    wl_error error = {0};
    texts_add(&json, (wl_text){"{\"added_tokens\": [", 18});
    texts_add(&json, (wl_text){added->data, added->size});
    texts_add(&json, (wl_text){"], \"model\": ", 12});
    texts_add(&json, (wl_text){model, strlen(model)});
    texts_add(&json, (wl_text){"}", 1});
    wl_tokenizer *tokenizer = wl_tokenizer_parse(json.data, json.size, NULL, &error);
    CHECK_THAT(tokenizer, "%s", error.message);
    wl_buffer_free(&json);
    return tokenizer;
}

static const char unigram[] = "{\"type\": \"Unigram\", \"unk_id\": 0, \"vocab\": [[\"<unk>\", 0], [\"a\", -1], "
                              "[\"b\", -3], [\"a\", -2], [\"ab\", -9], [\"a\", -1.5]]}";

/* Many: found both ways, and in the text. Ids are given anew, whatever the file says. */
static void check_many(wl_context *context)
{
    enum { TOKENS = 50000 };
    wl_buffer added = {0};
    char line[256];
    clock_t start = clock();
    for (size_t i = 0; i < TOKENS; i++) {
        int size = snprintf(line, sizeof line, "%s" ADDED("<token %zu>", PLAIN), i ? "," : "", i);
        texts_add(&added, (wl_text){line, (size_t)size});
    }
    wl_tokenizer *tokenizer = open_added(unigram, &added);
    bool right = true;
    for (uint32_t i = 0; tokenizer && i < TOKENS; i++) {
        wl_error error;
        uint32_t id = 0, ids[4];
        size_t count = 0;
        int size = snprintf(line, sizeof line, "<token %u>", i);
        wl_text content = {line, (size_t)size}, piece = wl_tokenizer_piece(tokenizer, 6 + i);
        right = right && wl_tokenizer_id(tokenizer, content, &id) && id == 6 + i;
        right = right && piece.size == content.size && memcmp(piece.data, content.data, piece.size) == 0;
        right = right && !wl_encode(tokenizer, context, content, NULL, ids, NULL, 4, &count, &error) && count == 1 &&
                ids[0] == id;
    }
    CHECK(right);
    double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    CHECK_THAT(seconds < 5, "%.1f s", seconds);
    wl_tokenizer_close(tokenizer);
    wl_buffer_free(&added);
}

/* Nothing that is quadratic. */
static void check_linear(wl_context *context)
{
    enum { TIMES = 300000, PATTERN = 2000 };
    static const char *const units[] = {" ", "a", "aaaaaaaaab", "<", " \t"};
    wl_buffer added = {0}, text = {0};
    wl_error error;
    static char run[PATTERN + 1];
    memset(run, 'a', PATTERN);
    texts_add(&added, (wl_text){"{\"content\": \"", 13});
    texts_add(&added, (wl_text){run, PATTERN});
    static const char rest[] = "b\", " PLAIN ", \"special\": false}," ADDED("aaaa", PLAIN) "," ADDED(
        " ", STRIPS) "," ADDED("\\t", STRIPS) "," ADDED("<|a|>", PLAIN) "," ADDED("[a]", PLAIN);
    texts_add(&added, (wl_text){rest, sizeof rest - 1});
    wl_tokenizer *tokenizer = open_added(unigram, &added);
    for (size_t u = 0; tokenizer && u < sizeof units / sizeof *units; u++) {
        size_t count = 0;
        text.size = 0;
        for (size_t i = 0; i < TIMES; i++) texts_add(&text, (wl_text){units[u], strlen(units[u])});
        clock_t start = clock();
        wl_status status =
            wl_encode(tokenizer, context, (wl_text){text.data, text.size}, NULL, NULL, NULL, 0, &count, &error);
        CHECK(status == WL_ERROR_LIMIT && count > 0);
        double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
        CHECK_THAT(seconds < 3, "unit %zu: %.1f s", u, seconds);
    }
    wl_tokenizer_close(tokenizer);
    wl_buffer_free(&text);
    wl_buffer_free(&added);
}

/* Of a piece that a list holds more than once text has the last id; the names of all are known. */
static void check_shadowed(wl_context *context)
{
    static const char *const names[] = {"<unk>", "a", "b", "a", "ab", "a"};
    wl_buffer none = {0};
    wl_error error;
    uint32_t ids[4] = {0};
    size_t count = 0;
    wl_tokenizer *tokenizer = open_added(unigram, &none);
    for (uint32_t id = 0; tokenizer && id < 6; id++)
        CHECK_THAT(wl_text_is(wl_tokenizer_piece(tokenizer, id), names[id]), "id %u", id);
    CHECK(tokenizer && !wl_tokenizer_piece(tokenizer, 6).data);
    CHECK(!wl_encode(tokenizer, context, (wl_text){"aba", 3}, NULL, ids, NULL, 4, &count, &error));
    CHECK(count == 3 && ids[0] == 5 && ids[1] == 2 && ids[2] == 5);
    wl_tokenizer_close(tokenizer);
}

/* An unknown is needed only where it would win. */
static void check_unneeded_unknown(wl_context *context)
{
    static const char model[] = "{\"type\": \"Unigram\", \"unk_id\": null, \"vocab\": [[\"a\", -1], [\"ab\", -1]]}";
    wl_buffer none = {0};
    wl_error error;
    uint32_t ids[4] = {0};
    size_t count = 0;
    wl_tokenizer *tokenizer = open_added(model, &none);
    CHECK(tokenizer && !wl_encode(tokenizer, context, (wl_text){"ab", 2}, NULL, ids, NULL, 4, &count, &error));
    CHECK(count == 1 && ids[0] == 1);
    CHECK(wl_encode(tokenizer, context, (wl_text){"b", 1}, NULL, ids, NULL, 4, &count, &error) == WL_ERROR_FORMAT);
    wl_tokenizer_close(tokenizer);
}

/* ---- every allocation fails once ---- */

static void check_faults(void)
{
    static const char json[] = "{\"added_tokens\": [" ADDED(
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
        PLAIN) "," ADDED("aa",
                         STRIPS) "], \"model\": {\"type\": \"Unigram\", \"unk_id\": 0, \"vocab\": [[\"<unk>\", 0], "
                                 "[\"a\", -1], [\"b\", -3], [\"a\", -2]]}}";
    static char text[200];
    if (!fault_available()) {
        SKIP("failing allocations: not linked with --wrap");
        return;
    }
    memset(text, 'a', sizeof text);
    for (size_t nth = 1;; nth++) {
        wl_error error;
        uint32_t ids[256];
        size_t count = 0;
        const wl_context_options options = {.size = sizeof options, .threads = 1};
        wl_context *context = wl_context_create(&options, NULL);
        fault_begin(nth);
        wl_tokenizer *tokenizer = wl_tokenizer_parse(json, sizeof json - 1, NULL, &error);
        wl_status status = !tokenizer ? error.code
                                      : wl_encode(tokenizer, context, (wl_text){text, sizeof text}, NULL, ids, NULL,
                                                  256, &count, &error);
        bool failed = fault_end();
        CHECK_THAT(status == (failed ? WL_ERROR_MEMORY : WL_OK), "allocation %zu", nth);
        wl_tokenizer_close(tokenizer);
        wl_context_free(context);
        if (failed) continue;
        CHECK(nth > 20 && count == 100 && ids[0] == 5);
        break;
    }
}

int main(void)
{
    const wl_context_options options = {.size = sizeof options, .threads = 1};
    wl_context *context = wl_context_create(&options, NULL);
    if (!context) abort();
    check_trie();
    check_matcher();
    check_many(context);
    check_linear(context);
    check_shadowed(context);
    check_unneeded_unknown(context);
    check_faults();
    wl_context_free(context);
    return test_end();
}
