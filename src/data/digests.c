#include "data/digests.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "text/tokenizer.h"

enum { FIRST_CAPACITY = 64 };

static const uint64_t seed = 0x2545F4914F6CDD1D;

wl_text_digest wl_digest_bytes(const void *data, size_t size)
{
    return (wl_text_digest){wl_hash_bytes(data, size), wl_hash_seeded(data, size, seed)};
}

wl_text_digest wl_digest_tokenizer(const wl_tokenizer *tokenizer)
{
    wl_text_digest all = {0, 0};
    size_t ids = wl_tokenizer_ids(tokenizer);
    for (size_t id = 0; id < ids; id++) {
        wl_text piece = wl_tokenizer_piece(tokenizer, (uint32_t)id);
        if (!piece.data) continue;
        wl_text_digest one = wl_digest_bytes(piece.data, piece.size);
        uint64_t parts[] = {all.low, all.high, id, one.low, one.high};
        all = wl_digest_bytes(parts, sizeof parts);
    }
    return all;
}

void wl_digest_print(wl_text_digest digest, char text[WL_DIGEST_DIGITS])
{
    snprintf(text, WL_DIGEST_DIGITS, "%016" PRIx64 "%016" PRIx64, digest.high, digest.low);
}

/* The slot that holds the digest, or the free one where it belongs. There is a free one. */
static wl_digest_slot *find_slot(const wl_digests *set, wl_text_digest digest)
{
    size_t at = (size_t)wl_hash_range(digest.low, set->capacity);
    for (;; at = at + 1 < set->capacity ? at + 1 : 0) {
        wl_digest_slot *slot = &set->slots[at];
        if (!slot->used || (slot->digest.low == digest.low && slot->digest.high == digest.high)) return slot;
    }
}

static wl_status grow(wl_digests *set, wl_error *error)
{
    size_t capacity = set->capacity ? 2 * set->capacity : FIRST_CAPACITY;
    wl_digests grown = {wl_allocate(capacity, sizeof *grown.slots, error), set->count, capacity};
    if (!grown.slots) return WL_ERROR_MEMORY;
    for (size_t i = 0; i < set->capacity; i++)
        if (set->slots[i].used) *find_slot(&grown, set->slots[i].digest) = set->slots[i];
    free(set->slots);
    *set = grown;
    return WL_OK;
}

wl_status wl_digests_add(wl_digests *set, wl_text_digest digest, uint32_t value, bool *added, wl_error *error)
{
    if (set->count >= set->capacity / 3 * 2 && grow(set, error)) return error->code;
    wl_digest_slot *slot = find_slot(set, digest);
    *added = !slot->used;
    if (!*added) return WL_OK;
    *slot = (wl_digest_slot){digest, value, true};
    set->count++;
    return WL_OK;
}

const uint32_t *wl_digests_find(const wl_digests *set, wl_text_digest digest)
{
    if (!set->capacity) return NULL;
    const wl_digest_slot *slot = find_slot(set, digest);
    return slot->used ? &slot->value : NULL;
}

void wl_digests_clear(wl_digests *set)
{
    if (set->capacity) memset(set->slots, 0, set->capacity * sizeof *set->slots);
    set->count = 0;
}

void wl_digests_free(wl_digests *set)
{
    free(set->slots);
    *set = (wl_digests){0};
}
