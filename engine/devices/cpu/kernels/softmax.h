/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Softmax and LogSoftmax along one axis of a contiguous tensor, seen as [outer, length, inner]:
 *
 *     y[i] = exp(x[i] - max x) / sum_j exp(x[j] - max x)        log: y[i] = x[i] - max x - log(sum)
 *
 * Types: float and double; others are cast before and after.  y may be x.  A row that holds a NaN,
 * or whose maximum is infinite, becomes NaN where the formula says so.  The order of the additions
 * depends on the length alone.
 */
#ifndef QN_KERNELS_SOFTMAX_H
#define QN_KERNELS_SOFTMAX_H

#include "base/cpu.h"
#include "quern/value.h"

/* One row of `length` elements, one after the other. */
typedef void QnSoftmaxRowFn(int64_t length, const void *x, void *y, bool is_log);

/* `columns` rows side by side: element i of column j is at i * stride + j, counted in elements. */
typedef void QnSoftmaxColumnsFn(int64_t length, int64_t stride, int64_t columns, const void *x,
                                void *y, bool is_log);

typedef struct QnSoftmaxVariant {
    const char *name;
    QnIsa needs;
    QnType type;
    QnSoftmaxRowFn *row;
    QnSoftmaxColumnsFn *columns;
} QnSoftmaxVariant;

/* For each type fastest first; the last of a type needs nothing. */
extern const QnSoftmaxVariant qn_softmax_variants[];
extern const int qn_softmax_variant_count;

/* The first that runs; NULL: not for this type. */
const QnSoftmaxVariant *qn_softmax_pick(QnType type, QnIsa have);

typedef struct QnSoftmax {
    const QnSoftmaxVariant *variant;
    int64_t outer, length, inner;
    bool is_log;
} QnSoftmax;

/* What may be computed apart from each other: rows, or groups of columns. */
int64_t qn_softmax_unit_count(const QnSoftmax *softmax);

/* Computes units begin <= u < end. */
void qn_softmax_run(const QnSoftmax *softmax, const void *x, void *y, int64_t begin, int64_t end);

#endif
