/* SPDX-License-Identifier: Apache-2.0 */
/* Gathers and scatters: small cases worked by hand, both index sizes,
 * and every way to be out of range. */
#include <math.h>

#include "engine/devices/cpu/kernels/gather.h"
#include "tests/support/guard.h"
#include "tests/support/test.h"

static void *guarded(Guard *guard, const void *data, size_t size)
{
    return memcpy(guard_end(guard, size), data, size);
}

TEST(slices_are_gathered_by_either_kind_of_index)
{
    static const int16_t x[2][3][2] = {{{0, 1}, {2, 3}, {4, 5}}, {{6, 7}, {8, 9}, {10, 11}}};
    static const int16_t want[2][4][2] = {{{4, 5}, {0, 1}, {4, 5}, {2, 3}},
                                          {{10, 11}, {6, 7}, {10, 11}, {8, 9}}};
    static const int64_t wide[] = {2, 0, -1, -2};
    static const int32_t narrow[] = {2, 0, -1, -2};
    for (int size = 4; size <= 8; size += 4) {
        Guard guards[3];
        const QnIndices indices = {
            guarded(&guards[0], size == 8 ? (const void *)wide : narrow, (size_t)size * 4), 4,
            size};
        const void *from = guarded(&guards[1], x, sizeof x);
        void *y = guard_end(&guards[2], sizeof want);
        EXPECT(t, qn_gather(&indices, 3, 4, from, y, 3, 8) == QN_INDICES_VALID, "refused");
        EXPECT(t, qn_gather(&indices, 3, 4, from, y, 0, 3) == QN_INDICES_VALID, "refused");
        EXPECT(t, !memcmp(y, want, sizeof want), "index size %d", size);
        for (int i = 0; i < 3; i++)
            guard_free(&guards[i]);
    }
}

TEST(indices_out_of_range_are_named_and_not_followed)
{
    static const int64_t rows[][3] = {{0, 3, 0}, {0, -4, 0}, {0, INT64_MAX, 0}, {0, INT64_MIN, 0}};
    static const float x[3] = {1, 2, 3};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const QnIndices indices = {rows[i], 3, 8};
        const QnElements elements = {1, 0, {3}, {3}};
        const QnSlices slices = {1, {3}, 1, 3, 1};
        float y[3] = {0};
        EXPECT(t, qn_gather(&indices, 3, 4, x, y, 0, 3) == 1, "gather row %zu", i);
        EXPECT(t, qn_gather_elements(&elements, &indices, 4, x, y, 0, 3) == 1, "elements row %zu",
               i);
        EXPECT(t,
               qn_scatter_elements(&elements, &indices, QN_SCATTER_ADD, QN_FAMILY_F32, x, y) == 1,
               "scatter row %zu", i);
        EXPECT(t, qn_gather_nd(&slices, &indices, 4, x, y, 0, 3) == 1, "nd row %zu", i);
        EXPECT(t, qn_scatter_nd(&slices, &indices, QN_SCATTER_SET, QN_FAMILY_F32, x, y) == 1,
               "scatter nd row %zu", i);
    }
    const int64_t any[] = {0};
    const QnIndices one = {any, 1, 8};
    EXPECT(t, qn_gather(&one, 0, 4, NULL, NULL, 0, 1) == 0, "an axis of no elements has no index");
}

TEST(elements_are_gathered_and_scattered_along_an_axis)
{
    static const float x[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    static const int64_t index[] = {1, 2, 0, 2, 0, -3};
    const QnElements elements = {2, 0, {3, 3}, {2, 3}};
    const QnIndices indices = {index, 6, 8};
    static const float gathered[] = {4, 8, 3, 7, 2, 3}, updates[] = {10, 20, 30, 40, 50, 60};
    float y[9];
    EXPECT(t, qn_gather_elements(&elements, &indices, 4, x, y, 0, 6) == QN_INDICES_VALID,
           "refused");
    EXPECT(t, !memcmp(y, gathered, sizeof gathered), "gathered %g %g %g", (double)y[0],
           (double)y[1], (double)y[2]);
    static const struct {
        QnScatterOp op;
        float want[9];
    } rows[] = {
        {QN_SCATTER_SET, {1, 50, 60, 10, 5, 6, 40, 20, 9}},
        {QN_SCATTER_ADD, {1, 52, 93, 14, 5, 6, 47, 28, 9}},
        {QN_SCATTER_MUL, {1, 100, 5400, 40, 5, 6, 280, 160, 9}},
        {QN_SCATTER_MAX, {1, 50, 60, 10, 5, 6, 40, 20, 9}},
        {QN_SCATTER_MIN, {1, 2, 3, 4, 5, 6, 7, 8, 9}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        memcpy(y, x, sizeof y);
        qn_scatter_elements(&elements, &indices, rows[i].op, QN_FAMILY_F32, updates, y);
        EXPECT(t, !memcmp(y, rows[i].want, sizeof y), "operation %d", (int)rows[i].op);
    }
}

TEST(rows_of_indices_name_slices)
{
    static const int32_t x[2][2][2] = {{{0, 1}, {2, 3}}, {{4, 5}, {6, 7}}};
    static const int64_t whole[] = {0, 1, 1, 0}, batched[] = {1, 0};
    const QnIndices two = {whole, 4, 8}, one = {batched, 2, 8};
    int32_t y[4];
    const QnSlices slices = {2, {2, 2}, 1, 2, 2}, batches = {1, {2}, 2, 1, 2};
    EXPECT(t, qn_gather_nd(&slices, &two, 4, x, y, 0, 2) == QN_INDICES_VALID, "refused");
    EXPECT(t, y[0] == 2 && y[1] == 3 && y[2] == 4 && y[3] == 5, "%d %d %d %d", y[0], y[1], y[2],
           y[3]);
    EXPECT(t, qn_gather_nd(&batches, &one, 4, x, y, 0, 2) == QN_INDICES_VALID, "refused");
    EXPECT(t, y[0] == 2 && y[1] == 3 && y[2] == 4 && y[3] == 5, "%d %d %d %d", y[0], y[1], y[2],
           y[3]);
    int32_t z[8] = {0};
    static const int64_t same[] = {1, 1};
    const QnIndices twice = {same, 2, 8};
    const QnSlices lines = {1, {4}, 1, 2, 2};
    static const int32_t updates[] = {1, INT32_MAX, 2, 1};
    qn_scatter_nd(&lines, &twice, QN_SCATTER_ADD, QN_FAMILY_I32, updates, z);
    EXPECT(t, z[2] == 3 && z[3] == INT32_MIN && z[0] == 0, "%d %d", z[2], z[3]);
}

TEST_MAIN(CASE(slices_are_gathered_by_either_kind_of_index),
          CASE(indices_out_of_range_are_named_and_not_followed),
          CASE(elements_are_gathered_and_scattered_along_an_axis),
          CASE(rows_of_indices_name_slices))
