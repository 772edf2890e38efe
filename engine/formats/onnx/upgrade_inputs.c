/* SPDX-License-Identifier: Apache-2.0 */
/* Rewrites of operators whose attributes became inputs. */
#include <float.h>
#include <string.h>

#include "engine/formats/onnx/upgrade.h"

QnStatus onnx_rewrite_axes(OnnxUpgrade *up, OnnxNode **node)
{
    return onnx_ints_to_input(up, *node, "axes", 1);
}

/* Of a reduction: an empty list means all axes, as an absent one does. */
QnStatus onnx_rewrite_reduce_axes(OnnxUpgrade *up, OnnxNode **node)
{
    const OnnxAttribute *axes = onnx_get_ints(*node, "axes");
    if (axes && axes->ints.count == 0)
        onnx_unset(*node, "axes");
    return onnx_ints_to_input(up, *node, "axes", 1);
}

/* Without sizes the parts are equal: the newest form wants their number said. */
QnStatus onnx_rewrite_split(OnnxUpgrade *up, OnnxNode **node)
{
    const OnnxAttribute *sizes = onnx_get_ints(*node, "split");
    if (sizes && sizes->ints.count == 0)
        onnx_unset(*node, "split");
    QN_TRY(onnx_ints_to_input(up, *node, "split", 1));
    return onnx_has_input(*node, 1)
               ? QN_OK
               : onnx_set_int(up, *node, "num_outputs", (*node)->outputs.count);
}

QnStatus onnx_rewrite_slice(OnnxUpgrade *up, OnnxNode **node)
{
    QN_TRY(onnx_ints_to_input(up, *node, "starts", 1));
    QN_TRY(onnx_ints_to_input(up, *node, "ends", 2));
    return onnx_ints_to_input(up, *node, "axes", 3);
}

QnStatus onnx_rewrite_reshape(OnnxUpgrade *up, OnnxNode **node)
{
    return onnx_ints_to_input(up, *node, "shape", 1);
}

QnStatus onnx_rewrite_topk(OnnxUpgrade *up, OnnxNode **node)
{
    const int64_t k = onnx_get_int(*node, "k", 0);
    const char *constant;
    QN_TRY(onnx_make_ints(up, "k", &k, 1, 1, &constant));
    onnx_unset(*node, "k");
    return onnx_set_input(up, *node, 1, constant);
}

/* The default axis was 1, and is -2 now; the input is always written. */
QnStatus onnx_rewrite_dft(OnnxUpgrade *up, OnnxNode **node)
{
    const int64_t axis = onnx_get_int(*node, "axis", 1);
    const char *constant;
    QN_TRY(onnx_make_ints(up, "axis", &axis, 1, 0, &constant));
    onnx_unset(*node, "axis");
    return onnx_set_input(up, *node, 2, constant);
}

QnStatus onnx_rewrite_concat(OnnxUpgrade *up, OnnxNode **node)
{
    return onnx_attribute(*node, "axis") ? QN_OK : onnx_set_int(up, *node, "axis", 1);
}

QnStatus onnx_rewrite_scatter(OnnxUpgrade *up, OnnxNode **node)
{
    (void)up;
    (*node)->op = "ScatterElements";
    return QN_OK;
}

QnStatus onnx_rewrite_pad(OnnxUpgrade *up, OnnxNode **node)
{
    const float value = onnx_get_float(*node, "value", 0);
    const char *constant;
    QN_TRY(onnx_ints_to_input(up, *node, "paddings", 1));
    QN_TRY(onnx_ints_to_input(up, *node, "pads", 1));
    onnx_unset(*node, "value");
    if (value == 0)
        return QN_OK;
    QN_TRY(onnx_make_scalar(up, "value", value, (*node)->inputs.items[0], &constant));
    return onnx_set_input(up, *node, 2, constant);
}

/* Bounds at the ends of float's range were the defaults, and mean none. */
QnStatus onnx_rewrite_clip(OnnxUpgrade *up, OnnxNode **node)
{
    static const char *const names[] = {"min", "max"};
    const float none[] = {-FLT_MAX, FLT_MAX};
    for (int i = 0; i < 2; i++) {
        const float bound = onnx_get_float(*node, names[i], none[i]);
        const char *constant;
        onnx_unset(*node, names[i]);
        if (i == 0 ? bound <= none[i] : bound >= none[i])
            continue;
        QN_TRY(onnx_make_scalar(up, names[i], bound, (*node)->inputs.items[0], &constant));
        QN_TRY(onnx_set_input(up, *node, 1 + i, constant));
    }
    return QN_OK;
}

/* int64 and 1-D, as the newest forms want shape-like inputs. */
static QnStatus as_int64_vector(OnnxUpgrade *up, const char *value, const char **out)
{
    static const int64_t one = 1;
    const char *shape, *flat;
    OnnxNode *cast;
    QN_TRY(onnx_make_ints(up, "one", &one, 1, 1, &shape));
    QN_TRY(onnx_emit_new(up, "Reshape", ONNX_INPUTS(value, shape), &flat));
    QN_TRY(onnx_make_node(up, "Cast", ONNX_INPUTS(flat), out, &cast));
    QN_TRY(onnx_set_int(up, cast, "to", QN_INT64));
    return onnx_emit(up, cast);
}

/* Tile(x, tiles, axis): repeats is a vector of ones with `tiles` at `axis`. */
QnStatus onnx_rewrite_tile(OnnxUpgrade *up, OnnxNode **node)
{
    const char *shape, *rank, *ones, *tiles, *axis, *repeats;
    if ((*node)->inputs.count < 3)
        return QN_OK;
    QN_TRY(onnx_emit_new(up, "Shape", ONNX_INPUTS((*node)->inputs.items[0]), &shape));
    QN_TRY(onnx_emit_new(up, "Shape", ONNX_INPUTS(shape), &rank));
    QN_TRY(onnx_emit_ones(up, rank, &ones));
    QN_TRY(as_int64_vector(up, (*node)->inputs.items[1], &tiles));
    QN_TRY(as_int64_vector(up, (*node)->inputs.items[2], &axis));
    QN_TRY(onnx_emit_new(up, "ScatterElements", ONNX_INPUTS(ones, axis, tiles), &repeats));
    (*node)->inputs.count = 2;
    return onnx_set_input(up, *node, 1, repeats);
}
