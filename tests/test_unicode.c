/* UTF-8 and the Unicode tables against digests of the oracle's answers (tools/unicode_tables.py). */
#include "test.h"

#include "text/unicode/unicode.h"
#include "text/unicode/utf8.h"

#ifndef WL_TEST_DATA
#define WL_TEST_DATA "tests"
#endif

static void digest_bytes(uint64_t *digest, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < size; i++) *digest = (*digest ^ bytes[i]) * UINT64_C(0x100000001B3);
}

static void digest_byte(uint64_t *digest, size_t value)
{
    digest_bytes(digest, &(unsigned char){(unsigned char)value}, 1);
}

/* The count, then each point as four bytes, least first. */
static void digest_points(uint64_t *digest, const uint32_t *points, size_t count)
{
    digest_byte(digest, count);
    for (size_t i = 0; i < count; i++)
        for (unsigned shift = 0; shift < 32; shift += 8) digest_byte(digest, points[i] >> shift & 255);
}

static void digest_class(uint64_t *digest, uint32_t point)
{
    digest_byte(digest, wl_unicode_class(point));
}

static void digest_traits(uint64_t *digest, uint32_t point)
{
    digest_byte(digest, wl_unicode_traits(point));
}

static void digest_script(uint64_t *digest, uint32_t point)
{
    digest_byte(digest, wl_unicode_script(point));
}

static void digest_combining(uint64_t *digest, uint32_t point)
{
    digest_byte(digest, wl_unicode_combining(point));
}

static void digest_decomposition(uint64_t *digest, uint32_t point)
{
    uint32_t out[4];
    digest_points(digest, out, wl_unicode_decompose(point, out));
}

static void digest_lower(uint64_t *digest, uint32_t point)
{
    uint32_t out[3];
    digest_points(digest, out, wl_unicode_lower(point, out));
}

static void digest_compatibility(uint64_t *digest, uint32_t point)
{
    uint32_t out[WL_UNICODE_DECOMPOSED];
    digest_points(digest, out, wl_unicode_decompose_compatible(point, out));
}

static void digest_form(uint64_t *digest, uint32_t point)
{
    digest_byte(digest, wl_unicode_form(point));
}

static void digest_grapheme(uint64_t *digest, uint32_t point)
{
    digest_byte(digest, wl_unicode_grapheme(point));
}

static const struct {
    const char *name;
    void (*add)(uint64_t *digest, uint32_t point);
} properties[] = {
    {"class", digest_class},
    {"traits", digest_traits},
    {"script", digest_script},
    {"combining", digest_combining},
    {"decomposition", digest_decomposition},
    {"lower", digest_lower},
    {"compatibility", digest_compatibility},
    {"form", digest_form},
    {"grapheme", digest_grapheme},
};

static void check_digest(const char *name, uint64_t digest)
{
    const char *path = WL_TEST_DATA "/golden/unicode.txt";
    char line[256], found[64];
    unsigned long long golden = 0;
    bool known = false;
    FILE *file = fopen(path, "r");
    CHECK_THAT(file, "%s", path);
    if (!file) return;
    while (!known && fgets(line, sizeof line, file))
        known = sscanf(line, "%63s %llx", found, &golden) == 2 && !strcmp(found, name);
    fclose(file);
    CHECK_THAT(known && digest == golden, "%s: %016llx, golden %016llx", name, (unsigned long long)digest, golden);
}

static const uint64_t empty_digest = UINT64_C(0xCBF29CE484222325);

/* Every pair that composes, found through the decompositions. */
static void check_pairs(void)
{
    size_t pairs = 0;
    for (uint32_t point = 0; point < 0x110000; point++) {
        uint32_t parts[4];
        size_t count = wl_unicode_decompose(point, parts);
        if (count < 2) continue;
        uint32_t composed = parts[0];
        for (size_t i = 1; i < count && composed; i++) composed = wl_unicode_compose(composed, parts[i]);
        pairs += composed == point; /* else it is excluded from composition */
    }
    CHECK_THAT(pairs == 940 + 11172, "%zu", pairs);
    CHECK(wl_unicode_compose('a', 'b') == 0 && wl_unicode_compose(0xAC01, 0x11A8) == 0);
    CHECK(wl_unicode_compose(0xAC00, 0x11A7) == 0 && wl_unicode_compose(0x1100, 0x1161) == 0xAC00);
}

/* Texts and the ends of their grapheme clusters; 0 ends a list. */
static const struct {
    const char *text;
    size_t ends[6];
} clusters[] = {
    {"ab", {1, 2}},
    {"\r\n\n", {2, 3}},
    {"e\xCC\x81\xCC\x81x", {5, 6}},
    {"\xE1\x84\x80\xE1\x85\xA1\xE1\x86\xA8\xE1\x84\x80", {9, 12}}, /* Hangul L V T, L */
    {"\xF0\x9F\x87\xA6\xF0\x9F\x87\xA7\xF0\x9F\x87\xA8", {8, 12}}, /* flags in pairs */
    {"\xF0\x9F\x91\xA8\xE2\x80\x8D\xF0\x9F\x91\xA9", {11}},        /* pictographs joined */
    {"a\xE2\x80\x8D\xF0\x9F\x91\xA9", {4, 8}},                     /* a joiner, no pictograph */
    {"\xE0\xA4\x95\xE0\xA5\x8D\xE0\xA4\x95\xE0\xA4\x95", {9, 12}}, /* conjunct, consonant */
    {"\xD8\x80"
     "a",
     {3}}, /* prepended number sign */
};

static void check_clusters(void)
{
    for (size_t i = 0; i < sizeof clusters / sizeof *clusters; i++) {
        size_t size = strlen(clusters[i].text), at = 0, count = 0;
        for (; at < size; count++) {
            at = wl_grapheme_end(clusters[i].text, size, at);
            CHECK_THAT(at == clusters[i].ends[count], "row %zu: %zu", i, at);
            if (at != clusters[i].ends[count]) break;
        }
    }
}

static void check_properties(void)
{
    for (size_t i = 0; i < sizeof properties / sizeof *properties; i++) {
        uint64_t digest = empty_digest;
        for (uint32_t point = 0; point < 0x110000; point++)
            if (point < 0xD800 || point >= 0xE000) properties[i].add(&digest, point);
        check_digest(properties[i].name, digest);
    }
    for (uint32_t point = 0xD800; point < 0xE000; point++) CHECK(wl_unicode_class(point) == 0);
}

/* Readable witnesses of what the digests hold. */
static const struct {
    uint32_t point;
    int class, combining;
} witnesses[] = {
    {' ', WL_UNICODE_SPACE | WL_UNICODE_BERT_SPACE, 0},
    {'\t', WL_UNICODE_SPACE | WL_UNICODE_BERT_SPACE, 0},
    {'\v', WL_UNICODE_SPACE | WL_UNICODE_BERT_REMOVED, 0}, /* a control before it is white space */
    {'$', WL_UNICODE_BERT_PUNCTUATION, 0},
    {'_', WL_UNICODE_BERT_PUNCTUATION | WL_UNICODE_WORD, 0},
    {'A', WL_UNICODE_WORD | WL_UNICODE_CHANGES, 0},
    {'a', WL_UNICODE_WORD, 0},
    {0x0301, WL_UNICODE_MARK | WL_UNICODE_WORD | WL_UNICODE_CHANGES, 230},
    {0x0344, WL_UNICODE_WORD | WL_UNICODE_CHANGES, 230}, /* decomposes: no mark by itself */
    {0x08D3, WL_UNICODE_WORD, 0},                        /* class 220 since Unicode 11 */
    {0x3000, WL_UNICODE_SPACE | WL_UNICODE_BERT_SPACE, 0},
    {0x4E00, WL_UNICODE_BERT_CHINESE | WL_UNICODE_WORD, 0},
    {0xE000, WL_UNICODE_BERT_REMOVED, 0},
    {0xFFFD, WL_UNICODE_BERT_REMOVED, 0},
    {0x10FFFF, 0, 0}, /* unassigned, hence kept */
};

/* Decomposition and lower case; 0 ends a list. */
static const struct {
    uint32_t point, decomposition[5], lower[4];
} mappings[] = {
    {'A', {'A'}, {'a'}},
    {0x00C9, {'E', 0x301}, {0xE9}},
    {0x0130, {'I', 0x307}, {'i', 0x307}},
    {0x1F82, {0x3B1, 0x313, 0x300, 0x345}, {0x1F82}},
    {0xAC00, {0x1100, 0x1161}, {0xAC00}},
    {0xD7A3, {0x1112, 0x1175, 0x11C2}, {0xD7A3}},
    {0x11938, {0x11938}, {0x11938}}, /* decomposes since Unicode 13 */
    {0x2F800, {0x4E3D}, {0x2F800}},
    {0x10FFFF, {0x10FFFF}, {0x10FFFF}},
};

static bool same_points(const uint32_t *points, size_t count, const uint32_t *expected)
{
    size_t i = 0;
    while (i < count && points[i] == expected[i]) i++;
    return i == count && !expected[i];
}

static void check_witnesses(void)
{
    for (size_t i = 0; i < sizeof witnesses / sizeof *witnesses; i++) {
        uint32_t point = witnesses[i].point;
        CHECK_THAT(wl_unicode_class(point) == witnesses[i].class, "U+%04X: %d", (unsigned)point,
                   wl_unicode_class(point));
        CHECK_THAT(wl_unicode_combining(point) == witnesses[i].combining, "U+%04X", (unsigned)point);
    }
    for (size_t i = 0; i < sizeof mappings / sizeof *mappings; i++) {
        uint32_t out[4];
        size_t count = wl_unicode_decompose(mappings[i].point, out);
        CHECK_THAT(same_points(out, count, mappings[i].decomposition), "U+%04X", (unsigned)mappings[i].point);
        count = wl_unicode_lower(mappings[i].point, out);
        CHECK_THAT(same_points(out, count, mappings[i].lower), "U+%04X", (unsigned)mappings[i].point);
    }
}

/* A copy of exactly size bytes, so that the sanitizer sees a read past the end. */
static char *exact_copy(const char *text, size_t size)
{
    char *copy = malloc(size ? size : 1);
    if (!copy) abort();
    return memcpy(copy, text, size);
}

/* Every four bytes of these, the edges of all ranges in the table of well-formed sequences. */
static void check_repairs(void)
{
    static const unsigned char edges[] = {0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF,
                                          0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF};
    enum { COUNT = sizeof edges };
    uint64_t digest = empty_digest;
    wl_buffer out = {0};
    wl_error error;
    for (unsigned i = 0; i < COUNT * COUNT * COUNT * COUNT; i++) {
        char text[4] = {(char)edges[i / (COUNT * COUNT * COUNT)], (char)edges[i / (COUNT * COUNT) % COUNT],
                        (char)edges[i / COUNT % COUNT], (char)edges[i % COUNT]};
        uint64_t replaced = 0;
        out.size = 0;
        if (wl_utf8_repair(text, sizeof text, &out, &replaced, &error)) abort();
        digest_byte(&digest, wl_utf8_valid(text, sizeof text));
        digest_byte(&digest, replaced);
        digest_bytes(&digest, out.data, out.size);
        if (wl_utf8_valid(out.data, out.size) != out.size) CHECK_THAT(false, "repaired text %u is ill-formed", i);
    }
    wl_buffer_free(&out);
    check_digest("utf8", digest);
}

#define R "\xEF\xBF\xBD"

/* As Python's bytes.decode("utf-8", "replace"). */
static const struct {
    const char *text, *repaired;
    size_t valid, replaced;
} ill_formed[] = {
    {"", "", 0, 0},
    {"plain ASCII, over eight bytes", "plain ASCII, over eight bytes", 29, 0},
    {"eight by\xFFtes", "eight by" R "tes", 8, 1},
    {"seven b\x80", "seven b" R, 7, 1},
    {"\xF0\x9F\xA6\x99!", "\xF0\x9F\xA6\x99!", 5, 0},
    {"\xF0\x9F\xA6!", R "!", 0, 1},                                        /* cut short: one subpart */
    {"a\xF1\x80\x80\xE1\x80\xC2\x62", "a" R R R "b", 1, 3},                /* three subparts */
    {"\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41", R R R R R R R R "A", 0, 8},   /* table 3-8: overlong */
    {"\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41", R R R R R R R R "A", 0, 8},   /* table 3-9: surrogates */
    {"\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42", R R R R R "A" R R "B", 0, 7}, /* table 3-10: above U+10FFFF */
    {"\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41", R R R R "A", 0, 4},           /* table 3-11: truncated */
    {"\xF4\x8F\xBF\xBF\xED\x9F\xBF\xEE\x80\x80", "\xF4\x8F\xBF\xBF\xED\x9F\xBF\xEE\x80\x80", 10, 0},
    {"llama \xF0\x9F\xA6", "llama " R, 6, 1},
};

static void check_utf8(void)
{
    wl_buffer out = {0};
    wl_error error;
    for (size_t i = 0; i < sizeof ill_formed / sizeof *ill_formed; i++) {
        size_t size = strlen(ill_formed[i].text), expected = strlen(ill_formed[i].repaired);
        char *text = exact_copy(ill_formed[i].text, size);
        uint64_t replaced = 100;
        out.size = 0;
        CHECK(wl_utf8_repair(text, size, &out, &replaced, &error) == WL_OK);
        CHECK_THAT(out.size == expected && (!expected || !memcmp(out.data, ill_formed[i].repaired, expected)),
                   "row %zu", i);
        CHECK_THAT(replaced == 100 + ill_formed[i].replaced, "row %zu", i);
        CHECK_THAT(wl_utf8_valid(text, size) == ill_formed[i].valid, "row %zu", i);
        free(text);
    }
    CHECK(wl_utf8_valid(NULL, 0) == 0 && wl_utf8_count(NULL, 0) == 0);
    CHECK(wl_utf8_repair(NULL, 0, &out, &(uint64_t){0}, &error) == WL_OK);
    wl_buffer_free(&out);
}

/* Every scalar value there and back, and the same bytes as one long text. */
static void check_round_trip(void)
{
    wl_buffer all = {0};
    wl_error error;
    size_t wrong = 0;
    for (uint32_t point = 0; point < 0x110000; point++) {
        char text[4];
        size_t size = wl_utf8_encode(point, text), length = 0;
        if (point >= 0xD800 && point < 0xE000) {
            wrong += wl_utf8_valid(text, size) != 0;
            continue;
        }
        wrong += wl_utf8_valid(text, size) != size || wl_utf8_valid(text, size - 1) == size;
        wrong += wl_utf8_decode(text, &length) != point || length != size;
        wrong += wl_utf8_length((unsigned char)text[0]) != size;
        if (wl_buffer_append(&all, text, size, &error)) abort();
    }
    CHECK_THAT(wrong == 0, "%zu", wrong);
    CHECK(wl_utf8_valid(all.data, all.size) == all.size);
    CHECK(wl_utf8_count(all.data, all.size) == 0x110000 - 0x800);
    wl_buffer_free(&all);
}

int main(void)
{
    check_properties();
    check_pairs();
    check_clusters();
    check_witnesses();
    check_repairs();
    check_utf8();
    check_round_trip();
    return test_end();
}
