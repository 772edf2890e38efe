/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures as inputs: making one the tensor that a model takes. */
#ifndef QN_TOOLS_IMAGE_H
#define QN_TOOLS_IMAGE_H

#include "base/image/image.h"
#include "quern/unstable/values.h"

/*
 * The picture as the tensor that `info` declares, of shape dims[rank] (-1: as the picture has it).
 * The dimensions are [N,C,H,W], [N,H,W,C], those without N, or [H,W]; C of 1 or 3 tells which.
 * Grey becomes RGB by three equal channels, RGB grey by 0.299 R + 0.587 G + 0.114 B.  Another size
 * is reached by a triangle filter (bilinear, wide enough to average where it shrinks); the picture
 * is stretched, not cut.  Values are 0 to 1 in floats, 0 to 255 in integers, less 128 in int8.
 */
QnStatus image_to_tensor(QnTensor *out, const QnImage *image, const QnValueInfo *info,
                         const int64_t *dims, const char *name, QnValueStore *store, QnError *err);

#endif
