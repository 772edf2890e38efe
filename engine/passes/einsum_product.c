/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Says an Einsum that is a product of stacked matrices by MatMul, and by transpositions, which are
 * views:
 *
 *     bhid,bhjd->bhij        MatMul(a, Transpose(b)):  batch b h, rows i, columns j, summed d
 *
 * That is: two terms of letters, each letter once in a term; one letter for rows, columns and the
 * sum; the others in all three places; and equal sizes where a letter is shared.
 */
#include <ctype.h>

#include "engine/passes/build.h"

typedef struct Term {
    char letters[QN_MAX_RANK];
    int count;
} Term;

typedef struct Product {
    Term a, b, y;
    Term batch; /* the letters of all three, in the result's order */
    char row, column, sum;
} Product;

/* ---- reading the equation ---- */

static int find(const Term *term, char letter)
{
    for (int i = 0; i < term->count; i++)
        if (term->letters[i] == letter)
            return i;
    return -1;
}

/* Letters up to `stop`, each once; false where there is anything else. */
static bool read_term(const char **at, const char *end, char stop, Term *term)
{
    *term = (Term){.count = 0};
    for (; *at < end && **at != stop; (*at)++) {
        if (**at == ' ')
            continue;
        if (!isalpha((unsigned char)**at) || find(term, **at) >= 0 || term->count == QN_MAX_RANK)
            return false;
        term->letters[term->count++] = **at;
    }
    return stop == 0 || *at < end;
}

static bool read_equation(QnString text, Product *p)
{
    const char *at = text.data, *end = text.data + text.size;
    if (!read_term(&at, end, ',', &p->a))
        return false;
    at++;
    if (!read_term(&at, end, '-', &p->b))
        return false;
    at++;
    if (at == end || *at++ != '>')
        return false;
    return read_term(&at, end, 0, &p->y);
}

/* Gives the letter its one place; false where another has it. */
static bool take(char *place, char letter)
{
    if (*place)
        return false;
    *place = letter;
    return true;
}

static bool sort_letters(Product *p)
{
    for (int i = 0; i < p->y.count; i++) {
        const char letter = p->y.letters[i];
        const bool in_a = find(&p->a, letter) >= 0, in_b = find(&p->b, letter) >= 0;
        if (in_a && in_b)
            p->batch.letters[p->batch.count++] = letter;
        else if (!(in_a ? take(&p->row, letter) : in_b && take(&p->column, letter)))
            return false;
    }
    for (int i = 0; i < p->a.count; i++)
        if (find(&p->y, p->a.letters[i]) < 0 &&
            (find(&p->b, p->a.letters[i]) < 0 || !take(&p->sum, p->a.letters[i])))
            return false;
    return p->row && p->column && p->sum && p->a.count == p->batch.count + 2 &&
           p->b.count == p->batch.count + 2;
}

/* ---- rewriting ---- */

/* The dimensions of `from` in the order of the batch and two more letters. */
static QnIrValue *arrange(QnBuild *b, const Product *p, const Term *from, char first, char second,
                          QnIrValue *value)
{
    int64_t order[QN_MAX_RANK];
    bool is_same = true;
    int count = 0;
    for (; count < p->batch.count; count++)
        order[count] = find(from, p->batch.letters[count]);
    order[count++] = find(from, first);
    order[count++] = find(from, second);
    for (int d = 0; d < count; d++)
        is_same = is_same && order[d] == d;
    return is_same ? value : qn_build_transpose(b, value, order, count);
}

/* From [batch, row, column] to the order of the result. */
static QnIrValue *restore(QnBuild *b, const Product *p, QnIrValue *value)
{
    Term made = p->batch;
    made.letters[made.count++] = p->row;
    made.letters[made.count++] = p->column;
    int64_t order[QN_MAX_RANK];
    bool is_same = true;
    for (int d = 0; d < p->y.count; d++) {
        order[d] = find(&made, p->y.letters[d]);
        is_same = is_same && order[d] == d;
    }
    return is_same ? value : qn_build_transpose(b, value, order, p->y.count);
}

static bool have_equal_sizes(const Product *p, const QnShape *a, const QnShape *b)
{
    if (a->rank != p->a.count || b->rank != p->b.count)
        return false;
    for (int i = 0; i < p->a.count; i++) {
        const int other = find(&p->b, p->a.letters[i]);
        if (other >= 0 && a->dims[i] != b->dims[other])
            return false;
    }
    return true;
}

static bool is_product(const QnNode *node, Product *p)
{
    *p = (Product){.row = 0};
    if (strcmp(node->op, "Einsum") != 0 || *node->domain || node->input_count != 2 ||
        !qn_node_output(node, 0) || !qn_node_input(node, 0) || !qn_node_input(node, 1))
        return false;
    const QnIrType *a = &node->inputs[0].value->type, *b = &node->inputs[1].value->type;
    return a->kind == QN_TENSOR && b->kind == QN_TENSOR && qn_type_is_float(a->element) &&
           read_equation(qn_op_string(node, "equation"), p) && sort_letters(p) &&
           have_equal_sizes(p, &a->shape, &b->shape);
}

static QnStatus run(QnPassCall *call)
{
    QnNode *node = qn_module_walk(call->module, NULL), *next;
    for (; node; node = next) {
        QnBuild b = {.at = node, .err = call->err};
        Product p;
        next = qn_module_walk(call->module, node);
        if (!is_product(node, &p))
            continue;
        QnIrValue *left = arrange(&b, &p, &p.a, p.row, p.sum, node->inputs[0].value);
        QnIrValue *right = arrange(&b, &p, &p.b, p.sum, p.column, node->inputs[1].value);
        qn_build_output(&b, 0, restore(&b, &p, QN_BUILD(&b, "MatMul", left, right)));
        QN_TRY(b.status);
        qn_node_remove(node);
        call->changes++;
    }
    return QN_OK;
}

const QnPass qn_pass_einsum_product = {
    .name = "einsum-product",
    .what = "says Einsum of two stacks of matrices by MatMul; results stay within rounding",
    .run = run,
};
