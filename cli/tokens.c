#include "tokens.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "data/bytes.h"
#include "models.h"

static wl_status unpack(const char *path, wl_buffer *out, wl_error *error)
{
    wl_bytes bytes;
    size_t got = 1;
    wl_status status = wl_bytes_open(&bytes, path, error);
    while (!status && got > 0) {
        status = wl_buffer_reserve(out, 1 << 20, error);
        if (!status) status = wl_bytes_read(&bytes, out->data + out->size, out->capacity - out->size, &got, error);
        if (!status) out->size += got;
    }
    wl_bytes_close(&bytes);
    return status;
}

/* A pipe can be read once only, so only a regular file is looked into. */
static bool is_packed(const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0 || !S_ISREG(info.st_mode)) return false;
    unsigned char start[2] = {0, 0};
    FILE *file = fopen(path, "rb");
    size_t got = file ? fread(start, 1, 2, file) : 0;
    if (file) fclose(file);
    return got == 2 && start[0] == 0x1F && start[1] == 0x8B;
}

static wl_tokenizer *open_file(const char *path, wl_error *error)
{
    if (!is_packed(path)) return wl_tokenizer_open(path, error);
    wl_buffer text = {0};
    wl_tokenizer *tokenizer = unpack(path, &text, error) ? NULL : wl_tokenizer_parse(text.data, text.size, path, error);
    wl_buffer_free(&text);
    return tokenizer;
}

wl_status tokenizer_open(cli_tokenizer *opened, const cli_settings *settings, wl_error *error)
{
    *opened = (cli_tokenizer){0};
    if (settings->tokenizer) {
        opened->tokenizer = opened->own = open_file(settings->tokenizer, error);
    } else {
        opened->model = open_model(settings->model, settings, true, &opened->path, error);
        if (opened->model) opened->tokenizer = wl_model_tokenizer(opened->model);
    }
    return opened->tokenizer ? WL_OK : error->code;
}

void tokenizer_close(cli_tokenizer *opened)
{
    wl_tokenizer_close(opened->own);
    wl_model_close(opened->model);
    free(opened->path);
    *opened = (cli_tokenizer){0};
}
