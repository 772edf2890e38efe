/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Elements and slices picked by index, and put by index.
 *
 * Indices are int32 or int64, of any alignment; -1 counts from the end.  They are data from
 * outside: a function gives the position of the first index that is out of range, having read and
 * written nothing through it, or QN_INDICES_VALID. All tensors are contiguous; elements of gathers
 * are moved as bytes, of any alignment; what is read does not overlap what is written.
 */
#ifndef QN_KERNELS_GATHER_H
#define QN_KERNELS_GATHER_H

#include "engine/devices/cpu/kernels/families.h"

#define QN_INDICES_VALID (-1)

typedef struct QnIndices {
    const void *data;
    int64_t count;
    int size; /* of one: 4 or 8 bytes */
} QnIndices;

/*
 * Gather, for x [outer, axis, slice_bytes] and y [outer, count, slice_bytes]:
 *
 *     y[o][i][...] = x[o][indices[i]][...]
 *
 * Does slices begin <= o * count + i < end.
 */
int64_t qn_gather(const QnIndices *indices, int64_t axis, int64_t slice_bytes, const void *x,
                  void *y, int64_t begin, int64_t end);

/* GatherElements and ScatterElements:  the tensor has `dims`, the indices `index_dims`, none larger
 * but at the axis. */
typedef struct QnElements {
    int rank, axis;
    int64_t dims[QN_MAX_RANK], index_dims[QN_MAX_RANK];
} QnElements;

/* y[i] = x[i with indices[i] at the axis], for elements begin <= i < end of the indices. */
int64_t qn_gather_elements(const QnElements *elements, const QnIndices *indices,
                           int64_t element_size, const void *x, void *y, int64_t begin,
                           int64_t end);

/* What a scatter does with an element that is there. */
typedef enum QnScatterOp {
    QN_SCATTER_SET,
    QN_SCATTER_ADD,
    QN_SCATTER_MUL,
    QN_SCATTER_MAX,
    QN_SCATTER_MIN
} QnScatterOp;

/* y[i with indices[i] at the axis] op= updates[i], in order; y holds the data already. */
int64_t qn_scatter_elements(const QnElements *elements, const QnIndices *indices, QnScatterOp op,
                            QnFamily family, const void *updates, void *y);

/*
 * GatherND and ScatterND:  `batches` tensors of dims[depth] slices; indices is [batches, count /
 * batches, depth], where each row of `depth` names one slice of its batch.
 */
typedef struct QnSlices {
    int depth; /* 0: the row is empty and names the whole */
    int64_t dims[QN_MAX_RANK];
    int64_t batches, rows; /* rows: of each batch */
    int64_t slice;         /* elements */
} QnSlices;

int64_t qn_gather_nd(const QnSlices *slices, const QnIndices *indices, int64_t element_size,
                     const void *x, void *y, int64_t begin, int64_t end); /* rows of all batches */
int64_t qn_scatter_nd(const QnSlices *slices, const QnIndices *indices, QnScatterOp op,
                      QnFamily family, const void *updates, void *y);

/* y[i] op= u[i]; SET copies.  Integers wrap; a NaN wins MAX and MIN. */
void qn_scatter_row(QnScatterOp op, QnFamily family, int64_t count, void *y, const void *u);

#endif
