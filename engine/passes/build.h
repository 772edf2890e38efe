/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What passes that put many nodes in the place of one are written with.
 *
 * New nodes stand in front of `at` and come from what it came from.  The first failure sticks: what
 * is made after it is NULL, and qn_build_status says it, so that a rewrite is straight lines.
 */
#ifndef QN_ENGINE_PASSES_BUILD_H
#define QN_ENGINE_PASSES_BUILD_H

#include "engine/ops/op.h"
#include "engine/passes/pass.h"

typedef struct QnBuild {
    QnNode *at;
    QnError *err;
    QnStatus status;
} QnBuild;

/* A new node with outputs of unknown types; NULL entries are absent inputs. */
QnNode *qn_build_node(QnBuild *build, const char *op, QnIrValue *const *inputs, int input_count,
                      int output_count);

/* The only output of a new node of ai.onnx. */
QnIrValue *qn_build(QnBuild *build, const char *op, QnIrValue *const *inputs, int input_count);

/* The same from listed values. */
#define QN_BUILD(build, op, ...)                          \
    qn_build((build), (op), (QnIrValue *[]){__VA_ARGS__}, \
             (int)QN_COUNT_OF(((QnIrValue *[]){__VA_ARGS__})))

/* Attributes of the node that makes a value; they return the value. */
QnIrValue *qn_build_int(QnBuild *build, QnIrValue *made, const char *name, int64_t value);
QnIrValue *qn_build_list(QnBuild *build, QnIrValue *made, const char *name, const int64_t *values,
                         int count);

/* Constants: int64 of rank 0 or 1, and a scalar of a floating type. */
QnIrValue *qn_build_ints(QnBuild *build, const int64_t *values, int count, int rank);
QnIrValue *qn_build_scalar(QnBuild *build, QnType type, double value);

/* Sizes [first, last) of a value as a vector. */
QnIrValue *qn_build_sizes(QnBuild *build, QnIrValue *value, int first, int last);

/* A Cast, or the value itself where it has the type; a Transpose. */
QnIrValue *qn_build_cast(QnBuild *build, QnIrValue *value, QnType from, QnType to);
QnIrValue *qn_build_transpose(QnBuild *build, QnIrValue *value, const int64_t *order, int rank);

/* Runs a sub-graph of one input and one output on a value. */
QnIrValue *qn_build_graph(QnBuild *build, const QnGraph *body, QnIrValue *input);

/* Lets readers of output i of the node read `value`; no reader: nothing. */
void qn_build_output(QnBuild *build, int i, QnIrValue *value);

#endif
