/* Digests of 128 bits, which stand for texts, and sets of them. Two texts of a million million meet with a probability
 * of 2^-49. Not against intent: whoever knows the hash can make two texts of one digest. */
#ifndef WL_DATA_DIGESTS_H
#define WL_DATA_DIGESTS_H

#include "base/memory.h"

typedef struct wl_text_digest {
    uint64_t low, high; /* each a hash of its own (base/hash.h) */
} wl_text_digest;

wl_text_digest wl_digest_bytes(const void *data, size_t size);
/* Of all ids and their pieces, and of what it makes of a text in which much occurs: another vocabulary is noticed, and
 * another treatment of case, accents, spaces, digits and the like. Linear in the vocabulary. WL_ERROR_MEMORY. */
wl_status wl_digest_tokenizer(const wl_tokenizer *tokenizer, wl_text_digest *digest, wl_error *error);

/* As 32 hexadecimal digits and a NUL. */
enum { WL_DIGEST_DIGITS = 33 };
void wl_digest_print(wl_text_digest digest, char text[WL_DIGEST_DIGITS]);

typedef struct wl_digest_slot {
    wl_text_digest digest;
    uint32_t value, used;
} wl_digest_slot;

/* A set with a number for each digest; zeroed it is empty. Open addressing, at most two thirds full. Free with
 * wl_digests_free. */
typedef struct wl_digests {
    wl_digest_slot *slots; /* (capacity) */
    size_t count, capacity;
} wl_digests;

/* *added: whether it was not there yet; else its value stays as it is. */
wl_status wl_digests_add(wl_digests *set, wl_text_digest digest, uint32_t value, bool *added, wl_error *error);
/* NULL: it is not there. Valid until the next one is added. */
const uint32_t *wl_digests_find(const wl_digests *set, wl_text_digest digest);
/* Empty again, with the memory that it has. */
void wl_digests_clear(wl_digests *set);
void wl_digests_free(wl_digests *set);

#endif
