/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fourier transforms, X[k] = sum over n of x[n] * exp(-2 pi i n k / N), of whole axes (DFT) and of
 * windowed frames (STFT).  The last dimension holds real or (real, imaginary) numbers.  The inverse
 * has the sign turned and divides by N.  Onesided results leave out what symmetry tells.
 */
#include <math.h>

#include "engine/ops/op.h"

/* exp(-2 pi i k / N) for k < N; sums of products of whole numbers index it exactly. */
typedef struct Circle {
    int64_t length;
    double *cosine, *sine;
} Circle;

static QnStatus make_circle(Circle *circle, int64_t length, QnArena *arena)
{
    circle->length = length;
    QN_ALLOC(circle->cosine, arena, length);
    QN_ALLOC(circle->sine, arena, length);
    for (int64_t k = 0; k < length; k++) {
        circle->cosine[k] = cos(2 * M_PI * (double)k / (double)length);
        circle->sine[k] = -sin(2 * M_PI * (double)k / (double)length);
    }
    /* Quarters are exact, which pi is not. */
    for (int64_t quarter = 0; quarter < 4; quarter++) {
        static const double cosines[] = {1, 0, -1, 0}, sines[] = {0, -1, 0, 1};
        if (quarter * length % 4)
            continue;
        circle->cosine[quarter * length / 4] = cosines[quarter];
        circle->sine[quarter * length / 4] = sines[quarter];
    }
    return QN_OK;
}

/* X[k] of values[count]; sign -1 turns the circle round. */
static void transform_at(const Circle *circle, const double *real, const double *imaginary,
                         int64_t count, int64_t k, double sign, double *out)
{
    int64_t at = 0; /* n * k mod N, without the product */
    out[0] = out[1] = 0;
    for (int64_t n = 0; n < count; n++) {
        const double c = circle->cosine[at], s = sign * circle->sine[at];
        out[0] += real[n] * c - imaginary[n] * s;
        out[1] += real[n] * s + imaginary[n] * c;
        at += k;
        at -= at >= circle->length ? circle->length : 0;
    }
}

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

/* A line of complex numbers, read with zeros behind; with `mirrors` the other half is conjugate. */
typedef struct Line {
    double *real, *imaginary; /* [points] */
    int64_t points;
} Line;

static void read_line(const QnTensor *x, int64_t first, int64_t step, int64_t length, bool mirrors,
                      Line *line)
{
    const int64_t parts = x->dims[x->rank - 1];
    for (int64_t n = 0; n < line->points; n++) {
        const bool is_mirror = mirrors && n > line->points / 2;
        const int64_t from = is_mirror ? line->points - n : n;
        const int64_t at = first + from * step;
        const bool is_there = from < length;
        line->real[n] = is_there ? qn_tensor_get(x, at) : 0;
        line->imaginary[n] = is_there && parts == 2 ? qn_tensor_get(x, at + 1) : 0;
        if (is_mirror)
            line->imaginary[n] = -line->imaginary[n];
    }
}

static QnStatus dft(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0), *axes = qn_call_input(call, 2),
                   *length = qn_call_input(call, 1);
    QnTensor *y = qn_call_result(call, 0);
    const bool is_inverse = qn_op_int(call->node, "inverse") != 0;
    const bool mirrors = is_inverse && qn_op_int(call->node, "onesided") != 0;
    const int64_t given = axes ? qn_tensor_get_int(axes, 0) : -2;
    const int axis = (int)(given < 0 ? given + x->rank : given);
    const QnBox in = qn_box(x, axis), out = qn_box(y, axis);
    const int64_t parts = x->dims[x->rank - 1], parts_out = y->dims[y->rank - 1];
    Line line = {.points = mirrors  ? out.length
                           : length ? qn_tensor_get_int(length, 0)
                                    : in.length};
    Circle circle;
    QN_TRY(make_circle(&circle, line.points, call->scratch));
    QN_ALLOC(line.real, call->scratch, line.points);
    QN_ALLOC(line.imaginary, call->scratch, line.points);
    const int64_t lines = in.inner / parts; /* behind the axis, per outer index */
    for (int64_t i = 0; i < in.outer * lines; i++) {
        const int64_t o = i / lines, k = i % lines;
        QN_TRY(qn_call_poll(call));
        read_line(x, o * in.length * in.inner + k * parts, in.inner, in.length, mirrors, &line);
        for (int64_t n = 0; n < out.length; n++) {
            double value[2];
            transform_at(&circle, line.real, line.imaginary, line.points, n, is_inverse ? -1 : 1,
                         value);
            for (int64_t p = 0; p < parts_out; p++)
                qn_tensor_set(y, (o * out.length + n) * out.inner + k * parts_out + p,
                              is_inverse ? value[p] / (double)line.points : value[p]);
        }
    }
    return QN_OK;
}

/* ---- STFT: signal [batch, length] or [batch, length, parts], frame_step, window, frame_length
 * ---- */

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

static QnStatus stft(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0), *window = qn_call_input(call, 2),
                   *length = qn_call_input(call, 3);
    QnTensor *y = qn_call_result(call, 0);
    const int64_t step = qn_tensor_get_int(qn_call_input(call, 1), 0);
    const int64_t parts = x->rank == 3 ? x->dims[2] : 1;
    const int64_t frames = y->dims[1], bins = y->dims[2];
    Line line = {.points = length ? qn_tensor_get_int(length, 0) : window->dims[0]};
    Circle circle;
    QN_TRY(make_circle(&circle, line.points, call->scratch));
    QN_ALLOC(line.real, call->scratch, line.points);
    QN_ALLOC(line.imaginary, call->scratch, line.points);
    for (int64_t i = 0; i < x->dims[0] * frames; i++) {
        const int64_t first = (i / frames * x->dims[1] + i % frames * step) * parts;
        QN_TRY(qn_call_poll(call));
        read_line(x, first, parts, line.points, false, &line);
        for (int64_t n = 0; window && n < line.points; n++) {
            line.real[n] *= qn_tensor_get(window, n);
            line.imaginary[n] *= qn_tensor_get(window, n);
        }
        for (int64_t k = 0; k < bins; k++) {
            double value[2];
            transform_at(&circle, line.real, line.imaginary, line.points, k, 1, value);
            qn_tensor_write_row(y, (i * bins + k) * 2, 1, 2, value);
        }
    }
    return QN_OK;
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
     .infer = infer_dft,
     .reference = dft},
    {.name = "STFT",
     .since = 17,
     .inputs = "signal: float, frame_step: integer, window?: T, frame_length?: integer",
     .outputs = "output: T",
     .attributes = stft_attributes,
     .infer = infer_stft,
     .reference = stft},
    {0},
};
