/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Turns each FlexAttention into what it stands for, since plans know no graphs in it:
 *
 *     p = prob_mod(Softmax(score_mod(scale * Q K')));  Y = p V
 *
 * Where several heads of queries share one of keys, they are its rows: [batch, keys' heads, heads
 * in a group * rows, size] is the queries' memory as it is.
 */
#include <math.h>

#include "engine/passes/build.h"

typedef struct Flex {
    QnBuild build;
    QnIrValue *q, *k, *v;
    QnType type, score_type;
    bool is_grouped; /* or may be */
} Flex;

/* A vector of sizes: those of a [from, to) and of b [from_b, to_b). */
static QnIrValue *join(QnBuild *build, QnIrValue *a, int from, int to, QnIrValue *b, int from_b,
                       int to_b)
{
    QnIrValue *const parts[] = {qn_build_sizes(build, a, from, to),
                                qn_build_sizes(build, b, from_b, to_b)};
    return qn_build_int(build, qn_build(build, "Concat", parts, 2), "axis", 0);
}

static QnIrValue *reshape(QnBuild *build, QnIrValue *value, QnIrValue *shape)
{
    return QN_BUILD(build, "Reshape", value, shape);
}

/* Heads of queries and their rows as rows of the heads of keys;
 * the last size is dimension d of `like`. */
static QnIrValue *group(Flex *f, QnIrValue *value, QnIrValue *like, int d)
{
    QnBuild *b = &f->build;
    if (!f->is_grouped)
        return value;
    QnIrValue *heads = qn_build_sizes(b, f->q, 1, 2), *rows = qn_build_sizes(b, f->q, 2, 3);
    QnIrValue *keys = qn_build_sizes(b, f->k, 1, 2);
    QnIrValue *all = QN_BUILD(b, "Div", QN_BUILD(b, "Mul", heads, rows), keys);
    QnIrValue *const parts[] = {qn_build_sizes(b, f->q, 0, 1), keys, all,
                                qn_build_sizes(b, like, d, d + 1)};
    return reshape(b, value, qn_build_int(b, qn_build(b, "Concat", parts, 4), "axis", 0));
}

/* scale * Q: by a constant, or by what the size of a head tells. */
static QnIrValue *scaled_queries(Flex *f)
{
    QnBuild *b = &f->build;
    const QnAttribute *given = qn_node_attribute(b->at, "scale");
    const QnDim size = f->q->type.shape.rank == 4 ? f->q->type.shape.dims[3] : -1;
    QnIrValue *scale;
    if (given && given->kind == QN_ATTRIBUTE_FLOAT) {
        scale = qn_build_scalar(b, f->type, given->f);
    } else if (qn_dim_is_known(size)) {
        scale = qn_build_scalar(b, f->type, 1 / sqrt((double)size));
    } else {
        QnIrValue *sizes = qn_build_cast(b, qn_build_sizes(b, f->q, 3, 4), QN_INT64, QN_FLOAT);
        scale = QN_BUILD(b, "Reciprocal", QN_BUILD(b, "Sqrt", sizes));
        scale = qn_build_cast(b, scale, QN_FLOAT, f->type);
    }
    return QN_BUILD(b, "Mul", f->q, scale);
}

static QnIrValue *change(Flex *f, const char *name, QnIrValue *value)
{
    const QnAttribute *graph = qn_node_attribute(f->build.at, name);
    return graph && graph->kind == QN_ATTRIBUTE_GRAPH
               ? qn_build_graph(&f->build, graph->graph, value)
               : value;
}

static void build_scores(Flex *f, QnIrValue **out)
{
    static const int64_t order[] = {0, 1, 3, 2};
    QnBuild *b = &f->build;
    QnIrValue *q = group(f, scaled_queries(f), f->q, 3);
    QnIrValue *scores = QN_BUILD(b, "MatMul", q, qn_build_transpose(b, f->k, order, 4));
    if (f->is_grouped)
        scores = reshape(b, scores, join(b, f->q, 0, 3, f->k, 2, 3));
    scores = qn_build_cast(b, scores, f->type, f->score_type);
    scores = change(f, "score_mod", scores);
    scores = qn_build_int(b, QN_BUILD(b, "Softmax", scores), "axis", -1);
    *out = change(f, "prob_mod", scores);
}

static QnStatus replace(Flex *f)
{
    QnBuild *b = &f->build;
    QnIrValue *scores;
    build_scores(f, &scores);
    scores = group(f, scores, f->k, 2);
    QnIrValue *values = qn_build_cast(b, f->v, f->type, f->score_type);
    QnIrValue *y = QN_BUILD(b, "MatMul", scores, values);
    if (f->is_grouped)
        y = reshape(b, y, join(b, f->q, 0, 3, f->v, 3, 4));
    qn_build_output(b, 0, qn_build_cast(b, y, f->score_type, f->type));
    return b->status;
}

/* One head of queries for each of keys, surely? */
static bool has_groups(const QnIrType *q, const QnIrType *k)
{
    return q->shape.rank != 4 || k->shape.rank != 4 || q->shape.dims[1] != k->shape.dims[1];
}

static bool is_flex(const QnNode *node)
{
    return !strcmp(node->op, "FlexAttention") && !strcmp(node->domain, "ai.onnx.preview") &&
           qn_node_input(node, 0) && qn_node_input(node, 1) && qn_node_input(node, 2) &&
           node->inputs[0].value->type.kind == QN_TENSOR;
}

static QnStatus run(QnPassCall *call)
{
    QnNode *next = qn_module_walk(call->module, NULL);
    while (next) {
        QnNode *node = next;
        if (!is_flex(node)) {
            next = qn_module_walk(call->module, node);
            continue;
        }
        const QnType type = node->inputs[0].value->type.element;
        const int64_t precision = qn_op_int(node, "softmax_precision");
        Flex flex = {.build = {.at = node, .err = call->err},
                     .q = node->inputs[0].value,
                     .k = node->inputs[1].value,
                     .v = node->inputs[2].value,
                     .type = type,
                     .score_type = precision           ? (QnType)precision
                                   : type == QN_DOUBLE ? QN_DOUBLE
                                                       : QN_FLOAT};
        flex.is_grouped = has_groups(&flex.q->type, &flex.k->type);
        QnNode *before = node->prev;
        QnGraph *graph = node->graph;
        QN_TRY(replace(&flex));
        qn_node_remove(node);
        next = before ? before->next : graph->first; /* the graphs may hold others */
        call->changes++;
    }
    return QN_OK;
}

const QnPass qn_pass_flex_attention = {
    .name = "flex-attention",
    .what = "turns FlexAttention into products and Softmax; results stay within rounding",
    .keeps_onnx = true,
    .is_required = true,
    .keeps_values = true,
    .run = run,
};
