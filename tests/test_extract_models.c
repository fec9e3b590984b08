/* Extraction held to configs, to checkpoints that transformers and gguf wrote, to memory, to faults, and from the hub.
 * With a folder as argument: to all checkpoints in it (make parity-extract). */
#include <sys/resource.h>

#include "extract/config.h"
#include "extraction.h"
#include "fault.h"
#include "format/json.h"
#include "hub.h"

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

/* Whether the folder is one. */
static bool check_checkpoint(const char *folder)
{
    expectation expected = {0};
    char path[1100];
    wl_mapping mapping;
    wl_error error;
    wl_extracted extracted;
    if (!read_expectation(folder, &expected)) return false;
    snprintf(path, sizeof path, "%s/expected.f32", folder);
    if (wl_mapping_open(&mapping, path, &error)) {
        CHECK_THAT(false, "%s", error.message);
        return true;
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
    return true;
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
        count += check_checkpoint(path);
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
    if (!stage_begin()) return EXIT_FAILURE;
    test_checkpoints(argc > 1 ? argv[1] : WL_TEST_DATA "/golden/checkpoints");
    if (argc < 2) {
        test_configs();
        test_faults();
        test_large();
        test_hub();
    }
    stage_end();
    return test_end();
}
