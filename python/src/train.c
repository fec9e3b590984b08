/* The module _train: the way to a model, as the C library has it. Everything here is thin; word_llama.training has the
 * defaults, the types and the words. */
#include "train.h"

/* ---- train ------------------------------------------------------------------------------------------------------- */

typedef struct train_arguments {
    text_argument config;
    PyObject *pairs;         /* settings, as they were given */
    text_argument *texts;    /* (count, 2): name and value of each */
    wl_train_setting *items; /* (count) */
    size_t count;
    int resume;
    hooks callbacks;
} train_arguments;

static bool show_state(void *user, const wl_train_state *state)
{
    const hooks *this = user;
    return go_on(this->progress, "(KKddddddd)", (unsigned long long)state->step, (unsigned long long)state->steps,
                 state->loss, state->rate, state->norm, state->score, state->texts_per_second, state->seconds,
                 state->left);
}

static bool take_setting(train_arguments *this, PyObject *pair, size_t place)
{
    static const char expected[] = "a setting is a tuple (name, value) of str";
    text_argument *name = &this->texts[2 * place], *value = name + 1;
    if (!PyTuple_Check(pair) || PyTuple_Size(pair) != 2) {
        PyErr_SetString(PyExc_TypeError, expected);
        return false;
    }
    if (!take_text(PyTuple_GetItem(pair, 0), name) || !take_text(PyTuple_GetItem(pair, 1), value)) return false;
    this->items[place] = (wl_train_setting){name->text, value->text};
    return true;
}

static bool take_settings(train_arguments *this)
{
    PyObject *list = this->pairs && this->pairs != Py_None ? PySequence_List(this->pairs) : PyList_New(0);
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
        result = take_setting(this, PyList_GetItem(list, (Py_ssize_t)i), i);
    Py_DECREF(list);
    return result;
}

static PyObject *run_train(train_arguments *this)
{
    wl_train_options options = {
        .size = sizeof options,
        .settings = this->items,
        .setting_count = this->count,
        .resume = this->resume,
        .progress = show_state,
        .message = tell,
        .user = &this->callbacks,
    };
    wl_trained out = {0};
    wl_error error;
    PyThreadState *thread = PyEval_SaveThread();
    wl_status status = wl_train(this->config.text, &options, &out, &error);
    PyEval_RestoreThread(thread);
    if (has_failed(status)) return raise(&error);
    return Py_BuildValue("{s:K,s:d,s:d,s:K,s:d,s:N,s:N}", "steps", (unsigned long long)out.steps, "loss", out.loss,
                         "score", out.score, "best_step", (unsigned long long)out.best_step, "seconds", out.seconds,
                         "model", path_value(out.model), "log", path_value(out.log));
}

PyObject *train(PyObject *module, PyObject *arguments, PyObject *named)
{
    (void)module;
    static char *keywords[] = {"config", "settings", "resume", "progress", "message", NULL};
    train_arguments this = {0};
    if (!PyArg_ParseTupleAndKeywords(arguments, named, "|O&OpO&O&:train", keywords, take_optional_text, &this.config,
                                     &this.pairs, &this.resume, take_callable, &this.callbacks.progress, take_callable,
                                     &this.callbacks.message))
        return NULL;
    PyObject *result = take_settings(&this) ? run_train(&this) : NULL;
    for (size_t i = 0; i < 2 * this.count; i++) release_text(&this.texts[i]);
    PyMem_Free(this.texts);
    PyMem_Free(this.items);
    release_text(&this.config);
    return result;
}

/* ---- the module -------------------------------------------------------------------------------------------------- */

#define NAMED(function, help)                                                                                          \
    {                                                                                                                  \
#function, (PyCFunction)(void (*)(void))(function), METH_VARARGS | METH_KEYWORDS, help                         \
    }

static PyMethodDef methods[] = {
    {"known_models", known_models, METH_NOARGS, "The models that pull knows, as dicts."},
    {"cache_directory", cache_directory, METH_NOARGS, "The folder for what is fetched."},
    NAMED(pull, "Fetches a known model; returns its folder. progress(file, done, total), message(text)."),
    NAMED(hub_fetch, "Fetches a file of a repository; returns its path. progress(file, done, total)."),
    NAMED(hub_fetch_model, "Fetches what a model needs; returns its folder. progress(file, done, total)."),
    {"codebook_configs", codebook_configs, METH_NOARGS, "Names of the codebook configs that are built in."},
    NAMED(codebook_config, "A codebook config as a dict."),
    NAMED(extract, "Takes the token embeddings out of a model. progress(file, done, total)."),
    NAMED(concat, "Puts codebooks side by side. progress(file, rows, total)."),
    NAMED(reduce, "Makes a model of a codebook. progress(file, rows, total)."),
    NAMED(prepare, "Turns records into token ids. progress(records, bytes)."),
    NAMED(make_targets, "Makes targets of teachers' vectors."),
    NAMED(train, "Trains a model. progress(step, steps, loss, rate, norm, score, texts_per_second, seconds, left)."),
    NAMED(evaluate, "Scores an embedder. progress(done, total)."),
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, (void *)add_error_type},
    {0, NULL},
};

static struct PyModuleDef definition = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "word_llama._train",
    .m_doc = "Training, codebooks, evaluation and the hub, as the C library has them.",
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__train(void); /* before its definition, for the compiler */

PyMODINIT_FUNC PyInit__train(void)
{
    return PyModuleDef_Init(&definition);
}
