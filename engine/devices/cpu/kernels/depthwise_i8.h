/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Depthwise convolution of bytes, channels last: every channel has its own kernel.  A convolution
 * is given as in conv_i8.h, with as many groups as input and output channels, and x as it is:
 * signed bytes are moved on the way.
 *
 * Weights are packed as signed bytes, unsigned ones moved by -128, for taps in fours: [block of 64
 * channels][four taps][vector v of 4][lane l of 4][channel 16 l + 4 v + j, j of 4][tap], with zeros
 * for taps and channels that are not there.  That is the order in which two rounds of unpacking put
 * the bytes of 64 channels of four pixels.  Sums are exact.
 *
 * The fours are taps in order, or of each column of the kernel by itself where that makes no more
 * of them, as of 3x3: then neighbouring output pixels have columns in common.
 */
#ifndef QN_ENGINE_DEVICES_CPU_KERNELS_DEPTHWISE_I8_H
#define QN_ENGINE_DEVICES_CPU_KERNELS_DEPTHWISE_I8_H

#include "engine/devices/cpu/kernels/conv_i8.h"

enum {
    QN_DEPTHWISE_I8_BLOCK = 64, /* channels */
    QN_DEPTHWISE_I8_TAPS = 4    /* that are done together */
};

/*
 * A few output pixels, all channels, where x(i, t) is taps[i * pixel_step + t]:
 *
 *     sums[i][c] = sum over t of (x(i, t)[c] ^ move) * w,  the bytes of x unsigned
 *     x_sums[i][c] = the same without w
 *
 * Reads `channels` bytes of each tap and writes as many sums of each pixel, nothing else; w is read
 * in whole blocks.
 */
typedef struct QnDepthwiseI8Line {
    const uint8_t *const *taps;
    int64_t pixel_step;              /* 4: each pixel's fours but one are its neighbour's */
    int64_t count, groups, channels; /* pixels, fours of taps */
    const int8_t *w;                 /* aligned to 64 bytes */
    uint8_t move;                    /* 0, or 0x80 for signed bytes */
    int32_t *sums;                   /* [count][channels] */
    int32_t *x_sums;                 /* alike, over all 4 * groups taps; NULL: not wanted */
} QnDepthwiseI8Line;

typedef void QnDepthwiseI8Fn(const QnDepthwiseI8Line *line);

typedef struct QnDepthwiseI8 {
    const char *name;
    QnIsa needs;
    QnDepthwiseI8Fn *run;
} QnDepthwiseI8;

/* The portable one last. */
extern const QnDepthwiseI8 qn_depthwise_i8[];
extern const int qn_depthwise_i8_count;

const QnDepthwiseI8 *qn_depthwise_i8_pick(QnIsa have);

/* The channels from `first` on, in plain C: the tails of variants that have no masks. */
void qn_depthwise_i8_from(const QnDepthwiseI8Line *line, int64_t first);

/* Is it a convolution for this kernel: one channel per group? */
bool qn_depthwise_i8_fits(const QnConv *conv);

/* As their namesakes in conv_i8.h. */
QN_WARN_UNUSED bool qn_depthwise_i8_packed_size(size_t *bytes, const QnConv *conv);
void qn_depthwise_i8_pack(void *packed, const QnConv *conv, bool is_unsigned, const void *w);
int64_t qn_depthwise_i8_chunks(const QnConvI8 *conv);
size_t qn_depthwise_i8_scratch(const QnConvI8 *conv);
void qn_depthwise_i8_run(const QnConvI8 *conv, int64_t chunk, void *scratch);

QnDepthwiseI8Fn qn_depthwise_i8_avx512vnni, qn_depthwise_i8_avx2, qn_depthwise_i8_c;

#endif
