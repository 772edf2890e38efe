/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <time.h>

#include "base/checked.h"

int64_t qn_clock_now(const QnClock *clock)
{
    if (clock)
        return clock->now_ns(clock->user);
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC,
                  &now); /* cannot fail: the clock exists and the pointer is good */
    return (int64_t)now.tv_sec * QN_NS_PER_S + now.tv_nsec;
}

int64_t qn_deadline_after(int64_t now_ns, int64_t delay_ns)
{
    int64_t deadline_ns;
    return qn_add_i64(&deadline_ns, now_ns, qn_max_i64(delay_ns, 0)) ? deadline_ns : QN_NEVER;
}

int64_t qn_deadline_left(int64_t deadline_ns, int64_t now_ns)
{
    if (deadline_ns == QN_NEVER)
        return QN_NEVER;
    int64_t left_ns;
    if (!qn_sub_i64(&left_ns, deadline_ns, now_ns))
        return deadline_ns > now_ns ? QN_NEVER : 0;
    return qn_max_i64(left_ns, 0);
}
