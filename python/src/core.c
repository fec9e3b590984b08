/* The module word_llama._core: inference and the toolkit. What people call is in the package's classes, which are
 * made of this; its own stub (_core.pyi) tells the arguments. */
#include "model.h"

static int fill_module(PyObject *module)
{
    if (watch_forks() || add_error_type(module) || add_model_type(module) || add_key_type(module)) return -1;
    return PyModule_AddStringConstant(module, "__version__", wl_version());
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, (void *)fill_module},
    {0, NULL},
};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "word_llama._core",
    .m_doc = "Inference and the toolkit of WordLlama in C.",
    .m_methods = vector_functions,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__core(void);

PyMODINIT_FUNC PyInit__core(void)
{
    return PyModuleDef_Init(&definition);
}
