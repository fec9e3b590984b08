#include "base/checksum.h"

#include "base/hash.h"

enum { LANES = 6, BLOCK = 16 * LANES };

static inline uint64_t word(const unsigned char *bytes)
{
    uint64_t value;
    memcpy(&value, bytes, 8);
    return value;
}

static inline void add_block(uint64_t lanes[LANES], const unsigned char *bytes)
{
    for (unsigned i = 0; i < LANES; i++)
        lanes[i] = wl_hash_fold(word(bytes + 16 * i) ^ lanes[i], word(bytes + 16 * i + 8) ^ 0xE7037ED1A0B428DBu);
}

uint64_t wl_checksum(uint64_t before, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    uint64_t lanes[LANES], sum = before ^ size * UINT64_C(0x8EBC6AF09C88C6E3);
    for (unsigned i = 0; i < LANES; i++) lanes[i] = wl_hash_integer(sum + i);
    for (; size >= BLOCK; bytes += BLOCK, size -= BLOCK) add_block(lanes, bytes);
    unsigned char rest[BLOCK] = {0};
    if (size) memcpy(rest, bytes, size);
    add_block(lanes, rest);
    for (unsigned i = 0; i < LANES; i++) sum = wl_hash_pair(sum, lanes[i]);
    return sum;
}
