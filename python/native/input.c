/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From Python's objects to values of a run.
 *
 * The package writes each input as a small tree: None is an absent value; (type, array) a tensor,
 * whose array shows its elements by the buffer protocol, strings as an array of objects; [a, b,
 * ...] a sequence; {"keys": a, "values": b} a map.  Arrays are borrowed as they lie, with their
 * strides.
 */
#include "python/native/native.h"

struct QpBorrowed {
    Py_buffer view;
    QpBorrowed *next;
};

void qp_inputs_release(QpInputs *inputs)
{
    for (QpBorrowed *at = inputs->borrowed; at; at = at->next)
        PyBuffer_Release(&at->view);
    inputs->borrowed = NULL;
    qn_value_store_reset(inputs->store);
}

static void *alloc(QpInputs *inputs, size_t count, size_t size)
{
    void *made = count <= PY_SSIZE_T_MAX / size
                     ? qn_value_store_alloc(inputs->store, count * size + 1)
                     : NULL;
    if (!made)
        PyErr_NoMemory();
    return made;
}

/* The array's buffer, given back when the run is over. */
static const Py_buffer *borrow(PyObject *array, QpInputs *inputs)
{
    QpBorrowed *made = alloc(inputs, 1, sizeof *made);
    if (!made || PyObject_GetBuffer(array, &made->view, PyBUF_FULL_RO) < 0)
        return NULL;
    made->next = inputs->borrowed;
    inputs->borrowed = made;
    return &made->view;
}

/* ---- strings ---- */

static int string_from(QnString *out, PyObject *text)
{
    Py_ssize_t size = 0;
    char *bytes = NULL;
    if (PyUnicode_Check(text))
        out->data = PyUnicode_AsUTF8AndSize(text, &size);
    else if (PyBytes_AsStringAndSize(text, &bytes, &size) == 0)
        out->data = bytes;
    else
        return -1;
    out->size = (size_t)size;
    return out->data ? 0 : -1;
}

/* Turns an array of objects, at tensor->data with its strides, into strings. */
static int strings_from(QnTensor *tensor, QpInputs *inputs)
{
    const int64_t count = qn_tensor_count(tensor);
    QnString *strings = alloc(inputs, (size_t)count, sizeof *strings);
    if (!strings)
        return -1;
    for (int64_t i = 0; i < count; i++) {
        int64_t rest = i, offset = 0;
        for (int d = tensor->rank - 1; d >= 0; d--) {
            offset += rest % tensor->dims[d] * tensor->strides[d];
            rest /= tensor->dims[d];
        }
        PyObject *text = *(PyObject **)(void *)((char *)tensor->data + offset);
        if (string_from(&strings[i], text) < 0)
            return -1;
    }
    *tensor = qn_tensor(QN_STRING, tensor->rank, tensor->dims, strings);
    return 0;
}

/* ---- tensors ---- */

static int check_view(const Py_buffer *view, QnType type, const char *name)
{
    const char *format = view->format ? view->format : "B";
    const size_t wanted = type == QN_STRING ? sizeof(PyObject *) : qn_type_size(type);
    if (view->suboffsets || (size_t)view->itemsize != wanted ||
        (strcmp(format, "O") == 0) != (type == QN_STRING)) {
        PyErr_Format(PyExc_TypeError,
                     "input '%s': an array of format '%s' does not hold elements of type %s", name,
                     format, qn_type_name(type));
        return -1;
    }
    if (view->ndim > QN_MAX_RANK) {
        PyErr_Format(PyExc_ValueError, "input '%s' has rank %d, expected at most %d", name,
                     view->ndim, QN_MAX_RANK);
        return -1;
    }
    return 0;
}

static int tensor_from(QnTensor *out, PyObject *given, const char *name, QpInputs *inputs)
{
    const long type = PyLong_AsLong(PyTuple_GetItem(given, 0));
    const Py_buffer *view =
        type == -1 && PyErr_Occurred() ? NULL : borrow(PyTuple_GetItem(given, 1), inputs);
    int64_t dims[QN_MAX_RANK];
    if (!view || check_view(view, (QnType)type, name) < 0)
        return -1;
    for (int d = 0; d < view->ndim; d++)
        dims[d] = view->shape[d];
    *out = qn_tensor((QnType)type, view->ndim, dims, view->buf);
    out->size_bytes = (size_t)view->len;
    for (int d = 0; view->strides && d < view->ndim; d++)
        out->strides[d] = view->strides[d];
    return type == QN_STRING ? strings_from(out, inputs) : 0;
}

/* ---- collections ---- */

static int value_from(QnValue *out, PyObject *given, const QnValueInfo *info, QpInputs *inputs,
                      int depth);

static int items_from(QnValue *out, PyObject *const *given, Py_ssize_t count,
                      const QnValueInfo *info, QpInputs *inputs, int depth)
{
    out->count = count;
    out->items = alloc(inputs, (size_t)count, sizeof *out->items);
    if (!out->items)
        return -1;
    for (Py_ssize_t i = 0; i < count; i++)
        if (value_from(&out->items[i], given[i], info, inputs, depth + 1) < 0)
            return -1;
    return 0;
}

static int sequence_from(QnValue *out, PyObject *list, const QnValueInfo *info, QpInputs *inputs,
                         int depth)
{
    const Py_ssize_t count = PyList_Size(list);
    PyObject **items = alloc(inputs, (size_t)count, sizeof *items);
    for (Py_ssize_t i = 0; items && i < count; i++)
        items[i] = PyList_GetItem(list, i); /* the list holds it, and the caller the list */
    out->kind = QN_SEQUENCE;
    return items ? items_from(out, items, count, info, inputs, depth) : -1;
}

static int map_from(QnValue *out, PyObject *map, const QnValueInfo *info, QpInputs *inputs,
                    int depth)
{
    PyObject *const items[2] = {PyDict_GetItemString(map, "keys"),
                                PyDict_GetItemString(map, "values")};
    if (!items[0] || !items[1]) {
        PyErr_Format(PyExc_TypeError, "input '%s': a map without keys or values", info->name);
        return -1;
    }
    out->kind = QN_MAP;
    return items_from(out, items, 2, info, inputs, depth);
}

static int value_from(QnValue *out, PyObject *given, const QnValueInfo *info, QpInputs *inputs,
                      int depth)
{
    enum { MOST = 8 }; /* far deeper than types of models go */
    *out = (QnValue){.type = info->type};
    if (given == Py_None)
        return 0;
    if (depth < MOST && PyList_Check(given))
        return sequence_from(out, given, info, inputs, depth);
    if (depth < MOST && PyDict_Check(given))
        return map_from(out, given, info, inputs, depth);
    if (!PyTuple_Check(given) || PyTuple_Size(given) != 2) {
        PyErr_Format(PyExc_TypeError, "input '%s': neither a tensor nor a sequence nor a map",
                     info->name);
        return -1;
    }
    out->kind = QN_TENSOR;
    if (tensor_from(&out->tensor, given, info->name, inputs) < 0)
        return -1;
    out->type = out->tensor.type;
    return 0;
}

/* A value for an optional input is its one item; None there is an absent value, which the engine
 * takes as empty. */
int qp_value_from(QnValue *out, PyObject *given, const QnValueInfo *info, QpInputs *inputs)
{
    if (info->kind != QN_OPTIONAL || given == Py_None)
        return value_from(out, given, info, inputs, 0);
    *out = (QnValue){.kind = QN_OPTIONAL, .type = info->type};
    return items_from(out, &given, 1, info, inputs, 0);
}
