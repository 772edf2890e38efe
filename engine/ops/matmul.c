/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Matrix products.  MatMul:  Y[b, m, n] = sum over k of  A[b, m, k] * B[b, k, n]  with broadcast
 * batch dims; a 1-D operand is a row in front or a column behind, whose dimension goes away. Gemm:
 * Y = alpha * A' * B' + beta * C  with optional transposition and C broadcast to Y.
 */
#include "engine/ops/op.h"

#include "engine/ops/matrices.h"

static QnStatus infer_matmul(QnInfer *in)
{
    const QnShape *a = qn_infer_shape(in, 0), *b = qn_infer_shape(in, 1);
    const QnType element = qn_infer_element(in, 0);
    QnShape y;
    if (!a || !b)
        return qn_infer_unknown(in, 0, element, -1);
    QN_TRY(qn_matrices_infer(in, a, b, &y));
    return qn_infer_tensor(in, 0, element, &y);
}

static QnStatus infer_gemm(QnInfer *in)
{
    const QnShape *a = qn_infer_shape(in, 0), *b = qn_infer_shape(in, 1);
    const int from_a = qn_op_int(in->node, "transA") != 0,
              from_b = qn_op_int(in->node, "transB") != 0;
    QN_TRY(qn_infer_want_rank(in, 0, 2));
    QN_TRY(qn_infer_want_rank(in, 1, 2));
    QnShape y = {.rank = 2};
    if (a && b)
        QN_TRY(qn_matrices_want_equal(in, a->dims[1 - from_a], b->dims[from_b]));
    y.dims[0] = a ? a->dims[from_a] : qn_infer_fresh(in);
    y.dims[1] = b ? b->dims[1 - from_b] : qn_infer_fresh(in);
    const QnShape *c = qn_infer_shape(in, 2);
    if (c && c->rank > 2)
        return qn_infer_fail(in, "C has rank %d, expected 2 at most", c->rank);
    for (int d = 0; c && d < c->rank; d++) {
        const QnDim have = c->dims[d], want = y.dims[2 - c->rank + d];
        if (qn_dim_is_known(have) && qn_dim_is_known(want) && have != 1 && have != want)
            return qn_infer_fail(in, "C has size %lld, expected 1 or %lld", (long long)have,
                                 (long long)want);
    }
    return qn_infer_tensor(in, 0, qn_infer_element(in, 0), &y);
}

/* A strided matrix inside a contiguous tensor; element strides. */
typedef struct Matrix {
    const QnTensor *tensor;
    int64_t first, row_step, column_step;
} Matrix;

/* row[n] = sum over k of a[m, k] * b[k, n], in double: b is read a row at a time. */
static void product_row(const Matrix *a, const Matrix *b, int64_t m, int64_t inner, int64_t columns,
                        double *row, double *scratch)
{
    for (int64_t n = 0; n < columns; n++)
        row[n] = 0;
    for (int64_t k = 0; k < inner; k++) {
        const double left =
            qn_tensor_get(a->tensor, a->first + m * a->row_step + k * a->column_step);
        qn_tensor_read_row(b->tensor, b->first + k * b->row_step, b->column_step, columns, scratch);
        for (int64_t n = 0; n < columns; n++)
            row[n] += left * scratch[n];
    }
}

/* The same of integers, which wrap. */
static void product_row_int(const Matrix *a, const Matrix *b, int64_t m, int64_t inner,
                            int64_t columns, int64_t *row, int64_t *scratch)
{
    for (int64_t n = 0; n < columns; n++)
        row[n] = 0;
    for (int64_t k = 0; k < inner; k++) {
        const uint64_t left =
            (uint64_t)qn_tensor_get_int(a->tensor, a->first + m * a->row_step + k * a->column_step);
        qn_tensor_read_row_int(b->tensor, b->first + k * b->row_step, b->column_step, columns,
                               scratch);
        for (int64_t n = 0; n < columns; n++)
            row[n] = (int64_t)((uint64_t)row[n] + left * (uint64_t)scratch[n]);
    }
}

/* Rows in double, or in int64_t. */
typedef struct Rows {
    bool is_int;
    double *sum, *scratch;          /* [columns] */
    int64_t *int_sum, *int_scratch; /* [columns] */
} Rows;

static QnStatus make_rows(const QnCall *call, int64_t columns, bool is_int, Rows *rows)
{
    *rows = (Rows){.is_int = is_int};
    QN_ALLOC(rows->sum, call->scratch, columns);
    QN_ALLOC(rows->scratch, call->scratch, columns);
    QN_ALLOC(rows->int_sum, call->scratch, is_int ? columns : 0);
    QN_ALLOC(rows->int_scratch, call->scratch, is_int ? columns : 0);
    return QN_OK;
}

static void multiply_row(const Matrix *a, const Matrix *b, int64_t m, int64_t inner,
                         int64_t columns, const Rows *rows)
{
    if (rows->is_int)
        product_row_int(a, b, m, inner, columns, rows->int_sum, rows->int_scratch);
    else
        product_row(a, b, m, inner, columns, rows->sum, rows->scratch);
}

static void write_row(QnTensor *y, int64_t first, int64_t columns, const Rows *rows)
{
    if (rows->is_int)
        qn_tensor_write_row_int(y, first, 1, columns, rows->int_sum);
    else
        qn_tensor_write_row(y, first, 1, columns, rows->sum);
}

static QnStatus matmul(const QnCall *call)
{
    const QnTensor *a = qn_call_input(call, 0), *b = qn_call_input(call, 1);
    QnTensor *y = qn_call_result(call, 0);
    const int64_t rows = a->rank > 1 ? a->dims[a->rank - 2] : 1, inner = a->dims[a->rank - 1];
    const int64_t columns = b->rank > 1 ? b->dims[b->rank - 1] : 1;
    const int batch_rank = y->rank - (a->rank > 1) - (b->rank > 1);
    int64_t batches = 1;
    Rows room;
    if (inner != b->dims[b->rank > 1 ? b->rank - 2 : 0])
        return qn_call_fail(call, "the inner sizes are %lld and %lld, expected equal ones",
                            (long long)inner, (long long)b->dims[b->rank > 1 ? b->rank - 2 : 0]);
    QN_TRY(make_rows(call, columns, qn_type_is_integer(y->type), &room));
    for (int d = 0; d < batch_rank; d++)
        batches *= y->dims[d];
    for (int64_t i = 0; i < batches; i++) {
        const Matrix left = {a, qn_matrices_batch(a, i, y->dims, batch_rank), inner, 1};
        const Matrix right = {b, qn_matrices_batch(b, i, y->dims, batch_rank), columns, 1};
        for (int64_t m = 0; m < rows; m++) {
            QN_TRY(qn_call_poll(call));
            multiply_row(&left, &right, m, inner, columns, &room);
            write_row(y, (i * rows + m) * columns, columns, &room);
        }
    }
    return QN_OK;
}

/* Scales a row by alpha and adds beta * C[m, :], C being broadcast to two dims; integers have both
 * factors 1. */
static void finish_row(const QnTensor *c, double alpha, double beta, int64_t m, int64_t columns,
                       const Rows *rows)
{
    const int64_t width = c && c->rank > 0 ? c->dims[c->rank - 1] : 1;
    const int64_t height = c && c->rank > 1 ? c->dims[0] : 1;
    const int64_t first = height == 1 ? 0 : m * width, step = width == 1 ? 0 : 1;
    for (int64_t n = 0; n < columns && !rows->is_int; n++)
        rows->sum[n] *= alpha;
    if (c && rows->is_int) {
        qn_tensor_read_row_int(c, first, step, columns, rows->int_scratch);
        for (int64_t n = 0; n < columns; n++)
            rows->int_sum[n] =
                (int64_t)((uint64_t)rows->int_sum[n] + (uint64_t)rows->int_scratch[n]);
    } else if (c) {
        qn_tensor_read_row(c, first, step, columns, rows->scratch);
        for (int64_t n = 0; n < columns; n++)
            rows->sum[n] += beta * rows->scratch[n];
    }
}

static QnStatus gemm(const QnCall *call)
{
    const QnTensor *a = qn_call_input(call, 0), *b = qn_call_input(call, 1),
                   *c = qn_call_input(call, 2);
    QnTensor *y = qn_call_result(call, 0);
    const bool from_a = qn_op_int(call->node, "transA") != 0,
               from_b = qn_op_int(call->node, "transB") != 0;
    const double alpha = qn_op_float(call->node, "alpha"), beta = qn_op_float(call->node, "beta");
    const int64_t inner = a->dims[from_a ? 0 : 1], columns = y->dims[1];
    const Matrix left = {a, 0, from_a ? 1 : a->dims[1], from_a ? a->dims[1] : 1};
    const Matrix right = {b, 0, from_b ? 1 : b->dims[1], from_b ? b->dims[1] : 1};
    Rows room;
    if (inner != b->dims[from_b ? 1 : 0])
        return qn_call_fail(call, "the inner sizes are %lld and %lld, expected equal ones",
                            (long long)inner, (long long)b->dims[from_b ? 1 : 0]);
    QN_TRY(make_rows(call, columns, qn_type_is_integer(y->type) && alpha == 1 && (beta == 1 || !c),
                     &room));
    for (int64_t m = 0; m < y->dims[0]; m++) {
        QN_TRY(qn_call_poll(call));
        multiply_row(&left, &right, m, inner, columns, &room);
        finish_row(c, alpha, beta, m, columns, &room);
        write_row(y, m * columns, columns, &room);
    }
    return QN_OK;
}

static const QnOpAttribute gemm_attributes[] = {
    {"alpha", QN_ATTRIBUTE_FLOAT, .f = 1},
    {"beta", QN_ATTRIBUTE_FLOAT, .f = 1},
    {"transA", QN_ATTRIBUTE_INT},
    {"transB", QN_ATTRIBUTE_INT},
    {0},
};

const QnOp qn_ops_matmul[] = {
    {.name = "Gemm",
     .since = 13,
     .inputs = "A: numeric, B: numeric, C?: numeric",
     .outputs = "Y: numeric",
     .attributes = gemm_attributes,
     .infer = infer_gemm,
     .reference = gemm},
    {.name = "MatMul",
     .since = 13,
     .inputs = "A: numeric, B: numeric",
     .outputs = "Y: numeric",
     .infer = infer_matmul,
     .reference = matmul},
    {0},
};
