/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The border of kernels that compute in few element types: contiguous tensors of other types are
 * converted into the step's scratch memory before, and out of it after.
 *
 *     bind:  qn_cpu_border_reserve(&call->scratch_bytes, x, QN_FLOAT);  the same for y
 *     run:   uint8_t *room = call->scratch;
 *            const void *from = qn_cpu_border_read(call, &room, x, QN_FLOAT);
 *            void *to = qn_cpu_border_room(&room, y, QN_FLOAT);
 *            ... from -> to ...
 *            qn_cpu_border_write(call, y, QN_FLOAT, to);
 *
 * with the same tensors in the same order.  Tensors that have the type already are used where they
 * lie.
 */
#ifndef QN_ENGINE_DEVICES_CPU_BORDER_H
#define QN_ENGINE_DEVICES_CPU_BORDER_H

#include "engine/devices/cpu/cpu.h"
#include "engine/devices/cpu/kernels/convert.h"

/* The float type that a float type is computed in: float or double; QN_UNDEFINED for others. */
QnType qn_cpu_float_type(QnType type);

/* Is a tensor of `type` read and written as `as` without conversion? */
bool qn_cpu_border_is_open(QnType type, QnType as);

void qn_cpu_border_reserve(size_t *scratch_bytes, const QnTensor *tensor, QnType as);
const void *qn_cpu_border_read(const QnRunCall *call, uint8_t **room, const QnTensor *tensor,
                               QnType as);
void *qn_cpu_border_room(uint8_t **room, const QnTensor *tensor, QnType as);
void qn_cpu_border_write(const QnRunCall *call, const QnTensor *tensor, QnType as,
                         const void *computed);

#endif
