/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Matrix products:
 *
 *     MatMul  Y[b, m, n] = sum over k of A[b, m, k] * B[b, k, n], with broadcast batch dims; a 1-D
 *             operand is a row in front or a column behind, whose dimension goes away
 *     Gemm    Y = alpha * A' * B' + beta * C, with optional transposition and C broadcast to Y
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

enum { BLOCK = 4 }; /* rows of the result that are made together, so that b is read once for them */

/* What all rows of a product share. */
typedef struct Product {
    Matrix a, b;        /* of one batch: `first` is added to */
    const QnTensor *c;  /* Gemm's, broadcast to two dims; or NULL */
    double alpha, beta; /* Gemm's; 1 of integers */
    int64_t rows, inner, columns;
    int64_t blocks; /* of rows, in each batch */
    int batch_rank;
    bool is_int; /* in int64_t, which wraps; else in double */
} Product;

/* Rows under construction and one of b: numbers of either kind. */
typedef struct Room {
    double *sums, *row;          /* [BLOCK, columns], [columns] */
    int64_t *int_sums, *int_row; /* the same memory */
} Room;

/* sums[r][n] = sum over k of a[m + r, k] * b[k, n]: b is read a row at a time. */
static void multiply(const Product *p, const Matrix *a, const Matrix *b, int64_t rows,
                     const Room *room)
{
    const int64_t columns = p->columns;
    double left[BLOCK];
    for (int64_t i = 0; i < rows * columns; i++)
        room->sums[i] = 0;
    for (int64_t k = 0; k < p->inner; k++) {
        qn_tensor_read_row(a->tensor, a->first + k * a->column_step, a->row_step, rows, left);
        qn_tensor_read_row(b->tensor, b->first + k * b->row_step, b->column_step, columns,
                           room->row);
        for (int64_t r = 0; r < rows; r++)
            for (int64_t n = 0; n < columns; n++)
                room->sums[r * columns + n] += left[r] * room->row[n];
    }
}

/* The same of integers. */
static void multiply_ints(const Product *p, const Matrix *a, const Matrix *b, int64_t rows,
                          const Room *room)
{
    const int64_t columns = p->columns;
    int64_t left[BLOCK];
    for (int64_t i = 0; i < rows * columns; i++)
        room->int_sums[i] = 0;
    for (int64_t k = 0; k < p->inner; k++) {
        qn_tensor_read_row_int(a->tensor, a->first + k * a->column_step, a->row_step, rows, left);
        qn_tensor_read_row_int(b->tensor, b->first + k * b->row_step, b->column_step, columns,
                               room->int_row);
        for (int64_t r = 0; r < rows; r++)
            for (int64_t n = 0; n < columns; n++)
                room->int_sums[r * columns + n] =
                    (int64_t)((uint64_t)room->int_sums[r * columns + n] +
                              (uint64_t)left[r] * (uint64_t)room->int_row[n]);
    }
}

/* Scales row m, which is `sums`, by alpha and adds beta * C[m, :]. */
static void add_c(const Product *p, int64_t m, double *sums, double *row)
{
    const QnTensor *c = p->c;
    const int64_t width = c && c->rank > 0 ? c->dims[c->rank - 1] : 1;
    const int64_t height = c && c->rank > 1 ? c->dims[0] : 1;
    for (int64_t n = 0; n < p->columns; n++)
        sums[n] *= p->alpha;
    if (!c)
        return;
    qn_tensor_read_row(c, height == 1 ? 0 : m * width, width == 1 ? 0 : 1, p->columns, row);
    for (int64_t n = 0; n < p->columns; n++)
        sums[n] += p->beta * row[n];
}

static void add_c_ints(const Product *p, int64_t m, int64_t *sums, int64_t *row)
{
    const QnTensor *c = p->c;
    const int64_t width = c && c->rank > 0 ? c->dims[c->rank - 1] : 1;
    const int64_t height = c && c->rank > 1 ? c->dims[0] : 1;
    if (!c)
        return;
    qn_tensor_read_row_int(c, height == 1 ? 0 : m * width, width == 1 ? 0 : 1, p->columns, row);
    for (int64_t n = 0; n < p->columns; n++)
        sums[n] = (int64_t)((uint64_t)sums[n] + (uint64_t)row[n]);
}

/* Blocks begin <= u < end of rows, of all batches; the room is a block and a row. */
static QnStatus multiply_blocks(const QnCall *call, const void *work, void *memory, int64_t begin,
                                int64_t end)
{
    const Product *p = work;
    QnTensor *y = qn_call_result(call, 0);
    const int64_t size = BLOCK * p->columns;
    const Room room = {memory, (double *)memory + size, memory, (int64_t *)memory + size};
    for (int64_t u = begin; u < end; u++) {
        const int64_t batch = u / p->blocks, m = u % p->blocks * BLOCK;
        const int64_t rows = p->rows - m < BLOCK ? p->rows - m : BLOCK;
        Matrix a = p->a, b = p->b;
        a.first += qn_matrices_batch(a.tensor, batch, y->dims, p->batch_rank) + m * a.row_step;
        b.first += qn_matrices_batch(b.tensor, batch, y->dims, p->batch_rank);
        const int64_t to = (batch * p->rows + m) * p->columns;
        (p->is_int ? multiply_ints : multiply)(p, &a, &b, rows, &room);
        for (int64_t r = 0; r < rows; r++) {
            if (p->is_int)
                add_c_ints(p, m + r, room.int_sums + r * p->columns, room.int_row);
            else
                add_c(p, m + r, room.sums + r * p->columns, room.row);
        }
        if (p->is_int)
            qn_tensor_write_row_int(y, to, 1, rows * p->columns, room.int_sums);
        else
            qn_tensor_write_row(y, to, 1, rows * p->columns, room.sums);
        QN_TRY(qn_call_poll(call));
    }
    return QN_OK;
}

static QnStatus run_product(const QnCall *call, Product *p, int64_t batches)
{
    p->blocks = (p->rows + BLOCK - 1) / BLOCK;
    if (qn_tensor_count(qn_call_result(call, 0)) == 0)
        return QN_OK;
    return qn_call_for(call, batches * p->blocks,
                       (double)(p->inner + 1) * (1.5 * BLOCK * (double)p->columns + 20),
                       (size_t)((BLOCK + 1) * p->columns) * sizeof(double), multiply_blocks, p);
}

static QnStatus matmul(const QnCall *call)
{
    const QnTensor *a = qn_call_input(call, 0), *b = qn_call_input(call, 1);
    const QnTensor *y = qn_call_result(call, 0);
    const int64_t inner = a->dims[a->rank - 1], columns = b->rank > 1 ? b->dims[b->rank - 1] : 1;
    int64_t batches = 1;
    if (inner != b->dims[b->rank > 1 ? b->rank - 2 : 0])
        return qn_call_fail(call, "the inner sizes are %lld and %lld, expected equal ones",
                            (long long)inner, (long long)b->dims[b->rank > 1 ? b->rank - 2 : 0]);
    Product p = {.a = {a, 0, inner, 1},
                 .b = {b, 0, columns, 1},
                 .alpha = 1,
                 .rows = a->rank > 1 ? a->dims[a->rank - 2] : 1,
                 .inner = inner,
                 .columns = columns,
                 .batch_rank = y->rank - (a->rank > 1) - (b->rank > 1),
                 .is_int = qn_type_is_integer(y->type)};
    for (int d = 0; d < p.batch_rank; d++)
        batches *= y->dims[d];
    return run_product(call, &p, batches);
}

static QnStatus gemm(const QnCall *call)
{
    const QnTensor *a = qn_call_input(call, 0), *b = qn_call_input(call, 1),
                   *c = qn_call_input(call, 2);
    const QnTensor *y = qn_call_result(call, 0);
    const bool from_a = qn_op_int(call->node, "transA") != 0,
               from_b = qn_op_int(call->node, "transB") != 0;
    Product p = {.a = {a, 0, from_a ? 1 : a->dims[1], from_a ? a->dims[1] : 1},
                 .b = {b, 0, from_b ? 1 : b->dims[1], from_b ? b->dims[1] : 1},
                 .c = c,
                 .alpha = qn_op_float(call->node, "alpha"),
                 .beta = qn_op_float(call->node, "beta"),
                 .rows = y->dims[0],
                 .inner = a->dims[from_a ? 0 : 1],
                 .columns = y->dims[1]};
    p.is_int = qn_type_is_integer(y->type) && p.alpha == 1 && (p.beta == 1 || !c);
    if (p.inner != b->dims[from_b ? 1 : 0])
        return qn_call_fail(call, "the inner sizes are %lld and %lld, expected equal ones",
                            (long long)p.inner, (long long)b->dims[from_b ? 1 : 0]);
    return run_product(call, &p, 1);
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
     .traits = QN_OP_PORTABLE,
     .infer = infer_gemm,
     .reference = gemm},
    {.name = "MatMul",
     .since = 13,
     .inputs = "A: numeric, B: numeric",
     .outputs = "Y: numeric",
     .traits = QN_OP_PORTABLE,
     .infer = infer_matmul,
     .reference = matmul},
    {0},
};
