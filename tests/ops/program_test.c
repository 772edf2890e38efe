/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every elementwise operator is said twice, as a scalar function and as a program of opcodes: on
 * all types that it takes, with all corners of their ranges, both are to compute the same.
 */
#include <float.h>

#include "engine/ops/op.h"
#include "tests/support/lowering.h"
#include "tests/support/samples.h"

static const QnType types[] = {QN_FLOAT, QN_DOUBLE, QN_FLOAT16, QN_BFLOAT16, QN_INT8,
                               QN_UINT8, QN_INT16,  QN_UINT16,  QN_INT32,    QN_UINT32,
                               QN_INT64, QN_UINT64, QN_BOOL};

/* The operators whose attributes choose what is computed, once for each choice. */
static const struct {
    const char *op, *attributes;
} choices[] = {
    {"BitShift", "{direction = \"LEFT\"}"},
    {"BitShift", "{direction = \"RIGHT\"}"},
    {"Binarizer", ""},
    {"Binarizer", "{threshold = 1.5}"},
    {"Cast", "{to = 1}"},
    {"Cast", "{to = 2}"},
    {"Cast", "{to = 3}"},
    {"Cast", "{to = 4}"},
    {"Cast", "{to = 5}"},
    {"Cast", "{to = 6}"},
    {"Cast", "{to = 7}"},
    {"Cast", "{to = 9}"},
    {"Cast", "{to = 10}"},
    {"Cast", "{to = 11}"},
    {"Cast", "{to = 12}"},
    {"Cast", "{to = 13}"},
    {"Cast", "{to = 16}"},
    {"Celu", "{alpha = 2.5}"},
    {"Elu", "{alpha = 0.5}"},
    {"Gelu", ""},
    {"Gelu", "{approximate = \"tanh\"}"},
    {"HardSigmoid", ""},
    {"HardSigmoid", "{alpha = 0.3, beta = 0.25}"},
    {"IsInf", ""},
    {"IsInf", "{detect_negative = 0}"},
    {"IsInf", "{detect_positive = 0}"},
    {"LeakyRelu", ""},
    {"LeakyRelu", "{alpha = 0.3}"},
    {"Shrink", ""},
    {"Shrink", "{lambd = 1.5, bias = 0.25}"},
    {"Swish", "{alpha = 1.5}"},
    {"ThresholdedRelu", "{alpha = 0.5}"},
};

/* Is the type one of a group, "numeric" or "signed"? */
static bool is_in_group(const char *group, size_t size, QnType type)
{
    const struct {
        const char *name;
        bool has_type;
    } groups[] = {{"any", true},
                  {"numeric", type != QN_BOOL},
                  {"float", qn_type_is_float(type)},
                  {"integer", qn_type_is_integer(type)},
                  {"signed", qn_type_is_float(type) || qn_type_is_signed(type)}};
    for (size_t i = 0; i < QN_COUNT_OF(groups); i++)
        if (strlen(groups[i].name) == size && !memcmp(groups[i].name, group, size))
            return groups[i].has_type;
    return false;
}

/*
 * Appends the inputs that a row's "name: word, ..." tells: the first is a matrix, others are rows
 * that are broadcast, optional ones scalars; variadic ones are two.  Gives how many they are; 0
 * where the operator does not take the type.
 */
static int write_inputs(QnText *text, const QnOp *op, QnType type)
{
    int count = 0;
    bool has_type = false; /* some input is of it */
    for (const char *at = op->inputs; (at = strchr(at, ':')); at++) {
        const char kind = at[-1], *word = at + 2;
        const size_t size = strcspn(word, ",");
        const bool is_bool = !strncmp(word, "bool", size);
        if (!is_bool && strncmp(word, "T", size) != 0 && !is_in_group(word, size, type))
            return 0;
        has_type |= !is_bool || type == QN_BOOL;
        for (int again = 0; again <= (kind == '*'); again++, count++)
            qn_text_printf(text, "%s%%i%d: %s[%s]", count ? ", " : "", count,
                           is_bool ? "bool" : qn_type_name(type),
                           kind == '?' ? ""
                           : count     ? "17"
                                       : "9,17");
    }
    return has_type ? count : 0;
}

/* The graph of one node; false where the operator does not take the type. */
static bool write_graph(QnText *text, const QnOp *op, const char *attributes, QnType type)
{
    qn_text_puts(text, "graph main(");
    const int count = write_inputs(text, op, type);
    qn_text_printf(text, ") {\n%%y = %s%s(", op->domain ? "ml." : "", op->name);
    for (int i = 0; i < count; i++)
        qn_text_printf(text, "%s%%i%d", i ? ", " : "", i);
    qn_text_printf(text, ") %s\nreturn %%y\n}", attributes);
    return count > 0;
}

/* Numbers about 0 in steps of 1/8, and every fourth time a corner: the least and the largest, what
 * is no number, zeros of either sign. */
static void fill(Samples *s, QnTensor *x)
{
    static const double corners[] = {NAN, INFINITY, -INFINITY, 0, -0.0, 1, -1, 0.5, 2.5, 100, -100};
    for (int64_t i = 0; i < qn_tensor_count(x); i++) {
        const bool is_corner = sample_below(s, 4) == 0;
        if (x->type == QN_BOOL)
            qn_tensor_set_int(x, i, sample_below(s, 2));
        else if (!qn_type_is_float(x->type))
            qn_tensor_set_int(
                x, i, is_corner ? INT64_MIN >> sample_below(s, 64) : sample_below(s, 9) - 4);
        else
            qn_tensor_set(x, i,
                          is_corner ? corners[sample_below(s, QN_COUNT_OF(corners))]
                                    : (double)sample_below(s, 65) / 8 - 4);
    }
}

/* Integers are to be equal; floats may be a few roundings apart. */
static bool is_equal(const QnTensor *a, const QnTensor *b)
{
    if (!qn_type_is_float(a->type))
        return qn_tensor_is_same(a, b);
    const double epsilon = a->type == QN_BFLOAT16  ? 1.0 / 128
                           : a->type == QN_FLOAT16 ? 1.0 / 1024
                                                   : (double)FLT_EPSILON;
    const QnValue x = qn_value_tensor(*a), y = qn_value_tensor(*b);
    return lowering_distance(&x, &y) <= 8 * (a->type == QN_DOUBLE ? DBL_EPSILON : epsilon);
}

static void compare(Test *t, const char *graph, Samples *samples)
{
    Lowering fast = {0}, slow = {0};
    QnValue inputs[LOWERING_VALUES] = {{.kind = QN_NONE}};
    if (EXPECT(t, lowering_create(&fast, graph, false) == QN_OK, "%s: %s", graph,
               fast.err.message) &&
        EXPECT(t, lowering_create(&slow, graph, true) == QN_OK, "%s: %s", graph,
               slow.err.message)) {
        for (int i = 0; i < fast.plan->input_count; i++) {
            inputs[i] = lowering_input(fast.plan, i);
            fill(samples, &inputs[i].tensor);
        }
        EXPECT(t, lowering_run(&fast, inputs) == QN_OK, "%s: %s", graph, fast.err.message);
        EXPECT(t, lowering_run(&slow, inputs) == QN_OK, "%s: %s", graph, slow.err.message);
        EXPECT(t, is_equal(&fast.outputs[0].tensor, &slow.outputs[0].tensor),
               "%s: '%s' and the definition differ", graph, fast.kernels);
    }
    for (int i = 0; fast.plan && i < fast.plan->input_count; i++)
        free(inputs[i].tensor.data);
    lowering_destroy(&fast);
    lowering_destroy(&slow);
}

static void check_operator(Test *t, const QnOp *op, const char *attributes, Samples *samples)
{
    for (size_t k = 0; k < QN_COUNT_OF(types); k++) {
        QnText graph = qn_text(NULL);
        if (write_graph(&graph, op, attributes, types[k]))
            compare(t, qn_text_string(&graph), samples);
        qn_text_finish(&graph);
    }
}

TEST(programs_compute_what_their_operators_mean)
{
    Samples samples = {2};
    for (int f = 0; f < qn_op_family_count; f++)
        for (const QnOp *op = qn_op_families[f]; op->name; op++) {
            bool has_choices = false;
            /* Scales have shapes of their own: lower_quantize_test.c. */
            if ((!op->program && !op->pick_program) || strstr(op->name, "quantizeLinear") ||
                !strcmp(op->name, "QuantizeLinear"))
                continue;
            for (size_t i = 0; i < QN_COUNT_OF(choices); i++)
                if (!strcmp(choices[i].op, op->name)) {
                    has_choices = true;
                    check_operator(t, op, choices[i].attributes, &samples);
                }
            if (!has_choices)
                check_operator(t, op, "", &samples);
        }
}

TEST_MAIN(CASE(programs_compute_what_their_operators_mean))
