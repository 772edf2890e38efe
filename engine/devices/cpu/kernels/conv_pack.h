/* SPDX-License-Identifier: Apache-2.0 */
/* Where the packed weights of a phase of a convolution lie. */
#ifndef QN_ENGINE_DEVICES_CPU_KERNELS_CONV_PACK_H
#define QN_ENGINE_DEVICES_CPU_KERNELS_CONV_PACK_H

#include "engine/devices/cpu/kernels/conv.h"
#include "engine/devices/cpu/kernels/gemm_pack.h"

typedef struct QnConvWeights {
    int64_t offset;       /* floats before the phase's first group */
    int64_t group_floats; /* between groups */
    int64_t stride;       /* floats between panels */
    size_t end_bytes;     /* where the next phase begins */
} QnConvWeights;

/* Finds the weights of a phase; false where a number does not fit. */
QN_WARN_UNUSED bool qn_conv_weights_find(QnConvWeights *out, const QnConv *conv, int64_t phase);

#endif
