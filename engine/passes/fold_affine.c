/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shortens chains of constant factors and shifts, and turns what is left of BatchNormalization into
 * a factor and a shift, which are done together with whatever stands beside them.
 *
 *     (x * a) * b = x * (a * b)      (x + a) + b = x + (a + b)      (x + a) * b = x * b + (a * b)
 *
 * The products and sums of constants are nodes that fold-constants computes.
 */
#include "engine/passes/affine.h"

#include <math.h>

/* ---- BatchNormalization ---- */

/* [channels, 1, …]: one number per channel of a tensor of that rank. */
static QnStatus make_channels(QnPassCall *call, QnIrValue **out, const QnNode *node,
                              const QnAffine *a, const double *row)
{
    const QnIrType *type = &a->x->type;
    int64_t dims[QN_MAX_RANK] = {a->channels};
    for (int d = 1; d < type->shape.rank - 1; d++)
        dims[d] = 1;
    return qn_affine_row(call, out, node->graph, type->element, type->shape.rank - 1, dims, row);
}

static QnStatus unfold_norm(QnPassCall *call, QnNode *node, const QnAffine *a)
{
    QnIrValue *scale, *shift;
    QN_TRY(make_channels(call, &scale, node, a, a->scale));
    QN_TRY(make_channels(call, &shift, node, a, a->shift));
    QnNode *product =
        qn_node_create(node->graph, node, "Mul", "", (QnIrValue *[]){a->x, scale}, 2, 1);
    if (!product)
        return QN_NO_MEMORY;
    product->def = qn_op_find("", "Mul");
    product->outputs[0]->type = a->x->type;
    return qn_pass_become(call, node, "Add", (QnIrValue *[]){product->outputs[0], shift}, 2);
}

static QnStatus split_norm(QnPassCall *call, QnNode *node)
{
    QnArena scratch;
    QnAffine a;
    bool is_affine;
    if (node->output_count != 1 || !node->outputs[0] || !qn_node_input(node, 0) ||
        !qn_pass_is_alike(node->inputs[0].value, node->outputs[0]))
        return QN_OK;
    qn_arena_init(&scratch, call->module->arena.allocator);
    QnStatus status = qn_affine_read(&a, &is_affine, node, 1, &scratch);
    if (status == QN_OK && is_affine)
        status = unfold_norm(call, node, &a);
    qn_arena_finish(&scratch);
    return status;
}

/* ---- chains ---- */

enum { LARGEST_CONSTANT = 65536 };

/* A small floating constant
 * whose products and sums with others like it neither overflow nor vanish. */
static bool is_tame(const QnIrValue *value)
{
    const QnTensor *tensor = qn_pass_constant(value);
    if (!tensor || (tensor->type != QN_FLOAT && tensor->type != QN_DOUBLE) ||
        qn_tensor_count(tensor) > LARGEST_CONSTANT)
        return false;
    for (int64_t i = 0; i < qn_tensor_count(tensor); i++) {
        const double size = fabs(qn_tensor_get(tensor, i));
        if (!(size == 0 || (size > 1e-12 && size < 1e12)))
            return false;
    }
    return true;
}

/* Is their combination no larger than the larger one? */
static bool fit_together(const QnIrValue *a, const QnIrValue *b)
{
    return qn_tensor_count(a->constant) == 1 || qn_tensor_count(b->constant) == 1 ||
           qn_pass_is_alike(a, b);
}

/* The parts of x op constant: which input is which. */
static bool read_pair(const QnNode *node, QnIrValue **x, QnIrValue **constant)
{
    if (!node || node->input_count != 2 || !node->inputs[0].value || !node->inputs[1].value ||
        !node->outputs[0])
        return false;
    const int at = is_tame(node->inputs[0].value) ? 0 : 1;
    *constant = node->inputs[at].value;
    *x = node->inputs[1 - at].value;
    return is_tame(*constant) && !qn_pass_constant(*x) && qn_pass_is_alike(*x, node->outputs[0]);
}

static QnStatus combine(QnNode *before, const char *op, QnIrValue *a, QnIrValue *b, QnIrValue **out)
{
    QnNode *node = qn_node_create(before->graph, before, op, "", (QnIrValue *[]){a, b}, 2, 1);
    if (!node)
        return QN_NO_MEMORY;
    node->def = qn_op_find("", op);
    *out = node->outputs[0];
    return QN_OK;
}

/* The same operator twice. */
static QnStatus merge_pair(QnPassCall *call, QnNode *node)
{
    QnIrValue *between, *second, *x, *first, *both;
    if (!read_pair(node, &between, &second) ||
        !read_pair(qn_pass_maker(between, node->op), &x, &first) || !qn_pass_is_private(between) ||
        !fit_together(first, second))
        return QN_OK;
    QN_TRY(combine(node, node->op, first, second, &both));
    return qn_pass_become(call, node, node->op, (QnIrValue *[]){x, both}, 2);
}

/* (x + a) * b: the factor first, so that it can meet another one. */
static QnStatus move_factor(QnPassCall *call, QnNode *node)
{
    QnIrValue *sum, *factor, *x, *shift, *product, *shifted;
    if (!read_pair(node, &sum, &factor) || !read_pair(qn_pass_maker(sum, "Add"), &x, &shift) ||
        !qn_pass_is_private(sum) || !fit_together(factor, shift) || !qn_pass_maker(x, "Mul"))
        return QN_OK;
    QN_TRY(combine(node, "Mul", shift, factor, &shifted));
    QN_TRY(combine(node, "Mul", x, factor, &product));
    product->type = node->outputs[0]->type;
    QN_TRY(qn_pass_become(call, node, "Add", (QnIrValue *[]){product, shifted}, 2));
    return merge_pair(call, product->node);
}

static const QnRule rules[] = {
    {"BatchNormalization", split_norm},
    {"Mul", merge_pair},
    {"Mul", move_factor},
    {"Add", merge_pair},
};

static QnStatus run(QnPassCall *call)
{
    return qn_rules_run(call, rules, QN_COUNT_OF(rules));
}

const QnPass qn_pass_fold_affine = {
    .name = "fold-affine",
    .what = "shortens chains of constant factors and shifts; results stay within a few roundings",
    .keeps_onnx = true,
    .run = run,
};
