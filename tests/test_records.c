/* Records of every form, their failures with file and line, and texts folded. */
#define _XOPEN_SOURCE 700 /* nftw, setenv */
#include <fcntl.h>
#include <locale.h>
#include <math.h>

#include "data/fold.h"
#include "data/records.h"
#include "fault.h"
#include "files.h"
#include "text/unicode/utf8.h"

/* ---- what a file holds ------------------------------------------------------------------------------------------- */

/* All records as "line{name=text;name=text;}", strings in quotes, and at the end an error as
 * "!CODE file:line message". */
static const char *show(const char *path)
{
    static char out[1 << 16];
    wl_records records;
    wl_error error;
    size_t size = 0;
    out[0] = '\0';
    int got = wl_records_open(&records, path, &error) ? -1 : 1;
    while (got > 0 && (got = wl_records_next(&records, &error)) > 0) {
        size += (size_t)snprintf(out + size, sizeof out - size, "%d{", (int)records.line);
        for (size_t i = 0; i < records.field_count && size < sizeof out / 2; i++) {
            const wl_field *field = &records.fields[i];
            const char *quote = field->kind == WL_JSON_STRING ? "'" : "";
            size += (size_t)snprintf(out + size, sizeof out - size, "%.*s=%s%.*s%s;", (int)field->name.size,
                                     field->name.data, quote, (int)field->text.size, field->text.data, quote);
        }
        size += (size_t)snprintf(out + size, sizeof out - size, "}");
    }
    if (got < 0) {
        const char *file = strrchr(error.file, '/');
        snprintf(out + size, sizeof out - size, "!%s %s:%d %s", wl_status_name(error.code) + strlen("WL_ERROR_"),
                 file ? file + 1 : error.file, (int)error.line, error.message);
    }
    wl_records_close(&records);
    return out;
}

static void check(const char *name, const char *content, const char *expected)
{
    const char *shown = show(files_put(name, content));
    CHECK_THAT(strcmp(shown, expected) == 0, "%s: %s\nexpected %s", name, shown, expected);
}

/* ---- forms ------------------------------------------------------------------------------------------------------- */

static void test_json(void)
{
    check("a.jsonl", "{\"a\": \"x\", \"b\": 1.50}\n{\"a\": \"y\"}", "1{a='x';b=1.50;}2{a='y';}");
    check("a.ndjson", "\n  \n{\"a\":true}\r\n\t\r\n{ \"a\" : [1, {\"b\": \"]\"}] , \"c\":{}}\n",
          "3{a=true;}5{a=[1, {\"b\": \"]\"}];c={};}");
    check("a.json", "{}", "1{}");
    check("a.jsonl", "", "");
    check("a.jsonl", "\n\n", "");
    /* null is missing; of equal names the last one counts, and the others keep their order. */
    check("a.jsonl", "{\"z\":null,\"b\":1,\"a\":2,\"b\":\"3\"}", "1{a=2;b='3';}");
    check("a.jsonl", "{\"b\":1,\"b\":null,\"a\":2}", "1{a=2;}");
    /* Escapes, in names too, of which several must stay while others are decoded. */
    check("a.jsonl", "{\"\\u0061\\n\":\"\\\"1\\\"\",\"\\u0062\":\"\\u00e9\\ud83d\\ude00\",\"c\":\"\\\\\"}",
          "1{a\n='\"1\"';b='\xC3\xA9\xF0\x9F\x98\x80';c='\\';}");
    /* Ill-formed UTF-8 becomes U+FFFD; a byte order mark belongs to the file. */
    check("a.jsonl", "\xEF\xBB\xBF{\"a\":\"\xFF-\xC3\"}\n{\"\xE2\x82\":\"\xC3\xA9\"}",
          "1{a='\xEF\xBF\xBD-\xEF\xBF\xBD';}2{\xEF\xBF\xBD='\xC3\xA9';}");
    check("a.jsonl.gz", "{\"a\":\"x\"}\n", "1{a='x';}");
    check("A.JSONL.GZ", "{\"a\":\"x\"}\n", "1{a='x';}");
    check("plain", "{\"a\":\"x\"}\n", "1{a='x';}");
    check("plain", "\xEF\xBB\xBF{\"a\":\"x\"}\n", "1{a='x';}");
}

static void test_json_failures(void)
{
    check("a.jsonl", "{\"a\":1}\n\n[1]\n", "1{a=1;}!FORMAT a.jsonl:3 expected a JSON object, one on each line");
    check("a.jsonl", "{\"a\":1}\n{\"a\":}\n", "1{a=1;}!FORMAT a.jsonl:2 expected a value, found '}'");
    check("a.jsonl", "{\"a\":1,\n\"b\":2}\n",
          "!FORMAT a.jsonl:1 expected the '\"' that begins a key, found the end of the text");
    check("a.jsonl", "{\"a\":1} {\"b\":2}\n", "!FORMAT a.jsonl:1 expected nothing behind the value, found '{'");
    check("a.jsonl", "{\"a\":\"\\ud800\"}", "!FORMAT a.jsonl:1 lone surrogate \\uD800, expected a pair");
    wl_records records;
    wl_error error;
    CHECK(wl_records_open(&records, files_put("a.jsonl", "\n{"), &error) == WL_OK);
    CHECK(wl_records_next(&records, &error) == -1 && error.byte == WL_NO_POSITION && error.line == 2);
    wl_records_close(&records);
    CHECK(wl_records_open(&records, files_path("missing.jsonl"), &error) == WL_ERROR_NOT_FOUND);
    wl_records_close(&records);
    CHECK(wl_records_open(&records, files_root, &error) == WL_ERROR_IO);
    wl_records_close(&records);
    /* Nested too deep; what is before it is given. */
    char deep[400];
    size_t size = (size_t)snprintf(deep, sizeof deep, "{\"a\":1}\n{\"a\":");
    memset(deep + size, '[', 200);
    deep[size + 200] = '\0';
    check("a.jsonl", deep, "1{a=1;}!LIMIT a.jsonl:2 expected at most 127 levels of arrays and objects");
}

static void test_csv(void)
{
    check("a.csv", "a,b\n1,2\n\n3,\n", "2{a='1';b='2';}4{a='3';b='';}");
    check("a.csv", "a,b\r\n1,\"2\"\r\n\r\n\"3\r\n\"\"4\"\"\",x", "2{a='1';b='2';}4{a='3\r\n\"4\"';b='x';}");
    check("a.csv", "\xEF\xBB\xBF\"a \"\"x\"\"\",b\n\"p\"\"q\",\"r\"\"s\"\n", "2{a \"x\"='p\"q';b='r\"s';}");
    check("a.csv", "\n\na\n\"\n\n\"\nx\n", "4{a='\n\n';}7{a='x';}");
    check("a.csv", "a,b,a\n1,2,3\n", "2{b='2';a='3';}");
    check("a.csv", "a,b\n x ,5\" disk\n", "2{a=' x ';b='5\" disk';}");
    check("a.csv", "a,b\n\xFF,\"\xC3\"\n", "2{a='\xEF\xBF\xBD';b='\xEF\xBF\xBD';}");
    check("a.csv.gz", "a\n1\n", "2{a='1';}");
    check("a.csv", "", "");
    check("a.csv", "a,b", "");
    check("a.csv", "a,b\n1,2\n1,2,3\n", "2{a='1';b='2';}!FORMAT a.csv:3 the record has 3 fields, and the header has 2");
    check("a.csv", "a,b\n\"1\n\",2\n1\n",
          "2{a='1\n';b='2';}!FORMAT a.csv:4 the record has 1 field, and the header has 2");
    check("a.csv", "a,b\n\"1\"x,2\n",
          "!FORMAT a.csv:2 in CSV the delimiter or the line's end must follow a closing quote");
    check("a.csv", "a,b\n1,2\n\"1,2\n",
          "2{a='1';b='2';}!FORMAT a.csv:3 a field of CSV in quotes that are never closed");
}

static void test_tsv(void)
{
    /* Quotes are characters like others. */
    check("a.tsv", "a\tb\n\"x\ty\n\"x\"\t\"\n\"\"\t\"a \"b\"\"\n",
          "2{a='\"x';b='y';}3{a='\"x\"';b='\"';}4{a='\"\"';b='\"a \"b\"\"';}");
    /* But for a field in quotes that holds quotes, and each of them twice. */
    check("a.tab", "a\n\"He said \"\"no\"\"\"\n\"\"\"\"\n\"\"\"\n\"a\"\"\"b\"\n",
          "2{a='He said \"no\"';}3{a='\"';}4{a='\"\"\"';}5{a='\"a\"\"\"b\"';}");
    /* And where every name in the header stands in quotes. */
    check("a.tsv", "\"a\"\t\"b\"\r\n\"x\"\ty\r\n\"\"\t\"p \"\"q\"\"\"\r\n", "2{a='x';b='y';}3{a='';b='p \"q\"';}");
    check("a.tsv", "\"a\"\tb\n\"x\"\ty\n", "2{\"a\"='\"x\"';b='y';}");
    check("a.tsv", "a\tb\n1\n", "!FORMAT a.tsv:2 the record has 1 field, and the header has 2");
    check("a.tsv", "a\tb\n\t\n\n", "2{a='';b='';}");
}

static void test_lines(void)
{
    check("a.txt", "one\r\n\n two \nthree", "1{text='one';}3{text=' two ';}4{text='three';}");
    check("plain", "x,y\n\"", "1{text='x,y';}2{text='\"';}");
    check("a.txt", "{\"a\":1}\n", "1{text='{\"a\":1}';}");
    check("a.txt.gz", "\xEF\xBB\xBFx\xFF", "1{text='x\xEF\xBF\xBD';}");
    const char *path = files_write("nul.txt", "a\0b\n", 4);
    wl_records records;
    wl_error error;
    CHECK(wl_records_open(&records, path, &error) == WL_OK);
    CHECK(wl_records_next(&records, &error) == 1);
    CHECK(records.fields[0].text.size == 3 && records.record == 1 && records.replaced == 0);
    CHECK(wl_records_next(&records, &error) == 0 && records.field_count == 0);
    wl_records_close(&records);
}

static void test_refused(void)
{
    wl_records records;
    wl_error error;
    CHECK(wl_records_open(&records, files_put("a.jsonl", "\xFF\xFE{"), &error) == WL_ERROR_FORMAT);
    wl_records_close(&records);
#ifndef WL_HAVE_ARROW
    CHECK(wl_records_open(&records, files_put("a.parquet", "PAR1...."), &error) == WL_ERROR_UNSUPPORTED);
    CHECK(strstr(error.message, "pandas.read_parquet"));
    wl_records_close(&records);
#endif
    /* A damaged file gives what is before the damage, then the failure. */
    const char *path = files_put("cut.jsonl.gz", "{\"a\":1}\n");
    struct stat info;
    CHECK(stat(path, &info) == 0 && truncate(path, info.st_size - 4) == 0);
    CHECK(wl_records_open(&records, path, &error) == WL_OK);
    int got = 1;
    while (got > 0) got = wl_records_next(&records, &error);
    CHECK(got == -1 && error.code == WL_ERROR_FORMAT && strstr(error.message, "truncated"));
    wl_records_close(&records);
}

/* Standard input is read too, and its first byte tells what it is. */
static void test_standard_input(void)
{
    int kept = dup(STDIN_FILENO), file = open(files_put("in", "{\"a\":1}\n[\n"), O_RDONLY);
    CHECK(file >= 0 && dup2(file, STDIN_FILENO) >= 0);
    const char *shown = show("-");
    CHECK_THAT(strncmp(shown, "1{a=1;}!FORMAT standard input:2 ", 32) == 0, "%s", shown);
    if (kept >= 0) dup2(kept, STDIN_FILENO);
    if (kept >= 0) close(kept);
    close(file);
}

/* Records longer than a block, and more of them than one; places stay right. */
static void test_blocks(void)
{
    enum { LONG = 700000, COUNT = 20000 };
    wl_buffer text = {0};
    wl_error error;
    char *run = malloc(LONG);
    if (!run) return;
    memset(run, 'x', LONG);
    CHECK(!wl_buffer_append(&text, "{\"a\":\"\\u00e9", 12, &error) && !wl_buffer_append(&text, run, LONG, &error) &&
          !wl_buffer_append(&text, "\"}\n", 3, &error));
    for (int i = 0; i < COUNT; i++) {
        char line[64];
        int size = snprintf(line, sizeof line, "{\"n\": %d, \"t\": \"\\t%d\"}\n", i, i);
        CHECK(!wl_buffer_append(&text, line, (size_t)size, &error));
    }
    const char *path = files_write("long.jsonl.gz", text.data, text.size);
    wl_records records;
    CHECK(wl_records_open(&records, path, &error) == WL_OK);
    CHECK(wl_records_next(&records, &error) == 1);
    CHECK(records.fields[0].text.size == LONG + 2 && memcmp(records.fields[0].text.data + 2, run, LONG) == 0);
    static const char *const number[] = {"n", NULL}, *const tab[] = {"t", NULL};
    for (int i = 0; i < COUNT; i++) {
        double value;
        wl_text found;
        char expected[32];
        snprintf(expected, sizeof expected, "\t%d", i);
        bool right = wl_records_next(&records, &error) == 1 && records.line == (uint64_t)i + 2 &&
                     !wl_records_number(&records, number, &value, &error) && value == i &&
                     !wl_records_text(&records, tab, &found, &error) && wl_text_is(found, expected);
        if (!right) {
            CHECK_THAT(right, "record %d", i);
            break;
        }
    }
    CHECK(wl_records_next(&records, &error) == 0 && records.record == COUNT + 1);
    wl_records_close(&records);
    wl_buffer_free(&text);
    free(run);
}

/* Objects with very many members take no more than sorting them. */
static void test_many_members(void)
{
    enum { MEMBERS = 200000 };
    wl_buffer text = {0};
    wl_error error;
    for (int i = 0; i < MEMBERS; i++) {
        char member[32];
        int size = snprintf(member, sizeof member, "%c\"%d\":%d", i ? ',' : '{', i / 2, i);
        CHECK(!wl_buffer_append(&text, member, (size_t)size, &error));
    }
    CHECK(!wl_buffer_append(&text, "}", 1, &error));
    wl_records records;
    CHECK(wl_records_open(&records, files_write("wide.jsonl", text.data, text.size), &error) == WL_OK);
    CHECK(wl_records_next(&records, &error) == 1 && records.field_count == MEMBERS / 2);
    for (size_t i = 0; i < records.field_count; i++) {
        char name[24], value[24];
        snprintf(name, sizeof name, "%zu", i);
        snprintf(value, sizeof value, "%zu", 2 * i + 1);
        if (!wl_text_is(records.fields[i].name, name) || !wl_text_is(records.fields[i].text, value)) {
            CHECK_THAT(false, "member %zu", i);
            break;
        }
    }
    wl_records_close(&records);
    wl_buffer_free(&text);
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

static void test_values(void)
{
    static const char *const names[] = {"b", "a", NULL}, *const other[] = {"x", "y", "z", NULL},
                             *const list[] = {"l", NULL}, *const single[] = {"s", NULL};
    wl_records records;
    wl_error error;
    wl_text text;
    double number;
    CHECK(!wl_records_open(&records, files_put("a.jsonl", "\n{\"a\":\"1\",\"b\":2e1,\"l\":[]}"), &error));
    CHECK(wl_records_next(&records, &error) == 1);
    CHECK(!wl_records_text(&records, names, &text, &error) && wl_text_is(text, "2e1"));
    CHECK(!wl_records_number(&records, names, &number, &error) && number == 20);
    CHECK(!wl_records_number(&records, names + 1, &number, &error) && number == 1);
    CHECK(wl_records_text(&records, other, &text, &error) == WL_ERROR_FORMAT && error.line == 2);
    CHECK_THAT(strcmp(error.message, "the record has no field \"x\" (nor \"y\", \"z\"); it has: \"a\", \"b\", \"l\"") ==
                   0,
               "%s", error.message);
    CHECK(wl_records_text(&records, list, &text, &error) == WL_ERROR_FORMAT && error.line == 2);
    CHECK_THAT(strcmp(error.message, "the field \"l\" is neither a string nor a number") == 0, "%s", error.message);
    CHECK(wl_records_number(&records, single, &number, &error) == WL_ERROR_FORMAT);
    CHECK_THAT(strcmp(error.message, "the record has no field \"s\"; it has: \"a\", \"b\", \"l\"") == 0, "%s",
               error.message);
    wl_records_close(&records);
}

static void test_numbers(void)
{
    static const struct {
        const char *text;
        double number; /* NaN: none */
    } cases[] = {
        {"0", 0},         {"4.4", 4.4},     {"-0.1", -0.1},      {"+3", 3},
        {".5", 0.5},      {"5.", 5},        {" 2.25\t", 2.25},   {"1e3", 1000},
        {"1E-2", .01},    {"1.5e+2", 150},  {"1e99999999", NAN}, {"1e-99999999999999999999", 0},
        {"nan", NAN},     {"inf", NAN},     {"-Infinity", NAN},  {"0x10", NAN},
        {"", NAN},        {" ", NAN},       {".", NAN},          {"-", NAN},
        {"1e", NAN},      {"1e+", NAN},     {"1,5", NAN},        {"1.2.3", NAN},
        {"3 4", NAN},     {"1e5.0", NAN},   {"--1", NAN},        {"123456789.123456789", 123456789.123456789},
        {"1e308", 1e308}, {"1.8e308", NAN}, {"5e-324", 5e-324},  {"0.000000000000000000001e21", 1},
    };
    static const char *const names[] = {"text", NULL};
    wl_error error;
    /* Whatever the program takes for a decimal point. */
    bool foreign = setlocale(LC_NUMERIC, "de_DE.UTF-8") || setlocale(LC_NUMERIC, "fr_FR.UTF-8");
    if (!foreign) SKIP("numbers in a locale with a decimal comma (none is installed)");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        wl_records records;
        double number = NAN;
        char line[64];
        snprintf(line, sizeof line, "text,b\n\"%s\",\n", cases[i].text);
        CHECK(!wl_records_open(&records, files_put("n.csv", line), &error));
        CHECK(wl_records_next(&records, &error) == 1);
        wl_status status = wl_records_number(&records, names, &number, &error);
        CHECK_THAT(status == (isnan(cases[i].number) ? WL_ERROR_FORMAT : WL_OK), "'%s'", cases[i].text);
        CHECK_THAT(status || number == cases[i].number, "'%s' is %.17g", cases[i].text, number);
        CHECK(!status || error.line == 2);
        wl_records_close(&records);
    }
    setlocale(LC_NUMERIC, "C");
    /* As exact as strtod, which reads them whole. */
    srand(7);
    for (int i = 0; i < 200; i++) {
        char text[64], line[128];
        snprintf(text, sizeof text, "%d.%09d%09de%d", rand() % 1000, rand() % 1000000000, rand() % 1000000000,
                 rand() % 600 - 300);
        snprintf(line, sizeof line, "%s\n", text);
        wl_records records;
        double number = 0;
        CHECK(!wl_records_open(&records, files_put("n.txt", line), &error) && wl_records_next(&records, &error) == 1);
        CHECK_THAT(!wl_records_number(&records, names, &number, &error) && number == strtod(text, NULL), "%s", text);
        wl_records_close(&records);
    }
}

static void test_names(void)
{
    static const struct {
        const char *name;
        int form; /* -1: none */
        size_t stem;
    } cases[] = {
        {"a.jsonl", WL_RECORDS_JSON, 1},
        {"a.b.jsonl.gz", WL_RECORDS_JSON, 3},
        {"a.CSV", WL_RECORDS_CSV, 1},
        {"a.tsv.GZ", WL_RECORDS_TSV, 1},
        {"a.tab", WL_RECORDS_TSV, 1},
        {"a.txt", WL_RECORDS_LINES, 1},
        {"a.ndjson", WL_RECORDS_JSON, 1},
        {"a.json", WL_RECORDS_JSON, 1},
        {"a.gz", -1, 0},
        {"a", -1, 0},
        {".csv", -1, 0},
        {"", -1, 0},
        {"a.parquet", WL_RECORDS_JSON, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        wl_records_form form = WL_RECORDS_JSON;
        size_t stem = 0;
        bool named = wl_records_named(cases[i].name, &form, &stem);
        CHECK_THAT(named == (cases[i].form >= 0), "%s", cases[i].name);
        CHECK_THAT(!named || ((int)form == cases[i].form && stem == cases[i].stem), "%s", cases[i].name);
    }
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

static void test_memory(void)
{
    static const struct {
        const char *name, *content, *expected;
    } files[] = {
        {"m.jsonl.gz", "{\"a\\n\":\"\\t\",\"b\":\"\xFF\"}\n{\"a\":[1]}\n", "1{a\n='\t';b='\xEF\xBF\xBD';}2{a=[1];}"},
        {"m.csv", "\"a\"\"b\",c\n\"1\"\"2\",3\n", "2{a\"b='1\"2';c='3';}"},
        {"m.tsv", "\"a\"\n\"x\"\"y\"\n", "2{a='x\"y';}"},
    };
    if (!fault_available()) {
        SKIP("failing allocations (not linked with -Wl,--wrap)");
        return;
    }
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        const char *path = files_put(files[i].name, files[i].content);
        size_t nth = 1;
        for (;; nth++) {
            fault_begin(nth);
            const char *shown = show(path);
            if (!fault_end()) {
                CHECK_THAT(strcmp(shown, files[i].expected) == 0, "%s", shown);
                break;
            }
            CHECK_THAT(strstr(shown, "!MEMORY"), "%s: allocation %zu: %s", files[i].name, nth, shown);
        }
        CHECK_THAT(nth > 6, "%s: %zu allocations", files[i].name, nth);
    }
}

/* ---- folding ----------------------------------------------------------------------------------------------------- */

static bool folds_to(wl_status (*fold)(wl_text, wl_buffer *, wl_error *), wl_text text, wl_text expected)
{
    wl_buffer out = {0};
    wl_error error;
    CHECK(fold(text, &out, &error) == WL_OK);
    bool equal = out.size == expected.size && memcmp(out.data, expected.data, out.size) == 0;
    wl_buffer_free(&out);
    return equal;
}

/* Python's texts in upper, lower and swapped case. */
static void check_folded(const wl_records *records)
{
    static const char *const variants[][2] = {{"text", NULL}, {"upper", NULL}, {"lower", NULL}, {"swapped", NULL}};
    static const char *const spaces[] = {"spaces", NULL}, *const folded[] = {"folded", NULL};
    wl_error error;
    wl_text text, expected;
    CHECK(!wl_records_text(records, variants[0], &text, &error) &&
          !wl_records_text(records, spaces, &expected, &error));
    CHECK_THAT(folds_to(wl_fold_spaces, text, expected), "line %d", (int)records->line);
    CHECK(!wl_records_text(records, folded, &expected, &error));
    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++) {
        CHECK(!wl_records_text(records, variants[i], &text, &error));
        CHECK_THAT(folds_to(wl_fold_case, text, expected), "line %d, %s", (int)records->line, variants[i][0]);
    }
    CHECK_THAT(folds_to(wl_fold_case, expected, expected), "line %d, twice", (int)records->line);
}

/* FNV-1a of what all scalar values fold to, each with a line break. */
static uint64_t digest_folds(void)
{
    uint64_t digest = 0xCBF29CE484222325;
    wl_buffer out = {0};
    wl_error error;
    for (uint32_t point = 0; point < 0x110000; point++) {
        if (point >= 0xD800 && point < 0xE000) continue;
        char text[8];
        size_t size = wl_utf8_encode(point, text);
        out.size = 0;
        CHECK(wl_fold_case((wl_text){text, size}, &out, &error) == WL_OK);
        if (!out.size) CHECK(!wl_buffer_append(&out, text, size, &error)); /* white space at an end goes */
        CHECK(!wl_buffer_append(&out, "\n", 1, &error));
        for (size_t i = 0; i < out.size; i++) digest = (digest ^ (unsigned char)out.data[i]) * 0x100000001B3;
    }
    wl_buffer_free(&out);
    return digest;
}

static void test_fold(void)
{
    wl_records records;
    wl_error error;
    static const char *const digest[] = {"digest", NULL};
    wl_text text = {"", 0};
    char found[32];
    CHECK(wl_records_open(&records, WL_TEST_DATA "/golden/fold.jsonl", &error) == WL_OK);
    CHECK(wl_records_next(&records, &error) == 1 && !wl_records_text(&records, digest, &text, &error));
    snprintf(found, sizeof found, "%016llx", (unsigned long long)digest_folds());
    CHECK_THAT(wl_text_is(text, found), "%s", found);
    size_t lines = 0;
    for (; wl_records_next(&records, &error) == 1; lines++) check_folded(&records);
    CHECK(lines > 200);
    wl_records_close(&records);
    CHECK(folds_to(wl_fold_spaces, (wl_text){NULL, 0}, (wl_text){"", 0}));
    CHECK(folds_to(wl_fold_case, (wl_text){" \t\n", 3}, (wl_text){"", 0}));
    /* Appended: what is there stays, and gets no space. */
    wl_buffer out = {0};
    CHECK(!wl_fold_case((wl_text){"A", 1}, &out, &error) && !wl_fold_case((wl_text){" B  C ", 6}, &out, &error));
    CHECK(out.size == 4 && memcmp(out.data, "ab c", 4) == 0);
    wl_buffer_free(&out);
}

int main(void)
{
    if (!files_begin()) return EXIT_FAILURE;
    test_json();
    test_json_failures();
    test_csv();
    test_tsv();
    test_lines();
    test_refused();
    test_standard_input();
    test_blocks();
    test_many_members();
    test_values();
    test_numbers();
    test_names();
    test_memory();
    test_fold();
    files_end();
    return test_end();
}
