/* What the extension modules share: the C library's failures as Python's exceptions. Include this first: it chooses the
 * limited API. */
#ifndef WORD_LLAMA_ERRORS_H
#define WORD_LLAMA_ERRORS_H

#define PY_SSIZE_T_CLEAN
#ifndef Py_LIMITED_API
#define Py_LIMITED_API 0x030B0000
#endif
#include <Python.h>

#include "wordllama.h"

/* Adds WordLlamaError to a module; where another module made it already, that one. Returns 0, or -1 with an
 * exception set. */
int add_error_type(PyObject *module);

/* Sets the exception that a failure is: ARGUMENT and LIMIT are ValueError, MEMORY MemoryError, NOT_FOUND
 * FileNotFoundError, IO OSError, the rest WordLlamaError, which has the attributes code ("WL_ERROR_FORMAT"), file,
 * byte and line (None where there is none). An exception that is set already stays: it is why a callback cancelled.
 * Returns NULL. Needs the GIL. */
void *raise(const wl_error *error);

/* Whether a call may go on: runs what signals (Ctrl-C) asked for, then progress(*arguments), where progress is not
 * NULL, with arguments made by Py_BuildValue's format, a tuple. False leaves an exception set. A callback that returns
 * False asks to stop, which is KeyboardInterrupt. go_on takes the GIL itself; go_on_held wants it held, which in a
 * sub-interpreter is not the same. */
bool go_on(PyObject *progress, const char *format, ...);
bool go_on_held(PyObject *progress, const char *format, ...);

#endif
