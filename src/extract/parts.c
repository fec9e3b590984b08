#include "extract/parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "extract/gguf.h"
#include "extract/gguf_tokenizer.h"
#include "format/json.h"

#define INDEX_MOST ((size_t)64 << 20) /* bytes: the largest known are about 10 MB */
enum { PARTS_MOST = 10000 };

/* ---- the list of files ------------------------------------------------------------------------------------------- */

void wl_parts_free(wl_parts *parts)
{
    for (size_t i = 0; i < parts->count; i++) free(parts->files[i]);
    free(parts->files);
    wl_tensors_free(&parts->tensors);
    *parts = (wl_parts){0};
}

wl_status wl_parts_add(wl_parts *parts, const char *file, size_t *place, wl_error *error)
{
    void *array = parts->files;
    if (parts->count == PARTS_MOST)
        return wl_fail(error, WL_ERROR_LIMIT, "the model has more than %d files", PARTS_MOST);
    wl_status status = wl_reserve(&array, &parts->capacity, parts->count + 1, sizeof *parts->files, error);
    parts->files = array;
    char *copy = status ? NULL : wl_copy_text(file, strlen(file), error);
    if (!copy) return WL_ERROR_MEMORY;
    *place = parts->count;
    parts->files[parts->count++] = copy;
    return WL_OK;
}

/* ---- names of shards --------------------------------------------------------------------------------------------- */

static bool read_digits(const char *text, uint64_t *number)
{
    *number = 0;
    for (int i = 0; i < 5; i++) {
        if (text[i] < '0' || text[i] > '9') return false;
        *number = *number * 10 + (uint64_t)(text[i] - '0');
    }
    return true;
}

bool wl_is_shard(const char *file, size_t *at, uint64_t *number, uint64_t *count)
{
    static const char of[] = "-of-";
    for (const char *dash = file; (dash = strstr(dash, of)); dash++) {
        if (dash - file < 6 || dash[-6] != '-') continue;
        if (!read_digits(dash - 5, number) || !read_digits(dash + sizeof of - 1, count)) continue;
        *at = (size_t)(dash - 5 - file);
        return *number && *number <= *count;
    }
    return false;
}

char *wl_shard_name(const char *file, uint64_t number, wl_error *error)
{
    size_t at;
    uint64_t own, count;
    char *name = wl_copy_text(file, strlen(file), error);
    if (name && wl_is_shard(name, &at, &own, &count))
        for (int i = 4; i >= 0; i--, number /= 10) name[at + (size_t)i] = (char)('0' + number % 10);
    return name;
}

/* ---- finding the file -------------------------------------------------------------------------------------------- */

/* In the order in which transformers looks for them, then the layouts of Mistral, Meta and sentence-transformers. */
static const char *const usual[] = {
    "model.safetensors",        "model.safetensors.index.json",
    "pytorch_model.bin",        "pytorch_model.bin.index.json",
    "consolidated.safetensors", "consolidated.safetensors.index.json",
    "consolidated.00.pth",      "0_StaticEmbedding/model.safetensors",
};

/* Other names, by their ends, in the order in which they count. */
static const char *const endings[] = {".safetensors", ".gguf", ".bin", ".pth", ".pt"};

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length > tail && strcmp(text + length - tail, end) == 0;
}

bool wl_is_model_file(const char *file)
{
    size_t at;
    uint64_t number, count;
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (strcmp(file, usual[i]) == 0) return true;
    return wl_is_shard(file, &at, &number, &count) || wl_is_index(file) || strcmp(file, "tokenizer.json") == 0;
}

bool wl_is_index(const char *file)
{
    return ends_with(file, ".index.json");
}

static wl_status exists(wl_source_files *files, const char *file, bool *there, wl_error *error)
{
    wl_reader reader;
    wl_status status = wl_source_reader(files, file, &reader, error);
    wl_reader_close(&reader);
    *there = status == WL_OK;
    return status == WL_ERROR_NOT_FOUND ? WL_OK : status;
}

/* Of the names with an ending, the only one that begins a model; the shards of a set count as their first. */
static wl_status find_only(char *const *names, size_t count, const char *ending, const char **found, wl_error *error)
{
    *found = NULL;
    for (size_t i = 0; i < count; i++) {
        size_t at;
        uint64_t number = 1, shards;
        if (!ends_with(names[i], ending) || strncmp(names[i], "adapter_", 8) == 0 ||
            (wl_is_shard(names[i], &at, &number, &shards) && number != 1))
            continue;
        if (*found)
            return wl_fail(error, WL_ERROR_NOT_FOUND,
                           "several model files, \"%.120s\" and \"%.120s\" among them: name the one that is meant "
                           "(--file)",
                           *found, names[i]);
        *found = names[i];
    }
    return WL_OK;
}

char *wl_find_model_file(wl_source_files *files, wl_error *error)
{
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
        bool there;
        if (exists(files, usual[i], &there, error)) return NULL;
        if (there) return wl_copy_text(usual[i], strlen(usual[i]), error);
    }
    char **names;
    size_t count;
    if (wl_source_names(files, &names, &count, error)) return NULL;
    const char *found = NULL;
    char *copy = NULL;
    wl_status status = WL_OK;
    for (size_t i = 0; i < sizeof endings / sizeof *endings && !found && !status; i++)
        status = find_only(names, count, endings[i], &found, error);
    if (found && !status) copy = wl_copy_text(found, strlen(found), error);
    if (!found && !status)
        wl_fail_at(error, WL_ERROR_NOT_FOUND, files->hub ? files->hub_name : files->folder, WL_NO_POSITION, 0,
                   "no model in it: neither %s nor %s nor another safetensors, PyTorch or GGUF file", usual[0],
                   usual[2]);
    wl_source_names_free(names, count);
    return copy;
}

/* ---- an index ---------------------------------------------------------------------------------------------------- */

static wl_status find_part(wl_parts *parts, wl_text file, const char *folder, size_t *place, wl_error *error)
{
    char name[1024];
    while (file.size > 2 && file.data[0] == '.' && file.data[1] == '/') file.data += 2, file.size -= 2;
    int length = snprintf(name, sizeof name, "%s%.*s", folder, (int)(file.size < 900 ? file.size : 900), file.data);
    if (length < 0 || (size_t)length >= sizeof name || file.size >= 900 || memchr(file.data, 0, file.size))
        return wl_fail(error, WL_ERROR_FORMAT, "the name of a shard is too long or holds a NUL");
    if (wl_source_check_name(name, error)) return error->code; /* of a shard that is not wanted, too */
    /* Tensors of a shard mostly follow each other: the last one found is looked at first. */
    for (size_t i = parts->count; i-- > 0;)
        if (strcmp(parts->files[i], name) == 0) {
            *place = i;
            return WL_OK;
        }
    return wl_parts_add(parts, name, place, error);
}

/* A name that stands twice is found by sorting; two files for one tensor would make chance decide. */
static int compare_stored(const void *a, const void *b)
{
    return strcmp(((const wl_stored *)a)->name, ((const wl_stored *)b)->name);
}

wl_status wl_parts_check(wl_parts *parts, const char *where, wl_error *error)
{
    wl_tensors *tensors = &parts->tensors;
    if (tensors->count > 1) qsort(tensors->items, tensors->count, sizeof *tensors->items, compare_stored);
    for (size_t i = 1; i < tensors->count; i++)
        if (strcmp(tensors->items[i - 1].name, tensors->items[i].name) == 0)
            return wl_fail_at(error, WL_ERROR_FORMAT, where, WL_NO_POSITION, 0,
                              "the tensor \"%.100s\" stands twice, in %.100s and in %.100s", tensors->items[i].name,
                              parts->files[tensors->items[i - 1].part], parts->files[tensors->items[i].part]);
    return WL_OK;
}

static void read_weight_map(wl_json *json, wl_parts *parts, const char *folder)
{
    wl_text key;
    wl_json_begin_object(json);
    while (wl_json_member(json, &key)) {
        if (key.size && memchr(key.data, 0, key.size)) {
            wl_json_fail(json, WL_ERROR_FORMAT, "the name of a tensor holds a NUL");
            return;
        }
        wl_stored *tensor = wl_tensors_add(&parts->tensors, key, json->error);
        if (!tensor) {
            json->failed = true;
            return;
        }
        wl_text file = wl_json_string(json);
        if (!json->failed && find_part(parts, file, folder, &tensor->part, json->error)) json->failed = true;
    }
}

wl_status wl_read_index(wl_source_files *files, const char *file, wl_parts *parts, wl_error *error)
{
    const char *slash = strrchr(file, '/');
    char *path = wl_source_path(files, file, error);
    char *folder = wl_copy_text(file, slash ? (size_t)(slash + 1 - file) : 0, error);
    wl_buffer text = {0}, scratch = {0};
    wl_status status = path && folder ? wl_source_text(files, file, INDEX_MOST, &text, error) : WL_ERROR_MEMORY;
    if (!status) {
        wl_json json;
        wl_text key;
        bool found = false;
        wl_json_open(&json, text.data, text.size, path, &scratch, error);
        wl_json_begin_object(&json);
        while (wl_json_member(&json, &key)) {
            bool map = wl_text_is(key, "weight_map");
            if (map && found) wl_json_fail(&json, WL_ERROR_FORMAT, "weight_map stands twice");
            if (map)
                read_weight_map(&json, parts, folder);
            else
                wl_json_skip(&json);
            found |= map;
        }
        if (!found) wl_json_fail(&json, WL_ERROR_FORMAT, "the index has no weight_map");
        status = wl_json_close(&json);
    }
    if (!status) status = wl_parts_check(parts, path, error);
    wl_buffer_free(&scratch);
    wl_buffer_free(&text);
    free(folder);
    free(path);
    return status;
}

/* ---- opening by content ------------------------------------------------------------------------------------------ */

static wl_status open_safetensors(wl_reader *reader, wl_tensors *tensors, wl_carried *carried, wl_error *error)
{
    (void)carried;
    return wl_read_safetensors(reader, tensors, error);
}

static wl_status open_torch(wl_reader *reader, wl_tensors *tensors, wl_carried *carried, wl_error *error)
{
    (void)carried;
    return wl_read_torch(reader, tensors, error);
}

/* What a file says of itself and what its name says must agree, for the other parts are found by their names. */
static wl_status check_split(const wl_gguf *gguf, wl_error *error)
{
    const char *slash = strrchr(gguf->reader->name, '/');
    size_t at;
    uint64_t number = 1, count = 1;
    bool named = wl_is_shard(slash ? slash + 1 : gguf->reader->name, &at, &number, &count);
    if (gguf->parts <= 1 || (named && number == gguf->part + 1 && count == gguf->parts)) return WL_OK;
    return wl_fail_at(error, WL_ERROR_FORMAT, gguf->reader->name, WL_NO_POSITION, 0,
                      "is part %" PRIu64 " of %" PRIu64 ", but is not named -%05" PRIu64 "-of-%05" PRIu64 ".gguf",
                      gguf->part + 1, gguf->parts, gguf->part + 1, gguf->parts);
}

/* The tokenizer is no reason to fail: the table is what was asked for. */
static wl_status open_gguf(wl_reader *reader, wl_tensors *tensors, wl_carried *carried, wl_error *error)
{
    wl_gguf gguf;
    wl_status status = wl_gguf_open(&gguf, reader, tensors, error);
    if (!status) status = check_split(&gguf, error);
    if (!status && carried && wl_gguf_has_tokenizer(&gguf)) {
        status = wl_gguf_tokenizer(&gguf, &carried->json, error);
        if (status && status != WL_ERROR_MEMORY && status != WL_ERROR_IO && status != WL_ERROR_CANCELLED) {
            carried->json.size = 0;
            snprintf(carried->refusal, sizeof carried->refusal, "%.299s", error->message);
            status = WL_OK;
        }
    }
    wl_gguf_close(&gguf);
    return status;
}

static const struct {
    size_t at;
    const char *magic;
    size_t size;
    wl_status (*open)(wl_reader *reader, wl_tensors *tensors, wl_carried *carried, wl_error *error);
} formats[] = {
    {0, "GGUF", 4, open_gguf},
    {0, "PK\3\4", 4, open_torch},
    {8, "{", 1, open_safetensors},  /* behind the header's length */
    {0, "\x80\x02", 2, open_torch}, /* PyTorch before 1.6: refused there with what to do */
};

wl_status wl_open_part(wl_source_files *files, const char *file, size_t part, wl_reader *reader, wl_tensors *tensors,
                       wl_carried *carried, wl_error *error)
{
    char head[9] = {0};
    size_t before = tensors->count;
    if (wl_source_reader(files, file, reader, error)) return error->code;
    wl_status status =
        wl_reader_read(reader, 0, head, reader->size < sizeof head ? (size_t)reader->size : sizeof head, error);
    size_t count = sizeof formats / sizeof *formats, format = 0;
    while (format < count && memcmp(head + formats[format].at, formats[format].magic, formats[format].size) != 0)
        format++;
    if (!status && format == count)
        status = wl_fail_at(error, WL_ERROR_FORMAT, reader->name, 0, 0,
                            "is no safetensors file, no PyTorch file and no GGUF file");
    if (!status) status = formats[format].open(reader, tensors, carried, error);
    for (size_t i = before; i < tensors->count; i++) tensors->items[i].part = part;
    if (status) wl_reader_close(reader);
    return status;
}
