/* Reading the merges of BPE: each is two pieces and what they join to, three look-ups in a vocabulary that is far
 * larger than the nearest caches. They are read in batches, so that the memory of all look-ups is asked for before the
 * first needs it. */
#include <string.h>

#include "base/hash.h"
#include "text/read/parts.h"

enum { BATCH = 256 };

struct merge_item {
    size_t at;                /* in the file, for errors */
    size_t begin, left, size; /* in parts: of both pieces; bytes of the first; of both */
};

struct merge_reader {
    wl_json *json;
    wl_bpe *bpe;
    wl_buffer parts; /* of a batch: the pieces, and behind those what they join to where a prefix falls away */
    struct merge_item items[BATCH];
    size_t count;
    uint32_t rank;
    uint32_t last; /* id that the merge before gave */
};

static void add_part(struct merge_reader *reader, wl_text part)
{
    if (wl_json_failed(reader->json)) return;
    if (wl_buffer_append(&reader->parts, part.data, part.size, reader->json->error)) reader->json->failed = true;
}

/* ["a", "b"]; returns the number of parts. */
static size_t read_pair(struct merge_reader *reader, struct merge_item *item)
{
    size_t parts = 0;
    wl_json_begin_array(reader->json);
    for (; wl_json_element(reader->json); parts++) {
        if (parts == 1) item->left = reader->parts.size - item->begin;
        wl_text part = wl_json_string(reader->json);
        if (parts < 2) add_part(reader, part);
    }
    return parts;
}

/* "a b" of old files, which may start with a version line: that counts as 0 parts. */
static size_t read_line(struct merge_reader *reader, struct merge_item *item)
{
    static const char version[] = "#version";
    wl_text line = wl_json_string(reader->json);
    if (line.size >= sizeof version - 1 && memcmp(line.data, version, sizeof version - 1) == 0) return 0;
    const char *space = line.size ? memchr(line.data, ' ', line.size) : NULL;
    if (!space) return 1;
    item->left = (size_t)(space - line.data);
    wl_text right = {space + 1, line.size - item->left - 1};
    if (memchr(right.data, ' ', right.size)) return 3;
    add_part(reader, (wl_text){line.data, item->left});
    add_part(reader, right);
    return 2;
}

static void fail(struct merge_reader *reader, const struct merge_item *item, const char *what, wl_text piece)
{
    if (wl_json_failed(reader->json)) return;
    reader->json->at = item->at;
    wl_json_fail(reader->json, WL_ERROR_FORMAT, what, (int)(piece.size < 64 ? piece.size : 64), piece.data);
}

/* What the two pieces join to: the second loses its prefix. */
static wl_text join(struct merge_reader *reader, const struct merge_item *item)
{
    size_t prefix = reader->bpe->prefix.size, right = item->size - item->left;
    char *pieces = reader->parts.data + item->begin;
    if (!prefix) return (wl_text){pieces, item->size};
    wl_text second = {pieces + item->left, right};
    if (right < prefix) {
        fail(reader, item, "the second part of a merge, '%.*s', is shorter than the prefix", second);
        return second;
    }
    char *joined = pieces + item->size; /* read_merges left room there */
    memcpy(joined, pieces, item->left);
    memcpy(joined + item->left, second.data + prefix, right - prefix);
    return (wl_text){joined, item->size - prefix};
}

/* The id of what a merge joins to; last: that of the merge before. */
static uint32_t find_joined(const wl_vocabulary *vocabulary, wl_text joined, uint32_t last)
{
    for (uint32_t id = last; id <= last + 1; id++) {
        wl_text piece = wl_vocabulary_piece(vocabulary, id);
        /* An id without a piece gives an empty text, as two empty parts do. */
        if (piece.data && piece.size == joined.size && wl_bytes_equal(piece.data, joined.data, joined.size)) return id;
    }
    return wl_vocabulary_find(vocabulary, joined.data, joined.size);
}

static void add_batch(struct merge_reader *reader)
{
    const wl_vocabulary *vocabulary = reader->bpe->vocabulary;
    wl_text pieces[2 * BATCH] = {{0}};
    uint32_t ids[2 * BATCH];
    size_t count = reader->count;
    for (size_t i = 0; i < count; i++) {
        const struct merge_item *item = &reader->items[i];
        const char *text = reader->parts.data + item->begin;
        pieces[2 * i] = (wl_text){text, item->left};
        pieces[2 * i + 1] = (wl_text){text + item->left, item->size - item->left};
    }
    wl_vocabulary_find_all(vocabulary, pieces, 2 * count, ids);
    for (size_t i = 0; i < count; i++) wl_bpe_expect_merge(reader->bpe, ids[2 * i], ids[2 * i + 1]);
    for (size_t i = 0; i < count && !wl_json_failed(reader->json); i++) {
        static const char missing[] = "the merges need '%.*s', which is not in the vocabulary";
        const struct merge_item *item = &reader->items[i];
        wl_text joined = join(reader, item);
        uint32_t id = find_joined(vocabulary, joined, reader->last);
        if (ids[2 * i] == WL_NO_ID) fail(reader, item, missing, pieces[2 * i]);
        if (ids[2 * i + 1] == WL_NO_ID) fail(reader, item, missing, pieces[2 * i + 1]);
        if (id == WL_NO_ID) fail(reader, item, missing, joined);
        if (wl_json_failed(reader->json)) return;
        reader->last = id;
        if (wl_bpe_add_merge(reader->bpe, ids[2 * i], ids[2 * i + 1], reader->rank++, id, reader->json->error))
            reader->json->failed = true;
    }
    reader->count = reader->parts.size = 0;
}

/* The place in the list is the rank. */
void wl_merges_read(wl_json *json, wl_bpe *bpe)
{
    struct merge_reader reader = {.json = json, .bpe = bpe};
    /* Most files have as many merges as pieces at the least: few rehashes. */
    if (wl_bpe_reserve(bpe, bpe->vocabulary->count, json->error)) json->failed = true;
    wl_json_begin_array(json);
    while (wl_json_element(json)) {
        struct merge_item *item = &reader.items[reader.count];
        *item = (struct merge_item){json->at, reader.parts.size, 0, 0};
        bool pair = wl_json_peek(json) == WL_JSON_ARRAY;
        size_t parts = pair ? read_pair(&reader, item) : read_line(&reader, item);
        if (wl_json_failed(json)) break;
        if (parts != 2 && (pair || parts))
            wl_json_fail(json, WL_ERROR_FORMAT, "a merge has not two parts, expected \"a b\" or [\"a\", \"b\"]");
        if (parts != 2) continue;
        item->size = reader.parts.size - item->begin;
        if (bpe->prefix.size) { /* room for what they join to */
            if (wl_buffer_reserve(&reader.parts, item->size, json->error)) json->failed = true;
            if (!wl_json_failed(json)) memset(reader.parts.data + reader.parts.size, 0, item->size);
            reader.parts.size += wl_json_failed(json) ? 0 : item->size;
        }
        if (++reader.count == BATCH) add_batch(&reader);
    }
    if (!wl_json_failed(json)) add_batch(&reader);
    wl_buffer_free(&reader.parts);
}
