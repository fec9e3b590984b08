/* Byte-pair encoding (Sennrich et al. 2016, https://aclanthology.org/P16-1162): characters, then the pair of lowest
 * merge rank again and again, the leftmost first. */
#ifndef WL_TEXT_BPE_H
#define WL_TEXT_BPE_H

#include "text/models/tokens.h"
#include "text/models/vocabulary.h"

typedef struct wl_merge {
    uint64_t key; /* ~(left id << 32 | right id): 0 is an empty slot, and zeroed memory costs nothing until used */
    uint32_t rank, id;
} wl_merge;

typedef struct wl_pair_merge {
    uint32_t rank, id;
} wl_pair_merge;

typedef struct wl_bpe {
    const wl_vocabulary *vocabulary;
    wl_merge *merges; /* open addressing, a power of two, at most three quarters full */
    size_t merge_slots, merge_count;
    bool lent; /* merges and units belong to somebody else */
    wl_pair_merge
        *units; /* merge of two bytes, by the bytes: of ASCII, or with byte_level of all; rank WL_NO_ID: none */
    uint32_t ascii[128];    /* id of each one-byte character, or WL_NO_ID */
    uint32_t bytes[256];    /* id of "<0x00>" ... "<0xFF>", or WL_NO_ID */
    uint32_t alphabet[256]; /* id of the character that stands for a byte (byte_alphabet.h), or WL_NO_ID */
    bool byte_fallback, fuse_unknown, has_unknown;
    bool ignore_merges; /* a piece of text that is a piece of the vocabulary is one token, whatever the merges say */
    bool byte_level;    /* the text is raw bytes, each of which stands for its character of the byte alphabet */
    uint32_t unknown;   /* WL_NO_ID where the unknown token is not in the vocabulary */
    wl_buffer prefix;   /* in front of each character but the first, for the look-up only */
    wl_buffer suffix;   /* behind the last character, likewise */
} wl_bpe;

typedef struct wl_symbol {
    uint32_t id, size;       /* size in bytes; 0: merged into the one before */
    uint32_t previous, next; /* WL_NO_ID at the ends */
    uint32_t rank, merged;   /* of the pair with next; rank WL_NO_ID: none */
} wl_symbol;

typedef struct wl_bpe_scratch {
    wl_symbol *symbols;
    size_t capacity;
    uint64_t *heap;
    size_t heap_capacity;
    wl_buffer piece; /* a character with its prefix and suffix, or text in the byte alphabet */
} wl_bpe_scratch;

/* Fills ascii, bytes and alphabet; the vocabulary is complete and stays where it is. */
void wl_bpe_prepare(wl_bpe *bpe, const wl_vocabulary *vocabulary);
/* Room for count merges. */
wl_status wl_bpe_reserve(wl_bpe *bpe, size_t count, wl_error *error);
/* The merge of left and right gives id; a pair that is there already gets the new rank. */
wl_status wl_bpe_add_merge(wl_bpe *bpe, uint32_t left, uint32_t right, uint32_t rank, uint32_t id, wl_error *error);
/* Sets byte_level where the vocabulary holds the whole byte alphabet and no option gets in the way; says whether. */
bool wl_bpe_take_bytes(wl_bpe *bpe);
/* Says that the merge of left and right will be added soon: its memory is asked for. */
void wl_bpe_expect_merge(const wl_bpe *bpe, uint32_t left, uint32_t right);
/* Builds units; call once after the last merge. */
wl_status wl_bpe_finish(wl_bpe *bpe, wl_error *error);
/* Empties the merges. */
void wl_bpe_clear_merges(wl_bpe *bpe);
/* Takes the merges and units that bpe holds already, with merge_slots, from a file; wl_bpe_finish then builds nothing.
 * Whatever they hold, no look-up leaves them or runs on for ever. */
wl_status wl_bpe_lend(wl_bpe *bpe, wl_error *error);
void wl_bpe_free(wl_bpe *bpe);
void wl_bpe_scratch_free(wl_bpe_scratch *scratch);

/* Appends the tokens of a piece, spans in bytes of it. Fails when an unknown token is needed but not in the
 * vocabulary, as the oracle does. Cost: O(n^2) up to 32 symbols, O(n log n) beyond. */
wl_status wl_bpe_encode(const wl_bpe *bpe, const char *text, size_t size, wl_bpe_scratch *scratch, wl_tokens *tokens,
                        wl_error *error);
/* The same for a part of a piece, cut where no merge can reach over: ignore_merges is for whole pieces only. */
wl_status wl_bpe_merge(const wl_bpe *bpe, const char *text, size_t size, wl_bpe_scratch *scratch, wl_tokens *tokens,
                       wl_error *error);

#endif
