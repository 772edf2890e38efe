/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Products of matrices of quantized numbers.  With s = sum over k of (A[m, k] - a_zero[m]) *
 * (B[k, n] - b_zero[n]):
 *
 *   MatMulInteger   Y = s, in 32 bits
 *   QLinearMatMul   Y = clamp(round(s * (a_scale * b_scale / y_scale)) + y_zero)
 *   QGemm           the same of s + C with transposes and a factor alpha; or real numbers
 *
 * Scales and zero points are one number, one for each row of A or column of B, or one for each of
 * these in every matrix of a batch.  The factor of a sum is a float, and so is what it gives.
 */
#include "engine/ops/matrices.h"
#include "engine/ops/quantized.h"

/* An operand: a matrix in a tensor, by element steps, and what its integers stand for. */
typedef struct Operand {
    const QnTensor *values, *scale, *zero; /* scale, zero: NULL: 1 and 0 */
    int64_t first, step, k_step;           /* of its rows (columns of B) and of k */
    int64_t length;                        /* rows or columns */
    int64_t batch;                         /* the number of the matrix at work */
} Operand;

/* A scale's or zero point's place for row or column i. */
static int64_t part_index(const QnTensor *part, const Operand *x, int64_t i)
{
    const int64_t count = qn_tensor_count(part);
    if (count == 1)
        return 0;
    return count == x->length ? i : (x->batch * x->length + i) % count;
}

static double zero_of(const Operand *x, int64_t i)
{
    return x->zero ? qn_tensor_get(x->zero, part_index(x->zero, x, i)) : 0;
}

static float scale_of(const Operand *x, int64_t i)
{
    return x->scale ? (float)qn_tensor_get(x->scale, part_index(x->scale, x, i)) : 1;
}

/* Exact, of integers of 8 and 16 bits. */
static double sum_of(const Operand *a, const Operand *b, int64_t m, int64_t n, int64_t inner)
{
    const double a_zero = zero_of(a, m), b_zero = zero_of(b, n);
    double sum = 0;
    for (int64_t k = 0; k < inner; k++)
        sum += (qn_tensor_get(a->values, a->first + m * a->step + k * a->k_step) - a_zero) *
               (qn_tensor_get(b->values, b->first + n * b->step + k * b->k_step) - b_zero);
    return sum;
}

/* Fails unless a part has one element, or one for each row or column, once or for each matrix. */
static QnStatus check_part(const QnCall *call, const QnTensor *part, int64_t length)
{
    const int64_t count = part ? qn_tensor_count(part) : 1;
    if (count == 0 || (count != 1 && length && count % length))
        return qn_call_fail(call, "a scale or zero point has %lld elements, expected 1 or %lld",
                            (long long)count, (long long)length);
    return QN_OK;
}

static QnStatus check_operand(const QnCall *call, const Operand *x)
{
    QN_TRY(check_part(call, x->scale, x->length));
    return check_part(call, x->zero, x->length);
}

/* What is done with the sum at row m, column n, which is element i of the result. */
typedef void StoreFn(const QnCall *call, const Operand *a, const Operand *b, int64_t i, int64_t m,
                     int64_t n, double sum);

/* Stacks of matrices by NumPy's rules; values, scales and zero points are set. */
static QnStatus multiply(const QnCall *call, Operand *a, Operand *b, StoreFn *store)
{
    const QnTensor *left = a->values, *right = b->values, *y = qn_call_result(call, 0);
    const int64_t inner = left->dims[left->rank - 1], total = qn_tensor_count(y);
    const int batch_rank = y->rank - (left->rank > 1) - (right->rank > 1);
    a->length = left->rank > 1 ? left->dims[left->rank - 2] : 1;
    b->length = right->rank > 1 ? right->dims[right->rank - 1] : 1;
    a->step = inner;
    a->k_step = b->step = 1;
    b->k_step = b->length;
    QN_TRY(check_operand(call, a));
    QN_TRY(check_operand(call, b));
    for (int64_t i = 0; i < total; i++) {
        const int64_t n = i % b->length, m = i / b->length % a->length;
        if (n == 0)
            QN_TRY(qn_call_poll(call));
        a->batch = b->batch = i / b->length / a->length;
        a->first = qn_matrices_batch(left, a->batch, y->dims, batch_rank);
        b->first = qn_matrices_batch(right, b->batch, y->dims, batch_rank);
        store(call, a, b, i, m, n, sum_of(a, b, m, n, inner));
    }
    return QN_OK;
}

/* ---- MatMulInteger: A, B, a_zero?, b_zero? ---- */

static QnStatus infer_product(QnInfer *in, int b_input, QnType element)
{
    const QnShape *a = qn_infer_shape(in, 0), *b = qn_infer_shape(in, b_input);
    QnShape y;
    if (!a || !b)
        return qn_infer_unknown(in, 0, element, -1);
    QN_TRY(qn_matrices_infer(in, a, b, &y));
    return qn_infer_tensor(in, 0, element, &y);
}

static QnStatus infer_integer(QnInfer *in)
{
    return infer_product(in, 1, QN_INT32);
}

static void store_int(const QnCall *call, const Operand *a, const Operand *b, int64_t i, int64_t m,
                      int64_t n, double sum)
{
    (void)a, (void)b, (void)m, (void)n;
    qn_tensor_set_int(qn_call_result(call, 0), i, (int64_t)sum);
}

static QnStatus matmul_integer(const QnCall *call)
{
    Operand a = {.values = qn_call_input(call, 0), .zero = qn_call_input(call, 2)};
    Operand b = {.values = qn_call_input(call, 1), .zero = qn_call_input(call, 3)};
    return multiply(call, &a, &b, store_int);
}

/* ---- QLinearMatMul: a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero ---- */

static QnStatus infer_qlinear(QnInfer *in)
{
    return infer_product(in, 3, qn_infer_element(in, 7));
}

static void store_qlinear(const QnCall *call, const Operand *a, const Operand *b, int64_t i,
                          int64_t m, int64_t n, double sum)
{
    const QnTensor *y_zero = qn_call_input(call, 7);
    const float y_scale = (float)qn_tensor_get(qn_call_input(call, 6), 0);
    const float scaled = (float)sum * (scale_of(a, m) * scale_of(b, n) / y_scale);
    QnTensor *y = qn_call_result(call, 0);
    if (qn_type_is_float(y->type))
        qn_tensor_set(y, i, (double)scaled + qn_tensor_get(y_zero, 0));
    else
        qn_quantized_set(y, i, (double)scaled, qn_tensor_get_int(y_zero, 0));
}

static QnStatus qlinear_matmul(const QnCall *call)
{
    Operand a = {qn_call_input(call, 0), qn_call_input(call, 1), qn_call_input(call, 2)};
    Operand b = {qn_call_input(call, 3), qn_call_input(call, 4), qn_call_input(call, 5)};
    QN_TRY(qn_quantized_want_scalars(call, (const int[]){6, 7}, 2));
    return multiply(call, &a, &b, store_qlinear);
}

/* ---- QGemm: A, a_scale, a_zero, B, b_scale, b_zero, C?, y_scale?, y_zero? ---- */

/* C is broadcast to the result's two dims. */
static QnStatus check_c(QnInfer *in, const QnShape *y)
{
    const QnShape *c = qn_infer_shape(in, 6);
    if (c && c->rank > 2)
        return qn_infer_fail(in, "C has rank %d, expected 2 at most", c->rank);
    for (int d = 0; c && d < c->rank; d++) {
        const QnDim have = c->dims[d], want = y->dims[2 - c->rank + d];
        if (qn_dim_is_known(have) && qn_dim_is_known(want) && have != 1 && have != want)
            return qn_infer_fail(in, "C has size %lld, expected 1 or %lld", (long long)have,
                                 (long long)want);
    }
    return QN_OK;
}

static QnStatus infer_gemm(QnInfer *in)
{
    const QnShape *a = qn_infer_shape(in, 0), *b = qn_infer_shape(in, 3);
    const int from_a = qn_op_int(in->node, "transA") != 0,
              from_b = qn_op_int(in->node, "transB") != 0;
    QnShape y = {.rank = 2};
    QN_TRY(qn_infer_want_rank(in, 0, 2));
    QN_TRY(qn_infer_want_rank(in, 3, 2));
    if (a && b)
        QN_TRY(qn_matrices_want_equal(in, a->dims[1 - from_a], b->dims[from_b]));
    y.dims[0] = a ? a->dims[from_a] : qn_infer_fresh(in);
    y.dims[1] = b ? b->dims[1 - from_b] : qn_infer_fresh(in);
    QN_TRY(check_c(in, &y));
    const bool is_real = !qn_infer_has(in, 7);
    QnType element = is_real ? QN_FLOAT : qn_infer_element(in, 0);
    if (!is_real && qn_infer_has(in, 8))
        element = qn_infer_element(in, 8);
    return qn_infer_tensor(in, 0, element, &y);
}

/* C[m, n], C being broadcast to two dims; 0 where there is none. */
static double c_at(const QnTensor *c, int64_t m, int64_t n)
{
    if (!c)
        return 0;
    const int64_t width = c->rank > 0 ? c->dims[c->rank - 1] : 1;
    const int64_t height = c->rank > 1 ? c->dims[0] : 1;
    return qn_tensor_get(c, (height == 1 ? 0 : m * width) + (width == 1 ? 0 : n));
}

static QnStatus qgemm(const QnCall *call)
{
    const bool from_a = qn_op_int(call->node, "transA") != 0,
               from_b = qn_op_int(call->node, "transB") != 0;
    const float alpha = (float)qn_op_float(call->node, "alpha");
    const QnTensor *c = qn_call_input(call, 6), *y_scale = qn_call_input(call, 7),
                   *y_zero = qn_call_input(call, 8);
    QnTensor *y = qn_call_result(call, 0);
    Operand a = {qn_call_input(call, 0), qn_call_input(call, 1), qn_call_input(call, 2)};
    Operand b = {qn_call_input(call, 3), qn_call_input(call, 4), qn_call_input(call, 5)};
    const int64_t inner = a.values->dims[from_a ? 0 : 1];
    a.length = y->dims[0];
    a.step = from_a ? 1 : inner;
    a.k_step = from_a ? a.length : 1;
    b.length = y->dims[1];
    b.step = from_b ? inner : 1;
    b.k_step = from_b ? 1 : b.length;
    QN_TRY(check_operand(call, &a));
    QN_TRY(check_operand(call, &b));
    if (y_scale)
        QN_TRY(qn_quantized_want_scalars(call, (const int[]){7, 8}, y_zero ? 2 : 1));
    for (int64_t m = 0; m < a.length; m++) {
        QN_TRY(qn_call_poll(call));
        for (int64_t n = 0; n < b.length; n++) {
            const float sum = (float)(sum_of(&a, &b, m, n, inner) + c_at(c, m, n));
            const float factor = alpha * scale_of(&a, m) * scale_of(&b, n);
            if (!y_scale)
                qn_tensor_set(y, m * b.length + n, (double)(sum * factor));
            else
                qn_quantized_set(y, m * b.length + n,
                                 (double)(sum * (factor / (float)qn_tensor_get(y_scale, 0))),
                                 y_zero ? qn_tensor_get_int(y_zero, 0) : 0);
        }
    }
    return QN_OK;
}

static const QnOpAttribute gemm_attributes[] = {
    {"alpha", QN_ATTRIBUTE_FLOAT, .f = 1},
    {"transA", QN_ATTRIBUTE_INT},
    {"transB", QN_ATTRIBUTE_INT},
    {0},
};

const QnOp qn_ops_qmatmul[] = {
    {.name = "MatMulInteger",
     .since = 10,
     .inputs = "A: integer, B: integer, a_zero_point?: integer, b_zero_point?: integer",
     .outputs = "Y: int32",
     .infer = infer_integer,
     .reference = matmul_integer},
    {.name = "QGemm",
     .domain = "com.microsoft",
     .since = 1,
     .inputs = "A: integer, a_scale: float, a_zero_point: integer, B: integer, b_scale: float, "
               "b_zero_point: integer, C?: int32, y_scale?: float, y_zero_point?: integer",
     .outputs = "Y: any",
     .attributes = gemm_attributes,
     .infer = infer_gemm,
     .reference = qgemm},
    {.name = "QLinearMatMul",
     .since = 21,
     .inputs = "a: any, a_scale: float, a_zero_point: any, b: any, b_scale: float, "
               "b_zero_point: any, y_scale: float, y_zero_point: any",
     .outputs = "y: any",
     .infer = infer_qlinear,
     .reference = qlinear_matmul},
    {0},
};
