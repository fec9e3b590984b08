/* The type Model: an open model with the contexts that its calls run in. */
#ifndef WORD_LLAMA_MODEL_H
#define WORD_LLAMA_MODEL_H

#include "texts.h"

enum { IDLE_CONTEXTS = 8 };

/* A context that waits for its next call. */
typedef struct idle_context {
    wl_context *context;
    uint32_t threads;
    unsigned forks; /* of the process, when it was made */
} idle_context;

typedef struct model_object {
    PyObject_HEAD wl_model *model;
    idle_context idle[IDLE_CONTEXTS];
    size_t idle_count;
} model_object;

/* A context for one call, which ends with model_put: new, or one that was used before, with its word cache. After a
 * fork those with threads are left behind: in the child their threads are gone. NULL with an exception set. */
wl_context *model_take(model_object *self, uint32_t threads);
void model_put(model_object *self, wl_context *context, uint32_t threads);

/* Counts forks, so that contexts know; once a process. */
int watch_forks(void);

/* Zeroed numbers for a result, count * size bytes, as bytearray: what can be a NumPy array without a copy. */
PyObject *new_bytes(size_t count, size_t size);

/* How vectors are made, out of the arguments that many methods have. */
wl_embed_options embed_options(int normalize, int binary, unsigned dim);

/* What a long call tells meanwhile: .user of a wl_progress. */
typedef struct report {
    PyObject *progress; /* NULL: none */
    long long total;    /* -1: not known */
} report;
bool tell(void *user, uint64_t done, uint64_t bytes);

extern PyMethodDef toolkit_methods[]; /* of Model; ends with a zero entry */
int add_key_type(PyObject *module);
int add_model_type(PyObject *module);
extern PyMethodDef vector_functions[]; /* of the module */

#endif
