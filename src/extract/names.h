/* What models call their token embeddings. */
#ifndef WL_EXTRACT_NAMES_H
#define WL_EXTRACT_NAMES_H

#include "base/status.h"

/* The place among count names of the input embedding, or with output of the output head: the first known name that is
 * there, else the only name that ends like a known one. WL_ERROR_NOT_FOUND with what was there, or with the several
 * that could be meant. where: for messages. */
wl_status wl_find_embedding(const char *const *names, size_t count, bool output, const char *where, size_t *place,
                            wl_error *error);

#endif
