/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/ops/control_types.h"

const char *qn_control_kind(QnKind kind)
{
    static const char *const names[] = {"nothing", "a tensor", "a sequence", "an optional",
                                        "a map"};
    return names[kind];
}

QnStatus qn_control_check(const QnInfer *in, const char *what, int i, const QnIrType *a,
                          const QnIrType *b)
{
    if (a->kind == QN_NONE || b->kind == QN_NONE)
        return QN_OK;
    if (a->kind != b->kind && (a->kind == QN_OPTIONAL || b->kind == QN_OPTIONAL))
        return QN_OK; /* what reads optionals reads other values too */
    if (a->kind != b->kind)
        return qn_infer_fail(in, "%s %d is %s or %s, expected one kind", what, i,
                             qn_control_kind(a->kind), qn_control_kind(b->kind));
    if (a->kind == QN_TENSOR && a->element && b->element && a->element != b->element)
        return qn_infer_fail(in, "%s %d has elements of %s or %s, expected one type", what, i,
                             qn_type_name(a->element), qn_type_name(b->element));
    return a->item && b->item ? qn_control_check(in, what, i, a->item, b->item) : QN_OK;
}

QnStatus qn_control_open(QnInfer *in, const QnIrType *type, QnIrType *out)
{
    const QnIrType *inner = type->item;
    QnIrType *item;
    *out = *type;
    out->shape = qn_shape_unknown();
    if (!inner)
        return QN_OK;
    QN_ALLOC(item, in->arena, 1);
    out->item = item;
    return qn_control_open(in, inner, item);
}

void qn_control_renew(QnInfer *in, QnIrType *type)
{
    for (int d = 0; type->kind == QN_TENSOR && d < type->shape.rank; d++)
        if (qn_dim_is_late(in->dims, type->shape.dims[d]))
            type->shape.dims[d] = qn_infer_fresh(in);
}

QnGraph *qn_control_graph(const QnInfer *in, const char *name)
{
    const QnAttribute *attribute = qn_node_attribute(in->node, name);
    return attribute && attribute->kind == QN_ATTRIBUTE_GRAPH ? attribute->graph : NULL;
}

QnStatus qn_control_check_outputs(const QnInfer *in, const QnGraph *graph)
{
    for (int i = 0; i < graph->output_count; i++)
        if (!graph->outputs[i].value)
            return qn_infer_fail(in, "nothing makes output '%s' of graph '%s'",
                                 graph->output_names[i], graph->name ? graph->name : "");
    return QN_OK;
}
