/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gelu from what exporters write for it:
 *
 *     x / 2 * (1 + erf(x / sqrt(2)))
 *     x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)))
 *
 * with the factors in any order and grouping.
 */
#include "engine/passes/pattern.h"

static const double half_root = 0.70710678118654752;      /* 1 / sqrt(2) */
static const double root_two_by_pi = 0.79788456080286536; /* sqrt(2 / pi) */
static const double cubic = 0.044715;

/* x to which power the value is, 0 where it is none. */
static int power_of(const QnIrValue *value, const QnIrValue *x)
{
    double exponent;
    if (value == x)
        return 1;
    const QnNode *node = qn_pass_maker(value, "Pow");
    const bool is_power = node && node->input_count == 2 && node->inputs[0].value == x &&
                          qn_pass_scalar(node->inputs[1].value, &exponent) &&
                          (exponent == 2 || exponent == 3);
    return is_power ? (int)exponent : 0;
}

/* Is it factor * x^power? */
static bool is_monomial(const QnProduct *p, const QnIrValue *x, double factor, int power)
{
    int found = 0;
    for (int i = 0; i < p->count; i++) {
        const int one = power_of(p->leaves[i], x);
        if (one == 0)
            return false;
        found += one;
    }
    return p->count > 0 && found == power && qn_is_close(p->factor, factor);
}

static bool is_value_monomial(QnIrValue *value, const QnIrValue *x, double factor, int power)
{
    const QnProduct p = qn_product_of_value(value);
    return is_monomial(&p, x, factor, power);
}

/* x + 0.044715 * x^3. */
static bool is_cubic_sum(const QnIrValue *value, const QnIrValue *x)
{
    const QnNode *sum = qn_pass_maker(value, "Add");
    QnIrValue *other = qn_other_input(sum, x);
    return other && is_value_monomial(other, x, cubic, 3);
}

/* 1 + 0.044715 * x^2. */
static bool is_square_sum(const QnIrValue *value, const QnIrValue *x)
{
    QnIrValue *other = qn_beside_scalar(qn_pass_maker(value, "Add"), "Add", 1);
    return other && is_value_monomial(other, x, cubic, 2);
}

/* The argument of tanh, in either form. */
static bool is_tanh_argument(QnIrValue *value, const QnIrValue *x)
{
    const QnProduct p = qn_product_of_value(value);
    if (!qn_is_close(p.factor, root_two_by_pi))
        return false;
    if (p.count == 1)
        return is_cubic_sum(p.leaves[0], x);
    return p.count == 2 && ((p.leaves[0] == x && is_square_sum(p.leaves[1], x)) ||
                            (p.leaves[1] == x && is_square_sum(p.leaves[0], x)));
}

/* Is the value 1 + erf or 1 + tanh of the right thing of x?  Gives Gelu's `approximate`. */
static const char *read_bracket(QnIrValue *value, const QnIrValue *x)
{
    const QnIrValue *inner = qn_beside_scalar(value->node, "Add", 1);
    const QnNode *erf = qn_pass_maker(inner, "Erf"), *tanh = qn_pass_maker(inner, "Tanh");
    if (!qn_pass_is_private(value))
        return NULL;
    if (erf && is_value_monomial(qn_node_input(erf, 0), x, half_root, 1))
        return "none";
    return tanh && is_tanh_argument(qn_node_input(tanh, 0), x) ? "tanh" : NULL;
}

QnStatus qn_fuse_gelu(QnPassCall *call, QnNode *node)
{
    const QnProduct p = qn_product_of(node);
    if (p.count != 2 || !qn_is_close(p.factor, 0.5) || !node->outputs[0])
        return QN_OK;
    for (int i = 0; i < 2; i++) {
        QnIrValue *x = p.leaves[i], *bracket = p.leaves[1 - i];
        const char *approximate = x && bracket ? read_bracket(bracket, x) : NULL;
        if (!approximate || !qn_pass_is_alike(x, node->outputs[0]))
            continue;
        QN_TRY(qn_pass_become(call, node, "Gelu", &x, 1));
        return qn_node_set_text(node, "approximate", approximate);
    }
    return QN_OK;
}
