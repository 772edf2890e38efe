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
    if (!in->is_running) /* else whoever computes has read it */
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

/* What the weights of a classifier of two classes say: are all for one class, and none negative? */
typedef struct Binary {
    bool is_single, is_positive;
    int64_t only; /* the class that weights are for */
} Binary;

/* A forest and what is done with its leaves, as the attributes say them. */
typedef struct Ensemble {
    QnForest forest;
    Aggregate aggregate;
    QnPost post;
    double *base; /* [targets], zeros where there are none */
    int base_count;
    bool is_classifier;
    QnLabels labels; /* of a classifier */
    Binary binary;
} Ensemble;

/* base_values, as floats or as a tensor: one for all targets, or one each. */
static QnStatus read_base(const QnNode *node, Ensemble *e, QnError *err)
{
    const QnAttribute *tensor = qn_node_attribute(node, "base_values_as_tensor");
    const bool is_tensor = tensor && tensor->kind == QN_ATTRIBUTE_TENSOR;
    int floats;
    const float *list = qn_floats_find(node, "base_values", &floats);
    const int64_t count = is_tensor ? qn_tensor_count(tensor->tensor) : floats;
    if (count != 0 && count != 1 && count != e->forest.targets)
        return qn_fail(err, QN_BAD_MODEL, "base_values has %lld entries, expected 1 or %lld",
                       (long long)count, (long long)e->forest.targets);
    e->base_count = (int)count;
    for (int64_t k = 0; k < e->forest.targets && count > 0; k++) {
        const int64_t from = count == 1 ? 0 : k;
        e->base[k] = is_tensor ? qn_tensor_get(tensor->tensor, from) : (double)list[from];
    }
    return QN_OK;
}

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

/* The operator's own way to say how leaves count and how many targets there are. */
static int64_t read_kind(const QnNode *node, Ensemble *e)
{
    static const char *const names[] = {"AVERAGE", "SUM", "MIN", "MAX"};
    *e = (Ensemble){.aggregate = SUM};
    if (!strcmp(node->op, "TreeEnsemble")) {
        e->aggregate = (Aggregate)qn_op_int(node, "aggregate_function");
        e->post = (QnPost)qn_op_int(node, "post_transform");
        return qn_op_int(node, "n_targets");
    }
    qn_post_find(node, &e->post);
    if (!strcmp(node->op, "TreeEnsembleClassifier")) {
        e->is_classifier = true;
        e->labels = class_labels(node);
        return e->labels.count;
    }
    for (int i = 0; i < (int)QN_COUNT_OF(names); i++)
        if (qn_op_string_is(node, "aggregate_function", names[i]))
            e->aggregate = (Aggregate)i;
    return qn_op_int(node, "n_targets");
}

static QnStatus prepare(const void **out, const QnNode *node, QnArena *arena, QnError *err)
{
    Ensemble *e;
    QN_ALLOC(e, arena, 1);
    const int64_t targets = read_kind(node, e);
    QN_TRY(qn_forest_read(&e->forest, node, targets, arena, err));
    QN_TRY(qn_forest_pack(&e->forest, arena));
    QN_ALLOC(e->base, arena, targets);
    if (strcmp(node->op, "TreeEnsemble") != 0)
        QN_TRY(read_base(node, e, err));
    e->binary = look_at_weights(&e->forest);
    *out = e;
    return QN_OK;
}

/* What one thread works with: rows that walk side by side. */
typedef struct Room {
    double *features; /* [QN_FOREST_ROWS][columns] */
    double *scores;   /* [QN_FOREST_ROWS][targets + 1] */
    bool *is_reached; /* [QN_FOREST_ROWS][targets]: some leaf had a weight for it */
} Room;

static Room room_of(const Ensemble *e, int64_t columns, void *memory)
{
    double *at = memory;
    Room room = {.features = at, .scores = at + QN_FOREST_ROWS * columns};
    room.is_reached = (bool *)(room.scores + QN_FOREST_ROWS * (e->forest.targets + 1));
    return room;
}

static size_t room_size(const Ensemble *e, int64_t columns)
{
    const size_t targets = (size_t)e->forest.targets;
    return QN_FOREST_ROWS * (((size_t)columns + targets + 1) * sizeof(double) + targets);
}

static void add_leaf(const Ensemble *e, const QnTreeNode *leaf, double *scores, bool *is_reached)
{
    for (int i = 0; i < leaf->weights; i++) {
        const QnLeafWeight *w = &e->forest.weights[leaf->first_weight + i];
        double *score = &scores[w->target];
        if (e->aggregate == SUM || e->aggregate == AVERAGE)
            *score += w->weight;
        else if (!is_reached[w->target] ||
                 (e->aggregate == MIN ? w->weight < *score : w->weight > *score))
            *score = w->weight;
        is_reached[w->target] = true;
    }
}

/* The scores of some rows, without base values. */
static void score_rows(const Ensemble *e, const QnTensor *x, int64_t first, int rows,
                       int64_t columns, const Room *room)
{
    const int64_t targets = e->forest.targets;
    int leaves[QN_FOREST_ROWS];
    memset(room->scores, 0, (size_t)(rows * (targets + 1)) * sizeof *room->scores);
    memset(room->is_reached, 0, (size_t)(rows * targets));
    qn_tensor_read_row(x, first * columns, 1, rows * columns, room->features);
    for (int i = 0; i < e->forest.root_count; i++) {
        qn_forest_walk(&e->forest, i, room->features, columns, rows, leaves);
        for (int r = 0; r < rows; r++)
            add_leaf(e, &e->forest.nodes[leaves[r]], room->scores + r * (targets + 1),
                     room->is_reached + r * targets);
    }
    for (int64_t k = 0; k < rows * (targets + 1) && e->aggregate == AVERAGE; k++)
        room->scores[k] /= e->forest.root_count;
}

/* ---- the classifier ---- */

/* The class with the largest score among those that anything spoke for;
 * the first where there is none. */
static int find_winner(const Ensemble *e, const double *scores, const bool *is_reached)
{
    int64_t best = -1;
    for (int64_t k = 0; k < e->forest.targets; k++)
        if ((is_reached[k] || e->base_count > 0) && (best < 0 || scores[k] > scores[best]))
            best = k;
    return best < 0 ? 0 : (int)best;
}

/* The winning class; the scores become the outputs. */
static int decide(const Ensemble *e, double *scores, const bool *is_reached)
{
    const Binary *b = &e->binary;
    const double threshold = b->is_positive ? 0.5 : 0;
    int best;
    if (b->is_single && b->only == 0 && e->base_count < 2) {
        best = scores[0] > threshold;
        qn_post_widen(e->post, b->is_positive ? QN_BINARY_PARTS : QN_BINARY_SIDES, scores);
        return best;
    }
    best = find_winner(e, scores, is_reached);
    if (b->is_single && e->base_count == 0) /* nothing speaks for class 0: its score is no rival */
        best = scores[1] > threshold;
    qn_post_apply(e->post, scores, e->forest.targets);
    return best;
}

/* ---- rows ---- */

/* One row of scores becomes one of each output. */
static void finish_row(const QnCall *call, const Ensemble *e, int64_t n, double *scores,
                       const bool *is_reached)
{
    const int64_t targets = e->forest.targets;
    const int output = e->is_classifier; /* of scores */
    for (int64_t k = 0; k < targets; k++)
        scores[k] += e->base[k];
    if (e->is_classifier) {
        const int label = decide(e, scores, is_reached);
        if (qn_call_wants(call, 0))
            qn_labels_write(&e->labels, label, qn_call_result(call, 0), n);
    } else {
        qn_post_apply(e->post, scores, targets);
    }
    if (qn_call_wants(call, output))
        qn_tensor_write_row(qn_call_result(call, output), n * targets, 1, targets, scores);
}

/* Blocks begin <= b < end of rows. */
static QnStatus run_blocks(const QnCall *call, const void *work, void *memory, int64_t begin,
                           int64_t end)
{
    const Ensemble *e = work;
    const QnTensor *x = qn_call_input(call, 0);
    const int64_t targets = e->forest.targets;
    int64_t rows, columns;
    qn_features_count(x, &rows, &columns);
    const Room room = room_of(e, columns, memory);
    for (int64_t b = begin; b < end; b++) {
        const int64_t first = b * QN_FOREST_ROWS;
        const int count = rows - first < QN_FOREST_ROWS ? (int)(rows - first) : QN_FOREST_ROWS;
        score_rows(e, x, first, count, columns, &room);
        for (int r = 0; r < count; r++)
            finish_row(call, e, first + r, room.scores + r * (targets + 1),
                       room.is_reached + r * targets);
    }
    return QN_OK;
}

static QnStatus run(const QnCall *call)
{
    const void *prepared = call->prepared;
    int64_t rows, columns;
    if (!prepared)
        QN_TRY(prepare(&prepared, call->node, call->scratch, call->err));
    const Ensemble *e = prepared;
    qn_features_count(qn_call_input(call, 0), &rows, &columns);
    if (columns < e->forest.feature_count)
        return qn_call_fail(call, "the trees ask for feature %lld of %lld",
                            (long long)e->forest.feature_count - 1, (long long)columns);
    return qn_call_for(call, (rows + QN_FOREST_ROWS - 1) / QN_FOREST_ROWS,
                       QN_FOREST_ROWS * (20.0 * e->forest.root_count + (double)columns),
                       room_size(e, columns), run_blocks, e);
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
     .attributes = ensemble_attributes, .infer = infer_ensemble, .reference = run,
     .prepare = prepare, .traits = QN_OP_PORTABLE},
    {ML("TreeEnsembleClassifier", 3), .inputs = "X: numeric", .outputs = "Y: any, Z?: float",
     .attributes = classifier_attributes, .infer = infer_classifier, .reference = run,
     .prepare = prepare, .traits = QN_OP_PORTABLE},
    {ML("TreeEnsembleRegressor", 3), .inputs = "X: numeric", .outputs = "Y: float",
     .attributes = regressor_attributes, .infer = infer_regressor, .reference = run,
     .prepare = prepare, .traits = QN_OP_PORTABLE},
    {0},
};
