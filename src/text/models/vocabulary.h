/* A vocabulary: pieces and their ids, both ways. */
#ifndef WL_TEXT_VOCABULARY_H
#define WL_TEXT_VOCABULARY_H

#include "base/memory.h"

#define WL_NO_ID    UINT32_MAX
#define WL_ID_LIMIT (1u << 24) /* ids lie below: a look-up array by id stays small whatever a file says */

typedef struct wl_piece {
    uint64_t offset; /* in bytes */
    uint32_t size;
    uint32_t id;
} wl_piece;

typedef struct wl_vocabulary {
    wl_buffer bytes; /* all pieces, one behind the other */
    wl_piece *pieces;
    size_t count, capacity;
    uint32_t *slots; /* open addressing over piece index + 1, with bits of the hash above; at most half full */
    size_t slot_count;
    uint32_t *by_id;  /* piece index + 1, or 0 */
    size_t id_count;  /* highest id + 1 */
    uint32_t longest; /* bytes of the longest piece */
    bool lent;        /* the arrays belong to somebody else */
} wl_vocabulary;

/* Adds a piece; a piece that is there already gets the new id, as in the oracle's map. Fails on an id of WL_ID_LIMIT or
 * more. */
wl_status wl_vocabulary_add(wl_vocabulary *vocabulary, wl_text piece, uint32_t id, wl_error *error);
/* Builds by_id; call once after the last piece. */
wl_status wl_vocabulary_finish(wl_vocabulary *vocabulary, wl_error *error);
/* Takes the arrays that vocabulary holds already, with their counts, from a file: they are checked against each other,
 * so that whatever they hold, no look-up leaves them or runs on for ever. Cost: one pass over each. */
wl_status wl_vocabulary_lend(wl_vocabulary *vocabulary, wl_error *error);
void wl_vocabulary_free(wl_vocabulary *vocabulary);

/* The id of a piece, or WL_NO_ID. */
uint32_t wl_vocabulary_find(const wl_vocabulary *vocabulary, const char *data, size_t size);
/* The same for many pieces, whose memory is asked for side by side. */
void wl_vocabulary_find_all(const wl_vocabulary *vocabulary, const wl_text *pieces, size_t count, uint32_t *ids);
/* The piece with an id; {NULL, 0} where there is none. Of several pieces with one id: the last added. */
wl_text wl_vocabulary_piece(const wl_vocabulary *vocabulary, uint32_t id);

static inline wl_text wl_vocabulary_at(const wl_vocabulary *vocabulary, size_t index)
{
    const wl_piece *piece = &vocabulary->pieces[index];
    return (wl_text){vocabulary->bytes.data + piece->offset, piece->size};
}

#endif
