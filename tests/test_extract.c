/* Extraction as a whole: models of every layout in, a codebook out; what is refused leaves nothing behind. */
#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "extract/checkpoint.h"
#include "extract/config.h"
#include "extract/names.h"
#include "extract/parts.h"
#include "fault.h"
#include "format/half.h"
#include "format/json.h"
#include "format/safetensors_write.h"
#include "hub.h"
#include "test.h"
#include "wordllama_train.h"

static char root[] = "/tmp/wl_test_extract.XXXXXX";
static char notes[4096];

static void note(void *user, const char *text)
{
    (void)user;
    size_t used = strlen(notes);
    snprintf(notes + used, sizeof notes - used, "%s\n", text);
}

/* root/name, in one of many buffers that take turns. */
static const char *in_root(const char *name)
{
    static char paths[128][256];
    static int turn;
    char *path = paths[turn++ % 128];
    snprintf(path, sizeof paths[0], "%s/%s", root, name);
    return path;
}

static void put(const char *name, const void *data, size_t size)
{
    FILE *file = fopen(in_root(name), "wb");
    CHECK(file && fwrite(data, 1, size, file) == size);
    if (file) CHECK(fclose(file) == 0);
}

static void put_text(const char *name, const char *text)
{
    put(name, text, strlen(text));
}

static void make_folder(const char *name)
{
    CHECK(mkdir(in_root(name), 0755) == 0);
}

typedef struct made {
    const char *name;
    wl_dtype dtype;
    uint64_t rows, columns; /* columns 0: a list */
    const void *data;
} made;

static void put_tensors(const char *name, const made *tensors, size_t count)
{
    wl_tensor list[8] = {0};
    wl_buffer header = {0};
    wl_error error;
    for (size_t i = 0; i < count; i++) {
        char *copy = wl_copy_text(tensors[i].name, strlen(tensors[i].name), &error);
        list[i] = (wl_tensor){.name = copy, .dtype = tensors[i].dtype, .rank = tensors[i].columns ? 2 : 1};
        list[i].shape[0] = tensors[i].rows;
        list[i].shape[1] = tensors[i].columns ? tensors[i].columns : 1;
        list[i].count = list[i].shape[0] * list[i].shape[1];
        list[i].bytes = (size_t)list[i].count * wl_dtype_size(list[i].dtype);
        list[i].data = tensors[i].data;
    }
    CHECK(wl_safetensors_header(list, count, NULL, 0, &header, &error) == WL_OK);
    CHECK(wl_safetensors_write(in_root(name), &header, list, count, &error) == WL_OK);
    for (size_t i = 0; i < count; i++) free(list[i].name);
    wl_buffer_free(&header);
}

enum { ROWS = 6, DIM = 4 };

static float table[ROWS * DIM], other[ROWS * DIM];

static void fill_tables(void)
{
    for (int i = 0; i < ROWS * DIM; i++) {
        table[i] = (float)(i - 11) * 0.37f;
        other[i] = (float)i * 0.01f;
    }
}

static const char words[] = "{\"version\":\"1.0\",\"model\":{\"type\":\"WordLevel\",\"unk_token\":\"a\",\"vocab\":"
                            "{\"a\":0,\"b\":1,\"c\":2,\"d\":3,\"e\":4,\"f\":5}}}";

static wl_status extract(const char *source, const char *out, wl_extract_options *options, wl_error *error)
{
    wl_extracted extracted;
    notes[0] = 0;
    options->size = sizeof *options;
    options->message = note;
    return wl_extract(source, out, options, &extracted, error);
}

/* The table of a codebook as floats; the caller frees it. */
static float *read_codebook(const char *path, uint64_t rows, uint64_t dim, wl_dtype dtype)
{
    wl_safetensors file;
    wl_error error;
    float *out = NULL;
    wl_status status = wl_safetensors_open(&file, path, &error);
    CHECK_THAT(status == WL_OK, "%s", error.message);
    if (status) return NULL;
    const wl_tensor *tensor = wl_safetensors_find(&file, "embedding.weight");
    CHECK(tensor && tensor->rank == 2 && tensor->shape[0] == rows && tensor->shape[1] == dim && tensor->dtype == dtype);
    if (tensor && tensor->count == rows * dim && tensor->dtype == dtype && (out = calloc(tensor->count, sizeof *out)))
        for (uint64_t i = 0; i < tensor->count; i++) {
            uint16_t half = 0;
            if (dtype == WL_F32) memcpy(&out[i], tensor->data + 4 * i, 4);
            if (dtype != WL_F32) memcpy(&half, tensor->data + 2 * i, 2);
            if (dtype == WL_F16) out[i] = wl_f16_to_f32(half);
            if (dtype == WL_BF16) out[i] = wl_bf16_to_f32(half);
        }
    wl_safetensors_close(&file);
    return out;
}

static bool holds_table(const char *path, const float *expected)
{
    float *found = read_codebook(path, ROWS, DIM, WL_F32);
    bool same = found && memcmp(found, expected, sizeof table) == 0;
    free(found);
    return same;
}

static int entries(const char *folder)
{
    int count = 0;
    DIR *directory = opendir(in_root(folder));
    if (!directory) return -1;
    for (struct dirent *entry; (entry = readdir(directory));) count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

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

static const made plain[] = {{"model.embed_tokens.weight", WL_F32, ROWS, DIM, table},
                             {"lm_head.weight", WL_F32, ROWS, DIM, other}};

static void test_plain(void)
{
    wl_error error;
    make_folder("plain");
    put_tensors("plain/model.safetensors", plain, 2);
    put_text("plain/tokenizer.json", words);
    wl_extract_options f32 = {.stored_as = WL_STORE_F32};
    make_folder("out");
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

/* ---- configs ----------------------------------------------------------------------------------------------------- */

static void test_configs(void)
{
    /* Every one that the reference has had, with its size there. */
    static const struct {
        const char *name;
        uint64_t dim, vocabulary;
    } known[] = {
        {"wordllama_64", 64, 128256},     {"wordllama_128", 128, 128256},
        {"wordllama_256", 256, 128256},   {"wordllama_512", 512, 128256},
        {"wordllama_1024", 1024, 128256}, {"wordllama_2048", 2048, 128256},
        {"llama3_8B", 4096, 128256},      {"llama3_70B", 8192, 128256},
        {"llama2_70B", 8192, 32000},      {"mixtral", 4096, 32000},
        {"mixtral_8x22B", 6144, 32768},   {"miqu", 8192, 32000},
        {"yi_1v5_34B", 7168, 64000},      {"phi3_medium", 5120, 32064},
        {"gemma2_27B", 4608, 256000},     {"command_rplus", 12288, 256000},
        {"dbrx", 6144, 100352},           {"deepseekv2", 5120, 102400},
        {"qwen2_72B", 8192, 152064},      {"openelm_3B", 3072, 32000},
        {"llamaguard", 4096, 32000},      {"deberta_v3_large", 1024, 128100},
        {"l2_supercat", 28672, 32000},    {"l3_supercat", 28672, 128256},
        {"l2p3", 13312, 32000},           {"l2p3_lg", 17408, 32000},
    };
    wl_error error;
    wl_codebook_config config;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        CHECK_THAT(wl_codebook_config_read(known[i].name, &config, &error) == WL_OK, "%s", error.message);
        CHECK_THAT(config.dim == known[i].dim && config.vocabulary == known[i].vocabulary, "%s", known[i].name);
        wl_codebook_config_free(&config);
    }
    const char *const *names;
    size_t count = wl_codebook_configs(&names);
    CHECK(count >= 39);
    for (size_t i = 0; i < count; i++) {
        CHECK_THAT(wl_codebook_config_read(names[i], &config, &error) == WL_OK, "%s", error.message);
        CHECK(config.model && strchr(config.model, '/') && config.pad_token && strcmp(config.name, names[i]) == 0);
        CHECK(i == 0 || strcmp(names[i - 1], names[i]) < 0);
        wl_codebook_config_free(&config);
    }
    static const struct {
        const char *text;
        wl_status status;
    } files[] = {
        {"{\"model\": \"a/b\", \"dim\": 4, \"vocabulary\": 6}", WL_OK},
        {"{\"model\": \"a/b\", \"dim\": 4, \"vocabulary\": 6, \"tensor\": \"lm_head.weight\"}", WL_OK},
        {"{\"model\": \"a/b\", \"dim\": 4}", WL_ERROR_FORMAT},
        {"{\"model\": \"a/b\", \"dim\": 0, \"vocabulary\": 6}", WL_ERROR_FORMAT},
        {"{\"model\": \"a/b\", \"dim\": 4, \"vocabulary\": 6, \"dims\": 5}", WL_ERROR_FORMAT},
        {"{\"model\": \"a/b\", \"dim\": 4, \"dim\": 4, \"vocabulary\": 6}", WL_ERROR_FORMAT},
        {"{\"model\": \"\", \"dim\": 4, \"vocabulary\": 6}", WL_ERROR_FORMAT},
        {"[]", WL_ERROR_FORMAT},
    };
    make_folder("configs");
    setenv("WORDLLAMA_CONFIGS", in_root("configs"), 1);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        put_text("configs/mine.json", files[i].text);
        for (int by_name = 0; by_name < 2; by_name++) {
            wl_status status =
                wl_codebook_config_read(by_name ? "mine" : in_root("configs/mine.json"), &config, &error);
            CHECK_THAT(status == files[i].status, "%s: %s", files[i].text, error.message);
            if (status) CHECK(*error.file);
            if (!status) CHECK(strcmp(config.name, "mine") == 0 && config.dim == 4);
            wl_codebook_config_free(&config);
        }
    }
    CHECK(wl_codebook_config_read("nobody", &config, &error) == WL_ERROR_NOT_FOUND);
    wl_codebook_config_free(&config);

    /* Extraction holds itself to one. */
    wl_extract_options options = {.config = "mine", .stored_as = WL_STORE_F32};
    put_text("configs/mine.json", files[1].text);
    CHECK_THAT(extract(in_root("plain"), in_root("out/k.safetensors"), &options, &error) == WL_OK, "%s", error.message);
    CHECK(holds_table(in_root("out/k.safetensors"), other));
    put_text("configs/mine.json", "{\"model\": \"a/b\", \"dim\": 5, \"vocabulary\": 6}");
    CHECK(extract(in_root("plain"), in_root("out/l.safetensors"), &options, &error) == WL_ERROR_MISMATCH &&
          strstr(error.message, "6 x 5"));
    options.config = "l2_supercat";
    CHECK(extract(in_root("plain"), in_root("out/l.safetensors"), &options, &error) == WL_ERROR_MISMATCH);
    CHECK(!wl_path_exists(in_root("out/l.safetensors")));
    unsetenv("WORDLLAMA_CONFIGS");
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

/* ---- golden checkpoints ------------------------------------------------------------------------------------------ */

typedef struct expectation {
    char tensor[256];
    uint64_t rows, dim;
} expectation;

static bool read_expectation(const char *folder, expectation *out)
{
    char path[1100];
    wl_mapping mapping;
    wl_buffer scratch = {0};
    wl_error error;
    snprintf(path, sizeof path, "%s/expected.json", folder);
    if (wl_mapping_open(&mapping, path, &error)) return false;
    wl_json json;
    wl_text key;
    wl_json_open(&json, mapping.data, mapping.size, path, &scratch, &error);
    wl_json_begin_object(&json);
    while (wl_json_member(&json, &key)) {
        if (wl_text_is(key, "tensor")) {
            wl_text name = wl_json_string(&json);
            snprintf(out->tensor, sizeof out->tensor, "%.*s", (int)name.size, name.data);
        } else if (wl_text_is(key, "rows"))
            out->rows = wl_json_unsigned(&json, UINT32_MAX);
        else if (wl_text_is(key, "dim"))
            out->dim = wl_json_unsigned(&json, UINT32_MAX);
        else
            wl_json_skip(&json);
    }
    bool good = wl_json_close(&json) == WL_OK;
    CHECK_THAT(good, "%s: %s", path, error.message);
    wl_buffer_free(&scratch);
    wl_mapping_close(&mapping);
    return good;
}

static void check_checkpoint(const char *folder)
{
    expectation expected = {0};
    char path[1100];
    wl_mapping mapping;
    wl_error error;
    wl_extracted extracted;
    if (!read_expectation(folder, &expected)) return;
    snprintf(path, sizeof path, "%s/expected.f32", folder);
    if (wl_mapping_open(&mapping, path, &error)) {
        CHECK_THAT(false, "%s", error.message);
        return;
    }
    CHECK(mapping.size == expected.rows * expected.dim * 4);
    wl_extract_options options = {.size = sizeof options, .allow_padding = true, .message = note};
    for (int as = WL_STORE_F16; as <= WL_STORE_F32; as++) {
        static const wl_dtype dtypes[] = {WL_F16, WL_BF16, WL_F32};
        options.stored_as = (wl_stored_as)as;
        notes[0] = 0;
        wl_status status = wl_extract(folder, in_root("out/golden.safetensors"), &options, &extracted, &error);
        CHECK_THAT(status == WL_OK, "%s: %s", folder, error.message);
        if (status) break;
        CHECK_THAT(strcmp(extracted.tensor, expected.tensor) == 0, "%s: %s", folder, extracted.tensor);
        float *found = read_codebook(in_root("out/golden.safetensors"), expected.rows, expected.dim, dtypes[as]);
        size_t wrong = 0;
        for (uint64_t i = 0; found && i < expected.rows * expected.dim; i++) {
            float value;
            memcpy(&value, mapping.data + 4 * i, 4);
            if (as == WL_STORE_F16) value = wl_f16_to_f32(wl_f32_to_f16(value));
            if (as == WL_STORE_BF16) value = wl_bf16_to_f32(wl_f32_to_bf16(value));
            wrong += memcmp(&value, &found[i], 4) != 0;
        }
        CHECK_THAT(found && wrong == 0, "%s: %zu numbers differ", folder, wrong);
        free(found);
    }
    wl_mapping_close(&mapping);
}

static void test_checkpoints(const char *folder)
{
    int count = 0;
    DIR *directory = opendir(folder);
    CHECK_THAT(directory, "%s", folder);
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        char path[1024];
        if (entry->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (!wl_path_is_directory(path)) continue;
        check_checkpoint(path);
        count++;
    }
    if (directory) closedir(directory);
    printf("%d checkpoints of %s\n", count, folder);
    CHECK(count >= 9);
}

/* ---- a model that is larger than memory may be ------------------------------------------------------------------- */

#ifdef __SANITIZE_ADDRESS__
enum { LARGE_ROWS = 2048 };
#else
enum { LARGE_ROWS = 32064 };
#endif

/* Only holes, but for the header: what counts is how much is read and how much memory that takes. The first of 30
 * shards, the others not fetched, as of a model of 70 billion parameters. */
static void test_large(void)
{
    enum { LARGE_DIM = 8192, REST = 1 << 30 };
    uint64_t bytes = (uint64_t)LARGE_ROWS * LARGE_DIM * 2, length = 0;
    char header[512];
    make_folder("large");
    int size =
        snprintf(header, sizeof header,
                 "{\"model.embed_tokens.weight\":{\"dtype\":\"BF16\",\"shape\":[%d,%d],\"data_offsets\":[0,%llu]},"
                 "\"rest\":{\"dtype\":\"BF16\",\"shape\":[%d],\"data_offsets\":[%llu,%llu]}}",
                 LARGE_ROWS, LARGE_DIM, (unsigned long long)bytes, REST, (unsigned long long)bytes,
                 (unsigned long long)bytes + 2ull * REST);
    length = (uint64_t)size;
    put_text("large/model.safetensors.index.json",
             "{\"weight_map\":{\"model.embed_tokens.weight\":\"model-00001-of-00030.safetensors\","
             "\"lm_head.weight\":\"model-00030-of-00030.safetensors\"}}");
    const char *shard = in_root("large/model-00001-of-00030.safetensors");
    FILE *file = fopen(shard, "wb");
    bool whole = file && fwrite(&length, 1, 8, file) == 8 && fwrite(header, 1, (size_t)size, file) == (size_t)size;
    if (file) whole = fclose(file) == 0 && whole;
    whole = whole && truncate(shard, (off_t)(8 + length + bytes + 2ull * REST)) == 0;
    CHECK(whole);
    pid_t child = whole ? fork() : -1;
    if (child == 0) {
        wl_error error;
        wl_extract_options options = {.size = sizeof options};
        wl_extracted extracted;
        wl_status status = wl_extract(in_root("large"), in_root("large/out"), &options, &extracted, &error);
        bool good = status == WL_OK && extracted.rows == LARGE_ROWS && extracted.dim == LARGE_DIM &&
                    extracted.bytes_read < bytes + (1 << 20);
        _exit(good ? 0 : 1);
    }
    int state = -1;
    struct rusage usage = {0};
    if (child > 0) CHECK(waitpid(child, &state, 0) == child);
    CHECK(state == 0 && getrusage(RUSAGE_CHILDREN, &usage) == 0);
    printf("a table of %.2f GB: peak memory %.1f MB\n", (double)bytes / 1e9, (double)usage.ru_maxrss / 1024);
#ifndef __SANITIZE_ADDRESS__
    CHECK(usage.ru_maxrss <= 64 * 1024);
#endif
    wl_remove_tree(in_root("large"));
}

/* ---- faults ------------------------------------------------------------------------------------------------------ */

static void test_faults(void)
{
    static const char *const sources[] = {WL_TEST_DATA "/golden/checkpoints/t5-bin-sharded-F32",
                                          WL_TEST_DATA "/golden/checkpoints/llama-safetensors-sharded-BF16",
                                          WL_TEST_DATA "/golden/gguf/split-00002-of-00003.gguf"};
    if (!fault_available()) return;
    make_folder("faults");
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        wl_error error;
        wl_extract_options options = {.size = sizeof options, .allow_padding = true};
        wl_status status = WL_ERROR_MEMORY;
        size_t nth = 1, without = 0;
        for (;; nth++) {
            unlink(in_root("faults/out"));
            fault_begin(nth);
            status = wl_extract(sources[i], in_root("faults/out"), &options, NULL, &error);
            if (!fault_end()) break;
            bool there = wl_path_exists(in_root("faults/out"));
            without += status == WL_OK; /* the second thread is done without where it cannot be had */
            CHECK_THAT(status == WL_OK ? there : status == WL_ERROR_MEMORY && !there, "%zu of %s: %s", nth, sources[i],
                       error.message);
        }
        CHECK_THAT(status == WL_OK && nth > 20 && without <= 2, "%s: %zu allocations, %zu done without", sources[i],
                   nth, without);
    }
}

/* ---- from the hub ------------------------------------------------------------------------------------------------ */

/* owner/sharded of hub_server.py: two shards of 4 MB, 500 x 256 numbers in the middle of the second. */
static void check_hub(const char *behaviour)
{
    enum { HUB_ROWS = 500, HUB_DIM = 256, TABLE = HUB_ROWS * HUB_DIM * 4 };
    char endpoint[128];
    wl_error error;
    wl_extracted out;
    snprintf(endpoint, sizeof endpoint, "%s/%s", hub_base, behaviour);
    notes[0] = 0;
    wl_hub_options hub = {.size = sizeof hub, .endpoint = endpoint, .message = note};
    wl_extract_options options = {.size = sizeof options, .stored_as = WL_STORE_F32, .hub = &hub};
    wl_status status = wl_extract("owner/sharded", in_root("hub/out.safetensors"), &options, &out, &error);
    CHECK_THAT(status == WL_OK, "%s: %s", behaviour, error.message);
    if (status) return;
    /* Of 8.5 MB: the table, and for each of two headers what is read ahead. */
    CHECK_THAT(out.bytes_read >= TABLE && out.bytes_read <= TABLE + 3 * (1 << 18), "%llu bytes",
               (unsigned long long)out.bytes_read);
    CHECK(strlen(out.revision) == 40 && out.vocabulary == HUB_ROWS);
    float *found = read_codebook(in_root("hub/out.safetensors"), HUB_ROWS, HUB_DIM, WL_F32);
    size_t wrong = 0;
    for (int i = 0; found && i < HUB_ROWS * HUB_DIM; i++) wrong += found[i] != (float)i * 0.5f - 1000;
    CHECK_THAT(found && !wrong, "%s: %zu numbers differ", behaviour, wrong);
    free(found);
}

static void test_hub(void)
{
    int input;
    hub_clear_environment();
    make_folder("hub");
    pid_t server = hub_start_server(&input);
    if (!server) {
        SKIP("extraction from the hub: no python3");
        return;
    }
    static const char *const behaviours[] = {"ok", "cut.1", "token"};
    for (size_t i = 0; i < sizeof behaviours / sizeof *behaviours; i++) {
        char cache[32];
        snprintf(cache, sizeof cache, "hub/cache%zu", i);
        setenv("HF_HUB_CACHE", in_root(cache), 1);
        if (strcmp(behaviours[i], "token") == 0) setenv("HF_TOKEN", "test-token", 1);
        check_hub(behaviours[i]);
        unsetenv("HF_TOKEN");
        /* The shards are not in the cache, not even in part. */
        CHECK(hub_faults(in_root(cache), "models--owner--sharded") == 0);
        CHECK(hub_incomplete(in_root(cache), "models--owner--sharded") == 0);
    }
    wl_error error;
    char endpoint[128];
    snprintf(endpoint, sizeof endpoint, "%s/ok", hub_base);
    wl_hub_options hub = {.size = sizeof hub, .endpoint = endpoint};
    wl_extract_options options = {.size = sizeof options, .hub = &hub};
    static const struct {
        const char *source, *message;
        wl_status status;
    } cases[] = {
        {"owner/stand-in", "weights.bin", WL_ERROR_FORMAT},
        {"owner/nobody", "owner/nobody", WL_ERROR_IO},
        {"owner/gated", "licence", WL_ERROR_IO},
        {"owner/sharded@no-such", "no-such", WL_ERROR_IO},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        wl_status status = wl_extract(cases[i].source, in_root("hub/none"), &options, NULL, &error);
        char text[2000];
        wl_error_format(&error, text, sizeof text);
        CHECK_THAT(status == cases[i].status && strstr(text, cases[i].message), "%s: %d %s", cases[i].source,
                   (int)status, text);
        CHECK(!wl_path_exists(in_root("hub/none")));
    }
    unsetenv("HF_HUB_CACHE");
    hub_stop_server(server, input);
}

int main(int argc, char **argv)
{
    if (!mkdtemp(root)) return EXIT_FAILURE;
    unsetenv("WORDLLAMA_CONFIGS");
    fill_tables();
    test_names();
    test_plain();
    test_shards();
    test_scales();
    test_layouts();
    test_mismatch();
    test_configs();
    test_gguf_parts();
    test_checkpoints(argc > 1 ? argv[1] : WL_TEST_DATA "/golden/checkpoints");
    if (argc < 2) {
        test_faults();
        test_large();
        test_hub();
    }
    wl_remove_tree(root);
    return test_end();
}
