/* SPDX-License-Identifier: Apache-2.0 */
/* The module quern._quern: its types, exceptions and constants. */
#include "python/native/native.h"

static int add_types(PyObject *module, QpModule *state)
{
    const struct {
        PyType_Spec *spec;
        PyTypeObject **to;
    } types[] = {
        {&qp_cancel_spec, &state->cancel}, {&qp_plan_spec, &state->plan},
        {&qp_pool_spec, &state->pool},     {&qp_session_spec, &state->session},
        {&qp_tensor_spec, &state->tensor},
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        *types[i].to = (PyTypeObject *)PyType_FromModuleAndSpec(module, types[i].spec, NULL);
        if (!*types[i].to || PyModule_AddType(module, *types[i].to) < 0)
            return -1;
    }
    return 0;
}

/* TYPES: {name of an element type: its number}. */
static int add_element_types(PyObject *module)
{
    PyObject *all = PyDict_New();
    for (int type = 1; all && type < QN_TYPE_COUNT; type++) {
        PyObject *number = PyLong_FromLong(type);
        if (!number || PyDict_SetItemString(all, qn_type_name((QnType)type), number) < 0)
            Py_CLEAR(all);
        Py_XDECREF(number);
    }
    const int status = all ? PyModule_AddObjectRef(module, "TYPES", all) : -1;
    Py_XDECREF(all);
    return status;
}

static int execute(PyObject *module)
{
    QpModule *state = PyModule_GetState(module);
    if (PyModule_AddStringConstant(module, "version", qn_version_text()) < 0 ||
        qp_errors_add(module, state) < 0 || add_types(module, state) < 0)
        return -1;
    return add_element_types(module);
}

static int traverse(PyObject *module, visitproc visit, void *arg)
{
    QpModule *state = PyModule_GetState(module);
    Py_VISIT(state->plan);
    Py_VISIT(state->pool);
    Py_VISIT(state->cancel);
    Py_VISIT(state->session);
    Py_VISIT(state->tensor);
    for (int s = 0; s < QP_STATUS_COUNT; s++)
        Py_VISIT(state->errors[s]);
    return 0;
}

static int clear(PyObject *module)
{
    QpModule *state = PyModule_GetState(module);
    Py_CLEAR(state->plan);
    Py_CLEAR(state->pool);
    Py_CLEAR(state->cancel);
    Py_CLEAR(state->session);
    Py_CLEAR(state->tensor);
    for (int s = 0; s < QP_STATUS_COUNT; s++)
        Py_CLEAR(state->errors[s]);
    return 0;
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, execute}, {0}};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,      .m_name = "quern._quern", .m_doc = "The C API of quern.",
    .m_size = sizeof(QpModule), .m_slots = slots,         .m_traverse = traverse,
    .m_clear = clear,
};

/* Python finds it by name. */
PyMODINIT_FUNC PyInit__quern(void);

PyMODINIT_FUNC PyInit__quern(void)
{
    return PyModuleDef_Init(&definition);
}
