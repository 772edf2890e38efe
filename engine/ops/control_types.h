/* SPDX-License-Identifier: Apache-2.0 */
/* What the operators that hold graphs share: their graphs, and types that cover several others. */
#ifndef QN_ENGINE_OPS_CONTROL_TYPES_H
#define QN_ENGINE_OPS_CONTROL_TYPES_H

#include "engine/ops/op.h"

/* "a tensor", for messages. */
const char *qn_control_kind(QnKind kind);

/* Fails where two types cannot meet: other kinds, other elements.  `what` and i name the value. */
QnStatus qn_control_check(const QnInfer *in, const char *what, int i, const QnIrType *a,
                          const QnIrType *b);

/* A copy of a type without sizes and ranks, all the way down; *out may be the type itself. */
QnStatus qn_control_open(QnInfer *in, const QnIrType *type, QnIrType *out);

/* Replaces sizes that running tells by new ones: those of a graph inside are not known outside. */
void qn_control_renew(QnInfer *in, QnIrType *type);

/* The graph attribute of that name, or NULL. */
QnGraph *qn_control_graph(const QnInfer *in, const char *name);

/* Fails where nothing makes an output of the graph. */
QnStatus qn_control_check_outputs(const QnInfer *in, const QnGraph *graph);

#endif
