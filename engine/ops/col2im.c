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

/* The rank of the output where only the number of its sizes is known; -1: not even that. */
static int rank_of_image(const QnInfer *in)
{
    const QnShape *shape = qn_infer_shape(in, IMAGE);
    const bool is_list = shape && shape->rank == 1 && qn_dim_is_known(shape->dims[0]);
    return is_list && shape->dims[0] <= QN_MAX_RANK - 2 ? (int)shape->dims[0] + 2 : -1;
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
        return qn_infer_unknown(in, 0, element, rank_of_image(in));
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

/* What all images share. */
typedef struct Images {
    Window window;
    QnTensor x, y;               /* of complex numbers the pairs */
    int64_t area, columns, rows; /* of an image; of the input; of the input for each image */
    int parts;                   /* numbers in an element: 2 in complex ones */
    bool is_int;                 /* which wrap */
} Images;

/* An image under construction, and a row of the input. */
typedef struct Room {
    double *image, *row;          /* [area * parts], [columns * parts] */
    int64_t *int_image, *int_row; /* the same memory */
} Room;

/* Adds a row of the input, the element `inside` of all blocks of a channel, to its image. */
static void add_row(const Images *images, const int64_t *inside, const Room *room)
{
    const Window *w = &images->window;
    int64_t position[QN_MAX_RANK] = {0};
    for (int64_t i = 0;; i++) {
        int64_t at = 0;
        bool is_inside = true;
        for (int d = 0; d < w->rank && is_inside; d++) {
            const int64_t place =
                position[d] * w->stride[d] + inside[d] * w->dilation[d] - w->begin[d];
            is_inside = place >= 0 && place < w->image[d];
            at = at * w->image[d] + place;
        }
        if (is_inside && images->is_int)
            room->int_image[at] =
                (int64_t)((uint64_t)room->int_image[at] + (uint64_t)room->int_row[i]);
        for (int p = 0; p < images->parts && is_inside && !images->is_int; p++)
            room->image[at * images->parts + p] += room->row[i * images->parts + p];
        if (!qn_walk_next(position, w->steps, w->rank))
            return;
    }
}

/* Images begin <= c < end of all channels. */
static QnStatus make_images(const QnCall *call, const void *work, void *memory, int64_t begin,
                            int64_t end)
{
    const Images *images = work;
    const int64_t size = images->area * images->parts, length = images->columns * images->parts;
    const Room room = {memory, (double *)memory + size, memory, (int64_t *)memory + size};
    QnTensor y = images->y;
    for (int64_t c = begin; c < end; c++) {
        int64_t inside[QN_MAX_RANK] = {0}, row = c * images->rows;
        memset(memory, 0, (size_t)size * sizeof *room.image);
        do {
            if (images->is_int)
                qn_tensor_read_row_int(&images->x, row * length, 1, length, room.int_row);
            else
                qn_tensor_read_row(&images->x, row * length, 1, length, room.row);
            add_row(images, inside, &room);
            QN_TRY(qn_call_poll(call));
            row++;
        } while (qn_walk_next(inside, images->window.block, images->window.rank));
        if (images->is_int)
            qn_tensor_write_row_int(&y, c * size, 1, size, room.int_image);
        else
            qn_tensor_write_row(&y, c * size, 1, size, room.image);
    }
    return QN_OK;
}

static QnStatus col2im(const QnCall *call)
{
    const QnTensor *y = qn_call_result(call, 0);
    Images images = {.x = *qn_call_input(call, 0), .y = *y, .area = 1, .rows = 1};
    Window *w = &images.window;
    w->rank = y->rank - 2;
    if (qn_tensor_count(y) == 0) /* whose other sizes may be of any product */
        return QN_OK;
    for (int d = 0; d < w->rank; d++) {
        w->image[d] = qn_tensor_get_int(qn_call_input(call, IMAGE), d);
        w->block[d] = qn_tensor_get_int(qn_call_input(call, BLOCK), d);
        images.area *= w->image[d];
        images.rows *= w->block[d];
    }
    if (!make_window(call->node, w))
        return qn_call_fail(call, "the window does not fit the image");
    images.columns = images.x.dims[2];
    if (!qn_tensor_pairs(&images.x) || !qn_tensor_pairs(&images.y))
        return qn_call_fail(call, "complex numbers of rank %d, expected less", y->rank);
    images.parts = images.y.rank > y->rank ? 2 : 1;
    images.is_int = !qn_type_is_float(images.y.type);
    const size_t room = (size_t)((images.area + images.columns) * images.parts) * sizeof(double);
    return qn_call_for(call, y->dims[0] * y->dims[1],
                       10 * (double)images.rows * (double)images.columns, room, make_images,
                       &images);
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
     .traits = QN_OP_PORTABLE,
     .infer = infer_col2im,
     .reference = col2im},
    {0},
};
