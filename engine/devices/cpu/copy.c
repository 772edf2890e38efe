/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/devices/cpu/copy.h"

enum { CHUNK_BYTES = 1 << 17 }; /* some ten microseconds of copying */

QnCpuMap qn_cpu_map(const QnTensor *to, const QnTensor *from)
{
    QnCpuMap map = {.rank = to->rank};
    memcpy(map.dims, to->dims, sizeof map.dims);
    memcpy(map.to_strides, to->strides, sizeof map.to_strides);
    memcpy(map.from_strides, from->strides, sizeof map.from_strides);
    return map;
}

void qn_cpu_copy_bind(QnCpuCopy *out, const QnCpuMap *map, size_t element_size, QnIsa isa)
{
    qn_move_bind(&out->move, map->rank, map->dims, map->to_strides, map->from_strides,
                 (int64_t)element_size, isa);
    out->to_offset = map->to_offset;
    out->from_offset = map->from_offset;
}

typedef struct Work {
    const QnMove *move;
    uint8_t *to;
    const uint8_t *from;
    int64_t units; /* of a chunk */
} Work;

static void run_chunk(void *user, int64_t chunk, int member)
{
    const Work *work = user;
    (void)member;
    const int64_t begin = chunk * work->units, left = work->move->unit_count - begin;
    qn_move_run(work->move, work->to, work->from, begin,
                begin + (left < work->units ? left : work->units));
}

void qn_cpu_copy_run(const QnRunCall *call, const QnCpuCopy *copy, void *to, const void *from)
{
    const int64_t count = copy->move.unit_count, bytes = qn_move_unit_bytes(&copy->move);
    if (count == 0)
        return;
    Work work = {.move = &copy->move,
                 .to = (uint8_t *)to + copy->to_offset,
                 .from = (const uint8_t *)from + copy->from_offset,
                 .units = bytes < CHUNK_BYTES ? CHUNK_BYTES / (bytes > 0 ? bytes : 1) : 1};
    const double cost = 0.1 * (double)count * (double)bytes;
    qn_gang_for(call->gang, (count + work.units - 1) / work.units, (int64_t)cost, run_chunk, &work);
}

double qn_cpu_copy_cost(const QnOfferCall *call, const QnIrValue *value, bool is_across)
{
    const double bytes = qn_cpu_elements(call, value) * (double)qn_type_size(value->type.element);
    return 300 + bytes * (is_across ? 0.25 : 0.12);
}
