/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gradients of sliding windows: convolution, its transpose, and pooling by sums.
 *
 * A window maps a large plane to a small one.  What flows back from the small plane is its
 * transposed convolution; what flows into the kernel is the convolution of the large plane by the
 * small one, with strides and dilations exchanged, and channels in the place of the batch.
 */
#include "engine/passes/derive.h"

#include "engine/ops/transposed.h"
#include "engine/passes/rewrite.h"

typedef struct Geometry {
    QnWindow window;
    int64_t begin[QN_WINDOW_DIMS], end[QN_WINDOW_DIMS]; /* pads of the large plane */
    /* Pads at the end with which the windows cover it exactly; `is_exact`: that is known. */
    int64_t cover[QN_WINDOW_DIMS];
    bool is_exact[QN_WINDOW_DIMS];
} Geometry;

/* ---- geometry ---- */

static bool is_transpose(const QnDerive *d)
{
    return !strcmp(d->node->op, "ConvTranspose");
}

/* The kernel's sizes from a weight's dims. */
static bool read_kernel(QnDerive *d, const QnIrValue *weight, int64_t *kernel)
{
    for (int axis = 2; axis < weight->type.shape.rank; axis++) {
        if (!qn_dim_is_known(weight->type.shape.dims[axis])) {
            qn_derive_fail(d, "the sizes of its kernel are not known");
            return false;
        }
        kernel[axis - 2] = weight->type.shape.dims[axis];
    }
    return true;
}

/* Pads that depend on sizes need these. */
static QnStatus read_pads(QnDerive *d, Geometry *g, const QnTransposed *t, const QnShape *large,
                          const QnShape *small)
{
    for (int i = 0; i < g->window.count; i++) {
        const QnDim n = large->dims[i + 2], o = small->dims[i + 2];
        const bool is_given = g->window.auto_pad == QN_PAD_NOTSET && t->output_shape[i] < 0;
        g->begin[i] = g->window.pad_begin[i];
        g->end[i] = g->window.pad_end[i];
        if (is_given || (g->window.auto_pad == QN_PAD_VALID && t->output_shape[i] < 0))
            continue;
        if (!qn_dim_is_known(n) || !qn_dim_is_known(o)) {
            qn_derive_fail(d, "its pads depend on sizes that are not known");
            return d->build.status;
        }
        if (!is_transpose(d)) {
            qn_window_pads(&g->window, i, n, o, &g->begin[i], &g->end[i]);
            continue;
        }
        g->begin[i] = qn_transposed_pad(t, i, o, n);
        g->end[i] = (o - 1) * g->window.stride[i] +
                    (g->window.kernel[i] - 1) * g->window.dilation[i] + 1 - g->begin[i] - n;
    }
    return QN_OK;
}

static void find_cover(QnDerive *d, Geometry *g, const QnShape *large, const QnShape *small)
{
    QnDims *dims = &d->node->graph->module->dims;
    for (int i = 0; i < g->window.count; i++) {
        const int64_t rest = (g->window.kernel[i] - 1) * g->window.dilation[i] + 1 -
                             g->window.stride[i] - g->begin[i];
        QnDim cover = qn_dim_mul(dims, small->dims[i + 2], g->window.stride[i]);
        cover = qn_dim_sub(dims, cover, large->dims[i + 2]);
        cover = qn_dim_add(dims, cover, qn_dim_number(dims, rest));
        g->is_exact[i] = qn_dim_constant(dims, cover, &g->cover[i]);
    }
}

/* `kernel` NULL: that of the attribute.  False where it failed. */
static bool read_geometry(QnDerive *d, Geometry *g, const QnIrValue *large, const QnIrValue *small,
                          const int64_t *kernel)
{
    QnTransposed t;
    const int rank = qn_derive_rank(d, large);
    if (qn_derive_rank(d, small) < 0 || rank < 0)
        return false;
    d->build.status = is_transpose(d)
                          ? qn_transposed_read(&t, d->node, rank - 2, kernel, d->build.err)
                          : qn_window_read(&t.window, d->node, rank - 2, kernel, d->build.err);
    for (int i = 0; i < rank - 2 && !is_transpose(d); i++)
        t.output_shape[i] = -1;
    if (d->build.status != QN_OK)
        return false;
    g->window = t.window;
    if (read_pads(d, g, &t, &large->type.shape, &small->type.shape) != QN_OK)
        return false;
    find_cover(d, g, &large->type.shape, &small->type.shape);
    return true;
}

/* ---- nodes ---- */

static QnIrValue *concat(QnDerive *d, QnIrValue *front, QnIrValue *back)
{
    QnIrValue *made = QN_BUILD(&d->build, "Concat", front, back);
    return qn_derive_settle(d, qn_build_int(&d->build, made, "axis", 0));
}

static QnIrValue *sizes(QnDerive *d, QnIrValue *value, int first)
{
    return qn_derive_settle(
        d, qn_build_int(&d->build, QN_BUILD(&d->build, "Shape", value), "start", first));
}

/* The first two axes in the other order. */
static QnIrValue *swap_channels(QnDerive *d, QnIrValue *value, int rank)
{
    int64_t order[QN_MAX_RANK] = {1, 0};
    for (int axis = 2; axis < rank; axis++)
        order[axis] = axis;
    return qn_derive_settle(d, qn_build_transpose(&d->build, value, order, rank));
}

/* A plane cut off, or filled with zeros, at the ends of its spatial axes to the size of another. */
static QnIrValue *fit(QnDerive *d, QnIrValue *value, QnIrValue *like, int count)
{
    static const int64_t zeros[QN_MAX_RANK + 2] = {0};
    bool fits = true;
    for (int i = 2; value && i < count + 2; i++)
        fits = fits && qn_dim_is_equal(value->type.shape.dims[i], like->type.shape.dims[i]);
    if (!value || fits)
        return value;
    QnIrValue *more = QN_DERIVE(d, "Sub", sizes(d, like, 2), sizes(d, value, 2));
    more = concat(d, qn_derive_vector(d, zeros, count + 4), more);
    return QN_DERIVE(d, "Pad", value, more);
}

/* A convolution of either kind with the pads, and the strides and dilations given. */
static QnIrValue *convolve(QnDerive *d, const char *op, QnIrValue *x, QnIrValue *w,
                           const Geometry *g, const int64_t *ends, const int64_t *strides,
                           const int64_t *dilations, int64_t group)
{
    const int count = g->window.count;
    int64_t pads[2 * QN_WINDOW_DIMS];
    for (int i = 0; i < count; i++) {
        pads[i] = g->begin[i];
        pads[count + i] = ends[i];
    }
    QnIrValue *made = QN_BUILD(&d->build, op, x, w);
    qn_build_list(&d->build, made, "pads", pads, 2 * count);
    qn_build_list(&d->build, made, "strides", strides, count);
    qn_build_list(&d->build, made, "dilations", dilations, count);
    return qn_build_int(&d->build, made, "group", group);
}

/* From the small plane to the large one. */
static QnIrValue *transpose(QnDerive *d, QnIrValue *x, QnIrValue *w, const Geometry *g,
                            QnIrValue *like, int64_t group)
{
    int64_t ends[QN_WINDOW_DIMS] = {0}, more[QN_WINDOW_DIMS] = {0};
    bool has_more = false;
    for (int i = 0; i < g->window.count; i++) {
        const int64_t cover = g->is_exact[i] ? g->cover[i] : 0;
        ends[i] = cover > 0 ? cover : 0;
        more[i] = cover < 0 ? -cover : 0; /* behind the last window nothing flows */
        has_more = has_more || cover < 0;
    }
    QnIrValue *made =
        convolve(d, "ConvTranspose", x, w, g, ends, g->window.stride, g->window.dilation, group);
    if (has_more)
        qn_build_list(&d->build, made, "output_padding", more, g->window.count);
    return fit(d, qn_derive_settle(d, made), like, g->window.count);
}

/* ---- words ---- */

/* (g, w, x): what flows into x, which was convolved by w, or transposed so. */
QnIrValue *qn_derive_unconvolved(QnDerive *d, QnIrValue *const *arguments)
{
    QnIrValue *flow = arguments[0], *w = arguments[1], *x = arguments[2];
    int64_t kernel[QN_WINDOW_DIMS];
    Geometry g;
    const bool is_back = is_transpose(d);
    const int64_t group = qn_op_int(d->node, "group");
    if (qn_derive_rank(d, w) < 0 || !read_kernel(d, w, kernel) ||
        !read_geometry(d, &g, is_back ? flow : x, is_back ? x : flow, kernel))
        return NULL;
    if (!is_back)
        return transpose(d, flow, w, &g, x, group);
    for (int i = 0; i < g.window.count; i++)
        g.end[i] = g.end[i] > 0 ? g.end[i] : 0;
    QnIrValue *made =
        convolve(d, "Conv", flow, w, &g, g.end, g.window.stride, g.window.dilation, group);
    return fit(d, qn_derive_settle(d, made), x, g.window.count);
}

/* [batch, group * channels, …] as [channels, group * batch, …]. */
static QnIrValue *regroup(QnDerive *d, QnIrValue *x, int rank, int64_t group, int64_t channels)
{
    const int64_t inner[] = {group, channels}, outer[] = {channels, -1};
    int64_t order[QN_MAX_RANK] = {2, 1, 0};
    if (group == 1)
        return swap_channels(d, x, rank);
    for (int axis = 3; axis <= rank; axis++)
        order[axis] = axis;
    QnIrValue *batch = qn_derive_settle(d, qn_build_sizes(&d->build, x, 0, 1));
    QnIrValue *plane = sizes(d, x, 2);
    QnIrValue *split = concat(d, concat(d, batch, qn_derive_vector(d, inner, 2)), plane);
    x = QN_DERIVE(d, "Reshape", x, split);
    x = qn_derive_settle(d, qn_build_transpose(&d->build, x, order, rank + 1));
    return QN_DERIVE(d, "Reshape", x, concat(d, qn_derive_vector(d, outer, 2), plane));
}

/* By a convolution of the large plane by the small one, channels in the place of the batch. */
static QnIrValue *convolve_planes(QnDerive *d, const Geometry *g, QnIrValue *large,
                                  QnIrValue *small, QnIrValue *w)
{
    const int rank = w->type.shape.rank;
    const int64_t group = qn_op_int(d->node, "group");
    int64_t ends[QN_WINDOW_DIMS];
    for (int i = 0; i < rank - 2; i++) {
        const int64_t end = g->is_exact[i] ? g->cover[i] : g->end[i];
        ends[i] = end > 0 ? end : 0;
    }
    QnIrValue *made = convolve(d, "Conv", regroup(d, large, rank, group, w->type.shape.dims[1]),
                               swap_channels(d, small, rank), g, ends, g->window.dilation,
                               g->window.stride, group);
    made = fit(d, qn_derive_settle(d, made), w, g->window.count);
    return made ? swap_channels(d, made, rank) : NULL;
}

/* The kernel that gives each tap of each channel a channel of its own: [channels * taps, 1, …]. */
static QnIrValue *unfolding(QnDerive *d, const Geometry *g, QnType type, int64_t channels,
                            int64_t taps)
{
    int64_t shape[QN_MAX_RANK + 1] = {channels, taps, 1}, flat[QN_MAX_RANK] = {channels * taps, 1};
    const int64_t square[] = {taps, taps};
    for (int i = 0; i < g->window.count; i++)
        shape[i + 3] = flat[i + 2] = g->window.kernel[i];
    QnIrValue *one = qn_build_scalar(&d->build, type, 1);
    QnIrValue *made =
        QN_DERIVE(d, "EyeLike", QN_DERIVE(d, "Expand", one, qn_derive_vector(d, square, 2)));
    made = QN_DERIVE(d, "Reshape", made, qn_derive_vector(d, shape + 1, g->window.count + 2));
    made = QN_DERIVE(d, "Expand", made, qn_derive_vector(d, shape, g->window.count + 3));
    return QN_DERIVE(d, "Reshape", made, qn_derive_vector(d, flat, g->window.count + 2));
}

/* By products of the small planes and of what each tap saw of the large ones, one after the other:
 * for any number of items, where a convolution would have that many channels. */
static QnIrValue *multiply_planes(QnDerive *d, Geometry *g, QnIrValue *large, QnIrValue *small,
                                  QnIrValue *w)
{
    static const int64_t order[] = {0, 1, 3, 2}, first = 0;
    const int64_t group = qn_op_int(d->node, "group"), channels = w->type.shape.dims[1];
    int64_t taps = 1;
    for (int i = 0; i < g->window.count; i++) {
        taps *= g->window.kernel[i];
        g->end[i] = g->end[i] > 0 ? g->end[i] : 0;
    }
    const int64_t seen[] = {0, group, channels * taps, -1};
    const int64_t made_of[] = {0, group, w->type.shape.dims[0] / group, -1};
    QnIrValue *kernel = unfolding(d, g, w->type.element, group * channels, taps);
    QnIrValue *unfolded = convolve(d, "Conv", large, kernel, g, g->end, g->window.stride,
                                   g->window.dilation, group * channels);
    unfolded = fit(d, qn_derive_settle(d, unfolded), small, g->window.count);
    unfolded = QN_DERIVE(d, "Reshape", unfolded, qn_derive_vector(d, seen, 4));
    unfolded = qn_derive_settle(d, qn_build_transpose(&d->build, unfolded, order, 4));
    small = QN_DERIVE(d, "Reshape", small, qn_derive_vector(d, made_of, 4));
    QnIrValue *made = QN_DERIVE(d, "MatMul", small, unfolded);
    made = QN_DERIVE(d, "ReduceSum", made, qn_derive_vector(d, &first, 1));
    return QN_DERIVE(d, "Reshape", made, QN_DERIVE(d, "Shape", w));
}

/* (large, small, w): what flows into the kernel w between the planes. */
QnIrValue *qn_derive_kernel(QnDerive *d, QnIrValue *const *arguments)
{
    QnIrValue *large = arguments[0], *small = arguments[1], *w = arguments[2];
    int64_t kernel[QN_WINDOW_DIMS];
    Geometry g;
    const int rank = qn_derive_rank(d, w);
    if (rank < 0 || !read_kernel(d, w, kernel) || !read_geometry(d, &g, large, small, kernel))
        return NULL;
    const QnDim *sizes = w->type.shape.dims;
    const bool is_known = qn_dim_is_known(sizes[0]) && qn_dim_is_known(sizes[1]);
    if (qn_op_int(d->node, "group") > 1 && (rank >= QN_MAX_RANK || !is_known))
        return qn_derive_fail(d, "the channels of its groups are not known");
    return is_known && rank < QN_MAX_RANK && !qn_pass_is_static(&small->type)
               ? multiply_planes(d, &g, large, small, w)
               : convolve_planes(d, &g, large, small, w);
}

/* (g, x): each element of g to all of the pooled window of x that it came from. */
QnIrValue *qn_derive_spread(QnDerive *d, QnIrValue *const *arguments)
{
    static const int64_t single[] = {-1, 1};
    QnIrValue *flow = arguments[0], *x = arguments[1];
    int64_t shape[QN_MAX_RANK] = {1, 1};
    Geometry g;
    if (!read_geometry(d, &g, x, flow, NULL))
        return NULL;
    for (int i = 0; i < g.window.count; i++)
        shape[i + 2] = g.window.kernel[i];
    QnIrValue *ones = QN_DERIVE(d, "Expand", qn_build_scalar(&d->build, flow->type.element, 1),
                                qn_derive_vector(d, shape, g.window.count + 2));
    QnIrValue *planes =
        QN_DERIVE(d, "Reshape", flow, concat(d, qn_derive_vector(d, single, 2), sizes(d, flow, 2)));
    QnIrValue *made = transpose(d, planes, ones, &g, x, 1);
    made = QN_BUILD(&d->build, "Reshape", made, QN_DERIVE(d, "Shape", x));
    return qn_derive_settle(d, qn_build_int(&d->build, made, "allowzero", 1));
}
