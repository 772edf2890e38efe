/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Losses of classifiers: NegativeLogLikelihoodLoss takes the negative score of each item's target
 * class, weighted by class; SoftmaxCrossEntropyLoss does so with log(softmax(scores)).  Items whose
 * target is ignore_index count nothing.  The mean divides by the sum of the weights that counted.
 */
#include <math.h>

#include "engine/ops/op.h"

/* ---- inference ---- */

static QnStatus check_shapes(const QnInfer *in, const QnShape *x)
{
    const QnShape *target = qn_infer_shape(in, 1), *weight = qn_infer_shape(in, 2);
    if (x->rank < 2)
        return qn_infer_fail(in, "input 0 has rank %d, expected 2 at least", x->rank);
    if (target && target->rank != x->rank - 1)
        return qn_infer_fail(in, "the target has rank %d, expected %d", target->rank, x->rank - 1);
    for (int d = 0; target && d < target->rank; d++) {
        const QnDim want = x->dims[d == 0 ? 0 : d + 1];
        if (qn_dim_is_known(target->dims[d]) && qn_dim_is_known(want) && target->dims[d] != want)
            return qn_infer_fail(in, "the target has size %lld, expected %lld",
                                 (long long)target->dims[d], (long long)want);
    }
    QN_TRY(qn_infer_want_rank(in, 2, 1));
    if (weight && qn_dim_is_known(weight->dims[0]) && qn_dim_is_known(x->dims[1]) &&
        weight->dims[0] != x->dims[1])
        return qn_infer_fail(in, "there are %lld weights, expected one per class: %lld",
                             (long long)weight->dims[0], (long long)x->dims[1]);
    return QN_OK;
}

static QnStatus infer_loss(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    const QnType element = qn_infer_element(in, 0);
    const bool is_none = qn_op_string_is(in->node, "reduction", "none");
    if (!is_none && !qn_op_string_is(in->node, "reduction", "mean") &&
        !qn_op_string_is(in->node, "reduction", "sum"))
        return qn_infer_fail(in, "reduction is not none, mean or sum");
    QN_TRY(qn_infer_output(in, 1, qn_infer_type(in, 0)));
    if (!x)
        return qn_infer_unknown(in, 0, element, is_none ? -1 : 0);
    QN_TRY(check_shapes(in, x));
    QnShape y = {0};
    for (int d = 0; is_none && d < x->rank; d++)
        if (d != 1)
            y.dims[y.rank++] = x->dims[d];
    return qn_infer_tensor(in, 0, element, &y);
}

/* ---- computing ---- */

typedef struct Loss {
    const QnTensor *x, *target, *weight;
    QnBox box; /* [batch, classes, rest] */
    int64_t ignored;
    bool ignores;
    bool takes_logarithm;     /* of the softmax */
    double *values, *weights; /* [items] what each loses, and weighs */
} Loss;

/* The scores of item i, and with a softmax their logarithms; a row of classes. */
static void read_item(const Loss *loss, int64_t i, double *row)
{
    const QnBox box = loss->box;
    double max = -INFINITY, sum = 0;
    qn_tensor_read_row(loss->x, i / box.inner * box.length * box.inner + i % box.inner, box.inner,
                       box.length, row);
    if (!loss->takes_logarithm)
        return;
    for (int64_t c = 0; c < box.length; c++)
        max = row[c] > max ? row[c] : max;
    for (int64_t c = 0; c < box.length; c++)
        sum += exp(row[c] - max);
    for (int64_t c = 0; c < box.length; c++)
        row[c] = row[c] - max - log(sum);
}

/* The loss of item i, and what it weighs. */
static QnStatus item_loss(const QnCall *call, const Loss *loss, int64_t i, const double *row,
                          double *value, double *weight)
{
    const int64_t class = qn_tensor_get_int(loss->target, i);
    *value = *weight = 0;
    if (loss->ignores && class == loss->ignored)
        return QN_OK;
    if (class < 0 || class >= loss->box.length)
        return qn_call_fail(call, "target %lld is class %lld, expected 0 to %lld", (long long)i,
                            (long long)class, (long long)loss->box.length - 1);
    *weight = loss->weight ? qn_tensor_get(loss->weight, class) : 1;
    *value = -row[class] * *weight;
    return QN_OK;
}

/* Items begin <= i < end; the room is a row of classes. */
static QnStatus run_items(const QnCall *call, const void *work, void *room, int64_t begin,
                          int64_t end)
{
    const Loss *loss = work;
    const QnBox box = loss->box;
    for (int64_t i = begin; i < end; i++) {
        read_item(loss, i, room);
        QN_TRY(item_loss(call, loss, i, room, &loss->values[i], &loss->weights[i]));
        if (qn_call_wants(call, 1))
            qn_tensor_write_row(qn_call_result(call, 1),
                                i / box.inner * box.length * box.inner + i % box.inner, box.inner,
                                box.length, room);
    }
    return QN_OK;
}

static QnStatus run(const QnCall *call, bool takes_logarithm)
{
    const bool is_mean = qn_op_string_is(call->node, "reduction", "mean");
    Loss loss = {.x = qn_call_input(call, 0),
                 .target = qn_call_input(call, 1),
                 .weight = qn_call_input(call, 2),
                 .ignored = qn_op_int(call->node, "ignore_index"),
                 .ignores = qn_node_attribute(call->node, "ignore_index") != NULL,
                 .takes_logarithm = takes_logarithm};
    loss.box = qn_box(loss.x, 1);
    const int64_t count = loss.box.outer * loss.box.inner;
    const double unit_ns = (takes_logarithm ? 12 : 2) * (double)loss.box.length + 20;
    double total = 0, weights = 0;
    QN_ALLOC(loss.values, call->scratch, count);
    QN_ALLOC(loss.weights, call->scratch, count);
    QN_TRY(qn_call_for(call, count, unit_ns, (size_t)loss.box.length * sizeof(double), run_items,
                       &loss));
    if (qn_op_string_is(call->node, "reduction", "none")) {
        qn_tensor_write_row(qn_call_result(call, 0), 0, 1, count, loss.values);
        return QN_OK;
    }
    for (int64_t i = 0; i < count; i++) {
        total += loss.values[i];
        weights += loss.weights[i];
    }
    qn_tensor_set(qn_call_result(call, 0), 0, is_mean ? total / weights : total);
    return QN_OK;
}

static QnStatus likelihood(const QnCall *call)
{
    return run(call, false);
}

static QnStatus cross_entropy(const QnCall *call)
{
    return run(call, true);
}

static const QnOpAttribute attributes[] = {
    {"ignore_index", QN_ATTRIBUTE_INT}, {"reduction", QN_ATTRIBUTE_STRING, .s = "mean"}, {0}};

const QnOp qn_ops_loss[] = {
    {.name = "NegativeLogLikelihoodLoss",
     .since = 22,
     .inputs = "input: float, target: integer, weight?: T",
     .outputs = "loss: T",
     .attributes = attributes,
     .traits = QN_OP_PORTABLE,
     .infer = infer_loss,
     .reference = likelihood},
    {.name = "SoftmaxCrossEntropyLoss",
     .since = 13,
     .inputs = "scores: float, labels: integer, weights?: T",
     .outputs = "output: T, log_prob?: T",
     .attributes = attributes,
     .traits = QN_OP_PORTABLE,
     .infer = infer_loss,
     .reference = cross_entropy},
    {0},
};
