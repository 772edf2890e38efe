/* SPDX-License-Identifier: Apache-2.0 */
/* The formats of pictures: those of own code, and those whose library was found. */
#include "tools/image_formats.h"
#include "base/compiler.h"
#include "base/error.h"
#include "tools/image.h"

const ImageFormat *const image_formats[] = {
    &image_format_bmp,
#ifdef QN_HAS_JPEG
    &image_format_jpeg,
#endif
#ifdef QN_HAS_PNG
    &image_format_png,
#endif
    &image_format_pnm,  NULL,
};

const ImageFormat *image_find(QnBytes bytes)
{
    for (int i = 0; image_formats[i]; i++)
        if (image_formats[i]->probe(bytes))
            return image_formats[i];
    return NULL;
}

/* Deflate packs at most 1,032 times, and PNG has up to 8 pixels in a byte; JPEG stays below. */
static const int64_t pixels_per_byte = 8 * 1032;

QnStatus image_create(Image *out, int64_t width, int64_t height, int channels, size_t file_size,
                      const char *name, QnValueStore *store, QnError *err)
{
    if (width < 1 || height < 1 || width > IMAGE_SIDE_MOST || height > IMAGE_SIDE_MOST ||
        width * height > IMAGE_PIXELS_MOST)
        return qn_fail(err, QN_BAD_TENSOR,
                       "%s: the picture has %lld x %lld pixels, expected 1 to %d in all", name,
                       (long long)width, (long long)height, IMAGE_PIXELS_MOST);
    if (width * height / pixels_per_byte > (int64_t)file_size)
        return qn_fail(err, QN_BAD_TENSOR,
                       "%s: %zu bytes cannot hold the announced %lld x %lld pixels", name,
                       file_size, (long long)width, (long long)height);
    *out = (Image){.width = (int)width, .height = (int)height, .channels = channels};
    out->pixels = qn_value_store_alloc(store, (size_t)(width * height * channels));
    return out->pixels ? QN_OK : qn_no_memory(err);
}
