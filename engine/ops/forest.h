/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ensembles of decision trees in one form, read from the three operators that say them:
 * TreeEnsembleClassifier and TreeEnsembleRegressor (nodes named by tree and number), TreeEnsemble
 * (nodes named by position).
 */
#ifndef QN_ENGINE_OPS_FOREST_H
#define QN_ENGINE_OPS_FOREST_H

#include "engine/ops/op.h"

/* When a feature goes to the true branch; numbered as in TreeEnsemble. */
typedef enum QnBranch {
    QN_BRANCH_LEQ,
    QN_BRANCH_LT,
    QN_BRANCH_GTE,
    QN_BRANCH_GT,
    QN_BRANCH_EQ,
    QN_BRANCH_NEQ,
    QN_BRANCH_MEMBER, /* it is one of a set */
    QN_BRANCH_LEAF
} QnBranch;

typedef struct QnTreeNode {
    QnBranch mode;
    bool missing_is_true; /* where NaN goes */
    double value;         /* compared with; of a leaf: unused */
    int64_t feature;
    int yes, no;               /* nodes; of MEMBER also */
    int first_weight, weights; /* of a leaf: a run of the forest's weights */
    int first_member, members; /* of MEMBER: a run of the forest's members */
} QnTreeNode;

/* What a leaf adds to a target. */
typedef struct QnLeafWeight {
    int64_t target;
    double weight;
} QnLeafWeight;

typedef struct QnForest {
    QnTreeNode *nodes; /* [node_count] */
    QnLeafWeight *weights;
    double *members;
    int *roots; /* [root_count] */
    int node_count, weight_count, root_count, member_count;
    int64_t targets;       /* each weight's target is below */
    int64_t feature_count; /* each feature is below */
} QnForest;

/*
 * Reads and checks the forest of a node: lists of one length, children that exist, each node the
 * child of one other at most, so that every walk ends; targets and features >= 0.  QN_BAD_MODEL
 * says what is wrong.  The forest lies in `arena`.
 */
QnStatus qn_forest_read(QnForest *forest, const QnNode *node, int64_t targets, QnArena *arena,
                        QnError *err);

/* The leaf that a row of features reaches; the row has feature_count numbers at least. */
const QnTreeNode *qn_forest_walk(const QnForest *forest, int root, const double *features);

#endif
