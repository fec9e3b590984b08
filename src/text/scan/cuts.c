#include "text/scan/cuts.h"

void wl_cuts_note(wl_cuts *cuts, const char *piece, size_t size)
{
    for (size_t at = 1; at < size; at++) {
        size_t near = at < size - at ? at : size - at; /* bytes on the poorer side */
        uint8_t *joined = &cuts->joined[(unsigned char)piece[at - 1]][(unsigned char)piece[at]];
        *joined |= WL_CUT_NEVER;
        if ((unsigned char)piece[at] < 0xC0) continue;
        if (near == 1) {
            *joined |= WL_CUT_CLOSE;
            continue;
        }
        uint32_t four, low = 0;
        uint16_t high = 0;
        memcpy(&four, piece + at - 2, 4);
        uint64_t *word = &cuts->held[wl_cuts_word(four)];
        if (near == 2) {
            *word |= wl_cuts_bit(four);
            continue;
        }
        memcpy(&low, piece + at - 3, 4);
        memcpy(&high, piece + at + 1, 2);
        *word |= wl_cuts_bit(low | (uint64_t)high << 32);
    }
}

void wl_cuts_finish(wl_cuts *cuts)
{
    for (unsigned x = 0; x < 256; x++)
        for (unsigned y = 0x80; y < 0xC0; y++) cuts->joined[x][y] |= WL_CUT_NEVER;
}

bool wl_cuts_sound(const wl_cuts *cuts)
{
    uint8_t all = WL_CUT_NEVER;
    for (unsigned x = 0; x < 256; x++)
        for (unsigned y = 0x80; y < 0xC0; y++) all &= cuts->joined[x][y];
    return all & WL_CUT_NEVER;
}
