/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Activations: element by element, with a NaN of a NaN wherever the formula lets one through.
 *
 * Formulas are written so that no finite input overflows on the way: exp only of what is not above
 * 0, log(1 + exp(x)) as max(x, 0) + log1p(exp(-|x|)).
 */
#include <float.h>
#include <math.h>

#include "engine/ops/op.h"

static double logistic(double x)
{
    return x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x));
}

static double log_1p_exp(double x)
{
    return fmax(x, 0) + log1p(exp(-fabs(x))) + (isnan(x) ? x : 0);
}

/* Smaller and larger that let NaN through. */
static double at_least(double x, double low)
{
    return x < low ? low : x;
}

static double at_most(double x, double high)
{
    return x > high ? high : x;
}

/* X(C name, formula of x and the row's attributes a[]) */
/* clang-format off */
#define FORMULA_MAP(X) \
    X(celu, at_least(x, 0) + at_most(a[0] * expm1(x / a[0]), 0)) \
    X(elu, x < 0 ? a[0] * expm1(x) : x) \
    X(gelu, x / 2 * (1 + erf(x / sqrt(2.0)))) \
    X(gelu_tanh, x / 2 * (1 + tanh(sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)))) \
    X(hard_sigmoid, at_least(at_most(a[0] * x + a[1], 1), 0)) \
    X(hard_swish, x * at_least(at_most(x / 6 + 0.5, 1), 0)) \
    X(leaky_relu, x < 0 ? a[0] * x : x) \
    X(mish, x * tanh(log_1p_exp(x))) \
    X(relu, at_least(x, 0)) \
    X(selu, a[1] * (x > 0 ? x : a[0] * expm1(x))) \
    X(shrink, x < -a[1] ? x + a[0] : x > a[1] ? x - a[0] : 0) \
    X(sigmoid, logistic(x)) \
    X(softplus, log_1p_exp(x)) \
    X(softsign, x / (1 + fabs(x))) \
    X(swish, x * logistic(a[0] * x)) \
    X(tanh, tanh(x)) \
    X(thresholded_relu, x > a[0] ? x : 0)

/* The program of each: register 0 is the input.
 * Attributes replace the immediates, which are their defaults. */
static const QnInstruction celu_program[] = {
    QN_DO2A(DIV, 1, 0, 1, "alpha"), QN_DO1(EXPM1, 1, 1),
    QN_DO2A(MUL, 1, 1, 1, "alpha"), QN_DO2N(MIN, 1, 1, 0),
    QN_DO1(RELU, 2, 0), QN_DO2(ADD, 1, 1, 2)};
static const QnInstruction elu_program[] = {
    QN_DO1(EXPM1, 1, 0), QN_DO2A(MUL, 1, 1, 1, "alpha"), QN_DO2N(LT, 2, 0, 0),
    QN_DO3(SELECT, 1, 2, 1, 0)};
static const QnInstruction gelu_program[] = {QN_DO1(GELU, 1, 0)};
static const QnInstruction gelu_tanh_program[] = {
    QN_DO1(SQUARE, 1, 0), QN_DO2N(MUL, 1, 1, 0.044715), QN_DO3(FMA, 1, 1, 0, 0),
    QN_DO2N(MUL, 1, 1, 0.7978845608028654), QN_DO1(TANH, 1, 1), QN_DO2N(ADD, 1, 1, 1),
    QN_DO2N(MUL, 2, 0, 0.5), QN_DO2(MUL, 1, 1, 2)};
static const QnInstruction hard_sigmoid_program[] = {
    QN_DO2A(MUL, 1, 0, 0.2, "alpha"),
    QN_DO2A(ADD, 1, 1, 0.5, "beta"), QN_DO2N(MAX, 1, 1, 0),
    QN_DO2N(MIN, 1, 1, 1)};
static const QnInstruction hard_swish_program[] = {
    QN_DO2N(MUL, 1, 0, 1.0 / 6), QN_DO2N(ADD, 1, 1, 0.5), QN_DO2N(MAX, 1, 1, 0),
    QN_DO2N(MIN, 1, 1, 1), QN_DO2(MUL, 1, 1, 0)};
static const QnInstruction leaky_relu_program[] = {
    QN_DO2A(MUL, 1, 0, 0.01, "alpha"), QN_DO2N(LT, 2, 0, 0),
    QN_DO3(SELECT, 1, 2, 1, 0)};
static const QnInstruction mish_program[] = {
    QN_DO1(SOFTPLUS, 1, 0), QN_DO1(TANH, 1, 1), QN_DO2(MUL, 1, 1, 0)};
static const QnInstruction prelu_program[] = {
    QN_DO2(MUL, 2, 0, 1), QN_DO2N(LT, 3, 0, 0), QN_DO3(SELECT, 2, 3, 2, 0)};
static const QnInstruction relu_program[] = {QN_DO1(RELU, 1, 0)};
static const QnInstruction selu_program[] = {
    QN_DO1(EXPM1, 1, 0), QN_DO2A(MUL, 1, 1, 1.67326319217681884765625, "alpha"),
    QN_DO2N(GT, 2, 0, 0), QN_DO3(SELECT, 1, 2, 0, 1),
    QN_DO2A(MUL, 1, 1, 1.05070102214813232421875, "gamma")};
static const QnInstruction shrink_program[] = {
    QN_DO2A(GT, 1, 0, 0.5, "lambd"), QN_DO2A(SUB, 2, 0, 0, "bias"),
    QN_DO3N(SELECT, 2, 1, 2, 0), QN_DO1(NEG, 3, 0),
    QN_DO2A(GT, 1, 3, 0.5, "lambd"), QN_DO2A(ADD, 3, 0, 0, "bias"),
    QN_DO3(SELECT, 2, 1, 3, 2)};
static const QnInstruction sigmoid_program[] = {QN_DO1(SIGMOID, 1, 0)};
static const QnInstruction softplus_program[] = {QN_DO1(SOFTPLUS, 1, 0)};
static const QnInstruction softsign_program[] = {
    QN_DO1(ABS, 1, 0), QN_DO2N(ADD, 1, 1, 1), QN_DO2(DIV, 1, 0, 1)};
static const QnInstruction swiglu_program[] = {
    QN_DO2A(MUL, 2, 0, 1, "alpha"), QN_DO1(SIGMOID, 2, 2), QN_DO2(MUL, 2, 2, 0),
    QN_DO2(MUL, 2, 2, 1)};
static const QnInstruction swish_program[] = {
    QN_DO2A(MUL, 1, 0, 1, "alpha"), QN_DO1(SIGMOID, 1, 1), QN_DO2(MUL, 1, 1, 0)};
static const QnInstruction tanh_program[] = {QN_DO1(TANH, 1, 0)};
static const QnInstruction thresholded_relu_program[] = {
    QN_DO2A(GT, 1, 0, 1, "alpha"), QN_DO3N(SELECT, 2, 1, 0, 0)};

/*
 * Clip with neither bound, with one, with both; register 3 is free for any count of inputs.  A bound
 * of floats that is not given is the largest finite number of their type.
 */
#define CLIP_PROGRAMS(limit) { \
    {QN_DO2N(MAX, 3, 0, -(limit)), QN_DO2N(MIN, 3, 3, limit)}, \
    {QN_DO2(MAX, 3, 0, 1), QN_DO2N(MIN, 3, 3, limit)}, \
    {QN_DO2(MIN, 3, 0, 2), QN_DO2N(MAX, 3, 3, -(limit))}, \
    {QN_DO3(CLIP, 3, 0, 1, 2)}}
/* clang-format on */
static const struct {
    QnType type; /* UNDEFINED: integers */
    double limit;
    QnInstruction programs[4][2];
} clip_rows[] = {
    {QN_FLOAT, FLT_MAX, CLIP_PROGRAMS(FLT_MAX)},
    {QN_DOUBLE, DBL_MAX, CLIP_PROGRAMS(DBL_MAX)},
    {QN_FLOAT16, 65504, CLIP_PROGRAMS(65504)},
    {QN_BFLOAT16, 0xff * 0x1p120, CLIP_PROGRAMS(0xff * 0x1p120)},
    {QN_UNDEFINED,
     0,
     {{QN_DO1(COPY, 3, 0)},
      {QN_DO2(MAX, 3, 0, 1)},
      {QN_DO2(MIN, 3, 0, 2)},
      {QN_DO3(CLIP, 3, 0, 1, 2)}}},
};
#undef CLIP_PROGRAMS

#define DEFINE(fn, formula)                             \
    static double float_##fn(double x, const double *a) \
    {                                                   \
        (void)a;                                        \
        return formula;                                 \
    }
FORMULA_MAP(DEFINE)
#undef DEFINE

/* Of integers the bias counts with its fraction: their reference computes in double. */
static const QnInstruction *pick_shrink(const QnNode *node, int *count)
{
    *count = QN_COUNT_OF(shrink_program);
    return qn_type_is_float(node->inputs[0].value->type.element) ? shrink_program : NULL;
}

static int64_t relu_int(int64_t x, const double *attributes)
{
    (void)attributes;
    return x > 0 ? x : 0;
}

static double prelu(double x, double slope, const double *attributes)
{
    (void)attributes;
    return x < 0 ? slope * x : x;
}

static int64_t prelu_int(int64_t x, int64_t slope, const double *attributes)
{
    (void)attributes;
    return x < 0 ? (int64_t)((uint64_t)slope * (uint64_t)x) : x;
}

static uint64_t prelu_uint(uint64_t x, uint64_t slope, const double *attributes)
{
    (void)slope;
    (void)attributes;
    return x;
}

static double swiglu(double a, double b, const double *attributes)
{
    return a * logistic(attributes[0] * a) * b;
}

/* ---- Gelu ---- */

static bool is_tanh(const QnNode *node)
{
    return qn_op_string_is(node, "approximate", "tanh");
}

static QnStatus infer_gelu(QnInfer *in)
{
    if (!is_tanh(in->node) && !qn_op_string_is(in->node, "approximate", "none"))
        return qn_infer_fail(in, "approximate is not 'none' or 'tanh'");
    return qn_infer_unary(in);
}

static QnStatus gelu(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0);
    QnTensor *y = qn_call_result(call, 0);
    const bool by_tanh = is_tanh(call->node);
    const int64_t count = qn_tensor_count(x);
    for (int64_t i = 0; i < count; i++) {
        const double value = qn_tensor_get(x, i);
        qn_tensor_set(y, i, by_tanh ? float_gelu_tanh(value, NULL) : float_gelu(value, NULL));
    }
    return QN_OK;
}

static const QnInstruction *pick_gelu(const QnNode *node, int *count)
{
    *count = is_tanh(node) ? QN_COUNT_OF(gelu_tanh_program) : QN_COUNT_OF(gelu_program);
    return is_tanh(node) ? gelu_tanh_program : gelu_program;
}

/* ---- Clip ---- */

static QnStatus infer_clip(QnInfer *in)
{
    for (int i = 1; i < 3; i++) {
        const QnShape *bound = qn_infer_shape(in, i);
        if (bound && (bound->rank > 1 ||
                      (bound->rank == 1 && qn_dim_is_known(bound->dims[0]) && bound->dims[0] != 1)))
            return qn_infer_fail(in, "input %d '%s' is no scalar", i, i == 1 ? "min" : "max");
    }
    return qn_infer_unary(in);
}

/* A bound above the other wins where it is the upper one: min > max makes everything max. */
static QnStatus clip_int(const QnTensor *x, const QnTensor *min, const QnTensor *max, QnTensor *y)
{
    const int64_t count = qn_tensor_count(x);
    const bool is_wide = x->type == QN_UINT64; /* order by the unsigned value */
    const uint64_t flip = is_wide ? UINT64_C(1) << 63 : 0;
    for (int64_t i = 0; i < count; i++) {
        uint64_t value = (uint64_t)qn_tensor_get_int(x, i) ^ flip;
        const uint64_t low = min ? (uint64_t)qn_tensor_get_int(min, 0) ^ flip : 0;
        const uint64_t high = max ? (uint64_t)qn_tensor_get_int(max, 0) ^ flip : 0;
        if (min && (int64_t)value < (int64_t)low)
            value = low;
        if (max && (int64_t)value > (int64_t)high)
            value = high;
        qn_tensor_set_int(y, i, (int64_t)(value ^ flip));
    }
    return QN_OK;
}

/* The row of a type in clip_rows. */
static int find_clip(QnType type)
{
    int row = 0;
    while (clip_rows[row].type != type && clip_rows[row].type != QN_UNDEFINED)
        row++;
    return row;
}

static QnStatus clip(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0), *min = qn_call_input(call, 1),
                   *max = qn_call_input(call, 2);
    QnTensor *y = qn_call_result(call, 0);
    for (int i = 1; i < 3; i++)
        if (qn_call_input(call, i) && qn_tensor_count(qn_call_input(call, i)) != 1)
            return qn_call_fail(call, "input %d is no scalar", i);
    if (qn_type_is_integer(x->type))
        return clip_int(x, min, max, y);
    const double limit = clip_rows[find_clip(x->type)].limit;
    const double low = min ? qn_tensor_get(min, 0) : -limit;
    const double high = max ? qn_tensor_get(max, 0) : limit;
    const int64_t count = qn_tensor_count(x);
    for (int64_t i = 0; i < count; i++)
        qn_tensor_set(y, i, at_most(at_least(qn_tensor_get(x, i), low), high));
    return QN_OK;
}

static const QnInstruction *pick_clip(const QnNode *node, int *count)
{
    const QnIrValue *x = qn_node_input(node, 0);
    const int row = find_clip(x->type.element);
    const int bounds = (qn_node_input(node, 1) != NULL) + 2 * (qn_node_input(node, 2) != NULL);
    *count = clip_rows[row].type == QN_UNDEFINED || bounds == 3 ? 1 : 2;
    return clip_rows[row].programs[bounds];
}

/* ---- PRelu ---- */

/* The slope broadcasts to the input, never the other way round. */
static QnStatus infer_prelu(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0), *slope = qn_infer_shape(in, 1);
    if (x && slope) {
        QnShape y;
        QN_TRY(qn_shape_broadcast(in->dims, &y, x, slope, in->err));
        if (slope->rank > x->rank)
            return qn_infer_fail(in, "the slope has rank %d, expected %d at most", slope->rank,
                                 x->rank);
        for (int d = 0; d < x->rank; d++)
            if (x->dims[d] == 1 && qn_dim_is_known(y.dims[d]) && y.dims[d] != 1)
                return qn_infer_fail(
                    in, "the slope does not broadcast to dimension %d of the input", d);
    }
    return qn_infer_unary(in);
}

#define ALPHA(value)                              \
    {                                             \
        "alpha", QN_ATTRIBUTE_FLOAT, .f = (value) \
    }
static const QnOpAttribute alpha_1[] = {ALPHA(1), {0}};
static const QnOpAttribute alpha_leaky[] = {ALPHA(0.00999999977648258209228515625), {0}};
static const QnOpAttribute selu_attributes[] = {
    ALPHA(1.67326319217681884765625),
    {"gamma", QN_ATTRIBUTE_FLOAT, .f = 1.05070102214813232421875},
    {0}};
static const QnOpAttribute hard_sigmoid_attributes[] = {
    ALPHA(0.20000000298023223876953125), {"beta", QN_ATTRIBUTE_FLOAT, .f = 0.5}, {0}};
static const QnOpAttribute shrink_attributes[] = {
    {"bias", QN_ATTRIBUTE_FLOAT}, {"lambd", QN_ATTRIBUTE_FLOAT, .f = 0.5}, {0}};
static const QnOpAttribute gelu_attributes[] = {{"approximate", QN_ATTRIBUTE_STRING, .s = "none"},
                                                {0}};
#undef ALPHA

#define ROW(op, since_, types, fn)                                                            \
    .name = (op), .since = (since_), .inputs = "X: " types, .outputs = "Y: T",                \
    .traits = QN_OP_IN_PLACE, .infer = qn_infer_unary, .reference = qn_reference_elementwise, \
    .scalar = {.unary = float_##fn}, QN_PROGRAM(fn##_program)

const QnOp qn_ops_activation[] = {
    {ROW("Celu", 28, "float", celu), .attributes = alpha_1},
    {.name = "Clip",
     .since = 13,
     .inputs = "input: numeric, min?: T, max?: T",
     .outputs = "output: T",
     .traits = QN_OP_IN_PLACE,
     .infer = infer_clip,
     .reference = clip,
     .pick_program = pick_clip},
    {ROW("Elu", 22, "float", elu), .attributes = alpha_1},
    {.name = "Gelu",
     .since = 20,
     .inputs = "X: float",
     .outputs = "Y: T",
     .attributes = gelu_attributes,
     .traits = QN_OP_IN_PLACE,
     .infer = infer_gelu,
     .reference = gelu,
     .pick_program = pick_gelu},
    {ROW("HardSigmoid", 22, "float", hard_sigmoid), .attributes = hard_sigmoid_attributes},
    {ROW("HardSwish", 22, "float", hard_swish)},
    {ROW("LeakyRelu", 16, "float", leaky_relu), .attributes = alpha_leaky},
    {ROW("Mish", 22, "float", mish)},
    {.name = "PRelu",
     .since = 16,
     .inputs = "X: numeric, slope: T",
     .outputs = "Y: T",
     .traits = QN_OP_IN_PLACE,
     .infer = infer_prelu,
     .reference = qn_reference_elementwise,
     .scalar = {.binary = prelu, .binary_int = prelu_int, .binary_uint = prelu_uint},
     QN_PROGRAM(prelu_program)},
    {.name = "Relu",
     .since = 14,
     .inputs = "X: signed",
     .outputs = "Y: T",
     .traits = QN_OP_IN_PLACE,
     .infer = qn_infer_unary,
     .reference = qn_reference_elementwise,
     .scalar = {.unary = float_relu, .unary_int = relu_int},
     QN_PROGRAM(relu_program)},
    {ROW("Selu", 22, "float", selu), .attributes = selu_attributes},
    {.name = "Shrink",
     .since = 9,
     .inputs = "input: numeric",
     .outputs = "output: T",
     .attributes = shrink_attributes,
     .traits = QN_OP_IN_PLACE,
     .infer = qn_infer_unary,
     .reference = qn_reference_elementwise,
     .scalar = {.unary = float_shrink},
     .pick_program = pick_shrink},
    {ROW("Sigmoid", 13, "float", sigmoid)},
    {ROW("Softplus", 22, "float", softplus)},
    {ROW("Softsign", 22, "float", softsign)},
    {.name = "SwiGLU",
     .since = 28,
     .inputs = "A: float, B: T",
     .outputs = "Y: T",
     .attributes = alpha_1,
     .traits = QN_OP_IN_PLACE,
     .infer = qn_infer_elementwise,
     .reference = qn_reference_elementwise,
     .scalar = {.binary = swiglu},
     QN_PROGRAM(swiglu_program)},
    {ROW("Swish", 24, "float", swish), .attributes = alpha_1},
    {ROW("Tanh", 13, "float", tanh)},
    {ROW("ThresholdedRelu", 22, "float", thresholded_relu), .attributes = alpha_1},
    {0},
};
