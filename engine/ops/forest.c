/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/ops/forest.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

#include "base/sort.h"
#include "engine/ops/scores.h"

/* ---- lists of attributes ---- */

/* Numbers of an attribute: a list of floats, or a tensor. */
typedef struct Numbers {
    const float *floats;
    const QnTensor *tensor;
    int count;
} Numbers;

static Numbers find_numbers(const QnNode *node, const char *name)
{
    char as_tensor[64];
    Numbers list = {0};
    snprintf(as_tensor, sizeof as_tensor, "%s_as_tensor", name);
    const QnAttribute *at = qn_node_attribute(node, as_tensor);
    if (!at || at->kind != QN_ATTRIBUTE_TENSOR)
        at = qn_node_attribute(node, name);
    if (at && at->kind == QN_ATTRIBUTE_TENSOR && qn_tensor_count(at->tensor) <= INT32_MAX) {
        list.tensor = at->tensor;
        list.count = (int)qn_tensor_count(at->tensor);
    } else {
        list.floats = qn_floats_find(node, name, &list.count);
    }
    return list;
}

static double number_at(const Numbers *list, int i)
{
    assert(i < list->count && (list->tensor || list->floats));
    return list->tensor ? qn_tensor_get(list->tensor, i) : (double)list->floats[i];
}

static QnStatus want_count(const char *name, int count, int wanted, QnError *err)
{
    return count == wanted
               ? QN_OK
               : qn_fail(err, QN_BAD_MODEL, "%s has %d entries, expected %d", name, count, wanted);
}

/* An obligatory list of integers of that length. */
static QnStatus want_ints(const QnNode *node, const char *name, int wanted, const int64_t **out,
                          QnError *err)
{
    int count;
    *out = qn_ints_find(node, name, &count);
    return want_count(name, count, wanted, err);
}

/* ---- checks of a forest that is read ---- */

/* Each node may be the child of one node once, and a root of none: then no walk meets a node
 * twice.  Leaves may be shared. */
static QnStatus check_trees(const QnForest *forest, QnArena *arena, QnError *err)
{
    uint8_t *parents;
    QN_ALLOC(parents, arena, forest->node_count);
    for (int i = 0; i < forest->root_count; i++)
        parents[forest->roots[i]] = 1;
    for (int i = 0; i < forest->node_count; i++) {
        const QnTreeNode *node = &forest->nodes[i];
        const int children[2] = {node->yes, node->no};
        for (int k = 0; k < 2 && node->mode != QN_BRANCH_LEAF; k++) {
            if (forest->nodes[children[k]].mode == QN_BRANCH_LEAF)
                continue;
            if (parents[children[k]]++)
                return qn_fail(err, QN_BAD_MODEL,
                               "node %d of the trees is reached in two ways, expected a tree",
                               children[k]);
        }
    }
    return QN_OK;
}

static QnStatus check_numbers(QnForest *forest, int64_t targets, QnError *err)
{
    forest->targets = targets;
    forest->feature_count = 0;
    for (int i = 0; i < forest->node_count; i++) {
        const QnTreeNode *node = &forest->nodes[i];
        if (node->mode == QN_BRANCH_LEAF)
            continue;
        if (node->feature < 0 || node->feature > INT32_MAX)
            return qn_fail(err, QN_BAD_MODEL, "node %d of the trees asks for feature %lld", i,
                           (long long)node->feature);
        if (node->feature >= forest->feature_count)
            forest->feature_count = node->feature + 1;
    }
    for (int i = 0; i < forest->weight_count; i++)
        if (forest->weights[i].target < 0 || forest->weights[i].target >= targets)
            return qn_fail(err, QN_BAD_MODEL,
                           "leaf weight %d is for target %lld, expected 0 to %lld", i,
                           (long long)forest->weights[i].target, (long long)targets - 1);
    return QN_OK;
}

/* ---- nodes named by tree and number ---- */

/* A sorted list of (tree, number, position), to find nodes by name. */
typedef struct Key {
    int64_t tree, number;
    int position;
} Key;

static int by_key(const void *a, const void *b)
{
    const Key *x = a, *y = b;
    if (x->tree != y->tree)
        return x->tree < y->tree ? -1 : 1;
    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    return x->position < y->position ? -1 : x->position > y->position;
}

static const Key *find_key(const Key *keys, int count, int64_t tree, int64_t number)
{
    int low = 0, high = count;
    while (low < high) {
        const int middle = low + (high - low) / 2;
        const Key *key = &keys[middle];
        if (key->tree < tree || (key->tree == tree && key->number < number))
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && keys[low].tree == tree && keys[low].number == number ? &keys[low] : NULL;
}

static QnStatus sort_keys(const int64_t *trees, const int64_t *numbers, int count, QnArena *arena,
                          Key **out)
{
    Key *keys;
    QN_ALLOC(keys, arena, count);
    for (int i = 0; i < count; i++)
        keys[i] = (Key){trees[i], numbers[i], i};
    qn_sort(keys, (size_t)count, sizeof *keys, by_key);
    *out = keys;
    return QN_OK;
}

/* The lists of a classic ensemble. */
typedef struct Classic {
    const int64_t *trees, *numbers, *features, *yes, *no, *missing;
    const QnString *modes;
    Numbers values;
    int count;
    Key *keys; /* [count] */
} Classic;

static QnStatus read_classic_lists(Classic *lists, const QnNode *node, QnArena *arena, QnError *err)
{
    const QnAttribute *modes = qn_node_attribute(node, "nodes_modes");
    int missing;
    lists->numbers = qn_ints_find(node, "nodes_nodeids", &lists->count);
    if (lists->count == 0)
        return qn_fail(err, QN_BAD_MODEL, "nodes_nodeids is missing or empty");
    QN_TRY(want_ints(node, "nodes_treeids", lists->count, &lists->trees, err));
    QN_TRY(want_ints(node, "nodes_featureids", lists->count, &lists->features, err));
    QN_TRY(want_ints(node, "nodes_truenodeids", lists->count, &lists->yes, err));
    QN_TRY(want_ints(node, "nodes_falsenodeids", lists->count, &lists->no, err));
    lists->missing = qn_ints_find(node, "nodes_missing_value_tracks_true", &missing);
    if (missing)
        QN_TRY(want_count("nodes_missing_value_tracks_true", missing, lists->count, err));
    QN_TRY(want_count("nodes_modes",
                      modes && modes->kind == QN_ATTRIBUTE_STRINGS ? modes->count : 0, lists->count,
                      err));
    lists->modes = modes->strings;
    lists->values = find_numbers(node, "nodes_values");
    QN_TRY(want_count("nodes_values", lists->values.count, lists->count, err));
    QN_TRY(sort_keys(lists->trees, lists->numbers, lists->count, arena, &lists->keys));
    for (int i = 1; i < lists->count; i++)
        if (lists->keys[i].tree == lists->keys[i - 1].tree &&
            lists->keys[i].number == lists->keys[i - 1].number)
            return qn_fail(err, QN_BAD_MODEL, "tree %lld has two nodes %lld",
                           (long long)lists->keys[i].tree, (long long)lists->keys[i].number);
    return QN_OK;
}

static QnStatus find_mode(QnString text, QnBranch *out, QnError *err)
{
    static const struct {
        const char *name;
        QnBranch mode;
    } rows[] = {
        {"BRANCH_LEQ", QN_BRANCH_LEQ}, {"BRANCH_LT", QN_BRANCH_LT}, {"BRANCH_GTE", QN_BRANCH_GTE},
        {"BRANCH_GT", QN_BRANCH_GT},   {"BRANCH_EQ", QN_BRANCH_EQ}, {"BRANCH_NEQ", QN_BRANCH_NEQ},
        {"LEAF", QN_BRANCH_LEAF},
    };
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++)
        if (text.size == strlen(rows[i].name) && !memcmp(text.data, rows[i].name, text.size)) {
            *out = rows[i].mode;
            return QN_OK;
        }
    return qn_fail(err, QN_BAD_MODEL, "nodes_modes holds '%.*s', which is no mode",
                   (int)(text.size < 64 ? text.size : 64), text.data);
}

static QnStatus read_classic_nodes(QnForest *forest, const Classic *lists, QnArena *arena,
                                   QnError *err)
{
    forest->node_count = lists->count;
    QN_ALLOC(forest->nodes, arena, lists->count);
    QN_ALLOC(forest->roots, arena, lists->count);
    for (int i = 0; i < lists->count; i++) {
        QnTreeNode *to = &forest->nodes[i];
        QN_TRY(find_mode(lists->modes[i], &to->mode, err));
        to->value = number_at(&lists->values, i);
        to->feature = lists->features[i];
        to->missing_is_true = lists->missing && lists->missing[i] != 0;
        /* The first node of a tree in the list is its root. */
        const int64_t tree = lists->trees[i];
        if (i == 0 || tree != lists->trees[i - 1])
            forest->roots[forest->root_count++] = i;
        if (to->mode == QN_BRANCH_LEAF)
            continue;
        const Key *yes = find_key(lists->keys, lists->count, tree, lists->yes[i]);
        const Key *no = find_key(lists->keys, lists->count, tree, lists->no[i]);
        if (!yes || !no)
            return qn_fail(err, QN_BAD_MODEL, "tree %lld has no node %lld, a child of %lld",
                           (long long)tree, (long long)(yes ? lists->no[i] : lists->yes[i]),
                           (long long)lists->numbers[i]);
        to->yes = yes->position;
        to->no = no->position;
    }
    return QN_OK;
}

/* The weights of leaves, in runs per leaf. */
static QnStatus read_classic_weights(QnForest *forest, const QnNode *node, const Classic *lists,
                                     QnArena *arena, QnError *err)
{
    const bool is_class = !strcmp(node->op, "TreeEnsembleClassifier");
    const Numbers weights = find_numbers(node, is_class ? "class_weights" : "target_weights");
    const int64_t *trees, *numbers, *targets;
    Key *keys;
    const int count = forest->weight_count = weights.count;
    QN_TRY(want_ints(node, is_class ? "class_treeids" : "target_treeids", count, &trees, err));
    QN_TRY(want_ints(node, is_class ? "class_nodeids" : "target_nodeids", count, &numbers, err));
    QN_TRY(want_ints(node, is_class ? "class_ids" : "target_ids", count, &targets, err));
    QN_ALLOC(forest->weights, arena, count);
    QN_TRY(sort_keys(trees, numbers, count, arena, &keys));
    for (int i = 0; i < count; i++) {
        const Key *leaf = find_key(lists->keys, lists->count, keys[i].tree, keys[i].number);
        const int from = keys[i].position;
        if (!leaf)
            return qn_fail(err, QN_BAD_MODEL,
                           "a weight is for node %lld of tree %lld, which is not there",
                           (long long)keys[i].number, (long long)keys[i].tree);
        QnTreeNode *to = &forest->nodes[leaf->position];
        if (to->weights++ == 0)
            to->first_weight = i;
        forest->weights[i] = (QnLeafWeight){targets[from], number_at(&weights, from)};
    }
    return QN_OK;
}

static QnStatus read_classic(QnForest *forest, const QnNode *node, QnArena *arena, QnError *err)
{
    Classic lists = {0};
    QN_TRY(read_classic_lists(&lists, node, arena, err));
    QN_TRY(read_classic_nodes(forest, &lists, arena, err));
    return read_classic_weights(forest, node, &lists, arena, err);
}

/* ---- nodes named by position ---- */

/* Sets of MEMBER nodes stand one after the other, each ended by NaN. */
static QnStatus read_members(QnForest *forest, const QnNode *node, QnArena *arena, QnError *err)
{
    const Numbers members = find_numbers(node, "membership_values");
    int at = 0;
    forest->member_count = members.count;
    QN_ALLOC(forest->members, arena, members.count);
    for (int i = 0; i < members.count; i++)
        forest->members[i] = number_at(&members, i);
    for (int i = 0; i < forest->node_count; i++) {
        QnTreeNode *to = &forest->nodes[i];
        if (to->mode != QN_BRANCH_MEMBER)
            continue;
        to->first_member = at;
        while (at < members.count && !isnan(forest->members[at]))
            at++;
        if (at == members.count)
            return qn_fail(err, QN_BAD_MODEL,
                           "membership_values holds fewer sets than nodes ask for");
        to->members = at++ - to->first_member;
    }
    return QN_OK;
}

/* A child: an inner node, or a leaf behind the inner nodes. */
static QnStatus read_child(int64_t id, int64_t is_leaf, int inner, int leaves, int *out,
                           QnError *err)
{
    const int limit = is_leaf ? leaves : inner;
    if (id < 0 || id >= limit)
        return qn_fail(err, QN_BAD_MODEL, "a child of the trees is %s %lld, expected 0 to %d",
                       is_leaf ? "leaf" : "node", (long long)id, limit - 1);
    *out = (int)id + (is_leaf ? inner : 0);
    return QN_OK;
}

static QnStatus read_leaves(QnForest *forest, const QnNode *node, int inner, int leaves,
                            QnArena *arena, QnError *err)
{
    const Numbers weights = find_numbers(node, "leaf_weights");
    const int64_t *targets;
    QN_TRY(want_ints(node, "leaf_targetids", leaves, &targets, err));
    forest->weight_count = leaves;
    QN_ALLOC(forest->weights, arena, leaves);
    for (int i = 0; i < leaves; i++) {
        forest->nodes[inner + i] =
            (QnTreeNode){.mode = QN_BRANCH_LEAF, .first_weight = i, .weights = 1};
        forest->weights[i] = (QnLeafWeight){targets[i], number_at(&weights, i)};
    }
    return QN_OK;
}

static QnStatus read_inner(QnForest *forest, const QnNode *node, int inner, int leaves,
                           QnError *err)
{
    const Numbers modes = find_numbers(node, "nodes_modes"),
                  splits = find_numbers(node, "nodes_splits");
    const int64_t *features, *yes, *no, *yes_leaf, *no_leaf;
    int missing;
    const int64_t *tracks = qn_ints_find(node, "nodes_missing_value_tracks_true", &missing);
    QN_TRY(want_count("nodes_modes", modes.count, inner, err));
    QN_TRY(want_count("nodes_splits", splits.count, inner, err));
    QN_TRY(want_ints(node, "nodes_featureids", inner, &features, err));
    QN_TRY(want_ints(node, "nodes_truenodeids", inner, &yes, err));
    QN_TRY(want_ints(node, "nodes_falsenodeids", inner, &no, err));
    QN_TRY(want_ints(node, "nodes_trueleafs", inner, &yes_leaf, err));
    QN_TRY(want_ints(node, "nodes_falseleafs", inner, &no_leaf, err));
    if (missing)
        QN_TRY(want_count("nodes_missing_value_tracks_true", missing, inner, err));
    for (int i = 0; i < inner; i++) {
        QnTreeNode *to = &forest->nodes[i];
        const double mode = number_at(&modes, i);
        if (!(mode >= QN_BRANCH_LEQ && mode <= QN_BRANCH_MEMBER))
            return qn_fail(err, QN_BAD_MODEL, "nodes_modes[%d] is %g, expected 0 to %d", i, mode,
                           QN_BRANCH_MEMBER);
        to->mode = (QnBranch)mode;
        to->value = number_at(&splits, i);
        to->feature = features[i];
        to->missing_is_true = tracks && tracks[i] != 0;
        QN_TRY(read_child(yes[i], yes_leaf[i], inner, leaves, &to->yes, err));
        QN_TRY(read_child(no[i], no_leaf[i], inner, leaves, &to->no, err));
    }
    return QN_OK;
}

static QnStatus read_newest(QnForest *forest, const QnNode *node, QnArena *arena, QnError *err)
{
    int inner;
    qn_ints_find(node, "nodes_featureids", &inner);
    const int leaves = find_numbers(node, "leaf_weights").count;
    const int64_t *roots = qn_ints_find(node, "tree_roots", &forest->root_count);
    if (leaves > INT32_MAX - inner)
        return qn_fail(err, QN_BAD_MODEL, "the trees have over %d nodes", INT32_MAX);
    forest->node_count = inner + leaves;
    QN_ALLOC(forest->nodes, arena, forest->node_count);
    QN_ALLOC(forest->roots, arena, forest->root_count);
    QN_TRY(read_inner(forest, node, inner, leaves, err));
    QN_TRY(read_leaves(forest, node, inner, leaves, arena, err));
    for (int i = 0; i < forest->root_count; i++)
        QN_TRY(read_child(roots[i], 0, inner, leaves, &forest->roots[i], err));
    return read_members(forest, node, arena, err);
}

/* ---- what others call ---- */

QnStatus qn_forest_read(QnForest *forest, const QnNode *node, int64_t targets, QnArena *arena,
                        QnError *err)
{
    *forest = (QnForest){0};
    QN_TRY(!strcmp(node->op, "TreeEnsemble") ? read_newest(forest, node, arena, err)
                                             : read_classic(forest, node, arena, err));
    QN_TRY(check_numbers(forest, targets, err));
    return check_trees(forest, arena, err);
}
