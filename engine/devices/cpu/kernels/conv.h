/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Convolution and transposed convolution of any rank in fp32, without an im2col buffer: each output
 * pixel is a row of a product (gemm.h), and a table of pointers says where its input pixels are.
 *
 *     y[b][o][p] = epilogue(sum over c, t of w[o][c][t] * x[b][c][p * stride + t * dilation - pad])
 *
 * and for the transposed one, w being [c][o][t],
 *
 *     y[b][o][q] = epilogue(sum over c, t, p with p * stride + t * dilation - pad = q
 *                           of w[c][o][t] * x[b][c][p])
 *
 * with o and c of the same group.  Input outside the image counts as 0.  A transposed convolution
 * is cut into phases, the residues of output positions modulo the stride; each is an ordinary
 * convolution with some of the kernel, whose output pixels lie `stride` apart.
 *
 * Tensors are given by steps, so that channels-last with any pitch, slices of a concatenation, and
 * plain planes are the same to it.  The input is read in one of two ways:
 *
 *     channels last  its channel step is 1; a tap is one kernel position, a run its channels
 *     planes         any steps; a tap is a channel and all but the last kernel axis, a run the last
 *                    kernel axis.  Fast for few channels: the first layer of a network, read as it
 *                    comes
 *
 * No element outside the tensors is read, and pad channels are neither read nor written.
 */
#ifndef QN_ENGINE_DEVICES_CPU_KERNELS_CONV_H
#define QN_ENGINE_DEVICES_CPU_KERNELS_CONV_H

#include <stddef.h>

#include "base/compiler.h"
#include "engine/devices/cpu/kernels/epilogue.h"

enum { QN_CONV_MAX_AXES = 6 };

/* What is fixed with the weights.  All counts are positive;
 * channels are multiples of the groups. */
typedef struct QnConv {
    int axes; /* spatial ones, 1 .. QN_CONV_MAX_AXES, the innermost last */
    int64_t groups, in_channels, out_channels;
    int64_t kernel[QN_CONV_MAX_AXES], stride[QN_CONV_MAX_AXES], dilation[QN_CONV_MAX_AXES];
    bool transposed;
    bool from_planes; /* how the input will be read; part of the form of packed weights */
    int tile;         /* of winograd.h; 0: the direct sum */
} QnConv;

/* A tensor [image][channel][spatial ...] by its steps in floats. */
typedef struct QnConvTensor {
    float *data;
    int64_t image_step, channel_step;
    int64_t step[QN_CONV_MAX_AXES];
} QnConvTensor;

/*
 * A convolution of given sizes.  y overlaps no operand but a residual of the same steps.  The
 * epilogue's residual fields are ignored: `residual` says where it is, data NULL for none.  Inputs
 * are not written.
 */
typedef struct QnConvF32 {
    QnIsa isa;
    QnConv conv;
    int64_t images;
    int64_t in[QN_CONV_MAX_AXES], out[QN_CONV_MAX_AXES]; /* sizes; may be 0 */
    int64_t
        pad[QN_CONV_MAX_AXES]; /* before the first element; what is after it follows from `out` */
    QnConvTensor x, y, residual;
    const float *weights; /* packed, aligned to 64 bytes */
    QnEpilogue epilogue;
    int64_t round; /* of kernels that take several (winograd.h), and what these share */
    void *shared;
} QnConvF32;

/* The size of packed weights; false where it does not fit. */
QN_WARN_UNUSED bool qn_conv_f32_packed_size(size_t *bytes, const QnConv *conv);

/*
 * Packs w, [out][in / groups][kernel ...] or, transposed, [in][out / groups][kernel ...], of any
 * alignment.  `packed` is aligned to 64 bytes and overlaps nothing.
 */
void qn_conv_f32_pack(float *packed, const QnConv *conv, const void *w);

/* As in product.h: chunks in any order by any threads,
 * each with scratch of its own, give the same bits. */
int64_t qn_conv_f32_chunks(const QnConvF32 *conv);
size_t qn_conv_f32_scratch(const QnConvF32 *conv);
void qn_conv_f32_run(const QnConvF32 *conv, int64_t chunk, void *scratch);

#endif
