#include "hub/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SHA256_DIGITS = 64, SHA1_DIGITS = 40 };

static wl_status refused(wl_error *error)
{
    return wl_fail(error, WL_ERROR_UNSUPPORTED, "libcrypto refuses to compute a hash");
}

static wl_status begin(wl_digest *digest, const EVP_MD *kind, wl_error *error)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    digest->context = context;
    if (!context) return wl_fail_memory(error, sizeof(void *));
    if (EVP_DigestInit_ex(context, kind, NULL) == 1) return WL_OK;
    wl_digest_drop(digest);
    return refused(error);
}

wl_status wl_digest_begin(wl_digest *digest, wl_error *error)
{
    return begin(digest, EVP_sha256(), error);
}

wl_status wl_digest_check_name(const char *name, wl_error *error)
{
    if (wl_is_hexadecimal(name, SHA256_DIGITS) || wl_is_hexadecimal(name, SHA1_DIGITS)) return WL_OK;
    return wl_fail(error, WL_ERROR_UNSUPPORTED,
                   "the file is called \"%.80s\", which is neither a SHA-256 nor a SHA-1, so it cannot be checked",
                   name);
}

wl_status wl_digest_begin_named(wl_digest *digest, const char *name, uint64_t size, wl_error *error)
{
    digest->context = NULL;
    if (wl_digest_check_name(name, error)) return error->code;
    if (strlen(name) == SHA256_DIGITS) return begin(digest, EVP_sha256(), error);
    char head[32];
    int length = snprintf(head, sizeof head, "blob %" PRIu64, size);
    wl_status status = begin(digest, EVP_sha1(), error);
    if (!status) status = wl_digest_add(digest, head, (size_t)length + 1, error); /* with the NUL */
    if (status) wl_digest_drop(digest);
    return status;
}

wl_status wl_digest_add(wl_digest *digest, const void *data, size_t size, wl_error *error)
{
    return EVP_DigestUpdate(digest->context, data, size) == 1 ? WL_OK : refused(error);
}

wl_status wl_digest_end(wl_digest *digest, char text[WL_DIGEST_TEXT], wl_error *error)
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    bool done = EVP_DigestFinal_ex(digest->context, bytes, &size) == 1 && size <= (WL_DIGEST_TEXT - 1) / 2;
    wl_digest_drop(digest);
    if (!done) return refused(error);
    for (unsigned int i = 0; i < size; i++) {
        text[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
        text[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
    }
    text[2 * size] = 0;
    return WL_OK;
}

void wl_digest_drop(wl_digest *digest)
{
    EVP_MD_CTX_free(digest->context);
    digest->context = NULL;
}

wl_status wl_digest_file(const char *path, char text[WL_DIGEST_TEXT], wl_error *error)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return wl_fail_errno(error, path, "open", errno);
    wl_digest digest;
    wl_status status = wl_digest_begin(&digest, error);
    while (!status) {
        char piece[1 << 15];
        ssize_t got = read(descriptor, piece, sizeof piece);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) status = wl_fail_errno(error, path, "read", errno);
        if (got <= 0) break;
        status = wl_digest_add(&digest, piece, (size_t)got, error);
    }
    if (!status) status = wl_digest_end(&digest, text, error);
    wl_digest_drop(&digest);
    close(descriptor);
    return status;
}

bool wl_is_hexadecimal(const char *text, size_t digits)
{
    return strlen(text) == digits && strspn(text, "0123456789abcdef") == digits;
}
