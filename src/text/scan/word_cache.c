#include "text/scan/word_cache.h"

_Static_assert(sizeof(wl_word_slot) == 32, "two slots a cache line");
_Static_assert(sizeof(wl_long_slot) == 64, "a slot is a cache line");

enum { SMALL = 2 << 20, LONG_TEXT = SMALL / 8 };

static wl_status allocate(wl_word_cache *cache, size_t bytes, uint64_t owner, wl_error *error)
{
    /* Half for the short words; what the power of two leaves of it goes to the long ones. */
    size_t pairs = 1;
    while (4 * pairs * sizeof(wl_word_slot) <= bytes / 2) pairs *= 2;
    size_t left = bytes > 2 * pairs * sizeof(wl_word_slot) ? bytes - 2 * pairs * sizeof(wl_word_slot) : 0;
    size_t long_pairs = left / (2 * sizeof(wl_long_slot));
    if (!long_pairs) long_pairs = 1;
    size_t size = 2 * (long_pairs * sizeof(wl_long_slot) + pairs * sizeof(wl_word_slot)) + sizeof(wl_long_slot);
    void *memory = wl_pages_allocate(size, error);
    if (!memory) return WL_ERROR_MEMORY;
    *cache = (wl_word_cache){.memory = memory, .size = size, .pairs = pairs, .long_pairs = long_pairs, .owner = owner};
    cache->slots = memory;
    cache->long_slots = (wl_long_slot *)(void *)(cache->slots + 2 * pairs);
    return WL_OK;
}

void wl_word_cache_free(wl_word_cache *cache)
{
    wl_pages_free(cache->memory, cache->size);
    *cache = (wl_word_cache){0};
}

/* Whether a new word may drive out an old one. */
static bool may_replace(wl_word_cache *cache)
{
    return (++cache->refused & 7) == 0;
}

/* The newest word comes first in its pair. */
static void add_slot(wl_word_cache *cache, const wl_word_slot *added)
{
    wl_word_slot *pair = wl_word_cache_pair(cache, added->key), *second = wl_word_cache_second(cache, added->key);
    const wl_word_slot *slot;
    if (wl_word_cache_match(pair, added->key, &slot) || wl_word_cache_match(second, added->key, &slot)) return;
    if (pair[1].key.high) { /* the first pair is full */
        if (!second[1].key.high)
            pair = second;
        else if (!may_replace(cache))
            return;
    }
    cache->kept += !pair[1].key.high;
    pair[1] = pair[0];
    pair[0] = *added;
}

static void add_short(wl_word_cache *cache, wl_word_key key, const uint32_t *ids, size_t count)
{
    wl_word_slot slot = {.key = key};
    for (size_t i = 0; i < count; i++) slot.ids[i] = ids[i];
    slot.ids[0] |= (uint32_t)count << 24;
    add_slot(cache, &slot);
}

static void add_long(wl_word_cache *cache, const char *word, size_t size, bool part, const uint32_t *ids, size_t count)
{
    wl_long_slot *pair = wl_word_cache_long(cache, word, size, part), *slot = pair;
    bool wide = size + 4 * count > WL_LONG_PAYLOAD;
    bool full = pair[0].size && (pair[0].wide || pair[1].size || wide);
    if (full && !may_replace(cache)) return;
    if (!wide && pair[0].size && !pair[0].wide) pair[1] = pair[0];
    if (pair[0].wide || wide) pair[1].size = 0;
    *slot = (wl_long_slot){.size = (uint8_t)size, .count = (uint8_t)count, .part = part, .wide = wide};
    uint8_t *payload = (uint8_t *)pair + offsetof(wl_long_slot, payload); /* of both slots where wide */
    memcpy(payload, word, size);
    if (count) memcpy(payload + size, ids, count * sizeof *ids);
}

void wl_word_cache_add(wl_word_cache *cache, const char *word, size_t size, bool part, const uint32_t *ids,
                       size_t count)
{
    if (size <= WL_WORD_BYTES && count <= WL_WORD_IDS)
        add_short(cache, wl_word_key_at_end(word, size, part), ids, count);
    else if (size + 4 * count <= WL_WIDE_PAYLOAD)
        add_long(cache, word, size, part, ids, count);
}

bool wl_word_cache_find_long(const wl_word_cache *cache, const char *word, size_t size, bool part, wl_tokens *tokens,
                             wl_error *error)
{
    if (size >= WL_WIDE_PAYLOAD) return false;
    const wl_long_slot *pair = wl_word_cache_long(cache, word, size, part);
    for (int i = 0; i < (pair->wide ? 1 : 2); i++) {
        const wl_long_slot *slot = &pair[i];
        const uint8_t *payload = (const uint8_t *)slot + offsetof(wl_long_slot, payload);
        if (slot->size != size || slot->part != part || memcmp(payload, word, size) != 0) continue;
        if (wl_tokens_reserve(tokens, slot->count + (size_t)WL_WORD_IDS, error)) return false;
        /* Four at a time, some too many: there is memory behind the last slot, too. */
        for (size_t id = 0; id < slot->count; id += WL_WORD_IDS)
            memcpy(tokens->ids + tokens->count + id, payload + size + id * sizeof *tokens->ids,
                   WL_WORD_IDS * sizeof *tokens->ids);
        tokens->count += slot->count;
        return true;
    }
    return false;
}

/* ---- opening ---- */

/* To its full size, with its short words; the long ones, which are few, come anew. */
static void grow(wl_word_cache *cache, size_t bytes)
{
    wl_word_cache grown;
    wl_error unused; /* without the memory it stays as it is */
    if (allocate(&grown, bytes, cache->owner, &unused)) return;
    for (size_t i = 0; i < 2 * cache->pairs; i++)
        if (cache->slots[i].key.high) add_slot(&grown, &cache->slots[i]);
    wl_word_cache_free(cache);
    *cache = grown;
}

wl_status wl_word_cache_open(wl_word_cache *cache, size_t bytes, size_t text_size, uint64_t owner, wl_error *error)
{
    bool large = bytes <= SMALL || text_size > LONG_TEXT;
    if (!cache->memory) return allocate(cache, large ? bytes : SMALL, owner, error);
    if (cache->owner != owner) {
        memset(cache->memory, 0, cache->size);
        cache->owner = owner;
        cache->kept = 0;
    }
    if (cache->size < bytes && (large || cache->kept > cache->pairs)) grow(cache, bytes);
    return WL_OK;
}
