/* SPDX-License-Identifier: Apache-2.0 */
/* WebP by libwebp: RGB. */
#include <stdio.h>

#include <webp/decode.h>

#include "base/image/formats.h"
#include "base/library.h"

#define FUNCTIONS(X)     \
    X(WebPDecodeRGBInto) \
    X(WebPGetFeaturesInternal)

typedef struct Library {
    FUNCTIONS(QN_LIBRARY_FIELD)
} Library;

static const char *const names[] = {FUNCTIONS(QN_LIBRARY_NAME)};

QnStatus qn_image_read_webp(QnImage *out, QnBytes bytes, QnArena *arena, QnError *err)
{
    WebPBitstreamFeatures features;
    Library library;
    QN_TRY(qn_library_open(QN_WEBP_LIBRARY, names, QN_COUNT_OF(names), &library, err));
    const VP8StatusCode code = library.WebPGetFeaturesInternal(bytes.data, bytes.size, &features,
                                                               WEBP_DECODER_ABI_VERSION);
    if (code == VP8_STATUS_UNSUPPORTED_FEATURE || (code == VP8_STATUS_OK && features.has_animation))
        return qn_fail(err, QN_UNSUPPORTED, "the picture is animated, expected a still one");
    if (code != VP8_STATUS_OK)
        return qn_fail(err, QN_BAD_TENSOR, "the WebP header is damaged");
    QN_TRY(qn_image_create(out, features.width, features.height, 3, bytes.size, QN_IMAGE_FREE,
                           arena, err));
    const int row_bytes = 3 * out->width;
    if (!library.WebPDecodeRGBInto(bytes.data, bytes.size, out->pixels,
                                   (size_t)row_bytes * (size_t)out->height, row_bytes))
        return qn_fail(err, QN_BAD_TENSOR, "the WebP data are damaged or cut off");
    return QN_OK;
}

const char *qn_image_version_webp(const char **file)
{
    *file = QN_WEBP_LIBRARY;
    return "libwebp " QN_WEBP_VERSION;
}
