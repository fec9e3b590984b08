/* What the files of the module _train share: arguments, callbacks, and the functions in its table. */
#ifndef WORD_LLAMA_TRAIN_H
#define WORD_LLAMA_TRAIN_H

#include "errors.h"

#include "wordllama_train.h"

/* ---- arguments --------------------------------------------------------------------------------------------------- */

/* All take_... functions are converters of PyArg_ParseTupleAndKeywords's "O&". Zero what they fill in beforehand. */

/* A str, bytes or os.PathLike as the C library takes it. Zeroed is none. */
typedef struct text_argument {
    PyObject *owner; /* bytes; released by release_text, or by the parser where it fails */
    const char *text;
} text_argument;

int take_text(PyObject *object, void *target);
int take_optional_text(PyObject *object, void *target); /* None too */
void release_text(text_argument *argument);
void release_each(text_argument *const *arguments); /* up to a NULL */

/* A sequence of the same; None is an empty one. */
typedef struct texts_argument {
    PyObject *owner; /* list of bytes */
    const char **items;
    size_t count;
} texts_argument;

int take_texts(PyObject *object, void *target);
void release_texts(texts_argument *argument);

/* For uint32_t and uint64_t; a number that does not fit is ValueError. */
int take_count(PyObject *object, void *target);
int take_large_count(PyObject *object, void *target);
/* For PyObject *, borrowed; None is NULL. */
int take_callable(PyObject *object, void *target);
/* "f16", "bf16", "f32" for wl_stored_as; "sif", "zipf", "none" for wl_weighting. */
int take_stored_as(PyObject *object, void *target);
int take_weighting(PyObject *object, void *target);

/* The place of a word in a list that ends with NULL; -1 and ValueError, which names what and the words, where it is not
 * in there. */
int find_word(const char *word, const char *const *words, const char *what);

/* ---- callbacks --------------------------------------------------------------------------------------------------- */

/* The user pointer of all callbacks. Each takes the GIL itself; an exception in one stays set and stops the call, which
 * its caller sees by has_failed. */
typedef struct hooks {
    PyObject *progress, *message; /* borrowed; NULL: none */
} hooks;

bool show_bytes(void *user, const char *file, uint64_t done, uint64_t total); /* progress(file, done, total) */
void tell(void *user, const char *text);                                      /* message(text) */

/* ---- results ----------------------------------------------------------------------------------------------------- */

/* Whether an exception is to be raised, for the status or for one that a callback left. */
bool has_failed(wl_status status);
/* A name of the file system; needs no check: Py_BuildValue's "N" does it. */
PyObject *path_value(const char *path);

/* ---- functions of the module, one group a file ------------------------------------------------------------------- */

PyObject *known_models(PyObject *module, PyObject *unused);
PyObject *cache_directory(PyObject *module, PyObject *unused);
PyObject *pull(PyObject *module, PyObject *arguments, PyObject *named);
PyObject *hub_fetch(PyObject *module, PyObject *arguments, PyObject *named);
PyObject *hub_fetch_model(PyObject *module, PyObject *arguments, PyObject *named);

PyObject *codebook_configs(PyObject *module, PyObject *unused);
PyObject *codebook_config(PyObject *module, PyObject *arguments, PyObject *named);
PyObject *extract(PyObject *module, PyObject *arguments, PyObject *named);
PyObject *concat(PyObject *module, PyObject *arguments, PyObject *named);
PyObject *reduce(PyObject *module, PyObject *arguments, PyObject *named);

PyObject *prepare(PyObject *module, PyObject *arguments, PyObject *named);
PyObject *make_targets(PyObject *module, PyObject *arguments, PyObject *named);
PyObject *train(PyObject *module, PyObject *arguments, PyObject *named);

PyObject *evaluate(PyObject *module, PyObject *arguments, PyObject *named);

#endif
