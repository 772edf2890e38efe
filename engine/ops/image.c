/* SPDX-License-Identifier: Apache-2.0 */
/* ImageDecoder: from the bytes of a picture to [height, width, channels].  Bytes that cannot be
 * decoded give an empty picture; what this build or machine cannot do is an error. */
#include "base/image/image.h"

#include "engine/ops/op.h"

typedef enum Pixels { RGB, BGR, GREY, UNKNOWN } Pixels;

static Pixels pixels_of(const QnNode *node)
{
    static const char *const names[] = {"RGB", "BGR", "Grayscale"};
    int i = 0;
    while (i < UNKNOWN && !qn_op_string_is(node, "pixel_format", names[i]))
        i++;
    return (Pixels)i;
}

static QnStatus infer_decoder(QnInfer *in)
{
    const Pixels pixels = pixels_of(in->node);
    if (pixels == UNKNOWN)
        return qn_infer_fail(in, "pixel_format is none of RGB, BGR and Grayscale");
    QN_TRY(qn_infer_want_rank(in, 0, 1));
    const QnDim height = qn_infer_fresh(in), width = qn_infer_fresh(in);
    return qn_infer_tensor(in, 0, QN_UINT8,
                           &(QnShape){.rank = 3, .dims = {height, width, pixels == GREY ? 1 : 3}});
}

/* The pixels in the wanted channels. */
static void write_pixels(const QnImage *image, Pixels pixels, uint8_t *to)
{
    const size_t count = (size_t)image->width * (size_t)image->height;
    const bool is_grey = image->channels == 1;
    const uint8_t *from = image->pixels;
    for (size_t i = 0; i < count; i++, from += image->channels) {
        const uint8_t red = from[0], green = from[is_grey ? 0 : 1], blue = from[is_grey ? 0 : 2];
        if (pixels == GREY) {
            *to++ = is_grey ? red : qn_image_grey(red, green, blue);
            continue;
        }
        *to++ = pixels == RGB ? red : blue;
        *to++ = green;
        *to++ = pixels == RGB ? blue : red;
    }
}

static QnStatus decode(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0);
    const Pixels pixels = pixels_of(call->node);
    QnImage image = {0};
    QnTensor *y;
    QnStatus status = qn_image_read(&image, qn_bytes(x->data, (size_t)qn_tensor_count(x)),
                                    call->scratch, call->err);
    if (status != QN_OK && status != QN_BAD_TENSOR)
        return qn_call_name(call, status);
    const bool is_empty = status == QN_BAD_TENSOR;
    const int64_t dims[] = {is_empty ? 0 : image.height, is_empty ? 0 : image.width,
                            pixels == GREY ? 1 : 3};
    QN_TRY(qn_call_output(call, 0, QN_UINT8, 3, dims, &y));
    if (!is_empty)
        write_pixels(&image, pixels, y->data);
    return QN_OK;
}

static const QnOpAttribute attributes[] = {{"pixel_format", QN_ATTRIBUTE_STRING, .s = "RGB"}, {0}};

const QnOp qn_ops_image[] = {
    {.name = "ImageDecoder",
     .since = 20,
     .inputs = "encoded_stream: uint8",
     .outputs = "image: uint8",
     .attributes = attributes,
     .traits = QN_OP_DYNAMIC | QN_OP_PORTABLE,
     .infer = infer_decoder,
     .reference = decode},
    {0},
};
