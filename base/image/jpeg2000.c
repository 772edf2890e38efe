/* SPDX-License-Identifier: Apache-2.0 */
/* JPEG 2000 by OpenJPEG: grey or RGB, in boxes or as a bare code stream. */
#include <stdio.h>

#include <openjpeg.h>

#include "base/image/formats.h"
#include "base/library.h"

#define FUNCTIONS(X)                      \
    X(opj_create_decompress)              \
    X(opj_decode)                         \
    X(opj_destroy_codec)                  \
    X(opj_end_decompress)                 \
    X(opj_image_destroy)                  \
    X(opj_read_header)                    \
    X(opj_set_default_decoder_parameters) \
    X(opj_set_error_handler)              \
    X(opj_set_info_handler)               \
    X(opj_set_warning_handler)            \
    X(opj_setup_decoder)                  \
    X(opj_stream_default_create)          \
    X(opj_stream_destroy)                 \
    X(opj_stream_set_read_function)       \
    X(opj_stream_set_seek_function)       \
    X(opj_stream_set_skip_function)       \
    X(opj_stream_set_user_data)           \
    X(opj_stream_set_user_data_length)

typedef struct Library {
    FUNCTIONS(QN_LIBRARY_FIELD)
} Library;

static const char *const names[] = {FUNCTIONS(QN_LIBRARY_NAME)};

/* ---- bytes as a stream ---- */

typedef struct Source {
    QnBytes bytes;
    size_t at;
    char message[200];
} Source;

static OPJ_SIZE_T take_bytes(void *to, OPJ_SIZE_T size, void *user)
{
    Source *source = user;
    const size_t left = source->bytes.size - source->at;
    if (left == 0)
        return (OPJ_SIZE_T)-1;
    const size_t taken = size < left ? size : left;
    memcpy(to, source->bytes.data + source->at, taken);
    source->at += taken;
    return taken;
}

static OPJ_BOOL seek(OPJ_OFF_T offset, void *user)
{
    Source *source = user;
    if (offset < 0 || (uint64_t)offset > source->bytes.size)
        return OPJ_FALSE;
    source->at = (size_t)offset;
    return OPJ_TRUE;
}

static OPJ_OFF_T skip(OPJ_OFF_T count, void *user)
{
    Source *source = user;
    if (count < 0 || (uint64_t)count > source->bytes.size - source->at)
        return -1;
    source->at += (size_t)count;
    return count;
}

static opj_stream_t *open_stream(const Library *library, Source *source)
{
    opj_stream_t *stream = library->opj_stream_default_create(OPJ_TRUE);
    if (!stream)
        return NULL;
    library->opj_stream_set_user_data(stream, source, NULL);
    library->opj_stream_set_user_data_length(stream, source->bytes.size);
    library->opj_stream_set_read_function(stream, take_bytes);
    library->opj_stream_set_seek_function(stream, seek);
    library->opj_stream_set_skip_function(stream, skip);
    return stream;
}

/* Messages end with a new line. */
static void keep_message(const char *message, void *user)
{
    Source *source = user;
    const size_t size = strcspn(message, "\n");
    snprintf(source->message, sizeof source->message, "%.*s", (int)size, message);
}

static void ignore_message(const char *message, void *user)
{
    (void)message;
    (void)user;
}

/* ---- samples to pixels ---- */

/* A sample of any depth, signed or not, as 0 to 255. */
static int to_byte(const opj_image_comp_t *plane, int32_t sample)
{
    const int64_t most = (INT64_C(1) << plane->prec) - 1;
    const int64_t value = (int64_t)sample + (plane->sgnd ? INT64_C(1) << (plane->prec - 1) : 0);
    const int64_t inside = value < 0 ? 0 : value > most ? most : value;
    return (int)((inside * 255 + most / 2) / most);
}

/* The sample of a plane, which may have fewer of them than the picture, at a pixel. */
static int sample_at(const opj_image_comp_t *plane, int width, int height, int x, int y)
{
    const int64_t column = (int64_t)x * plane->w / width, row = (int64_t)y * plane->h / height;
    return to_byte(plane, plane->data[row * plane->w + column]);
}

static uint8_t clamp(double value)
{
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value + 0.5);
}

/* From brightness and two differences of colour around 128. */
static void video_to_rgb(uint8_t *p)
{
    const double y = p[0], blue = p[1] - 128.0, red = p[2] - 128.0;
    p[0] = clamp(y + 1.402 * red);
    p[1] = clamp(y - 0.344136 * blue - 0.714136 * red);
    p[2] = clamp(y + 1.772 * blue);
}

static void fill(QnImage *out, const opj_image_t *image)
{
    uint8_t *to = out->pixels;
    for (int y = 0; y < out->height; y++)
        for (int x = 0; x < out->width; x++, to += out->channels) {
            for (int c = 0; c < out->channels; c++)
                to[c] = (uint8_t)sample_at(&image->comps[c], out->width, out->height, x, y);
            if (image->color_space == OPJ_CLRSPC_SYCC && out->channels == 3)
                video_to_rgb(to);
        }
}

static QnStatus check_planes(const opj_image_t *image, int channels, QnError *err)
{
    for (int c = 0; c < channels; c++) {
        const opj_image_comp_t *plane = &image->comps[c];
        if (!plane->data || plane->w < 1 || plane->h < 1 || plane->prec < 1 || plane->prec > 31)
            return qn_fail(err, QN_BAD_TENSOR, "component %d of the picture has no samples", c);
    }
    return QN_OK;
}

/* ---- decoding ---- */

typedef struct Decoder {
    Library library;
    opj_codec_t *codec;
    opj_stream_t *stream;
    opj_image_t *image;
    Source source;
} Decoder;

static QnStatus start(Decoder *decoder, QnError *err)
{
    const Library *library = &decoder->library;
    opj_dparameters_t parameters;
    const bool is_bare = decoder->source.bytes.data[0] == 0xff;
    library->opj_set_default_decoder_parameters(&parameters);
    decoder->codec = library->opj_create_decompress(is_bare ? OPJ_CODEC_J2K : OPJ_CODEC_JP2);
    decoder->stream = open_stream(library, &decoder->source);
    if (!decoder->codec || !decoder->stream)
        return qn_no_memory(err);
    library->opj_set_error_handler(decoder->codec, keep_message, &decoder->source);
    library->opj_set_warning_handler(decoder->codec, ignore_message, NULL);
    library->opj_set_info_handler(decoder->codec, ignore_message, NULL);
    if (!library->opj_setup_decoder(decoder->codec, &parameters) ||
        !library->opj_read_header(decoder->stream, decoder->codec, &decoder->image))
        return qn_fail(err, QN_BAD_TENSOR, "%s", decoder->source.message);
    return QN_OK;
}

static QnStatus decode(Decoder *decoder, QnImage *out, QnArena *arena, QnError *err)
{
    const Library *library = &decoder->library;
    QN_TRY(start(decoder, err));
    opj_image_t *image = decoder->image;
    const int channels = image->numcomps >= 3 ? 3 : 1;
    if (image->color_space == OPJ_CLRSPC_CMYK || image->color_space == OPJ_CLRSPC_EYCC)
        return qn_fail(err, QN_UNSUPPORTED, "its colours are neither grey, RGB nor sYCC");
    QN_TRY(qn_image_create(out, (int64_t)image->x1 - image->x0, (int64_t)image->y1 - image->y0,
                           channels, decoder->source.bytes.size, QN_IMAGE_FREE, arena, err));
    if (!library->opj_decode(decoder->codec, decoder->stream, image) ||
        !library->opj_end_decompress(decoder->codec, decoder->stream))
        return qn_fail(err, QN_BAD_TENSOR, "%s", decoder->source.message);
    QN_TRY(check_planes(image, channels, err));
    fill(out, image);
    return QN_OK;
}

QnStatus qn_image_read_jpeg2000(QnImage *out, QnBytes bytes, QnArena *arena, QnError *err)
{
    Decoder decoder = {.source = {.bytes = bytes, .message = "the code stream is damaged"}};
    const Library *library = &decoder.library;
    QN_TRY(qn_library_open(QN_JPEG2000_LIBRARY, names, QN_COUNT_OF(names), &decoder.library, err));
    const QnStatus status = decode(&decoder, out, arena, err);
    library->opj_image_destroy(decoder.image);
    library->opj_stream_destroy(decoder.stream);
    library->opj_destroy_codec(decoder.codec);
    return status;
}

const char *qn_image_version_jpeg2000(const char **file)
{
    *file = QN_JPEG2000_LIBRARY;
    return "OpenJPEG " QN_JPEG2000_VERSION;
}
