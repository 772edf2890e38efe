/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Comparisons, logic and choice, element by element with NumPy's broadcasting.  A comparison with
 * NaN is false, also >= and <=.
 */
#include <math.h>

#include "engine/ops/op.h"

/* ---- formulas: X(operator, since, C name, opcode, traits, expression of a and b) ---- */

/* clang-format off */
#define COMPARE_MAP(X) \
    X(Greater, 13, greater, GT, 0, a > b) \
    X(GreaterOrEqual, 16, greater_or_equal, GE, 0, a >= b) \
    X(Less, 13, less, LT, 0, a < b) \
    X(LessOrEqual, 16, less_or_equal, LE, 0, a <= b)
#define LOGIC_MAP(X) \
    X(And, 7, and, AND, QN_OP_COMMUTATIVE, a != 0 && b != 0) \
    X(Or, 7, or, OR, QN_OP_COMMUTATIVE, a != 0 || b != 0) \
    X(Xor, 7, xor, XOR, QN_OP_COMMUTATIVE, (a != 0) != (b != 0))
/* clang-format on */

#define DEFINE(op, since_, fn, code_, traits_, formula)                         \
    static double float_##fn(double a, double b, const double *attributes)      \
    {                                                                           \
        (void)attributes;                                                       \
        return formula;                                                         \
    }                                                                           \
    static int64_t int_##fn(int64_t a, int64_t b, const double *attributes)     \
    {                                                                           \
        (void)attributes;                                                       \
        return formula;                                                         \
    }                                                                           \
    static uint64_t uint_##fn(uint64_t a, uint64_t b, const double *attributes) \
    {                                                                           \
        (void)attributes;                                                       \
        return formula;                                                         \
    }                                                                           \
    static const QnInstruction program_##fn[] = {QN_DO2(code_, 2, 0, 1)};
COMPARE_MAP(DEFINE)
LOGIC_MAP(DEFINE)
DEFINE(Equal, 19, equal, EQ, 0, a == b)

static double float_not(double x, const double *attributes)
{
    (void)attributes;
    return x == 0;
}

static const QnInstruction program_not[] = {QN_DO1(NOT, 1, 0)};

/* ---- Equal: of strings too ---- */

static bool is_same_string(const QnTensor *a, int64_t i, const QnTensor *b, int64_t j)
{
    QnString x, y;
    memcpy(&x, (const char *)a->data + i * (int64_t)sizeof x, sizeof x);
    memcpy(&y, (const char *)b->data + j * (int64_t)sizeof y, sizeof y);
    return x.size == y.size && (x.size == 0 || memcmp(x.data, y.data, x.size) == 0);
}

static QnStatus equal(const QnCall *call)
{
    const QnTensor *a = qn_call_input(call, 0), *b = qn_call_input(call, 1);
    if (a->type != QN_STRING)
        return qn_reference_elementwise(call);
    QnTensor *y = qn_call_result(call, 0);
    const int64_t count = qn_tensor_count(y);
    for (int64_t i = 0; i < count; i++)
        qn_tensor_set_int(
            y, i, is_same_string(a, qn_broadcast_index(a, y, i), b, qn_broadcast_index(b, y, i)));
    return QN_OK;
}

/* Known contents compare where all their elements are surely equal or different. */
static QnStatus infer_equal(QnInfer *in)
{
    QnDim a[QN_CONTENT_LIMIT], b[QN_CONTENT_LIMIT], result[QN_CONTENT_LIMIT];
    QN_TRY(qn_infer_compare(in));
    const int count_a = qn_infer_ints(in, 0, a, QN_CONTENT_LIMIT);
    const int count_b = qn_infer_ints(in, 1, b, QN_CONTENT_LIMIT);
    if (count_a < 1 || count_b < 1 || (count_a != count_b && count_a != 1 && count_b != 1))
        return QN_OK;
    const int count = count_a > count_b ? count_a : count_b;
    for (int i = 0; i < count; i++) {
        const QnDim x = a[count_a == 1 ? 0 : i], y = b[count_b == 1 ? 0 : i];
        if (!qn_dim_is_equal(x, y) && !qn_dim_is_different(in->dims, x, y))
            return QN_OK;
        result[i] = qn_dim_is_equal(x, y);
    }
    return qn_infer_content(in, 0, result, count);
}

/* ---- Where ---- */

/* Contents choose element by element where the condition is known. */
static QnStatus infer_where_content(QnInfer *in)
{
    QnDim chosen[QN_CONTENT_LIMIT], parts[2][QN_CONTENT_LIMIT];
    int64_t condition[QN_CONTENT_LIMIT];
    int counts[3] = {-1}, count = 1;
    const QnInferValue *first = &in->inputs[0];
    if (first->content)
        counts[0] = qn_infer_constants(in, 0, condition, QN_CONTENT_LIMIT);
    else if (first->constant && first->constant->rank <= 1 &&
             qn_tensor_count(first->constant) <= QN_CONTENT_LIMIT) {
        counts[0] = (int)qn_tensor_count(first->constant);
        for (int i = 0; i < counts[0]; i++)
            condition[i] = qn_tensor_get_int(first->constant, i);
    }
    for (int i = 0; i < 2; i++)
        counts[i + 1] = qn_infer_ints(in, i + 1, parts[i], QN_CONTENT_LIMIT);
    for (int i = 0; i < 3; i++) {
        if (counts[i] < 1 || (counts[i] != 1 && count != 1 && counts[i] != count))
            return QN_OK;
        count = counts[i] == 1 ? count : counts[i];
    }
    for (int i = 0; i < count; i++) {
        const int part = condition[counts[0] == 1 ? 0 : i] ? 0 : 1;
        chosen[i] = parts[part][counts[part + 1] == 1 ? 0 : i];
    }
    return qn_infer_content(in, 0, chosen, count);
}

static QnStatus infer_where(QnInfer *in)
{
    QN_TRY(qn_infer_compare(in)); /* the shape of all three */
    if (in->outputs[0].type.kind == QN_TENSOR)
        in->outputs[0].type.element = qn_infer_element(in, 1);
    return infer_where_content(in);
}

static QnStatus where(const QnCall *call)
{
    const QnTensor *condition = qn_call_input(call, 0);
    const QnTensor *const from[2] = {qn_call_input(call, 2), qn_call_input(call, 1)};
    QnTensor *y = qn_call_result(call, 0);
    const size_t size = qn_type_size(y->type);
    const int64_t count = qn_tensor_count(y);
    if (from[0]->type != from[1]->type)
        return qn_call_fail(call, "X is %s, Y is %s, expected one type",
                            qn_type_name(from[1]->type), qn_type_name(from[0]->type));
    for (int64_t i = 0; i < count; i++) {
        const bool is_true = qn_tensor_get_int(condition, qn_broadcast_index(condition, y, i)) != 0;
        const QnTensor *chosen = from[is_true];
        memcpy((char *)y->data + (size_t)i * size,
               (const char *)chosen->data + (size_t)qn_broadcast_index(chosen, y, i) * size, size);
    }
    return QN_OK;
}

static const QnInstruction program_where[] = {QN_DO3(SELECT, 3, 0, 1, 2)};

/* ---- IsNaN, IsInf ---- */

static QnStatus infer_is(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    return x ? qn_infer_tensor(in, 0, QN_BOOL, x) : qn_infer_unknown(in, 0, QN_BOOL, -1);
}

static double is_nan(double x, const double *attributes)
{
    (void)attributes;
    return isnan(x);
}

/* attributes: detect_negative, detect_positive */
static double is_inf(double x, const double *attributes)
{
    return isinf(x) && attributes[x > 0] != 0;
}

static const QnInstruction program_is_nan[] = {QN_DO1(IS_NAN, 1, 0)};
static const QnInstruction program_is_inf[][1] = {{QN_DO2N(LT, 1, 0, -INFINITY)}, /* never */
                                                  {QN_DO2N(EQ, 1, 0, -INFINITY)},
                                                  {QN_DO2N(EQ, 1, 0, INFINITY)},
                                                  {QN_DO1(IS_INF, 1, 0)}};

static const QnInstruction *pick_is_inf(const QnNode *node, int *count)
{
    *count = 1;
    return program_is_inf[(qn_op_int(node, "detect_negative") != 0) +
                          2 * (qn_op_int(node, "detect_positive") != 0)];
}

static const QnOpAttribute is_inf_attributes[] = {{"detect_negative", QN_ATTRIBUTE_INT, .i = 1},
                                                  {"detect_positive", QN_ATTRIBUTE_INT, .i = 1},
                                                  {0}};

#define ROW(op, since_, fn, code_, traits_, types)                                       \
    {.name = #op,                                                                        \
     .since = (since_),                                                                  \
     .inputs = "A: " types ", B: " types,                                                \
     .outputs = "C: bool",                                                               \
     .traits = (traits_),                                                                \
     .infer = qn_infer_compare,                                                          \
     .reference = qn_reference_elementwise,                                              \
     .scalar = {.binary = float_##fn, .binary_int = int_##fn, .binary_uint = uint_##fn}, \
     QN_PROGRAM(program_##fn)},
#define COMPARE_ROW(op, since_, fn, code_, traits_, formula) \
    ROW(op, since_, fn, code_, traits_, "numeric")
#define LOGIC_ROW(op, since_, fn, code_, traits_, formula) \
    ROW(op, since_, fn, code_, traits_ | QN_OP_IN_PLACE, "bool")

const QnOp qn_ops_compare[] = {
    COMPARE_MAP(COMPARE_ROW) LOGIC_MAP(LOGIC_ROW){
        .name = "Equal",
        .since = 19,
        .inputs = "A: any, B: any",
        .outputs = "C: bool",
        .traits = QN_OP_COMMUTATIVE,
        .infer = infer_equal,
        .reference = equal,
        .scalar = {.binary = float_equal, .binary_int = int_equal, .binary_uint = uint_equal},
        QN_PROGRAM(program_equal)},
    {.name = "IsInf",
     .since = 20,
     .inputs = "X: float",
     .outputs = "Y: bool",
     .attributes = is_inf_attributes,
     .infer = infer_is,
     .reference = qn_reference_elementwise,
     .scalar = {.unary = is_inf},
     .pick_program = pick_is_inf},
    {.name = "IsNaN",
     .since = 20,
     .inputs = "X: float",
     .outputs = "Y: bool",
     .infer = infer_is,
     .reference = qn_reference_elementwise,
     .scalar = {.unary = is_nan},
     QN_PROGRAM(program_is_nan)},
    {.name = "Not",
     .since = 1,
     .inputs = "X: bool",
     .outputs = "Y: bool",
     .traits = QN_OP_IN_PLACE,
     .infer = infer_is,
     .reference = qn_reference_elementwise,
     .scalar = {.unary = float_not},
     QN_PROGRAM(program_not)},
    {.name = "Where",
     .since = 16,
     .inputs = "condition: bool, X: any, Y: any",
     .outputs = "output: any",
     .infer = infer_where,
     .reference = where,
     QN_PROGRAM(program_where)},
    {0},
};
