/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time, which a test can hold still.
 *
 * Times are nanoseconds of a clock that never goes back (CLOCK_MONOTONIC) and count from an
 * arbitrary point. What travels between functions is a deadline, an absolute time, so that waiting
 * in several places adds up.
 */
#ifndef QN_BASE_CLOCK_H
#define QN_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Where time comes from.  A NULL clock, wherever one is taken, is the system's.
 * Any thread may read it. */
typedef struct QnClock {
    void *user;
    int64_t (*now_ns)(void *user);
} QnClock;

#define QN_NEVER     INT64_MAX /* the deadline that does not come */
#define QN_NS_PER_US INT64_C(1000)
#define QN_NS_PER_MS INT64_C(1000000)
#define QN_NS_PER_S  INT64_C(1000000000)

/* The time of `clock` now. */
int64_t qn_clock_now(const QnClock *clock);

/* The deadline `delay_ns` after `now_ns`, QN_NEVER where the sum does not fit; a negative delay
 * counts as 0. */
int64_t qn_deadline_after(int64_t now_ns, int64_t delay_ns);

/* What is left until the deadline, 0 once it is past, QN_NEVER where there is none. */
int64_t qn_deadline_left(int64_t deadline_ns, int64_t now_ns);

static inline bool qn_deadline_is_past(int64_t deadline_ns, int64_t now_ns)
{
    return deadline_ns != QN_NEVER && now_ns >= deadline_ns;
}

#endif
