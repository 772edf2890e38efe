/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Softmax, its logarithm and its limit along one axis:  y[i] = exp(x[i] - max x) / sum_j exp(x[j] -
 * max x).  Subtracting the maximum keeps exp() in range; it cancels in the quotient.  Hardmax is 1
 * at the first maximum and 0 elsewhere.
 */
#include <math.h>

#include "engine/ops/op.h"

static QnStatus infer_softmax(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    int axis;
    /* A scalar counts as one row of one element. */
    if (x)
        QN_TRY(qn_infer_axis(in, x->rank > 0 ? x->rank : 1, &axis));
    return qn_infer_unary(in);
}

/* Computes one line of `count` numbers in place. */
typedef void LineFn(double *line, int64_t count);

static double largest(const double *line, int64_t count)
{
    double max = -INFINITY;
    for (int64_t i = 0; i < count; i++)
        max = isnan(line[i]) || line[i] > max ? line[i] : max;
    return max;
}

static void softmax_line(double *line, int64_t count)
{
    const double max = largest(line, count);
    double sum = 0;
    for (int64_t i = 0; i < count; i++)
        sum += line[i] = exp(line[i] - max);
    for (int64_t i = 0; i < count; i++)
        line[i] /= sum;
}

static void log_softmax_line(double *line, int64_t count)
{
    const double max = largest(line, count);
    double sum = 0;
    for (int64_t i = 0; i < count; i++)
        sum += exp(line[i] - max);
    for (int64_t i = 0; i < count; i++)
        line[i] = line[i] - max - log(sum);
}

static void hardmax_line(double *line, int64_t count)
{
    int64_t best = 0;
    for (int64_t i = 1; i < count; i++)
        best = line[i] > line[best] ? i : best;
    for (int64_t i = 0; i < count; i++)
        line[i] = i == best;
}

typedef struct Lines {
    LineFn *run;
    QnBox box;
} Lines;

/* Lines begin <= i < end; the room is a line. */
static QnStatus run_lines(const QnCall *call, const void *work, void *room, int64_t begin,
                          int64_t end)
{
    const Lines *lines = work;
    const QnBox box = lines->box;
    for (int64_t i = begin; i < end && box.length > 0; i++) {
        const int64_t first = i / box.inner * box.length * box.inner + i % box.inner;
        qn_tensor_read_row(qn_call_input(call, 0), first, box.inner, box.length, room);
        lines->run(room, box.length);
        qn_tensor_write_row(qn_call_result(call, 0), first, box.inner, box.length, room);
    }
    return QN_OK;
}

static QnStatus each_line(const QnCall *call, LineFn *run)
{
    const QnTensor *x = qn_call_input(call, 0);
    const int64_t axis = qn_op_int(call->node, "axis");
    const Lines lines = {run, qn_box(x, (int)(axis < 0 ? axis + x->rank : axis))};
    return qn_call_for(call, lines.box.outer * lines.box.inner, 10 * (double)lines.box.length,
                       (size_t)lines.box.length * sizeof(double), run_lines, &lines);
}

static QnStatus softmax(const QnCall *call)
{
    return each_line(call, softmax_line);
}

static QnStatus log_softmax(const QnCall *call)
{
    return each_line(call, log_softmax_line);
}

static QnStatus hardmax(const QnCall *call)
{
    return each_line(call, hardmax_line);
}

static const QnOpAttribute attributes[] = {{"axis", QN_ATTRIBUTE_INT, .i = -1}, {0}};

#define ROW(op, fn)                                                                              \
    .name = (op), .since = 13, .inputs = "input: float", .outputs = "output: T",                 \
    .attributes = attributes, .traits = QN_OP_IN_PLACE | QN_OP_PORTABLE, .infer = infer_softmax, \
    .reference = (fn)

const QnOp qn_ops_softmax[] = {
    {ROW("Hardmax", hardmax)},
    {ROW("LogSoftmax", log_softmax)},
    {ROW("Softmax", softmax)},
    {0},
};
