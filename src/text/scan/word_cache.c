#include "text/scan/word_cache.h"

#include <stdlib.h>

_Static_assert(sizeof(wl_word_slot) == 32, "two slots a cache line");

wl_status wl_word_cache_open(wl_word_cache *cache, size_t bytes, uint64_t owner, wl_error *error)
{
    if (cache->slots && cache->owner == owner) return WL_OK;
    if (!cache->slots) {
        size_t pairs = 1;
        while (4 * pairs * sizeof(wl_word_slot) <= bytes) pairs *= 2;
        /* Zeroed pages come from the system when they are first touched: a cache costs what is used of it. */
        cache->memory = wl_allocate(2 * pairs + 2, sizeof(wl_word_slot), error);
        if (!cache->memory) return error->code;
        cache->slots = (wl_word_slot *)(((uintptr_t)cache->memory + 63) & ~(uintptr_t)63);
        cache->pairs = pairs;
    } else
        memset(cache->slots, 0, 2 * cache->pairs * sizeof(wl_word_slot));
    cache->owner = owner;
    return WL_OK;
}

void wl_word_cache_free(wl_word_cache *cache)
{
    free(cache->memory);
    *cache = (wl_word_cache){0};
}

void wl_word_cache_add(wl_word_cache *cache, wl_word_key key, const uint32_t *ids, size_t count)
{
    if (count > WL_WORD_IDS) return;
    if (wl_word_cache_find(cache, key)) return; /* a word of one part was kept as that part */
    wl_word_slot *pair = wl_word_cache_pair(cache, key);
    /* The newest word comes first, the one before it second: frequent words come back soon after they are lost. */
    pair[1] = pair[0];
    pair[0] = (wl_word_slot){.key = key};
    for (size_t i = 0; i < count; i++) pair[0].ids[i] = ids[i];
    pair[0].ids[0] |= (uint32_t)count << 24;
}
