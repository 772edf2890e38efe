/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/devices/cpu/kernels/attend.h"

#include <math.h>
#include <string.h>

#include "base/checked.h"
#include "base/fault.h"
#include "engine/devices/cpu/kernels/product.h"
#include "engine/devices/cpu/kernels/softmax.h"

enum {
    MOST_ROWS = 128,          /* of a block: enough that packing keys and values does not count */
    BLOCK_SCORES = 64 * 1024, /* about so many, which the second cache holds */
    FAR_BITS = 60             /* positions come from outside: bounded, so that sums fit */
};

static int64_t near(int64_t x)
{
    const int64_t far = (int64_t)1 << FAR_BITS;
    return qn_max_i64(-far, qn_min_i64(far, x));
}

static int64_t block_rows(const QnAttendF32 *a)
{
    const int64_t fits = BLOCK_SCORES / qn_max_i64(a->keys, 1);
    return qn_max_i64(1, qn_min_i64(a->rows, qn_max_i64(16, qn_min_i64(fits, MOST_ROWS))));
}

int64_t qn_attend_f32_units(const QnAttendF32 *attend)
{
    return attend->batch * attend->heads * qn_ceil_div(attend->rows, block_rows(attend));
}

double qn_attend_f32_unit_cost(const QnAttendF32 *attend)
{
    return (double)block_rows(attend) * (double)attend->keys *
           (double)(attend->size + attend->value_size + 16);
}

/* Scores lie so far apart, a sink behind them included. */
static size_t pitch_of(const QnAttendF32 *a)
{
    return qn_round_up((size_t)a->keys + 1, 16);
}

/* A block of queries at work, and the keys that any of them may see. */
typedef struct Block {
    const QnAttendF32 *attend;
    const QnAttendArrays *arrays;
    int64_t item, head, first, rows; /* of queries */
    int64_t begin, end;              /* of keys */
    bool is_masked;                  /* some of these take no part for some of the queries */
    int64_t pitch;
    float *scores; /* [rows][pitch], of keys from `begin` on */
    void *room;    /* of a product */
} Block;

static QnProductF32 product_of(const QnAttendF32 *a)
{
    return (QnProductF32){.isa = a->isa,
                          .c_column_step = 1,
                          .epilogue = {.alpha = 1},
                          .outer = {.count = 1},
                          .inner = {.count = 1}};
}

static QnProductF32 scores_of(const QnAttendF32 *a, int64_t rows, int64_t keys)
{
    QnProductF32 p = product_of(a);
    p.m = rows;
    p.n = keys;
    p.k = a->size;
    p.a_step = a->q.row;
    p.a_k_step = a->q.element;
    p.b_k_step = a->k.element;
    p.b_n_step = a->k.row;
    p.c_step = (int64_t)pitch_of(a);
    p.epilogue.alpha = a->scale;
    return p;
}

static QnProductF32 values_of(const QnAttendF32 *a, int64_t rows, int64_t keys)
{
    QnProductF32 p = product_of(a);
    p.m = rows;
    p.n = a->value_size;
    p.k = keys;
    p.a_step = (int64_t)pitch_of(a);
    p.a_k_step = 1;
    p.b_k_step = a->v.row;
    p.b_n_step = a->v.element;
    p.c_step = a->y.row;
    return p;
}

size_t qn_attend_f32_scratch(const QnAttendF32 *attend)
{
    const int64_t rows = block_rows(attend);
    const QnProductF32 s = scores_of(attend, rows, attend->keys),
                       v = values_of(attend, rows, attend->keys);
    const size_t for_scores = qn_product_f32_scratch_up_to(&s);
    const size_t for_values = qn_product_f32_scratch_up_to(&v);
    size_t total;
    if (!qn_mul_size(&total, (size_t)rows, pitch_of(attend) * sizeof(float)) ||
        !qn_add_size(&total, qn_round_up(total, 64),
                     for_scores > for_values ? for_scores : for_values))
        return SIZE_MAX;
    return total;
}

static void run_product(const QnProductF32 *product, void *room)
{
    const int64_t chunks = qn_product_f32_chunks(product);
    for (int64_t chunk = 0; chunk < chunks; chunk++)
        qn_product_f32_run(product, chunk, room);
}

/* ---- scores ---- */

/* Which keys query i of the block may see by its position: [*begin, *end). */
static void window_of(const Block *b, int64_t i, int64_t *begin, int64_t *end)
{
    const QnAttendF32 *a = b->attend;
    const int64_t at = near(b->arrays->offsets[b->item]) + b->first + i;
    const int64_t valid = b->arrays->valid[b->item];
    const int64_t first = a->left < 0 ? 0 : at - near(a->left);
    const int64_t last = a->right < 0 ? valid : at + near(a->right) + 1;
    *begin = qn_max_i64(0, qn_min_i64(first, a->keys));
    *end = qn_max_i64(*begin, qn_min_i64(valid, last));
}

/* All keys that any query of the block sees;
 * all that there are where the scores are written out. */
static void find_keys(Block *b)
{
    int64_t unused;
    b->begin = 0;
    b->end = b->attend->keys;
    if (b->attend->stage != QN_SCORE_NONE)
        return;
    window_of(b, 0, &b->begin, &unused);
    window_of(b, b->rows - 1, &unused, &b->end);
    b->end = qn_max_i64(b->begin, b->end);
}

static void write_scores(const Block *b, QnScoreStage stage)
{
    const QnAttendF32 *a = b->attend;
    if (a->stage != stage)
        return;
    const int64_t row = (b->item * a->heads + b->head) * a->rows + b->first;
    for (int64_t i = 0; i < b->rows; i++)
        memcpy(b->arrays->scores + (row + i) * a->keys, b->scores + i * b->pitch,
               (size_t)a->keys * sizeof(float));
}

static void fill(float *row, int64_t begin, int64_t end)
{
    for (int64_t j = begin; j < end; j++)
        row[j] = -INFINITY;
}

/* Adds the mask, and sets what takes no part to -infinity; rows begin at key b->begin. */
static void add_bias(Block *b, int64_t i, float *row)
{
    const QnAttendF32 *a = b->attend;
    const QnAttendArrays *arrays = b->arrays;
    const int64_t at =
        b->item * a->mask.item + b->head * a->mask.head + (b->first + i) * a->mask.row + b->begin;
    const int64_t count = b->end - b->begin;
    const int64_t masked = qn_max_i64(0, qn_min_i64(a->mask_keys - b->begin, count));
    int64_t begin, end;
    if (arrays->bias) {
        const float *bias = arrays->bias + at;
        for (int64_t j = 0; j < masked; j++)
            row[j] = bias[j] == -INFINITY ? -INFINITY : row[j] + bias[j];
    } else if (arrays->allowed) {
        const uint8_t *allowed = arrays->allowed + at;
        for (int64_t j = 0; j < masked; j++)
            row[j] = allowed[j] ? row[j] : -INFINITY;
    }
    if (arrays->bias || arrays->allowed)
        fill(row, masked, count);
    window_of(b, i, &begin, &end);
    b->is_masked =
        b->is_masked || arrays->bias || arrays->allowed || begin > b->begin || end < b->end;
    fill(row, 0, qn_min_i64(begin - b->begin, count));
    fill(row, qn_max_i64(end - b->begin, 0), count);
}

/* Does any key take part?  NaN does. */
static bool has_key(const float *row, int64_t count)
{
    for (int64_t j = 0; j < count; j++)
        if (row[j] != -INFINITY)
            return true;
    return false;
}

/* From biased scores to weights; the sink is one more score, whose weight nobody reads. */
static void weigh(const Block *b, float *row, const QnSoftmaxVariant *softmax)
{
    const int64_t count = b->end - b->begin;
    if (!has_key(row, count)) {
        memset(row, 0, (size_t)count * sizeof *row);
        return;
    }
    if (b->attend->has_sinks)
        row[count] = b->arrays->sinks[b->head];
    softmax->row(count + b->attend->has_sinks, row, row, false);
}

static void make_scores(const Block *b, const float *k)
{
    const QnAttendF32 *a = b->attend;
    const int64_t count = b->end - b->begin;
    QnProductF32 product = scores_of(a, b->rows, count);
    product.a = b->arrays->q + b->item * a->q.item + b->head * a->q.head + b->first * a->q.row;
    product.b = k + b->begin * a->k.row;
    product.c = b->scores;
    run_product(&product, b->room);
    write_scores(b, QN_SCORE_RAW);
    for (int64_t i = 0; i < b->rows && a->softcap > 0; i++) {
        float *row = b->scores + i * b->pitch;
        for (int64_t j = 0; j < count; j++)
            row[j] /= a->softcap;
        qn_activate_f32_pick(a->isa)(row, row, count, QN_ACTIVATION_TANH, 0, 0);
        for (int64_t j = 0; j < count; j++)
            row[j] *= a->softcap;
    }
    write_scores(b, QN_SCORE_CAPPED);
}

/* ---- values ---- */

static bool are_finite(const QnAttendF32 *a, const float *v, int64_t count)
{
    enum { LANES = 8 };
    for (int64_t j = 0; j < count; j++) {
        const float *value = v + j * a->v.row;
        float sums[LANES] = {0}; /* of zeros, where all are finite */
        int64_t d = 0;
        for (; a->v.element == 1 && d + LANES <= a->value_size; d += LANES)
            for (int lane = 0; lane < LANES; lane++)
                sums[lane] += value[d + lane] * 0.0f;
        for (; d < a->value_size; d++)
            sums[0] += value[d * a->v.element] * 0.0f;
        for (int lane = 1; lane < LANES; lane++)
            sums[0] += sums[lane];
        if (sums[0] != 0)
            return false;
    }
    return true;
}

/* The sum of the values of those keys that have a weight, one after the other: of those that take
 * no part the values may be anything. */
static void add_values(const Block *b, const float *v, float *y)
{
    const QnAttendF32 *a = b->attend;
    for (int64_t i = 0; i < b->rows; i++, y += a->y.row) {
        const float *weights = b->scores + i * b->pitch;
        memset(y, 0, (size_t)a->value_size * sizeof *y);
        for (int64_t j = 0; j < b->end - b->begin; j++) {
            const float *value = v + j * a->v.row;
            for (int64_t d = 0; d < a->value_size && weights[j] != 0; d++)
                y[d] += weights[j] * value[d * a->v.element];
        }
    }
}

static void make_values(const Block *b, const float *v)
{
    const QnAttendF32 *a = b->attend;
    const int64_t count = b->end - b->begin;
    float *y = b->arrays->y + b->item * a->y.item + b->head * a->y.head + b->first * a->y.row;
    v += b->begin * a->v.row;
    if (b->is_masked && !are_finite(a, v, count)) {
        add_values(b, v, y);
        return;
    }
    QnProductF32 product = values_of(a, b->rows, count);
    product.a = b->scores;
    product.b = v;
    product.c = y;
    run_product(&product, b->room);
}

void qn_attend_f32_run(const QnAttendF32 *attend, const QnAttendArrays *arrays, int64_t unit,
                       void *scratch)
{
    const int64_t height = block_rows(attend), blocks = qn_ceil_div(attend->rows, height);
    const int64_t head = unit / blocks;
    Block b = {.attend = attend,
               .arrays = arrays,
               .item = head / attend->heads,
               .head = head % attend->heads,
               .first = unit % blocks * height,
               .pitch = (int64_t)pitch_of(attend),
               .scores = scratch};
    b.rows = qn_min_i64(height, attend->rows - b.first);
    b.room = (uint8_t *)scratch + qn_round_up((size_t)height * (size_t)b.pitch * sizeof(float), 64);
    find_keys(&b);
    const int64_t shared = b.head / attend->group;
    make_scores(&b, arrays->k + b.item * attend->k.item + shared * attend->k.head);
    const QnSoftmaxVariant *softmax = qn_softmax_pick(QN_FLOAT, attend->isa);
    for (int64_t i = 0; i < b.rows; i++)
        add_bias(&b, i, b.scores + i * b.pitch);
    write_scores(&b, QN_SCORE_BIASED);
    for (int64_t i = 0; i < b.rows; i++)
        weigh(&b, b.scores + i * b.pitch, softmax);
    write_scores(&b, QN_SCORE_SOFTMAX);
    make_values(&b, arrays->v + b.item * attend->v.item + shared * attend->v.head);
    if (qn_fault("kernel", "attend") && b.rows > 0 && attend->value_size > 0)
        qn_fault_spoil(arrays->y + b.item * attend->y.item + b.head * attend->y.head +
                           b.first * attend->y.row,
                       sizeof *arrays->y);
}
