#include "format/npy.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Magic, version 1.0, the length of what follows (16 bits, little-endian), then a Python literal padded with spaces and
 * ended by a line break. The longest one, with two numbers of 20 digits, has 101 bytes of the 118. */
void wl_npy_header(char header[WL_NPY_HEADER], const char *type, uint64_t rows, uint64_t columns)
{
    static const char start[10] = {'\x93', 'N', 'U', 'M', 'P', 'Y', 1, 0, WL_NPY_HEADER - 10, 0};
    memset(header, ' ', WL_NPY_HEADER);
    memcpy(header, start, sizeof start);
    char *text = header + sizeof start;
    int length = snprintf(text, WL_NPY_HEADER - sizeof start,
                          "{'descr': '%.8s', 'fortran_order': False, 'shape': (%" PRIu64 ",", type, rows);
    if (length > 0 && columns)
        length += snprintf(text + length, WL_NPY_HEADER - sizeof start - (size_t)length, " %" PRIu64, columns);
    if (length > 0) length += snprintf(text + length, WL_NPY_HEADER - sizeof start - (size_t)length, "), }");
    if (length > 0) text[length] = ' ';
    header[WL_NPY_HEADER - 1] = '\n';
}
