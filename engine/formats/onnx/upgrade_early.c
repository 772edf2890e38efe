/* SPDX-License-Identifier: Apache-2.0 */
/* Rewrites of operators that early files use and no version of ONNX's schemas has. */
#include "engine/formats/onnx/upgrade.h"

#include <string.h>

/* Turns the node into a binary one of its first input and a constant; its attributes go away. */
static QnStatus become_binary(OnnxUpgrade *up, OnnxNode *node, const char *op, const char *a,
                              const char *b)
{
    node->op = op;
    node->attributes.count = 0;
    QN_TRY(onnx_set_input(up, node, 0, a));
    QN_TRY(onnx_set_input(up, node, 1, b));
    node->inputs.count = 2;
    return QN_OK;
}

/* x times the float attribute `name`. */
static QnStatus emit_scaled(OnnxUpgrade *up, OnnxNode *node, const char *name, const char **out)
{
    const char *x = node->inputs.items[0], *factor;
    QN_TRY(onnx_make_scalar(up, name, onnx_get_float(node, name, 1), x, &factor));
    return onnx_emit_new(up, "Mul", ONNX_INPUTS(x, factor), out);
}

/* alpha * x + beta */
QnStatus onnx_rewrite_affine(OnnxUpgrade *up, OnnxNode **node)
{
    const char *scaled, *beta;
    QN_TRY(emit_scaled(up, *node, "alpha", &scaled));
    QN_TRY(onnx_make_scalar(up, "beta", onnx_get_float(*node, "beta", 0), scaled, &beta));
    return become_binary(up, *node, "Add", scaled, beta);
}

QnStatus onnx_rewrite_scale(OnnxUpgrade *up, OnnxNode **node)
{
    const char *x = (*node)->inputs.items[0], *factor;
    QN_TRY(onnx_make_scalar(up, "scale", onnx_get_float(*node, "scale", 1), x, &factor));
    return become_binary(up, *node, "Mul", x, factor);
}

/* alpha * op(beta * x) */
static QnStatus scale_around(OnnxUpgrade *up, OnnxNode *node, const char *op)
{
    const char *scaled, *result, *alpha;
    QN_TRY(emit_scaled(up, node, "beta", &scaled));
    QN_TRY(onnx_emit_new(up, op, ONNX_INPUTS(scaled), &result));
    QN_TRY(onnx_make_scalar(up, "alpha", onnx_get_float(node, "alpha", 1), node->inputs.items[0],
                            &alpha));
    return become_binary(up, node, "Mul", result, alpha);
}

QnStatus onnx_rewrite_scaled_tanh(OnnxUpgrade *up, OnnxNode **node)
{
    return scale_around(up, *node, "Tanh");
}

QnStatus onnx_rewrite_soft_plus(OnnxUpgrade *up, OnnxNode **node)
{
    return scale_around(up, *node, "Softplus");
}

/* x * scale + bias[channel] */
QnStatus onnx_rewrite_image_scaler(OnnxUpgrade *up, OnnxNode **node)
{
    static const int64_t behind[] = {1, 2};
    const OnnxAttribute *list = onnx_attribute(*node, "bias");
    const char *scaled, *vector, *axes, *column, *bias;
    QN_TRY(emit_scaled(up, *node, "scale", &scaled));
    if (!list || list->kind != ONNX_FLOATS)
        return onnx_rewrite_scale(up, node);
    QN_TRY(onnx_make_floats(up, "bias", list->floats.f32, (int)list->floats.count, 1, &vector));
    QN_TRY(onnx_make_ints(up, "axes", behind, 2, 1, &axes));
    QN_TRY(onnx_emit_new(up, "Unsqueeze", ONNX_INPUTS(vector, axes), &column));
    QN_TRY(onnx_emit_new(up, "CastLike", ONNX_INPUTS(column, scaled), &bias));
    return become_binary(up, *node, "Add", scaled, bias);
}

/* border = left, top, right, bottom; scale = height, width of what stays, where it is given. */
QnStatus onnx_rewrite_crop(OnnxUpgrade *up, OnnxNode **node)
{
    static const int64_t image[] = {2, 3};
    const OnnxAttribute *border = onnx_get_ints(*node, "border"),
                        *size = onnx_get_ints(*node, "scale");
    const char *starts, *ends, *axes;
    if (!border || border->ints.count != 4 || (size && size->ints.count != 2)) {
        onnx_refuse(up, *node, "onnx-crop", "its attributes do not fit",
                    "4 numbers in border, 2 in scale");
        return QN_OK;
    }
    const int64_t *b = border->ints.i64;
    const int64_t first[] = {b[1], b[0]};
    int64_t last[] = {b[3] ? -b[3] : INT64_MAX, b[2] ? -b[2] : INT64_MAX};
    for (int i = 0; size && i < 2; i++)
        last[i] = first[i] + size->ints.i64[i];
    QN_TRY(onnx_make_ints(up, "starts", first, 2, 1, &starts));
    QN_TRY(onnx_make_ints(up, "ends", last, 2, 1, &ends));
    QN_TRY(onnx_make_ints(up, "axes", image, 2, 1, &axes));
    QN_TRY(become_binary(up, *node, "Slice", (*node)->inputs.items[0], starts));
    QN_TRY(onnx_set_input(up, *node, 2, ends));
    return onnx_set_input(up, *node, 3, axes);
}

/* The same inputs as Slice: data, starts, ends, axes. */
QnStatus onnx_rewrite_dynamic_slice(OnnxUpgrade *up, OnnxNode **node)
{
    (void)up;
    (*node)->op = "Slice";
    return QN_OK;
}

/* --- fills --- */

/* The shape that is filled: the input's values or its shape,
 * or an attribute, with `extra_shape` behind. */
static QnStatus emit_fill_shape(OnnxUpgrade *up, OnnxNode *node, const char **out)
{
    const OnnxAttribute *shape = onnx_get_ints(node, "shape"),
                        *extra = onnx_get_ints(node, "extra_shape");
    const char *first, *behind;
    OnnxNode *concat;
    if (!onnx_has_input(node, 0))
        QN_TRY(onnx_make_ints(up, "shape", shape ? shape->ints.i64 : NULL,
                              shape ? (int)shape->ints.count : 0, 1, &first));
    else if (onnx_get_int(node, "input_as_shape", 0) != 0)
        first = node->inputs.items[0];
    else
        QN_TRY(onnx_emit_new(up, "Shape", ONNX_INPUTS(node->inputs.items[0]), &first));
    *out = first;
    if (!extra || extra->ints.count == 0)
        return QN_OK;
    QN_TRY(onnx_make_ints(up, "extra_shape", extra->ints.i64, (int)extra->ints.count, 1, &behind));
    QN_TRY(onnx_make_node(up, "Concat", ONNX_INPUTS(first, behind), out, &concat));
    QN_TRY(onnx_set_int(up, concat, "axis", 0));
    return onnx_emit(up, concat);
}

QnStatus onnx_rewrite_constant_fill(OnnxUpgrade *up, OnnxNode **node)
{
    const float value = onnx_get_float(*node, "value", 0);
    const int64_t type = onnx_get_int(*node, "dtype", QN_FLOAT);
    const char *shape, *plain, *typed;
    OnnxNode *cast;
    QN_TRY(emit_fill_shape(up, *node, &shape));
    QN_TRY(onnx_make_floats(up, "value", &value, 1, 0, &plain));
    typed = plain;
    if (type != QN_FLOAT) {
        QN_TRY(onnx_make_node(up, "Cast", ONNX_INPUTS(plain), &typed, &cast));
        QN_TRY(onnx_set_int(up, cast, "to", type));
        QN_TRY(onnx_emit(up, cast));
    }
    return become_binary(up, *node, "Expand", typed, shape);
}

QnStatus onnx_rewrite_given_fill(OnnxUpgrade *up, OnnxNode **node)
{
    const OnnxAttribute *values = onnx_attribute(*node, "values");
    const char *shape, *vector;
    if (!values || values->kind != ONNX_FLOATS) {
        onnx_refuse(up, *node, "onnx-given-fill", "its values are not floats",
                    "the attribute 'values'");
        return QN_OK;
    }
    QN_TRY(emit_fill_shape(up, *node, &shape));
    QN_TRY(
        onnx_make_floats(up, "values", values->floats.f32, (int)values->floats.count, 1, &vector));
    return become_binary(up, *node, "Reshape", vector, shape);
}
