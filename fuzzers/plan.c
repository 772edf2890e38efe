/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plan files of any bytes.  The first byte says whether the file's hashes are made right before, so
 * that what lies behind them is reached too.  What loads is run once.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "engine/devices/cpu/cpu.h"
#include "engine/plan/file.h"
#include "engine/plan/plan.h"
#include "quern/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void rehash_section(QnBytes file, QnPlanSection *section)
{
    if (section->offset <= file.size && section->size <= file.size - section->offset)
        section->hash = qn_hash(qn_bytes(file.data + section->offset, (size_t)section->size), 0);
}

static void rehash(uint8_t *data, size_t size)
{
    QnPlanHeader header;
    if (size < sizeof header)
        return;
    memcpy(&header, data, sizeof header);
    rehash_section(qn_bytes(data, size), &header.graph);
    rehash_section(qn_bytes(data, size), &header.decisions);
    header.hash = qn_hash(qn_bytes(&header, offsetof(QnPlanHeader, hash)), 0);
    memcpy(data, &header, sizeof header);
}

/* Inputs of zeros, open dimensions being 2; not where they would be large. */
static void run(const QnPlan *plan)
{
    enum { MOST = 16, ROOM = 1 << 16 };
    QnValue inputs[MOST] = {{.kind = QN_NONE}}, outputs[MOST] = {{.kind = QN_NONE}};
    QnSession *session;
    const QnSessionOptions options = {
        .size = sizeof options, .max_steps = 1000, .limit_bytes = 16 << 20};
    if (plan->input_count > MOST || plan->output_count > MOST ||
        qn_session_create(&session, plan, &options, NULL) != QN_OK)
        return;
    uint8_t *room = aligned_alloc(64, ROOM);
    memset(room, 0, ROOM);
    for (int i = 0; i < plan->input_count; i++) {
        const QnIrType *type = &plan->values[plan->inputs[i]].type;
        int64_t dims[QN_MAX_RANK], count = 1;
        for (int d = 0; type->kind == QN_TENSOR && d < type->shape.rank; d++) {
            dims[d] = type->shape.dims[d] < 0 ? 2 : type->shape.dims[d];
            count = dims[d] > ROOM || count > ROOM ? ROOM + 1 : count * dims[d];
        }
        if (type->kind == QN_TENSOR && count <= ROOM / 16)
            inputs[i] = qn_value_tensor(
                qn_tensor(type->element, type->shape.rank < 0 ? 0 : type->shape.rank, dims, room));
    }
    qn_session_run(session, inputs, outputs, NULL, NULL);
    qn_session_free(session);
    free(room);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char options[] = "device=cpu math=normal keep_all=0 without=";
    QnDevice *device;
    QnPlan *plan;
    if (size < 1 || qn_cpu_device_create(&device, NULL, NULL, NULL) != QN_OK)
        return 0;
    /* Sections lie at multiples of 64, so the file does too. */
    uint8_t *file = aligned_alloc(64, (size + 63) / 64 * 64);
    memcpy(file, data + 1, size - 1);
    if (data[0] & 1)
        rehash(file, size - 1);
    const QnPlanRequest request = {.device = device, .free_dim = 16};
    if (qn_plan_read(&plan, qn_bytes(file, size - 1), &request, options, "none", NULL) == QN_OK) {
        run(plan);
        qn_plan_destroy(plan);
    }
    free(file);
    return 0;
}
