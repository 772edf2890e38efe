/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fourier transforms, X[k] = sum over n of x[n] * exp(-2 pi i n k / N), of whole axes (DFT) and of
 * windowed frames (STFT).  The last dimension holds real or (real, imaginary) numbers.  The inverse
 * has the sign turned and divides by N.  Onesided results leave out what symmetry tells.
 */
#include "base/checked.h"
#include "engine/ops/fourier.h"
#include "engine/ops/op.h"

/* ---- DFT ---- */

/* The axis: an input, -2 where it is absent. */
static QnStatus dft_axis(const QnInfer *in, int rank, int *axis, bool *is_known)
{
    int64_t value = -2;
    *is_known = !qn_infer_has(in, 2) || qn_infer_constants(in, 2, &value, 1) == 1;
    if (!*is_known)
        return QN_OK;
    QN_TRY(qn_infer_axis_of(in, "axis", value, rank, axis));
    if (*axis == rank - 1)
        return qn_infer_fail(in,
                             "axis names the last dimension, which holds real and imaginary parts");
    return QN_OK;
}

static QnStatus want_parts(const QnInfer *in, int i, QnDim parts)
{
    if (qn_dim_is_known(parts) && parts != 1 && parts != 2)
        return qn_infer_fail(in, "the last dimension of input %d is %lld, expected 1 or 2", i,
                             (long long)parts);
    return QN_OK;
}

/* The points of the transform: dft_length, or as many as there are. */
static QnStatus dft_points(QnInfer *in, QnDim length, QnDim *points)
{
    int64_t number;
    *points = length;
    if (qn_op_int(in->node, "onesided") && qn_op_int(in->node, "inverse"))
        *points = qn_dim_mul(in->dims, qn_dim_sub(in->dims, length, 1), 2);
    if (qn_infer_has(in, 1) && qn_infer_ints(in, 1, points, 1) != 1)
        *points = qn_infer_fresh(in);
    if (qn_dim_constant(in->dims, *points, &number) && number < 1)
        return qn_infer_fail(in, "the transform has %lld points, expected 1 at least",
                             (long long)number);
    return QN_OK;
}

static QnStatus infer_dft(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    const QnType element = qn_infer_element(in, 0);
    const bool is_onesided = qn_op_int(in->node, "onesided") != 0;
    const bool is_inverse = qn_op_int(in->node, "inverse") != 0;
    bool is_known;
    int axis;
    QnDim points;
    if (!x)
        return qn_infer_unknown(in, 0, element, -1);
    if (x->rank < 2)
        return qn_infer_fail(in, "input 0 has rank %d, expected 2 at least", x->rank);
    QN_TRY(want_parts(in, 0, x->dims[x->rank - 1]));
    QN_TRY(dft_axis(in, x->rank, &axis, &is_known));
    if (!is_known)
        return qn_infer_unknown(in, 0, element, x->rank);
    QN_TRY(dft_points(in, x->dims[axis], &points));
    QnShape y = *x;
    y.dims[axis] = points;
    if (is_onesided && !is_inverse)
        y.dims[axis] = qn_dim_add(in->dims, qn_dim_floor_div(in->dims, points, 2), 1);
    y.dims[x->rank - 1] = is_onesided && is_inverse ? 1 : 2;
    return qn_infer_tensor(in, 0, element, &y);
}

/* What the lines of a transform share. */
typedef struct Lines {
    QnFourier fourier;
    bool is_inverse, mirrors; /* a line's other half is its first one conjugated */
    int axis;                 /* of DFT */
    int64_t step;             /* of STFT: from one frame to the next */
    const double *window;     /* of STFT: [points] or NULL */
} Lines;

/* What a thread works with: a line, its transform, and what that needs. */
typedef struct Room {
    QnComplexLine line, result; /* [points] */
    double *rest;
} Room;

static size_t room_size(const Lines *lines)
{
    return (size_t)(4 * lines->fourier.length + 2 * lines->fourier.largest) * sizeof(double);
}

static Room room_of(const Lines *lines, void *memory)
{
    const int64_t points = lines->fourier.length;
    double *at = memory;
    return (Room){{at, at + points}, {at + 2 * points, at + 3 * points}, at + 4 * points};
}

static double line_cost(const Lines *lines)
{
    return 3 * (double)lines->fourier.length * (double)(lines->fourier.sum + 2);
}

/* `length` elements from `first` on, with zeros behind; one or two numbers each. */
static void read_line(const QnTensor *x, int64_t first, int64_t parts, int64_t step, int64_t length,
                      const Lines *lines, QnComplexLine line)
{
    const int64_t points = lines->fourier.length;
    const int64_t wanted = lines->mirrors ? points / 2 + 1 : points;
    const int64_t count = length < wanted ? length : wanted;
    const size_t size = (size_t)points * sizeof(double);
    memset(line.real, 0, size);
    memset(line.imaginary, 0, size);
    qn_tensor_read_row(x, first, step, count, line.real);
    if (parts == 2)
        qn_tensor_read_row(x, first + 1, step, count, line.imaginary);
    for (int64_t n = wanted; n < points; n++) {
        line.real[n] = line.real[points - n];
        line.imaginary[n] = -line.imaginary[points - n];
    }
}

/* Lines begin <= i < end along the axis. */
static QnStatus transform_lines(const QnCall *call, const void *work, void *memory, int64_t begin,
                                int64_t end)
{
    const Lines *lines = work;
    const QnTensor *x = qn_call_input(call, 0);
    QnTensor *y = qn_call_result(call, 0);
    const QnBox in = qn_box(x, lines->axis), out = qn_box(y, lines->axis);
    const int64_t parts = x->dims[x->rank - 1], parts_out = y->dims[y->rank - 1];
    const int64_t each = in.inner / parts; /* lines behind the axis, per outer index */
    const double points = (double)lines->fourier.length;
    const Room room = room_of(lines, memory);
    for (int64_t i = begin; i < end; i++) {
        const int64_t o = i / each, k = i % each;
        read_line(x, o * in.length * in.inner + k * parts, parts, in.inner, in.length, lines,
                  room.line);
        qn_fourier_run(&lines->fourier, room.line, room.result, lines->is_inverse ? -1 : 1,
                       room.rest);
        double *results[2] = {room.result.real, room.result.imaginary};
        for (int64_t p = 0; p < parts_out; p++) {
            for (int64_t n = 0; n < out.length && lines->is_inverse; n++)
                results[p][n] /= points;
            qn_tensor_write_row(y, o * out.length * out.inner + k * parts_out + p, out.inner,
                                out.length, results[p]);
        }
    }
    return QN_OK;
}

static QnStatus dft(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0), *axes = qn_call_input(call, 2),
                   *length = qn_call_input(call, 1), *y = qn_call_result(call, 0);
    const int64_t given = axes ? qn_tensor_get_int(axes, 0) : -2;
    const int axis = (int)(given < 0 ? given + x->rank : given);
    Lines lines = {.is_inverse = qn_op_int(call->node, "inverse") != 0, .axis = axis};
    lines.mirrors = lines.is_inverse && qn_op_int(call->node, "onesided") != 0;
    const int64_t points = lines.mirrors ? y->dims[axis]
                           : length      ? qn_tensor_get_int(length, 0)
                                         : x->dims[axis];
    if (qn_tensor_count(y) == 0)
        return QN_OK;
    QN_TRY(qn_fourier_make(&lines.fourier, points, call->scratch));
    const QnBox box = qn_box(x, axis);
    return qn_call_for(call, box.outer * (box.inner / x->dims[x->rank - 1]), line_cost(&lines),
                       room_size(&lines), transform_lines, &lines);
}

/* ---- STFT: signal [batch, length (, parts)], frame_step, window, frame_length ---- */

/* A scalar input as a dim: 1 known, 0 not known, -1 absent. */
static int scalar_dim(QnInfer *in, int i, QnDim *out)
{
    if (!qn_infer_has(in, i))
        return -1;
    return qn_infer_ints(in, i, out, 1) == 1;
}

static QnStatus infer_stft(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0), *window = qn_infer_shape(in, 2);
    const QnType element = qn_infer_element(in, 0);
    const bool is_onesided = qn_op_int(in->node, "onesided") != 0;
    QnDim step = 0, frame = 0;
    int64_t number;
    if (x && x->rank != 2 && x->rank != 3)
        return qn_infer_fail(in, "input 0 has rank %d, expected 2 or 3", x->rank);
    QN_TRY(qn_infer_want_rank(in, 2, 1));
    int has_frame = scalar_dim(in, 3, &frame);
    if (has_frame < 0 && !window)
        return qn_infer_fail(in, "neither window nor frame_length is given");
    if (has_frame < 0) {
        frame = window->dims[0];
        has_frame = 1;
    }
    if (scalar_dim(in, 1, &step) < 1 || has_frame < 1 || !x)
        return qn_infer_unknown(in, 0, element, 4);
    if (x->rank == 3)
        QN_TRY(want_parts(in, 0, x->dims[2]));
    if (qn_dim_constant(in->dims, step, &number) && number < 1)
        return qn_infer_fail(in, "frame_step is %lld, expected 1 at least", (long long)number);
    if (qn_dim_constant(in->dims, frame, &number) && number < 1)
        return qn_infer_fail(in, "frame_length is %lld, expected 1 at least", (long long)number);
    if (window && qn_dim_is_known(window->dims[0]) && qn_dim_is_known(frame) &&
        window->dims[0] != frame)
        return qn_infer_fail(in, "the window has %lld elements, expected %lld",
                             (long long)window->dims[0], (long long)frame);
    if (qn_dim_is_known(x->dims[1]) && qn_dim_is_known(frame) && frame > x->dims[1])
        return qn_infer_fail(in, "frames of %lld do not fit in a signal of %lld", (long long)frame,
                             (long long)x->dims[1]);
    const QnDim frames = qn_dim_add(
        in->dims, qn_dim_floor_div(in->dims, qn_dim_sub(in->dims, x->dims[1], frame), step), 1);
    const QnDim bins =
        is_onesided ? qn_dim_add(in->dims, qn_dim_floor_div(in->dims, frame, 2), 1) : frame;
    const QnShape y = {.rank = 4, .dims = {x->dims[0], frames, bins, 2}};
    return qn_infer_tensor(in, 0, element, &y);
}

/* Frames begin <= i < end of all signals. */
static QnStatus transform_frames(const QnCall *call, const void *work, void *memory, int64_t begin,
                                 int64_t end)
{
    const Lines *lines = work;
    const QnTensor *x = qn_call_input(call, 0);
    QnTensor *y = qn_call_result(call, 0);
    const int64_t parts = x->rank == 3 ? x->dims[2] : 1;
    const int64_t frames = y->dims[1], bins = y->dims[2], points = lines->fourier.length;
    const Room room = room_of(lines, memory);
    for (int64_t i = begin; i < end; i++) {
        const int64_t first = (i / frames * x->dims[1] + i % frames * lines->step) * parts;
        read_line(x, first, parts, parts, points, lines, room.line);
        for (int64_t n = 0; lines->window && n < points; n++) {
            room.line.real[n] *= lines->window[n];
            room.line.imaginary[n] *= lines->window[n];
        }
        qn_fourier_run(&lines->fourier, room.line, room.result, 1, room.rest);
        qn_tensor_write_row(y, i * bins * 2, 2, bins, room.result.real);
        qn_tensor_write_row(y, i * bins * 2 + 1, 2, bins, room.result.imaginary);
    }
    return QN_OK;
}

static QnStatus stft(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0), *window = qn_call_input(call, 2),
                   *length = qn_call_input(call, 3), *y = qn_call_result(call, 0);
    Lines lines = {.step = qn_tensor_get_int(qn_call_input(call, 1), 0)};
    const int64_t points = length ? qn_tensor_get_int(length, 0) : window->dims[0];
    double *weights;
    if (qn_tensor_count(y) == 0)
        return QN_OK;
    QN_TRY(qn_fourier_make(&lines.fourier, points, call->scratch));
    if (window) {
        QN_ALLOC(weights, call->scratch, points);
        qn_tensor_read_row(window, 0, 1, points, weights);
        lines.window = weights;
    }
    return qn_call_for(call, x->dims[0] * y->dims[1], line_cost(&lines), room_size(&lines),
                       transform_frames, &lines);
}

static const QnOpAttribute dft_attributes[] = {
    {"inverse", QN_ATTRIBUTE_INT}, {"onesided", QN_ATTRIBUTE_INT}, {0}};
static const QnOpAttribute stft_attributes[] = {{"onesided", QN_ATTRIBUTE_INT, .i = 1}, {0}};

const QnOp qn_ops_signal[] = {
    {.name = "DFT",
     .since = 20,
     .inputs = "input: float, dft_length?: integer, axis?: int64",
     .outputs = "output: T",
     .attributes = dft_attributes,
     .traits = QN_OP_PORTABLE,
     .infer = infer_dft,
     .reference = dft},
    {.name = "STFT",
     .since = 17,
     .inputs = "signal: float, frame_step: integer, window?: T, frame_length?: integer",
     .outputs = "output: T",
     .attributes = stft_attributes,
     .traits = QN_OP_PORTABLE,
     .infer = infer_stft,
     .reference = stft},
    {0},
};
