/* SPDX-License-Identifier: Apache-2.0 */
#include "base/denormals.h"

#include <fenv.h>

#include "tests/support/test.h"

static float eighth(float value)
{
    volatile float v = value;
    v = v / 8;
    return v;
}

TEST(denormals_are_flushed_and_kept_as_told)
{
    const QnFloatMode before = qn_denormals_flush(true);
    const float flushed = eighth(1e-38f);
    const bool flushes = qn_float_mode_flushes(qn_float_mode());
    qn_denormals_flush(false);
    const float kept = eighth(1e-38f);
    qn_float_mode_set(before);
    EXPECT(t, flushes && flushed == 0, "flushing gave %g", (double)flushed);
    EXPECT(t, kept > 0, "keeping gave %g", (double)kept);
}

TEST(the_callers_state_is_restored_exactly)
{
    fesetround(FE_DOWNWARD);
    feclearexcept(FE_ALL_EXCEPT);
    const QnFloatMode before = qn_float_mode();
    const QnFloatMode saved = qn_denormals_flush(true);
    (void)eighth(1e-38f);
    qn_float_mode_set(saved);
    const QnFloatMode after = qn_float_mode();
    fesetround(FE_TONEAREST);
    EXPECT(t, before.bits == after.bits, "%llx became %llx", (unsigned long long)before.bits,
           (unsigned long long)after.bits);
}

TEST(a_mode_is_adopted_without_its_exceptions)
{
    const QnFloatMode own = qn_float_mode();
    const QnFloatMode other = {own.bits | QN_FLUSH_BITS | QN_STICKY_BITS};
    qn_float_mode_adopt(other);
    const QnFloatMode adopted = qn_float_mode();
    qn_float_mode_set(own);
    EXPECT(t, adopted.bits == (own.bits | QN_FLUSH_BITS), "%llx", (unsigned long long)adopted.bits);
}

TEST_MAIN(CASE(denormals_are_flushed_and_kept_as_told), CASE(the_callers_state_is_restored_exactly),
          CASE(a_mode_is_adopted_without_its_exceptions))
