/* A checksum against damage, not against intent: 64 bits, the same on every machine, nearly as fast as memory gives
 * the bytes: six lanes of 16 bytes, each folded by a multiplication of its own (base/hash.h), so that none waits for
 * another. A change goes unnoticed about once in 2^64. It is stored in files: a
 * change here is a new version of the packed form. */
#ifndef WL_BASE_CHECKSUM_H
#define WL_BASE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* Of data behind what gave `before` (at first 0). Cutting data elsewhere gives another sum. */
uint64_t wl_checksum(uint64_t before, const void *data, size_t size);

#endif
