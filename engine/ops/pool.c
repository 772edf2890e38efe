/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pooling: the largest element, the mean, or the p-norm of each window, per channel; the Global
 * forms have one window that is the whole plane.  Padding never wins a maximum; a mean counts it
 * only with count_include_pad.  MaxpoolWithMask leaves out the elements of each line of a window
 * from the first on where its mask is 0; a window of such elements gives the lowest float.
 */
#include <assert.h>
#include <float.h>
#include <math.h>

#include "base/checked.h"
#include "engine/ops/window.h"

/* ONNX's formula rounds down, also below 0: a window that is larger than its plane by up to a
 * stride has no place, and the result no elements.  Past that the size would be negative. */
static QnStatus check_place(const QnInfer *in, const QnWindow *window, int d, QnDim input)
{
    if (!qn_dim_is_known(input) || qn_window_size(window, d, input) >= 0)
        return QN_OK;
    const int64_t reach = (window->kernel[d] - 1) * window->dilation[d] + 1;
    return qn_infer_fail(in,
                         "the window reaches over %lld along dimension %d, which has %lld "
                         "with its pads",
                         (long long)reach, d + 2,
                         (long long)(input + window->pad_begin[d] + window->pad_end[d]));
}

static QnStatus infer_pool(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    const QnType element = qn_infer_element(in, 0);
    QnWindow window;
    if (!x) {
        QN_TRY(qn_infer_unknown(in, 1, QN_INT64, -1));
        return qn_infer_unknown(in, 0, element, -1);
    }
    if (x->rank < 3)
        return qn_infer_fail(in, "input 0 has rank %d, expected 3 at least", x->rank);
    QN_TRY(qn_window_read(&window, in->node, x->rank - 2, NULL, in->err));
    QnShape y = *x;
    for (int d = 0; d < window.count; d++) {
        QN_TRY(check_place(in, &window, d, x->dims[d + 2]));
        y.dims[d + 2] = qn_window_output(in->dims, &window, d, x->dims[d + 2]);
    }
    QN_TRY(qn_infer_tensor(in, 1, QN_INT64, &y));
    return qn_infer_tensor(in, 0, element, &y);
}

static QnStatus infer_global(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    if (!x)
        return qn_infer_unknown(in, 0, qn_infer_element(in, 0), -1);
    if (x->rank < 2)
        return qn_infer_fail(in, "input 0 has rank %d, expected 2 at least", x->rank);
    QnShape y = *x;
    for (int d = 2; d < x->rank; d++)
        y.dims[d] = 1;
    return qn_infer_tensor(in, 0, qn_infer_element(in, 0), &y);
}

/* The mask has the planes' size; its planes repeat where there are fewer than in x. */
static QnStatus infer_masked(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0), *mask = qn_infer_shape(in, 1);
    if (x && mask && x->rank != mask->rank)
        return qn_infer_fail(in, "the mask has rank %d, expected %d", mask->rank, x->rank);
    for (int d = 0; x && mask && d < x->rank; d++) {
        if (!qn_dim_is_known(x->dims[d]) || !qn_dim_is_known(mask->dims[d]))
            continue;
        if (d >= 2 ? x->dims[d] != mask->dims[d] : x->dims[d] > 0 && mask->dims[d] == 0)
            return qn_infer_fail(in, "dimension %d of the mask is %lld, of the input %lld", d,
                                 (long long)mask->dims[d], (long long)x->dims[d]);
    }
    return infer_pool(in);
}

/* One window as it slides over a plane. */
typedef struct Pool {
    const QnTensor *x, *mask; /* mask NULL: none */
    QnWindow window;
    int64_t begin[QN_WINDOW_DIMS], end[QN_WINDOW_DIMS]; /* pads */
    int64_t taps, plane_size;
    double p; /* of the norm */
    bool counts_pads;
    bool is_column_major; /* how indices count */
} Pool;

typedef struct Result {
    double value;
    int64_t position; /* in the plane, of a maximum; -1: none */
} Result;

/* The tap's coordinates; false where it lies in padding.
 * *is_extent: it lies in the input or its declared padding. */
static bool find_tap(const Pool *pool, const int64_t *at, int64_t tap, int64_t *coordinates,
                     bool *is_extent)
{
    bool is_inside = true;
    *is_extent = true;
    for (int d = pool->window.count - 1; d >= 0; d--) {
        const int64_t size = pool->x->dims[d + 2];
        assert(pool->window.kernel[d] > 0);
        coordinates[d] = at[d] * pool->window.stride[d] +
                         tap % pool->window.kernel[d] * pool->window.dilation[d] - pool->begin[d];
        tap /= pool->window.kernel[d];
        is_inside = is_inside && coordinates[d] >= 0 && coordinates[d] < size;
        *is_extent = *is_extent && coordinates[d] < size + pool->end[d];
    }
    return is_inside;
}

static int64_t flat_position(const Pool *pool, const int64_t *coordinates)
{
    int64_t position = 0;
    for (int d = 0; d < pool->window.count; d++)
        position = position * pool->x->dims[d + 2] + coordinates[d];
    return position;
}

/* The position as MaxPool's indices count it:
 * the last two spatial dims column by column with storage_order 1. */
static int64_t index_of(const Pool *pool, const int64_t *coordinates)
{
    const int count = pool->window.count;
    if (!pool->is_column_major || count < 2)
        return flat_position(pool, coordinates);
    int64_t position = 0;
    for (int d = 0; d < count - 2; d++)
        position = position * pool->x->dims[d + 2] + coordinates[d];
    const int64_t height = pool->x->dims[count], width = pool->x->dims[count + 1];
    return position * height * width + coordinates[count - 1] * height + coordinates[count - 2];
}

typedef Result WindowFn(const Pool *pool, const int64_t *at, int64_t plane);

static Result max_window(const Pool *pool, const int64_t *at, int64_t plane)
{
    Result best = {-INFINITY, -1};
    int64_t coordinates[QN_WINDOW_DIMS];
    bool is_extent;
    for (int64_t tap = 0; tap < pool->taps; tap++) {
        if (!find_tap(pool, at, tap, coordinates, &is_extent))
            continue;
        const double value =
            qn_tensor_get(pool->x, plane * pool->plane_size + flat_position(pool, coordinates));
        if (best.position < 0 || value > best.value || (isnan(value) && !isnan(best.value)))
            best = (Result){value, index_of(pool, coordinates)};
    }
    return best;
}

static Result masked_window(const Pool *pool, const int64_t *at, int64_t plane)
{
    const int64_t mask_plane = plane % (pool->mask->dims[0] * pool->mask->dims[1]);
    const int64_t line = pool->window.kernel[pool->window.count - 1];
    Result best = {-(double)FLT_MAX, -1};
    int64_t coordinates[QN_WINDOW_DIMS];
    bool is_extent;
    for (int64_t tap = 0; tap < pool->taps; tap++) {
        if (!find_tap(pool, at, tap, coordinates, &is_extent))
            continue;
        const int64_t position = flat_position(pool, coordinates);
        if (!qn_tensor_get_int(pool->mask, mask_plane * pool->plane_size + position)) {
            tap += line - 1 - tap % line; /* the rest of the line too */
            continue;
        }
        best.value = fmax(best.value, qn_tensor_get(pool->x, plane * pool->plane_size + position));
    }
    return best;
}

static Result mean_window(const Pool *pool, const int64_t *at, int64_t plane)
{
    double sum = 0, count = 0;
    int64_t coordinates[QN_WINDOW_DIMS];
    for (int64_t tap = 0; tap < pool->taps; tap++) {
        bool is_extent;
        const bool is_inside = find_tap(pool, at, tap, coordinates, &is_extent);
        if (is_inside)
            sum +=
                qn_tensor_get(pool->x, plane * pool->plane_size + flat_position(pool, coordinates));
        count += is_inside || (pool->counts_pads && is_extent);
    }
    return (Result){sum / count, -1};
}

static Result norm_window(const Pool *pool, const int64_t *at, int64_t plane)
{
    double sum = 0;
    int64_t coordinates[QN_WINDOW_DIMS];
    bool is_extent;
    for (int64_t tap = 0; tap < pool->taps; tap++)
        if (find_tap(pool, at, tap, coordinates, &is_extent))
            sum += pow(fabs(qn_tensor_get(pool->x, plane * pool->plane_size +
                                                       flat_position(pool, coordinates))),
                       pool->p);
    return (Result){pow(sum, 1 / pool->p), -1};
}

/* Slides the window over all planes; `indices` may be NULL. */
static QnStatus slide(const QnCall *call, const Pool *pool, WindowFn *window, QnTensor *y,
                      QnTensor *indices)
{
    int64_t at[QN_WINDOW_DIMS] = {0}, plane = 0;
    const int64_t total = qn_tensor_count(y);
    for (int64_t i = 0; i < total; i++) {
        const Result result = window(pool, at, plane);
        qn_tensor_set(y, i, result.value);
        if (indices)
            qn_tensor_set_int(indices, i, plane * pool->plane_size + result.position);
        int d = pool->window.count - 1;
        while (d >= 0 && ++at[d] == y->dims[d + 2])
            at[d--] = 0;
        if (d < 0) {
            plane++;
            QN_TRY(qn_call_poll(call));
        }
    }
    return QN_OK;
}

static QnStatus init_pool(const QnCall *call, Pool *pool)
{
    const QnTensor *y = qn_call_result(call, 0);
    pool->x = qn_call_input(call, 0);
    pool->plane_size = pool->taps = 1;
    QN_TRY(qn_window_read(&pool->window, call->node, pool->x->rank - 2, NULL, call->err));
    for (int d = 0; d < pool->window.count; d++) {
        qn_window_pads(&pool->window, d, pool->x->dims[d + 2], y->dims[d + 2], &pool->begin[d],
                       &pool->end[d]);
        pool->plane_size *= pool->x->dims[d + 2];
        if (!qn_mul_i64(&pool->taps, pool->taps, pool->window.kernel[d]))
            return qn_call_fail(call, "the window has more taps than can be counted");
    }
    return QN_OK;
}

static QnStatus max_pool(const QnCall *call)
{
    Pool pool = {.is_column_major = qn_op_int(call->node, "storage_order") != 0};
    QN_TRY(init_pool(call, &pool));
    return slide(call, &pool, max_window, qn_call_result(call, 0),
                 qn_call_wants(call, 1) ? qn_call_result(call, 1) : NULL);
}

static QnStatus masked_max_pool(const QnCall *call)
{
    Pool pool = {.mask = qn_call_input(call, 1)};
    QN_TRY(init_pool(call, &pool));
    return slide(call, &pool, masked_window, qn_call_result(call, 0), NULL);
}

static QnStatus average_pool(const QnCall *call)
{
    Pool pool = {.counts_pads = qn_op_int(call->node, "count_include_pad") != 0};
    QN_TRY(init_pool(call, &pool));
    return slide(call, &pool, mean_window, qn_call_result(call, 0), NULL);
}

static QnStatus lp_pool(const QnCall *call)
{
    Pool pool = {.p = (double)qn_op_int(call->node, "p")};
    QN_TRY(init_pool(call, &pool));
    return slide(call, &pool, norm_window, qn_call_result(call, 0), NULL);
}

/* The window of a Global form: one that covers the plane. */
static QnStatus global(const QnCall *call, WindowFn *window, double p)
{
    Pool pool = {.x = qn_call_input(call, 0), .p = p, .taps = 1, .plane_size = 1};
    pool.window.count = pool.x->rank - 2;
    for (int d = 0; d < pool.window.count; d++) {
        pool.window.kernel[d] = pool.x->dims[d + 2];
        pool.window.stride[d] = pool.window.dilation[d] = 1;
        pool.taps *= pool.x->dims[d + 2];
        pool.plane_size *= pool.x->dims[d + 2];
    }
    return slide(call, &pool, window, qn_call_result(call, 0), NULL);
}

static QnStatus global_max_pool(const QnCall *call)
{
    return global(call, max_window, 0);
}

static QnStatus global_average_pool(const QnCall *call)
{
    return global(call, mean_window, 0);
}

static QnStatus global_lp_pool(const QnCall *call)
{
    return global(call, norm_window, (double)qn_op_int(call->node, "p"));
}

#define WINDOW_ATTRIBUTES                                                                      \
    {"auto_pad", QN_ATTRIBUTE_STRING, .s = "NOTSET"}, {"ceil_mode", QN_ATTRIBUTE_INT},         \
        {"dilations", QN_ATTRIBUTE_INTS},                                                      \
        {"kernel_shape", QN_ATTRIBUTE_INTS, .is_required = true}, {"pads", QN_ATTRIBUTE_INTS}, \
    {                                                                                          \
        "strides", QN_ATTRIBUTE_INTS                                                           \
    }

static const QnOpAttribute max_attributes[] = {
    WINDOW_ATTRIBUTES, {"storage_order", QN_ATTRIBUTE_INT}, {0}};
static const QnOpAttribute average_attributes[] = {
    WINDOW_ATTRIBUTES, {"count_include_pad", QN_ATTRIBUTE_INT}, {0}};
static const QnOpAttribute lp_attributes[] = {
    WINDOW_ATTRIBUTES, {"p", QN_ATTRIBUTE_INT, .i = 2}, {0}};
static const QnOpAttribute global_lp_attributes[] = {{"p", QN_ATTRIBUTE_INT, .i = 2}, {0}};
#undef WINDOW_ATTRIBUTES

const QnOp qn_ops_pool[] = {
    {.name = "AveragePool",
     .since = 22,
     .inputs = "X: float",
     .outputs = "Y: float",
     .attributes = average_attributes,
     .infer = infer_pool,
     .reference = average_pool},
    {.name = "GlobalAveragePool",
     .since = 22,
     .inputs = "X: float",
     .outputs = "Y: float",
     .infer = infer_global,
     .reference = global_average_pool},
    {.name = "GlobalLpPool",
     .since = 22,
     .inputs = "X: float",
     .outputs = "Y: float",
     .attributes = global_lp_attributes,
     .infer = infer_global,
     .reference = global_lp_pool},
    {.name = "GlobalMaxPool",
     .since = 22,
     .inputs = "X: float",
     .outputs = "Y: float",
     .infer = infer_global,
     .reference = global_max_pool},
    {.name = "LpPool",
     .since = 22,
     .inputs = "X: float",
     .outputs = "Y: float",
     .attributes = lp_attributes,
     .infer = infer_pool,
     .reference = lp_pool},
    {.name = "MaxPool",
     .since = 22,
     .inputs = "X: numeric",
     .outputs = "Y: numeric, Indices?: int64",
     .attributes = max_attributes,
     .infer = infer_pool,
     .reference = max_pool},
    {.name = "MaxpoolWithMask",
     .domain = "com.microsoft",
     .since = 1,
     .inputs = "X: float, M: int32",
     .outputs = "Y: float",
     .attributes = max_attributes,
     .infer = infer_masked,
     .reference = masked_max_pool},
    {0},
};
