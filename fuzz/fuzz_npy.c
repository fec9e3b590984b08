/* Any bytes as a .npy file: what is accepted must have its numbers in the file, all of them and nothing behind. */
#include <stdlib.h>

#include "format/npy_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wl_npy_array array;
    wl_error error;
    wl_status status = wl_npy_read((const char *)data, size, "fuzz", &array, &error);
    if (status) {
        require(error.code == status && error.message[0]);
        return 0;
    }
    size_t width = array.dtype == WL_F32 ? 4 : 2;
    require(wl_npy_is((const char *)data, size) && (array.dtype == WL_F32 || array.dtype == WL_F16));
    require(array.offset <= size && (size - array.offset) % width == 0);
    uint64_t numbers = (size - array.offset) / width;
    require(array.columns ? array.rows == numbers / array.columns && numbers % array.columns == 0 : numbers == 0);
    return 0;
}
