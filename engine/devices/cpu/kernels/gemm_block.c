/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/devices/cpu/kernels/gemm_block.h"

#include <assert.h>

#include "base/checked.h"
#include "base/compiler.h"
#include "base/fault.h"

/* Floats of one piece of k: 64 columns of it take a quarter of a second-level cache of 1 MiB. */
enum { PIECE = 1024 };

/* The columns of a block that one variant computes in one go, and how their tiles end. */
typedef struct Group {
    const QnGemmBlock *block;
    const QnGemmF32 *variant;
    int64_t first; /* column */
    int columns;
    int pitch;      /* floats between rows of partial sums: whole panels */
    bool is_direct; /* the kernel itself can write what the epilogue asks for */
    bool clamp;
    float low, high;
    QnActivateF32Fn *activate;
} Group;

/* The parts of an epilogue that every kernel does; the residual is one of them if it can be read in
 * rows, and moves with the rows. */
static void set_epilogue(QnGemmTile *tile, const Group *group)
{
    const QnEpilogue *e = group->block->epilogue;
    tile->finish = true;
    tile->alpha = e->alpha;
    tile->bias = e->bias ? e->bias + group->first : NULL;
    if (group->is_direct) {
        tile->beta = e->beta;
        tile->residual_step = e->residual_step;
        tile->clamp = group->clamp;
        tile->low = group->low;
        tile->high = group->high;
    }
}

/* What no kernel does, on a tile that is still in the first cache level. */
static void finish_tile(float *tile, const Group *group, int64_t row, int rows)
{
    const QnGemmBlock *b = group->block;
    const QnEpilogue *e = b->epilogue;
    QnEpilogueRows lines = {.epilogue = e,
                            .activate = group->activate,
                            .sums = tile,
                            .rows = rows,
                            .columns = group->columns,
                            .pitch = group->pitch,
                            .residual = e->residual,
                            .c = b->c + row * b->c_step + group->first * b->c_column_step,
                            .c_step = b->c_step,
                            .c_column_step = b->c_column_step};
    if (e->residual)
        lines.residual += row * e->residual_step + group->first * e->residual_column_step;
    qn_epilogue_finish_rows(&lines);
}

/* One tile of the last piece. */
static void run_last(QnGemmTile *tile, const Group *group, int64_t row)
{
    const QnGemmBlock *b = group->block;
    const QnEpilogue *e = b->epilogue;
    if (group->is_direct) {
        tile->c = b->c + row * b->c_step + group->first;
        tile->c_step = b->c_step;
        tile->residual = e->residual ? e->residual + row * e->residual_step + group->first : NULL;
        group->variant->run(tile);
        return;
    }
    QN_ALIGNED(64) float staged[QN_GEMM_MAX_FLOATS];
    tile->c = staged;
    tile->c_step = group->pitch;
    group->variant->run(tile);
    finish_tile(staged, group, row, tile->rows);
}

/* All rows of a group over the runs of one piece.
 * Tiles are equally high, so that no sliver is left over. */
static void run_piece(const Group *group, QnGemmTile *tile, bool is_last)
{
    const QnGemmBlock *b = group->block;
    const int64_t tiles = qn_ceil_div(b->rows, group->variant->rows);
    const int64_t height = b->rows / tiles, higher = b->rows % tiles;
    const bool has_start = tile->start;
    if (is_last)
        set_epilogue(tile, group);
    for (int64_t i = 0, row = 0; i < tiles; row += tile->rows, i++) {
        tile->rows = (int)(height + (i < higher));
        if (b->a_rows)
            tile->a_rows = b->a_rows + row;
        else
            tile->a = b->a + row * b->a_step;
        float *partial = b->scratch + row * group->pitch;
        tile->start = has_start ? partial : NULL;
        if (is_last) {
            run_last(tile, group, row);
        } else {
            tile->c = partial;
            tile->c_step = group->pitch;
            group->variant->run(tile);
        }
    }
}

/* How many runs from `first` on make a piece: at least one. */
static int64_t count_runs(const QnGemmBlock *b, int64_t first, int64_t *length)
{
    int64_t last = first;
    *length = 0;
    while (last < b->run_count && (last == first || *length + b->runs[last].length <= PIECE))
        *length += b->runs[last++].length;
    return last - first;
}

static void run_group(const Group *group)
{
    const QnGemmBlock *b = group->block;
    QnGemmTile tile = {.a_step = b->a_step,
                       .a_tap_step = b->a_tap_step,
                       .a_offset = b->a_offset,
                       .b = b->b + group->first / QN_PANEL * b->b_stride,
                       .b_step = b->b_step,
                       .b_stride = b->b_stride,
                       .start_step = group->pitch,
                       .columns = group->columns};
    int64_t run = 0;
    do {
        int64_t length;
        tile.runs = b->runs + run;
        tile.run_count = count_runs(b, run, &length);
        run += tile.run_count;
        run_piece(group, &tile, run == b->run_count);
        tile.b += length * b->b_step;
        tile.start = b->scratch; /* from the second piece on; run_piece finds the rows */
    } while (run < b->run_count);
}

void qn_gemm_f32_block(const QnGemmBlock *b)
{
    assert(b->rows >= 1 && b->rows <= QN_GEMM_BLOCK_ROWS);
    const QnEpilogue *e = b->epilogue;
    Group group = {.block = b, .activate = qn_activate_f32_pick(b->isa)};
    group.clamp = qn_epilogue_clamp(e, &group.low, &group.high);
    const bool has_plain_residual =
        !e->residual || (e->residual_column_step == 1 &&
                         !(e->residual_last && e->activation != QN_ACTIVATION_NONE));
    group.is_direct = group.clamp && has_plain_residual && b->c_column_step == 1;
    group.clamp = group.clamp && e->activation != QN_ACTIVATION_NONE;
    while (group.first < b->columns) {
        const int64_t left = b->columns - group.first;
        group.variant = qn_gemm_f32_pick(b->isa, b->rows, qn_ceil_div(left, QN_PANEL));
        group.pitch = group.variant->panels * QN_PANEL;
        group.columns = (int)qn_min_i64(left, group.pitch);
        run_group(&group);
        if (qn_fault("kernel", group.variant->name))
            qn_fault_spoil(b->c + group.first * b->c_column_step, sizeof *b->c);
        group.first += group.columns;
    }
}
