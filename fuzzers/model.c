/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A model of any bytes, all the way: read, optimized, planned and run once, with limits on memory,
 * steps and time.  The first byte chooses among options; open dimensions are 1 to 3; what inputs
 * hold is the model's own bytes, so that indices and counts are anything, and floats NaN at times.
 */
#include <stdlib.h>
#include <string.h>

#include "base/atomic.h"
#include "base/clock.h"
#include "quern/model.h"
#include "quern/plan.h"
#include "quern/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST_VALUES = 16, ROOM = 1 << 16, MOST_BYTES = 128 << 20, LIMIT_BYTES = 16 << 20 };

/* ---- memory that ends ---- */

typedef struct Purse {
    QnAllocator allocator;
    QnAtomicI64 bytes;
} Purse;

static void *purse_alloc(void *user, size_t size, size_t alignment)
{
    Purse *purse = user;
    if (size > MOST_BYTES)
        return NULL;
    void *data = qn_fetch_add_relaxed_i64(&purse->bytes, (int64_t)size) + (int64_t)size > MOST_BYTES
                     ? NULL
                     : aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
    if (!data)
        qn_fetch_add_relaxed_i64(&purse->bytes, -(int64_t)size);
    return data;
}

static void purse_free(void *user, void *data, size_t size)
{
    Purse *purse = user;
    qn_fetch_add_relaxed_i64(&purse->bytes, -(int64_t)size);
    free(data);
}

/* ---- inputs ---- */

/* Arbitrary bytes; but truth values are 0 and 1. */
static void fill(uint8_t *room, const uint8_t *data, size_t size, QnType type)
{
    for (size_t i = 0; i < ROOM; i++)
        room[i] = type == QN_BOOL ? data[i % size] & 1 : data[i % size];
}

static QnValue make_input(const QnValueInfo *info, uint8_t *room, int open)
{
    int64_t dims[QN_MAX_RANK], count = 1;
    for (int d = 0; d < info->rank; d++) {
        dims[d] = info->dims[d] < 0 ? open : info->dims[d];
        count = dims[d] > ROOM || count > ROOM ? ROOM + 1 : count * dims[d];
    }
    if (info->kind != QN_TENSOR || info->type == QN_STRING || count > ROOM / 16)
        return (QnValue){.kind = QN_NONE};
    return qn_value_tensor(qn_tensor(info->type, info->rank < 0 ? 0 : info->rank, dims, room));
}

/* ---- the way ---- */

static void run(const QnPlan *plan, Purse *purse, const uint8_t *data, size_t size)
{
    static _Alignas(64) uint8_t rooms[MOST_VALUES][ROOM];
    QnValue inputs[MOST_VALUES] = {{.kind = QN_NONE}}, outputs[MOST_VALUES] = {{.kind = QN_NONE}};
    const QnSessionOptions options = {.size = sizeof options,
                                      .allocator = &purse->allocator,
                                      .max_iterations = 100,
                                      .max_steps = 10000,
                                      .limit_bytes = LIMIT_BYTES};
    const QnRunOptions limits = {.size = sizeof limits,
                                 .deadline_ns = qn_clock_now(NULL) + 2 * QN_NS_PER_S};
    QnSession *session;
    if (qn_plan_input_count(plan) > MOST_VALUES || qn_plan_output_count(plan) > MOST_VALUES ||
        qn_session_create(&session, plan, &options, NULL) != QN_OK)
        return;
    for (int i = 0; i < qn_plan_input_count(plan); i++) {
        const QnValueInfo info = qn_plan_input(plan, i);
        fill(rooms[i], data, size, info.type);
        inputs[i] = make_input(&info, rooms[i], 1 + data[0] % 3);
    }
    qn_session_run(session, inputs, outputs, &limits, NULL);
    qn_session_free(session);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Purse purse = {.allocator = {.user = &purse, .alloc = purse_alloc, .free = purse_free}};
    QnModel *model;
    QnPlan *plan;
    if (size < 2)
        return 0;
    const QnModelOptions reading = {.size = sizeof reading, .allocator = &purse.allocator};
    const QnPlanOptions planning = {.size = sizeof planning,
                                    .allocator = &purse.allocator,
                                    .math = data[0] & 4 ? QN_MATH_STRICT : QN_MATH_NORMAL,
                                    .without = data[0] & 8 ? "all" : NULL,
                                    .keep_all = data[0] & 16};
    if (qn_model_read(&model, data + 1, size - 1, NULL, &reading, NULL, NULL) != QN_OK)
        return 0;
    if (qn_plan_build(&plan, model, &planning, NULL, NULL) == QN_OK) {
        run(plan, &purse, data, size);
        qn_plan_free(plan);
    }
    qn_model_free(model);
    if (qn_load_relaxed_i64(&purse.bytes) != 0)
        abort(); /* somebody lost some */
    return 0;
}
