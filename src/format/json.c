/* One pass over the text, nothing built: each call reads one token's worth of bytes. Strings are nearly all of a
 * tokenizer.json, so their scan looks at 8 bytes at a time and UTF-8 is checked only where a byte over 0x7F was seen.
 * Lines are counted only when an error needs them. */
#include "format/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const wl_text empty = {"", 0};

/* ---- errors ------------------------------------------------------------------------------------------------------ */

static wl_status fail_list(wl_json *json, size_t at, wl_status code, const char *format, va_list arguments)
{
    if (json->failed) return json->error->code;
    char message[sizeof json->error->message];
    vsnprintf(message, sizeof message, format, arguments);
    uint64_t line = 1;
    const char *from = json->text, *end = json->text + at;
    while (from < end && (from = memchr(from, '\n', (size_t)(end - from)))) {
        line++;
        from++;
    }
    json->failed = true;
    return wl_fail_at(json->error, code, json->name, at, line, "%s", message);
}

static void fail(wl_json *json, size_t at, const char *format, ...) WL_PRINTF(3, 4);

static void fail(wl_json *json, size_t at, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fail_list(json, at, WL_ERROR_FORMAT, format, arguments);
    va_end(arguments);
}

wl_status wl_json_fail(wl_json *json, wl_status code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    code = fail_list(json, json->at, code, format, arguments);
    va_end(arguments);
    return code;
}

bool wl_json_failed(const wl_json *json)
{
    return json->failed;
}

/* "expected X, found Y" for the byte at a position. */
static void fail_expected(wl_json *json, size_t at, const char *expected)
{
    unsigned char byte = at < json->size ? (unsigned char)json->text[at] : 0;
    if (at >= json->size)
        fail(json, at, "expected %s, found the end of the text", expected);
    else if (byte > ' ' && byte < 0x7F)
        fail(json, at, "expected %s, found '%c'", expected, byte);
    else
        fail(json, at, "expected %s, found byte 0x%02X", expected, byte);
}

/* ---- bytes, words, white space ----------------------------------------------------------------------------------- */

#define EACH_BYTE(value) (UINT64_C(0x0101010101010101) * (value))

/* 8 bytes, the first in the lowest bits on every machine. */
static inline uint64_t load_word(const char *from)
{
    uint64_t word;
    memcpy(&word, from, sizeof word);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

/* The number of the lowest byte whose top bit is set; mask is not 0. */
static inline size_t first_marked(uint64_t mask)
{
#if defined(__GNUC__)
    return (size_t)__builtin_ctzll(mask) / 8;
#else
    size_t i = 0;
    while (!(mask >> (8 * i + 7) & 1)) i++;
    return i;
#endif
}

static inline void skip_space(wl_json *json)
{
    const char *text = json->text;
    size_t at = json->at;
    for (;;) {
        /* Indented files: spaces come in runs, passed over 8 at a time. */
        if (at < json->size && text[at] == ' ' && json->size - at >= 8) {
            uint64_t other = load_word(text + at) ^ EACH_BYTE(' ');
            at += other ? (size_t)__builtin_ctzll(other) / 8 : 8;
            continue;
        }
        if (at == json->size || (text[at] != ' ' && text[at] != '\n' && text[at] != '\r' && text[at] != '\t')) break;
        at++;
    }
    json->at = at;
}

/* Whether a byte is the next one; consumes nothing. */
static inline bool next_is(const wl_json *json, char byte)
{
    return json->at < json->size && json->text[json->at] == byte;
}

/* ---- strings ----------------------------------------------------------------------------------------------------- */

/* The end of the bytes from at on that stand for themselves in a string: the first '"', '\\', control character or
 * the end of the text. *high gets the top bits of the bytes passed.
 *
 * A byte b under 0x80 borrows in b - 0x20 when it is a control character, and in (b ^ c) - 1 when it equals c. A borrow
 * may mark the byte above a marked one by mistake, never one below: the lowest mark is right. */
static inline size_t plain_end(const wl_json *json, size_t at, uint64_t *high)
{
    const char *text = json->text;
    while (json->size - at >= 8) {
        uint64_t word = load_word(text + at);
        uint64_t mark = (word - EACH_BYTE(0x20)) | ((word ^ EACH_BYTE('"')) - EACH_BYTE(1)) |
                        ((word ^ EACH_BYTE('\\')) - EACH_BYTE(1));
        mark &= ~word & EACH_BYTE(0x80);
        if (mark) {
            size_t passed = first_marked(mark);
            *high |= word & ((UINT64_C(1) << (8 * passed)) - 1) & EACH_BYTE(0x80);
            return at + passed;
        }
        *high |= word & EACH_BYTE(0x80);
        at += 8;
    }
    for (; at < json->size; at++) {
        unsigned char byte = (unsigned char)text[at];
        if (byte == '"' || byte == '\\' || byte < 0x20) break;
        *high |= byte & 0x80;
    }
    return at;
}

/* The first position in [at, end) that begins no well-formed UTF-8 sequence, or end (Unicode 15, table 3-7). */
static size_t well_formed_end(const char *text, size_t at, size_t end)
{
    const unsigned char *s = (const unsigned char *)text;
    while (at < end) {
        unsigned char lead = s[at];
        if (lead < 0x80) {
            at++;
            continue;
        }
        size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
        if (lead < 0xC2 || lead > 0xF4 || end - at < length) return at;
        /* The second byte's range rules out overlong forms, surrogates and what lies beyond U+10FFFF. */
        unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
        unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
        if (s[at + 1] < low || s[at + 1] > high) return at;
        for (size_t i = 2; i < length; i++)
            if ((s[at + i] & 0xC0) != 0x80) return at;
        at += length;
    }
    return at;
}

/* The value of the 4 hexadecimal digits at a position; UINT32_MAX after an error. */
static uint32_t read_hex(wl_json *json, size_t at)
{
    uint32_t value = 0;
    for (size_t i = at; i < at + 4; i++) {
        unsigned char byte = i < json->size ? (unsigned char)json->text[i] : 0;
        uint32_t digit = byte - (uint32_t)'0', letter = (byte | 0x20u) - (uint32_t)'a';
        if (digit > 9 && letter > 5) {
            fail_expected(json, i, "a hexadecimal digit of a \\u escape");
            return UINT32_MAX;
        }
        value = value << 4 | (digit <= 9 ? digit : letter + 10);
    }
    return value;
}

static size_t encode_utf8(uint32_t code, char out[4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t length = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = length - 1; i > 0; i--, code >>= 6) out[i] = (char)(0x80 | (code & 0x3F));
    out[0] = (char)(lead[length] | code);
    return length;
}

/* Decodes the escape whose backslash is at *at and moves behind it. Returns the number of bytes, 0 after an error. */
static size_t read_escape(wl_json *json, size_t *at, char out[4])
{
    static const char plain[128] = {
        ['"'] = '"', ['\\'] = '\\', ['/'] = '/', ['b'] = '\b', ['f'] = '\f', ['n'] = '\n', ['r'] = '\r', ['t'] = '\t'};
    size_t begin = *at;
    unsigned char kind = json->size - begin > 1 ? (unsigned char)json->text[begin + 1] : 0;
    if (kind < 128 && plain[kind]) {
        out[0] = plain[kind];
        *at = begin + 2;
        return 1;
    }
    if (kind != 'u') {
        fail_expected(json, begin + 1, "one of \"\\/bfnrtu behind a backslash");
        return 0;
    }
    uint32_t code = read_hex(json, begin + 2);
    if (code == UINT32_MAX) return 0;
    *at = begin + 6;
    if (code < 0xD800 || code > 0xDFFF) return encode_utf8(code, out);
    if (code <= 0xDBFF && json->size - *at >= 2 && json->text[*at] == '\\' && json->text[*at + 1] == 'u') {
        uint32_t second = read_hex(json, *at + 2);
        if (second == UINT32_MAX) return 0;
        if (second >= 0xDC00 && second <= 0xDFFF) {
            *at += 6;
            return encode_utf8(0x10000 + ((code - 0xD800) << 10) + (second - 0xDC00), out);
        }
    }
    fail(json, begin, "lone surrogate \\u%04X, expected a pair", (unsigned)code);
    return 0;
}

static bool keep(wl_json *json, const char *data, size_t size)
{
    if (wl_buffer_append(json->scratch, data, size, json->error) == WL_OK) return true;
    json->failed = true;
    return false;
}

/* Reads the string whose quote is next. decode false: checks it and leaves the scratch buffer alone. */
static inline wl_text read_string(wl_json *json, bool decode)
{
    size_t begin = json->at + 1, at = begin;
    bool escaped = false;
    for (;;) {
        uint64_t high = 0;
        size_t run = at;
        at = plain_end(json, run, &high);
        if (high) {
            size_t good = well_formed_end(json->text, run, at);
            if (good < at) {
                fail(json, good, "expected well-formed UTF-8 in a string, found byte 0x%02X",
                     (unsigned char)json->text[good]);
                return empty;
            }
        }
        char stop = at < json->size ? json->text[at] : 0;
        if (stop == '"' && !escaped) {
            json->at = at + 1;
            return (wl_text){json->text + begin, at - begin};
        }
        if (at == json->size || (stop != '"' && stop != '\\')) {
            fail_expected(json, at,
                          at == json->size ? "the '\"' that ends a string" : "no control character in a string");
            return empty;
        }
        if (decode && !escaped) json->scratch->size = 0;
        if (decode && !keep(json, json->text + run, at - run)) return empty;
        if (stop == '"') {
            json->at = at + 1;
            return decode ? (wl_text){json->scratch->data, json->scratch->size} : empty;
        }
        char bytes[4];
        size_t length = read_escape(json, &at, bytes);
        if (!length || (decode && !keep(json, bytes, length))) return empty;
        escaped = true;
    }
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

static const unsigned char kinds[256] = {
    ['n'] = WL_JSON_NULL,   ['t'] = WL_JSON_BOOLEAN, ['f'] = WL_JSON_BOOLEAN, ['"'] = WL_JSON_STRING,
    ['['] = WL_JSON_ARRAY,  ['{'] = WL_JSON_OBJECT,  ['-'] = WL_JSON_NUMBER,  ['0'] = WL_JSON_NUMBER,
    ['1'] = WL_JSON_NUMBER, ['2'] = WL_JSON_NUMBER,  ['3'] = WL_JSON_NUMBER,  ['4'] = WL_JSON_NUMBER,
    ['5'] = WL_JSON_NUMBER, ['6'] = WL_JSON_NUMBER,  ['7'] = WL_JSON_NUMBER,  ['8'] = WL_JSON_NUMBER,
    ['9'] = WL_JSON_NUMBER,
};

static const char *const kind_names[] = {
    [WL_JSON_NONE] = "a value",     [WL_JSON_NULL] = "null",       [WL_JSON_BOOLEAN] = "true or false",
    [WL_JSON_NUMBER] = "a number",  [WL_JSON_STRING] = "a string", [WL_JSON_ARRAY] = "an array",
    [WL_JSON_OBJECT] = "an object",
};

wl_json_kind wl_json_peek(wl_json *json)
{
    if (json->failed) return WL_JSON_NONE;
    skip_space(json);
    wl_json_kind kind = WL_JSON_NONE;
    if (json->at < json->size) kind = (wl_json_kind)kinds[(unsigned char)json->text[json->at]];
    if (kind == WL_JSON_NONE) fail_expected(json, json->at, "a value");
    return kind;
}

/* Whether the next value is of a kind; an error if not. */
static bool expect(wl_json *json, wl_json_kind wanted)
{
    wl_json_kind kind = wl_json_peek(json);
    if (kind == wanted) return true;
    if (kind != WL_JSON_NONE) fail(json, json->at, "expected %s, found %s", kind_names[wanted], kind_names[kind]);
    return false;
}

static bool read_word(wl_json *json, const char *word)
{
    size_t length = strlen(word);
    if (json->size - json->at < length || memcmp(json->text + json->at, word, length) != 0) {
        fail(json, json->at, "expected %s, found another word", word);
        return false;
    }
    json->at += length;
    return true;
}

wl_text wl_json_string(wl_json *json)
{
    return expect(json, WL_JSON_STRING) ? read_string(json, true) : empty;
}

static inline bool is_digit(const wl_json *json, size_t at)
{
    return at < json->size && json->text[at] >= '0' && json->text[at] <= '9';
}

/* Moves over one digit or more; false after an error. */
static bool read_digits(wl_json *json, size_t *at)
{
    if (!is_digit(json, *at)) {
        fail_expected(json, *at, "a digit");
        return false;
    }
    while (is_digit(json, *at)) ++*at;
    return true;
}

wl_text wl_json_number(wl_json *json)
{
    if (!expect(json, WL_JSON_NUMBER)) return empty;
    size_t begin = json->at, at = begin;
    if (json->text[at] == '-') at++;
    size_t digits = at;
    if (!read_digits(json, &at)) return empty;
    if (json->text[digits] == '0' && at - digits > 1) {
        fail(json, digits, "expected a number without leading zeros");
        return empty;
    }
    if (at < json->size && json->text[at] == '.') {
        at++;
        if (!read_digits(json, &at)) return empty;
    }
    if (at < json->size && (json->text[at] == 'e' || json->text[at] == 'E')) {
        at++;
        if (at < json->size && (json->text[at] == '+' || json->text[at] == '-')) at++;
        if (!read_digits(json, &at)) return empty;
    }
    json->at = at;
    return (wl_text){json->text + begin, at - begin};
}

uint64_t wl_json_unsigned(wl_json *json, uint64_t max)
{
    wl_text text = wl_json_number(json);
    uint64_t value = 0;
    bool fits = text.size <= 20; /* UINT64_MAX has 20 digits */
    for (size_t i = 0; i < text.size && fits; i++) {
        unsigned digit = (unsigned char)text.data[i] - (unsigned)'0';
        /* 19 digits cannot overflow, so only a 20th needs the division. */
        fits = digit <= 9 && (i < 19 || value <= (UINT64_MAX - digit) / 10);
        if (fits) value = value * 10 + digit;
    }
    fits = fits && value <= max;
    if (fits) return value;
    int shown = text.size < 40 ? (int)text.size : 40;
    fail(json, (size_t)(text.data - json->text), "expected a whole number from 0 to %llu, found %.*s",
         (unsigned long long)max, shown, text.data);
    return 0;
}

bool wl_json_boolean(wl_json *json)
{
    if (!expect(json, WL_JSON_BOOLEAN)) return false;
    bool value = json->text[json->at] == 't';
    return read_word(json, value ? "true" : "false") && value;
}

bool wl_json_null(wl_json *json)
{
    return wl_json_peek(json) == WL_JSON_NULL && read_word(json, "null");
}

/* ---- containers -------------------------------------------------------------------------------------------------- */

static void begin(wl_json *json, wl_json_kind kind)
{
    if (!expect(json, kind)) return;
    if (json->depth + 1 >= WL_JSON_DEPTH) {
        wl_json_fail(json, WL_ERROR_LIMIT, "expected at most %d levels of arrays and objects", WL_JSON_DEPTH - 1);
        return;
    }
    json->at++;
    json->depth++;
    json->first = true;
}

void wl_json_begin_object(wl_json *json)
{
    begin(json, WL_JSON_OBJECT);
}

void wl_json_begin_array(wl_json *json)
{
    begin(json, WL_JSON_ARRAY);
}

/* Moves over a comma to the next entry, or over the closing byte; says whether there is an entry. */
static inline bool next_entry(wl_json *json, char close, const char *expected)
{
    if (json->failed) return false;
    skip_space(json);
    bool first = json->first;
    json->first = false;
    if (next_is(json, close)) {
        json->at++;
        json->depth--;
        return false;
    }
    if (first) return true;
    if (!next_is(json, ',')) {
        fail_expected(json, json->at, expected);
        return false;
    }
    json->at++;
    return true;
}

static inline bool next_member(wl_json *json, wl_text *key, bool decode)
{
    *key = empty;
    if (!next_entry(json, '}', "',' or '}'")) return false;
    skip_space(json);
    if (!next_is(json, '"')) {
        fail_expected(json, json->at, "the '\"' that begins a key");
        return false;
    }
    *key = read_string(json, decode);
    if (json->failed) return false;
    skip_space(json);
    if (!next_is(json, ':')) {
        *key = empty;
        fail_expected(json, json->at, "':' behind a key");
        return false;
    }
    json->at++;
    return true;
}

bool wl_json_member(wl_json *json, wl_text *key)
{
    return next_member(json, key, true);
}

bool wl_json_element(wl_json *json)
{
    return next_entry(json, ']', "',' or ']'");
}

/* Recursive, at most WL_JSON_DEPTH deep. Decodes nothing, so a key read before stays valid. */
void wl_json_skip(wl_json *json)
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
        read_string(json, false);
        break;
    case WL_JSON_ARRAY:
        wl_json_begin_array(json);
        while (wl_json_element(json)) wl_json_skip(json);
        break;
    case WL_JSON_OBJECT:
        wl_json_begin_object(json);
        while (next_member(json, &key, false)) wl_json_skip(json);
        break;
    }
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

void wl_json_open(wl_json *json, const char *text, size_t size, const char *name, wl_buffer *scratch, wl_error *error)
{
    *json = (wl_json){.text = text, .size = size, .name = name, .scratch = scratch, .error = error};
    if (size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
        fail(json, 0, "expected a value, found a UTF-8 byte order mark");
}

wl_status wl_json_close(wl_json *json)
{
    if (json->failed) return json->error->code;
    skip_space(json);
    if (json->at < json->size)
        fail_expected(json, json->at, "nothing behind the value");
    else if (json->depth)
        fail_expected(json, json->at, "the end of an array or object");
    return json->failed ? json->error->code : WL_OK;
}

bool wl_text_is(wl_text text, const char *literal)
{
    size_t length = strlen(literal);
    return text.size == length && (length == 0 || memcmp(text.data, literal, length) == 0);
}
