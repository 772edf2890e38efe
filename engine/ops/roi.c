/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regions of images: RoiAlign (each cell of a region's grid is the mean or the maximum of bilinear
 * samples), MaxRoiPool (the maximum over whole pixels), and MaxUnpool (values back to where MaxPool
 * took them from).
 */
#include <math.h>

#include "engine/ops/taps.h"
#include "engine/ops/window.h"

/* ---- RoiAlign ---- */

enum { SIZE_LIMIT = 1 << 20, SAMPLE_LIMIT = 256 };

static QnStatus infer_regions(QnInfer *in, int64_t height, int64_t width, int columns)
{
    const QnShape *x = qn_infer_shape(in, 0), *rois = qn_infer_shape(in, 1);
    QN_TRY(qn_infer_want_rank(in, 0, 4));
    QN_TRY(qn_infer_want_rank(in, 1, 2));
    if (height < 1 || width < 1 || height > SIZE_LIMIT || width > SIZE_LIMIT)
        return qn_infer_fail(in, "the output is %lld by %lld, expected 1 to %d each",
                             (long long)height, (long long)width, SIZE_LIMIT);
    if (rois && qn_dim_is_known(rois->dims[1]) && rois->dims[1] != columns)
        return qn_infer_fail(in, "regions have %lld numbers, expected %d", (long long)rois->dims[1],
                             columns);
    const QnShape y = {.rank = 4,
                       .dims = {rois ? rois->dims[0] : qn_infer_fresh(in),
                                x ? x->dims[1] : qn_infer_fresh(in), height, width}};
    return qn_infer_tensor(in, 0, qn_infer_element(in, 0), &y);
}

static QnStatus infer_roi_align(QnInfer *in)
{
    const QnShape *rois = qn_infer_shape(in, 1), *batch = qn_infer_shape(in, 2);
    const int64_t ratio = qn_op_int(in->node, "sampling_ratio");
    if (!qn_op_string_is(in->node, "mode", "avg") && !qn_op_string_is(in->node, "mode", "max"))
        return qn_infer_fail(in, "mode is not avg or max");
    if (ratio < 0 || ratio > SAMPLE_LIMIT)
        return qn_infer_fail(in, "sampling_ratio is %lld, expected 0 to %d", (long long)ratio,
                             SAMPLE_LIMIT);
    QN_TRY(qn_infer_want_rank(in, 2, 1));
    if (rois && rois->rank == 2 && batch && qn_dim_is_known(rois->dims[0]) &&
        qn_dim_is_known(batch->dims[0]) && rois->dims[0] != batch->dims[0])
        return qn_infer_fail(in, "there are %lld regions for %lld batch indices",
                             (long long)rois->dims[0], (long long)batch->dims[0]);
    return infer_regions(in, qn_op_int(in->node, "output_height"),
                         qn_op_int(in->node, "output_width"), 4);
}

/* The four pixels around a place, as elements of a plane; outside by more than a pixel there are
 * none.  Gives how many. */
static int find_pixels(const QnTensor *x, double at_y, double at_x, QnTap *taps)
{
    const int64_t height = x->dims[2], width = x->dims[3];
    if (!(at_y >= -1 && at_y <= (double)height && at_x >= -1 && at_x <= (double)width))
        return 0;
    at_y = at_y > 0 ? at_y : 0;
    at_x = at_x > 0 ? at_x : 0;
    int64_t y0 = (int64_t)at_y, x0 = (int64_t)at_x;
    if (y0 >= height - 1)
        at_y = (double)(y0 = height - 1);
    if (x0 >= width - 1)
        at_x = (double)(x0 = width - 1);
    const int64_t y1 = y0 < height - 1 ? y0 + 1 : y0, x1 = x0 < width - 1 ? x0 + 1 : x0;
    const double down = at_y - (double)y0, right = at_x - (double)x0;
    taps[0] = (QnTap){y0 * width + x0, (1 - down) * (1 - right)};
    taps[1] = (QnTap){y0 * width + x1, (1 - down) * right};
    taps[2] = (QnTap){y1 * width + x0, down * (1 - right)};
    taps[3] = (QnTap){y1 * width + x1, down * right};
    return 4;
}

/* One region: where it begins, and how large a cell of its grid is. */
typedef struct Region {
    double y, x, cell_height, cell_width;
    double samples_y, samples_x; /* per cell; whole numbers, of huge regions huge ones */
} Region;

static Region read_region(const QnCall *call, int64_t r, int64_t rows, int64_t columns)
{
    const bool is_half =
        qn_op_string_is(call->node, "coordinate_transformation_mode", "half_pixel");
    const double scale = qn_op_float(call->node, "spatial_scale"), shift = is_half ? 0.5 : 0;
    const int64_t ratio = qn_op_int(call->node, "sampling_ratio");
    double roi[4];
    qn_tensor_read_row(qn_call_input(call, 1), r * 4, 1, 4, roi);
    double width = (roi[2] - roi[0]) * scale, height = (roi[3] - roi[1]) * scale;
    if (!is_half) { /* malformed regions count as one pixel */
        width = fmax(width, 1);
        height = fmax(height, 1);
    }
    Region region = {.y = roi[1] * scale - shift,
                     .x = roi[0] * scale - shift,
                     .cell_height = height / (double)rows,
                     .cell_width = width / (double)columns};
    region.samples_y = ratio > 0 ? (double)ratio : ceil(fmax(region.cell_height, 0));
    region.samples_x = ratio > 0 ? (double)ratio : ceil(fmax(region.cell_width, 0));
    return region;
}

/* The samples of a cell along one dimension that lie on the image, or a pixel around it. */
typedef struct Span {
    double start, step; /* sample i is at start + (i + 0.5) * step */
    int64_t first, last;
} Span;

/* A region may be far larger than the image: what lies outside is not walked over. */
static Span make_span(double start, double cell, double samples, int64_t length)
{
    Span span = {.start = start, .step = cell / samples, .last = -1};
    const bool is_rising = span.step > 0;
    const double low = is_rising ? ceil((-1 - start) / span.step - 0.5) : 0;
    const double high = is_rising ? floor(((double)length - start) / span.step - 0.5) : samples - 1;
    const double first = fmax(low, 0), last = fmin(high, samples - 1);
    if (!(first <= last) || !(last < 9e15))
        return span;
    span.first = (int64_t)first;
    span.last = (int64_t)last;
    return span;
}

/* A cell under construction, in all channels. */
typedef struct Cell {
    double *values; /* [channels] sums so far, or the largest */
    double *sample; /* [channels] */
    int64_t channels;
    bool is_max;
} Cell;

/* A sample counts as the sum of its weighted pixels; for the largest, as each of them. */
static void add_sample(const QnTensor *x, int64_t first, const QnTap *taps, int count,
                       const Cell *cell)
{
    const int64_t plane = x->dims[2] * x->dims[3];
    const int together = cell->is_max ? 1 : 4;
    for (int t = 0; t < 4; t += together) {
        qn_taps_sum(x, first, plane, cell->channels, taps + t, count ? together : 0, cell->sample);
        for (int64_t c = 0; c < cell->channels; c++) {
            if (!cell->is_max)
                cell->values[c] += cell->sample[c];
            else if (cell->sample[c] > cell->values[c])
                cell->values[c] = cell->sample[c];
        }
    }
}

static void align_cell(const QnTensor *x, int64_t first, const Region *region, int64_t row,
                       int64_t column, const Cell *cell)
{
    const Span down = make_span(region->y + (double)row * region->cell_height, region->cell_height,
                                region->samples_y, x->dims[2]);
    const Span right = make_span(region->x + (double)column * region->cell_width,
                                 region->cell_width, region->samples_x, x->dims[3]);
    const double inside =
        (double)(down.last - down.first + 1) * (double)(right.last - right.first + 1);
    const double count = region->samples_y * region->samples_x;
    for (int64_t c = 0; c < cell->channels; c++) /* a sample outside is 0 */
        cell->values[c] = cell->is_max && !(inside < count) ? -INFINITY : 0;
    for (int64_t i = down.first; i <= down.last; i++)
        for (int64_t k = right.first; k <= right.last; k++) {
            QnTap taps[4];
            const int pixels = find_pixels(x, down.start + ((double)i + 0.5) * down.step,
                                           right.start + ((double)k + 0.5) * right.step, taps);
            add_sample(x, first, taps, pixels, cell);
        }
    for (int64_t c = 0; c < cell->channels && !cell->is_max; c++)
        cell->values[c] /= count;
    for (int64_t c = 0; c < cell->channels && !(count > 0); c++)
        cell->values[c] = 0;
}

/* Cells begin <= i < end of all regions. */
static QnStatus align_cells(const QnCall *call, const void *work, void *room, int64_t begin,
                            int64_t end)
{
    const QnTensor *x = qn_call_input(call, 0);
    QnTensor *y = qn_call_result(call, 0);
    const int64_t rows = y->dims[2], columns = y->dims[3], cells = rows * columns;
    const Cell cell = {room, (double *)room + y->dims[1], y->dims[1], *(const bool *)work};
    for (int64_t i = begin; i < end; i++) {
        const int64_t r = i / cells, n = qn_tensor_get_int(qn_call_input(call, 2), r);
        if (n < 0 || n >= x->dims[0] || x->dims[2] * x->dims[3] == 0)
            return qn_call_fail(call, "batch_indices[%lld] is %lld, expected 0 to %lld",
                                (long long)r, (long long)n, (long long)x->dims[0] - 1);
        const Region region = read_region(call, r, rows, columns);
        align_cell(x, n * x->dims[1] * x->dims[2] * x->dims[3], &region, i / columns % rows,
                   i % columns, &cell);
        qn_tensor_write_row(y, r * y->dims[1] * cells + i % cells, cells, y->dims[1], cell.values);
    }
    return QN_OK;
}

static QnStatus roi_align(const QnCall *call)
{
    const QnTensor *y = qn_call_result(call, 0);
    const bool is_max = qn_op_string_is(call->node, "mode", "max");
    return qn_call_for(call, y->dims[0] * y->dims[2] * y->dims[3], 200 + 20 * (double)y->dims[1],
                       2 * (size_t)y->dims[1] * sizeof(double), align_cells, &is_max);
}

/* ---- MaxRoiPool ---- */

static QnStatus read_pooled(const QnNode *node, int64_t *height, int64_t *width)
{
    const QnAttribute *list = qn_node_attribute(node, "pooled_shape");
    const bool is_given = list && list->kind == QN_ATTRIBUTE_INTS && list->count == 2;
    *height = is_given ? list->ints[0] : 0;
    *width = is_given ? list->ints[1] : 0;
    return QN_OK;
}

static QnStatus infer_max_roi_pool(QnInfer *in)
{
    int64_t height, width;
    QN_TRY(read_pooled(in->node, &height, &width));
    return infer_regions(in, height, width, 5);
}

/* Cell i of `count` over `length` pixels from `start`, cut to the image. */
static void cell_range(double start, double length, int64_t i, int64_t count, int64_t limit,
                       int64_t *from, int64_t *to)
{
    const double size = length / (double)count;
    const double low = floor((double)i * size) + start, high = ceil((double)(i + 1) * size) + start;
    *from = (int64_t)fmin(fmax(low, 0), (double)limit);
    *to = (int64_t)fmin(fmax(high, 0), (double)limit);
}

/* The largest pixel of rows top to bottom and columns left to right of a plane; 0 where there is
 * none.  `row`: room for the plane's width. */
static double largest_pixel(const QnTensor *x, int64_t plane, const int64_t *down,
                            const int64_t *right, double *row)
{
    const int64_t width = x->dims[3], count = right[1] - right[0];
    bool is_first = true;
    double best = 0;
    for (int64_t v = down[0]; v < down[1]; v++) {
        qn_tensor_read_row(x, (plane * x->dims[2] + v) * width + right[0], 1, count > 0 ? count : 0,
                           row);
        for (int64_t u = 0; u < count; u++) {
            best = is_first || row[u] > best ? row[u] : best;
            is_first = false;
        }
    }
    return best;
}

/* Elements begin <= i < end of the output; the room is a row of the image. */
static QnStatus pool_cells(const QnCall *call, const void *work, void *room, int64_t begin,
                           int64_t end)
{
    const QnTensor *x = qn_call_input(call, 0), *rois = qn_call_input(call, 1);
    QnTensor *y = qn_call_result(call, 0);
    const double scale = *(const double *)work;
    for (int64_t i = begin; i < end; i++) {
        const int64_t column = i % y->dims[3], row = i / y->dims[3] % y->dims[2];
        const int64_t c = i / y->dims[3] / y->dims[2] % y->dims[1];
        const int64_t r = i / y->dims[3] / y->dims[2] / y->dims[1];
        double roi[5];
        int64_t down[2], right[2];
        qn_tensor_read_row(rois, r * 5, 1, 5, roi);
        if (!(roi[0] >= 0 && roi[0] < (double)x->dims[0]))
            return qn_call_fail(call, "region %lld is of image %g, expected 0 to %lld",
                                (long long)r, roi[0], (long long)x->dims[0] - 1);
        for (int k = 1; k < 5; k++)
            roi[k] = round(roi[k] * scale);
        cell_range(roi[2], fmax(roi[4] - roi[2] + 1, 1), row, y->dims[2], x->dims[2], &down[0],
                   &down[1]);
        cell_range(roi[1], fmax(roi[3] - roi[1] + 1, 1), column, y->dims[3], x->dims[3], &right[0],
                   &right[1]);
        qn_tensor_set(y, i, largest_pixel(x, (int64_t)roi[0] * x->dims[1] + c, down, right, room));
    }
    return QN_OK;
}

static QnStatus max_roi_pool(const QnCall *call)
{
    const double scale = qn_op_float(call->node, "spatial_scale");
    return qn_call_for(call, qn_tensor_count(qn_call_result(call, 0)), 150,
                       (size_t)qn_call_input(call, 0)->dims[3] * sizeof(double), pool_cells,
                       &scale);
}

/* ---- MaxUnpool ---- */

/* The size that pooling came from, where output_shape does not say it. */
static QnStatus unpooled(QnInfer *in, const QnShape *x, QnShape *y)
{
    QnWindow window;
    QN_TRY(qn_window_read(&window, in->node, x->rank - 2, NULL, in->err));
    for (int d = 0; d < window.count; d++) {
        const int64_t more =
            window.kernel[d] - window.stride[d] - window.pad_begin[d] - window.pad_end[d];
        y->dims[d + 2] =
            qn_dim_add(in->dims, qn_dim_mul(in->dims, x->dims[d + 2], window.stride[d]),
                       qn_dim_number(in->dims, more));
        if (qn_dim_is_known(x->dims[d + 2]) && !qn_dim_is_known(y->dims[d + 2]))
            y->dims[d + 2] = 0;
    }
    return QN_OK;
}

static QnStatus infer_unpool(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0), *indices = qn_infer_shape(in, 1);
    const QnType element = qn_infer_element(in, 0);
    QnDim wanted[QN_MAX_RANK];
    if (!x)
        return qn_infer_unknown(in, 0, element, -1);
    if (x->rank < 3 || (indices && indices->rank != x->rank))
        return qn_infer_fail(in,
                             "the inputs have ranks %d and %d, expected equal ones of 3 at least",
                             x->rank, indices ? indices->rank : x->rank);
    for (int d = 0; indices && d < x->rank; d++)
        if (qn_dim_is_known(x->dims[d]) && qn_dim_is_known(indices->dims[d]) &&
            x->dims[d] != indices->dims[d])
            return qn_infer_fail(in, "input 1 has another shape than input 0");
    QnShape y = *x;
    QN_TRY(unpooled(in, x, &y)); /* also checks the window */
    if (!qn_infer_has(in, 2))
        return qn_infer_tensor(in, 0, element, &y);
    const int count = qn_infer_ints(in, 2, wanted, QN_MAX_RANK);
    if (count < 0)
        return qn_infer_unknown(in, 0, element, x->rank);
    if (count != x->rank)
        return qn_infer_fail(in, "output_shape has %d entries, expected %d", count, x->rank);
    memcpy(y.dims, wanted, sizeof y.dims);
    for (int d = 0; d < count; d++) {
        int64_t number;
        if (qn_dim_constant(in->dims, wanted[d], &number) && number < 0)
            return qn_infer_fail(in, "output_shape[%d] is %lld, expected 0 at least", d,
                                 (long long)number);
    }
    return qn_infer_tensor(in, 0, element, &y);
}

/* Where an index among `dims` lies in y, which may be larger; -1: outside. */
static int64_t unpooled_place(const int64_t *dims, const QnTensor *y, int64_t index)
{
    int64_t at = 0, scale = 1;
    if (index < 0)
        return -1;
    for (int d = y->rank - 1; d >= 0; d--) {
        const int64_t c = d > 0 && dims[d] > 0 ? index % dims[d] : index;
        index = d > 0 && dims[d] > 0 ? index / dims[d] : 0;
        if (c >= y->dims[d])
            return -1;
        at += c * scale;
        scale *= y->dims[d];
    }
    return at;
}

/*
 * Indices count in the tensor of the size that follows from the window; with a larger output_shape
 * the values keep their places in each dimension.
 */
static QnStatus unpool(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0), *indices = qn_call_input(call, 1);
    QnTensor *y = qn_call_result(call, 0);
    const int64_t count = qn_tensor_count(x), total = qn_tensor_count(y);
    const size_t size = qn_type_size(x->type);
    QnWindow window;
    int64_t dims[QN_MAX_RANK] = {x->dims[0], x->dims[1]};
    QN_TRY(qn_window_read(&window, call->node, x->rank - 2, NULL, call->err));
    for (int d = 0; d < window.count; d++)
        dims[d + 2] = (x->dims[d + 2] - 1) * window.stride[d] + window.kernel[d] -
                      window.pad_begin[d] - window.pad_end[d];
    if (total)
        memset(y->data, 0, (size_t)total * size);
    enum { ROW = 256 };
    for (int64_t row = 0; row < count; row += ROW) {
        const int64_t length = count - row < ROW ? count - row : ROW;
        int64_t list[ROW];
        qn_tensor_read_row_int(indices, row, 1, length, list);
        for (int64_t i = 0; i < length; i++) {
            const int64_t at = unpooled_place(dims, y, list[i]);
            if (at < 0)
                return qn_call_fail(call, "index %lld lies outside of the output",
                                    (long long)list[i]);
            memcpy((uint8_t *)y->data + (size_t)at * size,
                   (const uint8_t *)x->data + (size_t)(row + i) * size, size);
        }
        QN_TRY(qn_call_poll(call));
    }
    return QN_OK;
}

static const QnOpAttribute align_attributes[] = {
    {"coordinate_transformation_mode", QN_ATTRIBUTE_STRING, .s = "half_pixel"},
    {"mode", QN_ATTRIBUTE_STRING, .s = "avg"},
    {"output_height", QN_ATTRIBUTE_INT, .i = 1},
    {"output_width", QN_ATTRIBUTE_INT, .i = 1},
    {"sampling_ratio", QN_ATTRIBUTE_INT},
    {"spatial_scale", QN_ATTRIBUTE_FLOAT, .f = 1},
    {0}};
static const QnOpAttribute roi_pool_attributes[] = {
    {"pooled_shape", QN_ATTRIBUTE_INTS, .is_required = true},
    {"spatial_scale", QN_ATTRIBUTE_FLOAT, .f = 1},
    {0}};
static const QnOpAttribute unpool_attributes[] = {
    {"kernel_shape", QN_ATTRIBUTE_INTS, .is_required = true},
    {"pads", QN_ATTRIBUTE_INTS},
    {"strides", QN_ATTRIBUTE_INTS},
    {0}};

const QnOp qn_ops_roi[] = {
    {.name = "MaxRoiPool",
     .since = 22,
     .inputs = "X: float, rois: float",
     .outputs = "Y: T",
     .attributes = roi_pool_attributes,
     .traits = QN_OP_PORTABLE,
     .infer = infer_max_roi_pool,
     .reference = max_roi_pool},
    {.name = "MaxUnpool",
     .since = 22,
     .inputs = "X: float, I: int64, output_shape?: int64",
     .outputs = "output: T",
     .attributes = unpool_attributes,
     .traits = QN_OP_PORTABLE,
     .infer = infer_unpool,
     .reference = unpool},
    {.name = "RoiAlign",
     .since = 22,
     .inputs = "X: float, rois: float, batch_indices: int64",
     .outputs = "Y: T",
     .attributes = align_attributes,
     .traits = QN_OP_PORTABLE,
     .infer = infer_roi_align,
     .reference = roi_align},
    {0},
};
