/* SPDX-License-Identifier: Apache-2.0 */
/* Output tensors: memory that lives as long as any array that looks at it. */
#include <stdlib.h>

#include "python/native/native.h"

static void tensor_free(PyObject *self)
{
    QpTensor *tensor = (QpTensor *)self;
    free(tensor->tensor.data);
    Py_XDECREF(tensor->texts);
    qp_object_free(self);
}

/* The whole memory as writable bytes; the array that is made of it knows type and shape. */
static int tensor_get_buffer(PyObject *self, Py_buffer *view, int flags)
{
    static char nothing[1]; /* an address for no elements; never written */
    const QnTensor *tensor = &((QpTensor *)self)->tensor;
    return PyBuffer_FillInfo(view, self, tensor->data ? tensor->data : nothing,
                             tensor->data ? (Py_ssize_t)tensor->size_bytes : 0, 0, flags);
}

static PyObject *tensor_type(PyObject *self, void *closure)
{
    (void)closure;
    return PyLong_FromLong(((QpTensor *)self)->tensor.type);
}

static PyObject *tensor_shape(PyObject *self, void *closure)
{
    (void)closure;
    const QnTensor *tensor = &((QpTensor *)self)->tensor;
    PyObject *shape = PyTuple_New(tensor->rank);
    for (int d = 0; shape && d < tensor->rank; d++) {
        PyObject *size = PyLong_FromLongLong(tensor->dims[d]);
        if (!size || PyTuple_SetItem(shape, d, size) < 0)
            Py_CLEAR(shape);
    }
    return shape;
}

static PyObject *tensor_texts(PyObject *self, void *closure)
{
    (void)closure;
    PyObject *texts = ((QpTensor *)self)->texts;
    return Py_NewRef(texts ? texts : Py_None);
}

static PyGetSetDef tensor_fields[] = {
    {"type", tensor_type, NULL, "the number of the element type, as in ONNX", NULL},
    {"shape", tensor_shape, NULL, "the dimensions", NULL},
    {"texts", tensor_texts, NULL, "of a string tensor: the list of its strings; else None", NULL},
    {0},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "An output tensor: its memory as a buffer of bytes."},
    {Py_tp_dealloc, tensor_free},
    {Py_tp_getset, tensor_fields},
    {Py_bf_getbuffer, tensor_get_buffer},
    {0},
};

PyType_Spec qp_tensor_spec = {
    .name = "quern._quern.Tensor",
    .basicsize = sizeof(QpTensor),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};
