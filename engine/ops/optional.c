/* SPDX-License-Identifier: Apache-2.0 */
/* Optional wraps a value, or makes an empty one of a type; OptionalHasElement asks, and
 * OptionalGetElement unwraps.  The last two take plain values too, which are there. */
#include "engine/ops/collection.h"

static const QnIrType *given_type(const QnNode *node)
{
    const QnAttribute *attribute = qn_node_attribute(node, "type");
    return attribute && attribute->kind == QN_ATTRIBUTE_TYPE ? attribute->type : NULL;
}

static QnStatus infer_optional(QnInfer *in)
{
    const QnIrType *item = qn_infer_has(in, 0) ? qn_infer_type(in, 0) : given_type(in->node);
    if (!item)
        return qn_infer_fail(in, "has neither an input nor the attribute type");
    return qn_collection_infer(in, 0, QN_OPTIONAL, item);
}

/* The element type of what a type holds, however deep. */
static QnType innermost_element(const QnIrType *type)
{
    while (type && type->kind != QN_TENSOR && type->kind != QN_MAP)
        type = type->item;
    return type ? type->element : QN_UNDEFINED;
}

static QnStatus optional(const QnCall *call)
{
    const bool is_there = call->input_count > 0 && call->inputs[0].kind != QN_NONE;
    const QnValue *from = is_there ? &call->inputs[0] : NULL;
    const QnType type = !from                     ? innermost_element(given_type(call->node))
                        : from->kind == QN_TENSOR ? from->tensor.type
                                                  : from->type;
    QnValue *items;
    QN_TRY(qn_collection_make(call, 0, QN_OPTIONAL, type, is_there, &items));
    return is_there ? qn_collection_keep(call, from, &items[0]) : QN_OK;
}

static QnStatus infer_has(QnInfer *in)
{
    const QnShape scalar = {.rank = 0};
    return qn_infer_tensor(in, 0, QN_BOOL, &scalar);
}

static QnStatus has_element(const QnCall *call)
{
    const QnValue *from = call->input_count > 0 ? &call->inputs[0] : NULL;
    const bool is_there =
        from && from->kind != QN_NONE && (from->kind != QN_OPTIONAL || from->count > 0);
    qn_tensor_set_int(qn_call_result(call, 0), 0, is_there);
    return QN_OK;
}

static QnStatus infer_get(QnInfer *in)
{
    const QnIrType *type = qn_infer_type(in, 0);
    return type->kind == QN_OPTIONAL ? qn_collection_infer_item(in, 0, type->item)
                                     : qn_infer_output(in, 0, type);
}

static QnStatus get_element(const QnCall *call)
{
    const QnValue *from = &call->inputs[0];
    if (from->kind == QN_OPTIONAL && from->count == 0)
        return qn_call_fail(call, "the optional is empty");
    return qn_collection_give(call, from->kind == QN_OPTIONAL ? &from->items[0] : from, 0);
}

static const QnOpAttribute attributes[] = {{"type", QN_ATTRIBUTE_TYPE}, {0}};

const QnOp qn_ops_optional[] = {
    {.name = "Optional",
     .since = 28,
     .inputs = "input?: any",
     .outputs = "output: optional",
     .attributes = attributes,
     .traits = QN_OP_COLLECTIONS | QN_OP_PORTABLE,
     .infer = infer_optional,
     .reference = optional},
    {.name = "OptionalGetElement",
     .since = 28,
     .inputs = "input: any",
     .outputs = "output: any",
     .traits = QN_OP_COLLECTIONS | QN_OP_PORTABLE,
     .infer = infer_get,
     .reference = get_element},
    {.name = "OptionalHasElement",
     .since = 28,
     .inputs = "input?: any",
     .outputs = "output: bool",
     .traits = QN_OP_COLLECTIONS | QN_OP_PORTABLE,
     .infer = infer_has,
     .reference = has_element},
    {0},
};
