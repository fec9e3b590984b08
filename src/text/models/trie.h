/* Which of many keys begin a text: a double-array trie (Aoe 1989), its children found by xor as in Yata's darts-clone.
 *
 * A unit is a node. Its child by a byte is the unit at base ^ byte, if that has the byte as its label: no two nodes
 * share a base, and a unit that is no node has the label of a base that no node has. base ^ byte never leaves the block
 * of 256 units that base lies in, so a block is 2 KB of memory close together. There are no pointers inside: the units
 * may be written to a file and read where they lie; a base that leads out of them ends the search. */
#ifndef WL_TEXT_TRIE_H
#define WL_TEXT_TRIE_H

#include "base/memory.h"
#include "text/models/vocabulary.h"

#define WL_TRIE_VALUES (WL_ID_LIMIT - 1) /* values lie below */

typedef struct wl_trie_unit {
    uint32_t base;  /* UINT32_MAX: no children */
    uint32_t entry; /* value << 8 | label; value WL_TRIE_VALUES: no key ends here */
} wl_trie_unit;

typedef struct wl_trie {
    wl_trie_unit *units; /* the first is the root */
    size_t count, capacity;
    bool lent; /* units belongs to somebody else */
} wl_trie;

typedef struct wl_trie_key {
    const char *data;
    uint32_t size, value;
} wl_trie_key;

/* Sorts keys by their bytes; of equal ones the last counts. Cost: linear in the bytes that tell the keys apart, and in
 * the nodes. */
wl_status wl_trie_build(wl_trie *trie, wl_trie_key *keys, size_t count, wl_error *error);
/* Of the pieces of a vocabulary, the values being their ids. */
wl_status wl_trie_build_pieces(wl_trie *trie, const wl_vocabulary *vocabulary, wl_error *error);
/* Takes the units that trie holds already, from a file; values must lie below limit. Whatever they hold, no step leaves
 * them. Cost: one pass. */
wl_status wl_trie_lend(wl_trie *trie, uint32_t limit, wl_error *error);
void wl_trie_free(wl_trie *trie);

/* Moves *node, at first 0, the root, to its child by byte; false where no key goes on with it. */
static inline bool wl_trie_step(const wl_trie *trie, uint32_t *node, unsigned char byte)
{
    uint32_t child = trie->units[*node].base ^ byte;
    if (child >= trie->count || (trie->units[child].entry & 0xFF) != byte) return false;
    *node = child;
    return true;
}

/* The value of the key that ends at a node, or WL_NO_ID. */
static inline uint32_t wl_trie_value(const wl_trie *trie, uint32_t node)
{
    uint32_t value = trie->units[node].entry >> 8;
    return value == WL_TRIE_VALUES ? WL_NO_ID : value;
}

#endif
