/* Model: what texts are compared for. Each method takes its texts whole, as long as the call runs. */
#include "model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of texts that are ranked at once. */
enum { BLOCK_TEXTS = 1 << 16, BLOCK_BYTES = 8 << 20, SHORT_TEXT = 4096 };

/* What all of these need: the texts, a context, and their ends. */
typedef struct job {
    model_object *model;
    texts texts;
    text_source source;
    wl_context *context;
    used_context taken;
    wl_error error;
} job;

/* texts NULL: none. 0, or -1 with an exception set, and nothing to end. */
static int begin(job *this, PyObject *model, PyObject *all, unsigned threads)
{
    *this = (job){.model = (model_object *)model, .error = {.code = WL_ERROR_MEMORY}};
    if (all && texts_all(&this->texts, &this->source, all)) return -1;
    this->context = model_take(this->model, threads, &this->taken);
    if (this->context) return 0;
    texts_free(&this->texts);
    text_source_close(&this->source);
    return -1;
}

static void end(job *this)
{
    model_put(this->model, this->taken);
    texts_free(&this->texts);
    text_source_close(&this->source);
}

/* The vectors of all texts, of unit length where they are floats. NULL with an exception set. */
static void *embed_texts(job *this, int binary, unsigned dim, wl_vectors *vectors)
{
    wl_embed_options options = embed_options(WL_ON, binary, dim);
    size_t size = wl_embed_row_size(this->model->model, &options), count = this->texts.count;
    wl_model_info info = wl_model_describe(this->model->model);
    void *rows = size ? malloc(count ? count * size : 1) : NULL;
    if (!size) PyErr_Format(PyExc_ValueError, "dim is %u, expected at most %zu", dim, info.dim);
    if (size && !rows) PyErr_NoMemory();
    if (!rows) return NULL;
    wl_status status;
    Py_BEGIN_ALLOW_THREADS;
    status = wl_embed(this->model->model, this->context, this->texts.items, count, &options, rows, count * size,
                      &this->error);
    Py_END_ALLOW_THREADS;
    *vectors = (wl_vectors){rows, count, dim ? dim : info.dim, binary ? WL_ELEMENT_BITS : WL_ELEMENT_F32};
    if (!status) return rows;
    free(rows);
    return raise(&this->error);
}

static PyObject *list_of_numbers(const void *numbers, size_t count, PyObject *(*make)(const void *, size_t))
{
    PyObject *list = PyList_New((Py_ssize_t)count);
    for (size_t i = 0; i < count && list; i++) {
        PyObject *item = make(numbers, i);
        if (!item || PyList_SetItem(list, (Py_ssize_t)i, item) != 0) Py_CLEAR(list);
    }
    return list;
}

static PyObject *index_of(const void *matches, size_t i)
{
    return PyLong_FromSize_t(((const wl_match *)matches)[i].index);
}

static PyObject *score_of(const void *matches, size_t i)
{
    return PyFloat_FromDouble((double)((const wl_match *)matches)[i].score);
}

static PyObject *label_of(const void *labels, size_t i)
{
    return PyLong_FromUnsignedLong(((const uint32_t *)labels)[i]);
}

/* ([index, ...], [score, ...]) */
static PyObject *pair_of_lists(const wl_match *matches, size_t count)
{
    return Py_BuildValue("(NN)", list_of_numbers(matches, count, index_of), list_of_numbers(matches, count, score_of));
}

/* ---- comparing with a query -------------------------------------------------------------------------------------- */

/* similarity(a, b, binary, hamming, dim) */
static PyObject *similarity(PyObject *object, PyObject *arguments)
{
    PyObject *a, *b;
    int binary, hamming;
    unsigned dim;
    wl_match match;
    size_t kept;
    job this;
    if (!PyArg_ParseTuple(arguments, "OOppI", &a, &b, &binary, &hamming, &dim) || begin(&this, object, NULL, 1))
        return NULL;
    wl_rank_options options = {
        .size = sizeof options, .dim = dim, .binary = binary, .measure = hamming ? WL_HAMMING : WL_COSINE};
    PyObject *result = NULL;
    if (texts_add(&this.texts, a, -1) == 0 && texts_add(&this.texts, b, -1) == 0) {
        const wl_text *both = this.texts.items;
        wl_status status;
        Py_BEGIN_ALLOW_THREADS;
        status = wl_rank(this.model->model, this.context, both[0], both + 1, 1, &options, &match, &kept, &this.error);
        Py_END_ALLOW_THREADS;
        result = status ? raise(&this.error) : PyFloat_FromDouble((double)match.score);
    }
    end(&this);
    return result;
}

/* All texts by blocks, between which Ctrl-C is heard; places count on. matches has room for all. 0, or -1. */
static int rank_blocks(job *this, wl_text query, const wl_rank_options *options, report *to, wl_match *matches,
                       size_t *kept)
{
    for (size_t begin = 0, count, found; begin < this->texts.count; begin += count, *kept += found) {
        size_t bytes = 0;
        for (count = 0; begin + count < this->texts.count && count < BLOCK_TEXTS && bytes < BLOCK_BYTES; count++)
            bytes += this->texts.items[begin + count].size;
        wl_match *block = matches + *kept;
        const wl_text *first = this->texts.items + begin;
        wl_status status;
        Py_BEGIN_ALLOW_THREADS;
        status = wl_rank(this->model->model, this->context, query, first, count, options, block, &found, &this->error);
        Py_END_ALLOW_THREADS;
        if (status) {
            raise(&this->error);
            return -1;
        }
        for (size_t i = 0; i < found; i++) block[i].index += begin;
        if (!tell(to, begin + count, 0)) return -1;
    }
    return 0;
}

/* rank(query, texts, binary, hamming, dim, sort, top, threshold or None, threads, progress) */
static PyObject *rank(PyObject *object, PyObject *arguments)
{
    PyObject *query, *all, *threshold, *progress;
    int binary, hamming, sort;
    unsigned dim, threads;
    Py_ssize_t top;
    if (!PyArg_ParseTuple(arguments, "OOppIpnOIO", &query, &all, &binary, &hamming, &dim, &sort, &top, &threshold,
                          &threads, &progress))
        return NULL;
    wl_rank_options options = {
        .size = sizeof options,
        .dim = dim,
        .binary = binary,
        .measure = hamming ? WL_HAMMING : WL_COSINE,
        .keep_order = true,
        .above = threshold != Py_None,
        .threshold = threshold != Py_None ? PyFloat_AsDouble(threshold) : 0,
    };
    job this;
    texts asked = {0};
    if (PyErr_Occurred() || texts_add(&asked, query, -1)) return NULL;
    if (begin(&this, object, all, threads)) {
        texts_free(&asked);
        return NULL;
    }
    size_t kept = 0;
    report to = {progress == Py_None ? NULL : progress, (long long)this.texts.count, NULL};
    wl_match *matches = malloc((this.texts.count + 1) * sizeof *matches);
    PyObject *result = NULL;
    if (!matches)
        PyErr_NoMemory();
    else if (rank_blocks(&this, asked.items[0], &options, &to, matches, &kept) == 0) {
        if (sort) wl_sort_matches(matches, kept);
        result = pair_of_lists(matches, top > 0 && (size_t)top < kept ? (size_t)top : kept);
    }
    free(matches);
    texts_free(&asked);
    end(&this);
    return result;
}

/* ---- a query as a key of sorting --------------------------------------------------------------------------------- */

typedef struct key_object {
    PyObject_HEAD wl_key *key;
    PyObject *model;
} key_object;

static PyObject *key_type; /* of the process */

/* key(query, binary, dim): a callable, text to score. */
static PyObject *make_key(PyObject *object, PyObject *arguments)
{
    PyObject *query;
    int binary;
    unsigned dim;
    job this;
    if (!PyArg_ParseTuple(arguments, "OpI", &query, &binary, &dim) || begin(&this, object, NULL, 1)) return NULL;
    wl_rank_options options = {.size = sizeof options, .dim = dim, .binary = binary};
    wl_key *key = NULL;
    key_object *self = NULL;
    if (texts_add(&this.texts, query, -1) == 0) {
        Py_BEGIN_ALLOW_THREADS;
        key = wl_key_create(this.model->model, this.context, this.texts.items[0], &options, &this.error);
        Py_END_ALLOW_THREADS;
        if (!key) raise(&this.error);
    }
    end(&this);
    if (key) {
        PyTypeObject *type = (PyTypeObject *)key_type;
        allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
        self = (key_object *)allocate(type, 0);
    }
    if (self) {
        self->key = key;
        self->model = Py_NewRef(object);
    } else
        wl_key_free(key);
    return (PyObject *)self;
}

static PyObject *key_call(PyObject *object, PyObject *arguments, PyObject *names)
{
    key_object *self = (key_object *)object;
    PyObject *text;
    float score = 0;
    job this;
    if (names && PyDict_Size(names)) {
        PyErr_SetString(PyExc_TypeError, "a key takes one text, and no keyword");
        return NULL;
    }
    if (!PyArg_ParseTuple(arguments, "O", &text) || begin(&this, self->model, NULL, 1)) return NULL;
    wl_status status = WL_ERROR_MEMORY;
    if (texts_add(&this.texts, text, -1) == 0) {
        PyThreadState *state = this.texts.items[0].size > SHORT_TEXT ? PyEval_SaveThread() : NULL;
        status = wl_key_score(self->key, this.context, this.texts.items[0], &score, &this.error);
        if (state) PyEval_RestoreThread(state);
        if (status) raise(&this.error);
    }
    end(&this);
    return status ? NULL : PyFloat_FromDouble((double)score);
}

static void key_dealloc(PyObject *object)
{
    key_object *self = (key_object *)object;
    wl_key_free(self->key);
    Py_XDECREF(self->model);
    PyTypeObject *type = Py_TYPE(object);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(object);
    Py_DECREF(type);
}

int add_key_type(PyObject *module)
{
    PyType_Slot slots[] = {
        {Py_tp_doc, "key(text) -> float: the similarity of a text to the query that the key was made of."},
        {Py_tp_call, (void *)key_call},
        {Py_tp_dealloc, (void *)key_dealloc},
        {0, NULL},
    };
    PyType_Spec spec = {"word_llama._core.Key", sizeof(key_object), 0,
                        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};
    if (!key_type) key_type = PyType_FromModuleAndSpec(module, &spec, NULL);
    return key_type ? PyModule_AddObjectRef(module, "Key", key_type) : -1;
}

/* ---- deduplicating ----------------------------------------------------------------------------------------------- */

static PyObject *list_dropped(wl_match *repeats, size_t count)
{
    PyObject *list = PyList_New(0);
    for (size_t i = 0; i < count && list; i++) {
        if (repeats[i].index == WL_NONE) continue;
        PyObject *item = Py_BuildValue("(nnd)", (Py_ssize_t)i, (Py_ssize_t)repeats[i].index, (double)repeats[i].score);
        if (!item || PyList_Append(list, item) != 0) Py_CLEAR(list);
        Py_XDECREF(item);
    }
    return list;
}

/* deduplicate(texts, threshold, binary, dim, greedy, threads, progress): [(index, of which, score), ...] of what goes
 */
static PyObject *deduplicate(PyObject *object, PyObject *arguments)
{
    PyObject *all, *progress;
    double threshold;
    int binary, greedy;
    unsigned dim, threads;
    job this;
    if (!PyArg_ParseTuple(arguments, "OdpIpIO", &all, &threshold, &binary, &dim, &greedy, &threads, &progress) ||
        begin(&this, object, all, threads))
        return NULL;
    report to = {progress == Py_None ? NULL : progress, (long long)this.texts.count, NULL};
    wl_deduplicate_options options = {
        .size = sizeof options,
        .has_threshold = true,
        .threshold = threshold,
        .greedy = greedy,
        .progress = tell,
        .user = &to,
    };
    wl_vectors vectors;
    void *rows = embed_texts(&this, binary, dim, &vectors);
    wl_match *repeats = rows ? malloc((vectors.count + 1) * sizeof *repeats) : NULL;
    if (rows && !repeats) PyErr_NoMemory();
    PyObject *result = NULL;
    if (repeats) {
        wl_status status;
        to.released = PyEval_SaveThread();
        status = wl_deduplicate(&vectors, &options, this.context, repeats, NULL, &this.error);
        PyEval_RestoreThread(to.released);
        result = status ? raise(&this.error) : list_dropped(repeats, vectors.count);
    }
    free(repeats);
    free(rows);
    end(&this);
    return result;
}

/* ---- clustering -------------------------------------------------------------------------------------------------- */

/* cluster(texts, k, iterations, tolerance, starts, seed, dim, threads, progress): ([label, ...], inertia, iterations)
 */
static PyObject *cluster(PyObject *object, PyObject *arguments)
{
    PyObject *all, *progress;
    wl_cluster_options options = {.size = sizeof options, .has_tolerance = true, .progress = tell};
    unsigned long long seed;
    unsigned dim, threads, clusters, iterations, starts;
    job this;
    if (!PyArg_ParseTuple(arguments, "OIIdIKIIO", &all, &clusters, &iterations, &options.tolerance, &starts, &seed,
                          &dim, &threads, &progress) ||
        begin(&this, object, all, threads))
        return NULL;
    report to = {progress == Py_None ? NULL : progress, -1, NULL};
    options.clusters = clusters;
    options.most_iterations = iterations;
    options.starts = starts;
    options.seed = seed;
    options.user = &to;
    wl_vectors vectors;
    void *rows = embed_texts(&this, 0, dim, &vectors);
    uint32_t *labels = rows ? malloc((vectors.count + 1) * sizeof *labels) : NULL;
    if (rows && !labels) PyErr_NoMemory();
    PyObject *result = NULL;
    wl_clustering found;
    if (labels) {
        wl_status status;
        to.released = PyEval_SaveThread();
        status = wl_cluster(&vectors, &options, this.context, labels, NULL, &found, &this.error);
        PyEval_RestoreThread(to.released);
        result = status ? raise(&this.error)
                        : Py_BuildValue("(NdI)", list_of_numbers(labels, vectors.count, label_of), found.inertia,
                                        found.iterations);
    }
    free(labels);
    free(rows);
    end(&this);
    return result;
}

/* ---- splitting --------------------------------------------------------------------------------------------------- */

static PyObject *list_chunks(const wl_chunks *chunks)
{
    size_t count = wl_chunks_count(chunks);
    PyObject *list = PyList_New((Py_ssize_t)count);
    for (size_t i = 0; i < count && list; i++) {
        wl_text text = wl_chunks_at(chunks, i).text;
        PyObject *chunk = PyUnicode_DecodeUTF8(text.data, (Py_ssize_t)text.size, "replace");
        if (!chunk || PyList_SetItem(list, (Py_ssize_t)i, chunk) != 0) Py_CLEAR(list);
    }
    return list;
}

/* Places as int32 and all similarities as float32, in bytearrays. */
static PyObject *minima_of(const wl_chunks *chunks)
{
    wl_minima minima = wl_chunks_minima(chunks);
    PyObject *places = new_bytes(minima.count, sizeof(int32_t)), *similarity = new_bytes(minima.pieces, sizeof(float));
    if (!places || !similarity) {
        Py_XDECREF(places);
        Py_XDECREF(similarity);
        return NULL;
    }
    int32_t *out = (int32_t *)(void *)PyByteArray_AsString(places);
    for (size_t i = 0; i < minima.count; i++) out[i] = (int32_t)minima.places[i];
    if (minima.pieces)
        memcpy(PyByteArray_AsString(similarity), minima.similarity, minima.pieces * sizeof *minima.similarity);
    return Py_BuildValue("(NN)", places, similarity);
}

/* split(text, target, intermediate, cleanup, window, smoothing, order, tokens, minima) */
static PyObject *split(PyObject *object, PyObject *arguments)
{
    PyObject *text;
    int tokens, minima;
    unsigned target, intermediate, cleanup, window, smoothing, order;
    job this;
    if (!PyArg_ParseTuple(arguments, "OIIIIIIpp", &text, &target, &intermediate, &cleanup, &window, &smoothing, &order,
                          &tokens, &minima) ||
        begin(&this, object, NULL, 1))
        return NULL;
    wl_split_options options = {
        .size = sizeof options,
        .tokens = tokens,
        .target_size = target,
        .intermediate_size = intermediate,
        .cleanup_size = cleanup,
        .window = window,
        .smoothing_window = smoothing,
        .polynomial_order = order,
    };
    PyObject *result = NULL;
    if (texts_add(&this.texts, text, -1) == 0) {
        wl_chunks *chunks;
        Py_BEGIN_ALLOW_THREADS;
        chunks = wl_split(this.model->model, this.context, this.texts.items[0], &options, &this.error);
        Py_END_ALLOW_THREADS;
        result = !chunks ? raise(&this.error) : minima ? minima_of(chunks) : list_chunks(chunks);
        wl_chunks_free(chunks);
    }
    end(&this);
    return result;
}

/* ---- explaining -------------------------------------------------------------------------------------------------- */

/* explain(a, b, dim): ([(piece, share), ...] of a, cosine) */
static PyObject *explain(PyObject *object, PyObject *arguments)
{
    PyObject *a, *b, *result = NULL;
    unsigned dim;
    job this;
    if (!PyArg_ParseTuple(arguments, "OOI", &a, &b, &dim) || begin(&this, object, NULL, 1)) return NULL;
    wl_contribution *parts = NULL;
    size_t count = 0, capacity = 0;
    float cosine = 0;
    wl_status status = WL_ERROR_LIMIT;
    if (texts_add(&this.texts, a, -1) || texts_add(&this.texts, b, -1)) goto end;
    const wl_text *both = this.texts.items;
    for (int i = 0; i < 2 && status == WL_ERROR_LIMIT; i++, capacity = count) {
        wl_contribution *grown = realloc(parts, (capacity + 1) * sizeof *parts);
        if (!grown) {
            PyErr_NoMemory();
            goto end;
        }
        parts = grown;
        Py_BEGIN_ALLOW_THREADS;
        status = wl_explain(this.model->model, this.context, both[0], both[1], dim, parts, capacity, &count, &cosine,
                            &this.error);
        Py_END_ALLOW_THREADS;
    }
    if (status) {
        raise(&this.error);
        goto end;
    }
    PyObject *list = PyList_New((Py_ssize_t)count);
    for (size_t i = 0; i < count && list; i++) {
        wl_text piece = wl_tokenizer_piece(wl_model_tokenizer(this.model->model), parts[i].id);
        PyObject *name = PyUnicode_DecodeUTF8(piece.data, (Py_ssize_t)piece.size, "replace");
        PyObject *item = Py_BuildValue("(Nd)", name, (double)parts[i].share);
        if (!item || PyList_SetItem(list, (Py_ssize_t)i, item) != 0) Py_CLEAR(list);
    }
    if (list) result = Py_BuildValue("(Nd)", list, (double)cosine);
end:
    free(parts);
    end(&this);
    return result;
}

PyMethodDef toolkit_methods[] = {
    {"similarity", similarity, METH_VARARGS, NULL}, {"rank", rank, METH_VARARGS, NULL},
    {"key", make_key, METH_VARARGS, NULL},          {"deduplicate", deduplicate, METH_VARARGS, NULL},
    {"cluster", cluster, METH_VARARGS, NULL},       {"split", split, METH_VARARGS, NULL},
    {"explain", explain, METH_VARARGS, NULL},       {NULL, NULL, 0, NULL},
};
