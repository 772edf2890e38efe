/* SPDX-License-Identifier: Apache-2.0 */
/*
 * QnTransposed convolution: every input element adds its multiple of the kernel to the output,
 *   Y[n, m, i * stride + k * dilation - pad] += X[n, c, i] * W[c, m, k]
 * W is [channels, output channels / group, kernel].  The output's size is given, or follows from
 * the pads:  stride * (in - 1) + output_padding + extent - pads.
 */
#include "engine/ops/transposed.h"

#include "base/checked.h"

enum { LIMIT = 1 << 30 };

static QnStatus read_output_list(int64_t *to, const QnNode *node, const char *name, int count,
                                 QnError *err)
{
    const QnAttribute *list = qn_node_attribute(node, name);
    if (!list || list->count == 0)
        return QN_OK;
    /* Some files give output_shape with the batch and channels in front. */
    const int skip = list->count == count + 2 && name[7] == 's' ? 2 : 0;
    if (list->count != count + skip)
        return qn_fail(err, QN_BAD_MODEL, "%s has %d entries, expected %d", name, list->count,
                       count);
    for (int d = 0; d < count; d++) {
        to[d] = list->ints[d + skip];
        if (to[d] < 0 || to[d] > LIMIT)
            return qn_fail(err, QN_BAD_MODEL, "%s[%d] is %lld, expected 0 to %d", name, d,
                           (long long)to[d], LIMIT);
    }
    return QN_OK;
}

QnStatus qn_transposed_read(QnTransposed *t, const QnNode *node, int count, const int64_t *kernel,
                            QnError *err)
{
    QN_TRY(qn_window_read(&t->window, node, count, kernel, err));
    for (int d = 0; d < count; d++) {
        t->output_padding[d] = 0;
        t->output_shape[d] = -1;
    }
    QN_TRY(read_output_list(t->output_padding, node, "output_padding", count, err));
    return read_output_list(t->output_shape, node, "output_shape", count, err);
}

static bool is_same(const QnWindow *window)
{
    return window->auto_pad == QN_PAD_SAME_UPPER || window->auto_pad == QN_PAD_SAME_LOWER;
}

/* The size without pads, less stride * (in - 1). */
static int64_t overhang(const QnTransposed *t, int d)
{
    return t->output_padding[d] + (t->window.kernel[d] - 1) * t->window.dilation[d] + 1;
}

static QnDim output_size(QnDims *dims, const QnTransposed *t, int d, QnDim input)
{
    const int64_t stride = t->window.stride[d];
    if (t->output_shape[d] >= 0)
        return t->output_shape[d];
    if (is_same(&t->window))
        return qn_dim_mul(dims, input, stride);
    const int64_t more = overhang(t, d) - stride - t->window.pad_begin[d] - t->window.pad_end[d];
    const QnDim size = qn_dim_add(dims, qn_dim_mul(dims, input, stride), qn_dim_number(dims, more));
    return qn_dim_is_known(input) && !qn_dim_is_known(size) ? 0
                                                            : size; /* a negative size is none */
}

int64_t qn_transposed_pad(const QnTransposed *t, int d, int64_t input, int64_t output)
{
    if (t->output_shape[d] < 0 && !is_same(&t->window))
        return t->window.pad_begin[d];
    const int64_t total = t->window.stride[d] * (input - 1) + overhang(t, d) - output;
    const int64_t half = qn_floor_div(total, 2);
    return t->window.auto_pad == QN_PAD_SAME_UPPER ? half : total - half;
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
    if (qn_dim_is_known(w->dims[0]) && w->dims[0] % group)
        return qn_infer_fail(
            in, "the weight has %lld input channels, expected a multiple of the group %lld",
            (long long)w->dims[0], (long long)group);
    if (qn_dim_is_known(x->dims[1]) && qn_dim_is_known(w->dims[0]) && x->dims[1] != w->dims[0])
        return qn_infer_fail(in, "input 0 has %lld channels, the weight %lld",
                             (long long)x->dims[1], (long long)w->dims[0]);
    if (qn_dim_is_known(w->dims[1]) && w->dims[1] > LIMIT / group)
        return qn_infer_fail(in, "%lld output channels in %lld groups are over %d",
                             (long long)w->dims[1], (long long)group, LIMIT);
    return QN_OK;
}

static QnStatus check_bias(const QnInfer *in, QnDim channels)
{
    const QnShape *bias = qn_infer_shape(in, 2);
    QN_TRY(qn_infer_want_rank(in, 2, 1));
    if (bias && qn_dim_is_known(bias->dims[0]) && qn_dim_is_known(channels) &&
        bias->dims[0] != channels)
        return qn_infer_fail(in,
                             "the bias has %lld elements, expected one per output channel: %lld",
                             (long long)bias->dims[0], (long long)channels);
    return QN_OK;
}

static QnStatus infer_conv_transpose(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0), *w = qn_infer_shape(in, 1);
    const QnType element = qn_infer_element(in, 0);
    int64_t kernel[QN_WINDOW_DIMS];
    QnTransposed t;
    if (!x || !w)
        return qn_infer_unknown(in, 0, element, x ? x->rank : w ? w->rank : -1);
    QN_TRY(check_channels(in, x, w));
    for (int d = 2; d < w->rank; d++) {
        if (!qn_dim_is_known(w->dims[d]))
            return qn_infer_unknown(in, 0, element, x->rank);
        kernel[d - 2] = w->dims[d];
    }
    QN_TRY(qn_transposed_read(&t, in->node, x->rank - 2, kernel, in->err));
    QnShape y = {.rank = x->rank, .dims = {x->dims[0]}};
    y.dims[1] = qn_dim_mul(in->dims, w->dims[1], qn_op_int(in->node, "group"));
    for (int d = 0; d < t.window.count; d++)
        y.dims[d + 2] = output_size(in->dims, &t, d, x->dims[d + 2]);
    QN_TRY(check_bias(in, y.dims[1]));
    return qn_infer_tensor(in, 0, element, &y);
}

/* ---- computing ---- */

typedef struct Planes {
    const QnTensor *x, *w;
    QnTransposed t;
    int64_t begin[QN_WINDOW_DIMS];
    int64_t x_size, y_size, taps;
    const int64_t *y_dims; /* spatial */
} Planes;

/* Where tap `tap` of input position `at` lands in the output's plane; -1: outside. */
static int64_t landing(const Planes *p, int64_t at, int64_t tap)
{
    int64_t position = 0, scale = 1;
    for (int d = p->t.window.count - 1; d >= 0; d--) {
        const int64_t length = p->x->dims[d + 2], kernel = p->t.window.kernel[d];
        const int64_t to = at % length * p->t.window.stride[d] +
                           tap % kernel * p->t.window.dilation[d] - p->begin[d];
        at /= length;
        tap /= kernel;
        if (to < 0 || to >= p->y_dims[d])
            return -1;
        position += to * scale;
        scale *= p->y_dims[d];
    }
    return position;
}

/* Adds one input channel's plane through one kernel to an output plane. */
static void add_plane(const Planes *p, int64_t x_first, int64_t w_first, double *plane)
{
    for (int64_t i = 0; i < p->x_size; i++) {
        const double value = qn_tensor_get(p->x, x_first + i);
        for (int64_t tap = 0; tap < p->taps; tap++) {
            const int64_t to = landing(p, i, tap);
            if (to >= 0)
                plane[to] += value * qn_tensor_get(p->w, w_first + tap);
        }
    }
}

static QnStatus init_planes(const QnCall *call, Planes *p)
{
    const QnTensor *y = qn_call_result(call, 0);
    p->x = qn_call_input(call, 0);
    p->w = qn_call_input(call, 1);
    p->y_dims = y->dims + 2;
    p->x_size = p->y_size = p->taps = 1;
    QN_TRY(qn_transposed_read(&p->t, call->node, p->x->rank - 2, p->w->dims + 2, call->err));
    for (int d = 0; d < p->t.window.count; d++) {
        p->begin[d] = qn_transposed_pad(&p->t, d, p->x->dims[d + 2], y->dims[d + 2]);
        p->x_size *= p->x->dims[d + 2];
        p->y_size *= y->dims[d + 2];
        p->taps *= p->w->dims[d + 2];
    }
    return QN_OK;
}

static QnStatus conv_transpose(const QnCall *call)
{
    const QnTensor *bias = qn_call_input(call, 2);
    QnTensor *y = qn_call_result(call, 0);
    Planes p;
    double *plane;
    QN_TRY(init_planes(call, &p));
    const int64_t group = qn_op_int(call->node, "group");
    const int64_t inputs = p.x->dims[1] / group, outputs = p.w->dims[1]; /* per group */
    QN_ALLOC(plane, call->scratch, p.y_size);
    for (int64_t i = 0; i < y->dims[0] * y->dims[1]; i++) {
        const int64_t n = i / y->dims[1], m = i % y->dims[1], g = m / outputs;
        QN_TRY(qn_call_poll(call));
        for (int64_t k = 0; k < p.y_size; k++)
            plane[k] = bias ? qn_tensor_get(bias, m) : 0;
        for (int64_t c = g * inputs; c < (g + 1) * inputs; c++)
            add_plane(&p, (n * p.x->dims[1] + c) * p.x_size, (c * outputs + m % outputs) * p.taps,
                      plane);
        qn_tensor_write_row(y, i * p.y_size, 1, p.y_size, plane);
    }
    return QN_OK;
}

static const QnOpAttribute attributes[] = {
    {"auto_pad", QN_ATTRIBUTE_STRING, .s = "NOTSET"},
    {"dilations", QN_ATTRIBUTE_INTS},
    {"group", QN_ATTRIBUTE_INT, .i = 1},
    {"kernel_shape", QN_ATTRIBUTE_INTS},
    {"output_padding", QN_ATTRIBUTE_INTS},
    {"output_shape", QN_ATTRIBUTE_INTS},
    {"pads", QN_ATTRIBUTE_INTS},
    {"strides", QN_ATTRIBUTE_INTS},
    {0},
};

const QnOp qn_ops_conv_transpose[] = {
    {.name = "ConvTranspose",
     .since = 22,
     .inputs = "X: float, W: float, B?: float",
     .outputs = "Y: float",
     .attributes = attributes,
     .infer = infer_conv_transpose,
     .reference = conv_transpose},
    {0},
};
