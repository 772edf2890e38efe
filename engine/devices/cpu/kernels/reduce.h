/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reductions of a contiguous tensor over any set of axes, to a contiguous result of the axes that
 * stay.
 *
 *     y[kept] = finish(combine over reduced of map(x[kept, reduced]))
 *
 * Sums of floats are made in lanes of the element's type over blocks of fixed size, and the blocks
 * are added in double; the order depends on the shape alone.  Integers add and multiply modulo 2^64
 * and are cut to their type at the end. Over no elements a sum is 0, a product 1, a maximum the
 * least value of the type, a minimum the largest, a mean NaN (integers: 0).  A NaN gives NaN, also
 * as maximum or minimum, and counts as the largest or least for an index.
 *
 * Types: the families of families.h, but LOG_SUM_EXP is for floats; others are cast before and
 * after.  x and y do not overlap.
 */
#ifndef QN_KERNELS_REDUCE_H
#define QN_KERNELS_REDUCE_H

#include "base/cpu.h"
#include "engine/devices/cpu/kernels/families.h"

/* X(NAME, "name", the steps it is made of: map and combine, finish) */
#define QN_REDUCE_MAP(X)                           \
    X(SUM, "sum", ADD, AS_IS)                      \
    X(MEAN, "mean", ADD, DIVIDE)                   \
    X(MAX, "max", MAX, AS_IS)                      \
    X(MIN, "min", MIN, AS_IS)                      \
    X(PROD, "prod", MUL, AS_IS)                    \
    X(L1, "l1", ADD_ABS, AS_IS)                    \
    X(L2, "l2", ADD_SQUARE, ROOT)                  \
    X(SUM_SQUARE, "sum_square", ADD_SQUARE, AS_IS) \
    X(LOG_SUM, "log_sum", ADD, LOGARITHM)          \
    X(LOG_SUM_EXP, "log_sum_exp", ADD_EXP, LOGARITHM) /* of e^(x - max), max added at the end */

typedef enum QnReduceOp {
#define QN_REDUCE_ENUM(name, text, step, finish) QN_REDUCE_##name,
    QN_REDUCE_MAP(QN_REDUCE_ENUM)
#undef QN_REDUCE_ENUM
        QN_REDUCE_OP_COUNT
} QnReduceOp;

/* What happens to each element. */
typedef enum QnReduceStep {
    QN_STEP_ADD,
    QN_STEP_ADD_ABS,
    QN_STEP_ADD_SQUARE,
    QN_STEP_ADD_EXP, /* of the element minus a shift */
    QN_STEP_MUL,
    QN_STEP_MAX,
    QN_STEP_MIN,
    QN_STEP_COUNT
} QnReduceStep;

/* An accumulator: double for floats, the widest integer of the sign for integers. */
typedef union QnReduceSum {
    double f;
    int64_t i;
    uint64_t u;
} QnReduceSum;

/*
 * Takes `rows` rows of `columns` elements, `stride` elements apart, into sums[columns] (columns <=
 * QN_REDUCE_COLUMNS). With columns = 1 a row is one element and stride 1: a contiguous run.
 * `shifts` is [columns], for ADD_EXP alone.
 */
typedef void QnReduceFn(int64_t rows, int64_t stride, int64_t columns, const void *x,
                        QnReduceSum *sums, const double *shifts);
enum { QN_REDUCE_COLUMNS = 64 };

/* The steps of one ISA: `run` for contiguous runs, `across` for columns;
 * NULL where the portable one serves. */
typedef struct QnReduceVariant {
    const char *name;
    QnIsa needs;
    QnFamily family;
    QnReduceFn *const *run, *const *across; /* [QN_STEP_COUNT] */
} QnReduceVariant;

extern const QnReduceVariant qn_reduce_variants[];
extern const int qn_reduce_variant_count;

/* A bound reduction. */
typedef struct QnReduce {
    QnReduceOp op;
    QnFamily family;
    QnReduceFn *step, *find_max; /* find_max: of LOG_SUM_EXP */
    const char *variant;         /* the table row that `step` is from */
    bool is_run;                 /* the innermost axis is reduced */
    int kept_rank, reduced_rank; /* without the innermost axis */
    int64_t kept_dims[QN_MAX_RANK], kept_strides[QN_MAX_RANK];
    int64_t reduced_dims[QN_MAX_RANK], reduced_strides[QN_MAX_RANK];
    int64_t rows, row_stride; /* what one call of the step takes */
    int64_t columns;          /* kept at the innermost axis; 1 where that is reduced */
    int64_t calls;            /* the product of reduced_dims */
    int64_t reduced_count;    /* elements for each result */
    int64_t unit_count;
} QnReduce;

/* Binds: bit d of `axes` says that axis d is reduced.  Several may be, in any places. */
void qn_reduce_bind(QnReduce *out, QnReduceOp op, QnFamily family, int rank, const int64_t *dims,
                    uint32_t axes, QnIsa have);

/* Computes units begin <= u < end of unit_count: groups of results that no other unit touches. */
void qn_reduce_run(const QnReduce *reduce, const void *x, void *y, int64_t begin, int64_t end);

/*
 * ArgMax and ArgMin of a tensor seen as [outer, length, inner], length > 0: y is [outer, inner] of
 * int64.  Among equals the first, or the last where takes_last.  Units are outer.
 */
typedef struct QnArg {
    QnFamily family;
    int64_t outer, length, inner;
    bool is_min, takes_last;
} QnArg;

void qn_arg_run(const QnArg *arg, const void *x, int64_t *y, int64_t begin, int64_t end);

#endif
