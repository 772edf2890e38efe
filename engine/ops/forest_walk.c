/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walks of rows down the trees of a forest.  Where all nodes compare alike and with floats, the
 * trees are packed into cells of 16 bytes whose leaves lead to themselves: several rows then go
 * down side by side, none waiting for another, and nothing is guessed wrongly.
 */
#include <math.h>

#include "engine/ops/forest.h"

/* Bit 31 of a cell's feature: a NaN goes to next[0]. */
static const uint32_t nan_flag = UINT32_C(1) << 31;

/* Where the comparison of the cells holds and where not, in their order: `x > v` is the opposite of
 * `x <= v`. */
static bool is_turned(QnBranch mode)
{
    return mode == QN_BRANCH_GT || mode == QN_BRANCH_GTE;
}

/* Can the forest be packed?  *is_less: with `<`, else with `<=`. */
static bool can_pack(const QnForest *forest, bool *is_less)
{
    bool has_less = false, has_equal = false;
    for (int i = 0; i < forest->node_count; i++) {
        const QnTreeNode *node = &forest->nodes[i];
        if (node->mode == QN_BRANCH_LEAF)
            continue;
        has_less = has_less || node->mode == QN_BRANCH_LT || node->mode == QN_BRANCH_GTE;
        has_equal = has_equal || node->mode == QN_BRANCH_LEQ || node->mode == QN_BRANCH_GT;
        if (node->mode > QN_BRANCH_GT || (double)(float)node->value != node->value)
            return false;
    }
    *is_less = has_less;
    return !(has_less && has_equal);
}

static QnTreeCell pack_node(const QnForest *forest, int i)
{
    const QnTreeNode *node = &forest->nodes[i];
    if (node->mode == QN_BRANCH_LEAF)
        return (QnTreeCell){.next = {i, i}};
    const bool turned = is_turned(node->mode);
    const bool nan_is_first = node->missing_is_true != turned;
    return (QnTreeCell){.value = (float)node->value,
                        .feature = (uint32_t)node->feature | (nan_is_first ? nan_flag : 0),
                        .next = {turned ? node->no : node->yes, turned ? node->yes : node->no}};
}

/* How many steps the longest way from each root takes.  Each node is the child of one other at
 * most, so the walks end; `stack` has room for all nodes. */
static void measure_depths(const QnForest *forest, int *depths, int (*stack)[2])
{
    for (int r = 0; r < forest->root_count; r++) {
        int count = 0;
        stack[count][0] = forest->roots[r];
        stack[count++][1] = 0;
        depths[r] = 0;
        while (count > 0) {
            const int at = stack[--count][0], depth = stack[count][1];
            const QnTreeNode *node = &forest->nodes[at];
            if (depth > depths[r])
                depths[r] = depth;
            if (node->mode == QN_BRANCH_LEAF)
                continue;
            for (int k = 0; k < 2; k++) {
                stack[count][0] = k ? node->no : node->yes;
                stack[count++][1] = depth + 1;
            }
        }
    }
}

QnStatus qn_forest_pack(QnForest *forest, QnArena *arena)
{
    QnTreeCell *cells;
    int *depths, (*stack)[2];
    if (!can_pack(forest, &forest->is_less))
        return QN_OK;
    QN_ALLOC(cells, arena, forest->node_count);
    QN_ALLOC(depths, arena, forest->root_count);
    QN_ALLOC(stack, arena, (int64_t)forest->node_count + 2);
    for (int i = 0; i < forest->node_count; i++)
        cells[i] = pack_node(forest, i);
    measure_depths(forest, depths, stack);
    forest->cells = cells;
    forest->depths = depths;
    return QN_OK;
}

/* ---- node by node ---- */

static bool is_member(const QnForest *forest, const QnTreeNode *node, double x)
{
    for (int i = 0; i < node->members; i++)
        if (forest->members[node->first_member + i] == x)
            return true;
    return false;
}

static bool goes_to_true(const QnForest *forest, const QnTreeNode *node, double x)
{
    if (isnan(x) && node->missing_is_true)
        return true;
    switch (node->mode) {
    case QN_BRANCH_LEQ:
        return x <= node->value;
    case QN_BRANCH_LT:
        return x < node->value;
    case QN_BRANCH_GTE:
        return x >= node->value;
    case QN_BRANCH_GT:
        return x > node->value;
    case QN_BRANCH_EQ:
        return x == node->value;
    case QN_BRANCH_NEQ:
        return x != node->value;
    default:
        return is_member(forest, node, x);
    }
}

static int walk(const QnForest *forest, int at, const double *features)
{
    while (forest->nodes[at].mode != QN_BRANCH_LEAF) {
        const QnTreeNode *node = &forest->nodes[at];
        at = goes_to_true(forest, node, features[node->feature]) ? node->yes : node->no;
    }
    return at;
}

/* ---- packed ---- */

static inline int step(const QnTreeCell *cell, int at, const double *features, bool is_less)
{
    const double x = features[cell[at].feature & ~nan_flag], v = (double)cell[at].value;
    const bool holds = is_less ? x < v : x <= v;
    const bool is_first = holds || (isnan(x) && cell[at].feature >= nan_flag);
    return cell[at].next[!is_first];
}

void qn_forest_walk(const QnForest *forest, int tree, const double *features, int64_t columns,
                    int rows, int *leaves)
{
    const int root = forest->roots[tree];
    if (!forest->cells || rows < QN_FOREST_ROWS) {
        for (int r = 0; r < rows; r++)
            leaves[r] = walk(forest, root, features + r * columns);
        return;
    }
    for (int r = 0; r < QN_FOREST_ROWS; r++)
        leaves[r] = root;
    if (forest->is_less) {
        for (int depth = 0; depth < forest->depths[tree]; depth++)
            for (int r = 0; r < QN_FOREST_ROWS; r++)
                leaves[r] = step(forest->cells, leaves[r], features + r * columns, true);
    } else {
        for (int depth = 0; depth < forest->depths[tree]; depth++)
            for (int r = 0; r < QN_FOREST_ROWS; r++)
                leaves[r] = step(forest->cells, leaves[r], features + r * columns, false);
    }
}
