/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Normalizations by a norm or over chosen axes, without learnt scales: LpNormalization (x / |x|_p
 * along an axis), LRN (x / (bias + alpha / size * sum of squares of near channels)^beta) and
 * MeanVarianceNormalization ((x - mean) / (deviation + 1e-9)).
 */
#include <math.h>

#include "engine/ops/op.h"

static QnStatus infer_lp(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    const int64_t p = qn_op_int(in->node, "p");
    int axis;
    if (p != 1 && p != 2)
        return qn_infer_fail(in, "p is %lld, expected 1 or 2", (long long)p);
    if (x)
        QN_TRY(qn_infer_axis(in, x->rank, &axis));
    return qn_infer_unary(in);
}

static QnStatus lp_normalize(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0);
    QnTensor *y = qn_call_result(call, 0);
    const int64_t axis = qn_op_int(call->node, "axis");
    const bool is_l1 = qn_op_int(call->node, "p") == 1;
    const QnBox box = qn_box(x, (int)(axis < 0 ? axis + x->rank : axis));
    double *row;
    QN_ALLOC(row, call->scratch, box.length);
    for (int64_t i = 0; i < box.outer * box.inner; i++) {
        const int64_t first = i / box.inner * box.length * box.inner + i % box.inner;
        double norm = 0;
        QN_TRY(qn_call_poll(call));
        qn_tensor_read_row(x, first, box.inner, box.length, row);
        for (int64_t k = 0; k < box.length; k++)
            norm += is_l1 ? fabs(row[k]) : row[k] * row[k];
        norm = is_l1 ? norm : sqrt(norm);
        for (int64_t k = 0; k < box.length; k++)
            row[k] = norm == 0 ? 0 : row[k] / norm; /* zeros stay zeros */
        qn_tensor_write_row(y, first, box.inner, box.length, row);
    }
    return QN_OK;
}

static QnStatus infer_lrn(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    const int64_t size = qn_op_int(in->node, "size");
    if (size < 1)
        return qn_infer_fail(in, "size is %lld, expected 1 at least", (long long)size);
    if (x && x->rank < 2)
        return qn_infer_fail(in, "input 0 has rank %d, expected 2 at least", x->rank);
    return qn_infer_unary(in);
}

/* The window of channel c reaches floor((size - 1) / 2) down and ceil((size - 1) / 2) up. */
static QnStatus lrn(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0);
    QnTensor *y = qn_call_result(call, 0);
    const int64_t size = qn_op_int(call->node, "size");
    const double alpha = qn_op_float(call->node, "alpha") / (double)size;
    const double beta = qn_op_float(call->node, "beta"), bias = qn_op_float(call->node, "bias");
    const QnBox box = qn_box(x, 1);
    double *row;
    QN_ALLOC(row, call->scratch, box.length);
    for (int64_t i = 0; i < box.outer * box.inner; i++) {
        const int64_t first = i / box.inner * box.length * box.inner + i % box.inner;
        QN_TRY(qn_call_poll(call));
        qn_tensor_read_row(x, first, box.inner, box.length, row);
        for (int64_t c = 0; c < box.length; c++) {
            const int64_t down = (size - 1) / 2, up = size - 1 - down;
            double sum = 0;
            for (int64_t k = c > down ? c - down : 0; k < box.length && k - c <= up; k++)
                sum += row[k] * row[k];
            qn_tensor_set(y, first + c * box.inner, row[c] / pow(bias + alpha * sum, beta));
        }
    }
    return QN_OK;
}

/* Marks the axes of MeanVarianceNormalization among `rank`; -1 or the first that is out of range.
 */
static int mark_axes(const QnNode *node, int rank, bool *is_marked, int64_t *bad)
{
    static const int64_t usual[] = {0, 2, 3};
    const QnAttribute *list = qn_node_attribute(node, "axes");
    const bool is_given = list && list->kind == QN_ATTRIBUTE_INTS;
    const int count = is_given ? list->count : (int)QN_COUNT_OF(usual);
    for (int i = 0; i < count; i++) {
        const int64_t axis = is_given ? list->ints[i] : usual[i];
        *bad = axis;
        if (axis < -rank || axis >= rank)
            return i;
        is_marked[axis < 0 ? axis + rank : axis] = true;
    }
    return -1;
}

static QnStatus infer_mean_variance(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    bool is_marked[QN_MAX_RANK] = {false};
    int64_t bad = 0;
    if (x && mark_axes(in->node, x->rank, is_marked, &bad) >= 0)
        return qn_infer_fail(in, "axes names dimension %lld, expected %d to %d", (long long)bad,
                             -x->rank, x->rank - 1);
    return qn_infer_unary(in);
}

/* Sums over all axes marked go to the place of the others: `key` of an element. */
static int64_t key_of(const QnTensor *x, const bool *is_marked, int64_t i)
{
    int64_t key = 0, scale = 1;
    for (int d = x->rank - 1; d >= 0; d--) {
        const int64_t c = i % x->dims[d];
        i /= x->dims[d];
        if (is_marked[d])
            continue;
        key += c * scale;
        scale *= x->dims[d];
    }
    return key;
}

static QnStatus mean_variance(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0);
    QnTensor *y = qn_call_result(call, 0);
    const int64_t count = qn_tensor_count(x);
    bool is_marked[QN_MAX_RANK] = {false};
    int64_t bad, keys = 1, shared = 1;
    double *mean, *square;
    mark_axes(call->node, x->rank, is_marked, &bad);
    for (int d = 0; d < x->rank; d++)
        *(is_marked[d] ? &shared : &keys) *= x->dims[d];
    QN_ALLOC(mean, call->scratch, keys);
    QN_ALLOC(square, call->scratch, keys);
    for (int64_t i = 0; i < count; i++)
        mean[key_of(x, is_marked, i)] += qn_tensor_get(x, i) / (double)shared;
    for (int64_t i = 0; i < count; i++) {
        const int64_t key = key_of(x, is_marked, i);
        const double away = qn_tensor_get(x, i) - mean[key];
        square[key] += away * away / (double)shared;
    }
    QN_TRY(qn_call_poll(call));
    for (int64_t i = 0; i < count; i++) {
        const int64_t key = key_of(x, is_marked, i);
        qn_tensor_set(y, i, (qn_tensor_get(x, i) - mean[key]) / (sqrt(square[key]) + 1e-9));
    }
    return QN_OK;
}

static const QnOpAttribute lp_attributes[] = {
    {"axis", QN_ATTRIBUTE_INT, .i = -1}, {"p", QN_ATTRIBUTE_INT, .i = 2}, {0}};
static const QnOpAttribute lrn_attributes[] = {
    {"alpha", QN_ATTRIBUTE_FLOAT, .f = 9.9999997473787516355514526367188e-05},
    {"beta", QN_ATTRIBUTE_FLOAT, .f = 0.75},
    {"bias", QN_ATTRIBUTE_FLOAT, .f = 1},
    {"size", QN_ATTRIBUTE_INT, .is_required = true},
    {0}};
static const QnOpAttribute mean_variance_attributes[] = {{"axes", QN_ATTRIBUTE_INTS}, {0}};

const QnOp qn_ops_norm[] = {
    {.name = "LRN",
     .since = 13,
     .inputs = "X: float",
     .outputs = "Y: T",
     .attributes = lrn_attributes,
     .infer = infer_lrn,
     .reference = lrn},
    {.name = "LpNormalization",
     .since = 22,
     .inputs = "input: float",
     .outputs = "output: T",
     .attributes = lp_attributes,
     .infer = infer_lp,
     .reference = lp_normalize},
    {.name = "MeanVarianceNormalization",
     .since = 13,
     .inputs = "X: float",
     .outputs = "Y: T",
     .attributes = mean_variance_attributes,
     .infer = infer_mean_variance,
     .reference = mean_variance},
    {0},
};
