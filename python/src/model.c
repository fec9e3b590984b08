/* Model: opening, describing, embedding, tokenizing. */
#include "model.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Enough for all threads to be busy, and soon done: between batches Ctrl-C is heard. */
enum { BATCH_TEXTS = 1 << 16, BATCH_BYTES = 8 << 20, SHORT_TEXT = 4096 };

/* ---- contexts ---------------------------------------------------------------------------------------------------- */

static unsigned forks;

static void count_fork(void)
{
    forks++;
}

int watch_forks(void)
{
    static bool watched;
    if (!watched && pthread_atfork(NULL, NULL, count_fork) != 0) {
        PyErr_NoMemory();
        return -1;
    }
    watched = true;
    return 0;
}

static bool is_stale(used_context one)
{
    return one.threads != 1 && one.forks != forks;
}

wl_context *model_take(model_object *self, uint32_t threads, used_context *taken)
{
    for (size_t i = self->idle_count; i-- > 0;) {
        if (self->idle[i].threads != threads) continue;
        *taken = self->idle[i];
        memmove(self->idle + i, self->idle + i + 1, (--self->idle_count - i) * sizeof *self->idle);
        if (!is_stale(*taken)) return taken->context;
    }
    wl_error error;
    wl_context_options options = {.size = sizeof options, .threads = threads};
    *taken = (used_context){wl_context_create(&options, &error), threads, forks};
    return taken->context ? taken->context : raise(&error);
}

void model_put(model_object *self, used_context taken)
{
    if (is_stale(taken)) return;
    if (self->idle_count == IDLE_CONTEXTS) {
        if (!is_stale(self->idle[0])) wl_context_free(self->idle[0].context);
        memmove(self->idle, self->idle + 1, --self->idle_count * sizeof *self->idle);
    }
    self->idle[self->idle_count++] = taken;
}

/* ---- the object -------------------------------------------------------------------------------------------------- */

static PyObject *model_new(PyTypeObject *type, PyObject *arguments, PyObject *names)
{
    static char *keys[] = {"path", "tokenizer", "policy", "any_vocabulary", "whole_texts", NULL};
    PyObject *path = NULL, *tokenizer = NULL;
    int policy = 0, any_vocabulary = 0, whole_texts = 0;
    model_object *self = NULL;
    if (!PyArg_ParseTupleAndKeywords(arguments, names, "O&|O&ipp", keys, PyUnicode_FSConverter, &path,
                                     PyUnicode_FSConverter, &tokenizer, &policy, &any_vocabulary, &whole_texts))
        goto end;
    wl_model_options options = {
        .size = sizeof options,
        .tokenizer = tokenizer && PyBytes_Size(tokenizer) ? PyBytes_AsString(tokenizer) : NULL,
        .policy = (wl_policy)policy,
        .any_vocabulary = any_vocabulary,
        .whole_texts = whole_texts,
    };
    wl_error error;
    wl_model *model;
    Py_BEGIN_ALLOW_THREADS;
    model = wl_model_open(PyBytes_AsString(path), &options, &error);
    Py_END_ALLOW_THREADS;
    if (!model) {
        raise(&error);
        goto end;
    }
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    self = (model_object *)allocate(type, 0);
    if (self)
        self->model = model;
    else
        wl_model_close(model);
end:
    Py_XDECREF(path);
    Py_XDECREF(tokenizer);
    return (PyObject *)self;
}

static void model_dealloc(PyObject *object)
{
    model_object *self = (model_object *)object;
    for (size_t i = 0; i < self->idle_count; i++)
        if (!is_stale(self->idle[i])) wl_context_free(self->idle[i].context);
    wl_model_close(self->model);
    PyTypeObject *type = Py_TYPE(object);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(object);
    Py_DECREF(type);
}

static PyObject *describe(PyObject *object, PyObject *unused)
{
    (void)unused;
    const wl_model *model = ((model_object *)object)->model;
    wl_model_info info = wl_model_describe(model);
    return Py_BuildValue("{s:n,s:n,s:n,s:n,s:s,s:s,s:O,s:n,s:s}", "rows", (Py_ssize_t)info.rows, "dim",
                         (Py_ssize_t)info.dim, "vocabulary", (Py_ssize_t)info.vocabulary, "bytes",
                         (Py_ssize_t)info.bytes, "dtype", info.dtype, "policy",
                         info.policy == WL_POLICY_MODEL2VEC ? "model2vec" : "wordllama", "normalize",
                         info.normalize ? Py_True : Py_False, "max_tokens", (Py_ssize_t)info.max_tokens, "tokenizer",
                         wl_tokenizer_kind(wl_model_tokenizer(model)));
}

/* ---- embedding --------------------------------------------------------------------------------------------------- */

PyObject *new_bytes(size_t count, size_t size)
{
    if (size && count > (size_t)PY_SSIZE_T_MAX / size) return PyErr_NoMemory();
    return PyByteArray_FromStringAndSize(NULL, (Py_ssize_t)(count * size));
}

wl_embed_options embed_options(int normalize, int binary, unsigned dim)
{
    return (wl_embed_options){
        .size = sizeof(wl_embed_options), .normalize = (wl_toggle)normalize, .binary = binary, .dim = dim};
}

bool tell(void *user, uint64_t done, uint64_t bytes)
{
    (void)bytes;
    report *to = user;
    bool released = to->released != NULL;
    if (released) PyEval_RestoreThread(to->released);
    bool result = to->total < 0 ? go_on_held(to->progress, "(KO)", (unsigned long long)done, Py_None)
                                : go_on_held(to->progress, "(KL)", (unsigned long long)done, to->total);
    if (released) to->released = PyEval_SaveThread();
    return result;
}

/* Bytes of a row, 0 with an exception set. */
static size_t row_size(const model_object *self, const wl_embed_options *options)
{
    size_t size = wl_embed_row_size(self->model, options);
    if (!size)
        PyErr_Format(PyExc_ValueError, "dim is %u, expected at most %zu", options->dim,
                     wl_model_describe(self->model).dim);
    return size;
}

static bool read_long(PyObject *object, long least, long most, const char *name, long *out)
{
    *out = PyLong_AsLong(object);
    bool failed = *out == -1 && PyErr_Occurred();
    if (failed && !PyErr_ExceptionMatches(PyExc_OverflowError)) return false;
    PyErr_Clear();
    if (!failed && *out >= least && *out <= most) return true;
    PyErr_Format(PyExc_ValueError, "%s is %R, expected %ld to %ld", name, object, least, most);
    return false;
}

static bool read_options(PyObject *const *arguments, wl_embed_options *options)
{
    long normalize, binary, dim;
    if (!read_long(arguments[0], 0, 2, "normalize", &normalize) || !read_long(arguments[1], 0, 1, "binary", &binary) ||
        !read_long(arguments[2], 0, UINT32_MAX, "dim", &dim))
        return false;
    *options = embed_options((int)normalize, (int)binary, (unsigned)dim);
    return true;
}

static bool check_count(const char *name, Py_ssize_t count, Py_ssize_t expected)
{
    if (count == expected) return true;
    PyErr_Format(PyExc_TypeError, "%s takes %zd arguments, not %zd", name, expected, count);
    return false;
}

/* embed_one(text, normalize, binary, dim): the row as bytearray. */
static PyObject *embed_one(PyObject *object, PyObject *const *arguments, Py_ssize_t count)
{
    model_object *self = (model_object *)object;
    wl_embed_options options;
    if (!check_count("embed_one", count, 4) || !read_options(arguments + 1, &options)) return NULL;
    size_t size = row_size(self, &options);
    texts one = {0};
    wl_context *context = NULL;
    used_context taken;
    PyObject *out = NULL;
    wl_error error;
    wl_status status = WL_OK;
    if (!size || texts_add(&one, arguments[0], -1)) goto end;
    out = new_bytes(1, size);
    context = out ? model_take(self, 1, &taken) : NULL;
    if (!context) goto end;
    void *row = PyByteArray_AsString(out);
    /* Another thread may run for what that costs only where this takes a while. */
    PyThreadState *state = one.items[0].size > SHORT_TEXT ? PyEval_SaveThread() : NULL;
    status = wl_embed(self->model, context, one.items, 1, &options, row, size, &error);
    if (state) PyEval_RestoreThread(state);
    model_put(self, taken);
    if (status) raise(&error);
end:
    texts_free(&one);
    if (context && !status) return out;
    Py_XDECREF(out);
    return NULL;
}

/* The vectors of one batch, at the end of what out has. */
static int embed_batch(model_object *self, wl_context *context, const texts *batch, const wl_embed_options *options,
                       char *rows, size_t size)
{
    wl_error error;
    wl_status status;
    Py_BEGIN_ALLOW_THREADS;
    status = wl_embed(self->model, context, batch->items, batch->count, options, rows, batch->count * size, &error);
    Py_END_ALLOW_THREADS;
    if (!status) return 0;
    raise(&error);
    return -1;
}

/* Room for so many rows: what is not known beforehand grows by halves. */
static int make_room(PyObject *out, size_t rows, size_t size)
{
    size_t have = (size_t)PyByteArray_Size(out) / size;
    if (rows <= have) return 0;
    size_t wanted = have + have / 2 > rows ? have + have / 2 : rows;
    if (wanted > (size_t)PY_SSIZE_T_MAX / size) {
        PyErr_NoMemory();
        return -1;
    }
    return PyByteArray_Resize(out, (Py_ssize_t)(wanted * size));
}

static int embed_all(model_object *self, text_source *source, wl_context *context, const wl_embed_options *options,
                     PyObject *out, PyObject *progress)
{
    size_t size = wl_embed_row_size(self->model, options), done = 0;
    texts batch = {0};
    int status;
    while ((status = text_source_fill(source, &batch, BATCH_TEXTS, BATCH_BYTES)) == 0 && batch.count) {
        report to = {progress, text_source_count(source), NULL};
        status = make_room(out, done + batch.count, size);
        if (!status)
            status = embed_batch(self, context, &batch, options, PyByteArray_AsString(out) + done * size, size);
        if (status) break;
        done += batch.count;
        status = tell(&to, done, 0) ? 0 : -1;
        if (status) break;
    }
    texts_free(&batch);
    return status ? status : PyByteArray_Resize(out, (Py_ssize_t)(done * size));
}

/* embed(texts, normalize, binary, dim, threads, progress): the rows as bytearray. */
static PyObject *embed(PyObject *object, PyObject *const *arguments, Py_ssize_t count)
{
    model_object *self = (model_object *)object;
    wl_embed_options options;
    long threads;
    text_source source;
    if (!check_count("embed", count, 6) || !read_options(arguments + 1, &options) ||
        !read_long(arguments[4], 0, 4096, "threads", &threads))
        return NULL;
    size_t size = row_size(self, &options);
    if (!size || text_source_open(&source, arguments[0])) return NULL;
    PyObject *progress = arguments[5] == Py_None ? NULL : arguments[5];
    Py_ssize_t known = text_source_count(&source);
    PyObject *out = new_bytes(known < 0 ? 0 : (size_t)known, size);
    used_context taken;
    wl_context *context = out ? model_take(self, (uint32_t)threads, &taken) : NULL;
    int status = context ? embed_all(self, &source, context, &options, out, progress) : -1;
    if (context) model_put(self, taken);
    text_source_close(&source);
    if (!status) return out;
    Py_XDECREF(out);
    return NULL;
}

/* embed_tokens(text, normalize, binary, dim): a row for each token, as bytearray. */
static PyObject *embed_tokens(PyObject *object, PyObject *const *arguments, Py_ssize_t count)
{
    model_object *self = (model_object *)object;
    wl_embed_options options;
    if (!check_count("embed_tokens", count, 4) || !read_options(arguments + 1, &options)) return NULL;
    size_t size = row_size(self, &options), rows = 0, capacity = 0;
    texts one = {0};
    PyObject *out = NULL;
    wl_context *context = NULL;
    used_context taken;
    wl_status status = WL_ERROR_LIMIT;
    wl_error error;
    if (!size || texts_add(&one, arguments[0], -1) || !(context = model_take(self, 1, &taken))) goto end;
    /* A byte is at most about a token: mostly the first call is enough. */
    for (capacity = one.items[0].size / 2 + 16; status == WL_ERROR_LIMIT; capacity = rows) {
        Py_XDECREF(out);
        out = new_bytes(capacity, size);
        if (!out) break;
        char *data = PyByteArray_AsString(out);
        Py_BEGIN_ALLOW_THREADS;
        status = wl_embed_tokens(self->model, context, one.items[0], &options, data, capacity, &rows, &error);
        Py_END_ALLOW_THREADS;
        if (status == WL_ERROR_LIMIT && rows <= capacity) break;
    }
    if (out && status) raise(&error);
    if (!status && PyByteArray_Resize(out, (Py_ssize_t)(rows * size)) != 0) status = WL_ERROR_MEMORY;
end:
    if (context) model_put(self, taken);
    texts_free(&one);
    if (!status) return out;
    Py_XDECREF(out);
    return NULL;
}

/* table(dim): a row for each id, float32, as bytearray. A text of one token has its row. */
static PyObject *table(PyObject *object, PyObject *number)
{
    model_object *self = (model_object *)object;
    long dim;
    if (!read_long(number, 0, UINT32_MAX, "dim", &dim)) return NULL;
    wl_embed_options options = embed_options(WL_OFF, 0, (unsigned)dim);
    size_t rows = wl_model_describe(self->model).rows, size = row_size(self, &options);
    PyObject *out = size ? new_bytes(rows, size) : NULL;
    used_context taken;
    wl_context *context = out ? model_take(self, 1, &taken) : NULL;
    uint32_t *ids = malloc((rows + 1) * sizeof *ids);
    size_t *starts = malloc((rows + 1) * sizeof *starts);
    wl_error error = {.code = WL_ERROR_MEMORY};
    wl_status status = ids && starts ? WL_OK : WL_ERROR_MEMORY;
    for (size_t i = 0; i <= rows && !status; i++) {
        ids[i] = (uint32_t)i;
        starts[i] = i;
    }
    if (context && !status) {
        char *data = PyByteArray_AsString(out);
        Py_BEGIN_ALLOW_THREADS;
        status = wl_embed_ids(self->model, context, ids, starts, rows, &options, data, rows * size, &error);
        Py_END_ALLOW_THREADS;
    }
    if (context) model_put(self, taken);
    free(ids);
    free(starts);
    if (context && !status) return out;
    Py_XDECREF(out);
    return raise(&error);
}

/* ---- tokens ------------------------------------------------------------------------------------------------------ */

static wl_status encode_all(model_object *self, wl_context *context, const texts *all, const wl_encode_options *options,
                            PyObject *out[3], wl_error *error)
{
    const wl_tokenizer *tokenizer = wl_model_tokenizer(self->model);
    size_t capacity = 16;
    for (size_t i = 0; i < all->count; i++) capacity += all->items[i].size / 3 + 4;
    for (;;) {
        out[0] = new_bytes(capacity, sizeof(uint32_t));
        out[1] = new_bytes(capacity, sizeof(wl_span));
        out[2] = new_bytes(all->count + 1, sizeof(size_t));
        if (!out[0] || !out[1] || !out[2]) return WL_ERROR_MEMORY;
        uint32_t *ids = (uint32_t *)(void *)PyByteArray_AsString(out[0]);
        wl_span *spans = (wl_span *)(void *)PyByteArray_AsString(out[1]);
        size_t *starts = (size_t *)(void *)PyByteArray_AsString(out[2]);
        starts[all->count] = 0;
        wl_status status;
        Py_BEGIN_ALLOW_THREADS;
        status =
            wl_encode_batch(tokenizer, context, all->items, all->count, options, ids, spans, capacity, starts, error);
        Py_END_ALLOW_THREADS;
        size_t tokens = starts[all->count];
        if (status != WL_ERROR_LIMIT || tokens <= capacity) {
            if (!status && (PyByteArray_Resize(out[0], (Py_ssize_t)(tokens * sizeof *ids)) != 0 ||
                            PyByteArray_Resize(out[1], (Py_ssize_t)(tokens * sizeof *spans)) != 0))
                status = WL_ERROR_MEMORY;
            return status;
        }
        capacity = tokens;
        for (int i = 0; i < 3; i++) Py_CLEAR(out[i]);
    }
}

/* encode(texts, special_tokens, threads): ids (uint32), spans in characters (2 uint32 each), starts (size_t). */
static PyObject *encode(PyObject *object, PyObject *const *arguments, Py_ssize_t count)
{
    model_object *self = (model_object *)object;
    long special, threads;
    if (!check_count("encode", count, 3) || !read_long(arguments[1], 0, 1, "special_tokens", &special) ||
        !read_long(arguments[2], 0, 4096, "threads", &threads))
        return NULL;
    wl_encode_options options = {.size = sizeof options, .special_tokens = special, .unit = WL_CHARACTERS};
    texts all;
    text_source source;
    if (texts_all(&all, &source, arguments[0])) return NULL;
    used_context taken;
    wl_context *context = model_take(self, (uint32_t)threads, &taken);
    PyObject *out[3] = {NULL}, *result = NULL;
    wl_error error = {.code = WL_ERROR_MEMORY};
    if (context) {
        wl_status status = encode_all(self, context, &all, &options, out, &error);
        model_put(self, taken);
        result = status ? raise(&error) : PyTuple_Pack(3, out[0], out[1], out[2]);
    }
    for (int i = 0; i < 3; i++) Py_XDECREF(out[i]);
    texts_free(&all);
    text_source_close(&source);
    return result;
}

/* piece(id): the token as it stands in the vocabulary; None where there is none. */
static PyObject *piece(PyObject *object, PyObject *number)
{
    long id;
    if (!read_long(number, 0, UINT32_MAX, "id", &id)) return NULL;
    wl_text text = wl_tokenizer_piece(wl_model_tokenizer(((model_object *)object)->model), (uint32_t)id);
    if (!text.data) Py_RETURN_NONE;
    return PyUnicode_DecodeUTF8(text.data, (Py_ssize_t)text.size, "replace");
}

/* decode(ids, special_tokens): the text of ids, a buffer of uint32. */
static PyObject *decode(PyObject *object, PyObject *arguments)
{
    model_object *self = (model_object *)object;
    Py_buffer ids;
    int special;
    if (!PyArg_ParseTuple(arguments, "y*p", &ids, &special)) return NULL;
    wl_decode_options options = {.size = sizeof options, .special_tokens = special};
    size_t count = (size_t)ids.len / sizeof(uint32_t), size = 0, capacity = 16 * count + 16;
    used_context taken;
    wl_context *context = model_take(self, 1, &taken);
    char *text = NULL;
    wl_error error = {.code = WL_ERROR_MEMORY};
    wl_status status = context ? WL_ERROR_LIMIT : WL_ERROR_MEMORY;
    for (int i = 0; i < 2 && status == WL_ERROR_LIMIT; i++, capacity = size) {
        char *grown = realloc(text, capacity ? capacity : 1);
        if (!grown) {
            PyErr_NoMemory();
            break;
        }
        text = grown;
        Py_BEGIN_ALLOW_THREADS;
        status = wl_decode(wl_model_tokenizer(self->model), context, ids.buf, count, &options, text, capacity, &size,
                           &error);
        Py_END_ALLOW_THREADS;
    }
    if (context) model_put(self, taken);
    PyBuffer_Release(&ids);
    PyObject *result = status ? raise(&error) : PyUnicode_DecodeUTF8(text, (Py_ssize_t)size, "replace");
    free(text);
    return result;
}

/* ---- the type ---------------------------------------------------------------------------------------------------- */

static PyMethodDef own_methods[] = {
    {"describe", describe, METH_NOARGS, NULL},
    {"embed_one", (PyCFunction)(void (*)(void))embed_one, METH_FASTCALL, NULL},
    {"embed", (PyCFunction)(void (*)(void))embed, METH_FASTCALL, NULL},
    {"embed_tokens", (PyCFunction)(void (*)(void))embed_tokens, METH_FASTCALL, NULL},
    {"table", table, METH_O, NULL},
    {"encode", (PyCFunction)(void (*)(void))encode, METH_FASTCALL, NULL},
    {"decode", decode, METH_VARARGS, NULL},
    {"piece", piece, METH_O, NULL},
};

enum { OWN_METHODS = sizeof own_methods / sizeof *own_methods, MOST_METHODS = 32 };

int add_model_type(PyObject *module)
{
    static PyMethodDef methods[MOST_METHODS]; /* ends with zeroes */
    memcpy(methods, own_methods, sizeof own_methods);
    for (size_t i = 0; toolkit_methods[i].ml_name; i++) methods[OWN_METHODS + i] = toolkit_methods[i];
    PyType_Slot slots[] = {
        {Py_tp_doc, "An open model: what the classes of word_llama are made of."},
        {Py_tp_new, (void *)model_new},
        {Py_tp_dealloc, (void *)model_dealloc},
        {Py_tp_methods, methods},
        {0, NULL},
    };
    PyType_Spec spec = {"word_llama._core.Model", sizeof(model_object), 0, Py_TPFLAGS_DEFAULT, slots};
    PyObject *type = PyType_FromModuleAndSpec(module, &spec, NULL);
    int status = type ? PyModule_AddObjectRef(module, "Model", type) : -1;
    Py_XDECREF(type);
    return status;
}
