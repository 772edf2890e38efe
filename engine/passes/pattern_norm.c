/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LayerNormalization and RMSNormalization from what exporters write for them:
 *
 *     d = x - mean(x)      d / sqrt(mean(d^2) + epsilon) * scale + bias
 *                          x / sqrt(mean(x^2) + epsilon) * scale
 *
 * with means over the last dimensions, d * d for d^2, and times a reciprocal for the division.
 */
#include "engine/passes/pattern.h"

/* What was found: the input, what it is normalized over, and how. */
typedef struct Norm {
    QnIrValue *x;
    int dims; /* how many of the last dimensions */
    double epsilon;
    bool has_mean;
} Norm;

/* The argument of a square root, written as such or as a power. */
static const QnIrValue *under_root(const QnIrValue *value)
{
    const QnNode *root = qn_pass_maker(value, "Sqrt"), *power = qn_pass_maker(value, "Pow");
    if (root)
        return qn_node_input(root, 0);
    return power && qn_pass_is_scalar(qn_node_input(power, 1), 0.5) ? qn_node_input(power, 0)
                                                                    : NULL;
}

/* What 1 is divided by. */
static const QnIrValue *under_one(const QnIrValue *value)
{
    const QnNode *reciprocal = qn_pass_maker(value, "Reciprocal");
    const QnNode *quotient = qn_pass_maker(value, "Div");
    if (reciprocal)
        return qn_node_input(reciprocal, 0);
    return quotient && qn_pass_is_scalar(qn_node_input(quotient, 0), 1) ? qn_node_input(quotient, 1)
                                                                        : NULL;
}

/* The value that is squared. */
static QnIrValue *under_square(const QnIrValue *value)
{
    const QnNode *power = qn_pass_maker(value, "Pow"), *product = qn_pass_maker(value, "Mul");
    if (power && qn_pass_is_scalar(qn_node_input(power, 1), 2))
        return qn_node_input(power, 0);
    return product && qn_node_input(product, 0) == qn_node_input(product, 1)
               ? qn_node_input(product, 0)
               : NULL;
}

/* The number of last dimensions that the axes are, 0 where they are others. */
static int last_dims(const QnReduction *mean)
{
    const int rank = mean->x->type.shape.rank;
    bool is_marked[QN_MAX_RANK] = {false};
    for (int i = 0; i < mean->count; i++)
        is_marked[mean->axes[i]] = true;
    for (int d = rank - mean->count; d < rank; d++)
        if (d < 0 || !is_marked[d])
            return 0;
    return mean->count;
}

/* sqrt(mean(centered^2) + epsilon). */
static bool read_deviation(Norm *norm, const QnIrValue *value, QnIrValue **centered)
{
    const QnIrValue *sum = under_root(value);
    const QnNode *add = qn_pass_maker(sum, "Add");
    QnReduction mean;
    if (!add || add->input_count != 2)
        return false;
    const int at = qn_pass_scalar(qn_node_input(add, 0), &norm->epsilon) ? 0 : 1;
    if (!qn_pass_scalar(qn_node_input(add, at), &norm->epsilon) || !(norm->epsilon >= 0) ||
        !qn_reduction_read(&mean, qn_node_input(add, 1 - at), "ReduceMean"))
        return false;
    *centered = under_square(mean.x);
    norm->dims = last_dims(&mean);
    return *centered && norm->dims > 0;
}

/* d = x - mean(x) over the same dimensions. */
static bool read_centered(Norm *norm, const QnIrValue *value)
{
    const QnNode *difference = qn_pass_maker(value, "Sub");
    QnReduction mean;
    if (!difference || !qn_reduction_read(&mean, qn_node_input(difference, 1), "ReduceMean") ||
        mean.x != qn_node_input(difference, 0) || last_dims(&mean) != norm->dims)
        return false;
    norm->x = mean.x;
    norm->has_mean = true;
    return true;
}

/* Numerator and denominator of n; the denominator is a square root. */
static bool read_quotient(Norm *norm, const QnIrValue *n, QnIrValue **top)
{
    const QnNode *quotient = qn_pass_maker(n, "Div"), *product = qn_pass_maker(n, "Mul");
    QnIrValue *centered;
    if (quotient && quotient->input_count == 2) {
        *top = quotient->inputs[0].value;
        return *top && read_deviation(norm, quotient->inputs[1].value, &centered) &&
               centered == *top;
    }
    for (int i = 0; product && i < 2 && product->input_count == 2; i++) {
        const QnIrValue *root = under_one(product->inputs[i].value);
        *top = product->inputs[1 - i].value;
        if (root && *top && read_deviation(norm, root, &centered) && centered == *top)
            return true;
    }
    return false;
}

static bool read_norm(Norm *norm, const QnIrValue *n)
{
    QnIrValue *top;
    *norm = (Norm){0};
    if (!n || !qn_pass_is_private(n) || !read_quotient(norm, n, &top))
        return false;
    if (!read_centered(norm, top))
        norm->x = top;
    const QnType type = norm->x->type.element;
    return type == QN_FLOAT || type == QN_FLOAT16 || type == QN_BFLOAT16;
}

/* Has a scale or bias exactly the normalized dimensions? */
static bool is_inside(const QnIrValue *value, const QnIrValue *x, int dims)
{
    const QnShape *part = &value->type.shape, *whole = &x->type.shape;
    if (value->type.kind != QN_TENSOR || value->type.element != x->type.element ||
        part->rank != dims)
        return false;
    for (int d = 0; d < dims; d++)
        if (!qn_dim_is_equal(part->dims[d], whole->dims[whole->rank - dims + d]))
            return false;
    return true;
}

static QnStatus set_attributes(QnNode *node, int64_t axis, double epsilon)
{
    QN_TRY(qn_node_set_int(node, "axis", axis));
    return qn_node_set_float(node, "epsilon", epsilon);
}

/* n * scale. */
QnStatus qn_fuse_norm(QnPassCall *call, QnNode *node)
{
    Norm norm;
    for (int i = 0; i < 2 && node->input_count == 2 && node->outputs[0]; i++) {
        QnIrValue *scale = node->inputs[1 - i].value;
        if (!scale || !read_norm(&norm, node->inputs[i].value) ||
            !is_inside(scale, norm.x, norm.dims) || !qn_pass_is_alike(norm.x, node->outputs[0]))
            continue;
        QN_TRY(qn_pass_become(call, node, norm.has_mean ? "LayerNormalization" : "RMSNormalization",
                              (QnIrValue *[]){norm.x, scale}, 2));
        return set_attributes(node, -norm.dims, (double)(float)norm.epsilon);
    }
    return QN_OK;
}

/* LayerNormalization(x, scale) + bias. */
QnStatus qn_fuse_norm_bias(QnPassCall *call, QnNode *node)
{
    for (int i = 0; i < 2 && node->input_count == 2 && node->outputs[0]; i++) {
        QnIrValue *n = node->inputs[i].value, *bias = node->inputs[1 - i].value;
        const QnNode *norm = qn_pass_maker(n, "LayerNormalization");
        if (!norm || !bias || !qn_pass_is_private(n) || qn_node_input(norm, 2) ||
            norm->output_count != 1 || qn_op_int(norm, "axis") >= 0 ||
            qn_op_int(norm, "stash_type") != QN_FLOAT)
            continue;
        QnIrValue *x = qn_node_input(norm, 0), *scale = qn_node_input(norm, 1);
        const int64_t axis = qn_op_int(norm, "axis");
        const double epsilon = qn_op_float(norm, "epsilon");
        if (!x || !scale || axis < -QN_MAX_RANK || !is_inside(bias, x, (int)-axis) ||
            !qn_pass_is_alike(x, node->outputs[0]))
            continue;
        QN_TRY(
            qn_pass_become(call, node, "LayerNormalization", (QnIrValue *[]){x, scale, bias}, 3));
        return set_attributes(node, axis, epsilon);
    }
    return QN_OK;
}
