/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MaxPool, AveragePool, LpPool and GlobalLpPool: kernels/pool.h, channels last or plain.  The other
 * global ones are reductions: lower_reduce.c.
 */
#include <assert.h>

#include "engine/devices/cpu/border.h"
#include "engine/devices/cpu/kernels/pool.h"
#include "engine/devices/cpu/spread.h"
#include "engine/ops/window.h"

typedef struct Row {
    const char *op;
    QnPoolKind kind;
    bool is_global;
} Row;

static const Row rows[] = {
    {"AveragePool", QN_POOL_AVERAGE, false},
    {"GlobalLpPool", QN_POOL_LP, true},
    {"LpPool", QN_POOL_LP, false},
    {"MaxPool", QN_POOL_MAX, false},
};

typedef struct PoolData {
    const Row *row;
    QnIsa isa;
    QnType type; /* computed in */
    QnWindow window;
    double p;
    bool counts_pad, is_column_major;
} PoolData;

/* Strides in elements; those of plain tensors also where their data is converted first. */
static void set_strides(QnPool *pool, const QnTensor *x, const QnTensor *y)
{
    const int64_t x_size = (int64_t)qn_type_size(x->type), y_size = (int64_t)qn_type_size(y->type);
    pool->x_batch_stride = x->strides[0] / x_size;
    pool->x_channel_stride = x->strides[1] / x_size;
    pool->y_batch_stride = y->strides[0] / y_size;
    pool->y_channel_stride = y->strides[1] / y_size;
    for (int d = 0; d < pool->rank; d++) {
        pool->x_strides[d] = x->strides[d + 2] / x_size;
        pool->y_strides[d] = y->strides[d + 2] / y_size;
    }
}

/* Positions count row by row through a plain tensor, or column by column in the last two axes. */
static void set_index_strides(QnPool *pool, bool is_column_major)
{
    int64_t stride = 1;
    for (int d = pool->rank - 1; d >= 0; d--) {
        pool->index_strides[d] = stride;
        stride *= pool->x_dims[d];
    }
    pool->index_channel_stride = stride;
    pool->index_batch_stride = stride * pool->channels;
    if (is_column_major && pool->rank >= 2) {
        pool->index_strides[pool->rank - 2] = 1;
        pool->index_strides[pool->rank - 1] = pool->x_dims[pool->rank - 2];
    }
}

static void set_window(QnPool *pool, const PoolData *data)
{
    for (int d = 0; d < pool->rank; d++) {
        pool->kernel[d] = data->row->is_global ? pool->x_dims[d] : data->window.kernel[d];
        pool->strides[d] = data->row->is_global ? 1 : data->window.stride[d];
        pool->dilations[d] = data->row->is_global ? 1 : data->window.dilation[d];
        if (!data->row->is_global)
            qn_window_pads(&data->window, d, pool->x_dims[d], pool->y_dims[d], &pool->pads_begin[d],
                           &pool->pads_end[d]);
    }
}

typedef struct Params {
    QnPool pool;
    QnPoolFn *run;
    double taps;
} Params;

static QnStatus bind_pool(const QnStep *step, QnBindCall *call)
{
    const PoolData *data = step->data;
    const QnTensor *x = qn_step_input(step, call->values, 0),
                   *y = qn_step_output(step, call->values, 0);
    Params *p = call->params;
    assert(x && y);
    *p = (Params){.taps = 1};
    p->pool = (QnPool){.kind = data->row->kind,
                       .family = qn_family_of(data->type),
                       .rank = x->rank - 2,
                       .batch = x->dims[0],
                       .channels = x->dims[1],
                       .counts_pad = data->counts_pad,
                       .p = data->p};
    memcpy(p->pool.x_dims, x->dims + 2, sizeof *x->dims * (size_t)p->pool.rank);
    memcpy(p->pool.y_dims, y->dims + 2, sizeof *y->dims * (size_t)p->pool.rank);
    set_strides(&p->pool, x, y);
    set_window(&p->pool, data);
    set_index_strides(&p->pool, data->is_column_major);
    for (int d = 0; d < p->pool.rank; d++)
        p->taps *= (double)p->pool.kernel[d];
    p->run = qn_pool_pick(&p->pool, data->isa);
    qn_cpu_border_reserve(&call->scratch_bytes, x, data->type);
    qn_cpu_border_reserve(&call->scratch_bytes, y, data->type);
    return QN_OK;
}

typedef struct Work {
    const Params *params;
    const void *x;
    void *y;
    int64_t *indices;
} Work;

static void run_units(const void *user, int64_t begin, int64_t end, int member)
{
    const Work *work = user;
    (void)member;
    qn_pool_run(&work->params->pool, work->params->run, work->x, work->y, work->indices, begin,
                end);
}

/* Nanoseconds per element and tap. */
static double tap_cost(bool is_nhwc)
{
    return is_nhwc ? 0.1 : 0.8;
}

static QnStatus run_pool(const QnStep *step, const void *params, QnRunCall *call)
{
    const PoolData *data = step->data;
    const Params *p = params;
    const QnTensor *x = qn_step_input(step, call->values, 0),
                   *y = qn_step_output(step, call->values, 0),
                   *indices = qn_step_output(step, call->values, 1);
    uint8_t *room = call->scratch;
    Work work = {.params = p, .indices = indices ? indices->data : NULL};
    work.x = qn_cpu_border_read(call, &room, x, data->type);
    work.y = qn_cpu_border_room(&room, y, data->type);
    const int64_t units = qn_pool_unit_count(&p->pool);
    const double cost =
        (double)qn_tensor_count(y) * p->taps * tap_cost(p->pool.x_channel_stride == 1);
    qn_cpu_spread(call, units, units ? cost / (double)units : 0, run_units, &work);
    qn_cpu_border_write(call, y, data->type, work.y);
    qn_cpu_fault(data->row->op, y);
    return QN_OK;
}

static const QnStepCode code = {.name = "pool",
                                .params_size = (sizeof(Params) + 7) / 8 * 8,
                                .bind = bind_pool,
                                .run = run_pool};

/* ---- offering ---- */

static const Row *find_row(const QnNode *node)
{
    for (size_t i = 0; i < QN_COUNT_OF(rows) && !*node->domain; i++)
        if (!strcmp(rows[i].op, node->op))
            return &rows[i];
    return NULL;
}

/* What the pool is computed in; UNDEFINED where no kernel does. */
static QnType type_for(const Row *row, QnType type)
{
    if (row->kind == QN_POOL_MAX && (type == QN_INT8 || type == QN_UINT8))
        return type;
    return qn_cpu_float_type(type);
}

static QnStatus offer_pool(QnOfferCall *call, const PoolData *read, QnLayoutKind layout)
{
    const QnNode *node = call->node;
    PoolData *data;
    QN_ALLOC(data, call->arena, 1);
    *data = *read;
    double taps = 1;
    for (int d = 0; d < node->inputs[0].value->type.shape.rank - 2; d++)
        taps *= data->row->is_global
                    ? qn_cpu_size(call, node->inputs[0].value->type.shape.dims[d + 2])
                    : (double)data->window.kernel[d];
    call->offer(call, &(QnOffer){
                          .code = &code,
                          .kernel = layout == QN_LAYOUT_NHWC ? "pool_nhwc" : "pool",
                          .tier = QN_TIER_TUNED,
                          .nodes = {node},
                          .node_count = 1,
                          .inputs = {node->inputs[0].value},
                          .accepts = {1u << layout},
                          .input_count = 1,
                          .outputs = {node->outputs[0], qn_node_output(node, 1)},
                          .layouts = {layout, layout},
                          .context = data,
                          .cost = 300 + qn_cpu_elements(call, node->outputs[0]) * taps *
                                            tap_cost(layout == QN_LAYOUT_NHWC),
                      });
    return QN_OK;
}

QnStatus qn_cpu_lower_pool(QnOfferCall *call)
{
    const QnNode *node = call->node;
    const Row *row = find_row(node);
    if (!row || !node->outputs[0])
        return QN_OK;
    const QnIrType *x = &node->inputs[0].value->type;
    PoolData data = {.row = row, .isa = qn_cpu_of(call)->isa};
    data.type = type_for(row, x->element);
    if (data.type == QN_UNDEFINED || x->shape.rank < 3 ||
        (!row->is_global &&
         qn_window_read(&data.window, node, x->shape.rank - 2, NULL, NULL) != QN_OK))
        return QN_OK;
    if (row->kind == QN_POOL_LP)
        data.p = (double)qn_op_int(node, "p");
    if (row->kind == QN_POOL_AVERAGE)
        data.counts_pad = qn_op_int(node, "count_include_pad") != 0;
    if (row->kind == QN_POOL_MAX)
        data.is_column_major = qn_op_int(node, "storage_order") != 0;
    QN_TRY(offer_pool(call, &data, QN_LAYOUT_PLAIN));
    /* Indices share the strides of the results, which their pitch would make different. */
    return x->element == data.type && !qn_node_output(node, 1)
               ? offer_pool(call, &data, QN_LAYOUT_NHWC)
               : QN_OK;
}
