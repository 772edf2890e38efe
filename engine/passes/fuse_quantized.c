/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Computes on integers what quantizers say by DequantizeLinear and QuantizeLinear around operators
 * of real numbers.  In this order:
 *
 *   - Relu and Clip that cut no more than the QuantizeLinear behind them are left out, and bytes
 *     are moved as bytes where both sides have one scale and zero point, and joined as bytes: no
 *     bit changes.
 *   - Conv, Gemm and MatMul of bytes with QuantizeLinear behind become QLinearConv, QGemm and
 *     QLinearMatMul.
 *   - Those with real results become ConvInteger, QGemm and MatMulInteger, and what makes their
 *     sums real.
 *
 * Sums of integers are exact, those of real numbers were not: a result may be on the other side of
 * a rounding.
 */
#include <math.h>

#include "engine/ops/quantized.h"
#include "engine/passes/affine.h"
#include "engine/passes/build.h"
#include "engine/passes/quantized_form.h"

enum { X = QN_QUANTIZED_X, SCALE = QN_QUANTIZED_SCALE, ZERO = QN_QUANTIZED_ZERO };

/* ---- what stands in front of QuantizeLinear ---- */

static double number_of(const QnNode *node, int input)
{
    double number = 0;
    return qn_pass_scalar(qn_node_input(node, input), &number) ? number : 0;
}

/* The ends of what a Relu or Clip lets through; false where they are not constant. */
static bool read_ends(const QnNode *node, double *low, double *high)
{
    *low = qn_pass_is(node, "Relu") ? 0 : -INFINITY;
    *high = INFINITY;
    if (qn_pass_is(node, "Relu"))
        return true;
    return qn_pass_is(node, "Clip") &&
           (!qn_node_input(node, 1) || qn_pass_scalar(qn_node_input(node, 1), low)) &&
           (!qn_node_input(node, 2) || qn_pass_scalar(qn_node_input(node, 2), high));
}

/* Does quantizing saturate at or inside both ends? */
static bool saturates_within(const QnNode *quantize, double low, double high)
{
    const float scale = (float)number_of(quantize, SCALE);
    const double zero = number_of(quantize, ZERO);
    int64_t lowest, highest;
    return scale > 0 && qn_quantized_range(quantize->outputs[0]->type.element, &lowest, &highest) &&
           (double)nearbyintf((float)low / scale) + zero <= (double)lowest &&
           (double)nearbyintf((float)high / scale) + zero >= (double)highest;
}

static QnStatus drop_clip(QnPassCall *call, QnNode *node)
{
    QnIrValue *x = qn_node_input(node, X);
    double low, high;
    if (!x || !x->node || !qn_pass_is_private(x) || !qn_quantized_is_simple(node) ||
        !read_ends(x->node, &low, &high) || !saturates_within(node, low, high))
        return QN_OK;
    QnNode *clip = x->node;
    qn_use_set(&node->inputs[X], qn_node_input(clip, 0));
    qn_pass_prune(clip);
    call->changes++;
    return QN_OK;
}

/* Do integers on both sides stand for the same numbers? */
static bool is_same_grid(const QnNode *a, const QnNode *b)
{
    return qn_quantized_is_simple(a) && qn_quantized_is_simple(b) &&
           number_of(a, SCALE) == number_of(b, SCALE) && number_of(a, SCALE) > 0 &&
           number_of(a, ZERO) == number_of(b, ZERO);
}

/* Does the node take elements as they are?  The largest of bytes is that of what they stand for. */
static bool only_moves(const QnNode *node)
{
    static const char *const moves[] = {"Flatten",   "MaxPool",   "Reshape", "Squeeze",
                                        "Transpose", "Unsqueeze", "Identity"};
    for (size_t i = 0; i < QN_COUNT_OF(moves); i++)
        if (qn_pass_is(node, moves[i]))
            return !qn_node_output(node, 1);
    return false;
}

static QnStatus move_bytes(QnPassCall *call, QnNode *node)
{
    QnIrValue *x = qn_node_input(node, X);
    QnNode *move = x ? x->node : NULL;
    if (!move || !qn_pass_is_private(x) || !only_moves(move))
        return QN_OK;
    QnNode *real = qn_pass_maker(qn_node_input(move, 0), "DequantizeLinear");
    if (!real || !is_same_grid(real, node) ||
        qn_node_input(real, X)->type.element != node->outputs[0]->type.element)
        return QN_OK;
    qn_use_set(&move->inputs[0], qn_node_input(real, X));
    qn_pass_absorb(call, move, node);
    qn_pass_prune(real);
    return QN_OK;
}

/* What stands for the same on the grid of a QuantizeLinear, which has a Concat in front. */
static QnIrValue *quantize_part(QnBuild *build, const QnNode *quantize, QnIrValue *part)
{
    const QnNode *real = qn_pass_maker(part, "DequantizeLinear");
    const QnType type = quantize->outputs[0]->type.element;
    if (real && is_same_grid(real, quantize) && qn_node_input(real, X)->type.element == type)
        return qn_node_input(real, X);
    QnIrValue *const inputs[] = {part, qn_node_input(quantize, SCALE),
                                 qn_node_input(quantize, ZERO)};
    QnIrValue *made = qn_build(build, "QuantizeLinear", inputs, inputs[2] ? 3 : 2);
    return qn_build_int(build, made, "output_dtype", type);
}

/* Parts that were bytes, or will be, are joined as such:
 * those that others are made of move less. */
static QnStatus join_bytes(QnPassCall *call, QnNode *node)
{
    QnIrValue *x = qn_node_input(node, X), *parts[8];
    QnNode *concat = x ? qn_pass_maker(x, "Concat") : NULL;
    QnBuild build = {.at = node, .err = call->err};
    bool has_bytes = false;
    if (!concat || !qn_pass_is_private(x) || !qn_quantized_is_simple(node) ||
        concat->input_count > (int)QN_COUNT_OF(parts) || qn_op_int(node, "precision"))
        return QN_OK;
    for (int i = 0; i < concat->input_count; i++)
        has_bytes = has_bytes || qn_pass_maker(qn_node_input(concat, i), "DequantizeLinear");
    if (!has_bytes)
        return QN_OK;
    for (int i = 0; i < concat->input_count; i++)
        parts[i] = quantize_part(&build, node, qn_node_input(concat, i));
    QnIrValue *made = qn_build(&build, "Concat", parts, concat->input_count);
    qn_build_int(&build, made, "axis", qn_op_int(concat, "axis"));
    if (build.status == QN_OK)
        qn_pass_absorb(call, made->node, node);
    return build.status;
}

/* ---- integers in the place of real numbers ---- */

/* One rewrite: `form` and what quantizes its result, if anything does. */
typedef struct Fusion {
    QnPassCall *call;
    QnQuantizedForm form;
    QnNode *quantize;
    QnBuild build;
    double *bias; /* [channels] */
} Fusion;

static QnIrValue *bytes_of(const QnNode *node)
{
    return qn_node_input(node, X);
}

static QnIrValue *scale_of(const QnNode *node)
{
    return qn_node_input(node, SCALE);
}

/* The zero point; one is made where there is none. */
static QnIrValue *zero_of(Fusion *f, const QnNode *node)
{
    QnIrValue *zero = qn_node_input(node, ZERO);
    const QnIrValue *bytes = node == f->quantize ? node->outputs[0] : bytes_of(node);
    return zero ? zero : qn_build_scalar(&f->build, bytes->type.element, 0);
}

/* What a unit of the sums of channel i is worth. */
static double unit_of(const Fusion *f, int64_t i)
{
    const QnTensor *x = scale_of(f->form.x)->constant, *w = scale_of(f->form.w)->constant;
    return (double)((float)qn_tensor_get(x, 0) *
                    (float)qn_tensor_get(w, qn_tensor_count(w) == 1 ? 0 : i));
}

/* A row of constants beside the result: `behind` dims of 1 follow it; -1: a scalar. */
static QnIrValue *make_row(Fusion *f, QnType type, int64_t count, int behind, const double *numbers)
{
    int64_t dims[QN_MAX_RANK] = {count};
    QnIrValue *made = NULL;
    for (int d = 1; d <= behind; d++)
        dims[d] = 1;
    if (f->build.status == QN_OK)
        f->build.status =
            qn_affine_row(f->call, &made, f->build.at->graph, type, 1 + behind, dims, numbers);
    return made;
}

/* The bias in units of the sums; NULL where there is none. */
static QnIrValue *whole_bias(Fusion *f)
{
    if (!f->bias)
        return NULL;
    for (int64_t i = 0; i < f->form.channels; i++)
        f->bias[i] = nearbyint(f->bias[i] / unit_of(f, i));
    return make_row(f, QN_INT32, f->form.channels, 0, f->bias);
}

/* Does int32 hold the bias in units of the sums? */
static bool is_whole_bias(const Fusion *f)
{
    for (int64_t i = 0; f->bias && i < f->form.channels; i++)
        if (!(fabs(f->bias[i] / unit_of(f, i)) < INT32_MAX))
            return false;
    return true;
}

static QnNode *make_node(Fusion *f, const char *op, QnIrValue *const *inputs, int count)
{
    QnNode *made = qn_build_node(&f->build, op, inputs, count, 1);
    if (made)
        made->origin = f->form.node->origin;
    return made;
}

static void copy_attributes(Fusion *f, QnNode *to)
{
    const QnNode *from = f->form.node;
    for (int i = 0; i < from->attribute_count && f->build.status == QN_OK; i++)
        f->build.status = qn_node_set(to, &from->attributes[i]);
}

/* Conv or MatMul with a quantized result. */
static QnNode *make_qlinear(Fusion *f, const char *op)
{
    const QnNode *x = f->form.x, *w = f->form.w, *y = f->quantize;
    QnIrValue *const inputs[] = {bytes_of(x), scale_of(x),   zero_of(f, x),
                                 bytes_of(w), scale_of(w),   zero_of(f, w),
                                 scale_of(y), zero_of(f, y), whole_bias(f)};
    QnNode *made = make_node(f, op, inputs, f->bias ? 9 : 8);
    if (made)
        copy_attributes(f, made);
    return made;
}

/* Gemm; its result is real where nothing quantizes it. */
static QnNode *make_qgemm(Fusion *f)
{
    const QnNode *x = f->form.x, *w = f->form.w, *y = f->quantize;
    QnIrValue *const inputs[] = {bytes_of(x),
                                 scale_of(x),
                                 zero_of(f, x),
                                 bytes_of(w),
                                 scale_of(w),
                                 zero_of(f, w),
                                 whole_bias(f),
                                 y ? scale_of(y) : NULL,
                                 y ? zero_of(f, y) : NULL};
    QnNode *made = make_node(f, "QGemm", inputs, y ? 9 : f->bias ? 7 : 6);
    if (!made)
        return NULL;
    made->domain = "com.microsoft";
    if (f->build.status == QN_OK)
        f->build.status = qn_node_set_int(made, "transB", qn_op_int(f->form.node, "transB"));
    return made;
}

/* Conv or MatMul with a real result: sums, times what a unit is worth, plus the bias. */
static QnNode *make_real(Fusion *f, const char *op, double *units)
{
    const QnNode *x = f->form.x, *w = f->form.w;
    const QnTensor *scales = scale_of(w)->constant;
    const int64_t count = qn_tensor_count(scales);
    const int behind = qn_pass_is(f->form.node, "Conv") ? w->outputs[0]->type.shape.rank - 2 : 0;
    QnBuild *b = &f->build;
    QnIrValue *const inputs[] = {bytes_of(x), bytes_of(w), qn_node_input(x, ZERO),
                                 qn_node_input(w, ZERO)};
    QnNode *sums = make_node(f, op, inputs, 4);
    if (!sums)
        return NULL;
    copy_attributes(f, sums);
    for (int64_t i = 0; i < count; i++)
        units[i] = unit_of(f, i);
    QnIrValue *real = qn_build_int(b, QN_BUILD(b, "Cast", sums->outputs[0]), "to", QN_FLOAT);
    real = QN_BUILD(b, "Mul", real, make_row(f, QN_FLOAT, count, count == 1 ? -1 : behind, units));
    if (f->bias)
        real = QN_BUILD(b, "Add", real, make_row(f, QN_FLOAT, f->form.channels, behind, f->bias));
    return real ? real->node : NULL;
}

static QnNode *make_any(Fusion *f, double *units)
{
    const bool is_conv = qn_pass_is(f->form.node, "Conv");
    if (qn_pass_is(f->form.node, "Gemm"))
        return make_qgemm(f);
    if (f->quantize)
        return make_qlinear(f, is_conv ? "QLinearConv" : "QLinearMatMul");
    return make_real(f, is_conv ? "ConvInteger" : "MatMulInteger", units);
}

static QnStatus fuse_with(Fusion *f, QnArena *scratch)
{
    const QnTensor *scales = scale_of(f->form.w)->constant;
    double *units;
    QN_ALLOC(units, scratch, qn_tensor_count(scales));
    if (f->form.bias) {
        QN_ALLOC(f->bias, scratch, f->form.channels);
        qn_quantized_form_bias(&f->form, f->bias);
    }
    if (!is_whole_bias(f))
        return QN_OK;
    QnNode *made = make_any(f, units), *last = f->build.at;
    if (f->build.status != QN_OK)
        return f->build.status;
    qn_pass_absorb(f->call, made, last);
    return QN_OK;
}

static QnStatus fuse(Fusion *f)
{
    QnArena scratch;
    qn_arena_init(&scratch, f->call->module->arena.allocator);
    const QnStatus status = fuse_with(f, &scratch);
    qn_arena_finish(&scratch);
    return status;
}

static QnStatus fuse_quantized(QnPassCall *call, QnNode *node)
{
    Fusion f = {.call = call, .quantize = node, .build = {.at = node, .err = call->err}};
    const QnIrValue *x = qn_node_input(node, X);
    if (!x || !x->node || !qn_pass_is_private(x) || !qn_quantized_is_simple(node) ||
        qn_op_int(node, "precision") || !(number_of(node, SCALE) > 0) ||
        !qn_quantized_form_read(&f.form, x->node))
        return QN_OK;
    return fuse(&f);
}

static QnStatus fuse_real(QnPassCall *call, QnNode *node)
{
    Fusion f = {.call = call, .build = {.at = node, .err = call->err}};
    return qn_quantized_form_read(&f.form, node) ? fuse(&f) : QN_OK;
}

/* ---- the rules ---- */

static const QnRule exact_rules[] = {
    {"QuantizeLinear", drop_clip}, {"QuantizeLinear", move_bytes}, {"QuantizeLinear", join_bytes}};
static const QnRule quantized_rules[] = {{"QuantizeLinear", fuse_quantized}};
static const QnRule real_rules[] = {
    {"Conv", fuse_real}, {"Gemm", fuse_real}, {"MatMul", fuse_real}};

static QnStatus run(QnPassCall *call)
{
    QN_TRY(qn_rules_run(call, exact_rules, QN_COUNT_OF(exact_rules)));
    QN_TRY(qn_rules_run(call, quantized_rules, QN_COUNT_OF(quantized_rules)));
    return qn_rules_run(call, real_rules, QN_COUNT_OF(real_rules));
}

const QnPass qn_pass_fuse_quantized = {
    .name = "fuse-quantized",
    .what = "computes on integers what is quantized around operators of real numbers; results stay "
            "within a step of their scale",
    .run = run,
};
