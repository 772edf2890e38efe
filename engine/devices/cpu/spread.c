/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/devices/cpu/spread.h"

static const double chunk_ns = 40e3; /* see qn_gang_for */

typedef struct Spread {
    QnCpuUnitsFn *run;
    const void *work;
    int64_t count, units; /* in all, of a chunk */
} Spread;

static void run_chunk(void *user, int64_t chunk, int member)
{
    const Spread *spread = user;
    const int64_t begin = chunk * spread->units, left = spread->count - begin;
    spread->run(spread->work, begin, begin + (left < spread->units ? left : spread->units), member);
}

void qn_cpu_spread(const QnRunCall *call, int64_t count, double unit_ns, QnCpuUnitsFn *run,
                   const void *work)
{
    if (count <= 0)
        return;
    const double units = unit_ns > 0 ? chunk_ns / unit_ns : (double)count;
    Spread spread = {.run = run, .work = work, .count = count, .units = count};
    if (units < (double)count)
        spread.units = units < 1 ? 1 : (int64_t)units;
    const double cost = unit_ns * (double)count;
    qn_gang_for(call->gang, (count + spread.units - 1) / spread.units,
                cost < 1e18 ? (int64_t)cost : INT64_MAX, run_chunk, &spread);
}
