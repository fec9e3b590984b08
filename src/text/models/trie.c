#include "text/models/trie.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK       256
#define OPEN_BLOCKS 4  /* in which places are searched: what an older block has left is hard to fill */
#define SMALL       32 /* ranges up to this are sorted by insertion */
#define NO_CHILDREN UINT32_MAX
#define NO_ENTRY    (WL_TRIE_VALUES << 8)

/* ---- sorting ---- */

static int compare(const wl_trie_key *a, const wl_trie_key *b, uint32_t depth)
{
    uint32_t size = a->size < b->size ? a->size : b->size;
    int sign = memcmp(a->data + depth, b->data + depth, size - depth);
    return sign ? sign : (a->size > b->size) - (a->size < b->size);
}

static void sort_small(wl_trie_key *keys, size_t count, uint32_t depth)
{
    for (size_t i = 1; i < count; i++) {
        wl_trie_key key = keys[i];
        size_t to = i;
        for (; to > 0 && compare(&keys[to - 1], &key, depth) > 0; to--) keys[to] = keys[to - 1];
        keys[to] = key;
    }
}

/* By the byte at depth, 0 where a key ends. */
static size_t bucket_of(const wl_trie_key *key, uint32_t depth)
{
    return key->size == depth ? 0 : 1 + (size_t)(unsigned char)key->data[depth];
}

/* Radix sort from the first byte on; stable. The largest bucket is sorted in the loop, the others by recursion, which
 * so is no deeper than the logarithm of count. */
static void sort(wl_trie_key *keys, wl_trie_key *spare, size_t count, uint32_t depth)
{
    while (count > SMALL) {
        size_t starts[BLOCK + 2] = {0}, next[BLOCK + 1];
        for (size_t i = 0; i < count; i++) starts[bucket_of(&keys[i], depth) + 1]++;
        size_t largest = 1; /* not those that end here: they are equal */
        for (size_t bucket = 2; bucket <= BLOCK; bucket++)
            if (starts[bucket + 1] > starts[largest + 1]) largest = bucket;
        if (starts[largest + 1] < count) {
            for (size_t bucket = 0; bucket <= BLOCK; bucket++) {
                next[bucket] = starts[bucket];
                starts[bucket + 1] += starts[bucket];
            }
            for (size_t i = 0; i < count; i++) spare[next[bucket_of(&keys[i], depth)]++] = keys[i];
            memcpy(keys, spare, count * sizeof *keys);
            for (size_t bucket = 1; bucket <= BLOCK; bucket++)
                if (bucket != largest && starts[bucket + 1] - starts[bucket] > 1)
                    sort(keys + starts[bucket], spare, starts[bucket + 1] - starts[bucket], depth + 1);
            keys += starts[largest];
            count = starts[largest + 1] - starts[largest];
        }
        depth++;
    }
    sort_small(keys, count, depth);
}

/* ---- placing ---- */

/* Keys [begin, end), sorted, that agree up to depth and lead to a node. */
struct range {
    uint32_t node, depth, begin, end;
};

/* What is known while units are being placed. Free units of open blocks form a ring, oldest first; it runs through
 * their base (next) and entry (previous). */
struct builder {
    wl_trie *trie;
    uint8_t *marks; /* by unit */
    size_t mark_capacity;
    uint32_t free; /* the first free unit; UINT32_MAX: none */
    size_t closed; /* blocks */
    wl_error *error;
};
enum { TAKEN = 1, BASE = 2 }; /* marks: the unit is a node; the number is the base of a node */

static void unlink_unit(struct builder *builder, uint32_t unit)
{
    wl_trie_unit *units = builder->trie->units;
    uint32_t next = units[unit].base, previous = units[unit].entry;
    units[previous].base = next;
    units[next].entry = previous;
    if (builder->free == unit) builder->free = next == unit ? UINT32_MAX : next;
}

/* Gives what is left free of the oldest open block a label that leads to none of it: the label of a base without
 * children. There is one: each base has a child in this block, so if all were taken the block would be full. The root
 * is nobody's child and is treated alike. */
static void close_block(struct builder *builder)
{
    uint32_t begin = (uint32_t)(builder->closed++ * BLOCK), base = begin;
    while (base < begin + BLOCK - 1 && builder->marks[base] & BASE) base++;
    for (uint32_t unit = begin; unit < begin + BLOCK; unit++) {
        wl_trie_unit *at = &builder->trie->units[unit];
        if (unit == 0) at->entry = (at->entry & ~0xFFu) | base;
        if (builder->marks[unit] & TAKEN) continue;
        unlink_unit(builder, unit);
        *at = (wl_trie_unit){NO_CHILDREN, NO_ENTRY | (unit ^ base)};
    }
}

static wl_status open_block(struct builder *builder)
{
    wl_trie *trie = builder->trie;
    if (builder->marks && trie->count / BLOCK - builder->closed == OPEN_BLOCKS) close_block(builder);
    if (trie->count + BLOCK > UINT32_MAX - BLOCK)
        return wl_fail(builder->error, WL_ERROR_LIMIT, "a vocabulary has more than 4 billion bytes");
    void *units = trie->units, *marks = builder->marks;
    wl_status status = wl_reserve(&units, &trie->capacity, trie->count + BLOCK, sizeof *trie->units, builder->error);
    trie->units = units;
    if (!status) status = wl_reserve(&marks, &builder->mark_capacity, trie->count + BLOCK, 1, builder->error);
    builder->marks = marks;
    if (status) return status;
    uint32_t begin = (uint32_t)trie->count, end = begin + BLOCK;
    memset(builder->marks + begin, 0, BLOCK);
    for (uint32_t unit = begin; unit < end; unit++) trie->units[unit] = (wl_trie_unit){unit + 1, unit - 1};
    uint32_t first = builder->free == UINT32_MAX ? begin : builder->free;
    uint32_t last = builder->free == UINT32_MAX ? end - 1 : trie->units[first].entry;
    trie->units[last].base = begin;
    trie->units[begin].entry = last;
    trie->units[end - 1].base = first;
    trie->units[first].entry = end - 1;
    builder->free = first;
    trie->count = end;
    return WL_OK;
}

static bool fits(const struct builder *builder, uint32_t base, const unsigned char *labels, size_t count)
{
    if (builder->marks[base] & BASE) return false;
    for (size_t i = 1; i < count; i++)
        if (builder->marks[base ^ labels[i]] & TAKEN) return false;
    return true;
}

/* Sets *base to one whose children by all labels are free, and takes them. */
static wl_status place(struct builder *builder, const unsigned char *labels, size_t count, uint32_t *base)
{
    uint32_t unit = builder->free;
    bool found = false;
    if (unit != UINT32_MAX) do {
            *base = unit ^ labels[0];
            found = fits(builder, *base, labels, count);
            unit = builder->trie->units[unit].base;
        } while (!found && unit != builder->free);
    if (!found) {
        if (open_block(builder)) return builder->error->code;
        *base = (uint32_t)builder->trie->count - BLOCK;
    }
    builder->marks[*base] |= BASE;
    for (size_t i = 0; i < count; i++) {
        uint32_t child = *base ^ labels[i];
        unlink_unit(builder, child);
        builder->marks[child] |= TAKEN;
        builder->trie->units[child] = (wl_trie_unit){NO_CHILDREN, NO_ENTRY | labels[i]};
    }
    return WL_OK;
}

/* Depth first, so that what follows one byte upon the other lies close. Ranges on the stack are disjoint: it is never
 * higher than there are keys. */
static wl_status place_all(struct builder *builder, const wl_trie_key *keys, size_t count, struct range *stack)
{
    wl_trie *trie = builder->trie;
    size_t height = 0;
    if (count) stack[height++] = (struct range){0, 0, 0, (uint32_t)count};
    while (height) {
        struct range range = stack[--height];
        uint32_t depth = range.depth, at = range.begin, base = 0;
        for (; at < range.end && keys[at].size == depth; at++)
            trie->units[range.node].entry = keys[at].value << 8 | (trie->units[range.node].entry & 0xFF);
        if (at + 1 == range.end) { /* the rest of one key */
            for (uint32_t node = range.node;; node = base ^ (unsigned char)keys[at].data[depth++]) {
                if (depth == keys[at].size) {
                    trie->units[node].entry = keys[at].value << 8 | (trie->units[node].entry & 0xFF);
                    break;
                }
                unsigned char label = (unsigned char)keys[at].data[depth];
                if (place(builder, &label, 1, &base)) return builder->error->code;
                trie->units[node].base = base;
            }
            continue;
        }
        unsigned char labels[BLOCK];
        uint32_t starts[BLOCK + 1];
        size_t children = 0;
        for (; at < range.end; at++) {
            unsigned char label = (unsigned char)keys[at].data[depth];
            if (children && labels[children - 1] == label) continue;
            labels[children] = label;
            starts[children++] = at;
        }
        if (!children) continue;
        starts[children] = range.end;
        if (place(builder, labels, children, &base)) return builder->error->code;
        trie->units[range.node].base = base;
        for (size_t i = children; i-- > 0;)
            stack[height++] = (struct range){base ^ labels[i], depth + 1, starts[i], starts[i + 1]};
    }
    return WL_OK;
}

wl_status wl_trie_build(wl_trie *trie, wl_trie_key *keys, size_t count, wl_error *error)
{
    struct builder builder = {.trie = trie, .free = UINT32_MAX, .error = error};
    *trie = (wl_trie){0};
    for (size_t i = 0; i < count; i++)
        if (keys[i].value >= WL_TRIE_VALUES)
            return wl_fail(error, WL_ERROR_LIMIT, "id %u of a piece is out of range, expected less than %u",
                           keys[i].value, WL_TRIE_VALUES);
    size_t size = sizeof *keys > sizeof(struct range) ? sizeof *keys : sizeof(struct range);
    void *spare = wl_allocate(count, size, error);
    wl_status status = spare ? open_block(&builder) : error->code;
    if (builder.marks && !status) {
        unlink_unit(&builder, 0);
        builder.marks[0] |= TAKEN;
        trie->units[0] = (wl_trie_unit){NO_CHILDREN, NO_ENTRY};
        sort(keys, spare, count, 0);
        status = place_all(&builder, keys, count, spare);
        while (builder.closed < trie->count / BLOCK) close_block(&builder);
    }
    free(builder.marks);
    free(spare);
    return status;
}

wl_status wl_trie_build_pieces(wl_trie *trie, const wl_vocabulary *vocabulary, wl_error *error)
{
    wl_trie_key *keys = wl_allocate(vocabulary->count, sizeof *keys, error);
    if (!keys) return error->code;
    for (size_t i = 0; i < vocabulary->count; i++) {
        wl_text piece = wl_vocabulary_at(vocabulary, i);
        keys[i] = (wl_trie_key){piece.data, (uint32_t)piece.size, vocabulary->pieces[i].id};
    }
    wl_status status = wl_trie_build(trie, keys, vocabulary->count, error);
    free(keys);
    return status;
}

wl_status wl_trie_lend(wl_trie *trie, uint32_t limit, wl_error *error)
{
    trie->lent = true;
    uint32_t wrong = trie->count == 0 || trie->count > UINT32_MAX - BLOCK;
    for (size_t i = 0; i < trie->count; i++) {
        uint32_t value = trie->units[i].entry >> 8;
        wrong |= (value >= limit) & (value != WL_TRIE_VALUES);
    }
    return wrong ? wl_fail(error, WL_ERROR_FORMAT, "the trie of the pieces leads out of the vocabulary") : WL_OK;
}

void wl_trie_free(wl_trie *trie)
{
    if (!trie->lent) free(trie->units);
    *trie = (wl_trie){0};
}
