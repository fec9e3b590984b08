/* Texts compared with a query, and explanations, with the tiny models of tests/golden/models: against embedding and
 * comparing by hand, for every option; bad input; allocations that fail. */
#include <math.h>

#include "fault.h"
#include "test.h"
#include "wordllama.h"

enum { COUNT = 9, DIM = 64 };

static const char *const words[COUNT] = {
    "i went to the car", "we walk to the shop", "",      "the pawn shop", "car", "cafe",
    "the the the",       "i went to the car",   "walked"};
static wl_text texts[COUNT];
static wl_context *context;

static wl_text text_of(const char *string)
{
    return (wl_text){string, strlen(string)};
}

static wl_model *open_model(const char *name)
{
    char path[256];
    wl_error error;
    snprintf(path, sizeof path, WL_TEST_DATA "/golden/models/%s", name);
    wl_model *model = wl_model_open(path, NULL, &error);
    CHECK_THAT(model, "%s: %s", name, error.message);
    return model;
}

static float score_by_hand(const wl_model *model, wl_text query, wl_text text, const wl_rank_options *options)
{
    wl_embed_options embed = {
        .size = sizeof embed, .binary = options->binary, .dim = options->dim, .normalize = WL_OFF};
    static float rows[2][1024];
    size_t size = wl_embed_row_size(model, &embed), dim = options->dim ? options->dim : wl_model_describe(model).dim;
    CHECK(size && size <= sizeof rows[0]);
    CHECK(wl_embed(model, context, &query, 1, &embed, rows[0], sizeof rows[0], NULL) == WL_OK);
    CHECK(wl_embed(model, context, &text, 1, &embed, rows[1], sizeof rows[1], NULL) == WL_OK);
    if (!options->binary) return wl_cosine(rows[0], rows[1], dim);
    double part = (double)wl_hamming((uint8_t *)rows[0], (uint8_t *)rows[1], size) / (double)dim;
    return (float)(options->measure == WL_HAMMING ? 1 - part : 1 - 2 * part);
}

static void check_rank(const wl_model *model, wl_text query, wl_rank_options options)
{
    wl_match expected[COUNT], got[COUNT];
    size_t count = 0, kept;
    options.size = sizeof options;
    for (size_t i = 0; i < COUNT; i++) {
        float score = score_by_hand(model, query, texts[i], &options);
        if (!options.above || score > (float)options.threshold) expected[count++] = (wl_match){i, score};
    }
    wl_sort_matches(expected, count);
    if (options.top && options.top < count) count = options.top;
    if (options.keep_order)
        for (size_t i = 1; i < count; i++)
            for (size_t j = i; j && expected[j].index < expected[j - 1].index; j--) {
                wl_match other = expected[j];
                expected[j] = expected[j - 1];
                expected[j - 1] = other;
            }
    wl_error error;
    CHECK_THAT(wl_rank(model, context, query, texts, COUNT, &options, got, &kept, &error) == WL_OK, "%s",
               error.message);
    CHECK_THAT(kept == count, "%zu kept, expected %zu", kept, count);
    for (size_t i = 0; i < count && i < kept; i++)
        CHECK_THAT(got[i].index == expected[i].index && got[i].score == expected[i].score,
                   "place %zu: text %zu %g, expected %zu %g", i, got[i].index, (double)got[i].score, expected[i].index,
                   (double)expected[i].score);
    wl_key *key = wl_key_create(model, context, query, &options, &error);
    CHECK(key);
    for (size_t i = 0; key && i < COUNT; i++) {
        float score;
        CHECK(wl_key_score(key, context, texts[i], &score, &error) == WL_OK);
        CHECK(score == score_by_hand(model, query, texts[i], &options));
    }
    wl_key_free(key);
}

static void test_rank(const wl_model *model)
{
    static const char *const queries[] = {"the car", "", "walked to the shop"};
    for (size_t q = 0; q < 3; q++) {
        wl_text query = text_of(queries[q]);
        check_rank(model, query, (wl_rank_options){0});
        check_rank(model, query, (wl_rank_options){.keep_order = true});
        check_rank(model, query, (wl_rank_options){.top = 3});
        check_rank(model, query, (wl_rank_options){.top = 3, .keep_order = true});
        check_rank(model, query, (wl_rank_options){.top = 1000});
        check_rank(model, query, (wl_rank_options){.above = true, .threshold = 0.3, .keep_order = true});
        check_rank(model, query, (wl_rank_options){.above = true, .threshold = 2});
        check_rank(model, query, (wl_rank_options){.dim = 3});
        check_rank(model, query, (wl_rank_options){.binary = true});
        check_rank(model, query, (wl_rank_options){.binary = true, .measure = WL_HAMMING, .top = 4});
    }
    wl_match one[1];
    size_t kept = 7;
    wl_error error;
    CHECK(wl_rank(model, context, texts[0], NULL, 0, NULL, NULL, &kept, &error) == WL_OK && kept == 0);
    CHECK(wl_rank(model, context, texts[0], texts, 1, NULL, one, &kept, &error) == WL_OK && kept == 1);
    CHECK(one[0].index == 0 && one[0].score > 0.999999f);
}

/* Shares sum to the cosine; a token's share does not depend on the others' order. */
static void test_explain(const wl_model *model, bool exact)
{
    static const char *const pairs[][2] = {{"i went to the car", "we walk to the shop"},
                                           {"the pawn shop", "the pawn shop"},
                                           {"car", ""},
                                           {"", "car"},
                                           {"walked walks walking unknownwording", "we walked"}};
    for (size_t p = 0; p < sizeof pairs / sizeof *pairs; p++)
        for (uint32_t dim = 0; dim <= 5; dim += 5) {
            wl_contribution shares[64];
            size_t count;
            float score;
            wl_error error;
            wl_text a = text_of(pairs[p][0]), b = text_of(pairs[p][1]);
            CHECK_THAT(wl_explain(model, context, a, b, dim, shares, 64, &count, &score, &error) == WL_OK, "%s",
                       error.message);
            CHECK(score == score_by_hand(model, a, b, &(wl_rank_options){.dim = dim}));
            double sum = 0;
            for (size_t i = 0; i < count; i++) {
                sum += (double)shares[i].share;
                CHECK(shares[i].span.begin <= shares[i].span.end && shares[i].span.end <= a.size);
            }
            CHECK_THAT(fabs(sum - (double)score) < (exact ? 1e-6 : 2e-3), "%g, expected %g", sum, (double)score);
            if (count) {
                size_t again;
                CHECK(wl_explain(model, context, a, b, dim, shares, count - 1, &again, &score, &error) ==
                      WL_ERROR_LIMIT);
                CHECK(again == count);
            }
        }
}

static void test_bad_input(const wl_model *model)
{
    wl_match matches[COUNT];
    wl_contribution shares[4];
    size_t kept;
    float score;
    wl_error error;
    wl_text bad = {NULL, 100000};
    wl_rank_options options = {.size = sizeof options, .above = true, .threshold = (double)NAN};
    CHECK(wl_rank(model, context, texts[0], texts, COUNT, &options, matches, &kept, &error) == WL_ERROR_ARGUMENT);
    options = (wl_rank_options){.size = sizeof options, .measure = WL_HAMMING};
    CHECK(wl_rank(model, context, texts[0], texts, COUNT, &options, matches, &kept, &error) == WL_ERROR_ARGUMENT);
    options = (wl_rank_options){.size = sizeof options, .dim = 100000};
    CHECK(wl_rank(model, context, texts[0], texts, COUNT, &options, matches, &kept, &error) == WL_ERROR_ARGUMENT);
    CHECK(!wl_key_create(model, context, texts[0], &options, &error) && error.code == WL_ERROR_ARGUMENT);
    options.size = sizeof options + 1;
    CHECK(wl_rank(model, context, texts[0], texts, COUNT, &options, matches, &kept, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_rank(NULL, context, texts[0], texts, COUNT, NULL, matches, &kept, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_rank(model, NULL, texts[0], texts, COUNT, NULL, matches, &kept, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_rank(model, context, bad, texts, COUNT, NULL, matches, &kept, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_rank(model, context, texts[0], &bad, 1, NULL, matches, &kept, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_rank(model, context, texts[0], NULL, 1, NULL, matches, &kept, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_rank(model, context, texts[0], texts, COUNT, NULL, matches, NULL, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_key_score(NULL, context, texts[0], &score, &error) == WL_ERROR_ARGUMENT);
    wl_key_free(NULL);
    CHECK(wl_explain(model, context, bad, texts[0], 0, shares, 4, &kept, &score, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_explain(model, context, texts[0], bad, 0, shares, 4, &kept, &score, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_explain(model, context, texts[0], texts[1], 100000, shares, 4, &kept, &score, &error) ==
          WL_ERROR_ARGUMENT);
    CHECK(wl_explain(model, NULL, texts[0], texts[1], 0, shares, 4, &kept, &score, &error) == WL_ERROR_ARGUMENT);
}

static void test_faults(const wl_model *model)
{
    if (!fault_available()) {
        SKIP("allocations that fail: not linked with --wrap");
        return;
    }
    for (int call = 0; call < 3; call++)
        for (size_t nth = 1;; nth++) {
            wl_match matches[COUNT];
            wl_contribution shares[64];
            size_t kept;
            float score;
            wl_error error;
            wl_status status = WL_OK;
            wl_key *key = NULL;
            fault_begin(nth);
            if (call == 0) status = wl_rank(model, context, texts[0], texts, COUNT, NULL, matches, &kept, &error);
            if (call == 1)
                status = wl_explain(model, context, texts[0], texts[1], 0, shares, 64, &kept, &score, &error);
            if (call == 2) {
                key = wl_key_create(model, context, texts[0], NULL, &error);
                status = key ? wl_key_score(key, context, texts[1], &score, &error) : error.code;
            }
            bool failed = fault_end();
            wl_key_free(key);
            CHECK_THAT(status == (failed ? WL_ERROR_MEMORY : WL_OK), "call %d, allocation %zu", call, nth);
            if (!failed) break;
        }
}

int main(void)
{
    for (size_t i = 0; i < COUNT; i++) texts[i] = text_of(words[i]);
    wl_context_options options = {.size = sizeof options, .threads = 1};
    context = wl_context_create(&options, NULL);
    wl_model *model = open_model("wordllama-f32"), *half = open_model("model2vec-f16");
    if (context && model && half) {
        test_rank(model);
        test_rank(half);
        test_explain(model, true);
        test_explain(half, false);
        test_bad_input(model);
        test_bad_input(half);
        test_faults(model);
    }
    wl_model_close(model);
    wl_model_close(half);
    wl_context_free(context);
    return test_end();
}
