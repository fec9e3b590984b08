#include "text/models/vocabulary.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "text/unicode/utf8.h"

/* A slot holds the index + 1 of a piece, and above it as many bits of the hash as fit: a slot of another piece is
 * passed over without looking at that. */
enum { INDEX_BITS = 24 };
#define INDEX(slot) ((slot) & ((UINT32_C(1) << INDEX_BITS) - 1))

static uint32_t tag_of(uint64_t hash)
{
    return (uint32_t)(hash >> 32) & ~((UINT32_C(1) << INDEX_BITS) - 1);
}

/* The slot that holds the piece, or the empty one where it belongs. */
static size_t slot_of(const wl_vocabulary *vocabulary, const char *data, size_t size, uint64_t hash)
{
    size_t mask = vocabulary->slot_count - 1, slot = hash & mask;
    uint32_t tag = tag_of(hash);
    for (;; slot = (slot + 1) & mask) {
        uint32_t entry = vocabulary->slots[slot];
        if (entry == 0) return slot;
        if ((entry ^ tag) >> INDEX_BITS) continue;
        wl_text piece = wl_vocabulary_at(vocabulary, INDEX(entry) - 1);
        if (piece.size == size && wl_bytes_equal(piece.data, data, size)) return slot;
    }
}

static wl_status grow(wl_vocabulary *vocabulary, wl_error *error)
{
    size_t count = vocabulary->slot_count ? vocabulary->slot_count * 4 : 1024; /* few rehashes while opening */
    uint32_t *slots = wl_allocate(count, sizeof *slots, error);
    if (!slots) return error->code;
    free(vocabulary->slots);
    vocabulary->slots = slots;
    vocabulary->slot_count = count;
    for (size_t i = 0; i < vocabulary->count; i++) {
        wl_text piece = wl_vocabulary_at(vocabulary, i);
        uint64_t hash = wl_hash_bytes(piece.data, piece.size);
        slots[slot_of(vocabulary, piece.data, piece.size, hash)] = tag_of(hash) | ((uint32_t)i + 1);
    }
    return WL_OK;
}

wl_status wl_vocabulary_add(wl_vocabulary *vocabulary, wl_text piece, uint32_t id, wl_error *error)
{
    if (id >= WL_ID_LIMIT)
        return wl_fail(error, WL_ERROR_LIMIT, "id %u is out of range, expected less than %u", id, WL_ID_LIMIT);
    if (piece.size > UINT32_MAX) return wl_fail(error, WL_ERROR_LIMIT, "a piece is longer than 4 GiB");
    if (vocabulary->count * 2 >= vocabulary->slot_count && grow(vocabulary, error)) return error->code;
    if (vocabulary->count >= WL_ID_LIMIT - 1) return wl_fail(error, WL_ERROR_LIMIT, "a vocabulary has too many pieces");
    uint64_t hash = wl_hash_bytes(piece.data, piece.size);
    size_t slot = slot_of(vocabulary, piece.data, piece.size, hash);
    if (vocabulary->slots[slot]) {
        vocabulary->pieces[INDEX(vocabulary->slots[slot]) - 1].id = id;
        return WL_OK;
    }
    void *pieces = vocabulary->pieces;
    wl_status status =
        wl_reserve(&pieces, &vocabulary->capacity, vocabulary->count + 1, sizeof *vocabulary->pieces, error);
    vocabulary->pieces = pieces;
    size_t offset = vocabulary->bytes.size;
    if (status || wl_buffer_append(&vocabulary->bytes, piece.data, piece.size, error)) return error->code;
    vocabulary->pieces[vocabulary->count++] = (wl_piece){offset, (uint32_t)piece.size, id};
    vocabulary->slots[slot] = tag_of(hash) | (uint32_t)vocabulary->count;
    if (piece.size > vocabulary->longest) vocabulary->longest = (uint32_t)piece.size;
    return WL_OK;
}

wl_status wl_vocabulary_finish(wl_vocabulary *vocabulary, wl_error *error)
{
    for (size_t i = 0; i < vocabulary->count; i++)
        if (vocabulary->pieces[i].id >= vocabulary->id_count) vocabulary->id_count = vocabulary->pieces[i].id + 1;
    vocabulary->by_id = wl_allocate(vocabulary->id_count, sizeof *vocabulary->by_id, error);
    if (!vocabulary->by_id) return error->code;
    for (size_t i = 0; i < vocabulary->count; i++) vocabulary->by_id[vocabulary->pieces[i].id] = (uint32_t)i + 1;
    return WL_OK;
}

/* The pieces lie one behind the other, at the starts of characters, with ids in range; sets longest. */
static bool pieces_fit(wl_vocabulary *vocabulary)
{
    const wl_piece *pieces = vocabulary->pieces;
    uint64_t end = 0, size = vocabulary->bytes.size;
    uint32_t longest = 0, highest = 0;
    bool fit = true;
    for (size_t i = 0; i < vocabulary->count; i++) {
        fit &= pieces[i].offset == end;
        end += pieces[i].size;
        if (!fit || end > size) return false;
        longest = pieces[i].size > longest ? pieces[i].size : longest;
        highest = pieces[i].id > highest ? pieces[i].id : highest;
        fit &= end == size || (vocabulary->bytes.data[end] & 0xC0) != 0x80;
    }
    vocabulary->longest = longest;
    return fit && end == size && (!vocabulary->count || highest < vocabulary->id_count);
}

/* Every slot is empty or of a piece, and one is empty; every id has a piece or none. */
static bool indices_fit(const wl_vocabulary *vocabulary)
{
    uint32_t wrong = 0, empty = 0, count = (uint32_t)vocabulary->count;
    for (size_t i = 0; i < vocabulary->slot_count; i++) {
        uint32_t slot = vocabulary->slots[i];
        empty |= slot == 0;
        wrong |= (slot != 0) & (INDEX(slot) - 1 >= count); /* 0 - 1 is above any count */
    }
    for (size_t i = 0; i < vocabulary->id_count; i++) wrong |= vocabulary->by_id[i] > count;
    return !wrong && (empty || !vocabulary->slot_count);
}

wl_status wl_vocabulary_lend(wl_vocabulary *vocabulary, wl_error *error)
{
    vocabulary->lent = true;
    size_t slots = vocabulary->slot_count, size = vocabulary->bytes.size;
    if (vocabulary->count >= WL_ID_LIMIT || vocabulary->id_count > WL_ID_LIMIT || (slots & (slots - 1)) ||
        (!slots && vocabulary->count) || !indices_fit(vocabulary) || !pieces_fit(vocabulary) ||
        wl_utf8_valid(vocabulary->bytes.data, size) != size)
        return wl_fail(error, WL_ERROR_FORMAT, "the tables of the vocabulary do not fit each other");
    return WL_OK;
}

void wl_vocabulary_free(wl_vocabulary *vocabulary)
{
    if (!vocabulary->lent) {
        wl_buffer_free(&vocabulary->bytes);
        free(vocabulary->pieces);
        free(vocabulary->slots);
        free(vocabulary->by_id);
    }
    *vocabulary = (wl_vocabulary){0};
}

static uint32_t find(const wl_vocabulary *vocabulary, const char *data, size_t size, uint64_t hash)
{
    if (!vocabulary->slot_count || size > vocabulary->longest) return WL_NO_ID;
    uint32_t entry = vocabulary->slots[slot_of(vocabulary, data, size, hash)];
    return entry ? vocabulary->pieces[INDEX(entry) - 1].id : WL_NO_ID;
}

uint32_t wl_vocabulary_find(const wl_vocabulary *vocabulary, const char *data, size_t size)
{
    return find(vocabulary, data, size, wl_hash_bytes(data, size));
}

void wl_vocabulary_find_all(const wl_vocabulary *vocabulary, const wl_text *pieces, size_t count, uint32_t *ids)
{
    enum { AT_ONCE = 256 };
    uint64_t hashes[AT_ONCE];
    size_t mask = vocabulary->slot_count - 1;
    for (size_t begin = 0; begin < count; begin += AT_ONCE, pieces += AT_ONCE, ids += AT_ONCE) {
        size_t some = count - begin < AT_ONCE ? count - begin : AT_ONCE;
        /* Three places in memory hang on each other: the slot, the record, the bytes. */
        for (size_t i = 0; i < some && vocabulary->slot_count; i++) {
            hashes[i] = wl_hash_bytes(pieces[i].data, pieces[i].size);
            __builtin_prefetch(&vocabulary->slots[hashes[i] & mask]);
        }
        for (size_t i = 0; i < some && vocabulary->slot_count; i++) {
            ids[i] = INDEX(vocabulary->slots[hashes[i] & mask]);
            if (ids[i]) __builtin_prefetch(&vocabulary->pieces[ids[i] - 1]);
        }
        for (size_t i = 0; i < some && vocabulary->slot_count; i++)
            if (ids[i]) __builtin_prefetch(vocabulary->bytes.data + vocabulary->pieces[ids[i] - 1].offset);
        for (size_t i = 0; i < some; i++)
            ids[i] = vocabulary->slot_count ? find(vocabulary, pieces[i].data, pieces[i].size, hashes[i]) : WL_NO_ID;
    }
}

wl_text wl_vocabulary_piece(const wl_vocabulary *vocabulary, uint32_t id)
{
    if (id >= vocabulary->id_count || !vocabulary->by_id[id]) return (wl_text){NULL, 0};
    return wl_vocabulary_at(vocabulary, vocabulary->by_id[id] - 1);
}
