/* The end of the file names the directory (4.3.16; where the file is large, by way of the ZIP64 records, 4.3.14 and
 * 4.3.15, in front of it), the directory names the entries (4.3.12), and each entry begins with a header that says a
 * part of that again (4.3.7) and whose length only it knows. Sections are those of APPNOTE.TXT. Cost: two reads, and
 * sorting the entries. */
#include "extract/zip.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

enum {
    LOCAL_SIZE = 30,
    CENTRAL_SIZE = 46,
    END_SIZE = 22,
    END64_SIZE = 56,
    LOCATOR_SIZE = 20,
    COMMENT_MOST = 65535,
    EXTRA64 = 1,       /* 4.5.3: sizes and places that do not fit 32 bits */
    ENCRYPTED = 1 | 64 /* 4.4.4: flags */
};
enum { ENTRIES_MOST = 1 << 20, DIRECTORY_MOST = 64 << 20 };

static uint64_t number(const unsigned char *at, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++) value |= (uint64_t)at[i] << (8 * i);
    return value;
}

static bool signed_by(const unsigned char *at, const char *letters)
{
    return at[0] == 'P' && at[1] == 'K' && memcmp(at + 2, letters, 2) == 0;
}

static wl_status damaged(const wl_reader *reader, uint64_t at, const char *what, wl_error *error)
{
    return wl_fail_at(error, WL_ERROR_FORMAT, reader->name, at, 0, "the zip file is damaged: %s", what);
}

/* ---- the end ----------------------------------------------------------------------------------------------------- */

typedef struct directory {
    uint64_t at, size, count;
} directory;

static wl_status read_end64(wl_reader *reader, const unsigned char *locator, uint64_t end, directory *found,
                            wl_error *error)
{
    unsigned char record[END64_SIZE];
    uint64_t at = number(locator + 8, 8);
    if (number(locator + 4, 4) != 0 || number(locator + 16, 4) > 1)
        return wl_fail_at(error, WL_ERROR_UNSUPPORTED, reader->name, end, 0, "the zip file is one of several parts");
    if (at > end || end - at < END64_SIZE) return damaged(reader, end, "its ZIP64 record is not in front of it", error);
    if (wl_reader_read(reader, at, record, sizeof record, error)) return error->code;
    if (!signed_by(record, "\6\6")) return damaged(reader, at, "expected the ZIP64 record here", error);
    if (number(record + 16, 4) || number(record + 20, 4) || number(record + 24, 8) != number(record + 32, 8))
        return wl_fail_at(error, WL_ERROR_UNSUPPORTED, reader->name, at, 0, "the zip file is one of several parts");
    *found = (directory){.at = number(record + 48, 8), .size = number(record + 40, 8), .count = number(record + 32, 8)};
    if (found->at > at || found->size > at - found->at)
        return damaged(reader, at, "its directory is not in front of its end", error);
    return WL_OK;
}

/* tail: the file's last size bytes. A comment that looks like an end is passed over: an end must be followed by a
 * comment of the length that it gives. */
static wl_status read_end(wl_reader *reader, const unsigned char *tail, size_t size, directory *found, wl_error *error)
{
    size_t at = 0;
    bool there = false;
    for (size_t comment = 0; !there && comment + END_SIZE <= size; comment++) {
        at = size - END_SIZE - comment;
        there = signed_by(tail + at, "\5\6") && number(tail + at + 20, 2) == comment;
    }
    if (!there)
        return wl_fail_at(error, WL_ERROR_FORMAT, reader->name, reader->size, 0,
                          "the file has no directory of a zip file at its end: cut, or not one of PyTorch");
    const unsigned char *end = tail + at;
    uint64_t place = reader->size - (size - at);
    if (at >= LOCATOR_SIZE && signed_by(end - LOCATOR_SIZE, "\6\7"))
        return read_end64(reader, end - LOCATOR_SIZE, place - LOCATOR_SIZE, found, error);
    if (number(end + 4, 2) || number(end + 6, 2) || number(end + 8, 2) != number(end + 10, 2))
        return wl_fail_at(error, WL_ERROR_UNSUPPORTED, reader->name, place, 0, "the zip file is one of several parts");
    *found = (directory){.at = number(end + 16, 4), .size = number(end + 12, 4), .count = number(end + 10, 2)};
    if (found->at > place || found->size > place - found->at)
        return damaged(reader, place, "its directory is not in front of its end", error);
    return WL_OK;
}

static wl_status find_directory(wl_reader *reader, directory *found, wl_error *error)
{
    size_t most = END_SIZE + COMMENT_MOST + LOCATOR_SIZE, size = reader->size < most ? (size_t)reader->size : most;
    unsigned char *tail = wl_allocate(size, 1, error);
    if (!tail) return WL_ERROR_MEMORY;
    wl_status status = wl_reader_read(reader, reader->size - size, tail, size, error);
    if (!status) status = read_end(reader, tail, size, found, error);
    free(tail);
    if (status) return status;
    if (found->count > ENTRIES_MOST || found->size > DIRECTORY_MOST)
        return wl_fail_at(error, WL_ERROR_LIMIT, reader->name, found->at, 0,
                          "the zip file has %" PRIu64 " entries in a directory of %" PRIu64
                          " bytes, expected at most %d in %d",
                          found->count, found->size, ENTRIES_MOST, DIRECTORY_MOST);
    if (found->count > found->size / CENTRAL_SIZE)
        return damaged(reader, found->at, "its directory is too short for its entries", error);
    return WL_OK;
}

/* ---- the directory ----------------------------------------------------------------------------------------------- */

/* Sizes and the place of an entry, and where they do not fit 32 bits, from the extra field: those alone, in this order.
 */
static bool read_extra64(const unsigned char *extra, size_t size, uint64_t *const values[3])
{
    bool wanted = false;
    for (int i = 0; i < 3; i++) wanted |= *values[i] == UINT32_MAX;
    while (wanted && size >= 4) {
        size_t length = (size_t)number(extra + 2, 2);
        if (length > size - 4) return false;
        if (number(extra, 2) == EXTRA64) {
            const unsigned char *at = extra + 4;
            for (int i = 0; i < 3; i++) {
                if (*values[i] != UINT32_MAX) continue;
                if (length < 8) return false;
                *values[i] = number(at, 8);
                at += 8;
                length -= 8;
            }
            return true;
        }
        extra += 4 + length;
        size -= 4 + length;
    }
    return !wanted;
}

/* One entry of the directory at in: *in moves behind it, the name goes to *name, which moves, too. place: of *in in the
 * file; end: of the directory's begin. */
static wl_status read_entry(const wl_reader *reader, uint64_t place, uint64_t end, const unsigned char **in,
                            size_t left, char **name, wl_zip_entry *entry, wl_error *error)
{
    const unsigned char *at = *in;
    if (left < CENTRAL_SIZE || !signed_by(at, "\1\2")) return damaged(reader, place, "expected an entry here", error);
    size_t name_size = (size_t)number(at + 28, 2), extra_size = (size_t)number(at + 30, 2);
    size_t whole = CENTRAL_SIZE + name_size + extra_size + (size_t)number(at + 32, 2);
    if (whole > left) return damaged(reader, place, "an entry reaches out of the directory", error);
    const unsigned char *text = at + CENTRAL_SIZE;
    if (memchr(text, 0, name_size)) return damaged(reader, place, "the name of an entry holds a NUL", error);
    *entry = (wl_zip_entry){.name = *name};
    wl_zip_place *where = &entry->place;
    *where = (wl_zip_place){.header = number(at + 42, 4),
                            .size = number(at + 20, 4),
                            .name = wl_hash_bytes((const char *)text, name_size),
                            .method = (uint32_t)number(at + 10, 2)};
    uint64_t unpacked = number(at + 24, 4);
    memcpy(*name, text, name_size);
    (*name)[name_size] = 0;
    *name += name_size + 1;
    *in += whole;
    if (number(at + 8, 2) & ENCRYPTED)
        return wl_fail_at(error, WL_ERROR_UNSUPPORTED, reader->name, place, 0, "the entry \"%.100s\" is encrypted",
                          entry->name);
    if (number(at + 34, 2))
        return wl_fail_at(error, WL_ERROR_UNSUPPORTED, reader->name, place, 0, "the zip file is one of several parts");
    if (!read_extra64(text + name_size, extra_size, (uint64_t *const[]){&unpacked, &where->size, &where->header}))
        return damaged(reader, place, "the sizes of an entry are missing", error);
    if (!where->method && unpacked != where->size)
        return damaged(reader, place, "an entry is stored, but has two sizes", error);
    uint64_t least = LOCAL_SIZE + name_size;
    if (where->header > end || end - where->header < least || end - where->header - least < where->size)
        return damaged(reader, place, "an entry is not in front of the directory", error);
    return WL_OK;
}

static int compare_places(const void *a, const void *b)
{
    const wl_zip_entry *first = a, *second = b;
    return (first->place.header > second->place.header) - (first->place.header < second->place.header);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const wl_zip_entry *)a)->name, ((const wl_zip_entry *)b)->name);
}

/* Gives each entry its end and refuses what shares bytes, by what is known of it so far; then sorts by name. */
static wl_status order(wl_zip *zip, const wl_reader *reader, uint64_t end, wl_error *error)
{
    if (zip->count > 1) qsort(zip->entries, zip->count, sizeof *zip->entries, compare_places);
    for (size_t i = zip->count; i-- > 0;) {
        wl_zip_place *place = &zip->entries[i].place;
        place->end = end;
        end = place->header;
        if (place->end - end < LOCAL_SIZE + strlen(zip->entries[i].name) + place->size)
            return damaged(reader, end, "two entries lie in one place", error);
    }
    if (zip->count > 1) qsort(zip->entries, zip->count, sizeof *zip->entries, compare_names);
    for (size_t i = 1; i < zip->count; i++)
        if (compare_names(&zip->entries[i - 1], &zip->entries[i]) == 0)
            return wl_fail_at(error, WL_ERROR_FORMAT, reader->name, zip->entries[i].place.header, 0,
                              "expected each entry once, found \"%.100s\" twice", zip->entries[i].name);
    return WL_OK;
}

static wl_status read_directory(wl_zip *zip, wl_reader *reader, const directory *where, const unsigned char *data,
                                wl_error *error)
{
    const unsigned char *in = data;
    char *name = zip->names;
    for (; zip->count < where->count; zip->count++) {
        size_t done = (size_t)(in - data);
        if (read_entry(reader, where->at + done, where->at, &in, (size_t)where->size - done, &name,
                       &zip->entries[zip->count], error))
            return error->code;
    }
    return order(zip, reader, where->at, error);
}

wl_status wl_zip_open(wl_zip *zip, wl_reader *reader, wl_error *error)
{
    *zip = (wl_zip){0};
    directory where = {0};
    if (find_directory(reader, &where, error)) return error->code;
    unsigned char *data = wl_allocate((size_t)where.size, 1, error);
    /* An entry is longer than its name and a NUL. */
    zip->names = data ? wl_allocate((size_t)where.size, 1, error) : NULL;
    zip->entries = zip->names ? wl_allocate((size_t)where.count, sizeof *zip->entries, error) : NULL;
    wl_status status =
        zip->entries ? wl_reader_read(reader, where.at, data, (size_t)where.size, error) : WL_ERROR_MEMORY;
    if (!status) status = read_directory(zip, reader, &where, data, error);
    free(data);
    if (status) wl_zip_close(zip);
    return status;
}

void wl_zip_close(wl_zip *zip)
{
    free(zip->names);
    free(zip->entries);
    *zip = (wl_zip){0};
}

const wl_zip_entry *wl_zip_find(const wl_zip *zip, const char *name)
{
    wl_zip_entry wanted = {.name = (char *)(uintptr_t)name};
    return zip->count ? bsearch(&wanted, zip->entries, zip->count, sizeof *zip->entries, compare_names) : NULL;
}

/* ---- one entry --------------------------------------------------------------------------------------------------- */

wl_status wl_zip_locate(const wl_zip_place *place, wl_reader *reader, uint64_t *begin, wl_error *error)
{
    unsigned char header[LOCAL_SIZE];
    if (place->method)
        return wl_fail_at(error, WL_ERROR_UNSUPPORTED, reader->name, place->header, 0,
                          "the entry is compressed (method %" PRIu32
                          "%s), expected it as PyTorch writes it, stored as it is",
                          place->method, place->method == 8 ? ", deflate" : "");
    if (wl_reader_read(reader, place->header, header, sizeof header, error)) return error->code;
    if (!signed_by(header, "\3\4"))
        return damaged(reader, place->header, "expected the header of an entry here", error);
    size_t length = (size_t)number(header + 26, 2);
    char *name = wl_allocate(length, 1, error);
    if (!name) return WL_ERROR_MEMORY;
    wl_status status = wl_reader_read(reader, place->header + LOCAL_SIZE, name, length, error);
    bool agrees = !status && wl_hash_bytes(name, length) == place->name && !number(header + 8, 2) &&
                  !(number(header + 6, 2) & ENCRYPTED);
    free(name);
    if (status) return status;
    if (!agrees)
        return damaged(reader, place->header, "an entry's header says something else than the directory", error);
    *begin = place->header + LOCAL_SIZE + length + number(header + 28, 2);
    if (*begin > place->end || place->size > place->end - *begin)
        return damaged(reader, place->header, "an entry reaches into the next", error);
    return WL_OK;
}
