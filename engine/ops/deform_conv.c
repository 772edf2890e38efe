/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DeformConv: a convolution whose taps are moved by offsets that are data:
 *
 *     Y[n, m, o] = B[m] + sum over c, k of  W[m, c, k] * mask[n, g, k, o]
 *                       * X[n, c](o * stride - pad + k * dilation + offset[n, g, k, :, o])
 *
 * X(...) is linear between elements and zero outside; g is the offset group of channel c.
 */
#include <math.h>

#include "base/checked.h"
#include "engine/ops/taps.h"
#include "engine/ops/window.h"

enum { X, W, OFFSET, BIAS, MASK };

/* ---- inference ---- */

/* Fails where a dimension is surely not what it should be. */
static QnStatus want_dim(const QnInfer *in, int input, int d, int64_t wanted)
{
    const QnShape *shape = qn_infer_shape(in, input);
    if (!shape || d >= shape->rank || !qn_dim_is_known(shape->dims[d]) || shape->dims[d] == wanted)
        return QN_OK;
    return qn_infer_fail(in, "input %d has size %lld along dimension %d, expected %lld", input,
                         (long long)shape->dims[d], d, (long long)wanted);
}

static QnStatus check_groups(const QnInfer *in, const QnShape *x, const QnShape *w)
{
    const int64_t group = qn_op_int(in->node, "group");
    const int64_t offset_group = qn_op_int(in->node, "offset_group");
    int64_t channels;
    if (group < 1 || offset_group < 1)
        return qn_infer_fail(in, "group is %lld and offset_group %lld, expected 1 at least",
                             (long long)group, (long long)offset_group);
    if (qn_dim_is_known(w->dims[0]) && w->dims[0] % group)
        return qn_infer_fail(in, "%lld output channels are no multiple of group %lld",
                             (long long)w->dims[0], (long long)group);
    if (qn_dim_is_known(x->dims[1]) && x->dims[1] % offset_group)
        return qn_infer_fail(in, "%lld channels are no multiple of offset_group %lld",
                             (long long)x->dims[1], (long long)offset_group);
    if (!qn_dim_is_known(w->dims[1]))
        return QN_OK;
    if (!qn_mul_i64(&channels, w->dims[1], group))
        return qn_infer_fail(in, "group is %lld", (long long)group);
    return want_dim(in, X, 1, channels);
}

/* Offsets and masks have the output's places, and a channel per group, tap and, offsets, axis. */
static QnStatus check_field(const QnInfer *in, int input, const QnWindow *window, int64_t axes,
                            const QnShape *y)
{
    const QnShape *field = qn_infer_shape(in, input);
    int64_t channels = qn_op_int(in->node, "offset_group");
    if (!field)
        return QN_OK;
    QN_TRY(qn_infer_want_rank(in, input, y->rank));
    for (int d = 0; d < window->count; d++)
        if (!qn_mul_i64(&channels, channels, window->kernel[d]))
            return qn_infer_fail(in, "the kernel has too many taps");
    if (!qn_mul_i64(&channels, channels, axes))
        return qn_infer_fail(in, "the kernel has too many taps");
    QN_TRY(want_dim(in, input, 1, channels));
    for (int d = 0; d < y->rank; d++)
        if (d != 1 && qn_dim_is_known(y->dims[d]))
            QN_TRY(want_dim(in, input, d, y->dims[d]));
    return QN_OK;
}

static QnStatus infer_deform(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, X), *w = qn_infer_shape(in, W);
    const QnType element = qn_infer_element(in, X);
    QnWindow window;
    if (!x || !w)
        return qn_infer_unknown(in, 0, element, x ? x->rank : w ? w->rank : -1);
    if (x->rank < 3 || w->rank != x->rank)
        return qn_infer_fail(in, "the inputs have ranks %d and %d, expected equal ones, 3 at least",
                             x->rank, w->rank);
    QN_TRY(check_groups(in, x, w));
    for (int d = 2; d < w->rank; d++)
        if (!qn_dim_is_known(w->dims[d]))
            return qn_infer_unknown(in, 0, element, x->rank);
    QN_TRY(qn_window_read(&window, in->node, x->rank - 2, w->dims + 2, in->err));
    QnShape y = {.rank = x->rank, .dims = {x->dims[0], w->dims[0]}};
    for (int d = 0; d < window.count; d++)
        y.dims[d + 2] = qn_window_output(in->dims, &window, d, x->dims[d + 2]);
    QN_TRY(check_field(in, OFFSET, &window, window.count, &y));
    QN_TRY(check_field(in, MASK, &window, 1, &y));
    if (qn_infer_has(in, BIAS) && qn_dim_is_known(w->dims[0])) {
        QN_TRY(qn_infer_want_rank(in, BIAS, 1));
        QN_TRY(want_dim(in, BIAS, 0, w->dims[0]));
    }
    return qn_infer_tensor(in, 0, element, &y);
}

/* ---- computing ---- */

typedef struct Deform {
    const QnTensor *x, *w, *offset, *mask;
    QnWindow window;
    int64_t taps, input_size, output_size; /* spatial elements */
    int64_t channels, groups;              /* of x; offset groups */
    int64_t outputs, inner;                /* channels of the output; of x that each reads */
    double *weights;                       /* [outputs, inner, taps] */
    double *bias;                          /* [outputs] */
} Deform;

/* The elements around a position between them that lie in a plane; gives how many. */
static int find_corners(const Deform *d, const double *position, double mask, QnTap *corners)
{
    const int count = d->window.count;
    int found = 0;
    for (int corner = 0; corner < 1 << count; corner++) {
        QnTap tap = {0, 1};
        for (int k = 0; k < count; k++) {
            const double low = floor(position[k]), t = position[k] - low;
            const double index = low + (corner >> k & 1);
            const int64_t size = d->x->dims[k + 2];
            tap.weight *= corner >> k & 1 ? t : 1 - t;
            if (!(index >= 0 && index < (double)size)) /* also where it is no number */
                tap.weight = 0;
            tap.offset = tap.offset * size + (tap.weight != 0 ? (int64_t)index : 0);
        }
        if (tap.weight != 0) {
            tap.weight *= mask;
            corners[found++] = tap;
        }
    }
    return found;
}

/* Where a tap of group `field` of the offsets falls for output place o, at[] in its dimensions. */
static void find_position(const Deform *d, int64_t field, int64_t tap, const int64_t *at, int64_t o,
                          double *position)
{
    double offsets[QN_WINDOW_DIMS];
    int64_t rest = tap;
    qn_tensor_read_row(d->offset, field * d->window.count * d->output_size + o, d->output_size,
                       d->window.count, offsets);
    for (int k = d->window.count - 1; k >= 0; k--) {
        const int64_t step = rest % d->window.kernel[k];
        rest /= d->window.kernel[k];
        position[k] = (double)(at[k] * d->window.stride[k] - d->window.pad_begin[k] +
                               step * d->window.dilation[k]) +
                      offsets[k];
    }
}

enum { PLACES = 16 }; /* that are computed together, so that each weight is read once for them */

/* What one thread works with. */
typedef struct Room {
    QnTap *corners;  /* [1 << dimensions] */
    double *row;     /* [channels of a group] */
    double *columns; /* [channels][taps][PLACES]: what the taps see from some places */
    double *results; /* [PLACES] */
    int64_t places;  /* how many of them are in use */
} Room;

static size_t room_size(const Deform *d)
{
    return (sizeof(QnTap) << d->window.count) +
           (size_t)(d->channels / d->groups + PLACES * (d->taps * d->channels + 1)) *
               sizeof(double);
}

/* Column p: what the taps see from place o of image n. */
static void read_column(const Deform *d, const QnTensor *y, int64_t n, int64_t o, int64_t p,
                        const Room *room)
{
    const int64_t each = d->channels / d->groups;
    int64_t at[QN_WINDOW_DIMS], rest = o;
    for (int k = d->window.count - 1; k >= 0; k--) {
        at[k] = rest % y->dims[k + 2];
        rest /= y->dims[k + 2];
    }
    for (int64_t g = 0; g < d->groups; g++)
        for (int64_t tap = 0; tap < d->taps; tap++) {
            const int64_t field = (n * d->groups + g) * d->taps + tap;
            const double mask = d->mask ? qn_tensor_get(d->mask, field * d->output_size + o) : 1;
            double position[QN_WINDOW_DIMS];
            find_position(d, field, tap, at, o, position);
            const int count = find_corners(d, position, mask, room->corners);
            qn_taps_sum(d->x, (n * d->channels + g * each) * d->input_size, d->input_size, each,
                        room->corners, count, room->row);
            double *to = room->columns + (g * each * d->taps + tap) * PLACES + p;
            for (int64_t c = 0; c < each; c++)
                to[c * d->taps * PLACES] = room->row[c];
        }
}

static void add_scaled(double *to, const double *from, double by, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        to[i] += by * from[i];
}

/* Output channel m at the places whose columns were read. */
static void multiply(const Deform *d, int64_t m, int64_t per_group, const Room *room)
{
    const int64_t terms = d->inner * d->taps, places = room->places;
    const double *weights = d->weights + m * terms;
    const double *columns = room->columns + m / per_group * terms * PLACES;
    for (int64_t p = 0; p < places; p++)
        room->results[p] = d->bias[m];
    for (int64_t i = 0; i < terms; i++)
        add_scaled(room->results, columns + i * PLACES, weights[i], places);
}

/* Blocks begin <= u < end of places, of all images. */
static QnStatus run_places(const QnCall *call, const void *work, void *memory, int64_t begin,
                           int64_t end)
{
    const Deform *d = work;
    QnTensor *y = qn_call_result(call, 0);
    const int64_t per_group = d->outputs / qn_op_int(call->node, "group");
    const int64_t blocks = qn_ceil_div(d->output_size, PLACES);
    Room room = {.corners = memory};
    room.row = (double *)(room.corners + ((size_t)1 << d->window.count));
    room.columns = room.row + d->channels / d->groups;
    room.results = room.columns + PLACES * d->taps * d->channels;
    for (int64_t u = begin; u < end; u++) {
        const int64_t n = u / blocks, first = u % blocks * PLACES;
        const int64_t count = qn_min_i64(PLACES, d->output_size - first);
        room.places = count;
        for (int64_t p = 0; p < count; p++)
            read_column(d, y, n, first + p, p, &room);
        for (int64_t m = 0; m < d->outputs; m++) {
            multiply(d, m, per_group, &room);
            qn_tensor_write_row(y, (n * d->outputs + m) * d->output_size + first, 1, count,
                                room.results);
        }
    }
    return QN_OK;
}

static QnStatus init_deform(const QnCall *call, Deform *d)
{
    const QnTensor *y = qn_call_result(call, 0), *bias = qn_call_input(call, BIAS);
    *d = (Deform){.x = qn_call_input(call, X),
                  .w = qn_call_input(call, W),
                  .offset = qn_call_input(call, OFFSET),
                  .mask = qn_call_input(call, MASK),
                  .taps = 1,
                  .input_size = 1,
                  .output_size = 1,
                  .groups = qn_op_int(call->node, "offset_group"),
                  .outputs = y->dims[1]};
    QN_TRY(qn_window_read(&d->window, call->node, d->x->rank - 2, d->w->dims + 2, call->err));
    d->channels = d->x->dims[1];
    d->inner = d->w->dims[1];
    for (int k = 0; k < d->window.count; k++) {
        d->taps *= d->window.kernel[k];
        d->input_size *= d->x->dims[k + 2];
        d->output_size *= y->dims[k + 2];
    }
    QN_ALLOC(d->weights, call->scratch, qn_tensor_count(d->w));
    QN_ALLOC(d->bias, call->scratch, d->outputs);
    qn_tensor_read_row(d->w, 0, 1, qn_tensor_count(d->w), d->weights);
    if (bias)
        qn_tensor_read_row(bias, 0, 1, d->outputs, d->bias);
    return QN_OK;
}

static QnStatus deform(const QnCall *call)
{
    Deform d;
    if (qn_tensor_count(qn_call_result(call, 0)) == 0)
        return QN_OK;
    QN_TRY(init_deform(call, &d));
    const double column = (double)d.taps * (double)d.channels;
    return qn_call_for(
        call, qn_call_result(call, 0)->dims[0] * qn_ceil_div(d.output_size, PLACES),
        PLACES * (10 * column + 0.3 * (double)d.outputs * (double)d.inner * (double)d.taps),
        room_size(&d), run_places, &d);
}

static const QnOpAttribute attributes[] = {{"dilations", QN_ATTRIBUTE_INTS},
                                           {"group", QN_ATTRIBUTE_INT, .i = 1},
                                           {"kernel_shape", QN_ATTRIBUTE_INTS},
                                           {"offset_group", QN_ATTRIBUTE_INT, .i = 1},
                                           {"pads", QN_ATTRIBUTE_INTS},
                                           {"strides", QN_ATTRIBUTE_INTS},
                                           {0}};

const QnOp qn_ops_deform_conv[] = {
    {.name = "DeformConv",
     .since = 22,
     .inputs = "X: float, W: float, offset: float, B?: float, mask?: float",
     .outputs = "Y: float",
     .attributes = attributes,
     .traits = QN_OP_PORTABLE,
     .infer = infer_deform,
     .reference = deform},
    {0},
};
