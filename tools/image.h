/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pictures as inputs: reading them, and making them the tensor that a model takes.
 *
 * PNM (P5, P6) and BMP are read by own code; PNG and JPEG where libpng and libjpeg were found.
 */
#ifndef QN_TOOLS_IMAGE_H
#define QN_TOOLS_IMAGE_H

#include "base/bytes.h"
#include "quern/unstable/values.h"

/* Rows from top to bottom, pixels from left to right, channels fastest: 1 grey, 3 RGB. */
typedef struct Image {
    int width, height, channels;
    uint8_t *pixels; /* [height, width, channels], of the store */
} Image;

enum { IMAGE_SIDE_MOST = 65536, IMAGE_PIXELS_MOST = 1 << 28 };

/* How pictures of one format are read. */
typedef struct ImageFormat {
    const char *name;
    const char *(*version)(void); /* of the library, for --version; NULL: own code */
    bool (*probe)(QnBytes bytes);
    QnStatus (*read)(Image *out, QnBytes bytes, const char *name, QnValueStore *store,
                     QnError *err);
} ImageFormat;

/* Every format of this build; ends with NULL. */
extern const ImageFormat *const image_formats[];

/* The format of some bytes, or NULL. */
const ImageFormat *image_find(QnBytes bytes);

/*
 * Sets the size and takes memory for the pixels; QN_BAD_TENSOR where a side is 0 or too large, or
 * where no format could say so many pixels in a file of `file_size` bytes.
 */
QnStatus image_create(Image *out, int64_t width, int64_t height, int channels, size_t file_size,
                      const char *name, QnValueStore *store, QnError *err);

/*
 * The picture as the tensor that `info` declares, of shape dims[rank] (-1: as the picture has it).
 * The dimensions are [N,C,H,W], [N,H,W,C], those without N, or [H,W]; C of 1 or 3 tells which.
 * Grey becomes RGB by three equal channels, RGB grey by 0.299 R + 0.587 G + 0.114 B.  Another size
 * is reached by a triangle filter (bilinear, wide enough to average where it shrinks); the picture
 * is stretched, not cut.  Values are 0 to 1 in floats, 0 to 255 in integers, less 128 in int8.
 */
QnStatus image_to_tensor(QnTensor *out, const Image *image, const QnValueInfo *info,
                         const int64_t *dims, const char *name, QnValueStore *store, QnError *err);

#endif
