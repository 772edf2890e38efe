/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Greedy packing: blocks are placed one after the other, each in the tightest gap among those
 * already placed that live at the same time.  Which order wins depends on the network, so several
 * are tried.
 */
#include "engine/plan/memory.h"

#include <stdlib.h>

#include "base/checked.h"

static int by_size(const void *a, const void *b)
{
    const QnBlock *x = *(QnBlock *const *)a, *y = *(QnBlock *const *)b;
    if (x->size != y->size)
        return x->size < y->size ? 1 : -1;
    return x->first != y->first ? (x->first < y->first ? -1 : 1) : (x < y ? -1 : x > y);
}

static int by_start(const void *a, const void *b)
{
    const QnBlock *x = *(QnBlock *const *)a, *y = *(QnBlock *const *)b;
    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    return x->size != y->size ? (x->size < y->size ? 1 : -1) : (x < y ? -1 : x > y);
}

/* Bytes times steps: long-lived large blocks first. */
static int by_area(const void *a, const void *b)
{
    const QnBlock *x = *(QnBlock *const *)a, *y = *(QnBlock *const *)b;
    const double area_x = (double)x->size * (x->last - x->first + 1);
    const double area_y = (double)y->size * (y->last - y->first + 1);
    if (area_x < area_y || area_x > area_y)
        return area_x < area_y ? 1 : -1;
    return by_size(a, b);
}

static int by_length(const void *a, const void *b)
{
    const QnBlock *x = *(QnBlock *const *)a, *y = *(QnBlock *const *)b;
    const int length_x = x->last - x->first, length_y = y->last - y->first;
    return length_x != length_y ? (length_x < length_y ? 1 : -1) : by_size(a, b);
}

static int (*const orders[])(const void *, const void *) = {by_size, by_start, by_area, by_length};

static bool is_together(const QnBlock *a, const QnBlock *b)
{
    return a->first <= b->last && b->first <= a->last;
}

/* The lowest fitting gap of least width for `block` among placed[count],
 * which are sorted by offset. */
static int64_t find_gap(const QnBlock *block, QnBlock *const *placed, int count)
{
    int64_t end = 0, best = -1, best_width = INT64_MAX;
    for (int i = 0; i < count; i++) {
        if (!is_together(block, placed[i]))
            continue;
        const int64_t width = placed[i]->offset - end;
        if (width >= block->size && width < best_width) {
            best = end;
            best_width = width;
        }
        end = qn_max_i64(end, placed[i]->offset + placed[i]->size);
    }
    return best >= 0 ? best : end;
}

/* Places all blocks in the given order; returns the bytes needed. */
static int64_t pack(QnBlock **order, int count, QnBlock **placed)
{
    int64_t total = 0;
    for (int i = 0; i < count; i++) {
        QnBlock *block = order[i];
        block->offset = find_gap(block, placed, i);
        total = qn_max_i64(total, block->offset + block->size);
        int at = i;
        for (; at > 0 && placed[at - 1]->offset > block->offset; at--)
            placed[at] = placed[at - 1];
        placed[at] = block;
    }
    return total;
}

/* The largest sum of sizes alive at one step; `change` has room for every step and one more. */
static int64_t find_bound(const QnBlock *blocks, int count, int64_t *change, int step_count)
{
    int64_t alive = 0, bound = 0;
    for (int i = 0; i < count; i++) {
        change[blocks[i].first] += blocks[i].size;
        change[blocks[i].last + 1] -= blocks[i].size;
    }
    for (int s = 0; s < step_count; s++) {
        alive += change[s];
        bound = qn_max_i64(bound, alive);
    }
    return bound;
}

QnStatus qn_memory_plan(QnBlock *blocks, int count, int64_t *total, int64_t *lower_bound,
                        QnArena *scratch)
{
    QnBlock **order, **placed;
    int64_t *offsets, *change;
    int step_count = 1;
    for (int i = 0; i < count; i++)
        step_count = blocks[i].last + 2 > step_count ? blocks[i].last + 2 : step_count;
    QN_ALLOC(order, scratch, count);
    QN_ALLOC(placed, scratch, count);
    QN_ALLOC(offsets, scratch, count);
    QN_ALLOC(change, scratch, step_count + 1);
    *lower_bound = find_bound(blocks, count, change, step_count);
    *total = INT64_MAX;
    for (size_t o = 0; o < QN_COUNT_OF(orders) && *total > *lower_bound; o++) {
        int used = 0;
        for (int i = 0; i < count; i++)
            if (blocks[i].size > 0)
                order[used++] = &blocks[i];
        qsort(order, (size_t)used, sizeof *order, orders[o]);
        const int64_t needed = pack(order, used, placed);
        if (needed >= *total)
            continue;
        *total = needed;
        for (int i = 0; i < count; i++)
            offsets[i] = blocks[i].offset;
    }
    if (*total == INT64_MAX)
        *total = 0;
    for (int i = 0; i < count; i++)
        blocks[i].offset = blocks[i].size > 0 ? offsets[i] : 0;
    return QN_OK;
}
