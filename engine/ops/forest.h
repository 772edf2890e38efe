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

/* A node as walks read it: to next[0] where the feature is <= value (or <, for all nodes of the
 * forest), else to next[1].  A leaf leads to itself. */
typedef struct QnTreeCell {
    float value;
    uint32_t feature; /* with bit 31: a NaN goes to next[0] */
    int next[2];
} QnTreeCell;

enum { QN_FOREST_ROWS = 8 }; /* that walk side by side */

typedef struct QnForest {
    QnTreeNode *nodes; /* [node_count] */
    QnLeafWeight *weights;
    double *members;
    int *roots; /* [root_count] */
    int node_count, weight_count, root_count, member_count;
    int64_t targets;       /* each weight's target is below */
    int64_t feature_count; /* each feature is below */
    /* Of qn_forest_pack: */
    const QnTreeCell *cells; /* [node_count]; NULL: the nodes are read themselves */
    const int *depths;       /* [root_count] */
    bool is_less;            /* the comparison of the cells */
} QnForest;

/*
 * Reads and checks the forest of a node: lists of one length, children that exist, each node the
 * child of one other at most, so that every walk ends; targets and features >= 0.  QN_BAD_MODEL
 * says what is wrong.  The forest lies in `arena`.
 */
QnStatus qn_forest_read(QnForest *forest, const QnNode *node, int64_t targets, QnArena *arena,
                        QnError *err);

/* Makes walks of a forest that was read faster, where its nodes allow that. */
QnStatus qn_forest_pack(QnForest *forest, QnArena *arena);

/*
 * Which node, a leaf, each of at most QN_FOREST_ROWS rows reaches in a tree.  features: [rows]
 * [columns], at least feature_count of them.
 */
void qn_forest_walk(const QnForest *forest, int tree, const double *features, int64_t columns,
                    int rows, int *leaves);

#endif
