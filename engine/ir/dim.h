/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dimensions: numbers, or expressions over symbols.
 *
 * A QnDim that is >= 0 is that number; a negative one names row -1 - dim of its table.  Rows are
 * made once each and kept in a normal form (a sum of products of symbols and opaque quotients, with
 * integer factors), so equal dims are equal numbers wherever the algebra can tell.  A row refers
 * only to rows before it: one walk in order evaluates all of them, which is what binding a plan
 * does.
 */
#ifndef QN_ENGINE_IR_DIM_H
#define QN_ENGINE_IR_DIM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

typedef int64_t QnDim;

typedef enum QnDimOp {
    QN_DIM_SYMBOL,    /* a size given by an input, or found while running */
    QN_DIM_SUM,       /* constant + sum over terms: factor * row */
    QN_DIM_PRODUCT,   /* a * b, both rows (not numbers) */
    QN_DIM_FLOOR_DIV, /* floor(a / b), b > 0; ceil(a / b) and a mod b are sums over one of these */
    QN_DIM_MAX,
    QN_DIM_MIN,
    QN_DIM_BROADCAST /* the size of a broadcast against b: b where a is 1, else a */
} QnDimOp;

typedef struct QnDimTerm {
    QnDim row; /* negative; a sum only where one flat sum would have over QN_DIM_TERM_LIMIT terms */
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
    bool is_size;     /* surely >= 0: a symbol that is not late, or a row made of such */
} QnDimRow;

/* One model's table.  One thread while it grows; read by any after. */
typedef struct QnDims {
    QnArena *arena; /* borrowed */
    QnDimRow *rows;
    int count, capacity;
    int *slots; /* open hash table of row + 1; 0: free */
    int slot_count;
    int fresh_count; /* names made up so far */
    bool failed;     /* a row could not be made: no memory, or over QN_DIM_LIMIT rows; every later
                        result is 0 */
} QnDims;

enum { QN_DIM_LIMIT = 1 << 20, QN_DIM_TERM_LIMIT = 32 };

/* What an evaluated row holds where it has no value:
 * a symbol not known yet, overflow, a division by 0. */
#define QN_DIM_UNKNOWN INT64_MIN

/* A number >= 0?  The sizes of tensors are; a negative number is a row: see qn_dim_constant. */
static inline bool qn_dim_is_known(QnDim dim)
{
    return dim >= 0;
}

void qn_dims_init(QnDims *dims, QnArena *arena);

/* A number as a dim: itself where it is >= 0, else a sum of no terms. */
QnDim qn_dim_number(QnDims *dims, int64_t number);

/* Is it a number, negative ones included?  *out is written only then. */
bool qn_dim_constant(const QnDims *dims, QnDim dim, int64_t *out);

/* The symbol of that name, made where it does not exist yet.  Its value is a size, so >= 0.  The
 * name is copied. */
QnDim qn_dim_symbol(QnDims *dims, const char *name);

/* A symbol equal to nothing else;
 * is_late: its value is found while running, and may then be negative. */
QnDim qn_dim_fresh(QnDims *dims, bool is_late);

QnDim qn_dim_add(QnDims *dims, QnDim a, QnDim b);
QnDim qn_dim_sub(QnDims *dims, QnDim a, QnDim b);
QnDim qn_dim_mul(QnDims *dims, QnDim a, QnDim b);

/* Quotients; b must be a number > 0 or a row, taken to be > 0.
 * Exact ones are simplified: 4*N / 2 is 2*N. */
QnDim qn_dim_floor_div(QnDims *dims, QnDim a, QnDim b);
QnDim qn_dim_ceil_div(QnDims *dims, QnDim a, QnDim b);
QnDim qn_dim_mod(QnDims *dims, QnDim a, QnDim b);
QnDim qn_dim_max(QnDims *dims, QnDim a, QnDim b);
QnDim qn_dim_min(QnDims *dims, QnDim a, QnDim b);

/* The size that a and b broadcast to; of two different numbers neither of which is 1 it is a row
 * that evaluates to QN_DIM_UNKNOWN: see qn_shape_broadcast, which checks first. */
QnDim qn_dim_broadcast(QnDims *dims, QnDim a, QnDim b);

/* Whether a and b are surely equal; surely different (their difference is never 0). */
static inline bool qn_dim_is_equal(QnDim a, QnDim b)
{
    return a == b;
}
bool qn_dim_is_different(const QnDims *dims, QnDim a, QnDim b);

/* Is a >= b for whatever sizes the symbols stand for?  False where the algebra cannot tell. */
bool qn_dim_is_at_least(const QnDims *dims, QnDim a, QnDim b);

/* Does the value depend on what is found while running? */
bool qn_dim_is_late(const QnDims *dims, QnDim dim);

/*
 * Evaluates rows [first, dims->count) into values[dims->count]; the entries of symbols must hold
 * their values. QN_DIM_UNKNOWN is a symbol not known yet; what depends on one, overflows, divides
 * by what is not > 0, or broadcasts sizes that do not fit, is QN_DIM_UNKNOWN too.  Rows may be
 * negative.  Linear, allocates nothing.
 */
void qn_dims_evaluate(const QnDims *dims, int first, int64_t *values);

/* A dim's value among evaluated rows. */
static inline int64_t qn_dim_value(QnDim dim, const int64_t *values)
{
    return dim >= 0 ? dim : values[-1 - dim];
}

/*
 * Writes a dim as text: "12", "N", "2*N + 1", "floor(N/2)", "max(N, 1)".  A symbol whose name is no
 * plain word is quoted; late symbols without a name are "?3".  Of an expression over some hundred
 * parts, those past that print as "@<row>", which does not read back.  Returns the length, as
 * snprintf does.
 */
int qn_dim_print(const QnDims *dims, QnDim dim, char *text, size_t size);

/* Reads what qn_dim_print writes, and ceil(a/b), mod(a, b); new symbols are made.  False where it
 * is no such text, or nested too deep. */
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
 * NumPy's broadcasting of a against b (ranks known).  *out may be one of them.  Fails with "cannot
 * broadcast 3 against 2" where two numbers cannot meet; symbols are taken to meet (checked again
 * when a plan is bound).
 */
QnStatus qn_shape_broadcast(QnDims *dims, QnShape *out, const QnShape *a, const QnShape *b,
                            QnError *err);

/* "2x3xN", "scalar" for rank 0, "?" for an unknown rank. */
int qn_shape_print(const QnDims *dims, const QnShape *shape, char *text, size_t size);

#endif
