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
} Deform;

/* Plane `plane` of x at a position between its elements: the corners around it, by their parts. */
static double sample(const Deform *d, int64_t plane, const double *position)
{
    const int count = d->window.count;
    double sum = 0;
    for (int corner = 0; corner < 1 << count; corner++) {
        double part = 1;
        int64_t at = 0;
        for (int k = 0; k < count; k++) {
            const double low = floor(position[k]), t = position[k] - low;
            const double index = low + (corner >> k & 1);
            const int64_t size = d->x->dims[k + 2];
            part *= corner >> k & 1 ? t : 1 - t;
            if (!(index >= 0 && index < (double)size)) /* also where it is no number */
                part = 0;
            at = at * size + (part != 0 ? (int64_t)index : 0);
        }
        if (part != 0)
            sum += part * qn_tensor_get(d->x, plane * d->input_size + at);
    }
    return sum;
}

/* The value of one tap for channel c: sampled and masked. */
static double tap_value(const Deform *d, int64_t n, int64_t c, int64_t tap, const int64_t *at,
                        int64_t o)
{
    const int count = d->window.count;
    const int64_t field = (n * d->groups + c / (d->channels / d->groups)) * d->taps + tap;
    double position[QN_WINDOW_DIMS];
    int64_t rest = tap;
    for (int k = count - 1; k >= 0; k--) {
        const int64_t step = rest % d->window.kernel[k];
        rest /= d->window.kernel[k];
        position[k] = (double)(at[k] * d->window.stride[k] - d->window.pad_begin[k] +
                               step * d->window.dilation[k]) +
                      qn_tensor_get(d->offset, (field * count + k) * d->output_size + o);
    }
    const double mask = d->mask ? qn_tensor_get(d->mask, field * d->output_size + o) : 1;
    return mask * sample(d, n * d->channels + c, position);
}

static QnStatus init_deform(const QnCall *call, Deform *d)
{
    const QnTensor *y = qn_call_result(call, 0);
    *d = (Deform){.x = qn_call_input(call, X),
                  .w = qn_call_input(call, W),
                  .offset = qn_call_input(call, OFFSET),
                  .mask = qn_call_input(call, MASK),
                  .taps = 1,
                  .input_size = 1,
                  .output_size = 1,
                  .groups = qn_op_int(call->node, "offset_group")};
    QN_TRY(qn_window_read(&d->window, call->node, d->x->rank - 2, d->w->dims + 2, call->err));
    d->channels = d->x->dims[1];
    for (int k = 0; k < d->window.count; k++) {
        d->taps *= d->window.kernel[k];
        d->input_size *= d->x->dims[k + 2];
        d->output_size *= y->dims[k + 2];
    }
    return QN_OK;
}

static QnStatus deform(const QnCall *call)
{
    const QnTensor *bias = qn_call_input(call, BIAS);
    QnTensor *y = qn_call_result(call, 0);
    Deform d;
    QN_TRY(init_deform(call, &d));
    const int64_t outputs = y->dims[1], inner = d.w->dims[1];
    const int64_t per_group = outputs / qn_op_int(call->node, "group");
    const int64_t total = qn_tensor_count(y);
    for (int64_t i = 0; i < total; i++) {
        const int64_t o = i % d.output_size, m = i / d.output_size % outputs,
                      n = i / d.output_size / outputs;
        int64_t at[QN_WINDOW_DIMS], rest = o;
        double sum = bias ? qn_tensor_get(bias, m) : 0;
        for (int k = d.window.count - 1; k >= 0; k--) {
            at[k] = rest % y->dims[k + 2];
            rest /= y->dims[k + 2];
        }
        for (int64_t c = 0; c < inner; c++)
            for (int64_t tap = 0; tap < d.taps; tap++)
                sum += qn_tensor_get(d.w, (m * inner + c) * d.taps + tap) *
                       tap_value(&d, n, m / per_group * inner + c, tap, at, o);
        qn_tensor_set(y, i, sum);
        QN_TRY(qn_call_poll(call));
    }
    return QN_OK;
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
     .infer = infer_deform,
     .reference = deform},
    {0},
};
