/* SPDX-License-Identifier: Apache-2.0 */
/* Inverse: every matrix of a batch, by elimination with the largest pivot of each column.  A
 * singular matrix gives infinities or NaN. */
#include <math.h>

#include "engine/ops/op.h"

static QnStatus infer(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    if (!x)
        return qn_infer_unknown(in, 0, qn_infer_element(in, 0), -1);
    if (x->rank < 2)
        return qn_infer_fail(in, "input 0 has rank %d, expected 2 at least", x->rank);
    const QnDim rows = x->dims[x->rank - 2], columns = x->dims[x->rank - 1];
    if (qn_dim_is_known(rows) && qn_dim_is_known(columns) && rows != columns)
        return qn_infer_fail(in, "the matrices are %lld by %lld, expected square ones",
                             (long long)rows, (long long)columns);
    return qn_infer_tensor(in, 0, qn_infer_element(in, 0), x);
}

static void swap_rows(double *a, double *b, int64_t n)
{
    for (int64_t i = 0; a != b && i < n; i++) {
        const double t = a[i];
        a[i] = b[i];
        b[i] = t;
    }
}

/* The row from `first` on that has the largest element in a column. */
static int64_t find_pivot(const double *a, int64_t n, int64_t first)
{
    int64_t best = first;
    for (int64_t i = first + 1; i < n; i++)
        if (fabs(a[i * n + first]) > fabs(a[best * n + first]))
            best = i;
    return best;
}

/* Turns a [n, n] into the unit matrix, and b [n, n], which was that, into the inverse. */
static QnStatus eliminate(const QnCall *call, double *a, double *b, int64_t n)
{
    for (int64_t k = 0; k < n; k++) {
        QN_TRY(qn_call_poll(call));
        const int64_t pivot = find_pivot(a, n, k);
        swap_rows(a + k * n, a + pivot * n, n);
        swap_rows(b + k * n, b + pivot * n, n);
        const double scale = 1 / a[k * n + k];
        for (int64_t j = 0; j < n; j++) {
            a[k * n + j] *= scale;
            b[k * n + j] *= scale;
        }
        for (int64_t i = 0; i < n; i++) {
            const double factor = a[i * n + k];
            for (int64_t j = 0; i != k && factor != 0 && j < n; j++) {
                a[i * n + j] -= factor * a[k * n + j];
                b[i * n + j] -= factor * b[k * n + j];
            }
        }
    }
    return QN_OK;
}

static QnStatus inverse(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0);
    QnTensor *y = qn_call_result(call, 0);
    const int64_t n = x->dims[x->rank - 1], total = qn_tensor_count(x);
    double *a, *b;
    if (total == 0)
        return QN_OK;
    QN_ALLOC(a, call->scratch, n * n);
    QN_ALLOC(b, call->scratch, n * n);
    for (int64_t first = 0; first < total; first += n * n) {
        qn_tensor_read_row(x, first, 1, n * n, a);
        memset(b, 0, (size_t)(n * n) * sizeof *b);
        for (int64_t i = 0; i < n; i++)
            b[i * n + i] = 1;
        QN_TRY(eliminate(call, a, b, n));
        qn_tensor_write_row(y, first, 1, n * n, b);
    }
    return QN_OK;
}

const QnOp qn_ops_inverse[] = {
    {.name = "Inverse",
     .domain = "com.microsoft",
     .since = 1,
     .inputs = "X: float",
     .outputs = "Y: T",
     .infer = infer,
     .reference = inverse},
    {0},
};
