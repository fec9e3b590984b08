#include "text/models/bpe.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "text/unicode/byte_alphabet.h"
#include "text/unicode/utf8.h"

#define SHORT 32 /* symbols up to which a scan for the minimum beats a heap */

void wl_bpe_prepare(wl_bpe *bpe, const wl_vocabulary *vocabulary)
{
    bpe->vocabulary = vocabulary;
    for (unsigned byte = 0; byte < 256; byte++) {
        char name[8];
        snprintf(name, sizeof name, "<0x%02X>", byte);
        bpe->bytes[byte] = wl_vocabulary_find(vocabulary, name, 6);
        char character = (char)byte;
        if (byte < 128) bpe->ascii[byte] = wl_vocabulary_find(vocabulary, &character, 1);
        size_t size = wl_utf8_encode(wl_byte_point((uint8_t)byte), name);
        bpe->alphabet[byte] = wl_vocabulary_find(vocabulary, name, size);
    }
}

bool wl_bpe_take_bytes(wl_bpe *bpe)
{
    bpe->byte_level = !bpe->prefix.size && !bpe->suffix.size;
    for (unsigned byte = 0; byte < 256; byte++) bpe->byte_level &= bpe->alphabet[byte] != WL_NO_ID;
    return bpe->byte_level;
}

static inline uint64_t key_of(uint32_t left, uint32_t right)
{
    return ~((uint64_t)left << 32 | right);
}

static wl_merge *slot_of(const wl_bpe *bpe, uint64_t key)
{
    size_t mask = bpe->merge_slots - 1, slot = wl_hash_integer(key) & mask;
    while (bpe->merges[slot].key != key && bpe->merges[slot].key) slot = (slot + 1) & mask;
    return &bpe->merges[slot];
}

wl_status wl_bpe_reserve(wl_bpe *bpe, size_t count, wl_error *error)
{
    size_t slots = bpe->merge_slots ? bpe->merge_slots : 1024;
    while (slots - slots / 4 < count) slots *= slots < 1 << 16 ? 8 : 2; /* few rehashes while opening */
    if (slots == bpe->merge_slots) return WL_OK;
    wl_merge *old = bpe->merges;
    size_t old_slots = bpe->merge_slots;
    wl_merge *merges = wl_pages_allocate(slots * sizeof *merges, error);
    if (!merges) return error->code;
    bpe->merges = merges;
    bpe->merge_slots = slots;
    for (size_t i = 0; i < old_slots; i++)
        if (old[i].key) *slot_of(bpe, old[i].key) = old[i];
    wl_pages_free(old, old_slots * sizeof *old);
    return WL_OK;
}

void wl_bpe_expect_merge(const wl_bpe *bpe, uint32_t left, uint32_t right)
{
    if (!bpe->merge_slots) return;
    __builtin_prefetch(&bpe->merges[wl_hash_integer(key_of(left, right)) & (bpe->merge_slots - 1)]);
}

wl_status wl_bpe_add_merge(wl_bpe *bpe, uint32_t left, uint32_t right, uint32_t rank, uint32_t id, wl_error *error)
{
    if (wl_bpe_reserve(bpe, bpe->merge_count + 1, error)) return error->code;
    wl_merge *merge = slot_of(bpe, key_of(left, right));
    if (!merge->key) bpe->merge_count++;
    *merge = (wl_merge){key_of(left, right), rank, id};
    return WL_OK;
}

/* Whether a byte is a symbol by itself, and which. */
static uint32_t unit_id(const wl_bpe *bpe, unsigned byte)
{
    return bpe->byte_level ? bpe->alphabet[byte] : byte < 128 ? bpe->ascii[byte] : WL_NO_ID;
}

wl_status wl_bpe_finish(wl_bpe *bpe, wl_error *error)
{
    if (bpe->lent) return WL_OK;
    bpe->units = wl_allocate(256 * 256, sizeof *bpe->units, error);
    if (!bpe->units) return error->code;
    for (unsigned x = 0; x < 256; x++)
        for (unsigned y = 0; y < 256; y++) {
            uint32_t left = unit_id(bpe, x), right = unit_id(bpe, y);
            wl_pair_merge *unit = &bpe->units[x << 8 | y];
            unit->rank = WL_NO_ID;
            if (left == WL_NO_ID || right == WL_NO_ID || !bpe->merge_slots) continue;
            const wl_merge *merge = slot_of(bpe, key_of(left, right));
            if (merge->key) *unit = (wl_pair_merge){merge->rank, merge->id};
        }
    return WL_OK;
}

void wl_bpe_clear_merges(wl_bpe *bpe)
{
    if (!bpe->lent) wl_pages_free(bpe->merges, bpe->merge_slots * sizeof *bpe->merges);
    bpe->merges = NULL;
    bpe->merge_slots = bpe->merge_count = 0;
}

wl_status wl_bpe_lend(wl_bpe *bpe, wl_error *error)
{
    bpe->lent = true;
    size_t slots = bpe->merge_slots, empty = 0;
    while (empty < slots && bpe->merges[empty].key) empty++; /* a search ends at one */
    if ((slots & (slots - 1)) || (slots && empty == slots))
        return wl_fail(error, WL_ERROR_FORMAT, "the table of merges has no empty slot");
    return WL_OK;
}

void wl_bpe_free(wl_bpe *bpe)
{
    if (!bpe->lent) {
        wl_pages_free(bpe->merges, bpe->merge_slots * sizeof *bpe->merges);
        free(bpe->units);
    }
    wl_buffer_free(&bpe->prefix);
    wl_buffer_free(&bpe->suffix);
    *bpe = (wl_bpe){0};
}

void wl_bpe_scratch_free(wl_bpe_scratch *scratch)
{
    free(scratch->symbols);
    free(scratch->heap);
    wl_buffer_free(&scratch->piece);
    *scratch = (wl_bpe_scratch){0};
}

/* A character as the vocabulary has it, with its prefix and suffix where the options give them. */
static wl_status affix(const wl_bpe *bpe, wl_text *character, bool first, bool last, wl_buffer *piece, wl_error *error)
{
    piece->size = 0;
    if ((!first && wl_buffer_append(piece, bpe->prefix.data, bpe->prefix.size, error)) ||
        wl_buffer_append(piece, character->data, character->size, error) ||
        (last && wl_buffer_append(piece, bpe->suffix.data, bpe->suffix.size, error)))
        return error->code;
    *character = (wl_text){piece->data, piece->size};
    return WL_OK;
}

static bool all_bytes_known(const wl_bpe *bpe, wl_text character)
{
    for (size_t i = 0; i < character.size; i++)
        if (bpe->bytes[(unsigned char)character.data[i]] == WL_NO_ID) return false;
    return true;
}

/* The first symbols: characters; unknown ones as bytes where the vocabulary has all their bytes, else as the unknown
 * token, fused on request. A byte fallback does not end a run of unknowns: the oracle's order, kept. */
static wl_status split(const wl_bpe *bpe, const char *text, size_t size, wl_bpe_scratch *scratch, size_t *result,
                       wl_error *error)
{
    wl_symbol *symbols = scratch->symbols;
    bool affixed = bpe->prefix.size || bpe->suffix.size;
    size_t count = 0;
    uint32_t unknown_size = 0; /* of the run not yet added */
    for (size_t at = 0; at < size;) {
        unsigned char byte = (unsigned char)text[at];
        uint32_t length = (uint32_t)wl_utf8_length(byte);
        wl_text character = {text + at, length};
        if (affixed && affix(bpe, &character, at == 0, at + length == size, &scratch->piece, error)) return error->code;
        uint32_t id = character.size == 1 && byte < 128
                          ? bpe->ascii[byte]
                          : wl_vocabulary_find(bpe->vocabulary, character.data, character.size);
        at += length;
        if (id != WL_NO_ID) {
            if (unknown_size) symbols[count++] = (wl_symbol){.id = bpe->unknown, .size = unknown_size};
            unknown_size = 0;
            symbols[count++] = (wl_symbol){.id = id, .size = length};
            continue;
        }
        if (bpe->byte_fallback && all_bytes_known(bpe, character)) {
            /* Those of a prefix or suffix have no place in the text. */
            for (size_t i = 0; i < character.size; i++) {
                void *memory = scratch->symbols;
                wl_status status = wl_reserve(&memory, &scratch->capacity, count + size - at + character.size - i + 1,
                                              sizeof *symbols, error);
                scratch->symbols = symbols = memory;
                if (status) return status;
                uint32_t unit = bpe->bytes[(unsigned char)character.data[i]];
                symbols[count++] = (wl_symbol){.id = unit, .size = 1};
            }
            continue;
        }
        if (!bpe->has_unknown) continue; /* the oracle drops the character */
        if (bpe->unknown == WL_NO_ID)
            return wl_fail(error, WL_ERROR_FORMAT, "the text needs the unknown token, which the vocabulary lacks");
        if (unknown_size && !bpe->fuse_unknown) {
            symbols[count++] = (wl_symbol){.id = bpe->unknown, .size = unknown_size};
            unknown_size = 0;
        }
        unknown_size += length;
    }
    if (unknown_size) symbols[count++] = (wl_symbol){.id = bpe->unknown, .size = unknown_size};
    *result = count;
    return WL_OK;
}

static void look_up(const wl_bpe *bpe, wl_symbol *left, const wl_symbol *right)
{
    left->rank = WL_NO_ID;
    if (!right || !bpe->merge_slots) return;
    const wl_merge *merge = slot_of(bpe, key_of(left->id, right->id));
    if (!merge->key) return;
    left->rank = merge->rank;
    left->merged = merge->id;
}

/* A piece of few symbols, in arrays that a scan for the lowest rank runs through quickly. */
struct short_piece {
    uint32_t id[SHORT], size[SHORT];
    uint32_t rank[SHORT], merged[SHORT]; /* of the pair with the next */
};

static inline void look_up_short(const wl_bpe *bpe, struct short_piece *piece, size_t left)
{
    const wl_merge *merge = slot_of(bpe, key_of(piece->id[left], piece->id[left + 1]));
    piece->rank[left] = merge->key ? merge->rank : WL_NO_ID;
    piece->merged[left] = merge->id;
}

/* The pair of lowest rank is found by a scan; symbols close up after each merge. */
static size_t merge_short(const wl_bpe *bpe, struct short_piece *piece, size_t count)
{
    for (; count > 1; count--) {
        size_t best = 0;
        uint32_t lowest = WL_NO_ID;
        for (size_t i = 0; i + 1 < count; i++) {
            best = piece->rank[i] < lowest ? i : best;
            lowest = piece->rank[i] < lowest ? piece->rank[i] : lowest;
        }
        if (lowest == WL_NO_ID) break;
        piece->id[best] = piece->merged[best];
        piece->size[best] += piece->size[best + 1];
        for (size_t i = best + 1; i + 1 < count; i++) {
            piece->id[i] = piece->id[i + 1];
            piece->size[i] = piece->size[i + 1];
            piece->rank[i] = piece->rank[i + 1];
            piece->merged[i] = piece->merged[i + 1];
        }
        if (best + 2 < count) look_up_short(bpe, piece, best);
        if (best) look_up_short(bpe, piece, best - 1);
    }
    return count;
}

/* Symbols that are single bytes take their first ranks from units. */
static wl_status encode_short(const wl_bpe *bpe, const char *text, size_t size, const wl_symbol *symbols, size_t count,
                              wl_tokens *tokens, wl_error *error)
{
    struct short_piece piece;
    bool known[SHORT]; /* the symbol is the one of its byte */
    for (size_t i = 0, at = 0; i < count; at += symbols[i++].size) {
        piece.id[i] = symbols[i].id;
        piece.size[i] = symbols[i].size;
        known[i] = bpe->byte_level || (symbols[i].size == 1 && at < size && (unsigned char)text[at] < 128 &&
                                       symbols[i].id == bpe->ascii[(unsigned char)text[at]]);
        if (i == 0) continue;
        if (!bpe->merge_slots) {
            piece.rank[i - 1] = WL_NO_ID;
        } else if (known[i] && known[i - 1]) {
            wl_pair_merge unit = bpe->units[(size_t)(unsigned char)text[at - 1] << 8 | (unsigned char)text[at]];
            piece.rank[i - 1] = unit.rank;
            piece.merged[i - 1] = unit.id;
        } else
            look_up_short(bpe, &piece, i - 1);
    }
    count = merge_short(bpe, &piece, count);
    if (wl_tokens_reserve(tokens, count, error)) return error->code;
    for (size_t i = 0, at = 0; i < count; i++) {
        size_t end = at + piece.size[i] < size ? at + piece.size[i] : size;
        if (tokens->spanned) tokens->spans[tokens->count] = (wl_span){(uint32_t)at, (uint32_t)end};
        tokens->ids[tokens->count++] = piece.id[i];
        at = end;
    }
    return WL_OK;
}

static void sift_down(uint64_t *heap, size_t count, size_t at)
{
    uint64_t moved = heap[at];
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && heap[child + 1] < heap[child]) child++;
        if (heap[child] >= moved) break;
        heap[at] = heap[child];
    }
    heap[at] = moved;
}

static void push(uint64_t *heap, size_t *count, uint64_t entry)
{
    size_t at = (*count)++;
    for (; at && heap[(at - 1) / 2] > entry; at = (at - 1) / 2) heap[at] = heap[(at - 1) / 2];
    heap[at] = entry;
}

/* A binary heap of rank << 32 | position: lowest rank first, leftmost of equals. Entries are not removed when their
 * pair changes; one is stale when its rank is no longer that of the pair at its position. Each merge takes one entry
 * and adds at most two, so the heap holds fewer than 2 n. */
static wl_status merge_long(const wl_bpe *bpe, wl_bpe_scratch *scratch, size_t count, wl_error *error)
{
    void *memory = scratch->heap;
    wl_status status = wl_reserve(&memory, &scratch->heap_capacity, 2 * count, sizeof *scratch->heap, error);
    scratch->heap = memory;
    if (status) return status;
    uint64_t *heap = scratch->heap;
    wl_symbol *symbols = scratch->symbols;
    size_t entries = 0;
    for (size_t i = 0; i < count; i++) {
        symbols[i].previous = i ? (uint32_t)i - 1 : WL_NO_ID;
        symbols[i].next = i + 1 < count ? (uint32_t)i + 1 : WL_NO_ID;
        look_up(bpe, &symbols[i], i + 1 < count ? &symbols[i + 1] : NULL);
        if (symbols[i].rank != WL_NO_ID) heap[entries++] = (uint64_t)symbols[i].rank << 32 | i;
    }
    for (size_t i = entries / 2; i-- > 0;) sift_down(heap, entries, i);
    while (entries) {
        uint64_t top = heap[0];
        heap[0] = heap[--entries];
        if (entries) sift_down(heap, entries, 0);
        uint32_t at = (uint32_t)top;
        wl_symbol *left = &symbols[at];
        if (left->size == 0 || left->rank != (uint32_t)(top >> 32)) continue;
        wl_symbol *right = &symbols[left->next];
        left->id = left->merged;
        left->size += right->size;
        left->next = right->next;
        right->size = 0;
        if (left->next != WL_NO_ID) symbols[left->next].previous = at;
        look_up(bpe, left, left->next != WL_NO_ID ? &symbols[left->next] : NULL);
        if (left->rank != WL_NO_ID) push(heap, &entries, (uint64_t)left->rank << 32 | at);
        if (left->previous == WL_NO_ID) continue;
        wl_symbol *before = &symbols[left->previous];
        look_up(bpe, before, left);
        if (before->rank != WL_NO_ID) push(heap, &entries, (uint64_t)before->rank << 32 | left->previous);
    }
    return WL_OK;
}

wl_status wl_bpe_merge(const wl_bpe *bpe, const char *text, size_t size, wl_bpe_scratch *scratch, wl_tokens *tokens,
                       wl_error *error)
{
    if (size >= UINT32_MAX) return wl_fail(error, WL_ERROR_LIMIT, "a piece of text is longer than 4 GiB");
    void *symbols = scratch->symbols;
    size_t count = 0;
    wl_status status = wl_reserve(&symbols, &scratch->capacity, size, sizeof *scratch->symbols, error);
    scratch->symbols = symbols;
    if (status) return status;
    if (bpe->byte_level) {
        for (; count < size; count++)
            scratch->symbols[count] = (wl_symbol){.id = bpe->alphabet[(unsigned char)text[count]], .size = 1};
    } else if (split(bpe, text, size, scratch, &count, error))
        return error->code;
    if (count <= SHORT) return encode_short(bpe, text, size, scratch->symbols, count, tokens, error);
    if (merge_long(bpe, scratch, count, error)) return error->code;
    if (wl_tokens_reserve(tokens, count, error)) return error->code;
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        const wl_symbol *symbol = &scratch->symbols[i];
        if (symbol->size == 0) continue;
        size_t end = at + symbol->size < size ? at + symbol->size : size;
        if (tokens->spanned) tokens->spans[tokens->count] = (wl_span){(uint32_t)at, (uint32_t)end};
        tokens->ids[tokens->count++] = symbol->id;
        at = end;
    }
    return WL_OK;
}

/* The piece of the vocabulary that the whole text is, or WL_NO_ID. */
static wl_status find_whole(const wl_bpe *bpe, const char *text, size_t size, wl_bpe_scratch *scratch, uint32_t *id,
                            wl_error *error)
{
    *id = WL_NO_ID;
    if (size > bpe->vocabulary->longest) return WL_OK;
    if (bpe->byte_level) {
        wl_buffer *piece = &scratch->piece;
        piece->size = 0;
        if (wl_buffer_reserve(piece, 2 * size, error)) return error->code;
        for (size_t i = 0; i < size; i++)
            piece->size += wl_utf8_encode(wl_byte_point((uint8_t)text[i]), piece->data + piece->size);
        text = piece->data;
        size = piece->size;
    }
    *id = wl_vocabulary_find(bpe->vocabulary, text, size);
    return WL_OK;
}

wl_status wl_bpe_encode(const wl_bpe *bpe, const char *text, size_t size, wl_bpe_scratch *scratch, wl_tokens *tokens,
                        wl_error *error)
{
    uint32_t id;
    if (!bpe->ignore_merges) return wl_bpe_merge(bpe, text, size, scratch, tokens, error);
    if (find_whole(bpe, text, size, scratch, &id, error)) return error->code;
    if (id == WL_NO_ID) return wl_bpe_merge(bpe, text, size, scratch, tokens, error);
    return wl_tokens_add(tokens, id, 0, size, error);
}
