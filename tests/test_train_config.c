/* The configuration of a training run: defaults, values as text and as JSON, comments, files that extend others, what
 * is refused and how it is said. */
#define _XOPEN_SOURCE 700
#include <math.h>

#include "base/random.h"
#include "fault.h"
#include "files.h"
#include "train/binarizer.h"
#include "train/config_value.h"
#include "train/dataset.h"
#include "train/optimizer.h"
#include "train/projector.h"

static wl_error error;

static wl_train_config defaults(void)
{
    wl_train_config config;
    error = (wl_error){0};
    CHECK_THAT(!wl_train_config_default(&config, &error), "%s", error.message);
    return config;
}

static wl_status parse(wl_train_config *config, const char *text)
{
    error = (wl_error){0};
    return wl_train_config_parse(config, text, strlen(text), "text", &error);
}

/* What the config is, as JSON; to be freed. */
static char *written(const wl_train_config *config)
{
    wl_buffer out = {0};
    CHECK(!wl_train_config_write(config, &out, &error) && !wl_buffer_append(&out, "", 1, &error));
    return out.data;
}

static bool is_same(const wl_train_config *a, const wl_train_config *b)
{
    char *x = written(a), *y = written(b);
    bool same = strcmp(x, y) == 0;
    free(x);
    free(y);
    return same;
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

static bool has_words(const wl_train_field *field, const char *words)
{
    return field->kind == WL_FIELD_CHOICE && strcmp(field->value, words) == 0;
}

static void test_table(void)
{
    CHECK(WL_TRAIN_FIELDS <= 64); /* bits of a set */
    for (size_t i = 0; i < WL_TRAIN_FIELDS; i++) {
        const wl_train_field *field = &wl_train_fields[i];
        char flag[64];
        snprintf(flag, sizeof flag, "%s", field->name);
        for (char *at = flag; *at; at++)
            if (*at == '_') *at = '-';
        CHECK_THAT(strcmp(flag, field->flag) == 0 && *field->help && *field->value, "%s", field->name);
        for (size_t j = 0; j < i; j++) CHECK(strcmp(field->name, wl_train_fields[j].name) != 0);
        bool number = field->kind == WL_FIELD_COUNT || field->kind == WL_FIELD_NUMBER;
        CHECK(!number || field->lowest < field->highest);
    }
    /* Words in the order of the enums. */
    CHECK(has_words(&wl_train_fields[WL_TRAIN_kind], "linear|mlp|table|rotation") && WL_PROJECT_LINEAR == 0 &&
          WL_PROJECT_MLP == 1 && WL_PROJECT_TABLE == 2 && WL_PROJECT_ROTATION == 3);
    CHECK(has_words(&wl_train_fields[WL_TRAIN_binarizer], "none|ste|tanh|reste|stochastic") && WL_BINARIZE_NONE == 0 &&
          WL_BINARIZE_STE == 1 && WL_BINARIZE_TANH == 2 && WL_BINARIZE_RESTE == 3 && WL_BINARIZE_STOCHASTIC == 4);
    CHECK(has_words(&wl_train_fields[WL_TRAIN_schedule], "linear|cosine|constant") && WL_SCHEDULE_LINEAR == 0 &&
          WL_SCHEDULE_COSINE == 1 && WL_SCHEDULE_CONSTANT == 2);
    CHECK(has_words(&wl_train_fields[WL_TRAIN_sampling], "proportional|round_robin") && WL_SAMPLE_PROPORTIONAL == 0 &&
          WL_SAMPLE_ROUND_ROBIN == 1);
    char words[256] = "";
    for (size_t i = 0; i < WL_LOSS_KINDS; i++) {
        const char *name = wl_train_loss_table[i].name;
        snprintf(words + strlen(words), sizeof words - strlen(words), "%s%s", i ? "|" : "", name);
        CHECK_THAT(strstr(wl_train_fields[WL_TRAIN_losses].help, name), "%s", name);
    }
    CHECK(strcmp(words, wl_train_loss_fields[WL_LOSS_kind].value) == 0);
}

static void test_defaults(void)
{
    wl_train_config config = defaults();
    CHECK(strcmp(config.name, "model") == 0 && !config.output && !config.codebook && !config.data.count);
    CHECK(config.kind == WL_PROJECT_LINEAR && config.dim == 0 && config.bias && config.token_weights);
    CHECK(config.stop_word_weight == 0.1 && config.max_tokens == 256 && config.batch_size == 256);
    CHECK(config.learning_rate == 3e-4 && config.epsilon == 1e-8 && config.beta2 == 0.999 && config.warm_up == 0.1);
    CHECK(config.losses.count == 1 && config.losses.items[0].kind == WL_LOSS_CONTRAST &&
          config.losses.items[0].scale == 20 && config.losses.items[0].weight == 1);
    CHECK(config.evaluation_only.count == 1 && strcmp(config.evaluation_only.items[0], "stsb-dev") == 0);
    CHECK(config.matryoshka.count == 0 && config.mask_same_text && !config.mask_by_teacher && config.keep_best);
    wl_train_config_free(&config);
    wl_train_config_free(&config); /* harmless */
}

/* ---- texts ------------------------------------------------------------------------------------------------------- */

static void test_set(void)
{
    static const struct {
        const char *name, *value, *json; /* json: a part of what is written then */
    } right[] = {
        {"name", "l2 \"super\"", "\"name\": \"l2 \\\"super\\\"\""},
        {"output", "out/x", "\"output\": \"out/x\""},
        {"output", "", "\"output\": null"},
        {"batch_size", "2", "\"batch_size\": 2,"},
        {"batch_size", "16777216", "\"batch_size\": 16777216,"},
        {"seed", "9007199254740992", "\"seed\": 9007199254740992,"},
        {"learning_rate", "1e-2", "\"learning_rate\": 0.01,"},
        {"learning_rate", ".5", "\"learning_rate\": 0.5,"},
        {"mask_margin", "-0.25", "\"mask_margin\": -0.25,"},
        {"bias", "false", "\"bias\": false"},
        {"kind", "mlp", "\"kind\": \"mlp\""},
        {"binarizer", "stochastic", "\"binarizer\": \"stochastic\""},
        {"matryoshka", "512, 64", "\"matryoshka\": [512, 64]"},
        {"matryoshka", "", "\"matryoshka\": []"},
        {"matryoshka_weights", "1,0.1", "\"matryoshka_weights\": [1, 0.1]"},
        {"matryoshka", "[256,128]", "\"matryoshka\": [256, 128]"},
        {"evaluation", "a,b/c", "\"evaluation\": [\"a\", \"b/c\"]"},
        {"evaluation_only", "", "\"evaluation_only\": []"},
        {"data", "a:b.json:2,/c",
         "\"data\": [{\"path\": \"a:b.json\", \"weight\": 2, \"targets\": null}, "
         "{\"path\": \"/c\", \"weight\": 1, \"targets\": null}]"},
        {"data", "a:b", "\"data\": [{\"path\": \"a:b\", \"weight\": 1, \"targets\": null}]"},
        {"losses", "contrast,distill_cosine:0.5",
         "\"losses\": [{\"kind\": \"contrast\", \"weight\": 1, \"scale\": 20, \"learn_scale\": false, \"dense\": "
         "false, \"dims\": []}, "
         "{\"kind\": \"distill_cosine\", \"weight\": 0.5, \"learn_scale\": false, \"dense\": false, \"dims\": []}]"},
        {"losses",
         "[{\"kind\": \"symmetric\", \"temperature\": 0.1, \"learn_scale\": true, \"dims\": [64, 32]}, "
         "\"cosent:2\"]",
         "[{\"kind\": \"symmetric\", \"weight\": 1, \"scale\": 10, \"learn_scale\": true, \"dense\": false, \"dims\": "
         "[64, 32]}, "
         "{\"kind\": \"cosent\", \"weight\": 2, \"scale\": 20, \"learn_scale\": false, \"dense\": false, \"dims\": "
         "[]}]"},
    };
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        wl_train_config config = defaults();
        CHECK_THAT(!wl_train_config_set(&config, right[i].name, right[i].value, &error), "%s", error.message);
        char *json = written(&config);
        CHECK_THAT(strstr(json, right[i].json), "%s=%s: %s", right[i].name, right[i].value, json);
        wl_train_config again = defaults();
        CHECK_THAT(!parse(&again, json) && is_same(&config, &again), "%s: %s", right[i].name, error.message);
        free(json);
        wl_train_config_free(&config);
        wl_train_config_free(&again);
    }
}

static void test_wrong_texts(void)
{
    static const struct {
        const char *name, *value, *message;
    } wrong[] = {
        {"batch_size", "1", "batch_size is '1', expected a whole number from 2 to 16777216"},
        {"batch_size", "16777217", "from 2 to"},
        {"batch_size", "99999999999999999999999999", "from 2 to"},
        {"batch_size", "many", "batch_size is 'many'"},
        {"batch_size", "", "batch_size is ''"},
        {"batch_size", "-4", "batch_size is '-4'"},
        {"batch_size", "4.0", "batch_size is '4.0'"},
        {"learning_rate", "-1", "learning_rate is '-1', expected a number from 0 to 100"},
        {"learning_rate", "nan", "'nan'"},
        {"learning_rate", "0x1p1", "'0x1p1'"},
        {"learning_rate", "1,5", "'1,5'"},
        {"beta1", "1", "beta1 is '1'"},
        {"bias", "yes", "bias is 'yes', expected true or false"},
        {"kind", "lin", "kind is 'lin', expected linear|mlp|table|rotation"},
        {"kind", "", "expected linear|mlp|table|rotation"},
        {"name", "a\xFF", "UTF-8"},
        {"matryoshka", "64,,32", "matryoshka is ''"},
        {"matryoshka", "64,", "whole numbers from 1 to 65536"},
        {"matryoshka", "0", "matryoshka is '0'"},
        {"matryoshka", "[64, \"32\"]", "matryoshka"},
        {"matryoshka", "[64", "matryoshka: expected"},
        {"matryoshka", "[64] 5", "matryoshka: expected"},
        {"losses", "contrst", "losses is 'contrst', expected a list of KIND or KIND:WEIGHT, KIND of contrast|"},
        {"losses", "contrast:x", "contrast:x"},
        {"losses", "contrast:-1", "contrast:-1"},
        {"losses", "[{\"weight\": 1}]", "\"kind\" is missing"},
        {"losses", "[{\"kind\": \"cosine\", \"scale\": 2}]", "has no scale"},
        {"losses", "[{\"kind\": \"contrast\", \"scale\": 2, \"temperature\": 1}]", "are the same"},
        {"losses", "[{\"kind\": \"contrast\", \"scal\": 2}]", "did you mean \"scale\"?"},
        {"data", "a:0", "data is 'a:0'"},
        {"data", ":3", "data is ':3'"},
        {"data", "[{\"weight\": 3}]", "\"path\" is missing"},
        {"data", "[{\"path\": \"a\", \"path\": \"b\"}]", "twice"},
        {"batchsize", "4", "unknown field 'batchsize' (did you mean 'batch_size'?)"},
        {"lerning_rate", "4", "did you mean 'learning_rate'?"},
        {"whatever", "4", "unknown field 'whatever'"},
    };
    wl_train_config config = defaults();
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        error = (wl_error){0};
        CHECK(wl_train_config_set(&config, wrong[i].name, wrong[i].value, &error) == WL_ERROR_ARGUMENT);
        CHECK_THAT(error.code == WL_ERROR_ARGUMENT && strstr(error.message, wrong[i].message), "%s: %s", wrong[i].name,
                   error.message);
    }
    wl_train_config_free(&config);
}

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

static void test_comments(void)
{
    wl_train_config config = defaults(), plain = defaults();
    CHECK_THAT(!parse(&config, "// at the front\n"
                               "{\n"
                               "    \"name\": \"a // b /* c */, }\", // with \"quotes\"\n"
                               "    /* two\n       lines */ \"dim\": /**/ 64 /* , } */,\n"
                               "    \"matryoshka\": [64, 32 , // last\n    ],\n"
                               "    \"output\": \"\\\"//\",\n"
                               "    \"data\": [{\"path\": \"x\",},],\r\n"
                               "} // end"),
               "%s", error.message);
    CHECK(!parse(&plain, "{\"name\": \"a // b /* c */, }\", \"dim\": 64, \"matryoshka\": [64, 32], \"output\": "
                         "\"\\\"//\", \"data\": [{\"path\": \"x\"}]}"));
    CHECK(is_same(&config, &plain));
    CHECK(!parse(&config, "{/*/ \"dim\": 1, /*/}") && config.dim == 64);
    CHECK(!parse(&config, "{}//") && !parse(&config, "{ }"));
    CHECK(is_same(&config, &plain));
    wl_train_config_free(&config);
    wl_train_config_free(&plain);
}

static void test_wrong_json(void)
{
    static const struct {
        const char *text;
        int line;
        const char *message;
    } wrong[] = {
        {"", 1, "expected"},
        {"[]", 1, "expected"},
        {"{\"dim\": 64", 1, "expected"},
        {"{,}", 1, "expected"},
        {"{\"matryoshka\": [,]}", 1, "expected"},
        {"{\"matryoshka\": [64,,]}", 1, "expected"},
        {"{\"dim\":,}", 1, "expected"},
        {"{\"dim\": 64,,}", 1, "expected"},
        {"{\"dim\": 64} {}", 1, "expected"},
        {"{\n\n  /* never", 3, "the comment has no end"},
        {"{ /*/ }", 1, "the comment has no end"},
        {"{\"dim\": 6 / 4}", 1, "expected"},
        {"{\"dim\": \"64\n\"}", 1, ""},
        {"{// one\n\n\"batch_sizes\": 4}", 3, "unknown key \"batch_sizes\" (did you mean \"batch_size\"?)"},
        {"{\"xyz\": 4}", 1, "unknown key \"xyz\""},
        {"{\"extends\": \"a\"}", 1, "unknown key \"extends\""},
        {"{\n\"batch_size\": \"many\"}", 2, "batch_size is '\"many\"', expected a whole number from 2 to 16777216"},
        {"{\n\n\"batch_size\": 1}", 3, "batch_size is '1', expected"},
        {"{\"batch_size\": 1e3}", 1, "batch_size is '1e3', expected"},
        {"{\"batch_size\": null}", 1, "batch_size is 'null', expected"},
        {"{\"batch_size\": [4]}", 1, "batch_size is '[4]', expected"},
        {"{\"learning_rate\": true}", 1, "learning_rate is 'true', expected a number from 0 to 100"},
        {"{\"learning_rate\": 1e999}", 1, "learning_rate is '1e999'"},
        {"{\"bias\": 1}", 1, "bias is '1', expected true or false"},
        {"{\"bias\": \"true\"}", 1, "expected true or false"},
        {"{\"kind\": 2}", 1, "kind is '2', expected linear|mlp|table|rotation"},
        {"{\"kind\": \"lin\"}", 1, "kind is 'lin', expected linear|mlp|table|rotation"},
        {"{\"name\": 3}", 1, "name is '3', expected a string"},
        {"{\"name\": \"a\\u0000b\"}", 1, "name is 'a"},
        {"{\"output\": {}}", 1, "output is '{}', expected a path"},
        {"{\"matryoshka\": 64}", 1, "matryoshka is '64', expected a list of whole numbers from 1 to 65536"},
        {"{\"matryoshka\": [64, 0]}", 1, "matryoshka is '0'"},
        {"{\"matryoshka\": [64,\n\"a\"]}", 2, "matryoshka is '\"a\"'"},
        {"{\"evaluation\": [\"\"]}", 1, "evaluation is ''"},
        {"{\"evaluation\": [[]]}", 1, "evaluation is '[]'"},
        {"{\"data\": [3]}", 1, "data is '3', expected a list of PATH"},
        {"{\"data\": [{\n\"path\": 3}]}", 2, "path is '3'"},
        {"{\"data\": [{\"path\": \"a\",\n\"wieght\": 3}]}", 2, "did you mean \"weight\"?"},
        {"{\"data\": [\n{}]}", 2, "\"path\" is missing"},
        {"{\"losses\": [{\"kind\": \"contrast\", \"dims\": \"x\"}]}", 1, "dims is 'x'"},
        {"{\"dim\": 1,\n\"dim\": 2}", 2, "the key \"dim\" is there twice"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        wl_train_config config = defaults();
        CHECK(parse(&config, wrong[i].text) == WL_ERROR_FORMAT);
        CHECK_THAT(strstr(error.message, wrong[i].message) && error.line == (uint64_t)wrong[i].line &&
                       strcmp(error.file, "text") == 0 && error.byte <= strlen(wrong[i].text),
                   "%s: line %d: %s", wrong[i].text, (int)error.line, error.message);
        wl_train_config_free(&config);
    }
    wl_train_config config = defaults();
    static char deep[5001];
    memset(deep, '[', 5000);
    CHECK(parse(&config, deep) == WL_ERROR_FORMAT);
    wl_train_config_free(&config);
}

/* A config cut anywhere, or with any byte changed, is refused or read, and can be freed. */
static void test_damage(void)
{
    wl_train_config config = defaults();
    CHECK(!parse(&config,
                 "{\"data\": [{\"path\": \"a\", \"targets\": \"t\"}, \"b:2\"], \"losses\": [{\"kind\": \"angle\", "
                 "\"dims\": [8, 4]}], \"evaluation\": \"x,y\"}"));
    char *whole = written(&config);
    size_t size = strlen(whole);
    wl_random random = wl_random_seed(3, 3);
    for (size_t i = 0; i < size; i++) {
        wl_train_config other = defaults();
        CHECK((wl_train_config_parse(&other, whole, i, "cut", &error) == WL_OK) == (i + 1 >= size));
        wl_train_config_free(&other);
        other = defaults();
        char before = whole[i];
        whole[i] = (char)wl_random_below(&random, 256);
        wl_status status = wl_train_config_parse(&other, whole, size, "changed", &error);
        CHECK(status == WL_OK || status == WL_ERROR_FORMAT);
        whole[i] = before;
        wl_train_config_free(&other);
    }
    free(whole);
    wl_train_config_free(&config);
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

static wl_status read_file(wl_train_config *config, const char *name)
{
    error = (wl_error){0};
    return wl_train_config_read(config, files_path(name), &error);
}

static void test_paths(void)
{
    wl_train_config config = defaults();
    files_put("configs/base.json",
              "{\"codebook\": \"book.safetensors\", \"output\": \"/tmp/out\", \"dim\": 64,\n"
              "\"data\": [\"a\", \"sub/b:2\"], \"evaluation\": [\"../eval\"], \"name\": \"base\"}");
    files_put("runs/run.json", "{\"data\": [{\"path\": \"c\", \"targets\": \"t.npy\"}], // instead of a and b\n"
                               "\"dim\": 32, \"extends\": \"../configs/base.json\",}");
    CHECK_THAT(!read_file(&config, "runs/run.json"), "%s", error.message);
    CHECK(config.dim == 32 && strcmp(config.name, "base") == 0 && strcmp(config.output, "/tmp/out") == 0);
    CHECK(strcmp(config.codebook, files_path("runs/../configs/book.safetensors")) == 0);
    CHECK(config.data.count == 1 && strcmp(config.data.items[0].path, files_path("runs/c")) == 0);
    CHECK(strcmp(config.data.items[0].targets, files_path("runs/t.npy")) == 0);
    CHECK(strcmp(config.evaluation.items[0], files_path("runs/../configs/../eval")) == 0);
    CHECK(!config.tokenizer && strcmp(config.evaluation_only.items[0], "stsb-dev") == 0);
    /* Text over the file, and the file over what was there. */
    CHECK(!wl_train_config_set(&config, "codebook", "here", &error) && strcmp(config.codebook, "here") == 0);
    CHECK(!read_file(&config, "configs/base.json") && config.dim == 64 && config.data.count == 2);
    CHECK(strcmp(config.data.items[1].path, files_path("configs/sub/b")) == 0 && config.data.items[1].weight == 2);
    wl_train_config_free(&config);
}

static void test_extends(void)
{
    wl_train_config config = defaults();
    char name[32], text[96];
    for (int i = 0; i < 20; i++) { /* i extends i + 1 */
        snprintf(name, sizeof name, "chain/%d.json", i);
        snprintf(text, sizeof text, i < 19 ? "{\"seed\": %d, \"extends\": \"%d.json\"}" : "{\"seed\": %d}", i, i + 1);
        files_put(name, text);
    }
    CHECK_THAT(!read_file(&config, "chain/4.json") && config.seed == 4, "%s", error.message); /* 16 files */
    CHECK(read_file(&config, "chain/3.json") == WL_ERROR_LIMIT && strstr(error.message, "16"));

    files_put("round/a.json", "{\"extends\": \"b.json\"}");
    files_put("round/b.json", "{\"extends\": \"../round/c.json\"}");
    files_put("round/c.json", "{\"extends\": \"b.json\"}");
    files_put("round/self.json", "{\"extends\": \"self.json\"}");
    CHECK(read_file(&config, "round/a.json") == WL_ERROR_FORMAT && strstr(error.message, "b.json, which extends this"));
    CHECK(strstr(error.file, "c.json"));
    CHECK(read_file(&config, "round/self.json") == WL_ERROR_FORMAT);

    files_put("one.json", "{\"extends\": \"missing.json\"}");
    CHECK(read_file(&config, "one.json") == WL_ERROR_NOT_FOUND && strstr(error.file, "missing.json"));
    files_put("one.json", "{\n\"extends\": 3}");
    CHECK(read_file(&config, "one.json") == WL_ERROR_FORMAT && error.line == 2 && strstr(error.message, "extends is"));
    files_put("one.json", "{\"extends\": \"two.json\", \"extends\": \"two.json\"}");
    files_put("two.json", "{\n\n\n\"dims\": 4}");
    CHECK(read_file(&config, "one.json") == WL_ERROR_FORMAT && strstr(error.message, "twice"));
    files_put("one.json", "{\"extends\": \"two.json\"}");
    CHECK(read_file(&config, "one.json") == WL_ERROR_FORMAT && error.line == 4 && strstr(error.file, "two.json"));
    CHECK(strstr(error.message, "did you mean \"dim\"?"));
    files_put("one.json", "{\"extend\": \"two.json\"}");
    CHECK(read_file(&config, "one.json") == WL_ERROR_FORMAT && strstr(error.message, "did you mean \"extends\"?"));
    CHECK(read_file(&config, "nowhere.json") == WL_ERROR_NOT_FOUND);
    char *large = malloc((1 << 20) + 2);
    if (!large) return;
    memset(large, ' ', (1 << 20) + 2);
    large[0] = '{', large[(1 << 20) - 1] = '}';
    files_write("large.json", large, 1 << 20);
    CHECK(!read_file(&config, "large.json"));
    files_write("large.json", large, (1 << 20) + 1);
    CHECK(read_file(&config, "large.json") == WL_ERROR_LIMIT);
    free(large);
    wl_train_config_free(&config);
}

/* ---- checking and finishing -------------------------------------------------------------------------------------- */

#define COMPLETE "\"codebook\": \"c\", \"output\": \"o\", \"data\": \"d\""

static void test_check(void)
{
    static const struct {
        const char *text, *message; /* NULL: all is well */
    } cases[] = {
        {COMPLETE, NULL},
        {"\"codebook\": \"c\", \"data\": \"d\"", "output is missing"},
        {"\"output\": \"c\", \"data\": \"d\"", "codebook is missing"},
        {"\"output\": \"c\", \"codebook\": \"d\"", "data is missing"},
        {COMPLETE ", \"name\": \"a/b\"", "name is 'a/b'"},
        {COMPLETE ", \"name\": null", "name is ''"},
        {COMPLETE ", \"name\": \".x\"", "name is '.x'"},
        {COMPLETE ", \"matryoshka\": [64, 32, 64]", "matryoshka has 64 twice"},
        {COMPLETE ", \"matryoshka\": [64, 32], \"matryoshka_weights\": [1]", "has 1 numbers, expected 2"},
        {COMPLETE ", \"matryoshka_weights\": [1]", "expected 0"},
        {COMPLETE ", \"matryoshka\": [64, 32], \"matryoshka_weights\": [1, 0.5]", NULL},
        {COMPLETE ", \"losses\": []", "none of a weight above 0"},
        {COMPLETE ", \"losses\": \"contrast:0\"", "none of a weight above 0"},
        {COMPLETE ", \"losses\": \"distill_cosine\"", "distill_cosine, but no data has targets"},
        {COMPLETE ", \"losses\": [{\"kind\": \"cosent\", \"dense\": true}]", "cosent is dense"},
        {COMPLETE ", \"losses\": [{\"kind\": \"cosent\", \"learn_scale\": true}]", "scale of cosent cannot be learned"},
        {COMPLETE ", \"losses\": [{\"kind\": \"contrast\", \"dims\": [8, 8]}]", "has 8 twice"},
        {COMPLETE ", \"mask_by_teacher\": true", "mask_by_teacher"},
        {"\"codebook\": \"c\", \"output\": \"o\", \"data\": [{\"path\": \"d\", \"targets\": \"t\"}], "
         "\"losses\": \"distill_cosine\", \"mask_by_teacher\": true",
         NULL},
        {COMPLETE ", \"epochs\": 0", "nothing to do"},
        {COMPLETE ", \"epochs\": 0, \"steps\": 4", NULL},
        {COMPLETE ", \"warm_up\": 2.5", "warm_up is 2.5"},
        {COMPLETE ", \"warm_up\": 250", NULL},
        {COMPLETE ", \"drop_shorter\": 5, \"drop_longer\": 4", "nothing is left"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[512];
        wl_train_config config = defaults();
        snprintf(text, sizeof text, "{%s}", cases[i].text);
        CHECK_THAT(!parse(&config, text), "%s", error.message);
        error = (wl_error){0};
        wl_status status = wl_train_config_check(&config, &error);
        CHECK(status == (cases[i].message ? WL_ERROR_ARGUMENT : WL_OK));
        CHECK_THAT(!cases[i].message || strstr(error.message, cases[i].message), "%zu: %s", i, error.message);
        wl_train_config_free(&config);
    }
}

static void test_finish(void)
{
    static const struct {
        const char *text;
        uint32_t codebook;
        const char *json; /* NULL: refused */
    } cases[] = {
        {"", 4096, "\"matryoshka\": [1024, 512, 256, 128, 64]"},
        {"", 256, "\"matryoshka\": [256, 128, 64]"},
        {"", 384, "\"matryoshka\": [384, 256, 128, 64]"},
        {"", 4096, "\"matryoshka_weights\": [1, 1, 1, 1, 1]"},
        {"", 256, "\"log\": \"o/log.jsonl\""},
        {"", 256, "\"hidden\": 256"},
        {", \"dim\": 32", 4096, "\"matryoshka\": [32]"},
        {", \"dim\": 512, \"hidden\": 7", 256, "\"hidden\": 7"},
        {", \"dim\": 512, \"matryoshka\": [512, 64]", 256, "\"matryoshka_weights\": [1, 1]"},
        {", \"matryoshka\": [512, 64], \"matryoshka_weights\": [1, 0.5]", 4096, "\"matryoshka_weights\": [1, 0.5]"},
        {", \"matryoshka\": [512, 64]", 256, NULL},
        {", \"matryoshka\": [64, 128, 32], \"matryoshka_weights\": [1, 2, 3]", 256, "\"matryoshka\": [128, 64, 32]"},
        {", \"matryoshka\": [64, 128, 32], \"matryoshka_weights\": [1, 2, 3]", 256,
         "\"matryoshka_weights\": [2, 1, 3]"},
        {", \"matryoshka\": [64, 128]", 256, "\"dim\": 128"},
        {", \"dim\": 256, \"matryoshka\": [64, 128]", 256, NULL},
        {", \"matryoshka\": [64, 128], \"matryoshka_weights\": [1, 0]", 256, NULL},
        {", \"losses\": [{\"kind\": \"contrast\", \"dims\": [512]}]", 256, NULL},
        {", \"log\": \"x\", \"output\": \"/p/\"", 256, "\"log\": \"x\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[512];
        wl_train_config config = defaults();
        bool own = strstr(cases[i].text, "output") != NULL;
        snprintf(text, sizeof text, "{\"codebook\": \"c\", \"data\": \"d\"%s%s}", own ? "" : ", \"output\": \"o\"",
                 cases[i].text);
        CHECK_THAT(!parse(&config, text) && !wl_train_config_check(&config, &error), "%s", error.message);
        wl_status status = wl_train_config_finish(&config, cases[i].codebook, &error);
        CHECK(status == (cases[i].json ? WL_OK : WL_ERROR_ARGUMENT));
        if (!status) {
            char *json = written(&config), *again;
            CHECK_THAT(strstr(json, cases[i].json), "%zu: %s", i, json);
            CHECK(!wl_train_config_check(&config, &error));
            CHECK(!wl_train_config_finish(&config, cases[i].codebook, &error));
            CHECK(strcmp(json, again = written(&config)) == 0);
            free(again);
            free(json);
        }
        wl_train_config_free(&config);
    }
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

static wl_status all_of_it(wl_train_config *config, wl_buffer *out)
{
    error = (wl_error){0};
    wl_status status = wl_train_config_default(config, &error);
    if (!status) status = wl_train_config_read(config, files_path("fault.json"), &error);
    if (!status) status = wl_train_config_set(config, "losses", "contrast,cosent:2", &error);
    if (!status) status = wl_train_config_set(config, "data", "[{\"path\": \"a\\u0062\", \"targets\": \"c\"}]", &error);
    if (!status) status = wl_train_config_check(config, &error);
    if (!status) status = wl_train_config_finish(config, 256, &error);
    return status ? status : wl_train_config_write(config, out, &error);
}

static void test_faults(void)
{
    if (!fault_available()) {
        SKIP("no allocator that fails");
        return;
    }
    files_put("fault.json",
              "{\"extends\": \"fault_base.json\", \"data\": [{\"path\": \"a\", \"targets\": \"b\"}, \"c\"]}");
    files_put("fault_base.json", "{\"codebook\": \"\\u0062\", \"output\": \"o\", \"losses\": [{\"kind\": \"contrast\", "
                                 "\"dims\": [64]}], \"evaluation\": [\"x\", \"y\"]}");
    size_t nth = 1;
    for (;; nth++) {
        wl_train_config config;
        wl_buffer out = {0};
        fault_begin(nth);
        wl_status status = all_of_it(&config, &out);
        bool failed = fault_end();
        CHECK_THAT(status == (failed ? WL_ERROR_MEMORY : WL_OK), "%zu: %s", nth, error.message);
        wl_train_config_free(&config);
        wl_buffer_free(&out);
        if (!failed) break;
    }
    CHECK_THAT(nth > 30, "%zu", nth);
}

int main(void)
{
    if (!files_begin()) return EXIT_FAILURE;
    test_table();
    test_defaults();
    test_set();
    test_wrong_texts();
    test_comments();
    test_wrong_json();
    test_damage();
    test_paths();
    test_extends();
    test_check();
    test_finish();
    test_faults();
    files_end();
    return test_end();
}
