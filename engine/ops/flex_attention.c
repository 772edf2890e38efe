/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FlexAttention: attention with a graph that changes the scores, and one that changes what softmax
 * makes of them.
 *
 * It has no reference: the pass flex-attention turns it into the operators that it stands for.
 */
#include "engine/ops/control_types.h"
#include "engine/ops/heads.h"

enum { Q, K, V };

/* The type that scores are computed in: that of the attribute, else float or double. */
static QnType score_type(const QnInfer *in)
{
    const int64_t given = qn_op_int(in->node, "softmax_precision");
    return given ? (QnType)given : qn_infer_element(in, Q) == QN_DOUBLE ? QN_DOUBLE : QN_FLOAT;
}

static QnStatus check_precision(const QnInfer *in)
{
    const int64_t given = qn_op_int(in->node, "softmax_precision");
    if (given != 0 && given != QN_FLOAT && given != QN_FLOAT16 && given != QN_DOUBLE &&
        given != QN_BFLOAT16)
        return qn_infer_fail(in, "softmax_precision is %lld, which is no type of float",
                             (long long)given);
    return QN_OK;
}

/* A graph is given scores, and gives as many of the same type. */
static QnStatus infer_change(QnInfer *in, const char *name, const QnIrType *scores)
{
    const QnInferValue input = {.type = *scores, .is_present = true};
    QnGraph *graph = qn_control_graph(in, name);
    if (!graph)
        return QN_OK;
    if (graph->output_count != 1)
        return qn_infer_fail(in, "%s has %d outputs, expected 1", name, graph->output_count);
    QN_TRY(qn_control_check_outputs(in, graph));
    QN_TRY(qn_infer_subgraph(in, graph, &input, 1));
    const QnIrType *made = &graph->outputs[0].value->type;
    QN_TRY(qn_control_check(in, name, 0, scores, made));
    if (made->kind != QN_TENSOR || made->shape.rank < 0 || scores->shape.rank < 0)
        return QN_OK;
    if (made->shape.rank != 4)
        return qn_infer_fail(in, "%s gives a tensor of rank %d, expected 4", name,
                             made->shape.rank);
    for (int d = 0; d < 4; d++)
        if (qn_dim_is_different(in->dims, made->shape.dims[d], scores->shape.dims[d]))
            return qn_infer_fail(in, "%s changes dimension %d", name, d);
    return QN_OK;
}

static QnStatus check_sides(QnInfer *in, QnHeads *sides)
{
    for (int i = Q; i <= V; i++) {
        QN_TRY(qn_infer_want_rank(in, i, 4));
        QN_TRY(qn_heads_read(in, i, "", 0, &sides[i]));
    }
    if (!sides[Q].is_known || !sides[K].is_known || !sides[V].is_known)
        return QN_OK;
    const QnHeads *q = &sides[Q], *k = &sides[K];
    QN_TRY(qn_infer_want_shape(in, K, 4, (const QnDim[]){q->batch, k->heads, k->rows, q->size}));
    QN_TRY(
        qn_infer_want_shape(in, V, 4, (const QnDim[]){q->batch, k->heads, k->rows, sides[V].size}));
    return qn_heads_want_groups(in, q->heads, k->heads);
}

static QnStatus infer_flex(QnInfer *in)
{
    QnHeads sides[3];
    QN_TRY(check_precision(in));
    QN_TRY(check_sides(in, sides));
    const bool is_known = sides[Q].is_known && sides[K].is_known && sides[V].is_known;
    QnIrType scores = {.kind = QN_TENSOR, .element = score_type(in), .shape = qn_shape_unknown()};
    QnShape y = qn_shape_unknown();
    if (is_known) {
        const QnHeads *q = &sides[Q];
        scores.shape = (QnShape){4, {q->batch, q->heads, q->rows, sides[K].rows}};
        y = (QnShape){4, {q->batch, q->heads, q->rows, sides[V].size}};
    }
    QN_TRY(infer_change(in, "score_mod", &scores));
    QN_TRY(infer_change(in, "prob_mod", &scores));
    return is_known ? qn_infer_tensor(in, 0, qn_infer_element(in, Q), &y)
                    : qn_infer_unknown(in, 0, qn_infer_element(in, Q), 4);
}

static const QnOpAttribute attributes[] = {
    {"prob_mod", QN_ATTRIBUTE_GRAPH},
    {"scale", QN_ATTRIBUTE_FLOAT}, /* absent: 1 / sqrt(head size) */
    {"score_mod", QN_ATTRIBUTE_GRAPH},
    {"softmax_precision", QN_ATTRIBUTE_INT}, /* absent: float, of doubles double */
    {0}};

const QnOp qn_ops_flex_attention[] = {
    {.name = "FlexAttention",
     .domain = "ai.onnx.preview",
     .since = 1,
     .inputs = "Q: float, K: T, V: T",
     .outputs = "Y: T",
     .attributes = attributes,
     .traits = QN_OP_CONTROL,
     .infer = infer_flex},
    {0},
};
