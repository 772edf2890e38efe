/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies of boxes of elements between two sets of strides, by the kernel of kernels/move.h, shared
 * among threads: what transposing, slicing, joining, repeating and converting layouts come to.
 */
#ifndef QN_ENGINE_DEVICES_CPU_COPY_H
#define QN_ENGINE_DEVICES_CPU_COPY_H

#include "engine/devices/cpu/cpu.h"
#include "engine/devices/cpu/kernels/move.h"

/* Which elements go where: those of a box, each side with strides and a first byte of its own. */
typedef struct QnCpuMap {
    int rank;
    int64_t dims[QN_MAX_RANK], to_strides[QN_MAX_RANK], from_strides[QN_MAX_RANK];
    int64_t to_offset, from_offset;
} QnCpuMap;

/* A map bound to an element size; plain data. */
typedef struct QnCpuCopy {
    QnMove move;
    int64_t to_offset, from_offset;
} QnCpuCopy;

/* The map of all elements of `to` from the elements at the same indices of `from`. */
QnCpuMap qn_cpu_map(const QnTensor *to, const QnTensor *from);

void qn_cpu_copy_bind(QnCpuCopy *out, const QnCpuMap *map, size_t element_size, QnIsa isa);

/* Copies, on the threads of the call's gang. */
void qn_cpu_copy_run(const QnRunCall *call, const QnCpuCopy *copy, void *to, const void *from);

/* The predicted nanoseconds of a copy that makes `value`; `is_across` where the innermost
 * dimensions of the two sides differ. */
double qn_cpu_copy_cost(const QnOfferCall *call, const QnIrValue *value, bool is_across);

#endif
