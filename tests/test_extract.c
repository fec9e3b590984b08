/* Extraction from models made on the spot: names, layouts, scales; what is refused leaves nothing behind. The rest is
 * in test_extract_models.c. */
#include <math.h>

#include "extract/names.h"
#include "extract/parts.h"
#include "extraction.h"

/* ---- names ------------------------------------------------------------------------------------------------------- */

static void test_names(void)
{
    static const struct {
        const char *names[5];
        bool output;
        int place; /* -1: none, -2: several */
    } cases[] = {
        {{"lm_head.weight", "model.embed_tokens.weight", "model.norm.weight"}, false, 1},
        {{"lm_head.weight", "model.embed_tokens.weight", "model.norm.weight"}, true, 0},
        {{"model.layers.61.embed_tokens.weight", "model.embed_tokens.weight"}, false, 1},
        {{"encoder.embed_tokens.weight", "decoder.embed_tokens.weight", "shared.weight"}, false, 2},
        {{"wpe.weight", "wte.weight"}, false, 1},
        {{"a.b", "my.model.embed_tokens.weight"}, false, 1},
        {{"x.model.embed_tokens.weight", "y.model.embed_tokens.weight"}, false, -2},
        {{"model.embed_tokens.weight"}, true, -1},
        {{"embed_tokens.bias", "weight"}, false, -1},
        {{"vision.embed_tokens.weight", "language_model.model.embed_tokens.weight"}, false, 1},
        {{"0"}, false, -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t count = 0, place = 99;
        wl_error error;
        while (count < 5 && cases[i].names[count]) count++;
        wl_status status = wl_find_embedding(cases[i].names, count, cases[i].output, "m", &place, &error);
        if (cases[i].place >= 0)
            CHECK_THAT(status == WL_OK && place == (size_t)cases[i].place, "case %zu", i);
        else
            CHECK_THAT(status == WL_ERROR_NOT_FOUND &&
                           (strstr(error.message, "several") != NULL) == (cases[i].place == -2),
                       "case %zu: %s", i, error.message);
    }
    size_t at;
    uint64_t number, count;
    CHECK(wl_is_shard("model-00002-of-00005.safetensors", &at, &number, &count) && number == 2 && count == 5);
    CHECK(wl_is_shard("a-of-b-00001-of-00001.gguf", &at, &number, &count) && number == 1);
    CHECK(!wl_is_shard("model-00006-of-00005.safetensors", &at, &number, &count));
    CHECK(!wl_is_shard("model-0002-of-00005.safetensors", &at, &number, &count));
    CHECK(!wl_is_shard("-of-00005", &at, &number, &count) &&
          !wl_is_shard("model-00000-of-00005", &at, &number, &count));
    wl_error error;
    char *name = wl_shard_name("model-00002-of-00105.bin", 104, &error);
    CHECK(name && strcmp(name, "model-00104-of-00105.bin") == 0);
    free(name);
}

/* ---- layouts ----------------------------------------------------------------------------------------------------- */

static void test_plain(void)
{
    wl_error error;
    wl_extract_options f32 = {.stored_as = WL_STORE_F32};
    CHECK_THAT(extract(in_root("plain"), in_root("out/a.safetensors"), &f32, &error) == WL_OK, "%s", error.message);
    CHECK(holds_table(in_root("out/a.safetensors"), table) && entries("out") == 2 && !*notes);
    CHECK(wl_path_exists(in_root("out/tokenizer.json")));

    /* A file alone, the head, a name. */
    f32.output_embeddings = true;
    CHECK(extract(in_root("plain/model.safetensors"), in_root("out/b.safetensors"), &f32, &error) == WL_OK);
    CHECK(holds_table(in_root("out/b.safetensors"), other));
    f32.output_embeddings = false;
    f32.tensor = "lm_head.weight";
    CHECK(extract(in_root("plain"), in_root("out/b.safetensors"), &f32, &error) == WL_OK);
    CHECK(holds_table(in_root("out/b.safetensors"), other));
    f32.tensor = "nothing";
    CHECK(extract(in_root("plain"), in_root("out/c.safetensors"), &f32, &error) == WL_ERROR_NOT_FOUND &&
          strstr(error.message, "nothing"));

    /* Rounding: to nearest even, from F32. */
    wl_extract_options f16 = {0}, bf16 = {.stored_as = WL_STORE_BF16};
    CHECK(extract(in_root("plain"), in_root("out/h.safetensors"), &f16, &error) == WL_OK);
    CHECK(extract(in_root("plain"), in_root("out/g.safetensors"), &bf16, &error) == WL_OK);
    float *halves = read_codebook(in_root("out/h.safetensors"), ROWS, DIM, WL_F16);
    float *brains = read_codebook(in_root("out/g.safetensors"), ROWS, DIM, WL_BF16);
    for (int i = 0; i < ROWS * DIM && halves && brains; i++) {
        CHECK(halves[i] == wl_f16_to_f32(wl_f32_to_f16(table[i])));
        CHECK(brains[i] == wl_bf16_to_f32(wl_f32_to_bf16(table[i])));
    }
    free(halves);
    free(brains);

    /* What is written opens as a model, and says where it is from. */
    wl_model *model = wl_model_open(in_root("out/h.safetensors"), NULL, &error);
    CHECK_THAT(model, "%s", error.message);
    wl_model_close(model);
    wl_safetensors file;
    CHECK(wl_safetensors_open(&file, in_root("out/h.safetensors"), &error) == WL_OK);
    static const char *const pairs[][2] = {{"dims", "4"},
                                           {"dtype", "F16"},
                                           {"vocabulary", "6"},
                                           {"tensor", "model.embed_tokens.weight"},
                                           {"revision", ""}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        const char *value = wl_safetensors_metadata(&file, pairs[i][0]);
        CHECK_THAT(value && strcmp(value, pairs[i][1]) == 0, "%s", pairs[i][0]);
    }
    const char *source = wl_safetensors_metadata(&file, "source");
    CHECK(source && strcmp(source, in_root("plain")) == 0);
    wl_safetensors_close(&file);

    /* Another tokenizer that lies there is not touched. */
    make_folder("busy");
    put_text("busy/tokenizer.json", "{}");
    CHECK(extract(in_root("plain"), in_root("busy/a.safetensors"), &f16, &error) == WL_OK);
    CHECK(entries("busy") == 3 && wl_path_exists(in_root("busy/a.tokenizer.json")));
    model = wl_model_open(in_root("busy/a.safetensors"), NULL, &error);
    CHECK_THAT(model, "%s", error.message);
    wl_model_close(model);
}

static void test_shards(void)
{
    wl_error error;
    wl_extract_options f32 = {.stored_as = WL_STORE_F32};
    make_folder("shards");
    put_tensors("shards/model-00001-of-00002.safetensors", plain + 1, 1);
    put_tensors("shards/model-00002-of-00002.safetensors", plain, 1);
    /* Without an index, and without a tokenizer. */
    CHECK_THAT(extract(in_root("shards"), in_root("out/s.safetensors"), &f32, &error) == WL_OK, "%s", error.message);
    CHECK(holds_table(in_root("out/s.safetensors"), table) && strstr(notes, "no tokenizer.json"));
    CHECK(extract(in_root("shards/model-00001-of-00002.safetensors"), in_root("out/s.safetensors"), &f32, &error) ==
          WL_OK);
    CHECK(holds_table(in_root("out/s.safetensors"), table));
    /* One shard that was fetched alone. */
    CHECK(rename(in_root("shards/model-00001-of-00002.safetensors"), in_root("shards/kept")) == 0);
    CHECK(extract(in_root("shards/model-00002-of-00002.safetensors"), in_root("out/s.safetensors"), &f32, &error) ==
          WL_OK);
    CHECK(extract(in_root("shards"), in_root("out/t.safetensors"), &f32, &error) == WL_ERROR_NOT_FOUND);
    CHECK(rename(in_root("shards/kept"), in_root("shards/model-00001-of-00002.safetensors")) == 0);

    /* With one. */
    static const char map[] = "{\"metadata\":{\"total_size\":192},\"weight_map\":{\"lm_head.weight\":"
                              "\"model-00001-of-00002.safetensors\",\"model.embed_tokens.weight\":\"%s\"}}";
    static const struct {
        const char *file;
        wl_status status;
        const char *message;
    } cases[] = {
        {"model-00002-of-00002.safetensors", WL_OK, ""},
        {"model-00003-of-00002.safetensors", WL_ERROR_NOT_FOUND, "missing"},
        {"model-00001-of-00002.safetensors", WL_ERROR_FORMAT, "index says"},
        {"../plain/model.safetensors", WL_ERROR_FORMAT, "leads out"},
        {"a/../../plain/model.safetensors", WL_ERROR_FORMAT, "leads out"},
        {"/etc/hostname", WL_ERROR_FORMAT, "leads out"},
        {"", WL_ERROR_FORMAT, "leads out"},
        {"model\\u0000.safetensors", WL_ERROR_FORMAT, "NUL"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[512];
        snprintf(text, sizeof text, map, cases[i].file);
        put_text("shards/model.safetensors.index.json", text);
        unlink(in_root("out/i.safetensors"));
        wl_status status = extract(in_root("shards"), in_root("out/i.safetensors"), &f32, &error);
        CHECK_THAT(status == cases[i].status && (!status || strstr(error.message, cases[i].message)), "%s: %s",
                   cases[i].file, error.message);
        CHECK(wl_path_exists(in_root("out/i.safetensors")) == (status == WL_OK));
    }
    /* A name that leads out is refused though nothing is wanted of it; "./" means nothing. */
    put_text("shards/model.safetensors.index.json",
             "{\"weight_map\":{\"x\":\"../../etc/passwd\",\"model.embed_tokens.weight\":"
             "\"model-00002-of-00002.safetensors\"}}");
    CHECK(extract(in_root("shards"), in_root("out/t.safetensors"), &f32, &error) == WL_ERROR_FORMAT &&
          strstr(error.message, "leads out"));
    put_text("shards/model.safetensors.index.json",
             "{\"weight_map\":{\"lm_head.weight\":\"./model-00002-of-00002.safetensors\","
             "\"model.embed_tokens.weight\":\"model-00002-of-00002.safetensors\"}}");
    CHECK(extract(in_root("shards"), in_root("out/i.safetensors"), &f32, &error) == WL_OK);
    /* Never over another shard, nor over what belongs to the model. */
    CHECK(extract(in_root("shards"), in_root("shards/model-00001-of-00002.safetensors"), &f32, &error) ==
          WL_ERROR_ARGUMENT);
    CHECK(extract(in_root("shards"), in_root("shards/model.safetensors.index.json"), &f32, &error) ==
          WL_ERROR_ARGUMENT);
    CHECK(extract(in_root("shards"), in_root("out/tokenizer.json"), &f32, &error) == WL_ERROR_ARGUMENT);
    f32.tokenizer = in_root("plain/tokenizer.json");
    CHECK(extract(in_root("shards"), f32.tokenizer, &f32, &error) == WL_ERROR_ARGUMENT);
    f32.tokenizer = NULL;
    static const char *const broken[] = {
        "{\"weight_map\":{\"model.embed_tokens.weight\":\"model-00001-of-00002.safetensors\","
        "\"model.embed_tokens.weight\":\"model-00002-of-00002.safetensors\"}}",
        "{\"weight_map\":{\"model.embed_tokens.weight\":7}}",
        "{\"weight_map\":[]}",
        "{\"metadata\":{}}",
        "{\"weight_map\":{}} x",
        "",
    };
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        put_text("shards/model.safetensors.index.json", broken[i]);
        wl_status status = extract(in_root("shards"), in_root("out/t.safetensors"), &f32, &error);
        CHECK_THAT(status == WL_ERROR_FORMAT && *error.file, "%s: %s", broken[i], error.message);
    }
    /* Two shards hold the table. */
    CHECK(unlink(in_root("shards/model.safetensors.index.json")) == 0);
    put_tensors("shards/model-00001-of-00002.safetensors", plain, 2);
    CHECK(extract(in_root("shards"), in_root("out/t.safetensors"), &f32, &error) == WL_ERROR_FORMAT &&
          strstr(error.message, "stands twice"));
    char text[512];
    snprintf(text, sizeof text, map, cases[0].file);
    put_text("shards/model.safetensors.index.json", text);
    CHECK(extract(in_root("shards"), in_root("out/t.safetensors"), &f32, &error) == WL_ERROR_FORMAT &&
          strstr(error.message, "the index says"));
    CHECK(!wl_path_exists(in_root("out/t.safetensors")));
}

static void test_scales(void)
{
    static int8_t bytes[ROWS * DIM];
    static uint8_t eights[ROWS * DIM]; /* F8_E4M3: 0x38 is 1 */
    static const float global[] = {0.5f}, rows[ROWS] = {1, 2, 3, 4, 5, 6}, groups[ROWS * 2] = {1, 2, 3, 4, 5, 6, 7, 8};
    for (int i = 0; i < ROWS * DIM; i++) bytes[i] = (int8_t)(i * 10 - 100), eights[i] = 0x38;
    static const struct {
        const char *name;
        uint64_t rows, columns;
        const float *scales;
        wl_dtype dtype;
    } cases[] = {
        {"model.embed_tokens.weight_scale", 1, 0, global, WL_I8},
        {"model.embed_tokens.weight_scale", ROWS, 1, rows, WL_I8},
        {"model.embed_tokens.SCB", ROWS, 0, rows, WL_I8},
        {"model.embed_tokens.weight_scale", ROWS, 2, groups, WL_I8},
        {"model.embed_tokens.weight_scale_inv", 1, 1, global, WL_F8_E4M3},
    };
    make_folder("scales");
    wl_extract_options f32 = {.stored_as = WL_STORE_F32};
    wl_error error;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool wide = cases[i].dtype == WL_I8;
        made tensors[] = {{"model.embed_tokens.weight", cases[i].dtype, ROWS, DIM, wide ? (void *)bytes : eights},
                          {cases[i].name, WL_F32, cases[i].rows, cases[i].columns, cases[i].scales}};
        float expected[ROWS * DIM];
        for (int j = 0; j < ROWS * DIM; j++) {
            float scale = cases[i].rows == 1      ? cases[i].scales[0]
                          : cases[i].columns == 2 ? cases[i].scales[j / DIM * 2 + j % DIM / 2]
                                                  : cases[i].scales[j / DIM];
            if (strstr(cases[i].name, "SCB")) scale *= 1.0f / 127;
            expected[j] = (wide ? (float)bytes[j] : 1.0f) * scale;
        }
        put_tensors("scales/model.safetensors", tensors, 2);
        wl_status status = extract(in_root("scales"), in_root("out/q.safetensors"), &f32, &error);
        CHECK_THAT(status == WL_OK && holds_table(in_root("out/q.safetensors"), expected), "case %zu: %s", i,
                   status ? error.message : "");
        CHECK(!strstr(notes, "whole numbers"));
    }
    made alone = {"model.embed_tokens.weight", WL_I8, ROWS, DIM, bytes};
    put_tensors("scales/model.safetensors", &alone, 1);
    CHECK(extract(in_root("scales"), in_root("out/q.safetensors"), &f32, &error) == WL_OK &&
          strstr(notes, "whole numbers"));
    made none[] = {alone, {"model.embed_tokens.weight_scale", WL_F32, 0, 0, rows}};
    put_tensors("scales/model.safetensors", none, 2);
    CHECK(extract(in_root("scales"), in_root("out/r.safetensors"), &f32, &error) == WL_ERROR_UNSUPPORTED);
    made odd[] = {alone, {"model.embed_tokens.weight_scale", WL_F32, 5, 1, rows}};
    put_tensors("scales/model.safetensors", odd, 2);
    CHECK(extract(in_root("scales"), in_root("out/r.safetensors"), &f32, &error) == WL_ERROR_UNSUPPORTED);
    made zero[] = {alone, {"model.embed_tokens.weight_zero_point", WL_F32, ROWS, 1, rows}};
    put_tensors("scales/model.safetensors", zero, 2);
    CHECK(extract(in_root("scales"), in_root("out/r.safetensors"), &f32, &error) == WL_ERROR_UNSUPPORTED &&
          strstr(error.message, "zero points"));
    CHECK(!wl_path_exists(in_root("out/r.safetensors")));
}

/* ---- layouts that look like others ------------------------------------------------------------------------------- */

static void test_layouts(void)
{
    wl_error error;
    wl_extract_options f32 = {.stored_as = WL_STORE_F32};
    /* One file counts before an index that was left behind. */
    make_folder("both");
    put_tensors("both/model.safetensors", plain, 2);
    put_text("both/model.safetensors.index.json", "{\"weight_map\":{\"model.embed_tokens.weight\":\"gone\"}}");
    CHECK_THAT(extract(in_root("both"), in_root("out/both.safetensors"), &f32, &error) == WL_OK, "%s", error.message);
    /* The tokenizer beside the table, in a folder below. */
    make_folder("static");
    make_folder("static/0_StaticEmbedding");
    made embedding = {"embedding.weight", WL_F32, ROWS, DIM, table};
    put_tensors("static/0_StaticEmbedding/model.safetensors", &embedding, 1);
    put_text("static/0_StaticEmbedding/tokenizer.json", words);
    make_folder("static/out");
    CHECK(extract(in_root("static"), in_root("static/out/a.safetensors"), &f32, &error) == WL_OK && !*notes);
    CHECK(holds_table(in_root("static/out/a.safetensors"), table) &&
          wl_path_exists(in_root("static/out/tokenizer.json")));
    /* An adapter is no model. */
    put_tensors("static/adapter_model.safetensors", plain, 2);
    CHECK(rename(in_root("static/0_StaticEmbedding/model.safetensors"), in_root("static/table.safetensors")) == 0);
    CHECK(extract(in_root("static"), in_root("out/static.safetensors"), &f32, &error) == WL_OK &&
          strstr(notes, "will be taken for this table's"));
    /* A header of 640 bytes begins like a pickle. */
    char header[640];
    uint64_t length = sizeof header;
    int size = snprintf(header, sizeof header,
                        "{\"embedding.weight\":{\"dtype\":\"F32\",\"shape\":[%d,%d],\"data_offsets\":[0,%d]}}", ROWS,
                        DIM, ROWS * DIM * 4);
    memset(header + size, ' ', sizeof header - (size_t)size);
    FILE *file = fopen(in_root("static/pickled.safetensors"), "wb");
    CHECK(file && fwrite(&length, 8, 1, file) == 1 && fwrite(header, sizeof header, 1, file) == 1 &&
          fwrite(table, sizeof table, 1, file) == 1);
    if (file) fclose(file);
    CHECK(extract(in_root("static/pickled.safetensors"), in_root("out/p.safetensors"), &f32, &error) == WL_OK);
    /* Nobody writes into a pipe of that name. */
    make_folder("pipe");
    CHECK(mkfifo(in_root("pipe/model.safetensors"), 0600) == 0);
    CHECK(extract(in_root("pipe"), in_root("out/f.safetensors"), &f32, &error) == WL_ERROR_IO);
    /* What is no number in the source is told. */
    static float odd[ROWS * DIM];
    memcpy(odd, table, sizeof odd);
    odd[7] = NAN;
    made tensor = {"embedding.weight", WL_F32, ROWS, DIM, odd};
    put_tensors("pipe/table.safetensors", &tensor, 1);
    CHECK(extract(in_root("pipe/table.safetensors"), in_root("out/n.safetensors"), &f32, &error) == WL_OK &&
          strstr(notes, "1 numbers of"));
}

/* ---- what does not fit ------------------------------------------------------------------------------------------- */

static void test_mismatch(void)
{
    wl_error error;
    wl_extract_options options = {0};
    static const char fewer[] = "{\"version\":\"1.0\",\"model\":{\"type\":\"WordLevel\",\"unk_token\":\"a\",\"vocab\":"
                                "{\"a\":0,\"b\":1,\"c\":2,\"d\":3}}}";
    static const char more[] = "{\"version\":\"1.0\",\"model\":{\"type\":\"WordLevel\",\"unk_token\":\"a\",\"vocab\":"
                               "{\"a\":0,\"b\":1,\"c\":2,\"d\":6}}}";
    static const char added[] =
        "{\"version\":\"1.0\",\"added_tokens\":[{\"id\":6,\"content\":\"<x>\",\"single_word\":false,\"lstrip\":false,"
        "\"rstrip\":false,\"normalized\":false,\"special\":true}],\"model\":{\"type\":\"WordLevel\",\"unk_token\":"
        "\"a\",\"vocab\":{\"a\":0,\"b\":1,\"c\":2,\"d\":3,\"e\":4,\"f\":5}}}";
    make_folder("mismatch");
    put_tensors("mismatch/model.safetensors", plain, 2);
    put_text("mismatch/tokenizer.json", fewer);
    const char *out = in_root("mismatch/out.safetensors");
    CHECK(extract(in_root("mismatch"), out, &options, &error) == WL_ERROR_MISMATCH);
    CHECK(strstr(error.message, "6 rows") && strstr(error.message, "4 ids") &&
          strstr(error.message, "--allow-padding"));
    options.allow_padding = true;
    CHECK(extract(in_root("mismatch"), out, &options, &error) == WL_OK && entries("mismatch") == 3);
    CHECK(unlink(out) == 0);
    put_text("mismatch/tokenizer.json", more);
    CHECK(extract(in_root("mismatch"), out, &options, &error) == WL_ERROR_MISMATCH && strstr(error.message, "7 ids"));
    put_text("mismatch/tokenizer.json", added);
    CHECK(extract(in_root("mismatch"), out, &options, &error) == WL_OK && strstr(notes, "1 added token"));
    options.allow_padding = false;
    CHECK(extract(in_root("mismatch"), out, &options, &error) == WL_ERROR_MISMATCH);
    put_text("mismatch/tokenizer.json", "{\"model\":");
    CHECK(extract(in_root("mismatch"), out, &options, &error) == WL_ERROR_FORMAT);
    options.tokenizer = in_root("plain/tokenizer.json");
    CHECK(extract(in_root("mismatch"), out, &options, &error) == WL_OK);
    CHECK(wl_path_exists(in_root("mismatch/out.tokenizer.json")));

    /* Never over what is being read. */
    CHECK(extract(in_root("mismatch"), in_root("mismatch/model.safetensors"), &options, &error) == WL_ERROR_ARGUMENT);
    CHECK(holds_table(in_root("out/a.safetensors"), table));
    CHECK(extract(in_root("mismatch"), in_root("none/out.safetensors"), &options, &error) == WL_ERROR_NOT_FOUND);
    CHECK(extract(in_root("nowhere"), out, &options, &error) == WL_ERROR_NOT_FOUND);
    CHECK(extract("no_such_config", out, &options, &error) == WL_ERROR_NOT_FOUND &&
          strstr(error.message, "no config of that name"));
    CHECK(wl_extract(NULL, out, NULL, NULL, &error) == WL_ERROR_ARGUMENT);
    make_folder("empty");
    CHECK(extract(in_root("empty"), out, &options, &error) == WL_ERROR_NOT_FOUND && strstr(error.message, "no model"));
    put_text("empty/a.safetensors", "x");
    put_text("empty/b.safetensors", "x");
    CHECK(extract(in_root("empty"), out, &options, &error) == WL_ERROR_NOT_FOUND &&
          strstr(error.message, "several model files"));
    options.file = "b.safetensors";
    CHECK(extract(in_root("empty"), out, &options, &error) == WL_ERROR_FORMAT);
    options.file = "c.safetensors";
    CHECK(extract(in_root("empty"), out, &options, &error) == WL_ERROR_NOT_FOUND);
    options.file = NULL;

    static const made shapes[] = {{"model.embed_tokens.weight", WL_F32, ROWS * DIM, 0, table},
                                  {"model.embed_tokens.weight", WL_I64, 3, DIM, table}};
    for (size_t i = 0; i < 2; i++) {
        put_tensors("empty/model.safetensors", shapes + i, 1);
        CHECK(extract(in_root("empty"), out, &options, &error) == (i ? WL_ERROR_UNSUPPORTED : WL_ERROR_FORMAT));
    }
    /* A finite number too large for F16 is not made infinite in silence. */
    static float large[ROWS * DIM] = {1, 70000};
    made tensor = {"model.embed_tokens.weight", WL_F32, ROWS, DIM, large};
    put_tensors("empty/model.safetensors", &tensor, 1);
    CHECK(extract(in_root("empty"), in_root("empty/o"), &options, &error) == WL_ERROR_LIMIT &&
          !wl_path_exists(in_root("empty/o")));
    options.stored_as = WL_STORE_F32;
    CHECK(extract(in_root("empty"), in_root("empty/o"), &options, &error) == WL_OK);
}

/* ---- GGUF -------------------------------------------------------------------------------------------------------- */

static void copy_file(const char *from, const char *name)
{
    wl_mapping mapping;
    wl_error error;
    CHECK_THAT(wl_mapping_open(&mapping, from, &error) == WL_OK, "%s", error.message);
    put(name, mapping.data, mapping.size);
    wl_mapping_close(&mapping);
}

/* Parts of one model, of which the table is in whichever; the blocks themselves are test_gguf's. */
static void test_gguf_parts(void)
{
    wl_error error;
    wl_extract_options f32 = {.stored_as = WL_STORE_F32};
    make_folder("gguf");
    for (int i = 1; i <= 3; i++) {
        char from[1100], name[64];
        snprintf(from, sizeof from, WL_TEST_DATA "/golden/gguf/split-%05d-of-00003.gguf", i);
        snprintf(name, sizeof name, "gguf/split-%05d-of-00003.gguf", i);
        copy_file(from, name);
    }
    wl_extracted out;
    f32.size = sizeof f32;
    CHECK_THAT(wl_extract(in_root("gguf"), in_root("out/gguf.safetensors"), &f32, &out, &error) == WL_OK, "%s",
               error.message);
    CHECK(strcmp(out.tensor, "token_embd.weight") == 0 && out.rows && out.dim);
    CHECK(wl_extract(in_root("gguf/split-00003-of-00003.gguf"), in_root("out/gguf.safetensors"), &f32, &out, &error) ==
          WL_OK);
    /* Renamed, so that the others are not found. */
    CHECK(rename(in_root("gguf/split-00002-of-00003.gguf"), in_root("gguf/split-00002-of-00004.gguf")) == 0);
    CHECK(extract(in_root("gguf/split-00002-of-00004.gguf"), in_root("out/none"), &f32, &error) == WL_ERROR_FORMAT &&
          strstr(error.message, "is part 2 of 3"));
    CHECK(!wl_path_exists(in_root("out/none")));
}

int main(void)
{
    if (!stage_begin()) return EXIT_FAILURE;
    test_names();
    test_plain();
    test_shards();
    test_scales();
    test_layouts();
    test_mismatch();
    test_gguf_parts();
    stage_end();
    return test_end();
}
