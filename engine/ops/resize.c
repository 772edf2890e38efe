/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resize: a tensor sampled on another grid, one axis after the other.
 *
 * Each output position of an axis has a coordinate in the input (resize_grid.c), and reads a few
 * neighbours with weights that sum to 1: one for nearest, two for linear, four for cubic, more with
 * antialias where the axis shrinks.  Neighbours beyond the border are the border's, or with
 * exclude_outside weigh nothing.
 */
#include <math.h>

#include "base/checked.h"
#include "engine/ops/resize_grid.h"

/* ---- inference ---- */

enum { SCALE_LIMIT = 1 << 20 };

/*
 * floor(input * scale).  A scale like 0.7f means 7/10: where a quotient of small numbers is the
 * float nearest to it, that quotient counts, so that sizes are what their author meant, and symbols
 * stay simple.
 */
static QnStatus scaled_size(QnInfer *in, QnDim input, double scale, QnDim *out)
{
    if (!(scale > 0) || scale > SCALE_LIMIT)
        return qn_infer_fail(in, "a scale is %g, expected above 0 and at most %d", scale,
                             SCALE_LIMIT);
    for (int64_t q = 1; q <= 64; q++) {
        const double p = nearbyint(scale * (double)q);
        if ((float)(p / (double)q) == (float)scale) {
            *out = qn_dim_floor_div(in->dims, qn_dim_mul(in->dims, input, (int64_t)p), q);
            return QN_OK;
        }
    }
    /* Any float from 2^-20 on is a whole number of 2^-44ths. */
    const int64_t parts = (int64_t)ldexp(scale, 24);
    *out = qn_dim_floor_div(in->dims, qn_dim_mul(in->dims, input, parts), INT64_C(1) << 24);
    return QN_OK;
}

/* The scales, where they are constants: the count, or -1. */
static int read_scales(const QnInfer *in, double *scales)
{
    const QnTensor *tensor = qn_infer_has(in, 2) ? in->inputs[2].constant : NULL;
    if (!tensor || tensor->rank != 1 || tensor->dims[0] > QN_MAX_RANK)
        return -1;
    qn_tensor_read_row(tensor, 0, 1, tensor->dims[0], scales);
    return (int)tensor->dims[0];
}

/* With keep_aspect_ratio_policy all axes share one scale, which needs numbers. */
static void keep_ratio(const QnInfer *in, const QnShape *x, const int *axes, int count,
                       QnDim *sizes, QnDim *unknown)
{
    const bool is_larger = qn_op_string_is(in->node, "keep_aspect_ratio_policy", "not_smaller");
    double scale = 0;
    bool is_known = true;
    for (int i = 0; i < count; i++) {
        is_known = is_known && qn_dim_is_known(sizes[i]) && qn_dim_is_known(x->dims[axes[i]]);
        const double own = is_known ? (double)sizes[i] / (double)x->dims[axes[i]] : 0;
        scale = i == 0 || (is_larger ? own > scale : own < scale) ? own : scale;
    }
    for (int i = 0; i < count; i++)
        sizes[i] = is_known ? (int64_t)floor(scale * (double)x->dims[axes[i]] + 0.5) : unknown[i];
}

static QnStatus check_sizes(const QnInfer *in, const QnShape *x, const QnShape *y)
{
    for (int d = 0; d < x->rank; d++) {
        int64_t size;
        if (qn_dim_constant(in->dims, y->dims[d], &size) && size < 0)
            return qn_infer_fail(in, "the size of dimension %d is %lld, expected 0 at least", d,
                                 (long long)size);
        if (x->dims[d] == 0 && qn_dim_is_known(y->dims[d]) && y->dims[d] > 0)
            return qn_infer_fail(in, "dimension %d has no elements to resize", d);
    }
    return QN_OK;
}

/* Is an optional input really there?  An empty tensor counts as absent. */
static bool is_given(const QnInfer *in, int i)
{
    const QnShape *shape = qn_infer_shape(in, i);
    return qn_infer_has(in, i) && !(shape && shape->rank == 1 && shape->dims[0] == 0);
}

/* tf_crop_and_resize with scales: they hold for the part that roi says, which must be known. */
static QnStatus cropped_size(QnInfer *in, QnDim input, int i, int count, double scale, QnDim *out)
{
    const QnTensor *roi = in->inputs[1].constant;
    *out = qn_infer_fresh(in);
    if (!roi || !qn_dim_is_known(input) || qn_tensor_count(roi) != 2 * count)
        return QN_OK;
    const double part = qn_tensor_get(roi, i + count) - qn_tensor_get(roi, i);
    const double size = floor((double)input * part * scale);
    if (!(size >= 0) || size > 9e15)
        return qn_infer_fail(in, "roi and scales make a size of %g", size);
    *out = (int64_t)size;
    return QN_OK;
}

/* One scale or size for each axis.  given: how many are known, or -1: then the shape may tell. */
static QnStatus check_count(const QnInfer *in, int i, int64_t given, int count)
{
    const QnShape *shape = qn_infer_shape(in, i);
    if (given < 0 && shape && shape->rank == 1 && qn_dim_is_known(shape->dims[0]))
        given = shape->dims[0];
    if (shape && shape->rank > 1)
        return qn_infer_fail(in, "%s have rank %d, expected 1", i == 3 ? "sizes" : "scales",
                             shape->rank);
    if (given < 0 || given == count)
        return QN_OK;
    return qn_infer_fail(in, "there are %lld %s, expected %d", (long long)given,
                         i == 3 ? "sizes" : "scales", count);
}

static QnStatus infer_sizes(QnInfer *in, const QnShape *x, const int *axes, int count, QnShape *y)
{
    QnDim sizes[QN_MAX_RANK], unknown[QN_MAX_RANK];
    double scales[QN_MAX_RANK];
    const bool by_sizes = is_given(in, 3);
    const bool crops =
        qn_op_string_is(in->node, "coordinate_transformation_mode", "tf_crop_and_resize");
    const int given = by_sizes ? qn_infer_ints(in, 3, sizes, QN_MAX_RANK) : read_scales(in, scales);
    for (int i = 0; i < count; i++)
        unknown[i] = qn_infer_fresh(in);
    QN_TRY(check_count(in, by_sizes ? 3 : 2, given, count));
    if (given >= 0 && by_sizes && !qn_op_string_is(in->node, "keep_aspect_ratio_policy", "stretch"))
        keep_ratio(in, x, axes, count, sizes, unknown);
    for (int i = 0; i < count; i++) {
        if (given < 0)
            y->dims[axes[i]] = unknown[i];
        else if (by_sizes)
            y->dims[axes[i]] = sizes[i];
        else if (crops)
            QN_TRY(cropped_size(in, x->dims[axes[i]], i, count, scales[i], &y->dims[axes[i]]));
        else
            QN_TRY(scaled_size(in, x->dims[axes[i]], scales[i], &y->dims[axes[i]]));
    }
    return check_sizes(in, x, y);
}

static QnStatus infer_resize(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    const QnType element = qn_infer_element(in, 0);
    int axes[QN_MAX_RANK], count;
    QN_TRY(qn_resize_check(in->node, in->err));
    if (!is_given(in, 2) && !is_given(in, 3))
        return qn_infer_fail(in, "neither scales nor sizes are given");
    if (is_given(in, 2) && is_given(in, 3))
        return qn_infer_fail(in, "scales and sizes are both given");
    if (!x)
        return qn_infer_unknown(in, 0, element, -1);
    QN_TRY(qn_resize_axes(in->node, x->rank, axes, &count, in->err));
    const QnShape *roi = qn_infer_shape(in, 1);
    if (qn_op_string_is(in->node, "coordinate_transformation_mode", "tf_crop_and_resize") &&
        (!roi || roi->rank != 1 || (qn_dim_is_known(roi->dims[0]) && roi->dims[0] != 2 * count)))
        return qn_infer_fail(in, "roi is no tensor of %d numbers, which tf_crop_and_resize needs",
                             2 * count);
    QnShape y = *x;
    QN_TRY(infer_sizes(in, x, axes, count, &y));
    return qn_infer_tensor(in, 0, element, &y);
}

/* ---- computing ---- */

/* One axis at work: from [outer, input, inner] to [outer, output, inner]. */
typedef struct Pass {
    const QnResizeGrid *grid;
    int64_t outer, inner;
    const double *from; /* NULL: lines of bytes move */
    double *to;
    const char *lines;
    char *moved;
    size_t line; /* bytes */
} Pass;

/* to[k] = sum over the tap's rows of weight * row[k]; positions outside are those at the border. */
static void add_rows(const Pass *pass, const QnResizeTap *tap, int64_t o, double *to)
{
    const int64_t inner = pass->inner, input = pass->grid->input;
    for (int64_t k = 0; k < inner; k++)
        to[k] = 0;
    for (int64_t t = 0; t < tap->count; t++) {
        const int64_t i = qn_min_i64(qn_max_i64(tap->first + t, 0), input - 1);
        const double *row = pass->from + (o * input + i) * inner, weight = tap->weights[t];
        for (int64_t k = 0; k < inner; k++)
            to[k] += weight * row[k];
    }
}

/* Output positions begin <= i < end of an axis; the room is a tap's weights. */
static QnStatus resize_positions(const QnCall *call, const void *work, void *room, int64_t begin,
                                 int64_t end)
{
    const Pass *pass = work;
    const QnResizeGrid *grid = pass->grid;
    QnResizeTap tap = {.weights = room};
    (void)call;
    for (int64_t i = begin; i < end; i++) {
        qn_resize_tap(grid, i, &tap);
        const int64_t nearest = qn_min_i64(qn_max_i64(tap.first, 0), grid->input - 1);
        for (int64_t o = 0; o < pass->outer; o++) {
            if (pass->from)
                add_rows(pass, &tap, o, pass->to + (o * grid->output + i) * pass->inner);
            else
                memcpy(pass->moved + (size_t)(o * grid->output + i) * pass->line,
                       pass->lines + (size_t)(o * grid->input + nearest) * pass->line, pass->line);
        }
    }
    return QN_OK;
}

static QnStatus run_pass(const QnCall *call, const Pass *pass)
{
    const int64_t taps = qn_resize_tap_limit(pass->grid);
    const double cost = (double)pass->outer * (double)pass->inner * (double)(pass->from ? taps : 1);
    return qn_call_for(call, pass->grid->output, 30 + cost, (size_t)taps * sizeof(double),
                       resize_positions, pass);
}

/* tf_crop_and_resize: what lies outside of the input is the extrapolation value. */
static QnStatus fill_outside(const QnCall *call, const QnResizeGrid *grid, QnBox box, QnTensor *y)
{
    const double value = qn_op_float(call->node, "extrapolation_value");
    double *row;
    QN_ALLOC(row, call->scratch, box.inner);
    for (int64_t k = 0; k < box.inner; k++)
        row[k] = value;
    for (int64_t i = 0; i < box.length; i++) {
        const double x = qn_resize_coordinate(grid, i);
        if (x >= 0 && x <= (double)(grid->input - 1))
            continue;
        for (int64_t o = 0; o < box.outer; o++)
            qn_tensor_write_row(y, (o * box.length + i) * box.inner, 1, box.inner, row);
    }
    return qn_call_poll(call);
}

static void store(const QnCall *call, QnTensor *y, const double *from)
{
    enum { ROW = 256 };
    const int64_t count = qn_tensor_count(y);
    const bool rounds = qn_resize_rounds(call->node), is_int = !qn_type_is_float(y->type);
    if (!is_int)
        qn_tensor_write_row(y, 0, 1, count, from);
    for (int64_t first = 0; first < count && is_int; first += ROW) {
        const int64_t length = qn_min_i64(ROW, count - first);
        double row[ROW];
        for (int64_t i = 0; i < length; i++)
            row[i] = qn_resize_integer(rounds, y->type, from[first + i]);
        qn_tensor_write_row(y, first, 1, length, row);
    }
}

/* The region of interest counts in the mode that crops only. */
static const QnTensor *region_of(const QnCall *call)
{
    return qn_op_string_is(call->node, "coordinate_transformation_mode", "tf_crop_and_resize")
               ? qn_call_input(call, 1)
               : NULL;
}

static QnStatus make_grids(const QnCall *call, QnResizeGrid *grids, int *axes, int *count)
{
    const QnTensor *x = qn_call_input(call, 0), *y = qn_call_result(call, 0);
    const QnTensor *scales = qn_call_input(call, 2), *roi = region_of(call);
    QN_TRY(qn_resize_axes(call->node, x->rank, axes, count, call->err));
    for (int i = 0; i < *count; i++) {
        const bool by_scale = scales && qn_tensor_count(scales) > 0;
        const int64_t input = x->dims[axes[i]], output = y->dims[axes[i]];
        double start = 0, end = 1;
        if (roi && qn_tensor_count(roi) == 2 * *count) {
            start = qn_tensor_get(roi, i);
            end = qn_tensor_get(roi, i + *count);
        }
        const double own =
            by_scale ? qn_tensor_get(scales, i) : (double)output / ((double)input * (end - start));
        qn_resize_grid(&grids[i], call->node, input, output, own, start, end);
    }
    return QN_OK;
}

/* The resized axes, one after the other. */
typedef struct Axes {
    QnResizeGrid grids[QN_MAX_RANK];
    int axes[QN_MAX_RANK], count;
} Axes;

static QnStatus move_axes(const QnCall *call, const Axes *a, const QnTensor *x, QnTensor *y)
{
    QnTensor now = *x; /* the shape so far */
    const size_t size = qn_type_size(x->type);
    const char *from = x->data;
    for (int i = 0; i < a->count; i++) {
        char *to;
        if (a->grids[i].is_identity)
            continue;
        const QnBox box = qn_box(&now, a->axes[i]);
        now.dims[a->axes[i]] = a->grids[i].output;
        QN_ALLOC(to, call->scratch, qn_tensor_count(&now) * (int64_t)size);
        const Pass pass = {.grid = &a->grids[i],
                           .outer = box.outer,
                           .inner = box.inner,
                           .lines = from,
                           .moved = to,
                           .line = (size_t)box.inner * size};
        QN_TRY(run_pass(call, &pass));
        from = to;
    }
    memcpy(y->data, from, (size_t)qn_tensor_count(y) * size);
    return QN_OK;
}

static QnStatus filter_axes(const QnCall *call, const Axes *a, const QnTensor *x, QnTensor *y)
{
    QnTensor now = *x; /* the shape so far */
    double *from, *to;
    QN_ALLOC(from, call->scratch, qn_tensor_count(x));
    qn_tensor_read_row(x, 0, 1, qn_tensor_count(x), from);
    for (int i = 0; i < a->count; i++) {
        if (a->grids[i].is_identity)
            continue;
        const QnBox box = qn_box(&now, a->axes[i]);
        now.dims[a->axes[i]] = a->grids[i].output;
        QN_ALLOC(to, call->scratch, qn_tensor_count(&now));
        const Pass pass = {
            .grid = &a->grids[i], .outer = box.outer, .inner = box.inner, .from = from, .to = to};
        QN_TRY(run_pass(call, &pass));
        from = to;
    }
    store(call, y, from);
    return QN_OK;
}

static QnStatus resize(const QnCall *call)
{
    Axes a;
    QN_TRY(make_grids(call, a.grids, a.axes, &a.count));
    QnTensor x = *qn_call_input(call, 0), y = *qn_call_result(call, 0);
    if (qn_tensor_count(&y) == 0)
        return QN_OK;
    if (qn_op_string_is(call->node, "mode", "nearest")) {
        QN_TRY(move_axes(call, &a, &x, &y));
    } else {
        if (x.type == QN_STRING || !qn_tensor_pairs(&x) || !qn_tensor_pairs(&y))
            return qn_call_fail(call, "cannot interpolate %s of rank %d", qn_type_name(x.type),
                                x.rank);
        QN_TRY(filter_axes(call, &a, &x, &y));
    }
    for (int i = 0; i < a.count; i++)
        if (a.grids[i].crops)
            QN_TRY(fill_outside(call, &a.grids[i], qn_box(&y, a.axes[i]), &y));
    return QN_OK;
}

static const QnOpAttribute attributes[] = {
    {"antialias", QN_ATTRIBUTE_INT},
    {"axes", QN_ATTRIBUTE_INTS},
    {"coordinate_transformation_mode", QN_ATTRIBUTE_STRING, .s = "half_pixel"},
    {"cubic_coeff_a", QN_ATTRIBUTE_FLOAT, .f = -0.75},
    {"exclude_outside", QN_ATTRIBUTE_INT},
    {"extrapolation_value", QN_ATTRIBUTE_FLOAT},
    {"keep_aspect_ratio_policy", QN_ATTRIBUTE_STRING, .s = "stretch"},
    {"mode", QN_ATTRIBUTE_STRING, .s = "nearest"},
    {"nearest_mode", QN_ATTRIBUTE_STRING, .s = "round_prefer_floor"},
    {0},
};

const QnOp qn_ops_resize[] = {
    {.name = "Resize",
     .since = 19,
     .inputs = "X: any, roi?: float, scales?: float, sizes?: int64",
     .outputs = "Y: T",
     .attributes = attributes,
     .traits = QN_OP_PORTABLE,
     .infer = infer_resize,
     .reference = resize},
    {0},
};
