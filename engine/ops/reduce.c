/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reductions over a set of axes: every output element is one number made of the elements that
 * differ only along those axes.  Without axes all are reduced, unless noop_with_empty_axes says
 * none; what is done to each element (a square, an absolute value) is done then too.
 */
#include <limits.h>
#include <math.h>

#include "engine/ops/op.h"

/* ---- inference ---- */

/* Which axes are reduced.  *is_known: false where only running tells. */
static QnStatus read_axes(const QnInfer *in, int rank, bool *is_reduced, bool *is_known)
{
    int64_t axes[QN_MAX_RANK];
    const bool has_axes = qn_infer_has(in, 1);
    const int count = has_axes ? qn_infer_constants(in, 1, axes, QN_MAX_RANK) : 0;
    *is_known = count >= 0;
    for (int i = 0; i < count; i++) {
        int axis;
        QN_TRY(qn_infer_axis_of(in, "axes", axes[i], rank, &axis));
        if (is_reduced[axis])
            return qn_infer_fail(in, "axes names dimension %d twice", axis);
        is_reduced[axis] = true;
    }
    if (count == 0 && !qn_op_int(in->node, "noop_with_empty_axes"))
        for (int d = 0; d < rank; d++)
            is_reduced[d] = true;
    return QN_OK;
}

/* The product or sum of known contents, for shape arithmetic. */
static QnStatus reduce_content(QnInfer *in)
{
    QnDim content[QN_CONTENT_LIMIT], result;
    const bool is_product = !strcmp(in->node->op, "ReduceProd");
    if ((!is_product && strcmp(in->node->op, "ReduceSum") != 0) ||
        qn_infer_element(in, 0) != QN_INT64 || in->outputs[0].type.shape.rank > 1)
        return QN_OK;
    const int count = qn_infer_ints(in, 0, content, QN_CONTENT_LIMIT);
    const QnShape *y = &in->outputs[0].type.shape;
    if (count < 0 || (y->rank == 1 && y->dims[0] != 1))
        return QN_OK;
    result = is_product;
    for (int i = 0; i < count; i++)
        result = is_product ? qn_dim_mul(in->dims, result, content[i])
                            : qn_dim_add(in->dims, result, content[i]);
    return qn_infer_content(in, 0, &result, 1);
}

/* How many dimensions stay where only running tells which: all but as many as there are axes, which
 * then must not name one twice.  -1: not known. */
static int rank_left(const QnInfer *in, int rank)
{
    const QnShape *axes = qn_infer_shape(in, 1);
    const bool is_counted = axes && axes->rank == 1 && qn_dim_is_known(axes->dims[0]);
    return is_counted && axes->dims[0] > 0 && axes->dims[0] <= rank ? rank - (int)axes->dims[0]
                                                                    : -1;
}

static QnStatus infer_reduce(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    const QnType element = qn_infer_element(in, 0);
    const bool keeps = qn_op_int(in->node, "keepdims") != 0;
    bool is_reduced[QN_MAX_RANK] = {false}, is_known;
    if (!x)
        return qn_infer_unknown(in, 0, element, -1);
    QN_TRY(read_axes(in, x->rank, is_reduced, &is_known));
    if (!is_known)
        return qn_infer_unknown(in, 0, element, keeps ? x->rank : rank_left(in, x->rank));
    QnShape y = {0};
    for (int d = 0; d < x->rank; d++) {
        if (!is_reduced[d])
            y.dims[y.rank++] = x->dims[d];
        else if (keeps)
            y.dims[y.rank++] = 1;
    }
    QN_TRY(qn_infer_tensor(in, 0, element, &y));
    return reduce_content(in);
}

/* ---- computing ---- */

/* A way to fold: in double, and in int64_t for integers. */
typedef struct Fold {
    double start;
    double (*add)(double sum, double x);
    double (*end)(double sum, double count); /* NULL: the sum is the result */
    int64_t start_int;
    int64_t (*add_int)(int64_t sum, int64_t x); /* NULL: integers go through double */
} Fold;

static double fold_sum(double sum, double x)
{
    return sum + x;
}

static double fold_square(double sum, double x)
{
    return sum + x * x;
}

static double fold_abs(double sum, double x)
{
    return sum + fabs(x);
}

static double fold_product(double sum, double x)
{
    return sum * x;
}

/* NaN wins. */
static double fold_max(double sum, double x)
{
    return isnan(x) || x > sum ? x : sum;
}

static double fold_min(double sum, double x)
{
    return isnan(x) || x < sum ? x : sum;
}

static double end_mean(double sum, double count)
{
    return sum / count;
}

static double end_root(double sum, double count)
{
    (void)count;
    return sqrt(sum);
}

static double end_log(double sum, double count)
{
    (void)count;
    return log(sum);
}

static int64_t int_sum(int64_t sum, int64_t x)
{
    return (int64_t)((uint64_t)sum + (uint64_t)x);
}

static int64_t int_square(int64_t sum, int64_t x)
{
    return (int64_t)((uint64_t)sum + (uint64_t)x * (uint64_t)x);
}

static int64_t int_abs(int64_t sum, int64_t x)
{
    return (int64_t)((uint64_t)sum + (x < 0 ? 0 - (uint64_t)x : (uint64_t)x));
}

static int64_t int_product(int64_t sum, int64_t x)
{
    return (int64_t)((uint64_t)sum * (uint64_t)x);
}

static int64_t int_max(int64_t sum, int64_t x)
{
    return x > sum ? x : sum;
}

static int64_t int_min(int64_t sum, int64_t x)
{
    return x < sum ? x : sum;
}

static const Fold fold_l1 = {0, fold_abs, NULL, 0, int_abs};
static const Fold fold_l2 = {0, fold_square, end_root, 0, NULL};
static const Fold fold_log_sum = {0, fold_sum, end_log, 0, NULL};
static const Fold fold_maximum = {-INFINITY, fold_max, NULL, INT64_MIN, int_max};
static const Fold fold_mean = {0, fold_sum, end_mean, 0, NULL};
static const Fold fold_minimum = {INFINITY, fold_min, NULL, INT64_MAX, int_min};
static const Fold fold_prod = {1, fold_product, NULL, 1, int_product};
static const Fold fold_plain_sum = {0, fold_sum, NULL, 0, int_sum};
static const Fold fold_sum_square = {0, fold_square, NULL, 0, int_square};

/* The input's elements under one output element: positions `first` + those of an inner loop. */
typedef struct Reduction {
    const QnTensor *x;
    int outer_count, inner_count; /* dims kept, dims reduced */
    int64_t outer_dims[QN_MAX_RANK], outer_strides[QN_MAX_RANK];
    int64_t inner_dims[QN_MAX_RANK], inner_strides[QN_MAX_RANK];
    int64_t outer_size, inner_size;
} Reduction;

static QnStatus mark_axes(const QnCall *call, bool *is_reduced)
{
    const QnTensor *x = qn_call_input(call, 0), *axes = qn_call_input(call, 1);
    const int64_t count = axes ? qn_tensor_count(axes) : 0;
    for (int64_t i = 0; i < count; i++) {
        int64_t axis = qn_tensor_get_int(axes, i);
        if (axis < -x->rank || axis >= x->rank)
            return qn_call_fail(call, "axes names dimension %lld, expected %d to %d",
                                (long long)axis, -x->rank, x->rank - 1);
        is_reduced[axis < 0 ? axis + x->rank : axis] = true;
    }
    if (count == 0 && !qn_op_int(call->node, "noop_with_empty_axes"))
        for (int d = 0; d < x->rank; d++)
            is_reduced[d] = true;
    return QN_OK;
}

static QnStatus init_reduction(const QnCall *call, Reduction *r)
{
    bool is_reduced[QN_MAX_RANK] = {false};
    int64_t strides[QN_MAX_RANK], stride = 1;
    *r = (Reduction){.x = qn_call_input(call, 0), .outer_size = 1, .inner_size = 1};
    QN_TRY(mark_axes(call, is_reduced));
    for (int d = r->x->rank - 1; d >= 0; d--) {
        strides[d] = stride;
        stride *= r->x->dims[d];
    }
    for (int d = 0; d < r->x->rank; d++) {
        const int64_t length = r->x->dims[d];
        if (is_reduced[d]) {
            r->inner_strides[r->inner_count] = strides[d];
            r->inner_dims[r->inner_count++] = length;
            r->inner_size *= length;
        } else {
            r->outer_strides[r->outer_count] = strides[d];
            r->outer_dims[r->outer_count++] = length;
            r->outer_size *= length;
        }
    }
    return QN_OK;
}

/* The offset of element i of dims counted row by row. */
static int64_t offset_of(int64_t i, int count, const int64_t *dims, const int64_t *strides)
{
    int64_t offset = 0;
    for (int d = count - 1; d >= 0; d--) {
        offset += i % dims[d] * strides[d];
        i /= dims[d];
    }
    return offset;
}

static int64_t inner_at(const Reduction *r, int64_t first, int64_t i)
{
    return first + offset_of(i, r->inner_count, r->inner_dims, r->inner_strides);
}

static double fold_float(const Fold *fold, const Reduction *r, int64_t first)
{
    double sum = fold->start;
    for (int64_t i = 0; i < r->inner_size; i++)
        sum = fold->add(sum, qn_tensor_get(r->x, inner_at(r, first, i)));
    return fold->end ? fold->end(sum, (double)r->inner_size) : sum;
}

/* `flip` turns the order of uint64 into that of int64_t, for Max and Min. */
static int64_t fold_int(const Fold *fold, const Reduction *r, int64_t first, uint64_t flip)
{
    int64_t sum = fold->start_int;
    for (int64_t i = 0; i < r->inner_size; i++)
        sum = fold->add_int(
            sum, (int64_t)((uint64_t)qn_tensor_get_int(r->x, inner_at(r, first, i)) ^ flip));
    return (int64_t)((uint64_t)sum ^ flip);
}

/* What Max and Min of nothing are: the end of the type's range. */
static int64_t limit_of(QnType type, bool highest)
{
    switch (type) {
    case QN_INT8:
        return highest ? INT8_MAX : INT8_MIN;
    case QN_INT16:
        return highest ? INT16_MAX : INT16_MIN;
    case QN_INT32:
        return highest ? INT32_MAX : INT32_MIN;
    case QN_INT64:
        return highest ? INT64_MAX : INT64_MIN;
    case QN_BOOL:
        return highest;
    default:
        return highest ? -1 : 0; /* unsigned: all bits set */
    }
}

static QnStatus reduce(const QnCall *call, const Fold *fold)
{
    QnTensor *y = qn_call_result(call, 0);
    Reduction r;
    QN_TRY(init_reduction(call, &r));
    const bool is_order = fold == &fold_maximum || fold == &fold_minimum;
    const bool is_int = !qn_type_is_float(r.x->type) && fold->add_int;
    const uint64_t flip = is_order && r.x->type == QN_UINT64 ? UINT64_C(1) << 63 : 0;
    for (int64_t i = 0; i < r.outer_size; i++) {
        const int64_t first = offset_of(i, r.outer_count, r.outer_dims, r.outer_strides);
        QN_TRY(qn_call_poll(call));
        if (is_int && is_order && r.inner_size == 0)
            qn_tensor_set_int(y, i, limit_of(r.x->type, fold == &fold_minimum));
        else if (is_int)
            qn_tensor_set_int(y, i, fold_int(fold, &r, first, flip));
        else
            qn_tensor_set(y, i, fold_float(fold, &r, first));
    }
    return QN_OK;
}

/* log sum exp(x - max) + max: the maximum keeps exp() in range. */
static QnStatus reduce_log_sum_exp(const QnCall *call)
{
    QnTensor *y = qn_call_result(call, 0);
    Reduction r;
    QN_TRY(init_reduction(call, &r));
    for (int64_t i = 0; i < r.outer_size; i++) {
        const int64_t first = offset_of(i, r.outer_count, r.outer_dims, r.outer_strides);
        const double max = fold_float(&fold_maximum, &r, first);
        double sum = 0;
        QN_TRY(qn_call_poll(call));
        for (int64_t k = 0; k < r.inner_size && isfinite(max); k++)
            sum += exp(qn_tensor_get(r.x, inner_at(&r, first, k)) - max);
        qn_tensor_set(y, i, isfinite(max) ? log(sum) + max : max);
    }
    return QN_OK;
}

#define REDUCE_MAP(X)                            \
    X(ReduceL1, 18, l1, "numeric")               \
    X(ReduceL2, 18, l2, "numeric")               \
    X(ReduceLogSum, 28, log_sum, "float")        \
    X(ReduceMax, 20, maximum, "numeric or bool") \
    X(ReduceMean, 18, mean, "numeric")           \
    X(ReduceMin, 20, minimum, "numeric or bool") \
    X(ReduceProd, 18, prod, "numeric")           \
    X(ReduceSum, 13, plain_sum, "numeric")       \
    X(ReduceSumSquare, 18, sum_square, "numeric")

#define DEFINE(op, since_, fn, types)               \
    static QnStatus reduce_##fn(const QnCall *call) \
    {                                               \
        return reduce(call, &fold_##fn);            \
    }
REDUCE_MAP(DEFINE)

static const QnOpAttribute attributes[] = {
    {"keepdims", QN_ATTRIBUTE_INT, .i = 1}, {"noop_with_empty_axes", QN_ATTRIBUTE_INT}, {0}};

#define ROW(op, since_, fn, types)              \
    {.name = #op,                               \
     .since = (since_),                         \
     .inputs = "data: " types ", axes?: int64", \
     .outputs = "reduced: T",                   \
     .attributes = attributes,                  \
     .infer = infer_reduce,                     \
     .reference = reduce_##fn},

const QnOp qn_ops_reduce[] = {REDUCE_MAP(ROW) ROW(ReduceLogSumExp, 28, log_sum_exp, "float"){0}};
