/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/devices/cpu/border.h"

#include "base/checked.h"
#include "engine/devices/cpu/spread.h"

static const double element_ns = 0.5;

QnType qn_cpu_float_type(QnType type)
{
    const QnFamily family = qn_family_of(type);
    const bool is_float = family == QN_FAMILY_F32 || family == QN_FAMILY_F64;
    return is_float ? qn_family_type(family) : QN_UNDEFINED;
}

bool qn_cpu_border_is_open(QnType type, QnType as)
{
    /* Of one family and size, the bytes are the same: bool is uint8. */
    return type == as ||
           (qn_family_of(type) == qn_family_of(as) && qn_type_size(type) == qn_type_size(as));
}

static size_t room_of(const QnTensor *tensor, QnType as)
{
    return qn_round_up((size_t)qn_tensor_count(tensor) * qn_type_size(as), 64);
}

void qn_cpu_border_reserve(size_t *scratch_bytes, const QnTensor *tensor, QnType as)
{
    if (tensor && !qn_cpu_border_is_open(tensor->type, as))
        *scratch_bytes += room_of(tensor, as);
}

typedef struct Work {
    QnType to_type, from_type;
    uint8_t *to;
    const uint8_t *from;
} Work;

static void convert_units(const void *user, int64_t begin, int64_t end, int member)
{
    const Work *work = user;
    (void)member;
    qn_convert_row(work->to_type, work->to + (size_t)begin * qn_type_size(work->to_type),
                   work->from_type, work->from + (size_t)begin * qn_type_size(work->from_type),
                   end - begin);
}

const void *qn_cpu_border_read(const QnRunCall *call, uint8_t **room, const QnTensor *tensor,
                               QnType as)
{
    if (!tensor || qn_cpu_border_is_open(tensor->type, as))
        return tensor ? tensor->data : NULL;
    const Work work = {as, tensor->type, *room, tensor->data};
    *room += room_of(tensor, as);
    qn_cpu_spread(call, qn_tensor_count(tensor), element_ns, convert_units, &work);
    return work.to;
}

void *qn_cpu_border_room(uint8_t **room, const QnTensor *tensor, QnType as)
{
    if (!tensor || qn_cpu_border_is_open(tensor->type, as))
        return tensor ? tensor->data : NULL;
    void *data = *room;
    *room += room_of(tensor, as);
    return data;
}

void qn_cpu_border_write(const QnRunCall *call, const QnTensor *tensor, QnType as,
                         const void *computed)
{
    if (!tensor || qn_cpu_border_is_open(tensor->type, as))
        return;
    const Work work = {tensor->type, as, tensor->data, computed};
    qn_cpu_spread(call, qn_tensor_count(tensor), element_ns, convert_units, &work);
}
