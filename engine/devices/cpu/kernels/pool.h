/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pooling over windows of any rank:
 *
 *     y[n][o...][c] = combine over k of x[n][o * stride - pad + k * dilation][c]
 *
 * with taps outside x left out.  MAX takes the largest (a NaN if there is one), AVERAGE the mean,
 * LP the p-norm.  Every tensor is given by strides counted in elements, so that NCHW, NHWC and NHWC
 * with a pitch are the same to it; with channels next to each other (step 1) a kernel takes vectors
 * of them.  x and y do not overlap.  Sums run over the taps in order, 64 at a time.
 */
#ifndef QN_KERNELS_POOL_H
#define QN_KERNELS_POOL_H

#include "base/cpu.h"
#include "engine/devices/cpu/kernels/families.h"

typedef enum QnPoolKind { QN_POOL_MAX, QN_POOL_AVERAGE, QN_POOL_LP, QN_POOL_KIND_COUNT } QnPoolKind;

enum { QN_POOL_TAPS = 64 }; /* of one call */

/* The taps of one window, or some of them: the element of tap t is at offsets[t] from x. */
typedef struct QnPoolTaps {
    int count;              /* at most QN_POOL_TAPS */
    bool is_first, is_last; /* y holds nothing yet; y is to be finished */
    double scale;           /* AVERAGE: 1 / taps */
    double p;               /* LP */
    int64_t offsets[QN_POOL_TAPS];
    int64_t positions[QN_POOL_TAPS]; /* what an index says of each tap */
} QnPoolTaps;

/* Takes the taps into y[c * y_step] for c < channels.
 * Variants with `needs` want both steps to be 1. */
typedef void QnPoolFn(const QnPoolTaps *taps, int64_t channels, int64_t x_step, int64_t y_step,
                      const void *x, void *y);

typedef struct QnPoolVariant {
    const char *name;
    QnIsa needs;
    QnFamily family;
    QnPoolFn *const *run; /* [QN_POOL_KIND_COUNT]; NULL: the next variant serves */
} QnPoolVariant;

/* F32, F64, I8 and U8 (integers: MAX); for each fastest first. */
extern const QnPoolVariant qn_pool_variants[];
extern const int qn_pool_variant_count;

typedef struct QnPool {
    QnPoolKind kind;
    QnFamily family;
    int rank; /* of the window: 1 to QN_MAX_RANK - 2 */
    int64_t batch, channels;
    int64_t x_dims[QN_MAX_RANK], y_dims[QN_MAX_RANK]; /* of the window's axes */
    int64_t kernel[QN_MAX_RANK], strides[QN_MAX_RANK], dilations[QN_MAX_RANK];
    int64_t pads_begin[QN_MAX_RANK], pads_end[QN_MAX_RANK];
    bool counts_pad; /* AVERAGE: taps in the padding count as zeros;
                        those beyond it (ceil_mode) never do */
    double p;        /* LP */
    int64_t x_batch_stride, x_channel_stride, x_strides[QN_MAX_RANK];
    int64_t y_batch_stride, y_channel_stride, y_strides[QN_MAX_RANK];
    /* MAX with indices: what the position of an element counts for each axis,
     * as in a plain [N, C, ...] tensor. */
    int64_t index_strides[QN_MAX_RANK], index_batch_stride, index_channel_stride;
} QnPool;

/* The function for a bound pool; NULL where the family has no such kind. */
QnPoolFn *qn_pool_pick(const QnPool *pool, QnIsa have);

/* Units are rows of outputs: the batch times all window axes but the last. */
int64_t qn_pool_unit_count(const QnPool *pool);

/* Computes units begin <= u < end.  `indices` (MAX) has y's strides; NULL: none wanted. */
void qn_pool_run(const QnPool *pool, QnPoolFn *run, const void *x, void *y, int64_t *indices,
                 int64_t begin, int64_t end);

#endif
