/* SPDX-License-Identifier: Apache-2.0 */
/* Operators that keep the elements in their order and change how they are counted: views. */
#include "engine/ops/op.h"

/* ---- Reshape ---- */

/* The entry of a requested shape: 0 copies the input's size unless zeros are allowed. */
static QnStatus requested_size(const QnInfer *in, const QnShape *x, QnDim wanted, int d, QnDim *out)
{
    int64_t number;
    *out = wanted;
    if (!qn_dim_constant(in->dims, wanted, &number))
        return QN_OK;
    if (number < -1)
        return qn_infer_fail(in, "the shape's entry %d is %lld, expected -1 at least", d,
                             (long long)number);
    if (number == 0 && !qn_op_int(in->node, "allowzero")) {
        if (d >= x->rank)
            return qn_infer_fail(in, "the shape's entry %d is 0, but the input has rank %d", d,
                                 x->rank);
        *out = x->dims[d];
    }
    return QN_OK;
}

/* What is left for the entry of -1: all elements over those of the other entries. */
static QnStatus rest_of(QnInfer *in, const QnShape *x, QnShape *y, int open)
{
    QnDim other = 1, all = 1;
    bool taken[QN_MAX_RANK] = {false};
    /* Sizes that stand on both sides cancel, also those that are 0 or not known. */
    for (int d = 0; d < y->rank; d++) {
        bool cancels = d == open;
        for (int s = 0; s < x->rank && !cancels; s++)
            if (!taken[s] && x->dims[s] == y->dims[d])
                cancels = taken[s] = true;
        if (!cancels)
            other = qn_dim_mul(in->dims, other, y->dims[d]);
    }
    for (int s = 0; s < x->rank; s++)
        if (!taken[s])
            all = qn_dim_mul(in->dims, all, x->dims[s]);
    if (other == 0)
        return qn_infer_fail(in, "the shape's entry of -1 stands beside a size of 0");
    if (qn_dim_is_known(all) && qn_dim_is_known(other) && all % other)
        return qn_infer_fail(in, "%lld elements cannot be shared among %lld", (long long)all,
                             (long long)other);
    y->dims[open] = qn_dim_floor_div(in->dims, all, other);
    return QN_OK;
}

static QnStatus check_count(const QnInfer *in, const QnShape *x, const QnShape *y)
{
    const QnDim before = qn_shape_product(in->dims, x, 0, x->rank);
    const QnDim after = qn_shape_product(in->dims, y, 0, y->rank);
    if (qn_dim_is_known(before) && qn_dim_is_known(after) && before != after)
        return qn_infer_fail(in, "the input has %lld elements, the new shape %lld",
                             (long long)before, (long long)after);
    return QN_OK;
}

/* Scalars and 1-D tensors keep their known content. */
static QnStatus pass_content(QnInfer *in)
{
    if (in->inputs[0].content)
        return qn_infer_content(in, 0, in->inputs[0].content, in->inputs[0].content_count);
    QnDim content[QN_CONTENT_LIMIT];
    const QnShape *y = &in->outputs[0].type.shape;
    const int count = y->rank <= 1 ? qn_infer_ints(in, 0, content, QN_CONTENT_LIMIT) : -1;
    return count >= 0 ? qn_infer_content(in, 0, content, count) : QN_OK;
}

static QnStatus infer_reshape(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0), *shape = qn_infer_shape(in, 1);
    const QnType element = qn_infer_element(in, 0);
    QnDim wanted[QN_MAX_RANK];
    const int count = qn_infer_ints(in, 1, wanted, QN_MAX_RANK);
    if (count < 0 || !x) {
        const bool is_known = shape && shape->rank == 1 && qn_dim_is_known(shape->dims[0]);
        if (is_known && shape->dims[0] > QN_MAX_RANK)
            return qn_infer_fail(in, "the new shape has %lld entries, expected %d at most",
                                 (long long)shape->dims[0], QN_MAX_RANK);
        return qn_infer_unknown(in, 0, element, is_known ? (int)shape->dims[0] : -1);
    }
    QnShape y = {.rank = count};
    int open = -1;
    for (int d = 0; d < count; d++) {
        int64_t number;
        QN_TRY(requested_size(in, x, wanted[d], d, &y.dims[d]));
        if (!qn_dim_constant(in->dims, wanted[d], &number) || number != -1)
            continue;
        if (open >= 0)
            return qn_infer_fail(in, "the shape's entries %d and %d are both -1", open, d);
        open = d;
    }
    if (open >= 0)
        QN_TRY(rest_of(in, x, &y, open));
    QN_TRY(check_count(in, x, &y));
    QN_TRY(qn_infer_tensor(in, 0, element, &y));
    return pass_content(in);
}

/* ---- Flatten, Squeeze, Unsqueeze ---- */

static QnStatus infer_flatten(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    const int64_t axis = qn_op_int(in->node, "axis");
    if (!x)
        return qn_infer_unknown(in, 0, qn_infer_element(in, 0), 2);
    if (axis < -x->rank || axis > x->rank)
        return qn_infer_fail(in, "axis is %lld, expected %d to %d", (long long)axis, -x->rank,
                             x->rank);
    const int split = (int)(axis < 0 ? axis + x->rank : axis);
    const QnShape y = {.rank = 2,
                       .dims = {qn_shape_product(in->dims, x, 0, split),
                                qn_shape_product(in->dims, x, split, x->rank)}};
    return qn_infer_tensor(in, 0, qn_infer_element(in, 0), &y);
}

/* Marks the axes of input 1 among `rank`; *count is -1 where they are not known. */
static QnStatus read_axes(const QnInfer *in, int rank, bool *is_marked, int *count)
{
    int64_t axes[QN_MAX_RANK];
    *count = qn_infer_constants(in, 1, axes, QN_MAX_RANK);
    for (int i = 0; i < *count; i++) {
        int axis;
        QN_TRY(qn_infer_axis_of(in, "axes", axes[i], rank, &axis));
        if (is_marked[axis])
            return qn_infer_fail(in, "axes names dimension %d twice", axis);
        is_marked[axis] = true;
    }
    return QN_OK;
}

/* How many dimensions stay where only running tells which: all but as many as there are axes, which
 * then must not name one twice.  -1: not known. */
static int rank_left(const QnInfer *in, int rank)
{
    const QnShape *axes = qn_infer_shape(in, 1);
    const bool is_counted = axes && axes->rank == 1 && qn_dim_is_known(axes->dims[0]);
    return is_counted && axes->dims[0] <= rank ? rank - (int)axes->dims[0] : -1;
}

static QnStatus infer_squeeze(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    const QnType element = qn_infer_element(in, 0);
    bool is_gone[QN_MAX_RANK] = {false};
    int count = 0;
    if (!x)
        return qn_infer_unknown(in, 0, element, -1);
    if (qn_infer_has(in, 1))
        QN_TRY(read_axes(in, x->rank, is_gone, &count));
    for (int d = 0; d < x->rank && !qn_infer_has(in, 1); d++) {
        if (!qn_dim_is_known(x->dims[d]))
            count = -1; /* whether it is 1 only running tells */
        is_gone[d] = x->dims[d] == 1;
    }
    if (count < 0)
        return qn_infer_unknown(in, 0, element, rank_left(in, x->rank));
    QnShape y = {0};
    for (int d = 0; d < x->rank; d++) {
        if (is_gone[d] && qn_dim_is_known(x->dims[d]) && x->dims[d] != 1)
            return qn_infer_fail(in, "axes names dimension %d, which is %lld, expected 1", d,
                                 (long long)x->dims[d]);
        if (!is_gone[d])
            y.dims[y.rank++] = x->dims[d];
    }
    QN_TRY(qn_infer_tensor(in, 0, element, &y));
    return pass_content(in);
}

static QnStatus infer_unsqueeze(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0), *axes = qn_infer_shape(in, 1);
    const QnType element = qn_infer_element(in, 0);
    bool is_new[QN_MAX_RANK] = {false};
    int count;
    if (!x || !axes || (axes->rank == 1 && !qn_dim_is_known(axes->dims[0])))
        return qn_infer_unknown(in, 0, element, -1);
    const int64_t added = axes->rank == 0 ? 1 : axes->dims[0];
    if (axes->rank > 1 || added > QN_MAX_RANK - x->rank)
        return qn_infer_fail(in, "the result would have over %d dimensions", QN_MAX_RANK);
    QnShape y = {.rank = x->rank + (int)added};
    QN_TRY(read_axes(in, y.rank, is_new, &count));
    if (count < 0)
        return qn_infer_unknown(in, 0, element, y.rank);
    for (int d = 0, s = 0; d < y.rank; d++)
        y.dims[d] = is_new[d] ? 1 : x->dims[s++];
    QN_TRY(qn_infer_tensor(in, 0, element, &y));
    return pass_content(in);
}

static const QnOpAttribute reshape_attributes[] = {{"allowzero", QN_ATTRIBUTE_INT}, {0}};
static const QnOpAttribute flatten_attributes[] = {{"axis", QN_ATTRIBUTE_INT, .i = 1}, {0}};

const QnOp qn_ops_reshape[] = {
    {.name = "Flatten",
     .since = 25,
     .inputs = "input: any",
     .outputs = "output: T",
     .attributes = flatten_attributes,
     .traits = QN_OP_VIEW,
     .infer = infer_flatten,
     .reference = qn_reference_view},
    {.name = "Identity",
     .since = 25,
     .inputs = "input: any",
     .outputs = "output: T",
     .traits = QN_OP_VIEW | QN_OP_COLLECTIONS,
     .infer = qn_infer_same,
     .reference = qn_reference_view},
    {.name = "Reshape",
     .since = 25,
     .inputs = "data: any, shape: int64",
     .outputs = "reshaped: T",
     .attributes = reshape_attributes,
     .traits = QN_OP_VIEW,
     .infer = infer_reshape,
     .reference = qn_reference_view},
    {.name = "Squeeze",
     .since = 25,
     .inputs = "data: any, axes?: int64",
     .outputs = "squeezed: T",
     .traits = QN_OP_VIEW,
     .infer = infer_squeeze,
     .reference = qn_reference_view},
    {.name = "Unsqueeze",
     .since = 25,
     .inputs = "data: any, axes: int64",
     .outputs = "expanded: T",
     .traits = QN_OP_VIEW,
     .infer = infer_unsqueeze,
     .reference = qn_reference_view},
    {0},
};
