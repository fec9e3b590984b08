/* Known models, the cache and the hub. */
#include "train.h"

enum { PATH_ROOM = 4096 };

/* ---- known models ------------------------------------------------------------------------------------------------ */

static PyObject *describe_files(const wl_known_model *model)
{
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list && i < model->file_count; i++) {
        const wl_known_file *file = &model->files[i];
        PyObject *item = Py_BuildValue("{s:s,s:s,s:s,s:K}", "name", file->name, "hub", file->hub, "sha256",
                                       file->sha256, "bytes", (unsigned long long)file->bytes);
        if (!item || PyList_Append(list, item)) Py_CLEAR(list);
        Py_XDECREF(item);
    }
    return list;
}

PyObject *known_models(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    const wl_known_model *models;
    size_t count = wl_known_models(&models);
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list && i < count; i++) {
        const wl_known_model *model = &models[i];
        PyObject *item = Py_BuildValue("{s:s,s:s,s:s,s:z,s:z,s:N}", "name", model->name, "description",
                                       model->description, "repository", model->repository, "package", model->package,
                                       "version", model->version, "files", describe_files(model));
        if (!item || PyList_Append(list, item)) Py_CLEAR(list);
        Py_XDECREF(item);
    }
    return list;
}

PyObject *cache_directory(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    char path[PATH_ROOM];
    wl_error error;
    return wl_cache_directory(path, sizeof path, &error) ? raise(&error) : path_value(path);
}

/* ---- fetching ---------------------------------------------------------------------------------------------------- */

static PyObject *fetch_known(const char *name, const wl_pull_options *options)
{
    char path[PATH_ROOM];
    wl_error error;
    PyThreadState *thread = PyEval_SaveThread();
    wl_status status = wl_pull(name, options, &error);
    if (!status) status = wl_pull_directory(name, options->cache, path, sizeof path, &error);
    PyEval_RestoreThread(thread);
    return has_failed(status) ? raise(&error) : path_value(path);
}

PyObject *pull(PyObject *module, PyObject *arguments, PyObject *named)
{
    (void)module;
    static char *keywords[] = {"name", "cache", "offline", "force", "progress", "message", NULL};
    text_argument name = {0}, cache = {0};
    hooks callbacks = {0};
    int offline = 0, force = 0;
    if (!PyArg_ParseTupleAndKeywords(arguments, named, "O&|O&ppO&O&:pull", keywords, take_text, &name,
                                     take_optional_text, &cache, &offline, &force, take_callable, &callbacks.progress,
                                     take_callable, &callbacks.message))
        return NULL;
    wl_pull_options options = {
        .size = sizeof options,
        .cache = cache.text,
        .offline = offline,
        .force = force,
        .progress = show_bytes,
        .message = tell,
        .user = &callbacks,
    };
    PyObject *result = fetch_known(name.text, &options);
    release_text(&name);
    release_text(&cache);
    return result;
}

/* file NULL: what a model needs. */
static PyObject *fetch_from_hub(const char *repository, const char *file, const wl_hub_options *options)
{
    char path[PATH_ROOM];
    wl_error error;
    PyThreadState *thread = PyEval_SaveThread();
    wl_status status = file ? wl_hub_fetch(repository, file, options, path, sizeof path, &error)
                            : wl_hub_fetch_model(repository, options, path, sizeof path, &error);
    PyEval_RestoreThread(thread);
    return has_failed(status) ? raise(&error) : path_value(path);
}

/* What the two functions have in common. */
typedef struct hub_arguments {
    text_argument repository, file, revision, cache;
    int offline, force;
    hooks callbacks;
} hub_arguments;

static PyObject *fetch_and_release(hub_arguments *this)
{
    wl_hub_options options = {
        .size = sizeof options,
        .cache = this->cache.text,
        .revision = this->revision.text,
        .offline = this->offline,
        .force = this->force,
        .progress = show_bytes,
        .message = tell,
        .user = &this->callbacks,
    };
    PyObject *result = fetch_from_hub(this->repository.text, this->file.text, &options);
    release_text(&this->repository);
    release_text(&this->file);
    release_text(&this->revision);
    release_text(&this->cache);
    return result;
}

PyObject *hub_fetch(PyObject *module, PyObject *arguments, PyObject *named)
{
    (void)module;
    static char *keywords[] = {"repository", "file",     "revision", "cache", "offline",
                               "force",      "progress", "message",  NULL};
    hub_arguments this = {0};
    if (!PyArg_ParseTupleAndKeywords(arguments, named, "O&O&|O&O&ppO&O&:hub_fetch", keywords, take_text,
                                     &this.repository, take_text, &this.file, take_optional_text, &this.revision,
                                     take_optional_text, &this.cache, &this.offline, &this.force, take_callable,
                                     &this.callbacks.progress, take_callable, &this.callbacks.message))
        return NULL;
    return fetch_and_release(&this);
}

PyObject *hub_fetch_model(PyObject *module, PyObject *arguments, PyObject *named)
{
    (void)module;
    static char *keywords[] = {"repository", "revision", "cache", "offline", "force", "progress", "message", NULL};
    hub_arguments this = {0};
    if (!PyArg_ParseTupleAndKeywords(arguments, named, "O&|O&O&ppO&O&:hub_fetch_model", keywords, take_text,
                                     &this.repository, take_optional_text, &this.revision, take_optional_text,
                                     &this.cache, &this.offline, &this.force, take_callable, &this.callbacks.progress,
                                     take_callable, &this.callbacks.message))
        return NULL;
    return fetch_and_release(&this);
}
