/* WordPiece's pieces, learned from words: what a vocabulary takes rare words apart into. */
#ifndef WL_TRAIN_WORD_PIECES_H
#define WL_TRAIN_WORD_PIECES_H

#include "train/word_counts.h"

#define WL_PIECE_PREFIX "##" /* of pieces that do not begin a word */

typedef struct wl_piece_options {
    size_t pieces;             /* in all, the characters included */
    size_t alphabet;           /* the most frequent characters that become pieces; words with others are left out */
    uint64_t least_count;      /* of a pair that is joined */
    bool (*go_on)(void *user); /* asked now and then; false cancels; NULL: never */
    void *user;
} wl_piece_options;

/* Adds pieces to a vocabulary, which may hold special tokens, until it has options->pieces tokens or nothing is left to
 * join: first characters, in the order of their bytes, then what joining gave, in its order. Deterministic.
 * WL_ERROR_CANCELLED. Cost: each joining looks at all of the words that hold the pair, which are to be words, not
 * documents: squares in the length of one; memory some 24 bytes a character of a different word. */
wl_status wl_learn_pieces(const wl_word_counts *words, const wl_piece_options *options, wl_word_counts *vocabulary,
                          wl_error *error);

#endif
