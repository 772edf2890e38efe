/* SPDX-License-Identifier: Apache-2.0 */
/* CenterCropPad cuts dimensions to a size around their middle, or fills them up to it with zeros.
 * An odd element is cut off, or added, at the end. */
#include "base/checked.h"
#include "engine/ops/op.h"

/* The i-th axis that input 1 gives a size for. */
static int64_t given_axis(const QnNode *node, int i)
{
    const QnAttribute *axes = qn_node_attribute(node, "axes");
    return axes ? axes->ints[i] : i;
}

static QnStatus infer_crop(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0), *sizes = qn_infer_shape(in, 1);
    const QnAttribute *axes = qn_node_attribute(in->node, "axes");
    QnDim size[QN_MAX_RANK];
    bool is_named[QN_MAX_RANK] = {false};
    if (!x)
        return qn_infer_unknown(in, 0, qn_infer_element(in, 0), -1);
    const int wanted = axes ? axes->count : x->rank;
    if (sizes && sizes->rank == 1 && qn_dim_is_known(sizes->dims[0]) && sizes->dims[0] != wanted)
        return qn_infer_fail(in, "shape has %lld entries, expected %d", (long long)sizes->dims[0],
                             wanted);
    const int count = qn_infer_ints(in, 1, size, QN_MAX_RANK);
    QnShape y = *x;
    for (int i = 0; i < wanted; i++) {
        int axis;
        int64_t number;
        QN_TRY(qn_infer_axis_of(in, "axes", given_axis(in->node, i), x->rank, &axis));
        if (is_named[axis])
            return qn_infer_fail(in, "axes names dimension %d twice", axis);
        is_named[axis] = true;
        y.dims[axis] = i < count ? size[i] : qn_infer_fresh(in);
        if (qn_dim_constant(in->dims, y.dims[axis], &number) && number < 0)
            return qn_infer_fail(in, "the shape's entry %d is %lld, expected 0 at least", i,
                                 (long long)number);
    }
    return qn_infer_tensor(in, 0, qn_infer_element(in, 0), &y);
}

static QnStatus crop(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0);
    QnTensor *y = qn_call_result(call, 0), from = *x, to = *y;
    memset(y->data, 0, (size_t)qn_tensor_count(y) * qn_type_size(y->type));
    for (int d = 0; d < x->rank; d++) {
        const int64_t size = qn_min_i64(x->dims[d], y->dims[d]);
        if (size > 0) { /* else no element lies anywhere */
            from.data = (uint8_t *)from.data + (x->dims[d] - size) / 2 * x->strides[d];
            to.data = (uint8_t *)to.data + (y->dims[d] - size) / 2 * y->strides[d];
        }
        from.dims[d] = to.dims[d] = size;
    }
    return qn_call_copy(call, &from, &to);
}

static const QnOpAttribute attributes[] = {{"axes", QN_ATTRIBUTE_INTS}, {0}};

const QnOp qn_ops_crop[] = {
    {.name = "CenterCropPad",
     .since = 18,
     .inputs = "input_data: any, shape: integer",
     .outputs = "output_data: T",
     .attributes = attributes,
     .traits = QN_OP_PORTABLE,
     .infer = infer_crop,
     .reference = crop},
    {0},
};
