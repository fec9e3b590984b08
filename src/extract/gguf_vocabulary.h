/* The vocabulary of a GGUF's tokenizer. */
#ifndef WL_EXTRACT_GGUF_VOCABULARY_H
#define WL_EXTRACT_GGUF_VOCABULARY_H

#include "extract/gguf.h"
#include "format/json_write.h"
#include "text/models/vocabulary.h"

/* Kinds of pieces, by the file's numbers; others count as unused. */
enum {
    WL_GGUF_NORMAL = 1,
    WL_GGUF_UNKNOWN = 2,
    WL_GGUF_CONTROL = 3,
    WL_GGUF_USER_DEFINED = 4,
    WL_GGUF_UNUSED = 5,
    WL_GGUF_BYTE = 6,
};

typedef struct wl_gguf_vocabulary {
    wl_vocabulary pieces; /* (count), with the ids from 0 on */
    unsigned char *kinds; /* (count) */
    double *scores;       /* (count), finite; NULL: the file has none */
    uint32_t count;
} wl_gguf_vocabulary;

/* Changes a piece from the spelling of the file to that of a tokenizer.json. */
typedef wl_status (*wl_gguf_spell)(wl_buffer *piece, unsigned char kind, wl_error *error);

/* Reads tokenizer.ggml.tokens, .token_type and .scores. spell: NULL: the spellings are the same. An empty piece becomes
 * "[EMPTY_id]", as llama.cpp has it. A piece that stands twice is WL_ERROR_FORMAT, more than 256 MB of them
 * WL_ERROR_LIMIT. Free with wl_gguf_vocabulary_free, also after a failure. */
wl_status wl_gguf_vocabulary_read(wl_gguf_vocabulary *vocabulary, const wl_gguf *gguf, wl_gguf_spell spell,
                                  wl_error *error);
void wl_gguf_vocabulary_free(wl_gguf_vocabulary *vocabulary);

static inline wl_text wl_gguf_piece(const wl_gguf_vocabulary *vocabulary, uint32_t id)
{
    return wl_vocabulary_piece(&vocabulary->pieces, id);
}

#define WL_GGUF_JSON_MOST ((size_t)256 << 20) /* bytes of a tokenizer; the largest known have 35 MB */

/* Fails the writer where the tokenizer becomes too large. */
void wl_gguf_check_size(wl_json_writer *json);

/* Merges as a JSON array of pairs, from the file's list or, where it has none, from the scores (gguf_merges.c). */
void wl_gguf_write_merges(const wl_gguf_vocabulary *vocabulary, const wl_gguf *gguf, wl_json_writer *json);

#endif
