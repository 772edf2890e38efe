/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reference of GroupQueryAttention: gathers the keys of each item from the cache and the new
 * rows, writes the new cache, and attends.
 */
#include <math.h>

#include "base/checked.h"
#include "engine/ops/attend.h"
#include "engine/ops/group_query.h"

/* Item b: it has `keys` rows, the first of them at position `first`, once its `fresh` new rows, the
 * first at position `start`, are behind those of the cache. */
typedef struct Item {
    int64_t start, fresh, first, keys;
} Item;

typedef struct Run {
    const QnCall *call;
    QnGrouped g;
    int64_t capacity, total; /* rows of the cache before; total_sequence_length */
    int64_t window;          /* local_window_size */
    bool is_first;           /* a first prompt */
    Item *items;             /* [batch] */
    double *queries, *keys, *values;
    int64_t key_rows; /* of `keys` and `values` */
    QnTensor line;    /* one row as the cache holds it, to see what becomes of it */
} Run;

/* How many of T positions a windowed cache holds. */
static int64_t resident(const Run *run, int64_t positions)
{
    const int64_t step = run->capacity - run->window + 1;
    if (!qn_gqa_is_windowed(run->call->node) || positions <= run->capacity)
        return positions;
    return positions - step * qn_ceil_div(positions - run->capacity, step);
}

static QnStatus want_range(const Run *run, const char *name, int64_t b, int64_t value, int64_t low,
                           int64_t high)
{
    if (value >= low && value <= high)
        return QN_OK;
    return qn_call_fail(run->call, "%s[%lld] is %lld, expected %lld to %lld", name, (long long)b,
                        (long long)value, (long long)low, (long long)high);
}

static QnStatus read_item(Run *run, int64_t b)
{
    const QnTensor *counts = qn_call_input(run->call, QN_GQA_COUNTS);
    const int64_t last = qn_tensor_get_int(qn_call_input(run->call, QN_GQA_LENGTHS), b);
    const int64_t rows = run->g.rows;
    /* Rows behind the valid ones are padding, in a first prompt or where they are counted. */
    const int64_t least = run->is_first || counts ? 0 : rows - 1;
    QN_TRY(want_range(run, "seqlens_k", b, last, least, run->total - 1));
    Item *item = &run->items[b];
    item->fresh = qn_min_i64(rows, last + 1);
    if (counts) {
        const int64_t count = qn_tensor_get_int(counts, b);
        QN_TRY(want_range(run, "query_seqlens", b, count, 0, item->fresh));
        item->fresh = count;
    }
    item->start = last + 1 - item->fresh;
    if (!qn_gqa_is_windowed(run->call->node) && item->start > run->capacity)
        return qn_call_fail(run->call, "item %lld begins at position %lld, behind a cache of %lld",
                            (long long)b, (long long)item->start, (long long)run->capacity);
    item->first = item->start - resident(run, item->start);
    item->keys = last + 1 - item->first;
    run->key_rows = qn_max_i64(run->key_rows, item->keys);
    return QN_OK;
}

/* The position by which row i of item b is rotated. */
static QnStatus position_of(const Run *run, int64_t b, int64_t i, int64_t *position)
{
    const QnTensor *given = qn_call_input(run->call, QN_GQA_POSITIONS);
    *position = run->items[b].start + i;
    if (given && run->is_first) /* the first of all is where every item begins */
        *position = qn_tensor_get_int(given, 0);
    else if (given)
        *position = qn_tensor_get_int(given, b * run->g.rows + i);
    QN_TRY(qn_grouped_check(&run->g, *position));
    if (given && run->is_first) {
        *position += i;
        return qn_grouped_check(&run->g, *position);
    }
    return QN_OK;
}

static void normalize(const Run *run, int weights, const char *epsilon, double *row)
{
    const QnTensor *w = qn_call_input(run->call, weights);
    const QnNode *node = run->call->node;
    const double e = qn_node_float(node, epsilon, qn_op_float(node, "qk_norm_epsilon"));
    double sum = 0;
    for (int64_t d = 0; w && d < run->g.size; d++)
        sum += row[d] * row[d];
    const double factor = 1 / sqrt(sum / (double)run->g.size + e);
    for (int64_t d = 0; w && d < run->g.size; d++)
        row[d] *= factor * qn_tensor_get(w, d);
}

/* ---- the cache ---- */

static double scale_of(const QnTensor *scale, int64_t at)
{
    return scale ? qn_tensor_get(scale, qn_tensor_count(scale) > 1 ? at : 0) : 1;
}

/* Row `at` of a cache, of head h. */
static void read_cache(const Run *run, const QnTensor *cache, const QnTensor *scale, int64_t at,
                       int64_t h, double *to)
{
    const int64_t size = run->g.size;
    const bool is_packed = qn_gqa_has_nibbles(run->call->node);
    for (int64_t d = 0; d < size; d++) {
        if (is_packed) {
            const int64_t pair = qn_tensor_get_int(cache, (at * size + d) / 2);
            to[d] = (double)((d % 2 ? pair >> 4 : pair & 15) - 8);
        } else {
            to[d] = qn_tensor_get(cache, at * size + d);
        }
        to[d] *= scale_of(scale, h * size + d);
    }
}

static void write_cache(const Run *run, QnTensor *cache, const QnTensor *scale, int64_t at,
                        int64_t h, const double *row)
{
    const int64_t size = run->g.size;
    const bool is_packed = qn_gqa_has_nibbles(run->call->node);
    for (int64_t d = 0; d < size; d++) {
        double x = row[d] / scale_of(scale, h * size + d);
        if (is_packed || cache->type == QN_INT8)
            x = fmin(fmax(nearbyint(x), is_packed ? -8 : -128), is_packed ? 7 : 127);
        if (is_packed) {
            uint8_t *pair = (uint8_t *)cache->data + (at * size + d) / 2;
            const int nibble = (int)x + 8;
            *pair = (uint8_t)(d % 2 ? (*pair & 15) | nibble << 4 : (*pair & 240) | nibble);
        } else {
            qn_tensor_set(cache, at * size + d, x);
        }
    }
}

/*
 * Keys or values of head h of item b: what the cache holds of them, then the new rows, in rows of
 * `to`.  All that the new cache keeps is written to it.
 */
static QnStatus gather_head(const Run *run, QnGroupedPart part, int64_t b, int64_t h, double *to)
{
    const Item *item = &run->items[b];
    const int64_t size = run->g.size, head = b * run->g.kv_heads + h;
    const int64_t held = item->start - item->first;
    const int64_t kept = resident(run, item->start + item->fresh);
    const QnTensor *past = qn_call_input(run->call, QN_GQA_PAST_KEY - QN_GROUPED_KEY + (int)part);
    const QnTensor *scale = qn_call_input(run->call, QN_GQA_K_SCALE - QN_GROUPED_KEY + (int)part);
    const int output = QN_GQA_PRESENT_KEY - QN_GROUPED_KEY + (int)part;
    QnTensor *present = qn_call_wants(run->call, output) ? qn_call_result(run->call, output) : NULL;
    QnTensor line = run->line;
    for (int64_t j = 0; j < held; j++)
        read_cache(run, past, scale, head * run->capacity + j, h, to + j * size);
    for (int64_t i = 0; i < item->fresh; i++) {
        double *row = to + (held + i) * size;
        int64_t position;
        qn_grouped_read(&run->g, part, b, i, h, row);
        if (part == QN_GROUPED_VALUE)
            continue;
        QN_TRY(position_of(run, b, i, &position));
        normalize(run, QN_GQA_K_NORM, "k_norm_epsilon", row);
        qn_grouped_rotate(&run->g, row, position);
    }
    for (int64_t i = held; scale && i < item->keys; i++) {
        write_cache(run, &line, scale, 0, h, to + i * size);
        read_cache(run, &line, scale, 0, h, to + i * size);
    }
    /* From a cache that slides, the first rows go; what stays moves to the front. */
    for (int64_t j = item->keys - kept; present && j < item->keys; j++)
        write_cache(run, present, scale, head * present->dims[2] + j - (item->keys - kept), h,
                    to + j * size);
    return QN_OK;
}

/* A buffer keeps the rows that nobody writes; what a cache grows by is zero until then. */
static void copy_cache(const Run *run, int output)
{
    const QnTensor *past = qn_call_input(run->call, QN_GQA_PAST_KEY + output - QN_GQA_PRESENT_KEY);
    QnTensor *present;
    if (!qn_call_wants(run->call, output))
        return;
    present = qn_call_result(run->call, output);
    const size_t element = qn_type_size(present->type);
    const int64_t heads = run->g.batch * run->g.kv_heads;
    const size_t row = (size_t)present->dims[3] * element;
    memset(present->data, 0, (size_t)qn_tensor_count(present) * element);
    for (int64_t h = 0; past && h < heads && run->capacity > 0 && row > 0; h++)
        memcpy((uint8_t *)present->data + (size_t)(h * present->dims[2]) * row,
               (const uint8_t *)past->data + (size_t)(h * run->capacity) * row,
               (size_t)run->capacity * row);
}

static QnStatus gather(Run *run)
{
    const QnGrouped *g = &run->g;
    for (int64_t b = 0; b < g->batch; b++) {
        for (int64_t h = 0; h < g->kv_heads; h++) {
            const int64_t at = (b * g->kv_heads + h) * run->key_rows * g->size;
            QN_TRY(qn_call_poll(run->call));
            QN_TRY(gather_head(run, QN_GROUPED_KEY, b, h, run->keys + at));
            QN_TRY(gather_head(run, QN_GROUPED_VALUE, b, h, run->values + at));
        }
        for (int64_t h = 0; h < g->heads; h++)
            for (int64_t i = 0; i < g->rows; i++) {
                double *row = run->queries + ((b * g->heads + h) * g->rows + i) * g->size;
                int64_t position;
                qn_grouped_read(g, QN_GROUPED_QUERY, b, i, h, row);
                if (i >= run->items[b].fresh)
                    continue;
                QN_TRY(position_of(run, b, i, &position));
                normalize(run, QN_GQA_Q_NORM, "q_norm_epsilon", row);
                qn_grouped_rotate(g, row, position);
            }
    }
    return QN_OK;
}

/* ---- computing ---- */

static void add_bias(const QnAttend *attend, int64_t b, int64_t h, int64_t i, double *row)
{
    const Run *run = attend->user;
    const Item *item = &run->items[b];
    const QnTensor *bias = qn_call_input(run->call, QN_GQA_BIAS);
    const bool is_causal = qn_op_int(run->call->node, "causal") != 0;
    const QnAttendWindow window = {run->window < 0 ? -1 : run->window - 1, is_causal ? 0 : -1};
    if (bias) { /* its columns are positions */
        const int64_t *dims = bias->dims;
        const int64_t plane = (dims[0] == 1 ? 0 : b) * dims[1] + (dims[1] == 1 ? 0 : h);
        qn_tensor_read_row(bias, (plane * dims[2] + i) * dims[3] + item->first, 1, item->keys, row);
    }
    qn_attend_window(window, item->start - item->first, i, row, attend->k.rows);
    for (int64_t j = item->keys; j < attend->k.rows; j++)
        row[j] = -INFINITY;
}

static QnStatus read_sinks(const Run *run, const double **out)
{
    const QnTensor *sink = qn_call_input(run->call, QN_GQA_SINK);
    double *sinks;
    if (!sink && qn_op_int(run->call->node, "smooth_softmax") != 1)
        return QN_OK;
    QN_ALLOC(sinks, run->call->scratch, run->g.heads);
    if (sink)
        qn_tensor_read_row(sink, 0, 1, run->g.heads, sinks);
    *out = sinks;
    return QN_OK;
}

static QnStatus read_items(Run *run)
{
    const QnTensor *total = qn_call_input(run->call, QN_GQA_TOTAL);
    if (qn_tensor_count(total) != 1)
        return qn_call_fail(run->call, "total_sequence_length has %lld elements, expected 1",
                            (long long)qn_tensor_count(total));
    run->total = qn_tensor_get_int(total, 0);
    run->is_first = run->total == run->g.rows && !qn_call_input(run->call, QN_GQA_COUNTS);
    if (!qn_call_input(run->call, QN_GQA_PAST_KEY) && run->total != run->g.rows)
        return qn_call_fail(run->call, "total_sequence_length is %lld, expected %lld",
                            (long long)run->total, (long long)run->g.rows);
    if (qn_gqa_is_windowed(run->call->node) && run->capacity < run->window)
        return qn_call_fail(run->call, "the cache has %lld rows for a window of %lld",
                            (long long)run->capacity, (long long)run->window);
    QN_ALLOC(run->items, run->call->scratch, run->g.batch);
    for (int64_t b = 0; b < run->g.batch; b++)
        QN_TRY(read_item(run, b));
    if (!qn_gqa_is_windowed(run->call->node)) /* scores are as wide as that */
        run->key_rows = run->total;
    return QN_OK;
}

QnStatus qn_gqa_run(const QnCall *call)
{
    const QnNode *node = call->node;
    const QnTensor *past = qn_call_input(call, QN_GQA_PAST_KEY);
    const bool has_scores = qn_call_wants(call, QN_GQA_SCORES) && qn_op_int(node, "qk_output") != 0;
    Run run = {.call = call,
               .g = qn_grouped(call, QN_GQA_COS, QN_GQA_SIN),
               .capacity = past ? past->dims[2] : 0,
               .window = qn_op_int(node, "local_window_size")};
    QN_TRY(read_items(&run));
    const int64_t size = run.g.size, all = run.g.batch * run.g.kv_heads * run.key_rows * size;
    QN_ALLOC(run.queries, call->scratch, run.g.batch * run.g.heads * run.g.rows * size);
    QN_ALLOC(run.keys, call->scratch, all);
    QN_ALLOC(run.values, call->scratch, all);
    if (past) {
        uint64_t *room; /* any element fits */
        QN_ALLOC(room, call->scratch, size);
        run.line = qn_tensor(past->type, 1, &past->dims[3], room);
    }
    copy_cache(&run, QN_GQA_PRESENT_KEY);
    copy_cache(&run, QN_GQA_PRESENT_VALUE);
    QN_TRY(gather(&run));
    const double scale = qn_op_float(node, "scale");
    QnAttend a = {.call = call,
                  .batch = run.g.batch,
                  .q = {run.g.heads, run.g.rows, size},
                  .k = {run.g.kv_heads, run.key_rows, size},
                  .v = {run.g.kv_heads, run.key_rows, size},
                  .queries = run.queries,
                  .keys = run.keys,
                  .values = run.values,
                  .scale = scale != 0 ? scale : 1 / sqrt((double)size),
                  .softcap = qn_op_float(node, "softcap"),
                  .bias = add_bias,
                  .user = &run,
                  .y = qn_call_result(call, QN_GQA_Y),
                  .scores = has_scores ? qn_call_result(call, QN_GQA_SCORES) : NULL,
                  .stage =
                      qn_op_int(node, "qk_output") == 1 ? QN_ATTEND_BIASED : QN_ATTEND_SOFTMAX};
    QN_TRY(read_sinks(&run, &a.sinks));
    return qn_attend(&a);
}
