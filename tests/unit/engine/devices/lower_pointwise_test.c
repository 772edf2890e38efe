/* SPDX-License-Identifier: Apache-2.0 */
/* Elementwise operators as programs: which constants become part of one, and what stays apart. */
#include "tests/support/engine.h"

TEST(constants_keep_all_their_bits)
{
    static const RunRow rows[] = {
        {"graph main(%x: int64[2]) {\n"
         "const %c: int64[] = {9007199254740993}\n%y = Add(%x, %c)\nreturn %y\n}",
         {"int64[2] = {0, 1}"},
         "int64[2] {9007199254740993, 9007199254740994}"},
        {"graph main(%x: uint64[2]) {\n"
         "const %c: uint64[] = {18446744073709551615}\n%y = Min(%x, %c)\nreturn %y\n}",
         {"uint64[2] = {3, 18446744073709551614}"},
         "uint64[2] {3, 18446744073709551614}"},
        {"graph main(%x: int64[2]) {\nconst %c: int64[] = {3}\n%y = Mul(%x, %c)\nreturn %y\n}",
         {"int64[2] = {5, -7}"},
         "int64[2] {15, -21}"},
    };
    RUN_CHECK(t, rows);
}

TEST(attributes_that_are_no_whole_numbers_do_not_become_integers)
{
    static const RunRow rows[] = {
        {"graph main(%x: int8[4]) {\n%y = Shrink(%x) {lambd = 1.5, bias = 0.5}\nreturn %y\n}",
         {"int8[4] = {-3, 1, 2, 9}"},
         "int8[4] {-2, 0, 1, 8}"},
        {"graph main(%x: int8[3]) {\n%y = Shrink(%x) {lambd = 300.0}\nreturn %y\n}",
         {"int8[3] = {-128, 1, 127}"},
         "int8[3] {0, 0, 0}"},
    };
    RUN_CHECK(t, rows);
}

TEST_MAIN(CASE(constants_keep_all_their_bits),
          CASE(attributes_that_are_no_whole_numbers_do_not_become_integers))
