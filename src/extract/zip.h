/* The minimum of ZIP that PyTorch's files need (APPNOTE.TXT 6.3.10): what is stored, not compressed, in one file, with
 * ZIP64 for the large. The directory at the file's end is read, and of an entry its header, once it is wanted. */
#ifndef WL_EXTRACT_ZIP_H
#define WL_EXTRACT_ZIP_H

#include "base/reader.h"

/* Where an entry is: plain data, which outlive the directory. */
typedef struct wl_zip_place {
    uint64_t header; /* where the entry's own header begins; the data follow it */
    uint64_t size;   /* of the data, in bytes */
    uint64_t end;    /* where the next entry or the directory begins: the data end before it; never 0 */
    uint64_t name;   /* a hash of the name, which the header must have, too */
    uint32_t method; /* 0: stored; anything else is compressed */
} wl_zip_place;

typedef struct wl_zip_entry {
    char *name; /* NUL-terminated */
    wl_zip_place place;
} wl_zip_entry;

typedef struct wl_zip {
    char *names;           /* of all entries, each with its NUL */
    wl_zip_entry *entries; /* sorted by name */
    size_t count;
} wl_zip;

/* WL_ERROR_UNSUPPORTED for what is encrypted or in several files; WL_ERROR_FORMAT for what is damaged: an
 * entry out of the file or in another's place, a name that stands twice or holds a NUL; WL_ERROR_LIMIT for more than
 * 2^20 entries or 64 MB of directory. Memory is a small multiple of the directory. */
wl_status wl_zip_open(wl_zip *zip, wl_reader *reader, wl_error *error);
/* Harmless on a zeroed zip and after a failed open. */
void wl_zip_close(wl_zip *zip);

/* NULL where there is none. */
const wl_zip_entry *wl_zip_find(const wl_zip *zip, const char *name);

/* Reads the entry's own header: *begin is where in the file its data begin; they lie in front of place->end.
 * WL_ERROR_UNSUPPORTED for what is compressed. */
wl_status wl_zip_locate(const wl_zip_place *place, wl_reader *reader, uint64_t *begin, wl_error *error);

#endif
