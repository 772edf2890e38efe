/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Softmax and LogSoftmax: kernels/softmax.h.  Along the channels of pixels that lie channels last
 * each pixel is a row.
 */
#include "engine/devices/cpu/border.h"
#include "engine/devices/cpu/kernels/softmax.h"
#include "engine/devices/cpu/spread.h"

static const double element_ns = 1;

typedef struct SoftmaxData {
    const QnSoftmaxVariant *variant;
    QnType type; /* computed in */
    int axis;
    bool is_log, is_nhwc;
} SoftmaxData;

/* The tensor seen as [outer, length, inner]; a scalar is one row. */
static QnStatus bind_plain(const QnStep *step, QnBindCall *call)
{
    const SoftmaxData *data = step->data;
    const QnTensor *x = qn_step_input(step, call->values, 0);
    QnSoftmax *softmax = call->params;
    *softmax = (QnSoftmax){data->variant, 1, 1, 1, data->is_log};
    for (int d = 0; d < x->rank; d++)
        *(d < data->axis    ? &softmax->outer
          : d == data->axis ? &softmax->length
                            : &softmax->inner) *= x->dims[d];
    qn_cpu_border_reserve(&call->scratch_bytes, x, data->type);
    qn_cpu_border_reserve(&call->scratch_bytes, qn_step_output(step, call->values, 0), data->type);
    return QN_OK;
}

typedef struct Work {
    const QnSoftmax *softmax;
    const uint8_t *x;
    uint8_t *y;
    int64_t pitch; /* of pixels: bytes */
} Work;

static void run_units(const void *user, int64_t begin, int64_t end, int member)
{
    const Work *work = user;
    (void)member;
    qn_softmax_run(work->softmax, work->x, work->y, begin, end);
}

static void run_pixels(const void *user, int64_t begin, int64_t end, int member)
{
    const Work *work = user;
    (void)member;
    for (int64_t i = begin; i < end; i++)
        work->softmax->variant->row(work->softmax->length, work->x + i * work->pitch,
                                    work->y + i * work->pitch, work->softmax->is_log);
}

static void run_rows(const SoftmaxData *data, const QnSoftmax *softmax, const QnTensor *x,
                     const QnTensor *y, QnRunCall *call)
{
    uint8_t *room = call->scratch;
    Work work = {.softmax = softmax};
    work.x = qn_cpu_border_read(call, &room, x, data->type);
    work.y = qn_cpu_border_room(&room, y, data->type);
    const int64_t units = qn_softmax_unit_count(softmax);
    const double elements = (double)qn_tensor_count(x);
    qn_cpu_spread(call, units, units ? element_ns * elements / (double)units : 0, run_units, &work);
    qn_cpu_border_write(call, y, data->type, work.y);
}

static QnStatus run_softmax(const QnStep *step, const void *params, QnRunCall *call)
{
    const SoftmaxData *data = step->data;
    const QnSoftmax *softmax = params;
    const QnTensor *x = qn_step_input(step, call->values, 0),
                   *y = qn_step_output(step, call->values, 0);
    if (data->is_nhwc) {
        const Work work = {softmax, x->data, y->data, x->strides[x->rank - 1]};
        qn_cpu_spread(call, softmax->outer * softmax->inner, element_ns * (double)softmax->length,
                      run_pixels, &work);
    } else {
        run_rows(data, softmax, x, y, call);
    }
    qn_cpu_fault("softmax", y);
    return QN_OK;
}

static const QnStepCode code = {
    .name = "softmax", .params_size = sizeof(QnSoftmax), .bind = bind_plain, .run = run_softmax};

static QnStatus offer_softmax(QnOfferCall *call, const SoftmaxData *read, bool is_nhwc)
{
    const QnLayoutKind layout = is_nhwc ? QN_LAYOUT_NHWC : QN_LAYOUT_PLAIN;
    SoftmaxData *data;
    QN_ALLOC(data, call->arena, 1);
    *data = *read;
    data->is_nhwc = is_nhwc;
    call->offer(call, &(QnOffer){
                          .code = &code,
                          .kernel = data->variant->name,
                          .tier = QN_TIER_TUNED,
                          .nodes = {call->node},
                          .node_count = 1,
                          .inputs = {call->node->inputs[0].value},
                          .accepts = {1u << layout},
                          .input_count = 1,
                          .outputs = {call->node->outputs[0]},
                          .layouts = {layout},
                          .in_place = 1,
                          .context = data,
                          .cost = 300 + element_ns * qn_cpu_elements(call, call->node->outputs[0]),
                      });
    return QN_OK;
}

QnStatus qn_cpu_lower_softmax(QnOfferCall *call)
{
    const QnNode *node = call->node;
    const bool is_log = !strcmp(node->op, "LogSoftmax");
    if ((!is_log && strcmp(node->op, "Softmax") != 0) || *node->domain)
        return QN_OK;
    const QnIrType *x = &node->inputs[0].value->type;
    const int64_t axis = qn_op_int(node, "axis");
    SoftmaxData data = {.type = qn_cpu_float_type(x->element), .is_log = is_log};
    data.axis = (int)(axis < 0 ? axis + x->shape.rank : axis);
    data.variant = qn_softmax_pick(data.type, qn_cpu_of(call)->isa);
    if (!data.variant)
        return QN_OK;
    QN_TRY(offer_softmax(call, &data, false));
    return x->shape.rank >= 3 && data.axis == 1 && x->element == data.type
               ? offer_softmax(call, &data, true)
               : QN_OK;
}
