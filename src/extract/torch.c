/* PyTorch's files since 1.6: a zip with the pickle NAME/data.pkl, whose tensors name their storages, and the storages'
 * bytes in entries NAME/data/KEY. (torch.save, torch/serialization.py and torch/_utils.py are where the layout is
 * written down.) The pickle is read without executing anything; the tensors are found in the value that it makes. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "extract/pickle.h"
#include "extract/tensors.h"
#include "extract/zip.h"
#include "text/unicode/utf8.h"

/* ---- what a pickle may name -------------------------------------------------------------------------------------- */

typedef enum type {
    FLOAT64,
    FLOAT32,
    FLOAT16,
    BFLOAT16,
    FLOAT8_E4M3FN,
    FLOAT8_E5M2,
    FLOAT8_E4M3FNUZ,
    FLOAT8_E5M2FNUZ,
    FLOAT8_E8M0FNU,
    FLOAT4_X2,
    INT64,
    INT32,
    INT16,
    INT8,
    UINT64,
    UINT32,
    UINT16,
    UINT8,
    BOOLEAN,
    COMPLEX32,
    COMPLEX64,
    COMPLEX128,
    TYPES,
} type;

/* What a global means. Below TYPES: the type itself, as a dtype or as the class of a storage of it. */
enum { UNTYPED_STORAGE = TYPES, REBUILD_TENSOR, REBUILD_TYPED, REBUILD_PARAMETER, ORDERED_DICT, WITHOUT_TENSORS };

static const struct {
    const char *name;
    uint64_t size; /* in bytes */
    const wl_encoding *encoding;
} types[TYPES] = {
    [FLOAT64] = {"float64", 8, &wl_encoding_f64},
    [FLOAT32] = {"float32", 4, &wl_encoding_f32},
    [FLOAT16] = {"float16", 2, &wl_encoding_f16},
    [BFLOAT16] = {"bfloat16", 2, &wl_encoding_bf16},
    [FLOAT8_E4M3FN] = {"float8_e4m3fn", 1, &wl_encoding_f8_e4m3},
    [FLOAT8_E5M2] = {"float8_e5m2", 1, &wl_encoding_f8_e5m2},
    [FLOAT8_E4M3FNUZ] = {"float8_e4m3fnuz", 1, NULL},
    [FLOAT8_E5M2FNUZ] = {"float8_e5m2fnuz", 1, NULL},
    [FLOAT8_E8M0FNU] = {"float8_e8m0fnu", 1, NULL},
    [FLOAT4_X2] = {"float4_e2m1fn_x2", 1, NULL},
    [INT64] = {"int64", 8, NULL},
    [INT32] = {"int32", 4, NULL},
    [INT16] = {"int16", 2, NULL},
    [INT8] = {"int8", 1, &wl_encoding_i8},
    [UINT64] = {"uint64", 8, NULL},
    [UINT32] = {"uint32", 4, NULL},
    [UINT16] = {"uint16", 2, NULL},
    [UINT8] = {"uint8", 1, NULL},
    [BOOLEAN] = {"bool", 1, NULL},
    [COMPLEX32] = {"complex32", 4, NULL},
    [COMPLEX64] = {"complex64", 8, NULL},
    [COMPLEX128] = {"complex128", 16, NULL},
};

/* Everything else is refused. What PyTorch's own torch.load(weights_only=True) allows, less what no file of weights was
 * seen to hold. A pickle of protocol 2 has the module builtins under its old name. */
static const wl_pickle_global globals[] = {
    {"torch._utils", "_rebuild_tensor_v2", REBUILD_TENSOR},
    {"torch._utils", "_rebuild_tensor_v3", REBUILD_TYPED},
    {"torch._utils", "_rebuild_tensor", REBUILD_TENSOR},
    {"torch._utils", "_rebuild_parameter", REBUILD_PARAMETER},
    {"torch._utils", "_rebuild_parameter_with_state", REBUILD_PARAMETER},
    {"collections", "OrderedDict", ORDERED_DICT},
    {"torch", "DoubleStorage", FLOAT64},
    {"torch", "FloatStorage", FLOAT32},
    {"torch", "HalfStorage", FLOAT16},
    {"torch", "BFloat16Storage", BFLOAT16},
    {"torch", "LongStorage", INT64},
    {"torch", "IntStorage", INT32},
    {"torch", "ShortStorage", INT16},
    {"torch", "CharStorage", INT8},
    {"torch", "ByteStorage", UINT8},
    {"torch", "BoolStorage", BOOLEAN},
    {"torch", "ComplexFloatStorage", COMPLEX64},
    {"torch", "ComplexDoubleStorage", COMPLEX128},
    {"torch.storage", "UntypedStorage", UNTYPED_STORAGE},
    {"torch", "float64", FLOAT64},
    {"torch", "float32", FLOAT32},
    {"torch", "float16", FLOAT16},
    {"torch", "bfloat16", BFLOAT16},
    {"torch", "float8_e4m3fn", FLOAT8_E4M3FN},
    {"torch", "float8_e5m2", FLOAT8_E5M2},
    {"torch", "float8_e4m3fnuz", FLOAT8_E4M3FNUZ},
    {"torch", "float8_e5m2fnuz", FLOAT8_E5M2FNUZ},
    {"torch", "float8_e8m0fnu", FLOAT8_E8M0FNU},
    {"torch", "float4_e2m1fn_x2", FLOAT4_X2},
    {"torch", "int64", INT64},
    {"torch", "int32", INT32},
    {"torch", "int16", INT16},
    {"torch", "int8", INT8},
    {"torch", "uint64", UINT64},
    {"torch", "uint32", UINT32},
    {"torch", "uint16", UINT16},
    {"torch", "uint8", UINT8},
    {"torch", "bool", BOOLEAN},
    {"torch", "complex32", COMPLEX32},
    {"torch", "complex64", COMPLEX64},
    {"torch", "complex128", COMPLEX128},
    {"torch", "Size", WITHOUT_TENSORS},
    {"torch", "device", WITHOUT_TENSORS},
    {"collections", "Counter", WITHOUT_TENSORS},
    {"_codecs", "encode", WITHOUT_TENSORS},
    {"builtins", "set", WITHOUT_TENSORS},
    {"builtins", "bytearray", WITHOUT_TENSORS},
    {"builtins", "complex", WITHOUT_TENSORS},
    {"__builtin__", "set", WITHOUT_TENSORS},
    {"__builtin__", "bytearray", WITHOUT_TENSORS},
    {"__builtin__", "complex", WITHOUT_TENSORS},
};

/* ---- the file ---------------------------------------------------------------------------------------------------- */

enum { ENTRY_NAME = 1024, PICKLE_MOST = 64 << 20, ORDER_MOST = 16 };

typedef struct archive {
    wl_reader *reader;
    wl_zip zip;
    char folder[ENTRY_NAME / 2]; /* of all entries, with its slash */
    wl_pickle pickle;
    wl_error *error;
} archive;

#define FAIL(from, code, ...) wl_fail_at((from)->error, code, (from)->reader->name, WL_NO_POSITION, 0, __VA_ARGS__)

/* What was written before PyTorch 1.6 is a pickle of a magic number, or in the oldest times a tar file. */
static wl_status refuse_legacy(wl_reader *reader, wl_error *error)
{
    char head[262] = {0};
    size_t size = reader->size < sizeof head ? (size_t)reader->size : sizeof head;
    if (wl_reader_read(reader, 0, head, size, error)) return error->code;
    if (head[0] != '\x80' && memcmp(head + 257, "ustar", 5) != 0) return WL_OK;
    return wl_fail_at(error, WL_ERROR_UNSUPPORTED, reader->name, 0, 0,
                      "is %s, not the zip that PyTorch writes since 1.6: load it and save it again with a current "
                      "PyTorch, or take the model's safetensors file",
                      head[0] == '\x80' ? "a bare pickle" : "a tar file");
}

/* The folder is that of the only data.pkl that lies in one. */
static wl_status find_folder(archive *from)
{
    static const char pickle[] = "/data.pkl";
    const char *found = NULL;
    size_t length = 0;
    for (size_t i = 0; i < from->zip.count; i++) {
        const char *name = from->zip.entries[i].name, *slash = strchr(name, '/');
        if (!slash || strcmp(slash, pickle) != 0) continue;
        if (found) return FAIL(from, WL_ERROR_FORMAT, "holds several pickles: \"%.100s\", \"%.100s\"", found, name);
        found = name;
        length = (size_t)(slash - name) + 1;
    }
    if (!found)
        return FAIL(from, WL_ERROR_FORMAT, "is a zip file without a folder that holds data.pkl, as PyTorch has");
    if (length >= sizeof from->folder) return FAIL(from, WL_ERROR_FORMAT, "has a folder with a name that is too long");
    memcpy(from->folder, found, length);
    from->folder[length] = 0;
    return WL_OK;
}

/* An entry of the folder; NULL where there is none. */
static const wl_zip_entry *find_entry(const archive *from, const char *kind, wl_text key)
{
    char name[ENTRY_NAME];
    int size = (int)(key.size < ENTRY_NAME ? key.size : ENTRY_NAME);
    int length = snprintf(name, sizeof name, "%s%s%.*s", from->folder, kind, size, key.data);
    return length > 0 && (size_t)length < sizeof name ? wl_zip_find(&from->zip, name) : NULL;
}

/* The bytes of an entry, to be freed. */
static char *read_entry(archive *from, const wl_zip_entry *entry, size_t most, uint64_t *begin)
{
    if (entry->place.size > most) {
        FAIL(from, WL_ERROR_LIMIT, "the entry \"%.100s\" has %" PRIu64 " bytes, expected at most %zu", entry->name,
             entry->place.size, most);
        return NULL;
    }
    if (wl_zip_locate(&entry->place, from->reader, begin, from->error)) return NULL;
    char *data = wl_allocate((size_t)entry->place.size, 1, from->error);
    if (data && wl_reader_read(from->reader, *begin, data, (size_t)entry->place.size, from->error)) {
        free(data);
        return NULL;
    }
    return data;
}

static wl_status check_kind(archive *from)
{
    uint64_t begin;
    wl_text none = {"", 0};
    if (find_entry(from, "constants.pkl", none))
        return FAIL(from, WL_ERROR_UNSUPPORTED,
                    "is a TorchScript program: load it and save its state_dict() with torch.save, or take the model's "
                    "safetensors file");
    const wl_zip_entry *order = find_entry(from, "byteorder", none);
    char *text = order ? read_entry(from, order, ORDER_MOST, &begin) : NULL;
    if (!order) return WL_OK;
    if (!text) return from->error->code;
    bool little = order->place.size == 6 && memcmp(text, "little", 6) == 0;
    free(text);
    if (little) return WL_OK;
    return FAIL(from, WL_ERROR_UNSUPPORTED, "was written by a big-endian machine, expected the byte order \"little\"");
}

/* ---- tensors ----------------------------------------------------------------------------------------------------- */

static const wl_pickle_value *value_at(const archive *from, uint32_t value)
{
    return &from->pickle.values[value];
}

static bool is_global(const wl_pickle_value *value, int least, int most)
{
    return value->kind == WL_PICKLE_GLOBAL && value->meaning >= least && value->meaning <= most;
}

static bool is_text(const wl_pickle_value *value, const char *text)
{
    return value->kind == WL_PICKLE_TEXT && value->text.size == strlen(text) &&
           memcmp(value->text.data, text, value->text.size) == 0;
}

/* The call that makes a tensor, which a parameter has as its first argument; NULL: the value is none. A parameter of a
 * parameter of ... is none. */
static const wl_pickle_value *tensor_of(const archive *from, const wl_pickle_value *value)
{
    if (value->kind == WL_PICKLE_CALL && value->meaning == REBUILD_PARAMETER &&
        !wl_pickle_items(&from->pickle, value_at(from, value->arguments), 1, &value))
        return NULL;
    bool tensor =
        value->kind == WL_PICKLE_CALL && (value->meaning == REBUILD_TENSOR || value->meaning == REBUILD_TYPED);
    return tensor ? value : NULL;
}

/* What a storage says of itself: ("storage", type, key, device, count of elements, of bytes where it is untyped). */
typedef struct storage {
    const wl_zip_entry *entry;
    int type; /* or UNTYPED_STORAGE */
    uint64_t count;
} storage;

static bool read_storage(archive *from, const char *name, const wl_pickle_value *value, storage *found)
{
    const wl_pickle_value *parts[5];
    const wl_pickle_value *id = value->kind == WL_PICKLE_PERSISTENT ? value_at(from, value->arguments) : value;
    bool good = value->kind == WL_PICKLE_PERSISTENT && id->kind == WL_PICKLE_TUPLE &&
                wl_pickle_items(&from->pickle, id, 5, parts) && is_text(parts[0], "storage") &&
                is_global(parts[1], 0, UNTYPED_STORAGE) && parts[2]->kind == WL_PICKLE_TEXT &&
                parts[4]->kind == WL_PICKLE_INTEGER && parts[4]->integer >= 0;
    if (!good) {
        FAIL(from, WL_ERROR_FORMAT, "tensor \"%.100s\" has no storage of the known form", name);
        return false;
    }
    wl_text key = parts[2]->text;
    *found = (storage){find_entry(from, "data/", key), parts[1]->meaning, (uint64_t)parts[4]->integer};
    if (!found->entry)
        FAIL(from, WL_ERROR_FORMAT, "tensor \"%.100s\" lies in the storage \"%.*s\", which is not in the file", name,
             (int)(key.size < 40 ? key.size : 40), key.data);
    return found->entry;
}

/* count whole numbers, none negative. */
static bool read_numbers(const archive *from, const wl_pickle_value *value, uint64_t numbers[WL_STORED_RANK])
{
    const wl_pickle_value *items[WL_STORED_RANK];
    if (value->count > WL_STORED_RANK || !wl_pickle_items(&from->pickle, value, value->count, items)) return false;
    for (uint32_t i = 0; i < value->count; i++) {
        if (items[i]->kind != WL_PICKLE_INTEGER || items[i]->integer < 0) return false;
        numbers[i] = (uint64_t)items[i]->integer;
    }
    return true;
}

/* From shape and strides: *span elements from the first to the last, and whether they lie row by row without gaps.
 * Strides of dimensions of one element, or of a tensor without any, mean nothing. False for what overflows. */
static bool measure(wl_stored *tensor, const uint64_t *strides, uint64_t *span)
{
    uint64_t count = 1, last = 0;
    bool empty = false;
    for (uint32_t i = tensor->rank; i-- > 0;) {
        uint64_t length = tensor->shape[i], stride = strides[i];
        empty |= !length;
        if (length < 2) continue;
        tensor->gaps |= stride != count;
        if (count > INT64_MAX / length || (stride && length - 1 > (INT64_MAX - last) / stride)) return false;
        last += (length - 1) * stride;
        count *= length;
    }
    *span = empty ? 0 : last + 1;
    tensor->gaps &= !empty;
    return true;
}

static bool is_dict(const wl_pickle_value *value)
{
    return value->kind == WL_PICKLE_DICT || (value->kind == WL_PICKLE_CALL && value->meaning == ORDERED_DICT);
}

/* value: a call of _rebuild_tensor(storage, offset, shape, strides, ...), _v2, the same, or _v3, with a type behind two
 * more. offset and strides count elements. */
static wl_status read_tensor(archive *from, const wl_pickle_value *value, wl_stored *tensor)
{
    enum { STORAGE, OFFSET, SHAPE, STRIDES, TYPE = 6, MOST = 8 };
    const wl_pickle_value *parts[MOST], *arguments = value_at(from, value->arguments);
    bool typed = value->meaning == REBUILD_TYPED;
    uint64_t strides[WL_STORED_RANK] = {0}, span;
    storage where = {0};
    if (!wl_pickle_items(&from->pickle, arguments, typed ? TYPE + 1 : STRIDES + 1, parts) ||
        parts[OFFSET]->kind != WL_PICKLE_INTEGER || parts[OFFSET]->integer < 0 ||
        parts[SHAPE]->kind != WL_PICKLE_TUPLE || parts[STRIDES]->kind != WL_PICKLE_TUPLE ||
        parts[SHAPE]->count != parts[STRIDES]->count || (typed && !is_global(parts[TYPE], 0, TYPES - 1)))
        return FAIL(from, WL_ERROR_FORMAT, "tensor \"%.100s\" is not made in the known form", tensor->name);
    /* Behind the known ones: what changes the numbers, such as {"neg": True} of a view with the other sign. */
    uint32_t last = typed ? TYPE + 1 : TYPE;
    if (arguments->count > last && wl_pickle_items(&from->pickle, arguments, last + 1, parts) && is_dict(parts[last]) &&
        parts[last]->first)
        return FAIL(from, WL_ERROR_UNSUPPORTED, "tensor \"%.100s\" is a view that changes the numbers", tensor->name);
    if (!read_storage(from, tensor->name, parts[STORAGE], &where)) return from->error->code;
    if (parts[SHAPE]->count > WL_STORED_RANK)
        return FAIL(from, WL_ERROR_UNSUPPORTED, "tensor \"%.100s\" has more than %d dimensions", tensor->name,
                    WL_STORED_RANK);
    tensor->rank = parts[SHAPE]->count;
    if (!read_numbers(from, parts[SHAPE], tensor->shape) || !read_numbers(from, parts[STRIDES], strides) ||
        !measure(tensor, strides, &span))
        return FAIL(from, WL_ERROR_FORMAT, "tensor \"%.100s\" has a shape or strides that cannot be", tensor->name);
    if (!typed && where.type == UNTYPED_STORAGE)
        return FAIL(from, WL_ERROR_FORMAT, "tensor \"%.100s\" has a storage without a type", tensor->name);
    int element = typed ? parts[TYPE]->meaning : where.type;
    uint64_t size = types[element].size, unit = where.type == UNTYPED_STORAGE ? 1 : types[where.type].size;
    uint64_t offset = (uint64_t)parts[OFFSET]->integer, there = where.entry->place.size;
    uint64_t held = where.count > there / unit ? 0 : where.count * unit / size;
    if (where.count > there / unit || (span && (offset > held || span > held - offset)))
        return FAIL(from, WL_ERROR_FORMAT,
                    "tensor \"%.100s\" has %" PRIu64 " elements from %" PRIu64 " on in a storage of %" PRIu64
                    ", which has %" PRIu64 " bytes",
                    tensor->name, span, offset, where.count, there);
    tensor->encoding = types[element].encoding;
    snprintf(tensor->type, sizeof tensor->type, "%.15s",
             tensor->encoding ? tensor->encoding->name : types[element].name);
    tensor->offset = WL_NO_POSITION;
    if (!tensor->encoding || tensor->gaps) return WL_OK;
    tensor->entry = where.entry->place;
    tensor->within = span ? offset * size : 0;
    tensor->bytes = span * size;
    return WL_OK;
}

/* ---- the pickle's value ------------------------------------------------------------------------------------------ */

/* Whether a value of the dict is a tensor. */
static bool has_tensors(const archive *from, const wl_pickle_value *dict)
{
    const wl_pickle_cell *cells = from->pickle.cells;
    for (uint32_t cell = dict->first; cell; cell = cells[cell].next) {
        cell = cells[cell].next; /* from the key to its value: they come in pairs */
        if (tensor_of(from, value_at(from, cells[cell].value))) return true;
    }
    return false;
}

/* The dict of the tensors: what lies in the root under the name that a trainer gives it (Lightning state_dict,
 * Megatron, fairseq and nanoGPT model, DeepSpeed module, tutorials model_state_dict), beside which the root may hold a
 * tensor or two of the trainer's own; else the root. NULL where there is none. */
static const wl_pickle_value *find_dict(const archive *from)
{
    static const char *const names[] = {"state_dict", "model", "module", "model_state_dict"};
    const wl_pickle_cell *cells = from->pickle.cells;
    const wl_pickle_value *root = value_at(from, from->pickle.root), *found = NULL;
    size_t best = sizeof names / sizeof *names;
    if (!is_dict(root)) return NULL;
    for (uint32_t cell = root->first; cell; cell = cells[cell].next) {
        const wl_pickle_value *key = value_at(from, cells[cell].value);
        cell = cells[cell].next;
        const wl_pickle_value *value = value_at(from, cells[cell].value);
        for (size_t i = 0; i < best && is_dict(value); i++)
            if (is_text(key, names[i]) && has_tensors(from, value)) {
                best = i;
                found = value;
            }
    }
    return found ? found : root;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static wl_status check_names(archive *from, const wl_tensors *tensors, size_t before)
{
    size_t count = tensors->count - before;
    const char **names = wl_allocate(count, sizeof *names, from->error);
    if (!names) return WL_ERROR_MEMORY;
    for (size_t i = 0; i < count; i++) names[i] = tensors->items[before + i].name;
    if (count > 1) qsort(names, count, sizeof *names, compare_names);
    wl_status status = WL_OK;
    for (size_t i = 1; i < count && !status; i++)
        if (strcmp(names[i - 1], names[i]) == 0)
            status = FAIL(from, WL_ERROR_FORMAT, "expected each tensor once, found \"%.100s\" twice", names[i]);
    free(names);
    return status;
}

static wl_status add_tensors(archive *from, wl_tensors *tensors)
{
    const wl_pickle_cell *cells = from->pickle.cells;
    const wl_pickle_value *dict = find_dict(from);
    size_t before = tensors->count;
    for (uint32_t cell = dict ? dict->first : 0; cell; cell = cells[cell].next) {
        const wl_pickle_value *key = value_at(from, cells[cell].value);
        cell = cells[cell].next;
        const wl_pickle_value *value = tensor_of(from, value_at(from, cells[cell].value));
        if (!value || key->kind != WL_PICKLE_TEXT) continue;
        wl_text name = key->text;
        if (memchr(name.data, 0, name.size) || wl_utf8_valid(name.data, name.size) < name.size)
            return FAIL(from, WL_ERROR_FORMAT, "the name of a tensor holds a NUL or is not UTF-8");
        wl_stored *tensor = wl_tensors_add(tensors, name, from->error);
        if (!tensor) return WL_ERROR_MEMORY;
        if (read_tensor(from, value, tensor)) return from->error->code;
    }
    if (tensors->count == before)
        return FAIL(from, WL_ERROR_UNSUPPORTED,
                    "holds no dict of tensors by name, as torch.save(model.state_dict(), ...) writes it, itself or "
                    "under state_dict, model, module or model_state_dict");
    return check_names(from, tensors, before);
}

static wl_status read_archive(archive *from, wl_tensors *tensors)
{
    wl_text none = {"", 0};
    uint64_t place;
    if (find_folder(from) || check_kind(from)) return from->error->code;
    const wl_zip_entry *entry = find_entry(from, "data.pkl", none);
    char *data = read_entry(from, entry, PICKLE_MOST, &place);
    if (!data) return from->error->code;
    wl_status status = wl_pickle_read(&from->pickle, data, (size_t)entry->place.size, globals,
                                      sizeof globals / sizeof *globals, from->reader->name, place, from->error);
    if (!status) status = add_tensors(from, tensors);
    wl_pickle_free(&from->pickle);
    free(data);
    return status;
}

wl_status wl_read_torch(wl_reader *reader, wl_tensors *tensors, wl_error *error)
{
    archive from = {.reader = reader, .error = error};
    wl_status status = refuse_legacy(reader, error);
    if (!status) status = wl_zip_open(&from.zip, reader, error);
    if (!status) status = read_archive(&from, tensors);
    wl_zip_close(&from.zip);
    return status;
}
