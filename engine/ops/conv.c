/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Convolution over any number of spatial dims:
 *
 *     Y[n, m, o] = B[m] + sum over c, k of X[n, c, o * stride + k * dilation - pad] * W[m, c, k]
 *
 * Channels may be split into groups that do not see each other.  ConvInteger and QLinearConv
 * compute on integers less their zero points; padding then counts as the zero point, which is real
 * zero in all three.
 */
#include "engine/ops/quantized.h"
#include "engine/ops/window.h"

/* The window of a Conv from its weight's shape; false where that is not known. */
static QnStatus read_window(const QnInfer *in, const QnShape *x, const QnShape *w, QnWindow *window)
{
    int64_t kernel[QN_WINDOW_DIMS];
    for (int d = 2; d < w->rank; d++) {
        if (!qn_dim_is_known(w->dims[d]))
            return qn_infer_fail(in, "the weight's size along dimension %d is not known", d);
        kernel[d - 2] = w->dims[d];
    }
    return qn_window_read(window, in->node, x->rank - 2, kernel, in->err);
}

static QnStatus check_channels(const QnInfer *in, const QnShape *x, const QnShape *w)
{
    const int64_t group = qn_op_int(in->node, "group");
    if (x->rank < 3)
        return qn_infer_fail(in, "input 0 has rank %d, expected 3 at least", x->rank);
    if (w->rank != x->rank)
        return qn_infer_fail(in, "the weight has rank %d, expected %d", w->rank, x->rank);
    if (group < 1)
        return qn_infer_fail(in, "group is %lld, expected 1 at least", (long long)group);
    if (!qn_dim_is_known(w->dims[0]) || !qn_dim_is_known(w->dims[1]))
        return QN_OK;
    if (w->dims[0] % group)
        return qn_infer_fail(
            in, "the weight has %lld output channels, expected a multiple of the group %lld",
            (long long)w->dims[0], (long long)group);
    if (qn_dim_is_known(x->dims[1]) &&
        (w->dims[1] > INT64_MAX / group || x->dims[1] != w->dims[1] * group))
        return qn_infer_fail(in, "input 0 has %lld channels, expected %lld times group %lld",
                             (long long)x->dims[1], (long long)w->dims[1], (long long)group);
    return QN_OK;
}

/* The shape of the result; the weight is input `weight`. */
static QnStatus infer_shape(QnInfer *in, int weight, QnType element)
{
    const QnShape *x = qn_infer_shape(in, 0), *w = qn_infer_shape(in, weight);
    if (!x || !w)
        return qn_infer_unknown(in, 0, element, x ? x->rank : w ? w->rank : -1);
    QnWindow window;
    QN_TRY(check_channels(in, x, w));
    for (int d = 2; d < w->rank; d++)
        if (!qn_dim_is_known(w->dims[d]))
            return qn_infer_unknown(in, 0, element, x->rank);
    QN_TRY(read_window(in, x, w, &window));
    QnShape y = {.rank = x->rank, .dims = {x->dims[0], w->dims[0]}};
    for (int d = 0; d < window.count; d++)
        y.dims[d + 2] = qn_window_output(in->dims, &window, d, x->dims[d + 2]);
    return qn_infer_tensor(in, 0, element, &y);
}

/* Fails where input i surely has not one element, or one per output channel. */
static QnStatus want_per_channel(const QnInfer *in, int i, int weight, bool may_be_one)
{
    const QnShape *per = qn_infer_shape(in, i), *w = qn_infer_shape(in, weight);
    if (!per || !w)
        return QN_OK;
    const QnDim count = qn_shape_product(in->dims, per, 0, per->rank);
    if (!qn_dim_is_known(count) || (may_be_one && count == 1) || !qn_dim_is_known(w->dims[0]))
        return QN_OK;
    if (count != w->dims[0])
        return qn_infer_fail(in,
                             "input %d has %lld elements, expected one per output channel: %lld", i,
                             (long long)count, (long long)w->dims[0]);
    return QN_OK;
}

static QnStatus infer_conv(QnInfer *in)
{
    QN_TRY(infer_shape(in, 1, qn_infer_element(in, 0)));
    return want_per_channel(in, 2, 1, false);
}

static QnStatus infer_integer(QnInfer *in)
{
    QN_TRY(infer_shape(in, 1, QN_INT32));
    return want_per_channel(in, 3, 1, true);
}

static QnStatus infer_qlinear(QnInfer *in)
{
    QN_TRY(infer_shape(in, 3, qn_infer_element(in, 7)));
    for (int i = 4; i < 6; i++)
        QN_TRY(want_per_channel(in, i, 3, true));
    return want_per_channel(in, 8, 3, false);
}

/* One output element: the sum over a group's channels and all taps that lie inside. */
typedef struct Conv {
    const QnTensor *x, *w;
    QnWindow window;
    int64_t begin[QN_WINDOW_DIMS]; /* pads in front */
    int64_t channels;              /* of a group */
    int64_t input_size, taps;      /* spatial elements of the input, of the kernel */
    double x_zero, w_zero;         /* of integer forms */
} Conv;

/* Where a tap reads in a channel's plane, or -1 for padding. */
static int64_t tap_position(const Conv *conv, const int64_t *at, int64_t tap)
{
    int64_t position = 0, scale = 1;
    for (int d = conv->window.count - 1; d >= 0; d--) {
        const int64_t k = tap % conv->window.kernel[d];
        const int64_t i =
            at[d] * conv->window.stride[d] + k * conv->window.dilation[d] - conv->begin[d];
        tap /= conv->window.kernel[d];
        if (i < 0 || i >= conv->x->dims[d + 2])
            return -1;
        position += i * scale;
        scale *= conv->x->dims[d + 2];
    }
    return position;
}

static double sum_window(const Conv *conv, int64_t n, int64_t group, int64_t m, const int64_t *at)
{
    double sum = 0;
    for (int64_t tap = 0; tap < conv->taps; tap++) {
        const int64_t position = tap_position(conv, at, tap);
        if (position < 0)
            continue; /* padding is real zero */
        for (int64_t c = 0; c < conv->channels; c++) {
            const int64_t channel = n * conv->x->dims[1] + group * conv->channels + c;
            sum += (qn_tensor_get(conv->x, channel * conv->input_size + position) - conv->x_zero) *
                   (qn_tensor_get(conv->w, (m * conv->channels + c) * conv->taps + tap) -
                    conv->w_zero);
        }
    }
    return sum;
}

static QnStatus init_conv(const QnCall *call, Conv *conv, const QnTensor *y)
{
    const QnTensor *x = conv->x, *w = conv->w;
    QN_TRY(qn_window_read(&conv->window, call->node, x->rank - 2, w->dims + 2, call->err));
    conv->channels = w->dims[1];
    conv->input_size = conv->taps = 1;
    for (int d = 0; d < conv->window.count; d++) {
        int64_t end;
        qn_window_pads(&conv->window, d, x->dims[d + 2], y->dims[d + 2], &conv->begin[d], &end);
        conv->input_size *= x->dims[d + 2];
        conv->taps *= w->dims[d + 2];
    }
    if (x->dims[1] != w->dims[1] * qn_op_int(call->node, "group"))
        return qn_call_fail(call, "input 0 has %lld channels, the weight %lld per group",
                            (long long)x->dims[1], (long long)w->dims[1]);
    return QN_OK;
}

/* What is done with the sum at element i, of output channel m. */
typedef void StoreFn(const QnCall *call, int64_t i, int64_t m, double sum);

/* A zero point: one for the tensor or one per channel; absent ones are 0. */
static double zero_at(const QnTensor *zero, int64_t m)
{
    return zero ? qn_tensor_get(zero, qn_tensor_count(zero) == 1 ? 0 : m) : 0;
}

/* Slides over all outputs; `w_zeros` NULL: none. */
static QnStatus slide(const QnCall *call, Conv *conv, const QnTensor *w_zeros, StoreFn *store)
{
    const QnTensor *y = qn_call_result(call, 0);
    QN_TRY(init_conv(call, conv, y));
    const int64_t per_group = y->dims[1] / qn_op_int(call->node, "group");
    const int64_t total = qn_tensor_count(y);
    int64_t at[QN_WINDOW_DIMS] = {0};
    for (int64_t i = 0, plane = 0; i < total; i++) {
        const int64_t n = plane / y->dims[1], m = plane % y->dims[1];
        conv->w_zero = zero_at(w_zeros, m);
        store(call, i, m, sum_window(conv, n, m / per_group, m, at));
        int d = conv->window.count - 1;
        while (d >= 0 && ++at[d] == y->dims[d + 2])
            at[d--] = 0;
        if (d < 0) {
            plane++;
            QN_TRY(qn_call_poll(call));
        }
    }
    return QN_OK;
}

static void store_float(const QnCall *call, int64_t i, int64_t m, double sum)
{
    const QnTensor *bias = qn_call_input(call, 2);
    qn_tensor_set(qn_call_result(call, 0), i, sum + (bias ? qn_tensor_get(bias, m) : 0));
}

static QnStatus conv(const QnCall *call)
{
    Conv conv = {.x = qn_call_input(call, 0), .w = qn_call_input(call, 1)};
    return slide(call, &conv, NULL, store_float);
}

static void store_int(const QnCall *call, int64_t i, int64_t m, double sum)
{
    (void)m;
    qn_tensor_set_int(qn_call_result(call, 0), i, (int64_t)sum);
}

static QnStatus conv_integer(const QnCall *call)
{
    Conv conv = {.x = qn_call_input(call, 0), .w = qn_call_input(call, 1)};
    conv.x_zero = zero_at(qn_call_input(call, 2), 0);
    return slide(call, &conv, qn_call_input(call, 3), store_int);
}

/* y = saturate(round((sum + bias) * x_scale * w_scale / y_scale) + y_zero). */
static void store_qlinear(const QnCall *call, int64_t i, int64_t m, double sum)
{
    const QnTensor *w_scale = qn_call_input(call, 4), *bias = qn_call_input(call, 8);
    const float x_scale = (float)qn_tensor_get(qn_call_input(call, 1), 0);
    const float y_scale = (float)qn_tensor_get(qn_call_input(call, 6), 0);
    const float scale = x_scale * (float)zero_at(w_scale, m) / y_scale;
    const double total = sum + (bias ? qn_tensor_get(bias, m) : 0);
    qn_quantized_set(qn_call_result(call, 0), i, (double)((float)total * scale),
                     qn_tensor_get_int(qn_call_input(call, 7), 0));
}

static QnStatus qlinear_conv(const QnCall *call)
{
    Conv conv = {.x = qn_call_input(call, 0), .w = qn_call_input(call, 3)};
    QN_TRY(qn_quantized_want_scalars(call, (const int[]){1, 2, 6, 7}, 4));
    conv.x_zero = zero_at(qn_call_input(call, 2), 0);
    return slide(call, &conv, qn_call_input(call, 5), store_qlinear);
}

static const QnOpAttribute conv_attributes[] = {
    {"auto_pad", QN_ATTRIBUTE_STRING, .s = "NOTSET"},
    {"dilations", QN_ATTRIBUTE_INTS},
    {"group", QN_ATTRIBUTE_INT, .i = 1},
    {"kernel_shape", QN_ATTRIBUTE_INTS},
    {"pads", QN_ATTRIBUTE_INTS},
    {"strides", QN_ATTRIBUTE_INTS},
    {0},
};

const QnOp qn_ops_conv[] = {
    {.name = "Conv",
     .since = 22,
     .inputs = "X: float, W: float, B?: float",
     .outputs = "Y: float",
     .attributes = conv_attributes,
     .infer = infer_conv,
     .reference = conv},
    {.name = "ConvInteger",
     .since = 10,
     .inputs = "x: integer, w: integer, x_zero_point?: integer, w_zero_point?: integer",
     .outputs = "y: int32",
     .attributes = conv_attributes,
     .infer = infer_integer,
     .reference = conv_integer},
    {.name = "QLinearConv",
     .since = 10,
     .inputs = "x: integer, x_scale: float, x_zero_point: integer, w: integer, w_scale: float, "
               "w_zero_point: integer, y_scale: float, y_zero_point: integer, B?: int32",
     .outputs = "y: integer",
     .attributes = conv_attributes,
     .infer = infer_qlinear,
     .reference = qlinear_conv},
    {0},
};
