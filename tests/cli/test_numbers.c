/* format_float against printf, bit for bit: every exponent, the edges of the fast path, and random floats. */
#include "../test.h"

#include <math.h>
#include <stdint.h>

#include "io.h"

static void check(float value)
{
    char got[NUMBER_SIZE + 1], wanted[64];
    got[format_float(got, value)] = 0;
    snprintf(wanted, sizeof wanted, "%.9g", (double)value);
    CHECK_THAT(strcmp(got, wanted) == 0, "%s, expected %s", got, wanted);
}

static float from_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

int main(void)
{
    static const float edges[] = {0, 1, 10, 0.1f, 1e-4f, 1e-5f, 1e8f, 1e9f, 99999999.f, 123456789.f, 0.5f, INFINITY};
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
        for (int side = -1; side <= 1; side++) {
            float value = side ? nextafterf(edges[i], side < 0 ? 0 : INFINITY) : edges[i];
            check(value);
            check(-value);
        }
    }
    uint32_t state = 1;
    for (uint32_t i = 0; i < 1000000; i++) {
        state = state * 1664525 + 1013904223;
        uint32_t bits = state ^ state >> 15;
        /* Half of them near 1, where vectors have their values. */
        if (i & 1) bits = (bits & 0x807FFFFF) | (108 + i / 2 % 40) << 23;
        if ((bits & 0x7F800000) != 0x7F800000) check(from_bits(bits));
    }
    return test_end();
}
