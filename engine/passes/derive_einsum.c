/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What flows into an operand of Einsum is an Einsum again: the result changes places with the
 * operand.  "ij,jk->ik" has "ik,jk->ij" for its first.  Axes that only the operand has were summed
 * over, so that all along them the same flows.
 */
#include <stdio.h>

#include "engine/passes/derive.h"

enum { EQUATION_SIZE = 256 };

typedef struct Equation {
    char text[EQUATION_SIZE]; /* without blanks, "ij,jk->ik": terms end with a 0 in it */
    const char *terms[QN_DERIVE_ARGUMENTS], *result;
    int count;
    char implicit[64]; /* the result where the text has none */
    bool has_ellipsis;
} Equation;

/* The letters that are there once, in order: the result of an equation without one. */
static void find_implicit(Equation *e)
{
    int size = 0;
    if (e->has_ellipsis)
        size = snprintf(e->implicit, sizeof e->implicit, "...");
    for (char c = 'A'; c <= 'z'; c++) {
        int times = 0;
        for (int i = 0; i < e->count; i++)
            for (const char *at = strchr(e->terms[i], c); at; at = strchr(at + 1, c))
                times++;
        if (times == 1)
            e->implicit[size++] = c;
    }
    e->result = e->implicit;
}

/* False where the equation is longer, or has more terms, than this is made for. */
static bool read_equation(Equation *e, QnString source)
{
    size_t size = 0;
    *e = (Equation){0};
    for (size_t i = 0; i < source.size; i++)
        if (source.data[i] != ' ') {
            if (size + 1 >= sizeof e->text)
                return false;
            e->text[size++] = source.data[i];
        }
    e->has_ellipsis = strstr(e->text, "...") != NULL;
    char *arrow = strstr(e->text, "->"), *at = e->text;
    if (arrow) {
        *arrow = 0;
        e->result = arrow + 2;
    }
    for (char *comma; at; at = comma) {
        if (e->count == QN_DERIVE_ARGUMENTS)
            return false;
        if ((comma = strchr(at, ',')))
            *comma++ = 0;
        e->terms[e->count++] = at;
    }
    if (!arrow)
        find_implicit(e);
    return true;
}

static bool has_letter_twice(const char *term)
{
    for (; *term; term++)
        if (*term != '.' && strchr(term + 1, *term))
            return true;
    return false;
}

/* Is the letter in the result or in another term? */
static bool is_elsewhere(const Equation *e, int operand, char letter)
{
    bool found = strchr(e->result, letter) != NULL;
    for (int i = 0; i < e->count; i++)
        found = found || (i != operand && strchr(e->terms[i], letter));
    return found;
}

/* What to compute, and the axes that are missing in it, from the last one on. */
static int write_equation(const Equation *e, int operand, char *text, size_t size, int64_t *missing)
{
    const char *term = e->terms[operand];
    const int rank = (int)strlen(term);
    int count = 0;
    size_t length = (size_t)snprintf(text, size, "%s", e->result);
    for (int i = 0; i < e->count; i++)
        if (i != operand)
            length += (size_t)snprintf(text + length, size - length, ",%s", e->terms[i]);
    length += (size_t)snprintf(text + length, size - length, "->%s", e->has_ellipsis ? "..." : "");
    for (int i = 0; i < rank; i++) {
        if (term[i] == '.')
            continue;
        if (is_elsewhere(e, operand, term[i]))
            text[length++] = term[i];
        else
            missing[count++] = i - rank;
    }
    text[length] = 0;
    return count;
}

static QnIrValue *build(QnDerive *d, const Equation *e, const char *equation, QnIrValue *flow)
{
    QnIrValue *inputs[QN_DERIVE_ARGUMENTS] = {flow};
    int count = 1;
    for (int i = 0; i < e->count; i++)
        if (i != d->input)
            inputs[count++] = qn_node_input(d->node, i);
    QnIrValue *made = qn_build(&d->build, "Einsum", inputs, count);
    if (made)
        d->build.status = qn_node_set_text(made->node, "equation", equation);
    return qn_derive_settle(d, made);
}

/* (g, a): what flows into the operand at work. */
QnIrValue *qn_derive_contracted(QnDerive *d, QnIrValue *const *arguments)
{
    char equation[2 * EQUATION_SIZE];
    int64_t missing[EQUATION_SIZE];
    Equation e;
    if (!read_equation(&e, qn_op_string(d->node, "equation")))
        return qn_derive_fail(d, "its equation has over %d letters or %d terms, expected fewer",
                              EQUATION_SIZE - 1, QN_DERIVE_ARGUMENTS);
    if (e.count != d->node->input_count)
        return qn_derive_fail(d, "its equation has %d terms, expected %d, as it has inputs",
                              e.count, d->node->input_count);
    const char *term = e.terms[d->input], *ellipsis = strstr(term, "...");
    if (has_letter_twice(term))
        return qn_derive_fail(d, "'%s' takes a diagonal", term);
    if (ellipsis && ellipsis != term)
        return qn_derive_fail(d, "'%s' has its ellipsis behind other axes", term);
    const int count = write_equation(&e, d->input, equation, sizeof equation, missing);
    QnIrValue *made = build(d, &e, equation, arguments[0]);
    if (count > QN_MAX_RANK)
        return qn_derive_fail(d, "'%s' has over %d axes", term, QN_MAX_RANK);
    if (count > 0)
        made = QN_DERIVE(d, "Unsqueeze", made, qn_derive_vector(d, missing, count));
    if (count > 0)
        made = QN_DERIVE(d, "Expand", made, QN_DERIVE(d, "Shape", arguments[1]));
    return qn_derive_sum_to(d, made, arguments[1]);
}
