/* SPDX-License-Identifier: Apache-2.0 */
/* ReverseSequence turns the first elements of each batch entry around along time; those behind stay
 * where they are. */
#include "engine/ops/op.h"

/* Time and batch are the first two dimensions, in either order. */
static QnStatus read_axes(const QnInfer *in, int64_t *time, int64_t *batch)
{
    *time = qn_op_int(in->node, "time_axis");
    *batch = qn_op_int(in->node, "batch_axis");
    if (*time < 0 || *time > 1 || *batch != 1 - *time)
        return qn_infer_fail(in, "time_axis is %lld and batch_axis %lld, expected 0 and 1",
                             (long long)*time, (long long)*batch);
    return QN_OK;
}

static QnStatus infer_reverse(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0), *lengths = qn_infer_shape(in, 1);
    int64_t time, batch;
    QN_TRY(read_axes(in, &time, &batch));
    if (x && x->rank < 2)
        return qn_infer_fail(in, "input 0 has rank %d, expected 2 at least", x->rank);
    QN_TRY(qn_infer_want_rank(in, 1, 1));
    if (x && lengths && qn_dim_is_known(x->dims[batch]) && qn_dim_is_known(lengths->dims[0]) &&
        x->dims[batch] != lengths->dims[0])
        return qn_infer_fail(in, "sequence_lens has %lld entries, expected %lld",
                             (long long)lengths->dims[0], (long long)x->dims[batch]);
    return qn_infer_output(in, 0, qn_infer_type(in, 0));
}

static QnStatus reverse(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0), *lengths = qn_call_input(call, 1);
    QnTensor *y = qn_call_result(call, 0);
    const int64_t time = qn_op_int(call->node, "time_axis"), batch = 1 - time;
    size_t block = qn_type_size(x->type);
    for (int d = 2; d < x->rank; d++)
        block *= (size_t)x->dims[d];
    for (int64_t b = 0; b < x->dims[batch]; b++) {
        const int64_t length = qn_tensor_get_int(lengths, b);
        QN_TRY(qn_call_poll(call));
        if (length < 0 || length > x->dims[time])
            return qn_call_fail(call, "sequence_lens[%lld] is %lld, expected 0 to %lld",
                                (long long)b, (long long)length, (long long)x->dims[time]);
        for (int64_t t = 0; t < x->dims[time] && block; t++) {
            const int64_t from = t < length ? length - 1 - t : t;
            memcpy((uint8_t *)y->data + t * y->strides[time] + b * y->strides[batch],
                   (const uint8_t *)x->data + from * x->strides[time] + b * x->strides[batch],
                   block);
        }
    }
    return QN_OK;
}

static const QnOpAttribute attributes[] = {
    {"batch_axis", QN_ATTRIBUTE_INT, .i = 1}, {"time_axis", QN_ATTRIBUTE_INT}, {0}};

const QnOp qn_ops_reverse[] = {
    {.name = "ReverseSequence",
     .since = 28,
     .inputs = "input: any, sequence_lens: int64",
     .outputs = "y: T",
     .attributes = attributes,
     .traits = QN_OP_PORTABLE,
     .infer = infer_reverse,
     .reference = reverse},
    {0},
};
