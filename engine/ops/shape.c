/* SPDX-License-Identifier: Apache-2.0 */
/* Shapes as data, and tensors made from numbers alone. */
#include <math.h>

#include "engine/ops/op.h"

/* ---- Shape, Size ---- */

/* The slice of the dims that Shape gives: bounds are clamped. */
static void shape_range(const QnNode *node, int rank, int *first, int *end)
{
    int64_t from = qn_op_int(node, "start"), to = qn_node_int(node, "end", rank);
    from = from < 0 ? from + rank : from;
    to = to < 0 ? to + rank : to;
    *first = (int)(from < 0 ? 0 : from > rank ? rank : from);
    *end = (int)(to < *first ? *first : to > rank ? rank : to);
}

static QnStatus infer_shape(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    int first, end;
    if (!x)
        return qn_infer_unknown(in, 0, QN_INT64, 1);
    shape_range(in->node, x->rank, &first, &end);
    const QnShape y = {.rank = 1, .dims = {end - first}};
    QN_TRY(qn_infer_tensor(in, 0, QN_INT64, &y));
    return qn_infer_content(in, 0, x->dims + first, end - first);
}

static QnStatus shape(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0);
    QnTensor *y = qn_call_result(call, 0);
    int first, end;
    shape_range(call->node, x->rank, &first, &end);
    for (int d = first; d < end; d++)
        qn_tensor_set_int(y, d - first, x->dims[d]);
    return QN_OK;
}

static QnStatus infer_size(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    const QnShape y = {.rank = 0};
    QN_TRY(qn_infer_tensor(in, 0, QN_INT64, &y));
    if (!x)
        return QN_OK;
    const QnDim count = qn_shape_product(in->dims, x, 0, x->rank);
    return qn_infer_content(in, 0, &count, 1);
}

static QnStatus size(const QnCall *call)
{
    qn_tensor_set_int(qn_call_result(call, 0), 0, qn_tensor_count(qn_call_input(call, 0)));
    return QN_OK;
}

/* ---- ConstantOfShape ---- */

static const QnTensor *fill_value(const QnNode *node)
{
    const QnAttribute *value = qn_node_attribute(node, "value");
    return value && value->kind == QN_ATTRIBUTE_TENSOR && qn_tensor_count(value->tensor) == 1
               ? value->tensor
               : NULL;
}

static QnStatus infer_constant_of_shape(QnInfer *in)
{
    const QnShape *shape = qn_infer_shape(in, 0);
    const QnTensor *value = fill_value(in->node);
    const QnType element = value ? value->type : QN_FLOAT;
    QnShape y;
    y.rank = qn_infer_ints(in, 0, y.dims, QN_MAX_RANK);
    if (y.rank < 0) {
        const bool is_known = shape && shape->rank == 1 && qn_dim_is_known(shape->dims[0]);
        if (is_known && shape->dims[0] > QN_MAX_RANK)
            return qn_infer_fail(in, "the shape has %lld entries, expected %d at most",
                                 (long long)shape->dims[0], QN_MAX_RANK);
        return qn_infer_unknown(in, 0, element, is_known ? (int)shape->dims[0] : -1);
    }
    for (int d = 0; d < y.rank; d++) {
        int64_t number;
        if (qn_dim_constant(in->dims, y.dims[d], &number) && number < 0)
            return qn_infer_fail(in, "the shape's entry %d is %lld, expected 0 at least", d,
                                 (long long)number);
    }
    QN_TRY(qn_infer_tensor(in, 0, element, &y));
    /* A short list of one number is content: shapes are padded with it. */
    if (y.rank != 1 || !qn_dim_is_known(y.dims[0]) || y.dims[0] > QN_CONTENT_LIMIT || !value ||
        !qn_type_is_integer(value->type))
        return QN_OK;
    QnDim content[QN_CONTENT_LIMIT];
    for (int64_t i = 0; i < y.dims[0]; i++)
        content[i] = qn_dim_number(in->dims, qn_tensor_get_int(value, 0));
    return qn_infer_content(in, 0, content, (int)y.dims[0]);
}

static QnStatus constant_of_shape(const QnCall *call)
{
    const QnTensor *value = fill_value(call->node);
    QnTensor *y = qn_call_result(call, 0);
    if (value)
        qn_tensor_fill(y, value->data);
    else
        memset(y->data, 0, (size_t)qn_tensor_count(y) * qn_type_size(y->type));
    return QN_OK;
}

/* ---- Range ---- */

/* How many numbers: max(0, ceil((limit - start) / delta)). */
static QnStatus range_count(const QnTensor *start, const QnTensor *limit, const QnTensor *delta,
                            int64_t *count, QnError *err)
{
    const double step = qn_tensor_get(delta, 0);
    const double number = ceil((qn_tensor_get(limit, 0) - qn_tensor_get(start, 0)) / step);
    if (step == 0 || isnan(number) || number > 9e15)
        return qn_fail(err, QN_BAD_TENSOR, "a range from %g to %g by %g has no end",
                       qn_tensor_get(start, 0), qn_tensor_get(limit, 0), step);
    *count = number > 0 ? (int64_t)number : 0;
    return QN_OK;
}

/* 0 to a symbolic limit by 1, as exporters count positions. */
static bool counts_to_dim(const QnInfer *in, QnDim *count)
{
    QnDim start, limit, delta;
    int64_t from, by;
    if (qn_infer_ints(in, 0, &start, 1) != 1 || qn_infer_ints(in, 1, &limit, 1) != 1 ||
        qn_infer_ints(in, 2, &delta, 1) != 1 || !qn_dim_constant(in->dims, delta, &by) || by != 1)
        return false;
    *count = qn_dim_constant(in->dims, start, &from) && from == 0
                 ? limit
                 : qn_dim_sub(in->dims, limit, start);
    if (!qn_dim_is_at_least(in->dims, *count, 0))
        *count = qn_dim_max(in->dims, *count, 0);
    return true;
}

static QnStatus infer_range(QnInfer *in)
{
    const QnType element = qn_infer_element(in, 0);
    QnShape y = {.rank = 1};
    bool is_known = true;
    for (int i = 0; i < 3; i++)
        is_known =
            is_known && in->inputs[i].constant && qn_tensor_count(in->inputs[i].constant) > 0;
    if (is_known)
        QN_TRY(range_count(in->inputs[0].constant, in->inputs[1].constant, in->inputs[2].constant,
                           &y.dims[0], in->err));
    else if (!counts_to_dim(in, &y.dims[0]))
        return qn_infer_unknown(in, 0, element, 1);
    return qn_infer_tensor(in, 0, element, &y);
}

static QnStatus range(const QnCall *call)
{
    const QnTensor *start = qn_call_input(call, 0), *delta = qn_call_input(call, 2);
    QnTensor *y = qn_call_result(call, 0);
    const bool is_int = qn_type_is_integer(y->type);
    const double first = qn_tensor_get(start, 0), step = qn_tensor_get(delta, 0);
    const uint64_t first_int = (uint64_t)qn_tensor_get_int(start, 0),
                   step_int = (uint64_t)qn_tensor_get_int(delta, 0);
    enum { ROW = 256 };
    for (int64_t row = 0; row < y->dims[0]; row += ROW) {
        const int64_t count = y->dims[0] - row < ROW ? y->dims[0] - row : ROW;
        int64_t ints[ROW];
        double reals[ROW];
        for (int64_t i = 0; i < count; i++) {
            ints[i] = (int64_t)(first_int + (uint64_t)(row + i) * step_int);
            reals[i] = first + (double)(row + i) * step;
        }
        if (is_int)
            qn_tensor_write_row_int(y, row, 1, count, ints);
        else
            qn_tensor_write_row(y, row, 1, count, reals);
    }
    return QN_OK;
}

static const QnOpAttribute shape_attributes[] = {
    {"start", QN_ATTRIBUTE_INT}, {"end", QN_ATTRIBUTE_INT}, {0}};
static const QnOpAttribute fill_attributes[] = {{"value", QN_ATTRIBUTE_TENSOR}, {0}};

const QnOp qn_ops_shape[] = {
    {.name = "ConstantOfShape",
     .since = 25,
     .inputs = "input: int64",
     .outputs = "output: any",
     .attributes = fill_attributes,
     .traits = QN_OP_PORTABLE,
     .infer = infer_constant_of_shape,
     .reference = constant_of_shape},
    {.name = "Range",
     .since = 27,
     .inputs = "start: numeric, limit: T, delta: T",
     .outputs = "output: T",
     .traits = QN_OP_PORTABLE,
     .infer = infer_range,
     .reference = range},
    {.name = "Shape",
     .since = 25,
     .inputs = "data: any",
     .outputs = "shape: int64",
     .attributes = shape_attributes,
     .traits = QN_OP_PORTABLE,
     .infer = infer_shape,
     .reference = shape},
    {.name = "Size",
     .since = 25,
     .inputs = "data: any",
     .outputs = "size: int64",
     .traits = QN_OP_PORTABLE,
     .infer = infer_size,
     .reference = size},
    {0},
};
