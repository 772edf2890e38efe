/* SPDX-License-Identifier: Apache-2.0 */
/* The threads that runs are computed on, and the token that ends runs. */
#include "python/native/native.h"

/* ---- Pool ---- */

static PyObject *pool_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"count", NULL};
    int count = 0;
    QnError err = {0};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|i:Pool", names, &count))
        return NULL;
    QpPool *self = (QpPool *)PyType_GenericAlloc(type, 0);
    if (self && qn_thread_pool_create(&self->pool, count, &err) != QN_OK) {
        Py_CLEAR(self);
        qp_raise(qp_module_of(type), &err);
    }
    return (PyObject *)self;
}

static void pool_free(PyObject *self)
{
    qn_thread_pool_free(((QpPool *)self)->pool);
    qp_object_free(self);
}

static PyObject *pool_size(PyObject *self, void *closure)
{
    (void)closure;
    return PyLong_FromLong(qn_thread_pool_size(((QpPool *)self)->pool));
}

static PyGetSetDef pool_fields[] = {
    {"size", pool_size, NULL, "how many threads, the caller of a run included", NULL},
    {0},
};

static PyType_Slot pool_slots[] = {
    {Py_tp_doc, "The threads that runs are computed on; 0: as many as this process may use."},
    {Py_tp_new, pool_new},
    {Py_tp_dealloc, pool_free},
    {Py_tp_getset, pool_fields},
    {0},
};

PyType_Spec qp_pool_spec = {
    .name = "quern._quern.Pool",
    .basicsize = sizeof(QpPool),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = pool_slots,
};

/* ---- Cancel ---- */

static PyObject *cancel_get(PyObject *self, void *closure)
{
    (void)closure;
    return PyBool_FromLong(
        __atomic_load_n(&((QpCancel *)self)->cancel.is_cancelled, __ATOMIC_RELAXED));
}

static int cancel_set(PyObject *self, PyObject *value, void *closure)
{
    (void)closure;
    const int is_true = value ? PyObject_IsTrue(value) : 0;
    if (is_true < 0)
        return -1;
    __atomic_store_n(&((QpCancel *)self)->cancel.is_cancelled, is_true, __ATOMIC_RELAXED);
    return 0;
}

static PyGetSetDef cancel_fields[] = {
    {"is_cancelled", cancel_get, cancel_set,
     "set to True from any thread to end the runs it was given to", NULL},
    {0},
};

static PyObject *cancel_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    (void)args;
    (void)kwargs;
    return PyType_GenericAlloc(type, 0);
}

static PyType_Slot cancel_slots[] = {
    {Py_tp_doc, "Ends runs from any thread."},
    {Py_tp_new, cancel_new},
    {Py_tp_dealloc, qp_object_free},
    {Py_tp_getset, cancel_fields},
    {0},
};

PyType_Spec qp_cancel_spec = {
    .name = "quern._quern.Cancel",
    .basicsize = sizeof(QpCancel),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = cancel_slots,
};
