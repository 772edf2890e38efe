/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CumSum and CumProd: each element becomes the sum (product) of those before it along an axis, with
 * `exclusive` without itself, with `reverse` of those behind it.
 */
#include "engine/ops/op.h"

static QnStatus infer_cumulate(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0), *axis = qn_infer_shape(in, 1);
    int64_t value;
    int ignored;
    if (axis && (axis->rank > 1 ||
                 (axis->rank == 1 && qn_dim_is_known(axis->dims[0]) && axis->dims[0] != 1)))
        return qn_infer_fail(in, "input 1 'axis' is no scalar");
    if (x && qn_infer_constants(in, 1, &value, 1) == 1)
        QN_TRY(qn_infer_axis_of(in, "axis", value, x->rank, &ignored));
    return qn_infer_unary(in);
}

/* A line as numbers of one kind. */
typedef struct Line {
    double *floats;
    int64_t *ints;
} Line;

static void fold_line(Line line, int64_t count, bool is_product, bool is_int, bool is_exclusive,
                      bool is_reverse)
{
    double sum = is_product;
    uint64_t sum_int = is_product;
    for (int64_t k = 0; k < count; k++) {
        const int64_t i = is_reverse ? count - 1 - k : k;
        if (is_int) {
            const uint64_t x = (uint64_t)line.ints[i];
            const uint64_t next = is_product ? sum_int * x : sum_int + x;
            line.ints[i] = (int64_t)(is_exclusive ? sum_int : next);
            sum_int = next;
        } else {
            const double next = is_product ? sum * line.floats[i] : sum + line.floats[i];
            line.floats[i] = is_exclusive ? sum : next;
            sum = next;
        }
    }
}

static QnStatus cumulate(const QnCall *call, bool is_product)
{
    const QnTensor *x = qn_call_input(call, 0), *axis = qn_call_input(call, 1);
    QnTensor *y = qn_call_result(call, 0);
    const int64_t given = qn_tensor_get_int(axis, 0);
    const QnBox box = qn_box(x, (int)(given < 0 ? given + x->rank : given));
    const bool is_int = qn_type_is_integer(x->type);
    const bool is_exclusive = qn_op_int(call->node, "exclusive") != 0;
    const bool is_reverse = qn_op_int(call->node, "reverse") != 0;
    Line line;
    QN_ALLOC(line.floats, call->scratch, box.length);
    QN_ALLOC(line.ints, call->scratch, box.length);
    for (int64_t i = 0; i < box.outer * box.inner; i++) {
        const int64_t first = i / box.inner * box.length * box.inner + i % box.inner;
        QN_TRY(qn_call_poll(call));
        if (is_int)
            qn_tensor_read_row_int(x, first, box.inner, box.length, line.ints);
        else
            qn_tensor_read_row(x, first, box.inner, box.length, line.floats);
        fold_line(line, box.length, is_product, is_int, is_exclusive, is_reverse);
        if (is_int)
            qn_tensor_write_row_int(y, first, box.inner, box.length, line.ints);
        else
            qn_tensor_write_row(y, first, box.inner, box.length, line.floats);
    }
    return QN_OK;
}

static QnStatus cum_sum(const QnCall *call)
{
    return cumulate(call, false);
}

static QnStatus cum_prod(const QnCall *call)
{
    return cumulate(call, true);
}

static const QnOpAttribute attributes[] = {
    {"exclusive", QN_ATTRIBUTE_INT}, {"reverse", QN_ATTRIBUTE_INT}, {0}};

#define ROW(op, since_, fn)                                                                        \
    {                                                                                              \
        .name = (op), .since = (since_), .inputs = "x: numeric, axis: integer", .outputs = "y: T", \
        .attributes = attributes, .infer = infer_cumulate, .reference = (fn)                       \
    }

const QnOp qn_ops_cumulate[] = {ROW("CumProd", 26, cum_prod), ROW("CumSum", 14, cum_sum), {0}};
