/* The files that make a model: found by the names that layouts give them, opened by their content. */
#ifndef WL_EXTRACT_PARTS_H
#define WL_EXTRACT_PARTS_H

#include "extract/source.h"
#include "extract/tensors.h"

/* The tokenizer inside a model's file, as a GGUF has it. */
typedef struct wl_carried {
    wl_buffer json;    /* tokenizer.json; empty: none */
    char refusal[300]; /* why it could not be made one; empty: it could, or there is none */
} wl_carried;

typedef struct wl_parts {
    char **files; /* (count), owned */
    size_t count, capacity;
    wl_tensors tensors; /* of the parts; a tensor's part is the place of its file */
} wl_parts;

void wl_parts_free(wl_parts *parts);
/* Appends a file's name; *place is its number. */
wl_status wl_parts_add(wl_parts *parts, const char *file, size_t *place, wl_error *error);

/* Whether a tensor stands in two of the parts, which is WL_ERROR_FORMAT; puts the tensors in the order of their names.
 * where: for messages. */
wl_status wl_parts_check(wl_parts *parts, const char *where, wl_error *error);

/* The file to begin with: an index or a whole model by the usual names, else the only model file that there is, or the
 * first of the only set of shards. To be freed; NULL on failure. */
char *wl_find_model_file(wl_source_files *files, wl_error *error);

/* Whether the file is an index of shards, by its name. */
bool wl_is_index(const char *file);
/* Reads it: the shards, and of each tensor its name and part alone. */
wl_status wl_read_index(wl_source_files *files, const char *file, wl_parts *parts, wl_error *error);

/* Opens a file of any format and appends its tensors with this part number; the reader stays open. carried: where it is
 * a GGUF, what tokenizer it has; NULL: not wanted. */
wl_status wl_open_part(wl_source_files *files, const char *file, size_t part, wl_reader *reader, wl_tensors *tensors,
                       wl_carried *carried, wl_error *error);

/* "model-00002-of-00005.safetensors": false for another name. *at: where the number's five digits begin. */
bool wl_is_shard(const char *file, size_t *at, uint64_t *number, uint64_t *count);
/* Whether a file of that name is one of those that make a model, in any layout. */
bool wl_is_model_file(const char *file);
/* The name of another shard of the set; to be freed; NULL out of memory. */
char *wl_shard_name(const char *file, uint64_t number, wl_error *error);

#endif
