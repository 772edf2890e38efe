/* SPDX-License-Identifier: Apache-2.0 */
/* From a run's values to Python's objects. */
#include <stdlib.h>

#include "python/native/native.h"

void *qp_memory(size_t size)
{
    enum { ALIGNMENT = 64 }; /* what vector loads like best */
    return size <= SIZE_MAX - ALIGNMENT
               ? aligned_alloc(ALIGNMENT, (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT)
               : NULL;
}

/* ---- tensors ---- */

/* Copies dims [d, rank) of a tensor of any strides, one element after the other;
 * gives where the next goes. */
static char *copy_dims(const QnTensor *from, int d, const char *at, char *to)
{
    const size_t size = qn_type_size(from->type);
    if (d == from->rank) {
        memcpy(to, at, size);
        return to + size;
    }
    for (int64_t i = 0; i < from->dims[d]; i++)
        to = copy_dims(from, d + 1, at + i * from->strides[d], to);
    return to;
}

static void *copy_of(const QnTensor *from)
{
    const size_t size = (size_t)qn_tensor_count(from) * qn_type_size(from->type);
    char *to = qp_memory(size ? size : 1);
    if (to && size && qn_tensor_is_contiguous(from))
        memcpy(to, from->data, size);
    else if (to && size)
        copy_dims(from, 0, from->data, to);
    return to;
}

/* Strings are texts where they are UTF-8, as ONNX asks, and bytes where they are not. */
static PyObject *text_of(const QnString *string)
{
    const char *data = string->size ? string->data : "";
    PyObject *text = PyUnicode_DecodeUTF8(data, (Py_ssize_t)string->size, NULL);
    if (text || !PyErr_ExceptionMatches(PyExc_UnicodeDecodeError))
        return text;
    PyErr_Clear();
    return PyBytes_FromStringAndSize(data, (Py_ssize_t)string->size);
}

/* The list of `count` contiguous strings. */
static PyObject *texts_of(const QnString *strings, int64_t count)
{
    PyObject *texts = PyList_New((Py_ssize_t)count);
    for (int64_t i = 0; texts && i < count; i++) {
        PyObject *text = text_of(&strings[i]);
        if (!text || PyList_SetItem(texts, (Py_ssize_t)i, text) < 0)
            Py_CLEAR(texts);
    }
    return texts;
}

/* `memory` is taken. */
static PyObject *tensor_to(const QpModule *state, const QnTensor *tensor, void *memory)
{
    if (!memory && !(memory = copy_of(tensor)))
        return PyErr_NoMemory();
    QpTensor *made = (QpTensor *)PyType_GenericAlloc(state->tensor, 0);
    if (!made) {
        free(memory);
        return NULL;
    }
    made->tensor = qn_tensor(tensor->type, tensor->rank, tensor->dims, memory);
    if (tensor->type != QN_STRING)
        return (PyObject *)made;
    made->texts = texts_of(memory, qn_tensor_count(tensor));
    made->tensor.data = NULL;
    free(memory);
    if (!made->texts)
        Py_CLEAR(made);
    return (PyObject *)made;
}

/* ---- collections ---- */

static PyObject *sequence_to(const QpModule *state, const QnValue *value)
{
    PyObject *list = PyList_New((Py_ssize_t)value->count);
    for (int64_t i = 0; list && i < value->count; i++) {
        PyObject *item = qp_value_to(state, &value->items[i], NULL);
        if (!item || PyList_SetItem(list, (Py_ssize_t)i, item) < 0)
            Py_CLEAR(list);
    }
    return list;
}

/* A map's keys and values, for the package to make a dict of: it knows what arrays are. */
static PyObject *map_to(const QpModule *state, const QnValue *value)
{
    PyObject *keys = qp_value_to(state, &value->items[0], NULL);
    PyObject *values = keys ? qp_value_to(state, &value->items[1], NULL) : NULL;
    PyObject *map = values ? Py_BuildValue("{sOsO}", "keys", keys, "values", values) : NULL;
    Py_XDECREF(keys);
    Py_XDECREF(values);
    return map;
}

PyObject *qp_value_to(const QpModule *state, const QnValue *value, void *memory)
{
    if (value->kind == QN_TENSOR)
        return tensor_to(state, &value->tensor, memory);
    free(memory);
    if (value->kind == QN_SEQUENCE)
        return sequence_to(state, value);
    if (value->kind == QN_MAP && value->count == 2)
        return map_to(state, value);
    if (value->kind == QN_OPTIONAL && value->count == 1)
        return qp_value_to(state, &value->items[0], NULL);
    return Py_NewRef(Py_None);
}
