/* The reports of `eval`: tables letter for letter, JSON through the reader, the picture's points. */
#include <math.h>
#include <unistd.h>

#include "../evaluations.h"
#include "../fault.h"
#include "format/json.h"
#include "report_parts.h"

static const made_set few[] = {
    {WL_TASK_SIMILARITY, "sts", "sts12", 4, 0},
    {WL_TASK_SIMILARITY, "sts", "stsb-dev", 4, 0},
    {WL_TASK_RETRIEVAL, "retrieval", "sci|fact", 4, 0},
};

enum { SETS = 3, GROUPS = 2 };

/* Two models: the first in three variants, the other in one. */
typedef struct two_models {
    wl_sets *sets;
    wl_evaluation *evaluations[2];
    wl_difference differences[SETS + GROUPS + 1];
    report_comparison comparison;
    const char *names[2];
    cli_report report;
} two_models;

static void set_score(wl_evaluation *evaluation, size_t set, size_t variant, double score)
{
    bool retrieval = evaluation->sets->sets[set].task == WL_TASK_RETRIEVAL;
    evaluation->outcomes[set * evaluation->variant_count + variant].score =
        (wl_set_score){score, retrieval ? score + 0.2 : NAN, retrieval ? score / 2 : NAN};
}

static void make_models(two_models *all)
{
    static const wl_variant first[] = {{256, false}, {64, false}, {256, true}}, other[] = {{256, false}};
    static const double scores[SETS][3] = {{0.55123, 0.5, -0.00001}, {0.75, 0.74996, NAN}, {0.3, 0.2, 0.1}};
    static const double others[SETS] = {0.6, 0.7, 0.3};
    wl_random random = wl_random_seed(1, 1);
    *all = (two_models){.sets = make_sets(few, SETS, &random), .names = {"models/l2_supercat_256/", "out/potion"}};
    all->evaluations[0] = make_evaluation(all->sets, first, 3, 0.5, &random);
    all->evaluations[1] = make_evaluation(all->sets, other, 1, 0.5, &random);
    for (size_t i = 0; i < SETS; i++) {
        for (size_t j = 0; j < 3; j++) set_score(all->evaluations[0], i, j, scores[i][j]);
        set_score(all->evaluations[1], i, 0, others[i]);
    }
    static const wl_difference differences[] = {
        {0.55123, 0.6, 0.01, 0.085},   {0.75, 0.7, -0.08, -0.02}, {0.3, 0.3, -0.00002, 0.1},
        {0.650615, 0.65, -0.03, 0.03}, {0.3, 0.3, -0.00002, 0.1}, {NAN, 0.475, NAN, NAN},
    };
    memcpy(all->differences, differences, sizeof differences);
    all->comparison = (report_comparison){.model = 1, .differences = all->differences};
    all->report = (cli_report){
        .sets = all->sets,
        .names = all->names,
        .evaluations = all->evaluations,
        .models = 2,
        .comparisons = &all->comparison,
        .comparison_count = 1,
    };
}

static void free_models(two_models *all)
{
    for (size_t i = 0; i < 2; i++) wl_evaluation_free(all->evaluations[i]);
    wl_sets_close(all->sets);
}

typedef wl_status writer(const cli_report *report, wl_buffer *out, wl_error *error);

/* With a NUL behind it. */
static wl_buffer written(writer *write, const cli_report *report)
{
    wl_buffer out = {0};
    wl_error error = {0};
    CHECK_THAT(!write(report, &out, &error) && !wl_buffer_append(&out, "", 1, &error), "%s", error.message);
    return out;
}

static void check_text(writer *write, const cli_report *report, const char *expected)
{
    wl_buffer out = written(write, report);
    CHECK_THAT(strcmp(out.data, expected) == 0, "got\n%s\nexpected\n%s", out.data, expected);
    wl_buffer_free(&out);
}

/* ---- tables ------------------------------------------------------------------------------------------------------ */

static void test_one_model(two_models *all)
{
    cli_report report = all->report;
    report.models = 1;
    report.comparison_count = 0;
    check_text(report_table, &report,
               "l2_supercat_256         256      64  256 bits\n"
               "sts (Spearman)\n"
               "  sts12               55.12   50.00      0.00\n"
               "  stsb-dev            75.00   75.00         -\n"
               "  mean                65.06   62.50         -\n"
               "retrieval (nDCG@10)\n"
               "  sci|fact            30.00   20.00     10.00\n"
               "    recall@100        50.00   40.00     30.00\n"
               "    MAP               15.00   10.00      5.00\n"
               "mean of the groups    47.53   41.25         -\n");
    check_text(report_markdown, &report,
               "| l2_supercat_256 | 256 | 64 | 256 bits |\n"
               "| :--- | ---: | ---: | ---: |\n"
               "| **sts** (Spearman) | | | |\n"
               "| sts12 | **55.12** | 50.00 | 0.00 |\n"
               "| stsb-dev | **75.00** | **75.00** | - |\n"
               "| *mean* | **65.06** | 62.50 | - |\n"
               "| **retrieval** (nDCG@10) | | | |\n"
               "| sci\\|fact | **30.00** | 20.00 | 10.00 |\n"
               "| &nbsp;&nbsp;recall@100 | **50.00** | 40.00 | 30.00 |\n"
               "| &nbsp;&nbsp;MAP | **15.00** | 10.00 | 5.00 |\n"
               "| **mean of the groups** | **47.53** | 41.25 | - |\n");
}

static void test_two_models(two_models *all)
{
    check_text(report_table, &all->report,
               "                     ---- l2_supercat_256 ---   potion\n"
               "                        256      64  256 bits      256\n"
               "sts (Spearman)\n"
               "  sts12               55.12   50.00      0.00    60.00\n"
               "  stsb-dev            75.00   75.00         -    70.00\n"
               "  mean                65.06   62.50         -    65.00\n"
               "retrieval (nDCG@10)\n"
               "  sci|fact            30.00   20.00     10.00    30.00\n"
               "    recall@100        50.00   40.00     30.00    50.00\n"
               "    MAP               15.00   10.00      5.00    15.00\n"
               "mean of the groups    47.53   41.25         -    47.50\n"
               "\n"
               "potion (256) against l2_supercat_256 (256)\n"
               "                     l2_supercat_256  potion  difference      95% interval\n"
               "sts (Spearman)\n"
               "  sts12                        55.12   60.00       +4.88    [+1.00, +8.50]  win\n"
               "  stsb-dev                     75.00   70.00       -5.00    [-8.00, -2.00]  loss\n"
               "  mean                         65.06   65.00       -0.06    [-3.00, +3.00]\n"
               "retrieval (nDCG@10)\n"
               "  sci|fact                     30.00   30.00        0.00    [0.00, +10.00]\n"
               "mean of the groups                 -   47.50           -                 -\n"
               "1 win, 1 loss, 1 undecided\n");
    wl_buffer out = written(report_markdown, &all->report);
    CHECK(strstr(out.data, "| | l2_supercat_256<br>256 | l2_supercat_256<br>64 | l2_supercat_256<br>256 bits | "
                           "potion<br>256 |\n| :--- | ---: |"));
    CHECK(strstr(out.data, "\n| stsb-dev | **75.00** | **75.00** | - | 70.00 |\n"));
    const char *second = strstr(out.data, "\n\npotion (256) against");
    CHECK(second);
    if (second)
        CHECK_THAT(strcmp(second, "\n\npotion (256) against l2_supercat_256 (256)\n\n"
                                  "| | l2_supercat_256 | potion | difference | 95% interval | |\n"
                                  "| :--- | ---: | ---: | ---: | ---: | :--- |\n"
                                  "| **sts** (Spearman) | | | | | |\n"
                                  "| sts12 | 55.12 | 60.00 | +4.88 | [+1.00, +8.50] | win |\n"
                                  "| stsb-dev | 75.00 | 70.00 | -5.00 | [-8.00, -2.00] | loss |\n"
                                  "| *mean* | 65.06 | 65.00 | -0.06 | [-3.00, +3.00] | |\n"
                                  "| **retrieval** (nDCG@10) | | | | | |\n"
                                  "| sci\\|fact | 30.00 | 30.00 | 0.00 | [0.00, +10.00] | |\n"
                                  "| **mean of the groups** | - | 47.50 | - | - | |\n"
                                  "\n1 win, 1 loss, 1 undecided\n") == 0,
                   "got%s", second);
    wl_buffer_free(&out);
}

/* An interval that ends at 0 decides nothing. */
static void test_undecided(two_models *all)
{
    wl_difference before = all->differences[1];
    all->differences[1].high = 0;
    wl_buffer out = written(report_table, &all->report);
    CHECK(strstr(out.data, "    [-8.00, 0.00]\n") && strstr(out.data, "\n1 win, 0 losses, 2 undecided\n"));
    wl_buffer_free(&out);
    all->differences[1] = before;
}

/* One set: neither a mean of one nor a mean of one group. */
static void test_one_set(two_models *all)
{
    wl_random random = wl_random_seed(1, 2);
    wl_sets *sets = make_sets(few, 1, &random);
    wl_evaluation *one = make_evaluation(sets, &(wl_variant){64, true}, 1, 0.5, &random);
    cli_report report = all->report;
    set_score(one, 0, 0, 0.8);
    report.sets = sets;
    report.evaluations = &one;
    report.models = 1;
    report.comparison_count = 0;
    check_text(report_table, &report,
               "l2_supercat_256  64 bits\n"
               "sts (Spearman)\n"
               "  sts12            80.00\n");
    wl_evaluation_free(one);
    wl_sets_close(sets);
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

static void check_name(const char *const *names, size_t count, size_t model, const char *expected)
{
    cli_report report = {.names = names, .models = count};
    wl_text name = report_name(&report, model);
    CHECK_THAT(wl_text_is(name, expected), "%.*s, expected %s", (int)name.size, name.data, expected);
}

static void test_names(two_models *all)
{
    static const char *const names[] = {"runs/a/model//", "runs/b/model", "model", "owner/name", "/", "x", "x", "b/x"};
    static const char *const expected[] = {"a/model", "b/model", "model", "name", "/", "x", "x", "b/x"};
    for (size_t i = 0; i < 8; i++) check_name(names, 8, i, expected[i]);
    /* A long one is cut between characters, and makes its columns wider. */
    cli_report report = all->report;
    const char *const long_names[] = {"a", "b/\xC3\xA4\xC3\xB6-34567890-234567890-234567890-234567890"};
    report.names = long_names;
    report.comparison_count = 0;
    wl_buffer out = written(report_table, &report);
    static const char heads[] =
        "                     ----------- a ----------   \xC3\xA4\xC3\xB6-34567890-234567890-234567890\xE2\x80\xA6\n"
        "                        256      64  256 bits                                256\n";
    CHECK_THAT(strncmp(out.data, heads, sizeof heads - 1) == 0, "got\n%s", out.data);
    wl_buffer_free(&out);
}

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

/* The value at a path of member names and numbers of elements with '/' between, as it stands there. */
static wl_text value_at(const wl_buffer *text, const char *path)
{
    wl_json json;
    wl_buffer scratch = {0};
    wl_error error = {0};
    wl_text key;
    wl_json_open(&json, text->data, text->size - 1, "report", &scratch, &error);
    for (const char *part = path; *part;) {
        size_t size = strcspn(part, "/"), number = 0;
        bool array = wl_json_peek(&json) == WL_JSON_ARRAY, found = false;
        if (array)
            wl_json_begin_array(&json);
        else
            wl_json_begin_object(&json);
        while (!found && (array ? wl_json_element(&json) : wl_json_member(&json, &key))) {
            found = array ? number++ == strtoul(part, NULL, 10) : key.size == size && !memcmp(key.data, part, size);
            if (!found) wl_json_skip(&json);
        }
        part += size + (part[size] == '/');
    }
    CHECK_THAT(!wl_json_failed(&json), "%s: %s", path, error.message);
    size_t begin = json.at;
    wl_json_skip(&json);
    wl_buffer_free(&scratch);
    while (text->data[begin] == ' ') begin++;
    return (wl_text){text->data + begin, json.at - begin};
}

static void test_json(two_models *all)
{
    static const struct {
        const char *path, *value;
    } values[] = {
        {"models/0/name", "\"models/l2_supercat_256/\""},
        {"models/0/variants/0/dim", "256"},
        {"models/0/variants/0/binary", "false"},
        {"models/0/variants/0/bytes", "1024"},
        {"models/0/variants/2/binary", "true"},
        {"models/0/variants/2/bytes", "32"},
        {"models/0/variants/0/groups/sts/mean", "65.0615"},
        {"models/0/variants/0/groups/sts/sets/sts12", "{\"metric\": \"Spearman\", \"score\": 55.1230}"},
        {"models/0/variants/2/groups/sts/sets/sts12/score", "-0.0010"},
        {"models/0/variants/2/groups/sts/sets/stsb-dev/score", "null"},
        {"models/0/variants/2/groups/sts/mean", "null"},
        {"models/0/variants/2/mean", "null"},
        {"models/0/variants/0/groups/retrieval/sets/sci|fact",
         "{\"metric\": \"nDCG@10\", \"score\": 30.0000, \"recall@100\": 50.0000, \"map\": 15.0000}"},
        {"models/0/variants/0/groups/retrieval/mean", "30.0000"},
        {"models/1/variants/0/mean", "47.5000"},
        {"comparisons/0/first", "{\"name\": \"models/l2_supercat_256/\", \"dim\": 256, \"binary\": false, \"bytes\": "
                                "1024}"},
        {"comparisons/0/other/name", "\"out/potion\""},
        {"comparisons/0/groups/sts/sets/sts12",
         "{\"first\": 55.1230, \"other\": 60.0000, \"difference\": 4.8770, \"low\": 1.0000, \"high\": 8.5000}"},
        {"comparisons/0/groups/sts/mean/low", "-3.0000"},
        {"comparisons/0/groups/retrieval/sets/sci|fact/low", "-0.0020"},
        {"comparisons/0/mean",
         "{\"first\": null, \"other\": 47.5000, \"difference\": null, \"low\": null, \"high\": null}"},
    };
    wl_buffer out = written(report_json, &all->report), scratch = {0};
    wl_error error = {0};
    wl_json json;
    CHECK(strcspn(out.data, "\n") + 2 == out.size); /* one line */
    wl_json_open(&json, out.data, out.size - 1, "report", &scratch, &error);
    wl_json_skip(&json);
    CHECK_THAT(!wl_json_close(&json), "%s", error.message);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        wl_text value = value_at(&out, values[i].path);
        CHECK_THAT(wl_text_is(value, values[i].value), "%s is %.*s", values[i].path, (int)value.size, value.data);
    }
    wl_buffer_free(&out);
    cli_report report = all->report;
    report.comparison_count = 0;
    out = written(report_json, &report);
    CHECK(wl_text_is(value_at(&out, "comparisons"), "[]"));
    wl_buffer_free(&out);
    wl_buffer_free(&scratch);
}

/* ---- the picture ------------------------------------------------------------------------------------------------- */

static void test_plot(two_models *all, bool by_speed)
{
    static const char *const titles[2][5] = {
        {"<title>l2_supercat_256, 256 dimensions, 1024 bytes: 47.5307</title>",
         "<title>l2_supercat_256, 64 dimensions, 256 bytes: 41.2490</title>",
         "<title>potion, 256 dimensions, 1024 bytes: 47.5000</title>", ": 3 sets in 2 groups<", ">bytes of a vector<"},
        {"<title>l2_supercat_256, 256 dimensions, 250 thousand texts a second: 47.5307</title>",
         "<title>l2_supercat_256, 64 dimensions, 250 thousand texts a second: 41.2490</title>",
         "<title>potion, 256 dimensions, 500 thousand texts a second: 47.5000</title>", ": 3 sets in 2 groups<",
         ">thousand texts a second<"},
    };
    static const double speeds[] = {250000, 500000};
    all->report.speeds = speeds;
    char path[] = "/tmp/wl_test_report.XXXXXX", text[1 << 16] = "";
    wl_error error = {0};
    int file = mkstemp(path);
    if (file < 0) abort();
    close(file);
    CHECK_THAT(!plot_scores(path, &all->report, by_speed, &error), "%s", error.message);
    FILE *stream = fopen(path, "rb");
    size_t size = stream ? fread(text, 1, sizeof text - 1, stream) : 0, points = 0;
    text[size] = 0;
    for (size_t i = 0; i < 5; i++) CHECK_THAT(strstr(text, titles[by_speed][i]), "%s", titles[by_speed][i]);
    for (const char *at = text; (at = strstr(at, "<circle")); at++) points++;
    CHECK_THAT(points == 3, "%zu points", points); /* the bits have no mean */
    CHECK(!strstr(text, "nan") && !strstr(text, "inf") && strstr(text, "</svg>\n"));
    if (stream) fclose(stream);
    remove(path);
}

/* ---- failures ---------------------------------------------------------------------------------------------------- */

static void test_faults(two_models *all)
{
    static writer *const writers[] = {report_table, report_markdown, report_json};
    if (!fault_available()) {
        SKIP("failing allocations: linked without --wrap");
        return;
    }
    for (size_t i = 0; i < 3; i++) {
        wl_buffer expected = written(writers[i], &all->report);
        for (size_t nth = 1;; nth++) {
            wl_buffer out = {0};
            wl_error error = {0};
            fault_begin(nth);
            wl_status status = writers[i](&all->report, &out, &error);
            bool failed = fault_end();
            CHECK(status == (failed ? WL_ERROR_MEMORY : WL_OK) && error.code == status);
            if (!failed) CHECK(out.size + 1 == expected.size && !memcmp(out.data, expected.data, out.size));
            wl_buffer_free(&out);
            if (failed) continue;
            CHECK_THAT(nth > 4, "%zu allocations", nth);
            break;
        }
        wl_buffer_free(&expected);
    }
    size_t nth = 1;
    for (wl_status status = WL_ERROR_MEMORY; status; nth++) {
        wl_error error = {0};
        fault_begin(nth);
        status = plot_scores("/dev/null", &all->report, false, &error);
        CHECK(status == (fault_end() ? WL_ERROR_MEMORY : WL_OK));
    }
    CHECK_THAT(nth > 4, "%zu allocations", nth);
}

int main(void)
{
    two_models all;
    make_models(&all);
    test_one_model(&all);
    test_two_models(&all);
    test_undecided(&all);
    test_one_set(&all);
    test_names(&all);
    test_json(&all);
    test_plot(&all, false);
    test_plot(&all, true);
    test_faults(&all);
    free_models(&all);
    return test_end();
}
