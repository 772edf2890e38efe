/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CropAndResize: boxes of images, each resized to one size.  A box is y1, x1, y2, x2, where 0 and 1
 * are the centers of the first and the last pixel; the corners of box and result align.  What lies
 * outside of the image has a value of its own.
 */
#include <math.h>

#include "engine/ops/op.h"

enum { SIZE_LIMIT = 1 << 20 };

static QnStatus check_rows(const QnInfer *in, const QnShape *rois, const QnShape *batch)
{
    if (rois && qn_dim_is_known(rois->dims[1]) && rois->dims[1] != 4)
        return qn_infer_fail(in, "boxes have %lld numbers, expected 4", (long long)rois->dims[1]);
    if (rois && batch && qn_dim_is_known(rois->dims[0]) && qn_dim_is_known(batch->dims[0]) &&
        rois->dims[0] != batch->dims[0])
        return qn_infer_fail(in, "there are %lld boxes for %lld batch indices",
                             (long long)rois->dims[0], (long long)batch->dims[0]);
    return QN_OK;
}

static QnStatus infer(QnInfer *in)
{
    QnDim size[2];
    if (!qn_op_string_is(in->node, "mode", "bilinear") &&
        !qn_op_string_is(in->node, "mode", "nearest"))
        return qn_infer_fail(in, "mode is not bilinear or nearest");
    QN_TRY(qn_infer_want_rank(in, 0, 4));
    QN_TRY(qn_infer_want_rank(in, 1, 2));
    QN_TRY(qn_infer_want_rank(in, 2, 1));
    QN_TRY(qn_infer_want_rank(in, 3, 1));
    const QnShape *x = qn_infer_shape(in, 0), *rois = qn_infer_shape(in, 1);
    const QnShape *batch = qn_infer_shape(in, 2), *given = qn_infer_shape(in, 3);
    QN_TRY(check_rows(in, rois, batch));
    if (given && qn_dim_is_known(given->dims[0]) && given->dims[0] != 2)
        return qn_infer_fail(in, "crop_size has %lld elements, expected 2",
                             (long long)given->dims[0]);
    const bool is_known = qn_infer_ints(in, 3, size, 2) == 2;
    for (int i = 0; i < 2; i++) {
        int64_t number = 1;
        if (!is_known)
            size[i] = qn_infer_fresh(in);
        else if (qn_dim_constant(in->dims, size[i], &number) && (number < 1 || number > SIZE_LIMIT))
            return qn_infer_fail(in, "crop_size[%d] is %lld, expected 1 to %d", i,
                                 (long long)number, SIZE_LIMIT);
    }
    const QnShape y = {.rank = 4,
                       .dims = {rois ? rois->dims[0] : qn_infer_fresh(in),
                                x ? x->dims[1] : qn_infer_fresh(in), size[0], size[1]}};
    return qn_infer_tensor(in, 0, qn_infer_element(in, 0), &y);
}

/* Where sample i of `count` between two edges lies on `length` pixels. */
static double place(double begin, double end, int64_t i, int64_t count, int64_t length)
{
    const double last = (double)(length - 1);
    if (count == 1)
        return 0.5 * (begin + end) * last;
    return (begin + (end - begin) * (double)i / (double)(count - 1)) * last;
}

static double sample(const QnTensor *x, int64_t plane, double row, double column, bool is_nearest)
{
    const int64_t first = plane * x->dims[2] * x->dims[3], width = x->dims[3];
    if (is_nearest) /* halves are halves of floats */
        return qn_tensor_get(x, first + (int64_t)roundf((float)row) * width +
                                    (int64_t)roundf((float)column));
    const int64_t top = (int64_t)floor(row), bottom = (int64_t)ceil(row);
    const int64_t left = (int64_t)floor(column), right = (int64_t)ceil(column);
    const double across = column - (double)left, down = row - (double)top;
    const double a = qn_tensor_get(x, first + top * width + left) * (1 - across) +
                     qn_tensor_get(x, first + top * width + right) * across;
    const double b = qn_tensor_get(x, first + bottom * width + left) * (1 - across) +
                     qn_tensor_get(x, first + bottom * width + right) * across;
    return a + (b - a) * down;
}

/* Box r of image `image`, all channels. */
static QnStatus crop(const QnCall *call, int64_t r, int64_t image)
{
    const QnTensor *x = qn_call_input(call, 0);
    QnTensor *y = qn_call_result(call, 0);
    const bool is_nearest = qn_op_string_is(call->node, "mode", "nearest");
    const double outside = qn_op_float(call->node, "extrapolation_value");
    const int64_t channels = x->dims[1], rows = y->dims[2], columns = y->dims[3];
    double box[4];
    qn_tensor_read_row(qn_call_input(call, 1), r * 4, 1, 4, box);
    for (int64_t i = 0; i < rows; i++) {
        QN_TRY(qn_call_poll(call));
        const double row = place(box[0], box[2], i, rows, x->dims[2]);
        for (int64_t j = 0; j < columns; j++) {
            const double column = place(box[1], box[3], j, columns, x->dims[3]);
            const bool is_inside = row >= 0 && row <= (double)(x->dims[2] - 1) && column >= 0 &&
                                   column <= (double)(x->dims[3] - 1);
            for (int64_t c = 0; c < channels; c++)
                qn_tensor_set(y, ((r * channels + c) * rows + i) * columns + j,
                              is_inside ? sample(x, image * channels + c, row, column, is_nearest)
                                        : outside);
        }
    }
    return QN_OK;
}

static QnStatus crop_and_resize(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0), *batch = qn_call_input(call, 2);
    const int64_t count = qn_tensor_count(batch);
    for (int64_t r = 0; r < count; r++) {
        const int64_t image = qn_tensor_get_int(batch, r);
        if (image < 0 || image >= x->dims[0])
            return qn_call_fail(call, "batch_indices[%lld] is %lld, expected 0 to %lld",
                                (long long)r, (long long)image, (long long)x->dims[0] - 1);
        QN_TRY(crop(call, r, image));
    }
    return QN_OK;
}

static const QnOpAttribute attributes[] = {
    {"extrapolation_value", QN_ATTRIBUTE_FLOAT},
    {"mode", QN_ATTRIBUTE_STRING, .s = "bilinear"},
    {0},
};

const QnOp qn_ops_crop_resize[] = {
    {.name = "CropAndResize",
     .domain = "com.microsoft",
     .since = 1,
     .inputs = "X: float, rois: T, batch_indices: int32, crop_size: int32",
     .outputs = "Y: T",
     .attributes = attributes,
     .infer = infer,
     .reference = crop_and_resize},
    {0},
};
