/* Any bytes as a file: what is accepted must have tensors that fill the file and whose every byte can be read. */
#include <stdlib.h>
#include <string.h>

#include "format/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wl_error error;
    char *copy = malloc(size ? size : 1);
    if (!copy) return 0;
    if (size) memcpy(copy, data, size);
    wl_safetensors file = {.mapping = {.data = copy, .size = size, .mapped = false}};
    file.path = wl_copy_text("fuzz", 4, &error);
    if (!file.path) abort();
    wl_status status = wl_safetensors_parse(&file, &error);
    if (status) {
        if (error.code != status || error.byte > size + (UINT64_C(1) << 63) || error.line || !error.message[0]) abort();
    } else {
        unsigned sum = 0;
        size_t total = 0;
        for (size_t i = 0; i < file.count; i++) {
            const wl_tensor *tensor = &file.tensors[i];
            for (size_t j = 0; j < tensor->bytes; j++) sum += (unsigned char)tensor->data[j];
            total += tensor->bytes;
            if (tensor->data != copy + tensor->offset) abort();
            if (wl_safetensors_find(&file, tensor->name) != tensor) abort();
        }
        volatile unsigned used = sum;
        (void)used;
        if (total > size) abort();
        for (size_t i = 0; i < file.metadata_count; i++)
            if (!wl_safetensors_metadata(&file, file.metadata[2 * i])) abort();
    }
    wl_safetensors_close(&file);
    return 0;
}
