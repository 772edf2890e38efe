/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Col2Im puts blocks back into an image; where they overlap, their elements add up.
 *
 * Column l of the input holds, for each channel, the block at the l-th position of the sliding
 * window, in row-major order; so do the rows of a block.
 */
#include "base/checked.h"
#include "engine/ops/walk.h"

enum { IMAGE = 1, BLOCK = 2 };

/* The sliding window along each spatial dimension. */
typedef struct Window {
    int rank;
    int64_t image[QN_MAX_RANK], block[QN_MAX_RANK], dilation[QN_MAX_RANK], stride[QN_MAX_RANK];
    int64_t begin[QN_MAX_RANK]; /* padding in front */
    int64_t steps[QN_MAX_RANK]; /* positions of the window */
} Window;

/* Entry i of an INTS attribute, `otherwise` where the attribute is absent. */
static int64_t entry(const QnNode *node, const char *name, int i, int64_t otherwise)
{
    const QnAttribute *list = qn_node_attribute(node, name);
    return list && i < list->count ? list->ints[i] : otherwise;
}

static bool has_count(const QnNode *node, const char *name, int count)
{
    const QnAttribute *list = qn_node_attribute(node, name);
    return !list || list->count == count;
}

/* Fills the window from image and block sizes; false where they or the attributes do not fit. */
static bool make_window(const QnNode *node, Window *w)
{
    if (!has_count(node, "dilations", w->rank) || !has_count(node, "strides", w->rank) ||
        !has_count(node, "pads", 2 * w->rank))
        return false;
    for (int d = 0; d < w->rank; d++) {
        const int64_t end = entry(node, "pads", w->rank + d, 0);
        int64_t extent, padded;
        w->dilation[d] = entry(node, "dilations", d, 1);
        w->stride[d] = entry(node, "strides", d, 1);
        w->begin[d] = entry(node, "pads", d, 0);
        if (w->dilation[d] < 1 || w->stride[d] < 1 || w->block[d] < 1 || w->image[d] < 0 ||
            w->begin[d] < 0 || end < 0 || !qn_mul_i64(&extent, w->dilation[d], w->block[d] - 1) ||
            !qn_add_i64(&padded, w->image[d], w->begin[d]) || !qn_add_i64(&padded, padded, end) ||
            !qn_add_i64(&extent, extent, 1) || extent > padded)
            return false;
        w->steps[d] = (padded - extent) / w->stride[d] + 1;
    }
    return true;
}

/* Checks rows and columns of the input against the window, where they are numbers. */
static QnStatus check_input(const QnInfer *in, const QnShape *x, const Window *w)
{
    int64_t columns = 1;
    for (int d = 0; d < w->rank; d++)
        if (!qn_mul_i64(&columns, columns, w->steps[d]))
            return qn_infer_fail(in, "has more blocks than can be counted");
    if (x && qn_dim_is_known(x->dims[2]) && x->dims[2] != columns)
        return qn_infer_fail(in, "input 0 has %lld columns, expected %lld, one for each block",
                             (long long)x->dims[2], (long long)columns);
    return QN_OK;
}

static QnStatus infer_col2im(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    const QnType element = qn_infer_element(in, 0);
    QnDim image[QN_MAX_RANK], block[QN_MAX_RANK], elements = 1;
    Window w = {0};
    bool is_known = true;
    QN_TRY(qn_infer_want_rank(in, 0, 3));
    if (element == QN_STRING)
        return qn_infer_fail(in, "elements of type string cannot be added");
    w.rank = qn_infer_ints(in, IMAGE, image, QN_MAX_RANK - 2);
    if (w.rank < 0)
        return qn_infer_unknown(in, 0, element, -1);
    const int count = qn_infer_ints(in, BLOCK, block, QN_MAX_RANK - 2);
    if (count >= 0 && count != w.rank)
        return qn_infer_fail(in, "block_shape has %d entries, expected %d", count, w.rank);
    QnShape y = {.rank = w.rank + 2};
    for (int d = 0; d < w.rank; d++) {
        y.dims[2 + d] = image[d];
        is_known = is_known && count >= 0 && qn_dim_constant(in->dims, image[d], &w.image[d]) &&
                   qn_dim_constant(in->dims, block[d], &w.block[d]);
        if (count >= 0)
            elements = qn_dim_mul(in->dims, elements, block[d]);
    }
    if (is_known && !make_window(in->node, &w))
        return qn_infer_fail(in, "image_shape, block_shape and the window do not fit together");
    if (is_known)
        QN_TRY(check_input(in, x, &w));
    if (x && is_known && qn_dim_is_known(x->dims[1]) && x->dims[1] % elements)
        return qn_infer_fail(in, "input 0 has %lld rows, expected a multiple of %lld",
                             (long long)x->dims[1], (long long)elements);
    y.dims[0] = x ? x->dims[0] : qn_infer_fresh(in);
    y.dims[1] = x && count >= 0 && elements != 0 ? qn_dim_floor_div(in->dims, x->dims[1], elements)
                                                 : qn_infer_fresh(in);
    return qn_infer_tensor(in, 0, element, &y);
}

/* An image under construction: integers wrap, complex numbers are pairs. */
typedef struct Image {
    double *reals; /* [area * parts]; NULL: of integers */
    int64_t *ints; /* [area]; NULL: of real numbers */
    int parts;     /* numbers in an element: 2 in complex ones */
    size_t size;   /* bytes */
} Image;

static QnStatus make_image(const QnCall *call, const QnTensor *numbers, int parts, int64_t area,
                           Image *image)
{
    *image = (Image){.parts = parts};
    if (qn_type_is_float(numbers->type))
        QN_ALLOC(image->reals, call->scratch, area * parts);
    else
        QN_ALLOC(image->ints, call->scratch, area);
    image->size = (size_t)(area * parts) * sizeof *image->reals;
    return QN_OK;
}

static void add_element(Image *image, int64_t at, const QnTensor *x, int64_t i)
{
    if (image->ints)
        image->ints[at] = (int64_t)((uint64_t)image->ints[at] + (uint64_t)qn_tensor_get_int(x, i));
    for (int p = 0; image->reals && p < image->parts; p++)
        image->reals[at * image->parts + p] += qn_tensor_get(x, i * image->parts + p);
}

/* Adds one row of the input, the element `inside` of all blocks of a channel, to its image. */
static void add_row(const Window *w, const QnTensor *x, int64_t first, const int64_t *inside,
                    Image *image)
{
    int64_t position[QN_MAX_RANK] = {0};
    for (int64_t i = first;; i++) {
        int64_t at = 0;
        bool is_inside = true;
        for (int d = 0; d < w->rank && is_inside; d++) {
            const int64_t place =
                position[d] * w->stride[d] + inside[d] * w->dilation[d] - w->begin[d];
            is_inside = place >= 0 && place < w->image[d];
            at = at * w->image[d] + place;
        }
        if (is_inside)
            add_element(image, at, x, i);
        if (!qn_walk_next(position, w->steps, w->rank))
            return;
    }
}

static QnStatus col2im(const QnCall *call)
{
    QnTensor x = *qn_call_input(call, 0), numbers = *qn_call_result(call, 0);
    const QnTensor *y = qn_call_result(call, 0);
    Window w = {.rank = y->rank - 2};
    int64_t area = 1;
    if (qn_tensor_count(y) == 0) /* whose other sizes may be of any product */
        return QN_OK;
    for (int d = 0; d < w.rank; d++) {
        w.image[d] = qn_tensor_get_int(qn_call_input(call, IMAGE), d);
        w.block[d] = qn_tensor_get_int(qn_call_input(call, BLOCK), d);
        area *= w.image[d];
    }
    if (!make_window(call->node, &w))
        return qn_call_fail(call, "the window does not fit the image");
    const int64_t columns = x.dims[2];
    if (!qn_tensor_pairs(&x) || !qn_tensor_pairs(&numbers))
        return qn_call_fail(call, "complex numbers of rank %d, expected less", y->rank);
    const int parts = numbers.rank > y->rank ? 2 : 1;
    Image image;
    QN_TRY(make_image(call, &numbers, parts, area, &image));
    int64_t row = 0;
    for (int64_t c = 0; c < y->dims[0] * y->dims[1]; c++) {
        int64_t inside[QN_MAX_RANK] = {0};
        memset(image.reals ? (void *)image.reals : image.ints, 0, image.size);
        do {
            add_row(&w, &x, row++ * columns, inside, &image);
            QN_TRY(qn_call_poll(call));
        } while (qn_walk_next(inside, w.block, w.rank));
        if (image.ints)
            qn_tensor_write_row_int(&numbers, c * area, 1, area, image.ints);
        else
            qn_tensor_write_row(&numbers, c * area * parts, 1, area * parts, image.reals);
    }
    return QN_OK;
}

static const QnOpAttribute attributes[] = {{"dilations", QN_ATTRIBUTE_INTS},
                                           {"pads", QN_ATTRIBUTE_INTS},
                                           {"strides", QN_ATTRIBUTE_INTS},
                                           {0}};

const QnOp qn_ops_col2im[] = {
    {.name = "Col2Im",
     .since = 18,
     .inputs = "input: any, image_shape: int64, block_shape: int64",
     .outputs = "output: T",
     .attributes = attributes,
     .infer = infer_col2im,
     .reference = col2im},
    {0},
};
