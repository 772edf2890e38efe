/* SPDX-License-Identifier: Apache-2.0 */
/* Attention in blocks against the formula in double, between guard pages, units in any order. */
#include "engine/devices/cpu/kernels/attend.h"
#include "tests/kernels/check.h"

enum { MOST = 300 }; /* keys */

typedef struct Case {
    QnAttendF32 attend;
    QnAttendArrays arrays;
    bool is_poisoned; /* keys behind the valid ones, and their values, are NaN */
} Case;

static int64_t element(const QnAttendSteps *steps, int64_t b, int64_t h, int64_t i, int64_t d)
{
    return b * steps->item + h * steps->head + i * steps->row + d * steps->element;
}

/* [item][head][row][element], or [item][row][head][element]. */
static QnAttendSteps steps_of(Check *check, int64_t heads, int64_t rows, int64_t size)
{
    if (check_random(check, 2))
        return (QnAttendSteps){heads * rows * size, rows * size, size, 1};
    return (QnAttendSteps){heads * rows * size, size, heads * size, 1};
}

static void make_mask(Check *check, Case *c)
{
    QnAttendF32 *a = &c->attend;
    const int kind = check_random(check, 3);
    a->mask_keys = check_random(check, 4) ? a->keys : a->keys / 2;
    const int64_t rows = check_random(check, 2) ? a->rows : 1;
    a->mask = (QnAttendSteps){0, 0, rows > 1 ? a->mask_keys : 0, 1};
    if (kind == 1) {
        uint8_t *allowed = check_room(check, (size_t)(rows * a->mask_keys));
        for (int64_t i = 0; i < rows * a->mask_keys; i++)
            allowed[i] = (uint8_t)(check_random(check, 3) != 0);
        c->arrays.allowed = allowed;
    } else if (kind == 2) {
        float *bias = check_floats(check, rows * a->mask_keys);
        for (int64_t i = 0; i < rows * a->mask_keys; i++)
            if (!check_random(check, 4))
                bias[i] = -INFINITY;
        c->arrays.bias = bias;
    }
}

static void make_places(Check *check, Case *c)
{
    const QnAttendF32 *a = &c->attend;
    int64_t *offsets = check_room(check, (size_t)a->batch * 8),
            *valid = check_room(check, (size_t)a->batch * 8);
    for (int64_t b = 0; b < a->batch; b++) {
        valid[b] = check_random(check, 2) ? a->keys : check_random(check, (int)a->keys + 1);
        offsets[b] = check_random(check, 2) ? a->keys - a->rows : check_random(check, 5) - 2;
    }
    c->arrays.offsets = offsets;
    c->arrays.valid = valid;
}

static void poison(Case *c, float *k, float *v)
{
    const QnAttendF32 *a = &c->attend;
    for (int64_t b = 0; b < a->batch; b++)
        for (int64_t h = 0; h < a->heads / a->group; h++)
            for (int64_t j = c->arrays.valid[b]; j < a->keys; j++) {
                for (int64_t d = 0; d < a->size; d++)
                    k[element(&a->k, b, h, j, d)] = NAN;
                for (int64_t d = 0; d < a->value_size; d++)
                    v[element(&a->v, b, h, j, d)] = INFINITY;
            }
}

static void make_case(Check *check, Case *c)
{
    const int shared = 1 + check_random(check, 2);
    *c = (Case){.attend = {.isa = check->have,
                           .batch = 1 + check_random(check, 2),
                           .group = 1 + check_random(check, 2),
                           .rows = 1 + check_random(check, check_random(check, 3) ? 20 : 200),
                           .keys = 1 + check_random(check, check_random(check, 3) ? 40 : MOST - 1),
                           .size = 1 + check_random(check, 20),
                           .value_size = 1 + check_random(check, 20),
                           .left = check_random(check, 3) ? -1 : check_random(check, 9),
                           .right = check_random(check, 2) ? -1 : check_random(check, 3),
                           .scale = 0.5f,
                           .softcap = check_random(check, 3) ? 0 : 2,
                           .stage = (QnScoreStage)check_random(check, 5),
                           .has_sinks = check_random(check, 3) == 0}};
    QnAttendF32 *a = &c->attend;
    a->heads = shared * a->group;
    a->q = steps_of(check, a->heads, a->rows, a->size);
    a->k = steps_of(check, shared, a->keys, a->size);
    a->v = steps_of(check, shared, a->keys, a->value_size);
    a->y = steps_of(check, a->heads, a->rows, a->value_size);
    float *k = check_floats(check, a->batch * shared * a->keys * a->size),
          *v = check_floats(check, a->batch * shared * a->keys * a->value_size);
    c->arrays = (QnAttendArrays){.q = check_floats(check, a->batch * a->heads * a->rows * a->size),
                                 .k = k,
                                 .v = v,
                                 .sinks = check_floats(check, a->heads)};
    c->arrays.y = check_blank(check, a->batch * a->heads * a->rows * a->value_size);
    c->arrays.scores = check_blank(check, a->batch * a->heads * a->rows * a->keys);
    make_places(check, c);
    make_mask(check, c);
    c->is_poisoned = check_random(check, 4) == 0;
    if (c->is_poisoned)
        poison(c, k, v);
}

/* The bias of key j, -infinity where it takes no part. */
static double bias_of(const Case *c, int64_t b, int64_t h, int64_t i, int64_t j)
{
    const QnAttendF32 *a = &c->attend;
    const int64_t at = c->arrays.offsets[b] + i;
    const int64_t m = element(&a->mask, b, h, i, j);
    const bool has_mask = c->arrays.bias || c->arrays.allowed;
    if (j >= c->arrays.valid[b] || (a->left >= 0 && j < at - a->left) ||
        (a->right >= 0 && j > at + a->right) || (has_mask && j >= a->mask_keys) ||
        (c->arrays.allowed && !c->arrays.allowed[m]))
        return -INFINITY;
    return c->arrays.bias ? (double)c->arrays.bias[m] : 0;
}

/* One query by the formula; `stages` gets its scores at each stage. */
static void attend_row(const Case *c, int64_t b, int64_t h, int64_t i, double stages[5][MOST],
                       double *y)
{
    const QnAttendF32 *a = &c->attend;
    const int64_t shared = h / a->group;
    double max = a->has_sinks ? (double)c->arrays.sinks[h] : -INFINITY, sum = 0;
    bool has_key = false;
    for (int64_t j = 0; j < a->keys; j++) {
        double dot = 0;
        for (int64_t d = 0; d < a->size; d++)
            dot += (double)c->arrays.q[element(&a->q, b, h, i, d)] *
                   (double)c->arrays.k[element(&a->k, b, shared, j, d)];
        const double bias = bias_of(c, b, h, i, j), raw = dot * (double)a->scale;
        const double cap = (double)a->softcap, capped = cap > 0 ? cap * tanh(raw / cap) : raw;
        stages[QN_SCORE_RAW][j] = raw;
        stages[QN_SCORE_CAPPED][j] = capped;
        stages[QN_SCORE_BIASED][j] = bias == -INFINITY ? bias : capped + bias;
        has_key = has_key || bias != -INFINITY;
        max = fmax(max, stages[QN_SCORE_BIASED][j]);
    }
    for (int64_t j = 0; j < a->keys; j++)
        sum += stages[QN_SCORE_SOFTMAX][j] = has_key ? exp(stages[QN_SCORE_BIASED][j] - max) : 0;
    sum += a->has_sinks ? exp((double)c->arrays.sinks[h] - max) : 0;
    for (int64_t d = 0; d < a->value_size; d++)
        y[d] = 0;
    for (int64_t j = 0; j < a->keys && has_key; j++) {
        const double weight = stages[QN_SCORE_SOFTMAX][j] /= sum;
        for (int64_t d = 0; d < a->value_size && weight != 0; d++)
            y[d] += weight * (double)c->arrays.v[element(&a->v, b, shared, j, d)];
    }
}

/* Scores of some 20 terms of size 1, softmax of up to MOST, and sums of as many values. */
static void compare(Test *t, const Case *c)
{
    const QnAttendF32 *a = &c->attend;
    static double stages[5][MOST];
    double y[20];
    for (int64_t row = 0; row < a->batch * a->heads * a->rows; row++) {
        const int64_t i = row % a->rows, h = row / a->rows % a->heads, b = row / a->rows / a->heads;
        attend_row(c, b, h, i, stages, y);
        for (int64_t d = 0; d < a->value_size; d++) {
            const float got = c->arrays.y[element(&a->y, b, h, i, d)];
            EXPECT(t, check_is_near(got, y[d], 2e-5), "%lld keys: row %lld gave %g, not %g",
                   (long long)a->keys, (long long)row, (double)got, y[d]);
        }
        for (int64_t j = 0; j < a->keys && a->stage != QN_SCORE_NONE; j++) {
            const float got = c->arrays.scores[row * a->keys + j];
            EXPECT(t, check_is_near(got, stages[a->stage][j], 2e-5),
                   "stage %d of key %lld: %g, not %g", (int)a->stage, (long long)j, (double)got,
                   stages[a->stage][j]);
        }
    }
}

TEST(blocks_of_queries_are_what_the_formula_says)
{
    Check check = check_make(t);
    for (int round = 0; round < 400; round++) {
        Case c;
        check.end = round % 2 ? CHECK_AFTER : CHECK_BEFORE;
        make_case(&check, &c);
        const int64_t units = qn_attend_f32_units(&c.attend);
        const size_t size = qn_attend_f32_scratch(&c.attend);
        void *scratch = check_room(&check, (size + 63) / 64 * 64);
        for (int64_t unit = units; unit-- > 0;)
            qn_attend_f32_run(&c.attend, &c.arrays, unit, scratch);
        compare(t, &c);
        check_end(&check);
    }
}

TEST_MAIN(CASE(blocks_of_queries_are_what_the_formula_says))
