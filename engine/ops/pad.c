/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pad puts elements around a tensor, or with negative pads takes some away.
 *
 * Per dimension the negative pads are cut off first; what is left is continued to both sides: by a
 * constant, its nearest element (edge), its mirror image without repeating the border (reflect), or
 * itself (wrap).  Images longer than the rest bounce on, as NumPy's do.
 */
#include "engine/ops/pad.h"

#include <assert.h>

#include "base/checked.h"
#include "engine/ops/walk.h"

enum { PADS = 1, VALUE = 2, AXES = 3 };

static const int64_t most = INT64_C(1) << 48;
static const char *const mode_names[QN_PAD_MODE_COUNT] = {"constant", "edge", "reflect", "wrap"};

QnPadMode qn_pad_mode(const QnNode *node)
{
    int mode = 0;
    while (mode < QN_PAD_MODE_COUNT && !qn_op_string_is(node, "mode", mode_names[mode]))
        mode++;
    return (QnPadMode)mode;
}

/* ---- inference ---- */

/* The size of a dimension with its pads.  Pads that no tensor could have had are refused here, so
 * that sums of what is left cannot overflow. */
static QnStatus padded_size(QnInfer *in, int axis, QnDim begin, QnDim end, QnDim *size)
{
    const QnDim pads[2] = {begin, end};
    const QnDim padded = qn_dim_add(in->dims, qn_dim_add(in->dims, *size, begin), end);
    int64_t number;
    for (int i = 0; i < 2; i++)
        if (qn_dim_constant(in->dims, pads[i], &number) && (number < -most || number > most))
            return qn_infer_fail(in, "a pad of dimension %d is %lld, expected -2^48 to 2^48", axis,
                                 (long long)number);
    if (qn_dim_constant(in->dims, padded, &number) && number < 0)
        return qn_infer_fail(in,
                             "the pads leave %lld elements of dimension %d, expected 0 at least",
                             (long long)number, axis);
    *size = padded;
    return QN_OK;
}

/* Which axes are padded: all of them, or those of input 3; *count is -1 where nothing tells. */
static QnStatus read_axes(const QnInfer *in, int rank, int *axes, int *count)
{
    int64_t given[QN_MAX_RANK];
    bool is_named[QN_MAX_RANK] = {false};
    *count = rank;
    for (int d = 0; d < rank; d++)
        axes[d] = d;
    if (!qn_infer_has(in, AXES))
        return QN_OK;
    *count = qn_infer_constants(in, AXES, given, QN_MAX_RANK);
    for (int i = 0; i < *count; i++) {
        QN_TRY(qn_infer_axis_of(in, "axes", given[i], rank, &axes[i]));
        if (is_named[axes[i]])
            return qn_infer_fail(in, "axes names dimension %d twice", axes[i]);
        is_named[axes[i]] = true;
    }
    return QN_OK;
}

static QnStatus infer_pad(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    const QnType element = qn_infer_element(in, 0);
    QnDim pads[2 * QN_MAX_RANK];
    int axes[QN_MAX_RANK], axis_count;
    if (qn_pad_mode(in->node) == QN_PAD_MODE_COUNT)
        return qn_infer_fail(in, "mode is none of constant, edge, reflect and wrap");
    if (!x)
        return qn_infer_unknown(in, 0, element, -1);
    QN_TRY(read_axes(in, x->rank, axes, &axis_count));
    const int count = qn_infer_ints(in, PADS, pads, 2 * QN_MAX_RANK);
    if (count < 0 || axis_count < 0)
        return qn_infer_unknown(in, 0, element, x->rank);
    if (count != 2 * axis_count)
        return qn_infer_fail(in, "pads has %d entries, expected %d", count, 2 * axis_count);
    QnShape y = *x;
    for (int i = 0; i < axis_count; i++)
        QN_TRY(padded_size(in, axes[i], pads[i], pads[axis_count + i], &y.dims[axes[i]]));
    return qn_infer_tensor(in, 0, element, &y);
}

/* ---- computing ---- */

int64_t qn_pad_source(QnPadMode mode, int64_t i, int64_t size)
{
    const int64_t period = mode == QN_PAD_REFLECT ? 2 * (size - 1) : size;
    if (i >= 0 && i < size)
        return i;
    if (mode == QN_PAD_CONSTANT)
        return -1;
    if (mode == QN_PAD_EDGE)
        return i < 0 ? 0 : size - 1;
    if (period == 0) /* the mirror image of one element is that element */
        return 0;
    const int64_t rest = i - qn_floor_div(i, period) * period;
    return rest < size ? rest : period - rest;
}

/* For each position along a dimension of the output the element of the input, -1: the constant. */
static QnStatus map_axis(const QnCall *call, QnPadMode mode, int64_t size, int64_t begin,
                         int64_t end, int64_t padded, int64_t **out)
{
    int64_t *map;
    const int64_t first = begin < 0 ? -begin : 0;
    const int64_t rest = qn_max_i64(0, size - first - (end < 0 ? -end : 0));
    QN_ALLOC(map, call->scratch, padded);
    *out = map;
    if (rest == 0 && mode != QN_PAD_CONSTANT && padded > 0)
        return qn_call_fail(call, "a dimension without elements cannot be continued");
    for (int64_t i = 0; i < padded; i++) {
        const int64_t source = qn_pad_source(mode, i - begin - first, rest);
        map[i] = source < 0 ? -1 : source + first;
    }
    return QN_OK;
}

static QnStatus make_maps(const QnCall *call, QnPadMode mode, int64_t **maps)
{
    const QnTensor *x = qn_call_input(call, 0), *y = qn_call_result(call, 0);
    const QnTensor *pads = qn_call_input(call, PADS), *axes = qn_call_input(call, AXES);
    const int64_t count = axes ? qn_tensor_count(axes) : x->rank;
    int64_t begin[QN_MAX_RANK] = {0}, end[QN_MAX_RANK] = {0};
    for (int64_t i = 0; i < count; i++) {
        const int64_t given = axes ? qn_tensor_get_int(axes, i) : i;
        const int64_t axis = given < 0 ? given + x->rank : given;
        begin[axis] = qn_tensor_get_int(pads, i);
        end[axis] = qn_tensor_get_int(pads, count + i);
    }
    for (int d = 0; d < x->rank; d++)
        QN_TRY(map_axis(call, mode, x->dims[d], begin[d], end[d], y->dims[d], &maps[d]));
    return QN_OK;
}

/* Fills the row at `to` along the last dimension;
 * from: the row of the input, NULL: all constant. */
static void fill_row(const QnTensor *x, const uint8_t *from, const int64_t *map, int64_t count,
                     const uint8_t *value, uint8_t *to)
{
    const size_t element = qn_type_size(x->type);
    for (int64_t i = 0; i < count; i++, to += element) {
        const bool is_value = !from || (map && map[i] < 0);
        const int64_t at = map && !is_value ? map[i] : 0;
        memcpy(to, is_value ? value : from + (size_t)at * element, element);
    }
}

static QnStatus pad(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0), *value = qn_call_input(call, VALUE);
    QnTensor *y = qn_call_result(call, 0);
    const uint8_t zero[16] = {0};
    int64_t *maps[QN_MAX_RANK] = {NULL}, position[QN_MAX_RANK] = {0};
    if (value && (value->type != x->type || qn_tensor_count(value) != 1))
        return qn_call_fail(call, "the constant is no single element of the input's type");
    QN_TRY(make_maps(call, qn_pad_mode(call->node), maps));
    if (qn_tensor_count(y) == 0)
        return QN_OK;
    const int last = y->rank - 1;
    const int64_t length = y->rank ? y->dims[last] : 1;
    uint8_t *to = y->data;
    do {
        const uint8_t *from = x->data;
        for (int d = 0; d < last && from; d++) {
            assert(maps[d]);
            const int64_t at = maps[d][position[d]];
            from = at < 0 ? NULL : from + at * x->strides[d];
        }
        fill_row(x, from, y->rank ? maps[last] : NULL, length, value ? value->data : zero, to);
        to += (size_t)length * qn_type_size(y->type);
        QN_TRY(qn_call_poll(call));
    } while (qn_walk_next(position, y->dims, last));
    return QN_OK;
}

static const QnOpAttribute attributes[] = {{"mode", QN_ATTRIBUTE_STRING, .s = "constant"}, {0}};

const QnOp qn_ops_pad[] = {
    {.name = "Pad",
     .since = 25,
     .inputs = "data: any, pads: int64, constant_value?: T, axes?: integer",
     .outputs = "output: T",
     .attributes = attributes,
     .infer = infer_pad,
     .reference = pad},
    {0},
};
