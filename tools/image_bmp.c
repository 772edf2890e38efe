/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Windows bitmaps: "BM", a file header of 14 bytes (pixels' offset at 10), an info header (size at
 * 14, width 18, height 22 (negative: top row first), bits 28, compression 30, colours 46), a
 * palette of B, G, R, 0 for 8 bits, and rows padded to 4 bytes.  Uncompressed ones of 8, 24 and 32
 * bits.
 */
#include "base/checked.h"
#include "base/error.h"
#include "tools/image_formats.h"

enum { FILE_HEADER = 14, INFO_HEADER = 40, BIT_FIELDS = 3 };

static bool probe(QnBytes bytes)
{
    return bytes.size >= FILE_HEADER + INFO_HEADER && bytes.data[0] == 'B' && bytes.data[1] == 'M';
}

typedef struct Bitmap {
    const uint8_t *palette; /* [colours, 4]; of 8 bits */
    uint32_t colours;
    const uint8_t *pixels;
    size_t row_bytes;
    int bytes_per_pixel;
    bool is_top_first;
} Bitmap;

static QnStatus parse(Bitmap *bitmap, Image *out, QnBytes bytes, const char *name,
                      QnValueStore *store, QnError *err)
{
    const int32_t width = (int32_t)qn_load_u32(bytes.data + 18);
    const int32_t height = (int32_t)qn_load_u32(bytes.data + 22);
    const uint32_t bits = qn_load_u16(bytes.data + 28), packing = qn_load_u32(bytes.data + 30);
    const uint32_t info = qn_load_u32(bytes.data + 14);
    if ((bits != 8 && bits != 24 && bits != 32) ||
        (packing != 0 && !(bits == 32 && packing == BIT_FIELDS)))
        return qn_fail(err, QN_UNSUPPORTED,
                       "%s: the bitmap has %u bits per pixel and compression %u, expected 8, 24 or "
                       "32 without any",
                       name, bits, packing);
    bitmap->bytes_per_pixel = (int)bits / 8;
    bitmap->is_top_first = height < 0;
    QN_TRY(image_create(out, width, height < 0 ? -(int64_t)height : height, 3, bytes.size, name,
                        store, err));
    bitmap->row_bytes = qn_round_up((size_t)width * (size_t)bitmap->bytes_per_pixel, 4);
    const uint32_t offset = qn_load_u32(bytes.data + 10);
    if (!qn_is_range(offset, bitmap->row_bytes * (size_t)out->height, bytes.size))
        return qn_fail(err, QN_BAD_TENSOR, "%s: the file ends before the last pixel", name);
    bitmap->pixels = bytes.data + offset;
    if (bits != 8)
        return QN_OK;
    bitmap->colours = qn_load_u32(bytes.data + 46);
    bitmap->colours = bitmap->colours && bitmap->colours < 256 ? bitmap->colours : 256;
    if (!qn_is_range((uint64_t)FILE_HEADER + info, 4u * (uint64_t)bitmap->colours, bytes.size))
        return qn_fail(err, QN_BAD_TENSOR, "%s: the palette lies outside of the file", name);
    bitmap->palette = bytes.data + FILE_HEADER + info;
    return QN_OK;
}

static QnStatus read_pixels(Image *out, QnBytes bytes, const char *name, QnValueStore *store,
                            QnError *err)
{
    static const uint8_t black[4] = {0};
    Bitmap bitmap = {0};
    QN_TRY(parse(&bitmap, out, bytes, name, store, err));
    uint8_t *to = out->pixels;
    for (int y = 0; y < out->height; y++) {
        const int row = bitmap.is_top_first ? y : out->height - 1 - y;
        const uint8_t *from = bitmap.pixels + (size_t)row * bitmap.row_bytes;
        for (int x = 0; x < out->width; x++, from += bitmap.bytes_per_pixel) {
            const uint8_t *bgr = from;
            if (bitmap.palette)
                bgr = *from < bitmap.colours ? bitmap.palette + (size_t)4 * *from : black;
            for (int c = 0; c < 3; c++)
                *to++ = bgr[2 - c];
        }
    }
    return QN_OK;
}

const ImageFormat image_format_bmp = {.name = "bmp", .probe = probe, .read = read_pixels};
