/* SPDX-License-Identifier: Apache-2.0 */
/* What the classifiers and regressors of ai.onnx.ml share: rows of features, scores, labels. */
#ifndef QN_ENGINE_OPS_SCORES_H
#define QN_ENGINE_OPS_SCORES_H

#include "engine/ops/op.h"

/* What is done with a row of scores at the end; numbered as in TreeEnsemble. */
typedef enum QnPost {
    QN_POST_NONE,
    QN_POST_SOFTMAX,
    QN_POST_LOGISTIC,
    QN_POST_SOFTMAX_ZERO, /* a softmax that leaves zeros zero */
    QN_POST_PROBIT
} QnPost;

/* The attribute post_transform, a name; false where it is none of ONNX's. */
bool qn_post_find(const QnNode *node, QnPost *out);

void qn_post_apply(QnPost post, double *scores, int64_t count);

/* How the one score of two classes becomes two. */
typedef enum QnBinary {
    QN_BINARY_PARTS, /* it is the positive class's part of 1: 1 - s, s */
    QN_BINARY_SIDES  /* its sign tells the class: -s, s */
} QnBinary;

/* scores[0] becomes scores[0] and scores[1], post transform included. */
void qn_post_widen(QnPost post, QnBinary kind, double *scores);

/* Rows and columns of features: rank 1 is one row.  Fails for other ranks but 1 and 2. */
QnStatus qn_features_infer(const QnInfer *in, QnDim *rows, QnDim *columns);
void qn_features_count(const QnTensor *x, int64_t *rows, int64_t *columns);

/* The labels of a classifier: one of its two lists. */
typedef struct QnLabels {
    const int64_t *ints;
    const QnString *strings;
    int count; /* 0: the node has none */
} QnLabels;

QnLabels qn_labels_find(const QnNode *node, const char *ints, const char *strings);

/* Writes label i, or i itself where there are none, to element n of an int64 or string tensor. */
void qn_labels_write(const QnLabels *labels, int i, QnTensor *y, int64_t n);

/* A list of floats; count 0 where the node lacks it. */
const float *qn_floats_find(const QnNode *node, const char *name, int *count);
const int64_t *qn_ints_find(const QnNode *node, const char *name, int *count);

#endif
