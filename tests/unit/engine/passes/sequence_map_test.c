/* SPDX-License-Identifier: Apache-2.0 */
/* engine/passes/sequence_map.c: the loop that a SequenceMap stands for. */
#include "tests/support/pass.h"

/* clang-format off */
static const PassRow rows[] = {
    {"one list in, one out",
         "graph main(%x: float[2], %z: float[2]) {\n"
         "  %s: sequence(float[2]) = SequenceConstruct(%x, %z)\n"
         "  %y: sequence(float[2]) = SequenceMap(%s) {body = graph body(%e: float[2]) {\n"
         "    %n: float[2] = Neg(%e)\n"
         "    return %n\n"
         "  }}\n"
         "  const %i: int64[] = {1}\n"
         "  %r: float[2] = SequenceAt(%y, %i)\n"
         "  return %r\n"
         "}\n",
         "graph main(%x: float[2], %z: float[2]) {\n"
         "  const %i: int64[] = {1}\n"
         "  %s: sequence(float[2]) = SequenceConstruct(%x, %z)\n"
         "  %8: int64[] = SequenceLength(%s)\n"
         "  %14: sequence(float[?]) = SequenceEmpty() {dtype = 1}\n"
         "  %16: sequence(float[?]) = Loop(%8, _, %14) {body = graph body(%9: int64[], %10: bool[], %13: sequence(float[?])) {\n"
         "    %11: float[2] = SequenceAt(%s, %9)\n"
         "    %12: float[2] = Neg(%11)\n"
         "    %15: sequence(float[?]) = SequenceInsert(%13, %12)\n"
         "    return %10, %15\n"
         "  }}\n"
         "  %r: float[?] = SequenceAt(%16, %i)\n"
         "  return %r\n"
         "}\n"},
    {"tensors beside the list are the same for all items",
         "graph main(%x: float[2], %z: float[2]) {\n"
         "  %s: sequence(float[2]) = SequenceConstruct(%x, %x)\n"
         "  %y: sequence(float[2]), %d: sequence(float[2]) = SequenceMap(%s, %z) {body = graph body(%e: float[2], %w: float[2]) {\n"
         "    %n: float[2] = Sub(%e, %w)\n"
         "    return %n, %w\n"
         "  }}\n"
         "  %r: int64[] = SequenceLength(%d)\n"
         "  return %r\n"
         "}\n",
         "graph main(%x: float[2], %z: float[2]) {\n"
         "  %s: sequence(float[2]) = SequenceConstruct(%x, %x)\n"
         "  %9: int64[] = SequenceLength(%s)\n"
         "  %15: sequence(float[?]) = SequenceEmpty() {dtype = 1}\n"
         "  %18: sequence(float[?]) = SequenceEmpty() {dtype = 1}\n"
         "  %20: sequence(float[?]), %21: sequence(float[?]) = Loop(%9, _, %15, %18) {body = graph body(%10: int64[], %11: bool[], %14: sequence(float[?]), %17: sequence(float[?])) {\n"
         "    %12: float[2] = SequenceAt(%s, %10)\n"
         "    %13: float[2] = Sub(%12, %z)\n"
         "    %16: sequence(float[?]) = SequenceInsert(%14, %13)\n"
         "    %19: sequence(float[?]) = SequenceInsert(%17, %z)\n"
         "    return %11, %16, %19\n"
         "  }}\n"
         "  %r: int64[] = SequenceLength(%21)\n"
         "  return %r\n"
         "}\n"},
    {"a Loop stays",
         "graph main(%x: float[2], %m: int64[]) {\n"
         "  %y: float[2] = Loop(%m, _, %x) {body = graph body(%i: int64[], %c: bool[], %s: float[2]) {\n"
         "    %n: float[2] = Neg(%s)\n"
         "    return %c, %n\n"
         "  }}\n"
         "  return %y\n"
         "}\n",
     NULL},
};
/* clang-format on */

TEST(maps_become_loops)
{
    EXPECT_PASS(t, &qn_pass_sequence_map, rows);
}

TEST_MAIN(CASE(maps_become_loops))
