/* The type Model: an open model with the contexts that its calls run in. */
#ifndef WORD_LLAMA_MODEL_H
#define WORD_LLAMA_MODEL_H

#include "texts.h"

enum { IDLE_CONTEXTS = 8 };

/* A context, in a call or waiting for its next one. */
typedef struct used_context {
    wl_context *context;
    uint32_t threads;
    unsigned forks; /* of the process, when it was made */
} used_context;

typedef struct model_object {
    PyObject_HEAD wl_model *model;
    used_context idle[IDLE_CONTEXTS]; /* the oldest first */
    size_t idle_count;
} model_object;

/* A context for one call, which ends with model_put: new, or one that was used before, with its word cache. After a
 * fork those with threads are left behind, also by a call that forked: in the child their threads are gone. NULL with
 * an exception set, and nothing to put. */
wl_context *model_take(model_object *self, uint32_t threads, used_context *taken);
void model_put(model_object *self, used_context taken);

/* Counts forks, so that contexts know; once a process. */
int watch_forks(void);

/* Room for a result, count * size bytes, not zeroed, as bytearray: what can be a NumPy array without a copy. */
PyObject *new_bytes(size_t count, size_t size);

/* How vectors are made, out of the arguments that many methods have. */
wl_embed_options embed_options(int normalize, int binary, unsigned dim);

/* What a long call tells meanwhile: .user of a wl_progress. */
typedef struct report {
    PyObject *progress;      /* NULL: none */
    long long total;         /* -1: not known */
    PyThreadState *released; /* of a call that gave the GIL away; NULL: it is held */
} report;
bool tell(void *user, uint64_t done, uint64_t bytes);

extern PyMethodDef toolkit_methods[]; /* of Model; ends with a zero entry */
int add_key_type(PyObject *module);
int add_model_type(PyObject *module);
extern PyMethodDef vector_functions[]; /* of the module */

#endif
