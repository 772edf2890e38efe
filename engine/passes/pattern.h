/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of fuse-patterns, by file, and what they find patterns with. */
#ifndef QN_ENGINE_PASSES_PATTERN_H
#define QN_ENGINE_PASSES_PATTERN_H

#include "engine/passes/rewrite.h"

/*
 * A product taken apart: factor * leaves[0] * leaves[1] * …, in whatever order and grouping the
 * exporter wrote it, division by constants included.
 */
enum { QN_PRODUCT_LEAVES = 4 };
typedef struct QnProduct {
    double factor; /* of all constant numbers */
    QnIrValue *leaves[QN_PRODUCT_LEAVES];
    int count; /* of leaves; -1: more than fit */
} QnProduct;

/* Takes the product that the node (Mul or Div) makes apart, through products read by it only. */
QnProduct qn_product_of(const QnNode *node);

/* The same of a value; what no product makes is its only leaf. */
QnProduct qn_product_of_value(QnIrValue *value);

/* Is a number close to another, as constants in models are? */
bool qn_is_close(double found, double wanted);

/* The input of a node of two inputs beside `known`; NULL where known is no input of it. */
QnIrValue *qn_other_input(const QnNode *node, const QnIrValue *known);

/*
 * The input of operator `op` (Add, Mul) beside a constant that is `wanted`; NULL where the node is
 * something else.
 */
QnIrValue *qn_beside_scalar(const QnNode *node, const char *op, double wanted);

/* Reads a reduction of that operator that keeps its dimensions: its input and axes, in [0, rank).
 * False where the value is made by something else. */
typedef struct QnReduction {
    QnIrValue *x;
    int64_t axes[QN_MAX_RANK];
    int count;
} QnReduction;
bool qn_reduction_read(QnReduction *out, const QnIrValue *value, const char *op);

QnStatus qn_fuse_gelu(QnPassCall *call, QnNode *node);         /* Mul, Div: pattern_gelu.c */
QnStatus qn_fuse_hard_sigmoid(QnPassCall *call, QnNode *node); /* Mul, Div: pattern_gate.c */
QnStatus qn_fuse_gate(QnPassCall *call, QnNode *node);         /* Mul, Div: pattern_gate.c */
QnStatus qn_fuse_norm(QnPassCall *call, QnNode *node);         /* Mul: pattern_norm.c */
QnStatus qn_fuse_norm_bias(QnPassCall *call, QnNode *node);    /* Add: pattern_norm.c */
QnStatus qn_fuse_softmax(QnPassCall *call, QnNode *node);      /* Div: pattern_softmax.c */

#endif
