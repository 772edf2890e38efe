/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands around Fourier transforms: window functions, a - b cos(2 pi n / N) + c cos(4 pi n /
 * N), with N the size, or one less unless periodic; and the matrix that gathers frequencies into
 * bins of the mel scale, as triangles.
 */
#include <math.h>

#include "engine/ops/op.h"

/* ---- windows ---- */

static QnStatus output_type(const QnInfer *in, QnType *out)
{
    const int64_t type = qn_op_int(in->node, "output_datatype");
    *out = type > 0 && type < QN_TYPE_COUNT ? (QnType)type : QN_UNDEFINED;
    if (*out == QN_UNDEFINED || *out == QN_STRING || *out == QN_BOOL)
        return qn_infer_fail(in, "output_datatype is %lld, expected a type of numbers",
                             (long long)type);
    return QN_OK;
}

/* A scalar input that says a size. */
static QnStatus size_of(QnInfer *in, int i, QnDim *size)
{
    int64_t number;
    if (qn_infer_ints(in, i, size, 1) != 1)
        *size = qn_infer_fresh(in);
    if (qn_dim_constant(in->dims, *size, &number) && number < 0)
        return qn_infer_fail(in, "input %d is %lld, expected 0 at least", i, (long long)number);
    return QN_OK;
}

static QnStatus infer_window(QnInfer *in)
{
    QnType type;
    QnDim size;
    QN_TRY(output_type(in, &type));
    QN_TRY(size_of(in, 0, &size));
    return qn_infer_tensor(in, 0, type, &(QnShape){.rank = 1, .dims = {size}});
}

static QnStatus write_window(const QnCall *call, double a, double b, double c)
{
    QnTensor *y = qn_call_result(call, 0);
    const int64_t count = y->dims[0];
    const double n = (double)(qn_op_int(call->node, "periodic") ? count : count - 1);
    double *row;
    QN_ALLOC(row, call->scratch, count);
    for (int64_t i = 0; i < count; i++) {
        const double angle = n > 0 ? 2 * M_PI * (double)i / n : 0;
        row[i] = count == 1 ? 1 : a - b * cos(angle) + c * cos(2 * angle);
    }
    qn_tensor_write_row(y, 0, 1, count, row);
    return QN_OK;
}

static QnStatus blackman(const QnCall *call)
{
    return write_window(call, 0.42, 0.5, 0.08);
}

static QnStatus hamming(const QnCall *call)
{
    return write_window(call, 25.0 / 46, 21.0 / 46, 0);
}

static QnStatus hann(const QnCall *call)
{
    return write_window(call, 0.5, 0.5, 0);
}

/* ---- MelWeightMatrix: bins, dft_length, sample_rate, low, high ---- */

static QnStatus infer_mel(QnInfer *in)
{
    QnType type;
    QnDim bins, length;
    QN_TRY(output_type(in, &type));
    QN_TRY(size_of(in, 0, &bins));
    QN_TRY(size_of(in, 1, &length));
    const QnShape y = {
        .rank = 2, .dims = {qn_dim_add(in->dims, qn_dim_floor_div(in->dims, length, 2), 1), bins}};
    return qn_infer_tensor(in, 0, type, &y);
}

static double to_mel(double hertz)
{
    return 2595 * log10(1 + hertz / 700);
}

/* The row of the spectrum where edge i of bins + 2 lies. */
static double edge_row(const QnCall *call, int64_t i)
{
    const double bins = (double)qn_tensor_get_int(qn_call_input(call, 0), 0);
    const double length = (double)qn_tensor_get_int(qn_call_input(call, 1), 0);
    const double rate = qn_tensor_get(qn_call_input(call, 2), 0);
    const double low = to_mel(qn_tensor_get(qn_call_input(call, 3), 0));
    const double high = to_mel(qn_tensor_get(qn_call_input(call, 4), 0));
    const double mel = low + (double)i * (high - low) / (bins + 2);
    return floor((length + 1) * 700 * (pow(10, mel / 2595) - 1) / rate);
}

/* Bins begin <= i < end; the room is a column. */
static QnStatus mel_bins(const QnCall *call, const void *work, void *room, int64_t begin,
                         int64_t end)
{
    QnTensor *y = qn_call_result(call, 0);
    const int64_t rows = y->dims[0], bins = y->dims[1];
    double *column = room;
    (void)work;
    for (int64_t i = begin; i < end; i++) {
        const double low = edge_row(call, i), top = edge_row(call, i + 1),
                     high = edge_row(call, i + 2);
        if (!(low >= 0 && high < (double)rows && low <= top && top <= high))
            return qn_call_fail(call, "mel bin %lld lies outside of the spectrum", (long long)i);
        for (int64_t r = 0; r < rows; r++) {
            const double at = (double)r;
            column[r] = at < low || at > high ? 0
                        : at < top            ? (at - low) / (top - low)
                        : at == top           ? 1
                                              : (high - at) / (high - top);
        }
        qn_tensor_write_row(y, i, bins, rows, column);
    }
    return QN_OK;
}

static QnStatus mel_matrix(const QnCall *call)
{
    const QnTensor *y = qn_call_result(call, 0);
    return qn_call_for(call, y->dims[1], 300 + 3 * (double)y->dims[0],
                       (size_t)y->dims[0] * sizeof(double), mel_bins, NULL);
}

#define TYPE                                               \
    {                                                      \
        "output_datatype", QN_ATTRIBUTE_INT, .i = QN_FLOAT \
    }
static const QnOpAttribute window_attributes[] = {
    TYPE, {"periodic", QN_ATTRIBUTE_INT, .i = 1}, {0}};
static const QnOpAttribute mel_attributes[] = {TYPE, {0}};

#define WINDOW(op, fn)                                                                      \
    {                                                                                       \
        .name = (op), .since = 17, .inputs = "size: integer", .outputs = "output: numeric", \
        .attributes = window_attributes, .traits = QN_OP_PORTABLE, .infer = infer_window,   \
        .reference = (fn)                                                                   \
    }

const QnOp qn_ops_spectrum[] = {
    WINDOW("BlackmanWindow", blackman),
    WINDOW("HammingWindow", hamming),
    WINDOW("HannWindow", hann),
    {.name = "MelWeightMatrix",
     .since = 17,
     .inputs = "num_mel_bins: integer, dft_length: integer, sample_rate: integer, "
               "lower_edge_hertz: float, upper_edge_hertz: float",
     .outputs = "output: numeric",
     .attributes = mel_attributes,
     .traits = QN_OP_PORTABLE,
     .infer = infer_mel,
     .reference = mel_matrix},
    {0},
};
