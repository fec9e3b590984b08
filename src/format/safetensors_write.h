/* Writing safetensors. The data begins at a multiple of 64 bytes, and so does each tensor whose size is a multiple of
 * 64: those come first; the others follow with the widest elements in front, each aligned to its element. */
#ifndef WL_FORMAT_SAFETENSORS_WRITE_H
#define WL_FORMAT_SAFETENSORS_WRITE_H

#include "format/safetensors.h"

/* Puts the tensors, each with name, dtype, rank, shape and bytes, in their order in the file, of equals the one given
 * first in front, and appends the header to *header, with its length. metadata: key, value, key, value, ... */
wl_status wl_safetensors_header(wl_tensor *tensors, size_t count, const char *const *metadata, size_t pairs,
                                wl_buffer *header, wl_error *error);
/* Header and data to a file, which appears when it is complete. */
wl_status wl_safetensors_write(const char *path, const wl_buffer *header, const wl_tensor *tensors, size_t count,
                               wl_error *error);

#endif
