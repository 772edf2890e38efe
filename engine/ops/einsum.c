/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Einsum: sums of products over named dimensions, "bij,bjk->bik"; and Det, the determinant of
 * square matrices.  "..." stands for dimensions without names, which broadcast; a letter twice in
 * one term is the diagonal; without "->" the result has the letters that occur once, sorted.
 */
#include <ctype.h>
#include <math.h>

#include "engine/ops/op.h"

enum { TERMS = 16, LETTERS = 52, NAMES = LETTERS + QN_MAX_RANK };

/* A dimension's name: a letter as 0 to 51, or dimension k of "..." (from its end) as 52 + k. */
static int letter_name(char c)
{
    return islower((unsigned char)c) ? c - 'a' + 26 : c - 'A';
}

/* The parsed equation. */
typedef struct Equation {
    int term_count;
    int ranks[TERMS + 1]; /* the last is the result */
    int names[TERMS + 1][QN_MAX_RANK];
    int ellipsis_ranks[TERMS];
    int ellipsis; /* the largest of them */
} Equation;

/* One term from *at up to "," or "->" or the end.  `rank`: of the operand, -1 for the result. */
static const char *read_term(Equation *eq, int t, const char **at, const char *end, int rank)
{
    int letters = 0, names[QN_MAX_RANK], before = -1; /* letters in front of the ellipsis */
    const char *c = *at;
    for (; c < end && *c != ',' && *c != '-'; c++) {
        if (*c == ' ')
            continue;
        if (*c == '.') {
            if (before >= 0 || end - c < 3 || c[1] != '.' || c[2] != '.')
                return "the equation has a point that is no ellipsis";
            before = letters;
            c += 2;
        } else if (!isalpha((unsigned char)*c) || letters == QN_MAX_RANK) {
            return "the equation has what is no letter, or too many letters";
        } else {
            names[letters++] = letter_name(*c);
        }
    }
    *at = c;
    const int unnamed = before < 0 ? 0 : rank < 0 ? eq->ellipsis : rank - letters;
    if (unnamed < 0 || (rank >= 0 && letters + unnamed != rank) || letters + unnamed > QN_MAX_RANK)
        return "a term of the equation has not as many letters as the input dimensions";
    eq->ranks[t] = 0;
    for (int i = 0; i <= letters; i++) {
        for (int k = 0; i == before && k < unnamed; k++)
            eq->names[t][eq->ranks[t]++] = LETTERS + unnamed - 1 - k;
        if (i < letters)
            eq->names[t][eq->ranks[t]++] = names[i];
    }
    eq->ellipsis = unnamed > eq->ellipsis ? unnamed : eq->ellipsis;
    return NULL;
}

/* Without "->": the unnamed dimensions, then the letters seen once, in order. */
static const char *implicit_result(Equation *eq)
{
    int seen[LETTERS] = {0}, *to = eq->names[eq->term_count], rank = 0;
    for (int t = 0; t < eq->term_count; t++)
        for (int d = 0; d < eq->ranks[t]; d++)
            if (eq->names[t][d] < LETTERS)
                seen[eq->names[t][d]]++;
    for (int k = eq->ellipsis - 1; k >= 0; k--)
        to[rank++] = LETTERS + k;
    for (int name = 0; name < LETTERS; name++) {
        if (seen[name] == 1 && rank == QN_MAX_RANK)
            return "the result would have too many dimensions";
        if (seen[name] == 1)
            to[rank++] = name;
    }
    eq->ranks[eq->term_count] = rank;
    return NULL;
}

/* NULL, or what is wrong. */
static const char *parse(Equation *eq, QnString text, const int *ranks, int count)
{
    const char *at = text.data, *end = text.data + text.size, *wrong;
    *eq = (Equation){.term_count = count};
    if (count < 1 || count > TERMS)
        return "there are no inputs, or too many";
    for (int t = 0; t < count; t++) {
        if ((wrong = read_term(eq, t, &at, end, ranks[t])))
            return wrong;
        const bool is_last = t == count - 1;
        if (!is_last && (at == end || *at++ != ','))
            return "the equation has fewer terms than there are inputs";
    }
    if (at == end)
        return implicit_result(eq);
    if (end - at < 2 || at[0] != '-' || at[1] != '>')
        return "the equation has more terms than there are inputs";
    at += 2;
    if ((wrong = read_term(eq, count, &at, end, -1)))
        return wrong;
    return at == end ? NULL : "the equation goes on behind the result";
}

/* Joins the sizes of all operands by name; the names of the result must be among them. */
static QnStatus join_sizes(QnInfer *in, const Equation *eq, QnDim *sizes, bool *is_there)
{
    for (int t = 0; t < eq->term_count; t++) {
        const QnShape *x = qn_infer_shape(in, t);
        for (int d = 0; d < eq->ranks[t]; d++) {
            const int name = eq->names[t][d];
            const QnDim size = x->dims[d], before = is_there[name] ? sizes[name] : 1;
            if (qn_dim_is_known(size) && qn_dim_is_known(before) && size != before && size != 1 &&
                before != 1)
                return qn_infer_fail(in, "dimension %d of input %d is %lld, expected %lld", d, t,
                                     (long long)size, (long long)before);
            sizes[name] = is_there[name] ? qn_dim_broadcast(in->dims, before, size) : size;
            is_there[name] = true;
        }
    }
    return QN_OK;
}

static QnStatus infer_einsum(QnInfer *in)
{
    const QnString text = qn_op_string(in->node, "equation");
    const QnType element = qn_infer_element(in, 0);
    int ranks[TERMS];
    Equation eq;
    QnDim sizes[NAMES];
    bool is_there[NAMES] = {false}, is_used[NAMES] = {false};
    if (in->input_count > TERMS)
        return qn_infer_fail(in, "has %d inputs, expected %d at most", in->input_count, TERMS);
    for (int t = 0; t < in->input_count; t++) {
        if (!qn_infer_shape(in, t))
            return qn_infer_unknown(in, 0, element, -1);
        ranks[t] = qn_infer_shape(in, t)->rank;
    }
    const char *wrong = parse(&eq, text, ranks, in->input_count);
    if (wrong)
        return qn_infer_fail(in, "'%.*s': %s", (int)(text.size < 80 ? text.size : 80), text.data,
                             wrong);
    QN_TRY(join_sizes(in, &eq, sizes, is_there));
    QnShape y = {.rank = eq.ranks[eq.term_count]};
    for (int d = 0; d < y.rank; d++) {
        const int name = eq.names[eq.term_count][d];
        if (!is_there[name] || is_used[name])
            return qn_infer_fail(in,
                                 "the result names a dimension twice, or one that no input has");
        is_used[name] = true;
        y.dims[d] = sizes[name];
    }
    return qn_infer_tensor(in, 0, element, &y);
}

/* The loops: one per name, those of the result outermost. */
typedef struct Loops {
    int count, outer; /* names; of the result */
    int64_t sizes[NAMES], strides[TERMS][NAMES];
} Loops;

static void make_loops(const QnCall *call, const Equation *eq, Loops *loops)
{
    int place[NAMES];
    for (int n = 0; n < NAMES; n++)
        place[n] = -1;
    *loops = (Loops){.outer = eq->ranks[eq->term_count]};
    for (int d = 0; d < loops->outer; d++)
        place[eq->names[eq->term_count][d]] = loops->count++;
    for (int t = 0; t < eq->term_count; t++) {
        const QnTensor *x = qn_call_input(call, t);
        int64_t stride = 1;
        for (int d = x->rank - 1; d >= 0; d--) {
            const int name = eq->names[t][d];
            if (place[name] < 0)
                place[name] = loops->count++;
            int64_t *size = &loops->sizes[place[name]];
            *size = *size == 0 || *size == 1 ? x->dims[d] : *size;
            loops->strides[t][place[name]] += x->dims[d] == 1 ? 0 : stride;
            stride *= x->dims[d];
        }
    }
}

/* What one computation works with: the operands as numbers, and the innermost loop. */
typedef struct Sums {
    Loops loops;
    int term_count;
    const double *terms[TERMS];
    bool is_empty;
} Sums;

/* Steps the index over [first, last), and the places of all terms with it;
 * false when it has come round. */
static bool advance(const Sums *sums, int64_t *index, int64_t *at, int first, int last)
{
    const Loops *loops = &sums->loops;
    for (int n = last - 1; n >= first; n--) {
        for (int t = 0; t < sums->term_count; t++)
            at[t] += loops->strides[t][n];
        if (++index[n] < loops->sizes[n])
            return true;
        for (int t = 0; t < sums->term_count; t++)
            at[t] -= loops->sizes[n] * loops->strides[t][n];
        index[n] = 0;
    }
    return false;
}

/* The sum of products along loop n from the places `at`. */
static double sum_line(const Sums *sums, const int64_t *at, int n, double sum)
{
    const Loops *loops = &sums->loops;
    const int64_t count = loops->sizes[n];
    if (sums->term_count == 2) {
        const double *a = sums->terms[0] + at[0], *b = sums->terms[1] + at[1];
        const int64_t step_a = loops->strides[0][n], step_b = loops->strides[1][n];
        for (int64_t i = 0; i < count; i++)
            sum += a[i * step_a] * b[i * step_b];
        return sum;
    }
    for (int64_t i = 0; i < count; i++) {
        double product = 1;
        for (int t = 0; t < sums->term_count; t++)
            product *= sums->terms[t][at[t] + i * loops->strides[t][n]];
        sum += product;
    }
    return sum;
}

/* One element of the result: the sum over all loops behind those of the result. */
static double sum_element(const Sums *sums, const int64_t *first, int64_t *index)
{
    const Loops *loops = &sums->loops;
    int64_t at[TERMS] = {0};
    double sum = 0, product = 1;
    memcpy(at, first, (size_t)sums->term_count * sizeof *at);
    if (loops->count == loops->outer) {
        for (int t = 0; t < sums->term_count; t++)
            product *= sums->terms[t][at[t]];
        return product;
    }
    do
        sum = sum_line(sums, at, loops->count - 1, sum);
    while (advance(sums, index, at, loops->outer, loops->count - 1));
    return sum;
}

/* Elements begin <= i < end of the result. */
static QnStatus sum_elements(const QnCall *call, const void *work, void *room, int64_t begin,
                             int64_t end)
{
    enum { ROW = 64 };
    const Sums *sums = work;
    const Loops *loops = &sums->loops;
    int64_t index[NAMES] = {0}, at[TERMS] = {0}, rest = begin;
    double row[ROW];
    (void)room;
    for (int n = loops->outer - 1; n >= 0; n--) {
        index[n] = rest % loops->sizes[n];
        rest /= loops->sizes[n];
        for (int t = 0; t < sums->term_count; t++)
            at[t] += index[n] * loops->strides[t][n];
    }
    for (int64_t first = begin; first < end; first += ROW) {
        const int64_t count = end - first < ROW ? end - first : ROW;
        for (int64_t i = 0; i < count; i++) {
            row[i] = sums->is_empty ? 0 : sum_element(sums, at, index);
            advance(sums, index, at, 0, loops->outer);
        }
        qn_tensor_write_row(qn_call_result(call, 0), first, 1, count, row);
    }
    return QN_OK;
}

static QnStatus read_terms(const QnCall *call, Sums *sums)
{
    for (int t = 0; t < call->input_count; t++) {
        const QnTensor *x = qn_call_input(call, t);
        const int64_t count = qn_tensor_count(x);
        double *numbers;
        QN_ALLOC(numbers, call->scratch, count);
        qn_tensor_read_row(x, 0, 1, count, numbers);
        sums->terms[t] = numbers;
        sums->is_empty = sums->is_empty || count == 0;
    }
    return QN_OK;
}

static QnStatus einsum(const QnCall *call)
{
    int ranks[TERMS];
    Equation eq;
    Sums sums = {.term_count = call->input_count};
    for (int t = 0; t < call->input_count; t++)
        ranks[t] = qn_call_input(call, t)->rank;
    const char *wrong = parse(&eq, qn_op_string(call->node, "equation"), ranks, call->input_count);
    if (wrong)
        return qn_call_fail(call, "%s", wrong);
    make_loops(call, &eq, &sums.loops);
    QN_TRY(read_terms(call, &sums));
    double cost = 10;
    for (int n = sums.loops.outer; n < sums.loops.count; n++)
        cost *= (double)sums.loops.sizes[n];
    return qn_call_for(call, qn_tensor_count(qn_call_result(call, 0)), cost, 0, sum_elements,
                       &sums);
}

/* ---- Det ---- */

static QnStatus infer_det(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    if (!x)
        return qn_infer_unknown(in, 0, qn_infer_element(in, 0), -1);
    if (x->rank < 2)
        return qn_infer_fail(in, "input 0 has rank %d, expected 2 at least", x->rank);
    const QnDim rows = x->dims[x->rank - 2], columns = x->dims[x->rank - 1];
    if (qn_dim_is_known(rows) && qn_dim_is_known(columns) && rows != columns)
        return qn_infer_fail(in, "the matrices are %lld by %lld, expected square ones",
                             (long long)rows, (long long)columns);
    QnShape y = *x;
    y.rank -= 2;
    return qn_infer_tensor(in, 0, qn_infer_element(in, 0), &y);
}

/* By elimination with the largest pivot; destroys the matrix. */
static double determinant(double *m, int64_t n)
{
    double product = 1;
    for (int64_t k = 0; k < n; k++) {
        int64_t best = k;
        for (int64_t i = k + 1; i < n; i++)
            best = fabs(m[i * n + k]) > fabs(m[best * n + k]) ? i : best;
        const double pivot = m[best * n + k];
        if (pivot == 0)
            return 0;
        product *= best == k ? pivot : -pivot;
        for (int64_t j = 0; j < n && best != k; j++) {
            const double kept = m[k * n + j];
            m[k * n + j] = m[best * n + j];
            m[best * n + j] = kept;
        }
        for (int64_t i = k + 1; i < n; i++) {
            const double factor = m[i * n + k] / pivot;
            for (int64_t j = k; j < n; j++)
                m[i * n + j] -= factor * m[k * n + j];
        }
    }
    return product;
}

/* Matrices begin <= i < end; the room is one. */
static QnStatus determinants(const QnCall *call, const void *work, void *room, int64_t begin,
                             int64_t end)
{
    const int64_t n = *(const int64_t *)work;
    for (int64_t i = begin; i < end; i++) {
        qn_tensor_read_row(qn_call_input(call, 0), i * n * n, 1, n * n, room);
        qn_tensor_set(qn_call_result(call, 0), i, determinant(room, n));
    }
    return QN_OK;
}

static QnStatus det(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0);
    const int64_t n = x->dims[x->rank - 1];
    const double cost = (double)n * (double)n * (2 + (double)n / 3);
    return qn_call_for(call, qn_tensor_count(qn_call_result(call, 0)), 20 + cost,
                       (size_t)(n * n) * sizeof(double), determinants, &n);
}

static const QnOpAttribute einsum_attributes[] = {
    {"equation", QN_ATTRIBUTE_STRING, .s = "", .is_required = true}, {0}};

const QnOp qn_ops_einsum[] = {
    {.name = "Det",
     .since = 22,
     .inputs = "X: float",
     .outputs = "Y: T",
     .traits = QN_OP_PORTABLE,
     .infer = infer_det,
     .reference = det},
    {.name = "Einsum",
     .since = 28,
     .inputs = "Inputs*: numeric",
     .outputs = "Output: T",
     .attributes = einsum_attributes,
     .traits = QN_OP_PORTABLE,
     .infer = infer_einsum,
     .reference = einsum},
    {0},
};
