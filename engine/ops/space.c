/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DepthToSpace and SpaceToDepth move blocks of b x b pixels out of and into the channels.
 *
 *     DCR:  deep channel (i * b + j) * C + c  <->  channel c, pixel (i, j) of the block
 *     CRD:  deep channel (c * b + i) * b + j  <->  the same
 */
#include "engine/ops/op.h"

static bool is_crd(const QnNode *node)
{
    return qn_op_string_is(node, "mode", "CRD");
}

/* The block size, checked; x: of rank 4, or NULL. */
static QnStatus read_block(QnInfer *in, int64_t *block)
{
    *block = qn_op_int(in->node, "blocksize");
    if (*block < 1 || *block > INT32_MAX)
        return qn_infer_fail(in, "blocksize is %lld, expected 1 at least", (long long)*block);
    if (!is_crd(in->node) && !qn_op_string_is(in->node, "mode", "DCR"))
        return qn_infer_fail(in, "mode is neither DCR nor CRD");
    return qn_infer_want_rank(in, 0, 4);
}

/* Fails unless a dimension, where it is a number, is a multiple of the unit. */
static QnStatus want_multiple(const QnInfer *in, const QnShape *x, int d, int64_t unit)
{
    if (qn_dim_is_known(x->dims[d]) && x->dims[d] % unit)
        return qn_infer_fail(in, "dimension %d is %lld, expected a multiple of %lld", d,
                             (long long)x->dims[d], (long long)unit);
    return QN_OK;
}

static QnStatus infer_depth_to_space(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    int64_t b;
    QN_TRY(read_block(in, &b));
    if (!x)
        return qn_infer_unknown(in, 0, qn_infer_element(in, 0), 4);
    QN_TRY(want_multiple(in, x, 1, b * b));
    const QnShape y = {.rank = 4,
                       .dims = {x->dims[0], qn_dim_floor_div(in->dims, x->dims[1], b * b),
                                qn_dim_mul(in->dims, x->dims[2], b),
                                qn_dim_mul(in->dims, x->dims[3], b)}};
    return qn_infer_tensor(in, 0, qn_infer_element(in, 0), &y);
}

static QnStatus infer_space_to_depth(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    int64_t b;
    QN_TRY(read_block(in, &b));
    if (!x)
        return qn_infer_unknown(in, 0, qn_infer_element(in, 0), 4);
    QN_TRY(want_multiple(in, x, 2, b));
    QN_TRY(want_multiple(in, x, 3, b));
    const QnShape y = {.rank = 4,
                       .dims = {x->dims[0], qn_dim_mul(in->dims, x->dims[1], b * b),
                                qn_dim_floor_div(in->dims, x->dims[2], b),
                                qn_dim_floor_div(in->dims, x->dims[3], b)}};
    return qn_infer_tensor(in, 0, qn_infer_element(in, 0), &y);
}

/*
 * Both tensors seen with the same six dims: batch, channel, row of blocks, row in the block, column
 * of blocks, column in the block.
 */
static QnTensor view_deep(const QnTensor *deep, int64_t b, bool crd)
{
    const int64_t channels = deep->dims[1] / (b * b), channel = deep->strides[1];
    const int64_t dims[] = {deep->dims[0], channels, deep->dims[2], b, deep->dims[3], b};
    QnTensor view = qn_tensor(deep->type, 6, dims, deep->data);
    view.strides[0] = deep->strides[0];
    view.strides[1] = crd ? channel * b * b : channel;
    view.strides[2] = deep->strides[2];
    view.strides[3] = crd ? channel * b : channel * channels * b;
    view.strides[4] = deep->strides[3];
    view.strides[5] = crd ? channel : channel * channels;
    return view;
}

static QnTensor view_wide(const QnTensor *wide, int64_t b)
{
    const int64_t dims[] = {
        wide->dims[0], wide->dims[1], wide->dims[2] / b, b, wide->dims[3] / b, b};
    return qn_tensor(wide->type, 6, dims, wide->data); /* contiguous, so are the six */
}

static QnStatus depth_to_space(const QnCall *call)
{
    const int64_t b = qn_op_int(call->node, "blocksize");
    const QnTensor deep = view_deep(qn_call_input(call, 0), b, is_crd(call->node));
    QnTensor wide = view_wide(qn_call_result(call, 0), b);
    return qn_call_copy(call, &deep, &wide);
}

static QnStatus space_to_depth(const QnCall *call)
{
    const int64_t b = qn_op_int(call->node, "blocksize");
    const QnTensor wide = view_wide(qn_call_input(call, 0), b);
    QnTensor deep = view_deep(qn_call_result(call, 0), b, is_crd(call->node));
    return qn_call_copy(call, &wide, &deep);
}

static const QnOpAttribute attributes[] = {{"blocksize", QN_ATTRIBUTE_INT, .is_required = true},
                                           {"mode", QN_ATTRIBUTE_STRING, .s = "DCR"},
                                           {0}};

const QnOp qn_ops_space[] = {
    {.name = "DepthToSpace",
     .since = 28,
     .inputs = "input: any",
     .outputs = "output: T",
     .attributes = attributes,
     .infer = infer_depth_to_space,
     .reference = depth_to_space},
    {.name = "SpaceToDepth",
     .since = 28,
     .inputs = "input: any",
     .outputs = "output: T",
     .attributes = attributes,
     .infer = infer_space_to_depth,
     .reference = space_to_depth},
    {0},
};
