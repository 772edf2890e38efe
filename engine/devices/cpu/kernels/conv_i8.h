/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Convolution of bytes, of any rank: as many rows of the product (gemm_i8_block.h) as there are
 * output pixels, each the pixels that the kernel sees, side by side.
 *
 *     y[b][p][o] = terms(sum over c, t of (w[o][c][t] - zero_w[o]) *
 *                                         (x[b][c][p * stride + t * dilation - pad] - zero_x))
 *
 * Pixels outside the image are zero_x.  Pixels of a few channels are read where they lie; others
 * are copied, a few cache lines for each output pixel.
 */
#ifndef QN_ENGINE_DEVICES_CPU_KERNELS_CONV_I8_H
#define QN_ENGINE_DEVICES_CPU_KERNELS_CONV_I8_H

#include "engine/devices/cpu/kernels/conv.h"
#include "engine/devices/cpu/kernels/gemm_i8_block.h"

/*
 * A convolution of given sizes; `conv` is neither transposed nor from planes.  Steps of x are in
 * bytes, those of y in elements; the channels of an output pixel lie side by side.  Between a
 * pixel's channels and a multiple of four there may be anything that can be read, if x_pitch says
 * that it belongs to the pixel.  y overlaps nothing.
 */
typedef struct QnConvI8 {
    QnIsa isa;
    QnConv conv;
    int64_t images;
    int64_t in[QN_CONV_MAX_AXES], out[QN_CONV_MAX_AXES]; /* sizes; may be 0 */
    int64_t pad[QN_CONV_MAX_AXES];                       /* before the first element */
    const uint8_t *x;
    int64_t x_image_step, x_channel_step, x_step[QN_CONV_MAX_AXES];
    int64_t x_pitch; /* bytes of a pixel that may be read; the channels at least */
    void *y;
    int64_t y_image_step, y_step[QN_CONV_MAX_AXES];
    const void *weights; /* packed, aligned to 64 bytes */
    QnTermsI8 terms;     /* A is x, moved by qn_move_i8 if it was signed; B is w */
} QnConvI8;

/*
 * Copies `count` pieces of `bytes` bytes each, piece i from first + pieces[i] to to + i * step.
 * They do not overlap; nothing else is read or written.
 */
typedef void QnPatchFn(uint8_t *to, int64_t step, const uint8_t *first, const int64_t *pieces,
                       int64_t count, int64_t bytes);

QnPatchFn qn_patch_avx512, qn_patch_avx2, qn_patch_c;

/* The size of packed weights; false where it does not fit. */
QN_WARN_UNUSED bool qn_conv_i8_packed_size(size_t *bytes, const QnConv *conv);

/* Packs w, [out][in / groups][kernel ...].  `packed` is aligned to 64 bytes. */
void qn_conv_i8_pack(void *packed, const QnConv *conv, bool is_unsigned, const void *w);

/* As in product.h. */
int64_t qn_conv_i8_chunks(const QnConvI8 *conv);
size_t qn_conv_i8_scratch(const QnConvI8 *conv);
void qn_conv_i8_run(const QnConvI8 *conv, int64_t chunk, void *scratch);

#endif
