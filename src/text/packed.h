/* The packed form: the tables of a tokenizer as tensors of a safetensors file, used where they lie.
 *
 * The tensor tokenizer.json is the tokenizer.json without what is large: the vocabulary, the merges and the tables of
 * replacements are empty there. The readers of text/read read it as any other, and take the large parts from the
 * tensors here: one way for both forms. docs/formats.md has the layout. The tables hold what the structs of text/ hold
 * in memory, so any change to one of those, or to base/hash.h, is a new version.
 *
 * At open the version is compared, then the checksum of all but the weights, which tells damage. Against intent each
 * table is checked by itself (wl_..._lend), so that no content leads out of it: that is one pass over the vocabulary
 * and the tries, nothing over the merges. */
#ifndef WL_TEXT_PACKED_H
#define WL_TEXT_PACKED_H

#include "format/safetensors_write.h"
#include "text/tokenizer.h"

enum { WL_PACKED_VERSION = 1 };

/* A tokenizer.json whose large parts are in tensors, while it is being read. */
struct wl_packed {
    const wl_safetensors *file;
    size_t charsmaps; /* taken so far: they are numbered as they stand in the file */
};

/* ---- reading ---- */

/* Whether a file has the packed form, in whatever version and state. */
bool wl_packed_is(const wl_safetensors *file);
/* Version and checksum. */
wl_status wl_packed_check(const wl_safetensors *file, wl_error *error);
/* The bytes of a U8 tensor; a failure where it is missing. */
wl_status wl_packed_text(const wl_safetensors *file, const char *name, wl_text *text, wl_error *error);
/* The tokenizer of a file that was checked and stays open as long. */
wl_tokenizer *wl_tokenizer_open_packed(const wl_safetensors *file, wl_error *error);

/* What the readers take. */
wl_status wl_packed_vocabulary(const wl_packed *packed, wl_vocabulary *vocabulary, wl_error *error);
wl_status wl_packed_merges(const wl_packed *packed, wl_bpe *bpe, wl_error *error);
/* Values below limit. */
wl_status wl_packed_trie(const wl_packed *packed, uint32_t limit, wl_trie *trie, wl_error *error);
/* Scores and shadowed pieces, count of the former; the vocabulary is there already. */
wl_status wl_packed_unigram(const wl_packed *packed, const wl_vocabulary *vocabulary, wl_unigram *unigram,
                            size_t *count, wl_error *error);
wl_status wl_packed_charsmap(wl_packed *packed, wl_charsmap *map, wl_error *error);
/* NULL where there are none. */
wl_status wl_packed_cuts(const wl_packed *packed, wl_cuts **cuts, wl_error *error);
wl_status wl_packed_facts(const wl_packed *packed, wl_facts *facts, wl_error *error);

/* ---- writing (pack.c) ---- */

/* The tensors of a file to be. Zero-initialized is empty. */
typedef struct wl_pack {
    wl_tensor *tensors; /* names owned, data borrowed */
    size_t count, capacity;
    void **memory; /* data made for this file, owned */
    size_t memory_count, memory_capacity;
    uint64_t checksum[1];
    const char *policy; /* for the metadata; NULL: a tokenizer alone */
} wl_pack;

/* Appends a tensor of one dimension, or with columns of two, without copying it. */
wl_status wl_pack_add(wl_pack *pack, const char *name, wl_dtype dtype, size_t rows, size_t columns, const void *data,
                      wl_error *error);
/* The same with data that the pack frees, at once on failure. */
wl_status wl_pack_give(wl_pack *pack, const char *name, wl_dtype dtype, size_t rows, size_t columns, void *data,
                       wl_error *error);
/* Appends a tensor of a file, which stays open. */
wl_status wl_pack_copy(wl_pack *pack, const wl_tensor *tensor, wl_error *error);
/* Appends the tables of a tokenizer, which stays open; json: the file that it was opened from, or the small one of a
 * packed file. */
wl_status wl_pack_tokenizer(wl_pack *pack, const wl_tokenizer *tokenizer, wl_text json, wl_error *error);
/* The tokenizer.json that a tokenizer was opened from, small where that is packed: of the file where it is packed, else
 * mapped once more. *mapping is to be closed afterwards. */
wl_status wl_tokenizer_source(const wl_tokenizer *tokenizer, wl_mapping *mapping, wl_text *json, wl_error *error);
/* Adds the checksum and writes the file. */
wl_status wl_pack_write(wl_pack *pack, const char *path, wl_error *error);
void wl_pack_free(wl_pack *pack);

/* Whether the checksum covers a tensor, by its name. */
bool wl_packed_covers(const char *name);

#define WL_PACKED_KEY      "wordllama.packed"
#define WL_PACKED_CHECKSUM "wordllama.checksum"

#endif
