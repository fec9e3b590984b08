/* GGUF files: what is in them, the block types against the package gguf (golden/gguf, tools/golden_gguf.py), and what
 * is refused. */
#include "fault.h"
#include "test.h"

#include "base/file.h"
#include "gguf.h"

#define GOLDEN WL_TEST_DATA "/golden/gguf"

/* ---- block types ------------------------------------------------------------------------------------------------- */

/* The bits of a NaN are those of x86-64's arithmetic. */
static bool same_bits(float a, float b)
{
#ifndef __x86_64__
    if (a != a && b != b) return true;
#endif
    return memcmp(&a, &b, sizeof a) == 0;
}

static void test_types(void)
{
    wl_error error;
    wl_reader reader;
    wl_gguf gguf;
    wl_tensors tensors = {0};
    wl_mapping expected;
    CHECK(wl_mapping_open(&expected, GOLDEN "/types.f32", &error) == WL_OK);
    CHECK(wl_reader_open(&reader, GOLDEN "/types.gguf", &error) == WL_OK);
    CHECK_THAT(wl_gguf_open(&gguf, &reader, &tensors, &error) == WL_OK, "%s", error.message);
    CHECK(tensors.count == 16);
    size_t at = 0;
    for (size_t i = 0; i < tensors.count; i++) {
        const wl_stored *tensor = &tensors.items[i];
        CHECK_THAT(tensor->encoding && strcmp(tensor->type, tensor->encoding->name) == 0 &&
                       strncmp(tensor->name, tensor->type, strlen(tensor->type)) == 0 && tensor->rank == 2,
                   "%s is %s", tensor->name, tensor->type);
        if (!tensor->encoding) continue;
        size_t blocks = (size_t)(tensor->bytes / tensor->encoding->bytes), count = blocks * tensor->encoding->elements;
        CHECK(tensor->shape[0] == blocks && tensor->shape[1] == tensor->encoding->elements);
        /* Where the buffers end a sanitizer watches; the blocks lie unaligned. */
        unsigned char *bytes = malloc((size_t)tensor->bytes + 1);
        float *found = malloc(count * sizeof *found);
        if (!bytes || !found) exit(EXIT_FAILURE);
        CHECK(wl_reader_read(&reader, tensor->offset, bytes + 1, (size_t)tensor->bytes, &error) == WL_OK);
        CHECK(at + count * sizeof *found <= expected.size);
        tensor->encoding->decode(bytes + 1, blocks, found);
        size_t wrong = 0;
        for (size_t j = 0; j < count; j++, at += sizeof *found) {
            float value;
            memcpy(&value, expected.data + at, sizeof value);
            wrong += !same_bits(value, found[j]);
        }
        CHECK_THAT(wrong == 0, "%s: %zu of %zu numbers differ", tensor->type, wrong, count);
        free(bytes);
        free(found);
    }
    CHECK(at == expected.size);
    wl_mapping_close(&expected);
    wl_gguf_close(&gguf);
    wl_tensors_free(&tensors);
    wl_reader_close(&reader);
}

static void test_type_numbers(void)
{
    CHECK(wl_encoding_of_ggml(0) == &wl_encoding_f32 && wl_encoding_of_ggml(1) == &wl_encoding_f16);
    CHECK(wl_encoding_of_ggml(28) == &wl_encoding_f64 && wl_encoding_of_ggml(30) == &wl_encoding_bf16);
    CHECK(strcmp(wl_ggml_name(12), "Q4_K") == 0 && strcmp(wl_ggml_name(16), "IQ2_XXS") == 0);
    CHECK(!wl_encoding_of_ggml(16) && !wl_encoding_of_ggml(42) && !wl_encoding_of_ggml(UINT32_MAX));
    CHECK(!wl_ggml_name(42) && !wl_ggml_name(UINT32_MAX));
    for (uint32_t type = 0; type < 42; type++) {
        const wl_encoding *encoding = wl_encoding_of_ggml(type);
        CHECK(wl_ggml_name(type) && strlen(wl_ggml_name(type)) < sizeof((wl_stored *)0)->type);
        if (encoding) CHECK(strcmp(encoding->name, wl_ggml_name(type)) == 0 && encoding->elements && encoding->bytes);
    }
}

/* ---- what is read ------------------------------------------------------------------------------------------------ */

static void test_parts(void)
{
    static const char *const names[] = {"output_norm.weight", "token_embd.weight", "output.weight"};
    for (unsigned i = 0; i < 3; i++) {
        char path[1024];
        wl_error error;
        wl_reader reader;
        wl_gguf gguf;
        wl_tensors tensors = {0};
        float numbers[12];
        snprintf(path, sizeof path, "%s/split-0000%u-of-00003.gguf", GOLDEN, i + 1);
        CHECK(wl_reader_open(&reader, path, &error) == WL_OK);
        CHECK_THAT(wl_gguf_open(&gguf, &reader, &tensors, &error) == WL_OK, "%s", error.message);
        CHECK(gguf.part == i && gguf.parts == 3 && tensors.count == 1);
        const wl_stored *tensor = wl_tensors_find(&tensors, names[i]);
        CHECK(tensor && tensor->bytes == sizeof numbers);
        if (tensor) {
            CHECK(i ? tensor->rank == 2 && tensor->shape[0] == 3 && tensor->shape[1] == 4
                    : tensor->rank == 1 && tensor->shape[0] == 12);
            CHECK(wl_reader_read(&reader, tensor->offset, numbers, sizeof numbers, &error) == WL_OK);
            for (unsigned j = 0; j < 12; j++) CHECK(numbers[j] == (float)(i + j));
        }
        wl_gguf_close(&gguf);
        wl_tensors_free(&tensors);
        wl_reader_close(&reader);
    }
}

/* A value of each type, and two tensors, one of a type from the future. */
static void put_sample(wl_buffer *file, uint64_t version)
{
    static const uint64_t dims[] = {32, 3, 2};
    static const char *const words[] = {"one", "", "three\xE2\x96\x81"};
    put_header(file, version, 2, 18);
    put_key(file, "u8", WL_GGUF_U8), put_number(file, 200, 1);
    put_key(file, "i8", WL_GGUF_I8), put_number(file, 0x80, 1);
    put_key(file, "u16", WL_GGUF_U16), put_number(file, 0xFFFF, 2);
    put_key(file, "i16", WL_GGUF_I16), put_number(file, 0x7FFF, 2);
    put_key(file, "u32", WL_GGUF_U32), put_number(file, 0xFFFFFFFF, 4);
    put_key(file, "i32", WL_GGUF_I32), put_number(file, 0xFFFFFFFF, 4);
    put_key(file, "f32", WL_GGUF_F32), put_number(file, 0x3F000000, 4);
    put_key(file, "true", WL_GGUF_BOOL), put_number(file, 1, 1);
    put_key(file, "odd", WL_GGUF_BOOL), put_number(file, 2, 1);
    put_text(file, "text", "a text");
    put_key(file, "u64", WL_GGUF_U64), put_number(file, UINT64_MAX, 8);
    put_key(file, "i64", WL_GGUF_I64), put_number(file, INT64_MAX, 8);
    put_key(file, "f64", WL_GGUF_F64), put_number(file, 0x3FE0000000000000, 8);
    put_strings(file, "words", words, 3);
    put_array(file, "bytes", WL_GGUF_I8, 3), put_bytes(file, "\1\xFF\x80", 3);
    put_array(file, "floats", WL_GGUF_F32, 2), put_number(file, 0x3F800000, 4), put_number(file, 0xBF000000, 4);
    put_array(file, "doubles", WL_GGUF_F64, 1), put_number(file, 0xC000000000000000, 8);
    put_key(file, "general.alignment", WL_GGUF_U32), put_number(file, 64, 4);
    put_tensor(file, "known", 3, dims, 8, 64);
    put_tensor(file, "future", 2, dims, 77, 0);
    put_data(file, 64, 64 + 6 * 34);
}

static void test_values(wl_gguf *gguf)
{
    wl_error error;
    uint64_t number = 7;
    bool flag = false;
    wl_buffer text = {0};
    static const struct {
        const char *key;
        uint64_t value;
    } numbers[] = {{"u8", 200},         {"u16", 0xFFFF},     {"i16", 0x7FFF},
                   {"u32", 0xFFFFFFFF}, {"u64", UINT64_MAX}, {"i64", INT64_MAX}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        CHECK_THAT(wl_gguf_unsigned(gguf, numbers[i].key, &number, &error) == WL_OK && number == numbers[i].value, "%s",
                   numbers[i].key);
    CHECK(wl_gguf_unsigned(gguf, "none", &number, &error) == WL_OK && number == INT64_MAX);
    CHECK(wl_gguf_unsigned(gguf, "i8", &number, &error) == WL_ERROR_FORMAT && strstr(error.message, "negative"));
    CHECK(wl_gguf_unsigned(gguf, "i32", &number, &error) == WL_ERROR_FORMAT);
    CHECK(wl_gguf_unsigned(gguf, "f32", &number, &error) == WL_ERROR_FORMAT && strstr(error.message, "a float32"));
    CHECK(wl_gguf_unsigned(gguf, "true", &number, &error) == WL_ERROR_FORMAT);
    CHECK(wl_gguf_unsigned(gguf, "bytes", &number, &error) == WL_ERROR_FORMAT &&
          strstr(error.message, "array of int8"));
    CHECK(wl_gguf_boolean(gguf, "true", &flag, &error) == WL_OK && flag);
    CHECK(wl_gguf_boolean(gguf, "none", &flag, &error) == WL_OK && flag);
    CHECK(wl_gguf_boolean(gguf, "odd", &flag, &error) == WL_ERROR_FORMAT);
    CHECK(wl_gguf_boolean(gguf, "u8", &flag, &error) == WL_ERROR_FORMAT);
    CHECK(wl_gguf_string(gguf, "none", &text, &error) == WL_OK && text.size == 0);
    CHECK(wl_gguf_string(gguf, "text", &text, &error) == WL_OK && wl_gguf_string(gguf, "text", &text, &error) == WL_OK);
    CHECK(text.size == 12 && memcmp(text.data, "a texta text", 12) == 0);
    CHECK(wl_gguf_string(gguf, "u8", &text, &error) == WL_ERROR_FORMAT);
    CHECK(wl_gguf_string(gguf, "words", &text, &error) == WL_ERROR_FORMAT && strstr(error.message, "array of string"));
    wl_buffer_free(&text);
}

static void test_arrays(wl_gguf *gguf)
{
    static const struct {
        const char *key;
        size_t count;
        double values[3];
    } arrays[] = {{"bytes", 3, {1, -1, -128}}, {"floats", 2, {1, -0.5}}, {"doubles", 1, {-2}}};
    wl_error error;
    wl_gguf_walk walk;
    wl_buffer text = {0};
    double number;
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) {
        CHECK(wl_gguf_array(gguf, arrays[i].key, &walk, &error) == WL_OK && walk.left == arrays[i].count);
        for (size_t j = 0; j < arrays[i].count; j++)
            CHECK(wl_gguf_next_number(&walk, &number, &error) == WL_OK && number == arrays[i].values[j]);
        CHECK(wl_gguf_next_number(&walk, &number, &error) == WL_ERROR_FORMAT);
    }
    CHECK(wl_gguf_array(gguf, "words", &walk, &error) == WL_OK && walk.left == 3);
    CHECK(wl_gguf_next_number(&walk, &number, &error) == WL_ERROR_FORMAT);
    CHECK(wl_gguf_next_string(&walk, &text, &error) == WL_OK && text.size == 3 && memcmp(text.data, "one", 3) == 0);
    CHECK(wl_gguf_next_string(&walk, &text, &error) == WL_OK && text.size == 0);
    CHECK(wl_gguf_next_string(&walk, &text, &error) == WL_OK && text.size == 8 && walk.left == 0);
    CHECK(wl_gguf_next_string(&walk, &text, &error) == WL_ERROR_FORMAT);
    CHECK(wl_gguf_array(gguf, "bytes", &walk, &error) == WL_OK);
    CHECK(wl_gguf_next_string(&walk, &text, &error) == WL_ERROR_FORMAT);
    CHECK(wl_gguf_array(gguf, "none", &walk, &error) == WL_OK && walk.left == 0 && !walk.value);
    CHECK(wl_gguf_next_string(&walk, &text, &error) == WL_ERROR_FORMAT);
    CHECK(wl_gguf_array(gguf, "u8", &walk, &error) == WL_ERROR_FORMAT && strstr(error.message, "expected an array"));
    wl_buffer_free(&text);
}

static void test_sample(void)
{
    for (uint64_t version = 2; version <= 3; version++) {
        wl_buffer file = {0};
        wl_error error;
        wl_gguf gguf;
        wl_tensors tensors = {0};
        put_sample(&file, version);
        wl_reader reader = gguf_reader(file.data, file.size);
        CHECK_THAT(wl_gguf_open(&gguf, &reader, &tensors, &error) == WL_OK, "%s", error.message);
        CHECK(gguf.count == 18 && gguf.part == 0 && gguf.parts == 1 && tensors.count == 2);
        CHECK(wl_gguf_find(&gguf, "words") && !wl_gguf_find(&gguf, "word") && !wl_gguf_find(&gguf, ""));
        test_values(&gguf);
        test_arrays(&gguf);
        const wl_stored *known = wl_tensors_find(&tensors, "known"), *future = wl_tensors_find(&tensors, "future");
        CHECK(known && known->rank == 3 && known->shape[0] == 2 && known->shape[1] == 3 && known->shape[2] == 32 &&
              known->shape[3] == 1 && known->bytes == 6 * 34 && known->offset + known->bytes == file.size);
        CHECK(known && future && !future->encoding && strcmp(future->type, "ggml 77") == 0 &&
              known->offset == future->offset + 64);
        wl_gguf_close(&gguf);
        wl_tensors_free(&tensors);
        wl_reader_close(&reader);
        wl_buffer_free(&file);
    }
}

/* ---- what is refused --------------------------------------------------------------------------------------------- */

/* Opens what is in memory, from a copy that ends where it ends; a refusal must say something. */
static wl_status open_bytes(const void *data, size_t size, wl_error *error)
{
    char *copy = malloc(size ? size : 1);
    wl_gguf gguf;
    wl_tensors tensors = {0};
    if (!copy) exit(EXIT_FAILURE);
    if (size) memcpy(copy, data, size);
    wl_reader reader = gguf_reader(copy, size);
    wl_status status = wl_gguf_open(&gguf, &reader, &tensors, error);
    CHECK(!status || (error->code == status && error->message[0] && strcmp(error->file, "memory") == 0));
    wl_gguf_close(&gguf);
    wl_tensors_free(&tensors);
    wl_reader_close(&reader);
    free(copy);
    return status;
}

static void refuse(wl_buffer *file, wl_status status, const char *message)
{
    wl_error error = {0};
    wl_status found = open_bytes(file->data, file->size, &error);
    CHECK_THAT(found == status && strstr(error.message, message), "%s: %s, %s", message, wl_status_name(found),
               error.message);
    file->size = 0;
}

static void test_truncation(void)
{
    wl_buffer file = {0};
    wl_error error;
    put_sample(&file, 3);
    for (size_t size = 0; size < file.size; size++) {
        wl_status status = open_bytes(file.data, size, &error);
        CHECK_THAT(status == WL_ERROR_FORMAT, "%zu bytes: %s", size, wl_status_name(status));
    }
    CHECK(open_bytes(file.data, file.size, &error) == WL_OK);
    wl_buffer_free(&file);
}

static void test_headers(void)
{
    wl_buffer file = {0};
    static const struct {
        uint64_t version;
        const char *message;
    } versions[] = {{0, "big-endian"}, {1, "version 1"}, {4, "version 4"}, {0x03000000, "big-endian"}};
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        put_header(&file, versions[i].version, 0, 0);
        refuse(&file, WL_ERROR_UNSUPPORTED, versions[i].message);
    }
    put_bytes(&file, "GGML\3\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 24);
    refuse(&file, WL_ERROR_FORMAT, "no GGUF");
    static const uint64_t counts[] = {1, 1000, UINT32_MAX, INT64_MAX, UINT64_MAX};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        put_header(&file, 3, counts[i], 0);
        refuse(&file, WL_ERROR_FORMAT, "can hold");
        put_header(&file, 3, 0, counts[i]);
        refuse(&file, WL_ERROR_FORMAT, "can hold");
    }
    wl_buffer_free(&file);
}

static void test_bad_values(void)
{
    wl_buffer file = {0};
    char key[70000];
    memset(key, 'k', sizeof key - 1);
    key[sizeof key - 1] = 0;
    put_header(&file, 3, 0, 1), put_key(&file, key, WL_GGUF_U8), put_number(&file, 0, 1);
    refuse(&file, WL_ERROR_LIMIT, "at most 65535");
    put_header(&file, 3, 0, 1), put_number(&file, 3, 8), put_bytes(&file, "a\0b", 3), put_number(&file, 0, 8);
    refuse(&file, WL_ERROR_FORMAT, "NUL");
    put_header(&file, 3, 0, 1), put_number(&file, UINT64_MAX, 8), put_number(&file, 0, 8);
    refuse(&file, WL_ERROR_FORMAT, "more than the file's rest");
    put_header(&file, 3, 0, 1), put_key(&file, "k", (wl_gguf_type)13), put_number(&file, 0, 8);
    refuse(&file, WL_ERROR_FORMAT, "type 13");
    put_header(&file, 3, 0, 1), put_array(&file, "k", (wl_gguf_type)99, 1), put_number(&file, 0, 8);
    refuse(&file, WL_ERROR_FORMAT, "type 99");
    put_header(&file, 3, 0, 1), put_array(&file, "k", WL_GGUF_ARRAY, 1), put_array(&file, "", WL_GGUF_U8, 0);
    refuse(&file, WL_ERROR_UNSUPPORTED, "array of arrays");
    for (int type = 0; type < WL_GGUF_TYPES; type++) {
        if (type == WL_GGUF_ARRAY) continue;
        put_header(&file, 3, 0, 1), put_array(&file, "k", (wl_gguf_type)type, UINT64_MAX / 4), put_number(&file, 0, 8);
        refuse(&file, WL_ERROR_FORMAT, "more than the file's rest");
    }
    put_header(&file, 3, 0, 1), put_array(&file, "k", WL_GGUF_STRING, 2), put_string(&file, "a"),
        put_number(&file, 9, 8);
    refuse(&file, WL_ERROR_FORMAT, "more than the file's rest");
    put_header(&file, 3, 0, 3), put_text(&file, "a", ""), put_text(&file, "b", ""), put_text(&file, "a", "x");
    refuse(&file, WL_ERROR_FORMAT, "\"a\" twice");
    put_header(&file, 3, 0, 2);
    put_key(&file, "split.no", WL_GGUF_U16), put_number(&file, 2, 2);
    put_key(&file, "split.count", WL_GGUF_U16), put_number(&file, 2, 2);
    refuse(&file, WL_ERROR_FORMAT, "split.no");
    wl_buffer_free(&file);
}

static void test_bad_tensors(void)
{
    wl_buffer file = {0};
    static const uint64_t row[] = {32}, flat[] = {8, 2, 1, 1, 1}, ragged[] = {33}, empty[] = {0},
                          huge[] = {UINT64_C(1) << 40, UINT64_C(1) << 40, 1, 1}, long_row[] = {UINT64_C(1) << 60};
    static const struct {
        uint32_t rank;
        const uint64_t *dims;
        uint32_t type;
        uint64_t offset;
        wl_status status;
        const char *message;
    } cases[] = {
        {5, flat, 0, 0, WL_ERROR_UNSUPPORTED, "5 dimensions"},
        {UINT32_MAX, flat, 0, 0, WL_ERROR_UNSUPPORTED, "dimensions"},
        {1, ragged, 8, 0, WL_ERROR_FORMAT, "blocks of 32"},
        {1, row, 8, 16, WL_ERROR_FORMAT, "multiple of 32"},
        {1, row, 8, 96, WL_ERROR_FORMAT, "the file ends"},
        {1, row, 0, 64, WL_ERROR_FORMAT, "the file ends"},
        {1, row, 77, 128, WL_ERROR_FORMAT, "the file ends"},
        {1, row, 0, UINT64_MAX - 31, WL_ERROR_FORMAT, "the file ends"},
        {4, huge, 0, 0, WL_ERROR_FORMAT, "2^63 elements"},
        {1, long_row, 28, 0, WL_ERROR_FORMAT, "the file ends"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put_header(&file, 3, 1, 0);
        put_string(&file, "t");
        put_number(&file, cases[i].rank, 4);
        for (uint32_t j = 0; j < cases[i].rank && j < 5; j++) put_number(&file, cases[i].dims[j], 8);
        put_number(&file, cases[i].type, 4), put_number(&file, cases[i].offset, 8);
        put_data(&file, 32, 96);
        refuse(&file, cases[i].status, cases[i].message);
    }
    put_header(&file, 3, 2, 0), put_tensor(&file, "t", 1, row, 8, 0), put_tensor(&file, "t", 1, row, 8, 64);
    put_data(&file, 32, 128);
    refuse(&file, WL_ERROR_FORMAT, "\"t\" twice");
    put_header(&file, 3, 2, 0), put_tensor(&file, "b", 1, row, 0, 64), put_tensor(&file, "a", 1, row, 0, 0);
    put_data(&file, 32, 192);
    refuse(&file, WL_ERROR_FORMAT, "\"b\" begins inside of \"a\"");
    /* One without elements shares no byte. */
    wl_error error;
    put_header(&file, 3, 2, 0), put_tensor(&file, "b", 1, empty, 0, 32), put_tensor(&file, "a", 1, row, 0, 0);
    put_data(&file, 32, 128);
    CHECK_THAT(open_bytes(file.data, file.size, &error) == WL_OK, "%s", error.message);
    static const uint64_t alignments[] = {0, 3, 48, UINT64_C(1) << 31, UINT64_MAX};
    for (size_t i = 0; i < sizeof alignments / sizeof *alignments; i++) {
        put_header(&file, 3, 1, 1);
        put_key(&file, "general.alignment", WL_GGUF_U64), put_number(&file, alignments[i], 8);
        put_tensor(&file, "t", 1, row, 8, 0), put_data(&file, 64, 34);
        refuse(&file, WL_ERROR_FORMAT, "power of two");
    }
    put_header(&file, 3, 1, 1), put_text(&file, "general.alignment", "32"), put_tensor(&file, "t", 1, row, 8, 0);
    put_data(&file, 32, 34);
    refuse(&file, WL_ERROR_FORMAT, "whole number");
    put_header(&file, 3, 1, 0), put_number(&file, 2, 8), put_bytes(&file, "t\0", 2), put_number(&file, 0, 8);
    put_data(&file, 32, 64);
    refuse(&file, WL_ERROR_FORMAT, "NUL");
    wl_buffer_free(&file);
}

static void test_faults(void)
{
    wl_buffer file = {0};
    if (!fault_available()) SKIP("allocation failures: linked without the wrappers");
    put_sample(&file, 3);
    for (size_t nth = 1; fault_available(); nth++) {
        wl_error error;
        wl_gguf gguf;
        wl_tensors tensors = {0};
        wl_buffer text = {0};
        wl_reader reader = gguf_reader(file.data, file.size);
        fault_begin(nth);
        wl_status status = wl_gguf_open(&gguf, &reader, &tensors, &error);
        if (!status) status = wl_gguf_string(&gguf, "text", &text, &error);
        bool failed = fault_end();
        wl_buffer_free(&text);
        wl_gguf_close(&gguf);
        wl_tensors_free(&tensors);
        wl_reader_close(&reader);
        CHECK_THAT(status == (failed ? WL_ERROR_MEMORY : WL_OK), "allocation %zu: %s", nth, error.message);
        if (failed) continue;
        CHECK(nth > 24);
        break;
    }
    wl_buffer_free(&file);
}

int main(void)
{
    test_types();
    test_type_numbers();
    test_parts();
    test_sample();
    test_truncation();
    test_headers();
    test_bad_values();
    test_bad_tensors();
    test_faults();
    return test_end();
}
