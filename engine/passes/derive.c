/* SPDX-License-Identifier: Apache-2.0 */
/* Finding rules, and what words of derivatives are made of; derive.h. */
#include "engine/passes/derive.h"

#include <stdio.h>

const QnDerivative *const qn_derivative_families[] = {qn_derivatives_elementwise,
                                                      qn_derivatives_move, qn_derivatives_network,
                                                      qn_derivatives_reduce, qn_derivatives_unary};
const int qn_derivative_family_count = QN_COUNT_OF(qn_derivative_families);

const QnDerivative *qn_derivative_find(const QnNode *node)
{
    for (int i = 0; i < qn_derivative_family_count && !*node->domain; i++)
        for (const QnDerivative *row = qn_derivative_families[i]; row->op; row++)
            if (!strcmp(row->op, node->op))
                return row;
    return NULL;
}

QnIrValue *qn_derive_settle(QnDerive *d, QnIrValue *made)
{
    if (d->build.status != QN_OK)
        return NULL;
    if (!made->node->def)
        made->node->def = qn_op_find("", made->node->op);
    d->build.status = qn_infer_node(made->node, d->build.err);
    return d->build.status == QN_OK ? made : NULL;
}

QnIrValue *qn_derive_call(QnDerive *d, const char *op, QnIrValue *const *inputs, int count)
{
    return qn_derive_settle(d, qn_build(&d->build, op, inputs, count));
}

QnIrValue *qn_derive_vector(QnDerive *d, const int64_t *values, int count)
{
    return qn_build_ints(&d->build, values, count, 1);
}

int qn_derive_rank(QnDerive *d, const QnIrValue *value)
{
    if (d->build.status != QN_OK)
        return -1;
    if (value->type.kind != QN_TENSOR || value->type.shape.rank < 0)
        qn_derive_fail(d, "the rank of '%s' is not known", value->name);
    return value->type.kind == QN_TENSOR ? value->type.shape.rank : -1;
}

void *qn_derive_fail(QnDerive *d, const char *format, ...)
{
    char text[512], label[256];
    va_list args;
    if (d->build.status != QN_OK)
        return NULL;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    d->build.status = qn_fail(d->build.err, QN_UNSUPPORTED, "the derivative of %s (%s): %s",
                              qn_node_label(d->node, label, sizeof label), d->node->op, text);
    return NULL;
}

bool qn_derive_is_smooth(const QnIrValue *value)
{
    return value && value->type.kind == QN_TENSOR && qn_type_is_float(value->type.element);
}
