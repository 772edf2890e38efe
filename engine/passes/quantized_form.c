/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/passes/quantized_form.h"

static bool is_byte(const QnIrValue *value)
{
    return value && value->type.kind == QN_TENSOR && value->type.shape.rank >= 0 &&
           (value->type.element == QN_UINT8 || value->type.element == QN_INT8);
}

/* How many scales a node has, constant floats as its zero points are constant; 0: otherwise. */
static int64_t count_scales(const QnNode *node)
{
    const QnTensor *scale = qn_pass_constant(qn_node_input(node, QN_QUANTIZED_SCALE));
    const QnIrValue *zero = qn_node_input(node, QN_QUANTIZED_ZERO);
    const QnTensor *zeros = qn_pass_constant(zero);
    if (!scale || scale->type != QN_FLOAT || scale->rank > 1 || qn_op_int(node, "block_size") ||
        (zero && (!zeros || qn_tensor_count(zeros) != qn_tensor_count(scale))))
        return 0;
    return qn_tensor_count(scale);
}

bool qn_quantized_is_simple(const QnNode *node)
{
    const bool makes_bytes = qn_pass_is(node, "QuantizeLinear");
    return (makes_bytes || qn_pass_is(node, "DequantizeLinear")) && count_scales(node) == 1 &&
           is_byte(makes_bytes ? node->outputs[0] : qn_node_input(node, QN_QUANTIZED_X));
}

/* Is it bytes made real, with one scale or one for each index along `axis` (-1: none)? */
static bool is_operand(const QnNode *node, int axis)
{
    const QnIrValue *bytes = node ? qn_node_input(node, QN_QUANTIZED_X) : NULL;
    if (!is_byte(bytes) || node->outputs[0]->type.element != QN_FLOAT)
        return false;
    const QnShape *shape = &bytes->type.shape;
    const int64_t count = count_scales(node), given = qn_op_int(node, "axis");
    return count == 1 ||
           (count > 1 && axis >= 0 && (given < 0 ? given + shape->rank : given) == axis &&
            shape->dims[axis] == count);
}

/* ---- the bias ---- */

static bool is_all_zero(const QnTensor *t)
{
    for (int64_t i = 0; i < qn_tensor_count(t); i++)
        if (qn_tensor_get(t, i) != 0)
            return false;
    return true;
}

/* The integers of a bias that is quantized as the sums are, without a zero point. */
static const QnTensor *whole_bias(const QnQuantizedForm *form)
{
    const QnNode *maker = qn_pass_maker(form->bias, "DequantizeLinear");
    const QnTensor *whole = maker ? qn_pass_constant(qn_node_input(maker, QN_QUANTIZED_X)) : NULL;
    const QnTensor *zero = maker ? qn_pass_constant(qn_node_input(maker, QN_QUANTIZED_ZERO)) : NULL;
    const int64_t scales = whole ? count_scales(maker) : 0;
    if (!scales || whole->type != QN_INT32 || (zero && !is_all_zero(zero)))
        return NULL;
    return scales == 1 || scales == qn_tensor_count(whole) ? whole : NULL;
}

/* Is there none, or a constant with one number for each channel? */
static bool has_readable_bias(const QnQuantizedForm *form)
{
    if (!form->bias)
        return true;
    const QnTensor *real = qn_pass_constant(form->bias);
    const QnTensor *t = real ? real : whole_bias(form);
    return t && (t == real ? t->type == QN_FLOAT : true) && t->rank >= 1 &&
           t->dims[t->rank - 1] == form->channels && qn_tensor_count(t) == form->channels;
}

void qn_quantized_form_bias(const QnQuantizedForm *form, double *to)
{
    const QnTensor *real = qn_pass_constant(form->bias), *whole = real ? NULL : whole_bias(form);
    for (int64_t i = 0; i < form->channels; i++) {
        if (real) {
            to[i] = qn_tensor_get(real, i);
            continue;
        }
        const QnTensor *scale =
            qn_pass_constant(qn_node_input(form->bias->node, QN_QUANTIZED_SCALE));
        to[i] = qn_tensor_get(whole, i) * qn_tensor_get(scale, qn_tensor_count(scale) == 1 ? 0 : i);
    }
}

/* ---- the node ---- */

/* The dimension of the weights that is the channels'; -1: none has to be. */
static int channel_axis(const QnNode *node, int rank)
{
    if (qn_pass_is(node, "Conv"))
        return 0;
    if (qn_pass_is(node, "Gemm"))
        return qn_op_int(node, "transB") ? 0 : 1;
    return rank == 2 ? 1 : -1;
}

static bool is_plain_gemm(const QnNode *node)
{
    return !qn_op_int(node, "transA") && qn_op_float(node, "alpha") == 1 &&
           qn_op_float(node, "beta") == 1;
}

bool qn_quantized_form_read(QnQuantizedForm *form, QnNode *node)
{
    const bool is_product = qn_pass_is(node, "MatMul"), is_gemm = qn_pass_is(node, "Gemm");
    if (!is_product && !is_gemm && !qn_pass_is(node, "Conv"))
        return false;
    *form = (QnQuantizedForm){.node = node,
                              .x = qn_pass_maker(qn_node_input(node, 0), "DequantizeLinear"),
                              .w = qn_pass_maker(qn_node_input(node, 1), "DequantizeLinear"),
                              .bias = is_product ? NULL : qn_node_input(node, 2)};
    if (!form->x || !form->w || !node->outputs[0] || (is_gemm && !is_plain_gemm(node)))
        return false;
    const QnShape *shape = &form->w->outputs[0]->type.shape;
    const int axis = channel_axis(node, shape->rank);
    if (shape->rank <= axis || !is_operand(form->x, -1) || !is_operand(form->w, axis))
        return false;
    form->channels = axis >= 0 && qn_dim_is_known(shape->dims[axis]) ? shape->dims[axis] : 0;
    return has_readable_bias(form);
}
