/* Rows of one codebook for the tokens of another. */
#ifndef WL_EXTRACT_ALIGN_H
#define WL_EXTRACT_ALIGN_H

#include "extract/codebook.h"

/* Target t is the mean of the source's rows[starts[t]..starts[t + 1]); of none: it has nothing. */
typedef struct wl_alignment {
    uint32_t *rows;
    size_t *starts; /* (targets + 1) */
    size_t row_capacity;
    uint64_t matched, averaged, missing; /* targets by how their rows were found */
} wl_alignment;

/* The tokens of target's tokenizer below targets, each by its text in source, which has a tokenizer too. Linear in the
 * bytes of both vocabularies. Free with wl_alignment_free, also after a failure. */
wl_status wl_align(wl_alignment *alignment, const wl_tokenizer *target, size_t targets, const wl_codebook *source,
                   uint32_t threads, wl_error *error);
void wl_alignment_free(wl_alignment *alignment);

#endif
