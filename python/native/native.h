/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the extension module share.
 *
 * The module is a thin shell: handles of the C API as Python objects, and values on their way in
 * and out without copies.  What arrays are, names, defaults and checks for people are the
 * package's, in Python.  It keeps to the stable ABI of Python 3.11, whose buffer protocol is all
 * that it needs to know of arrays.
 */
#ifndef QP_NATIVE_H
#define QP_NATIVE_H

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030b0000
#include <Python.h>
#include <string.h>

#include "quern/quern.h"
#include "quern/unstable/values.h"

#define QP_COUNT_STATUS(name, text) +1
enum { QP_STATUS_COUNT = 0 QN_STATUS_MAP(QP_COUNT_STATUS) };
#undef QP_COUNT_STATUS

/* What belongs to one instance of the module. */
typedef struct QpModule {
    PyTypeObject *plan, *pool, *cancel, *session, *tensor;
    PyObject *errors[QP_STATUS_COUNT]; /* the exception of each status; of QN_OK the base of all */
} QpModule;

/* ---- error.c ---- */

/* Makes the exceptions and adds them to the module.  -1 with an exception set where that fails. */
int qp_errors_add(PyObject *module, QpModule *state);

/* Raises what an error says.  Always NULL. */
PyObject *qp_raise(const QpModule *state, const QnError *err);

/* ---- types ---- */

extern PyType_Spec qp_plan_spec, qp_pool_spec, qp_cancel_spec, qp_session_spec, qp_tensor_spec;

/* A compiled model. */
typedef struct QpPlan {
    PyObject_HEAD QnPlan *plan;
    Py_buffer bytes;      /* of a model in memory: in use as long as the plan lives */
    PyObject *properties; /* {name: text} of the model */
} QpPlan;

/* The threads of runs. */
typedef struct QpPool {
    PyObject_HEAD QnThreadPool *pool;
} QpPool;

/* Ends runs from any thread. */
typedef struct QpCancel {
    PyObject_HEAD QnCancel cancel;
} QpCancel;

/* An output tensor, which owns its memory and shows it by the buffer protocol as bytes. */
typedef struct QpTensor {
    PyObject_HEAD QnTensor tensor; /* contiguous; of strings: data is NULL */
    PyObject *texts;               /* of strings: a list of them, in order; else NULL */
} QpTensor;

/* The state of the module that a type belongs to. */
static inline QpModule *qp_module_of(PyTypeObject *type)
{
    return PyType_GetModuleState(type);
}

/* What every object's memory ends with: heap types are counted by their objects. */
static inline void qp_object_free(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_Free(self);
    Py_DECREF(type);
}

/* ---- input.c ---- */

/* The buffers of arrays that a run borrows. */
typedef struct QpBorrowed QpBorrowed;

/* Where inputs are built: nodes, items and strings are memory of the store. */
typedef struct QpInputs {
    QnValueStore *store;
    QpBorrowed *borrowed;
} QpInputs;

/*
 * A value for an input, in the form that input.c describes.  -1 with an exception set where it has
 * another; what was borrowed by then is given back by qp_inputs_release all the same.
 */
int qp_value_from(QnValue *out, PyObject *given, const QnValueInfo *info, QpInputs *inputs);

/* Gives the buffers back. */
void qp_inputs_release(QpInputs *inputs);

/* ---- output.c ---- */

/*
 * What Python gets for a value: a Tensor, a list, a dict, or None for nothing and the empty
 * optional.  `memory`: what the allocator gave for the tensor; taken, also on failure; NULL: the
 * value's memory is somebody else's and is copied.
 */
PyObject *qp_value_to(const QpModule *state, const QnValue *value, void *memory);

/* Memory for a tensor's data, aligned to 64; `size` > 0. */
void *qp_memory(size_t size);

#endif
