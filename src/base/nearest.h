/* What was probably meant by a word that is none of some names. */
#ifndef WL_BASE_NEAREST_H
#define WL_BASE_NEAREST_H

#include <stdbool.h>
#include <stddef.h>

/* Whether name is nearer to the word (size bytes) than what was nearest before, at distance *best (at first SIZE_MAX),
 * which then gets its distance. A name is offered when the word begins it or when at most two letters, and fewer than
 * half, are wrong. */
bool wl_is_nearer(const char *word, size_t size, const char *name, size_t *best);

#endif
