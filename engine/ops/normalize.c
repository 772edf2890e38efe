/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Normalizations:  y = (x - mean) / sqrt(variance + epsilon) * scale + bias,  which differ in where
 * mean and variance come from.  Variances are population ones (divided by the count).
 *
 *   BatchNormalization      from inputs, per channel; in training from the batch
 *   InstanceNormalization   each sample's channel
 *   GroupNormalization      each sample's group of channels
 *   LayerNormalization      the trailing dimensions from `axis` on; scale and bias broadcast
 *   RMSNormalization        the same without mean: the mean of squares takes the variance's place
 */
#include <math.h>

#include "engine/ops/op.h"

/* What is done to a run of elements. */
typedef struct Moments {
    double mean, variance;
} Moments;

/* What is left of the sum of distances from the mean is what the first sum was off: long rows of
 * double lose several digits otherwise. */
static Moments moments_of(const double *row, int64_t count)
{
    Moments m = {0, 0};
    double rest = 0;
    for (int64_t i = 0; i < count; i++)
        m.mean += row[i];
    m.mean /= (double)count;
    for (int64_t i = 0; i < count; i++) {
        const double away = row[i] - m.mean;
        m.variance += away * away;
        rest += away;
    }
    m.mean += rest / (double)count;
    m.variance = (m.variance - rest * rest / (double)count) / (double)count;
    return m;
}

/* Parts of a sum, which are summed by halves: rounding grows with the parts' length and the
 * logarithm of their number. */
enum { SUM_PART = 32 };

static double sum_of_squares(const double *row, int64_t count)
{
    if (count > SUM_PART) {
        const int64_t half = (count / 2 + SUM_PART - 1) / SUM_PART * SUM_PART;
        return sum_of_squares(row, half) + sum_of_squares(row + half, count - half);
    }
    double sum = 0;
    for (int64_t i = 0; i < count; i++)
        sum += row[i] * row[i];
    return sum;
}

static double mean_square(const double *row, int64_t count)
{
    return sum_of_squares(row, count) / (double)count;
}

/* Fails where a per-channel input surely has another length than the channels. */
static QnStatus want_channels(const QnInfer *in, int first, int last)
{
    const QnShape *x = qn_infer_shape(in, 0);
    for (int i = first; i <= last; i++) {
        const QnShape *per = qn_infer_shape(in, i);
        QN_TRY(qn_infer_want_rank(in, i, 1));
        const QnDim channels = x && x->rank > 1 ? x->dims[1] : x ? 1 : -1;
        if (per && x && qn_dim_is_known(per->dims[0]) && qn_dim_is_known(channels) &&
            per->dims[0] != channels)
            return qn_infer_fail(in, "input %d has %lld elements, expected one per channel: %lld",
                                 i, (long long)per->dims[0], (long long)channels);
    }
    return QN_OK;
}

static QnStatus check_channels(const QnCall *call, int first, int last, int64_t channels)
{
    for (int i = first; i <= last; i++)
        if (qn_tensor_count(qn_call_input(call, i)) != channels)
            return qn_call_fail(call, "input %d has %lld elements, expected %lld", i,
                                (long long)qn_tensor_count(qn_call_input(call, i)),
                                (long long)channels);
    return QN_OK;
}

/* ---- BatchNormalization ---- */

static QnStatus infer_batch(QnInfer *in)
{
    QN_TRY(want_channels(in, 1, 4));
    QN_TRY(qn_infer_output(in, 0, qn_infer_type(in, 0)));
    for (int i = 1; i < in->output_count; i++) /* running mean and variance, then the batch's own */
        QN_TRY(qn_infer_output(in, i, qn_infer_type(in, i % 2 ? 3 : 4)));
    return QN_OK;
}

/* The moments of one channel over all samples. */
static Moments channel_moments(const QnTensor *x, QnBox box, int64_t channel, double *row)
{
    Moments m = {0, 0};
    for (int pass = 0; pass < 2; pass++) {
        double sum = 0;
        for (int64_t n = 0; n < box.outer; n++) {
            qn_tensor_read_row(x, (n * box.length + channel) * box.inner, 1, box.inner, row);
            for (int64_t i = 0; i < box.inner; i++)
                sum += pass == 0 ? row[i] : (row[i] - m.mean) * (row[i] - m.mean);
        }
        *(pass == 0 ? &m.mean : &m.variance) = sum / (double)(box.outer * box.inner);
    }
    return m;
}

/* The other outputs in training: running = running * momentum + batch * (1 - momentum). */
static void store_moments(const QnCall *call, int64_t channel, Moments batch)
{
    const double momentum = qn_op_float(call->node, "momentum");
    const double found[2] = {batch.mean, batch.variance};
    for (int i = 1; i < 5; i++) {
        if (!qn_call_wants(call, i))
            continue;
        const double value = found[(i - 1) % 2];
        const double old = qn_tensor_get(qn_call_input(call, i % 2 ? 3 : 4), channel);
        qn_tensor_set(qn_call_result(call, i), channel,
                      i < 3 ? old * momentum + value * (1 - momentum) : value);
    }
}

typedef struct BatchNorm {
    QnBox box;
    double epsilon;
    bool is_training;
} BatchNorm;

/* Channels begin <= c < end; the room is a plane of one. */
static QnStatus normalize_channels(const QnCall *call, const void *work, void *room, int64_t begin,
                                   int64_t end)
{
    const BatchNorm *norm = work;
    const QnTensor *x = qn_call_input(call, 0);
    const QnBox box = norm->box;
    double *row = room;
    for (int64_t c = begin; c < end; c++) {
        Moments m = {qn_tensor_get(qn_call_input(call, 3), c),
                     qn_tensor_get(qn_call_input(call, 4), c)};
        if (norm->is_training) {
            m = channel_moments(x, box, c, row);
            store_moments(call, c, m);
        }
        const double factor =
            qn_tensor_get(qn_call_input(call, 1), c) / sqrt(m.variance + norm->epsilon);
        const double offset = qn_tensor_get(qn_call_input(call, 2), c);
        for (int64_t n = 0; n < box.outer; n++) {
            const int64_t first = (n * box.length + c) * box.inner;
            qn_tensor_read_row(x, first, 1, box.inner, row);
            for (int64_t i = 0; i < box.inner; i++)
                row[i] = (row[i] - m.mean) * factor + offset;
            qn_tensor_write_row(qn_call_result(call, 0), first, 1, box.inner, row);
        }
    }
    return QN_OK;
}

static QnStatus batch_normalize(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0);
    BatchNorm norm = {.box = qn_box(x, 1),
                      .epsilon = qn_op_float(call->node, "epsilon"),
                      .is_training = qn_op_int(call->node, "training_mode") != 0};
    if (x->rank < 2) /* samples of one channel */
        norm.box = (QnBox){qn_tensor_count(x), 1, 1};
    QN_TRY(check_channels(call, 1, 4, norm.box.length));
    return qn_call_for(call, norm.box.length, 6 * (double)norm.box.outer * (double)norm.box.inner,
                       (size_t)norm.box.inner * sizeof(double), normalize_channels, &norm);
}

/* ---- InstanceNormalization, GroupNormalization ---- */

static QnStatus infer_instance(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    if (x && x->rank < 2)
        return qn_infer_fail(in, "input 0 has rank %d, expected 2 at least", x->rank);
    QN_TRY(want_channels(in, 1, 2));
    return qn_infer_unary(in);
}

static QnStatus infer_group(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    const int64_t groups = qn_op_int(in->node, "num_groups");
    QN_TRY(infer_instance(in));
    if (groups < 1)
        return qn_infer_fail(in, "num_groups is %lld, expected 1 at least", (long long)groups);
    if (x && qn_dim_is_known(x->dims[1]) && x->dims[1] % groups)
        return qn_infer_fail(in, "%lld channels cannot be parted into %lld groups",
                             (long long)x->dims[1], (long long)groups);
    return QN_OK;
}

/* Each sample's channels in groups of `width`. */
static QnStatus normalize_groups(const QnCall *call, int64_t width)
{
    const QnTensor *x = qn_call_input(call, 0);
    QnTensor *y = qn_call_result(call, 0);
    const double epsilon = qn_op_float(call->node, "epsilon");
    const QnBox box = qn_box(x, 1);
    const int64_t size = width * box.inner;
    double *row;
    QN_ALLOC(row, call->scratch, size);
    QN_TRY(check_channels(call, 1, 2, box.length));
    for (int64_t g = 0; size > 0 && g < box.outer * box.length / width; g++) {
        QN_TRY(qn_call_poll(call));
        qn_tensor_read_row(x, g * size, 1, size, row);
        const Moments m = moments_of(row, size);
        for (int64_t i = 0; i < size; i++) {
            const int64_t c = (g * width + i / box.inner) % box.length;
            row[i] = (row[i] - m.mean) / sqrt(m.variance + epsilon) *
                         qn_tensor_get(qn_call_input(call, 1), c) +
                     qn_tensor_get(qn_call_input(call, 2), c);
        }
        qn_tensor_write_row(y, g * size, 1, size, row);
    }
    return QN_OK;
}

static QnStatus instance_normalize(const QnCall *call)
{
    return normalize_groups(call, 1);
}

static QnStatus group_normalize(const QnCall *call)
{
    const int64_t channels = qn_call_input(call, 0)->dims[1];
    const int64_t groups = qn_op_int(call->node, "num_groups");
    if (channels % groups)
        return qn_call_fail(call, "%lld channels cannot be parted into %lld groups",
                            (long long)channels, (long long)groups);
    return channels ? normalize_groups(call, channels / groups) : QN_OK;
}

/* ---- LayerNormalization, RMSNormalization ---- */

/* The element type of the mean and deviation outputs. */
static QnType stash_type(const QnNode *node)
{
    const int64_t type = qn_op_int(node, "stash_type");
    return type > 0 && type < QN_TYPE_COUNT && qn_type_is_float((QnType)type) ? (QnType)type
                                                                              : QN_UNDEFINED;
}

/* Scale and bias broadcast to the input, never the other way round. */
static QnStatus want_inside(const QnInfer *in, int i, const QnShape *x)
{
    const QnShape *part = qn_infer_shape(in, i);
    if (part && part->rank > x->rank)
        return qn_infer_fail(in, "input %d has rank %d, expected %d at most", i, part->rank,
                             x->rank);
    for (int d = 0; part && d < part->rank; d++) {
        const QnDim have = part->dims[d], want = x->dims[x->rank - part->rank + d];
        if (qn_dim_is_known(have) && qn_dim_is_known(want) && have != 1 && have != want)
            return qn_infer_fail(in, "input %d has size %lld, expected 1 or %lld", i,
                                 (long long)have, (long long)want);
    }
    return QN_OK;
}

static QnStatus infer_layer(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    const QnType type = stash_type(in->node);
    int axis;
    if (type == QN_UNDEFINED)
        return qn_infer_fail(in, "stash_type is no floating-point type");
    QN_TRY(qn_infer_unary(in));
    if (!x)
        return QN_OK;
    QN_TRY(qn_infer_axis(in, x->rank, &axis));
    for (int i = 1; i < 3; i++)
        QN_TRY(want_inside(in, i, x));
    QnShape rest = *x;
    for (int d = axis; d < rest.rank; d++)
        rest.dims[d] = 1;
    for (int i = 1; i < in->output_count; i++)
        QN_TRY(qn_infer_tensor(in, i, type, &rest));
    return QN_OK;
}

static QnStatus normalize_rows(const QnCall *call, bool subtracts_mean)
{
    const QnTensor *x = qn_call_input(call, 0), *scale = qn_call_input(call, 1),
                   *bias = qn_call_input(call, 2);
    QnTensor *y = qn_call_result(call, 0);
    const double epsilon = qn_op_float(call->node, "epsilon");
    const int64_t given = qn_op_int(call->node, "axis");
    const int axis = (int)(given < 0 ? given + x->rank : given);
    const QnBox box = qn_box(x, axis);
    const int64_t size = box.length * box.inner;
    double *row;
    QN_ALLOC(row, call->scratch, size);
    for (int64_t r = 0; r < box.outer; r++) {
        QN_TRY(qn_call_poll(call));
        qn_tensor_read_row(x, r * size, 1, size, row);
        const Moments m =
            subtracts_mean ? moments_of(row, size) : (Moments){0, mean_square(row, size)};
        const double factor = 1 / sqrt(m.variance + epsilon);
        for (int64_t i = 0; i < size; i++)
            row[i] = (row[i] - m.mean) * factor *
                         qn_tensor_get(scale, qn_broadcast_index(scale, x, r * size + i)) +
                     (bias ? qn_tensor_get(bias, qn_broadcast_index(bias, x, r * size + i)) : 0);
        qn_tensor_write_row(y, r * size, 1, size, row);
        if (qn_call_wants(call, 1))
            qn_tensor_set(qn_call_result(call, 1), r, m.mean);
        if (qn_call_wants(call, 2))
            qn_tensor_set(qn_call_result(call, 2), r, factor);
    }
    return QN_OK;
}

static QnStatus layer_normalize(const QnCall *call)
{
    return normalize_rows(call, true);
}

static QnStatus rms_normalize(const QnCall *call)
{
    return normalize_rows(call, false);
}

#define EPSILON                                                                   \
    {                                                                             \
        "epsilon", QN_ATTRIBUTE_FLOAT, .f = 9.9999997473787516355514526367188e-06 \
    }
static const QnOpAttribute batch_attributes[] = {
    EPSILON,
    {"momentum", QN_ATTRIBUTE_FLOAT, .f = 0.89999997615814208984375},
    {"training_mode", QN_ATTRIBUTE_INT},
    {0}};
static const QnOpAttribute instance_attributes[] = {EPSILON, {0}};
static const QnOpAttribute group_attributes[] = {
    EPSILON,
    {"num_groups", QN_ATTRIBUTE_INT, .is_required = true},
    {"stash_type", QN_ATTRIBUTE_INT, .i = QN_FLOAT},
    {0}};
static const QnOpAttribute layer_attributes[] = {{"axis", QN_ATTRIBUTE_INT, .i = -1},
                                                 EPSILON,
                                                 {"stash_type", QN_ATTRIBUTE_INT, .i = QN_FLOAT},
                                                 {0}};
#undef EPSILON

const QnOp qn_ops_normalize[] = {
    {.name = "BatchNormalization",
     .since = 15,
     .inputs = "X: float, scale: float, B: float, input_mean: float, input_var: float",
     .outputs = "Y: T, running_mean?: float, running_var?: float, saved_mean?: float, "
                "saved_var?: float",
     .attributes = batch_attributes,
     .traits = QN_OP_PORTABLE,
     .infer = infer_batch,
     .reference = batch_normalize},
    {.name = "GroupNormalization",
     .since = 21,
     .inputs = "X: float, scale: float, bias: float",
     .outputs = "Y: T",
     .attributes = group_attributes,
     .infer = infer_group,
     .reference = group_normalize},
    {.name = "InstanceNormalization",
     .since = 22,
     .inputs = "input: float, scale: float, B: float",
     .outputs = "output: T",
     .attributes = instance_attributes,
     .infer = infer_instance,
     .reference = instance_normalize},
    {.name = "LayerNormalization",
     .since = 17,
     .inputs = "X: float, Scale: float, B?: float",
     .outputs = "Y: T, Mean?: float, InvStdDev?: float",
     .attributes = layer_attributes,
     .infer = infer_layer,
     .reference = layer_normalize},
    {.name = "RMSNormalization",
     .since = 23,
     .inputs = "X: float, scale: float",
     .outputs = "Y: T",
     .attributes = layer_attributes,
     .infer = infer_layer,
     .reference = rms_normalize},
    {0},
};
