/* SPDX-License-Identifier: Apache-2.0 */
/* Comparisons, logic, choice, casts and bits. */
#include "tests/support/op.h"

TEST(comparisons_broadcast_and_are_false_for_nan)
{
    static const OpRow rows[] = {
        {"Less", {"float[2,1] = {1, 3}", "float[2] = {2, nan}"}, .want = "bool[2,2] {1, 0, 0, 0}"},
        {"GreaterOrEqual", {"float[2] = {nan, 1}", "float[] = {1}"}, .want = "bool[2] {0, 1}"},
        {"Greater",
         {"uint64[1] = {18446744073709551615}", "uint64[] = {1}"},
         .want = "bool[1] {1}"},
        {"Equal", {"string[2] = {\"a\", \"b\"}", "string[] = {\"b\"}"}, .want = "bool[2] {0, 1}"},
        {"Equal",
         {"int64[1] = {9007199254740993}", "int64[1] = {9007199254740992}"},
         .want = "bool[1] {0}"},
        {"Xor", {"bool[2] = {0, 1}", "bool[2] = {1, 1}"}, .want = "bool[2] {1, 0}"},
        {"Not", {"bool[2] = {0, 1}"}, .want = "bool[2] {1, 0}"},
        {"IsNaN", {"float[2] = {nan, inf}"}, .want = "bool[2] {1, 0}"},
        {"IsInf",
         {"float[3] = {nan, inf, -inf}"},
         "detect_negative = 0",
         .want = "bool[3] {0, 1, 0}"},
        {"Less", {"float[N,1]", "float[3]"}, .want = "bool[N,3]"},
    };
    OP_CHECK(t, rows);
}

TEST(where_takes_any_type)
{
    static const OpRow rows[] = {
        {"Where",
         {"bool[2] = {1, 0}", "string[] = {\"a\"}", "string[1] = {\"b\"}"},
         .want = "string[2] {\"a\", \"b\"}"},
        {"Where",
         {"bool[2,1] = {1, 0}", "int64[2] = {1, 2}", "int64[] = {9}"},
         .want = "int64[2,2] {1, 2, 9, 9}"},
        {"Where",
         {"bool[2]", "float[3]", "float[1]"},
         .want = "error: cannot broadcast 2 against 3"},
    };
    OP_CHECK(t, rows);
}

TEST(casts_cut_wrap_and_read_text)
{
    static const OpRow rows[] = {
        {"Cast",
         {"float[3] = {1.9, -1.9, nan}"},
         "to = 6",
         .want = "int32[3] {1, -1, -2147483648}"},
        {"Cast", {"int64[1] = {257}"}, "to = 2", .want = "uint8[1] {1}"},
        {"Cast", {"float[3] = {-1, 255.5, 1000}"}, "to = 2", .want = "uint8[3] {255, 255, 232}"},
        {"Cast",
         {"float[2] = {nan, -5}"},
         "to = 13",
         .want = "uint64[2] {9223372036854775808, 18446744073709551611}"},
        {"Cast", {"bool[2] = {1, 0}"}, "to = 8", .want = "string[2] {\"1\", \"0\"}"},
        {"Cast",
         {"float[3] = {0, -1, 1e39}"},
         "to = 24",
         .want = "float8e8m0[3] {5.87747e-39, 5.87747e-39, 1.70141e+38}"},
        {"Cast",
         {"float[3] = {0, 1.5, 3}"},
         "to = 24, saturate = 0, round_mode = \"down\"",
         .want = "float8e8m0[3] {nan, 1, 2}"},
        {"Cast", {"float[2] = {nan, 0}"}, "to = 9", .want = "bool[2] {1, 0}"},
        {"Cast", {"float[2] = {0.1, 1e20}"}, "to = 8", .want = "string[2] {\"0.1\", \"1e+20\"}"},
        {"Cast",
         {"string[3] = {\"1e3\", \" -INF\", \"nan\"}"},
         "to = 1",
         .want = "float[3] {1000, -inf, nan}"},
        {"Cast", {"string[1] = {\"x\"}"}, "to = 7", .want = "error: 'x' is no int64"},
        {"Cast", {"float[1] = {1000}"}, "to = 17", .want = "float8e4m3fn[1] {448}"},
        {"Cast", {"float[1] = {1000}"}, "to = 17, saturate = 0", .want = "float8e4m3fn[1] {nan}"},
        {"Cast",
         {"uint64[1] = {18446744073709551615}"},
         "to = 1",
         .want = "float[1] {1.84467e+19}"},
        {"CastLike", {"int32[1] = {3}", "double[0] = {}"}, .want = "double[1] {3}"},
        {"BitCast", {"float[1] = {1}"}, "to = 6", .want = "int32[1] {1065353216}"},
        {"BitCast",
         {"float[N]"},
         "to = 7",
         .want = "error: cannot see float as int64: they have 32 and 64 bits"},
        {"Cast",
         {"float[N]"},
         "to = 99",
         .want = "error: the type to cast to is 0, expected one of ONNX's element types"},
    };
    OP_CHECK(t, rows);
}

TEST(bits_shift_and_combine)
{
    static const OpRow rows[] = {
        {"BitShift",
         {"uint8[2] = {255, 1}", "uint8[2] = {1, 9}"},
         "direction = \"LEFT\"",
         .want = "uint8[2] {254, 0}"},
        {"BitShift",
         {"int8[4] = {-128, -1, 100, 1}", "int8[4] = {2, -1, 8, 7}"},
         "direction = \"RIGHT\"",
         .want = "int8[4] {-32, -1, 0, 0}"},
        {"BitShift",
         {"int8[3] = {100, 1, 1}", "int8[3] = {1, 7, -1}"},
         "direction = \"LEFT\"",
         .want = "int8[3] {-56, -128, 0}"},
        {"BitShift",
         {"uint64[1] = {18446744073709551615}", "uint64[1] = {63}"},
         "direction = \"RIGHT\"",
         .want = "uint64[1] {1}"},
        {"BitwiseAnd", {"int8[1] = {-2}", "int8[1] = {7}"}, .want = "int8[1] {6}"},
        {"BitwiseNot", {"uint8[1] = {1}"}, .want = "uint8[1] {254}"},
        {"BitShift",
         {"uint8[1]", "uint8[1]"},
         "direction = \"UP\"",
         .want = "error: direction is 'UP', expected LEFT or RIGHT"},
    };
    OP_CHECK(t, rows);
}

TEST_MAIN(CASE(comparisons_broadcast_and_are_false_for_nan), CASE(where_takes_any_type),
          CASE(casts_cut_wrap_and_read_text), CASE(bits_shift_and_combine))
