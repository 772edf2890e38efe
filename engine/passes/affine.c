/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/passes/affine.h"

#include <math.h>

/* ---- reading ---- */

/* The elements of a per-channel constant, or of one number, as rows of `channels`. */
static bool read_channels(const QnIrValue *value, int rank, int axis, int64_t channels, double *out)
{
    const QnTensor *tensor = qn_pass_constant(value);
    if (!tensor || !qn_type_is_float(tensor->type) || tensor->rank > rank)
        return false;
    const int64_t count = qn_tensor_count(tensor);
    if (count != 1 && count != channels)
        return false;
    for (int d = 0; d < tensor->rank; d++)
        if (tensor->dims[d] != 1 && d + rank - tensor->rank != axis)
            return false;
    for (int64_t c = 0; c < channels; c++)
        out[c] = qn_tensor_get(tensor, count == 1 ? 0 : c);
    return true;
}

/* The four inputs behind the data of BatchNormalization become factors and shifts. */
static bool read_batch_norm(QnAffine *a, const QnNode *node, QnArena *arena, bool *failed)
{
    double *rows[4];
    if (qn_op_int(node, "training_mode") || node->input_count != 5)
        return false;
    for (int i = 0; i < 4; i++) {
        const QnTensor *tensor = qn_pass_constant(qn_node_input(node, 1 + i));
        rows[i] = qn_arena_array(arena, (size_t)a->channels, sizeof **rows);
        *failed = *failed || !rows[i];
        if (*failed || !tensor || tensor->rank != 1 || tensor->dims[0] != a->channels)
            return false;
        qn_tensor_read_row(tensor, 0, 1, a->channels, rows[i]);
    }
    const double epsilon = qn_op_float(node, "epsilon");
    for (int64_t c = 0; c < a->channels; c++) {
        a->scale[c] = rows[0][c] / sqrt(rows[3][c] + epsilon);
        a->shift[c] = rows[1][c] - rows[2][c] * a->scale[c];
    }
    return true;
}

/* What the operator makes of its constant k, by side: x op k, or k op x. */
static bool apply_constant(const char *op, bool is_left, double k, double *scale, double *shift)
{
    *scale = 1;
    *shift = 0;
    if (!strcmp(op, "Mul"))
        *scale = k;
    else if (!strcmp(op, "Add"))
        *shift = k;
    else if (!strcmp(op, "Div") && !is_left)
        *scale = 1 / k;
    else if (!strcmp(op, "Sub")) {
        *scale = is_left ? -1 : 1;
        *shift = is_left ? k : -k;
    } else
        return false;
    return true;
}

static bool read_arithmetic(QnAffine *a, const QnNode *node, int rank, int axis)
{
    const bool is_left = qn_pass_constant(qn_node_input(node, 0)) != NULL;
    if (node->input_count != 2 ||
        !read_channels(qn_node_input(node, is_left ? 0 : 1), rank, axis, a->channels, a->scale))
        return false;
    for (int64_t c = 0; c < a->channels; c++)
        if (!apply_constant(node->op, is_left, a->scale[c], &a->scale[c], &a->shift[c]))
            return false;
    return true;
}

static bool is_finite(const double *row, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if (!isfinite(row[i]))
            return false;
    return true;
}

/* The input that is no constant, if it is float or double, which lose nothing to speak of by being
 * multiplied beforehand, and has a known number of channels. */
static QnIrValue *find_data(const QnNode *node, int *axis)
{
    QnIrValue *x = qn_node_input(node, 0);
    if (qn_pass_constant(x))
        x = qn_node_input(node, 1);
    if (!x || qn_pass_constant(x) || x->type.kind != QN_TENSOR ||
        (x->type.element != QN_FLOAT && x->type.element != QN_DOUBLE))
        return NULL;
    const QnShape *shape = &x->type.shape;
    *axis = *axis < 0 ? shape->rank + *axis : *axis;
    return *axis >= 0 && *axis < shape->rank && qn_dim_is_known(shape->dims[*axis]) ? x : NULL;
}

static bool is_arithmetic(const QnNode *node)
{
    static const char *const ops[] = {"Add", "Sub", "Mul", "Div"};
    for (size_t i = 0; i < QN_COUNT_OF(ops); i++)
        if (qn_pass_is(node, ops[i]))
            return true;
    return false;
}

QnStatus qn_affine_read(QnAffine *out, bool *is_affine, const QnNode *node, int axis,
                        QnArena *arena)
{
    const bool is_norm = qn_pass_is(node, "BatchNormalization");
    bool failed = false;
    *is_affine = false;
    if (!is_norm && !is_arithmetic(node))
        return QN_OK;
    QnAffine a = {.x = find_data(node, &axis)};
    if (!a.x || !node->outputs[0] || (is_norm && axis != 1))
        return QN_OK;
    a.channels = a.x->type.shape.dims[axis];
    QN_ALLOC(a.scale, arena, a.channels);
    QN_ALLOC(a.shift, arena, a.channels);
    *is_affine = (is_norm ? read_batch_norm(&a, node, arena, &failed)
                          : read_arithmetic(&a, node, a.x->type.shape.rank, axis)) &&
                 is_finite(a.scale, a.channels) && is_finite(a.shift, a.channels);
    *out = a;
    return failed ? QN_NO_MEMORY : QN_OK;
}

/* ---- scaling ---- */

enum { ROW = 512 };

/* Multiplies `count` elements from `first` by factors[0] or, where step is 1, by factors[i]. */
static bool scale_run(const QnTensor *from, QnTensor *to, int64_t first, int64_t count,
                      const double *factors, int step)
{
    double row[ROW];
    bool is_finite_row = true;
    for (int64_t at = 0; at < count; at += ROW) {
        const int64_t size = count - at < ROW ? count - at : ROW;
        qn_tensor_read_row(from, first + at, 1, size, row);
        for (int64_t i = 0; i < size; i++) {
            const bool was_finite = isfinite(row[i]);
            row[i] *= factors[step ? at + i : 0];
            /* 1e38 leaves room for what float rounds up. */
            is_finite_row = is_finite_row && (!was_finite || fabs(row[i]) < 1e38);
        }
        qn_tensor_write_row(to, first + at, 1, size, row);
    }
    return is_finite_row;
}

static bool scale_all(const QnTensor *from, QnTensor *to, const QnScaling *s)
{
    const int64_t rows = s->groups * s->middle, total = qn_tensor_count(from);
    const int64_t inner = rows > 0 && s->length > 0 ? total / (rows * s->length) : 0;
    bool is_fine = true;
    for (int64_t r = 0; r < rows; r++) {
        const double *factors = s->factors + r / s->middle * s->length;
        const int64_t first = r * s->length * inner;
        if (inner == 1)
            is_fine = scale_run(from, to, first, s->length, factors, 1) && is_fine;
        for (int64_t i = 0; inner != 1 && i < s->length; i++)
            is_fine = scale_run(from, to, first + i * inner, inner, factors + i, 0) && is_fine;
    }
    return is_fine;
}

QnStatus qn_affine_scale(QnPassCall *call, QnIrValue **out, const QnIrValue *weights,
                         const QnScaling *scaling)
{
    const QnTensor *from = weights->constant;
    QnTensor to;
    *out = NULL;
    QN_TRY(qn_pass_new_tensor(call, &to, from->type, from->rank, from->dims));
    if (!scale_all(from, &to, scaling))
        return QN_OK;
    *out = qn_value_create_constant(weights->graph, NULL, &to);
    return *out ? QN_OK : QN_NO_MEMORY;
}

QnStatus qn_affine_row(QnPassCall *call, QnIrValue **out, QnGraph *graph, QnType type, int rank,
                       const int64_t *dims, const double *elements)
{
    QnTensor tensor;
    QN_TRY(qn_pass_new_tensor(call, &tensor, type, rank, dims));
    qn_tensor_write_row(&tensor, 0, 1, qn_tensor_count(&tensor), elements);
    *out = qn_value_create_constant(graph, NULL, &tensor);
    return *out ? QN_OK : QN_NO_MEMORY;
}
