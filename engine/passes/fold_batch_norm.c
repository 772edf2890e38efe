/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Puts what multiplies and shifts the channels of a convolution's or product's result, or of its
 * input, into its weights and bias: BatchNormalization, and Mul, Div, Add, Sub by constants.
 *
 *     scale * (W x + b) + shift = (scale * W) x + (scale * b + shift)
 *     W (scale * x + shift) + b = (W * scale) x + (W shift + b)
 *
 * The second form is used without a shift only: padding stands for zeros, and not for shifts.
 */
#include <assert.h>

#include "engine/passes/affine.h"

/* A node with constant weights and, where it is there, a constant bias per output channel. */
typedef struct Linear {
    QnNode *node;
    QnIrValue *weights;
    int axis;               /* of the channels in the result: 1, or -1 for the last */
    int64_t channels;       /* of the result */
    QnScaling out, in;      /* how the channels of result and input lie in the weights */
    double bias_factor;     /* what the node multiplies its bias with */
    bool has_bias, may_add; /* has one; can have one */
} Linear;

/* Conv: [out, in / groups, kernel]. */
static void read_conv(Linear *l, const QnTensor *w, int64_t groups)
{
    l->channels = w->dims[0];
    l->out = (QnScaling){.groups = 1, .middle = 1, .length = w->dims[0]};
    l->in = (QnScaling){.groups = groups, .middle = w->dims[0] / groups, .length = w->dims[1]};
}

/* ConvTranspose: [in, out / groups, kernel]. */
static void read_transposed(Linear *l, const QnTensor *w, int64_t groups)
{
    l->channels = w->dims[1] * groups;
    l->out = (QnScaling){.groups = groups, .middle = w->dims[0] / groups, .length = w->dims[1]};
    l->in = (QnScaling){.groups = 1, .middle = 1, .length = w->dims[0]};
}

/* Gemm and MatMul: [in, out], or the other way round. */
static void read_product(Linear *l, const QnTensor *w, bool is_transposed)
{
    const QnScaling rows = {.groups = 1, .middle = 1, .length = w->dims[0]};
    const QnScaling columns = {.groups = 1, .middle = w->dims[0], .length = w->dims[1]};
    l->axis = -1;
    l->channels = w->dims[is_transposed ? 0 : 1];
    l->out = is_transposed ? rows : columns;
    l->in = is_transposed ? columns : rows;
}

/* What kind of node it is, from its operator and weights. */
static bool read_kind(Linear *l, const QnTensor *w)
{
    const QnNode *node = l->node;
    const bool is_conv = qn_pass_is(node, "Conv"), is_back = qn_pass_is(node, "ConvTranspose");
    l->may_add = true;
    l->bias_factor = 1;
    if (is_conv || is_back) {
        const int64_t groups = qn_op_int(node, "group");
        if (w->rank < 3 || groups < 1 || w->dims[0] % groups)
            return false;
        (is_conv ? read_conv : read_transposed)(l, w, groups);
        return true;
    }
    if (w->rank != 2)
        return false;
    if (qn_pass_is(node, "Gemm")) {
        l->bias_factor = qn_op_float(node, "beta");
        read_product(l, w, qn_op_int(node, "transB") != 0);
        return !qn_op_int(node, "transA");
    }
    l->may_add = false;
    read_product(l, w, false);
    return qn_pass_is(node, "MatMul");
}

/* A bias of one number per channel, or none. */
static bool read_bias(Linear *l)
{
    const QnIrValue *bias = qn_node_input(l->node, 2);
    const QnTensor *tensor = qn_pass_constant(bias);
    l->has_bias = bias != NULL;
    return !bias || (tensor && tensor->type == l->weights->constant->type && tensor->rank == 1 &&
                     tensor->dims[0] == l->channels);
}

static bool read_linear(Linear *l, QnNode *node)
{
    *l = (Linear){.node = node, .axis = 1, .weights = node ? qn_node_input(node, 1) : NULL};
    const QnTensor *w = qn_pass_constant(l->weights);
    return w && (w->type == QN_FLOAT || w->type == QN_DOUBLE) && qn_tensor_count(w) > 0 &&
           node->output_count == 1 && node->outputs[0] && read_kind(l, w) && read_bias(l);
}

/* ---- behind ---- */

/* The bias that takes the place of the old one: factors[c] * old + shift. */
static QnStatus make_bias(QnPassCall *call, const Linear *l, const QnAffine *a, QnArena *scratch,
                          QnIrValue **out)
{
    const QnIrValue *old = qn_node_input(l->node, 2);
    double *row;
    QN_ALLOC(row, scratch, l->channels);
    for (int64_t c = 0; c < l->channels; c++)
        row[c] = a->shift[c] +
                 (old ? a->scale[c] * l->bias_factor * qn_tensor_get(old->constant, c) : 0);
    return qn_affine_row(call, out, l->node->graph, l->weights->constant->type, 1, &l->channels,
                         row);
}

static bool is_all(const double *row, int64_t count, double wanted)
{
    for (int64_t i = 0; i < count; i++)
        if (row[i] != wanted)
            return false;
    return true;
}

static QnStatus set_bias(Linear *l, QnIrValue *bias)
{
    if (l->node->input_count < 3)
        QN_TRY(qn_node_resize_inputs(l->node, 3));
    qn_use_set(&l->node->inputs[2], bias);
    if (l->bias_factor != 1)
        QN_TRY(qn_node_set_float(l->node, "beta", 1));
    return QN_OK;
}

static QnStatus fold_behind(QnPassCall *call, Linear *l, const QnAffine *a, QnNode *node,
                            QnArena *scratch)
{
    QnIrValue *weights = l->weights, *bias = NULL;
    const bool scales = !is_all(a->scale, a->channels, 1);
    const bool shifts = l->has_bias || !is_all(a->shift, a->channels, 0);
    if (shifts && !l->may_add)
        return QN_OK;
    l->out.factors = a->scale;
    if (scales)
        QN_TRY(qn_affine_scale(call, &weights, l->weights, &l->out));
    if (!weights)
        return QN_OK;
    if (shifts)
        QN_TRY(make_bias(call, l, a, scratch, &bias));
    qn_use_set(&l->node->inputs[1], weights);
    if (shifts)
        QN_TRY(set_bias(l, bias));
    qn_pass_absorb(call, l->node, node);
    return QN_OK;
}

/* The node is an affine one; what makes its data may be linear. */
static QnStatus fold_result(QnPassCall *call, QnNode *node, QnArena *scratch)
{
    Linear l = {0};
    QnAffine a;
    bool is_affine;
    const int data = qn_pass_constant(qn_node_input(node, 0)) ? 1 : 0;
    QnIrValue *x = qn_node_input(node, data);
    if (!x || !qn_pass_is_private(x) || node->output_count != 1 || !x->node ||
        x->node->graph != node->graph || !read_linear(&l, x->node))
        return QN_OK;
    assert(l.weights);
    QN_TRY(qn_affine_read(&a, &is_affine, node, l.axis, scratch));
    if (!is_affine || a.channels != l.channels || !node->outputs[0] ||
        node->outputs[0]->type.element != l.weights->constant->type)
        return QN_OK;
    return fold_behind(call, &l, &a, node, scratch);
}

/* ---- in front ---- */

static QnStatus fold_input(QnPassCall *call, QnNode *node, QnArena *scratch)
{
    Linear l;
    QnAffine a;
    bool is_affine;
    QnIrValue *x = qn_node_input(node, 0), *weights;
    if (!x || !x->node || !qn_pass_is_private(x) || !read_linear(&l, node))
        return QN_OK;
    QN_TRY(qn_affine_read(&a, &is_affine, x->node, l.axis, scratch));
    if (!is_affine || a.channels != l.in.groups * l.in.length || !is_all(a.shift, a.channels, 0) ||
        !qn_pass_is_alike(a.x, x))
        return QN_OK;
    l.in.factors = a.scale;
    QN_TRY(qn_affine_scale(call, &weights, l.weights, &l.in));
    if (!weights)
        return QN_OK;
    qn_use_set(&node->inputs[1], weights);
    qn_use_set(&node->inputs[0], a.x);
    qn_pass_prune(x->node);
    call->changes++;
    return QN_OK;
}

/* ---- the rules ---- */

/* Scratch memory for one try. */
static QnStatus with_scratch(QnPassCall *call, QnNode *node,
                             QnStatus (*fold)(QnPassCall *, QnNode *, QnArena *))
{
    QnArena scratch;
    qn_arena_init(&scratch, call->module->arena.allocator);
    const QnStatus status = fold(call, node, &scratch);
    qn_arena_finish(&scratch);
    return status;
}

static QnStatus behind(QnPassCall *call, QnNode *node)
{
    return with_scratch(call, node, fold_result);
}

static QnStatus in_front(QnPassCall *call, QnNode *node)
{
    return with_scratch(call, node, fold_input);
}

static const QnRule rules[] = {
    {"BatchNormalization", behind},
    {"Mul", behind},
    {"Div", behind},
    {"Add", behind},
    {"Sub", behind},
    {"Conv", in_front},
    {"ConvTranspose", in_front},
    {"Gemm", in_front},
    {"MatMul", in_front},
};

static QnStatus run(QnPassCall *call)
{
    return qn_rules_run(call, rules, QN_COUNT_OF(rules));
}

const QnPass qn_pass_fold_batch_norm = {
    .name = "fold-batch-norm",
    .what = "puts factors and shifts of channels into the weights beside them; results stay within "
            "the bound of the sums",
    .keeps_onnx = true,
    .run = run,
};
