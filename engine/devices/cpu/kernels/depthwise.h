/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Depthwise convolution in fp32, channels last: every channel has its own kernel,
 *
 *     y[b][c][p] = epilogue(sum over t of w[c][t] * x[b][c][p * stride + t * dilation - pad])
 *
 * A convolution is given as in conv.h, with as many groups as input and output channels.  Input
 * outside the image is skipped; the epilogue's alpha counts as 1.  Weights are packed [group of 16
 * channels][tap][16], pad lanes zero.
 */
#ifndef QN_ENGINE_DEVICES_CPU_KERNELS_DEPTHWISE_H
#define QN_ENGINE_DEVICES_CPU_KERNELS_DEPTHWISE_H

#include "engine/devices/cpu/kernels/conv.h"

/* One row of kernel taps: where its first tap is for the first pixel,
 * and its weights for the first 16 channels. */
typedef struct QnDepthwiseRow {
    const float *x;
    const float *w; /* aligned to 64 bytes */
} QnDepthwiseRow;

/*
 * A line of output pixels, all channels:
 *
 *     y[i][c] = clamp(bias[c] + beta * residual[i][c]
 *                     + sum over rows r, taps j of
 *                       r.w[c / 16][j][c % 16] * r.x[i * stride + j * dilation][c])
 *
 * Reads and writes the floats of the formula and no others; only w may be read up to whole groups
 * of 16.  y may be the residual, if the steps are equal, and overlaps nothing else.
 */
typedef struct QnDepthwiseLine {
    const QnDepthwiseRow *rows;
    int64_t row_count; /* 0 is valid */
    int64_t taps;      /* of a row */
    int64_t x_step;    /* floats between the input pixels of neighbouring outputs */
    int64_t tap_step;  /* and of neighbouring taps */
    int64_t w_step;    /* floats between groups of 16 channels */
    int64_t count, channels;
    float *y;
    int64_t y_step;
    const float *bias;     /* [channels] or NULL */
    const float *residual; /* or NULL */
    int64_t residual_step;
    float beta;
    bool clamp; /* low <= y <= high; NaN stays NaN */
    float low, high;
} QnDepthwiseLine;

typedef void QnDepthwiseF32Fn(const QnDepthwiseLine *line);

typedef struct QnDepthwiseF32 {
    const char *name;
    QnIsa needs;
    int taps;   /* of a row, for which it is meant; 0: any */
    int stride; /* x_step = stride * tap_step; 0: any */
    QnDepthwiseF32Fn *run;
} QnDepthwiseF32;

/* The special ones of each level first, the portable one last. */
extern const QnDepthwiseF32 qn_depthwise_f32[];
extern const int qn_depthwise_f32_count;

/* The first variant for lines like this one. */
const QnDepthwiseF32 *qn_depthwise_f32_pick(QnIsa have, const QnDepthwiseLine *line);

/* Is it a convolution for this kernel: not transposed, channels last, one channel per group? */
bool qn_depthwise_f32_fits(const QnConv *conv);

/* As their namesakes in conv.h.  y and the residual are channels last too. */
QN_WARN_UNUSED bool qn_depthwise_f32_packed_size(size_t *bytes, const QnConv *conv);
void qn_depthwise_f32_pack(float *packed, const QnConv *conv, const void *w);
int64_t qn_depthwise_f32_chunks(const QnConvF32 *conv);
size_t qn_depthwise_f32_scratch(const QnConvF32 *conv);
void qn_depthwise_f32_run(const QnConvF32 *conv, int64_t chunk, void *scratch);

QnDepthwiseF32Fn qn_depthwise_f32_3s1_avx512, qn_depthwise_f32_3s2_avx512,
    qn_depthwise_f32_5s1_avx512, qn_depthwise_f32_5s2_avx512, qn_depthwise_f32_avx512;
QnDepthwiseF32Fn qn_depthwise_f32_3s1_avx2, qn_depthwise_f32_3s2_avx2, qn_depthwise_f32_5s1_avx2,
    qn_depthwise_f32_5s2_avx2, qn_depthwise_f32_avx2;
QnDepthwiseF32Fn qn_depthwise_f32_c;

#endif
