/* Writing NumPy's .npy (format 1.0): a 128-byte header, then rows in C order. The header has a fixed size, so the
 * number of rows can be filled in when it is known. */
#ifndef WL_FORMAT_NPY_H
#define WL_FORMAT_NPY_H

#include <stddef.h>
#include <stdint.h>

#define WL_NPY_HEADER 128

/* type: "<f4" or "|u1" or the like. columns 0: the array has one dimension. */
void wl_npy_header(char header[WL_NPY_HEADER], const char *type, uint64_t rows, uint64_t columns);

#endif
