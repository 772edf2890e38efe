/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between real numbers and quantized ones:
 *
 *     q = clamp(round(x / scale) + zero)
 *     x = (q - zero) * scale
 *
 * A scale holds for the whole tensor, for each index along an axis, or for each block of
 * block_size elements along it.  The division is done in the precision of the scale.
 */
#include <math.h>

#include "base/checked.h"
#include "engine/ops/quantized.h"
#include "engine/ops/small_float.h"

/* ---- which scale an element has ---- */

typedef struct Grain {
    QnBox box;
    int64_t block;  /* elements along the axis that share a scale */
    int64_t length; /* scales along the axis; 0: one for all */
    bool is_per_axis;
} Grain;

static int64_t scale_index(const Grain *g, int64_t i)
{
    if (g->length == 0)
        return 0;
    const int64_t along = i / g->box.inner % g->box.length;
    if (g->is_per_axis)
        return along;
    return (i / g->box.inner / g->box.length * g->length + along / g->block) * g->box.inner +
           i % g->box.inner;
}

/* Fails where the scale's shape surely fits no granularity of the input. */
static QnStatus check_scale(const QnInfer *in, int axis)
{
    const QnShape *x = qn_infer_shape(in, 0), *scale = qn_infer_shape(in, 1),
                  *zero = qn_infer_shape(in, 2);
    const int64_t block = qn_op_int(in->node, "block_size");
    if (block < 0)
        return qn_infer_fail(in, "block_size is %lld, expected 0 at least", (long long)block);
    if (zero && zero->rank != scale->rank && zero->rank + scale->rank > 1)
        return qn_infer_fail(in, "the zero point has rank %d, expected that of the scale: %d",
                             zero->rank, scale->rank);
    for (int d = 0; zero && zero->rank == scale->rank && d < zero->rank; d++)
        if (qn_dim_is_known(zero->dims[d]) && qn_dim_is_known(scale->dims[d]) &&
            zero->dims[d] != scale->dims[d])
            return qn_infer_fail(in,
                                 "the zero point has size %lld, expected that of the scale: %lld",
                                 (long long)zero->dims[d], (long long)scale->dims[d]);
    if (scale->rank == 0 || (scale->rank == 1 && scale->dims[0] == 1 && !block))
        return QN_OK;
    if (!block && scale->rank != 1)
        return qn_infer_fail(in, "the scale has rank %d, expected 0 or 1 without block_size",
                             scale->rank);
    if (block && scale->rank != x->rank)
        return qn_infer_fail(in, "the scale has rank %d, expected %d with block_size", scale->rank,
                             x->rank);
    for (int d = 0; d < scale->rank; d++) {
        const int from = block ? d : axis;
        const QnDim have = scale->dims[d], full = x->dims[from];
        const QnDim want = block && d == axis ? qn_dim_ceil_div(in->dims, full, block) : full;
        if (qn_dim_is_known(have) && qn_dim_is_known(want) && have != want)
            return qn_infer_fail(in, "the scale has size %lld, expected %lld", (long long)have,
                                 (long long)want);
    }
    return QN_OK;
}

static QnStatus infer_scaled(QnInfer *in, QnType type)
{
    const QnShape *x = qn_infer_shape(in, 0), *scale = qn_infer_shape(in, 1);
    int axis = 0;
    if (qn_type_size(type) == 0)
        return qn_infer_fail(in, "output_dtype is no type of ONNX");
    if (!x)
        return qn_infer_unknown(in, 0, type, -1);
    if (scale && (scale->rank > 1 || (scale->rank == 1 && scale->dims[0] != 1)))
        QN_TRY(qn_infer_axis(in, x->rank, &axis));
    if (scale)
        QN_TRY(check_scale(in, axis));
    return qn_infer_tensor(in, 0, type, x);
}

static QnType type_attribute(const QnNode *node, const char *name, QnType otherwise)
{
    const int64_t type = qn_op_int(node, name);
    return type == 0 ? otherwise : type > 0 && type < QN_TYPE_COUNT ? (QnType)type : QN_UNDEFINED;
}

/* What the scale is worth per element of the input; the shapes fit, inference saw to it. */
static Grain grain_of(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0), *scale = qn_call_input(call, 1);
    const int64_t block = qn_op_int(call->node, "block_size"),
                  given = qn_op_int(call->node, "axis");
    const int axis = (int)(given < 0 ? given + x->rank : given);
    if (scale->rank == 0 || (scale->rank == 1 && scale->dims[0] == 1 && !block))
        return (Grain){0};
    Grain grain = {.box = qn_box(x, axis), .is_per_axis = block == 0, .block = block};
    grain.length = block ? scale->dims[axis] : scale->dims[0];
    return grain;
}

/* ---- programs: where one scale serves all elements ---- */

enum { X = 0, SCALE = 1, ZERO = 2, INPUTS = 3 };

/* Has it surely one element, and no more dims than x? */
static bool is_scalar_beside(const QnIrValue *value, const QnIrValue *x)
{
    if (!value)
        return true;
    const QnShape *shape = &value->type.shape;
    for (int d = 0; d < shape->rank; d++)
        if (shape->dims[d] != 1)
            return false;
    return value->type.kind == QN_TENSOR && x->type.kind == QN_TENSOR && shape->rank >= 0 &&
           shape->rank <= x->type.shape.rank;
}

static bool has_one_scale(const QnNode *node)
{
    const QnIrValue *x = node->inputs[X].value;
    return is_scalar_beside(node->inputs[SCALE].value, x) &&
           is_scalar_beside(qn_node_input(node, ZERO), x) &&
           (node->inputs[SCALE].value->type.shape.rank == 0 || !qn_op_int(node, "block_size"));
}

/* Is the zero point a number that instructions can hold?  A computed one is cast first. */
static bool has_constant_zero(const QnNode *node)
{
    const QnIrValue *zero = qn_node_input(node, ZERO);
    return zero && zero->constant && !zero->is_default;
}

/* (x - zero) * scale */
static const QnInstruction *dequantize_program(const QnNode *node, int *count)
{
    static const QnInstruction plain[] = {{QN_CODE_CAST, .out = 3, .a = X, .type = QN_FLOAT},
                                          QN_DO2(MUL, 3, 3, SCALE)};
    static const QnInstruction constant[] = {{QN_CODE_CAST, .out = 3, .a = X, .type = QN_FLOAT},
                                             QN_DO2(SUB, 3, 3, ZERO),
                                             QN_DO2(MUL, 3, 3, SCALE)};
    static const QnInstruction computed[] = {{QN_CODE_CAST, .out = 3, .a = X, .type = QN_FLOAT},
                                             {QN_CODE_CAST, .out = 4, .a = ZERO, .type = QN_FLOAT},
                                             QN_DO2(SUB, 3, 3, 4),
                                             QN_DO2(MUL, 3, 3, SCALE)};
    *count = 0;
    if (!has_one_scale(node) || !qn_type_is_integer(node->inputs[X].value->type.element))
        return NULL;
    if (!qn_node_input(node, ZERO))
        return *count = (int)QN_COUNT_OF(plain), plain;
    if (has_constant_zero(node))
        return *count = (int)QN_COUNT_OF(constant), constant;
    return *count = (int)QN_COUNT_OF(computed), computed;
}

/* clamp(round(x / scale) + zero), for one type of the result */
typedef struct Programs {
    QnType type;
    QnInstruction plain[5], constant[6], computed[7];
} Programs;

#define TAIL(low, high)                                \
    QN_DO2N(MAX, 3, 3, low), QN_DO2N(MIN, 3, 3, high), \
    {                                                  \
        QN_CODE_CAST, .out = 5, .a = 3                 \
    }
#define PROGRAMS(made, low, high)                                                            \
    {                                                                                        \
        made, {QN_DO2(DIV, 3, X, SCALE), QN_DO1(ROUND, 3, 3), TAIL(low, high)},              \
            {QN_DO2(DIV, 3, X, SCALE), QN_DO1(ROUND, 3, 3), QN_DO2(ADD, 3, 3, ZERO),         \
             TAIL(low, high)},                                                               \
        {                                                                                    \
            QN_DO2(DIV, 3, X, SCALE), QN_DO1(ROUND, 3, 3),                                   \
                {QN_CODE_CAST, .out = 4, .a = ZERO, .type = QN_FLOAT}, QN_DO2(ADD, 3, 3, 4), \
                TAIL(low, high)                                                              \
        }                                                                                    \
    }
static const Programs programs[] = {
    PROGRAMS(QN_UINT8, 0, UINT8_MAX),
    PROGRAMS(QN_INT8, INT8_MIN, INT8_MAX),
    PROGRAMS(QN_UINT16, 0, UINT16_MAX),
    PROGRAMS(QN_INT16, INT16_MIN, INT16_MAX),
};
#undef PROGRAMS
#undef TAIL

static const QnInstruction *quantize_program(const QnNode *node, int *count)
{
    *count = 0;
    if (!has_one_scale(node) || qn_op_int(node, "precision") ||
        node->inputs[X].value->type.element != QN_FLOAT ||
        node->inputs[SCALE].value->type.element != QN_FLOAT || !node->outputs[0])
        return NULL;
    for (size_t i = 0; i < QN_COUNT_OF(programs); i++) {
        if (programs[i].type != node->outputs[0]->type.element)
            continue;
        if (!qn_node_input(node, ZERO))
            return *count = 5, programs[i].plain;
        if (has_constant_zero(node))
            return *count = 6, programs[i].constant;
        return *count = 7, programs[i].computed;
    }
    return NULL;
}

/* ---- QuantizeLinear ---- */

static QnStatus infer_quantize(QnInfer *in)
{
    QnType type = type_attribute(in->node, "output_dtype", QN_UINT8);
    if (qn_infer_has(in, 2))
        type = qn_infer_element(in, 2);
    return infer_scaled(in, type);
}

/* x / scale, rounded to the precision asked for. */
static double divide(double x, double scale, QnType precision)
{
    if (precision == QN_DOUBLE)
        return x / scale;
    const float quotient = (float)x / (float)scale;
    if (precision == QN_FLOAT16 || precision == QN_BFLOAT16)
        return qn_small_float_decode(precision,
                                     qn_small_float_encode(precision, (double)quotient, false));
    return (double)quotient;
}

static QnStatus quantize(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0), *scale = qn_call_input(call, 1),
                   *zero = qn_call_input(call, 2);
    QnTensor *y = qn_call_result(call, 0);
    const QnType precision = type_attribute(call->node, "precision", scale->type);
    const bool saturate = qn_op_int(call->node, "saturate") != 0;
    const Grain grain = grain_of(call);
    const int64_t count = qn_tensor_count(x);
    int64_t lowest, highest;
    const bool is_int = qn_quantized_range(y->type, &lowest, &highest);
    if (!is_int && !qn_small_float_is(y->type))
        return qn_call_fail(call, "cannot quantize to %s", qn_type_name(y->type));
    for (int64_t i = 0; i < count; i++) {
        const int64_t at = scale_index(&grain, i);
        const double value = divide(qn_tensor_get(x, i), qn_tensor_get(scale, at), precision);
        if (is_int)
            qn_quantized_set(y, i, value, zero ? qn_tensor_get_int(zero, at) : 0);
        else if (qn_type_size(y->type) == 1)
            ((uint8_t *)y->data)[i] = (uint8_t)qn_small_float_encode(
                y->type, value + (zero ? qn_tensor_get(zero, at) : 0), saturate);
        else
            qn_tensor_set(y, i, value);
        if (i % 4096 == 0)
            QN_TRY(qn_call_poll(call));
    }
    return QN_OK;
}

/* ---- DequantizeLinear ---- */

static QnStatus infer_dequantize(QnInfer *in)
{
    const QnType scale = qn_infer_element(in, 1);
    return infer_scaled(
        in, type_attribute(in->node, "output_dtype",
                           scale == QN_FLOAT8E8M0 || scale == QN_UNDEFINED ? QN_FLOAT : scale));
}

static QnStatus dequantize(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0), *scale = qn_call_input(call, 1),
                   *zero = qn_call_input(call, 2);
    QnTensor *y = qn_call_result(call, 0);
    const Grain grain = grain_of(call);
    const int64_t count = qn_tensor_count(x);
    for (int64_t i = 0; i < count; i++) {
        const int64_t at = scale_index(&grain, i);
        const double offset = zero ? qn_tensor_get(zero, at) : 0;
        qn_tensor_set(y, i, (qn_tensor_get(x, i) - offset) * qn_tensor_get(scale, at));
        if (i % 4096 == 0)
            QN_TRY(qn_call_poll(call));
    }
    return QN_OK;
}

/* ---- DynamicQuantizeLinear ---- */

static QnStatus infer_dynamic(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0), scalar = {.rank = 0};
    QN_TRY(qn_infer_tensor(in, 1, QN_FLOAT, &scalar));
    QN_TRY(qn_infer_tensor(in, 2, QN_UINT8, &scalar));
    return x ? qn_infer_tensor(in, 0, QN_UINT8, x) : qn_infer_unknown(in, 0, QN_UINT8, -1);
}

static QnStatus quantize_dynamic(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0);
    QnTensor *y = qn_call_result(call, 0);
    const int64_t count = qn_tensor_count(x);
    QnByteGrid grid = {0};
    for (int64_t i = 0; i < count; i++)
        qn_byte_grid_widen(&grid, qn_tensor_get(x, i));
    qn_byte_grid_settle(&grid);
    for (int64_t i = 0; i < count; i++)
        qn_tensor_set_int(y, i, qn_byte_grid_step(&grid, qn_tensor_get(x, i)));
    if (qn_call_wants(call, 1))
        qn_tensor_set(qn_call_result(call, 1), 0, (double)grid.scale);
    if (qn_call_wants(call, 2))
        qn_tensor_set_int(qn_call_result(call, 2), 0, grid.zero);
    return QN_OK;
}

static const QnOpAttribute quantize_attributes[] = {
    {"axis", QN_ATTRIBUTE_INT, .i = 1},     {"block_size", QN_ATTRIBUTE_INT},
    {"output_dtype", QN_ATTRIBUTE_INT},     {"precision", QN_ATTRIBUTE_INT},
    {"saturate", QN_ATTRIBUTE_INT, .i = 1}, {0}};
static const QnOpAttribute dequantize_attributes[] = {{"axis", QN_ATTRIBUTE_INT, .i = 1},
                                                      {"block_size", QN_ATTRIBUTE_INT},
                                                      {"output_dtype", QN_ATTRIBUTE_INT},
                                                      {0}};

const QnOp qn_ops_quantize[] = {
    {.name = "DequantizeLinear",
     .since = 28,
     .inputs = "x: any, x_scale: float, x_zero_point?: T",
     .outputs = "y: float",
     .attributes = dequantize_attributes,
     .infer = infer_dequantize,
     .reference = dequantize,
     .pick_program = dequantize_program},
    {.name = "DynamicQuantizeLinear",
     .since = 11,
     .inputs = "x: float",
     .outputs = "y: uint8, y_scale: float, y_zero_point: uint8",
     .infer = infer_dynamic,
     .reference = quantize_dynamic},
    {.name = "QuantizeLinear",
     .since = 28,
     .inputs = "x: numeric, y_scale: numeric, y_zero_point?: any",
     .outputs = "y: any",
     .attributes = quantize_attributes,
     .infer = infer_quantize,
     .reference = quantize,
     .pick_program = quantize_program},
    {0},
};
