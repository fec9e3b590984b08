#include "text/scan/word_cache.h"

#include <stdlib.h>

_Static_assert(sizeof(wl_word_slot) == 32, "two slots a cache line");
_Static_assert(sizeof(wl_long_slot) == 192, "a slot is three cache lines");

wl_status wl_word_cache_open(wl_word_cache *cache, size_t bytes, uint64_t owner, wl_error *error)
{
    if (cache->memory && cache->owner == owner) return WL_OK;
    /* Three quarters for the short words. */
    size_t long_pairs = bytes / 4 / (2 * sizeof(wl_long_slot)),
           pairs = (bytes - bytes / 4) / (2 * sizeof(wl_word_slot));
    pairs = pairs > 2 ? pairs & ~(size_t)1 : 2;
    if (!long_pairs) long_pairs = 1;
    size_t size = 2 * (long_pairs * sizeof(wl_long_slot) + pairs * sizeof(wl_word_slot));
    if (!cache->memory) {
        /* Zeroed pages come from the system when they are first touched: a cache costs what is used of it. */
        cache->memory = wl_allocate(size + 128, 1, error);
        if (!cache->memory) return error->code;
        uintptr_t aligned = ((uintptr_t)cache->memory + 127) & ~(uintptr_t)127;
        cache->slots = (wl_word_slot *)aligned;
        cache->long_slots = (wl_long_slot *)(aligned + 2 * pairs * sizeof(wl_word_slot));
        cache->pairs = pairs;
        cache->long_pairs = long_pairs;
    } else
        memset(cache->slots, 0, size);
    cache->owner = owner;
    return WL_OK;
}

void wl_word_cache_free(wl_word_cache *cache)
{
    free(cache->memory);
    *cache = (wl_word_cache){0};
}

/* The newest word comes first in its pair, the one before it second: frequent words come back soon after they are
 * lost. What the pair loses goes to the other one as long as that has room. */
static void add_short(wl_word_cache *cache, wl_word_key key, const uint32_t *ids, size_t count)
{
    wl_word_slot *pair = wl_word_cache_pair(cache, key), *other = wl_word_cache_other(cache, pair);
    if (wl_word_cache_match(pair, key) || wl_word_cache_match(other, key)) return;
    if (!other[0].key.high)
        other[0] = pair[1];
    else if (!other[1].key.high)
        other[1] = pair[1];
    pair[1] = pair[0];
    pair[0] = (wl_word_slot){.key = key};
    for (size_t i = 0; i < count; i++) pair[0].ids[i] = ids[i];
    pair[0].ids[0] |= (uint32_t)count << 24;
}

static wl_long_slot *long_pair(const wl_word_cache *cache, const char *word, size_t size, bool part)
{
    return &cache->long_slots[2 * wl_hash_range(wl_hash_bytes(word, size) + part, cache->long_pairs)];
}

void wl_word_cache_add(wl_word_cache *cache, const char *word, size_t size, bool part, const uint32_t *ids,
                       size_t count)
{
    if (size <= WL_WORD_BYTES && count <= WL_WORD_IDS) {
        add_short(cache, wl_word_key_of(word, size, size, part), ids, count);
    } else if (size <= WL_LONG_BYTES && count <= WL_LONG_IDS) {
        wl_long_slot *pair = long_pair(cache, word, size, part);
        pair[1] = pair[0];
        pair[0].size = (uint8_t)size;
        pair[0].part = part;
        pair[0].count = (uint8_t)count;
        memcpy(pair[0].word, word, size);
        if (count) memcpy(pair[0].ids, ids, count * sizeof *ids);
    }
}

bool wl_word_cache_find_long(const wl_word_cache *cache, const char *word, size_t size, bool part, wl_tokens *tokens,
                             wl_error *error)
{
    if (size > WL_LONG_BYTES) return false;
    const wl_long_slot *slot = long_pair(cache, word, size, part);
    for (int i = 0; i < 2; i++, slot++) {
        if (slot->size != size || slot->part != part || memcmp(slot->word, word, size) != 0) continue;
        if (wl_tokens_reserve(tokens, WL_LONG_IDS, error)) return false;
        memcpy(tokens->ids + tokens->count, slot->ids, sizeof slot->ids);
        tokens->count += slot->count;
        return true;
    }
    return false;
}
