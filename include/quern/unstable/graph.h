/* SPDX-License-Identifier: Apache-2.0 */
/* UNSTABLE, no ABI promise.  What a model's graph looks like. */
#ifndef QUERN_UNSTABLE_GRAPH_H
#define QUERN_UNSTABLE_GRAPH_H

#include "quern/plan.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A graph's nodes and values as they were when the view was made.  Immutable; any number of
 * threads may read it.  All that it gives is borrowed from it. */
typedef struct QnGraphView QnGraphView;

/** A value that flows between nodes. */
typedef struct QnGraphValue {
    const char *name;      /**< the model's, or "%12" */
    const char *type_text; /**< "float[N,3]"; "?" where it is not known */
    bool is_constant;
    uint64_t constant_count; /**< elements of a constant, or of an input's default; else 0 */
    uint64_t constant_bytes; /**< their size in memory */
    int producer;            /**< index of the node that makes it; -1: none */
} QnGraphValue;

/** A named constant of a node.  The text of its value is "[1, 1]", "0.5", "\"SAME\"". */
typedef struct QnGraphAttribute {
    const char *name, *text;
} QnGraphAttribute;

/** One node.  Nodes come in an order in which values are made before they are used, those inside a
 * node's graphs right behind it. */
typedef struct QnGraphNode {
    const char *name;            /**< in the model; "" where it has none */
    const char *op, *domain;     /**< of the graph's one version; domain "" is ai.onnx */
    const char *source_op;       /**< what the file says */
    int source_since;            /**< the operator's version in the file; 0: made by quern */
    int depth;                   /**< how many nodes' graphs it stands in; 0: the model's own */
    int parent;                  /**< index of the node that holds its graph; -1: none */
    const int *inputs, *outputs; /**< indices of values; -1: absent */
    int input_count, output_count;
    const QnGraphAttribute *attributes; /**< [attribute_count] */
    int attribute_count;
} QnGraphNode;

/** Looks at a model as it was read, in the newest version of each operator.  The caller frees the
 * view; the model may be freed before.  @return QN_NO_MEMORY; *out is then unchanged. */
QN_API QnStatus qn_graph_view_model(QnGraphView **out, const QnModel *model, QnError *err);

/** The same of the graph that a plan was made from, after all passes.  The plan may be freed
 * before the view. */
QN_API QnStatus qn_graph_view_plan(QnGraphView **out, const QnPlan *plan, QnError *err);

/** Frees a view and all that it gave.  NULL is fine. */
QN_API void qn_graph_view_free(QnGraphView *view);

/** How many nodes there are, those of nodes' graphs included. */
QN_API int qn_graph_view_node_count(const QnGraphView *view);

/** How many values there are: those that nodes take or make. */
QN_API int qn_graph_view_value_count(const QnGraphView *view);

/** The i-th node; NULL where there is none. */
QN_API const QnGraphNode *qn_graph_view_node(const QnGraphView *view, int i);

/** The i-th value; NULL where there is none. */
QN_API const QnGraphValue *qn_graph_view_value(const QnGraphView *view, int i);

/** The ONNX operator set version of the source; 0: it is not ONNX. */
QN_API int qn_graph_view_opset(const QnGraphView *view);

#ifdef __cplusplus
}
#endif
#endif
