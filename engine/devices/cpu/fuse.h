/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What follows a product or convolution and is done before its results are stored: a bias per
 * channel, the addition of another tensor, an activation.
 */
#ifndef QN_ENGINE_DEVICES_CPU_FUSE_H
#define QN_ENGINE_DEVICES_CPU_FUSE_H

#include "engine/devices/cpu/cpu.h"
#include "engine/devices/cpu/kernels/epilogue.h"

typedef struct QnCpuFused {
    QnEpilogue epilogue;   /* activation, p, q, alpha, beta, residual_last; no pointers */
    const QnIrValue *bias; /* a constant with one element per channel, to be added; NULL: none */
    const QnIrValue *residual; /* NULL: none */
    const QnIrValue *result;   /* what the group makes */
} QnCpuFused;

/*
 * Grows a group beyond offer->nodes: from fused->result on, as long as the only reader is something
 * that the epilogue can do.  channel_axis: the dimension that bias elements belong to.  Adds to
 * offer->nodes.
 */
void qn_cpu_fuse(const QnOfferCall *call, QnOffer *offer, QnCpuFused *fused, int channel_axis);

/* Is it a constant whose only dimension of more than one element, if any, is `axis` of a tensor of
 * that rank, of size `count`? */
bool qn_cpu_is_per_channel(const QnIrValue *value, int rank, int axis, int64_t count);

#endif
