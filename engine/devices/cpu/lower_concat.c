/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Concat and Split: copies of parts, whatever the layouts of the two sides.  Channels of pixels are
 * joined and cut within the pixels.
 */
#include <assert.h>

#include "base/checked.h"
#include "engine/devices/cpu/copy.h"
#include "engine/ops/op.h"

typedef struct PartData {
    QnIsa isa;
    int axis;
} PartData;

/* `length` elements along an axis from `begin` on. */
static QnTensor part_of(const QnTensor *tensor, int axis, int64_t begin, int64_t length)
{
    QnTensor part = *tensor;
    part.dims[axis] = length;
    part.data = (uint8_t *)tensor->data + begin * tensor->strides[axis];
    return part;
}

static void copy_part(const QnRunCall *call, QnIsa isa, const QnTensor *to, const QnTensor *from)
{
    const QnCpuMap map = qn_cpu_map(to, from);
    QnCpuCopy copy;
    qn_cpu_copy_bind(&copy, &map, qn_type_size(to->type), isa);
    qn_cpu_copy_run(call, &copy, to->data, from->data);
}

static QnStatus check_part(const QnTensor *part, const QnTensor *whole, int axis, int64_t begin,
                           int i, QnError *err)
{
    for (int d = 0; d < whole->rank; d++)
        if (d != axis && part->dims[d] != whole->dims[d])
            return qn_fail(err, QN_BAD_TENSOR,
                           "part %d has %lld elements along dimension %d, expected %lld", i,
                           (long long)part->dims[d], d, (long long)whole->dims[d]);
    if (part->dims[axis] > whole->dims[axis] - begin)
        return qn_fail(err, QN_BAD_TENSOR, "part %d has %lld elements, %lld are left", i,
                       (long long)part->dims[axis], (long long)(whole->dims[axis] - begin));
    return QN_OK;
}

/* ---- Concat ---- */

static QnStatus bind_concat(const QnStep *step, QnBindCall *call)
{
    const PartData *data = step->data;
    const QnTensor *y = qn_step_output(step, call->values, 0);
    int64_t at = 0;
    for (int i = 0; i < step->input_count; i++) {
        const QnTensor *x = qn_step_input(step, call->values, i);
        QN_TRY(check_part(x, y, data->axis, at, i, call->err));
        at += x->dims[data->axis];
    }
    return QN_OK;
}

static QnStatus run_concat(const QnStep *step, const void *params, QnRunCall *call)
{
    const PartData *data = step->data;
    const QnTensor *y = qn_step_output(step, call->values, 0);
    int64_t at = 0;
    (void)params;
    for (int i = 0; i < step->input_count; i++) {
        const QnTensor *x = qn_step_input(step, call->values, i);
        const QnTensor part = part_of(y, data->axis, at, x->dims[data->axis]);
        copy_part(call, data->isa, &part, x);
        at += x->dims[data->axis];
    }
    qn_cpu_fault("Concat", y);
    return QN_OK;
}

static const QnStepCode concat = {.name = "concat", .bind = bind_concat, .run = run_concat};

/* ---- Split ---- */

/* The size of part i where it is not wanted: what is given, or an equal share. */
static int64_t part_size(const QnStep *step, const QnValue *values, int axis, int i)
{
    const QnTensor *x = qn_step_input(step, values, 0), *sizes = qn_step_input(step, values, 1),
                   *part = qn_step_output(step, values, i);
    assert(x);
    if (part)
        return part->dims[axis];
    if (sizes)
        return i < qn_tensor_count(sizes) ? qn_tensor_get_int(sizes, i) : 0;
    return qn_ceil_div(x->dims[axis], step->node->output_count);
}

static QnStatus run_split(const QnStep *step, const void *params, QnRunCall *call)
{
    const PartData *data = step->data;
    const QnTensor *x = qn_step_input(step, call->values, 0);
    int64_t at = 0;
    (void)params;
    for (int i = 0; i < step->output_count; i++) {
        const QnTensor *y = qn_step_output(step, call->values, i);
        const int64_t length = part_size(step, call->values, data->axis, i);
        if (length < 0 || length > x->dims[data->axis] - at)
            return qn_fail(call->err, QN_BAD_TENSOR, "part %d has %lld elements, %lld are left", i,
                           (long long)length, (long long)(x->dims[data->axis] - at));
        if (y) {
            const QnTensor part = part_of(x, data->axis, at, length);
            QN_TRY(check_part(y, x, data->axis, at, i, call->err));
            copy_part(call, data->isa, y, &part);
            qn_cpu_fault("Split", y);
        }
        at += length;
    }
    return QN_OK;
}

static const QnStepCode split = {.name = "split", .run = run_split};

/* ---- offering ---- */

static QnStatus offer_concat(QnOfferCall *call, PartData *data, QnLayoutKind layout)
{
    const QnNode *node = call->node;
    QnOffer offer = {
        .code = &concat,
        .kernel = "concat",
        .tier = QN_TIER_TUNED,
        .nodes = {node},
        .node_count = 1,
        .input_count = node->input_count,
        .outputs = {node->outputs[0]},
        .layouts = {layout},
        .context = data,
        .cost = 100,
    };
    for (int i = 0; i < node->input_count; i++) {
        const QnIrValue *x = node->inputs[i].value;
        offer.inputs[i] = x;
        offer.accepts[i] = QN_ACCEPT_ANY;
        offer.cost += qn_cpu_copy_cost(call, x, call->layout(call, x) != layout);
    }
    call->offer(call, &offer);
    return QN_OK;
}

static QnStatus offer_split(QnOfferCall *call, PartData *data, QnLayoutKind layout)
{
    const QnNode *node = call->node;
    const QnIrValue *x = node->inputs[0].value;
    QnOffer offer = {
        .code = &split,
        .kernel = "split",
        .tier = QN_TIER_TUNED,
        .nodes = {node},
        .node_count = 1,
        .inputs = {x, qn_node_input(node, 1)},
        .accepts = {QN_ACCEPT_ANY, QN_ACCEPT_PLAIN},
        .input_count = 2,
        .context = data,
        .cost = qn_cpu_copy_cost(call, x, call->layout(call, x) != layout),
    };
    for (int i = 0; i < node->output_count; i++) {
        offer.outputs[i] = node->outputs[i];
        offer.layouts[i] = layout;
    }
    call->offer(call, &offer);
    return QN_OK;
}

QnStatus qn_cpu_lower_concat(QnOfferCall *call)
{
    const QnNode *node = call->node;
    const bool is_concat = !strcmp(node->op, "Concat");
    if ((!is_concat && strcmp(node->op, "Split") != 0) || *node->domain ||
        node->input_count > QN_OFFER_INPUTS || node->output_count > QN_OFFER_OUTPUTS)
        return QN_OK;
    const QnIrType *x = &node->inputs[0].value->type;
    const int64_t axis = qn_op_int(node, "axis");
    bool is_nhwc = false;
    for (int i = 0; i < (is_concat ? node->input_count : 1); i++)
        is_nhwc = is_nhwc || call->layout(call, node->inputs[i].value) == QN_LAYOUT_NHWC;
    PartData *data;
    QN_ALLOC(data, call->arena, 1);
    *data = (PartData){qn_cpu_of(call)->isa, (int)(axis < 0 ? axis + x->shape.rank : axis)};
    QnStatus (*offer)(QnOfferCall *, PartData *, QnLayoutKind) =
        is_concat ? offer_concat : offer_split;
    QN_TRY(offer(call, data, QN_LAYOUT_PLAIN));
    return is_nhwc && x->shape.rank >= 3 ? offer(call, data, QN_LAYOUT_NHWC) : QN_OK;
}
