/* Evaluation of anything in Python that turns texts into vectors. */
#include "train.h"

#include <string.h>

typedef struct evaluate_arguments {
    PyObject *embed;
    uint32_t dim;
    texts_argument sets, only;
    PyObject *variants; /* as they were given; NULL: all dimensions, floats */
    wl_variant *items;  /* (count) */
    size_t count;
    uint32_t threads, seed;
    uint64_t total; /* what progress counts up to */
    hooks callbacks;
} evaluate_arguments;

/* ---- the embedder ------------------------------------------------------------------------------------------------ */

static PyObject *make_list(const wl_text *texts, size_t count)
{
    PyObject *list = PyList_New((Py_ssize_t)count);
    for (size_t i = 0; list && i < count; i++) {
        const char *data = texts[i].size ? texts[i].data : "";
        PyObject *text = PyUnicode_DecodeUTF8(data, (Py_ssize_t)texts[i].size, "replace");
        if (!text || PyList_SetItem(list, (Py_ssize_t)i, text)) Py_CLEAR(list);
    }
    return list;
}

static bool is_float(const Py_buffer *view)
{
    const char *format = view->format ? view->format : "B";
    if (*format == '@' || *format == '=' || *format == '<') format++;
    return strcmp(format, "f") == 0 && view->itemsize == sizeof(float);
}

/* Whether it holds count rows: two-dimensional, or all numbers in a row. */
static bool fits(const Py_buffer *view, size_t count, size_t dim)
{
    if (view->ndim == 2 && ((size_t)view->shape[0] != count || (size_t)view->shape[1] != dim)) return false;
    return view->ndim >= 1 && view->ndim <= 2 && (size_t)view->len == count * dim * sizeof(float);
}

static bool copy_rows(PyObject *rows, size_t count, size_t dim, float *out)
{
    Py_buffer view;
    if (PyObject_GetBuffer(rows, &view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT)) return false;
    bool result = false;
    if (!is_float(&view)) {
        PyErr_Format(PyExc_TypeError, "the embedder gave elements of the format '%s', expected 'f' (float32)",
                     view.format ? view.format : "B");
    } else if (!fits(&view, count, dim)) {
        PyErr_Format(PyExc_ValueError,
                     "the embedder gave %zd numbers in %d dimensions for %zu texts, expected (%zu, %zu)",
                     view.len / view.itemsize, view.ndim, count, count, dim);
    } else {
        memcpy(out, view.buf, (size_t)view.len);
        result = true;
    }
    PyBuffer_Release(&view);
    return result;
}

/* Called from the thread that called wl_evaluate, which gave the GIL away. What goes wrong stays set as an exception.
 */
static wl_status embed_texts(void *user, const wl_text *texts, size_t count, float *out, wl_error *error)
{
    const evaluate_arguments *this = user;
    PyGILState_STATE state = PyGILState_Ensure();
    PyObject *list = PyErr_Occurred() ? NULL : make_list(texts, count);
    PyObject *rows = list ? PyObject_CallFunctionObjArgs(this->embed, list, NULL) : NULL;
    bool result = rows && copy_rows(rows, count, this->dim, out);
    Py_XDECREF(rows);
    Py_XDECREF(list);
    PyGILState_Release(state);
    if (result) return WL_OK;
    *error = (wl_error){.code = WL_ERROR_CANCELLED, .byte = WL_NO_POSITION, .message = "the embedder failed"};
    return error->code;
}

static bool show_scored(void *user, uint64_t done, uint64_t unused)
{
    (void)unused;
    const evaluate_arguments *this = user;
    return go_on(this->callbacks.progress, "(KK)", (unsigned long long)done, (unsigned long long)this->total);
}

static void tell_about_sets(void *user, const char *text)
{
    evaluate_arguments *this = user;
    tell(&this->callbacks, text);
}

/* ---- results ----------------------------------------------------------------------------------------------------- */

static PyObject *describe_score(const wl_sets *sets, const wl_evaluation *evaluation, size_t set, size_t variant)
{
    static const char *const tasks[] = {"similarity", "classification", "clustering", "pair", "retrieval", "triplet"};
    wl_set_info info = wl_sets_at(sets, set);
    wl_variant form = wl_evaluation_variant(evaluation, variant);
    wl_set_score score = wl_evaluation_score(evaluation, set, variant);
    size_t task = (size_t)info.task;
    return Py_BuildValue("{s:N,s:N,s:s,s:s,s:I,s:O,s:d,s:d,s:d,s:n}", "group", path_value(info.group), "name",
                         path_value(info.name), "metric", info.metric, "task",
                         task < sizeof tasks / sizeof *tasks ? tasks[task] : "unknown", "dim", form.dim, "binary",
                         form.binary ? Py_True : Py_False, "score", score.score, "recall", score.recall, "map",
                         score.map, "items", (Py_ssize_t)info.items);
}

static PyObject *describe_all(const wl_sets *sets, const wl_evaluation *evaluation)
{
    PyObject *list = PyList_New(0);
    size_t variants = wl_evaluation_variants(evaluation), count = wl_sets_count(sets) * variants;
    for (size_t i = 0; list && i < count; i++) {
        PyObject *item = describe_score(sets, evaluation, i % (count / variants), i / (count / variants));
        if (!item || PyList_Append(list, item)) Py_CLEAR(list);
        Py_XDECREF(item);
    }
    return list;
}

/* ---- evaluate ---------------------------------------------------------------------------------------------------- */

static bool take_variants(evaluate_arguments *this)
{
    if (!this->variants || this->variants == Py_None) return true;
    PyObject *list = PySequence_List(this->variants);
    if (!list) return false;
    this->count = (size_t)PyList_Size(list);
    this->items = PyMem_Calloc(this->count + 1, sizeof *this->items);
    bool result = this->items;
    if (!result) PyErr_NoMemory();
    for (size_t i = 0; result && i < this->count; i++) {
        PyObject *item = PyList_GetItem(list, (Py_ssize_t)i);
        int binary = 0;
        result = PyTuple_Check(item);
        if (!result)
            PyErr_SetString(PyExc_TypeError, "a variant is a tuple (dim, binary)");
        else
            result = PyArg_ParseTuple(item, "O&p;a variant is a tuple (dim, binary)", take_count, &this->items[i].dim,
                                      &binary);
        this->items[i].binary = binary;
    }
    Py_DECREF(list);
    return result;
}

static bool parse_evaluate(evaluate_arguments *this, PyObject *arguments, PyObject *named)
{
    static char *keywords[] = {"embed",   "dim",  "sets",     "only",    "variants",
                               "threads", "seed", "progress", "message", NULL};
    return PyArg_ParseTupleAndKeywords(
        arguments, named, "OO&O&|O&OO&O&O&O&:evaluate", keywords, &this->embed, take_count, &this->dim, take_texts,
        &this->sets, take_texts, &this->only, &this->variants, take_count, &this->threads, take_count, &this->seed,
        take_callable, &this->callbacks.progress, take_callable, &this->callbacks.message);
}

/* Without the GIL. *sets and *context are the caller's to free, also after a failure. */
static wl_evaluation *score(evaluate_arguments *this, wl_sets **sets, wl_context **context, wl_error *error)
{
    wl_sets_options reading = {
        .size = sizeof reading,
        .only = this->only.count ? this->only.items : NULL,
        .only_count = this->only.count,
        .message = tell_about_sets,
        .user = this,
    };
    *sets = wl_sets_open(this->sets.items, this->sets.count, &reading, error);
    if (!*sets) return NULL;
    wl_context_options threads = {.size = sizeof threads, .threads = this->threads};
    *context = wl_context_create(&threads, error);
    if (!*context) return NULL;
    this->total = wl_evaluate_total(*sets, this->count ? this->count : 1);
    wl_embedder embedder = {.dim = this->dim, .embed = embed_texts, .user = this};
    wl_evaluate_options options = {
        .size = sizeof options,
        .variants = this->count ? this->items : NULL,
        .variant_count = this->count,
        .seed = this->seed,
        .progress = show_scored,
        .user = this,
    };
    return wl_evaluate(*sets, &embedder, *context, &options, error);
}

static PyObject *run_evaluate(evaluate_arguments *this)
{
    wl_sets *sets = NULL;
    wl_context *context = NULL;
    wl_error error;
    PyThreadState *thread = PyEval_SaveThread();
    wl_evaluation *evaluation = score(this, &sets, &context, &error);
    PyEval_RestoreThread(thread);
    PyObject *result = NULL;
    if (has_failed(evaluation ? WL_OK : error.code))
        raise(&error);
    else
        result = describe_all(sets, evaluation);
    wl_evaluation_free(evaluation);
    wl_context_free(context);
    wl_sets_close(sets);
    return result;
}

PyObject *evaluate(PyObject *module, PyObject *arguments, PyObject *named)
{
    (void)module;
    evaluate_arguments this = {0};
    if (!parse_evaluate(&this, arguments, named)) return NULL;
    PyObject *result = take_variants(&this) ? run_evaluate(&this) : NULL;
    PyMem_Free(this.items);
    release_texts(&this.sets);
    release_texts(&this.only);
    return result;
}
