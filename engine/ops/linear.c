/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Linear models of ai.onnx.ml, and what prepares their features.  A row of scores is
 * coefficients * x + intercepts; coefficients are row-major, a row per target or class.
 */
#include <math.h>

#include "engine/ops/scores.h"

/* ---- LinearRegressor, LinearClassifier ---- */

/* The rows of coefficients: one per target. */
typedef struct Linear {
    const float *coefficients, *intercepts;
    int coefficient_count, intercept_count;
    int64_t targets;
    QnPost post;
} Linear;

/* columns < 0: not known, the size of the list is then taken as it is. */
static QnStatus read_linear(Linear *linear, const QnNode *node, int64_t targets, int64_t columns,
                            QnError *err)
{
    linear->targets = targets;
    linear->coefficients = qn_floats_find(node, "coefficients", &linear->coefficient_count);
    linear->intercepts = qn_floats_find(node, "intercepts", &linear->intercept_count);
    if (!qn_post_find(node, &linear->post))
        return qn_fail(err, QN_BAD_MODEL, "post_transform is none of ONNX's");
    if (targets < 1 || targets > linear->coefficient_count)
        return qn_fail(err, QN_BAD_MODEL, "%lld targets, expected 1 to the %d coefficients",
                       (long long)targets, linear->coefficient_count);
    if (columns >= 0 &&
        (linear->coefficient_count % targets || linear->coefficient_count / targets != columns))
        return qn_fail(err, QN_BAD_MODEL, "%d coefficients, expected %lld times %lld features",
                       linear->coefficient_count, (long long)targets, (long long)columns);
    if (linear->intercept_count && linear->intercept_count != targets)
        return qn_fail(err, QN_BAD_MODEL, "%d intercepts, expected %lld", linear->intercept_count,
                       (long long)targets);
    return QN_OK;
}

/* Four targets at a time, whose sums do not wait for each other. */
static void score_row(const Linear *linear, const double *x, int64_t columns, double *scores)
{
    enum { SIDE = 4 };
    for (int64_t k = 0; k < linear->targets; k += SIDE) {
        const int64_t left = linear->targets - k;
        const float *rows[SIDE];
        double sums[SIDE];
        for (int r = 0; r < SIDE; r++) { /* past the last one it is that again */
            const int64_t target = k + (r < left ? r : left - 1);
            rows[r] = linear->coefficients + target * columns;
            sums[r] = linear->intercepts ? (double)linear->intercepts[target] : 0;
        }
        for (int64_t i = 0; i < columns; i++)
            for (int r = 0; r < SIDE; r++)
                sums[r] += x[i] * (double)rows[r][i];
        memcpy(scores + k, sums, (size_t)(left < SIDE ? left : SIDE) * sizeof *scores);
    }
}

static double row_cost(const Linear *linear, int64_t columns)
{
    return 30 + (double)columns * (1 + 0.5 * (double)linear->targets);
}

static QnStatus infer_regressor(QnInfer *in)
{
    QnDim rows, columns;
    Linear linear;
    const int64_t targets = qn_op_int(in->node, "targets");
    if (!qn_infer_shape(in, 0))
        return qn_infer_unknown(in, 0, QN_FLOAT, 2);
    QN_TRY(qn_features_infer(in, &rows, &columns));
    QN_TRY(
        read_linear(&linear, in->node, targets, qn_dim_is_known(columns) ? columns : -1, in->err));
    return qn_infer_tensor(in, 0, QN_FLOAT, &(QnShape){.rank = 2, .dims = {rows, targets}});
}

/* Rows begin <= n < end; the room is one of features, then one of scores. */
static QnStatus regress_rows(const QnCall *call, const void *work, void *room, int64_t begin,
                             int64_t end)
{
    const Linear *linear = work;
    int64_t rows, columns;
    qn_features_count(qn_call_input(call, 0), &rows, &columns);
    double *x = room, *scores = x + columns;
    for (int64_t n = begin; n < end; n++) {
        qn_tensor_read_row(qn_call_input(call, 0), n * columns, 1, columns, x);
        score_row(linear, x, columns, scores);
        qn_post_apply(linear->post, scores, linear->targets);
        qn_tensor_write_row(qn_call_result(call, 0), n * linear->targets, 1, linear->targets,
                            scores);
    }
    return QN_OK;
}

static QnStatus regress(const QnCall *call)
{
    int64_t rows, columns;
    Linear linear;
    qn_features_count(qn_call_input(call, 0), &rows, &columns);
    QN_TRY(read_linear(&linear, call->node, qn_op_int(call->node, "targets"), columns, call->err));
    return qn_call_for(call, rows, row_cost(&linear, columns),
                       (size_t)(columns + linear.targets) * sizeof(double), regress_rows, &linear);
}

static QnLabels class_labels(const QnNode *node)
{
    return qn_labels_find(node, "classlabels_ints", "classlabels_strings");
}

/* One row of coefficients per intercept; without intercepts, per label. */
static int64_t class_targets(const QnNode *node, const QnLabels *labels)
{
    int intercepts;
    qn_floats_find(node, "intercepts", &intercepts);
    return intercepts ? intercepts : labels->count;
}

static QnStatus infer_classifier(QnInfer *in)
{
    const QnLabels labels = class_labels(in->node);
    const QnType type = labels.strings ? QN_STRING : QN_INT64;
    const int64_t targets = class_targets(in->node, &labels);
    const int64_t classes = targets == 1 && labels.count == 2 ? 2 : targets;
    QnDim rows, columns;
    Linear linear;
    if (!qn_infer_shape(in, 0)) {
        QN_TRY(qn_infer_unknown(in, 1, QN_FLOAT, 2));
        return qn_infer_unknown(in, 0, type, 1);
    }
    QN_TRY(qn_features_infer(in, &rows, &columns));
    QN_TRY(
        read_linear(&linear, in->node, targets, qn_dim_is_known(columns) ? columns : -1, in->err));
    if (labels.count && labels.count != classes)
        return qn_infer_fail(in, "%d labels for %lld classes", labels.count, (long long)classes);
    QN_TRY(qn_infer_tensor(in, 1, QN_FLOAT, &(QnShape){.rank = 2, .dims = {rows, classes}}));
    return qn_infer_tensor(in, 0, type, &(QnShape){.rank = 1, .dims = {rows}});
}

typedef struct Classes {
    Linear linear;
    QnLabels labels;
    int64_t count;
    bool widens; /* one score for two classes */
} Classes;

static int64_t find_best(const Linear *linear, const double *scores)
{
    int64_t best = 0;
    if (linear->targets == 1)
        return scores[0] > 0;
    for (int64_t k = 1; k < linear->targets; k++)
        best = scores[k] > scores[best] ? k : best;
    return best;
}

/* Rows begin <= n < end; the room is one of features, then one of scores. */
static QnStatus classify_rows(const QnCall *call, const void *work, void *room, int64_t begin,
                              int64_t end)
{
    const Classes *classes = work;
    const Linear *linear = &classes->linear;
    int64_t rows, columns;
    qn_features_count(qn_call_input(call, 0), &rows, &columns);
    double *x = room, *scores = x + columns;
    for (int64_t n = begin; n < end; n++) {
        qn_tensor_read_row(qn_call_input(call, 0), n * columns, 1, columns, x);
        score_row(linear, x, columns, scores);
        const int64_t best = find_best(linear, scores);
        if (classes->widens)
            qn_post_widen(linear->post, QN_BINARY_PARTS, scores);
        else
            qn_post_apply(linear->post, scores, classes->count);
        if (qn_call_wants(call, 0))
            qn_labels_write(&classes->labels, (int)best, qn_call_result(call, 0), n);
        if (qn_call_wants(call, 1))
            qn_tensor_write_row(qn_call_result(call, 1), n * classes->count, 1, classes->count,
                                scores);
    }
    return QN_OK;
}

static QnStatus classify(const QnCall *call)
{
    Classes classes = {.labels = class_labels(call->node)};
    int64_t rows, columns;
    qn_features_count(qn_call_input(call, 0), &rows, &columns);
    QN_TRY(read_linear(&classes.linear, call->node, class_targets(call->node, &classes.labels),
                       columns, call->err));
    classes.widens = classes.linear.targets == 1 && classes.labels.count == 2;
    classes.count = classes.widens ? 2 : classes.linear.targets;
    return qn_call_for(call, rows, row_cost(&classes.linear, columns),
                       (size_t)(columns + classes.linear.targets + 1) * sizeof(double),
                       classify_rows, &classes);
}

/* ---- Normalizer ---- */

static QnStatus infer_float(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    return x ? qn_infer_tensor(in, 0, QN_FLOAT, x) : qn_infer_unknown(in, 0, QN_FLOAT, -1);
}

static QnStatus infer_normalizer(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    if (!qn_op_string_is(in->node, "norm", "MAX") && !qn_op_string_is(in->node, "norm", "L1") &&
        !qn_op_string_is(in->node, "norm", "L2"))
        return qn_infer_fail(in, "norm is not MAX, L1 or L2");
    if (x && x->rank < 1)
        return qn_infer_fail(in, "input 0 has rank 0, expected 1 at least");
    return infer_float(in);
}

typedef struct Norm {
    int64_t columns;
    bool is_max, is_l1;
} Norm;

/* Rows begin <= n < end; one whose norm is 0 is left as it is.  The room is a row. */
static QnStatus normalize_rows(const QnCall *call, const void *work, void *room, int64_t begin,
                               int64_t end)
{
    const Norm *kind = work;
    double *row = room;
    for (int64_t n = begin; n < end; n++) {
        double norm = kind->is_max ? -INFINITY : 0;
        qn_tensor_read_row(qn_call_input(call, 0), n * kind->columns, 1, kind->columns, row);
        for (int64_t i = 0; i < kind->columns; i++)
            norm = kind->is_max ? fmax(norm, row[i])
                                : norm + (kind->is_l1 ? fabs(row[i]) : row[i] * row[i]);
        norm = kind->is_max || kind->is_l1 ? norm : sqrt(norm);
        for (int64_t i = 0; i < kind->columns && norm != 0; i++)
            row[i] /= norm;
        qn_tensor_write_row(qn_call_result(call, 0), n * kind->columns, 1, kind->columns, row);
    }
    return QN_OK;
}

static QnStatus normalize(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0);
    const QnBox box = qn_box(x, x->rank - 1);
    const Norm norm = {box.length, qn_op_string_is(call->node, "norm", "MAX"),
                       qn_op_string_is(call->node, "norm", "L1")};
    return qn_call_for(call, box.outer, 20 + 4 * (double)box.length,
                       (size_t)box.length * sizeof(double), normalize_rows, &norm);
}

/* ---- Scaler: a list with one number, or one per feature ---- */

static QnStatus want_per_feature(const QnInfer *in, const char *name, bool may_be_absent)
{
    const QnShape *x = qn_infer_shape(in, 0);
    int count;
    qn_floats_find(in->node, name, &count);
    if (count == 1 || (count == 0 && may_be_absent) || !x)
        return QN_OK;
    if (x->rank < 1)
        return qn_infer_fail(in, "input 0 has rank 0, expected 1 at least");
    const QnDim columns = x->dims[x->rank - 1];
    if (qn_dim_is_known(columns) && columns != count)
        return qn_infer_fail(in, "%s has %d entries, expected 1 or %lld", name, count,
                             (long long)columns);
    return QN_OK;
}

static double feature_number(const float *list, int count, int64_t i, double otherwise)
{
    return count == 0 ? otherwise : (double)list[count == 1 ? 0 : i % count];
}

static QnStatus infer_scaler(QnInfer *in)
{
    QN_TRY(want_per_feature(in, "offset", true));
    QN_TRY(want_per_feature(in, "scale", true));
    return infer_float(in);
}

typedef struct Scale {
    const float *offset, *factor;
    int offsets, factors;
} Scale;

enum { BLOCK = 512 };

static QnStatus scale_blocks(const QnCall *call, const void *work, void *room, int64_t begin,
                             int64_t end)
{
    const Scale *scale = work;
    const int64_t total = qn_tensor_count(qn_call_input(call, 0));
    double *row = room;
    for (int64_t block = begin; block < end; block++) {
        const int64_t first = block * BLOCK;
        const int64_t count = total - first < BLOCK ? total - first : BLOCK;
        qn_tensor_read_row(qn_call_input(call, 0), first, 1, count, row);
        for (int64_t i = 0; i < count; i++)
            row[i] = (row[i] - feature_number(scale->offset, scale->offsets, first + i, 0)) *
                     feature_number(scale->factor, scale->factors, first + i, 1);
        qn_tensor_write_row(qn_call_result(call, 0), first, 1, count, row);
    }
    return QN_OK;
}

static QnStatus scale_all(const QnCall *call)
{
    const int64_t count = qn_tensor_count(qn_call_input(call, 0));
    Scale scale;
    scale.offset = qn_floats_find(call->node, "offset", &scale.offsets);
    scale.factor = qn_floats_find(call->node, "scale", &scale.factors);
    return qn_call_for(call, count / BLOCK + (count % BLOCK != 0), 4 * BLOCK,
                       BLOCK * sizeof(double), scale_blocks, &scale);
}

/* ---- Binarizer ---- */

static double binarize(double x, const double *attributes)
{
    return x > attributes[0];
}

static const QnInstruction binarizer_program[] = {QN_DO2A(GT, 1, 0, 0, "threshold"),
                                                  {.code = QN_CODE_CAST, .out = 2, .a = 1}};

#define POST                                               \
    {                                                      \
        "post_transform", QN_ATTRIBUTE_STRING, .s = "NONE" \
    }
#define WEIGHTS {"coefficients", QN_ATTRIBUTE_FLOATS}, {"intercepts", QN_ATTRIBUTE_FLOATS}, POST
static const QnOpAttribute regressor_attributes[] = {
    WEIGHTS, {"targets", QN_ATTRIBUTE_INT, .i = 1}, {0}};
static const QnOpAttribute classifier_attributes[] = {WEIGHTS,
                                                      {"classlabels_ints", QN_ATTRIBUTE_INTS},
                                                      {"classlabels_strings", QN_ATTRIBUTE_STRINGS},
                                                      {"multi_class", QN_ATTRIBUTE_INT},
                                                      {0}};
static const QnOpAttribute normalizer_attributes[] = {{"norm", QN_ATTRIBUTE_STRING, .s = "MAX"},
                                                      {0}};
static const QnOpAttribute scaler_attributes[] = {
    {"offset", QN_ATTRIBUTE_FLOATS}, {"scale", QN_ATTRIBUTE_FLOATS}, {0}};
static const QnOpAttribute binarizer_attributes[] = {{"threshold", QN_ATTRIBUTE_FLOAT}, {0}};

#define ML(op) .name = (op), .domain = "ai.onnx.ml", .since = 1

const QnOp qn_ops_linear[] = {
    {ML("Binarizer"), .inputs = "X: numeric", .outputs = "Y: T", .attributes = binarizer_attributes,
     .traits = QN_OP_IN_PLACE, .infer = qn_infer_unary, .reference = qn_reference_elementwise,
     .scalar = {.unary = binarize}, QN_PROGRAM(binarizer_program)},
    {ML("LinearClassifier"), .inputs = "X: numeric", .outputs = "Y: any, Z?: float",
     .attributes = classifier_attributes, .traits = QN_OP_PORTABLE, .infer = infer_classifier,
     .reference = classify},
    {ML("LinearRegressor"), .inputs = "X: numeric", .outputs = "Y: float",
     .attributes = regressor_attributes, .traits = QN_OP_PORTABLE, .infer = infer_regressor,
     .reference = regress},
    {ML("Normalizer"), .inputs = "X: numeric", .outputs = "Y: float",
     .attributes = normalizer_attributes, .traits = QN_OP_PORTABLE, .infer = infer_normalizer,
     .reference = normalize},
    {ML("Scaler"), .inputs = "X: numeric", .outputs = "Y: float", .attributes = scaler_attributes,
     .traits = QN_OP_PORTABLE, .infer = infer_scaler, .reference = scale_all},
    {0},
};
