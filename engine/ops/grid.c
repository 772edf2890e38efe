/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GridSample: the input read at the positions that a grid gives, -1 to 1 across each dimension, x
 * first; and AffineGrid, which makes such grids from matrices.  With align_corners -1 and 1 are the
 * centers of the border elements, else their outer edges.
 */
#include <math.h>

#include "base/checked.h"
#include "engine/ops/taps.h"

enum { SPATIAL = QN_MAX_RANK - 2, DIMS_OF_CUBIC = 6 };

/* ---- GridSample ---- */

static QnStatus infer_grid_sample(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0), *grid = qn_infer_shape(in, 1);
    const QnType element = qn_infer_element(in, 0);
    static const char *const modes[] = {"linear", "nearest", "cubic"};
    static const char *const paddings[] = {"zeros", "border", "reflection"};
    bool is_mode = false, is_padding = false;
    for (int i = 0; i < 3; i++) {
        is_mode = is_mode || qn_op_string_is(in->node, "mode", modes[i]);
        is_padding = is_padding || qn_op_string_is(in->node, "padding_mode", paddings[i]);
    }
    if (!is_mode || !is_padding)
        return qn_infer_fail(in, "mode or padding_mode is none of ONNX's");
    if (!x || !grid)
        return qn_infer_unknown(in, 0, element, x ? x->rank : -1);
    if (x->rank < 3 || x->rank > DIMS_OF_CUBIC + 2 || grid->rank != x->rank)
        return qn_infer_fail(in, "the inputs have ranks %d and %d, expected equal ones of 3 to %d",
                             x->rank, grid->rank, DIMS_OF_CUBIC + 2);
    const QnDim numbers = grid->dims[grid->rank - 1];
    if (qn_dim_is_known(numbers) && numbers != x->rank - 2)
        return qn_infer_fail(in, "the grid has %lld coordinates, expected %d", (long long)numbers,
                             x->rank - 2);
    if (qn_dim_is_known(x->dims[0]) && qn_dim_is_known(grid->dims[0]) &&
        x->dims[0] != grid->dims[0])
        return qn_infer_fail(in, "the batches are %lld and %lld, expected equal ones",
                             (long long)x->dims[0], (long long)grid->dims[0]);
    QnShape y = *x;
    for (int d = 2; d < x->rank; d++)
        y.dims[d] = grid->dims[d - 1];
    return qn_infer_tensor(in, 0, element, &y);
}

typedef enum Padding { ZEROS, BORDER, REFLECTION } Padding;
typedef enum Mode { LINEAR, NEAREST, CUBIC } Mode;

typedef struct Sampler {
    const QnTensor *x;
    QnTensor numbers; /* x, complex numbers as pairs */
    int count;        /* spatial dims */
    int parts;        /* numbers in an element: 2 in complex ones */
    bool align_corners;
    Padding padding;
    Mode mode;
} Sampler;

/* Bounces between the borders low and high. */
static double reflect(double x, double low, double high)
{
    const double range = high - low;
    if (range <= 0 || !isfinite(x))
        return low;
    double away = fmod(fabs(x - low), 2 * range);
    return away <= range ? low + away : low + 2 * range - away;
}

/* From -1 … 1 to elements of dimension d. */
static double denormalize(const Sampler *s, int d, double x)
{
    const double length = (double)s->x->dims[d + 2];
    return s->align_corners ? (x + 1) / 2 * (length - 1) : ((x + 1) * length - 1) / 2;
}

/* What stands for a position outside: another one, or -1 for nothing. */
static int64_t pad_index(const Sampler *s, int d, double position)
{
    const double last = (double)s->x->dims[d + 2] - 1;
    if (s->padding == REFLECTION)
        position =
            s->align_corners ? reflect(position, 0, last) : reflect(position, -0.5, last + 0.5);
    else if (s->padding == ZEROS && !(position >= 0 && position <= last))
        return -1;
    return (int64_t)fmin(fmax(nearbyint(position), 0), last);
}

static double pad_position(const Sampler *s, int d, double position)
{
    const double last = (double)s->x->dims[d + 2] - 1;
    if (s->padding == BORDER)
        return fmin(fmax(position, 0), last);
    if (s->padding == REFLECTION)
        return s->align_corners ? reflect(position, 0, last) : reflect(position, -0.5, last + 0.5);
    return position;
}

/* The weights of the neighbours from *first on, along one dimension; their count. */
static int neighbours(Mode mode, double position, double *weights, double *first)
{
    const double a = -0.75, below = floor(position), t = position - below;
    if (mode == NEAREST) {
        *first = nearbyint(position);
        weights[0] = 1;
        return 1;
    }
    if (mode == LINEAR) {
        *first = below;
        weights[0] = 1 - t;
        weights[1] = t;
        return 2;
    }
    *first = below - 1;
    weights[0] = ((a * (t + 1) - 5 * a) * (t + 1) + 8 * a) * (t + 1) - 4 * a;
    weights[1] = ((a + 2) * t - (a + 3)) * t * t + 1;
    weights[2] = ((a + 2) * (1 - t) - (a + 3)) * (1 - t) * (1 - t) + 1;
    weights[3] = ((a * (2 - t) - 5 * a) * (2 - t) + 8 * a) * (2 - t) - 4 * a;
    return 4;
}

/* The taps of one position: per dimension padded indices and weights. */
typedef struct Taps {
    int counts[SPATIAL];
    int64_t indices[SPATIAL][4];
    double weights[SPATIAL][4];
} Taps;

static void make_taps(const Sampler *s, const double *grid, Taps *taps)
{
    for (int d = 0; d < s->count; d++) {
        double first, position = denormalize(s, d, grid[s->count - 1 - d]);
        if (!isfinite(position))
            position = -1e9; /* nowhere: zeros, or the border */
        if (s->mode != CUBIC)
            position = pad_position(s, d, position);
        taps->counts[d] = neighbours(s->mode, position, taps->weights[d], &first);
        for (int k = 0; k < taps->counts[d]; k++)
            taps->indices[d][k] = pad_index(s, d, first + k);
    }
}

/* All combinations of the taps of the dimensions that lie inside, as elements of a plane;
 * gives how many. */
static int combine(const Sampler *s, const Taps *taps, QnTap *to)
{
    int combinations = 1, count = 0;
    for (int d = 0; d < s->count; d++)
        combinations *= taps->counts[d];
    for (int i = 0; i < combinations; i++) {
        int rest = i;
        QnTap tap = {0, 1};
        bool is_inside = true;
        for (int d = 0; d < s->count; d++) {
            const int k = rest % taps->counts[d];
            rest /= taps->counts[d];
            is_inside = is_inside && taps->indices[d][k] >= 0;
            tap.weight *= taps->weights[d][k];
            tap.offset = tap.offset * s->x->dims[d + 2] + taps->indices[d][k];
        }
        tap.offset *= s->parts;
        if (is_inside)
            to[count++] = tap;
    }
    return count;
}

/* The nearest element, of any type; zero, or an empty string, where nothing is. */
static void move_tap(const Sampler *s, const Taps *taps, int64_t base, void *to)
{
    const size_t size = qn_type_size(s->x->type);
    int64_t at = 0;
    bool is_inside = true;
    for (int d = 0; d < s->count; d++) {
        is_inside = is_inside && taps->indices[d][0] >= 0;
        at = at * s->x->dims[d + 2] + taps->indices[d][0];
    }
    if (is_inside)
        memcpy(to, (const char *)s->x->data + (size_t)(base + at) * size, size);
    else
        memset(to, 0, size);
}

static QnStatus make_sampler(const QnCall *call, Sampler *s)
{
    const QnNode *node = call->node;
    *s = (Sampler){.x = qn_call_input(call, 0)};
    s->count = s->x->rank - 2;
    s->align_corners = qn_op_int(node, "align_corners") != 0;
    s->padding = qn_op_string_is(node, "padding_mode", "zeros")    ? ZEROS
                 : qn_op_string_is(node, "padding_mode", "border") ? BORDER
                                                                   : REFLECTION;
    s->mode = qn_op_string_is(node, "mode", "linear")    ? LINEAR
              : qn_op_string_is(node, "mode", "nearest") ? NEAREST
                                                         : CUBIC;
    s->numbers = *s->x;
    if (s->mode != NEAREST && (s->x->type == QN_STRING || !qn_tensor_pairs(&s->numbers)))
        return qn_call_fail(call, "cannot interpolate %s", qn_type_name(s->x->type));
    s->parts = s->numbers.rank > s->x->rank ? 2 : 1;
    return QN_OK;
}

enum { PLACES = 32, FEW_TAPS = 16 };

/* What one thread works with: some positions, whose taps all channels share. */
typedef struct Room {
    QnTap *taps;     /* [places][combinations] */
    double *results; /* [places] */
} Room;

static int combinations_of(const Sampler *s)
{
    const int each = s->mode == CUBIC ? 4 : s->mode == LINEAR ? 2 : 1;
    int all = 1;
    for (int d = 0; d < s->count; d++)
        all *= each;
    return all;
}

/* So many positions are sampled together: a plane then stays in the cache for them. */
static int places_of(const Sampler *s)
{
    return combinations_of(s) <= FEW_TAPS ? PLACES : 1;
}

static void find_taps(const QnCall *call, const Sampler *s, int64_t position, Taps *taps)
{
    double at[SPATIAL];
    qn_tensor_read_row(qn_call_input(call, 1), position * s->count, 1, s->count, at);
    make_taps(s, at, taps);
}

/* Positions [first, first + places) of image n by the nearest element, in all channels. */
static void move_places(const QnCall *call, const Sampler *s, int64_t n, int64_t first, int places)
{
    QnTensor *y = qn_call_result(call, 0);
    const QnBox in = qn_box(s->x, 1), out = qn_box(y, 1);
    for (int p = 0; p < places; p++) {
        Taps taps;
        find_taps(call, s, n * out.inner + first + p, &taps);
        for (int64_t c = 0; c < out.length; c++) {
            const int64_t plane = n * out.length + c;
            move_tap(s, &taps, plane * in.inner,
                     (char *)y->data +
                         (size_t)(plane * out.inner + first + p) * qn_type_size(y->type));
        }
    }
}

/* The same by weighted neighbours. */
static void sum_places(const QnCall *call, const Sampler *s, int64_t n, int64_t first, int places,
                       const Room *room)
{
    QnTensor numbers = *qn_call_result(call, 0);
    const QnBox in = qn_box(s->x, 1), out = qn_box(&numbers, 1);
    const int limit = combinations_of(s);
    int counts[PLACES];
    qn_tensor_pairs(&numbers);
    for (int p = 0; p < places; p++) {
        Taps taps;
        find_taps(call, s, n * out.inner + first + p, &taps);
        counts[p] = combine(s, &taps, room->taps + (size_t)p * (size_t)limit);
    }
    for (int64_t plane = n * out.length; plane < (n + 1) * out.length; plane++)
        for (int part = 0; part < s->parts; part++) {
            qn_taps_sum_places(&s->numbers, plane * in.inner * s->parts + part, room->taps, limit,
                               counts, places, room->results);
            qn_tensor_write_row(&numbers, (plane * out.inner + first) * s->parts + part, s->parts,
                                places, room->results);
        }
}

/* Blocks begin <= u < end of positions, of all images. */
static QnStatus sample_blocks(const QnCall *call, const void *work, void *memory, int64_t begin,
                              int64_t end)
{
    const Sampler *s = work;
    const int64_t positions = qn_box(qn_call_result(call, 0), 1).inner;
    const int most = places_of(s);
    const int64_t blocks = qn_ceil_div(positions, most);
    const Room room = {memory, (double *)((QnTap *)memory + most * combinations_of(s))};
    for (int64_t u = begin; u < end; u++) {
        const int64_t n = u / blocks, first = u % blocks * most;
        const int places = (int)qn_min_i64(most, positions - first);
        if (s->mode == NEAREST)
            move_places(call, s, n, first, places);
        else
            sum_places(call, s, n, first, places, &room);
    }
    return QN_OK;
}

static QnStatus grid_sample(const QnCall *call)
{
    const QnTensor *y = qn_call_result(call, 0);
    Sampler s;
    QN_TRY(make_sampler(call, &s));
    const QnBox in = qn_box(s.x, 1), out = qn_box(y, 1);
    const int most = places_of(&s), combinations = combinations_of(&s);
    if (in.inner == 0 && qn_tensor_count(y) > 0)
        return qn_call_fail(call, "the input has no elements to sample");
    return qn_call_for(call, out.outer * qn_ceil_div(out.inner, most),
                       most * (50 + combinations * (5 + 1.5 * (double)out.length)),
                       (size_t)most * ((size_t)combinations * sizeof(QnTap) + sizeof(double)),
                       sample_blocks, &s);
}

/* ---- AffineGrid ---- */

static QnStatus infer_affine(QnInfer *in)
{
    const QnShape *theta = qn_infer_shape(in, 0), *size = qn_infer_shape(in, 1);
    const QnType element = qn_infer_element(in, 0);
    QnDim sizes[QN_MAX_RANK];
    const int count = qn_infer_ints(in, 1, sizes, QN_MAX_RANK);
    QN_TRY(qn_infer_want_rank(in, 0, 3));
    if (count < 0) {
        const bool is_known = size && size->rank == 1 && size->dims[0] >= 4 && size->dims[0] <= 5;
        return qn_infer_unknown(in, 0, element, is_known ? (int)size->dims[0] : -1);
    }
    if (count != 4 && count != 5)
        return qn_infer_fail(in, "size has %d entries, expected 4 or 5", count);
    for (int d = 0; theta && d < 2; d++)
        if (qn_dim_is_known(theta->dims[d + 1]) && theta->dims[d + 1] != count - 2 + d)
            return qn_infer_fail(in, "theta has size %lld along dimension %d, expected %d",
                                 (long long)theta->dims[d + 1], d + 1, count - 2 + d);
    if (theta && qn_dim_is_known(theta->dims[0]) && qn_dim_is_known(sizes[0]) &&
        theta->dims[0] != sizes[0])
        return qn_infer_fail(in, "theta has %lld matrices, expected %lld",
                             (long long)theta->dims[0], (long long)sizes[0]);
    QnShape y = {.rank = count, .dims = {sizes[0]}};
    for (int d = 2; d < count; d++) {
        int64_t number;
        if (qn_dim_constant(in->dims, sizes[d], &number) && number < 0)
            return qn_infer_fail(in, "size[%d] is %lld, expected 0 at least", d, (long long)number);
        y.dims[d - 1] = sizes[d];
    }
    y.dims[count - 1] = count - 2;
    return qn_infer_tensor(in, 0, element, &y);
}

/* Position i of `count` in -1 … 1. */
static double spread(int64_t i, int64_t count, bool align_corners)
{
    const double x = (double)i, n = (double)count;
    if (align_corners)
        return count > 1 ? 2 * x / (n - 1) - 1 : -1;
    return (2 * x + 1) / n - 1;
}

/* Lines begin <= l < end of positions along the last dimension; the room is a line. */
static QnStatus affine_lines(const QnCall *call, const void *work, void *room, int64_t begin,
                             int64_t end)
{
    QnTensor *y = qn_call_result(call, 0);
    const bool align_corners = *(const bool *)work;
    const int count = y->rank - 2; /* coordinates */
    const int64_t length = y->dims[count];
    double theta[3 * 4], *to = room;
    for (int64_t l = begin; l < end; l++) {
        double from[4] = {0}; /* x, y, (z,) 1 */
        int64_t rest = l;
        for (int d = 1; d < count; d++) {
            from[d] = spread(rest % y->dims[count - d], y->dims[count - d], align_corners);
            rest /= y->dims[count - d];
        }
        from[count] = 1;
        qn_tensor_read_row(qn_call_input(call, 0), rest * count * (count + 1), 1,
                           count * (count + 1), theta);
        for (int64_t i = 0; i < length; i++) {
            from[0] = spread(i, length, align_corners);
            for (int r = 0; r < count; r++) {
                double sum = 0;
                for (int c = 0; c <= count; c++)
                    sum += from[c] * theta[r * (count + 1) + c];
                to[i * count + r] = sum;
            }
        }
        qn_tensor_write_row(y, l * length * count, 1, length * count, to);
    }
    return QN_OK;
}

static QnStatus affine_grid(const QnCall *call)
{
    const QnTensor *y = qn_call_result(call, 0);
    const bool align_corners = qn_op_int(call->node, "align_corners") != 0;
    const int count = y->rank - 2;
    const int64_t length = y->dims[count] * count;
    if (qn_tensor_count(y) == 0)
        return QN_OK;
    return qn_call_for(call, qn_tensor_count(y) / length, 5 * (double)length,
                       (size_t)length * sizeof(double), affine_lines, &align_corners);
}

static const QnOpAttribute sample_attributes[] = {
    {"align_corners", QN_ATTRIBUTE_INT},
    {"mode", QN_ATTRIBUTE_STRING, .s = "linear"},
    {"padding_mode", QN_ATTRIBUTE_STRING, .s = "zeros"},
    {0}};
static const QnOpAttribute affine_attributes[] = {{"align_corners", QN_ATTRIBUTE_INT}, {0}};

const QnOp qn_ops_grid[] = {
    {.name = "AffineGrid",
     .since = 20,
     .inputs = "theta: float, size: int64",
     .outputs = "grid: T",
     .attributes = affine_attributes,
     .traits = QN_OP_PORTABLE,
     .infer = infer_affine,
     .reference = affine_grid},
    {.name = "GridSample",
     .since = 22,
     .inputs = "X: any, grid: float",
     .outputs = "Y: T",
     .attributes = sample_attributes,
     .traits = QN_OP_PORTABLE,
     .infer = infer_grid_sample,
     .reference = grid_sample},
    {0},
};
