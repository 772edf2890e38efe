/* SPDX-License-Identifier: Apache-2.0 */
/* The table of dimensions: each row once, found by its hash; and the walk that evaluates them. */
#include "engine/ir/dim.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "engine/ir/dim_row.h"

void qn_dims_init(QnDims *dims, QnArena *arena)
{
    *dims = (QnDims){.arena = arena};
}

/* Spreads all bits of a word over all bits of the hash. */
static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

static uint64_t hash_row(const QnDimRow *row)
{
    uint64_t hash = mix(1, (uint64_t)row->op);
    if (row->op == QN_DIM_SYMBOL) {
        for (const char *c = row->name; *c; c++)
            hash = mix(hash, (unsigned char)*c);
        return hash;
    }
    hash = mix(mix(mix(hash, (uint64_t)row->a), (uint64_t)row->b), (uint64_t)row->constant);
    for (int i = 0; i < row->term_count; i++)
        hash = mix(mix(hash, (uint64_t)row->terms[i].row), (uint64_t)row->terms[i].factor);
    return hash;
}

static bool is_same(const QnDimRow *x, const QnDimRow *y)
{
    if (x->op != y->op)
        return false;
    if (y->op == QN_DIM_SYMBOL)
        return strcmp(x->name, y->name) == 0;
    if (x->a != y->a || x->b != y->b || x->constant != y->constant ||
        x->term_count != y->term_count)
        return false;
    for (int i = 0; i < x->term_count; i++)
        if (x->terms[i].row != y->terms[i].row || x->terms[i].factor != y->terms[i].factor)
            return false;
    return true;
}

/* The slot that holds the row, or the free one where it belongs.  There is always a free one. */
static int find_slot(const QnDims *dims, const QnDimRow *row)
{
    assert(dims->slots && dims->rows);
    const uint64_t mask = (uint64_t)dims->slot_count - 1;
    uint64_t at = hash_row(row) & mask;
    while (dims->slots[at] && !is_same(&dims->rows[dims->slots[at] - 1], row))
        at = (at + 1) & mask;
    return (int)at;
}

/* Keeps the hash table at most half full.  The old one stays in the arena: sizes double, so it is
 * no more again. */
static bool grow_slots(QnDims *dims)
{
    if (2 * (dims->count + 1) <= dims->slot_count)
        return true;
    const int slot_count = dims->slot_count ? 2 * dims->slot_count : 64;
    int *slots = qn_arena_array(dims->arena, (size_t)slot_count, sizeof *slots);
    if (!slots)
        return false;
    dims->slots = slots;
    dims->slot_count = slot_count;
    for (int i = 0; i < dims->count; i++)
        slots[find_slot(dims, &dims->rows[i])] = i + 1;
    return true;
}

static bool grow_rows(QnDims *dims)
{
    if (dims->count < dims->capacity)
        return true;
    const int capacity = dims->capacity ? 2 * dims->capacity : 32;
    QnDimRow *rows = qn_arena_array(dims->arena, (size_t)capacity, sizeof *rows);
    if (!rows)
        return false;
    if (dims->count)
        memcpy(rows, dims->rows, (size_t)dims->count * sizeof *rows);
    dims->rows = rows;
    dims->capacity = capacity;
    return true;
}

static bool is_size(const QnDims *dims, QnDim dim)
{
    return dim >= 0 || qn_dim_row(dims, dim)->is_size;
}

/* Finds out whether the row depends on late symbols, and whether it is surely >= 0. */
static void set_flags(const QnDims *dims, QnDimRow *row)
{
    if (row->op == QN_DIM_SYMBOL) {
        row->is_size = !row->is_late;
        return;
    }
    row->is_late = qn_dim_is_late(dims, row->a) || qn_dim_is_late(dims, row->b);
    const bool a = is_size(dims, row->a), b = is_size(dims, row->b);
    row->is_size = row->op == QN_DIM_FLOOR_DIV ? a : row->op == QN_DIM_MAX ? a || b : a && b;
    if (row->op != QN_DIM_SUM)
        return;
    row->is_size = row->constant >= 0;
    for (int i = 0; i < row->term_count; i++) {
        row->is_late = row->is_late || qn_dim_is_late(dims, row->terms[i].row);
        row->is_size = row->is_size && row->terms[i].factor > 0 && is_size(dims, row->terms[i].row);
    }
}

/* Copies what the row borrows into the arena. */
static bool own(QnArena *arena, QnDimRow *row)
{
    if (row->op == QN_DIM_SYMBOL) {
        row->name = qn_arena_copy_text(arena, row->name, strlen(row->name));
        return row->name != NULL;
    }
    if (row->term_count == 0)
        return true;
    QnDimTerm *terms = qn_arena_array(arena, (size_t)row->term_count, sizeof *terms);
    if (!terms)
        return false;
    memcpy(terms, row->terms, (size_t)row->term_count * sizeof *terms);
    row->terms = terms;
    return true;
}

QnDim qn_dim_intern(QnDims *dims, const QnDimRow *row)
{
    if (dims->failed)
        return 0;
    if (dims->slot_count) {
        const int found = dims->slots[find_slot(dims, row)];
        if (found)
            return -(QnDim)found;
    }
    QnDimRow made = *row;
    if (dims->count == QN_DIM_LIMIT || !grow_rows(dims) || !grow_slots(dims) ||
        !own(dims->arena, &made)) {
        dims->failed = true;
        return 0;
    }
    set_flags(dims, &made);
    dims->rows[dims->count] = made;
    dims->slots[find_slot(dims, &made)] = dims->count + 1;
    dims->count++;
    return -(QnDim)dims->count;
}

QnDim qn_dim_number(QnDims *dims, int64_t number)
{
    if (number >= 0)
        return dims->failed ? 0 : number;
    return qn_dim_intern(dims, &(QnDimRow){.op = QN_DIM_SUM, .constant = number});
}

bool qn_dim_constant(const QnDims *dims, QnDim dim, int64_t *out)
{
    if (dim < 0 && (!qn_dim_is(dims, dim, QN_DIM_SUM) || qn_dim_row(dims, dim)->term_count > 0))
        return false;
    *out = dim < 0 ? qn_dim_row(dims, dim)->constant : dim;
    return true;
}

QnDim qn_dim_symbol(QnDims *dims, const char *name)
{
    return qn_dim_intern(dims, &(QnDimRow){.op = QN_DIM_SYMBOL, .name = name});
}

QnDim qn_dim_fresh(QnDims *dims, bool is_late)
{
    /* A model may have called a symbol of its own "#3": count on until the name is new. */
    while (!dims->failed) {
        const int before = dims->count;
        char name[16];
        (void)snprintf(name, sizeof name, "%c%d", is_late ? '?' : '#', dims->fresh_count++);
        const QnDim made =
            qn_dim_intern(dims, &(QnDimRow){.op = QN_DIM_SYMBOL, .name = name, .is_late = is_late});
        if (dims->count > before)
            return made;
    }
    return 0;
}

bool qn_dim_is_late(const QnDims *dims, QnDim dim)
{
    return dim < 0 && qn_dim_row(dims, dim)->is_late;
}

/* --- evaluation: each function gives QN_DIM_UNKNOWN where there is no value --- */

static int64_t evaluate_sum(const QnDimRow *row, const int64_t *values)
{
    int64_t sum = row->constant;
    for (int i = 0; i < row->term_count; i++) {
        const int64_t value = qn_dim_value(row->terms[i].row, values);
        int64_t product;
        if (value == QN_DIM_UNKNOWN || !qn_mul_i64(&product, value, row->terms[i].factor) ||
            !qn_add_i64(&sum, sum, product))
            return QN_DIM_UNKNOWN;
    }
    return sum;
}

static int64_t evaluate_broadcast(int64_t a, int64_t b)
{
    if (a == b || b == 1)
        return a;
    return a == 1 ? b : QN_DIM_UNKNOWN;
}

static int64_t evaluate_binary(const QnDimRow *row, const int64_t *values)
{
    const int64_t a = qn_dim_value(row->a, values), b = qn_dim_value(row->b, values);
    int64_t product;
    if (a == QN_DIM_UNKNOWN || b == QN_DIM_UNKNOWN)
        return QN_DIM_UNKNOWN;
    switch (row->op) {
    case QN_DIM_PRODUCT:
        return qn_mul_i64(&product, a, b) ? product : QN_DIM_UNKNOWN;
    case QN_DIM_FLOOR_DIV:
        return b > 0 ? qn_floor_div(a, b) : QN_DIM_UNKNOWN;
    case QN_DIM_MAX:
        return qn_max_i64(a, b);
    case QN_DIM_MIN:
        return qn_min_i64(a, b);
    case QN_DIM_BROADCAST:
        return evaluate_broadcast(a, b);
    case QN_DIM_SYMBOL:
    case QN_DIM_SUM:
        break;
    }
    return QN_DIM_UNKNOWN;
}

void qn_dims_evaluate(const QnDims *dims, int first, int64_t *values)
{
    for (int i = first; i < dims->count; i++) {
        const QnDimRow *row = &dims->rows[i];
        if (row->op == QN_DIM_SUM)
            values[i] = evaluate_sum(row, values);
        else if (row->op != QN_DIM_SYMBOL)
            values[i] = evaluate_binary(row, values);
    }
}
