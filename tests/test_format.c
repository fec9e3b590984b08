/* The room format/: JSON, half precision, safetensors, npy. */
#include <inttypes.h>
#include <math.h>
#include <unistd.h>

#include "fault.h"
#include "format/half.h"
#include "format/json.h"
#include "format/npy.h"
#include "format/safetensors.h"
#include "test.h"

/* xorshift64*, fixed seed: the same numbers in every run. */
static uint64_t random_state = 0x9E3779B97F4A7C15;

static uint64_t random_next(void)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * UINT64_C(0x2545F4914F6CDD1D);
}

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

/* A text from a literal, NUL bytes in it included. */
#define TEXT(literal) literal, sizeof(literal) - 1

/* Whether two ways of going over a text agree: skipping, and reading each string and number. */
static void read_value(wl_json *json)
{
    wl_text key;
    switch (wl_json_peek(json)) {
    case WL_JSON_NONE:
        break;
    case WL_JSON_NULL:
        wl_json_null(json);
        break;
    case WL_JSON_BOOLEAN:
        wl_json_boolean(json);
        break;
    case WL_JSON_NUMBER:
        wl_json_number(json);
        break;
    case WL_JSON_STRING:
        wl_json_string(json);
        break;
    case WL_JSON_ARRAY:
        wl_json_begin_array(json);
        while (wl_json_element(json)) read_value(json);
        break;
    case WL_JSON_OBJECT:
        wl_json_begin_object(json);
        while (wl_json_member(json, &key)) read_value(json);
        break;
    }
}

static wl_status check_json(const char *text, size_t size, bool skip, wl_error *error)
{
    wl_buffer scratch = {0};
    wl_json json;
    /* An exact copy on the heap, so that a sanitizer sees one byte too many. */
    char *copy = malloc(size ? size : 1);
    if (size) memcpy(copy, text, size);
    memset(error, 0, sizeof *error);
    wl_json_open(&json, copy, size, "x.json", &scratch, error);
    if (skip)
        wl_json_skip(&json);
    else
        read_value(&json);
    wl_status status = wl_json_close(&json);
    wl_buffer_free(&scratch);
    free(copy);
    return status;
}

static void test_json_good(void)
{
    static const char *const good[] = {
        "0",
        "-0",
        "-12.50e+3",
        "1E5",
        "1e-5",
        " \t\r\n1 ",
        "true",
        "false",
        "null",
        "\"\"",
        "[]",
        "{}",
        "[1,2 , 3]",
        "[[],[[]]]",
        "{\"a\":1}",
        "[{},{}]",
        "\"\x7F\"",
        "{\"a\" : {\"b\":[null]} , \"c\":\"\"}",
        "\"\\/\"",
        "\"\\u0000\"",
        "\"\xC2\x80\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF\xEF\xBF\xBF\xF0\x90\x80\x80\xF4\x8F\xBF\xBF\"",
        "[\"12345678\",\"1234567\",\"123456789abcdef\\\\\"]",
    };
    wl_error error;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        for (int skip = 0; skip < 2; skip++) {
            wl_status status = check_json(good[i], strlen(good[i]), skip, &error);
            CHECK_THAT(status == WL_OK, "%s: byte %" PRIu64 ": %s", good[i], error.byte, error.message);
        }
}

static void test_json_bad(void)
{
    static const struct {
        const char *text;
        size_t size;
        uint64_t byte, line;
        const char *message; /* a part of it */
    } bad[] = {
        {TEXT(""), 0, 1, "end of the text"},
        {TEXT("\n\n x"), 3, 3, "expected a value, found 'x'"},
        {TEXT("\xEF\xBB\xBF{}"), 0, 1, "byte order mark"},
        {TEXT("01"), 0, 1, "leading zeros"},
        {TEXT("-01"), 1, 1, "leading zeros"},
        {TEXT("-"), 1, 1, "a digit"},
        {TEXT("+1"), 0, 1, "expected a value"},
        {TEXT(".5"), 0, 1, "expected a value"},
        {TEXT("1."), 2, 1, "a digit"},
        {TEXT("1.e5"), 2, 1, "a digit, found 'e'"},
        {TEXT("1e"), 2, 1, "a digit"},
        {TEXT("1e+"), 3, 1, "a digit"},
        {TEXT("1 2"), 2, 1, "nothing behind the value, found '2'"},
        {TEXT("nul"), 0, 1, "expected null"},
        {TEXT("trve"), 0, 1, "expected true"},
        {TEXT("falsE"), 0, 1, "expected false"},
        {TEXT("nullx"), 4, 1, "nothing behind"},
        {TEXT("["), 1, 1, "expected a value, found the end of the text"},
        {TEXT("[1"), 2, 1, "',' or ']'"},
        {TEXT("[1,"), 3, 1, "expected a value"},
        {TEXT("[1,]"), 3, 1, "expected a value, found ']'"},
        {TEXT("[,1]"), 1, 1, "expected a value"},
        {TEXT("[1 2]"), 3, 1, "',' or ']'"},
        {TEXT("[1}"), 2, 1, "',' or ']'"},
        {TEXT("{"), 1, 1, "begins a key"},
        {TEXT("{\n1:2}"), 2, 2, "begins a key"},
        {TEXT("{\"a\"}"), 4, 1, "':' behind a key"},
        {TEXT("{\"a\":}"), 5, 1, "expected a value"},
        {TEXT("{\"a\":1,}"), 7, 1, "begins a key"},
        {TEXT("{\"a\":1]"), 6, 1, "',' or '}'"},
        {TEXT("]"), 0, 1, "expected a value"},
        {TEXT("\""), 1, 1, "ends a string"},
        {TEXT("\"abc"), 4, 1, "ends a string"},
        {TEXT("\"abc\\"), 5, 1, "behind a backslash"},
        {TEXT("\"abcdefghijk\nl\""), 12, 1, "control character in a string, found byte 0x0A"},
        {TEXT("\n\"a\0b\""), 3, 2, "control character"},
        {TEXT("\"\\x\""), 2, 1, "behind a backslash, found 'x'"},
        {TEXT("\"\\u12g4\""), 5, 1, "hexadecimal digit"},
        {TEXT("\"\\u12"), 5, 1, "hexadecimal digit"},
        {TEXT("\"\\ud800\""), 1, 1, "lone surrogate \\uD800"},
        {TEXT("\"\\ud800\\n\""), 1, 1, "lone surrogate"},
        {TEXT("\"\\ud800\\ud800\""), 1, 1, "lone surrogate"},
        {TEXT("\"a\\udc00\""), 2, 1, "lone surrogate \\uDC00"},
        {TEXT("\"\\ud800\\u00g0\""), 11, 1, "hexadecimal digit"},
        {TEXT("\"abc\x80\""), 4, 1, "well-formed UTF-8 in a string, found byte 0x80"},
        {TEXT("\"12345678\xC0\x80\""), 9, 1, "well-formed UTF-8"},
        {TEXT("\"\xE0\x9F\xBF\""), 1, 1, "well-formed UTF-8"},
        {TEXT("\"\xED\xA0\x80\""), 1, 1, "well-formed UTF-8"},
        {TEXT("\"\xF0\x8F\xBF\xBF\""), 1, 1, "well-formed UTF-8"},
        {TEXT("\"\xF4\x90\x80\x80\""), 1, 1, "well-formed UTF-8"},
        {TEXT("\"\xF5\x80\x80\x80\""), 1, 1, "well-formed UTF-8"},
        {TEXT("\"a\xE2\x82\""), 2, 1, "well-formed UTF-8"},
        {TEXT("\"a\xE2\x82\\n\""), 2, 1, "well-formed UTF-8"},
        {TEXT("{\"a\xFF\":1}"), 3, 1, "well-formed UTF-8"},
    };
    wl_error error;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        for (int skip = 0; skip < 2; skip++) {
            wl_status status = check_json(bad[i].text, bad[i].size, skip, &error);
            CHECK_THAT(status == WL_ERROR_FORMAT && error.code == status, "%s", bad[i].text);
            CHECK_THAT(error.byte == bad[i].byte && error.line == bad[i].line, "%s: byte %" PRIu64 ", line %" PRIu64,
                       bad[i].text, error.byte, error.line);
            CHECK_THAT(strstr(error.message, bad[i].message), "%s: %s", bad[i].text, error.message);
            CHECK(strcmp(error.file, "x.json") == 0);
        }
}

static void test_json_depth(void)
{
    enum { BOMB = 1000000 };
    char *text = malloc(BOMB);
    wl_error error;
    memset(text, '[', BOMB);
    for (int skip = 0; skip < 2; skip++) {
        CHECK(check_json(text, BOMB, skip, &error) == WL_ERROR_LIMIT);
        CHECK(error.byte == WL_JSON_DEPTH - 1 && error.line == 1);
    }
    memset(text + WL_JSON_DEPTH - 1, ']', WL_JSON_DEPTH - 1);
    CHECK(check_json(text, 2 * (WL_JSON_DEPTH - 1), true, &error) == WL_OK);
    free(text);
}

static void test_json_reading(void)
{
    static const char text[] = "{\"plain\": \"caf\xC3\xA9\",\n"
                               " \"escaped\": \"a\\u0120\\\"\\\\\\/\\b\\f\\n\\r\\t\\u20ac\\uD83D\\ude00\\u0000z\",\n"
                               " \"k\\u0065y\": [1, 18446744073709551615, -2.5e3], \"null\": null,\n"
                               " \"yes\": true, \"rest\": {\"x\": [1, {\"y\\n\": \"\\t\"}]}}\n";
    static const char decoded[] = "a\xC4\xA0\"\\/\b\f\n\r\t\xE2\x82\xAC\xF0\x9F\x98\x80\0z";
    wl_buffer scratch = {0};
    wl_error error;
    wl_json json;
    wl_text key, value;
    wl_json_open(&json, TEXT(text), NULL, &scratch, &error);
    wl_json_begin_object(&json);
    CHECK(wl_json_member(&json, &key) && wl_text_is(key, "plain"));
    wl_json twice = json;
    CHECK(wl_text_is(wl_json_string(&twice), "caf\xC3\xA9"));
    value = wl_json_string(&json);
    CHECK(wl_text_is(value, "caf\xC3\xA9") && value.data > text && value.data < text + sizeof text);
    CHECK(wl_json_member(&json, &key) && wl_json_peek(&json) == WL_JSON_STRING && !wl_json_null(&json));
    value = wl_json_string(&json);
    CHECK(value.size == sizeof decoded - 1 && memcmp(value.data, decoded, value.size) == 0);
    CHECK(wl_json_member(&json, &key) && wl_text_is(key, "key") && !wl_text_is(key, "ke") && !wl_text_is(key, "keys"));
    wl_json_begin_array(&json);
    CHECK(wl_text_is(key, "key"));
    CHECK(wl_json_element(&json) && wl_json_unsigned(&json, 1) == 1);
    CHECK(wl_json_element(&json) && wl_json_unsigned(&json, UINT64_MAX) == UINT64_MAX);
    CHECK(wl_json_element(&json) && wl_text_is(wl_json_number(&json), "-2.5e3"));
    CHECK(!wl_json_element(&json));
    CHECK(wl_json_member(&json, &key) && wl_json_null(&json));
    CHECK(wl_json_member(&json, &key) && wl_json_boolean(&json));
    CHECK(wl_json_member(&json, &key));
    wl_json_skip(&json);
    CHECK(wl_text_is(key, "rest"));
    CHECK(!wl_json_member(&json, &key) && key.size == 0 && key.data);
    CHECK(wl_json_close(&json) == WL_OK && !wl_json_failed(&json));

    static const struct {
        const char *text;
        uint64_t max;
        bool good;
    } numbers[] = {
        {"0", 0, true},      {"1", 0, false},
        {"9", 8, false},     {"10", 10, true},
        {"11", 10, false},   {"-0", 9, false},
        {"1.0", 9, false},   {"1e0", 9, false},
        {"100", 99, false},  {"18446744073709551616", UINT64_MAX, false},
        {"\"1\"", 9, false},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        wl_json_open(&json, numbers[i].text, strlen(numbers[i].text), NULL, &scratch, &error);
        wl_json_unsigned(&json, numbers[i].max);
        CHECK_THAT(wl_json_failed(&json) != numbers[i].good, "%s", numbers[i].text);
        if (!numbers[i].good) CHECK(error.byte == 0 && error.line == 1);
    }

    /* The first error stays; everything after it is neutral. */
    wl_json_open(&json, TEXT("[\n[1, 2]]"), "s", &scratch, &error);
    wl_json_begin_array(&json);
    CHECK(wl_json_element(&json));
    CHECK(wl_json_string(&json).size == 0 && wl_json_failed(&json));
    CHECK(strcmp(error.message, "expected a string, found an array") == 0 && error.line == 2 && error.byte == 2);
    wl_json_begin_array(&json);
    CHECK(!wl_json_element(&json) && !wl_json_member(&json, &key) && !wl_json_null(&json) && !wl_json_boolean(&json));
    CHECK(wl_json_number(&json).size == 0 && wl_json_unsigned(&json, 9) == 0 && wl_json_peek(&json) == WL_JSON_NONE);
    wl_json_skip(&json);
    CHECK(wl_json_fail(&json, WL_ERROR_UNSUPPORTED, "later") == WL_ERROR_FORMAT);
    CHECK(wl_json_close(&json) == WL_ERROR_FORMAT && error.byte == 2);

    wl_json_open(&json, TEXT("{\"a\": 1}"), "s", &scratch, &error);
    wl_json_begin_object(&json);
    CHECK(wl_json_member(&json, &key));
    wl_json_skip(&json);
    CHECK(wl_json_fail(&json, WL_ERROR_UNSUPPORTED, "%s %d", "part", 7) == WL_ERROR_UNSUPPORTED);
    CHECK(wl_json_close(&json) == WL_ERROR_UNSUPPORTED && error.byte == 7 && !strcmp(error.message, "part 7"));

    wl_json_open(&json, TEXT("[ "), "s", &scratch, &error);
    wl_json_begin_array(&json);
    CHECK(wl_json_close(&json) == WL_ERROR_FORMAT && error.byte == 2);
    wl_buffer_free(&scratch);
}

/* The word-wise string scan against every position of every special byte. */
static void test_json_scan(void)
{
    static const char special[] = {'"', '\\', '\n', 0, 0x1F, (char)0x80};
    wl_error error;
    for (size_t length = 1; length < 40; length++)
        for (size_t place = 0; place < length; place++)
            for (size_t i = 0; i < sizeof special; i++) {
                char text[48];
                memset(text, "!#[]\x7F"[place % 5], sizeof text); /* next to the special ones, no escapes */
                text[0] = text[length + 1] = '"';
                text[place + 1] = special[i];
                CHECK(check_json(text, length + 2, true, &error) == WL_ERROR_FORMAT);
                uint64_t byte = place + 1 + (i < 2);
                if (i == 1 && place + 1 == length) byte = length + 2; /* the backslash took the last quote */
                CHECK_THAT(error.byte == byte, "length %zu, place %zu, byte %" PRIu64, length, place, error.byte);
            }
}

/* ---- half precision ---------------------------------------------------------------------------------------------- */

static float float_of(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* The value of a positive half from its definition; infinity counts as 2^16, as rounding sees it. */
static double f16_value(uint32_t half)
{
    int exponent = (int)(half >> 10), fraction = (int)(half & 0x3FF);
    return exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24);
}

/* Whether half is the nearest of its neighbours to value, and even in a tie; value is positive. */
static bool f16_is_nearest(double value, uint32_t half)
{
    if (value >= 65536) return half == 0x7C00;
    double distance = fabs(f16_value(half) - value);
    for (int step = -1; step <= 1; step += 2) {
        uint32_t other = half + (uint32_t)step;
        if (other > 0x7C00) continue;
        double theirs = fabs(f16_value(other) - value);
        if (theirs < distance || (theirs == distance && (half & 1))) return false;
    }
    return half <= 0x7C00;
}

static void test_half(void)
{
    int wrong = 0;
    for (uint32_t half = 0; half < 65536; half++) {
        float value = wl_f16_to_f32((uint16_t)half);
        uint32_t magnitude = half & 0x7FFF;
        uint16_t back = wl_f32_to_f16(value);
        if (magnitude > 0x7C00)
            wrong += !isnan(value) || back != (half | 0x200);
        else
            wrong += back != half || fabs((double)value) != (magnitude == 0x7C00 ? INFINITY : f16_value(magnitude)) ||
                     !signbit(value) != !(half >> 15);
        value = wl_bf16_to_f32((uint16_t)half);
        back = wl_f32_to_bf16(value);
        wrong += bits_of(value) != half << 16 || back != ((half & 0x7FFF) > 0x7F80 ? half | 0x40 : half);
    }
    CHECK_THAT(wrong == 0, "%d of 65536 halves", wrong);

    /* Random floats, exponents spread over the interesting range, every other one with few bits to hit ties. */
    for (int i = 0; i < 2000000; i++) {
        uint64_t random = random_next();
        uint32_t bits = (uint32_t)(random >> 40) >> 1 | (uint32_t)(random % 50 + 95) << 23;
        if (i & 1) bits &= 0xFFFFF000;
        float value = float_of(bits);
        uint16_t half = wl_f32_to_f16(value);
        if (!f16_is_nearest((double)value, half) || wl_f32_to_f16(-value) != (half | 0x8000)) wrong++;
    }
    CHECK_THAT(wrong == 0, "%d random floats", wrong);
    for (uint32_t half = 0; half < 0x7C00; half++) { /* every tie and its two sides */
        float tie = (float)((f16_value(half) + f16_value(half + 1)) / 2);
        wrong += wl_f32_to_f16(tie) != half + (half & 1);
        wrong += wl_f32_to_f16(nextafterf(tie, 0)) != half || wl_f32_to_f16(nextafterf(tie, INFINITY)) != half + 1;
    }
    CHECK_THAT(wrong == 0, "%d ties", wrong);

    static const struct {
        uint32_t bits;
        uint16_t f16, bf16;
    } cases[] = {
        {0, 0, 0},
        {0x80000000, 0x8000, 0x8000},
        {1, 0, 0},
        {0x7F800000, 0x7C00, 0x7F80},
        {0xFF800000, 0xFC00, 0xFF80},
        {0x7F7FFFFF, 0x7C00, 0x7F80},
        {0x7FC00000, 0x7E00, 0x7FC0},
        {0x7F800001, 0x7E00, 0x7FC0},
        {0xFFFFFFFF, 0xFFFF, 0xFFFF},
        {0x477FE000, 0x7BFF, 0x4780}, /* 65504 */
        {0x477FEFFF, 0x7BFF, 0x4780}, /* just under 65520 */
        {0x477FF000, 0x7C00, 0x4780}, /* 65520, tie to infinity */
        {0x33000000, 0x0000, 0x3300}, /* 2^-25, tie to zero */
        {0x33000001, 0x0001, 0x3300},
        {0x3F808000, 0x3C04, 0x3F80}, /* bfloat16 tie to even */
        {0x3F818000, 0x3C0C, 0x3F82},
        {0x3F808001, 0x3C04, 0x3F81},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint16_t f16 = wl_f32_to_f16(float_of(cases[i].bits)), bf16 = wl_f32_to_bf16(float_of(cases[i].bits));
        CHECK_THAT(f16 == cases[i].f16 && bf16 == cases[i].bf16, "%08" PRIX32 ": %04X %04X", cases[i].bits, f16, bf16);
    }
}

/* Arrays, whose loops become vectors: every 1031st float of all, in blocks of lengths that leave a rest. */
static void test_half_arrays(void)
{
    enum { BLOCK = 1000 };
    static float values[BLOCK];
    static uint16_t f16[BLOCK + 1], bf16[BLOCK + 1];
    size_t wrong = 0, count = 0;
    for (uint64_t bits = 0; bits <= UINT32_MAX; count++) {
        size_t length = BLOCK - count % 19;
        for (size_t i = 0; i < length; i++) values[i] = float_of((uint32_t)(bits + 1031 * i));
        f16[length] = bf16[length] = 0xABCD;
        wl_f32_to_f16_array(values, length, f16);
        wl_f32_to_bf16_array(values, length, bf16);
        for (size_t i = 0; i < length; i++) {
            float value = float_of((uint32_t)(bits + 1031 * i));
            wrong += f16[i] != wl_f32_to_f16(value) || bf16[i] != wl_f32_to_bf16(value);
        }
        wrong += f16[length] != 0xABCD || bf16[length] != 0xABCD;
        bits += 1031 * length;
    }
    CHECK_THAT(wrong == 0 && count > 4000, "%zu in %zu blocks", wrong, count);
    f16[0] = 0xABCD;
    wl_f32_to_f16_array(values, 0, f16);
    CHECK(f16[0] == 0xABCD);
}

/* ---- safetensors ------------------------------------------------------------------------------------------------- */

static char folder[512], path[600];

static void write_file(const char *data, size_t size)
{
    FILE *stream = fopen(path, "wb");
    if (!stream || fwrite(data, 1, size, stream) != size || fclose(stream) != 0) {
        perror(path);
        exit(EXIT_FAILURE);
    }
}

/* Builds a file of a header and some data bytes in buffer; returns its size. */
static size_t build(char *buffer, const char *header, size_t data)
{
    size_t length = strlen(header);
    for (int i = 0; i < 8; i++) buffer[i] = (char)((uint64_t)length >> (8 * i) & 0xFF);
    memcpy(buffer + 8, header, length);
    for (size_t i = 0; i < data; i++) buffer[8 + length + i] = (char)i;
    return 8 + length + data;
}

static const char good_header[] =
    "{\"__metadata__\":{\"format\":\"pt\",\"a\":\"b\"},"
    "\"late\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[12,20]},"
    "\"none\":{\"dtype\":\"I64\",\"shape\":[0,7],\"data_offsets\":[12,12]},"
    "\"early\\u00e9\":{\"more\":[1],\"data_offsets\":[0,12],\"shape\":[2,3],\"dtype\":\"F16\"},"
    "\"one\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[20,21]}}   ";

static void test_safetensors_good(void)
{
    char buffer[1024];
    wl_error error;
    wl_safetensors file;
    size_t size = build(buffer, good_header, 21), start = size - 21;
    write_file(buffer, size);
    CHECK_THAT(wl_safetensors_open(&file, path, &error) == WL_OK, "%s", error.message);
    CHECK(file.count == 4 && file.metadata_count == 2 && strcmp(file.path, path) == 0);
    static const char *const order[] = {"early\xC3\xA9", "none", "late", "one"};
    for (size_t i = 0; i < file.count; i++) CHECK(strcmp(file.tensors[i].name, order[i]) == 0);
    const wl_tensor *tensor = wl_safetensors_find(&file, "early\xC3\xA9");
    CHECK(tensor && tensor->dtype == WL_F16 && tensor->rank == 2 && tensor->shape[0] == 2 && tensor->shape[1] == 3);
    CHECK(tensor && tensor->shape[2] == 1 && tensor->shape[7] == 1 && tensor->count == 6 && tensor->bytes == 12);
    tensor = wl_safetensors_find(&file, "late");
    CHECK(tensor && tensor->offset == start + 12 && memcmp(tensor->data, "\x0C\x0D\x0E\x0F", 4) == 0);
    tensor = wl_safetensors_find(&file, "one");
    CHECK(tensor && tensor->rank == 0 && tensor->count == 1 && tensor->data[0] == 20);
    tensor = wl_safetensors_find(&file, "none");
    CHECK(tensor && tensor->count == 0 && tensor->bytes == 0);
    CHECK(!wl_safetensors_find(&file, "two") && !wl_safetensors_metadata(&file, "two"));
    const char *value = wl_safetensors_metadata(&file, "format");
    CHECK(value && strcmp(value, "pt") == 0);
    wl_safetensors_close(&file);
    wl_safetensors_close(&file);
    for (wl_dtype dtype = 0; dtype < WL_DTYPES; dtype++) {
        char header[128];
        unsigned bits = wl_dtype_bits(dtype); /* which are the bytes of 8 elements */
        CHECK(wl_dtype_size(dtype) == bits / 8);
        snprintf(header, sizeof header, "{\"x\":{\"dtype\":\"%s\",\"shape\":[3,8],\"data_offsets\":[0,%u]}}",
                 wl_dtype_name(dtype), 3 * bits);
        write_file(buffer, build(buffer, header, 3 * bits));
        CHECK(wl_safetensors_open(&file, path, &error) == WL_OK && file.tensors[0].dtype == dtype);
        CHECK(file.count == 1 && file.tensors[0].bytes == 3 * bits);
        wl_safetensors_close(&file);
    }
    write_file(buffer, build(buffer, "{\"__metadata__\":null}", 0));
    CHECK(wl_safetensors_open(&file, path, &error) == WL_OK && file.count == 0);
    CHECK(!wl_safetensors_find(&file, "x"));
    wl_safetensors_close(&file);

    /* Cut at every byte, and one byte too many. */
    size = build(buffer, good_header, 21);
    for (size_t cut = 0; cut < size; cut++) {
        write_file(buffer, cut);
        CHECK(wl_safetensors_open(&file, path, &error) == WL_ERROR_FORMAT);
        char expected[64];
        snprintf(expected, sizeof expected, "the file ends at byte %zu, expected", cut);
        CHECK_THAT(strncmp(error.message, expected, strlen(expected)) == 0, "%s", error.message);
        CHECK(error.byte == cut && error.line == 0 && strcmp(error.file, path) == 0);
        CHECK(file.path == NULL && file.tensors == NULL && file.count == 0);
    }
    write_file(buffer, size + 1);
    CHECK(wl_safetensors_open(&file, path, &error) == WL_ERROR_FORMAT && error.byte == size);
}

#define ONE(dtype, shape, range) "{\"t\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" range "}}"
#define TWO(first, second)                                                                                             \
    "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":" first "},"                                              \
    "\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":" second "}}"

static void test_safetensors_bad(void)
{
    static const struct {
        const char *header;
        size_t data;
        wl_status code;
        const char *message; /* a part of it */
    } bad[] = {
        {"", 4, WL_ERROR_FORMAT, "expected '{' at the start"},
        {" {}", 0, WL_ERROR_FORMAT, "expected '{' at the start"},
        {"[]", 0, WL_ERROR_FORMAT, "expected '{' at the start"},
        {"{} x", 0, WL_ERROR_FORMAT, "nothing behind the value"},
        {"{", 0, WL_ERROR_FORMAT, "end of the text"},
        {"{}", 1, WL_ERROR_FORMAT, "the file ends at byte 11, expected 10"},
        {"{\"t\":3}", 0, WL_ERROR_FORMAT, "expected an object, found a number"},
        {"{\"t\":{}}", 0, WL_ERROR_FORMAT, "has no dtype"},
        {"{\"t\":{\"dtype\":\"F32\"}}", 0, WL_ERROR_FORMAT, "has no shape"},
        {"{\"t\":{\"dtype\":\"F32\",\"shape\":[]}}", 0, WL_ERROR_FORMAT, "has no data_offsets"},
        {"{\"t\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}", 0, WL_ERROR_FORMAT, "dtype twice"},
        {"{\"__metadata__\":{\"a\":1}}", 0, WL_ERROR_FORMAT, "expected a string, found a number"},
        {"{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}", 0, WL_ERROR_FORMAT, "found \"a\" twice"},
        {"{\"__metadata__\":{},\"__metadata__\":{}}", 0, WL_ERROR_FORMAT, "__metadata__ once"},
        {"{\"__metadata__\":{\"a\":\"\\u0000\"}}", 0, WL_ERROR_UNSUPPORTED, "NUL character"},
        {ONE("F7", "[1]", "[0,4]"), 4, WL_ERROR_UNSUPPORTED, "dtype \"F7\""},
        {ONE("f32", "[1]", "[0,4]"), 4, WL_ERROR_UNSUPPORTED, "dtype \"f32\""},
        {ONE("F32", "[2]", "[0,4]"), 4, WL_ERROR_FORMAT, "has 4 bytes, expected 2 elements of 4 bytes"},
        {ONE("F32", "[1]", "[4,0]"), 4, WL_ERROR_FORMAT, "before its start"},
        {ONE("F32", "[1]", "[0]"), 4, WL_ERROR_FORMAT, "expected 2 data_offsets, found 1"},
        {ONE("F32", "[1]", "[0,4,4]"), 4, WL_ERROR_FORMAT, "expected 2 data_offsets, found 3"},
        {ONE("F32", "[1]", "[0,-4]"), 4, WL_ERROR_FORMAT, "whole number"},
        {ONE("F32", "[1.0]", "[0,4]"), 4, WL_ERROR_FORMAT, "whole number"},
        {ONE("F32", "{}", "[0,4]"), 4, WL_ERROR_FORMAT, "expected an array"},
        {ONE("U8", "[1,1,1,1,1,1,1,1,1]", "[0,1]"), 1, WL_ERROR_UNSUPPORTED, "more than 8 dimensions"},
        {ONE("U8", "[4294967296,4294967296]", "[0,0]"), 0, WL_ERROR_FORMAT, "more than 2^63 elements"},
        {ONE("F4", "[3]", "[0,1]"), 1, WL_ERROR_FORMAT, "has 1 bytes, expected 3 elements of 4 bits"},
        {ONE("F6_E3M2", "[2]", "[0,2]"), 2, WL_ERROR_FORMAT, "has 2 bytes, expected 2 elements of 6 bits"},
        {ONE("F64", "[2305843009213693952]", "[0,0]"), 0, WL_ERROR_FORMAT, "expected 2305843009213693952 elements"},
        {ONE("U8", "[99999999999999999999]", "[0,0]"), 0, WL_ERROR_FORMAT, "whole number"},
        {ONE("U8", "[9223372036854775807]", "[0,9223372036854775807]"), 4, WL_ERROR_FORMAT, "the file ends at byte"},
        {ONE("U8", "[4]", "[1,5]"), 5, WL_ERROR_FORMAT, "a gap"},
        {ONE("U8", "[4]", "[9223372036854775000,9223372036854775004]"), 5, WL_ERROR_FORMAT, "a gap"},
        {TWO("[0,4]", "[5,9]"), 9, WL_ERROR_FORMAT, "\"b\" begins at data byte 5, expected 4 (a gap)"},
        {TWO("[0,4]", "[3,7]"), 7, WL_ERROR_FORMAT, "\"b\" begins at data byte 3, expected 4 (an overlap)"},
        {TWO("[0,4]", "[0,4]"), 4, WL_ERROR_FORMAT, "an overlap"},
        {TWO("[0,4]", "[4,8]"), 9, WL_ERROR_FORMAT, "the file ends at byte"},
    };
    char buffer[1024];
    wl_error error;
    wl_safetensors file;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        size_t size = build(buffer, bad[i].header, bad[i].data);
        write_file(buffer, size);
        wl_status status = wl_safetensors_open(&file, path, &error);
        CHECK_THAT(status == bad[i].code && error.code == status, "%s: %s", bad[i].header, error.message);
        CHECK_THAT(strstr(error.message, bad[i].message), "%s: %s", bad[i].header, error.message);
        CHECK(error.line == 0 && error.byte != WL_NO_POSITION && strcmp(error.file, path) == 0);
        if (status == WL_OK) wl_safetensors_close(&file);
    }
    /* Positions are the file's, past the 8 bytes of the length; a line break in the header changes nothing. */
    write_file(buffer, build(buffer, "{\n\"t\":3}", 0));
    CHECK(wl_safetensors_open(&file, path, &error) == WL_ERROR_FORMAT && error.byte == 14 && error.line == 0);
    static const char twice[] = "{\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]},"
                                "\"\\u0061\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}";
    write_file(buffer, build(buffer, twice, 0));
    CHECK(wl_safetensors_open(&file, path, &error) == WL_ERROR_FORMAT && strstr(error.message, "found \"a\" twice"));
    CHECK_THAT(error.byte == 8 + (uint64_t)(strstr(twice, "0061") + 6 - twice), "%" PRIu64, error.byte);
    size_t size = build(buffer, "{}", 0);
    buffer[3] = 0x7F;
    write_file(buffer, size);
    CHECK(wl_safetensors_open(&file, path, &error) == WL_ERROR_FORMAT && strstr(error.message, "at most 100000000"));
    unlink(path);
    CHECK(wl_safetensors_open(&file, path, &error) == WL_ERROR_NOT_FOUND);
    CHECK(wl_safetensors_open(&file, folder, &error) == WL_ERROR_IO);
}

static void test_safetensors_memory(void)
{
    if (!fault_available()) {
        SKIP("failing allocations (not linked with -Wl,--wrap)");
        return;
    }
    char buffer[1024];
    wl_error error;
    wl_safetensors file;
    write_file(buffer, build(buffer, good_header, 21));
    size_t nth = 1;
    for (;; nth++) {
        fault_begin(nth);
        wl_status status = wl_safetensors_open(&file, path, &error);
        if (!fault_end()) {
            CHECK(status == WL_OK);
            break;
        }
        CHECK_THAT(status == WL_ERROR_MEMORY && error.code == status, "allocation %zu: %s", nth, error.message);
    }
    CHECK_THAT(nth > 8, "only %zu allocations", nth);
    wl_safetensors_close(&file);
}

/* ---- npy --------------------------------------------------------------------------------------------------------- */

static void test_npy(void)
{
    char header[WL_NPY_HEADER];
    static const char expected[] = "\x93NUMPY\1\0v\0{'descr': '<f4', 'fortran_order': False, 'shape': (3, 256), }";
    size_t length = sizeof expected - 1;
    wl_npy_header(header, "<f4", 3, 256);
    CHECK(memcmp(header, expected, length) == 0);
    for (size_t i = length; i < WL_NPY_HEADER - 1; i++) CHECK(header[i] == ' ');
    CHECK(header[WL_NPY_HEADER - 1] == '\n');
    wl_npy_header(header, "|u1", UINT64_MAX, UINT64_MAX);
    CHECK(header[WL_NPY_HEADER - 1] == '\n' && header[WL_NPY_HEADER - 2] == ' ');
    CHECK(memchr(header, '}', WL_NPY_HEADER) && !memchr(header + 10, 0, WL_NPY_HEADER - 10));
}

int main(void)
{
    const char *parent = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/wl_format_XXXXXX", parent && *parent ? parent : "/tmp");
    if (!mkdtemp(folder)) {
        perror(folder);
        return EXIT_FAILURE;
    }
    snprintf(path, sizeof path, "%s/x.safetensors", folder);
    test_json_good();
    test_json_bad();
    test_json_depth();
    test_json_reading();
    test_json_scan();
    test_half();
    test_half_arrays();
    test_safetensors_good();
    test_safetensors_bad();
    test_safetensors_memory();
    test_npy();
    unlink(path);
    rmdir(folder);
    return test_end();
}
