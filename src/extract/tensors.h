/* The tensors of a checkpoint file: where each lies and how it is encoded. No data is read. */
#ifndef WL_EXTRACT_TENSORS_H
#define WL_EXTRACT_TENSORS_H

#include "base/reader.h"
#include "extract/encoding.h"
#include "extract/zip.h"

enum { WL_STORED_RANK = 8 };

typedef struct wl_stored {
    char *name;                  /* owned by the list */
    const wl_encoding *encoding; /* NULL: one that cannot be read; type names it */
    char type[16];               /* the encoding's name, or that of what cannot be read: "BF16", "int64", "IQ2_XXS" */
    uint32_t rank;
    uint64_t shape[WL_STORED_RANK]; /* outermost first, the rest 1 */
    size_t part;                    /* of several files: which; for whoever opens them */
    bool gaps;                      /* it does not lie row by row without gaps: a view into something else */
    uint64_t offset, bytes;         /* in the file; inside it, where encoding is there and no gaps */
    /* Of one that lies in a zip: the entry, and where in its data; offset is WL_NO_POSITION until wl_stored_locate has
     * read the entry's header. entry.end 0: in no zip. */
    wl_zip_place entry;
    uint64_t within;
} wl_stored;

typedef struct wl_tensors {
    wl_stored *items;
    size_t count, capacity;
} wl_tensors;

/* Appends a zeroed one with a copy of the name, whose further members the caller fills; NULL out of memory. */
wl_stored *wl_tensors_add(wl_tensors *tensors, wl_text name, wl_error *error);
/* Fills bytes by shape and encoding and checks that the range lies in the file, which is reader's. */
wl_status wl_stored_place(wl_stored *tensor, uint64_t offset, const wl_reader *reader, wl_error *error);
/* Makes offset final, to be called before it is used: where the data of a zip's entry begin only a header in front of
 * them says, and with a file far away each header read costs a round trip. Of one that lies in no zip, or was located,
 * or that cannot be read, nothing changes. */
wl_status wl_stored_locate(wl_stored *tensor, wl_reader *reader, wl_error *error);
/* NULL where there is none. */
const wl_stored *wl_tensors_find(const wl_tensors *tensors, const char *name);
void wl_tensors_free(wl_tensors *tensors);

/* The readers of one format each, appending to *tensors what a file holds. Every number of a file is checked before it
 * is used; memory grows with the tensors' number, not with their size. A name that stands twice is WL_ERROR_FORMAT. */
wl_status wl_read_safetensors(wl_reader *reader, wl_tensors *tensors, wl_error *error); /* safetensors_index.c */
wl_status wl_read_torch(wl_reader *reader, wl_tensors *tensors, wl_error *error); /* torch.c: a zip with a pickle */

#endif
