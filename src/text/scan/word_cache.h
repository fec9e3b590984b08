/* Words seen before and their ids. In running text nearly every word is found here, so this is the inner loop of
 * tokenizing: one slot is 32 bytes, two slots share a cache line, a key is two registers, ids are copied without
 * looking at their number.
 * Only words of up to 15 bytes with up to 4 tokens are kept; the rest is tokenized anew. Bounded: a new word takes the
 * place of an old one. What is kept never changes a result, only its cost. */
#ifndef WL_TEXT_WORD_CACHE_H
#define WL_TEXT_WORD_CACHE_H

#include "base/hash.h"
#include "text/models/tokens.h"

#define WL_WORD_BYTES 15
#define WL_WORD_IDS   4

typedef struct wl_word_key {
    uint64_t low, high; /* the word's bytes, zeros, and its length in the last byte: never 0 */
} wl_word_key;

typedef struct wl_word_slot {
    wl_word_key key;
    uint32_t ids[WL_WORD_IDS]; /* the top byte of the first is their number: ids are below WL_ID_LIMIT */
} wl_word_slot;

typedef struct wl_word_cache {
    wl_word_slot *slots;
    void *memory;   /* slots before alignment */
    size_t pairs;   /* of slots; a power of two, or 0: no cache */
    uint64_t owner; /* the tokenizer whose words they are */
} wl_word_cache;

/* Makes a cache of at most bytes for a tokenizer; one that holds another tokenizer's words is emptied. */
wl_status wl_word_cache_open(wl_word_cache *cache, size_t bytes, uint64_t owner, wl_error *error);
void wl_word_cache_free(wl_word_cache *cache);
/* Keeps a word of at most WL_WORD_BYTES with the count ids, if they are at most WL_WORD_IDS. */
void wl_word_cache_add(wl_word_cache *cache, wl_word_key key, const uint32_t *ids, size_t count);

/* size: 1 to WL_WORD_BYTES. readable: bytes from word on that may be read, at least size. */
static inline wl_word_key wl_word_key_of(const char *word, size_t size, size_t readable)
{
    wl_word_key key = {0, 0};
    if (readable >= 16) {
        memcpy(&key.low, word, 8);
        memcpy(&key.high, word + 8, 8);
        /* Shifting by 64 is undefined, so the shift is done in two steps where it may be. */
        uint64_t keep = size < 8 ? ~(UINT64_MAX << (8 * size)) : UINT64_MAX;
        uint64_t keep_high = size > 8 ? ~(UINT64_MAX << (8 * (size - 8))) : 0;
        key.low &= keep;
        key.high &= keep_high;
    } else {
        char bytes[16] = {0};
        memcpy(bytes, word, size);
        memcpy(&key.low, bytes, 8);
        memcpy(&key.high, bytes + 8, 8);
    }
    key.high |= (uint64_t)size << 56;
    return key;
}

static inline wl_word_slot *wl_word_cache_pair(const wl_word_cache *cache, wl_word_key key)
{
    return &cache->slots[2 * (wl_hash_pair(key.low, key.high) & (cache->pairs - 1))];
}

/* The slot of a word, or NULL. */
static inline const wl_word_slot *wl_word_cache_find(const wl_word_cache *cache, wl_word_key key)
{
    const wl_word_slot *pair = wl_word_cache_pair(cache, key);
    if (pair[0].key.low == key.low && pair[0].key.high == key.high) return &pair[0];
    if (pair[1].key.low == key.low && pair[1].key.high == key.high) return &pair[1];
    return NULL;
}

/* Appends a slot's ids; tokens has room for WL_WORD_IDS. */
static inline void wl_word_slot_copy(const wl_word_slot *slot, wl_tokens *tokens)
{
    uint32_t *out = tokens->ids + tokens->count;
    memcpy(out, slot->ids, sizeof slot->ids);
    tokens->count += out[0] >> 24;
    out[0] &= 0xFFFFFF;
}

#endif
