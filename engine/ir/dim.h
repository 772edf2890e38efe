/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dimensions: numbers, or expressions over symbols.
 *
 * A QnDim that is >= 0 is that number; a negative one names row -1 - dim of its table.  Rows are made once each
 * and kept in a normal form (a sum of products of symbols and opaque quotients, with integer factors), so equal
 * dims are equal numbers wherever the algebra can tell.  A row refers only to rows before it: one walk in order
 * evaluates all of them, which is what binding a plan does.
 */
#ifndef QN_ENGINE_IR_DIM_H
#define QN_ENGINE_IR_DIM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

typedef int64_t QnDim;

typedef enum QnDimOp {
    QN_DIM_SYMBOL,    /* a size given by an input, or found while running */
    QN_DIM_SUM,       /* constant + sum over terms: factor * row */
    QN_DIM_PRODUCT,   /* a * b, both rows (not numbers) */
    QN_DIM_FLOOR_DIV, /* floor(a / b), b > 0 */
    QN_DIM_CEIL_DIV,  /* ceil(a / b), b > 0 */
    QN_DIM_MOD,       /* a - floor(a / b) * b */
    QN_DIM_MAX,
    QN_DIM_MIN,
    QN_DIM_BROADCAST  /* the size of a broadcast against b: b where a is 1, else a */
} QnDimOp;

typedef struct QnDimTerm {
    QnDim row; /* negative: a row that is no sum */
    int64_t factor;
} QnDimTerm;

typedef struct QnDimRow {
    QnDimOp op;
    QnDim a, b;       /* operands of the binary ones: numbers or earlier rows */
    int64_t constant; /* of a sum */
    QnDimTerm *terms; /* [term_count] of a sum, by falling row */
    int term_count;
    const char *name; /* of a symbol: the model's, or one made up ("#3") */
    bool is_late;     /* a symbol known only while running, or a row that depends on one */
} QnDimRow;

/* One model's table.  One thread while it grows; read by any after. */
typedef struct QnDims {
    QnArena *arena; /* borrowed */
    QnDimRow *rows;
    int count, capacity;
    int *slots; /* open hash table of row + 1; 0: free */
    int slot_count;
    bool failed; /* a row could not be made: no memory, or over QN_DIM_LIMIT rows; every later result is 0 */
} QnDims;

enum { QN_DIM_LIMIT = 1 << 20 };

static inline bool qn_dim_is_known(QnDim dim)
{
    return dim >= 0;
}

void qn_dims_init(QnDims *dims, QnArena *arena);

/* The symbol of that name, made where it does not exist yet. */
QnDim qn_dim_symbol(QnDims *dims, const char *name);

/* A symbol equal to nothing else; is_late: its value is found while running. */
QnDim qn_dim_fresh(QnDims *dims, bool is_late);

QnDim qn_dim_add(QnDims *dims, QnDim a, QnDim b);
QnDim qn_dim_sub(QnDims *dims, QnDim a, QnDim b);
QnDim qn_dim_mul(QnDims *dims, QnDim a, QnDim b);

/* Quotients; b must be a number > 0 or a row, taken to be > 0.  Exact ones are simplified: 4*N / 2 is 2*N. */
QnDim qn_dim_floor_div(QnDims *dims, QnDim a, QnDim b);
QnDim qn_dim_ceil_div(QnDims *dims, QnDim a, QnDim b);
QnDim qn_dim_mod(QnDims *dims, QnDim a, QnDim b);
QnDim qn_dim_max(QnDims *dims, QnDim a, QnDim b);
QnDim qn_dim_min(QnDims *dims, QnDim a, QnDim b);

/* The size that a and b broadcast to; of two different numbers neither of which is 1 the result is -1's row: see
 * qn_shape_broadcast, which checks first. */
QnDim qn_dim_broadcast(QnDims *dims, QnDim a, QnDim b);

/* Whether a and b are surely equal; surely different (a constant difference other than 0). */
static inline bool qn_dim_is_equal(QnDim a, QnDim b)
{
    return a == b;
}
bool qn_dim_is_different(QnDims *dims, QnDim a, QnDim b);

/* Does the value depend on what is found while running? */
bool qn_dim_is_late(const QnDims *dims, QnDim dim);

/*
 * Evaluates rows [first, dims->count) into values[dims->count]; symbols' entries must hold their values (-1: not known yet,
 * and then what depends on them is -1 too).  Linear, allocates nothing.  Overflow and division by 0 give -1.
 */
void qn_dims_evaluate(const QnDims *dims, int first, int64_t *values);

/* A dim's value among evaluated rows. */
static inline int64_t qn_dim_value(QnDim dim, const int64_t *values)
{
    return dim >= 0 ? dim : values[-1 - dim];
}

/* Writes a dim as text: "12", "N", "2*N + 1", "floor(N/2)", "max(N, 1)".  Returns the length, as snprintf does. */
int qn_dim_print(const QnDims *dims, QnDim dim, char *text, size_t size);

/* Reads what qn_dim_print writes; new symbols are made.  False where it is no such text. */
bool qn_dim_parse(QnDims *dims, QnDim *out, const char *text, size_t size);

/* Dimensions of a value.  rank -1: not even the rank is known. */
typedef struct QnShape {
    int rank;
    QnDim dims[16];
} QnShape;

static inline QnShape qn_shape_unknown(void)
{
    return (QnShape){.rank = -1};
}

/* Product of the dims [first, last) of a shape whose rank is known. */
QnDim qn_shape_product(QnDims *dims, const QnShape *shape, int first, int last);

/*
 * NumPy's broadcasting of a against b (ranks known).  *out may be one of them.  Fails with "cannot broadcast 3
 * against 2" where two numbers cannot meet; symbols are taken to meet (checked again when a plan is bound).
 */
QnStatus qn_shape_broadcast(QnDims *dims, QnShape *out, const QnShape *a, const QnShape *b, QnError *err);

/* "2x3xN", "scalar" for rank 0, "?" for an unknown rank. */
int qn_shape_print(const QnDims *dims, const QnShape *shape, char *text, size_t size);

#endif
