/* SPDX-License-Identifier: Apache-2.0 */
/* What the reference computations of the operator tables are written with. */
#include <assert.h>
#include <stdio.h>

#include "base/checked.h"
#include "base/fault.h"
#include "engine/ops/op.h"

const QnTensor *qn_call_input(const QnCall *call, int i)
{
    return i < call->input_count && call->inputs[i].kind == QN_TENSOR ? &call->inputs[i].tensor
                                                                      : NULL;
}

QnTensor *qn_call_result(const QnCall *call, int i)
{
    return &call->outputs[i].tensor;
}

bool qn_call_wants(const QnCall *call, int i)
{
    return i < call->output_count && call->node->outputs[i] != NULL;
}

QnStatus qn_call_name(const QnCall *call, QnStatus status)
{
    char label[256];
    if (status != QN_OK && status != QN_NO_MEMORY && status != QN_CANCELLED)
        qn_wrap(call->err, "%s (%s)", qn_node_label(call->node, label, sizeof label),
                call->node->op);
    return status;
}

QnStatus qn_call_fail(const QnCall *call, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    qn_fail_v(call->err, QN_BAD_TENSOR, format, args);
    va_end(args);
    return qn_call_name(call, QN_BAD_TENSOR);
}

QnStatus qn_call_poll(const QnCall *call)
{
    if (call->is_cancelled && call->is_cancelled(call->user))
        return qn_fail(call->err, QN_CANCELLED, "cancelled or past its deadline");
    return QN_OK;
}

static bool has_shape(const QnTensor *tensor, QnType type, int rank, const int64_t *dims)
{
    if (tensor->type != type || tensor->rank != rank)
        return false;
    for (int d = 0; d < rank; d++)
        if (tensor->dims[d] != dims[d])
            return false;
    return true;
}

/* The bytes of a tensor, checked: dims come from data. */
static bool tensor_bytes(size_t *size, QnType type, int rank, const int64_t *dims)
{
    *size = qn_type_size(type);
    for (int d = 0; d < rank; d++)
        if (dims[d] < 0 || !qn_mul_size(size, *size, (size_t)dims[d]))
            return false;
    return *size <= INT64_MAX / 2;
}

QnStatus qn_call_output(const QnCall *call, int i, QnType type, int rank, const int64_t *dims,
                        QnTensor **out)
{
    QnValue *value = &call->outputs[i];
    size_t size;
    if (value->kind != QN_TENSOR || !has_shape(&value->tensor, type, rank, dims)) {
        if (rank > QN_MAX_RANK || !tensor_bytes(&size, type, rank, dims))
            return qn_call_fail(call, "output %d has rank %d or a size that no memory holds", i,
                                rank);
        void *data = call->allocate(call->user, i, size ? size : 1);
        if (!data)
            return qn_fail(call->err, QN_NO_MEMORY, "no memory for %zu bytes of output %d of %s",
                           size, i, call->node->op);
        *value = qn_value_tensor(qn_tensor(type, rank, dims, data));
    }
    if (out)
        *out = &value->tensor;
    return QN_OK;
}

/* Copies dims [d, rank), element by element or, where both sides are contiguous, row by row. */
static void copy_dims(const QnTensor *from, const QnTensor *to, int d, const uint8_t *source,
                      uint8_t *target, size_t element)
{
    if (d == from->rank) {
        memcpy(target, source, element);
        return;
    }
    const bool is_row = d == from->rank - 1 && from->strides[d] == (int64_t)element &&
                        to->strides[d] == (int64_t)element;
    if (is_row) {
        memcpy(target, source, (size_t)from->dims[d] * element);
        return;
    }
    for (int64_t i = 0; i < from->dims[d]; i++)
        copy_dims(from, to, d + 1, source + i * from->strides[d], target + i * to->strides[d],
                  element);
}

QnStatus qn_call_copy(const QnCall *call, const QnTensor *from, QnTensor *to)
{
    if (from->type != to->type || from->rank != to->rank)
        return qn_call_fail(call, "the shapes of the inputs do not fit together");
    for (int d = 0; d < from->rank; d++)
        if (from->dims[d] != to->dims[d])
            return qn_call_fail(call, "dimension %d is %lld, expected %lld", d,
                                (long long)from->dims[d], (long long)to->dims[d]);
    if (qn_tensor_count(from) > 0)
        copy_dims(from, to, 0, from->data, to->data, qn_type_size(from->type));
    return qn_call_poll(call);
}

QnBox qn_box(const QnTensor *tensor, int axis)
{
    QnBox box = {1, 1, 1};
    for (int d = 0; d < tensor->rank; d++)
        *(d < axis ? &box.outer : d == axis ? &box.length : &box.inner) *= tensor->dims[d];
    return box;
}

/* Operators that take apart sequences and optionals set their outputs themselves. */
static bool has_collections(const QnCall *call)
{
    for (int i = 0; i < call->input_count; i++)
        if (call->inputs[i].kind > QN_TENSOR)
            return true;
    return false;
}

/*
 * Infers once more, from the values: what inference checks of shapes and attributes then holds for
 * the numbers at hand, which symbols had left open, and references rely on it.  Makes the outputs
 * that are not ready.
 */
static QnStatus prepare_outputs(const QnCall *call)
{
    QnDims dims;
    QnInferValue *known;
    QN_ALLOC(known, call->scratch, call->output_count);
    QN_TRY(qn_infer_values(call->node, call->inputs, call->input_count, &dims, call->scratch, known,
                           call->err));
    if (call->node->def->traits & QN_OP_DYNAMIC)
        return QN_OK;
    for (int i = 0; i < call->output_count; i++) {
        const QnShape *shape = &known[i].type.shape;
        const QnValue *value = &call->outputs[i];
        if (!call->node->outputs[i] || known[i].type.kind != QN_TENSOR)
            continue;
        if (shape->rank < 0 && value->kind == QN_NONE && !has_collections(call))
            return qn_call_fail(call, "the shape of output %d does not follow from the inputs", i);
        if (shape->rank < 0)
            continue;
        if (value->kind == QN_NONE)
            QN_TRY(qn_call_output(call, i, known[i].type.element, shape->rank, shape->dims, NULL));
        else if (value->kind == QN_TENSOR &&
                 !has_shape(&value->tensor, known[i].type.element, shape->rank, shape->dims))
            return qn_call_fail(call, "output %d has not the type or shape that its inputs give",
                                i);
    }
    return QN_OK;
}

/*
 * Makes the first output wrong, for scripts/mutants.  Of strings the last becomes another one; a
 * collection loses its last item, and an empty one is none any more.
 */
static void spoil_output(const QnCall *call)
{
    QnValue *out = &call->outputs[0];
    if (out->kind != QN_TENSOR) {
        if (out->count > 0)
            out->count--;
        else
            out->kind = QN_NONE;
        return;
    }
    const QnTensor *y = qn_call_result(call, 0);
    const int64_t count = qn_tensor_count(y);
    if (y->type != QN_STRING) {
        qn_fault_spoil(y->data, (size_t)count * qn_type_size(y->type));
    } else if (count > 0) {
        QnString *last = (QnString *)y->data + count - 1;
        *last = last->size ? (QnString){0} : (QnString){"?", 1};
    }
}

/* References rely on tensors where their operators take nothing else. */
static QnStatus check_kinds(const QnCall *call)
{
    for (int i = 0; i < call->input_count; i++) {
        const QnKind kind = call->inputs[i].kind;
        if (kind == QN_TENSOR || (call->node->def->traits & QN_OP_COLLECTIONS) ||
            (kind == QN_NONE && !qn_node_input(call->node, i)))
            continue;
        return qn_call_fail(call, "input %d is %s, expected a tensor", i,
                            kind == QN_NONE ? "absent" : "a collection");
    }
    return QN_OK;
}

QnStatus qn_op_call(const QnCall *call)
{
    const QnOp *op = call->node->def;
    if (!op || !op->reference)
        return qn_fail(call->err, QN_UNSUPPORTED, "operator %s has no reference", call->node->op);
    QN_TRY(check_kinds(call));
    QN_TRY(prepare_outputs(call));
    QN_TRY(op->reference(call));
    if (qn_fault("op", op->name))
        spoil_output(call);
    return QN_OK;
}

QnStatus qn_reference_view(const QnCall *call)
{
    if (call->inputs[0].kind !=
        QN_TENSOR) { /* Identity of a collection: values are never changed, so shared */
        call->outputs[0] = call->inputs[0];
        return QN_OK;
    }
    const QnTensor *x = qn_call_input(call, 0);
    QnTensor *y = qn_call_result(call, 0);
    const int64_t count = qn_tensor_count(x);
    if (count != qn_tensor_count(y))
        return qn_call_fail(call, "the input has %lld elements, the output %lld", (long long)count,
                            (long long)qn_tensor_count(y));
    if (count && x->data != y->data)
        memcpy(y->data, x->data, (size_t)count * qn_type_size(x->type));
    return QN_OK;
}

/* ---- elementwise ---- */

int64_t qn_broadcast_index(const QnTensor *x, const QnTensor *y, int64_t i)
{
    int64_t at = 0, scale = 1;
    for (int d = y->rank - 1; d >= y->rank - x->rank; d--) {
        const int64_t length = x->dims[d - (y->rank - x->rank)];
        at += length == 1 ? 0 : i % y->dims[d] * scale;
        i /= y->dims[d];
        scale *= length;
    }
    return at;
}

enum { ROW = 256, ATTRIBUTES = 8 };

/* The element strides of `x` broadcast to the rank and dims of `y`. */
static void broadcast_strides(const QnTensor *x, const QnTensor *y, int64_t *strides)
{
    int64_t stride = 1;
    for (int d = y->rank - 1; d >= 0; d--) {
        const int from = d - (y->rank - x->rank);
        const int64_t length = from >= 0 ? x->dims[from] : 1;
        strides[d] = length == 1 ? 0 : stride;
        stride *= length;
    }
}

static void read_attributes(const QnNode *node, double *values)
{
    int count = 0;
    for (const QnOpAttribute *row = node->def->attributes; row && row->name && count < ATTRIBUTES;
         row++) {
        if (row->kind == QN_ATTRIBUTE_FLOAT)
            values[count++] = qn_op_float(node, row->name);
        else if (row->kind == QN_ATTRIBUTE_INT)
            values[count++] = (double)qn_op_int(node, row->name);
    }
}

typedef struct Elementwise {
    const QnScalar *scalar;
    double attributes[ATTRIBUTES];
    bool is_int;      /* compute in int64_t */
    bool is_unsigned; /* or, where the scalar has a function for it, in uint64_t */
} Elementwise;

static int64_t unary_int(const Elementwise *e, int64_t x)
{
    if (e->is_unsigned && e->scalar->unary_uint)
        return (int64_t)e->scalar->unary_uint((uint64_t)x, e->attributes);
    return e->scalar->unary_int(x, e->attributes);
}

static void apply_unary(const Elementwise *e, const QnTensor *x, QnTensor *y, int64_t first,
                        int64_t step, int64_t to, int64_t count)
{
    double row[ROW];
    int64_t ints[ROW];
    if (e->is_int) {
        qn_tensor_read_row_int(x, first, step, count, ints);
        for (int64_t i = 0; i < count; i++)
            ints[i] = unary_int(e, ints[i]);
        qn_tensor_write_row_int(y, to, 1, count, ints);
        return;
    }
    assert(e->scalar->unary);
    qn_tensor_read_row(x, first, step, count, row);
    for (int64_t i = 0; i < count; i++)
        row[i] = e->scalar->unary(row[i], e->attributes);
    qn_tensor_write_row(y, to, 1, count, row);
}

static int64_t binary_int(const Elementwise *e, int64_t a, int64_t b)
{
    if (e->is_unsigned && e->scalar->binary_uint)
        return (int64_t)e->scalar->binary_uint((uint64_t)a, (uint64_t)b, e->attributes);
    return e->scalar->binary_int(a, b, e->attributes);
}

/* y = a op b, where `a` may be y itself (folding of variadic operators). */
static void apply_binary(const Elementwise *e, const QnTensor *a, int64_t first_a, int64_t step_a,
                         const QnTensor *b, int64_t first_b, int64_t step_b, QnTensor *y,
                         int64_t to, int64_t count)
{
    if (e->is_int) {
        int64_t left[ROW], right[ROW];
        qn_tensor_read_row_int(a, first_a, step_a, count, left);
        qn_tensor_read_row_int(b, first_b, step_b, count, right);
        for (int64_t i = 0; i < count; i++)
            left[i] = binary_int(e, left[i], right[i]);
        qn_tensor_write_row_int(y, to, 1, count, left);
        return;
    }
    double left[ROW], right[ROW];
    qn_tensor_read_row(a, first_a, step_a, count, left);
    qn_tensor_read_row(b, first_b, step_b, count, right);
    for (int64_t i = 0; i < count; i++)
        left[i] = e->scalar->binary(left[i], right[i], e->attributes);
    qn_tensor_write_row(y, to, 1, count, left);
}

/* One pass over the output: y = f(a) or y = f(a, b). */
static QnStatus run_pass(const QnCall *call, const Elementwise *e, const QnTensor *a,
                         const QnTensor *b, QnTensor *y)
{
    int64_t strides_a[QN_MAX_RANK] = {0}, strides_b[QN_MAX_RANK] = {0};
    broadcast_strides(a, y, strides_a);
    if (b)
        broadcast_strides(b, y, strides_b);
    const int last = y->rank - 1;
    const int64_t length = y->rank ? y->dims[last] : 1;
    const int64_t step_a = y->rank ? strides_a[last] : 0, step_b = y->rank ? strides_b[last] : 0;
    const int64_t total = qn_tensor_count(y);
    int64_t index[QN_MAX_RANK] = {0}, at_a = 0, at_b = 0;
    for (int64_t row = 0; row < total; row += length) {
        QN_TRY(qn_call_poll(call));
        for (int64_t from = 0; from < length; from += ROW) {
            const int64_t count = qn_min_i64(ROW, length - from);
            if (b)
                apply_binary(e, a, at_a + from * step_a, step_a, b, at_b + from * step_b, step_b, y,
                             row + from, count);
            else
                apply_unary(e, a, y, at_a + from * step_a, step_a, row + from, count);
        }
        for (int d = last - 1; d >= 0; d--) {
            at_a += strides_a[d];
            at_b += strides_b[d];
            if (++index[d] < y->dims[d])
                break;
            at_a -= strides_a[d] * y->dims[d];
            at_b -= strides_b[d] * y->dims[d];
            index[d] = 0;
        }
    }
    return QN_OK;
}

/* Do the elements of a type compute in int64_t?  They do not lose what double would. */
static bool is_int_type(QnType type)
{
    return qn_type_is_integer(type) || type == QN_BOOL;
}

QnStatus qn_reference_elementwise(const QnCall *call)
{
    const QnScalar *scalar = &call->node->def->scalar;
    const QnTensor *x = qn_call_input(call, 0);
    QnTensor *y = qn_call_result(call, 0);
    Elementwise e = {.scalar = scalar};
    read_attributes(call->node, e.attributes);
    const QnTensor *last = qn_call_input(call, call->input_count - 1);
    e.is_int = is_int_type(x->type) && is_int_type(last->type) &&
               (scalar->unary_int || scalar->binary_int);
    e.is_unsigned = last->type == QN_UINT64;
    if (scalar->unary || (e.is_int && scalar->unary_int))
        return run_pass(call, &e, x, NULL, y);
    if (call->input_count == 1) { /* a variadic operator of one input is that input */
        const int64_t count = qn_tensor_count(x);
        memcpy(y->data, x->data, (size_t)count * qn_type_size(x->type));
        return QN_OK;
    }
    QN_TRY(run_pass(call, &e, x, qn_call_input(call, 1), y));
    for (int i = 2; i < call->input_count; i++)
        QN_TRY(run_pass(call, &e, y, qn_call_input(call, i), y));
    return QN_OK;
}
