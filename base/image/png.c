/* SPDX-License-Identifier: Apache-2.0 */
/* PNG by libpng: any depth and colour becomes 8 bits, grey or RGB. */
#include <png.h>

#include "base/image/formats.h"
#include "base/library.h"

#define FUNCTIONS(X)                    \
    X(png_image_begin_read_from_memory) \
    X(png_image_finish_read)            \
    X(png_image_free)

typedef struct Library {
    FUNCTIONS(QN_LIBRARY_FIELD)
} Library;

static const char *const names[] = {FUNCTIONS(QN_LIBRARY_NAME)};

/* Takes the last of each pixel's channels away: [count, channels + 1] to [count, channels]. */
static void drop_alpha(const uint8_t *from, size_t count, int channels, uint8_t *to)
{
    for (size_t i = 0; i < count; i++, from++)
        for (int c = 0; c < channels; c++)
            *to++ = *from++;
}

static QnStatus decode(const Library *library, png_image *png, QnImage *out, size_t file_size,
                       QnArena *arena, QnError *err)
{
    const bool is_color = png->format & PNG_FORMAT_FLAG_COLOR,
               has_alpha = png->format & PNG_FORMAT_FLAG_ALPHA;
    QN_TRY(qn_image_create(out, png->width, png->height, is_color ? 3 : 1, file_size,
                           QN_IMAGE_DENSE, arena, err));
    const size_t count = (size_t)out->width * (size_t)out->height;
    uint8_t *pixels = out->pixels;
    if (has_alpha)
        pixels = qn_arena_alloc_raw(arena, count * (size_t)(out->channels + 1), 64);
    if (!pixels)
        return qn_no_memory(err);
    png->format = is_color ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
    png->format |= has_alpha ? PNG_FORMAT_FLAG_ALPHA : 0;
    png->flags |= PNG_IMAGE_FLAG_16BIT_sRGB; /* 16 bits without a word on gamma mean what 8 do */
    if (!library->png_image_finish_read(png, NULL, pixels, 0, NULL))
        return qn_fail(err, QN_BAD_TENSOR, "%s", png->message);
    if (has_alpha)
        drop_alpha(pixels, count, out->channels, out->pixels);
    return QN_OK;
}

QnStatus qn_image_read_png(QnImage *out, QnBytes bytes, QnArena *arena, QnError *err)
{
    Library library;
    png_image png = {.version = PNG_IMAGE_VERSION};
    QN_TRY(qn_library_open(QN_PNG_LIBRARY, names, QN_COUNT_OF(names), &library, err));
    if (!library.png_image_begin_read_from_memory(&png, bytes.data, bytes.size))
        return qn_fail(err, QN_BAD_TENSOR, "%s", png.message);
    const QnStatus status = decode(&library, &png, out, bytes.size, arena, err);
    library.png_image_free(&png);
    return status;
}

const char *qn_image_version_png(const char **file)
{
    *file = QN_PNG_LIBRARY;
    return "libpng " QN_PNG_VERSION;
}
