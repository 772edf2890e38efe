/* SPDX-License-Identifier: Apache-2.0 */
/* engine/formats/onnx/validate_gradient.c: what a Gradient names is what it reads. */
#include "tests/support/onnx_case.h"
#include "tests/support/test.h"

#define GRADIENT "ai.onnx.preview.training.Gradient"

TEST(named_values_become_inputs)
{
    static const char *const rows[][2] = {
        {"%x: float[2], %w: float[2], %h: float[2]) { %y = Mul(%x, %w)\n"
         "%d = " GRADIENT "(%x, %h) {xs = [\"x\"], zs = [\"w\"], y = \"y\"} return %d",
         "%d = " GRADIENT "(%x, %h, %x, %w, %y) {xs = [\"x\"], zs = [\"w\"], y = \"y\"}"},
        {"%x: float[2]) { %y = Exp(%x)\n"
         "%d = " GRADIENT "(%x) {xs = [\"z\"], y = \"y\"} return %d",
         "severe: onnx-gradient model: Gradient node making 'd': attribute 'xs': 'z' is made "
         "nowhere, expected an input, an initializer or a node's output\n"},
        {"%x: float[2]) { %y = Exp(%x)\n"
         "%d = " GRADIENT "(%x) {xs = [\"x\"], zs = [\"w\"], y = \"y\"} return %d",
         "severe: onnx-gradient model: Gradient node making 'd': attribute 'xs': 2 names in it and "
         "zs, for 1 inputs, expected one for each input\n"},
        {"%x: float[2]) { %y = Exp(%x)\n"
         "%d, %e = " GRADIENT "(%x) {xs = [\"x\"], y = \"y\"} return %d",
         "severe: onnx-gradient model: Gradient node making 'd': attribute 'xs': 1 names, for 2 "
         "outputs, expected one for each output\n"},
        {"%x: float[2]) { %y = Exp(%x)\n%d = " GRADIENT "(%x) {xs = [\"x\"]} return %d",
         "severe: onnx-missing-attribute model: Gradient node making 'd': attribute 'y': it is not "
         "there, expected STRING\n"},
        {"%x: float[2]) { %y = Exp(%x)\n"
         "%d = " GRADIENT "(%x) {xs = [\"x\"], y = \"Y\"} return %d",
         "severe: onnx-gradient model: Gradient node making 'd': attribute 'y': 'Y' is made "
         "nowhere, expected an input, an initializer or a node's output\n"},
    };
    OnnxCase c = {0};
    char graph[1024];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(graph, sizeof graph, "graph main(%s }", rows[i][0]);
        const char *got = onnx_case_text(&c, 8, 22, 1, graph);
        EXPECT(t, strstr(got, rows[i][1]), "%s\ngave\n%s\nexpected\n%s", rows[i][0], got,
               rows[i][1]);
    }
    onnx_case_finish(&c);
}

TEST_MAIN(CASE(named_values_become_inputs))
