/* SPDX-License-Identifier: Apache-2.0 */
/* IsAllFinite of com.microsoft: is no element of any input infinite or NaN? */
#include "engine/formats/onnx/upgrade.h"

/* How many elements of x are not wanted, as an int32 scalar. */
static QnStatus count_bad(OnnxUpgrade *up, OnnxNode *node, const char *x, const char **out)
{
    const bool only_nan = onnx_get_int(node, "isnan_only", 0) != 0;
    const bool only_inf = onnx_get_int(node, "isinf_only", 0) != 0;
    const char *nan, *inf, *bad = "", *number;
    OnnxNode *cast, *sum;
    if (!only_inf)
        QN_TRY(onnx_emit_new(up, "IsNaN", ONNX_INPUTS(x), &nan));
    if (!only_nan)
        QN_TRY(onnx_emit_new(up, "IsInf", ONNX_INPUTS(x), &inf));
    if (only_inf || only_nan)
        bad = only_inf ? inf : nan;
    else
        QN_TRY(onnx_emit_new(up, "Or", ONNX_INPUTS(nan, inf), &bad));
    QN_TRY(onnx_make_node(up, "Cast", ONNX_INPUTS(bad), &number, &cast));
    QN_TRY(onnx_set_int(up, cast, "to", QN_INT32));
    QN_TRY(onnx_emit(up, cast));
    QN_TRY(onnx_make_node(up, "ReduceSum", ONNX_INPUTS(number), out, &sum));
    QN_TRY(onnx_set_int(up, sum, "keepdims", 0));
    return onnx_emit(up, sum);
}

QnStatus onnx_rewrite_all_finite(OnnxUpgrade *up, OnnxNode **node)
{
    const char *total = "", *count, *zero, *unused;
    OnnxNode *equal;
    if (onnx_get_int(*node, "isnan_only", 0) != 0 && onnx_get_int(*node, "isinf_only", 0) != 0) {
        onnx_refuse(up, *node, "onnx-attribute-value", "isnan_only and isinf_only are both set",
                    "one of them at most");
        return QN_OK;
    }
    for (int i = 0; i < (*node)->inputs.count; i++) {
        QN_TRY(count_bad(up, *node, (*node)->inputs.items[i], &count));
        if (i == 0)
            total = count;
        else
            QN_TRY(onnx_emit_new(up, "Add", ONNX_INPUTS(total, count), &total));
    }
    QN_TRY(onnx_make_scalar(up, "zero", 0, total, &zero));
    QN_TRY(onnx_make_node(up, "Equal", ONNX_INPUTS(total, zero), &unused, &equal));
    equal->outputs.items[0] = (*node)->outputs.items[0];
    *node = equal;
    return QN_OK;
}
