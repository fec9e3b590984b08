/* Reading the header of NumPy's .npy, format versions 1.0 to 3.0, of an array of two dimensions. */
#ifndef WL_FORMAT_NPY_READ_H
#define WL_FORMAT_NPY_READ_H

#include "format/safetensors.h"

typedef struct wl_npy_array {
    wl_dtype dtype; /* WL_F32 or WL_F16 */
    uint64_t rows, columns;
    size_t offset; /* of the numbers in the file: row after row, little-endian, perhaps unaligned */
} wl_npy_array;

/* Whether a file begins as a .npy does. */
bool wl_npy_is(const char *data, size_t size);
/* data: the whole file, which has the numbers of the array behind the header and nothing else. path: for errors.
 * WL_ERROR_UNSUPPORTED: an array of another type, order or number of dimensions. */
wl_status wl_npy_read(const char *data, size_t size, const char *path, wl_npy_array *array, wl_error *error);

#endif
