/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Says operators in the forms that kernels compute:
 *
 *     Pow of two types      Cast(Pow(Cast(x), Cast(y))), in double; or in x's type, where that is
 *                           a floating one and y a constant that it holds
 *     Mean(a, b, ...)       Sum(a, b, ...) / count
 */
#include "engine/passes/build.h"

static bool is_plain(const QnNode *node, const char *op)
{
    return !strcmp(node->op, op) && !*node->domain && qn_node_output(node, 0);
}

/* The element type of an input; UNDEFINED where it is absent or no tensor. */
static QnType element_of(const QnNode *node, int i)
{
    const QnIrValue *value = qn_node_input(node, i);
    return value && value->type.kind == QN_TENSOR ? value->type.element : QN_UNDEFINED;
}

/* Are all elements of a constant whole numbers that any floating type of 32 bits holds? */
static bool is_small(const QnIrValue *value)
{
    const QnTensor *constant = value->is_default ? NULL : value->constant;
    if (!constant || !qn_type_is_integer(constant->type))
        return false;
    for (int64_t i = 0; i < qn_tensor_count(constant); i++) {
        const int64_t number = qn_tensor_get_int(constant, i);
        if (number < -256 || number > 256)
            return false;
    }
    return true;
}

static bool rewrite_pow(QnBuild *b, QnNode *node)
{
    const QnType x = element_of(node, 0), y = element_of(node, 1);
    if (!is_plain(node, "Pow") || x == y || x == QN_UNDEFINED || y == QN_UNDEFINED)
        return false;
    const bool is_own = qn_type_is_float(x) && is_small(node->inputs[1].value);
    const QnType type = is_own ? x : QN_DOUBLE;
    QnIrValue *power = QN_BUILD(b, "Pow", qn_build_cast(b, node->inputs[0].value, x, type),
                                qn_build_cast(b, node->inputs[1].value, y, type));
    qn_build_output(b, 0, qn_build_cast(b, power, type, x));
    return true;
}

static bool rewrite_mean(QnBuild *b, QnNode *node)
{
    enum { MOST = 256 };
    QnIrValue *inputs[MOST];
    const QnType type = element_of(node, 0);
    const int count = node->input_count;
    if (!is_plain(node, "Mean") || type == QN_UNDEFINED || count < 1 || count > MOST)
        return false;
    for (int i = 0; i < count; i++) {
        inputs[i] = qn_node_input(node, i);
        if (!inputs[i])
            return false;
    }
    QnIrValue *sum = qn_build(b, "Sum", inputs, count);
    if (count > 1)
        sum = QN_BUILD(b, "Div", sum, qn_build_scalar(b, type, count));
    qn_build_output(b, 0, sum);
    return true;
}

static QnStatus run(QnPassCall *call)
{
    QnNode *node = qn_module_walk(call->module, NULL), *next;
    for (; node; node = next) {
        QnBuild build = {.at = node, .err = call->err};
        next = qn_module_walk(call->module, node);
        if (!rewrite_pow(&build, node) && !rewrite_mean(&build, node))
            continue;
        QN_TRY(build.status);
        qn_node_remove(node);
        call->changes++;
    }
    return QN_OK;
}

const QnPass qn_pass_plain_forms = {
    .name = "plain-forms",
    .what = "says Mean, and Pow of two types, by operators that kernels compute; results stay "
            "within rounding",
    .run = run,
};
