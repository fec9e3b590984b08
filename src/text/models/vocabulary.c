#include "text/models/vocabulary.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

/* The slot that holds the piece, or the empty one where it belongs. */
static size_t slot_of(const wl_vocabulary *vocabulary, const char *data, size_t size)
{
    size_t mask = vocabulary->slot_count - 1, slot = wl_hash_bytes(data, size) & mask;
    for (;; slot = (slot + 1) & mask) {
        uint32_t index = vocabulary->slots[slot];
        if (index == 0) return slot;
        wl_text piece = wl_vocabulary_at(vocabulary, index - 1);
        if (piece.size == size && memcmp(piece.data, data, size) == 0) return slot;
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
        slots[slot_of(vocabulary, piece.data, piece.size)] = (uint32_t)i + 1;
    }
    return WL_OK;
}

wl_status wl_vocabulary_add(wl_vocabulary *vocabulary, wl_text piece, uint32_t id, wl_error *error)
{
    if (id >= WL_ID_LIMIT)
        return wl_fail(error, WL_ERROR_LIMIT, "id %u is out of range, expected less than %u", id, WL_ID_LIMIT);
    if (piece.size > UINT32_MAX) return wl_fail(error, WL_ERROR_LIMIT, "a piece is longer than 4 GiB");
    if (vocabulary->count * 2 >= vocabulary->slot_count && grow(vocabulary, error)) return error->code;
    size_t slot = slot_of(vocabulary, piece.data, piece.size);
    if (vocabulary->slots[slot]) {
        vocabulary->pieces[vocabulary->slots[slot] - 1].id = id;
        return WL_OK;
    }
    void *pieces = vocabulary->pieces;
    wl_status status =
        wl_reserve(&pieces, &vocabulary->capacity, vocabulary->count + 1, sizeof *vocabulary->pieces, error);
    vocabulary->pieces = pieces;
    size_t offset = vocabulary->bytes.size;
    if (status || wl_buffer_append(&vocabulary->bytes, piece.data, piece.size, error)) return error->code;
    vocabulary->pieces[vocabulary->count++] = (wl_piece){offset, (uint32_t)piece.size, id};
    vocabulary->slots[slot] = (uint32_t)vocabulary->count;
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

void wl_vocabulary_free(wl_vocabulary *vocabulary)
{
    wl_buffer_free(&vocabulary->bytes);
    free(vocabulary->pieces);
    free(vocabulary->slots);
    free(vocabulary->by_id);
    *vocabulary = (wl_vocabulary){0};
}

uint32_t wl_vocabulary_find(const wl_vocabulary *vocabulary, const char *data, size_t size)
{
    if (!vocabulary->slot_count || size > vocabulary->longest) return WL_NO_ID;
    uint32_t index = vocabulary->slots[slot_of(vocabulary, data, size)];
    return index ? vocabulary->pieces[index - 1].id : WL_NO_ID;
}

wl_text wl_vocabulary_piece(const wl_vocabulary *vocabulary, uint32_t id)
{
    if (id >= vocabulary->id_count || !vocabulary->by_id[id]) return (wl_text){NULL, 0};
    return wl_vocabulary_at(vocabulary, vocabulary->by_id[id] - 1);
}
