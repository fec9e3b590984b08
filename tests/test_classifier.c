/* Classifiers: trained on, and described with, the few words of a tiny model; written, read and damaged. */
#define _XOPEN_SOURCE 700 /* nftw */
#include <math.h>

#include "eval/classifier.h"
#include "fault.h"
#include "files.h"
#include "format/safetensors_write.h"
#include "test.h"
#include "text/context.h"

#define MODELS WL_TEST_DATA "/golden/models/"

enum { COUNT = 90, CLASSES = 3 };

static const char *const words[CLASSES][3] = {{"car", "car!", "went car"}, {"cafe", "shop", "pawn"}, {"中", "文", "ß"}};
static const char *const names[CLASSES] = {"travel", "\"buy\"\n", "ideas é"}; /* not in the order of their bytes */

static char text_bytes[COUNT][64];
static wl_text texts[COUNT], labels[COUNT];

static wl_text text_of(const char *text)
{
    return (wl_text){text, strlen(text)};
}

static void make_texts(void)
{
    static const char *const fill[] = {"we walk to", "i", "the", "of a", "went the b", ", ."};
    for (size_t i = 0; i < COUNT; i++) {
        size_t class = i * 7 % CLASSES;
        snprintf(text_bytes[i], sizeof text_bytes[i], "%s %s", fill[i % 6], words[class][i / 6 % 3]);
        texts[i] = text_of(text_bytes[i]);
        labels[i] = text_of(names[class]);
    }
}

static wl_context *new_context(uint32_t threads)
{
    wl_context_options options = {sizeof options, threads, 1};
    wl_context *context = wl_context_create(&options, NULL);
    if (!context) exit(EXIT_FAILURE);
    return context;
}

static wl_model *open_model(const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, MODELS "%s", name);
    wl_model *model = wl_model_open(path, NULL, NULL);
    if (!model) exit(EXIT_FAILURE);
    return model;
}

/* ---- training ---------------------------------------------------------------------------------------------------- */

static void check_label(const wl_classifier *classifier, size_t index, const char *expected)
{
    wl_text label = wl_classifier_label(classifier, index);
    CHECK(label.size == strlen(expected) && memcmp(label.data, expected, label.size) == 0);
}

static void check_same(const wl_classifier *a, const wl_classifier *b)
{
    size_t classes = wl_classifier_classes(a), dim = a->logistic.dim;
    CHECK(wl_classifier_classes(b) == classes && b->logistic.dim == dim && b->logistic.rows == classes);
    CHECK(memcmp(a->logistic.weights, b->logistic.weights, classes * dim * sizeof(float)) == 0);
    CHECK(memcmp(a->logistic.intercepts, b->logistic.intercepts, classes * sizeof(float)) == 0);
    CHECK(memcmp(a->probe, b->probe, dim * sizeof(float)) == 0);
    for (size_t i = 0; i < classes; i++)
        CHECK(wl_label_compare(wl_classifier_label(a, i), wl_classifier_label(b, i)) == 0);
}

static void check_scores(const wl_classified *scores, size_t classes, size_t count, double least)
{
    uint64_t sum = 0, right = 0;
    for (size_t i = 0; scores->confusion && i < classes * classes; i++) {
        sum += scores->confusion[i];
        if (i % (classes + 1) == 0) right += scores->confusion[i];
    }
    CHECK(sum == count);
    CHECK(fabs(scores->accuracy - (double)right / (double)count) < 1e-12);
    CHECK_THAT(scores->accuracy >= least && scores->macro_f1 >= least, "%g, %g", scores->accuracy, scores->macro_f1);
}

static void test_train(const wl_model *model)
{
    wl_error error = {0};
    wl_context *contexts[] = {new_context(1), new_context(2)};
    wl_classifier *made[2];
    wl_classified scores[2];
    for (size_t i = 0; i < 2; i++) {
        made[i] = wl_classifier_train(model, contexts[i], texts, labels, COUNT, NULL, &scores[i], &error);
        CHECK_THAT(made[i] != NULL, "%s", error.message);
        if (!made[i]) exit(EXIT_FAILURE);
    }
    check_same(made[0], made[1]);
    CHECK(memcmp(scores[0].confusion, scores[1].confusion, CLASSES * CLASSES * sizeof(uint64_t)) == 0);
    check_scores(&scores[0], CLASSES, COUNT, 0.9);
    CHECK(wl_classifier_classes(made[0]) == CLASSES);
    check_label(made[0], 0, "\"buy\"\n");
    check_label(made[0], 1, "ideas é");
    check_label(made[0], 2, "travel");
    CHECK(!wl_classifier_label(made[0], CLASSES).data);

    const char *path = files_path("made");
    CHECK(wl_classifier_save(made[0], path, &error) == WL_OK);
    wl_classifier *read = wl_classifier_open(path, &error);
    CHECK_THAT(read != NULL, "%s", error.message);
    if (read) check_same(made[0], read);
    wl_classified again;
    CHECK(wl_classifier_test(read, model, contexts[1], texts, labels, COUNT, &again, &error) == WL_OK);
    check_scores(&again, CLASSES, COUNT, 0.95);
    free(again.confusion);

    float probabilities[COUNT * CLASSES];
    uint32_t best[COUNT], alone[COUNT];
    CHECK(wl_classify(read, model, contexts[1], texts, COUNT, probabilities, best, &error) == WL_OK);
    CHECK(wl_classify(read, model, contexts[0], texts, COUNT, NULL, alone, &error) == WL_OK);
    CHECK(memcmp(best, alone, sizeof best) == 0);
    for (size_t i = 0; i < COUNT; i++) {
        const float *row = probabilities + i * CLASSES;
        CHECK(fabsf(row[0] + row[1] + row[2] - 1) < 1e-6F);
        CHECK(best[i] == wl_logistic_best(row, CLASSES));
    }
    CHECK(wl_classify(read, model, contexts[0], NULL, 0, NULL, NULL, &error) == WL_OK);
    for (size_t i = 0; i < 2; i++) {
        wl_classifier_close(made[i]);
        free(scores[i].confusion);
        wl_context_free(contexts[i]);
    }
    wl_classifier_close(read);
}

/* Two classes are fitted with one row and kept with two: the same probabilities. */
static void test_two(const wl_model *model)
{
    enum { DIM = 7 };
    static float rows[COUNT * DIM], expected[COUNT * 2], found[COUNT * 2];
    wl_text two[COUNT];
    uint32_t numbers[COUNT];
    wl_error error = {0};
    wl_context *context = new_context(1);
    for (size_t i = 0; i < COUNT; i++) {
        numbers[i] = i * 7 % CLASSES == 0;
        two[i] = text_of(numbers[i] ? "yes" : "no");
    }
    wl_logistic_options plain = {.strength = 2, .tolerance = 1e-5, .most_iterations = 50};
    wl_logistic logistic;
    CHECK(wl_classifier_embed(model, context, texts, COUNT, DIM, rows, &error) == WL_OK);
    CHECK(wl_logistic_fit(context->pool, rows, numbers, COUNT, DIM, 2, &plain, &logistic, &error) == WL_OK);
    CHECK(wl_logistic_probabilities(context->pool, &logistic, rows, COUNT, expected, &error) == WL_OK);
    wl_classifier_options options = {
        .size = sizeof options, .strength = 2, .tolerance = 1e-5, .iterations = 50, .dim = DIM, .folds = 1};
    wl_classified scores;
    wl_classifier *made = wl_classifier_train(model, context, texts, two, COUNT, &options, &scores, &error);
    CHECK(made && isnan(scores.accuracy) && isnan(scores.macro_f1) && !scores.confusion);
    CHECK(wl_classify(made, model, context, texts, COUNT, found, NULL, &error) == WL_OK);
    for (size_t i = 0; i < 2 * COUNT; i++) CHECK(fabsf(found[i] - expected[i]) < 1e-6F);
    wl_classifier_close(made);
    wl_logistic_free(&logistic);
    wl_context_free(context);
}

static bool count_up(void *user, uint64_t iterations, uint64_t bytes)
{
    uint64_t *last = user;
    CHECK(iterations == *last + 1 && bytes == 0);
    *last = iterations;
    return iterations < 25;
}

static void test_refused(const wl_model *model)
{
    wl_context *context = new_context(1);
    wl_error error;
    wl_text other[COUNT];
    uint64_t iterations = 0;
    wl_classifier_options options = {.size = sizeof options, .progress = count_up, .user = &iterations};
    CHECK(!wl_classifier_train(model, context, texts, labels, COUNT, &options, &(wl_classified){0}, &error));
    CHECK(error.code == WL_ERROR_CANCELLED && iterations == 25);
    options = (wl_classifier_options){.size = sizeof options, .folds = 31};
    CHECK(!wl_classifier_train(model, context, texts, labels, COUNT, &options, &(wl_classified){0}, &error));
    CHECK(error.code == WL_ERROR_ARGUMENT && strstr(error.message, "has 30 texts, fewer than the 31 folds"));
    wl_classifier *made = wl_classifier_train(model, context, texts, labels, COUNT, &options, NULL, &error);
    CHECK(made != NULL); /* no scores, no folds */
    wl_classifier_close(made);
    options = (wl_classifier_options){.size = sizeof options, .strength = -1};
    CHECK(!wl_classifier_train(model, context, texts, labels, COUNT, &options, NULL, &error));
    CHECK(error.code == WL_ERROR_ARGUMENT && strstr(error.message, "strength is -1"));
    options = (wl_classifier_options){.size = sizeof options, .dim = 14};
    CHECK(!wl_classifier_train(model, context, texts, labels, COUNT, &options, NULL, &error));
    CHECK(error.code == WL_ERROR_ARGUMENT && strstr(error.message, "14 dimensions are wanted, the model has 13"));
    options = (wl_classifier_options){.size = sizeof options + 8};
    CHECK(!wl_classifier_train(model, context, texts, labels, COUNT, &options, NULL, &error));
    CHECK(error.code == WL_ERROR_ARGUMENT);
    for (size_t i = 0; i < COUNT; i++) other[i] = text_of("same");
    CHECK(!wl_classifier_train(model, context, texts, other, COUNT, NULL, NULL, &error));
    CHECK(error.code == WL_ERROR_ARGUMENT && strstr(error.message, "all 90 texts have one label, \"same\""));
    other[5] = text_of("\xC3(");
    CHECK(!wl_classifier_train(model, context, texts, other, COUNT, NULL, NULL, &error));
    CHECK(error.code == WL_ERROR_ARGUMENT && strstr(error.message, "label 5 is not well-formed"));
    CHECK(!wl_classifier_train(model, context, texts, labels, 0, NULL, NULL, &error));
    CHECK(error.code == WL_ERROR_ARGUMENT);
    CHECK(!wl_classifier_train(NULL, context, texts, labels, COUNT, NULL, NULL, NULL));
    wl_context_free(context);
}

/* ---- descriptions ------------------------------------------------------------------------------------------------ */

static void test_describe(const wl_model *model)
{
    wl_context *context = new_context(1);
    wl_error error = {0};
    wl_text given[] = {text_of("z"), text_of("a"), text_of("")};
    wl_text descriptions[] = {text_of("the car"), text_of("pawn shop"), text_of("we walk")};
    wl_classifier *made = wl_classifier_describe(model, context, given, descriptions, 3, 5, 0, &error);
    CHECK_THAT(made != NULL, "%s", error.message);
    if (!made) exit(EXIT_FAILURE);
    check_label(made, 0, "");
    check_label(made, 1, "a");
    check_label(made, 2, "z");
    static const size_t order[] = {2, 1, 0}; /* the classes' descriptions */
    float found[COUNT * 3], rows[COUNT * 13], described[3 * 13];
    uint32_t best[COUNT];
    CHECK(wl_classify(made, model, context, texts, COUNT, found, best, &error) == WL_OK);
    CHECK(wl_classifier_embed(model, context, texts, COUNT, 13, rows, &error) == WL_OK);
    CHECK(wl_classifier_embed(model, context, descriptions, 3, 13, described, &error) == WL_OK);
    for (size_t i = 0; i < COUNT; i++) {
        double shares[3], sum = 0;
        for (size_t k = 0; k < 3; k++)
            sum += shares[k] = exp(5 * (double)wl_cosine(rows + i * 13, described + order[k] * 13, 13));
        for (size_t k = 0; k < 3; k++) {
            CHECK(fabs((double)found[i * 3 + k] - shares[k] / sum) < 1e-5);
            CHECK(found[i * 3 + k] <= found[i * 3 + best[i]]);
        }
    }
    const char *path = files_path("described");
    CHECK(wl_classifier_save(made, path, &error) == WL_OK);
    wl_classifier *read = wl_classifier_open(path, &error);
    if (read) check_same(made, read);
    CHECK(read != NULL);
    wl_classifier_close(read);
    wl_classifier_close(made);

    descriptions[1] = text_of(" ");
    CHECK(!wl_classifier_describe(model, context, given, descriptions, 3, 0, 0, &error));
    CHECK(error.code == WL_ERROR_ARGUMENT && strstr(error.message, "the description of the label \"a\" has no tokens"));
    given[2] = text_of("z");
    CHECK(!wl_classifier_describe(model, context, given, descriptions, 3, 0, 0, &error));
    CHECK(error.code == WL_ERROR_ARGUMENT && strstr(error.message, "the label \"z\" is given twice"));
    CHECK(!wl_classifier_describe(model, context, given, descriptions, 1, 0, 0, &error));
    CHECK(error.code == WL_ERROR_ARGUMENT);
    CHECK(!wl_classifier_describe(model, context, given, descriptions, 2, NAN, 0, &error));
    CHECK(error.code == WL_ERROR_ARGUMENT);
    CHECK(!wl_classifier_describe(model, context, given, descriptions, 2, 0, 14, &error));
    CHECK(error.code == WL_ERROR_ARGUMENT);
    wl_context_free(context);
}

/* ---- belonging together ------------------------------------------------------------------------------------------ */

static void test_mismatch(const wl_model *model)
{
    wl_context *context = new_context(1);
    wl_error error = {0};
    wl_model *larger = open_model("wordllama-bf16"), *smaller = open_model("model2vec-f32");
    uint32_t best[COUNT];
    wl_classifier *made = wl_classifier_train(model, context, texts, labels, COUNT, NULL, NULL, &error);
    CHECK(wl_classify(made, larger, context, texts, COUNT, NULL, best, &error) == WL_ERROR_MISMATCH);
    CHECK_THAT(strstr(error.message, "was made with another model: of one text"), "%s", error.message);
    CHECK(wl_classify(made, smaller, context, texts, COUNT, NULL, best, &error) == WL_ERROR_MISMATCH);
    CHECK_THAT(strstr(error.message, "it takes 13 dimensions, the model has 12"), "%s", error.message);
    wl_text wrong[] = {text_of("travel"), text_of("trave")};
    wl_classified scores;
    CHECK(wl_classifier_test(made, model, context, texts, wrong, 2, &scores, &error) == WL_ERROR_MISMATCH);
    CHECK(strcmp(error.message, "text 1 has the label \"trave\", which is none of the 3 of the classifier") == 0);
    CHECK(wl_classifier_test(made, model, context, texts, labels, 0, &scores, &error) == WL_ERROR_ARGUMENT);
    /* A model whose vector of the text is zero cannot be told from others. */
    memset(made->probe, 0, made->logistic.dim * sizeof(float));
    CHECK(wl_classify(made, larger, context, texts, COUNT, NULL, best, &error) == WL_OK);
    wl_classifier_close(made);
    wl_model_close(larger);
    wl_model_close(smaller);
    wl_context_free(context);
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

typedef struct file_case {
    const char *format, *version, *labels;
    uint64_t classes, dim, biases, probes;
    wl_dtype dtype;  /* of the weights */
    size_t infinite; /* which number of all is; SIZE_MAX: none */
    wl_status status;
    const char *message;
} file_case;

static void write_case(const file_case *of, const char *path)
{
    float numbers[64] = {0};
    char weight[] = "weight", bias[] = "bias", probe[] = "probe";
    if (of->infinite < 64) numbers[of->infinite] = INFINITY;
    size_t width = wl_dtype_size(of->dtype);
    wl_tensor tensors[] = {
        {.name = weight, .dtype = of->dtype, .rank = 2, .shape = {of->classes, of->dim}},
        {.name = bias, .dtype = WL_F32, .rank = 1, .shape = {of->biases}},
        {.name = probe, .dtype = WL_F32, .rank = 1, .shape = {of->probes}},
    };
    tensors[0].bytes = of->classes * of->dim * width;
    tensors[1].bytes = of->biases * sizeof(float);
    tensors[2].bytes = of->probes * sizeof(float);
    size_t count = of->probes ? 3 : 2;
    for (size_t i = 0; i < count; i++) tensors[i].data = (const char *)numbers;
    const char *metadata[] = {"format", of->format, "version", of->version, "labels", of->labels};
    wl_buffer header = {0};
    wl_error error;
    CHECK(wl_safetensors_header(tensors, count, metadata, of->labels ? 3 : 2, &header, &error) == WL_OK);
    CHECK(wl_safetensors_write(path, &header, tensors, count, &error) == WL_OK);
    wl_buffer_free(&header);
}

static void test_files(void)
{
#define KIND   "wordllama classifier"
#define TWO    "[\"a\", \"b\"]"
#define WEIGHT "tensor \"weight\" "
    static const file_case cases[] = {
        {KIND, "1", TWO, 2, 3, 2, 3, WL_F32, SIZE_MAX, WL_OK, ""},
        {KIND, "1", "[\"\", \"\\u0000\"]", 2, 1, 2, 1, WL_F32, SIZE_MAX, WL_OK, ""},
        {"pt", "1", TWO, 2, 3, 2, 3, WL_F32, SIZE_MAX, WL_ERROR_FORMAT, "is no classifier"},
        {KIND, "2", TWO, 2, 3, 2, 3, WL_F32, SIZE_MAX, WL_ERROR_UNSUPPORTED,
         "is a classifier of version 2, expected 1"},
        {KIND, "1", NULL, 2, 3, 2, 3, WL_F32, SIZE_MAX, WL_ERROR_FORMAT, "its metadata have no labels"},
        {KIND, "1", "[\"a\"]", 2, 3, 2, 3, WL_F32, SIZE_MAX, WL_ERROR_FORMAT, "has 1 labels, expected 2"},
        {KIND, "1", "[\"a\", \"b\", \"c\"]", 2, 3, 2, 3, WL_F32, SIZE_MAX, WL_ERROR_FORMAT, "has 3 labels, expected 2"},
        {KIND, "1", "[\"a\", \"a\"]", 2, 3, 2, 3, WL_F32, SIZE_MAX, WL_ERROR_FORMAT,
         "label 1, \"a\", expected all to differ"},
        {KIND, "1", "[\"b\", \"a\"]", 2, 3, 2, 3, WL_F32, SIZE_MAX, WL_ERROR_FORMAT,
         "label 1, \"a\", expected all to differ"},
        {KIND, "1", "[\"a\", 1]", 2, 3, 2, 3, WL_F32, SIZE_MAX, WL_ERROR_FORMAT, "expected"},
        {KIND, "1", "[\"a\", \"b\"", 2, 3, 2, 3, WL_F32, SIZE_MAX, WL_ERROR_FORMAT, "expected"},
        {KIND, "1", "{}", 2, 3, 2, 3, WL_F32, SIZE_MAX, WL_ERROR_FORMAT, "expected"},
        {KIND, "1", "[\"a\"]", 1, 3, 1, 3, WL_F32, SIZE_MAX, WL_ERROR_FORMAT, WEIGHT "is 1 x 3"},
        {KIND, "1", "[]", 0, 3, 0, 3, WL_F32, SIZE_MAX, WL_ERROR_FORMAT, WEIGHT "is 0 x 3"},
        {KIND, "1", TWO, 2, 0, 2, 0, WL_F32, SIZE_MAX, WL_ERROR_FORMAT, WEIGHT "is 2 x 0"},
        {KIND, "1", TWO, 2, 3, 3, 3, WL_F32, SIZE_MAX, WL_ERROR_FORMAT,
         "\"bias\" is F32 of rank 1 and size 3, expected F32 of rank 1 and size 2"},
        {KIND, "1", TWO, 2, 3, 2, 4, WL_F32, SIZE_MAX, WL_ERROR_FORMAT, "\"probe\" is F32 of rank 1 and size 4"},
        {KIND, "1", TWO, 2, 3, 2, 0, WL_F32, SIZE_MAX, WL_ERROR_FORMAT, "has no tensor \"probe\""},
        {KIND, "1", TWO, 2, 3, 2, 3, WL_F16, SIZE_MAX, WL_ERROR_FORMAT, WEIGHT "is F16 of rank 2"},
        {KIND, "1", TWO, 2, 3, 2, 3, WL_F32, 5, WL_ERROR_FORMAT, WEIGHT "holds inf, expected finite numbers"},
        {KIND, "1", TWO, 2, 3, 2, 3, WL_F32, 1, WL_ERROR_FORMAT, "holds inf"},
        {KIND, "1", TWO, 2, 1, 2, 1, WL_F32, 0, WL_ERROR_FORMAT, "holds inf"},
    };
    const char *path = files_path("case");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        wl_error error = {0};
        write_case(&cases[i], path);
        wl_classifier *read = wl_classifier_open(path, &error);
        CHECK_THAT(error.code == cases[i].status && !read == (cases[i].status != WL_OK), "case %zu: %s", i,
                   error.message);
        CHECK_THAT(strstr(error.message, cases[i].message), "case %zu: %s", i, error.message);
        CHECK(!error.code || strcmp(error.file, path) == 0);
        wl_classifier_close(read);
    }
    wl_error error;
    CHECK(!wl_classifier_open(files_path("nowhere"), &error) && error.code == WL_ERROR_NOT_FOUND);
    CHECK(!wl_classifier_open(NULL, &error) && error.code == WL_ERROR_ARGUMENT);
}

/* ---- memory that fails ------------------------------------------------------------------------------------------- */

/* All that can be done, one after the other. */
static wl_status do_all(const wl_model *model, wl_context *context, const char *path, wl_error *error)
{
    wl_classified scores = {0}, tested = {0};
    wl_classifier_options options = {.size = sizeof options, .folds = 2, .iterations = 3};
    wl_classifier *made = wl_classifier_train(model, context, texts, labels, COUNT, &options, &scores, error);
    free(scores.confusion);
    wl_status status = made ? wl_classifier_save(made, path, error) : error->code;
    wl_classifier_close(made);
    if (status) return status;
    wl_classifier *read = wl_classifier_open(path, error);
    status = read ? wl_classifier_test(read, model, context, texts, labels, COUNT, &tested, error) : error->code;
    free(tested.confusion);
    wl_classifier_close(read);
    if (status) return status;
    wl_classifier *described = wl_classifier_describe(model, context, labels, texts, 2, 0, 0, error);
    status = described ? WL_OK : error->code;
    wl_classifier_close(described);
    return status;
}

static void test_allocations(const wl_model *model)
{
    if (!fault_available()) {
        SKIP("failing allocations: this linker has no --wrap");
        return;
    }
    const char *path = files_path("faults");
    wl_context *context = new_context(1);
    for (size_t nth = 1;; nth++) {
        wl_error error;
        fault_begin(nth);
        wl_status status = do_all(model, context, path, &error);
        if (!fault_end()) {
            CHECK_THAT(status == WL_OK && nth > 80, "allocation %zu: %s", nth, error.message);
            break;
        }
        CHECK_THAT(status == WL_ERROR_MEMORY, "allocation %zu: %d", nth, (int)status);
    }
    wl_context_free(context);
}

int main(void)
{
    if (!files_begin()) return EXIT_FAILURE;
    make_texts();
    wl_model *model = open_model("wordllama-f32");
    test_train(model);
    test_two(model);
    test_refused(model);
    test_describe(model);
    test_mismatch(model);
    test_files();
    test_allocations(model);
    wl_model_close(model);
    files_end();
    return test_end();
}
