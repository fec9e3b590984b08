/* The bytes of a file or of standard input, unpacked where they are gzip. What is there is given at once, so that a
 * line typed into a pipe can be answered before the next one comes. */
#ifndef WL_DATA_BYTES_H
#define WL_DATA_BYTES_H

#include "base/status.h"

typedef struct wl_bytes {
    const char *name; /* for messages */
    int descriptor;
    bool open, packed;
    bool between;       /* packed: the next bytes begin a gzip member, if they are one */
    bool damaged;       /* packed: the bytes given last were the last good ones */
    bool ended;         /* the descriptor gives no more */
    void *inflater;     /* z_stream */
    unsigned char *raw; /* bytes read; [raw_begin, raw_end) are not consumed yet */
    size_t raw_begin, raw_end;
} wl_bytes;

/* path "-": standard input. Waits for the first bytes. Close with wl_bytes_close, also after a failure. */
wl_status wl_bytes_open(wl_bytes *bytes, const char *path, wl_error *error);
/* *got: at least 1 and at most room bytes in out, or 0 at the end, which for gzip must come after a whole member. */
wl_status wl_bytes_read(wl_bytes *bytes, void *out, size_t room, size_t *got, wl_error *error);
/* Whether wl_bytes_read would return without waiting. */
bool wl_bytes_ready(const wl_bytes *bytes);
void wl_bytes_close(wl_bytes *bytes);

#endif
