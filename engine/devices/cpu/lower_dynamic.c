/* SPDX-License-Identifier: Apache-2.0 */
/* DynamicQuantizeLinear: a pass for the range and one for the steps (kernels/byte_grid.h). */
#include "base/checked.h"
#include "base/fault.h"
#include "engine/devices/cpu/cpu.h"
#include "engine/devices/cpu/kernels/byte_grid.h"
#include "engine/devices/cpu/spread.h"

enum { X = 0, Y = 0, SCALE = 1, ZERO = 2, UNIT = 2048 /* elements */ };

static const double unit_ns = UNIT * 0.1;

typedef struct Data {
    const QnByteGridVariant *variant;
} Data;

typedef struct Params {
    int64_t count, units;
} Params;

static QnStatus bind_dynamic(const QnStep *step, QnBindCall *call)
{
    Params *p = call->params;
    p->count = qn_tensor_count(qn_step_input(step, call->values, X));
    p->units = qn_ceil_div(p->count, UNIT);
    call->scratch_bytes = (size_t)p->units * sizeof(QnRange);
    return QN_OK;
}

typedef struct Work {
    const QnByteGridVariant *variant;
    const float *x;
    uint8_t *y;
    int64_t count;
    QnRange *ranges; /* [units] */
    float scale, zero;
} Work;

static int64_t length_of(const Work *work, int64_t unit)
{
    return qn_min_i64(UNIT, work->count - unit * UNIT);
}

static void find_ranges(const void *user, int64_t begin, int64_t end, int member)
{
    const Work *work = user;
    (void)member;
    for (int64_t unit = begin; unit < end; unit++) {
        work->ranges[unit] = (QnRange){0, 0};
        work->variant->widen(&work->ranges[unit], work->x + unit * UNIT, length_of(work, unit));
    }
}

static void find_steps(const void *user, int64_t begin, int64_t end, int member)
{
    const Work *work = user;
    (void)member;
    for (int64_t unit = begin; unit < end; unit++)
        work->variant->steps(work->y + unit * UNIT, work->x + unit * UNIT, length_of(work, unit),
                             work->scale, work->zero);
}

static QnStatus run_dynamic(const QnStep *step, const void *params, QnRunCall *call)
{
    const Params *p = params;
    const Data *data = step->data;
    const QnTensor *y = qn_step_output(step, call->values, Y),
                   *scale = qn_step_output(step, call->values, SCALE),
                   *zero = qn_step_output(step, call->values, ZERO);
    Work work = {.variant = data->variant,
                 .x = qn_step_input(step, call->values, X)->data,
                 .y = y ? y->data : NULL,
                 .count = p->count,
                 .ranges = call->scratch};
    QnRange all = {0, 0};
    qn_cpu_spread(call, p->units, unit_ns, find_ranges, &work);
    for (int64_t i = 0; i < p->units; i++) {
        all.low = work.ranges[i].low < all.low ? work.ranges[i].low : all.low;
        all.high = work.ranges[i].high > all.high ? work.ranges[i].high : all.high;
    }
    qn_range_settle(&all, &work.scale, &work.zero);
    if (y)
        qn_cpu_spread(call, p->units, unit_ns, find_steps, &work);
    if (y && p->count && qn_fault("kernel", work.variant->name))
        qn_fault_spoil(y->data, 1);
    if (scale)
        memcpy(scale->data, &work.scale, sizeof work.scale);
    if (zero)
        *(uint8_t *)zero->data = (uint8_t)work.zero;
    if (y)
        qn_cpu_fault("dynamic", y);
    return QN_OK;
}

static const QnStepCode code = {
    .name = "dynamic", .params_size = sizeof(Params), .bind = bind_dynamic, .run = run_dynamic};

QnStatus qn_cpu_lower_dynamic(QnOfferCall *call)
{
    const QnNode *node = call->node;
    const QnIrValue *x = qn_node_input(node, 0);
    Data *data;
    if (strcmp(node->op, "DynamicQuantizeLinear") != 0 || *node->domain ||
        x->type.element != QN_FLOAT)
        return QN_OK;
    QN_ALLOC(data, call->arena, 1);
    data->variant = qn_byte_grid_pick(qn_cpu_of(call)->isa);
    QnOffer offer = {
        .code = &code,
        .kernel = data->variant->name,
        .tier = QN_TIER_TUNED,
        .nodes = {node},
        .node_count = 1,
        .inputs = {x},
        .accepts = {QN_ACCEPT_PLAIN},
        .input_count = 1,
        .layouts = {QN_LAYOUT_PLAIN, QN_LAYOUT_PLAIN, QN_LAYOUT_PLAIN},
        .context = data,
        .cost = 400 + 0.15 * qn_cpu_elements(call, x),
    };
    for (int i = 0; i < node->output_count && i <= ZERO; i++)
        offer.outputs[i] = node->outputs[i];
    call->offer(call, &offer);
    return QN_OK;
}
