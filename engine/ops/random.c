/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random numbers, and Dropout, which needs them in training only.  With a seed the numbers are the
 * same in every run; without one they come from the generator of the run.
 */
#include <math.h>

#include "base/random.h"
#include "engine/ops/op.h"

/* ---- the generator ---- */

static QnRandom start(const QnCall *call)
{
    const QnAttribute *seed = qn_node_attribute(call->node, "seed");
    if (seed && (seed->kind == QN_ATTRIBUTE_FLOAT || seed->kind == QN_ATTRIBUTE_INT)) {
        const double value = seed->kind == QN_ATTRIBUTE_INT ? (double)seed->i : seed->f;
        uint64_t bits;
        memcpy(&bits, &value, sizeof bits);
        return qn_random(bits);
    }
    QnRandom random = {.seed = 0};
    memcpy(random.state, call->random, sizeof random.state);
    return random;
}

/* Leaves the generator of the run where this call has brought it. */
static void stop(const QnCall *call, const QnRandom *random)
{
    if (!qn_node_attribute(call->node, "seed"))
        memcpy(call->random, random->state, sizeof random->state);
}

/* ---- inference ---- */

static QnStatus check_dtype(const QnInfer *in, QnType otherwise, QnType *out)
{
    const int64_t dtype = qn_op_int(in->node, "dtype");
    *out = dtype == 0                           ? otherwise
           : dtype > 0 && dtype < QN_TYPE_COUNT ? (QnType)dtype
                                                : QN_UNDEFINED;
    if (dtype != 0 && (*out == QN_UNDEFINED || *out == QN_STRING))
        return qn_infer_fail(in, "dtype is %lld, expected a type of numbers", (long long)dtype);
    return QN_OK;
}

static QnStatus infer_shaped(QnInfer *in)
{
    const QnAttribute *list = qn_node_attribute(in->node, "shape");
    QnShape y = {0};
    QnType type;
    QN_TRY(check_dtype(in, QN_FLOAT, &type));
    if (!list || list->kind != QN_ATTRIBUTE_INTS || list->count > QN_MAX_RANK)
        return qn_infer_fail(in, "shape is no list of at most %d sizes", QN_MAX_RANK);
    for (y.rank = 0; y.rank < list->count; y.rank++) {
        if (list->ints[y.rank] < 0)
            return qn_infer_fail(in, "shape[%d] is %lld, expected 0 at least", y.rank,
                                 (long long)list->ints[y.rank]);
        y.dims[y.rank] = list->ints[y.rank];
    }
    return qn_infer_tensor(in, 0, type, &y);
}

static QnStatus infer_like(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    QnType type;
    QN_TRY(check_dtype(in, qn_infer_element(in, 0), &type));
    return x ? qn_infer_tensor(in, 0, type, x) : qn_infer_unknown(in, 0, type, -1);
}

/* ---- computing ---- */

enum { ROW = 256 };

static int64_t row_length(int64_t count, int64_t first)
{
    return count - first < ROW ? count - first : ROW;
}

static QnStatus normal(const QnCall *call)
{
    QnTensor *y = qn_call_result(call, 0);
    const double mean = qn_op_float(call->node, "mean"), scale = qn_op_float(call->node, "scale");
    const int64_t count = qn_tensor_count(y);
    QnRandom random = start(call);
    for (int64_t first = 0; first < count; first += ROW) {
        const int64_t length = row_length(count, first);
        double row[ROW];
        for (int64_t i = 0; i < length; i++)
            row[i] = mean + scale * qn_random_normal(&random);
        qn_tensor_write_row(y, first, 1, length, row);
    }
    stop(call, &random);
    return QN_OK;
}

static QnStatus uniform(const QnCall *call)
{
    QnTensor *y = qn_call_result(call, 0);
    const double low = qn_op_float(call->node, "low"), high = qn_op_float(call->node, "high");
    const int64_t count = qn_tensor_count(y);
    QnRandom random = start(call);
    for (int64_t first = 0; first < count; first += ROW) {
        const int64_t length = row_length(count, first);
        double row[ROW];
        for (int64_t i = 0; i < length; i++)
            row[i] = low + (high - low) * qn_random_f64(&random);
        qn_tensor_write_row(y, first, 1, length, row);
    }
    stop(call, &random);
    return QN_OK;
}

/* 1 with the probability that the input says. */
static QnStatus bernoulli(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0);
    QnTensor *y = qn_call_result(call, 0);
    const int64_t count = qn_tensor_count(x);
    QnRandom random = start(call);
    for (int64_t first = 0; first < count; first += ROW) {
        const int64_t length = row_length(count, first);
        double row[ROW];
        qn_tensor_read_row(x, first, 1, length, row);
        for (int64_t i = 0; i < length; i++)
            row[i] = qn_random_f64(&random) < row[i];
        qn_tensor_write_row(y, first, 1, length, row);
    }
    stop(call, &random);
    return QN_OK;
}

/* ---- Multinomial: draws from unnormalized logarithms of probabilities, per row ---- */

static QnStatus infer_multinomial(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    const int64_t samples = qn_op_int(in->node, "sample_size");
    const int64_t dtype = qn_op_int(in->node, "dtype");
    QN_TRY(qn_infer_want_rank(in, 0, 2));
    if (dtype != QN_INT32 && dtype != QN_INT64)
        return qn_infer_fail(in, "dtype is %lld, expected int32 or int64", (long long)dtype);
    if (samples < 1 || samples > INT32_MAX)
        return qn_infer_fail(in, "sample_size is %lld, expected 1 to %d", (long long)samples,
                             INT32_MAX);
    if (x && x->dims[1] == 0)
        return qn_infer_fail(in, "there are no classes to draw from");
    const QnShape y = {.rank = 2, .dims = {x ? x->dims[0] : qn_infer_fresh(in), samples}};
    return qn_infer_tensor(in, 0, (QnType)dtype, &y);
}

static QnStatus multinomial(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0);
    QnTensor *y = qn_call_result(call, 0);
    const int64_t classes = x->dims[1], samples = y->dims[1];
    QnRandom random = start(call);
    double *sums; /* of the probabilities up to each class */
    QN_ALLOC(sums, call->scratch, classes);
    for (int64_t n = 0; n < x->dims[0]; n++) {
        double max = -INFINITY, sum = 0;
        QN_TRY(qn_call_poll(call));
        qn_tensor_read_row(x, n * classes, 1, classes, sums);
        for (int64_t k = 0; k < classes; k++)
            max = fmax(max, sums[k]);
        for (int64_t k = 0; k < classes; k++)
            sums[k] = sum += exp(sums[k] - max);
        for (int64_t i = 0; i < samples; i++) {
            const double at = qn_random_f64(&random) * sum;
            int64_t k = 0;
            while (k < classes - 1 && sums[k] <= at)
                k++;
            qn_tensor_set_int(y, n * samples + i, k);
        }
    }
    stop(call, &random);
    return QN_OK;
}

/* ---- Dropout ---- */

/* The ratio and the mode are scalars; those of one element will do. */
static QnStatus check_single(const QnInfer *in, int i)
{
    const QnShape *shape = qn_infer_shape(in, i);
    for (int d = 0; shape && d < shape->rank; d++)
        if (qn_dim_is_known(shape->dims[d]) && shape->dims[d] != 1)
            return qn_infer_fail(in, "input %d is no single value", i);
    return QN_OK;
}

static QnStatus infer_dropout(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    for (int i = 1; i < in->input_count; i++)
        QN_TRY(check_single(in, i));
    QN_TRY(qn_infer_same(in));
    return x ? qn_infer_tensor(in, 1, QN_BOOL, x) : qn_infer_unknown(in, 1, QN_BOOL, -1);
}

/* Outside of training all stay. */
static void keep_all(const QnCall *call, const QnTensor *x, QnTensor *y)
{
    const int64_t count = qn_tensor_count(x);
    if (count && y->data != x->data)
        memcpy(y->data, x->data, (size_t)count * qn_type_size(x->type));
    if (count && qn_call_wants(call, 1))
        memset(qn_call_result(call, 1)->data, 1, (size_t)count);
}

/* In training elements go with the probability `ratio`, the others grow to make up for them. */
static QnStatus dropout(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0), *ratio = qn_call_input(call, 1),
                   *mode = qn_call_input(call, 2);
    QnTensor *y = qn_call_result(call, 0);
    const double rate = ratio && qn_tensor_count(ratio) ? qn_tensor_get(ratio, 0) : 0.5;
    const int64_t count = qn_tensor_count(x);
    if (!mode || !qn_tensor_count(mode) || !qn_tensor_get_int(mode, 0) || rate == 0) {
        keep_all(call, x, y);
        return QN_OK;
    }
    QnRandom random = start(call);
    for (int64_t first = 0; first < count; first += ROW) {
        const int64_t length = row_length(count, first);
        double row[ROW];
        int64_t stays[ROW];
        qn_tensor_read_row(x, first, 1, length, row);
        for (int64_t i = 0; i < length; i++) {
            stays[i] = qn_random_f64(&random) >= rate;
            row[i] = stays[i] ? row[i] / (1 - rate) : 0;
        }
        qn_tensor_write_row(y, first, 1, length, row);
        if (qn_call_wants(call, 1))
            qn_tensor_write_row_int(qn_call_result(call, 1), first, 1, length, stays);
    }
    stop(call, &random);
    return QN_OK;
}

#define SEED                       \
    {                              \
        "seed", QN_ATTRIBUTE_FLOAT \
    }
#define DTYPE(value)                            \
    {                                           \
        "dtype", QN_ATTRIBUTE_INT, .i = (value) \
    }
#define NORMAL  {"mean", QN_ATTRIBUTE_FLOAT}, {"scale", QN_ATTRIBUTE_FLOAT, .f = 1}, SEED
#define UNIFORM {"high", QN_ATTRIBUTE_FLOAT, .f = 1}, {"low", QN_ATTRIBUTE_FLOAT}, SEED
#define SHAPE                                           \
    {                                                   \
        "shape", QN_ATTRIBUTE_INTS, .is_required = true \
    }
static const QnOpAttribute normal_attributes[] = {DTYPE(QN_FLOAT), NORMAL, SHAPE, {0}};
static const QnOpAttribute normal_like_attributes[] = {DTYPE(0), NORMAL, {0}};
static const QnOpAttribute uniform_attributes[] = {DTYPE(QN_FLOAT), UNIFORM, SHAPE, {0}};
static const QnOpAttribute uniform_like_attributes[] = {DTYPE(0), UNIFORM, {0}};
static const QnOpAttribute bernoulli_attributes[] = {DTYPE(0), SEED, {0}};
static const QnOpAttribute multinomial_attributes[] = {
    DTYPE(QN_INT32), {"sample_size", QN_ATTRIBUTE_INT, .i = 1}, SEED, {0}};
static const QnOpAttribute dropout_attributes[] = {{"seed", QN_ATTRIBUTE_INT}, {0}};

#define ROW(op, since_, inputs_, outputs_, attributes_, infer_, reference_)                      \
    {                                                                                            \
        .name = (op), .since = (since_), .inputs = (inputs_), .outputs = (outputs_),             \
        .attributes = (attributes_), .traits = QN_OP_RANDOM | QN_OP_PORTABLE, .infer = (infer_), \
        .reference = (reference_)                                                                \
    }

const QnOp qn_ops_random[] = {
    ROW("Bernoulli", 22, "input: numeric", "output: numeric", bernoulli_attributes, infer_like,
        bernoulli),
    ROW("Dropout", 22, "data: float, ratio?: float, training_mode?: bool", "output: T, mask?: bool",
        dropout_attributes, infer_dropout, dropout),
    ROW("Multinomial", 22, "input: float", "output: integer", multinomial_attributes,
        infer_multinomial, multinomial),
    ROW("RandomNormal", 22, "", "output: float", normal_attributes, infer_shaped, normal),
    ROW("RandomNormalLike", 22, "input: any", "output: float", normal_like_attributes, infer_like,
        normal),
    ROW("RandomUniform", 22, "", "output: float", uniform_attributes, infer_shaped, uniform),
    ROW("RandomUniformLike", 22, "input: any", "output: float", uniform_like_attributes, infer_like,
        uniform),
    {0},
};
