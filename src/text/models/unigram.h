/* Unigram (Kudo 2018, https://arxiv.org/abs/1804.10959): the segmentation of highest total score, by Viterbi. */
#ifndef WL_TEXT_UNIGRAM_H
#define WL_TEXT_UNIGRAM_H

#include "text/models/tokens.h"
#include "text/models/trie.h"

/* A piece that stands in the list once more further down: text has the later id, but the earlier is known by name. */
typedef struct wl_shadowed {
    char *piece; /* owned */
    size_t size;
    uint32_t id;
} wl_shadowed;

typedef struct wl_unigram {
    const wl_vocabulary *vocabulary;
    wl_trie trie;          /* of the pieces; values are ids */
    wl_shadowed *shadowed; /* by ascending id */
    size_t shadowed_count, shadowed_capacity;
    double *scores; /* by id */
    bool lent;      /* scores belongs to somebody else */
    double unknown_score;
    uint32_t unknown; /* WL_NO_ID: none */
    bool byte_fallback;
    uint32_t bytes[256]; /* id of "<0x00>" ... "<0xFF>", or WL_NO_ID */
} wl_unigram;

/* The best way to a byte position. */
typedef struct wl_path {
    double score;
    uint32_t begin, id; /* of the last token; begin WL_NO_ID: not reached */
} wl_path;

typedef struct wl_unigram_scratch {
    wl_path *paths;
    size_t capacity;
} wl_unigram_scratch;

/* scores by id, count of them, are taken over (freed with the unigram, also on failure, unless lent is set). The trie
 * is built, unless it is there already. */
wl_status wl_unigram_prepare(wl_unigram *unigram, const wl_vocabulary *vocabulary, double *scores, size_t count,
                             wl_error *error);
/* Ids are to be given in ascending order. */
wl_status wl_unigram_shadow(wl_unigram *unigram, wl_text piece, uint32_t id, wl_error *error);
/* The piece with an id, shadowed or not; {NULL, 0} where there is none. */
wl_text wl_unigram_piece(const wl_unigram *unigram, uint32_t id);
void wl_unigram_free(wl_unigram *unigram);
void wl_unigram_scratch_free(wl_unigram_scratch *scratch);

/* Appends the tokens of a piece, spans in bytes of it. Cost: O(n m), m the bytes of the longest
 * piece. */
wl_status wl_unigram_encode(const wl_unigram *unigram, const char *text, size_t size, wl_unigram_scratch *scratch,
                            wl_tokens *tokens, wl_error *error);

/* A score as serde_json's default parser, the oracle's, reads it: digits into 64 bits, then one multiplication or
 * division by a power of ten, which is not always the nearest double. Ids depend on it. number: RFC 8259. */
double wl_unigram_score(wl_text number);

#endif
