/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arithmetic on dimensions, kept in normal form.
 *
 * A dim is worked on as a flat sum: a constant and terms, each an integer factor times an atom.
 * Atoms are symbols, products of atoms in order, quotients, maxima and so on.  Each operation takes
 * sums apart, works on them on the stack, and interns the result.  Quotients by a number are
 * normalized too: floor((7*N + 9)/4) has its whole parts taken out, 2*N + 2 + floor((1 - N)/4), and
 * its sign turned, 2*N + 2 - floor((N + 2)/4), so that sizes which different operators compute in
 * different ways meet in one row.
 *
 * Where the algebra would grow without bound (terms, degrees, expanded products) it stops and makes
 * an opaque row, which evaluates to the same number but is equal to fewer others.
 */
#include "engine/ir/dim.h"

#include <string.h>

#include "base/checked.h"
#include "engine/ir/dim_row.h"

enum { FACTOR_LIMIT = 16, EXPAND_LIMIT = 16, DIVIDE_LIMIT = 32 };

/* constant + sum of terms, by falling row, no factor 0. */
typedef struct Sum {
    int64_t constant;
    int count;
    QnDimTerm terms[QN_DIM_TERM_LIMIT];
} Sum;

/* What became of an operation on sums. */
typedef enum Outcome { DONE, TOO_LONG, OVERFLOWS } Outcome;

/* The row that has no value, for numbers past 64 bits and sizes that cannot meet: floor(0/0). */
static QnDim undefined(QnDims *dims)
{
    return qn_dim_intern(dims, &(QnDimRow){.op = QN_DIM_FLOOR_DIV});
}

static QnDim binary(QnDims *dims, QnDimOp op, QnDim a, QnDim b)
{
    return qn_dim_intern(dims, &(QnDimRow){.op = op, .a = a, .b = b});
}

/* The same for operators that commute: the earlier row first, a number last. */
static QnDim commutative(QnDims *dims, QnDimOp op, QnDim a, QnDim b)
{
    const bool is_swapped = b < 0 && (a >= 0 || a < b);
    return is_swapped ? binary(dims, op, b, a) : binary(dims, op, a, b);
}

/* --- sums --- */

static Sum sum_of(const QnDims *dims, QnDim dim)
{
    Sum sum = {0};
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

static bool is_constant(const Sum *sum)
{
    return sum->count == 0;
}

/* Adds factor * row. */
static Outcome add_term(Sum *sum, QnDim row, int64_t factor)
{
    int at = 0;
    while (at < sum->count && sum->terms[at].row > row)
        at++;
    const size_t behind = (size_t)(sum->count - at) * sizeof *sum->terms;
    if (factor == 0)
        return DONE;
    if (at == sum->count || sum->terms[at].row != row) {
        if (sum->count == QN_DIM_TERM_LIMIT)
            return TOO_LONG;
        memmove(&sum->terms[at + 1], &sum->terms[at], behind);
        sum->terms[at] = (QnDimTerm){row, factor};
        sum->count++;
        return DONE;
    }
    if (!qn_add_i64(&sum->terms[at].factor, sum->terms[at].factor, factor))
        return OVERFLOWS;
    if (sum->terms[at].factor == 0) {
        memmove(&sum->terms[at], &sum->terms[at + 1], behind - sizeof *sum->terms);
        sum->count--;
    }
    return DONE;
}

/* sum += factor * other */
static Outcome add_scaled(Sum *sum, const Sum *other, int64_t factor)
{
    int64_t product;
    if (!qn_mul_i64(&product, other->constant, factor) ||
        !qn_add_i64(&sum->constant, sum->constant, product))
        return OVERFLOWS;
    for (int i = 0; i < other->count; i++) {
        if (!qn_mul_i64(&product, other->terms[i].factor, factor))
            return OVERFLOWS;
        const Outcome outcome = add_term(sum, other->terms[i].row, product);
        if (outcome != DONE)
            return outcome;
    }
    return DONE;
}

static QnDim intern_sum(QnDims *dims, Sum *sum)
{
    if (is_constant(sum))
        return qn_dim_number(dims, sum->constant);
    if (sum->count == 1 && sum->constant == 0 && sum->terms[0].factor == 1)
        return dims->failed ? 0 : sum->terms[0].row;
    return qn_dim_intern(dims, &(QnDimRow){.op = QN_DIM_SUM,
                                           .constant = sum->constant,
                                           .terms = sum->terms,
                                           .term_count = sum->count});
}

/* a + factor * b; a sum that would be too long becomes one of its two halves. */
static QnDim combine(QnDims *dims, QnDim a, QnDim b, int64_t factor)
{
    Sum sum = sum_of(dims, a);
    const Sum other = sum_of(dims, b);
    Outcome outcome = add_scaled(&sum, &other, factor);
    if (outcome == TOO_LONG) {
        sum = (Sum){.count = 1, .terms = {{a, 1}}};
        outcome = add_term(&sum, b, factor);
    }
    return outcome == DONE ? intern_sum(dims, &sum) : undefined(dims);
}

QnDim qn_dim_add(QnDims *dims, QnDim a, QnDim b)
{
    return combine(dims, a, b, 1);
}

QnDim qn_dim_sub(QnDims *dims, QnDim a, QnDim b)
{
    return combine(dims, a, b, -1);
}

/* --- products --- */

/* The atoms of a product, by falling row; one's are none. */
typedef struct Factors {
    int count;
    QnDim rows[FACTOR_LIMIT];
} Factors;

/* Products are interned as ((x * y) * z): the last factor is `b`. */
static bool factors_of(const QnDims *dims, QnDim row, Factors *factors)
{
    int count = 1;
    for (QnDim at = row; qn_dim_is(dims, at, QN_DIM_PRODUCT); at = qn_dim_row(dims, at)->a)
        count++;
    if (count > FACTOR_LIMIT)
        return false;
    factors->count = count;
    while (--count > 0) {
        factors->rows[count] = qn_dim_row(dims, row)->b;
        row = qn_dim_row(dims, row)->a;
    }
    factors->rows[0] = row;
    return true;
}

static QnDim intern_factors(QnDims *dims, const Factors *factors)
{
    QnDim product = factors->rows[0];
    for (int i = 1; i < factors->count; i++)
        product = binary(dims, QN_DIM_PRODUCT, product, factors->rows[i]);
    return product;
}

/* The product of two atoms: their factors merged in order. */
static QnDim multiply_atoms(QnDims *dims, QnDim a, QnDim b)
{
    Factors x, y, merged = {0};
    if (!factors_of(dims, a, &x) || !factors_of(dims, b, &y) || x.count + y.count > FACTOR_LIMIT)
        return commutative(dims, QN_DIM_PRODUCT, a, b);
    for (int i = 0, j = 0; i < x.count || j < y.count;) {
        const bool is_x = j == y.count || (i < x.count && x.rows[i] >= y.rows[j]);
        merged.rows[merged.count++] = is_x ? x.rows[i++] : y.rows[j++];
    }
    return intern_factors(dims, &merged);
}

/* to += factor * atom * sum */
static Outcome add_multiple(QnDims *dims, Sum *to, const Sum *sum, QnDimTerm by)
{
    int64_t factor;
    if (!qn_mul_i64(&factor, sum->constant, by.factor))
        return OVERFLOWS;
    Outcome outcome = add_term(to, by.row, factor);
    for (int i = 0; i < sum->count && outcome == DONE; i++) {
        if (!qn_mul_i64(&factor, sum->terms[i].factor, by.factor))
            return OVERFLOWS;
        outcome = add_term(to, multiply_atoms(dims, sum->terms[i].row, by.row), factor);
    }
    return outcome;
}

static Outcome multiply_sums(QnDims *dims, Sum *out, const Sum *a, const Sum *b)
{
    *out = (Sum){0};
    Outcome outcome = add_scaled(out, a, b->constant);
    for (int i = 0; i < b->count && outcome == DONE; i++)
        outcome = add_multiple(dims, out, a, b->terms[i]);
    return outcome;
}

QnDim qn_dim_mul(QnDims *dims, QnDim a, QnDim b)
{
    const Sum x = sum_of(dims, a), y = sum_of(dims, b);
    Sum product;
    Outcome outcome = TOO_LONG;
    /* Multiplying by one term or a number makes nothing longer. */
    if (x.count + (x.constant != 0) <= 1 || y.count + (y.constant != 0) <= 1 ||
        (x.count + 1) * (y.count + 1) <= EXPAND_LIMIT)
        outcome = multiply_sums(dims, &product, &x, &y);
    if (outcome == TOO_LONG)
        return multiply_atoms(dims, a, b);
    return outcome == DONE ? intern_sum(dims, &product) : undefined(dims);
}

/* --- exact quotients --- */

/* Takes the factors of b out of a.  *out is the rest; 1 where none is left.  False where one is not
 * there. */
static bool divide_atoms(QnDims *dims, QnDim *out, QnDim a, QnDim b)
{
    Factors x, y, rest = {0};
    if (a == b) {
        *out = 1;
        return true;
    }
    if (!factors_of(dims, a, &x) || !factors_of(dims, b, &y))
        return false;
    int j = 0;
    for (int i = 0; i < x.count; i++)
        if (j < y.count && x.rows[i] == y.rows[j])
            j++;
        else
            rest.rows[rest.count++] = x.rows[i];
    if (j < y.count)
        return false;
    *out = rest.count ? intern_factors(dims, &rest) : 1;
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
    Factors x = {0}, y = {0};
    if ((a < 0 && !factors_of(dims, a, &x)) || (b < 0 && !factors_of(dims, b, &y)))
        return a < b ? -1 : a > b;
    if (x.count != y.count)
        return x.count < y.count ? -1 : 1;
    for (int i = 0; i < x.count; i++)
        if (x.rows[i] != y.rows[i])
            return x.rows[i] < y.rows[i] ? -1 : 1;
    return 0;
}

/* The term of the highest order; the constant is the lowest. */
static QnDimTerm leading_term(const QnDims *dims, const Sum *sum)
{
    QnDimTerm leading = {1, sum->constant};
    for (int i = 0; i < sum->count; i++)
        if (leading.row >= 0 || compare_terms(dims, sum->terms[i].row, leading.row) > 0)
            leading = sum->terms[i];
    return leading;
}

static Outcome add_to(Sum *sum, QnDimTerm term)
{
    if (term.row < 0)
        return add_term(sum, term.row, term.factor);
    return qn_add_i64(&sum->constant, sum->constant, term.factor) ? DONE : OVERFLOWS;
}

/* Long division of polynomials: true, with the quotient, where nothing remains. */
static bool divide_exactly(QnDims *dims, Sum *quotient, const Sum *a, const Sum *b)
{
    const QnDimTerm divisor = leading_term(dims, b);
    Sum rest = *a;
    *quotient = (Sum){0};
    for (int step = 0; step < DIVIDE_LIMIT; step++) {
        if (rest.count == 0 && rest.constant == 0)
            return true;
        QnDimTerm term;
        if (!divide_terms(dims, &term, leading_term(dims, &rest), divisor) ||
            add_to(quotient, term) != DONE)
            return false;
        term.factor = -term.factor;
        if ((term.row < 0 ? add_multiple(dims, &rest, b, term)
                          : add_scaled(&rest, b, term.factor)) != DONE)
            return false;
    }
    return false;
}

/* --- quotients by a number --- */

/* The quotient of a by b > 0 that is rounded to the nearest, half down, so that the rest is in
 * (-b/2, b/2]. */
static int64_t nearest_quotient(int64_t a, int64_t b)
{
    const int64_t quotient = qn_floor_div(a, b), rest = a - quotient * b;
    return rest > b / 2 ? quotient + 1 : quotient;
}

/* Moves whole multiples of b from the rest into the quotient. */
static bool take_whole(Sum *quotient, Sum *rest, int64_t b)
{
    const Sum from = *rest;
    const int64_t whole = qn_floor_div(from.constant, b);
    *rest = (Sum){.constant = from.constant - whole * b};
    if (!qn_add_i64(&quotient->constant, quotient->constant, whole))
        return false;
    for (int i = 0; i < from.count; i++) {
        const QnDimTerm term = from.terms[i];
        const int64_t q = nearest_quotient(term.factor, b);
        if (add_term(quotient, term.row, q) != DONE ||
            add_term(rest, term.row, term.factor - q * b) != DONE)
            return false;
    }
    return true;
}

/* rest = b - 1 - rest: floor(rest / b) is minus the floor of this.  Small numbers: take_whole went
 * before. */
static void turn_sign(Sum *rest, int64_t b)
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

/* Divides factors and divisor by what they have in common: floor((4*N + 3)/6) is floor((2*N +
 * 1)/3). */
static int64_t reduce(Sum *rest, int64_t b)
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

/* floor((floor(x/a) + c)/b) is floor((x + a*c)/(a*b)): one quotient for a chain of strided windows.
 */
static bool unnest(const QnDims *dims, Sum *rest, int64_t *b)
{
    if (rest->count != 1 || rest->terms[0].factor != 1 ||
        !qn_dim_is(dims, rest->terms[0].row, QN_DIM_FLOOR_DIV))
        return false;
    const QnDimRow *inner = qn_dim_row(dims, rest->terms[0].row);
    int64_t divisor;
    if (inner->b <= 0 || !qn_mul_i64(&divisor, inner->b, *b))
        return false;
    Sum numerator = sum_of(dims, inner->a);
    const Sum offset = {.constant = rest->constant};
    if (add_scaled(&numerator, &offset, inner->b) != DONE)
        return false;
    *rest = numerator;
    *b = divisor;
    return true;
}

/* One round: floor(rest/b) becomes part + sign * floor(rest/b), whose rest starts with a positive
 * factor. */
static bool normalize(Sum *quotient, int64_t *sign, Sum *rest, int64_t b)
{
    Sum part = {0};
    if (!take_whole(&part, rest, b) || add_scaled(quotient, &part, *sign) != DONE)
        return false;
    if (rest->count == 0 || rest->terms[0].factor > 0)
        return true;
    /* A turned sign makes -b/2 of b/2, which is not in range: take whole parts once more. */
    turn_sign(rest, b);
    *sign = -*sign;
    part = (Sum){0};
    return take_whole(&part, rest, b) && add_scaled(quotient, &part, *sign) == DONE;
}

static QnDim divide_by_number(QnDims *dims, QnDim a, int64_t b)
{
    Sum quotient = {0}, rest = sum_of(dims, a);
    int64_t sign = 1, divisor = b;
    do {
        if (!normalize(&quotient, &sign, &rest, divisor))
            return binary(dims, QN_DIM_FLOOR_DIV, a, b);
        divisor = reduce(&rest, divisor);
    } while (unnest(dims, &rest, &divisor));
    const QnDim whole = intern_sum(dims, &quotient);
    /* What remains of a constant is smaller than the divisor. */
    if (is_constant(&rest))
        return whole;
    const QnDim opaque = binary(dims, QN_DIM_FLOOR_DIV, intern_sum(dims, &rest), divisor);
    return combine(dims, whole, opaque, sign);
}

/* --- quotients by a row --- */

/* The terms of a that one term divides go in front of the quotient: floor((N*M + 3)/M) is N +
 * floor(3/M). */
static QnDim divide_by_term(QnDims *dims, QnDim a, QnDim b, QnDimTerm divisor)
{
    const Sum from = sum_of(dims, a);
    Sum quotient = {0}, rest = {.constant = from.constant};
    for (int i = 0; i < from.count; i++) {
        QnDimTerm term;
        if (!divide_terms(dims, &term, from.terms[i], divisor))
            rest.terms[rest.count++] = from.terms[i];
        else if (add_to(&quotient, term) != DONE)
            return binary(dims, QN_DIM_FLOOR_DIV, a, b);
    }
    if (rest.count == 0 && rest.constant == 0)
        return intern_sum(dims, &quotient);
    const QnDim opaque = binary(dims, QN_DIM_FLOOR_DIV, intern_sum(dims, &rest), b);
    return combine(dims, intern_sum(dims, &quotient), opaque, 1);
}

/* a / b where b is a row and nothing remains. */
static bool find_exact_quotient(QnDims *dims, QnDim *out, QnDim a, QnDim b)
{
    const Sum x = sum_of(dims, a), y = sum_of(dims, b);
    Sum quotient;
    if (!divide_exactly(dims, &quotient, &x, &y))
        return false;
    *out = intern_sum(dims, &quotient);
    return true;
}

QnDim qn_dim_floor_div(QnDims *dims, QnDim a, QnDim b)
{
    int64_t number, divisor;
    QnDim quotient;
    if (qn_dim_constant(dims, b, &divisor)) {
        if (divisor <= 0)
            return undefined(dims);
        if (qn_dim_constant(dims, a, &number))
            return qn_dim_number(dims, qn_floor_div(number, divisor));
        return divide_by_number(dims, a, divisor);
    }
    if (find_exact_quotient(dims, &quotient, a, b))
        return quotient;
    const Sum y = sum_of(dims, b);
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

/* --- comparisons --- */

bool qn_dim_is_at_least(const QnDims *dims, QnDim a, QnDim b)
{
    Sum difference = sum_of(dims, a);
    const Sum other = sum_of(dims, b);
    if (add_scaled(&difference, &other, -1) != DONE || difference.constant < 0)
        return false;
    for (int i = 0; i < difference.count; i++)
        if (difference.terms[i].factor < 0 || !qn_dim_row(dims, difference.terms[i].row)->is_size)
            return false;
    return true;
}

bool qn_dim_is_different(const QnDims *dims, QnDim a, QnDim b)
{
    Sum difference = sum_of(dims, a);
    const Sum other = sum_of(dims, b);
    if (add_scaled(&difference, &other, -1) != DONE || difference.constant == 0)
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
        return undefined(dims);
    /* A row that meets a number other than 1 is that number, or 1. */
    if (is_x || is_y)
        return is_x ? a : b;
    if (absorbs(dims, QN_DIM_BROADCAST, a, b))
        return a;
    if (absorbs(dims, QN_DIM_BROADCAST, b, a))
        return b;
    return commutative(dims, QN_DIM_BROADCAST, a, b);
}
