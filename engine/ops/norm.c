/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Normalizations by a norm or over chosen axes, without learnt scales: LpNormalization (x / |x|_p
 * along an axis), LRN (x / (bias + alpha / size * sum of squares of near channels)^beta) and
 * MeanVarianceNormalization ((x - mean) / (deviation + 1e-9)).
 */
#include <math.h>

#include "engine/ops/op.h"

static QnStatus infer_lp(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    const int64_t p = qn_op_int(in->node, "p");
    int axis;
    if (p != 1 && p != 2)
        return qn_infer_fail(in, "p is %lld, expected 1 or 2", (long long)p);
    if (x)
        QN_TRY(qn_infer_axis(in, x->rank, &axis));
    return qn_infer_unary(in);
}

/* Lines along an axis, and what they are normalized by. */
typedef struct Lines {
    QnBox box;
    bool is_l1;               /* of LpNormalization */
    int64_t size;             /* of LRN */
    double alpha, beta, bias; /* of LRN; alpha divided by size */
} Lines;

static int64_t first_of(const QnBox *box, int64_t line)
{
    return line / box->inner * box->length * box->inner + line % box->inner;
}

/* Lines begin <= i < end; the room is one of them. */
static QnStatus lp_lines(const QnCall *call, const void *work, void *room, int64_t begin,
                         int64_t end)
{
    const Lines *lines = work;
    const QnBox box = lines->box;
    double *row = room;
    for (int64_t i = begin; i < end; i++) {
        double norm = 0;
        qn_tensor_read_row(qn_call_input(call, 0), first_of(&box, i), box.inner, box.length, row);
        for (int64_t k = 0; k < box.length; k++)
            norm += lines->is_l1 ? fabs(row[k]) : row[k] * row[k];
        norm = lines->is_l1 ? norm : sqrt(norm);
        for (int64_t k = 0; k < box.length; k++)
            row[k] = norm == 0 ? 0 : row[k] / norm; /* zeros stay zeros */
        qn_tensor_write_row(qn_call_result(call, 0), first_of(&box, i), box.inner, box.length, row);
    }
    return QN_OK;
}

static QnStatus lp_normalize(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0);
    const int64_t axis = qn_op_int(call->node, "axis");
    const Lines lines = {.box = qn_box(x, (int)(axis < 0 ? axis + x->rank : axis)),
                         .is_l1 = qn_op_int(call->node, "p") == 1};
    return qn_call_for(call, lines.box.outer * lines.box.inner, 4 * (double)lines.box.length,
                       (size_t)lines.box.length * sizeof(double), lp_lines, &lines);
}

static QnStatus infer_lrn(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    const int64_t size = qn_op_int(in->node, "size");
    if (size < 1)
        return qn_infer_fail(in, "size is %lld, expected 1 at least", (long long)size);
    if (x && x->rank < 2)
        return qn_infer_fail(in, "input 0 has rank %d, expected 2 at least", x->rank);
    return qn_infer_unary(in);
}

/* The window of channel c reaches floor((size - 1) / 2) down and ceil((size - 1) / 2) up.  The room
 * is the squares of a line, then its results. */
static QnStatus lrn_lines(const QnCall *call, const void *work, void *room, int64_t begin,
                          int64_t end)
{
    const Lines *lines = work;
    const QnBox box = lines->box;
    const int64_t down = (lines->size - 1) / 2, up = lines->size - 1 - down;
    double *squares = room, *row = squares + box.length;
    for (int64_t i = begin; i < end; i++) {
        qn_tensor_read_row(qn_call_input(call, 0), first_of(&box, i), box.inner, box.length, row);
        for (int64_t c = 0; c < box.length; c++)
            squares[c] = row[c] * row[c];
        for (int64_t c = 0; c < box.length; c++) {
            double sum = 0;
            for (int64_t k = c > down ? c - down : 0; k < box.length && k - c <= up; k++)
                sum += squares[k];
            row[c] /= pow(lines->bias + lines->alpha * sum, lines->beta);
        }
        qn_tensor_write_row(qn_call_result(call, 0), first_of(&box, i), box.inner, box.length, row);
    }
    return QN_OK;
}

static QnStatus lrn(const QnCall *call)
{
    const int64_t size = qn_op_int(call->node, "size");
    const Lines lines = {.box = qn_box(qn_call_input(call, 0), 1),
                         .size = size,
                         .alpha = qn_op_float(call->node, "alpha") / (double)size,
                         .beta = qn_op_float(call->node, "beta"),
                         .bias = qn_op_float(call->node, "bias")};
    const double near = (double)(size < lines.box.length ? size : lines.box.length);
    return qn_call_for(call, lines.box.outer * lines.box.inner,
                       (double)lines.box.length * (30 + near),
                       2 * (size_t)lines.box.length * sizeof(double), lrn_lines, &lines);
}

/* Marks the axes of MeanVarianceNormalization among `rank`;
 * -1 or the first that is out of range. */
static int mark_axes(const QnNode *node, int rank, bool *is_marked, int64_t *bad)
{
    static const int64_t usual[] = {0, 2, 3};
    const QnAttribute *list = qn_node_attribute(node, "axes");
    const bool is_given = list && list->kind == QN_ATTRIBUTE_INTS;
    const int count = is_given ? list->count : (int)QN_COUNT_OF(usual);
    for (int i = 0; i < count; i++) {
        const int64_t axis = is_given ? list->ints[i] : usual[i];
        *bad = axis;
        if (axis < -rank || axis >= rank)
            return i;
        is_marked[axis < 0 ? axis + rank : axis] = true;
    }
    return -1;
}

static QnStatus infer_mean_variance(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    bool is_marked[QN_MAX_RANK] = {false};
    int64_t bad = 0;
    if (x && mark_axes(in->node, x->rank, is_marked, &bad) >= 0)
        return qn_infer_fail(in, "axes names dimension %lld, expected %d to %d", (long long)bad,
                             -x->rank, x->rank - 1);
    return qn_infer_unary(in);
}

/* The dimensions of x as those that stay and those that are averaged over,
 * the latter ending in rows. */
typedef struct Groups {
    int kept, shared; /* how many dimensions, but for the rows' */
    int64_t kept_dims[QN_MAX_RANK], kept_strides[QN_MAX_RANK]; /* in elements */
    int64_t shared_dims[QN_MAX_RANK], shared_strides[QN_MAX_RANK];
    int64_t count, rows;           /* groups; rows of each */
    int64_t length, length_stride; /* of a row */
} Groups;

static void make_groups(const QnTensor *x, const bool *is_marked, Groups *g)
{
    int64_t stride = 1;
    bool has_row = false;
    *g = (Groups){.count = 1, .rows = 1, .length = 1};
    for (int d = x->rank - 1; d >= 0; d--) {
        const int64_t size = x->dims[d];
        if (!is_marked[d]) {
            g->kept_dims[g->kept] = size;
            g->kept_strides[g->kept++] = stride;
            g->count *= size;
        } else if (!has_row) {
            g->length = size;
            g->length_stride = stride;
            has_row = true;
        } else {
            g->shared_dims[g->shared] = size;
            g->shared_strides[g->shared++] = stride;
            g->rows *= size;
        }
        stride *= size;
    }
}

/* Where entry i of a list of dimensions, the fastest first, begins. */
static int64_t place_of(int64_t i, int count, const int64_t *dims, const int64_t *strides)
{
    int64_t at = 0;
    for (int d = 0; d < count; d++) {
        at += i % dims[d] * strides[d];
        i /= dims[d];
    }
    return at;
}

static int64_t row_of(const Groups *g, int64_t first, int64_t r)
{
    return first + place_of(r, g->shared, g->shared_dims, g->shared_strides);
}

/* The mean of (x - from), or of its square, over the group that begins at `first`. */
static double group_mean(const QnTensor *x, const Groups *g, int64_t first, double from,
                         bool is_square, double *row)
{
    const double shared = (double)g->rows * (double)g->length;
    double mean = 0;
    for (int64_t r = 0; r < g->rows; r++) {
        qn_tensor_read_row(x, row_of(g, first, r), g->length_stride, g->length, row);
        for (int64_t k = 0; k < g->length; k++) {
            const double away = row[k] - from;
            mean += (is_square ? away * away : away) / shared;
        }
    }
    return mean;
}

/* Groups begin <= i < end; the room is a row. */
static QnStatus normalize_groups(const QnCall *call, const void *work, void *room, int64_t begin,
                                 int64_t end)
{
    const Groups *g = work;
    const QnTensor *x = qn_call_input(call, 0);
    double *row = room;
    for (int64_t i = begin; i < end; i++) {
        const int64_t first = place_of(i, g->kept, g->kept_dims, g->kept_strides);
        const double mean = group_mean(x, g, first, 0, false, row);
        const double deviation = sqrt(group_mean(x, g, first, mean, true, row)) + 1e-9;
        for (int64_t r = 0; r < g->rows; r++) {
            const int64_t at = row_of(g, first, r);
            qn_tensor_read_row(x, at, g->length_stride, g->length, row);
            for (int64_t k = 0; k < g->length; k++)
                row[k] = (row[k] - mean) / deviation;
            qn_tensor_write_row(qn_call_result(call, 0), at, g->length_stride, g->length, row);
        }
    }
    return QN_OK;
}

static QnStatus mean_variance(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0);
    bool is_marked[QN_MAX_RANK] = {false};
    int64_t bad;
    Groups groups;
    if (qn_tensor_count(x) == 0)
        return QN_OK;
    mark_axes(call->node, x->rank, is_marked, &bad);
    make_groups(x, is_marked, &groups);
    return qn_call_for(call, groups.count, 10 * (double)groups.rows * (double)groups.length,
                       (size_t)groups.length * sizeof(double), normalize_groups, &groups);
}

static const QnOpAttribute lp_attributes[] = {
    {"axis", QN_ATTRIBUTE_INT, .i = -1}, {"p", QN_ATTRIBUTE_INT, .i = 2}, {0}};
static const QnOpAttribute lrn_attributes[] = {
    {"alpha", QN_ATTRIBUTE_FLOAT, .f = 9.9999997473787516355514526367188e-05},
    {"beta", QN_ATTRIBUTE_FLOAT, .f = 0.75},
    {"bias", QN_ATTRIBUTE_FLOAT, .f = 1},
    {"size", QN_ATTRIBUTE_INT, .is_required = true},
    {0}};
static const QnOpAttribute mean_variance_attributes[] = {{"axes", QN_ATTRIBUTE_INTS}, {0}};

const QnOp qn_ops_norm[] = {
    {.name = "LRN",
     .since = 13,
     .inputs = "X: float",
     .outputs = "Y: T",
     .attributes = lrn_attributes,
     .traits = QN_OP_PORTABLE,
     .infer = infer_lrn,
     .reference = lrn},
    {.name = "LpNormalization",
     .since = 22,
     .inputs = "input: float",
     .outputs = "output: T",
     .attributes = lp_attributes,
     .traits = QN_OP_PORTABLE,
     .infer = infer_lp,
     .reference = lp_normalize},
    {.name = "MeanVarianceNormalization",
     .since = 13,
     .inputs = "X: float",
     .outputs = "Y: T",
     .attributes = mean_variance_attributes,
     .traits = QN_OP_PORTABLE,
     .infer = infer_mean_variance,
     .reference = mean_variance},
    {0},
};
