/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/devices/cpu/kernels/product_i8.h"

#include "base/checked.h"

enum {
    CHUNK_OPERATIONS = 16000000,
    CHUNK_BYTES = 512 * 1024, /* of weights, where they bound the time */
    FEW_ROWS = 12,
    GROUP = 4,        /* panels packed together */
    PACKED_ROWS = 480 /* rows for which a group of B is packed once */
};

/* The cut: chunks of `rows` by `panels`, counted in rows first. */
typedef struct Cut {
    int64_t rows, panels;
    int64_t row_chunks, panel_chunks;
} Cut;

static int64_t at_least_one(double x)
{
    return x < 1 ? 1 : x > 1e9 ? 1000000000 : (int64_t)x;
}

static Cut cut_product(const QnProductI8 *p)
{
    const int64_t panels = qn_ceil_div(p->n, QN_PANEL_I8);
    const int64_t rows = qn_max_i64(1, qn_min_i64(p->m, QN_BLOCK_I8_ROWS));
    const double k = (double)qn_max_i64(p->k, 1), unit = 2.0 * 64 * (double)rows * k;
    const double whole = unit * (double)qn_ceil_div(panels, GROUP);
    Cut cut = {.rows = rows, .panels = panels};
    if (rows < FEW_ROWS)
        cut.panels = GROUP * at_least_one(CHUNK_BYTES / (64 * k));
    else if (whole > 2.0 * CHUNK_OPERATIONS)
        cut.panels = GROUP * at_least_one(CHUNK_OPERATIONS / unit);
    else
        cut.rows *= at_least_one(CHUNK_OPERATIONS / whole);
    if (!p->panels)
        cut.rows = qn_max_i64(cut.rows, PACKED_ROWS);
    cut.panels = qn_max_i64(1, qn_min_i64(cut.panels, panels));
    cut.rows = qn_max_i64(1, qn_min_i64(cut.rows, p->m));
    cut.row_chunks = qn_ceil_div(p->m, cut.rows);
    cut.panel_chunks = qn_ceil_div(panels, cut.panels);
    return cut;
}

int64_t qn_product_i8_chunks(const QnProductI8 *p)
{
    const Cut cut = cut_product(p);
    return cut.row_chunks * cut.panel_chunks;
}

/* Can rows of A be read where they lie? */
static bool is_in_place(const QnProductI8 *p)
{
    return p->a_k_step == 1 && !p->terms.a_is_signed && p->k % 4 == 0;
}

/* What one thread's scratch holds, in this order; bytes, each part in whole lines. */
typedef struct Room {
    size_t a, b;
} Room;

static bool measure(Room *room, const QnProductI8 *p)
{
    QnPanelsI8 panels;
    *room = (Room){0, 0};
    if ((uint64_t)p->k > SIZE_MAX / 1024)
        return false;
    if (!is_in_place(p))
        room->a = qn_round_up((size_t)p->k, 64) * QN_BLOCK_I8_ROWS;
    if (p->panels)
        return true;
    if (!qn_pack_i8_size(&panels, p->k, GROUP * QN_PANEL_I8))
        return false;
    room->b = panels.size_bytes;
    return true;
}

size_t qn_product_i8_scratch(const QnProductI8 *p)
{
    Room room;
    size_t total;
    return measure(&room, p) && qn_add_size(&total, room.a, room.b) ? total : SIZE_MAX;
}

/* Columns of the product whose panels lie at b; b_first is the number of the first one there. */
typedef struct Columns {
    int64_t first, count, b_first;
    const int8_t *b;
    int64_t b_stride;
    const int32_t *b_sums;
} Columns;

/* One chunk at work. */
typedef struct Chunk {
    const QnProductI8 *product;
    int64_t row, rows, first, columns;
    uint8_t *packed_a;
    void *packed_b;
} Chunk;

/* Terms whose arrays begin at the columns' first one; the panels may begin there too. */
static QnTermsI8 terms_from(const QnTermsI8 *terms, int64_t first)
{
    QnTermsI8 moved = *terms;
    moved.zero_b = terms->zero_b ? terms->zero_b + first * terms->zero_b_step : NULL;
    moved.bias = terms->bias ? terms->bias + first * terms->bias_step : NULL;
    moved.factor = terms->factor ? terms->factor + first * terms->factor_step : NULL;
    moved.float_bias = terms->float_bias ? terms->float_bias + first : NULL;
    return moved;
}

static void run_block(const Chunk *t, const Columns *columns, int64_t row, int64_t rows)
{
    const QnProductI8 *p = t->product;
    int32_t row_sums[QN_BLOCK_I8_ROWS];
    const uint8_t *a[QN_BLOCK_I8_ROWS], *first = (const uint8_t *)p->a + row * p->a_step;
    const QnTermsI8 terms = terms_from(&p->terms, columns->b_first);
    const int64_t size = qn_scale_size(terms.to);
    QnGemmI8Block block = {
        .isa = p->isa,
        .terms = &terms,
        .a = a,
        .a_step = QN_BLOCK_I8_ROWS,
        .runs = 1,
        .k = p->k,
        .row_sums = row_sums,
        .b = columns->b,
        .b_stride = columns->b_stride,
        .b_sums = columns->b_sums,
        .rows = rows,
        .first = columns->first - columns->b_first,
        .columns = columns->count,
        .c = (char *)p->c + (row * p->c_step + columns->first) * size,
        .c_step = p->c_step,
        .more_step = p->more_step,
        .more_column_step = p->more_column_step,
    };
    if (p->more)
        block.more = p->more + row * p->more_step + columns->first * p->more_column_step;
    if (is_in_place(p)) {
        qn_point_i8(a, first, p->a_step, rows);
    } else {
        const int64_t step = (int64_t)qn_round_up((size_t)p->k, 64);
        qn_copy_i8(t->packed_a, step, first, p->a_step, p->a_k_step, terms.a_is_signed, rows, p->k);
        qn_point_i8(a, t->packed_a, step, rows);
    }
    if (qn_terms_i8_need_rows(&terms))
        qn_sum_i8(row_sums, a, QN_BLOCK_I8_ROWS, 1, rows, p->k);
    qn_gemm_i8_block(&block);
}

static void run_rows(const Chunk *t, const Columns *columns)
{
    for (int64_t row = 0; row < t->rows; row += QN_BLOCK_I8_ROWS)
        run_block(t, columns, t->row + row, qn_min_i64(QN_BLOCK_I8_ROWS, t->rows - row));
}

/* Packs a few panels at a time; they stay in the cache while all rows of the chunk pass. */
static void run_packing(const Chunk *t)
{
    const QnProductI8 *p = t->product;
    QnPanelsI8 panels;
    for (int64_t done = 0; done < t->columns; done += GROUP * QN_PANEL_I8) {
        const int64_t first = t->first + done,
                      count = qn_min_i64(GROUP * QN_PANEL_I8, t->columns - done);
        if (!qn_pack_i8_size(&panels, p->k, count))
            return; /* it fitted when the scratch was measured */
        qn_pack_i8(t->packed_b, &panels, (const int8_t *)p->b + first * p->b_n_step, p->b_k_step,
                   p->b_n_step, p->terms.b_is_unsigned, p->k, count);
        const char *packed = t->packed_b;
        const Columns columns = {
            first,         count,
            first,         (const int8_t *)packed,
            panels.stride, (const int32_t *)(const void *)(packed + panels.sums_offset)};
        run_rows(t, &columns);
    }
}

void qn_product_i8_run(const QnProductI8 *p, int64_t chunk, void *scratch)
{
    const Cut cut = cut_product(p);
    const int64_t width = cut.panels * QN_PANEL_I8;
    const int64_t row = chunk % cut.row_chunks * cut.rows, first = chunk / cut.row_chunks * width;
    Room room;
    if (!measure(&room, p))
        return; /* the scratch that was asked for cannot exist */
    const Chunk t = {.product = p,
                     .row = row,
                     .rows = qn_min_i64(cut.rows, p->m - row),
                     .first = first,
                     .columns = qn_min_i64(width, p->n - first),
                     .packed_a = scratch,
                     .packed_b = (char *)scratch + room.a};
    if (!p->panels) {
        run_packing(&t);
        return;
    }
    const char *packed = p->b;
    const Columns columns = {first,
                             t.columns,
                             0,
                             (const int8_t *)packed,
                             p->panels->stride,
                             (const int32_t *)(const void *)(packed + p->panels->sums_offset)};
    run_rows(&t, &columns);
}
