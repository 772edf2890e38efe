/* SPDX-License-Identifier: Apache-2.0 */
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

TEST_MAIN(CASE(gemm_adds_a_computed_c_of_any_shape))
