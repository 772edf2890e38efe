/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies: what the language of body.h says, by operators whose bodies say it. */
#include "engine/formats/onnx/body.h"

#include "tests/support/onnx_case.h"
#include "tests/support/test.h"

typedef struct Row {
    const char *before; /* the graph's lines, without the first and the last */
    const char *after;
} Row;

static void check_rows(Test *t, const Row *rows, size_t count)
{
    OnnxCase c = {0};
    char graph[4096], body[4096];
    for (size_t i = 0; i < count; i++) {
        snprintf(graph, sizeof graph, "graph main(%s }", rows[i].before);
        const char *text = onnx_case_text(&c, 8, 17, 1, graph);
        onnx_case_body(text, body, sizeof body);
        EXPECT(t, !strcmp(body, rows[i].after), "%s\ngave\n%s\nexpected\n%s", rows[i].before,
               body[0] ? body : text, rows[i].after);
    }
    onnx_case_finish(&c);
}

TEST(statements_become_nodes)
{
    static const Row rows[] = {
        {"%x: float[2,3], %b: float[3]) { %y = ms.BiasGelu(%x, %b) return %y",
         "%y.Add = Add(%x, %b)\n"
         "%y = Gelu(%y.Add)\n"},
        {"%x: float[2,3]) { %y = ms.FastGelu(%x) return %y",
         "%y = Gelu(%x) {approximate = \"tanh\"}\n"},
        {"%x: float[2,3], %b: float[3]) { %y = ms.FastGelu(%x, %b) return %y",
         "%y.Add = Add(%x, %b)\n"
         "%y = Gelu(%y.Add) {approximate = \"tanh\"}\n"},
        {"%x: float[2,8], %b: float[8]) { %y = ms.BiasSplitGelu(%x, %b) return %y",
         "%y.Add = Add(%x, %b)\n"
         "%y.Split, %y.Split.right = Split(%y.Add) {axis = -1, num_outputs = 2}\n"
         "%y.Gelu = Gelu(%y.Split.right)\n"
         "%y = Mul(%y.Split, %y.Gelu)\n"},
    };
    check_rows(t, rows, QN_COUNT_OF(rows));
}

TEST(attributes_have_defaults_and_are_copied_where_they_are_known)
{
    static const Row rows[] = {
        {"%x: float[2]) { %y = ms.QuickGelu(%x) return %y", "%y = Swish(%x) {alpha = 1.702}\n"},
        {"%x: float[2]) { %y = ms.QuickGelu(%x) {alpha = 1.0} return %y",
         "%y = Swish(%x) {alpha = 1.0}\n"},
        {"%x: float[1,2,4], %w: float[2,2,2]) { %y = ms.FusedConv(%x, %w) {strides = [2], "
         "activation = \"Clip\", activation_params = [-1.0, 0.5]} return %y",
         "const %y.value: float[] = {-1}\n"
         "const %y.value.1: float[] = {0.5}\n"
         "%y.Conv = Conv(%x, %w) {strides = [2]}\n"
         "%y = Clip(%y.Conv, %y.value, %y.value.1)\n"},
        {"%x: float[1,2,4], %w: float[2,2,2], %z: float[1,2,3]) { %y = ms.FusedConv(%x, %w, _, %z) "
         "{activation = \"LeakyRelu\", activation_params = [0.5]} return %y",
         "%y.Conv = Conv(%x, %w)\n"
         "%y.Add = Add(%y.Conv, %z)\n"
         "%y = LeakyRelu(%y.Add) {alpha = 0.5}\n"},
    };
    check_rows(t, rows, QN_COUNT_OF(rows));
}

TEST(conditions_look_at_attributes)
{
    static const Row rows[] = {
        {"%g: float[2,4], %u: float[2,4]) { %y = ms.SwiGLU(%g, %u) {limit = -1.0} return %y",
         "const %y.value: float[] = {0}\n"
         "%y.Cast = Cast(%g) {to = 1}\n"
         "%y.Cast.1 = Cast(%u) {to = 1}\n"
         "%y.Swish = Swish(%y.Cast) {alpha = 1.0}\n"
         "%y.Add = Add(%y.Cast.1, %y.value)\n"
         "%y.Mul = Mul(%y.Swish, %y.Add)\n"
         "%y = CastLike(%y.Mul, %g)\n"},
        {"%x: float[1,2,4,4], %g: float[1,2,2,2]) { %y = ms.GridSample(%x, %g) "
         "{mode = \"bicubic\", align_corners = 1} return %y",
         "%y = GridSample(%x, %g) {mode = \"cubic\", align_corners = 1}\n"},
    };
    check_rows(t, rows, QN_COUNT_OF(rows));
}

TEST(outputs_that_nobody_wants_take_their_nodes_with_them)
{
    static const Row rows[] = {
        {"%x: float[2,4], %s: float[2,4], %g: float[4]) { "
         "%y = ms.SkipLayerNormalization(%x, %s, %g) {epsilon = 0.5} return %y",
         "%y.Add = Add(%x, %s)\n"
         "%y = LayerNormalization(%y.Add, %g) {epsilon = 0.5}\n"},
        {"%x: float[2,4], %s: float[2,4], %g: float[4]) { "
         "%y, _, %i, %sum = ms.SkipLayerNormalization(%x, %s, %g) {epsilon = 0.5} return %y, %i, %sum",
         "%sum = Add(%x, %s)\n"
         "%y, _, %i = LayerNormalization(%sum, %g) {epsilon = 0.5}\n"},
        {"%x: float[2,4]) { %y, %m = ms.BitmaskDropout(%x) return %y",
         "const %y.value: int64[] = {31}\n"
         "const %y.value.1: int64[] = {32}\n"
         "const %y.values: int64[1] = {1}\n"
         "const %y.value.2: int64[] = {4294967295}\n"
         "%y.Size = Size(%x)\n"
         "%y.Add = Add(%y.Size, %y.value)\n"
         "%y.Div = Div(%y.Add, %y.value.1)\n"
         "%y.Reshape = Reshape(%y.Div, %y.values)\n"
         "%y.Cast = Cast(%y.value.2) {to = 12}\n"
         "%m = Expand(%y.Cast, %y.Reshape)\n"
         "%y = Identity(%x)\n"},
    };
    check_rows(t, rows, QN_COUNT_OF(rows));
}

/* A scalar has the type of the value it stands beside: at once where that is known. */
TEST(scalars_take_the_type_of_what_they_stand_beside)
{
    static const Row rows[] = {
        {"%a: float[2,3], %b: float[3,4]) { %y = ms.FusedMatMul(%a, %b) {alpha = 0.5} return %y",
         "const %y.value: float[] = {0.5}\n"
         "%y.MatMul = MatMul(%a, %b)\n"
         "%y = Mul(%y.MatMul, %y.value)\n"},
        {"%a: double[2,3], %b: double[3,4]) { %y = ms.FusedMatMul(%a, %b) {alpha = 0.5} return %y",
         "const %y.value: double[] = {0.5}\n"
         "%y.MatMul = MatMul(%a, %b)\n"
         "%y = Mul(%y.MatMul, %y.value)\n"},
        {"%a: float16[2,3], %b: float16[3,4]) { %y = ms.FusedMatMul(%a, %b) {alpha = 0.5} return %y",
         "const %y.value: float[] = {0.5}\n"
         "%y.MatMul = MatMul(%a, %b)\n"
         "%y.Cast = Cast(%y.value) {to = 10}\n"
         "%y = Mul(%y.MatMul, %y.Cast)\n"},
        {"%a: tensor[2,3], %b: tensor[3,4]) { %y = ms.FusedMatMul(%a, %b) {alpha = 0.5} return %y",
         "const %y.value: float[] = {0.5}\n"
         "%y.MatMul = MatMul(%a, %b)\n"
         "%y.CastLike = CastLike(%y.value, %y.MatMul)\n"
         "%y = Mul(%y.MatMul, %y.CastLike)\n"},
    };
    check_rows(t, rows, QN_COUNT_OF(rows));
}

TEST(permutations_are_written_for_the_rank_or_without_it)
{
    static const Row rows[] = {
        {"%a: float[4,2,3], %b: float[2,4,5]) { %y = ms.FusedMatMul(%a, %b) {transBatchA = 1} return %y",
         "%y.Transpose = Transpose(%a) {perm = [1, 0, 2]}\n"
         "%y = MatMul(%y.Transpose, %b)\n"},
        {"%a: float[4], %b: float[4]) { %y = ms.FusedMatMul(%a, %b) {transA = 1, transB = 1} return %y",
         "%y = MatMul(%a, %b)\n"},
        {"%a: float[?], %b: float[2,5,4]) { %y = ms.FusedMatMul(%a, %b) {transB = 1} return %y",
         "%y.Transpose = Transpose(%b) {perm = [0, 2, 1]}\n"
         "%y = MatMul(%a, %y.Transpose)\n"},
        {"%x: float[1,5,5,2], %w: float[3,1,1,2]) { %y = ms.NhwcConv(%x, %w) return %y",
         "%y.Transpose = Transpose(%x) {perm = [0, 3, 1, 2]}\n"
         "%y.Transpose.1 = Transpose(%w) {perm = [0, 3, 1, 2]}\n"
         "%y.Conv = Conv(%y.Transpose, %y.Transpose.1)\n"
         "%y = Transpose(%y.Conv) {perm = [0, 2, 3, 1]}\n"},
        {"%a: float[2,3], %b: float[?]) { %y = ms.FusedMatMul(%a, %b) {transB = 1} return %y",
         "%y.Shape = Shape(%b) {end = -2}\n"
         "%y.Shape.1 = Shape(%b) {start = -2, end = -1}\n"
         "%y.Shape.2 = Shape(%b) {start = -1}\n"
         "%y.ReduceProd = ReduceProd(%y.Shape) {keepdims = 1}\n"
         "%y.Concat = Concat(%y.ReduceProd, %y.Shape.1, %y.Shape.2) {axis = 0}\n"
         "%y.Concat.1 = Concat(%y.Shape, %y.Shape.2, %y.Shape.1) {axis = 0}\n"
         "%y.Reshape = Reshape(%b, %y.Concat) {allowzero = 1}\n"
         "%y.Transpose = Transpose(%y.Reshape) {perm = [0, 2, 1]}\n"
         "%y.Reshape.1 = Reshape(%y.Transpose, %y.Concat.1) {allowzero = 1}\n"
         "%y = MatMul(%a, %y.Reshape.1)\n"},
    };
    check_rows(t, rows, QN_COUNT_OF(rows));
}

TEST(what_a_body_cannot_say_is_a_sentence)
{
    static const Row rows[] = {
        {"%x: float[1,2,4], %w: float[2,2,2]) { "
         "%y = ms.FusedConv(%x, %w) {activation = \"Gelu\"} return %y",
         "severe: onnx-attribute-value model: FusedConv node making 'y': activation is 'Gelu', expected none | Relu | Silu | "
         "Sigmoid | Tanh | LeakyRelu | Clip | HardSigmoid\n"},
        {"%x: float[1,2,4], %w: float[2,2,2]) { "
         "%y = ms.FusedConv(%x, %w) {activation = \"Clip\", activation_params = [1.0]} return %y",
         "severe: onnx-attribute-value model: FusedConv node making 'y': attribute 'activation_params' holds 1 numbers, "
         "expected 2 or more\n"},
        {"%x: float[1,2,4], %w: float[2,2,2]) { "
         "%y = ms.FusedConv(%x, %w) {activation = \"LeakyRelu\"} return %y",
         "severe: onnx-attribute-value model: FusedConv node making 'y': attribute 'activation_params' holds 0 numbers, "
         "expected 1 or more\n"},
        {"%x: float[2], %r: float[], %t: bool[]) { %y = ms.BitmaskDropout(%x, %r, %t) return %y",
         "severe: onnx-not-supported model: BitmaskDropout node making 'y': the input training_mode, expected none: dropout is "
         "for inference only\n"},
        {"%x: float[2,4]) { %y = ms.EPContext(%x) {ep_cache_context = \"\"} return %y",
         "severe: onnx-not-supported model: EPContext node making 'y': a program compiled for one accelerator, expected the "
         "model that it was made from\n"},
        {"%q: float[1,3,4], %b: float[4], %r: float[1,2,3,3], %w: float[2,8], %v: float[8], "
         "%e: float[1,2,1,1], %o: int32[1,3]) { "
         "%y = ms.GatedRelativePositionBias(%q, %b, %r, %w, %v, %e, %o) {num_heads = 2} return %y",
         "severe: onnx-not-supported model: GatedRelativePositionBias node making 'y': the input token_offset, expected "
         "queries with their padding\n"},
        {"%q: float[3,2,3,4], %o: int32[1,3], %s: int32[2]) { "
         "%y = ms.PackedMultiHeadAttention(%q, _, _, _, %o, %s) {num_heads = 2} return %y",
         "severe: onnx-not-supported model: PackedMultiHeadAttention node making 'y': packed query, key and value, expected "
         "three inputs\n"},
        {"%x: float[1,8,2,2]) { %y = \"com.microsoft.nchwc\".ReorderInput(%x) return %y",
         "severe: onnx-not-supported model: ReorderInput node making 'y': channels in blocks, as the processor that saved the "
         "file wants them, expected the model that it was made from, or one saved at the level 'extended'\n"},
        {"%x: float[2,4]) { %y = ms.Snpe(%x) {DLC = \"\"} return %y",
         "severe: onnx-not-supported model: Snpe node making 'y': a container for the accelerator library SNPE, expected the "
         "model that it was made from\n"},
        {"%x: float[2,4]) { %y = ms.IsAllFinite(%x) {isinf_only = 1, isnan_only = 1} return %y",
         "severe: onnx-attribute-value model: IsAllFinite node making 'y': isnan_only and isinf_only are both set, expected "
         "one of them at most\n"},
        {"%x: float[2,4]) { %y = ms.BiasGelu(%x) return %y",
         "severe: onnx-input-count model: BiasGelu node making 'y': BiasGelu-1 with 1 inputs, expected 2\n"},
        {"%x: float[2,4]) { %y = ms.FastGlu(%x) return %y",
         "severe: onnx-unknown-operator model: FastGlu node making 'y': operator FastGlu of com.microsoft version 1 is not "
         "known; did you mean FastGelu?\n"},
    };
    check_rows(t, rows, QN_COUNT_OF(rows));
}

TEST_MAIN(CASE(statements_become_nodes),
          CASE(attributes_have_defaults_and_are_copied_where_they_are_known),
          CASE(conditions_look_at_attributes),
          CASE(outputs_that_nobody_wants_take_their_nodes_with_them),
          CASE(scalars_take_the_type_of_what_they_stand_beside),
          CASE(permutations_are_written_for_the_rank_or_without_it),
          CASE(what_a_body_cannot_say_is_a_sentence))
