/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What flows into a value that was broadcast: the sum over what it was repeated along.
 *
 * Where the dims tell which axes those are the sum is over these, else the program asks when it
 * runs: over the axes along which the sizes differ.
 */
#include "engine/passes/derive.h"

/* Which axes of g are summed over; false where the dims do not tell. */
static bool find_axes(const QnIrValue *g, const QnIrValue *a, int64_t *axes, int *count)
{
    const QnShape *whole = &g->type.shape, *part = &a->type.shape;
    const int lead = whole->rank - part->rank;
    *count = 0;
    if (whole->rank < 0 || part->rank < 0 || lead < 0)
        return false;
    for (int axis = 0; axis < whole->rank; axis++) {
        const QnDim size = whole->dims[axis], own = axis < lead ? 1 : part->dims[axis - lead];
        if (axis >= lead && qn_dim_is_equal(size, own))
            continue;
        if (own != 1)
            return false;
        axes[(*count)++] = axis;
    }
    return true;
}

static QnIrValue *sum(QnDerive *d, QnIrValue *g, QnIrValue *axes)
{
    QnIrValue *made = QN_BUILD(&d->build, "ReduceSum", g, axes);
    qn_build_int(&d->build, made, "keepdims", 1);
    return qn_derive_settle(d, qn_build_int(&d->build, made, "noop_with_empty_axes", 1));
}

static QnIrValue *join(QnDerive *d, QnIrValue *front, QnIrValue *back)
{
    QnIrValue *made = QN_BUILD(&d->build, "Concat", front, back);
    return qn_derive_settle(d, qn_build_int(&d->build, made, "axis", 0));
}

/* The sizes of a with ones in front, as many as g has. */
static QnIrValue *aligned_sizes(QnDerive *d, QnIrValue *sizes, QnIrValue *wanted)
{
    static const int64_t one = 1;
    QnIrValue *lead =
        QN_DERIVE(d, "Sub", QN_DERIVE(d, "Shape", wanted), QN_DERIVE(d, "Shape", sizes));
    QnIrValue *ones = QN_DERIVE(d, "Expand", qn_derive_vector(d, &one, 1), lead);
    return join(d, ones, sizes);
}

/* The axes along which the sizes differ when the program runs. */
static QnIrValue *differing_axes(QnDerive *d, QnIrValue *g, QnIrValue *a)
{
    static const int64_t zero = 0;
    QnIrValue *wanted = QN_DERIVE(d, "Shape", g);
    QnIrValue *sizes = aligned_sizes(d, QN_DERIVE(d, "Shape", a), wanted);
    QnIrValue *differs = QN_DERIVE(d, "Not", QN_DERIVE(d, "Equal", wanted, sizes));
    return QN_DERIVE(d, "Squeeze", QN_DERIVE(d, "NonZero", differs), qn_derive_vector(d, &zero, 1));
}

QnIrValue *qn_derive_sum_to(QnDerive *d, QnIrValue *g, QnIrValue *a)
{
    int64_t axes[QN_MAX_RANK];
    int count;
    if (d->build.status != QN_OK)
        return NULL;
    const bool is_known = find_axes(g, a, axes, &count);
    const int rank = a->type.shape.rank;
    if (is_known && count == 0)
        return g;
    g = sum(d, g, is_known ? qn_derive_vector(d, axes, count) : differing_axes(d, g, a));
    if (!g || (rank >= 0 && rank == g->type.shape.rank && is_known))
        return g;
    g = QN_BUILD(&d->build, "Reshape", g, QN_DERIVE(d, "Shape", a));
    return qn_derive_settle(d, qn_build_int(&d->build, g, "allowzero", 1));
}
