/* SHA-256, and SHA-1 as git takes it of a file, in pieces as data streams by. */
#ifndef WL_HUB_DIGEST_H
#define WL_HUB_DIGEST_H

#include "base/status.h"

enum { WL_DIGEST_TEXT = 65 }; /* the longest: 64 lower-case hexadecimal digits and a NUL */

typedef struct wl_digest {
    void *context; /* libcrypto's; NULL after the end */
} wl_digest;

/* SHA-256. */
wl_status wl_digest_begin(wl_digest *digest, wl_error *error);
/* Whether the hub's name for a file tells its hash: 64 hexadecimal digits are its SHA-256 (large files), 40 are git's
 * name for it, the SHA-1 of "blob SIZE", a NUL and the bytes. Any other name is WL_ERROR_UNSUPPORTED. */
wl_status wl_digest_check_name(const char *name, wl_error *error);
/* That hash, for a file of size bytes. */
wl_status wl_digest_begin_named(wl_digest *digest, const char *name, uint64_t size, wl_error *error);
wl_status wl_digest_add(wl_digest *digest, const void *data, size_t size, wl_error *error);
/* Writes the hash and frees the digest. */
wl_status wl_digest_end(wl_digest *digest, char text[WL_DIGEST_TEXT], wl_error *error);
/* Frees without a result. Harmless after the end and on a zeroed digest. */
void wl_digest_drop(wl_digest *digest);

/* SHA-256 of a whole file, read in small pieces: the file may change or be cut while it is read. */
wl_status wl_digest_file(const char *path, char text[WL_DIGEST_TEXT], wl_error *error);

/* Whether text is exactly that many lower-case hexadecimal digits. */
bool wl_is_hexadecimal(const char *text, size_t digits);

#endif
