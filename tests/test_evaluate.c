/* Evaluation as a whole: against the Python scorer on real data and models, where those are there, and against plain
 * arithmetic on small sets that the test writes. */
#define _DEFAULT_SOURCE

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/random.h"
#include "fault.h"
#include "test.h"
#include "wordllama_train.h"

static char root[] = "/tmp/wl_test_evaluate.XXXXXX";

static const char *in_root(const char *name)
{
    static char paths[8][256];
    static int turn;
    char *path = paths[turn++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", root, name);
    return path;
}

static wl_context *make_context(uint32_t threads)
{
    wl_context_options options = {.size = sizeof options, .threads = threads};
    return wl_context_create(&options, NULL);
}

/* ---- small sets -------------------------------------------------------------------------------------------------- */

enum { DIM = 24, PAIRS = 120, TRIPLETS = 90, CLASSES = 4, LABELLED = 80, DOCUMENTS = 150, QUERIES = 30 };

/* A vector that follows from the text alone; words that begin with # move it far along one dimension. */
static wl_status embed(void *user, const wl_text *texts, size_t count, float *out, wl_error *error)
{
    (void)error;
    const size_t *poisoned = user;
    for (size_t i = 0; i < count; i++) {
        wl_random random = {wl_hash_bytes(texts[i].data, texts[i].size)};
        for (size_t j = 0; j < DIM; j++) out[i * DIM + j] = (float)(wl_random_unit(&random) - 0.5);
        const char *mark = memchr(texts[i].data, '#', texts[i].size);
        if (mark) out[i * DIM + (size_t)(mark[1] - '0')] += 8;
        if (poisoned && *poisoned == i) out[i * DIM + 3] = NAN;
    }
    return WL_OK;
}

static FILE *begin(const char *name)
{
    FILE *file = fopen(in_root(name), "wb");
    if (!file) exit(EXIT_FAILURE);
    return file;
}

static void write_sets(void)
{
    static const char *const folders[] = {"sts",       "pair",           "triplet",   "classification",
                                          "retrieval", "retrieval/tiny", "clustering"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) mkdir(in_root(folders[i]), 0700);
    FILE *file = begin("sts/small.jsonl");
    for (int i = 0; i < PAIRS; i++)
        fprintf(file, "{\"score\": %d, \"text1\": \"a%d\", \"text2\": \"b%d\"}\n", i * 7 % 11, i, i);
    fclose(file);
    file = begin("pair/small.jsonl");
    for (int i = 0; i < PAIRS; i++)
        fprintf(file, "{\"label\": %d, \"text1\": \"c%d\", \"text2\": \"d%d\"}\n", i * 7 % 3 == 0, i, i);
    fclose(file);
    file = begin("triplet/small.jsonl");
    for (int i = 0; i < TRIPLETS; i++)
        fprintf(file, "{\"anchor\": \"e%d\", \"positive\": \"f%d\", \"negative\": \"g%d\"}\n", i, i, i);
    fclose(file);
    file = begin("classification/easy.jsonl");
    for (int i = 0; i < LABELLED; i++)
        fprintf(file, "{\"label\": \"class %d\", \"text\": \"h%d #%d\"}\n", i % CLASSES, i, i % CLASSES);
    fclose(file);
    file = begin("classification/split-train.jsonl");
    for (int i = 0; i < LABELLED; i++) fprintf(file, "{\"label\": %d, \"text\": \"i%d #%d\"}\n", i % 2, i, i % 2);
    fclose(file);
    file = begin("classification/split-test.jsonl");
    for (int i = 0; i < LABELLED; i++) /* a quarter is labelled wrongly, half of it as nothing else is */
        fprintf(file, "{\"label\": %d, \"text\": \"j%d #%d\"}\n", i % 8 == 0 ? -7 : (i + (i % 4 == 0)) % 2, i, i % 2);
    fclose(file);
    file = begin("clustering/easy.jsonl");
    for (int i = 0; i < LABELLED; i++)
        fprintf(file, "{\"label\": \"%d\", \"text\": \"k%d #%d\"}\n", i % CLASSES, i, i % CLASSES);
    fclose(file);
    file = begin("retrieval/tiny/corpus.jsonl");
    for (int i = 0; i < DOCUMENTS; i++)
        fprintf(file, "{\"_id\": \"%d\", \"title\": \"l%d\", \"text\": \"m\"}\n", i, i / 2); /* each twice: ties */
    fclose(file);
    file = begin("retrieval/tiny/queries.jsonl");
    for (int i = 0; i < QUERIES; i++) fprintf(file, "{\"_id\": \"%d\", \"text\": \"n%d\"}\n", i, i);
    fclose(file);
    file = begin("retrieval/tiny/qrels.jsonl");
    for (int i = 0; i < QUERIES; i++)
        for (int j = 0; j < 1 + i % 3; j++)
            fprintf(file, "{\"query\": \"%d\", \"doc\": \"%d\", \"score\": %d}\n", i, (i * 17 + j * 31) % DOCUMENTS,
                    1 + j);
    fclose(file);
}

static wl_sets *open_small(void)
{
    wl_error error;
    const char *paths[] = {root};
    wl_sets *sets = wl_sets_open(paths, 1, NULL, &error);
    if (!sets) printf("%s: %s\n", error.file, error.message);
    return sets;
}

static size_t find_set(const wl_sets *sets, const char *group, const char *name)
{
    for (size_t i = 0; i < wl_sets_count(sets); i++) {
        wl_set_info info = wl_sets_at(sets, i);
        if (strcmp(info.group, group) == 0 && strcmp(info.name, name) == 0) return i;
    }
    return SIZE_MAX;
}

/* ---- plain arithmetic -------------------------------------------------------------------------------------------- */

static double cosine(const char *a, const char *b, size_t dim, bool binary)
{
    float x[DIM], y[DIM];
    wl_text texts[2] = {{a, strlen(a)}, {b, strlen(b)}};
    embed(NULL, &texts[0], 1, x, NULL);
    embed(NULL, &texts[1], 1, y, NULL);
    double xy = 0, xx = 0, yy = 0;
    for (size_t i = 0; i < dim; i++) {
        double p = binary ? (x[i] > 0 ? 1 : -1) : (double)x[i], q = binary ? (y[i] > 0 ? 1 : -1) : (double)y[i];
        xy += p * q, xx += p * p, yy += q * q;
    }
    return xy / sqrt(xx * yy);
}

/* Mean rank by comparing with all. */
static double rank_of(const double *numbers, size_t count, size_t at)
{
    double below = 0, tied = 0;
    for (size_t i = 0; i < count; i++) {
        below += numbers[i] < numbers[at] - 1e-12;
        tied += fabs(numbers[i] - numbers[at]) <= 1e-12;
    }
    return below + (tied - 1) / 2;
}

static double plain_spearman(size_t dim, bool binary)
{
    double cosines[PAIRS], scores[PAIRS], ab = 0, aa = 0, bb = 0, middle = (PAIRS - 1) / 2.0;
    for (int i = 0; i < PAIRS; i++) {
        char a[16], b[16];
        snprintf(a, sizeof a, "a%d", i);
        snprintf(b, sizeof b, "b%d", i);
        cosines[i] = cosine(a, b, dim, binary);
        scores[i] = i * 7 % 11;
    }
    for (size_t i = 0; i < PAIRS; i++) {
        double x = rank_of(cosines, PAIRS, i) - middle, y = rank_of(scores, PAIRS, i) - middle;
        ab += x * y, aa += x * x, bb += y * y;
    }
    return ab / sqrt(aa * bb);
}

static double plain_precision(size_t dim, bool binary)
{
    double cosines[PAIRS], sum = 0;
    int relevant = 0;
    for (int i = 0; i < PAIRS; i++) {
        char a[16], b[16];
        snprintf(a, sizeof a, "c%d", i);
        snprintf(b, sizeof b, "d%d", i);
        cosines[i] = cosine(a, b, dim, binary);
        relevant += i * 7 % 3 == 0;
    }
    for (int i = 0; i < PAIRS; i++) {
        double reached = 0, right = 0; /* by the threshold of this pair */
        for (int j = 0; j < PAIRS; j++) {
            reached += cosines[j] >= cosines[i] - 1e-12;
            right += cosines[j] >= cosines[i] - 1e-12 && j * 7 % 3 == 0;
        }
        if (i * 7 % 3 == 0) sum += right / reached;
    }
    return sum / relevant;
}

static double plain_triplets(size_t dim, bool binary)
{
    double right = 0;
    for (int i = 0; i < TRIPLETS; i++) {
        char a[16], p[16], n[16];
        snprintf(a, sizeof a, "e%d", i);
        snprintf(p, sizeof p, "f%d", i);
        snprintf(n, sizeof n, "g%d", i);
        right += cosine(a, p, dim, binary) > cosine(a, n, dim, binary) + 1e-12;
    }
    return right / TRIPLETS;
}

/* Documents come in pairs of one text: the mean over both orders of each pair, which leave all other places alone. */
static double plain_ndcg(size_t dim)
{
    double sum = 0;
    for (int query = 0; query < QUERIES; query++) {
        double gains[DOCUMENTS] = {0}, scores[DOCUMENTS], dcg = 0, best = 0;
        char text[16];
        snprintf(text, sizeof text, "n%d", query);
        for (int i = 0; i < DOCUMENTS; i++) {
            char document[16];
            snprintf(document, sizeof document, "l%d m", i / 2);
            scores[i] = cosine(text, document, dim, false);
        }
        for (int j = 0; j < 1 + query % 3; j++) gains[(query * 17 + j * 31) % DOCUMENTS] = 1 + j;
        for (int i = 0; i < DOCUMENTS; i++) {
            int above = 0;
            for (int j = 0; j < DOCUMENTS; j++) above += scores[j] > scores[i] + 1e-12;
            for (int place = above; place < above + 2; place++) /* this one and its twin */
                if (place < 10) dcg += gains[i] / 2 / log2(place + 2);
        }
        for (int j = query % 3, place = 0; j >= 0; j--, place++) best += (1 + j) / log2(place + 2);
        sum += dcg / best;
    }
    return sum / QUERIES;
}

static bool near(double a, double b)
{
    return fabs(a - b) < 1e-9;
}

/* ---- tests ------------------------------------------------------------------------------------------------------- */

static const wl_variant variants[] = {{0, false}, {8, false}, {0, true}, {8, true}};
enum { VARIANTS = sizeof variants / sizeof *variants };

static const wl_embedder plain_embedder = {.dim = DIM, .embed = embed};

static wl_evaluation *evaluate(const wl_sets *sets, uint32_t threads, wl_error *error)
{
    wl_context *context = make_context(threads);
    wl_evaluate_options options = {.size = sizeof options, .variants = variants, .variant_count = VARIANTS};
    wl_evaluation *evaluation = wl_evaluate(sets, &plain_embedder, context, &options, error);
    wl_context_free(context);
    return evaluation;
}

static void test_small(const wl_sets *sets)
{
    wl_error error;
    wl_evaluation *found = evaluate(sets, 1, &error);
    CHECK(found);
    if (!found) return;
    CHECK(wl_evaluation_variants(found) == VARIANTS);
    size_t sts = find_set(sets, "sts", "small"), pair = find_set(sets, "pair", "small"),
           triplet = find_set(sets, "triplet", "small"), easy = find_set(sets, "classification", "easy"),
           split = find_set(sets, "classification", "split"), cluster = find_set(sets, "clustering", "easy"),
           tiny = find_set(sets, "retrieval", "tiny");
    for (size_t i = 0; i < VARIANTS; i++) {
        wl_variant variant = wl_evaluation_variant(found, i);
        size_t dim = variant.dim;
        CHECK(dim == (variants[i].dim ? variants[i].dim : DIM) && variant.binary == variants[i].binary);
        CHECK(near(wl_evaluation_score(found, sts, i).score, plain_spearman(dim, variant.binary)));
        CHECK(near(wl_evaluation_score(found, pair, i).score, plain_precision(dim, variant.binary)));
        CHECK(near(wl_evaluation_score(found, triplet, i).score, plain_triplets(dim, variant.binary)));
        if (variant.binary) continue;
        CHECK(near(wl_evaluation_score(found, tiny, i).score, plain_ndcg(dim)));
        CHECK(near(wl_evaluation_score(found, easy, i).score, 1));
        CHECK(near(wl_evaluation_score(found, split, i).score, 0.75));
        CHECK(near(wl_evaluation_score(found, cluster, i).score, 1));
        CHECK(near(wl_evaluation_mean(found, "classification", i), 0.875));
        wl_set_score retrieval = wl_evaluation_score(found, tiny, i);
        CHECK(retrieval.recall > 0.4 && retrieval.recall < 1 && retrieval.map > 0 && retrieval.map < 0.3);
        CHECK(isnan(wl_evaluation_score(found, sts, i).recall));
    }
    CHECK(isnan(wl_evaluation_score(found, 99, 0).score));
    wl_evaluation_free(found);
}

static void test_threads(const wl_sets *sets)
{
    wl_error error;
    wl_evaluation *one = evaluate(sets, 1, &error);
    for (uint32_t threads = 2; threads < 4; threads++) {
        wl_evaluation *more = evaluate(sets, threads, &error);
        CHECK(one && more);
        for (size_t i = 0; one && more && i < wl_sets_count(sets); i++)
            for (size_t j = 0; j < VARIANTS; j++) {
                wl_set_score a = wl_evaluation_score(one, i, j), b = wl_evaluation_score(more, i, j);
                CHECK(memcmp(&a.score, &b.score, sizeof a.score) == 0);
            }
        wl_evaluation_free(more);
    }
    wl_evaluation_free(one);
}

static bool stop_at(void *user, uint64_t done, uint64_t bytes)
{
    uint64_t *calls = user;
    (void)done;
    (void)bytes;
    return --*calls != 0;
}

static void test_refusals(const wl_sets *sets)
{
    wl_error error;
    size_t bad = 5;
    wl_context *context = make_context(1);
    wl_embedder poisoned = {.dim = DIM, .embed = embed, .user = &bad};
    CHECK(!wl_evaluate(sets, &poisoned, context, NULL, &error) && error.code == WL_ERROR_FORMAT);
    CHECK(strstr(error.message, "text 5 is not finite"));
    wl_variant large = {DIM + 1, false};
    wl_evaluate_options options = {.size = sizeof options, .variants = &large, .variant_count = 1};
    CHECK(!wl_evaluate(sets, &plain_embedder, context, &options, &error) && error.code == WL_ERROR_ARGUMENT);
    CHECK(!wl_evaluate(NULL, &plain_embedder, context, NULL, &error) && error.code == WL_ERROR_ARGUMENT);
    for (uint64_t nth = 1; nth < 8; nth++) {
        uint64_t calls = nth;
        options = (wl_evaluate_options){.size = sizeof options, .progress = stop_at, .user = &calls};
        CHECK(!wl_evaluate(sets, &plain_embedder, context, &options, &error) && error.code == WL_ERROR_CANCELLED);
    }
    wl_context_free(context);
}

static void test_faults(void)
{
    if (!fault_available()) return;
    wl_error error;
    const char *paths[] = {in_root("sts"), in_root("pair"), in_root("triplet"), in_root("retrieval/tiny")};
    wl_sets *sets = wl_sets_open(paths, 4, NULL, &error);
    CHECK(sets);
    wl_context *context = make_context(1);
    for (size_t nth = 1; sets; nth++) {
        fault_begin(nth);
        wl_evaluation *evaluation = wl_evaluate(sets, &plain_embedder, context, NULL, &error);
        bool failed = fault_end();
        CHECK(failed ? !evaluation && error.code == WL_ERROR_MEMORY : evaluation != NULL);
        wl_evaluation_free(evaluation);
        if (!failed) break;
    }
    wl_context_free(context);
    wl_sets_close(sets);
}

/* ---- the Python scorer ------------------------------------------------------------------------------------------- */

/* Of signs, the scorer leaves equal cosines in whatever order NumPy's sort had: random orders have a standard deviation
 * of 0.25 around the mean over all of them, which is what is computed here. */
static double tolerance_of(const char *group, bool binary)
{
    if (strcmp(group, "retrieval") == 0 && binary) return 0.75;
    return strcmp(group, "classification") == 0 ? 0.3 : strcmp(group, "clustering") == 0 ? 0.31 : 0.01;
}

/* One model in the variants that the golden file has of it. */
static void test_model(const wl_sets *sets, const char *name, const char *path, const wl_variant *wanted, size_t count)
{
    wl_error error;
    wl_model_options whole = {.size = sizeof whole, .whole_texts = true};
    wl_model *model = wl_model_open(path, &whole, &error);
    if (!model) {
        SKIP("scores of %s: %s", name, error.message);
        return;
    }
    wl_context *context = make_context(0);
    wl_model_user user = {model, context};
    wl_embedder embedder = wl_model_embedder(&user);
    wl_evaluate_options options = {.size = sizeof options, .variants = wanted, .variant_count = count};
    wl_evaluation *found = wl_evaluate(sets, &embedder, context, &options, &error);
    CHECK_THAT(found, "%s", error.message);
    FILE *file = fopen(WL_TEST_DATA "/golden/scores.tsv", "rb");
    char line[256], golden_model[64], dims[16], group[32], set[64];
    double score, largest[4] = {0};
    size_t compared = 0;
    while (file && found && fgets(line, sizeof line, file)) {
        if (sscanf(line, "%63s %15s %31s %63s %lf", golden_model, dims, group, set, &score) != 5 ||
            strcmp(golden_model, name) != 0)
            continue;
        size_t number = find_set(sets, group, set), variant = 0;
        if (number == SIZE_MAX) continue; /* not among those that are run */
        bool binary = dims[strlen(dims) - 1] == 'b';
        while (variant < count && (wanted[variant].dim != strtoul(dims, NULL, 10) || wanted[variant].binary != binary))
            variant++;
        if (variant == count) continue;
        /* Both to the two decimals that the scorer prints. */
        double ours = round(1e4 * wl_evaluation_score(found, number, variant).score) / 100;
        double tolerance = tolerance_of(group, binary), distance = fabs(ours - score);
        size_t kind = tolerance < 0.1 ? 0 : tolerance < 0.305 ? 1 : tolerance < 0.5 ? 2 : 3;
        if (distance > largest[kind]) largest[kind] = distance;
        CHECK_THAT(distance < tolerance + 1e-9, "%s %s %s/%s: %.2f, the scorer %.2f", name, dims, group, set, ours,
                   score);
        compared++;
    }
    if (file) fclose(file);
    printf("%s: %zu scores, at most %.2f away (classification %.2f, clustering %.2f, retrieval by bits %.2f)\n", name,
           compared, largest[0], largest[1], largest[2], largest[3]);
    CHECK(compared >= count);
    wl_evaluation_free(found);
    wl_context_free(context);
    wl_model_close(model);
}

static void test_scorer(void)
{
    static const wl_variant wordllama[] = {{256, false}, {128, false}, {64, false}, {256, true}, {64, true}};
    static const wl_variant potion[] = {{128, false}};
    wl_error error;
    const char *paths[] = {WL_SHARED_DATA "/eval"};
    wl_sets_options options = {.size = sizeof options};
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    /* What is quick with a sanitizer, too. */
    static const char *const only[] = {"stsb-dev", "wordsim", "triplet"};
    options.only = only;
    options.only_count = sizeof only / sizeof *only;
#endif
    wl_sets *sets = wl_sets_open(paths, 1, &options, &error);
    if (!sets) {
        SKIP("scores on real data: %s", error.message);
        return;
    }
    test_model(sets, "l2_supercat_256", WL_TEST_MODELS "/l2_supercat_256", wordllama,
               sizeof wordllama / sizeof *wordllama);
    test_model(sets, "potion-base-4M-int8", WL_SHARED_DATA "/models/potion-base-4M-int8", potion, 1);
    wl_sets_close(sets);
}

int main(void)
{
    if (!mkdtemp(root)) return EXIT_FAILURE;
    write_sets();
    wl_sets *sets = open_small();
    CHECK(sets && wl_sets_count(sets) == 7);
    if (sets) {
        test_small(sets);
        test_threads(sets);
        test_refusals(sets);
    }
    wl_sets_close(sets);
    test_faults();
    test_scorer();
    char command[300];
    snprintf(command, sizeof command, "rm -rf %s", root);
    CHECK(system(command) == 0);
    return test_end();
}
