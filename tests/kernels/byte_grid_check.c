/* SPDX-License-Identifier: Apache-2.0 */
/* Dynamic quantization: every variant finds the range
 * and the steps of the portable one, to the bit. */
#include "engine/devices/cpu/kernels/byte_grid.h"

#include "base/compiler.h"
#include "tests/kernels/check.h"

static void check_row(Check *check, const QnByteGridVariant *variant, int64_t count, bool has_nan)
{
    QnRange got = {0, 0}, want = {0, 0};
    float *x = check_floats(check, count), scale, zero;
    uint8_t *steps = check_room(check, (size_t)count), *wanted = check_room(check, (size_t)count);
    if (has_nan && count)
        x[check_random(check, (int)count)] = NAN;
    variant->widen(&got, x, count);
    qn_widen_c(&want, x, count);
    EXPECT(check->t, got.low == want.low && got.high == want.high,
           "%s of %d: %.9g to %.9g, not %.9g to %.9g", variant->name, (int)count, (double)got.low,
           (double)got.high, (double)want.low, (double)want.high);
    qn_range_settle(&want, &scale, &zero);
    variant->steps(steps, x, count, scale, zero);
    qn_steps_c(wanted, x, count, scale, zero);
    EXPECT(check->t, !count || !memcmp(steps, wanted, (size_t)count), "%s steps of %d",
           variant->name, (int)count);
    check_end(check);
}

TEST(every_variant_finds_the_same_range_and_steps)
{
    Check check = check_make(t);
    for (int v = 0; v < qn_byte_grid_count; v++) {
        if (!check_begin(&check, qn_byte_grids[v].name, qn_byte_grids[v].needs))
            continue;
        for (int64_t count = 0; count < 100; count++)
            for (int values = 0; values < CHECK_CLASSES; values++) {
                check.end = (CheckEnd)(count % 2);
                check.values = (CheckValues)values;
                check_row(&check, &qn_byte_grids[v], count, values % 2);
            }
    }
}

TEST(ranges_hold_zero_and_have_a_scale)
{
    static const struct {
        QnRange range;
        float scale, zero;
    } rows[] = {
        {{0, 0}, 1, 0},      {{0, 255}, 1, 0},  {{-255, 0}, 1, 255},
        {{-51, 204}, 1, 51}, {{-1, 509}, 2, 0},
    };
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++) {
        float scale, zero;
        qn_range_settle(&rows[i].range, &scale, &zero);
        EXPECT(t, scale == rows[i].scale && zero == rows[i].zero, "row %d: %g, %g", (int)i,
               (double)scale, (double)zero);
    }
}

TEST_MAIN(CASE(every_variant_finds_the_same_range_and_steps),
          CASE(ranges_hold_zero_and_have_a_scale))
