/* The merges of a BPE tokenizer. A vocabulary that SentencePiece made has none in the file: it merges what gives the
 * piece with the highest score. The merges that do the same are all cuts of all pieces into two pieces, by the score of
 * the whole. Of one score the smaller id of the whole comes first, then of the left part: the order in which the
 * tokenizer.json of Llama 2 and Mistral were written.
 *
 * Cost: two look-ups for each character of the vocabulary, of at most PIECE_MOST bytes. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "extract/gguf_vocabulary.h"

enum { PIECE_MOST = 1024 }; /* bytes; SentencePiece's own limit is 16 characters unless told otherwise */

typedef struct scored {
    double score;
    uint32_t id;
} scored;

static int compare_scored(const void *a, const void *b)
{
    const scored *x = a, *y = b;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

typedef struct cut {
    uint32_t left; /* id */
    uint32_t size; /* bytes of it */
} cut;

static int compare_cuts(const void *a, const void *b)
{
    const cut *x = a, *y = b;
    return (x->left > y->left) - (x->left < y->left);
}

static bool is_normal(const wl_gguf_vocabulary *vocabulary, const char *text, size_t size, uint32_t *id)
{
    *id = wl_vocabulary_find(&vocabulary->pieces, text, size);
    return *id != WL_NO_ID && vocabulary->kinds[*id] == WL_GGUF_NORMAL;
}

static void write_merge(wl_json_writer *json, bool *first, wl_text left, wl_text right)
{
    wl_json_write(json, *first ? "[" : ",[");
    wl_json_write_string(json, left);
    wl_json_write(json, ",");
    wl_json_write_string(json, right);
    wl_json_write(json, "]");
    wl_gguf_check_size(json);
    *first = false;
}

static void write_cuts(const wl_gguf_vocabulary *vocabulary, wl_text piece, bool *first, wl_json_writer *json)
{
    cut cuts[PIECE_MOST];
    size_t count = 0;
    uint32_t left, right;
    for (size_t i = 1; i < piece.size; i++) {
        if (((unsigned char)piece.data[i] & 0xC0) == 0x80) continue; /* inside of a character */
        if (is_normal(vocabulary, piece.data, i, &left) &&
            is_normal(vocabulary, piece.data + i, piece.size - i, &right))
            cuts[count++] = (cut){left, (uint32_t)i};
    }
    if (count > 1) qsort(cuts, count, sizeof *cuts, compare_cuts);
    for (size_t i = 0; i < count && !json->status; i++)
        write_merge(json, first, (wl_text){piece.data, cuts[i].size},
                    (wl_text){piece.data + cuts[i].size, piece.size - cuts[i].size});
}

static void write_from_scores(const wl_gguf_vocabulary *vocabulary, const wl_gguf *gguf, wl_json_writer *json)
{
    scored *pieces = wl_allocate(vocabulary->count, sizeof *pieces, json->error);
    size_t count = 0;
    bool first = true;
    if (!pieces) {
        json->status = WL_ERROR_MEMORY;
        return;
    }
    for (uint32_t id = 0; id < vocabulary->count; id++)
        if (vocabulary->kinds[id] == WL_GGUF_NORMAL) pieces[count++] = (scored){vocabulary->scores[id], id};
    if (count > 1) qsort(pieces, count, sizeof *pieces, compare_scored);
    for (size_t i = 0; i < count && !json->status; i++) {
        wl_text piece = wl_gguf_piece(vocabulary, pieces[i].id);
        if (piece.size > PIECE_MOST)
            json->status = wl_fail_at(json->error, WL_ERROR_LIMIT, gguf->reader->name, WL_NO_POSITION, 0,
                                      "piece %" PRIu32 " of its tokenizer has %zu bytes, expected at most %d",
                                      pieces[i].id, piece.size, PIECE_MOST);
        else
            write_cuts(vocabulary, piece, &first, json);
    }
    free(pieces);
}

/* "left right": the space is the first one behind the first byte, as llama.cpp has it. */
static void write_from_list(wl_gguf_walk *walk, wl_json_writer *json)
{
    wl_buffer text = {0};
    bool first = true;
    while (walk->left && !json->status) {
        json->status = wl_gguf_next_string(walk, &text, json->error);
        if (json->status) break;
        const char *space = text.size > 1 ? memchr(text.data + 1, ' ', text.size - 1) : NULL;
        if (!space) {
            json->status = wl_fail_at(json->error, WL_ERROR_FORMAT, walk->gguf->reader->name, walk->at, 0,
                                      "a merge of its tokenizer has no space in it: \"%.*s\"",
                                      (int)(text.size < 60 ? text.size : 60), text.data);
            break;
        }
        size_t left = (size_t)(space - text.data);
        write_merge(json, &first, (wl_text){text.data, left}, (wl_text){space + 1, text.size - left - 1});
    }
    wl_buffer_free(&text);
}

void wl_gguf_write_merges(const wl_gguf_vocabulary *vocabulary, const wl_gguf *gguf, wl_json_writer *json)
{
    wl_gguf_walk walk;
    if (!json->status) json->status = wl_gguf_array(gguf, "tokenizer.ggml.merges", &walk, json->error);
    if (json->status) return;
    wl_json_write(json, "[");
    if (walk.value)
        write_from_list(&walk, json);
    else if (vocabulary->scores)
        write_from_scores(vocabulary, gguf, json);
    else
        json->status = wl_fail_at(json->error, WL_ERROR_UNSUPPORTED, gguf->reader->name, WL_NO_POSITION, 0,
                                  "its tokenizer has neither merges nor scores");
    wl_json_write(json, "]");
}
