/* SHA-256, in pieces as data streams by. */
#ifndef WL_HUB_DIGEST_H
#define WL_HUB_DIGEST_H

#include "base/status.h"

enum { WL_DIGEST_TEXT = 65 }; /* 64 lower-case hexadecimal digits and a NUL */

typedef struct wl_digest {
    void *context; /* libcrypto's; NULL after the end */
} wl_digest;

wl_status wl_digest_begin(wl_digest *digest, wl_error *error);
wl_status wl_digest_add(wl_digest *digest, const void *data, size_t size, wl_error *error);
/* Writes the hash and frees the digest. */
wl_status wl_digest_end(wl_digest *digest, char text[WL_DIGEST_TEXT], wl_error *error);
/* Frees without a result. Harmless after the end and on a zeroed digest. */
void wl_digest_drop(wl_digest *digest);

/* Of a whole file, read in small pieces: the file may change or be cut while it is read. */
wl_status wl_digest_file(const char *path, char text[WL_DIGEST_TEXT], wl_error *error);

#endif
