/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Support vector machines of ai.onnx.ml.  A kernel K compares a row x with each support vector v:
 *
 *   LINEAR x v    POLY (gamma x v + coef0) ^ degree    SIGMOID tanh(gamma x v + coef0)
 *   RBF exp(-gamma |x - v|^2)                          kernel_params: gamma, coef0, degree
 *
 * A regressor is sum_v coefficient[v] K(x, v) + rho.  A classifier has a machine for each pair of
 * classes i < j, which the vectors of those two take part in, and which votes for i where it is
 * positive.  Without support vectors the coefficients are those of linear models, a row for each
 * class.
 */
#include <math.h>

#include "engine/ops/scores.h"

typedef enum Kernel { LINEAR, POLY, RBF, SIGMOID } Kernel;

typedef struct Svm {
    Kernel kernel;
    double gamma, coef0, degree;
    const float *vectors, *coefficients, *rho;
    int vector_numbers, coefficient_count, rho_count; /* entries of the lists */
    int64_t vector_count;                             /* 0: linear models */
} Svm;

static QnStatus read_svm(Svm *svm, const QnNode *node, QnError *err)
{
    static const char *const names[] = {"LINEAR", "POLY", "RBF", "SIGMOID"};
    int count, i = 0;
    const float *params = qn_floats_find(node, "kernel_params", &count);
    *svm = (Svm){0};
    while (i < (int)QN_COUNT_OF(names) && !qn_op_string_is(node, "kernel_type", names[i]))
        i++;
    if (i == (int)QN_COUNT_OF(names))
        return qn_fail(err, QN_BAD_MODEL, "kernel_type is none of ONNX's");
    if (count != 0 && count != 3)
        return qn_fail(err, QN_BAD_MODEL, "kernel_params has %d entries, expected 3", count);
    svm->kernel = (Kernel)i;
    if (params) {
        svm->gamma = (double)params[0];
        svm->coef0 = (double)params[1];
        svm->degree = (double)params[2];
    }
    svm->vectors = qn_floats_find(node, "support_vectors", &svm->vector_numbers);
    svm->coefficients = qn_floats_find(node, "coefficients", &svm->coefficient_count);
    svm->rho = qn_floats_find(node, "rho", &svm->rho_count);
    return QN_OK;
}

/* Are there `rows` rows in a list, and, where that is known, `columns` numbers in each? */
static QnStatus check_list(const char *name, int64_t count, int64_t rows, int64_t columns,
                           QnError *err)
{
    if (count % rows)
        return qn_fail(err, QN_BAD_MODEL, "%s has %lld entries, expected a multiple of %lld", name,
                       (long long)count, (long long)rows);
    if (columns >= 0 && count / rows != columns)
        return qn_fail(err, QN_BAD_MODEL,
                       "%s has %lld entries, expected %lld for each of %lld "
                       "features",
                       name, (long long)count, (long long)rows, (long long)columns);
    return QN_OK;
}

/* columns < 0: not known. */
static QnStatus check_numbers(const Svm *svm, int64_t machines, int64_t rhos, int64_t columns,
                              QnError *err)
{
    if (svm->rho_count < rhos)
        return qn_fail(err, QN_BAD_MODEL, "rho has %d entries, expected %lld", svm->rho_count,
                       (long long)rhos);
    if (!svm->vector_count)
        return check_list("coefficients", svm->coefficient_count, machines, columns, err);
    if (svm->coefficient_count != svm->vector_count * machines)
        return qn_fail(err, QN_BAD_MODEL, "coefficients has %d entries, expected %lld",
                       svm->coefficient_count, (long long)(svm->vector_count * machines));
    return check_list("support_vectors", svm->vector_numbers, svm->vector_count, columns, err);
}

static double compare(const Svm *svm, Kernel kernel, const double *x, const float *v,
                      int64_t columns)
{
    enum { LANES = 4 }; /* sums that do not wait for each other */
    double sums[LANES] = {0};
    for (int64_t i = 0; i < columns; i++) {
        const double off = x[i] - (double)v[i];
        sums[i % LANES] += kernel == RBF ? off * off : x[i] * (double)v[i];
    }
    const double sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    switch (kernel) {
    case POLY:
        return pow(svm->gamma * sum + svm->coef0, svm->degree);
    case RBF:
        return exp(-svm->gamma * sum);
    case SIGMOID:
        return tanh(svm->gamma * sum + svm->coef0);
    default:
        return sum;
    }
}

static void compare_all(const Svm *svm, const double *x, int64_t columns, double *kernels)
{
    for (int64_t v = 0; v < svm->vector_count; v++)
        kernels[v] = compare(svm, svm->kernel, x, svm->vectors + v * columns, columns);
}

/* ---- SVMRegressor ---- */

static QnStatus read_regressor(Svm *svm, const QnNode *node, int64_t columns, QnError *err)
{
    QN_TRY(read_svm(svm, node, err));
    svm->vector_count = qn_op_int(node, "n_supports");
    if (svm->vector_count < 0 || svm->vector_count > svm->coefficient_count)
        return qn_fail(err, QN_BAD_MODEL, "n_supports is %lld, expected 0 to the %d coefficients",
                       (long long)svm->vector_count, svm->coefficient_count);
    return check_numbers(svm, 1, 1, columns, err);
}

static QnStatus infer_regressor(QnInfer *in)
{
    QnDim rows, columns;
    Svm svm;
    if (!qn_infer_shape(in, 0))
        return qn_infer_unknown(in, 0, QN_FLOAT, 2);
    QN_TRY(qn_features_infer(in, &rows, &columns));
    QN_TRY(read_regressor(&svm, in->node, qn_dim_is_known(columns) ? columns : -1, in->err));
    return qn_infer_tensor(in, 0, QN_FLOAT, &(QnShape){.rank = 2, .dims = {rows, 1}});
}

static double regress_row(const Svm *svm, const double *x, int64_t columns, double *kernels)
{
    double sum = (double)svm->rho[0];
    if (!svm->vector_count)
        return sum + compare(svm, svm->kernel, x, svm->coefficients, columns);
    compare_all(svm, x, columns, kernels);
    for (int64_t v = 0; v < svm->vector_count; v++)
        sum += kernels[v] * (double)svm->coefficients[v];
    return sum;
}

typedef struct Regressor {
    Svm svm;
    bool is_one_class;
} Regressor;

static double row_cost(const Svm *svm, int64_t columns)
{
    return ((double)svm->vector_count + 1) * ((double)columns + 20);
}

/* Rows begin <= n < end; the room is one of features, then the kernels. */
static QnStatus regress_rows(const QnCall *call, const void *work, void *room, int64_t begin,
                             int64_t end)
{
    const Regressor *r = work;
    int64_t rows, columns;
    qn_features_count(qn_call_input(call, 0), &rows, &columns);
    double *x = room;
    for (int64_t n = begin; n < end; n++) {
        qn_tensor_read_row(qn_call_input(call, 0), n * columns, 1, columns, x);
        const double sum = regress_row(&r->svm, x, columns, x + columns);
        qn_tensor_set(qn_call_result(call, 0), n, !r->is_one_class ? sum : sum > 0 ? 1 : -1);
    }
    return QN_OK;
}

static QnStatus regress(const QnCall *call)
{
    Regressor r = {.is_one_class = qn_op_int(call->node, "one_class") != 0};
    int64_t rows, columns;
    qn_features_count(qn_call_input(call, 0), &rows, &columns);
    QN_TRY(read_regressor(&r.svm, call->node, columns, call->err));
    return qn_call_for(call, rows, row_cost(&r.svm, columns),
                       (size_t)(columns + r.svm.vector_count) * sizeof(double), regress_rows, &r);
}

/* ---- SVMClassifier ---- */

typedef struct Classifier {
    Svm svm;
    QnLabels labels;
    QnPost post;
    int64_t classes, pairs;
    const int64_t *members;       /* [classes] support vectors of each class */
    const float *prob_a, *prob_b; /* [pairs] of Platt's sigmoids; NULL: scores, no probabilities */
    bool has_prob;                /* prob_a is given, if only to linear models */
    bool is_positive;             /* no coefficient is negative */
} Classifier;

static QnStatus read_members(Classifier *c, const QnNode *node, QnError *err)
{
    int count;
    c->members = qn_ints_find(node, "vectors_per_class", &count);
    for (int i = 0; i < count; i++) {
        if (c->members[i] < 0 || c->members[i] > c->svm.vector_numbers - c->svm.vector_count)
            return qn_fail(err, QN_BAD_MODEL, "vectors_per_class[%d] is %lld, which do not exist",
                           i, (long long)c->members[i]);
        c->svm.vector_count += c->members[i];
    }
    if (c->svm.vector_count && count != c->labels.count)
        return qn_fail(err, QN_BAD_MODEL,
                       "vectors_per_class has %d entries, expected %d, one for "
                       "each label",
                       count, c->labels.count);
    return QN_OK;
}

static QnStatus read_probabilities(Classifier *c, const QnNode *node, QnError *err)
{
    int a, b;
    c->prob_a = qn_floats_find(node, "prob_a", &a);
    c->prob_b = qn_floats_find(node, "prob_b", &b);
    c->has_prob = a > 0;
    if (!c->svm.vector_count)
        c->prob_a = NULL;
    else if (a != b || (a != 0 && a != c->pairs))
        return qn_fail(err, QN_BAD_MODEL, "prob_a and prob_b have %d and %d entries, expected %lld",
                       a, b, (long long)c->pairs);
    return QN_OK;
}

static QnStatus read_classifier(Classifier *c, const QnNode *node, int64_t columns, QnError *err)
{
    *c = (Classifier){.labels = qn_labels_find(node, "classlabels_ints", "classlabels_strings"),
                      .is_positive = true};
    QN_TRY(read_svm(&c->svm, node, err));
    if (!qn_post_find(node, &c->post))
        return qn_fail(err, QN_BAD_MODEL, "post_transform is none of ONNX's");
    if (c->labels.count < 1)
        return qn_fail(err, QN_BAD_MODEL, "has no labels");
    QN_TRY(read_members(c, node, err));
    c->classes = c->labels.count;
    c->pairs = c->classes * (c->classes - 1) / 2;
    QN_TRY(read_probabilities(c, node, err));
    for (int i = 0; i < c->svm.coefficient_count; i++)
        c->is_positive = c->is_positive && c->svm.coefficients[i] >= 0;
    const bool has_vectors = c->svm.vector_count > 0;
    return check_numbers(&c->svm, has_vectors ? c->classes - 1 : c->classes,
                         has_vectors ? c->pairs : 1, columns, err);
}

/* Columns of scores: one for each machine, or class; the one machine of two classes has two. */
static int64_t score_count(const Classifier *c)
{
    const bool is_by_class = !c->svm.vector_count || c->prob_a || c->classes <= 2;
    return is_by_class ? c->classes : c->pairs;
}

static QnStatus infer_classifier(QnInfer *in)
{
    Classifier c;
    QnDim rows, columns;
    const QnType type = qn_node_attribute(in->node, "classlabels_strings") ? QN_STRING : QN_INT64;
    if (!qn_infer_shape(in, 0)) {
        QN_TRY(qn_infer_unknown(in, 1, QN_FLOAT, 2));
        return qn_infer_unknown(in, 0, type, 1);
    }
    QN_TRY(qn_features_infer(in, &rows, &columns));
    QN_TRY(read_classifier(&c, in->node, qn_dim_is_known(columns) ? columns : -1, in->err));
    QN_TRY(
        qn_infer_tensor(in, 1, QN_FLOAT, &(QnShape){.rank = 2, .dims = {rows, score_count(&c)}}));
    return qn_infer_tensor(in, 0, c.labels.strings ? QN_STRING : QN_INT64,
                           &(QnShape){.rank = 1, .dims = {rows}});
}

/* Memory for one row.  Probabilities are in single precision, as in ONNX Runtime: where one is
 * nearly 0 or 1, a probit shows the difference. */
typedef struct Row {
    double *x;            /* [columns] */
    double *kernels;      /* [vectors] */
    double *scores;       /* [pairs] or [classes], 2 at least */
    double *votes;        /* [classes] */
    float *odds;          /* [classes, classes] */
    float *coupling;      /* [classes, classes] */
    float *coupled;       /* [classes] */
    float *probabilities; /* [classes] */
} Row;

/* Lays a row out in memory; gives how many doubles it takes. */
static int64_t make_row(Row *row, const Classifier *c, int64_t columns, double *memory)
{
    const int64_t k = c->classes, square = c->prob_a ? k * k : 0;
    const int64_t sizes[] = {columns, c->svm.vector_count, (c->pairs > k ? c->pairs : k) + 1, k};
    double **const parts[] = {&row->x, &row->kernels, &row->scores, &row->votes};
    const int64_t single_sizes[] = {square, square, k, k};
    float **const singles[] = {&row->odds, &row->coupling, &row->coupled, &row->probabilities};
    int64_t at = 0;
    for (size_t i = 0; i < QN_COUNT_OF(parts); i++) {
        *parts[i] = memory ? memory + at : NULL;
        at += sizes[i];
    }
    for (size_t i = 0; i < QN_COUNT_OF(singles); i++) {
        *singles[i] = memory ? (float *)(memory + at) : NULL;
        at += (single_sizes[i] + 1) / 2;
    }
    return at;
}

/* The sum of a class's vectors, with the coefficients that stand in row `line` of the list. */
static double sum_class(const Svm *svm, const double *kernels, int64_t line, int64_t first,
                        int64_t count)
{
    const float *coefficients = svm->coefficients + line * svm->vector_count;
    double sum = 0;
    for (int64_t v = first; v < first + count; v++)
        sum += (double)coefficients[v] * kernels[v];
    return sum;
}

/* A vector of class i has a coefficient for each other class:
 * row j - 1 of those behind i, row j of those before. */
static void vote(const Classifier *c, const Row *row)
{
    int64_t pair = 0, first_i = 0;
    for (int64_t k = 0; k < c->classes; k++)
        row->votes[k] = 0;
    for (int64_t i = 0; i < c->classes; first_i += c->members[i++]) {
        int64_t first_j = first_i + c->members[i];
        for (int64_t j = i + 1; j < c->classes; first_j += c->members[j++], pair++) {
            const double sum = sum_class(&c->svm, row->kernels, j - 1, first_i, c->members[i]) +
                               sum_class(&c->svm, row->kernels, i, first_j, c->members[j]) +
                               (double)c->svm.rho[pair];
            row->scores[pair] = sum;
            row->votes[sum > 0 ? i : j]++;
        }
    }
}

/* Platt's probability that it is i rather than j. */
static void fill_odds(const Classifier *c, const Row *row)
{
    int64_t pair = 0;
    for (int64_t i = 0; i < c->classes; i++)
        for (int64_t j = i + 1; j < c->classes; j++, pair++) {
            const float x = (float)row->scores[pair] * c->prob_a[pair] + c->prob_b[pair];
            const float far = 1 / (1 + expf(-fabsf(x)));
            const float p = fminf(fmaxf(1 - (x < 0 ? 1 - far : far), 1e-7f), 1 - 1e-7f);
            row->odds[i * c->classes + j] = p;
            row->odds[j * c->classes + i] = 1 - p;
        }
}

/* One round over the classes; p Q p and Q p follow each change. */
static void couple_once(int64_t k, const float *q, float *p, float *qp, float pqp)
{
    for (int64_t t = 0; t < k; t++) {
        const float step = (pqp - qp[t]) / q[t * k + t];
        p[t] += step;
        pqp = (pqp + step * (step * q[t * k + t] + 2 * qp[t])) / (1 + step) / (1 + step);
        for (int64_t j = 0; j < k; j++) {
            qp[j] = (qp[j] + step * q[t * k + j]) / (1 + step);
            p[j] /= 1 + step;
        }
    }
}

/* Pairwise coupling: the probabilities p that minimize sum_ij (odds[j, i] p[i] - odds[i, j]
 * p[j])^2, by Wu, Lin and Weng's iteration, to within 0.005 / k. */
static void couple(const Classifier *c, const Row *row)
{
    const int64_t k = c->classes, rounds = k > 100 ? k : 100;
    float *q = row->coupling, *p = row->probabilities, *qp = row->coupled;
    for (int64_t t = 0; t < k; t++) {
        p[t] = 1 / (float)k;
        q[t * k + t] = 0;
        for (int64_t j = 0; j < k; j++)
            if (j != t) {
                q[t * k + t] += row->odds[j * k + t] * row->odds[j * k + t];
                q[t * k + j] = -row->odds[j * k + t] * row->odds[t * k + j];
            }
    }
    for (int64_t round = 0; round < rounds; round++) {
        float pqp = 0, worst = 0;
        for (int64_t t = 0; t < k; t++) {
            qp[t] = 0;
            for (int64_t j = 0; j < k; j++)
                qp[t] += q[t * k + j] * p[j];
            pqp += p[t] * qp[t];
        }
        for (int64_t t = 0; t < k; t++)
            worst = fmaxf(worst, fabsf(qp[t] - pqp));
        if (worst < 0.005f / (float)k)
            break;
        couple_once(k, q, p, qp, pqp);
    }
}

static int64_t largest(const double *values, int64_t count)
{
    int64_t best = 0;
    for (int64_t i = 1; i < count; i++)
        best = values[i] > values[best] ? i : best;
    return best;
}

/* The class with the largest score of linear models.  Of two classes it is the second as soon as
 * any score counts as a yes: ONNX Runtime decides so unless there are probabilities. */
static int64_t find_class(const Classifier *c, const double *scores)
{
    const int64_t best = largest(scores, c->classes);
    const bool is_yes = c->is_positive ? scores[best] >= 0.5 : scores[best] > 0;
    return c->classes == 2 && !c->has_prob && is_yes ? 1 : best;
}

/* The one machine's score of two classes becomes two. */
static void widen(const Classifier *c, double *scores)
{
    if (c->post != QN_POST_PROBIT) {
        qn_post_widen(c->post, c->post == QN_POST_NONE ? QN_BINARY_SIDES : QN_BINARY_PARTS, scores);
        return;
    }
    /* Its probit stands first; ONNX Runtime leaves open what follows. */
    qn_post_apply(c->post, scores, 1);
    scores[1] = 0;
}

/* The class of a row, which votes decide also where there are probabilities;
 * and its scores, transformed. */
static int64_t classify_row(const Classifier *c, const Row *row, int64_t columns)
{
    int64_t best;
    if (c->svm.vector_count) {
        compare_all(&c->svm, row->x, columns, row->kernels);
        vote(c, row);
        best = largest(row->votes, c->classes);
    } else {
        for (int64_t k = 0; k < c->classes; k++)
            row->scores[k] =
                compare(&c->svm, LINEAR, row->x, c->svm.coefficients + k * columns, columns) +
                (double)c->svm.rho[0];
        best = find_class(c, row->scores);
    }
    if (c->prob_a) {
        fill_odds(c, row);
        couple(c, row);
        for (int64_t k = 0; k < c->classes; k++)
            row->scores[k] = (double)row->probabilities[k];
    }
    if (c->svm.vector_count && !c->prob_a && c->classes == 2)
        widen(c, row->scores);
    else if (c->classes > 1 || c->post == QN_POST_PROBIT) /* the others need two scores */
        qn_post_apply(c->post, row->scores, score_count(c));
    return best;
}

/* Rows begin <= n < end; the room is laid out by make_row. */
static QnStatus classify_rows(const QnCall *call, const void *work, void *room, int64_t begin,
                              int64_t end)
{
    const Classifier *c = work;
    const int64_t scores = score_count(c);
    int64_t rows, columns;
    Row row;
    qn_features_count(qn_call_input(call, 0), &rows, &columns);
    make_row(&row, c, columns, room);
    for (int64_t n = begin; n < end; n++) {
        qn_tensor_read_row(qn_call_input(call, 0), n * columns, 1, columns, row.x);
        const int64_t best = classify_row(c, &row, columns);
        if (qn_call_wants(call, 0))
            qn_labels_write(&c->labels, (int)best, qn_call_result(call, 0), n);
        if (qn_call_wants(call, 1))
            qn_tensor_write_row(qn_call_result(call, 1), n * scores, 1, scores, row.scores);
    }
    return QN_OK;
}

static QnStatus classify(const QnCall *call)
{
    int64_t rows, columns;
    Classifier c;
    Row row;
    qn_features_count(qn_call_input(call, 0), &rows, &columns);
    QN_TRY(read_classifier(&c, call->node, columns, call->err));
    return qn_call_for(call, rows, row_cost(&c.svm, columns),
                       (size_t)make_row(&row, &c, columns, NULL) * sizeof(double), classify_rows,
                       &c);
}

#define COMMON                                                                              \
    {"coefficients", QN_ATTRIBUTE_FLOATS}, {"kernel_params", QN_ATTRIBUTE_FLOATS},          \
        {"kernel_type", QN_ATTRIBUTE_STRING, .s = "LINEAR"},                                \
        {"post_transform", QN_ATTRIBUTE_STRING, .s = "NONE"}, {"rho", QN_ATTRIBUTE_FLOATS}, \
    {                                                                                       \
        "support_vectors", QN_ATTRIBUTE_FLOATS                                              \
    }
static const QnOpAttribute regressor_attributes[] = {
    COMMON, {"n_supports", QN_ATTRIBUTE_INT}, {"one_class", QN_ATTRIBUTE_INT}, {0}};
static const QnOpAttribute classifier_attributes[] = {COMMON,
                                                      {"classlabels_ints", QN_ATTRIBUTE_INTS},
                                                      {"classlabels_strings", QN_ATTRIBUTE_STRINGS},
                                                      {"prob_a", QN_ATTRIBUTE_FLOATS},
                                                      {"prob_b", QN_ATTRIBUTE_FLOATS},
                                                      {"vectors_per_class", QN_ATTRIBUTE_INTS},
                                                      {0}};
#undef COMMON

const QnOp qn_ops_svm[] = {
    {.name = "SVMClassifier",
     .domain = "ai.onnx.ml",
     .since = 1,
     .inputs = "X: numeric",
     .outputs = "Y: any, Z?: float",
     .attributes = classifier_attributes,
     .traits = QN_OP_PORTABLE,
     .infer = infer_classifier,
     .reference = classify},
    {.name = "SVMRegressor",
     .domain = "ai.onnx.ml",
     .since = 1,
     .inputs = "X: numeric",
     .outputs = "Y: float",
     .attributes = regressor_attributes,
     .traits = QN_OP_PORTABLE,
     .infer = infer_regressor,
     .reference = regress},
    {0},
};
