/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ScatterElements and ScatterND: a copy of the data, or the data itself where nobody else reads it,
 * into which updates are put in their order; kernels/gather.h.
 */
#include <assert.h>

#include "engine/devices/cpu/border.h"
#include "engine/devices/cpu/copy.h"
#include "engine/devices/cpu/kernels/gather.h"
#include "engine/ops/op.h"

enum { DATA = 0, INDICES = 1, UPDATES = 2, INPUT_COUNT = 3 };

typedef struct ScatterData {
    QnScatterOp op;
    QnIsa isa;
    QnType type; /* computed in */
    bool is_nd;
    int axis;
} ScatterData;

typedef struct Params {
    QnElements elements;
    QnSlices slices;
    QnCpuCopy copy;
} Params;

static int64_t product(const QnTensor *t, int first, int end)
{
    int64_t count = 1;
    for (int d = first; d < end; d++)
        count *= t->dims[d];
    return count;
}

static QnStatus bind_elements(const QnTensor *x, const QnTensor *indices, const QnTensor *updates,
                              int axis, QnElements *elements, QnError *err)
{
    assert(x && indices && updates);
    *elements = (QnElements){.rank = x->rank, .axis = axis};
    memcpy(elements->dims, x->dims, sizeof x->dims);
    memcpy(elements->index_dims, indices->dims, sizeof indices->dims);
    for (int d = 0; d < x->rank; d++) {
        if (indices->rank != x->rank || updates->rank != x->rank ||
            updates->dims[d] != indices->dims[d])
            return qn_fail(err, QN_BAD_TENSOR, "indices and updates differ in shape");
        if (d != axis && indices->dims[d] > x->dims[d])
            return qn_fail(err, QN_BAD_TENSOR,
                           "dimension %d of indices is %lld, expected %lld at most", d,
                           (long long)indices->dims[d], (long long)x->dims[d]);
    }
    return QN_OK;
}

static QnStatus bind_slices(const QnTensor *x, const QnTensor *indices, const QnTensor *updates,
                            QnSlices *slices, QnError *err)
{
    const int last = indices->rank - 1;
    const int64_t depth = last < 0 ? 0 : indices->dims[last];
    if (last < 0 || depth > x->rank)
        return qn_fail(err, QN_BAD_TENSOR, "index tuples have %lld entries, expected %d at most",
                       (long long)depth, x->rank);
    *slices = (QnSlices){.depth = (int)depth,
                         .batches = 1,
                         .rows = product(indices, 0, last),
                         .slice = product(x, (int)depth, x->rank)};
    memcpy(slices->dims, x->dims, sizeof *x->dims * (size_t)depth);
    if (qn_tensor_count(updates) != slices->rows * slices->slice)
        return qn_fail(err, QN_BAD_TENSOR, "there are %lld updates, expected %lld",
                       (long long)qn_tensor_count(updates),
                       (long long)(slices->rows * slices->slice));
    return QN_OK;
}

static QnStatus bind_scatter(const QnStep *step, QnBindCall *call)
{
    const ScatterData *data = step->data;
    const QnTensor *x = qn_step_input(step, call->values, DATA),
                   *indices = qn_step_input(step, call->values, INDICES),
                   *updates = qn_step_input(step, call->values, UPDATES),
                   *y = qn_step_output(step, call->values, 0);
    Params *p = call->params;
    *p = (Params){0};
    QN_TRY(data->is_nd ? bind_slices(x, indices, updates, &p->slices, call->err)
                       : bind_elements(x, indices, updates, data->axis, &p->elements, call->err));
    const QnCpuMap map = qn_cpu_map(y, x);
    qn_cpu_copy_bind(&p->copy, &map, qn_type_size(y->type), data->isa);
    if (data->op != QN_SCATTER_SET) {
        qn_cpu_border_reserve(&call->scratch_bytes, x, data->type);
        qn_cpu_border_reserve(&call->scratch_bytes, updates, data->type);
    }
    return QN_OK;
}

static QnStatus run_scatter(const QnStep *step, const void *params, QnRunCall *call)
{
    const ScatterData *data = step->data;
    const Params *p = params;
    const QnTensor *x = qn_step_input(step, call->values, DATA),
                   *indices = qn_step_input(step, call->values, INDICES),
                   *updates = qn_step_input(step, call->values, UPDATES),
                   *y = qn_step_output(step, call->values, 0);
    const QnIndices list = {indices->data, qn_tensor_count(indices),
                            (int)qn_type_size(indices->type)};
    const QnFamily family = qn_family_of(data->type);
    const bool is_open = qn_cpu_border_is_open(y->type, data->type) || data->op == QN_SCATTER_SET;
    uint8_t *room = call->scratch;
    const void *from = updates->data;
    void *to = y->data;
    if (!is_open) {
        to = (void *)(uintptr_t)qn_cpu_border_read(call, &room, x, data->type);
        from = qn_cpu_border_read(call, &room, updates, data->type);
    } else if (y->data != x->data) {
        qn_cpu_copy_run(call, &p->copy, y->data, x->data);
    }
    const int64_t bad = data->is_nd
                            ? qn_scatter_nd(&p->slices, &list, data->op, family, from, to)
                            : qn_scatter_elements(&p->elements, &list, data->op, family, from, to);
    if (bad != QN_INDICES_VALID)
        return qn_fail(call->err, QN_BAD_TENSOR, "index %lld, at position %lld, is out of range",
                       (long long)qn_tensor_get_int(indices, bad), (long long)bad);
    if (!is_open)
        qn_cpu_border_write(call, y, data->type, to);
    qn_cpu_fault(data->is_nd ? "ScatterND" : "ScatterElements", y);
    return QN_OK;
}

static const QnStepCode code = {.name = "scatter",
                                .params_size = (sizeof(Params) + 7) / 8 * 8,
                                .bind = bind_scatter,
                                .run = run_scatter};

/* ---- offering ---- */

static const char *const op_names[] = {"none", "add", "mul", "max", "min"};

/* Elements that are only put are bytes; UNDEFINED where no kernel does it. */
static QnType type_for(QnScatterOp op, QnType type)
{
    const QnFamily family = qn_family_of(type);
    if (op == QN_SCATTER_SET)
        switch (qn_type_size(type)) {
        case 1:
            return QN_UINT8;
        case 2:
            return QN_UINT16;
        case 4:
            return QN_UINT32;
        case 8:
            return QN_UINT64;
        default:
            return QN_UNDEFINED;
        }
    if (type == QN_BOOL && (op == QN_SCATTER_ADD || op == QN_SCATTER_MUL))
        return QN_UNDEFINED;
    return qn_family_type(family);
}

QnStatus qn_cpu_lower_scatter(QnOfferCall *call)
{
    const QnNode *node = call->node;
    const bool is_nd = !strcmp(node->op, "ScatterND");
    if ((!is_nd && strcmp(node->op, "ScatterElements") != 0) || *node->domain)
        return QN_OK;
    const QnIrType *x = &node->inputs[DATA].value->type;
    const QnType index_type = node->inputs[INDICES].value->type.element;
    int op = 0;
    while (op < (int)QN_COUNT_OF(op_names) && !qn_op_string_is(node, "reduction", op_names[op]))
        op++;
    ScatterData read = {.op = (QnScatterOp)op, .isa = qn_cpu_of(call)->isa, .is_nd = is_nd}, *data;
    if (op == (int)QN_COUNT_OF(op_names) || (index_type != QN_INT32 && index_type != QN_INT64) ||
        node->inputs[UPDATES].value->type.element != x->element)
        return QN_OK;
    read.type = type_for(read.op, x->element);
    if (read.type == QN_UNDEFINED)
        return QN_OK;
    if (!is_nd) {
        const int64_t axis = qn_op_int(node, "axis");
        read.axis = (int)(axis < 0 ? axis + x->shape.rank : axis);
    }
    QN_ALLOC(data, call->arena, 1);
    *data = read;
    QnOffer offer = {
        .code = &code,
        .kernel = node->op,
        .tier = QN_TIER_TUNED,
        .nodes = {node},
        .node_count = 1,
        .input_count = INPUT_COUNT,
        .outputs = {node->outputs[0]},
        .in_place = 1 + DATA,
        .context = data,
        .cost = qn_cpu_copy_cost(call, node->outputs[0], false) +
                3 * qn_cpu_elements(call, node->inputs[UPDATES].value),
    };
    for (int i = 0; i < INPUT_COUNT; i++) {
        offer.inputs[i] = node->inputs[i].value;
        offer.accepts[i] = QN_ACCEPT_PLAIN;
    }
    call->offer(call, &offer);
    return QN_OK;
}
