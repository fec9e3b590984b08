#include "text/scan/cuts.h"

static void set(uint8_t rows[256][32], unsigned char x, unsigned char y)
{
    rows[x][y / 8] |= (uint8_t)(1u << y % 8);
}

void wl_cuts_note(wl_cuts *cuts, const char *piece, size_t size)
{
    for (size_t at = 1; at < size; at++) {
        unsigned char x = (unsigned char)piece[at - 1], y = (unsigned char)piece[at];
        size_t near = at < size - at ? at : size - at; /* bytes on the poorer side */
        set(cuts->joined, x, y);
        if (y < 0xC0) continue;
        if (near == 1) {
            set(cuts->close, x, y);
            continue;
        }
        size_t slot = wl_cuts_slot(piece + at, near == 2 ? 2 : 3);
        uint64_t *filter = near == 2 ? cuts->pairs : cuts->triples;
        filter[slot / 64] |= UINT64_C(1) << slot % 64;
    }
}

void wl_cuts_finish(wl_cuts *cuts)
{
    /* Never inside a character. */
    for (unsigned x = 0; x < 256; x++) memset(&cuts->joined[x][0x80 / 8], 0xFF, 0x40 / 8);
}
