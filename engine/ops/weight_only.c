/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Products of real numbers with weights of few bits (few_bits.h):
 *
 *     Y[m, n] = sum over k of A[m, k] * w[k, n] + bias[n]
 *
 * A weight that was left out is zero.
 */
#include "engine/ops/few_bits.h"

enum { INPUTS = 6, BIAS = 5 };

/* Y is A with its last dimension replaced. */
static QnStatus infer_y(QnInfer *in, QnDim inner, QnDim columns)
{
    const QnShape *a = qn_infer_shape(in, 0);
    const QnType element = qn_infer_element(in, 0);
    if (!a)
        return qn_infer_unknown(in, 0, element, -1);
    if (a->rank < 1)
        return qn_infer_fail(in, "A has rank 0, expected 1 at least");
    const QnDim have = a->dims[a->rank - 1];
    if (qn_dim_is_known(have) && qn_dim_is_known(inner) && have != inner)
        return qn_infer_fail(in, "the inner sizes are %lld and %lld, expected equal ones",
                             (long long)have, (long long)inner);
    QnShape y = *a;
    y.dims[y.rank - 1] = columns;
    return qn_infer_tensor(in, 0, element, &y);
}

/* Fails where input i surely has not `wanted` elements;
 * none at all is fine where `may_be_empty`. */
static QnStatus want_count(QnInfer *in, int i, int64_t wanted, bool may_be_empty)
{
    const QnShape *shape = qn_infer_shape(in, i);
    if (!shape)
        return QN_OK;
    const QnDim count = qn_shape_product(in->dims, shape, 0, shape->rank);
    if (!qn_dim_is_known(count) || count == wanted || (may_be_empty && count == 0))
        return QN_OK;
    return qn_infer_fail(in, "input %d has %lld elements, expected %lld", i, (long long)count,
                         (long long)wanted);
}

static QnStatus infer(QnInfer *in)
{
    QnFewBits w;
    QN_TRY(qn_few_bits_read(&w, in->node, NULL, in->err));
    QN_TRY(want_count(in, 1, qn_few_bits_code_bytes(&w), !w.is_flat));
    QN_TRY(want_count(in, 2, qn_few_bits_scales(&w), !w.is_flat));
    QN_TRY(want_count(in, BIAS, w.columns, false));
    return infer_y(in, w.inner, w.columns);
}

/* The weight's shape is an input here. */
static QnStatus infer_fpq4(QnInfer *in)
{
    QnFewBits w;
    int64_t shape[2];
    if (qn_infer_constants(in, 2, shape, 2) != 2)
        return infer_y(in, qn_infer_fresh(in), qn_infer_fresh(in));
    QN_TRY(qn_few_bits_read(&w, in->node, shape, in->err));
    QN_TRY(want_count(in, 1, qn_few_bits_code_bytes(&w), false));
    return infer_y(in, w.inner, w.columns);
}

/* Column n of the result for all rows of A. */
static QnStatus multiply_column(const QnCall *call, const double *column, int64_t n, int64_t inner,
                                double bias, double *row)
{
    const QnTensor *a = qn_call_input(call, 0);
    QnTensor *y = qn_call_result(call, 0);
    const int64_t columns = y->dims[y->rank - 1], rows = columns ? qn_tensor_count(y) / columns : 0;
    for (int64_t m = 0; m < rows; m++) {
        double sum = bias;
        qn_tensor_read_row(a, m * inner, 1, inner, row);
        for (int64_t k = 0; k < inner; k++)
            sum += row[k] * column[k];
        qn_tensor_set(y, m * columns + n, sum);
    }
    return qn_call_poll(call);
}

static QnStatus multiply(const QnCall *call, QnFewBits *w, const QnTensor *bias)
{
    const QnTensor *inputs[INPUTS];
    double *column, *row;
    for (int i = 0; i < INPUTS; i++)
        inputs[i] = qn_call_input(call, i);
    QN_TRY(qn_few_bits_attach(w, inputs, call->input_count, call->err));
    QN_ALLOC(column, call->scratch, w->inner);
    QN_ALLOC(row, call->scratch, w->inner);
    for (int64_t n = 0; n < w->columns; n++) {
        if (w->codes && !qn_few_bits_column(w, n, column))
            return qn_call_fail(call, "g_idx names a block that is not there, expected 0 to %lld",
                                (long long)w->blocks - 1);
        QN_TRY(multiply_column(call, column, n, w->inner, bias ? qn_tensor_get(bias, n) : 0, row));
    }
    return QN_OK;
}

static QnStatus matmul(const QnCall *call)
{
    QnFewBits w;
    QN_TRY(qn_few_bits_read(&w, call->node, NULL, call->err));
    return multiply(call, &w, qn_call_input(call, BIAS));
}

static QnStatus matmul_fpq4(const QnCall *call)
{
    const QnTensor *shape = qn_call_input(call, 2);
    QnFewBits w;
    if (qn_tensor_count(shape) != 2)
        return qn_call_fail(call, "B_shape has %lld elements, expected 2",
                            (long long)qn_tensor_count(shape));
    const int64_t sizes[] = {qn_tensor_get_int(shape, 0), qn_tensor_get_int(shape, 1)};
    QN_TRY(qn_few_bits_read(&w, call->node, sizes, call->err));
    return multiply(call, &w, NULL);
}

static const QnOpAttribute nbits_attributes[] = {
    {"K", QN_ATTRIBUTE_INT, .is_required = true},
    {"N", QN_ATTRIBUTE_INT, .is_required = true},
    {"accuracy_level", QN_ATTRIBUTE_INT},
    {"bits", QN_ATTRIBUTE_INT, .i = 4},
    {"block_size", QN_ATTRIBUTE_INT, .is_required = true},
    {"weight_prepacked", QN_ATTRIBUTE_INT},
    {0},
};

static const QnOpAttribute bnb4_attributes[] = {
    {"K", QN_ATTRIBUTE_INT, .is_required = true},
    {"N", QN_ATTRIBUTE_INT, .is_required = true},
    {"block_size", QN_ATTRIBUTE_INT, .is_required = true},
    {"quant_type", QN_ATTRIBUTE_INT, .is_required = true},
    {"transB", QN_ATTRIBUTE_INT, .i = 1},
    {0},
};

static const QnOpAttribute fpq4_attributes[] = {{"blk_quant_type", QN_ATTRIBUTE_INT, .i = 1}, {0}};

const QnOp qn_ops_weight_only[] = {
    {.name = "MatMulBnb4",
     .domain = "com.microsoft",
     .since = 1,
     .inputs = "A: float, B: uint8, absmax: float",
     .outputs = "Y: float",
     .attributes = bnb4_attributes,
     .infer = infer,
     .reference = matmul},
    {.name = "MatMulFpQ4",
     .domain = "com.microsoft",
     .since = 1,
     .inputs = "A: float, B: uint8, B_shape: int64",
     .outputs = "Y: float",
     .attributes = fpq4_attributes,
     .infer = infer_fpq4,
     .reference = matmul_fpq4},
    {.name = "MatMulNBits",
     .domain = "com.microsoft",
     .since = 1,
     .inputs = "A: float, B: uint8, scales: float, zero_points?: numeric, g_idx?: int32, "
               "bias?: float",
     .outputs = "Y: float",
     .attributes = nbits_attributes,
     .infer = infer,
     .reference = matmul},
    {0},
};
