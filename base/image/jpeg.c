/* SPDX-License-Identifier: Apache-2.0 */
/* JPEG by libjpeg (libjpeg-turbo): grey, RGB, or four inks, which become RGB. */
#include <setjmp.h>
#include <stdio.h>

#include <jpeglib.h>

#include "base/image/formats.h"
#include "base/library.h"

#define FUNCTIONS(X)               \
    X(jpeg_CreateDecompress)       \
    X(jpeg_calc_output_dimensions) \
    X(jpeg_destroy_decompress)     \
    X(jpeg_finish_decompress)      \
    X(jpeg_mem_src)                \
    X(jpeg_read_header)            \
    X(jpeg_read_scanlines)         \
    X(jpeg_start_decompress)       \
    X(jpeg_std_error)

typedef struct Library {
    FUNCTIONS(QN_LIBRARY_FIELD)
} Library;

static const char *const names[] = {FUNCTIONS(QN_LIBRARY_NAME)};

/* A progressive picture may ask for any number of passes over all of its pixels;
 * real ones take some ten. */
enum { SCANS_MOST = 200 };

/* libjpeg reports failures by a function that must not return. */
typedef struct Decoder {
    struct jpeg_decompress_struct info; /* first: libjpeg hands this back */
    const Library *library;
    struct jpeg_error_mgr manager;
    struct jpeg_progress_mgr progress;
    jmp_buf back;
    char message[JMSG_LENGTH_MAX];
} Decoder;

static void fail(j_common_ptr info)
{
    Decoder *decoder = (Decoder *)(void *)info;
    info->err->format_message(info, decoder->message);
    longjmp(decoder->back, 1);
}

/* Warnings of damaged data are not printed: what could be decoded is used. */
static void ignore_message(j_common_ptr info)
{
    (void)info;
}

static void count_scans(j_common_ptr info)
{
    Decoder *decoder = (Decoder *)(void *)info;
    if (decoder->info.input_scan_number <= SCANS_MOST)
        return;
    snprintf(decoder->message, sizeof decoder->message, "more than %d scans", SCANS_MOST);
    longjmp(decoder->back, 1);
}

/* Inks as programs store them: 255 is none.  `row` has room for four samples a pixel. */
static void inks_to_rgb(const uint8_t *row, int width, uint8_t *to)
{
    for (int x = 0; x < width; x++, row += 4, to += 3)
        for (int c = 0; c < 3; c++)
            to[c] = (uint8_t)((row[c] * row[3] + 127) / 255);
}

static QnStatus read_rows(Decoder *decoder, QnImage *out, QnArena *arena, QnError *err)
{
    const Library *library = decoder->library;
    struct jpeg_decompress_struct *info = &decoder->info;
    const size_t row_bytes = (size_t)out->width * (size_t)out->channels;
    uint8_t *inks = NULL;
    if (info->out_color_space == JCS_CMYK) {
        inks = qn_arena_alloc_raw(arena, (size_t)out->width * 4, 64);
        if (!inks)
            return qn_no_memory(err);
    }
    library->jpeg_start_decompress(info);
    while (info->output_scanline < info->output_height) {
        uint8_t *to = out->pixels + (size_t)info->output_scanline * row_bytes;
        JSAMPROW row = inks ? inks : to;
        library->jpeg_read_scanlines(info, &row, 1);
        if (inks)
            inks_to_rgb(inks, out->width, to);
    }
    library->jpeg_finish_decompress(info);
    return QN_OK;
}

static QnStatus decode(Decoder *decoder, QnImage *out, QnBytes bytes, QnArena *arena, QnError *err)
{
    const Library *library = decoder->library;
    struct jpeg_decompress_struct *info = &decoder->info;
    library->jpeg_mem_src(info, bytes.data, bytes.size);
    library->jpeg_read_header(info, TRUE);
    const int components = info->num_components;
    info->out_color_space = components == 1 ? JCS_GRAYSCALE : components == 4 ? JCS_CMYK : JCS_RGB;
    library->jpeg_calc_output_dimensions(info);
    QN_TRY(qn_image_create(out, info->output_width, info->output_height, components == 1 ? 1 : 3,
                           bytes.size, QN_IMAGE_DENSE, arena, err));
    return read_rows(decoder, out, arena, err);
}

QnStatus qn_image_read_jpeg(QnImage *out, QnBytes bytes, QnArena *arena, QnError *err)
{
    Library library;
    QN_TRY(qn_library_open(QN_JPEG_LIBRARY, names, QN_COUNT_OF(names), &library, err));
    Decoder decoder = {.library = &library, .progress = {.progress_monitor = count_scans}};
    decoder.info.err = library.jpeg_std_error(&decoder.manager);
    decoder.manager.error_exit = fail;
    decoder.manager.output_message = ignore_message;
    if (setjmp(decoder.back)) {
        library.jpeg_destroy_decompress(&decoder.info);
        return qn_fail(err, QN_BAD_TENSOR, "%s", decoder.message);
    }
    library.jpeg_CreateDecompress(&decoder.info, JPEG_LIB_VERSION, sizeof decoder.info);
    decoder.info.progress = &decoder.progress;
    const QnStatus status = decode(&decoder, out, bytes, arena, err);
    library.jpeg_destroy_decompress(&decoder.info);
    return status;
}

const char *qn_image_version_jpeg(const char **file)
{
    *file = QN_JPEG_LIBRARY;
#ifdef LIBJPEG_TURBO_VERSION
    return "libjpeg-turbo " QN_JPEG_VERSION;
#else
    return "libjpeg " QN_JPEG_VERSION;
#endif
}
