/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gradient: the derivatives of the sum of one value of the graph, y, by others, xs, while zs are
 * held.
 *
 * ONNX names these values in attributes; in the graph they are inputs behind those of the file:
 * what to use for each of xs and zs, then all of xs and zs, then y.  It has no reference: the pass
 * `gradient` puts the operators in its place that compute it.
 */
#include "engine/ops/op.h"

static int count_of(const QnInfer *in, const char *name)
{
    const QnAttribute *list = qn_node_attribute(in->node, name);
    return list && list->kind == QN_ATTRIBUTE_STRINGS ? list->count : 0;
}

static QnStatus infer_gradient(QnInfer *in)
{
    const int xs = count_of(in, "xs"), count = xs + count_of(in, "zs");
    if (in->input_count != 2 * count + 1)
        return qn_infer_fail(in, "%d inputs, expected one for each of xs and zs, these, and y: %d",
                             in->input_count, 2 * count + 1);
    if (in->output_count > xs)
        return qn_infer_fail(in, "%d outputs, expected one for each of xs: %d", in->output_count,
                             xs);
    for (int i = 0; i < in->output_count; i++)
        QN_TRY(qn_infer_output(in, i, qn_infer_type(in, i)));
    return QN_OK;
}

static const QnOpAttribute attributes[] = {{"xs", QN_ATTRIBUTE_STRINGS, .is_required = true},
                                           {"y", QN_ATTRIBUTE_STRING, .is_required = true},
                                           {"zs", QN_ATTRIBUTE_STRINGS},
                                           {0}};

const QnOp qn_ops_gradient[] = {
    {.name = "Gradient",
     .domain = "ai.onnx.preview.training",
     .since = 1,
     .inputs = "Inputs*: any",
     .outputs = "Outputs*: float",
     .attributes = attributes,
     .traits = QN_OP_CONTROL,
     .infer = infer_gradient},
    {0},
};
