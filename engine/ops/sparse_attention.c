/* SPDX-License-Identifier: Apache-2.0 */
/*
 * com.microsoft's SparseAttention: causal attention on a cache, of which each query sees some
 * blocks of positions only.
 *
 * Which blocks of keys a block of queries sees is told by layouts in compressed rows: layout l has
 * the blocks block_col_indices[l, block_row_indices[l, r] ... block_row_indices[l, r + 1]) in row
 * r. Heads take the layouts in turns.  Item b has key_total_sequence_lengths[b] keys once its new
 * rows are in the cache; a first prompt (`total_sequence_length` is the number of rows) begins at
 * 0.
 */
#include <math.h>

#include "base/checked.h"
#include "engine/ops/attend.h"
#include "engine/ops/grouped.h"

enum { QUERY, KEY, VALUE, PAST_KEY, PAST_VALUE, ROWS, COLUMNS, TOTAL, LENGTHS, COS, SIN };
enum { Y, PRESENT_KEY, PRESENT_VALUE };

/* ---- inference ---- */

static QnStatus check_layouts(const QnInfer *in, const QnGroupedSizes *s)
{
    const QnShape *rows = qn_infer_shape(in, ROWS), *columns = qn_infer_shape(in, COLUMNS);
    QN_TRY(qn_infer_want_rank(in, ROWS, 2));
    QN_TRY(qn_infer_want_rank(in, COLUMNS, 2));
    if (rows && columns)
        QN_TRY(qn_infer_want_dim(in, COLUMNS, 0, rows->dims[0]));
    if (rows && qn_dim_is_known(rows->dims[0]) && (rows->dims[0] == 0 || s->heads % rows->dims[0]))
        return qn_infer_fail(in, "%lld heads cannot take turns with %lld layouts",
                             (long long)s->heads, (long long)rows->dims[0]);
    if (rows && rows->dims[1] == 0)
        return qn_infer_fail(in, "the layouts have no rows");
    return QN_OK;
}

static QnStatus infer_sparse(QnInfer *in)
{
    const QnShape *past = qn_infer_shape(in, PAST_KEY);
    const int64_t block = qn_op_int(in->node, "sparse_block_size");
    const QnType type = qn_infer_element(in, QUERY);
    QnGroupedSizes s;
    if (block < 1 || block > 1 << 20)
        return qn_infer_fail(in, "sparse_block_size is %lld, expected 1 to %d", (long long)block,
                             1 << 20);
    QN_TRY(qn_grouped_infer(in, &s));
    QN_TRY(check_layouts(in, &s));
    QN_TRY(qn_infer_output(in, PRESENT_KEY, qn_infer_type(in, PAST_KEY)));
    QN_TRY(qn_infer_output(in, PRESENT_VALUE, qn_infer_type(in, PAST_VALUE)));
    if (!s.is_known)
        return qn_infer_unknown(in, Y, type, 3);
    for (int i = PAST_KEY; i <= PAST_VALUE && past; i++)
        QN_TRY(qn_infer_want_shape(
            in, i, 4,
            (const QnDim[]){s.batch, s.kv_heads, past->rank == 4 ? past->dims[2] : 0, s.size}));
    QN_TRY(qn_infer_want_shape(in, LENGTHS, 1, &s.batch));
    QN_TRY(qn_grouped_infer_tables(in, COS, SIN, &s));
    return qn_infer_tensor(in, Y, type,
                           &(QnShape){3, {s.batch, s.rows, qn_dim_mul(in->dims, s.size, s.heads)}});
}

/* ---- layouts ---- */

typedef struct Run {
    const QnCall *call;
    QnGrouped g;
    int64_t capacity, total, block,
        blocks;    /* rows of the cache; rows of a block; blocks in a row */
    bool is_first; /* a first prompt */
    double *queries, *keys, *values;
} Run;

/* Every index into the layouts, before they are followed. */
static QnStatus check_indices(const Run *run)
{
    const QnTensor *rows = qn_call_input(run->call, ROWS),
                   *columns = qn_call_input(run->call, COLUMNS);
    const int64_t width = columns->dims[1];
    for (int64_t l = 0; l < rows->dims[0]; l++) {
        int64_t before = 0;
        for (int64_t r = 0; r <= run->blocks; r++) {
            const int64_t at = qn_tensor_get_int(rows, l * rows->dims[1] + r);
            if (at < before || at > width)
                return qn_call_fail(
                    run->call, "block_row_indices[%lld, %lld] is %lld, expected %lld to %lld",
                    (long long)l, (long long)r, (long long)at, (long long)before, (long long)width);
            before = at;
        }
        for (int64_t c = qn_tensor_get_int(rows, l * rows->dims[1]); c < before; c++) {
            const int64_t column = qn_tensor_get_int(columns, l * width + c);
            if (column < 0 || column >= run->blocks)
                return qn_call_fail(
                    run->call, "block_col_indices[%lld, %lld] is %lld, expected 0 to %lld",
                    (long long)l, (long long)c, (long long)column, (long long)(run->blocks - 1));
        }
    }
    return QN_OK;
}

static int64_t length_of(const Run *run, int64_t b)
{
    return qn_tensor_get_int(qn_call_input(run->call, LENGTHS), b);
}

/* The position of the first new row. */
static int64_t start_of(const Run *run, int64_t b)
{
    return run->is_first ? 0 : length_of(run, b) - run->g.rows;
}

static QnStatus check_lengths(const Run *run)
{
    const int64_t most = qn_min_i64(run->capacity, run->blocks * run->block);
    const int64_t least = run->is_first ? 1 : run->g.rows;
    if (run->total < run->g.rows || run->total > most)
        return qn_call_fail(run->call, "total_sequence_length is %lld, expected %lld to %lld",
                            (long long)run->total, (long long)run->g.rows, (long long)most);
    for (int64_t b = 0; b < run->g.batch; b++)
        if (length_of(run, b) < least || length_of(run, b) > run->total)
            return qn_call_fail(run->call,
                                "key_total_sequence_lengths[%lld] is %lld, expected %lld to %lld",
                                (long long)b, (long long)length_of(run, b), (long long)least,
                                (long long)run->total);
    return QN_OK;
}

/* All keys are hidden but those of the blocks that the query's block sees. */
static void add_bias(const QnAttend *attend, int64_t b, int64_t h, int64_t i, double *row)
{
    const Run *run = attend->user;
    const QnTensor *rows = qn_call_input(run->call, ROWS),
                   *columns = qn_call_input(run->call, COLUMNS);
    const int64_t layout = h % rows->dims[0], start = start_of(run, b);
    const int64_t at = layout * rows->dims[1] + (start + i) / run->block;
    for (int64_t j = 0; j < attend->k.rows; j++)
        row[j] = -INFINITY;
    for (int64_t c = qn_tensor_get_int(rows, at); c < qn_tensor_get_int(rows, at + 1); c++) {
        const int64_t first =
            qn_tensor_get_int(columns, layout * columns->dims[1] + c) * run->block;
        const int64_t end = qn_min_i64(first + run->block, length_of(run, b));
        for (int64_t j = first; j < end; j++)
            row[j] = 0;
    }
    qn_attend_window((QnAttendWindow){-1, 0}, start, i, row, attend->k.rows);
}

/* ---- computing ---- */

/* The cache with the new rows of keys or values in it, and as much of it as has positions. */
static QnStatus fill_cache(const Run *run, QnGroupedPart part, double *to)
{
    const QnTensor *past = qn_call_input(run->call, PAST_KEY - QN_GROUPED_KEY + (int)part);
    const int output = PRESENT_KEY - QN_GROUPED_KEY + (int)part;
    const QnGrouped *g = &run->g;
    double *row;
    QN_ALLOC(row, run->call->scratch, run->capacity * g->size);
    for (int64_t head = 0; head < g->batch * g->kv_heads; head++) {
        const int64_t b = head / g->kv_heads, start = start_of(run, b);
        const int64_t fresh = qn_min_i64(g->rows, length_of(run, b));
        QN_TRY(qn_call_poll(run->call));
        qn_tensor_read_row(past, head * run->capacity * g->size, 1, run->capacity * g->size, row);
        for (int64_t i = 0; i < fresh; i++) {
            double *at = row + (start + i) * g->size;
            qn_grouped_read(g, part, b, i, head % g->kv_heads, at);
            if (part == QN_GROUPED_VALUE)
                continue;
            QN_TRY(qn_grouped_check(g, start + i));
            qn_grouped_rotate(g, at, start + i);
        }
        memcpy(to + head * run->total * g->size, row, (size_t)(run->total * g->size) * sizeof *row);
        if (qn_call_wants(run->call, output))
            qn_tensor_write_row(qn_call_result(run->call, output), head * run->capacity * g->size,
                                1, run->capacity * g->size, row);
    }
    return QN_OK;
}

static void read_queries(const Run *run)
{
    const QnGrouped *g = &run->g;
    for (int64_t at = 0; at < g->batch * g->heads * g->rows; at++) {
        const int64_t i = at % g->rows, h = at / g->rows % g->heads, b = at / g->rows / g->heads;
        double *row = run->queries + at * g->size;
        qn_grouped_read(g, QN_GROUPED_QUERY, b, i, h, row);
        if (start_of(run, b) + i < length_of(run, b)) /* the others are padding */
            qn_grouped_rotate(g, row, start_of(run, b) + i);
    }
}

static QnStatus sparse_attention(const QnCall *call)
{
    const QnTensor *total = qn_call_input(call, TOTAL);
    const double scale = qn_op_float(call->node, "scale");
    Run run = {.call = call,
               .g = qn_grouped(call, COS, SIN),
               .capacity = qn_call_input(call, PAST_KEY)->dims[2],
               .block = qn_op_int(call->node, "sparse_block_size"),
               .blocks = qn_call_input(call, ROWS)->dims[1] - 1};
    if (qn_tensor_count(total) != 1)
        return qn_call_fail(call, "total_sequence_length has %lld elements, expected 1",
                            (long long)qn_tensor_count(total));
    run.total = qn_tensor_get_int(total, 0);
    run.is_first = run.total == run.g.rows;
    QN_TRY(check_lengths(&run));
    QN_TRY(check_indices(&run));
    const int64_t all = run.g.batch * run.g.kv_heads * run.total * run.g.size;
    QN_ALLOC(run.queries, call->scratch, run.g.batch * run.g.heads * run.g.rows * run.g.size);
    QN_ALLOC(run.keys, call->scratch, all);
    QN_ALLOC(run.values, call->scratch, all);
    QN_TRY(fill_cache(&run, QN_GROUPED_KEY, run.keys));
    QN_TRY(fill_cache(&run, QN_GROUPED_VALUE, run.values));
    read_queries(&run);
    const QnAttend a = {.call = call,
                        .batch = run.g.batch,
                        .q = {run.g.heads, run.g.rows, run.g.size},
                        .k = {run.g.kv_heads, run.total, run.g.size},
                        .v = {run.g.kv_heads, run.total, run.g.size},
                        .queries = run.queries,
                        .keys = run.keys,
                        .values = run.values,
                        .scale = scale != 0 ? scale : 1 / sqrt((double)run.g.size),
                        .bias = add_bias,
                        .user = &run,
                        .y = qn_call_result(call, Y)};
    return qn_attend(&a);
}

static const QnOpAttribute attributes[] = {
    {"do_rotary", QN_ATTRIBUTE_INT},
    {"kv_num_heads", QN_ATTRIBUTE_INT, .is_required = true},
    {"num_heads", QN_ATTRIBUTE_INT, .is_required = true},
    {"rotary_interleaved", QN_ATTRIBUTE_INT},
    {"scale", QN_ATTRIBUTE_FLOAT}, /* 0 or absent: 1 / sqrt(size of a head) */
    {"sparse_block_size", QN_ATTRIBUTE_INT, .is_required = true},
    {0}};

const QnOp qn_ops_sparse_attention[] = {
    {.name = "SparseAttention",
     .domain = "com.microsoft",
     .since = 1,
     .inputs = "query: float, key?: T, value?: T, past_key: T, past_value: T, "
               "block_row_indices: int32, block_col_indices: int32, total_sequence_length: int32, "
               "key_total_sequence_lengths: int32, cos_cache?: T, sin_cache?: T",
     .outputs = "output: T, present_key: T, present_value: T",
     .attributes = attributes,
     .infer = infer_sparse,
     .reference = sparse_attention},
    {0},
};
