/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Reduce family, and the global pools that are reductions: kernels/reduce.h.  Plain tensors are
 * reduced over any axes; channels last, over the spatial ones: the pixels of an image are rows of
 * channels there, pad lanes included, whose results nobody reads.
 */
#include "base/checked.h"
#include "engine/devices/cpu/border.h"
#include "engine/devices/cpu/kernels/reduce.h"
#include "engine/devices/cpu/spread.h"

static const double element_ns = 0.3;

typedef struct Row {
    const char *op;
    QnReduceOp reduce;
    bool is_global; /* a pool: over the spatial axes, which stay */
    bool is_real;   /* integers are computed in double */
} Row;

static const Row rows[] = {
    {"GlobalAveragePool", QN_REDUCE_MEAN, true, false},
    {"GlobalMaxPool", QN_REDUCE_MAX, true, false},
    {"ReduceL1", QN_REDUCE_L1, false, false},
    {"ReduceL2", QN_REDUCE_L2, false, true},
    {"ReduceLogSum", QN_REDUCE_LOG_SUM, false, true},
    {"ReduceLogSumExp", QN_REDUCE_LOG_SUM_EXP, false, true},
    {"ReduceMax", QN_REDUCE_MAX, false, false},
    {"ReduceMean", QN_REDUCE_MEAN, false, true},
    {"ReduceMin", QN_REDUCE_MIN, false, false},
    {"ReduceProd", QN_REDUCE_PROD, false, false},
    {"ReduceSum", QN_REDUCE_SUM, false, false},
    {"ReduceSumSquare", QN_REDUCE_SUM_SQUARE, false, false},
};

typedef struct ReduceData {
    const Row *row;
    QnIsa isa;
    QnType type; /* computed in */
    bool is_nhwc;
} ReduceData;

/* The axes as bits.  Without axes all are reduced, or none. */
static QnStatus read_axes(const QnStep *step, const QnTensor *x, const QnTensor *axes,
                          uint32_t *mask, QnError *err)
{
    const ReduceData *data = step->data;
    const uint32_t all = (uint32_t)((UINT64_C(1) << x->rank) - 1);
    const int64_t count = axes ? qn_tensor_count(axes) : 0;
    *mask = data->row->is_global ? all & ~3u : 0;
    if (data->row->is_global)
        return QN_OK;
    for (int64_t i = 0; i < count; i++) {
        const int64_t given = qn_tensor_get_int(axes, i);
        if (given < -x->rank || given >= x->rank)
            return qn_fail(err, QN_BAD_TENSOR, "axes names dimension %lld, expected %d to %d",
                           (long long)given, -x->rank, x->rank - 1);
        *mask |= 1u << (given < 0 ? given + x->rank : given);
    }
    if (count == 0 && !qn_op_int(step->node, "noop_with_empty_axes"))
        *mask = all;
    return QN_OK;
}

/* Images as [batch, pixels, pitch]; a result without the spatial axes is contiguous, so that its
 * rows are cut to their channels behind. */
static QnStatus bind_nhwc(const QnStep *step, QnBindCall *call)
{
    const ReduceData *data = step->data;
    const QnTensor *x = qn_step_input(step, call->values, 0),
                   *y = qn_step_output(step, call->values, 0);
    int64_t dims[3] = {x->dims[0], 1, x->strides[x->rank - 1] / (int64_t)qn_type_size(x->type)};
    for (int d = 2; d < x->rank; d++)
        dims[1] *= x->dims[d];
    qn_reduce_bind(call->params, data->row->reduce, qn_family_of(data->type), 3, dims, 2,
                   data->isa);
    if (y->rank == 2)
        call->scratch_bytes = qn_round_up((size_t)dims[0] * (size_t)x->strides[x->rank - 1], 64);
    return QN_OK;
}

static QnStatus bind_reduce(const QnStep *step, QnBindCall *call)
{
    const ReduceData *data = step->data;
    const QnTensor *x = qn_step_input(step, call->values, 0),
                   *y = qn_step_output(step, call->values, 0);
    uint32_t mask;
    QN_TRY(read_axes(step, x, qn_step_input(step, call->values, 1), &mask, call->err));
    if (data->is_nhwc)
        return bind_nhwc(step, call);
    qn_reduce_bind(call->params, data->row->reduce, qn_family_of(data->type), x->rank, x->dims,
                   mask, data->isa);
    qn_cpu_border_reserve(&call->scratch_bytes, x, data->type);
    qn_cpu_border_reserve(&call->scratch_bytes, y, data->type);
    return QN_OK;
}

typedef struct Work {
    const QnReduce *reduce;
    const void *x;
    void *y;
} Work;

static void run_units(const void *user, int64_t begin, int64_t end, int member)
{
    const Work *work = user;
    (void)member;
    qn_reduce_run(work->reduce, work->x, work->y, begin, end);
}

/* Rows of pixels without their pad lanes. */
static void cut_rows(const QnTensor *y, const uint8_t *from, size_t pitch)
{
    const size_t row = (size_t)y->dims[1] * qn_type_size(y->type);
    for (int64_t n = 0; n < y->dims[0]; n++)
        memcpy((uint8_t *)y->data + (size_t)n * row, from + (size_t)n * pitch, row);
}

/* The least of no truths is the largest number of the type that computed it. */
static void make_bool(const QnTensor *y)
{
    uint8_t *truths = y->data;
    for (int64_t i = 0; i < qn_tensor_count(y); i++)
        truths[i] = truths[i] != 0;
}

static QnStatus run_reduce(const QnStep *step, const void *params, QnRunCall *call)
{
    const ReduceData *data = step->data;
    const QnReduce *reduce = params;
    const QnTensor *x = qn_step_input(step, call->values, 0),
                   *y = qn_step_output(step, call->values, 0);
    const bool is_cut = data->is_nhwc && y->rank == 2;
    uint8_t *room = call->scratch;
    Work work = {.reduce = reduce, .x = x->data, .y = is_cut ? call->scratch : y->data};
    if (!data->is_nhwc) {
        work.x = qn_cpu_border_read(call, &room, x, data->type);
        work.y = qn_cpu_border_room(&room, y, data->type);
    }
    const double cost = element_ns * (double)qn_tensor_count(x) + 2 * (double)qn_tensor_count(y);
    qn_cpu_spread(call, reduce->unit_count,
                  reduce->unit_count ? cost / (double)reduce->unit_count : 0, run_units, &work);
    if (is_cut)
        cut_rows(y, work.y, (size_t)x->strides[x->rank - 1]);
    else if (!data->is_nhwc)
        qn_cpu_border_write(call, y, data->type, work.y);
    if (y->type == QN_BOOL)
        make_bool(y);
    qn_cpu_fault(data->row->op, y);
    return QN_OK;
}

static const QnStepCode code = {.name = "reduce",
                                .params_size = (sizeof(QnReduce) + 7) / 8 * 8,
                                .bind = bind_reduce,
                                .run = run_reduce};

/* ---- offering ---- */

static const Row *find_row(const QnNode *node)
{
    for (size_t i = 0; i < QN_COUNT_OF(rows) && !*node->domain; i++)
        if (!strcmp(rows[i].op, node->op))
            return &rows[i];
    return NULL;
}

/* What it is computed in; UNDEFINED where no kernel does. */
static QnType type_for(const Row *row, QnType type)
{
    const QnFamily family = qn_family_of(type);
    if (family == QN_FAMILY_NONE)
        return QN_UNDEFINED;
    const bool is_float = family == QN_FAMILY_F32 || family == QN_FAMILY_F64;
    return row->is_real && !is_float ? QN_DOUBLE : qn_family_type(family);
}

/* Are exactly the spatial axes of a rank >= 3 tensor reduced? */
static bool is_spatial(const QnNode *node, const Row *row)
{
    const QnIrValue *axes = qn_node_input(node, 1);
    const int rank = node->inputs[0].value->type.shape.rank;
    uint32_t mask = 0;
    if (rank < 3 || row->is_global)
        return rank >= 3;
    if (!qn_cpu_is_constant(axes))
        return false;
    for (int64_t i = 0; i < qn_tensor_count(axes->constant); i++) {
        const int64_t axis = qn_tensor_get_int(axes->constant, i);
        mask |= 1u << ((axis < 0 ? axis + rank : axis) & 31);
    }
    return mask == ((1u << rank) - 1 - 3);
}

static QnStatus offer_reduce(QnOfferCall *call, const ReduceData *read, bool is_nhwc)
{
    const QnNode *node = call->node;
    const QnIrValue *x = node->inputs[0].value, *y = node->outputs[0];
    const bool keeps = y->type.shape.rank == x->type.shape.rank;
    const QnLayoutKind layout = is_nhwc ? QN_LAYOUT_NHWC : QN_LAYOUT_PLAIN;
    ReduceData *data;
    QN_ALLOC(data, call->arena, 1);
    *data = *read;
    data->is_nhwc = is_nhwc;
    call->offer(call, &(QnOffer){
                          .code = &code,
                          .kernel = is_nhwc ? "reduce_nhwc" : "reduce",
                          .tier = QN_TIER_TUNED,
                          .nodes = {node},
                          .node_count = 1,
                          .inputs = {x, read->row->is_global ? NULL : qn_node_input(node, 1)},
                          .accepts = {1u << layout, QN_ACCEPT_PLAIN},
                          .input_count = 2,
                          .outputs = {y},
                          .layouts = {keeps ? layout : QN_LAYOUT_PLAIN},
                          .context = data,
                          .cost = 300 + element_ns * qn_cpu_elements(call, x),
                      });
    return QN_OK;
}

QnStatus qn_cpu_lower_reduce(QnOfferCall *call)
{
    const QnNode *node = call->node;
    const Row *row = find_row(node);
    if (!row)
        return QN_OK;
    const QnType element = node->inputs[0].value->type.element;
    const ReduceData data = {
        .row = row, .isa = qn_cpu_of(call)->isa, .type = type_for(row, element)};
    if (data.type == QN_UNDEFINED)
        return QN_OK;
    QN_TRY(offer_reduce(call, &data, false));
    return is_spatial(node, row) && qn_cpu_border_is_open(element, data.type)
               ? offer_reduce(call, &data, true)
               : QN_OK;
}
