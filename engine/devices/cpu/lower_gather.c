/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gather, GatherElements and GatherND: kernels/gather.h.  The kernels read nothing through an index
 * that is out of range, and say which one it is.
 */
#include "engine/devices/cpu/cpu.h"
#include "engine/devices/cpu/kernels/gather.h"
#include "engine/devices/cpu/spread.h"
#include "engine/ops/op.h"

typedef struct Params Params;

/* From begin to end; the position of the first index that is out of range, or QN_INDICES_VALID. */
typedef int64_t GatherFn(const Params *p, const QnIndices *indices, const void *x, void *y,
                         int64_t begin, int64_t end);

typedef struct Row {
    const char *op;
    QnStatus (*bind)(const QnTensor *x, const QnTensor *indices, int axis, Params *p, QnError *err);
    GatherFn *run;
} Row;

struct Params {
    int64_t units; /* what a run counts */
    int64_t element_size;
    int64_t unit_bytes;
    int64_t axis_size, slice_bytes; /* of Gather */
    QnElements elements;
    QnSlices slices;
};

typedef struct GatherData {
    const Row *row;
    int axis; /* or the number of batch dims */
} GatherData;

static int64_t product(const QnTensor *t, int first, int end)
{
    int64_t count = 1;
    for (int d = first; d < end; d++)
        count *= t->dims[d];
    return count;
}

/* ---- Gather ---- */

static QnStatus bind_gather(const QnTensor *x, const QnTensor *indices, int axis, Params *p,
                            QnError *err)
{
    (void)err;
    p->axis_size = x->dims[axis];
    p->slice_bytes = product(x, axis + 1, x->rank) * p->element_size;
    p->unit_bytes = p->slice_bytes;
    p->units = product(x, 0, axis) * qn_tensor_count(indices);
    return QN_OK;
}

static int64_t run_gather_rows(const Params *p, const QnIndices *indices, const void *x, void *y,
                               int64_t begin, int64_t end)
{
    return qn_gather(indices, p->axis_size, p->slice_bytes, x, y, begin, end);
}

/* ---- GatherElements ---- */

static QnStatus bind_elements(const QnTensor *x, const QnTensor *indices, int axis, Params *p,
                              QnError *err)
{
    p->elements = (QnElements){.rank = x->rank, .axis = axis};
    memcpy(p->elements.dims, x->dims, sizeof x->dims);
    memcpy(p->elements.index_dims, indices->dims, sizeof indices->dims);
    p->unit_bytes = p->element_size;
    p->units = qn_tensor_count(indices);
    for (int d = 0; d < x->rank; d++)
        if (d != axis && indices->dims[d] > x->dims[d])
            return qn_fail(err, QN_BAD_TENSOR,
                           "dimension %d of indices is %lld, expected %lld at most", d,
                           (long long)indices->dims[d], (long long)x->dims[d]);
    return QN_OK;
}

static int64_t run_gather_elements(const Params *p, const QnIndices *indices, const void *x,
                                   void *y, int64_t begin, int64_t end)
{
    return qn_gather_elements(&p->elements, indices, p->element_size, x, y, begin, end);
}

/* ---- GatherND ---- */

static QnStatus bind_slices(const QnTensor *x, const QnTensor *indices, int batch, Params *p,
                            QnError *err)
{
    const int last = indices->rank - 1;
    const int64_t depth = indices->dims[last];
    if (depth < 0 || depth > x->rank - batch)
        return qn_fail(err, QN_BAD_TENSOR, "index tuples have %lld entries, expected %d at most",
                       (long long)depth, x->rank - batch);
    p->slices = (QnSlices){.depth = (int)depth,
                           .batches = product(x, 0, batch),
                           .rows = product(indices, batch, last),
                           .slice = product(x, batch + (int)depth, x->rank)};
    for (int d = 0; d < batch; d++)
        if (x->dims[d] != indices->dims[d])
            return qn_fail(err, QN_BAD_TENSOR,
                           "batch dimension %d is %lld in one input, %lld in the other", d,
                           (long long)x->dims[d], (long long)indices->dims[d]);
    memcpy(p->slices.dims, x->dims + batch, sizeof *x->dims * (size_t)depth);
    p->unit_bytes = p->slices.slice * p->element_size;
    p->units = p->slices.batches * p->slices.rows;
    return QN_OK;
}

static int64_t run_gather_slices(const Params *p, const QnIndices *indices, const void *x, void *y,
                                 int64_t begin, int64_t end)
{
    return qn_gather_nd(&p->slices, indices, p->element_size, x, y, begin, end);
}

static const Row rows[] = {
    {"Gather", bind_gather, run_gather_rows},
    {"GatherElements", bind_elements, run_gather_elements},
    {"GatherND", bind_slices, run_gather_slices},
};

/* ---- the step ---- */

static QnStatus bind_step(const QnStep *step, QnBindCall *call)
{
    const GatherData *data = step->data;
    const QnTensor *x = qn_step_input(step, call->values, 0),
                   *indices = qn_step_input(step, call->values, 1);
    Params *p = call->params;
    *p = (Params){.element_size = (int64_t)qn_type_size(x->type)};
    return data->row->bind(x, indices, data->axis, p, call->err);
}

typedef struct Work {
    const Params *params;
    GatherFn *run;
    QnIndices indices;
    const void *x;
    void *y;
    QnAtomicU32 *is_bad;
} Work;

static void run_units(const void *user, int64_t begin, int64_t end, int member)
{
    const Work *work = user;
    (void)member;
    if (work->run(work->params, &work->indices, work->x, work->y, begin, end) != QN_INDICES_VALID)
        qn_store_relaxed_u32(work->is_bad, 1);
}

/* Says which index it is: whatever thread met one first, the first in order is named. */
static QnStatus fail(const Work *work, const QnTensor *indices, QnError *err)
{
    const int64_t at =
        work->run(work->params, &work->indices, work->x, work->y, 0, work->params->units);
    return qn_fail(err, QN_BAD_TENSOR, "index %lld, at position %lld, is out of range",
                   (long long)qn_tensor_get_int(indices, at), (long long)at);
}

static QnStatus run_step(const QnStep *step, const void *params, QnRunCall *call)
{
    const GatherData *data = step->data;
    const QnTensor *x = qn_step_input(step, call->values, 0),
                   *indices = qn_step_input(step, call->values, 1),
                   *y = qn_step_output(step, call->values, 0);
    QnAtomicU32 is_bad = {0};
    const Params *p = params;
    const Work work = {
        .params = p,
        .run = data->row->run,
        .indices = {indices->data, qn_tensor_count(indices), (int)qn_type_size(indices->type)},
        .x = x->data,
        .y = y->data,
        .is_bad = &is_bad};
    qn_cpu_spread(call, p->units, 3 + 0.1 * (double)p->unit_bytes, run_units, &work);
    if (qn_load_relaxed_u32(&is_bad))
        return fail(&work, indices, call->err);
    qn_cpu_fault(data->row->op, y);
    return QN_OK;
}

static const QnStepCode code = {.name = "gather",
                                .params_size = (sizeof(Params) + 7) / 8 * 8,
                                .bind = bind_step,
                                .run = run_step};

/* ---- offering ---- */

static const Row *find_row(const QnNode *node)
{
    for (size_t i = 0; i < QN_COUNT_OF(rows) && !*node->domain; i++)
        if (!strcmp(rows[i].op, node->op))
            return &rows[i];
    return NULL;
}

QnStatus qn_cpu_lower_gather(QnOfferCall *call)
{
    const QnNode *node = call->node;
    const Row *row = find_row(node);
    if (!row || node->outputs[0]->type.element == QN_STRING)
        return QN_OK;
    const QnIrType *x = &node->inputs[0].value->type;
    const QnType index_type = node->inputs[1].value->type.element;
    const int64_t axis = qn_op_int(node, row->bind == bind_slices ? "batch_dims" : "axis");
    if (index_type != QN_INT32 && index_type != QN_INT64)
        return QN_OK;
    GatherData *data;
    QN_ALLOC(data, call->arena, 1);
    *data = (GatherData){row, (int)(axis < 0 ? axis + x->shape.rank : axis)};
    call->offer(call, &(QnOffer){
                          .code = &code,
                          .kernel = row->op,
                          .tier = QN_TIER_TUNED,
                          .nodes = {node},
                          .node_count = 1,
                          .inputs = {node->inputs[0].value, node->inputs[1].value},
                          .accepts = {QN_ACCEPT_PLAIN, QN_ACCEPT_PLAIN},
                          .input_count = 2,
                          .outputs = {node->outputs[0]},
                          .context = data,
                          .cost = 300 + 0.5 * qn_cpu_elements(call, node->outputs[0]),
                      });
    return QN_OK;
}
