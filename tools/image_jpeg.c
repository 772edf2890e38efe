/* SPDX-License-Identifier: Apache-2.0 */
/* JPEG by libjpeg (libjpeg-turbo): grey or RGB. */
#include <setjmp.h>
#include <stdio.h>

#include <jpeglib.h>

#include "base/error.h"
#include "tools/image_formats.h"

/* libjpeg reports failures by a function that must not return. */
typedef struct Failure {
    struct jpeg_error_mgr manager; /* first: libjpeg sees only this */
    jmp_buf back;
    char message[JMSG_LENGTH_MAX];
} Failure;

static void fail(j_common_ptr info)
{
    Failure *failure = (Failure *)(void *)info->err;
    info->err->format_message(info, failure->message);
    longjmp(failure->back, 1);
}

/* Warnings of damaged data are not printed: what could be decoded is used. */
static void ignore_message(j_common_ptr info)
{
    (void)info;
}

static bool probe(QnBytes bytes)
{
    return bytes.size >= 3 && bytes.data[0] == 0xff && bytes.data[1] == 0xd8 &&
           bytes.data[2] == 0xff;
}

static QnStatus decode(Image *out, struct jpeg_decompress_struct *info, const char *name,
                       size_t file_size, QnValueStore *store, QnError *err)
{
    jpeg_read_header(info, TRUE);
    info->out_color_space = info->num_components == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_calc_output_dimensions(info);
    QN_TRY(image_create(out, info->output_width, info->output_height,
                        info->num_components == 1 ? 1 : 3, file_size, name, store, err));
    jpeg_start_decompress(info);
    while (info->output_scanline < info->output_height) {
        JSAMPROW row = out->pixels +
                       (size_t)info->output_scanline * (size_t)out->width * (size_t)out->channels;
        jpeg_read_scanlines(info, &row, 1);
    }
    jpeg_finish_decompress(info);
    return QN_OK;
}

static QnStatus read_pixels(Image *out, QnBytes bytes, const char *name, QnValueStore *store,
                            QnError *err)
{
    struct jpeg_decompress_struct info;
    Failure failure;
    info.err = jpeg_std_error(&failure.manager);
    failure.manager.error_exit = fail;
    failure.manager.output_message = ignore_message;
    if (setjmp(failure.back)) {
        jpeg_destroy_decompress(&info);
        return qn_fail(err, QN_BAD_TENSOR, "%s: %s", name, failure.message);
    }
    jpeg_create_decompress(&info);
    jpeg_mem_src(&info, bytes.data, bytes.size);
    const QnStatus status = decode(out, &info, name, bytes.size, store, err);
    jpeg_destroy_decompress(&info);
    return status;
}

static const char *version(void)
{
#ifdef LIBJPEG_TURBO_VERSION
#    define AS_TEXT(x)    #    x
#    define VALUE_TEXT(x) AS_TEXT(x)
    return "libjpeg-turbo " VALUE_TEXT(LIBJPEG_TURBO_VERSION);
#    undef VALUE_TEXT
#    undef AS_TEXT
#else
    return "libjpeg";
#endif
}

const ImageFormat image_format_jpeg = {
    .name = "jpeg", .version = version, .probe = probe, .read = read_pixels};
