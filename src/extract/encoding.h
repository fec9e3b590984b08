/* How checkpoints encode numbers: one table for the types of safetensors, PyTorch and GGUF. */
#ifndef WL_EXTRACT_ENCODING_H
#define WL_EXTRACT_ENCODING_H

#include "base/status.h"

/* Elements come in blocks of one or more, each block in so many bytes, little-endian, unaligned. */
typedef struct wl_encoding {
    const char *name;         /* "BF16", "Q4_K" */
    uint32_t elements, bytes; /* of a block */
    /* blocks blocks at in to floats at out. */
    void (*decode)(const unsigned char *in, size_t blocks, float *out);
} wl_encoding;

/* Numbers alone (numbers.c). Each value is that of PyTorch's .float(): F64 is rounded to nearest even, I8 is the whole
 * number, without the scale that a file may hold for it. */
extern const wl_encoding wl_encoding_f64, wl_encoding_f32, wl_encoding_f16, wl_encoding_bf16, wl_encoding_f8_e4m3,
    wl_encoding_f8_e5m2, wl_encoding_i8;

/* ggml's block types (ggml.c), with the values that the Python package gguf gives, to the last bit; F32, F16, BF16, F64
 * are the numbers above. type: as a GGUF file has it. NULL for one that is not known. */
const wl_encoding *wl_encoding_of_ggml(uint32_t type);
/* The name of any type that ggml has had, such as "IQ2_XXS", for messages; NULL for a number that means nothing. */
const char *wl_ggml_name(uint32_t type);

#endif
