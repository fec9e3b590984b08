/* WordPiece (Schuster and Nakajima 2012): the longest piece from the left, those inside a word marked by a prefix. */
#ifndef WL_TEXT_WORDPIECE_H
#define WL_TEXT_WORDPIECE_H

#include "text/models/tokens.h"
#include "text/models/trie.h"

typedef struct wl_wordpiece {
    wl_trie trie;          /* of the pieces; values are ids */
    uint32_t inside;       /* the node of the prefix, from which pieces inside a word go on; WL_NO_ID: none do */
    uint32_t unknown;      /* WL_NO_ID where it is not in the vocabulary */
    size_t max_characters; /* a longer word is unknown */
} wl_wordpiece;

/* Builds the trie, unless it is there already. */
wl_status wl_wordpiece_prepare(wl_wordpiece *wordpiece, const wl_vocabulary *vocabulary, wl_text prefix,
                               wl_error *error);
void wl_wordpiece_free(wl_wordpiece *wordpiece);

/* Appends the tokens of a word, spans in bytes of it: its pieces, or one unknown token when a rest matches nothing.
 * Cost: O(n m), n the word's bytes but no more than max_characters, m those of the longest piece. */
wl_status wl_wordpiece_encode(const wl_wordpiece *wordpiece, const char *text, size_t size, wl_tokens *tokens,
                              wl_error *error);

#endif
