/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Matrix products.  MatMul:  Y[b, m, n] = sum over k of  A[b, m, k] * B[b, k, n]  with broadcast
 * batch dims; a 1-D operand is a row in front or a column behind, whose dimension goes away. Gemm:
 * Y = alpha * A' * B' + beta * C  with optional transposition and C broadcast to Y.
 */
#include "engine/ops/op.h"

#include "base/checked.h"
#include "engine/ops/quantized.h"

/* Fails where two sizes that must be equal surely are not. */
static QnStatus want_equal(const QnInfer *in, QnDim a, QnDim b)
{
    if (qn_dim_is_known(a) && qn_dim_is_known(b) && a != b)
        return qn_infer_fail(in, "the inner sizes are %lld and %lld, expected equal ones",
                             (long long)a, (long long)b);
    return QN_OK;
}

/* The batch dims of a matrix operand. */
static QnShape batch_of(const QnShape *shape)
{
    QnShape batch = *shape;
    batch.rank = shape->rank > 2 ? shape->rank - 2 : 0;
    return batch;
}

/* The shape of a * b by NumPy's rules. */
static QnStatus product_shape(QnInfer *in, const QnShape *a, const QnShape *b, QnShape *y)
{
    if (a->rank < 1 || b->rank < 1)
        return qn_infer_fail(in, "the inputs have ranks %d and %d, expected 1 at least", a->rank,
                             b->rank);
    const QnShape batch_a = batch_of(a), batch_b = batch_of(b);
    QN_TRY(want_equal(in, a->dims[a->rank - 1], b->dims[b->rank > 1 ? b->rank - 2 : 0]));
    QN_TRY(qn_shape_broadcast(in->dims, y, &batch_a, &batch_b, in->err));
    if (y->rank + 2 > QN_MAX_RANK)
        return qn_infer_fail(in, "the result has over %d dimensions", QN_MAX_RANK);
    if (a->rank > 1)
        y->dims[y->rank++] = a->dims[a->rank - 2];
    if (b->rank > 1)
        y->dims[y->rank++] = b->dims[b->rank - 1];
    return QN_OK;
}

static QnStatus infer_matmul(QnInfer *in)
{
    const QnShape *a = qn_infer_shape(in, 0), *b = qn_infer_shape(in, 1);
    const QnType element = qn_infer_element(in, 0);
    QnShape y;
    if (!a || !b)
        return qn_infer_unknown(in, 0, element, -1);
    QN_TRY(product_shape(in, a, b, &y));
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
        QN_TRY(want_equal(in, a->dims[1 - from_a], b->dims[from_b]));
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

/* The same products of integers give int32. */
static QnStatus infer_integer(QnInfer *in)
{
    QN_TRY(infer_matmul(in));
    in->outputs[0].type.element = QN_INT32;
    return QN_OK;
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

typedef struct Rows {
    double *sum, *scratch; /* [columns] */
} Rows;

static QnStatus make_rows(const QnCall *call, int64_t columns, Rows *rows)
{
    QN_ALLOC(rows->sum, call->scratch, columns);
    QN_ALLOC(rows->scratch, call->scratch, columns);
    return QN_OK;
}

/* The element offset of batch `index` (over the dims of the result) in an operand whose batch dims
 * broadcast. */
static int64_t batch_offset(const QnTensor *x, int64_t index, const int64_t *dims, int rank)
{
    const int own = x->rank > 2 ? x->rank - 2 : 0;
    int64_t scale = 1, offset = 0;
    for (int d = x->rank - 1; d >= own; d--)
        scale *= x->dims[d];
    for (int d = rank - 1; d >= 0; d--) {
        const int64_t at = index % dims[d];
        const int from = d - (rank - own);
        index /= dims[d];
        if (from < 0)
            continue;
        offset += x->dims[from] == 1 ? 0 : at * scale;
        scale *= x->dims[from];
    }
    return offset;
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
    QN_TRY(make_rows(call, columns, &room));
    for (int d = 0; d < batch_rank; d++)
        batches *= y->dims[d];
    for (int64_t i = 0; i < batches; i++) {
        const Matrix left = {a, batch_offset(a, i, y->dims, batch_rank), inner, 1};
        const Matrix right = {b, batch_offset(b, i, y->dims, batch_rank), columns, 1};
        for (int64_t m = 0; m < rows; m++) {
            QN_TRY(qn_call_poll(call));
            product_row(&left, &right, m, inner, columns, room.sum, room.scratch);
            qn_tensor_write_row(y, (i * rows + m) * columns, 1, columns, room.sum);
        }
    }
    return QN_OK;
}

/* Adds beta * C[m, :], C being broadcast to two dims. */
static void add_c(const QnTensor *c, double beta, int64_t m, int64_t columns, double *row,
                  double *scratch)
{
    const int64_t width = c->rank > 0 ? c->dims[c->rank - 1] : 1;
    const int64_t height = c->rank > 1 ? c->dims[0] : 1;
    qn_tensor_read_row(c, height == 1 ? 0 : m * width, width == 1 ? 0 : 1, columns, scratch);
    for (int64_t n = 0; n < columns; n++)
        row[n] += beta * scratch[n];
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
    QN_TRY(make_rows(call, columns, &room));
    for (int64_t m = 0; m < y->dims[0]; m++) {
        QN_TRY(qn_call_poll(call));
        product_row(&left, &right, m, inner, columns, room.sum, room.scratch);
        for (int64_t n = 0; n < columns; n++)
            room.sum[n] *= alpha;
        if (c)
            add_c(c, beta, m, columns, room.sum, room.scratch);
        qn_tensor_write_row(y, m * columns, 1, columns, room.sum);
    }
    return QN_OK;
}

/* A zero point: one for the tensor, or one for each row of A (column of B). */
static int64_t zero_point(const QnTensor *zero, int64_t i)
{
    if (!zero)
        return 0;
    return qn_tensor_get_int(zero, qn_tensor_count(zero) == 1 ? 0 : i);
}

static QnStatus matmul_integer(const QnCall *call)
{
    const QnTensor *a = qn_call_input(call, 0), *b = qn_call_input(call, 1);
    const QnTensor *zero_a = qn_call_input(call, 2), *zero_b = qn_call_input(call, 3);
    QnTensor *y = qn_call_result(call, 0);
    const int64_t rows = a->rank > 1 ? a->dims[a->rank - 2] : 1, inner = a->dims[a->rank - 1];
    const int64_t columns = b->rank > 1 ? b->dims[b->rank - 1] : 1;
    const int batch_rank = y->rank - (a->rank > 1) - (b->rank > 1);
    const int64_t total = qn_tensor_count(y);
    for (int64_t i = 0; i < total; i++) {
        const int64_t n = i % columns, m = i / columns % rows, batch = i / columns / rows;
        const int64_t at_a = batch_offset(a, batch, y->dims, batch_rank) + m * inner;
        const int64_t at_b = batch_offset(b, batch, y->dims, batch_rank) + n;
        int64_t sum = 0;
        for (int64_t k = 0; k < inner; k++)
            sum += (qn_tensor_get_int(a, at_a + k) - zero_point(zero_a, m)) *
                   (qn_tensor_get_int(b, at_b + k * columns) - zero_point(zero_b, n));
        qn_tensor_set_int(y, i, sum);
        if (n == 0)
            QN_TRY(qn_call_poll(call));
    }
    return QN_OK;
}

/* ---- QLinearMatMul: a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero ---- */

static QnStatus infer_qlinear(QnInfer *in)
{
    const QnShape *a = qn_infer_shape(in, 0), *b = qn_infer_shape(in, 3);
    const QnType element = qn_infer_element(in, 7);
    QnShape y;
    if (!a || !b)
        return qn_infer_unknown(in, 0, element, -1);
    QN_TRY(product_shape(in, a, b, &y));
    return qn_infer_tensor(in, 0, element, &y);
}

/* A scale or zero point of a row of A (`rows`, index m) or a column of B, in a batch. */
static int64_t part_index(const QnTensor *part, int64_t batch, int64_t length, int64_t i)
{
    const int64_t count = qn_tensor_count(part);
    if (count == 1)
        return 0;
    return count == length ? i : (batch * length + i) % count;
}

static QnStatus check_parts(const QnCall *call, int first, int64_t length)
{
    for (int i = first; i < first + 2; i++) {
        const int64_t count = qn_tensor_count(qn_call_input(call, i));
        if (count == 0 || (count != 1 && length && count % length))
            return qn_call_fail(call, "input %d has %lld elements, expected 1 or %lld", i,
                                (long long)count, (long long)length);
    }
    return QN_OK;
}

static QnStatus qlinear_matmul(const QnCall *call)
{
    const QnTensor *a = qn_call_input(call, 0), *b = qn_call_input(call, 3);
    const QnTensor *a_scale = qn_call_input(call, 1), *a_zero = qn_call_input(call, 2);
    const QnTensor *b_scale = qn_call_input(call, 4), *b_zero = qn_call_input(call, 5);
    QnTensor *y = qn_call_result(call, 0);
    const int64_t rows = a->rank > 1 ? a->dims[a->rank - 2] : 1, inner = a->dims[a->rank - 1];
    const int64_t columns = b->rank > 1 ? b->dims[b->rank - 1] : 1;
    const int batch_rank = y->rank - (a->rank > 1) - (b->rank > 1);
    const int64_t total = qn_tensor_count(y);
    QN_TRY(qn_quantized_want_scalars(call, (const int[]){6, 7}, 2));
    QN_TRY(check_parts(call, 1, rows));
    QN_TRY(check_parts(call, 4, columns));
    const double y_scale = qn_tensor_get(qn_call_input(call, 6), 0);
    const double y_zero = qn_tensor_get(qn_call_input(call, 7), 0);
    for (int64_t i = 0; i < total; i++) {
        const int64_t n = i % columns, m = i / columns % rows, batch = i / columns / rows;
        const int64_t at_a = batch_offset(a, batch, y->dims, batch_rank) + m * inner;
        const int64_t at_b = batch_offset(b, batch, y->dims, batch_rank) + n;
        const double zero_a = qn_tensor_get(a_zero, part_index(a_zero, batch, rows, m));
        const double zero_b = qn_tensor_get(b_zero, part_index(b_zero, batch, columns, n));
        const double scale = qn_tensor_get(a_scale, part_index(a_scale, batch, rows, m)) *
                             qn_tensor_get(b_scale, part_index(b_scale, batch, columns, n));
        double sum = 0;
        for (int64_t k = 0; k < inner; k++)
            sum += (qn_tensor_get(a, at_a + k) - zero_a) *
                   (qn_tensor_get(b, at_b + k * columns) - zero_b);
        if (qn_type_is_float(y->type))
            qn_tensor_set(y, i, sum * scale / y_scale + y_zero);
        else
            qn_quantized_set(y, i, sum * scale / y_scale, (int64_t)y_zero);
        if (n == 0)
            QN_TRY(qn_call_poll(call));
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
    {.name = "MatMulInteger",
     .since = 10,
     .inputs = "A: integer, B: integer, a_zero_point?: integer, b_zero_point?: integer",
     .outputs = "Y: int32",
     .infer = infer_integer,
     .reference = matmul_integer},
    {.name = "QLinearMatMul",
     .since = 21,
     .inputs = "a: any, a_scale: float, a_zero_point: any, b: any, b_scale: float, "
               "b_zero_point: any, y_scale: float, y_zero_point: any",
     .outputs = "y: any",
     .infer = infer_qlinear,
     .reference = qlinear_matmul},
    {0},
};
