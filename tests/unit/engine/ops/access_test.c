/* SPDX-License-Identifier: Apache-2.0 */
/* Elements of any type as numbers. */
#include <math.h>

#include "engine/ops/op.h"
#include "tests/support/test.h"

/* What is written as a double and read back, in one element of each type. */
TEST(numbers_are_rounded_and_cut_as_the_header_says)
{
    static const struct {
        QnType type;
        double value, want;
    } rows[] = {
        {QN_FLOAT, 0.1, (double)0.1f},
        {QN_DOUBLE, 0.1, 0.1},
        {QN_INT8, -1.9, -1},
        {QN_INT8, 129, -127}, /* the low bits */
        {QN_UINT8, -1, 255},
        {QN_INT16, 32768, -32768},
        {QN_UINT16, 65537, 1},
        {QN_INT32, 4294967297.0, -2147483648.0},
        {QN_INT8, 4294967297.0, 0}, /* of the least int32 */
        {QN_UINT32, -1, 4294967295.0},
        {QN_INT64, 1e30, -9223372036854775808.0},
        {QN_INT64, -INFINITY, -9223372036854775808.0},
        {QN_INT64, NAN, -9223372036854775808.0},
        {QN_UINT64, 1e30, 0},
        {QN_UINT64, 9223372036854775808.0, 9223372036854775808.0},
        {QN_BOOL, 0.5, 1},
        {QN_BOOL, -0.0, 0},
        {QN_INT4, -8, -8},
        {QN_INT4, 9, -7},
        {QN_UINT4, -1, 15},
        {QN_INT2, 2, -2},
        {QN_UINT2, 7, 3},
        {QN_FLOAT16, 1e6, INFINITY},
        {QN_FLOAT8E4M3FN, 1e6, 448},
        {QN_COMPLEX64, 1.5, 1.5},
        {QN_COMPLEX128, -0.1, -0.1},
        {QN_STRING, 1, 0}, /* no number */
    };
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++) {
        QN_ALIGNED(16) uint8_t data[64] = {0};
        QnTensor x = qn_tensor(rows[i].type, 1, (int64_t[]){2}, data);
        qn_tensor_set(&x, 1, rows[i].value);
        const double got = qn_tensor_get(&x, 1);
        EXPECT(t, got == rows[i].want, "%s: %g came back as %g", qn_type_name(rows[i].type),
               rows[i].value, got);
        EXPECT(t, qn_tensor_get(&x, 0) == 0, "%s: the neighbour changed",
               qn_type_name(rows[i].type));
    }
}

TEST(integers_keep_all_their_bits)
{
    static const struct {
        QnType type;
        int64_t value, want;
    } rows[] = {
        {QN_INT64, INT64_MAX, INT64_MAX},
        {QN_UINT64, -1, -1},
        {QN_INT32, INT64_MIN, 0},
        {QN_INT4, -9, 7},
        {QN_INT2, -1, -1},
        {QN_DOUBLE, 1 << 20, 1 << 20},
        {QN_FLOAT, 16777217, 16777216},
        {QN_BOOL, 2, 1},
        {QN_COMPLEX128, 5, 5},
        {QN_FLOAT16, 2049, 2048},
        {QN_STRING, 3, 0},
    };
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++) {
        QN_ALIGNED(16) uint8_t data[64] = {0};
        QnTensor x = qn_tensor(rows[i].type, 1, (int64_t[]){2}, data);
        qn_tensor_set_int(&x, 1, rows[i].value);
        const int64_t got = qn_tensor_get_int(&x, 1);
        EXPECT(t, got == rows[i].want, "%s: %lld came back as %lld", qn_type_name(rows[i].type),
               (long long)rows[i].value, (long long)got);
    }
}

/* A constant lies in its file as it happens to. */
TEST(reading_needs_no_alignment)
{
    static const QnType types[] = {QN_FLOAT, QN_DOUBLE,  QN_INT64,
                                   QN_INT16, QN_FLOAT16, QN_COMPLEX128};
    for (size_t i = 0; i < QN_COUNT_OF(types); i++) {
        QN_ALIGNED(16) uint8_t aligned[64] = {0}, data[65];
        QnTensor x = qn_tensor(types[i], 1, (int64_t[]){3}, aligned);
        qn_tensor_set(&x, 2, -7);
        memcpy(data + 1, aligned, sizeof aligned);
        x.data = data + 1;
        EXPECT(t, qn_tensor_get(&x, 2) == -7 && qn_tensor_get_int(&x, 2) == -7, "%s",
               qn_type_name(types[i]));
    }
}

TEST_MAIN(CASE(numbers_are_rounded_and_cut_as_the_header_says), CASE(integers_keep_all_their_bits),
          CASE(reading_needs_no_alignment))
