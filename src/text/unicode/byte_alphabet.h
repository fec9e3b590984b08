/* The byte alphabet of byte-level BPE: a printable character for each byte (GPT-2's bytes_to_unicode). Bytes that are
 * printable in Latin-1 stand for themselves, the others for U+0100 and up, in order. */
#ifndef WL_TEXT_UNICODE_BYTE_ALPHABET_H
#define WL_TEXT_UNICODE_BYTE_ALPHABET_H

#include <stdbool.h>
#include <stdint.h>

static inline bool wl_byte_is_printable(unsigned byte)
{
    return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xFF && byte != 0xAD);
}

/* The character that stands for a byte. */
static inline uint32_t wl_byte_point(uint8_t byte)
{
    if (wl_byte_is_printable(byte)) return byte;
    /* The others are 00..20, 7F..A0 and AD. */
    return 0x100 + (byte <= 0x20 ? byte : byte <= 0xA0 ? byte - 0x7Fu + 0x21 : 0x43);
}

/* The byte that a character stands for, or -1. */
static inline int wl_point_byte(uint32_t point)
{
    if (point < 0x100) return wl_byte_is_printable(point) ? (int)point : -1;
    if (point < 0x121) return (int)(point - 0x100);
    if (point < 0x143) return (int)(point - 0x121 + 0x7F);
    return point == 0x143 ? 0xAD : -1;
}

#endif
