/* Reading safetensors: 8 bytes of header length, a JSON header, tensors. The file is mapped and never copied.
 * Checked at open, before anything is used: header length against the file and a cap of 100 MB; dtype, shape and range
 * of every tensor; shape x dtype equal to the range; ranges in bounds, ascending, without gap or overlap, covering the
 * file, as the reference implementation requires. A tensor's data may be unaligned. */
#ifndef WL_FORMAT_SAFETENSORS_H
#define WL_FORMAT_SAFETENSORS_H

#include "base/file.h"

typedef enum wl_dtype {
    WL_F64,
    WL_F32,
    WL_F16,
    WL_BF16,
    WL_I64,
    WL_I32,
    WL_I16,
    WL_I8,
    WL_U64,
    WL_U32,
    WL_U16,
    WL_U8,
    WL_BOOL,
    WL_F8_E4M3,
    WL_F8_E5M2,
    WL_F8_E8M0,
    WL_F8_E4M3FNUZ,
    WL_F8_E5M2FNUZ,
    WL_C64,
    WL_F6_E2M3,
    WL_F6_E3M2,
    WL_F4,
    WL_DTYPES
} wl_dtype;

/* Bytes of one element, 0 where it is less than a byte; its bits; its name in the file. */
size_t wl_dtype_size(wl_dtype dtype);
unsigned wl_dtype_bits(wl_dtype dtype);
const char *wl_dtype_name(wl_dtype dtype);

#define WL_TENSOR_RANK 8

typedef struct wl_tensor {
    char *name; /* owned by the file */
    wl_dtype dtype;
    uint32_t rank;
    uint64_t shape[WL_TENSOR_RANK]; /* outermost first; the rest 1 */
    uint64_t count;                 /* product of the shape */
    const char *data;               /* NULL where only the header was read */
    size_t bytes;                   /* count x dtype size; 0 where only the header was read */
    uint64_t offset;                /* of the data in the file */
} wl_tensor;

typedef struct wl_safetensors {
    wl_mapping mapping;
    wl_tensor *tensors; /* in file order */
    size_t count;
    char **metadata;       /* key, value, key, value, ... NUL-terminated */
    size_t metadata_count; /* of pairs */
    char *path;
} wl_safetensors;

wl_status wl_safetensors_open(wl_safetensors *file, const char *path, wl_error *error);
/* The part of open that reads: file holds mapping and path, the rest is zero. For files already in memory; the caller
 * closes it, after a failure too. */
wl_status wl_safetensors_parse(wl_safetensors *file, wl_error *error);

/* The same in two steps for a file that is not in memory, of size bytes: its first WL_SAFETENSORS_LENGTH bytes give the
 * length of the header, checked against size and the cap; first is not looked at where the file is shorter. */
enum { WL_SAFETENSORS_LENGTH = 8 };
wl_status wl_safetensors_length(const char *path, const char *first, uint64_t size, uint64_t *length, wl_error *error);
/* The header, which lies behind them. file holds path, the rest is zero; the caller closes it, after a failure too. */
wl_status wl_safetensors_read_header(wl_safetensors *file, const char *header, size_t length, uint64_t size,
                                     wl_error *error);
void wl_safetensors_close(wl_safetensors *file);
/* NULL where there is none. */
const wl_tensor *wl_safetensors_find(const wl_safetensors *file, const char *name);
const char *wl_safetensors_metadata(const wl_safetensors *file, const char *key);

#endif
