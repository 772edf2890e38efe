/* SPDX-License-Identifier: Apache-2.0 */
/* Loops of references on the threads of a run: op.h. */
#include "base/checked.h"
#include "engine/ops/op.h"

static const double chunk_ns = 40e3; /* see qn_gang_for */

/* What a thread has for itself, and the first failure that it met. */
typedef struct Member {
    QnStatus status;
    int64_t chunk;
    QnError err;
} Member;

typedef struct Loop {
    const QnCall *call;
    QnCallUnitsFn *run;
    const void *work;
    int64_t count, units; /* in all, of a chunk */
    Member *members;
    uint8_t *room;
    size_t room_bytes; /* of each member */
} Loop;

static void run_chunk(void *user, int64_t chunk, int index)
{
    const Loop *loop = user;
    Member *member = &loop->members[index];
    if (member->status != QN_OK && member->chunk < chunk)
        return;
    QnError err = {0};
    QnCall call = *loop->call;
    call.scratch = NULL;
    call.gang = NULL;
    call.err = &err;
    const int64_t begin = chunk * loop->units;
    QnStatus status = qn_call_poll(&call);
    if (status == QN_OK)
        status = loop->run(&call, loop->work, loop->room + (size_t)index * loop->room_bytes, begin,
                           qn_min_i64(begin + loop->units, loop->count));
    if (status != QN_OK)
        *member = (Member){status, chunk, err};
}

/* The failure of the lowest chunk.  All below it ran:
 * a thread only leaves out what is above its own. */
static QnStatus tell_failure(const QnCall *call, const Member *members, int count)
{
    const Member *first = NULL;
    for (int i = 0; i < count; i++)
        if (members[i].status != QN_OK && (!first || members[i].chunk < first->chunk))
            first = &members[i];
    if (!first)
        return QN_OK;
    if (call->err)
        *call->err = first->err;
    return first->status;
}

QnStatus qn_call_for(const QnCall *call, int64_t count, double unit_ns, size_t room_bytes,
                     QnCallUnitsFn *run, const void *work)
{
    QnGang alone = {0};
    QnGang *gang = call->gang ? call->gang : &alone;
    const int limit = qn_gang_limit(gang);
    const double units = unit_ns > 0 ? chunk_ns / unit_ns : (double)count;
    Loop loop = {.call = call, .run = run, .work = work, .count = count, .units = count};
    if (count <= 0)
        return QN_OK;
    if (units < (double)count)
        loop.units = units < 1 ? 1 : (int64_t)units;
    size_t total;
    loop.room_bytes = qn_round_up(room_bytes, 64);
    if (!qn_mul_size(&total, loop.room_bytes, (size_t)limit))
        return QN_NO_MEMORY;
    loop.room = qn_arena_alloc_raw(call->scratch, total, 64);
    QN_ALLOC(loop.members, call->scratch, limit);
    if (!loop.room)
        return QN_NO_MEMORY;
    const double cost = unit_ns * (double)count;
    qn_gang_for(gang, qn_ceil_div(count, loop.units), cost < 1e18 ? (int64_t)cost : INT64_MAX,
                run_chunk, &loop);
    return tell_failure(call, loop.members, limit);
}
