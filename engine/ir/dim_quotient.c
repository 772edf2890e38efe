/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Quotients and remainders of dimensions, in normal form.
 *
 * By a row: long division, where nothing remains; else the terms that it divides go in front.  By a
 * number: whole parts are taken out of floor((7*N + 9)/4), 2*N + 2 + floor((1 - N)/4), its sign is
 * turned, 2*N + 2 - floor((N + 2)/4), and quotients of quotients become one, so that sizes which
 * different operators compute in different ways meet in one row.
 */
#include "base/checked.h"
#include "engine/ir/dim_row.h"
#include "engine/ir/dim_sum.h"

enum { DIVIDE_LIMIT = 32 };

/* --- exact quotients --- */

/* Takes the factors of b out of a.  *out is the rest; 1 where none is left.
 * False where one is not there. */
static bool divide_atoms(QnDims *dims, QnDim *out, QnDim a, QnDim b)
{
    QnFactors x, y, rest = {0};
    if (a == b) {
        *out = 1;
        return true;
    }
    if (!qn_factors_of(dims, a, &x) || !qn_factors_of(dims, b, &y))
        return false;
    int j = 0;
    for (int i = 0; i < x.count; i++)
        if (j < y.count && x.rows[i] == y.rows[j])
            j++;
        else
            rest.rows[rest.count++] = x.rows[i];
    if (j < y.count)
        return false;
    *out = rest.count ? qn_factors_intern(dims, &rest) : 1;
    return true;
}

/* One term divided by another, exactly.  A row of 1 stands for no atom. */
static bool divide_terms(QnDims *dims, QnDimTerm *out, QnDimTerm a, QnDimTerm b)
{
    if (a.factor == INT64_MIN || a.factor % b.factor != 0)
        return false;
    out->factor = a.factor / b.factor;
    if (b.row >= 0) {
        out->row = a.row;
        return true;
    }
    return a.row < 0 && divide_atoms(dims, &out->row, a.row, b.row);
}

/* An order of terms that products keep: first by how many factors, then by the factors. */
static int compare_terms(const QnDims *dims, QnDim a, QnDim b)
{
    QnFactors x = {0}, y = {0};
    if ((a < 0 && !qn_factors_of(dims, a, &x)) || (b < 0 && !qn_factors_of(dims, b, &y)))
        return a < b ? -1 : a > b;
    if (x.count != y.count)
        return x.count < y.count ? -1 : 1;
    for (int i = 0; i < x.count; i++)
        if (x.rows[i] != y.rows[i])
            return x.rows[i] < y.rows[i] ? -1 : 1;
    return 0;
}

/* The term of the highest order; the constant is the lowest. */
static QnDimTerm leading_term(const QnDims *dims, const QnSum *sum)
{
    QnDimTerm leading = {1, sum->constant};
    for (int i = 0; i < sum->count; i++)
        if (leading.row >= 0 || compare_terms(dims, sum->terms[i].row, leading.row) > 0)
            leading = sum->terms[i];
    return leading;
}

static QnSumOutcome add_to(QnSum *sum, QnDimTerm term)
{
    if (term.row < 0)
        return qn_sum_add_term(sum, term.row, term.factor);
    return qn_add_i64(&sum->constant, sum->constant, term.factor) ? QN_SUM_DONE : QN_SUM_OVERFLOWS;
}

/* Long division of polynomials: true, with the quotient, where nothing remains. */
static bool divide_exactly(QnDims *dims, QnSum *quotient, const QnSum *a, const QnSum *b)
{
    const QnDimTerm divisor = leading_term(dims, b);
    QnSum rest = *a;
    *quotient = (QnSum){0};
    for (int step = 0; step < DIVIDE_LIMIT; step++) {
        if (rest.count == 0 && rest.constant == 0)
            return true;
        QnDimTerm term;
        if (!divide_terms(dims, &term, leading_term(dims, &rest), divisor) ||
            add_to(quotient, term) != QN_SUM_DONE)
            return false;
        term.factor = -term.factor;
        if ((term.row < 0 ? qn_sum_add_multiple(dims, &rest, b, term)
                          : qn_sum_add_scaled(&rest, b, term.factor)) != QN_SUM_DONE)
            return false;
    }
    return false;
}

/* --- quotients by a number --- */

/* The quotient of a by b > 0 that is rounded to the nearest,
 * half down, so that the rest is in (-b/2, b/2]. */
static int64_t nearest_quotient(int64_t a, int64_t b)
{
    const int64_t quotient = qn_floor_div(a, b), rest = a - quotient * b;
    return rest > b / 2 ? quotient + 1 : quotient;
}

/* Moves whole multiples of b from the rest into the quotient. */
static bool take_whole(QnSum *quotient, QnSum *rest, int64_t b)
{
    const QnSum from = *rest;
    const int64_t whole = qn_floor_div(from.constant, b);
    *rest = (QnSum){.constant = from.constant - whole * b};
    if (!qn_add_i64(&quotient->constant, quotient->constant, whole))
        return false;
    for (int i = 0; i < from.count; i++) {
        const QnDimTerm term = from.terms[i];
        const int64_t q = nearest_quotient(term.factor, b);
        if (qn_sum_add_term(quotient, term.row, q) != QN_SUM_DONE ||
            qn_sum_add_term(rest, term.row, term.factor - q * b) != QN_SUM_DONE)
            return false;
    }
    return true;
}

/* rest = b - 1 - rest: floor(rest / b) is minus the floor of this.
 * Small numbers: take_whole went before. */
static void turn_sign(QnSum *rest, int64_t b)
{
    rest->constant = b - 1 - rest->constant;
    for (int i = 0; i < rest->count; i++)
        rest->terms[i].factor = -rest->terms[i].factor;
}

static int64_t common_divisor(int64_t a, int64_t b)
{
    while (b) {
        const int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* Divides factors and divisor by what they have in common:
 * floor((4*N + 3)/6) is floor((2*N + 1)/3). */
static int64_t reduce(QnSum *rest, int64_t b)
{
    int64_t common = b;
    for (int i = 0; i < rest->count; i++)
        common = common_divisor(common, rest->terms[i].factor < 0 ? -rest->terms[i].factor
                                                                  : rest->terms[i].factor);
    for (int i = 0; i < rest->count; i++)
        rest->terms[i].factor /= common;
    rest->constant = qn_floor_div(rest->constant, common);
    return b / common;
}

/* floor((floor(x/a) + c)/b) is floor((x + a*c)/(a*b)):
 * one quotient for a chain of strided windows. */
static bool unnest(const QnDims *dims, QnSum *rest, int64_t *b)
{
    if (rest->count != 1 || rest->terms[0].factor != 1 ||
        !qn_dim_is(dims, rest->terms[0].row, QN_DIM_FLOOR_DIV))
        return false;
    const QnDimRow *inner = qn_dim_row(dims, rest->terms[0].row);
    int64_t divisor;
    if (inner->b <= 0 || !qn_mul_i64(&divisor, inner->b, *b))
        return false;
    QnSum numerator = qn_sum_of(dims, inner->a);
    const QnSum offset = {.constant = rest->constant};
    if (qn_sum_add_scaled(&numerator, &offset, inner->b) != QN_SUM_DONE)
        return false;
    *rest = numerator;
    *b = divisor;
    return true;
}

/* One round: floor(rest/b) becomes part + sign * floor(rest/b),
 * whose rest starts with a positive factor. */
static bool normalize(QnSum *quotient, int64_t *sign, QnSum *rest, int64_t b)
{
    QnSum part = {0};
    if (!take_whole(&part, rest, b) || qn_sum_add_scaled(quotient, &part, *sign) != QN_SUM_DONE)
        return false;
    if (rest->count == 0 || rest->terms[0].factor > 0)
        return true;
    /* A turned sign makes -b/2 of b/2, which is not in range: take whole parts once more. */
    turn_sign(rest, b);
    *sign = -*sign;
    part = (QnSum){0};
    return take_whole(&part, rest, b) && qn_sum_add_scaled(quotient, &part, *sign) == QN_SUM_DONE;
}

static QnDim divide_by_number(QnDims *dims, QnDim a, int64_t b)
{
    QnSum quotient = {0}, rest = qn_sum_of(dims, a);
    int64_t sign = 1, divisor = b;
    do {
        if (!normalize(&quotient, &sign, &rest, divisor))
            return qn_dim_binary(dims, QN_DIM_FLOOR_DIV, a, b);
        divisor = reduce(&rest, divisor);
    } while (unnest(dims, &rest, &divisor));
    const QnDim whole = qn_sum_intern(dims, &quotient);
    /* What remains of a constant is smaller than the divisor. */
    if (rest.count == 0)
        return whole;
    const QnDim opaque = qn_dim_binary(dims, QN_DIM_FLOOR_DIV, qn_sum_intern(dims, &rest), divisor);
    return qn_dim_combine(dims, whole, opaque, sign);
}

/* --- quotients by a row --- */

/* The terms of a that one term divides go in front of the quotient:
 * floor((N*M + 3)/M) is N + floor(3/M). */
static QnDim divide_by_term(QnDims *dims, QnDim a, QnDim b, QnDimTerm divisor)
{
    const QnSum from = qn_sum_of(dims, a);
    QnSum quotient = {0}, rest = {.constant = from.constant};
    for (int i = 0; i < from.count; i++) {
        QnDimTerm term;
        if (!divide_terms(dims, &term, from.terms[i], divisor))
            rest.terms[rest.count++] = from.terms[i];
        else if (add_to(&quotient, term) != QN_SUM_DONE)
            return qn_dim_binary(dims, QN_DIM_FLOOR_DIV, a, b);
    }
    if (rest.count == 0 && rest.constant == 0)
        return qn_sum_intern(dims, &quotient);
    const QnDim opaque = qn_dim_binary(dims, QN_DIM_FLOOR_DIV, qn_sum_intern(dims, &rest), b);
    return qn_dim_combine(dims, qn_sum_intern(dims, &quotient), opaque, 1);
}

/* a / b where b is a row and nothing remains. */
static bool find_exact_quotient(QnDims *dims, QnDim *out, QnDim a, QnDim b)
{
    const QnSum x = qn_sum_of(dims, a), y = qn_sum_of(dims, b);
    QnSum quotient;
    if (!divide_exactly(dims, &quotient, &x, &y))
        return false;
    *out = qn_sum_intern(dims, &quotient);
    return true;
}

QnDim qn_dim_floor_div(QnDims *dims, QnDim a, QnDim b)
{
    int64_t number, divisor;
    QnDim quotient;
    if (qn_dim_constant(dims, b, &divisor)) {
        if (divisor <= 0)
            return qn_dim_undefined(dims);
        if (qn_dim_constant(dims, a, &number))
            return qn_dim_number(dims, qn_floor_div(number, divisor));
        return divide_by_number(dims, a, divisor);
    }
    if (find_exact_quotient(dims, &quotient, a, b))
        return quotient;
    const QnSum y = qn_sum_of(dims, b);
    const bool is_term = y.count == 1 && y.constant == 0;
    return divide_by_term(dims, a, b, is_term ? y.terms[0] : (QnDimTerm){b, 1});
}

QnDim qn_dim_ceil_div(QnDims *dims, QnDim a, QnDim b)
{
    int64_t number, divisor;
    QnDim quotient;
    if (!qn_dim_constant(dims, b, &divisor)) {
        if (find_exact_quotient(dims, &quotient, a, b))
            return quotient;
    } else if (divisor > 0 && qn_dim_constant(dims, a, &number)) {
        return qn_dim_number(dims, qn_ceil_div(number, divisor));
    }
    const QnDim up = qn_dim_sub(dims, b, 1);
    return qn_dim_floor_div(dims, qn_dim_add(dims, a, up), b);
}

QnDim qn_dim_mod(QnDims *dims, QnDim a, QnDim b)
{
    return qn_dim_sub(dims, a, qn_dim_mul(dims, qn_dim_floor_div(dims, a, b), b));
}
