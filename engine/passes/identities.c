/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Removes nodes that give what they get, where that is exact to the bit: x + 0.0 stays, for it
 * makes -0.0 positive; x - 0.0 goes.
 */
#include <math.h>

#include "engine/passes/rewrite.h"

/* Are the outputs past the first not wanted? */
static bool has_one_output(const QnNode *node)
{
    for (int i = 1; i < node->output_count; i++)
        if (node->outputs[i] && node->outputs[i]->uses)
            return false;
    return node->output_count > 0 && node->outputs[0];
}

static QnStatus drop(QnPassCall *call, QnNode *node)
{
    if (has_one_output(node) && qn_node_input(node, 0))
        qn_pass_replace(call, node, qn_node_input(node, 0));
    return QN_OK;
}

/* Replaces the node by its first input if both have surely one type and shape. */
static QnStatus drop_if_alike(QnPassCall *call, QnNode *node)
{
    const QnIrValue *x = qn_node_input(node, 0);
    return x && node->outputs[0] && qn_pass_is_alike(x, node->outputs[0]) ? drop(call, node)
                                                                          : QN_OK;
}

/* Inference: training_mode is absent or false. */
static QnStatus drop_dropout(QnPassCall *call, QnNode *node)
{
    double is_training = 0;
    if (qn_node_input(node, 2) && !qn_pass_scalar(qn_node_input(node, 2), &is_training))
        return QN_OK;
    return is_training == 0 ? drop(call, node) : QN_OK;
}

/* Operators of any number of inputs that have one. */
static QnStatus drop_single(QnPassCall *call, QnNode *node)
{
    return node->input_count == 1 ? drop_if_alike(call, node) : QN_OK;
}

/* ---- moves ---- */

/* Steps of 1 that keep every size have kept all elements in their order. */
static QnStatus drop_slice(QnPassCall *call, QnNode *node)
{
    int64_t steps[QN_MAX_RANK];
    const QnIrValue *given = qn_node_input(node, 4);
    const int count = given ? qn_pass_ints(given, steps, QN_MAX_RANK) : 0;
    for (int i = 0; i < count; i++)
        if (steps[i] != 1)
            return QN_OK;
    return count >= 0 ? drop_if_alike(call, node) : QN_OK;
}

/* Sizes alone do not tell: what is cut off at one end may be added at the other. */
static QnStatus drop_pad(QnPassCall *call, QnNode *node)
{
    int64_t pads[2 * QN_MAX_RANK];
    const int count = qn_pass_ints(qn_node_input(node, 1), pads, 2 * QN_MAX_RANK);
    for (int i = 0; i < count; i++)
        if (pads[i] != 0)
            return QN_OK;
    return count >= 0 ? drop_if_alike(call, node) : QN_OK;
}

/* The permutation of a Transpose whose rank is known; -1 where it is not, or is none. */
static int read_perm(const QnNode *node, int64_t *perm)
{
    const QnAttribute *given = qn_node_attribute(node, "perm");
    const QnIrType *type = &node->inputs[0].value->type;
    const int rank = type->kind == QN_TENSOR ? type->shape.rank : -1;
    if (given && (given->kind != QN_ATTRIBUTE_INTS || given->count != rank))
        return -1;
    for (int d = 0; d < rank; d++) {
        perm[d] = given ? given->ints[d] : rank - 1 - d;
        if (perm[d] < 0 || perm[d] >= rank)
            return -1;
    }
    return rank;
}

static bool is_in_order(const int64_t *perm, int rank)
{
    for (int d = 0; d < rank; d++)
        if (perm[d] != d)
            return false;
    return true;
}

/* No Transpose for one that moves nothing, one for two in a row. */
static QnStatus merge_transposes(QnPassCall *call, QnNode *node)
{
    int64_t outer[QN_MAX_RANK], inner[QN_MAX_RANK];
    if (!qn_node_input(node, 0))
        return QN_OK;
    const int rank = read_perm(node, outer);
    if (rank < 0)
        return QN_OK;
    if (is_in_order(outer, rank))
        return drop(call, node);
    QnNode *first = qn_pass_maker(qn_node_input(node, 0), "Transpose");
    if (!first || !qn_node_input(first, 0) || read_perm(first, inner) != rank)
        return QN_OK;
    for (int d = 0; d < rank; d++)
        outer[d] = inner[outer[d]];
    QnIrValue *x = first->inputs[0].value;
    if (is_in_order(outer, rank)) {
        qn_pass_replace(call, node, x);
        return QN_OK;
    }
    if (!qn_pass_is_private(first->outputs[0]))
        return QN_OK;
    QN_TRY(qn_pass_become(call, node, "Transpose", &x, 1));
    return qn_node_set_ints(node, "perm", outer, rank);
}

/* ---- arithmetic ---- */

/* A constant, all of whose elements are `wanted` to the bit: -0.0 is not 0.0. */
static bool is_all(const QnIrValue *value, double wanted)
{
    const QnTensor *tensor = qn_pass_constant(value);
    const int64_t count = tensor ? qn_tensor_count(tensor) : 0;
    if (count == 0 || count > 65536 || tensor->type == QN_STRING)
        return false;
    for (int64_t i = 0; i < count; i++) {
        const double element = qn_tensor_get(tensor, i);
        if (element != wanted || signbit(element) != signbit(wanted))
            return false;
    }
    return true;
}

/* Drops the node for input `kept` if the other one is all `neutral` and does not widen it. */
static bool drop_neutral(QnPassCall *call, QnNode *node, int kept, double neutral)
{
    QnIrValue *x = qn_node_input(node, kept);
    if (!x || node->input_count != 2 || !node->outputs[0] ||
        !is_all(qn_node_input(node, 1 - kept), neutral) || !qn_pass_is_alike(x, node->outputs[0]))
        return false;
    qn_pass_replace(call, node, x);
    return true;
}

/* -0.0 for floats; integers have one zero, which both tests find. */
static QnStatus drop_add(QnPassCall *call, QnNode *node)
{
    const QnIrValue *y = node->outputs[0];
    const double zero = y && qn_type_is_float(y->type.element) ? -0.0 : 0.0;
    if (!drop_neutral(call, node, 0, zero))
        drop_neutral(call, node, 1, zero);
    return QN_OK;
}

static QnStatus drop_subtract(QnPassCall *call, QnNode *node)
{
    drop_neutral(call, node, 0, 0.0);
    return QN_OK;
}

static QnStatus drop_multiply(QnPassCall *call, QnNode *node)
{
    if (!drop_neutral(call, node, 0, 1.0))
        drop_neutral(call, node, 1, 1.0);
    return QN_OK;
}

/* x / 1 and x ^ 1. */
static QnStatus drop_one(QnPassCall *call, QnNode *node)
{
    drop_neutral(call, node, 0, 1.0);
    return QN_OK;
}

/* An operator that undoes itself. */
static QnStatus drop_inverse(QnPassCall *call, QnNode *node)
{
    const QnNode *first = qn_pass_maker(qn_node_input(node, 0), node->op);
    if (first && qn_node_input(first, 0) && node->outputs[0])
        qn_pass_replace(call, node, first->inputs[0].value);
    return QN_OK;
}

/* An operator that does nothing the second time. */
static QnStatus drop_repeated(QnPassCall *call, QnNode *node)
{
    return qn_pass_maker(qn_node_input(node, 0), node->op) ? drop(call, node) : QN_OK;
}

/* Of floats it still makes infinities finite. */
static QnStatus drop_clip(QnPassCall *call, QnNode *node)
{
    const bool is_bounded = qn_node_input(node, 1) || qn_node_input(node, 2) ||
                            !qn_type_is_integer(node->inputs[0].value->type.element);
    return is_bounded ? QN_OK : drop(call, node);
}

/* A condition that is one constant picks an input that already has the result's shape. */
static QnStatus drop_where(QnPassCall *call, QnNode *node)
{
    for (int i = 0; i < 2; i++) {
        QnIrValue *x = qn_node_input(node, 1 + i);
        if (x && node->outputs[0] && is_all(qn_node_input(node, 0), i == 0 ? 1 : 0) &&
            qn_pass_is_alike(x, node->outputs[0])) {
            qn_pass_replace(call, node, x);
            return QN_OK;
        }
    }
    return QN_OK;
}

static const QnRule rules[] = {
    {"Identity", drop},
    {"Dropout", drop_dropout},
    {"Cast", drop_if_alike},
    {"CastLike", drop_if_alike},
    {"Reshape", drop_if_alike},
    {"Flatten", drop_if_alike},
    {"Squeeze", drop_if_alike},
    {"Expand", drop_if_alike},
    {"Tile", drop_if_alike},
    {"Slice", drop_slice},
    {"Pad", drop_pad},
    {"Transpose", merge_transposes},
    {"Concat", drop_single},
    {"Sum", drop_single},
    {"Mean", drop_single},
    {"Max", drop_single},
    {"Min", drop_single},
    {"Split", drop_if_alike},
    {"ReduceMax", drop_if_alike}, /* of one element each: the shape is the same only then */
    {"ReduceMin", drop_if_alike},
    {"ReduceMean", drop_if_alike},
    {"Add", drop_add},
    {"Sub", drop_subtract},
    {"Mul", drop_multiply},
    {"Div", drop_one},
    {"Pow", drop_one},
    {"Neg", drop_inverse},
    {"Not", drop_inverse},
    {"Relu", drop_repeated},
    {"Abs", drop_repeated},
    {"Ceil", drop_repeated},
    {"Floor", drop_repeated},
    {"Round", drop_repeated},
    {"Sign", drop_repeated},
    {"Clip", drop_clip},
    {"Where", drop_where},
};

static QnStatus run(QnPassCall *call)
{
    return qn_rules_run(call, rules, QN_COUNT_OF(rules));
}

const QnPass qn_pass_identities = {
    .name = "identities",
    .what = "removes nodes that give what they get, and pairs that undo each other; results stay "
            "bit-equal",
    .keeps_onnx = true,
    .is_exact = true,
    .run = run,
};
