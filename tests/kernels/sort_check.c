/* SPDX-License-Identifier: Apache-2.0 */
/* Top-k, running sums and suppression of boxes:
 * small cases worked by hand, and top-k against a plain sort. */
#include <math.h>

#include "engine/devices/cpu/kernels/convert.h"
#include "engine/devices/cpu/kernels/cumsum.h"
#include "engine/devices/cpu/kernels/nms.h"
#include "engine/devices/cpu/kernels/sort.h"
#include "tests/support/guard.h"
#include "tests/support/samples.h"
#include "tests/support/test.h"

/* Is element a of the line better than b, by the contract's words? */
static bool is_better(const float *x, int64_t stride, int64_t a, int64_t b, bool takes_smallest)
{
    const float v = x[a * stride], w = x[b * stride];
    if (v == w || (v != v && w != w))
        return a < b;
    const bool is_larger = v != v || v > w;
    return is_larger != takes_smallest;
}

TEST(the_best_come_first_and_lower_indices_before_equals)
{
    Samples s = {12};
    for (int round = 0; round < 300; round++) {
        const int64_t length = sample_below(&s, 40), inner = 1 + sample_below(&s, 4),
                      k = length ? sample_below(&s, length + 1) : 0;
        const QnTopK topk = {QN_FAMILY_F32, 2, length, inner, k, round % 2};
        Guard guards[4];
        float *x = guard_end(&guards[0], (size_t)(2 * length * inner) * 4),
              *y = guard_end(&guards[1], (size_t)(2 * k * inner) * 4);
        int64_t *indices = guard_end(&guards[2], (size_t)(2 * k * inner) * 8);
        void *scratch = guard_end(&guards[3], (size_t)qn_topk_scratch(&topk));
        for (int64_t i = 0; i < 2 * length * inner; i++)
            x[i] = sample_below(&s, 12) ? (float)sample_below(&s, 9) - 4 : NAN;
        qn_topk_run(&topk, x, y, indices, scratch, 0, 2 * inner);
        for (int64_t line = 0; line < 2 * inner; line++) {
            const float *from = x + line / inner * length * inner + line % inner;
            for (int64_t i = 0; i < k; i++) {
                const int64_t at = (line / inner * k + i) * inner + line % inner;
                int64_t better = 0;
                for (int64_t other = 0; other < length; other++)
                    better += other != indices[at] &&
                              is_better(from, inner, other, indices[at], topk.takes_smallest);
                EXPECT(t, better == i, "place %d has %d better ones", (int)i, (int)better);
                EXPECT(t, !memcmp(&y[at], &from[indices[at] * inner], 4), "value of place %d",
                       (int)i);
            }
        }
        for (int i = 0; i < 4; i++)
            guard_free(&guards[i]);
    }
}

TEST(integers_keep_their_order_to_the_ends)
{
    const int64_t x[] = {0, INT64_MIN, INT64_MAX, -1, 1};
    const uint8_t bytes[] = {3, 255, 0, 128};
    int64_t y[5], indices[5], scratch[16];
    uint8_t small[4];
    const QnTopK wide = {QN_FAMILY_I64, 1, 5, 1, 5, false},
                 narrow = {QN_FAMILY_U8, 1, 4, 1, 4, true};
    qn_topk_run(&wide, x, y, indices, scratch, 0, 1);
    EXPECT(t, y[0] == INT64_MAX && y[1] == 1 && y[2] == 0 && y[3] == -1 && y[4] == INT64_MIN,
           "%lld first", (long long)y[0]);
    qn_topk_run(&narrow, bytes, small, indices, scratch, 0, 1);
    EXPECT(t, small[0] == 0 && small[1] == 3 && small[2] == 128 && small[3] == 255, "%d first",
           small[0]);
}

enum { LINE = 24 };

/* A line of small whole numbers in a family's type, and as doubles. */
static void make_line(Samples *s, QnFamily family, double *numbers, void *x)
{
    for (int i = 0; i < LINE; i++)
        numbers[i] = (double)sample_below(s, 5);
    qn_convert_row(qn_family_type(family), x, QN_DOUBLE, numbers, LINE);
}

TEST(every_family_is_sorted_and_summed)
{
    Samples s = {3};
    for (QnFamily family = 0; family < QN_FAMILY_COUNT; family++) {
        double numbers[LINE], got[LINE], sum = 0;
        int64_t x[LINE], y[LINE], indices[LINE], scratch[2 * LINE];
        make_line(&s, family, numbers, x);
        const QnTopK topk = {family, 1, LINE, 1, LINE, false};
        qn_topk_run(&topk, x, y, indices, scratch, 0, 1);
        qn_convert_row(QN_DOUBLE, got, qn_family_type(family), y, LINE);
        for (int i = 0; i < LINE; i++)
            EXPECT(t, got[i] == numbers[indices[i]] && (i == 0 || got[i] <= got[i - 1]),
                   "family %d: %g at %d", family, got[i], i);
        const QnCumSum cumsum = {.family = family, .outer = 1, .length = LINE, .inner = 1};
        qn_cumsum_run(&cumsum, x, x, 0, 1);
        qn_convert_row(QN_DOUBLE, got, qn_family_type(family), x, LINE);
        for (int i = 0; i < LINE; i++) {
            sum += numbers[i];
            EXPECT(t, got[i] == sum, "family %d: %g, not %g", family, got[i], sum);
        }
    }
}

TEST(sums_run_either_way_with_or_without_the_element)
{
    static const struct {
        bool is_product, is_exclusive, is_reversed;
        int32_t want[4];
    } rows[] = {
        {false, false, false, {1, 3, 6, 10}}, {false, true, false, {0, 1, 3, 6}},
        {false, false, true, {10, 9, 7, 4}},  {false, true, true, {9, 7, 4, 0}},
        {true, false, false, {1, 2, 6, 24}},  {true, true, true, {24, 12, 4, 1}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int32_t x[] = {1, 2, 3, 4};
        const QnCumSum c = {QN_FAMILY_I32,      1, 4, 1, rows[i].is_product, rows[i].is_exclusive,
                            rows[i].is_reversed};
        qn_cumsum_run(&c, x, x, 0, 1);
        EXPECT(t, !memcmp(x, rows[i].want, sizeof x), "row %zu: %d %d %d %d", i, x[0], x[1], x[2],
               x[3]);
    }
    const float columns[] = {1, 10, 2, 20, 3, 30};
    float y[6];
    const QnCumSum c = {.family = QN_FAMILY_F32, .outer = 1, .length = 3, .inner = 2};
    qn_cumsum_run(&c, columns, y, 0, 1);
    EXPECT(t, y[4] == 6 && y[5] == 60 && y[3] == 30, "%g %g", (double)y[4], (double)y[5]);
}

TEST(boxes_that_overlap_a_better_one_go)
{
    /* Three pairs of near equals; corners may come in any order. */
    static const float boxes[] = {0, 0,  1, 1,  0, 0.1f,  1, 1.1f,  0, -0.1f, 1, 0.9f,
                                  0, 10, 1, 11, 1, 11.1f, 0, 10.1f, 0, 100,   1, 101};
    static const float scores[] = {0.9f, 0.75f, 0.6f, 0.95f, 0.5f, 0.3f};
    static const struct {
        const char *what;
        int64_t most;
        float iou, score;
        int count;
        int64_t want[4];
    } rows[] = {
        {"all that do not overlap", 9, 0.5f, 0, 3, {3, 0, 5}},
        {"two at most", 2, 0.5f, 0, 2, {3, 0}},
        {"over the threshold", 9, 0.5f, 0.4f, 2, {3, 0}},
        {"none wanted", 0, 0.5f, 0, 0, {0}},
        {"overlap allowed", 4, 1.0f, 0, 4, {3, 0, 1, 2}},
    };
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        const QnNms nms = {1, 1, 6, rows[r].most, false, rows[r].iou, rows[r].score, true};
        Guard guards[2];
        int64_t(*selected)[3] = guard_end(&guards[0], (size_t)qn_nms_limit(&nms) * 24);
        void *scratch = guard_end(&guards[1], (qn_nms_scratch(&nms) + 15) & ~(size_t)15);
        const int64_t count = qn_nms_run(&nms, 0, boxes, scores, selected, scratch);
        EXPECT(t, count == rows[r].count, "%s: %d rows", rows[r].what, (int)count);
        for (int i = 0; i < rows[r].count && i < count; i++)
            EXPECT(t, selected[i][2] == rows[r].want[i], "%s: box %d at %d", rows[r].what,
                   (int)selected[i][2], i);
        guard_free(&guards[0]);
        guard_free(&guards[1]);
    }
}

TEST_MAIN(CASE(the_best_come_first_and_lower_indices_before_equals),
          CASE(integers_keep_their_order_to_the_ends), CASE(every_family_is_sorted_and_summed),
          CASE(sums_run_either_way_with_or_without_the_element),
          CASE(boxes_that_overlap_a_better_one_go))
