#include "text/packed.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/checksum.h"

/* ---- the file ---- */

bool wl_packed_is(const wl_safetensors *file)
{
    return wl_safetensors_metadata(file, WL_PACKED_KEY) || wl_safetensors_find(file, WL_PACKED_CHECKSUM);
}

bool wl_packed_covers(const char *name)
{
    static const char *const covered[] = {"tokenizer.", "wordllama.", "mapping", "weights"};
    if (strcmp(name, WL_PACKED_CHECKSUM) == 0) return false;
    for (size_t i = 0; i < sizeof covered / sizeof *covered; i++)
        if (strncmp(name, covered[i], strlen(covered[i])) == 0) return true;
    return false;
}

static bool is_little_endian(void)
{
    const uint32_t one = 1;
    return *(const unsigned char *)&one == 1;
}

static wl_status check_version(const wl_safetensors *file, wl_error *error)
{
    const char *version = wl_safetensors_metadata(file, WL_PACKED_KEY);
    size_t digits = version ? strspn(version, "0123456789") : 0;
    unsigned number = 0;
    for (size_t i = 0; i < digits && number < 1000000; i++) number = number * 10 + (unsigned)(version[i] - '0');
    if (!number || version[digits] || version[0] == '0')
        return wl_fail_at(error, WL_ERROR_FORMAT, file->path, WL_NO_POSITION, 0,
                          "has tables of the packed form without its version");
    if (number > WL_PACKED_VERSION)
        return wl_fail_at(error, WL_ERROR_UNSUPPORTED, file->path, WL_NO_POSITION, 0,
                          "has the packed form in version %.20s, this library reads up to %d", version,
                          WL_PACKED_VERSION);
    if (!is_little_endian())
        return wl_fail_at(error, WL_ERROR_UNSUPPORTED, file->path, WL_NO_POSITION, 0,
                          "has the packed form, whose tables are for little-endian machines, which this is not");
    return WL_OK;
}

wl_status wl_packed_check(const wl_safetensors *file, wl_error *error)
{
    if (check_version(file, error)) return error->code;
    const wl_tensor *stored = wl_safetensors_find(file, WL_PACKED_CHECKSUM);
    if (!stored || stored->dtype != WL_U64 || stored->count != 1)
        return wl_fail_at(error, WL_ERROR_FORMAT, file->path, WL_NO_POSITION, 0,
                          "has the packed form without checksum");
    uint64_t expected, sum = wl_checksum(0, file->mapping.data, (size_t)file->tensors[0].offset);
    memcpy(&expected, stored->data, sizeof expected);
    for (size_t i = 0; i < file->count; i++)
        if (wl_packed_covers(file->tensors[i].name))
            sum = wl_checksum(sum, file->tensors[i].data, file->tensors[i].bytes);
    if (sum != expected)
        return wl_fail_at(error, WL_ERROR_FORMAT, file->path, WL_NO_POSITION, 0,
                          "is damaged: its checksum is %016" PRIx64 ", expected %016" PRIx64, sum, expected);
    return WL_OK;
}

/* ---- tables ---- */

static wl_status fail(const wl_safetensors *file, const char *name, const char *what, wl_error *error)
{
    return wl_fail_at(error, WL_ERROR_FORMAT, file->path, WL_NO_POSITION, 0, "the tensor '%s' %s", name, what);
}

/* The failure of a check of a table, which has no place yet. */
static wl_status placed(const wl_safetensors *file, wl_status status, wl_error *error)
{
    if (!status || status == WL_ERROR_MEMORY) return status;
    wl_error cause = *error;
    return wl_fail_at(error, cause.code, file->path, WL_NO_POSITION, 0, "%s", cause.message);
}

/* A table of rows of `row` bytes, aligned; its type in the file is that of its numbers, with the widest first. The cast
 * drops const: what is lent is not written to. */
static wl_status take(const wl_safetensors *file, const char *name, wl_dtype dtype, size_t row, void **data,
                      size_t *count, wl_error *error)
{
    const wl_tensor *tensor = wl_safetensors_find(file, name);
    *data = NULL;
    *count = 0;
    if (!tensor) return fail(file, name, "is missing", error);
    if (tensor->dtype != dtype || tensor->bytes % row) return fail(file, name, "has another type or size", error);
    if ((uintptr_t)tensor->data % wl_dtype_size(dtype)) return fail(file, name, "is not aligned", error);
    *data = (void *)(uintptr_t)tensor->data;
    *count = tensor->bytes / row;
    return WL_OK;
}

wl_status wl_packed_text(const wl_safetensors *file, const char *name, wl_text *text, wl_error *error)
{
    void *data;
    if (take(file, name, WL_U8, 1, &data, &text->size, error)) return error->code;
    text->data = data;
    return WL_OK;
}

wl_status wl_packed_vocabulary(const wl_packed *packed, wl_vocabulary *vocabulary, wl_error *error)
{
    const wl_safetensors *file = packed->file;
    void *bytes, *pieces, *slots, *by_id;
    if (vocabulary->lent) return fail(file, "tokenizer.pieces", "is asked for twice", error);
    if (take(file, "tokenizer.bytes", WL_U8, 1, &bytes, &vocabulary->bytes.size, error) ||
        take(file, "tokenizer.pieces", WL_U64, sizeof(wl_piece), &pieces, &vocabulary->count, error) ||
        take(file, "tokenizer.slots", WL_U32, 4, &slots, &vocabulary->slot_count, error) ||
        take(file, "tokenizer.ids", WL_U32, 4, &by_id, &vocabulary->id_count, error))
        return error->code;
    vocabulary->bytes.data = bytes;
    vocabulary->pieces = pieces;
    vocabulary->slots = slots;
    vocabulary->by_id = by_id;
    return placed(file, wl_vocabulary_lend(vocabulary, error), error);
}

wl_status wl_packed_merges(const wl_packed *packed, wl_bpe *bpe, wl_error *error)
{
    const wl_safetensors *file = packed->file;
    void *merges, *units;
    size_t count;
    bpe->lent = true; /* whatever fails */
    if (take(file, "tokenizer.merges", WL_U64, sizeof(wl_merge), &merges, &bpe->merge_slots, error) ||
        take(file, "tokenizer.units", WL_U32, sizeof(wl_pair_merge), &units, &count, error))
        return error->code;
    bpe->merges = merges;
    bpe->units = units;
    if (count != 256 * 256) return fail(file, "tokenizer.units", "has not 65536 rows", error);
    return placed(file, wl_bpe_lend(bpe, error), error);
}

wl_status wl_packed_trie(const wl_packed *packed, uint32_t limit, wl_trie *trie, wl_error *error)
{
    void *units;
    if (take(packed->file, "tokenizer.trie", WL_U32, sizeof(wl_trie_unit), &units, &trie->count, error))
        return error->code;
    trie->units = units;
    return placed(packed->file, wl_trie_lend(trie, limit, error), error);
}

wl_status wl_packed_unigram(const wl_packed *packed, const wl_vocabulary *vocabulary, wl_unigram *unigram,
                            size_t *count, wl_error *error)
{
    const wl_safetensors *file = packed->file;
    void *scores, *shadowed;
    size_t shadowed_count;
    if (take(file, "tokenizer.scores", WL_F64, sizeof(double), &scores, count, error) ||
        take(file, "tokenizer.shadowed", WL_U32, 8, &shadowed, &shadowed_count, error))
        return error->code;
    unigram->scores = scores;
    unigram->lent = true;
    if (vocabulary->id_count > *count)
        return fail(file, "tokenizer.scores", "has fewer rows than there are ids", error);
    const uint32_t *pairs = shadowed;
    for (size_t i = 0; i < shadowed_count; i++) {
        if (pairs[2 * i] >= *count || pairs[2 * i + 1] >= vocabulary->count)
            return fail(file, "tokenizer.shadowed", "leads out of the vocabulary", error);
        if (wl_unigram_shadow(unigram, wl_vocabulary_at(vocabulary, pairs[2 * i + 1]), pairs[2 * i], error))
            return error->code;
    }
    return wl_packed_trie(packed, (uint32_t)*count, &unigram->trie, error);
}

wl_status wl_packed_charsmap(wl_packed *packed, wl_charsmap *map, wl_error *error)
{
    char name[64];
    void *units, *texts;
    size_t size;
    snprintf(name, sizeof name, "tokenizer.charsmap.%zu.units", packed->charsmaps);
    if (take(packed->file, name, WL_U32, 4, &units, &map->count, error)) return error->code;
    snprintf(name, sizeof name, "tokenizer.charsmap.%zu.texts", packed->charsmaps++);
    if (take(packed->file, name, WL_U8, 1, &texts, &size, error)) return error->code;
    if (!size) return fail(packed->file, name, "is empty", error);
    map->units = units;
    map->texts = texts;
    map->size = size - 1;
    return placed(packed->file, wl_charsmap_lend(map, error), error);
}

wl_status wl_packed_cuts(const wl_packed *packed, wl_cuts **cuts, wl_error *error)
{
    void *data;
    size_t count;
    *cuts = NULL;
    if (!wl_safetensors_find(packed->file, "tokenizer.cuts")) return WL_OK;
    if (take(packed->file, "tokenizer.cuts", WL_U64, sizeof **cuts, &data, &count, error)) return error->code;
    if (count != 1) return fail(packed->file, "tokenizer.cuts", "has another size", error);
    if (!wl_cuts_sound(data)) return fail(packed->file, "tokenizer.cuts", "cuts inside of characters", error);
    *cuts = data;
    return WL_OK;
}

wl_status wl_packed_facts(const wl_packed *packed, wl_facts *facts, wl_error *error)
{
    void *data;
    size_t count;
    if (take(packed->file, "tokenizer.facts", WL_U32, sizeof *facts, &data, &count, error)) return error->code;
    if (count != 1) return fail(packed->file, "tokenizer.facts", "has another size", error);
    memcpy(facts, data, sizeof *facts);
    return WL_OK;
}
