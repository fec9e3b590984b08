/* Precompiled, as the oracle's spm_precompiled has it. The table is a Darts double array over bytes: a unit holds its
 * label in bits 0 to 7 (and 31, which no label has), bit 8 says that the key ends here, the rest is the distance to its
 * children; the unit of a key's end holds where its text begins.
 *
 * A grapheme cluster of under six bytes is looked up first: the shortest key that begins it replaces all of it. What is
 * not found so is looked up character by character. Cost: linear. */
#include "text/normalize/charsmap.h"

#include <stdlib.h>
#include <string.h>

#include "text/normalize/transform.h"
#include "text/unicode/unicode.h"
#include "text/unicode/utf8.h"

enum { CLUSTER_LIMIT = 6 };

/* The unit's label, as the byte that leads to it; a leaf's is none. */
static uint32_t label(uint32_t unit)
{
    return unit & (UINT32_C(1) << 31 | 0xFF);
}

static uint32_t offset(uint32_t unit)
{
    return (unit >> 10) << ((unit >> 6) & 8);
}

/* The text that replaces the shortest key at the front of this one; NULL where there is none. The array comes from a
 * file: every step is checked. */
static const char *look_up(const wl_charsmap *map, const char *key, size_t size, size_t *found)
{
    if (map->count == 0) return NULL;
    size_t node = offset(map->units[0]);
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)key[i];
        node ^= byte;
        if (byte == 0 || node >= map->count) return NULL;
        uint32_t unit = map->units[node];
        if (label(unit) != byte) return NULL;
        node ^= offset(unit);
        if (!(unit >> 8 & 1)) continue;
        if (node >= map->count) return NULL;
        size_t begin = map->units[node] & INT32_MAX;
        if (begin > map->size || (map->texts[begin] & 0xC0) == 0x80) return NULL; /* the last NUL is at size */
        *found = strlen(map->texts + begin);
        return map->texts + begin;
    }
    return NULL;
}

/* Whether the array leads on from a byte, and a second one. */
static bool may_begin(const wl_charsmap *map, unsigned first, unsigned second)
{
    if (map->count == 0) return false;
    size_t node = offset(map->units[0]) ^ first;
    if (node >= map->count || label(map->units[node]) != first) return false;
    if (map->units[node] >> 8 & 1) return true;
    node ^= offset(map->units[node]) ^ second;
    return node < map->count && label(map->units[node]) == second;
}

/* ---- reading */

/* The value of a base64 digit (RFC 4648, section 4), or -1. */
static int digit(char c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Padding may be missing, as the oracle has it; bits beyond the last byte must be 0. */
static bool decode_base64(wl_text text, char *out, size_t *size)
{
    size_t end = text.size, written = 0;
    while (end && text.size - end < 2 && text.data[end - 1] == '=') end--;
    size_t tail = end % 4, padding = text.size - end;
    if (tail == 1 || (padding && (tail == 0 || tail + padding > 4))) return false;
    uint32_t bits = 0;
    for (size_t i = 0; i < end; i++) {
        int value = digit(text.data[i]);
        if (value < 0) return false;
        bits = bits << 6 | (uint32_t)value;
        if (i % 4) out[written++] = (char)(bits >> (6 - 2 * (i % 4)) & 0xFF);
    }
    *size = written;
    return tail == 0 || (bits & (tail == 2 ? 15u : 3u)) == 0;
}

/* The 32-bit number that stands at data, least byte first. */
static uint32_t number(const char *data)
{
    const unsigned char *bytes = (const unsigned char *)data;
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static void find_plain(wl_charsmap *map)
{
    for (unsigned byte = 0; byte < 0x80; byte++) {
        char key = (char)byte;
        size_t found = 0;
        const char *text = look_up(map, &key, 1, &found);
        /* CR and LF are one cluster. */
        map->plain[byte] = byte != '\r' && (!text || (found == 1 && text[0] == key));
    }
    for (unsigned i = 0; i < 16 * 64; i++) map->begins[i] = may_begin(map, 0xE0 | i / 64, 0x80 | i % 64);
}

static wl_status read_table(wl_charsmap *map, const char *blob, size_t size, wl_error *error)
{
    if (size < 4)
        return wl_fail(error, WL_ERROR_FORMAT, "precompiled_charsmap is %zu bytes, expected 4 at least", size);
    size_t count = number(blob) / 4, texts = 4 + 4 * count;
    if (texts > size)
        return wl_fail(error, WL_ERROR_FORMAT, "precompiled_charsmap is %zu bytes, its table alone %zu", size, texts);
    map->size = size - texts;
    if (wl_utf8_valid(blob + texts, map->size) != map->size)
        return wl_fail(error, WL_ERROR_FORMAT, "precompiled_charsmap holds text that is not UTF-8");
    map->texts = wl_copy_text(blob + texts, map->size, error);
    if (!map->texts) return error->code;
    map->units = wl_allocate(count, sizeof *map->units, error);
    if (!map->units) return error->code;
    for (size_t i = 0; i < count; i++) map->units[i] = number(blob + 4 + 4 * i);
    map->count = count;
    find_plain(map);
    return WL_OK;
}

wl_status wl_charsmap_open(wl_charsmap *map, wl_text base64, wl_error *error)
{
    *map = (wl_charsmap){0};
    char *blob = wl_allocate(base64.size, 1, error);
    if (!blob) return error->code;
    size_t size = 0;
    wl_status status = decode_base64(base64, blob, &size)
                           ? read_table(map, blob, size, error)
                           : wl_fail(error, WL_ERROR_FORMAT, "precompiled_charsmap is not base64");
    free(blob);
    return status;
}

wl_status wl_charsmap_lend(wl_charsmap *map, wl_error *error)
{
    map->lent = true;
    if (map->texts[map->size] || wl_utf8_valid(map->texts, map->size) != map->size)
        return wl_fail(error, WL_ERROR_FORMAT, "the texts of a table of replacements are not UTF-8");
    find_plain(map);
    return WL_OK;
}

void wl_charsmap_free(wl_charsmap *map)
{
    if (!map->lent) {
        free(map->units);
        free(map->texts);
    }
    *map = (wl_charsmap){0};
}

/* ---- replacing */

/* Ideographs from U+4000 to U+9FFF that no key begins with. They are no part of a cluster of several, but for marks. */
static size_t ideographs_end(const wl_charsmap *map, const char *text, size_t size, size_t at)
{
    while (size - at >= 3) {
        unsigned first = (unsigned char)text[at], second = (unsigned char)text[at + 1];
        if (first - 0xE4 > 5 || map->begins[(first & 15) << 6 | (second & 63)]) break;
        at += 3;
    }
    return at;
}

size_t wl_charsmap_plain_end(const wl_charsmap *map, const char *text, size_t size, size_t at)
{
    for (size_t begin = at;;) {
        size_t run = at;
        while (size - at >= 8) {
            bool all = true;
            for (size_t i = 0; i < 8; i++) all &= map->plain[(unsigned char)text[at + i]];
            if (!all) break;
            at += 8;
        }
        while (at < size && map->plain[(unsigned char)text[at]]) at++;
        at = ideographs_end(map, text, size, at);
        if (run < at && at < size) continue;
        /* The last one may be the base of a cluster. */
        if (at == size || at == begin || !(text[at] & 0x80)) return at;
        do at--;
        while ((text[at] & 0xC0) == 0x80);
        return at;
    }
}

struct pass {
    const wl_charsmap *map;
    wl_transform transform;
    size_t limit;
    size_t kept;  /* not aligned: from here on nothing was replaced, and nothing is copied yet */
    bool waiting; /* last waits: what is removed behind it goes with it */
    uint32_t last;
    ptrdiff_t change;
};

static wl_status release(struct pass *pass)
{
    if (!pass->waiting) return WL_OK;
    pass->waiting = false;
    return wl_transform_add(&pass->transform, pass->last, pass->change);
}

static wl_status push(struct pass *pass, uint32_t point, ptrdiff_t change)
{
    if (release(pass)) return pass->transform.error->code;
    pass->waiting = true;
    pass->last = point;
    pass->change = change;
    return WL_OK;
}

/* What was found in place of bytes [begin, end). Characters beyond the old count are added; a removal at the very front
 * is forgotten, as the oracle forgets it: what follows then stands where the removed character stood. */
static wl_status replace(struct pass *pass, size_t begin, size_t end, wl_text found)
{
    wl_transform *transform = &pass->transform;
    const wl_string *in = transform->in;
    char last[4];
    size_t before = in->aligned ? (pass->waiting ? wl_utf8_encode(pass->last, last) : 0) : begin - pass->kept;
    if (transform->out->text.size + before + found.size > pass->limit)
        return wl_fail(transform->error, WL_ERROR_LIMIT, "the normalized text is over %zu bytes", pass->limit);
    if (!in->aligned) {
        if (wl_string_add_slice(transform->out, in, pass->kept, begin, transform->error)) return transform->error->code;
        pass->kept = end;
        return wl_string_add(transform->out, found.data, found.size, (wl_span){0, 0}, transform->error);
    }
    size_t old_count = wl_utf8_count(in->text.data + begin, end - begin), count = 0, length;
    for (size_t at = 0; at < found.size; at += length, count++)
        if (push(pass, wl_utf8_decode(found.data + at, &length), count >= old_count)) return transform->error->code;
    if (count < old_count && pass->waiting) pass->change -= (ptrdiff_t)(old_count - count);
    return WL_OK;
}

static wl_status add_cluster(struct pass *pass, const char *text, size_t begin, size_t end)
{
    wl_text found = {NULL, 0};
    if (end - begin < CLUSTER_LIMIT) found.data = look_up(pass->map, text + begin, end - begin, &found.size);
    if (found.data) return replace(pass, begin, end, found);
    for (size_t at = begin, length; at < end; at += length) {
        uint32_t point = wl_utf8_decode(text + at, &length);
        /* A cluster of one character was not found already. */
        if (length < end - begin) found.data = look_up(pass->map, text + at, length, &found.size);
        wl_status status = WL_OK;
        if (found.data)
            status = replace(pass, at, at + length, found);
        else if (pass->transform.in->aligned)
            status = push(pass, point, 0);
        if (status) return status;
    }
    return WL_OK;
}

wl_status wl_charsmap_apply(const wl_charsmap *map, const wl_string *in, wl_string *out, size_t limit, wl_error *error)
{
    struct pass pass = {.map = map, .transform = {in, out, error, 0}, .limit = limit};
    const char *text = in->text.data;
    size_t at = 0, size = in->text.size;
    while (at < size) {
        size_t end = in->aligned ? at : wl_charsmap_plain_end(map, text, size, at);
        if (end == size) break;
        /* ASCII behind ASCII begins a cluster, but for CR LF. */
        bool alone = !(text[end] & 0x80) && text[end] != '\r' && (end + 1 == size || !(text[end + 1] & 0x80));
        at = alone ? end + 1 : wl_grapheme_end(text, size, end);
        if (add_cluster(&pass, text, end, at)) return error->code;
    }
    return in->aligned ? release(&pass) : wl_string_add_slice(out, in, pass.kept, size, error);
}
