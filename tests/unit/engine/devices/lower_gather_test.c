/* SPDX-License-Identifier: Apache-2.0 */
/* Which steps the processor offers for gathers and scatters, and what they compute. */
#include "tests/support/lowering.h"

TEST(slices_elements_and_tuples_are_picked)
{
    EXPECT_LOWERS_EXACTLY(t, "Gather",
                          "graph main(%x: float16[2,4,3], %i: int32[2,2]) {\n"
                          "  %y = Gather(%x, %i) {axis = 1}\n"
                          "  return %y\n}");
    EXPECT_LOWERS_EXACTLY(t, "GatherElements",
                          "graph main(%x: int64[4,5], %i: int64[3,2]) {\n"
                          "  %y = GatherElements(%x, %i)\n"
                          "  return %y\n}");
    EXPECT_LOWERS_EXACTLY(t, "GatherND",
                          "graph main(%x: bool[2,4,4,3], %i: int64[2,5,2]) {\n"
                          "  %y = GatherND(%x, %i) {batch_dims = 1}\n"
                          "  return %y\n}");
}

TEST(updates_are_put_in_their_order)
{
    EXPECT_LOWERS_EXACTLY(t, "ScatterElements",
                          "graph main(%x: bfloat16[4,5], %i: int64[3,2], %u: bfloat16[3,2]) {\n"
                          "  %y = ScatterElements(%x, %i, %u)\n"
                          "  return %y\n}");
    EXPECT_LOWERS_HALF(t, "ScatterElements",
                       "graph main(%x: float16[4,5], %i: int32[3,2], %u: float16[3,2]) {\n"
                       "  %y = ScatterElements(%x, %i, %u) {reduction = \"add\", axis = 1}\n"
                       "  return %y\n}");
    EXPECT_LOWERS_EXACTLY(t, "pointwise ScatterND",
                          "graph main(%x: int32[4,4,3], %i: int64[5,2], %u: int32[5,3]) {\n"
                          "  %n = Neg(%x)\n"
                          "  %y = ScatterND(%n, %i, %u) {reduction = \"max\"}\n"
                          "  return %y\n}");
}

TEST(indices_out_of_range_are_named)
{
    Lowering l = {0};
    const QnStatus made = lowering_create(&l,
                                          "graph main(%x: float[3], %i: int64[2]) {\n"
                                          "  %y = Gather(%x, %i)\n  return %y\n}",
                                          false);
    REQUIRE(t, made == QN_OK, "%s", l.err.message);
    float x[3] = {1, 2, 3};
    int64_t indices[2] = {-3, 3}, dims[2] = {3, 2};
    const QnValue inputs[2] = {qn_value_tensor(qn_tensor(QN_FLOAT, 1, dims, x)),
                               qn_value_tensor(qn_tensor(QN_INT64, 1, dims + 1, indices))};
    EXPECT(t, lowering_run(&l, inputs) == QN_BAD_TENSOR, "passed");
    EXPECT(t,
           !strcmp(l.err.message, "Gather node making 'y' (Gather): index 3, at position 1, is out "
                                  "of range"),
           "%s", l.err.message);
    lowering_destroy(&l);
}

TEST_MAIN(CASE(slices_elements_and_tuples_are_picked), CASE(updates_are_put_in_their_order),
          CASE(indices_out_of_range_are_named))
