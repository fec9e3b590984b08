/* Codebooks: their configs, taking them out of models, putting them together, making models of them. */
#include "train.h"

#include <string.h>

typedef unsigned long long count_value; /* what Py_BuildValue's "K" takes */

/* ---- configs ----------------------------------------------------------------------------------------------------- */

PyObject *codebook_configs(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    const char *const *names;
    size_t count = wl_codebook_configs(&names);
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list && i < count; i++) {
        PyObject *name = PyUnicode_FromString(names[i]);
        if (!name || PyList_Append(list, name)) Py_CLEAR(list);
        Py_XDECREF(name);
    }
    return list;
}

PyObject *codebook_config(PyObject *module, PyObject *arguments, PyObject *named)
{
    (void)module;
    static char *keywords[] = {"name", NULL};
    text_argument name = {0};
    if (!PyArg_ParseTupleAndKeywords(arguments, named, "O&:codebook_config", keywords, take_text, &name)) return NULL;
    wl_error error;
    wl_codebook_config config = {0};
    PyObject *result;
    if (wl_codebook_config_read(name.text, &config, &error))
        result = raise(&error);
    else
        result = Py_BuildValue("{s:z,s:z,s:z,s:z,s:z,s:K,s:K,s:O,s:O}", "name", config.name, "model", config.model,
                               "tensor", config.tensor, "pad_token", config.pad_token, "note", config.note, "dim",
                               (count_value)config.dim, "vocabulary", (count_value)config.vocabulary, "padded",
                               config.padded ? Py_True : Py_False, "composed", config.composed ? Py_True : Py_False);
    wl_codebook_config_free(&config);
    release_text(&name);
    return result;
}

/* ---- extract ----------------------------------------------------------------------------------------------------- */

typedef struct extract_arguments {
    text_argument source, path, config, file, tensor, tokenizer, revision;
    wl_stored_as stored_as;
    int output_embeddings, allow_padding, offline;
    hooks callbacks;
} extract_arguments;

static bool parse_extract(extract_arguments *this, PyObject *arguments, PyObject *named)
{
    static char *keywords[] = {
        "source",        "path",     "config",  "file",     "tensor",  "tokenizer", "stored_as", "output_embeddings",
        "allow_padding", "revision", "offline", "progress", "message", NULL};
    return PyArg_ParseTupleAndKeywords(
        arguments, named, "O&O&|O&O&O&O&O&ppO&pO&O&:extract", keywords, take_text, &this->source, take_text,
        &this->path, take_optional_text, &this->config, take_optional_text, &this->file, take_optional_text,
        &this->tensor, take_optional_text, &this->tokenizer, take_stored_as, &this->stored_as, &this->output_embeddings,
        &this->allow_padding, take_optional_text, &this->revision, &this->offline, take_callable,
        &this->callbacks.progress, take_callable, &this->callbacks.message);
}

static PyObject *run_extract(extract_arguments *this)
{
    wl_hub_options hub = {
        .size = sizeof hub,
        .revision = this->revision.text,
        .offline = this->offline,
        .progress = show_bytes,
        .message = tell,
        .user = &this->callbacks,
    };
    wl_extract_options options = {
        .size = sizeof options,
        .config = this->config.text,
        .file = this->file.text,
        .tensor = this->tensor.text,
        .tokenizer = this->tokenizer.text,
        .stored_as = this->stored_as,
        .output_embeddings = this->output_embeddings,
        .allow_padding = this->allow_padding,
        .hub = &hub,
        .progress = show_bytes,
        .message = tell,
        .user = &this->callbacks,
    };
    wl_extracted out = {0};
    wl_error error;
    PyThreadState *thread = PyEval_SaveThread();
    wl_status status = wl_extract(this->source.text, this->path.text, &options, &out, &error);
    PyEval_RestoreThread(thread);
    if (has_failed(status)) return raise(&error);
    return Py_BuildValue("{s:K,s:K,s:K,s:K,s:N,s:s,s:s,s:N}", "rows", (count_value)out.rows, "dim",
                         (count_value)out.dim, "vocabulary", (count_value)out.vocabulary, "bytes_read",
                         (count_value)out.bytes_read, "tensor", path_value(out.tensor), "stored", out.stored,
                         "revision", out.revision, "tokenizer", path_value(out.tokenizer));
}

PyObject *extract(PyObject *module, PyObject *arguments, PyObject *named)
{
    (void)module;
    extract_arguments this = {0};
    if (!parse_extract(&this, arguments, named)) return NULL;
    PyObject *result = run_extract(&this);
    text_argument *const all[] = {&this.source, &this.path,      &this.config,   &this.file,
                                  &this.tensor, &this.tokenizer, &this.revision, NULL};
    release_each(all);
    return result;
}

/* ---- concat ------------------------------------------------------------------------------------------------------ */

typedef struct concat_arguments {
    texts_argument sources, scale_names;
    text_argument path;
    int align;
    wl_stored_as stored_as;
    uint32_t threads;
    hooks callbacks;
    wl_scale *scales;        /* (scale_names) */
    wl_concat_source *found; /* (sources) */
} concat_arguments;

static bool parse_concat(concat_arguments *this, PyObject *arguments, PyObject *named)
{
    static char *keywords[] = {"sources", "path",     "scales",  "align", "stored_as",
                               "threads", "progress", "message", NULL};
    return PyArg_ParseTupleAndKeywords(
        arguments, named, "O&O&|O&pO&O&O&O&:concat", keywords, take_texts, &this->sources, take_text, &this->path,
        take_texts, &this->scale_names, &this->align, take_stored_as, &this->stored_as, take_count, &this->threads,
        take_callable, &this->callbacks.progress, take_callable, &this->callbacks.message);
}

static bool make_room(concat_arguments *this)
{
    static const char *const words[] = {"none", "variance", "norm", NULL};
    this->scales = PyMem_Calloc(this->scale_names.count + 1, sizeof *this->scales);
    this->found = PyMem_Calloc(this->sources.count + 1, sizeof *this->found);
    if (!this->scales || !this->found) {
        PyErr_NoMemory();
        return false;
    }
    for (size_t i = 0; i < this->scale_names.count; i++) {
        int place = find_word(this->scale_names.items[i], words, "a scale");
        if (place < 0) return false;
        this->scales[i] = (wl_scale)place;
    }
    return true;
}

static PyObject *describe_sources(const wl_concat_source *sources, size_t count)
{
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list && i < count; i++) {
        const wl_concat_source *source = &sources[i];
        PyObject *item = Py_BuildValue(
            "{s:K,s:K,s:d,s:K,s:K,s:K,s:K}", "rows", (count_value)source->rows, "dim", (count_value)source->dim,
            "factor", source->factor, "dropped", (count_value)source->dropped, "matched", (count_value)source->matched,
            "averaged", (count_value)source->averaged, "missing", (count_value)source->missing);
        if (!item || PyList_Append(list, item)) Py_CLEAR(list);
        Py_XDECREF(item);
    }
    return list;
}

static PyObject *run_concat(concat_arguments *this)
{
    wl_concat_options options = {
        .size = sizeof options,
        .scales = this->scale_names.count ? this->scales : NULL,
        .scale_count = this->scale_names.count,
        .align = this->align,
        .stored_as = this->stored_as,
        .threads = this->threads,
        .progress = show_bytes,
        .message = tell,
        .user = &this->callbacks,
    };
    wl_concatenated out = {0};
    wl_error error;
    PyThreadState *thread = PyEval_SaveThread();
    wl_status status =
        wl_concat(this->sources.items, this->sources.count, this->path.text, &options, this->found, &out, &error);
    PyEval_RestoreThread(thread);
    if (has_failed(status)) return raise(&error);
    return Py_BuildValue("{s:K,s:K,s:N,s:N}", "rows", (count_value)out.rows, "dim", (count_value)out.dim, "tokenizer",
                         path_value(out.tokenizer), "sources", describe_sources(this->found, this->sources.count));
}

PyObject *concat(PyObject *module, PyObject *arguments, PyObject *named)
{
    (void)module;
    concat_arguments this = {0};
    if (!parse_concat(&this, arguments, named)) return NULL;
    PyObject *result = make_room(&this) ? run_concat(&this) : NULL;
    PyMem_Free(this.scales);
    PyMem_Free(this.found);
    release_texts(&this.sources);
    release_texts(&this.scale_names);
    release_text(&this.path);
    return result;
}

/* ---- reduce ------------------------------------------------------------------------------------------------------ */

typedef struct reduce_arguments {
    text_argument codebook, path, tokenizer;
    PyObject *counts; /* NULL: none */
    Py_buffer view;   /* of counts */
    wl_reduce_options options;
    hooks callbacks;
} reduce_arguments;

static bool parse_reduce(reduce_arguments *this, PyObject *arguments, PyObject *named)
{
    static char *keywords[] = {"codebook", "path",      "tokenizer", "dim",     "remove",   "weighting", "sif",
                               "counts",   "stored_as", "seed",      "threads", "progress", NULL};
    wl_reduce_options *options = &this->options;
    return PyArg_ParseTupleAndKeywords(
        arguments, named, "O&O&|O&O&O&O&dOO&O&O&O&:reduce", keywords, take_text, &this->codebook, take_text,
        &this->path, take_optional_text, &this->tokenizer, take_count, &options->dim, take_count, &options->remove,
        take_weighting, &options->weighting, &options->sif, &this->counts, take_stored_as, &options->stored_as,
        take_large_count, &options->seed, take_count, &options->threads, take_callable, &this->callbacks.progress);
}

static bool open_counts(reduce_arguments *this)
{
    if (!this->counts || this->counts == Py_None) return true;
    if (PyObject_GetBuffer(this->counts, &this->view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT)) return false;
    const char *format = this->view.format ? this->view.format : "B";
    if (strspn(format, "@=<QL") == strlen(format) && this->view.itemsize == sizeof(uint64_t)) return true;
    PyErr_Format(PyExc_TypeError, "counts has elements of the format '%s', expected 64-bit unsigned ones", format);
    return false;
}

/* *fits: whether there is a count for each row; where not, error is left as it is. */
static wl_status reduce_opened(reduce_arguments *this, const wl_codebook *codebook, wl_reduced *out, wl_error *error,
                               bool *fits)
{
    size_t counts = this->view.obj ? (size_t)this->view.len / sizeof(uint64_t) : 0;
    *fits = !this->view.obj || counts == wl_codebook_describe(codebook).rows;
    return *fits ? wl_reduce(codebook, this->path.text, &this->options, out, error) : WL_ERROR_ARGUMENT;
}

static PyObject *run_reduce(reduce_arguments *this)
{
    this->options.size = sizeof this->options;
    this->options.counts = this->view.obj ? this->view.buf : NULL;
    this->options.progress = show_bytes;
    this->options.user = &this->callbacks;
    wl_reduced out = {0};
    wl_error error;
    bool fits = true;
    PyThreadState *thread = PyEval_SaveThread();
    wl_codebook *codebook = wl_codebook_open(this->codebook.text, this->tokenizer.text, &error);
    wl_status status = codebook ? reduce_opened(this, codebook, &out, &error, &fits) : error.code;
    count_value rows = codebook ? wl_codebook_describe(codebook).rows : 0;
    wl_codebook_close(codebook);
    PyEval_RestoreThread(thread);
    if (!fits) return PyErr_Format(PyExc_ValueError, "counts must have a number for each of the %llu rows", rows);
    if (has_failed(status)) return raise(&error);
    return Py_BuildValue("{s:K,s:K,s:d,s:d,s:d,s:N}", "rows", (count_value)out.rows, "dim", (count_value)out.dim,
                         "kept", out.kept, "removed", out.removed, "sif", out.sif, "tokenizer",
                         path_value(out.tokenizer));
}

PyObject *reduce(PyObject *module, PyObject *arguments, PyObject *named)
{
    (void)module;
    reduce_arguments this = {0};
    if (!parse_reduce(&this, arguments, named)) return NULL;
    PyObject *result = open_counts(&this) ? run_reduce(&this) : NULL;
    PyBuffer_Release(&this.view); /* of no effect where there is none */
    release_text(&this.codebook);
    release_text(&this.path);
    release_text(&this.tokenizer);
    return result;
}
