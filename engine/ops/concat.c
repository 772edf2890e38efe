/* SPDX-License-Identifier: Apache-2.0 */
/* Concat puts tensors one behind the other along an axis; Split cuts one into parts along it. */
#include "base/checked.h"
#include "engine/ops/op.h"

/* ---- Concat ---- */

/* Joins known contents of scalars' lists: 1-D tensors along axis 0. */
static QnStatus join_content(QnInfer *in)
{
    QnDim content[QN_CONTENT_LIMIT];
    int count = 0;
    for (int i = 0; i < in->input_count; i++) {
        const int more = qn_infer_ints(in, i, content + count, QN_CONTENT_LIMIT - count);
        if (more < 0)
            return QN_OK;
        count += more;
    }
    return qn_infer_content(in, 0, content, count);
}

static QnStatus infer_concat(QnInfer *in)
{
    const QnShape *first = NULL;
    int axis;
    for (int i = 0; i < in->input_count; i++)
        first = first ? first : qn_infer_shape(in, i);
    if (!first)
        return qn_infer_unknown(in, 0, qn_infer_element(in, 0), -1);
    if (first->rank < 1)
        return qn_infer_fail(in, "the inputs are scalars, expected rank 1 at least");
    QN_TRY(qn_infer_axis(in, first->rank, &axis));
    QnShape y = *first;
    y.dims[axis] = 0;
    for (int i = 0; i < in->input_count; i++) {
        const QnShape *x = qn_infer_shape(in, i);
        QN_TRY(qn_infer_want_rank(in, i, first->rank));
        for (int d = 0; x && d < x->rank; d++) {
            if (d == axis)
                continue;
            if (qn_dim_is_known(x->dims[d]) && qn_dim_is_known(y.dims[d]) &&
                x->dims[d] != y.dims[d])
                return qn_infer_fail(in,
                                     "input %d has %lld elements along dimension %d, expected %lld",
                                     i, (long long)x->dims[d], d, (long long)y.dims[d]);
            if (qn_dim_is_known(x->dims[d])) /* a number says more than a symbol */
                y.dims[d] = x->dims[d];
        }
        y.dims[axis] = qn_dim_add(in->dims, y.dims[axis], x ? x->dims[axis] : qn_infer_fresh(in));
    }
    QN_TRY(qn_infer_tensor(in, 0, qn_infer_element(in, 0), &y));
    return first->rank == 1 ? join_content(in) : QN_OK;
}

/* A window of a tensor: `length` elements along an axis from `begin` on. */
static QnTensor part_of(const QnTensor *tensor, int axis, int64_t begin, int64_t length)
{
    QnTensor part = *tensor;
    part.dims[axis] = length;
    part.data = (uint8_t *)tensor->data + begin * tensor->strides[axis];
    return part;
}

static QnStatus concat(const QnCall *call)
{
    QnTensor *y = qn_call_result(call, 0);
    const int64_t given = qn_op_int(call->node, "axis");
    const int axis = (int)(given < 0 ? given + y->rank : given);
    int64_t at = 0;
    for (int i = 0; i < call->input_count; i++) {
        const QnTensor *x = qn_call_input(call, i);
        if (x->rank != y->rank || at + x->dims[axis] > y->dims[axis])
            return qn_call_fail(call, "input %d has a shape that does not fit the others", i);
        QnTensor part = part_of(y, axis, at, x->dims[axis]);
        QN_TRY(qn_call_copy(call, x, &part));
        at += x->dims[axis];
    }
    return QN_OK;
}

/* ---- Split ---- */

/* The sizes of the parts along a dim; -1 in *count: only running tells. */
static QnStatus part_sizes(const QnInfer *in, QnDim size, QnDim *parts, int *count)
{
    const int wanted = in->node->output_count;
    *count = qn_infer_ints(in, 1, parts, QN_CONTENT_LIMIT);
    if (qn_infer_has(in, 1)) {
        if (*count >= 0 && *count != wanted)
            return qn_infer_fail(in, "split has %d entries, expected %d", *count, wanted);
        return QN_OK;
    }
    if (wanted > QN_CONTENT_LIMIT)
        return qn_infer_fail(in, "has %d outputs, expected %d at most", wanted, QN_CONTENT_LIMIT);
    /* Equal parts; the last one is what is left. */
    const QnDim each = qn_dim_ceil_div(in->dims, size, wanted);
    for (int i = 0; i < wanted - 1; i++)
        parts[i] = each;
    parts[wanted - 1] = qn_dim_sub(in->dims, size, qn_dim_mul(in->dims, each, wanted - 1));
    if (qn_dim_is_known(size) && size < each * (wanted - 1))
        return qn_infer_fail(in, "%lld elements cannot be split into %d parts", (long long)size,
                             wanted);
    *count = wanted;
    return QN_OK;
}

static QnStatus check_sum(const QnInfer *in, QnDim size, const QnDim *parts, int count)
{
    QnDim sum = 0;
    for (int i = 0; i < count; i++) {
        int64_t number;
        if (qn_dim_constant(in->dims, parts[i], &number) && number < 0)
            return qn_infer_fail(in, "split[%d] is %lld, expected 0 at least", i,
                                 (long long)number);
        sum = qn_dim_add(in->dims, sum, parts[i]);
    }
    if (qn_dim_is_known(sum) && qn_dim_is_known(size) && sum != size)
        return qn_infer_fail(in, "the parts have %lld elements together, the input %lld",
                             (long long)sum, (long long)size);
    return QN_OK;
}

static QnStatus infer_split(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    const QnType element = qn_infer_element(in, 0);
    QnDim parts[QN_CONTENT_LIMIT];
    int axis, count;
    if (!x) {
        for (int i = 0; i < in->output_count; i++)
            QN_TRY(qn_infer_unknown(in, i, element, -1));
        return QN_OK;
    }
    QN_TRY(qn_infer_axis(in, x->rank, &axis));
    QN_TRY(part_sizes(in, x->dims[axis], parts, &count));
    if (count >= 0)
        QN_TRY(check_sum(in, x->dims[axis], parts, count));
    for (int i = 0; i < in->output_count; i++) {
        QnShape y = *x;
        y.dims[axis] = count >= 0 ? parts[i] : qn_infer_fresh(in);
        QN_TRY(qn_infer_tensor(in, i, element, &y));
    }
    return QN_OK;
}

static QnStatus split(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0);
    const int64_t given = qn_op_int(call->node, "axis");
    const int axis = (int)(given < 0 ? given + x->rank : given);
    int64_t at = 0;
    for (int i = 0; i < call->output_count; i++) {
        const QnTensor *sizes = qn_call_input(call, 1);
        const int64_t each = qn_ceil_div(x->dims[axis], call->output_count);
        const int64_t length =
            sizes ? qn_tensor_get_int(sizes, i) : qn_min_i64(each, x->dims[axis] - at);
        if (length < 0 || length > x->dims[axis] - at)
            return qn_call_fail(call, "part %d has %lld elements, %lld are left", i,
                                (long long)length, (long long)(x->dims[axis] - at));
        const QnTensor part = part_of(x, axis, at, length);
        if (qn_call_wants(call, i))
            QN_TRY(qn_call_copy(call, &part, qn_call_result(call, i)));
        at += length;
    }
    return QN_OK;
}

static const QnOpAttribute concat_attributes[] = {{"axis", QN_ATTRIBUTE_INT, .is_required = true},
                                                  {0}};
static const QnOpAttribute split_attributes[] = {
    {"axis", QN_ATTRIBUTE_INT}, {"num_outputs", QN_ATTRIBUTE_INT}, {0}};

const QnOp qn_ops_concat[] = {
    {.name = "Concat",
     .since = 13,
     .inputs = "inputs*: any",
     .outputs = "concat_result: T",
     .attributes = concat_attributes,
     .infer = infer_concat,
     .reference = concat},
    {.name = "Split",
     .since = 18,
     .inputs = "input: any, split?: int64",
     .outputs = "outputs*: T",
     .attributes = split_attributes,
     .infer = infer_split,
     .reference = split},
    {0},
};
