/* SPDX-License-Identifier: Apache-2.0 */
/* Instructions of a pointwise program that one strip function does together. */
#ifndef QN_KERNELS_POINTWISE_FUSE_H
#define QN_KERNELS_POINTWISE_FUSE_H

#include "engine/devices/cpu/kernels/pointwise.h"

typedef struct QnPointwiseFusion {
    int count;   /* of instructions; 0: none of these */
    int strip;   /* QN_STRIP_... */
    uint8_t out; /* registers: what is written and read */
    uint8_t x;
    double zero, scale;
} QnPointwiseFusion;

/* Looks for such instructions from `first` on; `families` is what registers hold there.  What they
 * write on the way is read by nothing else. */
QnPointwiseFusion qn_pointwise_fuse(const QnPointwiseSpec *spec, int first,
                                    const uint8_t *families);

#endif
