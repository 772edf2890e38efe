/* SPDX-License-Identifier: Apache-2.0 */
/* Statuses as exceptions: quern.Error, and one of its subclasses for each way to fail. */
#include "python/native/native.h"

/* The classes that Python's own code expects, where there is one, are bases too. */
static const struct {
    const char *name;
    PyObject **also;
} classes[QP_STATUS_COUNT] = {
    [QN_OK] = {"quern.Error", NULL},
    [QN_NO_MEMORY] = {"quern.OutOfMemory", &PyExc_MemoryError},
    [QN_IO] = {"quern.FileError", &PyExc_OSError},
    [QN_BAD_ARGUMENT] = {"quern.BadArgument", &PyExc_ValueError},
    [QN_BAD_MODEL] = {"quern.BadModel", &PyExc_ValueError},
    [QN_BAD_TENSOR] = {"quern.BadTensor", &PyExc_ValueError},
    [QN_NOT_FOUND] = {"quern.NotFound", &PyExc_LookupError},
    [QN_UNSUPPORTED] = {"quern.Unsupported", &PyExc_NotImplementedError},
    [QN_CANCELLED] = {"quern.Cancelled", NULL},
    [QN_UNAVAILABLE] = {"quern.Unavailable", NULL},
    [QN_EXISTS] = {"quern.Exists", NULL},
    [QN_INTERNAL] = {"quern.InternalError", &PyExc_RuntimeError},
};

/* A class with the attribute `status`, the status's name. */
static PyObject *make_class(QnStatus status, PyObject *error)
{
    PyObject *also = classes[status].also ? *classes[status].also : NULL;
    PyObject *bases = !error ? NULL : also ? PyTuple_Pack(2, error, also) : PyTuple_Pack(1, error);
    PyObject *content = Py_BuildValue("{s:s}", "status", qn_status_name(status));
    PyObject *made = NULL;
    if (content && (bases || !error))
        made =
            PyErr_NewExceptionWithDoc(classes[status].name, qn_status_text(status), bases, content);
    Py_XDECREF(bases);
    Py_XDECREF(content);
    return made;
}

int qp_errors_add(PyObject *module, QpModule *state)
{
    for (int s = 0; s < QP_STATUS_COUNT; s++) {
        state->errors[s] = make_class((QnStatus)s, s ? state->errors[QN_OK] : NULL);
        if (!state->errors[s] ||
            PyModule_AddObjectRef(module, strchr(classes[s].name, '.') + 1, state->errors[s]) < 0)
            return -1;
    }
    return 0;
}

PyObject *qp_raise(const QpModule *state, const QnError *err)
{
    const unsigned status = (unsigned)err->status;
    PyErr_SetString(state->errors[status < QP_STATUS_COUNT ? status : QN_INTERNAL], err->message);
    return NULL;
}
