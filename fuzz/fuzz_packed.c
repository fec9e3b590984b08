/* Any bytes as a packed file: what is accepted must encode and decode. The last byte says whether the checksum is made
 * right first, so that what lies behind it is reached; the byte before, whether what is not a file is the change of
 * one: a list of (place, value), 4 bytes each, in a small packed tokenizer. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "texts.h"

#include "packed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MEND = 1, CHANGE = 1 };

static wl_context *context;
static wl_buffer bases[4]; /* packed tokenizers */
static size_t base_count;

static void prepare(void)
{
    static const char *const sources[] = {"l2_supercat", "gpt2", "t5-small", "bert-base-uncased"};
    char source[1024], path[] = "/tmp/fuzz_packed_XXXXXX";
    const wl_context_options one = {.size = sizeof one, .threads = 1, .cache_megabyte = 1};
    context = wl_context_create(&one, NULL);
    int descriptor = mkstemp(path);
    if (!context || descriptor < 0) abort();
    close(descriptor);
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        snprintf(source, sizeof source, "%s/tokenizers/%s.json", WL_FUZZ_DATA, sources[i]);
        if (wl_tokenizer_pack(source, path, NULL) || !texts_file(path, &bases[base_count++])) abort();
    }
    unlink(path);
}

static char *change(const uint8_t *data, size_t size, size_t *changed)
{
    const wl_buffer *base = &bases[size ? data[0] % base_count : 0];
    char *copy = malloc(base->size);
    if (!copy) abort();
    memcpy(copy, base->data, base->size);
    for (size_t at = 1; at + 8 <= size; at += 8) {
        uint32_t place, value;
        memcpy(&place, data + at, 4);
        memcpy(&value, data + at + 4, 4);
        memcpy(copy + place % (base->size - 3), &value, 4);
    }
    *changed = base->size;
    return copy;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!context) prepare();
    if (size < 2) return 0;
    bool mend = data[size - 1] & MEND, changes = data[size - 2] & CHANGE;
    size -= 2;
    /* A copy of its own ends at a red zone. */
    char *copy = changes ? change(data, size, &size) : malloc(size ? size : 1);
    if (!copy) return 0;
    if (!changes && size) memcpy(copy, data, size);
    if (mend) packed_mend(copy, size);
    wl_error error = {0};
    wl_safetensors file;
    wl_tokenizer *tokenizer = packed_open(&file, copy, size, &error);
    if (tokenizer)
        packed_use(tokenizer, context);
    else if (!error.code || !error.message[0])
        abort();
    packed_close(&file, tokenizer);
    return 0;
}
