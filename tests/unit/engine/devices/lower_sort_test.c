/* SPDX-License-Identifier: Apache-2.0 */
/* TopK and running sums: which steps are made, and what they compute. */
#include "tests/support/lowering.h"

TEST(the_best_of_every_line)
{
    EXPECT_LOWERS_EXACTLY(t, "TopK",
                          "graph main(%x: float16[3,9,2]) {\n"
                          "  const %k: int64[1] = {4}\n"
                          "  %y, %i = TopK(%x, %k) {axis = 1, largest = 0}\n"
                          "  return %y, %i\n}");
    EXPECT_LOWERS_EXACTLY(t, "TopK",
                          "graph main(%x: int64[3,9], %n: int64[1]) {\n"
                          "  %y, %i = TopK(%x, %n)\n"
                          "  return %y, %i\n}");
}

TEST(running_sums_and_products)
{
    EXPECT_LOWERS(t, "CumSum",
                  "graph main(%x: float[3,5], %a: int64[]) {\n"
                  "  const %z: int32[] = {1}\n"
                  "  %y = CumSum(%x, %z) {exclusive = 1, reverse = 1}\n"
                  "  return %y\n}");
}

TEST_MAIN(CASE(the_best_of_every_line), CASE(running_sums_and_products))
