/* Evaluation sets: where they are found, what is read of them, and what is wrong with them. */
#define _XOPEN_SOURCE 700 /* nftw */
#include "data/records.h"
#include "data/sets.h"
#include "fault.h"
#include "files.h"

/* ---- what is found, as text -------------------------------------------------------------------------------------- */

static char messages[4096];

static void take_message(void *user, const char *text)
{
    (void)user;
    size_t size = strlen(messages);
    snprintf(messages + size, sizeof messages - size, "%s\n", text);
}

static size_t show_numbers(const wl_set *set, char *out, size_t room)
{
    size_t size = 0;
    for (size_t i = 0; i < set->items && set->numbers; i++)
        size += (size_t)snprintf(out + size, room - size, " %g", set->numbers[i]);
    for (size_t i = 0; set->labels && i < set->text_count; i++)
        size += (size_t)snprintf(out + size, room - size, " %u", set->labels[i]);
    for (size_t i = 0; i < set->label_count; i++)
        size +=
            (size_t)snprintf(out + size, room - size, " %.*s", (int)set->label_names[i].size, set->label_names[i].data);
    for (size_t i = 0; i < set->judgement_count; i++) {
        wl_judgement judgement = set->judgements[i];
        size += (size_t)snprintf(out + size, room - size, " %u-%d:%g", judgement.query,
                                 judgement.document == WL_NO_DOCUMENT ? -1 : (int)judgement.document, judgement.grade);
    }
    return size;
}

/* "GROUP/NAME items: text|text; numbers" for each set, a line each, or "!CODE file:line message". */
static const char *show(const char *const *paths, size_t count, const wl_sets_options *options)
{
    static char out[1 << 15];
    wl_error error;
    size_t size = 0;
    messages[0] = out[0] = '\0';
    wl_sets *sets = wl_sets_open(paths, count, options, &error);
    for (size_t i = 0; sets && i < wl_sets_count(sets); i++) {
        wl_set_info info = wl_sets_at(sets, i);
        const wl_set *set = &sets->sets[i];
        size += (size_t)snprintf(out + size, sizeof out - size, "%s/%s %zu:", info.group, info.name, info.items);
        for (size_t j = 0; j < info.texts; j++)
            size += (size_t)snprintf(out + size, sizeof out - size, "%s%.*s", j ? "|" : " ", (int)set->texts[j].size,
                                     set->texts[j].data);
        size += (size_t)snprintf(out + size, sizeof out - size, ";");
        size += show_numbers(set, out + size, sizeof out - size);
        size += (size_t)snprintf(out + size, sizeof out - size, "\n");
    }
    size_t root = strlen(files_root);
    bool ours = !sets && strncmp(error.file, files_root, root) == 0;
    if (!sets)
        snprintf(out, sizeof out, "!%s %s:%d %s", wl_status_name(error.code) + strlen("WL_ERROR_"),
                 ours ? error.file + root + (error.file[root] == '/') : error.file, (int)error.line, error.message);
    wl_sets_close(sets);
    return out;
}

static const char *show_one(const char *name)
{
    static const wl_sets_options options = {.size = sizeof options, .message = take_message};
    const char *path = files_path(name);
    return show(&path, 1, &options);
}

static void check(const char *name, const char *expected)
{
    const char *shown = show_one(name);
    CHECK_THAT(strcmp(shown, expected) == 0, "%s: %s\nexpected %s", name, shown, expected);
}

/* The same for a file with this content. */
static void check_file(const char *name, const char *content, const char *expected)
{
    files_put(name, content);
    check(name, expected);
}

/* ---- the tasks --------------------------------------------------------------------------------------------------- */

static void test_similarity(void)
{
    check_file(
        "a/x.jsonl",
        "{\"score\":1.5,\"text1\":\"p\",\"text2\":\"q\"}\n\n{\"text2\":\"s\",\"text1\":\"r\",\"score\":\"-2\"}\n",
        "sts/x 2: p|q|r|s; 1.5 -2\n");
    check_file("a/y.csv", "sentence1,sentence2,similarity_score\np,\"q\n\",0\n,s,1\n", "sts/y 2: p|q\n||s; 0 1\n");
    check_file("a/z.tsv.gz", "sent1\tsent2\trelatedness_score\np\tq\t0\nr\ts\t1e1\n", "sts/z 2: p|q|r|s; 0 10\n");
    /* The folder's name says more than the fields. */
    check_file("wordsim/w.jsonl",
               "{\"score\":1,\"text1\":\"p\",\"text2\":\"q\"}\n{\"score\":2,\"text1\":\"p\",\"text2\":\"q\"}",
               "wordsim/w 2: p|q|p|q; 1 2\n");
    check_file("a/none", "{\"score\":1,\"text1\":\"p\",\"text2\":\"q\"}\n{\"score\":2,\"text1\":\"p\",\"text2\":\"q\"}",
               "sts/none 2: p|q|p|q; 1 2\n");
    static const struct {
        const char *content, *expected;
    } wrong[] = {
        {"", "!FORMAT sts/f.jsonl:0 holds no records"},
        {"{\"score\":1,\"text1\":\"p\",\"text2\":\"q\"}",
         "!FORMAT sts/f.jsonl:0 holds a single pair, and a correlation takes two"},
        {"{\"score\":1,\"text1\":\"p\",\"text2\":\"q\"}\n{\"score\":1.0,\"text1\":\"p\",\"text2\":\"q\"}",
         "!FORMAT sts/f.jsonl:0 holds scores that are all equal"},
        {"{\"score\":1,\"text1\":\"p\",\"text2\":\"q\"}\n\n{\"score\":\"nan\",\"text1\":\"p\",\"text2\":\"q\"}",
         "!FORMAT sts/f.jsonl:3 the field \"score\" is \"nan\", expected a finite number"},
        {"{\"score\":1,\"text1\":\"p\",\"text2\":\"q\"}\n{\"score\":2,\"text1\":\"p\"}",
         "!FORMAT sts/f.jsonl:2 the record has no field \"text2\" (nor \"sentence2\", \"sent2\"); it has: \"score\", "
         "\"text1\""},
        {"{\"score\":1,\"text1\":\"p\",\"text2\":[]}",
         "!FORMAT sts/f.jsonl:1 the field \"text2\" is neither a string nor a number"},
        {"{\"score\":null,\"text1\":\"p\",\"text2\":\"q\"}",
         "!FORMAT sts/f.jsonl:1 the record has no field \"score\" (nor \"similarity_score\", \"relatedness_score\"); "
         "it has: \"text1\", "
         "\"text2\""},
        {"{\"score\":1,\"text1\":\"p\",\"text2\":\"q\"}\n{",
         "!FORMAT sts/f.jsonl:2 expected the '\"' that begins a key, "
         "found the end of the text"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        check_file("sts/f.jsonl", wrong[i].content, wrong[i].expected);
}

static void test_split_field(void)
{
    /* As sentence-transformers publishes STSbenchmark. */
    check_file("b/stsbenchmark.tsv",
               "split\tgenre\tscore\tsentence1\tsentence2\ntrain\tx\t5\tp\tq\ndev\tx\t1\tr\ts\ntrain\tx\t0\tt\tu\n"
               "dev\tx\t2\tv\t\"w\n",
               "sts/stsbenchmark-dev 2: r|s|v|\"w; 1 2\nsts/stsbenchmark-train 2: p|q|t|u; 5 0\n");
    static const char *const only[] = {"stsbenchmark-dev"};
    const wl_sets_options options = {.size = sizeof options, .only = only, .only_count = 1};
    const char *path = files_path("b/stsbenchmark.tsv");
    CHECK(strcmp(show(&path, 1, &options), "sts/stsbenchmark-dev 2: r|s|v|\"w; 1 2\n") == 0);
    wl_error error;
    wl_sets *sets = wl_sets_open(&path, 1, NULL, &error);
    CHECK(sets && strcmp(sets->sets[0].part, "dev") == 0 && strcmp(sets->sets[0].path, path) == 0);
    wl_sets_close(sets);
    check_file("b/f.csv", "split,score,text1,text2\ndev,1,p,q\ntest,1,p,q\ntest,2,p,q\n",
               "!FORMAT b/f.csv:0 holds a single pair, and a correlation takes two, where split is dev");
    check_file(
        "b/f.jsonl",
        "{\"split\":\"a\",\"score\":1,\"text1\":\"p\",\"text2\":\"q\"}\n{\"score\":2,\"text1\":\"p\",\"text2\":\"q\"}",
        "!FORMAT b/f.jsonl:2 some records have a field \"split\", and others have none");
    wl_buffer many = {0};
    CHECK(!wl_buffer_append(&many, "split,score,text1,text2\n", 24, &error));
    for (int i = 0; i < 65; i++) {
        char line[32];
        int size = snprintf(line, sizeof line, "%d,1,p,q\n", i);
        CHECK(!wl_buffer_append(&many, line, (size_t)size, &error));
    }
    files_write("b/f.csv", many.data, many.size);
    check("b/f.csv", "!FORMAT b/f.csv:66 the field \"split\" has more than 64 values");
    wl_buffer_free(&many);
}

static void test_pairs_and_triplets(void)
{
    check_file("c/p.jsonl",
               "{\"label\":1,\"text1\":\"p\",\"text2\":\"q\"}\n{\"label\":\"0\",\"text1\":\"r\",\"text2\":\"s\"}\n"
               "{\"label\":true,\"text1\":\"t\",\"text2\":\"u\"}\n{\"label\":false,\"text1\":\"v\",\"text2\":\"w\"}\n"
               "{\"label\":1.0,\"text1\":\"x\",\"text2\":\"y\"}\n",
               "pair/p 5: p|q|r|s|t|u|v|w|x|y; 1 0 1 0 1\n");
    check_file("c/f.csv", "label,text1,text2\n1,p,q\n2,r,s\n",
               "!FORMAT c/f.csv:3 the label of a pair is 2, expected 0 or 1");
    check_file("c/f.csv", "label,text1,text2\n1,p,q\nyes,r,s\n",
               "!FORMAT c/f.csv:3 the field \"label\" is \"yes\", expected a finite number");
    check_file("c/f.csv", "label,text1,text2\n1,p,q\n1,r,s\n",
               "!FORMAT c/f.csv:0 holds pairs of one label only, expected 0 and 1");
    check_file("c/t.jsonl", "{\"anchor\":\"p\",\"negative\":\"r\",\"positive\":\"q\"}\n", "triplet/t 1: p|q|r;\n");
    check_file("triplet/f.jsonl", "{\"anchor\":\"p\",\"negative\":\"r\"}\n",
               "!FORMAT triplet/f.jsonl:1 the record has no field \"positive\"; it has: \"anchor\", "
               "\"negative\"");
    check_file("c/f.jsonl", "{\"anchor\":\"p\",\"negative\":\"r\"}\n",
               "!FORMAT c/f.jsonl:1 the fields tell no task; expected score, text1 and text2, or label, text1 and "
               "text2, or anchor, positive and negative, or label and text");
    check_file("c/f.jsonl", "\n", "!FORMAT c/f.jsonl:0 holds no records");
    check_file("c/f.jsonl", "{\"anchor\":\n", "!FORMAT c/f.jsonl:1 expected a value, found the end of the text");
}

/* Labels are numbered in the order of their bytes, as texts. */
static void test_labels(void)
{
    check_file("d/x.jsonl",
               "{\"label\":\"b\",\"text\":\"p\"}\n{\"label\":10,\"text\":\"q\"}\n{\"label\":9,\"text\":\"r\"}\n"
               "{\"label\":true,\"text\":\"s\"}\n{\"label\":\"10\",\"text\":\"t\"}\n{\"label\":\"\",\"text\":\"u\"}",
               "classification/x 6: p|q|r|s|t|u; 3 1 2 4 1 0  10 9 b true\n");
    check_file("clustering/x.csv", "label_text,sentence\nb,p\na,q\n", "clustering/x 2: p|q; 1 0 a b\n");
    check_file("clustering/f.csv", "label,text\nb,p\nb,q\n",
               "!FORMAT clustering/f.csv:0 holds labels of one class only");
    check_file("clustering/f.jsonl", "{\"label\":\"b\",\"text\":\"p\"}\n{\"label\":[1],\"text\":\"q\"}\n",
               "!FORMAT clustering/f.jsonl:2 the field \"label\" is neither a string nor a number");
    check_file("d/f.jsonl", "{\"label\":\"b\",\"text\":\"p\"}\n{\"label\":\"b\",\"text\":\"q\"}\n",
               "!FORMAT d/f.jsonl:0 holds labels of one class only");
}

static void test_train_and_test(void)
{
    static const char train[] = "label,text\nb,p\na,q\n", test[] = "label,text\nb,r\nc,s\nb,t\n";
    files_put("e/classification/x-train.csv", train);
    files_put("e/classification/x-test.csv", test);
    files_put("e/classification/x-test-4k.csv", test);
    files_put("e/classification/y-train-2k.csv.gz", train);
    files_put("e/classification/y-test-2k.csv", test);
    files_put("e/classification/z-test.csv", test);
    files_put("e/classification/v.csv", train);
    files_put("e/classification/u-train.csv", train);
    files_put("e/classification/t-train.csv", train);
    files_put("e/classification/t-test-4k.csv", test);
    files_put("e/classification/my-training.csv", train);
    check("e", "classification/my-training 2: p|q; 1 0 a b\n"
               "classification/t 3: p|q|r|s|t; 1 0 1 2 1 a b c\n"
               "classification/u-train 2: p|q; 1 0 a b\n"
               "classification/v 2: p|q; 1 0 a b\n"
               "classification/x 3: p|q|r|s|t; 1 0 1 2 1 a b c\n"
               "classification/y-2k 3: p|q|r|s|t; 1 0 1 2 1 a b c\n"
               "classification/z-test 3: r|s|t; 0 1 0 b c\n");
    wl_error error;
    const char *paths[] = {files_path("e/classification/x-test.csv"), files_path("e/classification/x-train.csv")};
    wl_sets *sets = wl_sets_open(paths, 2, NULL, &error);
    CHECK(sets && wl_sets_count(sets) == 1 && sets->sets[0].train_count == 2 && sets->sets[0].text_count == 5);
    wl_sets_close(sets);
    sets = wl_sets_open(paths + 1, 1, NULL, &error);
    CHECK(sets && wl_sets_count(sets) == 1 && sets->sets[0].train_count == 2 && sets->sets[0].items == 2);
    wl_sets_close(sets);
    /* A field "split" of files that belong together says no more. */
    files_put("e/f/x-train.csv", "label,text,split\nb,p,train\na,q,train\n");
    files_put("e/f/x-test.csv", "label,text,split\nb,r,test\n");
    check("e/f", "classification/x 1: p|q|r; 1 0 1 a b\n");
    /* The same in one file: other parts do not count. */
    files_put("e/g/z.csv", "label,text,split\na,o,dev\nb,r,test\nb,p,train\na,q,train\na,s,test\n");
    check("e/g", "classification/z 2: p|q|r|s; 1 0 1 0 a b\n");
    /* One class is too few where it is learned, not where it is tested. */
    files_put("e/f/x-train.csv", "label,text\nb,p\nb,q\n");
    files_put("e/f/x-test.csv", "label,text\na,r\nb,s\n");
    check("e/f", "!FORMAT e/f/x-train.csv:0 holds labels of one class only");
    files_put("e/f/x-train.csv", train);
    files_put("e/f/x-test.csv", "label,text\n");
    check("e/f", "!FORMAT e/f/x-test.csv:0 holds no records");
    files_put("e/f/x-test.csv", "label,text\nb,p\nx\n");
    check("e/f", "!FORMAT e/f/x-test.csv:3 the record has 1 field, and the header has 2");
}

/* ---- retrieval --------------------------------------------------------------------------------------------------- */

static void put_retrieval(const char *judgements)
{
    files_put("g/corpus.jsonl.gz",
              "{\"_id\":\"1\",\"title\":\"One\",\"text\":\"first\"}\n{\"_id\":\"two\",\"text\":\"  "
              "second\xC2\xA0 \"}\n{\"_id\":3,\"title\":\"\\tThree \",\"text\":\"\"}\n");
    files_put("g/queries.jsonl", "{\"_id\":\"q1\",\"text\":\"x\"}\n{\"_id\":\"q2\",\"text\":\"y\"}\n{\"_id\":\"q3\","
                                 "\"text\":\"z\"}\n");
    files_put("g/qrels.jsonl", judgements);
}

static void test_retrieval(void)
{
    /* Queries in the order of their file, those that nothing judges left out; of two judgements the last one counts. */
    put_retrieval("{\"query\":\"q3\",\"doc\":\"two\",\"score\":1}\n{\"query\":\"q1\",\"doc\":\"3\",\"score\":2}\n"
                  "{\"query\":\"q1\",\"doc\":\"1\",\"score\":0}\n{\"query\":\"q3\",\"doc\":\"two\",\"score\":3}\n");
    check("g", "retrieval/g 2: One first|second|Three|x|z; 0-0:0 0-2:2 1-1:3\n");
    CHECK_THAT(!*messages, "%s", messages);
    wl_error error;
    const char *path = files_path("g/");
    wl_sets *sets = wl_sets_open(&path, 1, NULL, &error);
    CHECK(sets && wl_sets_count(sets) == 1);
    if (sets) {
        const wl_set *set = &sets->sets[0];
        static const char *const titles[] = {"One", "", "Three"}, *const bodies[] = {"first", "second", ""};
        CHECK(set->document_count == 3 && set->text_count == 5 && set->items == 2 && set->judgement_count == 3);
        for (size_t i = 0; i < 3; i++)
            CHECK_THAT(wl_text_is(set->titles[i], titles[i]) && wl_text_is(set->bodies[i], bodies[i]), "%zu", i);
    }
    wl_sets_close(sets);
    /* What is left out is told: no document wanted, no text; and documents that are not there still count. */
    put_retrieval("{\"query\":\"q1\",\"doc\":\"1\",\"score\":0}\n{\"query\":\"q1\",\"doc\":\"3\",\"score\":-1}\n"
                  "{\"query\":\"q2\",\"doc\":\"9\",\"score\":1}\n{\"query\":\"q2\",\"doc\":\"8\",\"score\":2}\n");
    check("g", "retrieval/g 1: One first|second|Three|y; 0--1:2 0--1:1\n");
    CHECK_THAT(strcmp(messages,
                      "g: 1 of 2 queries have no relevant document and are left out, the first is 'q1'\n"
                      "g: 2 judged documents are not in the corpus and count as not found, the first is '9'\n") == 0,
               "%s", messages);
    put_retrieval("{\"query\":\"q9\",\"doc\":\"1\",\"score\":1}\n{\"query\":\"q2\",\"doc\":\"1\",\"score\":1}\n");
    check("g", "retrieval/g 1: One first|second|Three|y; 0-0:1\n");
    CHECK_THAT(strcmp(messages, "g: 1 of 2 queries have no text and are left out, the first is 'q9'\n") == 0, "%s",
               messages);
    put_retrieval("{\"query\":\"q1\",\"doc\":\"1\",\"score\":0}\n{\"query\":\"q9\",\"doc\":\"1\",\"score\":1}\n"
                  "{\"query\":\"q2\",\"doc\":\"1\",\"score\":1}\n");
    check("g", "retrieval/g 1: One first|second|Three|y; 0-0:1\n");
    CHECK(strstr(messages, "g: 2 of 3 queries have no relevant document or no text and are left out, the first is "
                           "'q1'\n") == messages);
}

static void test_retrieval_tables(void)
{
    put_retrieval("");
    CHECK(remove(files_path("g/qrels.jsonl")) == 0);
    check("g", "!NOT_FOUND g:0 holds neither qrels.jsonl, packed with gzip or not, nor qrels/test.tsv");
    files_put("g/qrels/dev.tsv", "query-id\tcorpus-id\tscore\nq2\ttwo\t1\n");
    check("g", "retrieval/g 1: One first|second|Three|y; 0-1:1\n");
    files_put("g/qrels/train.tsv", "query-id\tcorpus-id\tscore\nq1\ttwo\t1\n");
    check("g", "!NOT_FOUND g/qrels:0 holds 2 files .tsv, expected test.tsv or a single one");
    files_put("g/qrels/test.tsv", "query-id\tcorpus-id\tscore\nq3\t3\t1\n");
    check("g", "retrieval/g 1: One first|second|Three|z; 0-2:1\n");
}

static void test_retrieval_failures(void)
{
    static const char good[] = "{\"query\":\"q1\",\"doc\":\"1\",\"score\":1}\n";
    put_retrieval(good);
    files_put("g/corpus.jsonl.gz", "{\"_id\":\"1\",\"text\":\"a\"}\n{\"_id\":1,\"text\":\"b\"}\n");
    check("g", "!FORMAT g/corpus.jsonl.gz:2 the document '1' stands twice in the corpus");
    files_put("g/corpus.jsonl.gz", "{\"_id\":\"1\",\"title\":\"a\"}\n");
    check("g", "!FORMAT g/corpus.jsonl.gz:1 the record has no field \"text\"; it has: \"_id\", \"title\"");
    files_put("g/corpus.jsonl.gz", "");
    check("g", "!FORMAT g/corpus.jsonl.gz:0 holds no records");
    put_retrieval(good);
    files_put("g/queries.jsonl", "{\"_id\":\"q1\",\"text\":\"a\"}\n\n{\"_id\":\"q1\",\"text\":\"b\"}\n");
    check("g", "!FORMAT g/queries.jsonl:3 the query 'q1' stands twice");
    files_put("g/queries.jsonl", "{\"_id\":\"q7\",\"text\":\"a\"}\n{\"_id\":\"q7\",\"text\":\"b\"}\n");
    check("g", "!FORMAT g/queries.jsonl:2 the query 'q7' stands twice");
    files_put("g/queries.jsonl", "{\"_id\":\"q7\",\"text\":\"a\"}\n");
    const char *shown = show_one("g");
    CHECK_THAT(strstr(shown, "!FORMAT g/queries.jsonl:0 has no query for which") == shown, "%s", shown);
    put_retrieval("{\"query\":\"q1\",\"doc\":\"1\",\"score\":\"high\"}\n");
    check("g", "!FORMAT g/qrels.jsonl:1 the field \"score\" is \"high\", expected a finite number");
    put_retrieval("{\"query\":\"q1\",\"score\":1}\n");
    check("g", "!FORMAT g/qrels.jsonl:1 the record has no field \"doc\" (nor \"document\", \"corpus-id\", "
               "\"corpus_id\", \"doc_id\"); it has: \"query\", \"score\"");
    put_retrieval("");
    check("g", "!FORMAT g/qrels.jsonl:0 holds no records");
    put_retrieval(good);
    CHECK(remove(files_path("g/queries.jsonl")) == 0);
    check("g", "!NOT_FOUND g:0 holds no queries.jsonl, packed with gzip or not");
    files_put("h/retrieval/empty/readme", "");
    check("h", "!NOT_FOUND h/retrieval/empty:0 holds no corpus.jsonl, packed with gzip or not");
}

/* ---- finding ----------------------------------------------------------------------------------------------------- */

static void put_groups(void)
{
    static const char scores[] = "score,text1,text2\n1,p,q\n2,r,s\n", labels[] = "label,text\na,p\nb,q\n";
    files_put("k/sts/b.csv", scores);
    files_put("k/sts/B.csv", scores);
    files_put("k/sts/a.b.csv.gz", scores);
    files_put("k/sts/README.txt", "no records");
    files_put("k/sts/.hidden.csv", "x\n1\n");
    files_put("k/sts/deeper/c.csv", scores);
    files_put("k/sts-multilingual/b.csv", scores);
    files_put("k/wordsim/w.csv", scores);
    files_put("k/classification/x.csv", labels);
    files_put("k/clustering/x.csv", labels);
    files_put("k/pair/p.csv", "label,text1,text2\n1,p,q\n0,r,s\n");
    files_put("k/triplet/t.csv", "anchor,positive,negative\np,q,r\n");
    files_put("k/retrieval/g/corpus.jsonl", "{\"_id\":\"1\",\"text\":\"d\"}\n");
    files_put("k/retrieval/g/queries.jsonl", "{\"_id\":\"1\",\"text\":\"q\"}\n");
    files_put("k/retrieval/g/qrels.jsonl", "{\"query\":1,\"doc\":1,\"score\":1}\n");
    files_put("k/retrieval/notes.csv", "x\n1\n");
    files_put("k/scores.tsv", "x\ty\n1\t2\n"); /* beside groups loose files are none of ours */
}

static const char all_groups[] = "sts/B 2: p|q|r|s; 1 2\nsts/a.b 2: p|q|r|s; 1 2\nsts/b 2: p|q|r|s; 1 2\n"
                                 "sts-multilingual/b 2: p|q|r|s; 1 2\nwordsim/w 2: p|q|r|s; 1 2\n"
                                 "classification/x 2: p|q; 0 1 a b\nclustering/x 2: p|q; 0 1 a b\n"
                                 "pair/p 2: p|q|r|s; 1 0\nretrieval/g 1: d|q; 0-0:1\ntriplet/t 1: p|q|r;\n";

static void test_folders(void)
{
    put_groups();
    check("k", all_groups);
    check("k/clustering", "clustering/x 2: p|q; 0 1 a b\n");
    check("k/clustering//", "clustering/x 2: p|q; 0 1 a b\n");
    check("k/clustering/x.csv", "clustering/x 2: p|q; 0 1 a b\n");
    check("k/clustering/../clustering/.", "clustering/x 2: p|q; 0 1 a b\n");
    check("k/retrieval", "retrieval/g 1: d|q; 0-0:1\n");
    check("k/retrieval/g", "retrieval/g 1: d|q; 0-0:1\n");
    check("k/sts/deeper", "sts/c 2: p|q|r|s; 1 2\n");
    check("missing", "!NOT_FOUND missing:0 cannot open: No such file or directory");
    mkdir(files_path("k/sts/deeper/pair"), 0700);
    check("k/sts/deeper/pair",
          "!NOT_FOUND k/sts/deeper/pair:0 holds no set: no file of JSON lines, CSV or TSV (.jsonl, "
          ".csv, .tsv, with .gz or not)");
    mkdir(files_path("empty"), 0700);
    check("empty",
          "!NOT_FOUND empty:0 holds no set: none of the folders sts, sts-multilingual, wordsim, classification, "
          "clustering, pair, retrieval and triplet, no corpus.jsonl, and no file of JSON lines, CSV or TSV "
          "(.jsonl, .csv, .tsv, with .gz or not)");
    mkdir(files_path("empty/retrieval"), 0700);
    check("empty", "!NOT_FOUND empty/retrieval:0 holds no set: no folder with corpus.jsonl, queries.jsonl and qrels");
    CHECK(mkfifo(files_path("pipe.jsonl"), 0600) == 0);
    check("pipe.jsonl",
          "!UNSUPPORTED pipe.jsonl:0 is neither a folder nor a regular file, and sets are read from those");
    check("k/scores.tsv", "!FORMAT k/scores.tsv:2 the fields tell no task; expected score, text1 and text2, or label, "
                          "text1 and text2, or anchor, positive and negative, or label and text");
}

static void test_paths(void)
{
    put_groups();
    /* A file that two paths lead to counts once; two files of one name are one too many. */
    const char *paths[] = {files_path("k/triplet/t.csv"), files_path("k"), files_path("k/retrieval/g"),
                           files_path("k")};
    const char *shown = show(paths, 4, NULL);
    CHECK_THAT(strcmp(shown, all_groups) == 0, "%s", shown);
    files_put("l/pair/p.csv", "label,text1,text2\n1,p,q\n0,r,s\n");
    const char *twice[] = {files_path("k/pair"), files_path("l")};
    shown = show(twice, 2, NULL);
    CHECK_THAT(strstr(shown, "!ARGUMENT ") == shown && strstr(shown, "is a second set pair/p; the first is "), "%s",
               shown);
    CHECK(strstr(show(NULL, 0, NULL), "!ARGUMENT ") && strstr(show(twice, 0, NULL), "!ARGUMENT "));
    const char *null[] = {twice[0], NULL};
    CHECK(strstr(show(null, 2, NULL), "!ARGUMENT "));
    const wl_sets_options wrong = {.size = sizeof wrong + 1};
    CHECK(strstr(show(twice, 1, &wrong), "!ARGUMENT "));
    const wl_sets_options missing = {.size = sizeof missing, .only_count = 1};
    CHECK(strstr(show(twice, 1, &missing), "!ARGUMENT "));
    CHECK(wl_sets_open(NULL, 0, NULL, NULL) == NULL);
    wl_sets_close(NULL);
}

static void test_only(void)
{
    put_groups();
    files_put("k/sts/broken.csv", "score\n"); /* what is not wanted is not read */
    const char *path = files_path("k");
    static const char *const only[] = {"clustering", "b", "t"}, *const unknown[] = {"pair", "stsb"};
    wl_sets_options options = {.size = sizeof options, .only = only, .only_count = 3};
    const char *shown = show(&path, 1, &options);
    CHECK_THAT(strcmp(shown, "sts/b 2: p|q|r|s; 1 2\nsts-multilingual/b 2: p|q|r|s; 1 2\nclustering/x 2: p|q; 0 1 a "
                             "b\ntriplet/t 1: p|q|r;\n") == 0,
               "%s", shown);
    options.only = unknown;
    options.only_count = 2;
    shown = show(&path, 1, &options);
    CHECK_THAT(strstr(shown, "!NOT_FOUND :0 there is no set or group 'stsb', but ") == shown &&
                   strstr(shown, "sts/a.b, ") && strstr(shown, "triplet/t"),
               "%s", shown);
    CHECK(remove(files_path("k/sts/broken.csv")) == 0);
}

static void test_infos(void)
{
    put_groups();
    static const char *const metrics[] = {"Spearman", "Spearman",  "Spearman",          "Spearman", "Spearman",
                                          "accuracy", "V-measure", "average precision", "nDCG@10",  "accuracy"};
    wl_error error;
    const char *path = files_path("k");
    wl_sets *sets = wl_sets_open(&path, 1, NULL, &error);
    CHECK(sets && wl_sets_count(sets) == 10);
    for (size_t i = 0; sets && i < 10; i++) CHECK(strcmp(wl_sets_at(sets, i).metric, metrics[i]) == 0);
    if (sets) CHECK(wl_sets_at(sets, 10).name == NULL && wl_sets_at(sets, SIZE_MAX).items == 0);
    wl_sets_close(sets);
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

static void test_memory(void)
{
    if (!fault_available()) {
        SKIP("failing allocations (not linked with -Wl,--wrap)");
        return;
    }
    put_groups();
    files_put("k/classification/y-train.csv", "label,text\na,p\nb,q\n");
    files_put("k/classification/y-test.csv", "label,text\na,p\n");
    files_put("k/sts/split.csv", "split,score,text1,text2\na,1,p,q\nb,1,r,s\nb,2,p,q\na,2,r,s\n");
    CHECK(remove(files_path("k/retrieval/g/qrels.jsonl")) == 0);
    files_put("k/retrieval/g/qrels/dev.tsv", "query-id\tcorpus-id\tscore\n1\t1\t1\n1\t9\t1\n");
    files_put("m/pair.csv", "label,text1,text2\n1,p,q\n0,r,s\n");
    const char *paths[] = {files_path("k"), files_path("m")};
    size_t nth = 1;
    for (;; nth++) {
        fault_begin(nth);
        const char *shown = show(paths, 2, NULL);
        if (!fault_end()) {
            CHECK_THAT(*shown != '!', "%s", shown);
            break;
        }
        CHECK_THAT(strstr(shown, "!MEMORY ") == shown, "allocation %zu: %s", nth, shown);
    }
    CHECK_THAT(nth > 200, "only %zu allocations", nth);
}

/* ---- real data --------------------------------------------------------------------------------------------------- */

static void test_real(void)
{
    static const struct {
        const char *group, *name;
        size_t items, texts;
        uint32_t labels;
    } known[] = {
        {"sts", "sts12", 3108, 6216, 0},
        {"sts", "sts14", 3750, 7500, 0},
        {"sts", "sts16", 1186, 2372, 0},
        {"sts", "stsb-dev", 1500, 3000, 0},
        {"sts", "stsb-test", 1379, 2758, 0},
        {"sts", "stsb-train", 5749, 11498, 0},
        {"wordsim", "simlex999", 999, 1998, 0},
        {"wordsim", "ws353", 353, 706, 0},
        {"classification", "amazon-counterfactual-en", 670, 4688, 2},
        {"classification", "banking77", 3080, 13083, 77},
        {"classification", "emotion", 2000, 18000, 6},
        {"clustering", "biomedical", 20000, 20000, 20},
        {"clustering", "stackoverflow", 20000, 20000, 20},
        {"pair", "twitter-url", 9334, 18668, 0},
        {"retrieval", "scifact", 300, 5483, 0},
        {"triplet", "snli-test", 2929, 8787, 0},
    };
    enum { KNOWN = sizeof known / sizeof *known };
    const char *path = WL_SHARED_DATA "/eval";
    struct stat info;
    if (stat(path, &info) != 0) {
        SKIP("the real sets (%s is not there)", path);
        return;
    }
    wl_error error;
    const wl_sets_options options = {.size = sizeof options, .message = take_message};
    messages[0] = '\0';
    wl_sets *sets = wl_sets_open(&path, 1, &options, &error);
    CHECK_THAT(sets && wl_sets_count(sets) == KNOWN, "%s", sets ? "other sets" : error.message);
    for (size_t i = 0; sets && i < KNOWN && i < wl_sets_count(sets); i++) {
        wl_set_info found = wl_sets_at(sets, i);
        CHECK_THAT(strcmp(found.group, known[i].group) == 0 && strcmp(found.name, known[i].name) == 0, "%s/%s",
                   found.group, found.name);
        CHECK_THAT(found.items == known[i].items && found.texts == known[i].texts &&
                       sets->sets[i].label_count == known[i].labels,
                   "%s: %zu items, %zu texts", found.name, found.items, found.texts);
        for (size_t j = 0; j < sets->sets[i].judgement_count; j++)
            if (sets->sets[i].judgements[j].document >= sets->sets[i].document_count) CHECK(false);
    }
    CHECK_THAT(!*messages, "%s", messages);
    wl_sets_close(sets);
}

int main(void)
{
    if (!files_begin()) return EXIT_FAILURE;
    test_similarity();
    test_split_field();
    test_pairs_and_triplets();
    test_labels();
    test_train_and_test();
    test_retrieval();
    test_retrieval_tables();
    test_retrieval_failures();
    test_folders();
    test_paths();
    test_only();
    test_infos();
    test_memory();
    test_real();
    files_end();
    return test_end();
}
