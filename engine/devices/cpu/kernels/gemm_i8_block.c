/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/devices/cpu/kernels/gemm_i8_block.h"

#include <assert.h>
#include <string.h>

#include "base/checked.h"
#include "base/compiler.h"
#include "base/fault.h"

/* ---- rows of A ---- */

void qn_sum_i8(int32_t *row_sums, const uint8_t *const *a, int64_t a_step, int64_t runs,
               int64_t rows, int64_t k)
{
    for (int64_t m = 0; m < rows; m++) {
        uint32_t sum = 0;
        for (int64_t r = 0; r < runs; r++) {
            const uint8_t *run = a[r * a_step + m];
            for (int64_t i = 0; i < k; i++)
                sum += run[i];
        }
        row_sums[m] = (int32_t)sum;
    }
}

static void copy_row(uint8_t *restrict to, const uint8_t *restrict from, int64_t k_step, int64_t k)
{
    if (k_step == 1) {
        memcpy(to, from, (size_t)k);
        return;
    }
    for (int64_t i = 0; i < k; i++)
        to[i] = from[i * k_step];
}

void qn_copy_i8(uint8_t *to, int64_t to_step, const void *from, int64_t step, int64_t k_step,
                bool is_signed, int64_t rows, int64_t k)
{
    for (int64_t m = 0; m < rows; m++) {
        uint8_t *row = to + m * to_step;
        copy_row(row, (const uint8_t *)from + m * step, k_step, k);
        for (int64_t i = 0; is_signed && i < k; i++)
            row[i] ^= QN_MOVE_I8;
        memset(row + k, 0, (size_t)(-k & 3)); /* read, and multiplied by zeros */
    }
}

void qn_move_i8(uint8_t *restrict to, const uint8_t *restrict from, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        to[i] = from[i] ^ QN_MOVE_I8;
}

/* ---- blocks ---- */

/* The columns that one variant computes in one go, and their terms. */
typedef struct Group {
    const QnGemmI8Block *block;
    const QnGemmI8 *variant;
    QnScaleI32Fn *scale;
    QnScaleI32 terms;
    int64_t first; /* of the block's columns */
    int columns;
    int32_t add[QN_GEMM_I8_MAX_COLUMNS], zero_b[QN_GEMM_I8_MAX_COLUMNS];
    float factor[QN_GEMM_I8_MAX_COLUMNS];
} Group;

/* What the columns' own zero points, and the move of unsigned ones, count for. */
static void set_zeros(Group *group)
{
    const QnGemmI8Block *b = group->block;
    const QnTermsI8 *t = b->terms;
    const int64_t first = b->first + group->first;
    for (int j = 0; j < group->columns; j++) {
        const uint32_t given = t->zero_b ? (uint32_t)t->zero_b[(first + j) * t->zero_b_step] : 0;
        group->zero_b[j] = (int32_t)(given - (t->b_is_unsigned ? QN_MOVE_I8 : 0));
    }
}

static void set_terms(Group *group)
{
    const QnGemmI8Block *b = group->block;
    const QnTermsI8 *t = b->terms;
    const int64_t first = b->first + group->first;
    const bool has_zeros = qn_terms_i8_need_rows(t);
    const uint32_t zero_a = (uint32_t)t->zero_a + (t->a_is_signed ? QN_MOVE_I8 : 0);
    if (has_zeros)
        set_zeros(group);
    for (int j = 0; j < group->columns; j++)
        group->add[j] = (int32_t)(0 - zero_a * (uint32_t)b->b_sums[first + j]);
    for (int j = 0; has_zeros && j < group->columns; j++)
        group->add[j] = (int32_t)((uint32_t)group->add[j] +
                                  zero_a * (uint32_t)(b->runs * b->k) * (uint32_t)group->zero_b[j]);
    for (int j = 0; t->bias && j < group->columns; j++)
        group->add[j] =
            (int32_t)((uint32_t)group->add[j] + (uint32_t)t->bias[(first + j) * t->bias_step]);
    for (int j = 0; t->factor && !t->factor_step && j < group->columns; j++)
        group->factor[j] = *t->factor;
    group->terms = (QnScaleI32){.to = t->to,
                                .add = group->add,
                                .zero_b = has_zeros ? group->zero_b : NULL,
                                .factor = !t->factor       ? NULL
                                          : t->factor_step ? t->factor + first
                                                           : group->factor,
                                .bias = t->float_bias ? t->float_bias + first : NULL,
                                .zero = t->zero};
}

/* What is left to do to the sums of a tile, which are still in the first cache level. */
static void scale_tile(const Group *group, const int32_t *sums, int64_t row, int rows)
{
    const QnGemmI8Block *b = group->block;
    const int64_t size = qn_scale_size(group->terms.to);
    QnScaleRows r = {.scale = &group->terms,
                     .rows = rows,
                     .count = group->columns,
                     .sums = sums,
                     .sums_step = group->variant->panels * QN_PANEL_I8,
                     .row_sums = group->terms.zero_b ? b->row_sums + row : NULL,
                     .more_step = b->more_step,
                     .more_column_step = b->more_column_step,
                     .y = (char *)b->c + (row * b->c_step + group->first) * size,
                     .y_step = b->c_step};
    if (b->more)
        r.more = b->more + row * b->more_step + group->first * b->more_column_step;
    group->scale(&r);
}

/* All rows of a group, in tiles of nearly equal height. */
static void run_group(const Group *group)
{
    QN_ALIGNED(64) int32_t sums[QN_GEMM_I8_MAX_ROWS * QN_GEMM_I8_MAX_COLUMNS];
    const QnGemmI8Block *b = group->block;
    const int64_t tiles = qn_ceil_div(b->rows, group->variant->rows);
    const int64_t height = b->rows / tiles, higher = b->rows % tiles;
    QnGemmI8Tile tile = {.a_step = b->a_step,
                         .runs = b->runs,
                         .groups = qn_ceil_div(b->k, 4),
                         .b = b->b + (b->first + group->first) / QN_PANEL_I8 * b->b_stride,
                         .b_stride = b->b_stride,
                         .c = sums,
                         .c_step = group->variant->panels * QN_PANEL_I8};
    for (int64_t i = 0, row = 0; i < tiles; row += tile.rows, i++) {
        tile.rows = (int)(height + (i < higher));
        tile.a = b->a + row;
        group->variant->run(&tile);
        scale_tile(group, sums, row, tile.rows);
    }
}

void qn_gemm_i8_block(const QnGemmI8Block *block)
{
    assert(block->rows >= 1 && block->rows <= QN_BLOCK_I8_ROWS);
    const QnScaleI32Variant *scale = qn_scale_i32_pick(block->isa);
    Group group = {.block = block, .scale = scale->run};
    while (group.first < block->columns) {
        const int64_t left = block->columns - group.first;
        group.variant = qn_gemm_i8_pick(block->isa, qn_ceil_div(left, QN_PANEL_I8));
        group.columns = (int)qn_min_i64(left, group.variant->panels * QN_PANEL_I8);
        set_terms(&group);
        run_group(&group);
        if (qn_fault("kernel", group.variant->name) || qn_fault("kernel", scale->name))
            qn_fault_spoil((char *)block->c + group.first * qn_scale_size(group.terms.to), 1);
        group.first += group.columns;
    }
}
