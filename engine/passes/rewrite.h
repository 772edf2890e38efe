/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What passes are written with: rules over single nodes, and edits that keep the graph whole.
 *
 * A rule looks at one node and, where it applies, changes what makes its inputs and what it is.  It
 * may remove the node and whatever only the node read, never what comes after it: the walk is on
 * its way there.
 */
#ifndef QN_ENGINE_PASSES_REWRITE_H
#define QN_ENGINE_PASSES_REWRITE_H

#include "engine/ops/op.h"
#include "engine/passes/pass.h"

/* One local rewrite.  It says that it applied by counting up call->changes. */
typedef struct QnRule {
    const char *op; /* of ai.onnx; NULL: any operator of any domain */
    QnStatus (*apply)(QnPassCall *call, QnNode *node);
} QnRule;

/* Tries the rules on every node that owns no graphs, in order, and again on one that changed. */
QnStatus qn_rules_run(QnPassCall *call, const QnRule *rules, int count);

/* ---- looking ---- */

/* The data of a constant that no caller may override; NULL where the value is none. */
const QnTensor *qn_pass_constant(const QnIrValue *value);

/* The only element of a constant of numbers; false where it is none. */
bool qn_pass_scalar(const QnIrValue *value, double *out);

/* The same, and `wanted` as far as its type can say: constants in files are rounded, and written
 * with six digits or so. */
bool qn_pass_is_scalar(const QnIrValue *value, double wanted);

/* All elements of a constant of integers; the count, or -1 where it is none or they do not fit. */
int qn_pass_ints(const QnIrValue *value, int64_t *out, int capacity);

/* Is the node that operator of ai.onnx?  NULL is none. */
bool qn_pass_is(const QnNode *node, const char *op);

/* What makes the value, if it is that operator; NULL otherwise. */
QnNode *qn_pass_maker(const QnIrValue *value, const char *op);

/* Is it read once, by a node of its own graph?  Then nobody misses it when the two become one. */
bool qn_pass_is_private(const QnIrValue *value);

/* Are both tensors of one element type and surely one shape? */
bool qn_pass_is_alike(const QnIrValue *a, const QnIrValue *b);

/* Are all its dims numbers? */
bool qn_pass_is_static(const QnIrType *type);

/* Bytes that a contiguous tensor's elements take. */
size_t qn_pass_bytes(const QnTensor *tensor);

/* ---- changing ---- */

/* Removes a node that nobody reads, and what only such nodes read. */
void qn_pass_prune(QnNode *node);

/* Lets the readers of the node's first output read `value` instead, and prunes the node. */
void qn_pass_replace(QnPassCall *call, QnNode *node, QnIrValue *value);

/* Makes the node another operator of ai.onnx without attributes, with other inputs; its outputs
 * stay.  What is read no more is pruned. */
QnStatus qn_pass_become(QnPassCall *call, QnNode *node, const char *op, QnIrValue *const *inputs,
                        int input_count);

/* Lets `maker` make the first output of `node`, which reads the maker's only output and nobody else
 * does; prunes the node. */
void qn_pass_absorb(QnPassCall *call, QnNode *maker, QnNode *node);

/* Memory of the module for a tensor, aligned; the elements are the caller's to write. */
QnStatus qn_pass_new_tensor(QnPassCall *call, QnTensor *out, QnType type, int rank,
                            const int64_t *dims);

#endif
