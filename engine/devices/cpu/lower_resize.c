/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resize, one axis after another, in plain layout or channels last.
 *
 * Each axis has a table of the positions that an output reads and of their weights, as the
 * operator's grid says (engine/ops/resize_grid.h).  Nearest neighbours are a gather of slices of
 * any type; other filters are computed in float or double (kernels/resize.h).
 */
#include <assert.h>
#include <math.h>

#include "base/checked.h"
#include "engine/devices/cpu/border.h"
#include "engine/devices/cpu/kernels/gather.h"
#include "engine/devices/cpu/kernels/resize.h"
#include "engine/devices/cpu/spread.h"
#include "engine/ops/resize_grid.h"

enum { X = 0, ROI = 1, SCALES = 2, SIZES = 3 };

typedef struct ResizeData {
    const QnResizeVariant *variant;
    QnType type;    /* computed in; the element's own where slices are gathered */
    bool is_gather; /* nearest neighbours */
    bool is_nhwc;
} ResizeData;

/* One axis that changes, as it is reached. */
typedef struct Pass {
    QnResizeGrid grid;
    int64_t outer, inner; /* elements; channels last the pad lanes count */
    int64_t taps;
} Pass;

typedef struct Params {
    Pass passes[QN_MAX_RANK];
    int count;
    int64_t elements; /* of the input, pad lanes included */
} Params;

/* ---- binding ---- */

static QnStatus make_grid(const QnStep *step, const QnValue *values, int axis, int i, int count,
                          QnResizeGrid *grid)
{
    const QnTensor *x = qn_step_input(step, values, X), *y = qn_step_output(step, values, 0),
                   *scales = qn_step_input(step, values, SCALES),
                   *roi = qn_step_input(step, values, ROI);
    const bool by_scale = scales && qn_tensor_count(scales) == count;
    const bool crops =
        qn_op_string_is(step->node, "coordinate_transformation_mode", "tf_crop_and_resize");
    double start = 0, end = 1;
    if (crops && roi && qn_tensor_count(roi) == 2 * count) {
        start = qn_tensor_get(roi, i);
        end = qn_tensor_get(roi, i + count);
    }
    const int64_t input = x->dims[axis], output = y->dims[axis];
    const double own =
        by_scale ? qn_tensor_get(scales, i) : (double)output / ((double)input * (end - start));
    qn_resize_grid(grid, step->node, input, output, own, start, end);
    return QN_OK;
}

/* The elements around an axis, in the order of memory, of a tensor of those dims. */
static void set_box(const ResizeData *data, const int64_t *dims, int rank, int axis, int64_t lanes,
                    Pass *pass)
{
    pass->outer = pass->inner = 1;
    for (int d = data->is_nhwc ? 2 : 0; d < rank; d++)
        if (d != axis)
            *(d < axis ? &pass->outer : &pass->inner) *= dims[d];
    if (data->is_nhwc) {
        pass->outer *= dims[0];
        pass->inner *= lanes;
    }
}

static size_t table_bytes(const Pass *pass)
{
    const size_t entries = (size_t)pass->grid.output * (size_t)pass->taps;
    return qn_round_up(entries * (sizeof(int64_t) + sizeof(double)), 64) +
           qn_round_up((size_t)pass->taps * sizeof(double), 64);
}

static size_t result_bytes(const ResizeData *data, const Pass *pass)
{
    return qn_round_up(
        (size_t)(pass->outer * pass->grid.output * pass->inner) * qn_type_size(data->type), 64);
}

static QnStatus bind_resize(const QnStep *step, QnBindCall *call)
{
    const ResizeData *data = step->data;
    const QnTensor *x = qn_step_input(step, call->values, X),
                   *y = qn_step_output(step, call->values, 0);
    int axes[QN_MAX_RANK], count;
    int64_t dims[QN_MAX_RANK];
    Params *p = call->params;
    assert(x && y);
    *p = (Params){0};
    memcpy(dims, x->dims, sizeof dims);
    QN_TRY(qn_resize_axes(step->node, x->rank, axes, &count, call->err));
    const int64_t lanes =
        data->is_nhwc ? x->strides[x->rank - 1] / (int64_t)qn_type_size(x->type) : 1;
    for (int i = 0; i < count; i++) {
        Pass *pass = &p->passes[p->count];
        QN_TRY(make_grid(step, call->values, axes[i], i, count, &pass->grid));
        if (pass->grid.is_identity)
            continue;
        if (pass->grid.input == 0 && pass->grid.output > 0)
            return qn_fail(call->err, QN_BAD_TENSOR, "dimension %d has no elements to resize",
                           axes[i]);
        set_box(data, dims, x->rank, axes[i], lanes, pass);
        pass->taps = qn_resize_tap_limit(&pass->grid);
        dims[axes[i]] = pass->grid.output;
        call->scratch_bytes += table_bytes(pass) + result_bytes(data, pass);
        p->count++;
    }
    if (!data->is_gather) {
        qn_cpu_border_reserve(&call->scratch_bytes, x, data->type);
        qn_cpu_border_reserve(&call->scratch_bytes, y, data->type);
    }
    return QN_OK;
}

/* ---- running ---- */

/* Fills an axis's table in `room`, and moves `room` behind it. */
static QnResizeAxis make_table(const Pass *pass, double extrapolation, uint8_t **room)
{
    const int64_t out = pass->grid.output, taps = pass->taps;
    int64_t *indices = (int64_t *)(void *)*room;
    double *weights = (double *)(void *)(indices + out * taps);
    const size_t entries = (size_t)(out * taps) * (sizeof *indices + sizeof *weights);
    QnResizeTap tap = {.weights = (double *)(void *)(*room + qn_round_up(entries, 64))};
    for (int64_t o = 0; o < out; o++) {
        qn_resize_tap(&pass->grid, o, &tap);
        for (int64_t t = 0; t < taps; t++) {
            const int64_t at = t < tap.count ? tap.first + t : 0;
            indices[o * taps + t] = qn_max_i64(0, qn_min_i64(at, pass->grid.input - 1));
            weights[o * taps + t] = t < tap.count ? tap.weights[t] : 0;
        }
        const double x = qn_resize_coordinate(&pass->grid, o);
        if (pass->grid.crops && !(x >= 0 && x <= (double)(pass->grid.input - 1)))
            weights[o * taps] = NAN; /* outside of what is cropped */
    }
    *room += table_bytes(pass);
    return (QnResizeAxis){pass->outer, pass->grid.input, out,     pass->inner,
                          taps,        indices,          weights, extrapolation};
}

typedef struct Work {
    const ResizeData *data;
    const QnResizeAxis *axis;
    QnIndices indices;
    const void *x;
    void *y;
} Work;

static void run_lines(const void *user, int64_t begin, int64_t end, int member)
{
    const Work *work = user;
    (void)member;
    if (work->data->is_gather)
        qn_gather(&work->indices, work->axis->in,
                  work->axis->inner * (int64_t)qn_type_size(work->data->type), work->x, work->y,
                  begin, end);
    else
        qn_resize_run(work->data->variant, work->axis, work->x, work->y, begin, end);
}

static void run_pass(const QnRunCall *call, const ResizeData *data, const QnResizeAxis *axis,
                     const void *x, void *y)
{
    const Work work = {data, axis, {axis->indices, axis->out, sizeof(int64_t)}, x, y};
    const double line_ns = 5 + 0.3 * (double)(axis->inner * (data->is_gather ? 1 : axis->taps));
    qn_cpu_spread(call, axis->outer * axis->out, line_ns, run_lines, &work);
}

/* Makes results ready to be stored as integers. */
static void make_integers(const QnNode *node, QnType type, void *data, int64_t count, QnType stored)
{
    const bool rounds = qn_resize_rounds(node);
    for (int64_t i = 0; i < count; i++) {
        if (type == QN_DOUBLE)
            ((double *)data)[i] = qn_resize_integer(rounds, stored, ((double *)data)[i]);
        else
            ((float *)data)[i] =
                (float)qn_resize_integer(rounds, stored, (double)((float *)data)[i]);
    }
}

static QnStatus run_resize(const QnStep *step, const void *params, QnRunCall *call)
{
    const ResizeData *data = step->data;
    const Params *p = params;
    const QnTensor *x = qn_step_input(step, call->values, X),
                   *y = qn_step_output(step, call->values, 0);
    uint8_t *room = call->scratch;
    const void *from = x->data;
    void *to = y->data;
    if (!data->is_gather) {
        from = qn_cpu_border_read(call, &room, x, data->type);
        to = qn_cpu_border_room(&room, y, data->type);
    }
    if (p->count == 0 && y->size_bytes)
        memcpy(to, from,
               data->is_nhwc ? y->size_bytes
                             : (size_t)qn_tensor_count(y) * qn_type_size(data->type));
    for (int i = 0; i < p->count; i++) {
        Pass pass = p->passes[i];
        const QnResizeAxis axis =
            make_table(&pass, qn_op_float(step->node, "extrapolation_value"), &room);
        void *result = i + 1 == p->count ? to : room;
        run_pass(call, data, &axis, from, result);
        room += result_bytes(data, &pass);
        from = result;
    }
    if (!data->is_gather && !qn_type_is_float(y->type))
        make_integers(step->node, data->type, to, qn_tensor_count(y), y->type);
    if (!data->is_gather)
        qn_cpu_border_write(call, y, data->type, to);
    qn_cpu_fault("Resize", y);
    return QN_OK;
}

static const QnStepCode code = {.name = "resize",
                                .params_size = (sizeof(Params) + 7) / 8 * 8,
                                .bind = bind_resize,
                                .run = run_resize};

/* ---- offering ---- */

/* Is it known that batch and channels stay as they are? */
static bool is_spatial(const QnNode *node)
{
    const QnIrValue *scales = qn_node_input(node, SCALES);
    const QnShape *x = &node->inputs[X].value->type.shape, *y = &node->outputs[0]->type.shape;
    int axes[QN_MAX_RANK], count;
    if (x->rank < 3 || x->dims[0] != y->dims[0] || x->dims[1] != y->dims[1] ||
        qn_resize_axes(node, x->rank, axes, &count, NULL) != QN_OK)
        return false;
    const bool by_scale =
        scales && !(scales->type.shape.rank == 1 && scales->type.shape.dims[0] == 0);
    for (int i = 0; i < count; i++) {
        const bool is_kept = !by_scale || (qn_cpu_is_constant(scales) &&
                                           qn_tensor_count(scales->constant) == count &&
                                           qn_tensor_get(scales->constant, i) == 1);
        if (axes[i] < 2 && !is_kept)
            return false;
    }
    return true;
}

/* What it is computed in; UNDEFINED where no kernel does it. */
static QnType type_for(bool is_gather, QnType type)
{
    const QnFamily family = qn_family_of(type);
    if (is_gather)
        return type == QN_STRING ? QN_UNDEFINED : type;
    if (family == QN_FAMILY_NONE || type == QN_BOOL)
        return QN_UNDEFINED;
    const bool is_small = family == QN_FAMILY_U8 || family == QN_FAMILY_I8;
    return is_small ? QN_FLOAT : qn_type_is_float(type) ? qn_family_type(family) : QN_DOUBLE;
}

static QnStatus offer_resize(QnOfferCall *call, const ResizeData *read, bool is_nhwc)
{
    const QnNode *node = call->node;
    const QnLayoutKind layout = is_nhwc ? QN_LAYOUT_NHWC : QN_LAYOUT_PLAIN;
    ResizeData *data;
    QN_ALLOC(data, call->arena, 1);
    *data = *read;
    data->is_nhwc = is_nhwc;
    /* Along the last axis of a plain tensor lines are single elements. */
    const double element_ns = (is_nhwc ? 0.5 : 3) * (data->is_gather ? 1 : 2);
    call->offer(call, &(QnOffer){
                          .code = &code,
                          .kernel = data->is_gather ? "resize_nearest" : data->variant->name,
                          .tier = QN_TIER_TUNED,
                          .nodes = {node},
                          .node_count = 1,
                          .inputs = {node->inputs[X].value, qn_node_input(node, ROI),
                                     qn_node_input(node, SCALES)},
                          .accepts = {1u << layout, QN_ACCEPT_PLAIN, QN_ACCEPT_PLAIN},
                          .input_count = 3,
                          .outputs = {node->outputs[0]},
                          .layouts = {layout},
                          .context = data,
                          .cost = 1000 + element_ns * qn_cpu_elements(call, node->outputs[0]),
                      });
    return QN_OK;
}

QnStatus qn_cpu_lower_resize(QnOfferCall *call)
{
    const QnNode *node = call->node;
    if (strcmp(node->op, "Resize") != 0 || *node->domain || qn_resize_check(node, NULL) != QN_OK)
        return QN_OK;
    const bool crops =
        qn_op_string_is(node, "coordinate_transformation_mode", "tf_crop_and_resize");
    const QnIrValue *roi = qn_node_input(node, ROI);
    /* A region that is known only while running would leave the room for tables open. */
    if (crops && !qn_cpu_is_constant(roi))
        return QN_OK;
    const QnType element = node->inputs[X].value->type.element;
    ResizeData data = {.is_gather = qn_op_string_is(node, "mode", "nearest") && !crops};
    data.type = type_for(data.is_gather, element);
    if (data.type == QN_UNDEFINED)
        return QN_OK;
    if (!data.is_gather)
        data.variant = qn_resize_pick(data.type, qn_cpu_of(call)->isa);
    QN_TRY(offer_resize(call, &data, false));
    return !crops && element == data.type && is_spatial(node) ? offer_resize(call, &data, true)
                                                              : QN_OK;
}
