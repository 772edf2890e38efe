/* SPDX-License-Identifier: Apache-2.0 */
/* Rewrites of quantized operators of com.microsoft that are no fixed text (bodies_quant.c). */
#include <string.h>

#include "engine/formats/onnx/upgrade.h"

static const char *input(const OnnxNode *node, int i)
{
    return i < node->inputs.count ? node->inputs.items[i] : "";
}

/* Each part is quantized anew, unless its scale and zero point are those of the result. */
QnStatus onnx_rewrite_qlinear_concat(OnnxUpgrade *up, OnnxNode **node)
{
    const char *scale = input(*node, 0), *zero = input(*node, 1);
    const int parts = ((*node)->inputs.count - 2) / 3;
    const int64_t axis = onnx_get_int(*node, "axis", 0);
    if (parts < 1 || (*node)->inputs.count != 2 + 3 * parts) {
        onnx_refuse(up, *node, "onnx-input-count", "its parts are not whole",
                    "values, scale and zero point of each");
        return QN_OK;
    }
    for (int i = 0; i < parts; i++) {
        const int at = 2 + 3 * i;
        const char *part = input(*node, at), *real;
        if (strcmp(input(*node, at + 1), scale) != 0 || strcmp(input(*node, at + 2), zero) != 0) {
            QN_TRY(onnx_emit_new(up, "DequantizeLinear",
                                 ONNX_INPUTS(part, input(*node, at + 1), input(*node, at + 2)),
                                 &real));
            QN_TRY(onnx_emit_new(up, "QuantizeLinear", ONNX_INPUTS(real, scale, zero), &part));
        }
        QN_TRY(onnx_set_input(up, *node, i, part));
    }
    (*node)->op = "Concat";
    (*node)->domain = "";
    (*node)->attributes.count = 0;
    (*node)->inputs.count = parts;
    return onnx_set_int(up, *node, "axis", axis);
}
