/* SPDX-License-Identifier: Apache-2.0 */
/* TIFF by libtiff: RGB, of the file's first picture. */
#include <stdio.h>

#include <tiffio.h>

#include "base/compiler.h"
#include "base/image/formats.h"
#include "base/library.h"

#define FUNCTIONS(X)                        \
    X(TIFFClientOpenExt)                    \
    X(TIFFClose)                            \
    X(TIFFGetField)                         \
    X(TIFFOpenOptionsAlloc)                 \
    X(TIFFOpenOptionsFree)                  \
    X(TIFFOpenOptionsSetErrorHandlerExtR)   \
    X(TIFFOpenOptionsSetWarningHandlerExtR) \
    X(TIFFReadRGBAImageOriented)

typedef struct Library {
    FUNCTIONS(QN_LIBRARY_FIELD)
} Library;

static const char *const names[] = {FUNCTIONS(QN_LIBRARY_NAME)};

/* ---- bytes as a file ---- */

typedef struct Source {
    QnBytes bytes;
    uint64_t at;
    char message[200];
} Source;

static tmsize_t take_bytes(thandle_t handle, void *to, tmsize_t size)
{
    Source *source = handle;
    if (size < 0 || source->at >= source->bytes.size)
        return 0;
    const size_t left = source->bytes.size - (size_t)source->at;
    const size_t taken = (size_t)size < left ? (size_t)size : left;
    memcpy(to, source->bytes.data + source->at, taken);
    source->at += taken;
    return (tmsize_t)taken;
}

static tmsize_t refuse_bytes(thandle_t handle, void *from, tmsize_t size)
{
    (void)handle;
    (void)from;
    (void)size;
    return 0;
}

static toff_t seek(thandle_t handle, toff_t offset, int whence)
{
    Source *source = handle;
    const uint64_t base = whence == SEEK_CUR   ? source->at
                          : whence == SEEK_END ? source->bytes.size
                                               : 0;
    return source->at = base + offset;
}

static toff_t size_of(thandle_t handle)
{
    return ((Source *)handle)->bytes.size;
}

static int close_source(thandle_t handle)
{
    (void)handle;
    return 0;
}

/* The first message says what was wrong; those after it, what did not work because of it. */
static QN_PRINTF(4, 0) int keep_message(TIFF *tiff, void *user, const char *module,
                                        const char *format, va_list args)
{
    Source *source = user;
    (void)tiff;
    (void)module;
    if (!*source->message)
        vsnprintf(source->message, sizeof source->message, format, args);
    return 1;
}

static int ignore_message(TIFF *tiff, void *user, const char *module, const char *format,
                          va_list args)
{
    (void)tiff;
    (void)user;
    (void)module;
    (void)format;
    (void)args;
    return 1;
}

static TIFF *open_bytes(const Library *library, Source *source)
{
    TIFFOpenOptions *options = library->TIFFOpenOptionsAlloc();
    if (!options)
        return NULL;
    library->TIFFOpenOptionsSetErrorHandlerExtR(options, keep_message, source);
    library->TIFFOpenOptionsSetWarningHandlerExtR(options, ignore_message, NULL);
    TIFF *tiff = library->TIFFClientOpenExt("picture", "rm", source, take_bytes, refuse_bytes, seek,
                                            close_source, size_of, NULL, NULL, options);
    library->TIFFOpenOptionsFree(options);
    return tiff;
}

/* ---- decoding ---- */

static QnStatus decode(const Library *library, TIFF *tiff, Source *source, QnImage *out,
                       QnArena *arena, QnError *err)
{
    uint32_t width = 0, height = 0;
    library->TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
    library->TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &height);
    QN_TRY(qn_image_create(out, width, height, 3, source->bytes.size, QN_IMAGE_FREE, arena, err));
    const size_t count = (size_t)width * height;
    uint32_t *raster = qn_arena_alloc_raw(arena, count * sizeof *raster, 64);
    if (!raster)
        return qn_no_memory(err);
    if (!library->TIFFReadRGBAImageOriented(tiff, width, height, raster, ORIENTATION_TOPLEFT, 1))
        return qn_fail(err, QN_BAD_TENSOR, "%s", source->message);
    for (size_t i = 0; i < count; i++) {
        out->pixels[3 * i] = (uint8_t)TIFFGetR(raster[i]);
        out->pixels[3 * i + 1] = (uint8_t)TIFFGetG(raster[i]);
        out->pixels[3 * i + 2] = (uint8_t)TIFFGetB(raster[i]);
    }
    return QN_OK;
}

QnStatus qn_image_read_tiff(QnImage *out, QnBytes bytes, QnArena *arena, QnError *err)
{
    Library library;
    Source source = {.bytes = bytes};
    QN_TRY(qn_library_open(QN_TIFF_LIBRARY, names, QN_COUNT_OF(names), &library, err));
    TIFF *tiff = open_bytes(&library, &source);
    if (!tiff)
        return qn_fail(err, QN_BAD_TENSOR, "%s",
                       *source.message ? source.message : "libtiff cannot open it");
    const QnStatus status = decode(&library, tiff, &source, out, arena, err);
    library.TIFFClose(tiff);
    return status;
}

const char *qn_image_version_tiff(const char **file)
{
    *file = QN_TIFF_LIBRARY;
    return "libtiff " QN_TIFF_VERSION;
}
