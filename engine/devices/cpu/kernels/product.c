/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/devices/cpu/kernels/product.h"

#include <string.h>

#include "base/checked.h"
#include "base/fault.h"
#include "engine/devices/cpu/kernels/dot.h"
#include "engine/devices/cpu/kernels/gemm_block.h"
#include "engine/devices/cpu/kernels/gemm_pack.h"

enum {
    CHUNK_FLOPS = 4000000,
    CHUNK_BYTES = 512 * 1024, /* of weights, where they bound the time */
    BLOCK_ROWS = 60,          /* a multiple of most tiles */
    FEW_ROWS = 12,            /* below, packing B costs more than it saves */
    GROUP = 4,                /* panels packed together */
    PACKED_ROWS = 480         /* rows for which a group of B is packed once */
};

/* How B reaches the kernels. */
typedef enum Way {
    PACKED,  /* at plan build */
    PACKING, /* group by group, at every run */
    IN_PLACE,
    DOTS
} Way;

/* The cut: chunks of `rows` by `panels`, counted in panels first. */
typedef struct Cut {
    Way way;
    int64_t rows, panels;
    int64_t row_chunks, panel_chunks;
} Cut;

/* What one thread's scratch holds, in this order; each part in whole lines. */
typedef struct Room {
    size_t runs, a, b, sums; /* bytes */
} Room;

static Way choose_way(const QnProductF32 *p)
{
    if (p->b_is_packed)
        return PACKED;
    if (p->m >= FEW_ROWS)
        return PACKING;
    if (p->b_n_step == 1)
        return IN_PLACE;
    return p->b_k_step == 1 && p->a_k_step == 1 && !p->fixed_order ? DOTS : PACKING;
}

/* Rows of the blocks into which `m` rows are cut:
 * nearly equal, and a multiple of 6 where there are several. */
static int64_t block_rows(int64_t m)
{
    const int64_t blocks = qn_ceil_div(m, BLOCK_ROWS);
    return blocks <= 1 ? qn_max_i64(m, 1) : qn_ceil_div(qn_ceil_div(m, blocks), 6) * 6;
}

static int64_t at_least_one(double x)
{
    return x < 1 ? 1 : x > 1e9 ? 1000000000 : (int64_t)x;
}

static Cut cut_product(const QnProductF32 *p)
{
    Cut cut = {.way = choose_way(p), .rows = block_rows(p->m)};
    const int64_t panels = qn_ceil_div(p->n, QN_PANEL);
    const double unit = 2.0 * (double)cut.rows * 64 * (double)qn_max_i64(p->k, 1);
    const double whole = unit * (double)qn_ceil_div(panels, GROUP);
    if (whole <= 2.0 * CHUNK_FLOPS) { /* all columns, several blocks */
        cut.panels = panels;
        cut.rows *= at_least_one(CHUNK_FLOPS / whole);
    } else {
        cut.panels = GROUP * at_least_one(CHUNK_FLOPS / unit);
        if (cut.rows < FEW_ROWS) {
            const double bytes = 64.0 * GROUP * (double)p->k;
            cut.panels = 2 * GROUP * at_least_one(CHUNK_BYTES / bytes / 2);
        }
    }
    if (cut.way == PACKING)
        cut.rows = qn_max_i64(cut.rows, PACKED_ROWS);
    cut.panels = qn_max_i64(1, qn_min_i64(cut.panels, panels));
    cut.rows = qn_max_i64(1, qn_min_i64(cut.rows, p->m));
    cut.row_chunks = qn_ceil_div(p->m, cut.rows);
    cut.panel_chunks = qn_ceil_div(panels, cut.panels);
    return cut;
}

int64_t qn_product_f32_chunks(const QnProductF32 *p)
{
    const Cut cut = cut_product(p);
    return cut.row_chunks * cut.panel_chunks * p->outer.count * p->inner.count;
}

static int64_t count_runs(int64_t k)
{
    return qn_ceil_div(k, QN_GEMM_RUN_LENGTH);
}

static bool measure(Room *room, const QnProductF32 *p, const Cut *cut)
{
    *room = (Room){.sums = QN_GEMM_SCRATCH_FLOATS * sizeof(float)};
    if (!qn_mul_size(&room->runs, (size_t)count_runs(p->k), sizeof(QnGemmRun)))
        return false;
    room->runs = qn_round_up(room->runs, 64);
    size_t row_bytes;
    if (!qn_mul_size(&row_bytes, (size_t)p->k, sizeof(float)) || row_bytes > SIZE_MAX / 256)
        return false;
    const size_t rows = (size_t)qn_min_i64(cut->rows, BLOCK_ROWS);
    if (p->a_k_step != 1 && !qn_mul_size(&room->a, rows, qn_round_up(row_bytes, 64)))
        return false;
    if (cut->way == DOTS) {
        const size_t columns = (size_t)cut->panels * QN_PANEL;
        return qn_mul_size(&room->sums, (size_t)cut->rows * columns, sizeof(float));
    }
    if (cut->way == PACKED)
        return true;
    QnPanelsF32 panels;
    const int64_t columns = cut->way == PACKING ? GROUP * QN_PANEL : QN_PANEL;
    if (!qn_pack_f32_size(&panels, p->k, columns))
        return false;
    room->b = panels.size_bytes;
    return true;
}

static size_t sum_room(const Room *room)
{
    size_t total;
    if (!qn_add_size(&total, room->runs, room->a) || !qn_add_size(&total, total, room->b) ||
        !qn_add_size(&total, total, room->sums))
        return SIZE_MAX;
    return total;
}

size_t qn_product_f32_scratch(const QnProductF32 *p)
{
    const Cut cut = cut_product(p);
    Room room;
    return measure(&room, p, &cut) ? sum_room(&room) : SIZE_MAX;
}

/* Each part is at its largest in one of the ways. */
size_t qn_product_f32_scratch_up_to(const QnProductF32 *p)
{
    const int64_t panels = qn_ceil_div(p->n, QN_PANEL);
    Cut cut = {.way = PACKING, .rows = BLOCK_ROWS, .panels = panels};
    Room packing, dots;
    if (!measure(&packing, p, &cut))
        return SIZE_MAX;
    cut.way = DOTS;
    cut.rows = FEW_ROWS;
    if (!measure(&dots, p, &cut))
        return SIZE_MAX;
    packing.sums = dots.sums > packing.sums ? dots.sums : packing.sums;
    return sum_room(&packing);
}

/* One chunk at work: its place in C, the operands at its batch, and its scratch. */
typedef struct Chunk {
    const QnProductF32 *product;
    Cut cut;
    int64_t row, rows, column, columns;
    const float *a, *b, *residual;
    float *c;
    QnGemmRun *runs;
    float *packed_a, *packed_b, *sums;
} Chunk;

/* A block over columns [column, column + columns) whose B is at b. */
typedef struct Columns {
    int64_t first, count;
    const float *b;
    int64_t b_step, b_stride;
} Columns;

static void copy_rows(float *to, const float *from, int64_t rows, int64_t k, const QnProductF32 *p)
{
    for (int64_t i = 0; i < k; i++)
        for (int64_t m = 0; m < rows; m++)
            to[m * k + i] = from[m * p->a_step + i * p->a_k_step];
}

static void run_block(const Chunk *t, int64_t row, int64_t rows, const Columns *columns)
{
    const QnProductF32 *p = t->product;
    QnEpilogue epilogue = p->epilogue;
    if (epilogue.bias)
        epilogue.bias += columns->first;
    if (epilogue.residual)
        epilogue.residual = t->residual + row * epilogue.residual_step +
                            columns->first * epilogue.residual_column_step;
    QnGemmBlock block = {.isa = p->isa,
                         .a = t->a + row * p->a_step,
                         .a_step = p->a_step,
                         .runs = t->runs,
                         .run_count = count_runs(p->k),
                         .b = columns->b,
                         .b_step = columns->b_step,
                         .b_stride = columns->b_stride,
                         .rows = rows,
                         .columns = columns->count,
                         .c = t->c + row * p->c_step + columns->first * p->c_column_step,
                         .c_step = p->c_step,
                         .c_column_step = p->c_column_step,
                         .epilogue = &epilogue,
                         .scratch = t->sums};
    if (p->a_k_step != 1) {
        copy_rows(t->packed_a, block.a, rows, p->k, p);
        block.a = t->packed_a;
        block.a_step = p->k;
    }
    qn_gemm_f32_block(&block);
}

static void run_rows(const Chunk *t, const Columns *columns)
{
    const int64_t height = block_rows(t->rows);
    for (int64_t row = 0; row < t->rows; row += height)
        run_block(t, t->row + row, qn_min_i64(height, t->rows - row), columns);
}

/* Packs a few panels at a time; each stays in the cache while all rows of the chunk pass. */
static void run_packing(const Chunk *t)
{
    const QnProductF32 *p = t->product;
    for (int64_t done = 0; done < t->columns; done += GROUP * QN_PANEL) {
        Columns columns = {.first = t->column + done,
                           .count = qn_min_i64(GROUP * QN_PANEL, t->columns - done),
                           .b = t->packed_b,
                           .b_step = QN_PANEL,
                           .b_stride = p->k * QN_PANEL};
        qn_pack_f32(t->packed_b, columns.b_stride, 0, t->b + columns.first * p->b_n_step,
                    p->b_k_step, p->b_n_step, p->k, columns.count);
        run_rows(t, &columns);
    }
}

/* Whole panels of B where they are; what is left is packed, since kernels read whole panels. */
static void run_in_place(const Chunk *t)
{
    const QnProductF32 *p = t->product;
    const int64_t rest = t->columns % QN_PANEL;
    Columns columns = {.first = t->column,
                       .count = t->columns - rest,
                       .b = t->b + t->column,
                       .b_step = p->b_k_step,
                       .b_stride = QN_PANEL};
    if (columns.count)
        run_rows(t, &columns);
    if (!rest)
        return;
    columns.first += columns.count;
    qn_pack_f32(t->packed_b, 0, 0, t->b + columns.first, p->b_k_step, 1, p->k, rest);
    columns.count = rest;
    columns.b = t->packed_b;
    columns.b_step = QN_PANEL;
    run_rows(t, &columns);
}

static void run_dots(const Chunk *t)
{
    const QnProductF32 *p = t->product;
    const QnEpilogue *e = &p->epilogue;
    const QnDot dot = {.m = t->rows,
                       .n = t->columns,
                       .k = p->k,
                       .a = t->a + t->row * p->a_step,
                       .a_step = p->a_step,
                       .b = t->b + t->column * p->b_n_step,
                       .b_step = p->b_n_step,
                       .c = t->sums,
                       .c_step = t->columns};
    const QnDotF32 *variant = qn_dot_f32_pick(p->isa);
    variant->run(&dot);
    if (qn_fault("kernel", variant->name))
        qn_fault_spoil(t->sums, sizeof *t->sums);
    for (int64_t i = 0; i < t->rows; i++) {
        const int64_t row = t->row + i;
        QnEpilogueLine line = {.epilogue = e,
                               .activate = qn_activate_f32_pick(p->isa),
                               .sums = t->sums + i * t->columns,
                               .count = t->columns,
                               .c = t->c + row * p->c_step + t->column * p->c_column_step,
                               .c_step = p->c_column_step};
        if (e->bias)
            line.bias = e->bias + t->column;
        if (e->residual)
            line.residual =
                t->residual + row * e->residual_step + t->column * e->residual_column_step;
        qn_epilogue_finish(&line);
    }
}

/* Which rows, columns and batch the number of a chunk means:
 * rows vary fastest, so that neighbours share panels. */
static void place(Chunk *t, int64_t number)
{
    const QnProductF32 *p = t->product;
    const Cut *cut = &t->cut;
    t->row = number % cut->row_chunks * cut->rows;
    t->rows = qn_min_i64(cut->rows, p->m - t->row);
    number /= cut->row_chunks;
    const int64_t width = cut->panels * QN_PANEL;
    t->column = number % cut->panel_chunks * width;
    t->columns = qn_min_i64(width, p->n - t->column);
    number /= cut->panel_chunks;
    const int64_t i = number % p->inner.count, o = number / p->inner.count;
    t->a = p->a + o * p->outer.a + i * p->inner.a;
    t->b = p->b + o * p->outer.b + i * p->inner.b;
    t->c = p->c + o * p->outer.c + i * p->inner.c;
    if (p->epilogue.residual)
        t->residual = p->epilogue.residual + o * p->outer.residual + i * p->inner.residual;
}

void qn_product_f32_run(const QnProductF32 *p, int64_t number, void *scratch)
{
    Chunk t = {.product = p, .cut = cut_product(p)};
    Room room;
    if (!measure(&room, p, &t.cut))
        return; /* the scratch that was asked for cannot exist */
    place(&t, number);
    char *at = scratch;
    t.runs = (QnGemmRun *)(void *)at;
    t.packed_a = (float *)(void *)(at += room.runs);
    t.packed_b = (float *)(void *)(at += room.a);
    t.sums = (float *)(void *)(at + room.b);
    for (int64_t i = 0; i < count_runs(p->k); i++) {
        const int64_t offset = i * QN_GEMM_RUN_LENGTH;
        t.runs[i] = (QnGemmRun){offset, qn_min_i64(QN_GEMM_RUN_LENGTH, p->k - offset), 0};
    }
    const Columns packed = {.first = t.column,
                            .count = t.columns,
                            .b = t.b + t.column / QN_PANEL * p->b_stride,
                            .b_step = QN_PANEL,
                            .b_stride = p->b_stride};
    if (t.cut.way == PACKED)
        run_rows(&t, &packed);
    else if (t.cut.way == PACKING)
        run_packing(&t);
    else if (t.cut.way == IN_PLACE)
        run_in_place(&t);
    else
        run_dots(&t);
}
