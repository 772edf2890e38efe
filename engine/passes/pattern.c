/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/passes/pattern.h"

#include <math.h>

/* Deeper products than this are no pattern that anybody exports. */
enum { PRODUCT_DEPTH = 6 };

static void add_leaf(QnProduct *p, QnIrValue *value)
{
    if (p->count < 0 || p->count == QN_PRODUCT_LEAVES)
        p->count = -1;
    else
        p->leaves[p->count++] = value;
}

static void take_apart(QnProduct *p, const QnNode *node, int depth);

/* One factor: a number, a product that only this one reads, or a leaf. */
static void add_factor(QnProduct *p, QnIrValue *value, int depth)
{
    double number;
    if (qn_pass_scalar(value, &number))
        p->factor *= number;
    else if (value && depth > 0 && qn_pass_is_private(value) &&
             (qn_pass_maker(value, "Mul") || qn_pass_maker(value, "Div")))
        take_apart(p, value->node, depth - 1);
    else
        add_leaf(p, value);
}

static void take_apart(QnProduct *p, const QnNode *node, int depth)
{
    double divisor;
    if (p->count < 0 || node->input_count != 2)
        return;
    if (qn_pass_is(node, "Mul")) {
        add_factor(p, node->inputs[0].value, depth);
        add_factor(p, node->inputs[1].value, depth);
    } else if (qn_pass_scalar(node->inputs[1].value, &divisor) && divisor != 0) {
        add_factor(p, node->inputs[0].value, depth);
        p->factor /= divisor;
    } else {
        add_leaf(p, node->outputs[0]);
    }
}

QnProduct qn_product_of(const QnNode *node)
{
    QnProduct p = {.factor = 1};
    if (qn_pass_is(node, "Mul") || qn_pass_is(node, "Div"))
        take_apart(&p, node, PRODUCT_DEPTH);
    return p;
}

QnProduct qn_product_of_value(QnIrValue *value)
{
    QnProduct p = {.factor = 1};
    add_factor(&p, value, PRODUCT_DEPTH);
    return p;
}

bool qn_is_close(double found, double wanted)
{
    return fabs(found - wanted) <= 1e-3 * fabs(wanted);
}

QnIrValue *qn_other_input(const QnNode *node, const QnIrValue *known)
{
    if (!node || node->input_count != 2)
        return NULL;
    if (node->inputs[0].value == known)
        return node->inputs[1].value;
    return node->inputs[1].value == known ? node->inputs[0].value : NULL;
}

QnIrValue *qn_beside_scalar(const QnNode *node, const char *op, double wanted)
{
    if (!qn_pass_is(node, op) || node->input_count != 2)
        return NULL;
    for (int i = 0; i < 2; i++)
        if (qn_pass_is_scalar(node->inputs[i].value, wanted))
            return node->inputs[1 - i].value;
    return NULL;
}

bool qn_reduction_read(QnReduction *out, const QnIrValue *value, const char *op)
{
    const QnNode *node = qn_pass_maker(value, op);
    *out = (QnReduction){.x = node ? qn_node_input(node, 0) : NULL};
    if (!out->x || out->x->type.kind != QN_TENSOR || out->x->type.shape.rank < 1 ||
        !qn_op_int(node, "keepdims"))
        return false;
    const int rank = out->x->type.shape.rank;
    out->count = qn_pass_ints(qn_node_input(node, 1), out->axes, QN_MAX_RANK);
    for (int i = 0; i < out->count; i++) {
        out->axes[i] += out->axes[i] < 0 ? rank : 0;
        if (out->axes[i] < 0 || out->axes[i] >= rank)
            return false;
    }
    return out->count > 0;
}
