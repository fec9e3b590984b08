#include "text/unicode/utf8.h"

#include <string.h>

#if defined(__SSE2__) && !defined(WL_PLAIN_KERNELS)
#include <emmintrin.h>
#endif

/* Well-formed sequences (Unicode, table 3-7): bytes, and the bounds of the second byte; all later ones are 80..BF. */
static const struct {
    unsigned char length, low, high;
} sequences[] = {
    {0, 0x00, 0x00}, /* not a first byte */
    {2, 0x80, 0xBF}, /* C2..DF */
    {3, 0xA0, 0xBF}, /* E0: no overlong forms */
    {3, 0x80, 0xBF}, /* E1..EC, EE, EF */
    {3, 0x80, 0x9F}, /* ED: no surrogates */
    {4, 0x90, 0xBF}, /* F0: no overlong forms */
    {4, 0x80, 0xBF}, /* F1..F3 */
    {4, 0x80, 0x8F}, /* F4: not above U+10FFFF */
};

/* Row of sequences for the first bytes from C0. */
static const unsigned char rows[64] = {
    0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, /* C0 */
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, /* D0 */
    2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 4, 3, 3, /* E0 */
    5, 6, 6, 6, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* F0 */
};

static inline size_t sequence_length(const unsigned char *s, size_t size, bool *valid)
{
    unsigned char row = s[0] < 0xC0 ? 0 : rows[s[0] - 0xC0];
    size_t length = sequences[row].length, at = 1;
    if (length && at < size && s[1] >= sequences[row].low && s[1] <= sequences[row].high)
        for (at = 2; at < length && at < size && (s[at] & 0xC0) == 0x80;) at++;
    *valid = at == length;
    return at;
}

size_t wl_utf8_sequence(const char *text, size_t size, bool *valid)
{
    return sequence_length((const unsigned char *)text, size, valid);
}

/* Number of leading ASCII bytes. */
static size_t ascii_length(const unsigned char *s, size_t size)
{
    size_t at = 0;
    for (uint64_t word; size - at >= sizeof word; at += sizeof word) {
        memcpy(&word, s + at, sizeof word);
        if (word & UINT64_C(0x8080808080808080)) break;
    }
    while (at < size && s[at] < 0x80) at++;
    return at;
}

#if defined(__SSE2__) && !defined(WL_PLAIN_KERNELS)

static uint64_t bits_of(const __m128i masks[4])
{
    uint64_t bits = 0;
    for (int i = 0; i < 4; i++) bits |= (uint64_t)(uint32_t)_mm_movemask_epi8(masks[i]) << (16 * i);
    return bits;
}

/* Leads whose second byte has bounds of its own, or that are none: E0, ED, from F0 on, C0 and C1. */
static bool seconds_valid(const unsigned char *s, size_t size, uint64_t leads)
{
    for (; leads; leads &= leads - 1) {
        size_t at = (size_t)__builtin_ctzll(leads);
        unsigned row = rows[s[at] - 0xC0];
        if (row == 0 || size - at < 2 || s[at + 1] < sequences[row].low || s[at + 1] > sequences[row].high)
            return false;
    }
    return true;
}

/* Number of leading bytes that are well-formed, told 64 bytes at a time as long as all of them are: later bytes of
 * sequences must stand exactly where the first bytes call for them. May stop anywhere between two characters. */
static size_t valid_blocks(const unsigned char *s, size_t size)
{
    uint64_t due = 0; /* later bytes that the block before calls for */
    size_t at = 0;
    for (; size - at >= 64; at += 64) {
        __m128i bytes[4], later[4], three[4], four[4], odd[4], all = _mm_setzero_si128();
        for (int i = 0; i < 4; i++) {
            bytes[i] = _mm_loadu_si128((const __m128i *)(const void *)(s + at + 16 * i));
            all = _mm_or_si128(all, bytes[i]);
        }
        if (!_mm_movemask_epi8(all) && !due) continue;
        for (int i = 0; i < 4; i++) {
            __m128i byte = bytes[i];
            later[i] = _mm_cmplt_epi8(byte, _mm_set1_epi8((char)0xC0));
            three[i] = _mm_cmpeq_epi8(_mm_max_epu8(byte, _mm_set1_epi8((char)0xE0)), byte);
            four[i] = _mm_cmpeq_epi8(_mm_max_epu8(byte, _mm_set1_epi8((char)0xF0)), byte);
            __m128i bounded = _mm_or_si128(_mm_cmpeq_epi8(byte, _mm_set1_epi8((char)0xE0)),
                                           _mm_cmpeq_epi8(byte, _mm_set1_epi8((char)0xED)));
            __m128i overlong =
                _mm_cmpeq_epi8(_mm_and_si128(byte, _mm_set1_epi8((char)0xFE)), _mm_set1_epi8((char)0xC0));
            odd[i] = _mm_or_si128(_mm_or_si128(bounded, overlong), four[i]);
        }
        uint64_t follows = bits_of(later), first = bits_of(bytes) & ~follows, third = bits_of(three);
        uint64_t fourth = bits_of(four), asked = bits_of(odd);
        if (follows != (due | first << 1 | third << 2 | fourth << 3)) break;
        if (asked && !seconds_valid(s + at, size - at, asked)) break;
        due = first >> 63 | third >> 62 | fourth >> 61;
    }
    /* Back to the character that the next block was to end. */
    if (due) do
            at--;
        while ((s[at] & 0xC0) == 0x80);
    return at;
}

#else

static size_t valid_blocks(const unsigned char *s, size_t size)
{
    (void)s;
    (void)size;
    return 0;
}

#endif

size_t wl_utf8_valid(const char *text, size_t size)
{
    const unsigned char *s = (const unsigned char *)text;
    bool valid = true;
    size_t at = valid_blocks(s, size);
    while (at < size) {
        size_t length = s[at] < 0x80 ? ascii_length(s + at, size - at) : sequence_length(s + at, size - at, &valid);
        if (!valid) break;
        at += length;
    }
    return at;
}

wl_status wl_utf8_repair(const char *text, size_t size, wl_buffer *out, uint64_t *replaced, wl_error *error)
{
    for (size_t at = 0; at < size;) {
        size_t length = wl_utf8_valid(text + at, size - at);
        if (wl_buffer_append(out, text + at, length, error)) return error->code;
        at += length;
        if (at == size) break;
        bool valid;
        at += sequence_length((const unsigned char *)text + at, size - at, &valid);
        if (wl_buffer_append(out, "\xEF\xBF\xBD", 3, error)) return error->code;
        ++*replaced;
    }
    return WL_OK;
}

size_t wl_utf8_count(const char *text, size_t size)
{
    size_t count = 0;
    for (size_t i = 0; i < size; i++) count += ((unsigned char)text[i] & 0xC0) != 0x80;
    return count;
}
