/* Words seen before and their ids. In running text nearly every word is found here, so this is the inner loop of
 * tokenizing: a slot of a short word is 32 bytes, two slots share a cache line, a key is two registers, ids are copied
 * without looking at their number. A word may stand in either of the two pairs of a bucket; the one it hashes to is
 * read first, the other only when it is not there. Words that are longer or have more tokens lie in slots of 64 bytes,
 * word and ids side by side, or in two such slots. What does not fit is tokenized anew. Bounded: where there is no
 * room, a new word takes the place of an old one, but only every eighth does, or the words of a bucket that is asked
 * for one more than it holds would drive each other out in turn. What is kept never changes a result, only its cost. */
#ifndef WL_TEXT_WORD_CACHE_H
#define WL_TEXT_WORD_CACHE_H

#include "base/hash.h"
#include "text/models/tokens.h"

#define WL_WORD_BYTES   15
#define WL_WORD_READ    16 /* bytes that are read for a key */
#define WL_WORD_IDS     4
#define WL_LONG_PAYLOAD 61
#define WL_WIDE_PAYLOAD (WL_LONG_PAYLOAD + 64)

typedef struct wl_word_key {
    uint64_t low, high; /* the word's bytes, zeros, and in the last byte its length and whether it is a part: never 0 */
} wl_word_key;

typedef struct wl_word_slot {
    wl_word_key key;
    uint32_t ids[WL_WORD_IDS]; /* the top byte of the first is their number: ids are below WL_ID_LIMIT */
} wl_word_slot;

/* Two of them, side by side, may be one wide slot. */
typedef struct wl_long_slot {
    uint8_t size, count; /* bytes of the word, 0: empty; its tokens */
    bool part : 1, wide : 1;
    uint8_t payload[WL_LONG_PAYLOAD]; /* the word, then its ids */
} wl_long_slot;

typedef struct wl_word_cache {
    wl_word_slot *slots;
    wl_long_slot *long_slots;
    void *memory; /* of both */
    size_t size;
    uint64_t pairs, long_pairs; /* of slots; pairs is a power of two; 0: no cache */
    uint64_t owner;             /* the tokenizer whose words they are */
    uint32_t refused;           /* words that found no room */
    uint64_t kept;              /* short words that found some */
} wl_word_cache;

/* Makes a cache of at most bytes for a tokenizer and a text of that size; one that holds another tokenizer's words is
 * emptied. It starts small, since memory that was never touched costs more than the words of a short job, and has its
 * full size once it is half full or a text is long. Nothing points into a cache between two texts. */
wl_status wl_word_cache_open(wl_word_cache *cache, size_t bytes, size_t text_size, uint64_t owner, wl_error *error);
void wl_word_cache_free(wl_word_cache *cache);
/* Keeps a word that was not found, if it and its count ids fit. part: it is a part of a longer word, whose tokens may
 * differ from those of the same bytes as a whole word. */
void wl_word_cache_add(wl_word_cache *cache, const char *word, size_t size, bool part, const uint32_t *ids,
                       size_t count);
/* Appends the ids of a word that is in no short slot; false where it is not known. */
bool wl_word_cache_find_long(const wl_word_cache *cache, const char *word, size_t size, bool part, wl_tokens *tokens,
                             wl_error *error);

/* size: 1 to WL_WORD_BYTES; 16 bytes from word on can be read. */
static inline wl_word_key wl_word_key_of(const char *word, size_t size, bool part)
{
    /* The bits of a word of each size, in halves. */
    static const uint64_t keep[16][2] = {
#define LOW(n) {UINT64_MAX >> (64 - 8 * (n)), 0}
#define HIGH(n)                                                                                                        \
    {                                                                                                                  \
        UINT64_MAX, UINT64_MAX >> (128 - 8 * (n))                                                                      \
    }
        {0, 0}, LOW(1),  LOW(2),   LOW(3),   LOW(4),   LOW(5),   LOW(6),   LOW(7),
        LOW(8), HIGH(9), HIGH(10), HIGH(11), HIGH(12), HIGH(13), HIGH(14), HIGH(15),
#undef LOW
#undef HIGH
    };
    wl_word_key key;
    memcpy(&key.low, word, 8);
    memcpy(&key.high, word + 8, 8);
    key.low &= keep[size][0];
    key.high &= keep[size][1];
    key.high |= (uint64_t)(size | (size_t)part << 7) << 56;
    return key;
}

/* The same where no more than the word can be read. */
static inline wl_word_key wl_word_key_at_end(const char *word, size_t size, bool part)
{
    char bytes[16] = {0};
    memcpy(bytes, word, size);
    return wl_word_key_of(bytes, size, part);
}

static inline size_t wl_word_key_size(wl_word_key key)
{
    return key.high >> 56 & 0x7F;
}

static inline bool wl_word_key_part(wl_word_key key)
{
    return key.high >> 63;
}

/* The pair of slots where a key belongs. */
static inline wl_word_slot *wl_word_cache_pair(const wl_word_cache *cache, wl_word_key key)
{
    return &cache->slots[2 * (wl_hash_pair(key.low, key.high) & (cache->pairs - 1))];
}

/* The second pair where it may stand. */
static inline wl_word_slot *wl_word_cache_second(const wl_word_cache *cache, wl_word_key key)
{
    return &cache->slots[2 * (wl_hash_integer(wl_hash_pair(key.low, key.high)) & (cache->pairs - 1))];
}

/* The pair of long slots where a word belongs. */
static inline wl_long_slot *wl_word_cache_long(const wl_word_cache *cache, const char *word, size_t size, bool part)
{
    return &cache->long_slots[2 * wl_hash_range(wl_hash_bytes(word, size) + part, cache->long_pairs)];
}

/* Whether a pair holds a word, and where. Which of the two it is is chance, so no branch asks for it. */
static inline bool wl_word_cache_match(const wl_word_slot *pair, wl_word_key key, const wl_word_slot **slot)
{
    uint64_t first = (pair[0].key.low ^ key.low) | (pair[0].key.high ^ key.high);
    uint64_t second = (pair[1].key.low ^ key.low) | (pair[1].key.high ^ key.high);
    size_t index = first != 0;
    *slot = pair + index;
    return (second & (0 - (uint64_t)index)) == 0;
}

/* Copies a slot's ids to out, which has room for WL_WORD_IDS; returns where the next go. */
static inline uint32_t *wl_word_slot_copy(const wl_word_slot *slot, uint32_t *out)
{
    uint32_t first = slot->ids[0];
    memcpy(out, slot->ids, sizeof slot->ids);
    out[0] = first & 0xFFFFFF;
    return out + (first >> 24);
}

#endif
