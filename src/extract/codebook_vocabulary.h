/* Whether codebooks are of one vocabulary. */
#ifndef WL_EXTRACT_CODEBOOK_VOCABULARY_H
#define WL_EXTRACT_CODEBOOK_VOCABULARY_H

#include "extract/codebook.h"

typedef struct wl_common_vocabulary {
    size_t rows;   /* that all have */
    size_t source; /* whose tokenizer goes with them: the one with the fewest ids */
} wl_common_vocabulary;

/* Compares the pieces of all ids. At the end of the tables added tokens and rows without a token may differ, or be
 * missing: the rows before them are common. An ordinary token that differs or is missing is WL_ERROR_MISMATCH, of the
 * first id. All codebooks have a tokenizer; count is at least 1. */
wl_status wl_compare_vocabularies(wl_codebook *const *codebooks, size_t count, wl_common_vocabulary *common,
                                  wl_error *error);

#endif
