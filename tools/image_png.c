/* SPDX-License-Identifier: Apache-2.0 */
/* PNG by libpng: any depth and colour becomes 8 bits, grey or RGB; what is transparent is black
 * behind. */
#include <png.h>

#include "base/error.h"
#include "tools/image_formats.h"

static bool probe(QnBytes bytes)
{
    return bytes.size >= 8 && memcmp(bytes.data, "\x89PNG\r\n\x1a\n", 8) == 0;
}

static QnStatus read_pixels(Image *out, QnBytes bytes, const char *name, QnValueStore *store,
                            QnError *err)
{
    png_image png = {.version = PNG_IMAGE_VERSION};
    if (!png_image_begin_read_from_memory(&png, bytes.data, bytes.size))
        return qn_fail(err, QN_BAD_TENSOR, "%s: %s", name, png.message);
    const bool is_color = png.format & PNG_FORMAT_FLAG_COLOR;
    const QnStatus status =
        image_create(out, png.width, png.height, is_color ? 3 : 1, bytes.size, name, store, err);
    if (status != QN_OK) {
        png_image_free(&png);
        return status;
    }
    const png_color black = {0};
    png.format = is_color ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
    if (!png_image_finish_read(&png, &black, out->pixels, 0, NULL)) /* frees `png` either way */
        return qn_fail(err, QN_BAD_TENSOR, "%s: %s", name, png.message);
    return QN_OK;
}

static const char *version(void)
{
    return "libpng " PNG_LIBPNG_VER_STRING;
}

const ImageFormat image_format_png = {
    .name = "png", .version = version, .probe = probe, .read = read_pixels};
