/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/devices/cpu/cpu.h"

static QnCpuLowering *const lowerings[] = {
#define ROW(name) qn_cpu_lower_##name,
    QN_CPU_LOWERINGS(ROW)
#undef ROW
};

static QnStatus offers(QnOfferCall *call)
{
    for (size_t i = 0; i < QN_COUNT_OF(lowerings); i++)
        QN_TRY(lowerings[i](call));
    return QN_OK;
}

static void free_device(QnDevice *device)
{
    QnCpuDevice *cpu = device->state;
    qn_free(cpu->allocator, cpu, sizeof *cpu);
}

QnStatus qn_cpu_device_create(QnDevice **out, const char *mask, const QnAllocator *allocator,
                              QnError *err)
{
    QnCpuDevice *made = qn_alloc(allocator, sizeof *made);
    if (!made)
        return qn_no_memory(err);
    *made = (QnCpuDevice){.allocator = allocator};
    const QnStatus status = qn_cpu_detect(&made->cpu, NULL, mask, err);
    if (status != QN_OK) {
        qn_free(allocator, made, sizeof *made);
        return status;
    }
    made->device = (QnDevice){.name = "cpu",
                              .state = made,
                              .offers = offers,
                              .convert = &qn_cpu_convert,
                              .convert_data = &made->cpu.isa,
                              .free = free_device};
    *out = &made->device;
    return QN_OK;
}
