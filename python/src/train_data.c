/* What training reads: prepared texts and teachers' vectors. */
#include "train.h"

/* ---- prepare ----------------------------------------------------------------------------------------------------- */

typedef struct prepare_arguments {
    texts_argument paths, evaluation;
    text_argument tokenizer, path, near_model, kept, texts, removed;
    wl_prepare_options options;
    int keep_duplicates, resume;
    hooks callbacks;
} prepare_arguments;

static bool show_records(void *user, uint64_t records, uint64_t bytes)
{
    const hooks *this = user;
    return go_on(this->progress, "(KK)", (unsigned long long)records, (unsigned long long)bytes);
}

static bool parse_prepare(prepare_arguments *this, PyObject *arguments, PyObject *named)
{
    static char *keywords[] = {"paths",        "tokenizer",   "path",      "evaluation",      "near_model", "near",
                               "least_tokens", "most_tokens", "sentences", "keep_duplicates", "kept",       "texts",
                               "removed",      "resume",      "threads",   "progress",        "message",    NULL};
    wl_prepare_options *options = &this->options;
    return PyArg_ParseTupleAndKeywords(
        arguments, named, "O&O&O&|O&O&dO&O&O&pO&O&O&pO&O&O&:prepare", keywords, take_texts, &this->paths, take_text,
        &this->tokenizer, take_text, &this->path, take_texts, &this->evaluation, take_optional_text, &this->near_model,
        &options->near, take_count, &options->least_tokens, take_count, &options->most_tokens, take_count,
        &options->sentences, &this->keep_duplicates, take_optional_text, &this->kept, take_optional_text, &this->texts,
        take_optional_text, &this->removed, &this->resume, take_count, &options->threads, take_callable,
        &this->callbacks.progress, take_callable, &this->callbacks.message);
}

static void fill_options(prepare_arguments *this)
{
    wl_prepare_options *options = &this->options;
    options->size = sizeof *options;
    options->evaluation = this->evaluation.items;
    options->evaluation_count = this->evaluation.count;
    options->keep_duplicates = this->keep_duplicates;
    options->kept = this->kept.text;
    options->texts = this->texts.text;
    options->removed = this->removed.text;
    options->resume = this->resume;
    options->progress = show_records;
    options->message = tell;
    options->user = &this->callbacks;
}

/* Without the GIL. */
static wl_status prepare_opened(prepare_arguments *this, wl_prepared *out, wl_error *error)
{
    wl_tokenizer *tokenizer = wl_tokenizer_open(this->tokenizer.text, error);
    if (!tokenizer) return error->code;
    wl_model *near_model = this->near_model.text ? wl_model_open(this->near_model.text, NULL, error) : NULL;
    this->options.near_model = near_model;
    wl_status status = WL_OK;
    if (this->near_model.text && !near_model) status = error->code;
    if (!status)
        status =
            wl_prepare(this->paths.items, this->paths.count, tokenizer, this->path.text, &this->options, out, error);
    wl_model_close(near_model);
    wl_tokenizer_close(tokenizer);
    return status;
}

/* {"too_short": 3, ...} */
static PyObject *describe_removed(const wl_prepared *prepared)
{
    PyObject *removed = PyDict_New();
    for (int i = 0; removed && i < WL_REMOVED_REASONS; i++) {
        char name[64];
        size_t length = 0;
        for (const char *from = wl_removed_name((wl_removed)i); *from && length + 1 < sizeof name; from++)
            name[length++] = *from == ' ' ? '_' : *from;
        name[length] = 0;
        PyObject *count = PyLong_FromUnsignedLongLong(prepared->removed[i]);
        if (!count || PyDict_SetItemString(removed, name, count)) Py_CLEAR(removed);
        Py_XDECREF(count);
    }
    return removed;
}

static PyObject *run_prepare(prepare_arguments *this)
{
    wl_prepared out = {0};
    wl_error error;
    fill_options(this);
    PyThreadState *thread = PyEval_SaveThread();
    wl_status status = prepare_opened(this, &out, &error);
    PyEval_RestoreThread(thread);
    if (has_failed(status)) return raise(&error);
    return Py_BuildValue("{s:K,s:K,s:N,s:K,s:K}", "records", (unsigned long long)out.records, "kept",
                         (unsigned long long)out.kept, "removed", describe_removed(&out), "texts",
                         (unsigned long long)out.texts, "tokens", (unsigned long long)out.tokens);
}

PyObject *prepare(PyObject *module, PyObject *arguments, PyObject *named)
{
    (void)module;
    prepare_arguments this = {0};
    if (!parse_prepare(&this, arguments, named)) return NULL;
    PyObject *result = run_prepare(&this);
    text_argument *const all[] = {&this.tokenizer, &this.path, &this.near_model, &this.kept, &this.texts,
                                  &this.removed,   NULL};
    release_each(all);
    release_texts(&this.paths);
    release_texts(&this.evaluation);
    return result;
}

/* ---- make_targets ------------------------------------------------------------------------------------------------ */

typedef struct targets_arguments {
    PyObject *teachers; /* as it was given */
    text_argument path;
    wl_targets_options options;
    int centre;
    text_argument *texts; /* (count, 2): the path and the tensor of each */
    wl_teacher *items;    /* (count) */
    size_t count;
} targets_arguments;

static bool take_teacher(targets_arguments *this, PyObject *item, size_t place)
{
    text_argument *path = &this->texts[2 * place], *tensor = path + 1;
    double weight = 1;
    if (!PyTuple_Check(item)) {
        PyErr_SetString(PyExc_TypeError, "a teacher is a tuple (path, tensor or None, weight)");
        return false;
    }
    if (!PyArg_ParseTuple(item, "O&|O&d;a teacher is a tuple (path, tensor or None, weight)", take_text, path,
                          take_optional_text, tensor, &weight))
        return false;
    this->items[place] = (wl_teacher){.path = path->text, .tensor = tensor->text, .weight = weight};
    return true;
}

static bool take_teachers(targets_arguments *this)
{
    PyObject *list = PySequence_List(this->teachers);
    if (!list) return false;
    this->count = (size_t)PyList_Size(list);
    this->texts = PyMem_Calloc(2 * this->count + 1, sizeof *this->texts);
    this->items = PyMem_Calloc(this->count + 1, sizeof *this->items);
    bool result = this->texts && this->items;
    if (!result) {
        PyErr_NoMemory();
        this->count = 0;
    }
    for (size_t i = 0; i < this->count && result; i++)
        result = take_teacher(this, PyList_GetItem(list, (Py_ssize_t)i), i);
    Py_DECREF(list);
    return result;
}

static PyObject *run_targets(targets_arguments *this)
{
    wl_error error;
    this->options.size = sizeof this->options;
    this->options.centre = this->centre;
    PyThreadState *thread = PyEval_SaveThread();
    wl_status status = wl_make_targets(this->items, this->count, this->path.text, &this->options, &error);
    PyEval_RestoreThread(thread);
    return has_failed(status) ? raise(&error) : Py_NewRef(Py_None);
}

PyObject *make_targets(PyObject *module, PyObject *arguments, PyObject *named)
{
    (void)module;
    static char *keywords[] = {"teachers", "path", "dim", "whitening", "centre", "threads", NULL};
    targets_arguments this = {0};
    if (!PyArg_ParseTupleAndKeywords(arguments, named, "OO&|O&dpO&:make_targets", keywords, &this.teachers, take_text,
                                     &this.path, take_count, &this.options.dim, &this.options.whitening, &this.centre,
                                     take_count, &this.options.threads))
        return NULL;
    PyObject *result = take_teachers(&this) ? run_targets(&this) : NULL;
    for (size_t i = 0; i < 2 * this.count; i++) release_text(&this.texts[i]);
    PyMem_Free(this.texts);
    PyMem_Free(this.items);
    release_text(&this.path);
    return result;
}
