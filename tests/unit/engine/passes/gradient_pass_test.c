/* SPDX-License-Identifier: Apache-2.0 */
/* engine/passes/gradient.c: what stands in the place of a Gradient.  Whether the rules are right is
 * asked in tests/ops/gradient_test.c. */
#include "tests/support/pass.h"

#define GRADIENT "ai.onnx.preview.training.Gradient"

TEST(what_flows_into_y_goes_back_to_the_named_values)
{
    static const PassRow rows[] = {
        {"the sum over what was broadcast",
         "graph main(%x: float[2,3], %w: float[3]) {\n"
         "  %a: float[2,3] = Mul(%x, %w)\n"
         "  %y: float[2,3] = Tanh(%a)\n"
         "  %dx: float[2,3], %dw: float[3] = " GRADIENT
         "(%x, %w, %x, %w, %y) {xs = [\"x\", \"w\"], y = \"y\"}\n"
         "  return %dx, %dw\n"
         "}\n",
         "graph main(%x: float[2,3], %w: float[3]) {\n"
         "  const %6: float[] = {1}\n"
         "  const %10: float[] = {1}\n"
         "  const %15: int64[1] = {0}\n"
         "  %a: float[2,3] = Mul(%x, %w)\n"
         "  %y: float[2,3] = Tanh(%a)\n"
         "  %7: int64[2] = Shape(%y)\n"
         "  %8: float[2,3] = Expand(%6, %7)\n"
         "  %9: float[2,3] = Mul(%y, %y)\n"
         "  %11: float[2,3] = Sub(%10, %9)\n"
         "  %12: float[2,3] = Mul(%8, %11)\n"
         "  %dx: float[2,3] = Mul(%12, %w)\n"
         "  %14: float[2,3] = Mul(%12, %x)\n"
         "  %16: float[1,3] = ReduceSum(%14, %15) {keepdims = 1, noop_with_empty_axes = 1}\n"
         "  %17: int64[1] = Shape(%w)\n"
         "  %dw: float[3] = Reshape(%16, %17) {allowzero = 1}\n"
         "  return %dx, %dw\n"
         "}\n"},
        {"sizes that may differ are compared when it runs",
         "graph main(%x: float[N,3], %w: float[M,3]) {\n"
         "  %y: float[N,3] = Add(%x, %w)\n"
         "  %dw: float[M,3] = " GRADIENT "(%w, %w, %y) {xs = [\"w\"], y = \"y\"}\n"
         "  return %dw\n"
         "}\n",
         "graph main(%x: float[N,3], %w: float[M,3]) {\n"
         "  const %4: float[] = {1}\n"
         "  const %12: int64[1] = {1}\n"
         "  const %18: int64[1] = {0}\n"
         "  %y: float[broadcast(N, M),3] = Add(%x, %w)\n"
         "  %5: int64[2] = Shape(%y)\n"
         "  %6: float[broadcast(N, M),3] = Expand(%4, %5)\n"
         "  %7: int64[2] = Shape(%6)\n"
         "  %8: int64[2] = Shape(%w)\n"
         "  %9: int64[1] = Shape(%7)\n"
         "  %10: int64[1] = Shape(%8)\n"
         "  %11: int64[1] = Sub(%9, %10)\n"
         "  %13: int64[0] = Expand(%12, %11)\n"
         "  %14: int64[2] = Concat(%13, %8) {axis = 0}\n"
         "  %15: bool[2] = Equal(%7, %14)\n"
         "  %16: bool[2] = Not(%15)\n"
         "  %17: int64[1,?3] = NonZero(%16)\n"
         "  %19: int64[?3] = Squeeze(%17, %18)\n"
         "  %20: float[?4,?5] = ReduceSum(%6, %19) {keepdims = 1, noop_with_empty_axes = 1}\n"
         "  %21: int64[2] = Shape(%w)\n"
         "  %dw: float[M,3] = Reshape(%20, %21) {allowzero = 1}\n"
         "  return %dw\n"
         "}\n"},
        {"what is read twice gets the sum",
         "graph main(%x: float[]) {\n"
         "  %a: float[] = Exp(%x)\n"
         "  %y: float[] = Add(%a, %x)\n"
         "  %d: float[] = " GRADIENT "(%x, %x, %y) {xs = [\"x\"], y = \"y\"}\n"
         "  return %d\n"
         "}\n",
         "graph main(%x: float[]) {\n"
         "  const %4: float[] = {1}\n"
         "  %a: float[] = Exp(%x)\n"
         "  %y: float[] = Add(%a, %x)\n"
         "  %5: float[] = Mul(%4, %a)\n"
         "  %d: float[] = Add(%4, %5)\n"
         "  return %d\n"
         "}\n"},
        {"a gradient of a gradient",
         "graph main(%x: float[]) {\n"
         "  %y: float[] = Mul(%x, %x)\n"
         "  %d: float[] = " GRADIENT "(%x, %x, %y) {xs = [\"x\"], y = \"y\"}\n"
         "  %e: float[] = " GRADIENT "(%x, %x, %d) {xs = [\"x\"], y = \"d\"}\n"
         "  return %e\n"
         "}\n",
         "graph main(%x: float[]) {\n"
         "  const %4: float[] = {1}\n"
         "  const %8: float[] = {1}\n"
         "  %y: float[] = Mul(%x, %x)\n"
         "  %5: float[] = Mul(%4, %x)\n"
         "  %6: float[] = Mul(%4, %x)\n"
         "  %d: float[] = Add(%5, %6)\n"
         "  %9: float[] = Mul(%8, %4)\n"
         "  %10: float[] = Mul(%8, %4)\n"
         "  %e: float[] = Add(%9, %10)\n"
         "  return %e\n"
         "}\n"},
        {"what depends on another value is computed again",
         "graph main(%x: float[], %z: float[], %h: float[]) {\n"
         "  %a: float[] = Exp(%z)\n"
         "  %b: float[] = Mul(%x, %a)\n"
         "  %y: float[] = Exp(%b)\n"
         "  %d: float[] = " GRADIENT "(%h, %x, %y) {xs = [\"x\"], y = \"y\"}\n"
         "  return %d\n"
         "}\n",
         "graph main(%x: float[], %z: float[], %h: float[]) {\n"
         "  const %9: float[] = {1}\n"
         "  %a: float[] = Exp(%z)\n"
         "  %b: float[] = Mul(%x, %a)\n"
         "  %y: float[] = Exp(%b)\n"
         "  %7: float[] = Mul(%h, %a)\n"
         "  %8: float[] = Exp(%7)\n"
         "  %10: float[] = Mul(%9, %8)\n"
         "  %d: float[] = Mul(%10, %a)\n"
         "  return %d\n"
         "}\n"},
        {"through what is held nothing flows",
         "graph main(%x: float[]) {\n"
         "  %a: float[] = Exp(%x)\n"
         "  %y: float[] = Mul(%a, %x)\n"
         "  %d: float[] = " GRADIENT
         "(%x, %a, %x, %a, %y) {xs = [\"x\"], y = \"y\", zs = [\"a\"]}\n"
         "  return %d\n"
         "}\n",
         "graph main(%x: float[]) {\n"
         "  const %4: float[] = {1}\n"
         "  %a: float[] = Exp(%x)\n"
         "  %y: float[] = Mul(%a, %x)\n"
         "  %d: float[] = Mul(%4, %a)\n"
         "  return %d\n"
         "}\n"},
        {"what y does not depend on gets zeros",
         "graph main(%x: float[2], %z: float[N]) {\n"
         "  %y: float[2] = Exp(%x)\n"
         "  %d: float[N] = " GRADIENT "(%z, %z, %y) {xs = [\"z\"], y = \"y\"}\n"
         "  return %d\n"
         "}\n",
         "graph main(%x: float[2], %z: float[N]) {\n"
         "  const %7: float[] = {0}\n"
         "  %y: float[2] = Exp(%x)\n"
         "  %8: int64[1] = Shape(%z)\n"
         "  %d: float[N] = Expand(%7, %8)\n"
         "  return %d\n"
         "}\n"},
        {"through whole numbers nothing flows",
         "graph main(%x: float[]) {\n"
         "  %a: int32[] = Cast(%x) {to = 6}\n"
         "  %b: float[] = Cast(%a) {to = 1}\n"
         "  %y: float[] = Mul(%b, %x)\n"
         "  %d: float[] = " GRADIENT "(%x, %x, %y) {xs = [\"x\"], y = \"y\"}\n"
         "  return %d\n"
         "}\n",
         "graph main(%x: float[]) {\n"
         "  const %5: float[] = {1}\n"
         "  %a: int32[] = Cast(%x) {to = 6}\n"
         "  %b: float[] = Cast(%a) {to = 1}\n"
         "  %y: float[] = Mul(%b, %x)\n"
         "  %d: float[] = Mul(%5, %b)\n"
         "  return %d\n"
         "}\n"},
        {"two outputs that are one value, and one that nobody wants",
         "graph main(%x: float[], %w: float[], %z: float[]) {\n"
         "  %a: float[] = Add(%x, %w)\n"
         "  %y: float[] = Mul(%a, %z)\n"
         "  %d: float[], _, %e: float[] = " GRADIENT
         "(%x, %z, %w, %x, %z, %w, %y) {xs = [\"x\", \"z\", \"w\"], y = \"y\"}\n"
         "  return %d, %e\n"
         "}\n",
         "graph main(%x: float[], %w: float[], %z: float[]) {\n"
         "  const %8: float[] = {1}\n"
         "  %a: float[] = Add(%x, %w)\n"
         "  %y: float[] = Mul(%a, %z)\n"
         "  %d: float[] = Mul(%8, %z)\n"
         "  %e: float[] = Identity(%d)\n"
         "  return %d, %e\n"
         "}\n"},
        {"an output that nobody wanted is made",
         "graph main(%x: float[2,2]) {\n"
         "  const %k: int64[1] = {1}\n"
         "  %y: float[2,1] = TopK(%x, %k) {axis = 0}\n"
         "  %d: float[2,2] = " GRADIENT "(%x, %x, %y) {xs = [\"x\"], y = \"y\"}\n"
         "  return %d\n"
         "}\n",
         "graph main(%x: float[2,2]) {\n"
         "  const %k: int64[1] = {1}\n"
         "  const %4: float[] = {1}\n"
         "  const %8: float[] = {0}\n"
         "  %y: float[1,2], %10: int64[1,2] = TopK(%x, %k) {axis = 0}\n"
         "  %5: int64[2] = Shape(%y)\n"
         "  %6: float[1,2] = Expand(%4, %5)\n"
         "  %7: int64[2] = Shape(%x)\n"
         "  %9: float[2,2] = Expand(%8, %7)\n"
         "  %d: float[2,2] = ScatterElements(%9, %10, %6) {axis = 0, reduction = \"add\"}\n"
         "  return %d\n"
         "}\n"},
        {"in a branch, of what stands around it",
         "graph main(%c: bool[], %x: float[]) {\n"
         "  %y: float[] = Exp(%x)\n"
         "  %r: float[] = If(%c) {else_branch = graph e() {\n"
         "    return %x\n"
         "  }, then_branch = graph t() {\n"
         "    %d: float[] = " GRADIENT "(%x, %x, %y) {xs = [\"x\"], y = \"y\"}\n"
         "    return %d\n"
         "  }}\n"
         "  return %r\n"
         "}\n",
         "graph main(%c: bool[], %x: float[]) {\n"
         "  %y: float[] = Exp(%x)\n"
         "  %r: float[] = If(%c) {else_branch = graph e() {\n"
         "    return %x\n"
         "  }, then_branch = graph t() {\n"
         "    const %5: float[] = {1}\n"
         "    %d: float[] = Mul(%5, %y)\n"
         "    return %d\n"
         "  }}\n"
         "  return %r\n"
         "}\n"},
    };
    EXPECT_PASS(t, &qn_pass_gradient, rows);
}

TEST(what_cannot_be_differentiated_is_said)
{
    static const char *const rows[][2] = {
        {"graph main(%x: float[3,1,2], %w: float[1,8,2], %r: float[1,8,2]) {\n"
         "  %y = LSTM(%x, %w, %r) {hidden_size = 2}\n"
         "  %d = " GRADIENT "(%x, %x, %y) {xs = [\"x\"], y = \"y\"}\n  return %d\n}\n",
         "Gradient node making 'd': on the way from its xs to 'y': LSTM node making 'y': LSTM has no "
         "derivative"},
        {"graph main(%c: bool[], %x: float[2]) {\n  %y = If(%c) {else_branch = graph e() {\n"
         "    return %x\n  }, then_branch = graph t() {\n    return %x\n  }}\n"
         "  %d = " GRADIENT "(%x, %x, %y) {xs = [\"x\"], y = \"y\"}\n  return %d\n}\n",
         "If has no derivative"},
        {"graph main(%c: bool[], %x: float[2], %h: float[2]) {\n"
         "  %y = If(%c) {else_branch = graph e() {\n"
         "    return %x\n  }, then_branch = graph t() {\n    return %x\n  }}\n"
         "  %d = " GRADIENT "(%h, %x, %y) {xs = [\"x\"], y = \"y\"}\n  return %d\n}\n",
         "If holds a graph, and is to be computed again for other values"},
        {"graph main(%x: float[2,3], %i: int64[2], %w: float[3]) {\n"
         "  %y = NegativeLogLikelihoodLoss(%x, %i, %w)\n"
         "  %d = " GRADIENT "(%w, %w, %y) {xs = [\"w\"], y = \"y\"}\n  return %d\n}\n",
         "NegativeLogLikelihoodLoss has no derivative by all of its inputs"},
        {"graph main(%x: float[2,3]) {\n  %y, %m = LayerNormalization(%x, %x)\n  %z = Exp(%m)\n"
         "  %d = " GRADIENT "(%x, %x, %z) {xs = [\"x\"], y = \"z\"}\n  return %d\n}\n",
         "LayerNormalization has no derivative of all of its outputs"},
        {"graph main(%x: float[?], %w: float[3,2]) {\n  %y = MatMul(%x, %w)\n"
         "  %d = " GRADIENT "(%x, %x, %y) {xs = [\"x\"], y = \"y\"}\n  return %d\n}\n",
         "the derivative of MatMul node making 'y' (MatMul): the rank of 'x' is not known"},
        {"graph main(%x: float[?], %w: float[3]) {\n"
         "  %y = LayerNormalization(%x, %w) {axis = -10000}\n"
         "  %d = " GRADIENT "(%x, %x, %y) {xs = [\"x\"], y = \"y\"}\n  return %d\n}\n",
         "the derivative of LayerNormalization node making 'y' (LayerNormalization): axis is -10000, "
         "expected -16 to 15"},
        {"graph main(%x: float[?], %y: float[?]) {\n  %z = Einsum(%x, %y) {equation = \"i->i\"}\n"
         "  %d = " GRADIENT "(%x, %x, %z) {xs = [\"x\"], y = \"z\"}\n  return %d\n}\n",
         "(Einsum): its equation has 1 terms, expected 2, as it has inputs"},
        {"graph main(%x: int64[3]) {\n  %y = Cast(%x) {to = 1}\n"
         "  %d = " GRADIENT "(%x, %x, %y) {xs = [\"x\"], y = \"y\"}\n  return %d\n}\n",
         "'x' of its xs is int64[3], expected a tensor of floating-point numbers"},
        {"graph main(%x: float[3]) {\n  %y = Cast(%x) {to = 7}\n"
         "  %d = " GRADIENT "(%x, %x, %y) {xs = [\"x\"], y = \"y\"}\n  return %d\n}\n",
         "'y' of its y is int64[3], expected a tensor of floating-point numbers"},
        {"graph main(%x: float[3]) {\n  %y = Exp(%x)\n"
         "  %d = " GRADIENT "(%x, %y) {xs = [\"x\"], y = \"y\"}\n  return %d\n}\n",
         "2 inputs, expected one for each of xs and zs, these, and y: 3"},
        {"graph main(%x: float[3]) {\n  %y = Exp(%x)\n"
         "  %d, %e = " GRADIENT "(%x, %x, %y) {xs = [\"x\"], y = \"y\"}\n  return %d\n}\n",
         "2 outputs, expected one for each of xs: 1"},
    };
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++) {
        int changes;
        char *got = pass_run_text(&qn_pass_gradient, rows[i][0], &(QnPassOptions){0}, &changes);
        EXPECT(t, !strncmp(got, "error: ", 7) && strstr(got, rows[i][1]), "%s\nwanted: %s", got,
               rows[i][1]);
        free(got);
    }
}

static void check_refused(Test *t, QnText *text, const char *want)
{
    QnModule *module = NULL;
    QnError err = {0};
    int changes;
    QnStatus status = pass_read(&module, qn_text_string(text), NULL, &err);
    if (EXPECT(t, status == QN_OK, "%s", err.message))
        status = qn_pass_run(module, &qn_pass_gradient, &(QnPassOptions){0}, &changes, &err);
    EXPECT(t, status == QN_BAD_MODEL && strstr(err.message, want), "%s", err.message);
    qn_module_free(module);
    qn_text_finish(text);
}

/* Each line differentiates the one before: the nodes grow without end. */
TEST(gradients_of_gradients_have_a_limit)
{
    QnText text = qn_text(NULL);
    qn_text_puts(&text, "graph main(%x: float[]) {\n  %d0 = Tanh(%x)\n");
    for (int i = 1; i < 40; i++)
        qn_text_printf(&text, "  %%d%d = " GRADIENT "(%%x, %%x, %%d%d) {xs = [\"x\"], y = \"y\"}\n",
                       i, i - 1);
    qn_text_puts(&text, "  return %d39\n}\n");
    check_refused(t, &text, "its gradients take over 262144 nodes");
}

/* Each of many goes through a long chain, and finds that nothing flows. */
TEST(many_gradients_of_a_long_way_have_a_limit)
{
    QnText text = qn_text(NULL);
    qn_text_puts(&text, "graph main(%x: float[], %z: float[]) {\n  %y0 = Neg(%x)\n");
    for (int i = 1; i < 3000; i++)
        qn_text_printf(&text, "  %%y%d = Neg(%%y%d)\n", i, i - 1);
    for (int i = 0; i < 3000; i++)
        qn_text_printf(&text,
                       "  %%d%d = " GRADIENT "(%%z, %%z, %%y2999) {xs = [\"z\"], y = \"y\"}\n", i);
    qn_text_puts(&text, "  return %d0\n}\n");
    check_refused(t, &text, "on the way of its gradients nodes read over 8388608 values");
}

/* One node only, but its graph is looked through for each. */
TEST(many_gradients_of_a_large_graph_have_a_limit)
{
    QnText text = qn_text(NULL);
    qn_text_puts(&text, "graph main(%c: bool[], %x: float[], %z: float[]) {\n"
                        "  %y = If(%c) {else_branch = graph e() {\n    return %x\n  }, "
                        "then_branch = graph t() {\n    %y0 = Neg(%x)\n");
    for (int i = 1; i < 3000; i++)
        qn_text_printf(&text, "    %%y%d = Neg(%%y%d)\n", i, i - 1);
    qn_text_puts(&text, "    return %y2999\n  }}\n");
    for (int i = 0; i < 3000; i++)
        qn_text_printf(&text, "  %%d%d = " GRADIENT "(%%z, %%z, %%y) {xs = [\"z\"], y = \"y\"}\n",
                       i);
    qn_text_puts(&text, "  return %d0\n}\n");
    check_refused(t, &text, "on the way of its gradients nodes read over 8388608 values");
}

TEST_MAIN(CASE(what_flows_into_y_goes_back_to_the_named_values),
          CASE(what_cannot_be_differentiated_is_said), CASE(gradients_of_gradients_have_a_limit),
          CASE(many_gradients_of_a_long_way_have_a_limit),
          CASE(many_gradients_of_a_large_graph_have_a_limit))
