/* SPDX-License-Identifier: Apache-2.0 */
/* The formats of pictures, how each begins, and what bounds all of them. */
#include "base/image/image.h"

#include <ctype.h>

#include "base/image/formats.h"

static bool begins(QnBytes bytes, size_t at, const char *magic, size_t size)
{
    return bytes.size >= at + size && memcmp(bytes.data + at, magic, size) == 0;
}

/* Two letters are few: the size of the header behind them must be one that exists. */
static bool is_bmp(QnBytes bytes)
{
    return begins(bytes, 0, "BM", 2) && bytes.size >= 26 && qn_load_u32(bytes.data + 14) >= 12 &&
           qn_load_u32(bytes.data + 14) <= 124;
}

static bool is_jpeg(QnBytes bytes)
{
    return begins(bytes, 0, "\xff\xd8\xff", 3);
}

/* In a box format, or as a bare code stream. */
static bool is_jpeg2000(QnBytes bytes)
{
    return begins(bytes, 0, "\0\0\0\x0cjP  \r\n\x87\n", 12) ||
           begins(bytes, 0, "\xff\x4f\xff\x51", 4);
}

static bool is_png(QnBytes bytes)
{
    return begins(bytes, 0, "\x89PNG\r\n\x1a\n", 8);
}

static bool is_pnm(QnBytes bytes)
{
    return bytes.size > 3 && bytes.data[0] == 'P' && bytes.data[1] >= '1' && bytes.data[1] <= '6' &&
           isspace(bytes.data[2]);
}

static bool is_tiff(QnBytes bytes)
{
    return begins(bytes, 0, "II*\0", 4) || begins(bytes, 0, "MM\0*", 4);
}

static bool is_webp(QnBytes bytes)
{
    return begins(bytes, 0, "RIFF", 4) && begins(bytes, 8, "WEBP", 4);
}

#define OWN(name)              #name, NULL, is_##name, qn_image_read_##name, NULL
#define BY(name, library)      #name, library, is_##name, qn_image_read_##name, qn_image_version_##name
#define WITHOUT(name, library) #name, library, is_##name, NULL, NULL

/* clang-format off */
const QnImageFormat qn_image_formats[] = {
    {OWN(bmp)},
#ifdef QN_HAS_JPEG
    {BY(jpeg, "libjpeg")},
#else
    {WITHOUT(jpeg, "libjpeg")},
#endif
#ifdef QN_HAS_JPEG2000
    {BY(jpeg2000, "OpenJPEG")},
#else
    {WITHOUT(jpeg2000, "OpenJPEG")},
#endif
#ifdef QN_HAS_PNG
    {BY(png, "libpng")},
#else
    {WITHOUT(png, "libpng")},
#endif
    {OWN(pnm)},
#ifdef QN_HAS_TIFF
    {BY(tiff, "libtiff")},
#else
    {WITHOUT(tiff, "libtiff")},
#endif
#ifdef QN_HAS_WEBP
    {BY(webp, "libwebp")},
#else
    {WITHOUT(webp, "libwebp")},
#endif
    {0},
};
/* clang-format on */

#undef OWN
#undef BY
#undef WITHOUT

const QnImageFormat *qn_image_find(QnBytes bytes)
{
    for (const QnImageFormat *format = qn_image_formats; format->name; format++)
        if (format->probe(bytes))
            return format;
    return NULL;
}

QnStatus qn_image_read(QnImage *out, QnBytes bytes, QnArena *arena, QnError *err)
{
    const QnImageFormat *format = qn_image_find(bytes);
    if (!format)
        return qn_fail(err, QN_BAD_TENSOR, "the bytes are no picture of a known format");
    if (!format->read)
        return qn_fail(err, QN_UNSUPPORTED, "this build reads no %s pictures: it lacks %s",
                       format->name, format->library);
    return format->read(out, bytes, arena, err);
}

/* Deflate packs at most 1,032 times, and PNG has up to 8 pixels in a byte; JPEG stays below. */
static const int64_t pixels_per_byte = 8 * 1032;

enum { SIDE_MOST = 65536, PIXELS_MOST = 1 << 28, FREE_PIXELS_MOST = 1 << 26 };

QnStatus qn_image_create(QnImage *out, int64_t width, int64_t height, int channels,
                         size_t file_size, QnImagePacking packing, QnArena *arena, QnError *err)
{
    const int most = packing == QN_IMAGE_FREE ? FREE_PIXELS_MOST : PIXELS_MOST;
    if (width < 1 || height < 1)
        return qn_fail(err, QN_BAD_TENSOR, "the picture has %lld x %lld pixels", (long long)width,
                       (long long)height);
    if (width > SIDE_MOST || height > SIDE_MOST || width * height > most)
        return qn_fail(err, QN_UNSUPPORTED,
                       "the picture has %lld x %lld pixels, expected %d at most", (long long)width,
                       (long long)height, most);
    if (packing == QN_IMAGE_DENSE && width * height / pixels_per_byte > (int64_t)file_size)
        return qn_fail(err, QN_BAD_TENSOR, "%zu bytes cannot hold the announced %lld x %lld pixels",
                       file_size, (long long)width, (long long)height);
    *out = (QnImage){.width = (int)width, .height = (int)height, .channels = channels};
    out->pixels = qn_arena_alloc_raw(arena, (size_t)(width * height * channels), 64);
    return out->pixels ? QN_OK : qn_no_memory(err);
}
