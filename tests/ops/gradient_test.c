/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine/passes/derive_*.c: every rule against central differences in double, computed by the
 * references.
 *
 * A row is one node; what is differentiated is the sum of the cubes of one of its outputs, by all
 * of its inputs that have no elements in the row.  tests/ops/test_gradient.py has more rows, for
 * whole plans, with open sizes and for gradients of gradients.
 */
#include "engine/passes/derive.h"
#include "tests/support/pass.h"

enum { INPUTS = 6 };
#define STEP 1e-5

typedef struct Row {
    const char *op, *inputs[INPUTS], *attributes;
    double low, high; /* 0, 0: -2 and 2 */
    int outputs, output;
} Row;

#define MATRIX "double[2,3]"
/* clang-format off */
#define PLAIN(op) {op, {MATRIX}}
#define UNARY(op, ...) {op, {MATRIX}, __VA_ARGS__}

static const Row rows[] = {
    PLAIN("Abs"), UNARY("Acos", NULL, -0.9, 0.9), UNARY("Acosh", NULL, 1.1, 3), UNARY("Asin", NULL, -0.9, 0.9),
    PLAIN("Asinh"), PLAIN("Atan"), UNARY("Atanh", NULL, -0.9, 0.9), UNARY("Bernoulli", "dtype = 11"),
    UNARY("Cast", "to = 11"), {"CastLike", {MATRIX, "double[1] = {1}"}}, PLAIN("Ceil"), UNARY("Celu", "alpha = 0.7"),
    PLAIN("Cos"), PLAIN("Cosh"), PLAIN("Dropout"), {"Dropout", {MATRIX, "double[] = {0.4}", "bool[] = {0}"}, .outputs = 1},
    UNARY("Elu", "alpha = 0.7"), PLAIN("Erf"), PLAIN("Exp"), PLAIN("EyeLike"), PLAIN("Floor"), PLAIN("Gelu"),
    UNARY("Gelu", "approximate = \"tanh\""), UNARY("HardSigmoid", "alpha = 0.4"), PLAIN("HardSwish"),
    UNARY("HardSwish", NULL, -5, 5), PLAIN("Hardmax"), PLAIN("Identity"), UNARY("LeakyRelu", "alpha = 0.3"),
    UNARY("Log", NULL, 0.4, 2), PLAIN("Mish"), PLAIN("Neg"), UNARY("Reciprocal", NULL, 0.4, 2), PLAIN("Relu"), PLAIN("Round"),
    UNARY("Selu", "alpha = 1.1, gamma = 0.8"), UNARY("Shrink", "lambd = 0.6, bias = 0.1"), PLAIN("Sigmoid"), PLAIN("Sign"),
    PLAIN("Sin"), PLAIN("Sinh"), PLAIN("Softplus"), PLAIN("Softsign"), UNARY("Sqrt", NULL, 0.4, 2),
    UNARY("Swish", "alpha = 1.5"), UNARY("Tan", NULL, -0.9, 0.9), PLAIN("Tanh"), UNARY("ThresholdedRelu", "alpha = 0.5"),
    /* several inputs, broadcast */
    {"Add", {"double[2,1,2]", "double[3,1]"}}, {"Clip", {MATRIX, "double[]", "double[]"}}, {"Clip", {MATRIX, "_", "double[]"}},
    {"Clip", {MATRIX, "double[]"}}, {"Div", {MATRIX, "double[3]"}, NULL, 0.5, 2}, {"Max", {MATRIX, "double[3]", "double[2,1]"}},
    {"Mean", {MATRIX, "double[3]", "double[2,1]"}}, {"Min", {MATRIX, "double[3]", "double[2,1]"}},
    {"Mod", {MATRIX, "double[3]"}, "fmod = 1", 0.5, 2.3}, {"Mul", {"double[2,1,2]", "double[3,1]"}},
    {"PRelu", {MATRIX, "double[3]"}}, {"Pow", {MATRIX, "double[3]"}, NULL, 0.5, 2}, {"Pow", {MATRIX, "int64[3] = {2, 0, 3}"}},
    {"Sub", {MATRIX, "double[2,1]"}}, {"Sum", {MATRIX, "double[3]", "double[2,1]"}}, {"SwiGLU", {MATRIX, MATRIX}, "alpha = 1.2"},
    {"Where", {"bool[2,1] = {1, 0}", MATRIX, "double[3]"}},
    /* reductions */
    {"ReduceL1", {MATRIX, "int64[1] = {1}"}}, {"ReduceL2", {MATRIX, "int64[1] = {1}"}, "keepdims = 0"},
    {"ReduceLogSum", {MATRIX, "int64[1] = {1}"}, NULL, 0.5, 2}, {"ReduceLogSumExp", {MATRIX, "int64[1] = {1}"}, "keepdims = 0"},
    {"ReduceMax", {MATRIX, "int64[1] = {1}"}, "keepdims = 0"}, {"ReduceMean", {MATRIX, "int64[1] = {1}"}, "keepdims = 0"},
    {"ReduceMin", {MATRIX}}, {"ReduceProd", {MATRIX, "int64[1] = {0}"}}, {"ReduceSum", {MATRIX}, "keepdims = 0"},
    {"ReduceSumSquare", {MATRIX}, "noop_with_empty_axes = 1"},
    /* moving */
    {"Compress", {MATRIX, "bool[3] = {1, 0, 1}"}, "axis = 1"}, {"Concat", {MATRIX, "double[2,1]"}, "axis = -1"},
    {"CumSum", {MATRIX, "int64[] = {1}"}}, {"CumSum", {MATRIX, "int64[] = {1}"}, "exclusive = 1, reverse = 1"},
    {"DepthToSpace", {"double[1,8,1,2]"}, "blocksize = 2"}, {"Expand", {"double[3,1]", "int64[3] = {2, 1, 2}"}},
    PLAIN("Flatten"), {"Gather", {MATRIX, "int64[3] = {0, 1, -1}"}}, {"Gather", {MATRIX, "int64[2] = {2, 0}"}, "axis = 1"},
    {"GatherElements", {MATRIX, "int64[2,2] = {0, 2, 1, 1}"}, "axis = 1"}, {"GatherND", {MATRIX, "int64[2,1] = {1, 1}"}},
    {"GatherND", {MATRIX, "int64[2,1] = {2, 0}"}, "batch_dims = 1"},
    {"OneHot", {"int64[3] = {0, 2, 5}", "int64[1] = {3}", "double[2]"}},
    {"Pad", {MATRIX, "int64[4] = {1, -1, 0, 2}", "double[]"}}, {"Pad", {MATRIX, "int64[4] = {1, 1, 0, 2}"}, "mode = \"reflect\""},
    PLAIN("RandomNormalLike"), PLAIN("RandomUniformLike"), {"Reshape", {MATRIX, "int64[1] = {6}"}},
    {"Resize", {"double[1,1,2,3]", "_", "float[4] = {1, 1, 2, 1.5}"}},
    {"ReverseSequence", {MATRIX, "int64[3] = {1, 2, 2}"}},
    {"ScatterElements", {"double[3,2]", "int64[1,2] = {2, 0}", "double[1,2]"}},
    {"ScatterElements", {"double[2,3]", "int64[1,2] = {2, 2}", "double[1,2]"}, "axis = 1, reduction = \"add\""},
    {"ScatterND", {"double[3,2]", "int64[1,1] = {2}", "double[1,2]"}},
    {"ScatterND", {"double[3,2]", "int64[2,1] = {2, 2}", "double[2,2]"}, "reduction = \"add\""},
    {"Slice", {"double[4,3]", "int64[2] = {3, 0}", "int64[2] = {-9, 2}", "int64[2] = {0, 1}", "int64[2] = {-2, 1}"}},
    {"SpaceToDepth", {"double[1,1,2,4]"}, "blocksize = 2"}, {"Split", {"double[2,5]", "int64[2] = {2, 3}"}, "axis = 1", .outputs = 2, .output = 1},
    {"Squeeze", {"double[2,1,3]", "int64[1] = {1}"}}, {"Tile", {MATRIX, "int64[2] = {2, 2}"}},
    {"TopK", {"double[2,5]", "int64[1] = {3}"}, .outputs = 2}, {"Transpose", {"double[2,3,2]"}, "perm = [2, 0, 1]"}, PLAIN("Transpose"),
    {"Trilu", {"double[3,3]", "int64[] = {1}"}, "upper = 0"}, {"Unsqueeze", {MATRIX, "int64[2] = {0, 2}"}},
    /* products */
    {"Einsum", {MATRIX, "double[3,2]"}, "equation = \"ij,jk->ik\""},
    {"Einsum", {MATRIX, "double[3]", "double[2]"}, "equation = \"ij, j, k -> k\""}, {"Einsum", {MATRIX}, "equation = \"ij->i\""},
    {"Einsum", {"double[2,1,2]", "double[3,2]"}, "equation = \"...i,...i\""}, {"Einsum", {MATRIX}, "equation = \"ba\""},
    {"Einsum", {"double[2,2,3]", "double[3,2]"}, "equation = \"...ij,jk->...ik\""},
    {"Gemm", {MATRIX, "double[3,4]", "double[4]"}, "alpha = 0.5, beta = 0.7"}, {"Gemm", {MATRIX, "double[4,3]"}, "transB = 1"},
    {"Gemm", {"double[3,2]", "double[3,4]"}, "transA = 1"}, {"Gemm", {"double[3,2]", "double[4,3]"}, "transA = 1, transB = 1"},
    {"MatMul", {MATRIX, "double[3,2]"}}, {"MatMul", {"double[3]", "double[3]"}}, {"MatMul", {"double[2,2,3]", "double[3,2]"}},
    {"MatMul", {"double[2,1,1,3]", "double[2,3,1]"}}, {"MatMul", {"double[3]", "double[2,3,2]"}},
    /* windows */
    {"AveragePool", {"double[1,2,6]"}, "kernel_shape = [3], strides = [2], pads = [1, 0], ceil_mode = 1"},
    {"AveragePool", {"double[1,2,5]"}, "kernel_shape = [3], pads = [1, 1], count_include_pad = 1"},
    {"Conv", {"double[2,2,5]", "double[2,2,3]", "double[2]"}, "pads = [1, 1]"},
    {"Conv", {"double[1,4,7]", "double[2,2,2]"}, "group = 2, strides = [3]"},
    {"Conv", {"double[1,1,6,5]", "double[1,1,2,2]"}, "dilations = [2, 1], auto_pad = \"SAME_UPPER\""},
    {"ConvTranspose", {"double[1,2,3]", "double[2,2,3]", "double[2]"}, "strides = [2], pads = [1, 0]"},
    {"ConvTranspose", {"double[1,2,3]", "double[2,1,2]"}, "group = 2, strides = [2], output_padding = [1]"},
    {"ConvTranspose", {"double[1,1,3]", "double[1,1,3]"}, "strides = [2], output_shape = [6]"},
    {"GlobalAveragePool", {"double[1,2,3]"}}, {"GlobalLpPool", {"double[1,2,3]"}, "p = 3"}, {"GlobalMaxPool", {"double[1,2,3]"}},
    {"LpPool", {"double[1,2,5]"}, "kernel_shape = [2], p = 3"}, {"MaxPool", {"double[1,2,5]"}, "kernel_shape = [3], pads = [1, 1]"},
    {"MaxPool", {"double[1,1,3,3]"}, "kernel_shape = [2, 2], storage_order = 1", .outputs = 2},
    /* normalizations */
    {"BatchNormalization", {"double[2,2,2]", "double[2]", "double[2]", "double[2]", "double[2]"}, NULL, 0.5, 2},
    {"BatchNormalization", {"double[3,2]", "double[2]", "double[2]", "double[2] = {0, 0}", "double[2] = {1, 1}"},
        "training_mode = 1", .outputs = 3},
    {"GroupNormalization", {"double[2,4,2]", "double[4]", "double[4]"}, "num_groups = 2"},
    {"InstanceNormalization", {"double[2,2,3]", "double[2]", "double[2]"}},
    {"LayerNormalization", {"double[2,3]", "double[3]", "double[3]"}}, {"LayerNormalization", {"double[2,2,2]", "double[2,1]"}, "axis = 1"},
    PLAIN("LogSoftmax"), PLAIN("LpNormalization"), UNARY("LpNormalization", "p = 1, axis = 0"),
    {"MeanVarianceNormalization", {"double[2,1,2,2]"}}, {"RMSNormalization", {MATRIX, "double[3]"}}, PLAIN("Softmax"),
    {"Softmax", {MATRIX}, "axis = 0"},
    /* losses */
    {"NegativeLogLikelihoodLoss", {MATRIX, "int64[2] = {2, 0}", "double[3] = {1, 2, 3}"}},
    {"NegativeLogLikelihoodLoss", {"double[1,3,2]", "int64[1,2] = {2, 0}"}, "reduction = \"none\", ignore_index = 0"},
    {"SoftmaxCrossEntropyLoss", {MATRIX, "int64[2] = {2, 0}", "double[3] = {1, 2, 3}"}},
    {"SoftmaxCrossEntropyLoss", {"double[1,3,2]", "int64[1,2] = {2, -1}"}, "reduction = \"sum\", ignore_index = -1"},
    {"SoftmaxCrossEntropyLoss", {MATRIX, "int64[2] = {2, 0}"}, .outputs = 2, .output = 1},
};
/* clang-format on */

/* ---- graphs ---- */

static bool is_constant(const char *input)
{
    return strchr(input, '=') != NULL;
}

static bool is_absent(const char *input)
{
    return !strcmp(input, "_");
}

/* "%x0, _, %x2": of the inputs that have no elements, or of all. */
static void list_inputs(QnText *text, const Row *row, bool all, const char *after)
{
    const char *between = "";
    for (int i = 0; i < INPUTS && row->inputs[i]; i++) {
        const bool is_free = !is_constant(row->inputs[i]) && !is_absent(row->inputs[i]);
        if (!all && !is_free)
            continue;
        if (is_absent(row->inputs[i]))
            qn_text_printf(text, "%s_", between);
        else
            qn_text_printf(text, "%s%%x%d%s%s", between, i, all || !*after ? "" : after,
                           all || !*after ? "" : row->inputs[i]);
        between = ", ";
    }
}

static int count_free(const Row *row)
{
    int count = 0;
    for (int i = 0; i < INPUTS && row->inputs[i]; i++)
        count += !is_constant(row->inputs[i]) && !is_absent(row->inputs[i]);
    return count;
}

static void write_gradient(QnText *text, const Row *row)
{
    const int count = count_free(row);
    for (int i = 0; i < count; i++)
        qn_text_printf(text, "%s%%d%d", i ? ", " : "", i);
    qn_text_puts(text, " = ai.onnx.preview.training.Gradient(");
    list_inputs(text, row, false, "");
    qn_text_puts(text, ", ");
    list_inputs(text, row, false, "");
    qn_text_puts(text, ", %p) {y = \"p\", xs = [");
    for (int i = 0; i < count; i++)
        qn_text_puts(text, i ? ", \"x\"" : "\"x\"");
    qn_text_puts(text, "]}\nreturn %p");
    for (int i = 0; i < count; i++)
        qn_text_printf(text, ", %%d%d", i);
    qn_text_puts(text, "\n}\n");
}

static void write_graph(QnText *text, const Row *row)
{
    qn_text_puts(text, "graph main(");
    list_inputs(text, row, false, ": ");
    qn_text_puts(text, ") {\n");
    for (int i = 0; i < INPUTS && row->inputs[i]; i++)
        if (is_constant(row->inputs[i]))
            qn_text_printf(text, "const %%x%d: %s\n", i, row->inputs[i]);
    for (int i = 0; i < (row->outputs ? row->outputs : 1); i++)
        qn_text_printf(text, "%s%%y%d", i ? ", " : "", i);
    qn_text_printf(text, " = %s(", row->op);
    list_inputs(text, row, true, "");
    qn_text_puts(text, ")");
    if (row->attributes)
        qn_text_printf(text, " {%s}", row->attributes);
    qn_text_printf(text, "\n%%q = Mul(%%y%d, %%y%d)\n%%p = Mul(%%q, %%y%d)\n", row->output,
                   row->output, row->output);
    write_gradient(text, row);
}

/* ---- computing ---- */

/* The inputs of all free values, and what is computed from them. */
typedef struct Work {
    const Row *row;
    QnModule *module;
    PassWorld world;
} Work;

/* Numbers that are nowhere near each other, or where a function has a kink. */
static void make_input(Work *work, int i)
{
    const QnIrValue *input = work->module->main->inputs[i];
    const double low = work->row->high > work->row->low ? work->row->low : -2;
    const double high = work->row->high > work->row->low ? work->row->high : 2;
    pass_make_input(&work->world, input);
    QnTensor *tensor = &work->world.values[input->id].tensor;
    for (int64_t k = 0; k < qn_tensor_count(tensor); k++) {
        const double at = 0.6180339887498949 * (double)(k + 1) + 0.3183098861837907 * i + 0.137;
        qn_tensor_set(tensor, k, low + (high - low) * (at - floor(at)));
    }
}

/* Computes the nodes up to the value, or all where it is NULL. */
static QnStatus compute(Work *work, const QnIrValue *last, QnError *err)
{
    for (const QnNode *node = work->module->main->first; node; node = node->next) {
        QN_TRY(pass_compute_node(&work->world, node, err));
        if (last && last->node == node)
            break;
    }
    return QN_OK;
}

static double sum_of(const Work *work, const QnIrValue *value)
{
    const QnTensor *tensor = &work->world.values[value->id].tensor;
    double sum = 0;
    for (int64_t k = 0; k < qn_tensor_count(tensor); k++)
        sum += qn_tensor_get(tensor, k);
    return sum;
}

/* The slope of the sum along element k of an input. */
static double slope(Work *work, int input, int64_t k, QnError *err)
{
    const QnIrValue *p = work->module->main->outputs[0].value;
    QnTensor *x = &work->world.values[work->module->main->inputs[input]->id].tensor;
    const double at = qn_tensor_get(x, k);
    double sums[2] = {0};
    for (int side = 0; side < 2; side++) {
        qn_tensor_set(x, k, at + (side ? -STEP : STEP));
        if (compute(work, p, err) == QN_OK)
            sums[side] = sum_of(work, p);
    }
    qn_tensor_set(x, k, at);
    return (sums[0] - sums[1]) / (2 * STEP);
}

static void check_input(Test *t, Work *work, int input, QnError *err)
{
    const QnIrValue *made = work->module->main->outputs[1 + input].value;
    const QnTensor gradient = pass_value(&work->world, made)->tensor;
    const QnTensor *x = &work->world.values[work->module->main->inputs[input]->id].tensor;
    if (!EXPECT(t, gradient.rank == x->rank && qn_tensor_count(&gradient) == qn_tensor_count(x),
                "%s: gradient %d has another shape", work->row->op, input))
        return;
    for (int64_t k = 0; k < qn_tensor_count(x); k++) {
        const double found = qn_tensor_get(&gradient, k), wanted = slope(work, input, k, err);
        EXPECT(t, fabs(found - wanted) <= 1e-5 + 1e-5 * fabs(wanted),
               "%s {%s}: gradient %d[%d] is %g, the slope is %g", work->row->op,
               work->row->attributes ? work->row->attributes : "", input, (int)k, found, wanted);
    }
}

static QnStatus start(Work *work, const char *text, QnError *err)
{
    int changes;
    QN_TRY(pass_read(&work->module, text, NULL, err));
    QN_TRY(qn_pass_run(work->module, &qn_pass_gradient, &(QnPassOptions){0}, &changes, err));
    QN_ALLOC(work->world.values, &work->world.arena, work->module->value_count);
    for (int i = 0; i < work->module->main->input_count; i++)
        make_input(work, i);
    return compute(work, NULL, err);
}

static void check_row(Test *t, const Row *row)
{
    Work work = {.row = row, .world = {.random = {1, 2, 3, 4}}};
    QnText text = qn_text(NULL);
    QnError err = {0};
    write_graph(&text, row);
    qn_arena_init(&work.world.arena, NULL);
    const QnStatus status = start(&work, qn_text_string(&text), &err);
    if (EXPECT(t, status == QN_OK, "%s\n%s", qn_text_string(&text), err.message))
        for (int i = 0; i < work.module->main->input_count; i++)
            check_input(t, &work, i, &err);
    qn_module_free(work.module);
    qn_arena_finish(&work.world.arena);
    qn_text_finish(&text);
}

/* Those whose outputs are random, or whole numbers, have no slope to compare with. */
TEST(gradients_are_the_slopes)
{
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++)
        if (strncmp(rows[i].op, "Random", 6) != 0 && strcmp(rows[i].op, "Bernoulli") != 0)
            check_row(t, &rows[i]);
}

TEST(every_rule_has_a_row)
{
    for (int family = 0; family < qn_derivative_family_count; family++)
        for (const QnDerivative *rule = qn_derivative_families[family]; rule->op; rule++) {
            size_t i = 0;
            while (i < QN_COUNT_OF(rows) && strcmp(rows[i].op, rule->op) != 0)
                i++;
            EXPECT(t, i < QN_COUNT_OF(rows), "%s has no row", rule->op);
        }
}

TEST_MAIN(CASE(gradients_are_the_slopes), CASE(every_rule_has_a_row))
