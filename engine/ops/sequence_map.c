/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SequenceMap runs a graph on the items of sequences that stand at the same position, and makes
 * sequences of what it gives; inputs that are plain tensors are the same for every item.
 *
 * It has no reference: the pass sequence-map turns it into a Loop.
 */
#include "engine/ops/collection.h"
#include "engine/ops/control_types.h"

/* The body's input for input i of the node: an item of it, or the whole of it. */
static QnStatus bind_input(const QnInfer *in, int i, QnInferValue *formal)
{
    const QnIrType *type = qn_infer_type(in, i);
    if (i == 0 && type->kind != QN_SEQUENCE && type->kind != QN_NONE)
        return qn_infer_fail(in, "input 0 is no sequence");
    *formal = (QnInferValue){.is_present = true};
    if (type->kind == QN_SEQUENCE && type->item)
        formal->type = *type->item;
    else if (type->kind == QN_TENSOR)
        formal->type = *type;
    return QN_OK;
}

static QnStatus infer_map(QnInfer *in)
{
    const QnAttribute *attribute = qn_node_attribute(in->node, "body");
    QnInferValue *formals;
    if (!attribute || attribute->kind != QN_ATTRIBUTE_GRAPH)
        return qn_infer_fail(in, "has no graph body");
    const QnGraph *body = attribute->graph;
    if (body->output_count < in->output_count)
        return qn_infer_fail(in, "body has %d outputs, expected %d", body->output_count,
                             in->output_count);
    for (int i = 0; i < body->output_count; i++)
        if (!body->outputs[i].value)
            return qn_infer_fail(in, "nothing makes output %d of the body", i);
    QN_ALLOC(formals, in->arena, in->input_count);
    for (int i = 0; i < in->input_count; i++) {
        QN_TRY(bind_input(in, i, &formals[i]));
        qn_control_renew(in, &formals[i].type); /* items have sizes that no other value has */
    }
    QN_TRY(qn_infer_subgraph(in, attribute->graph, formals, in->input_count));
    for (int i = 0; i < in->output_count; i++) {
        const QnIrType *made = &body->outputs[i].value->type;
        if (made->kind != QN_TENSOR && made->kind != QN_NONE)
            return qn_infer_fail(in, "body output %d is no tensor", i);
        QN_TRY(qn_collection_infer(in, i, QN_SEQUENCE, made));
    }
    return QN_OK;
}

static const QnOpAttribute attributes[] = {{"body", QN_ATTRIBUTE_GRAPH, .is_required = true}, {0}};

const QnOp qn_ops_sequence_map[] = {
    {.name = "SequenceMap",
     .since = 17,
     .inputs = "input_sequence: sequence, additional_inputs*: any",
     .outputs = "out_sequence*: sequence",
     .attributes = attributes,
     .traits = QN_OP_CONTROL,
     .infer = infer_map},
    {0},
};
