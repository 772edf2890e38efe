/* SPDX-License-Identifier: Apache-2.0 */
/* Compiled models, and what they say of their inputs and outputs. */
#include "python/native/native.h"

/* ---- making ---- */

/* What the constructor is given; borrowed from its arguments. */
typedef struct Request {
    PyObject *path; /* bytes; NULL: the model is in `data` */
    PyObject *data;
    const char *name;
    QnModelOptions model;
    QnPlanOptions plan;
} Request;

static PyObject *properties_of(const QnModel *model)
{
    const char *key, *value;
    PyObject *all = PyDict_New();
    for (int i = 0; all && qn_model_property(&key, &value, model, i); i++) {
        PyObject *text = PyUnicode_DecodeUTF8(value, (Py_ssize_t)strlen(value), "replace");
        if (!text || PyDict_SetItemString(all, key, text) < 0)
            Py_CLEAR(all);
        Py_XDECREF(text);
    }
    return all;
}

/* Loads and compiles; takes long, so other threads may run meanwhile. */
static QnStatus build(QpPlan *self, const Request *request, QnModel **model, QnError *err)
{
    QnStatus status;
    const char *path = request->path ? PyBytes_AsString(request->path) : NULL;
    Py_BEGIN_ALLOW_THREADS if (path) status =
        qn_model_load(model, path, &request->model, NULL, err);
    else status = qn_model_read(model, self->bytes.buf, (size_t)self->bytes.len, request->name,
                                &request->model, NULL, err);
    if (status == QN_OK)
        status = qn_plan_build(&self->plan, *model, &request->plan, NULL, err);
    Py_END_ALLOW_THREADS return status;
}

static PyObject *create(PyTypeObject *type, const Request *request)
{
    QpPlan *self = (QpPlan *)PyType_GenericAlloc(type, 0);
    QnModel *model = NULL;
    QnError err = {0};
    if (self && !request->path && PyObject_GetBuffer(request->data, &self->bytes, PyBUF_SIMPLE) < 0)
        Py_CLEAR(self);
    if (!self)
        return NULL;
    if (build(self, request, &model, &err) == QN_OK)
        self->properties = properties_of(model);
    else
        qp_raise(qp_module_of(type), &err);
    qn_model_free(model);
    if (!self->properties)
        Py_CLEAR(self);
    return (PyObject *)self;
}

/* A tuple of (input, output) pairs, flat, as the array of names that the options take;
 * PyMem_Free it. */
static int state_names(const char *const **out, PyObject *states)
{
    *out = NULL;
    if (states == Py_None)
        return 0;
    const Py_ssize_t count = PyTuple_Size(states);
    const char **names = count < 0 ? NULL : PyMem_Calloc((size_t)count + 1, sizeof *names);
    if (!names)
        return PyErr_Occurred() ? -1 : (PyErr_NoMemory(), -1);
    for (Py_ssize_t i = 0; i < count; i++)
        if (!(names[i] = PyUnicode_AsUTF8AndSize(PyTuple_GetItem(states, i), NULL))) {
            PyMem_Free(names);
            return -1;
        }
    *out = names;
    return 0;
}

static PyObject *plan_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"path",     "data",   "name",    "folder",       "allow_overrides",
                            "device",   "strict", "without", "no_reference", "keep_all",
                            "free_dim", "states", NULL};
    Request request = {.model = {.size = sizeof(QnModelOptions), .copy = true},
                       .plan = {.size = sizeof(QnPlanOptions)}};
    PyObject *states = Py_None, *made = NULL;
    int overrides = 0, strict = 0, no_reference = 0, keep_all = 0;
    long long free_dim = 0;
    if (!PyArg_ParseTupleAndKeywords(
            args, kwargs, "OOs|zpzpzppLO:Plan", names, &request.path, &request.data, &request.name,
            &request.model.folder, &overrides, &request.plan.device, &strict, &request.plan.without,
            &no_reference, &keep_all, &free_dim, &states))
        return NULL;
    if (state_names(&request.plan.states, states) < 0)
        return NULL;
    request.path = request.path == Py_None ? NULL : request.path;
    request.model.allow_overrides = overrides != 0;
    request.plan.math = strict ? QN_MATH_STRICT : QN_MATH_NORMAL;
    request.plan.no_reference = no_reference != 0;
    request.plan.keep_all = keep_all != 0;
    request.plan.free_dim = free_dim;
    made = create(type, &request);
    PyMem_Free((void *)(uintptr_t)request.plan.states);
    return made;
}

static void plan_free(PyObject *self)
{
    QpPlan *plan = (QpPlan *)self;
    qn_plan_free(plan->plan);
    PyBuffer_Release(&plan->bytes);
    Py_XDECREF(plan->properties);
    qp_object_free(self);
}

/* ---- describing ---- */

/* A tuple of sizes, names and None; None itself where the rank is open. */
static PyObject *shape_of(const QnValueInfo *info)
{
    if (info->rank < 0)
        return Py_NewRef(Py_None);
    PyObject *shape = PyTuple_New(info->rank);
    for (int d = 0; shape && d < info->rank; d++) {
        PyObject *dim = info->dims[d] >= 0 ? PyLong_FromLongLong(info->dims[d])
                                           : Py_BuildValue("z", info->symbols[d]);
        if (!dim || PyTuple_SetItem(shape, d, dim) < 0)
            Py_CLEAR(shape);
    }
    return shape;
}

/* [(name, element type, shape, text of the type, may be left out), ...] */
static PyObject *list_values(const QnPlan *plan, int count, QnValueInfo (*get)(const QnPlan *, int))
{
    PyObject *list = PyList_New(count);
    for (int i = 0; list && i < count; i++) {
        const QnValueInfo info = get(plan, i);
        PyObject *item =
            Py_BuildValue("(siNsO)", info.name, (int)info.type, shape_of(&info), info.type_text,
                          info.is_optional || info.kind == QN_OPTIONAL ? Py_True : Py_False);
        if (!item || PyList_SetItem(list, i, item) < 0)
            Py_CLEAR(list);
    }
    return list;
}

static PyObject *plan_inputs(PyObject *self, void *closure)
{
    (void)closure;
    const QnPlan *plan = ((QpPlan *)self)->plan;
    return list_values(plan, qn_plan_input_count(plan), qn_plan_input);
}

static PyObject *plan_outputs(PyObject *self, void *closure)
{
    (void)closure;
    const QnPlan *plan = ((QpPlan *)self)->plan;
    return list_values(plan, qn_plan_output_count(plan), qn_plan_output);
}

static PyObject *plan_states(PyObject *self, void *closure)
{
    (void)closure;
    const QnPlan *plan = ((QpPlan *)self)->plan;
    const int count = qn_plan_state_count(plan);
    PyObject *list = PyList_New(count);
    for (int i = 0; list && i < count; i++) {
        const QnStateInfo state = qn_plan_state(plan, i);
        PyObject *item =
            Py_BuildValue("(ssO)", state.input, state.output, state.grows ? Py_True : Py_False);
        if (!item || PyList_SetItem(list, i, item) < 0)
            Py_CLEAR(list);
    }
    return list;
}

static PyObject *plan_properties(PyObject *self, void *closure)
{
    (void)closure;
    return Py_NewRef(((QpPlan *)self)->properties);
}

static PyGetSetDef fields[] = {
    {"inputs", plan_inputs, NULL, "[(name, element type, shape, type, may be left out)]", NULL},
    {"outputs", plan_outputs, NULL, "the same of the outputs", NULL},
    {"states", plan_states, NULL, "[(input, output, grows)] that sessions keep from run to run",
     NULL},
    {"properties", plan_properties, NULL, "{name: text} of the model", NULL},
    {0},
};

static PyType_Slot slots[] = {
    {Py_tp_doc,
     "A compiled model.  Immutable: any number of sessions in any threads may share it."},
    {Py_tp_new, plan_new},
    {Py_tp_dealloc, plan_free},
    {Py_tp_getset, fields},
    {0},
};

PyType_Spec qp_plan_spec = {
    .name = "quern._quern.Plan",
    .basicsize = sizeof(QpPlan),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = slots,
};
