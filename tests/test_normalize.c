/* Normalizers as a stage of their own: what the golden answers of tests/golden/parts do not show. With spans and
 * without they give one text; what is called unchanged is; hostile tables and chains do no harm; long text is linear.
 */
#include "test.h"

#include <time.h>

#include "text/normalize/normalize.h"
#include "text/unicode/unicode.h"
#include "text/unicode/utf8.h"

static wl_normalize_scratch scratch;
static wl_string plain, aligned;

static uint64_t state = 88172645463325252u;

static uint32_t below(uint32_t limit)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 32) % limit;
}

static void fill(wl_string *string, const char *text, size_t size, bool spans)
{
    wl_error error;
    wl_string_clear(string, spans);
    for (size_t at = 0, length; at < size; at += length) {
        length = wl_utf8_length((unsigned char)text[at]);
        wl_span span = {(uint32_t)at, (uint32_t)(at + length)};
        if (wl_string_add(string, text + at, length, span, &error)) abort();
    }
}

/* Both ways; plain holds the result. Spans must be in order. */
static wl_status normalize(const wl_normalizer *steps, size_t count, const char *text, size_t size)
{
    wl_error error, other;
    fill(&plain, text, size, false);
    fill(&aligned, text, size, true);
    wl_status status = wl_normalize(steps, count, &plain, &scratch, &error);
    CHECK(wl_normalize(steps, count, &aligned, &scratch, &other) == status);
    if (status) return status;
    CHECK(plain.text.size == aligned.text.size &&
          (!plain.text.size || !memcmp(plain.text.data, aligned.text.data, plain.text.size)));
    CHECK(wl_utf8_valid(plain.text.data, plain.text.size) == plain.text.size);
    size_t wrong = 0;
    for (size_t i = 0; i < aligned.text.size; i++) {
        const wl_span *span = &aligned.spans[i];
        wrong += span->begin > span->end || span->end > size || (i && span[-1].begin > span->begin);
    }
    CHECK(wrong == 0);
    return WL_OK;
}

static bool unchanged(const char *text, size_t size)
{
    return plain.text.size == size && (!size || !memcmp(plain.text.data, text, size));
}

/* ---- what is called unchanged */

static const wl_normalizer_kind kinds[] = {
    WL_NORMALIZE_NFC,           WL_NORMALIZE_NFD, WL_NORMALIZE_NFKC,       WL_NORMALIZE_NFKD,  WL_NORMALIZE_LOWERCASE,
    WL_NORMALIZE_STRIP_ACCENTS, WL_NORMALIZE_NMT, WL_NORMALIZE_BYTE_LEVEL, WL_NORMALIZE_STRIP, WL_NORMALIZE_BERT,
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static wl_normalizer make(wl_normalizer_kind kind)
{
    return (wl_normalizer){.kind = kind,
                           .left = true,
                           .right = true,
                           .clean_text = true,
                           .chinese_chars = true,
                           .strip_accents = true,
                           .lowercase = true};
}

/* Characters that normalizers care for, and any others. */
static uint32_t random_point(void)
{
    static const struct {
        uint32_t begin, end;
    } ranges[] = {{0, 0x80},          {0x20, 0x7F},       {0xA0, 0x250},      {0x300, 0x370},    {0x370, 0x400},
                  {0x900, 0x980},     {0xF40, 0xFC0},     {0x1100, 0x1200},   {0x1E00, 0x2070},  {0x20D0, 0x2130},
                  {0x3040, 0x3100},   {0x4E00, 0x4E20},   {0xAC00, 0xAC40},   {0xF900, 0xFB50},  {0xFE00, 0xFFFE},
                  {0x1D15E, 0x1D170}, {0x1F1E6, 0x1F200}, {0x1F440, 0x1F480}, {0x10000, 0x20000}};
    uint32_t i = below(sizeof ranges / sizeof *ranges);
    return ranges[i].begin + below(ranges[i].end - ranges[i].begin);
}

static size_t random_text(char *text, size_t characters)
{
    size_t size = 0;
    for (size_t i = 0; i < characters; i++) size += wl_utf8_encode(random_point(), text + size);
    return size;
}

static void check_identity(void)
{
    char text[64];
    size_t told = 0, same = 0;
    wl_normalizer steps[2];
    for (size_t round = 0; round < 200000; round++) {
        size_t size = random_text(text, below(1 + round % 8)), count = 1 + round % 2;
        for (size_t i = 0; i < count; i++) steps[i] = make(kinds[below(KINDS)]);
        if (normalize(steps, count, text, size)) abort();
        bool identity = wl_normalize_is_identity(steps, count, text, size);
        CHECK(!identity || unchanged(text, size));
        told += identity;
        same += unchanged(text, size);
    }
    printf("unchanged: %zu of %zu such texts are told so\n", told, same);
    CHECK(told > same / 2);
    CHECK(wl_normalize_is_identity(NULL, 0, "x", 1) && wl_normalize_is_identity(steps, 1, NULL, 0));
}

/* ---- growth */

static void check_growth(void)
{
    wl_error error;
    wl_normalizer steps[8] = {0};
    for (size_t i = 0; i < 8; i++) {
        steps[i].kind = WL_NORMALIZE_REPLACE;
        if (wl_pattern_open(&steps[i].pattern, (wl_text){"aa", 2}, false, &error)) abort();
        steps[i].content = wl_copy_text("aaaaaaaaaaaaaaaa", 16, &error);
        steps[i].content_size = 16;
    }
    CHECK(normalize(steps, 1, "xaax", 4) == WL_OK && plain.text.size == 18);
    CHECK(normalize(steps, 8, "xaax", 4) == WL_ERROR_LIMIT);
    for (size_t i = 0; i < 8; i++) wl_normalizer_free(&steps[i]);
}

/* ---- tables from a file */

static size_t encode_base64(const char *data, size_t size, char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t written = 0;
    for (size_t i = 0; i < size; i += 3) {
        uint32_t bits = 0;
        for (size_t k = 0; k < 3; k++) bits = bits << 8 | (i + k < size ? (unsigned char)data[i + k] : 0);
        for (size_t k = 0; k < 4; k++) out[written++] = i + k <= size ? digits[bits >> (18 - 6 * k) & 63] : '=';
    }
    return written;
}

/* Tables of random units that mostly lead somewhere. */
static void check_tables(void)
{
    enum { UNITS = 512 };
    static char blob[4 + 4 * UNITS + 16], base64[sizeof blob * 2], text[256];
    size_t changed = 0;
    for (size_t round = 0; round < 3000; round++) {
        wl_normalizer step = {.kind = WL_NORMALIZE_PRECOMPILED};
        wl_error error;
        uint32_t units = round % 7 ? UNITS : below(UNITS);
        for (uint32_t i = 0; i <= units; i++) {
            uint32_t unit = below(600) << 10 | (below(4) == 0 ? 256u : 0) | ((i - 1) & 0xFF);
            if (below(3) == 0) unit = UINT32_C(1) << 31 | below(20);
            if (i == 0) unit = 4 * units;
            for (size_t k = 0; k < 4; k++) blob[4 * i + k] = (char)(unit >> (8 * k));
            if (i == 1 && round % 2) memcpy(blob + 4, "\x00\x00\x04", 4); /* the children of the root at 256 */
        }
        size_t size = 4 + 4 * units;
        memcpy(blob + size, "a\xC3\xA9\0\0\xE4\xB8\x96xyz\0bc", 13);
        size += 13 - below(3);
        wl_status status =
            wl_charsmap_open(&step.charsmap, (wl_text){base64, encode_base64(blob, size, base64)}, &error);
        CHECK_THAT(status == WL_OK, "%s", error.message);
        if (!status) {
            size = random_text(text, 40);
            normalize(&step, 1, text, size);
            changed += !unchanged(text, size);
        }
        wl_normalizer_free(&step);
    }
    CHECK(changed > 300);
}

/* ---- 100,000 of a character each */

static void check_long(void)
{
    static const char *const units[] = {"a",
                                        "\xC3\xA9",
                                        "\xCC\x81",
                                        "\xE0\xBD\xB3",
                                        " ",
                                        "\xCD\x84\xCC\xA3",
                                        "\xE1\x84\x80",
                                        "\xE2\x80\x8D",
                                        "\xF0\x9F\x91\xA8\xE2\x80\x8D"};
    enum { TIMES = 100000 };
    wl_buffer text = {0};
    wl_error error;
    double longest = 0;
    for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
        text.size = 0;
        for (size_t i = 0; i < TIMES; i++)
            if (wl_buffer_append(&text, units[u], strlen(units[u]), &error)) abort();
        for (size_t k = 0; k < KINDS; k++) {
            wl_normalizer step = make(kinds[k]);
            clock_t start = clock();
            CHECK(!normalize(&step, 1, text.data, text.size));
            double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
            CHECK_THAT(seconds < 10, "normalizer %d, unit %zu: %.1f s", (int)kinds[k], u, seconds);
            if (seconds > longest) longest = seconds;
        }
    }
    printf("long: the slowest took %.2f s of processor time\n", longest);
    wl_buffer_free(&text);
}

int main(void)
{
    check_identity();
    check_growth();
    check_tables();
    check_long();
    wl_string_free(&plain);
    wl_string_free(&aligned);
    wl_normalize_scratch_free(&scratch);
    return test_end();
}
