/* Preparing texts: fields, reasons, the file that is written, evaluation texts in any case and spacing, failures. */
#include <math.h>
#include <sys/resource.h>

#include "data/repeats.h"
#include "data/sets.h"
#include "extract/codebook_write.h"
#include "fault.h"
#include "prepare.h"

static wl_tokenizer *tokenizer;

/* Prepares files of root, ended by NULL, to root/out. */
static wl_status prepare(const char *const *names, const wl_prepare_options *options, wl_prepared *prepared,
                         wl_error *error)
{
    const char *paths[8];
    size_t count = 0;
    for (; names[count]; count++) paths[count] = in_root(names[count]);
    *error = (wl_error){0};
    return wl_prepare(paths, count, tokenizer, in_root("out"), options, prepared, error);
}

static wl_status prepare_text(const char *text, const wl_prepare_options *options, wl_prepared *prepared,
                              wl_error *error)
{
    put_text("in.jsonl", text);
    return prepare((const char *const[]){"in.jsonl", NULL}, options, prepared, error);
}

static wl_prepare_options usual_options(void)
{
    static char kept[256], removed[256];
    snprintf(kept, sizeof kept, "%s", in_root("kept"));
    snprintf(removed, sizeof removed, "%s", in_root("removed"));
    return (wl_prepare_options){.size = sizeof(wl_prepare_options), .kept = kept, .removed = removed, .threads = 1};
}

/* ---- digests and repeats ----------------------------------------------------------------------------------------- */

static bool always(void *user)
{
    (void)user;
    return true;
}

static void test_repeats(void)
{
    enum { COUNT = 400000, DIFFERENT = 150000 };
    wl_error error = {0};
    wl_spill spill;
    wl_random random = wl_random_seed(1, 1);
    uint64_t *bits = calloc(COUNT / 64 + 1, sizeof *bits);
    unsigned char *seen = calloc(DIFFERENT, 1);
    uint32_t *drawn = calloc(COUNT, sizeof *drawn);
    CHECK(!wl_spill_open(&spill, prepare_root, "digests", 0, &error));
    for (size_t i = 0; i < COUNT; i++) {
        /* Half of all is one and the same: a region that is larger than others. */
        drawn[i] = wl_random_below(&random, 2) ? 7 : (uint32_t)wl_random_below(&random, DIFFERENT);
        wl_text_digest digest = wl_digest_bytes(&drawn[i], sizeof drawn[i]);
        CHECK(!wl_spill_write(&spill, &digest, sizeof digest, &error));
    }
    wl_status status = wl_repeats_find(&spill, COUNT, prepare_root, always, NULL, bits, &error);
    CHECK_THAT(!status, "%s", error.message);
    size_t wrong = 0;
    for (size_t i = 0; i < COUNT; i++) {
        wrong += wl_bit(bits, i) != seen[drawn[i]];
        seen[drawn[i]] = 1;
    }
    CHECK_THAT(wrong == 0, "%zu wrong", wrong);
    CHECK(!wl_path_exists(in_root("regions")));
    wl_spill_close(&spill);
    unlink(in_root("digests"));
    free(bits);
    free(seen);
    free(drawn);
}

static void test_digests(void)
{
    wl_digests set = {0};
    wl_error error = {0};
    bool added;
    CHECK(!wl_digests_find(&set, (wl_text_digest){1, 2}));
    for (uint32_t i = 0; i < 5000; i++) {
        wl_text_digest digest = wl_digest_bytes(&i, sizeof i);
        CHECK(!wl_digests_add(&set, digest, i, &added, &error) && added);
        CHECK(!wl_digests_add(&set, digest, i + 1, &added, &error) && !added);
    }
    for (uint32_t i = 0; i < 10000; i++) {
        const uint32_t *value = wl_digests_find(&set, wl_digest_bytes(&i, sizeof i));
        CHECK(i < 5000 ? value && *value == i : !value);
    }
    CHECK(set.count == 5000);
    wl_digests_clear(&set);
    CHECK(set.count == 0 && !wl_digests_find(&set, (wl_text_digest){0, 0}));
    wl_digests_free(&set);
    /* The two halves are not one hash. */
    wl_text_digest a = wl_digest_bytes("a", 1), b = wl_digest_bytes("b", 1);
    CHECK(a.low != a.high && (a.low ^ b.low) != (a.high ^ b.high));
}

/* ---- fields ------------------------------------------------------------------------------------------------------ */

static void test_fields(void)
{
    static const struct {
        const char *record;
        const char *texts[5]; /* NULL at the end */
    } cases[] = {
        {"{\"anchor\": \"a b\"}", {"a b"}},
        {"{\"text\": \" a \\t\\u00a0 b\\n\"}", {"a b"}},
        {"{\"query\": \"q\", \"document\": \"d\", \"label\": 3}", {"q", "d"}},
        {"{\"question\": \"q1\", \"answer\": \"d1\"}", {"q1", "d1"}},
        {"{\"sentence1\": \"s1\", \"sentence2\": \"s2\"}", {"s1", "s2"}},
        {"{\"text1\": \"t1\", \"text2\": \"t2\"}", {"t1", "t2"}},
        {"{\"negative\": \"n\", \"positive\": \"p\", \"anchor\": \"a\"}", {"a", "p", "n"}},
        {"{\"anchor\": \"a2\", \"positive\": \"p2\", \"negatives\": [\"n1\", null, \"n\\u00e92\"]}",
         {"a2", "p2", "n1",
          "n\xC3\xA9"
          "2"}},
        {"{\"anchor\": \"a3\", \"positive\": \"p3\", \"negative10\": \"nx\", \"negative_2\": \"n2\", \"negative1\": "
         "null, \"negative2\": \"n2'\"}",
         {"a3", "p3", "n2'", "n2", "nx"}},
        {"{\"anchor\": \"a4\", \"positive\": \"p4\", \"negative\": null, \"negatives\": []}", {"a4", "p4"}},
        {"{\"anchor\": \"a5\", \"positive\": null}", {"a5"}},
        {"{\"anchor\": \"nul\\u0000nul\", \"negative1x\": \"is no negative\"}", {"nul"}},
        {"{\"anchor\": 12, \"positive\": 3.5}", {"12", "3.5"}},
    };
    enum { COUNT = sizeof cases / sizeof *cases };
    wl_buffer text = {0};
    wl_error error;
    wl_prepared found;
    for (size_t i = 0; i < COUNT; i++) {
        wl_buffer_append(&text, cases[i].record, strlen(cases[i].record), &error);
        wl_buffer_append(&text, "\n", 1, &error);
    }
    wl_buffer_append(&text, "", 1, &error);
    wl_status status = prepare_text(text.data, NULL, &found, &error);
    CHECK_THAT(!status, "%s", error.message);
    wl_buffer_free(&text);
    prepared_file file;
    if (status || !open_prepared(&file, in_root("out"))) return;
    /* "text" is the anchor's text once more, so one record is a duplicate: that of the first two. */
    CHECK(found.removed[WL_REMOVED_DUPLICATE] == 1 && found.kept == COUNT - 1 && file.count == COUNT - 1);
    CHECK(!file.scores);
    for (size_t i = 0, record = 0; i < COUNT; i++) {
        if (i == 1) continue;
        size_t sides = 0;
        while (sides < 5 && cases[i].texts[sides]) sides++;
        CHECK_THAT(file.records[record + 1] - file.records[record] == sides, "record %zu", i);
        for (size_t j = 0; j < sides; j++) {
            const char *got = prepared_text(&file, (size_t)file.records[record] + j);
            CHECK_THAT(strcmp(got, cases[i].texts[j]) == 0, "record %zu: '%s', '%s'", i, got, cases[i].texts[j]);
        }
        if (i == 11) { /* a NUL is a character like any other */
            size_t side = (size_t)file.records[record];
            CHECK(file.starts[side + 1] - file.starts[side] == 7 && file.ids[file.starts[side] + 3] == 0);
        }
        record++;
    }
    CHECK(wl_safetensors_metadata(&file.file, "format") &&
          strcmp(wl_safetensors_metadata(&file.file, "format"), "wordllama texts") == 0);
    CHECK(strcmp(wl_safetensors_metadata(&file.file, "version"), "1") == 0);
    CHECK(strcmp(wl_safetensors_metadata(&file.file, "sources"), "[\"in.jsonl\"]") == 0);
    CHECK(strlen(wl_safetensors_metadata(&file.file, "tokenizer")) == 32);
    CHECK(strstr(wl_safetensors_metadata(&file.file, "counts"), "\"kept\": 12, "));
    wl_safetensors_close(&file.file);
}

static void test_tables(void)
{
    put_text("a.csv", "positive,anchor,score,negative1,negative2\n"
                      "p1,a1,0.5,,n1\n\"p,2\",\"a \"\"2\"\"\n\",,\"\",\np3,,1,,\n");
    put_text("b.tsv", "text1\ttext2\tscore\nx\ty\t-2e-1\nX\tY\t7\n");
    wl_error error;
    wl_prepared found;
    prepared_file file;
    static const char *const sides[] = {"a1", "p1", "n1", "a \"2\"", "p,2", "x", "y"};
    static const uint64_t records[] = {0, 3, 5, 7};
    wl_status status = prepare((const char *const[]){"a.csv", "b.tsv", NULL}, NULL, &found, &error);
    CHECK_THAT(!status, "%s", error.message);
    if (status || !open_prepared(&file, in_root("out"))) return;
    CHECK(found.records == 5 && found.kept == 3 && found.texts == 7 && file.count == 3 && file.texts == 7);
    CHECK(found.removed[WL_REMOVED_EMPTY] == 1 && found.removed[WL_REMOVED_DUPLICATE] == 1);
    CHECK(file.count == 3 && memcmp(file.records, records, sizeof records) == 0);
    for (size_t i = 0; i < 7 && file.texts == 7; i++) CHECK(strcmp(prepared_text(&file, i), sides[i]) == 0);
    CHECK(file.scores && file.scores[0] == 0.5f && isnan(file.scores[1]) && file.scores[2] == -0.2f);
    CHECK(strcmp(wl_safetensors_metadata(&file.file, "sources"), "[\"a.csv\", \"b.tsv\"]") == 0);
    wl_safetensors_close(&file.file);
}

static void test_wrong_records(void)
{
    static const struct {
        const char *record;
        const char *message;
    } cases[] = {
        {"{\"title\": \"a\", \"body\": \"b\"}", "\"title\", \"body\""},
        {"{}", "none"},
        {"{\"positive\": \"p\"}", "no anchor"},
        {"{\"anchor\": \"a\", \"negative\": \"n\"}", "no positive"},
        {"{\"anchor\": [\"a\"]}", "anchor"},
        {"{\"anchor\": \"a\", \"positive\": {}}", "positive"},
        {"{\"anchor\": \"a\", \"positive\": \"p\", \"negative\": 3}", "negative"},
        {"{\"anchor\": \"a\", \"positive\": \"p\", \"negatives\": [\"n\", 3]}", "negatives"},
        {"{\"anchor\": \"a\", \"positive\": \"p\", \"score\": \"nan\"}", "score"},
        {"{\"anchor\": \"a\", \"positive\": \"p\", \"score\": \"high\"}", "score"},
        {"{\"anchor\": \"a\", \"positive\": \"p\", \"score\": 1e300}", "score"},
        {"{\"anchor\": \"a\", \"positive\": \"p\"", ""},
        {"anchor", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[512];
        wl_error error;
        snprintf(text, sizeof text, "{\"anchor\": \"fine\"}\n\n%s\n", cases[i].record);
        unlink(in_root("out"));
        wl_status status = prepare_text(text, NULL, NULL, &error);
        CHECK_THAT(status == WL_ERROR_FORMAT && error.line == 3 && strstr(error.file, "in.jsonl") &&
                       strstr(error.message, cases[i].message),
                   "%s: %s, line %d: %s", cases[i].record, wl_status_name(status), (int)error.line, error.message);
        CHECK(!wl_path_exists(in_root("out")) && !wl_path_exists(in_root("out.part")));
    }
}

/* ---- sentences --------------------------------------------------------------------------------------------------- */

static void test_sentences(void)
{
    static const char text[] =
        "{\"anchor\": \"A title\", \"positive\": \"One is here.  Two is, e.g. this!\\nThree ends? Four? Five.\"}\n"
        "{\"anchor\": \"TWO is, e.g. this!\", \"score\": 2}\n" /* a duplicate of a sentence */
        "{\"anchor\": \"Stop.\", \"positive\": \"Eins. Ähnlich. zwei\"}\n"
        "{\"anchor\": \"  \", \"positive\": \"...\", \"negative\": \"Last... It is\"}\n";
    static const char *const expected[] = {
        "{\"text\": \"A title\"}\n{\"text\": \"Three ends?\"}\n{\"text\": \"TWO is, e.g. this!\"}\n{\"text\": "
        "\"Stop.\"}\n{\"text\": \"Ähnlich. zwei\"}\n{\"text\": \"...\"}\n{\"text\": \"It is\"}\n",
        "{\"text\": \"A title\"}\n{\"text\": \"Two is, e.g. this!\"}\n{\"text\": \"Four?\"}\n{\"text\": "
        "\"Stop.\"}\n{\"text\": \"Eins.\"}\n{\"text\": \"Ähnlich. zwei\"}\n{\"text\": \"...\"}\n{\"text\": "
        "\"Last...\"}\n{\"text\": \"It is\"}\n",
    };
    static const uint64_t records[] = {8, 11}, repeats[] = {0, 1};
    for (uint32_t n = 1; n <= 2; n++) {
        wl_prepare_options options = usual_options();
        options.sentences = n;
        wl_error error;
        wl_prepared found;
        wl_status status = prepare_text(text, &options, &found, &error);
        CHECK_THAT(!status, "%s", error.message);
        char *kept = read_text("kept");
        CHECK_THAT(kept && strcmp(kept, expected[n - 1]) == 0, "%s", kept);
        CHECK_THAT(found.records == records[n - 1], "%d", (int)found.records);
        CHECK(found.removed[WL_REMOVED_EMPTY] == 1 && found.removed[WL_REMOVED_DUPLICATE] == repeats[n - 1]);
        free(kept);
    }
}

/* ---- reasons ----------------------------------------------------------------------------------------------------- */

static void test_reasons(void)
{
    /* The counts of tokens are those of bytes, less '~'. */
    static const char text[] =
        "{\"anchor\": \"first anchor\", \"positive\": \"first positive\"}\n"
        "{\"anchor\": \" \\u2003 \", \"positive\": \"abc\"}\n"                     /* empty, before short */
        "{\"anchor\": \"abcdef\", \"positive\": \"~~~\"}\n"                        /* no tokens */
        "{\"anchor\": \"abcdef\", \"positive\": \"\"}\n"                           /* empty */
        "{\"anchor\": \"abc\", \"positive\": \"this one would be too long\"}\n"    /* short, before long */
        "{\"anchor\": \"abcd\", \"positive\": \"this one would be too long\"}\n"   /* long */
        "{\"anchor\": \"Same  same\", \"positive\": \"same SAME \"}\n"             /* equal sides */
        "{\"anchor\": \"abcd\", \"positive\": \"defg\", \"negative\": \"ABCD\"}\n" /* equal sides */
        "{\"anchor\": \"FIRST\\nanchor\", \"positive\": \" first  Positive\"}\n"   /* duplicate */
        "{\"anchor\": \"first positive\", \"positive\": \"first anchor\"}\n"       /* not the same order */
        "{\"anchor\": \"first anchor\"}\n"                                         /* not the same sides */
        "{\"anchor\": \"Held  OUT text\", \"positive\": \"first positive\"}\n"     /* in evaluation */
        "{\"anchor\": \"first anchor\", \"positive\": \"other held out\"}\n"       /* in evaluation */
        "{\"anchor\": \"held out text\", \"positive\": \"HELD OUT TEXT\"}\n"       /* equal sides, before that */
        "{\"anchor\": \"Held  OUT text\", \"positive\": \"first positive\"}\n"     /* as the one before: that reason */
        "{\"anchor\": \"first anchor\", \"positive\": \"first positive\", \"n\": 2}\n" /* duplicate */
        "{\"anchor\": \"held out\", \"positive\": \"other\"}\n";                       /* part of one: kept */
    put_text("held.jsonl", "{\"score\": 1, \"text1\": \"held out text\", \"text2\": \"a\"}\n"
                           "{\"score\": 2, \"text1\": \"Other held out\", \"text2\": \"b\"}\n");
    static const uint64_t expected[WL_REMOVED_REASONS] = {
        [WL_REMOVED_EMPTY] = 3, [WL_REMOVED_SHORT] = 1,      [WL_REMOVED_LONG] = 1,
        [WL_REMOVED_SAME] = 3,  [WL_REMOVED_EVALUATION] = 3, [WL_REMOVED_DUPLICATE] = 2,
    };
    static const char *const removed[] = {
        "{\"reason\": \"empty\", \"text\": \"\", \"record\": {\"anchor\": \"\", \"positive\": \"abc\"}}",
        "{\"reason\": \"empty\", \"text\": \"~~~\", ",
        "{\"reason\": \"empty\", \"text\": \"\", ",
        "{\"reason\": \"too short\", \"text\": \"abc\", ",
        "{\"reason\": \"too long\", \"text\": \"this one would be too long\", ",
        "{\"reason\": \"equal sides\", \"text\": \"same SAME\", ",
        "{\"reason\": \"equal sides\", \"text\": \"ABCD\", ",
        "{\"reason\": \"duplicate\", \"record\": {\"anchor\": \"FIRST anchor\", \"positive\": \"first Positive\"",
        "\"text\": \"Held OUT text\", \"record\": {\"anchor\": \"Held OUT text\", ",
        "\"text\": \"other held out\", ",
        "{\"reason\": \"equal sides\", ",
        "{\"reason\": \"in evaluation\", \"set\": \"",
        "{\"reason\": \"duplicate\", \"record\": {\"anchor\": \"first anchor\", ",
    };
    char held[256];
    snprintf(held, sizeof held, "%s", in_root("held.jsonl"));
    wl_prepare_options options = usual_options();
    options.evaluation = (const char *const[]){held};
    options.evaluation_count = 1;
    options.least_tokens = 4;
    options.most_tokens = 20;
    wl_error error;
    wl_prepared found;
    wl_status status = prepare_text(text, &options, &found, &error);
    CHECK_THAT(!status, "%s", error.message);
    if (status) return;
    CHECK(found.records == 17 && found.kept == 4);
    for (int i = 0; i < WL_REMOVED_REASONS; i++)
        CHECK_THAT(found.removed[i] == expected[i], "%s: %d", wl_removed_name((wl_removed)i), (int)found.removed[i]);
    char *lines = read_text("removed"), *kept = read_text("kept");
    const char *at = lines;
    wl_text line;
    size_t count = 0;
    for (; at && next_line(&at, &line); count++)
        CHECK_THAT(count < 13 && line_has(line, removed[count]), "%zu: %.*s", count, (int)line.size, line.data);
    CHECK(count == 13);
    CHECK(kept && strcmp(kept, "{\"anchor\": \"first anchor\", \"positive\": \"first positive\"}\n"
                               "{\"anchor\": \"first positive\", \"positive\": \"first anchor\"}\n"
                               "{\"anchor\": \"first anchor\"}\n"
                               "{\"anchor\": \"held out\", \"positive\": \"other\"}\n") == 0);
    free(lines);
    free(kept);
    /* All of them, where repeats may stay. */
    options.keep_duplicates = true;
    CHECK(!prepare_text(text, &options, &found, &error) && found.kept == 6 && !found.removed[WL_REMOVED_DUPLICATE]);
    /* Nothing is left: a file without texts. */
    options.least_tokens = 1000, options.most_tokens = 0;
    CHECK(!prepare_text(text, &options, &found, &error) && found.kept == 0 && found.texts == 0 && found.tokens == 0);
    prepared_file file;
    if (open_prepared(&file, in_root("out"))) CHECK(file.count == 0 && file.texts == 0);
    wl_safetensors_close(&file.file);
    CHECK(strcmp(wl_removed_name((wl_removed)-1), "unknown") == 0);
}

/* ---- near -------------------------------------------------------------------------------------------------------- */

/* A model whose vector of a text counts its bytes, so that cosines are known. */
static wl_model *make_byte_model(void)
{
    wl_error error = {0};
    wl_codebook_writer writer;
    float *rows = calloc(256 * 256, sizeof *rows);
    for (size_t i = 0; rows && i < 256; i++) rows[i * 256 + i] = 1;
    mkdir(in_root("model"), 0777);
    put_bytes_tokenizer("model/tokenizer.json");
    wl_status status =
        wl_codebook_writer_open(&writer, in_root("model/model.safetensors"), 256, 256, WL_STORE_F32, NULL, 0, &error);
    if (!status) status = wl_codebook_writer_rows(&writer, rows, 256, &error);
    if (!status) status = wl_codebook_writer_commit(&writer, &error);
    free(rows);
    wl_model *model = status ? NULL : wl_model_open(in_root("model"), NULL, &error);
    CHECK_THAT(model, "%s", error.message);
    return model;
}

/* Whatever a set is scored by, what stands in its files is held out; what names texts is none. */
static void test_all_texts(void)
{
    static const char *const folders[] = {"every", "every/classification", "every/retrieval", "every/retrieval/r"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) mkdir(in_root(folders[i]), 0777);
    put_text("every/classification/x-train.jsonl", "{\"label\": \"joy\", \"text\": \"of train\"}\n");
    put_text("every/classification/x-test.jsonl", "{\"label\": \"joy\", \"text\": \"of test\"}\n");
    put_text("every/classification/x-test-4k.jsonl", "{\"label\": \"joy\", \"text\": \"of a sample\"}\n");
    put_text("every/classification/y.csv", "split,label,text\nvalidation,joy,of a part\n");
    put_text("every/loose.jsonl", "{\"anchor\": \"loose\", \"negatives\": [\"in a list\", 7, \"last in a list\"]}\n");
    put_text("every/retrieval/r/corpus.jsonl", "{\"_id\": \"d1\", \"title\": \"A title\", \"text\": \"a body\"}\n");
    put_text("every/retrieval/r/queries.jsonl", "{\"_id\": \"q1\", \"text\": \"that nobody judged\"}\n");
    put_text("every/retrieval/r/qrels.jsonl", "{\"query\": \"q1\", \"doc\": \"d1\", \"score\": 0}\n");
    static const char *const held[] = {"of train", "OF TEST",        "of a sample",       "Of A Part",
                                       "loose",    "in a list",      "last in\\ta list",  "a title",
                                       "a body",   "a title a body", "that nobody judged"};
    static const char *const free_texts[] = {"q1", "d1", "joy", "validation", "7", "title a"};
    char text[4096] = "";
    size_t size = 0;
    for (size_t i = 0; i < sizeof held / sizeof *held; i++)
        size += (size_t)snprintf(text + size, sizeof text - size, "{\"anchor\": \"%s\"}\n", held[i]);
    for (size_t i = 0; i < sizeof free_texts / sizeof *free_texts; i++)
        size += (size_t)snprintf(text + size, sizeof text - size, "{\"anchor\": \"%s\"}\n", free_texts[i]);
    char folder[256];
    snprintf(folder, sizeof folder, "%s", in_root("every/")); /* a slash at the end, as shells complete it */
    wl_prepare_options options = usual_options();
    options.evaluation = (const char *const[]){folder};
    options.evaluation_count = 1;
    wl_error error;
    wl_prepared found;
    CHECK(prepare_text(text, &options, &found, &error) == WL_OK);
    CHECK_THAT(found.removed[WL_REMOVED_EVALUATION] == sizeof held / sizeof *held, "%d of them",
               (int)found.removed[WL_REMOVED_EVALUATION]);
    CHECK(found.kept == sizeof free_texts / sizeof *free_texts);
    /* No file may be written where the next call would read it. */
    char inside[300];
    snprintf(inside, sizeof inside, "%s/new.jsonl", folder);
    options.kept = inside;
    CHECK(prepare_text(text, &options, &found, &error) == WL_ERROR_ARGUMENT && strstr(error.message, "lies in"));
}

/* Tokenizers of the same pieces that treat texts in different ways are not taken for each other. */
static void test_tokenizer_digest(void)
{
    static const char form[] = "{\"version\": \"1.0\", \"truncation\": null, \"padding\": null, \"added_tokens\": [], "
                               "\"normalizer\": %s, \"pre_tokenizer\": {\"type\": \"Whitespace\"}, "
                               "\"post_processor\": null, \"decoder\": null, \"model\": {\"type\": \"WordLevel\", "
                               "\"vocab\": {\"[UNK]\": 0, \"quick\": 1, \"QUICK\": 2}, \"unk_token\": \"[UNK]\"}}";
    static const char *const normalizers[] = {"null", "{\"type\": \"Lowercase\"}", "null"};
    wl_text_digest digests[3];
    for (int i = 0; i < 3; i++) {
        char json[1024];
        wl_error error;
        int size = snprintf(json, sizeof json, form, normalizers[i]);
        wl_tokenizer *made = wl_tokenizer_parse(json, (size_t)size, NULL, &error);
        CHECK(made && wl_digest_tokenizer(made, &digests[i], &error) == WL_OK);
        wl_tokenizer_close(made);
    }
    CHECK(digests[0].low != digests[1].low && digests[0].high != digests[1].high);
    CHECK(digests[0].low == digests[2].low && digests[0].high == digests[2].high);
}

static void test_near(void)
{
    wl_model *model = make_byte_model();
    if (!model) return;
    put_text("held.jsonl", "{\"score\": 1, \"text1\": \"aaab\", \"text2\": \"xyz\"}\n"
                           "{\"score\": 2, \"text1\": \"cd\", \"text2\": \"uvw\"}\n");
    char held[256];
    snprintf(held, sizeof held, "%s", in_root("held.jsonl"));
    wl_prepare_options options = usual_options();
    options.evaluation = (const char *const[]){held};
    options.evaluation_count = 1;
    options.near_model = model;
    options.near = 0.7071;
    wl_error error;
    wl_prepared found;
    static const char text[] = "{\"anchor\": \"c\"}\n"                           /* 1 / sqrt 2: near */
                               "{\"anchor\": \"q\", \"positive\": \"baaaba\"}\n" /* near */
                               "{\"anchor\": \"ba\"}\n"                          /* 0.894 */
                               "{\"anchor\": \"Cd\"}\n"                          /* in evaluation */
                               "{\"anchor\": \"cqr\"}\n"                         /* 0.41: kept */
                               "{\"anchor\": \"cqr\"}\n";                        /* duplicate */
    wl_status status = prepare_text(text, &options, &found, &error);
    CHECK_THAT(!status, "%s", error.message);
    CHECK(found.removed[WL_REMOVED_NEAR] == 3 && found.removed[WL_REMOVED_EVALUATION] == 1 && found.kept == 1 &&
          found.removed[WL_REMOVED_DUPLICATE] == 1);
    char *lines = read_text("removed");
    CHECK(lines && strstr(lines, "\"similarity\": 0.70710") && strstr(lines, "\"text\": \"baaaba\", \"record\": {"));
    free(lines);
    options.near = 0.7072;
    CHECK(!prepare_text(text, &options, &found, &error) && found.removed[WL_REMOVED_NEAR] == 2 && found.kept == 2);
    options.near = 0; /* 0.9 */
    CHECK(!prepare_text(text, &options, &found, &error) && found.removed[WL_REMOVED_NEAR] == 1 && found.kept == 3);
    options.near = 1.5;
    CHECK(prepare_text(text, &options, NULL, &error) == WL_ERROR_ARGUMENT);
    options.near = NAN;
    CHECK(prepare_text(text, &options, NULL, &error) == WL_ERROR_ARGUMENT);
    options.near = 0.9, options.evaluation_count = 0;
    CHECK(prepare_text(text, &options, NULL, &error) == WL_ERROR_ARGUMENT);
    wl_model_close(model);
}

/* ---- evaluation texts in any shape ------------------------------------------------------------------------------- */

/* A word in lower case, in upper case and with a capital. */
static const char *const words[][3] = {
    {"stra\xC3\x9F"
     "e",
     "STRASSE",
     "Stra\xC3\x9F"
     "e"},                                                           /* straße */
    {"\xC3\xA9t\xC3\xA9", "\xC3\x89T\xC3\x89", "\xC3\x89t\xC3\xA9"}, /* été */
    {"\xCE\xBF\xCE\xB4\xCF\x8C\xCF\x82", "\xCE\x9F\xCE\x94\xCE\x8C\xCE\xA3",
     "\xCE\x9F\xCE\xB4\xCF\x8C\xCF\x82"},                                                 /* οδός */
    {"\xD0\xB4\xD0\xBE\xD0\xBC", "\xD0\x94\xD0\x9E\xD0\x9C", "\xD0\x94\xD0\xBE\xD0\xBC"}, /* дом */
    {"\xC7\x86"
     "ep",
     "\xC7\x84"
     "EP",
     "\xC7\x85"
     "ep"},                                  /* a letter with a title case of its own */
    {"\xEF\xAC\x81n", "FIN", "Fin"},         /* a ligature */
    {"\xC2\xB5m", "\xCE\x9CM", "\xCE\x9Cm"}, /* the micro sign */
    {"\xE1\xBC\x80\xCE\xB5\xCE\xAF", "\xE1\xBC\x88\xCE\x95\xCE\x8A", "\xE1\xBC\x88\xCE\xB5\xCE\xAF"}, /* ἀεί */
    {"car", "CAR", "Car"},
    {"river", "RIVER", "River"},
    {"green", "GREEN", "Green"},
    {"of", "OF", "Of"},
    {"42", "42", "42"},
    {"\xE4\xBA\xBA", "\xE4\xBA\xBA", "\xE4\xBA\xBA"}, /* a letter without case */
};
enum { WORDS = sizeof words / sizeof *words };

static const char *const spaces[] = {" ", "  ", "\\t", "\\u00a0", "\\n", "\\r\\n", " \\u2003 ", "\\u3000", "\\u0085"};
enum { SPACES = sizeof spaces / sizeof *spaces };

/* Text number n, and no other text has its words: in a shape (its case) and with white space by chance, or with
 * single spaces where random is NULL. */
static void shape_text(size_t n, int shape, wl_random *random, char *out)
{
    size_t size = 0, left = n;
    if (random && wl_random_below(random, 3) == 0)
        size += (size_t)sprintf(out, "%s", spaces[wl_random_below(random, SPACES)]);
    for (int i = 0; i < 5; i++, left /= WORDS) {
        const char *const *word = words[left % WORDS];
        int form = shape < 3 ? shape : (i + shape) % 2;
        if (i) size += (size_t)sprintf(out + size, "%s", random ? spaces[wl_random_below(random, SPACES)] : " ");
        size += (size_t)sprintf(out + size, "%s", word[form]);
    }
    if (random && wl_random_below(random, 3) == 0) sprintf(out + size, "%s", spaces[wl_random_below(random, SPACES)]);
}

enum { HELD = 1500, PLANTED = 1000, RECORDS = 6000 };

/* Texts below HELD stand in evaluation sets, all others do not. */
static void put_held_out(void)
{
    char text[3][512];
    mkdir(in_root("held"), 0777), mkdir(in_root("held/sts"), 0777), mkdir(in_root("held/triplet"), 0777);
    mkdir(in_root("held/retrieval"), 0777), mkdir(in_root("held/retrieval/small"), 0777);
    FILE *pairs = fopen(in_root("held/sts/pairs.jsonl"), "wb");
    FILE *triplets = fopen(in_root("held/triplet/three.jsonl"), "wb");
    FILE *corpus = fopen(in_root("held/retrieval/small/corpus.jsonl"), "wb");
    FILE *queries = fopen(in_root("held/retrieval/small/queries.jsonl"), "wb");
    FILE *wanted = fopen(in_root("held/retrieval/small/qrels.jsonl"), "wb");
    CHECK(pairs && triplets && corpus && queries && wanted);
    if (!pairs || !triplets || !corpus || !queries || !wanted) exit(EXIT_FAILURE);
    for (size_t i = 0; i < HELD; i += 3) {
        for (size_t j = 0; j < 3; j++) shape_text(i + j, (int)(i / 3 % 3), NULL, text[j]);
        if (i < 600)
            fprintf(triplets, "{\"anchor\": \"%s\", \"positive\": \"%s\", \"negative\": \"%s\"}\n", text[0], text[1],
                    text[2]);
        else if (i < 1200) {
            fprintf(pairs, "{\"score\": %zu, \"text1\": \"%s\", \"text2\": \"%s\"}\n", i, text[0], text[1]);
            fprintf(pairs, "{\"score\": %zu, \"text1\": \"%s\", \"text2\": \"%s\"}\n", i, text[2], text[1]);
        } else {
            fprintf(corpus, "{\"_id\": \"d%zu\", \"title\": \"%s\", \"text\": \"%s\"}\n", i, text[0], text[1]);
            fprintf(queries, "{\"_id\": \"q%zu\", \"text\": \"%s\"}\n", i, text[2]);
            fprintf(wanted, "{\"query\": \"q%zu\", \"doc\": \"d%zu\", \"score\": 1}\n", i, i);
        }
    }
    CHECK(!fclose(pairs) && !fclose(triplets) && !fclose(corpus) && !fclose(queries) && !fclose(wanted));
}

/* Each record says itself what becomes of it. */
static void put_planted(const char *name)
{
    static const char *const sides[] = {"anchor", "positive", "negative"};
    wl_random random = wl_random_seed(11, 4);
    FILE *file = fopen(in_root(name), "wb");
    CHECK(file != NULL);
    for (size_t i = 0, clean = HELD, planted = 0; file && i < RECORDS; i++) {
        size_t here = planted < PLANTED && i % 5 == 3 ? wl_random_below(&random, 3) : 3;
        fprintf(file, "{\"expect\": \"%s\"", here < 3 ? "gone" : "stays");
        for (size_t j = 0; j < 3; j++) {
            char text[512];
            if (j == here) /* every third text is not planted, the others once */
                shape_text(planted * 3 / 2, (int)(planted % 5), &random, text), planted++;
            else
                shape_text(clean++, (int)wl_random_below(&random, 5), &random, text);
            fprintf(file, ", \"%s\": \"%s\"", sides[j], text);
        }
        fprintf(file, "}\n");
    }
    if (file) CHECK(fclose(file) == 0);
}

/* How many lines of a file of root hold the word and, all of them, the other one. */
static size_t count_lines(const char *name, const char *word)
{
    char *text = read_text(name);
    const char *at = text;
    wl_text line;
    size_t count = 0, others = 0;
    while (at && next_line(&at, &line)) {
        count++;
        others += !line_has(line, word);
        if (!line_has(line, word)) printf("%s: %.*s\n", name, (int)line.size, line.data);
    }
    CHECK_THAT(others == 0, "%s: %zu lines without '%s'", name, others, word);
    free(text);
    return count;
}

static void test_leakage(void)
{
    put_held_out();
    put_planted("planted.jsonl");
    char held[256];
    snprintf(held, sizeof held, "%s", in_root("held"));
    wl_prepare_options options = usual_options();
    options.evaluation = (const char *const[]){held};
    options.evaluation_count = 1;
    options.threads = 2;
    wl_error error;
    wl_prepared found;
    wl_status status = prepare((const char *const[]){"planted.jsonl", NULL}, &options, &found, &error);
    CHECK_THAT(!status, "%s", error.message);
    CHECK_THAT(found.removed[WL_REMOVED_EVALUATION] == PLANTED && found.kept == RECORDS - PLANTED,
               "%d removed, %d kept", (int)found.removed[WL_REMOVED_EVALUATION], (int)found.kept);
    CHECK(count_lines("removed", "\"expect\": \"gone\"") == PLANTED);
    CHECK(count_lines("kept", "\"expect\": \"stays\"") == RECORDS - PLANTED);
}

/* ---- the real sets ----------------------------------------------------------------------------------------------- */

/* A text of a set as a JSON string in another case, of ASCII letters, and with other white space. */
static void write_shaped(FILE *file, wl_text text, wl_random *random)
{
    size_t shape = wl_random_below(random, 4);
    bool first = true;
    fprintf(file, "\"%s", spaces[wl_random_below(random, SPACES)]);
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        bool lower = c >= 'a' && c <= 'z', upper = c >= 'A' && c <= 'Z';
        bool swaps = shape == 0 ? lower : shape == 1 ? upper : shape == 2 ? (first ? lower : upper) : lower || upper;
        if (c == ' ')
            fprintf(file, "%s", spaces[wl_random_below(random, SPACES)]);
        else if (c < 0x20 || c == '"' || c == '\\')
            fprintf(file, "\\u%04x", c);
        else
            putc(swaps ? c ^ 0x20 : c, file);
        first = c == ' ';
    }
    fprintf(file, "\"");
}

static void test_real_sets(void)
{
    static const char folder[] = WL_SHARED_DATA "/eval";
    wl_error error = {0};
    if (!wl_path_exists(folder)) {
        SKIP("evaluation texts planted from %s, which is not there", folder);
        return;
    }
    const char *path = folder;
    wl_sets *sets = wl_sets_open(&path, 1, NULL, &error);
    CHECK_THAT(sets, "%s", error.message);
    FILE *file = fopen(in_root("real.jsonl"), "wb");
    CHECK(file != NULL);
    wl_random random = wl_random_seed(21, 0);
    size_t planted = 0;
    for (size_t i = 0; sets && file && planted < PLANTED; i++) {
        const wl_set *set = &sets->sets[i % sets->count];
        wl_text text = set->texts[wl_random_below(&random, set->text_count)];
        const char *side = i % 2 ? "anchor" : "positive", *other = i % 2 ? "positive" : "anchor";
        fprintf(file, "{\"expect\": \"gone\", \"%s\": ", side);
        write_shaped(file, text, &random);
        fprintf(file, ", \"%s\": \"nothing of the kind, number %zu\"}\n", other, planted++);
        for (int j = 0; j < 3; j++)
            fprintf(file, "{\"expect\": \"stays\", \"anchor\": \"clean number %zu %d\", \"positive\": \"%d clean\"}\n",
                    i, j, j);
    }
    if (file) CHECK(fclose(file) == 0);
    wl_sets_close(sets);
    wl_prepare_options options = usual_options();
    options.evaluation = &path;
    options.evaluation_count = 1;
    options.threads = 2;
    wl_prepared found = {0};
    wl_status status = prepare((const char *const[]){"real.jsonl", NULL}, &options, &found, &error);
    CHECK_THAT(!status, "%s", error.message);
    CHECK(found.removed[WL_REMOVED_EVALUATION] == PLANTED && found.kept == 3 * PLANTED);
    CHECK(count_lines("removed", "\"expect\": \"gone\"") == PLANTED);
    CHECK(count_lines("kept", "\"expect\": \"stays\"") == 3 * PLANTED);
}

/* ---- a real tokenizer, threads ----------------------------------------------------------------------------------- */

static void test_real_tokenizer(void)
{
    static const char path[] = WL_TEST_MODELS "/l2_supercat_256/tokenizer.json";
    wl_error error = {0};
    if (!wl_path_exists(path)) {
        SKIP("ids of the model's tokenizer: %s is not there", path);
        return;
    }
    wl_tokenizer *real = wl_tokenizer_open(path, &error), *bytes = tokenizer;
    wl_context *context = wl_context_create(NULL, &error);
    static const char *const texts[] = {"I went to the car", "stra\xC3\x9F"
                                                             "e und  gr\xC3\xBC\xC3\x9F"
                                                             "e"};
    static const char *const normalized[] = {"I went to the car", "stra\xC3\x9F"
                                                                  "e und gr\xC3\xBC\xC3\x9F"
                                                                  "e"};
    char text[256];
    snprintf(text, sizeof text, "{\"anchor\": \"%s\", \"positive\": \"%s\"}\n", texts[0], texts[1]);
    tokenizer = real;
    CHECK(real && !prepare_text(text, NULL, NULL, &error));
    tokenizer = bytes;
    prepared_file file;
    if (real && open_prepared(&file, in_root("out"))) {
        CHECK(file.texts == 2);
        for (size_t i = 0; i < 2 && file.texts == 2; i++) {
            uint32_t ids[64];
            size_t count = 0;
            CHECK(!wl_encode(real, context, (wl_text){normalized[i], strlen(normalized[i])}, NULL, ids, NULL, 64,
                             &count, &error));
            CHECK(count == file.starts[i + 1] - file.starts[i] &&
                  memcmp(ids, file.ids + file.starts[i], count * sizeof *ids) == 0);
        }
    }
    wl_safetensors_close(&file.file);
    wl_context_free(context);
    wl_tokenizer_close(real);
}

static void test_threads(void)
{
    char held[256], first[3][256];
    snprintf(held, sizeof held, "%s", in_root("held"));
    wl_prepare_options options = usual_options();
    wl_model *model = wl_model_open(in_root("model"), NULL, NULL);
    options.evaluation = (const char *const[]){held};
    options.evaluation_count = 1;
    options.near_model = model;
    options.near = 0.995;
    static const char *const files[] = {"out", "kept", "removed"};
    for (size_t i = 0; i < 3; i++) snprintf(first[i], sizeof first[i], "%s.first", in_root(files[i]));
    wl_prepared found, before = {0};
    for (options.threads = 1; options.threads <= 3; options.threads++) {
        wl_error error;
        const char *paths[] = {in_root("planted.jsonl"), in_root("in.jsonl")};
        wl_prepare_pace pace = {options.threads == 2 ? 1 << 12 : 1 << 18, 1e9};
        wl_status status = wl_prepare_at(&pace, paths, 2, tokenizer, in_root("out"), &options, &found, &error);
        CHECK_THAT(!status, "%s", error.message);
        for (size_t i = 0; i < 3; i++) {
            if (options.threads == 1)
                CHECK(rename(in_root(files[i]), first[i]) == 0);
            else
                CHECK_THAT(same_files(in_root(files[i]), first[i]), "%s, %d threads", files[i], (int)options.threads);
        }
        if (options.threads == 1) before = found;
        CHECK(memcmp(&before, &found, sizeof found) == 0);
    }
    CHECK_THAT(before.removed[WL_REMOVED_NEAR] > 0 && before.kept > 0, "%d near", (int)before.removed[WL_REMOVED_NEAR]);
    wl_model_close(model);
}

/* ---- arguments and failures -------------------------------------------------------------------------------------- */

static void test_arguments(void)
{
    wl_error error;
    wl_prepare_options options = usual_options();
    static const char text[] = "{\"anchor\": \"a\"}\n";
    const char *paths[] = {put_text("in.jsonl", text)};
    CHECK(wl_prepare(NULL, 1, tokenizer, in_root("out"), NULL, NULL, NULL) == WL_ERROR_ARGUMENT);
    CHECK(wl_prepare(paths, 0, tokenizer, in_root("out"), NULL, NULL, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_prepare(paths, 1, NULL, in_root("out"), NULL, NULL, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_prepare(paths, 1, tokenizer, NULL, NULL, NULL, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_prepare(paths, 1, tokenizer, paths[0], NULL, NULL, &error) == WL_ERROR_ARGUMENT);
    options.kept = paths[0];
    CHECK(prepare_text(text, &options, NULL, &error) == WL_ERROR_ARGUMENT);
    options.kept = options.removed;
    CHECK(prepare_text(text, &options, NULL, &error) == WL_ERROR_ARGUMENT);
    options = usual_options();
    options.removed = in_root("out");
    CHECK(prepare_text(text, &options, NULL, &error) == WL_ERROR_ARGUMENT);
    options = usual_options();
    options.evaluation = &options.kept, options.evaluation_count = 1;
    put_text("kept", "{\"score\": 1, \"text1\": \"a\", \"text2\": \"b\"}\n");
    CHECK(prepare_text(text, &options, NULL, &error) == WL_ERROR_ARGUMENT);
    options = usual_options();
    options.least_tokens = 5, options.most_tokens = 4;
    CHECK(prepare_text(text, &options, NULL, &error) == WL_ERROR_ARGUMENT);
    options = usual_options();
    options.size++;
    CHECK(prepare_text(text, &options, NULL, &error) == WL_ERROR_ARGUMENT);
    char *in = read_text("in.jsonl");
    CHECK(in && strcmp(in, text) == 0);
    free(in);
}

static void test_places(void)
{
    wl_error error;
    wl_prepare_options options = usual_options();
    const char *paths[] = {put_text("in.jsonl", "{\"anchor\": \"a\"}\n"), in_root("missing.jsonl")};
    unlink(in_root("out"));
    CHECK(wl_prepare(paths, 2, tokenizer, in_root("out"), NULL, NULL, &error) == WL_ERROR_NOT_FOUND);
    CHECK(strstr(error.file, "missing"));
    CHECK(wl_prepare(paths, 1, tokenizer, in_root("no/out"), NULL, NULL, &error) == WL_ERROR_NOT_FOUND);
    CHECK(wl_prepare(paths, 1, tokenizer, prepare_root, NULL, NULL, &error) == WL_ERROR_IO);
    CHECK(wl_prepare(paths, 1, tokenizer, "/dev/null", NULL, NULL, &error) == WL_ERROR_IO);
    options.kept = in_root("no/kept");
    CHECK(wl_prepare(paths, 1, tokenizer, in_root("out"), &options, NULL, &error) == WL_ERROR_NOT_FOUND);
    options = usual_options();
    options.evaluation = (const char *const[]){paths[1]}, options.evaluation_count = 1;
    CHECK(wl_prepare(paths, 1, tokenizer, in_root("out"), &options, NULL, &error) == WL_ERROR_NOT_FOUND);
    CHECK(!wl_path_exists(in_root("out")) && !wl_path_exists(in_root("out.part")));
    /* What is there beside OUT and not ours stays. */
    mkdir(in_root("out.part"), 0777);
    put_text("out.part/mine", "mine");
    CHECK(wl_prepare(paths, 1, tokenizer, in_root("out"), NULL, NULL, &error) == WL_ERROR_IO);
    CHECK(wl_path_exists(in_root("out.part/mine")) && !wl_path_exists(in_root("out")));
    unlink(in_root("out.part/mine"));
    CHECK(!wl_prepare(paths, 1, tokenizer, in_root("out"), NULL, NULL, &error)); /* an empty folder is taken */
    CHECK(wl_path_exists(in_root("out")) && !wl_path_exists(in_root("out.part")));
    put_text("out.part", "a file");
    CHECK(wl_prepare(paths, 1, tokenizer, in_root("out"), NULL, NULL, &error) != WL_OK);
    unlink(in_root("out.part"));
    /* One at a time. */
    wl_spill_folder part;
    CHECK(!wl_spill_folder_open(&part, in_root("out"), &error));
    CHECK(wl_prepare(paths, 1, tokenizer, in_root("out"), NULL, NULL, &error) == WL_ERROR_IO);
    CHECK(strstr(error.message, "another call"));
    wl_spill_folder_close(&part);
    CHECK(!wl_prepare(paths, 1, tokenizer, in_root("out"), NULL, NULL, &error));
}

static void test_memory(void)
{
    if (!fault_available()) {
        SKIP("failing allocations");
        return;
    }
    put_text("held.jsonl", "{\"score\": 1, \"text1\": \"aaab\", \"text2\": \"xyz\"}\n"
                           "{\"score\": 2, \"text1\": \"cd\", \"text2\": \"uvw\"}\n");
    const char *paths[] = {
        put_text("in.jsonl", "{\"anchor\": \"car\", \"positive\": \"by car\", \"negatives\": [\"boat\", \"a\\tb\"]}\n"
                             "{\"anchor\": \"xyz\"}\n{\"anchor\": \"uvww\"}\n{\"anchor\": \" \"}\n"),
        put_text("in.csv", "anchor,positive,score\nby boat,\"a \"\"boat\"\"\",1\nby boat,\"a \"\"boat\"\"\",1\n"),
    };
    char held[256], inputs[2][256], out[256]; /* in_root gives its buffers again */
    snprintf(held, sizeof held, "%s", in_root("held.jsonl"));
    for (size_t i = 0; i < 2; i++) {
        snprintf(inputs[i], sizeof inputs[i], "%s", paths[i]);
        paths[i] = inputs[i];
    }
    snprintf(out, sizeof out, "%s", in_root("out"));
    wl_prepare_options options = usual_options();
    wl_model *model = wl_model_open(in_root("model"), NULL, NULL);
    options.evaluation = (const char *const[]){held};
    options.evaluation_count = 1;
    options.near_model = model;
    size_t nth = 1;
    for (; nth < 100000; nth++) {
        wl_error error = {0};
        wl_prepared found;
        unlink(out);
        options.resume = nth % 2;
        fault_begin(nth);
        wl_status status = wl_prepare(paths, 2, tokenizer, out, &options, &found, &error);
        if (!fault_end()) {
            CHECK_THAT(!status, "%s", error.message);
            CHECK(found.records == 6 && found.kept == 2 && wl_path_exists(out));
            break;
        }
        /* The last ones are after the file is there: the folder beside it could not be removed. */
        CHECK_THAT(status == WL_ERROR_MEMORY, "allocation %zu: %s %s", nth, wl_status_name(status), error.message);
    }
    printf("%zu allocations\n", nth);
    CHECK(!wl_path_exists(in_root("out.part")));
    wl_model_close(model);
}

int main(void)
{
    wl_error error = {0};
    if (!mkdtemp(prepare_root)) return EXIT_FAILURE;
    tokenizer = wl_tokenizer_open(put_bytes_tokenizer("tokenizer.json"), &error);
    CHECK_THAT(tokenizer, "%s", error.message);
    if (tokenizer) {
        test_digests();
        test_repeats();
        test_fields();
        test_tables();
        test_wrong_records();
        test_sentences();
        test_reasons();
        test_all_texts();
        test_tokenizer_digest();
        test_near();
        test_leakage();
        test_threads();
        test_real_sets();
        test_real_tokenizer();
        test_arguments();
        test_places();
        test_memory();
    }
    wl_tokenizer_close(tokenizer);
    wl_remove_tree(prepare_root);
    return test_end();
}
