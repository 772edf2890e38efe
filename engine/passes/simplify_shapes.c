/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Says shapes in the simplest way.  Exporters compute the shape of a Reshape from the Shape of
 * something (Shape, Gather, Mul, Concat, …); most often it can be said as a constant: numbers, a 0
 * where a size stays, and one -1.  What computed it is then read by nobody.
 */
#include "engine/passes/rewrite.h"

/*
 * Do the elements of `from` tell the size at `open`, whatever the others are?  Of 0 elements the
 * count tells nothing: the others are surely above 0, or the size is what the algebra makes of the
 * sizes that do not stand on both sides.
 */
static bool is_counted(QnDims *dims, const QnShape *from, const QnShape *wanted, int open)
{
    QnDim before = 1, after = wanted->dims[open];
    bool taken[QN_MAX_RANK] = {false}, has_elements = true, is_divisible = true;
    for (int d = 0; d < wanted->rank; d++) {
        if (d == open)
            continue;
        const bool is_positive = qn_dim_is_at_least(dims, wanted->dims[d], 1);
        int s = 0;
        while (s < from->rank && (taken[s] || !qn_dim_is_equal(from->dims[s], wanted->dims[d])))
            s++;
        if (s < from->rank)
            taken[s] = true;
        else
            after = qn_dim_mul(dims, after, wanted->dims[d]);
        has_elements = has_elements && is_positive;
        is_divisible = is_divisible && (is_positive || s < from->rank);
    }
    for (int s = 0; s < from->rank; s++)
        if (!taken[s])
            before = qn_dim_mul(dims, before, from->dims[s]);
    return has_elements || (is_divisible && qn_dim_is_equal(before, after));
}

/*
 * Writes `wanted` as the constant second input of a Reshape of `from`: numbers, 0 for the size that
 * the input has at that place, -1 at most once.  False where that cannot say it.
 */
static bool describe_shape(QnDims *dims, const QnShape *from, const QnShape *wanted,
                           int64_t *entries)
{
    int open = -1;
    bool has_zero = false;
    for (int d = 0; d < wanted->rank; d++) {
        const QnDim dim = wanted->dims[d];
        has_zero = has_zero || dim == 0;
        if (qn_dim_is_known(dim)) {
            entries[d] = dim;
        } else if (d < from->rank && qn_dim_is_equal(dim, from->dims[d])) {
            entries[d] = 0;
        } else {
            if (open >= 0)
                return false;
            open = d;
            entries[d] = -1;
        }
    }
    /* Of 0 elements -1 says nothing, and an entry of 0 would be taken for the input's size. */
    for (int d = 0; has_zero && d < wanted->rank; d++)
        if (entries[d] <= 0 && !(d < from->rank && qn_dim_is_equal(wanted->dims[d], from->dims[d])))
            return false;
    return open < 0 || is_counted(dims, from, wanted, open);
}

static bool has_known_shape(const QnIrValue *value)
{
    return value && value->type.kind == QN_TENSOR && value->type.shape.rank >= 0;
}

/* Makes the node a Reshape of x with a constant shape. */
static QnStatus become_reshape(QnPassCall *call, QnNode *node, QnIrValue *x, const int64_t *entries,
                               int rank)
{
    QnIrValue *shape = qn_value_create_ints(node->graph, entries, rank, 1);
    if (!shape)
        return QN_NO_MEMORY;
    return qn_pass_become(call, node, "Reshape", (QnIrValue *[]){x, shape}, 2);
}

/* ---- one Reshape ---- */

static QnStatus simplify_reshape(QnPassCall *call, QnNode *node)
{
    int64_t entries[QN_MAX_RANK];
    QnIrValue *x = qn_node_input(node, 0);
    const QnIrValue *shape = qn_node_input(node, 1), *y = node->outputs[0];
    if (!shape || qn_pass_constant(shape) || !shape->content || !has_known_shape(x) ||
        !has_known_shape(y) || y->type.shape.rank != shape->content_count ||
        !describe_shape(&call->module->dims, &x->type.shape, &y->type.shape, entries))
        return QN_OK;
    return become_reshape(call, node, x, entries, y->type.shape.rank);
}

/* ---- two in a row ---- */

static bool is_reshaping(const QnNode *node)
{
    static const char *const ops[] = {"Reshape", "Squeeze", "Unsqueeze", "Flatten"};
    for (size_t i = 0; i < QN_COUNT_OF(ops); i++)
        if (qn_pass_is(node, ops[i]))
            return true;
    return false;
}

/* What is reshaped twice is reshaped once, or not at all. */
static QnStatus merge_reshapes(QnPassCall *call, QnNode *node)
{
    int64_t entries[QN_MAX_RANK];
    QnIrValue *between = qn_node_input(node, 0), *y = node->outputs[0];
    const QnNode *first = between ? between->node : NULL;
    if (!is_reshaping(first) || !qn_node_input(first, 0) || !has_known_shape(y))
        return QN_OK;
    QnIrValue *x = first->inputs[0].value;
    if (qn_pass_is_alike(x, y)) {
        qn_pass_replace(call, node, x);
        return QN_OK;
    }
    if (!has_known_shape(x) || qn_value_is_output(between) ||
        !describe_shape(&call->module->dims, &x->type.shape, &y->type.shape, entries))
        return QN_OK;
    return become_reshape(call, node, x, entries, y->type.shape.rank);
}

/* ---- a Transpose that moves nothing but dimensions of 1 ---- */

static bool keeps_order(const int64_t *perm, const QnShape *shape)
{
    int64_t last = -1;
    for (int d = 0; d < shape->rank; d++) {
        if (perm[d] < 0 || perm[d] >= shape->rank)
            return false;
        if (shape->dims[perm[d]] == 1)
            continue;
        if (perm[d] < last)
            return false;
        last = perm[d];
    }
    return true;
}

static QnStatus view_transpose(QnPassCall *call, QnNode *node)
{
    int64_t entries[QN_MAX_RANK], perm[QN_MAX_RANK];
    const QnAttribute *given = qn_node_attribute(node, "perm");
    QnIrValue *x = qn_node_input(node, 0), *y = node->outputs[0];
    if (!has_known_shape(x) || !has_known_shape(y) ||
        (given && (given->kind != QN_ATTRIBUTE_INTS || given->count != x->type.shape.rank)))
        return QN_OK;
    const QnShape *shape = &x->type.shape;
    for (int d = 0; d < shape->rank; d++)
        perm[d] = given ? given->ints[d] : shape->rank - 1 - d;
    if (!keeps_order(perm, shape) ||
        !describe_shape(&call->module->dims, shape, &y->type.shape, entries))
        return QN_OK;
    return become_reshape(call, node, x, entries, y->type.shape.rank);
}

static const QnRule rules[] = {
    {"Reshape", simplify_reshape}, {"Reshape", merge_reshapes}, {"Squeeze", merge_reshapes},
    {"Unsqueeze", merge_reshapes}, {"Flatten", merge_reshapes}, {"Transpose", view_transpose},
};

static QnStatus run(QnPassCall *call)
{
    return qn_rules_run(call, rules, QN_COUNT_OF(rules));
}

const QnPass qn_pass_simplify_shapes = {
    .name = "simplify-shapes",
    .what = "says the shapes of Reshape as constants, and reshapes once instead of twice; results "
            "stay bit-equal",
    .keeps_onnx = true,
    .is_exact = true,
    .run = run,
};
