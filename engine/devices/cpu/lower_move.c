/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operators that put the elements of one tensor into another order: Transpose, Slice, Expand, Tile,
 * DepthToSpace, SpaceToDepth; and the conversion between layouts.
 *
 * Each is a map (copy.h) from its output to its input.  A map with the output's own dims is also a
 * view, which costs nothing where the readers accept strides.
 */
#include "engine/devices/cpu/copy.h"
#include "engine/ops/op.h"
#include "engine/ops/slice.h"

/* ---- converting layouts ---- */

static QnStatus bind_convert(const QnStep *step, QnBindCall *call)
{
    const QnTensor *x = qn_step_input(step, call->values, 0),
                   *y = qn_step_output(step, call->values, 0);
    const QnCpuMap map = qn_cpu_map(y, x);
    qn_cpu_copy_bind(call->params, &map, qn_type_size(y->type), *(const QnIsa *)step->data);
    return QN_OK;
}

static QnStatus run_convert(const QnStep *step, const void *params, QnRunCall *call)
{
    const QnTensor *y = qn_step_output(step, call->values, 0);
    qn_cpu_copy_run(call, params, y->data, qn_step_input(step, call->values, 0)->data);
    qn_cpu_fault("convert", y);
    return QN_OK;
}

const QnStepCode qn_cpu_convert = {
    .name = "convert", .params_size = sizeof(QnCpuCopy), .bind = bind_convert, .run = run_convert};

/* ---- the maps ---- */

/* Where the elements of output 0 lie in input 0.  The inputs' data is looked at only where the
 * operator's row says so. */
typedef QnStatus MapFn(const QnStep *step, const QnValue *values, QnCpuMap *map, QnError *err);

typedef struct Row {
    const char *op;
    MapFn *map;
    bool is_view; /* the map has the output's dims */
    bool reads;   /* the data of the inputs behind the first */
} Row;

static QnStatus map_transpose(const QnStep *step, const QnValue *values, QnCpuMap *map,
                              QnError *err)
{
    const QnTensor *x = qn_step_input(step, values, 0), *y = qn_step_output(step, values, 0);
    const QnAttribute *perm = qn_node_attribute(step->node, "perm");
    (void)err;
    *map = qn_cpu_map(y, y);
    for (int d = 0; d < y->rank; d++)
        map->from_strides[d] = x->strides[perm ? perm->ints[d] : y->rank - 1 - d];
    return QN_OK;
}

static QnStatus map_slice(const QnStep *step, const QnValue *values, QnCpuMap *map, QnError *err)
{
    const QnTensor *x = qn_step_input(step, values, 0), *y = qn_step_output(step, values, 0);
    uint8_t origin = 0; /* stands for the data: only distances count */
    QnTensor from = *x, view;
    from.data = &origin;
    QN_TRY(qn_slice_view(&from, qn_step_input(step, values, 1), qn_step_input(step, values, 2),
                         qn_step_input(step, values, 3), qn_step_input(step, values, 4), &view,
                         err));
    for (int d = 0; d < y->rank; d++)
        if (view.dims[d] != y->dims[d])
            return qn_fail(err, QN_BAD_TENSOR,
                           "the slice has %lld elements along dimension %d, expected %lld",
                           (long long)view.dims[d], d, (long long)y->dims[d]);
    *map = qn_cpu_map(y, &view);
    map->from_offset = (int64_t)((intptr_t)view.data - (intptr_t)from.data);
    return QN_OK;
}

static QnStatus map_expand(const QnStep *step, const QnValue *values, QnCpuMap *map, QnError *err)
{
    const QnTensor *x = qn_step_input(step, values, 0), *y = qn_step_output(step, values, 0);
    *map = qn_cpu_map(y, y);
    if (x->rank > y->rank)
        return qn_fail(err, QN_BAD_TENSOR, "the input has rank %d, the shape %d entries", x->rank,
                       y->rank);
    for (int d = 0; d < y->rank; d++) {
        const int from = d - (y->rank - x->rank);
        const int64_t size = from < 0 ? 1 : x->dims[from];
        if (size != 1 && size != y->dims[d])
            return qn_fail(err, QN_BAD_TENSOR, "cannot broadcast %lld against %lld",
                           (long long)size, (long long)y->dims[d]);
        map->from_strides[d] = size == 1 ? 0 : x->strides[from];
    }
    return QN_OK;
}

/* Appends a dimension to a map. */
static void add_dim(QnCpuMap *map, int64_t size, int64_t to_stride, int64_t from_stride)
{
    map->dims[map->rank] = size;
    map->to_strides[map->rank] = to_stride;
    map->from_strides[map->rank++] = from_stride;
}

/* Every dimension is walked as (repetition, element). */
static QnStatus map_tile(const QnStep *step, const QnValue *values, QnCpuMap *map, QnError *err)
{
    const QnTensor *x = qn_step_input(step, values, 0), *y = qn_step_output(step, values, 0);
    *map = (QnCpuMap){0};
    for (int d = 0; d < x->rank; d++) {
        const int64_t times = x->dims[d] ? y->dims[d] / x->dims[d] : 0;
        if (times * x->dims[d] != y->dims[d])
            return qn_fail(err, QN_BAD_TENSOR, "%lld elements are no multiple of %lld",
                           (long long)y->dims[d], (long long)x->dims[d]);
        add_dim(map, times, x->dims[d] * y->strides[d], 0);
        add_dim(map, x->dims[d], y->strides[d], x->strides[d]);
    }
    return QN_OK;
}

/*
 * DepthToSpace and back: `deep` has the channels, `wide` the pixels, and both are walked as
 * (n, c, h, i, w, j) with pixel (h * block + i, w * block + j) of channel c.  The deep channel is
 * (i * block + j) * channels + c, or c * block^2 + i * block + j where c comes first.
 */
static void map_blocks(const QnTensor *deep, const QnTensor *wide, int64_t block, bool c_first,
                       QnCpuMap *map, bool is_from_deep)
{
    const int64_t channels = wide->dims[1], depth = deep->strides[1];
    const int64_t sizes[6] = {wide->dims[0], channels, deep->dims[2], block, deep->dims[3], block};
    const int64_t in_deep[6] = {deep->strides[0], c_first ? block * block * depth : depth,
                                deep->strides[2], block * (c_first ? 1 : channels) * depth,
                                deep->strides[3], (c_first ? 1 : channels) * depth};
    const int64_t in_wide[6] = {wide->strides[0],         wide->strides[1],
                                block * wide->strides[2], wide->strides[2],
                                block * wide->strides[3], wide->strides[3]};
    *map = (QnCpuMap){0};
    for (int i = 0; i < 6; i++)
        add_dim(map, sizes[i], is_from_deep ? in_wide[i] : in_deep[i],
                is_from_deep ? in_deep[i] : in_wide[i]);
}

static QnStatus check_blocks(const QnTensor *deep, const QnTensor *wide, int64_t block,
                             QnError *err)
{
    if (deep->rank != 4 || wide->rank != 4 || block < 1 ||
        wide->dims[1] * block * block != deep->dims[1] || deep->dims[2] * block != wide->dims[2] ||
        deep->dims[3] * block != wide->dims[3])
        return qn_fail(err, QN_BAD_TENSOR, "blocks of %lld do not divide the tensor evenly",
                       (long long)block);
    return QN_OK;
}

static QnStatus map_depth_to_space(const QnStep *step, const QnValue *values, QnCpuMap *map,
                                   QnError *err)
{
    const QnTensor *x = qn_step_input(step, values, 0), *y = qn_step_output(step, values, 0);
    const int64_t block = qn_op_int(step->node, "blocksize");
    QN_TRY(check_blocks(x, y, block, err));
    map_blocks(x, y, block, qn_op_string_is(step->node, "mode", "CRD"), map, true);
    return QN_OK;
}

static QnStatus map_space_to_depth(const QnStep *step, const QnValue *values, QnCpuMap *map,
                                   QnError *err)
{
    const QnTensor *x = qn_step_input(step, values, 0), *y = qn_step_output(step, values, 0);
    const int64_t block = qn_op_int(step->node, "blocksize");
    QN_TRY(check_blocks(y, x, block, err));
    map_blocks(y, x, block, qn_op_string_is(step->node, "mode", "CRD"), map, false);
    return QN_OK;
}

static const Row rows[] = {
    {"DepthToSpace", map_depth_to_space, false, false},
    {"Expand", map_expand, true, false},
    {"Slice", map_slice, true, true},
    {"SpaceToDepth", map_space_to_depth, false, false},
    {"Tile", map_tile, false, false},
    {"Transpose", map_transpose, true, false},
};

/* ---- views ---- */

static QnStatus bind_view(const QnStep *step, QnBindCall *call)
{
    const Row *row = step->data;
    QnTensor *y = &call->values[step->outputs[0]].tensor;
    QnCpuMap map;
    QN_TRY(row->map(step, call->values, &map, call->err));
    memcpy(y->strides, map.from_strides, sizeof y->strides);
    *(int64_t *)call->params = map.from_offset;
    return QN_OK;
}

static const QnStepCode view = {.name = "view", .params_size = 8, .bind = bind_view};

/* ---- copies ---- */

typedef struct CopyData {
    const Row *row;
    QnIsa isa;
    bool is_late; /* the map depends on data that only running gives */
} CopyData;

static QnStatus make_copy(const QnStep *step, const QnValue *values, QnCpuCopy *copy, QnError *err)
{
    const CopyData *data = step->data;
    QnCpuMap map;
    QN_TRY(data->row->map(step, values, &map, err));
    qn_cpu_copy_bind(copy, &map, qn_type_size(qn_step_output(step, values, 0)->type), data->isa);
    return QN_OK;
}

static QnStatus bind_copy(const QnStep *step, QnBindCall *call)
{
    const CopyData *data = step->data;
    return data->is_late ? QN_OK : make_copy(step, call->values, call->params, call->err);
}

static QnStatus run_copy(const QnStep *step, const void *params, QnRunCall *call)
{
    const CopyData *data = step->data;
    const QnTensor *y = qn_step_output(step, call->values, 0);
    const QnCpuCopy *copy = params;
    QnCpuCopy late;
    if (data->is_late) {
        QN_TRY(make_copy(step, call->values, &late, call->err));
        copy = &late;
    }
    qn_cpu_copy_run(call, copy, y->data, qn_step_input(step, call->values, 0)->data);
    qn_cpu_fault(data->row->op, y);
    return QN_OK;
}

static const QnStepCode copy_code = {
    .name = "copy", .params_size = sizeof(QnCpuCopy), .bind = bind_copy, .run = run_copy};

/* ---- offering ---- */

static const Row *find_row(const QnNode *node)
{
    for (size_t i = 0; i < QN_COUNT_OF(rows) && !*node->domain; i++)
        if (!strcmp(rows[i].op, node->op))
            return &rows[i];
    return NULL;
}

static bool are_inputs_bound(const QnNode *node, const Row *row)
{
    for (int i = 1; row->reads && i < node->input_count; i++)
        if (node->inputs[i].value && !qn_cpu_is_bound(node->inputs[i].value))
            return false;
    return true;
}

static QnOffer offer_of(const QnNode *node, const Row *row)
{
    QnOffer offer = {
        .tier = QN_TIER_TUNED,
        .nodes = {node},
        .node_count = 1,
        .accepts = {QN_ACCEPT_ANY},
        .input_count = 1,
        .outputs = {node->outputs[0]},
    };
    for (int i = 0; i < node->input_count && (i == 0 || row->reads); i++) {
        offer.inputs[i] = node->inputs[i].value;
        offer.accepts[i] = i == 0 ? QN_ACCEPT_ANY : QN_ACCEPT_PLAIN;
        offer.input_count = i + 1;
    }
    return offer;
}

/* Is it read by products, which take any strides but no layout of images? */
static bool is_factor(const QnIrValue *value)
{
    for (const QnUse *use = value->uses; use; use = use->next)
        if (use->node && (!strcmp(use->node->op, "MatMul") || !strcmp(use->node->op, "Gemm")))
            return true;
    return false;
}

/* A Transpose between the orders of NCHW and NHWC, with pixels that fill their pitch: what is one
 * layout for its input is the other for its output.  STRIDED: it is none of these. */
static QnLayoutKind moved_layout(const QnOfferCall *call, const QnNode *node)
{
    const QnAttribute *perm = qn_node_attribute(node, "perm");
    const QnShape *x = &node->inputs[0].value->type.shape;
    const QnLayoutKind lies = call->layout(call, node->inputs[0].value);
    const int rank = x->rank;
    bool is_last = true, is_first = true; /* the channels go there */
    if (strcmp(node->op, "Transpose") != 0 || !perm || rank < 3 || is_factor(node->outputs[0]))
        return QN_LAYOUT_STRIDED;
    for (int d = 0; d < rank; d++) {
        is_last = is_last && perm->ints[d] == (d == 0 ? 0 : d == rank - 1 ? 1 : d + 1);
        is_first = is_first && perm->ints[d] == (d == 0 ? 0 : d == 1 ? rank - 1 : d - 1);
    }
    /* Of rank 3 it is both: which, says how the input lies. */
    const QnDim channels = x->dims[lies == QN_LAYOUT_NHWC ? 1 : rank - 1];
    const int64_t pixel = qn_dim_is_known(channels) && channels < INT32_MAX
                              ? channels * (int64_t)qn_type_size(node->outputs[0]->type.element)
                              : 0;
    const bool fills = pixel > 0 && pixel % qn_nhwc_pitch(pixel) == 0;
    if (fills && is_last && lies == QN_LAYOUT_NHWC)
        return QN_LAYOUT_PLAIN;
    return fills && is_first && lies == QN_LAYOUT_PLAIN ? QN_LAYOUT_NHWC : QN_LAYOUT_STRIDED;
}

/* A Slice of whole rows of a plain tensor is plain itself: only its first dimension of more than
 * one element is cut, without steps. */
static bool keeps_rows(const QnOfferCall *call, const QnNode *node)
{
    const QnShape *x = &node->inputs[0].value->type.shape, *y = &node->outputs[0]->type.shape;
    if (strcmp(node->op, "Slice") != 0 || qn_node_input(node, 4) ||
        call->layout(call, node->inputs[0].value) != QN_LAYOUT_PLAIN)
        return false;
    int first = 0;
    while (first < x->rank && x->dims[first] == 1)
        first++;
    for (int d = first + 1; d < x->rank; d++)
        if (x->dims[d] != y->dims[d])
            return false;
    return true;
}

static void offer_view(QnOfferCall *call, const Row *row)
{
    QnOffer offer = offer_of(call->node, row);
    offer.code = &view;
    offer.kernel = "view";
    offer.layouts[0] =
        keeps_rows(call, call->node) ? QN_LAYOUT_PLAIN : moved_layout(call, call->node);
    offer.accepts[0] = offer.layouts[0] == QN_LAYOUT_STRIDED
                           ? QN_ACCEPT_ANY
                           : 1u << call->layout(call, call->node->inputs[0].value);
    offer.is_view = true;
    offer.context = (void *)(uintptr_t)row;
    call->offer(call, &offer);
}

static QnStatus offer_copy(QnOfferCall *call, const Row *row, QnLayoutKind layout)
{
    CopyData *data;
    const QnIrValue *y = call->node->outputs[0];
    QN_ALLOC(data, call->arena, 1);
    *data = (CopyData){row, qn_cpu_of(call)->isa, !are_inputs_bound(call->node, row)};
    QnOffer offer = offer_of(call->node, row);
    offer.code = &copy_code;
    offer.kernel = row->op;
    offer.layouts[0] = layout;
    offer.context = data;
    offer.cost =
        qn_cpu_copy_cost(call, y, layout != call->layout(call, call->node->inputs[0].value));
    call->offer(call, &offer);
    return QN_OK;
}

QnStatus qn_cpu_lower_move(QnOfferCall *call)
{
    const QnNode *node = call->node;
    const Row *row = find_row(node);
    if (!row || !node->outputs[0])
        return QN_OK;
    const int rank = node->outputs[0]->type.shape.rank;
    const bool doubles = row->map == map_tile; /* every dimension is two of the map */
    if (doubles && rank > QN_MAX_RANK / 2)
        return QN_OK;
    if (row->is_view && are_inputs_bound(node, row))
        offer_view(call, row);
    QN_TRY(offer_copy(call, row, QN_LAYOUT_PLAIN));
    const bool is_nhwc = call->layout(call, node->inputs[0].value) == QN_LAYOUT_NHWC;
    return is_nhwc && rank >= 3 ? offer_copy(call, row, QN_LAYOUT_NHWC) : QN_OK;
}
