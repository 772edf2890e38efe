/* SPDX-License-Identifier: Apache-2.0 */
/* Rewrites of operators that sample images: Upsample, Resize, RoiAlign, GridSample. */
#include <string.h>

#include "engine/formats/onnx/upgrade.h"

/* Scale i of a constant that passed its checks, stored either way. */
static float scale_at(const OnnxTensor *scales, int64_t i)
{
    float value;
    if (!scales->has_raw)
        return scales->floats.f32[i];
    memcpy(&value, scales->raw.data + (size_t)i * sizeof value, sizeof value);
    return value;
}

/*
 * Nearest neighbours were taken downwards on an axis that grows and upwards on one that shrinks.
 * Where the scales are not known, or mixed, the extension "simple" says that.
 */
static const char *pick_nearest_mode(const OnnxUpgrade *up, const char *scales)
{
    const OnnxHint hint = onnx_hint(up->hints, scales);
    bool grows = false, shrinks = false;
    if (!hint.tensor || hint.tensor->type != QN_FLOAT || hint.tensor->dims.count != 1 ||
        hint.tensor->is_external)
        return "simple";
    for (int64_t i = 0; i < hint.tensor->dims.i64[0]; i++) {
        const float scale = scale_at(hint.tensor, i);
        grows = grows || scale > 1;
        shrinks = shrinks || scale < 1;
    }
    if (grows && shrinks)
        return "simple";
    return shrinks ? "ceil" : "floor";
}

/* Resize as it was before 11: input 1 holds the scales. */
static QnStatus resize_by_scales(OnnxUpgrade *up, OnnxNode *node)
{
    const char *scales = node->inputs.items[1];
    node->op = "Resize";
    if (onnx_text_is(node, "mode", "nearest", "bilinear"))
        QN_TRY(onnx_set_text(up, node, "mode", "linear"));
    QN_TRY(onnx_set_text(up, node, "coordinate_transformation_mode", "asymmetric"));
    if (onnx_text_is(node, "mode", "nearest", "nearest"))
        QN_TRY(onnx_set_text(up, node, "nearest_mode", pick_nearest_mode(up, scales)));
    QN_TRY(onnx_set_input(up, node, 2, scales));
    return onnx_set_input(up, node, 1, "");
}

QnStatus onnx_rewrite_resize_10(OnnxUpgrade *up, OnnxNode **node)
{
    return resize_by_scales(up, *node);
}

/* The scales were two attributes of an image, then one attribute, then an input. */
QnStatus onnx_rewrite_upsample(OnnxUpgrade *up, OnnxNode **node)
{
    const OnnxAttribute *list = onnx_attribute(*node, "scales");
    const char *constant;
    if ((*node)->schema->since < 7) {
        const float scales[] = {1, 1, onnx_get_float(*node, "height_scale", 1),
                                onnx_get_float(*node, "width_scale", 1)};
        QN_TRY(onnx_make_floats(up, "scales", scales, 4, 1, &constant));
        QN_TRY(onnx_set_input(up, *node, 1, constant));
    } else if ((*node)->schema->since < 9 && list) {
        QN_TRY(onnx_make_floats(up, "scales", list->floats.f32, (int)list->floats.count, 1,
                                &constant));
        QN_TRY(onnx_set_input(up, *node, 1, constant));
    }
    onnx_unset(*node, "height_scale");
    onnx_unset(*node, "width_scale");
    onnx_unset(*node, "scales");
    return resize_by_scales(up, *node);
}

/* Inputs that had to be there were empty to mean absent:
 * constants without elements, and scales beside sizes. */
QnStatus onnx_rewrite_resize_11(OnnxUpgrade *up, OnnxNode **node)
{
    for (int i = 1; i < (*node)->inputs.count; i++) {
        const OnnxHint hint = onnx_hint(up->hints, (*node)->inputs.items[i]);
        const bool is_empty =
            hint.tensor && hint.tensor->dims.count == 1 && hint.tensor->dims.i64[0] == 0;
        if (is_empty || (i == 2 && onnx_has_input(*node, 3)))
            QN_TRY(onnx_set_input(up, *node, i, ""));
    }
    return QN_OK;
}

QnStatus onnx_rewrite_roi_align(OnnxUpgrade *up, OnnxNode **node)
{
    return onnx_set_text(up, *node, "coordinate_transformation_mode", "output_half_pixel");
}

QnStatus onnx_rewrite_grid_sample(OnnxUpgrade *up, OnnxNode **node)
{
    if (onnx_text_is(*node, "mode", "", "bilinear"))
        return onnx_set_text(up, *node, "mode", "linear");
    if (onnx_text_is(*node, "mode", "", "bicubic"))
        return onnx_set_text(up, *node, "mode", "cubic");
    return QN_OK;
}
