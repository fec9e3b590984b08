#include "hub/landing.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

static const uint64_t size_limit = UINT64_C(4) << 30;

wl_status wl_landing_open(wl_landing *landing, const char *path, const wl_known_file *expected, wl_error *error)
{
    *landing = (wl_landing){.expected = expected};
    wl_status status = wl_replacement_open(&landing->file, path, error);
    if (!status) status = wl_digest_begin(&landing->digest, error);
    if (status) wl_landing_abandon(landing);
    return status;
}

wl_status wl_landing_write(wl_landing *landing, const void *data, size_t size, wl_error *error)
{
    uint64_t limit = landing->expected->bytes ? landing->expected->bytes : size_limit;
    if (size > limit - landing->size)
        return wl_fail_at(error, WL_ERROR_FORMAT, landing->file.path, WL_NO_POSITION, 0,
                          "the file offered is larger than the expected %" PRIu64 " bytes", limit);
    landing->size += size;
    wl_status status = wl_digest_add(&landing->digest, data, size, error);
    if (!status && fwrite(data, 1, size, landing->file.stream) != size)
        status = wl_fail_errno(error, landing->file.path, "write", errno);
    return status;
}

wl_status wl_landing_finish(wl_landing *landing, wl_error *error)
{
    char found[WL_DIGEST_TEXT];
    wl_status status = wl_digest_end(&landing->digest, found, error);
    if (!status && strcmp(found, landing->expected->sha256) != 0)
        status = wl_fail_at(error, WL_ERROR_FORMAT, landing->file.path, WL_NO_POSITION, 0,
                            "the file offered (%" PRIu64 " bytes) has SHA-256 %s, expected %s", landing->size, found,
                            landing->expected->sha256);
    else if (!status)
        status = wl_replacement_commit(&landing->file, error);
    wl_landing_abandon(landing);
    return status;
}

void wl_landing_abandon(wl_landing *landing)
{
    wl_digest_drop(&landing->digest);
    wl_replacement_abandon(&landing->file);
}

wl_status wl_landing_copy(const char *source, const char *path, const wl_known_file *expected, wl_error *error)
{
    wl_mapping mapping;
    wl_landing landing;
    wl_status status = wl_mapping_open(&mapping, source, error);
    if (status) return status;
    status = wl_landing_open(&landing, path, expected, error);
    if (!status) {
        status = wl_landing_write(&landing, mapping.data, mapping.size, error);
        if (!status) status = wl_landing_finish(&landing, error);
        wl_landing_abandon(&landing);
    }
    wl_mapping_close(&mapping);
    return status;
}
