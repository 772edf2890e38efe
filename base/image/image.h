/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pictures: from the bytes of a file to pixels.
 *
 * BMP and PNM are read by own code, the others each by a library where the build found it; a build
 * without it still knows the format by its first bytes and says what is missing.
 */
#ifndef QN_BASE_IMAGE_IMAGE_H
#define QN_BASE_IMAGE_IMAGE_H

#include "base/arena.h"

/* Rows from top to bottom, pixels from left to right, channels fastest: 1 grey, 3 RGB.  What is
 * transparent has the colour that the file gives it. */
typedef struct QnImage {
    int width, height, channels;
    uint8_t *pixels; /* [height, width, channels], of the arena */
} QnImage;

/* A format; the table of all ends with a NULL name. */
typedef struct QnImageFormat {
    const char *name;
    const char *library; /* "libwebp"; NULL: own code */
    bool (*probe)(QnBytes bytes);
    QnStatus (*read)(QnImage *out, QnBytes bytes, QnArena *arena, QnError *err); /* NULL: absent */
    /* "libwebp 1.2.4", and the file it is in; NULL: own code, or absent. */
    const char *(*version)(const char **file);
} QnImageFormat;

extern const QnImageFormat qn_image_formats[];

/* The format that some bytes have, or NULL. */
const QnImageFormat *qn_image_find(QnBytes bytes);

/*
 * Decodes a picture.  QN_BAD_TENSOR where the bytes are damaged or of no known format;
 * QN_UNSUPPORTED where this build lacks the library, or the picture is of a kind that it does not
 * read, or has more than 2^28 pixels (2^26 where a few bytes may stand for any number of them).
 */
QnStatus qn_image_read(QnImage *out, QnBytes bytes, QnArena *arena, QnError *err);

/* The brightness of a colour, as video has it: 0.299 R + 0.587 G + 0.114 B, rounded. */
static inline uint8_t qn_image_grey(uint8_t red, uint8_t green, uint8_t blue)
{
    return (uint8_t)((19595u * red + 38470u * green + 7471u * blue + 32768u) >> 16);
}

#endif
