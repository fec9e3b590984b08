/* Files that wl_prepare wrote, mapped and checked as a whole (docs/formats.md, "Prepared texts"). */
#ifndef WL_TRAIN_PREPARED_H
#define WL_TRAIN_PREPARED_H

#include "data/digests.h"
#include "format/safetensors.h"

/* Record i has the texts [records[i], records[i + 1]), text j the ids [starts[j], starts[j + 1]): at least one each. */
typedef struct wl_prepared_texts {
    wl_safetensors file;
    const uint32_t *ids;
    const uint64_t *starts;  /* (texts + 1) */
    const uint64_t *records; /* (count + 1) */
    const float *scores;     /* (count), finite or NaN; NULL: none */
    uint64_t texts, count;
    uint64_t fewest_sides, most_sides; /* of a record */
    uint64_t scored;                   /* records with a score */
} wl_prepared_texts;

/* tokenizer: the digest of the tokenizer that the ids must be of; id_count: what each must be below. WL_ERROR_MISMATCH:
 * it was another one. WL_ERROR_FORMAT, with file and byte: not such a file, or damaged. One pass over all of the file:
 * what it holds need not be checked again. Close with wl_prepared_close, also after a failure. */
wl_status wl_prepared_open(wl_prepared_texts *texts, const char *path, wl_text_digest tokenizer, size_t id_count,
                           wl_error *error);
void wl_prepared_close(wl_prepared_texts *texts);

#endif
