/* SPDX-License-Identifier: Apache-2.0 */
/* Products of bytes: which steps are made, and that they give the references' bits. */
#include "tests/support/lowering.h"

TEST(dynamic_quantization_is_one_product)
{
    EXPECT_LOWERS_EXACTLY(
        t, "byte_grid pointwise gemm_i8",
        "graph main(%x: float[2,3,5], %s: float[3]) {\n"
        "  const %w: int8[5,3] = {3, -1, 2, 7, 4, -8, 1, 0, 5, -6, 2, 9, -3, 1, 4}\n"
        "  const %b: float[3] = {0.5, 1, -2}\n"
        "  %a, %a_scale, %a_zero = DynamicQuantizeLinear(%x)\n"
        "  %sum = MatMulInteger(%a, %w, %a_zero)\n"
        "  %real = Cast(%sum) {to = 1}\n"
        "  %scale = Mul(%a_scale, %s)\n"
        "  %scaled = Mul(%real, %scale)\n"
        "  %y = Add(%scaled, %b)\n"
        "  return %y\n}");
}

TEST(what_is_no_scale_of_columns_stays_a_step_of_its_own)
{
    EXPECT_LOWERS_EXACTLY(t, "gemm_i8 pointwise",
                          "graph main(%a: uint8[3,5], %w: int8[5,7], %s: float[3,1]) {\n"
                          "  %sum = MatMulInteger(%a, %w)\n"
                          "  %real = Cast(%sum) {to = 1}\n"
                          "  %y = Mul(%real, %s)\n"
                          "  return %y\n}");
    EXPECT_LOWERS_EXACTLY(t, "gemm_i8 pointwise",
                          "graph main(%a: uint8[3,5], %w: int8[5,7], %s: float[7]) {\n"
                          "  %sum = MatMulInteger(%a, %w)\n"
                          "  %real = Cast(%sum) {to = 1}\n"
                          "  %y = Mul(%real, %s)\n"
                          "  return %y, %sum\n}");
}

TEST(batches_of_computed_matrices_are_packed_at_every_run)
{
    EXPECT_LOWERS_EXACTLY(t, "gemm_i8",
                          "graph main(%a: int8[2,1,3,5], %b: uint8[4,5,7], %z: uint8[7]) {\n"
                          "  %y = MatMulInteger(%a, %b, _, %z)\n"
                          "  return %y\n}");
    EXPECT_LOWERS_EXACTLY(t, "gemm_i8",
                          "graph main(%a: int8[N,5], %b: uint8[5]) {\n"
                          "  %y = MatMulInteger(%a, %b)\n"
                          "  return %y\n}");
}

TEST(zero_points_of_rows_and_batches_are_the_reference_s)
{
    EXPECT_LOWERS_EXACTLY(t, "reference",
                          "graph main(%a: uint8[3,5], %b: uint8[5,7], %z: uint8[3]) {\n"
                          "  %y = MatMulInteger(%a, %b, %z)\n"
                          "  return %y\n}");
    EXPECT_LOWERS_EXACTLY(t, "reference",
                          "graph main(%a: uint8[2,3,5], %b: uint8[2,5,7], %z: uint8[2,1,7]) {\n"
                          "  %y = MatMulInteger(%a, %b, _, %z)\n"
                          "  return %y\n}");
}

TEST(sums_of_qgemm_may_be_of_any_shape)
{
    static const char *const shapes[] = {"5,7", "7", "5,1", "1,7", ""};
    for (size_t i = 0; i < QN_COUNT_OF(shapes); i++) {
        char text[512];
        snprintf(text, sizeof text,
                 "graph main(%%a: uint8[4,5], %%b: int8[7,4], %%c: int32[%s]) {\n"
                 "  const %%s: float[] = {0.5}\n"
                 "  const %%z: uint8[] = {1}\n"
                 "  const %%w: int8[] = {-2}\n"
                 "  %%y = ms.QGemm(%%a, %%s, %%z, %%b, %%s, %%w, %%c, %%s, %%z) {transA = 1, "
                 "transB = 1, alpha = 0.25}\n"
                 "  return %%y\n}",
                 shapes[i]);
        EXPECT_LOWERS_EXACTLY(t, "gemm_i8", text);
    }
}

TEST_MAIN(CASE(dynamic_quantization_is_one_product),
          CASE(what_is_no_scale_of_columns_stays_a_step_of_its_own),
          CASE(batches_of_computed_matrices_are_packed_at_every_run),
          CASE(zero_points_of_rows_and_batches_are_the_reference_s),
          CASE(sums_of_qgemm_may_be_of_any_shape))
