/* SPDX-License-Identifier: Apache-2.0 */
/* What the lowerings share when they look at a graph. */
#include "engine/devices/cpu/cpu.h"

#include "base/fault.h"

double qn_cpu_size(const QnOfferCall *call, QnDim dim)
{
    const int64_t size = qn_dim_value(dim, call->sizes);
    return size > 0 ? (double)size : 1;
}

double qn_cpu_elements(const QnOfferCall *call, const QnIrValue *value)
{
    double count = 1;
    for (int d = 0; value->type.kind == QN_TENSOR && d < value->type.shape.rank; d++)
        count *= qn_cpu_size(call, value->type.shape.dims[d]);
    return count;
}

const QnNode *qn_cpu_next(const QnOfferCall *call, const QnIrValue *value, const char *op)
{
    const QnUse *use = value->uses;
    if (call->keep_all || !use || use->next || !use->node || use->node->graph != value->graph)
        return NULL;
    if (call->is_taken(call, use->node) || (op && strcmp(use->node->op, op) != 0))
        return NULL;
    return use->node;
}

bool qn_cpu_is_constant(const QnIrValue *value)
{
    return value && value->constant && !value->is_default;
}

bool qn_cpu_is_bound(const QnIrValue *value)
{
    if (qn_cpu_is_constant(value))
        return true;
    if (!value->content || value->type.kind != QN_TENSOR)
        return false;
    for (int i = 0; i < value->content_count; i++)
        if (qn_dim_is_late(&value->graph->module->dims, value->content[i]))
            return false;
    return value->type.element == QN_INT64 || value->type.element == QN_INT32;
}

bool qn_cpu_scalar(const QnIrValue *value, double *out)
{
    if (!qn_cpu_is_constant(value) || qn_tensor_count(value->constant) != 1 ||
        value->constant->type == QN_STRING)
        return false;
    *out = qn_tensor_get(value->constant, 0);
    return true;
}

void qn_cpu_sort_dims(const QnTensor *tensor, int *order)
{
    for (int i = 0; i < tensor->rank; i++) {
        int at = i;
        for (; at > 0 && tensor->strides[order[at - 1]] < tensor->strides[i]; at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
}

void qn_cpu_fault(const char *name, const QnTensor *computed)
{
    if (qn_fault("lowering", name) && qn_tensor_count(computed) > 0 && computed->type != QN_STRING)
        qn_fault_spoil(computed->data, qn_type_size(computed->type));
}
