/* SPDX-License-Identifier: Apache-2.0 */
/* ArgMax and ArgMin: where along an axis the largest or smallest element stands; of equal ones the
 * first, or with select_last_index the last. */
#include <math.h>

#include "engine/ops/op.h"

static QnStatus infer_arg(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    const bool keeps = qn_op_int(in->node, "keepdims") != 0;
    int axis;
    if (!x)
        return qn_infer_unknown(in, 0, QN_INT64, -1);
    QN_TRY(qn_infer_axis(in, x->rank, &axis));
    if (x->dims[axis] == 0)
        return qn_infer_fail(in, "dimension %d has no elements to choose from", axis);
    QnShape y = {0};
    for (int d = 0; d < x->rank; d++)
        if (d != axis || keeps)
            y.dims[y.rank++] = d == axis ? 1 : x->dims[d];
    return qn_infer_tensor(in, 0, QN_INT64, &y);
}

/* Does element i win against the best so far?  NaN wins against numbers. */
static bool wins(const QnTensor *x, int64_t i, int64_t best, bool is_max, bool is_last)
{
    if (qn_type_is_float(x->type)) {
        const double a = qn_tensor_get(x, i), b = qn_tensor_get(x, best);
        if (isnan(a) || isnan(b))
            return isnan(a) && (!isnan(b) || is_last);
        return (is_max ? a > b : a < b) || (is_last && a == b);
    }
    const uint64_t flip = x->type == QN_UINT64 ? UINT64_C(1) << 63 : 0;
    const int64_t a = (int64_t)((uint64_t)qn_tensor_get_int(x, i) ^ flip);
    const int64_t b = (int64_t)((uint64_t)qn_tensor_get_int(x, best) ^ flip);
    return (is_max ? a > b : a < b) || (is_last && a == b);
}

static QnStatus arg(const QnCall *call, bool is_max)
{
    const QnTensor *x = qn_call_input(call, 0);
    QnTensor *y = qn_call_result(call, 0);
    const int64_t axis = qn_op_int(call->node, "axis");
    const QnBox box = qn_box(x, (int)(axis < 0 ? axis + x->rank : axis));
    const bool is_last = qn_op_int(call->node, "select_last_index") != 0;
    if (box.length == 0)
        return qn_call_fail(call, "dimension %lld has no elements to choose from", (long long)axis);
    for (int64_t i = 0; i < box.outer * box.inner; i++) {
        const int64_t first = i / box.inner * box.length * box.inner + i % box.inner;
        int64_t best = 0;
        QN_TRY(qn_call_poll(call));
        for (int64_t k = 1; k < box.length; k++)
            if (wins(x, first + k * box.inner, first + best * box.inner, is_max, is_last))
                best = k;
        qn_tensor_set_int(y, i, best);
    }
    return QN_OK;
}

static QnStatus arg_max(const QnCall *call)
{
    return arg(call, true);
}

static QnStatus arg_min(const QnCall *call)
{
    return arg(call, false);
}

static const QnOpAttribute attributes[] = {{"axis", QN_ATTRIBUTE_INT},
                                           {"keepdims", QN_ATTRIBUTE_INT, .i = 1},
                                           {"select_last_index", QN_ATTRIBUTE_INT},
                                           {0}};

#define ROW(op, fn)                                                                    \
    .name = (op), .since = 13, .inputs = "data: numeric", .outputs = "reduced: int64", \
    .attributes = attributes, .infer = infer_arg, .reference = (fn)

const QnOp qn_ops_arg[] = {{ROW("ArgMax", arg_max)}, {ROW("ArgMin", arg_min)}, {0}};
