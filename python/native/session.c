/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions: one thread's way to run a plan, without Python's lock while it computes. */
#include <stdlib.h>

#include "python/native/native.h"

typedef struct QpSession {
    PyObject_HEAD QnSession *session;
    QpPlan *plan; /* owned: it outlives the session */
    QpPool *pool; /* owned; NULL: none */
    QpInputs inputs;
    int input_count, output_count;
    QnValue *input_values;  /* [input_count] */
    QnValue *output_values; /* [output_count] */
    void **memory;          /* [output_count] what the run at work allocated for outputs */
    bool *skip;             /* [output_count] outputs that nobody asked for */
    bool is_running;        /* guarded by Python's lock */
} QpSession;

/* ---- making ---- */

static bool allocate_lists(QpSession *self)
{
    const size_t inputs = (size_t)self->input_count, outputs = (size_t)self->output_count;
    self->input_values = PyMem_Calloc(inputs + 1, sizeof *self->input_values);
    self->output_values = PyMem_Calloc(outputs + 1, sizeof *self->output_values);
    self->memory = PyMem_Calloc(outputs + 1, sizeof *self->memory);
    self->skip = PyMem_Calloc(outputs + 1, sizeof *self->skip);
    return self->input_values && self->output_values && self->memory && self->skip &&
           qn_value_store_create(&self->inputs.store) == QN_OK;
}

static PyObject *create(PyTypeObject *type, PyObject *plan, PyObject *pool,
                        QnSessionOptions *options)
{
    QpSession *self = (QpSession *)PyType_GenericAlloc(type, 0);
    QnError err = {0};
    if (!self)
        return NULL;
    self->plan = (QpPlan *)Py_NewRef(plan);
    self->pool = pool == Py_None ? NULL : (QpPool *)Py_NewRef(pool);
    self->input_count = qn_plan_input_count(self->plan->plan);
    self->output_count = qn_plan_output_count(self->plan->plan);
    options->pool = self->pool ? self->pool->pool : NULL;
    if (!allocate_lists(self)) {
        Py_CLEAR(self);
        PyErr_NoMemory();
    } else if (qn_session_create(&self->session, self->plan->plan, options, &err) != QN_OK) {
        Py_CLEAR(self);
        qp_raise(qp_module_of(type), &err);
    }
    return (PyObject *)self;
}

static PyObject *session_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"plan", "pool", "max_iterations", "max_steps", "limit_bytes", NULL};
    const QpModule *state = qp_module_of(type);
    QnSessionOptions options = {.size = sizeof options};
    PyObject *plan, *pool = Py_None;
    long long iterations = 0, steps = 0;
    unsigned long long limit = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!|OLLK:Session", names, state->plan, &plan,
                                     &pool, &iterations, &steps, &limit))
        return NULL;
    if (pool != Py_None && !PyObject_TypeCheck(pool, state->pool))
        return PyErr_Format(PyExc_TypeError, "pool is no Pool");
    options.max_iterations = iterations;
    options.max_steps = steps;
    options.limit_bytes = limit;
    return create(type, plan, pool, &options);
}

static void session_free(PyObject *object)
{
    QpSession *self = (QpSession *)object;
    qn_session_free(self->session);
    qn_value_store_free(self->inputs.store);
    PyMem_Free(self->input_values);
    PyMem_Free(self->output_values);
    PyMem_Free(self->memory);
    PyMem_Free(self->skip);
    Py_XDECREF((PyObject *)self->pool);
    Py_XDECREF((PyObject *)self->plan);
    qp_object_free(object);
}

/* ---- running ---- */

/* Memory that an output will own; called while the run computes, without Python's lock. */
static void *allocate(void *user, int output, const QnTensor *shape, size_t size)
{
    QpSession *self = user;
    (void)shape;
    return self->memory[output] = qp_memory(size);
}

/* Fills the lists of the run from tuples as long as the plan's lists. */
static int read_arguments(QpSession *self, PyObject *inputs, PyObject *wanted)
{
    if (PyTuple_Size(inputs) != self->input_count || PyTuple_Size(wanted) != self->output_count) {
        PyErr_SetString(PyExc_ValueError,
                        "inputs and wanted must name each input and output of the plan");
        return -1;
    }
    for (int i = 0; i < self->input_count; i++) {
        const QnValueInfo info = qn_plan_input(self->plan->plan, i);
        if (qp_value_from(&self->input_values[i], PyTuple_GetItem(inputs, i), &info,
                          &self->inputs) < 0)
            return -1;
    }
    for (int i = 0; i < self->output_count; i++) {
        self->skip[i] = PyTuple_GetItem(wanted, i) != Py_True;
        self->output_values[i] = (QnValue){.kind = QN_NONE};
        self->memory[i] = NULL;
    }
    return 0;
}

/* The outputs as Python's; memory of those that fail to become objects is given back. */
static PyObject *take_outputs(QpSession *self, const QpModule *state)
{
    PyObject *all = PyTuple_New(self->output_count);
    for (int i = 0; i < self->output_count; i++) {
        void *memory = self->memory[i];
        self->memory[i] = NULL;
        PyObject *output =
            all ? qp_value_to(state, &self->output_values[i], memory) : (free(memory), NULL);
        if (all && (!output || PyTuple_SetItem(all, i, output) < 0))
            Py_CLEAR(all);
    }
    return all;
}

static PyObject *run(QpSession *self, const QpModule *state, QnRunOptions *options)
{
    QnError err = {0};
    QnStatus status;
    Py_BEGIN_ALLOW_THREADS status =
        qn_session_run(self->session, self->input_values, self->output_values, options, &err);
    Py_END_ALLOW_THREADS if (status == QN_OK) return take_outputs(self, state);
    for (int i = 0; i < self->output_count; i++) {
        free(self->memory[i]);
        self->memory[i] = NULL;
    }
    return qp_raise(state, &err);
}

static PyObject *session_run(PyObject *object, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"inputs", "wanted", "cancel", "deadline_ns", "threads", "seed", NULL};
    QpSession *self = (QpSession *)object;
    const QpModule *state = qp_module_of(Py_TYPE(object));
    QnRunOptions options = {
        .size = sizeof options, .allocate = allocate, .user = self, .skip = self->skip};
    PyObject *inputs, *wanted, *cancel = Py_None, *made = NULL;
    long long deadline = 0;
    unsigned long long seed = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!O!|OLiK:run", names, &PyTuple_Type, &inputs,
                                     &PyTuple_Type, &wanted, &cancel, &deadline, &options.threads,
                                     &seed))
        return NULL;
    if (cancel != Py_None && !PyObject_TypeCheck(cancel, state->cancel))
        return PyErr_Format(PyExc_TypeError, "cancel is no Cancel");
    if (self->is_running)
        return PyErr_Format(PyExc_RuntimeError, "the session runs in another thread");
    options.cancel = cancel == Py_None ? NULL : &((QpCancel *)cancel)->cancel;
    options.deadline_ns = deadline;
    options.seed = seed;
    self->is_running = true;
    if (read_arguments(self, inputs, wanted) == 0)
        made = run(self, state, &options);
    qp_inputs_release(&self->inputs);
    self->is_running = false;
    return made;
}

static PyObject *session_reset(PyObject *object, PyObject *unused)
{
    QpSession *self = (QpSession *)object;
    (void)unused;
    if (self->is_running)
        return PyErr_Format(PyExc_RuntimeError, "the session runs in another thread");
    qn_session_reset(self->session);
    return Py_NewRef(Py_None);
}

static PyObject *session_memory(PyObject *object, PyObject *unused)
{
    (void)unused;
    const QnMemoryInfo info = qn_session_memory(((QpSession *)object)->session);
    return Py_BuildValue("{sKsKsKsKsK}", "activation_bytes",
                         (unsigned long long)info.activation_bytes, "lower_bound_bytes",
                         (unsigned long long)info.lower_bound_bytes, "dynamic_bytes",
                         (unsigned long long)info.dynamic_bytes, "scratch_bytes",
                         (unsigned long long)info.scratch_bytes, "weight_bytes",
                         (unsigned long long)info.weight_bytes);
}

static PyMethodDef methods[] = {
    {"run", (PyCFunction)(void (*)(void))session_run, METH_VARARGS | METH_KEYWORDS,
     "run(inputs, wanted, cancel=None, deadline_ns=0, threads=0, seed=0) -> outputs"},
    {"reset", session_reset, METH_NOARGS, "reset(): forgets the states"},
    {"memory", session_memory, METH_NOARGS, "memory() -> {kind: bytes} after the last run"},
    {0},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "One thread's way to run a plan."},
    {Py_tp_new, session_new},
    {Py_tp_dealloc, session_free},
    {Py_tp_methods, methods},
    {0},
};

PyType_Spec qp_session_spec = {
    .name = "quern._quern.Session",
    .basicsize = sizeof(QpSession),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = slots,
};
