/* The packed form of a model: its tensors as they are, its config, and its tokenizer's tables, in one file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/model.h"
#include "text/packed.h"

/* All tensors of the source but those of a packed form, which are made anew. */
static wl_status add_tensors(wl_pack *pack, const wl_safetensors *file, wl_error *error)
{
    for (size_t i = 0; i < file->count; i++) {
        const wl_tensor *tensor = &file->tensors[i];
        if (strncmp(tensor->name, "tokenizer.", 10) == 0 || strncmp(tensor->name, "wordllama.", 10) == 0) continue;
        if (wl_pack_copy(pack, tensor, error)) return error->code;
    }
    return WL_OK;
}

/* What wl_model_open reads of a config. */
static wl_status add_config(wl_pack *pack, const wl_model *model, wl_error *error)
{
    enum { ROOM = 100 };
    char *text = wl_allocate(ROOM, 1, error), limit[32] = "null";
    if (!text) return error->code;
    if (model->max_tokens) snprintf(limit, sizeof limit, "%zu", model->max_tokens);
    int size = snprintf(text, ROOM, "{\"normalize\":%s", model->normalize ? "true" : "false");
    if (model->policy == WL_POLICY_MODEL2VEC)
        size += snprintf(text + size, ROOM - (size_t)size, ",\"max_length\":%s", limit);
    size += snprintf(text + size, ROOM - (size_t)size, "}");
    return wl_pack_give(pack, "wordllama.config", WL_U8, (size_t)size, 0, text, error);
}

/* The json of the tokenizer, which the file holds where that is packed and no other was given. */
static wl_status add_tokenizer(wl_pack *pack, const wl_model *model, wl_error *error)
{
    wl_mapping mapping = {0};
    wl_text json = {NULL, 0};
    bool inside = model->packed && strcmp(model->tokenizer->name, model->file.path) == 0;
    wl_status status = inside ? wl_packed_text(&model->file, "tokenizer.json", &json, error)
                              : wl_tokenizer_source(model->tokenizer, &mapping, &json, error);
    if (!status) status = wl_pack_tokenizer(pack, model->tokenizer, json, error);
    wl_mapping_close(&mapping);
    return status;
}

wl_status wl_model_pack(const char *source, const wl_model_options *options, const char *path, wl_error *error)
{
    wl_error unused;
    if (!error) error = &unused;
    if (!path) return wl_fail(error, WL_ERROR_ARGUMENT, "wl_model_pack: no path given");
    wl_model *model = wl_model_open(source, options, error);
    if (!model) return error->code;
    wl_pack pack = {.policy = model->policy == WL_POLICY_MODEL2VEC ? "model2vec" : "wordllama"};
    wl_status status = add_tokenizer(&pack, model, error);
    if (!status) status = add_config(&pack, model, error);
    if (!status) status = add_tensors(&pack, &model->file, error);
    if (!status) status = wl_pack_write(&pack, path, error);
    wl_pack_free(&pack);
    wl_model_close(model);
    return status;
}
