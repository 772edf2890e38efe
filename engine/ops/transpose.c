/* SPDX-License-Identifier: Apache-2.0 */
/* Transpose:  y's dimension d is x's dimension perm[d]; without perm the order is reversed. */
#include "engine/ops/op.h"

/* Reads perm; QN_BAD_MODEL unless it names every dimension once. */
static QnStatus read_perm(const QnNode *node, int rank, int *perm, QnError *err)
{
    const QnAttribute *list = qn_node_attribute(node, "perm");
    bool is_named[QN_MAX_RANK] = {false};
    if (list && list->count != rank)
        return qn_fail(err, QN_BAD_MODEL, "perm has %d entries, expected %d", list->count, rank);
    for (int d = 0; d < rank; d++) {
        const int64_t axis = list ? list->ints[d] : rank - 1 - d;
        if (axis < 0 || axis >= rank || is_named[axis])
            return qn_fail(err, QN_BAD_MODEL, "perm[%d] is %lld, expected each of 0 to %d once", d,
                           (long long)axis, rank - 1);
        is_named[axis] = true;
        perm[d] = (int)axis;
    }
    return QN_OK;
}

static QnStatus infer_transpose(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    int perm[QN_MAX_RANK];
    if (!x) {
        const QnAttribute *list = qn_node_attribute(in->node, "perm");
        return qn_infer_unknown(in, 0, qn_infer_element(in, 0), list ? list->count : -1);
    }
    QN_TRY(read_perm(in->node, x->rank, perm, in->err));
    QnShape y = {.rank = x->rank};
    for (int d = 0; d < x->rank; d++)
        y.dims[d] = x->dims[perm[d]];
    return qn_infer_tensor(in, 0, qn_infer_element(in, 0), &y);
}

static QnStatus transpose(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0);
    int perm[QN_MAX_RANK];
    QN_TRY(read_perm(call->node, x->rank, perm, call->err));
    QnTensor view = *x;
    for (int d = 0; d < x->rank; d++) {
        view.dims[d] = x->dims[perm[d]];
        view.strides[d] = x->strides[perm[d]];
    }
    return qn_call_copy(call, &view, qn_call_result(call, 0));
}

static const QnOpAttribute attributes[] = {{"perm", QN_ATTRIBUTE_INTS}, {0}};

const QnOp qn_ops_transpose[] = {
    {.name = "Transpose",
     .since = 25,
     .inputs = "data: any",
     .outputs = "transposed: T",
     .attributes = attributes,
     .infer = infer_transpose,
     .reference = transpose},
    {0},
};
