/* Writing the packed form. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checksum.h"
#include "format/json.h"
#include "text/packed.h"

/* ---- tensors ---- */

wl_status wl_pack_copy(wl_pack *pack, const wl_tensor *tensor, wl_error *error)
{
    void *tensors = pack->tensors;
    wl_status status = wl_reserve(&tensors, &pack->capacity, pack->count + 1, sizeof *pack->tensors, error);
    pack->tensors = tensors;
    if (status) return status;
    wl_tensor copy = *tensor;
    copy.name = wl_copy_text(tensor->name, strlen(tensor->name), error);
    if (!copy.name) return error->code;
    pack->tensors[pack->count++] = copy;
    return WL_OK;
}

wl_status wl_pack_add(wl_pack *pack, const char *name, wl_dtype dtype, size_t rows, size_t columns, const void *data,
                      wl_error *error)
{
    wl_tensor tensor = {.dtype = dtype, .rank = columns ? 2 : 1, .shape = {rows, columns}, .data = data};
    tensor.count = rows * (columns ? columns : 1);
    tensor.bytes = (size_t)tensor.count * wl_dtype_size(dtype);
    tensor.name = (char *)(uintptr_t)name; /* for the copy to copy */
    return wl_pack_copy(pack, &tensor, error);
}

wl_status wl_pack_give(wl_pack *pack, const char *name, wl_dtype dtype, size_t rows, size_t columns, void *data,
                       wl_error *error)
{
    void *memory = pack->memory;
    wl_status status = wl_reserve(&memory, &pack->memory_capacity, pack->memory_count + 1, sizeof *pack->memory, error);
    pack->memory = memory;
    if (status) {
        free(data);
        return status;
    }
    pack->memory[pack->memory_count++] = data;
    return wl_pack_add(pack, name, dtype, rows, columns, data, error);
}

void wl_pack_free(wl_pack *pack)
{
    for (size_t i = 0; i < pack->count; i++) free(pack->tensors[i].name);
    for (size_t i = 0; i < pack->memory_count; i++) free(pack->memory[i]);
    free(pack->tensors);
    free(pack->memory);
    *pack = (wl_pack){0};
}

/* ---- the small tokenizer.json ---- */

/* What is left out, from one place of the source to another, and what stands for it. */
struct omission {
    size_t begin, end;
    const char *instead;
};

struct omissions {
    struct omission *items;
    size_t count, capacity;
};

/* Leaves out the value that comes next. */
static void omit(wl_json *json, struct omissions *omissions)
{
    wl_json_kind kind = wl_json_peek(json);
    size_t begin = json->at;
    wl_json_skip(json);
    if (wl_json_failed(json)) return;
    void *items = omissions->items;
    wl_status status =
        wl_reserve(&items, &omissions->capacity, omissions->count + 1, sizeof *omissions->items, json->error);
    omissions->items = items;
    if (status) {
        json->failed = true;
        return;
    }
    const char *instead = kind == WL_JSON_ARRAY ? "[]" : kind == WL_JSON_OBJECT ? "{}" : "\"\"";
    omissions->items[omissions->count++] = (struct omission){begin, json->at, instead};
}

/* Leaves out the strings precompiled_charsmap, at any depth, which the cursor bounds. */
static void omit_charsmaps(wl_json *json, struct omissions *omissions)
{
    wl_text key;
    wl_json_kind kind = wl_json_peek(json);
    if (kind == WL_JSON_ARRAY) {
        wl_json_begin_array(json);
        while (wl_json_element(json)) omit_charsmaps(json, omissions);
    } else if (kind == WL_JSON_OBJECT) {
        wl_json_begin_object(json);
        while (wl_json_member(json, &key)) {
            if (wl_text_is(key, "precompiled_charsmap") && wl_json_peek(json) == WL_JSON_STRING)
                omit(json, omissions);
            else
                omit_charsmaps(json, omissions);
        }
    } else
        wl_json_skip(json);
}

static void omit_model(wl_json *json, struct omissions *omissions)
{
    wl_text key;
    wl_json_begin_object(json);
    while (wl_json_member(json, &key)) {
        if (wl_text_is(key, "vocab") || wl_text_is(key, "merges"))
            omit(json, omissions);
        else
            wl_json_skip(json);
    }
}

/* Appends source[begin..end) without white space between tokens; the range ends outside of strings. */
static wl_status copy_bare(const char *source, size_t begin, size_t end, wl_buffer *out, wl_error *error)
{
    bool quoted = false;
    size_t from = begin;
    for (size_t at = begin; at < end; at++) {
        char c = source[at];
        if (quoted && c == '\\')
            at++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == ' ' || c == '\n' || c == '\r' || c == '\t')) {
            if (wl_buffer_append(out, source + from, at - from, error)) return error->code;
            from = at + 1;
        }
    }
    return wl_buffer_append(out, source + from, end - from, error);
}

static wl_status shorten(wl_text source, const char *name, wl_buffer *out, wl_error *error)
{
    struct omissions omissions = {0};
    wl_buffer scratch = {0};
    wl_json json;
    wl_text key;
    wl_json_open(&json, source.data, source.size, name, &scratch, error);
    wl_json_begin_object(&json);
    while (wl_json_member(&json, &key)) {
        if (wl_text_is(key, "model"))
            omit_model(&json, &omissions);
        else if (wl_text_is(key, "normalizer"))
            omit_charsmaps(&json, &omissions);
        else
            wl_json_skip(&json);
    }
    wl_status status = wl_json_close(&json);
    size_t at = 0;
    for (size_t i = 0; i < omissions.count && !status; i++) {
        const struct omission *omission = &omissions.items[i];
        status = copy_bare(source.data, at, omission->begin, out, error);
        if (!status) status = wl_buffer_append(out, omission->instead, 2, error);
        at = omission->end;
    }
    if (!status) status = copy_bare(source.data, at, source.size, out, error);
    free(omissions.items);
    wl_buffer_free(&scratch);
    return status;
}

/* ---- the tables ---- */

static wl_status add_vocabulary(wl_pack *pack, const wl_vocabulary *vocabulary, wl_error *error)
{
    size_t size = vocabulary->bytes.size;
    if (wl_pack_add(pack, "tokenizer.slots", WL_U32, vocabulary->slot_count, 0, vocabulary->slots, error) ||
        wl_pack_add(pack, "tokenizer.pieces", WL_U64, vocabulary->count, 2, vocabulary->pieces, error) ||
        wl_pack_add(pack, "tokenizer.ids", WL_U32, vocabulary->id_count, 0, vocabulary->by_id, error) ||
        wl_pack_add(pack, "tokenizer.bytes", WL_U8, size, 0, vocabulary->bytes.data, error))
        return error->code;
    return WL_OK;
}

static wl_status add_trie(wl_pack *pack, const wl_trie *trie, wl_error *error)
{
    return wl_pack_add(pack, "tokenizer.trie", WL_U32, trie->count, 2, trie->units, error);
}

static wl_status add_unigram(wl_pack *pack, const wl_tokenizer *tokenizer, wl_error *error)
{
    const wl_unigram *unigram = &tokenizer->unigram;
    const wl_vocabulary *vocabulary = &tokenizer->vocabulary;
    uint32_t *pairs = wl_allocate(unigram->shadowed_count, 2 * sizeof *pairs, error);
    if (!pairs) return error->code;
    for (size_t i = 0; i < unigram->shadowed_count; i++) {
        const wl_shadowed *shadowed = &unigram->shadowed[i];
        uint32_t id = wl_vocabulary_find(vocabulary, shadowed->piece, shadowed->size);
        pairs[2 * i] = shadowed->id;
        pairs[2 * i + 1] = vocabulary->by_id[id] - 1;
    }
    if (wl_pack_give(pack, "tokenizer.shadowed", WL_U32, unigram->shadowed_count, 2, pairs, error) ||
        wl_pack_add(pack, "tokenizer.scores", WL_F64, tokenizer->model_size, 0, unigram->scores, error))
        return error->code;
    return add_trie(pack, &unigram->trie, error);
}

static wl_status add_model(wl_pack *pack, const wl_tokenizer *tokenizer, wl_error *error)
{
    const wl_bpe *bpe = &tokenizer->bpe;
    switch (tokenizer->kind) {
    case WL_MODEL_BPE:
        if (wl_pack_add(pack, "tokenizer.units", WL_U32, 256 * 256, 2, bpe->units, error)) return error->code;
        return wl_pack_add(pack, "tokenizer.merges", WL_U64, bpe->merge_slots, 2, bpe->merges, error);
    case WL_MODEL_WORDPIECE:
        return add_trie(pack, &tokenizer->wordpiece.trie, error);
    case WL_MODEL_UNIGRAM:
        return add_unigram(pack, tokenizer, error);
    case WL_MODEL_WORDLEVEL:
        break;
    }
    return WL_OK;
}

static wl_status add_charsmaps(wl_pack *pack, const wl_tokenizer *tokenizer, wl_error *error)
{
    size_t count = 0;
    char name[64];
    for (size_t i = 0; i < tokenizer->normalizer_count; i++) {
        const wl_charsmap *map = &tokenizer->normalizers[i].charsmap;
        if (tokenizer->normalizers[i].kind != WL_NORMALIZE_PRECOMPILED) continue;
        snprintf(name, sizeof name, "tokenizer.charsmap.%zu.units", count);
        if (wl_pack_add(pack, name, WL_U32, map->count, 0, map->units, error)) return error->code;
        snprintf(name, sizeof name, "tokenizer.charsmap.%zu.texts", count++);
        if (wl_pack_add(pack, name, WL_U8, map->size + 1, 0, map->texts, error)) return error->code;
    }
    return WL_OK;
}

wl_status wl_pack_tokenizer(wl_pack *pack, const wl_tokenizer *tokenizer, wl_text json, wl_error *error)
{
    wl_buffer small = {0};
    wl_facts *facts = wl_allocate(1, sizeof *facts, error);
    if (!facts) return error->code;
    *facts = tokenizer->facts;
    size_t median;
    if (wl_tokenizer_median(tokenizer, &median, error)) {
        free(facts);
        return error->code;
    }
    facts->median = (uint32_t)median + 1;
    if (wl_pack_give(pack, "tokenizer.facts", WL_U32, sizeof *facts / sizeof(uint32_t), 0, facts, error) ||
        add_vocabulary(pack, &tokenizer->vocabulary, error) || add_model(pack, tokenizer, error) ||
        add_charsmaps(pack, tokenizer, error))
        return error->code;
    if (tokenizer->cuts &&
        wl_pack_add(pack, "tokenizer.cuts", WL_U64, sizeof *tokenizer->cuts / 8, 0, tokenizer->cuts, error))
        return error->code;
    if (shorten(json, tokenizer->name, &small, error)) {
        wl_buffer_free(&small);
        return error->code;
    }
    return wl_pack_give(pack, "tokenizer.json", WL_U8, small.size, 0, small.data, error);
}

wl_status wl_tokenizer_source(const wl_tokenizer *tokenizer, wl_mapping *mapping, wl_text *json, wl_error *error)
{
    if (tokenizer->file) return wl_packed_text(tokenizer->file, "tokenizer.json", json, error);
    if (wl_mapping_open(mapping, tokenizer->name, error)) return error->code;
    *json = (wl_text){mapping->data, mapping->size};
    return WL_OK;
}

/* ---- the file ---- */

wl_status wl_pack_write(wl_pack *pack, const char *path, wl_error *error)
{
    char version[16];
    snprintf(version, sizeof version, "%d", WL_PACKED_VERSION);
    const char *const metadata[] = {"format", "pt", WL_PACKED_KEY, version, "wordllama.policy", pack->policy};
    wl_buffer header = {0};
    wl_status status = wl_pack_add(pack, WL_PACKED_CHECKSUM, WL_U64, 1, 0, pack->checksum, error);
    if (!status)
        status = wl_safetensors_header(pack->tensors, pack->count, metadata, pack->policy ? 3 : 2, &header, error);
    if (!status) {
        uint64_t sum = wl_checksum(0, header.data, header.size);
        for (size_t i = 0; i < pack->count; i++)
            if (wl_packed_covers(pack->tensors[i].name))
                sum = wl_checksum(sum, pack->tensors[i].data, pack->tensors[i].bytes);
        pack->checksum[0] = sum;
        status = wl_safetensors_write(path, &header, pack->tensors, pack->count, error);
    }
    wl_buffer_free(&header);
    return status;
}

wl_status wl_tokenizer_pack(const char *source, const char *path, wl_error *error)
{
    wl_error unused;
    if (!error) error = &unused;
    if (!source || !path) return wl_fail(error, WL_ERROR_ARGUMENT, "wl_tokenizer_pack: an argument is NULL");
    wl_pack pack = {0};
    wl_mapping mapping = {0};
    wl_text json = {NULL, 0};
    wl_tokenizer *tokenizer = wl_tokenizer_open(source, error);
    if (!tokenizer) return error->code;
    wl_status status = wl_tokenizer_source(tokenizer, &mapping, &json, error);
    if (!status) status = wl_pack_tokenizer(&pack, tokenizer, json, error);
    if (!status) status = wl_pack_write(&pack, path, error);
    wl_pack_free(&pack);
    wl_mapping_close(&mapping);
    wl_tokenizer_close(tokenizer);
    return status;
}
