/* One 64-bit hash for byte strings and one for integers, for tables in memory and in packed files, which hold a probe
 * of it: a change here is a new version of the packed form. Multiply-fold ("mum") mixing as in wyhash: 64 x 64 -> 128
 * bits, halves folded by xor; about 8 bytes a cycle. */
#ifndef WL_BASE_HASH_H
#define WL_BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t wl_hash_fold(uint64_t a, uint64_t b)
{
#ifdef __SIZEOF_INT128__
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
#else
    uint64_t a0 = a & UINT32_MAX, a1 = a >> 32, b0 = b & UINT32_MAX, b1 = b >> 32;
    uint64_t middle = a1 * b0 + (a0 * b0 >> 32), carry = (middle & UINT32_MAX) + a0 * b1;
    return (a * b) ^ (a1 * b1 + (middle >> 32) + (carry >> 32));
#endif
}

static inline uint64_t wl_hash_integer(uint64_t x)
{
    return wl_hash_fold(x ^ 0x9E3779B97F4A7C15u, 0xE7037ED1A0B428DBu);
}

/* Two words of 8 bytes, as a key of at most 16 bytes packs into. */
static inline uint64_t wl_hash_pair(uint64_t low, uint64_t high)
{
    return wl_hash_fold(low ^ 0x9E3779B97F4A7C15u, high ^ 0xE7037ED1A0B428DBu);
}

/* A hash brought into [0, count) (Lemire, https://arxiv.org/abs/1805.10941): the high bits decide. */
static inline uint64_t wl_hash_range(uint64_t hash, uint64_t count)
{
#ifdef __SIZEOF_INT128__
    __extension__ typedef unsigned __int128 wide;
    return (uint64_t)((wide)hash * count >> 64);
#else
    return ((hash >> 32) * count) >> 32;
#endif
}

/* Another seed gives another hash, independent of the first: together they are one of 128 bits. */
static inline uint64_t wl_hash_seeded(const char *data, size_t size, uint64_t seed)
{
    uint64_t hash = (size * 0x8EBC6AF09C88C6E3u) ^ seed, low = 0, high = 0;
    for (; size > 16; data += 16, size -= 16) {
        memcpy(&low, data, 8);
        memcpy(&high, data + 8, 8);
        hash = wl_hash_pair(low ^ hash, high);
    }
    low = high = 0;
    if (size > 8) {
        memcpy(&low, data, 8);
        memcpy(&high, data + 8, size - 8);
    } else if (size)
        memcpy(&low, data, size);
    return wl_hash_pair(low ^ hash, high);
}

static inline uint64_t wl_hash_bytes(const char *data, size_t size)
{
    return wl_hash_seeded(data, size, 0);
}

/* memcmp for keys, which are short: most need two loads on each side and no call. */
static inline bool wl_bytes_equal(const char *a, const char *b, size_t size)
{
    uint64_t x[2], y[2];
    uint32_t p[2], q[2];
    if (size > 16) return memcmp(a, b, size) == 0;
    if (size >= 8) {
        memcpy(&x[0], a, 8), memcpy(&x[1], a + size - 8, 8);
        memcpy(&y[0], b, 8), memcpy(&y[1], b + size - 8, 8);
        return !((x[0] ^ y[0]) | (x[1] ^ y[1]));
    }
    if (size >= 4) {
        memcpy(&p[0], a, 4), memcpy(&p[1], a + size - 4, 4);
        memcpy(&q[0], b, 4), memcpy(&q[1], b + size - 4, 4);
        return !((p[0] ^ q[0]) | (p[1] ^ q[1]));
    }
    for (size_t i = 0; i < size; i++)
        if (a[i] != b[i]) return false;
    return true;
}

#endif
