/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Windows bitmaps: "BM", a file header of 14 bytes (pixels' offset at 10), an info header (size at
 * 14, width 18, height 22 (negative: top row first), bits 28, compression 30, colours 46, masks
 * 54), a palette of B, G, R, 0 for up to 8 bits, and rows padded to 4 bytes.  Uncompressed ones of
 * 1, 4, 8, 16, 24 and 32 bits; the first sample of a byte is in its high bits.
 */
#include "base/checked.h"
#include "base/image/formats.h"

enum { FILE_HEADER = 14, INFO_HEADER = 40, MASKS_AT = 54, NO_PACKING = 0, BIT_FIELDS = 3 };

typedef struct Bitmap {
    const uint8_t *palette; /* [colours, 4]; of up to 8 bits */
    uint32_t colours;
    const uint8_t *pixels;
    size_t row_bytes;
    uint32_t bits;
    uint32_t masks[3]; /* of 16 and 32 bits: where red, green and blue are */
    bool is_top_first;
} Bitmap;

static bool is_readable(uint32_t bits, uint32_t packing)
{
    const bool has_masks = bits == 16 || bits == 32;
    return (bits == 1 || bits == 4 || bits == 8 || bits == 24 || has_masks) &&
           (packing == NO_PACKING || (has_masks && packing == BIT_FIELDS));
}

static QnStatus find_palette(Bitmap *bitmap, QnBytes bytes, QnError *err)
{
    const uint64_t at = (uint64_t)FILE_HEADER + qn_load_u32(bytes.data + 14);
    const uint32_t most = 1u << bitmap->bits;
    bitmap->colours = qn_load_u32(bytes.data + 46);
    bitmap->colours = bitmap->colours && bitmap->colours < most ? bitmap->colours : most;
    if (!qn_is_range(at, 4 * (uint64_t)bitmap->colours, bytes.size))
        return qn_fail(err, QN_BAD_TENSOR, "the palette lies outside of the file");
    bitmap->palette = bytes.data + at;
    return QN_OK;
}

static QnStatus find_masks(Bitmap *bitmap, QnBytes bytes, uint32_t packing, QnError *err)
{
    static const uint32_t usual[2][3] = {{0x7c00, 0x3e0, 0x1f}, {0xff0000, 0xff00, 0xff}};
    if (packing == BIT_FIELDS && bytes.size < MASKS_AT + sizeof bitmap->masks)
        return qn_fail(err, QN_BAD_TENSOR, "the file ends before the masks of its colours");
    for (int c = 0; c < 3; c++)
        bitmap->masks[c] = packing == BIT_FIELDS ? qn_load_u32(bytes.data + MASKS_AT + 4 * c)
                                                 : usual[bitmap->bits == 32][c];
    return QN_OK;
}

static QnStatus parse(Bitmap *bitmap, QnImage *out, QnBytes bytes, QnArena *arena, QnError *err)
{
    if (bytes.size < FILE_HEADER + INFO_HEADER || qn_load_u32(bytes.data + 14) < INFO_HEADER)
        return qn_fail(err, QN_UNSUPPORTED,
                       "the bitmap has a header of before 1990, expected %d bytes at least",
                       INFO_HEADER);
    const int32_t width = (int32_t)qn_load_u32(bytes.data + 18);
    const int32_t height = (int32_t)qn_load_u32(bytes.data + 22);
    const uint32_t packing = qn_load_u32(bytes.data + 30), offset = qn_load_u32(bytes.data + 10);
    bitmap->bits = qn_load_u16(bytes.data + 28);
    bitmap->is_top_first = height < 0;
    if (!is_readable(bitmap->bits, packing))
        return qn_fail(err, QN_UNSUPPORTED,
                       "the bitmap has %u bits per pixel and compression %u, expected 1, 4, 8, 16, "
                       "24 or 32 without any",
                       bitmap->bits, packing);
    QN_TRY(qn_image_create(out, width, height < 0 ? -(int64_t)height : height, 3, bytes.size,
                           QN_IMAGE_DENSE, arena, err));
    bitmap->row_bytes = ((size_t)width * bitmap->bits + 31) / 32 * 4;
    if (!qn_is_range(offset, bitmap->row_bytes * (size_t)out->height, bytes.size))
        return qn_fail(err, QN_BAD_TENSOR, "the file ends before the last pixel");
    bitmap->pixels = bytes.data + offset;
    if (bitmap->bits <= 8)
        return find_palette(bitmap, bytes, err);
    return bitmap->bits == 24 ? QN_OK : find_masks(bitmap, bytes, packing, err);
}

/* The bits under a mask, as 0 to 255. */
static uint8_t under_mask(uint32_t pixel, uint32_t mask)
{
    if (!mask)
        return 0;
    const int shift = __builtin_ctz(mask);
    const uint64_t value = (pixel & mask) >> shift, most = mask >> shift;
    return (uint8_t)((value * 255 + most / 2) / most);
}

/* One pixel's red, green and blue. */
static void read_pixel(const Bitmap *bitmap, const uint8_t *row, int x, uint8_t *to)
{
    static const uint8_t black[4] = {0};
    const uint32_t bits = bitmap->bits;
    if (bits == 16 || bits == 32) {
        const uint32_t pixel = bits == 16 ? qn_load_u16(row + 2 * x) : qn_load_u32(row + 4 * x);
        for (int c = 0; c < 3; c++)
            to[c] = under_mask(pixel, bitmap->masks[c]);
        return;
    }
    const uint8_t *bgr = row + 3 * x;
    if (bitmap->palette) {
        const uint32_t at = (uint32_t)x * bits;
        const uint32_t index = row[at / 8] >> (8 - bits - at % 8) & ((1u << bits) - 1);
        bgr = index < bitmap->colours ? bitmap->palette + (size_t)4 * index : black;
    }
    for (int c = 0; c < 3; c++)
        to[c] = bgr[2 - c];
}

QnStatus qn_image_read_bmp(QnImage *out, QnBytes bytes, QnArena *arena, QnError *err)
{
    Bitmap bitmap = {0};
    QN_TRY(parse(&bitmap, out, bytes, arena, err));
    uint8_t *to = out->pixels;
    for (int y = 0; y < out->height; y++) {
        const int row = bitmap.is_top_first ? y : out->height - 1 - y;
        for (int x = 0; x < out->width; x++, to += 3)
            read_pixel(&bitmap, bitmap.pixels + (size_t)row * bitmap.row_bytes, x, to);
    }
    return QN_OK;
}
