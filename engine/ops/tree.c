/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ensembles of decision trees (ai.onnx.ml).  A row of features walks down each tree; the leaves it
 * reaches add, average, or give the smallest or largest of their weights per target.
 *
 * A classifier with two classes whose weights are all for the first of them has one score, that of
 * the second: a part of 1 where no weight is negative (the second wins above 0.5), else a side of
 * 0.  So writers of gradient-boosted trees have it.
 */
#include <math.h>

#include "engine/ops/forest.h"
#include "engine/ops/scores.h"

typedef enum Aggregate { AVERAGE, SUM, MIN, MAX } Aggregate; /* numbered as in TreeEnsemble */

/* ---- inference ---- */

/* Reads the forest once to check it; what is read is thrown away. */
static QnStatus check_forest(const QnInfer *in, int64_t targets, QnDim columns)
{
    QnArena scratch;
    QnForest forest;
    qn_arena_init(&scratch, in->arena->allocator);
    QnStatus status = qn_forest_read(&forest, in->node, targets, &scratch, in->err);
    if (status == QN_OK && qn_dim_is_known(columns) && columns < forest.feature_count)
        status = qn_infer_fail(in, "the trees ask for feature %lld of %lld",
                               (long long)forest.feature_count - 1, (long long)columns);
    qn_arena_finish(&scratch);
    return status;
}

static QnStatus infer_scores(QnInfer *in, int output, QnType type, int64_t targets, QnDim *rows)
{
    QnDim columns = qn_infer_fresh(in);
    *rows = qn_infer_fresh(in);
    if (targets < 1 || targets > INT32_MAX)
        return qn_infer_fail(in, "%lld targets, expected 1 at least", (long long)targets);
    if (qn_infer_shape(in, 0))
        QN_TRY(qn_features_infer(in, rows, &columns));
    QN_TRY(check_forest(in, targets, columns));
    return qn_infer_tensor(in, output, type, &(QnShape){.rank = 2, .dims = {*rows, targets}});
}

static QnStatus infer_regressor(QnInfer *in)
{
    QnPost post;
    QnDim rows;
    if (!qn_post_find(in->node, &post))
        return qn_infer_fail(in, "post_transform is none of ONNX's");
    return infer_scores(in, 0, QN_FLOAT, qn_op_int(in->node, "n_targets"), &rows);
}

static QnStatus infer_ensemble(QnInfer *in)
{
    const int64_t post = qn_op_int(in->node, "post_transform");
    const int64_t aggregate = qn_op_int(in->node, "aggregate_function");
    QnDim rows;
    if (post < QN_POST_NONE || post > QN_POST_PROBIT || aggregate < AVERAGE || aggregate > MAX)
        return qn_infer_fail(
            in, "post_transform is %lld and aggregate_function %lld, expected 0 to 4 and 0 to 3",
            (long long)post, (long long)aggregate);
    return infer_scores(in, 0, qn_infer_element(in, 0), qn_op_int(in->node, "n_targets"), &rows);
}

static QnLabels class_labels(const QnNode *node)
{
    return qn_labels_find(node, "classlabels_int64s", "classlabels_strings");
}

static QnStatus infer_classifier(QnInfer *in)
{
    const QnLabels labels = class_labels(in->node);
    QnPost post;
    QnDim rows;
    if (!qn_post_find(in->node, &post))
        return qn_infer_fail(in, "post_transform is none of ONNX's");
    /* One label would leave the row of scores without a place for the other class. */
    QN_TRY(infer_scores(in, 1, QN_FLOAT, labels.count, &rows));
    return qn_infer_tensor(in, 0, labels.strings ? QN_STRING : QN_INT64,
                           &(QnShape){.rank = 1, .dims = {rows}});
}

/* ---- computing ---- */

/* A forest with room for one row. */
typedef struct Ensemble {
    QnForest forest;
    Aggregate aggregate;
    QnPost post;
    int64_t rows, columns;
    double *base;     /* [targets], zeros where there are none */
    double *features; /* [columns] */
    double *scores;   /* [max(targets, 2)] */
    bool *is_reached; /* [targets]: some leaf had a weight for it */
    int base_count;
} Ensemble;

static QnStatus init(const QnCall *call, Ensemble *e, int64_t targets)
{
    const QnTensor *x = qn_call_input(call, 0);
    qn_features_count(x, &e->rows, &e->columns);
    QN_TRY(qn_forest_read(&e->forest, call->node, targets, call->scratch, call->err));
    if (e->columns < e->forest.feature_count)
        return qn_call_fail(call, "the trees ask for feature %lld of %lld",
                            (long long)e->forest.feature_count - 1, (long long)e->columns);
    QN_ALLOC(e->base, call->scratch, targets);
    QN_ALLOC(e->features, call->scratch, e->columns);
    QN_ALLOC(e->scores, call->scratch, targets + 1);
    QN_ALLOC(e->is_reached, call->scratch, targets);
    return QN_OK;
}

/* base_values, as floats or as a tensor: one for all targets, or one each. */
static QnStatus read_base(const QnCall *call, Ensemble *e)
{
    const QnAttribute *tensor = qn_node_attribute(call->node, "base_values_as_tensor");
    const bool is_tensor = tensor && tensor->kind == QN_ATTRIBUTE_TENSOR;
    int floats;
    const float *list = qn_floats_find(call->node, "base_values", &floats);
    const int64_t count = is_tensor ? qn_tensor_count(tensor->tensor) : floats;
    if (count != 0 && count != 1 && count != e->forest.targets)
        return qn_call_fail(call, "base_values has %lld entries, expected 1 or %lld",
                            (long long)count, (long long)e->forest.targets);
    e->base_count = (int)count;
    for (int64_t k = 0; k < e->forest.targets && count > 0; k++) {
        const int64_t from = count == 1 ? 0 : k;
        e->base[k] = is_tensor ? qn_tensor_get(tensor->tensor, from) : (double)list[from];
    }
    return QN_OK;
}

static void add_leaf(Ensemble *e, const QnTreeNode *leaf)
{
    for (int i = 0; i < leaf->weights; i++) {
        const QnLeafWeight *w = &e->forest.weights[leaf->first_weight + i];
        double *score = &e->scores[w->target];
        if (e->aggregate == SUM || e->aggregate == AVERAGE)
            *score += w->weight;
        else if (!e->is_reached[w->target] ||
                 (e->aggregate == MIN ? w->weight < *score : w->weight > *score))
            *score = w->weight;
        e->is_reached[w->target] = true;
    }
}

/* The scores of one row, without base values. */
static void score_row(Ensemble *e, const QnTensor *x, int64_t row)
{
    memset(e->scores, 0, (size_t)(e->forest.targets + 1) * sizeof *e->scores);
    memset(e->is_reached, 0, (size_t)e->forest.targets);
    qn_tensor_read_row(x, row * e->columns, 1, e->columns, e->features);
    for (int i = 0; i < e->forest.root_count; i++)
        add_leaf(e, qn_forest_walk(&e->forest, e->forest.roots[i], e->features));
    for (int64_t k = 0; k < e->forest.targets && e->aggregate == AVERAGE; k++)
        e->scores[k] /= e->forest.root_count;
}

static QnStatus regress(const QnCall *call, Ensemble *e)
{
    QnTensor *y = qn_call_result(call, 0);
    const int64_t targets = e->forest.targets;
    for (int64_t n = 0; n < e->rows; n++) {
        QN_TRY(qn_call_poll(call));
        score_row(e, qn_call_input(call, 0), n);
        for (int64_t k = 0; k < targets; k++)
            e->scores[k] += e->base[k];
        qn_post_apply(e->post, e->scores, targets);
        qn_tensor_write_row(y, n * targets, 1, targets, e->scores);
    }
    return QN_OK;
}

static QnStatus run_ensemble(const QnCall *call)
{
    Ensemble e = {.aggregate = (Aggregate)qn_op_int(call->node, "aggregate_function"),
                  .post = (QnPost)qn_op_int(call->node, "post_transform")};
    QN_TRY(init(call, &e, qn_op_int(call->node, "n_targets")));
    return regress(call, &e);
}

static QnStatus run_regressor(const QnCall *call)
{
    static const char *const names[] = {"AVERAGE", "SUM", "MIN", "MAX"};
    Ensemble e = {.aggregate = SUM};
    for (int i = 0; i < (int)QN_COUNT_OF(names); i++)
        if (qn_op_string_is(call->node, "aggregate_function", names[i]))
            e.aggregate = (Aggregate)i;
    qn_post_find(call->node, &e.post);
    QN_TRY(init(call, &e, qn_op_int(call->node, "n_targets")));
    QN_TRY(read_base(call, &e));
    return regress(call, &e);
}

/* ---- the classifier ---- */

/* What the weights of a classifier of two classes say: are all for one class, and none negative? */
typedef struct Binary {
    bool is_single, is_positive;
    int64_t only; /* the class that weights are for */
} Binary;

static Binary look_at_weights(const QnForest *forest)
{
    Binary b = {.is_single = forest->targets == 2 && forest->weight_count > 0, .is_positive = true};
    for (int i = 0; i < forest->weight_count; i++) {
        b.only = forest->weights[0].target;
        b.is_single = b.is_single && forest->weights[i].target == b.only;
        b.is_positive = b.is_positive && forest->weights[i].weight >= 0;
    }
    return b;
}

/* The class with the largest score among those that anything spoke for; the first where there is
 * none. */
static int find_winner(const Ensemble *e)
{
    int64_t best = -1;
    for (int64_t k = 0; k < e->forest.targets; k++)
        if ((e->is_reached[k] || e->base_count > 0) && (best < 0 || e->scores[k] > e->scores[best]))
            best = k;
    return best < 0 ? 0 : (int)best;
}

/* The winning class; the scores become the outputs. */
static int decide(Ensemble *e, const Binary *b)
{
    const double threshold = b->is_positive ? 0.5 : 0;
    int best;
    for (int64_t k = 0; k < e->forest.targets; k++)
        e->scores[k] += e->base[k];
    if (b->is_single && b->only == 0 && e->base_count < 2) {
        best = e->scores[0] > threshold;
        qn_post_widen(e->post, b->is_positive ? QN_BINARY_PARTS : QN_BINARY_SIDES, e->scores);
        return best;
    }
    best = find_winner(e);
    if (b->is_single && e->base_count == 0) /* nothing speaks for class 0: its score is no rival */
        best = e->scores[1] > threshold;
    qn_post_apply(e->post, e->scores, e->forest.targets);
    return best;
}

static QnStatus run_classifier(const QnCall *call)
{
    const QnLabels labels = class_labels(call->node);
    Ensemble e = {.aggregate = SUM};
    qn_post_find(call->node, &e.post);
    QN_TRY(init(call, &e, labels.count));
    QN_TRY(read_base(call, &e));
    const Binary binary = look_at_weights(&e.forest);
    for (int64_t n = 0; n < e.rows; n++) {
        QN_TRY(qn_call_poll(call));
        score_row(&e, qn_call_input(call, 0), n);
        const int label = decide(&e, &binary);
        if (qn_call_wants(call, 0))
            qn_labels_write(&labels, label, qn_call_result(call, 0), n);
        if (qn_call_wants(call, 1))
            qn_tensor_write_row(qn_call_result(call, 1), n * labels.count, 1, labels.count,
                                e.scores);
    }
    return QN_OK;
}

/* The lists that forest.c reads have no defaults. */
static const QnOpAttribute ensemble_attributes[] = {
    {"aggregate_function", QN_ATTRIBUTE_INT, .i = SUM},
    {"n_targets", QN_ATTRIBUTE_INT, .is_required = true},
    {"post_transform", QN_ATTRIBUTE_INT},
    {0}};
static const QnOpAttribute regressor_attributes[] = {
    {"aggregate_function", QN_ATTRIBUTE_STRING, .s = "SUM"},
    {"n_targets", QN_ATTRIBUTE_INT, .is_required = true},
    {"post_transform", QN_ATTRIBUTE_STRING, .s = "NONE"},
    {0}};
static const QnOpAttribute classifier_attributes[] = {
    {"post_transform", QN_ATTRIBUTE_STRING, .s = "NONE"}, {0}};

#define ML(op, since_) .name = (op), .domain = "ai.onnx.ml", .since = (since_)

const QnOp qn_ops_tree[] = {
    {ML("TreeEnsemble", 5), .inputs = "X: float", .outputs = "Y: T",
     .attributes = ensemble_attributes, .infer = infer_ensemble, .reference = run_ensemble},
    {ML("TreeEnsembleClassifier", 3), .inputs = "X: numeric", .outputs = "Y: any, Z?: float",
     .attributes = classifier_attributes, .infer = infer_classifier, .reference = run_classifier},
    {ML("TreeEnsembleRegressor", 3), .inputs = "X: numeric", .outputs = "Y: float",
     .attributes = regressor_attributes, .infer = infer_regressor, .reference = run_regressor},
    {0},
};
