/* Distribution, then hashing (Knuth, The Art of Computer Programming 3, 5.2.5 and 6.4): digests are spread over regions
 * of one file by their leading bits, so that equal ones share a region, in their order; each region is then small
 * enough for a set in memory. The set holds what is different, which hashing spreads evenly, however often one digest
 * comes. Cost: three passes over the digests. Memory: a set of about 2^17 digests, and 2 KB for each region. */
#include "data/repeats.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"

enum { REGION = 1 << 17, BUFFERED = 85, BLOCK = 1024 }; /* digests */

typedef struct entry {
    wl_text_digest digest;
    uint64_t index;
} entry;

typedef struct region {
    uint64_t begin, end; /* entries in the file */
    size_t waiting;      /* in its buffer */
} region;

typedef struct repeats {
    wl_spill *digests;
    uint64_t count;
    size_t region_count;
    region *regions;
    entry *buffers; /* (region_count, BUFFERED) */
    wl_spill file;  /* of entries */
    wl_digests set; /* of one region */
    bool (*go_on)(void *user);
    void *user;
    uint64_t *bits;
    wl_error *error;
} repeats;

static wl_status ask(const repeats *this)
{
    return this->go_on(this->user) ? WL_OK : wl_fail(this->error, WL_ERROR_CANCELLED, "cancelled");
}

static region *region_of(const repeats *this, wl_text_digest digest)
{
    return &this->regions[wl_hash_range(digest.high, this->region_count)];
}

/* Calls take for each digest. */
static wl_status each(repeats *this, wl_status (*take)(repeats *, wl_text_digest, uint64_t))
{
    wl_text_digest block[BLOCK];
    if (wl_spill_rewind(this->digests, this->error)) return this->error->code;
    for (uint64_t at = 0; at < this->count; at += BLOCK) {
        size_t part = this->count - at < BLOCK ? (size_t)(this->count - at) : BLOCK;
        if (ask(this) || wl_spill_read(this->digests, block, part * sizeof *block, this->error))
            return this->error->code;
        for (size_t i = 0; i < part; i++)
            if (take(this, block[i], at + i)) return this->error->code;
    }
    return WL_OK;
}

static wl_status count_digest(repeats *this, wl_text_digest digest, uint64_t index)
{
    (void)index;
    region_of(this, digest)->end++;
    return WL_OK;
}

static wl_status flush(repeats *this, region *to)
{
    const char *data = (const char *)(this->buffers + (size_t)(to - this->regions) * BUFFERED);
    size_t size = to->waiting * sizeof(entry);
    off_t at = (off_t)(to->end * sizeof(entry));
    while (size) {
        ssize_t written = pwrite(fileno(this->file.stream), data, size, at);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return wl_fail_errno(this->error, this->file.path, "write", errno);
        data += written, at += written, size -= (size_t)written;
    }
    to->end += to->waiting;
    to->waiting = 0;
    return WL_OK;
}

static wl_status spread_digest(repeats *this, wl_text_digest digest, uint64_t index)
{
    region *to = region_of(this, digest);
    this->buffers[(size_t)(to - this->regions) * BUFFERED + to->waiting++] = (entry){digest, index};
    return to->waiting < BUFFERED ? WL_OK : flush(this, to);
}

static wl_status spread(repeats *this)
{
    if (each(this, count_digest)) return this->error->code;
    uint64_t begin = 0;
    for (size_t i = 0; i < this->region_count; i++) {
        region *of = &this->regions[i];
        uint64_t size = of->end;
        of->begin = of->end = begin; /* the end moves as entries come */
        begin += size;
    }
    if (each(this, spread_digest)) return this->error->code;
    for (size_t i = 0; i < this->region_count; i++)
        if (flush(this, &this->regions[i])) return this->error->code;
    return WL_OK;
}

static wl_status mark(repeats *this, const region *of)
{
    entry block[BUFFERED];
    wl_digests_clear(&this->set);
    for (uint64_t at = of->begin; at < of->end; at += BUFFERED) {
        size_t part = of->end - at < BUFFERED ? (size_t)(of->end - at) : BUFFERED;
        if (wl_spill_read(&this->file, block, part * sizeof *block, this->error)) return this->error->code;
        for (size_t i = 0; i < part; i++) {
            bool added;
            if (wl_digests_add(&this->set, block[i].digest, 0, &added, this->error)) return this->error->code;
            if (!added) this->bits[block[i].index / 64] |= UINT64_C(1) << (block[i].index % 64);
        }
    }
    return ask(this);
}

wl_status wl_repeats_find(wl_spill *digests, uint64_t count, const char *folder, bool (*go_on)(void *user), void *user,
                          uint64_t *bits, wl_error *error)
{
    repeats this = {.digests = digests, .count = count, .go_on = go_on, .user = user, .bits = bits, .error = error};
    this.region_count = (size_t)(count / REGION) + 1;
    this.regions = wl_allocate(this.region_count, sizeof *this.regions, error);
    if (this.regions) this.buffers = wl_allocate(this.region_count, BUFFERED * sizeof *this.buffers, error);
    wl_status status = this.buffers ? wl_spill_open(&this.file, folder, "regions", 0, error) : WL_ERROR_MEMORY;
    if (!status) status = spread(&this);
    if (!status) status = wl_spill_rewind(&this.file, error);
    for (size_t i = 0; i < this.region_count && !status; i++) status = mark(&this, &this.regions[i]);
    if (this.file.path) unlink(this.file.path);
    wl_spill_close(&this.file);
    wl_digests_free(&this.set);
    free(this.buffers);
    free(this.regions);
    return status;
}
