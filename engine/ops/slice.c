/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slice:  along each named axis the elements start, start + step, … before end.  Negative bounds
 * count from the end, and bounds outside are clamped: to [0, n] going forwards, to [0, n - 1]
 * (start) and [-1, n - 1] (end) going backwards.
 */
#include "engine/ops/slice.h"
#include "base/checked.h"
#include "engine/ops/op.h"

enum { STARTS = 1, ENDS = 2, AXES = 3, STEPS = 4 };

typedef struct Range {
    int64_t start, step, count;
} Range;

/* The elements of a slice of n numbers. */
static Range clamp_range(int64_t start, int64_t end, int64_t step, int64_t n)
{
    start = start < 0 ? (start < -n ? -1 : start + n) : start; /* -1 is in front of all */
    end = end < 0 ? (end < -n ? -1 : end + n) : end;
    if (step > 0) {
        start = qn_max_i64(0, qn_min_i64(start, n));
        end = qn_max_i64(0, qn_min_i64(end, n));
        return (Range){start, step, end > start ? (end - start - 1) / step + 1 : 0};
    }
    start = qn_max_i64(n > 0 ? 0 : -1, qn_min_i64(start, n - 1));
    end = qn_max_i64(-1, qn_min_i64(end, n - 1));
    /* The distance is at most n, so that only a step of the whole range could overflow
     * when negated. */
    const int64_t stride = step == INT64_MIN ? INT64_MAX : -step;
    return (Range){start, step, start > end ? (start - end - 1) / stride + 1 : 0};
}

/* ---- inference ---- */

typedef struct Bounds {
    QnDim starts[QN_MAX_RANK], ends[QN_MAX_RANK];
    int64_t axes[QN_MAX_RANK], steps[QN_MAX_RANK];
    int count; /* -1: not known, not even how many */
    bool is_known;
} Bounds;

static QnStatus read_bounds(const QnInfer *in, Bounds *bounds)
{
    bounds->count = qn_infer_ints(in, STARTS, bounds->starts, QN_MAX_RANK);
    const int ends = qn_infer_ints(in, ENDS, bounds->ends, QN_MAX_RANK);
    const int axes =
        qn_infer_has(in, AXES) ? qn_infer_constants(in, AXES, bounds->axes, QN_MAX_RANK) : -2;
    const int steps =
        qn_infer_has(in, STEPS) ? qn_infer_constants(in, STEPS, bounds->steps, QN_MAX_RANK) : -2;
    bounds->is_known = bounds->count >= 0 && ends >= 0 && axes != -1 && steps != -1;
    if (bounds->is_known &&
        (ends != bounds->count || (axes >= 0 && axes != ends) || (steps >= 0 && steps != ends)))
        return qn_infer_fail(in, "starts, ends, axes and steps have different lengths");
    for (int i = 0; i < bounds->count; i++) {
        if (axes == -2)
            bounds->axes[i] = i;
        if (steps == -2)
            bounds->steps[i] = 1;
        if (steps >= 0 && bounds->steps[i] == 0)
            return qn_infer_fail(in, "steps[%d] is 0", i);
    }
    return QN_OK;
}

/* Brings a bound into [0, n] where the algebra can; false where it cannot tell the sign. */
static bool place_bound(QnDims *dims, QnDim bound, QnDim n, QnDim *out)
{
    int64_t number;
    if (qn_dim_constant(dims, bound, &number)) {
        if (number >= 0)
            *out = qn_dim_min(dims, number, n);
        else if (number <= -((int64_t)1 << 31))
            *out = 0;
        else
            *out = qn_dim_max(dims, qn_dim_add(dims, n, bound), 0);
        return true;
    }
    if (!qn_dim_is_at_least(dims, bound, 0))
        return false;
    *out = qn_dim_min(dims, bound, n);
    return true;
}

/* The number of elements of a slice of n, as a dim; false where nothing tells. */
static bool slice_size(QnDims *dims, QnDim start, QnDim end, int64_t step, QnDim n, QnDim *out)
{
    int64_t first, last;
    const bool is_constant =
        qn_dim_constant(dims, start, &first) && qn_dim_constant(dims, end, &last);
    if (qn_dim_is_known(n) && is_constant) {
        *out = clamp_range(first, last, step, n).count;
        return true;
    }
    QnDim from, to;
    if (step == -1 && is_constant && first == -1 && last < -((int64_t)1 << 31)) {
        *out = n; /* the whole, reversed */
        return true;
    }
    if (step < 0 || !place_bound(dims, start, n, &from) || !place_bound(dims, end, n, &to))
        return false;
    const QnDim length = qn_dim_sub(dims, to, from);
    const QnDim size = qn_dim_is_at_least(dims, length, 0) ? length : qn_dim_max(dims, length, 0);
    *out = qn_dim_ceil_div(dims, size, step);
    return true;
}

/* Known content of a 1-D input, with constant bounds. */
static QnStatus slice_content(QnInfer *in, const Bounds *bounds)
{
    QnDim content[QN_CONTENT_LIMIT], picked[QN_CONTENT_LIMIT];
    int64_t start, end;
    const int count = qn_infer_ints(in, 0, content, QN_CONTENT_LIMIT);
    if (count < 0 || bounds->count != 1 || !qn_dim_constant(in->dims, bounds->starts[0], &start) ||
        !qn_dim_constant(in->dims, bounds->ends[0], &end))
        return QN_OK;
    const Range range = clamp_range(start, end, bounds->steps[0], count);
    for (int64_t i = 0; i < range.count; i++)
        picked[i] = content[range.start + i * range.step];
    return qn_infer_content(in, 0, picked, (int)range.count);
}

static QnStatus infer_slice(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    const QnType element = qn_infer_element(in, 0);
    Bounds bounds;
    bool is_named[QN_MAX_RANK] = {false};
    if (!x)
        return qn_infer_unknown(in, 0, element, -1);
    QN_TRY(read_bounds(in, &bounds));
    QnShape y = *x;
    int64_t axes[QN_MAX_RANK];
    const int axis_count =
        qn_infer_has(in, AXES) ? qn_infer_constants(in, AXES, axes, QN_MAX_RANK) : -1;
    if (!bounds.is_known) { /* axes that are known to stay keep their size */
        for (int i = 0; i < axis_count; i++) {
            int axis;
            QN_TRY(qn_infer_axis_of(in, "axes", axes[i], x->rank, &axis));
            is_named[axis] = true;
        }
        for (int d = 0; d < y.rank; d++)
            if (axis_count < 0 || is_named[d])
                y.dims[d] = qn_infer_fresh(in);
        return qn_infer_tensor(in, 0, element, &y);
    }
    for (int i = 0; i < bounds.count; i++) {
        int axis;
        QN_TRY(qn_infer_axis_of(in, "axes", bounds.axes[i], x->rank, &axis));
        if (is_named[axis])
            return qn_infer_fail(in, "axes names dimension %d twice", axis);
        is_named[axis] = true;
        if (!slice_size(in->dims, bounds.starts[i], bounds.ends[i], bounds.steps[i], x->dims[axis],
                        &y.dims[axis]))
            y.dims[axis] = qn_infer_fresh(in);
    }
    QN_TRY(qn_infer_tensor(in, 0, element, &y));
    return x->rank == 1 ? slice_content(in, &bounds) : QN_OK;
}

/* ---- computing ---- */

QnStatus qn_slice_view(const QnTensor *x, const QnTensor *starts, const QnTensor *ends,
                       const QnTensor *axes, const QnTensor *steps, QnTensor *view, QnError *err)
{
    const int64_t count = qn_tensor_count(starts);
    *view = *x;
    for (int64_t i = 0; i < count; i++) {
        const int64_t given = axes ? qn_tensor_get_int(axes, i) : i;
        const int64_t axis = given < 0 ? given + x->rank : given;
        const int64_t step = steps ? qn_tensor_get_int(steps, i) : 1;
        if (axis < 0 || axis >= x->rank || step == 0)
            return qn_fail(err, QN_BAD_TENSOR,
                           "axis %lld with step %lld, expected -%d to %d and a step other than 0",
                           (long long)given, (long long)step, x->rank, x->rank - 1);
        const Range range = clamp_range(qn_tensor_get_int(starts, i), qn_tensor_get_int(ends, i),
                                        step, x->dims[axis]);
        view->dims[axis] = range.count;
        if (range.count == 0) /* no element lies anywhere */
            continue;
        view->data = (uint8_t *)view->data + range.start * x->strides[axis];
        view->strides[axis] = range.count > 1 ? range.step * x->strides[axis] : x->strides[axis];
    }
    return QN_OK;
}

static QnStatus slice(const QnCall *call)
{
    QnTensor view;
    QN_TRY(qn_slice_view(qn_call_input(call, 0), qn_call_input(call, STARTS),
                         qn_call_input(call, ENDS), qn_call_input(call, AXES),
                         qn_call_input(call, STEPS), &view, call->err));
    return qn_call_copy(call, &view, qn_call_result(call, 0));
}

const QnOp qn_ops_slice[] = {
    {.name = "Slice",
     .since = 13,
     .inputs = "data: any, starts: integer, ends: integer, axes?: integer, steps?: integer",
     .outputs = "output: T",
     .infer = infer_slice,
     .reference = slice},
    {0},
};
