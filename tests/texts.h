/* What the tests of the text room share: files in memory, lines of gzip files, the random texts of
 * tools/golden_ids.py, digests, tokenizers by name. Include test.h first. */
#ifndef WL_TEXTS_H
#define WL_TEXTS_H

#include <zlib.h>

#include "format/json.h"
#include "wordllama.h"

/* ---- files ---- */

/* A whole file, gzip or not; false where it cannot be read. */
static inline bool texts_file(const char *path, wl_buffer *out)
{
    char block[1 << 16];
    int got = 0;
    gzFile file = gzopen(path, "rb");
    if (!file) return false;
    out->size = 0;
    while ((got = gzread(file, block, sizeof block)) > 0)
        if (wl_buffer_append(out, block, (size_t)got, NULL)) got = -1;
    gzclose(file);
    return got == 0;
}

/* The next line of a buffer from *at on, without its end; false at the end. */
static inline bool texts_line(const wl_buffer *buffer, size_t *at, wl_text *line)
{
    if (*at >= buffer->size) return false;
    const char *begin = buffer->data + *at, *end = memchr(begin, '\n', buffer->size - *at);
    size_t size = end ? (size_t)(end - begin) : buffer->size - *at;
    *line = (wl_text){begin, size};
    *at += size + 1;
    return true;
}

static inline wl_tokenizer *texts_tokenizer(const char *path, wl_error *error)
{
    wl_buffer file = {0};
    wl_tokenizer *tokenizer = NULL;
    if (texts_file(path, &file)) tokenizer = wl_tokenizer_parse(file.data, file.size, path, error);
    wl_buffer_free(&file);
    return tokenizer;
}

/* ---- digests ---- */

static const uint64_t texts_digest_start = UINT64_C(0xCBF29CE484222325);

/* FNV-1a of bytes, going on from a digest. */
static inline uint64_t texts_digest_bytes(uint64_t digest, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < size; i++) digest = (digest ^ bytes[i]) * UINT64_C(0x100000001B3);
    return digest;
}

/* FNV-1a with 32-bit words in the place of bytes. */
static inline void texts_digest(uint64_t *digest, uint32_t word)
{
    *digest = (*digest ^ word) * UINT64_C(0x100000001B3);
}

/* ---- random texts ---- */

/* The lists of golden/ids_pieces.json. */
enum { TEXTS_PIECES, TEXTS_MARKS, TEXTS_TOKENS, TEXTS_JOINED, TEXTS_LINES, TEXTS_LISTS };

typedef struct texts_list {
    wl_text *texts; /* copies, owned */
    size_t count;
} texts_list;

typedef struct texts_random {
    uint64_t state;
    texts_list lists[TEXTS_LISTS];
    size_t ranges[256], range_count; /* first and last of each; count of numbers */
} texts_random;

/* splitmix64 (Vigna 2015, public domain), as in tools/golden_ids.py. */
static inline size_t texts_below(texts_random *random, size_t limit)
{
    uint64_t z = random->state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (size_t)((z ^ (z >> 31)) % limit);
}

static inline void texts_strings(wl_json *json, texts_list *list)
{
    wl_json_begin_array(json);
    while (wl_json_element(json)) {
        wl_text text = wl_json_string(json);
        wl_text *grown = realloc(list->texts, (list->count + 1) * sizeof *grown);
        if (!grown) abort();
        list->texts = grown;
        char *copy = wl_copy_text(text.data, text.size, NULL);
        if (!copy) abort();
        list->texts[list->count++] = (wl_text){copy, text.size};
    }
}

static inline void texts_random_member(texts_random *random, wl_json *json, wl_text key)
{
    static const char *const names[] = {"pieces", "marks", "tokens", "joined", "lines"};
    for (size_t i = 0; i < TEXTS_LISTS; i++)
        if (wl_text_is(key, names[i])) {
            texts_strings(json, &random->lists[i]);
            return;
        }
    if (wl_text_is(key, "seed")) {
        random->state = wl_json_unsigned(json, UINT32_MAX);
    } else if (wl_text_is(key, "ranges")) {
        wl_json_begin_array(json);
        while (wl_json_element(json)) {
            if (random->range_count == sizeof random->ranges / sizeof *random->ranges) abort();
            random->ranges[random->range_count++] = wl_json_unsigned(json, 0x10FFFF);
        }
    } else {
        wl_json_skip(json);
    }
}

/* Reads golden/ids_pieces.json; false where that fails. */
static inline bool texts_random_open(texts_random *random, const char *path)
{
    wl_buffer file = {0}, scratch = {0};
    wl_error error;
    wl_json json;
    wl_text key;
    *random = (texts_random){0};
    if (!texts_file(path, &file)) return false;
    wl_json_open(&json, file.data, file.size, path, &scratch, &error);
    wl_json_begin_object(&json);
    while (wl_json_member(&json, &key)) texts_random_member(random, &json, key);
    bool complete = !wl_json_close(&json) && random->range_count >= 2;
    for (size_t i = 0; i < TEXTS_LISTS; i++) complete = complete && random->lists[i].count;
    wl_buffer_free(&scratch);
    wl_buffer_free(&file);
    return complete;
}

static inline void texts_random_close(texts_random *random)
{
    for (size_t i = 0; i < TEXTS_LISTS; i++) {
        for (size_t j = 0; j < random->lists[i].count; j++) free((char *)random->lists[i].texts[j].data);
        free(random->lists[i].texts);
    }
}

static inline void texts_add(wl_buffer *out, wl_text text)
{
    if (wl_buffer_append(out, text.data, text.size, NULL)) abort();
}

static inline void texts_add_point(wl_buffer *out, size_t point)
{
    if (point >= 0xD800 && point < 0xE000) return;
    char bytes[4];
    size_t size = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    for (size_t i = size; i-- > 1; point >>= 6) bytes[i] = (char)(0x80 | (point & 63));
    static const unsigned lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    bytes[0] = (char)(lead[size] | point);
    texts_add(out, (wl_text){bytes, size});
}

static inline wl_text texts_pick(texts_random *random, int list)
{
    return random->lists[list].texts[texts_below(random, random->lists[list].count)];
}

/* A character of the range that begins at ranges[range]. */
static inline size_t texts_point(texts_random *random, size_t range)
{
    size_t first = random->ranges[range], last = random->ranges[range + 1];
    return first + texts_below(random, last - first + 1);
}

static inline size_t texts_range(texts_random *random)
{
    return 2 * texts_below(random, random->range_count / 2);
}

static inline void texts_part(texts_random *random, wl_buffer *out)
{
    static const size_t limits[] = {0x110000, 0x3100, 0x80};
    static const size_t most[] = {[13] = 5, [14] = 6, [15] = 8, [16] = 12, [17] = 5, [19] = 5, [21] = 9, [22] = 10};
    size_t kind = texts_below(random, 24), times, range = 0;
    switch (kind) {
    case 8: {
        wl_text piece = texts_pick(random, TEXTS_PIECES);
        for (times = 1 + texts_below(random, 40); times > 0; times--) texts_add(out, piece);
        return;
    }
    case 9:
        texts_add(out, (wl_text){" ", 1});
        texts_add(out, texts_pick(random, TEXTS_PIECES));
        return;
    case 10:
    case 11:
    case 12:
        texts_add_point(out, texts_below(random, limits[kind - 10]));
        return;
    case 16:
        range = texts_range(random);
        break;
    case 18: {
        size_t point = texts_point(random, texts_range(random));
        for (times = 1 + texts_below(random, 200); times > 0; times--) texts_add_point(out, point);
        return;
    }
    case 20:
        texts_add(out, texts_pick(random, TEXTS_TOKENS));
        return;
    case 23:
        texts_add(out, (wl_text){" ", 1});
        for (times = 1 + texts_below(random, 8); times > 0; times--) {
            size_t letter = 0x41 + texts_below(random, 26);
            texts_add_point(out, letter + 32 * texts_below(random, 2));
        }
        return;
    default:
        if (kind >= 8) break;
        texts_add(out, texts_pick(random, TEXTS_PIECES));
        return;
    }
    for (times = 1 + texts_below(random, most[kind]); times > 0; times--) {
        switch (kind) {
        case 13:
            texts_add_point(out, 0x300 + texts_below(random, 0x70));
            break;
        case 14:
            texts_add(out, texts_pick(random, TEXTS_MARKS));
            break;
        case 15:
            texts_add_point(out, texts_point(random, texts_range(random)));
            break;
        case 16:
            texts_add_point(out, texts_point(random, range));
            break;
        case 17:
            texts_add(out, texts_pick(random, TEXTS_JOINED));
            if (texts_below(random, 2)) texts_add_point(out, 0x200D);
            break;
        case 19:
            texts_add(out, texts_pick(random, TEXTS_LINES));
            break;
        case 21:
            texts_add_point(out, 0x30 + texts_below(random, 10));
            break;
        default:
            texts_add_point(out, 0x61 + texts_below(random, 26));
            break;
        }
    }
}

/* The next random text: 0 to 12 parts, each of a kind below 24; in step with tools/golden_ids.py. */
static inline wl_text texts_random_next(texts_random *random, wl_buffer *out)
{
    out->size = 0;
    for (size_t parts = texts_below(random, 13); parts > 0; parts--) texts_part(random, out);
    return (wl_text){out->data ? out->data : "", out->size};
}

/* ---- encoding ---- */

/* Ids and spans of a text; grown as needed. */
typedef struct texts_encoded {
    uint32_t *ids;
    wl_span *spans;
    size_t count, capacity;
} texts_encoded;

static inline wl_status texts_encode(const wl_tokenizer *tokenizer, wl_context *context, wl_text text,
                                     const wl_encode_options *options, bool spans, texts_encoded *out, wl_error *error)
{
    for (;;) {
        wl_status status = wl_encode(tokenizer, context, text, options, out->ids, spans ? out->spans : NULL,
                                     out->capacity, &out->count, error);
        if (status != WL_ERROR_LIMIT || out->count <= out->capacity) return status;
        size_t capacity = 2 * out->count;
        free(out->ids);
        free(out->spans);
        out->ids = malloc(capacity * sizeof *out->ids);
        out->spans = malloc(capacity * sizeof *out->spans);
        if (!out->ids || !out->spans) abort();
        out->capacity = capacity;
    }
}

static inline bool texts_same_ids(const texts_encoded *a, const texts_encoded *b)
{
    return a->count == b->count && (!a->count || memcmp(a->ids, b->ids, a->count * sizeof *a->ids) == 0);
}

static inline void texts_encoded_free(texts_encoded *encoded)
{
    free(encoded->ids);
    free(encoded->spans);
    *encoded = (texts_encoded){0};
}

#endif
