/* What a token stands for in a text, by itself: "Ġcar", "▁car" and, at the start of a word, "car" of WordPiece are all
 * " car". That is how tokens of different tokenizers are compared. */
#ifndef WL_EXTRACT_TOKEN_TEXT_H
#define WL_EXTRACT_TOKEN_TEXT_H

#include "text/tokenizer.h"

/* How a tokenizer spells text in pieces, as its decoders undo it. Borrowed from the tokenizer. */
typedef struct wl_spelling {
    const wl_tokenizer *tokenizer;
    bool byte_level;    /* characters stand for bytes */
    bool byte_fallback; /* "<0x61>" stands for a byte */
    bool words;         /* a piece without prefix begins a word, and so has a space in front of it */
    wl_text mark;       /* stands for a space; empty: none */
    wl_text prefix;     /* in front of what goes on a word; empty: none */
    wl_text suffix;     /* behind the end of a word, which is then a whole word or its end; empty: none */
} wl_spelling;

typedef enum wl_token_kind {
    WL_TOKEN_NONE,    /* the id has no token */
    WL_TOKEN_TEXT,    /* it stands for text, which need not be whole characters */
    WL_TOKEN_BYTE,    /* the same, as a byte that is spelled by its number */
    WL_TOKEN_SPECIAL, /* it stands for itself; the text is its piece */
} wl_token_kind;

wl_spelling wl_spelling_of(const wl_tokenizer *tokenizer);
/* Appends the token's text. WL_OK with *kind, or out of memory. */
wl_status wl_token_text(const wl_spelling *spelling, uint32_t id, wl_buffer *out, wl_token_kind *kind, wl_error *error);

#endif
