/* SPDX-License-Identifier: Apache-2.0 */
/* The formats of pictures, one file each. */
#ifndef QN_TOOLS_IMAGE_FORMATS_H
#define QN_TOOLS_IMAGE_FORMATS_H

#include "tools/image.h"

extern const ImageFormat image_format_bmp;
extern const ImageFormat image_format_jpeg; /* in builds with libjpeg */
extern const ImageFormat image_format_png;  /* in builds with libpng */
extern const ImageFormat image_format_pnm;

#endif
