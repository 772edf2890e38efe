/* SPDX-License-Identifier: Apache-2.0 */
#include "base/placement.h"

/* What the thread may use if it need not avoid anything; false where the system does not say. */
static bool note_allowed(QnPlacement *placement, const QnThread *thread)
{
    cpu_set_t now;
    CPU_ZERO(&now);
    if (pthread_getaffinity_np(thread->id, sizeof now, &now))
        return false;
    if (placement->avoided < 0 || !CPU_EQUAL(&now, &placement->given))
        placement->allowed = now;
    return true;
}

void qn_placement_avoid(QnPlacement *placement, const QnThread *thread, int processor)
{
    if (processor >= CPU_SETSIZE || !note_allowed(placement, thread))
        return;
    cpu_set_t mask = placement->allowed;
    if (processor >= 0)
        CPU_CLR((size_t)processor, &mask);
    if (CPU_COUNT(&mask) == 0)
        mask = placement->allowed;
    placement->avoided = processor;
    placement->given = mask;
    (void)pthread_setaffinity_np(thread->id, sizeof mask, &mask);
}
