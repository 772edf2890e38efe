/* SPDX-License-Identifier: Apache-2.0 */
/* Along one axis of plain tensors: TopK (kernels/sort.h), CumSum and CumProd (kernels/cumsum.h). */
#include "engine/devices/cpu/border.h"
#include "engine/devices/cpu/kernels/cumsum.h"
#include "engine/devices/cpu/kernels/sort.h"
#include "engine/devices/cpu/spread.h"

typedef struct AxisData {
    QnType type;     /* computed in */
    int axis;        /* of TopK */
    bool is_flipped; /* TopK: takes the smallest; else runs from the end */
    bool is_exclusive, is_product;
} AxisData;

/* The tensor seen as [outer, length, inner]. */
static void set_box(const QnTensor *x, int axis, int64_t *outer, int64_t *length, int64_t *inner)
{
    *outer = *length = *inner = 1;
    for (int d = 0; d < x->rank; d++)
        *(d < axis ? outer : d == axis ? length : inner) *= x->dims[d];
}

/* ---- TopK ---- */

static QnStatus bind_topk(const QnStep *step, QnBindCall *call)
{
    const AxisData *data = step->data;
    const QnTensor *x = qn_step_input(step, call->values, 0),
                   *y = qn_step_output(step, call->values, 0);
    QnTopK *topk = call->params;
    *topk = (QnTopK){.family = qn_family_of(data->type),
                     .k = y->dims[data->axis],
                     .takes_smallest = data->is_flipped};
    set_box(x, data->axis, &topk->outer, &topk->length, &topk->inner);
    if (topk->k > topk->length)
        return qn_fail(call->err, QN_BAD_TENSOR, "k is %lld, expected 0 to %lld",
                       (long long)topk->k, (long long)topk->length);
    qn_cpu_border_reserve(&call->scratch_bytes, x, data->type);
    qn_cpu_border_reserve(&call->scratch_bytes, y, data->type);
    call->member_scratch_bytes = (size_t)qn_topk_scratch(topk);
    return QN_OK;
}

typedef struct TopKWork {
    const QnTopK *topk;
    const void *x;
    void *y;
    int64_t *indices;
    const QnRunCall *call;
} TopKWork;

static void run_lines(const void *user, int64_t begin, int64_t end, int member)
{
    const TopKWork *work = user;
    qn_topk_run(work->topk, work->x, work->y, work->indices,
                qn_cpu_member_scratch(work->call, member), begin, end);
}

static QnStatus run_topk(const QnStep *step, const void *params, QnRunCall *call)
{
    const AxisData *data = step->data;
    const QnTopK *topk = params;
    const QnTensor *y = qn_step_output(step, call->values, 0),
                   *indices = qn_step_output(step, call->values, 1);
    uint8_t *room = call->scratch;
    TopKWork work = {.topk = topk, .indices = indices->data, .call = call};
    work.x = qn_cpu_border_read(call, &room, qn_step_input(step, call->values, 0), data->type);
    work.y = qn_cpu_border_room(&room, y, data->type);
    qn_cpu_spread(call, topk->outer * topk->inner, 5 * (double)topk->length, run_lines, &work);
    qn_cpu_border_write(call, y, data->type, work.y);
    qn_cpu_fault("TopK", y);
    return QN_OK;
}

static const QnStepCode topk_code = {.name = "topk",
                                     .params_size = (sizeof(QnTopK) + 7) / 8 * 8,
                                     .bind = bind_topk,
                                     .run = run_topk};

/* ---- running sums and products ---- */

static QnStatus bind_cumsum(const QnStep *step, QnBindCall *call)
{
    const AxisData *data = step->data;
    qn_cpu_border_reserve(&call->scratch_bytes, qn_step_input(step, call->values, 0), data->type);
    qn_cpu_border_reserve(&call->scratch_bytes, qn_step_output(step, call->values, 0), data->type);
    return QN_OK;
}

typedef struct CumSumWork {
    const QnCumSum *cumsum;
    const void *x;
    void *y;
} CumSumWork;

static void run_outer(const void *user, int64_t begin, int64_t end, int member)
{
    const CumSumWork *work = user;
    (void)member;
    qn_cumsum_run(work->cumsum, work->x, work->y, begin, end);
}

/* The axis is data, and may be known only now. */
static QnStatus run_cumsum(const QnStep *step, const void *params, QnRunCall *call)
{
    const AxisData *data = step->data;
    const QnTensor *x = qn_step_input(step, call->values, 0),
                   *axis = qn_step_input(step, call->values, 1),
                   *y = qn_step_output(step, call->values, 0);
    QnCumSum cumsum = {.family = qn_family_of(data->type),
                       .is_product = data->is_product,
                       .is_exclusive = data->is_exclusive,
                       .is_reversed = data->is_flipped};
    const int64_t given = qn_tensor_count(axis) == 1 ? qn_tensor_get_int(axis, 0) : INT64_MIN;
    uint8_t *room = call->scratch;
    (void)params;
    if (given < -x->rank || given >= x->rank)
        return qn_fail(call->err, QN_BAD_TENSOR, "axis is no number from %d to %d", -x->rank,
                       x->rank - 1);
    set_box(x, (int)(given < 0 ? given + x->rank : given), &cumsum.outer, &cumsum.length,
            &cumsum.inner);
    CumSumWork work = {.cumsum = &cumsum};
    work.x = qn_cpu_border_read(call, &room, x, data->type);
    work.y = qn_cpu_border_room(&room, y, data->type);
    qn_cpu_spread(call, cumsum.outer, (double)cumsum.length * (double)cumsum.inner, run_outer,
                  &work);
    qn_cpu_border_write(call, y, data->type, work.y);
    qn_cpu_fault(data->is_product ? "CumProd" : "CumSum", y);
    return QN_OK;
}

static const QnStepCode cumsum_code = {.name = "cumsum", .bind = bind_cumsum, .run = run_cumsum};

/* ---- offering ---- */

static bool is_op(const QnNode *node, const char *name)
{
    return !strcmp(node->op, name) && !*node->domain;
}

QnStatus qn_cpu_lower_sort(QnOfferCall *call)
{
    const QnNode *node = call->node;
    const bool is_topk = is_op(node, "TopK"), is_product = is_op(node, "CumProd");
    if (!is_topk && !is_product && !is_op(node, "CumSum"))
        return QN_OK;
    const QnIrType *x = &node->inputs[0].value->type;
    const QnFamily family = qn_family_of(x->element);
    if (family == QN_FAMILY_NONE || x->element == QN_BOOL ||
        (is_topk && (!qn_node_output(node, 0) || !qn_node_output(node, 1))))
        return QN_OK;
    AxisData *data;
    QN_ALLOC(data, call->arena, 1);
    data->type = qn_family_type(family);
    data->is_product = is_product;
    if (is_topk) {
        const int64_t axis = qn_op_int(node, "axis");
        data->axis = (int)(axis < 0 ? axis + x->shape.rank : axis);
        data->is_flipped = qn_op_int(node, "largest") == 0;
    } else {
        data->is_exclusive = qn_op_int(node, "exclusive") != 0;
        data->is_flipped = qn_op_int(node, "reverse") != 0;
    }
    call->offer(call, &(QnOffer){
                          .code = is_topk ? &topk_code : &cumsum_code,
                          .kernel = node->op,
                          .tier = QN_TIER_TUNED,
                          .nodes = {node},
                          .node_count = 1,
                          .inputs = {node->inputs[0].value, is_topk ? NULL : node->inputs[1].value},
                          .accepts = {QN_ACCEPT_PLAIN, QN_ACCEPT_PLAIN},
                          .input_count = 2,
                          .outputs = {node->outputs[0], qn_node_output(node, 1)},
                          .context = data,
                          .cost = 500 + 3 * qn_cpu_elements(call, node->inputs[0].value),
                      });
    return QN_OK;
}
