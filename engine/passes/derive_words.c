/* SPDX-License-Identifier: Apache-2.0 */
/* The words of derivatives in small letters: what several rules have in common. */
#include "engine/passes/derive.h"

/* ---- vectors of axes ---- */

/* [first, last) as a vector. */
static QnIrValue *axes(QnDerive *d, int first, int last)
{
    int64_t list[QN_MAX_RANK];
    int count = 0;
    for (int axis = first; axis < last; axis++)
        list[count++] = axis;
    return qn_derive_vector(d, list, count);
}

/* Those of planes of channels: [2, rank). */
static QnIrValue *plane(QnDerive *d, QnIrValue *const *arguments)
{
    return axes(d, 2, qn_derive_rank(d, arguments[0]));
}

/* All but that of channels. */
static QnIrValue *but_channels(QnDerive *d, QnIrValue *const *arguments)
{
    int64_t list[QN_MAX_RANK];
    const int rank = qn_derive_rank(d, arguments[0]);
    for (int axis = 1; axis < rank; axis++)
        list[axis - 1] = axis == 1 ? 0 : axis;
    return rank < 2 ? axes(d, 0, 1) : qn_derive_vector(d, list, rank - 1);
}

/* From the attribute `axis` to the last.  Inference has only looked at it where the rank is known.
 */
static QnIrValue *tail(QnDerive *d, QnIrValue *const *arguments)
{
    const int64_t axis = qn_op_int(d->node, "axis");
    if (axis < -QN_MAX_RANK || axis >= QN_MAX_RANK)
        return qn_derive_fail(d, "axis is %lld, expected %d to %d", (long long)axis, -QN_MAX_RANK,
                              QN_MAX_RANK - 1);
    return axis < 0 ? axes(d, (int)axis, 0) : axes(d, (int)axis, qn_derive_rank(d, arguments[0]));
}

/* One number per channel as a tensor that multiplies planes of channels. */
static QnIrValue *per_channel(QnDerive *d, QnIrValue *const *arguments)
{
    const int rank = qn_derive_rank(d, arguments[1]);
    return rank > 2 ? QN_DERIVE(d, "Unsqueeze", arguments[0], axes(d, 1, rank - 1)) : arguments[0];
}

/* ---- orders ---- */

static QnIrValue *transpose(QnDerive *d, QnIrValue *value, const int64_t *order, int rank)
{
    return qn_derive_settle(d, qn_build_transpose(&d->build, value, order, rank));
}

/* The last two axes in the other order. */
static QnIrValue *transposed(QnDerive *d, QnIrValue *const *arguments)
{
    int64_t order[QN_MAX_RANK];
    const int rank = qn_derive_rank(d, arguments[0]);
    for (int axis = 0; axis < rank; axis++)
        order[axis] = axis < rank - 2 ? axis : 2 * rank - 3 - axis;
    return rank < 2 ? arguments[0] : transpose(d, arguments[0], order, rank);
}

/* Back to the order from before the node's `perm`. */
static QnIrValue *untransposed(QnDerive *d, QnIrValue *const *arguments)
{
    const QnAttribute *perm = qn_node_attribute(d->node, "perm");
    int64_t order[QN_MAX_RANK] = {0};
    if (!perm || perm->kind != QN_ATTRIBUTE_INTS || perm->count > QN_MAX_RANK)
        return QN_DERIVE(d, "Transpose", arguments[0]);
    for (int i = 0; i < perm->count; i++)
        if (perm->ints[i] >= 0 && perm->ints[i] < perm->count)
            order[perm->ints[i]] = i;
    return transpose(d, arguments[0], order, perm->count);
}

/* ---- types and shapes ---- */

static QnIrValue *as(QnDerive *d, QnIrValue *const *arguments)
{
    QnIrValue *x = arguments[0];
    const QnType to = arguments[1]->type.element;
    if (x->type.element == to)
        return x;
    return qn_derive_settle(d, qn_build_cast(&d->build, x, x->type.element, to));
}

static bool is_surely_same(const QnShape *a, const QnShape *b)
{
    if (a->rank < 0 || a->rank != b->rank)
        return false;
    for (int axis = 0; axis < a->rank; axis++)
        if (!qn_dim_is_equal(a->dims[axis], b->dims[axis]))
            return false;
    return true;
}

static QnIrValue *shaped(QnDerive *d, QnIrValue *const *arguments)
{
    QnIrValue *x = arguments[0], *like = arguments[1];
    if (is_surely_same(&x->type.shape, &like->type.shape))
        return x;
    QnIrValue *made = QN_BUILD(&d->build, "Reshape", x, QN_DERIVE(d, "Shape", like));
    return qn_derive_settle(d, qn_build_int(&d->build, made, "allowzero", 1));
}

static QnIrValue *sum_to(QnDerive *d, QnIrValue *const *arguments)
{
    return qn_derive_sum_to(d, arguments[0], arguments[1]);
}

/* What flows into a value that was only moved goes where each element came from: the elements are
 * numbered from 1 on, moved the same way, and 0 is where nothing came from. */
const QnDeriveWord qn_derive_words[] = {
    {"as", as, NULL, NULL}, /* x in the element type of another */
    {"but_channels", but_channels, NULL, NULL},
    {"contracted", qn_derive_contracted, NULL, NULL},
    {"kernel", qn_derive_kernel, NULL, NULL},
    {"per_channel", per_channel, NULL, NULL},
    {"places", NULL, "x",
     "one = Squeeze([1]); n = Range(one, Size(x) + 1, one)\n"
     "result = shaped(n, x)"},
    {"plane", plane, NULL, NULL},
    {"scattered", NULL, "from g x",
     "to = Expand(0, Unsqueeze(Size(x) + 1, [0]))\n"
     "from = Reshape(from, [-1]); g = Reshape(g, [-1])\n"
     "to = ScatterElements(to, from, g) {reduction = add}\n"
     "result = shaped(Slice(to, [1], Unsqueeze(Size(x) + 1, [0])), x)"},
    {"shaped", shaped, NULL, NULL}, /* x in the shape of another */
    {"share", NULL, "x y",
     "result = as(Size(x), x) / as(Size(y), x)"}, /* elements of x for one of y */
    {"spread", qn_derive_spread, NULL, NULL},
    {"sum_to", sum_to, NULL, NULL},
    {"tail", tail, NULL, NULL},
    {"transposed", transposed, NULL, NULL},
    {"unconvolved", qn_derive_unconvolved, NULL, NULL},
    {"untransposed", untransposed, NULL, NULL},
    {"zeros", NULL, "x", "result = Expand(0, Shape(x))"},
    {0},
};
