/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pad, of any element type and in all its modes.
 *
 * A table per axis says which element of the input each position shows.  Rows of the output are
 * filled along its innermost axis: a run in the middle is copied whole, the rest by the table.
 */
#include <assert.h>

#include "base/checked.h"
#include "engine/devices/cpu/cpu.h"
#include "engine/devices/cpu/kernels/rows.h"
#include "engine/devices/cpu/spread.h"
#include "engine/ops/pad.h"

enum { DATA = 0, PADS = 1, VALUE = 2, AXES = 3, INPUT_COUNT = 4 };

typedef struct PadData {
    QnPadMode mode;
} PadData;

/* One axis while padding. */
typedef struct Axis {
    int64_t count, to_stride, from_stride;
    int64_t begin, end; /* the run of positions that show consecutive elements */
    int64_t *from;      /* [count] elements of the input; -1: the constant */
} Axis;

typedef struct Work {
    Axis axes[QN_MAX_RANK]; /* of the output, from the widest stride to the narrowest */
    int rank;
    const uint8_t *x, *value;
    uint8_t *y;
    int64_t size; /* of an element */
} Work;

static QnStatus bind_pad(const QnStep *step, QnBindCall *call)
{
    const QnTensor *y = qn_step_output(step, call->values, 0);
    size_t entries = 1;
    for (int d = 0; d < y->rank; d++)
        entries += (size_t)y->dims[d];
    call->scratch_bytes = entries * sizeof(int64_t);
    return QN_OK;
}

static QnStatus read_pads(const QnStep *step, const QnRunCall *call, int rank, int64_t *begin,
                          int64_t *end)
{
    const QnTensor *pads = qn_step_input(step, call->values, PADS),
                   *axes = qn_step_input(step, call->values, AXES);
    const int64_t count = axes ? qn_tensor_count(axes) : rank;
    if (qn_tensor_count(pads) != 2 * count)
        return qn_fail(call->err, QN_BAD_TENSOR, "pads has %lld entries, expected %lld",
                       (long long)qn_tensor_count(pads), (long long)(2 * count));
    for (int64_t i = 0; i < count; i++) {
        const int64_t given = axes ? qn_tensor_get_int(axes, i) : i;
        const int64_t axis = given < 0 ? given + rank : given;
        if (axis < 0 || axis >= rank)
            return qn_fail(call->err, QN_BAD_TENSOR, "axes names dimension %lld, expected %d to %d",
                           (long long)given, -rank, rank - 1);
        begin[axis] = qn_tensor_get_int(pads, i);
        end[axis] = qn_tensor_get_int(pads, count + i);
    }
    return QN_OK;
}

/* Negative pads are cut off first; `rest` elements from `first` on are continued. */
static QnStatus fill_axis(Axis *axis, QnPadMode mode, int64_t size, int64_t begin, int64_t end,
                          QnError *err)
{
    const int64_t first = begin < 0 ? -begin : 0;
    const int64_t rest = qn_max_i64(0, size - first - (end < 0 ? -end : 0));
    if (size + begin + end != axis->count)
        return qn_fail(err, QN_BAD_TENSOR, "pads make %lld elements of %lld, expected %lld",
                       (long long)(size + begin + end), (long long)size, (long long)axis->count);
    if (rest == 0 && mode != QN_PAD_CONSTANT && axis->count > 0)
        return qn_fail(err, QN_BAD_TENSOR, "a dimension without elements cannot be continued");
    for (int64_t i = 0; i < axis->count; i++) {
        const int64_t source = qn_pad_source(mode, i - qn_max_i64(begin, 0), rest);
        axis->from[i] = source < 0 ? -1 : source + first;
    }
    axis->begin = qn_min_i64(qn_max_i64(begin, 0), axis->count);
    axis->end = qn_min_i64(axis->begin + rest, axis->count);
    return QN_OK;
}

/* The axes in the order of the output's strides, with their tables in the scratch memory. */
static QnStatus fill_axes(const QnStep *step, const QnRunCall *call, Work *work)
{
    const PadData *data = step->data;
    const QnTensor *x = qn_step_input(step, call->values, DATA),
                   *y = qn_step_output(step, call->values, 0);
    int64_t begin[QN_MAX_RANK] = {0}, end[QN_MAX_RANK] = {0}, *table = call->scratch;
    QN_TRY(read_pads(step, call, x->rank, begin, end));
    work->rank = y->rank;
    for (int d = 0; d < y->rank; d++) {
        int at = d;
        for (; at > 0 && work->axes[at - 1].to_stride < y->strides[d]; at--)
            work->axes[at] = work->axes[at - 1];
        Axis *axis = &work->axes[at];
        *axis = (Axis){y->dims[d], y->strides[d], x->strides[d], 0, 0, table};
        QN_TRY(fill_axis(axis, data->mode, x->dims[d], begin[d], end[d], call->err));
        table += y->dims[d];
    }
    if (work->rank == 0) { /* a scalar is a row of one element */
        *table = 0;
        work->axes[work->rank++] = (Axis){1, work->size, work->size, 0, 1, table};
    }
    return QN_OK;
}

static void fill_row(const Work *work, const Axis *axis, const uint8_t *from, uint8_t *to)
{
    if (!from) {
        qn_copy_row(to, axis->to_stride, work->value, 0, axis->count, work->size);
        return;
    }
    for (int64_t i = 0; i < axis->count; i++) {
        if (i == axis->begin && axis->end > i) {
            qn_copy_row(to + i * axis->to_stride, axis->to_stride,
                        from + axis->from[i] * axis->from_stride, axis->from_stride, axis->end - i,
                        work->size);
            i = axis->end - 1;
            continue;
        }
        const uint8_t *source =
            axis->from[i] < 0 ? work->value : from + axis->from[i] * axis->from_stride;
        memcpy(to + i * axis->to_stride, source, (size_t)work->size);
    }
}

static void run_rows(const void *user, int64_t begin, int64_t end, int member)
{
    const Work *work = user;
    (void)member;
    for (int64_t row = begin; row < end; row++) {
        const uint8_t *from = work->x;
        uint8_t *to = work->y;
        int64_t rest = row;
        for (int d = work->rank - 2; d >= 0; d--) {
            const Axis *axis = &work->axes[d];
            const int64_t i = rest % axis->count, source = axis->from[i];
            rest /= axis->count;
            to += i * axis->to_stride;
            from = source < 0 || !from ? NULL : from + source * axis->from_stride;
        }
        fill_row(work, &work->axes[work->rank - 1], from, to);
    }
}

static QnStatus run_pad(const QnStep *step, const void *params, QnRunCall *call)
{
    const QnTensor *x = qn_step_input(step, call->values, DATA),
                   *value = qn_step_input(step, call->values, VALUE),
                   *y = qn_step_output(step, call->values, 0);
    const uint8_t zero[16] = {0};
    const int64_t count = qn_tensor_count(y);
    Work work = {.x = x->data,
                 .y = y->data,
                 .value = value ? value->data : zero,
                 .size = (int64_t)qn_type_size(y->type)};
    (void)params;
    if (value && qn_tensor_count(value) != 1)
        return qn_fail(call->err, QN_BAD_TENSOR, "the constant has %lld elements, expected 1",
                       (long long)qn_tensor_count(value));
    QN_TRY(fill_axes(step, call, &work));
    if (count == 0)
        return QN_OK;
    const int64_t row = work.axes[work.rank - 1].count;
    assert(row > 0); /* or there were no elements */
    qn_cpu_spread(call, count / row, 5 + 0.1 * (double)(row * work.size), run_rows, &work);
    qn_cpu_fault("Pad", y);
    return QN_OK;
}

static const QnStepCode code = {.name = "pad", .bind = bind_pad, .run = run_pad};

QnStatus qn_cpu_lower_pad(QnOfferCall *call)
{
    const QnNode *node = call->node;
    if (strcmp(node->op, "Pad") != 0 || *node->domain ||
        node->outputs[0]->type.element == QN_STRING || qn_pad_mode(node) == QN_PAD_MODE_COUNT)
        return QN_OK;
    const QnIrValue *x = node->inputs[0].value;
    const bool is_nhwc = call->layout(call, x) == QN_LAYOUT_NHWC && x->type.shape.rank >= 3;
    PadData *data;
    QN_ALLOC(data, call->arena, 1);
    data->mode = qn_pad_mode(node);
    QnOffer offer = {
        .code = &code,
        .kernel = "pad",
        .tier = QN_TIER_TUNED,
        .nodes = {node},
        .node_count = 1,
        .accepts = {QN_ACCEPT_ANY, QN_ACCEPT_PLAIN, QN_ACCEPT_PLAIN, QN_ACCEPT_PLAIN},
        .input_count = INPUT_COUNT,
        .outputs = {node->outputs[0]},
        .layouts = {is_nhwc ? QN_LAYOUT_NHWC : QN_LAYOUT_PLAIN},
        .context = data,
        .cost = 500 + 0.15 * qn_cpu_elements(call, node->outputs[0]) *
                          (double)qn_type_size(x->type.element),
    };
    for (int i = 0; i < INPUT_COUNT; i++)
        offer.inputs[i] = qn_node_input(node, i);
    call->offer(call, &offer);
    return QN_OK;
}
