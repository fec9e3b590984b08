/* Runs of ASCII, the bulk of most text. */
#ifndef WL_TEXT_ASCII_H
#define WL_TEXT_ASCII_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The end of the ASCII text that begins at `at`, eight bytes at a time. */
static inline size_t wl_ascii_end(const char *text, size_t size, size_t at)
{
    for (; size - at >= 8; at += 8) {
        uint64_t word;
        memcpy(&word, text + at, sizeof word);
        if (word & UINT64_C(0x8080808080808080)) break;
    }
    while (at < size && !(text[at] & 0x80)) at++;
    return at;
}

/* The same for printable characters and the space only. */
static inline size_t wl_printable_end(const char *text, size_t size, size_t at)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;
    for (; size - at >= 8; at += 8) {
        uint64_t word;
        memcpy(&word, text + at, sizeof word);
        /* Bit 7 of a byte: it is not ASCII, it is DEL, or it is below the space. */
        if ((word | (word + ones) | (word - 0x20 * ones)) & high) break;
    }
    while (at < size && text[at] >= ' ' && text[at] < 0x7F) at++;
    return at;
}

static inline void wl_ascii_lower(char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) text[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] | 0x20 : text[i]);
}

#endif
