/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gates from what exporters write for them:
 *
 *     HardSigmoid   clip(x + 3, 0, 6) / 6
 *     HardSwish     x * clip(x + 3, 0, 6) / 6, x * HardSigmoid(x)
 *     Mish          x * tanh(softplus(x))
 *
 * x * sigmoid(x) stays as it is: ONNX has no older name for it, and devices know it.
 */
#include "engine/passes/pattern.h"

static const double sixth = 1.0 / 6;

/* The x of clip(x + 3, 0, 6), however the bounds are said. */
static QnIrValue *read_clipped(const QnIrValue *value)
{
    const QnNode *clip = qn_pass_maker(value, "Clip");
    const QnIrValue *sum = clip ? qn_node_input(clip, 0) : NULL;
    double low, high;
    if (!sum || !qn_pass_is_private(value) || !qn_pass_scalar(qn_node_input(clip, 1), &low) ||
        low != 0 || !qn_pass_scalar(qn_node_input(clip, 2), &high) || high != 6)
        return NULL;
    return qn_beside_scalar(sum->node, "Add", 3);
}

QnStatus qn_fuse_hard_sigmoid(QnPassCall *call, QnNode *node)
{
    const QnProduct p = qn_product_of(node);
    QnIrValue *x = p.count == 1 && qn_is_close(p.factor, sixth) ? read_clipped(p.leaves[0]) : NULL;
    if (!x || !node->outputs[0] || !qn_pass_is_alike(x, node->outputs[0]))
        return QN_OK;
    QN_TRY(qn_pass_become(call, node, "HardSigmoid", &x, 1));
    QN_TRY(qn_node_set_float(node, "alpha", (double)(float)sixth));
    return qn_node_set_float(node, "beta", 0.5);
}

/* Is the value HardSigmoid of x as HardSwish has it? */
static bool is_hard_gate(const QnIrValue *value, const QnIrValue *x)
{
    const QnNode *node = qn_pass_maker(value, "HardSigmoid");
    return node && qn_node_input(node, 0) == x && qn_is_close(qn_op_float(node, "alpha"), sixth) &&
           qn_op_float(node, "beta") == 0.5;
}

static bool is_mish_gate(const QnIrValue *value, const QnIrValue *x)
{
    const QnNode *tanh = qn_pass_maker(value, "Tanh");
    const QnNode *softplus = tanh ? qn_pass_maker(qn_node_input(tanh, 0), "Softplus") : NULL;
    return softplus && qn_node_input(softplus, 0) == x;
}

/* The operator that x times the gate is; NULL where it is none. */
static const char *name_gate(const QnIrValue *x, const QnIrValue *gate, double factor)
{
    if (qn_is_close(factor, sixth) && read_clipped(gate) == x)
        return "HardSwish";
    if (factor != 1)
        return NULL;
    return is_hard_gate(gate, x) ? "HardSwish" : is_mish_gate(gate, x) ? "Mish" : NULL;
}

QnStatus qn_fuse_gate(QnPassCall *call, QnNode *node)
{
    const QnProduct p = qn_product_of(node);
    for (int i = 0; i < 2 && p.count == 2; i++) {
        QnIrValue *x = p.leaves[i], *gate = p.leaves[1 - i];
        const char *op = x && gate ? name_gate(x, gate, p.factor) : NULL;
        if (op && qn_pass_is_private(gate) && node->outputs[0] &&
            qn_pass_is_alike(x, node->outputs[0]))
            return qn_pass_become(call, node, op, &x, 1);
    }
    return QN_OK;
}
