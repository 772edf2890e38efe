/* SPDX-License-Identifier: Apache-2.0 */
/* Products: which steps are made, and what they compute. */
#include "tests/support/lowering.h"

TEST(gemm_adds_a_computed_c_of_any_shape)
{
    static const char *const shapes[] = {"5,6", "6", "5,1", "1,6", ""};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        char text[512];
        snprintf(text, sizeof text,
                 "graph main(%%a: float[4,5], %%b: float[6,4], %%c: float[%s]) {\n"
                 "  %%g = Gemm(%%a, %%b, %%c) {transA = 1, transB = 1, alpha = 0.5, beta = 2.0}\n"
                 "  %%y = Relu(%%g)\n"
                 "  return %%y\n}",
                 shapes[i]);
        EXPECT_LOWERS(t, "gemm_f32 pointwise", text);
    }
}

TEST(halves_are_converted_on_the_way)
{
    EXPECT_LOWERS_HALF(t, "gemm_f32 pointwise",
                       "graph main(%a: float16[2,3,4], %b: float16[2,4,5], %r: float16[2,3,5]) {\n"
                       "  %p = MatMul(%a, %b)\n"
                       "  %y = Relu(%p)\n"
                       "  return %y\n}");
    EXPECT_LOWERS_HALF(
        t, "gemm_f32",
        "graph main(%a: bfloat16[3,2], %r: bfloat16[3,3]) {\n"
        "  const %b: bfloat16[3,2] = {0x3f80, 0x4000, 0x4040, 0x3f00, 0xbf80, 0x3e80}\n"
        "  %p = Gemm(%a, %b) {transB = 1}\n"
        "  %y = Add(%p, %r)\n"
        "  return %y\n}");
}

TEST_MAIN(CASE(gemm_adds_a_computed_c_of_any_shape), CASE(halves_are_converted_on_the_way))
