/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/ops/resize_grid.h"

#include <math.h>

#include "engine/ops/quantized.h"

static const char *const modes[] = {"nearest", "linear", "cubic", NULL};
static const char *const spaces[] = {
    "half_pixel",           "pytorch_half_pixel", "asymmetric",           "align_corners",
    "tf_half_pixel_for_nn", "tf_crop_and_resize", "half_pixel_symmetric", NULL};
static const char *const rounds[] = {
    "round_prefer_floor", "round_prefer_ceil", "floor", "ceil", "simple", NULL};
static const char *const policies[] = {"stretch", "not_larger", "not_smaller", NULL};

/* Which of the names an attribute says; -1: none. */
static int find_name(const QnNode *node, const char *attribute, const char *const *names)
{
    for (int i = 0; names[i]; i++)
        if (qn_op_string_is(node, attribute, names[i]))
            return i;
    return -1;
}

QnStatus qn_resize_check(const QnNode *node, QnError *err)
{
    static const struct {
        const char *attribute;
        const char *const *names;
    } rows[] = {
        {"mode", modes},
        {"coordinate_transformation_mode", spaces},
        {"nearest_mode", rounds},
        {"keep_aspect_ratio_policy", policies},
    };
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++) {
        const QnString text = qn_op_string(node, rows[i].attribute);
        if (find_name(node, rows[i].attribute, rows[i].names) < 0)
            return qn_fail(err, QN_BAD_MODEL, "%s is '%.*s', expected one like '%s'",
                           rows[i].attribute, (int)(text.size < 64 ? text.size : 64), text.data,
                           rows[i].names[0]);
    }
    return QN_OK;
}

QnStatus qn_resize_axes(const QnNode *node, int rank, int *axes, int *count, QnError *err)
{
    const QnAttribute *list = qn_node_attribute(node, "axes");
    bool is_marked[QN_MAX_RANK] = {false};
    *count = rank;
    for (int d = 0; d < rank; d++)
        axes[d] = d;
    if (!list || list->kind != QN_ATTRIBUTE_INTS || list->count == 0)
        return QN_OK;
    if (list->count > rank)
        return qn_fail(err, QN_BAD_MODEL, "axes has %d entries, expected at most %d", list->count,
                       rank);
    *count = list->count;
    for (int i = 0; i < list->count; i++) {
        const int64_t axis = list->ints[i];
        if (axis < -rank || axis >= rank)
            return qn_fail(err, QN_BAD_MODEL, "axes names dimension %lld, expected %d to %d",
                           (long long)axis, -rank, rank - 1);
        axes[i] = (int)(axis < 0 ? axis + rank : axis);
        if (is_marked[axes[i]])
            return qn_fail(err, QN_BAD_MODEL, "axes names dimension %d twice", axes[i]);
        is_marked[axes[i]] = true;
    }
    return QN_OK;
}

void qn_resize_grid(QnResizeGrid *grid, const QnNode *node, int64_t input, int64_t output,
                    double scale, double start, double end)
{
    *grid = (QnResizeGrid){
        .input = input,
        .output = output,
        .scale = scale,
        .start = start,
        .end = end,
        .filter = (QnResizeFilter)find_name(node, "mode", modes),
        .space = (QnResizeSpace)find_name(node, "coordinate_transformation_mode", spaces),
        .round = (QnResizeRound)find_name(node, "nearest_mode", rounds),
        .cubic = qn_op_float(node, "cubic_coeff_a"),
        .antialias = qn_op_int(node, "antialias") != 0,
        .exclude_outside = qn_op_int(node, "exclude_outside") != 0,
    };
    grid->crops = grid->space == QN_SPACE_TF_CROP;
    /* The coordinate modes agree that an axis of the same size and scale 1 is left as it is, but
     * for the one that shifts by half a pixel and the one that crops. */
    grid->is_identity = input == output && scale == 1 && grid->space != QN_SPACE_TF_HALF_PIXEL &&
                        (!grid->crops || (start == 0 && end == 1));
}

bool qn_resize_rounds(const QnNode *node)
{
    return qn_op_int(node, "antialias") != 0 || !qn_op_string_is(node, "mode", "linear");
}

double qn_resize_integer(bool to_nearest, QnType type, double x)
{
    int64_t low = INT64_MIN, high = INT64_MAX;
    const double nearest = nearbyint(x);
    if (!to_nearest)
        return fabs(x - nearest) <= fabs(x) * 1e-6 ? nearest : x;
    qn_quantized_range(type, &low, &high);
    return fmin(fmax(nearest, (double)low), (double)high);
}

/* Sizes as the formulas want them: the width before it is cut to a whole number. */
double qn_resize_coordinate(const QnResizeGrid *grid, int64_t i)
{
    const double x = (double)i, input = (double)grid->input, scale = grid->scale;
    const double width = input * scale;
    switch (grid->space) {
    case QN_SPACE_ASYMMETRIC:
        return x / scale;
    case QN_SPACE_ALIGN_CORNERS:
        return grid->output == 1 || width == 1 ? 0 : x * (input - 1) / (width - 1);
    case QN_SPACE_TF_HALF_PIXEL:
        return (x + 0.5) / scale;
    case QN_SPACE_TF_CROP: {
        const double part = grid->end - grid->start, cropped = part * width;
        const double inside =
            grid->output == 1 ? part * (input - 1) / 2 : x * part * (input - 1) / (cropped - 1);
        return inside + grid->start * (input - 1);
    }
    case QN_SPACE_HALF_PIXEL_SYMMETRIC: {
        const double adjustment = (double)grid->output / width;
        return input / 2 * (1 - adjustment) + (x + 0.5) / scale - 0.5;
    }
    case QN_SPACE_PYTORCH_HALF_PIXEL:
        return grid->output == 1 ? 0 : (x + 0.5) / scale - 0.5;
    default:
        return (x + 0.5) / scale - 0.5;
    }
}

/* How much the filter is stretched: by 1 / scale where antialias meets an axis that shrinks. */
static double filter_scale(const QnResizeGrid *grid)
{
    return grid->antialias && grid->scale < 1 ? grid->scale : 1;
}

/* Half the width of the filter, in neighbours, left of the position. */
static int64_t filter_reach(const QnResizeGrid *grid)
{
    const double radius = grid->filter == QN_FILTER_CUBIC ? 2 : 1;
    const double reach = ceil(radius / filter_scale(grid));
    /* A filter wider than the axis reads only its border beyond. */
    return reach < (double)(2 * grid->input + 2) ? (int64_t)reach : 2 * grid->input + 2;
}

int64_t qn_resize_tap_limit(const QnResizeGrid *grid)
{
    return grid->filter == QN_FILTER_NEAREST ? 1 : 2 * filter_reach(grid);
}

static double cubic_weight(double x, double a)
{
    const double d = fabs(x);
    if (d <= 1)
        return ((a + 2) * d - (a + 3)) * d * d + 1;
    return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

/* The position as an integer that a cast can hold. */
static int64_t to_position(const QnResizeGrid *grid, double x)
{
    const double limit = 4.0 * (double)grid->input + 4;
    return !(x > -limit) ? -(int64_t)limit : x < limit ? (int64_t)x : (int64_t)limit;
}

static int64_t nearest(const QnResizeGrid *grid, double x)
{
    switch (grid->round) {
    case QN_ROUND_PREFER_FLOOR:
        return to_position(grid, ceil(x - 0.5));
    case QN_ROUND_PREFER_CEIL:
        return to_position(grid, floor(x + 0.5));
    case QN_ROUND_CEIL:
        return to_position(grid, ceil(x));
    case QN_ROUND_SIMPLE:
        return to_position(grid, grid->scale < 1 ? ceil(x) : floor(x));
    default:
        return to_position(grid, floor(x));
    }
}

void qn_resize_tap(const QnResizeGrid *grid, int64_t i, QnResizeTap *tap)
{
    const double x = qn_resize_coordinate(grid, i);
    if (grid->filter == QN_FILTER_NEAREST) {
        tap->first = nearest(grid, x);
        tap->count = 1;
        tap->weights[0] = 1;
        return;
    }
    /* The neighbour on the left is strictly left of x. */
    const int64_t left = to_position(grid, ceil(x) - 1), reach = filter_reach(grid);
    const double stretch = filter_scale(grid);
    double sum = 0;
    tap->first = left - reach + 1;
    tap->count = 2 * reach;
    for (int64_t k = 0; k < tap->count; k++) {
        const int64_t at = tap->first + k;
        const double away = ((double)at - x) * stretch;
        const bool is_outside = at < 0 || at >= grid->input;
        const double weight = grid->filter == QN_FILTER_CUBIC ? cubic_weight(away, grid->cubic)
                                                              : fmax(1 - fabs(away), 0);
        tap->weights[k] = grid->exclude_outside && is_outside ? 0 : weight;
        sum += tap->weights[k];
    }
    for (int64_t k = 0; k < tap->count && sum != 0; k++)
        tap->weights[k] /= sum;
}
