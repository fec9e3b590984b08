/* The packed form: the same ids and vectors as the plain form, damage refused, hostile tables harmless. */
#include "test.h"

#include <dirent.h>
#include <unistd.h>

#include "base/hash.h"
#include "fault.h"
#include "model/model.h"
#include "texts.h"

#include "packed.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WL_SLOW 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define WL_SLOW 1
#endif
#endif
#ifndef WL_SLOW
#define WL_SLOW 0
#endif

static wl_context *context;
static char folder[] = "/tmp/test_packed_XXXXXX";
static char packed_path[64];

/* ---- same ids ---- */

static texts_random texts;
static size_t compared;

static wl_status pack_text(wl_text json, const char *name, wl_tokenizer **plain, wl_error *error)
{
    wl_pack pack = {0};
    *plain = wl_tokenizer_parse(json.data, json.size, name, error);
    wl_status status = *plain ? wl_pack_tokenizer(&pack, *plain, json, error) : error->code;
    if (!status) status = wl_pack_write(&pack, packed_path, error);
    wl_pack_free(&pack);
    return status;
}

static void compare_text(const wl_tokenizer *plain, const wl_tokenizer *packed, wl_text text, const char *name)
{
    static texts_encoded a, b;
    static char out[2][1 << 18];
    for (int round = 0; round < 3; round++) {
        wl_encode_options options = {.size = sizeof options, .special_tokens = round == 2};
        wl_error errors[2] = {{0}, {0}};
        wl_status status = texts_encode(plain, context, text, &options, round, &a, &errors[0]);
        wl_status same = texts_encode(packed, context, text, &options, round, &b, &errors[1]);
        CHECK_THAT(status == same, "%s: %s, %s", name, errors[0].message, errors[1].message);
        if (status || same) return;
        CHECK_THAT(texts_same_ids(&a, &b), "%s: ids of \"%.*s\"", name, (int)text.size, text.data);
        if (round) CHECK(memcmp(a.spans, b.spans, a.count * sizeof *a.spans) == 0);
    }
    size_t sizes[2] = {0, 0};
    wl_error error;
    wl_status status = wl_decode(plain, context, a.ids, a.count, NULL, out[0], sizeof out[0], &sizes[0], &error);
    CHECK(wl_decode(packed, context, a.ids, a.count, NULL, out[1], sizeof out[1], &sizes[1], &error) == status);
    if (!status) CHECK(sizes[0] == sizes[1] && memcmp(out[0], out[1], sizes[0]) == 0);
    compared++;
}

static void compare(const wl_tokenizer *plain, const wl_tokenizer *packed, size_t count, const char *name)
{
    static wl_buffer buffer;
    CHECK(strcmp(wl_tokenizer_kind(plain), wl_tokenizer_kind(packed)) == 0);
    CHECK(wl_tokenizer_vocabulary(plain, true) == wl_tokenizer_vocabulary(packed, true));
    CHECK(plain->scanner == packed->scanner && !plain->cuts == !packed->cuts);
    for (size_t i = 0; i < count; i++) compare_text(plain, packed, texts_random_next(&texts, &buffer), name);
    for (uint32_t id = 0; id < 1000; id++) {
        wl_text a = wl_tokenizer_piece(plain, id), b = wl_tokenizer_piece(packed, id);
        CHECK(a.size == b.size && (!a.size || memcmp(a.data, b.data, a.size) == 0));
    }
}

/* Packs, opens and compares; then packs the packed file, which gives the same bytes. */
static void check_tokenizer(wl_text json, const char *name, size_t count)
{
    wl_error error = {0};
    wl_tokenizer *plain, *packed = NULL;
    wl_status status = pack_text(json, name, &plain, &error);
    if (!plain) return; /* refused in either form */
    CHECK_THAT(!status, "%s: %s", name, error.message);
    packed = wl_tokenizer_open(packed_path, &error);
    CHECK_THAT(packed, "%s: %s", name, error.message);
    if (packed) compare(plain, packed, count, name);
    wl_tokenizer_close(packed);
    wl_tokenizer_close(plain);
    wl_buffer first = {0}, second = {0};
    CHECK(texts_file(packed_path, &first));
    CHECK(wl_tokenizer_pack(packed_path, packed_path, &error) == WL_OK);
    CHECK(texts_file(packed_path, &second));
    CHECK(first.size == second.size && memcmp(first.data, second.data, first.size) == 0);
    wl_buffer_free(&first);
    wl_buffer_free(&second);
}

static bool ends_with(const char *text, const char *ending)
{
    size_t size = strlen(text), length = strlen(ending);
    return size >= length && strcmp(text + size - length, ending) == 0;
}

/* Every file of a folder with that ending; count: random texts for each. Returns the number of files. */
static size_t check_folder(const char *path, const char *ending, size_t count)
{
    DIR *directory = opendir(path);
    size_t files = 0;
    if (!directory) return 0;
    for (struct dirent *entry; (entry = readdir(directory));) {
        char name[1024];
        wl_buffer file = {0};
        if (!ends_with(entry->d_name, ending)) continue;
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        CHECK(texts_file(name, &file));
        check_tokenizer((wl_text){file.data, file.size}, entry->d_name, count);
        wl_buffer_free(&file);
        files++;
    }
    closedir(directory);
    return files;
}

/* The tokenizers of golden/parts/NAME.jsonl: `most` of each file. */
static void check_parts(const char *name, size_t most)
{
    char path[1024];
    wl_buffer file = {0}, scratch = {0};
    wl_error error;
    wl_text line;
    size_t at = 0;
    snprintf(path, sizeof path, "%s/golden/parts/%s", WL_TEST_DATA, name);
    CHECK(texts_file(path, &file));
    for (size_t i = 0; i < most && texts_line(&file, &at, &line); i++) {
        wl_json json;
        wl_text key;
        wl_json_open(&json, line.data, line.size, path, &scratch, &error);
        wl_json_begin_object(&json);
        while (wl_json_member(&json, &key)) {
            bool found = wl_text_is(key, "tokenizer");
            wl_json_peek(&json);
            size_t begin = json.at;
            wl_json_skip(&json);
            if (found) check_tokenizer((wl_text){line.data + begin, json.at - begin}, name, 20);
        }
        CHECK(!wl_json_close(&json));
    }
    wl_buffer_free(&scratch);
    wl_buffer_free(&file);
}

static void test_same_ids(void)
{
    CHECK(check_folder(WL_TEST_DATA "/golden/tokenizers", ".json", 200) > 10);
    CHECK(check_folder(WL_TEST_DATA "/../fuzz/tokenizers", ".json", 200) > 10);
    DIR *directory = opendir(WL_TEST_DATA "/golden/parts");
    size_t files = 0;
    for (struct dirent *entry; directory && (entry = readdir(directory));)
        if (ends_with(entry->d_name, ".jsonl")) check_parts(entry->d_name, WL_SLOW ? 4 : 12), files++;
    if (directory) closedir(directory);
    CHECK(files > 5);
    if (!check_folder(WL_SHARED_DATA "/tokenizers", ".json.gz", WL_SLOW ? 100 : 1000))
        SKIP("no real tokenizers in %s", WL_SHARED_DATA);
    printf("%zu texts compared\n", compared);
}

/* ---- same vectors ---- */

static void embed(const wl_model *model, wl_buffer *out)
{
    static wl_buffer text;
    wl_error error;
    texts.state = 7; /* the same texts for both */
    size_t row = wl_embed_row_size(model, NULL);
    out->size = 0;
    for (int i = 0; i < 100; i++) {
        wl_text one = texts_random_next(&texts, &text);
        if (wl_buffer_reserve(out, row, &error)) abort();
        memset(out->data + out->size, 0, row);
        wl_status status = wl_embed(model, context, &one, 1, NULL, out->data + out->size, row, &error);
        CHECK_THAT(!status || status == WL_ERROR_MISMATCH || status == WL_ERROR_FORMAT, "%s", error.message);
        out->size += row;
    }
}

static void check_model(const char *path)
{
    static wl_buffer plain, packed;
    static const wl_policy policies[] = {WL_POLICY_AUTO, WL_POLICY_WORDLLAMA, WL_POLICY_MODEL2VEC};
    for (size_t i = 0; i < 3; i++) {
        wl_error error = {0};
        wl_model_options options = {.size = sizeof options, .policy = policies[i], .any_vocabulary = i > 0};
        wl_model *model = wl_model_open(path, &options, &error);
        CHECK_THAT(model, "%s: %s", path, error.message);
        if (!model) return;
        CHECK_THAT(!wl_model_pack(path, &options, packed_path, &error), "%s: %s", path, error.message);
        wl_model_options any = {.size = sizeof any, .any_vocabulary = i > 0};
        wl_model *same = wl_model_open(packed_path, &any, &error);
        CHECK_THAT(same, "%s: %s", path, error.message);
        if (!same) abort();
        wl_model_info a = wl_model_describe(model), b = wl_model_describe(same);
        CHECK(!a.packed && b.packed && a.policy == b.policy && a.normalize == b.normalize && a.rows == b.rows);
        CHECK(a.max_tokens == b.max_tokens && a.max_characters == b.max_characters && a.mapped == b.mapped);
        CHECK(a.weighted == b.weighted && a.vocabulary == b.vocabulary);
        embed(model, &plain);
        embed(same, &packed);
        CHECK_THAT(plain.size == packed.size && memcmp(plain.data, packed.data, plain.size) == 0, "%s", path);
        wl_model_close(model);
        wl_model_close(same);
    }
}

static size_t check_models(const char *path)
{
    DIR *directory = opendir(path);
    size_t count = 0;
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        char name[1024], weights[1100];
        static const char *const inside[] = {"%s/model.safetensors", "%s/0_StaticEmbedding/model.safetensors"};
        bool found = false;
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        for (size_t i = 0; i < 2 && entry->d_name[0] != '.'; i++) {
            snprintf(weights, sizeof weights, inside[i], name);
            found |= access(weights, R_OK) == 0;
        }
        if (!found) continue;
        check_model(name);
        count++;
    }
    if (directory) closedir(directory);
    return count;
}

static void test_same_vectors(void)
{
    CHECK(check_models(WL_TEST_DATA "/golden/models") > 10);
    if (!check_models(WL_SHARED_DATA "/models")) SKIP("no models in %s", WL_SHARED_DATA);
    check_models(WL_SHARED_DATA "/models/model2vec-fixtures");
    if (!check_models(WL_TEST_MODELS)) SKIP("no models in %s", WL_TEST_MODELS);
}

/* ---- the file ---- */

static const char *const kinds[] = {"golden/tokenizers/llama.json", "golden/tokenizers/bert_uncased.json",
                                    "golden/tokenizers/unigram.json", "../fuzz/tokenizers/gpt2.json",
                                    "../fuzz/tokenizers/t5-small.json"};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* A packed tokenizer as bytes. */
static void read_packed(size_t kind, wl_buffer *out)
{
    char path[1024];
    wl_error error;
    snprintf(path, sizeof path, "%s/%s", WL_TEST_DATA, kinds[kind]);
    CHECK_THAT(!wl_tokenizer_pack(path, packed_path, &error), "%s: %s", path, error.message);
    CHECK(texts_file(packed_path, out));
}

/* Opens a copy of the bytes as a packed file, and uses it where that goes; *status is what came of opening. */
static wl_status try_open(const char *data, size_t size, wl_error *error)
{
    wl_safetensors file;
    char *copy = malloc(size ? size : 1);
    if (!copy) abort();
    memcpy(copy, data, size);
    error->code = WL_OK;
    error->message[0] = 0;
    wl_tokenizer *tokenizer = packed_open(&file, copy, size, error);
    if (tokenizer) packed_use(tokenizer, context);
    wl_status status = tokenizer ? WL_OK : error->code;
    CHECK(tokenizer || (status && error->message[0]));
    packed_close(&file, tokenizer);
    return status;
}

static size_t header_size(const wl_buffer *file)
{
    uint64_t length;
    memcpy(&length, file->data, sizeof length);
    return (size_t)length + 8;
}

static void test_layout(void)
{
    wl_buffer bytes = {0};
    wl_error error;
    for (size_t kind = 0; kind < KINDS; kind++) {
        read_packed(kind, &bytes);
        wl_safetensors file;
        CHECK(wl_safetensors_open(&file, packed_path, &error) == WL_OK);
        for (size_t i = 0; i < file.count; i++) {
            const wl_tensor *tensor = &file.tensors[i];
            size_t alignment = tensor->bytes % 64 ? wl_dtype_size(tensor->dtype) : 64;
            CHECK_THAT(tensor->offset % alignment == 0, "%s", tensor->name);
        }
        CHECK(header_size(&bytes) % 64 == 0);
        wl_safetensors_close(&file);
    }
    wl_buffer_free(&bytes);
    /* What tables in files rest on: a change of either is a new version of the packed form. */
    const char text[64] = "the quick brown fox";
    CHECK(wl_hash_bytes(text, 19) == UINT64_C(0xA4A09B06C839E9AA));
    CHECK(wl_hash_integer(1) == UINT64_C(0x1155780EEDA5205E));
    CHECK(wl_checksum(0, text, 19) == UINT64_C(0x127DE8015BFD6FAB));
}

/* ---- damage ---- */

static void test_damage(void)
{
    static const unsigned char flips[] = {0x01, 0x20, 0x80, 0xFF};
    for (size_t kind = 0; kind < KINDS; kind++) {
        wl_buffer file = {0};
        wl_error error;
        read_packed(kind, &file);
        CHECK(try_open(file.data, file.size, &error) == WL_OK);
        size_t header = header_size(&file);
        for (size_t at = 0; at < header; at += WL_SLOW ? 3 : 1) {
            unsigned char flip = flips[at / 3 % 4];
            file.data[at] = (char)(file.data[at] ^ flip);
            CHECK_THAT(try_open(file.data, file.size, &error), "byte %zu of %s", at, kinds[kind]);
            file.data[at] = (char)(file.data[at] ^ flip);
        }
        for (size_t i = 0; i < (WL_SLOW ? 200 : 2000); i++) {
            size_t at = header + texts_below(&texts, file.size - header);
            char flip = (char)(1u << texts_below(&texts, 8));
            file.data[at] ^= flip;
            CHECK_THAT(try_open(file.data, file.size, &error) == WL_ERROR_FORMAT, "byte %zu of %s", at, kinds[kind]);
            file.data[at] ^= flip;
        }
        for (size_t size = 0; size < file.size; size += 4096)
            CHECK_THAT(try_open(file.data, size, &error) == WL_ERROR_FORMAT, "%zu bytes of %s", size, kinds[kind]);
        CHECK(try_open(file.data, file.size - 1, &error) == WL_ERROR_FORMAT);
        wl_buffer_free(&file);
    }
}

/* Damage with a right checksum: anything but a crash, an endless loop or a read outside. */
static void test_hostile(void)
{
    static const uint32_t values[] = {0, 1, UINT32_MAX, UINT32_MAX - 1, 0x80000000, 0x7FFFFFFF, 0x80, 0xFF, 255, 65536};
    size_t opened = 0, rounds = WL_SLOW ? 300 : 3000;
    for (size_t kind = 0; kind < KINDS; kind++) {
        wl_buffer file = {0};
        wl_error error;
        read_packed(kind, &file);
        char *damaged = malloc(file.size);
        if (!damaged) abort();
        for (size_t i = 0; i < rounds; i++) {
            memcpy(damaged, file.data, file.size);
            size_t header = header_size(&file), times = 1 + texts_below(&texts, 4);
            /* Places among all bytes, or those at the end, where the small tables are. */
            size_t from = texts_below(&texts, 2) || file.size < header + 20000 ? header : file.size - 20000;
            if (texts_below(&texts, 16) == 0) from = 8;
            for (size_t j = 0; j < times; j++) {
                size_t at = from + texts_below(&texts, file.size - from - 4);
                uint32_t value = values[texts_below(&texts, sizeof values / sizeof *values)];
                if (texts_below(&texts, 2))
                    memcpy(damaged + (at & ~(size_t)3), &value, 4);
                else
                    damaged[at] = (char)value;
            }
            packed_mend(damaged, file.size);
            opened += !try_open(damaged, file.size, &error);
        }
        free(damaged);
        wl_buffer_free(&file);
    }
    printf("%zu of %zu damaged files opened\n", opened, rounds * KINDS);
    CHECK(opened > rounds / 4 && opened < rounds * KINDS);
}

/* A table filled whole, with a right checksum, is refused. */
static void check_filled(const wl_buffer *file, const char *tensor, uint32_t value)
{
    wl_error error;
    wl_safetensors parsed;
    char *damaged = malloc(file->size);
    if (!damaged) abort();
    memcpy(damaged, file->data, file->size);
    CHECK(wl_safetensors_open(&parsed, packed_path, &error) == WL_OK);
    const wl_tensor *found = wl_safetensors_find(&parsed, tensor);
    CHECK_THAT(found, "%s", tensor);
    for (size_t i = 0; found && i + 4 <= found->bytes; i += 4) memcpy(damaged + found->offset + i, &value, 4);
    packed_mend(damaged, file->size);
    CHECK_THAT(try_open(damaged, file->size, &error) == WL_ERROR_FORMAT, "%s of %u: %s", tensor, value, error.message);
    wl_safetensors_close(&parsed);
    free(damaged);
}

static void test_filled(void)
{
    wl_buffer file = {0};
    read_packed(0, &file);
    check_filled(&file, "tokenizer.slots", 1);
    check_filled(&file, "tokenizer.slots", UINT32_MAX);
    check_filled(&file, "tokenizer.slots", 0x01000000); /* a tag without a piece */
    check_filled(&file, "tokenizer.merges", 1);
    check_filled(&file, "tokenizer.ids", UINT32_MAX);
    check_filled(&file, "tokenizer.pieces", UINT32_MAX);
    check_filled(&file, "tokenizer.bytes", 0x80808080);
    check_filled(&file, "tokenizer.cuts", 0);
    read_packed(2, &file);
    check_filled(&file, "tokenizer.trie", 0x7FFFFFFF);
    wl_buffer_free(&file);
}

/* Replaces what stands in the header by something of the same length. */
static wl_status open_with(const wl_buffer *file, const char *from, const char *to, wl_error *error)
{
    char *copy = malloc(file->size);
    if (!copy) abort();
    memcpy(copy, file->data, file->size);
    size_t length = strlen(from), at = 8;
    while (at + length < file->size && memcmp(copy + at, from, length) != 0) at++;
    CHECK_THAT(at + length < file->size, "%s", from);
    memcpy(copy + at, to, length);
    packed_mend(copy, file->size);
    wl_status status = try_open(copy, file->size, error);
    free(copy);
    return status;
}

/* A tokenizer whose units have another size: refused, and nothing that was lent is freed. */
static void check_units(void)
{
    static const char path[] = WL_TEST_DATA "/golden/tokenizers/llama.json";
    wl_buffer json = {0}, file = {0};
    wl_error error;
    wl_pack pack = {0};
    CHECK(texts_file(path, &json));
    wl_tokenizer *plain = wl_tokenizer_parse(json.data, json.size, path, &error);
    if (!plain || wl_pack_tokenizer(&pack, plain, (wl_text){json.data, json.size}, &error)) abort();
    for (size_t i = 0; i < pack.count; i++)
        if (strcmp(pack.tensors[i].name, "tokenizer.units") == 0) {
            pack.tensors[i].shape[0] = 128;
            pack.tensors[i].bytes = 128 * 8;
        }
    CHECK(!wl_pack_write(&pack, packed_path, &error));
    CHECK(texts_file(packed_path, &file));
    CHECK(try_open(file.data, file.size, &error) == WL_ERROR_FORMAT);
    CHECK_THAT(strstr(error.message, "65536"), "%s", error.message);
    wl_pack_free(&pack);
    wl_tokenizer_close(plain);
    wl_buffer_free(&json);
    wl_buffer_free(&file);
}

static void test_versions(void)
{
    wl_buffer file = {0};
    wl_error error;
    read_packed(0, &file);
    CHECK(open_with(&file, "wordllama.packed\":\"1\"", "wordllama.packed\":\"2\"", &error) == WL_ERROR_UNSUPPORTED);
    CHECK_THAT(strstr(error.message, "version 2, this library reads up to 1"), "%s", error.message);
    CHECK(open_with(&file, "wordllama.packed\":\"1\"", "wordllama.packed\":\"0\"", &error) == WL_ERROR_FORMAT);
    CHECK(open_with(&file, "wordllama.packed\":\"1\"", "wordllama.packed\":\"x\"", &error) == WL_ERROR_FORMAT);
    CHECK(open_with(&file, "wordllama.packed", "wordllama.pucked", &error) == WL_ERROR_FORMAT);
    CHECK(open_with(&file, "wordllama.checksum", "wordllama.checksam", &error) == WL_ERROR_FORMAT);
    CHECK(open_with(&file, "tokenizer.slots", "tokenizer.slits", &error) == WL_ERROR_FORMAT);
    CHECK_THAT(strstr(error.message, "'tokenizer.slots' is missing"), "%s", error.message);
    CHECK(open_with(&file, "tokenizer.units", "tokenizer.unots", &error) == WL_ERROR_FORMAT);
    CHECK(open_with(&file, "tokenizer.merges", "tokenizer.merked", &error) == WL_ERROR_FORMAT);
    CHECK(open_with(&file, "tokenizer.units\":{\"dtype\":\"U32\"", "tokenizer.units\":{\"dtype\":\"F32\"", &error) ==
          WL_ERROR_FORMAT);
    check_units();
    wl_buffer_free(&file);
    CHECK(!wl_tokenizer_open(WL_TEST_DATA "/golden/models/wordllama-f32/model.safetensors", &error));
    CHECK(error.code == WL_ERROR_FORMAT);
    CHECK(wl_tokenizer_pack(NULL, packed_path, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_model_pack("x", NULL, NULL, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_model_pack(NULL, NULL, NULL, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_model_pack("nowhere", NULL, packed_path, NULL) == WL_ERROR_NOT_FOUND);
    CHECK(wl_tokenizer_pack("nowhere", packed_path, NULL) == WL_ERROR_NOT_FOUND);
}

/* ---- failing memory ---- */

static void test_memory(void)
{
    if (!fault_available()) {
        SKIP("failing allocations: the linker does not wrap malloc");
        return;
    }
    static const char *const models[] = {"wordllama-f16", "model2vec-f16-weights-f32-mapping-i32"};
    for (size_t i = 0; i < 2; i++) {
        char source[1024];
        snprintf(source, sizeof source, "%s/golden/models/%s", WL_TEST_DATA, models[i]);
        for (size_t nth = 1;; nth++) {
            wl_error error = {0};
            fault_begin(nth);
            wl_status status = wl_model_pack(source, NULL, packed_path, &error);
            if (!fault_end()) {
                CHECK_THAT(!status, "%s", error.message);
                break;
            }
            CHECK_THAT(status == WL_ERROR_MEMORY || !status, "allocation %zu: %s", nth, error.message);
        }
        for (size_t nth = 1;; nth++) {
            wl_error error = {0};
            fault_begin(nth);
            wl_model *model = wl_model_open(packed_path, NULL, &error);
            wl_model_close(model);
            wl_tokenizer *tokenizer = model ? wl_tokenizer_open(packed_path, &error) : NULL;
            wl_tokenizer_close(tokenizer);
            if (!fault_end()) {
                CHECK_THAT(tokenizer, "%s", error.message);
                break;
            }
            CHECK_THAT(tokenizer || error.code == WL_ERROR_MEMORY, "allocation %zu: %s", nth, error.message);
        }
    }
}

int main(void)
{
    wl_error error;
    wl_context_options options = {.size = sizeof options, .threads = 1, .cache_megabyte = 1};
    context = wl_context_create(&options, &error);
    if (!context || !mkdtemp(folder) || !texts_random_open(&texts, WL_TEST_DATA "/golden/ids_pieces.json")) abort();
    snprintf(packed_path, sizeof packed_path, "%s/packed.safetensors", folder);
    test_layout();
    test_versions();
    test_filled();
    test_memory();
    test_damage();
    test_hostile();
    test_same_ids();
    test_same_vectors();
    unlink(packed_path);
    rmdir(folder);
    texts_random_close(&texts);
    wl_context_free(context);
    return test_end();
}
