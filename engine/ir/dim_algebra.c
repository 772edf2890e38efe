/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arithmetic on dimensions, kept in normal form.
 *
 * A dim is worked on as a flat sum: a constant and terms, each an integer factor times an atom.
 * Atoms are symbols, products of atoms in order, quotients, maxima and so on.  Each operation takes
 * sums apart, works on them on the stack, and interns the result.  Quotients have a file of their
 * own, dim_quotient.c.
 *
 * Where the algebra would grow without bound (terms, degrees, expanded products) it stops and makes
 * an opaque row, which evaluates to the same number but is equal to fewer others.
 */
#include "engine/ir/dim_sum.h"

#include <string.h>

#include "base/checked.h"
#include "engine/ir/dim_row.h"

enum { EXPAND_LIMIT = 16 };

QnDim qn_dim_undefined(QnDims *dims)
{
    return qn_dim_intern(dims, &(QnDimRow){.op = QN_DIM_FLOOR_DIV});
}

QnDim qn_dim_binary(QnDims *dims, QnDimOp op, QnDim a, QnDim b)
{
    return qn_dim_intern(dims, &(QnDimRow){.op = op, .a = a, .b = b});
}

/* The same for operators that commute: the earlier row first, a number last. */
static QnDim commutative(QnDims *dims, QnDimOp op, QnDim a, QnDim b)
{
    const bool is_swapped = b < 0 && (a >= 0 || a < b);
    return is_swapped ? qn_dim_binary(dims, op, b, a) : qn_dim_binary(dims, op, a, b);
}

/* --- sums --- */

QnSum qn_sum_of(const QnDims *dims, QnDim dim)
{
    QnSum sum = {0};
    if (dim >= 0) {
        sum.constant = dim;
    } else if (qn_dim_is(dims, dim, QN_DIM_SUM)) {
        const QnDimRow *row = qn_dim_row(dims, dim);
        sum.constant = row->constant;
        sum.count = row->term_count;
        if (sum.count)
            memcpy(sum.terms, row->terms, (size_t)sum.count * sizeof *sum.terms);
    } else {
        sum.count = 1;
        sum.terms[0] = (QnDimTerm){dim, 1};
    }
    return sum;
}

QnSumOutcome qn_sum_add_term(QnSum *sum, QnDim row, int64_t factor)
{
    int at = 0;
    while (at < sum->count && sum->terms[at].row > row)
        at++;
    const size_t behind = (size_t)(sum->count - at) * sizeof *sum->terms;
    if (factor == 0)
        return QN_SUM_DONE;
    if (at == sum->count || sum->terms[at].row != row) {
        if (sum->count == QN_DIM_TERM_LIMIT)
            return QN_SUM_TOO_LONG;
        memmove(&sum->terms[at + 1], &sum->terms[at], behind);
        sum->terms[at] = (QnDimTerm){row, factor};
        sum->count++;
        return QN_SUM_DONE;
    }
    if (!qn_add_i64(&sum->terms[at].factor, sum->terms[at].factor, factor))
        return QN_SUM_OVERFLOWS;
    if (sum->terms[at].factor == 0) {
        memmove(&sum->terms[at], &sum->terms[at + 1], behind - sizeof *sum->terms);
        sum->count--;
    }
    return QN_SUM_DONE;
}

QnSumOutcome qn_sum_add_scaled(QnSum *sum, const QnSum *other, int64_t factor)
{
    int64_t product;
    if (!qn_mul_i64(&product, other->constant, factor) ||
        !qn_add_i64(&sum->constant, sum->constant, product))
        return QN_SUM_OVERFLOWS;
    for (int i = 0; i < other->count; i++) {
        if (!qn_mul_i64(&product, other->terms[i].factor, factor))
            return QN_SUM_OVERFLOWS;
        const QnSumOutcome outcome = qn_sum_add_term(sum, other->terms[i].row, product);
        if (outcome != QN_SUM_DONE)
            return outcome;
    }
    return QN_SUM_DONE;
}

QnDim qn_sum_intern(QnDims *dims, QnSum *sum)
{
    if (sum->count == 0)
        return qn_dim_number(dims, sum->constant);
    if (sum->count == 1 && sum->constant == 0 && sum->terms[0].factor == 1)
        return dims->failed ? 0 : sum->terms[0].row;
    return qn_dim_intern(dims, &(QnDimRow){.op = QN_DIM_SUM,
                                           .constant = sum->constant,
                                           .terms = sum->terms,
                                           .term_count = sum->count});
}

QnDim qn_dim_combine(QnDims *dims, QnDim a, QnDim b, int64_t factor)
{
    QnSum sum = qn_sum_of(dims, a);
    const QnSum other = qn_sum_of(dims, b);
    QnSumOutcome outcome = qn_sum_add_scaled(&sum, &other, factor);
    if (outcome == QN_SUM_TOO_LONG) {
        sum = (QnSum){.count = 1, .terms = {{a, 1}}};
        outcome = qn_sum_add_term(&sum, b, factor);
    }
    return outcome == QN_SUM_DONE ? qn_sum_intern(dims, &sum) : qn_dim_undefined(dims);
}

QnDim qn_dim_add(QnDims *dims, QnDim a, QnDim b)
{
    return qn_dim_combine(dims, a, b, 1);
}

QnDim qn_dim_sub(QnDims *dims, QnDim a, QnDim b)
{
    return qn_dim_combine(dims, a, b, -1);
}

/* --- products --- */

/* Products are interned as ((x * y) * z): the last factor is `b`. */
bool qn_factors_of(const QnDims *dims, QnDim row, QnFactors *factors)
{
    int count = 1;
    for (QnDim at = row; qn_dim_is(dims, at, QN_DIM_PRODUCT); at = qn_dim_row(dims, at)->a)
        count++;
    if (count > QN_FACTOR_LIMIT)
        return false;
    factors->count = count;
    while (--count > 0) {
        factors->rows[count] = qn_dim_row(dims, row)->b;
        row = qn_dim_row(dims, row)->a;
    }
    factors->rows[0] = row;
    return true;
}

QnDim qn_factors_intern(QnDims *dims, const QnFactors *factors)
{
    QnDim product = factors->rows[0];
    for (int i = 1; i < factors->count; i++)
        product = qn_dim_binary(dims, QN_DIM_PRODUCT, product, factors->rows[i]);
    return product;
}

/* The product of two atoms: their factors merged in order. */
static QnDim multiply_atoms(QnDims *dims, QnDim a, QnDim b)
{
    QnFactors x, y, merged = {0};
    if (!qn_factors_of(dims, a, &x) || !qn_factors_of(dims, b, &y) ||
        x.count + y.count > QN_FACTOR_LIMIT)
        return commutative(dims, QN_DIM_PRODUCT, a, b);
    for (int i = 0, j = 0; i < x.count || j < y.count;) {
        const bool is_x = j == y.count || (i < x.count && x.rows[i] >= y.rows[j]);
        merged.rows[merged.count++] = is_x ? x.rows[i++] : y.rows[j++];
    }
    return qn_factors_intern(dims, &merged);
}

QnSumOutcome qn_sum_add_multiple(QnDims *dims, QnSum *to, const QnSum *sum, QnDimTerm by)
{
    int64_t factor;
    if (!qn_mul_i64(&factor, sum->constant, by.factor))
        return QN_SUM_OVERFLOWS;
    QnSumOutcome outcome = qn_sum_add_term(to, by.row, factor);
    for (int i = 0; i < sum->count && outcome == QN_SUM_DONE; i++) {
        if (!qn_mul_i64(&factor, sum->terms[i].factor, by.factor))
            return QN_SUM_OVERFLOWS;
        outcome = qn_sum_add_term(to, multiply_atoms(dims, sum->terms[i].row, by.row), factor);
    }
    return outcome;
}

static QnSumOutcome multiply_sums(QnDims *dims, QnSum *out, const QnSum *a, const QnSum *b)
{
    *out = (QnSum){0};
    QnSumOutcome outcome = qn_sum_add_scaled(out, a, b->constant);
    for (int i = 0; i < b->count && outcome == QN_SUM_DONE; i++)
        outcome = qn_sum_add_multiple(dims, out, a, b->terms[i]);
    return outcome;
}

QnDim qn_dim_mul(QnDims *dims, QnDim a, QnDim b)
{
    const QnSum x = qn_sum_of(dims, a), y = qn_sum_of(dims, b);
    QnSum product;
    QnSumOutcome outcome = QN_SUM_TOO_LONG;
    /* Multiplying by one term or a number makes nothing longer. */
    if (x.count + (x.constant != 0) <= 1 || y.count + (y.constant != 0) <= 1 ||
        (x.count + 1) * (y.count + 1) <= EXPAND_LIMIT)
        outcome = multiply_sums(dims, &product, &x, &y);
    if (outcome == QN_SUM_TOO_LONG)
        return multiply_atoms(dims, a, b);
    return outcome == QN_SUM_DONE ? qn_sum_intern(dims, &product) : qn_dim_undefined(dims);
}

/* --- comparisons --- */

bool qn_dim_is_at_least(const QnDims *dims, QnDim a, QnDim b)
{
    QnSum difference = qn_sum_of(dims, a);
    const QnSum other = qn_sum_of(dims, b);
    if (qn_sum_add_scaled(&difference, &other, -1) != QN_SUM_DONE || difference.constant < 0)
        return false;
    for (int i = 0; i < difference.count; i++)
        if (difference.terms[i].factor < 0 || !qn_dim_row(dims, difference.terms[i].row)->is_size)
            return false;
    return true;
}

bool qn_dim_is_different(const QnDims *dims, QnDim a, QnDim b)
{
    QnSum difference = qn_sum_of(dims, a);
    const QnSum other = qn_sum_of(dims, b);
    if (qn_sum_add_scaled(&difference, &other, -1) != QN_SUM_DONE || difference.constant == 0)
        return false;
    /* All terms must pull the way of the constant: N + 1 and 0 differ, N - 1 and 0 may not. */
    for (int i = 0; i < difference.count; i++)
        if ((difference.terms[i].factor < 0) != (difference.constant < 0) ||
            !qn_dim_row(dims, difference.terms[i].row)->is_size)
            return false;
    return true;
}

/* Is `part` an operand of `whole`, so that max(max(a, b), b) is max(a, b)? */
static bool absorbs(const QnDims *dims, QnDimOp op, QnDim whole, QnDim part)
{
    return qn_dim_is(dims, whole, op) &&
           (qn_dim_row(dims, whole)->a == part || qn_dim_row(dims, whole)->b == part);
}

QnDim qn_dim_max(QnDims *dims, QnDim a, QnDim b)
{
    if (qn_dim_is_at_least(dims, a, b) || absorbs(dims, QN_DIM_MAX, a, b))
        return dims->failed ? 0 : a;
    if (qn_dim_is_at_least(dims, b, a) || absorbs(dims, QN_DIM_MAX, b, a))
        return dims->failed ? 0 : b;
    return commutative(dims, QN_DIM_MAX, a, b);
}

QnDim qn_dim_min(QnDims *dims, QnDim a, QnDim b)
{
    if (qn_dim_is_at_least(dims, b, a) || absorbs(dims, QN_DIM_MIN, a, b))
        return dims->failed ? 0 : a;
    if (qn_dim_is_at_least(dims, a, b) || absorbs(dims, QN_DIM_MIN, b, a))
        return dims->failed ? 0 : b;
    return commutative(dims, QN_DIM_MIN, a, b);
}

QnDim qn_dim_broadcast(QnDims *dims, QnDim a, QnDim b)
{
    int64_t x = 0, y = 0;
    const bool is_x = qn_dim_constant(dims, a, &x), is_y = qn_dim_constant(dims, b, &y);
    if (dims->failed)
        return 0;
    if (a == b || (is_y && y == 1))
        return a;
    if (is_x && x == 1)
        return b;
    if (is_x && is_y)
        return qn_dim_undefined(dims);
    /* A row that meets a number other than 1 is that number, or 1. */
    if (is_x || is_y)
        return is_x ? a : b;
    if (absorbs(dims, QN_DIM_BROADCAST, a, b))
        return a;
    if (absorbs(dims, QN_DIM_BROADCAST, b, a))
        return b;
    return commutative(dims, QN_DIM_BROADCAST, a, b);
}
