/* SPDX-License-Identifier: Apache-2.0 */
/* Loops over units of work, shared among threads in chunks that depend on nothing but the work. */
#ifndef QN_ENGINE_DEVICES_CPU_SPREAD_H
#define QN_ENGINE_DEVICES_CPU_SPREAD_H

#include "engine/plan/step.h"

/* Does units begin <= u < end; `member` is the thread's index, for scratch. */
typedef void QnCpuUnitsFn(const void *work, int64_t begin, int64_t end, int member);

/* Runs all of `count` units, which cost about `unit_ns` each, on the threads of the call's gang. */
void qn_cpu_spread(const QnRunCall *call, int64_t count, double unit_ns, QnCpuUnitsFn *run,
                   const void *work);

/* The scratch memory of a member. */
static inline uint8_t *qn_cpu_member_scratch(const QnRunCall *call, int member)
{
    return (uint8_t *)call->member_scratch + (size_t)member * call->member_stride;
}

#endif
