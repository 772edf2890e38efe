/* SPDX-License-Identifier: Apache-2.0 */
/* Shapes: products of dimensions, NumPy's broadcasting, and their text. */
#include <stdio.h>

#include "engine/ir/dim.h"

QnDim qn_shape_product(QnDims *dims, const QnShape *shape, int first, int last)
{
    QnDim product = 1;
    for (int i = first; i < last; i++)
        product = qn_dim_mul(dims, product, shape->dims[i]);
    return product;
}

/* The i-th dim of a shape that is seen with `rank` dims, 1s in front. */
static QnDim padded_dim(const QnShape *shape, int rank, int i)
{
    const int at = i - (rank - shape->rank);
    return at < 0 ? 1 : shape->dims[at];
}

QnStatus qn_shape_broadcast(QnDims *dims, QnShape *out, const QnShape *a, const QnShape *b,
                            QnError *err)
{
    QnShape result = {.rank = a->rank > b->rank ? a->rank : b->rank};
    for (int i = 0; i < result.rank; i++) {
        const QnDim x = padded_dim(a, result.rank, i), y = padded_dim(b, result.rank, i);
        if (x >= 0 && y >= 0 && x != y && x != 1 && y != 1)
            return qn_fail(err, QN_BAD_MODEL, "cannot broadcast %lld against %lld", (long long)x,
                           (long long)y);
        result.dims[i] = qn_dim_broadcast(dims, x, y);
    }
    if (dims->failed)
        return qn_no_memory(err);
    *out = result;
    return QN_OK;
}

int qn_shape_print(const QnDims *dims, const QnShape *shape, char *text, size_t size)
{
    if (shape->rank <= 0)
        return snprintf(text, size, "%s", shape->rank < 0 ? "?" : "scalar");
    size_t length = 0;
    for (int i = 0; i < shape->rank; i++) {
        /* As snprintf does: count on where the room has ended. */
        if (i > 0 && ++length < size) {
            text[length - 1] = 'x';
            text[length] = 0;
        }
        const size_t room = length < size ? size - length : 0;
        length += (size_t)qn_dim_print(dims, shape->dims[i], room ? text + length : NULL, room);
    }
    return (int)length;
}
