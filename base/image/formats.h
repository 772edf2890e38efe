/* SPDX-License-Identifier: Apache-2.0 */
/* What the formats of pictures share, and where each is found: <name>.c defines
 * qn_image_read_<name> and, where a library does it, qn_image_version_<name>. */
#ifndef QN_BASE_IMAGE_FORMATS_H
#define QN_BASE_IMAGE_FORMATS_H

#include "base/image/image.h"

/* How small a file of so many pixels may be. */
typedef enum QnImagePacking {
    QN_IMAGE_DENSE, /* each pixel takes some part of a byte: deflate at its best */
    QN_IMAGE_FREE,  /* one colour may fill any picture */
} QnImagePacking;

/*
 * Sets the size and takes memory for the pixels.  QN_UNSUPPORTED where a picture is too large,
 * QN_BAD_TENSOR where a side is not positive or `file_size` bytes cannot hold so many pixels.
 */
QnStatus qn_image_create(QnImage *out, int64_t width, int64_t height, int channels,
                         size_t file_size, QnImagePacking packing, QnArena *arena, QnError *err);

#define QN_IMAGE_READER(name)                                                                 \
    QnStatus qn_image_read_##name(QnImage *out, QnBytes bytes, QnArena *arena, QnError *err); \
    const char *qn_image_version_##name(const char **file)

QN_IMAGE_READER(bmp);
QN_IMAGE_READER(jpeg);
QN_IMAGE_READER(jpeg2000);
QN_IMAGE_READER(png);
QN_IMAGE_READER(pnm);
QN_IMAGE_READER(tiff);
QN_IMAGE_READER(webp);

#undef QN_IMAGE_READER

#endif
