/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies of tensors from one arrangement in memory to another: transpose, slice, concat, pad,
 * expand, tile, depth to space, and plain to pitched layouts.  All are the same copy between two
 * sets of strides.
 *
 *     to[i . to_strides] = from[i . from_strides]  for every index i of the shape
 *
 * Strides are in bytes, any sign; those of `from` may be 0 (the element is repeated), those of `to`
 * may not make two indices meet.  Elements are moved as bytes, aligned to nothing.  `to` and `from`
 * do not overlap.  Nothing outside the indexed elements is read or written.
 */
#ifndef QN_KERNELS_MOVE_H
#define QN_KERNELS_MOVE_H

#include "base/cpu.h"
#include "quern/value.h"

/*
 * Transposes one tile:
 *
 *     to[b * to_stride + a * size] = from[a * from_stride + b * size]  for a, b < tile
 */
typedef void QnTransposeFn(char *to, int64_t to_stride, const char *from, int64_t from_stride);

typedef struct QnTranspose {
    const char *name; /* transpose_<bytes>_<tile>_<isa> */
    QnIsa needs;
    int element_size;
    int tile;
    QnTransposeFn *run;
} QnTranspose;

/* For each element size fastest first; sizes that are not here are copied element by element. */
extern const QnTranspose qn_transposes[];
extern const int qn_transpose_count;

typedef enum QnMoveKind {
    QN_MOVE_ROWS,      /* the innermost dimension is contiguous on both sides, cut into pieces */
    QN_MOVE_TRANSPOSE, /* contiguous in one dimension of `to` and another of `from` */
    QN_MOVE_STRIDED    /* neither: element by element */
} QnMoveKind;

/* A bound copy: dimensions sorted by the strides of `to`, and merged. */
typedef struct QnMove {
    QnMoveKind kind;
    const QnTranspose *transpose; /* NULL: none of that size */
    int64_t size;                 /* of what moves as one, bytes */
    int rank;                     /* of the outer dimensions */
    int64_t dims[QN_MAX_RANK], to_strides[QN_MAX_RANK], from_strides[QN_MAX_RANK];
    int64_t count;                  /* of the innermost dimension */
    int64_t to_stride, from_stride; /* of the innermost dimension */
    int64_t across;                 /* of the dimension contiguous in `from` (TRANSPOSE) */
    int64_t across_stride;          /* its stride in `to` */
    int64_t piece,
        pieces;         /* the innermost dimension is cut in so many pieces of so many elements */
    int64_t unit_count; /* what a run counts: outer indices times pieces; 0: nothing to copy */
} QnMove;

/* Binds a shape; `rank` at most QN_MAX_RANK. */
void qn_move_bind(QnMove *out, int rank, const int64_t *dims, const int64_t *to_strides,
                  const int64_t *from_strides, int64_t element_size, QnIsa have);

/* Does units begin <= u < end of unit_count, in any order and by any thread. */
void qn_move_run(const QnMove *move, void *to, const void *from, int64_t begin, int64_t end);

/* Rough bytes that one unit moves: for choosing how many units make a chunk of work. */
static inline int64_t qn_move_unit_bytes(const QnMove *move)
{
    return move->piece * move->size * (move->kind == QN_MOVE_TRANSPOSE ? move->across : 1);
}

#endif
