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

/* What normalizers, pre-tokenizers and merges may treat in different ways: case, accents, digits, punctuation, spaces,
 * line ends, contractions, words long and rare, scripts, an emoji, a control character. */
static const char probe[] =
    "The QUICK brown fox's 12345 jumps: over  the lazy dog... don't\tstop!\r\nI'll e-mail you@example.com, $3.50 "
    "(50%)\n"
    "\xC3\x89t\xC3\xA9 na\xC3\xAFve co\xCC\x88operate \xEF\xAC\x81ne \xC2\xBD \xE2\x80\x9Cquoted\xE2\x80\x9D "
    "antidisestablishmentarianism zxqwvkj\n"
    "\xD0\x9F\xD1\x80\xD0\xB8\xD0\xB2\xD0\xB5\xD1\x82 \xE4\xBD\xA0\xE5\xA5\xBD\xE4\xB8\x96\xE7\x95\x8C "
    "\xE3\x81\x8B\xE3\x81\xAA \xED\x95\x9C\xEA\xB5\xAD \xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D "
    "\xF0\x9F\x98\x80\x07 \xE2\x80\x83<s>[CLS]<|endoftext|> \xCE\xA3\xCE\x91\xCF\x82";

/* The pieces alone do not tell tokenizers apart that differ in what comes before or after them. */
static wl_status add_probe(const wl_tokenizer *tokenizer, wl_text_digest *all, wl_error *error)
{
    enum { MOST = 4 * sizeof probe };
    uint32_t ids[MOST];
    size_t count = 0;
    wl_context_options options = {.size = sizeof options, .threads = 1, .cache_megabyte = 1};
    wl_context *context = wl_context_create(&options, error);
    if (!context) return WL_ERROR_MEMORY;
    wl_status status =
        wl_encode(tokenizer, context, (wl_text){probe, sizeof probe - 1}, NULL, ids, NULL, MOST, &count, error);
    wl_context_free(context);
    if (status && status != WL_ERROR_LIMIT) return status;
    wl_text_digest one = wl_digest_bytes(ids, (count < MOST ? count : MOST) * sizeof *ids);
    uint64_t parts[] = {all->low, all->high, count, one.low, one.high};
    *all = wl_digest_bytes(parts, sizeof parts);
    return WL_OK;
}

wl_status wl_digest_tokenizer(const wl_tokenizer *tokenizer, wl_text_digest *digest, wl_error *error)
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
    *digest = all;
    return add_probe(tokenizer, digest, error);
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
